// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel users of the memory of an IOAS: pin, unpin, copy, and revocation
 * before an unmap.
 *
 * A user pins with no lock held and then counts itself on the area, if that is
 * still there: an unmap never waits for it, and never misses it.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "../memory/loan.h"
#include "ioas.h"
#include "ioas_areas.h"

/**
 * ioas_access_add() - an in-kernel user joins
 * @ioas: the IOAS
 * @acc: the user, with its alignment and callback
 *
 * Context: may sleep; takes the locks of the IOAS.
 * Return: 0, or -EADDRINUSE if an area is aligned too little for it.
 */
int ioas_access_add(struct ioas *ioas, struct ioas_access *acc)
{
	int rc;

	guard(rwsem_write)(&ioas->access_rwsem);
	rc = ioas_raise_align(ioas, acc->align);
	if (rc)
		return rc;
	list_add_tail(&acc->node, &ioas->accesses);
	guard(rwsem_write)(&ioas->map_rwsem);
	ioas->nr_accesses++;
	return 0;
}

/**
 * ioas_access_stop() - an in-kernel user pins and copies nothing more
 * @ioas: the IOAS
 * @acc: the user; until it is removed an unmap still asks it to let go
 *
 * Context: may sleep; takes map_rwsem.
 */
void ioas_access_stop(struct ioas *ioas, struct ioas_access *acc)
{
	guard(rwsem_write)(&ioas->map_rwsem);
	acc->gone = true;
}

/**
 * ioas_access_remove() - an in-kernel user leaves
 * @ioas: the IOAS
 * @acc: the user, which has nothing pinned
 *
 * Context: may sleep; takes the locks of the IOAS.
 */
void ioas_access_remove(struct ioas *ioas, struct ioas_access *acc)
{
	down_write(&ioas->access_rwsem);
	list_del(&acc->node);
	down_write(&ioas->map_rwsem);
	acc->gone = true;
	ioas->nr_accesses--;
	up_write(&ioas->map_rwsem);
	up_write(&ioas->access_rwsem);
	ioas_refresh_align(ioas);
}

/**
 * ioas_access_revoke() - tell in-kernel users that IOVAs go away
 * @ioas: the IOAS
 * @range: the IOVAs
 *
 * Context: access_rwsem held for reading, nothing else; may sleep.
 */
void ioas_access_revoke(struct ioas *ioas, const struct iova_range *range)
{
	struct ioas_access *acc;

	lockdep_assert_held_read(&ioas->access_rwsem);
	list_for_each_entry(acc, &ioas->accesses, node)
		if (acc->unmap)
			acc->unmap(acc, range);
}

/**
 * struct part - a part of one area, on its way to be used
 * @area: the area, to be compared with, not followed
 * @pages: its memory; holds a reference
 * @range: the IOVAs
 * @offset: byte of @pages at their start
 * @first: first page
 * @count: pages
 */
struct part {
	struct area *area;
	struct pages *pages;
	struct iova_range range;
	unsigned long offset;
	unsigned long first;
	unsigned long count;
};

/* The part of a range that the area at its start has. */
static int get_part(struct ioas *ioas, const struct iova_range *range, int prot, struct part *part)
{
	struct area *area;

	guard(rwsem_read)(&ioas->map_rwsem);
	area = iova_map_next(&ioas->map, range->start, range->start);
	if (!area || area->state != AREA_READY)
		return -ENOENT;
	if ((area->prot & prot) != prot)
		return -EPERM;
	/* There may be no struct page, and nothing that keeps it from being revoked. */
	if (pages_revocable(area->pages))
		return -EINVAL;
	part->area = area;
	part->pages = pages_hold(area->pages);
	part->range.start = range->start;
	part->range.last = min(range->last, area->iova.last);
	part->offset = area->offset + (range->start - area->iova.start);
	part->first = area_slice(area, &part->range, &part->count);
	return 0;
}

/*
 * The area that a part is of, if that has not changed and the user has not left.
 * What the user does under map_rwsem, an unmap comes after.
 */
static struct area *recheck(struct ioas *ioas, const struct ioas_access *acc,
			    const struct part *part)
{
	unsigned long count;
	struct area *area;

	lockdep_assert_held(&ioas->map_rwsem);
	area = iova_map_next(&ioas->map, part->range.start, part->range.start);
	if (!area || area != part->area || area->state != AREA_READY || acc->gone ||
	    area->pages != part->pages || part->range.last > area->iova.last ||
	    area->offset + (part->range.start - area->iova.start) != part->offset ||
	    area_slice(area, &part->range, &count) != part->first)
		return NULL;
	return area;
}

static void fill_pages(const struct part *part, struct page **out)
{
	unsigned long pfn, n;
	struct pages_iter it;

	guard(mutex)(&part->pages->lock);
	pages_iter_init(&it, part->pages, part->first, part->count);
	while ((n = pages_iter_next(&it, &pfn)))
		while (n--)
			*out++ = pfn_to_page(pfn++);
}

static int pin_part(struct ioas *ioas, const struct ioas_access *acc, const struct part *part,
		    struct page **out)
{
	struct area *area;
	int rc;

	rc = pages_pin(part->pages, part->first, part->count);
	if (rc)
		return rc;
	fill_pages(part, out);
	scoped_guard(rwsem_read, &ioas->map_rwsem) {
		area = recheck(ioas, acc, part);
		if (area) {
			atomic_long_add(part->count, &area->access_pages);
			return 0;
		}
	}
	pages_release(part->pages, part->first, part->count);
	return -ENOENT;
}

/**
 * ioas_pin() - pin the pages of a range for an in-kernel user
 * @ioas: the IOAS
 * @acc: the user, which has joined
 * @range: page-aligned IOVAs, mapped without a hole
 * @write: for writing
 * @out: set to the pages, one per PAGE_SIZE
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT for a hole, also one that has just been made; -EPERM; -EINVAL
 * for what is not memory; or why pinning failed. Nothing stays pinned then.
 */
int ioas_pin(struct ioas *ioas, const struct ioas_access *acc, const struct iova_range *range,
	     bool write, struct page **out)
{
	struct iova_range left = *range;
	struct part part;
	int rc;

	for (;;) {
		rc = get_part(ioas, &left, write ? IOMMU_WRITE : 0, &part);
		if (rc)
			break;
		rc = pin_part(ioas, acc, &part, out);
		pages_put(part.pages);
		if (rc)
			break;
		if (part.range.last == range->last)
			return 0;
		out += part.count;
		left.start = part.range.last + 1;
	}
	if (left.start != range->start) {
		left.last = left.start - 1;
		left.start = range->start;
		ioas_unpin(ioas, &left);
	}
	return rc;
}

/**
 * ioas_unpin() - take back ioas_pin(), or a part of it
 * @ioas: the IOAS
 * @range: page-aligned IOVAs, all pinned by the caller
 *
 * Context: may sleep.
 */
void ioas_unpin(struct ioas *ioas, const struct iova_range *range)
{
	struct iova_range part = *range;
	unsigned long first, count;
	struct area *area;

	for (;;) {
		/* What is pinned is not unmapped: the area is there, and stays. */
		scoped_guard(rwsem_read, &ioas->map_rwsem)
			area = iova_map_next(&ioas->map, part.start, part.start);
		if (WARN_ON(!area))
			return;
		part.last = min(range->last, area->iova.last);
		first = area_slice(area, &part, &count);
		pages_release(area->pages, first, count);
		if (WARN_ON(atomic_long_sub_return(count, &area->access_pages) < 0))
			return;
		if (part.last == range->last)
			return;
		part.start = part.last + 1;
	}
}

/* Copies as much as a loan holds; returns how much, or -errno. */
static ssize_t rw_part(struct ioas *ioas, const struct ioas_access *acc, const struct part *part,
		       void *data, bool write)
{
	struct loan loan;
	ssize_t n;

	n = loan_borrow(part->pages, part->offset, range_length(&part->range), &loan);
	if (n < 0)
		return n;
	scoped_guard(rwsem_read, &ioas->map_rwsem) {
		if (recheck(ioas, acc, part))
			loan_copy(&loan, data, write);
		else
			n = -ENOENT;
	}
	loan_return(&loan, write && n > 0);
	return n;
}

/**
 * ioas_rw() - copy bytes to or from a range
 * @ioas: the IOAS
 * @acc: the user, which has joined
 * @range: IOVAs, mapped without a hole
 * @data: kernel memory
 * @write: to the range
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT for a hole; -EPERM; -EINVAL for what is not memory; -EFAULT. A
 * part may have been copied.
 */
int ioas_rw(struct ioas *ioas, const struct ioas_access *acc, const struct iova_range *range,
	    void *data, bool write)
{
	struct iova_range left = *range;
	struct part part;
	ssize_t n;
	int rc;

	for (;;) {
		rc = get_part(ioas, &left, write ? IOMMU_WRITE : IOMMU_READ, &part);
		if (rc)
			return rc;
		n = rw_part(ioas, acc, &part, data, write);
		pages_put(part.pages);
		if (n < 0)
			return n;
		if (left.start + (n - 1) == range->last)
			return 0;
		data += n;
		left.start += n;
	}
}
