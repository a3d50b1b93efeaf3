// SPDX-License-Identifier: GPL-2.0
/* See pq.h. */
#include <err.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "pq.h"
#include "rig.h"

#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

int iommu, dev;
__u32 devid;
off_t bar;
struct space a, b, c;

struct pasidq_regs regs(void)
{
	struct pasidq_regs regs;

	if (pread(dev, &regs, sizeof(regs), bar) != sizeof(regs))
		err(1, "reading the registers");
	return regs;
}

void submit(const struct pasidq_desc *desc)
{
	if (pwrite(dev, desc, sizeof(*desc), bar + PASIDQ_PORTAL) != sizeof(*desc))
		err(1, "writing a descriptor");
}

/* For when nobody else submits. */
__u32 run(struct pasidq_desc desc)
{
	struct pasidq_regs before = regs(), after;

	submit(&desc);
	after = regs();
	if (after.done + after.failed != before.done + before.failed + 1)
		errx(1, "one descriptor was counted %lld times",
		     after.done + after.failed - before.done - before.failed);
	return after.done != before.done ? PASIDQ_OK : after.status;
}

struct pasidq_desc move(__u32 op, __u32 src, __u32 dst)
{
	return (struct pasidq_desc) {
		.op = op, .src_pasid = src, .src = SRC, .dst_pasid = dst, .dst = DST,
		.length = PAGE, .value = 0x1122334455667788,
	};
}

struct pasidq_desc at(__u32 op, __u32 dst)
{
	return (struct pasidq_desc) { .op = op, .dst_pasid = dst, .dst = KEEP };
}

void xattach(__u32 pasid, __u32 ioas)
{
	int rc = dev_attach_pasid(dev, pasid, &ioas);

	if (rc)
		errx(1, "attaching PASID %u: %s", pasid, strerror(-rc));
}

void xmap(const struct space *space, const void *va, __u64 iova, __u64 length, __u32 flags)
{
	int rc = ioas_map(iommu, space->ioas, va, length, iova, flags);

	if (rc)
		errx(1, "mapping at %#llx: %s", iova, strerror(-rc));
}

void new_space(struct space *space)
{
	if (ioas_alloc(iommu, &space->ioas))
		errx(1, "IOAS_ALLOC");
	space->mem = xmmap(PAGES * PAGE, SHARED, -1);
	xmap(space, space->mem, BASE, (PAGES - 1) * PAGE, RW);
	xmap(space, space->mem + KEEP - BASE, KEEP, PAGE, RW);
	xmap(space, space->mem + PAGE, RDONLY, PAGE, IOMMU_IOAS_MAP_READABLE);
	xmap(space, space->mem + PAGE, WRONLY, PAGE, IOMMU_IOAS_MAP_WRITEABLE);
}

/* Different in every page of every space. */
void patterns(void)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		fill(a.mem + i * PAGE, PAGE, 10 + i);
		fill(b.mem + i * PAGE, PAGE, 20 + i);
		fill(c.mem + i * PAGE, PAGE, 30 + i);
	}
}

void bind_device(const char *path)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info), .index = VFIO_PCI_BAR0_REGION_INDEX,
	};

	dev = open_cdev(path);
	if (dev_bind(dev, iommu, &devid) || ioctl(dev, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "binding %s", path);
	bar = info.offset;
}

void pq_open(const char *path)
{
	iommu = open_iommu();
	bind_device(path);
	new_space(&a);
	new_space(&b);
	new_space(&c);
}

pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg))
		errx(1, "a thread");
	return thread;
}
