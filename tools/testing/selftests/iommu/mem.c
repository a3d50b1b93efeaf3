// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the process does to its memory under a mapping, and memory that cannot
 * be mapped. A device that has a page keeps that page.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (8 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(mem)
{
	int fd;
	int access;
	__u32 ioas;
	struct mock_dev dev;
	long pins;
	char got[BUF];
};

FIXTURE_SETUP(mem)
{
	self->pins = pins_outstanding();
	ASSERT_LE(0, self->pins);
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->access = access_new(self->fd, self->ioas, 0);
	ASSERT_LT(0, self->access);
}

FIXTURE_TEARDOWN(mem)
{
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(0, pages_pinned());
	close(self->access);
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

/* The device sees one value in all of the range, and can write it. */
static int device_sees(struct _test_data_mem *self, int value)
{
	int rc = device_read(self->fd, self->access, AT, BUF, self->got);

	if (rc)
		return rc;
	for (size_t i = 0; i < BUF; i++)
		if (self->got[i] != value)
			return self->got[i];
	return device_write(self->fd, self->access, AT, BUF, self->got) ? -EIO : value;
}

TEST_F(mem, munmap)
{
	char *buf = mem_private(BUF), *again;

	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT));
	ASSERT_EQ(0, munmap(buf, BUF));
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	/* New memory at the old address is not the device's. */
	again = mmap(buf, BUF, PROT_READ | PROT_WRITE,
		     MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, -1, 0);
	ASSERT_EQ(buf, again);
	memset(buf, 0x22, BUF);
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	EXPECT_EQ(0x22, buf[0]);
	EXPECT_NE(0, mock_check_map(self->fd, self->dev.hwpt, buf, BUF, AT));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
}

TEST_F(mem, dontneed)
{
	char *buf = mem_private(BUF);

	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT));
	ASSERT_EQ(0, madvise(buf, BUF, MADV_DONTNEED));
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	/* Mapped anew, it is the new memory, and each unmap gives back its own. */
	memset(buf, 0x33, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT + HUGE));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, buf, BUF, AT + HUGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, mock_check_refs(self->fd, buf, BUF, 1));
}

TEST_F(mem, file_goes_away)
{
	int file = file_new(BUF, 0);
	char *buf;

	ASSERT_LE(0, file);
	buf = mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, buf);
	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT));
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BUF / 2));
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	ASSERT_EQ(0, ftruncate(file, 0));
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	close(file);
	ASSERT_EQ(0, munmap(buf, BUF));
	EXPECT_EQ(0x11, device_sees(self, 0x11));
	/* Beyond the end of a file there is nothing. */
	file = file_new(BUF, 0);
	buf = mmap(NULL, 2 * BUF, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, buf);
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, 2 * BUF, AT + HUGE));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + HUGE, 2 * BUF));
}

TEST_F(mem, moved)
{
	char *buf = mem_private(BUF), *to;

	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT));
	to = mremap(buf, BUF, 2 * BUF, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, to);
	memset(to, 0x22, BUF);
	EXPECT_EQ(0x22, device_sees(self, 0x22));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, to, BUF, AT));
}

/* The pages stay the parent's, whoever writes first after a fork. */
TEST_F(mem, fork)
{
	char *buf = mem_private(BUF);
	int status;
	pid_t pid;

	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, BUF, AT));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		memset(buf, 0x44, BUF);
		_exit(0);
	}
	memset(buf, 0x22, BUF);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0x22, device_sees(self, 0x22));
	memset(self->got, 0x55, BUF);
	ASSERT_EQ(0, device_write(self->fd, self->access, AT, BUF, self->got));
	EXPECT_EQ(0x55, buf[BUF - 1]);
}

/* Memory that nobody has written: what the process writes later, the device reads. */
TEST_F(mem, untouched)
{
	__u64 iova = AT;
	char *buf = mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	ASSERT_NE(MAP_FAILED, buf);
	EXPECT_EQ(0, buf[0]);
	ASSERT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, buf, BUF, &iova));
	memset(buf, 0x11, BUF);
	ASSERT_EQ(0, device_read(self->fd, self->access, AT, BUF, self->got));
	EXPECT_EQ(0x11, self->got[0]);
	EXPECT_EQ(0x11, self->got[BUF - 1]);
}

/* A failed map has changed nothing: no pin, no charge, and the IOVA is free. */
#define EXPECT_NOTHING_LEFT() \
	do { \
		EXPECT_EQ(0, unmap_all(self->fd, self->ioas)); \
		EXPECT_EQ(self->pins, pins_outstanding()); \
		EXPECT_EQ(0, pages_pinned()); \
	} while (0)

TEST_F(mem, read_only)
{
	char *buf = mem_private(BUF);
	__u64 iova = AT;

	ASSERT_EQ(0, mprotect(buf, BUF, PROT_READ));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, BUF, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(-EFAULT, map(self->fd, self->ioas, FIXED | PERM_W, buf, BUF, &iova));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(0, map(self->fd, self->ioas, FIXED | PERM_R, buf, BUF, &iova));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	/* Only the last page is. */
	ASSERT_EQ(0, mprotect(buf, BUF - PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, BUF, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, BUF - PAGE, AT));
}

TEST_F(mem, not_there)
{
	char *buf = mem_private(BUF);
	__u64 iova = AT;

	ASSERT_EQ(0, mprotect(buf + 3 * PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, BUF, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(-EFAULT, map(self->fd, self->ioas, FIXED | PERM_R, buf, BUF, &iova));
	EXPECT_NOTHING_LEFT();
	ASSERT_EQ(0, munmap(buf + 5 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf + 4 * PAGE, 4 * PAGE, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf + 5 * PAGE, PAGE, AT));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, (void *)PAGE, PAGE, AT));
	/* An address of the kernel's. */
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, (void *)-HUGE, PAGE, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, 3 * PAGE, AT));
}

/* What has no pages that could be pinned: here the kernel's own page for clocks. */
TEST_F(mem, no_memory)
{
	char line[256], *va = NULL;
	FILE *maps = fopen("/proc/self/maps", "r");
	__u64 iova = AT;

	ASSERT_NE(NULL, maps);
	while (!va && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[vvar]"))
			va = (char *)strtoul(line, NULL, 16);
	}
	fclose(maps);
	if (!va)
		SKIP(return, "no [vvar] in this process");
	EXPECT_EQ(-EFAULT, map(self->fd, self->ioas, FIXED | PERM_R, va, PAGE, &iova));
	EXPECT_NOTHING_LEFT();
}

/* Far into a large mapping, after much has been pinned already. */
TEST_F(mem, hole_in_huge_pages)
{
	char *buf = mem_thp(4 * HUGE);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, mprotect(buf + 3 * HUGE + 7 * PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, 4 * HUGE, AT));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, 3 * HUGE, AT));
	EXPECT_EQ(3 * HUGE / PAGE, pages_pinned());
}

/* Mapped while nobody needs it; the first device finds out, and is not attached. */
TEST_F(mem, found_out_by_device)
{
	char *buf = mem_private(BUF);
	struct mock_dev dev;
	__u32 ioas = ioas_new(self->fd), hwpt;

	ASSERT_EQ(0, map_at(self->fd, ioas, buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, ioas, buf, BUF, AT + HUGE));
	ASSERT_EQ(0, munmap(buf + 3 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, mock_attach(self->fd, ioas, &dev));
	EXPECT_EQ(-EFAULT, hwpt_alloc(self->fd, self->dev.idev, ioas, 0, &hwpt));
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(0, pages_pinned());
	/* With the memory back, it works. */
	ASSERT_EQ(buf + 3 * PAGE, mmap(buf + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE,
				       MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, mock_attach(self->fd, ioas, &dev));
	EXPECT_EQ(0, mock_check_map(self->fd, dev.hwpt, buf, BUF, AT + HUGE));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, ioas));
}

TEST_HARNESS_MAIN
