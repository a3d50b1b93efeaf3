// SPDX-License-Identifier: GPL-2.0
/*
 * See kunit_iommu.h. The model knows of the queue's commands what section 6.5.2 of
 * the specification has, and completes each wait command; it has no caches.
 *
 * The driver waits for the queue with interrupts off. So the model runs on another
 * CPU than the test.
 */
#include <kunit/resource.h>
#include <linux/bitfield.h>
#include <linux/cpumask.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../iommu-pages.h"
#include "kunit_iommu.h"

#define REG_CAP		0x08
#define REG_ECAP	0x10
#define REG_GSTS	0x1c
#define REG_RTADDR	0x20
#define REG_IQH		0x80
#define REG_IQT		0x88
#define QUEUE_BYTES	(QI_LENGTH * 32)
#define PASID_BITS	20
#define DIRECTORY_ORDER	get_order((1UL << PASID_BITS) / 64 * 8)

static u64 *reg64(struct kit *kit, unsigned int at)
{
	return (u64 *)(kit->registers + at);
}

static void free_page_action(void *page)
{
	free_page((unsigned long)page);
}

u64 *kit_page(struct kit *kit)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, page);
	KUNIT_ASSERT_EQ(kit->test, 0,
			kunit_add_action_or_reset(kit->test, free_page_action, page));
	return page;
}

void kit_set_root(struct kit *kit, u64 root)
{
	*reg64(kit, REG_RTADDR) = root;
}

static void take(struct kit *kit, const u64 *desc)
{
	struct kit_command *new = &kit->command[kit->commands % KIT_COMMANDS];
	unsigned int type = desc[0] & 0xf;

	if (type == KIT_WAIT) {
		kit->drains += !!(desc[0] & BIT_ULL(7));
		/* Status write: data in the upper half, to the address. */
		if (desc[0] & BIT_ULL(5))
			/* Who waits reads what the test's look has found. */
			smp_store_release((u32 *)phys_to_virt(desc[1]), upper_32_bits(desc[0]));
		return;
	}
	new->qw0 = desc[0];
	new->qw1 = desc[1];
	kit->commands++;
	if (type == KIT_PASID_CACHE && kit->entry_flushed)
		kit->entry_flushed(kit, FIELD_GET(GENMASK_ULL(31, 16), desc[0]),
				   FIELD_GET(GENMASK_ULL(51, 32), desc[0]));
}

static int model(void *data)
{
	struct kit *kit = data;
	u32 *head = (u32 *)(kit->registers + REG_IQH);
	u32 *tail = (u32 *)(kit->registers + REG_IQT);

	while (!kthread_should_stop()) {
		/* The driver writes commands, then the tail. */
		while (*head != smp_load_acquire(tail)) {
			take(kit, kit->iommu.qi->desc + *head);
			*head = (*head + 32) % QUEUE_BYTES;
		}
		cond_resched();
		cpu_relax();
	}
	return 0;
}

/* The driver asks whether the function is still there before it waits for its TLB. */
static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	*value = where == PCI_VENDOR_ID ? 0x12348086 : 0;
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = { .read = config_read };

static void release_device(struct device *dev)
{
	kfree(to_pci_dev(dev));
}

static void remove_device(void *dev)
{
	device_unregister(dev);
}

static void make_device(struct kit *kit)
{
	struct pci_dev *pdev = kzalloc(sizeof(*pdev), GFP_KERNEL);
	static unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(kit->test, pdev);
	kit->bus.ops = &config_ops;
	pdev->bus = &kit->bus;
	pdev->devfn = KIT_RID & 0xff;
	pdev->error_state = pci_channel_io_normal;
	kit->pdev = pdev;
	kit->dev = &pdev->dev;
	device_initialize(kit->dev);
	kit->dev->release = release_device;
	KUNIT_ASSERT_EQ(kit->test, 0, dev_set_name(kit->dev, "vtd-kit.%u", nr++));
	KUNIT_ASSERT_EQ(kit->test, 0, device_add(kit->dev));
	KUNIT_ASSERT_EQ(kit->test, 0,
			kunit_add_action_or_reset(kit->test, remove_device, kit->dev));
}

struct kit *kit_bare(struct kunit *test, u64 cap, u64 ecap)
{
	struct kit *kit = kunit_kzalloc(test, sizeof(*kit), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, kit);
	kit->test = test;
	kit->registers = (u8 *)kit_page(kit);
	*reg64(kit, REG_CAP) = cap;
	*reg64(kit, REG_ECAP) = ecap;
	*(u32 *)(kit->registers + REG_GSTS) = BIT(31);

	make_device(kit);
	kit->dev->iommu = &kit->dev_iommu;
	kit->dev_iommu.priv = &kit->info;
	kit->dev_iommu.iommu_dev = &kit->iommu.iommu;
	kit->dev_iommu.max_pasids = 1 << PASID_BITS;
	mutex_init(&kit->dev_iommu.lock);
	kit->info.dev = kit->dev;
	kit->info.iommu = &kit->iommu;
	kit->info.bus = KIT_RID >> 8;
	kit->info.devfn = KIT_RID & 0xff;

	kit->iommu.reg = (void __iomem *)kit->registers;
	kit->iommu.cap = cap;
	kit->iommu.ecap = ecap;
	kit->iommu.iommu.ops = &intel_iommu_ops;
	kit->iommu.iommu.max_pasids = 1 << PASID_BITS;
	return kit;
}

static void *kit_pages(struct kit *kit, unsigned int order)
{
	void *pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order);

	KUNIT_ASSERT_NOT_NULL(kit->test, pages);
	return pages;
}

static void free_pasid_table(void *data)
{
	struct kit *kit = data;
	u64 *directory = kit->pasid_table.table;
	unsigned int i;

	for (i = 0; i < (1 << PASID_BITS) / 64; i++) {
		if (directory[i])
			iommu_free_page(phys_to_virt(directory[i] & VTD_PAGE_MASK));
	}
	free_pages((unsigned long)directory, DIRECTORY_ORDER);
}

static void free_root(void *data)
{
	struct kit *kit = data;
	struct root_entry *root = &kit->iommu.root_entry[kit->info.bus];

	if (root->lo)
		iommu_free_page(phys_to_virt(root->lo & VTD_PAGE_MASK));
	if (root->hi)
		iommu_free_page(phys_to_virt(root->hi & VTD_PAGE_MASK));
	free_page((unsigned long)kit->iommu.root_entry);
}

static void make_queue(struct kit *kit)
{
	struct q_inval *qi = kunit_kzalloc(kit->test, sizeof(*qi), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, qi);
	raw_spin_lock_init(&qi->q_lock);
	qi->desc = kunit_kzalloc(kit->test, QUEUE_BYTES, GFP_KERNEL);
	qi->desc_status = kunit_kcalloc(kit->test, QI_LENGTH, sizeof(int), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(kit->test, qi->desc);
	KUNIT_ASSERT_NOT_NULL(kit->test, qi->desc_status);
	qi->free_cnt = QI_LENGTH;
	kit->iommu.qi = qi;
}

static void stop_model(void *data)
{
	struct kit *kit = data;

	kthread_stop(kit->model);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static void start_model(struct kit *kit)
{
	unsigned int here = cpumask_first(cpu_online_mask);
	unsigned int there = cpumask_next(here, cpu_online_mask);

	KUNIT_ASSERT_LT_MSG(kit->test, there, nr_cpu_ids, "this needs two CPUs");
	KUNIT_ASSERT_EQ(kit->test, 0, set_cpus_allowed_ptr(current, cpumask_of(here)));
	kit->model = kthread_create_on_cpu(model, kit, there, "vtd-kit/%u");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, kit->model);
	get_task_struct(kit->model);
	wake_up_process(kit->model);
	KUNIT_ASSERT_EQ(kit->test, 0, kunit_add_action_or_reset(kit->test, stop_model, kit));
}

static void make_group(struct kit *kit)
{
	kit->group = iommu_group_alloc();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, kit->group);
	KUNIT_ASSERT_EQ(kit->test, 0, iommu_group_add_device(kit->group, kit->dev));
	iommu_group_put(kit->group);
}

static void leave_group(void *data)
{
	struct kit *kit = data;

	/* The core never probed it, so it has nothing to release. */
	kit->dev->iommu = NULL;
	iommu_group_remove_device(kit->dev);
}

struct kit *kit_make(struct kunit *test, u64 cap, u64 ecap)
{
	struct kit *kit = kit_bare(test, cap, ecap);
	struct intel_iommu *iommu = &kit->iommu;

	iommu->agaw = 2;
	iommu->msagaw = 2;
	iommu->gcmd = DMA_GCMD_TE;
	iommu->node = NUMA_NO_NODE;
	iommu->flush.flush_iotlb = qi_flush_iotlb;
	iommu->flush.flush_context = qi_flush_context;
	strscpy(iommu->name, "kit", sizeof(iommu->name));
	raw_spin_lock_init(&iommu->register_lock);
	spin_lock_init(&iommu->lock);
	spin_lock_init(&iommu->device_rbtree_lock);
	mutex_init(&iommu->iopf_lock);
	iommu->domain_ids = kunit_kcalloc(test, BITS_TO_LONGS(cap_ndoms(cap)), sizeof(long),
					  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, iommu->domain_ids);
	__set_bit(0, iommu->domain_ids);
	__set_bit(FLPT_DEFAULT_DID, iommu->domain_ids);
	make_queue(kit);
	start_model(kit);

	iommu->root_entry = kit_pages(kit, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_root, kit));
	kit_set_root(kit, virt_to_phys(iommu->root_entry) | BIT_ULL(10));
	kit->pasid_table.table = kit_pages(kit, DIRECTORY_ORDER);
	kit->pasid_table.max_pasid = 1 << PASID_BITS;
	kit->info.pasid_table = &kit->pasid_table;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_pasid_table, kit));
	kit->info.pasid_supported = 1;
	kit->info.pasid_enabled = 1;
	kit->info.ats_supported = 1;
	kit->info.ats_enabled = 1;
	KUNIT_ASSERT_EQ(test, 0, intel_pasid_setup_sm_context(kit->dev));
	make_group(kit);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, leave_group, kit));
	return kit;
}

struct iommu_walk *kit_ask(struct kit *kit, int pasid, u64 iova, bool write)
{
	struct iommu_walk *walk = kunit_kzalloc(kit->test, sizeof(*walk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, walk);
	walk->dev = kit->dev;
	walk->has_pasid = pasid >= 0;
	walk->pasid = pasid >= 0 ? pasid : IOMMU_NO_PASID;
	walk->has_iova = true;
	walk->iova = iova;
	walk->write = write;
	KUNIT_EXPECT_EQ(kit->test, 0, intel_walk(walk));
	KUNIT_EXPECT_NE(kit->test, walk->translated, !!walk->fault);
	return walk;
}

unsigned int kit_count(struct kit *kit, unsigned int type, int did, int pasid)
{
	unsigned int i, n = 0;

	KUNIT_ASSERT_LE_MSG(kit->test, kit->commands, KIT_COMMANDS, "too many to remember");
	for (i = 0; i < kit->commands; i++) {
		const u64 qw0 = kit->command[i].qw0;

		n += (qw0 & 0xf) == type &&
		     (did < 0 || FIELD_GET(GENMASK_ULL(31, 16), qw0) == did) &&
		     (pasid < 0 || FIELD_GET(GENMASK_ULL(51, 32), qw0) == pasid);
	}
	return n;
}

void kit_forget(struct kit *kit)
{
	kit->commands = 0;
}
