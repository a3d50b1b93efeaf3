// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker of load: a context with devices, three threads that use it, and one
 * of several ends.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kselftest.h>

#include "lib/dirty.h"
#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"
#include "lib/viommu.h"
#include "load.h"

#define BUF (2 * HUGE)

static int failed, ending;
/* What has been done in this life. */
static unsigned long mine;

void did(enum kind kind)
{
	__atomic_fetch_add(&tally->done[kind], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&mine, 1, __ATOMIC_RELAXED);
}

int stopping(void)
{
	return __atomic_load_n(&tally->stop, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&ending, __ATOMIC_RELAXED);
}

static int shared_make(struct shared *s)
{
	s->fd = iommu_open();
	s->small = mem_private(BUF);
	s->large = mem_thp(BUF);
	s->huge = mem_hugetlb(HUGE);
	s->written = mem_private(DIRTY);
	s->file = file_new(BUF, 0);
	if (s->fd < 0 || s->file < 0 || !s->small || !s->large || !s->huge || !s->written)
		return -ENOMEM;
	s->file_va = mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_SHARED, s->file, 0);
	s->queue_file = fault_queue(s->fd, &s->queue);
	if (s->file_va == MAP_FAILED || s->queue_file < 0)
		return -ENOMEM;
	s->access = -1;
	return ioas_alloc(s->fd, &s->ioas[0]) ?: ioas_alloc(s->fd, &s->ioas[1]) ?:
	       mock_attach(s->fd, s->ioas[1], &s->dev) ?:
	       hwpt_alloc(s->fd, s->dev.idev, s->ioas[0], 0, &s->hwpt) ?:
	       hwpt_alloc(s->fd, s->dev.idev, s->ioas[1], IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
			  &s->dirty) ?:
	       dirty_track(s->fd, s->dirty, true) ?:
	       map_at(s->fd, s->ioas[1], s->written, DIRTY, DIRTY_AT) ?:
	       per_rid_new(s->fd, 0, &s->own) ?: global_new(s->fd, 0, &s->global) ?:
	       per_rid_new(s->fd, 0, &s->asks) ?:
	       hwpt_alloc(s->fd, s->asks.idev, s->ioas[1], IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &s->parent) ?:
	       nested_alloc(s->fd, s->asks.idev, s->parent, IOMMU_HWPT_ALLOC_PASID, s->queue,
			    &s->nested);
}

static void *loop(void *arg)
{
	struct thread *t = arg;
	int rc = 0;

	while (!rc && !stopping())
		rc = t->work(t);
	if (rc) {
		ksft_print_msg("%s: %d (%s)\n", t->what ?: "?", rc, strerror(-rc));
		fflush(stdout);
		__atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A child with the same descriptors maps memory of its own, and ends with all of it open. */
static int forked(struct shared *s)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		char *buf = mem_private(BUF);
		__u64 iova = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!buf || map(s->fd, s->ioas[1], PERM_RW, buf, BUF, &iova) ||
		      unmap(s->fd, s->ioas[1], iova, BUF / 2) != -ENOENT);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!status)
		did(DID_fork);
	return status ? -ECHILD : 0;
}

/* The threads and the memory go, the context stays. */
static int execute(struct shared *s)
{
	char fd[16], ioas[16];

	snprintf(fd, sizeof(fd), "%d", dup(s->fd));
	snprintf(ioas, sizeof(ioas), "%u", s->ioas[0]);
	execl("/proc/self/exe", "load", "--after-exec", fd, ioas, NULL);
	return -errno;
}

int worker_after_exec(const char *text, const char *id)
{
	int fd = atoi(text);
	__u32 ioas = atoi(id);
	char *buf = mem_private(BUF);
	__u64 iova = 0;
	int rc;

	if (!buf || unmap_all(fd, ioas) == U64_MAX)
		return 4;
	rc = map(fd, ioas, PERM_RW, buf, BUF, &iova);
	if (rc) {
		ksft_print_msg("exec: map: %s\n", strerror(-rc));
		return 5;
	}
	did(DID_exec);
	return 0;
}

/* In any order, in the middle of calls or after them. */
static int end(struct shared *s, struct thread *threads, unsigned int num, unsigned int how)
{
	if (how == 0)
		return execute(s);
	if (how == 1) {
		did(DID_exit);
		_exit(0);
	}
	__atomic_store_n(&ending, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < num; i++)
		pthread_join(threads[i].id, NULL);
	if (how == 2)
		close(s->fd);
	close(s->queue_file);
	close(s->access);
	if (how != 2)
		close(s->fd);
	did(DID_close);
	return 0;
}

int worker(unsigned int seed, unsigned int number)
{
	struct shared s = {};
	struct thread threads[] = {
		{ .s = &s, .work = load_memory, .seed = seed },
		{ .s = &s, .work = load_devices, .seed = seed + 1 },
		{ .s = &s, .work = load_others, .seed = seed + 2 },
	};
	unsigned long life = rand_r(&seed) % LIFE;
	unsigned int i;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rc = shared_make(&s);
	if (rc) {
		ksft_print_msg("it cannot start: %s\n", strerror(-rc));
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i].id, NULL, loop, &threads[i]);
	while (__atomic_load_n(&mine, __ATOMIC_RELAXED) < life && !failed && !stopping()) {
		usleep(10000);
		tally->mine[number] = __atomic_load_n(&mine, __ATOMIC_RELAXED);
	}
	if (!failed)
		failed = forked(&s);
	if (failed)
		return 1;
	rc = end(&s, threads, ARRAY_SIZE(threads), rand_r(&seed) % 4);
	return rc || failed ? 1 : 0;
}
