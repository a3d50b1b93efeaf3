// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of extents, and how their pins are given back. Faults nothing in.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "account.h"
#include "extent.h"

/**
 * extent_alloc() - room for an extent
 * @tree: the tree; its own is used if it is free
 * @gfp: for another one
 *
 * Context: as @gfp says.
 * Return: the extent, not initialised, or NULL.
 */
struct extent *extent_alloc(struct extent_tree *tree, gfp_t gfp)
{
	if (!test_and_set_bit(0, &tree->own_used))
		return &tree->own;
	return kmalloc(sizeof(struct extent), gfp);
}

/**
 * extent_drop() - give back what extent_alloc() gave
 * @tree: the tree
 * @e: in no tree, nothing of it is pinned
 *
 * Context: any.
 */
void extent_drop(struct extent_tree *tree, struct extent *e)
{
	if (e == &tree->own)
		clear_bit_unlock(0, &tree->own_used);
	else
		kfree(e);
}

/**
 * extent_at() - the extent that has a page, or else the first one behind it
 * @tree: the tree
 * @page: the page
 *
 * Context: serialized by the tree's owner.
 * Return: the extent or NULL.
 */
struct extent *extent_at(struct extent_tree *tree, unsigned long page)
{
	struct rb_node *node = tree->root.rb_node;
	struct extent *found = NULL;

	while (node) {
		struct extent *e = rb_entry(node, struct extent, node);

		if (page < e->first + e->count) {
			found = e;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * extent_insert() - add an extent
 * @tree: the tree
 * @new: overlaps none
 *
 * Context: serialized by the tree's owner.
 */
void extent_insert(struct extent_tree *tree, struct extent *new)
{
	struct rb_node **link = &tree->root.rb_node, *parent = NULL;

	while (*link) {
		struct extent *e = rb_entry(*link, struct extent, node);

		parent = *link;
		link = new->first < e->first ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &tree->root);
}

/**
 * folio_pin_again() - one more pin of a folio that has one
 * @folio: the folio
 *
 * The base offers no call for it that a module may use; unpin_folio() undoes it.
 *
 * Context: any.
 */
void folio_pin_again(struct folio *folio)
{
	/* Never pinned, never unpinned. */
	if (is_zero_folio(folio))
		return;
	if (folio_test_large(folio)) {
		folio_ref_inc(folio);
		atomic_inc(&folio->_pincount);
	} else {
		folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	}
	mod_node_page_state(folio_pgdat(folio), NR_FOLL_PIN_ACQUIRED, 1);
}

/* Cut an extent so that a new one, tail, begins at page. Cannot fail. */
static void extent_split(struct extent_tree *tree, struct extent *e, unsigned long page,
			 struct extent *tail)
{
	u32 at = page - e->first;
	unsigned long before, pfn;

	run_slice_at(&e->slice, at - 1, 1, &before);
	run_slice_at(&e->slice, at, 1, &pfn);
	if (e->per_folio && pfn == before + 1 &&
	    page_folio(pfn_to_page(pfn)) == page_folio(pfn_to_page(before)))
		folio_pin_again(page_folio(pfn_to_page(pfn)));

	tail->first = page;
	tail->count = e->count - at;
	tail->users = e->users;
	tail->per_folio = e->per_folio;
	run_slice_split(&e->slice, at, &tail->slice);
	e->count = at;
	extent_insert(tree, tail);
}

/**
 * extent_cut_at() - make a page the first of an extent, if an extent has it
 * @tree: the tree
 * @page: the page
 * @gfp: for the new extent; with __GFP_NOFAIL the call does not fail
 *
 * Context: serialized by the tree's owner; may sleep.
 * Return: 0 or -ENOMEM.
 */
int extent_cut_at(struct extent_tree *tree, unsigned long page, gfp_t gfp)
{
	struct extent *e = extent_at(tree, page), *tail;

	if (!e || e->first >= page)
		return 0;
	tail = extent_alloc(tree, gfp);
	if (!tail)
		return -ENOMEM;
	extent_split(tree, e, page, tail);
	return 0;
}

/* Who pins every page of a large folio by itself has as many pins of it. */
static void unpin_run(unsigned long pfn, unsigned long count, bool per_folio, bool dirty)
{
	while (count) {
		struct page *page = pfn_to_page(pfn);
		struct folio *folio = page_folio(page);
		unsigned long n = 1;

		if (folio_test_large(folio))
			n = min_t(unsigned long, count,
				  folio_nr_pages(folio) - folio_page_idx(folio, page));
		pfn += n;
		count -= n;
		if (n > 1 && !per_folio) {
			unpin_user_page_range_dirty_lock(page, n, dirty);
			continue;
		}
		if (dirty && !folio_test_dirty(folio)) {
			folio_lock(folio);
			folio_mark_dirty(folio);
			folio_unlock(folio);
		}
		unpin_folio(folio);
	}
}

/**
 * extent_unpin_batch() - unpin what has been collected and is in no extent
 * @batch: the batch
 * @dirty: it was written to
 *
 * Context: may sleep.
 */
void extent_unpin_batch(struct pin_batch *batch, bool dirty)
{
	u32 i;

	for (i = 0; i < batch->runs.nruns; i++)
		unpin_run(batch->runs.runs[i].pfn, batch->runs.runs[i].count, batch->per_folio,
			  dirty);
}

/**
 * extent_free() - unpin an extent that is in no tree, and refund it
 * @tree: the tree
 * @e: the extent
 * @account: who was charged
 * @dirty: it may have been written to
 *
 * Context: may sleep.
 */
void extent_free(struct extent_tree *tree, struct extent *e, struct account *account, bool dirty)
{
	unsigned long pfn;
	u32 page, n;

	for (page = 0; page < e->count; page += n) {
		n = run_slice_at(&e->slice, page, e->count - page, &pfn);
		unpin_run(pfn, n, e->per_folio, dirty);
	}
	cond_resched();
	account_refund(account, e->count);
	run_slice_free(&e->slice);
	extent_drop(tree, e);
}
