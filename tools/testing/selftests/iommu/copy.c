// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_IOAS_COPY: the same memory at a second place, pinned once. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (8 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define TO (MOCK_APERTURE_START + 1024 * PAGE)

FIXTURE(copy)
{
	int fd;
	__u32 src;
	__u32 dst;
	char *buf;
	struct mock_dev dev[2];
};

FIXTURE_VARIANT(copy)
{
	bool src_device, dst_device;
};

FIXTURE_VARIANT_ADD(copy, no_device) { };
FIXTURE_VARIANT_ADD(copy, source) { .src_device = true };
FIXTURE_VARIANT_ADD(copy, destination) { .dst_device = true };
FIXTURE_VARIANT_ADD(copy, both) { .src_device = true, .dst_device = true };

FIXTURE_SETUP(copy)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->src = ioas_new(self->fd);
	ASSERT_NE(0, self->src);
	self->dst = ioas_new(self->fd);
	ASSERT_NE(0, self->dst);
	if (variant->src_device)
		ASSERT_EQ(0, mock_attach(self->fd, self->src, &self->dev[0]));
	if (variant->dst_device)
		ASSERT_EQ(0, mock_attach(self->fd, self->dst, &self->dev[1]));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->fd, self->src, self->buf, BUF, AT));
}

FIXTURE_TEARDOWN(copy)
{
	unmap_all(self->fd, self->src);
	unmap_all(self->fd, self->dst);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, pages_pinned());
	for (int i = 0; i < 2; i++) {
		if (self->dev[i].stdev)
			EXPECT_EQ(0, destroy(self->fd, self->dev[i].stdev));
	}
	EXPECT_EQ(0, destroy(self->fd, self->src));
	EXPECT_EQ(0, destroy(self->fd, self->dst));
	close(self->fd);
}

#define EXPECT_DST_SEES(va, length, iova) \
	do { \
		if (variant->dst_device) \
			EXPECT_EQ(0, mock_check_map(self->fd, self->dev[1].hwpt, va, length, \
						    iova)); \
	} while (0)

TEST_F(copy, whole)
{
	bool pinned = variant->src_device || variant->dst_device;

	ASSERT_EQ(0, copy_at(self->fd, self->dst, self->src, BUF, TO, AT));
	EXPECT_DST_SEES(self->buf, BUF, TO);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, pinned));
	EXPECT_EQ(pinned ? BUF / PAGE : 0, pages_pinned());
	/* The copy does not need the source. */
	EXPECT_EQ(0, unmap(self->fd, self->src, AT, BUF));
	EXPECT_DST_SEES(self->buf, BUF, TO);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->dst_device));
	EXPECT_EQ(0, unmap(self->fd, self->dst, TO, BUF));
}

TEST_F(copy, part)
{
	ASSERT_EQ(0, copy_at(self->fd, self->dst, self->src, 3 * PAGE, TO, AT + 2 * PAGE));
	EXPECT_DST_SEES(self->buf + 2 * PAGE, 3 * PAGE, TO);
	if (!variant->src_device && variant->dst_device) {
		EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, 2 * PAGE, 0));
		EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + 2 * PAGE, 3 * PAGE, 1));
		EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + 5 * PAGE, 3 * PAGE, 0));
	}
	/* Overlapping copies of one source, taken back in another order. */
	ASSERT_EQ(0, copy_at(self->fd, self->dst, self->src, 4 * PAGE, TO + BUF, AT + 4 * PAGE));
	EXPECT_DST_SEES(self->buf + 4 * PAGE, 4 * PAGE, TO + BUF);
	EXPECT_EQ(0, unmap(self->fd, self->src, AT, BUF));
	EXPECT_EQ(0, unmap(self->fd, self->dst, TO, 3 * PAGE));
	EXPECT_DST_SEES(self->buf + 4 * PAGE, 4 * PAGE, TO + BUF);
	EXPECT_EQ(variant->dst_device ? 4 : 0, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, 4 * PAGE, 0));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + 4 * PAGE, 4 * PAGE,
				     variant->dst_device));
}

TEST_F(copy, chosen_iova)
{
	__u64 iova = 0;

	ASSERT_EQ(0, copy(self->fd, PERM_RW, self->dst, self->src, BUF, &iova, AT));
	EXPECT_DST_SEES(self->buf, BUF, iova);
	EXPECT_EQ(0, unmap(self->fd, self->dst, iova, BUF));
}

TEST_F(copy, to_itself)
{
	ASSERT_EQ(0, copy_at(self->fd, self->src, self->src, BUF, TO, AT));
	if (variant->src_device)
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev[0].hwpt, self->buf, BUF, TO));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->src_device));
	EXPECT_EQ(-EEXIST, copy_at(self->fd, self->src, self->src, PAGE, AT + PAGE, AT));
	EXPECT_EQ(0, unmap(self->fd, self->src, AT, BUF));
	if (variant->src_device)
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev[0].hwpt, self->buf, BUF, TO));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->src_device));
}

/* Source of several areas, one beside the other: the copy has them all, or nothing. */
TEST_F(copy, several_areas)
{
	char *more = mem_shared(BUF);

	ASSERT_NE(NULL, more);
	ASSERT_EQ(0, map_at(self->fd, self->src, more, BUF, AT + BUF));
	ASSERT_EQ(0, copy_at(self->fd, self->dst, self->src, BUF, TO, AT + BUF / 2));
	EXPECT_DST_SEES(self->buf + BUF / 2, BUF / 2, TO);
	EXPECT_DST_SEES(more, BUF / 2, TO + BUF / 2);
	EXPECT_EQ(BUF, unmap_all(self->fd, self->dst));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, 2 * BUF, TO, AT + PAGE));
	EXPECT_EQ(0, unmap_all(self->fd, self->dst));
	/* The last area of the source does not fit: the first has not been kept. */
	ASSERT_EQ(0, map_at(self->fd, self->dst, more, PAGE, TO + 2 * BUF - PAGE));
	EXPECT_EQ(-EEXIST, copy_at(self->fd, self->dst, self->src, 2 * BUF, TO, AT));
	EXPECT_EQ(PAGE, unmap_all(self->fd, self->dst));
	EXPECT_EQ(0, mock_check_refs(self->fd, more, BUF, variant->src_device));
}

TEST_F(copy, holes)
{
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, PAGE, TO, AT - PAGE));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, 2 * PAGE, TO, AT - PAGE));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, 2 * PAGE, TO,
				   AT + BUF - PAGE));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, PAGE, TO, AT + BUF));
	/* A gap between two areas. */
	ASSERT_EQ(0, map_at(self->fd, self->src, self->buf, PAGE, AT + BUF + PAGE));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->dst, self->src, BUF + 2 * PAGE, TO, AT));
	EXPECT_EQ(0, unmap_all(self->fd, self->dst));
	EXPECT_EQ(variant->src_device ? 9 : 0, pages_pinned());
}

TEST_F(copy, lengths)
{
	__u64 iova = TO;

	EXPECT_EQ(-EINVAL, copy_at(self->fd, self->dst, self->src, 0, TO, AT));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, self->dst, self->src, U64_MAX, TO, AT));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, self->dst, self->src, PAGE, U64_MAX, AT));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, self->dst, self->src, 2 * PAGE, -PAGE, AT));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, self->dst, self->src, 2 * PAGE, TO, -PAGE));
	EXPECT_EQ(-EINVAL, copy(self->fd, FIXED, self->dst, self->src, PAGE, &iova, AT));
	if (variant->dst_device) {
		EXPECT_EQ(-EINVAL, copy_at(self->fd, self->dst, self->src, PAGE, TO + 1, AT));
		EXPECT_EQ(-EINVAL, copy_at(self->fd, self->dst, self->src, PAGE - 1, TO, AT));
		EXPECT_EQ(-EINVAL, copy_at(self->fd, self->dst, self->src, PAGE, TO, AT + 1));
		EXPECT_EQ(-EINVAL, copy_at(self->fd, self->dst, self->src, PAGE,
					   MOCK_APERTURE_START - PAGE, AT));
	}
	EXPECT_EQ(0, unmap_all(self->fd, self->dst));
}

TEST_F(copy, permissions)
{
	__u64 at = AT + BUF, to = TO;

	ASSERT_EQ(0, map(self->fd, self->src, FIXED | PERM_R, self->buf, PAGE, &at));
	EXPECT_EQ(-EPERM, copy(self->fd, FIXED | PERM_RW, self->dst, self->src, PAGE, &to, at));
	EXPECT_EQ(-EPERM, copy(self->fd, FIXED | PERM_W, self->dst, self->src, PAGE, &to, at));
	EXPECT_EQ(0, unmap_all(self->fd, self->dst));
	EXPECT_EQ(0, copy(self->fd, FIXED | PERM_R, self->dst, self->src, PAGE, &to, at));
	EXPECT_DST_SEES(self->buf, PAGE, TO);
	/* Of the two areas in this range, one cannot be written: none is copied. */
	to = TO + BUF;
	EXPECT_EQ(-EPERM, copy(self->fd, FIXED | PERM_RW, self->dst, self->src, 2 * PAGE, &to,
			       at - PAGE));
	EXPECT_EQ(PAGE, unmap_all(self->fd, self->dst));
	/* Less than the source has can always be asked for. */
	EXPECT_EQ(0, copy(self->fd, FIXED | PERM_R, self->dst, self->src, PAGE, &to, AT));
}

/* A copy of a copy, from memory whose first mapping is long gone. */
TEST_F(copy, chain)
{
	__u32 ioas[4] = { self->src };
	__u64 iova = AT;

	for (int i = 1; i < 4; i++) {
		ioas[i] = ioas_new(self->fd);
		ASSERT_NE(0, ioas[i]);
		ASSERT_EQ(0, copy_at(self->fd, ioas[i], ioas[i - 1], BUF, iova + HUGE, iova));
		EXPECT_EQ(BUF, unmap_all(self->fd, ioas[i - 1]));
		iova += HUGE;
	}
	ASSERT_EQ(0, copy_at(self->fd, self->dst, ioas[3], BUF, TO, iova));
	EXPECT_DST_SEES(self->buf, BUF, TO);
	for (int i = 1; i < 4; i++)
		EXPECT_EQ(0, destroy(self->fd, ioas[i]));
	EXPECT_DST_SEES(self->buf, BUF, TO);
	EXPECT_EQ(variant->dst_device ? BUF / PAGE : 0, pages_pinned());
}

TEST_HARNESS_MAIN
