// SPDX-License-Identifier: GPL-2.0
/*
 * Guest-owned tables: a guest's GCR3 table, and so all its PASIDs, above a domain
 * with v1 tables that maps the guest's memory. This file checks the guest's device
 * table entry (DTE), merges it into the device's own, and takes the guest's
 * invalidations. How a DTE is changed while it is in use is update_dte256()'s.
 *
 * To the rest of the driver such a device is attached to the parent, and has
 * dev_data->nested. It has a domain ID by which only the guest's tables are cached.
 *
 * A device does not use ATS meanwhile: when memory of the guest is unmapped from the
 * parent, its TLB would have to forget it under every PASID, and the IOMMU has no
 * command for that.
 */
#define pr_fmt(fmt) "AMD-Vi: " fmt

#include <linux/bitfield.h>
#include <linux/iommu.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include <asm/iommu.h>

#include "amd_iommu.h"

/* Publication 48882, section 2.2.2.1: of the guest's DTE, by word. */
#define G0_V_TV		GENMASK_ULL(1, 0)
#define G0_PPR		GENMASK_ULL(53, 52)
#define G0_GIOV		BIT_ULL(54)
#define G0_GV		BIT_ULL(55)
#define G0_GLX		GENMASK_ULL(57, 56)
#define G0_ROOT		GENMASK_ULL(60, 58)
#define G0_RIGHTS	GENMASK_ULL(62, 61)
#define G0_USED		(G0_V_TV | G0_PPR | G0_GIOV | G0_GV | G0_GLX | G0_ROOT | G0_RIGHTS)
#define G1_ATS		BIT_ULL(32)
#define G1_ROOT		(GENMASK_ULL(31, 16) | GENMASK_ULL(63, 43))
#define G2_LEVELS	GENMASK_ULL(55, 54)
/* EX, SysMgt, SA, SE, I and what else is of the host's device table. */
#define H1_KEPT		GENMASK_ULL(41, 33)

/* Section 2.4.3, INVALIDATE_IOMMU_PAGES; 2.4.8, INVALIDATE_IOMMU_ALL. */
#define OP_IOMMU_PAGES	3
#define OP_IOMMU_ALL	8
#define C0_PASID	GENMASK_ULL(19, 0)
#define C0_DOMAIN	GENMASK_ULL(47, 32)
#define C0_OPCODE	GENMASK_ULL(63, 60)
#define C1_GN		BIT_ULL(2)
#define C1_FLAGS	GENMASK_ULL(2, 0)
#define C1_ADDRESS	GENMASK_ULL(63, 12)
/* All addresses of a domain, with what leads to them. */
#define C1_ALL		(0x7ffffffffffff000ULL | 3)

/**
 * struct amd_nested - a guest's tables
 * @domain: for the iommu core
 * @parent: maps the guest's memory
 * @iommu: of the devices it can be attached to
 * @id: by which it is cached
 * @guest: of the guest's DTE what is used
 */
struct amd_nested {
	struct iommu_domain domain;
	struct protection_domain *parent;
	struct amd_iommu *iommu;
	u16 id;
	u64 guest[3];
};

static struct amd_nested *to_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct amd_nested, domain);
}

/**
 * amd_iommu_hw_info() - what user space is told of the IOMMU
 * @dev: a device behind it
 * @length: set to the bytes returned
 * @type: set to IOMMU_HW_INFO_TYPE_AMD
 *
 * Context: may sleep.
 * Return: struct iommu_hw_info_amd, to be freed; ERR_PTR(-ENOMEM).
 */
void *amd_iommu_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct amd_iommu *iommu = get_amd_iommu_from_dev(dev);
	struct iommu_hw_info_amd *info = kzalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return ERR_PTR(-ENOMEM);
	info->efr = iommu->features;
	info->efr2 = iommu->features2;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_AMD;
	return info;
}

/**
 * amd_nested_supported() - whether guests can have tables of their own
 *
 * Return: whether the IOMMU has guest translation, and the command to forget all.
 */
bool amd_nested_supported(void)
{
	return check_feature(FEATURE_GT) && check_feature(FEATURE_IA) && !amd_iommu_snp_en;
}

/*
 * The guest's domain ID, and what is of interrupts, is not looked at: the one is
 * replaced, the other stays the host's.
 */
static int check_guest(const u64 *dte)
{
	if ((dte[0] & G0_V_TV) != G0_V_TV || (dte[0] & ~G0_USED))
		return -EINVAL;
	/* Its page requests, and its ATS, would need what is not there. */
	if ((dte[0] & G0_PPR) || (dte[1] & G1_ATS))
		return -EOPNOTSUPP;
	if (!(dte[0] & G0_GV))
		return dte[0] & G0_GIOV ? -EINVAL : 0;
	if (FIELD_GET(G0_GLX, dte[0]) == 3 || FIELD_GET(G2_LEVELS, dte[2]) > 1)
		return -EINVAL;
	if (FIELD_GET(G0_GLX, dte[0]) > amd_iommu_max_glx_val ||
	    FIELD_GET(G2_LEVELS, dte[2]) > FIELD_GET(FEATURE_GATS, amd_iommu_efr) ||
	    ((dte[0] & G0_GIOV) && !check_feature(FEATURE_GIOSUP)))
		return -EOPNOTSUPP;
	return 0;
}

static void queue_all(struct amd_nested *n)
{
	const u32 words[] = { 0, OP_IOMMU_PAGES << 28 | n->id, lower_32_bits(C1_ALL),
			      upper_32_bits(C1_ALL) };

	amd_iommu_queue(n->iommu, words);
}

/**
 * amd_nested_queue_flush() - memory of guests was unmapped
 * @parent: from which domain; locked
 *
 * What is cached of a guest's tables is so by the guest's addresses: it all goes.
 *
 * Context: any; the caller waits for the commands to complete.
 * Return: 0; what cannot be queued is reported by who waits.
 */
int amd_nested_queue_flush(struct protection_domain *parent)
{
	struct iommu_dev_data *dev_data;

	list_for_each_entry(dev_data, &parent->dev_list, list) {
		if (dev_data->nested)
			queue_all(dev_data->nested);
	}
	return 0;
}

/* The DTE of a device that is attached to @parent, with the tables of @n, or none. */
static void make_dte(struct dev_table_entry *new, const struct dev_table_entry *old,
		     struct iommu_dev_data *dev_data, struct protection_domain *parent,
		     const struct amd_nested *n)
{
	u64 rights = n ? n->guest[0] & G0_RIGHTS : G0_RIGHTS;

	*new = *old;
	new->data[0] = iommu_virt_to_phys(parent->iop.root) |
		       (u64)parent->iop.mode << DEV_ENTRY_MODE_SHIFT | G0_V_TV | rights;
	if (parent->dirty_tracking)
		new->data[0] |= DTE_FLAG_HAD;
	new->data[1] = (old->data[1] & H1_KEPT) | (n ? n->id : parent->id);
	if (dev_data->ats_enabled)
		new->data[1] |= DTE_FLAG_IOTLB;
	new->data[2] &= ~G2_LEVELS;
	if (n && (n->guest[0] & G0_GV)) {
		new->data[0] |= n->guest[0] & (G0_GV | G0_GIOV | G0_GLX | G0_ROOT);
		new->data[1] |= n->guest[1];
		new->data[2] |= n->guest[2];
	}
}

static void write_dte(struct amd_iommu *iommu, struct iommu_dev_data *dev_data,
		      struct protection_domain *parent, const struct amd_nested *n)
{
	struct dev_table_entry *at = &get_dev_table(iommu)[dev_data->devid], new;

	make_dte(&new, at, dev_data, parent, n);
	update_dte256(iommu, dev_data, &new);
}

/**
 * amd_v1_write_dte() - point a device table entry that is in use at v1 tables
 * @iommu: the IOMMU
 * @dev_data: the device
 * @pdom: a domain with v1 tables
 *
 * Root and domain ID change at once. The IOMMU has read the entry again after.
 *
 * Context: any, but serialized with other changes of it.
 */
void amd_v1_write_dte(struct amd_iommu *iommu, struct iommu_dev_data *dev_data,
		      struct protection_domain *pdom)
{
	write_dte(iommu, dev_data, pdom, NULL);
}

/**
 * amd_nested_set_dte() - write the device table entry, where a guest has tables
 * @iommu: the IOMMU
 * @dev_data: the device, attached to the parent
 *
 * Context: as for any change of it; the caller has the IOMMU read it again.
 * Return: false if no guest has; nothing was done then.
 */
bool amd_nested_set_dte(struct amd_iommu *iommu, struct iommu_dev_data *dev_data)
{
	if (!dev_data->nested)
		return false;
	write_dte(iommu, dev_data, dev_data->nested->parent, dev_data->nested);
	return true;
}

/* The device has PASIDs and no ATS, or ATS as the driver would have it. */
static void set_caps(struct iommu_dev_data *dev_data, bool nested)
{
	struct pci_dev *pdev = to_pci_dev(dev_data->dev);

	if (dev_data->ats_enabled) {
		pci_disable_ats(pdev);
		dev_data->ats_enabled = 0;
	}
	if (nested && dev_data->max_pasids && !dev_data->pasid_enabled)
		dev_data->pasid_enabled = !pci_enable_pasid(pdev, 0);
	if (!nested && dev_data->pasid_enabled) {
		pci_disable_pasid(pdev);
		dev_data->pasid_enabled = 0;
	}
	if (!nested && amd_iommu_iotlb_sup && (dev_data->flags & AMD_IOMMU_DEVICE_FLAG_ATS_SUP) &&
	    !pci_enable_ats(pdev, PAGE_SHIFT))
		dev_data->ats_enabled = 1;
}

/**
 * amd_nested_leave() - a device has the parent's tables alone, if it had a guest's
 * @dev_data: the device
 *
 * Context: the group's mutex is held; may sleep.
 * Return: 0.
 */
int amd_nested_leave(struct iommu_dev_data *dev_data)
{
	struct protection_domain *parent = dev_data->domain;
	struct amd_nested *n = dev_data->nested;
	unsigned long flags;

	if (!n)
		return 0;
	spin_lock_irqsave(&parent->lock, flags);
	dev_data->nested = NULL;
	spin_unlock_irqrestore(&parent->lock, flags);
	write_dte(n->iommu, dev_data, parent, NULL);
	queue_all(n);
	iommu_completion_wait(n->iommu);
	/* What it asks for by ATS is no longer the guest's. */
	set_caps(dev_data, false);
	dev_update_dte(dev_data, true);
	return 0;
}

/*
 * Attached to the parent first, unless it is. From one guest's tables to another's
 * above one parent the DTE is exchanged in place.
 */
static int attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct amd_nested *n = to_nested(domain), *old = dev_data->nested;
	struct protection_domain *parent = n->parent;
	unsigned long flags;
	int ret;

	if (!dev_is_pci(dev) || get_amd_iommu_from_dev(dev) != n->iommu)
		return -EINVAL;
	if (dev_data->domain != parent) {
		ret = parent->domain.ops->attach_dev(&parent->domain, dev);
		if (ret)
			return ret;
		old = NULL;
	}

	mutex_lock(&dev_data->mutex);
	if (!old)
		set_caps(dev_data, true);
	spin_lock_irqsave(&parent->lock, flags);
	dev_data->nested = n;
	spin_unlock_irqrestore(&parent->lock, flags);
	dev_update_dte(dev_data, true);
	queue_all(old ?: n);
	iommu_completion_wait(n->iommu);
	mutex_unlock(&dev_data->mutex);
	return 0;
}

/**
 * amd_nested_command() - do a guest's invalidation
 * @domain: the guest's tables
 * @command: in the form of the IOMMU's own commands; its domain ID is not looked at
 *
 * Context: any; the caller waits for it to complete.
 * Return: 0; -EOPNOTSUPP for a command that is not INVALIDATE_IOMMU_PAGES or _ALL;
 * -EINVAL if reserved bits are set; -EIO.
 */
int amd_nested_command(struct iommu_domain *domain, const u64 *command)
{
	struct amd_nested *n = to_nested(domain);
	u64 c0 = command[0], c1 = command[1];
	u32 words[4];

	switch (FIELD_GET(C0_OPCODE, c0)) {
	case OP_IOMMU_ALL:
		if (c1 || (c0 & ~C0_OPCODE))
			return -EINVAL;
		queue_all(n);
		return 0;
	case OP_IOMMU_PAGES:
		if ((c0 & ~(C0_OPCODE | C0_DOMAIN | C0_PASID)) || (c1 & ~(C1_FLAGS | C1_ADDRESS)) ||
		    (!(c1 & C1_GN) && (c0 & C0_PASID)))
			return -EINVAL;
		/* To the guest this is of its own second stage, which it has none of. */
		if (!(c1 & C1_GN)) {
			queue_all(n);
			return 0;
		}
		words[0] = c0 & C0_PASID;
		words[1] = OP_IOMMU_PAGES << 28 | n->id;
		words[2] = lower_32_bits(c1);
		words[3] = upper_32_bits(c1);
		return amd_iommu_queue(n->iommu, words);
	default:
		return -EOPNOTSUPP;
	}
}

static int invalidate(struct iommu_domain *domain, struct iommu_user_data_array *array)
{
	struct amd_nested *n = to_nested(domain);
	u32 wanted = array->entry_num, done;
	struct iommu_hwpt_amd_invalidate request;
	int ret = 0;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_AMD) {
		array->entry_num = 0;
		return -EINVAL;
	}
	for (done = 0; done < wanted; done++) {
		ret = iommu_copy_struct_from_user_array(&request, array,
							IOMMU_HWPT_INVALIDATE_DATA_AMD, done, cmd);
		if (!ret)
			ret = amd_nested_command(domain, request.cmd);
		if (ret)
			break;
		cond_resched();
	}
	iommu_completion_wait(n->iommu);
	array->entry_num = done;
	return ret;
}

static void free_nested(struct iommu_domain *domain)
{
	static const u32 words[] = { 0, (u32)OP_IOMMU_ALL << 28, 0, 0 };
	struct amd_nested *n = to_nested(domain);

	/* Another domain may have the ID next, with any of the guest's PASIDs. */
	amd_iommu_queue(n->iommu, words);
	iommu_completion_wait(n->iommu);
	domain_id_free(n->id);
	kfree(n);
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = attach_dev,
	.cache_invalidate_user = invalidate,
	.free = free_nested,
};

/**
 * amd_nested_make() - a domain of a guest's tables
 * @dev: a device behind the IOMMU
 * @parent: maps the guest's memory
 * @guest: the guest's device table entry, four words
 *
 * Context: may sleep.
 * Return: the domain; ERR_PTR(-EINVAL) if the guest's entry is not valid, or the
 * parent has not v1 tables; ERR_PTR(-EOPNOTSUPP) if it asks for something that the
 * IOMMU has not, or for ATS or page requests; ERR_PTR(-ENOMEM).
 */
struct iommu_domain *amd_nested_make(struct device *dev, struct iommu_domain *parent,
				     const u64 *guest)
{
	struct amd_nested *n;
	int ret;

	if (!amd_nested_supported())
		return ERR_PTR(-EOPNOTSUPP);
	if (!(parent->type & __IOMMU_DOMAIN_PAGING) || to_pdomain(parent)->pd_mode != PD_MODE_V1)
		return ERR_PTR(-EINVAL);
	ret = check_guest(guest);
	if (ret)
		return ERR_PTR(ret);
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return ERR_PTR(-ENOMEM);
	n->id = domain_id_alloc();
	if (!n->id) {
		kfree(n);
		return ERR_PTR(-ENOMEM);
	}
	n->domain.type = IOMMU_DOMAIN_NESTED;
	n->domain.ops = &nested_ops;
	n->parent = to_pdomain(parent);
	n->iommu = get_amd_iommu_from_dev(dev);
	n->guest[0] = guest[0];
	n->guest[1] = guest[1] & G1_ROOT;
	n->guest[2] = guest[2] & G2_LEVELS;
	return &n->domain;
}

/**
 * amd_nested_alloc() - the same, for user space
 * @dev: a device behind the IOMMU
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @parent: maps the guest's memory
 * @user_data: struct iommu_hwpt_amd_guest
 *
 * Context: may sleep; reads user memory.
 * Return: as amd_nested_make(); ERR_PTR(-EOPNOTSUPP) for a flag, or other data.
 */
struct iommu_domain *amd_nested_alloc(struct device *dev, u32 flags, struct iommu_domain *parent,
				      const struct iommu_user_data *user_data)
{
	struct iommu_hwpt_amd_guest data;
	int ret;

	if (flags || !user_data || user_data->type != IOMMU_HWPT_DATA_AMD_GUEST)
		return ERR_PTR(-EOPNOTSUPP);
	ret = iommu_copy_struct_from_user(&data, user_data, IOMMU_HWPT_DATA_AMD_GUEST, dte);
	return ret ? ERR_PTR(ret) : amd_nested_make(dev, parent, data.dte);
}
