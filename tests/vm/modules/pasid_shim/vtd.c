// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d's tables of a function in scalable mode, followed in memory as the hardware does, from the
 * layouts of the specification (Intel Virtualization Technology for Directed I/O, chapters 9 and
 * 11): root table, context table, PASID directory, PASID table. Shares no code with the driver.
 * May touch: RID_PASID in the context entry, and the register that makes the IOMMU reload tables.
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/seq_file.h>

#include "shim.h"

#define GCMD			0x18
#define GSTS			0x1c
#define RTADDR			0x20
#define SRTP			BIT(30)		/* in GCMD, and in GSTS when it is done */
/* What is switched on, as opposed to commands that act once: TE, EAFL, QIE, IRE, CFI. */
#define GSTS_LASTING		(BIT(31) | BIT(28) | BIT(26) | BIT(25) | BIT(23))

#define ADDRESS			GENMASK_ULL(63, 12)
#define PRESENT			BIT_ULL(0)
#define RTADDR_MODE		GENMASK_ULL(11, 10)
#define RTADDR_SCALABLE		1
#define CONTEXT_QWORDS		4
#define CONTEXT_PASIDE		BIT_ULL(3)
#define CONTEXT_DIR_SIZE	GENMASK_ULL(11, 9)
#define CONTEXT_RID_PASID	GENMASK_ULL(19, 0)	/* of the second quadword */
#define TABLE_ENTRIES		64
#define ENTRY_QWORDS		8
#define ENTRY_TYPE		GENMASK_ULL(8, 6)
#define ENTRY_SECOND_TABLE	ADDRESS			/* of the first quadword */
#define ENTRY_DOMAIN		GENMASK_ULL(15, 0)	/* of the second */
#define ENTRY_FIRST_TABLE	ADDRESS			/* of the third */

static void __iomem *regs;
static DEFINE_MUTEX(rid_lock);

/* The first remapping unit of the table: QEMU has one, for all functions. */
int vtd_map(void)
{
	struct acpi_dmar_hardware_unit *unit = NULL;
	struct acpi_dmar_header *sub;
	struct acpi_table_header *table;
	void *end;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &table)))
		return -ENODEV;
	end = (void *)table + table->length;
	sub = (void *)table + sizeof(struct acpi_table_dmar);
	while (!unit && (void *)(sub + 1) <= end && sub->length) {
		if (sub->type == ACPI_DMAR_TYPE_HARDWARE_UNIT)
			unit = (void *)sub;
		sub = (void *)sub + sub->length;
	}
	if (unit)
		regs = ioremap(unit->address, PAGE_SIZE);
	acpi_put_table(table);
	return regs ? 0 : -ENODEV;
}

void vtd_unmap(void)
{
	iounmap(regs);
}

static u64 *at(u64 address)
{
	return pfn_valid(PHYS_PFN(address)) ? phys_to_virt(address) : NULL;
}

static u64 *find_context(u8 bus, u8 devfn)
{
	u64 rtaddr = readq(regs + RTADDR), half;
	u64 *root, *table, *context;

	if (FIELD_GET(RTADDR_MODE, rtaddr) != RTADDR_SCALABLE)
		return NULL;
	root = at(rtaddr & ADDRESS);
	if (!root)
		return NULL;
	/* A root entry has a pointer for functions 0 to 127 of the bus, and one for the others. */
	half = READ_ONCE(root[bus * 2 + devfn / 128]);
	table = half & PRESENT ? at(half & ADDRESS) : NULL;
	if (!table)
		return NULL;
	context = table + devfn % 128 * CONTEXT_QWORDS;
	return READ_ONCE(context[0]) & PRESENT ? context : NULL;
}

int vtd_get_rid_pasid(u8 bus, u8 devfn, u32 *pasid)
{
	u64 *context = find_context(bus, devfn);

	if (!context)
		return -ENXIO;
	*pasid = FIELD_GET(CONTEXT_RID_PASID, READ_ONCE(context[1]));
	return 0;
}

/* QEMU drops all that it cached when it is given the root table, even the same one. */
static int set_root_table_again(void)
{
	u32 status = readl(regs + GSTS);

	writel((status & GSTS_LASTING) | SRTP, regs + GCMD);
	return readl_poll_timeout(regs + GSTS, status, status & SRTP, 10, 1000000);
}

int vtd_set_rid_pasid(u8 bus, u8 devfn, u32 pasid)
{
	u64 *context;

	if (!FIELD_FIT(CONTEXT_RID_PASID, pasid))
		return -EINVAL;
	guard(mutex)(&rid_lock);
	context = find_context(bus, devfn);
	if (!context)
		return -ENXIO;
	WRITE_ONCE(context[1], (context[1] & ~CONTEXT_RID_PASID) |
		   FIELD_PREP(CONTEXT_RID_PASID, pasid));
	/* The table is in memory before the command is. */
	wmb();
	return set_root_table_again();
}

static void show_entry(struct seq_file *s, u32 pasid, const u64 *entry)
{
	static const char *const types[] = {
		"type 0", "first stage", "second stage", "nested", "pass-through", "type 5",
		"type 6", "type 7",
	};
	u64 q[ENTRY_QWORDS], used = 0;
	int i, type;

	for (i = 0; i < ENTRY_QWORDS; i++) {
		q[i] = READ_ONCE(entry[i]);
		used |= q[i];
	}
	if (!used)
		return;
	type = FIELD_GET(ENTRY_TYPE, q[0]);
	seq_printf(s, "PASID %u: %s, %s, domain %llu, page table %#llx\n ", pasid,
		   q[0] & PRESENT ? "present" : "not present", types[type],
		   FIELD_GET(ENTRY_DOMAIN, q[1]),
		   type == 1 ? q[2] & ENTRY_FIRST_TABLE : q[0] & ENTRY_SECOND_TABLE);
	for (i = 0; i < ENTRY_QWORDS; i++)
		seq_printf(s, " %016llx", q[i]);
	seq_puts(s, "\n");
}

/* All that is not zero in the function's PASID table. */
void vtd_show(struct seq_file *s, u8 bus, u8 devfn)
{
	u64 *context = find_context(bus, devfn), *dir, *table;
	u32 size, i, n;
	u64 pde;

	if (!context) {
		seq_puts(s, "no context entry\n");
		return;
	}
	size = 128U << FIELD_GET(CONTEXT_DIR_SIZE, READ_ONCE(context[0]));
	seq_printf(s, "context entry: PASIDs %s, RID_PASID %llu, directory %#llx, %u entries\n",
		   READ_ONCE(context[0]) & CONTEXT_PASIDE ? "on" : "off",
		   FIELD_GET(CONTEXT_RID_PASID, READ_ONCE(context[1])),
		   READ_ONCE(context[0]) & ADDRESS, size);
	dir = at(READ_ONCE(context[0]) & ADDRESS);
	for (i = 0; dir && i < size; i++) {
		pde = READ_ONCE(dir[i]);
		table = pde & PRESENT ? at(pde & ADDRESS) : NULL;
		for (n = 0; table && n < TABLE_ENTRIES; n++)
			show_entry(s, i * TABLE_ENTRIES + n, table + n * ENTRY_QWORDS);
	}
}

/* Where in memory the entry of @pasid is, or NULL. Stays there as long as the function does. */
const u64 *vtd_entry(u8 bus, u8 devfn, u32 pasid)
{
	u64 *context = find_context(bus, devfn), *dir, pde;

	if (!context || pasid / TABLE_ENTRIES >=
			128U << FIELD_GET(CONTEXT_DIR_SIZE, READ_ONCE(context[0])))
		return NULL;
	dir = at(READ_ONCE(context[0]) & ADDRESS);
	pde = dir ? READ_ONCE(dir[pasid / TABLE_ENTRIES]) : 0;
	if (!(pde & PRESENT) || !at(pde & ADDRESS))
		return NULL;
	return at(pde & ADDRESS) + pasid % TABLE_ENTRIES * ENTRY_QWORDS;
}
