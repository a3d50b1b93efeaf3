// SPDX-License-Identifier: GPL-2.0-only
/*
 * A source of pages for the tests: keeps to the contract of struct pages_source
 * and is as awkward as that allows. Each round gives out a random part of what
 * was asked for.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "pages_fake_kunit.h"

/**
 * fake_pins() - how many pins a folio has
 * @folio: the folio; one reference of it is the test's
 *
 * Return: their number.
 */
u32 fake_pins(struct folio *folio)
{
	return folio_test_large(folio) ? atomic_read(&folio->_pincount) :
					 folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS;
}

static void pin_once(struct folio *folio)
{
	if (folio_test_large(folio)) {
		folio_ref_inc(folio);
		atomic_inc(&folio->_pincount);
	} else {
		folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	}
	mod_node_page_state(folio_pgdat(folio), NR_FOLL_PIN_ACQUIRED, 1);
}

/* Pages from i on that one pin holds: of a folio all that is wanted and allowed. */
static u32 piece(const struct fake *fake, u32 i, u32 end)
{
	struct folio *folio = page_folio(fake->page[i]);

	if (!fake->per_folio[i])
		return 1;
	if (fake->fail_at > i)
		end = min(end, fake->fail_at);
	return min_t(u32, end - i, folio_nr_pages(folio) - folio_page_idx(folio, fake->page[i]));
}

static long fake_pin(struct pages *pages, unsigned long first, unsigned long count,
		     struct pin_batch *batch)
{
	struct fake *fake = (struct fake *)pages->base;
	u32 enough = first + 1 + prandom_u32_state(&fake->rnd) % count, i, n;
	struct part inner = fake->inner;

	fake->inner.count = 0;
	if (inner.count && pages_pin(pages, inner.first, inner.count))
		return -EINVAL;
	if (!batch->runs.npages)
		batch->per_folio = fake->per_folio[first];
	for (i = first; i < enough; i += n) {
		if (i == fake->fail_at)
			return i > first ? i - first : -EIO;
		if (fake->per_folio[i] != batch->per_folio)
			break;
		n = piece(fake, i, first + count);
		if (run_builder_add(&batch->runs, page_to_pfn(fake->page[i]), n))
			return -ENOMEM;
		pin_once(page_folio(fake->page[i]));
	}
	return i - first;
}

static const struct pages_source fake_source = { .pin = fake_pin };

/**
 * fake_pages() - a pages object of all the memory
 * @fake: the memory, which outlives the object
 * @account: who pays
 *
 * Return: the object, or NULL when memory is short.
 */
struct pages *fake_pages(struct fake *fake, struct account *account)
{
	struct pages *pages = pages_alloc(&fake_source, account, FAKE_PAGES, true);

	if (pages)
		pages->base = (unsigned long)fake;
	return pages;
}

/**
 * fake_init() - allocate the memory
 * @fake: zeroed
 * @kind: how it shall lie
 *
 * Return: 0 or -ENOMEM.
 */
int fake_init(struct fake *fake, const struct fake_kind *kind)
{
	u32 n = 1U << kind->order, i, k;

	for (i = 0; i < FAKE_PAGES; i += n) {
		bool single = kind->split || (kind->mixed && i / n % 2);
		struct page *page;

		if (kind->twice && i / n % 2)
			page = fake->page[i - n];
		else
			page = alloc_pages(GFP_KERNEL | (single ? 0 : __GFP_COMP), kind->order);
		if (!page)
			return -ENOMEM;
		if (single && kind->order)
			split_page(page, kind->order);
		for (k = 0; k < n; k++) {
			fake->page[i + k] = page + k;
			fake->per_folio[i + k] = kind->per_folio && !single;
		}
	}
	fake->fail_at = FAKE_NEVER;
	prandom_seed_state(&fake->rnd, 17);
	return 0;
}

/**
 * fake_exit() - free the memory
 * @fake: the memory
 *
 * Return: false if somebody has a pin or a reference left.
 */
bool fake_exit(struct fake *fake)
{
	bool idle = true;
	u32 i, n;

	for (i = 0; i < FAKE_PAGES; i += n) {
		struct folio *folio = page_folio(fake->page[i]);

		n = folio_nr_pages(folio);
		if (i + n < FAKE_PAGES && fake->page[i + n] == fake->page[i])
			continue;
		idle &= !fake_pins(folio) && folio_ref_count(folio) == 1;
		folio_put(folio);
	}
	return idle;
}
