// SPDX-License-Identifier: GPL-2.0
/*
 * One function's DMA to and from the BAR of another: it arrives as long as the BAR is there, and
 * when memory decoding went off, after a reset, in low power and after close the IOMMU refuses it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include "rig.h"

/* Of ivshmem, whose BAR 0 is less than a page. */
#define RAM_BAR		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x100000UL
#define BASE		0x40000000ULL
#define COUNT		512

static struct rig rig;
static const char *bdf;
static int target;
static __u8 *bar;

static void target_open(void)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = RAM_BAR };
	__u32 id;

	target = open_cdev(bdf);
	if (dev_bind(target, rig.iommu, &id) || ioctl(target, VFIO_DEVICE_GET_REGION_INFO, &info))
		errx(1, "opening %s", bdf);
	if (info.size != SIZE)
		errx(1, "BAR 2 of %s has %#llx bytes", bdf, info.size);
	bar = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, target, info.offset);
	if (bar == MAP_FAILED)
		err(1, "mmap of BAR 2");
}

static void memory_decoding(bool on)
{
	off_t at = config_region(target) + PCI_COMMAND;
	__u16 value;

	if (pread(target, &value, 2, at) != 2)
		err(1, "reading the command register");
	value = on ? value | PCI_COMMAND_MEMORY : value & ~PCI_COMMAND_MEMORY;
	if (pwrite(target, &value, 2, at) != 2)
		err(1, "writing the command register");
}

static int feature(__u32 flags, void *data, size_t size)
{
	struct vfio_device_feature *feature = calloc(1, sizeof(*feature) + size);
	int rc;

	if (!feature)
		err(1, "memory");
	feature->argsz = sizeof(*feature) + size;
	feature->flags = flags;
	memcpy(feature->data, data, size);
	rc = ioctl(target, VFIO_DEVICE_FEATURE, feature);
	rc = rc < 0 ? -errno : rc;
	free(feature);
	return rc;
}

struct request {
	struct vfio_device_feature_dma_buf head;
	struct vfio_region_dma_range range[2];
};

#define GET_DMA_BUF (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF)

/* A dma-buf of one or two ranges, or -errno. */
static int dmabuf(__u32 index, __u64 offset, __u64 length, __u64 second)
{
	struct request r = {
		.head = { .region_index = index, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1 },
		.range = { { offset, length }, { second, length } },
	};

	r.head.nr_ranges = second == ~0ULL ? 1 : 2;
	return feature(GET_DMA_BUF, &r, sizeof(r));
}

static int whole_bar(void)
{
	int fd = dmabuf(RAM_BAR, 0, SIZE, ~0ULL);

	if (fd < 0)
		errx(1, "no dma-buf of BAR 2: %s", strerror(-fd));
	return fd;
}

static int map_at(int buf, __u64 iova, __u32 flags)
{
	return ioas_map_file(rig.iommu, rig.ioas, buf, 0, SIZE, iova, flags);
}

/* A write leaves what is there as it is; so that a stale IOTLB entry would show, it is warm. */
static bool refused(unsigned int seed)
{
	__u8 before[COUNT];

	memcpy(before, bar, COUNT);
	rig_write(&rig, BASE, COUNT, seed);
	return !memcmp(before, bar, COUNT) && !filled(bar, COUNT, seed);
}

static void arrives(int buf, const char *name)
{
	static unsigned int seed = 40;

	ioas_unmap(rig.iommu, rig.ioas, BASE, SIZE);
	if (!check_rc(map_at(buf, BASE, RW), 0, name))
		return;
	rig_write(&rig, BASE, COUNT, ++seed);
	check(filled(bar, COUNT, seed), "  and written to", "the data is not in the BAR");
}

static void test_wrong_requests(void)
{
	struct request r = { .head.nr_ranges = 0 };

	check_rc(feature(VFIO_DEVICE_FEATURE_PROBE | GET_DMA_BUF, &r, sizeof(r)), 0,
		 "probe: the feature is there");
	check_rc(feature(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_BUF, &r, sizeof(r)),
		 -EINVAL, "it cannot be set");
	check_rc(feature(GET_DMA_BUF, &r, sizeof(r.head) - 4), -EINVAL, "a short structure");
	r.head.region_index = RAM_BAR;
	check_rc(feature(GET_DMA_BUF, &r, sizeof(r)), -EINVAL, "no ranges");
	r.head.nr_ranges = 1;
	r.range[0].length = PAGE;
	r.head.flags = 1;
	check_rc(feature(GET_DMA_BUF, &r, sizeof(r)), -EINVAL, "a flag");
	r.head.flags = 0;
	r.head.open_flags = O_APPEND;
	check_rc(feature(GET_DMA_BUF, &r, sizeof(r)), -EINVAL, "a flag of open() that is unknown");
	check_rc(dmabuf(RAM_BAR, 0, 0, ~0ULL), -EINVAL, "an empty range");
	check_rc(dmabuf(RAM_BAR, 512, PAGE, ~0ULL), -EINVAL, "a range that begins in a page");
	check_rc(dmabuf(RAM_BAR, 0, 512, ~0ULL), -EINVAL, "a range that ends in a page");
	check_rc(dmabuf(RAM_BAR, PAGE, SIZE, ~0ULL), -EINVAL, "a range beyond the BAR");
	check_rc(dmabuf(RAM_BAR, -PAGE, 2 * PAGE, ~0ULL), -EINVAL, "a range that wraps");
	check_rc(dmabuf(RAM_BAR, 0, PAGE, SIZE), -EINVAL, "a second range beyond the BAR");
	check_rc(dmabuf(0, 0, PAGE, ~0ULL), -EINVAL, "a BAR that is less than a page");
	check_rc(dmabuf(1, 0, PAGE, ~0ULL), -ENODEV, "a BAR that is not there");
	check_rc(dmabuf(VFIO_PCI_CONFIG_REGION_INDEX, 0, PAGE, ~0ULL), -ENODEV, "no BAR");
}

static void test_data(int buf)
{
	static const __u64 at[] = { 0, SIZE / 2 - 256, SIZE - COUNT };
	unsigned int i;

	check_rc(ioas_map(rig.iommu, rig.ioas, bar, SIZE, BASE, RW), -EFAULT,
		 "the BAR cannot be mapped by its address");
	check_rc(map_at(buf, BASE, RW), 0, "but by its dma-buf");
	for (i = 0; i < 3; i++) {
		rig_write(&rig, BASE + at[i], COUNT, i + 1);
		check(filled(bar + at[i], COUNT, i + 1), "a write arrives in the BAR",
		      "at %#llx", at[i]);
		fill(bar + at[i], COUNT, i + 10);
		check(rig_reads(&rig, BASE + at[i], COUNT, i + 10), "a read gets what is there",
		      "at %#llx", at[i]);
	}
	check(pins() == 1, "nothing is pinned for it", "%ld pages, one for data", pins());
	ioas_unmap(rig.iommu, rig.ioas, BASE, SIZE);
	check(refused(20), "after unmap: refused", "it arrived");
}

static void test_ranges(void)
{
	int buf = dmabuf(RAM_BAR, SIZE - PAGE, PAGE, PAGE);

	check_rc(ioas_map_file(rig.iommu, rig.ioas, buf, 0, 2 * PAGE, BASE, RW), 0,
		 "two ranges, the later one first");
	rig_write(&rig, BASE + PAGE - 256, COUNT, 21);
	check(filled(bar + SIZE - 256, 256, 21) && !memcmp(bar + PAGE, rig.stage + 256, 256),
	      "a write over the border arrives in both", "it did not");
	ioas_unmap(rig.iommu, rig.ioas, BASE, 2 * PAGE);
	close(buf);
	buf = whole_bar();
	check_rc(map_at(buf, BASE, IOMMU_IOAS_MAP_READABLE), 0, "mapped for reading");
	check(rig_reads(&rig, BASE + SIZE - 256, 256, 21), "it is read", "it was not");
	check(refused(22), "but not written", "it was");
	ioas_unmap(rig.iommu, rig.ioas, BASE, SIZE);
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, 0) == MAP_FAILED,
	      "the CPU does not map a dma-buf of a BAR", "it did");
	close(buf);
}

static void test_decoding(int buf)
{
	arrives(buf, "mapped, before memory decoding goes off");
	memory_decoding(false);
	rig_write(&rig, BASE, COUNT, 23);
	check_rc(map_at(buf, BASE + SIZE, RW), -ENODEV, "decoding is off: no mapping");
	memory_decoding(true);
	check(!filled(bar, COUNT, 23), "decoding was off: a write was refused", "it arrived");
	check(refused(24), "decoding is on again: refused, until it is mapped again",
	      "it arrived");
	arrives(buf, "decoding is on again: mapped again");
}

static void test_reset(int buf)
{
	struct vfio_pci_hot_reset hot = { .argsz = sizeof(hot) };
	int rc;

	arrives(buf, "mapped, before a reset");
	rc = ioctl(target, VFIO_DEVICE_RESET) ? -errno : 0;
	check_rc(rc, 0, "reset");
	memory_decoding(true);
	check(refused(25), "after the reset: refused", "it arrived");
	arrives(buf, "after the reset: mapped again");
	rc = ioctl(target, VFIO_DEVICE_PCI_HOT_RESET, &hot) ? -errno : 0;
	check_rc(rc, 0, "hot reset");
	memory_decoding(true);
	check(refused(26), "after the hot reset: refused", "it arrived");
	arrives(buf, "after the hot reset: mapped again");
}

static void test_low_power(int buf)
{
	const __u32 set = VFIO_DEVICE_FEATURE_SET;

	check_rc(feature(set | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, "", 0), 0, "low power");
	rig_write(&rig, BASE, COUNT, 27);
	check_rc(map_at(buf, BASE + SIZE, RW), -ENODEV, "in low power: no mapping");
	check_rc(feature(set | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, "", 0), 0, "and back");
	check(!filled(bar, COUNT, 27), "in low power: a write was refused", "it arrived");
	check(refused(28), "after low power: refused", "it arrived");
	arrives(buf, "after low power: mapped again");
}

static void test_closed(int buf)
{
	munmap(bar, SIZE);
	close(target);
	rig_write(&rig, BASE, COUNT, 29);
	check_rc(map_at(buf, BASE + SIZE, RW), -ENODEV, "closed: no mapping");
	target_open();
	check(!filled(bar, COUNT, 29), "closed: a write was refused", "it arrived");
	check(refused(30), "opened again: refused", "it arrived");
	check_rc(map_at(buf, BASE + SIZE, RW), -ENODEV, "opened again: the dma-buf stays dead");
	close(buf);
	buf = whole_bar();
	arrives(buf, "opened again: mapped by another dma-buf");
	/* The mapping keeps the dma-buf, and is there until all ends. */
	close(buf);
}

int main(int argc, char **argv)
{
	int buf;

	if (argc != 3)
		errx(2, "usage: bar EDU IVSHMEM");
	bdf = argv[2];
	rig_open(&rig, argv[1]);
	target_open();
	test_wrong_requests();
	buf = whole_bar();
	test_data(buf);
	test_ranges();
	test_decoding(buf);
	test_reset(buf);
	test_low_power(buf);
	test_closed(buf);
	munmap(bar, SIZE);
	rig_close(&rig);
	close(target);
	return check_done();
}
