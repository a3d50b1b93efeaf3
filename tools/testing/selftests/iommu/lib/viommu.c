// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>

#include "iommu.h"
#include "viommu.h"

static int test_cmd(int fd, struct iommu_test_cmd *cmd, __u32 op, __u32 id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

int viommu_alloc_of(int fd, __u32 dev, __u32 hwpt, __u32 type, void *data, __u32 length,
		    __u32 *viommu)
{
	struct iommu_viommu_alloc arg = {
		.size = sizeof(arg),
		.type = type,
		.dev_id = dev,
		.hwpt_id = hwpt,
		.data_len = length,
		.data_uptr = (unsigned long)data,
	};
	int rc = iommu_call(fd, IOMMU_VIOMMU_ALLOC, &arg);

	if (!rc)
		*viommu = arg.out_viommu_id;
	return rc;
}

int viommu_alloc(int fd, __u32 dev, __u32 hwpt, __u32 *viommu)
{
	return viommu_alloc_of(fd, dev, hwpt, IOMMU_VIOMMU_TYPE_SELFTEST, NULL, 0, viommu);
}

int vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id, __u32 *vdev)
{
	struct iommu_vdevice_alloc arg = {
		.size = sizeof(arg),
		.viommu_id = viommu,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	int rc = iommu_call(fd, IOMMU_VDEVICE_ALLOC, &arg);

	if (!rc)
		*vdev = arg.out_vdevice_id;
	return rc;
}

int veventq_alloc(int fd, __u32 viommu, __u32 type, __u32 depth, __u32 *queue)
{
	struct iommu_veventq_alloc arg = {
		.size = sizeof(arg),
		.viommu_id = viommu,
		.type = type,
		.veventq_depth = depth,
	};
	int rc = iommu_call(fd, IOMMU_VEVENTQ_ALLOC, &arg);

	*queue = arg.out_veventq_id;
	return rc ? rc : (int)arg.out_veventq_fd;
}

int hw_queue_alloc(int fd, __u32 viommu, __u32 index, __u64 iova, __u64 length, __u32 *queue)
{
	struct iommu_hw_queue_alloc arg = {
		.size = sizeof(arg),
		.viommu_id = viommu,
		.type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
		.index = index,
		.nesting_parent_iova = iova,
		.length = length,
	};
	int rc = iommu_call(fd, IOMMU_HW_QUEUE_ALLOC, &arg);

	if (!rc)
		*queue = arg.out_hw_queue_id;
	return rc;
}

int vevent(int fd, __u32 idev)
{
	struct iommu_test_cmd cmd = { .trigger_vevent.dev_id = idev };

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_TRIGGER_VEVENT, 0);
}

int mock_check_caches(int fd, __u32 idev, __u32 a, __u32 b, __u32 c, __u32 d)
{
	const __u32 words[MOCK_DEV_CACHE_NUM] = { a, b, c, d };
	int rc = 0;

	for (__u32 i = 0; i < MOCK_DEV_CACHE_NUM && !rc; i++) {
		struct iommu_test_cmd cmd = {
			.check_dev_cache = { .id = i, .cache = words[i] },
		};

		rc = test_cmd(fd, &cmd, IOMMU_TEST_OP_DEV_CHECK_CACHE, idev);
	}
	return rc;
}

int viommu_rig_new(struct viommu_rig *rig)
{
	rig->fd = iommu_open();
	if (rig->fd < 0)
		return rig->fd;
	rig->ioas = ioas_new(rig->fd);
	return count(rig->fd, 0, &rig->before) ?: per_rid_new(rig->fd, 0, &rig->dev) ?:
	       hwpt_alloc(rig->fd, rig->dev.idev, rig->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &rig->parent) ?:
	       viommu_alloc(rig->fd, rig->dev.idev, rig->parent, &rig->viommu);
}

int viommu_rig_end(struct viommu_rig *rig)
{
	int rc = destroy(rig->fd, rig->viommu) ?: destroy(rig->fd, rig->parent) ?:
		 destroy(rig->fd, rig->dev.stdev) ?: destroy(rig->fd, rig->ioas);

	if (!rc && !nothing_left(rig->fd, &rig->before))
		rc = -EBADMSG;
	close(rig->fd);
	return rc;
}
