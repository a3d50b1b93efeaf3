/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PASID calls of /dev/iommu, and the mock's devices, slices, accesses and
 * followers that have to do with PASIDs. All return 0 or -errno.
 */
#ifndef SELFTEST_PASID_H
#define SELFTEST_PASID_H

#include <stdbool.h>

#include "mock.h"

#define TAGGED IOMMU_PASID_ALLOC_TAGGED
#define IDENTITY IOMMU_PASID_ALLOC_IDENTITY

/* pasid: in with TAGGED, else out. */
int pasid_alloc(int fd, __u32 dev, __u32 flags, __u32 *pasid);
int pasid_tag(int fd, __u32 dev, __u32 pasid);
int pasid_free(int fd, __u32 dev, __u32 pasid);
int pasid_info(int fd, __u32 dev, struct iommu_pasid_info *info);
/* num: in, entries in the array; out, entries written; next: in, first wanted; out, or 0. */
int pasid_list(int fd, __u32 dev, struct iommu_pasid_entry *array, __u32 *num, __u32 *next,
	       __u64 *changes);
/* What the list says of one PASID; -ENOENT if it is not there. */
int pasid_entry(int fd, __u32 dev, __u32 pasid, struct iommu_pasid_entry *entry);
/* PASIDs that a device has, and how many of them are attached; -1 upon an error. */
long pasids_in_use(int fd, __u32 dev);
long pasids_attached(int fd, __u32 dev);

/* A device or slice; pt is what it is attached to, or 0. */
struct pasid_dev {
	__u32 stdev;
	__u32 hwpt;
	__u32 idev;
	/* In all contexts. */
	__u32 index;
};

int dev_new(int fd, __u32 flags, __u32 width, __u32 other, __u32 pt, struct pasid_dev *dev);
int per_rid_new(int fd, __u32 pt, struct pasid_dev *dev);
int global_new(int fd, __u32 pt, struct pasid_dev *dev);
int parent_new(int fd, struct pasid_dev *dev);
int slice_new(int fd, const struct pasid_dev *parent, __u32 pt, struct pasid_dev *dev);

/* As VFIO does it; PASID 0: the device. hwpt: what it is attached to then, or NULL. */
int pasid_attach(int fd, __u32 stdev, __u32 pasid, __u32 pt, __u32 *hwpt);
int pasid_replace(int fd, __u32 stdev, __u32 pasid, __u32 pt, __u32 *hwpt);
int pasid_detach(int fd, __u32 stdev, __u32 pasid);
/* -EINVAL unless that HWPT, or with 0 nothing, is in the device's entry. */
int pasid_check(int fd, __u32 stdev, __u32 pasid, __u32 hwpt);
/* Does a request with a PASID reach this memory; -EINVAL other, -ENOENT nothing attached. */
int request(int fd, __u32 stdev, __u32 pasid, __u64 iova, const void *va, __u64 length);
/* The same, by the number that is in requests. */
int request_raw(int fd, __u32 stdev, __u32 number, __u64 iova, const void *va, __u64 length);

/* What the driver of a device, or a follower, was told that a PASID stands for. */
int pair(int fd, __u32 who, __u32 vpasid, __u32 *number);
/* It refuses the next one with this error. */
int fail_map(int fd, __u32 who, int error);
int follow(int fd, __u32 *follower);

struct event {
	__u32 kind, index, vpasid, number;
};

/* The number of the next event, and the event of a number; kind 0: not yet happened. */
__u64 event_next(int fd);
int event_get(int fd, __u64 at, struct event *event);

/* The kernel attaches a domain of its own at a PASID of the system's; ends with destroy(). */
int kernel_pasid(int fd, __u32 stdev, __u32 *id, __u32 *number);

/* An access with PASIDs, of its own or of the parent with that index: a file descriptor. */
int access_own(int fd, __u32 ioas, __u32 width, __u32 *id);
int access_global(int fd, __u32 ioas, __u32 width, __u32 parent, __u32 *id);
int access_attach_at(int fd, int access, __u32 pasid, __u32 ioas);
int access_replace_at(int fd, int access, __u32 pasid, __u32 ioas);
int access_detach_at(int fd, int access, __u32 pasid);
int access_pin_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length, const void *va,
		  __u32 *pages);
int access_read_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length, void *buf);
int access_write_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length,
		    const void *buf);
/* The unmap of that number that it was told of; -ENOENT if there was none. */
int access_unmap_told(int fd, int access, __u32 nr, __u32 *pasid, __u64 *iova, __u64 *length);

struct counts {
	__u32 globals, entries, attached, domains, devices;
};

/* System-wide, but entries: of the device of that index. */
int count(int fd, __u32 index, struct counts *counts);
/* Whether there is, system-wide, what there was before; tells what is not so. */
bool nothing_left(int fd, const struct counts *before);

#endif
