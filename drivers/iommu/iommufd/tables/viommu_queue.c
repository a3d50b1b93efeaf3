// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware queues: memory of the guest that the IOMMU reads by itself, at physical
 * addresses. The memory is kept in the IOAS as long as the queue is there.
 */
#include <linux/slab.h>

#include "../space/ioas.h"
#include "hwpt.h"
#include "viommu.h"

static void hw_queue_free(struct hw_queue *queue)
{
	struct viommu *viommu = queue->viommu;

	ioas_unkeep(viommu->hwpt->ioas, &queue->range);
	kfree(queue->drv);
	kfree(queue);
	viommu_put(viommu);
}

static void hw_queue_destroy(struct object *obj)
{
	struct hw_queue *queue = container_of(obj, struct hw_queue, obj);
	struct viommu *viommu = queue->viommu;

	scoped_guard(mutex, &viommu->queues_lock) {
		if (viommu->drv->ops->hw_queue_release)
			viommu->drv->ops->hw_queue_release(queue->drv);
		xa_erase(&viommu->queues, queue->drv->index);
	}
	if (queue->needs)
		hw_queue_put(queue->needs);
	hw_queue_free(queue);
}

const struct object_type hw_queue_type = {
	.name = "hw queue",
	.destroy = hw_queue_destroy,
};

/* The queue that one needs; one that is on its way in or out is none. */
static struct hw_queue *queue_before(struct viommu *viommu, u32 index)
{
	struct hw_queue *before;

	lockdep_assert_held(&viommu->queues_lock);
	if (!viommu->drv->ops->hw_queues_in_order || !index)
		return NULL;
	before = xa_load(&viommu->queues, index - 1);
	if (before)
		before = hw_queue_get(viommu->obj.ictx, before->obj.id);
	return IS_ERR_OR_NULL(before) ? ERR_PTR(-EIO) : before;
}

/* Have the driver set a queue up, after the one that it needs. */
static int set_up(struct viommu *viommu, struct hw_queue *queue)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	struct hw_queue *before = queue_before(viommu, queue->drv->index);
	int rc;

	if (IS_ERR(before))
		return PTR_ERR(before);
	rc = ops->hw_queue_setup ? ops->hw_queue_setup(queue->drv) : 0;
	if (!rc)
		queue->needs = before;
	else if (before)
		hw_queue_put(before);
	return rc;
}

static int hw_queue_join(struct viommu *viommu, struct hw_queue *queue)
{
	u32 index = queue->drv->index;
	int rc;

	guard(mutex)(&viommu->queues_lock);
	rc = xa_insert(&viommu->queues, index, queue, GFP_KERNEL_ACCOUNT);
	if (rc)
		return rc == -EBUSY ? -EEXIST : rc;
	rc = set_up(viommu, queue);
	if (rc)
		xa_erase(&viommu->queues, index);
	return rc;
}

static struct hw_queue *hw_queue_new(struct viommu *viommu, u32 index,
				     const struct iova_range *range)
{
	struct hw_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	int rc = -ENOMEM;

	if (!queue)
		return ERR_PTR(rc);
	queue->drv = kzalloc(viommu->drv->ops->hw_queue_size, GFP_KERNEL_ACCOUNT);
	if (queue->drv)
		rc = ioas_keep(viommu->hwpt->ioas, range, &queue->drv->phys);
	if (rc) {
		kfree(queue->drv);
		kfree(queue);
		return ERR_PTR(rc);
	}
	queue->range = *range;
	queue->drv->viommu = viommu->drv;
	queue->drv->index = index;
	queue->drv->iova = range->start;
	queue->drv->length = range_length(range);
	queue->viommu = viommu;
	object_hold(&viommu->obj);
	return queue;
}

/**
 * hw_queue_alloc() - have the IOMMU read a queue of the guest
 * @viommu: its virtual IOMMU; the queue takes a reference
 * @type: of enum iommu_hw_queue_type
 * @index: which queue
 * @range: where the guest has it, in the IOAS below its page tables
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: the queue, not yet published, or ERR_PTR(): -EOPNOTSUPP if the virtual
 * IOMMU has none of this type; -EINVAL for an index that none has; -EEXIST; -EIO
 * without the queue that it needs; see ioas_keep(); -ENOMEM; what the IOMMU driver
 * says.
 */
struct hw_queue *hw_queue_alloc(struct viommu *viommu, u32 type, u32 index,
				const struct iova_range *range)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	struct hw_queue *queue;
	int rc;

	if (!ops->hw_queue_size || type != ops->hw_queue_type)
		return ERR_PTR(-EOPNOTSUPP);
	if (index >= ops->nr_hw_queues)
		return ERR_PTR(-EINVAL);
	queue = hw_queue_new(viommu, index, range);
	if (IS_ERR(queue))
		return queue;
	rc = object_init(viommu->obj.ictx, &queue->obj, &hw_queue_type);
	if (rc)
		goto free;
	rc = hw_queue_join(viommu, queue);
	if (!rc)
		return queue;
	object_abort(&queue->obj);
free:
	hw_queue_free(queue);
	return ERR_PTR(rc);
}
