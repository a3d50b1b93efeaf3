/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables that the user writes, in front of one that is filled from an IOAS.
 */
#ifndef __IOMMUFD_HWPT_NESTED_H
#define __IOMMUFD_HWPT_NESTED_H

#include <linux/types.h>

struct device;
struct hwpt;
struct iommu_domain;
struct iommu_user_data;
struct iommu_user_data_array;
struct object;

struct hwpt *hwpt_nested_alloc(struct hwpt *parent, struct device *dev, u32 flags,
			       const struct iommu_user_data *data);
struct hwpt *hwpt_nested_new(struct hwpt *parent, struct object *below,
			     struct iommu_domain *domain, u32 flags);
int hwpt_nested_invalidate(struct hwpt *hwpt, struct iommu_user_data_array *requests);

#endif
