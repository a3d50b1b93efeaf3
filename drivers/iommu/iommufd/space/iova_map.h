/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOVA -> area: a tree of areas by address, each of which knows the largest
 * hole below it in the tree. Nodes lie in the areas: adding and removing one
 * needs no memory, so that an unmap cannot fail for want of it. Knows of an area
 * only where it is; the caller's lock, ioas.map_rwsem, protects it.
 *
 * A maple tree would do the same; it takes seven times the instructions to
 * add or remove a page-sized area, which is most of what such a call costs.
 */
#ifndef __IOMMUFD_IOVA_MAP_H
#define __IOMMUFD_IOVA_MAP_H

#include <linux/rbtree.h>

#include "area.h"

/**
 * struct iova_map - areas by address
 * @root: the tree, augmented by area.max_hole
 */
struct iova_map {
	struct rb_root root;
};

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

void iova_map_init(struct iova_map *map);
struct area *iova_map_next(struct iova_map *map, unsigned long iova, unsigned long last);
int iova_map_insert(struct iova_map *map, struct area *area);
void iova_map_erase(struct iova_map *map, struct area *area);
int iova_map_find_hole(struct iova_map *map, const struct iova_range *window,
		       const struct iova_hole *hole, unsigned long *iova);
bool iova_map_check(struct iova_map *map);

static inline struct area *iova_map_after(struct area *area, unsigned long last)
{
	if (area->iova.last >= last)
		return NULL;
	area = rb_entry_safe(rb_next(&area->node), struct area, node);
	return area && area->iova.start <= last ? area : NULL;
}

/* Every area that touches a range, in order; none may be added or removed. */
#define iova_map_for_each(map, area, first, last)				\
	for (area = iova_map_next(map, first, last); area;			\
	     area = iova_map_after(area, last))

#endif
