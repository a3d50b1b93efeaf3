// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handler of page requests that never answers: another process, stopped, has
 * the only descriptor of the queue. Whatever is done to the device, the table or
 * the process meanwhile does not wait for it, and every request gets an answer.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define NUMBER 5
#define ASKED 8
/* A call that does not wait takes far less, also on a kernel that checks everything. */
#define SOON 30

FIXTURE(silent)
{
	int fd;
	__u32 ioas, parent, queue, table, plain;
	struct pasid_dev dev;
	struct counts before;
	pid_t handler;
};

FIXTURE_VARIANT(silent)
{
	/* It has read what was asked, and has the context open, too. */
	bool has_read, has_context;
};

FIXTURE_VARIANT_ADD(silent, unread) { };
FIXTURE_VARIANT_ADD(silent, read) { .has_read = true };
FIXTURE_VARIANT_ADD(silent, with_context) { .has_read = true, .has_context = true };

/* Reads, perhaps, and stops for good. */
static void handle(int fd, int file, bool has_read, bool has_context)
{
	struct iommu_hwpt_pgfault faults[ASKED];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!has_context)
		close(fd);
	raise(SIGSTOP);
	if (has_read)
		faults_read(file, faults, ASKED);
	for (;;)
		raise(SIGSTOP);
}

static int until_stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) ? 0 : -ECHILD;
}

static int ask(struct _test_data_silent *self, __u32 number)
{
	int rc = 0;

	for (__u32 i = 0; !rc && i < ASKED / 2; i++)
		rc = page_request(self->fd, self->dev.stdev, number, i, AT + i * PAGE, false);
	return rc;
}

static unsigned int pending(struct _test_data_silent *self)
{
	struct told told = {};

	page_told(self->fd, self->dev.stdev, ~0u, &told);
	return told.pending;
}

FIXTURE_SETUP(silent)
{
	int file;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &self->dev));
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &self->parent));
	file = fault_queue(self->fd, &self->queue);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, IOMMU_HWPT_ALLOC_PASID,
				  self->queue, &self->table));
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, IOMMU_HWPT_ALLOC_PASID,
				  0, &self->plain));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->table, NULL));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, NUMBER, self->table, NULL));
	self->handler = fork();
	ASSERT_LE(0, self->handler);
	if (!self->handler)
		handle(self->fd, file, variant->has_read, variant->has_context);
	close(file);
	ASSERT_EQ(0, until_stopped(self->handler));
	/* Those of PASID 0 come in through the table of the device itself. */
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_EQ(0, ask(self, NUMBER));
	kill(self->handler, SIGCONT);
	ASSERT_EQ(0, until_stopped(self->handler));
	EXPECT_EQ(ASKED, pending(self));
}

static int gone(struct _test_data_silent *self)
{
	int fd = iommu_open(), rc = nothing_left(fd, &self->before) ? 0 : -EEXIST;

	close(fd);
	return rc;
}

FIXTURE_TEARDOWN(silent)
{
	int status;

	close(self->fd);
	if (self->handler) {
		kill(self->handler, SIGKILL);
		ASSERT_EQ(self->handler, waitpid(self->handler, &status, 0));
	}
	EXPECT_EQ(0, gone(self));
}

/* Others map, attach and ask as if nothing was, in this context and in another. */
TEST_F_TIMEOUT(silent, others_go_on, SOON)
{
	int fds[2] = { self->fd, iommu_open() };
	char *buf = mem_private(PAGE);

	for (int i = 0; i < 2; i++) {
		struct iommu_hwpt_pgfault fault;
		__u32 ioas = ioas_new(fds[i]), parent, queue, table;
		struct pasid_dev dev;
		struct told told;
		int file;

		ASSERT_EQ(0, map_at(fds[i], ioas, buf, PAGE, AT));
		ASSERT_EQ(0, per_rid_new(fds[i], 0, &dev));
		ASSERT_EQ(0, hwpt_alloc(fds[i], dev.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
					&parent));
		file = fault_queue(fds[i], &queue);
		ASSERT_EQ(0, nested_alloc(fds[i], dev.idev, parent, IOMMU_HWPT_ALLOC_PASID, queue,
					  &table));
		ASSERT_EQ(0, pasid_attach(fds[i], dev.stdev, NUMBER, table, NULL));
		ASSERT_EQ(0, page_request(fds[i], dev.stdev, NUMBER, 1, AT, false));
		ASSERT_EQ(1, faults_read(file, &fault, 1));
		ASSERT_EQ(0, fault_answer(file, fault.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		ASSERT_EQ(0, page_told(fds[i], dev.stdev, 0, &told));
		EXPECT_EQ(IOMMUFD_PAGE_RESP_SUCCESS, told.code);
		EXPECT_EQ(0, told.pending);
		ASSERT_EQ(0, pasid_detach(fds[i], dev.stdev, NUMBER));
		ASSERT_EQ(0, destroy(fds[i], dev.stdev));
		close(file);
	}
	EXPECT_EQ(ASKED, pending(self));
	close(fds[1]);
}

TEST_F_TIMEOUT(silent, detach, SOON)
{
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, NUMBER));
	EXPECT_EQ(ASKED / 2, pending(self));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	EXPECT_EQ(0, pending(self));
	/* The table is not in use any more, the queue is the table's and the handler's. */
	EXPECT_EQ(0, destroy(self->fd, self->table));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->queue));
	kill(self->handler, SIGKILL);
	ASSERT_EQ(self->handler, waitpid(self->handler, NULL, 0));
	self->handler = 0;
	EXPECT_EQ(0, destroy(self->fd, self->queue));
}

TEST_F_TIMEOUT(silent, replace, SOON)
{
	struct told told;

	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, NUMBER, self->plain, NULL));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, 0, self->plain, NULL));
	EXPECT_EQ(0, pending(self));
	for (__u32 i = 0; i < ASKED; i++) {
		ASSERT_EQ(0, page_told(self->fd, self->dev.stdev, i, &told));
		EXPECT_NE(NOT_TOLD, told.code);
		EXPECT_NE(IOMMUFD_PAGE_RESP_SUCCESS, told.code);
	}
	/* And back: what the queue held of the old ones is not there any more. */
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, NUMBER, self->table, NULL));
	ASSERT_EQ(0, ask(self, NUMBER));
	EXPECT_EQ(ASKED / 2, pending(self));
}

TEST_F_TIMEOUT(silent, device_ends, SOON)
{
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->table));
}

/* The handler's end is an answer to all of it. */
TEST_F_TIMEOUT(silent, handler_is_killed, SOON)
{
	kill(self->handler, SIGKILL);
	ASSERT_EQ(self->handler, waitpid(self->handler, NULL, 0));
	self->handler = 0;
	EXPECT_EQ(0, pending(self));
	/* Nobody reads it any more: what is asked now is refused, or waits for the detach. */
	ask(self, NUMBER);
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, NUMBER));
	EXPECT_EQ(0, pending(self));
}

/* The queue's file keeps the context, as a device's does; with the last of them all goes. */
TEST_F_TIMEOUT(silent, user_ends, SOON)
{
	close(self->fd);
	EXPECT_EQ(-EEXIST, gone(self));
	kill(self->handler, SIGKILL);
	ASSERT_EQ(self->handler, waitpid(self->handler, NULL, 0));
	self->handler = 0;
	EXPECT_EQ(0, gone(self));
	self->fd = -1;
}

/* Several do it at once. */
static void *detacher(void *arg)
{
	struct _test_data_silent *self = arg;

	for (int i = 0; i < 50; i++) {
		pasid_detach(self->fd, self->dev.stdev, NUMBER);
		pasid_attach(self->fd, self->dev.stdev, NUMBER, self->table, NULL);
		ask(self, NUMBER);
	}
	return NULL;
}

TEST_F_TIMEOUT(silent, at_once, 2 * SOON)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, detacher, self));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	pasid_detach(self->fd, self->dev.stdev, NUMBER);
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	EXPECT_EQ(0, pending(self));
}

TEST_HARNESS_MAIN
