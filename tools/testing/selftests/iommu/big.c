// SPDX-License-Identifier: GPL-2.0-only
/* Very many areas, and very large addresses. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define AREAS 100000ul
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(big)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
};

FIXTURE_SETUP(big)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	self->buf = mem_shared(4 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(big)
{
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
}

static __u64 place(unsigned long area)
{
	/* With a page between any two, so that they stay apart. */
	return AT + 2 * PAGE * area;
}

static int fill(struct _test_data_big *self, unsigned long first, unsigned long last)
{
	for (unsigned long i = first; i <= last; i++) {
		int rc = map_at(self->fd, self->ioas, self->buf + i % 4 * PAGE, PAGE, place(i));

		if (rc)
			return rc;
	}
	return 0;
}

TEST_F_TIMEOUT(big, areas, 600)
{
	const unsigned long middle = AREAS / 2;
	__u64 iova = 0, n;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	ASSERT_EQ(0, fill(self, 0, AREAS - 1));
	EXPECT_EQ(AREAS, pages_pinned());
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, 3 * PAGE, place(middle) - PAGE));
	/* One in the middle; its neighbours stay, and its place can be used again. */
	ASSERT_EQ(0, unmap(self->fd, self->ioas, place(middle), PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, place(middle), PAGE));
	for (int i = -1; i < 2; i += 2)
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt,
					    self->buf + (middle + i) % 4 * PAGE, PAGE,
					    place(middle + i)));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, 3 * PAGE, place(middle) - PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, place(middle) - PAGE, 3 * PAGE));
	/* A range of 1000. */
	ASSERT_EQ(0, unmap_count(self->fd, self->ioas, place(1000), place(2000) - place(1000),
				 &n));
	EXPECT_EQ(1000 * PAGE, n);
	EXPECT_EQ(AREAS - 1001, pages_pinned());
	ASSERT_EQ(0, fill(self, 1000, 1999));
	EXPECT_EQ(-EEXIST, fill(self, 999, 999));
	/* The kernel finds holes of one page and of more. */
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, (1 + i % 4) * PAGE,
				 &iova));
		ASSERT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf,
					    (1 + i % 4) * PAGE, iova));
	}
	EXPECT_EQ((AREAS - 1 + 250) * PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, place(7)));
}

/* The first device gets them all at once, a close takes them all at once. */
TEST_F_TIMEOUT(big, areas_then_device, 600)
{
	ASSERT_EQ(0, fill(self, 0, AREAS - 1));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	EXPECT_EQ(AREAS, pages_pinned());
	for (unsigned long i = 0; i < AREAS; i += AREAS / 50)
		ASSERT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf + i % 4 * PAGE,
					    PAGE, place(i)));
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
}

/* Areas that nobody pins cost no memory to speak of, at whatever address. */
TEST_F(big, addresses)
{
	static const __u64 at[] = { 0, 1ull << 40, 1ull << 47, 1ull << 52, 1ull << 63,
				    -2 * PAGE };
	__u64 iova = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, at[i]));
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, PAGE, at[i]));
	EXPECT_EQ(0, copy_at(self->fd, self->ioas, self->ioas, PAGE, PAGE, -2 * PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, -2 * PAGE, PAGE));
	EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &self->dev));
	/* The very last page. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, -PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, -PAGE, PAGE));
	EXPECT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, PAGE, &iova));
	EXPECT_EQ(7 * PAGE, unmap_all(self->fd, self->ioas));
}

TEST_F(big, lengths)
{
	const __u64 tib = 1ull << 40;
	__u64 iova = 0;
	char *va;

	/* Addresses that are reserved, and never touched. */
	va = mmap(NULL, 2 * tib, PROT_READ | PROT_WRITE,
		  MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, va);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, va, tib, 4 * tib));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, va + tib, tib, 5 * tib));
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, va, PAGE, 5 * tib - PAGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, 9 * tib / 2, tib / 4));
	/* Over the border of the two, and a copy of it. */
	EXPECT_EQ(0, copy_at(self->fd, self->ioas, self->ioas, tib, 8 * tib, 9 * tib / 2));
	ASSERT_EQ(0, map(self->fd, self->ioas, PERM_RW, va, 2 * tib, &iova));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, iova, 2 * tib));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, 4 * tib, 2 * tib));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, 8 * tib, tib));
	EXPECT_EQ(0, pages_pinned());
	/* More than the device's aperture: nothing is pinned to find that out. */
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	EXPECT_EQ(-EINVAL, map_at(self->fd, self->ioas, va, tib, AT));
	EXPECT_EQ(-ENOSPC, map(self->fd, self->ioas, PERM_RW, va, tib, &iova));
}

TEST_HARNESS_MAIN
