/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of an Arm SMMUv3, as its VMM sees it: memory, in an IOAS at the guest's
 * addresses, with a CD table and a page table that this program writes itself; a
 * virtual IOMMU over it; and an "edu" function under the guest's stream ID. Formats
 * are those of IHI 0070 (SMMUv3), 5.2 and 5.4, and DDI 0487 (Arm ARM), D8.3.
 */
#ifndef GUEST_H
#define GUEST_H

#include "rig.h"

#define GUEST_BASE	0x40000000ULL		/* its memory */
#define GUEST_SIZE	(64 * PAGE)
#define GUEST_SID	0x5555
#define GUEST_ASID	7

struct guest {
	int iommu;
	int dev;
	__u32 devid;
	__u32 ioas;
	__u32 parent;		/* stage 2 */
	__u32 viommu;
	__u32 vdevice;
	int events;		/* of its virtual IOMMU */
	__u64 *bar;
	__u8 *memory;
	unsigned int used;	/* pages of it */
	__u64 cd;		/* the guest's addresses of the CD and of the first table */
	__u64 table;
};

void guest_open(struct guest *guest, const char *bdf);
void guest_close(struct guest *guest);
__u64 guest_page(struct guest *guest);
void *guest_at(struct guest *guest, __u64 ipa);
/* A page of the guest's stage 1, in the table at the guest's address of it. */
void guest_map(struct guest *guest, __u64 table, __u64 va, __u64 ipa, bool writable);
__u64 guest_cd(struct guest *guest, __u64 table);
/* The first two words of the guest's STE, for that CD; a HWPT of it or a negative errno. */
int guest_ste(struct guest *guest, __u64 word0, __u64 word1, __u32 *hwpt);
int guest_hwpt(struct guest *guest, __u64 cd, __u32 *hwpt);
/* Commands of the guest: how many were done; the call's result is in *rc. */
struct guest_command {
	__u64 word[2];
};

unsigned int guest_commands(struct guest *guest, const struct guest_command *cmd, unsigned int nr,
			    int *rc);
bool guest_event(struct guest *guest, __u64 evt[4]);
void guest_forget_events(struct guest *guest);

#endif
