// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls to the iommu core of the base kernel. What differs between kernels is
 * hidden here; the callers serialize per group.
 */
#include <linux/iommu.h>
#include <linux/iommufd_viommu.h>
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

/*
 * Where a table for PASIDs is another kind, its driver has to be told. Most have one
 * kind, and refuse the flag. It is the table's property: another device of the IOMMU
 * may have it at a PASID.
 */
static struct iommu_domain *driver_alloc(const struct iommu_ops *ops, struct device *dev,
					 u32 flags, const struct iommu_user_data *data)
{
	struct iommu_domain *domain = ops->domain_alloc_user(dev, flags, NULL, data);

	if (!(flags & IOMMU_HWPT_ALLOC_PASID) || domain != ERR_PTR(-EOPNOTSUPP))
		return domain;
	return ops->domain_alloc_user(dev, flags & ~IOMMU_HWPT_ALLOC_PASID, NULL, data);
}

/**
 * core_domain_alloc() - a paging domain for a device
 * @dev: the device, with an IOMMU
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: what the user says of it in the IOMMU's own words, or NULL
 *
 * Context: may sleep; with @data, reads user memory.
 * Return: the domain, ready to be mapped into; ERR_PTR(-EOPNOTSUPP) if the
 * IOMMU has no such domain, or what its driver says.
 */
struct iommu_domain *core_domain_alloc(struct device *dev, u32 flags,
				       const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	bool pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	struct iommu_domain *domain;

	if ((!ops->domain_alloc_user && ((flags & ~IOMMU_HWPT_ALLOC_PASID) || data)) ||
	    (pasid && !dev->iommu->iommu_dev->max_pasids))
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user ? driver_alloc(ops, dev, flags, data) :
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

/* A driver's nested domain, or its error. */
static struct iommu_domain *check_nested(struct iommu_domain *domain, const struct iommu_ops *ops,
					 bool pasid)
{
	if (IS_ERR(domain))
		return domain;
	domain->owner = ops;
	if (WARN_ON_ONCE(domain->type != IOMMU_DOMAIN_NESTED) ||
	    (pasid && !core_fits_pasid(domain))) {
		iommu_domain_free(domain);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return domain;
}

/**
 * core_nested_alloc() - a domain whose tables are the user's
 * @dev: the device, with an IOMMU
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @parent: what the addresses in those tables go through
 * @data: where the tables are, in the IOMMU's own words
 *
 * Context: may sleep; reads user memory.
 * Return: the domain; ERR_PTR(-EINVAL) if the parent is another IOMMU driver's,
 * ERR_PTR(-EOPNOTSUPP) if the IOMMU has no such domain, or what its driver says.
 */
struct iommu_domain *core_nested_alloc(struct device *dev, u32 flags, struct iommu_domain *parent,
				       const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	bool pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	struct iommu_domain *domain;

	if (parent->owner != ops)
		return ERR_PTR(-EINVAL);
	if (!ops->domain_alloc_user || (pasid && !core_max_pasids(dev)))
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user(dev, flags & ~IOMMU_HWPT_ALLOC_PASID, parent, data);
	return check_nested(domain, ops, pasid);
}

/**
 * core_viommu_ops() - what a device's IOMMU has for a kind of virtual IOMMUs
 * @dev: the device
 * @parent: what maps the guest's memory
 * @type: of enum iommu_viommu_type
 *
 * Context: may sleep.
 * Return: the operations; ERR_PTR(-EINVAL) if the parent is another IOMMU driver's,
 * ERR_PTR(-EOPNOTSUPP) if there are none, or what the IOMMU driver says.
 */
const struct iommufd_viommu_ops *core_viommu_ops(struct device *dev, struct iommu_domain *parent,
						 u32 type)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);

	if (parent->owner != ops)
		return ERR_PTR(-EINVAL);
	return ops->viommu_ops ? ops->viommu_ops(dev, parent, type) : ERR_PTR(-EOPNOTSUPP);
}

/**
 * core_viommu_nested_alloc() - a domain whose tables are a virtual IOMMU's
 * @viommu: the virtual IOMMU
 * @dev: a device behind its IOMMU
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: where the tables are, in the IOMMU's own words
 *
 * Context: may sleep; reads user memory.
 * Return: the domain; ERR_PTR(-EOPNOTSUPP) if there are none, or what the IOMMU
 * driver says.
 */
struct iommu_domain *core_viommu_nested_alloc(struct iommufd_viommu *viommu, struct device *dev,
					      u32 flags, const struct iommu_user_data *data)
{
	bool pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	struct iommu_domain *domain;

	if (!viommu->ops->alloc_nested || (pasid && !core_max_pasids(dev)))
		return ERR_PTR(-EOPNOTSUPP);
	domain = viommu->ops->alloc_nested(viommu, flags & ~IOMMU_HWPT_ALLOC_PASID, data);
	return check_nested(domain, viommu->parent->owner, pasid);
}

/**
 * core_invalidate() - forget what caches hold of a user's tables
 * @domain: from core_nested_alloc()
 * @requests: of the user; entry_num is set to those that were done
 *
 * Context: may sleep; reads user memory.
 * Return: 0; -EOPNOTSUPP if the domain has no such caches; what its IOMMU driver
 * says of the first request that was not done.
 */
int core_invalidate(struct iommu_domain *domain, struct iommu_user_data_array *requests)
{
	if (!domain->ops->cache_invalidate_user) {
		requests->entry_num = 0;
		return -EOPNOTSUPP;
	}
	return domain->ops->cache_invalidate_user(domain, requests);
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
 * @handle: what page requests are reported by, or NULL
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if domain and devices do not go together; what the IOMMU
 * driver says. The group still sees what it saw before.
 */
int core_attach_group(struct iommu_domain *domain, struct iommu_group *group,
		      struct iommu_attach_handle *handle)
{
	return iommu_attach_group_handle(domain, group, handle);
}

/**
 * core_replace_group() - exchange the domain of a group
 * @domain: the new domain
 * @group: a group with another domain attached
 * @handle: a handle of the new domain's own, or NULL
 *
 * Context: may sleep.
 * Return: as core_attach_group().
 */
int core_replace_group(struct iommu_domain *domain, struct iommu_group *group,
		       struct iommu_attach_handle *handle)
{
	return iommu_replace_group_handle(group, domain, handle);
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
	iommu_detach_group_handle(domain, group);
}

/**
 * core_attach_pasid() - attach a domain at a PASID of a device
 * @domain: the domain, allocated for PASIDs
 * @dev: the device, alone in its group
 * @pasid: the number in its requests, 1 or more; nothing is attached there
 * @handle: what page requests are reported by, or NULL
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if domain and device do not go together; -EBUSY if somebody
 * else in the kernel has attached something; what the IOMMU driver says.
 */
int core_attach_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
		      struct iommu_attach_handle *handle)
{
	return iommu_attach_device_pasid(domain, dev, pasid, handle);
}

/**
 * core_replace_pasid() - exchange the domain at a PASID of a device
 * @domain: the new domain, allocated for PASIDs
 * @old: the one that is attached
 * @dev: the device
 * @pasid: the number in its requests
 * @handle: a handle of the new domain's own, or NULL
 *
 * Context: may sleep.
 * Return: as core_attach_pasid(); -EOPNOTSUPP if the IOMMU driver cannot.
 */
int core_replace_pasid(struct iommu_domain *domain, struct iommu_domain *old, struct device *dev,
		       u32 pasid, struct iommu_attach_handle *handle)
{
	return iommu_replace_device_pasid(domain, old, dev, pasid, handle);
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

/**
 * core_faults_enable() - let a device ask for pages
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP if the device, or its IOMMU, cannot; what the IOMMU
 * driver says.
 */
int core_faults_enable(struct device *dev)
{
	int rc = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);

	return rc == -ENODEV ? -EOPNOTSUPP : rc;
}

/**
 * core_faults_disable() - undo core_faults_enable()
 * @dev: the device; nothing that it has asked for waits for an answer
 *
 * Context: may sleep.
 */
void core_faults_disable(struct device *dev)
{
	WARN_ON(iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF));
}

/**
 * core_faults_wait() - until nothing is reported any more by former handles
 *
 * Context: may sleep; with no lock held that a handler of page requests takes.
 */
void core_faults_wait(void)
{
	iopf_wait_reported();
}

/**
 * core_fault_answer() - answer a group of page requests
 * @group: a group that a handler has taken
 * @code: the answer
 *
 * Context: may sleep; before core_faults_disable().
 */
void core_fault_answer(struct iopf_group *group, enum iommu_page_response_code code)
{
	iopf_group_response(group, code);
}

/**
 * core_fault_free() - free a group of page requests
 * @group: a group that has been answered
 *
 * Context: may sleep.
 */
void core_fault_free(struct iopf_group *group)
{
	iopf_free_group(group);
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
 * core_tracks_dirty() - whether a domain was allocated for dirty tracking
 * @domain: the domain
 *
 * Return: whether it was.
 */
bool core_tracks_dirty(const struct iommu_domain *domain)
{
	return domain->dirty_ops;
}

/**
 * core_set_dirty_tracking() - have the IOMMU record what devices write to
 * @domain: allocated for it
 * @on: begin, or stop
 *
 * Context: may sleep.
 * Return: 0, or what the IOMMU driver says.
 */
int core_set_dirty_tracking(struct iommu_domain *domain, bool on)
{
	return domain->dirty_ops->set_dirty_tracking(domain, on);
}

/**
 * core_read_dirty() - what has been recorded
 * @domain: allocated for it
 * @iova: the first of whole pages of the domain
 * @length: bytes
 * @flags: IOMMU_DIRTY_NO_CLEAR, or 0
 * @dirty: where to report, and what is to be flushed
 *
 * Context: may sleep; nothing of it is unmapped meanwhile.
 * Return: 0, or what the IOMMU driver says.
 */
int core_read_dirty(struct iommu_domain *domain, unsigned long iova, unsigned long length,
		    unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	return domain->dirty_ops->read_and_clear_dirty(domain, iova, length, flags, dirty);
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
 * core_iommu() - the IOMMU that a device is behind
 * @dev: the device
 *
 * Return: the IOMMU, which stays.
 */
struct iommu_device *core_iommu(struct device *dev)
{
	return dev->iommu->iommu_dev;
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
