// SPDX-License-Identifier: GPL-2.0
/*
 * Walks an AMD IOMMU's tables as the hardware would, from the specification alone:
 * "AMD I/O Virtualization Technology (IOMMU) Specification", publication 48882,
 * revision 3; sections are named where they are used. It knows of the driver where
 * the registers are, and nothing else.
 *
 *     device table -> device table entry (DTE)
 *       -> GCR3 table, 1 to 3 levels -> guest (v2) table, 4 or 5 levels   first stage
 *       -> host (v1) table, 1 to 6 levels                                 second stage
 *
 * With both, every address of the first stage's is one of the second's.
 *
 * A request has the privilege of a user, since the driver enables no other.
 */
#include <linux/bitfield.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/pci.h>

#include "../iommu-walk.h"
#include "amd_iommu.h"

/* Section 3.4, MMIO registers */
#define REG_DEVICE_TABLE	0x0000
#define REG_CONTROL		0x0018
#define CONTROL_ENABLED		BIT_ULL(0)
#define DEVICE_TABLE_SIZE	GENMASK_ULL(8, 0)

/* Of all tables, and of the registers that say where one is */
#define ADDRESS			GENMASK_ULL(51, 12)

/* Section 2.2.2.1, the DTE: bits of one of its four words */
#define DTE0_V			BIT_ULL(0)
#define DTE0_TV			BIT_ULL(1)
#define DTE0_MODE		GENMASK_ULL(11, 9)
#define DTE0_GIOV		BIT_ULL(54)
#define DTE0_GV			BIT_ULL(55)
#define DTE0_GLX		GENMASK_ULL(57, 56)
#define DTE0_ROOT_14_12		GENMASK_ULL(60, 58)
#define DTE0_IR			BIT_ULL(61)
#define DTE0_IW			BIT_ULL(62)
#define DTE0_RESERVED		(GENMASK_ULL(6, 2) | BIT_ULL(63))
#define DTE1_DOMAIN		GENMASK_ULL(15, 0)
#define DTE1_ROOT_30_15		GENMASK_ULL(31, 16)
#define DTE1_ROOT_51_31		GENMASK_ULL(63, 43)
#define DTE2_GUEST_LEVELS	GENMASK_ULL(55, 54)

/* Section 2.2.6.3, the GCR3 table */
#define GCR3_V			BIT_ULL(0)
#define GCR3_RESERVED		(GENMASK_ULL(11, 1) | GENMASK_ULL(63, 52))

/* Section 2.2.6.5, guest tables: those of AMD64 processors */
#define GUEST_P			BIT_ULL(0)
#define GUEST_RW		BIT_ULL(1)
#define GUEST_US		BIT_ULL(2)
#define GUEST_PS		BIT_ULL(7)
#define GUEST_NX		BIT_ULL(63)

/* Section 2.2.3, host tables */
#define HOST_PR			BIT_ULL(0)
#define HOST_NEXT		GENMASK_ULL(11, 9)
#define HOST_IR			BIT_ULL(61)
#define HOST_IW			BIT_ULL(62)
#define HOST_NEXT_SIZED		7
#define HOST_TABLE_RESERVED	GENMASK_ULL(60, 52)
#define HOST_PAGE_RESERVED	GENMASK_ULL(58, 52)

/* Section 2.5, events */
#define ILLEGAL_DEV_TABLE_ENTRY	0x1
#define IO_PAGE_FAULT		0x2
#define DEV_TAB_HARDWARE_ERROR	0x3
#define PAGE_TAB_HARDWARE_ERROR	0x4

/* What a stage makes of an address. */
struct place {
	u64 address;
	u64 size;
	bool r, w, x;
};

struct state {
	struct iommu_walk *walk;
	u64 dte[4];
};

/* False, for the caller to return. */
static bool fault(struct iommu_walk *walk, u32 code, const char *why)
{
	static const char * const names[] = {
		[ILLEGAL_DEV_TABLE_ENTRY] = "ILLEGAL_DEV_TABLE_ENTRY",
		[IO_PAGE_FAULT] = "IO_PAGE_FAULT",
		[DEV_TAB_HARDWARE_ERROR] = "DEV_TAB_HARDWARE_ERROR",
		[PAGE_TAB_HARDWARE_ERROR] = "PAGE_TAB_HARDWARE_ERROR",
	};

	walk->fault = names[code];
	walk->fault_code = code;
	iommu_walk_note(walk, "%s", why);
	return false;
}

/* How far one entry of a table of @level reaches, in bits. */
static unsigned int entry_shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static bool read_entry(struct state *s, const char *what, enum iommu_walk_stage stage,
		       unsigned int level, u64 at, u64 *entry)
{
	if (iommu_walk_read(s->walk, what, stage, level, __sme_clr(at), entry, 1))
		return fault(s->walk, PAGE_TAB_HARDWARE_ERROR, "not in memory");
	return true;
}

/* The page that a host entry of @level maps; false if it is none, or a wrong one. */
static bool host_page(struct state *s, u64 entry, unsigned int level, struct place *to)
{
	unsigned int bit;

	if (entry & HOST_PAGE_RESERVED)
		return fault(s->walk, IO_PAGE_FAULT, "reserved bits are set");
	to->size = BIT_ULL(entry_shift(level));
	if (FIELD_GET(HOST_NEXT, entry) == HOST_NEXT_SIZED) {
		/* Section 2.2.3, table 14: the lowest 0 says how big the page is. */
		bit = ffz(entry | ~ADDRESS);
		if ((entry & ADDRESS) == ADDRESS || bit < entry_shift(level) ||
		    bit + 1 >= entry_shift(level + 1))
			return fault(s->walk, IO_PAGE_FAULT, "a size that is not of this level");
		to->size = BIT_ULL(bit + 1);
	}
	to->address = (entry & ADDRESS & ~(to->size - 1)) | (to->address & (to->size - 1));
	iommu_walk_note(s->walk, "page of 0x%llx bytes", to->size);
	return true;
}

/*
 * From a host entry of *@level to the next table. Levels may be left out: what they
 * would have translated of the address is zero.
 */
static bool host_next(struct state *s, u64 entry, unsigned int *level, u64 address)
{
	unsigned int next = FIELD_GET(HOST_NEXT, entry);

	if (entry & HOST_TABLE_RESERVED)
		return fault(s->walk, IO_PAGE_FAULT, "reserved bits are set");
	if (next >= *level)
		return fault(s->walk, IO_PAGE_FAULT, "next level is not lower");
	if (address & GENMASK_ULL(entry_shift(*level) - 1, 0) &
	    ~GENMASK_ULL(entry_shift(next + 1) - 1, 0))
		return fault(s->walk, IO_PAGE_FAULT, "address bits of a level that is left out");
	*level = next;
	return true;
}

/* The second stage: @to has the address, and is given where it leads. */
static bool second_stage(struct state *s, struct place *to, bool nested)
{
	unsigned int level = FIELD_GET(DTE0_MODE, s->dte[0]);
	u64 entry, table = s->dte[0] & ADDRESS, address = to->address;

	to->r = s->dte[0] & DTE0_IR;
	to->w = s->dte[0] & DTE0_IW;
	to->x = true;
	to->size = 0;
	if (!level)
		return true;
	if (level < 6 && address >> entry_shift(level + 1))
		return fault(s->walk, IO_PAGE_FAULT, "address is beyond the table");

	for (;;) {
		if (!read_entry(s, "host page table", IOMMU_WALK_SECOND, level,
				table + 8 * ((address >> entry_shift(level)) & 511), &entry))
			return false;
		if (nested)
			iommu_walk_nested(s->walk);
		if (!(entry & HOST_PR))
			return fault(s->walk, IO_PAGE_FAULT, "not present");
		to->r &= !!(entry & HOST_IR);
		to->w &= !!(entry & HOST_IW);
		if (!FIELD_GET(HOST_NEXT, entry) || FIELD_GET(HOST_NEXT, entry) == HOST_NEXT_SIZED)
			return host_page(s, entry, level, to);
		table = entry & ADDRESS;
		if (!host_next(s, entry, &level, address))
			return false;
	}
}

/* An entry of the first stage's tables, @at an address of the second's. */
static bool read_guest(struct state *s, const char *what, enum iommu_walk_stage stage,
		       unsigned int level, u64 at, u64 *entry)
{
	struct place place = { .address = at };

	if (FIELD_GET(DTE0_MODE, s->dte[0])) {
		if (!second_stage(s, &place, true))
			return false;
		if (!place.r)
			return fault(s->walk, IO_PAGE_FAULT, "a table that may not be read");
	}
	return read_entry(s, what, stage, level, place.address, entry);
}

/* Sections 2.2.6.3 and 2.2.6.4: where the tables of the PASID are. */
static bool gcr3(struct state *s, u64 *root)
{
	unsigned int level = FIELD_GET(DTE0_GLX, s->dte[0]) + 1;
	u32 pasid = s->walk->has_pasid ? s->walk->pasid : 0;
	u64 entry, table = FIELD_GET(DTE0_ROOT_14_12, s->dte[0]) << 12 |
			   FIELD_GET(DTE1_ROOT_30_15, s->dte[1]) << 15 |
			   FIELD_GET(DTE1_ROOT_51_31, s->dte[1]) << 31;

	s->walk->how = "blocked";
	if (pasid >> (9 * level))
		return fault(s->walk, IO_PAGE_FAULT, "PASID is beyond the GCR3 table");
	for (; level; level--) {
		if (!read_guest(s, "GCR3 table", IOMMU_WALK_DEVICE, level,
				table + 8 * ((pasid >> (9 * (level - 1))) & 511), &entry))
			return false;
		if (!(entry & GCR3_V))
			return fault(s->walk, IO_PAGE_FAULT, "not valid");
		if (entry & GCR3_RESERVED)
			return fault(s->walk, IO_PAGE_FAULT, "reserved bits are set");
		table = entry & ADDRESS;
	}
	s->walk->how = FIELD_GET(DTE0_MODE, s->dte[0]) ? "nested" : "first stage";
	*root = table;
	return true;
}

/*
 * With a PASID addresses are canonical, as those of a processor; requests without,
 * that use entry 0, have no sign.
 */
static bool guest_address_ok(struct state *s, unsigned int levels)
{
	unsigned int top = entry_shift(levels + 1) - 1;
	s64 high = (s64)s->walk->iova >> top;

	if (s->walk->has_pasid)
		return !high || high == -1;
	return !(s->walk->iova >> (top + 1));
}

/* The first stage: @to is given an address of the second's. */
static bool first_stage(struct state *s, u64 table, struct place *to)
{
	unsigned int levels = 4 + FIELD_GET(DTE2_GUEST_LEVELS, s->dte[2]), level = levels;
	u64 entry, iova = s->walk->iova;

	if (!guest_address_ok(s, levels))
		return fault(s->walk, IO_PAGE_FAULT, "address is not canonical");
	to->r = true;
	to->w = true;
	to->x = true;
	for (;; level--) {
		if (!read_guest(s, "guest page table", IOMMU_WALK_FIRST, level,
				table + 8 * ((iova >> entry_shift(level)) & 511), &entry))
			return false;
		if (!(entry & GUEST_P))
			return fault(s->walk, IO_PAGE_FAULT, "not present");
		if (level > 3 && (entry & GUEST_PS))
			return fault(s->walk, IO_PAGE_FAULT, "reserved bits are set");
		to->r &= !!(entry & GUEST_US);
		to->w &= (entry & GUEST_US) && (entry & GUEST_RW);
		to->x &= !(entry & GUEST_NX);
		if (level == 1 || (entry & GUEST_PS))
			break;
		table = entry & ADDRESS;
	}
	to->size = BIT_ULL(entry_shift(level));
	/* Bit 12 of a large page is of its memory type. */
	if (level > 1 && (entry & ADDRESS & (to->size - 1) & ~BIT_ULL(12)))
		return fault(s->walk, IO_PAGE_FAULT, "reserved bits are set");
	to->address = (entry & ADDRESS & ~(to->size - 1)) | (iova & (to->size - 1));
	iommu_walk_note(s->walk, "page of 0x%llx bytes", to->size);
	return true;
}

static void finish(struct state *s, struct place *to)
{
	struct iommu_walk *walk = s->walk;

	if (walk->write ? !to->w : !to->r) {
		fault(walk, IO_PAGE_FAULT, walk->write ? "may not be written" :
							 "may not be read");
		return;
	}
	walk->translated = true;
	walk->output = __sme_clr(to->address);
	walk->size = to->size;
	walk->readable = to->r;
	walk->writable = to->w;
	walk->executable = to->x;
}

/* Through the first stage, and the second if there is one. */
static void guest_request(struct state *s)
{
	struct place first, both;
	u64 root;

	if (!gcr3(s, &root) || !s->walk->has_iova || !first_stage(s, root, &first))
		return;
	both.address = first.address;
	if (!second_stage(s, &both, false))
		return;
	both.r &= first.r;
	both.w &= first.w;
	both.x &= first.x;
	both.size = both.size ? min(both.size, first.size) : first.size;
	finish(s, &both);
}

/* Through the second stage alone, or none. */
static void host_request(struct state *s)
{
	struct place to = { .address = s->walk->iova };

	if (!(s->dte[0] & (DTE0_IR | DTE0_IW)))
		s->walk->how = "blocked";
	else
		s->walk->how = FIELD_GET(DTE0_MODE, s->dte[0]) ? "second stage" : "pass-through";
	if (s->walk->has_iova && second_stage(s, &to, false))
		finish(s, &to);
}

/* Section 2.2.2.1: what the DTE alone decides; true if there are tables to follow. */
static bool dte_ok(struct state *s)
{
	struct place same = { .address = s->walk->iova, .r = true, .w = true, .x = true };
	const u64 *dte = s->dte;

	if (!(dte[0] & DTE0_V)) {
		s->walk->how = "pass-through";
		if (s->walk->has_iova)
			finish(s, &same);
		return false;
	}
	iommu_walk_note(s->walk, "domain %llu", FIELD_GET(DTE1_DOMAIN, dte[1]));
	s->walk->how = "blocked";
	if ((dte[0] & DTE0_RESERVED) || FIELD_GET(DTE0_MODE, dte[0]) == 7)
		return fault(s->walk, ILLEGAL_DEV_TABLE_ENTRY, "reserved values");
	if ((dte[0] & DTE0_GV) && (FIELD_GET(DTE0_GLX, dte[0]) == 3 ||
				   FIELD_GET(DTE2_GUEST_LEVELS, dte[2]) > 1))
		return fault(s->walk, ILLEGAL_DEV_TABLE_ENTRY, "reserved values");
	if (!(dte[0] & DTE0_TV))
		return fault(s->walk, IO_PAGE_FAULT, "no translation");
	if (s->walk->has_pasid && !(dte[0] & DTE0_GV))
		return fault(s->walk, ILLEGAL_DEV_TABLE_ENTRY, "no GCR3 table");
	return true;
}

/**
 * amd_iommu_walk() - follow the tables for a request
 * @walk: the request; takes the answer
 *
 * Context: any. The device does not leave its IOMMU meanwhile.
 * Return: 0; -ENODEV if the device is no PCI function, or the IOMMU is off.
 */
int amd_iommu_walk(struct iommu_walk *walk)
{
	struct state s = { .walk = walk };
	struct amd_iommu *iommu = get_amd_iommu_from_dev(walk->dev);
	u64 table, offset;

	if (!dev_is_pci(walk->dev) ||
	    !(readq(iommu->mmio_base + REG_CONTROL) & CONTROL_ENABLED))
		return -ENODEV;
	table = readq(iommu->mmio_base + REG_DEVICE_TABLE);
	offset = pci_dev_id(to_pci_dev(walk->dev)) * sizeof(s.dte);
	if (offset >= (FIELD_GET(DEVICE_TABLE_SIZE, table) + 1) << 12) {
		fault(walk, ILLEGAL_DEV_TABLE_ENTRY, "device is beyond the table");
		return 0;
	}
	if (iommu_walk_read(walk, "device table entry", IOMMU_WALK_DEVICE, 0,
			    __sme_clr(table & ADDRESS) + offset, s.dte, ARRAY_SIZE(s.dte))) {
		fault(walk, DEV_TAB_HARDWARE_ERROR, "not in memory");
		return 0;
	}
	if (!dte_ok(&s))
		return 0;
	if ((s.dte[0] & DTE0_GV) && (walk->has_pasid || (s.dte[0] & DTE0_GIOV)))
		guest_request(&s);
	else
		host_request(&s);
	return 0;
}

static int __init amd_iommu_walk_init(void)
{
	return iommu_walk_register(&amd_iommu_ops, amd_iommu_walk);
}
subsys_initcall(amd_iommu_walk_init);
