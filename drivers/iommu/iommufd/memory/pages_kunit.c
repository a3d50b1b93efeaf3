// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages objects against a count of users per page. The memory is real, given
 * out by a source that the test drives.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sched/user.h>

#include "account.h"
#include "extent.h"
#include "pages_fake_kunit.h"

#define PAGES FAKE_PAGES
#define MOST_SLICES 24
#define STEPS 2000

static const struct fake_kind kinds[] = {
	{ "single_pages", 0 },
	{ "contiguous_single_pages", 3, .split = true },
	{ "large_folios_pinned_by_page", 3 },
	{ "large_folios", 4, .per_folio = true },
	{ "large_and_single", 3, .per_folio = true, .mixed = true },
	{ "large_folios_twice_each", 3, .per_folio = true, .twice = true },
};

KUNIT_ARRAY_PARAM_DESC(kind, kinds, name);

/**
 * struct world - a pages object and what must be true of it
 * @rnd: what the next step is
 * @fake: the memory
 * @pages: all of it
 * @payers: where @account is
 * @account: who pays
 * @locked: what that user has locked elsewhere
 * @users: of each page
 * @slices: what is pinned, each to be released once
 * @nr_slices: how many
 */
struct world {
	struct rnd_state rnd;
	struct fake fake;
	struct pages *pages;
	struct payers *payers;
	struct account *account;
	long locked;
	u32 users[PAGES];
	struct part slices[MOST_SLICES];
	u32 nr_slices;
};

/* 0 to n - 1 */
static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static struct world *make_world(struct kunit *test, const struct fake_kind *kind)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned long addr;

	KUNIT_ASSERT_NOT_NULL(test, w);
	/* For the mm that comes with it: an account is of a process. */
	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ, MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr) || !addr);
	w->payers = payers_new();
	KUNIT_ASSERT_NOT_NULL(test, w->payers);
	w->account = account_new(w->payers, false);
	KUNIT_ASSERT_NOT_NULL(test, w->account);
	/* A thread of the kernel has every capability. */
	w->account->payer.unlimited = false;
	w->locked = atomic_long_read(&current_user()->locked_vm);
	prandom_seed_state(&w->rnd, 31);
	KUNIT_ASSERT_EQ(test, fake_init(&w->fake, kind), 0);
	w->pages = fake_pages(&w->fake, w->account);
	KUNIT_ASSERT_NOT_NULL(test, w->pages);
	return w;
}

static void end_world(struct kunit *test, struct world *w)
{
	KUNIT_EXPECT_EQ(test, atomic_long_read(&current_user()->locked_vm), w->locked);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w->account->payer.mm->pinned_vm), 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->pages->extents.root));
	pages_put(w->pages);
	account_put(w->account);
	payers_free(w->payers);
	KUNIT_EXPECT_TRUE(test, fake_exit(&w->fake));
}

static u32 pinned_pages(const struct world *w)
{
	u32 i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += !!w->users[i];
	return n;
}

/* Users by page, and how many pins each folio must have, from the extents. */
static void expect_extents(struct kunit *test, struct world *w)
{
	struct page *pins[PAGES];
	struct rb_node *node;
	u32 seen[PAGES] = {}, nr = 0, i, k;

	for (node = rb_first(&w->pages->extents.root); node; node = rb_next(node)) {
		struct extent *e = rb_entry(node, struct extent, node);

		for (i = e->first; i < e->first + e->count; i++) {
			struct page *head = &page_folio(w->fake.page[i])->page;

			seen[i] = e->users;
			KUNIT_ASSERT_EQ(test, e->per_folio, w->fake.per_folio[i]);
			if (!e->per_folio || i == e->first || head == w->fake.page[i])
				pins[nr++] = head;
		}
	}
	KUNIT_ASSERT_MEMEQ(test, seen, w->users, sizeof(seen));
	for (i = 0; i < PAGES; i++) {
		struct page *head = &page_folio(w->fake.page[i])->page;
		u32 want = 0;

		for (k = 0; k < nr; k++)
			want += pins[k] == head;
		KUNIT_ASSERT_EQ_MSG(test, fake_pins(page_folio(head)), want, "page %u", i);
	}
}

/* What a walk over a pinned slice gives: each frame, in pieces as long as can be. */
static void expect_iter(struct kunit *test, struct world *w, const struct part *s)
{
	u32 page = s->first, end = s->first + s->count, k;
	struct pages_iter it;
	unsigned long pfn, n;

	pages_iter_init(&it, w->pages, s->first, s->count);
	while ((n = pages_iter_next(&it, &pfn))) {
		KUNIT_ASSERT_LE(test, page + n, end);
		for (k = 0; k < n; k++)
			KUNIT_ASSERT_EQ(test, pfn + k, page_to_pfn(w->fake.page[page + k]));
		page += n;
		if (page < end)
			KUNIT_ASSERT_NE(test, pfn + n, page_to_pfn(w->fake.page[page]));
	}
	KUNIT_ASSERT_EQ(test, page, end);
}

static void expect_all(struct kunit *test, struct world *w)
{
	u32 pinned = pinned_pages(w), i;

	mutex_lock(&w->pages->lock);
	KUNIT_ASSERT_TRUE(test, pages_check(w->pages));
	expect_extents(test, w);
	for (i = 0; i < w->nr_slices; i++)
		expect_iter(test, w, &w->slices[i]);
	mutex_unlock(&w->pages->lock);
	KUNIT_ASSERT_EQ(test, atomic_long_read(&current_user()->locked_vm), w->locked + pinned);
	KUNIT_ASSERT_EQ(test, atomic64_read(&w->account->payer.mm->pinned_vm), pinned);
}

static void count_users(struct world *w, struct part s, int by)
{
	while (s.count--)
		w->users[s.first++] += by;
}

/* Pin somewhere; it fails if the source has to give the page that it refuses. */
static void pin_random(struct kunit *test, struct world *w)
{
	struct part s = { .first = below(w, PAGES) };
	bool fails;
	int rc;

	s.count = 1 + below(w, min_t(u32, PAGES - s.first, below(w, 4) ? 20 : PAGES));
	w->fake.fail_at = below(w, 3) ? FAKE_NEVER : s.first + below(w, s.count);
	fails = w->fake.fail_at != FAKE_NEVER && !w->users[w->fake.fail_at];
	rc = pages_pin(w->pages, s.first, s.count);
	w->fake.fail_at = FAKE_NEVER;
	KUNIT_ASSERT_EQ_MSG(test, rc, fails ? -EIO : 0, "%u from %u", s.count, s.first);
	if (rc)
		return;
	count_users(w, s, 1);
	w->slices[w->nr_slices++] = s;
}

/* Release a slice, or one end of it. */
static void release_random(struct world *w)
{
	u32 nr = below(w, w->nr_slices);
	struct part *s = &w->slices[nr], part = *s;

	if (s->count > 1 && below(w, 2)) {
		part.count = 1 + below(w, s->count - 1);
		s->count -= part.count;
		if (below(w, 2))
			s->first += part.count;
		else
			part.first += s->count;
	} else {
		*s = w->slices[--w->nr_slices];
	}
	pages_release(w->pages, part.first, part.count);
	count_users(w, part, -1);
}

static void pages_walk(struct kunit *test)
{
	struct world *w = make_world(test, test->param_value);
	u32 step;

	for (step = 0; step < STEPS; step++) {
		bool full = w->nr_slices == MOST_SLICES;

		/* Now and then all is let go, so that memory is pinned anew. */
		if (!full && (!w->nr_slices || (step / 200 % 2 ? below(w, 3) == 0 : below(w, 2))))
			pin_random(test, w);
		else
			release_random(w);
		expect_all(test, w);
	}
	while (w->nr_slices) {
		release_random(w);
		expect_all(test, w);
	}
	end_world(test, w);
}

/* Somebody else pins the same pages, or some of them, while this pin waits. */
static void pages_pin_twice_at_once(struct kunit *test)
{
	static const struct part inner[] = {
		{ 8, 32 }, { 0, 64 }, { 8, 1 }, { 39, 1 }, { 20, 99 },
	};
	struct world *w = make_world(test, test->param_value);
	struct part outer = { 8, 32 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(inner); i++) {
		w->fake.inner = inner[i];
		KUNIT_ASSERT_EQ(test, pages_pin(w->pages, outer.first, outer.count), 0);
		count_users(w, outer, 1);
		count_users(w, inner[i], 1);
		expect_all(test, w);
		pages_release(w->pages, outer.first, outer.count);
		count_users(w, outer, -1);
		expect_all(test, w);
		pages_release(w->pages, inner[i].first, inner[i].count);
		count_users(w, inner[i], -1);
		expect_all(test, w);
	}
	end_world(test, w);
}

/* What pages_check() is for: each kind of damage is seen. */
static void pages_check_sees_damage(struct kunit *test)
{
	struct world *w = make_world(test, &kinds[0]);
	struct extent *e, *next;

	KUNIT_ASSERT_EQ(test, pages_pin(w->pages, 4, 4), 0);
	KUNIT_ASSERT_EQ(test, pages_pin(w->pages, PAGES - 4, 4), 0);
	mutex_lock(&w->pages->lock);
	e = rb_entry(rb_first(&w->pages->extents.root), struct extent, node);
	next = rb_entry(rb_next(&e->node), struct extent, node);

#define DAMAGE(field, value)						\
	do {								\
		__auto_type at = &(field);				\
		typeof(*at) old = *at;					\
									\
		*at = value;						\
		KUNIT_EXPECT_FALSE(test, pages_check(w->pages));	\
		*at = old;						\
		KUNIT_EXPECT_TRUE(test, pages_check(w->pages));		\
	} while (0)

	DAMAGE(e->count, 0);
	DAMAGE(e->users, 0);
	DAMAGE(next->first, 7);
	DAMAGE(next->first, PAGES - 3);
	if (e->slice.block) {
		DAMAGE(e->count, 5);
		DAMAGE(e->slice.block->npages, 0);
	}
	mutex_unlock(&w->pages->lock);
	pages_release(w->pages, 4, 4);
	pages_release(w->pages, PAGES - 4, 4);
	end_world(test, w);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE_PARAM(pages_walk, kind_gen_params),
	KUNIT_CASE_PARAM(pages_pin_twice_at_once, kind_gen_params),
	KUNIT_CASE(pages_check_sees_damage),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "iommufd_pages",
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
