/* SPDX-License-Identifier: GPL-2.0-only */
/* Values that a member may have, for kinds.c and gen.c. */
#ifndef LISTS_H
#define LISTS_H

/* Those up to L_NUMBERS are of objects, one kind of several; the others numbers. */
enum list {
	L_FILE, L_IOAS_OR_0, L_PARENT, L_INVALIDATE, L_PT_OR_0, L_TOLD, L_EVENT_FD, L_NUMBERS,
	L_HWPT_TYPE = L_NUMBERS, L_DATA_LEN, L_INFO_TYPE, L_PAGE_SIZE, L_INV_TYPE, L_INV_LEN,
	L_VIOMMU_TYPE, L_VEVENTQ_TYPE, L_OPEN, L_WIDTH, L_ERROR, L_ADVICE, L_ANSWER_LEN, L_RARELY,
	L_COUNT,
};

#endif
