// SPDX-License-Identifier: GPL-2.0
/*
 * Exchange of a valid context descriptor (CD) of one stage-1 paging domain for that
 * of another, at a PASID or, with the CD of the RID, on the device; and of the stream
 * table entry (STE) of one stage-2 domain for that of another. Writes CDs and STEs by
 * arm_smmu_write_cd_entry() and arm_smmu_install_ste_for_dev() alone; attaches nothing
 * where nothing was.
 *
 * An SMMU reads a CD in units of 64 bits. The CDs of two paging domains differ in
 * two of them: word 0 has the ASID and the flags of dirty tracking, word 1 the table
 * (TTB0). Writing one after the other would for a moment cache translations of one
 * table under the other's ASID, which other devices use; the driver's own writer
 * clears the valid bit instead, and what the device sends in between is refused.
 * Here the CD goes by a path of CDs that differ in one word each, so that the writer
 * need not:
 *
 *	1. a spare ASID, nobody else's; with the new domain's flags too
 *	2. the new table
 *	3. the new domain's ASID and flags
 *
 * While the spare ASID is in use, what the device caches is under none of the two
 * domains' ASIDs. Whoever unmaps something invalidates the spare ASID as well:
 *
 *	unmap: clear the entry; TLBI own ASID; smp_mb(); spare in use? TLBI spare
 *	here:  spare is in use; smp_mb(); path; TLBI spare; spare is not in use
 *
 * An unmap that does not see the spare ASID comes before the path, and the device
 * reads the cleared entry; or after it, when nothing is cached under it any more.
 *
 * With an STE it is the same: its VMID is in word 2, its table in word 3, and the path
 * goes by a spare VMID.
 *
 * Lock: arm_smmu_asid_lock, all the way. So there is one such exchange at a time.
 */
#include <linux/xarray.h>

#include "arm-smmu-v3-attach.h"

/* Of word 0, what may differ between two paging domains of one SMMU. */
#define CD_0_ASID	cpu_to_le64(CTXDESC_CD_0_ASID)
#define CD_0_DIRTY	cpu_to_le64(CTXDESC_CD_0_TCR_HA | CTXDESC_CD_0_TCR_HD)

#define STE_2_VMID	cpu_to_le64(STRTAB_STE_2_S2VMID)

/* What a device uses on the way; 0: none. Written under arm_smmu_asid_lock. */
static u32 spare_asid;
static u32 spare_vmid;

static void inv_vmid(struct arm_smmu_device *smmu, u32 vmid)
{
	u64 cmd[CMDQ_ENT_DWORDS] = {
		FIELD_PREP(CMDQ_0_OP, CMDQ_OP_TLBI_S12_VMALL) |
		FIELD_PREP(CMDQ_TLBI_0_VMID, vmid),
	};

	arm_smmu_cmdq_issue_cmdlist(smmu, &smmu->cmdq, cmd, 1, true);
}

/**
 * arm_smmu_tlb_inv_spare() - the entries of a device that is on its way
 * @smmu: the SMMU; those of a domain have just been invalidated
 *
 * Context: any.
 */
void arm_smmu_tlb_inv_spare(struct arm_smmu_device *smmu)
{
	u32 asid, vmid;

	/* Pairs with that of path_start(). */
	smp_mb();
	asid = READ_ONCE(spare_asid);
	if (unlikely(asid))
		arm_smmu_tlb_inv_asid(smmu, asid);
	vmid = READ_ONCE(spare_vmid);
	if (unlikely(vmid))
		inv_vmid(smmu, vmid);
}

static bool cd_valid(const struct arm_smmu_cd *cd)
{
	return cd->data[0] & cpu_to_le64(CTXDESC_CD_0_V);
}

/* Whether the path is one of CDs that all mean either domain. */
static bool path_possible(const struct arm_smmu_cd *old, const struct arm_smmu_cd *new)
{
	unsigned int i;

	if (!cd_valid(old) || !cd_valid(new))
		return false;
	if ((old->data[0] ^ new->data[0]) & ~(CD_0_ASID | CD_0_DIRTY))
		return false;
	for (i = 2; i < CTXDESC_CD_DWORDS; i++)
		if (old->data[i] != new->data[i])
			return false;
	return true;
}

static int path_start(struct arm_smmu_device *smmu, struct arm_smmu_master *master)
{
	u32 asid;
	int ret;

	ret = xa_alloc(&arm_smmu_asid_xa, &asid, master,
		       XA_LIMIT(1, (1 << smmu->asid_bits) - 1), GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	WRITE_ONCE(spare_asid, asid);
	/* Pairs with that of arm_smmu_tlb_inv_spare(). */
	smp_mb();
	return 0;
}

static void path_end(struct arm_smmu_device *smmu)
{
	u32 asid = spare_asid;

	arm_smmu_tlb_inv_asid(smmu, asid);
	WRITE_ONCE(spare_asid, 0);
	xa_erase(&arm_smmu_asid_xa, asid);
}

/**
 * arm_smmu_replace_cd() - exchange a CD without a moment in which there is none
 * @master: the device
 * @ssid: whose CD
 * @cdptr: the CD
 * @target: what it is to be
 *
 * Context: arm_smmu_asid_lock is held; may sleep.
 * Return: 0; -EOPNOTSUPP if there is no way, as from a CD that is not valid;
 * -ENOSPC or -ENOMEM if there is no ASID. The CD is what it was then.
 */
int arm_smmu_replace_cd(struct arm_smmu_master *master, int ssid, struct arm_smmu_cd *cdptr,
			const struct arm_smmu_cd *target)
{
	struct arm_smmu_cd next = *cdptr;
	int ret;

	lockdep_assert_held(&arm_smmu_asid_lock);
	if (!path_possible(cdptr, target))
		return -EOPNOTSUPP;
	/* One word differs, or none. */
	if (cdptr->data[1] == target->data[1] ||
	    !((cdptr->data[0] ^ target->data[0]) & CD_0_ASID)) {
		arm_smmu_write_cd_entry(master, ssid, cdptr, target);
		return 0;
	}
	ret = path_start(master->smmu, master);
	if (ret)
		return ret;

	/* To a table without them the flags of dirty tracking mean nothing. */
	next.data[0] |= target->data[0] & CD_0_DIRTY;
	next.data[0] &= ~CD_0_ASID;
	next.data[0] |= cpu_to_le64(FIELD_PREP(CTXDESC_CD_0_ASID, spare_asid));
	arm_smmu_write_cd_entry(master, ssid, cdptr, &next);
	next.data[1] = target->data[1];
	arm_smmu_write_cd_entry(master, ssid, cdptr, &next);
	arm_smmu_write_cd_entry(master, ssid, cdptr, target);
	path_end(master->smmu);
	return 0;
}

/* The STE of the domain that is attached, if that is stage 2 and differs as the head says. */
static bool stage2_path_possible(struct arm_smmu_attach_state *state,
				 const struct arm_smmu_ste *target, struct arm_smmu_ste *ste)
{
	struct iommu_domain *old = state->old_domain;

	if (!old || !(old->type & __IOMMU_DOMAIN_PAGING) ||
	    to_smmu_domain(old)->stage != ARM_SMMU_DOMAIN_S2 ||
	    state->master->ste_ats_enabled != state->ats_enabled)
		return false;
	arm_smmu_make_s2_domain_ste(ste, state->master, to_smmu_domain(old), state->ats_enabled);
	return ste->data[0] == target->data[0] && ste->data[1] == target->data[1] &&
	       !((ste->data[2] ^ target->data[2]) & ~STE_2_VMID) &&
	       ste->data[2] != target->data[2];
}

/**
 * arm_smmu_replace_s2() - exchange an STE of stage 2 without a moment in which there is none
 * @state: the attach, prepared
 * @target: what the STE is to be
 *
 * Context: arm_smmu_asid_lock is held; may sleep.
 * Return: 0; -EOPNOTSUPP if there is no way, as from a domain of stage 1; -ENOSPC or
 * -ENOMEM if there is no VMID. The STE is what it was then.
 */
int arm_smmu_replace_s2(struct arm_smmu_attach_state *state, const struct arm_smmu_ste *target)
{
	struct arm_smmu_device *smmu = state->master->smmu;
	struct arm_smmu_ste ste;
	int vmid;

	lockdep_assert_held(&arm_smmu_asid_lock);
	if (!stage2_path_possible(state, target, &ste))
		return -EOPNOTSUPP;
	vmid = ida_alloc_range(&smmu->vmid_map, 1, (1 << smmu->vmid_bits) - 1, GFP_KERNEL);
	if (vmid < 0)
		return vmid;
	WRITE_ONCE(spare_vmid, vmid);
	/* Pairs with that of arm_smmu_tlb_inv_spare(). */
	smp_mb();

	ste.data[2] &= ~STE_2_VMID;
	ste.data[2] |= cpu_to_le64(FIELD_PREP(STRTAB_STE_2_S2VMID, vmid));
	arm_smmu_install_ste_for_dev(state->master, &ste);
	ste.data[3] = target->data[3];
	arm_smmu_install_ste_for_dev(state->master, &ste);
	arm_smmu_install_ste_for_dev(state->master, target);

	inv_vmid(smmu, vmid);
	WRITE_ONCE(spare_vmid, 0);
	ida_free(&smmu->vmid_map, vmid);
	return 0;
}

/**
 * arm_smmu_replace_dev_pasid() - exchange the domain at a PASID
 * @domain: a paging domain of stage 1
 * @dev: the device
 * @pasid: not IOMMU_NO_PASID
 * @old: what is attached there, a paging domain of stage 1
 *
 * Context: the group's mutex is held; may sleep.
 * Return: 0; -EINVAL if nothing is attached there, or @domain cannot be attached to
 * a PASID of @dev; -ENOSPC or -ENOMEM. Nothing has changed then.
 */
int arm_smmu_replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			       struct iommu_domain *old)
{
	struct arm_smmu_domain *smmu_domain = to_smmu_domain(domain);
	struct arm_smmu_master *master = dev_iommu_priv_get(dev);
	struct arm_smmu_attach_state state = {
		.master = master, .old_domain = old, .ssid = pasid,
		/* The entries of the new domain are used as those of the old are. */
		.disable_ats = !master->ats_enabled,
	};
	struct arm_smmu_cd *cdptr = arm_smmu_get_cd_ptr(master, pasid), target;
	int ret;

	if (smmu_domain->smmu != master->smmu || smmu_domain->stage != ARM_SMMU_DOMAIN_S1 ||
	    !cdptr || !cd_valid(cdptr))
		return -EINVAL;
	if (domain == old)
		return 0;

	mutex_lock(&arm_smmu_asid_lock);
	arm_smmu_make_s1_cd(&target, master, smmu_domain);
	ret = arm_smmu_attach_prepare(&state, domain);
	if (!ret) {
		ret = arm_smmu_replace_cd(master, pasid, cdptr, &target);
		/* One of both domains leaves the device, and its cached translations. */
		if (ret)
			state.old_domain = domain;
		arm_smmu_attach_commit(&state);
	}
	mutex_unlock(&arm_smmu_asid_lock);
	return ret == -EOPNOTSUPP ? -EINVAL : ret;
}
