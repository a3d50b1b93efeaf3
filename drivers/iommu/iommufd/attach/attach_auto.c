// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach to an IOAS: find the page table that attaches share, or make it. Calls
 * tables and attach; neither calls it.
 *
 * A page table fits every device behind the same IOMMU that asks for the same
 * coherency, and has PASIDs only where the table can be used at one. Where an
 * IOMMU does not agree (-EINVAL), the device gets one of its own.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "../domain/core.h"
#include "../tables/hwpt.h"
#include "attach.h"
#include "device.h"

/**
 * struct fit - what a shared page table has to be like
 * @key: of the IOMMU
 * @coherent: no-snoop requests are overruled
 * @pasid: it can be attached at a PASID
 */
struct fit {
	const void *key;
	bool coherent;
	bool pasid;
};

/* With a reference; NULL if there is none. */
static struct hwpt *find_shared(struct ioas *ioas, const struct fit *fit)
{
	struct hwpt *hwpt;

	lockdep_assert_held(&ioas->hwpts_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, node)
		if (hwpt->key == fit->key && hwpt->coherent == fit->coherent &&
		    (hwpt->pasid || !fit->pasid) && refcount_inc_not_zero(&hwpt->obj.users))
			return hwpt;
	return NULL;
}

static struct hwpt *make(struct iommufd_device *idev, struct ioas *ioas, const struct fit *fit)
{
	u32 flags = fit->pasid ? IOMMU_HWPT_ALLOC_PASID : 0;
	struct hwpt *hwpt;

	hwpt = hwpt_alloc(ioas, idev->dev, flags, fit->coherent, NULL);
	/* Where any table can be used at a PASID, one is enough for all devices. */
	if (!IS_ERR(hwpt))
		hwpt->pasid = core_fits_pasid(hwpt->member.domain);
	return hwpt;
}

/*
 * A new shared page table, with a reference; or the one that somebody else made
 * meanwhile, unless it has to be an own one.
 */
static struct hwpt *make_shared(struct iommufd_device *idev, struct ioas *ioas,
				const struct fit *fit, bool own)
{
	struct hwpt *hwpt, *other = NULL;
	int rc;

	hwpt = make(idev, ioas, fit);
	if (IS_ERR(hwpt))
		return hwpt;
	rc = hwpt_fill(hwpt);
	if (!rc) {
		mutex_lock(&ioas->hwpts_lock);
		if (!own)
			other = find_shared(ioas, fit);
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
static int attach_and_put(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt, u32 *pt_id,
			  attach_fn attach)
{
	int rc = attach(idev, pasid, hwpt);

	if (!rc)
		*pt_id = hwpt->obj.id;
	hwpt_put(hwpt);
	return rc;
}

static int attach_fitting(struct iommufd_device *idev, u32 pasid, struct ioas *ioas, u32 *pt_id,
			  attach_fn attach, const struct fit *fit)
{
	struct hwpt *hwpt;
	int rc;

	mutex_lock(&ioas->hwpts_lock);
	hwpt = find_shared(ioas, fit);
	mutex_unlock(&ioas->hwpts_lock);
	if (hwpt) {
		rc = attach_and_put(idev, pasid, hwpt, pt_id, attach);
		if (rc != -EINVAL)
			return rc;
	}
	hwpt = make_shared(idev, ioas, fit, hwpt);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	return attach_and_put(idev, pasid, hwpt, pt_id, attach);
}

static int attach_ioas(struct iommufd_device *idev, u32 pasid, struct ioas *ioas, u32 *pt_id,
		       attach_fn attach)
{
	bool needs_pasid = pasid != IOMMU_NO_PASID || idev->slice;
	struct fit fit = {
		.key = core_iommu_key(idev->dev),
		.coherent = idev->coherent,
		/* Also without PASID: it must not be in the way of one later. */
		.pasid = needs_pasid || core_max_pasids(idev->dev),
	};
	int rc = attach_fitting(idev, pasid, ioas, pt_id, attach, &fit);

	if (rc != -EOPNOTSUPP || needs_pasid || !fit.pasid)
		return rc;
	fit.pasid = false;
	return attach_fitting(idev, pasid, ioas, pt_id, attach, &fit);
}

/**
 * attach_auto() - attach to what an ID names
 * @idev: the device
 * @pasid: what the user calls the PASID; 0 for the device
 * @pt_id: a page table or an IOAS; set to the page table attached to
 * @attach: attach_device() or attach_replace()
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: 0; -ENOENT if there is no such object; -EINVAL if it is of another
 * kind; or why making, filling or attaching failed.
 */
int attach_auto(struct iommufd_device *idev, u32 pasid, u32 *pt_id, attach_fn attach)
{
	struct object *obj = object_get_any(idev->obj.ictx, *pt_id);
	struct ioas *ioas;
	int rc;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (obj->type == &hwpt_type)
		return attach_and_put(idev, pasid, container_of(obj, struct hwpt, obj), pt_id,
				      attach);
	if (obj->type != &ioas_type) {
		object_put(obj);
		return -EINVAL;
	}
	ioas = container_of(obj, struct ioas, obj);
	rc = attach_ioas(idev, pasid, ioas, pt_id, attach);
	ioas_put(ioas);
	return rc;
}
