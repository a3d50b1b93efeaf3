// SPDX-License-Identifier: GPL-2.0
/*
 * The SMMUv3 walker's way through translation tables: one stage of VMSAv8-64, all
 * granules, with the second stage below the tables of the first. It is given what
 * CD and STE say of a stage; it reads no such structure. The specifications are
 * named in arm-smmu-v3-walk.h. What it does not know: tables of LPA2 (DS) and of
 * AArch32, contiguous bits (which change no translation), and memory attributes but
 * the one that S2PTW asks for.
 */
#include <linux/swab.h>

#include "arm-smmu-v3-walk.h"

/* Arm ARM D8.3.1: descriptors */
#define DESC_VALID	BIT_ULL(0)
#define DESC_TABLE	BIT_ULL(1)		/* at level 3: a page */
#define DESC_S2_MEMATTR	GENMASK_ULL(5, 2)
#define DESC_AP1	BIT_ULL(6)		/* stage 1: unprivileged too; stage 2: read */
#define DESC_AP2	BIT_ULL(7)		/* stage 1: read only; stage 2: write */
#define DESC_AF		BIT_ULL(10)
#define DESC_DBM	BIT_ULL(51)
#define DESC_PXN	BIT_ULL(53)
#define DESC_XN		BIT_ULL(54)
#define TABLE_PXN	BIT_ULL(59)
#define TABLE_XN	BIT_ULL(60)
#define TABLE_NO_EL0	BIT_ULL(61)
#define TABLE_NO_WRITE	BIT_ULL(62)

/* SMMU 6.3.6 SMMU_IDR5 */
#define IDR5_OAS_FIELD	GENMASK(2, 0)
#define IDR5_HAS_4K	BIT(4)
#define IDR5_HAS_16K	BIT(5)
#define IDR5_HAS_64K	BIT(6)

/* What the tables above a page take away; Arm ARM D8.4.5, hierarchical control. */
struct limits {
	bool no_el0;
	bool no_write;
	bool no_execute;
};

/**
 * smmu_oas() - how many bits an SMMU's physical addresses have
 * @regs: its registers
 *
 * Return: bits.
 */
unsigned int smmu_oas(const struct smmu_regs *regs)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };

	return bits[FIELD_GET(IDR5_OAS_FIELD, regs->idr5)];
}

/**
 * smmu_has_granule() - whether an SMMU has tables of a granule
 * @regs: its registers
 * @granule: log2 of the granule, 0 for a reserved encoding
 *
 * Return: whether it has.
 */
bool smmu_has_granule(const struct smmu_regs *regs, unsigned int granule)
{
	switch (granule) {
	case 12:
		return regs->idr5 & IDR5_HAS_4K;
	case 14:
		return regs->idr5 & IDR5_HAS_16K;
	case 16:
		return regs->idr5 & IDR5_HAS_64K;
	}
	return false;
}

/* Arm ARM D8.3.1: with 64 KiB granules bits 51:48 of an address are in 15:12. */
static u64 desc_address(const struct smmu_stage *stage, u64 desc, unsigned int low)
{
	u64 address = desc & GENMASK_ULL(47, low);

	if (stage->granule == 16)
		address |= FIELD_GET(GENMASK_ULL(15, 12), desc) << 48;
	return address;
}

/* Arm ARM D8.2: which levels may end in a block. */
static bool has_block(const struct smmu_stage *stage, int level)
{
	if (level == 2)
		return true;
	if (level != 1)
		return false;
	return stage->granule == 12 || (stage->granule == 16 && stage->output == 52);
}

/* Arm ARM D8.4: what a leaf allows, of stage 1. */
static void rights_first(const struct smmu_stage *stage, const struct limits *above, u64 desc,
			 struct smmu_page *page)
{
	bool user = !stage->privileged && stage->el1;
	bool read_only = desc & DESC_AP2;

	/* With dirty state by hardware, read-only and DBM is writable and clean. */
	if (read_only && stage->dirty && (desc & DESC_DBM))
		read_only = false;
	page->read = !user || ((desc & DESC_AP1) && !above->no_el0);
	page->write = page->read && !read_only && !above->no_write;
	page->execute = page->read && !above->no_execute &&
			!(desc & (stage->privileged && stage->el1 ? DESC_PXN : DESC_XN));
}

static void rights_second(const struct smmu_stage *stage, u64 desc, struct smmu_page *page)
{
	page->read = desc & DESC_AP1;
	page->write = (desc & DESC_AP2) || (stage->dirty && (desc & DESC_DBM));
	page->execute = page->read && !(desc & DESC_XN);
	page->device = !(FIELD_GET(DESC_S2_MEMATTR, desc) >> 2);
}

static enum smmu_event leaf(const struct smmu_stage *stage, const struct limits *above, u64 desc,
			    unsigned int shift, u64 address, struct smmu_page *page)
{
	u64 base = desc_address(stage, desc, shift);

	if (base >> stage->output)
		return SMMU_F_ADDR_SIZE;
	if (stage->access && !(desc & DESC_AF))
		return SMMU_F_ACCESS;
	page->size = BIT_ULL(shift);
	page->output = base | (address & (page->size - 1));
	if (stage->second)
		rights_second(stage, desc, page);
	else
		rights_first(stage, above, desc, page);
	return SMMU_NONE;
}

static void restrict_below(const struct smmu_stage *stage, u64 desc, struct limits *limits)
{
	if (stage->second || !stage->hierarchical)
		return;
	limits->no_el0 |= !!(desc & TABLE_NO_EL0);
	limits->no_write |= !!(desc & TABLE_NO_WRITE);
	limits->no_execute |= !!(desc & (stage->privileged && stage->el1 ? TABLE_PXN : TABLE_XN));
}

/**
 * smmu_through() - where stage 2 puts a table of the guest's
 * @walk: the walk
 * @below: stage 2; NULL: there is none, and the address stays
 * @is_table: it is a translation table, which S2PTW protects; else a CD table
 * @address: an IPA; set to the physical address
 *
 * Return: SMMU_NONE, or the event.
 */
enum smmu_event smmu_through(struct iommu_walk *walk, const struct smmu_stage *below,
			     bool is_table, u64 *address)
{
	unsigned int first = walk->nr_steps;
	struct smmu_page page = {};
	enum smmu_event event;

	if (!below)
		return SMMU_NONE;
	event = smmu_walk_stage(walk, below, NULL, *address, &page);
	for (; first < walk->nr_steps; first++)
		walk->step[first].nested = true;
	if (event)
		return event;
	/* SMMU 5.2, S2PTW; 3.4: a walk reads. */
	if (!page.read || (is_table && below->ptw && page.device))
		return SMMU_F_PERMISSION;
	*address = page.output;
	return SMMU_NONE;
}

static enum smmu_event fetch(struct iommu_walk *walk, const struct smmu_stage *stage,
			     const struct smmu_stage *below, int level, u64 at, u64 *desc)
{
	enum smmu_event event = smmu_through(walk, below, true, &at);

	if (event)
		return event;
	if (iommu_walk_read(walk, stage->second ? "stage 2 table" : "stage 1 table",
			    stage->second ? IOMMU_WALK_SECOND : IOMMU_WALK_FIRST, 4 - level, at,
			    desc, 1))
		return SMMU_F_WALK_EABT;
	if (stage->big_endian)
		*desc = swab64(*desc);
	return SMMU_NONE;
}

/**
 * smmu_walk_stage() - what one stage makes of an address
 * @walk: takes the steps
 * @stage: the stage
 * @below: of the first, the second, through which its tables are read; or NULL
 * @address: what goes in
 * @page: what comes out
 *
 * Arm ARM D8.2, the walk; SMMU 3.4, address sizes.
 *
 * Return: SMMU_NONE, or the event: whether the rights suffice is not looked at.
 */
enum smmu_event smmu_walk_stage(struct iommu_walk *walk, const struct smmu_stage *stage,
				const struct smmu_stage *below, u64 address,
				struct smmu_page *page)
{
	unsigned int stride = stage->granule - 3, bits = stage->top;
	u64 table = stage->base & ~((8ULL << bits) - 1), desc;
	struct limits limits = {};
	enum smmu_event event;
	int level;

	/* Of stage 1 the bits above have been looked at. */
	if (address >> stage->input)
		return SMMU_F_TRANSLATION;
	for (level = stage->start; level <= 3; level++, bits = stride) {
		unsigned int shift = stage->granule + stride * (3 - level);
		u64 index = (address >> shift) & (BIT_ULL(bits) - 1);

		event = fetch(walk, stage, below, level, table + index * 8, &desc);
		if (event)
			return event;
		if (!(desc & DESC_VALID))
			return SMMU_F_TRANSLATION;
		if (level == 3 || !(desc & DESC_TABLE)) {
			if (level == 3 ? !(desc & DESC_TABLE) : !has_block(stage, level))
				return SMMU_F_TRANSLATION;
			return leaf(stage, &limits, desc, shift, address, page);
		}
		table = desc_address(stage, desc, stage->granule);
		if (table >> stage->output)
			return SMMU_F_ADDR_SIZE;
		restrict_below(stage, desc, &limits);
	}
	return SMMU_F_TRANSLATION;
}
