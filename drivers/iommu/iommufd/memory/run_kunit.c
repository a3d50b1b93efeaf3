// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs against a plain array that has the page frame of every page.
 */
#include <kunit/test.h>
#include <linux/overflow.h>
#include <linux/prandom.h>

#include "run.h"

#define MAX_PAGES 2048
#define MAX_PIECES 40
#define SMALL 48
#define SAMPLES 2000

struct oracle {
	unsigned long pfn[MAX_PAGES];
	u32 npages;
};

struct piece {
	struct run_slice slice;
	u32 first;
	u32 count;
};

/**
 * struct pattern - how the pages lie
 * @name: of the test
 * @min: least pages of a run; 0: pages of two runs take turns
 * @max: most pages of a run
 * @bits: of the page frame of a run
 */
struct pattern {
	const char *name;
	u32 min;
	u32 max;
	unsigned int bits;
};

/* 0 to n - 1 */
static u32 below(struct rnd_state *rnd, u32 n)
{
	return prandom_u32_state(rnd) % n;
}

static unsigned long any_pfn(struct rnd_state *rnd, unsigned int bits)
{
	u64 pfn = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

	return pfn & (BIT_ULL(bits) - 1);
}

static void fill(struct oracle *o, const struct pattern *p, struct rnd_state *rnd)
{
	unsigned long other = any_pfn(rnd, p->bits), pfn = any_pfn(rnd, p->bits);
	u32 i, left = 0;

	for (i = 0; i < o->npages; i++, pfn++) {
		if (!p->min) {
			o->pfn[i] = i & 1 ? other++ : pfn;
			pfn -= i & 1;
			continue;
		}
		if (!left--) {
			left = p->min - 1 + below(rnd, p->max - p->min + 1);
			/* Long runs are huge pages, and may meet. */
			pfn = any_pfn(rnd, p->bits);
			if (p->min == 512)
				pfn &= ~511UL;
		}
		o->pfn[i] = pfn;
	}
}

static const struct pattern patterns[] = {
	{ "contiguous", MAX_PAGES, MAX_PAGES, 30 },
	{ "huge", 512, 512, 12 },
	{ "alternating", 0, 0, 30 },
	{ "fragmented", 1, 2, 24 },
	{ "close_together", 1, 3, 7 },
	{ "runs_at_the_packing_edge", 3, 5, 28 },
	{ "beyond_32_bits", 1, 1, 40 },
	{ "one_page_many_times", 1, 1, 0 },
};

#define HUGE (&patterns[1])
#define FRAGMENTED (&patterns[3])

KUNIT_ARRAY_PARAM_DESC(pattern, patterns, name);

/* How many of at most limit pages are contiguous from a page on. */
static u32 contiguous(const struct oracle *o, u32 page, u32 limit)
{
	u32 n = 1;

	while (n < limit && o->pfn[page + n] == o->pfn[page] + n)
		n++;
	return n;
}

/* The form that the storage must have, from the array alone. */
static void expect_form(struct kunit *test, const struct oracle *o, const struct run_slice *slice)
{
	unsigned long lo = ULONG_MAX, hi = 0;
	struct run_block *block = slice->block;
	u32 i, nruns = 1;
	bool packed;

	for (i = 0; i < o->npages; i++) {
		lo = min(lo, o->pfn[i]);
		hi = max(hi, o->pfn[i]);
		nruns += i && o->pfn[i] != o->pfn[i - 1] + 1;
	}
	if (nruns == 1) {
		KUNIT_ASSERT_NULL(test, block);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, block);
	packed = nruns * sizeof(struct run) > o->npages * sizeof(u32) && hi - lo <= U32_MAX;
	KUNIT_ASSERT_EQ(test, block->nruns, packed ? 0 : nruns);
	KUNIT_ASSERT_EQ(test, block->npages, o->npages);
	KUNIT_ASSERT_TRUE(test, run_block_check(block));
	if (hi - lo <= U32_MAX) {
		size_t bytes = packed ? struct_size(block, delta, block->npages) :
					struct_size(block, runs, block->nruns);

		KUNIT_EXPECT_LE(test, bytes, sizeof(*block) + 4 * o->npages);
	}
}

static void build(struct kunit *test, const struct oracle *o, struct rnd_state *rnd,
		  struct run_slice *slice)
{
	struct run_builder b;
	u32 page = 0;

	run_builder_init(&b);
	while (page < o->npages) {
		u32 n = 1 + below(rnd, contiguous(o, page, o->npages - page));

		KUNIT_ASSERT_EQ(test, run_builder_add(&b, o->pfn[page], n), 0);
		page += n;
		KUNIT_ASSERT_EQ(test, b.npages, page);
	}
	KUNIT_ASSERT_EQ(test, run_builder_finish(&b, slice), 0);
	run_builder_exit(&b);
	expect_form(test, o, slice);
}

static void expect_at(struct kunit *test, const struct oracle *o, const struct piece *p,
		      u32 page, u32 limit)
{
	unsigned long pfn = 0;
	u32 n = run_slice_at(&p->slice, page, limit, &pfn);

	KUNIT_ASSERT_EQ_MSG(test, pfn, o->pfn[p->first + page], "frame of page %u of %u", page,
			    p->count);
	KUNIT_ASSERT_EQ_MSG(test, n, contiguous(o, p->first + page, limit),
			    "page %u of %u, limit %u", page, p->count, limit);
}

/* Every page with every limit, or as many as may be looked at in a moment. */
static void expect_piece(struct kunit *test, const struct oracle *o, const struct piece *p,
			 struct rnd_state *rnd)
{
	u32 page, limit, i;

	if (p->slice.block)
		KUNIT_ASSERT_TRUE(test, run_block_check(p->slice.block));
	if (p->count <= SMALL) {
		for (page = 0; page < p->count; page++)
			for (limit = 1; limit <= p->count - page; limit++)
				expect_at(test, o, p, page, limit);
		return;
	}
	for (page = 0; page < p->count; page++)
		expect_at(test, o, p, page, p->count - page);
	for (i = 0; i < SAMPLES; i++) {
		page = below(rnd, p->count);
		expect_at(test, o, p, page, 1 + below(rnd, p->count - page));
	}
}

static void expect_refs(struct kunit *test, const struct piece *p, u32 nr)
{
	if (nr && p->slice.block)
		KUNIT_ASSERT_EQ(test, refcount_read(&p->slice.block->refs), nr);
}

/* Build, cut at random places, and drop the pieces in random order. */
static void walk(struct kunit *test, const struct oracle *o, struct rnd_state *rnd)
{
	struct piece *pieces = kunit_kcalloc(test, MAX_PIECES, sizeof(*pieces), GFP_KERNEL);
	u32 nr = 1, i;

	KUNIT_ASSERT_NOT_NULL(test, pieces);
	build(test, o, rnd, &pieces[0].slice);
	pieces[0].count = o->npages;
	expect_piece(test, o, &pieces[0], rnd);

	for (i = 0; i < MAX_PIECES * 2 && nr < MAX_PIECES; i++) {
		struct piece *p = &pieces[below(rnd, nr)], *tail = &pieces[nr];
		u32 at;

		if (p->count < 2)
			continue;
		at = 1 + below(rnd, p->count - 1);
		run_slice_split(&p->slice, at, &tail->slice);
		*tail = (struct piece){ tail->slice, p->first + at, p->count - at };
		p->count = at;
		nr++;
		expect_refs(test, p, nr);
		expect_piece(test, o, p, rnd);
		expect_piece(test, o, tail, rnd);
	}
	while (nr) {
		i = below(rnd, nr);
		run_slice_free(&pieces[i].slice);
		pieces[i] = pieces[--nr];
		expect_refs(test, &pieces[0], nr);
		if (nr)
			expect_piece(test, o, &pieces[below(rnd, nr)], rnd);
	}
	kunit_kfree(test, pieces);
}

static void run_walk(struct kunit *test)
{
	static const u32 sizes[] = { 1, 2, 3, 5, 31, 33, SMALL, 512, 1000, MAX_PAGES };
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	const struct pattern *pattern = test->param_value;
	struct rnd_state rnd;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	prandom_seed_state(&rnd, 6012);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		o->npages = sizes[i];
		fill(o, pattern, &rnd);
		walk(test, o, &rnd);
	}
}

/* A distance of 32 bits is the most that the packed form can tell. */
static void run_packed_span(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	struct rnd_state rnd;
	u32 extra;

	if (BITS_PER_LONG == 32)
		kunit_skip(test, "no page frame has more than 32 bits");
	KUNIT_ASSERT_NOT_NULL(test, o);
	prandom_seed_state(&rnd, 1);
	for (extra = 0; extra < 2; extra++) {
		struct piece p = { .count = 4 };

		/* The third follows the second in 32 bits, not in truth. */
		o->npages = 4;
		o->pfn[0] = 7;
		o->pfn[1] = 7UL + U32_MAX + extra;
		o->pfn[2] = 7;
		o->pfn[3] = 9;
		build(test, o, &rnd, &p.slice);
		KUNIT_EXPECT_EQ(test, !p.slice.block->nruns, !extra);
		expect_piece(test, o, &p, &rnd);
		run_slice_free(&p.slice);
	}
}

/* What run_block_check() is for: each kind of damage is seen. */
static void run_check_sees_damage(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	struct run_slice slice;
	struct run_block *block;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, o);
	prandom_seed_state(&rnd, 2);
	o->npages = 1024;
	fill(o, HUGE, &rnd);
	o->pfn[512] = o->pfn[511] + 2;	/* two runs at least, not adjacent */
	build(test, o, &rnd, &slice);
	block = slice.block;
	KUNIT_ASSERT_GE(test, block->nruns, 2);

#define DAMAGE(field, value)						\
	do {								\
		__auto_type at = &(field);				\
		typeof(*at) old = *at;					\
									\
		*at = value;						\
		KUNIT_EXPECT_FALSE(test, run_block_check(block));	\
		*at = old;						\
		KUNIT_EXPECT_TRUE(test, run_block_check(block));	\
	} while (0)

	DAMAGE(block->npages, 1023);
	DAMAGE(block->runs[1].first, 511);
	DAMAGE(block->runs[1].first, 513);
	DAMAGE(block->runs[0].count, 0);
	DAMAGE(block->runs[0].count, 513);
	DAMAGE(block->runs[1].pfn, block->runs[0].pfn + block->runs[0].count);
	run_slice_free(&slice);

	fill(o, FRAGMENTED, &rnd);
	build(test, o, &rnd, &slice);
	block = slice.block;
	KUNIT_ASSERT_EQ(test, block->nruns, 0);
	DAMAGE(block->npages, 0);
	run_slice_free(&slice);
}

static struct kunit_case run_cases[] = {
	KUNIT_CASE_PARAM(run_walk, pattern_gen_params),
	KUNIT_CASE(run_packed_span),
	KUNIT_CASE(run_check_sees_damage),
	{}
};

static struct kunit_suite run_suite = {
	.name = "iommufd_run",
	.test_cases = run_cases,
};

kunit_test_suite(run_suite);
