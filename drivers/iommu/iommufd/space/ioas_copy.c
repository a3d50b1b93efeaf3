// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copy: the memory behind a range of one IOAS, mapped once more. The pages
 * objects are shared, so that memory pinned by both is pinned once.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../trace.h"
#include "ioas.h"
#include "ioas_areas.h"

/* New areas for the memory of a range, which has no hole. */
static int clone_range(struct ioas *src, const struct iova_range *from, unsigned int prot,
		       struct list_head *areas)
{
	unsigned long next = from->start, last;
	struct area *area, *new;

	guard(rwsem_read)(&src->map_rwsem);
	do {
		area = iova_map_next(&src->map, next, from->last);
		if (!area || area->iova.start > next || area->state != AREA_READY)
			return -ENOENT;
		if ((prot & IOMMU_IOAS_MAP_WRITEABLE) && !area->pages->writable)
			return -EPERM;
		last = min(area->iova.last, from->last);
		new = area_new(area->pages, area->offset + (next - area->iova.start),
			       last - next + 1, prot);
		if (!new)
			return -ENOMEM;
		list_add_tail(&new->link, areas);
		next = last + 1;
	} while (last < from->last);
	return 0;
}

/**
 * ioas_copy() - map what another IOAS has mapped
 * @dst: gets the mapping
 * @src: has it; may be the same
 * @from: range of @src
 * @args: prot, fixed and iova; the latter is filled in unless it is fixed
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT if the source has a hole; -EPERM for writing to memory that
 * was mapped without; or as ioas_insert().
 */
int ioas_copy(struct ioas *dst, struct ioas *src, const struct iova_range *from,
	      struct ioas_map_args *args)
{
	struct iova_range range = {
		.start = args->iova,
		.last = args->iova + range_length(from) - 1,
	};
	LIST_HEAD(areas);
	int rc;

	rc = clone_range(src, from, args->prot, &areas);
	if (rc)
		areas_free(&areas);
	else
		rc = ioas_insert(dst, &areas, &range, args->fixed);
	args->iova = range.start;
	trace_iommufd_copy(src->obj.id, from->start, dst->obj.id, range.start,
			   range_length(from), args->prot, rc);
	return rc;
}
