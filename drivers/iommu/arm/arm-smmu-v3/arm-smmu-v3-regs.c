// SPDX-License-Identifier: GPL-2.0
/*
 * An SMMUv3's registers, for those who want to know what it has (users) and where
 * its tables are (the walker). Reads only.
 *
 * Specification: IHI 0070, issue F.b, section 6.3.
 */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "arm-smmu-v3-attach.h"
#include "arm-smmu-v3-walk.h"

/* A register that 6.12's driver does not name */
#define ARM_SMMU_AIDR		0x1c

/**
 * arm_smmu_hw_info() - the registers that tell what an SMMU has
 * @dev: a device
 * @length: set to the size of what is returned
 * @type: set to IOMMU_HW_INFO_TYPE_ARM_SMMUV3
 *
 * Context: may sleep.
 * Return: struct iommu_hw_info_arm_smmuv3, to be freed, or ERR_PTR(-ENOMEM).
 */
void *arm_smmu_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct arm_smmu_master *master = dev_iommu_priv_get(dev);
	struct iommu_hw_info_arm_smmuv3 *info;
	void __iomem *base = master->smmu->base;
	unsigned int i;

	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < ARRAY_SIZE(info->idr); i++)
		info->idr[i] = readl_relaxed(base + ARM_SMMU_IDR0 + i * sizeof(u32));
	info->iidr = readl_relaxed(base + ARM_SMMU_IIDR);
	info->aidr = readl_relaxed(base + ARM_SMMU_AIDR);
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	return info;
}

/**
 * arm_smmu_walk_regs() - what the walker starts from
 * @dev: a device
 * @regs: set to the registers of its SMMU
 * @stream: set to its first stream
 *
 * Context: the device does not leave its SMMU meanwhile.
 * Return: 0, or -ENODEV if it has no stream.
 */
int arm_smmu_walk_regs(struct device *dev, struct smmu_regs *regs, u32 *stream)
{
	struct arm_smmu_master *master = dev_iommu_priv_get(dev);
	void __iomem *base;

	if (!master || !master->num_streams)
		return -ENODEV;
	base = master->smmu->base;
	regs->idr0 = readl_relaxed(base + ARM_SMMU_IDR0);
	regs->idr1 = readl_relaxed(base + ARM_SMMU_IDR1);
	regs->idr5 = readl_relaxed(base + ARM_SMMU_IDR5);
	regs->cr0 = readl_relaxed(base + ARM_SMMU_CR0);
	regs->cr2 = readl_relaxed(base + ARM_SMMU_CR2);
	regs->gbpa = readl_relaxed(base + ARM_SMMU_GBPA);
	regs->strtab = readq_relaxed(base + ARM_SMMU_STRTAB_BASE);
	regs->strtab_cfg = readl_relaxed(base + ARM_SMMU_STRTAB_BASE_CFG);
	*stream = master->streams[0].id;
	return 0;
}
