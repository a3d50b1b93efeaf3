// SPDX-License-Identifier: GPL-2.0
/*
 * A walker of VT-d's tables: root table, context table, PASID directory and
 * table, first and second stage. It finds the IOMMU and the source ID of a
 * device in the driver's data, and asks that IOMMU's registers for the rest. It
 * reads memory by iommu_walk_read() only, and shares nothing with what writes
 * the tables. The number of reads is bounded by the format: each level of the
 * first stage costs at most one walk of the second.
 *
 * "Section" is one of Intel(R) Virtualization Technology for Directed I/O,
 * Architecture Specification, revision 4.1 (order number D51397). What a fault
 * is called there, LRT.1 to SGN.8, is in section 7.1.3; numbers are of appendix A.
 *
 * Not walked: requests of a device that sends translated addresses, execute
 * requests, and tables of the interrupt remapping unit.
 */
#include <linux/acpi.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/pci.h>

#include <asm/processor.h>

#include "iommu.h"
#include "walk.h"

/* Section 11.4: registers */
#define REG_CAP			0x08
#define REG_ECAP		0x10
#define REG_GSTS		0x1c
#define REG_RTADDR		0x20
#define GSTS_TES		BIT(31)
#define RTADDR_TTM		GENMASK_ULL(11, 10)
#define TTM_LEGACY		0
#define TTM_SCALABLE		1
#define TTM_ABORT		3

/* Section 9.3: context entry */
#define CTX_TT			GENMASK_ULL(3, 2)
#define TT_PASS_THROUGH		2
#define CTX_LO_RESERVED		GENMASK_ULL(11, 4)
#define CTX_HI_AW		GENMASK_ULL(2, 0)
#define CTX_HI_DID		GENMASK_ULL(23, 8)
#define CTX_HI_RESERVED		(GENMASK_ULL(63, 24) | BIT_ULL(7))

/* Section 9.4: scalable-mode context entry */
#define SCTX_DTE		BIT_ULL(2)
#define SCTX_PASIDE		BIT_ULL(3)
#define SCTX_PRE		BIT_ULL(4)
#define SCTX_PDTS		GENMASK_ULL(11, 9)
#define SCTX_RID_PASID		GENMASK_ULL(19, 0)
#define SCTX_RID_PRIV		BIT_ULL(20)
#define SCTX_0_RESERVED		GENMASK_ULL(8, 5)
#define SCTX_1_RESERVED		GENMASK_ULL(63, 21)

/* Section 9.5: PASID directory entry */
#define PDE_RESERVED		GENMASK_ULL(11, 2)

/* Section 3.14: addresses that are interrupts */
#define INTERRUPT_BASE		0xfee00000ULL
#define INTERRUPT_MASK		GENMASK_ULL(63, 20)

static const struct {
	u8 code;
	const char *text;
} fault_texts[] = {
	{ 0x01, "LRT.2: root entry is not present" },
	{ 0x02, "LCT.2: context entry is not present" },
	{ 0x03, "LCT.4: context entry is invalid" },
	{ 0x04, "LGN.1: address is beyond what is supported" },
	{ 0x05, "LGN.2: no permission to write" },
	{ 0x06, "LGN.3: no permission to read" },
	{ 0x07, "LSS.1: second-stage entry cannot be read" },
	{ 0x08, "LRT.1: root entry cannot be read" },
	{ 0x09, "LCT.1: context entry cannot be read" },
	{ 0x0a, "LRT.3: reserved bits in root entry" },
	{ 0x0b, "LCT.3: reserved bits in context entry" },
	{ 0x0c, "LSS.2: reserved bits in second-stage entry" },
	{ 0x0e, "LGN.4: page is in the interrupt address range" },
	{ 0x30, "RTA.1: translation table mode is reserved" },
	{ 0x31, "RTA.2: request with PASID in legacy mode" },
	{ 0x33, "RTA.4: abort-DMA mode" },
	{ 0x38, "SRT.1: root entry cannot be read" },
	{ 0x39, "SRT.2: root entry is not present" },
	{ 0x3a, "SRT.3: reserved bits in root entry" },
	{ 0x40, "SCT.1: context entry cannot be read" },
	{ 0x41, "SCT.2: context entry is not present" },
	{ 0x42, "SCT.3: reserved bits in context entry" },
	{ 0x45, "SCT.6: context entry does not enable PASIDs" },
	{ 0x46, "SCT.7: PASID is beyond the PASID directory" },
	{ 0x48, "SCT.9: RID_PASID is beyond the PASID directory" },
	{ 0x50, "SPD.1: PASID directory entry cannot be read" },
	{ 0x51, "SPD.2: PASID directory entry is not present" },
	{ 0x52, "SPD.3: reserved bits in PASID directory entry" },
	{ 0x58, "SPT.1: PASID table entry cannot be read" },
	{ 0x59, "SPT.2: PASID table entry is not present" },
	{ 0x5a, "SPT.3: reserved bits in PASID table entry" },
	{ 0x5b, "SPT.4: PASID table entry is invalid" },
	{ 0x5d, "SPT.6: supervisor requests are not enabled" },
	{ 0x70, "SFS.1: first-stage entry cannot be read" },
	{ 0x71, "SFS.2: first-stage entry is not present" },
	{ 0x72, "SFS.3: reserved bits in first-stage entry" },
	{ 0x73, "SFS.4: top first-stage entry cannot be read" },
	{ 0x74, "SFS.5: first-stage entry is beyond the second stage" },
	{ 0x75, "SFS.6: second stage does not let the top first-stage entry be read" },
	{ 0x76, "SFS.7: second stage does not let a first-stage entry be read" },
	{ 0x77, "SFS.8: second stage does not let a first-stage entry be written" },
	{ 0x78, "SSS.1: second-stage entry cannot be read" },
	{ 0x79, "SSS.2: second-stage entry is not present" },
	{ 0x7a, "SSS.3: reserved bits in second-stage entry" },
	{ 0x7b, "SSS.4: top second-stage entry cannot be read" },
	{ 0x80, "SGN.1: address is not canonical" },
	{ 0x81, "SGN.2: page is the supervisor's" },
	{ 0x83, "SGN.4: address is beyond what is supported" },
	{ 0x84, "SGN.5: first stage leads beyond the second" },
	{ 0x85, "SGN.6: no permission to write" },
	{ 0x86, "SGN.7: no permission to read" },
	{ 0x87, "SGN.8: page is in the interrupt address range" },
};

/* Returns false, as all do here that end the walk. */
bool vtd_fault(struct vtd *v, u8 code)
{
	unsigned int i;

	v->walk->fault_code = code;
	v->walk->fault = "unknown";
	for (i = 0; i < ARRAY_SIZE(fault_texts); i++) {
		if (fault_texts[i].code == code)
			v->walk->fault = fault_texts[i].text;
	}
	return false;
}

static bool in_interrupt_range(u64 address)
{
	return (address & INTERRUPT_MASK) == INTERRUPT_BASE;
}

static void translated(struct vtd *v, const struct leaf *leaf)
{
	struct iommu_walk *walk = v->walk;

	if (in_interrupt_range(leaf->address)) {
		vtd_fault(v, v->scalable ? 0x87 : 0x0e);
		return;
	}
	walk->translated = true;
	walk->output = leaf->address;
	walk->size = leaf->size;
	walk->readable = leaf->readable;
	walk->writable = leaf->writable;
	walk->executable = leaf->executable;
}

static void pass_through(struct vtd *v)
{
	struct leaf leaf = {
		.address = v->walk->iova, .readable = true, .writable = true, .executable = true,
	};

	if (v->walk->iova >> min_t(unsigned int, v->haw, 63))
		vtd_fault(v, v->scalable ? 0x83 : 0x04);
	else
		translated(v, &leaf);
}

/* Section 9.3, 9.6: an address width, as the number of levels, or 0 */
static unsigned int levels_of(struct vtd *v, unsigned int aw)
{
	return aw >= 1 && aw <= 3 && CAP_SAGAW(v->cap, aw + 2) ? aw + 2 : 0;
}

/* Section 3.14: a write there is an interrupt, and no address */
static bool is_interrupt(struct iommu_walk *walk)
{
	return walk->has_iova && walk->write && !walk->has_pasid && in_interrupt_range(walk->iova);
}

static const struct {
	const char *name;
	u64 needs;
} types[] = {
	[PGTT_FIRST] = { "first stage", ECAP_FSTS },
	[PGTT_SECOND] = { "second stage", ECAP_SSTS },
	[PGTT_NESTED] = { "nested", ECAP_NEST },
	[PGTT_PASS_THROUGH] = { "pass-through", ECAP_PT },
};

static void pe_note(struct vtd *v, unsigned int type)
{
	const u64 *pe = v->pe;

	if (pe[0] & FPD)
		iommu_walk_note(v->walk, "faults not reported");
	if (!(pe[0] & PRESENT)) {
		iommu_walk_note(v->walk, "not present");
		return;
	}
	iommu_walk_note(v->walk, "%s", type < ARRAY_SIZE(types) && types[type].name ?
			types[type].name : "unknown type");
	iommu_walk_note(v->walk, "domain %llu", FIELD_GET(PE_1_DID, pe[1]));
	if (type == PGTT_FIRST || type == PGTT_NESTED)
		iommu_walk_note(v->walk, "%llu-level table 0x%llx", 4 + FIELD_GET(PE_2_FSPM, pe[2]),
				pe[2] & ADDRESS);
	if (type == PGTT_SECOND || type == PGTT_NESTED)
		iommu_walk_note(v->walk, "%llu-level second-stage table 0x%llx",
				2 + FIELD_GET(PE_AW, pe[0]), pe[0] & ADDRESS);
	if (pe[0] & PE_SSADE)
		iommu_walk_note(v->walk, "dirty tracking");
}

/* Section 7.1.3, SPT.2 to SPT.6: whether the entry can be used */
static bool pe_usable(struct vtd *v, unsigned int type)
{
	bool first = type == PGTT_FIRST || type == PGTT_NESTED;
	const u64 *pe = v->pe;

	if (!(pe[0] & PRESENT))
		return vtd_fault(v, 0x59);
	if (pe[0] & PE_0_RESERVED || pe[1] & PE_1_RESERVED || pe[2] & PE_2_RESERVED ||
	    pe[4] || pe[5] || pe[6] || pe[7] || pe[0] & beyond_haw(v) ||
	    /* Below a second stage, that pointer is no physical address. */
	    (type == PGTT_FIRST && pe[2] & beyond_haw(v)))
		return vtd_fault(v, 0x5a);
	if (type >= ARRAY_SIZE(types) || !types[type].name || !(v->ecap & types[type].needs))
		return vtd_fault(v, 0x5b);
	if (first && (FIELD_GET(PE_2_FSPM, pe[2]) > 1 ||
		      (FIELD_GET(PE_2_FSPM, pe[2]) == 1 && !(v->cap & CAP_FS5LP))))
		return vtd_fault(v, 0x5b);
	v->ss_table = pe[0];
	v->ss_levels = levels_of(v, FIELD_GET(PE_AW, pe[0]));
	if ((type == PGTT_SECOND || type == PGTT_NESTED) && !v->ss_levels)
		return vtd_fault(v, 0x5b);
	if (v->supervisor && !(pe[2] & PE_2_SRE) && first)
		return vtd_fault(v, 0x5d);
	return true;
}

static void pe_walk(struct vtd *v)
{
	unsigned int type = FIELD_GET(PE_PGTT, v->pe[0]);
	struct leaf leaf;

	pe_note(v, type);
	if (!pe_usable(v, type)) {
		v->walk->how = "blocked";
		return;
	}
	v->walk->how = types[type].name;
	if (!v->walk->has_iova)
		return;
	switch (type) {
	case PGTT_FIRST:
		if (vtd_walk_first(v, &leaf))
			translated(v, &leaf);
		break;
	case PGTT_SECOND:
		if (vtd_walk_second(v, &leaf))
			translated(v, &leaf);
		break;
	case PGTT_NESTED:
		if (vtd_walk_nested(v, &leaf))
			translated(v, &leaf);
		break;
	default:
		pass_through(v);
	}
}

/* Section 3.4.3: from the context entry's PASID directory to the PASID's entry */
static bool pasid_walk(struct vtd *v, u64 directory, u32 pasid)
{
	u64 entry;

	if (iommu_walk_read(v->walk, "PASID directory entry", IOMMU_WALK_DEVICE, 2,
			    (directory & ADDRESS) + (pasid >> 6) * 8ULL, &entry, 1))
		return vtd_fault(v, 0x50);
	if (!(entry & PRESENT)) {
		iommu_walk_note(v->walk, "not present");
		return vtd_fault(v, 0x51);
	}
	iommu_walk_note(v->walk, "PASIDs 0x%x to 0x%x, table 0x%llx", pasid & ~63, pasid | 63,
			entry & ADDRESS);
	if (entry & (PDE_RESERVED | beyond_haw(v)))
		return vtd_fault(v, 0x52);
	if (iommu_walk_read(v->walk, "PASID table entry", IOMMU_WALK_DEVICE, 1,
			    (entry & ADDRESS) + (pasid & 63) * 64ULL, v->pe, 8))
		return vtd_fault(v, 0x58);
	return true;
}

/* Sections 3.4.3, 9.4 */
static bool scalable_context(struct vtd *v, const u64 *context)
{
	struct iommu_walk *walk = v->walk;
	unsigned int bits = 7 + FIELD_GET(SCTX_PDTS, context[0]) + 6;
	u32 pasid = walk->pasid;

	if (!(context[0] & PRESENT)) {
		iommu_walk_note(walk, "not present");
		return vtd_fault(v, 0x41);
	}
	iommu_walk_note(walk, "PASIDs %s", context[0] & SCTX_PASIDE ? "enabled" : "not enabled");
	iommu_walk_note(walk, "directory 0x%llx of %u-bit PASIDs", context[0] & ADDRESS, bits);
	iommu_walk_note(walk, "RID_PASID 0x%llx", FIELD_GET(SCTX_RID_PASID, context[1]));
	iommu_walk_note(walk, "device TLB %s, page requests %s",
			context[0] & SCTX_DTE ? "on" : "off", context[0] & SCTX_PRE ? "on" : "off");
	if (context[0] & (SCTX_0_RESERVED | beyond_haw(v)) || context[1] & SCTX_1_RESERVED ||
	    context[2] || context[3])
		return vtd_fault(v, 0x42);
	if (walk->has_pasid && !(context[0] & SCTX_PASIDE))
		return vtd_fault(v, 0x45);
	if (!walk->has_pasid) {
		pasid = v->ecap & ECAP_RPS ? FIELD_GET(SCTX_RID_PASID, context[1]) : 0;
		v->supervisor = context[1] & SCTX_RID_PRIV;
	}
	if (bits < 20 && pasid >> bits)
		return vtd_fault(v, walk->has_pasid ? 0x46 : 0x48);
	return pasid_walk(v, context[0], pasid);
}

/* Section 3.4.3: root and context table in scalable mode; two context tables a bus */
static void scalable_walk(struct vtd *v, u64 root, u8 bus, u8 devfn)
{
	u64 word[2], context[4], table;

	if (iommu_walk_read(v->walk, "root entry", IOMMU_WALK_DEVICE, 4,
			    (root & ADDRESS) + bus * 16, word, 2)) {
		vtd_fault(v, 0x38);
		return;
	}
	table = word[devfn >> 7];
	iommu_walk_note(v->walk, "%s context table %s", devfn >> 7 ? "upper" : "lower",
			table & PRESENT ? "present" : "not present");
	if (!(table & PRESENT)) {
		vtd_fault(v, 0x39);
		return;
	}
	if (table & (GENMASK_ULL(11, 1) | beyond_haw(v))) {
		vtd_fault(v, 0x3a);
		return;
	}
	if (iommu_walk_read(v->walk, "context entry", IOMMU_WALK_DEVICE, 3,
			    (table & ADDRESS) + (devfn & 0x7f) * 32, context, 4)) {
		vtd_fault(v, 0x40);
		return;
	}
	if (scalable_context(v, context))
		pe_walk(v);
}

/* Sections 3.4.2, 9.3: what a context entry of legacy mode says */
static bool legacy_context(struct vtd *v, const u64 *context)
{
	unsigned int type = FIELD_GET(CTX_TT, context[0]);

	if (context[0] & FPD)
		iommu_walk_note(v->walk, "faults not reported");
	if (!(context[0] & PRESENT)) {
		iommu_walk_note(v->walk, "not present");
		return vtd_fault(v, 0x02);
	}
	iommu_walk_note(v->walk, "%s, domain %llu", type == TT_PASS_THROUGH ? "pass-through" :
			"second stage", FIELD_GET(CTX_HI_DID, context[1]));
	v->ss_table = context[0];
	v->ss_levels = levels_of(v, FIELD_GET(CTX_HI_AW, context[1]));
	if (context[0] & (CTX_LO_RESERVED | beyond_haw(v)) || context[1] & CTX_HI_RESERVED)
		return vtd_fault(v, 0x0b);
	if (type > TT_PASS_THROUGH || !v->ss_levels ||
	    (type == TT_PASS_THROUGH && !(v->ecap & ECAP_PT)))
		return vtd_fault(v, 0x03);
	v->walk->how = type == TT_PASS_THROUGH ? "pass-through" : "second stage";
	return true;
}

/* Section 3.4.2: root and context table in legacy mode */
static void legacy_walk(struct vtd *v, u64 root, u8 bus, u8 devfn)
{
	u64 word[2], context[2];
	struct leaf leaf;

	if (iommu_walk_read(v->walk, "root entry", IOMMU_WALK_DEVICE, 2,
			    (root & ADDRESS) + bus * 16, word, 2)) {
		vtd_fault(v, 0x08);
		return;
	}
	iommu_walk_note(v->walk, "context table %s", word[0] & PRESENT ? "present" : "not present");
	if (!(word[0] & PRESENT)) {
		vtd_fault(v, 0x01);
		return;
	}
	if (word[0] & (GENMASK_ULL(11, 1) | beyond_haw(v)) || word[1]) {
		vtd_fault(v, 0x0a);
		return;
	}
	if (iommu_walk_read(v->walk, "context entry", IOMMU_WALK_DEVICE, 1,
			    (word[0] & ADDRESS) + devfn * 16, context, 2)) {
		vtd_fault(v, 0x09);
		return;
	}
	if (!legacy_context(v, context)) {
		v->walk->how = "blocked";
		return;
	}
	if (!v->walk->has_iova)
		return;
	if (FIELD_GET(CTX_TT, context[0]) == TT_PASS_THROUGH)
		pass_through(v);
	else if (vtd_walk_second(v, &leaf))
		translated(v, &leaf);
}

/* Section 8.1: the platform's host address width */
static unsigned int host_address_width(void)
{
	struct acpi_table_header *table;
	unsigned int width;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &table)))
		return boot_cpu_data.x86_phys_bits;
	width = ((struct acpi_table_dmar *)table)->width + 1;
	acpi_put_table(table);
	return width;
}

/**
 * intel_walk() - what becomes of a device's request
 * @walk: the question; takes the answer
 *
 * Context: may sleep; the device is one of the Intel driver's.
 * Return: 0; -ENODEV if the IOMMU translates nothing.
 */
int intel_walk(struct iommu_walk *walk)
{
	struct device_domain_info *info = dev_iommu_priv_get(walk->dev);
	void __iomem *reg = info->iommu->reg;
	struct vtd v = { .walk = walk, .haw = host_address_width() };
	u64 root = readq(reg + REG_RTADDR);

	if (!(readl(reg + REG_GSTS) & GSTS_TES))
		return -ENODEV;
	if (is_interrupt(walk)) {
		walk->how = "interrupt";
		return 0;
	}
	v.cap = readq(reg + REG_CAP);
	v.ecap = readq(reg + REG_ECAP);
	switch (FIELD_GET(RTADDR_TTM, root)) {
	case TTM_LEGACY:
		if (walk->has_pasid)
			vtd_fault(&v, 0x31);
		else
			legacy_walk(&v, root, info->bus, info->devfn);
		break;
	case TTM_SCALABLE:
		v.scalable = true;
		scalable_walk(&v, root, info->bus, info->devfn);
		break;
	case TTM_ABORT:
		vtd_fault(&v, 0x33);
		break;
	default:
		vtd_fault(&v, 0x30);
	}
	return 0;
}

static int __init intel_walk_init(void)
{
	return iommu_walk_register(&intel_iommu_ops, intel_walk);
}
device_initcall(intel_walk_init);
