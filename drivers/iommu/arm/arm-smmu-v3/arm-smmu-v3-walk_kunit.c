// SPDX-License-Identifier: GPL-2.0
/*
 * The walker: against what the driver's page tables say of addresses, for all
 * granules, page sizes and stages; and, with one entry spoilt, the event of it.
 */
#include <linux/prandom.h>

#include "arm-smmu-v3-rig_kunit.h"

#define TRIES	200
#define SLOT	30		/* bits of address that a page is put into; the next stays empty */

/* Pages of all sizes at random places; then addresses in them and beside. */
static void same_as_driver(struct kunit *test, unsigned int granule, unsigned int stage)
{
	struct rig *rig = rig_new(test, &(struct rig_how){
		.ssid_bits = 6, .granule = granule, .single_stage = stage,
		.two_level_strtab = granule == 14 });
	struct iommu_domain *domain = rig_domain(rig, 0);
	unsigned int i, bit, hits = 0, sizes = hweight_long(domain->pgsize_bitmap);
	u64 seen_sizes = 0;
	struct rnd_state rnd;
	u64 iova[TRIES];

	prandom_seed_state(&rnd, granule * 4 + stage);
	rig_attach(rig, domain);
	for (i = 0; i < TRIES; i++) {
		u64 random = (u64)prandom_u32_state(&rnd) << 32 | prandom_u32_state(&rnd);
		u64 phys = (u64)prandom_u32_state(&rnd) << 16, size;

		bit = find_nth_bit(&domain->pgsize_bitmap, 64, i % sizes);
		size = BIT_ULL(bit);
		iova[i] = (u64)i << (SLOT + 1) | (random & (BIT_ULL(SLOT) - 1) & ~(size - 1));
		KUNIT_ASSERT_EQ(test, 0, iommu_map(domain, iova[i], phys & ~(size - 1), size,
						   IOMMU_READ | (i % 3 ? IOMMU_WRITE : 0),
						   GFP_KERNEL));
		iova[i] += random >> 40 & (size - 1);
	}
	for (i = 0; i < 2 * TRIES; i++) {
		u64 at = i < TRIES ? iova[i] : iova[i - TRIES] ^ BIT_ULL(SLOT - 16 * (i % 2));
		phys_addr_t want = iommu_iova_to_phys(domain, at);
		struct iommu_walk *walk = rig_walk(rig, RID, at, false);

		KUNIT_EXPECT_EQ(test, walk->translated, !!want);
		if (!want) {
			KUNIT_EXPECT_EQ(test, walk->fault_code, (u32)SMMU_F_TRANSLATION);
			continue;
		}
		hits++;
		seen_sizes |= walk->size;
		KUNIT_EXPECT_EQ(test, walk->output, want);
		KUNIT_EXPECT_TRUE(test, domain->pgsize_bitmap & walk->size);
		if (i < TRIES && !(i % 3) && !walk->writable)
			EXPECT_FAULT(rig, RID, at, SMMU_F_PERMISSION);
	}
	KUNIT_EXPECT_GE(test, hits, TRIES);
	KUNIT_EXPECT_EQ(test, seen_sizes, (u64)domain->pgsize_bitmap);
	rig_end(rig);
}

static const struct format {
	const char *name;
	unsigned int granule;
	unsigned int stage;
} formats[] = {
	{ "stage 1, 4 KiB", 12, 1 }, { "stage 1, 16 KiB", 14, 1 }, { "stage 1, 64 KiB", 16, 1 },
	{ "stage 2, 4 KiB", 12, 2 }, { "stage 2, 16 KiB", 14, 2 }, { "stage 2, 64 KiB", 16, 2 },
};

KUNIT_ARRAY_PARAM_DESC(format, formats, name);

static void driver(struct kunit *test)
{
	const struct format *format = test->param_value;

	same_as_driver(test, format->granule, format->stage);
}

/* A word of memory that is spoilt for a moment. */
static void spoilt(struct rig *rig, __le64 *word, u64 clear, u64 set, enum smmu_event event)
{
	__le64 was = *word;

	*word = cpu_to_le64((le64_to_cpu(was) & ~clear) | set);
	EXPECT_FAULT(rig, RID, RIG_IOVA, event);
	*word = was;
}

static void bad_ste(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *domain = rig_domain(rig, 0);
	phys_addr_t page = rig_page(rig, domain, RIG_IOVA);
	__le64 *ste = rig->ste->data;

	rig_attach(rig, domain);
	spoilt(rig, &ste[0], BIT(0), 0, SMMU_C_BAD_STE);
	spoilt(rig, &ste[0], 0, 7ULL << 59, SMMU_C_BAD_STE);		/* S1CDMax */
	spoilt(rig, &ste[0], 3 << 4, 2 << 4, SMMU_C_BAD_STE);		/* no two levels */
	spoilt(rig, &ste[1], 3, 3, SMMU_C_BAD_STE);			/* S1DSS */
	spoilt(rig, &ste[1], 3, 0, SMMU_F_STREAM_DISABLED);
	spoilt(rig, &ste[0], 0, GENMASK_ULL(51, 48), SMMU_C_BAD_STE);	/* beyond 48 bits */
	spoilt(rig, &ste[0], 7 << 1, 7 << 1, SMMU_C_BAD_STE);		/* stage 2 is not set up */
	/* A CD table where there is no memory. */
	spoilt(rig, &ste[0], GENMASK_ULL(51, 6), BIT_ULL(47), SMMU_F_CD_FETCH);
	EXPECT_PAGE(rig, RID, RIG_IOVA, page);
	/* The stream table ends before the stream. */
	*(u32 *)(rig->regs + ARM_SMMU_STRTAB_BASE_CFG) = 12;
	EXPECT_FAULT(rig, RID, RIG_IOVA, SMMU_C_BAD_STREAMID);
	rig_end(rig);
}

static void bad_stream_table(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){
		.ssid_bits = 6, .two_level_strtab = true });
	struct iommu_domain *domain = rig_domain(rig, 0);
	phys_addr_t page = rig_page(rig, domain, RIG_IOVA);
	__le64 *desc = &rig->smmu.strtab_cfg.l2.l1tab[RIG_SID >> 8].l2ptr;

	rig_attach(rig, domain);
	EXPECT_PAGE(rig, RID, RIG_IOVA, page);
	spoilt(rig, desc, GENMASK_ULL(4, 0), 0, SMMU_C_BAD_STREAMID);
	spoilt(rig, desc, GENMASK_ULL(4, 0), 1, SMMU_C_BAD_STREAMID);	/* one STE */
	spoilt(rig, desc, GENMASK_ULL(4, 0), 12, SMMU_C_BAD_STREAMID);	/* more than there are */
	spoilt(rig, desc, GENMASK_ULL(51, 6), BIT_ULL(47), SMMU_F_STE_FETCH);
	rig_end(rig);
}

static void bad_cd(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *domain = rig_domain(rig, 0);
	phys_addr_t page = rig_page(rig, domain, RIG_IOVA);
	__le64 *cd;

	rig_attach(rig, domain);
	cd = arm_smmu_get_cd_ptr(rig->master, 0)->data;
	spoilt(rig, &cd[0], BIT(31), 0, SMMU_C_BAD_CD);
	spoilt(rig, &cd[0], BIT_ULL(41), 0, SMMU_C_BAD_CD);		/* AArch32 */
	spoilt(rig, &cd[0], 0, BIT(14), SMMU_F_TRANSLATION);		/* EPD0 */
	spoilt(rig, &cd[0], GENMASK(5, 0), 8, SMMU_C_BAD_CD);		/* T0SZ */
	spoilt(rig, &cd[0], GENMASK(5, 0), 39, SMMU_F_TRANSLATION);	/* 25 bits */
	spoilt(rig, &cd[0], 0, 3 << 6, SMMU_C_BAD_CD);			/* TG0 */
	spoilt(rig, &cd[1], 0, GENMASK_ULL(51, 48), SMMU_C_BAD_CD);
	spoilt(rig, &cd[1], GENMASK_ULL(51, 4), BIT_ULL(47), SMMU_F_WALK_EABT);
	EXPECT_PAGE(rig, RID, RIG_IOVA, page);
	/* What the driver has not: the other half of the address space. */
	EXPECT_FAULT(rig, RID, RIG_IOVA | GENMASK_ULL(63, 48), SMMU_F_TRANSLATION);
	EXPECT_FAULT(rig, RID, RIG_IOVA | BIT_ULL(50), SMMU_F_TRANSLATION);
	rig_end(rig);
}

/* The entry of the last step of a walk that found the page. */
static __le64 *leaf_of(struct rig *rig)
{
	struct iommu_walk *walk = rig_walk(rig, RID, RIG_IOVA, true);

	KUNIT_ASSERT_TRUE(rig->test, walk->translated);
	return phys_to_virt(walk->step[walk->nr_steps - 1].at);
}

static __le64 *table_of(struct rig *rig)
{
	struct iommu_walk *walk = rig_walk(rig, RID, RIG_IOVA, true);

	return phys_to_virt(walk->step[walk->nr_steps - 2].at);
}

static void bad_tables(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *first = rig_domain(rig, 0);
	struct iommu_domain *second = rig_domain(rig, IOMMU_HWPT_ALLOC_NEST_PARENT);
	phys_addr_t page = rig_page(rig, first, RIG_IOVA);
	__le64 *desc;

	rig_page(rig, second, RIG_IOVA);
	rig_attach(rig, first);
	desc = leaf_of(rig);
	spoilt(rig, desc, BIT(0), 0, SMMU_F_TRANSLATION);
	spoilt(rig, desc, BIT(1), 0, SMMU_F_TRANSLATION);	/* no block at level 3 */
	spoilt(rig, desc, BIT(10), 0, SMMU_F_ACCESS);
	spoilt(rig, desc, 0, BIT(7), SMMU_F_PERMISSION);	/* read only */
	spoilt(rig, desc, BIT(6), 0, SMMU_F_PERMISSION);	/* privileged */
	desc = table_of(rig);
	spoilt(rig, desc, 0, BIT_ULL(62), SMMU_F_PERMISSION);	/* APTable: read only */
	spoilt(rig, desc, 0, BIT_ULL(61), SMMU_F_PERMISSION);	/* APTable: privileged */
	spoilt(rig, desc, GENMASK_ULL(47, 12), BIT_ULL(47), SMMU_F_WALK_EABT);
	EXPECT_PAGE(rig, RID, RIG_IOVA, page);

	rig_attach(rig, second);
	desc = leaf_of(rig);
	spoilt(rig, desc, BIT(7), 0, SMMU_F_PERMISSION);
	spoilt(rig, desc, BIT(10), 0, SMMU_F_ACCESS);
	spoilt(rig, &rig->ste->data[2], BIT_ULL(51), 0, SMMU_C_BAD_STE);	/* AArch32 */
	spoilt(rig, &rig->ste->data[2], 3ULL << 38, 0, SMMU_C_BAD_STE);		/* S2SL0 */
	EXPECT_FAULT(rig, RID, BIT_ULL(50), SMMU_F_TRANSLATION);
	/* S2PS: 32 bits of output. */
	rig->ste->data[2] &= cpu_to_le64(~(7ULL << 48));
	spoilt(rig, desc, 0, BIT_ULL(40), SMMU_F_ADDR_SIZE);
	rig_end(rig);
}

/* An SMMU that is off. */
static void off(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });

	*(u32 *)(rig->regs + ARM_SMMU_CR0) = 0;
	EXPECT_PAGE(rig, RID, RIG_IOVA, RIG_IOVA);
	*(u32 *)(rig->regs + ARM_SMMU_GBPA) = BIT(20);
	KUNIT_EXPECT_STREQ(test, rig_walk(rig, RID, RIG_IOVA, true)->how, "blocked");
	KUNIT_EXPECT_FALSE(test, rig_walk(rig, RID, RIG_IOVA, true)->translated);
	rig_end(rig);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE_PARAM(driver, format_gen_params),
	KUNIT_CASE(bad_ste),
	KUNIT_CASE(bad_stream_table),
	KUNIT_CASE(bad_cd),
	KUNIT_CASE(bad_tables),
	KUNIT_CASE(off),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "arm_smmu_v3_walk",
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
