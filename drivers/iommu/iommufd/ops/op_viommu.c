// SPDX-License-Identifier: GPL-2.0-only
/*
 * VIOMMU_ALLOC, VDEVICE_ALLOC, VEVENTQ_ALLOC, HW_QUEUE_ALLOC. A device is let go
 * before user memory is touched: unbind waits for us.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../attach/device.h"
#include "../domain/core.h"
#include "../tables/hwpt.h"
#include "../tables/veventq.h"
#include "../tables/viommu.h"
#include "op.h"

static const struct iommufd_viommu_ops *find_ops(struct op_call *call, struct hwpt *hwpt,
						 struct iommu_device **iommu)
{
	struct iommu_viommu_alloc *cmd = call->cmd;

	CLASS(idev, idev)(call->ictx, cmd->dev_id);
	if (IS_ERR(idev))
		return ERR_CAST(idev);
	if (!hwpt->parent || hwpt->key != core_iommu_key(idev->dev))
		return ERR_PTR(-EINVAL);
	*iommu = core_iommu(idev->dev);
	return core_viommu_ops(idev->dev, hwpt->member.domain, cmd->type);
}

/* What the user says to the driver, or NULL for nothing. */
static void *get_data(const struct iommu_viommu_alloc *cmd, const struct iommufd_viommu_ops *ops)
{
	void *data;
	int rc;

	if (!cmd->data_len)
		return cmd->data_uptr ? ERR_PTR(-EINVAL) : NULL;
	if (!ops->data_size || cmd->data_len < ops->data_min)
		return ERR_PTR(-EINVAL);
	data = kzalloc(ops->data_size, GFP_KERNEL_ACCOUNT);
	if (!data)
		return ERR_PTR(-ENOMEM);
	rc = copy_struct_from_user(data, ops->data_size, u64_to_user_ptr(cmd->data_uptr),
				   cmd->data_len);
	if (rc) {
		kfree(data);
		return ERR_PTR(rc);
	}
	return data;
}

static int put_data(const struct iommu_viommu_alloc *cmd, const struct iommufd_viommu_ops *ops,
		    const void *data)
{
	size_t size = min_t(size_t, cmd->data_len, ops->data_size);

	if (data && copy_to_user(u64_to_user_ptr(cmd->data_uptr), data, size))
		return -EFAULT;
	return 0;
}

int op_viommu_alloc(struct op_call *call)
{
	struct iommu_viommu_alloc *cmd = call->cmd;
	const struct iommufd_viommu_ops *ops;
	struct iommu_device *iommu;
	struct viommu *viommu;
	void *data;
	int rc;

	CLASS(hwpt, hwpt)(call->ictx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	ops = find_ops(call, hwpt, &iommu);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	data = get_data(cmd, ops);
	if (IS_ERR(data))
		return PTR_ERR(data);
	viommu = viommu_alloc(hwpt, ops, iommu, data);
	rc = PTR_ERR_OR_ZERO(viommu);
	if (!rc) {
		viommu->type = cmd->type;
		call->new_obj = &viommu->obj;
		cmd->out_viommu_id = viommu->obj.id;
		rc = put_data(cmd, ops, data);
	}
	kfree(data);
	return rc;
}

/* Published before the device is let go: what ends with it must be found. */
static int alloc_vdevice(struct op_call *call, struct iommu_vdevice_alloc *cmd)
{
	struct vdevice *vdev;

	CLASS(viommu, viommu)(call->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	CLASS(idev, idev)(call->ictx, cmd->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	/* A slice is no device to the IOMMU, and its parent is not the user's. */
	if (idev->slice || core_iommu(idev->dev) != viommu->drv->iommu_dev)
		return -EINVAL;
	vdev = vdevice_alloc(viommu, idev->dev, cmd->virt_id, &idev->vdev);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	cmd->out_vdevice_id = vdev->obj.id;
	object_publish(&vdev->obj);
	return 0;
}

int op_vdevice_alloc(struct op_call *call)
{
	struct iommu_vdevice_alloc *cmd = call->cmd;
	int rc;

	/* As near as one gets to knowing that the ID will reach the user. */
	rc = op_respond(call);
	if (!rc)
		rc = alloc_vdevice(call, cmd);
	if (rc)
		return rc;
	rc = op_respond(call);
	if (rc)
		object_destroy_id(call->ictx, cmd->out_vdevice_id);
	return rc;
}

int op_veventq_alloc(struct op_call *call)
{
	struct iommu_veventq_alloc *cmd = call->cmd;
	struct veventq *queue;

	CLASS(viommu, viommu)(call->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	queue = veventq_alloc(viommu, cmd->type, cmd->veventq_depth);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	call->new_obj = &queue->obj;
	call->new_queue = &queue->events;
	cmd->out_veventq_id = queue->obj.id;
	cmd->out_veventq_fd = queue->events.fd;
	return 0;
}

int op_hw_queue_alloc(struct op_call *call)
{
	struct iommu_hw_queue_alloc *cmd = call->cmd;
	struct hw_queue *queue;
	struct iova_range range;
	int rc;

	CLASS(viommu, viommu)(call->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	if (cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	rc = range_from_abi(&range, cmd->nesting_parent_iova, cmd->length);
	if (rc)
		return rc;
	queue = hw_queue_alloc(viommu, cmd->type, cmd->index, &range);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	call->new_obj = &queue->obj;
	cmd->out_hw_queue_id = queue->obj.id;
	return 0;
}
