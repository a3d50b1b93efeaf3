/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a context has, as text: sums, and lines one after the other.
 */
#ifndef __IOMMUFD_SHOW_H
#define __IOMMUFD_SHOW_H

#include <linux/types.h>

#include "pasid/pasid_dev.h"

/* Room for a line, and for the sums. */
#define SHOW_LINE 256

struct iommufd_ctx;

/**
 * struct show_totals - sums over a context
 * @objects: number of objects
 * @mapped: bytes, over all IOASes
 * @pasids: number of PASIDs, over all devices and accesses
 */
struct show_totals {
	unsigned long objects;
	unsigned long mapped;
	unsigned long pasids;
};

/**
 * struct show_pos - the next line of a context; {} at the beginning
 * @globals: not the objects and runs, but each global PASID
 * @id: no object with a smaller ID comes
 * @inside: the object with @id has been shown, its PASIDs come
 * @run: of them, the run that was shown last, or a part of the next
 * @shown: how many objects and PASIDs have been shown
 */
struct show_pos {
	bool globals;
	unsigned long id;
	bool inside;
	struct pasid_run run;
	unsigned long shown;
};

void show_totals(struct iommufd_ctx *ictx, struct show_totals *totals);
void show_head(struct iommufd_ctx *ictx, const struct show_totals *totals, char *text);
bool show_line(struct iommufd_ctx *ictx, struct show_pos *pos, char *line);

#endif
