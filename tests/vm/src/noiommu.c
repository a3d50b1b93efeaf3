// SPDX-License-Identifier: GPL-2.0
/*
 * A group without an IOMMU in a container that /dev/iommu serves: the function is opened, its DMA
 * is nobody's business, and nothing can be mapped. The machine has no IOMMU, and VFIO was told to
 * take functions all the same.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "rig.h"

static int number(int fd, unsigned long nr, unsigned long arg)
{
	int rc = ioctl(fd, nr, arg);

	return rc < 0 ? -errno : rc;
}

static int set_container(int group, int container)
{
	return ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ? -errno : 0;
}

static int choose_ioas(int container)
{
	struct iommu_vfio_ioas arg = { .size = sizeof(arg), .op = IOMMU_VFIO_IOAS_SET };

	if (ioas_alloc(container, &arg.ioas_id))
		errx(1, "IOAS_ALLOC");
	return ioctl(container, IOMMU_VFIO_IOAS, &arg) ? -errno : 0;
}

static int map_page(int container, void *va)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (unsigned long)va, .iova = PAGE, .size = PAGE,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct rig rig = {};
	int container, group, with;
	__u8 *page;

	if (argc != 4)
		errx(2, "usage: noiommu CONTAINER GROUP BDF");
	container = xopen(argv[1], O_RDWR);
	with = xopen(argv[1], O_RDWR);
	group = xopen(argv[2], O_RDWR);
	check_rc(number(container, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU), 1, "the extension");
	check_rc(number(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), -EINVAL, "without a group");
	check_rc(choose_ioas(with), 0, "choose an IOAS");
	check_rc(set_container(group, with), -EINVAL, "a group without IOMMU beside it");
	check_rc(set_container(group, container), 0, "the group has a container");
	check_rc(choose_ioas(container), -EINVAL, "which takes no IOAS");
	set_capability(CAP_SYS_RAWIO, false);
	check_rc(number(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), -EPERM, "unprivileged");
	rig.dev = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[3]);
	check(rig.dev < 0 && errno == EPERM, "open the function, unprivileged", "%d", errno);
	set_capability(CAP_SYS_RAWIO, true);
	check_rc(number(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), 0, "no IOMMU");
	check_rc(number(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), -ENODEV, "type1");
	page = xmmap(2 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1);
	check_rc(map_page(container, page), -ENODEV, "map");
	rig.dev = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[3]);
	if (!check(rig.dev >= 0, "open the function", "%s", strerror(errno)))
		return check_done();
	rig.bar = map_bar(rig.dev);
	bus_master(rig.dev);
	fill(page, 512, 1);
	edu_start(rig.bar, pfn(page) * PAGE, EDU_BUFFER, 512, false);
	edu_wait(rig.bar);
	page[PAGE] = 1;
	edu_start(rig.bar, EDU_BUFFER, pfn(page + PAGE) * PAGE, 512, true);
	edu_wait(rig.bar);
	check(filled(page + PAGE, 512, 1), "its DMA goes to where it says", "it did not arrive");
	munmap(rig.bar, PAGE);
	close(rig.dev);
	check_rc(ioctl(group, VFIO_GROUP_UNSET_CONTAINER) ? -errno : 0, 0, "the group leaves");
	return check_done();
}
