// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOAS_ALLOC, IOVA_RANGES, ALLOW_IOVAS and CHANGE_PROCESS.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../ctx.h"
#include "../space/ioas.h"
#include "op.h"

int op_ioas_alloc(struct op_call *call)
{
	struct iommu_ioas_alloc *cmd = call->cmd;
	struct ioas *ioas = ioas_alloc(call->ictx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	call->new_obj = &ioas->obj;
	return 0;
}

int op_ioas_iova_ranges(struct op_call *call)
{
	struct iommu_ioas_iova_ranges *cmd = call->cmd;
	struct iommu_iova_range __user *out = u64_to_user_ptr(cmd->allowed_iovas);
	struct iova_range *ranges;
	u32 i, nr, room = cmd->num_iovas;
	unsigned long align;
	int rc = 0;

	CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ranges = ioas_usable(ioas, &nr, &align);
	if (!ranges && nr)
		return -ENOMEM;
	for (i = 0; i < min(nr, room) && !rc; i++) {
		struct iommu_iova_range r = {
			.start = ranges[i].start,
			.last = ranges[i].last,
		};

		rc = copy_to_user(&out[i], &r, sizeof(r)) ? -EFAULT : 0;
	}
	kfree(ranges);
	if (rc)
		return rc;
	cmd->num_iovas = nr;
	cmd->out_iova_alignment = align;
	return op_respond(call) ?: nr > room ? -EMSGSIZE : 0;
}

static int load_range(struct iova_range *out, const struct iommu_iova_range __user *in)
{
	struct iommu_iova_range r;

	if (copy_from_user(&r, in, sizeof(r)))
		return -EFAULT;
	if (r.start >= r.last || r.last > ULONG_MAX)
		return -EINVAL;
	out->start = r.start;
	out->last = r.last;
	return 0;
}

int op_ioas_allow_iovas(struct op_call *call)
{
	struct iommu_ioas_allow_iovas *cmd = call->cmd;
	struct iommu_iova_range __user *in = u64_to_user_ptr(cmd->allowed_iovas);
	struct iova_range *ranges;
	int rc = 0;
	u32 i;

	CLASS(ioas, ioas)(call->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* Bounded by what kmalloc() gives: far more than anybody has use for. */
	ranges = kmalloc_array(max(cmd->num_iovas, 1U), sizeof(*ranges),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ranges)
		return -ENOMEM;
	for (i = 0; i < cmd->num_iovas && !rc; i++)
		rc = load_range(&ranges[i], &in[i]);
	if (!rc)
		rc = ioas_allow(ioas, ranges, cmd->num_iovas);
	if (rc)
		kfree(ranges);
	return rc;
}

int op_ioas_change_process(struct op_call *call)
{
	return ctx_change_process(call->ictx);
}
