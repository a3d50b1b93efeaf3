// SPDX-License-Identifier: GPL-2.0
/*
 * What a kernel that is not ours cannot do, with our modules: each is refused with EOPNOTSUPP, and
 * the kernel's log says why; what is there already stays as it is. "stock BDF" is for a function
 * whose IOMMU works, with PASIDs by the module pasid_shim; "stock BDF no-attach" and "stock BDF
 * no-pasid" for one whose IOMMU the stock driver cannot use, or not at PASIDs.
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
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define IOVA	0x4000000ULL

static struct rig rig;
static int kmsg;

/* Whether the log has had a line of iommufd's with that text since the last question. */
static bool told(const char *text)
{
	char line[2048];
	bool found = false;
	ssize_t n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n < 0 ? 0 : n] = 0;
		found |= strstr(line, "iommufd: ") && strstr(line, text);
	}
	return found;
}

static void refused(int rc, const char *name, const char *text)
{
	char line[200];

	check_rc(rc, -EOPNOTSUPP, name);
	snprintf(line, sizeof(line), "%s: the log says \"%s\"", name, text);
	check(told(text), line, "it does not");
}

static int call(unsigned long request, void *arg)
{
	return ioctl(rig.iommu, request, arg) ? -errno : 0;
}

static int map_file(int fd, __u64 length)
{
	return ioas_map_file(rig.iommu, rig.ioas, fd, 0, length, IOVA, RW);
}

static void files(void)
{
	int huge = memfd_create("huge", MFD_HUGETLB), plain = memfd_create("plain", 0);
	void *page;

	if (huge < 0 || plain < 0 || ftruncate(huge, HUGE_PAGE) || ftruncate(plain, PAGE))
		err(1, "memfd");
	check_rc(map_file(plain, PAGE), 0, "map of a memfd");
	check_rc(ioas_unmap(rig.iommu, rig.ioas, IOVA, PAGE), 0, "its unmap");
	refused(map_file(huge, HUGE_PAGE), "map of a hugetlbfs file", "hugetlbfs");
	page = xmmap(HUGE_PAGE, MAP_SHARED, huge);
	check_rc(ioas_map(rig.iommu, rig.ioas, page, HUGE_PAGE, IOVA, RW), 0,
		 "map of its memory by address");
	check_rc(ioas_unmap(rig.iommu, rig.ioas, IOVA, HUGE_PAGE), 0, "its unmap");
	close(huge);
	close(plain);
}

static void tables(void)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .flags = IOMMU_HWPT_FAULT_ID_VALID, .dev_id = rig.devid,
	};
	struct iommu_viommu_alloc viommu = {
		.size = sizeof(viommu), .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3, .dev_id = rig.devid,
	};
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = rig.devid };
	__u32 hwpt, ioas, pt;

	check_rc(call(IOMMU_GET_HW_INFO, &info), 0, "GET_HW_INFO");
	check(!(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING),
	      "it promises no dirty tracking", "it does");
	refused(hwpt_alloc(rig.iommu, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, rig.devid, rig.ioas, &hwpt),
		"a page table with dirty tracking", "dirty pages");
	if (ioas_alloc(rig.iommu, &ioas) || call(IOMMU_FAULT_QUEUE_ALLOC, &fault))
		err(1, "an IOAS and a fault queue");
	alloc.pt_id = ioas;
	alloc.fault_id = fault.out_fault_id;
	check_rc(call(IOMMU_HWPT_ALLOC, &alloc), 0, "a page table with a fault queue");
	pt = alloc.out_hwpt_id;
	refused(dev_attach(rig.dev, &pt), "its attach", "page requests");
	check_rc(hwpt_alloc(rig.iommu, 0, rig.devid, ioas, &hwpt), 0, "a page table");
	viommu.hwpt_id = hwpt;
	check(call(IOMMU_VIOMMU_ALLOC, &viommu) < 0, "a virtual IOMMU is refused", "it is not");
	told("");
	check_rc(destroy(rig.iommu, hwpt), 0, "the page table goes");
}

/* A number above 1 the IOMMU model does not have; 1 is what there is. */
static void pasid(void)
{
	__u32 ioas[2], pt;

	if (ioas_alloc(rig.iommu, &ioas[0]) || ioas_alloc(rig.iommu, &ioas[1]))
		err(1, "IOASes");
	pt = ioas[0];
	check_rc(dev_attach_pasid(rig.dev, 1, &pt), 0, "attach at PASID 1");
	pt = ioas[1];
	refused(dev_attach_pasid(rig.dev, 1, &pt), "replace at PASID 1", "replace at a PASID");
	check_rc(destroy(rig.iommu, ioas[0]), -EBUSY, "what was attached still is");
	check_rc(dev_detach_pasid(rig.dev, 1), 0, "detach of PASID 1");
	pt = ioas[1];
	check_rc(dev_attach_pasid(rig.dev, 1, &pt), 0, "attach of the other");
	check_rc(dev_detach_pasid(rig.dev, 1), 0, "its detach");
}

/* No rig: that would attach. */
static void no_attach(const char *bdf)
{
	__u32 pt;

	rig.iommu = open_iommu();
	rig.dev = open_cdev(bdf);
	if (dev_bind(rig.dev, rig.iommu, &rig.devid) || ioas_alloc(rig.iommu, &rig.ioas))
		err(1, "bind");
	pt = rig.ioas;
	refused(dev_attach(rig.dev, &pt), "attach", "first-stage tables");
}

static void no_pasid(void)
{
	__u32 pt = rig.ioas;

	told("");
	refused(dev_attach_pasid(rig.dev, 1, &pt), "attach at PASID 1", "caching IOMMU");
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[2] : "";

	if (argc < 2 || argc > 3)
		errx(2, "usage: stock BDF [no-attach | no-pasid]");
	kmsg = xopen("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (lseek(kmsg, 0, SEEK_END) < 0)
		err(1, "/dev/kmsg");
	if (!strcmp(what, "no-attach")) {
		no_attach(argv[1]);
		return check_done();
	}
	rig_open(&rig, argv[1]);
	if (!strcmp(what, "no-pasid")) {
		no_pasid();
	} else {
		files();
		tables();
		pasid();
	}
	rig_close(&rig);
	return check_done();
}
