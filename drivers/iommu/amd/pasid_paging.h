/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rest of the driver calls of pasid_paging.c and walk.c, and what those
 * call of iommu.c.
 */
#ifndef AMD_PASID_PAGING_H
#define AMD_PASID_PAGING_H

#include "amd_iommu_types.h"

struct iommu_walk;

/* pasid_paging.c */
u32 amd_iommu_count_pasids(unsigned int pasmax, unsigned int glx);
struct iommu_domain *amd_pasid_domain_alloc(struct device *dev);
int amd_pasid_queue_flush(struct protection_domain *pdom, u64 address, size_t size);
int amd_pasid_move_rid(struct device *dev, struct protection_domain *pdom);
void amd_pasid_remove(struct device *dev, ioasid_t pasid, struct protection_domain *pdom);
void amd_pasid_end(struct device *dev);

/* walk.c */
int amd_iommu_walk(struct iommu_walk *walk);

/* iommu.c */
int amd_iommu_attach_rid(struct device *dev, struct protection_domain *pdom);
void amd_iommu_detach_rid(struct device *dev);
int pdom_attach_iommu(struct amd_iommu *iommu, struct protection_domain *pdom);
void pdom_detach_iommu(struct amd_iommu *iommu, struct protection_domain *pdom);
int update_gcr3(struct iommu_dev_data *dev_data, ioasid_t pasid, unsigned long gcr3, bool set);
void dev_update_dte(struct iommu_dev_data *dev_data, bool set);
int amd_iommu_dev_queue_pasid_flush(struct iommu_dev_data *dev_data, ioasid_t pasid,
				    u64 address, size_t size);

#endif
