// SPDX-License-Identifier: GPL-2.0
/*
 * The page tables of VT-d's walker: first stage, second stage, and the first
 * nested in the second. They start from a PASID table entry that walk.c has found
 * to be usable, or from a context entry of legacy mode. What walk.c says of
 * itself holds here.
 */
#include "walk.h"

/* Section 9.7: first-stage entries */
#define FS_RW			BIT_ULL(1)
#define FS_US			BIT_ULL(2)
#define FS_ACCESSED		BIT_ULL(5)
#define FS_DIRTY		BIT_ULL(6)
#define FS_XD			BIT_ULL(63)

/* Section 9.8: second-stage entries */
#define SS_READ			BIT_ULL(0)
#define SS_WRITE		BIT_ULL(1)
#define SS_EXECUTE		BIT_ULL(2)
#define SS_ACCESSED		BIT_ULL(8)
#define SS_DIRTY		BIT_ULL(9)
#define SS_SNP			BIT_ULL(11)

/* Both stages */
#define PAGE_SIZE_BIT		BIT_ULL(7)

/* Why a second stage is walked: what is wrong is reported in different ways. */
enum purpose { FOR_REQUEST, FOR_TOP_ENTRY, FOR_ENTRY };

static unsigned int level_shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static u64 entry_at(u64 table, u64 address, unsigned int level)
{
	return (table & ADDRESS) + ((address >> level_shift(level)) & 0x1ff) * 8;
}

static const char * const level_names[] = {
	"", "page table", "page directory", "page-directory-pointer table", "PML4", "PML5",
};

/* Section 9.8: the bits of a second-stage entry that must be clear */
static u64 ss_reserved(struct vtd *v, u64 entry, unsigned int level)
{
	bool page = level == 1 || entry & PAGE_SIZE_BIT;
	u64 reserved = beyond_haw(v);

	if (level >= 4 || (level == 3 && !(v->cap & CAP_SSLPS_1G)) ||
	    (level == 2 && !(v->cap & CAP_SSLPS_2M)))
		reserved |= PAGE_SIZE_BIT;
	else if (page && level > 1)
		reserved |= GENMASK_ULL(level_shift(level) - 1, 12);
	if (!page || !(v->ecap & ECAP_SC))
		reserved |= SS_SNP;
	return reserved;
}

static void ss_note(struct vtd *v, u64 entry, bool page)
{
	iommu_walk_note(v->walk, "%s%s%s%s", entry & SS_READ ? "read" : "",
			(entry & (SS_READ | SS_WRITE)) == (SS_READ | SS_WRITE) ? " " : "",
			entry & SS_WRITE ? "write" : "",
			entry & (SS_READ | SS_WRITE) ? "" : "not present");
	if (!(entry & (SS_READ | SS_WRITE)))
		return;
	if (entry & SS_ACCESSED)
		iommu_walk_note(v->walk, "accessed");
	if (page && entry & SS_DIRTY)
		iommu_walk_note(v->walk, "dirty");
	if (page && entry & SS_SNP)
		iommu_walk_note(v->walk, "snooped");
}

/* Section 3.7: permission must be in each entry; sections 7.1.3: what lacks it */
static bool ss_permits(struct vtd *v, u64 entry, bool write, enum purpose purpose)
{
	if (entry & (write ? SS_WRITE : SS_READ))
		return true;
	if (!v->scalable)
		return vtd_fault(v, write ? 0x05 : 0x06);
	if (!(entry & (SS_READ | SS_WRITE)))
		return vtd_fault(v, 0x79);
	switch (purpose) {
	case FOR_TOP_ENTRY:
		return vtd_fault(v, write ? 0x77 : 0x75);
	case FOR_ENTRY:
		return vtd_fault(v, write ? 0x77 : 0x76);
	default:
		return vtd_fault(v, write ? 0x85 : 0x86);
	}
}

/* Section 3.7: what an address of the second stage may be */
static bool ss_in_reach(struct vtd *v, u64 address, enum purpose purpose, bool nested)
{
	unsigned int width = min_t(unsigned int, 12 + 9 * v->ss_levels, CAP_MGAW(v->cap));

	if (!(address >> width))
		return true;
	if (!v->scalable)
		return vtd_fault(v, 0x04);
	if (!nested)
		return vtd_fault(v, 0x83);
	return vtd_fault(v, purpose == FOR_REQUEST ? 0x84 : 0x74);
}

/* Section 3.7: second-stage translation of @address */
static bool ss_walk(struct vtd *v, u64 address, bool write, enum purpose purpose,
		    struct leaf *leaf)
{
	bool nested = v->scalable && FIELD_GET(PE_PGTT, v->pe[0]) == PGTT_NESTED;
	unsigned int level = v->ss_levels;
	u64 table = v->ss_table, entry;

	if (!ss_in_reach(v, address, purpose, nested))
		return false;
	*leaf = (struct leaf){ .readable = true, .writable = true, .executable = true };
	for (;; level--) {
		bool failed = iommu_walk_read(v->walk, level_names[level], IOMMU_WALK_SECOND, level,
					      entry_at(table, address, level), &entry, 1);
		bool page = level == 1 || entry & PAGE_SIZE_BIT;

		if (purpose != FOR_REQUEST)
			iommu_walk_nested(v->walk);
		if (failed && !v->scalable)
			return vtd_fault(v, 0x07);
		if (failed)
			return vtd_fault(v, level == v->ss_levels ? 0x7b : 0x78);
		ss_note(v, entry, page);
		if (entry & (SS_READ | SS_WRITE) && entry & ss_reserved(v, entry, level))
			return vtd_fault(v, v->scalable ? 0x7a : 0x0c);
		if (!ss_permits(v, entry, write, purpose))
			return false;
		leaf->readable &= !!(entry & SS_READ);
		leaf->writable &= !!(entry & SS_WRITE);
		leaf->executable &= !!(entry & SS_EXECUTE);
		table = entry;
		if (page)
			break;
	}
	leaf->size = BIT_ULL(level_shift(level));
	leaf->address = (table & ADDRESS & ~(leaf->size - 1)) | (address & (leaf->size - 1));
	return true;
}

/* Section 3.8: the addresses in a first stage that is nested are the second's. */
static bool fs_entry_at(struct vtd *v, u64 *at, bool top)
{
	struct leaf leaf;

	if (FIELD_GET(PE_PGTT, v->pe[0]) != PGTT_NESTED)
		return true;
	if (!ss_walk(v, *at, false, top ? FOR_TOP_ENTRY : FOR_ENTRY, &leaf))
		return false;
	*at = leaf.address;
	return true;
}

/* Section 9.7: the bits of a first-stage entry that must be clear */
static u64 fs_reserved(struct vtd *v, u64 entry, unsigned int level)
{
	u64 reserved = FIELD_GET(PE_PGTT, v->pe[0]) == PGTT_NESTED ? 0 : beyond_haw(v);

	if (level >= 4 || (level == 3 && !(v->cap & CAP_FS1GP)))
		reserved |= PAGE_SIZE_BIT;
	else if (level > 1 && entry & PAGE_SIZE_BIT)
		reserved |= GENMASK_ULL(level_shift(level) - 1, 13);
	if (!(v->pe[2] & PE_2_NXE))
		reserved |= FS_XD;
	return reserved;
}

static void fs_note(struct vtd *v, u64 entry, bool page)
{
	if (!(entry & PRESENT)) {
		iommu_walk_note(v->walk, "not present");
		return;
	}
	iommu_walk_note(v->walk, "read%s%s", entry & FS_RW ? " write" : "",
			entry & FS_XD ? "" : " execute");
	iommu_walk_note(v->walk, entry & FS_US ? "user" : "supervisor");
	if (entry & FS_ACCESSED)
		iommu_walk_note(v->walk, "accessed");
	if (page && entry & FS_DIRTY)
		iommu_walk_note(v->walk, "dirty");
}

/* Section 3.6.1: what the first stage as a whole permits */
static bool fs_permits(struct vtd *v, const struct leaf *leaf, bool user)
{
	if (!v->supervisor && !user)
		return vtd_fault(v, 0x81);
	if (v->walk->write && !leaf->writable)
		return vtd_fault(v, 0x85);
	return true;
}

/* Section 3.6: first-stage translation of the walk's address */
bool vtd_walk_first(struct vtd *v, struct leaf *leaf)
{
	unsigned int top = 4 + FIELD_GET(PE_2_FSPM, v->pe[2]), level = top;
	u64 address = v->walk->iova, table = v->pe[2], entry, at;
	bool user = true;

	if ((s64)address >> (level_shift(top + 1) - 1) != 0 &&
	    (s64)address >> (level_shift(top + 1) - 1) != -1)
		return vtd_fault(v, 0x80);
	*leaf = (struct leaf){ .readable = true, .writable = true,
			       .executable = v->pe[2] & PE_2_ERE };
	for (;; level--) {
		at = entry_at(table, address, level);
		if (!fs_entry_at(v, &at, level == top))
			return false;
		if (iommu_walk_read(v->walk, level_names[level], IOMMU_WALK_FIRST, level, at,
				    &entry, 1))
			return vtd_fault(v, level == top ? 0x73 : 0x70);
		fs_note(v, entry, level == 1 || entry & PAGE_SIZE_BIT);
		if (!(entry & PRESENT))
			return vtd_fault(v, 0x71);
		if (entry & fs_reserved(v, entry, level))
			return vtd_fault(v, 0x72);
		leaf->writable &= !!(entry & FS_RW);
		leaf->executable &= !(entry & FS_XD);
		user &= !!(entry & FS_US);
		table = entry;
		if (level == 1 || entry & PAGE_SIZE_BIT)
			break;
	}
	if (v->supervisor && !(v->pe[2] & PE_2_WPE))
		leaf->writable = true;
	leaf->size = BIT_ULL(level_shift(level));
	leaf->address = (table & ADDRESS & ~(leaf->size - 1)) | (address & (leaf->size - 1));
	return fs_permits(v, leaf, user);
}

/* Section 3.7: the second stage alone */
bool vtd_walk_second(struct vtd *v, struct leaf *leaf)
{
	return ss_walk(v, v->walk->iova, v->walk->write, FOR_REQUEST, leaf);
}

/* Section 3.8: nested translation, both stages */
bool vtd_walk_nested(struct vtd *v, struct leaf *leaf)
{
	struct leaf second;

	if (!vtd_walk_first(v, leaf) ||
	    !ss_walk(v, leaf->address, v->walk->write, FOR_REQUEST, &second))
		return false;
	leaf->address = second.address;
	leaf->size = min(leaf->size, second.size);
	leaf->readable &= second.readable;
	leaf->writable &= second.writable;
	leaf->executable &= second.executable;
	return true;
}

