// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking of a page table: on, off, and its bitmap. Knows areas, the
 * pages of a domain, and the base's iova_bitmap, into which IOMMU drivers write.
 *
 * The work is that of what is mapped, not of the range asked for: it goes in
 * steps from area to area, each with a window of the bitmap that lies in one
 * page of user memory: a page over nothing that is mapped is not touched. A step
 * is planned with ioas.map_rwsem held. Then the window is pinned with no lock
 * held, since that may wait for user space; then the step is planned once more,
 * and done only if nothing has changed.
 *
 * No driver is asked for a part of an IOMMU page: it would write bits outside of
 * the window, or lose its way among pages of several sizes. A page that is
 * larger than a window, or lies only partly in the range, is a step of its own:
 * the driver only says whether it is dirty. One that lies partly outside stays
 * dirty, since nobody has been told about the rest of it.
 */
#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "../domain/core.h"
#include "../domain/domain_map.h"
#include "dirty.h"

/* iova_bitmap_set() and the like */
MODULE_IMPORT_NS(IOMMUFD);

/* A driver walks so much with no chance to be rescheduled. */
#define STEP_MAX BIT(30)

/**
 * struct dirty_walk - a walk of what is mapped
 * @hwpt: the page table
 * @req: what is wanted
 * @gather: what caches have to forget, so that the next write is seen
 */
struct dirty_walk {
	struct hwpt *hwpt;
	const struct dirty_request *req;
	struct iommu_iotlb_gather gather;
};

/**
 * struct dirty_step - a part of the walk
 * @walk: the walk
 * @from: where it was planned
 * @part: what of the range it is
 * @single: @part is in one IOMMU page, and not asked of the driver as it is
 * @page: that page
 */
struct dirty_step {
	struct dirty_walk *walk;
	unsigned long from;
	struct iova_range part;
	bool single;
	struct iova_range page;
};

static struct area *next_loaded(struct ioas *ioas, const struct iova_range *range)
{
	struct area *area;

	lockdep_assert_held(&ioas->map_rwsem);
	iova_map_for_each(&ioas->map, area, range->start, range->last)
		if (area->state != AREA_RESERVED && area->pinned)
			return area;
	return NULL;
}

/*
 * Of an area from before large pages were allowed it may say more than there is:
 * such pages are then taken for one.
 */
static struct iova_range page_at(struct hwpt *hwpt, const struct area *area, unsigned long iova)
{
	unsigned long sizes = hwpt->member.domain->pgsize_bitmap;

	if (!hwpt->ioas->large)
		sizes &= PAGE_SIZE | (PAGE_SIZE - 1);
	return domain_page_at(sizes, area->pages, &area->iova, area->offset, iova);
}

/* The byte of the bitmap that has the bit of an IOVA. */
static unsigned long byte_of(const struct dirty_request *req, unsigned long iova)
{
	return (iova - req->range.start) >> req->shift >> 3;
}

static unsigned long iova_of_byte(const struct dirty_request *req, unsigned long byte)
{
	return req->range.start + (byte << 3 << req->shift);
}

/* The last IOVA of the window that an IOVA is in. */
static unsigned long window_last(const struct dirty_request *req, unsigned long start)
{
	unsigned long byte = byte_of(req, start), most = STEP_MAX, left;

	left = PAGE_SIZE - offset_in_page((unsigned long)req->data + byte);
	if (left * BITS_PER_BYTE <= STEP_MAX >> req->shift)
		most = iova_of_byte(req, byte + left) - start;
	return req->range.last - start < most ? req->range.last : start + (most - 1);
}

/* Plan the step at or behind an IOVA; false if nothing is mapped there any more. */
static bool plan(struct dirty_step *step)
{
	const struct dirty_request *req = step->walk->req;
	struct iova_range left = { .start = step->from, .last = req->range.last };
	struct hwpt *hwpt = step->walk->hwpt;
	struct area *area = next_loaded(hwpt->ioas, &left);
	struct iova_range *part = &step->part;

	if (!area)
		return false;
	part->start = max(step->from, area->iova.start);
	part->last = window_last(req, part->start);
	step->page = page_at(hwpt, area, part->start);
	step->single = step->page.start < part->start || step->page.last > part->last;
	if (step->single) {
		part->last = min(step->page.last, req->range.last);
		return true;
	}
	left.start = part->last;
	left.last = part->last;
	area = next_loaded(hwpt->ioas, &left);
	if (area) {
		struct iova_range end = page_at(hwpt, area, part->last);

		if (end.last > part->last)
			part->last = end.start - 1;
	}
	return true;
}

/* Whether a step is what it was when it was planned. */
static bool still_planned(const struct dirty_step *step)
{
	struct dirty_step now = { .walk = step->walk, .from = step->from };

	return plan(&now) && now.single == step->single &&
	       now.part.start == step->part.start && now.part.last == step->part.last &&
	       now.page.start == step->page.start && now.page.last == step->page.last;
}

static int ask(struct hwpt *hwpt, const struct iova_range *range, bool keep,
	       struct iommu_dirty_bitmap *dirty)
{
	return core_read_dirty(hwpt->member.domain, range->start, range_length(range),
			       keep ? IOMMU_DIRTY_NO_CLEAR : 0, dirty);
}

/* Of all areas in a step; with map_rwsem held since it was planned. */
static int read_areas(const struct dirty_step *step, struct iova_bitmap *bitmap)
{
	struct dirty_walk *walk = step->walk;
	struct iommu_dirty_bitmap dirty = { .bitmap = bitmap, .gather = &walk->gather };
	struct ioas *ioas = walk->hwpt->ioas;
	struct iova_range left = step->part;
	struct area *area;
	int rc;

	while ((area = next_loaded(ioas, &left))) {
		struct iova_range here = {
			.start = max(left.start, area->iova.start),
			.last = min(left.last, area->iova.last),
		};

		rc = ask(walk->hwpt, &here, walk->req->keep, &dirty);
		if (rc || here.last == left.last)
			return rc;
		left.start = here.last + 1;
	}
	return 0;
}

static int read_window(const struct dirty_step *step, struct iova_bitmap *bits)
{
	guard(rwsem_read)(&step->walk->hwpt->ioas->map_rwsem);
	return still_planned(step) ? read_areas(step, bits) : -EAGAIN;
}

/**
 * dirty_window_open() - pin the bits of a part of a range
 * @req: the range and the bitmap
 * @part: the part; it is cut to what has its bits in one page
 *
 * Setting bits of @part waits for nobody then, and can be done with locks held.
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: the bits, for iova_bitmap_free(); ERR_PTR(-EFAULT) if they cannot be
 * written to; ERR_PTR(-ENOMEM).
 */
struct iova_bitmap *dirty_window_open(const struct dirty_request *req, struct iova_range *part)
{
	unsigned long byte = byte_of(req, part->start), base = iova_of_byte(req, byte);
	struct iova_bitmap *bits;
	int rc;

	part->last = min(part->last, window_last(req, part->start));
	bits = iova_bitmap_alloc(base, part->last - base + 1, 1UL << req->shift,
				 (u64 __user *)(req->data + byte));
	if (IS_ERR(bits))
		return bits;
	rc = iova_bitmap_pin(bits);
	if (!rc)
		return bits;
	iova_bitmap_free(bits);
	return ERR_PTR(rc);
}

static int step_areas(struct dirty_step *step)
{
	struct iova_bitmap *bits = dirty_window_open(step->walk->req, &step->part);
	int rc;

	if (IS_ERR(bits))
		return PTR_ERR(bits);
	rc = read_window(step, bits);
	iova_bitmap_free(bits);
	return rc;
}

/* Set all bits of a part that may be larger than a window. */
static int set_part(const struct dirty_request *req, const struct iova_range *part)
{
	struct iova_range here = *part;
	struct iova_bitmap *bits;

	for (;;) {
		bits = dirty_window_open(req, &here);
		if (IS_ERR(bits))
			return PTR_ERR(bits);
		iova_bitmap_set(bits, here.start, range_length(&here));
		iova_bitmap_free(bits);
		if (here.last == part->last)
			return 0;
		here.start = here.last + 1;
		here.last = part->last;
		cond_resched();
	}
}

/* Whether the page of a step is dirty; records it in gather, and clears it unless told to keep. */
static int read_page(const struct dirty_step *step, bool keep, struct iommu_iotlb_gather *gather)
{
	struct iommu_dirty_bitmap dirty = { .gather = gather };
	struct hwpt *hwpt = step->walk->hwpt;

	guard(rwsem_read)(&hwpt->ioas->map_rwsem);
	return still_planned(step) ? ask(hwpt, &step->page, keep, &dirty) : -EAGAIN;
}

static bool gathered(const struct iommu_iotlb_gather *gather)
{
	return gather->start <= gather->end;
}

/* Bits first, so that nothing is cleared that user space has not been told of. */
static int step_page(struct dirty_step *step)
{
	const struct dirty_request *req = step->walk->req;
	struct iommu_iotlb_gather found;
	int rc;

	iommu_iotlb_gather_init(&found);
	rc = read_page(step, true, &found);
	if (rc || !gathered(&found))
		return rc;
	rc = set_part(req, &step->part);
	if (rc || req->keep || step->part.start != step->page.start ||
	    step->part.last != step->page.last)
		return rc;
	return read_page(step, false, &step->walk->gather);
}

/* Before user space can look, so that what is written from now on is dirty again. */
static void flush(struct dirty_walk *walk)
{
	/* Drivers take an empty gather for the whole address space, or worse. */
	if (!walk->req->keep && gathered(&walk->gather))
		iommu_iotlb_sync(walk->hwpt->member.domain, &walk->gather);
}

static bool plan_unlocked(struct dirty_step *step)
{
	guard(rwsem_read)(&step->walk->hwpt->ioas->map_rwsem);
	return plan(step);
}

/**
 * dirty_read() - set the bits of what has been written to
 * @hwpt: the page table
 * @req: the range and the bitmap
 *
 * Upon an error, a part of the bitmap has its bits, and is clean if it was to be.
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -EINVAL if tracking is off; -EFAULT if the bitmap cannot be written
 * to; -ENOMEM, -EINTR, or what the IOMMU driver says.
 */
int dirty_read(struct hwpt *hwpt, const struct dirty_request *req)
{
	struct dirty_walk walk = { .hwpt = hwpt, .req = req };
	struct dirty_step step = { .walk = &walk, .from = req->range.start };
	int rc = 0;

	if (!READ_ONCE(hwpt->tracking))
		return -EINVAL;
	iommu_iotlb_gather_init(&walk.gather);
	while (!rc && plan_unlocked(&step)) {
		rc = step.single ? step_page(&step) : step_areas(&step);
		if (fatal_signal_pending(current))
			rc = -EINTR;
		if (rc == -EAGAIN) {
			rc = 0;
			continue;
		}
		if (step.part.last == req->range.last)
			break;
		step.from = step.part.last + 1;
		cond_resched();
	}
	flush(&walk);
	return rc;
}

/* With members_lock held for writing: nothing is mapped meanwhile. */
static int clear_all(struct hwpt *hwpt)
{
	const struct dirty_request all = {
		.range.last = ULONG_MAX,
		.shift = PAGE_SHIFT,
	};
	struct dirty_walk walk = { .hwpt = hwpt, .req = &all };
	struct dirty_step step = { .walk = &walk };
	struct iommu_dirty_bitmap dirty = { .gather = &walk.gather };
	int rc = 0;

	iommu_iotlb_gather_init(&walk.gather);
	down_read(&hwpt->ioas->map_rwsem);
	while (!rc && plan(&step)) {
		rc = step.single ? ask(hwpt, &step.page, false, &dirty) : read_areas(&step, NULL);
		if (step.part.last == ULONG_MAX)
			break;
		step.from = step.part.last + 1;
		cond_resched();
	}
	up_read(&hwpt->ioas->map_rwsem);
	flush(&walk);
	return rc;
}

/**
 * dirty_set_tracking() - begin to remember what is written to, or stop
 * @hwpt: the page table
 * @on: begin, with everything clean
 *
 * Context: may sleep; takes the locks of the IOAS.
 * Return: 0; -EOPNOTSUPP if it was not made for it; what the IOMMU driver says.
 */
int dirty_set_tracking(struct hwpt *hwpt, bool on)
{
	struct iommu_domain *domain = hwpt->member.domain;
	int rc = 0;

	if (!core_tracks_dirty(domain))
		return -EOPNOTSUPP;
	guard(rwsem_write)(&hwpt->ioas->members_lock);
	/* What was written before it was off is of no use to anybody. */
	if (on)
		rc = clear_all(hwpt);
	if (!rc)
		rc = core_set_dirty_tracking(domain, on);
	if (!rc)
		WRITE_ONCE(hwpt->tracking, on);
	return rc;
}
