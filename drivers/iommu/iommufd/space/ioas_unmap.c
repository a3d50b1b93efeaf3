// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmap: mark retiring and ask in-kernel users to let go | unload every member
 * and flush | erase | unpin. Nothing can fail once a member has changed, and
 * memory is unpinned only when no device reaches it any more.
 */
#include <linux/delay.h>

#include "ioas.h"
#include "ioas_areas.h"

#define REVOKE_TRIES 100

/*
 * Collect the areas of a range and count their bytes; those not published yet
 * are not there.
 */
static int collect(struct ioas *ioas, const struct iova_range *range, struct list_head *areas,
		   unsigned long *bytes)
{
	struct area *area;

	lockdep_assert_held_write(&ioas->map_rwsem);
	*bytes = 0;
	iova_map_for_each(&ioas->map, area, range->start, range->last) {
		if (area->state == AREA_RESERVED)
			continue;
		if (area->state == AREA_RETIRING)
			return -EBUSY;
		if (area->iova.start < range->start || area->iova.last > range->last)
			return -ENOENT;
		list_add_tail(&area->link, areas);
		*bytes += range_length(&area->iova);
	}
	return list_empty(areas) ? -ENOENT : 0;
}

static void set_state(struct list_head *areas, enum area_state state)
{
	struct area *area;

	list_for_each_entry(area, areas, link)
		area->state = state;
}

static bool accessed(struct ioas *ioas, struct list_head *areas)
{
	struct area *area;

	guard(rwsem_write)(&ioas->map_rwsem);
	list_for_each_entry(area, areas, link)
		if (atomic_long_read(&area->access_pages))
			return true;
	return false;
}

/*
 * Have in-kernel users let go of the areas of a range. While areas are retiring
 * no new user gets in, and no other unmap takes them. A driver may just have
 * pinned and not know it yet when it is asked: it is asked again.
 */
static int revoke(struct ioas *ioas, const struct iova_range *range, struct list_head *areas,
		  unsigned long *bytes)
{
	struct area *area;
	int rc, tries;

	down_write(&ioas->map_rwsem);
	rc = collect(ioas, range, areas, bytes);
	if (!rc)
		set_state(areas, AREA_RETIRING);
	up_write(&ioas->map_rwsem);
	if (rc)
		return rc;

	for (tries = 0; tries < REVOKE_TRIES; tries++) {
		if (tries)
			usleep_range(1000, 2000);
		list_for_each_entry(area, areas, link)
			ioas_access_revoke(ioas, &area->iova);
		if (!accessed(ioas, areas))
			return 0;
	}
	/* A driver that does not let go keeps its pages, and all stays mapped. */
	WARN_ON(1);
	down_write(&ioas->map_rwsem);
	set_state(areas, AREA_READY);
	up_write(&ioas->map_rwsem);
	return -EBUSY;
}

/* Nothing fails from here on. */
static void unmap_areas(struct ioas *ioas, struct list_head *areas)
{
	struct ioas_member *member;
	struct area *area;

	lockdep_assert_held(&ioas->members_lock);
	lockdep_assert_held_write(&ioas->map_rwsem);
	list_for_each_entry(member, &ioas->members, node)
		member_unload(member, areas, NULL);
	list_for_each_entry(area, areas, link)
		iova_map_erase(&ioas->map, area);
}

/* Holds the list of accesses, so that none can pin behind the back of revoke(). */
static int unmap_accessed(struct ioas *ioas, const struct iova_range *range,
			  struct list_head *areas, unsigned long *bytes)
{
	int rc;

	guard(rwsem_read)(&ioas->access_rwsem);
	rc = revoke(ioas, range, areas, bytes);
	if (rc)
		return rc;
	guard(rwsem_read)(&ioas->members_lock);
	guard(rwsem_write)(&ioas->map_rwsem);
	unmap_areas(ioas, areas);
	return 0;
}

/* -EAGAIN where there are in-kernel users. */
static int unmap_unaccessed(struct ioas *ioas, const struct iova_range *range,
			    struct list_head *areas, unsigned long *bytes)
{
	int rc;

	guard(rwsem_read)(&ioas->members_lock);
	guard(rwsem_write)(&ioas->map_rwsem);
	if (ioas->nr_accesses)
		return -EAGAIN;
	rc = collect(ioas, range, areas, bytes);
	if (!rc)
		unmap_areas(ioas, areas);
	return rc;
}

/**
 * ioas_unmap() - unmap every area of a range
 * @ioas: the IOAS
 * @range: the IOVAs
 * @unmapped: set to the bytes that were unmapped
 *
 * Context: may sleep. In-kernel users are called back.
 * Return: 0; -ENOENT if there is no area, or one is only partly inside; -EBUSY
 * if another call is unmapping one, or an in-kernel user does not let go.
 */
int ioas_unmap(struct ioas *ioas, const struct iova_range *range, unsigned long *unmapped)
{
	LIST_HEAD(areas);
	int rc;

	rc = unmap_unaccessed(ioas, range, &areas, unmapped);
	if (rc == -EAGAIN)
		rc = unmap_accessed(ioas, range, &areas, unmapped);
	if (!rc)
		areas_free(&areas);
	else
		*unmapped = 0;
	return rc;
}
