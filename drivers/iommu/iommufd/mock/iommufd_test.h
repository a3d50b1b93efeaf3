/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * How a test talks to the mock IOMMU and its mock devices: one ioctl on
 * /dev/iommu, whose structure holds an operation and that operation's own
 * member. The layout is mainline's, so that its tests run here, too.
 */
#ifndef _UAPI_IOMMUFD_TEST_H
#define _UAPI_IOMMUFD_TEST_H

#include <linux/types.h>
#include <linux/iommufd.h>

/* The mock translates the IOVAs of this aperture, in pages of these sizes. */
enum {
	MOCK_PAGE_SIZE = 2048,
	MOCK_HUGE_PAGE_SIZE = 512 * MOCK_PAGE_SIZE,
	MOCK_APERTURE_START = 0x1000000,
	MOCK_APERTURE_LAST = 0x7fffffff,
};

#define IOMMU_TEST_PASID_RESERVED 1024
#define MOCK_PASID_WIDTH 20

enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN = 2,
	IOMMU_TEST_OP_MD_CHECK_MAP = 3,
	IOMMU_TEST_OP_MD_CHECK_REFS = 4,
	IOMMU_TEST_OP_CREATE_ACCESS = 5,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES = 6,
	IOMMU_TEST_OP_ACCESS_PAGES = 7,
	IOMMU_TEST_OP_ACCESS_RW = 8,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT = 9,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE = 10,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS = 11,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS = 12,
	IOMMU_TEST_OP_DIRTY = 13,
	IOMMU_TEST_OP_MD_CHECK_IOTLB = 14,
	IOMMU_TEST_OP_TRIGGER_IOPF = 15,
	IOMMU_TEST_OP_DEV_CHECK_CACHE = 16,
	IOMMU_TEST_OP_TRIGGER_VEVENT = 17,
	IOMMU_TEST_OP_PASID_ATTACH = 18,
	IOMMU_TEST_OP_PASID_REPLACE = 19,
	IOMMU_TEST_OP_PASID_DETACH = 20,
	IOMMU_TEST_OP_PASID_CHECK_HWPT = 21,
	IOMMU_TEST_OP_DMABUF_GET = 22,
	IOMMU_TEST_OP_DMABUF_REVOKE = 23,
};

/* mock_domain_flags.dev_flags */
enum {
	MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0,
	MOCK_FLAGS_DEVICE_PASID = 1 << 2,
};

/* create_access.flags */
enum {
	MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0,
};

/* access_pages.flags; SYZ: iova is (which area << 32 | offset in it) */
enum {
	MOCK_FLAGS_ACCESS_WRITE = 1 << 0,
	MOCK_FLAGS_ACCESS_SYZ = 1 << 16,
};

/* access_rw.flags */
enum {
	MOCK_ACCESS_RW_WRITE = 1 << 0,
	MOCK_ACCESS_RW_SLOW_PATH = 1 << 2,
};

/*
 * op decides which member of the union counts, id is the object that it works
 * on: of an operation on an access, the access's file descriptor.
 */
struct iommu_test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct { __aligned_u64 start, length; } add_reserved;
		struct { __u32 out_stdev_id, out_hwpt_id, out_idev_id; } mock_domain;
		struct {
			__u32 out_stdev_id, out_hwpt_id, out_idev_id;
			__u32 dev_flags;
		} mock_domain_flags;
		struct { __u32 pt_id; } mock_domain_replace;
		struct { __aligned_u64 iova, length, uptr; } check_map;
		struct { __aligned_u64 length, uptr; __u32 refs; } check_refs;
		struct { __u32 out_access_fd, flags; } create_access;
		struct { __u32 access_pages_id; } destroy_access_pages;
		struct {
			__u32 flags, out_access_pages_id;
			__aligned_u64 iova, length, uptr;
		} access_pages;
		struct { __aligned_u64 iova, length, uptr; __u32 flags; } access_rw;
		struct { __u32 limit; } memory_limit;
		struct { __u32 ioas_id; } access_replace_ioas;
		struct {
			__u32 flags;
			__aligned_u64 iova, length, page_size, uptr, out_nr_dirty;
		} dirty;
		struct { __u32 id, iotlb; } check_iotlb;
		struct { __u32 dev_id, pasid, grpid, perm; __aligned_u64 addr; } trigger_iopf;
		struct { __u32 id, cache; } check_dev_cache;
		struct { __u32 dev_id; } trigger_vevent;
		struct { __u32 pasid, pt_id; } pasid_attach;
		struct { __u32 pasid, pt_id; } pasid_replace;
		struct { __u32 pasid; } pasid_detach;
		struct { __u32 pasid, hwpt_id; } pasid_check;
		struct { __u32 length, open_flags; } dmabuf_get;
		struct { __s32 dmabuf_fd; __u32 revoked; } dmabuf_revoke;
	};
	__u32 last;
};

#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, 0xa0)

/* What IOMMU_GET_HW_INFO and IOMMU_HWPT_ALLOC carry for the mock. */
#define IOMMU_HW_INFO_TYPE_SELFTEST 0xfeedbeef
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeef
#define IOMMU_HWPT_DATA_SELFTEST 0xdead
#define IOMMU_TEST_IOTLB_DEFAULT 0xbadbeef

struct iommu_test_hw_info {
	__u32 flags;
	__u32 test_reg;
};

#endif
