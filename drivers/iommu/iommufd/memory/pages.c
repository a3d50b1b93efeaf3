// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning with the first user, unpinning with the last. Knows runs, accounts and
 * the source of the pages; no IOVA, no IOMMU.
 *
 * Memory is pinned into a private extent with no lock held, since that may wait
 * for user space; then the extent is published under pages.lock. Of two callers
 * that pin the same page at once, the second drops its pins and uses the
 * first's. Boundaries between extents are never removed: a slice once pinned
 * has them at both ends, so that releasing it cuts nothing.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "extent.h"
#include "pages.h"

#define BATCH_PAGES 512
#define BATCH_ON_STACK 8

/**
 * pages_alloc() - a pages object with nothing pinned
 * @source: where the memory comes from; the caller fills in its part
 * @account: who pays; the object takes a reference
 * @npages: number of pages, not 0
 * @writable: whether it is pinned for writing
 *
 * Context: may sleep.
 * Return: the object with one reference, or NULL when memory is short.
 */
struct pages *pages_alloc(const struct pages_source *source, struct account *account,
			  unsigned long npages, bool writable)
{
	struct pages *pages = kmalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);

	if (!pages)
		return NULL;
	pages->room_used = 0;
	pages->file = NULL;
	refcount_set(&pages->refs, 1);
	pages->source = source;
	pages->account = account_hold(account);
	pages->npages = npages;
	pages->writable = writable;
	pages->mmio = false;
	mutex_init(&pages->lock);
	extent_tree_init(&pages->extents);
	return pages;
}

/**
 * pages_put() - drop a reference
 * @pages: the object; with the last one nothing of it is pinned
 *
 * Context: may sleep.
 */
void pages_put(struct pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;
	if (pages->source->free)
		pages->source->free(pages);
	WARN_ON(!RB_EMPTY_ROOT(&pages->extents.root));
	account_put(pages->account);
	mutex_destroy(&pages->lock);
	kfree(pages);
}

static int pin_into(struct pages *pages, unsigned long first, u32 count, struct pin_batch *batch)
{
	while (batch->runs.npages < count) {
		u32 done = batch->runs.npages;
		long n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = pages->source->pin(pages, first + done, count - done, batch);
		if (n <= 0)
			return n;
		cond_resched();
	}
	return 0;
}

/*
 * Pin at most count pages from first on into an extent that nobody else knows.
 * It may come out shorter: the caller asks again for the rest.
 */
static struct extent *extent_pin(struct pages *pages, unsigned long first, u32 count,
				 struct pin_batch *batch)
{
	struct extent *e = extent_alloc(&pages->extents, GFP_KERNEL_ACCOUNT);
	int rc;

	if (!e)
		return ERR_PTR(-ENOMEM);
	rc = account_charge(pages->account, count);
	if (rc) {
		extent_drop(&pages->extents, e);
		return ERR_PTR(rc);
	}
	run_builder_init(&batch->runs);
	rc = pin_into(pages, first, count, batch);
	if (!rc)
		rc = run_builder_finish(&batch->runs, &e->slice);
	if (rc) {
		extent_unpin_batch(batch, false);
		run_builder_exit(&batch->runs);
		account_refund(pages->account, count);
		extent_drop(&pages->extents, e);
		return ERR_PTR(rc);
	}
	e->first = first;
	e->count = batch->runs.npages;
	e->users = 1;
	e->per_folio = batch->per_folio;
	run_builder_exit(&batch->runs);
	if (e->count < count)
		account_refund(pages->account, count - e->count);
	return e;
}

/* Count a user on pinned pages from first on; returns how many pages that was. */
static long use_extent(struct pages *pages, unsigned long first, unsigned long count)
{
	struct extent *e;

	if (extent_cut_at(&pages->extents, first, GFP_KERNEL_ACCOUNT) ||
	    extent_cut_at(&pages->extents, first + count, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	e = extent_at(&pages->extents, first);
	if (e->users == U32_MAX)
		return -EOVERFLOW;
	e->users++;
	return e->count;
}

/*
 * One step from first on: use what is pinned there, or pin what is not. Returns
 * how many pages were done, at most count; 0 if another caller was faster.
 */
static long pin_step(struct pages *pages, unsigned long first, unsigned long count,
		     struct pin_batch *batch)
{
	struct extent *e, *new;
	unsigned long gap;

	mutex_lock(&pages->lock);
	e = extent_at(&pages->extents, first);
	if (e && e->first <= first) {
		long n = use_extent(pages, first, count);

		mutex_unlock(&pages->lock);
		return n;
	}
	gap = e ? min(count, e->first - first) : count;
	mutex_unlock(&pages->lock);

	new = extent_pin(pages, first, min_t(unsigned long, gap, RUN_SLICE_MAX), batch);
	if (IS_ERR(new))
		return PTR_ERR(new);

	mutex_lock(&pages->lock);
	e = extent_at(&pages->extents, first);
	if (e && e->first < first + new->count) {
		mutex_unlock(&pages->lock);
		extent_free(&pages->extents, new, pages->account, false);
		return 0;
	}
	extent_insert(&pages->extents, new);
	count = new->count;
	mutex_unlock(&pages->lock);
	return count;
}

/**
 * pages_pin() - pin a slice, or count one more user of it
 * @pages: the pages object
 * @first: first page
 * @count: pages, not 0, not beyond the object
 *
 * Context: may sleep and wait for user space to fault memory in: no lock held.
 * Return: 0; -ENOMEM (also beyond RLIMIT_MEMLOCK), -EFAULT, -EINTR or what the
 * source says, with nothing changed.
 */
int pages_pin(struct pages *pages, unsigned long first, unsigned long count)
{
	struct page *on_stack[BATCH_ON_STACK];
	struct pin_batch batch = { .pages = on_stack, .room = BATCH_ON_STACK };
	unsigned long done = 0;
	long n = 0;

	might_sleep();
	if (pages_revocable(pages))
		return 0;
	if (count > BATCH_ON_STACK) {
		batch.pages = kmalloc_array(BATCH_PAGES, sizeof(*batch.pages), GFP_KERNEL);
		batch.room = BATCH_PAGES;
		if (!batch.pages)
			return -ENOMEM;
	}
	while (done < count) {
		n = pin_step(pages, first + done, count - done, &batch);
		if (n < 0)
			break;
		done += n;
	}
	if (batch.pages != on_stack)
		kfree(batch.pages);
	if (n < 0) {
		if (done)
			pages_release(pages, first, done);
		return n;
	}
	return 0;
}

/**
 * pages_release() - take a user off a slice; unpin what has none left
 * @pages: the pages object
 * @first: first page
 * @count: pages; all of them are pinned for this user
 *
 * No device and no in-kernel user reaches the pages through this slice any
 * more: invalidation comes first.
 *
 * Context: may sleep.
 */
void pages_release(struct pages *pages, unsigned long first, unsigned long count)
{
	unsigned long end = first + count;
	struct extent *e, *next, *unused = NULL;

	if (pages_revocable(pages))
		return;
	mutex_lock(&pages->lock);
	e = extent_at(&pages->extents, first);
	if (e && e->first < first) {
		extent_cut_at(&pages->extents, first, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
		e = extent_next(e);
	}
	for (; e && e->first < end; e = next) {
		if (e->first + e->count > end)
			extent_cut_at(&pages->extents, end, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
		next = e->first + e->count < end ? extent_next(e) : NULL;
		if (--e->users)
			continue;
		rb_erase(&e->node, &pages->extents.root);
		e->unused = unused;
		unused = e;
	}
	mutex_unlock(&pages->lock);

	for (e = unused; e; e = next) {
		next = e->unused;
		extent_free(&pages->extents, e, pages->account, pages->writable);
	}
}

/**
 * pages_iter_init() - begin to walk the runs of a pinned slice
 * @it: the iterator
 * @pages: the pages object; its lock is held until the walk ends
 * @first: first page
 * @count: pages, all pinned by the caller
 */
void pages_iter_init(struct pages_iter *it, struct pages *pages, unsigned long first,
		     unsigned long count)
{
	lockdep_assert_held(&pages->lock);
	it->extent = extent_at(&pages->extents, first);
	it->page = first;
	it->left = count;
}

/**
 * pages_iter_next() - the next physically contiguous piece, as long as can be
 * @it: the iterator
 * @pfn: set to its first page frame
 *
 * Return: its number of pages, 0 at the end.
 */
unsigned long pages_iter_next(struct pages_iter *it, unsigned long *pfn)
{
	unsigned long total = 0, here;

	while (it->left) {
		struct extent *e = it->extent;
		u32 at = it->page - e->first, n;

		n = run_slice_at(&e->slice, at, min_t(unsigned long, it->left, e->count - at),
				 &here);
		if (!total)
			*pfn = here;
		else if (here != *pfn + total)
			break;
		total += n;
		it->page += n;
		it->left -= n;
		if (at + n < e->count)
			break;
		it->extent = extent_next(e);
	}
	return total;
}

/**
 * pages_check() - whether the extents are in order
 * @pages: the pages object; its lock is held
 *
 * Return: false if one is empty, unused, overlaps, or its storage is wrong.
 */
bool pages_check(struct pages *pages)
{
	struct rb_node *node;
	unsigned long end = 0;

	lockdep_assert_held(&pages->lock);
	for (node = rb_first(&pages->extents.root); node; node = rb_next(node)) {
		struct extent *e = rb_entry(node, struct extent, node);

		if (!e->count || !e->users || e->first < end)
			return false;
		if (e->slice.block && (e->slice.first + e->count > e->slice.block->npages ||
				       !run_block_check(e->slice.block)))
			return false;
		end = e->first + e->count;
	}
	return end <= pages->npages;
}
