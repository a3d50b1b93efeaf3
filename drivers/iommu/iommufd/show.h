/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a context has, as text: sums, and lines one after the other.
 */
#ifndef __IOMMUFD_SHOW_H
#define __IOMMUFD_SHOW_H

#include <linux/types.h>

#include "pasid/pasid_dev.h"

#define SHOW_LINE 256

struct iommufd_ctx;
struct seq_file;

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
 * @id: no object with a smaller ID comes
 * @inside: the object with @id has been shown, its PASIDs come
 * @run: of them, the run that was shown last, or a part of the next
 * @shown: how many objects and PASIDs have been shown
 */
struct show_pos {
	unsigned long id;
	bool inside;
	struct pasid_run run;
	unsigned long shown;
};

void show_totals(struct iommufd_ctx *ictx, struct show_totals *totals);
void show_head(struct seq_file *m, struct iommufd_ctx *ictx, const struct show_totals *totals);
bool show_line(struct iommufd_ctx *ictx, struct show_pos *pos, char *line);

#endif
