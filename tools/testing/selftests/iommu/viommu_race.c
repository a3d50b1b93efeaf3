// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual IOMMU while devices and their numbers come and go, events are reported
 * and read, commands are done, pages mapped, queues made; and contexts that are closed
 * in the middle of it.
 *
 *	viommu_race [SECONDS]
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define EVENTS IOMMU_VEVENTQ_TYPE_SELFTEST
#define DEVICES 2
#define NUMBERS 3
#define COMMANDS 500

struct race {
	struct viommu_rig rig;
	struct iommu_viommu_selftest data;
	__u32 viommu, hwpt, veventq;
	int file;
	char *buf;
	/* Who unbinds one makes the next; the others meet it at any moment. */
	struct pasid_dev devs[DEVICES];
	__u32 vdevs[DEVICES];
	bool stop;
	const char *what;
	int rc;
};

struct thread {
	struct race *r;
	int (*work)(struct thread *t);
	const char *name;
	unsigned int seed, device;
	pthread_t id;
	unsigned long done, worked;
};

#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define PUT(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)

static unsigned int pick(struct thread *t, unsigned int n)
{
	return rand_r(&t->seed) % n;
}

static void worked(struct thread *t)
{
	__atomic_add_fetch(&t->worked, 1, __ATOMIC_RELAXED);
}

/* What may happen to somebody whom another was faster than. */
static int may_be(struct thread *t, int rc)
{
	if (rc >= 0)
		worked(t);
	return rc > 0 || rc == -ENOENT || rc == -EBUSY || rc == -EEXIST || rc == -EINVAL ||
	       rc == -EOPNOTSUPP || rc == -EBADF || rc == -EIO ? 0 : rc;
}

/* Each thread has one device's; with that it may be gone, and its ID is still no other's. */
static int number(struct thread *t)
{
	unsigned int i = t->device;
	struct race *r = t->r;
	int rc;

	if (!r->vdevs[i])
		return may_be(t, vdevice_alloc(r->rig.fd, r->viommu, GET(r->devs[i].idev),
					       pick(t, NUMBERS), &r->vdevs[i]));
	rc = destroy(r->rig.fd, r->vdevs[i]);
	r->vdevs[i] = 0;
	if (!rc)
		worked(t);
	return rc == -ENOENT ? 0 : rc;
}

static int move(struct thread *t)
{
	__u32 stdev = GET(t->r->devs[pick(t, DEVICES)].stdev);
	struct race *r = t->r;

	switch (pick(t, 3)) {
	case 0:
		return may_be(t, pasid_attach(r->rig.fd, stdev, 0, r->hwpt, NULL));
	case 1:
		return may_be(t, pasid_replace(r->rig.fd, stdev, 0,
					       pick(t, 2) ? r->hwpt : r->rig.parent, NULL));
	default:
		return may_be(t, pasid_detach(r->rig.fd, stdev, 0));
	}
}

static int rebind(struct thread *t)
{
	struct pasid_dev *dev = &t->r->devs[pick(t, DEVICES)], new;
	int rc;

	while ((rc = destroy(t->r->rig.fd, dev->stdev)) == -EBUSY)
		usleep(10);
	rc = rc ?: per_rid_new(t->r->rig.fd, 0, &new);
	if (rc)
		return rc;
	worked(t);
	PUT(dev->stdev, new.stdev);
	PUT(dev->idev, new.idev);
	usleep(500);
	return 0;
}

static int report(struct thread *t)
{
	return may_be(t, vevent(t->r->rig.fd, GET(t->r->devs[pick(t, DEVICES)].idev)));
}

static int get(struct thread *t)
{
	char events[12 * 16];
	ssize_t n = read(GET(t->r->file), events, sizeof(events));

	return may_be(t, n < 0 ? -errno : (int)n);
}

/* The file of the queue is another from time to time. */
static int renew(struct thread *t)
{
	struct race *r = t->r;
	int rc, file;

	close(r->file);
	while ((rc = destroy(r->rig.fd, r->veventq)) == -EBUSY)
		usleep(10);
	if (rc)
		return rc;
	file = veventq_alloc(r->rig.fd, r->viommu, EVENTS, 1 + pick(t, 8), &r->veventq);
	if (file < 0)
		return file;
	PUT(r->file, file);
	worked(t);
	usleep(1000);
	return 0;
}

static int command(struct thread *t)
{
	struct iommu_viommu_invalidate_selftest commands[COMMANDS];
	__u32 num = COMMANDS;
	int rc;

	for (unsigned int i = 0; i < COMMANDS; i++)
		commands[i] = (struct iommu_viommu_invalidate_selftest){
			.vdev_id = pick(t, 20) ? i % 2 : pick(t, NUMBERS),
			.flags = IOMMU_TEST_INVALIDATE_FLAG_ALL,
		};
	rc = invalidate(t->r->rig.fd, t->r->viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
			commands, sizeof(commands[0]), &num);
	if (rc && num)
		worked(t);
	return may_be(t, rc);
}

static int map_pages(struct thread *t)
{
	size_t length = t->r->data.out_mmap_length;
	char *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, t->r->rig.fd,
			t->r->data.out_mmap_offset);

	if (at == MAP_FAILED)
		return -errno;
	at[pick(t, length)] = 1;
	munmap(at + PAGE, PAGE);
	munmap(at, PAGE);
	worked(t);
	return 0;
}

static int queue(struct thread *t)
{
	struct race *r = t->r;
	__u32 id;
	int rc = hw_queue_alloc(r->rig.fd, r->viommu, pick(t, 2), AT + pick(t, 4) * PAGE, PAGE,
				&id);

	if (rc)
		return may_be(t, rc);
	worked(t);
	/* Which the other one may need. */
	while ((rc = destroy(r->rig.fd, id)) == -EBUSY)
		usleep(10);
	return rc;
}

static int remap(struct thread *t)
{
	struct race *r = t->r;
	int rc = unmap(r->rig.fd, r->rig.ioas, AT, 4 * PAGE);

	if (rc)
		return may_be(t, rc);
	worked(t);
	return map_at(r->rig.fd, r->rig.ioas, r->buf, 4 * PAGE, AT);
}

/* A context of its own, which ends with everything in it. */
static int leave(struct thread *t)
{
	struct iommu_viommu_selftest data = {};
	__u32 viommu, hwpt, vdev, events, hw;
	struct viommu_rig rig;
	int rc, file;

	rc = viommu_rig_new(&rig) ?:
	     viommu_alloc_of(rig.fd, rig.dev.idev, rig.parent, IOMMU_VIOMMU_TYPE_SELFTEST, &data,
			     sizeof(data), &viommu) ?:
	     nested_alloc(rig.fd, rig.dev.idev, viommu, 0, 0, &hwpt) ?:
	     vdevice_alloc(rig.fd, viommu, rig.dev.idev, 1, &vdev) ?:
	     pasid_attach(rig.fd, rig.dev.stdev, 0, hwpt, NULL) ?:
	     map_at(rig.fd, rig.ioas, t->r->buf, PAGE, AT) ?:
	     hw_queue_alloc(rig.fd, viommu, 0, AT, PAGE, &hw);
	if (rc)
		return rc;
	file = veventq_alloc(rig.fd, viommu, EVENTS, 2, &events);
	if (file < 0)
		return file;
	rc = vevent(rig.fd, rig.dev.idev);
	if (pick(t, 2)) {
		destroy(rig.fd, pick(t, 2) ? vdev : rig.dev.stdev);
		close(file);
		close(rig.fd);
	} else {
		/* The queue's file is the last. */
		close(rig.fd);
		close(file);
	}
	worked(t);
	return rc;
}

/* Of those that do the same, one. */
static bool all_worked(const struct thread *threads, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		bool one = false;

		for (unsigned int j = 0; j < nr; j++)
			one |= !strcmp(threads[i].name, threads[j].name) && GET(threads[j].worked);
		if (!one)
			return false;
	}
	return true;
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
	int rc = viommu_rig_new(&r->rig);

	if (rc)
		return rc;
	r->buf = mem_shared(4 * PAGE);
	rc = viommu_alloc_of(r->rig.fd, r->rig.dev.idev, r->rig.parent,
			     IOMMU_VIOMMU_TYPE_SELFTEST, &r->data, sizeof(r->data), &r->viommu) ?:
	     nested_alloc(r->rig.fd, r->rig.dev.idev, r->viommu, 0, 0, &r->hwpt) ?:
	     map_at(r->rig.fd, r->rig.ioas, r->buf, 4 * PAGE, AT);
	for (unsigned int i = 0; i < DEVICES; i++)
		rc = rc ?: per_rid_new(r->rig.fd, 0, &r->devs[i]);
	r->file = rc ?: veventq_alloc(r->rig.fd, r->viommu, EVENTS, 4, &r->veventq);
	return r->file < 0 ? r->file : 0;
}

/* Everything can be destroyed. */
static int teardown(struct race *r)
{
	int rc = 0;

	for (unsigned int i = 0; i < DEVICES; i++)
		rc = rc ?: destroy(r->rig.fd, r->devs[i].stdev);
	close(r->file);
	return rc ?: destroy(r->rig.fd, r->veventq) ?: destroy(r->rig.fd, r->hwpt) ?:
	       destroy(r->rig.fd, r->viommu) ?: viommu_rig_end(&r->rig);
}

#define THREAD(work, n) { .r = &r, work, #work, .seed = n }

int main(int argc, char **argv)
{
	struct race r = {};
	struct thread threads[] = {
		{ .r = &r, number, "number", .seed = 1, .device = 0 },
		{ .r = &r, number, "number", .seed = 2, .device = 1 },
		THREAD(move, 3), THREAD(move, 4),
		THREAD(rebind, 5), THREAD(report, 6), THREAD(report, 7), THREAD(get, 8),
		THREAD(renew, 9), THREAD(command, 10), THREAD(map_pages, 11), THREAD(queue, 12),
		THREAD(queue, 13), THREAD(remap, 14), THREAD(leave, 15),
	};
	long taint = kernel_taint(), pins = pins_outstanding();
	unsigned int i, more = 6000;
	int rc;

	ksft_print_header();
	ksft_set_plan(4);
	rc = setup(&r);
	if (rc)
		ksft_exit_fail_msg("setup: %s\n", strerror(-rc));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i].id, NULL, loop, &threads[i]);
	for (i = 0; i < (argc > 1 ? atoi(argv[1]) : 5) * 100u && !GET(r.stop); i++)
		usleep(10000);
	/* On a busy machine until all have, or up to a minute more. */
	for (; more && !GET(r.stop) && !all_worked(threads, ARRAY_SIZE(threads)); more--)
		usleep(10000);
	PUT(r.stop, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i].id, NULL);
		ksft_print_msg("%s: %lu, of them done %lu\n", threads[i].name, threads[i].done,
			       threads[i].worked);
	}
	ksft_test_result(!r.what, "nothing but what may be: %s %s\n", r.what ?: "",
			 strerror(-r.rc));
	ksft_test_result(all_worked(threads, ARRAY_SIZE(threads)), "all have worked\n");
	rc = teardown(&r);
	if (!rc && pins != pins_outstanding())
		rc = -EMLINK;
	ksft_test_result(!rc, "nothing left: %s\n", strerror(-rc));
	ksft_test_result(taint == kernel_taint(), "no warning\n");
	ksft_finished();
}
