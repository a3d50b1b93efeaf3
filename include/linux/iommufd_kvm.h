/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a hypervisor on x86_64 whose guests execute ENQCMD: the table by which the
 * CPU turns a guest's PASID (vPASID) into the system's (pPASID), filled by
 * following a context of /dev/iommu. pasid_kvm.c has the kernel-doc.
 *
 *	iommufd_pasid_table_init(&table, flush, vm)
 *	iommufd_pasid_follow(ictx, &(follower){ .ops = &iommufd_pasid_table_ops,
 *						.data = &table })
 *	table.directory[] to the VMCS of each vCPU
 *	...
 *	iommufd_pasid_unfollow(ictx, &follower)
 *	no VMCS has the directories any more
 *	iommufd_pasid_table_exit(&table)
 */
#ifndef __LINUX_IOMMUFD_KVM_H
#define __LINUX_IOMMUFD_KVM_H

#include <linux/iommufd.h>
#include <linux/mutex.h>
#include <linux/types.h>

/**
 * struct iommufd_pasid_table - vPASIDs to pPASIDs, for the CPU
 * @directory: for the VMCS fields "low PASID directory address" (2038H) and "high
 *	PASID directory address" (203AH); they stay until iommufd_pasid_table_exit()
 * @lock: of those who write entries; the CPU takes none
 * @flush: makes each vCPU that is in the guest leave it, and returns when all have
 * @data: passed to @flush
 */
struct iommufd_pasid_table {
	phys_addr_t directory[2];
	struct mutex lock; /* writers of the entries */
	void (*flush)(void *data);
	void *data;
};

extern const struct iommufd_pasid_ops iommufd_pasid_table_ops;

int iommufd_pasid_table_init(struct iommufd_pasid_table *table, void (*flush)(void *data),
			     void *data);
void iommufd_pasid_table_exit(struct iommufd_pasid_table *table);
#endif
