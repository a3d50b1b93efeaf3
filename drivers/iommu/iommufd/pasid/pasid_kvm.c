// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASID translation table of VT-x. The CPU walks it for each ENQCMD and
 * ENQCMDS of a guest, whatever is being written to it. Knows memory, and
 * of iommufd only what include/linux/iommufd.h says.
 *
 * Intel SDM volume 3C, chapter "VMX Non-Root Operation", section "PASID
 * Translation":
 *
 *	vPASID		bit 19: which directory; bits 18:10: which entry of it;
 *			bits 9:0: which entry of the table found there
 *	directory	4 KiB, 512 entries of 8 bytes. Bit 0: present;
 *			bits 11:1: 0; from bit 12 on: address of a table
 *	table		4 KiB, 1024 entries of 4 bytes. Bits 19:0: pPASID;
 *			bits 30:20: 0; bit 31: valid
 *
 * An entry that is not present, not valid or has a bit set that is to be 0 makes
 * the CPU leave the guest, with exit reason 72 for ENQCMD and 73 for ENQCMDS
 * (appendix C).
 */
#include <kunit/static_stub.h>
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/iommufd_kvm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pasid_kvm.h"

#define PASID_LAST GENMASK(19, 0)
#define DIRECTORIES 2
#define DIR_ENTRIES (SZ_4K / sizeof(u64))
#define TABLE_ENTRIES (SZ_4K / sizeof(u32))
#define DIR_PRESENT BIT_ULL(0)
#define ENTRY_VALID BIT(31)

static_assert(DIRECTORIES * DIR_ENTRIES * TABLE_ENTRIES == PASID_LAST + 1);

/**
 * pasid_kvm_page() - a directory or a table, empty
 *
 * The allocator aligns what has the size of a power of two to that size.
 *
 * Context: may sleep.
 * Return: it, or NULL.
 */
void *pasid_kvm_page(void)
{
	KUNIT_STATIC_STUB_REDIRECT(pasid_kvm_page);
	return kzalloc(SZ_4K, GFP_KERNEL_ACCOUNT);
}

/* 0 stands for requests that have no PASID. */
static bool is_pasid(u32 pasid)
{
	return pasid && pasid <= PASID_LAST;
}

static u64 *directory_entry(struct iommufd_pasid_table *table, u32 nr)
{
	u64 *directory = phys_to_virt(table->directory[nr / DIR_ENTRIES]);

	return &directory[nr % DIR_ENTRIES];
}

/* What is at a vPASID, or NULL if that has no table. */
static u32 *table_entry(struct iommufd_pasid_table *table, u32 vpasid)
{
	u32 *entries;
	u64 found;

	lockdep_assert_held(&table->lock);
	found = *directory_entry(table, vpasid / TABLE_ENTRIES);
	if (!found)
		return NULL;
	entries = phys_to_virt(found & ~DIR_PRESENT);
	return &entries[vpasid % TABLE_ENTRIES];
}

static u32 *table_entry_make(struct iommufd_pasid_table *table, u32 vpasid)
{
	u32 *entry = table_entry(table, vpasid), *entries;

	if (entry)
		return entry;
	entries = pasid_kvm_page();
	if (!entries)
		return NULL;
	/* A CPU that sees the table sees it empty. */
	smp_store_release(directory_entry(table, vpasid / TABLE_ENTRIES),
			  virt_to_phys(entries) | DIR_PRESENT);
	return &entries[vpasid % TABLE_ENTRIES];
}

/*
 * -ERANGE: a number that is no PASID; -EEXIST: the vPASID has a pair, maybe of
 * another context; -ENOMEM. Translations that are there are not disturbed.
 */
static int pasid_kvm_map(void *data, u32 vpasid, u32 ppasid)
{
	struct iommufd_pasid_table *table = data;
	u32 *entry;

	if (!is_pasid(vpasid) || !is_pasid(ppasid))
		return -ERANGE;
	guard(mutex)(&table->lock);
	entry = table_entry_make(table, vpasid);
	if (!entry)
		return -ENOMEM;
	if (*entry)
		return -EEXIST;
	/* Whole, or not at all: the CPU may be reading. */
	WRITE_ONCE(*entry, ENTRY_VALID | ppasid);
	return 0;
}

/* Whether the pair was there. Its table stays: a CPU may be reading it. */
static bool pasid_kvm_clear(struct iommufd_pasid_table *table, u32 vpasid, u32 ppasid)
{
	u32 *entry;

	guard(mutex)(&table->lock);
	entry = table_entry(table, vpasid);
	if (!entry || *entry != (ENTRY_VALID | ppasid))
		return false;
	WRITE_ONCE(*entry, 0);
	return true;
}

static void pasid_kvm_unmap(void *data, u32 vpasid, u32 ppasid)
{
	struct iommufd_pasid_table *table = data;

	if (!is_pasid(vpasid) || !pasid_kvm_clear(table, vpasid, ppasid))
		return;
	/* Who flush() finds outside of the guest enters it after the entry has gone. */
	smp_mb();
	table->flush(table->data);
}

/* For a follower whose data is a struct iommufd_pasid_table: the pairs of the context. */
const struct iommufd_pasid_ops iommufd_pasid_table_ops = {
	.map = pasid_kvm_map,
	.unmap = pasid_kvm_unmap,
};
EXPORT_SYMBOL_NS_GPL(iommufd_pasid_table_ops, IOMMUFD);

/**
 * iommufd_pasid_table_init() - a table without a pair
 * @table: the table
 * @flush: makes each vCPU that is in the guest leave it, and returns when all have
 * @data: passed to @flush
 *
 * The CPU translates with a pair as soon as iommufd_pasid_table_ops has mapped it.
 * One vPASID has one pair: where a second context brings another, it is refused
 * with -EEXIST, and the one there stays.
 *
 * When a pair goes, a CPU may have read its entry already, and no instruction is
 * documented that makes it forget a translation. So the entry is cleared, and then
 * @flush is called, once for each pair, without a lock of the table. It may sleep,
 * but not call into iommufd nor wait for who does, such as a vCPU's thread: the
 * context's PASIDs are locked. By the time that a vCPU has left the guest, the device
 * has answered its ENQCMD, or the CPU starts it anew and finds no entry. When unmap
 * returns, the guest sends the pPASID no more; what a device has accepted before is
 * for that device's driver to drain.
 *
 * The table takes 8 KiB, and 4 KiB for each 1024 vPASIDs of which one was ever used,
 * 4 MiB at the most. It is charged to who makes the table, then the PASIDs.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int iommufd_pasid_table_init(struct iommufd_pasid_table *table, void (*flush)(void *data),
			     void *data)
{
	void *low, *high;

	low = pasid_kvm_page();
	if (!low)
		return -ENOMEM;
	high = pasid_kvm_page();
	if (!high) {
		kfree(low);
		return -ENOMEM;
	}
	*table = (struct iommufd_pasid_table){
		.directory = { virt_to_phys(low), virt_to_phys(high) },
		.flush = flush,
		.data = data,
	};
	mutex_init(&table->lock);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_pasid_table_init, IOMMUFD);

/**
 * iommufd_pasid_table_exit() - free the table
 * @table: nobody follows with it, and no VMCS that a CPU will enter has its
 *	directories
 *
 * Context: may sleep.
 */
void iommufd_pasid_table_exit(struct iommufd_pasid_table *table)
{
	u32 nr;

	for (nr = 0; nr < DIRECTORIES * DIR_ENTRIES; nr++) {
		u64 found = *directory_entry(table, nr);

		if (found)
			kfree(phys_to_virt(found & ~DIR_PRESENT));
	}
	for (nr = 0; nr < DIRECTORIES; nr++)
		kfree(phys_to_virt(table->directory[nr]));
	mutex_destroy(&table->lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_pasid_table_exit, IOMMUFD);
