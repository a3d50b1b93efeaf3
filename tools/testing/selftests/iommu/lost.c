// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that cannot be pinned, at any place of a large mapping: not there, not
 * allowed, poisoned, behind the end of a file, without a huge page left. A map,
 * a new device or an in-kernel user that finds out changes nothing. And memory
 * that is poisoned while a device has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + HUGE)
#define BUF (4 * HUGE)

/* Newer than some systems' headers. */
#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};

#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif
#define POISONS 0x4000

FIXTURE(lost)
{
	int fd, access;
	__u32 ioas, idle;
	struct mock_dev dev;
	char *buf;
	long pins;
};

enum how { HOLE, NONE, READ_ONLY, POISON, HANDLER, END };

FIXTURE_VARIANT(lost)
{
	enum how how;
	bool huge;
};

FIXTURE_VARIANT_ADD(lost, hole) { .how = HOLE };
FIXTURE_VARIANT_ADD(lost, hole_in_huge) { .how = HOLE, .huge = true };
FIXTURE_VARIANT_ADD(lost, no_access) { .how = NONE };
FIXTURE_VARIANT_ADD(lost, no_access_in_huge) { .how = NONE, .huge = true };
FIXTURE_VARIANT_ADD(lost, read_only) { .how = READ_ONLY };
FIXTURE_VARIANT_ADD(lost, poison) { .how = POISON };
FIXTURE_VARIANT_ADD(lost, poison_in_huge) { .how = POISON, .huge = true };
/* A page that a handler of page faults says is poisoned. */
FIXTURE_VARIANT_ADD(lost, handler) { .how = HANDLER };
FIXTURE_VARIANT_ADD(lost, end_of_file) { .how = END };

FIXTURE_SETUP(lost)
{
	self->pins = pins_outstanding();
	ASSERT_LE(0, self->pins);
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	self->idle = ioas_new(self->fd);
	ASSERT_NE(0, self->idle);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->access = access_new_pinning(self->fd, self->idle);
	ASSERT_LT(0, self->access);
}

#define EXPECT_NOTHING_LEFT(ioas) \
	do { \
		EXPECT_EQ(0, unmap_all(self->fd, ioas)); \
		EXPECT_EQ(self->pins, pins_outstanding()); \
		EXPECT_EQ(0, pages_pinned()); \
	} while (0)

FIXTURE_TEARDOWN(lost)
{
	EXPECT_NOTHING_LEFT(self->ioas);
	close(self->access);
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, self->idle));
	close(self->fd);
}

static int uffd_new(char *page)
{
	struct uffdio_api api = { .api = UFFD_API, .features = POISONS };
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		return -EOPNOTSUPP;
	madvise(page, PAGE, MADV_DONTNEED);
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		close(uffd);
		return -EOPNOTSUPP;
	}
	return uffd;
}

/* Answers one fault, with poison. */
static void *handler(void *arg)
{
	int uffd = *(int *)arg;
	struct uffd_msg msg;

	if (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_poison poison = {
			.range = { .start = msg.arg.pagefault.address & -PAGE, .len = PAGE },
		};

		ioctl(uffd, UFFDIO_POISON, &poison);
	}
	return NULL;
}

/* Memory with one page that cannot be pinned; -EOPNOTSUPP where there is no such thing. */
static int spoil(const struct _fixture_variant_lost *variant, char **buf, size_t at, int *uffd,
		 pthread_t *thread)
{
	char *va = variant->huge ? mem_thp(BUF) : mem_private(BUF);

	*buf = va;
	*uffd = -1;
	if (!va)
		return -ENOMEM;
	switch (variant->how) {
	case HOLE:
		return munmap(va + at, PAGE) ? -errno : 0;
	case NONE:
		return mprotect(va + at, PAGE, PROT_NONE) ? -errno : 0;
	case READ_ONLY:
		return mprotect(va + at, PAGE, PROT_READ) ? -errno : 0;
	case POISON:
		return !madvise(va + at, PAGE, MADV_HWPOISON) ? 0 :
		       errno == EINVAL || errno == EPERM ? -EOPNOTSUPP : -errno;
	case HANDLER:
		*uffd = uffd_new(va + at);
		return *uffd < 0 ? *uffd : -pthread_create(thread, NULL, handler, uffd);
	case END: {
		int file = file_new(at, 0);

		munmap(va, BUF);
		*buf = mmap(va, BUF, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
		close(file);
		return *buf == va ? 0 : -errno;
	}
	}
	return -EINVAL;
}

/* In the first, in the last, at the borders of large pages, and between them. */
static const size_t places[] = {
	0, PAGE, 511 * PAGE, HUGE, HUGE + PAGE, 2 * HUGE + 300 * PAGE, BUF - HUGE, BUF - PAGE,
};

static bool refused(int rc)
{
	return rc == -EFAULT || rc == -EHWPOISON;
}

TEST_F_TIMEOUT(lost, map, 120)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		size_t at = places[i], rest = BUF - at - PAGE;
		pthread_t thread;
		char *buf;
		int uffd, rc;

		rc = spoil(variant, &buf, at, &uffd, &thread);
		if (rc == -EOPNOTSUPP)
			SKIP(return, "this kernel, or user, cannot do that to memory");
		ASSERT_EQ(0, rc);
		rc = map_at(self->fd, self->ioas, buf, BUF, AT);
		EXPECT_TRUE(refused(rc)) TH_LOG("at %zu: %d", at, rc);
		EXPECT_NOTHING_LEFT(self->ioas);
		if (uffd >= 0)
			EXPECT_EQ(0, pthread_join(thread, NULL));
		/* What lies before and behind is as good as ever. */
		if (at)
			EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, at, AT));
		if (rest && variant->how != END)
			EXPECT_EQ(0, map_at(self->fd, self->ioas, buf + at + PAGE, rest,
					    AT + at + PAGE));
		if (at)
			EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, buf, at, AT));
		EXPECT_EQ(BUF / PAGE - 1 - (variant->how == END ? rest / PAGE : 0),
			  pages_pinned());
		EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
		munmap(buf, BUF);
		close(uffd);
	}
}

/* Found out later: by a device, by a table, by a copy, by a user in the kernel. */
TEST_F_TIMEOUT(lost, later, 120)
{
	const size_t at = 2 * HUGE + 300 * PAGE;
	struct mock_dev dev;
	pthread_t thread;
	__u32 hwpt, pages;
	char *buf, *got;
	int uffd, rc;

	if (variant->how == HANDLER)
		SKIP(return, "the handler answers once");
	rc = spoil(variant, &buf, at, &uffd, &thread);
	if (rc == -EOPNOTSUPP)
		SKIP(return, "this kernel, or user, cannot do that to memory");
	ASSERT_EQ(0, rc);
	got = mem_private(BUF);
	ASSERT_EQ(0, map_at(self->fd, self->idle, buf, BUF, AT));
	EXPECT_TRUE(refused(mock_attach(self->fd, self->idle, &dev)));
	EXPECT_TRUE(refused(mock_replace(self->fd, self->dev.stdev, self->idle)));
	EXPECT_TRUE(refused(hwpt_alloc(self->fd, self->dev.idev, self->idle, 0, &hwpt)));
	EXPECT_TRUE(refused(copy_at(self->fd, self->ioas, self->idle, BUF, AT, AT)));
	EXPECT_TRUE(refused(access_pin(self->fd, self->access, AT, BUF, buf, 0, &pages)));
	EXPECT_TRUE(refused(access_rw(self->fd, self->access, AT, BUF, got, MOCK_ACCESS_RW_WRITE)));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->pins, pins_outstanding());
	/* The device is where it was. */
	EXPECT_EQ(0, map_at(self->fd, self->ioas, got, BUF, AT));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, got, BUF, AT));
	EXPECT_EQ(BUF, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(BUF, unmap_all(self->fd, self->idle));
}

FIXTURE(under)
{
	int fd, access;
	__u32 ioas;
	struct mock_dev dev;
	long pins;
};

FIXTURE_SETUP(under)
{
	self->pins = pins_outstanding();
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->access = access_new(self->fd, self->ioas, 0);
	ASSERT_LT(0, self->access);
}

FIXTURE_TEARDOWN(under)
{
	EXPECT_NOTHING_LEFT(self->ioas);
	close(self->access);
	close(self->fd);
	EXPECT_EQ(self->pins, pins_outstanding());
}

/* Poisoned under a device: who comes later is refused, and the pages can be let go. */
static void poison_under(struct __test_metadata *_metadata, struct _test_data_under *self,
			 char *buf, size_t length)
{
	static char got[2 * PAGE];
	struct mock_dev dev;
	int rc, again;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, length, AT));
	rc = madvise(buf + length / 2, PAGE, MADV_HWPOISON) ? errno : 0;
	if (rc == EINVAL || rc == EPERM) {
		EXPECT_EQ(length, unmap_all(self->fd, self->ioas));
		SKIP(return, "this kernel, or user, cannot poison memory");
	}
	/*
	 * EBUSY: somebody has the page, as we do, and it is poisoned all the same. EHWPOISON: as
	 * part of a pinned huge page, which cannot be split, it stays in the process.
	 */
	ASSERT_TRUE(!rc || rc == EBUSY || rc == EHWPOISON) TH_LOG("errno %d", rc);
	/* Only a page that is read can harm: this one is not broken in truth. */
	EXPECT_EQ(0, device_read(self->fd, self->access, AT + length / 2 - PAGE, 2 * PAGE, got));
	EXPECT_EQ(length / PAGE, pages_pinned());
	/* One more device shares the pins there are. */
	EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	again = map_at(self->fd, self->ioas, buf, length, AT + 8 * HUGE);
	EXPECT_TRUE(rc == EHWPOISON ? !again : refused(again)) TH_LOG("%d: %d", rc, again);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, length));
	EXPECT_EQ(again ? 0 : length / PAGE, pages_pinned());
	EXPECT_EQ(again ? 0 : length, unmap_all(self->fd, self->ioas));
	again = map_at(self->fd, self->ioas, buf, length, AT);
	EXPECT_TRUE(rc == EHWPOISON ? !again : refused(again)) TH_LOG("%d: %d", rc, again);
	EXPECT_EQ(again ? 0 : length, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(under, poison)
{
	char *buf = mem_private(16 * PAGE);

	memset(buf, 1, 16 * PAGE);
	poison_under(_metadata, self, buf, 16 * PAGE);
}

TEST_F(under, poison_in_huge)
{
	poison_under(_metadata, self, mem_thp(HUGE), HUGE);
}

TEST_F(under, poison_in_hugetlb)
{
	char *buf = mem_hugetlb(HUGE);

	if (!buf)
		SKIP(return, "no huge pages: vm.nr_hugepages is too small");
	poison_under(_metadata, self, buf, HUGE);
}

/* All huge pages of the pool that are left, in one mapping; NULL if that cannot be. */
static char *take_pool(size_t *length)
{
	long free = huge_pages_free() - huge_pages_reserved();

	*length = free * HUGE;
	return free > 0 ? mem_hugetlb(*length) : NULL;
}

/* Huge pages that nobody promised: the second one is missing when it is wanted. */
TEST_F_TIMEOUT(under, pool_is_empty, 300)
{
	char *buf, *pool;
	size_t length;
	int file;

	buf = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		   MAP_ANONYMOUS | MAP_PRIVATE | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	file = file_new(2 * HUGE, MFD_HUGETLB);
	if (buf == MAP_FAILED || huge_pages_free() < 2)
		SKIP(return, "no huge pages: vm.nr_hugepages is too small");
	ASSERT_LE(0, file);
	buf[0] = 1;
	pool = take_pool(&length);
	ASSERT_NE(NULL, pool);
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, 2 * HUGE, AT));
	EXPECT_NOTHING_LEFT(self->ioas);
	EXPECT_EQ(-ENOMEM, map_file(self->fd, self->ioas, FIXED | PERM_RW, file, 0, 2 * HUGE,
				    &(__u64){ AT }));
	EXPECT_NOTHING_LEFT(self->ioas);
	EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, HUGE, AT));
	/* With one back in the pool, one is missing still, and what was taken is given back. */
	ASSERT_EQ(0, munmap(pool + length - HUGE, HUGE));
	EXPECT_EQ(-ENOMEM, map_file(self->fd, self->ioas, FIXED | PERM_RW, file, 0, 2 * HUGE,
				    &(__u64){ AT + 4 * HUGE }));
	EXPECT_EQ(HUGE / PAGE, pages_pinned());
	ASSERT_EQ(0, munmap(pool, length - HUGE));
	EXPECT_EQ(0, map_file(self->fd, self->ioas, FIXED | PERM_RW, file, 0, 2 * HUGE,
			      &(__u64){ AT + 4 * HUGE }));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + 4 * HUGE, 2 * HUGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, HUGE));
	close(file);
}

/* A hole in a file of huge pages, under a mapping of the process's addresses. */
TEST_F(under, huge_page_punched)
{
	static char got[PAGE];
	int file = file_new(2 * HUGE, MFD_HUGETLB);
	char *buf = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (buf == MAP_FAILED)
		SKIP(return, "no huge pages: vm.nr_hugepages is too small");
	memset(buf, 7, 2 * HUGE);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, 2 * HUGE, AT));
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HUGE, HUGE));
	ASSERT_EQ(0, device_read(self->fd, self->access, AT + HUGE + 5 * PAGE, PAGE, got));
	EXPECT_EQ(7, got[0]);
	ASSERT_EQ(0, ftruncate(file, HUGE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, buf, 2 * HUGE, AT + 4 * HUGE));
	EXPECT_EQ(2 * HUGE / PAGE, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, 2 * HUGE));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, buf, HUGE, AT));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, HUGE));
	close(file);
}

/*
 * Who poisons a page of its own is told by a signal, which kills if it is ignored; the harness,
 * which ignored it as well, would then find nothing wrong. What is really touched comes again.
 */
static void told(int signal)
{
	static unsigned int times;

	(void)signal;
	if (++times > 4 * ARRAY_SIZE(places))
		_exit(KSFT_FAIL);
}

int main(int argc, char **argv)
{
	signal(SIGBUS, told);
	return test_harness_run(argc, argv);
}
