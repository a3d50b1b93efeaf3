// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of domains at PASIDs: the driver's functions run as the iommu core
 * calls them, on the IOMMU of model_kunit.c. What its caches hold, and the walker, say
 * whether they did what they should.
 */
#include <linux/iommu.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>
#include <uapi/linux/iommufd.h>

#include "../iommu-priv.h"
#include "model_kunit.h"

#define IOVA	0x10000000UL
#define PHYS	0x200000000UL
#define OTHER	0x300000000UL

MODULE_IMPORT_NS(IOMMUFD_INTERNAL);

/* The devices by what their GCR3 tables are. */
enum { ONE_LEVEL = 1, TWO_LEVELS, THREE_LEVELS };

static const u32 pasids[] = { 1, 255, 256, 511, 512, 4095, 65535, 65536, 0x54321, BIT(20) - 1 };

static struct iommu_domain *alloc(struct kunit *test, u32 flags)
{
	struct model *m = test->priv;
	struct iommu_domain *domain;

	domain = amd_iommu_ops.domain_alloc_user(m->dev[TWO_LEVELS], flags, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	domain->owner = &amd_iommu_ops;
	return domain;
}

static struct iommu_domain *v2_domain(struct kunit *test)
{
	return alloc(test, IOMMU_HWPT_ALLOC_PASID);
}

static void map(struct kunit *test, struct iommu_domain *domain, u64 iova, u64 phys, size_t size)
{
	KUNIT_ASSERT_EQ(test, iommu_map(domain, iova, phys, size, IOMMU_READ | IOMMU_WRITE,
					GFP_KERNEL), 0);
}

static void reaches(struct kunit *test, struct device *dev, int pasid, u64 iova, u64 phys)
{
	struct iommu_walk *walk = model_ask(test->priv, dev, pasid, iova, true);

	KUNIT_EXPECT_TRUE_MSG(test, walk->translated, "PASID %d of %s: %s", pasid, dev_name(dev),
			      walk->fault);
	KUNIT_EXPECT_EQ_MSG(test, walk->output, phys, "PASID %d of %s", pasid, dev_name(dev));
}

static void refused(struct kunit *test, struct device *dev, int pasid, u64 iova)
{
	struct iommu_walk *walk = model_ask(test->priv, dev, pasid, iova, false);

	KUNIT_EXPECT_FALSE_MSG(test, walk->translated, "PASID %d of %s reaches %llx", pasid,
			       dev_name(dev), walk->output);
	KUNIT_EXPECT_STREQ(test, walk->fault ?: "", "IO_PAGE_FAULT");
}

static int attach(struct iommu_domain *domain, struct device *dev, u32 pasid)
{
	return iommu_attach_device_pasid(domain, dev, pasid, NULL);
}

static int replace(struct iommu_domain *domain, struct iommu_domain *old, struct device *dev,
		   u32 pasid)
{
	return iommu_replace_device_pasid(domain, old, dev, pasid, NULL);
}

static int move_rid(struct iommu_domain *domain, struct device *dev)
{
	return iommu_replace_group_handle(dev->iommu_group, domain, NULL);
}

/* As VFIO has it: blocked, and then the user's. */
static void own(struct kunit *test, struct device *dev)
{
	KUNIT_ASSERT_EQ(test, iommu_device_claim_dma_owner(dev, test), 0);
}

static int setup(struct kunit *test)
{
	test->priv = model_create(test);
	return 0;
}

static void teardown(struct kunit *test)
{
	if (test->priv) {
		model_check(test->priv);
		model_destroy(test->priv);
	}
}

/* Every PASID that a device's table has an entry for, by tables of each depth. */
static void attach_and_detach(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	static const u32 limits[] = { 0, 1 << 9, 1 << 16, 1 << 20 };
	unsigned int i, d, done = 0;

	map(test, domain, IOVA, PHYS, SZ_4K);
	for (d = ONE_LEVEL; d <= THREE_LEVELS; d++) {
		struct device *dev = m->dev[d];

		KUNIT_EXPECT_EQ(test, dev->iommu->max_pasids, limits[d]);
		for (i = 0; i < ARRAY_SIZE(pasids) && pasids[i] < limits[d]; i++) {
			refused(test, dev, pasids[i], IOVA);
			KUNIT_ASSERT_EQ(test, attach(domain, dev, pasids[i]), 0);
			reaches(test, dev, pasids[i], IOVA, PHYS);
			model_forget(m);
			iommu_detach_device_pasid(domain, dev, pasids[i]);
			refused(test, dev, pasids[i], IOVA);
			KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOMMU_PAGES, dev,
							  pasids[i], IOVA), 1);
			KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOTLB_PAGES, dev,
							  pasids[i], IOVA), 1);
			model_forget(m);
			done++;
		}
		KUNIT_EXPECT_EQ(test, attach(domain, dev, limits[d]), -EINVAL);
		KUNIT_EXPECT_EQ(test, domain->ops->set_dev_pasid(domain, dev, limits[d], NULL),
				-ERANGE);
	}
	KUNIT_EXPECT_EQ(test, done, 4 + 7 + 10);
	iommu_domain_free(domain);
}

/* What is cached at the moment of each command is right at the end. */
static void caches(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	struct device *dev = m->dev[THREE_LEVELS];

	map(test, domain, IOVA, PHYS, SZ_4K);
	model_watch(m, dev, 0x54321, IOVA);
	model_watch(m, dev, 0x04321, IOVA);
	KUNIT_ASSERT_EQ(test, attach(domain, dev, 0x54321), 0);
	model_check(m);
	KUNIT_ASSERT_EQ(test, attach(domain, dev, 0x04321), 0);
	model_forget(m);
	KUNIT_EXPECT_TRUE(test, m->watch[0].iommu.valid);
	KUNIT_EXPECT_TRUE(test, m->watch[0].device.valid);
	iommu_detach_device_pasid(domain, dev, 0x54321);
	KUNIT_EXPECT_FALSE(test, m->watch[0].iommu.valid);
	KUNIT_EXPECT_FALSE(test, m->watch[0].device.valid);
	KUNIT_EXPECT_TRUE(test, m->watch[1].iommu.valid);
	model_check(m);
	iommu_detach_device_pasid(domain, dev, 0x04321);
	iommu_domain_free(domain);
}

/* One domain at several PASIDs of several devices, and on a RID. */
static void map_and_unmap(struct kunit *test)
{
	static const u32 at[] = { 1, 300, 511 };
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	unsigned int d, i;

	own(test, m->dev[TWO_LEVELS]);
	for (d = ONE_LEVEL; d <= THREE_LEVELS; d++) {
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			KUNIT_ASSERT_EQ(test, attach(domain, m->dev[d], at[i]), 0);
			model_watch(m, m->dev[d], at[i], IOVA);
			model_watch(m, m->dev[d], at[i], IOVA + SZ_4K);
		}
	}
	KUNIT_ASSERT_EQ(test, move_rid(domain, m->dev[TWO_LEVELS]), 0);
	model_watch(m, m->dev[TWO_LEVELS], NO_PASID, IOVA);

	map(test, domain, IOVA, PHYS, SZ_8K);
	model_forget(m);
	reaches(test, m->dev[TWO_LEVELS], NO_PASID, IOVA, PHYS);
	KUNIT_EXPECT_EQ(test, iommu_unmap(domain, IOVA, SZ_4K), SZ_4K);
	for (d = ONE_LEVEL; d <= THREE_LEVELS; d++) {
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			refused(test, m->dev[d], at[i], IOVA);
			reaches(test, m->dev[d], at[i], IOVA + SZ_4K, PHYS + SZ_4K);
			KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOMMU_PAGES,
							  m->dev[d], at[i], IOVA), 1);
			KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOTLB_PAGES,
							  m->dev[d], at[i], IOVA), 1);
		}
	}
	model_check(m);

	for (d = ONE_LEVEL; d <= THREE_LEVELS; d++)
		for (i = 0; i < ARRAY_SIZE(at); i++)
			iommu_detach_device_pasid(domain, m->dev[d], at[i]);
	model_check(m);
	iommu_device_release_dma_owner(m->dev[TWO_LEVELS]);
	iommu_domain_free(domain);
}

/* A domain that was replaced is not the PASID's any more, and never was neither. */
static void replace_at_pasid(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *a = v2_domain(test), *b = v2_domain(test);
	struct device *dev = m->dev[THREE_LEVELS];
	struct model_watch *w;

	map(test, a, IOVA, PHYS, SZ_4K);
	map(test, b, IOVA, OTHER, SZ_4K);
	KUNIT_ASSERT_EQ(test, attach(a, dev, 70000), 0);
	w = model_watch(m, dev, 70000, IOVA);
	w->steady = true;
	KUNIT_EXPECT_EQ(test, replace(b, b, dev, 70000), 0);
	reaches(test, dev, 70000, IOVA, PHYS);
	KUNIT_EXPECT_EQ(test, replace(b, a, dev, 70000), 0);
	reaches(test, dev, 70000, IOVA, OTHER);
	KUNIT_EXPECT_EQ(test, w->device.output, OTHER);
	model_check(m);

	/* Only the new one's pages are the PASID's. */
	model_forget(m);
	iommu_unmap(a, IOVA, SZ_4K);
	KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOMMU_PAGES, dev, 70000, IOVA), 0);
	w->steady = false;
	iommu_unmap(b, IOVA, SZ_4K);
	KUNIT_EXPECT_EQ(test, model_count(m, MODEL_INVALIDATE_IOMMU_PAGES, dev, 70000, IOVA), 1);
	model_check(m);
	iommu_detach_device_pasid(b, dev, 70000);
	iommu_domain_free(a);
	iommu_domain_free(b);
}

static void rid_becomes(struct kunit *test, struct iommu_domain *domain, struct device *dev,
			u64 phys)
{
	KUNIT_EXPECT_EQ(test, move_rid(domain, dev), 0);
	reaches(test, dev, NO_PASID, IOVA, phys);
	model_check(test->priv);
}

/* PASIDs do not notice what becomes of the RID, which never sees neither domain. */
static void rid_moves(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *at = v2_domain(test), *a = v2_domain(test), *b = v2_domain(test);
	struct device *dev = m->dev[TWO_LEVELS];
	struct iommu_domain *direct = iommu_get_domain_for_dev(dev);
	struct model_watch *pasid, *rid;

	KUNIT_ASSERT_EQ(test, direct->type, IOMMU_DOMAIN_IDENTITY);
	map(test, at, IOVA, PHYS, SZ_4K);
	map(test, a, IOVA, OTHER, SZ_4K);
	map(test, b, IOVA, OTHER + SZ_4K, SZ_4K);
	own(test, dev);
	KUNIT_ASSERT_EQ(test, attach(at, dev, 7), 0);
	pasid = model_watch(m, dev, 7, IOVA);
	pasid->steady = true;
	rid = model_watch(m, dev, NO_PASID, IOVA);
	rid_becomes(test, a, dev, OTHER);
	rid->steady = true;
	rid_becomes(test, b, dev, OTHER + SZ_4K);
	rid_becomes(test, direct, dev, IOVA);
	rid_becomes(test, a, dev, OTHER);
	rid->steady = false;
	iommu_detach_group_handle(a, dev->iommu_group);
	refused(test, dev, NO_PASID, IOVA);
	model_check(m);
	rid_becomes(test, b, dev, OTHER + SZ_4K);
	iommu_unmap(b, IOVA, SZ_4K);
	model_check(m);
	pasid->steady = false;
	iommu_detach_device_pasid(at, dev, 7);
	model_check(m);
	iommu_device_release_dma_owner(dev);
	reaches(test, dev, NO_PASID, IOVA, IOVA);
	iommu_domain_free(at);
	iommu_domain_free(a);
	iommu_domain_free(b);
}

/* With pass-through on the RID, as a device is that the kernel has. */
static void direct_rid(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	struct device *dev = m->dev[THREE_LEVELS];

	map(test, domain, IOVA, PHYS, SZ_4K);
	model_watch(m, dev, NO_PASID, IOVA)->steady = true;
	KUNIT_ASSERT_EQ(test, attach(domain, dev, 7), 0);
	reaches(test, dev, 7, IOVA, PHYS);
	reaches(test, dev, NO_PASID, IOVA, IOVA);
	iommu_detach_device_pasid(domain, dev, 7);
	refused(test, dev, 7, IOVA);
	model_check(m);
	iommu_domain_free(domain);
}

/* A RID that is blocked has PASIDs, and is as before when they are gone. */
static void blocked_rid(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	struct device *dev = m->dev[THREE_LEVELS];
	u64 was[4];

	map(test, domain, IOVA, PHYS, SZ_4K);
	own(test, dev);
	memcpy(was, model_dte(m, dev), sizeof(was));
	refused(test, dev, NO_PASID, IOVA);
	KUNIT_ASSERT_EQ(test, attach(domain, dev, 1), 0);
	KUNIT_ASSERT_EQ(test, attach(domain, dev, 2), 0);
	refused(test, dev, NO_PASID, IOVA);
	reaches(test, dev, 1, IOVA, PHYS);
	iommu_detach_device_pasid(domain, dev, 1);
	reaches(test, dev, 2, IOVA, PHYS);
	iommu_detach_device_pasid(domain, dev, 2);
	refused(test, dev, NO_PASID, IOVA);
	KUNIT_EXPECT_EQ(test, was[0], model_dte(m, dev)[0]);
	iommu_device_release_dma_owner(dev);
	iommu_domain_free(domain);
}

/* v1 tables on the RID and PASIDs exclude each other, in either order. */
static void v1_rid(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *v1 = alloc(test, 0), *v2 = v2_domain(test);
	struct device *dev = m->dev[TWO_LEVELS];

	map(test, v2, IOVA, PHYS, SZ_4K);
	own(test, dev);
	KUNIT_ASSERT_EQ(test, move_rid(v1, dev), 0);
	KUNIT_EXPECT_EQ(test, attach(v2, dev, 1), -EXDEV);
	KUNIT_EXPECT_EQ(test, attach(v1, dev, 1), -EOPNOTSUPP);
	KUNIT_ASSERT_EQ(test, move_rid(v2, dev), 0);
	KUNIT_ASSERT_EQ(test, attach(v2, dev, 1), 0);
	model_watch(m, dev, 1, IOVA)->steady = true;
	KUNIT_EXPECT_EQ(test, move_rid(v1, dev), -EXDEV);
	reaches(test, dev, 1, IOVA, PHYS);
	reaches(test, dev, NO_PASID, IOVA, PHYS);
	m->watch[0].steady = false;
	iommu_detach_device_pasid(v2, dev, 1);
	KUNIT_EXPECT_EQ(test, move_rid(v1, dev), 0);
	refused(test, dev, NO_PASID, IOVA);
	iommu_device_release_dma_owner(dev);
	iommu_domain_free(v1);
	iommu_domain_free(v2);
}

/* v1 tables are exchanged for others in place. */
static void v1_replaced(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *a = alloc(test, 0), *b = alloc(test, 0);
	struct device *dev = m->dev[TWO_LEVELS];
	struct model_watch *rid;

	map(test, a, IOVA, PHYS, SZ_4K);
	map(test, b, IOVA, OTHER, SZ_4K);
	own(test, dev);
	rid_becomes(test, a, dev, PHYS);
	rid = model_watch(m, dev, NO_PASID, IOVA);
	rid->steady = true;
	KUNIT_EXPECT_TRUE(test, rid->device.valid);
	rid_becomes(test, b, dev, OTHER);
	rid_becomes(test, a, dev, PHYS);
	rid->steady = false;
	iommu_unmap(a, IOVA, SZ_4K);
	refused(test, dev, NO_PASID, IOVA);
	model_check(m);
	iommu_device_release_dma_owner(dev);
	iommu_domain_free(a);
	iommu_domain_free(b);
}

static void page_sizes(struct kunit *test)
{
	static const size_t sizes[] = { SZ_4K, SZ_2M, SZ_1G };
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	struct device *dev = m->dev[ONE_LEVEL];
	u64 last = domain->geometry.aperture_end;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, attach(domain, dev, 5), 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 iova = ALIGN_DOWN(last - i * SZ_2G, SZ_1G);

		map(test, domain, iova, 16ULL * SZ_1G, sizes[i]);
		reaches(test, dev, 5, iova + sizes[i] - 8, 16ULL * SZ_1G + sizes[i] - 8);
		KUNIT_EXPECT_EQ(test, m->walk.size, sizes[i]);
		refused(test, dev, 5, iova + sizes[i]);
		model_watch(m, dev, 5, iova + sizes[i] - 8);
		KUNIT_EXPECT_EQ(test, iommu_unmap(domain, iova, sizes[i]), sizes[i]);
		model_check(m);
	}
	KUNIT_EXPECT_EQ(test, last, BIT_ULL(47) - 1);
	KUNIT_ASSERT_EQ(test, iommu_map(domain, IOVA, PHYS, SZ_4K, IOMMU_READ, GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, model_ask(m, dev, 5, IOVA, false)->translated);
	KUNIT_EXPECT_FALSE(test, model_ask(m, dev, 5, IOVA, true)->translated);
	iommu_detach_device_pasid(domain, dev, 5);
	iommu_domain_free(domain);
}

/* What the hardware has not is refused when the domain is made. */
static void not_supported(struct kunit *test)
{
	struct model *m = test->priv;
	struct device *dev = m->dev[ONE_LEVEL];
	struct iommu_domain *domain;

	domain = amd_iommu_ops.domain_alloc_user(dev, IOMMU_HWPT_ALLOC_PASID |
						 IOMMU_HWPT_ALLOC_DIRTY_TRACKING, NULL, NULL);
	KUNIT_EXPECT_PTR_EQ(test, domain, ERR_PTR(-EOPNOTSUPP));
	amd_iommu_efr &= ~FEATURE_GIOSUP;
	domain = amd_iommu_ops.domain_alloc_user(dev, IOMMU_HWPT_ALLOC_PASID, NULL, NULL);
	KUNIT_EXPECT_PTR_EQ(test, domain, ERR_PTR(-EOPNOTSUPP));
	amd_iommu_efr |= FEATURE_GIOSUP;
	KUNIT_EXPECT_EQ(test, amd_iommu_count_pasids(15, 1), 1U << 16);
	KUNIT_EXPECT_EQ(test, amd_iommu_count_pasids(19, 0), 1U << 9);
	KUNIT_EXPECT_EQ(test, amd_iommu_count_pasids(19, 2), 1U << 20);
}

static unsigned long table_pages(void)
{
	struct per_cpu_nodestat __percpu *stats = first_online_pgdat()->per_cpu_nodestats;
	long nr = global_node_page_state(NR_IOMMU_PAGES);
	int cpu;

	/* Each CPU has counted some that it has not told. */
	for_each_online_cpu(cpu)
		nr += per_cpu_ptr(stats, cpu)->vm_node_stat_diff[NR_IOMMU_PAGES];
	return nr;
}

/* A GCR3 table goes with all its levels. */
static void tables_are_freed(struct kunit *test)
{
	struct model *m = test->priv;
	struct iommu_domain *domain = v2_domain(test);
	struct device *dev = m->dev[THREE_LEVELS];
	unsigned long before;
	unsigned int i;

	own(test, dev);
	before = table_pages();
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		KUNIT_ASSERT_EQ(test, attach(domain, dev, pasids[i]), 0);
	/* The root, 3 in the middle, 7 with entries; and what the RID has. */
	KUNIT_EXPECT_EQ(test, table_pages(), before + 1 + 3 + 7 + 1);
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		iommu_detach_device_pasid(domain, dev, pasids[i]);
	KUNIT_EXPECT_EQ(test, table_pages(), before);
	iommu_device_release_dma_owner(dev);
	iommu_domain_free(domain);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attach_and_detach),
	KUNIT_CASE(caches),
	KUNIT_CASE(map_and_unmap),
	KUNIT_CASE(replace_at_pasid),
	KUNIT_CASE(rid_moves),
	KUNIT_CASE(direct_rid),
	KUNIT_CASE(blocked_rid),
	KUNIT_CASE(v1_rid),
	KUNIT_CASE(v1_replaced),
	KUNIT_CASE(page_sizes),
	KUNIT_CASE(not_supported),
	KUNIT_CASE(tables_are_freed),
	{}
};

static struct kunit_suite suite = {
	.name = "amd_iommu_pasid",
	.init = setup,
	.exit = teardown,
	.test_cases = cases,
};

kunit_test_suite(suite);
