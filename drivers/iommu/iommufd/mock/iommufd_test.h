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

/* What a mock device caches, and what caches hold of a nested page table */
enum {
	MOCK_DEV_CACHE_ID_MAX = 3,
	MOCK_DEV_CACHE_NUM = 4,
	MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3,
	MOCK_NESTED_DOMAIN_IOTLB_NUM = 4,
};

#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddad

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

/*
 * Operations that mainline does not have. Where they differ from one of above,
 * these ones are a driver's view of the product: any page table or IOAS, with
 * PASID 0 for the device itself, and the product's errors.
 */
enum {
	MOCK_OP_BASE = 0x100,
	/* A device by its policy; id: what to attach it to, or 0. */
	MOCK_OP_DEVICE = MOCK_OP_BASE,
	/* id: the mock device */
	MOCK_OP_ATTACH,
	MOCK_OP_REPLACE,
	MOCK_OP_DETACH,
	/* A request of a device: 0 if it reaches the memory at uptr; EINVAL other or
	 * no memory; ENOENT a PASID of nobody; EIO by an entry that is not there any more.
	 */
	MOCK_OP_REQUEST,
	/* The kernel takes a global PASID and attaches a domain there; id: mock device */
	MOCK_OP_KERNEL_PASID,
	/* Somebody who follows the context's global PASIDs */
	MOCK_OP_FOLLOW,
	/* What a driver or a follower was told; id: mock device or follower */
	MOCK_OP_PAIR,
	MOCK_OP_FAIL_MAP,
	MOCK_OP_EVENT,
	MOCK_OP_COUNT,
	/* An access with PASIDs; id: the IOAS, or 0. Of the others: its file descriptor */
	MOCK_OP_ACCESS,
	MOCK_OP_ACCESS_ATTACH,
	MOCK_OP_ACCESS_REPLACE,
	MOCK_OP_ACCESS_DETACH,
	MOCK_OP_ACCESS_PIN,
	MOCK_OP_ACCESS_RW,
	MOCK_OP_ACCESS_UNMAPS,
	/* A page request with a PASID as in requests, more of its group follow; what the
	 * device was told; id: the mock device
	 */
	MOCK_OP_PAGE_REQUEST,
	MOCK_OP_PAGE_ANSWER,
};

/*
 * device.flags: GLOBAL and CALLBACKS as of struct iommufd_bind; PARENT is not
 * bound, it is its driver's; SLICE of the device other; JOIN the group of other;
 * AGAIN: bind other, which slices have kept, with numbers of the same kind: a PARENT
 * and its slices have GLOBAL ones.
 * Devices are known to all contexts by an index.
 */
enum {
	MOCK_DEVICE_GLOBAL = 1 << 0,
	MOCK_DEVICE_CALLBACKS = 1 << 1,
	MOCK_DEVICE_PARENT = 1 << 2,
	MOCK_DEVICE_SLICE = 1 << 3,
	MOCK_DEVICE_JOIN = 1 << 4,
	MOCK_DEVICE_AGAIN = 1 << 5,
};

/* request.flags: pasid is as in the device's requests */
enum {
	MOCK_REQUEST_RAW = 1 << 0,
};

/* access.flags: PINS as of struct iommufd_access_ops; GLOBAL: numbers for parent */
enum {
	MOCK_ACCESS_PINS = 1 << 0,
	MOCK_ACCESS_GLOBAL = 1 << 1,
};

/* event.out_kind: told to a driver; to a follower; done to an IOMMU's entry */
enum {
	MOCK_EVENT_MAP = 1,
	MOCK_EVENT_UNMAP,
	MOCK_EVENT_FOLLOW_MAP,
	MOCK_EVENT_FOLLOW_UNMAP,
	MOCK_EVENT_SET,
	MOCK_EVENT_REPLACE,
	MOCK_EVENT_REMOVE,
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
		/* Not mainline's */
		struct {
			__u32 flags, width, other;
			__u32 out_stdev_id, out_hwpt_id, out_idev_id, out_index;
		} device;
		struct { __u32 pasid, pt_id; } move;
		struct { __u32 pasid, flags; __aligned_u64 iova, length, uptr; } request;
		struct { __u32 out_id, out_pasid; } kernel_pasid;
		struct { __u32 out_id; } follow;
		struct { __u32 vpasid, out_ppasid; } pair;
		struct { __u32 error; } fail_map;
		/* at: number of the event; out_next: of the next that there will be */
		struct {
			__aligned_u64 at, out_next;
			__u32 out_kind, out_index, out_vpasid, out_ppasid;
		} event;
		/* out_globals: of the numbers below 4096, those that somebody has */
		struct {
			__u32 index, out_entries;
			__u32 out_globals, out_attached, out_domains, out_devices;
		} count;
		struct { __u32 flags, width, parent, out_access_fd, out_access_id; } access;
		struct { __u32 pasid, ioas_id; } access_move;
		struct {
			__u32 pasid, flags, out_access_pages_id, __reserved;
			__aligned_u64 iova, length, uptr;
		} access_pin;
		struct { __u32 pasid, flags; __aligned_u64 iova, length, uptr; } access_copy;
		/* at: number of the notice; ENOENT if there was none */
		struct { __u32 at, out_pasid; __aligned_u64 out_iova, out_length; } access_unmaps;
		struct { __u32 pasid, grpid, perm, more; __aligned_u64 addr; } page_request;
		/* at: number of the answer; out_next: of the next that there will be */
		struct {
			__u32 at, out_next, out_pending;
			__u32 out_pasid, out_grpid, out_code;
		} page_answer;
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

/* pagetable_type: as it would be anyway, or with huge pages; not looked at in a nested one */
enum {
	MOCK_IOMMUPT_DEFAULT,
	MOCK_IOMMUPT_HUGE,
};

struct iommu_hwpt_selftest {
	__u32 iotlb;
	__u32 pagetable_type;
};

#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeef
enum {
	IOMMU_TEST_INVALIDATE_FLAG_ALL = 1 << 0,
};

/* ALL: whatever iotlb_id is */
struct iommu_hwpt_invalidate_selftest {
	__u32 flags;
	__u32 iotlb_id;
};

#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeef

/* What is mapped at the offset is a page with in_data at its start. */
struct iommu_viommu_selftest {
	__u32 in_data;
	__u32 out_data;
	__aligned_u64 out_mmap_offset;
	__aligned_u64 out_mmap_length;
};

#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeef

/* vdev_id: number of a virtual device; ALL: whatever cache_id is */
struct iommu_viommu_invalidate_selftest {
	__u32 flags;
	__u32 vdev_id;
	__u32 cache_id;
};

#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeef

struct iommu_viommu_event_selftest {
	__u32 virt_id;
};

#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeef
#define IOMMU_TEST_HW_QUEUE_MAX 2

#endif
