// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies between kernel memory and a pages object, whether it is pinned or not.
 */
#include <linux/cleanup.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "extent.h"
#include "loan.h"

/*
 * Take one more pin of each page that is pinned already, up to count: they are
 * what a device sees, whatever has become of the mapping or file. Returns how
 * many; 0 if the first is not pinned, and then *count is how many are not.
 */
static long borrow_pinned(struct pages *pages, unsigned long first, unsigned long *count,
			  struct pin_batch *batch)
{
	unsigned long pfn, i;
	struct extent *e;

	guard(mutex)(&pages->lock);
	e = extent_at(&pages->extents, first);
	if (!e || e->first > first) {
		*count = e ? min(*count, e->first - first) : *count;
		return 0;
	}
	batch->per_folio = false;
	*count = min(*count, e->first + e->count - first);
	for (i = 0; i < *count; i++) {
		run_slice_at(&e->slice, first + i - e->first, 1, &pfn);
		if (run_builder_add(&batch->runs, pfn, 1))
			return i ?: -ENOMEM;
		folio_pin_again(page_folio(pfn_to_page(pfn)));
	}
	return i;
}

/**
 * loan_borrow() - pin a few pages for a moment, at no charge
 * @pages: the pages object
 * @offset: first byte
 * @len: bytes wanted, not 0, not beyond the object
 * @loan: filled in; to be ended by loan_return()
 *
 * Context: may sleep and wait for user space to fault memory in: no lock held.
 * Return: how many bytes it became, or -errno.
 */
ssize_t loan_borrow(struct pages *pages, unsigned long offset, size_t len, struct loan *loan)
{
	unsigned long first = offset >> PAGE_SHIFT, count;
	long got;

	loan->batch.pages = loan->pages;
	loan->batch.room = LOAN_PAGES;
	loan->offset = offset_in_page(offset);
	count = min_t(size_t, LOAN_PAGES, DIV_ROUND_UP(len + loan->offset, PAGE_SIZE));
	run_builder_init(&loan->batch.runs);
	got = borrow_pinned(pages, first, &count, &loan->batch);
	if (!got)
		got = pages->source->pin(pages, first, count, &loan->batch);
	if (got < 0) {
		loan_return(loan, false);
		return got;
	}
	loan->len = min_t(size_t, len, got * PAGE_SIZE - loan->offset);
	return loan->len;
}

/**
 * loan_copy() - copy to or from borrowed pages
 * @loan: from loan_borrow()
 * @data: kernel memory, as long as the loan
 * @write: to the pages
 *
 * Context: any.
 */
void loan_copy(struct loan *loan, void *data, bool write)
{
	unsigned int offset = loan->offset;
	size_t left = loan->len;
	u32 i, k;

	for (i = 0; i < loan->batch.runs.nruns; i++) {
		const struct run *run = &loan->batch.runs.runs[i];

		for (k = 0; k < run->count && left; k++) {
			struct page *page = pfn_to_page(run->pfn + k);
			size_t n = min_t(size_t, left, PAGE_SIZE - offset);

			if (write)
				memcpy_to_page(page, offset, data, n);
			else
				memcpy_from_page(data, page, offset, n);
			data += n;
			left -= n;
			offset = 0;
		}
	}
}

/**
 * loan_return() - unpin borrowed pages
 * @loan: from loan_borrow()
 * @dirty: they were written to
 *
 * Context: may sleep.
 */
void loan_return(struct loan *loan, bool dirty)
{
	extent_unpin_batch(&loan->batch, dirty);
	run_builder_exit(&loan->batch.runs);
}
