// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware queues of a virtual IOMMU: which there may be, and what memory they keep
 * in its place.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define HALF (PAGE / 2)

FIXTURE(hw_queue)
{
	struct viommu_rig r;
	int fd;
	__u32 ioas, viommu, id;
	long pins;
	char *buf;
};

FIXTURE_SETUP(hw_queue)
{
	self->pins = pins_outstanding();
	ASSERT_EQ(0, viommu_rig_new(&self->r));
	self->fd = self->r.fd;
	self->ioas = self->r.ioas;
	self->viommu = self->r.viommu;
	self->buf = mem_private(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
}

FIXTURE_TEARDOWN(hw_queue)
{
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, viommu_rig_end(&self->r));
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(0, pages_pinned());
}

#define QUEUE(index, iova, length) \
	hw_queue_alloc(self->fd, self->viommu, index, iova, length, &self->id)

TEST_F(hw_queue, refused)
{
	struct iommu_hw_queue_alloc arg = {
		.size = sizeof(arg),
		.viommu_id = self->viommu,
		.nesting_parent_iova = AT,
		.length = PAGE,
	};

	EXPECT_EQ(-EOPNOTSUPP, iommu_call(self->fd, IOMMU_HW_QUEUE_ALLOC, &arg));
	arg.type = IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV;
	EXPECT_EQ(-EOPNOTSUPP, iommu_call(self->fd, IOMMU_HW_QUEUE_ALLOC, &arg));
	EXPECT_EQ(-EINVAL, QUEUE(IOMMU_TEST_HW_QUEUE_MAX, AT, PAGE));
	EXPECT_EQ(-EINVAL, QUEUE(0, AT, 0));
	EXPECT_EQ(-EOVERFLOW, QUEUE(0, U64_MAX - PAGE + 1, 2 * PAGE));
	/* Holes before it, behind it, in it; and then nothing is kept. */
	EXPECT_EQ(-ENOENT, QUEUE(0, AT - PAGE, PAGE));
	EXPECT_EQ(-ENOENT, QUEUE(0, AT + BUF, PAGE));
	EXPECT_EQ(-ENOENT, QUEUE(0, AT, BUF + 1));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(-ENOENT, QUEUE(0, AT, PAGE));
}

TEST_F(hw_queue, in_order)
{
	__u32 first, second;

	EXPECT_EQ(-EIO, QUEUE(1, AT, PAGE));
	ASSERT_EQ(0, QUEUE(0, AT, PAGE));
	first = self->id;
	EXPECT_EQ(-EEXIST, QUEUE(0, AT + PAGE, PAGE));
	ASSERT_EQ(0, QUEUE(1, AT + PAGE, PAGE));
	second = self->id;
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->viommu));
	EXPECT_EQ(-EBUSY, destroy(self->fd, first));
	EXPECT_EQ(0, destroy(self->fd, second));
	EXPECT_EQ(0, destroy(self->fd, first));
	EXPECT_EQ(-EIO, QUEUE(1, AT, PAGE));
}

TEST_F(hw_queue, keeps_its_memory)
{
	__u32 first, other = ioas_new(self->fd);

	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	ASSERT_EQ(0, QUEUE(0, AT + HALF, PAGE / 4));
	first = self->id;
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, PAGE, 1));
	/* All of the mapping, however little of it the queue has. */
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	/* Twice the same, and elsewhere. */
	ASSERT_EQ(0, QUEUE(1, AT + HALF, HALF));
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, BUF, AT, AT));
	EXPECT_EQ(0, unmap(self->fd, other, AT, BUF));
	EXPECT_EQ(0, destroy(self->fd, self->id));
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, destroy(self->fd, first));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, destroy(self->fd, other));
}

/* In several areas, which are in one piece in memory or not. */
TEST_F(hw_queue, contiguous)
{
	__u64 at = AT + 64 * PAGE;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, HALF, at));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + HALF, HALF, at + HALF));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, at + PAGE));
	ASSERT_EQ(0, QUEUE(0, at, PAGE));
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, at, HALF));
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, at + HALF, HALF));
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, at, 2 * PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, at + PAGE, PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, at + PAGE));
	EXPECT_EQ(0, destroy(self->fd, self->id));
	EXPECT_EQ(-EINVAL, QUEUE(0, at, PAGE + 1));
	EXPECT_EQ(-EINVAL, QUEUE(0, at + HALF, PAGE));
	/* What was refused keeps nothing. */
	EXPECT_EQ(0, unmap(self->fd, self->ioas, at, 2 * PAGE));
}

TEST_F(hw_queue, huge_page)
{
	char *huge = mem_hugetlb(HUGE);
	__u64 at = MOCK_APERTURE_START + HUGE;

	if (!huge)
		SKIP(return, "no huge page");
	ASSERT_EQ(0, map_at(self->fd, self->ioas, huge, HUGE, at));
	ASSERT_EQ(0, QUEUE(0, at + PAGE, HUGE / 2));
	EXPECT_EQ(-EBUSY, unmap(self->fd, self->ioas, at, HUGE));
	EXPECT_EQ(0, destroy(self->fd, self->id));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, at, HUGE));
	munmap(huge, HUGE);
}

TEST_F(hw_queue, permission)
{
	__u64 at = AT + 64 * PAGE;
	int file;

	ASSERT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_W, self->buf, PAGE, &at));
	EXPECT_EQ(-EPERM, QUEUE(0, at, PAGE));
	at += PAGE;
	ASSERT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, self->buf, PAGE, &at));
	ASSERT_EQ(0, QUEUE(0, at, PAGE));
	EXPECT_EQ(0, destroy(self->fd, self->id));
	/* What its owner may take back at any time is not for a queue. */
	file = mock_dmabuf(self->fd, PAGE);
	ASSERT_LE(0, file);
	at += PAGE;
	ASSERT_EQ(0, map_file(self->fd, self->ioas, FIXED | PERM_RW, file, 0, PAGE, &at));
	EXPECT_EQ(-EINVAL, QUEUE(0, at, PAGE));
	EXPECT_EQ(-EINVAL, QUEUE(0, at - PAGE, 2 * PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, at - PAGE, 2 * PAGE));
	close(file);
}

/* The context ends with queues, and nothing stays pinned. */
TEST_F(hw_queue, closed)
{
	ASSERT_EQ(0, QUEUE(0, AT, PAGE));
	ASSERT_EQ(0, QUEUE(1, AT + PAGE, PAGE));
	close(self->fd);
	EXPECT_EQ(self->pins, pins_outstanding());
	ASSERT_EQ(0, viommu_rig_new(&self->r));
	self->fd = self->r.fd;
	self->ioas = self->r.ioas;
}

TEST_HARNESS_MAIN
