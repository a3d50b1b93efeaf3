/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device bound to a context, and its IOMMU group, whose devices share what
 * their requests without PASID are attached to.
 */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include <linux/mutex.h>

#include "../object.h"

struct device;
struct hwpt;
struct iommu_group;

/**
 * struct dev_group - an IOMMU group of which devices are bound
 * @users: devices bound; protected by the lock of iommufd_ctx.groups
 * @ictx: the context
 * @group: the iommu core's group; holds a reference
 * @attach_lock: protects @hwpt, @nr_attached, @devices and iommufd_device.attached
 * @hwpt: what the group is attached to, or NULL; holds a reference
 * @nr_attached: devices attached
 * @devices: struct iommufd_device
 */
struct dev_group {
	unsigned int users;
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	struct mutex attach_lock; /* of all that follows */
	struct hwpt *hwpt;
	unsigned int nr_attached;
	struct list_head devices;
};

/**
 * struct iommufd_device - a bound device
 * @obj: head
 * @group: its group; holds a reference
 * @node: in dev_group.devices
 * @dev: the device; the driver that bound it keeps it
 * @flags: of enum iommufd_bind_flags
 * @attached: the device is attached
 * @coherent: its page tables must overrule no-snoop requests
 */
struct iommufd_device {
	struct object obj;
	struct dev_group *group;
	struct list_head node;
	struct device *dev;
	unsigned int flags;
	bool attached;
	bool coherent;
};

extern const struct object_type device_type;

static inline void idev_put(struct iommufd_device *idev)
{
	object_put(&idev->obj);
}

OBJECT_KIND(idev, struct iommufd_device, device_type);

struct iommufd_device *device_bind(struct iommufd_ctx *ictx, struct device *dev,
				   unsigned int flags);
void device_unbind(struct iommufd_device *idev);
bool device_group_bound(struct iommufd_ctx *ictx, struct iommu_group *group);

#endif
