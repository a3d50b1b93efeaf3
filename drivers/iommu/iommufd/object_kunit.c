// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life times of objects, in a context of their own.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "object.h"

#define MOST_USES 4
#define THINGS 48
#define STEPS 4000
#define ROUNDS 100
#define MAGIC 0x7417

/**
 * struct thing - an object that uses others
 * @obj: first
 * @magic: MAGIC until it is destroyed
 * @nr: its place in world.destroyed
 * @uses: objects it has a reference of
 * @last_user_ends: whether they end with their last user
 * @slot: the slot that it is in, or NULL
 */
struct thing {
	struct object obj;
	u32 magic;
	u32 nr;
	struct thing *uses[MOST_USES];
	bool last_user_ends;
	struct object **slot;
};

/**
 * struct world - a context, and what became of its objects
 * @ictx: first member, so that an object finds the rest
 * @rnd: what the next step is
 * @destroyed: when each was, counted from 1; 0 if not yet
 * @clock: how many were
 */
struct world {
	struct iommufd_ctx ictx;
	struct rnd_state rnd;
	u32 destroyed[THINGS];
	u32 clock;
};

static void thing_destroy(struct object *obj)
{
	struct thing *thing = container_of(obj, struct thing, obj);
	struct world *w = container_of(obj->ictx, struct world, ictx);
	u32 i;

	WARN_ON(thing->magic != MAGIC || xa_load(&w->ictx.objects, obj->id) == obj);
	w->destroyed[thing->nr] = ++w->clock;
	thing->magic = 0;
	if (thing->slot)
		object_slot_leave(obj, thing->slot);
	for (i = 0; i < MOST_USES && thing->uses[i]; i++) {
		if (thing->last_user_ends)
			object_put_or_destroy(&thing->uses[i]->obj);
		else
			object_put(&thing->uses[i]->obj);
	}
	kfree(thing);
}

static const struct object_type thing_type = { .name = "thing", .destroy = thing_destroy };
static const struct object_type other_type = { .name = "other", .destroy = thing_destroy };
static const struct object_type kernel_type = {
	.name = "kernel",
	.kernel_owned = true,
	.destroy = thing_destroy,
};

/* 0 to n - 1 */
static u32 below(struct world *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static struct world *make_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	prandom_seed_state(&w->rnd, 99);
	xa_init_flags(&w->ictx.objects, XA_FLAGS_ALLOC1);
	init_waitqueue_head(&w->ictx.idle);
	return w;
}

static struct thing *make_thing(struct kunit *test, struct world *w, u32 nr,
				const struct object_type *type)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, thing);
	thing->magic = MAGIC;
	thing->nr = nr;
	w->destroyed[nr] = 0;
	KUNIT_ASSERT_EQ(test, object_init(&w->ictx, &thing->obj, type), 0);
	return thing;
}

static void expect_absent(struct kunit *test, struct world *w, u32 id)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(object_get(&w->ictx, id, &thing_type)), -ENOENT);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(object_get_any(&w->ictx, id)), -ENOENT);
	KUNIT_EXPECT_EQ(test, object_destroy_id(&w->ictx, id), -ENOENT);
}

static void object_publishes(struct kunit *test)
{
	struct world *w = make_world(test);
	struct thing *a = make_thing(test, w, 0, &thing_type);
	struct thing *b = make_thing(test, w, 1, &thing_type);
	u32 id = a->obj.id;

	KUNIT_EXPECT_TRUE(test, id && id != b->obj.id);
	expect_absent(test, w, id);
	object_abort(&b->obj);
	kfree(b);
	expect_absent(test, w, 0);
	expect_absent(test, w, U32_MAX);

	object_publish(&a->obj);
	KUNIT_EXPECT_PTR_EQ(test, object_get(&w->ictx, id, &thing_type), &a->obj);
	KUNIT_EXPECT_PTR_EQ(test, object_get_any(&w->ictx, id), &a->obj);
	KUNIT_EXPECT_EQ(test, refcount_read(&a->obj.users), 3);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(object_get(&w->ictx, id, &other_type)), -ENOENT);
	KUNIT_EXPECT_EQ(test, refcount_read(&a->obj.users), 3);
	object_put(&a->obj);
	object_put(&a->obj);
	KUNIT_EXPECT_EQ(test, object_destroy_id(&w->ictx, id), 0);
	KUNIT_EXPECT_EQ(test, w->destroyed[0], 1);
	expect_absent(test, w, id);
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->ictx.objects));
}

/* One step of the walk on a published object with refs references. */
static void walk_step(struct kunit *test, struct world *w, struct thing **slot, u32 *refs)
{
	struct object *obj = &(*slot)->obj;
	u32 nr = (*slot)->nr, id = obj->id;
	bool gone = false;

	switch (below(w, 6)) {
	case 0:
		KUNIT_ASSERT_PTR_EQ(test, object_get(&w->ictx, id, obj->type), obj);
		++*refs;
		break;
	case 1:
		if (*refs) {
			object_hold(obj);
			++*refs;
		}
		break;
	case 2:
	case 3:
		if (*refs) {
			object_put(obj);
			--*refs;
		}
		break;
	case 4:
		gone = !*refs;
		KUNIT_ASSERT_EQ(test, object_destroy_id(&w->ictx, id), gone ? 0 : -EBUSY);
		break;
	default:
		if (*refs) {
			gone = *refs == 1;
			object_put_or_destroy(obj);
			--*refs;
		}
	}
	KUNIT_ASSERT_EQ(test, !!w->destroyed[nr], gone);
	if (gone) {
		*slot = NULL;
		KUNIT_ASSERT_EQ(test, object_destroy_id(&w->ictx, id), -ENOENT);
	} else {
		KUNIT_ASSERT_EQ(test, refcount_read(&obj->users), 1 + *refs);
	}
}

static void object_walk(struct kunit *test)
{
	struct world *w = make_world(test);
	struct thing *things[THINGS] = {};
	u32 refs[THINGS] = {}, step, i;

	for (step = 0; step < STEPS; step++) {
		i = below(w, THINGS);
		if (things[i]) {
			walk_step(test, w, &things[i], &refs[i]);
			continue;
		}
		things[i] = make_thing(test, w, i, below(w, 2) ? &thing_type : &other_type);
		object_publish(&things[i]->obj);
	}
	KUNIT_EXPECT_GT(test, w->clock, THINGS);
	for (i = 0; i < THINGS; i++)
		while (refs[i]--)
			object_put(&things[i]->obj);
	object_destroy_all(&w->ictx);
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->ictx.objects));
}

struct remover {
	struct object *obj;
	struct completion done;
};

static int remove_thread(void *arg)
{
	struct remover *r = arg;

	object_remove(r->obj);
	complete(&r->done);
	return 0;
}

static void object_remove_waits(struct kunit *test)
{
	struct remover *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct world *w = make_world(test);
	struct thing *a = make_thing(test, w, 0, &kernel_type);
	u32 id = a->obj.id;

	KUNIT_ASSERT_NOT_NULL(test, r);
	object_publish(&a->obj);
	KUNIT_EXPECT_EQ(test, object_destroy_id(&w->ictx, id), -EBUSY);
	KUNIT_EXPECT_EQ(test, w->clock, 0);
	r->obj = &a->obj;
	init_completion(&r->done);
	object_hold(&a->obj);
	object_hold(&a->obj);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(remove_thread, r, "iommufd_kunit")));

	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&r->done, msecs_to_jiffies(50)), 0);
	expect_absent(test, w, id);
	object_put(&a->obj);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&r->done, msecs_to_jiffies(50)), 0);
	KUNIT_EXPECT_EQ(test, a->magic, MAGIC);
	object_put(&a->obj);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r->done, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, w->clock, 1);
}

/* Objects that use each other without a cycle end in an order that fits. */
static void object_ends_all(struct kunit *test)
{
	u32 round, i, k, uses[THINGS][MOST_USES], order[THINGS];
	struct world *w = make_world(test);
	struct thing *things[THINGS];

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < THINGS; i++) {
			things[i] = make_thing(test, w, i, i & 1 ? &kernel_type : &thing_type);
			things[i]->last_user_ends = round & 1;
			object_publish(&things[i]->obj);
			k = below(w, i + 1);
			order[i] = order[k];
			order[k] = i;
		}
		/* By random ranks, so that the ID says nothing. */
		for (i = 1; i < THINGS; i++) {
			for (k = 0; k < MOST_USES; k++) {
				struct thing *used = things[order[below(w, i)]];

				uses[i][k] = used->nr;
				things[order[i]]->uses[k] = used;
				object_hold(&used->obj);
			}
		}
		w->clock = 0;
		object_destroy_all(&w->ictx);
		KUNIT_ASSERT_EQ(test, w->clock, THINGS);
		KUNIT_ASSERT_TRUE(test, xa_empty(&w->ictx.objects));
		for (i = 1; i < THINGS; i++)
			for (k = 0; k < MOST_USES; k++)
				KUNIT_ASSERT_LT(test, w->destroyed[order[i]],
						w->destroyed[uses[i][k]]);
	}
}

/*
 * Looks the same ID up, over and over; what it finds must be alive, and stay so
 * even where it is kept for some time.
 */
static int lookup_thread(void *arg)
{
	struct world *w = arg;
	u32 bad = 0, nr;

	for (nr = 0; !kthread_should_stop(); nr++) {
		struct object *obj = object_get(&w->ictx, 1, &thing_type);

		if (!IS_ERR(obj)) {
			if (nr % 256 == 0)
				schedule_timeout_uninterruptible(1);
			bad |= container_of(obj, struct thing, obj)->magic != MAGIC;
			object_put(obj);
		}
		if (nr % 64 == 0)
			schedule_timeout_uninterruptible(1);
	}
	return bad;
}

static void object_destroy_races(struct kunit *test)
{
	struct world *w = make_world(test);
	struct task_struct *tasks[2];
	int rc;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = kthread_run(lookup_thread, w, "iommufd_kunit");
		KUNIT_ASSERT_FALSE(test, IS_ERR(tasks[i]));
	}
	for (i = 0; i < ROUNDS / 4; i++) {
		struct thing *a = make_thing(test, w, 0, &thing_type);

		KUNIT_EXPECT_EQ(test, a->obj.id, 1);
		object_publish(&a->obj);
		do {
			schedule_timeout_uninterruptible(i % 4);
			rc = object_destroy_id(&w->ictx, 1);
		} while (rc == -EBUSY);
		KUNIT_EXPECT_EQ(test, rc, 0);
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		KUNIT_EXPECT_EQ(test, kthread_stop(tasks[i]), 0);
}

static struct thing *make_in_slot(struct kunit *test, struct world *w, u32 nr,
				  struct object **slot)
{
	struct thing *thing = make_thing(test, w, nr, &thing_type);

	KUNIT_ASSERT_EQ(test, object_slot_take(&thing->obj, slot), 0);
	thing->slot = slot;
	object_publish(&thing->obj);
	return thing;
}

static void object_slots(struct kunit *test)
{
	struct world *w = make_world(test);
	struct object *slot = NULL;
	u32 id = make_in_slot(test, w, 0, &slot)->obj.id;
	struct thing *b = make_thing(test, w, 1, &thing_type);

	KUNIT_EXPECT_EQ(test, object_slot_take(&b->obj, &slot), -EEXIST);
	object_publish(&b->obj);
	/* By the user: nothing is left of it. */
	KUNIT_EXPECT_EQ(test, object_destroy_id(&w->ictx, id), 0);
	KUNIT_EXPECT_NULL(test, slot);
	object_slot_end(&w->ictx, &slot);
	KUNIT_EXPECT_EQ(test, make_in_slot(test, w, 2, &slot)->obj.id, id);
	/* By who has the slot: the ID is kept until the user has asked for it. */
	object_slot_end(&w->ictx, &slot);
	KUNIT_EXPECT_NULL(test, slot);
	KUNIT_EXPECT_EQ(test, w->destroyed[2], 2);
	KUNIT_EXPECT_EQ(test, PTR_ERR(object_get_any(&w->ictx, id)), -ENOENT);
	KUNIT_EXPECT_NE(test, make_in_slot(test, w, 3, &slot)->obj.id, id);
	KUNIT_EXPECT_EQ(test, object_destroy_id(&w->ictx, id), -ENOENT);
	object_slot_end(&w->ictx, &slot);
	KUNIT_EXPECT_EQ(test, make_in_slot(test, w, 4, &slot)->obj.id, id);
	/* With one that is kept, the context ends all the same. */
	object_destroy_all(&w->ictx);
	KUNIT_EXPECT_NULL(test, slot);
	KUNIT_EXPECT_EQ(test, w->clock, 5);
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->ictx.objects));
}

/**
 * struct slot_end - the end of who has a slot, in a thread
 * @w: the world
 * @slot: the slot
 * @done: when it is empty
 */
struct slot_end {
	struct world *w;
	struct object *slot;
	struct completion done;
};

static int slot_end_thread(void *arg)
{
	struct slot_end *end = arg;

	object_slot_end(&end->w->ictx, &end->slot);
	complete(&end->done);
	return 0;
}

/* The user and who has the slot at once: one of them ends it, and both know. */
static void object_slot_races(struct kunit *test)
{
	struct slot_end *end = kunit_kzalloc(test, sizeof(*end), GFP_KERNEL);
	struct world *w = make_world(test);
	u32 i, id;
	int rc;

	KUNIT_ASSERT_NOT_NULL(test, end);
	end->w = w;
	for (i = 0; i < ROUNDS; i++) {
		id = make_in_slot(test, w, 0, &end->slot)->obj.id;
		w->clock = 0;
		init_completion(&end->done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(slot_end_thread, end,
							    "iommufd_kunit")));
		if (i % 2)
			schedule();
		rc = object_destroy_id(&w->ictx, id);
		KUNIT_EXPECT_TRUE(test, rc == 0 || rc == -ENOENT);
		KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&end->done, 10 * HZ), 0);
		KUNIT_EXPECT_EQ(test, w->clock, 1);
		KUNIT_EXPECT_NULL(test, end->slot);
		object_destroy_id(&w->ictx, id);
	}
	KUNIT_EXPECT_TRUE(test, xa_empty(&w->ictx.objects));
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(object_publishes),
	KUNIT_CASE(object_walk),
	KUNIT_CASE(object_remove_waits),
	KUNIT_CASE(object_ends_all),
	KUNIT_CASE(object_destroy_races),
	KUNIT_CASE(object_slots),
	KUNIT_CASE(object_slot_races),
	{}
};

static struct kunit_suite object_suite = {
	.name = "iommufd_object",
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
