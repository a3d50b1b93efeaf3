/* SPDX-License-Identifier: GPL-2.0 */
/* iommuctl list: what its files share: one device, and what its IOMMU and its registers say. */
#ifndef IOMMUCTL_LIST_H
#define IOMMUCTL_LIST_H

#include "iommuctl.h"

enum known { KNOWN_NOT, KNOWN_NO, KNOWN_YES };

/* Of a PCI function: extended capabilities of its configuration space. */
struct pci_abilities {
	enum known pasid, ats, pri;	/* KNOWN_NOT: the registers cannot be read */
	bool pasid_on, pasid_exec, pasid_priv;
	unsigned int pasid_width;
	bool ats_on;
	unsigned int ats_queue;		/* invalidations it can take */
	bool pri_on;
	uint32_t pri_requests;		/* page requests it can have outstanding */
};

/* Reads them from the device's folder; all KNOWN_NO where there is no configuration space. */
struct pci_abilities pci_abilities(const char *folder);

struct hw_info {
	int error;		/* of the step that failed, else 0 */
	uint32_t type;
	unsigned int pasid_width;
	uint64_t capabilities;
	uint32_t words;		/* of @data */
	uint64_t data[8];	/* registers, as IOMMU_GET_HW_INFO has them for @type */
};

/* Opens the device, has it bound to a new context for a moment, and asks. */
struct hw_info hw_info(const char *node);
void hw_info_cell(struct table *table, const struct hw_info *info);
void hw_info_json(struct json *json, const struct hw_info *info);

/* One IOMMU: what /sys/class/iommu says of it. */
void iommu_print(const char *name);
void iommu_json(struct json *json, const char *name);

#endif
