/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doorbells of message signalled interrupts, where an IOMMU translates the
 * device's write to them too.
 */
#ifndef __IOMMUFD_SW_MSI_H
#define __IOMMUFD_SW_MSI_H

struct device;
struct iommu_domain;

bool sw_msi_window(struct device *dev, unsigned long *start, size_t *length);
struct iommu_domain *sw_msi_domain(struct iommu_domain *domain);
int sw_msi_ready(struct iommu_domain *domain, unsigned long start, size_t length);
void sw_msi_free(struct iommu_domain *domain);

#endif
