// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID_ALLOC, PASID_FREE, PASID_INFO, PASID_LIST: of devices and slices, and of
 * emulated devices. The device is let go before user memory is touched: unbind
 * waits for us.
 */
#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../attach/access.h"
#include "../attach/device.h"
#include "../pasid/pasid_dev.h"
#include "op.h"

#define LIST_MAX 256

static struct pasid_dev *pasids_of(struct object *obj)
{
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (obj->type == &device_type)
		return &container_of(obj, struct iommufd_device, obj)->pasids;
	if (obj->type == &access_type)
		return &container_of(obj, struct iommufd_access, obj)->pasids;
	return ERR_PTR(-ENOENT);
}

static int do_alloc(struct op_call *call, struct iommu_pasid_alloc *cmd)
{
	CLASS(object, obj)(call->ictx, cmd->dev_id);
	struct pasid_dev *pd = pasids_of(obj);

	return IS_ERR(pd) ? PTR_ERR(pd) : pasid_dev_alloc(pd, cmd->flags, &cmd->pasid);
}

static int do_free(struct op_call *call, u32 dev_id, u32 pasid)
{
	CLASS(object, obj)(call->ictx, dev_id);
	struct pasid_dev *pd = pasids_of(obj);

	return IS_ERR(pd) ? PTR_ERR(pd) : pasid_dev_free(pd, pasid);
}

int op_pasid_alloc(struct op_call *call)
{
	struct iommu_pasid_alloc *cmd = call->cmd;
	int rc;

	/* As near as one gets to knowing that the number will reach the user. */
	rc = op_respond(call);
	if (!rc)
		rc = do_alloc(call, cmd);
	if (rc)
		return rc;
	rc = op_respond(call);
	if (rc)
		do_free(call, cmd->dev_id, cmd->pasid);
	return rc;
}

int op_pasid_free(struct op_call *call)
{
	struct iommu_pasid_free *cmd = call->cmd;

	return do_free(call, cmd->dev_id, cmd->pasid);
}

static int do_info(struct op_call *call, struct iommu_pasid_info *cmd)
{
	CLASS(object, obj)(call->ictx, cmd->dev_id);
	struct pasid_dev *pd = pasids_of(obj);

	if (IS_ERR(pd))
		return PTR_ERR(pd);
	pasid_dev_info(pd, cmd);
	return 0;
}

int op_pasid_info(struct op_call *call)
{
	int rc = do_info(call, call->cmd);

	return rc ? rc : op_respond(call);
}

static int do_list(struct op_call *call, struct iommu_pasid_list *cmd,
		   struct iommu_pasid_entry *entries)
{
	CLASS(object, obj)(call->ictx, cmd->dev_id);
	struct pasid_dev *pd = pasids_of(obj);

	if (IS_ERR(pd))
		return PTR_ERR(pd);
	cmd->num_entries = pasid_dev_list(pd, &cmd->pasid, entries,
					  min(cmd->num_entries, LIST_MAX), &cmd->out_changes);
	return 0;
}

int op_pasid_list(struct op_call *call)
{
	struct iommu_pasid_list *cmd = call->cmd;
	struct iommu_pasid_entry *entries;
	size_t size;
	int rc;

	if (!cmd->num_entries)
		return -EINVAL;
	entries = kcalloc(min(cmd->num_entries, LIST_MAX), sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	rc = do_list(call, cmd, entries);
	size = cmd->num_entries * sizeof(*entries);
	if (!rc && copy_to_user(u64_to_user_ptr(cmd->entries), entries, size))
		rc = -EFAULT;
	kfree(entries);
	return rc ? rc : op_respond(call);
}
