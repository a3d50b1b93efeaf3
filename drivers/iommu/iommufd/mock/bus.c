// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus of the mock devices, and the one IOMMU that all of them are behind.
 *
 * An IOMMU without a firmware node would be taken for that of every device in
 * the system without one, and where another such IOMMU is, mock devices would be
 * taken for its. So the mock has a node, and each of its devices refers to it.
 */
#include <linux/fwnode.h>
#include <linux/slab.h>
#include <linux/string.h>

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

/* Index -> struct mock_device, until nobody uses it; its lock protects that. */
static DEFINE_XARRAY_ALLOC(mock_devices);
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

/**
 * mock_device_group() - which group a device is in
 * @dev: a mock device
 *
 * Context: may sleep.
 * Return: that of its peer, or one of its own; with a reference.
 */
struct iommu_group *mock_device_group(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	return mdev->peer ? iommu_group_get(&mdev->peer->dev) : generic_device_group(dev);
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
	kfree(mdev);
	atomic_dec(&nr_devices);
}

static int device_setup(struct mock_device *mdev)
{
	int rc = dev_set_name(&mdev->dev, "iommufd_mock%d", mdev->index);

	return rc ? rc : fwspec_init(&mdev->dev);
}

static int device_register_at(struct mock_device *mdev)
{
	int rc;

	device_initialize(&mdev->dev);
	mdev->dev.bus = &mock_bus;
	mdev->dev.release = device_release;
	rc = device_setup(mdev);
	if (!rc)
		rc = device_add(&mdev->dev);
	if (rc) {
		put_device(&mdev->dev);
		return rc;
	}
	/* The bus does not tell why the IOMMU did not take it: for want of memory. */
	if (!mdev->dev.iommu_group) {
		device_unregister(&mdev->dev);
		return -ENOMEM;
	}
	/* Where the core would have it from firmware. */
	if (mdev->flags & MOCK_FLAGS_DEVICE_PASID)
		mdev->dev.iommu->max_pasids = mock_iommu.max_pasids;
	return 0;
}

/* With a place on the bus, where nobody finds it before it is there. */
static struct mock_device *device_new(u32 *index)
{
	struct mock_device *mdev = kzalloc(sizeof(*mdev), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!mdev)
		return ERR_PTR(-ENOMEM);
	rc = xa_alloc(&mock_devices, index, NULL, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (!rc)
		return mdev;
	kfree(mdev);
	return ERR_PTR(rc);
}

/**
 * mock_device_add() - a new device
 * @flags: MOCK_FLAGS_DEVICE_...
 * @peer: whose group it joins, kept by the caller meanwhile; or NULL
 *
 * Context: may sleep.
 * Return: the device, behind the IOMMU, with one reference, or ERR_PTR(): -EBUSY if
 * something is attached at PASIDs of the peer.
 */
struct mock_device *mock_device_add(u32 flags, struct mock_device *peer)
{
	struct mock_device *mdev;
	u32 index;
	int rc;

	if (peer && !mock_pasids_join(&peer->pasids))
		return ERR_PTR(-EBUSY);
	mdev = device_new(&index);
	if (IS_ERR(mdev)) {
		if (peer)
			mock_pasids_joined(&peer->pasids);
		return mdev;
	}
	atomic_inc(&nr_devices);
	mdev->index = index;
	mdev->flags = flags;
	mdev->peer = peer;
	refcount_set(&mdev->users, 1);
	mock_pasids_init(&mdev->pasids);
	spin_lock_init(&mdev->faults.lock);
	spin_lock_init(&mdev->viommu_lock);
	memset32(mdev->caches, IOMMU_TEST_DEV_CACHE_DEFAULT, ARRAY_SIZE(mdev->caches));
	rc = device_register_at(mdev);
	if (peer)
		mock_pasids_joined(&peer->pasids);
	if (rc) {
		xa_erase(&mock_devices, index);
		return ERR_PTR(rc);
	}
	mdev->peer = NULL;
	xa_store(&mock_devices, index, mdev, GFP_KERNEL);
	return mdev;
}

/**
 * mock_device_get() - find a device
 * @index: its number on the bus
 *
 * Context: any.
 * Return: the device with a reference, or ERR_PTR(-ENOENT).
 */
struct mock_device *mock_device_get(u32 index)
{
	struct mock_device *mdev;

	xa_lock(&mock_devices);
	mdev = xa_load(&mock_devices, index);
	if (!mdev || !refcount_inc_not_zero(&mdev->users))
		mdev = ERR_PTR(-ENOENT);
	xa_unlock(&mock_devices);
	return mdev;
}

/**
 * mock_device_put() - drop a reference
 * @mdev: the device; ends with the last, when nobody owns its DMA
 *
 * Context: may sleep.
 */
void mock_device_put(struct mock_device *mdev)
{
	u32 index = mdev->index;

	if (!refcount_dec_and_test(&mdev->users))
		return;
	/* Nobody finds it, and nobody gets its name before it is gone. */
	xa_store(&mock_devices, index, XA_ZERO_ENTRY, GFP_KERNEL);
	mock_pasids_exit(&mdev->pasids);
	mock_faults_end(mdev);
	device_unregister(&mdev->dev);
	xa_erase(&mock_devices, index);
}

/**
 * mock_devices_left() - for a check for leaks
 *
 * Return: devices that are not freed.
 */
int mock_devices_left(void)
{
	return atomic_read(&nr_devices);
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
	WARN(mock_devices_left(), "mock: %d devices left\n", mock_devices_left());
	iommu_device_unregister_bus(&mock_iommu, &mock_bus, &mock_notifier);
	iommu_device_sysfs_remove(&mock_iommu);
	bus_unregister(&mock_bus);
	xa_destroy(&mock_devices);
}
