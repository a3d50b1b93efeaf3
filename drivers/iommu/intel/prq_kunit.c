// SPDX-License-Identifier: GPL-2.0
/*
 * Page requests at PASIDs, on an IOMMU in memory: from the request queue, as the
 * hardware fills it, through the driver's thread to the handler of what is attached
 * at the PASID, and back as a response in the invalidation queue.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>

#include "../iommu-priv.h"
#include "kunit_iommu.h"

/* Sections 11.4.11.1 and following, 7.5.1.1, 6.5.2.10 */
#define REG_PQT		0xc8
#define REQUEST_WORDS	4
#define REQUEST(pasid)	(1 | BIT_ULL(8) | (u64)KIT_RID << 16 | (u64)(pasid) << 32)
#define READS		BIT_ULL(0)
#define WRITES		BIT_ULL(1)
#define LAST_OF_GROUP	BIT_ULL(2)
#define GROUP(n)	((u64)(n) << 3)
#define IOVA		0x7654321000ULL
#define LAST		0xfffff
#define SUCCESS		0
#define INVALID		1

struct asker {
	struct iommu_attach_handle handle;
	struct iommu_domain *domain;
	unsigned int groups;
	unsigned int requests;
	u32 pasid;
	u64 address;
	struct completion told;
};

static int handler(struct iopf_group *group)
{
	struct asker *asker = container_of(group->attach_handle, struct asker, handle);

	asker->groups++;
	asker->requests += group->fault_count;
	asker->pasid = group->last_fault.fault.prm.pasid;
	asker->address = group->last_fault.fault.prm.addr;
	iopf_group_response(group, IOMMU_PAGE_RESP_SUCCESS);
	iopf_free_group(group);
	complete(&asker->told);
	return 0;
}

static void free_domain(void *domain)
{
	iommu_domain_free(domain);
}

static struct asker *asker_make(struct kit *kit)
{
	struct asker *asker = kunit_kzalloc(kit->test, sizeof(*asker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, asker);
	init_completion(&asker->told);
	asker->domain = intel_iommu_ops.domain_alloc_user(kit->dev, 0, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, asker->domain);
	asker->domain->owner = &intel_iommu_ops;
	asker->domain->iopf_handler = handler;
	KUNIT_ASSERT_EQ(kit->test, 0, kunit_add_action_or_reset(kit->test, free_domain,
								asker->domain));
	return asker;
}

static void stop_requests(void *data)
{
	struct kit *kit = data;

	kit->info.pri_enabled = 0;
	iopf_queue_remove_device(kit->iommu.iopf_queue, kit->dev);
	intel_iommu_finish_prq(&kit->iommu);
}

static struct kit *kit_with_requests(struct kunit *test)
{
	struct kit *kit = kit_make(test, KIT_CAP, KIT_ECAP);

	KUNIT_ASSERT_EQ(test, 0, intel_iommu_enable_prq(&kit->iommu));
	KUNIT_ASSERT_EQ(test, 0, iopf_queue_add_device(kit->iommu.iopf_queue, kit->dev));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_requests, kit));
	kit->info.pri_supported = 1;
	kit->info.pri_enabled = 1;
	rb_link_node(&kit->info.node, NULL, &kit->iommu.device_rbtree.rb_node);
	rb_insert_color(&kit->info.node, &kit->iommu.device_rbtree);
	return kit;
}

/* The device asks; the hardware puts it in the queue, and interrupts. */
static void request(struct kit *kit, u32 pasid, u64 what)
{
	u64 *tail = (u64 *)(kit->registers + REG_PQT);
	u64 *place = (void *)kit->iommu.prq + *tail;

	place[0] = REQUEST(pasid);
	place[1] = IOVA | what;
	place[2] = 0;
	place[3] = 0;
	/* The queue's thread reads the tail, then the request. */
	smp_store_release(tail, *tail + REQUEST_WORDS * sizeof(u64));
	irq_wake_thread(kit->iommu.pr_irq, &kit->iommu);
}

/* Waits for the answer to a group; which one it was, or -1. */
static int response(struct kit *kit, u32 pasid, unsigned int group)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		const struct kit_command *command = &kit->command[0];

		if (kit_count(kit, KIT_RESPONSE, KIT_RID, pasid) == 1 &&
		    (command->qw1 >> 3 & 0x1ff) == group)
			return command->qw0 >> 12 & 0xf;
		fsleep(1000);
	}
	return -1;
}

static void told(struct kit *kit, struct asker *asker, u32 pasid, unsigned int requests)
{
	KUNIT_EXPECT_NE(kit->test, 0, wait_for_completion_timeout(&asker->told, HZ));
	KUNIT_EXPECT_EQ(kit->test, asker->pasid, pasid);
	KUNIT_EXPECT_EQ(kit->test, asker->address, IOVA);
	KUNIT_EXPECT_EQ(kit->test, asker->requests, requests);
}

static int replace(struct kit *kit, struct asker *old, struct asker *new)
{
	return iommu_replace_device_pasid(new->domain, old->domain, kit->dev, 5, &new->handle);
}

static void requests_at_pasids(struct kunit *test)
{
	struct kit *kit = kit_with_requests(test);
	struct asker *a = asker_make(kit), *b = asker_make(kit), *c = asker_make(kit);

	KUNIT_ASSERT_EQ(test, 0, iommu_attach_device_pasid(a->domain, kit->dev, 5, &a->handle));
	KUNIT_ASSERT_EQ(test, 0, iommu_attach_device_pasid(b->domain, kit->dev, LAST, &b->handle));
	kit_forget(kit);
	request(kit, LAST, WRITES | LAST_OF_GROUP | GROUP(7));
	told(kit, b, LAST, 1);
	KUNIT_EXPECT_EQ(test, SUCCESS, response(kit, LAST, 7));
	KUNIT_EXPECT_EQ(test, 0, a->groups);
	/* A group is told of once it is complete. */
	kit_forget(kit);
	request(kit, 5, READS | GROUP(1));
	KUNIT_EXPECT_EQ(test, 0, wait_for_completion_timeout(&a->told, HZ / 10));
	request(kit, 5, WRITES | LAST_OF_GROUP | GROUP(1));
	told(kit, a, 5, 2);
	KUNIT_EXPECT_EQ(test, SUCCESS, response(kit, 5, 1));
	/* Nobody is there. */
	kit_forget(kit);
	request(kit, 6, READS | LAST_OF_GROUP | GROUP(2));
	KUNIT_EXPECT_EQ(test, INVALID, response(kit, 6, 2));
	KUNIT_ASSERT_EQ(test, 0, replace(kit, a, c));
	kit_forget(kit);
	request(kit, 5, READS | LAST_OF_GROUP | GROUP(3));
	told(kit, c, 5, 1);
	KUNIT_EXPECT_EQ(test, SUCCESS, response(kit, 5, 3));
	KUNIT_EXPECT_EQ(test, 1, a->groups);
	iommu_detach_device_pasid(c->domain, kit->dev, 5);
	kit_forget(kit);
	request(kit, 5, READS | LAST_OF_GROUP | GROUP(4));
	KUNIT_EXPECT_EQ(test, INVALID, response(kit, 5, 4));
	iommu_detach_device_pasid(b->domain, kit->dev, LAST);
	KUNIT_EXPECT_EQ(test, 1, b->groups);
	KUNIT_EXPECT_EQ(test, 1, c->groups);
}

/* Whoever detaches has the requests that are on their way behind him. */
static void requests_are_drained(struct kunit *test)
{
	struct kit *kit = kit_with_requests(test);
	struct asker *a = asker_make(kit), *b = asker_make(kit);

	KUNIT_ASSERT_EQ(test, 0, iommu_attach_device_pasid(a->domain, kit->dev, 5, &a->handle));
	kit->drains = 0;
	KUNIT_ASSERT_EQ(test, 0, replace(kit, a, b));
	KUNIT_EXPECT_EQ(test, 1, kit->drains);
	iommu_detach_device_pasid(b->domain, kit->dev, 5);
	KUNIT_EXPECT_EQ(test, 2, kit->drains);
}

static struct kunit_case prq_cases[] = {
	KUNIT_CASE(requests_at_pasids),
	KUNIT_CASE(requests_are_drained),
	{}
};

static struct kunit_suite prq_suite = {
	.name = "intel_prq",
	.test_cases = prq_cases,
};

kunit_test_suite(prq_suite);

MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("KUnit tests of VT-d's page requests at PASIDs");
MODULE_LICENSE("GPL");
