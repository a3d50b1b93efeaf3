// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains join and leave an IOAS. With the first, everything that is mapped is
 * pinned; with the last, unpinned.
 *
 * A domain that joins announces itself as a pinner: from then on new mappings
 * are pinned when they are made. What was there before is pinned with no lock
 * held, since that may wait for user space, area by area: an area that changed
 * in the meantime is looked at again. Then the domain is filled and becomes a
 * member in one step, before any device is attached to it.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "../domain/domain_map.h"
#include "ioas.h"
#include "ioas_areas.h"

static int reserve_outside(struct ioas *ioas, const struct ioas_member *member)
{
	const struct iommu_domain_geometry *geo = &member->domain->geometry;
	struct iova_range below = { .start = 0, .last = geo->aperture_start - 1 };
	struct iova_range above = { .start = geo->aperture_end + 1, .last = ULONG_MAX };
	int rc = 0;

	if (geo->aperture_start)
		rc = ioas_reserve(ioas, &below, member);
	if (!rc && geo->aperture_end < ULONG_MAX)
		rc = ioas_reserve(ioas, &above, member);
	if (rc)
		ioas_unreserve(ioas, member);
	return rc;
}

/*
 * The first area from an IOVA on that is not pinned, and not being mapped. One
 * that is retiring counts: it is still to be unloaded from every member.
 */
static struct area *next_unpinned(struct ioas *ioas, unsigned long iova)
{
	struct area *area;

	lockdep_assert_held(&ioas->map_rwsem);
	iova_map_for_each(&ioas->map, area, iova, ULONG_MAX)
		if (area->state != AREA_RESERVED && !area->pinned && !area->revoked)
			return area;
	return NULL;
}

/*
 * Pin one area, found at its IOVA, with no lock held. If it is not the same
 * memory any more afterwards the pins are dropped again.
 */
static int pin_one(struct ioas *ioas, const struct area *snapshot)
{
	unsigned long first, count;
	struct area *area;
	int rc;

	first = area_slice(snapshot, &snapshot->iova, &count);
	rc = pages_pin(snapshot->pages, first, count);
	if (rc)
		return rc;

	down_write(&ioas->map_rwsem);
	area = iova_map_next(&ioas->map, snapshot->iova.start, snapshot->iova.last);
	if (area && area->state != AREA_RESERVED && !area->pinned &&
	    area->pages == snapshot->pages && area->offset == snapshot->offset &&
	    area->iova.start == snapshot->iova.start && area->iova.last == snapshot->iova.last) {
		area->pinned = true;
		count = 0;
	}
	up_write(&ioas->map_rwsem);
	if (count)
		pages_release(snapshot->pages, first, count);
	return 0;
}

static int pin_all(struct ioas *ioas)
{
	struct area *area, snapshot;
	unsigned long next = 0;
	int rc;

	for (;;) {
		down_read(&ioas->map_rwsem);
		area = next_unpinned(ioas, next);
		if (area) {
			snapshot = *area;
			pages_hold(snapshot.pages);
		}
		up_read(&ioas->map_rwsem);
		if (!area)
			return 0;
		rc = pin_one(ioas, &snapshot);
		pages_put(snapshot.pages);
		if (rc || snapshot.iova.last == ULONG_MAX)
			return rc;
		next = snapshot.iova.last + 1;
		cond_resched();
	}
}

/* Take every loaded area that lies before end out of a domain. */
static void unload_below(struct ioas *ioas, struct ioas_member *member, const struct area *end)
{
	struct iommu_iotlb_gather gather;
	struct iova_range span = {};
	struct area *area;
	bool any = false;

	lockdep_assert_held_write(&ioas->members_lock);
	iommu_iotlb_gather_init(&gather);
	iova_map_for_each(&ioas->map, area, 0, ULONG_MAX) {
		if (area == end)
			break;
		if (!area_loaded(area))
			continue;
		if (any && area->iova.start - 1 == span.last) {
			span.last = area->iova.last;
			continue;
		}
		if (any)
			domain_unload(member->domain, span.start, range_length(&span), &gather);
		span = area->iova;
		any = true;
		cond_resched();
	}
	if (!any)
		return;
	domain_unload(member->domain, span.start, range_length(&span), &gather);
	iommu_iotlb_sync(member->domain, &gather);
}

static int load_all(struct ioas *ioas, struct ioas_member *member)
{
	struct area *area;
	int rc;

	iova_map_for_each(&ioas->map, area, 0, ULONG_MAX) {
		if (!area_loaded(area))
			continue;
		rc = area_load(ioas, member, area);
		if (rc) {
			unload_below(ioas, member, area);
			return rc;
		}
		cond_resched();
	}
	return 0;
}

/*
 * If no domain needs it, make the first pinned area from an IOVA on one that is
 * not; the pins are the caller's then.
 */
static bool take_pins(struct ioas *ioas, unsigned long iova, struct area *snapshot)
{
	struct area *area;

	guard(rwsem_read)(&ioas->members_lock);
	if (ioas->pinners)
		return false;
	guard(rwsem_write)(&ioas->map_rwsem);
	iova_map_for_each(&ioas->map, area, iova, ULONG_MAX) {
		if (!area_loaded(area))
			continue;
		*snapshot = *area;
		pages_hold(area->pages);
		area->pinned = false;
		return true;
	}
	return false;
}

/**
 * areas_unpin_idle() - unpin what is pinned for no domain
 * @ioas: the IOAS
 *
 * Ends early if a domain joins, which then needs the rest.
 *
 * Context: may sleep; no lock held, since a refund takes the mmap lock.
 */
void areas_unpin_idle(struct ioas *ioas)
{
	unsigned long next = 0;
	struct area snapshot;

	while (take_pins(ioas, next, &snapshot)) {
		struct pages *pages = snapshot.pages;

		area_unpin(&snapshot);
		pages_put(pages);
		if (snapshot.iova.last == ULONG_MAX)
			return;
		next = snapshot.iova.last + 1;
	}
}

/* Pin what is not, and come back with members_lock held for writing. */
static int pin_and_lock(struct ioas *ioas)
{
	struct area *area;
	int rc;

	for (;;) {
		rc = pin_all(ioas);
		down_write(&ioas->members_lock);
		if (rc)
			return rc;
		down_read(&ioas->map_rwsem);
		area = next_unpinned(ioas, 0);
		up_read(&ioas->map_rwsem);
		if (!area)
			return 0;
		up_write(&ioas->members_lock);
	}
}

/**
 * ioas_add_member() - fill a domain and keep it filled
 * @ioas: the IOAS
 * @member: with its domain, which is attached to nothing
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -EADDRINUSE if something is mapped or allowed where the domain has
 * no aperture, or aligned too little for it; -EINVAL if the domain has no page
 * as small as the CPU's; or why pinning or mapping failed.
 */
int ioas_add_member(struct ioas *ioas, struct ioas_member *member)
{
	unsigned long align = 1UL << __ffs(member->domain->pgsize_bitmap);
	int rc;

	if (align > PAGE_SIZE)
		return -EINVAL;
	rc = reserve_outside(ioas, member);
	if (rc)
		return rc;
	down_write(&ioas->members_lock);
	ioas->pinners++;
	up_write(&ioas->members_lock);

	rc = pin_and_lock(ioas);
	if (!rc)
		rc = ioas_raise_align(ioas, align);
	if (!rc) {
		guard(rwsem_read)(&ioas->map_rwsem);
		rc = load_all(ioas, member);
	}
	if (rc) {
		ioas->pinners--;
	} else {
		list_add_tail(&member->node, &ioas->members);
		ioas->nr_members++;
	}
	up_write(&ioas->members_lock);
	if (rc) {
		areas_unpin_idle(ioas);
		ioas_unreserve(ioas, member);
		ioas_refresh_align(ioas);
	}
	return rc;
}

/**
 * ioas_remove_member() - empty a domain
 * @ioas: the IOAS
 * @member: its member; its domain is attached to nothing any more
 *
 * Context: may sleep.
 */
void ioas_remove_member(struct ioas *ioas, struct ioas_member *member)
{
	down_write(&ioas->members_lock);
	list_del(&member->node);
	ioas->nr_members--;
	down_read(&ioas->map_rwsem);
	unload_below(ioas, member, NULL);
	up_read(&ioas->map_rwsem);
	ioas->pinners--;
	up_write(&ioas->members_lock);
	areas_unpin_idle(ioas);
	ioas_unreserve(ioas, member);
	ioas_refresh_align(ioas);
}

/**
 * ioas_pin_always() - pin what is mapped, and what will be, for no domain
 * @ioas: the IOAS; once is enough
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0, or why pinning failed.
 */
int ioas_pin_always(struct ioas *ioas)
{
	int rc;

	down_write(&ioas->members_lock);
	if (ioas->pinned) {
		up_write(&ioas->members_lock);
		return 0;
	}
	ioas->pinners++;
	up_write(&ioas->members_lock);

	rc = pin_and_lock(ioas);
	/* Another call may have been faster. */
	if (rc || ioas->pinned)
		ioas->pinners--;
	else
		ioas->pinned = true;
	up_write(&ioas->members_lock);
	if (rc)
		areas_unpin_idle(ioas);
	return rc;
}

/**
 * ioas_pin_end() - undo ioas_pin_always()
 * @ioas: the IOAS, that nobody uses any more
 *
 * Context: may sleep.
 */
void ioas_pin_end(struct ioas *ioas)
{
	if (!ioas->pinned)
		return;
	down_write(&ioas->members_lock);
	ioas->pinned = false;
	ioas->pinners--;
	up_write(&ioas->members_lock);
	areas_unpin_idle(ioas);
}
