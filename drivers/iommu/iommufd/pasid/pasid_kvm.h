/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test of the PASID translation table needs of it. The rest is in
 * include/linux/iommufd_kvm.h, for hypervisors.
 */
#ifndef __IOMMUFD_PASID_KVM_H
#define __IOMMUFD_PASID_KVM_H

void *pasid_kvm_page(void);
#endif
