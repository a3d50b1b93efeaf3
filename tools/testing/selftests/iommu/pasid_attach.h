/* SPDX-License-Identifier: GPL-2.0-only */
/* A device with a PASID and two IOASes, once per policy. */
#ifndef SELFTEST_PASID_ATTACH_H
#define SELFTEST_PASID_ATTACH_H

#include <errno.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define V 9

/* One device, V allocated, and two IOASes with different memory at the same IOVA. */
FIXTURE(at_pasid)
{
	int fd;
	__u32 ioas, other;
	char *buf, *buf2;
	struct pasid_dev dev;
	struct counts before;
	long taint;
};

FIXTURE_VARIANT(at_pasid)
{
	bool global;
};

FIXTURE_VARIANT_ADD(at_pasid, per_rid) { .global = false };
FIXTURE_VARIANT_ADD(at_pasid, global) { .global = true };

FIXTURE_SETUP(at_pasid)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	self->other = ioas_new(self->fd);
	ASSERT_NE(0, self->other);
	self->buf = mem_shared(BUF);
	self->buf2 = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf2);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->other, self->buf2, BUF, AT));
	ASSERT_EQ(0, variant->global ? global_new(self->fd, 0, &self->dev) :
				       per_rid_new(self->fd, 0, &self->dev));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, V));
}

/* The device ends with whatever is attached. */
FIXTURE_TEARDOWN(at_pasid)
{
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, self->other));
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->fd);
}

#define ATTACH(pasid, pt) pasid_attach(self->fd, self->dev.stdev, pasid, pt, NULL)
#define REPLACE(pasid, pt) pasid_replace(self->fd, self->dev.stdev, pasid, pt, NULL)
#define DETACH(pasid) pasid_detach(self->fd, self->dev.stdev, pasid)
#define REACHES(pasid, mem) request(self->fd, self->dev.stdev, pasid, AT, mem, BUF)
#define ALLOC(pt, flags, out) hwpt_alloc(self->fd, self->dev.idev, pt, flags, out)

static inline __u32 entries(int fd, const struct pasid_dev *dev)
{
	struct counts counts;

	return count(fd, dev->index, &counts) ? ~0u : counts.entries;
}

#endif
