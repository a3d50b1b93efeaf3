/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doorbells of message signalled interrupts, where an IOMMU translates the
 * device's write to them too.
 */
#ifndef __IOMMUFD_SW_MSI_H
#define __IOMMUFD_SW_MSI_H

struct device;
struct iommu_domain;

int sw_msi_ready(struct iommu_domain *domain, struct device *dev);
void sw_msi_free(struct iommu_domain *domain);

#endif
