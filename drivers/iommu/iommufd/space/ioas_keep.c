// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that hardware reads at physical addresses, without the IOMMU's tables in
 * between: it stays pinned and mapped as long as it is kept. Nobody is asked to
 * let go of it; an unmap is refused.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "ioas.h"
#include "ioas_areas.h"

/**
 * struct kept - a part of a range that one area has
 * @area: the area
 * @iova: the part
 */
struct kept {
	struct area *area;
	struct iova_range iova;
};

/* The part at the start of a range; false at a hole. */
static bool part_at(struct ioas *ioas, const struct iova_range *range, struct kept *part)
{
	struct area *area;

	lockdep_assert_held(&ioas->map_rwsem);
	area = iova_map_next(&ioas->map, range->start, range->start);
	if (!area)
		return false;
	part->area = area;
	part->iova.start = range->start;
	part->iova.last = min(range->last, area->iova.last);
	return true;
}

/* Walks a kept range, whose areas stay; starts with a part of zeroes. */
static bool next_kept(struct ioas *ioas, const struct iova_range *range, struct kept *part)
{
	struct iova_range left = *range;

	if (part->area) {
		if (part->iova.last == range->last)
			return false;
		left.start = part->iova.last + 1;
	}
	guard(rwsem_read)(&ioas->map_rwsem);
	return !WARN_ON(!part_at(ioas, &left, part));
}

static void drop(struct ioas *ioas, const struct iova_range *range)
{
	struct kept part = {};

	while (next_kept(ioas, range, &part))
		atomic_dec(&part.area->keepers);
}

/* With the areas before the one it fails at, if it fails. */
static int hold(struct ioas *ioas, const struct iova_range *range, struct iova_range *held)
{
	struct kept part;

	*held = *range;
	guard(rwsem_read)(&ioas->map_rwsem);
	for (;;) {
		struct iova_range left = { held->start, range->last };

		if (!part_at(ioas, &left, &part) || part.area->state != AREA_READY)
			return -ENOENT;
		if (!(part.area->prot & IOMMU_READ))
			return -EPERM;
		/* There is nobody who would stop the hardware before a revocation. */
		if (pages_revocable(part.area->pages))
			return -EINVAL;
		atomic_inc(&part.area->keepers);
		if (part.iova.last == range->last)
			return 0;
		held->start = part.iova.last + 1;
	}
}

static bool contiguous(const struct kept *part, phys_addr_t *phys)
{
	unsigned long first, count, pfn, n, offset;
	struct pages *pages = part->area->pages;
	struct pages_iter it;

	offset = offset_in_page(part->area->offset + (part->iova.start - part->area->iova.start));
	first = area_slice(part->area, &part->iova, &count);
	guard(mutex)(&pages->lock);
	pages_iter_init(&it, pages, first, count);
	n = pages_iter_next(&it, &pfn);
	*phys = PFN_PHYS(pfn) + offset;
	return n == count;
}

static void unpin(struct ioas *ioas, const struct iova_range *range)
{
	unsigned long first, count;
	struct kept part = {};

	while (next_kept(ioas, range, &part)) {
		first = area_slice(part.area, &part.iova, &count);
		pages_release(part.area->pages, first, count);
	}
}

/* One part, which has to lie where the one before it ends, if there is one. */
static int pin_part(const struct kept *part, phys_addr_t expected, phys_addr_t *phys)
{
	struct pages *pages = part->area->pages;
	unsigned long first, count;
	int rc;

	first = area_slice(part->area, &part->iova, &count);
	rc = pages_pin(pages, first, count);
	if (rc)
		return rc;
	if (contiguous(part, phys) && (!expected || *phys == expected))
		return 0;
	pages_release(pages, first, count);
	return -EINVAL;
}

static int pin(struct ioas *ioas, const struct iova_range *range, phys_addr_t *phys)
{
	phys_addr_t at, expected = 0;
	struct kept part = {};
	int rc;

	while (next_kept(ioas, range, &part)) {
		rc = pin_part(&part, expected, &at);
		if (rc) {
			if (part.iova.start != range->start) {
				struct iova_range done = { range->start, part.iova.start - 1 };

				unpin(ioas, &done);
			}
			return rc;
		}
		if (!expected)
			*phys = at;
		expected = at + range_length(&part.iova);
	}
	return 0;
}

/**
 * ioas_keep() - have memory stay where it is
 * @ioas: the IOAS
 * @range: the IOVAs, mapped for reading without a hole
 * @phys: set to the physical address of the first byte
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT for a hole; -EPERM; -EINVAL if it is not contiguous, or no
 * memory; or why pinning failed.
 */
int ioas_keep(struct ioas *ioas, const struct iova_range *range, phys_addr_t *phys)
{
	struct iova_range held;
	int rc;

	rc = hold(ioas, range, &held);
	if (rc) {
		if (held.start != range->start) {
			held.last = held.start - 1;
			held.start = range->start;
			drop(ioas, &held);
		}
		return rc;
	}
	rc = pin(ioas, range, phys);
	if (rc)
		drop(ioas, range);
	return rc;
}

/**
 * ioas_unkeep() - take back ioas_keep()
 * @ioas: the IOAS
 * @range: the same range
 *
 * Context: may sleep.
 */
void ioas_unkeep(struct ioas *ioas, const struct iova_range *range)
{
	unpin(ioas, range);
	drop(ioas, range);
}
