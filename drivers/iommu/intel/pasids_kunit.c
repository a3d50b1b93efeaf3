// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver writes for domains at PASIDs, on an IOMMU in memory: the walker
 * says what it means, and the queue's model what was invalidated. Wherever the
 * driver has an entry's caches synchronized, the walker is asked: what the hardware
 * may see then has to be the old domain or the new one.
 */
#include <kunit/test.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <uapi/linux/iommufd.h>

#include "../iommu-priv.h"
#include "kunit_iommu.h"

#define IOVA	0x123456000ULL
#define OUT	0xabcde000ULL
#define OTHER	0x98765000ULL
#define SMALL	BIT_ULL(12)
#define RW	(IOMMU_READ | IOMMU_WRITE)
#define GUEST	BIT_ULL(40)	/* guest addresses are not the host's */
#define LAST	0xfffff

static void free_domain(void *domain)
{
	iommu_domain_free(domain);
}

static struct iommu_domain *own(struct kit *kit, struct iommu_domain *domain)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, domain);
	domain->owner = &intel_iommu_ops;
	KUNIT_ASSERT_EQ(kit->test, 0,
			kunit_add_action_or_reset(kit->test, free_domain, domain));
	return domain;
}

/* A paging domain in which IOVA is @output. */
static struct iommu_domain *paging(struct kit *kit, u32 flags, u64 output)
{
	struct iommu_domain *domain =
		own(kit, intel_iommu_ops.domain_alloc_user(kit->dev, flags, NULL, NULL));

	KUNIT_ASSERT_EQ(kit->test, 0, iommu_map(domain, IOVA, output, SMALL, RW, GFP_KERNEL));
	return domain;
}

/* The same in the first stage, which users get only where there is no second. */
static struct iommu_domain *first_stage(struct kit *kit, u64 output)
{
	struct iommu_domain *domain;

	kit->iommu.ecap &= ~BIT_ULL(46);
	domain = paging(kit, 0, output);
	kit->iommu.ecap |= BIT_ULL(46);
	KUNIT_ASSERT_TRUE(kit->test, to_dmar_domain(domain)->use_first_level);
	return domain;
}

static void map_guest(struct kit *kit, struct iommu_domain *parent, void *page)
{
	KUNIT_ASSERT_EQ(kit->test, 0, iommu_map(parent, virt_to_phys(page) + GUEST,
						virt_to_phys(page), SMALL, RW, GFP_KERNEL));
}

/* A guest's tables, in which IOVA is a guest page that the parent has at @output. */
static u64 guest_tables(struct kit *kit, struct iommu_domain *parent, u64 output)
{
	u64 *table = kit_page(kit), top = virt_to_phys(table) + GUEST;
	unsigned int level;

	for (level = 4; level > 1; level--) {
		u64 *next = kit_page(kit);

		map_guest(kit, parent, table);
		table[IOVA >> (12 + 9 * (level - 1)) & 511] = (virt_to_phys(next) + GUEST) | 7;
		table = next;
	}
	map_guest(kit, parent, table);
	table[IOVA >> 12 & 511] = (2 * GUEST + output) | 7;
	if (!iommu_iova_to_phys(parent, 2 * GUEST + output))
		KUNIT_ASSERT_EQ(kit->test, 0, iommu_map(parent, 2 * GUEST + output, output, SMALL,
							RW, GFP_KERNEL));
	return top;
}

/* iommufd hands over what the user says from user memory. */
static void __user *to_user(struct kit *kit, const void *data, size_t size)
{
	unsigned long at = kunit_vm_mmap(kit->test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					 MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(kit->test, at, 0);
	KUNIT_ASSERT_EQ(kit->test, 0, copy_to_user((void __user *)at, data, size));
	return (void __user *)at;
}

static struct iommu_domain *nested_at(struct kit *kit, struct iommu_domain *parent, u64 tables)
{
	struct iommu_hwpt_vtd_s1 cfg = { .pgtbl_addr = tables, .addr_width = 48 };
	struct iommu_user_data data = {
		.type = IOMMU_HWPT_DATA_VTD_S1, .len = sizeof(cfg),
		.uptr = to_user(kit, &cfg, sizeof(cfg)),
	};

	return own(kit, intel_iommu_ops.domain_alloc_user(kit->dev, 0, parent, &data));
}

static struct iommu_domain *nested(struct kit *kit, struct iommu_domain *parent, u64 output)
{
	return nested_at(kit, parent, guest_tables(kit, parent, output));
}

static int did_of(struct kit *kit, struct iommu_domain *domain)
{
	return domain_id_iommu(to_dmar_domain(domain), &kit->iommu);
}

static void leads(struct kit *kit, u32 pasid, u64 output, const char *how)
{
	struct iommu_walk *walk = kit_ask(kit, pasid, IOVA + 8, true);

	KUNIT_EXPECT_TRUE_MSG(kit->test, walk->translated, "%s", walk->fault ?: "nothing");
	KUNIT_EXPECT_EQ(kit->test, walk->output, output + 8);
	KUNIT_EXPECT_STREQ(kit->test, walk->how ?: "", how);
	kunit_kfree(kit->test, walk);
}

static void nothing_at(struct kit *kit, u32 pasid)
{
	struct iommu_walk *walk = kit_ask(kit, pasid, IOVA, true);

	KUNIT_EXPECT_TRUE(kit->test, walk->fault_code == 0x59 || walk->fault_code == 0x51);
	kunit_kfree(kit->test, walk);
}

static void attach(struct kit *kit, struct iommu_domain *domain, u32 pasid)
{
	KUNIT_ASSERT_EQ(kit->test, 0, iommu_attach_device_pasid(domain, kit->dev, pasid, NULL));
}

/* What was cached of the entry and below it is invalidated once the entry is gone. */
static void detach(struct kit *kit, struct iommu_domain *domain, u32 pasid, unsigned int iotlb)
{
	int did = did_of(kit, domain);

	kit_forget(kit);
	iommu_detach_device_pasid(domain, kit->dev, pasid);
	nothing_at(kit, pasid);
	KUNIT_EXPECT_GE(kit->test, kit_count(kit, KIT_PASID_CACHE, did, pasid), 1);
	KUNIT_EXPECT_GE(kit->test, kit_count(kit, iotlb, did, iotlb == KIT_IOTLB ? -1 : pasid), 1);
	KUNIT_EXPECT_GE(kit->test, kit_count(kit, KIT_PASID_DEVICE_TLB, -1, pasid), 1);
}

static void paging_at_pasids(struct kunit *test)
{
	static const u32 pasids[] = { 1, 63, 64, 4095, 4096, 0x80000, LAST - 1, LAST };
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *second = paging(kit, 0, OUT), *first = first_stage(kit, OTHER);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		attach(kit, i % 2 ? first : second, pasids[i]);
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		leads(kit, pasids[i], i % 2 ? OTHER : OUT, i % 2 ? "first stage" : "second stage");
	nothing_at(kit, 2);
	nothing_at(kit, LAST - 64);
	kit_forget(kit);
	KUNIT_EXPECT_EQ(test, SMALL, iommu_unmap(first, IOVA, SMALL));
	for (i = 1; i < ARRAY_SIZE(pasids); i += 2) {
		KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_IOTLB, did_of(kit, first),
						   pasids[i]));
		KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_DEVICE_TLB, -1, pasids[i]));
	}
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		detach(kit, i % 2 ? first : second, pasids[i], i % 2 ? KIT_PASID_IOTLB : KIT_IOTLB);
}

static void nested_at_pasids(struct kunit *test)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = IOVA, .npages = 1 };
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *parent = paging(kit, IOMMU_HWPT_ALLOC_NEST_PARENT, OUT);
	struct iommu_domain *a = nested(kit, parent, OUT), *b = nested(kit, parent, OTHER);
	struct iommu_user_data_array array = {
		.type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, .entry_len = sizeof(inv),
		.entry_num = 1, .uptr = to_user(kit, &inv, sizeof(inv)),
	};

	attach(kit, a, 1);
	attach(kit, a, LAST);
	attach(kit, b, 64);
	leads(kit, 1, OUT, "nested");
	leads(kit, LAST, OUT, "nested");
	leads(kit, 64, OTHER, "nested");
	kit_forget(kit);
	KUNIT_EXPECT_EQ(test, 0, a->ops->cache_invalidate_user(a, &array));
	KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_IOTLB, did_of(kit, a), 1));
	KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_IOTLB, did_of(kit, a), LAST));
	KUNIT_EXPECT_EQ(test, 0, kit_count(kit, KIT_PASID_IOTLB, -1, 64));
	/* The parent's pages go: what is cached of them is under the IDs of those nested in it. */
	kit_forget(kit);
	KUNIT_EXPECT_EQ(test, SMALL, iommu_unmap(parent, 2 * GUEST + OUT, SMALL));
	KUNIT_EXPECT_GE(test, kit_count(kit, KIT_IOTLB, did_of(kit, a), -1), 1);
	KUNIT_EXPECT_GE(test, kit_count(kit, KIT_IOTLB, did_of(kit, b), -1), 1);
	KUNIT_EXPECT_EQ(test, 0x79, kit_ask(kit, 1, IOVA, true)->fault_code);
	detach(kit, a, LAST, KIT_IOTLB);
	leads(kit, 64, OTHER, "nested");
	detach(kit, a, 1, KIT_IOTLB);
	detach(kit, b, 64, KIT_IOTLB);
	a = nested_at(kit, parent, GUEST + 8);
	KUNIT_EXPECT_EQ(test, -EINVAL, iommu_attach_device_pasid(a, kit->dev, 1, NULL));
}

struct seen {
	u32 pasid;
	u64 output[2];		/* which may be seen */
	unsigned int times[2];
	unsigned int else_times;
	unsigned int fault;
	struct iommu_walk walk;
};

/* In the model's thread, while the driver waits for the invalidation. */
static void look(struct kit *kit, u16 did, u32 pasid)
{
	struct seen *seen = kit->context;
	struct iommu_walk *walk = &seen->walk;
	int i;

	memset(walk, 0, sizeof(*walk));
	walk->dev = kit->dev;
	walk->has_pasid = true;
	walk->pasid = seen->pasid;
	walk->has_iova = true;
	walk->iova = IOVA;
	intel_walk(walk);
	for (i = 0; i < 2; i++) {
		if (walk->translated && walk->output == seen->output[i]) {
			seen->times[i]++;
			return;
		}
	}
	seen->fault = walk->fault_code;
	seen->else_times++;
}

/* Between two domains and back. @rc: what is expected, in both directions. */
static void exchange(struct kit *kit, struct iommu_domain *a, struct iommu_domain *b, int rc)
{
	struct seen *seen = kunit_kzalloc(kit->test, sizeof(*seen), GFP_KERNEL);
	struct iommu_domain *from = a, *to = b;
	int i, did, ret;

	KUNIT_ASSERT_NOT_NULL(kit->test, seen);
	seen->pasid = 7;
	seen->output[0] = OUT;
	seen->output[1] = OTHER;
	attach(kit, a, 7);
	kit->context = seen;
	kit->entry_flushed = look;
	for (i = 0; i < 4; i++) {
		did = did_of(kit, from);
		kit_forget(kit);
		ret = iommu_replace_device_pasid(to, from, kit->dev, 7, NULL);
		KUNIT_EXPECT_EQ(kit->test, rc, ret);
		if (ret)
			break;
		/* Of what was there nothing stays in a cache. */
		KUNIT_EXPECT_GE(kit->test, kit_count(kit, KIT_PASID_CACHE, did, 7), 1);
		KUNIT_EXPECT_GE(kit->test, kit_count(kit, KIT_IOTLB, did, -1) +
				kit_count(kit, KIT_PASID_IOTLB, did, 7), 1);
		KUNIT_EXPECT_GE(kit->test, kit_count(kit, KIT_PASID_DEVICE_TLB, -1, 7), 1);
		swap(from, to);
	}
	kit->entry_flushed = NULL;
	KUNIT_EXPECT_EQ_MSG(kit->test, seen->else_times, 0, "neither, fault %#x", seen->fault);
	if (!rc)
		KUNIT_EXPECT_TRUE(kit->test, seen->times[0] && seen->times[1]);
	iommu_detach_device_pasid(from, kit->dev, 7);
	nothing_at(kit, 7);
	kunit_kfree(kit->test, seen);
}

static void replaced_in_place(struct kunit *test)
{
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *parent = paging(kit, IOMMU_HWPT_ALLOC_NEST_PARENT, OTHER);
	struct iommu_domain *second = paging(kit, 0, OTHER), *first = first_stage(kit, OTHER);
	struct iommu_domain *a = nested(kit, parent, OUT), *b = nested(kit, parent, OTHER);
	unsigned long ids = bitmap_weight(kit->iommu.domain_ids, cap_ndoms(KIT_CAP));

	exchange(kit, paging(kit, 0, OUT), second, 0);
	exchange(kit, first_stage(kit, OUT), first, 0);
	exchange(kit, first_stage(kit, OUT), second, 0);
	exchange(kit, a, second, 0);
	exchange(kit, a, parent, 0);
	exchange(kit, a, b, 0);
	KUNIT_EXPECT_EQ(test, ids, bitmap_weight(kit->iommu.domain_ids, cap_ndoms(KIT_CAP)));
}

/* Where a pointer of the one would be followed in the space of the other */
static void not_replaced(struct kunit *test)
{
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *parent = paging(kit, IOMMU_HWPT_ALLOC_NEST_PARENT, OTHER);
	struct iommu_domain *elsewhere = paging(kit, IOMMU_HWPT_ALLOC_NEST_PARENT, OTHER);
	struct iommu_domain *a = nested(kit, parent, OUT), *b = nested(kit, elsewhere, OTHER);
	struct iommu_domain *same;
	u64 tables = to_dmar_domain(a)->s1_pgtbl;

	exchange(kit, a, b, -EOPNOTSUPP);
	exchange(kit, a, first_stage(kit, OTHER), -EOPNOTSUPP);
	exchange(kit, first_stage(kit, OUT), a, -EOPNOTSUPP);
	attach(kit, a, 7);
	KUNIT_ASSERT_EQ(test, -EOPNOTSUPP, iommu_replace_device_pasid(b, a, kit->dev, 7, NULL));
	leads(kit, 7, OUT, "nested");
	/* The same pointer in another space is one store. */
	same = nested_at(kit, elsewhere, tables);
	KUNIT_ASSERT_EQ(test, 0, iommu_replace_device_pasid(same, a, kit->dev, 7, NULL));
	detach(kit, same, 7, KIT_IOTLB);
}

static bool tracked(struct kit *kit, u32 pasid)
{
	struct iommu_walk *walk = kit_ask(kit, pasid, IOVA, true);
	bool on = walk->step[3].word[0] & BIT_ULL(9);

	KUNIT_EXPECT_EQ(kit->test, walk->step[3].words, 8);
	kunit_kfree(kit->test, walk);
	return on;
}

static void dirty_tracking(struct kunit *test)
{
	u32 flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *domain = paging(kit, flags, OUT), *other = paging(kit, 0, OTHER);
	const struct iommu_dirty_ops *ops = domain->dirty_ops;

	attach(kit, domain, 5);
	attach(kit, domain, LAST);
	attach(kit, other, 9);
	KUNIT_EXPECT_FALSE(test, tracked(kit, 5) || tracked(kit, LAST));
	kit_forget(kit);
	KUNIT_EXPECT_EQ(test, 0, ops->set_dirty_tracking(domain, true));
	KUNIT_EXPECT_TRUE(test, tracked(kit, 5) && tracked(kit, LAST));
	KUNIT_EXPECT_FALSE(test, tracked(kit, 9));
	KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_CACHE, did_of(kit, domain), 5));
	KUNIT_EXPECT_EQ(test, 1, kit_count(kit, KIT_PASID_CACHE, did_of(kit, domain), LAST));
	attach(kit, domain, 6);
	KUNIT_EXPECT_TRUE(test, tracked(kit, 6));
	KUNIT_EXPECT_EQ(test, 0, iommu_replace_device_pasid(domain, other, kit->dev, 9, NULL));
	KUNIT_EXPECT_TRUE(test, tracked(kit, 9));
	KUNIT_EXPECT_EQ(test, 0, iommu_replace_device_pasid(other, domain, kit->dev, 6, NULL));
	KUNIT_EXPECT_FALSE(test, tracked(kit, 6));
	KUNIT_EXPECT_EQ(test, 0, ops->set_dirty_tracking(domain, false));
	KUNIT_EXPECT_FALSE(test, tracked(kit, 5) || tracked(kit, 9) || tracked(kit, LAST));
	leads(kit, 5, OUT, "second stage");
	iommu_detach_device_pasid(domain, kit->dev, 5);
	iommu_detach_device_pasid(other, kit->dev, 6);
	iommu_detach_device_pasid(domain, kit->dev, 9);
	iommu_detach_device_pasid(domain, kit->dev, LAST);
}

static void dirty_tracking_below(struct kunit *test)
{
	u32 flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING | IOMMU_HWPT_ALLOC_NEST_PARENT;
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);
	struct iommu_domain *parent = paging(kit, flags, OUT), *a = nested(kit, parent, OUT);
	struct iommu_domain *b = nested(kit, parent, OTHER);
	const struct iommu_dirty_ops *ops = parent->dirty_ops;

	attach(kit, a, 5);
	attach(kit, parent, 6);
	KUNIT_EXPECT_EQ(test, 0, ops->set_dirty_tracking(parent, true));
	KUNIT_EXPECT_TRUE(test, tracked(kit, 5) && tracked(kit, 6));
	attach(kit, b, 7);
	KUNIT_EXPECT_TRUE(test, tracked(kit, 7));
	KUNIT_EXPECT_EQ(test, 0, iommu_replace_device_pasid(a, b, kit->dev, 7, NULL));
	KUNIT_EXPECT_TRUE(test, tracked(kit, 7));
	KUNIT_EXPECT_EQ(test, 0, ops->set_dirty_tracking(parent, false));
	KUNIT_EXPECT_FALSE(test, tracked(kit, 5) || tracked(kit, 6) || tracked(kit, 7));
	leads(kit, 7, OUT, "nested");
	iommu_detach_device_pasid(a, kit->dev, 5);
	iommu_detach_device_pasid(parent, kit->dev, 6);
	iommu_detach_device_pasid(a, kit->dev, 7);
}

static struct kunit_case pasids_cases[] = {
	KUNIT_CASE(paging_at_pasids),
	KUNIT_CASE(nested_at_pasids),
	KUNIT_CASE(replaced_in_place),
	KUNIT_CASE(not_replaced),
	KUNIT_CASE(dirty_tracking),
	KUNIT_CASE(dirty_tracking_below),
	{}
};

static struct kunit_suite pasids_suite = {
	.name = "intel_pasids",
	.test_cases = pasids_cases,
};

kunit_test_suite(pasids_suite);

MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("KUnit tests of what VT-d's driver writes for PASIDs");
MODULE_LICENSE("GPL");
