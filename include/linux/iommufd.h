/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-kernel interface of /dev/iommu, for the drivers that own devices (VFIO)
 * and for drivers that emulate them (mdev). kapi.c implements it and has the
 * kernel-doc; Documentation/driver-api/iommufd.rst shows how the parts fit.
 */
#ifndef __LINUX_IOMMUFD_H
#define __LINUX_IOMMUFD_H

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct file;
struct iommu_group;
struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;
struct page;

/**
 * enum iommufd_bind_flags - what a driver says of its device when it binds it
 * @IOMMUFD_BIND_NO_INTERRUPTS: the device cannot send a message signalled
 *	interrupt, so that interrupt isolation is not asked of its group
 * @IOMMUFD_BIND_CTX_OWNED: the device ends with the context, as an object of it,
 *	and so does not keep the context's file
 * @IOMMUFD_BIND_GLOBAL_PASIDS: the device's PASIDs meet those of other users, as
 *	with shared work queues: they come from the system-wide space. Without it
 *	they are the device's own
 */
enum iommufd_bind_flags {
	IOMMUFD_BIND_NO_INTERRUPTS = BIT(0),
	IOMMUFD_BIND_CTX_OWNED = BIT(1),
	IOMMUFD_BIND_GLOBAL_PASIDS = BIT(2),
};

/**
 * struct iommufd_pasid_ops - for who has to know what user space's PASIDs stand for
 * @map: requests for @vpasid have to carry @ppasid from now on; an error undoes
 *	what was about to be done, and is what user space gets
 * @unmap: they must not any more
 *
 * Both may sleep, and must not call back into iommufd.
 */
struct iommufd_pasid_ops {
	int (*map)(void *data, u32 vpasid, u32 ppasid);
	void (*unmap)(void *data, u32 vpasid, u32 ppasid);
};

/**
 * struct iommufd_bind - how a driver binds its device
 * @flags: of enum iommufd_bind_flags
 * @pasid_ops: told of each PASID before it is attached and after it was detached,
 *	and of the one of a slice itself with a @vpasid of 0; or NULL
 * @data: passed to them
 */
struct iommufd_bind {
	unsigned int flags;
	const struct iommufd_pasid_ops *pasid_ops;
	void *data;
};

/**
 * struct iommufd_pasid_follower - who follows a context's global PASIDs
 * @node: iommufd's
 * @ops: told of each PASID that there is, then before the first device has a new
 *	one and after the last has lost it
 * @data: passed to them
 */
struct iommufd_pasid_follower {
	struct list_head node;
	const struct iommufd_pasid_ops *ops;
	void *data;
};

/**
 * enum iommufd_access_flags - how an in-kernel user touches an IOAS
 * @IOMMUFD_ACCESS_RW_READ: copy from the IOAS, or pin for reading
 * @IOMMUFD_ACCESS_RW_WRITE: copy to the IOAS, or pin for writing
 * @IOMMUFD_ACCESS_RW_KTHREAD: accepted for callers that say so; where the
 *	caller runs makes no difference
 */
enum iommufd_access_flags {
	IOMMUFD_ACCESS_RW_READ = 0,
	IOMMUFD_ACCESS_RW_WRITE = BIT(0),
	IOMMUFD_ACCESS_RW_KTHREAD = BIT(1),
};

/**
 * struct iommufd_access_ops - what a driver that pins memory provides
 * @needs_pin_pages: the driver calls iommufd_access_pin_pages(); IOVAs are
 *	then aligned to pages
 * @unmap: memory at these IOVAs is about to go away: the driver stops using it
 *	and calls iommufd_access_unpin_pages() for what it has pinned there
 *	before it returns. May sleep. Must not attach, replace, detach or
 *	destroy the access.
 * @pasid_unmap: the same for what is attached at a PASID
 */
struct iommufd_access_ops {
	u8 needs_pin_pages : 1;
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
	void (*pasid_unmap)(void *data, u32 pasid, unsigned long iova, unsigned long length);
};

/**
 * struct iommufd_access_pasids - the PASIDs of an emulated device
 * @width: bits; its numbers are 1 to 2^width - 1, at most 20 bits
 * @parent: NULL for numbers of its own; else they come from the system-wide
 *	space, for this device
 */
struct iommufd_access_pasids {
	unsigned int width;
	struct device *parent;
};

#if IS_ENABLED(CONFIG_IOMMUFD)
void iommufd_ctx_get(struct iommufd_ctx *ictx);
void iommufd_ctx_put(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group);

struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev,
					   const struct iommufd_bind *how, u32 *id);
struct iommufd_device *iommufd_slice_bind(struct iommufd_ctx *ictx, struct device *parent,
					  const struct iommufd_bind *how, u32 *id);
u32 iommufd_slice_pasid(struct iommufd_device *idev);
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev);
u32 iommufd_device_to_id(struct iommufd_device *idev);
bool iommufd_device_attached(struct iommufd_device *idev, u32 pasid);
int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
void iommufd_device_detach(struct iommufd_device *idev, u32 pasid);
void iommufd_device_unbind(struct iommufd_device *idev);

int iommufd_pasid_follow(struct iommufd_ctx *ictx, struct iommufd_pasid_follower *follower);
void iommufd_pasid_unfollow(struct iommufd_ctx *ictx, struct iommufd_pasid_follower *follower);

int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx);
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx);
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id);

int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t length, unsigned int flags);
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **pages, unsigned int flags);
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length);
struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops,
					     void *data, u32 *id);
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id);
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id);
void iommufd_access_detach(struct iommufd_access *access);
void iommufd_access_destroy(struct iommufd_access *access);

int iommufd_access_set_pasids(struct iommufd_access *access,
			      const struct iommufd_access_pasids *pasids);
bool iommufd_access_pasid_attached(struct iommufd_access *access, u32 pasid);
int iommufd_access_pasid_attach(struct iommufd_access *access, u32 pasid, u32 ioas_id);
int iommufd_access_pasid_replace(struct iommufd_access *access, u32 pasid, u32 ioas_id);
void iommufd_access_pasid_detach(struct iommufd_access *access, u32 pasid);
int iommufd_access_pasid_rw(struct iommufd_access *access, u32 pasid, unsigned long iova,
			    void *data, size_t length, unsigned int flags);
int iommufd_access_pasid_pin(struct iommufd_access *access, u32 pasid, unsigned long iova,
			     unsigned long length, struct page **pages, unsigned int flags);
void iommufd_access_pasid_unpin(struct iommufd_access *access, u32 pasid, unsigned long iova,
				unsigned long length);
#else
static inline int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
				    void *data, size_t length, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
					   unsigned long length, struct page **pages,
					   unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
}

static inline void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
					      unsigned long length)
{
}

static inline int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}
#endif
#endif
