// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's PASIDs, by its policy. What a number is attached to is the
 * claimer's business; here are its IDs only, to be listed.
 */
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../trace.h"
#include "pasid_dev.h"
#include "pasid_set.h"

/**
 * pasid_dev_init() - a device without PASIDs
 * @pd: of the device
 *
 * Context: any.
 */
void pasid_dev_init(struct pasid_dev *pd)
{
	mutex_init(&pd->lock);
	xa_init_flags(&pd->numbers, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
}

/**
 * pasid_dev_setup() - let a device have PASIDs
 * @pd: without PASIDs
 * @max: numbers in its requests are smaller; at most 2^20
 * @set: NULL if the numbers are its own; else the context's set
 * @dev: the device, for the set
 *
 * Context: may sleep; takes @lock.
 * Return: 0; -EINVAL if it has PASIDs, or @max leaves none.
 */
int pasid_dev_setup(struct pasid_dev *pd, u32 max, struct pasid_set *set, struct device *dev)
{
	guard(mutex)(&pd->lock);
	if (pd->policy != IOMMU_PASID_POLICY_NONE || max < 2 || max > BIT(PASID_WIDTH_MAX))
		return -EINVAL;
	pd->policy = set ? IOMMU_PASID_POLICY_GLOBAL : IOMMU_PASID_POLICY_PER_RID;
	pd->max = max;
	pd->set = set;
	pd->dev = dev;
	return 0;
}

static void drop(struct pasid_dev *pd, struct pasid_number *num)
{
	lockdep_assert_held(&pd->lock);
	if (num->allocated)
		trace_iommufd_pasid_free(pd->dev, num->vpasid, num->ppasid, pd->policy, 0);
	xa_erase(&pd->numbers, num->vpasid);
	if (pd->set)
		pasid_set_put(pd->set, num->vpasid);
	pd->in_use--;
	pd->changes++;
	kfree(num);
}

/**
 * pasid_dev_exit() - free all numbers
 * @pd: nothing is attached, and nobody calls any more
 *
 * Context: may sleep.
 */
void pasid_dev_exit(struct pasid_dev *pd)
{
	struct pasid_number *num;
	unsigned long at;

	mutex_lock(&pd->lock);
	WARN_ON(pd->attached || pd->rid.claimed);
	xa_for_each(&pd->numbers, at, num) {
		drop(pd, num);
		cond_resched();
	}
	mutex_unlock(&pd->lock);
	xa_destroy(&pd->numbers);
	mutex_destroy(&pd->lock);
}

/* Whether a number that the user names is one. */
static int check_number(const struct pasid_dev *pd, u32 vpasid)
{
	u32 max = pd->policy == IOMMU_PASID_POLICY_GLOBAL ? BIT(PASID_WIDTH_MAX) : pd->max;

	if (pd->policy == IOMMU_PASID_POLICY_NONE)
		return -EOPNOTSUPP;
	if (!vpasid)
		return -EDOM;
	return vpasid < max ? 0 : -ERANGE;
}

/* A number of the device's own: a given one, or any for 0. */
static int take_own(struct pasid_dev *pd, struct pasid_number *num, u32 vpasid)
{
	int rc;

	lockdep_assert_held(&pd->lock);
	if (vpasid) {
		num->vpasid = vpasid;
		rc = xa_insert(&pd->numbers, vpasid, num, GFP_KERNEL_ACCOUNT);
	} else {
		rc = xa_alloc(&pd->numbers, &num->vpasid, num, XA_LIMIT(1, pd->max - 1),
			      GFP_KERNEL_ACCOUNT);
		if (rc == -EBUSY)
			rc = -ENOSPC;
	}
	num->ppasid = num->vpasid;
	return rc;
}

/* A number of the context's set: a given one, or any for 0. */
static int take_global(struct pasid_dev *pd, struct pasid_number *num, u32 vpasid)
{
	int rc;

	lockdep_assert_held(&pd->lock);
	if (vpasid && xa_load(&pd->numbers, vpasid))
		return -EBUSY;
	num->vpasid = vpasid;
	if (vpasid) {
		rc = pasid_set_get_tagged(pd->set, pd->dev, pd->max, vpasid, &num->ppasid);
	} else {
		rc = pasid_set_get_identity(pd->set, pd->dev, pd->max, &num->vpasid);
		num->ppasid = num->vpasid;
	}
	if (rc)
		return rc;
	rc = xa_insert(&pd->numbers, num->vpasid, num, GFP_KERNEL_ACCOUNT);
	if (rc)
		pasid_set_put(pd->set, num->vpasid);
	return rc;
}

static struct pasid_number *take(struct pasid_dev *pd, u32 vpasid)
{
	struct pasid_number *num = kzalloc(sizeof(*num), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!num)
		return ERR_PTR(-ENOMEM);
	rc = pd->set ? take_global(pd, num, vpasid) : take_own(pd, num, vpasid);
	if (rc) {
		kfree(num);
		return ERR_PTR(rc);
	}
	pd->in_use++;
	pd->changes++;
	return num;
}

static struct pasid_number *alloc(struct pasid_dev *pd, u32 flags, u32 pasid)
{
	bool tagged = flags & IOMMU_PASID_ALLOC_TAGGED;
	bool identity = flags & IOMMU_PASID_ALLOC_IDENTITY;
	struct pasid_number *num;
	int rc;

	if (tagged && identity)
		return ERR_PTR(-EINVAL);
	rc = check_number(pd, tagged ? pasid : 1);
	if (rc)
		return ERR_PTR(rc);
	if (identity && !pd->set)
		return ERR_PTR(-EINVAL);
	num = take(pd, tagged ? pasid : 0);
	if (!IS_ERR(num))
		num->allocated = true;
	return num;
}

/**
 * pasid_dev_alloc() - give the user a number
 * @pd: of the device
 * @flags: of enum iommu_pasid_alloc_flags
 * @pasid: the number; in with TAGGED, else out
 *
 * Context: may sleep; takes @lock.
 * Return: 0; -EOPNOTSUPP without PASIDs; -EDOM and -ERANGE for a number that is
 * none; -EBUSY if the device has it; -ENOSPC; -EINVAL for IDENTITY where the
 * numbers are the device's own, or both flags; -ENOMEM; for global numbers see
 * pasid_set_get_tagged() and pasid_set_get_identity().
 */
int pasid_dev_alloc(struct pasid_dev *pd, u32 flags, u32 *pasid)
{
	struct pasid_number *num;
	int rc;

	guard(mutex)(&pd->lock);
	num = alloc(pd, flags, *pasid);
	rc = PTR_ERR_OR_ZERO(num);
	if (!rc)
		*pasid = num->vpasid;
	trace_iommufd_pasid_alloc(pd->dev, *pasid, rc ? 0 : num->ppasid, pd->policy, rc);
	return rc;
}

/**
 * pasid_dev_free() - take a number back from the user
 * @pd: of the device
 * @pasid: the number
 *
 * Context: may sleep; takes @lock.
 * Return: 0; -EOPNOTSUPP, -EDOM, -ERANGE as pasid_dev_alloc(); -ENXIO if the user
 * does not have it; -EBUSY while it is attached.
 */
int pasid_dev_free(struct pasid_dev *pd, u32 pasid)
{
	struct pasid_number *num;
	int rc;

	guard(mutex)(&pd->lock);
	rc = check_number(pd, pasid);
	num = rc ? NULL : xa_load(&pd->numbers, pasid);
	if (!rc && (!num || !num->allocated))
		rc = -ENXIO;
	else if (!rc && num->claimed)
		rc = -EBUSY;
	if (rc)
		trace_iommufd_pasid_free(pd->dev, pasid, num ? num->ppasid : 0, pd->policy, rc);
	else
		drop(pd, num);
	return rc;
}

static struct pasid_number *find(struct pasid_dev *pd, u32 pasid)
{
	lockdep_assert_held(&pd->lock);
	return pasid ? xa_load(&pd->numbers, pasid) : &pd->rid;
}

/**
 * pasid_dev_claim() - begin to attach something at a number
 * @pd: of the device
 * @pasid: the number, or 0 for requests without PASID
 *
 * Context: may sleep; takes @lock.
 * Return: the number, to be released; or ERR_PTR(): -EOPNOTSUPP without PASIDs;
 * -ERANGE for a number that is none; -ENXIO for a global one that the user does
 * not have; -EBUSY if it is attached; -ENOMEM.
 */
struct pasid_number *pasid_dev_claim(struct pasid_dev *pd, u32 pasid)
{
	struct pasid_number *num;
	int rc;

	guard(mutex)(&pd->lock);
	rc = pasid ? check_number(pd, pasid) : 0;
	if (rc)
		return ERR_PTR(rc);
	num = find(pd, pasid);
	if (!num)
		num = pd->set ? ERR_PTR(-ENXIO) : take(pd, pasid);
	if (IS_ERR(num))
		return num;
	if (num->claimed)
		return ERR_PTR(-EBUSY);
	num->claimed = true;
	return num;
}

/**
 * pasid_dev_commit() - note what a number is attached to
 * @pd: of the device
 * @num: a claimed number
 * @hwpt_id: ID of the page table, or 0
 * @ioas_id: ID of the IOAS
 *
 * Context: may sleep; takes @lock.
 */
void pasid_dev_commit(struct pasid_dev *pd, struct pasid_number *num, u32 hwpt_id, u32 ioas_id)
{
	guard(mutex)(&pd->lock);
	if (!num->attached && num != &pd->rid)
		pd->attached++;
	num->attached = true;
	num->hwpt_id = hwpt_id;
	num->ioas_id = ioas_id;
	pd->changes++;
}

/**
 * pasid_dev_release() - nothing is attached at a number
 * @pd: of the device
 * @num: a claimed number, attached before or not; may be freed
 *
 * Context: may sleep; takes @lock.
 */
void pasid_dev_release(struct pasid_dev *pd, struct pasid_number *num)
{
	guard(mutex)(&pd->lock);
	if (num->attached && num != &pd->rid)
		pd->attached--;
	num->claimed = false;
	num->attached = false;
	num->hwpt_id = 0;
	num->ioas_id = 0;
	num->link = NULL;
	pd->changes++;
	if (!num->allocated && num != &pd->rid)
		drop(pd, num);
}

/**
 * pasid_dev_attached() - the number that something is attached at
 * @pd: of the device
 * @pasid: the number, or 0 for requests without PASID
 *
 * Context: may sleep; takes @lock. The caller keeps it attached.
 * Return: the number, or NULL.
 */
struct pasid_number *pasid_dev_attached(struct pasid_dev *pd, u32 pasid)
{
	struct pasid_number *num;

	guard(mutex)(&pd->lock);
	num = find(pd, pasid);
	return num && num->attached ? num : NULL;
}

/**
 * pasid_dev_next_attached() - the first number that something is attached at
 * @pd: of the device
 * @pasid: no smaller number than this; 1 or more
 *
 * Context: may sleep; takes @lock. The caller keeps it attached.
 * Return: the number, or NULL.
 */
struct pasid_number *pasid_dev_next_attached(struct pasid_dev *pd, u32 pasid)
{
	struct pasid_number *num;
	unsigned long at;

	guard(mutex)(&pd->lock);
	xa_for_each_start(&pd->numbers, at, num, pasid)
		if (num->attached)
			return num;
	return NULL;
}

/**
 * pasid_dev_info() - what user space may know of a device's PASIDs
 * @pd: of the device
 * @info: the out_ members are set
 *
 * Context: may sleep; takes @lock.
 */
void pasid_dev_info(struct pasid_dev *pd, struct iommu_pasid_info *info)
{
	guard(mutex)(&pd->lock);
	info->out_policy = pd->policy;
	info->out_width = pd->max ? fls(pd->max - 1) : 0;
	info->out_limit = pd->max ? pd->max - 1 : 0;
	info->out_in_use = pd->in_use;
	info->out_attached = pd->attached;
}

static void fill_entry(struct iommu_pasid_entry *entry, const struct pasid_number *num,
		       bool tagged)
{
	*entry = (struct iommu_pasid_entry) {
		.pasid = num->vpasid,
		.hwpt_id = num->hwpt_id,
		.ioas_id = num->ioas_id,
	};
	if (num->allocated)
		entry->flags |= IOMMU_PASID_ENTRY_ALLOCATED;
	if (num->attached)
		entry->flags |= IOMMU_PASID_ENTRY_ATTACHED;
	if (!tagged)
		entry->flags |= IOMMU_PASID_ENTRY_IDENTITY;
}

/**
 * pasid_dev_list() - a device's PASIDs, by number
 * @pd: of the device
 * @pasid: in: no smaller number; out: where to go on, 0 at the end
 * @entries: set to them
 * @room: how many fit, at least 1
 * @changes: set to how often anything has changed
 *
 * Context: may sleep; takes @lock.
 * Return: the number of entries written.
 */
u32 pasid_dev_list(struct pasid_dev *pd, u32 *pasid, struct iommu_pasid_entry *entries,
		   u32 room, u64 *changes)
{
	struct pasid_number *num;
	unsigned long at;
	u32 nr = 0, next = 0;
	bool tagged;

	guard(mutex)(&pd->lock);
	/* All names of a set are, or none is. */
	tagged = pd->set && pasid_set_tagged(pd->set);
	xa_for_each_start(&pd->numbers, at, num, *pasid) {
		if (nr == room) {
			next = num->vpasid;
			break;
		}
		fill_entry(&entries[nr++], num, tagged);
	}
	*pasid = next;
	*changes = pd->changes;
	return nr;
}

/**
 * pasid_dev_run() - find consecutive numbers of which the same can be said
 * @pd: of the device
 * @run: in: where the run before ended, or what a call has found of this one; out:
 *	what there is of it; without a first number at the end of all
 * @most: how many numbers to look at, at least 1
 *
 * Context: any; takes the numbers' xa_lock alone, under which none of them goes away.
 * Return: whether the run is complete; if not, the call is to be made again.
 */
bool pasid_dev_run(struct pasid_dev *pd, struct pasid_run *run, unsigned int most)
{
	XA_STATE(xas, &pd->numbers, run->last + 1);
	struct pasid_number *num;
	struct pasid_run next;
	bool complete = true;

	xa_lock(&pd->numbers);
	xas_for_each(&xas, num, ULONG_MAX) {
		next = (struct pasid_run) {
			.first = run->first ?: xas.xa_index,
			.last = xas.xa_index,
			.ppasid = run->first ? run->ppasid : READ_ONCE(num->ppasid),
			.hwpt_id = READ_ONCE(num->hwpt_id),
			.ioas_id = READ_ONCE(num->ioas_id),
			.allocated = READ_ONCE(num->allocated),
		};
		if (run->first && (next.last != run->last + 1 || next.hwpt_id != run->hwpt_id ||
				   next.ioas_id != run->ioas_id ||
				   next.allocated != run->allocated))
			break;
		*run = next;
		if (!--most) {
			complete = false;
			break;
		}
	}
	xa_unlock(&pd->numbers);
	return complete;
}
