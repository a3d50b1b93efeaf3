// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual devices: which device a guest's IOMMU means by a number. One ends when
 * the user destroys it, and with its device at the latest.
 */
#include <linux/limits.h>
#include <linux/slab.h>

#include "viommu.h"

static void vdevice_free(struct vdevice *vdev)
{
	viommu_put(vdev->viommu);
	kfree(vdev->drv);
	kfree(vdev);
}

static void vdevice_destroy(struct object *obj)
{
	struct vdevice *vdev = container_of(obj, struct vdevice, obj);
	struct viommu *viommu = vdev->viommu;

	scoped_guard(rwsem_write, &viommu->vdevs_rwsem) {
		xa_erase(&viommu->vdevs, vdev->drv->virt_id);
		if (viommu->drv->ops->vdevice_release)
			viommu->drv->ops->vdevice_release(vdev->drv);
	}
	object_slot_leave(obj, vdev->slot);
	vdevice_free(vdev);
}

const struct object_type vdevice_type = {
	.name = "vdevice",
	.destroy = vdevice_destroy,
};

/* Nobody finds it by its number before the driver has it. */
static int vdevice_join(struct viommu *viommu, struct vdevice *vdev)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	u64 virt_id = vdev->drv->virt_id;
	int rc;

	guard(rwsem_write)(&viommu->vdevs_rwsem);
	rc = xa_insert(&viommu->vdevs, virt_id, NULL, GFP_KERNEL_ACCOUNT);
	if (rc)
		return rc == -EBUSY ? -EEXIST : rc;
	rc = ops->vdevice_setup ? ops->vdevice_setup(vdev->drv) : 0;
	if (rc)
		xa_release(&viommu->vdevs, virt_id);
	else
		xa_store(&viommu->vdevs, virt_id, vdev, GFP_KERNEL_ACCOUNT);
	return rc;
}

static struct vdevice *vdevice_new(struct viommu *viommu, struct device *dev, u64 virt_id)
{
	struct vdevice *vdev = kzalloc(sizeof(*vdev), GFP_KERNEL_ACCOUNT);

	if (!vdev)
		return NULL;
	vdev->drv = kzalloc(viommu->drv->ops->vdevice_size, GFP_KERNEL_ACCOUNT);
	if (!vdev->drv) {
		kfree(vdev);
		return NULL;
	}
	vdev->drv->viommu = viommu->drv;
	vdev->drv->dev = dev;
	vdev->drv->virt_id = virt_id;
	vdev->viommu = viommu;
	object_hold(&viommu->obj);
	return vdev;
}

/**
 * vdevice_alloc() - give a device a number in a virtual IOMMU
 * @viommu: the virtual IOMMU; the virtual device takes a reference
 * @dev: the device, behind its IOMMU; the caller keeps it
 * @virt_id: what the guest's IOMMU knows it by
 * @slot: where the device keeps its virtual device; it ends that before it ends
 *
 * Context: may sleep.
 * Return: the virtual device, not yet published, or ERR_PTR(): -EEXIST if the device
 * or the number has one; -EOPNOTSUPP if the virtual IOMMU has none; -EOVERFLOW; -ENOMEM;
 * what the IOMMU driver says.
 */
struct vdevice *vdevice_alloc(struct viommu *viommu, struct device *dev, u64 virt_id,
			      struct object **slot)
{
	struct vdevice *vdev;
	int rc;

	if (!viommu->drv->ops->vdevice_size)
		return ERR_PTR(-EOPNOTSUPP);
	if (virt_id > ULONG_MAX)
		return ERR_PTR(-EOVERFLOW);
	vdev = vdevice_new(viommu, dev, virt_id);
	if (!vdev)
		return ERR_PTR(-ENOMEM);
	rc = object_init(viommu->obj.ictx, &vdev->obj, &vdevice_type);
	if (rc)
		goto free;
	rc = object_slot_take(&vdev->obj, slot);
	if (rc)
		goto abort;
	vdev->slot = slot;
	rc = vdevice_join(viommu, vdev);
	if (!rc)
		return vdev;
	object_slot_leave(&vdev->obj, slot);
abort:
	object_abort(&vdev->obj);
free:
	vdevice_free(vdev);
	return ERR_PTR(rc);
}

/**
 * viommu_virt_id() - what the guest's IOMMU knows a device by
 * @drv: the virtual IOMMU
 * @dev: the device
 * @virt_id: set to the number
 *
 * Context: see iommufd_viommu_virt_id().
 * Return: 0 or -ENOENT.
 */
int viommu_virt_id(struct iommufd_viommu *drv, const struct device *dev, u64 *virt_id)
{
	struct xarray *vdevs = &drv->core->vdevs;
	struct vdevice *vdev;
	unsigned long index;
	int rc = -ENOENT;

	xa_lock(vdevs);
	xa_for_each(vdevs, index, vdev) {
		if (vdev->drv->dev == dev) {
			*virt_id = index;
			rc = 0;
			break;
		}
	}
	xa_unlock(vdevs);
	return rc;
}

/**
 * viommu_vdevice() - the virtual device of a number
 * @drv: the virtual IOMMU
 * @virt_id: the number
 *
 * Context: see iommufd_viommu_vdevice().
 * Return: the virtual device, or NULL.
 */
struct iommufd_vdevice *viommu_vdevice(struct iommufd_viommu *drv, u64 virt_id)
{
	struct vdevice *vdev;

	lockdep_assert_held_read(&drv->core->vdevs_rwsem);
	if (virt_id > ULONG_MAX)
		return NULL;
	vdev = xa_load(&drv->core->vdevs, virt_id);
	return vdev ? vdev->drv : NULL;
}
