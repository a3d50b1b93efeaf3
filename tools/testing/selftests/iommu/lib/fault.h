/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested page tables and fault queues, and the mock's page requests. All return
 * 0 or -errno.
 */
#ifndef SELFTEST_FAULT_H
#define SELFTEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "mock.h"

/* The mock's caches of a nested page table hold this at first. */
#define CACHED IOMMU_TEST_IOTLB_DEFAULT

int hwpt_alloc_data(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 type, const void *data,
		    __u32 length, __u32 *hwpt);
/* fault: a fault queue, or 0. */
int nested_alloc(int fd, __u32 dev, __u32 parent, __u32 flags, __u32 fault, __u32 *hwpt);
/* A page table of an IOAS whose page requests go to a fault queue. */
int hwpt_alloc_fault(int fd, __u32 dev, __u32 ioas, __u32 flags, __u32 fault, __u32 *hwpt);
/* num: in, requests; out, those that were done. */
int invalidate(int fd, __u32 hwpt, __u32 type, const void *requests, __u32 length, __u32 *num);
/* -EINVAL unless that cache holds that. */
int mock_check_iotlb(int fd, __u32 hwpt, __u32 id, __u32 value);

/* The queue's file, or -errno. */
int fault_queue(int fd, __u32 *queue);
/* Whole groups; how many page requests were read, or -errno. */
int faults_read(int file, struct iommu_hwpt_pgfault *faults, unsigned int max);
/* How many answers were taken, or -errno. */
int faults_answer(int file, const struct iommu_hwpt_page_response *answers, unsigned int num);
int fault_answer(int file, __u32 cookie, __u32 code);
bool fault_readable(int file);

/* A page request with the number that it has in the device's requests; more: of a group. */
int page_request(int fd, __u32 stdev, __u32 number, __u32 group, __u64 addr, bool more);
/* As mainline's tests do it. */
int page_request_of(int fd, __u32 idev, __u32 number, __u32 group, __u64 addr);

#define NOT_TOLD (~0u)

struct told {
	__u32 pasid, group, code;
	/* Groups that the device waits for, and answers it has got. */
	__u32 pending, count;
};

/* The answer of that number that the device has got; its code is NOT_TOLD if it has not. */
int page_told(int fd, __u32 stdev, __u32 at, struct told *told);

#endif
