// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a process. Where one leaf of the process's page table maps many
 * pages, one pin of the folio holds them all and they are added as one piece;
 * elsewhere each page has its own pin.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>

#include "account.h"
#include "pages.h"

/* Below this it does not pay to look for a large leaf first. */
#define PROBE_MIN 16

/*
 * Bytes of the leaf that maps addr for this kind of access, if it is above the
 * lowest level; else 0.
 */
static unsigned long leaf_size(struct mm_struct *mm, unsigned long addr, bool write,
			       unsigned long *pfn)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud, pudval;
	pmd_t pmdval;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return 0;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return 0;
	pud = pud_offset(p4d, addr);
	pudval = READ_ONCE(*pud);
	if (!pud_present(pudval) || pud_leaf(pudval))
		return 0;
	pmdval = pmdp_get_lockless(pmd_offset(pud, addr));
	if (!pmd_present(pmdval) || !pmd_leaf(pmdval) || !pmd_access_permitted(pmdval, write))
		return 0;
	*pfn = pmd_pfn(pmdval) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
	return PMD_SIZE;
}

/*
 * How many pages from addr on lie in one folio behind one leaf with page, which
 * has just been pinned there. A pinned folio is not split and no page of it is
 * exchanged, so that a leaf seen now which maps it, with the permission asked
 * for, gives every page that pinning them one by one would have given.
 */
static unsigned long leaf_span(struct mm_struct *mm, unsigned long addr, struct page *page,
			       bool write)
{
	struct folio *folio = page_folio(page);
	unsigned long span = 1, size, pfn;

	if (!folio_test_large(folio))
		return 1;
	/* hugetlbfs maps a huge page as a whole or not at all. */
	if (folio_test_hugetlb(folio))
		return folio_nr_pages(folio) - folio_page_idx(folio, page);
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || !folio_test_pmd_mappable(folio))
		return 1;

	mmap_read_lock(mm);
	/* While the mapping is there, its page table is not freed. */
	if (vma_lookup(mm, addr)) {
		size = leaf_size(mm, addr, write, &pfn);
		if (size && pfn == page_to_pfn(page))
			span = (size - (addr & (size - 1))) >> PAGE_SHIFT;
	}
	mmap_read_unlock(mm);
	return span;
}

static long pin_some(struct mm_struct *mm, unsigned long addr, unsigned long count, bool write,
		     struct page **pages)
{
	unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);
	int locked = 1;
	long n;

	if (mm == current->mm) {
		n = pin_user_pages_fast(addr, count, flags, pages);
	} else {
		mmap_read_lock(mm);
		n = pin_user_pages_remote(mm, addr, count, flags, pages, &locked);
		if (locked)
			mmap_read_unlock(mm);
	}
	return n ?: -EFAULT;
}

/* Add pages that hold a pin each; those that cannot be added are unpinned. */
static long batch_pages(struct pin_batch *batch, struct page **pages, long n)
{
	long i, end;

	for (i = 0; i < n; i = end) {
		unsigned long pfn = page_to_pfn(pages[i]);

		for (end = i + 1; end < n && page_to_pfn(pages[end]) == pfn + (end - i); end++)
			;
		if (run_builder_add(&batch->runs, pfn, end - i)) {
			unpin_user_pages(pages + i, n - i);
			return -ENOMEM;
		}
	}
	return n;
}

/*
 * Pin the page at addr and, if it stands for a large leaf, all of that. Returns
 * the pages added; 0 if this would mix the two kinds of pins in the batch.
 */
static long pin_probe(struct pages *pages, struct mm_struct *mm, unsigned long addr,
		      unsigned long count, struct pin_batch *batch)
{
	unsigned long span;
	long n;

	n = pin_some(mm, addr, 1, pages->writable, batch->pages);
	if (n < 0)
		return n;
	span = min(leaf_span(mm, addr, batch->pages[0], pages->writable), count);
	if (!batch->runs.npages) {
		batch->per_folio = span > 1;
	} else if (batch->per_folio != (span > 1)) {
		unpin_user_page(batch->pages[0]);
		return 0;
	}
	if (run_builder_add(&batch->runs, page_to_pfn(batch->pages[0]), span)) {
		unpin_user_page(batch->pages[0]);
		return -ENOMEM;
	}
	return span;
}

static long user_pin_mm(struct pages *pages, struct mm_struct *mm, unsigned long first,
			unsigned long count, struct pin_batch *batch)
{
	unsigned long addr = pages->base + first * PAGE_SIZE, to_leaf;
	long probed = 0, n;

	if (count >= PROBE_MIN) {
		probed = pin_probe(pages, mm, addr, count, batch);
		if (probed <= 0 || batch->per_folio)
			return probed;
	} else if (!batch->runs.npages) {
		batch->per_folio = false;
	} else if (batch->per_folio) {
		return 0;
	}

	/* Up to the next address at which a large leaf may begin. */
	to_leaf = (PMD_SIZE - (addr & ~PMD_MASK)) >> PAGE_SHIFT;
	count = min3(count, to_leaf, (unsigned long)batch->room) - probed;
	if (!count)
		return probed;
	n = pin_some(mm, addr + probed * PAGE_SIZE, count, pages->writable, batch->pages);
	if (n < 0)
		return n;
	n = batch_pages(batch, batch->pages, n);
	return n < 0 ? n : probed + n;
}

static long user_pin(struct pages *pages, unsigned long first, unsigned long count,
		     struct pin_batch *batch)
{
	struct mm_struct *mm = pages->mm;
	long n;

	if (mm == current->mm)
		return user_pin_mm(pages, mm, first, count, batch);
	if (!mmget_not_zero(mm))
		return -EFAULT;
	n = user_pin_mm(pages, mm, first, count, batch);
	mmput(mm);
	return n;
}

static void user_free(struct pages *pages)
{
	mmdrop(pages->mm);
	atomic_long_dec(&pages->account->payers->bound);
}

static const struct pages_source pages_user_source = {
	.pin = user_pin,
	.free = user_free,
};

/**
 * pages_from_user() - memory of the calling process
 * @account: who pays: it, and nobody else can
 * @uaddr: page-aligned address
 * @npages: number of pages, not 0, not wrapping
 * @writable: whether it is pinned for writing
 *
 * Context: may sleep.
 * Return: the object with one reference, or ERR_PTR(-ENOMEM).
 */
struct pages *pages_from_user(struct account *account, unsigned long uaddr, unsigned long npages,
			      bool writable)
{
	struct pages *pages = pages_alloc(&pages_user_source, account, npages, writable);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	pages->base = uaddr;
	pages->mm = current->mm;
	mmgrab(pages->mm);
	atomic_long_inc(&account->payers->bound);
	return pages;
}
