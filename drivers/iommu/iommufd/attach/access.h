/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An emulated device's way to the memory of an IOAS.
 */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include <linux/mutex.h>

#include "../object.h"
#include "../space/ioas.h"

struct iommufd_access;
struct iommufd_access_ops;

/**
 * struct access_link - one attachment of an access
 * @acc: its place in the IOAS
 * @refs: the access's, and one per call that uses it
 * @access: whose it is
 * @ioas: where; holds a reference
 */
struct access_link {
	struct ioas_access acc;
	refcount_t refs;
	struct iommufd_access *access;
	struct ioas *ioas;
};

/**
 * struct iommufd_access - an in-kernel user of IOASes
 * @obj: head
 * @ops: the driver's
 * @data: the driver's
 * @lock: protects @link and @draining
 * @link: what it is attached to, or NULL
 * @draining: what it is being detached from, until the driver has unpinned
 */
struct iommufd_access {
	struct object obj;
	const struct iommufd_access_ops *ops;
	void *data;
	struct mutex lock; /* of link and draining */
	struct access_link *link;
	struct access_link *draining;
};

extern const struct object_type access_type;

struct iommufd_access *access_create(struct iommufd_ctx *ictx,
				     const struct iommufd_access_ops *ops, void *data);
int access_change(struct iommufd_access *access, u32 ioas_id, bool replace);
void access_detach(struct iommufd_access *access);
int access_pin(struct iommufd_access *access, const struct iova_range *range, bool write,
	       struct page **out);
void access_unpin(struct iommufd_access *access, const struct iova_range *range);
int access_rw(struct iommufd_access *access, const struct iova_range *range, void *data,
	      bool write);

#endif
