// SPDX-License-Identifier: GPL-2.0
/*
 * What a scalable-mode PASID-table entry of a domain is, as a value. This file
 * touches no table, no cache and no lock.
 */
#define pr_fmt(fmt)	"DMAR: " fmt

#include <linux/iommu.h>

#include "pasids.h"

static int entry_make_first(struct pasid_entry *entry, struct dmar_domain *domain,
			    struct intel_iommu *iommu)
{
	int level = agaw_to_level(domain->agaw);

	if (domain->agaw > iommu->agaw || !ecap_flts(iommu->ecap) ||
	    (level != 4 && level != 5) || (level == 5 && !cap_fl5lp_support(iommu->cap)))
		return -EINVAL;
	pasid_set_flptr(entry, virt_to_phys(domain->pgd));
	pasid_set_flpm(entry, level == 5);
	pasid_set_address_width(entry, iommu->agaw);
	pasid_set_translation_type(entry, PASID_ENTRY_PGTT_FL_ONLY);
	if (domain->force_snooping)
		pasid_set_pgsnp(entry);
	return 0;
}

static int entry_make_second(struct pasid_entry *entry, struct dmar_domain *domain,
			     struct intel_iommu *iommu)
{
	if (domain->agaw > iommu->agaw || !ecap_slts(iommu->ecap))
		return -EINVAL;
	pasid_set_slptr(entry, virt_to_phys(domain->pgd));
	pasid_set_address_width(entry, domain->agaw);
	pasid_set_translation_type(entry, PASID_ENTRY_PGTT_SL_ONLY);
	if (domain->dirty_tracking)
		pasid_set_ssade(entry);
	return 0;
}

/* What the user says of the first stage, in the second one of its parent */
static int entry_make_nested(struct pasid_entry *entry, struct dmar_domain *domain,
			     struct intel_iommu *iommu)
{
	const struct iommu_hwpt_vtd_s1 *cfg = &domain->s1_cfg;
	bool five = cfg->addr_width == ADDR_WIDTH_5LEVEL;
	int ret;

	if (!ecap_nest(iommu->ecap) || !ecap_flts(iommu->ecap) ||
	    (!five && cfg->addr_width != ADDR_WIDTH_4LEVEL) ||
	    (five && !cap_fl5lp_support(iommu->cap)) ||
	    (cfg->flags & IOMMU_VTD_S1_SRE && !ecap_srs(iommu->ecap)) ||
	    (cfg->flags & IOMMU_VTD_S1_EAFE && !ecap_eafs(iommu->ecap)))
		return -EINVAL;

	ret = entry_make_second(entry, domain->s2_domain, iommu);
	if (ret)
		return ret;
	pasid_set_translation_type(entry, PASID_ENTRY_PGTT_NESTED);
	pasid_set_flptr(entry, domain->s1_pgtbl);
	pasid_set_flpm(entry, five);
	if (cfg->flags & IOMMU_VTD_S1_SRE) {
		pasid_set_sre(entry);
		if (cfg->flags & IOMMU_VTD_S1_WPE)
			pasid_set_wpe(entry);
	}
	if (cfg->flags & IOMMU_VTD_S1_EAFE)
		pasid_set_eafe(entry);
	if (domain->s2_domain->force_snooping)
		pasid_set_pgsnp(entry);
	return 0;
}

/**
 * intel_pasid_entry_make() - what the entry of a domain is on an IOMMU
 * @entry: takes the entry
 * @domain: a paging or a nested domain, which has a domain ID there
 * @iommu: the IOMMU
 *
 * Context: any; whoever may change the domain is kept from it.
 * Return: 0; -EINVAL if the IOMMU has no such translation.
 */
int intel_pasid_entry_make(struct pasid_entry *entry, struct dmar_domain *domain,
			   struct intel_iommu *iommu)
{
	int ret;

	memset(entry, 0, sizeof(*entry));
	if (dmar_domain_is_nested(domain))
		ret = entry_make_nested(entry, domain, iommu);
	else if (domain->use_first_level)
		ret = entry_make_first(entry, domain, iommu);
	else
		ret = entry_make_second(entry, domain, iommu);
	if (ret)
		return ret;
	pasid_set_domain_id(entry, domain_id_iommu(domain, iommu));
	pasid_set_page_snoop(entry, !!ecap_smpwc(iommu->ecap));
	pasid_set_present(entry);
	return 0;
}
