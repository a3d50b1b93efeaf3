// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls to the iommu core of the base kernel. What differs between kernels is
 * hidden here; the callers serialize per group.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../../iommu-priv.h"
#include "core.h"

/**
 * core_fits_pasid() - whether a domain can be attached at a PASID, and detached
 * @domain: from core_domain_alloc()
 *
 * Return: whether its IOMMU driver can do both.
 */
bool core_fits_pasid(const struct iommu_domain *domain)
{
	return domain->owner->remove_dev_pasid && domain->ops->set_dev_pasid;
}

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
	bool pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	struct iommu_domain *domain;

	/* To no driver of the base it is a property to allocate by. */
	flags &= ~IOMMU_HWPT_ALLOC_PASID;
	if ((!ops->domain_alloc_user && flags) || (pasid && !core_max_pasids(dev)))
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user ? ops->domain_alloc_user(dev, flags, NULL, NULL) :
					  iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return domain;
	domain->owner = ops;

	/* Some drivers know a domain's page sizes only once it is attached. */
	if (!domain->pgsize_bitmap || (pasid && !core_fits_pasid(domain)) ||
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
 * core_attach_pasid() - attach a domain at a PASID of a device
 * @domain: the domain, allocated for PASIDs
 * @dev: the device, alone in its group
 * @pasid: the number in its requests, 1 or more; nothing is attached there
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if domain and device do not go together; -EBUSY if somebody
 * else in the kernel has attached something; what the IOMMU driver says.
 */
int core_attach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid)
{
	return iommu_attach_device_pasid(domain, dev, pasid, NULL);
}

/**
 * core_replace_pasid() - exchange the domain at a PASID of a device
 * @domain: the new domain, allocated for PASIDs
 * @old: the one that is attached
 * @dev: the device
 * @pasid: the number in its requests
 *
 * Context: may sleep.
 * Return: as core_attach_pasid(); -EOPNOTSUPP if the IOMMU driver cannot.
 */
int core_replace_pasid(struct iommu_domain *domain, struct iommu_domain *old,
		       struct device *dev, u32 pasid)
{
	return iommu_replace_device_pasid(domain, old, dev, pasid, NULL);
}

/**
 * core_detach_pasid() - block a PASID of a device
 * @domain: what is attached
 * @dev: the device
 * @pasid: the number in its requests
 *
 * When it returns, no cache holds anything of it.
 *
 * Context: may sleep.
 */
void core_detach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid)
{
	iommu_detach_device_pasid(domain, dev, pasid);
}

static int count_device(struct device *dev, void *data)
{
	unsigned int *nr = data;

	return ++*nr > 1;
}

/**
 * core_group_is_single() - whether a group has one device
 * @group: the group
 *
 * Context: may sleep.
 * Return: whether it has.
 */
bool core_group_is_single(struct iommu_group *group)
{
	unsigned int nr = 0;

	return !iommu_group_for_each_dev(group, &nr, count_device) && nr == 1;
}

/**
 * core_max_pasids() - what a device and its IOMMU can do about PASIDs
 * @dev: any device
 *
 * Return: numbers in requests are smaller; 0 without PASIDs.
 */
u32 core_max_pasids(struct device *dev)
{
	return dev->iommu ? dev->iommu->max_pasids : 0;
}

/**
 * core_pasid_alloc() - a number of the system-wide PASID space
 * @dev: the device that it has to be narrow enough for
 * @pasid: set to it
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP without PASIDs; -ENOSPC if none is left. The iommu core
 * does not tell this from being short of memory.
 */
int core_pasid_alloc(struct device *dev, u32 *pasid)
{
	if (!core_max_pasids(dev))
		return -EOPNOTSUPP;
	*pasid = iommu_alloc_global_pasid(dev);
	return *pasid == IOMMU_PASID_INVALID ? -ENOSPC : 0;
}

/**
 * core_pasid_free() - undo core_pasid_alloc()
 * @pasid: the number
 *
 * Context: any.
 */
void core_pasid_free(u32 pasid)
{
	iommu_free_global_pasid(pasid);
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
