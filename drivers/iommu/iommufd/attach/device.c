// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding: a device becomes the context's, and its DMA is blocked until it is
 * attached. Knows nothing of page tables but that a group may have one.
 */
#include <linux/device.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "device.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Accept devices on platforms without interrupt remapping: a user who owns a device can then raise any interrupt");

static struct dev_group *group_get(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct dev_group *new, *found;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->users = 1;
	new->ictx = ictx;
	new->group = iommu_group_ref_get(group);
	mutex_init(&new->attach_lock);
	INIT_LIST_HEAD(&new->devices);

	xa_lock(&ictx->groups);
	found = __xa_cmpxchg(&ictx->groups, iommu_group_id(group), NULL, new, GFP_KERNEL_ACCOUNT);
	if (!found) {
		xa_unlock(&ictx->groups);
		return new;
	}
	if (xa_is_err(found))
		found = ERR_PTR(xa_err(found));
	else
		found->users++;
	xa_unlock(&ictx->groups);
	iommu_group_put(group);
	kfree(new);
	return found;
}

static void group_put(struct dev_group *group)
{
	struct iommufd_ctx *ictx = group->ictx;
	bool last;

	xa_lock(&ictx->groups);
	last = !--group->users;
	if (last)
		__xa_erase(&ictx->groups, iommu_group_id(group->group));
	xa_unlock(&ictx->groups);
	if (!last)
		return;

	WARN_ON(group->hwpt || !list_empty(&group->devices));
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
	return group && xa_load(&ictx->groups, iommu_group_id(group));
}

static int check_device(struct device *dev, struct iommu_group *group, unsigned int flags)
{
	/* The CPU and the device have to see the same memory. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return -EINVAL;
	if ((flags & IOMMUFD_BIND_NO_INTERRUPTS) || iommu_group_has_isolated_msi(group))
		return 0;
	if (!allow_unsafe_interrupts) {
		dev_warn(dev, "no interrupt remapping: not bound; iommufd.allow_unsafe_interrupts=1 accepts the risk\n");
		return -EPERM;
	}
	dev_warn_once(dev, "interrupts are not isolated, accepted by module parameter\n");
	return 0;
}

static void device_destroy_obj(struct object *obj)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);
	struct file *file = idev->flags & IOMMUFD_BIND_CTX_OWNED ? NULL : obj->ictx->file;

	mutex_lock(&idev->group->attach_lock);
	list_del(&idev->node);
	mutex_unlock(&idev->group->attach_lock);
	iommu_device_release_dma_owner(idev->dev);
	group_put(idev->group);
	kfree(idev);
	if (file)
		fput(file);
}

const struct object_type device_type = {
	.name = "device",
	.kernel_owned = true,
	.destroy = device_destroy_obj,
};

static struct iommufd_device *device_new(struct iommufd_ctx *ictx, struct device *dev,
					 struct dev_group *group, unsigned int flags)
{
	struct iommufd_device *idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!idev)
		return ERR_PTR(-ENOMEM);
	rc = iommu_device_claim_dma_owner(dev, ictx);
	if (rc)
		goto free;
	rc = object_init(ictx, &idev->obj, &device_type);
	if (rc)
		goto release;
	idev->dev = dev;
	idev->group = group;
	idev->flags = flags;
	idev->coherent = device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	return idev;

release:
	iommu_device_release_dma_owner(dev);
free:
	kfree(idev);
	return ERR_PTR(rc);
}

/**
 * device_bind() - make a device the context's
 * @ictx: the context; the device holds its file, unless it is owned by it
 * @dev: the device, which stays until device_unbind()
 * @flags: of enum iommufd_bind_flags
 *
 * Context: may sleep.
 * Return: the device, published, or ERR_PTR(): -ENODEV without IOMMU; -EINVAL
 * without coherent DMA; -EPERM if interrupts are not isolated, or another context
 * or a kernel driver has a device of the group; -EBUSY if the kernel has attached
 * a domain of its own to the group; -ENOMEM.
 */
struct iommufd_device *device_bind(struct iommufd_ctx *ictx, struct device *dev,
				   unsigned int flags)
{
	struct iommu_group *core_group = iommu_group_get(dev);
	struct iommufd_device *idev;
	struct dev_group *group;
	int rc;

	if (!core_group)
		return ERR_PTR(-ENODEV);
	rc = check_device(dev, core_group, flags);
	group = rc ? ERR_PTR(rc) : group_get(ictx, core_group);
	iommu_group_put(core_group);
	if (IS_ERR(group))
		return ERR_CAST(group);

	idev = device_new(ictx, dev, group, flags);
	if (IS_ERR(idev)) {
		group_put(group);
		return idev;
	}
	if (!(flags & IOMMUFD_BIND_CTX_OWNED))
		get_file(ictx->file);
	mutex_lock(&group->attach_lock);
	list_add_tail(&idev->node, &group->devices);
	mutex_unlock(&group->attach_lock);
	object_publish(&idev->obj);
	return idev;
}

/**
 * device_unbind() - give a device back
 * @idev: the device, detached; freed
 *
 * Context: may sleep. Waits for calls that look at the device, none of which
 * waits for user space meanwhile.
 */
void device_unbind(struct iommufd_device *idev)
{
	WARN_ON(idev->attached);
	object_remove(&idev->obj);
}
