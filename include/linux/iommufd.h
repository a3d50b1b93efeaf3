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
 */
enum iommufd_bind_flags {
	IOMMUFD_BIND_NO_INTERRUPTS = BIT(0),
	IOMMUFD_BIND_CTX_OWNED = BIT(1),
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
 */
struct iommufd_access_ops {
	u8 needs_pin_pages : 1;
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
};

#if IS_ENABLED(CONFIG_IOMMUFD)
void iommufd_ctx_get(struct iommufd_ctx *ictx);
void iommufd_ctx_put(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group);

struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev,
					   unsigned int flags, u32 *id);
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev);
u32 iommufd_device_to_id(struct iommufd_device *idev);
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id);
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id);
void iommufd_device_detach(struct iommufd_device *idev);
void iommufd_device_unbind(struct iommufd_device *idev);

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
#endif

/*
 * A VFIO group whose container is an iommu fd needs the type1 ioctls on that
 * fd, which are not offered: groups are served by VFIO's own container.
 */
static inline int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	return -EOPNOTSUPP;
}
#endif
