// SPDX-License-Identifier: GPL-2.0
/*
 * Paging domains at PASIDs. This file makes domains with v2 (guest-format) tables,
 * writes entries of a device's GCR3 table for them, and keeps that table while a
 * PASID is attached, whatever becomes of the RID. SVA domains are pasid.c's; it
 * knows nothing of iommufd.
 *
 * A GCR3 table is there as long as the RID is attached to something that goes with
 * it: pass-through, or v2 tables, which are the entry 0 of it (GIOV). v1 tables do
 * not, because what a PASID's tables give would go through them. A RID that is
 * blocked gets an idle domain, with v2 tables that map nothing.
 *
 * Who holds a domain's lock finds every entry that points to its tables on its
 * lists: an entry is written, and what was cached of it forgotten, under the lock
 * that takes the device onto a list or off it.
 */
#define pr_fmt(fmt) "AMD-Vi: " fmt

#include <linux/init.h>
#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "amd_iommu.h"

static bool is_v2(const struct protection_domain *pdom)
{
	return pdom->pd_mode == PD_MODE_V2;
}

/**
 * amd_iommu_count_pasids() - how many PASIDs an IOMMU has entries for
 * @pasmax: PASmax of its extended features: bits of a PASID, less one
 * @glx: levels that its GCR3 tables may have, less one
 *
 * Return: their number; PASIDs are less.
 */
u32 amd_iommu_count_pasids(unsigned int pasmax, unsigned int glx)
{
	return BIT(min3(pasmax + 1, 9 * (glx + 1), 20U));
}

/* The default domain's operations, and what works at PASIDs. */
static struct iommu_domain_ops v2_ops __ro_after_init;

static struct protection_domain *v2_alloc(struct device *dev)
{
	struct protection_domain *pdom;

	/* As for a domain that needs no tables, because they would be v1. */
	pdom = protection_domain_alloc(IOMMU_DOMAIN_IDENTITY, dev_to_node(dev));
	if (!pdom)
		return NULL;
	if (!alloc_io_pgtable_ops(AMD_IOMMU_V2, &pdom->iop.pgtbl.cfg, pdom)) {
		protection_domain_free(pdom);
		return NULL;
	}
	pdom->pd_mode = PD_MODE_V2;
	pdom->domain.type = IOMMU_DOMAIN_UNMANAGED;
	pdom->domain.ops = &v2_ops;
	pdom->domain.pgsize_bitmap = pdom->iop.pgtbl.cfg.pgsize_bitmap;
	/* With a PASID the upper half is where the sign is extended to. */
	pdom->domain.geometry.aperture_end = BIT_ULL(12 + 9 * amd_iommu_gpt_level - 1) - 1;
	pdom->domain.geometry.force_aperture = true;
	return pdom;
}

/**
 * amd_pasid_domain_alloc() - a paging domain that can be attached at a PASID
 * @dev: a device behind the IOMMU
 *
 * Context: may sleep.
 * Return: the domain; ERR_PTR(-EOPNOTSUPP) if the IOMMU has no PASIDs, or knows no
 * guest tables for requests without; ERR_PTR(-ENOMEM).
 */
struct iommu_domain *amd_pasid_domain_alloc(struct device *dev)
{
	struct protection_domain *pdom;

	if (!amd_iommu_pasid_supported() || !check_feature(FEATURE_GIOSUP))
		return ERR_PTR(-EOPNOTSUPP);
	pdom = v2_alloc(dev);
	return pdom ? &pdom->domain : ERR_PTR(-ENOMEM);
}

/**
 * amd_pasid_queue_flush() - forget pages of a domain, where it is at PASIDs
 * @pdom: a domain with v2 tables, locked
 * @address: the first of them
 * @size: bytes
 *
 * Context: any; the caller waits for the commands to complete.
 * Return: 0, or -EIO if an IOMMU takes no command.
 */
int amd_pasid_queue_flush(struct protection_domain *pdom, u64 address, size_t size)
{
	struct pdom_dev_data *at;
	int ret = 0;

	lockdep_assert_held(&pdom->lock);
	for_each_pdom_dev_data(at, pdom)
		ret |= amd_iommu_dev_queue_pasid_flush(at->dev_data, at->pasid, address, size);
	return ret;
}

static unsigned long lock_two(struct protection_domain *a, struct protection_domain *b)
	__acquires(&a->lock) __acquires(&b->lock)
{
	unsigned long flags;

	if (a > b)
		swap(a, b);
	spin_lock_irqsave(&a->lock, flags);
	spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
	return flags;
}

static void unlock_two(struct protection_domain *a, struct protection_domain *b,
		       unsigned long flags)
	__releases(&a->lock) __releases(&b->lock)
{
	if (a > b)
		swap(a, b);
	spin_unlock(&b->lock);
	spin_unlock_irqrestore(&a->lock, flags);
}

/* What the RID is given when it is to be blocked: ready, so that blocking cannot fail. */
static int idle_get(struct iommu_dev_data *dev_data)
{
	struct protection_domain *idle;
	int ret;

	if (dev_data->pasid_idle)
		return 0;
	idle = v2_alloc(dev_data->dev);
	if (!idle)
		return -ENOMEM;
	ret = pdom_attach_iommu(get_amd_iommu_from_dev_data(dev_data), idle);
	if (ret) {
		protection_domain_free(idle);
		return ret;
	}
	dev_data->pasid_idle = idle;
	return 0;
}

/**
 * amd_pasid_end() - a PASID was detached: if it was the last, nothing keeps the table
 * @dev: the device
 *
 * Context: the group's mutex is held; may sleep.
 */
void amd_pasid_end(struct device *dev)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct protection_domain *idle = dev_data->pasid_idle;

	if (!idle || dev_data->gcr3_info.pasid_cnt)
		return;
	if (dev_data->domain == idle)
		amd_iommu_detach_rid(dev);
	pdom_detach_iommu(get_amd_iommu_from_dev_data(dev_data), idle);
	dev_data->pasid_idle = NULL;
	protection_domain_free(idle);
}

/* The device has a GCR3 table, with an entry for @pasid; else undone by amd_pasid_end(). */
static int begin(struct device *dev, ioasid_t pasid)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	int ret;

	if (!dev_data->max_pasids || !check_feature(FEATURE_GIOSUP))
		return -EOPNOTSUPP;
	if (pasid >= dev_data->max_pasids)
		return -ERANGE;
	ret = idle_get(dev_data);
	if (ret)
		return ret;
	if (!dev_data->domain) {
		ret = amd_iommu_attach_rid(dev, dev_data->pasid_idle);
		if (ret)
			return ret;
	}
	if (!dev_data->gcr3_info.gcr3_tbl)
		return -EXDEV;
	if (!dev_data->pasid_enabled)
		return -EOPNOTSUPP;
	return pasid >> (9 * (dev_data->gcr3_info.glx + 1)) ? -ERANGE : 0;
}

/* Takes over @at, unless it fails. */
static int attach(struct protection_domain *pdom, struct pdom_dev_data *at)
{
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(at->dev_data);
	unsigned long flags;
	int ret;

	ret = pdom_attach_iommu(iommu, pdom);
	if (ret)
		return ret;

	spin_lock_irqsave(&pdom->lock, flags);
	ret = amd_iommu_set_gcr3(at->dev_data, at->pasid, iommu_virt_to_phys(pdom->iop.pgd));
	if (!ret)
		list_add(&at->list, &pdom->dev_data_list);
	spin_unlock_irqrestore(&pdom->lock, flags);

	if (ret)
		pdom_detach_iommu(iommu, pdom);
	return ret;
}

/*
 * 0; -EOPNOTSUPP without PASIDs; -ERANGE if the PASID is too big for the device or
 * its table; -EXDEV if the RID is attached to v1 tables; -ENOMEM.
 */
static int set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			 struct iommu_domain *old)
{
	struct pdom_dev_data *at;
	int ret;

	at = kzalloc(sizeof(*at), GFP_KERNEL);
	if (!at)
		return -ENOMEM;
	at->dev_data = dev_iommu_priv_get(dev);
	at->pasid = pasid;

	ret = begin(dev, pasid);
	if (!ret)
		ret = attach(to_pdomain(domain), at);
	if (ret) {
		amd_pasid_end(dev);
		kfree(at);
	}
	return ret;
}

static struct pdom_dev_data *find(struct protection_domain *pdom, struct device *dev,
				  ioasid_t pasid)
{
	struct pdom_dev_data *at;

	lockdep_assert_held(&pdom->lock);
	for_each_pdom_dev_data(at, pdom) {
		if (at->dev_data->dev == dev && at->pasid == pasid)
			return at;
	}
	return NULL;
}

/*
 * Both domains have v2 tables, as only those have this operation. An entry is 64
 * bits: the IOMMU reads the old one or the new one. 0; -EINVAL if @old_domain is not
 * there; -ENOMEM.
 */
static int replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			     struct iommu_domain *old_domain)
{
	struct protection_domain *pdom = to_pdomain(domain), *old = to_pdomain(old_domain);
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);
	struct pdom_dev_data *at;
	unsigned long flags;
	int ret;

	if (pdom == old)
		return 0;
	ret = pdom_attach_iommu(iommu, pdom);
	if (ret)
		return ret;

	flags = lock_two(pdom, old);
	at = find(old, dev, pasid);
	ret = at ? update_gcr3(dev_data, pasid, iommu_virt_to_phys(pdom->iop.pgd), true) :
		   -EINVAL;
	if (!ret)
		list_move(&at->list, &pdom->dev_data_list);
	unlock_two(pdom, old, flags);

	pdom_detach_iommu(iommu, ret ? pdom : old);
	return ret;
}

/**
 * amd_pasid_remove() - detach a domain from a PASID
 * @dev: the device
 * @pasid: the PASID
 * @pdom: a domain with v2 tables
 *
 * Context: the group's mutex is held; may sleep.
 */
void amd_pasid_remove(struct device *dev, ioasid_t pasid, struct protection_domain *pdom)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct pdom_dev_data *at;
	unsigned long flags;

	spin_lock_irqsave(&pdom->lock, flags);
	at = find(pdom, dev, pasid);
	if (at) {
		amd_iommu_clear_gcr3(dev_data, pasid);
		list_del(&at->list);
	}
	spin_unlock_irqrestore(&pdom->lock, flags);
	if (!at)
		return;

	kfree(at);
	pdom_detach_iommu(get_amd_iommu_from_dev_data(dev_data), pdom);
	amd_pasid_end(dev);
}

/* GCR3 entry 0 is the RID's, for v2 tables. */
static int move_entry(struct iommu_dev_data *dev_data, struct protection_domain *old,
		      struct protection_domain *pdom)
{
	unsigned long flags;
	int ret = 0;

	flags = lock_two(pdom, old);
	if (is_v2(pdom))
		ret = update_gcr3(dev_data, 0, iommu_virt_to_phys(pdom->iop.pgd), true);
	else if (is_v2(old))
		ret = update_gcr3(dev_data, 0, 0, false);
	if (!ret)
		list_move(&dev_data->list, &pdom->dev_list);
	unlock_two(pdom, old, flags);
	return ret;
}

/*
 * The device table entry says whether requests without PASID use GCR3 entry 0, which
 * is written before and cleared after: they see the old domain or the new one.
 */
static int move(struct iommu_dev_data *dev_data, struct protection_domain *pdom)
{
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);
	struct protection_domain *old = dev_data->domain;
	int ret;

	ret = pdom_attach_iommu(iommu, pdom);
	if (ret)
		return ret;

	mutex_lock(&dev_data->mutex);
	if (!is_v2(pdom)) {
		dev_data->domain = pdom;
		dev_update_dte(dev_data, true);
	}
	ret = move_entry(dev_data, old, pdom);
	if (!ret && is_v2(pdom)) {
		dev_data->domain = pdom;
		dev_update_dte(dev_data, true);
	}
	mutex_unlock(&dev_data->mutex);

	pdom_detach_iommu(iommu, ret ? pdom : old);
	return ret;
}

static bool is_v1(const struct protection_domain *pdom)
{
	return pdom && pdom->pd_mode == PD_MODE_V1 && (pdom->domain.type & __IOMMU_DOMAIN_PAGING);
}

/* From v1 tables to others, for which the device has all that it needs. */
static int move_v1(struct iommu_dev_data *dev_data, struct protection_domain *pdom)
{
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);
	struct protection_domain *old = dev_data->domain;
	unsigned long flags;
	int ret;

	ret = pdom_attach_iommu(iommu, pdom);
	if (ret)
		return ret;

	mutex_lock(&dev_data->mutex);
	flags = lock_two(pdom, old);
	amd_v1_write_dte(iommu, dev_data, pdom);
	amd_iommu_domain_flush_pages(old, 0, CMD_INV_IOMMU_ALL_PAGES_ADDRESS);
	list_move(&dev_data->list, &pdom->dev_list);
	dev_data->domain = pdom;
	unlock_two(pdom, old, flags);
	/* For the aliases of the device. */
	dev_update_dte(dev_data, true);
	mutex_unlock(&dev_data->mutex);

	pdom_detach_iommu(iommu, old);
	return 0;
}

/**
 * amd_pasid_move_rid() - give a device another domain, in place
 * @dev: the device
 * @pdom: the domain for its requests without PASID; NULL: block them
 *
 * Context: the group's mutex is held; may sleep.
 * Return: 0; -EOPNOTSUPP if the old has to be detached and the new attached;
 * -EXDEV if a PASID is attached and @pdom has v1 tables; -ENOMEM.
 */
int amd_pasid_move_rid(struct device *dev, struct protection_domain *pdom)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	u32 pasids = dev_data->gcr3_info.pasid_cnt;
	int ret;

	if (is_v1(dev_data->domain) && is_v1(pdom) && !dev_data->nested)
		return move_v1(dev_data, pdom);
	if (!dev_data->domain || !dev_data->gcr3_info.gcr3_tbl || (!pdom && !pasids))
		return -EOPNOTSUPP;
	if (!pdom) {
		ret = idle_get(dev_data);
		if (ret)
			return ret;
		pdom = dev_data->pasid_idle;
	}
	if (!is_v2(pdom) && pdom->domain.type != IOMMU_DOMAIN_IDENTITY)
		return pasids ? -EXDEV : -EOPNOTSUPP;
	return pdom == dev_data->domain ? 0 : move(dev_data, pdom);
}

static int __init v2_init(void)
{
	v2_ops = *amd_iommu_ops.default_domain_ops;
	v2_ops.set_dev_pasid = set_dev_pasid;
	v2_ops.replace_dev_pasid = replace_dev_pasid;
	return 0;
}
early_initcall(v2_init);
