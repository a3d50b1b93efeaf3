/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iommu core of the base kernel, as this directory uses it: the only file
 * pair that calls its domain and attach functions.
 */
#ifndef __IOMMUFD_CORE_H
#define __IOMMUFD_CORE_H

#include <linux/iommu.h>
#include <linux/types.h>

struct device;
struct iommufd_viommu;
struct iommufd_viommu_ops;

struct iommu_domain *core_domain_alloc(struct device *dev, u32 flags,
				       const struct iommu_user_data *data);
struct iommu_domain *core_nested_alloc(struct device *dev, u32 flags, struct iommu_domain *parent,
				       const struct iommu_user_data *data);
const struct iommufd_viommu_ops *core_viommu_ops(struct device *dev, struct iommu_domain *parent,
						 u32 type);
struct iommu_domain *core_viommu_nested_alloc(struct iommufd_viommu *viommu, struct device *dev,
					      u32 flags, const struct iommu_user_data *data);
int core_invalidate(struct iommu_domain *domain, struct iommu_user_data_array *requests);
void core_domain_free(struct iommu_domain *domain);
int core_attach_group(struct iommu_domain *domain, struct iommu_group *group,
		      struct iommu_attach_handle *handle);
int core_replace_group(struct iommu_domain *domain, struct iommu_group *group,
		       struct iommu_attach_handle *handle);
void core_detach_group(struct iommu_domain *domain, struct iommu_group *group);
bool core_fits_pasid(const struct iommu_domain *domain);
int core_attach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
		      struct iommu_attach_handle *handle);
int core_replace_pasid(struct iommu_domain *domain, struct iommu_domain *old, struct device *dev,
		       u32 pasid, struct iommu_attach_handle *handle);
void core_detach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid);
int core_faults_enable(struct device *dev);
void core_faults_disable(struct device *dev);
void core_faults_wait(void);
void core_fault_answer(struct iopf_group *group, enum iommu_page_response_code code);
void core_fault_free(struct iopf_group *group);
bool core_group_is_single(struct iommu_group *group);
u32 core_max_pasids(struct device *dev);
int core_pasid_alloc(struct device *dev, u32 *pasid);
void core_pasid_free(u32 pasid);
bool core_enforce_coherency(struct iommu_domain *domain);
bool core_tracks_dirty(const struct iommu_domain *domain);
int core_set_dirty_tracking(struct iommu_domain *domain, bool on);
int core_read_dirty(struct iommu_domain *domain, unsigned long iova, unsigned long length,
		    unsigned long flags, struct iommu_dirty_bitmap *dirty);
void *core_hw_info(struct device *dev, u32 *length, u32 *type);
struct iommu_device *core_iommu(struct device *dev);
const void *core_iommu_key(struct device *dev);

#endif
