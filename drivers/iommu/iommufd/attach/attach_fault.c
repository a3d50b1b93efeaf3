// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of what is attached: the handle by which the iommu core reports
 * them, and the device's permission to send any; it is alone in its group, and that
 * counts. An attachment to a page table
 * without a fault queue has no handle, and costs nothing here.
 *
 *	attach:  start | core attach
 *	replace: start for the new table | core replace | end of the old one's
 *	detach:  core detach | end
 */
#include <linux/slab.h>

#include "../domain/core.h"
#include "../tables/fault.h"
#include "../tables/hwpt.h"
#include "attach_fault.h"
#include "device.h"

/**
 * attach_fault_check() - whether a device may ask for pages in a page table
 * @idev: the device
 * @hwpt: the page table
 *
 * Context: may sleep.
 * Return: 0; -EPERM if the device shares its group: which device it was, the
 * handle does not tell; -EOPNOTSUPP for a slice, whose parent sends the page
 * requests for all of them, and its driver answers.
 */
int attach_fault_check(const struct iommufd_device *idev, const struct hwpt *hwpt)
{
	if (!hwpt->faults)
		return 0;
	if (idev->slice)
		return -EOPNOTSUPP;
	return core_group_is_single(idev->group->group) ? 0 : -EPERM;
}

/**
 * attach_fault_start() - get ready for the page requests of an attachment
 * @idev: the device
 * @pasid: what the user calls the PASID; 0 for the device
 * @slot: what is to be attached
 * @hwpt: the page table
 *
 * Context: may sleep; attach_lock is held.
 * Return: the handle; NULL if the page table has no fault queue; ERR_PTR():
 * -ENOMEM, or see core_faults_enable().
 */
struct fault_handle *attach_fault_start(struct iommufd_device *idev, u32 pasid,
					const struct attach_slot *slot, const struct hwpt *hwpt)
{
	struct dev_group *group = idev->group;
	struct fault_handle *handle;
	int rc = 0;

	lockdep_assert_held(&group->attach_lock);
	if (!hwpt->faults)
		return NULL;
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->queue = hwpt->faults;
	handle->dev_id = idev->obj.id;
	handle->pasid = pasid;
	handle->own_pasids = slot->ppasid == IOMMU_NO_PASID;
	if (!group->nr_faults)
		rc = core_faults_enable(idev->dev);
	if (rc) {
		kfree(handle);
		return ERR_PTR(rc);
	}
	group->nr_faults++;
	return handle;
}

/**
 * attach_fault_stop() - undo attach_fault_start()
 * @idev: the device
 * @handle: the handle, which the iommu core never took; or NULL
 *
 * Context: may sleep; attach_lock is held.
 */
void attach_fault_stop(struct iommufd_device *idev, struct fault_handle *handle)
{
	struct dev_group *group = idev->group;

	lockdep_assert_held(&group->attach_lock);
	if (!handle)
		return;
	if (!--group->nr_faults)
		core_faults_disable(idev->dev);
	kfree(handle);
}

/**
 * attach_fault_end() - the end of an attachment that may have page requests
 * @idev: the device
 * @handle: the handle, which the iommu core has let go; or NULL
 *
 * What the user has not answered is answered.
 *
 * Context: may sleep; attach_lock is held. Never waits for the user.
 */
void attach_fault_end(struct iommufd_device *idev, struct fault_handle *handle)
{
	if (!handle)
		return;
	/* A driver may have found the handle just before it went. */
	core_faults_wait();
	fault_end(handle);
	attach_fault_stop(idev, handle);
}

/**
 * attach_fault_core() - a handle as the iommu core takes it
 * @handle: the handle, or NULL
 *
 * Return: its part in it, or NULL.
 */
struct iommu_attach_handle *attach_fault_core(struct fault_handle *handle)
{
	return handle ? &handle->core : NULL;
}
