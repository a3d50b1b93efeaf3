/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a test owns, and a source that gives it out as the test says.
 */
#ifndef __IOMMUFD_PAGES_FAKE_KUNIT_H
#define __IOMMUFD_PAGES_FAKE_KUNIT_H

#include <linux/prandom.h>

#include "pages.h"

struct kunit;
struct folio;

#define FAKE_PAGES 160
#define FAKE_NEVER FAKE_PAGES

/**
 * struct fake_kind - how the memory lies
 * @name: of the test
 * @order: of its folios
 * @split: into pages that are folios, and still contiguous
 * @per_folio: one pin for each piece of a folio
 * @mixed: every other folio is of single pages, with a pin each
 * @twice: every other folio is the one before, once more
 */
struct fake_kind {
	const char *name;
	unsigned int order;
	bool split;
	bool per_folio;
	bool mixed;
	bool twice;
};

struct part {
	u32 first;
	u32 count;
};

/**
 * struct fake - the memory and what the source does
 * @page: by page number
 * @per_folio: how each is pinned
 * @fail_at: page that the source refuses, or FAKE_NEVER
 * @inner: pages that somebody else pins, once, while the source is asked
 * @rnd: decides how much is given out at once
 */
struct fake {
	struct page *page[FAKE_PAGES];
	bool per_folio[FAKE_PAGES];
	u32 fail_at;
	struct part inner;
	struct rnd_state rnd;
};

int fake_init(struct fake *fake, const struct fake_kind *kind);
bool fake_exit(struct fake *fake);
struct pages *fake_pages(struct fake *fake, struct account *account);
u32 fake_pins(struct folio *folio);

#endif
