/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VT-d IOMMU in memory, for tests: registers in a page, and a model that takes
 * commands from the invalidation queue, so that the driver's functions run as they
 * are. One device is behind it, with a PASID table of 20 bits.
 */
#ifndef __INTEL_KUNIT_IOMMU_H
#define __INTEL_KUNIT_IOMMU_H

#include <kunit/test.h>
#include <linux/pci.h>

#include "pasids.h"
#include "walk.h"

#define KIT_RID		0x1234
#define KIT_COMMANDS	256

/* Queue descriptors, section 6.5.2; what the model has seen of one. */
struct kit_command {
	u64 qw0;
	u64 qw1;
};

enum {
	KIT_IOTLB = 2,
	KIT_DEVICE_TLB = 3,
	KIT_WAIT = 5,
	KIT_PASID_IOTLB = 6,
	KIT_PASID_CACHE = 7,
	KIT_PASID_DEVICE_TLB = 8,
	KIT_RESPONSE = 9,
};

struct kit {
	struct kunit *test;
	struct intel_iommu iommu;
	struct device_domain_info info;
	struct dev_iommu dev_iommu;
	struct pasid_table pasid_table;
	struct pci_bus bus;
	struct pci_dev *pdev;
	struct device *dev;	/* of @pdev, which is on no bus of the kernel's */
	struct iommu_group *group;
	u8 *registers;
	struct task_struct *model;
	/* of the model; the queue's lock keeps others away while a command is under way */
	struct kit_command command[KIT_COMMANDS];
	unsigned int commands;
	unsigned int drains;	/* wait commands that drain page requests */
	/* called by the model when it has taken the invalidation of a PASID's entry */
	void (*entry_flushed)(struct kit *kit, u16 did, u32 pasid);
	void *context;
};

/* Capabilities, of which tests leave some out */
#define KIT_CAP		(7ULL << 8 | 47ULL << 16 | 3ULL << 34 | 1ULL << 39 | 9ULL << 48 | 6)
#define KIT_ECAP	(BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(6) | BIT_ULL(7) | BIT_ULL(26) | \
			 BIT_ULL(29) | BIT_ULL(31) | 19ULL << 35 | BIT_ULL(40) | \
			 BIT_ULL(43) | BIT_ULL(45) | BIT_ULL(46) | BIT_ULL(47) | BIT_ULL(48) | \
			 BIT_ULL(49))

/* Registers only: tables are the test's to make. */
struct kit *kit_bare(struct kunit *test, u64 cap, u64 ecap);
/* All of it, in scalable mode, with a context entry and a domain ID for nobody. */
struct kit *kit_make(struct kunit *test, u64 cap, u64 ecap);

/* A zeroed page until the end of the test. */
u64 *kit_page(struct kit *kit);
/* The root table's place and the translation table mode, as the register has them. */
void kit_set_root(struct kit *kit, u64 root);

/* Asks the walker. */
struct iommu_walk *kit_ask(struct kit *kit, int pasid, u64 iova, bool write);

/* How many commands of a type there were since kit_forget(), for @did and @pasid if >= 0. */
unsigned int kit_count(struct kit *kit, unsigned int type, int did, int pasid);
void kit_forget(struct kit *kit);

#endif /* __INTEL_KUNIT_IOMMU_H */
