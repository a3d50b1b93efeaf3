// SPDX-License-Identifier: GPL-2.0-only
/*
 * MAP, MAP_FILE, COPY and UNMAP.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <uapi/linux/iommufd.h>

#include "../abi.h"
#include "../ctx.h"
#include "../memory/account.h"
#include "../memory/pages.h"
#include "../space/ioas.h"
#include "op.h"

#define PERMISSIONS (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/*
 * Where the mapping goes: a fixed IOVA has to make a range with the length;
 * another one is not looked at.
 */
static int check_target(u32 flags, u64 iova, u64 length, struct ioas_map_args *args)
{
	struct iova_range range;
	int rc;

	if (!(flags & PERMISSIONS))
		return -EINVAL;
	args->prot = flags & PERMISSIONS;
	args->fixed = flags & IOMMU_IOAS_MAP_FIXED_IOVA;
	rc = range_from_abi(&range, args->fixed ? iova : 0, length);
	if (rc)
		return rc;
	args->iova = range.start;
	args->length = length;
	return 0;
}

/* The part of memory at source, as a pages object of whole pages. */
static struct pages *make_pages(struct op_call *call, const struct iova_range *source, int fd,
				bool writable)
{
	unsigned long base = source->start & PAGE_MASK;
	unsigned long npages = (source->last >> PAGE_SHIFT) - (base >> PAGE_SHIFT) + 1;
	struct account *acct = ctx_account(call->ictx);
	struct pages *pages;
	struct file *file;

	if (!acct)
		return ERR_PTR(-ENOMEM);
	if (fd < 0) {
		pages = pages_from_user(acct, base, npages, writable);
	} else {
		file = fget(fd);
		pages = file ? pages_from_file(acct, file, base, npages, writable) :
			       ERR_PTR(-EBADF);
		if (file)
			fput(file);
	}
	account_put(acct);
	return pages;
}

static int map_pages(struct op_call *call, u32 ioas_id, u64 source_start, int fd,
		     struct ioas_map_args *args)
{
	struct iova_range source;
	int rc;

	CLASS(ioas, ioas)(call->ictx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = range_from_abi(&source, source_start, args->length);
	if (rc)
		return rc;
	args->pages = make_pages(call, &source, fd, args->prot & IOMMU_IOAS_MAP_WRITEABLE);
	if (IS_ERR(args->pages))
		return PTR_ERR(args->pages);
	args->offset = offset_in_page(source.start);
	rc = ioas_map(ioas, args);
	pages_put(args->pages);
	return rc;
}

/* The caller that cannot be told where its mapping is must not have one. */
static int respond_or_unmap(struct op_call *call, u32 ioas_id, const struct ioas_map_args *args)
{
	struct iova_range range = { .start = args->iova, .last = args->iova + args->length - 1 };
	unsigned long unmapped;
	int rc = op_respond(call);

	if (!rc)
		return 0;
	CLASS(ioas, ioas)(call->ictx, ioas_id);
	if (!IS_ERR(ioas))
		ioas_unmap(ioas, &range, &unmapped);
	return rc;
}

int op_ioas_map(struct op_call *call)
{
	struct iommu_ioas_map *cmd = call->cmd;
	struct ioas_map_args args = {};
	int rc;

	rc = check_target(cmd->flags, cmd->iova, cmd->length, &args);
	if (!rc)
		rc = map_pages(call, cmd->ioas_id, cmd->user_va, -1, &args);
	if (rc)
		return rc;
	cmd->iova = args.iova;
	return respond_or_unmap(call, cmd->ioas_id, &args);
}

int op_ioas_map_file(struct op_call *call)
{
	struct iommu_ioas_map_file *cmd = call->cmd;
	struct ioas_map_args args = {};
	int rc;

	if (cmd->fd < 0)
		return -EBADF;
	rc = check_target(cmd->flags, cmd->iova, cmd->length, &args);
	if (!rc)
		rc = map_pages(call, cmd->ioas_id, cmd->start, cmd->fd, &args);
	if (rc)
		return rc;
	cmd->iova = args.iova;
	return respond_or_unmap(call, cmd->ioas_id, &args);
}

int op_ioas_copy(struct op_call *call)
{
	struct iommu_ioas_copy *cmd = call->cmd;
	struct ioas_map_args args = {};
	struct iova_range from;
	int rc;

	rc = check_target(cmd->flags, cmd->dst_iova, cmd->length, &args);
	if (!rc)
		rc = range_from_abi(&from, cmd->src_iova, cmd->length);
	if (rc)
		return rc;

	CLASS(ioas, src)(call->ictx, cmd->src_ioas_id);
	if (IS_ERR(src))
		return PTR_ERR(src);
	CLASS(ioas, dst)(call->ictx, cmd->dst_ioas_id);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	rc = ioas_copy(dst, src, &from, &args);
	if (rc)
		return rc;
	cmd->dst_iova = args.iova;
	return respond_or_unmap(call, cmd->dst_ioas_id, &args);
}

int op_ioas_unmap(struct op_call *call)
{
	struct iommu_ioas_unmap *cmd = call->cmd;
	unsigned long unmapped = 0;
	struct iova_range range;
	int rc;

	CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->iova == 0 && cmd->length == U64_MAX) {
		rc = ioas_unmap_all(ioas, &unmapped);
	} else {
		rc = range_from_abi(&range, cmd->iova, cmd->length);
		if (!rc)
			rc = ioas_unmap(ioas, &range, &unmapped);
	}
	if (rc)
		return rc;
	cmd->length = unmapped;
	return op_respond(call);
}
