// SPDX-License-Identifier: GPL-2.0
/* The two ways in: /dev/iommu with VFIO's character device, and a group in a type1 container. */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "bench.h"

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static int open_cdev(const char *bdf)
{
	char path[300];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		err(1, "%s", path);
	do {
		d = readdir(dir);
		if (!d)
			errx(1, "%s is empty", path);
	} while (d->d_name[0] == '.');
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", d->d_name);
	closedir(dir);
	return open_file(path);
}

static void iommufd_open(struct space *space, const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	space->container = open_file("/dev/iommu");
	space->device = open_cdev(bdf);
	bind.iommufd = space->container;
	if (ioctl(space->device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		err(1, "VFIO_DEVICE_BIND_IOMMUFD");
	if (ioctl(space->container, IOMMU_IOAS_ALLOC, &alloc))
		err(1, "IOMMU_IOAS_ALLOC");
	attach.pt_id = alloc.out_ioas_id;
	if (ioctl(space->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		err(1, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	space->ioas = alloc.out_ioas_id;
	space->device_id = bind.out_devid;
}

static void iommufd_map(struct space *space, void *va, __u64 length, __u64 iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = space->ioas, .user_va = (unsigned long)va, .length = length,
		.iova = iova,
	};

	if (ioctl(space->container, IOMMU_IOAS_MAP, &map))
		err(1, "IOMMU_IOAS_MAP of %#llx bytes at %#llx", length, iova);
}

static void iommufd_unmap(struct space *space, __u64 length, __u64 iova)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = space->ioas, .iova = iova, .length = length,
	};

	if (ioctl(space->container, IOMMU_IOAS_UNMAP, &unmap))
		err(1, "IOMMU_IOAS_UNMAP of %#llx bytes at %#llx", length, iova);
	if (unmap.length != length)
		errx(1, "IOMMU_IOAS_UNMAP of %#llx bytes did %#llx", length, unmap.length);
}

static void iommufd_close(struct space *space)
{
	close(space->device);
	close(space->container);
}

__u32 space_add_table(struct space *space)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .dev_id = space->device_id, .pt_id = space->ioas,
	};

	if (ioctl(space->container, IOMMU_HWPT_ALLOC, &alloc))
		err(1, "IOMMU_HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

void space_del_table(struct space *space, __u32 table)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = table };

	if (ioctl(space->container, IOMMU_DESTROY, &destroy))
		err(1, "IOMMU_DESTROY");
}

static int open_group(const char *bdf)
{
	char path[300], link[300];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		err(1, "%s", path);
	link[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	return open_file(path);
}

static void type1_open(struct space *space, const char *bdf)
{
	space->container = open_file("/dev/vfio/vfio");
	space->group = open_group(bdf);
	if (ioctl(space->group, VFIO_GROUP_SET_CONTAINER, &space->container))
		err(1, "VFIO_GROUP_SET_CONTAINER");
	if (ioctl(space->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "VFIO_SET_IOMMU");
	space->device = ioctl(space->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (space->device < 0)
		err(1, "VFIO_GROUP_GET_DEVICE_FD");
}

static void type1_map(struct space *space, void *va, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (unsigned long)va, .iova = iova, .size = length,
	};

	if (ioctl(space->container, VFIO_IOMMU_MAP_DMA, &map))
		err(1, "VFIO_IOMMU_MAP_DMA of %#llx bytes at %#llx", length, iova);
}

static void type1_unmap(struct space *space, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = length,
	};

	if (ioctl(space->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		err(1, "VFIO_IOMMU_UNMAP_DMA of %#llx bytes at %#llx", length, iova);
	if (unmap.size != length)
		errx(1, "VFIO_IOMMU_UNMAP_DMA of %#llx bytes did %#llx", length, unmap.size);
}

static void type1_close(struct space *space)
{
	close(space->device);
	close(space->group);
	close(space->container);
}

const struct way way_iommufd = {
	.name = "iommufd",
	.open = iommufd_open,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.close = iommufd_close,
};

const struct way way_type1 = {
	.name = "type1",
	.open = type1_open,
	.map = type1_map,
	.unmap = type1_unmap,
	.close = type1_close,
};
