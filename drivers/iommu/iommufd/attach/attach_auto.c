// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach to an IOAS: find the page table that attaches share, or make it. Calls
 * tables and attach; neither calls it.
 *
 * A page table fits every device behind the same IOMMU that asks for the same
 * coherency. Where an IOMMU does not agree (-EINVAL), the device gets one of its
 * own.
 */
#include <linux/iommu.h>

#include "../domain/core.h"
#include "../tables/hwpt.h"
#include "attach.h"
#include "device.h"

/* With a reference; NULL if there is none. */
static struct hwpt *find_shared(struct ioas *ioas, const void *key, bool coherent)
{
	struct hwpt *hwpt;

	lockdep_assert_held(&ioas->hwpts_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, node)
		if (hwpt->key == key && hwpt->coherent == coherent &&
		    refcount_inc_not_zero(&hwpt->obj.users))
			return hwpt;
	return NULL;
}

/*
 * A new shared page table, with a reference; or the one that somebody else made
 * meanwhile, unless it has to be an own one.
 */
static struct hwpt *make_shared(struct iommufd_device *idev, struct ioas *ioas, bool own)
{
	struct hwpt *hwpt, *other = NULL;
	int rc;

	hwpt = hwpt_alloc(idev->obj.ictx, ioas, idev->dev, 0, idev->coherent);
	if (IS_ERR(hwpt))
		return hwpt;
	rc = hwpt_fill(hwpt);
	if (!rc) {
		mutex_lock(&ioas->hwpts_lock);
		if (!own)
			other = find_shared(ioas, hwpt->key, hwpt->coherent);
		if (!other) {
			hwpt->shared = true;
			list_add_tail(&hwpt->node, &ioas->hwpts);
			object_hold(&hwpt->obj);
		}
		mutex_unlock(&ioas->hwpts_lock);
	}
	if (rc || other) {
		object_abort(&hwpt->obj);
		hwpt_type.destroy(&hwpt->obj);
		return rc ? ERR_PTR(rc) : other;
	}
	object_publish(&hwpt->obj);
	return hwpt;
}

/* Uses up the reference to the page table. */
static int attach_and_put(struct iommufd_device *idev, struct hwpt *hwpt, u32 *pt_id,
			  attach_fn attach)
{
	int rc = attach(idev, hwpt);

	if (!rc)
		*pt_id = hwpt->obj.id;
	hwpt_put(hwpt);
	return rc;
}

static int attach_ioas(struct iommufd_device *idev, struct ioas *ioas, u32 *pt_id,
		       attach_fn attach)
{
	struct hwpt *hwpt;
	int rc;

	mutex_lock(&ioas->hwpts_lock);
	hwpt = find_shared(ioas, core_iommu_key(idev->dev), idev->coherent);
	mutex_unlock(&ioas->hwpts_lock);
	if (hwpt) {
		rc = attach_and_put(idev, hwpt, pt_id, attach);
		if (rc != -EINVAL)
			return rc;
	}
	hwpt = make_shared(idev, ioas, hwpt);
	return IS_ERR(hwpt) ? PTR_ERR(hwpt) : attach_and_put(idev, hwpt, pt_id, attach);
}

/**
 * attach_auto() - attach to what an ID names
 * @idev: the device
 * @pt_id: a page table or an IOAS; set to the page table attached to
 * @attach: attach_device() or attach_replace()
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT if there is no such object; -EINVAL if it is of another
 * kind; or why making, filling or attaching failed.
 */
int attach_auto(struct iommufd_device *idev, u32 *pt_id, attach_fn attach)
{
	struct object *obj = object_get_any(idev->obj.ictx, *pt_id);
	struct ioas *ioas;
	int rc;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (obj->type == &hwpt_type)
		return attach_and_put(idev, container_of(obj, struct hwpt, obj), pt_id, attach);
	if (obj->type != &ioas_type) {
		object_put(obj);
		return -EINVAL;
	}
	ioas = container_of(obj, struct ioas, obj);
	rc = attach_ioas(idev, ioas, pt_id, attach);
	ioas_put(ioas);
	return rc;
}
