// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPT_SET_DIRTY_TRACKING and HWPT_GET_DIRTY_BITMAP.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <uapi/linux/iommufd.h>

#include "../domain/core.h"
#include "../tables/dirty.h"
#include "op.h"

int op_set_dirty_tracking(struct op_call *call)
{
	struct iommu_hwpt_set_dirty_tracking *cmd = call->cmd;

	CLASS(hwpt, hwpt)(call->ictx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	return dirty_set_tracking(hwpt, cmd->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
}

/* A page smaller than the smallest that the IOMMU has would tell what it cannot know. */
static int check_page_size(const struct iommu_hwpt_get_dirty_bitmap *cmd,
			   const struct iommu_domain *domain)
{
	if (!is_power_of_2(cmd->page_size) || cmd->page_size < 1UL << __ffs(domain->pgsize_bitmap))
		return -EINVAL;
	return (cmd->iova | cmd->length) & (cmd->page_size - 1) ? -EINVAL : 0;
}

int op_get_dirty_bitmap(struct op_call *call)
{
	struct iommu_hwpt_get_dirty_bitmap *cmd = call->cmd;
	struct dirty_request req = {
		.keep = cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
		.data = u64_to_user_ptr(cmd->data),
	};
	int rc;

	rc = range_from_abi(&req.range, cmd->iova, cmd->length);
	if (rc)
		return rc;
	CLASS(hwpt, hwpt)(call->ictx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (!core_tracks_dirty(hwpt->member.domain))
		return -EOPNOTSUPP;
	rc = check_page_size(cmd, hwpt->member.domain);
	if (rc)
		return rc;
	req.shift = ilog2(cmd->page_size);
	return dirty_read(hwpt, &req);
}
