/* SPDX-License-Identifier: GPL-2.0-only */
/* What a call of fail_nth works on, and how its result is judged. */
#ifndef SELFTEST_FAIL_NTH_H
#define SELFTEST_FAIL_NTH_H

#include <stdbool.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define LATER (AT + 16 * HUGE)
#define SMALL (4 * PAGE)
/* More than a call might keep on its stack, and of several kinds of memory. */
#define LARGE (3 * HUGE)

struct ctx {
	int fd;
	int access;
	int file;
	int new_fd;
	/* small and large mapped with a device, small without one, empty with one. */
	__u32 ioas, idle, empty;
	struct mock_dev dev, empty_dev, new_dev;
	char *small, *large;
	__u32 hwpt, new_id, pages;
	__u64 iova;
	/* With PASIDs: PASID is attached to ioas, and the table fits to hold it. */
	struct pasid_dev own, global, parent, slice, new_pasids;
	int emulated;
	__u32 emulated_id, follower, fits, new_pasid;
	/* A nested table with faults on a parent of empty; its queue's file. */
	__u32 below, queue, nested;
	int queue_file;
	/* On the same parent; what can be mapped of it. */
	__u32 viommu, new_hwpt, new_queue;
	__u64 window, window_length;
	void *mapped;
};

#define PASID 9

int setup_faults(struct ctx *c);
int teardown_faults(struct ctx *c);
int setup_viommus(struct ctx *c);
int teardown_viommus(struct ctx *c);
int setup_pasids(struct ctx *c);
int teardown_pasids(struct ctx *c);

struct call {
	const char *name;
	/* Before every try, without failures; NULL if there is nothing to do. */
	int (*before)(struct ctx *c);
	int (*call)(struct ctx *c);
	/* Has it done its work? And then it is undone. */
	int (*done)(struct ctx *c);
	/* Is everything as before()? Also undone. */
	int (*intact)(struct ctx *c);
	/* Newer than the oldest kernel; without its own error it says ENOTTY. */
	int (*optional)(struct ctx *c);
	/* What it may say instead of ENOMEM, for somebody who does not tell. */
	int instead;
	/* Taking down needs no memory that could be missing. */
	bool must_succeed;
};

extern const struct call calls[];
extern const unsigned int num_calls;
extern const struct call pasid_calls[];
extern const unsigned int num_pasid_calls;
extern const struct call fault_calls[];
extern const unsigned int num_fault_calls;
extern const struct call viommu_calls[];
extern const unsigned int num_viommu_calls;
extern const struct call dirty_calls[];
extern const unsigned int num_dirty_calls;
extern const struct call other_calls[];
extern const unsigned int num_other_calls;

void all_calls_armed(bool on);
unsigned int all_calls_missing(void);
unsigned int all_calls_count(void);

#endif
