// SPDX-License-Identifier: GPL-2.0-only
/* VFIO's type1 calls on a file of /dev/iommu, in both versions: what is mapped, and what splits. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"
#include "lib/type1.h"

#define PAGES 16
#define BUF (PAGES * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define RACE_ROUNDS 300

/* On a file that nobody has chosen an IOAS for. */
TEST(type1_without_ioas)
{
	int fd = iommu_open();
	char *buf = mem_shared(PAGE);

	ASSERT_LE(0, fd);
	EXPECT_EQ(VFIO_API_VERSION, t1_number(fd, VFIO_GET_API_VERSION, 0));
	EXPECT_EQ(1, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL));
	EXPECT_EQ(0, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(0, t1_number(fd, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR));
	EXPECT_EQ(0, t1_number(fd, VFIO_CHECK_EXTENSION, ~0ul));
	EXPECT_EQ(-ENODEV, t1_number(fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EINVAL, t1_number(fd, VFIO_SET_IOMMU, VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(-EINVAL, t1_number(fd, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(-ENODEV, t1_map(fd, buf, PAGE, AT));
	EXPECT_EQ(-ENODEV, t1_unmap(fd, AT, PAGE, NULL));
	EXPECT_EQ(-ENOTTY, t1_number(fd, VFIO_IOMMU_ENABLE, 0));
	EXPECT_EQ(-ENOTTY, t1_number(fd, VFIO_IOMMU_DISABLE, 0));
	EXPECT_EQ(-ENOTTY, t1_number(fd, VFIO_IOMMU_DIRTY_PAGES, (unsigned long)buf));
	close(fd);
}

/* The choice of an IOAS ends with that IOAS, and is not its ID. */
TEST(type1_choice)
{
	int fd = iommu_open();
	__u32 ioas = ioas_new(fd), none = 0, got = 0, again;
	struct mock_dev dev;

	ASSERT_EQ(0, mock_attach(fd, ioas, &dev));
	EXPECT_EQ(-ENODEV, t1_ioas(fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(-ENOENT, t1_ioas(fd, IOMMU_VFIO_IOAS_SET, &none));
	EXPECT_EQ(-ENOENT, t1_ioas(fd, IOMMU_VFIO_IOAS_SET, &dev.hwpt));
	EXPECT_EQ(-EOPNOTSUPP, t1_ioas(fd, 3, &ioas));
	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_CLEAR, &none));
	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_SET, &ioas));
	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(ioas, got);
	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_CLEAR, &none));
	EXPECT_EQ(-ENODEV, t1_ioas(fd, IOMMU_VFIO_IOAS_GET, &got));

	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_SET, &ioas));
	EXPECT_EQ(-EBUSY, destroy(fd, ioas));
	EXPECT_EQ(0, t1_ioas(fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(0, destroy(fd, dev.stdev));
	EXPECT_EQ(0, destroy(fd, ioas));
	again = ioas_new(fd);
	EXPECT_EQ(ioas, again);
	EXPECT_EQ(-ENODEV, t1_ioas(fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(-ENODEV, t1_number(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	close(fd);
}

FIXTURE(type1)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
};

FIXTURE_VARIANT(type1)
{
	unsigned int version;
};

FIXTURE_VARIANT_ADD(type1, v1) { .version = VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(type1, v2) { .version = VFIO_TYPE1v2_IOMMU };

FIXTURE_SETUP(type1)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	ASSERT_EQ(0, t1_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, t1_number(self->fd, VFIO_SET_IOMMU, variant->version));
	ASSERT_EQ(0, pages_pinned());
}

FIXTURE_TEARDOWN(type1)
{
	EXPECT_EQ(0, t1_unmap_flags(self->fd, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, NULL));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

#define SPLITS (variant->version == VFIO_TYPE1_IOMMU)

static int seen(int fd, __u32 hwpt, const char *va, __u64 length, __u64 iova)
{
	return mock_check_map(fd, hwpt, va, length, iova);
}

TEST_F(type1, map_arguments)
{
	const char *b = self->buf;
	int fd = self->fd;

	EXPECT_EQ(-EINVAL, t1_map_flags(fd, 0, b, PAGE, AT));
	EXPECT_EQ(-EINVAL, t1_map_flags(fd, VFIO_DMA_MAP_FLAG_VADDR, b, PAGE, AT));
	EXPECT_EQ(-EINVAL, t1_map_flags(fd, T1_RW | 8, b, PAGE, AT));
	EXPECT_EQ(-EINVAL, t1_map(fd, b, 0, AT));
	EXPECT_EQ(-EINVAL, t1_map(fd, b, PAGE / 2, AT));
	EXPECT_EQ(-EINVAL, t1_map(fd, b + PAGE / 2, PAGE, AT));
	EXPECT_EQ(-EINVAL, t1_map(fd, b, PAGE, AT + PAGE / 2));
	EXPECT_EQ(-EINVAL, t1_map(fd, b, 2 * PAGE, -PAGE));
	EXPECT_EQ(-EINVAL, t1_map(fd, (void *)-PAGE, 2 * PAGE, AT));
	EXPECT_EQ(-EINVAL, t1_map(fd, b, PAGE, MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EFAULT, t1_map(fd, NULL, PAGE, AT));
	EXPECT_EQ(0, t1_map(fd, b, BUF, AT));
	EXPECT_EQ(-EEXIST, t1_map(fd, b, PAGE, AT + PAGE));
	EXPECT_EQ(0, seen(fd, self->dev.hwpt, b, BUF, AT));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(type1, unmap_arguments)
{
	__u64 n = 1;
	int fd = self->fd;

	EXPECT_EQ(0, t1_unmap(fd, AT, PAGE, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, t1_map(fd, self->buf, BUF, AT));
	EXPECT_EQ(-EINVAL, t1_unmap(fd, AT, 0, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap(fd, AT, PAGE / 2, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap(fd, AT + 1, BUF, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap(fd, AT, -PAGE, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap_flags(fd, 8, AT, BUF, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap_flags(fd, VFIO_DMA_UNMAP_FLAG_VADDR, AT, BUF, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap_flags(fd, VFIO_DMA_UNMAP_FLAG_ALL, AT, BUF, NULL));
	EXPECT_EQ(-EINVAL, t1_unmap_flags(fd, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, AT, BUF,
					  NULL));
	EXPECT_EQ(0, seen(fd, self->dev.hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, t1_unmap_flags(fd, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, &n));
	EXPECT_EQ(BUF, n);
	EXPECT_EQ(0, t1_unmap_flags(fd, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, &n));
	EXPECT_EQ(0, n);
}

/* A range may take in several mappings and what is between them. */
TEST_F(type1, unmap_several)
{
	__u64 n;

	for (int i = 0; i < PAGES; i += 2)
		ASSERT_EQ(0, t1_map(self->fd, self->buf + i * PAGE, PAGE, AT + i * PAGE));
	EXPECT_EQ(0, t1_unmap(self->fd, AT, BUF / 2, &n));
	EXPECT_EQ(BUF / 4, n);
	EXPECT_EQ(PAGES / 4, pages_pinned());
	EXPECT_EQ(0, seen(self->fd, self->dev.hwpt, self->buf + BUF / 2, PAGE, AT + BUF / 2));
	EXPECT_NE(0, seen(self->fd, self->dev.hwpt, self->buf, PAGE, AT));
}

/* What a part of a mapping is unmapped by: its start, its end, its middle. */
TEST_F(type1, part)
{
	static const struct { int first, count; } parts[] = { { 0, 4 }, { 12, 4 }, { 5, 6 } };
	int fd = self->fd, left = PAGES;
	__u32 hwpt = self->dev.hwpt;
	__u64 n;

	ASSERT_EQ(0, t1_map(fd, self->buf, BUF, AT));
	for (int i = 0; i < 3; i++) {
		__u64 at = parts[i].first * PAGE, length = parts[i].count * PAGE;

		ASSERT_EQ(SPLITS ? 0 : -ENOENT, t1_unmap(fd, AT + at, length, &n));
		if (!SPLITS) {
			EXPECT_EQ(0, seen(fd, hwpt, self->buf, BUF, AT));
			continue;
		}
		EXPECT_EQ(length, n);
		left -= parts[i].count;
		EXPECT_EQ(left, pages_pinned());
		EXPECT_NE(0, seen(fd, hwpt, self->buf + at, PAGE, AT + at));
		EXPECT_NE(0, seen(fd, hwpt, self->buf + at + length - PAGE, PAGE,
				  AT + at + length - PAGE));
	}
	EXPECT_EQ(0, seen(fd, hwpt, self->buf + 4 * PAGE, PAGE, AT + 4 * PAGE));
	EXPECT_EQ(0, seen(fd, hwpt, self->buf + 11 * PAGE, PAGE, AT + 11 * PAGE));
	/* A new device gets what is left, and a hole can be filled. */
	if (SPLITS) {
		struct mock_dev dev;

		EXPECT_EQ(0, t1_map(fd, self->buf + PAGE, PAGE, AT));
		ASSERT_EQ(0, mock_attach(fd, self->ioas, &dev));
		EXPECT_EQ(0, seen(fd, dev.hwpt, self->buf + PAGE, PAGE, AT));
		EXPECT_EQ(0, seen(fd, dev.hwpt, self->buf + 11 * PAGE, PAGE, AT + 11 * PAGE));
		EXPECT_EQ(0, destroy(fd, dev.stdev));
		EXPECT_EQ(0, t1_unmap(fd, AT, BUF, &n));
		EXPECT_EQ(3 * PAGE, n);
	}
}

/* The end of one mapping and the start of the next, in two page tables. */
TEST_F(type1, ends)
{
	struct mock_dev dev;
	__u32 hwpt;
	__u64 n;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, hwpt, &dev));
	ASSERT_EQ(0, t1_map(self->fd, self->buf, BUF / 2, AT));
	ASSERT_EQ(0, t1_map(self->fd, self->buf + BUF / 2, BUF / 2, AT + BUF / 2));
	EXPECT_EQ(SPLITS ? 0 : -ENOENT, t1_unmap(self->fd, AT + BUF / 4, BUF / 2, &n));
	for (int i = 0; i < PAGES; i++) {
		bool gone = SPLITS && i >= PAGES / 4 && i < PAGES * 3 / 4;

		EXPECT_EQ(gone, !!seen(self->fd, hwpt, self->buf + i * PAGE, PAGE, AT + i * PAGE));
		EXPECT_EQ(gone, !!seen(self->fd, self->dev.hwpt, self->buf + i * PAGE, PAGE,
				       AT + i * PAGE));
	}
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

/* Pieces of huge pages, in any order, against a list of what is left. */
TEST_F(type1, pieces)
{
	const int pieces = 64, pages = 2 * HUGE / PAGE / pieces;
	char *buf = mem_hugetlb(2 * HUGE);
	bool left[64];
	__u64 n;

	ASSERT_NE(NULL, buf);
	memset(left, 1, sizeof(left));
	ASSERT_EQ(0, t1_map(self->fd, buf, 2 * HUGE, MOCK_APERTURE_START));
	for (int todo = pieces; todo;) {
		int i = rand() % pieces;
		__u64 at = MOCK_APERTURE_START + i * pages * PAGE;

		if (!SPLITS) {
			ASSERT_EQ(-ENOENT, t1_unmap(self->fd, at, pages * PAGE, &n));
			ASSERT_EQ(0, seen(self->fd, self->dev.hwpt, buf, 2 * HUGE,
					  MOCK_APERTURE_START));
			todo--;
			continue;
		}
		ASSERT_EQ(0, t1_unmap(self->fd, at, pages * PAGE, &n));
		ASSERT_EQ(left[i] ? pages * PAGE : 0, n);
		todo -= left[i];
		left[i] = false;
		for (i = 0; i < pieces; i++)
			ASSERT_EQ(!left[i], !!seen(self->fd, self->dev.hwpt, buf + i * pages * PAGE,
						   PAGE, MOCK_APERTURE_START + i * pages * PAGE));
		ASSERT_EQ(todo * pages, pages_pinned());
	}
}

/* An in-kernel user lets go of all of what is split, and finds the rest again. */
TEST_F(type1, accessed)
{
	int access = access_new_pinning(self->fd, self->ioas);
	__u32 pages;
	char got[8];

	ASSERT_LE(0, access);
	ASSERT_EQ(0, t1_map(self->fd, self->buf, BUF, AT));
	ASSERT_EQ(0, access_pin(self->fd, access, AT + PAGE, BUF - PAGE, self->buf + PAGE, 0,
				&pages));
	EXPECT_EQ(SPLITS ? 0 : -ENOENT, t1_unmap(self->fd, AT + 4 * PAGE, 4 * PAGE, NULL));
	EXPECT_EQ(SPLITS ? -ENOENT : 0, access_unpin(self->fd, access, pages));
	memcpy(self->buf + 8 * PAGE, "the rest", 8);
	EXPECT_EQ(0, access_rw(self->fd, access, AT + 8 * PAGE, 8, got, 0));
	EXPECT_EQ(0, memcmp(got, "the rest", 8));
	EXPECT_EQ(SPLITS ? -ENOENT : 0,
		  access_rw(self->fd, access, AT + 8 * PAGE - 4, 8, got, 0));
	ASSERT_EQ(0, access_pin(self->fd, access, AT + 8 * PAGE, PAGE, self->buf + 8 * PAGE, 0,
				&pages));
	EXPECT_EQ(0, access_unpin(self->fd, access, pages));
	close(access);
}

/* Large pages are off in the first version, and the version is chosen in time. */
TEST_F(type1, version)
{
	unsigned int other = SPLITS ? VFIO_TYPE1v2_IOMMU : VFIO_TYPE1_IOMMU;
	__u64 large;

	EXPECT_EQ(0, option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &large));
	EXPECT_EQ(!SPLITS, large);
	EXPECT_EQ(0, t1_number(self->fd, VFIO_SET_IOMMU, variant->version));
	ASSERT_EQ(0, t1_map(self->fd, self->buf, BUF, AT));
	if (!SPLITS)
		EXPECT_EQ(-EINVAL, t1_number(self->fd, VFIO_SET_IOMMU, other));
	EXPECT_EQ(0, t1_unmap(self->fd, AT, BUF, NULL));
	EXPECT_EQ(0, t1_number(self->fd, VFIO_SET_IOMMU, other));
	EXPECT_EQ(0, option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &large));
	EXPECT_EQ(SPLITS, large);
	/* Without small entries nothing splits, whatever was asked for. */
	ASSERT_EQ(0, option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));
	ASSERT_EQ(0, t1_map(self->fd, self->buf, BUF, AT));
	EXPECT_EQ(-ENOENT, t1_unmap(self->fd, AT, PAGE, NULL));
	EXPECT_EQ(0, seen(self->fd, self->dev.hwpt, self->buf, BUF, AT));
}

/* Devices come and go while what they see goes in parts. */
struct race {
	int fd, failed;
	__u32 ioas;
	bool stop;
};

static void *come_and_go(void *arg)
{
	struct race *r = arg;
	struct mock_dev dev;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		if (mock_attach(r->fd, r->ioas, &dev) || destroy(r->fd, dev.stdev))
			r->failed++;
	}
	return NULL;
}

TEST_F_TIMEOUT(type1, race, 120)
{
	struct race r = { .fd = self->fd, .ioas = self->ioas };
	pthread_t threads[2];
	__u64 n;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, come_and_go, &r));
	/* With none of its own, areas are pinned for the threads' devices only. */
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	for (int round = 0; round < RACE_ROUNDS; round++) {
		__u64 at = rand() % PAGES * PAGE, sum = 0;

		/* What may not be split is made of pieces. */
		for (__u64 i = 0; i < BUF; i += SPLITS ? BUF : PAGE)
			EXPECT_EQ(0, t1_map(self->fd, self->buf + i, SPLITS ? BUF : PAGE, AT + i));
		EXPECT_EQ(0, t1_unmap(self->fd, AT + at, PAGE, &n));
		sum += n;
		EXPECT_EQ(0, t1_unmap(self->fd, AT, BUF / 2, &n));
		sum += n;
		EXPECT_EQ(0, t1_unmap(self->fd, AT, BUF, &n));
		EXPECT_EQ(BUF, sum + n);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, r.failed);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
}

TEST_HARNESS_MAIN
