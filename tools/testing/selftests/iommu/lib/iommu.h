/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of /dev/iommu, one function each. All return 0 or -errno, so that
 * a test can say which one it expects.
 */
#ifndef SELFTEST_IOMMU_H
#define SELFTEST_IOMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/iommufd.h>

#define PERM_R IOMMU_IOAS_MAP_READABLE
#define PERM_W IOMMU_IOAS_MAP_WRITEABLE
#define PERM_RW (PERM_R | PERM_W)
#define FIXED IOMMU_IOAS_MAP_FIXED_IOVA

#define U64_MAX (~(__u64)0)

int iommu_open(void);
/* All calls are made by these; the first one also returns what is no error. */
int iommu_ioctl(int fd, unsigned long nr, unsigned long arg);
int iommu_call(int fd, unsigned long nr, void *arg);

/* Told of each of them, if somebody wants that. */
extern void (*iommu_watch)(unsigned long nr, const void *arg);

int ioas_alloc(int fd, __u32 *ioas);
__u32 ioas_new(int fd);
int destroy(int fd, __u32 id);

/* map() chooses the IOVA unless flags has FIXED; map_at() is readable and writeable. */
int map(int fd, __u32 ioas, __u32 flags, const void *va, __u64 length, __u64 *iova);
int map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova);
int map_file(int fd, __u32 ioas, __u32 flags, int file, __u64 start, __u64 length, __u64 *iova);
int copy(int fd, __u32 flags, __u32 dst, __u32 src, __u64 length, __u64 *dst_iova,
	 __u64 src_iova);
int copy_at(int fd, __u32 dst, __u32 src, __u64 length, __u64 dst_iova, __u64 src_iova);
int unmap(int fd, __u32 ioas, __u64 iova, __u64 length);
int unmap_count(int fd, __u32 ioas, __u64 iova, __u64 length, __u64 *unmapped);

/* Bytes that an unmap of everything finds; U64_MAX if it fails. */
__u64 unmap_all(int fd, __u32 ioas);

/* num: in, entries in the array; out, entries there are. */
int ranges_get(int fd, __u32 ioas, struct iommu_iova_range *array, __u32 *num, __u64 *alignment);
int ranges_allow(int fd, __u32 ioas, const struct iommu_iova_range *array, __u32 num);
bool ranges_contain(const struct iommu_iova_range *array, __u32 num, __u64 first, __u64 length);

int option_set(int fd, __u32 option, __u32 object, __u64 value);
int option_get(int fd, __u32 option, __u32 object, __u64 *value);
int hwpt_alloc(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 *hwpt);
int hw_info(int fd, __u32 dev, void *data, __u32 *length, struct iommu_hw_info *info);

#endif
