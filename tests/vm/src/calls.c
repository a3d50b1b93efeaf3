// SPDX-License-Identifier: GPL-2.0
/* Thin calls of /dev/iommu and VFIO: see rig.h. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "rig.h"

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int open_iommu(void)
{
	return xopen("/dev/iommu", O_RDWR);
}

/* Takes a PCI address or, for other buses, the path of a character device. */
int open_cdev(const char *bdf)
{
	char path[300];
	struct dirent *d;
	DIR *dir;

	if (bdf[0] == '/')
		return xopen(bdf, O_RDWR);
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
	return xopen(path, O_RDWR);
}

int open_group(const char *device)
{
	char path[300], link[300];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/iommu_group", device);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		err(1, "%s", path);
	link[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(link));
	return xopen(path, O_RDWR);
}

int dev_bind(int dev, int iommu, __u32 *id)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
	int rc = call(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind);

	if (id)
		*id = bind.out_devid;
	return rc;
}

/* *pt may change: the kernel answers with the page table that it really used. */
int dev_attach(int dev, __u32 *pt)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = *pt };
	int rc = call(dev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);

	*pt = attach.pt_id;
	return rc;
}

int dev_detach(int dev)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return call(dev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

int dev_attach_pasid(int dev, __u32 pasid, __u32 *pt)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .flags = VFIO_DEVICE_ATTACH_PASID,
		.pt_id = *pt, .pasid = pasid,
	};
	int rc = call(dev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);

	*pt = attach.pt_id;
	return rc;
}

int dev_detach_pasid(int dev, __u32 pasid)
{
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach), .flags = VFIO_DEVICE_DETACH_PASID, .pasid = pasid,
	};

	return call(dev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

int hwpt_alloc(int iommu, __u32 flags, __u32 devid, __u32 pt, __u32 *id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .flags = flags, .dev_id = devid, .pt_id = pt,
	};
	int rc = call(iommu, IOMMU_HWPT_ALLOC, &alloc);

	*id = alloc.out_hwpt_id;
	return rc;
}

int pasid_alloc(int iommu, __u32 flags, __u32 devid, __u32 *pasid)
{
	struct iommu_pasid_alloc alloc = {
		.size = sizeof(alloc), .flags = flags, .dev_id = devid, .pasid = *pasid,
	};
	int rc = call(iommu, IOMMU_PASID_ALLOC, &alloc);

	*pasid = alloc.pasid;
	return rc;
}

int pasid_free(int iommu, __u32 devid, __u32 pasid)
{
	struct iommu_pasid_free arg = {
		.size = sizeof(arg), .dev_id = devid, .pasid = pasid,
	};

	return call(iommu, IOMMU_PASID_FREE, &arg);
}

int ioas_alloc(int iommu, __u32 *id)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int rc = call(iommu, IOMMU_IOAS_ALLOC, &alloc);

	*id = alloc.out_ioas_id;
	return rc;
}

int ioas_map(int iommu, __u32 ioas, const void *va, __u64 length, __u64 iova, __u32 flags)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas, .user_va = (unsigned long)va, .length = length, .iova = iova,
	};

	return call(iommu, IOMMU_IOAS_MAP, &map);
}

int ioas_map_file(int iommu, __u32 ioas, int fd, __u64 start, __u64 length, __u64 iova,
		  __u32 flags)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas, .fd = fd, .start = start, .length = length, .iova = iova,
	};

	return call(iommu, IOMMU_IOAS_MAP_FILE, &map);
}

int ioas_unmap(int iommu, __u32 ioas, __u64 iova, __u64 length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = ioas, .iova = iova, .length = length,
	};

	return call(iommu, IOMMU_IOAS_UNMAP, &unmap);
}

int ioas_copy(int iommu, __u32 dst, __u64 dst_iova, __u32 src, __u64 src_iova, __u64 length)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy), .flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = dst, .src_ioas_id = src, .length = length,
		.dst_iova = dst_iova, .src_iova = src_iova,
	};

	return call(iommu, IOMMU_IOAS_COPY, &copy);
}

int destroy(int iommu, __u32 id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return call(iommu, IOMMU_DESTROY, &arg);
}
