// SPDX-License-Identifier: GPL-2.0-only
/*
 * In place of the one that maps doorbells into a user's page table: the iommu core of Debian 13
 * maps them into its own only.
 */
#include <linux/device.h>
#include <linux/iommu.h>

#include "sw_msi.h"

/**
 * sw_msi_check() - whether a device keeps its interrupts in a user's page table
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP if its IOMMU translates them.
 */
int sw_msi_check(struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	bool translated = false;

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list)
		translated |= region->type == IOMMU_RESV_SW_MSI;
	iommu_put_resv_regions(dev, &regions);
	if (!translated)
		return 0;
	dev_notice_ratelimited(dev, "iommufd: this kernel has no doorbells in user space's page tables. See README.Debian of iommufd-pasid-dkms\n");
	return -EOPNOTSUPP;
}
