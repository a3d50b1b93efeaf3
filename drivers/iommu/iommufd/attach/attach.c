// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, replace and detach, with a PASID or without. What is attached is a
 * slot: the requests of an IOMMU group with one PASID. Devices that share a slot
 * see the same page table: those of a group without PASID, and slices of one
 * parent at the same PASID. The first to be attached attaches the slot, the last
 * to be detached detaches it, and a replace by one is a replace for all.
 *
 *	attach:  claim the number | take the slot | reserve the device's IOVAs |
 *		 tell the driver | core attach | commit
 *	replace: reserve for every device in the slot | core replace | commit
 *
 * What a device reserves is the device's in the IOAS: an attach undoes it under
 * the same name. Requests with a PASID are all translated, so that for them
 * nothing is reserved. Until the core has agreed, the slot is what it was before.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "../domain/core.h"
#include "../tables/hwpt.h"
#include "../trace.h"
#include "attach.h"
#include "attach_fault.h"
#include "device.h"

static struct attach_slot *slot_get(struct dev_group *group, u32 ppasid)
{
	struct attach_slot *slot;
	int rc;

	lockdep_assert_held(&group->attach_lock);
	if (ppasid == IOMMU_NO_PASID)
		return &group->rid;
	slot = xa_load(&group->slots, ppasid);
	if (slot)
		return slot;
	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	slot->ppasid = ppasid;
	rc = xa_insert(&group->slots, ppasid, slot, GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(slot);
		return ERR_PTR(rc);
	}
	return slot;
}

/* A slot in which no device is any more. */
static void slot_put(struct dev_group *group, struct attach_slot *slot)
{
	lockdep_assert_held(&group->attach_lock);
	if (slot->nr || slot == &group->rid)
		return;
	xa_erase(&group->slots, slot->ppasid);
	kfree(slot);
}

static int slot_attach(struct iommufd_device *idev, u32 pasid, struct attach_slot *slot,
		       struct hwpt *hwpt)
{
	struct fault_handle *faults = attach_fault_start(idev, pasid, slot, hwpt);
	struct iommu_attach_handle *handle = attach_fault_core(faults);
	struct iommu_domain *domain = hwpt->member.domain;
	int rc;

	if (IS_ERR(faults))
		return PTR_ERR(faults);
	if (slot->ppasid == IOMMU_NO_PASID)
		rc = core_attach_group(domain, idev->group->group, handle);
	else
		rc = core_attach_pasid(domain, idev->dev, slot->ppasid, handle);
	if (rc) {
		attach_fault_stop(idev, faults);
		return rc;
	}
	object_hold(&hwpt->obj);
	slot->hwpt = hwpt;
	slot->faults = faults;
	return 0;
}

static int slot_replace(struct iommufd_device *idev, u32 pasid, struct attach_slot *slot,
			struct hwpt *hwpt)
{
	struct fault_handle *faults = attach_fault_start(idev, pasid, slot, hwpt);
	struct iommu_attach_handle *handle = attach_fault_core(faults);
	struct iommu_domain *domain = hwpt->member.domain;
	int rc;

	if (IS_ERR(faults))
		return PTR_ERR(faults);
	if (slot->ppasid == IOMMU_NO_PASID)
		rc = core_replace_group(domain, idev->group->group, handle);
	else
		rc = core_replace_pasid(domain, slot->hwpt->member.domain, idev->dev,
					slot->ppasid, handle);
	if (rc) {
		attach_fault_stop(idev, faults);
		return rc;
	}
	attach_fault_end(idev, slot->faults);
	object_hold(&hwpt->obj);
	slot->hwpt = hwpt;
	slot->faults = faults;
	return 0;
}

static void slot_detach(struct iommufd_device *idev, struct attach_slot *slot)
{
	struct iommu_domain *domain = slot->hwpt->member.domain;

	if (slot->ppasid == IOMMU_NO_PASID)
		core_detach_group(domain, idev->group->group);
	else
		core_detach_pasid(domain, idev->dev, slot->ppasid);
	attach_fault_end(idev, slot->faults);
	slot->faults = NULL;
	slot->hwpt = NULL;
}

static int reserve_regions(struct iommufd_device *idev, u32 ppasid, struct ioas *ioas)
{
	struct iommu_resv_region *r;
	struct iova_range range;
	LIST_HEAD(regions);
	int rc = 0;

	if (ppasid != IOMMU_NO_PASID)
		return 0;
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

static void unreserve_regions(struct iommufd_device *idev, u32 ppasid, struct ioas *ioas)
{
	if (ppasid == IOMMU_NO_PASID)
		ioas_unreserve(ioas, idev);
}

static int tell_map(struct iommufd_device *idev, const struct pasid_number *num)
{
	if (!idev->pasid_ops || num->ppasid == IOMMU_NO_PASID)
		return 0;
	return idev->pasid_ops->map(idev->data, num->vpasid, num->ppasid);
}

static void tell_unmap(struct iommufd_device *idev, const struct pasid_number *num)
{
	if (idev->pasid_ops && num->ppasid != IOMMU_NO_PASID)
		idev->pasid_ops->unmap(idev->data, num->vpasid, num->ppasid);
}

/*
 * Whether a page table does for a device what the device needs of it. Some IOMMUs
 * have PASIDs only where the table of requests without PASID is of a kind, too.
 */
static int check_fit(struct iommufd_device *idev, u32 ppasid, struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	int rc = attach_fault_check(idev, hwpt);

	if (rc)
		return rc;
	if (ppasid != IOMMU_NO_PASID) {
		if (!hwpt->pasid || (group->rid.hwpt && !group->rid.hwpt->pasid))
			return -EINVAL;
	} else {
		if (!hwpt->pasid && !xa_empty(&group->slots))
			return -EINVAL;
		/* Interrupts are requests without PASID. */
		rc = hwpt_pass_msi(hwpt, idev->dev);
		if (rc)
			return rc;
	}
	if (!idev->coherent || hwpt->coherent)
		return 0;
	hwpt->coherent = core_enforce_coherency(hwpt->member.domain);
	return hwpt->coherent ? 0 : -EINVAL;
}

static int join_slot(struct iommufd_device *idev, struct pasid_number *num,
		     struct attach_slot *slot, struct hwpt *hwpt)
{
	int rc;

	if (slot->hwpt && slot->hwpt != hwpt)
		return slot->ppasid == IOMMU_NO_PASID ? -EINVAL : -EBUSY;
	rc = reserve_regions(idev, slot->ppasid, hwpt->ioas);
	if (rc)
		return rc;
	rc = tell_map(idev, num);
	if (rc)
		goto unreserve;
	if (!slot->hwpt) {
		rc = slot_attach(idev, num->vpasid, slot, hwpt);
		if (rc)
			goto tell;
	}
	slot->nr++;
	num->link = slot;
	pasid_dev_commit(&idev->pasids, num, hwpt->obj.id, hwpt->ioas->obj.id);
	return 0;

tell:
	tell_unmap(idev, num);
unreserve:
	unreserve_regions(idev, slot->ppasid, hwpt->ioas);
	return rc;
}

static int attach_claimed(struct iommufd_device *idev, struct pasid_number *num,
			  struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	struct attach_slot *slot;
	int rc;

	lockdep_assert_held(&group->attach_lock);
	if (num->ppasid != IOMMU_NO_PASID && !core_group_is_single(group->group))
		return -EPERM;
	rc = check_fit(idev, num->ppasid, hwpt);
	if (rc)
		return rc;
	slot = slot_get(group, num->ppasid);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	rc = join_slot(idev, num, slot, hwpt);
	if (rc)
		slot_put(group, slot);
	return rc;
}

/**
 * attach_device() - attach a device, or a PASID of it, that is not
 * @idev: the device
 * @pasid: what the user calls the PASID; 0 for the device
 * @hwpt: the page table; what is attached takes a reference
 *
 * Context: may sleep; takes attach_lock; calls the driver.
 * Return: 0; -EBUSY if it is attached, or another slice or the kernel has
 * something else there; -EINVAL if its group is attached to another page table,
 * or page table and device do not go together; -EPERM for a PASID if the device
 * shares its group; -EADDRINUSE if something is mapped at IOVAs that the device
 * reserves; -ENOMEM; see pasid_dev_claim() and the driver's pasid_ops.
 */
int attach_device(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt)
{
	struct pasid_number *num;
	int rc;

	guard(mutex)(&idev->group->attach_lock);
	num = pasid_dev_claim(&idev->pasids, pasid);
	rc = PTR_ERR_OR_ZERO(num);
	if (!rc) {
		rc = attach_claimed(idev, num, hwpt);
		if (rc)
			pasid_dev_release(&idev->pasids, num);
	}
	trace_iommufd_attach(idev->dev, idev->obj.id, pasid, 0, hwpt->obj.id, rc);
	return rc;
}

/* A device's number that is attached in a slot; in all devices it has one name. */
static struct pasid_number *number_in(struct iommufd_device *idev, u32 pasid,
				      const struct attach_slot *slot)
{
	struct pasid_number *num = pasid_dev_attached(&idev->pasids, pasid);

	return num && num->link == slot ? num : NULL;
}

/* Give back what the devices in a slot reserved, up to one of them. */
static void unreserve_slot(struct dev_group *group, u32 pasid, struct attach_slot *slot,
			   struct ioas *ioas, const struct iommufd_device *end)
{
	struct iommufd_device *idev;

	list_for_each_entry(idev, &group->devices, node) {
		if (idev == end)
			break;
		if (number_in(idev, pasid, slot))
			unreserve_regions(idev, slot->ppasid, ioas);
	}
}

static int reserve_slot(struct dev_group *group, u32 pasid, struct attach_slot *slot,
			struct ioas *ioas)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &group->devices, node) {
		if (!number_in(idev, pasid, slot))
			continue;
		rc = reserve_regions(idev, slot->ppasid, ioas);
		if (rc) {
			unreserve_slot(group, pasid, slot, ioas, idev);
			return rc;
		}
	}
	return 0;
}

static int check_fit_slot(struct dev_group *group, u32 pasid, struct attach_slot *slot,
			  struct hwpt *hwpt)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &group->devices, node) {
		if (!number_in(idev, pasid, slot))
			continue;
		rc = check_fit(idev, slot->ppasid, hwpt);
		if (rc)
			return rc;
	}
	return 0;
}

static void commit_slot(struct dev_group *group, u32 pasid, struct attach_slot *slot)
{
	struct hwpt *hwpt = slot->hwpt;
	struct iommufd_device *idev;
	struct pasid_number *num;

	list_for_each_entry(idev, &group->devices, node) {
		num = number_in(idev, pasid, slot);
		if (num)
			pasid_dev_commit(&idev->pasids, num, hwpt->obj.id, hwpt->ioas->obj.id);
	}
}

static int replace_locked(struct iommufd_device *idev, u32 pasid, struct attach_slot *slot,
			  struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	struct ioas *old = slot->hwpt->ioas;
	bool moves = old != hwpt->ioas;
	int rc;

	lockdep_assert_held(&group->attach_lock);
	rc = check_fit_slot(group, pasid, slot, hwpt);
	if (!rc && moves)
		rc = reserve_slot(group, pasid, slot, hwpt->ioas);
	if (rc)
		return rc;
	rc = slot_replace(idev, pasid, slot, hwpt);
	if (moves)
		unreserve_slot(group, pasid, slot, rc ? hwpt->ioas : old, NULL);
	if (!rc)
		commit_slot(group, pasid, slot);
	return rc;
}

/**
 * attach_replace() - exchange the page table of what is attached
 * @idev: the device; other devices in the same slot follow
 * @pasid: what the user calls the PASID; 0 for the device
 * @hwpt: the page table; what is attached takes a reference
 *
 * At no moment does the device see neither table. A failure leaves the old one.
 *
 * Context: may sleep; takes attach_lock.
 * Return: 0; -EINVAL if it is not attached; -EOPNOTSUPP if the device has no
 * PASIDs, or the IOMMU cannot replace at one; or as attach_device().
 */
int attach_replace(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	struct hwpt *old = NULL;
	struct pasid_number *num;
	int rc = pasid && !core_max_pasids(idev->dev) ? -EOPNOTSUPP : -EINVAL;

	mutex_lock(&group->attach_lock);
	num = pasid_dev_attached(&idev->pasids, pasid);
	if (num) {
		struct attach_slot *slot = num->link;

		old = slot->hwpt;
		rc = old == hwpt ? 0 : replace_locked(idev, pasid, slot, hwpt);
	}
	trace_iommufd_replace(idev->dev, idev->obj.id, pasid, old ? old->obj.id : 0,
			      hwpt->obj.id, rc);
	mutex_unlock(&group->attach_lock);
	if (!rc && old != hwpt)
		hwpt_put(old);
	return rc;
}

/**
 * attach_detach() - detach a device or a PASID of it
 * @idev: the device
 * @pasid: what the user calls the PASID; 0 for the device; nothing happens if it
 *	is not attached
 *
 * The requests are blocked, without PASID with the last device of the group. No
 * cache holds a translation of a PASID when it is free again.
 *
 * Context: may sleep; takes attach_lock; calls the driver.
 */
void attach_detach(struct iommufd_device *idev, u32 pasid)
{
	struct dev_group *group = idev->group;
	struct hwpt *old = NULL;
	struct attach_slot *slot;
	struct pasid_number *num;
	struct ioas *ioas;

	mutex_lock(&group->attach_lock);
	num = pasid_dev_attached(&idev->pasids, pasid);
	if (num) {
		slot = num->link;
		ioas = slot->hwpt->ioas;
		trace_iommufd_detach(idev->dev, idev->obj.id, pasid, slot->hwpt->obj.id, 0, 0);
		if (!--slot->nr) {
			old = slot->hwpt;
			slot_detach(idev, slot);
		}
		tell_unmap(idev, num);
		unreserve_regions(idev, slot->ppasid, ioas);
		slot_put(group, slot);
		pasid_dev_release(&idev->pasids, num);
	}
	mutex_unlock(&group->attach_lock);
	if (old)
		hwpt_put(old);
}

/**
 * attach_detach_all() - detach a device and all its PASIDs
 * @idev: the device, which nobody attaches any more
 *
 * Context: may sleep; takes attach_lock; calls the driver.
 */
void attach_detach_all(struct iommufd_device *idev)
{
	struct pasid_number *num;
	u32 pasid = 1;

	while ((num = pasid_dev_next_attached(&idev->pasids, pasid))) {
		pasid = num->vpasid;
		attach_detach(idev, pasid);
		cond_resched();
	}
	attach_detach(idev, IOMMU_NO_PASID);
}
