/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two parts of VT-d's walker share: walk.c, which follows the tables of
 * devices and PASIDs, and walk_stage.c, which follows page tables. Formats are
 * those of the specification that walk.c names; nothing is the driver's.
 */
#ifndef __INTEL_WALK_H
#define __INTEL_WALK_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "../iommu-walk.h"

/* Sections 11.4.2, 11.4.3: capability registers */
#define CAP_SAGAW(cap, levels)	((cap) >> (8 + (levels) - 2) & 1)
#define CAP_MGAW(cap)		(FIELD_GET(GENMASK_ULL(21, 16), cap) + 1)
#define CAP_SSLPS_2M		BIT_ULL(34)
#define CAP_SSLPS_1G		BIT_ULL(35)
#define CAP_FS1GP		BIT_ULL(56)
#define CAP_FS5LP		BIT_ULL(60)
#define ECAP_PT			BIT_ULL(6)
#define ECAP_SC			BIT_ULL(7)
#define ECAP_NEST		BIT_ULL(26)
#define ECAP_SSTS		BIT_ULL(46)
#define ECAP_FSTS		BIT_ULL(47)
#define ECAP_RPS		BIT_ULL(49)
#define ADDRESS			GENMASK_ULL(51, 12)
#define PRESENT			BIT_ULL(0)
#define FPD			BIT_ULL(1)	/* of context and PASID entries */

/* Section 9.6: PASID table entry */
#define PE_AW			GENMASK_ULL(4, 2)
#define PE_PGTT			GENMASK_ULL(8, 6)
#define PGTT_FIRST		1
#define PGTT_SECOND		2
#define PGTT_NESTED		3
#define PGTT_PASS_THROUGH	4
#define PE_SSADE		BIT_ULL(9)
#define PE_0_RESERVED		GENMASK_ULL(11, 10)
#define PE_1_DID		GENMASK_ULL(15, 0)
#define PE_1_PWSNP		BIT_ULL(23)
#define PE_1_PGSNP		BIT_ULL(24)
#define PE_1_RESERVED		GENMASK_ULL(22, 16)
#define PE_2_SRE		BIT_ULL(0)
#define PE_2_ERE		BIT_ULL(1)
#define PE_2_FSPM		GENMASK_ULL(3, 2)
#define PE_2_WPE		BIT_ULL(4)
#define PE_2_NXE		BIT_ULL(5)
#define PE_2_RESERVED		GENMASK_ULL(11, 8)

/* A walk on its way. */
struct vtd {
	struct iommu_walk *walk;
	u64 cap;
	u64 ecap;
	unsigned int haw;	/* bits of a physical address */
	bool scalable;
	bool supervisor;
	/* of the entry that says which tables there are */
	u64 ss_table;
	unsigned int ss_levels;
	u64 pe[8];
};

/* Where a stage leads, and what it permits. */
struct leaf {
	u64 address;
	u64 size;
	bool readable;
	bool writable;
	bool executable;
};

/* Address bits that no memory has are reserved, in every entry. */
static inline u64 beyond_haw(const struct vtd *v)
{
	return v->haw < 52 ? GENMASK_ULL(51, v->haw) : 0;
}

/* These return false when the walk has ended, with a fault. */
bool vtd_fault(struct vtd *v, u8 code);
bool vtd_walk_first(struct vtd *v, struct leaf *leaf);
bool vtd_walk_second(struct vtd *v, struct leaf *leaf);
bool vtd_walk_nested(struct vtd *v, struct leaf *leaf);

int intel_walk(struct iommu_walk *walk);

#endif /* __INTEL_WALK_H */
