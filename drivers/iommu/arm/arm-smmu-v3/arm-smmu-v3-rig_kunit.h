/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An SMMUv3 in memory, for the KUnit tests of this folder: a page of registers, a
 * command queue that is consumed at once, a stream table, one device. The driver's
 * own functions run on it; the walker reads what they wrote.
 */
#ifndef _ARM_SMMU_V3_RIG_KUNIT_H
#define _ARM_SMMU_V3_RIG_KUNIT_H

#include <kunit/test.h>
#include <linux/stringify.h>
#include <uapi/linux/iommufd.h>

#include "../../iommu-priv.h"
#include "arm-smmu-v3-attach.h"
#include "arm-smmu-v3-walk.h"

#define RIG_SID		0x1203		/* in the 19th table of the second level */
#define RIG_QUEUE	256		/* commands it has room for */
#define RIG_IOVA	0x40000000UL

/**
 * struct rig_how - what is to be emulated
 * @ssid_bits: of the device and the SMMU
 * @two_level_cd: CD tables may have two levels
 * @two_level_strtab: the stream table has
 * @granule: of page tables, log2; 0: 4 KiB
 * @single_stage: 1 or 2: the SMMU has only this one; 0: both
 */
struct rig_how {
	unsigned int ssid_bits;
	bool two_level_cd;
	bool two_level_strtab;
	unsigned int granule;
	unsigned int single_stage;
};

/**
 * struct rig - the SMMU and its device
 * @test: the test
 * @smmu: the driver's structure of the SMMU
 * @dev: the device
 * @master: the driver's structure of the device
 * @group: of the device
 * @domains: made by rig_domain()
 * @nr_domains: how many
 * @regs: registers
 * @ste: the device's STE
 * @seen: called before each command is queued, or NULL
 * @data: for @seen
 * @seen_nr: how often it was
 */
struct rig {
	struct kunit *test;
	struct arm_smmu_device smmu;
	struct device *dev;
	struct arm_smmu_master *master;
	struct iommu_group *group;
	struct iommu_domain *domains[128];
	unsigned int nr_domains;
	void *regs;
	struct arm_smmu_ste *ste;
	void (*seen)(struct rig *rig, u8 opcode);
	void *data;
	unsigned int seen_nr;
};

struct rig *rig_new(struct kunit *test, const struct rig_how *how);
void rig_end(struct rig *rig);
struct iommu_domain *rig_domain(struct rig *rig, u32 flags);
phys_addr_t rig_page(struct rig *rig, struct iommu_domain *domain, unsigned long iova);
int rig_try(struct rig *rig, struct iommu_domain *domain);
void rig_attach(struct rig *rig, struct iommu_domain *domain);
void rig_detach_pasid(struct rig *rig, struct iommu_domain *domain, u32 pasid);
struct iommu_walk *rig_walk(struct rig *rig, u32 pasid, u64 iova, bool write);
u32 rig_commands(struct rig *rig);
u32 rig_next(u32 nr);
const u64 *rig_command(struct rig *rig, u32 nr);

#define RID	(~0U)		/* for rig_walk() */

/* By functions, as the walker is asked in the same words everywhere. */
void rig_expect_page(struct rig *rig, u32 pasid, u64 iova, phys_addr_t phys, const char *at);
void rig_expect_fault(struct rig *rig, u32 pasid, u64 iova, enum smmu_event event,
		      const char *at);

#define RIG_AT			__FILE__ ":" __stringify(__LINE__)
#define EXPECT_PAGE(...)	rig_expect_page(__VA_ARGS__, RIG_AT)
#define EXPECT_FAULT(...)	rig_expect_fault(__VA_ARGS__, RIG_AT)

#endif
