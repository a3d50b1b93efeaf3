// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of guest-owned tables: a guest, which is this file, writes a GCR3 table
 * and page tables into memory that a parent domain maps, and hands them over.
 */
#include <linux/sizes.h>
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "../iommu-priv.h"
#include "model_kunit.h"

#define P		0x7ULL
#define V_TV		3ULL
#define RW		GENMASK_ULL(62, 61)
#define GV		BIT_ULL(55)
#define GIOV		BIT_ULL(54)
/* Where the guest has its tables, and what they map: IOVA to DATA, which is at PHYS. */
#define TABLES		0x5000000ULL
#define DATA		0x200000ULL
#define PHYS		0x200000000ULL
#define IOVA		0x10000000ULL
#define PASID		77
#define CMD(opcode)	((u64)(opcode) << 60)
#define ALL		(0x7ffffffffffff000ULL | 3)
#define GN		4

/* A guest's GCR3 table and page tables of 4 levels, each a page. */
struct guest {
	struct model *m;
	struct device *dev;
	struct iommu_domain *parent;
	u64 *page[5];
};

enum { GCR3, LEVEL4, LEVEL3, LEVEL2, LEVEL1 };

static u64 at(unsigned int page)
{
	return TABLES + page * SZ_4K;
}

static void map(struct kunit *test, u64 gpa, u64 phys, size_t size)
{
	struct guest *g = test->priv;

	KUNIT_ASSERT_EQ(test, iommu_map(g->parent, gpa, phys, size, IOMMU_READ | IOMMU_WRITE,
					GFP_KERNEL), 0);
}

static int setup(struct kunit *test)
{
	struct guest *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, g);
	test->priv = g;
	g->m = model_create(test);
	g->dev = g->m->dev[3];
	g->parent = amd_iommu_ops.domain_alloc_user(g->dev, IOMMU_HWPT_ALLOC_NEST_PARENT, NULL,
						    NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, g->parent);
	g->parent->owner = &amd_iommu_ops;
	for (i = 0; i < ARRAY_SIZE(g->page); i++) {
		g->page[i] = (u64 *)get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, g->page[i]);
		map(test, at(i), virt_to_phys(g->page[i]), SZ_4K);
	}
	map(test, DATA, PHYS, SZ_64K);
	g->page[GCR3][PASID] = at(LEVEL4) | 1;
	g->page[LEVEL4][0] = at(LEVEL3) | P;
	g->page[LEVEL3][0] = at(LEVEL2) | P;
	g->page[LEVEL2][IOVA >> 21] = at(LEVEL1) | P;
	g->page[LEVEL1][0] = DATA | P;
	KUNIT_ASSERT_EQ(test, iommu_device_claim_dma_owner(g->dev, test), 0);
	return 0;
}

static void teardown(struct kunit *test)
{
	struct guest *g = test->priv;
	unsigned int i;

	if (!g || !g->m)
		return;
	model_check(g->m);
	iommu_device_release_dma_owner(g->dev);
	model_check(g->m);
	iommu_domain_free(g->parent);
	model_destroy(g->m);
	for (i = 0; i < ARRAY_SIZE(g->page); i++)
		free_page((unsigned long)g->page[i]);
}

/* A guest's entry whose GCR3 table, of one level, is at @root. */
static void guest_dte(u64 *dte, u64 root, u64 more)
{
	dte[0] = V_TV | RW | GV | (root >> 12 & 0x7) << 58 | more;
	dte[1] = 0xbeef | (root >> 15 & 0xffff) << 16 | (root >> 31 & 0x1fffff) << 43;
	dte[2] = 0;
	dte[3] = 0;
}

static struct iommu_domain *make(struct kunit *test, u64 root, u64 more)
{
	struct guest *g = test->priv;
	struct iommu_domain *nested;
	u64 dte[4];

	guest_dte(dte, root, more);
	nested = amd_nested_make(g->dev, g->parent, dte);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, nested);
	nested->owner = &amd_iommu_ops;
	return nested;
}

static int move(struct kunit *test, struct iommu_domain *domain)
{
	struct guest *g = test->priv;

	return iommu_replace_group_handle(g->dev->iommu_group, domain, NULL);
}

static void reaches(struct kunit *test, int pasid, u64 iova, u64 phys)
{
	struct guest *g = test->priv;
	struct iommu_walk *walk = model_ask(g->m, g->dev, pasid, iova, true);

	KUNIT_EXPECT_TRUE_MSG(test, walk->translated, "PASID %d: %s", pasid, walk->fault);
	KUNIT_EXPECT_EQ_MSG(test, walk->output, phys, "PASID %d", pasid);
}

static void refused(struct kunit *test, int pasid, u64 iova)
{
	struct guest *g = test->priv;

	KUNIT_EXPECT_FALSE_MSG(test, model_ask(g->m, g->dev, pasid, iova, false)->translated,
			       "PASID %d", pasid);
}

/* What a guest's entry may say. */
static void entries(struct kunit *test)
{
	static const struct { u64 set0, clear0, set1, set2; int err; } rows[] = {
		{ 0, 0, 0, 0, 0 }, { GIOV, 0, 0, 0, 0 }, { 0, GV, 0, 0, 0 }, { 0, RW, 0, 0, 0 },
		{ 2ULL << 56, 0, 0, 0, 0 }, { 3ULL << 56, 0, 0, 0, -EINVAL },
		{ 0, 1, 0, 0, -EINVAL }, { 0, 2, 0, 0, -EINVAL }, { GIOV, GV, 0, 0, -EINVAL },
		{ BIT_ULL(2), 0, 0, 0, -EINVAL }, { 3ULL << 7, 0, 0, 0, -EINVAL },
		{ 4ULL << 9, 0, 0, 0, -EINVAL }, { BIT_ULL(12), 0, 0, 0, -EINVAL },
		{ BIT_ULL(63), 0, 0, 0, -EINVAL }, { BIT_ULL(52), 0, 0, 0, -EOPNOTSUPP },
		{ BIT_ULL(53), 0, 0, 0, -EOPNOTSUPP }, { 0, 0, BIT_ULL(32), 0, -EOPNOTSUPP },
		{ 0, 0, 0, 1ULL << 54, -EOPNOTSUPP }, { 0, 0, 0, 2ULL << 54, -EINVAL },
		{ 0, 0, 0, GENMASK_ULL(51, 0), 0 },
	};
	struct guest *g = test->priv;
	struct iommu_domain *nested, *v2;
	unsigned int i;
	u64 dte[4];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_dte(dte, at(GCR3), 0);
		dte[0] = (dte[0] & ~rows[i].clear0) | rows[i].set0;
		dte[1] |= rows[i].set1;
		dte[2] |= rows[i].set2;
		nested = amd_nested_make(g->dev, g->parent, dte);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(nested), rows[i].err, "row %u", i);
		if (!IS_ERR(nested))
			nested->ops->free(nested);
	}
	guest_dte(dte, at(GCR3), 0);
	amd_iommu_max_glx_val = 0;
	dte[0] |= 1ULL << 56;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(amd_nested_make(g->dev, g->parent, dte)),
			-EOPNOTSUPP);
	amd_iommu_max_glx_val = 2;
	v2 = amd_iommu_ops.domain_alloc_user(g->dev, IOMMU_HWPT_ALLOC_PASID, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, v2);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(amd_nested_make(g->dev, v2, dte)), -EINVAL);
	iommu_domain_free(v2);
}

/* One attach hands the table over, with every PASID in it; the parent stays below. */
static void hand_over(struct kunit *test)
{
	struct guest *g = test->priv;
	struct iommu_domain *a = make(test, at(GCR3), 0), *b = make(test, at(LEVEL1), GIOV);

	KUNIT_ASSERT_EQ(test, move(test, g->parent), 0);
	KUNIT_EXPECT_TRUE(test, to_pci_dev(g->dev)->ats_enabled);
	model_watch(g->m, g->dev, NO_PASID, DATA)->steady = true;
	model_watch(g->m, g->dev, PASID, IOVA);
	refused(test, PASID, IOVA);
	KUNIT_ASSERT_EQ(test, move(test, a), 0);
	KUNIT_EXPECT_TRUE(test, to_pci_dev(g->dev)->pasid_enabled);
	KUNIT_EXPECT_FALSE(test, to_pci_dev(g->dev)->ats_enabled);
	KUNIT_EXPECT_EQ(test, model_dte(g->m, g->dev)[1] & BIT_ULL(32), 0);
	reaches(test, PASID, IOVA + 8, PHYS + 8);
	KUNIT_EXPECT_STREQ(test, g->m->walk.how, "nested");
	reaches(test, NO_PASID, DATA, PHYS);
	refused(test, PASID + 1, IOVA);
	model_check(g->m);

	KUNIT_EXPECT_EQ(test, move(test, g->parent), 0);
	KUNIT_EXPECT_TRUE(test, to_pci_dev(g->dev)->ats_enabled);
	KUNIT_EXPECT_FALSE(test, to_pci_dev(g->dev)->pasid_enabled);
	refused(test, PASID, IOVA);
	reaches(test, NO_PASID, DATA, PHYS);
	model_check(g->m);

	/* Another guest table, whose entry 0 is for requests without PASID. */
	g->m->watch[0].steady = false;
	KUNIT_EXPECT_EQ(test, move(test, a), 0);
	g->page[LEVEL1][0] = at(LEVEL4) | 1;
	g->page[LEVEL1][1] = DATA | P;
	KUNIT_EXPECT_EQ(test, move(test, b), 0);
	refused(test, PASID, IOVA);
	reaches(test, NO_PASID, IOVA + SZ_4K, PHYS);
	KUNIT_EXPECT_EQ(test, model_dte(g->m, g->dev)[0] & GIOV, GIOV);
	iommu_detach_group_handle(b, g->dev->iommu_group);
	refused(test, NO_PASID, DATA);
	KUNIT_EXPECT_EQ(test, model_dte(g->m, g->dev)[0] & GV, 0);
	a->ops->free(a);
	b->ops->free(b);
}

/* The guest's invalidations go to its tables' domain, by PASID. */
static void guest_invalidates(struct kunit *test)
{
	struct guest *g = test->priv;
	struct iommu_domain *nested = make(test, at(GCR3), 0);
	struct model_watch *w;
	u64 page[] = { CMD(3) | 0xbeefULL << 32 | PASID, IOVA | GN };
	u64 all[] = { CMD(3) | 0xbeefULL << 32, ALL };
	u64 bad[] = { CMD(3) | BIT_ULL(20), ALL }, other[] = { CMD(2), 0 };

	g->page[GCR3][PASID + 1] = g->page[GCR3][PASID];
	KUNIT_ASSERT_EQ(test, move(test, nested), 0);
	w = model_watch(g->m, g->dev, PASID, IOVA);
	model_watch(g->m, g->dev, PASID + 1, IOVA);
	model_forget(g->m);
	g->page[LEVEL1][0] = (DATA + SZ_4K) | P;
	KUNIT_EXPECT_EQ(test, w->iommu.output, PHYS);
	KUNIT_EXPECT_EQ(test, amd_nested_command(nested, page), 0);
	KUNIT_EXPECT_EQ(test, w->iommu.output, PHYS + SZ_4K);
	KUNIT_EXPECT_EQ(test, g->m->watch[1].iommu.output, PHYS);
	KUNIT_EXPECT_EQ(test, model_count(g->m, MODEL_INVALIDATE_IOMMU_PAGES, g->dev, PASID, IOVA),
			1);
	KUNIT_EXPECT_EQ(test, amd_nested_command(nested, all), 0);
	KUNIT_EXPECT_EQ(test, g->m->watch[1].iommu.output, PHYS + SZ_4K);
	model_check(g->m);
	KUNIT_EXPECT_EQ(test, amd_nested_command(nested, bad), -EINVAL);
	KUNIT_EXPECT_EQ(test, amd_nested_command(nested, other), -EOPNOTSUPP);
	iommu_detach_group_handle(nested, g->dev->iommu_group);
	nested->ops->free(nested);
}

/* What becomes of the parent's tables reaches what is cached of the guest's. */
static void parent_changes(struct kunit *test)
{
	struct guest *g = test->priv;
	struct iommu_domain *nested = make(test, at(GCR3), 0);
	u64 mode;

	KUNIT_ASSERT_EQ(test, move(test, nested), 0);
	mode = model_dte(g->m, g->dev)[0] & GENMASK_ULL(11, 9);
	/* An address that its tables cannot hold without one more level. */
	map(test, BIT_ULL(45), PHYS, SZ_4K);
	KUNIT_EXPECT_GT(test, model_dte(g->m, g->dev)[0] & GENMASK_ULL(11, 9), mode);
	reaches(test, PASID, IOVA, PHYS);
	model_watch(g->m, g->dev, PASID, IOVA);
	KUNIT_EXPECT_EQ(test, iommu_unmap(g->parent, DATA, SZ_64K), SZ_64K);
	refused(test, PASID, IOVA);
	model_check(g->m);
	iommu_detach_group_handle(nested, g->dev->iommu_group);
	nested->ops->free(nested);
}

static void hw_info(struct kunit *test)
{
	struct guest *g = test->priv;
	struct iommu_hw_info_amd *info;
	u32 length, type;

	info = amd_iommu_ops.hw_info(g->dev, &length, &type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, info);
	KUNIT_EXPECT_EQ(test, type, IOMMU_HW_INFO_TYPE_AMD);
	KUNIT_EXPECT_EQ(test, length, sizeof(*info));
	KUNIT_EXPECT_EQ(test, info->efr, g->m->iommu->features);
	KUNIT_EXPECT_EQ(test, info->efr2, 0);
	kfree(info);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(entries),
	KUNIT_CASE(hand_over),
	KUNIT_CASE(guest_invalidates),
	KUNIT_CASE(parent_changes),
	KUNIT_CASE(hw_info),
	{}
};

static struct kunit_suite suite = {
	.name = "amd_iommu_nested",
	.init = setup,
	.exit = teardown,
	.test_cases = cases,
};

kunit_test_suite(suite);
