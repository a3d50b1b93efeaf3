// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_IOAS_MAP and UNMAP: addresses, lengths, permissions, and what a device then sees. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (16 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(map)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev[2];
};

FIXTURE_VARIANT(map)
{
	unsigned int devices;
};

FIXTURE_VARIANT_ADD(map, no_device) { .devices = 0 };
FIXTURE_VARIANT_ADD(map, one_device) { .devices = 1 };
FIXTURE_VARIANT_ADD(map, two_devices) { .devices = 2 };

FIXTURE_SETUP(map)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	for (unsigned int i = 0; i < variant->devices; i++)
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev[i]));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, pages_pinned());
}

FIXTURE_TEARDOWN(map)
{
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	for (unsigned int i = 0; i < variant->devices; i++)
		EXPECT_EQ(0, destroy(self->fd, self->dev[i].stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

/* Every device translates the range to the pages at va. */
#define EXPECT_SEEN(va, length, iova) \
	for (unsigned int dev = 0; dev < variant->devices; dev++) \
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev[dev].hwpt, va, length, iova))

TEST_F(map, fixed)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	EXPECT_SEEN(self->buf, BUF, AT);
	/* Two devices share one page table, and one pin. */
	EXPECT_EQ(variant->devices ? BUF / PAGE : 0, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->devices ? 1 : 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, pages_pinned());
	for (unsigned int i = 0; i < variant->devices; i++)
		EXPECT_NE(0, mock_check_map(self->fd, self->dev[i].hwpt, self->buf, PAGE, AT));
}

TEST_F(map, taken)
{
	const char *b = self->buf;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, b, 4 * PAGE, AT));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, b, 4 * PAGE, AT));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, b, PAGE, AT + PAGE));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, b, 2 * PAGE, AT - PAGE));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, b, 2 * PAGE, AT + 3 * PAGE));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, b, 8 * PAGE, AT - 2 * PAGE));
	/* None of these has left anything: the neighbours are free. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, b + 4 * PAGE, 2 * PAGE, AT - 2 * PAGE));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, b + 8 * PAGE, 2 * PAGE, AT + 4 * PAGE));
	EXPECT_SEEN(b, 4 * PAGE, AT);
	EXPECT_SEEN(b + 4 * PAGE, 2 * PAGE, AT - 2 * PAGE);
	EXPECT_EQ(8 * PAGE, unmap_all(self->fd, self->ioas));
}

TEST_F(map, chosen)
{
	struct iommu_iova_range usable[8];
	__u64 iova[BUF / PAGE] = {};
	__u32 num = 8;

	ASSERT_EQ(0, ranges_get(self->fd, self->ioas, usable, &num, NULL));
	for (size_t i = 0; i < BUF / PAGE; i++) {
		ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf + i * PAGE, PAGE,
				 &iova[i]));
		EXPECT_EQ(0, iova[i] % PAGE);
		EXPECT_TRUE(ranges_contain(usable, num, iova[i], PAGE));
		EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, PAGE, iova[i]));
	}
	for (size_t i = 0; i < BUF / PAGE; i++)
		EXPECT_SEEN(self->buf + i * PAGE, PAGE, iova[i]);
	EXPECT_EQ(BUF, unmap_all(self->fd, self->ioas));
}

TEST_F(map, lengths)
{
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, 0, AT));
	EXPECT_EQ(-EOVERFLOW, map_at(self->fd, self->ioas, self->buf, U64_MAX, AT));
	EXPECT_EQ(-EOVERFLOW, map_at(self->fd, self->ioas, self->buf, PAGE, U64_MAX));
	/* IOVA wraps; the address wraps. */
	EXPECT_EQ(-EOVERFLOW, map_at(self->fd, self->ioas, self->buf, 2 * PAGE, -PAGE));
	EXPECT_EQ(-EOVERFLOW, map_at(self->fd, self->ioas, (void *)-PAGE, 2 * PAGE, AT));
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
}

TEST_F(map, permissions)
{
	__u64 iova = AT;

	EXPECT_EQ(-EINVAL, map(self->fd, self->ioas, FIXED, self->buf, PAGE, &iova));
	EXPECT_EQ(-EINVAL, map(self->fd, self->ioas, 0, self->buf, PAGE, &iova));
	EXPECT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, self->buf, PAGE, &iova));
	EXPECT_SEEN(self->buf, PAGE, AT);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
	EXPECT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_W, self->buf, PAGE, &iova));
	EXPECT_SEEN(self->buf, PAGE, AT);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
}

TEST_F(map, unaligned)
{
	__u64 alignment;
	__u32 num = 0;

	EXPECT_EQ(-EMSGSIZE, ranges_get(self->fd, self->ioas, NULL, &num, &alignment));
	if (!variant->devices) {
		EXPECT_EQ(1, alignment);
		return;
	}
	ASSERT_EQ(MOCK_PAGE_SIZE, alignment);
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, PAGE, AT + 1));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf + 1, PAGE, AT));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, PAGE - 1, AT));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, self->buf, alignment / 2, AT));
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	/* What is as fine as the table can say works, be it finer than the CPU's pages. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf + alignment, 3 * alignment,
			    AT + PAGE));
	EXPECT_SEEN(self->buf + alignment, 3 * alignment, AT + PAGE);
	EXPECT_EQ(2, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + PAGE, 3 * alignment));
}

TEST_F(map, unmap_partly)
{
	__u64 n;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 4 * PAGE, AT));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT, 2 * PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + PAGE, PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT - PAGE, 2 * PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + 3 * PAGE, 4 * PAGE));
	EXPECT_SEEN(self->buf, 4 * PAGE, AT);
	/* More than the mapping is fine, and the true number comes back. */
	EXPECT_EQ(0, unmap_count(self->fd, self->ioas, AT - PAGE, 8 * PAGE, &n));
	EXPECT_EQ(4 * PAGE, n);
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT, 4 * PAGE));
}

TEST_F(map, unmap_several)
{
	__u64 n;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 2 * PAGE, AT + PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 4 * PAGE, AT + 8 * PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + 32 * PAGE));
	EXPECT_EQ(variant->devices ? 8 : 0, pages_pinned());
	EXPECT_EQ(0, unmap_count(self->fd, self->ioas, AT, 12 * PAGE, &n));
	EXPECT_EQ(7 * PAGE, n);
	EXPECT_SEEN(self->buf, PAGE, AT + 32 * PAGE);
	EXPECT_EQ(variant->devices ? 1 : 0, pages_pinned());
	EXPECT_EQ(PAGE, unmap_all(self->fd, self->ioas));
}

/* The range cuts its last mapping: then those before it are not removed either. */
TEST_F(map, unmap_several_or_none)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + PAGE, PAGE, AT + PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + 4 * PAGE, 4 * PAGE, AT + 4 * PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT, 6 * PAGE));
	EXPECT_SEEN(self->buf, 2 * PAGE, AT);
	EXPECT_SEEN(self->buf + 4 * PAGE, 4 * PAGE, AT + 4 * PAGE);
	EXPECT_EQ(6 * PAGE, unmap_all(self->fd, self->ioas));
}

TEST_F(map, unmap_lengths)
{
	__u64 n;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	EXPECT_EQ(-EINVAL, unmap(self->fd, self->ioas, AT, 0));
	EXPECT_EQ(-EOVERFLOW, unmap(self->fd, self->ioas, AT, U64_MAX));
	EXPECT_EQ(-EOVERFLOW, unmap(self->fd, self->ioas, U64_MAX, PAGE));
	EXPECT_EQ(-EOVERFLOW, unmap(self->fd, self->ioas, -PAGE, 2 * PAGE));
	EXPECT_SEEN(self->buf, PAGE, AT);
	EXPECT_EQ(PAGE, unmap_all(self->fd, self->ioas));
	/* Empty: all of it is no error, a part of it is. */
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, unmap_count(self->fd, self->ioas, 0, U64_MAX - 1, &n));
}

TEST_F(map, same_memory_twice)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT + BUF));
	EXPECT_SEEN(self->buf, BUF, AT);
	EXPECT_SEEN(self->buf, BUF, AT + BUF);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->devices ? 2 : 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, variant->devices ? 1 : 0));
	EXPECT_SEEN(self->buf, BUF, AT + BUF);
}

/* Contiguous and fragmented memory side by side, cut where no run ends. */
TEST_F(map, kinds_of_memory)
{
	char *thp = mem_thp(2 * HUGE), *huge = mem_hugetlb(HUGE);
	const size_t cut = 5 * PAGE;

	ASSERT_NE(NULL, thp);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, thp + cut, 2 * HUGE - 2 * cut, AT));
	EXPECT_SEEN(thp + cut, 2 * HUGE - 2 * cut, AT);
	EXPECT_EQ(variant->devices ? (2 * HUGE - 2 * cut) / PAGE : 0, pages_pinned());
	/* Split the huge page behind the kernel's back: the mapping stays. */
	EXPECT_EQ(0, mprotect(thp + HUGE, 3 * PAGE, PROT_READ));
	EXPECT_SEEN(thp + cut, 2 * HUGE - 2 * cut, AT);
	EXPECT_EQ(2 * HUGE - 2 * cut, unmap_all(self->fd, self->ioas));
	if (!huge)
		SKIP(return, "no huge pages: vm.nr_hugepages is too small");
	ASSERT_EQ(0, map_at(self->fd, self->ioas, huge, HUGE, MOCK_APERTURE_START + HUGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, huge + cut, PAGE, AT));
	EXPECT_SEEN(huge, HUGE, MOCK_APERTURE_START + HUGE);
	EXPECT_SEEN(huge + cut, PAGE, AT);
	EXPECT_EQ(HUGE + PAGE, unmap_all(self->fd, self->ioas));
}

/* Areas made before the first device, and a device that comes and goes, are the same. */
TEST_F(map, device_later)
{
	struct mock_dev late;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 4 * PAGE, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + 8 * PAGE, 4 * PAGE, AT + HUGE));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &late));
		EXPECT_EQ(0, mock_check_map(self->fd, late.hwpt, self->buf, 4 * PAGE, AT));
		EXPECT_EQ(0, mock_check_map(self->fd, late.hwpt, self->buf + 8 * PAGE, 4 * PAGE,
					    AT + HUGE));
		EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, 4 * PAGE, 1));
		EXPECT_EQ(8, pages_pinned());
		ASSERT_EQ(0, destroy(self->fd, late.stdev));
		EXPECT_EQ(variant->devices ? 8 : 0, pages_pinned());
	}
	EXPECT_SEEN(self->buf, 4 * PAGE, AT);
	EXPECT_EQ(8 * PAGE, unmap_all(self->fd, self->ioas));
}

/* However little working memory pinning has, the result is the same. */
TEST_F(map, little_working_memory)
{
	char *big = mem_thp(3 * HUGE);

	ASSERT_NE(NULL, big);
	ASSERT_EQ(0, mock_memory_limit(self->fd, 16));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, big + PAGE, 2 * HUGE, AT));
	EXPECT_SEEN(big + PAGE, 2 * HUGE, AT);
	EXPECT_EQ(2 * HUGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, mock_memory_limit(self->fd, 65536));
}

TEST_HARNESS_MAIN
