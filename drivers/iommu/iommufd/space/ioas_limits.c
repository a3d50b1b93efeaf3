// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may be used of an IOAS, checked against what is used.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "ioas.h"

/**
 * ioas_reserve() - take IOVAs out of use
 * @ioas: the IOAS
 * @range: the IOVAs
 * @owner: who needs it, for ioas_unreserve()
 *
 * Context: may sleep; takes map_rwsem.
 * Return: 0; -EADDRINUSE if they are mapped, or allowed by the user; -ENOMEM.
 */
int ioas_reserve(struct ioas *ioas, const struct iova_range *range, const void *owner)
{
	guard(rwsem_write)(&ioas->map_rwsem);
	if (iova_map_next(&ioas->map, range->start, range->last))
		return -EADDRINUSE;
	return iova_limits_reserve(&ioas->limits, range, owner);
}

/**
 * ioas_unreserve() - give back what an owner reserved
 * @ioas: the IOAS
 * @owner: the owner
 *
 * Context: may sleep; takes map_rwsem.
 */
void ioas_unreserve(struct ioas *ioas, const void *owner)
{
	guard(rwsem_write)(&ioas->map_rwsem);
	iova_limits_unreserve(&ioas->limits, owner);
}

/**
 * ioas_allow() - the ranges that the user promises to keep to
 * @ioas: the IOAS
 * @ranges: kmalloc()ed; taken over if the call succeeds
 * @nr: entries; 0 to allow everything
 *
 * Context: may sleep; takes map_rwsem.
 * Return: as iova_limits_allow().
 */
int ioas_allow(struct ioas *ioas, struct iova_range *ranges, u32 nr)
{
	guard(rwsem_write)(&ioas->map_rwsem);
	return iova_limits_allow(&ioas->limits, ranges, nr);
}

static unsigned long needed_align(struct ioas *ioas, bool large)
{
	unsigned long align = large ? 1 : PAGE_SIZE;
	struct ioas_member *member;
	struct ioas_access *acc;

	list_for_each_entry(member, &ioas->members, node)
		align = max(align, 1UL << __ffs(member->domain->pgsize_bitmap));
	list_for_each_entry(acc, &ioas->accesses, node)
		align = max(align, acc->align);
	return align;
}

static bool areas_aligned(struct ioas *ioas, unsigned long align)
{
	struct area *area;

	iova_map_for_each(&ioas->map, area, 0, ULONG_MAX)
		if ((area->iova.start | range_length(&area->iova) |
		     offset_in_page(area->offset)) & (align - 1))
			return false;
	return true;
}

/**
 * ioas_raise_align() - ask for an alignment, of what is mapped and will be
 * @ioas: the IOAS
 * @align: power of two
 *
 * Context: may sleep; takes map_rwsem.
 * Return: 0, or -EADDRINUSE if an area is not aligned so.
 */
int ioas_raise_align(struct ioas *ioas, unsigned long align)
{
	guard(rwsem_write)(&ioas->map_rwsem);
	if (align <= ioas->align)
		return 0;
	if (!areas_aligned(ioas, align))
		return -EADDRINUSE;
	ioas->align = align;
	return 0;
}

/**
 * ioas_refresh_align() - forget alignments that nobody needs any more
 * @ioas: the IOAS
 *
 * Context: may sleep; takes the locks of the IOAS.
 */
void ioas_refresh_align(struct ioas *ioas)
{
	guard(rwsem_read)(&ioas->access_rwsem);
	guard(rwsem_read)(&ioas->members_lock);
	guard(rwsem_write)(&ioas->map_rwsem);
	ioas->align = needed_align(ioas, ioas->large);
}

/**
 * ioas_set_large() - IOMMU_OPTION_HUGE_PAGES
 * @ioas: the IOAS
 * @large: contiguous memory may use large IOMMU pages
 *
 * Context: may sleep; takes the locks of the IOAS.
 * Return: 0; -EINVAL if areas are in a domain already; -EADDRINUSE if one is
 * not aligned to pages.
 */
int ioas_set_large(struct ioas *ioas, bool large)
{
	guard(rwsem_read)(&ioas->access_rwsem);
	guard(rwsem_write)(&ioas->members_lock);
	guard(rwsem_write)(&ioas->map_rwsem);
	if (large == ioas->large)
		return 0;
	if (!large && ioas->pinners && iova_map_next(&ioas->map, 0, ULONG_MAX))
		return -EINVAL;
	if (!large && !areas_aligned(ioas, PAGE_SIZE))
		return -EADDRINUSE;
	ioas->large = large;
	ioas->align = needed_align(ioas, large);
	return 0;
}

/**
 * ioas_usable() - which IOVAs may be used
 * @ioas: the IOAS
 * @nr: set to the number of ranges
 * @align: set to the alignment of what is mapped
 *
 * A copy, so that user memory can be written with no lock held.
 *
 * Context: may sleep; takes map_rwsem.
 * Return: the ranges, to be freed by the caller, or NULL when memory is short or
 * there is none.
 */
struct iova_range *ioas_usable(struct ioas *ioas, u32 *nr, unsigned long *align)
{
	guard(rwsem_read)(&ioas->map_rwsem);
	*nr = ioas->limits.nr_usable;
	*align = ioas->align;
	return kmemdup_array(ioas->limits.usable, *nr, sizeof(struct iova_range), GFP_KERNEL);
}

/**
 * ioas_page_sizes() - the page sizes that all domains of an IOAS have
 * @ioas: the IOAS
 *
 * Context: may sleep; takes members_lock.
 * Return: a bit per size; all sizes if there is no domain.
 */
unsigned long ioas_page_sizes(struct ioas *ioas)
{
	unsigned long sizes = ULONG_MAX;
	struct ioas_member *member;

	guard(rwsem_read)(&ioas->members_lock);
	list_for_each_entry(member, &ioas->members, node)
		sizes &= member->domain->pgsize_bitmap;
	return sizes;
}
