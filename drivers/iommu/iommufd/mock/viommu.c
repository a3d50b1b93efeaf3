// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual IOMMUs of the mock. Their commands clear what a device has cached, words
 * that stand for translations; their events tell a device's number; a queue is
 * remembered and never read.
 */
#include <linux/iommufd_viommu.h>
#include <linux/mm.h>
#include <uapi/linux/iommufd.h>

#include "mock.h"

#define MMAP_ORDER 1

/**
 * struct mock_viommu - a virtual IOMMU
 * @core: head
 * @pages: what user space may map; 0 for none
 */
struct mock_viommu {
	struct iommufd_viommu core;
	unsigned long pages;
};

static int setup(struct iommufd_viommu *core, void *arg)
{
	struct mock_viommu *viommu = container_of(core, struct mock_viommu, core);
	struct iommu_viommu_selftest *data = arg;
	int rc;

	if (!data)
		return 0;
	viommu->pages = __get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, MMAP_ORDER);
	if (!viommu->pages)
		return -ENOMEM;
	*(u32 *)viommu->pages = data->in_data;
	data->out_data = data->in_data;
	data->out_mmap_length = PAGE_SIZE << MMAP_ORDER;
	rc = iommufd_viommu_mmap(core, IOMMUFD_MMAP_MEMORY, virt_to_phys((void *)viommu->pages),
				 data->out_mmap_length, &data->out_mmap_offset);
	if (rc)
		free_pages(viommu->pages, MMAP_ORDER);
	return rc;
}

static void release(struct iommufd_viommu *core)
{
	struct mock_viommu *viommu = container_of(core, struct mock_viommu, core);

	free_pages(viommu->pages, MMAP_ORDER);
}

static struct iommu_domain *alloc_nested(struct iommufd_viommu *core, u32 flags,
					 const struct iommu_user_data *data)
{
	struct iommu_domain *domain = mock_nested_alloc(core->parent, flags, data);

	if (!IS_ERR(domain))
		mock_domain_of(domain)->viommu = core;
	return domain;
}

static int invalidate_one(struct iommufd_viommu *core,
			  const struct iommu_viommu_invalidate_selftest *command)
{
	struct iommufd_vdevice *vdev;
	struct mock_device *mdev;

	if (command->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	vdev = iommufd_viommu_vdevice(core, command->vdev_id);
	if (!vdev)
		return -EINVAL;
	mdev = to_mock_device(vdev->dev);
	if (command->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL) {
		memset(mdev->caches, 0, sizeof(mdev->caches));
		return 0;
	}
	if (command->cache_id > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;
	WRITE_ONCE(mdev->caches[command->cache_id], 0);
	return 0;
}

static int invalidate(struct iommufd_viommu *core, void *commands, u32 nr, u32 *done)
{
	const struct iommu_viommu_invalidate_selftest *command = commands;
	int rc;

	for (*done = 0; *done < nr; ++*done) {
		rc = invalidate_one(core, command++);
		if (rc)
			return rc;
	}
	return 0;
}

static size_t vevent_size(u32 type)
{
	return type == IOMMU_VEVENTQ_TYPE_SELFTEST ? sizeof(struct iommu_viommu_event_selftest) : 0;
}

static const struct iommufd_viommu_ops selftest_ops = {
	.size = sizeof(struct mock_viommu),
	.vdevice_size = sizeof(struct iommufd_vdevice),
	.hw_queue_size = sizeof(struct iommufd_hw_queue),
	.data_size = sizeof(struct iommu_viommu_selftest),
	.data_min = sizeof(struct iommu_viommu_selftest),
	.invalidate_type = IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
	.invalidate_size = sizeof(struct iommu_viommu_invalidate_selftest),
	.hw_queue_type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
	.nr_hw_queues = IOMMU_TEST_HW_QUEUE_MAX,
	.hw_queues_in_order = true,
	.vevent_size = vevent_size,
	.setup = setup,
	.release = release,
	.alloc_nested = alloc_nested,
	.invalidate = invalidate,
};

/**
 * mock_viommu_ops() - of struct iommu_ops
 * @dev: a mock device
 * @parent: a paging domain of the mock
 * @type: of virtual IOMMU
 *
 * Return: the operations, or ERR_PTR(-EOPNOTSUPP) for another type.
 */
const struct iommufd_viommu_ops *mock_viommu_ops(struct device *dev, struct iommu_domain *parent,
						 unsigned int type)
{
	return type == IOMMU_VIOMMU_TYPE_SELFTEST ? &selftest_ops : ERR_PTR(-EOPNOTSUPP);
}

/**
 * mock_viommu_enter() - a device is about to be attached to a domain
 * @mdev: the device
 * @viommu: the virtual IOMMU that the domain is of, or NULL
 *
 * Context: may sleep; the iommu core serializes by group.
 * Return: 0, or -ENOENT if the virtual IOMMU does not know the device.
 */
int mock_viommu_enter(struct mock_device *mdev, struct iommufd_viommu *viommu)
{
	u64 virt_id;

	if (viommu && iommufd_viommu_virt_id(viommu, &mdev->dev, &virt_id))
		return -ENOENT;
	spin_lock(&mdev->viommu_lock);
	mdev->viommu = viommu;
	spin_unlock(&mdev->viommu_lock);
	return 0;
}

static int report(struct mock_device *mdev)
{
	struct iommu_viommu_event_selftest event;
	u64 virt_id;
	int rc;

	lockdep_assert_held(&mdev->viommu_lock);
	if (!mdev->viommu)
		return -EOPNOTSUPP;
	rc = iommufd_viommu_virt_id(mdev->viommu, &mdev->dev, &virt_id);
	if (rc)
		return rc;
	event.virt_id = virt_id;
	rc = iommufd_viommu_report(mdev->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, &event);
	/* That one was lost is for who reads the queue. */
	return rc == -ENOSPC ? 0 : rc;
}

/**
 * mock_trigger_vevent() - TRIGGER_VEVENT: an event of a device
 * @call: the call
 * @id: means nothing
 * @args: the device, attached to a page table of a virtual IOMMU
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP without a virtual IOMMU or a queue there; -ENOENT without the
 * device, or if the virtual IOMMU does not know it any more.
 */
int mock_trigger_vevent(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(trigger_vevent) trigger = args;
	struct mock_stdev *stdev = mock_stdev_of_dev(call->ictx, trigger->dev_id);
	int rc;

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	spin_lock(&stdev->mdev->viommu_lock);
	rc = report(stdev->mdev);
	spin_unlock(&stdev->mdev->viommu_lock);
	mock_stdev_put(stdev);
	return rc;
}

/**
 * mock_check_caches() - DEV_CHECK_CACHE: what a device has in a cache
 * @call: the call
 * @id: the device
 * @args: which cache, and what is expected there
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if it is something else, or there is no such cache; -ENOENT.
 */
int mock_check_caches(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(check_dev_cache) check = args;
	struct mock_stdev *stdev;
	int rc = -EINVAL;

	stdev = mock_stdev_of_dev(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (check->id <= MOCK_DEV_CACHE_ID_MAX &&
	    READ_ONCE(stdev->mdev->caches[check->id]) == check->cache)
		rc = 0;
	mock_stdev_put(stdev);
	return rc;
}
