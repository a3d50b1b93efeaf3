// SPDX-License-Identifier: GPL-2.0
/*
 * An I/O address space (IOAS) from all sides: which IOVAs can be used, memory and a file mapped
 * where the kernel chooses, DMA between the two, and what the kernel refuses.
 *
 * The function is QEMU's "edu" (PCI ID 1234:11e8), as in edu-dma.c, which is the program to read
 * first. Bind it to vfio-pci, then: map 0000:00:03.0
 */
#define _GNU_SOURCE
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
#define FIRST		0x100000ULL	/* what we let the kernel choose from */
#define LAST		0xfffffffULL	/* edu has 28 address bits */
#define INTERRUPTS	0xfee00000ULL	/* a write there is an interrupt, on a PC */
#define EDU_BUFFER	0x40000ULL	/* where edu's own buffer appears to it */

static int iommu, device;
static __u32 ioas;
static __u64 *bar;

static void call(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", name);
}

/* Makes a call that must fail, in one way. */
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

/* Binds the function to this context, and attaches it to a new IOAS. */
static void take_function(const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
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
	call(iommu, IOMMU_IOAS_ALLOC, &alloc, "IOMMU_IOAS_ALLOC");
	ioas = alloc.out_ioas_id;
	attach.pt_id = ioas;
	call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	bar = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		   region(VFIO_PCI_BAR0_REGION_INDEX));
	if (bar == MAP_FAILED)
		err(1, "mmap of BAR 0");
	if (pwrite(device, &command, 2, region(VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND) != 2)
		err(1, "writing the PCI command register");
}

/* The function copies from one address to another, of which one is its own buffer. */
static void edu_copy(__u64 src, __u64 dst, __u64 command)
{
	__atomic_store_n(bar + 0x80 / 8, src, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x88 / 8, dst, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x90 / 8, SIZE / 2, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x98 / 8, command | 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1)
		usleep(1000);
}

static void choose_ranges(void)
{
	struct iommu_iova_range range[16], ours = { .start = FIRST, .last = LAST };
	struct iommu_ioas_iova_ranges usable = {
		.size = sizeof(usable), .ioas_id = ioas, .num_iovas = 16,
		.allowed_iovas = (unsigned long)range,
	};
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow), .ioas_id = ioas, .num_iovas = 1,
		.allowed_iovas = (unsigned long)&ours,
	};

	/* Attached before: what the function and its IOMMU cannot use is missing from the list. */
	call(iommu, IOMMU_IOAS_IOVA_RANGES, &usable, "IOMMU_IOAS_IOVA_RANGES");
	for (__u32 i = 0; i < usable.num_iovas; i++)
		printf("usable   %#llx to %#llx\n", (unsigned long long)range[i].start,
		       (unsigned long long)range[i].last);
	printf("align    %llu bytes\n", (unsigned long long)usable.out_iova_alignment);
	call(iommu, IOMMU_IOAS_ALLOW_IOVAS, &allow, "IOMMU_IOAS_ALLOW_IOVAS");
}

static void see_refusals(__u64 taken, __u8 *buf)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = ioas, .iova = taken, .length = SIZE,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.user_va = (unsigned long)buf,
	};
	struct iommu_ioas_unmap half = {
		.size = sizeof(half), .ioas_id = ioas, .iova = taken, .length = SIZE / 2,
	};

	must_fail(IOMMU_IOAS_MAP, &map, EEXIST, "a second mapping at that IOVA");
	map.iova = INTERRUPTS;
	must_fail(IOMMU_IOAS_MAP, &map, EINVAL, "a mapping where interrupts go");
	map.iova = FIRST + SIZE / 2;
	must_fail(IOMMU_IOAS_MAP, &map, EINVAL, "a mapping that is not aligned");
	must_fail(IOMMU_IOAS_UNMAP, &half, ENOENT, "an unmap of a part of a mapping");
}

int main(int argc, char **argv)
{
	struct iommu_ioas_map map = { .size = sizeof(map), .length = SIZE };
	struct iommu_ioas_map_file map_file = { .size = sizeof(map_file), .length = SIZE };
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .length = SIZE };
	__u8 *buf, got[SIZE];

	if (argc != 2)
		errx(2, "usage: map <PCI address, for instance 0000:00:03.0>");
	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0)
		err(1, "/dev/iommu");
	take_function(argv[1]);
	choose_ranges();

	/* Memory, at an IOVA that the kernel chooses. The function may only read it. */
	buf = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		err(1, "mmap");
	map.flags = IOMMU_IOAS_MAP_READABLE;
	map.ioas_id = ioas;
	map.user_va = (unsigned long)buf;
	call(iommu, IOMMU_IOAS_MAP, &map, "IOMMU_IOAS_MAP");
	printf("map      memory at IOVA %#llx\n", (unsigned long long)map.iova);

	/* A file in memory: it need not be mapped in this process. */
	map_file.fd = memfd_create("buffer", 0);
	if (map_file.fd < 0 || ftruncate(map_file.fd, SIZE))
		err(1, "memfd_create");
	map_file.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	map_file.ioas_id = ioas;
	call(iommu, IOMMU_IOAS_MAP_FILE, &map_file, "IOMMU_IOAS_MAP_FILE");
	printf("map      a file at IOVA %#llx\n", (unsigned long long)map_file.iova);
	if (map.iova < FIRST || map_file.iova < FIRST || map_file.iova > LAST)
		errx(1, "the kernel chose what was not allowed");

	for (int i = 0; i < SIZE; i++)
		buf[i] = i * 7 + i / 256;
	edu_copy(map.iova, EDU_BUFFER, 0);
	edu_copy(EDU_BUFFER, map_file.iova, 2);
	if (pread(map_file.fd, got, SIZE, 0) != SIZE || memcmp(buf, got, SIZE / 2))
		errx(1, "the file has not what the function read from memory");
	printf("copy     %d bytes from the memory into the file: equal\n", SIZE / 2);

	see_refusals(map.iova, buf);
	memset(buf, 0, SIZE);
	edu_copy(EDU_BUFFER, map.iova, 2);
	for (int i = 0; i < SIZE; i++)
		if (buf[i])
			errx(1, "the function wrote to what it may only read");
	printf("refused  the function's write to what it may only read\n");

	unmap.ioas_id = ioas;
	unmap.iova = map_file.iova;
	call(iommu, IOMMU_IOAS_UNMAP, &unmap, "IOMMU_IOAS_UNMAP");
	printf("unmap    %llu bytes; the file is as it was\n", (unsigned long long)unmap.length);
	return 0;
}
