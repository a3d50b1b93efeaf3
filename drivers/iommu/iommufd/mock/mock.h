/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock IOMMU and mock devices, for tests: the devices do no DMA, the IOMMU
 * remembers what is mapped and complains about what a page table must not be
 * asked. Linked with CONFIG_IOMMUFD_TEST only; iommufd_test.h has the user ABI.
 *
 *	cmd.c		which test operation is whose
 *	stdev.c		a mock device as an object of a context: bind, unbind
 *	attach.c	attach, replace, detach it, at a PASID or not; its requests
 *	pairs.c		who is told of PASIDs: its driver, and a follower
 *	kernel.c	the kernel's own use of a PASID; counts, to find leaks
 *	access.c	an in-kernel user of memory behind a file
 *	access_use.c	pin, unpin, read and write through it
 *	dmabuf.c	a dma-buf that can be revoked
 *	dirty.c		devices write: dirty bits
 *	check.c		does a page table translate, are pages pinned
 *	bus.c		the bus with the devices, the IOMMU's registration
 *	ops.c		the IOMMU driver
 *	pasid.c		a device's PASID table
 *	nested.c	domains in front of others
 *	fault.c		page requests of a device, and what it is told
 *	table.c		the page table
 *	viommu.c	virtual IOMMUs, and what a device caches
 */
#ifndef __IOMMUFD_MOCK_H
#define __IOMMUFD_MOCK_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "../abi.h"
#include "../ops/op.h"
#include "entry.h"
#include "iommufd_test.h"

/* What an operation gets: a pointer to its own member of the test call. */
#define MOCK_ARGS(member) typeof(typeof_member(struct iommu_test_cmd, member) *)

struct iommufd_pasid_ops;
struct iommufd_viommu;
struct iommufd_viommu_ops;

/**
 * struct mock_cached - an entry as a cache has it
 * @pasid: whose entry it is; 0: none
 * @domain: what it was
 */
struct mock_cached {
	u32 pasid;
	struct mock_domain *domain;
};

/**
 * struct mock_pasids - a device's PASID table
 * @table: PASID in requests -> struct mock_domain; its lock protects @cache
 * @nr: entries; serialized by the iommu core's lock of the group, and read under @table's
 * @joining: devices on their way into the group; under @table's lock
 * @global: every number in it is of the system-wide space
 * @cache: entries that requests have used
 */
struct mock_pasids {
	struct xarray table;
	unsigned int nr;
	unsigned int joining;
	bool global;
	struct mock_cached cache[16];
};

void mock_pasids_init(struct mock_pasids *pasids);
void mock_pasids_exit(struct mock_pasids *pasids);
bool mock_pasids_join(struct mock_pasids *pasids);
void mock_pasids_joined(struct mock_pasids *pasids);
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		       struct iommu_domain *old);
int mock_replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			   struct iommu_domain *old);
void mock_remove_dev_pasid(struct device *dev, ioasid_t pasid, struct iommu_domain *domain);
struct mock_domain *mock_pasids_domain(struct mock_pasids *pasids, u32 pasid);
int mock_pasids_request(struct mock_pasids *pasids, u32 pasid, unsigned long iova,
			phys_addr_t *phys);

/**
 * struct mock_faults - a device's page requests
 * @enabled: it may send them; whoever enables serializes, requests only read it
 * @lock: of what follows
 * @pending: groups without an answer
 * @nr: answers there were
 * @answers: the latest ones
 */
struct mock_faults {
	bool enabled;
	spinlock_t lock; /* of what follows */
	u32 pending;
	u32 nr;
	struct iommu_page_response answers[16];
};

int mock_faults_init(void);
void mock_faults_exit(void);

/**
 * struct mock_device - a device behind the mock IOMMU
 * @dev: head, on the mock's bus
 * @index: its number there
 * @flags: MOCK_FLAGS_DEVICE_...
 * @users: its maker, its slices, and calls
 * @peer: whose group it joins, or NULL
 * @domain: the paging domain attached, or NULL; serialized by the iommu core's
 *	lock of its group
 * @pasids: what is attached at its PASIDs
 * @viommu_lock: protects @viommu, and is held while an event is reported
 * @viommu: of the domain attached, or NULL
 * @caches: what it has cached of translations, as numbers
 * @faults: its page requests
 */
struct mock_device {
	struct device dev;
	int index;
	u32 flags;
	refcount_t users;
	struct mock_device *peer;
	struct mock_domain *domain;
	struct mock_pasids pasids;
	spinlock_t viommu_lock; /* of viommu */
	struct iommufd_viommu *viommu;
	u32 caches[MOCK_DEV_CACHE_NUM];
	struct mock_faults faults;
};

void mock_faults_end(struct mock_device *mdev);
int mock_enable_feature(struct device *dev, enum iommu_dev_features feature);
int mock_disable_feature(struct device *dev, enum iommu_dev_features feature);
void mock_page_response(struct device *dev, struct iopf_fault *evt,
			struct iommu_page_response *response);

static inline struct mock_device *to_mock_device(struct device *dev)
{
	return container_of(dev, struct mock_device, dev);
}

/* A domain with dirty tracking is not for a device without. */
static inline bool mock_can_track(const struct iommu_domain *domain, struct device *dev)
{
	return !domain->dirty_ops || !(to_mock_device(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
}

/**
 * struct mock_table - a page table that remembers
 * @slots: IOVA / MOCK_PAGE_SIZE -> what is there, see table.c; its lock
 *	protects all of it
 * @stale: pages of which the table says that they are clean, and caches that they
 *	are dirty, are in here; empty: it ends before it starts
 */
struct mock_table {
	struct xarray slots;
	struct iova_range stale;
};

void mock_table_init(struct mock_table *table);
void mock_table_exit(struct mock_table *table);
int mock_table_map(struct mock_table *table, unsigned long iova, phys_addr_t phys, size_t pgsize,
		   size_t pgcount, int prot, gfp_t gfp, size_t *mapped);
size_t mock_table_unmap(struct mock_table *table, unsigned long iova, size_t size);
phys_addr_t mock_table_phys(struct mock_table *table, unsigned long iova);
bool mock_table_set_dirty(struct mock_table *table, unsigned long iova);
void mock_table_read_dirty(struct mock_table *table, unsigned long iova, size_t size, bool clear,
			   struct iommu_dirty_bitmap *dirty);
void mock_table_sync(struct mock_table *table, const struct iommu_iotlb_gather *gather);

/**
 * struct mock_domain - a paging domain, or a nested one
 * @domain: head
 * @table: what is mapped; of a nested one, nothing
 * @attached: devices, and PASIDs of devices
 * @tracking: dirty tracking is on
 * @parent: of a nested one, what it lies on; else NULL
 * @viommu: whose guest writes a nested one, or NULL
 * @iotlb: of a nested one, what caches hold of it, as numbers
 */
struct mock_domain {
	struct iommu_domain domain;
	struct mock_table table;
	atomic_t attached;
	bool tracking;
	struct mock_domain *parent;
	struct iommufd_viommu *viommu;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

extern const struct iommu_ops mock_iommu_ops;

extern const struct iommu_domain_ops mock_nested_ops;

struct mock_domain *mock_domain_of(struct iommu_domain *domain);
struct mock_domain *mock_domain_new(void);
void mock_domain_free(struct iommu_domain *domain);
int mock_attach_dev(struct iommu_domain *domain, struct device *dev);
struct iommu_domain *mock_nested_alloc(struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *user_data);
const struct iommufd_viommu_ops *mock_viommu_ops(struct device *dev, struct iommu_domain *parent,
						 unsigned int type);
int mock_viommu_enter(struct mock_device *mdev, struct iommufd_viommu *viommu);
void mock_domain_hold(struct mock_domain *mock);
void mock_domain_release(struct mock_domain *mock);
int mock_domains_left(void);
int mock_domains_attached(void);

/**
 * struct mock_pairs - PASIDs that somebody was told of
 * @table: vPASID -> pPASID, a value; whoever tells serializes
 * @fail: what the next one is refused with, or 0
 */
struct mock_pairs {
	struct xarray table;
	int fail;
};

void mock_pairs_init(struct mock_pairs *pairs);
void mock_pairs_exit(struct mock_pairs *pairs);
void mock_event(u32 kind, u32 index, u32 vpasid, u32 ppasid);

/**
 * struct mock_stdev - a mock device, or a slice of one, of a context
 * @obj: head
 * @mdev: the device, or the slice's parent; holds a reference
 * @idev: its binding, or NULL
 * @idev_obj: the same as an object; holds a reference, so that it outlives this
 * @pairs: of which its driver was told
 */
struct mock_stdev {
	struct object obj;
	struct mock_device *mdev;
	struct iommufd_device *idev;
	struct object *idev_obj;
	struct mock_pairs pairs;
};

extern const struct object_type mock_stdev_type;
extern const struct iommufd_pasid_ops mock_driver_ops;

static inline void mock_stdev_put(struct mock_stdev *stdev)
{
	object_put(&stdev->obj);
}

OBJECT_KIND(mock_stdev, struct mock_stdev, mock_stdev_type);

struct mock_stdev *mock_stdev_of_dev(struct iommufd_ctx *ictx, u32 dev_id);

struct iommu_device *mock_iommu_device(struct device *dev);
struct iommu_group *mock_device_group(struct device *dev);
struct mock_device *mock_device_add(u32 flags, struct mock_device *peer);
struct mock_device *mock_device_get(u32 index);
void mock_device_put(struct mock_device *mdev);
int mock_devices_left(void);
int mock_bus_init(void);
void mock_bus_exit(void);

/* The operations; args is the member that is named after the function. */
int mock_stdev_create(struct op_call *call, u32 id, void *args);
int mock_stdev_create_flags(struct op_call *call, u32 id, void *args);
int mock_stdev_create_bound(struct op_call *call, u32 id, void *args);
int mock_stdev_replace(struct op_call *call, u32 id, void *args);
int mock_pasid_attach(struct op_call *call, u32 id, void *args);
int mock_pasid_replace(struct op_call *call, u32 id, void *args);
int mock_pasid_detach(struct op_call *call, u32 id, void *args);
int mock_pasid_check(struct op_call *call, u32 id, void *args);
int mock_attach(struct op_call *call, u32 id, void *args);
int mock_replace(struct op_call *call, u32 id, void *args);
int mock_detach(struct op_call *call, u32 id, void *args);
int mock_request(struct op_call *call, u32 id, void *args);
int mock_follow(struct op_call *call, u32 id, void *args);
int mock_pair(struct op_call *call, u32 id, void *args);
int mock_fail_map(struct op_call *call, u32 id, void *args);
int mock_event_get(struct op_call *call, u32 id, void *args);
int mock_kernel_pasid(struct op_call *call, u32 id, void *args);
int mock_count(struct op_call *call, u32 id, void *args);
int mock_dmabuf_get(struct op_call *call, u32 id, void *args);
int mock_dmabuf_revoke(struct op_call *call, u32 id, void *args);
int mock_dirty(struct op_call *call, u32 id, void *args);
int mock_check_map(struct op_call *call, u32 id, void *args);
int mock_check_iotlb(struct op_call *call, u32 id, void *args);
int mock_trigger_iopf(struct op_call *call, u32 id, void *args);
int mock_page_request(struct op_call *call, u32 id, void *args);
int mock_page_answer(struct op_call *call, u32 id, void *args);
int mock_check_refs(struct op_call *call, u32 id, void *args);
int mock_trigger_vevent(struct op_call *call, u32 id, void *args);
int mock_check_caches(struct op_call *call, u32 id, void *args);
int mock_access_create(struct op_call *call, u32 id, void *args);
int mock_access_replace(struct op_call *call, u32 id, void *args);
int mock_access_pin(struct op_call *call, u32 id, void *args);
int mock_access_unpin(struct op_call *call, u32 id, void *args);
int mock_access_rw(struct op_call *call, u32 id, void *args);
int mock_access_create_pasids(struct op_call *call, u32 id, void *args);
int mock_access_attach_pasid(struct op_call *call, u32 id, void *args);
int mock_access_replace_pasid(struct op_call *call, u32 id, void *args);
int mock_access_detach_pasid(struct op_call *call, u32 id, void *args);
int mock_access_pin_pasid(struct op_call *call, u32 id, void *args);
int mock_access_rw_pasid(struct op_call *call, u32 id, void *args);
int mock_access_unmaps(struct op_call *call, u32 id, void *args);

#endif
