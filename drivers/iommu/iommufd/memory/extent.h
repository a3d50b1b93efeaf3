/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extents: the pieces of a pages object that are pinned, each for the same
 * users. Boundaries between them are made where slices begin and end, and never
 * removed. The owner of a tree serializes its use.
 */
#ifndef __IOMMUFD_EXTENT_H
#define __IOMMUFD_EXTENT_H

#include <linux/gfp_types.h>
#include <linux/rbtree.h>

#include "run.h"

struct account;
struct folio;
struct page;

/**
 * struct pin_batch - one round of pinning
 * @runs: the pages pinned so far, in order
 * @pages: room for page pointers
 * @room: how many
 * @per_folio: each piece added holds one pin of its folio, and lies in it; else
 *	each page holds a pin
 */
struct pin_batch {
	struct run_builder runs;
	struct page **pages;
	unsigned int room;
	bool per_folio;
};

/**
 * struct extent - pages that are pinned for the same users
 * @node: in pages.extents
 * @unused: the next of those that nobody uses any more
 * @first: first page
 * @count: pages
 * @users: slices that cover it
 * @slice: the page frames
 * @per_folio: as in struct pin_batch
 */
struct extent {
	union {
		struct rb_node node;
		struct extent *unused;
	};
	unsigned long first;
	u32 count;
	u32 users;
	struct run_slice slice;
	bool per_folio;
};

/**
 * struct extent_tree - extents by page number, without overlap
 * @root: struct extent
 * @own: room for one, which is all that most trees have
 * @own_used: bit 0: @own is in use, in the tree or on its way there
 */
struct extent_tree {
	struct rb_root root;
	struct extent own;
	unsigned long own_used;
};

static inline void extent_tree_init(struct extent_tree *tree)
{
	tree->root = RB_ROOT;
	tree->own_used = 0;
}

struct extent *extent_alloc(struct extent_tree *tree, gfp_t gfp);
void extent_drop(struct extent_tree *tree, struct extent *e);
struct extent *extent_at(struct extent_tree *tree, unsigned long page);
void extent_insert(struct extent_tree *tree, struct extent *new);
int extent_cut_at(struct extent_tree *tree, unsigned long page, gfp_t gfp);
void extent_free(struct extent_tree *tree, struct extent *e, struct account *account, bool dirty);
void extent_unpin_batch(struct pin_batch *batch, bool dirty);
void folio_pin_again(struct folio *folio);

static inline struct extent *extent_next(struct extent *e)
{
	return rb_entry_safe(rb_next(&e->node), struct extent, node);
}

#endif
