// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits against one bit per address. There are too many addresses for that, so
 * the whole space is cut into cells, some of one address, and ranges go from
 * cell to cell.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "iova_limits.h"

#define CELLS 24
#define STEPS 1500
#define MOST_RESERVED 20
#define OWNERS 5

/**
 * struct span - what one call reserved
 * @from: first cell
 * @to: last cell
 * @owner: who, 0 to OWNERS - 1
 */
struct span {
	u32 from;
	u32 to;
	u32 owner;
};

/**
 * struct world - limits and what they must be
 * @limits: the limits
 * @rnd: what the next step is
 * @edge: first address of each cell; the last cell ends with the last address
 * @spans: what is reserved
 * @nr_spans: how many
 * @allowed: cells of the user's list
 * @nr_allowed: entries of that list
 * @owners: the address of each stands for one
 */
struct world {
	struct iova_limits limits;
	struct rnd_state rnd;
	unsigned long edge[CELLS];
	struct span spans[MOST_RESERVED];
	u32 nr_spans;
	DECLARE_BITMAP(allowed, CELLS);
	u32 nr_allowed;
	char owners[OWNERS];
};

/* 0 to n - 1 */
static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static struct world *make_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	prandom_seed_state(&w->rnd, 7);
	KUNIT_ASSERT_EQ(test, iova_limits_init(&w->limits), 0);
	/* Single addresses at both ends, large pieces between. */
	for (i = 0; i < CELLS; i++) {
		if (i < CELLS / 3)
			w->edge[i] = i;
		else if (i > CELLS - CELLS / 3)
			w->edge[i] = ULONG_MAX - (CELLS - 1 - i);
		else
			w->edge[i] = (ULONG_MAX / CELLS) * i;
	}
	return w;
}

static struct iova_range cells(const struct world *w, u32 from, u32 to)
{
	return (struct iova_range){
		.start = w->edge[from],
		.last = to == CELLS - 1 ? ULONG_MAX : w->edge[to + 1] - 1,
	};
}

static void reserved_cells(const struct world *w, unsigned long *map)
{
	u32 i;

	bitmap_zero(map, CELLS);
	for (i = 0; i < w->nr_spans; i++)
		bitmap_set(map, w->spans[i].from, w->spans[i].to - w->spans[i].from + 1);
}

/* The usable list is the runs of clear bits, in order, each as long as can be. */
static void expect_usable_list(struct kunit *test, struct world *w, const unsigned long *taken)
{
	const struct iova_range *windows;
	u32 from, to, nr = 0;

	for (from = 0; from < CELLS; from = to + 1) {
		struct iova_range want;

		to = from;
		if (test_bit(from, taken))
			continue;
		while (to + 1 < CELLS && !test_bit(to + 1, taken))
			to++;
		want = cells(w, from, to);
		KUNIT_ASSERT_LT(test, nr, w->limits.nr_usable);
		KUNIT_ASSERT_EQ(test, w->limits.usable[nr].start, want.start);
		KUNIT_ASSERT_EQ(test, w->limits.usable[nr].last, want.last);
		nr++;
	}
	KUNIT_ASSERT_EQ(test, w->limits.nr_usable, nr);
	KUNIT_ASSERT_GE(test, w->limits.room_usable, w->limits.nr_reserved + 1);
	KUNIT_ASSERT_EQ(test, w->limits.nr_reserved, w->nr_spans);
	if (!w->nr_allowed) {
		KUNIT_ASSERT_EQ(test, iova_limits_windows(&w->limits, &windows), nr);
		KUNIT_ASSERT_PTR_EQ(test, windows, (const struct iova_range *)w->limits.usable);
	}
}

static void expect_all(struct kunit *test, struct world *w)
{
	DECLARE_BITMAP(taken, CELLS);
	u32 from, to;

	reserved_cells(w, taken);
	expect_usable_list(test, w, taken);
	for (from = 0; from < CELLS; from++) {
		for (to = from; to < CELLS; to++) {
			struct iova_range range = cells(w, from, to);
			bool usable = find_next_bit(taken, to + 1, from) > to;

			KUNIT_ASSERT_EQ_MSG(test, iova_limits_usable(&w->limits, &range), usable,
					    "cells %u to %u", from, to);
		}
	}
}

/* The user's list as it is handed out: what was given, sorted. */
static void expect_allowed(struct kunit *test, struct world *w)
{
	const struct iova_range *windows;
	DECLARE_BITMAP(seen, CELLS);
	u32 nr, i, cell;

	if (!w->nr_allowed)
		return;
	bitmap_zero(seen, CELLS);
	nr = iova_limits_windows(&w->limits, &windows);
	KUNIT_ASSERT_EQ(test, nr, w->nr_allowed);
	for (i = 0; i < nr; i++) {
		if (i)
			KUNIT_ASSERT_GT(test, windows[i].start, windows[i - 1].last);
		for (cell = 0; cell < CELLS; cell++)
			if (w->edge[cell] >= windows[i].start && w->edge[cell] <= windows[i].last)
				set_bit(cell, seen);
	}
	KUNIT_ASSERT_TRUE(test, bitmap_equal(seen, w->allowed, CELLS));
}

static int reserve(struct kunit *test, struct world *w)
{
	u32 from = below(w, CELLS), owner = below(w, OWNERS);
	u32 to = from + below(w, min_t(u32, CELLS - from, below(w, 10) ? 4 : CELLS));
	struct iova_range range = cells(w, from, to);
	bool refused = find_next_bit(w->allowed, to + 1, from) <= to;
	int rc;

	rc = iova_limits_reserve(&w->limits, &range, &w->owners[owner]);
	KUNIT_ASSERT_EQ_MSG(test, rc, refused ? -EADDRINUSE : 0, "cells %u to %u", from, to);
	if (!rc)
		w->spans[w->nr_spans++] = (struct span){ from, to, owner };
	return rc;
}

static void unreserve(struct world *w)
{
	u32 owner = below(w, OWNERS), i, kept = 0;

	iova_limits_unreserve(&w->limits, &w->owners[owner]);
	for (i = 0; i < w->nr_spans; i++)
		if (w->spans[i].owner != owner)
			w->spans[kept++] = w->spans[i];
	w->nr_spans = kept;
}

/* A list in any order, which may overlap itself and what is reserved. */
static int allow(struct kunit *test, struct world *w)
{
	DECLARE_BITMAP(taken, CELLS);
	DECLARE_BITMAP(list, CELLS);
	u32 nr = below(w, 4), i;
	struct iova_range *ranges = kcalloc(max(nr, 1), sizeof(*ranges), GFP_KERNEL);
	bool overlap = false;
	int rc, want;

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	bitmap_zero(list, CELLS);
	for (i = 0; i < nr; i++) {
		u32 from = below(w, CELLS), to = from + below(w, min_t(u32, CELLS - from, 3));

		overlap |= find_next_bit(list, to + 1, from) <= to;
		bitmap_set(list, from, to - from + 1);
		ranges[i] = cells(w, from, to);
	}
	reserved_cells(w, taken);
	want = overlap ? -EINVAL : bitmap_intersects(list, taken, CELLS) ? -EADDRINUSE : 0;
	rc = iova_limits_allow(&w->limits, ranges, nr);
	KUNIT_ASSERT_EQ(test, rc, want);
	if (rc) {
		kfree(ranges);
		return rc;
	}
	bitmap_copy(w->allowed, list, CELLS);
	w->nr_allowed = nr;
	return 0;
}

static void limits_walk(struct kunit *test)
{
	struct world *w = make_world(test);
	u32 step, done = 0, refused = 0, in_use = 0, overlaps = 0;

	for (step = 0; step < STEPS; step++) {
		u32 dice = below(w, 10);
		int rc = 0;

		if (dice < 5 && w->nr_spans < MOST_RESERVED)
			rc = reserve(test, w);
		else if (dice < 7)
			unreserve(w);
		else
			rc = allow(test, w);
		done += !rc;
		refused += rc == -EADDRINUSE && dice < 5;
		in_use += rc == -EADDRINUSE && dice >= 5;
		overlaps += rc == -EINVAL;
		expect_all(test, w);
		expect_allowed(test, w);
	}
	/* Every answer has been seen many times. */
	KUNIT_EXPECT_GT(test, done, STEPS / 4);
	KUNIT_EXPECT_GT(test, refused, STEPS / 100);
	KUNIT_EXPECT_GT(test, in_use, STEPS / 100);
	KUNIT_EXPECT_GT(test, overlaps, STEPS / 100);
	iova_limits_exit(&w->limits);
}

/* As many as there is no room for at first, each at its own address. */
static void limits_grow(struct kunit *test)
{
	struct world *w = make_world(test);
	u32 i;

	for (i = 0; i < 1000; i++) {
		/* From the end to the start: the list is sorted whatever the order. */
		struct iova_range one = { 4 * (1000 - i), 4 * (1000 - i) };

		KUNIT_ASSERT_EQ(test, iova_limits_reserve(&w->limits, &one, w->owners), 0);
		KUNIT_ASSERT_EQ(test, w->limits.nr_usable, i + 2);
		KUNIT_ASSERT_GE(test, w->limits.room_usable, w->limits.nr_usable);
	}
	for (i = 0; i < 1000; i++) {
		KUNIT_ASSERT_EQ(test, w->limits.usable[i].last, 4 * i + 3);
		KUNIT_ASSERT_EQ(test, w->limits.usable[i + 1].start, 4 * i + 5);
	}
	iova_limits_unreserve(&w->limits, w->owners);
	KUNIT_EXPECT_EQ(test, w->limits.nr_usable, 1);
	iova_limits_exit(&w->limits);
}

static void limits_everything(struct kunit *test)
{
	struct world *w = make_world(test);
	struct iova_range all = { 0, ULONG_MAX }, *list;

	KUNIT_EXPECT_TRUE(test, iova_limits_usable(&w->limits, &all));
	list = kmalloc(sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	*list = all;
	KUNIT_EXPECT_EQ(test, iova_limits_allow(&w->limits, list, 1), 0);
	KUNIT_EXPECT_EQ(test, iova_limits_reserve(&w->limits, &all, w->owners), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, w->limits.nr_reserved, 0);
	KUNIT_EXPECT_EQ(test, iova_limits_allow(&w->limits, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, iova_limits_reserve(&w->limits, &all, w->owners), 0);
	KUNIT_EXPECT_EQ(test, w->limits.nr_usable, 0);
	KUNIT_EXPECT_FALSE(test, iova_limits_usable(&w->limits, &all));
	iova_limits_exit(&w->limits);
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(limits_walk),
	KUNIT_CASE(limits_grow),
	KUNIT_CASE(limits_everything),
	{}
};

static struct kunit_suite limits_suite = {
	.name = "iommufd_iova_limits",
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
