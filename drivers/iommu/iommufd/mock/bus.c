// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus of the mock devices, and the one IOMMU that all of them are behind.
 *
 * An IOMMU without a firmware node would be taken for that of every device in
 * the system without one, and where another such IOMMU is, mock devices would be
 * taken for its. So the mock has a node, and each of its devices refers to it.
 */
#include <linux/fwnode.h>
#include <linux/idr.h>
#include <linux/slab.h>

#include "../../iommu-priv.h"
#include "mock.h"

static const struct bus_type mock_bus = {
	.name = "iommufd_mock",
};

static const struct fwnode_operations no_fwnode_ops = {};
static struct fwnode_handle mock_fwnode;
static struct notifier_block mock_notifier;
static struct iommu_device mock_iommu = {
	.fwnode = &mock_fwnode,
	.max_pasids = 1U << MOCK_PASID_WIDTH,
};

static DEFINE_IDA(mock_ida);
static atomic_t nr_devices = ATOMIC_INIT(0);

/**
 * mock_iommu_device() - which IOMMU a device is behind
 * @dev: a mock device
 *
 * Return: the one there is.
 */
struct iommu_device *mock_iommu_device(struct device *dev)
{
	return &mock_iommu;
}

/* iommu_fwspec_init() wants a lock that is not for modules. */
static int fwspec_init(struct device *dev)
{
	struct iommu_fwspec *fwspec = kzalloc(sizeof(*fwspec), GFP_KERNEL);
	struct dev_iommu *param = kzalloc(sizeof(*param), GFP_KERNEL);

	if (!fwspec || !param) {
		kfree(fwspec);
		kfree(param);
		return -ENOMEM;
	}
	mutex_init(&param->lock);
	fwspec->iommu_fwnode = &mock_fwnode;
	param->fwspec = fwspec;
	dev->iommu = param;
	return 0;
}

static void device_release(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	/* The iommu core has freed it, unless it never saw the device. */
	if (dev->iommu) {
		kfree(dev->iommu->fwspec);
		kfree(dev->iommu);
	}
	if (mdev->index >= 0)
		ida_free(&mock_ida, mdev->index);
	kfree(mdev);
	atomic_dec(&nr_devices);
}

static int device_setup(struct mock_device *mdev)
{
	int rc;

	mdev->index = ida_alloc(&mock_ida, GFP_KERNEL);
	if (mdev->index < 0)
		return mdev->index;
	rc = dev_set_name(&mdev->dev, "iommufd_mock%d", mdev->index);
	return rc ? rc : fwspec_init(&mdev->dev);
}

/**
 * mock_device_add() - a new device
 * @flags: MOCK_FLAGS_DEVICE_...
 *
 * Context: may sleep.
 * Return: the device, behind the IOMMU in a group of its own, or ERR_PTR().
 */
struct mock_device *mock_device_add(u32 flags)
{
	struct mock_device *mdev = kzalloc(sizeof(*mdev), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!mdev)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&nr_devices);
	device_initialize(&mdev->dev);
	mdev->dev.bus = &mock_bus;
	mdev->dev.release = device_release;
	mdev->flags = flags;
	rc = device_setup(mdev);
	if (!rc)
		rc = device_add(&mdev->dev);
	if (rc) {
		put_device(&mdev->dev);
		return ERR_PTR(rc);
	}
	/* The bus does not tell why the IOMMU did not take it: for want of memory. */
	if (!mdev->dev.iommu_group) {
		device_unregister(&mdev->dev);
		return ERR_PTR(-ENOMEM);
	}
	/* Where the core would have it from firmware. */
	if (flags & MOCK_FLAGS_DEVICE_PASID)
		mdev->dev.iommu->max_pasids = mock_iommu.max_pasids;
	return mdev;
}

/**
 * mock_device_del() - the end of a device
 * @mdev: the device, which nobody owns the DMA of
 *
 * Context: may sleep.
 */
void mock_device_del(struct mock_device *mdev)
{
	device_unregister(&mdev->dev);
}

/**
 * mock_bus_init() - register bus and IOMMU
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int __init mock_bus_init(void)
{
	int rc;

	rc = bus_register(&mock_bus);
	if (rc)
		return rc;
	rc = iommu_device_sysfs_add(&mock_iommu, NULL, NULL, "iommufd_mock_iommu");
	if (rc)
		goto unregister_bus;
	fwnode_init(&mock_fwnode, &no_fwnode_ops);
	rc = iommu_device_register_bus(&mock_iommu, &mock_iommu_ops, &mock_bus, &mock_notifier);
	if (rc)
		goto remove_sysfs;
	return 0;

remove_sysfs:
	iommu_device_sysfs_remove(&mock_iommu);
unregister_bus:
	bus_unregister(&mock_bus);
	return rc;
}

/**
 * mock_bus_exit() - take back mock_bus_init()
 *
 * Context: may sleep. Devices are gone: the contexts that had them keep the
 * module.
 */
void mock_bus_exit(void)
{
	WARN(atomic_read(&nr_devices), "mock: %d devices left\n", atomic_read(&nr_devices));
	iommu_device_unregister_bus(&mock_iommu, &mock_bus, &mock_notifier);
	iommu_device_sysfs_remove(&mock_iommu);
	bus_unregister(&mock_bus);
	ida_destroy(&mock_ida);
}
