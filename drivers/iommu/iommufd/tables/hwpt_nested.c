// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables. The user writes them, in memory of the IOAS: the addresses
 * in them and the addresses that they lead to go through the parent, which is
 * filled from the IOAS. So it is the parent's IOAS where a device that is attached
 * needs IOVAs of its own, and the parent that overrules no-snoop requests, or not.
 * Calls the IOMMU through core.c; knows no attachment.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../domain/core.h"
#include "hwpt.h"
#include "hwpt_nested.h"

/**
 * hwpt_nested_new() - a nested page table of a domain
 * @parent: the page table below
 * @below: what keeps that: it itself, or a virtual IOMMU; the new one takes a
 *	reference
 * @domain: made for it; freed with it, or upon failure
 * @flags: of enum iommufd_hwpt_alloc_flags
 *
 * Context: may sleep.
 * Return: the page table, not yet published, or ERR_PTR(-ENOMEM).
 */
struct hwpt *hwpt_nested_new(struct hwpt *parent, struct object *below,
			     struct iommu_domain *domain, u32 flags)
{
	struct hwpt *hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	int rc = -ENOMEM;

	if (hwpt)
		rc = object_init(parent->obj.ictx, &hwpt->obj, &hwpt_type);
	if (rc) {
		kfree(hwpt);
		core_domain_free(domain);
		return ERR_PTR(rc);
	}
	hwpt->member.domain = domain;
	hwpt->coherent = parent->coherent;
	hwpt->pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->key = parent->key;
	hwpt->ioas = parent->ioas;
	object_hold(&hwpt->ioas->obj);
	hwpt->below = below;
	object_hold(below);
	return hwpt;
}

/**
 * hwpt_nested_alloc() - a nested page table in the format of a device's IOMMU
 * @parent: the page table below
 * @dev: the device
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: where the user has it, in the IOMMU's own words
 *
 * Context: may sleep; reads user memory.
 * Return: the page table, not yet published, or ERR_PTR(): -EINVAL if nothing can
 * lie on the parent; -EFAULT; -ENOMEM; or see core_nested_alloc().
 */
struct hwpt *hwpt_nested_alloc(struct hwpt *parent, struct device *dev, u32 flags,
			       const struct iommu_user_data *data)
{
	struct iommu_domain *domain;

	if (!parent->parent)
		return ERR_PTR(-EINVAL);
	domain = core_nested_alloc(dev, flags, parent->member.domain, data);
	if (IS_ERR(domain))
		return ERR_CAST(domain);
	return hwpt_nested_new(parent, &parent->obj, domain, flags);
}

/**
 * hwpt_nested_invalidate() - the user has changed its page table
 * @hwpt: the page table
 * @requests: what of it caches have to forget; entry_num is set to those done
 *
 * Context: may sleep; reads user memory.
 * Return: 0; -EINVAL if the page table is not the user's; or see
 * core_invalidate().
 */
int hwpt_nested_invalidate(struct hwpt *hwpt, struct iommu_user_data_array *requests)
{
	if (!hwpt->below) {
		requests->entry_num = 0;
		return -EINVAL;
	}
	return core_invalidate(hwpt->member.domain, requests);
}
