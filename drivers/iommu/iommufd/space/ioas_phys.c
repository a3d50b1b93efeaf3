// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical addresses, for a program that gives them to a device without an IOMMU.
 * Such a device is in no domain: from the first question on the IOAS itself has
 * pinned what is mapped, and what will be, so that an answer stays right until the
 * IOVA is unmapped.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>

#include "ioas.h"

/* Contiguous bytes of an area from an IOVA on, up to the last, and where they are. */
static unsigned long contiguous(const struct area *area, unsigned long iova, unsigned long last,
				phys_addr_t *phys)
{
	struct iova_range part = { .start = iova, .last = min(last, area->iova.last) };
	unsigned long skip = offset_in_page(area->offset + (iova - area->iova.start));
	unsigned long first, count, n, pfn = 0;
	struct pages_iter it;

	first = area_slice(area, &part, &count);
	guard(mutex)(&area->pages->lock);
	pages_iter_init(&it, area->pages, first, count);
	n = pages_iter_next(&it, &pfn);
	*phys = PFN_PHYS(pfn) + skip;
	return min((n << PAGE_SHIFT) - skip, range_length(&part));
}

/**
 * ioas_phys() - where an IOVA is in memory
 * @ioas: the IOAS
 * @range: the IOVA, and how much behind it is of interest
 * @phys: set to the address
 * @length: set to the bytes that are contiguous from there
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT if nothing is mapped there; or why pinning failed.
 */
int ioas_phys(struct ioas *ioas, const struct iova_range *range, phys_addr_t *phys,
	      unsigned long *length)
{
	unsigned long iova = range->start, n;
	struct area *area;
	phys_addr_t here;
	int rc;

	rc = ioas_pin_always(ioas);
	if (rc)
		return rc;
	*length = 0;
	guard(rwsem_read)(&ioas->map_rwsem);
	for (;;) {
		area = iova_map_next(&ioas->map, iova, iova);
		if (!area || area->state != AREA_READY || !area->pinned ||
		    pages_revocable(area->pages))
			break;
		n = contiguous(area, iova, range->last, &here);
		if (*length && here != *phys + *length)
			break;
		if (!*length)
			*phys = here;
		*length += n;
		iova += n - 1;
		if (iova == range->last || iova != area->iova.last)
			break;
		iova++;
	}
	return *length ? 0 : -ENOENT;
}
