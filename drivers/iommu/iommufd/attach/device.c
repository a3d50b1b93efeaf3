// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding: a device becomes the context's, and its DMA is blocked until it is
 * attached. A slice becomes the context's as a PASID of its parent, which stays
 * its driver's. Knows nothing of page tables but that a group may have one.
 */
#include <linux/device.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../domain/core.h"
#include "device.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Accept devices on platforms without interrupt remapping: a user who owns a device can then raise any interrupt");

static struct dev_group *group_get(struct iommufd_ctx *ictx, struct iommu_group *group, bool own)
{
	struct dev_group *new, *found;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->users = 1;
	new->owned = own;
	new->ictx = ictx;
	new->group = iommu_group_ref_get(group);
	mutex_init(&new->attach_lock);
	xa_init_flags(&new->slots, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&new->devices);

	xa_lock(&ictx->groups);
	found = __xa_cmpxchg(&ictx->groups, iommu_group_id(group), NULL, new, GFP_KERNEL_ACCOUNT);
	if (!found) {
		xa_unlock(&ictx->groups);
		return new;
	}
	if (xa_is_err(found)) {
		found = ERR_PTR(xa_err(found));
	} else {
		found->users++;
		found->owned += own;
	}
	xa_unlock(&ictx->groups);
	iommu_group_put(group);
	kfree(new);
	return found;
}

static void group_put(struct dev_group *group, bool own)
{
	struct iommufd_ctx *ictx = group->ictx;
	bool last;

	xa_lock(&ictx->groups);
	last = !--group->users;
	group->owned -= own;
	if (last)
		__xa_erase(&ictx->groups, iommu_group_id(group->group));
	xa_unlock(&ictx->groups);
	if (!last)
		return;

	WARN_ON(group->rid.hwpt || !xa_empty(&group->slots) || !list_empty(&group->devices));
	xa_destroy(&group->slots);
	iommu_group_put(group->group);
	mutex_destroy(&group->attach_lock);
	kfree(group);
}

/**
 * device_group_bound() - whether a device of a group is bound to a context
 * @ictx: the context
 * @group: the group
 *
 * Context: any.
 * Return: whether one is.
 */
bool device_group_bound(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct dev_group *found;
	bool bound;

	if (!group)
		return false;
	xa_lock(&ictx->groups);
	found = xa_load(&ictx->groups, iommu_group_id(group));
	bound = found && found->owned;
	xa_unlock(&ictx->groups);
	return bound;
}

/* Whether the group's devices can raise no interrupts but their own. */
static int check_interrupts(struct device *dev, struct iommu_group *group, unsigned int flags)
{
	if ((flags & IOMMUFD_BIND_NO_INTERRUPTS) || iommu_group_has_isolated_msi(group))
		return 0;
	if (!allow_unsafe_interrupts) {
		dev_warn_ratelimited(dev, "no interrupt remapping: not bound; iommufd.allow_unsafe_interrupts=1 accepts the risk\n");
		return -EPERM;
	}
	dev_warn_once(dev, "interrupts are not isolated, accepted by module parameter\n");
	return 0;
}

/* What a slice does DMA with is a number; what a device does, is the device. */
static int own_dma(struct iommufd_device *idev, struct iommufd_ctx *ictx)
{
	int rc;

	if (!idev->slice)
		return iommu_device_claim_dma_owner(idev->dev, ictx);
	rc = pasid_global_get(&idev->own, idev->dev, core_max_pasids(idev->dev));
	idev->pasids.rid.ppasid = idev->own.number;
	return rc;
}

static void disown_dma(struct iommufd_device *idev)
{
	if (idev->slice)
		pasid_global_put(&idev->own);
	else
		iommu_device_release_dma_owner(idev->dev);
}

static void device_destroy_obj(struct object *obj)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);
	struct file *file = idev->flags & IOMMUFD_BIND_CTX_OWNED ? NULL : obj->ictx->file;

	object_slot_end(obj->ictx, &idev->vdev);
	mutex_lock(&idev->group->attach_lock);
	list_del(&idev->node);
	mutex_unlock(&idev->group->attach_lock);
	pasid_dev_exit(&idev->pasids);
	disown_dma(idev);
	group_put(idev->group, !idev->slice);
	kfree(idev);
	if (file)
		fput(file);
}

const struct object_type device_type = {
	.name = "device",
	.kernel_owned = true,
	.destroy = device_destroy_obj,
};

static void setup_pasids(struct iommufd_device *idev, struct iommufd_ctx *ictx)
{
	bool global = idev->slice || (idev->flags & IOMMUFD_BIND_GLOBAL_PASIDS);
	u32 max = min(core_max_pasids(idev->dev), BIT(PASID_WIDTH_MAX));

	pasid_dev_init(&idev->pasids);
	if (max > 1)
		pasid_dev_setup(&idev->pasids, max, global ? ictx->pasids : NULL, idev->dev);
}

static struct iommufd_device *device_new(struct iommufd_ctx *ictx, struct device *dev,
					 const struct iommufd_bind *how, bool slice)
{
	struct iommufd_device *idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!idev)
		return ERR_PTR(-ENOMEM);
	idev->dev = dev;
	idev->slice = slice;
	idev->flags = how->flags;
	idev->pasid_ops = how->pasid_ops;
	idev->data = how->data;
	idev->coherent = device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	rc = own_dma(idev, ictx);
	if (rc)
		goto free;
	rc = object_init(ictx, &idev->obj, &device_type);
	if (rc)
		goto disown;
	setup_pasids(idev, ictx);
	return idev;

disown:
	disown_dma(idev);
free:
	kfree(idev);
	return ERR_PTR(rc);
}

static struct iommufd_device *bind(struct iommufd_ctx *ictx, struct device *dev,
				   const struct iommufd_bind *how, bool slice)
{
	struct iommu_group *core_group = iommu_group_get(dev);
	struct iommufd_device *idev;
	struct dev_group *group;
	int rc = 0;

	if (!core_group)
		return ERR_PTR(-ENODEV);
	/* The CPU and the device have to see the same memory. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		rc = -EINVAL;
	else if (!slice)
		rc = check_interrupts(dev, core_group, how->flags);
	group = rc ? ERR_PTR(rc) : group_get(ictx, core_group, !slice);
	iommu_group_put(core_group);
	if (IS_ERR(group))
		return ERR_CAST(group);

	idev = device_new(ictx, dev, how, slice);
	if (IS_ERR(idev)) {
		group_put(group, !slice);
		return idev;
	}
	idev->group = group;
	if (!(how->flags & IOMMUFD_BIND_CTX_OWNED))
		get_file(ictx->file);
	mutex_lock(&group->attach_lock);
	list_add_tail(&idev->node, &group->devices);
	mutex_unlock(&group->attach_lock);
	object_publish(&idev->obj);
	return idev;
}

/**
 * device_bind() - make a device the context's
 * @ictx: the context; the device holds its file, unless it is owned by it
 * @dev: the device, which stays until device_unbind()
 * @how: what its driver says of it
 *
 * Context: may sleep.
 * Return: the device, published, or ERR_PTR(): -ENODEV without IOMMU; -EINVAL
 * without coherent DMA; -EPERM if interrupts are not isolated, or another context
 * or a kernel driver has a device of the group; -EBUSY if the kernel has attached
 * a domain of its own to the group; -ENOMEM.
 */
struct iommufd_device *device_bind(struct iommufd_ctx *ictx, struct device *dev,
				   const struct iommufd_bind *how)
{
	return bind(ictx, dev, how, false);
}

/**
 * device_bind_slice() - make a slice of a device the context's
 * @ictx: the context; the slice holds its file, unless it is owned by it
 * @parent: the device, which stays its driver's
 * @how: what that driver says of the slice
 *
 * The slice has a number of the system-wide PASID space: with that its requests
 * are to be tagged, and they are blocked until it is attached. The driver
 * isolates the slice's interrupts.
 *
 * Context: may sleep.
 * Return: the slice, published, or ERR_PTR(): -ENODEV without IOMMU; -EINVAL
 * without coherent DMA; -ENOMEM, or see pasid_global_get().
 */
struct iommufd_device *device_bind_slice(struct iommufd_ctx *ictx, struct device *parent,
					 const struct iommufd_bind *how)
{
	return bind(ictx, parent, how, true);
}

/**
 * device_unbind() - give a device back
 * @idev: the device, with nothing attached; freed
 *
 * Context: may sleep. Waits for calls that look at the device, none of which
 * waits for user space meanwhile.
 */
void device_unbind(struct iommufd_device *idev)
{
	object_remove(&idev->obj);
}
