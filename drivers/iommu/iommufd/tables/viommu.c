// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual IOMMUs: made, ended, asked for page tables, given commands. What they
 * consist of is in viommu_*.c, their events are in veventq.c.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../domain/core.h"
#include "hwpt.h"
#include "hwpt_nested.h"
#include "viommu.h"

/* Commands are copied and done in pieces of this. */
#define COMMAND_BYTES 4096

static void viommu_free(struct viommu *viommu)
{
	WARN_ON(!xa_empty(&viommu->vdevs) || !xa_empty(&viommu->queues) ||
		!list_empty(&viommu->veventqs));
	hwpt_put(viommu->hwpt);
	xa_destroy(&viommu->vdevs);
	xa_destroy(&viommu->queues);
	mutex_destroy(&viommu->queues_lock);
	kfree(viommu->drv);
	kfree(viommu);
}

static void viommu_destroy(struct object *obj)
{
	struct viommu *viommu = container_of(obj, struct viommu, obj);

	if (viommu->drv->ops->release)
		viommu->drv->ops->release(viommu->drv);
	viommu_free(viommu);
}

const struct object_type viommu_type = {
	.name = "viommu",
	.destroy = viommu_destroy,
};

static struct viommu *viommu_new(struct hwpt *hwpt, const struct iommufd_viommu_ops *ops,
				 struct iommu_device *iommu)
{
	struct viommu *viommu = kzalloc(sizeof(*viommu), GFP_KERNEL_ACCOUNT);

	if (!viommu)
		return NULL;
	viommu->drv = kzalloc(ops->size, GFP_KERNEL_ACCOUNT);
	if (!viommu->drv) {
		kfree(viommu);
		return NULL;
	}
	viommu->drv->ops = ops;
	viommu->drv->calls = &viommu_calls;
	viommu->drv->iommu_dev = iommu;
	viommu->drv->parent = hwpt->member.domain;
	viommu->drv->core = viommu;
	init_rwsem(&viommu->vdevs_rwsem);
	xa_init_flags(&viommu->vdevs, XA_FLAGS_ACCOUNT);
	mutex_init(&viommu->queues_lock);
	xa_init_flags(&viommu->queues, XA_FLAGS_ACCOUNT);
	spin_lock_init(&viommu->events_lock);
	INIT_LIST_HEAD(&viommu->veventqs);
	viommu->hwpt = hwpt;
	object_hold(&hwpt->obj);
	return viommu;
}

/**
 * viommu_alloc() - a virtual IOMMU
 * @hwpt: the page table below the guest's; it takes a reference
 * @ops: of its kind
 * @iommu: what does the work
 * @data: for the driver, in and out, or NULL
 *
 * Context: may sleep.
 * Return: the virtual IOMMU, not yet published, or ERR_PTR(): -ENOMEM, or what the
 * IOMMU driver says.
 */
struct viommu *viommu_alloc(struct hwpt *hwpt, const struct iommufd_viommu_ops *ops,
			    struct iommu_device *iommu, void *data)
{
	struct viommu *viommu = viommu_new(hwpt, ops, iommu);
	int rc;

	if (!viommu)
		return ERR_PTR(-ENOMEM);
	/* Its ID first: by that the user names what it maps. */
	rc = object_init(hwpt->obj.ictx, &viommu->obj, &viommu_type);
	if (rc)
		goto free;
	rc = ops->setup ? ops->setup(viommu->drv, data) : 0;
	if (!rc)
		return viommu;
	object_abort(&viommu->obj);
free:
	viommu_free(viommu);
	return ERR_PTR(rc);
}

/**
 * viommu_nested_alloc() - a page table that a virtual IOMMU's guest writes
 * @viommu: the virtual IOMMU
 * @dev: the device
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: where the guest has it, in the IOMMU's own words
 *
 * Context: may sleep; reads user memory.
 * Return: the page table, not yet published, or ERR_PTR(): -EINVAL if the device is
 * behind another IOMMU; -EFAULT; -ENOMEM; see core_viommu_nested_alloc().
 */
struct hwpt *viommu_nested_alloc(struct viommu *viommu, struct device *dev, u32 flags,
				 const struct iommu_user_data *data)
{
	struct iommu_domain *domain;

	if (core_iommu(dev) != viommu->drv->iommu_dev)
		return ERR_PTR(-EINVAL);
	domain = core_viommu_nested_alloc(viommu->drv, dev, flags, data);
	if (IS_ERR(domain))
		return ERR_CAST(domain);
	return hwpt_nested_new(viommu->hwpt, &viommu->obj, domain, flags);
}

/* Some commands; done is raised by how many were done. */
static int do_commands(struct viommu *viommu, void *commands, u32 nr, u32 *done)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	u32 here = 0;
	int rc;

	scoped_guard(rwsem_read, &viommu->vdevs_rwsem)
		rc = ops->invalidate(viommu->drv, commands, nr, &here);
	*done += here;
	if (!rc && WARN_ON_ONCE(here != nr))
		rc = -EIO;
	return rc;
}

static int copy_and_do(struct viommu *viommu, const struct iommu_user_data_array *requests,
		       u32 *done)
{
	size_t size = viommu->drv->ops->invalidate_size;
	u32 nr, batch = max(COMMAND_BYTES / size, 1);
	void *commands;
	int rc = 0;

	batch = min(batch, requests->entry_num);
	commands = kmalloc_array(batch, size, GFP_KERNEL_ACCOUNT);
	if (!commands)
		return -ENOMEM;
	while (!rc && *done < requests->entry_num) {
		nr = min(batch, requests->entry_num - *done);
		if (copy_from_user(commands, requests->uptr + *done * size, nr * size))
			rc = -EFAULT;
		else
			rc = do_commands(viommu, commands, nr, done);
		cond_resched();
	}
	kfree(commands);
	return rc;
}

/**
 * viommu_invalidate() - do invalidation commands of a guest
 * @viommu: its virtual IOMMU
 * @requests: the commands; entry_num is set to how many were done
 *
 * Context: may sleep; reads user memory, with nothing held that a device could
 * wait for.
 * Return: 0; -EOPNOTSUPP if the virtual IOMMU has no commands; -EINVAL for another
 * kind or size of them; -EFAULT; -ENOMEM; what the driver says of the first that was
 * not done.
 */
int viommu_invalidate(struct viommu *viommu, struct iommu_user_data_array *requests)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	u32 done = 0;
	int rc = 0;

	if (!ops->invalidate_size)
		rc = -EOPNOTSUPP;
	else if (requests->type != ops->invalidate_type ||
		 (requests->entry_num && requests->entry_len != ops->invalidate_size))
		rc = -EINVAL;
	else if (requests->entry_num)
		rc = copy_and_do(viommu, requests, &done);
	requests->entry_num = done;
	return rc;
}
