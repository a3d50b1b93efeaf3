// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices on /dev/iommu: what device drivers put into their
 * vfio_device_ops, for devices with an IOMMU (physical), for slices of one, and for
 * devices that a driver emulates. Passes (device, PASID, pt_id) on to iommufd and
 * keeps no state but whether the device is attached.
 *
 * vfio_device.iommufd_device, iommufd_access and iommufd_attached are protected
 * by the lock of the device set. iommufd never calls back with that lock wanted:
 * dma_unmap() of a driver must not take it either.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/vfio.h>

#include "vfio.h"

MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_VFIO);

/**
 * vfio_df_iommufd_bind() - bind the device of an opened file to its iommufd
 * @df: the file; iommufd is set, and devid is set here
 *
 * One without an IOMMU stays unbound: nothing can be done about its DMA.
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0 or what the driver's bind_iommufd() says.
 */
int vfio_df_iommufd_bind(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	lockdep_assert_held(&device->dev_set->lock);
	if (vfio_device_is_noiommu(device))
		return 0;
	return device->ops->bind_iommufd(device, df->iommufd, &df->devid);
}

/**
 * vfio_df_iommufd_unbind() - take back vfio_df_iommufd_bind()
 * @df: the file
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_df_iommufd_unbind(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	lockdep_assert_held(&device->dev_set->lock);
	if (!vfio_device_is_noiommu(device))
		device->ops->unbind_iommufd(device);
}

/**
 * vfio_iommufd_device_has_compat_ioas() - does a container that is an iommufd map
 * @vdev: the device
 * @ictx: the iommufd
 *
 * Return: whether type1's calls on it mean an IOAS.
 */
bool vfio_iommufd_device_has_compat_ioas(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	u32 ioas_id;

	return iommufd_vfio_compat_ioas_get_id(ictx, &ioas_id) == 0;
}

/**
 * vfio_iommufd_compat_attach_ioas() - attach a device opened through its group
 * @device: the device
 * @ictx: the iommufd that is the group's container
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0, also for a device without an IOMMU; -ENODEV if the IOAS is gone; or
 * what the driver's attach_ioas() says.
 */
int vfio_iommufd_compat_attach_ioas(struct vfio_device *device, struct iommufd_ctx *ictx)
{
	u32 ioas_id;
	int rc;

	lockdep_assert_held(&device->dev_set->lock);
	if (vfio_device_is_noiommu(device))
		return 0;
	rc = iommufd_vfio_compat_ioas_get_id(ictx, &ioas_id);
	return rc ? rc : device->ops->attach_ioas(device, &ioas_id);
}

/**
 * vfio_iommufd_device_ictx() - which iommufd a physical device is bound to
 * @vdev: the device
 *
 * Context: dev_set->lock held, or else the device is known to stay bound.
 * Return: the context, without a reference, or NULL.
 */
struct iommufd_ctx *vfio_iommufd_device_ictx(struct vfio_device *vdev)
{
	return vdev->iommufd_device ? iommufd_device_to_ictx(vdev->iommufd_device) : NULL;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_device_ictx);

/**
 * vfio_iommufd_get_dev_id() - what a context may know a device by
 * @vdev: the device
 * @ictx: the context
 *
 * Context: dev_set->lock held, or else the device is known to stay bound.
 * Return: its ID, if it is bound to @ictx; -ENOENT if it is not, but another
 * device of its group is, so that nobody else can own it; else -ENODEV.
 */
int vfio_iommufd_get_dev_id(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	struct iommu_group *group;
	bool owned;

	if (vfio_iommufd_device_ictx(vdev) == ictx)
		return ictx ? iommufd_device_to_id(vdev->iommufd_device) : -ENODEV;

	group = iommu_group_get(vdev->dev);
	if (!group)
		return -ENODEV;
	owned = ictx && iommufd_ctx_has_group(ictx, group);
	iommu_group_put(group);
	return owned ? -ENOENT : -ENODEV;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_get_dev_id);

/**
 * vfio_iommufd_physical_attach_ioas() - attach_ioas() of a device with an IOMMU
 * @vdev: the device; if it is attached, the new page table takes the old one's place
 * @pt_id: ID of an IOAS or page table; set to the page table's
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0, or -errno with everything as before.
 */
int vfio_iommufd_physical_attach_ioas(struct vfio_device *vdev, u32 *pt_id)
{
	int rc;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (vdev->iommufd_attached)
		return iommufd_device_replace(vdev->iommufd_device, IOMMU_NO_PASID, pt_id);
	rc = iommufd_device_attach(vdev->iommufd_device, IOMMU_NO_PASID, pt_id);
	if (!rc)
		vdev->iommufd_attached = true;
	return rc;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_attach_ioas);

/**
 * vfio_iommufd_physical_detach_ioas() - detach_ioas() of a device with an IOMMU
 * @vdev: the device, attached or not
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_physical_detach_ioas(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	if (vdev->iommufd_attached)
		iommufd_device_detach(vdev->iommufd_device, IOMMU_NO_PASID);
	vdev->iommufd_attached = false;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_detach_ioas);

/**
 * vfio_iommufd_physical_pasid_attach_ioas() - pasid_attach_ioas() of a device with an IOMMU
 * @vdev: the device
 * @pasid: what user space calls the PASID, 1 or more; if it is attached, the new
 *	page table takes the old one's place
 * @pt_id: ID of an IOAS or page table; set to the page table's
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0, or -errno with everything as before.
 */
int vfio_iommufd_physical_pasid_attach_ioas(struct vfio_device *vdev, u32 pasid, u32 *pt_id)
{
	struct iommufd_device *idev = vdev->iommufd_device;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (iommufd_device_attached(idev, pasid))
		return iommufd_device_replace(idev, pasid, pt_id);
	return iommufd_device_attach(idev, pasid, pt_id);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_pasid_attach_ioas);

/**
 * vfio_iommufd_physical_pasid_detach_ioas() - pasid_detach_ioas() of a device with an IOMMU
 * @vdev: the device
 * @pasid: what user space calls the PASID, attached or not
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_physical_pasid_detach_ioas(struct vfio_device *vdev, u32 pasid)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	iommufd_device_detach(vdev->iommufd_device, pasid);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_pasid_detach_ioas);

static int set_device(struct vfio_device *vdev, struct iommufd_device *idev)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	vdev->iommufd_device = idev;
	return 0;
}

/**
 * vfio_iommufd_physical_bind_as() - bind a device with an IOMMU, as its driver says
 * @vdev: the device
 * @ictx: the context
 * @how: flags, and who is told of PASIDs
 * @out_device_id: set to its ID there
 *
 * For the bind_iommufd() of a driver whose device is not like others.
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0 or why iommufd cannot have the device.
 */
int vfio_iommufd_physical_bind_as(struct vfio_device *vdev, struct iommufd_ctx *ictx,
				  const struct iommufd_bind *how, u32 *out_device_id)
{
	return set_device(vdev, iommufd_device_bind(ictx, vdev->dev, how, out_device_id));
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_bind_as);

/**
 * vfio_iommufd_slice_bind() - bind a device that is a slice of another
 * @vdev: the device
 * @ictx: the context
 * @parent: the device with the hardware, which the driver keeps
 * @how: flags, and who is told of PASIDs
 * @out_device_id: set to its ID there
 *
 * For the bind_iommufd() of a driver whose other operations are those of a device
 * with an IOMMU.
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0 or why iommufd cannot have the slice.
 */
int vfio_iommufd_slice_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			    struct device *parent, const struct iommufd_bind *how,
			    u32 *out_device_id)
{
	return set_device(vdev, iommufd_slice_bind(ictx, parent, how, out_device_id));
}
EXPORT_SYMBOL_GPL(vfio_iommufd_slice_bind);

/**
 * vfio_iommufd_physical_bind() - bind_iommufd() of a device with an IOMMU
 * @vdev: the device
 * @ictx: the context
 * @out_device_id: set to its ID there
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0 or why iommufd cannot have the device.
 */
int vfio_iommufd_physical_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			       u32 *out_device_id)
{
	static const struct iommufd_bind how = {};

	return vfio_iommufd_physical_bind_as(vdev, ictx, &how, out_device_id);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_bind);

/**
 * vfio_iommufd_physical_unbind() - unbind_iommufd() of a device with an IOMMU
 * @vdev: the device, it or PASIDs of it attached or not; or a slice
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_physical_unbind(struct vfio_device *vdev)
{
	vfio_iommufd_physical_detach_ioas(vdev);
	iommufd_device_unbind(vdev->iommufd_device);
	vdev->iommufd_device = NULL;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_unbind);

/**
 * vfio_iommufd_emulated_attach_ioas() - attach_ioas() of a device without an IOMMU
 * @vdev: the device; if it is attached, it leaves the IOAS that it was attached to
 * @pt_id: ID of an IOAS
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0, or -errno with everything as before.
 */
int vfio_iommufd_emulated_attach_ioas(struct vfio_device *vdev, u32 *pt_id)
{
	int rc;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (vdev->iommufd_attached)
		return iommufd_access_replace(vdev->iommufd_access, *pt_id);
	rc = iommufd_access_attach(vdev->iommufd_access, *pt_id);
	if (!rc)
		vdev->iommufd_attached = true;
	return rc;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_attach_ioas);

/**
 * vfio_iommufd_emulated_detach_ioas() - detach_ioas() of a device without an IOMMU
 * @vdev: the device, attached or not
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_emulated_detach_ioas(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	if (vdev->iommufd_attached)
		iommufd_access_detach(vdev->iommufd_access);
	vdev->iommufd_attached = false;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_detach_ioas);

/**
 * vfio_iommufd_emulated_pasid_attach_ioas() - pasid_attach_ioas() without an IOMMU
 * @vdev: the device, whose driver has called iommufd_access_set_pasids()
 * @pasid: what user space calls the PASID, 1 or more; if it is attached, it leaves
 *	the IOAS that it was attached to
 * @pt_id: ID of an IOAS
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0, or -errno with everything as before.
 */
int vfio_iommufd_emulated_pasid_attach_ioas(struct vfio_device *vdev, u32 pasid, u32 *pt_id)
{
	struct iommufd_access *access = vdev->iommufd_access;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (iommufd_access_pasid_attached(access, pasid))
		return iommufd_access_pasid_replace(access, pasid, *pt_id);
	return iommufd_access_pasid_attach(access, pasid, *pt_id);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_pasid_attach_ioas);

/**
 * vfio_iommufd_emulated_pasid_detach_ioas() - pasid_detach_ioas() without an IOMMU
 * @vdev: the device
 * @pasid: what user space calls the PASID, attached or not
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_emulated_pasid_detach_ioas(struct vfio_device *vdev, u32 pasid)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	iommufd_access_pasid_detach(vdev->iommufd_access, pasid);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_pasid_detach_ioas);

static void emulated_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct vfio_device *vdev = data;
	const struct vfio_device_ops *ops = vdev->ops;

	/* A driver without it pins nothing: vfio_pin_pages() sees to that. */
	if (ops->dma_unmap)
		ops->dma_unmap(vdev, iova, length);
}

static void emulated_pasid_unmap(void *data, u32 pasid, unsigned long iova, unsigned long length)
{
	struct vfio_device *vdev = data;
	const struct vfio_device_ops *ops = vdev->ops;

	if (ops->pasid_dma_unmap)
		ops->pasid_dma_unmap(vdev, pasid, iova, length);
}

static const struct iommufd_access_ops emulated_ops = {
	.needs_pin_pages = 1,
	.unmap = emulated_unmap,
	.pasid_unmap = emulated_pasid_unmap,
};

/**
 * vfio_iommufd_emulated_bind() - bind_iommufd() of a device without an IOMMU
 * @vdev: the device
 * @ictx: the context
 * @out_device_id: set to its ID there
 *
 * Context: may sleep; dev_set->lock held.
 * Return: 0 or -errno.
 */
int vfio_iommufd_emulated_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			       u32 *out_device_id)
{
	struct iommufd_access *access;

	lockdep_assert_held(&vdev->dev_set->lock);
	access = iommufd_access_create(ictx, &emulated_ops, vdev, out_device_id);
	if (IS_ERR(access))
		return PTR_ERR(access);
	vdev->iommufd_access = access;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_bind);

/**
 * vfio_iommufd_emulated_unbind() - unbind_iommufd() of a device without an IOMMU
 * @vdev: the device, attached or not
 *
 * Context: may sleep; dev_set->lock held.
 */
void vfio_iommufd_emulated_unbind(struct vfio_device *vdev)
{
	vfio_iommufd_emulated_detach_ioas(vdev);
	iommufd_access_destroy(vdev->iommufd_access);
	vdev->iommufd_access = NULL;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_unbind);
