// SPDX-License-Identifier: GPL-2.0-only
/* Allowed IOVAs, alignment, and the options HUGE_PAGES and RLIMIT_MODE as such. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(limits)
{
	int fd;
	__u32 ioas;
	char *buf;
};

FIXTURE_SETUP(limits)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	self->buf = mem_shared(4 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

TEST_F(limits, allowed_is_where_iovas_are_chosen)
{
	struct iommu_iova_range allowed[2] = {
		{ 2 * HUGE, 2 * HUGE + 2 * PAGE - 1 },
		{ 4 * HUGE, 4 * HUGE + PAGE - 1 },
	};
	__u64 iova = 0;

	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, allowed, 2));
	EXPECT_EQ(-ENOSPC, map(self->fd, self->ioas, PERM_RW, self->buf, 3 * PAGE, &iova));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
		EXPECT_TRUE(ranges_contain(allowed, 2, iova, PAGE));
	}
	EXPECT_EQ(-ENOSPC, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	/* A fixed IOVA may lie outside. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, 8 * HUGE));
	/* The next list replaces this one. */
	allowed[0] = (struct iommu_iova_range){ 6 * HUGE, 6 * HUGE + PAGE - 1 };
	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, allowed, 1));
	ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_EQ(6 * HUGE, iova);
	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, NULL, 0));
	EXPECT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
}

TEST_F(limits, allowed_does_not_change_what_is_usable)
{
	struct iommu_iova_range allowed = { HUGE, 2 * HUGE - 1 }, got[2];
	__u32 num = 2;

	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, &allowed, 1));
	ASSERT_EQ(0, ranges_get(self->fd, self->ioas, got, &num, NULL));
	EXPECT_EQ(1, num);
	EXPECT_EQ(0, got[0].start);
	EXPECT_EQ(U64_MAX, got[0].last);
}

TEST_F(limits, allowed_makes_no_sense)
{
	struct iommu_iova_range bad[2] = { { PAGE, PAGE - 1 }, { HUGE, 2 * HUGE } };
	__u64 iova;

	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas,
				  &(struct iommu_iova_range){ 8 * HUGE, 9 * HUGE - 1 }, 1));
	EXPECT_EQ(-EINVAL, ranges_allow(self->fd, self->ioas, bad, 2));
	bad[0] = (struct iommu_iova_range){ 2 * HUGE, 3 * HUGE };
	EXPECT_EQ(-EINVAL, ranges_allow(self->fd, self->ioas, bad, 2));
	bad[0] = bad[1];
	EXPECT_EQ(-EINVAL, ranges_allow(self->fd, self->ioas, bad, 2));
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, HUGE + PAGE, PAGE));
	EXPECT_EQ(-EADDRINUSE, ranges_allow(self->fd, self->ioas, bad, 1));
	/* After all that the first list is still in force. */
	ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_LE(8 * HUGE, iova);
	EXPECT_GT(9 * HUGE, iova);
}

TEST_F(limits, allowed_keeps_reserve_out)
{
	struct iommu_iova_range allowed = { HUGE, 2 * HUGE - 1 };

	ASSERT_EQ(0, ranges_allow(self->fd, self->ioas, &allowed, 1));
	EXPECT_EQ(-EADDRINUSE, mock_reserve(self->fd, self->ioas, HUGE + PAGE, PAGE));
	EXPECT_EQ(0, mock_reserve(self->fd, self->ioas, 2 * HUGE, PAGE));
}

TEST_F(limits, huge_pages)
{
	struct mock_dev dev;
	__u64 value;

	ASSERT_EQ(0, option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	EXPECT_EQ(1, value);
	ASSERT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(-EINVAL, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 2));
	EXPECT_EQ(-EINVAL, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, U64_MAX));
	EXPECT_EQ(-ENOENT, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, 0, 1));
	ASSERT_EQ(0, option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	EXPECT_EQ(0, value);
	/* Everything works the same with it. */
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 4 * PAGE, AT));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(0, mock_check_map(self->fd, dev.hwpt, self->buf, 4 * PAGE, AT));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
}

/* Tables that hold mappings already are not made anew for it. */
TEST_F(limits, huge_pages_in_use)
{
	struct mock_dev dev;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 4 * PAGE, AT));
	EXPECT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(-EINVAL, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, 4 * PAGE));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
}

/* Small IOMMU pages only means no IOMMU page below the CPU's either. */
TEST_F(limits, huge_pages_alignment)
{
	struct mock_dev dev;
	__u64 alignment;
	__u32 num = 0;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(-EMSGSIZE, ranges_get(self->fd, self->ioas, NULL, &num, &alignment));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment);
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	ASSERT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	num = 0;
	EXPECT_EQ(-EMSGSIZE, ranges_get(self->fd, self->ioas, NULL, &num, &alignment));
	EXPECT_EQ(PAGE, alignment);
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, MOCK_PAGE_SIZE, AT));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
}

/* A mapping finer than a device's pages keeps the device out. */
TEST_F(limits, alignment_of_what_is_mapped)
{
	struct mock_dev dev;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + 8, 64, AT + 8));
	EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(-EADDRINUSE, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + 8, 64));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf + 8, 64, AT + 8));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	/* An access that pins needs whole pages. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, MOCK_PAGE_SIZE, AT));
	EXPECT_EQ(-EADDRINUSE, access_new_pinning(self->fd, self->ioas));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, MOCK_PAGE_SIZE));
}

TEST_F(limits, unknown_options)
{
	struct iommu_option arg = { .size = sizeof(arg), .op = 2, .object_id = self->ioas };
	__u64 value;

	EXPECT_EQ(-EOPNOTSUPP, option_get(self->fd, 2, self->ioas, &value));
	EXPECT_EQ(-EOPNOTSUPP, option_get(self->fd, ~0u, 0, &value));
	arg.option_id = IOMMU_OPTION_HUGE_PAGES;
	EXPECT_EQ(-EOPNOTSUPP, iommu_call(self->fd, IOMMU_OPTION, &arg));
	arg.option_id = IOMMU_OPTION_RLIMIT_MODE;
	arg.object_id = 0;
	EXPECT_NE(0, iommu_call(self->fd, IOMMU_OPTION, &arg));
	EXPECT_EQ(-EOPNOTSUPP, option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, self->ioas,
					  &value));
}

TEST_F(limits, rlimit_mode)
{
	int fd = iommu_open();
	__u64 value;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(-EINVAL, option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2));
	ASSERT_EQ(0, option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ASSERT_EQ(0, option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(1, value);
	close(fd);
	/* This context has an object already. */
	EXPECT_EQ(-EBUSY, option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ASSERT_EQ(0, option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(0, value);
}

TEST_HARNESS_MAIN
