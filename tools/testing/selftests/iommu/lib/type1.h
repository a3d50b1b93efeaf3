/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of VFIO's type1, on a file of /dev/iommu. All return 0 or -errno. */
#ifndef SELFTEST_TYPE1_H
#define SELFTEST_TYPE1_H

#include <linux/types.h>
#include <linux/vfio.h>

#define T1_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* Those with a number in place of an address; what they return, or -errno. */
int t1_number(int fd, unsigned long nr, unsigned long arg);
int t1_map_flags(int fd, __u32 flags, const void *va, __u64 length, __u64 iova);
int t1_map(int fd, const void *va, __u64 length, __u64 iova);
/* unmapped may be NULL. */
int t1_unmap_flags(int fd, __u32 flags, __u64 iova, __u64 length, __u64 *unmapped);
int t1_unmap(int fd, __u64 iova, __u64 length, __u64 *unmapped);
/* IOMMU_VFIO_IOAS; ioas is in and out. */
int t1_ioas(int fd, unsigned int op, __u32 *ioas);

#endif
