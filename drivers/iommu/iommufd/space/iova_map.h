/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOVA -> area: a maple tree whose ranges are the areas and whose gaps are what
 * can be given out. Knows of an area only where it is; the caller's lock,
 * ioas.map_rwsem, protects it.
 */
#ifndef __IOMMUFD_IOVA_MAP_H
#define __IOMMUFD_IOVA_MAP_H

#include <linux/maple_tree.h>
#include <linux/rwsem.h>

#include "area.h"

/**
 * struct iova_hole - what an IOVA to be chosen must satisfy
 * @length: bytes
 * @align: power of two
 * @skew: the IOVA is this far behind an aligned one, less than @align
 */
struct iova_hole {
	unsigned long length;
	unsigned long align;
	unsigned long skew;
};

void iova_map_init(struct maple_tree *mt, struct rw_semaphore *lock);
void iova_map_exit(struct maple_tree *mt);
struct area *iova_map_next(struct maple_tree *mt, unsigned long iova, unsigned long last);
int iova_map_insert(struct maple_tree *mt, struct area *area);
void iova_map_erase(struct maple_tree *mt, const struct iova_range *range);
int iova_map_find_hole(struct maple_tree *mt, const struct iova_range *window,
		       const struct iova_hole *hole, unsigned long *iova);
bool iova_map_check(struct maple_tree *mt);

#endif
