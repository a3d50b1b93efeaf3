// SPDX-License-Identifier: GPL-2.0
/*
 * Exchange of a present scalable-mode PASID-table entry, at a PASID or on the
 * RID. This file writes such entries, invalidates what was cached of them, and
 * moves the device from one domain's lists to the other's. It attaches
 * nothing where nothing was, and knows nothing of iommufd.
 *
 * The hardware reads an entry in units of 128 bits, each at once, but two of
 * them at different times. What it reads of the entry of a paging or nested
 * domain is
 *
 *   unit 0  P, address width, type of translation, second-stage pointer and
 *           dirty bits; domain ID (DID), snooping
 *   unit 1  first-stage pointer and paging mode; ignored in second-stage entries
 *
 * so an exchange is a path of entries that differ in one unit each, with the
 * caches synchronized after each store: then the hardware holds no unit that
 * is older than the entry before, and sees one of two neighbours on the path.
 * Each of them means what the old entry does, or the new one.
 *
 *   any to second      1. the new unit 0        2. clear unit 1, which is unused
 *   second to any      1. the new unit 1, still unused        2. the new unit 0
 *   first to first,    1. a spare DID        2. the new unit 1
 *   nested to nested   3. the new unit 0, with the new DID
 *   in one second
 *   stage
 *   others             the new unit 0, where unit 1 is the same; else there is no
 *                      path: a first-stage pointer would be followed in a space
 *                      that it is not of
 *
 * Translations are cached under DID and PASID, and other devices may use the
 * same pair. On the path with three steps both tables are in use under one DID
 * for a while: under the old or the new DID, other devices of that domain would
 * hit what is cached of the other domain. The spare DID is this device's alone.
 * What is cached under it is of no concern to the invalidations of the domains,
 * nor of the second stage they are in, so they wait until it is gone: all their
 * cache_locks are held all the way.
 *
 * Locks, outer to inner: the group's mutex (the core's); lock of both domains, a
 * paging domain first, else the lower address; cache_lock of the second stage that
 * both are in; cache_lock of both domains, in the same order.
 */
#define pr_fmt(fmt)	"DMAR: " fmt

#include <linux/atomic.h>
#include <linux/iommu.h>

#include "pasids.h"

#define PATH_MAX_STEPS	3
#define PGSNP		BIT_ULL(24)	/* of val[1] */

/**
 * struct replacement - a device that goes from one domain to another
 * @dev: the device
 * @pasid: where, IOMMU_NO_PASID for the RID
 * @old: the domain that it leaves
 * @new: the domain that it gets
 * @spare: a domain ID that is nobody's, 0 where none is needed
 * @no_parent: stands for the cache_lock of a second stage, where none is needed
 */
struct replacement {
	struct device *dev;
	ioasid_t pasid;
	struct dmar_domain *old;
	struct dmar_domain *new;
	u16 spare;
	spinlock_t no_parent; /* protects nothing */
};

#ifdef system_has_cmpxchg128
static bool unit_store_supported(void)
{
	return system_has_cmpxchg128();
}

static void unit_store(struct pasid_entry *pte, const struct pasid_entry *to, int unit)
{
	u128 *place = (u128 *)&pte->val[unit * 2];
	u128 old = *place;

	/* Nobody else writes here: the device's entry is under both domains' locks. */
	WARN_ON(!try_cmpxchg128(place, &old, *(const u128 *)&to->val[unit * 2]));
}
#else
static bool unit_store_supported(void)
{
	return false;
}

static void unit_store(struct pasid_entry *pte, const struct pasid_entry *to, int unit)
{
}
#endif

static bool unit_differs(const struct pasid_entry *a, const struct pasid_entry *b, int unit)
{
	return a->val[unit * 2] != b->val[unit * 2] || a->val[unit * 2 + 1] != b->val[unit * 2 + 1];
}

static void unit_copy(struct pasid_entry *to, const struct pasid_entry *from, int unit)
{
	to->val[unit * 2] = from->val[unit * 2];
	to->val[unit * 2 + 1] = from->val[unit * 2 + 1];
}

static bool entry_is(struct pasid_entry *entry, u16 type)
{
	return pasid_pte_get_pgtt(entry) == type;
}

/* The same type, and the same second stage, if there is one. */
static bool entries_share_space(struct pasid_entry *a, struct pasid_entry *b)
{
	return pasid_pte_get_pgtt(a) == pasid_pte_get_pgtt(b) &&
	       !((a->val[0] ^ b->val[0]) & VTD_PAGE_MASK);
}

/*
 * The entries on the way from @old to @new, as the head of this file has them;
 * returns how many, or 0. Two neighbours differ in one unit, or not at all.
 */
static int entry_path(struct pasid_entry *old, struct pasid_entry *new, u16 spare,
		      struct pasid_entry *path)
{
	int steps = 1;

	path[0] = *old;
	if (entry_is(new, PASID_ENTRY_PGTT_SL_ONLY)) {
		unit_copy(&path[0], new, 0);
	} else if (entry_is(old, PASID_ENTRY_PGTT_SL_ONLY)) {
		unit_copy(&path[0], new, 1);
	} else if (!unit_differs(old, new, 1)) {
		unit_copy(&path[0], new, 0);
	} else if (spare && entries_share_space(old, new)) {
		pasid_set_domain_id(&path[0], spare);
		/* Where the new domain snoops always, its table is never used without. */
		path[0].val[1] |= new->val[1] & PGSNP;
		path[1] = path[0];
		unit_copy(&path[1], new, 1);
		steps = 2;
	} else {
		return 0;
	}
	path[steps++] = *new;
	return steps;
}

/*
 * Makes *@pte the entry @to, its next on the path; no cache has the one before
 * then. The invalidation flushes the write buffer, where there is one.
 */
static void entry_step(struct intel_iommu *iommu, struct pasid_entry *pte, ioasid_t pasid,
		       const struct pasid_entry *to)
{
	u16 did = pasid_get_domain_id(pte);
	int unit = unit_differs(pte, to, 0) ? 0 : 1;

	if (!unit_differs(pte, to, unit))
		return;
	unit_store(pte, to, unit);
	if (!ecap_coherent(iommu->ecap))
		clflush_cache_range(pte, sizeof(*pte));
	qi_flush_pasid_cache(iommu, did, QI_PC_PASID_SEL, pasid);
}

static void flush_iotlb(struct intel_iommu *iommu, u16 did, ioasid_t pasid, bool first)
{
	if (first)
		qi_flush_piotlb(iommu, did, pasid, 0, -1, 0);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

/*
 * Takes *@pte to the entry @new. Afterwards nothing is cached of it but @new.
 * -EOPNOTSUPP if there is no path.
 */
static int entry_exchange(struct replacement *r, struct intel_iommu *iommu,
			  struct pasid_entry *pte, struct pasid_entry *new)
{
	struct pasid_entry old = *pte, path[PATH_MAX_STEPS];
	int i, steps = entry_path(&old, new, r->spare, path);
	bool old_first = entry_is(&old, PASID_ENTRY_PGTT_FL_ONLY);
	u16 did = pasid_get_domain_id(new);

	if (!steps)
		return -EOPNOTSUPP;
	for (i = 0; i < steps; i++)
		entry_step(iommu, pte, r->pasid, &path[i]);

	flush_iotlb(iommu, pasid_get_domain_id(&old), r->pasid, old_first);
	if (r->spare)
		flush_iotlb(iommu, r->spare, r->pasid, old_first);
	/* A hypervisor that shadows the tables wants to hear of the new ones. */
	if (cap_caching_mode(iommu->cap)) {
		qi_flush_pasid_cache(iommu, did, QI_PC_PASID_SEL, r->pasid);
		flush_iotlb(iommu, did, r->pasid, entry_is(new, PASID_ENTRY_PGTT_FL_ONLY));
	}
	return 0;
}

/* Both are nested, and in one second stage. */
static bool have_one_parent(struct replacement *r)
{
	return dmar_domain_is_nested(r->old) && dmar_domain_is_nested(r->new) &&
	       r->old->s2_domain == r->new->s2_domain;
}

static spinlock_t *parent_lock(struct replacement *r)
{
	return have_one_parent(r) ? &r->old->s2_domain->cache_lock : &r->no_parent;
}

static struct dmar_domain *first_to_lock(struct replacement *r)
{
	if (dmar_domain_is_nested(r->old) != dmar_domain_is_nested(r->new))
		return dmar_domain_is_nested(r->old) ? r->new : r->old;
	return min(r->old, r->new);
}

static struct dmar_domain *second_to_lock(struct replacement *r)
{
	return first_to_lock(r) == r->old ? r->new : r->old;
}

static unsigned long lock_domains(struct replacement *r)
	__acquires(&r->old->lock) __acquires(&r->new->lock)
	__acquires(&r->old->cache_lock) __acquires(&r->new->cache_lock) __acquires(parent_lock(r))
{
	struct dmar_domain *a = first_to_lock(r), *b = second_to_lock(r);
	unsigned long flags;

	spin_lock_irqsave(&a->lock, flags);
	spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
	spin_lock(parent_lock(r));
	spin_lock(&a->cache_lock);
	spin_lock_nested(&b->cache_lock, SINGLE_DEPTH_NESTING);
	return flags;
}

static void unlock_domains(struct replacement *r, unsigned long flags)
	__releases(&r->old->lock) __releases(&r->new->lock)
	__releases(&r->old->cache_lock) __releases(&r->new->cache_lock) __releases(parent_lock(r))
{
	struct dmar_domain *a = first_to_lock(r), *b = second_to_lock(r);

	spin_unlock(&b->cache_lock);
	spin_unlock(&a->cache_lock);
	spin_unlock(parent_lock(r));
	spin_unlock(&b->lock);
	spin_unlock_irqrestore(&a->lock, flags);
}

static int spare_get(struct replacement *r, struct intel_iommu *iommu)
{
	unsigned long did;

	/* A nested domain is one of the first level too, to the base. */
	if (!r->old->use_first_level || !r->new->use_first_level ||
	    (dmar_domain_is_nested(r->old) || dmar_domain_is_nested(r->new)) !=
	    have_one_parent(r))
		return 0;

	spin_lock(&iommu->lock);
	did = find_first_zero_bit(iommu->domain_ids, cap_ndoms(iommu->cap));
	if (did < cap_ndoms(iommu->cap)) {
		__set_bit(did, iommu->domain_ids);
		r->spare = did;
	}
	spin_unlock(&iommu->lock);
	return r->spare ? 0 : -ENOSPC;
}

static void spare_put(struct replacement *r, struct intel_iommu *iommu)
{
	if (!r->spare)
		return;
	spin_lock(&iommu->lock);
	__clear_bit(r->spare, iommu->domain_ids);
	spin_unlock(&iommu->lock);
}

/* Whatever can fail, before anything is changed that matters to the old domain. */
static int replace_prepare(struct replacement *r, struct intel_iommu *iommu)
{
	int ret = intel_prepare_attach(r->new, r->dev);

	if (ret)
		return ret;
	ret = domain_attach_iommu(r->new, iommu);
	if (ret)
		return ret;
	ret = cache_tag_assign_domain(r->new, r->dev, r->pasid);
	if (ret)
		goto out_detach;
	ret = spare_get(r, iommu);
	if (ret)
		goto out_unassign;
	return 0;

out_unassign:
	cache_tag_unassign_domain(r->new, r->dev, r->pasid);
out_detach:
	domain_detach_iommu(r->new, iommu);
	return ret;
}

/* Of @r, the domain that is out: the old one, or after a failure the new one. */
static void replace_release(struct replacement *r, struct intel_iommu *iommu,
			    struct dmar_domain *out)
{
	spare_put(r, iommu);
	cache_tag_unassign_domain(out, r->dev, r->pasid);
	domain_detach_iommu(out, iommu);
}

/*
 * Moves @link, by which the old domain knows the device, to @list of the new
 * one, and the entry with it: who holds a domain's lock finds entries of that
 * domain, and all of them, on its lists.
 */
static int replace(struct replacement *r, struct list_head *link, struct list_head *list)
{
	struct device_domain_info *info = dev_iommu_priv_get(r->dev);
	struct dmar_domain *paging = dmar_domain_paging(r->new);
	struct intel_iommu *iommu = info->iommu;
	struct pasid_entry *pte, new;
	unsigned long flags;
	int ret;

	spin_lock_init(&r->no_parent);
	if (!unit_store_supported())
		return -EOPNOTSUPP;

	pte = intel_pasid_get_entry(r->dev, r->pasid);
	if (!pte || !pasid_pte_is_present(pte))
		return -EINVAL;

	ret = replace_prepare(r, iommu);
	if (ret)
		return ret;

	flags = lock_domains(r);
	ret = intel_pasid_entry_make(&new, r->new, iommu);
	if (!ret)
		ret = entry_exchange(r, iommu, pte, &new);
	if (!ret) {
		paging->iotlb_sync_map |= domain_need_iotlb_sync_map(paging, iommu);
		list_move(link, list);
	}
	unlock_domains(r, flags);
	if (ret) {
		replace_release(r, iommu, r->new);
		return ret;
	}
	intel_pasid_follow_dirty(r->new, r->dev, r->pasid);

	devtlb_invalidation_with_pasid(iommu, r->dev, r->pasid);
	intel_iommu_drain_pasid_prq(r->dev, r->pasid);
	replace_release(r, iommu, r->old);
	return 0;
}

/**
 * intel_replace_rid() - give a device another domain for requests without PASID
 * @domain: a paging or a nested domain
 * @dev: a device in scalable mode, with a domain attached
 *
 * Context: the group's mutex is held; may sleep.
 * Return: 0; -EOPNOTSUPP if this cannot be done without a gap: no paging or nested
 * domain is attached, there is no path from one entry to the other, the entry is a
 * crashed kernel's, or the CPU has no 128-bit store; other errors if @domain cannot
 * be attached. Nothing has changed then.
 */
int intel_replace_rid(struct iommu_domain *domain, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct replacement r = {
		.dev = dev, .pasid = IOMMU_NO_PASID,
		.old = info->domain, .new = to_dmar_domain(domain),
	};
	int ret;

	if (r.old == r.new)
		return 0;
	if ((!(r.old->domain.type & __IOMMU_DOMAIN_PAGING) && !dmar_domain_is_nested(r.old)) ||
	    context_copied(info->iommu, info->bus, info->devfn))
		return -EOPNOTSUPP;

	ret = replace(&r, &info->link, &r.new->devices);
	if (!ret)
		info->domain = r.new;
	return ret;
}

/**
 * intel_replace_dev_pasid() - exchange the domain at a PASID
 * @domain: a paging or a nested domain
 * @dev: the device
 * @pasid: not IOMMU_NO_PASID
 * @old: what is attached there, a paging or a nested domain
 *
 * Context: the group's mutex is held; may sleep.
 * Return: 0; -EINVAL if @old is not there; -EOPNOTSUPP if the CPU has no 128-bit
 * store, or there is no path from one entry to the other: between nested domains
 * in two second stages, and between nested and first-stage domains; other errors
 * if @domain cannot be attached. Nothing has changed then.
 */
int intel_replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			    struct iommu_domain *old)
{
	struct replacement r = {
		.dev = dev, .pasid = pasid,
		.old = to_dmar_domain(old), .new = to_dmar_domain(domain),
	};
	struct dev_pasid_info *curr, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&r.old->lock, flags);
	list_for_each_entry(curr, &r.old->dev_pasids, link_domain) {
		if (curr->dev == dev && curr->pasid == pasid)
			found = curr;
	}
	spin_unlock_irqrestore(&r.old->lock, flags);
	if (!found)
		return -EINVAL;
	return domain == old ? 0 : replace(&r, &found->link_domain, &r.new->dev_pasids);
}
