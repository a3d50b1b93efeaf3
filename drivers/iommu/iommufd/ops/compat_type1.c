// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of VFIO's type1 container, on a file of /dev/iommu: a program that
 * knows no others gets its memory mapped through them. They are rows of a table
 * of their own over the same calls as the handlers beside this file; the part of
 * the user ABI that they belong to is include/uapi/linux/vfio.h.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/vfio.h>

#include "../ctx.h"
#include "../memory/account.h"
#include "../memory/pages.h"
#include "../space/ioas.h"
#include "../tables/hwpt.h"
#include "compat_type1.h"
#include "op.h"

/**
 * type1_copy() - copy what a caller must pass of a structure
 * @to: the kernel's
 * @from: the user's; its first member is argsz, how many bytes there are
 * @size: bytes up to the end of the last member that has to be there
 *
 * Context: may sleep.
 * Return: 0; -EFAULT; -EINVAL if argsz is less.
 */
int type1_copy(void *to, const void __user *from, size_t size)
{
	if (copy_from_user(to, from, size))
		return -EFAULT;
	return *(u32 *)to < size ? -EINVAL : 0;
}

/**
 * type1_range() - a range of whole pages, of IOVAs or addresses
 * @range: set to it
 * @start: first byte
 * @length: bytes
 *
 * Return: 0, or -EINVAL if it is none.
 */
int type1_range(struct iova_range *range, u64 start, u64 length)
{
	if (!PAGE_ALIGNED(start | length) || range_from_abi(range, start, length))
		return -EINVAL;
	return 0;
}

/**
 * type1_state() - what the context knows of type1's calls
 * @ictx: the context
 *
 * Context: any; takes the ID table's lock.
 * Return: a copy, whose @ioas may be compared with NULL only.
 */
struct compat type1_state(struct iommufd_ctx *ictx)
{
	struct compat copy;

	xa_lock(&ictx->objects);
	copy = ictx->compat;
	xa_unlock(&ictx->objects);
	return copy;
}

static int type1_version(struct iommufd_ctx *ictx, unsigned long arg)
{
	return VFIO_API_VERSION;
}

static int type1_extension(struct iommufd_ctx *ictx, unsigned long arg)
{
	switch (arg) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_NOIOMMU_IOMMU:
		return IS_ENABLED(CONFIG_VFIO_NOIOMMU);
	case VFIO_DMA_CC_IOMMU: {
		CLASS(compat_ioas, ioas)(ictx);
		return !IS_ERR(ioas) && hwpt_all_coherent(ioas);
	}
	default:
		return 0;
	}
}

/*
 * The first version of type1 lets an unmap split what was mapped, so that page
 * tables must not have large pages. Once something is mapped it is too late to
 * change.
 */
static int choose_version(struct iommufd_ctx *ictx, bool splits)
{
	int rc = 0;

	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (splits != type1_state(ictx).splits)
		rc = ioas_set_large(ioas, !splits);
	if (rc)
		return rc;
	xa_lock(&ictx->objects);
	if (ictx->compat.ioas == &ioas->obj)
		ictx->compat.splits = splits;
	xa_unlock(&ictx->objects);
	return 0;
}

static int type1_set_iommu(struct iommufd_ctx *ictx, unsigned long arg)
{
	switch (arg) {
	case VFIO_TYPE1_IOMMU:
		return choose_version(ictx, true);
	case VFIO_TYPE1v2_IOMMU:
		return choose_version(ictx, false);
	case VFIO_NOIOMMU_IOMMU:
		if (!IS_ENABLED(CONFIG_VFIO_NOIOMMU) || !type1_state(ictx).none)
			return -EINVAL;
		return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
	default:
		return -EINVAL;
	}
}

static int map_user(struct iommufd_ctx *ictx, struct ioas *ioas, unsigned long start,
		    struct ioas_map_args *args)
{
	struct account *acct = ctx_account(ictx);
	int rc;

	if (!acct)
		return -ENOMEM;
	args->pages = pages_from_user(acct, start, args->length >> PAGE_SHIFT,
				      args->prot & IOMMU_IOAS_MAP_WRITEABLE);
	account_put(acct);
	if (IS_ERR(args->pages))
		return PTR_ERR(args->pages);
	rc = ioas_map(ioas, args);
	pages_put(args->pages);
	return rc;
}

static int type1_map(struct iommufd_ctx *ictx, unsigned long arg)
{
	struct ioas_map_args args = { .fixed = true };
	struct vfio_iommu_type1_dma_map map;
	struct iova_range iova, source;
	int rc;

	rc = type1_copy(&map, (void __user *)arg, offsetofend(typeof(map), size));
	if (rc)
		return rc;
	if (map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;
	rc = type1_range(&iova, map.iova, map.size) ?: type1_range(&source, map.vaddr, map.size);
	if (rc)
		return rc;
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		args.prot |= IOMMU_IOAS_MAP_READABLE;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		args.prot |= IOMMU_IOAS_MAP_WRITEABLE;
	if (!args.prot)
		return -EINVAL;
	args.iova = iova.start;
	args.length = range_length(&iova);
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	return map_user(ictx, ioas, source.start, &args);
}

static int unmap(struct iommufd_ctx *ictx, const struct vfio_iommu_type1_dma_unmap *arg,
		 const struct type1_bitmap *bitmap, unsigned long *unmapped)
{
	bool all = arg->flags & VFIO_DMA_UNMAP_FLAG_ALL;
	struct iova_range range = { .last = ULONG_MAX };
	int rc;

	rc = all ? (arg->iova || arg->size ? -EINVAL : 0) :
		   type1_range(&range, arg->iova, arg->size);
	if (rc)
		return rc;
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (arg->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		if (!type1_state(ictx).logging)
			return -EINVAL;
		rc = type1_check_bitmap(bitmap, &range) ?: type1_report(ioas, &range, bitmap);
		if (rc)
			return rc;
	}
	return ioas_unmap(ioas, &range, type1_state(ictx).splits && !all, unmapped);
}

static int type1_unmap(struct iommufd_ctx *ictx, unsigned long arg)
{
	const u32 known = VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	struct vfio_iommu_type1_dma_unmap __user *user = (void __user *)arg;
	struct vfio_iommu_type1_dma_unmap call;
	struct type1_bitmap bitmap = {};
	unsigned long unmapped;
	int rc;

	rc = type1_copy(&call, user, offsetofend(typeof(call), size));
	if (rc)
		return rc;
	/* All is no range that bits could be counted in. */
	if ((call.flags & ~known) || call.flags == known)
		return -EINVAL;
	if (call.flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		if (call.argsz < sizeof(call) + sizeof(struct vfio_bitmap))
			return -EINVAL;
		rc = type1_copy_bitmap(&bitmap, user->data);
		if (rc)
			return rc;
	}
	rc = unmap(ictx, &call, &bitmap, &unmapped);
	return rc ?: put_user((u64)unmapped, &user->size);
}

/**
 * struct type1_row - one call
 * @cmd: its number
 * @handler: does the work; its argument is a number or an address
 */
struct type1_row {
	unsigned int cmd;
	int (*handler)(struct iommufd_ctx *ictx, unsigned long arg);
};

/* ENABLE and DISABLE are those of another kind of container. */
static const struct type1_row rows[] = {
	{ VFIO_IOMMU_MAP_DMA, type1_map },
	{ VFIO_IOMMU_UNMAP_DMA, type1_unmap },
	{ VFIO_IOMMU_DIRTY_PAGES, type1_dirty_pages },
	{ VFIO_IOMMU_GET_INFO, type1_get_info },
	{ VFIO_GET_API_VERSION, type1_version },
	{ VFIO_CHECK_EXTENSION, type1_extension },
	{ VFIO_SET_IOMMU, type1_set_iommu },
};

/**
 * compat_type1() - a call that is none of /dev/iommu's own
 * @ictx: the context
 * @cmd: its number
 * @arg: its argument
 *
 * Context: may sleep.
 * Return: what type1 returns, or -ENOTTY.
 */
long compat_type1(struct iommufd_ctx *ictx, unsigned int cmd, unsigned long arg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].cmd == cmd)
			return rows[i].handler(ictx, arg);
	return -ENOTTY;
}

/* IOMMU_VFIO_IOAS: which IOAS those calls mean. */
int op_vfio_ioas(struct op_call *call)
{
	struct iommu_vfio_ioas *cmd = call->cmd;

	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET: {
		CLASS(compat_ioas, ioas)(call->ictx);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		cmd->ioas_id = ioas->obj.id;
		return op_respond(call);
	}
	case IOMMU_VFIO_IOAS_SET: {
		CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		return ioas_compat_set(call->ictx, ioas);
	}
	case IOMMU_VFIO_IOAS_CLEAR:
		return ioas_compat_set(call->ictx, NULL);
	default:
		return -EOPNOTSUPP;
	}
}
