// SPDX-License-Identifier: GPL-2.0
/*
 * Domains at PASIDs of an SMMUv3: attach, replace, detach, in linear CD tables and in
 * those of two levels. The driver does it, the walker says what came
 * of it, also between any two writes to an entry.
 */
#include "arm-smmu-v3-rig_kunit.h"

static void attach_pasid(struct rig *rig, struct iommu_domain *domain, u32 pasid)
{
	KUNIT_ASSERT_EQ(rig->test, 0, domain->ops->set_dev_pasid(domain, rig->dev, pasid, NULL));
}

static void linear(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *rid = rig_domain(rig, 0), *domain[64];
	phys_addr_t page[64], own = rig_page(rig, rid, RIG_IOVA);
	u32 pasid;

	rig_attach(rig, rid);
	EXPECT_PAGE(rig, RID, RIG_IOVA, own);
	for (pasid = 1; pasid < 64; pasid++) {
		EXPECT_FAULT(rig, pasid, RIG_IOVA, SMMU_C_BAD_CD);
		domain[pasid] = rig_domain(rig, 0);
		page[pasid] = rig_page(rig, domain[pasid], RIG_IOVA);
		attach_pasid(rig, domain[pasid], pasid);
	}
	for (pasid = 1; pasid < 64; pasid++) {
		EXPECT_PAGE(rig, pasid, RIG_IOVA + 8, page[pasid] + 8);
		EXPECT_FAULT(rig, pasid, RIG_IOVA + SZ_4K, SMMU_F_TRANSLATION);
	}
	EXPECT_FAULT(rig, 64, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	/* 0 stands for requests without. */
	EXPECT_FAULT(rig, 0, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	for (pasid = 1; pasid < 64; pasid++) {
		rig_detach_pasid(rig, domain[pasid], pasid);
		EXPECT_FAULT(rig, pasid, RIG_IOVA, SMMU_C_BAD_CD);
		if (pasid < 63)
			EXPECT_PAGE(rig, 63, RIG_IOVA, page[63]);
	}
	EXPECT_PAGE(rig, RID, RIG_IOVA, own);
	rig_end(rig);
}

static void two_level(struct kunit *test)
{
	static const u32 pasids[] = { 1, 1023, 1024, 1025, 65535, 65536, 1 << 19, (1 << 20) - 1 };
	struct rig *rig = rig_new(test, &(struct rig_how){
		.ssid_bits = 20, .two_level_cd = true, .two_level_strtab = true });
	struct iommu_domain *rid = rig_domain(rig, 0), *domain[ARRAY_SIZE(pasids)];
	phys_addr_t page[ARRAY_SIZE(pasids)], own = rig_page(rig, rid, RIG_IOVA);
	unsigned int i;

	rig_attach(rig, rid);
	/* The CD of the RID is in the first table, beside those up to 1023. */
	EXPECT_FAULT(rig, 1, RIG_IOVA, SMMU_C_BAD_CD);
	EXPECT_FAULT(rig, 1024, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	for (i = 0; i < ARRAY_SIZE(pasids); i++) {
		domain[i] = rig_domain(rig, 0);
		page[i] = rig_page(rig, domain[i], RIG_IOVA);
		attach_pasid(rig, domain[i], pasids[i]);
	}
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		EXPECT_PAGE(rig, pasids[i], RIG_IOVA, page[i]);
	EXPECT_FAULT(rig, 1 << 20, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	EXPECT_FAULT(rig, 1026, RIG_IOVA, SMMU_C_BAD_CD);
	EXPECT_FAULT(rig, 2048, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	for (i = 0; i < ARRAY_SIZE(pasids); i++) {
		rig_detach_pasid(rig, domain[i], pasids[i]);
		EXPECT_FAULT(rig, pasids[i], RIG_IOVA, SMMU_C_BAD_CD);
	}
	EXPECT_PAGE(rig, RID, RIG_IOVA, own);
	rig_end(rig);
}

/* What replaces what, where, and how often each of them was seen on the way. */
struct change {
	u32 pasid;
	phys_addr_t old;
	phys_addr_t new;
	unsigned int olds;
	unsigned int news;
	unsigned int neither;
	struct iommu_domain *unmap;
	unsigned int flushed;
	u16 spare;
};

static void see_change(struct rig *rig, u8 opcode)
{
	struct change *c = rig->data;
	struct iommu_walk *walk = rig_walk(rig, c->pasid, RIG_IOVA, true);

	if (walk->translated && walk->output == c->old)
		c->olds++;
	else if (walk->translated && walk->output == c->new)
		c->news++;
	else
		c->neither++;
}

/* The CFGI_CD commands from @from on are for the CD of @pasid. */
static unsigned int cd_commands(struct rig *rig, u32 from, u32 pasid)
{
	unsigned int found = 0;
	const u64 *cmd;

	for (; from != rig_commands(rig); from = rig_next(from)) {
		cmd = rig_command(rig, from);
		if (FIELD_GET(GENMASK_ULL(7, 0), cmd[0]) != 0x05)
			continue;
		found++;
		KUNIT_EXPECT_EQ(rig->test, cmd[0] >> 32, (u64)RIG_SID);
		KUNIT_EXPECT_EQ(rig->test, FIELD_GET(GENMASK_ULL(31, 12), cmd[0]), (u64)pasid);
	}
	return found;
}

static void replace_at(struct kunit *test, const struct rig_how *how, u32 pasid)
{
	struct rig *rig = rig_new(test, how);
	struct iommu_domain *rid = rig_domain(rig, 0), *a = rig_domain(rig, 0);
	struct iommu_domain *b = rig_domain(rig, 0);
	struct change c = {
		.pasid = pasid,
		.old = rig_page(rig, a, RIG_IOVA), .new = rig_page(rig, b, RIG_IOVA),
	};
	phys_addr_t own = rig_page(rig, rid, RIG_IOVA);
	u32 from;

	rig_attach(rig, rid);
	attach_pasid(rig, a, pasid);
	from = rig_commands(rig);
	rig->data = &c;
	rig->seen = see_change;
	KUNIT_EXPECT_EQ(test, 0, b->ops->replace_dev_pasid(b, rig->dev, pasid, a));
	rig->seen = NULL;
	KUNIT_EXPECT_EQ(test, c.neither, 0);
	KUNIT_EXPECT_GE(test, c.olds, 1);
	KUNIT_EXPECT_GE(test, c.news, 2);
	KUNIT_EXPECT_EQ(test, cd_commands(rig, from, pasid), 3);
	EXPECT_PAGE(rig, pasid, RIG_IOVA, c.new);
	EXPECT_PAGE(rig, RID, RIG_IOVA, own);
	/* Not there any more. */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			a->ops->replace_dev_pasid(b, rig->dev, pasid + 1, a));
	rig_detach_pasid(rig, b, pasid);
	EXPECT_FAULT(rig, pasid, RIG_IOVA, SMMU_C_BAD_CD);
	rig_end(rig);
}

static void replace_linear(struct kunit *test)
{
	replace_at(test, &(struct rig_how){ .ssid_bits = 6 }, 17);
}

static void replace_two_level(struct kunit *test)
{
	replace_at(test, &(struct rig_how){ .ssid_bits = 20, .two_level_cd = true },
		   (1 << 20) - 2);
}

/* On the RID: the core's replace, the driver's attach. */
static void replace_rid(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *a = rig_domain(rig, 0), *b = rig_domain(rig, 0);
	struct change c = {
		.pasid = RID, .old = rig_page(rig, a, RIG_IOVA), .new = rig_page(rig, b, RIG_IOVA),
	};

	rig_attach(rig, a);
	rig->data = &c;
	rig->seen = see_change;
	rig_attach(rig, b);
	rig->seen = NULL;
	KUNIT_EXPECT_EQ(test, c.neither, 0);
	KUNIT_EXPECT_GE(test, c.olds, 1);
	KUNIT_EXPECT_GE(test, c.news, 2);
	EXPECT_PAGE(rig, RID, RIG_IOVA, c.new);
	rig_end(rig);
}

/* The same where stage 2 is all there is: an STE for another, and a page that goes meanwhile. */
static void see_stage2(struct rig *rig, u8 opcode)
{
	struct change *c = rig->data;
	u16 vmid = le64_to_cpu(rig->ste->data[2]), old = to_smmu_domain(c->unmap)->s2_cfg.vmid;
	u32 from;

	if (opcode != CMDQ_OP_CFGI_STE)
		return;
	see_change(rig, opcode);
	if (c->spare || vmid == old)
		return;
	c->spare = vmid;
	from = rig_commands(rig);
	KUNIT_EXPECT_EQ(rig->test, SZ_4K, iommu_unmap(c->unmap, RIG_IOVA + SZ_4K, SZ_4K));
	for (; from != rig_commands(rig); from = rig_next(from))
		c->flushed += rig_command(rig, from)[0] == (0x28 | (u64)vmid << 32);
}

static void replace_stage2(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6, .single_stage = 2 });
	struct iommu_domain *a = rig_domain(rig, 0), *b = rig_domain(rig, 0);
	struct change c = {
		.pasid = RID, .unmap = a,
		.old = rig_page(rig, a, RIG_IOVA), .new = rig_page(rig, b, RIG_IOVA),
	};

	rig_page(rig, a, RIG_IOVA + SZ_4K);
	rig_attach(rig, a);
	rig->data = &c;
	rig->seen = see_stage2;
	rig_attach(rig, b);
	rig->seen = NULL;
	KUNIT_EXPECT_EQ(test, c.neither, 0);
	KUNIT_EXPECT_EQ(test, c.olds, 1);
	KUNIT_EXPECT_EQ(test, c.news, 2);
	KUNIT_EXPECT_EQ(test, c.flushed, 1);
	KUNIT_EXPECT_NE(test, c.spare, to_smmu_domain(b)->s2_cfg.vmid);
	/* It is free again. */
	KUNIT_EXPECT_EQ(test, c.spare,
			ida_alloc_range(&rig->smmu.vmid_map, c.spare, c.spare, GFP_KERNEL));
	ida_free(&rig->smmu.vmid_map, c.spare);
	EXPECT_PAGE(rig, RID, RIG_IOVA, c.new);
	rig_end(rig);
}

/*
 * In the middle of an exchange a page of the old domain goes: what the device has
 * cached is under an ASID that is in the CD at that moment.
 */
static void see_and_unmap(struct rig *rig, u8 opcode)
{
	struct change *c = rig->data;
	struct arm_smmu_cd *cd = arm_smmu_get_cd_ptr(rig->master, c->pasid);
	u16 asid = le64_to_cpu(cd->data[0]) >> 48;
	u16 old = to_smmu_domain(c->unmap)->cd.asid;
	u32 from;

	if (!c->unmap || c->spare || opcode != CMDQ_OP_CFGI_CD || asid == old)
		return;
	c->spare = asid;
	from = rig_commands(rig);
	KUNIT_EXPECT_EQ(rig->test, SZ_4K, iommu_unmap(c->unmap, RIG_IOVA, SZ_4K));
	for (; from != rig_commands(rig); from = rig_next(from)) {
		const u64 *cmd = rig_command(rig, from);

		if (FIELD_GET(GENMASK_ULL(7, 0), cmd[0]) == 0x11 && cmd[0] >> 48 == asid)
			c->flushed++;
	}
}

static void replace_unmap(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *rid = rig_domain(rig, 0), *a = rig_domain(rig, 0);
	struct iommu_domain *b = rig_domain(rig, 0);
	struct change c = { .pasid = 5, .unmap = a };
	u32 from;

	rig_page(rig, a, RIG_IOVA);
	rig_attach(rig, rid);
	attach_pasid(rig, a, 5);
	rig->data = &c;
	rig->seen = see_and_unmap;
	KUNIT_EXPECT_EQ(test, 0, b->ops->replace_dev_pasid(b, rig->dev, 5, a));
	rig->seen = NULL;
	KUNIT_EXPECT_NE(test, c.spare, 0);
	KUNIT_EXPECT_NE(test, c.spare, to_smmu_domain(b)->cd.asid);
	KUNIT_EXPECT_EQ(test, c.flushed, 1);
	/* Afterwards it is nobody's, and nobody invalidates it. */
	KUNIT_EXPECT_NULL(test, xa_load(&arm_smmu_asid_xa, c.spare));
	from = rig_commands(rig);
	iommu_flush_iotlb_all(b);
	for (; from != rig_commands(rig); from = rig_next(from))
		KUNIT_EXPECT_NE(test, rig_command(rig, from)[0] >> 48, (u64)c.spare);
	rig_detach_pasid(rig, b, 5);
	rig_end(rig);
}

/* Stage 2 and a foreign domain do not go to a PASID; what was there stays. */
static void refused(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *rid = rig_domain(rig, 0), *a = rig_domain(rig, 0);
	struct iommu_domain *s2 = rig_domain(rig, IOMMU_HWPT_ALLOC_NEST_PARENT);
	phys_addr_t page = rig_page(rig, a, RIG_IOVA);

	rig_attach(rig, rid);
	KUNIT_EXPECT_NULL(test, s2->ops->set_dev_pasid);
	KUNIT_EXPECT_NULL(test, s2->ops->replace_dev_pasid);
	attach_pasid(rig, a, 3);
	KUNIT_EXPECT_EQ(test, -EINVAL, a->ops->replace_dev_pasid(s2, rig->dev, 3, a));
	EXPECT_PAGE(rig, 3, RIG_IOVA, page);
	/* Nor to the RID beside a PASID. */
	KUNIT_EXPECT_EQ(test, -EBUSY, rig_try(rig, s2));
	EXPECT_PAGE(rig, 3, RIG_IOVA, page);
	rig_detach_pasid(rig, a, 3);
	/* Nor a PASID beside stage 2. */
	rig_attach(rig, s2);
	KUNIT_EXPECT_EQ(test, -EINVAL, a->ops->set_dev_pasid(a, rig->dev, 3, NULL));
	rig_end(rig);
}

/* Requests without PASID are blocked or pass beside PASIDs. */
static void beside(struct kunit *test)
{
	struct rig *rig = rig_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct iommu_domain *rid = rig_domain(rig, 0), *a = rig_domain(rig, 0);
	phys_addr_t page = rig_page(rig, a, RIG_IOVA);

	rig_attach(rig, rid);
	attach_pasid(rig, a, 9);
	rig_attach(rig, arm_smmu_ops.blocked_domain);
	EXPECT_FAULT(rig, RID, RIG_IOVA, SMMU_F_STREAM_DISABLED);
	EXPECT_PAGE(rig, 9, RIG_IOVA, page);
	rig_attach(rig, arm_smmu_ops.identity_domain);
	EXPECT_PAGE(rig, RID, RIG_IOVA, RIG_IOVA);
	EXPECT_PAGE(rig, 9, RIG_IOVA, page);
	rig_detach_pasid(rig, a, 9);
	EXPECT_FAULT(rig, 9, RIG_IOVA, SMMU_C_BAD_SUBSTREAMID);
	EXPECT_PAGE(rig, RID, RIG_IOVA, RIG_IOVA);
	rig_attach(rig, arm_smmu_ops.blocked_domain);
	KUNIT_EXPECT_STREQ(test, rig_walk(rig, RID, RIG_IOVA, true)->how, "blocked");
	rig_end(rig);
}

static struct kunit_case pasid_cases[] = {
	KUNIT_CASE(linear),
	KUNIT_CASE(two_level),
	KUNIT_CASE(replace_linear),
	KUNIT_CASE(replace_two_level),
	KUNIT_CASE(replace_rid),
	KUNIT_CASE(replace_stage2),
	KUNIT_CASE(replace_unmap),
	KUNIT_CASE(refused),
	KUNIT_CASE(beside),
	{}
};

static struct kunit_suite pasid_suite = {
	.name = "arm_smmu_v3_pasid",
	.test_cases = pasid_cases,
};

kunit_test_suite(pasid_suite);
