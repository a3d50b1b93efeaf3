// SPDX-License-Identifier: GPL-2.0-only
/*
 * FAULT_QUEUE_ALLOC.
 */
#include <uapi/linux/iommufd.h>

#include "../tables/fault.h"
#include "op.h"

int op_fault_queue_alloc(struct op_call *call)
{
	struct iommu_fault_alloc *cmd = call->cmd;
	struct fault_queue *queue = fault_queue_new(call->ictx);

	if (IS_ERR(queue))
		return PTR_ERR(queue);
	call->new_obj = &queue->obj;
	call->new_queue = &queue->events;
	cmd->out_fault_id = queue->obj.id;
	cmd->out_fault_fd = queue->events.fd;
	return 0;
}
