// SPDX-License-Identifier: GPL-2.0
/*
 * An AMD IOMMU made of memory, for KUnit: registers, device table and command buffer
 * in pages, and a PCI bus of its own whose functions have PASIDs and ATS. The iommu
 * core and the driver see nothing unusual, except that this file fills in what the
 * driver reads from ACPI at boot.
 *
 * The model executes commands as the driver writes them, at the return from the
 * function that does. It has the caches of which commands tell it to forget. What a
 * test watches it caches as early as it can: after each command everything that is
 * not in a cache is looked up again, by the walker, and the device asks the IOMMU. A
 * flush that comes too early, for the wrong number, or in the wrong order leaves
 * something that model_check() finds different from what is in memory.
 *
 * Formats of commands are those of publication 48882, section 2.4, from revision
 * 2.02 on, where the PASID of INVALIDATE_IOTLB_PAGES was put right.
 */
#include <linux/kprobes.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <asm/pci.h>

#include "model_kunit.h"

#define SEGMENT		0x7abc
#define DEVIDS		256
#define CONFIG_SIZE	4096
#define CAP		0x40
#define PASID_AT	0x100
#define ATS_AT		0x110
#define REGS_ORDER	2
#define COMMANDS	8192
/* PPR, GT, IA, GIOSUP, EPHSUP; GATS: 4 levels; GLX: 3; PASmax: 20 bits */
#define FEATURES	(BIT_ULL(1) | BIT_ULL(4) | BIT_ULL(6) | BIT_ULL(48) | BIT_ULL(50) | \
			 2ULL << 14 | 19ULL << 32)

/* What the driver has of the machine, and had before. */
struct globals {
	u64 efr;
	u64 efr2;
	int max_glx;
	int levels;
	bool iotlb_sup;
	bool np_cache;
	unsigned long *ids;
};

static struct globals before;
static struct amd_iommu_pci_seg segment;
static struct pci_sysdata sysdata = { .domain = SEGMENT, .node = NUMA_NO_NODE };
static u8 config[MODEL_FUNCTIONS][CONFIG_SIZE];
static struct model *current_model;

static void swap_globals(struct globals *new)
{
	swap(amd_iommu_efr, new->efr);
	swap(amd_iommu_efr2, new->efr2);
	swap(amd_iommu_max_glx_val, new->max_glx);
	swap(amd_iommu_gpt_level, new->levels);
	swap(amd_iommu_iotlb_sup, new->iotlb_sup);
	swap(amd_iommu_np_cache, new->np_cache);
	swap(amd_iommu_pd_alloc_bitmap, new->ids);
}

/* The PCI functions */

static u8 *config_of(struct pci_bus *bus, unsigned int devfn)
{
	if (bus->number || PCI_FUNC(devfn) || PCI_SLOT(devfn) >= MODEL_FUNCTIONS)
		return NULL;
	return config[PCI_SLOT(devfn)];
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	u8 *at = config_of(bus, devfn);

	*val = ~0;
	if (!at)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = 0;
	memcpy(val, at + where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	u8 *at = config_of(bus, devfn);

	if (!at)
		return PCIBIOS_DEVICE_NOT_FOUND;
	/* No BARs, and no capability that changes. */
	if (where == PCI_COMMAND || where == PASID_AT + PCI_PASID_CTRL ||
	    where == ATS_AT + PCI_ATS_CTRL)
		memcpy(at + where, &val, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = { .read = config_read, .write = config_write };

static void put(u8 *at, unsigned int where, u32 val)
{
	memcpy(at + where, &val, sizeof(val));
}

static void config_init(u8 *at, unsigned int width)
{
	memset(at, 0, CONFIG_SIZE);
	put(at, PCI_VENDOR_ID, 0x7abc1de5);
	put(at, PCI_CLASS_REVISION, width ? 0xff000000 : 0x08060000);
	put(at, PCI_COMMAND, PCI_STATUS_CAP_LIST << 16);
	put(at, PCI_CAPABILITY_LIST, CAP);
	put(at, CAP, PCI_CAP_ID_EXP | (2 | PCI_EXP_TYPE_RC_END << 4) << 16);
	put(at, CAP + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_EE_PREFIX);
	if (!width)
		return;
	put(at, PASID_AT, PCI_EXT_CAP_ID_PASID | 1 << 16 | ATS_AT << 20);
	put(at, PASID_AT + PCI_PASID_CAP, width << 8);
	put(at, ATS_AT, PCI_EXT_CAP_ID_ATS | 1 << 16);
}

/* The caches */

static struct pci_dev *pdev_of(struct device *dev)
{
	return to_pci_dev(dev);
}

/**
 * model_dte() - a device's entry of the device table
 * @m: the model
 * @dev: the device
 *
 * Return: its four words.
 */
u64 *model_dte(struct model *m, struct device *dev)
{
	return segment.dev_table[pci_dev_id(pdev_of(dev))].data;
}

/**
 * model_ask() - what memory says about a request, whatever is cached
 * @m: the model
 * @dev: the device
 * @pasid: of the request, or NO_PASID
 * @iova: its address
 * @write: it writes
 *
 * Context: any.
 * Return: the walk, until the next call.
 */
struct iommu_walk *model_ask(struct model *m, struct device *dev, int pasid, u64 iova, bool write)
{
	struct iommu_walk *walk = &m->walk;

	memset(walk, 0, sizeof(*walk));
	walk->dev = dev;
	walk->has_pasid = pasid != NO_PASID;
	walk->pasid = walk->has_pasid ? pasid : 0;
	walk->has_iova = true;
	walk->iova = iova;
	walk->write = write;
	if (amd_iommu_walk(walk))
		m->wrong = "the walker does not know the device";
	return walk;
}

static void look_up(struct model *m, struct model_watch *w, struct model_cached *to)
{
	struct iommu_walk *walk = model_ask(m, w->dev, w->has_pasid ? w->pasid : NO_PASID,
					    w->iova, false);
	u64 *dte = model_dte(m, w->dev);

	to->valid = walk->translated;
	to->output = walk->output;
	to->writable = walk->writable;
	to->domid = dte[1];
	to->guest = (dte[0] & BIT_ULL(55)) && (w->has_pasid || (dte[0] & BIT_ULL(54)));
	to->nested = to->guest && (dte[0] & GENMASK_ULL(11, 9));
}

static bool has_ats(struct model *m, struct device *dev)
{
	return pdev_of(dev)->ats_enabled && (model_dte(m, dev)[1] & BIT_ULL(32));
}

static void refill(struct model *m)
{
	struct model_cached now;
	struct model_watch *w;

	for (w = m->watch; w < m->watch + m->nr_watches; w++) {
		look_up(m, w, &now);
		if (w->steady && !now.valid)
			m->wrong = "a request was refused that must not be";
		if (!w->iommu.valid)
			w->iommu = now;
		if (!has_ats(m, w->dev))
			w->device.valid = false;
		else if (!w->device.valid)
			w->device = w->iommu;
	}
}

static bool concerns(const struct model_command *c, const struct model_watch *w)
{
	return w->iova >= c->first && w->iova <= c->last &&
	       (!c->guest || c->pasid == w->pasid);
}

static void forget(struct model *m, const struct model_command *c)
{
	struct model_watch *w;

	for (w = m->watch; w < m->watch + m->nr_watches; w++) {
		if (c->opcode == MODEL_INVALIDATE_IOMMU_ALL) {
			w->iommu.valid = false;
		} else if (c->opcode == MODEL_INVALIDATE_IOMMU_PAGES) {
			/* Of the second stage, all of it: what went through it too. */
			if (c->domid == w->iommu.domid && concerns(c, w) &&
			    (c->guest == w->iommu.guest ||
			     (w->iommu.nested && c->last == U64_MAX)))
				w->iommu.valid = false;
		} else if (c->devid == pci_dev_id(pdev_of(w->dev)) &&
			   (c->guest == w->device.guest || !w->has_pasid) && concerns(c, w)) {
			w->device.valid = false;
		}
	}
}

/* Commands */

static void parse_range(struct model_command *c, const u32 *d)
{
	u64 address = (u64)d[3] << 32 | (d[2] & ~0xfffU);
	unsigned int bit = address == GENMASK_ULL(63, 12) ? 63 : ffz(address | 0xfff);

	c->guest = d[2] & 4;
	c->first = address;
	c->last = address + 0xfff;
	if (!(d[2] & 1))
		return;
	c->first = bit >= 51 ? 0 : address & ~(BIT_ULL(bit + 1) - 1);
	c->last = bit >= 51 ? U64_MAX : c->first + BIT_ULL(bit + 1) - 1;
}

static void completion_wait(struct model *m, const u32 *d)
{
	u64 *at = phys_to_virt((u64)(d[1] & 0xfffff) << 32 | (d[0] & ~7U));

	if (at != m->iommu->cmd_sem)
		m->wrong = "a completion is stored somewhere else";
	else if (d[0] & 1)
		*at = (u64)d[3] << 32 | d[2];
}

static void execute(struct model *m, const u32 *d)
{
	struct model_command c = { .opcode = d[1] >> 28 };

	switch (c.opcode) {
	case MODEL_COMPLETION_WAIT:
		completion_wait(m, d);
		break;
	case MODEL_INVALIDATE_DEVTAB_ENTRY:
		c.devid = d[0];
		if (PCI_SLOT(c.devid) < MODEL_FUNCTIONS)
			memcpy(m->dte_known[PCI_SLOT(c.devid)], &segment.dev_table[c.devid],
			       sizeof(m->dte_known[0]));
		break;
	case MODEL_INVALIDATE_IOMMU_PAGES:
		c.domid = d[1];
		c.pasid = d[0] & GENMASK(19, 0);
		parse_range(&c, d);
		forget(m, &c);
		break;
	case MODEL_INVALIDATE_IOTLB_PAGES:
		c.devid = d[0];
		c.pasid = (d[0] >> 16 & 0xff) << 8 | (d[1] >> 16 & 0xff) | (d[1] >> 24 & 0xf) << 16;
		parse_range(&c, d);
		forget(m, &c);
		break;
	case MODEL_INVALIDATE_IOMMU_ALL:
		forget(m, &c);
		break;
	default:
		m->wrong = "ILLEGAL_COMMAND_ERROR";
	}
	if (m->nr_log < MODEL_LOG)
		m->log[m->nr_log++] = c;
	else
		m->wrong = "more commands than expected";
}

/* The driver has written the tail of the command buffer; its lock is held. */
static int consume(struct kretprobe_instance *unused, struct pt_regs *regs)
{
	struct model *m = current_model;
	u32 tail;

	if (!m)
		return 0;
	tail = readl(m->regs + MMIO_CMD_TAIL_OFFSET);
	while (m->head != tail) {
		execute(m, (u32 *)(m->iommu->cmd_buf + m->head));
		refill(m);
		m->head = (m->head + 16) % COMMANDS;
		writel(m->head, m->regs + MMIO_CMD_HEAD_OFFSET);
	}
	return 0;
}

static struct kretprobe at_command;

static int probe(void)
{
	/* A probe that was used is no longer as it was. */
	at_command = (struct kretprobe){
		.handler = consume,
		.kp.symbol_name = "__iommu_queue_command_sync",
	};
	return register_kretprobe(&at_command);
}

/* For the tests */

/**
 * model_watch() - have a device send a request all the time
 * @m: the model
 * @dev: the device
 * @pasid: of the request, or NO_PASID
 * @iova: its address
 *
 * Return: the watch; it stays as long as the model.
 */
struct model_watch *model_watch(struct model *m, struct device *dev, int pasid, u64 iova)
{
	struct model_watch *w = &m->watch[m->nr_watches];

	KUNIT_ASSERT_LT(m->test, m->nr_watches, MODEL_WATCHES);
	*w = (struct model_watch){
		.dev = dev, .iova = iova,
		.has_pasid = pasid != NO_PASID, .pasid = pasid != NO_PASID ? pasid : 0,
	};
	m->nr_watches++;
	refill(m);
	return w;
}

/**
 * model_forget() - commands so far are not to be counted; what is watched is in caches
 * @m: the model
 */
void model_forget(struct model *m)
{
	m->nr_log = 0;
	refill(m);
}

static void check_cached(struct model *m, struct model_watch *w, const char *whose,
			 const struct model_cached *cached)
{
	struct model_cached now;

	look_up(m, w, &now);
	if (!cached->valid)
		return;
	KUNIT_EXPECT_TRUE_MSG(m->test, now.valid, "%s cache: PASID %d of %s still reaches %llx",
			      whose, w->has_pasid ? (int)w->pasid : -1, dev_name(w->dev),
			      cached->output);
	if (!now.valid)
		return;
	KUNIT_EXPECT_EQ_MSG(m->test, cached->output, now.output, "%s cache, PASID %d of %s",
			    whose, w->has_pasid ? (int)w->pasid : -1, dev_name(w->dev));
	KUNIT_EXPECT_EQ_MSG(m->test, cached->writable, now.writable, "%s cache, PASID %d of %s",
			    whose, w->has_pasid ? (int)w->pasid : -1, dev_name(w->dev));
}

/**
 * model_check() - nothing is cached that is not in memory, and nothing else was wrong
 * @m: the model
 */
void model_check(struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_watches; i++) {
		check_cached(m, &m->watch[i], "the IOMMU's", &m->watch[i].iommu);
		check_cached(m, &m->watch[i], "the device's", &m->watch[i].device);
	}
	for (i = 1; i < MODEL_FUNCTIONS; i++)
		KUNIT_EXPECT_MEMEQ_MSG(m->test, m->dte_known[i], model_dte(m, m->dev[i]), 32,
				       "the IOMMU has an old device table entry of function %u", i);
	KUNIT_EXPECT_NULL_MSG(m->test, m->wrong, "%s", m->wrong ?: "");
	m->wrong = NULL;
}

/**
 * model_count() - how many commands there were
 * @m: the model
 * @opcode: of which kind
 * @dev: for this device, or for the domain of its GCR3 table
 * @pasid: with this PASID; NO_PASID: none
 * @iova: of this page
 *
 * Return: their number since model_forget().
 */
unsigned int model_count(struct model *m, enum model_opcode opcode, struct device *dev, int pasid,
			 u64 iova)
{
	u16 devid = pci_dev_id(pdev_of(dev)), domid = model_dte(m, dev)[1];
	bool guest = pasid != NO_PASID;
	unsigned int nr = 0;
	struct model_command *c;

	for (c = m->log; c < m->log + m->nr_log; c++) {
		if (c->opcode != opcode || iova < c->first || iova > c->last ||
		    c->guest != guest || (guest && c->pasid != pasid))
			continue;
		nr += opcode == MODEL_INVALIDATE_IOMMU_PAGES ? c->domid == domid :
							       c->devid == devid;
	}
	return nr;
}

/* Making it, and its end */

static void *pages(struct kunit *test, unsigned int order)
{
	void *at = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order);

	KUNIT_ASSERT_NOT_NULL(test, at);
	return at;
}

static void make_segment(struct kunit *test)
{
	unsigned int i;

	memset(&segment, 0, sizeof(segment));
	segment.id = SEGMENT;
	segment.last_bdf = DEVIDS - 1;
	init_llist_head(&segment.dev_data_list);
	INIT_LIST_HEAD(&segment.unity_map);
	segment.dev_table = pages(test, get_order(DEVIDS * sizeof(*segment.dev_table)));
	segment.rlookup_table = kunit_kcalloc(test, DEVIDS, sizeof(void *), GFP_KERNEL);
	segment.alias_table = kunit_kcalloc(test, DEVIDS, sizeof(u16), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, segment.rlookup_table);
	KUNIT_ASSERT_NOT_NULL(test, segment.alias_table);
	for (i = 0; i < DEVIDS; i++)
		segment.alias_table[i] = i;
	list_add(&segment.list, &amd_iommu_pci_seg_list);
}

static void make_iommu(struct model *m)
{
	struct amd_iommu *iommu = kunit_kzalloc(m->test, sizeof(*iommu), GFP_KERNEL);
	u64 table = virt_to_phys(segment.dev_table) | ((DEVIDS * 32 >> 12) - 1);

	KUNIT_ASSERT_NOT_NULL(m->test, iommu);
	m->iommu = iommu;
	m->regs = pages(m->test, REGS_ORDER);
	raw_spin_lock_init(&iommu->lock);
	iommu->mmio_base = (u8 __iomem *)m->regs;
	iommu->features = FEATURES;
	iommu->pci_seg = &segment;
	iommu->cmd_buf = pages(m->test, get_order(COMMANDS));
	iommu->cmd_sem = pages(m->test, 0);
	iommu->iommu.max_pasids = amd_iommu_count_pasids(19, 2);
	memcpy(m->regs + MMIO_DEV_TABLE_OFFSET, &table, sizeof(table));
	writel(1, m->regs + MMIO_CONTROL_OFFSET);
}

static void make_bus(struct model *m)
{
	static const unsigned int widths[] = MODEL_WIDTHS;
	struct pci_dev *pdev;
	LIST_HEAD(resources);
	unsigned int i;

	for (i = 0; i < MODEL_FUNCTIONS; i++)
		config_init(config[i], widths[i]);
	m->bus = pci_scan_root_bus(NULL, 0, &config_ops, &sysdata, &resources);
	KUNIT_ASSERT_NOT_NULL(m->test, m->bus);
	pci_bus_add_devices(m->bus);
	for (i = 0; i < MODEL_FUNCTIONS; i++) {
		pdev = pci_get_slot(m->bus, PCI_DEVFN(i, 0));
		KUNIT_ASSERT_NOT_NULL(m->test, pdev);
		m->dev[i] = &pdev->dev;
		if (i)
			segment.rlookup_table[pci_dev_id(pdev)] = m->iommu;
	}
	m->iommu->dev = pdev_of(m->dev[0]);
}

/**
 * model_create() - an IOMMU with devices, each in a group with its default domain
 * @test: whose; it ends with model_destroy()
 *
 * Context: may sleep.
 * Return: the model.
 */
struct model *model_create(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	/* A machine that has one would lose it. */
	KUNIT_ASSERT_TRUE(test, list_empty(&amd_iommu_pci_seg_list));
	m->test = test;
	before = (struct globals){
		.efr = FEATURES, .max_glx = 2, .levels = PAGE_MODE_4_LEVEL, .iotlb_sup = true,
		.ids = kunit_kzalloc(test, MAX_DOMAIN_ID / 8, GFP_KERNEL),
	};
	KUNIT_ASSERT_NOT_NULL(test, before.ids);
	__set_bit(0, before.ids);
	swap_globals(&before);

	make_segment(test);
	make_iommu(m);
	make_bus(m);
	current_model = m;
	KUNIT_ASSERT_EQ(test, probe(), 0);
	KUNIT_ASSERT_EQ(test, iommu_device_sysfs_add(&m->iommu->iommu, m->dev[0], NULL,
						     "amd-kunit"), 0);
	KUNIT_ASSERT_EQ(test, iommu_device_register(&m->iommu->iommu, &amd_iommu_ops, NULL), 0);
	return m;
}

static void free_dev_data(void)
{
	struct llist_node *node = llist_del_all(&segment.dev_data_list);
	struct iommu_dev_data *dev_data, *next;

	llist_for_each_entry_safe(dev_data, next, node, dev_data_list)
		kfree(dev_data);
}

/**
 * model_destroy() - the end of it; domain IDs that are not given back are a failure
 * @m: the model
 *
 * Context: may sleep.
 */
void model_destroy(struct model *m)
{
	unsigned int i;

	m->nr_watches = 0;
	m->nr_log = 0;
	iommu_device_unregister(&m->iommu->iommu);
	iommu_device_sysfs_remove(&m->iommu->iommu);
	for (i = 0; i < MODEL_FUNCTIONS; i++)
		put_device(m->dev[i]);
	pci_lock_rescan_remove();
	pci_stop_root_bus(m->bus);
	pci_remove_root_bus(m->bus);
	pci_unlock_rescan_remove();
	unregister_kretprobe(&at_command);
	KUNIT_EXPECT_EQ(m->test, at_command.nmissed, 0);
	current_model = NULL;
	list_del(&segment.list);
	free_dev_data();
	KUNIT_EXPECT_EQ_MSG(m->test, bitmap_weight(amd_iommu_pd_alloc_bitmap, MAX_DOMAIN_ID), 1,
			    "domain IDs are still in use");
	swap_globals(&before);
	free_pages((unsigned long)segment.dev_table,
		   get_order(DEVIDS * sizeof(*segment.dev_table)));
	free_pages((unsigned long)m->iommu->cmd_buf, get_order(COMMANDS));
	free_page((unsigned long)m->iommu->cmd_sem);
	free_pages((unsigned long)m->regs, REGS_ORDER);
}
