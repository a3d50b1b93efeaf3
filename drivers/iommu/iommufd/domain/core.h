/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iommu core of the base kernel, as this directory uses it: the only file
 * pair that calls its domain and attach functions.
 */
#ifndef __IOMMUFD_CORE_H
#define __IOMMUFD_CORE_H

#include <linux/types.h>

struct device;
struct iommu_domain;
struct iommu_group;

struct iommu_domain *core_domain_alloc(struct device *dev, u32 flags);
void core_domain_free(struct iommu_domain *domain);
int core_attach_group(struct iommu_domain *domain, struct iommu_group *group);
int core_replace_group(struct iommu_domain *domain, struct iommu_group *group);
void core_detach_group(struct iommu_domain *domain, struct iommu_group *group);
bool core_fits_pasid(const struct iommu_domain *domain);
int core_attach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid);
int core_replace_pasid(struct iommu_domain *domain, struct iommu_domain *old,
		       struct device *dev, u32 pasid);
void core_detach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid);
bool core_group_is_single(struct iommu_group *group);
u32 core_max_pasids(struct device *dev);
int core_pasid_alloc(struct device *dev, u32 *pasid);
void core_pasid_free(u32 pasid);
bool core_enforce_coherency(struct iommu_domain *domain);
void *core_hw_info(struct device *dev, u32 *length, u32 *type);
const void *core_iommu_key(struct device *dev);

#endif
