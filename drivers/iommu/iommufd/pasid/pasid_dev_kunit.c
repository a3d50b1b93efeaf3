// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of devices of two contexts, against arrays: each device has one entry
 * per number that user space can name. The allocator is the system's, the devices
 * are nothing but a width.
 */
#include <kunit/test.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "pasid_dev.h"
#include "pasid_set.h"

#define NAMES 48
#define CONTEXTS 2
#define DEVICES 6
#define STEPS 20000

/**
 * struct expect - what a device has to have under one name
 * @ppasid: what it stands for; 0: there is nothing
 * @allocated: the user has it
 * @attached: it is attached
 */
struct expect {
	u32 ppasid;
	bool allocated;
	bool attached;
};

/**
 * struct fake_dev - a device of a context
 * @pd: what is tested
 * @dev: has a width only
 * @iommu: which is here
 * @ctx: whose it is
 * @global: its policy
 * @expect: what it has to have
 */
struct fake_dev {
	struct pasid_dev pd;
	struct device dev;
	struct dev_iommu iommu;
	int ctx;
	bool global;
	struct expect expect[NAMES];
};

/**
 * struct fake_ctx - a context
 * @set: what is tested
 * @follower: follows it
 * @told: what the follower has been told, by name
 * @refuse: the follower takes no more
 * @tagged: the names are tags
 */
struct fake_ctx {
	struct pasid_set *set;
	struct iommufd_pasid_follower follower;
	u32 told[NAMES];
	bool refuse;
	bool tagged;
};

/**
 * struct world - all of it
 * @test: the test
 * @rnd: what the next step is
 * @ctx: the contexts
 * @devs: the devices: per-RID, and global ones of two widths
 */
struct world {
	struct kunit *test;
	struct rnd_state rnd;
	struct fake_ctx ctx[CONTEXTS];
	struct fake_dev devs[DEVICES];
};

static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static int follow_map(void *data, u32 vpasid, u32 ppasid)
{
	struct fake_ctx *ctx = data;

	if (ctx->refuse)
		return -EXFULL;
	if (vpasid >= NAMES || ctx->told[vpasid])
		return -EBADE;
	ctx->told[vpasid] = ppasid;
	return 0;
}

static void follow_unmap(void *data, u32 vpasid, u32 ppasid)
{
	struct fake_ctx *ctx = data;

	WARN_ON(ctx->told[vpasid] != ppasid);
	ctx->told[vpasid] = 0;
}

static const struct iommufd_pasid_ops follow_ops = {
	.map = follow_map,
	.unmap = follow_unmap,
};

/* Devices 0 and 3 have numbers of their own, 2 and 5 are too narrow for some. */
static void make_dev(struct world *w, int i)
{
	struct fake_dev *d = &w->devs[i];

	d->ctx = i / 3;
	d->global = i % 3;
	d->iommu.max_pasids = i % 3 == 2 ? 8 : 32;
	d->dev.iommu = &d->iommu;
	pasid_dev_init(&d->pd);
	KUNIT_ASSERT_EQ(w->test, 0,
			pasid_dev_setup(&d->pd, d->iommu.max_pasids,
					d->global ? w->ctx[d->ctx].set : NULL, &d->dev));
}

static struct world *make_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	prandom_seed_state(&w->rnd, 20);
	for (i = 0; i < CONTEXTS; i++) {
		w->ctx[i].set = pasid_set_new();
		KUNIT_ASSERT_NOT_NULL(test, w->ctx[i].set);
		w->ctx[i].follower.ops = &follow_ops;
		w->ctx[i].follower.data = &w->ctx[i];
		KUNIT_ASSERT_EQ(test, 0, pasid_set_follow(w->ctx[i].set, &w->ctx[i].follower));
	}
	for (i = 0; i < DEVICES; i++)
		make_dev(w, i);
	return w;
}

/* What a name stands for with the context's other global devices, or 0. */
static u32 known_as(struct world *w, int ctx, u32 vpasid)
{
	struct fake_dev *d;

	for (d = w->devs; d < w->devs + DEVICES; d++)
		if (d->ctx == ctx && d->global && d->expect[vpasid].ppasid)
			return d->expect[vpasid].ppasid;
	return 0;
}

static bool number_taken(struct world *w, u32 ppasid)
{
	u32 v;
	int i;

	for (i = 0; i < CONTEXTS; i++)
		for (v = 1; v < NAMES; v++)
			if (known_as(w, i, v) == ppasid)
				return true;
	return false;
}

static u32 number_behind(struct fake_dev *d, u32 vpasid)
{
	struct pasid_number *num = xa_load(&d->pd.numbers, vpasid);

	return num ? num->ppasid : 0;
}

/* Whether what the device has got under a new name is right. */
static void check_new(struct world *w, struct fake_dev *d, u32 vpasid, bool identity)
{
	u32 ppasid = number_behind(d, vpasid), known = d->global ? known_as(w, d->ctx, vpasid) : 0;

	KUNIT_ASSERT_NE(w->test, 0, ppasid);
	KUNIT_ASSERT_LT(w->test, ppasid, d->iommu.max_pasids);
	if (!d->global || identity)
		KUNIT_ASSERT_EQ(w->test, vpasid, ppasid);
	if (known)
		KUNIT_ASSERT_EQ(w->test, known, ppasid);
	else if (d->global)
		KUNIT_ASSERT_FALSE(w->test, number_taken(w, ppasid));
	d->expect[vpasid].ppasid = ppasid;
}

static bool has_names(const struct fake_ctx *ctx)
{
	return memchr_inv(ctx->told, 0, sizeof(ctx->told));
}

static void step_alloc(struct world *w, struct fake_dev *d)
{
	static const u32 ways[] = { 0, IOMMU_PASID_ALLOC_TAGGED, IOMMU_PASID_ALLOC_IDENTITY };
	u32 flags = ways[below(w, 3)], pasid = below(w, NAMES);
	bool tagged = flags & IOMMU_PASID_ALLOC_TAGGED;
	struct fake_ctx *ctx = &w->ctx[d->ctx];
	bool fresh = !has_names(ctx);
	u32 tag = pasid;
	int rc;

	ctx->refuse = !below(w, 16);
	rc = pasid_dev_alloc(&d->pd, flags, &pasid);
	ctx->refuse = false;
	if (!rc) {
		if (d->global && fresh)
			ctx->tagged = tagged;
		KUNIT_ASSERT_FALSE(w->test, tagged && tag != pasid);
		KUNIT_ASSERT_LT(w->test, pasid, NAMES);
		KUNIT_ASSERT_EQ(w->test, 0, d->expect[pasid].ppasid);
		check_new(w, d, pasid, !tagged);
		d->expect[pasid].allocated = true;
		return;
	}
	if (tagged && !tag)
		KUNIT_EXPECT_EQ(w->test, -EDOM, rc);
	else if (tagged && !d->global && tag >= d->iommu.max_pasids)
		KUNIT_EXPECT_EQ(w->test, -ERANGE, rc);
	else if (tagged && d->expect[tag].ppasid)
		KUNIT_EXPECT_EQ(w->test, -EBUSY, rc);
	else if (!d->global)
		KUNIT_EXPECT_EQ(w->test, flags ? -EINVAL : -ENOSPC, rc);
	else if (tagged && known_as(w, d->ctx, tag))
		KUNIT_EXPECT_EQ(w->test, -ERANGE, rc);
	else if (!fresh && ctx->tagged != tagged)
		KUNIT_EXPECT_EQ(w->test, -EINVAL, rc);
	else
		KUNIT_EXPECT_TRUE(w->test, rc == -ENOSPC || rc == -EXFULL);
}

static void step_free(struct world *w, struct fake_dev *d)
{
	u32 pasid = below(w, NAMES);
	struct expect *e = &d->expect[pasid];
	int want = 0, rc = pasid_dev_free(&d->pd, pasid);

	if (!pasid)
		want = -EDOM;
	else if (!d->global && pasid >= d->iommu.max_pasids)
		want = -ERANGE;
	else if (!e->allocated)
		want = -ENXIO;
	else if (e->attached)
		want = -EBUSY;
	KUNIT_EXPECT_EQ(w->test, want, rc);
	if (!rc)
		*e = (struct expect) {};
}

static void step_attach(struct world *w, struct fake_dev *d)
{
	u32 pasid = 1 + below(w, NAMES - 1);
	struct expect *e = &d->expect[pasid];
	struct pasid_number *num = pasid_dev_claim(&d->pd, pasid);

	if (!d->global && pasid >= d->iommu.max_pasids) {
		KUNIT_EXPECT_PTR_EQ(w->test, ERR_PTR(-ERANGE), num);
	} else if (d->global && !e->ppasid) {
		KUNIT_EXPECT_PTR_EQ(w->test, ERR_PTR(-ENXIO), num);
	} else if (e->attached) {
		KUNIT_EXPECT_PTR_EQ(w->test, ERR_PTR(-EBUSY), num);
	} else {
		KUNIT_ASSERT_FALSE(w->test, IS_ERR(num));
		KUNIT_EXPECT_EQ(w->test, e->allocated ? -EBUSY : -ENXIO,
				pasid_dev_free(&d->pd, pasid));
		if (!below(w, 4)) {
			pasid_dev_release(&d->pd, num);
			return;
		}
		pasid_dev_commit(&d->pd, num, pasid, pasid + 1);
		check_new(w, d, pasid, !d->global);
		e->attached = true;
	}
}

static void step_detach(struct world *w, struct fake_dev *d)
{
	u32 pasid = 1 + below(w, NAMES - 1);
	struct expect *e = &d->expect[pasid];
	struct pasid_number *num = pasid_dev_attached(&d->pd, pasid);

	KUNIT_ASSERT_EQ(w->test, e->attached, !!num);
	if (!num)
		return;
	pasid_dev_release(&d->pd, num);
	e->attached = false;
	if (!e->allocated)
		*e = (struct expect) {};
}

static void check_entry(struct world *w, struct fake_dev *d,
			const struct iommu_pasid_entry *entry)
{
	const struct expect *e = &d->expect[entry->pasid];
	u32 flags = 0;

	if (e->allocated)
		flags |= IOMMU_PASID_ENTRY_ALLOCATED;
	if (e->attached)
		flags |= IOMMU_PASID_ENTRY_ATTACHED;
	if (!d->global || !w->ctx[d->ctx].tagged)
		flags |= IOMMU_PASID_ENTRY_IDENTITY;
	KUNIT_EXPECT_EQ(w->test, flags, entry->flags);
	KUNIT_EXPECT_EQ(w->test, e->attached ? entry->pasid : 0, entry->hwpt_id);
	KUNIT_EXPECT_EQ(w->test, e->attached ? entry->pasid + 1 : 0, entry->ioas_id);
}

/* What the device tells of itself is what it has to have. */
static void check_dev(struct world *w, struct fake_dev *d)
{
	u32 v, at = 1, nr, i, listed = 0, in_use = 0, attached = 0, last = 0;
	struct iommu_pasid_entry entries[5];
	struct iommu_pasid_info info;
	u64 changes;

	for (v = 1; v < NAMES; v++) {
		KUNIT_ASSERT_EQ(w->test, d->expect[v].ppasid, number_behind(d, v));
		in_use += !!d->expect[v].ppasid;
		attached += d->expect[v].attached;
	}
	pasid_dev_info(&d->pd, &info);
	KUNIT_EXPECT_EQ(w->test, in_use, info.out_in_use);
	KUNIT_EXPECT_EQ(w->test, attached, info.out_attached);
	KUNIT_EXPECT_EQ(w->test, d->iommu.max_pasids - 1, info.out_limit);
	do {
		nr = pasid_dev_list(&d->pd, &at, entries, ARRAY_SIZE(entries), &changes);
		for (i = 0; i < nr; i++) {
			KUNIT_ASSERT_GT(w->test, entries[i].pasid, last);
			last = entries[i].pasid;
			check_entry(w, d, &entries[i]);
		}
		listed += nr;
	} while (at);
	KUNIT_EXPECT_EQ(w->test, in_use, listed);
}

static bool same_run(const struct pasid_run *a, const struct pasid_run *b)
{
	return a->last + 1 == b->first && a->hwpt_id == b->hwpt_id && a->ioas_id == b->ioas_id &&
	       a->allocated == b->allocated;
}

/* Each number is in one run, all of which is so, and no two runs could be one. */
static void check_runs(struct world *w, struct fake_dev *d)
{
	struct pasid_run run = {}, before = {};
	u32 v = 1;

	for (;;) {
		while (!pasid_dev_run(&d->pd, &run, 3))
			KUNIT_ASSERT_NE(w->test, 0, run.first);
		if (!run.first)
			break;
		KUNIT_ASSERT_LT(w->test, run.last, NAMES);
		KUNIT_EXPECT_EQ(w->test, run.ppasid, d->expect[run.first].ppasid);
		KUNIT_EXPECT_FALSE(w->test, before.first && same_run(&before, &run));
		for (; v < run.first; v++)
			KUNIT_EXPECT_EQ(w->test, 0, d->expect[v].ppasid);
		for (; v <= run.last; v++) {
			KUNIT_EXPECT_NE(w->test, 0, d->expect[v].ppasid);
			KUNIT_EXPECT_EQ(w->test, run.allocated, d->expect[v].allocated);
			KUNIT_EXPECT_EQ(w->test, !!run.ioas_id, d->expect[v].attached);
		}
		before = run;
		run.first = 0;
	}
	for (; v < NAMES; v++)
		KUNIT_EXPECT_EQ(w->test, 0, d->expect[v].ppasid);
}

static void check_world(struct world *w)
{
	int i;
	u32 v;

	for (i = 0; i < DEVICES; i++) {
		check_dev(w, &w->devs[i]);
		check_runs(w, &w->devs[i]);
	}
	for (i = 0; i < CONTEXTS; i++)
		for (v = 1; v < NAMES; v++)
			KUNIT_ASSERT_EQ(w->test, known_as(w, i, v), w->ctx[i].told[v]);
}

static void end_world(struct world *w)
{
	struct fake_dev *d;
	u32 v;
	int i;

	for (d = w->devs; d < w->devs + DEVICES; d++) {
		for (v = 1; v < NAMES; v++)
			if (d->expect[v].attached)
				pasid_dev_release(&d->pd, pasid_dev_attached(&d->pd, v));
		pasid_dev_exit(&d->pd);
	}
	for (i = 0; i < CONTEXTS; i++) {
		for (v = 1; v < NAMES; v++)
			KUNIT_EXPECT_EQ(w->test, 0, w->ctx[i].told[v]);
		pasid_set_unfollow(w->ctx[i].set, &w->ctx[i].follower);
		pasid_set_free(w->ctx[i].set);
	}
}

static void pasid_dev_walk_test(struct kunit *test)
{
	static void (*const steps[])(struct world *w, struct fake_dev *d) = {
		step_alloc, step_alloc, step_alloc, step_free, step_free, step_attach,
		step_detach, step_detach,
	};
	struct world *w = make_world(test);
	int i;

	for (i = 0; i < STEPS; i++) {
		steps[below(w, ARRAY_SIZE(steps))](w, &w->devs[below(w, DEVICES)]);
		if (!(i % 8))
			check_world(w);
	}
	end_world(w);
}

/* After all of it every number of a width can be had once more, and no more. */
static void pasid_dev_all_numbers_test(struct kunit *test)
{
	struct world *w = make_world(test);
	struct fake_dev *d = &w->devs[1];
	u32 i, pasid;

	for (i = 1; i < d->iommu.max_pasids; i++)
		KUNIT_ASSERT_EQ(test, 0, pasid_dev_alloc(&d->pd, 0, &pasid));
	KUNIT_EXPECT_EQ(test, -ENOSPC, pasid_dev_alloc(&d->pd, 0, &pasid));
	KUNIT_EXPECT_EQ(test, -ENOSPC, pasid_dev_alloc(&w->devs[4].pd, 0, &pasid));
	KUNIT_EXPECT_EQ(test, 0, pasid_dev_alloc(&w->devs[0].pd, 0, &pasid));
	pasid_dev_exit(&d->pd);
	pasid_dev_init(&d->pd);
	KUNIT_EXPECT_EQ(test, 0, pasid_dev_alloc(&w->devs[4].pd, 0, &pasid));
	end_world(w);
}

/* A follower that comes late is told of what there is; one that refuses, to forget. */
static void pasid_set_follow_test(struct kunit *test)
{
	struct world *w = make_world(test);
	struct fake_ctx late = {
		.follower = { .ops = &follow_ops, .data = &late },
	};
	u32 v, pasid;

	for (v = 5; v < 10; v++) {
		pasid = v;
		KUNIT_ASSERT_EQ(test, 0, pasid_dev_alloc(&w->devs[1].pd, IOMMU_PASID_ALLOC_TAGGED,
							 &pasid));
	}
	late.told[8] = 1;
	KUNIT_EXPECT_EQ(test, -EBADE, pasid_set_follow(w->ctx[0].set, &late.follower));
	late.told[8] = 0;
	for (v = 0; v < NAMES; v++)
		KUNIT_EXPECT_EQ(test, 0, late.told[v]);
	KUNIT_ASSERT_EQ(test, 0, pasid_set_follow(w->ctx[0].set, &late.follower));
	KUNIT_EXPECT_MEMEQ(test, w->ctx[0].told, late.told, sizeof(late.told));
	KUNIT_EXPECT_EQ(test, 0, pasid_dev_free(&w->devs[1].pd, 7));
	KUNIT_EXPECT_EQ(test, 0, late.told[7]);
	pasid_set_unfollow(w->ctx[0].set, &late.follower);
	for (v = 0; v < NAMES; v++)
		KUNIT_EXPECT_EQ(test, 0, late.told[v]);
	end_world(w);
}

static struct kunit_case pasid_dev_cases[] = {
	KUNIT_CASE(pasid_dev_walk_test),
	KUNIT_CASE(pasid_dev_all_numbers_test),
	KUNIT_CASE(pasid_set_follow_test),
	{}
};

static struct kunit_suite pasid_dev_suite = {
	.name = "iommufd_pasid_dev",
	.test_cases = pasid_dev_cases,
};

kunit_test_suite(pasid_dev_suite);
