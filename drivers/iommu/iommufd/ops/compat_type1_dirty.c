// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty pages as type1 has them: what a device can write to counts as written,
 * every time it is asked. Only for files that a VFIO group has as its container:
 * who chooses the IOAS knows the calls that ask the page tables.
 */
#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "../space/ioas.h"
#include "../tables/dirty.h"
#include "compat_type1.h"

/**
 * type1_copy_bitmap() - copy a caller's struct vfio_bitmap
 * @bitmap: set to it
 * @from: the user's
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
int type1_copy_bitmap(struct type1_bitmap *bitmap, const void __user *from)
{
	struct vfio_bitmap user;

	if (copy_from_user(&user, from, sizeof(user)))
		return -EFAULT;
	bitmap->page_size = user.pgsize;
	bitmap->size = user.size;
	bitmap->data = user.data;
	return 0;
}

/**
 * type1_check_bitmap() - whether the bits of a range are in a bitmap
 * @bitmap: the bitmap
 * @range: whole pages
 *
 * Return: 0; -EINVAL if it is too small or too large, or of other pages.
 */
int type1_check_bitmap(const struct type1_bitmap *bitmap, const struct iova_range *range)
{
	u64 pages = (range->last >> PAGE_SHIFT) - (range->start >> PAGE_SHIFT) + 1;

	if (bitmap->page_size != PAGE_SIZE || bitmap->size > TYPE1_BITMAP_MAX ||
	    bitmap->size < DIV_ROUND_UP_ULL(pages, BITS_PER_TYPE(u64)) * sizeof(u64) ||
	    !access_ok(bitmap->data, bitmap->size))
		return -EINVAL;
	return 0;
}

/* What is mapped of a part whose bits are pinned. */
static void report_window(struct ioas *ioas, const struct iova_range *part,
			  struct iova_bitmap *bits)
{
	unsigned long start;
	struct area *area;

	guard(rwsem_read)(&ioas->map_rwsem);
	iova_map_for_each(&ioas->map, area, part->start, part->last) {
		if (area->state == AREA_RESERVED)
			continue;
		start = max(area->iova.start, part->start);
		iova_bitmap_set(bits, start, min(area->iova.last, part->last) - start + 1);
	}
}

/* Cuts off a range what comes before the first that is mapped; false if nothing is. */
static bool skip_holes(struct ioas *ioas, struct iova_range *range)
{
	struct area *area;

	guard(rwsem_read)(&ioas->map_rwsem);
	iova_map_for_each(&ioas->map, area, range->start, range->last) {
		if (area->state == AREA_RESERVED)
			continue;
		range->start = max(area->iova.start, range->start);
		return true;
	}
	return false;
}

/* Whether both ends of a range are ends of areas, or in no area. */
static bool ends_fit(struct ioas *ioas, const struct iova_range *range)
{
	struct area *area;

	guard(rwsem_read)(&ioas->map_rwsem);
	area = iova_map_next(&ioas->map, range->start, range->start);
	if (area && area->iova.start != range->start)
		return false;
	area = iova_map_next(&ioas->map, range->last, range->last);
	return !area || area->iova.last == range->last;
}

/**
 * type1_report() - set the bits of pages that a device may have written to
 * @ioas: the IOAS
 * @range: whole pages
 * @bitmap: checked; other bits are left alone
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -EINVAL if an end of the range is inside of a mapping; -EFAULT;
 * -ENOMEM; -EINTR.
 */
int type1_report(struct ioas *ioas, const struct iova_range *range,
		 const struct type1_bitmap *bitmap)
{
	struct dirty_request req = { .range = *range, .shift = PAGE_SHIFT,
				     .data = (u8 __user *)bitmap->data };
	struct iova_range left = *range, part;
	struct iova_bitmap *bits;

	if (!ends_fit(ioas, range))
		return -EINVAL;
	while (skip_holes(ioas, &left)) {
		part = left;
		bits = dirty_window_open(&req, &part);
		if (IS_ERR(bits))
			return PTR_ERR(bits);
		report_window(ioas, &part, bits);
		iova_bitmap_free(bits);
		if (part.last == range->last)
			break;
		left.start = part.last + 1;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int set_logging(struct iommufd_ctx *ictx, bool on)
{
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ictx->objects);
	if (ictx->compat.ioas == &ioas->obj)
		ictx->compat.logging = on;
	xa_unlock(&ictx->objects);
	return 0;
}

static int get_bitmap(struct iommufd_ctx *ictx, const void __user *from, size_t size)
{
	struct vfio_iommu_type1_dirty_bitmap_get get;
	struct type1_bitmap bitmap;
	struct iova_range range;
	int rc;

	if (size < sizeof(get))
		return -EINVAL;
	if (copy_from_user(&get, from, sizeof(get)))
		return -EFAULT;
	rc = type1_copy_bitmap(&bitmap, from + offsetof(typeof(get), bitmap)) ?:
	     type1_range(&range, get.iova, get.size) ?: type1_check_bitmap(&bitmap, &range);
	if (rc)
		return rc;
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	return type1_state(ictx).logging ? type1_report(ioas, &range, &bitmap) : -EINVAL;
}

/**
 * type1_dirty_pages() - VFIO_IOMMU_DIRTY_PAGES
 * @ictx: the context
 * @arg: address of the user's struct vfio_iommu_type1_dirty_bitmap
 *
 * Context: may sleep.
 * Return: 0; -ENOTTY if no group has the file as its container; -EACCES in the
 * first version of type1; -ENODEV without an IOAS; -EINVAL; -EFAULT; -ENOMEM.
 */
int type1_dirty_pages(struct iommufd_ctx *ictx, unsigned long arg)
{
	struct vfio_iommu_type1_dirty_bitmap __user *user = (void __user *)arg;
	struct compat state = type1_state(ictx);
	struct vfio_iommu_type1_dirty_bitmap call;
	int rc;

	if (!state.grouped)
		return -ENOTTY;
	if (state.splits)
		return -EACCES;
	rc = type1_copy(&call, user, sizeof(call));
	if (rc)
		return rc;
	switch (call.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		return set_logging(ictx, true);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		return set_logging(ictx, false);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return get_bitmap(ictx, user->data, call.argsz - sizeof(call));
	default:
		return -EINVAL;
	}
}
