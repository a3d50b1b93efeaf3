/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_SW_MSI_H
#define __IOMMUFD_SW_MSI_H

struct device;

int sw_msi_check(struct device *dev);

#endif
