/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock IOMMU's test calls. A device is a mock device attached to an IOAS or
 * HWPT; destroying its stdev detaches and frees it. An access is a file.
 */
#ifndef SELFTEST_MOCK_H
#define SELFTEST_MOCK_H

#include <stdbool.h>
#include <linux/types.h>
#include <iommufd_test.h>

struct mock_dev {
	__u32 stdev;
	__u32 hwpt;
	__u32 idev;
};

int mock_attach(int fd, __u32 pt, struct mock_dev *dev);
int mock_attach_flags(int fd, __u32 pt, __u32 flags, struct mock_dev *dev);
int mock_replace(int fd, __u32 stdev, __u32 pt);
int mock_reserve(int fd, __u32 ioas, __u64 start, __u64 length);

/* -EINVAL unless the HWPT translates iova to the very pages that are at va. */
int mock_check_map(int fd, __u32 hwpt, const void *va, __u64 length, __u64 iova);
/* -EIO unless each page at va is pinned so often. */
int mock_check_refs(int fd, const void *va, __u64 length, __u32 refs);
/* Pinning works with chunks of so many bytes of working memory. */
int mock_memory_limit(int fd, __u32 limit);

/* A dma-buf, whose descriptor this is, that can be mapped by mmap(), too; or -errno. */
int mock_dmabuf(int fd, __u32 length);
int mock_dmabuf_revoke(int fd, int dmabuf, bool revoked);

int access_new(int fd, __u32 ioas, __u32 flags);
int access_new_pinning(int fd, __u32 ioas);
int access_pin(int fd, int access, __u64 iova, __u64 length, const void *va, __u32 flags,
	       __u32 *pages);
int access_unpin(int fd, int access, __u32 pages);
int access_move(int fd, int access, __u32 ioas);
int access_rw(int fd, int access, __u64 iova, __u64 length, void *buf, __u32 flags);
/* Read and write what is pinned, and not what the process has at that address now. */
int device_read(int fd, int access, __u64 iova, __u64 length, void *buf);
int device_write(int fd, int access, __u64 iova, __u64 length, const void *buf);

#endif
