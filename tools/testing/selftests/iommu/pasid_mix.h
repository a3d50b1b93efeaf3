/* SPDX-License-Identifier: GPL-2.0-only */
/* Two contexts, and how to see what a PASID stands for. */
#ifndef SELFTEST_PASID_MIX_H
#define SELFTEST_PASID_MIX_H

#include <errno.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define BUF (2 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define V 100

/* Two contexts, in the first two IOASes with different memory at the same IOVA. */
FIXTURE(mix)
{
	int fd, fd2;
	__u32 ioas, other, ioas2;
	char *buf, *buf2;
	struct counts before;
	long taint;
};

FIXTURE_SETUP(mix)
{
	self->fd = iommu_open();
	self->fd2 = iommu_open();
	ASSERT_LE(0, self->fd2);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	self->other = ioas_new(self->fd);
	self->ioas2 = ioas_new(self->fd2);
	ASSERT_NE(0, self->ioas2);
	self->buf = mem_shared(BUF);
	self->buf2 = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf2);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->other, self->buf2, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd2, self->ioas2, self->buf2, BUF, AT));
}

FIXTURE_TEARDOWN(mix)
{
	int fd = iommu_open();
	/* A parent that the first has stays as long as slices of the second need it. */
	close(self->fd);
	close(self->fd2);
	EXPECT_TRUE(nothing_left(fd, &self->before));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(fd);
}

#define REACHES(dev, pasid, mem) request(self->fd, (dev).stdev, pasid, AT, mem, BUF)

/* What the driver of an attached device was told; 0 if nothing. */
static inline __u32 number_of(int fd, const struct pasid_dev *dev, __u32 vpasid)
{
	__u32 number;

	return pair(fd, dev->stdev, vpasid, &number) ? 0 : number;
}

static inline __u32 globals(int fd)
{
	struct counts counts;

	return count(fd, 0, &counts) ? ~0u : counts.globals;
}

static inline int tag_and_attach(int fd, const struct pasid_dev *dev, __u32 vpasid, __u32 ioas)
{
	return pasid_tag(fd, dev->idev, vpasid) ?:
	       pasid_attach(fd, dev->stdev, vpasid, ioas, NULL);
}

#endif
