// SPDX-License-Identifier: GPL-2.0-only
/* In-kernel users of an IOAS: pin, read and write, be told of an unmap, move to another IOAS. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (8 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(kernel_user)
{
	int fd;
	int access;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
};

FIXTURE_VARIANT(kernel_user)
{
	bool device;
};

FIXTURE_VARIANT_ADD(kernel_user, alone) { .device = false };
FIXTURE_VARIANT_ADD(kernel_user, beside_device) { .device = true };

FIXTURE_SETUP(kernel_user)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	if (variant->device)
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	for (size_t i = 0; i < BUF; i++)
		self->buf[i] = i / PAGE * 16 + i % 13;
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	self->access = access_new_pinning(self->fd, self->ioas);
	ASSERT_LT(0, self->access);
}

FIXTURE_TEARDOWN(kernel_user)
{
	close(self->access);
	if (variant->device)
		EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, pages_pinned());
	close(self->fd);
}

TEST_F(kernel_user, pin)
{
	__u32 whole, part;

	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
	ASSERT_EQ(0, access_pin(self->fd, self->access, AT, BUF, self->buf,
				MOCK_FLAGS_ACCESS_WRITE, &whole));
	/* One pin for all users. */
	EXPECT_EQ(8, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	ASSERT_EQ(0, access_pin(self->fd, self->access, AT + PAGE, 2 * PAGE, self->buf + PAGE, 0,
				&part));
	EXPECT_NE(whole, part);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	EXPECT_EQ(0, access_unpin(self->fd, self->access, whole));
	EXPECT_EQ(variant->device ? 8 : 2, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, PAGE, variant->device));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + PAGE, 2 * PAGE, 1));
	EXPECT_EQ(0, access_unpin(self->fd, self->access, part));
	EXPECT_EQ(-ENOENT, access_unpin(self->fd, self->access, part));
	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
}

TEST_F(kernel_user, pin_over_areas)
{
	char *more = mem_shared(2 * BUF);
	__u32 pages;

	/* One address range in the process, so that the mock can compare it. */
	ASSERT_NE(NULL, more);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, more, BUF, AT + HUGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, more + BUF, BUF, AT + HUGE + BUF));
	ASSERT_EQ(0, access_pin(self->fd, self->access, AT + HUGE + PAGE, 2 * BUF - 2 * PAGE,
				more + PAGE, MOCK_FLAGS_ACCESS_WRITE, &pages));
	EXPECT_EQ(0, mock_check_refs(self->fd, more + PAGE, 2 * BUF - 2 * PAGE, 1));
	EXPECT_EQ(0, mock_check_refs(self->fd, more, PAGE, variant->device));
	EXPECT_EQ(0, access_unpin(self->fd, self->access, pages));
	EXPECT_EQ(0, mock_check_refs(self->fd, more, 2 * BUF, variant->device));
}

TEST_F(kernel_user, pin_refused)
{
	__u64 at = AT + HUGE;
	__u32 pages;

	EXPECT_EQ(-ENOENT, access_pin(self->fd, self->access, AT - PAGE, PAGE, NULL, 0, &pages));
	EXPECT_EQ(-ENOENT, access_pin(self->fd, self->access, AT - PAGE, 2 * PAGE, NULL, 0,
				      &pages));
	EXPECT_EQ(-ENOENT, access_pin(self->fd, self->access, AT + BUF - PAGE, 2 * PAGE, NULL, 0,
				      &pages));
	ASSERT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, self->buf, PAGE, &at));
	EXPECT_EQ(-EPERM, access_pin(self->fd, self->access, at, PAGE, NULL,
				     MOCK_FLAGS_ACCESS_WRITE, &pages));
	EXPECT_EQ(0, access_pin(self->fd, self->access, at, PAGE, self->buf, 0, &pages));
	EXPECT_EQ(0, access_unpin(self->fd, self->access, pages));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, at, PAGE));
	/* Nothing at that address in the process. */
	if (!variant->device) {
		ASSERT_EQ(0, map_at(self->fd, self->ioas, (void *)PAGE, PAGE, at));
		EXPECT_EQ(-EFAULT, access_pin(self->fd, self->access, at, PAGE, NULL, 0,
					      &pages));
		EXPECT_EQ(0, unmap(self->fd, self->ioas, at, PAGE));
	}
	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
}

/* An unmap takes the pins away, of all accesses, and only those that it touches. */
TEST_F(kernel_user, unmap)
{
	int second = access_new_pinning(self->fd, self->ioas);
	__u32 mine, other, far;

	ASSERT_LT(0, second);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + HUGE));
	ASSERT_EQ(0, access_pin(self->fd, self->access, AT, BUF, self->buf, 0, &mine));
	ASSERT_EQ(0, access_pin(self->fd, second, AT + PAGE, PAGE, self->buf + PAGE, 0, &other));
	ASSERT_EQ(0, access_pin(self->fd, second, AT + HUGE, PAGE, self->buf, 0, &far));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(-ENOENT, access_unpin(self->fd, self->access, mine));
	EXPECT_EQ(-ENOENT, access_unpin(self->fd, second, other));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + PAGE, BUF - PAGE, 0));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, PAGE, 1));
	EXPECT_EQ(0, access_unpin(self->fd, second, far));
	close(second);
}

TEST_F(kernel_user, close_with_pins)
{
	__u32 pages;

	ASSERT_EQ(0, access_pin(self->fd, self->access, AT, BUF, self->buf, 0, &pages));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	close(self->access);
	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
	self->access = access_new_pinning(self->fd, self->ioas);
	ASSERT_LT(0, self->access);
}

/* Both ways to the memory, at every kind of offset, read and written right. */
TEST_F(kernel_user, read_and_write)
{
	static const struct { __u64 at, length; } cases[] = {
		{ 0, 1 }, { PAGE - 1, 1 }, { PAGE - 1, 2 }, { 3, 5 }, { 0, PAGE }, { 100, PAGE },
		{ PAGE + 7, 3 * PAGE + 11 }, { 0, BUF }, { 1, BUF - 2 }, { BUF - 1, 1 },
	};
	static char expect[BUF], got[BUF];

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		__u32 slow = i % 2 ? MOCK_ACCESS_RW_SLOW_PATH : 0;
		__u64 at = cases[i / 2].at, length = cases[i / 2].length;

		memset(got, 0, BUF);
		ASSERT_EQ(0, access_rw(self->fd, self->access, AT + at, length, got, slow));
		EXPECT_EQ(0, memcmp(got, self->buf + at, length));
		memcpy(expect, self->buf, BUF);
		memset(got, 0x40 + i, BUF);
		memset(expect + at, 0x40 + i, length);
		ASSERT_EQ(0, access_rw(self->fd, self->access, AT + at, length, got,
				       slow | MOCK_ACCESS_RW_WRITE));
		EXPECT_EQ(0, memcmp(expect, self->buf, BUF));
	}
	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
}

TEST_F(kernel_user, read_and_write_refused)
{
	static char got[2 * PAGE];
	__u64 at = AT + HUGE;

	EXPECT_EQ(-ENOENT, device_read(self->fd, self->access, AT - 1, 2, got));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->access, AT + BUF - 1, 2, got));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->access, at, 1, got));
	EXPECT_EQ(-EINVAL, device_read(self->fd, self->access, AT, 0, got));
	EXPECT_EQ(-EOVERFLOW, device_read(self->fd, self->access, U64_MAX, 2, got));
	ASSERT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, self->buf, PAGE, &at));
	EXPECT_EQ(0, device_read(self->fd, self->access, at, PAGE, got));
	memset(got, 0x77, sizeof(got));
	EXPECT_EQ(-EPERM, device_write(self->fd, self->access, at, PAGE, got));
	EXPECT_NE(0x77, self->buf[0]);
}

TEST_F(kernel_user, move)
{
	__u32 other = ioas_new(self->fd), pages;
	char got;

	ASSERT_NE(0, other);
	ASSERT_EQ(0, map_at(self->fd, other, self->buf + PAGE, PAGE, AT));
	ASSERT_EQ(0, access_pin(self->fd, self->access, AT, BUF, self->buf, 0, &pages));
	/* Away from the pins, which are taken back as by an unmap. */
	ASSERT_EQ(0, access_move(self->fd, self->access, other));
	EXPECT_EQ(-ENOENT, access_unpin(self->fd, self->access, pages));
	EXPECT_EQ(variant->device ? 8 : 0, pages_pinned());
	ASSERT_EQ(0, device_read(self->fd, self->access, AT, 1, &got));
	EXPECT_EQ(self->buf[PAGE], got);
	EXPECT_EQ(-EBUSY, destroy(self->fd, other));
	/* To what does not exist, or is no IOAS: it stays. */
	EXPECT_EQ(-ENOENT, access_move(self->fd, self->access, other + 100));
	ASSERT_EQ(0, device_read(self->fd, self->access, AT, 1, &got));
	EXPECT_EQ(self->buf[PAGE], got);
	ASSERT_EQ(0, access_move(self->fd, self->access, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, other));
	ASSERT_EQ(0, device_read(self->fd, self->access, AT, 1, &got));
	EXPECT_EQ(self->buf[0], got);
}

TEST_HARNESS_MAIN
