// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d's walker, on tables that are written here by hand, with the numbers of the
 * specification and without the names that the walker has for them. Each fault is
 * made by one change to tables that translate.
 */
#include <linux/prandom.h>

#include "kunit_iommu.h"

#define IOVA		0x123456789000ULL
#define OUT		0xabcde000ULL
#define SMALL		BIT_ULL(12)
#define MIDDLE		BIT_ULL(21)
#define LARGE		BIT_ULL(30)
#define PS		BIT_ULL(7)
#define FIRST_TABLE	7ULL		/* present, write, user */
#define SECOND_TABLE	3ULL		/* read, write */
/* Guest addresses are not the host's. */
#define GUEST		BIT_ULL(40)
#define BEYOND		BIT_ULL(51)	/* no machine has memory there */
#define HOLE		GENMASK_ULL(35, 12)	/* nor a test machine there */

struct tables {
	struct kit *kit;
	u64 *root;
	u64 *context;		/* of the device */
	u64 *directory;
	u64 *entry;		/* of PASID 0x41, at place 1 of the second table */
	u64 *first;
	u64 *second;
};

#define PASID	0x41

static u64 *slot(struct kit *kit, u64 *table, unsigned int levels, u64 address, unsigned int level,
		 u64 bits)
{
	u64 base = bits & GUEST, *entry;

	for (;; levels--) {
		entry = &table[address >> (12 + 9 * (levels - 1)) & 511];
		if (levels == level)
			return entry;
		if (!*entry)
			*entry = (virt_to_phys(kit_page(kit)) + base) | (bits & ~GUEST);
		table = phys_to_virt((*entry & GENMASK_ULL(51, 12)) - base);
	}
}

static void leads(struct kit *kit, int pasid, u64 iova, u64 output, u64 size, const char *rights)
{
	struct iommu_walk *walk = kit_ask(kit, pasid, iova, rights[1] == 'w');

	KUNIT_EXPECT_TRUE_MSG(kit->test, walk->translated, "%s", walk->fault ?: "nothing");
	KUNIT_EXPECT_EQ(kit->test, walk->output, output);
	KUNIT_EXPECT_EQ(kit->test, walk->size, size);
	KUNIT_EXPECT_EQ(kit->test, walk->readable, rights[0] == 'r');
	KUNIT_EXPECT_EQ(kit->test, walk->writable, rights[1] == 'w');
	KUNIT_EXPECT_EQ(kit->test, walk->executable, rights[2] == 'x');
}

static void faults(struct kit *kit, int pasid, u64 iova, bool write, u32 code)
{
	struct iommu_walk *walk = kit_ask(kit, pasid, iova, write);

	KUNIT_EXPECT_FALSE(kit->test, walk->translated);
	KUNIT_EXPECT_EQ_MSG(kit->test, walk->fault_code, code, "%s", walk->fault ?: "none");
	KUNIT_EXPECT_STRNEQ(kit->test, walk->fault ?: "", "unknown");
}

/* One word is changed, and then as it was. */
static void spoiled(struct tables *t, int pasid, u64 *word, u64 value, bool write, u32 code)
{
	u64 was = *word;

	*word = value;
	faults(t->kit, pasid, IOVA, write, code);
	*word = was;
}

static struct tables legacy_tables(struct kunit *test, u64 cap, u64 ecap)
{
	struct tables t = { .kit = kit_bare(test, cap, ecap) };

	t.root = kit_page(t.kit);
	t.context = kit_page(t.kit);
	t.second = kit_page(t.kit);
	kit_set_root(t.kit, virt_to_phys(t.root));
	t.root[(KIT_RID >> 8) * 2] = virt_to_phys(t.context) | 1;
	t.context += (KIT_RID & 0xff) * 2;
	t.context[0] = virt_to_phys(t.second) | 1;
	t.context[1] = 2 | 0x55 << 8;	/* four levels, domain 0x55 */
	return t;
}

static void legacy_second_stage(struct kunit *test)
{
	struct tables t = legacy_tables(test, KIT_CAP, KIT_ECAP);
	u64 *pte = slot(t.kit, t.second, 4, IOVA, 1, SECOND_TABLE);
	u64 *pde = slot(t.kit, t.second, 4, IOVA, 2, SECOND_TABLE);

	*pte = OUT | 3;
	leads(t.kit, -1, IOVA + 5, OUT + 5, SMALL, "rw-");
	*pte = OUT | 1;
	leads(t.kit, -1, IOVA, OUT, SMALL, "r--");
	faults(t.kit, -1, IOVA, true, 0x05);
	spoiled(&t, -1, pte, OUT | 2, false, 0x06);
	spoiled(&t, -1, pte, 0, true, 0x05);
	spoiled(&t, -1, pde, 0, false, 0x06);
	spoiled(&t, -1, pde, *pde & ~2ULL, true, 0x05);
	spoiled(&t, -1, pde, BEYOND | 3, false, 0x0c);
	spoiled(&t, -1, pte, 0xfee12000 | 3, true, 0x0e);
	faults(t.kit, -1, IOVA | BIT_ULL(48), false, 0x04);
	*pde = 0x40200000 | PS | 3;
	leads(t.kit, -1, IOVA, 0x40200000 + IOVA % MIDDLE, MIDDLE, "rw-");
	spoiled(&t, -1, pde, 0x40201000 | PS | 3, true, 0x0c);
	*slot(t.kit, t.second, 4, IOVA, 3, SECOND_TABLE) = LARGE | PS | 3;
	leads(t.kit, -1, IOVA, LARGE + IOVA % LARGE, LARGE, "rw-");
}

static void legacy_device(struct kunit *test)
{
	struct tables t = legacy_tables(test, KIT_CAP, KIT_ECAP);
	u64 *root = &t.root[(KIT_RID >> 8) * 2];

	*slot(t.kit, t.second, 4, IOVA, 1, SECOND_TABLE) = OUT | 3;
	leads(t.kit, -1, IOVA, OUT, SMALL, "rw-");
	spoiled(&t, -1, root, 0, true, 0x01);
	spoiled(&t, -1, root, *root | BIT_ULL(5), true, 0x0a);
	spoiled(&t, -1, root + 1, 1, true, 0x0a);
	spoiled(&t, -1, root, HOLE | 1, true, 0x09);
	spoiled(&t, -1, t.context, 0, true, 0x02);
	spoiled(&t, -1, t.context, t.context[0] | BIT_ULL(4), true, 0x0b);
	spoiled(&t, -1, t.context + 1, t.context[1] | BIT_ULL(24), true, 0x0b);
	spoiled(&t, -1, t.context, t.context[0] | 3 << 2, true, 0x03);
	spoiled(&t, -1, t.context + 1, 4, true, 0x03);
	spoiled(&t, -1, t.context, HOLE | 1, true, 0x07);
	t.context[0] = 1 | 2 << 2;
	leads(t.kit, -1, IOVA % BIT_ULL(36), IOVA % BIT_ULL(36), 0, "rwx");
	faults(t.kit, PASID, IOVA, true, 0x31);
	kit_set_root(t.kit, HOLE);
	faults(t.kit, -1, IOVA, true, 0x08);
	kit_set_root(t.kit, virt_to_phys(t.root) | 2 << 10);
	faults(t.kit, -1, IOVA, true, 0x30);
	kit_set_root(t.kit, virt_to_phys(t.root) | 3 << 10);
	faults(t.kit, -1, IOVA, true, 0x33);
}

/* Up to the entry of PASID; RID_PASID is the same number. */
static struct tables scalable_tables(struct kunit *test, u64 cap, u64 ecap)
{
	struct tables t = { .kit = kit_bare(test, cap, ecap) };
	u64 *table;

	t.root = kit_page(t.kit);
	t.context = kit_page(t.kit);
	t.directory = kit_page(t.kit);
	table = kit_page(t.kit);
	t.first = kit_page(t.kit);
	t.second = kit_page(t.kit);
	kit_set_root(t.kit, virt_to_phys(t.root) | 1 << 10);
	/* 0x34 is in the lower half of the bus. */
	t.root[(KIT_RID >> 8) * 2] = virt_to_phys(t.context) | 1;
	t.context += (KIT_RID & 0xff) * 4;
	t.context[0] = virt_to_phys(t.directory) | 1 | BIT_ULL(3);
	t.context[1] = PASID;
	t.directory[1] = virt_to_phys(table) | 1;
	t.entry = table + 8;
	return t;
}

static void scalable_device(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP, KIT_ECAP);
	u64 *root = &t.root[(KIT_RID >> 8) * 2];

	t.entry[0] = virt_to_phys(t.second) | 1 | 2 << 2 | 2 << 6;
	t.entry[1] = 0x77;
	*slot(t.kit, t.second, 4, IOVA, 1, SECOND_TABLE) = OUT | 3;
	leads(t.kit, PASID, IOVA, OUT, SMALL, "rw-");
	leads(t.kit, -1, IOVA, OUT, SMALL, "rw-");
	spoiled(&t, PASID, root, 0, true, 0x39);
	spoiled(&t, PASID, root, *root | 2, true, 0x3a);
	spoiled(&t, PASID, root, HOLE | 1, true, 0x40);
	spoiled(&t, PASID, t.context, 0, true, 0x41);
	spoiled(&t, PASID, t.context, t.context[0] | BIT_ULL(5), true, 0x42);
	spoiled(&t, PASID, t.context + 1, BIT_ULL(21), true, 0x42);
	spoiled(&t, PASID, t.context + 2, 1, true, 0x42);
	spoiled(&t, PASID, t.context, t.context[0] & ~BIT_ULL(3), true, 0x45);
	spoiled(&t, -1, t.context + 1, 0xfffff, true, 0x48);
	faults(t.kit, 0x2000, IOVA, true, 0x46);
	spoiled(&t, PASID, t.context, (t.context[0] & 0xfff) | HOLE, true, 0x50);
	spoiled(&t, PASID, t.directory + 1, 0, true, 0x51);
	spoiled(&t, PASID, t.directory + 1, t.directory[1] | 4, true, 0x52);
	spoiled(&t, PASID, t.directory + 1, HOLE | 1, true, 0x58);
	spoiled(&t, PASID, t.entry, 0, true, 0x59);
	spoiled(&t, PASID, t.entry, t.entry[0] | BIT_ULL(10), true, 0x5a);
	spoiled(&t, PASID, t.entry + 5, 1, true, 0x5a);
	spoiled(&t, PASID, t.entry, t.entry[0] & ~(7ULL << 6), true, 0x5b);
	spoiled(&t, PASID, t.entry, t.entry[0] | 7 << 6, true, 0x5b);
	spoiled(&t, PASID, t.entry, t.entry[0] | 7 << 2, true, 0x5b);
	kit_set_root(t.kit, HOLE | 1 << 10);
	faults(t.kit, PASID, IOVA, true, 0x38);
}

/* Without RPS in the capabilities, a request without PASID is one of PASID 0. */
static void scalable_rid(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP, KIT_ECAP & ~BIT_ULL(49));
	struct iommu_walk *walk;

	t.entry[0] = 1 | 4 << 6;
	leads(t.kit, PASID, OUT, OUT, 0, "rwx");
	faults(t.kit, -1, OUT, true, 0x51);
	walk = kit_ask(t.kit, PASID, 0xfee00000, true);
	KUNIT_EXPECT_EQ(test, walk->fault_code, 0x87);
}

static void first_stage(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP | BIT_ULL(56), KIT_ECAP);
	u64 *pte = slot(t.kit, t.first, 4, IOVA % BIT_ULL(47), 1, FIRST_TABLE);
	u64 *pde = slot(t.kit, t.first, 4, IOVA % BIT_ULL(47), 2, FIRST_TABLE), table = *pde;

	t.entry[0] = 1 | 1 << 6;
	t.entry[2] = virt_to_phys(t.first);
	*pte = OUT | FIRST_TABLE;
	leads(t.kit, PASID, IOVA + 5, OUT + 5, SMALL, "rw-");
	t.entry[2] |= BIT_ULL(1);	/* execute requests */
	leads(t.kit, PASID, IOVA, OUT, SMALL, "rwx");
	spoiled(&t, PASID, pte, *pte | BIT_ULL(63), true, 0x72);
	t.entry[2] |= BIT_ULL(5);	/* no-execute */
	*pte |= BIT_ULL(63);
	leads(t.kit, PASID, IOVA, OUT, SMALL, "rw-");
	spoiled(&t, PASID, pte, 0, false, 0x71);
	spoiled(&t, PASID, pte, *pte & ~2ULL, true, 0x85);
	spoiled(&t, PASID, pde, *pde & ~2ULL, true, 0x85);
	spoiled(&t, PASID, pte, *pte & ~4ULL, false, 0x81);
	spoiled(&t, PASID, pde, HOLE | FIRST_TABLE, false, 0x70);
	spoiled(&t, PASID, t.entry + 2, HOLE, false, 0x73);
	spoiled(&t, PASID, t.entry + 2, t.entry[2] | 1 << 2, false, 0x5b);
	spoiled(&t, PASID, pte, 0xfeefe000 | FIRST_TABLE, true, 0x87);
	faults(t.kit, PASID, BIT_ULL(47), false, 0x80);
	faults(t.kit, PASID, BIT_ULL(63) | IOVA, false, 0x80);
	*slot(t.kit, t.first, 4, ~0ULL, 1, FIRST_TABLE) = OUT | FIRST_TABLE;
	leads(t.kit, PASID, ~0ULL, OUT + SMALL - 1, SMALL, "rwx");
	*pde = 0x40200000 | PS | FIRST_TABLE;
	leads(t.kit, PASID, IOVA, 0x40200000 + IOVA % MIDDLE, MIDDLE, "rwx");
	spoiled(&t, PASID, pde, *pde | BIT_ULL(13), false, 0x72);
	*pde = table;
	*slot(t.kit, t.first, 4, IOVA, 3, FIRST_TABLE) = LARGE | PS | FIRST_TABLE;
	leads(t.kit, PASID, IOVA, LARGE + IOVA % LARGE, LARGE, "rwx");
	spoiled(&t, PASID, &t.first[IOVA >> 39 & 511], t.first[IOVA >> 39 & 511] | PS, false, 0x72);
	/* A request without PASID can be the supervisor's: then a page of the user's is too. */
	spoiled(&t, -1, t.context + 1, PASID | BIT_ULL(20), false, 0x5d);
}

static void five_levels(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP | BIT_ULL(60) | BIT_ULL(56), KIT_ECAP);
	u64 high = BIT_ULL(55) | IOVA;

	t.entry[0] = 1 | 1 << 6;
	t.entry[2] = virt_to_phys(t.first) | 1 << 2;
	*slot(t.kit, t.first, 5, high, 1, FIRST_TABLE) = OUT | FIRST_TABLE;
	leads(t.kit, PASID, high, OUT, SMALL, "rw-");
	faults(t.kit, PASID, BIT_ULL(56), false, 0x80);
	/* 57 bits of guest address, then 39 */
	t = scalable_tables(test, (KIT_CAP & ~(0x3fULL << 16)) | 56ULL << 16 | BIT_ULL(11),
			    KIT_ECAP);
	t.entry[0] = virt_to_phys(t.second) | 1 | 3 << 2 | 2 << 6;
	*slot(t.kit, t.second, 5, high, 1, SECOND_TABLE) = OUT | 3;
	leads(t.kit, PASID, high, OUT, SMALL, "rw-");
	faults(t.kit, PASID, BIT_ULL(57), false, 0x83);
	memset(t.second, 0, SMALL);
	t.entry[0] = virt_to_phys(t.second) | 1 | 1 << 2 | 2 << 6;
	*slot(t.kit, t.second, 3, IOVA % BIT_ULL(39), 1, SECOND_TABLE) = OUT | 7;
	leads(t.kit, PASID, IOVA % BIT_ULL(39), OUT, SMALL, "rw-");
	faults(t.kit, PASID, BIT_ULL(39), false, 0x83);
}

static void second_stage(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP, KIT_ECAP & ~BIT_ULL(7));
	u64 *pte = slot(t.kit, t.second, 4, IOVA, 1, SECOND_TABLE);

	t.entry[0] = virt_to_phys(t.second) | 1 | 2 << 2 | 2 << 6;
	*pte = OUT | 3;
	leads(t.kit, PASID, IOVA, OUT, SMALL, "rw-");
	spoiled(&t, PASID, pte, 0, true, 0x79);
	spoiled(&t, PASID, pte, OUT | 1, true, 0x85);
	spoiled(&t, PASID, pte, OUT | 2, false, 0x86);
	spoiled(&t, PASID, pte, OUT | 3 | BIT_ULL(11), false, 0x7a);
	spoiled(&t, PASID, t.entry, (t.entry[0] & 0xfff) | HOLE, false, 0x7b);
	spoiled(&t, PASID, slot(t.kit, t.second, 4, IOVA, 2, 0), HOLE | 3, false,
		0x78);
	spoiled(&t, PASID, slot(t.kit, t.second, 4, IOVA, 4, 0), PS | 3, false, 0x7a);
	faults(t.kit, PASID, BIT_ULL(48), false, 0x83);
}

static void map_guest(struct tables *t, u64 guest, u64 host, u64 bits)
{
	*slot(t->kit, t->second, 4, guest, 1, SECOND_TABLE) = host | bits;
}

/* Each table of the first stage is in guest memory. */
static void map_tables(struct tables *t, u64 iova, unsigned int leaf)
{
	u64 *table = t->first;
	unsigned int level;

	for (level = 4; ; level--) {
		map_guest(t, virt_to_phys(table) + GUEST, virt_to_phys(table), 3);
		if (level == leaf)
			break;
		table = phys_to_virt((*slot(t->kit, table, level, iova, level, 0) &
				      GENMASK_ULL(51, 12)) - GUEST);
	}
}

static void nested(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP, KIT_ECAP);
	u64 iova = IOVA % BIT_ULL(47), page = GUEST + LARGE, *pte, *pde, *top;

	pte = slot(t.kit, t.first, 4, iova, 1, FIRST_TABLE | GUEST);
	pde = slot(t.kit, t.first, 4, iova, 2, FIRST_TABLE | GUEST);
	t.entry[0] = virt_to_phys(t.second) | 1 | 2 << 2 | 3 << 6;
	t.entry[2] = virt_to_phys(t.first) + GUEST;
	map_tables(&t, iova, 1);
	*pte = page | FIRST_TABLE;
	map_guest(&t, page, OUT, 3);
	leads(t.kit, PASID, IOVA + 5, OUT + 5, SMALL, "rw-");
	KUNIT_EXPECT_EQ(test, 4 + 4 * 5 + 4, kit_ask(t.kit, PASID, IOVA, true)->nr_steps);
	map_guest(&t, page, OUT, 1);
	leads(t.kit, PASID, IOVA, OUT, SMALL, "r--");
	faults(t.kit, PASID, IOVA, true, 0x85);
	map_guest(&t, page, OUT, 2);
	faults(t.kit, PASID, IOVA, false, 0x86);
	map_guest(&t, page, 0, 0);
	faults(t.kit, PASID, IOVA, false, 0x79);
	map_guest(&t, page, OUT, 3);
	spoiled(&t, PASID, pte, *pte & ~2ULL, true, 0x85);
	spoiled(&t, PASID, pte, BIT_ULL(48) | FIRST_TABLE, false, 0x84);
	spoiled(&t, PASID, pde, BIT_ULL(48) | FIRST_TABLE, false, 0x74);
	spoiled(&t, PASID, t.entry + 2, BIT_ULL(48), false, 0x74);
	top = slot(t.kit, t.second, 4, virt_to_phys(t.first) + GUEST, 1, 0);
	spoiled(&t, PASID, top, *top & ~1ULL, false, 0x75);
	spoiled(&t, PASID, top, 0, false, 0x79);
	top = slot(t.kit, t.second, 4, *pde & GENMASK_ULL(51, 12), 1, 0);
	spoiled(&t, PASID, top, *top & ~1ULL, false, 0x76);
	/* A large page of the guest in small ones of the host's, and the other way round */
	*pde = (GUEST + LARGE) | PS | FIRST_TABLE;
	map_guest(&t, GUEST + LARGE + (iova % MIDDLE & ~(SMALL - 1)), OUT, 3);
	leads(t.kit, PASID, IOVA, OUT, SMALL, "rw-");
	*slot(t.kit, t.second, 4, GUEST + LARGE, 2, SECOND_TABLE) = 4 * MIDDLE | PS | 3;
	leads(t.kit, PASID, IOVA, 4 * MIDDLE + iova % MIDDLE, MIDDLE, "rw-");
}

/* Whatever there is in the tables: an end is found, and nothing that is no memory is read. */
static void anything(struct kunit *test)
{
	struct tables t = scalable_tables(test, KIT_CAP | BIT_ULL(60), KIT_ECAP);
	struct rnd_state rnd;
	unsigned int round, i, through = 0, refused = 0;
	struct iommu_walk *walk;
	u64 *pool[8], bits;

	prandom_seed_state(&rnd, 20);
	for (i = 0; i < ARRAY_SIZE(pool); i++)
		pool[i] = kit_page(t.kit);
	for (round = 0; round < 3000; round++) {
		for (i = 0; i < 8 * 512; i++) {
			bits = ((u64)prandom_u32_state(&rnd) << 32) | prandom_u32_state(&rnd);
			/* Most lead to another of them, the others anywhere. */
			pool[i / 512][i % 512] = bits % 8 ? virt_to_phys(pool[bits / 8 % 8]) | 7 |
				(bits >> 40 & PS) : bits;
		}
		bits = prandom_u32_state(&rnd);
		t.entry[0] = virt_to_phys(pool[bits % 8]) | 1 | 2 << 2 | (bits / 8 % 5) << 6;
		t.entry[2] = virt_to_phys(pool[bits / 64 % 8]) | (bits / 512 % 2) << 2;
		walk = kit_ask(t.kit, PASID, (u64)prandom_u32_state(&rnd) << (bits / 1024 % 24),
			       bits & BIT(31));
		KUNIT_ASSERT_LE(test, walk->nr_steps, 4 + 5 * 5 + 5);
		through += walk->translated;
		refused += !walk->translated;
		kunit_kfree(test, walk);
	}
	KUNIT_EXPECT_GT(test, through, 300);
	KUNIT_EXPECT_GT(test, refused, 300);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(legacy_second_stage),
	KUNIT_CASE(legacy_device),
	KUNIT_CASE(scalable_device),
	KUNIT_CASE(scalable_rid),
	KUNIT_CASE(first_stage),
	KUNIT_CASE(five_levels),
	KUNIT_CASE(second_stage),
	KUNIT_CASE(nested),
	KUNIT_CASE_SLOW(anything),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "intel_walk",
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);

MODULE_DESCRIPTION("KUnit tests of the walker of VT-d's tables");
MODULE_LICENSE("GPL");
