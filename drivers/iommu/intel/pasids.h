/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is attached at PASIDs: what our files of the driver offer to each other,
 * and to the base's.
 */
#ifndef __INTEL_PASIDS_H
#define __INTEL_PASIDS_H

#include "iommu.h"
#include "pasid.h"

static inline bool dmar_domain_is_nested(const struct dmar_domain *domain)
{
	return domain->domain.type == IOMMU_DOMAIN_NESTED;
}

/* The domain whose second stage a nested one is in; any other domain itself. */
static inline struct dmar_domain *dmar_domain_paging(struct dmar_domain *domain)
{
	return dmar_domain_is_nested(domain) ? domain->s2_domain : domain;
}

/* Before a domain is attached anywhere: what cannot work, and what has to be there. */
static inline int intel_prepare_attach(struct dmar_domain *domain, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *paging = dmar_domain_paging(domain);

	/* What is below the pointer would be other fields of the entry. */
	if (dmar_domain_is_nested(domain) && !IS_ALIGNED(domain->s1_pgtbl, VTD_PAGE_SIZE))
		return -EINVAL;
	if (dmar_domain_is_nested(domain) && info->iommu->agaw < paging->agaw)
		return -ENODEV;
	return prepare_domain_attach_device(&paging->domain, dev);
}

int intel_iommu_set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			      struct iommu_domain *old);

int intel_pasid_entry_make(struct pasid_entry *entry, struct dmar_domain *domain,
			   struct intel_iommu *iommu);

void intel_dev_pasid_add(struct dmar_domain *domain, struct dev_pasid_info *dev_pasid);
int intel_dev_pasids_set_dirty(struct dmar_domain *domain, bool enable);
void intel_pasid_follow_dirty(struct dmar_domain *domain, struct device *dev, ioasid_t pasid);

#endif /* __INTEL_PASIDS_H */
