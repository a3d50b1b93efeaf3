/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An emulated device's way to the memory of IOASes: of one, and of one per PASID.
 */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include <linux/mutex.h>

#include "../object.h"
#include "../pasid/pasid_dev.h"
#include "../space/ioas.h"

struct iommufd_access;
struct iommufd_access_ops;

/**
 * struct access_link - one attachment of an access
 * @acc: its place in the IOAS
 * @refs: the access's, and one per call that uses it
 * @access: whose it is
 * @pasid: what it is attached at; 0 for the device itself
 * @ioas: where; holds a reference
 */
struct access_link {
	struct ioas_access acc;
	refcount_t refs;
	struct iommufd_access *access;
	u32 pasid;
	struct ioas *ioas;
};

/**
 * struct access_port - where an access can be attached
 * @link: what is attached, or NULL
 * @draining: what is being detached, until the driver has unpinned
 */
struct access_port {
	struct access_link *link;
	struct access_link *draining;
};

/**
 * struct iommufd_access - an in-kernel user of IOASes
 * @obj: head
 * @ops: the driver's
 * @data: the driver's
 * @change_lock: serializes attach, replace and detach, over calls of the driver
 * @lock: protects @rid and @ports, and those in there
 * @rid: the device itself
 * @ports: PASID -> struct access_port, if it is attached
 * @pasids: its PASIDs
 */
struct iommufd_access {
	struct object obj;
	const struct iommufd_access_ops *ops;
	void *data;
	struct mutex change_lock; /* one change at a time */
	struct mutex lock; /* of the ports */
	struct access_port rid;
	struct xarray ports;
	struct pasid_dev pasids;
};

extern const struct object_type access_type;

static inline void access_put(struct iommufd_access *access)
{
	object_put(&access->obj);
}

OBJECT_KIND(access, struct iommufd_access, access_type);

struct iommufd_access *access_create(struct iommufd_ctx *ictx,
				     const struct iommufd_access_ops *ops, void *data);
int access_attach(struct iommufd_access *access, u32 pasid, u32 ioas_id);
int access_replace(struct iommufd_access *access, u32 pasid, u32 ioas_id);
void access_detach(struct iommufd_access *access, u32 pasid);
void access_detach_all(struct iommufd_access *access);
int access_pin(struct iommufd_access *access, u32 pasid, const struct iova_range *range,
	       bool write, struct page **out);
void access_unpin(struct iommufd_access *access, u32 pasid, const struct iova_range *range);
int access_rw(struct iommufd_access *access, u32 pasid, const struct iova_range *range,
	      void *data, bool write);

#endif
