// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revocation: memory of somebody else, that he takes back while it is mapped. The
 * area stays where it is, is in no domain any more, and comes into none.
 *
 * Each area of such memory watches its pages from before it is in the IOAS until
 * after it is out again. Revoking takes members_lock for writing, so that an area
 * that is just being loaded either was, or finds out that it must not be.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "../domain/domain_map.h"
#include "ioas.h"
#include "ioas_areas.h"

/**
 * struct area_watch - an area of memory that may be revoked
 * @watch: in a list of its pages
 * @ioas: where it is, or is about to be
 * @area: the area
 */
struct area_watch {
	struct pages_watch watch;
	struct ioas *ioas;
	struct area *area;
};

/* Comes with the lock of the pages' watches held, so that the area is there. */
static void area_revoke(struct pages_watch *watch)
{
	struct area_watch *aw = container_of(watch, struct area_watch, watch);
	struct area *area = aw->area;
	struct iommu_iotlb_gather gather;
	struct ioas_member *member;

	guard(rwsem_write)(&aw->ioas->members_lock);
	guard(rwsem_write)(&aw->ioas->map_rwsem);
	if (area_loaded(area)) {
		list_for_each_entry(member, &aw->ioas->members, node) {
			iommu_iotlb_gather_init(&gather);
			domain_unload(member->domain, area->iova.start,
				      range_length(&area->iova), &gather);
			iommu_iotlb_sync(member->domain, &gather);
		}
	}
	area->revoked = true;
}

static int area_watch(struct ioas *ioas, struct area *area)
{
	struct area_watch *aw = kmalloc(sizeof(*aw), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!aw)
		return -ENOMEM;
	aw->watch.revoke = area_revoke;
	aw->ioas = ioas;
	aw->area = area;
	rc = pages_watch(area->pages, &aw->watch);
	if (rc)
		kfree(aw);
	else
		area->watch = aw;
	return rc;
}

/**
 * areas_watch() - have areas revoked together with their memory
 * @ioas: the IOAS that they will be in
 * @areas: list of struct area from area_new()
 *
 * Context: may sleep; no lock of an IOAS held.
 * Return: 0; -ENODEV if the memory of one is revoked already; -ENOMEM. Areas before
 * a failure watch.
 */
int areas_watch(struct ioas *ioas, struct list_head *areas)
{
	struct area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		if (!pages_revocable(area->pages))
			continue;
		rc = area_watch(ioas, area);
		if (rc)
			return rc;
	}
	return 0;
}

/**
 * area_unwatch() - the end of it
 * @area: watches; in no IOAS any more, or its IOAS ends
 *
 * Context: may sleep, and wait for a revocation; no lock of an IOAS held.
 */
void area_unwatch(struct area *area)
{
	pages_unwatch(area->pages, &area->watch->watch);
	kfree(area->watch);
}
