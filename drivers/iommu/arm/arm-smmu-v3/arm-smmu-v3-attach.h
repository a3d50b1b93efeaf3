/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between arm-smmu-v3.c, which has queues, tables and the order in which a domain
 * is attached, and the files beside it that build on them: arm-smmu-v3-replace.c,
 * arm-smmu-v3-nested.c, arm-smmu-v3-viommu.c.
 */
#ifndef _ARM_SMMU_V3_ATTACH_H
#define _ARM_SMMU_V3_ATTACH_H

#include "arm-smmu-v3.h"

struct iommufd_viommu;
struct iommufd_viommu_ops;

/* Of arm-smmu-v3.c */

/**
 * struct arm_smmu_attach_state - from arm_smmu_attach_prepare() to arm_smmu_attach_commit()
 * @old_domain: what is attached, or NULL
 * @master: the device
 * @cd_needs_ats: the CD table is in use whatever the domain is
 * @disable_ats: the domain is one that the device must not use ATS with
 * @ssid: where
 * @viommu: whose the device's events are then
 * @ats_enabled: of the STE to be installed; set by arm_smmu_attach_prepare()
 */
struct arm_smmu_attach_state {
	struct iommu_domain *old_domain;
	struct arm_smmu_master *master;
	bool cd_needs_ats;
	bool disable_ats;
	ioasid_t ssid;
	struct iommufd_viommu *viommu;
	bool ats_enabled;
};

extern struct iommu_ops arm_smmu_ops;

int arm_smmu_attach_prepare(struct arm_smmu_attach_state *state, struct iommu_domain *new_domain);
void arm_smmu_attach_commit(struct arm_smmu_attach_state *state);
void arm_smmu_install_ste_for_dev(struct arm_smmu_master *master,
				  const struct arm_smmu_ste *target);
void arm_smmu_make_abort_ste(struct arm_smmu_ste *target);
void arm_smmu_make_s2_domain_ste(struct arm_smmu_ste *target, struct arm_smmu_master *master,
				 struct arm_smmu_domain *smmu_domain, bool ats_enabled);
struct arm_smmu_master *arm_smmu_find_master(struct arm_smmu_device *smmu, u32 sid);
int arm_smmu_cmdq_issue_cmdlist(struct arm_smmu_device *smmu, struct arm_smmu_cmdq *cmdq,
				u64 *cmds, int n, bool sync);

/* Of arm-smmu-v3-replace.c */

int arm_smmu_replace_cd(struct arm_smmu_master *master, int ssid, struct arm_smmu_cd *cdptr,
			const struct arm_smmu_cd *target);
int arm_smmu_replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			       struct iommu_domain *old);
int arm_smmu_replace_s2(struct arm_smmu_attach_state *state, const struct arm_smmu_ste *target);
void arm_smmu_tlb_inv_spare(struct arm_smmu_device *smmu);

/* Of arm-smmu-v3-nested.c */

/* A configuration of the STE that 6.12's driver has no name for; SMMU 5.2, Config. */
#define STRTAB_STE_0_CFG_NESTED	7

/* Invalidates what is cached of all stages 1 of a VMID; SMMU 4.4.2. */
#define CMDQ_OP_TLBI_NH_ALL	0x10

/**
 * struct arm_smmu_nested_domain - the tables of a guest
 * @domain: of type IOMMU_DOMAIN_NESTED
 * @viommu: whose
 * @parent: stage 2
 * @ste: what the guest may say of the STE's first two words, checked
 * @ats: the guest wants ATS
 */
struct arm_smmu_nested_domain {
	struct iommu_domain domain;
	struct iommufd_viommu *viommu;
	struct arm_smmu_domain *parent;
	__le64 ste[2];
	bool ats;
};

struct arm_smmu_domain *arm_smmu_nested_parent(struct iommu_domain *domain);
int arm_smmu_nest_parent_init(struct arm_smmu_domain *smmu_domain, struct arm_smmu_master *master);
void arm_smmu_set_ops(struct arm_smmu_domain *smmu_domain);
struct iommu_domain *arm_smmu_nested_alloc(struct iommufd_viommu *viommu, u32 flags,
					   const struct iommu_user_data *data);
void arm_smmu_tlb_inv_nested(struct arm_smmu_domain *smmu_domain);
bool arm_smmu_nested_usable(struct arm_smmu_device *smmu);

/* Of arm-smmu-v3-regs.c */

void *arm_smmu_hw_info(struct device *dev, u32 *length, u32 *type);

/* Of arm-smmu-v3-viommu.c */

extern const struct iommufd_viommu_ops arm_smmu_viommu_kind;

const struct iommufd_viommu_ops *arm_smmu_viommu_ops(struct device *dev,
						     struct iommu_domain *parent,
						     unsigned int type);
void arm_smmu_nested_commit(struct arm_smmu_attach_state *state);
bool arm_smmu_nested_event(struct arm_smmu_device *smmu, const u64 *evt);

/**
 * arm_smmu_tlb_inv_more() - what an invalidation of a domain's TLB entries leaves
 * @smmu_domain: a paging domain whose entries have just been invalidated
 */
static inline void arm_smmu_tlb_inv_more(struct arm_smmu_domain *smmu_domain)
{
	arm_smmu_tlb_inv_spare(smmu_domain->smmu);
	if (smmu_domain->nest_parent)
		arm_smmu_tlb_inv_nested(smmu_domain);
}

#endif
