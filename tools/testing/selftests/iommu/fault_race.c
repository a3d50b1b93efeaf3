// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests while others read, answer, attach, replace and detach, and one
 * closes the queue's file: each request gets one answer, and nothing is left.
 *
 *	fault_race [SECONDS]
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kselftest.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define NUMBERS 3
#define TABLES 3

struct race {
	int fd, file;
	__u32 ioas, parent, queue;
	/* The last one has no queue. */
	__u32 tables[TABLES];
	struct pasid_dev dev;
	bool stop;
	const char *what;
	int rc;
};

struct thread {
	struct race *r;
	int (*work)(struct thread *t);
	const char *name;
	unsigned int seed;
	pthread_t id;
	unsigned long done;
};

#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define PUT(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)

static unsigned int pick(struct thread *t, unsigned int n)
{
	return rand_r(&t->seed) % n;
}

/* One that nobody wants is refused, and answered. */
static int ask(struct thread *t)
{
	unsigned int group = pick(t, 1000), number = pick(t, NUMBERS);
	struct race *r = t->r;
	int rc = 0;

	if (!pick(t, 3))
		rc = page_request(r->fd, r->dev.stdev, number, group, AT, true);
	rc = page_request(r->fd, r->dev.stdev, number, group, AT + PAGE, false) ?: rc;
	return rc == -EINVAL ? 0 : rc;
}

static int answer(struct thread *t)
{
	struct iommu_hwpt_pgfault faults[64];
	int file = GET(t->r->file), n, i, rc;

	n = faults_read(file, faults, 1 + pick(t, 64));
	if (n == -EBADF || n == -EMSGSIZE)
		return 0;
	for (i = 0; i < n; i++) {
		if (!(faults[i].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE) || !pick(t, 5))
			continue;
		/* It may be that a detach was faster, or that the file is another. */
		rc = fault_answer(file, faults[i].cookie, pick(t, 2));
		if (rc && rc != -EINVAL && rc != -EBADF)
			return rc;
	}
	return n < 0 ? n : 0;
}

static int move(struct thread *t)
{
	__u32 number = pick(t, NUMBERS), table = GET(t->r->tables[pick(t, TABLES)]);
	struct race *r = t->r;
	int rc;

	switch (pick(t, 3)) {
	case 0:
		rc = pasid_attach(r->fd, r->dev.stdev, number, table, NULL);
		break;
	case 1:
		rc = pasid_replace(r->fd, r->dev.stdev, number, table, NULL);
		break;
	default:
		rc = pasid_detach(r->fd, r->dev.stdev, number);
	}
	return rc == -EBUSY || rc == -EINVAL || rc == -ENOENT ? 0 : rc;
}

/* A table of a new queue in place of one of the old, which may still be attached. */
static int renew(struct thread *t)
{
	struct race *r = t->r;
	__u32 queue, table, old = r->tables[0];
	int file = fault_queue(r->fd, &queue), rc;

	if (file < 0)
		return file;
	rc = nested_alloc(r->fd, r->dev.idev, r->parent, IOMMU_HWPT_ALLOC_PASID, queue, &table);
	if (rc)
		return rc;
	PUT(r->tables[0], table);
	close(r->file);
	PUT(r->file, file);
	for (int i = 0; i < NUMBERS; i++)
		pasid_detach(r->fd, r->dev.stdev, i);
	/* Somebody may have attached it once more. */
	while ((rc = destroy(r->fd, old)) == -EBUSY)
		for (int i = 0; i < NUMBERS; i++)
			pasid_detach(r->fd, r->dev.stdev, i);
	/* A read that is under way keeps the file a little longer. */
	while (!rc && (rc = destroy(r->fd, r->queue)) == -EBUSY)
		rc = 0;
	r->queue = queue;
	usleep(2000);
	return rc;
}

static void *loop(void *arg)
{
	struct thread *t = arg;
	int rc;

	while (!GET(t->r->stop)) {
		rc = t->work(t);
		t->done++;
		if (rc) {
			t->r->what = t->name;
			t->r->rc = rc;
			PUT(t->r->stop, true);
		}
	}
	return NULL;
}

static int setup(struct race *r)
{
	r->fd = iommu_open();
	if (r->fd < 0)
		return r->fd;
	r->ioas = ioas_new(r->fd);
	r->file = fault_queue(r->fd, &r->queue);
	if (!r->ioas || r->file < 0)
		return -EIO;
	return per_rid_new(r->fd, 0, &r->dev) ?:
	       hwpt_alloc(r->fd, r->dev.idev, r->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &r->parent) ?:
	       nested_alloc(r->fd, r->dev.idev, r->parent, IOMMU_HWPT_ALLOC_PASID, r->queue,
			    &r->tables[0]) ?:
	       nested_alloc(r->fd, r->dev.idev, r->parent, IOMMU_HWPT_ALLOC_PASID, 0,
			    &r->tables[1]) ?:
	       hwpt_alloc(r->fd, r->dev.idev, r->ioas, IOMMU_HWPT_ALLOC_PASID, &r->tables[2]);
}

/* Every request has been answered, and everything can be destroyed. */
static int teardown(struct race *r)
{
	struct told told;
	int rc = 0;

	for (int i = 0; i < NUMBERS; i++)
		rc = rc ?: pasid_detach(r->fd, r->dev.stdev, i);
	rc = rc ?: page_told(r->fd, r->dev.stdev, ~0u, &told);
	if (!rc && told.pending)
		rc = -EBADMSG;
	ksft_print_msg("%u answers\n", told.count);
	for (int i = 0; i < TABLES; i++)
		rc = rc ?: destroy(r->fd, r->tables[i]);
	close(r->file);
	rc = rc ?: destroy(r->fd, r->queue) ?: destroy(r->fd, r->parent) ?:
	     destroy(r->fd, r->dev.stdev) ?: destroy(r->fd, r->ioas);
	close(r->fd);
	return rc;
}

int main(int argc, char **argv)
{
	struct race r = {};
	struct thread threads[] = {
		{ .r = &r, .work = ask, .name = "ask", .seed = 1 },
		{ .r = &r, .work = ask, .name = "ask", .seed = 2 },
		{ .r = &r, .work = answer, .name = "answer", .seed = 3 },
		{ .r = &r, .work = answer, .name = "answer", .seed = 4 },
		{ .r = &r, .work = move, .name = "move", .seed = 5 },
		{ .r = &r, .work = move, .name = "move", .seed = 6 },
		{ .r = &r, .work = renew, .name = "renew", .seed = 7 },
	};
	long taint = kernel_taint();
	unsigned int i;
	int rc;

	ksft_print_header();
	ksft_set_plan(3);
	rc = setup(&r);
	if (rc)
		ksft_exit_fail_msg("setup: %s\n", strerror(-rc));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i].id, NULL, loop, &threads[i]);
	for (i = 0; i < (argc > 1 ? atoi(argv[1]) : 5) * 100u && !GET(r.stop); i++)
		usleep(10000);
	PUT(r.stop, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i].id, NULL);
		ksft_print_msg("%s: %lu\n", threads[i].name, threads[i].done);
	}
	ksft_test_result(!r.what, "nothing but what may be: %s %s\n", r.what ?: "",
			 strerror(-r.rc));
	rc = teardown(&r);
	ksft_test_result(!rc, "nothing left: %s\n", strerror(-rc));
	ksft_test_result(taint == kernel_taint(), "no warning\n");
	ksft_finished();
}
