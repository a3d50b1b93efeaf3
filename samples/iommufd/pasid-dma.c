// SPDX-License-Identifier: GPL-2.0
/*
 * A PASID from its allocation to its end: an address space of its own for the requests of a
 * function that carry it. Done twice: with a number that the kernel gives, and with one that the
 * caller chose, as a virtual machine monitor does for its guest.
 *
 * The function is QEMU's "edu" (PCI ID 1234:11e8), which has no PASIDs: the test module pasid_shim,
 * of tests/vm/modules/, makes it one that has, and through_pasid() below tells the module which
 * PASID the function's requests have. A driver of a real function writes the PASID into a register
 * or descriptor of the function there; nothing else differs.
 *
 *	insmod pasid_shim.ko function=0000:00:03.0	# then bind the function to vfio-pci
 *	pasid-dma 0000:00:03.0
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define SIZE		4096
#define IOVA		0x1000000ULL
#define TAG		1		/* what a guest might choose */
#define EDU_BUFFER	0x40000ULL
#define SHIM		"/sys/kernel/debug/pasid_shim/rid_pasid"

static int iommu, device;
static __u32 dev_id;
static __u64 *bar;

static void call(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", name);
}

static void must_fail(unsigned long request, void *arg, int error, const char *what)
{
	if (!ioctl(iommu, request, arg))
		errx(1, "%s: was not refused", what);
	if (errno != error)
		err(1, "%s: not the error it should be, but", what);
	printf("refused  %s: %s\n", what, strerror(errno));
}

static off_t region(unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	call(device, VFIO_DEVICE_GET_REGION_INFO, &info, "VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

static void take_function(const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char path[100];
	glob_t found;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio*", bdf);
	if (glob(path, 0, NULL, &found))
		errx(1, "%s is not bound to vfio-pci", bdf);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", basename(found.gl_pathv[0]));
	device = open(path, O_RDWR);
	if (device < 0)
		err(1, "%s", path);
	call(device, VFIO_DEVICE_BIND_IOMMUFD, &bind, "VFIO_DEVICE_BIND_IOMMUFD");
	dev_id = bind.out_devid;
	bar = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		   region(VFIO_PCI_BAR0_REGION_INDEX));
	if (bar == MAP_FAILED)
		err(1, "mmap of BAR 0");
	if (pwrite(device, &command, 2, region(VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND) != 2)
		err(1, "writing the PCI command register");
}

/* From now on the function's requests have this PASID; 0 is none. */
static void through_pasid(__u32 pasid)
{
	int fd = open(SHIM, O_WRONLY);

	if (fd < 0 || dprintf(fd, "%u\n", pasid) < 0)
		err(1, SHIM);
	close(fd);
}

static void edu_copy(__u64 src, __u64 dst, __u64 command)
{
	__atomic_store_n(bar + 0x80 / 8, src, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x88 / 8, dst, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x90 / 8, SIZE / 2, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x98 / 8, command | 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1)
		usleep(1000);
}

/* A new address space in which IOVA is a new page. */
static __u32 address_space(char **page)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map), .iova = IOVA, .length = SIZE,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};

	*page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*page == MAP_FAILED)
		err(1, "mmap");
	call(iommu, IOMMU_IOAS_ALLOC, &alloc, "IOMMU_IOAS_ALLOC");
	map.ioas_id = alloc.out_ioas_id;
	map.user_va = (unsigned long)*page;
	call(iommu, IOMMU_IOAS_MAP, &map, "IOMMU_IOAS_MAP");
	return alloc.out_ioas_id;
}

/* The function reads x without a PASID, and writes it to the same IOVA with one. */
static void carry(__u32 pasid, char *x, char *y, const char *text, const char *want)
{
	snprintf(x, SIZE, "%s", text);
	edu_copy(IOVA, EDU_BUFFER, 0);
	snprintf(x, SIZE, "-");
	through_pasid(pasid);
	edu_copy(EDU_BUFFER, IOVA, 2);
	through_pasid(0);
	printf("write    \"%s\" with PASID %u: X \"%s\", Y \"%s\"\n", text, pasid, x, y);
	if (strcmp(x, "-") || strcmp(y, want))
		errx(1, "it should be X \"-\", Y \"%s\"", want);
}

static void one_life(__u32 flags, __u32 pasid, __u32 ioas, char *x, char *y)
{
	struct iommu_pasid_alloc alloc = {
		.size = sizeof(alloc), .flags = flags, .dev_id = dev_id, .pasid = pasid,
	};
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .flags = VFIO_DEVICE_ATTACH_PASID, .pt_id = ioas,
	};
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach), .flags = VFIO_DEVICE_DETACH_PASID,
	};
	struct iommu_pasid_free end = { .size = sizeof(end), .dev_id = dev_id };

	call(iommu, IOMMU_PASID_ALLOC, &alloc, "IOMMU_PASID_ALLOC");
	printf("alloc    PASID %u, %s choice\n", alloc.pasid, flags ? "our" : "the kernel's");
	attach.pasid = alloc.pasid;
	detach.pasid = alloc.pasid;
	end.pasid = alloc.pasid;
	call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, "attaching the PASID");
	carry(alloc.pasid, x, y, flags ? "tagged" : "simple", flags ? "tagged" : "simple");
	if (flags)
		must_fail(IOMMU_PASID_ALLOC, &alloc, EBUSY, "the same PASID again");
	must_fail(IOMMU_PASID_FREE, &end, EBUSY, "to free it while it is attached");
	call(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach, "detaching the PASID");
	carry(alloc.pasid, x, y, "late", flags ? "tagged" : "simple");
	printf("refused  the write after the detach did not arrive\n");
	call(iommu, IOMMU_PASID_FREE, &end, "IOMMU_PASID_FREE");
	printf("free     PASID %u\n", alloc.pasid);
}

int main(int argc, char **argv)
{
	struct iommu_pasid_info info = { .size = sizeof(info) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	char *x, *y;
	__u32 ioas;

	if (argc != 2)
		errx(2, "usage: pasid-dma <PCI address, for instance 0000:00:03.0>");
	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0)
		err(1, "/dev/iommu");
	take_function(argv[1]);
	info.dev_id = dev_id;
	call(iommu, IOMMU_PASID_INFO, &info, "IOMMU_PASID_INFO");
	if (info.out_policy == IOMMU_PASID_POLICY_NONE)
		errx(1, "%s has no PASIDs: is pasid_shim loaded?", argv[1]);
	printf("PASIDs   1 to %u\n", info.out_limit);

	/* Requests without PASID see page X at IOVA, those with the PASID page Y. */
	attach.pt_id = address_space(&x);
	call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	ioas = address_space(&y);
	one_life(0, 0, ioas, x, y);
	one_life(IOMMU_PASID_ALLOC_TAGGED, TAG, ioas, x, y);
	return 0;
}
