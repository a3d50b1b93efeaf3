// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to read which pages a device has written to, per 4 KiB of IOVA, one bit for each,
 * on the mock IOMMU: with all of them dirty, few, and none, in a page table of small pages and in
 * one of huge pages. What is read is compared with what was written. The figures include the
 * mock's walk of its page table, which is not the same in both mocks: small pages are of 4 KiB in
 * ours and of 2 KiB in the base's, huge ones of 1 MiB in both.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "bench.h"
#include "iommufd_test.h"

#define LENGTH	(256UL << 20)
#define PAGES	(LENGTH / PAGE)
#define BITS	(LENGTH / MOCK_PAGE_SIZE)
#define ROUNDS	3
/* In the base's mock a device has huge pages, in ours a page table. */
#define DEVICE_HUGE	0x2

/* The IOVAs: from the first of the mock's on. */
#define START	((__u64)MOCK_APERTURE_START)

struct dirty {
	int fd;
	__u32 ioas, device, hwpt;
	size_t page;				/* of the table */
	size_t every;				/* one in so many pages is written to, 0: none */
	unsigned char written[BITS / 8], want[PAGES / 8], got[PAGES / 8];
};

static void set_bits(unsigned char *bits, size_t first, size_t count)
{
	for (; count--; first++)
		bits[first / 8] |= 1 << first % 8;
}

/* What the device writes to, a bit for each page of the mock, and what is to be read of that. */
static void choose(struct dirty *d)
{
	size_t at;

	memset(d->written, 0, sizeof(d->written));
	memset(d->want, 0, sizeof(d->want));
	for (at = 0; d->every && at < LENGTH; at += d->every * d->page) {
		set_bits(d->written, at / MOCK_PAGE_SIZE, d->page / MOCK_PAGE_SIZE);
		set_bits(d->want, at / PAGE, d->page / PAGE);
	}
}

static void device_writes(struct dirty *d)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_DIRTY,
		.id = d->hwpt, .dirty = { .iova = START, .length = LENGTH,
					  .page_size = MOCK_PAGE_SIZE,
					  .uptr = (unsigned long)d->written } };

	if (ioctl(d->fd, IOMMU_TEST_CMD, &cmd))
		err(1, "write as a device");
}

static void read_bitmap(struct dirty *d)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = { .size = sizeof(cmd), .hwpt_id = d->hwpt,
		.iova = START, .length = LENGTH, .page_size = PAGE,
		.data = (unsigned long)d->got };

	if (ioctl(d->fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd))
		err(1, "IOMMU_HWPT_GET_DIRTY_BITMAP");
}

/* One reading, per page, after the device has written. */
static double measure(struct dirty *d)
{
	double start, cost;

	if (d->every)
		device_writes(d);
	memset(d->got, 0, sizeof(d->got));
	start = now();
	read_bitmap(d);
	cost = since(start) / PAGES;
	if (memcmp(d->got, d->want, sizeof(d->want)))
		errx(1, "one of %zu pages of %zu bytes was written to: not what the bitmap says",
		     d->every, d->page);
	return cost;
}

static void bench_pattern(struct dirty *d, const char *table, const char *name, size_t every)
{
	double sum = 0;
	char text[64];
	int i;

	d->every = every;
	choose(d);
	/* To warm up. */
	measure(d);
	for (i = 0; i < ROUNDS; i++)
		sum += measure(d);
	snprintf(text, sizeof(text), "dirty.%s.%s", table, name);
	row("iommufd", text, sum / ROUNDS);
}

static void open_ioas(struct dirty *d, void *memory)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_ioas_map map = { .size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.user_va = (unsigned long)memory, .length = LENGTH, .iova = START };

	d->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (d->fd < 0 || ioctl(d->fd, IOMMU_IOAS_ALLOC, &ioas))
		err(1, "/dev/iommu");
	d->ioas = ioas.out_ioas_id;
	map.ioas_id = d->ioas;
	if (ioctl(d->fd, IOMMU_IOAS_MAP, &map))
		err(1, "IOMMU_IOAS_MAP");
}

/* False if the mock has no such device. */
static bool open_device(struct dirty *d, __u32 flags)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = d->ioas, .mock_domain_flags.dev_flags = flags };

	if (ioctl(d->fd, IOMMU_TEST_CMD, &cmd))
		return false;
	d->device = cmd.mock_domain_flags.out_idev_id;
	return true;
}

static void open_table(struct dirty *d, bool huge)
{
	struct iommu_hwpt_set_dirty_tracking on = { .size = sizeof(on),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE };
	struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt), .dev_id = d->device,
		.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING, .pt_id = d->ioas };

	if (huge) {
		hwpt.data_type = IOMMU_HWPT_DATA_SELFTEST;
		hwpt.data_len = sizeof(data);
		hwpt.data_uptr = (unsigned long)&data;
	}
	if (ioctl(d->fd, IOMMU_HWPT_ALLOC, &hwpt))
		err(1, "IOMMU_HWPT_ALLOC");
	d->hwpt = hwpt.out_hwpt_id;
	on.hwpt_id = d->hwpt;
	if (ioctl(d->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &on))
		err(1, "IOMMU_HWPT_SET_DIRTY_TRACKING");
}

static void bench_table(void *memory, const char *name, bool huge)
{
	struct dirty *d = calloc(1, sizeof(*d));
	bool by_device;

	if (!d)
		err(1, "calloc");
	open_ioas(d, memory);
	by_device = huge && open_device(d, DEVICE_HUGE);
	if (!by_device && !open_device(d, 0))
		err(1, "mock device");
	open_table(d, huge && !by_device);
	d->page = huge ? MOCK_HUGE_PAGE_SIZE : PAGE;
	bench_pattern(d, name, "all", 1);
	bench_pattern(d, name, "some", huge ? 16 : 512);
	bench_pattern(d, name, "none", 0);
	close(d->fd);
	free(d);
}

void bench_dirty(void)
{
	void *memory = memory_get(MEMORY_HUGETLB, LENGTH);

	bench_table(memory, "small", false);
	bench_table(memory, "huge", true);
	memory_put(memory, LENGTH);
}
