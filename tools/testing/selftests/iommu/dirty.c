// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: what a device writes to, in bitmaps of every page size, for
 * ranges of any length, against a model that has a flag for each 2 KiB.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/dirty.h"
#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define UNIT MOCK_PAGE_SIZE
#define MIB 0x100000ul
#define BUF (2 * HUGE)
#define AT (MOCK_APERTURE_START + 16 * HUGE)
/* More than a window of the bitmap, by 2 KiB a bit, twice. */
#define LONG (160 * MIB)
#define GUARD 0xa5

FIXTURE(dirty)
{
	int fd;
	__u32 ioas, hwpt;
	char *buf;
	struct mock_dev dev;
	unsigned char *bits;
};

FIXTURE_SETUP(dirty)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->buf = mem_hugetlb(BUF) ?: mem_thp(BUF);
	ASSERT_NE(NULL, self->buf);
	self->bits = mem_private(16 * PAGE);
	ASSERT_NE(NULL, self->bits);
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &self->hwpt));
	ASSERT_EQ(0, dirty_track(self->fd, self->hwpt, true));
}

FIXTURE_TEARDOWN(dirty)
{
	EXPECT_EQ(0, destroy(self->fd, self->hwpt));
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
}

static bool bit(const unsigned char *bits, unsigned long n)
{
	return bits[n / 8] >> n % 8 & 1;
}

/* Whether a device's write to one page is there, alone, and then not any more. */
static int writes_once(struct _test_data_dirty *self, __u64 iova, __u64 length, __u64 page,
		       unsigned long n)
{
	int rc, again;

	memset(self->bits, 0, 16 * PAGE);
	rc = dirty_get(self->fd, self->hwpt, 0, iova, length, page, self->bits);
	if (rc)
		return rc;
	for (unsigned long i = 0; i < length / page; i++) {
		bool want = i == n;

		if (bit(self->bits, i) != want)
			return -EILSEQ;
	}
	memset(self->bits, 0, 16 * PAGE);
	again = dirty_get(self->fd, self->hwpt, 0, iova, length, page, self->bits);
	return again ? again : bit(self->bits, n) ? -EEXIST : 0;
}

TEST_F(dirty, one_page)
{
	static const __u64 sizes[] = { UNIT, PAGE, 2 * PAGE, 64 * 1024, MIB, HUGE, BUF };

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT + MIB + UNIT, UNIT));
		/* The table's pages are of 4 KiB: of smaller bits two are set. */
		EXPECT_EQ(sizes[i] == UNIT ? -EILSEQ : 0,
			  writes_once(self, AT, BUF, sizes[i], MIB / sizes[i]));
	}
}

TEST_F(dirty, keep)
{
	const unsigned long n = 3;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT + n * PAGE, UNIT));
	for (int i = 0; i < 2; i++) {
		memset(self->bits, 0, PAGE);
		EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
				       AT, BUF, PAGE, self->bits));
		EXPECT_TRUE(bit(self->bits, n));
	}
	EXPECT_EQ(0, writes_once(self, AT, BUF, PAGE, n));
}

TEST_F(dirty, bits_are_only_set)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	memset(self->bits, GUARD, PAGE);
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
	for (unsigned long i = 0; i < PAGE; i++)
		ASSERT_EQ(GUARD, self->bits[i]);
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT, BUF));
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
	for (unsigned long i = 0; i < PAGE; i++)
		ASSERT_EQ(i < BUF / PAGE / 8 ? 0xff : GUARD, self->bits[i]);
}

TEST_F(dirty, arguments)
{
	__u32 plain;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &plain));
	EXPECT_EQ(-EOPNOTSUPP, dirty_track(self->fd, plain, true));
	EXPECT_EQ(-EOPNOTSUPP, dirty_get(self->fd, plain, 0, AT, BUF, PAGE, self->bits));
	EXPECT_EQ(-ENOENT, dirty_track(self->fd, self->ioas, true));
	EXPECT_EQ(-ENOENT, dirty_get(self->fd, self->ioas, 0, AT, BUF, PAGE, self->bits));
	EXPECT_EQ(0, destroy(self->fd, plain));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, BUF, 0, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, BUF, UNIT / 2, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, 3 * PAGE, 3 * UNIT, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT + UNIT, BUF, PAGE, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, UNIT, PAGE, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, 0, PAGE, self->bits));
	EXPECT_EQ(-EOVERFLOW, dirty_get(self->fd, self->hwpt, 0, -PAGE, BUF, PAGE, self->bits));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, BUF, U64_MAX, self->bits));
	/* The last page that there is, and almost all there are. */
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, -PAGE, PAGE, PAGE, self->bits));
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, 0, -PAGE, PAGE, (void *)PAGE));
	/* Off: also where nothing is mapped. */
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
	EXPECT_EQ(0, dirty_track(self->fd, self->hwpt, false));
	EXPECT_EQ(-EINVAL, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
}

/* One bit for more than can be mapped. */
TEST_F(dirty, large_bits)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	for (unsigned int shift = 31; shift < 64; shift++) {
		__u64 size = 1ull << shift;

		ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT, UNIT));
		self->bits[0] = 0;
		EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, 0, size, size, self->bits));
		EXPECT_EQ(1, self->bits[0]);
	}
}

/* What is left from before it was off is not told. */
TEST_F(dirty, on_is_clean)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT, BUF));
	EXPECT_EQ(0, dirty_track(self->fd, self->hwpt, false));
	EXPECT_EQ(0, dirty_track(self->fd, self->hwpt, true));
	memset(self->bits, 0, PAGE);
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
	for (unsigned long i = 0; i < PAGE; i++)
		ASSERT_EQ(0, self->bits[i]);
}

/*
 * 128 TiB with a page at each end. The bitmap is not there but where these are:
 * whoever looks at the rest, or walks it, is found out.
 */
TEST_F(dirty, terabytes)
{
	const __u64 length = 1ull << 47, last = MOCK_APERTURE_LAST + 1ul - PAGE;
	const size_t bytes = length / PAGE / 8;
	unsigned char *bits = mmap(NULL, bytes, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const size_t first_at = MOCK_APERTURE_START / PAGE / 8, last_at = last / PAGE / 8;

	ASSERT_NE(MAP_FAILED, bits);
	ASSERT_EQ(0, mprotect(bits + (first_at & -PAGE), PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, mprotect(bits + (last_at & -PAGE), PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, MOCK_APERTURE_START));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, last));
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, last, PAGE));
	EXPECT_EQ(0, dirty_get(self->fd, self->hwpt, 0, 0, length, PAGE, bits));
	EXPECT_EQ(0, bits[first_at]);
	EXPECT_EQ(0x80, bits[last_at]);
	munmap(bits, bytes);
}

/* A bitmap that cannot be written is said to be, and what is dirty stays so. */
TEST_F(dirty, bad_bitmap)
{
	unsigned char *halves = self->bits + PAGE - BUF / PAGE / 16;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT + 5 * PAGE, UNIT));
	EXPECT_EQ(-EFAULT, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, (void *)PAGE));
	ASSERT_EQ(0, mprotect(self->bits, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, self->bits));
	/* Only its second half can be written */
	EXPECT_EQ(-EFAULT, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, halves));
	ASSERT_EQ(0, mprotect(self->bits, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, writes_once(self, AT, BUF, PAGE, 5));
	/* Only its first */
	ASSERT_EQ(0, device_writes(self->fd, self->hwpt, AT + 3 * BUF / 4, UNIT));
	ASSERT_EQ(0, mprotect(self->bits + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, dirty_get(self->fd, self->hwpt, 0, AT, BUF, PAGE, halves));
	ASSERT_EQ(0, mprotect(self->bits + PAGE, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, writes_once(self, AT, BUF, PAGE, 3 * BUF / 4 / PAGE));
}

/* A huge page of the table, of which a range has a part, is told and stays dirty. */
TEST_F(dirty, part_of_a_huge_page)
{
	__u32 hwpt;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, hwpt_alloc_huge(self->fd, self->dev.idev, self->ioas, &hwpt));
	ASSERT_EQ(0, dirty_track(self->fd, hwpt, true));
	ASSERT_EQ(0, device_writes(self->fd, hwpt, AT + MIB + PAGE, UNIT));
	for (int i = 0; i < 2; i++) {
		memset(self->bits, 0, PAGE);
		/* 1 MiB of pages, half of them in front of the huge page. */
		EXPECT_EQ(0, dirty_get(self->fd, hwpt, 0, AT + MIB / 2, MIB, PAGE, self->bits));
		for (unsigned long n = 0; n < PAGE * 8; n++)
			ASSERT_EQ(n >= 128 && n < 256, bit(self->bits, n));
		memset(self->bits, 0, PAGE);
		EXPECT_EQ(0, dirty_get(self->fd, hwpt, 0, AT + 3 * MIB / 2, MIB, PAGE, self->bits));
		for (unsigned long n = 0; n < PAGE * 8; n++)
			ASSERT_EQ(n < 128, bit(self->bits, n));
		memset(self->bits, 0, PAGE);
		/* Behind a whole one. */
		EXPECT_EQ(0, dirty_get(self->fd, hwpt, 0, AT, 3 * MIB / 2, PAGE, self->bits));
		for (unsigned long n = 0; n < PAGE * 8; n++)
			ASSERT_EQ(n >= 256 && n < 384, bit(self->bits, n));
	}
	EXPECT_EQ(-EFAULT, dirty_get(self->fd, hwpt, 0, AT + MIB / 2, MIB, PAGE, (void *)PAGE));
	memset(self->bits, 0, PAGE);
	EXPECT_EQ(0, dirty_get(self->fd, hwpt, 0, AT, BUF, MIB, self->bits));
	EXPECT_EQ(2, self->bits[0]);
	self->bits[0] = 0;
	EXPECT_EQ(0, dirty_get(self->fd, hwpt, 0, AT, BUF, MIB, self->bits));
	EXPECT_EQ(0, self->bits[0]);
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

struct model {
	struct _test_data_dirty *self;
	__u32 hwpt;
	__u64 start;
	unsigned long units, page;
	unsigned char *dirty;
};

static unsigned long below(unsigned long n)
{
	return ((unsigned long)random() << 31 | random()) % n;
}

/* A device writes here and there; a page of the table is dirty as a whole. */
static int write_some(struct model *m, unsigned int times)
{
	while (times--) {
		unsigned long u = below(m->units), first = u & -(m->page / UNIT);
		int rc = device_writes(m->self->fd, m->hwpt, m->start + u * UNIT, UNIT);

		if (rc)
			return rc;
		memset(m->dirty + first, 1, m->page / UNIT);
	}
	return 0;
}

/* A range of whole pages of the table, a bitmap of any size of bits at any byte. */
static int read_some(struct model *m, unsigned char *bits, size_t room)
{
	unsigned long size = UNIT << below(8), unit = size > m->page ? size : m->page;
	unsigned long pages = m->units * UNIT / unit, first = below(pages);
	unsigned long n = (1 + below(pages - first)) * (unit / size), skip = below(2 * PAGE);
	unsigned long u = first * unit / UNIT, per = size / UNIT;
	bool keep = below(2);
	int rc;

	memset(bits, 0, room);
	rc = dirty_get(m->self->fd, m->hwpt, keep ? IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0,
		       m->start + first * unit, n * size, size, bits + skip);
	if (rc)
		return rc;
	for (unsigned long i = 0; i < room * 8; i++) {
		unsigned long k = i - skip * 8;
		bool want = i >= skip * 8 && k < n && memchr(m->dirty + u + k * per, 1, per);

		if (bit(bits, i) != want)
			return -EILSEQ;
	}
	if (!keep)
		memset(m->dirty + u, 0, n * per);
	return 0;
}

static int compare_often(struct model *m)
{
	const size_t room = LONG / UNIT / 8 + 3 * PAGE;
	unsigned char *bits = malloc(room);
	int rc = bits ? 0 : -ENOMEM;

	m->dirty = calloc(m->units, 1);
	srandom(1);
	for (int i = 0; i < 60 && !rc && m->dirty; i++)
		rc = write_some(m, 1 + below(20)) ?: read_some(m, bits, room);
	free(m->dirty);
	free(bits);
	return rc;
}

/* One area, longer than what is looked at in one go. */
TEST_F_TIMEOUT(dirty, model, 300)
{
	struct model m = { .self = self, .hwpt = self->hwpt, .start = AT, .page = PAGE,
			   .units = LONG / UNIT };
	char *buf = mem_shared(LONG);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, LONG, AT));
	EXPECT_EQ(0, compare_often(&m));
	EXPECT_EQ(LONG, unmap_all(self->fd, self->ioas));
	munmap(buf, LONG);
}

/* Many areas side by side, and a table of huge pages. */
TEST_F_TIMEOUT(dirty, model_huge, 300)
{
	struct model m = { .self = self, .start = AT, .page = MIB, .units = LONG / UNIT };

	for (unsigned long at = 0; at < LONG; at += BUF)
		ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT + at));
	ASSERT_EQ(0, hwpt_alloc_huge(self->fd, self->dev.idev, self->ioas, &m.hwpt));
	ASSERT_EQ(0, dirty_track(self->fd, m.hwpt, true));
	EXPECT_EQ(0, compare_often(&m));
	EXPECT_EQ(0, destroy(self->fd, m.hwpt));
}

static void *map_and_unmap(void *arg)
{
	struct _test_data_dirty *self = arg;

	for (int i = 0; i < 500; i++) {
		unsigned long shift = i % 3 * UNIT;

		map_at(self->fd, self->ioas, self->buf + shift, BUF / 2, AT + MIB + shift);
		unmap_all(self->fd, self->ioas);
	}
	return NULL;
}

/* Beside maps and unmaps, nothing but the bits asked for is written. */
TEST_F_TIMEOUT(dirty, beside_maps, 300)
{
	unsigned char *end = self->bits + BUF / PAGE / 8;
	pthread_t thread;
	__u32 hwpt;

	ASSERT_EQ(0, hwpt_alloc_huge(self->fd, self->dev.idev, self->ioas, &hwpt));
	ASSERT_EQ(0, dirty_track(self->fd, hwpt, true));
	memset(self->bits, 0, PAGE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_unmap, self));
	for (int i = 0; i < 500; i++) {
		device_writes(self->fd, hwpt, AT + MIB, MIB);
		ASSERT_EQ(0, dirty_get(self->fd, hwpt, 0, AT, BUF, PAGE, self->bits));
		for (int k = 0; k < 256; k++)
			ASSERT_EQ(0, end[k]);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

TEST_HARNESS_MAIN
