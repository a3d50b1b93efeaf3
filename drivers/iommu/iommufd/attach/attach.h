/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which page table a device's requests use, with a PASID or without.
 */
#ifndef __IOMMUFD_ATTACH_H
#define __IOMMUFD_ATTACH_H

#include <linux/types.h>

struct hwpt;
struct iommufd_device;

int attach_device(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt);
int attach_replace(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt);
void attach_detach(struct iommufd_device *idev, u32 pasid);
void attach_detach_all(struct iommufd_device *idev);

typedef int (*attach_fn)(struct iommufd_device *idev, u32 pasid, struct hwpt *hwpt);

int attach_auto(struct iommufd_device *idev, u32 pasid, u32 *pt_id, attach_fn attach);

#endif
