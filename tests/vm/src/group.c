// SPDX-License-Identifier: GPL-2.0
/* The older way in, a VFIO group in a type1 container, still moves data. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>
#include <linux/iommufd.h>
#include "rig.h"

#define BASE	0x4000000ULL

static int dma_map(int container, void *va, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (unsigned long)va, .iova = iova, .size = length,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int dma_unmap(int container, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = length,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

/* The function is taken by the group: the other way in must be shut. */
static void exclusive(const char *bdf)
{
	int iommu = open_iommu(), fd = open_cdev(bdf);

	check_rc(dev_bind(fd, iommu, NULL), -EBUSY, "the character device is shut meanwhile");
	close(fd);
	close(iommu);
}

int main(int argc, char **argv)
{
	int container, group;
	char device[300];
	struct rig rig = {};
	__u8 *va;

	if (argc != 2)
		errx(2, "usage: group BDF");
	container = xopen("/dev/vfio/vfio", O_RDWR);
	snprintf(device, sizeof(device), "/sys/bus/pci/devices/%s", argv[1]);
	group = open_group(device);
	check(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) == 1, "type1v2 is there",
	      "no");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		err(1, "VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "VFIO_SET_IOMMU");
	rig.dev = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[1]);
	if (rig.dev < 0)
		err(1, "VFIO_GROUP_GET_DEVICE_FD");
	rig.bar = map_bar(rig.dev);
	bus_master(rig.dev);
	rig.stage = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	va = xmmap(4 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	check_rc(dma_map(container, rig.stage, PAGE, STAGE_IOVA), 0, "map a page");
	check_rc(dma_map(container, va, 4 * PAGE, BASE), 0, "map four");
	rig_write(&rig, BASE + 2000, PAGE, 3);
	check(filled(va + 2000, PAGE, 3), "write", "did not arrive");
	fill(va + 5000, PAGE, 4);
	check(rig_reads(&rig, BASE + 5000, PAGE, 4), "read", "did not arrive");
	check_rc(dma_unmap(container, 4 * PAGE, BASE), 0, "unmap");
	memset(va, 0, 4 * PAGE);
	rig_write(&rig, BASE, 512, 5);
	check(!va[0] && !va[511], "a write after unmap is refused", "it arrived");
	exclusive(argv[1]);
	munmap(rig.bar, PAGE);
	close(rig.dev);
	close(group);
	close(container);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
