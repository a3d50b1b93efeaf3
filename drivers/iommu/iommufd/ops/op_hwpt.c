// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPT_ALLOC and HWPT_INVALIDATE.
 */
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../attach/device.h"
#include "../tables/fault.h"
#include "../tables/hwpt.h"
#include "../tables/hwpt_nested.h"
#include "../tables/viommu.h"
#include "op.h"

#define INVALIDATE_ENTRIES BIT(19)

/* By what the page table is made of. */
static struct hwpt *alloc_on(struct object *below, struct iommufd_device *idev, u32 flags,
			     const struct iommu_user_data *data)
{
	if (below->type == &ioas_type)
		return hwpt_alloc(container_of(below, struct ioas, obj), idev->dev, flags,
				  idev->coherent, data);
	if (below->type == &hwpt_type && data)
		return hwpt_nested_alloc(container_of(below, struct hwpt, obj), idev->dev, flags,
					 data);
	if (below->type == &viommu_type && data)
		return viommu_nested_alloc(container_of(below, struct viommu, obj), idev->dev,
					   flags, data);
	return ERR_PTR(-EINVAL);
}

/*
 * The device is held only while its IOMMU makes the page table, since unbind waits
 * for that: filling it may wait for user space, and so may reading what the user
 * says of it, which therefore has to be in memory.
 */
static struct hwpt *alloc_once(struct op_call *call, struct iommu_hwpt_alloc *cmd)
{
	struct iommu_user_data data = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.len = cmd->data_len,
	};
	u32 flags = cmd->flags & ~IOMMU_HWPT_FAULT_ID_VALID;
	struct hwpt *hwpt;

	CLASS(idev, idev)(call->ictx, cmd->dev_id);
	if (IS_ERR(idev))
		return ERR_CAST(idev);
	CLASS(object, below)(call->ictx, cmd->pt_id);
	if (IS_ERR(below))
		return ERR_CAST(below);
	/* Wherever it is attached, it is at a PASID. */
	if (idev->slice)
		flags |= IOMMU_HWPT_ALLOC_PASID;
	pagefault_disable();
	hwpt = alloc_on(below, idev, flags, data.type == IOMMU_HWPT_DATA_NONE ? NULL : &data);
	pagefault_enable();
	return hwpt;
}

static struct hwpt *alloc(struct op_call *call, struct iommu_hwpt_alloc *cmd)
{
	struct hwpt *hwpt;
	int tries = 16;

	do {
		hwpt = alloc_once(call, cmd);
	} while (hwpt == ERR_PTR(-EFAULT) && --tries &&
		 !fault_in_readable(u64_to_user_ptr(cmd->data_uptr), cmd->data_len));
	return hwpt;
}

static int set_faults(struct op_call *call, struct iommu_hwpt_alloc *cmd, struct hwpt *hwpt)
{
	CLASS(fault_queue, faults)(call->ictx, cmd->fault_id);
	if (IS_ERR(faults))
		return PTR_ERR(faults);
	hwpt_set_faults(hwpt, faults);
	return 0;
}

int op_hwpt_alloc(struct op_call *call)
{
	struct iommu_hwpt_alloc *cmd = call->cmd;
	bool has_faults = cmd->flags & IOMMU_HWPT_FAULT_ID_VALID;
	struct hwpt *hwpt;
	int rc = 0;

	if (has_faults ? cmd->flags & IOMMU_HWPT_ALLOC_NEST_PARENT : cmd->fault_id)
		return -EOPNOTSUPP;
	if (cmd->data_type == IOMMU_HWPT_DATA_NONE && (cmd->data_len || cmd->data_uptr))
		return -EINVAL;
	hwpt = alloc(call, cmd);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	call->new_obj = &hwpt->obj;
	if (has_faults)
		rc = set_faults(call, cmd, hwpt);
	if (!rc && !hwpt->below)
		rc = hwpt_fill(hwpt);
	cmd->out_hwpt_id = hwpt->obj.id;
	return rc;
}

static int invalidate(struct op_call *call, u32 id, struct iommu_user_data_array *requests)
{
	CLASS(object, obj)(call->ictx, id);
	if (!IS_ERR(obj) && obj->type == &hwpt_type)
		return hwpt_nested_invalidate(container_of(obj, struct hwpt, obj), requests);
	if (!IS_ERR(obj) && obj->type == &viommu_type)
		return viommu_invalidate(container_of(obj, struct viommu, obj), requests);
	requests->entry_num = 0;
	return IS_ERR(obj) ? PTR_ERR(obj) : -EINVAL;
}

int op_hwpt_invalidate(struct op_call *call)
{
	struct iommu_hwpt_invalidate *cmd = call->cmd;
	struct iommu_user_data_array requests = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.entry_len = cmd->entry_len,
		.entry_num = cmd->entry_num,
	};
	u32 wanted = cmd->entry_num;
	int rc = -EINVAL;

	cmd->entry_num = 0;
	if (!wanted || (cmd->data_uptr && cmd->entry_len && cmd->entry_len <= PAGE_SIZE &&
			wanted <= INVALIDATE_ENTRIES)) {
		rc = invalidate(call, cmd->hwpt_id, &requests);
		cmd->entry_num = requests.entry_num;
	}
	return op_respond(call) ?: rc;
}
