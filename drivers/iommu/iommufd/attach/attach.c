// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, replace and detach. All devices of a group see the same page table:
 * the first to be attached attaches the group, the last to be detached detaches
 * it, and a replace by one is a replace for all.
 *
 *	attach:  reserve the device's IOVAs | core attach | commit
 *	replace: reserve for every device of the group | core replace | commit
 *
 * What a device reserves is the device's in the IOAS: an attach undoes it under
 * the same name. Until the core has agreed, the group sees what it saw before.
 */
#include <linux/iommu.h>

#include "../domain/core.h"
#include "../tables/hwpt.h"
#include "attach.h"
#include "device.h"

static int reserve_regions(struct iommufd_device *idev, struct ioas *ioas)
{
	struct iommu_resv_region *r;
	struct iova_range range;
	LIST_HEAD(regions);
	int rc = 0;

	iommu_get_resv_regions(idev->dev, &regions);
	list_for_each_entry(r, &regions, list) {
		if (r->type == IOMMU_RESV_DIRECT_RELAXABLE || !r->length)
			continue;
		range.start = r->start;
		range.last = r->start + r->length - 1;
		rc = ioas_reserve(ioas, &range, idev);
		if (rc)
			break;
	}
	iommu_put_resv_regions(idev->dev, &regions);
	if (rc)
		ioas_unreserve(ioas, idev);
	return rc;
}

/* Whether a page table does for a device what the device needs of it. */
static int check_coherent(struct iommufd_device *idev, struct hwpt *hwpt)
{
	if (!idev->coherent || hwpt->coherent)
		return 0;
	hwpt->coherent = core_enforce_coherency(hwpt->member.domain);
	return hwpt->coherent ? 0 : -EINVAL;
}

static void commit_device(struct iommufd_device *idev)
{
	idev->attached = true;
	idev->group->nr_attached++;
}

/**
 * attach_device() - attach a device that is not
 * @idev: the device
 * @hwpt: the page table; the group takes a reference
 *
 * Context: may sleep; takes attach_lock.
 * Return: 0; -EINVAL if it is attached, its group is attached to another page
 * table, or page table and device do not go together; -EADDRINUSE if something
 * is mapped at IOVAs that the device reserves; -ENOMEM.
 */
int attach_device(struct iommufd_device *idev, struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	int rc;

	guard(mutex)(&group->attach_lock);
	if (idev->attached || (group->hwpt && group->hwpt != hwpt))
		return -EINVAL;
	rc = check_coherent(idev, hwpt);
	if (rc)
		return rc;
	rc = reserve_regions(idev, hwpt->ioas);
	if (rc)
		return rc;
	if (!group->hwpt) {
		rc = core_attach_group(hwpt->member.domain, group->group);
		if (rc) {
			ioas_unreserve(hwpt->ioas, idev);
			return rc;
		}
		object_hold(&hwpt->obj);
		group->hwpt = hwpt;
	}
	commit_device(idev);
	return 0;
}

/* Give back what the attached devices of a group reserved, up to one of them. */
static void unreserve_group(struct dev_group *group, struct ioas *ioas,
			    const struct iommufd_device *end)
{
	struct iommufd_device *idev;

	list_for_each_entry(idev, &group->devices, node) {
		if (idev == end)
			break;
		if (idev->attached)
			ioas_unreserve(ioas, idev);
	}
}

static int reserve_group(struct dev_group *group, struct ioas *ioas)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &group->devices, node) {
		if (!idev->attached)
			continue;
		rc = reserve_regions(idev, ioas);
		if (rc) {
			unreserve_group(group, ioas, idev);
			return rc;
		}
	}
	return 0;
}

static int replace_locked(struct dev_group *group, struct hwpt *hwpt)
{
	struct hwpt *old = group->hwpt;
	bool moves = old->ioas != hwpt->ioas;
	struct iommufd_device *idev;
	int rc;

	lockdep_assert_held(&group->attach_lock);
	list_for_each_entry(idev, &group->devices, node) {
		rc = idev->attached ? check_coherent(idev, hwpt) : 0;
		if (rc)
			return rc;
	}
	if (moves) {
		rc = reserve_group(group, hwpt->ioas);
		if (rc)
			return rc;
	}
	rc = core_replace_group(hwpt->member.domain, group->group);
	if (rc) {
		if (moves)
			unreserve_group(group, hwpt->ioas, NULL);
		return rc;
	}
	if (moves)
		unreserve_group(group, old->ioas, NULL);
	object_hold(&hwpt->obj);
	group->hwpt = hwpt;
	return 0;
}

/**
 * attach_replace() - exchange the page table of a device that is attached
 * @idev: the device; the other devices of its group follow
 * @hwpt: the page table; the group takes a reference
 *
 * At no moment does the group see neither table. A failure leaves the old one.
 *
 * Context: may sleep; takes attach_lock.
 * Return: 0, or as attach_device().
 */
int attach_replace(struct iommufd_device *idev, struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	struct hwpt *old;
	int rc;

	mutex_lock(&group->attach_lock);
	old = group->hwpt;
	if (!idev->attached)
		rc = -EINVAL;
	else if (old == hwpt)
		rc = 0;
	else
		rc = replace_locked(group, hwpt);
	mutex_unlock(&group->attach_lock);
	if (!rc && old != hwpt)
		hwpt_put(old);
	return rc;
}

/**
 * attach_detach() - detach a device; its group's DMA is blocked with the last
 * @idev: the device; nothing happens if it is not attached
 *
 * Context: may sleep; takes attach_lock.
 */
void attach_detach(struct iommufd_device *idev)
{
	struct dev_group *group = idev->group;
	struct hwpt *old = NULL;

	mutex_lock(&group->attach_lock);
	if (idev->attached) {
		idev->attached = false;
		if (!--group->nr_attached) {
			old = group->hwpt;
			core_detach_group(old->member.domain, group->group);
			group->hwpt = NULL;
		}
		ioas_unreserve(old ? old->ioas : group->hwpt->ioas, idev);
	}
	mutex_unlock(&group->attach_lock);
	if (old)
		hwpt_put(old);
}
