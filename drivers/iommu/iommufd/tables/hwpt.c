// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables: what those made from an IOAS and nested ones have in common, and
 * how the first are made.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../domain/core.h"
#include "../domain/sw_msi.h"
#include "fault.h"
#include "hwpt.h"

static void hwpt_destroy(struct object *obj)
{
	struct hwpt *hwpt = container_of(obj, struct hwpt, obj);
	struct iommu_domain *domain = hwpt->member.domain;

	if (hwpt->shared) {
		mutex_lock(&hwpt->ioas->hwpts_lock);
		list_del(&hwpt->node);
		mutex_unlock(&hwpt->ioas->hwpts_lock);
	}
	if (hwpt->filled)
		ioas_remove_member(hwpt->ioas, &hwpt->member);
	sw_msi_free(domain);
	core_domain_free(domain);
	/* For doorbells, which were in it to the end. */
	ioas_unreserve(hwpt->ioas, domain);
	if (hwpt->faults)
		fault_queue_put(hwpt->faults);
	if (hwpt->below)
		object_put(hwpt->below);
	ioas_put(hwpt->ioas);
	kfree(hwpt);
}

const struct object_type hwpt_type = {
	.name = "hwpt",
	.destroy = hwpt_destroy,
};

/**
 * hwpt_pass_msi() - let a device's interrupts through a page table
 * @hwpt: what the device is about to be attached to
 * @dev: the device
 *
 * Where interrupts are translated, the IOVAs of the device's doorbells are out of
 * use until the end of the page table, or of its parent: what is mapped there for
 * interrupts stays as long, attached or not.
 *
 * Context: may sleep; takes map_rwsem.
 * Return: 0; -EADDRINUSE if something else is mapped there; see sw_msi_ready().
 */
int hwpt_pass_msi(struct hwpt *hwpt, struct device *dev)
{
	struct iommu_domain *domain = sw_msi_domain(hwpt->member.domain);
	struct iova_range window;
	unsigned long start;
	size_t length;
	int rc;

	if (!sw_msi_window(dev, &start, &length))
		return 0;
	window.start = start;
	window.last = start + length - 1;
	if (!READ_ONCE(domain->sw_msi)) {
		/* Another group's attach may do the same; all of it ends together. */
		rc = ioas_reserve(hwpt->ioas, &window, domain);
		if (rc)
			return rc;
	}
	return sw_msi_ready(domain, start, length);
}

/**
 * hwpt_alloc() - an empty page table in the format of a device's IOMMU
 * @ioas: where its mappings will come from; the page table takes a reference
 * @dev: the device
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @coherent: no-snoop requests have to be overruled
 * @data: what the user says of it in the IOMMU's own words, or NULL
 *
 * Context: may sleep; with @data, reads user memory.
 * Return: the page table, not yet published, or ERR_PTR(): -EINVAL if the IOMMU
 * cannot overrule no-snoop, -ENOMEM, or what core_domain_alloc() says.
 */
struct hwpt *hwpt_alloc(struct ioas *ioas, struct device *dev, u32 flags, bool coherent,
			const struct iommu_user_data *data)
{
	struct hwpt *hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	struct iommu_domain *domain;
	int rc;

	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	domain = core_domain_alloc(dev, flags, data);
	if (IS_ERR(domain)) {
		rc = PTR_ERR(domain);
		goto free_hwpt;
	}
	/* Before anything is mapped: some IOMMUs set it in the entries. */
	rc = -EINVAL;
	if (coherent && !core_enforce_coherency(domain))
		goto free_domain;
	rc = object_init(ioas->obj.ictx, &hwpt->obj, &hwpt_type);
	if (rc)
		goto free_domain;
	hwpt->member.domain = domain;
	hwpt->coherent = coherent;
	hwpt->pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	hwpt->key = core_iommu_key(dev);
	hwpt->ioas = ioas;
	object_hold(&ioas->obj);
	return hwpt;

free_domain:
	core_domain_free(domain);
free_hwpt:
	kfree(hwpt);
	return ERR_PTR(rc);
}

/**
 * hwpt_set_faults() - let a page table's page requests go to the user
 * @hwpt: the page table, not yet published
 * @faults: where to; the page table takes a reference
 */
void hwpt_set_faults(struct hwpt *hwpt, struct fault_queue *faults)
{
	hwpt->faults = faults;
	object_hold(&faults->obj);
	hwpt->member.domain->iopf_handler = fault_handler;
}

/**
 * hwpt_fill() - map what the IOAS has, now and from now on
 * @hwpt: from hwpt_alloc()
 *
 * Context: may sleep and wait for user space: no lock held.
 * Return: as ioas_add_member(). The page table is still the caller's.
 */
int hwpt_fill(struct hwpt *hwpt)
{
	int rc = ioas_add_member(hwpt->ioas, &hwpt->member);

	hwpt->filled = !rc;
	return rc;
}

/**
 * hwpt_put() - drop a reference
 * @hwpt: the page table; one that attaches share goes with the last of them
 *
 * Context: may sleep.
 */
void hwpt_put(struct hwpt *hwpt)
{
	if (hwpt->shared)
		object_put_or_destroy(&hwpt->obj);
	else
		object_put(&hwpt->obj);
}

/**
 * hwpt_all_coherent() - whether no device of an IOAS can bypass the CPU's caches
 * @ioas: the IOAS
 *
 * Context: may sleep; takes members_lock.
 * Return: whether all its page tables overrule no-snoop requests.
 */
bool hwpt_all_coherent(struct ioas *ioas)
{
	struct hwpt *hwpt;

	guard(rwsem_read)(&ioas->members_lock);
	list_for_each_entry(hwpt, &ioas->members, member.node)
		if (!hwpt->coherent)
			return false;
	return true;
}
