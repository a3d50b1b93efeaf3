/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rest of the driver calls of nested.c, and what that calls of iommu.c.
 */
#ifndef AMD_NESTED_H
#define AMD_NESTED_H

#include "amd_iommu_types.h"

struct iommu_user_data;

/* nested.c */
void *amd_iommu_hw_info(struct device *dev, u32 *length, u32 *type);
bool amd_nested_supported(void);
struct iommu_domain *amd_nested_alloc(struct device *dev, u32 flags, struct iommu_domain *parent,
				      const struct iommu_user_data *user_data);
struct iommu_domain *amd_nested_make(struct device *dev, struct iommu_domain *parent,
				     const u64 *guest);
int amd_nested_command(struct iommu_domain *domain, const u64 *command);
bool amd_nested_set_dte(struct amd_iommu *iommu, struct iommu_dev_data *dev_data);
void amd_v1_write_dte(struct amd_iommu *iommu, struct iommu_dev_data *dev_data,
		      struct protection_domain *pdom);
int amd_nested_leave(struct iommu_dev_data *dev_data);
int amd_nested_queue_flush(struct protection_domain *parent);

/* iommu.c */
void update_dte256(struct amd_iommu *iommu, struct iommu_dev_data *dev_data,
		   struct dev_table_entry *new);
u16 domain_id_alloc(void);
void domain_id_free(int id);
int amd_iommu_queue(struct amd_iommu *iommu, const u32 *words);
int iommu_completion_wait(struct amd_iommu *iommu);

#endif
