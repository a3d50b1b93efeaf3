// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table: remembers for each 2 KiB of IOVA what is there. It is made to
 * be obviously right, not fast, and warns about what no page table has to put
 * up with:
 *
 *	mapping what is mapped
 *	unmapping what is not
 *	unmapping a part of a large page, or asking whether a part is dirty
 *	freeing a page table with mappings
 *
 * A slot is a number: the physical address with SLOT_ bits in place of the
 * offset in the page. A large page is 2, 4, 8 ... slots that all say so; it is
 * dirty if its first slot is.
 */
#include <linux/bitfield.h>
#include <linux/bug.h>
#include <linux/iommu.h>
#include <linux/log2.h>

#include "mock.h"

#define SLOT_SHIFT 11
#define SLOT_FLAG_BITS 7
#define SLOT_READ BIT(0)
#define SLOT_WRITE BIT(1)
#define SLOT_DIRTY BIT(2)
#define SLOT_ORDER GENMASK(6, 3)

static_assert(BIT(SLOT_SHIFT) == MOCK_PAGE_SIZE);
/* What SLOT_ORDER can say */
static_assert(MOCK_HUGE_PAGE_SIZE / MOCK_PAGE_SIZE <= BIT(15));

/* One bit of a value entry is the XArray's. */
static void *slot_make(phys_addr_t phys, int prot, unsigned int order)
{
	unsigned long bits = (unsigned long)(phys >> SLOT_SHIFT) << SLOT_FLAG_BITS |
			     FIELD_PREP(SLOT_ORDER, order);

	if (prot & IOMMU_READ)
		bits |= SLOT_READ;
	if (prot & IOMMU_WRITE)
		bits |= SLOT_WRITE;
	return xa_mk_value(bits);
}

static phys_addr_t slot_phys(void *slot)
{
	return (phys_addr_t)(xa_to_value(slot) >> SLOT_FLAG_BITS) << SLOT_SHIFT;
}

/* Slots of the page that it is of; 1 where no page is. */
static unsigned long slot_page(void *slot)
{
	return slot ? BIT(FIELD_GET(SLOT_ORDER, xa_to_value(slot))) : 1;
}

/**
 * mock_table_init() - an empty page table
 * @table: the page table
 */
void mock_table_init(struct mock_table *table)
{
	xa_init(&table->slots);
	table->stale.start = ULONG_MAX;
	table->stale.last = 0;
}

/**
 * mock_table_exit() - the end of a page table
 * @table: the page table; should be empty
 *
 * Context: may sleep.
 */
void mock_table_exit(struct mock_table *table)
{
	WARN_ON(!xa_empty(&table->slots));
	xa_destroy(&table->slots);
}

static void erase(struct mock_table *table, unsigned long first, unsigned long count)
{
	while (count--)
		xa_erase(&table->slots, first + count);
}

static int map_page(struct mock_table *table, unsigned long first, phys_addr_t phys,
		    unsigned int order, int prot, gfp_t gfp)
{
	unsigned long count = BIT(order), i;
	void *slot;
	int rc;

	for (i = 0; i < count; i++) {
		slot = slot_make(phys + i * MOCK_PAGE_SIZE, prot, order);
		rc = xa_insert(&table->slots, first + i, slot, gfp);
		if (rc) {
			WARN(rc == -EBUSY, "mock: IOVA %#lx is mapped twice\n",
			     (first + i) << SLOT_SHIFT);
			erase(table, first, i);
			return rc;
		}
	}
	return 0;
}

/**
 * mock_table_map() - map pages of one size
 * @table: the page table
 * @iova: where, aligned to @pgsize
 * @phys: what, aligned to @pgsize
 * @pgsize: a power of two from MOCK_PAGE_SIZE to MOCK_HUGE_PAGE_SIZE
 * @pgcount: pages
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @gfp: for memory
 * @mapped: bytes mapped are added, also upon failure
 *
 * Context: as @gfp says.
 * Return: 0, -ENOMEM, -EINVAL, or -EBUSY if something is mapped there.
 */
int mock_table_map(struct mock_table *table, unsigned long iova, phys_addr_t phys, size_t pgsize,
		   size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	size_t i;
	int rc;

	if (WARN_ON(!is_power_of_2(pgsize) || pgsize < MOCK_PAGE_SIZE ||
		    pgsize > MOCK_HUGE_PAGE_SIZE) ||
	    WARN_ON(!IS_ALIGNED(iova | phys, pgsize)) ||
	    WARN_ON(!(prot & (IOMMU_READ | IOMMU_WRITE))))
		return -EINVAL;

	for (i = 0; i < pgcount; i++) {
		rc = map_page(table, iova >> SLOT_SHIFT, phys, ilog2(pgsize) - SLOT_SHIFT, prot,
			      gfp);
		if (rc)
			return rc;
		iova += pgsize;
		phys += pgsize;
		*mapped += pgsize;
	}
	return 0;
}

/* Whether one large page lies on both sides of an IOVA. */
static bool cuts_page(struct mock_table *table, unsigned long slot)
{
	return slot % slot_page(xa_load(&table->slots, slot));
}

/**
 * mock_table_unmap() - unmap whole pages of any size
 * @table: the page table
 * @iova: where
 * @size: bytes
 *
 * Context: any.
 * Return: bytes unmapped, from @iova on.
 */
size_t mock_table_unmap(struct mock_table *table, unsigned long iova, size_t size)
{
	unsigned long first = iova >> SLOT_SHIFT, count = size >> SLOT_SHIFT, i;

	if (WARN(!IS_ALIGNED(iova | size, MOCK_PAGE_SIZE),
		 "mock: unmap of %#zx bytes at %#lx\n", size, iova))
		return 0;
	if (WARN(cuts_page(table, first) || cuts_page(table, first + count),
		 "mock: unmap of %#zx bytes at %#lx cuts a large page\n", size, iova))
		return 0;

	for (i = 0; i < count; i++)
		if (WARN(!xa_erase(&table->slots, first + i),
			 "mock: IOVA %#lx is unmapped, but not mapped\n",
			 (first + i) << SLOT_SHIFT))
			break;
	return i << SLOT_SHIFT;
}

/**
 * mock_table_phys() - where an IOVA is mapped to
 * @table: the page table
 * @iova: the IOVA
 *
 * Context: any.
 * Return: the address, or 0 if nothing is mapped.
 */
phys_addr_t mock_table_phys(struct mock_table *table, unsigned long iova)
{
	void *slot = xa_load(&table->slots, iova >> SLOT_SHIFT);

	return slot ? slot_phys(slot) | (iova & (MOCK_PAGE_SIZE - 1)) : 0;
}

static bool is_stale(struct mock_table *table, unsigned long iova)
{
	bool stale;

	xa_lock(&table->slots);
	stale = iova >= table->stale.start && iova <= table->stale.last;
	xa_unlock(&table->slots);
	return stale;
}

/**
 * mock_table_set_dirty() - a device writes to a page
 * @table: the page table
 * @iova: where
 *
 * A cache that has the page as dirty does not write that to the table once more.
 *
 * Context: may sleep.
 * Return: false if nothing is mapped there, or not for writing.
 */
bool mock_table_set_dirty(struct mock_table *table, unsigned long iova)
{
	unsigned long at = iova >> SLOT_SHIFT;
	void *slot = xa_load(&table->slots, at), *dirty;

	if (!slot || !(xa_to_value(slot) & SLOT_WRITE))
		return false;
	at &= ~(slot_page(slot) - 1);
	if (is_stale(table, iova))
		return true;
	do {
		slot = xa_load(&table->slots, at);
		if (!slot)
			return false;
		dirty = xa_mk_value(xa_to_value(slot) | SLOT_DIRTY);
	} while (xa_cmpxchg(&table->slots, at, slot, dirty, GFP_KERNEL) != slot);
	return true;
}

static void add_stale(struct mock_table *table, unsigned long start, unsigned long last)
{
	xa_lock(&table->slots);
	table->stale.start = min(table->stale.start, start);
	table->stale.last = max(table->stale.last, last);
	xa_unlock(&table->slots);
}

/**
 * mock_table_sync() - caches forget what they have of a range
 * @table: the page table
 * @gather: the range, or an empty one; of two who clear at once it forgets too little
 *
 * Context: any.
 */
void mock_table_sync(struct mock_table *table, const struct iommu_iotlb_gather *gather)
{
	xa_lock(&table->slots);
	if (gather->start <= table->stale.start && gather->end >= table->stale.last) {
		table->stale.start = ULONG_MAX;
		table->stale.last = 0;
	}
	xa_unlock(&table->slots);
}

/**
 * mock_table_read_dirty() - which pages devices have written to
 * @table: the page table
 * @iova: from here on
 * @size: bytes
 * @clear: they count as clean from now on
 * @dirty: where to report them
 *
 * Context: may sleep.
 */
void mock_table_read_dirty(struct mock_table *table, unsigned long iova, size_t size, bool clear,
			   struct iommu_dirty_bitmap *dirty)
{
	unsigned long at = iova >> SLOT_SHIFT, end = at + (size >> SLOT_SHIFT), n, bits;
	unsigned long first = ULONG_MAX, last = 0;
	void *slot;

	WARN(!size || !IS_ALIGNED(iova | size, MOCK_PAGE_SIZE) || cuts_page(table, at) ||
	     cuts_page(table, end),
	     "mock: are %#zx bytes at %#lx dirty, that cuts a page\n", size, iova);
	for (; at < end; at += n) {
		slot = xa_load(&table->slots, at);
		n = slot_page(slot);
		bits = slot ? xa_to_value(slot) : 0;
		if (!(bits & SLOT_DIRTY))
			continue;
		if (clear) {
			xa_cmpxchg(&table->slots, at, slot, xa_mk_value(bits & ~SLOT_DIRTY),
				   GFP_KERNEL);
			first = min(first, at);
			last = at + n - 1;
		}
		iommu_dirty_bitmap_record(dirty, at << SLOT_SHIFT, n << SLOT_SHIFT);
	}
	if (first <= last)
		add_stale(table, first << SLOT_SHIFT, ((last + 1) << SLOT_SHIFT) - 1);
}
