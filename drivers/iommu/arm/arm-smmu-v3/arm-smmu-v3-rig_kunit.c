// SPDX-License-Identifier: GPL-2.0
/*
 * See arm-smmu-v3-rig_kunit.h. Sets up what the driver's probe functions would find
 * by firmware and registers; from then on only the driver writes.
 */
#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/sizes.h>

#include "arm-smmu-v3-rig_kunit.h"

#define SID_BITS	14
#define SPLIT		8

/* Of SMMU 6.3, the registers that the walker and the rig look at */
#define REG_IDR0	0x00
#define REG_IDR1	0x04
#define REG_IDR5	0x14
#define REG_CR0		0x20
#define REG_STRTAB	0x80
#define REG_STRTAB_CFG	0x88

static void put32(struct rig *rig, unsigned int reg, u32 value)
{
	*(__le32 *)(rig->regs + reg) = cpu_to_le32(value);
}

static void put64(struct rig *rig, unsigned int reg, u64 value)
{
	*(__le64 *)(rig->regs + reg) = cpu_to_le64(value);
}

static struct arm_smmu_cmdq *observe(struct arm_smmu_device *smmu, struct arm_smmu_cmdq_ent *ent)
{
	struct rig *rig = container_of(smmu, struct rig, smmu);

	rig->seen_nr++;
	if (rig->seen)
		rig->seen(rig, ent->opcode);
	return NULL;
}

static const struct arm_smmu_impl_ops observer = { .get_secondary_cmdq = observe };

/* What it says it can do, in registers and in the driver's words. */
static void features(struct rig *rig, const struct rig_how *how)
{
	struct arm_smmu_device *smmu = &rig->smmu;
	unsigned int granule = how->granule ?: 12;
	u32 idr0 = BIT(3) | BIT(4);	/* AArch64, coherent */

	smmu->features = ARM_SMMU_FEAT_COHERENCY | ARM_SMMU_FEAT_TT_LE;
	if (how->single_stage != 2) {
		smmu->features |= ARM_SMMU_FEAT_TRANS_S1;
		idr0 |= BIT(1);
	}
	if (how->single_stage != 1) {
		smmu->features |= ARM_SMMU_FEAT_TRANS_S2;
		idr0 |= BIT(0);
	}
	if (!how->single_stage)
		smmu->features |= ARM_SMMU_FEAT_NESTING;
	if (how->two_level_cd) {
		smmu->features |= ARM_SMMU_FEAT_2_LVL_CDTAB;
		idr0 |= BIT(19);
	}
	if (how->two_level_strtab)
		smmu->features |= ARM_SMMU_FEAT_2_LVL_STRTAB;
	put32(rig, REG_IDR0, idr0);
	put32(rig, REG_IDR1, how->ssid_bits << 6 | SID_BITS);
	put32(rig, REG_IDR5, 5 | BIT(4) | BIT(5) | BIT(6));	/* 48 bits, all granules */
	put32(rig, REG_CR0, 1);

	smmu->options = ARM_SMMU_OPT_SKIP_PREFETCH;
	smmu->oas = 48;
	smmu->ias = 48;
	smmu->asid_bits = 16;
	smmu->vmid_bits = 16;
	smmu->ssid_bits = how->ssid_bits;
	smmu->sid_bits = SID_BITS;
	smmu->pgsize_bitmap = BIT(granule);
	if (granule == 12)
		smmu->pgsize_bitmap |= SZ_2M | SZ_1G;
	else
		smmu->pgsize_bitmap |= granule == 14 ? SZ_32M : SZ_512M;
}

static void stream_table(struct rig *rig, bool two_level)
{
	struct arm_smmu_strtab_cfg *cfg = &rig->smmu.strtab_cfg;
	struct kunit *test = rig->test;
	size_t size;

	if (!two_level) {
		size = sizeof(struct arm_smmu_ste) << SID_BITS;
		cfg->linear.table = kunit_kzalloc(test, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, cfg->linear.table);
		cfg->linear.num_ents = BIT(SID_BITS);
		rig->ste = &cfg->linear.table[RIG_SID];
		put64(rig, REG_STRTAB, virt_to_phys(cfg->linear.table));
		put32(rig, REG_STRTAB_CFG, SID_BITS);
	} else {
		struct arm_smmu_strtab_l2 *l2;
		unsigned int at = RIG_SID >> SPLIT;

		cfg->l2.num_l1_ents = BIT(SID_BITS - SPLIT);
		cfg->l2.l1tab = kunit_kcalloc(test, cfg->l2.num_l1_ents, 8, GFP_KERNEL);
		cfg->l2.l2ptrs = kunit_kcalloc(test, cfg->l2.num_l1_ents, sizeof(l2), GFP_KERNEL);
		l2 = kunit_kzalloc(test, sizeof(*l2), GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, cfg->l2.l1tab && cfg->l2.l2ptrs && l2);
		cfg->l2.l2ptrs[at] = l2;
		cfg->l2.l1tab[at].l2ptr = cpu_to_le64(virt_to_phys(l2) | (SPLIT + 1));
		rig->ste = &l2->stes[RIG_SID & (BIT(SPLIT) - 1)];
		put64(rig, REG_STRTAB, virt_to_phys(cfg->l2.l1tab));
		put32(rig, REG_STRTAB_CFG, 1 << 16 | SPLIT << 6 | SID_BITS);
	}
	arm_smmu_make_abort_ste(rig->ste);
}

/* The SMMU's index of the queue is the driver's: commands are done when they are there. */
static void command_queue(struct rig *rig, struct device *smmu_dev)
{
	struct arm_smmu_queue *q = &rig->smmu.cmdq.q;
	struct kunit *test = rig->test;

	q->llq.max_n_shift = ilog2(RIG_QUEUE);
	q->ent_dwords = CMDQ_ENT_DWORDS;
	q->base = kunit_kcalloc(test, RIG_QUEUE, CMDQ_ENT_DWORDS * 8, GFP_KERNEL);
	q->prod_reg = (u32 __iomem __force *)(rig->regs + ARM_SMMU_CMDQ_PROD);
	q->cons_reg = q->prod_reg;
	KUNIT_ASSERT_NOT_NULL(test, q->base);
	KUNIT_ASSERT_EQ(test, arm_smmu_cmdq_init(&rig->smmu, &rig->smmu.cmdq), 0);
}

/* What the iommu core and the driver's probe_device operation give a device. */
static void add_device(struct rig *rig, const struct rig_how *how)
{
	struct kunit *test = rig->test;
	struct arm_smmu_master *master = kzalloc(sizeof(*master), GFP_KERNEL);
	struct iommu_fwspec *fwspec;
	struct dev_iommu *iommu;

	rig->dev = kunit_device_register(test, "rig-device");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rig->dev);
	KUNIT_ASSERT_NOT_NULL(test, master);
	master->streams = kcalloc(1, sizeof(*master->streams), GFP_KERNEL);
	iommu = kunit_kzalloc(test, sizeof(*iommu), GFP_KERNEL);
	fwspec = kunit_kzalloc(test, struct_size(fwspec, ids, 1), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, master->streams && iommu && fwspec);
	fwspec->num_ids = 1;
	fwspec->ids[0] = RIG_SID;
	iommu->fwspec = fwspec;
	iommu->iommu_dev = &rig->smmu.iommu;
	iommu->max_pasids = BIT(how->ssid_bits);
	mutex_init(&iommu->lock);
	rig->dev->iommu = iommu;
	dev_iommu_priv_set(rig->dev, master);

	master->smmu = &rig->smmu;
	master->dev = rig->dev;
	master->ssid_bits = how->ssid_bits;
	master->num_streams = 1;
	master->streams[0].id = RIG_SID;
	master->streams[0].master = master;
	rb_link_node(&master->streams[0].node, NULL, &rig->smmu.streams.rb_node);
	rb_insert_color(&master->streams[0].node, &rig->smmu.streams);
	rig->master = master;

	/* The core would not let the device go while something is attached; see rig_attach(). */
	rig->group = iommu_group_alloc();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rig->group);
	rig->dev->iommu_group = rig->group;
}

/**
 * rig_new() - an SMMU with a device, which is not attached yet
 * @test: the test
 * @how: what it can do
 *
 * Context: may sleep.
 * Return: the rig; rig_end() is the test's to call.
 */
struct rig *rig_new(struct kunit *test, const struct rig_how *how)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	struct device *smmu_dev = kunit_device_register(test, "rig-smmu");

	KUNIT_ASSERT_NOT_NULL(test, rig);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, smmu_dev);
	rig->test = test;
	rig->regs = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->regs);
	smmu_dev->coherent_dma_mask = DMA_BIT_MASK(48);
	smmu_dev->dma_coherent = true;
	rig->smmu.dev = smmu_dev;
	rig->smmu.base = (void __iomem __force *)rig->regs;
	rig->smmu.impl_ops = &observer;
	rig->smmu.iommu.ops = &arm_smmu_ops;
	rig->smmu.iommu.dev = smmu_dev;
	rig->smmu.streams = RB_ROOT;
	mutex_init(&rig->smmu.streams_mutex);
	ida_init(&rig->smmu.vmid_map);
	features(rig, how);
	command_queue(rig, smmu_dev);
	stream_table(rig, how->two_level_strtab);
	add_device(rig, how);
	return rig;
}

/**
 * rig_end() - the device leaves the SMMU, and the domains go
 * @rig: the rig; nothing is attached at a PASID
 *
 * Context: may sleep.
 */
void rig_end(struct rig *rig)
{
	unsigned int i;

	rig->seen = NULL;
	arm_smmu_ops.release_device(rig->dev);
	rig->dev->iommu_group = NULL;
	rig->dev->iommu = NULL;
	iommu_group_put(rig->group);
	for (i = 0; i < rig->nr_domains; i++)
		iommu_domain_free(rig->domains[i]);
	ida_destroy(&rig->smmu.vmid_map);
}

/**
 * rig_domain() - a paging domain of the driver's, empty
 * @rig: the rig
 * @flags: of enum iommufd_hwpt_alloc_flags
 *
 * Context: may sleep.
 * Return: the domain, which stays until rig_end().
 */
struct iommu_domain *rig_domain(struct rig *rig, u32 flags)
{
	struct iommu_domain *domain = arm_smmu_ops.domain_alloc_user(rig->dev, flags, NULL, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(rig->test, domain);
	domain->owner = &arm_smmu_ops;
	KUNIT_ASSERT_LT(rig->test, rig->nr_domains, ARRAY_SIZE(rig->domains));
	rig->domains[rig->nr_domains++] = domain;
	return domain;
}

/**
 * rig_page() - map a new page
 * @rig: the rig
 * @domain: where
 * @iova: at which address
 *
 * Context: may sleep.
 * Return: its physical address.
 */
phys_addr_t rig_page(struct rig *rig, struct iommu_domain *domain, unsigned long iova)
{
	size_t size = BIT(__ffs(domain->pgsize_bitmap));
	void *page = kunit_kzalloc(rig->test, size, GFP_KERNEL);
	phys_addr_t phys;

	KUNIT_ASSERT_NOT_NULL(rig->test, page);
	phys = virt_to_phys(page);
	KUNIT_ASSERT_EQ(rig->test, 0, iommu_map(domain, iova, phys, size,
						IOMMU_READ | IOMMU_WRITE, GFP_KERNEL));
	return phys;
}

/**
 * rig_try() - attach a domain to the device, in place of what is, as the core does
 * @rig: the rig
 * @domain: the domain
 *
 * The core's group has no device in it: it only remembers the domain, for the driver.
 *
 * Context: may sleep.
 * Return: what the driver says.
 */
int rig_try(struct rig *rig, struct iommu_domain *domain)
{
	int ret = domain->ops->attach_dev(domain, rig->dev);

	return ret ?: iommu_replace_group_handle(rig->group, domain, NULL);
}

/**
 * rig_attach() - rig_try(), which has to succeed
 * @rig: the rig
 * @domain: the domain
 *
 * Context: may sleep.
 */
void rig_attach(struct rig *rig, struct iommu_domain *domain)
{
	KUNIT_ASSERT_EQ(rig->test, 0, rig_try(rig, domain));
}

/**
 * rig_detach_pasid() - detach a domain from a PASID
 * @rig: the rig
 * @domain: the domain
 * @pasid: where it is attached
 *
 * Context: may sleep.
 */
void rig_detach_pasid(struct rig *rig, struct iommu_domain *domain, u32 pasid)
{
	arm_smmu_ops.remove_dev_pasid(rig->dev, pasid, domain);
}

/**
 * rig_walk() - ask the walker
 * @rig: the rig
 * @pasid: of the request, or RID
 * @iova: its address
 * @write: it writes
 *
 * Context: any; one at a time.
 * Return: the answer, until the next is asked.
 */
struct iommu_walk *rig_walk(struct rig *rig, u32 pasid, u64 iova, bool write)
{
	static struct iommu_walk walk;

	memset(&walk, 0, sizeof(walk));
	walk.dev = rig->dev;
	walk.has_pasid = pasid != RID;
	walk.pasid = walk.has_pasid ? pasid : IOMMU_NO_PASID;
	walk.has_iova = true;
	walk.iova = iova;
	walk.write = write;
	KUNIT_EXPECT_EQ(rig->test, arm_smmu_walk(&walk), 0);
	return &walk;
}

/**
 * rig_commands() - how many commands there were
 * @rig: the rig
 *
 * Return: the number, CMD_SYNC included; it wraps.
 */
u32 rig_commands(struct rig *rig)
{
	return readl(rig->smmu.cmdq.q.prod_reg);
}

/**
 * rig_next() - the command after another
 * @nr: the other's number
 *
 * Return: its number.
 */
u32 rig_next(u32 nr)
{
	return (nr + 1) & (2 * RIG_QUEUE - 1);
}

/**
 * rig_command() - a command
 * @rig: the rig
 * @nr: which, not older than 255
 *
 * Return: its words.
 */
const u64 *rig_command(struct rig *rig, u32 nr)
{
	struct arm_smmu_queue *q = &rig->smmu.cmdq.q;

	return (const u64 *)&q->base[(nr & (RIG_QUEUE - 1)) * CMDQ_ENT_DWORDS];
}

/**
 * rig_expect_page() - a write goes to a physical address
 * @rig: the rig
 * @pasid: of the request, or RID
 * @iova: its address
 * @phys: where it has to go
 * @at: for the message
 *
 * Context: as rig_walk().
 */
void rig_expect_page(struct rig *rig, u32 pasid, u64 iova, phys_addr_t phys, const char *at)
{
	struct iommu_walk *walk = rig_walk(rig, pasid, iova, true);

	KUNIT_EXPECT_STREQ_MSG(rig->test, walk->fault ?: "none", "none", "%s", at);
	KUNIT_EXPECT_TRUE_MSG(rig->test, walk->translated, "%s", at);
	KUNIT_EXPECT_EQ_MSG(rig->test, walk->output, phys, "%s", at);
}

/**
 * rig_expect_fault() - a write ends in an event
 * @rig: the rig
 * @pasid: of the request, or RID
 * @iova: its address
 * @event: which event
 * @at: for the message
 *
 * Context: as rig_walk().
 */
void rig_expect_fault(struct rig *rig, u32 pasid, u64 iova, enum smmu_event event, const char *at)
{
	struct iommu_walk *walk = rig_walk(rig, pasid, iova, true);

	KUNIT_EXPECT_EQ_MSG(rig->test, walk->fault_code, (u32)event, "%s: %s", at,
			    walk->fault ?: "none");
	KUNIT_EXPECT_FALSE_MSG(rig->test, walk->translated, "%s", at);
}
