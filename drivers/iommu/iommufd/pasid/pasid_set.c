// SPDX-License-Identifier: GPL-2.0-only
/*
 * The global PASIDs of a context. Knows no attachment: the devices of the context
 * see to it that a pair is not put while anything uses it. Calls the allocator
 * that SVA uses, the misc cgroup, and the followers, all with @lock held.
 *
 * A set holds tags, which the user chose, or identities, which the kernel chose,
 * not both: the kernel's next number could be a tag already, and a tag the number
 * of somebody else.
 */
#include <linux/bits.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/misc_cgroup.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../domain/core.h"
#include "pasid_set.h"

/**
 * struct pasid_pair - a name and what it stands for
 * @global: pPASID
 * @users: devices
 */
struct pasid_pair {
	struct pasid_global global;
	u32 users;
};

/**
 * struct pasid_set - a context's pairs
 * @lock: protects all that follows; a leaf but for the allocator's
 * @pairs: vPASID -> struct pasid_pair
 * @tagged: the pairs are tags; meaningless while there are none
 * @followers: struct iommufd_pasid_follower
 */
struct pasid_set {
	struct mutex lock; /* of all that follows */
	struct xarray pairs;
	bool tagged;
	struct list_head followers;
};

/**
 * pasid_set_capacity() - tell the misc cgroup how many numbers there are
 * @on: false when none is handed out any more
 *
 * Context: any.
 */
void pasid_set_capacity(bool on)
{
	/* 0 stands for requests without PASID. */
	misc_cg_set_capacity(MISC_CG_RES_PASID, on ? BIT(PASID_WIDTH_MAX) - 1 : 0);
}

/**
 * pasid_global_get() - a number that nobody in the system uses
 * @global: set to it
 * @dev: the device that it is for
 * @max: the number has to be smaller, also where @dev could have greater ones
 *
 * Context: may sleep.
 * Return: 0; -EDQUOT at the limit of the caller's misc cgroup; -ENOSPC when the
 * device has no number left, or memory is short; -EOPNOTSUPP without PASIDs.
 */
int pasid_global_get(struct pasid_global *global, struct device *dev, u32 max)
{
	/* First the number: without one the limit of a cgroup is not what is wrong. */
	int rc = core_pasid_alloc(dev, &global->number);

	if (rc)
		return rc;
	/* The smallest that was free. */
	if (global->number >= max) {
		core_pasid_free(global->number);
		return -ENOSPC;
	}
	global->cg = get_current_misc_cg();
	if (!misc_cg_try_charge(MISC_CG_RES_PASID, global->cg, 1))
		return 0;
	put_misc_cg(global->cg);
	core_pasid_free(global->number);
	return -EDQUOT;
}

/**
 * pasid_global_put() - give a number back
 * @global: from pasid_global_get(); no cache knows it any more
 *
 * Context: may sleep.
 */
void pasid_global_put(struct pasid_global *global)
{
	core_pasid_free(global->number);
	misc_cg_uncharge(MISC_CG_RES_PASID, global->cg, 1);
	put_misc_cg(global->cg);
}

/**
 * pasid_set_new() - an empty set
 *
 * Context: may sleep.
 * Return: the set, or NULL when memory is short.
 */
struct pasid_set *pasid_set_new(void)
{
	struct pasid_set *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);

	if (!set)
		return NULL;
	mutex_init(&set->lock);
	xa_init_flags(&set->pairs, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&set->followers);
	return set;
}

/**
 * pasid_set_free() - the end of a set
 * @set: without pairs and followers
 *
 * Context: may sleep.
 */
void pasid_set_free(struct pasid_set *set)
{
	WARN_ON(!xa_empty(&set->pairs) || !list_empty(&set->followers));
	xa_destroy(&set->pairs);
	mutex_destroy(&set->lock);
	kfree(set);
}

/* Tell all followers, or of those that were told, all before one. */
static void tell_unmap(struct pasid_set *set, struct iommufd_pasid_follower *end,
		       u32 vpasid, u32 ppasid)
{
	struct iommufd_pasid_follower *f;

	lockdep_assert_held(&set->lock);
	list_for_each_entry(f, &set->followers, node) {
		if (f == end)
			break;
		f->ops->unmap(f->data, vpasid, ppasid);
	}
}

static int tell_map(struct pasid_set *set, u32 vpasid, u32 ppasid)
{
	struct iommufd_pasid_follower *f;
	int rc;

	lockdep_assert_held(&set->lock);
	list_for_each_entry(f, &set->followers, node) {
		rc = f->ops->map(f->data, vpasid, ppasid);
		if (rc) {
			tell_unmap(set, f, vpasid, ppasid);
			return rc;
		}
	}
	return 0;
}

/* Make a pair of a number; uses it up, also where it fails. */
static int add_pair(struct pasid_set *set, const struct pasid_global *global, u32 vpasid)
{
	struct pasid_pair *pair = kmalloc(sizeof(*pair), GFP_KERNEL_ACCOUNT);
	struct pasid_global lost = *global;
	int rc = -ENOMEM;

	lockdep_assert_held(&set->lock);
	if (!pair)
		goto put;
	pair->global = *global;
	pair->users = 1;
	rc = xa_insert(&set->pairs, vpasid, pair, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto free;
	rc = tell_map(set, vpasid, global->number);
	if (!rc)
		return 0;
	xa_erase(&set->pairs, vpasid);
free:
	kfree(pair);
put:
	pasid_global_put(&lost);
	return rc;
}

/**
 * pasid_set_get_tagged() - one more device uses a name
 * @set: the set
 * @dev: the device
 * @max: its numbers are smaller
 * @vpasid: the name, 1 to 2^20 - 1
 * @ppasid: set to what it stands for
 *
 * Context: may sleep; takes @lock and calls the followers.
 * Return: 0; -ERANGE if the pPASID it has is too big for the device; -EINVAL if
 * the set has other names that the kernel chose; a follower's error; -ENOMEM, or
 * see pasid_global_get().
 */
int pasid_set_get_tagged(struct pasid_set *set, struct device *dev, u32 max, u32 vpasid,
			 u32 *ppasid)
{
	struct pasid_global global;
	struct pasid_pair *pair;
	int rc;

	guard(mutex)(&set->lock);
	pair = xa_load(&set->pairs, vpasid);
	if (pair) {
		if (pair->global.number >= max)
			return -ERANGE;
		pair->users++;
		*ppasid = pair->global.number;
		return 0;
	}
	if (!xa_empty(&set->pairs) && !set->tagged)
		return -EINVAL;
	rc = pasid_global_get(&global, dev, max);
	if (!rc)
		rc = add_pair(set, &global, vpasid);
	if (rc)
		return rc;
	set->tagged = true;
	*ppasid = global.number;
	return 0;
}

/**
 * pasid_set_get_identity() - a name that stands for itself
 * @set: the set
 * @dev: the device
 * @max: its numbers are smaller
 * @pasid: set to it
 *
 * Context: may sleep; takes @lock and calls the followers.
 * Return: 0; -EINVAL if the set has names that the user chose; a follower's error;
 * -ENOMEM, or see pasid_global_get().
 */
int pasid_set_get_identity(struct pasid_set *set, struct device *dev, u32 max, u32 *pasid)
{
	struct pasid_global global;
	int rc;

	guard(mutex)(&set->lock);
	if (!xa_empty(&set->pairs) && set->tagged)
		return -EINVAL;
	rc = pasid_global_get(&global, dev, max);
	if (!rc)
		rc = add_pair(set, &global, global.number);
	if (rc)
		return rc;
	set->tagged = false;
	*pasid = global.number;
	return 0;
}

/**
 * pasid_set_put() - one device less uses a name
 * @set: the set
 * @vpasid: the name; with the last device it and its number are free
 *
 * Context: may sleep; takes @lock and calls the followers.
 */
void pasid_set_put(struct pasid_set *set, u32 vpasid)
{
	struct pasid_pair *pair;

	guard(mutex)(&set->lock);
	pair = xa_load(&set->pairs, vpasid);
	if (--pair->users)
		return;
	tell_unmap(set, NULL, vpasid, pair->global.number);
	xa_erase(&set->pairs, vpasid);
	pasid_global_put(&pair->global);
	kfree(pair);
}

/**
 * pasid_set_tagged() - whether the names are tags
 * @set: the set, not empty
 *
 * Context: may sleep; takes @lock.
 * Return: whether the user chose them.
 */
bool pasid_set_tagged(struct pasid_set *set)
{
	guard(mutex)(&set->lock);
	return set->tagged;
}

/**
 * pasid_set_follow() - tell somebody of all pairs, those there are and new ones
 * @set: the set
 * @follower: who; its owner keeps it until pasid_set_unfollow()
 *
 * Context: may sleep; takes @lock and calls the follower.
 * Return: 0 or the follower's error; it has been told to forget all then.
 */
int pasid_set_follow(struct pasid_set *set, struct iommufd_pasid_follower *follower)
{
	struct pasid_pair *pair;
	unsigned long at, failed;
	int rc = 0;

	guard(mutex)(&set->lock);
	xa_for_each(&set->pairs, at, pair) {
		rc = follower->ops->map(follower->data, at, pair->global.number);
		if (rc)
			break;
	}
	if (!rc) {
		list_add_tail(&follower->node, &set->followers);
		return 0;
	}
	failed = at;
	xa_for_each(&set->pairs, at, pair) {
		if (at == failed)
			break;
		follower->ops->unmap(follower->data, at, pair->global.number);
	}
	return rc;
}

/**
 * pasid_set_unfollow() - tell somebody nothing more
 * @set: the set
 * @follower: who; told to forget all pairs
 *
 * Context: may sleep; takes @lock and calls the follower.
 */
void pasid_set_unfollow(struct pasid_set *set, struct iommufd_pasid_follower *follower)
{
	struct pasid_pair *pair;
	unsigned long at;

	guard(mutex)(&set->lock);
	list_del(&follower->node);
	xa_for_each(&set->pairs, at, pair)
		follower->ops->unmap(follower->data, at, pair->global.number);
}
