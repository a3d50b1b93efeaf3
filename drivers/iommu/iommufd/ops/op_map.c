// SPDX-License-Identifier: GPL-2.0-only
/*
 * MAP, MAP_FILE, COPY, UNMAP and NOIOMMU_GET_PA.
 */
#include <linux/dma-buf.h>
#include <linux/capability.h>
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

/* Pages of a file, or of a dma-buf, which is a file of another kind. */
static struct pages *pages_from_fd(struct account *acct, int fd, const struct iova_range *part,
				   bool writable)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct pages *pages;
	struct file *file;

	if (!IS_ERR(dmabuf)) {
		pages = pages_from_dmabuf(acct, ctx_device(), dmabuf, part, writable);
		dma_buf_put(dmabuf);
		return pages;
	}
	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	pages = pages_from_file(acct, file, part->start, range_length(part) >> PAGE_SHIFT,
				writable);
	fput(file);
	return pages;
}

/* The part of memory at source, as a pages object of whole pages. */
static struct pages *make_pages(struct op_call *call, const struct iova_range *source, int fd,
				bool writable)
{
	struct iova_range part = {
		.start = source->start & PAGE_MASK,
		.last = source->last | ~PAGE_MASK,
	};
	struct account *acct = ctx_account(call->ictx);
	struct pages *pages;

	if (!acct)
		return ERR_PTR(-ENOMEM);
	if (fd < 0)
		pages = pages_from_user(acct, part.start, range_length(&part) >> PAGE_SHIFT,
					writable);
	else
		pages = pages_from_fd(acct, fd, &part, writable);
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
static int respond_or_unmap(struct op_call *call, u32 ioas_id, const struct ioas_map_args *args,
			    u64 *iova)
{
	struct iova_range range = { .start = args->iova, .last = args->iova + args->length - 1 };
	unsigned long unmapped;
	int rc;

	*iova = args->iova;
	rc = op_respond_u64(call, iova);
	if (!rc)
		return 0;
	CLASS(ioas, ioas)(call->ictx, ioas_id);
	if (!IS_ERR(ioas))
		ioas_unmap(ioas, &range, false, &unmapped);
	return rc;
}

int op_ioas_map(struct op_call *call)
{
	struct iommu_ioas_map *cmd = call->cmd;
	struct ioas_map_args args = {};
	int rc;

	rc = check_target(cmd->flags, cmd->iova, cmd->length, &args) ?:
	     map_pages(call, cmd->ioas_id, cmd->user_va, -1, &args);
	if (rc)
		return rc;
	return respond_or_unmap(call, cmd->ioas_id, &args, &cmd->iova);
}

int op_ioas_map_file(struct op_call *call)
{
	struct iommu_ioas_map_file *cmd = call->cmd;
	struct ioas_map_args args = {};
	int rc;

	if (cmd->fd < 0)
		return -EBADF;
	rc = check_target(cmd->flags, cmd->iova, cmd->length, &args) ?:
	     map_pages(call, cmd->ioas_id, cmd->start, cmd->fd, &args);
	if (rc)
		return rc;
	return respond_or_unmap(call, cmd->ioas_id, &args, &cmd->iova);
}

static int copy_areas(struct op_call *call, const struct iommu_ioas_copy *cmd,
		      struct ioas_map_args *args)
{
	struct iova_range from;
	int rc = range_from_abi(&from, cmd->src_iova, cmd->length);

	if (rc)
		return rc;
	CLASS(ioas, dst)(call->ictx, cmd->dst_ioas_id);
	CLASS(ioas, src)(call->ictx, cmd->src_ioas_id);
	if (IS_ERR(dst) || IS_ERR(src))
		return -ENOENT;
	return ioas_copy(dst, src, &from, args);
}

int op_ioas_copy(struct op_call *call)
{
	struct iommu_ioas_copy *cmd = call->cmd;
	struct ioas_map_args args = {};
	int rc;

	rc = check_target(cmd->flags, cmd->dst_iova, cmd->length, &args) ?:
	     copy_areas(call, cmd, &args);
	if (rc)
		return rc;
	return respond_or_unmap(call, cmd->dst_ioas_id, &args, &cmd->dst_iova);
}

int op_ioas_unmap(struct op_call *call)
{
	struct iommu_ioas_unmap *cmd = call->cmd;
	struct iova_range range = { .last = ULONG_MAX };
	bool all = !cmd->iova && cmd->length == U64_MAX;
	unsigned long unmapped;
	int rc;

	rc = all ? 0 : range_from_abi(&range, cmd->iova, cmd->length);
	if (rc)
		return rc;
	CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = ioas_unmap(ioas, &range, false, &unmapped);
	if (rc)
		return rc;
	/* Nothing to do is no failure for who wants all of it gone. */
	if (!unmapped && !all)
		return -ENOENT;
	cmd->length = unmapped;
	return op_respond_u64(call, &cmd->length);
}

int op_noiommu_get_pa(struct op_call *call)
{
	struct iommu_ioas_noiommu_get_pa *cmd = call->cmd;
	struct iova_range range;
	unsigned long length;
	phys_addr_t phys;
	int rc;

	if (!IS_ENABLED(CONFIG_VFIO_NOIOMMU))
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	rc = range_from_abi(&range, cmd->iova, cmd->length);
	if (rc)
		return rc;
	CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = ioas_phys(ioas, &range, &phys, &length);
	if (rc)
		return rc;
	cmd->out_phys = phys;
	cmd->length = length;
	return op_respond(call);
}
