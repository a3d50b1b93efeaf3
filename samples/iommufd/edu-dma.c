// SPDX-License-Identifier: GPL-2.0
/*
 * A first program for /dev/iommu: give a PCI function memory, let it copy data both ways, take the
 * memory away again, and see that the function can no longer reach it.
 *
 * The function is QEMU's "edu" (PCI ID 1234:11e8), which has a 4 KiB buffer of its own and a DMA
 * engine that copies between that and memory. Bind it to vfio-pci, then: edu-dma 0000:00:03.0
 *
 * Three kinds of address are met below. A pointer is what this program uses. An IOVA, an I/O
 * virtual address, is what the function puts on the bus. Physical addresses are known only to the
 * kernel: /dev/iommu makes the IOMMU translate IOVAs into them, and refuse every other IOVA.
 */
#include <err.h>
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

#define BUF_SIZE	8192		/* a multiple of the page size */
#define COPY_SIZE	2048
#define IOVA		0x1000000ULL	/* any below 256 MiB: edu has 28 address bits */

/* Its registers, as 8-byte words of its BAR 0, and where its own buffer appears to it. */
#define EDU_DMA_SRC	(0x80 / 8)
#define EDU_DMA_DST	(0x88 / 8)
#define EDU_DMA_COUNT	(0x90 / 8)
#define EDU_DMA_CMD	(0x98 / 8)
#define   EDU_START	1ULL
#define   EDU_TO_MEMORY	2ULL		/* else from memory */
#define EDU_BUFFER	0x40000ULL

static void call(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", name);
}

/* vfio-pci makes a character device per function; sysfs tells its name. */
static int open_device(const char *bdf)
{
	char path[100];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio*", bdf);
	if (glob(path, 0, NULL, &found))
		errx(1, "%s is not bound to vfio-pci", bdf);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", basename(found.gl_pathv[0]));
	fd = open(path, O_RDWR);
	if (fd < 0)
		err(1, "%s", path);
	printf("device   %s is %s\n", bdf, path);
	return fd;
}

/* Where a region of the function (a BAR, its configuration space) starts in the device file. */
static off_t region(int device, unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	call(device, VFIO_DEVICE_GET_REGION_INFO, &info, "VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

/* A PCI function may start DMA only after its "bus master" bit has been set. */
static void enable_bus_master(int device)
{
	off_t command = region(device, VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND;
	__u16 value;

	if (pread(device, &value, 2, command) != 2)
		err(1, "reading the PCI command register");
	value |= PCI_COMMAND_MASTER;
	if (pwrite(device, &value, 2, command) != 2)
		err(1, "writing the PCI command register");
}

static void edu_copy(__u64 *bar, __u64 src, __u64 dst, __u64 command)
{
	__atomic_store_n(bar + EDU_DMA_SRC, src, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + EDU_DMA_DST, dst, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + EDU_DMA_COUNT, COPY_SIZE, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + EDU_DMA_CMD, command | EDU_START, __ATOMIC_SEQ_CST);
	/* The function clears the bit when it has finished. */
	while (__atomic_load_n(bar + EDU_DMA_CMD, __ATOMIC_SEQ_CST) & EDU_START)
		usleep(1000);
}

/* Prints what the IOMMU driver says in the kernel log about a refused access; 0 if nothing came. */
static int fault_reported(int kmsg)
{
	char line[1024];
	ssize_t n;

	for (int tries = 0; tries < 300; tries++) {
		while ((n = read(kmsg, line, sizeof(line) - 1)) > 0) {
			line[n] = 0;
			if (!strstr(line, "fault addr") && !strstr(line, "IO_PAGE_FAULT") &&
			    !strstr(line, "event 0x10"))
				continue;
			printf("fault    %s\n", strtok(strchr(line, ';') + 1, "\n"));
			return 1;
		}
		usleep(10000);
	}
	return 0;
}

/* To the function and back, into the other half of the buffer. */
static void copy_both_ways(__u64 *bar, __u8 *buf)
{
	int i;

	for (i = 0; i < COPY_SIZE; i++)
		buf[i] = i * 7 + i / 256;
	edu_copy(bar, IOVA, EDU_BUFFER, 0);
	edu_copy(bar, EDU_BUFFER, IOVA + BUF_SIZE / 2, EDU_TO_MEMORY);
	if (memcmp(buf, buf + BUF_SIZE / 2, COPY_SIZE))
		errx(1, "the function did not bring back what it was given");
	printf("copy     %d bytes to the function and back: equal\n", COPY_SIZE);
}

static void see_refusal(__u64 *bar, __u8 *buf)
{
	int i, kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		err(1, "/dev/kmsg");
	memset(buf, 0, BUF_SIZE);
	edu_copy(bar, EDU_BUFFER, IOVA, EDU_TO_MEMORY);
	for (i = 0; i < BUF_SIZE; i++)
		if (buf[i])
			errx(1, "the function wrote to memory that is no longer mapped");
	if (!fault_reported(kmsg))
		errx(1, "the IOMMU did not report the refused access");
	printf("refused  the function's next write did not arrive\n");
}

int main(int argc, char **argv)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = { .size = sizeof(map), .iova = IOVA, .length = BUF_SIZE };
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .iova = IOVA, .length = BUF_SIZE };
	int device, iommu;
	__u64 *bar;
	__u8 *buf;

	if (argc != 2)
		errx(2, "usage: edu-dma <PCI address, for instance 0000:00:03.0>");
	buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		err(1, "mmap");

	/* One open of /dev/iommu is a context: it owns all that is made through it. */
	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0)
		err(1, "/dev/iommu");

	/* The context takes the function over: from now on no DMA of it goes anywhere unasked. */
	device = open_device(argv[1]);
	bind.iommufd = iommu;
	call(device, VFIO_DEVICE_BIND_IOMMUFD, &bind, "VFIO_DEVICE_BIND_IOMMUFD");

	/* An IOAS is an I/O address space, empty at first. The function is put into it. */
	call(iommu, IOMMU_IOAS_ALLOC, &alloc, "IOMMU_IOAS_ALLOC");
	attach.pt_id = alloc.out_ioas_id;
	call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	printf("attach   function %u is in address space %u\n", bind.out_devid, alloc.out_ioas_id);

	/* Memory for it, at an IOVA of our choice; without FIXED_IOVA the kernel chooses. */
	map.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	map.ioas_id = alloc.out_ioas_id;
	map.user_va = (unsigned long)buf;
	call(iommu, IOMMU_IOAS_MAP, &map, "IOMMU_IOAS_MAP");
	printf("map      %d bytes at IOVA %#llx\n", BUF_SIZE, IOVA);

	bar = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		   region(device, VFIO_PCI_BAR0_REGION_INDEX));
	if (bar == MAP_FAILED)
		err(1, "mmap of BAR 0");
	enable_bus_master(device);
	copy_both_ways(bar, buf);

	/* Once this call has returned, the function can no longer reach the memory. */
	unmap.ioas_id = alloc.out_ioas_id;
	call(iommu, IOMMU_IOAS_UNMAP, &unmap, "IOMMU_IOAS_UNMAP");
	printf("unmap    %llu bytes\n", (unsigned long long)unmap.length);
	see_refusal(bar, buf);
	return 0;	/* closing the files, as exit does, undoes the rest */
}
