// SPDX-License-Identifier: GPL-2.0
/*
 * What a PASID costs, by how many are live: alloc, attach, detach and free of one, on the mock
 * IOMMU, whose own part is small and the same at any number; and what a live one takes of the
 * kernel's memory. A base kernel has no such calls: then nothing is measured.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "bench.h"
#include "iommufd_test.h"

#define BATCH	1000

struct pasids {
	int fd;
	__u32 device;		/* as an iommufd device */
	__u32 mock;		/* the same as a mock device */
	__u32 hwpt;
	__u32 batch[BATCH];
};

static void open_device(struct pasids *p)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_test_cmd test = { .size = sizeof(test), .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt), .flags = IOMMU_HWPT_ALLOC_PASID };

	p->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (p->fd < 0 || ioctl(p->fd, IOMMU_IOAS_ALLOC, &ioas))
		err(1, "/dev/iommu");
	test.id = ioas.out_ioas_id;
	if (ioctl(p->fd, IOMMU_TEST_CMD, &test))
		err(1, "mock device");
	p->mock = test.mock_domain_flags.out_stdev_id;
	p->device = test.mock_domain_flags.out_idev_id;
	hwpt.dev_id = p->device;
	hwpt.pt_id = ioas.out_ioas_id;
	if (ioctl(p->fd, IOMMU_HWPT_ALLOC, &hwpt))
		err(1, "IOMMU_HWPT_ALLOC");
	p->hwpt = hwpt.out_hwpt_id;
}

static __u32 pasid_alloc(struct pasids *p)
{
	struct iommu_pasid_alloc cmd = { .size = sizeof(cmd), .dev_id = p->device };

	if (ioctl(p->fd, IOMMU_PASID_ALLOC, &cmd))
		err(1, "IOMMU_PASID_ALLOC");
	return cmd.pasid;
}

static void pasid_free(struct pasids *p, __u32 pasid)
{
	struct iommu_pasid_free cmd = { .size = sizeof(cmd), .dev_id = p->device, .pasid = pasid };

	if (ioctl(p->fd, IOMMU_PASID_FREE, &cmd))
		err(1, "IOMMU_PASID_FREE");
}

static void pasid_attach(struct pasids *p, __u32 pasid)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_PASID_ATTACH,
		.id = p->mock, .pasid_attach = { .pasid = pasid, .pt_id = p->hwpt } };

	if (ioctl(p->fd, IOMMU_TEST_CMD, &cmd))
		err(1, "attach PASID %u", pasid);
}

static void pasid_detach(struct pasids *p, __u32 pasid)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_PASID_DETACH,
		.id = p->mock, .pasid_detach.pasid = pasid };

	if (ioctl(p->fd, IOMMU_TEST_CMD, &cmd))
		err(1, "detach PASID %u", pasid);
}

static void one_row(const char *step, unsigned long live, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "pasid.%s.%lu", step, live);
	row("iommufd", text, value);
}

static void measure_batch(struct pasids *p, unsigned long live)
{
	double cost[4], start;
	int i;

	start = now();
	for (i = 0; i < BATCH; i++)
		p->batch[i] = pasid_alloc(p);
	cost[0] = since(start) / BATCH;
	start = now();
	for (i = 0; i < BATCH; i++)
		pasid_attach(p, p->batch[i]);
	cost[1] = since(start) / BATCH;
	start = now();
	for (i = 0; i < BATCH; i++)
		pasid_detach(p, p->batch[i]);
	cost[2] = since(start) / BATCH;
	start = now();
	for (i = 0; i < BATCH; i++)
		pasid_free(p, p->batch[i]);
	cost[3] = since(start) / BATCH;
	one_row("alloc", live, cost[0]);
	one_row("attach", live, cost[1]);
	one_row("detach", live, cost[2]);
	one_row("free", live, cost[3]);
	one_row("all", live, cost[0] + cost[1] + cost[2] + cost[3]);
}

/* Whether the kernel has PASIDs: it looks for the device. */
static bool have_pasids(void)
{
	struct iommu_pasid_info cmd = { .size = sizeof(cmd) };
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	bool have = fd >= 0 && ioctl(fd, IOMMU_PASID_INFO, &cmd) && errno == ENOENT;

	close(fd);
	return have;
}

void bench_pasids(void)
{
	static const unsigned long points[] = { 1, 1000, 100000, 1000000 };
	struct pasids p;
	unsigned long live = 0;
	long long before;
	size_t i;

	if (!have_pasids())
		return;
	open_device(&p);
	/* What is there once for all of them, such as slabs and tables, is there then. */
	measure_batch(&p, 0);
	before = free_memory();
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (; live < points[i]; live++)
			pasid_attach(&p, pasid_alloc(&p));
		measure_batch(&p, live);
	}
	row("iommufd", "pasid.memory", (double)(before - free_memory()) / live);
	close(p.fd);
	/* All of it, down to the page tables of numbers, has gone with the file. */
	row("iommufd", "pasid.leak", (double)(before - free_memory()) / live);
}
