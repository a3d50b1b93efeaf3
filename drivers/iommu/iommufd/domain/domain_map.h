/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of pinned pages in and out of one IOMMU domain.
 */
#ifndef __IOMMUFD_DOMAIN_MAP_H
#define __IOMMUFD_DOMAIN_MAP_H

#include <linux/types.h>

struct iommu_domain;
struct iommu_iotlb_gather;
struct pages;

int domain_load(struct iommu_domain *domain, unsigned long iova, struct pages *pages,
		unsigned long offset, unsigned long length, int prot, bool large);
void domain_unload(struct iommu_domain *domain, unsigned long iova, unsigned long length,
		   struct iommu_iotlb_gather *gather);

#endif
