/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty tracking, and the mock device that writes. All return 0 or -errno. */
#ifndef SELFTEST_DIRTY_H
#define SELFTEST_DIRTY_H

#include <stdbool.h>
#include <linux/types.h>

int dirty_track(int fd, __u32 hwpt, bool on);
int dirty_get(int fd, __u32 hwpt, __u32 flags, __u64 iova, __u64 length, __u64 page_size,
	      void *bitmap);
/* A table that tracks, with huge pages of the mock. */
int hwpt_alloc_huge(int fd, __u32 dev, __u32 ioas, __u32 *hwpt);
/* To every page of a table that tracks; -ENXIO if it is not mapped, or not for writing. */
int device_writes(int fd, __u32 hwpt, __u64 iova, __u64 length);

#endif
