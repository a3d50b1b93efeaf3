// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPT_ALLOC.
 */
#include <uapi/linux/iommufd.h>

#include "../attach/device.h"
#include "../tables/hwpt.h"
#include "op.h"

/*
 * The device is held only while its IOMMU makes the page table: filling that
 * may wait for user space, and the device may be unbound meanwhile.
 */
static struct hwpt *alloc_for(struct op_call *call, struct iommu_hwpt_alloc *cmd,
			      struct ioas *ioas)
{
	CLASS(idev, idev)(call->ictx, cmd->dev_id);
	u32 flags = cmd->flags;

	if (IS_ERR(idev))
		return ERR_CAST(idev);
	/* Wherever it is attached, it is at a PASID. */
	if (idev->slice)
		flags |= IOMMU_HWPT_ALLOC_PASID;
	/* A parent's no-snoop is a matter of the table that nests on it. */
	return hwpt_alloc(call->ictx, ioas, idev->dev, flags,
			  idev->coherent && !(flags & IOMMU_HWPT_ALLOC_NEST_PARENT));
}

int op_hwpt_alloc(struct op_call *call)
{
	struct iommu_hwpt_alloc *cmd = call->cmd;
	struct hwpt *hwpt;
	int rc;

	if (cmd->data_type != IOMMU_HWPT_DATA_NONE || cmd->fault_id)
		return -EOPNOTSUPP;
	if (cmd->data_len || cmd->data_uptr)
		return -EINVAL;

	CLASS(object, parent)(call->ictx, cmd->pt_id);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	if (parent->type != &ioas_type)
		return -EINVAL;
	hwpt = alloc_for(call, cmd, container_of(parent, struct ioas, obj));
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	call->new_obj = &hwpt->obj;
	rc = hwpt_fill(hwpt);
	cmd->out_hwpt_id = hwpt->obj.id;
	return rc;
}
