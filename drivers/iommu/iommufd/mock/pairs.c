// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told of PASIDs: the driver of a mock device, and a follower of a
 * context's set. Both keep a table of the pairs that they know, can be made to
 * refuse the next one, and warn about what they must not be told: what they know
 * already, and to forget what they do not know. In what order things happened
 * is in one log, with what the IOMMU was told.
 */
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "mock.h"

#define EVENTS 1024

/**
 * struct event - something that happened
 * @kind: MOCK_EVENT_...
 * @index: of the device; 0 for a follower
 * @vpasid: in user space; 0 for the IOMMU, which does not know
 * @ppasid: in requests
 */
struct event {
	u32 kind;
	u32 index;
	u32 vpasid;
	u32 ppasid;
};

static DEFINE_SPINLOCK(events_lock); /* of events and nr_events */
static struct event events[EVENTS];
static u64 nr_events;

/**
 * mock_event() - note that something has happened
 * @kind: MOCK_EVENT_...
 * @index: of the device
 * @vpasid: in user space
 * @ppasid: in requests
 *
 * Context: any; takes events_lock.
 */
void mock_event(u32 kind, u32 index, u32 vpasid, u32 ppasid)
{
	const struct event event = {
		.kind = kind,
		.index = index,
		.vpasid = vpasid,
		.ppasid = ppasid,
	};

	spin_lock(&events_lock);
	events[nr_events++ % EVENTS] = event;
	spin_unlock(&events_lock);
}

/**
 * mock_event_get() - MOCK_OP_EVENT: something that has happened
 * @call: the call
 * @id: means nothing
 * @args: has the number of the event; set to the event
 *
 * Context: may sleep.
 * Return: 0, also if it has not happened yet, with kind 0; -ENOENT if it has been
 * forgotten; -EFAULT.
 */
int mock_event_get(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(event) get = args;
	struct event event = {};

	scoped_guard(spinlock, &events_lock) {
		get->out_next = nr_events;
		if (get->at < nr_events)
			event = events[get->at % EVENTS];
		if (nr_events > EVENTS && get->at < nr_events - EVENTS)
			return -ENOENT;
	}
	get->out_kind = event.kind;
	get->out_index = event.index;
	get->out_vpasid = event.vpasid;
	get->out_ppasid = event.ppasid;
	return op_respond(call);
}

static int pairs_map(struct mock_pairs *pairs, u32 vpasid, u32 ppasid)
{
	int rc = xchg(&pairs->fail, 0);

	if (rc)
		return rc;
	rc = xa_insert(&pairs->table, vpasid, xa_mk_value(ppasid), GFP_KERNEL_ACCOUNT);
	WARN(rc == -EBUSY, "mock: told of PASID %u twice\n", vpasid);
	return rc;
}

static void pairs_unmap(struct mock_pairs *pairs, u32 vpasid, u32 ppasid)
{
	void *old = xa_erase(&pairs->table, vpasid);

	WARN(old != xa_mk_value(ppasid), "mock: told to forget PASID %u, which is another\n",
	     vpasid);
}

static int driver_map(void *data, u32 vpasid, u32 ppasid)
{
	struct mock_stdev *stdev = data;
	int rc = pairs_map(&stdev->pairs, vpasid, ppasid);

	if (!rc)
		mock_event(MOCK_EVENT_MAP, stdev->mdev->index, vpasid, ppasid);
	return rc;
}

static void driver_unmap(void *data, u32 vpasid, u32 ppasid)
{
	struct mock_stdev *stdev = data;

	mock_event(MOCK_EVENT_UNMAP, stdev->mdev->index, vpasid, ppasid);
	pairs_unmap(&stdev->pairs, vpasid, ppasid);
}

const struct iommufd_pasid_ops mock_driver_ops = {
	.map = driver_map,
	.unmap = driver_unmap,
};

/**
 * struct follower - somebody who follows a context's set
 * @obj: head
 * @follower: of iommufd
 * @pairs: what it knows
 */
struct follower {
	struct object obj;
	struct iommufd_pasid_follower follower;
	struct mock_pairs pairs;
};

static int follower_map(void *data, u32 vpasid, u32 ppasid)
{
	struct follower *f = data;
	int rc = pairs_map(&f->pairs, vpasid, ppasid);

	if (!rc)
		mock_event(MOCK_EVENT_FOLLOW_MAP, 0, vpasid, ppasid);
	return rc;
}

static void follower_unmap(void *data, u32 vpasid, u32 ppasid)
{
	struct follower *f = data;

	mock_event(MOCK_EVENT_FOLLOW_UNMAP, 0, vpasid, ppasid);
	pairs_unmap(&f->pairs, vpasid, ppasid);
}

static const struct iommufd_pasid_ops follower_ops = {
	.map = follower_map,
	.unmap = follower_unmap,
};

static void follower_destroy(struct object *obj)
{
	struct follower *f = container_of(obj, struct follower, obj);

	iommufd_pasid_unfollow(obj->ictx, &f->follower);
	mock_pairs_exit(&f->pairs);
	kfree(f);
}

static const struct object_type follower_type = {
	.name = "mock follower",
	.destroy = follower_destroy,
};

/**
 * mock_follow() - MOCK_OP_FOLLOW: somebody who follows the context's set
 * @call: the call
 * @id: means nothing
 * @args: set to the ID
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mock_follow(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(follow) follow = args;
	struct follower *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!f)
		return -ENOMEM;
	rc = object_init(call->ictx, &f->obj, &follower_type);
	if (rc)
		goto free;
	mock_pairs_init(&f->pairs);
	f->follower.ops = &follower_ops;
	f->follower.data = f;
	rc = iommufd_pasid_follow(call->ictx, &f->follower);
	if (rc)
		goto abort;
	follow->out_id = f->obj.id;
	call->new_obj = &f->obj;
	return 0;

abort:
	mock_pairs_exit(&f->pairs);
	object_abort(&f->obj);
free:
	kfree(f);
	return rc;
}

/**
 * mock_pairs_init() - nothing known yet
 * @pairs: of a driver or follower
 */
void mock_pairs_init(struct mock_pairs *pairs)
{
	xa_init_flags(&pairs->table, XA_FLAGS_ACCOUNT);
}

/**
 * mock_pairs_exit() - complain about what was not told to be forgotten
 * @pairs: of a driver or follower
 *
 * Context: may sleep.
 */
void mock_pairs_exit(struct mock_pairs *pairs)
{
	WARN(!xa_empty(&pairs->table), "mock: pairs left\n");
	xa_destroy(&pairs->table);
}

/* Of a mock device or a follower. */
static struct mock_pairs *pairs_of(struct object *obj)
{
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (obj->type == &mock_stdev_type)
		return &container_of(obj, struct mock_stdev, obj)->pairs;
	if (obj->type == &follower_type)
		return &container_of(obj, struct follower, obj)->pairs;
	return ERR_PTR(-ENOENT);
}

/**
 * mock_pair() - MOCK_OP_PAIR: what a driver or follower knows of a PASID
 * @call: the call
 * @id: the mock device or follower
 * @args: has the vPASID; set to the pPASID
 *
 * Context: may sleep.
 * Return: 0; -ENOENT if it does not know it; -EFAULT.
 */
int mock_pair(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(pair) pair = args;
	struct mock_pairs *pairs;
	void *entry;

	CLASS(object, obj)(call->ictx, id);
	pairs = pairs_of(obj);
	if (IS_ERR(pairs))
		return PTR_ERR(pairs);
	entry = xa_load(&pairs->table, pair->vpasid);
	if (!entry)
		return -ENOENT;
	pair->out_ppasid = xa_to_value(entry);
	return op_respond(call);
}

/**
 * mock_fail_map() - MOCK_OP_FAIL_MAP: refuse the next pair
 * @call: the call
 * @id: the mock device or follower
 * @args: has the errno; 0: refuse none
 *
 * Context: may sleep.
 * Return: 0; -ENOENT; -EINVAL if it is no errno.
 */
int mock_fail_map(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(fail_map) fail = args;
	struct mock_pairs *pairs;

	if (fail->error > MAX_ERRNO)
		return -EINVAL;
	CLASS(object, obj)(call->ictx, id);
	pairs = pairs_of(obj);
	if (IS_ERR(pairs))
		return PTR_ERR(pairs);
	WRITE_ONCE(pairs->fail, -(int)fail->error);
	return 0;
}
