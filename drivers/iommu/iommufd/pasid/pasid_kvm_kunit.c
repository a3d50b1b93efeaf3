// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASID translation table against a reader that does what a CPU does. The
 * reader is written from the manual (Intel SDM volume 3C, section "PASID
 * Translation") and shares nothing with the writer, its constants neither.
 */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/iommufd_kvm.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "pasid_kvm.h"

#define VPASIDS 0x100000
#define STEPS 20000
#define HUB_REACH 24

enum outcome {
	TRANSLATED,
	DIRECTORY_NOT_PRESENT,
	DIRECTORY_RESERVED,
	TABLE_NOT_VALID,
	TABLE_RESERVED,
};

/**
 * struct world - a table, and what must be in it
 * @table: the table
 * @low: VMCS field of a vCPU
 * @high: likewise
 * @rnd: what the next step is
 * @ppasid: of each vPASID; 0: it has none
 * @leaving: vPASID that is being unmapped
 * @flushes: calls of flush()
 * @late: those that came while the CPU still translated @leaving
 * @pages: that may still be allocated
 */
struct world {
	struct iommufd_pasid_table table;
	u64 low;
	u64 high;
	struct rnd_state rnd;
	u32 *ppasid;
	u32 leaving;
	u32 flushes;
	u32 late;
	u32 pages;
};

/* Where translations meet an edge: of a table, a directory, the whole range. */
static const u32 hubs[] = { 0x0, 0x400, 0x12345, 0x7fc00, 0x80000, 0x80400, 0xffc00, 0xfffff };

/* What an ENQCMD sends, or why it makes the CPU leave the guest. */
static enum outcome cpu_translate(const struct world *w, u32 guest, u32 *host)
{
	u64 directory = guest & 0x80000 ? w->high : w->low;
	u64 entry8;
	u32 entry4;

	entry8 = *(u64 *)phys_to_virt(directory + 8 * ((guest & 0x7fc00) >> 10));
	if (!(entry8 & 0x1))
		return DIRECTORY_NOT_PRESENT;
	if (entry8 & 0xfff0000000000ffeULL)
		return DIRECTORY_RESERVED;
	entry4 = *(u32 *)phys_to_virt((entry8 & 0xffffffffff000ULL) + 4 * (guest & 0x3ff));
	if (!(entry4 & 0x80000000))
		return TABLE_NOT_VALID;
	if (entry4 & 0x7ff00000)
		return TABLE_RESERVED;
	*host = entry4 & 0xfffff;
	return TRANSLATED;
}

static void flush(void *data)
{
	struct world *w = data;
	u32 host;

	w->flushes++;
	w->late += cpu_translate(w, w->leaving, &host) == TRANSLATED;
}

static int map(struct world *w, u32 vpasid, u32 ppasid)
{
	return iommufd_pasid_table_ops.map(&w->table, vpasid, ppasid);
}

static void unmap(struct world *w, u32 vpasid, u32 ppasid)
{
	w->leaving = vpasid;
	iommufd_pasid_table_ops.unmap(&w->table, vpasid, ppasid);
}

static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

/* The CPU sees at a vPASID what must be there. */
static void expect_one(struct kunit *test, struct world *w, u32 vpasid)
{
	enum outcome seen;
	u32 host = 0;

	seen = cpu_translate(w, vpasid, &host);
	if (w->ppasid[vpasid] ? seen == TRANSLATED && host == w->ppasid[vpasid] :
	    seen == DIRECTORY_NOT_PRESENT || seen == TABLE_NOT_VALID)
		return;
	KUNIT_FAIL_AND_ABORT(test, "vPASID %#x: outcome %u, pPASID %#x instead of %#x", vpasid,
			     seen, host, w->ppasid[vpasid]);
}

static void expect_all(struct kunit *test, struct world *w)
{
	u32 vpasid;

	for (vpasid = 0; vpasid < VPASIDS; vpasid++)
		expect_one(test, w, vpasid);
}

static struct world *make_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	prandom_seed_state(&w->rnd, 0x9a51d);
	test->priv = w;
	return w;
}

static void make_table(struct kunit *test, struct world *w)
{
	KUNIT_ASSERT_EQ(test, iommufd_pasid_table_init(&w->table, flush, w), 0);
	w->low = w->table.directory[0];
	w->high = w->table.directory[1];
	/* A VM entry with anything else fails. */
	KUNIT_EXPECT_EQ(test, (w->low | w->high) & 0xfff0000000000fffULL, 0);
	KUNIT_EXPECT_NE(test, w->low, w->high);
}

/* The oracle is 4 MiB. */
static int kvm_init(struct kunit *test)
{
	struct world *w = make_world(test);

	w->ppasid = kvcalloc(VPASIDS, sizeof(*w->ppasid), GFP_KERNEL);
	return w->ppasid ? 0 : -ENOMEM;
}

static void kvm_exit(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	if (w->table.directory[0])
		iommufd_pasid_table_exit(&w->table);
	kvfree(w->ppasid);
}

static void kvm_edges(struct kunit *test)
{
	static const struct {
		u32 vpasid;
		u32 ppasid;
	} pairs[] = {
		{ 0x00001, 0xfffff }, { 0x003ff, 0x00001 }, { 0x00400, 0x80000 },
		{ 0x7ffff, 0x7ffff }, { 0x80000, 0x003ff }, { 0xfffff, 0xaaaaa },
	};
	struct world *w = test->priv;
	u32 i;

	make_table(test, w);
	expect_all(test, w);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		KUNIT_ASSERT_EQ(test, map(w, pairs[i].vpasid, pairs[i].ppasid), 0);
		w->ppasid[pairs[i].vpasid] = pairs[i].ppasid;
		expect_all(test, w);
	}
	KUNIT_EXPECT_EQ(test, map(w, 0x7ffff, 0x12345), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(w, 0, 0x12345), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(w, 0x12345, 0), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(w, 0x100000, 0x12345), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(w, 0x12345, 0x100000), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(w, U32_MAX, U32_MAX), -ERANGE);
	expect_all(test, w);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		unmap(w, pairs[i].vpasid, pairs[i].ppasid);
		w->ppasid[pairs[i].vpasid] = 0;
		expect_all(test, w);
	}
	KUNIT_EXPECT_EQ(test, w->flushes, ARRAY_SIZE(pairs));
	KUNIT_EXPECT_EQ(test, w->late, 0);
}

/* What is not there is not unmapped: no table, no pair, the pair of another context. */
static void kvm_unmap_other(struct kunit *test)
{
	struct world *w = test->priv;

	make_table(test, w);
	KUNIT_ASSERT_EQ(test, map(w, 0x500, 0x77), 0);
	w->ppasid[0x500] = 0x77;
	unmap(w, 0x80500, 0x77);
	unmap(w, 0x501, 0x77);
	unmap(w, 0x500, 0x76);
	unmap(w, 0x100500, 0x77);
	unmap(w, 0, 0);
	KUNIT_EXPECT_EQ(test, w->flushes, 0);
	expect_all(test, w);
}

static u32 any_vpasid(struct world *w)
{
	u32 hub = hubs[below(w, ARRAY_SIZE(hubs))];

	if (!below(w, 4))
		return below(w, VPASIDS);
	return (hub + below(w, 2 * HUB_REACH) - HUB_REACH) % VPASIDS;
}

static void step_map(struct kunit *test, struct world *w, u32 vpasid)
{
	/* Some are no PASIDs. */
	u32 ppasid = below(w, 16) ? 1 + below(w, VPASIDS - 1) : below(w, 2) * VPASIDS;
	int rc = map(w, vpasid, ppasid);

	if (!vpasid || !ppasid || ppasid >= VPASIDS) {
		KUNIT_ASSERT_EQ(test, rc, -ERANGE);
	} else if (w->ppasid[vpasid]) {
		KUNIT_ASSERT_EQ(test, rc, -EEXIST);
	} else {
		KUNIT_ASSERT_EQ(test, rc, 0);
		w->ppasid[vpasid] = ppasid;
	}
}

static void step_unmap(struct kunit *test, struct world *w, u32 vpasid)
{
	bool other = !below(w, 8);
	u32 before = w->flushes;
	bool there = w->ppasid[vpasid] && !other;

	unmap(w, vpasid, w->ppasid[vpasid] ^ other);
	KUNIT_ASSERT_EQ(test, w->flushes, before + there);
	KUNIT_ASSERT_EQ(test, w->late, 0);
	if (there)
		w->ppasid[vpasid] = 0;
}

static void kvm_walk(struct kunit *test)
{
	struct world *w = test->priv;
	u32 i, vpasid, live = 0;

	make_table(test, w);
	for (i = 0; i < STEPS; i++) {
		vpasid = any_vpasid(w);
		if (below(w, 5) < 3)
			step_map(test, w, vpasid);
		else
			step_unmap(test, w, vpasid);
		expect_one(test, w, vpasid);
		expect_one(test, w, vpasid ^ 0x1);
		expect_one(test, w, vpasid ^ 0x400);
		expect_one(test, w, vpasid ^ 0x80000);
		if (i % 4096 == 4095)
			expect_all(test, w);
	}
	expect_all(test, w);
	for (vpasid = 0; vpasid < VPASIDS; vpasid++)
		live += !!w->ppasid[vpasid];
	/* Or the walk went nowhere. */
	KUNIT_EXPECT_GT(test, live, STEPS / 100);
	KUNIT_EXPECT_GT(test, w->flushes, STEPS / 100);
	KUNIT_EXPECT_NE(test, w->ppasid[0x7ffff] | w->ppasid[0x80000] | w->ppasid[0xfffff], 0);
}

/* Every vPASID there is, and all tables. */
static void kvm_full(struct kunit *test)
{
	struct world *w = test->priv;
	u32 vpasid;

	make_table(test, w);
	for (vpasid = 1; vpasid < VPASIDS; vpasid++) {
		w->ppasid[vpasid] = VPASIDS - vpasid;
		KUNIT_ASSERT_EQ(test, map(w, vpasid, w->ppasid[vpasid]), 0);
	}
	expect_all(test, w);
}

static void *scarce_page(void)
{
	struct world *w = kunit_get_current_test()->priv;

	if (!w->pages)
		return NULL;
	w->pages--;
	return kzalloc(SZ_4K, GFP_KERNEL);
}

static void kvm_no_memory(struct kunit *test)
{
	struct world *w = test->priv;

	kunit_activate_static_stub(test, pasid_kvm_page, scarce_page);
	for (w->pages = 0; w->pages < 2; w->pages++) {
		u32 pages = w->pages;

		KUNIT_EXPECT_EQ(test, iommufd_pasid_table_init(&w->table, flush, w), -ENOMEM);
		KUNIT_EXPECT_EQ(test, w->pages, 0);
		KUNIT_EXPECT_EQ(test, w->table.directory[0], 0);
		w->pages = pages;
	}
	w->pages = 3;
	make_table(test, w);
	KUNIT_EXPECT_EQ(test, map(w, 0x80001, 0x55), 0);
	w->ppasid[0x80001] = 0x55;
	KUNIT_EXPECT_EQ(test, w->pages, 0);
	KUNIT_EXPECT_EQ(test, map(w, 0x1, 0x56), -ENOMEM);
	expect_all(test, w);
	/* What has a table needs no memory. */
	KUNIT_EXPECT_EQ(test, map(w, 0x803ff, 0x57), 0);
	w->ppasid[0x803ff] = 0x57;
	w->pages = 1;
	KUNIT_EXPECT_EQ(test, map(w, 0x1, 0x56), 0);
	w->ppasid[0x1] = 0x56;
	KUNIT_EXPECT_EQ(test, w->pages, 0);
	expect_all(test, w);
}

static struct kunit_case kvm_cases[] = {
	KUNIT_CASE(kvm_edges),
	KUNIT_CASE(kvm_unmap_other),
	KUNIT_CASE(kvm_walk),
	KUNIT_CASE(kvm_full),
	KUNIT_CASE(kvm_no_memory),
	{}
};

static struct kunit_suite kvm_suite = {
	.name = "iommufd_pasid_kvm",
	.init = kvm_init,
	.exit = kvm_exit,
	.test_cases = kvm_cases,
};

kunit_test_suite(kvm_suite);
