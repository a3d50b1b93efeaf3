// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO and emulated devices call: check, take the object, call down. Every
 * EXPORT_SYMBOL of this module is here, but for the CPU's table in pasid_kvm.c
 * and what exporters of memory call in pages_dmabuf.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "../abi.h"
#include "../ctx.h"
#include "../domain/core.h"
#include "access.h"
#include "attach.h"
#include "device.h"

/**
 * iommufd_ctx_from_file() - the context of an open file
 * @file: a file
 *
 * Context: any.
 * Return: the context with a reference, or ERR_PTR(-EBADFD) if the file is not
 * one of /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ictx = ctx_of_file(file);

	if (!ictx)
		return ERR_PTR(-EBADFD);
	iommufd_ctx_get(ictx);
	return ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, IOMMUFD);

/**
 * iommufd_ctx_from_fd() - the context of a file descriptor
 * @fd: a descriptor of the calling process
 *
 * Context: process.
 * Return: the context with a reference; ERR_PTR(-EBADF) if nothing is open
 * there, ERR_PTR(-EBADFD) if it is not a file of /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct iommufd_ctx *ictx;

	if (!file)
		return ERR_PTR(-EBADF);
	ictx = ctx_of_file(file);
	if (!ictx) {
		fput(file);
		return ERR_PTR(-EBADFD);
	}
	/* The reference to the file is the one to the context. */
	return ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, IOMMUFD);

/**
 * iommufd_ctx_get() - one more reference
 * @ictx: a context that the caller has a reference to
 *
 * Context: any.
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, IOMMUFD);

/**
 * iommufd_ctx_put() - drop a reference
 * @ictx: the context
 *
 * Context: may sleep.
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, IOMMUFD);

/**
 * iommufd_ctx_has_group() - whether a device of a group is bound
 * @ictx: the context
 * @group: the IOMMU group
 *
 * Context: any.
 * Return: whether one is; without a lock of the caller's, a hint.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	return device_group_bound(ictx, group);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, IOMMUFD);

/**
 * iommufd_device_bind() - make a device the context's
 * @ictx: the context
 * @dev: the device, bound to the calling driver until iommufd_device_unbind()
 * @how: what the driver says of it
 * @id: set to its ID
 *
 * Its DMA is blocked until it is attached.
 *
 * Context: may sleep.
 * Return: the device or ERR_PTR(), see device_bind().
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev,
					   const struct iommufd_bind *how, u32 *id)
{
	struct iommufd_device *idev = device_bind(ictx, dev, how);

	if (!IS_ERR(idev))
		*id = idev->obj.id;
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, IOMMUFD);

/**
 * iommufd_slice_bind() - make a slice of a device the context's
 * @ictx: the context
 * @parent: the device, which the calling driver keeps until iommufd_device_unbind()
 * @how: what the driver says of the slice
 * @id: set to its ID
 *
 * The slice is known by a PASID of its parent: all other calls take it as they
 * take a device, and where they say the device is attached, that PASID is. Its
 * further PASIDs are global. It is the driver that keeps the slice, and whoever has
 * the parent, from sending PASIDs that are not theirs.
 *
 * Context: may sleep.
 * Return: the slice or ERR_PTR(), see device_bind_slice().
 */
struct iommufd_device *iommufd_slice_bind(struct iommufd_ctx *ictx, struct device *parent,
					  const struct iommufd_bind *how, u32 *id)
{
	struct iommufd_device *idev = device_bind_slice(ictx, parent, how);

	if (!IS_ERR(idev))
		*id = idev->obj.id;
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_slice_bind, IOMMUFD);

/**
 * iommufd_slice_pasid() - the PASID that a slice is known by
 * @idev: the slice
 *
 * Return: what its requests have to carry where user space names no PASID.
 */
u32 iommufd_slice_pasid(struct iommufd_device *idev)
{
	return idev->own.number;
}
EXPORT_SYMBOL_NS_GPL(iommufd_slice_pasid, IOMMUFD);

/**
 * iommufd_device_unbind() - undo iommufd_device_bind() or iommufd_slice_bind()
 * @idev: the device; it and its PASIDs are detached and freed
 *
 * Context: may sleep.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	attach_detach_all(idev);
	device_unbind(idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, IOMMUFD);

/**
 * iommufd_device_attached() - whether a device, or a PASID of it, is attached
 * @idev: the device
 * @pasid: what user space calls the PASID; IOMMU_NO_PASID for the device
 *
 * Context: may sleep.
 * Return: whether it is; a hint, if somebody else may attach or detach.
 */
bool iommufd_device_attached(struct iommufd_device *idev, u32 pasid)
{
	return pasid_dev_attached(&idev->pasids, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attached, IOMMUFD);

/**
 * iommufd_device_attach() - let a device's requests go through a page table
 * @idev: the device
 * @pasid: what user space calls the PASID; IOMMU_NO_PASID for the device
 * @pt_id: a page table, or an IOAS, of which a page table is found or made; set
 *	to the page table
 *
 * Context: may sleep and wait for user space to fault memory in.
 * Return: 0 or -errno, see attach_device() and attach_auto().
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	return attach_auto(idev, pasid, pt_id, attach_device);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, IOMMUFD);

/**
 * iommufd_device_replace() - exchange the page table of what is attached
 * @idev: the device
 * @pasid: as for iommufd_device_attach()
 * @pt_id: as for iommufd_device_attach()
 *
 * The device never sees neither table; after a failure it sees the old one.
 *
 * Context: may sleep and wait for user space to fault memory in.
 * Return: 0 or -errno, see attach_replace() and attach_auto().
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	return attach_auto(idev, pasid, pt_id, attach_replace);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, IOMMUFD);

/**
 * iommufd_device_detach() - block a device's requests
 * @idev: the device
 * @pasid: what user space calls the PASID; IOMMU_NO_PASID for the device; nothing
 *	happens if it is not attached
 *
 * Context: may sleep.
 */
void iommufd_device_detach(struct iommufd_device *idev, u32 pasid)
{
	attach_detach(idev, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, IOMMUFD);

/**
 * iommufd_pasid_follow() - have somebody follow a context's global PASIDs
 * @ictx: the context, which the caller has a reference to
 * @follower: who; its ops and data are set; kept until iommufd_pasid_unfollow()
 *
 * For a hypervisor whose CPUs translate PASIDs: it knows each vPASID before the
 * first device of the context has it, and until the last has lost it.
 *
 * Context: may sleep; calls the follower.
 * Return: 0 or the follower's error.
 */
int iommufd_pasid_follow(struct iommufd_ctx *ictx, struct iommufd_pasid_follower *follower)
{
	return pasid_set_follow(ictx->pasids, follower);
}
EXPORT_SYMBOL_NS_GPL(iommufd_pasid_follow, IOMMUFD);

/**
 * iommufd_pasid_unfollow() - undo iommufd_pasid_follow()
 * @ictx: the context
 * @follower: who; told to forget all
 *
 * Context: may sleep; calls the follower.
 */
void iommufd_pasid_unfollow(struct iommufd_ctx *ictx, struct iommufd_pasid_follower *follower)
{
	pasid_set_unfollow(ictx->pasids, follower);
}
EXPORT_SYMBOL_NS_GPL(iommufd_pasid_unfollow, IOMMUFD);

/**
 * iommufd_device_to_ictx() - the context that a device is bound to
 * @idev: the device
 *
 * Return: the context, without a reference: the device has one.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->obj.ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, IOMMUFD);

/**
 * iommufd_device_to_id() - the ID of a device
 * @idev: the device
 *
 * Return: what user space names it by.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, IOMMUFD);

/**
 * iommufd_vfio_compat_ioas_create() - a VFIO group has a context as its container
 * @ictx: the context
 *
 * Context: may sleep.
 * Return: 0: type1's calls mean an IOAS from now on; -EINVAL if another group is
 * there that has no IOMMU; -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return ioas_compat_make(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu() - the same for a group without an IOMMU
 * @ictx: the context
 *
 * Context: any.
 * Return: 0: type1's calls mean no IOAS, and never will; -EINVAL if they do.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return ioas_compat_go_without(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_ioas_get_id() - which IOAS type1's calls mean
 * @ictx: the context
 * @out_ioas_id: set to its ID
 *
 * Context: any.
 * Return: 0, or -ENODEV without one.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	*out_ioas_id = ioas->obj.id;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_access_create() - a way for a driver to the memory of IOASes
 * @ictx: the context
 * @ops: the driver's
 * @data: passed to the driver
 * @id: set to its ID
 *
 * Context: may sleep.
 * Return: the access or ERR_PTR(-ENOMEM).
 */
struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops,
					     void *data, u32 *id)
{
	struct iommufd_access *access;

	if (WARN_ON(ops->needs_pin_pages && !ops->unmap))
		return ERR_PTR(-EINVAL);
	access = access_create(ictx, ops, data);
	if (!IS_ERR(access))
		*id = access->obj.id;
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

/**
 * iommufd_access_destroy() - undo iommufd_access_create()
 * @access: the access; it and its PASIDs are detached and freed
 *
 * Context: may sleep. Calls the driver.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	access_detach_all(access);
	object_remove(&access->obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

/**
 * iommufd_access_attach() - attach an access to an IOAS
 * @access: the access, not attached
 * @ioas_id: the IOAS
 *
 * Context: may sleep.
 * Return: 0 or -errno, see access_attach().
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	return access_attach(access, IOMMU_NO_PASID, ioas_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_replace() - attach an attached access to another IOAS
 * @access: the access
 * @ioas_id: the IOAS
 *
 * Context: may sleep. Calls the driver to unpin all it has; a pin or copy meanwhile
 * is -ENOENT. The driver sees to it that no pin is under way that it has not noted.
 * Return: 0 or -errno, see access_replace().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	return access_replace(access, IOMMU_NO_PASID, ioas_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);

/**
 * iommufd_access_detach() - detach an access
 * @access: the access, attached
 *
 * Context: may sleep. Calls the driver to unpin all it has. The driver sees to it
 * that no pin is under way that it has not noted.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	access_detach(access, IOMMU_NO_PASID);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_set_pasids() - let an emulated device have PASIDs
 * @access: the access, which has none
 * @pasids: which
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for a width that is none, or if it has PASIDs; -EOPNOTSUPP
 * if the parent has none.
 */
int iommufd_access_set_pasids(struct iommufd_access *access,
			      const struct iommufd_access_pasids *pasids)
{
	struct device *parent = pasids->parent;
	u32 max;

	if (WARN_ON(access->ops->needs_pin_pages && !access->ops->pasid_unmap))
		return -EINVAL;
	if (pasids->width > PASID_WIDTH_MAX)
		return -EINVAL;
	max = BIT(pasids->width);
	if (parent)
		max = min(max, core_max_pasids(parent));
	if (!max)
		return -EOPNOTSUPP;
	return pasid_dev_setup(&access->pasids, max, parent ? access->obj.ictx->pasids : NULL,
			       parent);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_set_pasids, IOMMUFD);

/**
 * iommufd_access_pasid_attached() - whether a PASID of an access is attached
 * @access: the access
 * @pasid: what user space calls it
 *
 * Context: may sleep.
 * Return: whether it is; a hint, if somebody else may attach or detach.
 */
bool iommufd_access_pasid_attached(struct iommufd_access *access, u32 pasid)
{
	return pasid_dev_attached(&access->pasids, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_attached, IOMMUFD);

/**
 * iommufd_access_pasid_attach() - attach a PASID of an access to an IOAS
 * @access: the access
 * @pasid: what user space calls it, 1 or more
 * @ioas_id: the IOAS
 *
 * Context: may sleep.
 * Return: 0; -EDOM for 0; or -errno, see access_attach().
 */
int iommufd_access_pasid_attach(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	return pasid ? access_attach(access, pasid, ioas_id) : -EDOM;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_attach, IOMMUFD);

/**
 * iommufd_access_pasid_replace() - attach an attached PASID to another IOAS
 * @access: the access
 * @pasid: what user space calls it, 1 or more
 * @ioas_id: the IOAS
 *
 * Context: as iommufd_access_replace().
 * Return: 0; -EDOM for 0; or -errno, see access_replace().
 */
int iommufd_access_pasid_replace(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	return pasid ? access_replace(access, pasid, ioas_id) : -EDOM;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_replace, IOMMUFD);

/**
 * iommufd_access_pasid_detach() - detach a PASID of an access
 * @access: the access
 * @pasid: what user space calls it; nothing happens if it is not attached
 *
 * Context: as iommufd_access_detach().
 */
void iommufd_access_pasid_detach(struct iommufd_access *access, u32 pasid)
{
	if (pasid)
		access_detach(access, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_detach, IOMMUFD);

/**
 * iommufd_access_pasid_pin() - pin the pages behind IOVAs of a PASID
 * @access: the access; its ops say that it needs this
 * @pasid: what user space calls it; IOMMU_NO_PASID for the device
 * @iova: page-aligned
 * @length: bytes, a multiple of PAGE_SIZE
 * @pages: set to the pages, one per PAGE_SIZE
 * @flags: of enum iommufd_access_flags
 *
 * Context: may sleep and wait for user space to fault memory in; with no lock
 * held that the driver's unmap or pasid_unmap takes.
 * Return: 0; -ENOENT if something is not mapped, or the PASID not attached;
 * -EPERM to write what may not be written; -EINVAL; -EOVERFLOW; or why pinning
 * failed. Nothing stays pinned then.
 */
int iommufd_access_pasid_pin(struct iommufd_access *access, u32 pasid, unsigned long iova,
			     unsigned long length, struct page **pages, unsigned int flags)
{
	struct iova_range range;
	int rc;

	if (WARN_ON(!access->ops->needs_pin_pages))
		return -EINVAL;
	if (!PAGE_ALIGNED(iova | length) || (flags & ~IOMMUFD_ACCESS_RW_WRITE))
		return -EINVAL;
	rc = range_from_abi(&range, iova, length);
	if (rc)
		return rc;
	return access_pin(access, pasid, &range, flags & IOMMUFD_ACCESS_RW_WRITE, pages);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_pin, IOMMUFD);

/**
 * iommufd_access_pin_pages() - pin the pages behind IOVAs
 * @access: the access; its ops say that it needs this
 * @iova: page-aligned
 * @length: bytes, a multiple of PAGE_SIZE
 * @pages: set to the pages, one per PAGE_SIZE
 * @flags: of enum iommufd_access_flags
 *
 * Context: as iommufd_access_pasid_pin().
 * Return: as iommufd_access_pasid_pin().
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **pages, unsigned int flags)
{
	return iommufd_access_pasid_pin(access, IOMMU_NO_PASID, iova, length, pages, flags);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, IOMMUFD);

/**
 * iommufd_access_pasid_unpin() - undo iommufd_access_pasid_pin(), or a part of it
 * @access: the access
 * @pasid: what user space calls it; IOMMU_NO_PASID for the device
 * @iova: page-aligned
 * @length: bytes, a multiple of PAGE_SIZE, all pinned
 *
 * Context: may sleep.
 */
void iommufd_access_pasid_unpin(struct iommufd_access *access, u32 pasid, unsigned long iova,
				unsigned long length)
{
	struct iova_range range;

	if (WARN_ON(!PAGE_ALIGNED(iova | length) || range_from_abi(&range, iova, length)))
		return;
	access_unpin(access, pasid, &range);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_unpin, IOMMUFD);

/**
 * iommufd_access_unpin_pages() - undo iommufd_access_pin_pages(), or a part of it
 * @access: the access
 * @iova: page-aligned
 * @length: bytes, a multiple of PAGE_SIZE, all pinned
 *
 * Context: may sleep.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length)
{
	iommufd_access_pasid_unpin(access, IOMMU_NO_PASID, iova, length);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, IOMMUFD);

/**
 * iommufd_access_pasid_rw() - copy bytes to or from IOVAs of a PASID
 * @access: the access
 * @pasid: what user space calls it; IOMMU_NO_PASID for the device
 * @iova: first byte
 * @data: kernel memory
 * @length: bytes
 * @flags: of enum iommufd_access_flags
 *
 * Context: may sleep and wait for user space to fault memory in. Any task: the
 * memory is that of whoever mapped it.
 * Return: 0; -ENOENT if something is not mapped, or the PASID not attached;
 * -EPERM; -EFAULT; -EINVAL; -EOVERFLOW. A part may have been copied.
 */
int iommufd_access_pasid_rw(struct iommufd_access *access, u32 pasid, unsigned long iova,
			    void *data, size_t length, unsigned int flags)
{
	struct iova_range range;
	int rc;

	if (flags & ~(IOMMUFD_ACCESS_RW_WRITE | IOMMUFD_ACCESS_RW_KTHREAD))
		return -EINVAL;
	rc = range_from_abi(&range, iova, length);
	if (rc)
		return rc;
	return access_rw(access, pasid, &range, data, flags & IOMMUFD_ACCESS_RW_WRITE);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pasid_rw, IOMMUFD);

/**
 * iommufd_access_rw() - copy bytes to or from IOVAs
 * @access: the access
 * @iova: first byte
 * @data: kernel memory
 * @length: bytes
 * @flags: of enum iommufd_access_flags
 *
 * Context: as iommufd_access_pasid_rw().
 * Return: as iommufd_access_pasid_rw().
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t length, unsigned int flags)
{
	return iommufd_access_pasid_rw(access, IOMMU_NO_PASID, iova, data, length, flags);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, IOMMUFD);

MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
