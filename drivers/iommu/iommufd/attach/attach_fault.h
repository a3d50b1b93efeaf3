/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an attachment needs for page requests.
 */
#ifndef __IOMMUFD_ATTACH_FAULT_H
#define __IOMMUFD_ATTACH_FAULT_H

#include <linux/types.h>

struct attach_slot;
struct fault_handle;
struct hwpt;
struct iommu_attach_handle;
struct iommufd_device;

int attach_fault_check(const struct iommufd_device *idev, const struct hwpt *hwpt);
struct fault_handle *attach_fault_start(struct iommufd_device *idev, u32 pasid,
					const struct attach_slot *slot, const struct hwpt *hwpt);
void attach_fault_stop(struct iommufd_device *idev, struct fault_handle *handle);
void attach_fault_end(struct iommufd_device *idev, struct fault_handle *handle);
struct iommu_attach_handle *attach_fault_core(struct fault_handle *handle);

#endif
