// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maple tree of areas.
 */
#include <linux/align.h>
#include <linux/slab.h>

#include "iova_map.h"

/**
 * iova_map_init() - an empty map
 * @mt: the map
 * @lock: the caller's lock, held for writing by whoever changes the map
 */
void iova_map_init(struct maple_tree *mt, struct rw_semaphore *lock)
{
	mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(mt, lock);
}

/**
 * iova_map_exit() - free a map; areas are the caller's
 * @mt: the map
 *
 * Context: map lock held for writing.
 */
void iova_map_exit(struct maple_tree *mt)
{
	__mt_destroy(mt);
}

/**
 * iova_map_next() - the first area that touches a range
 * @mt: the map
 * @iova: first byte of the range
 * @last: its last byte
 *
 * Context: map lock held.
 * Return: the area or NULL.
 */
struct area *iova_map_next(struct maple_tree *mt, unsigned long iova, unsigned long last)
{
	MA_STATE(mas, mt, iova, iova);

	return mas_find(&mas, last);
}

/**
 * iova_map_insert() - add an area
 * @mt: the map
 * @area: the area; its iova says where
 *
 * Context: map lock held for writing; may sleep.
 * Return: 0, -EEXIST if another area is there, or -ENOMEM.
 */
int iova_map_insert(struct maple_tree *mt, struct area *area)
{
	MA_STATE(mas, mt, area->iova.start, area->iova.start);

	if (mas_find(&mas, area->iova.last))
		return -EEXIST;
	mas_set_range(&mas, area->iova.start, area->iova.last);
	return mas_store_gfp(&mas, area, GFP_KERNEL_ACCOUNT);
}

/**
 * iova_map_erase() - remove every area of a range
 * @mt: the map
 * @range: begins and ends where areas or holes do
 *
 * Context: map lock held for writing; may sleep. Cannot fail.
 */
void iova_map_erase(struct maple_tree *mt, const struct iova_range *range)
{
	MA_STATE(mas, mt, range->start, range->last);

	WARN_ON(mas_store_gfp(&mas, NULL, GFP_KERNEL | __GFP_NOFAIL));
}

/* The first place from lo on that satisfies the hole's alignment. */
static bool align_hole(const struct iova_hole *hole, const struct iova_range *window,
		       unsigned long lo, struct iova_range *out)
{
	unsigned long aligned;

	/* Round lo - skew up, in modular arithmetic; a wrap shows below. */
	aligned = ALIGN(lo - hole->skew, hole->align) + hole->skew;
	if (aligned < lo || aligned > window->last || window->last - aligned < hole->length - 1)
		return false;
	out->start = aligned;
	out->last = aligned + hole->length - 1;
	return true;
}

/**
 * iova_map_find_hole() - find free IOVAs
 * @mt: the map
 * @window: where to look
 * @hole: what is wanted
 * @iova: set to the lowest fit
 *
 * Context: map lock held.
 * Return: 0 or -ENOSPC.
 */
int iova_map_find_hole(struct maple_tree *mt, const struct iova_range *window,
		       const struct iova_hole *hole, unsigned long *iova)
{
	unsigned long lo = window->start;
	struct iova_range fit;
	struct area *area;

	/* The tree finds holes by length; where the aligned fit is taken, go on behind. */
	while (lo <= window->last && window->last - lo >= hole->length - 1) {
		MA_STATE(mas, mt, 0, 0);

		if (mas_empty_area(&mas, lo, window->last, hole->length))
			return -ENOSPC;
		if (!align_hole(hole, window, mas.index, &fit))
			return -ENOSPC;
		area = iova_map_next(mt, fit.start, fit.last);
		if (!area) {
			*iova = fit.start;
			return 0;
		}
		if (area->iova.last == ULONG_MAX)
			return -ENOSPC;
		lo = area->iova.last + 1;
	}
	return -ENOSPC;
}

/**
 * iova_map_check() - whether every area is where it says
 * @mt: the map
 *
 * Context: map lock held.
 * Return: false if one is not.
 */
bool iova_map_check(struct maple_tree *mt)
{
	MA_STATE(mas, mt, 0, 0);
	struct area *area;

	mas_for_each(&mas, area, ULONG_MAX)
		if (mas.index != area->iova.start || mas.last != area->iova.last)
			return false;
	return true;
}
