// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's stream table entry (STE) over stage 2 of its memory: what the guest may
 * say in it is checked and put into the STE of a device, whose CD table is then the
 * guest's. Writes STEs by arm_smmu_install_ste_for_dev() alone.
 *
 *	guest's STE	STE of the device
 *	V = 0, abort	abort
 *	bypass		stage 2
 *	stage 1		stage 1 and 2: S1ContextPtr and all below it are the guest's
 *			addresses, translated by stage 2
 *
 * Two STEs over one stage 2 differ in one 64-bit word as the SMMU reads them, as what
 * else differs is ignored in one of them: so the driver's writer goes from one to the
 * other without an invalid STE; see arm_smmu_write_entry(). Only between two with stage
 * 1 both words may count, and then it cannot.
 *
 * A device with such an STE has no CD table of the kernel's: nothing can be attached
 * at its PASIDs (-EINVAL), and no such STE while something is (-EBUSY).
 *
 * Specification: IHI 0070, issue F.b; "SMMU" and a section below.
 */
#include <linux/cleanup.h>
#include <linux/iommufd_viommu.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "arm-smmu-v3-attach.h"

/*
 * With stage 1, a guest chooses the memory's type: reads of a device that bypass the
 * CPU's caches see what was there before the kernel cleared it. What forbids that,
 * forced write-back by stage 2 (SMMU 5.2, S2FWB), 6.12's page tables do not have.
 */
static bool allow_uncached;
module_param_named(nested_uncached, allow_uncached, bool, 0444);
MODULE_PARM_DESC(nested_uncached,
		 "Let guests own stage 1, where what devices read may bypass the CPU's caches");

/* What of the STE is the guest's, see struct iommu_hwpt_arm_smmuv3. */
#define STE_0_GUEST	(STRTAB_STE_0_V | STRTAB_STE_0_CFG | STRTAB_STE_0_S1FMT | \
			 STRTAB_STE_0_S1CTXPTR_MASK | STRTAB_STE_0_S1CDMAX)
#define STE_1_GUEST	(STRTAB_STE_1_S1DSS | STRTAB_STE_1_S1CIR | STRTAB_STE_1_S1COR | \
			 STRTAB_STE_1_S1CSH | STRTAB_STE_1_S1STALLD | STRTAB_STE_1_EATS)

static struct arm_smmu_nested_domain *to_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct arm_smmu_nested_domain, domain);
}

static unsigned int ste_config(const __le64 *ste)
{
	if (!(ste[0] & cpu_to_le64(STRTAB_STE_0_V)))
		return STRTAB_STE_0_CFG_ABORT;
	return FIELD_GET(STRTAB_STE_0_CFG, le64_to_cpu(ste[0]));
}

/**
 * arm_smmu_nested_parent() - stage 2 below a guest's tables
 * @domain: a nested domain
 *
 * Return: the domain of stage 2, whose list has the devices that @domain is attached
 * to; NULL if @domain translates nothing.
 */
struct arm_smmu_domain *arm_smmu_nested_parent(struct iommu_domain *domain)
{
	struct arm_smmu_nested_domain *nested = to_nested(domain);

	return ste_config(nested->ste) == STRTAB_STE_0_CFG_ABORT ? NULL : nested->parent;
}

/**
 * arm_smmu_nested_usable() - whether guests may own stage 1
 * @smmu: the SMMU
 *
 * Return: whether it has both stages, and what guests can do with them is accepted.
 */
bool arm_smmu_nested_usable(struct arm_smmu_device *smmu)
{
	return (smmu->features & ARM_SMMU_FEAT_NESTING) &&
	       (smmu->features & ARM_SMMU_FEAT_COHERENCY) && allow_uncached;
}

/**
 * arm_smmu_nest_parent_init() - make a domain one for below a guest's tables
 * @smmu_domain: a new domain
 * @master: the device that it is for
 *
 * Return: 0, or -EOPNOTSUPP if the SMMU has only one stage.
 */
int arm_smmu_nest_parent_init(struct arm_smmu_domain *smmu_domain, struct arm_smmu_master *master)
{
	if (!(master->smmu->features & ARM_SMMU_FEAT_NESTING))
		return -EOPNOTSUPP;
	smmu_domain->stage = ARM_SMMU_DOMAIN_S2;
	smmu_domain->nest_parent = true;
	return 0;
}

/**
 * arm_smmu_set_ops() - what can be done with a domain of a user's
 * @smmu_domain: a new domain, of which the stage is known
 *
 * Stage 2 is in the STE: it goes to no PASID.
 *
 * Context: may sleep; takes arm_smmu_asid_lock.
 */
void arm_smmu_set_ops(struct arm_smmu_domain *smmu_domain)
{
	static struct iommu_domain_ops stage2_ops;

	if (smmu_domain->stage == ARM_SMMU_DOMAIN_S1)
		return;
	guard(mutex)(&arm_smmu_asid_lock);
	if (!stage2_ops.attach_dev) {
		stage2_ops = *arm_smmu_ops.default_domain_ops;
		stage2_ops.set_dev_pasid = NULL;
		stage2_ops.replace_dev_pasid = NULL;
	}
	smmu_domain->domain.ops = &stage2_ops;
}

/**
 * arm_smmu_tlb_inv_nested() - what is cached of stages 1 over a stage 2
 * @smmu_domain: stage 2, whose own entries have just been invalidated
 *
 * SMMU 4.4.3: CMD_TLBI_S2_IPA leaves what combines both stages.
 *
 * Context: any.
 */
void arm_smmu_tlb_inv_nested(struct arm_smmu_domain *smmu_domain)
{
	struct arm_smmu_device *smmu = smmu_domain->smmu;
	u64 cmd[CMDQ_ENT_DWORDS] = {
		FIELD_PREP(CMDQ_0_OP, CMDQ_OP_TLBI_NH_ALL) |
		FIELD_PREP(CMDQ_TLBI_0_VMID, smmu_domain->s2_cfg.vmid),
	};

	arm_smmu_cmdq_issue_cmdlist(smmu, &smmu->cmdq, cmd, 1, true);
}

static void make_ste(struct arm_smmu_ste *target, struct arm_smmu_master *master,
		     struct arm_smmu_nested_domain *nested, bool ats_enabled)
{
	struct arm_smmu_device *smmu = master->smmu;
	u64 word;

	switch (ste_config(nested->ste)) {
	case STRTAB_STE_0_CFG_S1_TRANS:
		break;
	case STRTAB_STE_0_CFG_BYPASS:
		arm_smmu_make_s2_domain_ste(target, master, nested->parent, ats_enabled);
		return;
	default:
		arm_smmu_make_abort_ste(target);
		return;
	}

	arm_smmu_make_s2_domain_ste(target, master, nested->parent, ats_enabled);
	target->data[0] = nested->ste[0] & cpu_to_le64(~STRTAB_STE_0_CFG);
	target->data[0] |= cpu_to_le64(FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_NESTED));
	word = le64_to_cpu(nested->ste[1]) & ~STRTAB_STE_1_EATS;
	/* A stalled request holds up the SMMU, and nobody could let it go on. */
	if ((smmu->features & ARM_SMMU_FEAT_STALLS) && !master->stall_enabled)
		word |= STRTAB_STE_1_S1STALLD;
	target->data[1] |= cpu_to_le64(word);
}

static int nested_attach(struct iommu_domain *domain, struct device *dev)
{
	struct arm_smmu_nested_domain *nested = to_nested(domain);
	struct arm_smmu_master *master = dev_iommu_priv_get(dev);
	struct arm_smmu_attach_state state = {
		.master = master,
		.old_domain = iommu_get_domain_for_dev(dev),
		.ssid = IOMMU_NO_PASID,
		.disable_ats = !nested->ats,
		.viommu = nested->viommu,
	};
	struct arm_smmu_ste ste;
	int ret;

	if (nested->parent->smmu != master->smmu)
		return -EINVAL;
	if (arm_smmu_ssids_in_use(&master->cd_table))
		return -EBUSY;

	mutex_lock(&arm_smmu_asid_lock);
	ret = arm_smmu_attach_prepare(&state, domain);
	if (!ret) {
		make_ste(&ste, master, nested, state.ats_enabled);
		arm_smmu_install_ste_for_dev(master, &ste);
		arm_smmu_clear_cd(master, IOMMU_NO_PASID);
		arm_smmu_attach_commit(&state);
	}
	mutex_unlock(&arm_smmu_asid_lock);
	return ret;
}

/*
 * A guest's table has its PASIDs in it, and itself goes to none. User space may ask for
 * one that fits a device with PASIDs, and that is any of them.
 */
static int nested_set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
				struct iommu_domain *old)
{
	return -EOPNOTSUPP;
}

static void nested_free(struct iommu_domain *domain)
{
	kfree(to_nested(domain));
}

static struct iommu_domain *nested_msi_parent(struct iommu_domain *domain)
{
	return &to_nested(domain)->parent->domain;
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev	= nested_attach,
	.set_dev_pasid	= nested_set_dev_pasid,
	.msi_parent	= nested_msi_parent,
	.free		= nested_free,
};

/* Whether the guest's STE is one that it may have; an invalid one is as good as abort. */
static int check_ste(struct arm_smmu_nested_domain *nested, const struct arm_smmu_device *smmu)
{
	u64 word0 = le64_to_cpu(nested->ste[0]), word1 = le64_to_cpu(nested->ste[1]);
	unsigned int eats = FIELD_GET(STRTAB_STE_1_EATS, word1);

	if (!(word0 & STRTAB_STE_0_V)) {
		memset(nested->ste, 0, sizeof(nested->ste));
		return 0;
	}
	if ((word0 & ~STE_0_GUEST) || (word1 & ~STE_1_GUEST))
		return -EIO;
	/* Split-stage ATS is not the guest's: it would see addresses of stage 2. */
	if (eats != STRTAB_STE_1_EATS_ABT && eats != STRTAB_STE_1_EATS_TRANS)
		return -EIO;

	switch (FIELD_GET(STRTAB_STE_0_CFG, word0)) {
	case STRTAB_STE_0_CFG_ABORT:
	case STRTAB_STE_0_CFG_BYPASS:
		return 0;
	case STRTAB_STE_0_CFG_S1_TRANS:
		nested->ats = eats == STRTAB_STE_1_EATS_TRANS;
		/* The SMMU would take the STE as a whole for illegal: SMMU 5.2, S1CDMax. */
		return FIELD_GET(STRTAB_STE_0_S1CDMAX, word0) > smmu->ssid_bits ? -EIO : 0;
	}
	return -EIO;
}

/**
 * arm_smmu_nested_alloc() - a domain from a guest's STE
 * @viommu: a virtual IOMMU of ours
 * @flags: of enum iommufd_hwpt_alloc_flags; none
 * @data: struct iommu_hwpt_arm_smmuv3
 *
 * Context: may sleep; reads user memory.
 * Return: the domain, or ERR_PTR(): -EOPNOTSUPP for flags; -EIO if the guest may not
 * have such an STE; -EINVAL or -E2BIG for data of another type or size; -ENOMEM.
 */
struct iommu_domain *arm_smmu_nested_alloc(struct iommufd_viommu *viommu, u32 flags,
					   const struct iommu_user_data *data)
{
	struct arm_smmu_domain *parent = to_smmu_domain(viommu->parent);
	struct arm_smmu_nested_domain *nested;
	struct iommu_hwpt_arm_smmuv3 arg;
	int ret;

	if (flags)
		return ERR_PTR(-EOPNOTSUPP);
	ret = iommu_copy_struct_from_user(&arg, data, IOMMU_HWPT_DATA_ARM_SMMUV3, ste);
	if (ret)
		return ERR_PTR(ret);
	nested = kzalloc(sizeof(*nested), GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	nested->domain.type = IOMMU_DOMAIN_NESTED;
	nested->domain.ops = &nested_ops;
	nested->viommu = viommu;
	nested->parent = parent;
	memcpy(nested->ste, arg.ste, sizeof(nested->ste));
	ret = check_ste(nested, parent->smmu);
	if (ret) {
		kfree(nested);
		return ERR_PTR(ret);
	}
	return &nested->domain;
}
