/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extents: the pieces of a pages object that are pinned, each for the same
 * users. Boundaries between them are made where slices begin and end, and never
 * removed.
 */
#ifndef __IOMMUFD_EXTENT_H
#define __IOMMUFD_EXTENT_H

#include <linux/rbtree.h>

#include "pages.h"

struct folio;

struct extent *extent_alloc(struct pages *pages, gfp_t gfp);
void extent_drop(struct pages *pages, struct extent *e);
struct extent *extent_at(struct pages *pages, unsigned long page);
void extent_insert(struct pages *pages, struct extent *new);
int extent_cut_at(struct pages *pages, unsigned long page, gfp_t gfp);
void extent_free(struct pages *pages, struct extent *e, bool dirty);
void extent_unpin_batch(struct pin_batch *batch, bool dirty);
void folio_pin_again(struct folio *folio);

static inline struct extent *extent_next(struct extent *e)
{
	return rb_entry_safe(rb_next(&e->node), struct extent, node);
}

#endif
