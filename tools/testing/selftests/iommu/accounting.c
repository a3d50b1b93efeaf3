// SPDX-License-Identifier: GPL-2.0-only
/*
 * RLIMIT_MEMLOCK by user and by process. Every test becomes a user of its own
 * without any capability, with a limit of LIMIT pages.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define LIMIT 16ul
#define BUF (2 * LIMIT * PAGE)
#define FULL (LIMIT * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(accounting)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
	/* A second context, with a second IOAS and device, and the same mode. */
	int other_fd;
	__u32 other;
	struct mock_dev other_dev;
	/* A third without any object. */
	int empty_fd;
};

FIXTURE_VARIANT(accounting)
{
	int by_process;
};

FIXTURE_VARIANT_ADD(accounting, by_user) { .by_process = 0 };
FIXTURE_VARIANT_ADD(accounting, by_process) { .by_process = 1 };

static int new_context(int by_process, __u32 *ioas, struct mock_dev *dev)
{
	int fd = iommu_open();

	if (fd < 0 || option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, by_process) ||
	    ioas_alloc(fd, ioas) || mock_attach(fd, *ioas, dev))
		return -1;
	return fd;
}

/* Nothing that other tests of this user left, or have, counts. */
static int become_nobody(void)
{
	struct rlimit limit = { FULL, FULL };
	uid_t uid = 100000 + getpid();

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

FIXTURE_SETUP(accounting)
{
	ASSERT_EQ(0, getuid());
	self->fd = new_context(variant->by_process, &self->ioas, &self->dev);
	ASSERT_LE(0, self->fd);
	self->other_fd = new_context(variant->by_process, &self->other, &self->other_dev);
	ASSERT_LE(0, self->other_fd);
	self->empty_fd = iommu_open();
	ASSERT_LE(0, self->empty_fd);
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, become_nobody());
}

FIXTURE_TEARDOWN(accounting)
{
	close(self->fd);
	close(self->other_fd);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, status_kb("VmLck"));
	EXPECT_EQ(0, mock_check_refs(self->empty_fd, self->buf, BUF, 0));
	close(self->empty_fd);
}

/* Whatever is charged now, so many pages more are allowed, and not one beyond. */
static int room(struct _test_data_accounting *self, unsigned long pages)
{
	const __u64 at = AT + 64 * HUGE;
	int rc;

	rc = map_at(self->fd, self->ioas, self->buf, (pages + 1) * PAGE, at);
	if (rc != -ENOMEM)
		return rc ? rc : -ERANGE;
	if (!pages)
		return 0;
	rc = map_at(self->fd, self->ioas, self->buf, pages * PAGE, at);
	return rc ? rc : unmap(self->fd, self->ioas, at, pages * PAGE);
}

TEST_F(accounting, limit)
{
	EXPECT_EQ(0, room(self, LIMIT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 5 * PAGE, AT));
	EXPECT_EQ(5, pages_pinned());
	EXPECT_EQ(variant->by_process ? 5 * PAGE / 1024 : 0, status_kb("VmLck"));
	EXPECT_EQ(0, room(self, LIMIT - 5));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL - 5 * PAGE, AT + HUGE));
	EXPECT_EQ(0, room(self, 0));
	EXPECT_EQ(LIMIT, pages_pinned());
	/* What was refused is nowhere. */
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + FULL, FULL, 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, 5 * PAGE));
	EXPECT_EQ(0, room(self, 5));
	EXPECT_EQ(FULL - 5 * PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, room(self, LIMIT));
}

TEST_F(accounting, parts_of_pages)
{
	/* Two halves of one page are two pins, and so two charges. */
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, MOCK_PAGE_SIZE, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + MOCK_PAGE_SIZE, MOCK_PAGE_SIZE,
			    AT + MOCK_PAGE_SIZE));
	EXPECT_EQ(0, room(self, LIMIT - 2));
	/* One page's length over the border of two. */
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf + MOCK_PAGE_SIZE, PAGE, AT + HUGE));
	EXPECT_EQ(0, room(self, LIMIT - 4));
	EXPECT_EQ(2 * PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, room(self, LIMIT));
}

/* Charged when it is pinned, which is with the first device. */
TEST_F(accounting, device_later)
{
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + HUGE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-ENOMEM, mock_attach(self->fd, self->ioas, &self->dev));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, status_kb("VmLck"));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE, PAGE));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	EXPECT_EQ(0, room(self, 0));
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
}

/* The same pages in several tables of one mapping, or of copies of it, count once. */
TEST_F(accounting, shared)
{
	__u32 copied = ioas_new(self->fd), hwpt;
	struct mock_dev dev;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL, AT));
	ASSERT_EQ(0, copy_at(self->fd, self->ioas, self->ioas, FULL, AT + HUGE, AT));
	ASSERT_EQ(0, mock_attach(self->fd, copied, &dev));
	ASSERT_EQ(0, copy_at(self->fd, copied, self->ioas, FULL, AT, AT));
	ASSERT_EQ(0, hwpt_alloc(self->fd, dev.idev, copied, 0, &hwpt));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(0, room(self, 0));
	/* The charge goes with the last of them. */
	EXPECT_EQ(2 * FULL, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, room(self, 0));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, room(self, 0));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, room(self, LIMIT));
}

TEST_F(accounting, mapped_twice)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL / 2, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL / 2, AT + HUGE));
	EXPECT_EQ(0, room(self, 0));
	EXPECT_EQ(LIMIT, pages_pinned());
}

TEST_F(accounting, access)
{
	__u32 first, second, ioas = ioas_new(self->fd);
	int access = access_new_pinning(self->fd, ioas);

	ASSERT_LT(0, access);
	ASSERT_EQ(0, map_at(self->fd, ioas, self->buf, BUF, AT));
	EXPECT_EQ(-ENOMEM, access_pin(self->fd, access, AT, FULL + PAGE, self->buf, 0, &first));
	EXPECT_EQ(0, room(self, LIMIT));
	ASSERT_EQ(0, access_pin(self->fd, access, AT, FULL / 2, self->buf, 0, &first));
	EXPECT_EQ(0, room(self, LIMIT / 2));
	/* Half of these are pinned already. */
	ASSERT_EQ(0, access_pin(self->fd, access, AT + FULL / 4, FULL / 2, self->buf + FULL / 4, 0,
				&second));
	EXPECT_EQ(0, room(self, LIMIT / 4));
	EXPECT_EQ(0, access_unpin(self->fd, access, first));
	EXPECT_EQ(0, room(self, LIMIT / 2));
	EXPECT_EQ(0, access_unpin(self->fd, access, second));
	EXPECT_EQ(0, room(self, LIMIT));
	close(access);
}

TEST_F(accounting, two_contexts)
{
	ASSERT_EQ(0, map_at(self->other_fd, self->other, self->buf, FULL, AT));
	EXPECT_EQ(0, room(self, 0));
	close(self->other_fd);
	EXPECT_EQ(0, room(self, LIMIT));
}

/* Ends by itself, or is killed, with all of the limit taken from its own context. */
static int child_takes_all(struct _test_data_accounting *self, int by_signal, int expect)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int rc = map_at(self->other_fd, self->other, self->buf, FULL, AT);

		if (rc != expect)
			_exit(1);
		if (by_signal)
			kill(getpid(), SIGKILL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return by_signal ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status);
}

TEST_F(accounting, two_processes)
{
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	/* The child is the same user, and another process. */
	EXPECT_EQ(0, child_takes_all(self, 0, variant->by_process ? 0 : -ENOMEM));
	EXPECT_EQ(1, pages_pinned());
	/* Its context is ours as well: what it took is held, on behalf of a dead process. */
	EXPECT_EQ(0, room(self, LIMIT - 1));
	if (variant->by_process)
		EXPECT_EQ(FULL, unmap_all(self->other_fd, self->other));
	EXPECT_EQ(1, pages_pinned());
}

TEST_F(accounting, killed)
{
	EXPECT_EQ(0, child_takes_all(self, 1, 0));
	/* A dead process's user still pays for what the context holds. */
	EXPECT_EQ(0, room(self, variant->by_process ? LIMIT : 0));
	close(self->other_fd);
	EXPECT_EQ(0, room(self, LIMIT));
}

/* Whoever unmaps, the charge goes back to the one that mapped. */
TEST_F(accounting, unmapped_by_another)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, FULL, AT));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(unmap(self->fd, self->ioas, AT, FULL) || pages_pinned());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, status_kb("VmLck"));
	EXPECT_EQ(0, room(self, LIMIT));
}

TEST_F(accounting, mode_needs_capability)
{
	__u64 value;

	EXPECT_EQ(-EPERM, option_set(self->empty_fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	EXPECT_EQ(-EPERM, option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0,
				     !variant->by_process));
	EXPECT_EQ(0, option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(variant->by_process, value);
}

TEST(root_has_no_limit)
{
	struct rlimit limit = {};
	struct mock_dev dev;
	__u32 ioas;
	int fd = new_context(0, &ioas, &dev);
	char *buf = mem_shared(BUF);

	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT_EQ(0, map_at(fd, ioas, buf, BUF, AT));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	close(fd);
	EXPECT_EQ(0, pages_pinned());
}

TEST_HARNESS_MAIN
