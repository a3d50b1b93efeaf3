// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls to the iommu core of the base kernel. What differs between kernels is
 * hidden here; the callers serialize per group.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "../../iommu-priv.h"
#include "core.h"

/**
 * core_domain_alloc() - a paging domain for a device
 * @dev: the device, with an IOMMU
 * @flags: of enum iommufd_hwpt_alloc_flags
 *
 * Context: may sleep.
 * Return: the domain, ready to be mapped into; ERR_PTR(-EOPNOTSUPP) if the
 * IOMMU has no such domain, or what its driver says.
 */
struct iommu_domain *core_domain_alloc(struct device *dev, u32 flags)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user && flags)
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user ? ops->domain_alloc_user(dev, flags, NULL, NULL) :
					  iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return domain;
	domain->owner = ops;

	/* Some drivers know a domain's page sizes only once it is attached. */
	if (!domain->pgsize_bitmap ||
	    domain->geometry.aperture_start > domain->geometry.aperture_end) {
		iommu_domain_free(domain);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return domain;
}

/**
 * core_domain_free() - free a domain
 * @domain: attached nowhere
 *
 * Context: may sleep.
 */
void core_domain_free(struct iommu_domain *domain)
{
	iommu_domain_free(domain);
}

/**
 * core_attach_group() - attach a domain to a group that has no user domain
 * @domain: the domain
 * @group: a group that this context owns
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if domain and devices do not go together; what the IOMMU
 * driver says. The group still sees what it saw before.
 */
int core_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	return iommu_attach_group(domain, group);
}

/**
 * core_replace_group() - exchange the domain of a group
 * @domain: the new domain
 * @group: a group with another domain attached
 *
 * Context: may sleep.
 * Return: as core_attach_group().
 */
int core_replace_group(struct iommu_domain *domain, struct iommu_group *group)
{
	return iommu_group_replace_domain(group, domain);
}

/**
 * core_detach_group() - leave a group without any translation
 * @domain: what is attached
 * @group: the group; its DMA is blocked as long as this context owns it
 *
 * Context: may sleep.
 */
void core_detach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	iommu_detach_group(domain, group);
}

/**
 * core_enforce_coherency() - make a domain ignore a device's no-snoop request
 * @domain: the domain
 *
 * Return: false if its IOMMU cannot.
 */
bool core_enforce_coherency(struct iommu_domain *domain)
{
	return domain->ops->enforce_cache_coherency && domain->ops->enforce_cache_coherency(domain);
}

/**
 * core_hw_info() - the IOMMU driver's description of itself
 * @dev: the device
 * @length: set to the bytes returned
 * @type: set to one of enum iommu_hw_info_type
 *
 * Context: may sleep.
 * Return: memory to be freed by the caller, NULL if the driver has nothing to
 * tell, or ERR_PTR().
 */
void *core_hw_info(struct device *dev, u32 *length, u32 *type)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	void *data;

	*length = 0;
	*type = 0;
	if (!ops->hw_info)
		return NULL;
	data = ops->hw_info(dev, length, type);
	if (!IS_ERR(data) && WARN_ON_ONCE(!data || !*type)) {
		kfree(data);
		return ERR_PTR(-ENODEV);
	}
	return data;
}

/**
 * core_iommu_key() - what devices behind one IOMMU have in common
 * @dev: the device
 *
 * Return: a pointer that is only compared.
 */
const void *core_iommu_key(struct device *dev)
{
	return dev->iommu->iommu_dev;
}
