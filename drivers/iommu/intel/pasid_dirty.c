// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking of what is attached at PASIDs. Whether the hardware sets dirty
 * bits is said in each PASID-table entry that leads to a second stage, its own or
 * one that a nested first stage is in. This file keeps the entries at PASIDs as
 * the second stage's domain wants them; the base does so on RIDs.
 *
 * Locks, outer to inner: lock of a nesting parent, its s1_lock, lock of a domain.
 * Who switches tracking holds the first and walks the domains; who attaches puts
 * its entry on a domain's list and looks then, under the first.
 */
#define pr_fmt(fmt)	"DMAR: " fmt

#include <linux/iommu.h>

#include "pasids.h"

/**
 * intel_dev_pasids_set_dirty() - switch dirty tracking at the PASIDs of a domain
 * @domain: the domain whose entries they are
 * @enable: what is wanted
 *
 * Context: domain->lock is held.
 * Return: 0; -EOPNOTSUPP or -ENODEV if an entry is not of the sort. Some may have
 * been switched then.
 */
int intel_dev_pasids_set_dirty(struct dmar_domain *domain, bool enable)
{
	struct dev_pasid_info *curr;
	int ret;

	lockdep_assert_held(&domain->lock);
	list_for_each_entry(curr, &domain->dev_pasids, link_domain) {
		struct device_domain_info *info = dev_iommu_priv_get(curr->dev);

		ret = intel_pasid_setup_dirty_tracking(info->iommu, curr->dev, curr->pasid,
						       enable);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * intel_pasid_follow_dirty() - have an entry as the domain wants it now
 * @domain: what is attached there; the entry is on its list already
 * @dev: the device
 * @pasid: the PASID, or IOMMU_NO_PASID
 *
 * The entry was made before it was on the list, by which it is found when
 * tracking is switched.
 *
 * Context: any.
 */
void intel_pasid_follow_dirty(struct dmar_domain *domain, struct device *dev, ioasid_t pasid)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *paging = dmar_domain_paging(domain);
	unsigned long flags;

	if (!paging->domain.dirty_ops)
		return;
	spin_lock_irqsave(&paging->lock, flags);
	WARN_ON(intel_pasid_setup_dirty_tracking(info->iommu, dev, pasid,
						 paging->dirty_tracking));
	spin_unlock_irqrestore(&paging->lock, flags);
}

/**
 * intel_dev_pasid_add() - a domain is attached at a PASID from now on
 * @domain: the domain
 * @dev_pasid: the device and the PASID, whose entry is there
 *
 * Context: any.
 */
void intel_dev_pasid_add(struct dmar_domain *domain, struct dev_pasid_info *dev_pasid)
{
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	list_add(&dev_pasid->link_domain, &domain->dev_pasids);
	spin_unlock_irqrestore(&domain->lock, flags);
	intel_pasid_follow_dirty(domain, dev_pasid->dev, dev_pasid->pasid);
}
