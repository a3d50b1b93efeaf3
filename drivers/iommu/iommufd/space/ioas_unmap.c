// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmap: mark retiring and ask in-kernel users to let go | unload every member
 * and flush | erase | unpin. Nothing can fail once a member has changed, and
 * memory is unpinned only when no device reaches it any more.
 *
 * An area that is only partly inside can be split in two. That is done where
 * nothing can fail any more either: who wants it brings the areas along.
 */
#include <linux/delay.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "../trace.h"
#include "ioas.h"
#include "ioas_areas.h"

#define REVOKE_TRIES 100

/* A range has two ends. */
#define UNMAP_SPARE 2

/**
 * struct unmap_call - an unmap on its way
 * @ioas: the IOAS
 * @range: the IOVAs
 * @areas: what is unmapped
 * @cut: one of them is only partly inside
 * @bytes: how much has been unmapped
 * @spare: memory of areas to split with; NULL: areas are whole or not touched
 */
struct unmap_call {
	struct ioas *ioas;
	const struct iova_range *range;
	struct list_head areas;
	bool cut;
	unsigned long bytes;
	struct area *spare[UNMAP_SPARE];
};

static bool may_split(const struct unmap_call *call)
{
	/* Large entries of a page table could not be split. */
	return call->spare[0] && !call->ioas->large;
}

/*
 * Collect the areas of a range; those not published yet are not there.
 */
static int collect(struct unmap_call *call)
{
	const struct iova_range *range = call->range;
	struct area *area;

	lockdep_assert_held_write(&call->ioas->map_rwsem);
	iova_map_for_each(&call->ioas->map, area, range->start, range->last) {
		if (area->state == AREA_RESERVED)
			continue;
		if (area->state != AREA_READY || atomic_read(&area->keepers))
			return -EBUSY;
		if (area->iova.start < range->start || area->iova.last > range->last) {
			/* What is revoked is revoked whole. */
			if (!may_split(call) || area->watch)
				return -ENOENT;
			call->cut = true;
		}
		list_add_tail(&area->link, &call->areas);
	}
	return 0;
}

/* Cut an area in two; what is behind the cut comes out. Nothing of it is accessed. */
static struct area *split(struct ioas *ioas, struct area *area, struct area *tail,
			  unsigned long at)
{
	lockdep_assert_held_write(&ioas->map_rwsem);
	tail->iova.start = at;
	tail->iova.last = area->iova.last;
	tail->offset = area->offset + (at - area->iova.start);
	tail->pages = pages_hold(area->pages);
	tail->prot = area->prot;
	tail->state = area->state;
	tail->pinned = area->pinned;
	tail->revoked = false;
	tail->watch = NULL;
	atomic_set(&tail->keepers, 0);
	atomic_long_set(&tail->access_pages, 0);
	area->iova.last = at - 1;
	/* It takes a place that was just given up. */
	WARN_ON(iova_map_insert(&ioas->map, tail));
	ioas->nr_areas++;
	return tail;
}

/*
 * Split what is only partly inside, so that the list has what goes and no more.
 * The option of large pages may have changed since the areas were collected.
 */
static int trim(struct unmap_call *call)
{
	struct area *first = list_first_entry(&call->areas, struct area, link);
	struct area *last = list_last_entry(&call->areas, struct area, link);
	const struct iova_range *range = call->range;
	struct area *area;

	if (!may_split(call))
		return -ENOENT;
	if (first->iova.start < range->start) {
		area = split(call->ioas, first, call->spare[0], range->start);
		call->spare[0] = NULL;
		list_replace(&first->link, &area->link);
		first->state = AREA_READY;
		if (last == first)
			last = area;
	}
	if (last->iova.last > range->last) {
		area = split(call->ioas, last, call->spare[1], range->last + 1);
		call->spare[1] = NULL;
		area->state = AREA_READY;
	}
	return 0;
}

static void set_state(struct list_head *areas, enum area_state state)
{
	struct area *area;

	list_for_each_entry(area, areas, link)
		area->state = state;
}

static bool accessed(struct unmap_call *call)
{
	struct area *area;

	guard(rwsem_write)(&call->ioas->map_rwsem);
	list_for_each_entry(area, &call->areas, link)
		if (atomic_long_read(&area->access_pages))
			return true;
	return false;
}

static void give_up(struct unmap_call *call)
{
	guard(rwsem_write)(&call->ioas->map_rwsem);
	set_state(&call->areas, AREA_READY);
}

/*
 * Have in-kernel users let go of the areas of a range. While areas are retiring
 * no new user gets in, and no other unmap takes them. A driver may just have
 * pinned and not know it yet when it is asked: it is asked again.
 */
static int revoke(struct unmap_call *call)
{
	struct ioas *ioas = call->ioas;
	struct area *area;
	int rc, tries;

	down_write(&ioas->map_rwsem);
	rc = collect(call);
	if (!rc)
		set_state(&call->areas, AREA_RETIRING);
	up_write(&ioas->map_rwsem);
	if (rc)
		return rc;

	for (tries = 0; tries < REVOKE_TRIES; tries++) {
		if (tries)
			usleep_range(1000, 2000);
		list_for_each_entry(area, &call->areas, link)
			ioas_access_revoke(ioas, &area->iova);
		if (!accessed(call))
			return 0;
	}
	/* A driver that does not let go keeps its pages, and all stays mapped. */
	pr_warn_ratelimited("iommufd: a driver does not unpin IOVAs 0x%lx-0x%lx: they stay mapped; unmap again, or detach the device\n",
			    call->range->start, call->range->last);
	give_up(call);
	return -EBUSY;
}

/* Nothing fails once trim() is through. */
static int unmap_areas(struct unmap_call *call)
{
	struct ioas *ioas = call->ioas;
	struct ioas_member *member;
	struct area *area;
	int rc;

	lockdep_assert_held(&ioas->members_lock);
	lockdep_assert_held_write(&ioas->map_rwsem);
	rc = call->cut ? trim(call) : 0;
	if (rc)
		return rc;
	list_for_each_entry(member, &ioas->members, node)
		member_unload(member, &call->areas, NULL);
	list_for_each_entry(area, &call->areas, link) {
		call->bytes += range_length(&area->iova);
		iova_map_erase(&ioas->map, area);
		/* Its memory may still be revoked, and its IOVAs may soon be another's. */
		area->state = AREA_RESERVED;
		ioas->nr_areas--;
	}
	ioas->mapped -= call->bytes;
	return 0;
}

/* Holds the list of accesses, so that none can pin behind the back of revoke(). */
static int unmap_accessed(struct unmap_call *call)
{
	struct ioas *ioas = call->ioas;
	int rc;

	guard(rwsem_read)(&ioas->access_rwsem);
	rc = revoke(call);
	if (rc)
		return rc;
	scoped_guard(rwsem_read, &ioas->members_lock) {
		guard(rwsem_write)(&ioas->map_rwsem);
		rc = unmap_areas(call);
	}
	if (rc)
		give_up(call);
	return rc;
}

/* -EAGAIN where there are in-kernel users. */
static int unmap_unaccessed(struct unmap_call *call)
{
	struct ioas *ioas = call->ioas;

	guard(rwsem_read)(&ioas->members_lock);
	guard(rwsem_write)(&ioas->map_rwsem);
	if (ioas->nr_accesses)
		return -EAGAIN;
	return collect(call) ?: unmap_areas(call);
}

static bool spare_alloc(struct unmap_call *call)
{
	unsigned int i;

	for (i = 0; i < UNMAP_SPARE; i++) {
		call->spare[i] = kmalloc(sizeof(*call->spare[i]), GFP_KERNEL_ACCOUNT);
		if (!call->spare[i])
			return false;
	}
	return true;
}

static void spare_free(struct unmap_call *call)
{
	unsigned int i;

	for (i = 0; i < UNMAP_SPARE; i++)
		kfree(call->spare[i]);
}

/**
 * ioas_unmap() - unmap every area of a range
 * @ioas: the IOAS
 * @range: the IOVAs; page-aligned to split
 * @split: of an area that is partly inside, unmap that part
 * @unmapped: set to the bytes that were unmapped, 0 if there was no area
 *
 * In-kernel users are asked to let go of the whole of an area that is split.
 *
 * Context: may sleep. In-kernel users are called back.
 * Return: 0; -ENOENT if an area is only partly inside, and is not to be split or
 * the IOAS may use large pages; -ENOMEM to split; -EBUSY if another call is
 * unmapping an area, somebody needs one to stay, or an in-kernel user does not let go.
 */
int ioas_unmap(struct ioas *ioas, const struct iova_range *range, bool split,
	       unsigned long *unmapped)
{
	struct unmap_call call = { .ioas = ioas, .range = range };
	int rc = -ENOMEM;

	INIT_LIST_HEAD(&call.areas);
	if (!split || spare_alloc(&call))
		rc = unmap_unaccessed(&call);
	if (rc == -EAGAIN)
		rc = unmap_accessed(&call);
	if (!rc)
		areas_free(&call.areas);
	*unmapped = call.bytes;
	trace_iommufd_unmap(ioas->obj.id, range->start, range->last, call.bytes, rc);
	if (split)
		spare_free(&call);
	return rc;
}
