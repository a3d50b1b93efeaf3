// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_CHANGE_PROCESS: another process pays for what is pinned, once, and
 * all of it or nothing. Every test is a user of its own with a limit of LIMIT pages.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define LIMIT 16ul
#define FULL (LIMIT * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define ROUNDS 200

FIXTURE(change)
{
	int fd, file;
	__u32 ioas;
	struct mock_dev dev;
	char *buf;
};

FIXTURE_VARIANT(change)
{
	int by_process;
};

FIXTURE_VARIANT_ADD(change, by_user) { .by_process = 0 };
FIXTURE_VARIANT_ADD(change, by_process) { .by_process = 1 };

FIXTURE_SETUP(change)
{
	struct rlimit limit = { FULL, FULL };
	uid_t uid = 200000 + getpid();

	ASSERT_EQ(0, getuid());
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, variant->by_process));
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->file = file_new(2 * FULL, 0);
	ASSERT_LE(0, self->file);
	self->buf = mem_shared(PAGE);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, setresgid(uid, uid, uid));
	ASSERT_EQ(0, setresuid(uid, uid, uid));
	/* For its children to look at. */
	ASSERT_EQ(0, prctl(PR_SET_DUMPABLE, 1));
}

FIXTURE_TEARDOWN(change)
{
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, status_kb("VmLck"));
	close(self->file);
}

static int change(int fd)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg) };

	return iommu_call(fd, IOMMU_IOAS_CHANGE_PROCESS, &arg);
}

static int map_pages(struct _test_data_change *self, __u64 iova, unsigned long pages)
{
	return map_file(self->fd, self->ioas, FIXED | PERM_RW, self->file, 0, pages * PAGE, &iova);
}

/* Whether this process, and nobody else, pays for so many pages. */
static int pays(bool by_process, unsigned long pages)
{
	if (pages_pinned() != (long)pages)
		return 10;
	return status_kb("VmLck") == (by_process ? (long)(pages * PAGE / 1024) : 0) ? 0 : 11;
}

/* What a child does, by its exit status. */
#define IN_CHILD(expression)						\
({									\
	int status_ = -1;						\
	pid_t pid_ = fork();						\
									\
	if (!pid_)							\
		_exit(-(expression));					\
	waitpid(pid_, &status_, 0);					\
	WIFEXITED(status_) ? -WEXITSTATUS(status_) : -ECHILD;		\
})

TEST_F(change, to_a_child)
{
	ASSERT_EQ(0, map_pages(self, AT, 5));
	EXPECT_EQ(0, pays(variant->by_process, 5));
	EXPECT_EQ(0, IN_CHILD(change(self->fd) ?: pays(variant->by_process, 5)));
	/* The child is gone and pays as long as there is something. */
	EXPECT_EQ(0, pays(variant->by_process, 0));
	/* Of new memory each pays for its own. */
	ASSERT_EQ(0, map_pages(self, AT + HUGE, 3));
	EXPECT_EQ(0, pays(variant->by_process, 3));
	EXPECT_EQ(0, change(self->fd));
	EXPECT_EQ(0, pays(variant->by_process, 8));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, 5 * PAGE));
	EXPECT_EQ(0, pays(variant->by_process, 3));
}

/* Nobody pays twice, not even for a moment: there is no room for it. */
TEST_F(change, at_the_limit)
{
	ASSERT_EQ(0, map_pages(self, AT, LIMIT));
	EXPECT_EQ(-ENOMEM, map_pages(self, AT + HUGE, 1));
	EXPECT_EQ(0, change(self->fd));
	EXPECT_EQ(0, pays(variant->by_process, LIMIT));
	EXPECT_EQ(0, IN_CHILD(change(self->fd) ?: pays(variant->by_process, LIMIT)));
	/* By user it is the same one who pays. */
	EXPECT_EQ(variant->by_process ? 0 : -ENOMEM, map_pages(self, AT + HUGE, 1));
	EXPECT_EQ(variant->by_process ? 1 : 0, pages_pinned());
	EXPECT_LT(0, unmap_all(self->fd, self->ioas));
	ASSERT_EQ(0, map_pages(self, AT, LIMIT));
}

static int with_limit(int fd, unsigned long pages)
{
	struct rlimit limit = { pages * PAGE, FULL };

	return setrlimit(RLIMIT_MEMLOCK, &limit) ? 20 : change(fd);
}

TEST_F(change, beyond_the_limit)
{
	if (!variant->by_process)
		SKIP(return, "a user's limit is met by the user's own processes");
	ASSERT_EQ(0, map_pages(self, AT, 3));
	ASSERT_EQ(0, IN_CHILD(map_pages(self, AT + HUGE, 4)));
	/* Neither of the two payers has changed, nor who would pay for what comes. */
	EXPECT_EQ(-ENOMEM, IN_CHILD(with_limit(self->fd, 6)));
	EXPECT_EQ(0, pays(true, 3));
	EXPECT_EQ(0, IN_CHILD(with_limit(self->fd, 7)));
	EXPECT_EQ(0, pays(true, 0));
	EXPECT_EQ(7 * PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pays(true, 0));
}

/* Memory of a process is its own: one page of it, and nothing changes. */
TEST_F(change, own_memory)
{
	ASSERT_EQ(0, map_pages(self, AT, 5));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + HUGE));
	EXPECT_EQ(-EINVAL, change(self->fd));
	EXPECT_EQ(-EINVAL, IN_CHILD(change(self->fd)));
	EXPECT_EQ(0, pays(variant->by_process, 6));
	ASSERT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE, PAGE));
	EXPECT_EQ(0, IN_CHILD(change(self->fd)));
	EXPECT_EQ(0, pays(variant->by_process, 0));
	EXPECT_EQ(0, change(self->fd));
	EXPECT_EQ(0, pays(variant->by_process, 5));
}

/* Mapped, and not pinned for anybody: nothing to pay yet. */
TEST_F(change, not_pinned)
{
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	ASSERT_EQ(0, map_pages(self, AT, 5));
	EXPECT_EQ(0, IN_CHILD(change(self->fd) ?: pays(variant->by_process, 0)));
	/* It is the last one who changed that pays when it is pinned. */
	EXPECT_EQ(0, change(self->fd));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	EXPECT_EQ(0, pays(variant->by_process, 5));
}

static void *map_and_unmap(void *arg)
{
	struct _test_data_change *self = arg;

	for (int i = 0; i < 20 * ROUNDS; i++) {
		map_pages(self, AT + HUGE, 4);
		unmap(self->fd, self->ioas, AT + HUGE, 4 * PAGE);
	}
	return NULL;
}

/* Beside maps and unmaps: in the end, what is pinned is paid for once. */
TEST_F_TIMEOUT(change, race, 300)
{
	pthread_t thread;

	ASSERT_EQ(0, map_pages(self, AT, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_unmap, self));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, IN_CHILD(change(self->fd)));
		ASSERT_EQ(0, change(self->fd));
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(2 * PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pays(variant->by_process, 0));
	EXPECT_EQ(0, map_pages(self, AT, LIMIT));
	EXPECT_EQ(-ENOMEM, map_pages(self, AT + HUGE, 1));
}

TEST_HARNESS_MAIN
