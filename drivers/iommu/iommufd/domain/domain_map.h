/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of pinned pages in and out of one IOMMU domain.
 */
#ifndef __IOMMUFD_DOMAIN_MAP_H
#define __IOMMUFD_DOMAIN_MAP_H

#include <linux/types.h>

#include "../abi.h"

struct iommu_domain;
struct iommu_iotlb_gather;
struct pages;

int domain_load(struct iommu_domain *domain, unsigned long iova, struct pages *pages,
		unsigned long offset, unsigned long length, int prot, bool large);
void domain_unload(struct iommu_domain *domain, unsigned long iova, unsigned long length,
		   struct iommu_iotlb_gather *gather);
struct iova_range domain_page_at(unsigned long sizes, struct pages *pages,
				 const struct iova_range *load, unsigned long offset,
				 unsigned long iova);

#endif
