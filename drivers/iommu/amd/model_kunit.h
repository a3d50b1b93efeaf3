/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An AMD IOMMU made of memory, with PCI functions behind it, for the KUnit tests of
 * this folder: see model_kunit.c.
 */
#ifndef AMD_MODEL_KUNIT_H
#define AMD_MODEL_KUNIT_H

#include <kunit/test.h>
#include <linux/iommu.h>

#include "amd_iommu.h"
#include "../iommu-walk.h"

/* Function 0 is the IOMMU; the others are devices, with PASIDs of these widths. */
#define MODEL_FUNCTIONS	4
#define MODEL_WIDTHS	{ 0, 9, 16, 20 }
#define MODEL_WATCHES	24
#define MODEL_LOG	512

/* Section 2.4 of publication 48882: the commands that the driver uses. */
enum model_opcode {
	MODEL_COMPLETION_WAIT = 1,
	MODEL_INVALIDATE_DEVTAB_ENTRY = 2,
	MODEL_INVALIDATE_IOMMU_PAGES = 3,
	MODEL_INVALIDATE_IOTLB_PAGES = 4,
	MODEL_INVALIDATE_IOMMU_ALL = 8,
};

/**
 * struct model_command - what the IOMMU was told
 * @opcode: enum model_opcode
 * @devid: of DEVTAB_ENTRY, IOTLB_PAGES
 * @domid: of IOMMU_PAGES
 * @guest: GN: of addresses of the first stage, those of @pasid
 * @pasid: which
 * @first: the first address
 * @last: the last
 */
struct model_command {
	enum model_opcode opcode;
	u16 devid;
	u16 domid;
	bool guest;
	u32 pasid;
	u64 first;
	u64 last;
};

/* A translation in a cache; @nested: of the first stage through the second. */
struct model_cached {
	bool valid;
	u16 domid;
	bool guest;
	bool nested;
	u64 output;
	bool writable;
};

/**
 * struct model_watch - a request that a device makes all the time
 * @dev: which device
 * @has_pasid: with a PASID
 * @pasid: which
 * @iova: where to
 * @iommu: what the IOMMU has of it
 * @device: what the device has of it, by ATS
 * @steady: it must never be refused
 */
struct model_watch {
	struct device *dev;
	bool has_pasid;
	u32 pasid;
	u64 iova;
	struct model_cached iommu;
	struct model_cached device;
	bool steady;
};

struct model {
	struct kunit *test;
	struct pci_bus *bus;
	struct device *dev[MODEL_FUNCTIONS];
	struct amd_iommu *iommu;
	u8 *regs;
	u32 head;
	struct model_command log[MODEL_LOG];
	unsigned int nr_log;
	struct model_watch watch[MODEL_WATCHES];
	unsigned int nr_watches;
	u64 dte_known[MODEL_FUNCTIONS][4];
	const char *wrong;
	struct iommu_walk walk;
};

struct model *model_create(struct kunit *test);
void model_destroy(struct model *m);
struct iommu_walk *model_ask(struct model *m, struct device *dev, int pasid, u64 iova, bool write);
struct model_watch *model_watch(struct model *m, struct device *dev, int pasid, u64 iova);
void model_forget(struct model *m);
void model_check(struct model *m);
unsigned int model_count(struct model *m, enum model_opcode opcode, struct device *dev, int pasid,
			 u64 iova);
u64 *model_dte(struct model *m, struct device *dev);

/* For the argument pasid: a request without. */
#define NO_PASID	-1

#endif
