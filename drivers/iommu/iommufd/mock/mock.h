/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock IOMMU and mock devices, for tests: the devices do no DMA, the IOMMU
 * remembers what is mapped and complains about what a page table must not be
 * asked. Linked with CONFIG_IOMMUFD_TEST only; iommufd_test.h has the user ABI.
 *
 *	cmd.c		which test operation is whose
 *	stdev.c		a mock device as an object of a context: attach, replace
 *	access.c	an in-kernel user of memory behind a file
 *	check.c		does a page table translate, are pages pinned
 *	bus.c		the bus with the devices, the IOMMU's registration
 *	ops.c		the IOMMU driver
 *	table.c		the page table
 */
#ifndef __IOMMUFD_MOCK_H
#define __IOMMUFD_MOCK_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "../ops/op.h"
#include "entry.h"
#include "iommufd_test.h"

/* What an operation gets: a pointer to its own member of the test call. */
#define MOCK_ARGS(member) typeof(typeof_member(struct iommu_test_cmd, member) *)

/**
 * struct mock_device - a device behind the mock IOMMU
 * @dev: head, on the mock's bus
 * @index: its number there
 * @flags: MOCK_FLAGS_DEVICE_...
 * @domain: the paging domain attached, or NULL; serialized by the iommu core's
 *	lock of its group, which has no other device
 */
struct mock_device {
	struct device dev;
	int index;
	u32 flags;
	struct mock_domain *domain;
};

static inline struct mock_device *to_mock_device(struct device *dev)
{
	return container_of(dev, struct mock_device, dev);
}

/**
 * struct mock_table - a page table that remembers
 * @slots: IOVA / MOCK_PAGE_SIZE -> what is there, see table.c; its lock
 *	protects it
 */
struct mock_table {
	struct xarray slots;
};

void mock_table_init(struct mock_table *table);
void mock_table_exit(struct mock_table *table);
int mock_table_map(struct mock_table *table, unsigned long iova, phys_addr_t phys, size_t pgsize,
		   size_t pgcount, int prot, gfp_t gfp, size_t *mapped);
size_t mock_table_unmap(struct mock_table *table, unsigned long iova, size_t size);
phys_addr_t mock_table_phys(struct mock_table *table, unsigned long iova);
void mock_table_read_dirty(struct mock_table *table, unsigned long iova, size_t size, bool clear,
			   struct iommu_dirty_bitmap *dirty);

/**
 * struct mock_domain - a paging domain
 * @domain: head
 * @table: what is mapped
 * @attached: devices
 * @tracking: dirty tracking is on
 */
struct mock_domain {
	struct iommu_domain domain;
	struct mock_table table;
	atomic_t attached;
	bool tracking;
};

extern const struct iommu_ops mock_iommu_ops;

struct mock_domain *mock_domain_of(struct iommu_domain *domain);
int mock_domains_left(void);

struct iommu_device *mock_iommu_device(struct device *dev);
struct mock_device *mock_device_add(u32 flags);
void mock_device_del(struct mock_device *mdev);
int mock_bus_init(void);
void mock_bus_exit(void);

/* The operations; args is the member that is named after the function. */
int mock_stdev_create(struct op_call *call, u32 id, void *args);
int mock_stdev_create_flags(struct op_call *call, u32 id, void *args);
int mock_stdev_replace(struct op_call *call, u32 id, void *args);
int mock_check_map(struct op_call *call, u32 id, void *args);
int mock_check_refs(struct op_call *call, u32 id, void *args);
int mock_access_create(struct op_call *call, u32 id, void *args);
int mock_access_replace(struct op_call *call, u32 id, void *args);
int mock_access_pin(struct op_call *call, u32 id, void *args);
int mock_access_unpin(struct op_call *call, u32 id, void *args);
int mock_access_rw(struct op_call *call, u32 id, void *args);

#endif
