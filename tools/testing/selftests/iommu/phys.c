// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_IOAS_NOIOMMU_GET_PA, against what the kernel says of the process's own pages. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (16 * PAGE)
/* No domain is there to say where IOVAs may be. */
#define AT (16 * HUGE)

FIXTURE(phys)
{
	int fd, pagemap;
	__u32 ioas;
	char *buf;
};

FIXTURE_SETUP(phys)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	self->pagemap = open("/proc/self/pagemap", O_RDONLY);
	ASSERT_LE(0, self->pagemap);
	self->buf = mem_private(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, madvise(self->buf, BUF, MADV_NOHUGEPAGE));
}

FIXTURE_TEARDOWN(phys)
{
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	close(self->fd);
	close(self->pagemap);
}

static int get_pa(struct _test_data_phys *self, __u64 iova, __u64 *length, __u64 *pa)
{
	struct iommu_ioas_noiommu_get_pa arg = {
		.size = sizeof(arg),
		.ioas_id = self->ioas,
		.iova = iova,
		.length = *length,
	};
	int rc = iommu_call(self->fd, IOMMU_IOAS_NOIOMMU_GET_PA, &arg);

	*length = arg.length;
	*pa = arg.out_phys;
	return rc;
}

/* Where the process has a page; 0 if it cannot be told. */
static __u64 page_at(struct _test_data_phys *self, const char *va)
{
	__u64 entry = 0;

	if (pread(self->pagemap, &entry, 8, (unsigned long)va / PAGE * 8) != 8 || !(entry >> 63))
		return 0;
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static unsigned long contiguous(struct _test_data_phys *self, const char *va, const char *end)
{
	__u64 first = page_at(self, va);
	unsigned long n = PAGE;

	while (va + n < end && page_at(self, va + n) == first + n)
		n += PAGE;
	return n;
}

TEST_F(phys, pages)
{
	__u64 pa, length;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	for (unsigned long at = 0; at < BUF; at += PAGE) {
		length = BUF - at;
		ASSERT_EQ(0, get_pa(self, AT + at, &length, &pa));
		EXPECT_NE(0, pa);
		EXPECT_EQ(page_at(self, self->buf + at), pa);
		EXPECT_EQ(contiguous(self, self->buf + at, self->buf + BUF), length);
		/* From the middle of a page, and less than there is. */
		length = 100;
		ASSERT_EQ(0, get_pa(self, AT + at + 1000, &length, &pa));
		EXPECT_EQ(page_at(self, self->buf + at) + 1000, pa);
		EXPECT_EQ(100, length);
	}
}

/* Mappings side by side, of memory that is contiguous, are one. */
TEST_F(phys, over_mappings)
{
	char *huge = mem_hugetlb(HUGE);
	__u64 pa, length = U64_MAX / 2;

	if (!huge)
		SKIP(return, "no huge pages");
	ASSERT_EQ(0, map_at(self->fd, self->ioas, huge, HUGE / 2, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, huge + HUGE / 2, HUGE / 2, AT + HUGE / 2));
	ASSERT_EQ(0, get_pa(self, AT + PAGE, &length, &pa));
	EXPECT_EQ(page_at(self, huge) + PAGE, pa);
	EXPECT_EQ(HUGE - PAGE, length);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE / 2, HUGE / 2));
	ASSERT_EQ(0, get_pa(self, AT + PAGE, &length, &pa));
	EXPECT_EQ(HUGE / 2 - PAGE, length);
}

/* Pages are followed by others than in memory, at least in one of the two orders. */
TEST_F(phys, not_contiguous)
{
	__u64 pa;

	for (int i = 0; i < 2; i++) {
		char *first = self->buf + i * PAGE, *second = self->buf + !i * PAGE;
		__u64 at = AT + i * HUGE, length = 2 * PAGE;

		ASSERT_EQ(0, map_at(self->fd, self->ioas, first, PAGE, at));
		ASSERT_EQ(0, map_at(self->fd, self->ioas, second, PAGE, at + PAGE));
		ASSERT_EQ(0, get_pa(self, at, &length, &pa));
		EXPECT_EQ(page_at(self, first), pa);
		EXPECT_EQ(page_at(self, second) == pa + PAGE ? 2 * PAGE : PAGE, length);
	}
}

/* A device's memory may be taken back, and whoever was told of it would not know. */
TEST_F(phys, device_memory)
{
	__u64 pa, iova = AT + PAGE, length = 2 * PAGE;
	int dmabuf = mock_dmabuf(self->fd, PAGE);

	ASSERT_LE(0, dmabuf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	ASSERT_EQ(0, map_file(self->fd, self->ioas, FIXED | PERM_RW, dmabuf, 0, PAGE, &iova));
	ASSERT_EQ(0, get_pa(self, AT, &length, &pa));
	EXPECT_EQ(PAGE, length);
	EXPECT_EQ(-ENOENT, get_pa(self, AT + PAGE, &length, &pa));
	close(dmabuf);
}

/* It stays right: pinned from the first question on, also what is mapped later. */
TEST_F(phys, stays)
{
	__u64 pa, again, length = PAGE;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF / 2, AT));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, get_pa(self, AT, &length, &pa));
	EXPECT_EQ(BUF / 2 / PAGE, pages_pinned());
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + BUF / 2, BUF / 2, AT + HUGE));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	ASSERT_EQ(0, madvise(self->buf, PAGE, MADV_DONTNEED));
	self->buf[0] = 1;
	ASSERT_EQ(0, get_pa(self, AT, &length, &again));
	EXPECT_EQ(pa, again);
	EXPECT_NE(pa, page_at(self, self->buf));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF / 2));
	EXPECT_EQ(BUF / 2 / PAGE, pages_pinned());
	EXPECT_EQ(-ENOENT, get_pa(self, AT, &length, &again));
}

TEST_F(phys, errors)
{
	__u64 pa, length = 0;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	EXPECT_EQ(-EINVAL, get_pa(self, AT, &length, &pa));
	length = PAGE;
	/* Memory that is not there cannot be pinned, wherever it is mapped. */
	ASSERT_EQ(0, map_at(self->fd, self->ioas, (void *)PAGE, PAGE, AT + HUGE));
	EXPECT_EQ(-EFAULT, get_pa(self, AT, &length, &pa));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE, PAGE));
	EXPECT_EQ(-ENOENT, get_pa(self, AT + PAGE, &length, &pa));
	EXPECT_EQ(-EOVERFLOW, get_pa(self, -PAGE, &(__u64){ 2 * PAGE }, &pa));
	ASSERT_EQ(0, setresuid(12345, 12345, 12345));
	EXPECT_EQ(-EPERM, get_pa(self, AT, &length, &pa));
}

TEST_HARNESS_MAIN
