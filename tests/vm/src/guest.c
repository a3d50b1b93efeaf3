// SPDX-License-Identifier: GPL-2.0
/* See guest.h. Knows nothing of any one test. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "guest.h"

/* Stage 1: 4 KiB granule, 39 bits, so that it starts at level 1. */
#define VA_BITS		39
#define TABLE_DESC	3ULL
#define PAGE_DESC	0x743ULL	/* AF, shareable, EL0 */
#define READ_ONLY	0x80ULL

void *guest_at(struct guest *guest, __u64 ipa)
{
	return guest->memory + (ipa - GUEST_BASE);
}

/* The guest's address of a page that nothing is in. */
__u64 guest_page(struct guest *guest)
{
	if (guest->used == GUEST_SIZE / PAGE)
		errx(1, "the guest has no page left");
	return GUEST_BASE + guest->used++ * PAGE;
}

void guest_map(struct guest *guest, __u64 table, __u64 va, __u64 ipa, bool writable)
{
	int level;

	for (level = 1; level < 3; level++) {
		__u64 *entry = (__u64 *)guest_at(guest, table) + ((va >> (39 - 9 * level)) & 511);

		if (!*entry)
			*entry = guest_page(guest) | TABLE_DESC;
		table = *entry & ~(PAGE - 1);
	}
	((__u64 *)guest_at(guest, table))[(va >> 12) & 511] =
		ipa ? ipa | PAGE_DESC | (writable ? 0 : READ_ONLY) : 0;
}

__u64 guest_cd(struct guest *guest, __u64 table)
{
	__u64 at = guest_page(guest), *cd = guest_at(guest, at);

	cd[0] = (64 - VA_BITS) | 1ULL << 8 | 1ULL << 10 | 3ULL << 12 | /* T0SZ, write-back */
		1ULL << 30 | 1ULL << 31 |			/* EPD1, V */
		5ULL << 32 | 1ULL << 41 |			/* IPS 48 bits, AA64 */
		1ULL << 45 | 1ULL << 46 | 1ULL << 47 |		/* R, A, ASET */
		(__u64)GUEST_ASID << 48;
	cd[1] = table;
	cd[3] = 0xff;						/* MAIR: write-back */
	return at;
}

int guest_ste(struct guest *guest, __u64 word0, __u64 word1, __u32 *hwpt)
{
	struct iommu_hwpt_arm_smmuv3 ste = { .ste = { word0, word1 } };
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg), .dev_id = guest->devid, .pt_id = guest->viommu,
		.data_type = IOMMU_HWPT_DATA_ARM_SMMUV3, .data_len = sizeof(ste),
		.data_uptr = (unsigned long)&ste,
	};

	if (ioctl(guest->iommu, IOMMU_HWPT_ALLOC, &arg))
		return -errno;
	*hwpt = arg.out_hwpt_id;
	return 0;
}

int guest_hwpt(struct guest *guest, __u64 cd, __u32 *hwpt)
{
	/* V, Config: stage 1; the CD is read write-back and shareable. */
	return guest_ste(guest, 1 | 5 << 1 | cd, 1 << 2 | 1 << 4 | 3 << 6, hwpt);
}

unsigned int guest_commands(struct guest *guest, const struct guest_command *cmd, unsigned int nr,
			    int *rc)
{
	struct iommu_hwpt_invalidate arg = {
		.size = sizeof(arg), .hwpt_id = guest->viommu, .data_uptr = (unsigned long)cmd,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, .entry_len = 16,
		.entry_num = nr,
	};

	*rc = ioctl(guest->iommu, IOMMU_HWPT_INVALIDATE, &arg) ? -errno : 0;
	return arg.entry_num;
}

/* Waits up to a second for one. */
bool guest_event(struct guest *guest, __u64 evt[4])
{
	struct pollfd fd = { .fd = guest->events, .events = POLLIN };
	struct {
		struct iommufd_vevent_header header;
		struct iommu_vevent_arm_smmuv3 event;
	} record;

	if (poll(&fd, 1, 1000) != 1 ||
	    read(guest->events, &record, sizeof(record)) != sizeof(record))
		return false;
	memcpy(evt, record.event.evt, 32);
	return !record.header.flags;
}

/* A write that is refused is one of several to the bus. */
void guest_forget_events(struct guest *guest)
{
	struct pollfd fd = { .fd = guest->events, .events = POLLIN };
	char records[1024];

	while (poll(&fd, 1, 200) == 1)
		if (read(guest->events, records, sizeof(records)) <= 0)
			err(1, "events");
}

static void virtual_iommu(struct guest *guest)
{
	struct iommu_viommu_alloc viommu = {
		.size = sizeof(viommu), .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		.dev_id = guest->devid, .hwpt_id = guest->parent,
	};
	struct iommu_vdevice_alloc vdevice = {
		.size = sizeof(vdevice), .dev_id = guest->devid, .virt_id = GUEST_SID,
	};
	struct iommu_veventq_alloc queue = {
		.size = sizeof(queue), .type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, .veventq_depth = 16,
	};

	if (ioctl(guest->iommu, IOMMU_VIOMMU_ALLOC, &viommu))
		err(1, "IOMMU_VIOMMU_ALLOC");
	guest->viommu = viommu.out_viommu_id;
	vdevice.viommu_id = guest->viommu;
	if (ioctl(guest->iommu, IOMMU_VDEVICE_ALLOC, &vdevice))
		err(1, "IOMMU_VDEVICE_ALLOC");
	guest->vdevice = vdevice.out_vdevice_id;
	queue.viommu_id = guest->viommu;
	if (ioctl(guest->iommu, IOMMU_VEVENTQ_ALLOC, &queue))
		err(1, "IOMMU_VEVENTQ_ALLOC");
	guest->events = queue.out_veventq_fd;
}

void guest_open(struct guest *guest, const char *bdf)
{
	memset(guest, 0, sizeof(*guest));
	guest->iommu = open_iommu();
	guest->dev = open_cdev(bdf);
	guest->memory = xmmap(GUEST_SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (dev_bind(guest->dev, guest->iommu, &guest->devid) ||
	    ioas_alloc(guest->iommu, &guest->ioas) ||
	    hwpt_alloc(guest->iommu, IOMMU_HWPT_ALLOC_NEST_PARENT, guest->devid, guest->ioas,
		       &guest->parent) ||
	    ioas_map(guest->iommu, guest->ioas, guest->memory, GUEST_SIZE, GUEST_BASE, RW))
		errx(1, "bind of %s and a stage 2", bdf);
	virtual_iommu(guest);
	guest->bar = map_bar(guest->dev);
	bus_master(guest->dev);
	guest->table = guest_page(guest);
	guest->cd = guest_cd(guest, guest->table);
}

void guest_close(struct guest *guest)
{
	munmap(guest->bar, PAGE);
	close(guest->events);
	close(guest->dev);
	close(guest->iommu);
	munmap(guest->memory, GUEST_SIZE);
}
