// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the walker: tables that are written here by hand, bit by bit, in a
 * device's name, and what the hardware makes of requests.
 */
#include <linux/sizes.h>

#include "model_kunit.h"

#define PAGE_AT		0x123400000000ULL
#define P		0x7ULL		/* guest: present, writable, a user's */
#define PS		BIT_ULL(7)
#define PR		BIT_ULL(0)
#define IR		BIT_ULL(61)
#define IW		BIT_ULL(62)
#define NEXT(level)	((u64)(level) << 9)
#define MODE(level)	NEXT(level)
#define V_TV		3ULL
#define GV		BIT_ULL(55)
#define GIOV		BIT_ULL(54)
#define GLX(levels)	(((levels) - 1ULL) << 56)

/* The tables of a test, by level; [0] is a further one. */
struct tables {
	struct model *m;
	struct device *dev;
	u64 *host[7];
	u64 *guest[6];
	u64 *gcr3[4];
	u64 dte[4];
};

static u64 *table(struct kunit *test)
{
	u64 *at = (u64 *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, at);
	return at;
}

static int setup(struct kunit *test)
{
	struct tables *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->m = model_create(test);
	t->dev = t->m->dev[3];
	for (i = 0; i < ARRAY_SIZE(t->host); i++)
		t->host[i] = table(test);
	for (i = 0; i < ARRAY_SIZE(t->guest); i++)
		t->guest[i] = table(test);
	for (i = 0; i < ARRAY_SIZE(t->gcr3); i++)
		t->gcr3[i] = table(test);
	memcpy(t->dte, model_dte(t->m, t->dev), sizeof(t->dte));
	test->priv = t;
	return 0;
}

static void teardown(struct kunit *test)
{
	struct tables *t = test->priv;
	unsigned int i;

	if (!t)
		return;
	memcpy(model_dte(t->m, t->dev), t->dte, sizeof(t->dte));
	model_check(t->m);
	model_destroy(t->m);
	for (i = 0; i < ARRAY_SIZE(t->host); i++)
		free_page((unsigned long)t->host[i]);
	for (i = 0; i < ARRAY_SIZE(t->guest); i++)
		free_page((unsigned long)t->guest[i]);
	for (i = 0; i < ARRAY_SIZE(t->gcr3); i++)
		free_page((unsigned long)t->gcr3[i]);
}

static void set_dte(struct tables *t, u64 w0, u64 w1, u64 w2)
{
	u64 *dte = model_dte(t->m, t->dev);

	dte[0] = w0;
	dte[1] = w1;
	dte[2] = w2;
}

/* With a GCR3 table at @root, whose bits are in three places. */
static void set_guest_dte(struct tables *t, u64 w0, u64 root, unsigned int levels)
{
	set_dte(t, w0 | V_TV | IR | IW | GV | GLX(levels) | (root >> 12 & 0x7) << 58,
		(root >> 15 & 0xffff) << 16 | (root >> 31 & 0x1fffff) << 43, 0);
}

/* The walk is for a request at @iova, which must pass to @output. */
static void passes(struct kunit *test, int pasid, u64 iova, u64 output, u64 size)
{
	struct tables *t = test->priv;
	struct iommu_walk *walk = model_ask(t->m, t->dev, pasid, iova, false);

	KUNIT_EXPECT_TRUE_MSG(test, walk->translated, "%llx: %s, %s", iova, walk->fault,
			      walk->nr_steps ? walk->step[walk->nr_steps - 1].note : "");
	KUNIT_EXPECT_EQ_MSG(test, (u64)walk->output, output, "%llx", iova);
	KUNIT_EXPECT_EQ_MSG(test, walk->size, size, "%llx", iova);
}

static void faults(struct kunit *test, int pasid, u64 iova, const char *how)
{
	struct tables *t = test->priv;
	struct iommu_walk *walk = model_ask(t->m, t->dev, pasid, iova, false);

	KUNIT_EXPECT_FALSE_MSG(test, walk->translated, "%llx", iova);
	KUNIT_EXPECT_STREQ_MSG(test, walk->fault ?: "", how, "%llx", iova);
}

static unsigned int shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

/* An address whose index is another at each level. */
static u64 address(unsigned int levels)
{
	u64 iova = 0x568;
	unsigned int i;

	for (i = 1; i <= levels; i++)
		iova |= (u64)(17 * i) << shift(i);
	return iova;
}

static u64 *entry_of(u64 *at, unsigned int level, u64 iova)
{
	return &at[iova >> shift(level) & 511];
}

/* Host tables from @mode down to @leaf, whose entry is @entry. */
static void host_chain(struct tables *t, unsigned int mode, unsigned int leaf, u64 iova, u64 entry)
{
	unsigned int level;

	for (level = mode; level > leaf; level--)
		*entry_of(t->host[level], level, iova) = virt_to_phys(t->host[level - 1]) |
			PR | IR | IW | NEXT(level - 1);
	*entry_of(t->host[leaf], leaf, iova) = entry;
	set_dte(t, V_TV | MODE(mode) | IR | IW | virt_to_phys(t->host[mode]), 5, 0);
}

static void host_levels(struct kunit *test)
{
	struct tables *t = test->priv;
	unsigned int mode, leaf;

	for (mode = 1; mode <= 6; mode++) {
		u64 iova = address(mode);

		for (leaf = mode; leaf; leaf--) {
			u64 size = BIT_ULL(shift(leaf));
			u64 page = leaf > 4 ? 0 : PAGE_AT & ~(size - 1);

			host_chain(t, mode, leaf, iova, page | PR | IR);
			passes(test, NO_PASID, iova, page | (iova & (size - 1)), size);
			KUNIT_EXPECT_TRUE(test, t->m->walk.readable);
			KUNIT_EXPECT_FALSE(test, t->m->walk.writable);
			KUNIT_EXPECT_EQ(test, t->m->walk.nr_steps, 1 + mode - leaf + 1);
			KUNIT_EXPECT_STREQ(test, t->m->walk.how, "second stage");
		}
		if (mode < 6)
			faults(test, NO_PASID, iova | BIT_ULL(shift(mode + 1)), "IO_PAGE_FAULT");
		faults(test, NO_PASID, iova ^ BIT_ULL(shift(1)), "IO_PAGE_FAULT");
	}
}

/* The size of a page that is no default: below the lowest 0 of its address all is 1. */
static u64 sized(u64 at, u64 size)
{
	return (at & ~(size - 1)) | ((size / 2 - 1) & ~0xfffULL) | PR | IR | IW | NEXT(7);
}

static void host_sizes(struct kunit *test)
{
	static const struct { unsigned int level; u64 size; bool ok; } rows[] = {
		{ 1, SZ_8K, true }, { 1, SZ_64K, true }, { 1, SZ_1M, true }, { 1, SZ_2M, false },
		{ 2, SZ_4M, true }, { 2, SZ_512M, true }, { 2, SZ_1G, false }, { 2, SZ_1M, false },
		{ 3, SZ_2G, true }, { 3, 256ULL * SZ_1G, true }, { 3, SZ_8K, false },
	};
	struct tables *t = test->priv;
	u64 iova = address(4);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		host_chain(t, 4, rows[i].level, iova, sized(PAGE_AT, rows[i].size));
		if (rows[i].ok)
			passes(test, NO_PASID, iova, (PAGE_AT & ~(rows[i].size - 1)) |
			       (iova & (rows[i].size - 1)), rows[i].size);
		else
			faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
	}
	host_chain(t, 4, 1, iova, GENMASK_ULL(51, 12) | PR | IR | NEXT(7));
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
}

static void host_levels_left_out(struct kunit *test)
{
	struct tables *t = test->priv;
	u64 iova = address(4) & ~(511ULL << shift(2) | 511ULL << shift(3));

	host_chain(t, 4, 1, iova, PAGE_AT | PR | IR);
	*entry_of(t->host[4], 4, iova) = virt_to_phys(t->host[1]) | PR | IR | IW | NEXT(1);
	passes(test, NO_PASID, iova, PAGE_AT | 0x568, SZ_4K);
	faults(test, NO_PASID, iova | BIT_ULL(shift(2)), "IO_PAGE_FAULT");
	faults(test, NO_PASID, iova | BIT_ULL(shift(4) - 1), "IO_PAGE_FAULT");
}

static void host_faults(struct kunit *test)
{
	struct tables *t = test->priv;
	u64 iova = address(3), good = PAGE_AT | PR | IR;
	u64 *middle = entry_of(t->host[2], 2, iova);

	host_chain(t, 3, 1, iova, good & ~PR);
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
	host_chain(t, 3, 1, iova, good | BIT_ULL(52));
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
	host_chain(t, 3, 1, iova, good & ~IR);
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
	host_chain(t, 3, 1, iova, good | IW);
	*middle &= ~IW;
	passes(test, NO_PASID, iova, PAGE_AT | 0x568, SZ_4K);
	KUNIT_EXPECT_FALSE(test, t->m->walk.writable);
	*middle = (*middle & ~NEXT(7)) | NEXT(2);
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
	*middle = PR | IR | NEXT(1) | GENMASK_ULL(50, 48);
	faults(test, NO_PASID, iova, "PAGE_TAB_HARDWARE_ERROR");
	*middle = virt_to_phys(t->host[1]) | PR | IR | NEXT(1) | BIT_ULL(60);
	faults(test, NO_PASID, iova, "IO_PAGE_FAULT");
}

static void device_table_entries(struct kunit *test)
{
	struct tables *t = test->priv;

	set_dte(t, 0, 0, 0);
	passes(test, NO_PASID, 0xabc0123, 0xabc0123, 0);
	set_dte(t, V_TV | IR | IW, 0, 0);
	passes(test, NO_PASID, 0xabc0123, 0xabc0123, 0);
	KUNIT_EXPECT_STREQ(test, t->m->walk.how, "pass-through");
	faults(test, 1, 0x1000, "ILLEGAL_DEV_TABLE_ENTRY");
	set_dte(t, V_TV | IW, 0, 0);
	faults(test, NO_PASID, 0x1000, "IO_PAGE_FAULT");
	set_dte(t, V_TV, 0, 0);
	faults(test, NO_PASID, 0x1000, "IO_PAGE_FAULT");
	KUNIT_EXPECT_STREQ(test, t->m->walk.how, "blocked");
	set_dte(t, 1 | IR | IW, 0, 0);
	faults(test, NO_PASID, 0x1000, "IO_PAGE_FAULT");
	set_dte(t, V_TV | IR | IW | MODE(7), 0, 0);
	faults(test, NO_PASID, 0x1000, "ILLEGAL_DEV_TABLE_ENTRY");
	set_dte(t, V_TV | IR | IW | BIT_ULL(3), 0, 0);
	faults(test, NO_PASID, 0x1000, "ILLEGAL_DEV_TABLE_ENTRY");
	set_guest_dte(t, 0, virt_to_phys(t->gcr3[1]), 4);
	faults(test, 1, 0x1000, "ILLEGAL_DEV_TABLE_ENTRY");
	set_guest_dte(t, 0, virt_to_phys(t->gcr3[1]), 1);
	model_dte(t->m, t->dev)[2] = 2ULL << 54;
	faults(test, 1, 0x1000, "ILLEGAL_DEV_TABLE_ENTRY");
}

/* Guest tables from @levels down to @leaf, whose entry is @entry. */
static void guest_chain(struct tables *t, unsigned int levels, unsigned int leaf, u64 iova,
			u64 entry)
{
	unsigned int level;

	for (level = levels; level > leaf; level--)
		*entry_of(t->guest[level], level, iova) = virt_to_phys(t->guest[level - 1]) | P;
	*entry_of(t->guest[leaf], leaf, iova) = entry;
}

/* A GCR3 table of @levels, whose entry of @pasid is @entry. */
static void gcr3_chain(struct tables *t, unsigned int levels, u32 pasid, u64 entry)
{
	unsigned int level;

	for (level = levels; level; level--)
		t->gcr3[level][pasid >> (9 * (level - 1)) & 511] =
			level == 1 ? entry : virt_to_phys(t->gcr3[level - 1]) | 1;
	set_guest_dte(t, 0, virt_to_phys(t->gcr3[levels]), levels);
}

static void guest_tables(struct kunit *test)
{
	struct tables *t = test->priv;
	unsigned int levels, leaf;

	for (levels = 4; levels <= 5; levels++) {
		u64 iova = address(levels) & ~BIT_ULL(shift(levels + 1) - 1);

		gcr3_chain(t, 1, 9, virt_to_phys(t->guest[levels]) | 1);
		model_dte(t->m, t->dev)[2] = (levels - 4ULL) << 54;
		for (leaf = 3; leaf; leaf--) {
			u64 size = BIT_ULL(shift(leaf));

			guest_chain(t, levels, leaf, iova, PAGE_AT | P | (leaf > 1 ? PS : 0));
			passes(test, 9, iova, PAGE_AT | (iova & (size - 1)), size);
			KUNIT_EXPECT_TRUE(test, t->m->walk.writable && t->m->walk.executable);
			KUNIT_EXPECT_STREQ(test, t->m->walk.how, "first stage");
		}
		faults(test, 9, iova | GENMASK_ULL(63, shift(levels + 1) - 1), "IO_PAGE_FAULT");
		faults(test, 9, iova | BIT_ULL(shift(levels + 1)), "IO_PAGE_FAULT");
		guest_chain(t, levels, 1, iova, PAGE_AT | (P & ~4ULL));
		faults(test, 9, iova, "IO_PAGE_FAULT");
		guest_chain(t, levels, 1, iova, PAGE_AT | (P & ~2ULL) | BIT_ULL(63));
		passes(test, 9, iova, PAGE_AT | 0x568, SZ_4K);
		KUNIT_EXPECT_FALSE(test, t->m->walk.writable || t->m->walk.executable);
		guest_chain(t, levels, 2, iova, PAGE_AT | BIT_ULL(13) | P | PS);
		faults(test, 9, iova, "IO_PAGE_FAULT");
		guest_chain(t, levels, 4, iova, P | PS);
		faults(test, 9, iova, "IO_PAGE_FAULT");
	}
}

static void gcr3_levels(struct kunit *test)
{
	static const u32 biggest[] = { 0, 511, BIT(18) - 1, BIT(20) - 1 };
	struct tables *t = test->priv;
	u64 iova = address(4) & ~BIT_ULL(47);
	unsigned int levels;

	guest_chain(t, 4, 1, iova, PAGE_AT | P);
	for (levels = 1; levels <= 3; levels++) {
		u32 pasid = biggest[levels];

		gcr3_chain(t, levels, pasid, virt_to_phys(t->guest[4]) | 1);
		passes(test, pasid, iova, PAGE_AT | 0x568, SZ_4K);
		KUNIT_EXPECT_EQ(test, t->m->walk.nr_steps, 1 + levels + 4);
		faults(test, pasid - 1, iova, "IO_PAGE_FAULT");
		if (levels < 3)
			faults(test, pasid + 1, iova, "IO_PAGE_FAULT");
		gcr3_chain(t, levels, pasid, virt_to_phys(t->guest[4]) | 1 | BIT_ULL(5));
		faults(test, pasid, iova, "IO_PAGE_FAULT");
		/* Without a PASID it is entry 0, if the DTE says so. */
		passes(test, NO_PASID, iova, iova, 0);
		gcr3_chain(t, levels, 0, virt_to_phys(t->guest[4]) | 1);
		model_dte(t->m, t->dev)[0] |= GIOV;
		passes(test, NO_PASID, iova, PAGE_AT | 0x568, SZ_4K);
		memset(t->gcr3[1], 0, PAGE_SIZE);
	}
}

/*
 * A guest's tables, at guest-physical addresses that a host table of two levels
 * translates: page n of the guest is at n, moved up by 1 MiB.
 */
#define MOVED	SZ_1M

static void make_nested(struct kunit *test, u64 iova)
{
	struct tables *t = test->priv;
	u64 *pages[] = { t->gcr3[1], t->guest[4], t->guest[3], t->guest[2], t->guest[1] };
	unsigned int i;

	t->host[2][0] = virt_to_phys(t->host[1]) | PR | IR | IW | NEXT(1);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		t->host[1][(MOVED >> 12) + i] = virt_to_phys(pages[i]) | PR | IR | IW;
	t->host[2][1] = (PAGE_AT & ~(SZ_2M - 1ULL)) | PR | IR;
	t->gcr3[1][9] = (MOVED + SZ_4K) | 1;
	for (i = 4; i > 1; i--)
		*entry_of(t->guest[i], i, iova) = (MOVED + (6 - i) * SZ_4K) | P;
	*entry_of(t->guest[1], 1, iova) = (SZ_2M + 5 * SZ_4K) | P;
	set_guest_dte(t, MODE(2) | virt_to_phys(t->host[2]), MOVED, 1);
}

static void nested(struct kunit *test)
{
	struct tables *t = test->priv;
	u64 iova = address(4) & ~BIT_ULL(47);
	unsigned int i, below = 0;

	make_nested(test, iova);
	passes(test, 9, iova, (PAGE_AT & ~(SZ_2M - 1ULL)) + 5 * SZ_4K + 0x568, SZ_4K);
	KUNIT_EXPECT_STREQ(test, t->m->walk.how, "nested");
	/* The second stage does not let it write, though the first does. */
	KUNIT_EXPECT_FALSE(test, t->m->walk.writable);
	for (i = 0; i < t->m->walk.nr_steps; i++)
		below += t->m->walk.step[i].nested;
	KUNIT_EXPECT_EQ(test, below, 5 * 2);
	KUNIT_EXPECT_EQ(test, t->m->walk.nr_steps, 1 + 5 * 3 + 1);

	/* Requests without PASID see the second stage alone. */
	passes(test, NO_PASID, SZ_2M, PAGE_AT & ~(SZ_2M - 1ULL), SZ_2M);
	/* A table of the guest's that the host has not mapped, or not for reading. */
	t->host[1][(MOVED >> 12) + 2] &= ~IR;
	faults(test, 9, iova, "IO_PAGE_FAULT");
	t->host[1][(MOVED >> 12) + 2] = 0;
	faults(test, 9, iova, "IO_PAGE_FAULT");
	KUNIT_EXPECT_TRUE(test, t->m->walk.step[t->m->walk.nr_steps - 1].nested);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(host_levels),
	KUNIT_CASE(host_sizes),
	KUNIT_CASE(host_levels_left_out),
	KUNIT_CASE(host_faults),
	KUNIT_CASE(device_table_entries),
	KUNIT_CASE(guest_tables),
	KUNIT_CASE(gcr3_levels),
	KUNIT_CASE(nested),
	{}
};

static struct kunit_suite suite = {
	.name = "amd_iommu_walk",
	.init = setup,
	.exit = teardown,
	.test_cases = cases,
};

kunit_test_suite(suite);
