// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_IOAS_IOVA_RANGES, ALLOW_IOVAS, reserved ranges, and the devices that change them. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define MAX 16

FIXTURE(ranges)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
	struct iommu_iova_range got[MAX];
	__u32 num;
};

FIXTURE_SETUP(ranges)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	self->buf = mem_shared(4 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(ranges)
{
	if (self->dev.stdev)
		EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

static int get(struct _test_data_ranges *self)
{
	self->num = MAX;
	memset(self->got, 0xff, sizeof(self->got));
	return ranges_get(self->fd, self->ioas, self->got, &self->num, NULL);
}

#define EXPECT_RANGE(i, first, end) \
	do { \
		const struct iommu_iova_range *r = &self->got[i]; \
		EXPECT_EQ(first, r->start); \
		EXPECT_EQ(end, r->last); \
	} while (0)

TEST_F(ranges, nothing_reserved)
{
	__u64 alignment;

	ASSERT_EQ(0, get(self));
	ASSERT_EQ(1, self->num);
	EXPECT_RANGE(0, 0, U64_MAX);
	self->num = MAX;
	EXPECT_EQ(0, ranges_get(self->fd, self->ioas, self->got, &self->num, &alignment));
	EXPECT_EQ(1, alignment);
}

TEST_F(ranges, reserved)
{
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, PAGE, PAGE));
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(2, self->num);
	EXPECT_RANGE(0, 0, PAGE - 1);
	EXPECT_RANGE(1, 2 * PAGE, U64_MAX);
	/* One that overlaps, one that is inside, one at each end. */
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, PAGE + PAGE / 2, 2 * PAGE));
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, PAGE, PAGE / 2));
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(2, self->num);
	EXPECT_RANGE(1, 3 * PAGE + PAGE / 2, U64_MAX);
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, 0, PAGE));
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, -PAGE, PAGE));
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(1, self->num);
	EXPECT_RANGE(0, 3 * PAGE + PAGE / 2, -PAGE - 1);
}

TEST_F(ranges, reserved_is_not_mapped)
{
	__u64 iova;

	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, HUGE, PAGE));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, PAGE, HUGE));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, 2 * PAGE, HUGE - PAGE));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, 1, HUGE + PAGE - 1));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, HUGE - PAGE));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, HUGE + PAGE));
	/* Reserving goes the other way round: what is mapped cannot be taken away. */
	EXPECT_EQ(-EADDRINUSE, mock_reserve(self->fd, self->ioas, HUGE - PAGE, PAGE));
	EXPECT_EQ(-EADDRINUSE, mock_reserve(self->fd, self->ioas, 0, 1ull << 40));
	EXPECT_EQ(2 * PAGE, unmap_all(self->fd, self->ioas));
	/* Leave one page in the whole space. */
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, 0, HUGE));
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, HUGE + 2 * PAGE, -HUGE - 2 * PAGE));
	EXPECT_EQ(-ENOSPC, map(self->fd, self->ioas, PERM_RW, self->buf, 2 * PAGE, &iova));
	EXPECT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_EQ(HUGE + PAGE, iova);
	EXPECT_EQ(-ENOSPC, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_EQ(-ENOSPC, copy(self->fd, PERM_RW, self->ioas, self->ioas, PAGE, &iova,
				HUGE + PAGE));
}

TEST_F(ranges, array_too_small)
{
	__u64 alignment = 0;
	__u32 num = 0;

	for (int i = 1; i < 5; i++)
		ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, 2 * i * PAGE, PAGE));
	EXPECT_EQ(-EMSGSIZE, ranges_get(self->fd, self->ioas, NULL, &num, &alignment));
	EXPECT_EQ(5, num);
	EXPECT_EQ(1, alignment);
	num = 2;
	memset(self->got, 0xff, sizeof(self->got));
	EXPECT_EQ(-EMSGSIZE, ranges_get(self->fd, self->ioas, self->got, &num, &alignment));
	EXPECT_EQ(5, num);
	EXPECT_RANGE(0, 0, 2 * PAGE - 1);
	EXPECT_RANGE(1, 3 * PAGE, 4 * PAGE - 1);
	/* Not one byte past what was offered. */
	EXPECT_RANGE(2, U64_MAX, U64_MAX);
	num = 5;
	EXPECT_EQ(0, ranges_get(self->fd, self->ioas, self->got, &num, &alignment));
	EXPECT_EQ(5, num);
	EXPECT_RANGE(4, 9 * PAGE, U64_MAX);
}

/* A device brings its aperture, and takes it along again. */
TEST_F(ranges, device)
{
	struct mock_dev second;
	__u64 iova = 0;

	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, MOCK_APERTURE_START + HUGE, HUGE));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(2, self->num);
	EXPECT_RANGE(0, MOCK_APERTURE_START, MOCK_APERTURE_START + HUGE - 1);
	EXPECT_RANGE(1, MOCK_APERTURE_START + 2 * HUGE, MOCK_APERTURE_LAST);
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, PAGE,
				  MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, 2 * PAGE,
				  MOCK_APERTURE_LAST - PAGE + 1));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, PAGE, 0));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, MOCK_APERTURE_START));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE,
			    MOCK_APERTURE_LAST - PAGE + 1));
	ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_TRUE(ranges_contain(self->got, self->num, iova, PAGE));
	/* The aperture stays until the last device leaves. */
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &second));
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	self->dev = second;
	ASSERT_EQ(0, get(self));
	EXPECT_EQ(2, self->num);
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	self->dev.stdev = 0;
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(2, self->num);
	EXPECT_RANGE(0, 0, MOCK_APERTURE_START + HUGE - 1);
	EXPECT_RANGE(1, MOCK_APERTURE_START + 2 * HUGE, U64_MAX);
}

/* A mapping outside of a device's aperture keeps the device out, and nothing is left of it. */
TEST_F(ranges, device_does_not_fit)
{
	struct mock_dev dev;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &dev));
	ASSERT_EQ(0, get(self));
	ASSERT_EQ(1, self->num);
	EXPECT_RANGE(0, 0, U64_MAX);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, MOCK_APERTURE_START - PAGE, PAGE));
	EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
}

/* What is allowed is a promise: no device may be attached that cannot keep it. */
TEST_F(ranges, allowed_and_device)
{
	struct iommu_iova_range allowed[2] = {
		{ MOCK_APERTURE_START, MOCK_APERTURE_START + HUGE - 1 },
		{ MOCK_APERTURE_LAST - PAGE + 1, MOCK_APERTURE_LAST + PAGE },
	};
	struct mock_dev dev;

	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, allowed, 2));
	EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &dev));
	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, allowed, 1));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	/* And no range that the device cannot serve may be asked for now. */
	EXPECT_EQ(-EADDRINUSE, ranges_allow(self->fd, self->ioas, allowed, 2));
	EXPECT_EQ(0, ranges_allow(self->fd, self->ioas, NULL, 0));
}

TEST_HARNESS_MAIN
