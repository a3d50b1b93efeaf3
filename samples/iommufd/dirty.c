// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking: which pages has a device written to since we last asked? A virtual machine
 * monitor asks while it copies a running guest to another machine, and copies those once more.
 *
 *	dirty 0000:00:03.0	# QEMU's "edu", bound to vfio-pci, behind an IOMMU that can
 *	dirty --mock		# the same with a device that does not exist
 *
 * Few IOMMUs can, and no emulated one. With --mock the device is one of the mock IOMMU's
 * (CONFIG_IOMMUFD_TEST, a kernel for tests): where this program would make a function write, it
 * tells the mock which pages are to be dirty. All other calls are those for hardware.
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
#include <iommufd_test.h>

#define PAGE		4096ULL
#define PAGES		64		/* so that their bits are one word */
#define IOVA		0x1000000ULL
#define EDU_BUFFER	0x40000ULL

static int iommu, device = -1;
static __u32 dev_id, mock_id, ioas, hwpt;
static __u64 *bar;

static void call(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", name);
}

static off_t region(unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	call(device, VFIO_DEVICE_GET_REGION_INFO, &info, "VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

static void bind_function(const char *bdf)
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
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		   region(VFIO_PCI_BAR0_REGION_INDEX));
	if (bar == MAP_FAILED)
		err(1, "mmap of BAR 0");
	if (pwrite(device, &command, 2, region(VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND) != 2)
		err(1, "writing the PCI command register");
}

static void bind_mock(void)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd), .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = ioas,
	};

	call(iommu, IOMMU_TEST_CMD, &cmd, "a mock device: is this a kernel for tests?");
	mock_id = cmd.mock_domain.out_stdev_id;
	dev_id = cmd.mock_domain.out_idev_id;
}

static void attach(void)
{
	struct vfio_device_attach_iommufd_pt at = { .argsz = sizeof(at), .pt_id = hwpt };
	struct iommu_test_cmd mock = {
		.size = sizeof(mock), .op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, .id = mock_id,
		.mock_domain_replace.pt_id = hwpt,
	};

	if (device < 0)
		call(iommu, IOMMU_TEST_CMD, &mock, "attaching the mock device");
	else
		call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &at, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

/* The device writes to one page. */
static void device_writes(unsigned int page)
{
	__u8 bits = 3;	/* of the mock's pages, half as large as ours */
	struct iommu_test_cmd mock = {
		.size = sizeof(mock), .op = IOMMU_TEST_OP_DIRTY, .id = hwpt,
		.dirty = { .iova = IOVA + page * PAGE, .length = PAGE,
			   .page_size = MOCK_PAGE_SIZE, .uptr = (unsigned long)&bits },
	};

	printf("write    page %u\n", page);
	if (device < 0) {
		call(iommu, IOMMU_TEST_CMD, &mock, "a write of the mock device");
		return;
	}
	__atomic_store_n(bar + 0x80 / 8, EDU_BUFFER, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x88 / 8, IOVA + page * PAGE, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x90 / 8, 64, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x98 / 8, 3, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1)
		usleep(1000);
}

static void track(__u32 flags)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set), .hwpt_id = hwpt, .flags = flags,
	};

	call(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &set, "IOMMU_HWPT_SET_DIRTY_TRACKING");
	printf("tracking %s\n", flags ? "on" : "off");
}

/* Bit n: page n was written to. Reading forgets, unless the flag says otherwise. */
static void expect_dirty(__u64 want, __u32 flags)
{
	__u64 bits = 0;		/* the call only sets bits */
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get), .hwpt_id = hwpt, .flags = flags, .iova = IOVA,
		.length = PAGES * PAGE, .page_size = PAGE, .data = (unsigned long)&bits,
	};

	call(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &get, "IOMMU_HWPT_GET_DIRTY_BITMAP");
	printf("dirty    %016llx%s\n", (unsigned long long)bits, flags ? ", and kept" : "");
	if (bits != want)
		errx(1, "it should be %016llx", (unsigned long long)want);
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_hwpt_alloc table = { .size = sizeof(table) };
	struct iommu_ioas_map map = {
		.size = sizeof(map), .iova = IOVA, .length = PAGES * PAGE,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE,
	};
	void *buf = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 2)
		errx(2, "usage: dirty --mock | <PCI address>");
	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0 || buf == MAP_FAILED)
		err(1, "/dev/iommu, or mmap");
	call(iommu, IOMMU_IOAS_ALLOC, &alloc, "IOMMU_IOAS_ALLOC");
	ioas = alloc.out_ioas_id;
	if (!strcmp(argv[1], "--mock"))
		bind_mock();
	else
		bind_function(argv[1]);
	table.dev_id = dev_id;
	table.pt_id = ioas;
	table.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	if (ioctl(iommu, IOMMU_HWPT_ALLOC, &table))
		err(1, "a page table with dirty tracking%s",
		    errno == EOPNOTSUPP ? ": this IOMMU has none" : "");
	hwpt = table.out_hwpt_id;
	attach();
	map.ioas_id = ioas;
	map.user_va = (unsigned long)buf;
	call(iommu, IOMMU_IOAS_MAP, &map, "IOMMU_IOAS_MAP");

	track(IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
	expect_dirty(0, 0);
	device_writes(0);
	device_writes(7);
	expect_dirty(0x81, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
	expect_dirty(0x81, 0);
	device_writes(63);
	expect_dirty(1ULL << 63, 0);	/* what was read before is clean again */
	track(0);
	return 0;
}
