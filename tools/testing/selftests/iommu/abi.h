/* SPDX-License-Identifier: GPL-2.0-only */
/* What each call's structure has, and a valid one of each. */
#ifndef SELFTEST_ABI_H
#define SELFTEST_ABI_H

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define SRC (MOCK_APERTURE_START + 64 * PAGE)
#define NONE (-1)
#define PASID 9

/*
 * What a valid structure names: dev is on ioas, which has file at SRC; pasids has
 * PASIDs; nested lies on parent, which is made of ioas, and so does viommu.
 */
struct objects {
	int fd;
	int file;
	__u32 ioas, parent, nested, viommu;
	struct mock_dev dev;
	struct pasid_dev pasids;
	/* Tracks what is dirty. */
	__u32 tracked;
	struct iommu_pasid_entry entries[2];
	char *buf;
	struct iommu_iova_range ranges[4];
};

union arg {
	__u32 size;
	struct iommu_destroy destroy;
	struct iommu_ioas_alloc alloc;
	struct iommu_ioas_allow_iovas allow;
	struct iommu_ioas_iova_ranges ranges;
	struct iommu_ioas_map map;
	struct iommu_ioas_map_file map_file;
	struct iommu_ioas_copy copy;
	struct iommu_ioas_unmap unmap;
	struct iommu_option option;
	struct iommu_vfio_ioas vfio_ioas;
	struct iommu_hwpt_alloc hwpt;
	struct iommu_hw_info info;
	struct iommu_hwpt_invalidate invalidate;
	struct iommu_fault_alloc fault;
	struct iommu_viommu_alloc viommu;
	struct iommu_vdevice_alloc vdevice;
	struct iommu_veventq_alloc veventq;
	struct iommu_hw_queue_alloc hw_queue;
	struct iommu_hwpt_set_dirty_tracking track;
	struct iommu_hwpt_get_dirty_bitmap dirty;
	struct iommu_ioas_change_process change;
	struct iommu_ioas_noiommu_get_pa phys;
	struct iommu_pasid_alloc pasid_alloc;
	struct iommu_pasid_free pasid_free;
	struct iommu_pasid_info pasid_info;
	struct iommu_pasid_list pasid_list;
	char bytes[2 * PAGE];
};

struct row {
	const char *name;
	unsigned long nr;
	/* Bytes of the structure, and of its part that every caller must know. */
	unsigned int size, required;
	void (*fill)(struct objects *o, union arg *a);
	/* Where 32 bits of flags are, and which of them exist. */
	int flags;
	__u32 known;
	/* What must be zero: offset and bytes. */
	struct { int at, bytes; } zero[3];
	/* The IDs it takes: where, and the errno for an object of another kind. */
	struct { int at; int other_kind; } id[2];
};

/* Makes all of that in the context fd: 0, or -1. */
int objects_new(struct objects *o);

extern const struct row rows[];
extern const struct row *const rows_end;

#endif
