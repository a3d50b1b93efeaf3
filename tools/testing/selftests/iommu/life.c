// SPDX-License-Identifier: GPL-2.0-only
/* Objects, files and processes that end in any order, with everything in use. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (64 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

/* Two IOASes that share memory, devices on both, a page table by hand, pins of an access. */
struct world {
	int fd;
	int access;
	char *buf;
	__u32 ioas[2];
	__u32 hwpt;
	__u32 pages;
	struct mock_dev dev[3];
};

static int world_make(struct world *w)
{
	w->fd = iommu_open();
	w->buf = mem_private(BUF);
	if (w->fd < 0 || !w->buf || ioas_alloc(w->fd, &w->ioas[0]) ||
	    ioas_alloc(w->fd, &w->ioas[1]) || mock_attach(w->fd, w->ioas[0], &w->dev[0]))
		return -1;
	if (map_at(w->fd, w->ioas[0], w->buf, BUF, AT) ||
	    copy_at(w->fd, w->ioas[1], w->ioas[0], BUF, AT + HUGE, AT) ||
	    mock_attach(w->fd, w->ioas[1], &w->dev[1]) ||
	    hwpt_alloc(w->fd, w->dev[0].idev, w->ioas[1], 0, &w->hwpt) ||
	    mock_attach(w->fd, w->hwpt, &w->dev[2]))
		return -1;
	w->access = access_new_pinning(w->fd, w->ioas[1]);
	if (w->access < 0)
		return -1;
	return access_pin(w->fd, w->access, AT + HUGE, BUF, w->buf, 0, &w->pages);
}

FIXTURE(life)
{
	long pins;
	struct world w;
};

FIXTURE_SETUP(life)
{
	self->pins = pins_outstanding();
	ASSERT_LE(0, self->pins);
	/* Everything that does not fit any more makes a test fail, and not hang. */
	ASSERT_EQ(0, world_make(&self->w));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_LE(self->pins + (long)(BUF / PAGE), pins_outstanding());
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(life, close_fd_first)
{
	close(self->w.fd);
	/* The access's file keeps what it needs. */
	close(self->w.access);
}

TEST_F(life, close_access_first)
{
	close(self->w.access);
	close(self->w.fd);
}

/* In the order of use, everything can be destroyed; in any other, nothing is lost. */
TEST_F(life, destroy_in_any_order)
{
	struct world *w = &self->w;
	const __u32 ids[] = { w->ioas[0], w->ioas[1], w->hwpt, w->dev[0].stdev, w->dev[1].stdev,
			      w->dev[2].stdev };
	bool gone[ARRAY_SIZE(ids)] = {};
	unsigned int left = ARRAY_SIZE(ids);

	EXPECT_EQ(0, unmap(w->fd, w->ioas[0], AT, BUF));
	EXPECT_EQ(0, mock_check_map(w->fd, w->hwpt, w->buf, BUF, AT + HUGE));
	close(w->access);
	for (unsigned int round = 0; left && round < 8; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
			int rc = gone[i] ? -ENOENT : destroy(w->fd, ids[i]);

			EXPECT_TRUE(!rc || rc == (gone[i] ? -ENOENT : -EBUSY));
			if (!rc) {
				gone[i] = true;
				left--;
			}
		}
	}
	EXPECT_EQ(0, left);
	EXPECT_EQ(0, pages_pinned());
	close(w->fd);
}

/* A destroyed IOAS unmaps what it has. */
TEST_F(life, destroy_unmaps)
{
	struct world *w = &self->w;

	close(w->access);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, destroy(w->fd, w->dev[i].stdev));
	EXPECT_EQ(0, destroy(w->fd, w->ioas[0]));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, destroy(w->fd, w->hwpt));
	EXPECT_EQ(0, destroy(w->fd, w->ioas[1]));
	EXPECT_EQ(0, pages_pinned());
	close(w->fd);
}

/* IDs of the dead are not taken for those of the living, also across contexts. */
TEST_F(life, contexts_are_apart)
{
	struct world *w = &self->w;
	int other = iommu_open();
	__u32 ioas = ioas_new(other);

	ASSERT_NE(0, ioas);
	EXPECT_EQ(0, destroy(other, ioas));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(-ENOENT, destroy(other, w->dev[i].stdev));
	EXPECT_EQ(-ENOENT, destroy(other, w->ioas[1]));
	EXPECT_EQ(-ENOENT, map_at(other, w->ioas[0], w->buf, PAGE, AT + 8 * HUGE));
	EXPECT_EQ(-ENOENT, copy_at(other, w->ioas[0], w->ioas[0], PAGE, AT + 8 * HUGE, AT));
	close(other);
	close(w->access);
	close(w->fd);
}

/* A child works with what it inherits; the last of the two to go takes it down. */
TEST_F(life, inherited)
{
	struct world *w = &self->w;
	int status, ready[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int rc;

		close(ready[1]);
		/* Until the parent has closed its descriptors. */
		rc = read(ready[0], &c, 1);
		rc |= map_at(w->fd, w->ioas[0], w->buf, PAGE, AT + 8 * HUGE);
		rc |= mock_check_map(w->fd, w->dev[0].hwpt, w->buf, PAGE, AT + 8 * HUGE);
		rc |= unmap(w->fd, w->ioas[0], AT, BUF);
		_exit(!!rc);
	}
	close(w->fd);
	close(w->access);
	EXPECT_LT(self->pins, pins_outstanding());
	close(ready[0]);
	close(ready[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* The last two holders of a context let go at the same time. */
static void *closer(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

TEST_F_TIMEOUT(life, two_closers, 300)
{
	struct world w = self->w;

	for (int i = 0; i < 200; i++) {
		int second = dup(w.fd);
		pthread_t thread;

		ASSERT_LE(0, second);
		ASSERT_EQ(0, pthread_create(&thread, NULL, closer, i % 2 ? &w.access : &second));
		close(w.fd);
		close(i % 2 ? second : w.access);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, pages_pinned());
		munmap(w.buf, BUF);
		ASSERT_EQ(0, world_make(&w));
	}
	close(w.access);
	close(w.fd);
}

/* Closed in the middle of calls of other threads, which then have no file any more. */
static void *caller(void *arg)
{
	struct world *w = arg;
	int rc = 0;

	while (rc != -EBADF) {
		__u64 iova = 0;

		rc = map(w->fd, w->ioas[0], PERM_RW, w->buf, BUF, &iova);
		if (!rc)
			rc = unmap(w->fd, w->ioas[0], iova, BUF);
	}
	return NULL;
}

TEST_F_TIMEOUT(life, close_while_called, 300)
{
	struct world w = self->w;

	for (int i = 0; i < 20; i++) {
		pthread_t threads[2];

		for (int j = 0; j < 2; j++)
			ASSERT_EQ(0, pthread_create(&threads[j], NULL, caller, &w));
		usleep(i * 100);
		close(w.access);
		close(w.fd);
		for (int j = 0; j < 2; j++)
			ASSERT_EQ(0, pthread_join(threads[j], NULL));
		ASSERT_EQ(0, pages_pinned());
		munmap(w.buf, BUF);
		ASSERT_EQ(0, world_make(&w));
	}
	close(w.access);
	close(w.fd);
}

/* The child has a world of its own; says so, and goes on until it is killed. */
static pid_t child_with_world(int busy)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		struct world w;
		static char page[PAGE];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (world_make(&w) || write(ready[1], "r", 1) != 1)
			_exit(1);
		while (!busy)
			pause();
		for (;;) {
			__u64 iova = 0;

			map(w.fd, w.ioas[1], PERM_RW, w.buf, BUF, &iova);
			device_write(w.fd, w.access, iova, PAGE, page);
			mock_replace(w.fd, w.dev[0].stdev, w.ioas[1]);
			mock_replace(w.fd, w.dev[0].stdev, w.ioas[0]);
			unmap(w.fd, w.ioas[1], iova, BUF);
		}
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

TEST_F_TIMEOUT(life, killed, 300)
{
	int status;

	close(self->w.fd);
	close(self->w.access);
	for (int i = 0; i < 40; i++) {
		pid_t pid = child_with_world(i % 4);

		ASSERT_LT(0, pid);
		if (!i)
			EXPECT_LE(self->pins + (long)(BUF / PAGE), pins_outstanding());
		usleep(i * 200);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		EXPECT_EQ(self->pins, pins_outstanding());
	}
}

/* The program that is executed has the descriptors still, but not the memory. */
TEST_F(life, exec)
{
	struct world *w = &self->w;
	int status, go[2];
	pid_t pid;

	close(w->fd);
	close(w->access);
	ASSERT_EQ(self->pins, pins_outstanding());
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (world_make(w) || dup2(w->fd, 100) != 100)
			_exit(1);
		close(w->access);
		execl("/proc/self/exe", "life", "--after-exec", NULL);
		_exit(2);
	}
	close(go[1]);
	/* Ends when the child's copy is closed, which is on exec; it then waits for us. */
	EXPECT_EQ(0, read(go[0], &status, 1));
	close(go[0]);
	EXPECT_EQ(self->pins + (long)(BUF / PAGE), pins_outstanding());
	kill(pid, SIGCONT);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	while (WIFSTOPPED(status)) {
		kill(pid, SIGCONT);
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	}
	EXPECT_EQ(0, status);
}

/* What exec leaves: IDs are the same, the mapping is there, new memory can be mapped. */
static int after_exec(void)
{
	char *buf = mem_private(PAGE);
	struct mock_dev dev;
	__u32 ioas;
	int fd = 100;

	raise(SIGSTOP);
	if (pages_pinned() || ioas_alloc(fd, &ioas) || mock_attach(fd, ioas, &dev) ||
	    map_at(fd, ioas, buf, PAGE, AT) || pages_pinned() != 1)
		return 10;
	return mock_check_map(fd, dev.hwpt, buf, PAGE, AT) ? 11 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--after-exec"))
		return after_exec();
	return test_harness_run(argc, argv);
}
