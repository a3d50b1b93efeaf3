/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device bound to a context, and its IOMMU group, whose devices share what
 * their requests without PASID are attached to.
 */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include <linux/mutex.h>

#include "../object.h"
#include "../pasid/pasid_dev.h"
#include "../pasid/pasid_set.h"

struct device;
struct fault_handle;
struct hwpt;
struct iommu_group;
struct iommufd_bind;
struct iommufd_pasid_ops;

/**
 * struct attach_slot - what the requests of a group with one PASID go through
 * @hwpt: the page table, or NULL; holds a reference
 * @faults: by which page requests are reported, or NULL
 * @nr: devices attached here: of a group without PASID, or slices of one parent
 * @ppasid: in requests; 0 without PASID
 */
struct attach_slot {
	struct hwpt *hwpt;
	struct fault_handle *faults;
	unsigned int nr;
	u32 ppasid;
};

/**
 * struct dev_group - an IOMMU group of which devices or slices are bound
 * @users: devices and slices bound; protected by the lock of iommufd_ctx.groups
 * @owned: devices bound, whose DMA is the context's; protected likewise
 * @ictx: the context
 * @group: the iommu core's group; holds a reference
 * @attach_lock: protects all that follows, and pasid_number.link
 * @rid: requests without PASID
 * @slots: PASID in requests -> struct attach_slot, in use
 * @devices: struct iommufd_device
 * @nr_faults: slots whose device may ask for pages
 */
struct dev_group {
	unsigned int users;
	unsigned int owned;
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	struct mutex attach_lock; /* of all that follows */
	struct attach_slot rid;
	struct xarray slots;
	struct list_head devices;
	unsigned int nr_faults;
};

/**
 * struct iommufd_device - a bound device
 * @obj: head
 * @group: its group; holds a reference
 * @node: in dev_group.devices
 * @dev: the device, or the parent of a slice; the driver that bound it keeps it
 * @flags: of enum iommufd_bind_flags
 * @coherent: its page tables must overrule no-snoop requests
 * @slice: it is a slice: its requests are those of @dev with @own
 * @own: the PASID of a slice itself
 * @pasids: its PASIDs; where number 0 is attached, the device is
 * @vdev: its virtual device, or NULL; a slot, see object_slot_take()
 * @pasid_ops: of the driver, or NULL
 * @data: passed to them
 */
struct iommufd_device {
	struct object obj;
	struct dev_group *group;
	struct list_head node;
	struct device *dev;
	unsigned int flags;
	bool coherent;
	bool slice;
	struct pasid_global own;
	struct pasid_dev pasids;
	struct object *vdev;
	const struct iommufd_pasid_ops *pasid_ops;
	void *data;
};

extern const struct object_type device_type;

static inline void idev_put(struct iommufd_device *idev)
{
	object_put(&idev->obj);
}

OBJECT_KIND(idev, struct iommufd_device, device_type);

struct iommufd_device *device_bind(struct iommufd_ctx *ictx, struct device *dev,
				   const struct iommufd_bind *how);
struct iommufd_device *device_bind_slice(struct iommufd_ctx *ictx, struct device *parent,
					 const struct iommufd_bind *how);
void device_unbind(struct iommufd_device *idev);
bool device_group_bound(struct iommufd_ctx *ictx, struct iommu_group *group);

#endif
