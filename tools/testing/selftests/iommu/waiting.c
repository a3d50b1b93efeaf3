// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory whose page fault waits for user space (userfaultfd): nobody else may
 * have to wait for it, and the one who waits can be killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <kselftest_harness.h>

#include "lib/dirty.h"
#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define LATER (AT + 16 * HUGE)

FIXTURE(waiting)
{
	int fd;
	int uffd;
	int access;
	__u32 ioas;
	struct mock_dev dev;
	char *buf;
	/* Its pages come when resolve() says so. */
	char *slow;
	long pins;
	pthread_t thread;
	int rc;
};

/* Memory of which every page waits for the owner of the descriptor that is returned. */
static int slow_memory(char **va)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0)
		return -EOPNOTSUPP;
	*va = mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	reg.range.start = (unsigned long)*va;
	reg.range.len = BUF;
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return uffd;
}

FIXTURE_SETUP(waiting)
{
	self->pins = pins_outstanding();
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->access = access_new_pinning(self->fd, self->ioas);
	ASSERT_LT(0, self->access);
	self->buf = mem_private(BUF);
	self->uffd = slow_memory(&self->slow);
	if (self->uffd == -EOPNOTSUPP)
		SKIP(return, "no userfaultfd: CONFIG_USERFAULTFD");
	ASSERT_LE(0, self->uffd);
}

FIXTURE_TEARDOWN(waiting)
{
	close(self->access);
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->pins, pins_outstanding());
}

/* Until somebody waits for a page; -1 if nobody comes. */
static int wait_for_fault(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&poll_fd, 1, 30000) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -1;
	return msg.event == UFFD_EVENT_PAGEFAULT ? 0 : -1;
}

static int resolve(struct _test_data_waiting *self)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)self->slow, .len = BUF },
	};

	return ioctl(self->uffd, UFFDIO_ZEROPAGE, &zero);
}

static void *map_slow(void *arg)
{
	struct _test_data_waiting *self = arg;

	self->rc = map_at(self->fd, self->ioas, self->slow, BUF, AT);
	return NULL;
}

/* The same IOAS, while a map of it waits. */
TEST_F_TIMEOUT(waiting, map, 60)
{
	struct iommu_iova_range array[4];
	__u64 iova = 0;
	__u32 num = 4;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, map_slow, self));
	ASSERT_EQ(0, wait_for_fault(self->uffd));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, LATER));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, LATER));
	EXPECT_EQ(0, map(self->fd, self->ioas, PERM_RW, self->buf, BUF, &iova));
	EXPECT_EQ(0, copy_at(self->fd, self->ioas, self->ioas, BUF, LATER + HUGE, LATER));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, LATER, BUF));
	EXPECT_EQ(0, ranges_get(self->fd, self->ioas, array, &num, NULL));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	/* The IOVA is taken already, and cannot be used yet. */
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, PAGE, AT + PAGE));
	EXPECT_EQ(-ENOENT, copy_at(self->fd, self->ioas, self->ioas, PAGE, LATER, AT));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT, BUF));
	ASSERT_EQ(0, resolve(self));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->rc);
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->slow, BUF, AT));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
}

/* Devices come and go meanwhile, and the new one sees the mapping as well. */
TEST_F_TIMEOUT(waiting, attach, 60)
{
	__u32 other = ioas_new(self->fd), hwpt;
	struct mock_dev dev;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, map_slow, self));
	ASSERT_EQ(0, wait_for_fault(self->uffd));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(0, hwpt_alloc(self->fd, dev.idev, self->ioas, 0, &hwpt));
	EXPECT_EQ(0, mock_replace(self->fd, dev.stdev, hwpt));
	EXPECT_EQ(0, mock_replace(self->fd, self->dev.stdev, other));
	ASSERT_EQ(0, resolve(self));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->rc);
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, self->slow, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, mock_replace(self->fd, self->dev.stdev, self->ioas));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->slow, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, other));
}

static void *pin_slow(void *arg)
{
	struct _test_data_waiting *self = arg;
	__u32 pages;

	self->rc = access_pin(self->fd, self->access, AT, BUF, self->slow, 0, &pages);
	return NULL;
}

static void *read_slow(void *arg)
{
	struct _test_data_waiting *self = arg;
	static char got[BUF];

	self->rc = device_read(self->fd, self->access, AT, BUF, got);
	return NULL;
}

/* An area that goes away while an in-kernel user waits for its pages. */
static int unmap_under(struct _test_data_waiting *self, void *(*use)(void *arg))
{
	__u32 other = ioas_new(self->fd);
	int rc;

	rc = mock_replace(self->fd, self->dev.stdev, other) ?:
	     map_at(self->fd, self->ioas, self->slow, BUF, AT);
	if (rc || pthread_create(&self->thread, NULL, use, self) || wait_for_fault(self->uffd))
		return rc ?: -EAGAIN;
	rc = unmap(self->fd, self->ioas, AT, BUF) ?:
	     map_at(self->fd, self->ioas, self->buf, BUF, AT);
	if (rc || resolve(self) || pthread_join(self->thread, NULL))
		return rc ?: -EAGAIN;
	return unmap(self->fd, self->ioas, AT, BUF) ?:
	       mock_replace(self->fd, self->dev.stdev, self->ioas) ?: destroy(self->fd, other);
}

TEST_F_TIMEOUT(waiting, unmap_under_reader, 60)
{
	EXPECT_EQ(0, unmap_under(self, read_slow));
	EXPECT_EQ(-ENOENT, self->rc);
}

TEST_F_TIMEOUT(waiting, unmap_under_pinner, 60)
{
	EXPECT_EQ(0, unmap_under(self, pin_slow));
	EXPECT_EQ(-ENOENT, self->rc);
}

/* A device that waits to be attached, and memory that turns out not to be there. */
static void *attach_slow(void *arg)
{
	struct _test_data_waiting *self = arg;

	self->rc = mock_replace(self->fd, self->dev.stdev, self->ioas);
	return NULL;
}

TEST_F_TIMEOUT(waiting, unmap_while_attaching, 60)
{
	__u32 other = ioas_new(self->fd);

	ASSERT_EQ(0, mock_replace(self->fd, self->dev.stdev, other));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->slow, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT + HUGE));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, attach_slow, self));
	ASSERT_EQ(0, wait_for_fault(self->uffd));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE, BUF));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT + 2 * HUGE));
	ASSERT_EQ(0, resolve(self));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->rc);
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, other));
}

/* Says on which descriptor a fault is waited for, and on which to tell it. */
static void *tell(void *arg)
{
	int *fds = arg;

	if (!wait_for_fault(fds[0]) && write(fds[1], "f", 1) != 1)
		_exit(2);
	return NULL;
}

/* Waits in a map, in an attach, or in an in-kernel user's pin. */
static void child_waits(struct _test_data_waiting *self, int in, int told)
{
	int fd = iommu_open(), fds[2] = { slow_memory(&self->slow), told };
	__u32 ioas = ioas_new(fd), pages;
	struct mock_dev dev;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_create(&thread, NULL, tell, fds);
	if (in == 0)
		mock_attach(fd, ioas, &dev);
	map_at(fd, ioas, self->buf, BUF, AT - BUF);
	map_at(fd, ioas, self->slow, BUF, AT);
	if (in == 1)
		mock_attach(fd, ioas, &dev);
	access_pin(fd, access_new_pinning(fd, ioas), AT, BUF, self->slow, 0, &pages);
	_exit(1);
}

TEST_F_TIMEOUT(waiting, killed, 60)
{
	for (int in = 0; in < 3; in++) {
		int status, told[2];
		pid_t pid;
		char c;

		ASSERT_EQ(0, pipe(told));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			child_waits(self, in, told[1]);
		close(told[1]);
		ASSERT_EQ(1, read(told[0], &c, 1));
		close(told[0]);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		EXPECT_EQ(self->pins, pins_outstanding());
	}
}

struct bitmap_read {
	struct _test_data_waiting *self;
	__u64 at;
	__u32 hwpt;
};

static void *read_bitmap(void *arg)
{
	struct bitmap_read *r = arg;

	r->self->rc = dirty_get(r->self->fd, r->hwpt, 0, r->at, MOCK_HUGE_PAGE_SIZE / 2, PAGE,
				r->self->slow);
	return NULL;
}

/* A bitmap that waits: until it is there, small pages have become half of a large one. */
TEST_F_TIMEOUT(waiting, dirty_bitmap, 60)
{
	struct bitmap_read r = { .self = self, .at = MOCK_APERTURE_START + HUGE };
	const unsigned int bytes = MOCK_HUGE_PAGE_SIZE / 2 / PAGE / 8;
	char *large = mem_hugetlb(HUGE) ?: mem_thp(HUGE);
	char bits = 0;

	ASSERT_NE(NULL, large);
	ASSERT_EQ(0, hwpt_alloc_huge(self->fd, self->dev.idev, self->ioas, &r.hwpt));
	ASSERT_EQ(0, dirty_track(self->fd, r.hwpt, true));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, large + PAGE, MOCK_HUGE_PAGE_SIZE, r.at));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, read_bitmap, &r));
	ASSERT_EQ(0, wait_for_fault(self->uffd));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, r.at, MOCK_HUGE_PAGE_SIZE));
	EXPECT_EQ(0, map_at(self->fd, self->ioas, large, MOCK_HUGE_PAGE_SIZE, r.at));
	EXPECT_EQ(0, device_writes(self->fd, r.hwpt, r.at, MOCK_PAGE_SIZE));
	ASSERT_EQ(0, resolve(self));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->rc);
	for (unsigned int i = 0; i < 2 * bytes; i++)
		EXPECT_EQ(i < bytes ? (char)0xff : 0, self->slow[i]);
	/* Of the other half nobody has been told. */
	EXPECT_EQ(0, dirty_get(self->fd, r.hwpt, 0, r.at, MOCK_HUGE_PAGE_SIZE,
			       MOCK_HUGE_PAGE_SIZE, &bits));
	EXPECT_EQ(1, bits);
	EXPECT_EQ(0, destroy(self->fd, r.hwpt));
}

TEST_HARNESS_MAIN
