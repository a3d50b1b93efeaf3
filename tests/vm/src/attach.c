// SPDX-License-Identifier: GPL-2.0
/*
 * Bind, attach, attach again and detach, right and wrong, of one VFIO device: a PCI function by
 * address, or any other by the path of its character device.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "rig.h"

static int iommu, dev;
static bool emulated;
static __u32 devid;

static int attach(__u32 pt)
{
	return dev_attach(dev, &pt);
}

static void bad_binds(void)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
	int null = xopen("/dev/null", O_RDWR);

	check_rc(attach(1), -EINVAL, "attach before bind");
	check_rc(dev_detach(dev), -EINVAL, "detach before bind");
	check_rc(dev_bind(dev, -1, NULL), -EINVAL, "bind to no file");
	check_rc(dev_bind(dev, 999, NULL), -EBADF, "bind to a closed file");
	check_rc(dev_bind(dev, null, NULL), -EBADFD, "bind to another kind of file");
	bind.flags = 1U << 31;
	check_rc(ioctl(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0, -EINVAL,
		 "bind with an unknown flag");
	bind.flags = 0;
	bind.argsz = 8;
	check_rc(ioctl(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0, -EINVAL,
		 "bind with a short struct");
	close(null);
}

static void binds(const char *path)
{
	int second;

	check_rc(dev_bind(dev, iommu, &devid), 0, "bind");
	check_rc(dev_bind(dev, iommu, NULL), -EINVAL, "bind twice");
	second = open_cdev(path);
	check_rc(dev_bind(second, iommu, NULL), -EINVAL, "bind of a second open file");
	close(second);
	check_rc(destroy(iommu, devid), -EBUSY, "destroy of a bound device");
}

static void attaches(void)
{
	__u32 one, two;

	if (ioas_alloc(iommu, &one) || ioas_alloc(iommu, &two))
		errx(1, "IOAS_ALLOC");
	check_rc(attach(0xdead), -ENOENT, "attach to an id that is not there");
	/* An emulated device takes an IOAS only, so anything else is not there for it. */
	check_rc(attach(devid), emulated ? -ENOENT : -EINVAL, "attach to an id of another kind");
	check_rc(dev_detach(dev), 0, "detach of what is not attached");
	check_rc(attach(one), 0, "attach");
	check_rc(destroy(iommu, one), -EBUSY, "destroy of an IOAS in use");
	check_rc(attach(one), 0, "attach to the same again");
	check_rc(attach(0xdead), -ENOENT, "replace by an id that is not there");
	check_rc(destroy(iommu, one), -EBUSY, "a failed replace leaves the old one");
	check_rc(attach(two), 0, "replace");
	check_rc(destroy(iommu, one), 0, "the old one is free");
	check_rc(destroy(iommu, two), -EBUSY, "the new one is in use");
	check_rc(dev_detach(dev), 0, "detach");
	check_rc(dev_detach(dev), 0, "detach twice");
	check_rc(destroy(iommu, two), 0, "the last one is free");
	check_rc(attach(two), -ENOENT, "attach to what was destroyed");
}

static void again(void)
{
	__u32 ioas;
	int i, bad = 0;

	if (ioas_alloc(iommu, &ioas))
		errx(1, "IOAS_ALLOC");
	for (i = 0; i < 200; i++)
		bad += attach(ioas) || dev_detach(dev);
	check(!bad, "attach and detach 200 times", "%d failed", bad);
	check_rc(attach(ioas), 0, "attach, and leave it to close");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: attach BDF|PATH");
	emulated = argv[1][0] == '/';
	iommu = open_iommu();
	dev = open_cdev(argv[1]);
	bad_binds();
	binds(argv[1]);
	attaches();
	again();
	close(dev);
	dev = open_cdev(argv[1]);
	check_rc(dev_bind(dev, iommu, &devid), 0, "bind again after close");
	close(dev);
	close(iommu);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
