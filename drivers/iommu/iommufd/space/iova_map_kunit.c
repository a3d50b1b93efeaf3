// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of areas against an array that has the owner of every byte.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "iova_map.h"

#define UNIVERSE 4096
#define STEPS 3000

/**
 * struct world - a map and what must be in it
 * @map: the map
 * @rnd: what the next step is
 * @base: first address of the universe
 * @owner: of each byte from there on
 * @nr: areas there are
 */
struct world {
	struct iova_map map;
	struct rnd_state rnd;
	unsigned long base;
	struct area *owner[UNIVERSE];
	u32 nr;
};

struct place {
	const char *name;
	unsigned long base;
};

static const struct place places[] = {
	{ "from_zero", 0 },
	{ "to_the_last_address", ULONG_MAX - UNIVERSE + 1 },
	{ "across_4_gib", (unsigned long)(SZ_4G - UNIVERSE / 2) },
	{ "anywhere_unaligned", 0x12345677 },
};

KUNIT_ARRAY_PARAM_DESC(place, places, name);

/* 0 to n - 1 */
static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static struct world *make_world(struct kunit *test, unsigned long base)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->base = base;
	prandom_seed_state(&w->rnd, 42);
	iova_map_init(&w->map);
	return w;
}

/* The first byte of a range that is owned, or UNIVERSE. */
static u32 first_owned(const struct world *w, u32 from, u32 to)
{
	u32 i;

	for (i = from; i <= to; i++)
		if (w->owner[i])
			return i;
	return UNIVERSE;
}

static void insert(struct kunit *test, struct world *w, u32 from, u32 to)
{
	bool taken = first_owned(w, from, to) != UNIVERSE;
	struct area *area = kzalloc(sizeof(*area), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, area);
	area->iova.start = w->base + from;
	area->iova.last = w->base + to;
	KUNIT_ASSERT_EQ_MSG(test, iova_map_insert(&w->map, area), taken ? -EEXIST : 0,
			    "%u to %u", from, to);
	if (taken) {
		kfree(area);
		return;
	}
	w->nr++;
	for (i = from; i <= to; i++)
		w->owner[i] = area;
}

/* Every area that touches the range, whatever it has beyond. */
static void erase(struct kunit *test, struct world *w, u32 from, u32 to)
{
	struct area *area;
	u32 i;

	for (i = from; i <= to; i++) {
		area = w->owner[i];
		if (!area)
			continue;
		from = area->iova.start - w->base;
		i = area->iova.last - w->base;
		iova_map_erase(&w->map, area);
		memset(w->owner + from, 0, (i - from + 1) * sizeof(w->owner[0]));
		kfree(area);
		w->nr--;
		KUNIT_ASSERT_TRUE(test, iova_map_check(&w->map));
	}
}

static void expect_next(struct kunit *test, struct world *w, u32 from, u32 to)
{
	u32 at = first_owned(w, from, to);
	struct area *want = at == UNIVERSE ? NULL : w->owner[at];

	KUNIT_ASSERT_PTR_EQ(test, iova_map_next(&w->map, w->base + from, w->base + to), want);
}

/* The walk over a range gives the areas that touch it, each once, in order. */
static void expect_areas(struct kunit *test, struct world *w, u32 from, u32 to)
{
	u32 at = first_owned(w, from, to);
	struct area *area;

	KUNIT_ASSERT_TRUE(test, iova_map_check(&w->map));
	iova_map_for_each(&w->map, area, w->base + from, w->base + to) {
		KUNIT_ASSERT_LT(test, at, UNIVERSE);
		KUNIT_ASSERT_PTR_EQ(test, area, w->owner[at]);
		at = area->iova.last - w->base;
		at = at < to ? first_owned(w, at + 1, to) : UNIVERSE;
	}
	KUNIT_ASSERT_EQ(test, at, UNIVERSE);
}

/* By trying every address of the window; UNIVERSE if there is none. */
static u32 lowest_fit(const struct world *w, u32 from, u32 to, const struct iova_hole *hole)
{
	u32 i, run = 0, best = UNIVERSE;

	/* Backwards, with the length of the hole that begins at each byte. */
	for (i = to + 1; i-- > from;) {
		run = w->owner[i] ? 0 : run + 1;
		if (run >= hole->length && (w->base + i) % hole->align == hole->skew)
			best = i;
	}
	return best;
}

static bool expect_hole(struct kunit *test, struct world *w, u32 from, u32 to,
			const struct iova_hole *hole)
{
	struct iova_range window = { w->base + from, w->base + to };
	u32 want = lowest_fit(w, from, to, hole);
	unsigned long got = 1;
	int rc;

	rc = iova_map_find_hole(&w->map, &window, hole, &got);
	KUNIT_ASSERT_EQ_MSG(test, rc, want == UNIVERSE ? -ENOSPC : 0,
			    "%lu bytes in %u to %u, align %lu skew %lu, fit at %u", hole->length,
			    from, to, hole->align, hole->skew, want);
	if (rc)
		return false;
	KUNIT_ASSERT_EQ_MSG(test, got - w->base, want,
			    "%lu bytes in %u to %u, align %lu skew %lu", hole->length,
			    from, to, hole->align, hole->skew);
	return true;
}

static void random_hole(struct world *w, struct iova_hole *hole)
{
	hole->length = 1 + below(w, below(w, 8) ? 64 : UNIVERSE);
	hole->align = 1UL << below(w, below(w, 4) ? 7 : 14);
	hole->skew = below(w, 2) ? 0 : below(w, hole->align);
}

/* A window at either end, or somewhere. */
static void random_span(struct world *w, u32 most, u32 *from, u32 *to)
{
	u32 len = 1 + below(w, most);

	switch (below(w, 8)) {
	case 0:
		*from = 0;
		break;
	case 1:
		*from = UNIVERSE - len;
		break;
	default:
		*from = below(w, UNIVERSE - len + 1);
	}
	*to = *from + len - 1;
}

static void map_walk(struct kunit *test)
{
	const struct place *place = test->param_value;
	struct world *w = make_world(test, place->base);
	u32 step, from, to, found = 0, none = 0;
	struct iova_hole hole;

	for (step = 0; step < STEPS; step++) {
		/* Fill up for some time, then thin out for some time. */
		bool filling = step / 300 % 2 == 0;

		if (below(w, 4) == 0 ? !filling : filling) {
			random_span(w, 40, &from, &to);
			insert(test, w, from, to);
		} else {
			random_span(w, below(w, 50) ? 60 : UNIVERSE, &from, &to);
			erase(test, w, from, to);
		}
		expect_areas(test, w, 0, UNIVERSE - 1);
		random_span(w, 100, &from, &to);
		expect_next(test, w, from, to);
		expect_areas(test, w, from, to);
		random_span(w, UNIVERSE, &from, &to);
		random_hole(w, &hole);
		if (expect_hole(test, w, from, to, &hole))
			found++;
		else
			none++;
	}
	/* The walk is worth nothing if it has seen but one answer. */
	KUNIT_EXPECT_GT(test, found, STEPS / 20);
	KUNIT_EXPECT_GT(test, none, STEPS / 20);

	erase(test, w, 0, UNIVERSE - 1);
	expect_areas(test, w, 0, UNIVERSE - 1);
}

/* What is found is inserted until nothing fits: the map ends full. */
static void map_fill(struct kunit *test)
{
	const struct place *place = test->param_value;
	struct world *w = make_world(test, place->base);
	struct iova_range window = { w->base, w->base + UNIVERSE - 1 };
	struct iova_hole hole = { .length = 64, .align = 1 };
	unsigned long iova;

	while (hole.length) {
		u32 at = lowest_fit(w, 0, UNIVERSE - 1, &hole);

		if (!expect_hole(test, w, 0, UNIVERSE - 1, &hole)) {
			hole.length /= 2;
			continue;
		}
		insert(test, w, at, at + hole.length - 1);
		if (below(w, 8) == 0)
			erase(test, w, below(w, at + 1), at);
	}
	expect_areas(test, w, 0, UNIVERSE - 1);
	KUNIT_EXPECT_EQ(test, first_owned(w, 0, 0), 0);
	hole.length = 1;
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &window, &hole, &iova), -ENOSPC);
	erase(test, w, 0, UNIVERSE - 1);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->map.root));
}

/* Windows and areas as large as an address can tell. */
static void map_whole_space(struct kunit *test)
{
	struct iova_range all = { 0, ULONG_MAX };
	struct iova_hole hole = { .length = ULONG_MAX, .align = 1 };
	struct area low = { .iova = { 0, 0 } };
	struct area high = { .iova = { ULONG_MAX, ULONG_MAX } };
	struct world *w = make_world(test, 0);
	unsigned long iova = 1;

	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 0);
	KUNIT_EXPECT_EQ(test, iova_map_insert(&w->map, &low), 0);
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 1);
	KUNIT_EXPECT_EQ(test, iova_map_insert(&w->map, &high), 0);
	KUNIT_EXPECT_EQ(test, iova_map_insert(&w->map, &high), -EEXIST);
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), -ENOSPC);
	hole.align = 1UL << (BITS_PER_LONG - 1);
	hole.length = hole.align - 1;
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, hole.align);
	hole.skew = hole.align - 1;
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, hole.skew);
	hole.length++;
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), 0);
	hole.length++;
	KUNIT_EXPECT_EQ(test, iova_map_find_hole(&w->map, &all, &hole, &iova), -ENOSPC);
	KUNIT_EXPECT_PTR_EQ(test, iova_map_next(&w->map, 0, ULONG_MAX), &low);
	KUNIT_EXPECT_PTR_EQ(test, iova_map_next(&w->map, 1, ULONG_MAX), &high);
	KUNIT_EXPECT_NULL(test, iova_map_next(&w->map, 1, ULONG_MAX - 1));
	iova_map_erase(&w->map, &low);
	KUNIT_EXPECT_PTR_EQ(test, iova_map_next(&w->map, 0, ULONG_MAX), &high);
	iova_map_erase(&w->map, &high);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&w->map.root));
}

static void map_check_sees_damage(struct kunit *test)
{
	struct world *w = make_world(test, 0);
	struct area *area;

	insert(test, w, 100, 199);
	insert(test, w, 200, 299);
	area = w->owner[200];
	KUNIT_EXPECT_TRUE(test, iova_map_check(&w->map));

#define DAMAGE(field, value)						\
	do {								\
		__auto_type at = &(field);				\
		typeof(*at) old = *at;					\
									\
		*at = value;						\
		KUNIT_EXPECT_FALSE(test, iova_map_check(&w->map));	\
		*at = old;						\
		KUNIT_EXPECT_TRUE(test, iova_map_check(&w->map));	\
	} while (0)

	DAMAGE(area->iova.start, 199);
	DAMAGE(area->iova.start, 201);
	DAMAGE(area->iova.last, 199);
	DAMAGE(w->owner[100]->iova.last, 200);
	DAMAGE(w->owner[100]->hole, 99);
	DAMAGE(w->owner[100]->max_hole, 101);
	DAMAGE(area->max_hole, 1);
	erase(test, w, 0, UNIVERSE - 1);
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE_PARAM(map_walk, place_gen_params),
	KUNIT_CASE_PARAM(map_fill, place_gen_params),
	KUNIT_CASE(map_whole_space),
	KUNIT_CASE(map_check_sees_damage),
	{}
};

static struct kunit_suite map_suite = {
	.name = "iommufd_iova_map",
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
