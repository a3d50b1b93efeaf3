/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual IOMMUs and what belongs to them, and the mock's. All return 0 or -errno.
 */
#ifndef SELFTEST_VIOMMU_H
#define SELFTEST_VIOMMU_H

#include <stdbool.h>
#include <stddef.h>

#include "pasid.h"

/* The words that stand for a mock device's caches hold this at first. */
#define CACHED_WORD IOMMU_TEST_DEV_CACHE_DEFAULT

int viommu_alloc_of(int fd, __u32 dev, __u32 hwpt, __u32 type, void *data, __u32 length,
		    __u32 *viommu);
int viommu_alloc(int fd, __u32 dev, __u32 hwpt, __u32 *viommu);
int vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id, __u32 *vdev);
/* The queue's file, or -errno. */
int veventq_alloc(int fd, __u32 viommu, __u32 type, __u32 depth, __u32 *queue);
int hw_queue_alloc(int fd, __u32 viommu, __u32 index, __u64 iova, __u64 length, __u32 *queue);
/* As mainline's tests do it: an event of a device with its number. */
int vevent(int fd, __u32 idev);
/* -EINVAL unless each of a device's caches holds that. */
int mock_check_caches(int fd, __u32 idev, __u32 a, __u32 b, __u32 c, __u32 d);

/* A parent over an IOAS, a device that is not attached, and a virtual IOMMU for both. */
struct viommu_rig {
	int fd;
	__u32 ioas, parent, viommu;
	struct pasid_dev dev;
	struct counts before;
};

int viommu_rig_new(struct viommu_rig *rig);
/* All can be destroyed, and nothing is left; what a test has added is gone. */
int viommu_rig_end(struct viommu_rig *rig);

#endif
