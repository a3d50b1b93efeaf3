// SPDX-License-Identifier: GPL-2.0
/*
 * Page requests: memory that is mapped only when a device asks for it. A device with PRI that finds
 * nothing mapped asks for the page. The request is read from a fault queue; this program maps the
 * page, and answers; the device then tries again. A page that it should not have is refused.
 *
 *	fault-queue 0000:00:03.0 5	# serves what that function asks for at its PASID 5
 *	fault-queue --mock		# the same with a device that does not exist
 *
 * No function that QEMU emulates makes page requests. With --mock the device is one of the mock
 * IOMMU's (CONFIG_IOMMUFD_TEST, a kernel for tests), and asks when this program tells it to. What
 * serves it, serve() and what that calls, is what serves hardware.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <iommufd_test.h>

#define PAGE	4096ULL
#define FIRST	0x1000000ULL	/* the IOVAs that the device may use */
#define SIZE	(64 * PAGE)
#define GROUP	16		/* page requests that we read at once, at least a whole group */

static int iommu, device = -1, queue;
static __u32 dev_id, mock_id, ioas, hwpt;
static char *memory;		/* page n of it belongs at FIRST + n pages */

static void call(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", name);
}

/* Makes the page that was asked for be there. */
static int map_page(__u64 addr)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = ioas, .iova = addr & -PAGE, .length = PAGE,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};

	if (addr < FIRST || addr >= FIRST + SIZE)
		return 0;
	map.user_va = (unsigned long)memory + (map.iova - FIRST);
	/* Two requests may ask for one page. */
	if (ioctl(iommu, IOMMU_IOAS_MAP, &map) && errno != EEXIST)
		err(1, "IOMMU_IOAS_MAP");
	return 1;
}

/* Reads page requests once, and answers each group of them when its last one is served. */
static void serve(void)
{
	struct iommu_hwpt_pgfault requests[GROUP];
	struct iommu_hwpt_page_response answer = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	struct pollfd p = { .fd = queue, .events = POLLIN };
	ssize_t n = poll(&p, 1, -1) < 0 ? -1 : read(queue, requests, sizeof(requests));

	if (n < 0)
		err(1, "reading page requests");
	/* Groups come whole, and one after the other. */
	for (size_t i = 0; i < n / sizeof(requests[0]); i++) {
		struct iommu_hwpt_pgfault *r = &requests[i];

		printf("request  group %u: %#llx at PASID %u, to %s\n", r->grpid,
		       (unsigned long long)r->addr, r->pasid,
		       r->perm & IOMMU_PGFAULT_PERM_WRITE ? "write" : "read");
		if (!map_page(r->addr))
			answer.code = IOMMUFD_PAGE_RESP_INVALID;
		if (!(r->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
			continue;
		answer.cookie = r->cookie;
		/* EINVAL: what asked was detached meanwhile, and has been told. */
		if (write(queue, &answer, sizeof(answer)) < 0 && errno != EINVAL)
			err(1, "answering a page request");
		printf("answer   group %u: %s\n", r->grpid,
		       answer.code == IOMMUFD_PAGE_RESP_SUCCESS ? "mapped" : "refused");
		answer.code = IOMMUFD_PAGE_RESP_SUCCESS;
	}
}

static void bind_function(const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
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
}

static void bind_mock(void)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd), .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS, .id = ioas,
		.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID,
	};

	call(iommu, IOMMU_TEST_CMD, &cmd, "a mock device: is this a kernel for tests?");
	mock_id = cmd.mock_domain_flags.out_stdev_id;
	dev_id = cmd.mock_domain_flags.out_idev_id;
}

/* A page table with a fault queue, at a PASID: VT-d has page requests only there. */
static void attach_at(__u32 pasid)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .dev_id = dev_id, .pt_id = ioas,
		.flags = IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_FAULT_ID_VALID,
	};
	struct vfio_device_attach_iommufd_pt at = {
		.argsz = sizeof(at), .flags = VFIO_DEVICE_ATTACH_PASID, .pasid = pasid,
	};
	struct iommu_test_cmd mock = {
		.size = sizeof(mock), .op = IOMMU_TEST_OP_PASID_ATTACH, .id = mock_id,
		.pasid_attach.pasid = pasid,
	};

	call(iommu, IOMMU_FAULT_QUEUE_ALLOC, &fault, "IOMMU_FAULT_QUEUE_ALLOC");
	queue = fault.out_fault_fd;
	alloc.fault_id = fault.out_fault_id;
	call(iommu, IOMMU_HWPT_ALLOC, &alloc, "IOMMU_HWPT_ALLOC");
	hwpt = alloc.out_hwpt_id;
	at.pt_id = hwpt;
	mock.pasid_attach.pt_id = hwpt;
	if (device < 0)
		call(iommu, IOMMU_TEST_CMD, &mock, "attaching the mock device's PASID");
	else
		call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &at, "attaching the PASID");
	printf("attach   PASID %u to page table %u with fault queue %u\n", pasid, hwpt,
	       fault.out_fault_id);
}

/* Has the mock device ask for a page, serves it, and looks where the IOVA leads. */
static void mock_asks(__u32 pasid, __u32 group, __u64 addr, const char *want)
{
	struct iommu_test_cmd ask = {
		.size = sizeof(ask), .op = IOMMU_TEST_OP_TRIGGER_IOPF,
		.trigger_iopf = { .dev_id = dev_id, .pasid = pasid, .grpid = group,
				  .perm = IOMMU_PGFAULT_PERM_WRITE, .addr = addr },
	};
	struct iommu_test_cmd look = {
		.size = sizeof(look), .op = IOMMU_TEST_OP_MD_CHECK_MAP, .id = hwpt,
		.check_map = { .iova = addr, .length = PAGE, .uptr = (unsigned long)want },
	};

	call(iommu, IOMMU_TEST_CMD, &ask, "a page request of the mock device");
	serve();
	if (!want == !ioctl(iommu, IOMMU_TEST_CMD, &look))
		errx(1, "the page table does not have what it should at %#llx", addr);
	printf("table    %#llx leads to %s\n", addr, want ? "our page" : "nothing");
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (argc != 2 + (argc > 1 && strcmp(argv[1], "--mock")))
		errx(2, "usage: fault-queue --mock | <PCI address> <PASID>");
	iommu = open("/dev/iommu", O_RDWR);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (iommu < 0 || memory == MAP_FAILED)
		err(1, "/dev/iommu, or mmap");
	call(iommu, IOMMU_IOAS_ALLOC, &alloc, "IOMMU_IOAS_ALLOC");
	ioas = alloc.out_ioas_id;
	if (argc == 3) {
		bind_function(argv[1]);
		attach_at(atoi(argv[2]));
		for (;;)	/* the function's own driver, here or elsewhere, makes it work */
			serve();
	}
	bind_mock();
	attach_at(5);
	mock_asks(5, 1, FIRST, memory);
	mock_asks(5, 2, FIRST + 9 * PAGE, memory + 9 * PAGE);
	mock_asks(5, 3, FIRST + SIZE, NULL);
	return 0;
}
