// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl: what this kernel has of what the subcommands need. May open /dev/iommu for a moment: a
 * context without anything in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "iommuctl.h"

/* A structure that is too short is refused, but only by a kernel that knows the call. */
static bool knows_pasids(int fd)
{
	__u32 size = 0;

	return ioctl(fd, IOMMU_PASID_INFO, &size) && errno != ENOTTY;
}

static bool tells_holders(int fd)
{
	char path[64], *text;
	bool tells;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	text = read_file(path, 65536, NULL);
	tells = text && strstr(text, "\niommufd:");
	free(text);
	return tells;
}

struct abilities kernel_abilities(void)
{
	struct abilities a = { .walk = exists(at("/sys/kernel/debug/iommu/walk")) };
	int fd;

	/* debugfs is root's. */
	a.walk = a.walk || errno == EACCES;
	/* No kernel is to be asked: what is there is what its files have. */
	if (*sysroot) {
		return (struct abilities){
			.dev_iommu = true, .asked = true, .pasids = true, .fdinfo = true,
			.walk = a.walk,
		};
	}
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		a.error = errno;
		a.dev_iommu = errno != ENOENT && errno != ENODEV && errno != ENXIO;
		return a;
	}
	a.dev_iommu = true;
	a.asked = true;
	a.pasids = knows_pasids(fd);
	a.fdinfo = tells_holders(fd);
	close(fd);
	return a;
}

void advise_iommu(void)
{
	complain("switch the IOMMU on in the firmware; on Intel, boot with intel_iommu=on");
}

void advise_module(void)
{
	complain("where there is none: install iommufd-pasid-dkms, or a kernel of this project");
}

bool kernel_tells_holders(void)
{
	struct abilities a = kernel_abilities();

	if (a.dev_iommu && (a.fdinfo || !a.asked))
		return true;
	if (!a.dev_iommu)
		complain("/dev/iommu is missing: load the module iommufd");
	else
		complain("/dev/iommu does not tell who holds what: it is of another iommufd");
	advise_module();
	return false;
}
