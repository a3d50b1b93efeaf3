// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu: the device file and the module. A map of the directory, from the
 * ioctl down; each layer calls only those below it:
 *
 *	entry	main.c ioctl.c		open, close, the table of ioctls
 *		container.c		the name /dev/vfio/vfio
 *		fdinfo.c debug.c show*.c	what there is, as text
 *	ops	ops/			one handler per ioctl: from the user's
 *					structures to ranges and objects
 *	attach	attach/			devices and in-kernel users, and what they
 *					are attached to; kapi.c is what VFIO calls
 *	tables	tables/			page tables (hwpt): domains of the iommu core;
 *					virtual IOMMUs on them; queues of events
 *	pasid	pasid/			which PASIDs a device's user may use, and what
 *					they stand for in requests
 *	space	space/			I/O address spaces: IOVA -> area; map, unmap,
 *					copy as transactions; the lock order (ioas.h)
 *	load	domain/			pinned pages into a domain; the only callers of
 *					the iommu core
 *	memory	memory/			pages objects: what is pinned, kept as runs of
 *					contiguous pages, and who pays for it
 *	base	object.c abi.h		IDs and references; ranges
 *
 * mock/ is a pretended IOMMU with devices, for tests. To see how a device gets
 * at memory: kapi.c: iommufd_device_attach() -> attach_auto.c -> attach.c.
 */
#include <linux/atomic.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "container.h"
#include "ctx.h"
#include "debug.h"
#include "fdinfo.h"
#include "ioctl.h"
#include "memory/account.h"
#include "mock/entry.h"
#include "pasid/pasid_set.h"
#include "tables/viommu.h"

/* Contexts that there were. */
static atomic64_t contexts;

/* What a context has from the beginning, or as much of it as there was memory for. */
static void ctx_free(struct iommufd_ctx *ictx)
{
	if (ictx->payers)
		payers_free(ictx->payers);
	if (ictx->pasids)
		pasid_set_free(ictx->pasids);
	kfree(ictx);
}

static int ctx_open(struct inode *inode, struct file *filp)
{
	struct iommufd_ctx *ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);

	if (!ictx)
		return -ENOMEM;
	ictx->pasids = pasid_set_new();
	ictx->payers = payers_new();
	if (!ictx->pasids || !ictx->payers) {
		ctx_free(ictx);
		return -ENOMEM;
	}
	ictx->file = filp;
	ictx->nr = atomic64_inc_return(&contexts);
	/* As VFIO's own container charges. */
	ictx->account_per_process = container_opened(filp);
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ictx->groups, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ictx->idle);
	spin_lock_init(&ictx->account_lock);
	if (debug_add(ictx)) {
		ctx_free(ictx);
		return -ENOMEM;
	}
	filp->private_data = ictx;
	return 0;
}

static int ctx_release(struct inode *inode, struct file *filp)
{
	struct iommufd_ctx *ictx = filp->private_data;

	debug_remove(ictx);
	/* Devices and accesses hold the file: none is left. */
	object_destroy_all(ictx);
	WARN_ON(!xa_empty(&ictx->groups));
	if (ictx->account)
		account_put(ictx->account);
	xa_destroy(&ictx->objects);
	xa_destroy(&ictx->groups);
	ctx_free(ictx);
	return 0;
}

static int ctx_mmap(struct file *filp, struct vm_area_struct *vma)
{
	return viommu_mmap(filp->private_data, vma);
}

static const struct file_operations ctx_fops = {
	.owner = THIS_MODULE,
	.open = ctx_open,
	.release = ctx_release,
	.unlocked_ioctl = ioctl_dispatch,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = ctx_mmap,
	.show_fdinfo = fdinfo_show,
};

/**
 * ctx_of_file() - the context of an open file
 * @file: a file
 *
 * Context: any.
 * Return: the context, which lives as long as the file, or NULL.
 */
struct iommufd_ctx *ctx_of_file(struct file *file)
{
	return file->f_op == &ctx_fops ? file->private_data : NULL;
}

/**
 * ctx_account() - who pays for what the calling process maps
 * @ictx: the context
 *
 * Context: process, may sleep; takes account_lock and payers.lock.
 * Return: the account with a reference, or NULL when memory is short.
 */
struct account *ctx_account(struct iommufd_ctx *ictx)
{
	struct account *acct, *old;
	bool per_process;

	spin_lock(&ictx->account_lock);
	per_process = ictx->account_per_process;
	acct = ictx->account ? account_hold(ictx->account) : NULL;
	spin_unlock(&ictx->account_lock);
	if (acct && account_fits(acct, per_process))
		return acct;
	if (acct)
		account_put(acct);

	acct = account_new(ictx->payers, per_process);
	if (!acct)
		return NULL;
	account_hold(acct);
	spin_lock(&ictx->account_lock);
	old = ictx->account;
	ictx->account = acct;
	spin_unlock(&ictx->account_lock);
	if (old)
		account_put(old);
	return acct;
}

/**
 * ctx_change_process() - the calling process pays for what is pinned
 * @ictx: the context
 *
 * Context: process, may sleep; takes payers.lock and mmap locks.
 * Return: as payers_take_over().
 */
int ctx_change_process(struct iommufd_ctx *ictx)
{
	return payers_take_over(ictx->payers, READ_ONCE(ictx->account_per_process));
}

/**
 * ctx_set_account_mode() - charge pinned memory per process or per user
 * @ictx: the context
 * @per_process: per process
 *
 * Context: takes account_lock.
 * Return: 0, or -EBUSY if there is any object.
 */
int ctx_set_account_mode(struct iommufd_ctx *ictx, bool per_process)
{
	if (!xa_empty(&ictx->objects))
		return -EBUSY;
	spin_lock(&ictx->account_lock);
	ictx->account_per_process = per_process;
	spin_unlock(&ictx->account_lock);
	return 0;
}

static struct miscdevice ctx_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.nodename = "iommu",
	.fops = &ctx_fops,
	.mode = 0660,
};

/**
 * ctx_device() - /dev/iommu as a device, for whom a user of memory is one
 *
 * Context: any; somebody has the file open.
 * Return: the device.
 */
struct device *ctx_device(void)
{
	return ctx_misc.this_device;
}

static int __init iommufd_init(void)
{
	int rc = misc_register(&ctx_misc);

	if (rc)
		return rc;
	rc = container_init(&ctx_fops);
	if (rc)
		goto undo_device;
	rc = mock_init();
	if (rc)
		goto undo_container;
	pasid_set_capacity(true);
	debug_init();
	return 0;

undo_container:
	container_exit();
undo_device:
	misc_deregister(&ctx_misc);
	return rc;
}

static void __exit iommufd_exit(void)
{
	debug_exit();
	pasid_set_capacity(false);
	mock_exit();
	container_exit();
	misc_deregister(&ctx_misc);
}

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_DESCRIPTION("I/O address spaces and devices for user space: /dev/iommu");
MODULE_LICENSE("GPL");
