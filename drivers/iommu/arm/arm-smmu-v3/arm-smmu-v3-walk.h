/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two files of the SMMUv3 walker share. They include nothing that the
 * driver writes tables with: what is written here is read from the specification,
 *
 *   Arm System Memory Management Unit Architecture Specification, version 3,
 *   IHI 0070, issue F.b; "SMMU" and a section below
 *   Arm Architecture Reference Manual for A-profile, DDI 0487, chapter D8
 *   (VMSAv8-64); "Arm ARM" and a section below
 */
#ifndef _ARM_SMMU_V3_WALK_H
#define _ARM_SMMU_V3_WALK_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "../../iommu-walk.h"

/* Events, SMMU 7.3 */
enum smmu_event {
	SMMU_NONE		= 0,
	SMMU_C_BAD_STREAMID	= 0x02,
	SMMU_F_STE_FETCH	= 0x03,
	SMMU_C_BAD_STE		= 0x04,
	SMMU_F_STREAM_DISABLED	= 0x06,
	SMMU_C_BAD_SUBSTREAMID	= 0x08,
	SMMU_F_CD_FETCH		= 0x09,
	SMMU_C_BAD_CD		= 0x0a,
	SMMU_F_WALK_EABT	= 0x0b,
	SMMU_F_TRANSLATION	= 0x10,
	SMMU_F_ADDR_SIZE	= 0x11,
	SMMU_F_ACCESS		= 0x12,
	SMMU_F_PERMISSION	= 0x13,
};

/**
 * struct smmu_regs - what the walker needs to know of an SMMU's registers, SMMU 6.3
 * @idr0: SMMU_IDR0
 * @idr1: SMMU_IDR1
 * @idr5: SMMU_IDR5
 * @cr0: SMMU_CR0
 * @cr2: SMMU_CR2
 * @gbpa: SMMU_GBPA
 * @strtab: SMMU_STRTAB_BASE
 * @strtab_cfg: SMMU_STRTAB_BASE_CFG
 */
struct smmu_regs {
	u32 idr0;
	u32 idr1;
	u32 idr5;
	u32 cr0;
	u32 cr2;
	u32 gbpa;
	u64 strtab;
	u32 strtab_cfg;
};

/**
 * struct smmu_stage - a stage of translation
 * @base: where its first table is: of stage 1 with stage 2 below, an IPA
 * @granule: log2 of the smallest page
 * @input: bits of an address that goes in
 * @output: bits of an address that may come out
 * @start: the level at which the walk starts, 0 to 3
 * @top: bits of the address that index the first table
 * @second: it is stage 2
 * @big_endian: its descriptors are
 * @access: a clear access flag is a fault
 * @dirty: DBM in a descriptor makes it writable
 * @hierarchical: table descriptors restrict what is below them
 * @el1: unprivileged requests obey AP[1]
 * @privileged: requests are made so whatever they were
 * @ptw: no table of stage 1 may be in what stage 2 says is a device
 */
struct smmu_stage {
	u64 base;
	unsigned int granule;
	unsigned int input;
	unsigned int output;
	int start;
	unsigned int top;
	bool second;
	bool big_endian;
	bool access;
	bool dirty;
	bool hierarchical;
	bool el1;
	bool privileged;
	bool ptw;
};

/**
 * struct smmu_page - what a stage makes of an address
 * @output: the address that comes out
 * @size: of the page
 * @read: what is allowed
 * @write: likewise
 * @execute: likewise
 * @device: the memory's type, as far as stage 2 decides it
 */
struct smmu_page {
	u64 output;
	u64 size;
	bool read;
	bool write;
	bool execute;
	bool device;
};

unsigned int smmu_oas(const struct smmu_regs *regs);
bool smmu_has_granule(const struct smmu_regs *regs, unsigned int granule);
enum smmu_event smmu_walk_stage(struct iommu_walk *walk, const struct smmu_stage *stage,
				const struct smmu_stage *below, u64 address,
				struct smmu_page *page);
enum smmu_event smmu_through(struct iommu_walk *walk, const struct smmu_stage *below,
			     bool is_table, u64 *address);

/* Of the driver, which knows where its registers are and which stream a device is. */
int arm_smmu_walk_regs(struct device *dev, struct smmu_regs *regs, u32 *stream);
int arm_smmu_walk(struct iommu_walk *walk);

#endif
