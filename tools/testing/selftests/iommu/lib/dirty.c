// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dirty.h"
#include "iommu.h"
#include "mock.h"

int dirty_track(int fd, __u32 hwpt, bool on)
{
	struct iommu_hwpt_set_dirty_tracking arg = {
		.size = sizeof(arg),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt,
	};

	return iommu_call(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &arg);
}

int dirty_get(int fd, __u32 hwpt, __u32 flags, __u64 iova, __u64 length, __u64 page_size,
	      void *bitmap)
{
	struct iommu_hwpt_get_dirty_bitmap arg = {
		.size = sizeof(arg),
		.hwpt_id = hwpt,
		.flags = flags,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (unsigned long)bitmap,
	};

	return iommu_call(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &arg);
}

int hwpt_alloc_huge(int fd, __u32 dev, __u32 ioas, __u32 *hwpt)
{
	struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		.dev_id = dev,
		.pt_id = ioas,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (unsigned long)&data,
	};
	int rc = iommu_call(fd, IOMMU_HWPT_ALLOC, &arg);

	*hwpt = arg.out_hwpt_id;
	return rc;
}

int device_writes(int fd, __u32 hwpt, __u64 iova, __u64 length)
{
	const __u64 bits = length / MOCK_PAGE_SIZE;
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_DIRTY,
		.id = hwpt,
		.dirty.iova = iova,
		.dirty.length = length,
		.dirty.page_size = MOCK_PAGE_SIZE,
	};
	unsigned char *bitmap = malloc(bits / 8 + 1);
	int rc;

	if (!bitmap)
		return -ENOMEM;
	memset(bitmap, 0xff, bits / 8 + 1);
	cmd.dirty.uptr = (unsigned long)bitmap;
	rc = iommu_call(fd, IOMMU_TEST_CMD, &cmd);
	free(bitmap);
	if (rc)
		return rc;
	return cmd.dirty.out_nr_dirty == bits ? 0 : -ENXIO;
}
