// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map and unmap as transactions.
 *
 * Map:   reserve the IOVAs | pin, with no lock held | load every member |
 *        publish. A step that fails undoes those before it, last first.
 * Unmap: mark retiring and ask in-kernel users to let go | unload every member
 *        and flush | erase | unpin. Nothing can fail once a member has changed.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../domain/domain_map.h"
#include "../trace.h"
#include "ioas.h"
#include "ioas_areas.h"

static void ioas_destroy(struct object *obj)
{
	struct ioas *ioas = container_of(obj, struct ioas, obj);
	struct area *area, *next;

	WARN_ON(!list_empty(&ioas->members) || !list_empty(&ioas->accesses));
	ioas_pin_end(ioas);
	rbtree_postorder_for_each_entry_safe(area, next, &ioas->map.root, node) {
		area_free(area);
		cond_resched();
	}
	iova_limits_exit(&ioas->limits);
	mutex_destroy(&ioas->hwpts_lock);
	kfree(ioas);
}

const struct object_type ioas_type = {
	.name = "ioas",
	.destroy = ioas_destroy,
};

/**
 * ioas_alloc() - a new, empty IOAS
 * @ictx: the context
 *
 * Context: may sleep.
 * Return: the IOAS, not yet published, or ERR_PTR(-ENOMEM).
 */
struct ioas *ioas_alloc(struct iommufd_ctx *ictx)
{
	struct ioas *ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!ioas)
		return ERR_PTR(-ENOMEM);
	rc = iova_limits_init(&ioas->limits);
	if (!rc)
		rc = object_init(ictx, &ioas->obj, &ioas_type);
	if (rc) {
		iova_limits_exit(&ioas->limits);
		kfree(ioas);
		return ERR_PTR(rc);
	}
	init_rwsem(&ioas->access_rwsem);
	init_rwsem(&ioas->members_lock);
	init_rwsem(&ioas->map_rwsem);
	iova_map_init(&ioas->map);
	INIT_LIST_HEAD(&ioas->members);
	INIT_LIST_HEAD(&ioas->accesses);
	mutex_init(&ioas->hwpts_lock);
	INIT_LIST_HEAD(&ioas->hwpts);
	ioas->align = 1;
	ioas->large = true;
	return ioas;
}

/**
 * area_new() - an area that is in no IOAS yet
 * @pages: the memory
 * @offset: first byte in it
 * @length: bytes
 * @prot: of enum iommufd_ioas_map_flags
 *
 * The IOVA is filled in when it is known; until then it counts from 0.
 *
 * Context: may sleep.
 * Return: the area or NULL.
 */
struct area *area_new(struct pages *pages, unsigned long offset, unsigned long length,
		      unsigned int prot)
{
	struct area *area = (struct area *)pages->room;

	BUILD_BUG_ON(sizeof(*area) > PAGES_ROOM_BYTES);
	if (test_and_set_bit(0, &pages->room_used))
		area = kmalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	area->iova.start = 0;
	area->iova.last = length - 1;
	area->state = AREA_RESERVED;
	area->pinned = false;
	area->revoked = false;
	area->watch = NULL;
	atomic_set(&area->keepers, 0);
	atomic_long_set(&area->access_pages, 0);
	area->offset = offset;
	area->pages = pages_hold(pages);
	area->prot = pages->mmio ? IOMMU_MMIO : IOMMU_CACHE;
	if (prot & IOMMU_IOAS_MAP_READABLE)
		area->prot |= IOMMU_READ;
	if (prot & IOMMU_IOAS_MAP_WRITEABLE)
		area->prot |= IOMMU_WRITE;
	return area;
}

/**
 * area_free() - free an area that is in no IOAS
 * @area: the area, not pinned
 *
 * Context: may sleep.
 */
void area_free(struct area *area)
{
	struct pages *pages = area->pages;

	if (area->watch)
		area_unwatch(area);
	if (area == (struct area *)pages->room)
		clear_bit_unlock(0, &pages->room_used);
	else
		kfree(area);
	pages_put(pages);
}

/**
 * area_unpin() - take the domains off an area's memory
 * @area: pinned, and in no domain any more
 *
 * Context: may sleep.
 */
void area_unpin(struct area *area)
{
	unsigned long first, count;

	first = area_slice(area, &area->iova, &count);
	pages_release(area->pages, first, count);
	area->pinned = false;
}

/* Areas before a failure stay pinned. */
static int areas_pin(struct list_head *areas)
{
	unsigned long first, count;
	struct area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		if (area->pinned)
			continue;
		first = area_slice(area, &area->iova, &count);
		rc = pages_pin(area->pages, first, count);
		if (rc)
			return rc;
		area->pinned = true;
	}
	return 0;
}

/**
 * areas_free() - unpin and free the areas of a call
 * @areas: list of struct area, in no IOAS and no domain
 *
 * Context: may sleep.
 */
void areas_free(struct list_head *areas)
{
	struct area *area, *next;

	list_for_each_entry_safe(area, next, areas, link) {
		if (area->pinned)
			area_unpin(area);
		else
			cond_resched();
		area_free(area);
	}
}

/**
 * area_load() - map an area into one domain
 * @ioas: the IOAS
 * @member: its member
 * @area: pinned
 *
 * Context: members_lock held; may sleep.
 * Return: 0, or -errno with nothing mapped.
 */
int area_load(struct ioas *ioas, struct ioas_member *member, struct area *area)
{
	lockdep_assert_held(&ioas->members_lock);
	return domain_load(member->domain, area->iova.start, area->pages, area->offset,
			   range_length(&area->iova), area->prot, ioas->large);
}

/**
 * member_unload() - take areas out of one domain and flush
 * @member: the member
 * @areas: list of struct area, by IOVA
 * @end: area to stop at, or NULL for all
 *
 * Adjacent areas are unmapped as one range, and all are flushed at once.
 *
 * Context: may sleep.
 */
void member_unload(struct ioas_member *member, struct list_head *areas, struct area *end)
{
	struct area *pos = list_first_entry(areas, struct area, link);
	struct iommu_iotlb_gather gather;
	struct iova_range span;
	bool any = false;

	iommu_iotlb_gather_init(&gather);
	while (areas_next_span(areas, &pos, end, &span)) {
		domain_unload(member->domain, span.start, range_length(&span), &gather);
		any = true;
	}
	/* Drivers take an empty gather for the whole address space, or worse. */
	if (any)
		iommu_iotlb_sync(member->domain, &gather);
}

static int member_load(struct ioas *ioas, struct ioas_member *member, struct list_head *areas)
{
	struct area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		rc = area_load(ioas, member, area);
		if (rc) {
			member_unload(member, areas, area);
			return rc;
		}
	}
	return 0;
}

static int load_members(struct ioas *ioas, struct list_head *areas)
{
	struct ioas_member *member;
	int rc;

	lockdep_assert_held(&ioas->members_lock);
	list_for_each_entry(member, &ioas->members, node) {
		rc = member_load(ioas, member, areas);
		if (rc) {
			list_for_each_entry_continue_reverse(member, &ioas->members, node)
				member_unload(member, areas, NULL);
			return rc;
		}
	}
	return 0;
}

/* Whether the usual rules allow the areas of a call at these IOVAs. */
static int check_place(struct ioas *ioas, struct list_head *areas, const struct iova_range *range)
{
	struct area *area;

	list_for_each_entry(area, areas, link)
		if ((area->iova.start | range_length(&area->iova) | offset_in_page(area->offset)) &
		    (ioas->align - 1))
			return -EINVAL;
	return iova_limits_usable(&ioas->limits, range) ? 0 : -EINVAL;
}

/*
 * IOVAs that lie in a large page just as the memory does let the domain use
 * large pages, up to the size of the mapping.
 */
static int choose_place(struct ioas *ioas, struct iova_range *range, unsigned long address)
{
	unsigned long length = range_length(range), start;
	struct iova_hole hole = {
		.length = length,
		.align = max(ioas->align, min(rounddown_pow_of_two(length), 1UL << 30)),
	};
	const struct iova_range *windows;
	u32 i, nr;

	hole.skew = address & (hole.align - 1);
	nr = iova_limits_windows(&ioas->limits, &windows);
	for (i = 0; i < nr; i++) {
		if (iova_map_find_hole(&ioas->map, &windows[i], &hole, &start))
			continue;
		range->start = start;
		range->last = start + length - 1;
		return 0;
	}
	return -ENOSPC;
}

static void areas_move(struct list_head *areas, unsigned long start)
{
	struct area *area;

	list_for_each_entry(area, areas, link) {
		unsigned long length = range_length(&area->iova);

		area->iova.start = start;
		area->iova.last = start + length - 1;
		start += length;
	}
}

/* Take the IOVAs of the areas of a call, which lie side by side. */
static int areas_reserve(struct ioas *ioas, struct list_head *areas, struct iova_range *range,
			 bool fixed)
{
	struct area *area = list_first_entry(areas, struct area, link);
	int rc;

	guard(rwsem_write)(&ioas->map_rwsem);
	if (!fixed) {
		rc = choose_place(ioas, range, area->pages->base + area->offset);
		if (rc)
			return rc;
	}
	areas_move(areas, range->start);
	rc = check_place(ioas, areas, range);
	if (rc)
		return rc;
	list_for_each_entry(area, areas, link) {
		rc = iova_map_insert(&ioas->map, area);
		if (rc) {
			list_for_each_entry_continue_reverse(area, areas, link)
				iova_map_erase(&ioas->map, area);
			return rc;
		}
	}
	return 0;
}

static void areas_unreserve(struct ioas *ioas, struct list_head *areas)
{
	struct area *area;

	guard(rwsem_write)(&ioas->map_rwsem);
	list_for_each_entry(area, areas, link)
		iova_map_erase(&ioas->map, area);
}

/* With members_lock held for reading; pinned areas are loaded, and published. */
static int areas_publish(struct ioas *ioas, struct list_head *areas)
{
	struct area *area;
	int rc;

	list_for_each_entry(area, areas, link)
		if (area->revoked)
			return -ENODEV;
	rc = load_members(ioas, areas);
	if (rc)
		return rc;
	guard(rwsem_write)(&ioas->map_rwsem);
	list_for_each_entry(area, areas, link) {
		area->state = AREA_READY;
		ioas->mapped += range_length(&area->iova);
		ioas->nr_areas++;
	}
	return 0;
}

/**
 * ioas_insert() - map new areas side by side
 * @ioas: the IOAS
 * @areas: list of struct area from area_new(); freed if the call fails
 * @range: where; only its length counts unless @fixed
 * @fixed: the range is given
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0 with @range filled in; -EINVAL for alignment or reserved IOVAs,
 * -EEXIST, -ENOSPC, -ENODEV for memory that is revoked, or why pinning or loading
 * failed.
 */
int ioas_insert(struct ioas *ioas, struct list_head *areas, struct iova_range *range, bool fixed)
{
	struct area *first = list_first_entry(areas, struct area, link);
	bool idle;
	int rc;

	rc = areas_watch(ioas, areas) ?: areas_reserve(ioas, areas, range, fixed);
	if (rc)
		goto free;
	for (;;) {
		if (READ_ONCE(ioas->pinners)) {
			rc = areas_pin(areas);
			if (rc)
				goto unreserve;
		}
		down_read(&ioas->members_lock);
		if (first->pinned || !ioas->pinners)
			break;
		up_read(&ioas->members_lock);
	}
	idle = first->pinned && !ioas->pinners;
	rc = areas_publish(ioas, areas);
	up_read(&ioas->members_lock);
	/* The last domain left while the areas were being pinned. */
	if (!rc && idle)
		areas_unpin_idle(ioas);
	if (!rc)
		return 0;
unreserve:
	areas_unreserve(ioas, areas);
free:
	areas_free(areas);
	return rc;
}

/**
 * ioas_map() - map a part of a pages object
 * @ioas: the IOAS
 * @args: what; its iova is filled in unless it is fixed
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: as ioas_insert().
 */
int ioas_map(struct ioas *ioas, struct ioas_map_args *args)
{
	struct iova_range range = { .start = args->iova, .last = args->iova + args->length - 1 };
	struct area *area = area_new(args->pages, args->offset, args->length, args->prot);
	LIST_HEAD(areas);
	int rc;

	if (!area)
		return -ENOMEM;
	list_add(&area->link, &areas);
	rc = ioas_insert(ioas, &areas, &range, args->fixed);
	args->iova = range.start;
	trace_iommufd_map(ioas->obj.id, range.start, args->length, args->prot, rc);
	return rc;
}
