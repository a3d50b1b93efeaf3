// SPDX-License-Identifier: GPL-2.0
/*
 * What a page request of a device costs until the device has its answer, on the mock IOMMU: it is
 * reported, read from the fault queue, and answered there. The base's mock has the same calls.
 */
#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "bench.h"
#include "iommufd_test.h"

#define ROUNDS	1000

struct faults {
	int fd;
	int file;
	__u32 ioas;
	__u32 device;		/* as an iommufd device */
	__u32 mock;		/* the same as a mock device */
};

static __u32 hwpt_alloc(struct faults *f, struct iommu_hwpt_alloc *hwpt)
{
	hwpt->size = sizeof(*hwpt);
	hwpt->dev_id = f->device;
	if (ioctl(f->fd, IOMMU_HWPT_ALLOC, hwpt))
		err(1, "IOMMU_HWPT_ALLOC");
	return hwpt->out_hwpt_id;
}

/* What the older of the two mocks knows of it. */
static __u32 nested_alloc(struct faults *f, __u32 queue)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc parent = {
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT, .pt_id = f->ioas,
	}, nested = {
		.flags = IOMMU_HWPT_FAULT_ID_VALID, .fault_id = queue,
		.data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = sizeof(data.iotlb),
		.data_uptr = (unsigned long)&data,
	};

	nested.pt_id = hwpt_alloc(f, &parent);
	return hwpt_alloc(f, &nested);
}

static void open_faults(struct faults *f)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_test_cmd test = { .size = sizeof(test), .op = IOMMU_TEST_OP_MOCK_DOMAIN };
	struct iommu_test_cmd replace = { .size = sizeof(replace),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE };
	struct iommu_fault_alloc queue = { .size = sizeof(queue) };

	f->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (f->fd < 0 || ioctl(f->fd, IOMMU_IOAS_ALLOC, &ioas))
		err(1, "/dev/iommu");
	f->ioas = ioas.out_ioas_id;
	test.id = f->ioas;
	if (ioctl(f->fd, IOMMU_TEST_CMD, &test))
		err(1, "mock device");
	f->mock = test.mock_domain.out_stdev_id;
	f->device = test.mock_domain.out_idev_id;
	if (ioctl(f->fd, IOMMU_FAULT_QUEUE_ALLOC, &queue))
		err(1, "IOMMU_FAULT_QUEUE_ALLOC");
	f->file = queue.out_fault_fd;
	replace.id = f->mock;
	replace.mock_domain_replace.pt_id = nested_alloc(f, queue.out_fault_id);
	if (ioctl(f->fd, IOMMU_TEST_CMD, &replace))
		err(1, "attach to the nested page table");
}

static void ask(struct faults *f)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_TRIGGER_IOPF,
		.trigger_iopf = { .dev_id = f->device, .pasid = 1, .grpid = 2,
				  .perm = IOMMU_PGFAULT_PERM_READ, .addr = BASE_IOVA } };

	if (ioctl(f->fd, IOMMU_TEST_CMD, &cmd))
		err(1, "page request");
}

void bench_faults(void)
{
	struct iommu_hwpt_page_response response = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	double cost[3] = {}, start;
	struct iommu_hwpt_pgfault fault;
	struct faults f;
	int i;

	open_faults(&f);
	for (i = -1; i < ROUNDS; i++) {
		start = now();
		ask(&f);
		cost[0] += since(start);
		start = now();
		if (read(f.file, &fault, sizeof(fault)) != sizeof(fault))
			err(1, "read a page request");
		cost[1] += since(start);
		response.cookie = fault.cookie;
		start = now();
		if (write(f.file, &response, sizeof(response)) != sizeof(response))
			err(1, "answer a page request");
		cost[2] += since(start);
		/* The first only warms up. */
		if (i < 0)
			memset(cost, 0, sizeof(cost));
	}
	row("iommufd", "fault.report", cost[0] / ROUNDS);
	row("iommufd", "fault.read", cost[1] / ROUNDS);
	row("iommufd", "fault.answer", cost[2] / ROUNDS);
	row("iommufd", "fault.round", (cost[0] + cost[1] + cost[2]) / ROUNDS);
	close(f.file);
	close(f.fd);
}
