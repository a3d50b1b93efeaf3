// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that can be done with PASIDs, by several threads to the same few
 * devices, slices, numbers and tables, in a context that stays and in one that is
 * closed and opened all the time. A call may be refused in the ways that it says;
 * in the end nothing is left over, and the mock has not complained.
 *
 *	pasid_race [SECONDS], or the same in the variable PASID_RACE_SECONDS
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kselftest.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define THREADS 6
#define DEVS 4
#define PTS 3
#define NUMBERS 8
#define AT (MOCK_APERTURE_START + 16 * PAGE)

/* A context. What may go at any moment is 0 while somebody replaces it. */
struct world {
	int fd;
	__u32 ioas[PTS];
	__u32 hwpt[PTS];
	struct { __u32 stdev, idev; } dev[DEVS];
};

struct race {
	struct world stays, goes;
	struct pasid_dev parent;
	char *buf;
	int seconds;
	bool stop;
	/* The first thing that should not have happened. */
	const char *what;
	int rc;
};

struct thread {
	struct race *r;
	struct world *w;
	unsigned int seed;
	pthread_t id;
	unsigned long done[32], refused[32];
};

#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define PUT(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define TAKE(x) __atomic_exchange_n(&(x), 0, __ATOMIC_RELAXED)

static unsigned int pick(struct thread *t, unsigned int n)
{
	return rand_r(&t->seed) % n;
}

static void note(struct race *r, const char *what, int rc)
{
	const char *none = NULL;

	if (__atomic_compare_exchange_n(&r->what, &none, what, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		r->rc = rc;
	PUT(r->stop, true);
}

static __u32 some_stdev(struct thread *t)
{
	return GET(t->w->dev[pick(t, DEVS)].stdev);
}

static __u32 some_idev(struct thread *t)
{
	return GET(t->w->dev[pick(t, DEVS)].idev);
}

/* An IOAS mostly, or a table by hand. */
static __u32 some_pt(struct thread *t)
{
	return pick(t, 4) ? GET(t->w->ioas[pick(t, PTS)]) : GET(t->w->hwpt[pick(t, PTS)]);
}

static int attach(struct thread *t)
{
	return pasid_attach(GET(t->w->fd), some_stdev(t), pick(t, NUMBERS), some_pt(t), NULL);
}

static int replace(struct thread *t)
{
	return pasid_replace(GET(t->w->fd), some_stdev(t), pick(t, NUMBERS), some_pt(t), NULL);
}

static int detach(struct thread *t)
{
	return pasid_detach(GET(t->w->fd), some_stdev(t), pick(t, NUMBERS));
}

static int alloc(struct thread *t)
{
	static const __u32 flags[] = { TAGGED, TAGGED, TAGGED, IDENTITY, 0 };
	__u32 pasid = 1 + pick(t, NUMBERS - 1);

	return pasid_alloc(GET(t->w->fd), some_idev(t), flags[pick(t, 5)], &pasid);
}

static int free_one(struct thread *t)
{
	struct iommu_pasid_entry entry;
	__u32 dev = some_idev(t), num = 1, next = pick(t, NUMBERS);
	int fd = GET(t->w->fd);
	int rc = pasid_list(fd, dev, &entry, &num, &next, NULL);

	return rc || !num ? rc : pasid_free(fd, dev, entry.pasid);
}

static int list(struct thread *t)
{
	struct iommu_pasid_entry entries[4 * NUMBERS];
	__u32 num = ARRAY_SIZE(entries), next = 0, last = 0;
	struct iommu_pasid_info info;
	int rc = pasid_list(GET(t->w->fd), some_idev(t), entries, &num, &next, NULL) ?:
		 pasid_info(GET(t->w->fd), some_idev(t), &info);

	for (__u32 i = 0; !rc && i < num; i++) {
		bool attached = entries[i].flags & IOMMU_PASID_ENTRY_ATTACHED;

		if (entries[i].pasid <= last || attached != !!entries[i].ioas_id)
			rc = -EBADMSG;
		last = entries[i].pasid;
	}
	return !rc && info.out_attached > info.out_in_use ? -EBADMSG : rc;
}

/* What a request reaches is memory, other memory or nothing, never a stale entry. */
static int reach(struct thread *t)
{
	return request_raw(GET(t->w->fd), some_stdev(t), 1 + pick(t, 2 * NUMBERS), AT, t->r->buf,
			   PAGE);
}

static int map_unmap(struct thread *t)
{
	__u32 ioas = GET(t->w->ioas[pick(t, PTS)]);
	__u64 at = AT + pick(t, 4) * PAGE, unmapped;
	int fd = GET(t->w->fd);

	return pick(t, 2) ? map_at(fd, ioas, t->r->buf, PAGE, at) :
			    unmap_count(fd, ioas, at, PAGE, &unmapped);
}

/* A table by hand takes the place of another; one in use stays. */
static int destroy_hwpt(struct thread *t)
{
	struct world *w = t->w;
	unsigned int i = pick(t, PTS);
	int fd = GET(w->fd), rc = 0;
	__u32 hwpt = TAKE(w->hwpt[i]);

	if (hwpt)
		rc = destroy(fd, hwpt);
	if (!rc)
		rc = hwpt_alloc(fd, some_idev(t), GET(w->ioas[i]),
				pick(t, 8) ? IOMMU_HWPT_ALLOC_PASID : 0, &hwpt);
	else if (rc != -EBUSY)
		hwpt = 0;
	if (rc && rc != -EBUSY)
		return rc;
	PUT(w->hwpt[i], hwpt);
	return rc;
}

static int make_dev(struct race *r, int fd, unsigned int i, struct pasid_dev *dev)
{
	if (!i)
		return per_rid_new(fd, 0, dev);
	return i == 1 ? global_new(fd, 0, dev) : slice_new(fd, &r->parent, 0, dev);
}

static int unbind(struct thread *t)
{
	struct world *w = t->w;
	unsigned int i = pick(t, DEVS);
	struct pasid_dev dev = {};
	__u32 stdev = TAKE(w->dev[i].stdev);
	int fd = GET(w->fd), rc;

	if (!stdev)
		return 0;
	rc = destroy(fd, stdev);
	if (rc) {
		PUT(w->dev[i].stdev, stdev);
		return rc;
	}
	rc = make_dev(t->r, fd, i, &dev);
	PUT(w->dev[i].idev, dev.idev);
	PUT(w->dev[i].stdev, dev.stdev);
	return rc;
}

static int kernel(struct thread *t)
{
	int fd = GET(t->w->fd);
	__u32 id, number;
	int rc = kernel_pasid(fd, some_stdev(t), &id, &number);

	return rc ? rc : destroy(fd, id);
}

static int followed(struct thread *t)
{
	int fd = GET(t->w->fd);
	__u32 id;
	int rc = follow(fd, &id);

	return rc ? rc : destroy(fd, id);
}

static int emulated(struct thread *t)
{
	__u32 id, pasid = 1 + pick(t, NUMBERS - 1), pages;
	int fd = GET(t->w->fd);
	int access = pick(t, 2) ? access_own(fd, 0, 10, &id) :
				  access_global(fd, 0, MOCK_PASID_WIDTH, t->r->parent.index, &id);
	int rc;

	if (access < 0)
		return access;
	rc = pasid_tag(fd, id, pasid) ?:
	     access_attach_at(fd, access, pasid, GET(t->w->ioas[pick(t, PTS)])) ?:
	     access_pin_at(fd, access, pasid, AT, PAGE, t->r->buf, &pages) ?:
	     access_replace_at(fd, access, pasid, GET(t->w->ioas[pick(t, PTS)])) ?:
	     (pick(t, 2) ? access_detach_at(fd, access, pasid) : 0);
	close(access);
	return rc;
}

static int make_world(struct race *r, struct world *w)
{
	struct world new = { .fd = iommu_open() };
	struct pasid_dev dev;
	int rc = new.fd < 0 ? new.fd : 0;

	for (int i = 0; i < PTS; i++)
		rc = rc ?: ioas_alloc(new.fd, &new.ioas[i]) ?:
		     map_at(new.fd, new.ioas[i], r->buf, PAGE, AT + i * PAGE);
	for (int i = 0; i < DEVS && !rc; i++) {
		rc = make_dev(r, new.fd, i, &dev);
		new.dev[i].stdev = dev.stdev;
		new.dev[i].idev = dev.idev;
	}
	*w = new;
	return rc;
}

/* One thread at a time closes the other context, with whatever the others do to it. */
static int close_context(struct thread *t)
{
	static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
	int rc;

	if (pthread_mutex_trylock(&alone))
		return 0;
	close(t->r->goes.fd);
	rc = make_world(t->r, &t->r->goes);
	pthread_mutex_unlock(&alone);
	return rc;
}

static const struct {
	const char *name;
	int (*call)(struct thread *t);
	/* Of a thousand. */
	unsigned int weight;
	/*
	 * What it may be refused with; in a context that is closed, any of gone[] too. The ID
	 * may be that of a new emulated device, which has no PASIDs yet.
	 */
	int may[6];
} ops[] = {
	{ "attach", attach, 260, { -EBUSY, -EINVAL, -ENOENT, -ENXIO } },
	{ "replace", replace, 160, { -EINVAL, -ENOENT } },
	{ "detach", detach, 100, { -ENOENT } },
	{ "alloc", alloc, 130, { -EBUSY, -EINVAL, -ENOENT, -EOPNOTSUPP } },
	{ "free", free_one, 80, { -EBUSY, -ENXIO, -ENOENT, -EOPNOTSUPP } },
	{ "list", list, 40, { -ENOENT } },
	{ "request", reach, 70, { -EINVAL, -ENOENT } },
	{ "map", map_unmap, 50, { -EEXIST, -ENOENT, -EBUSY } },
	{ "destroy", destroy_hwpt, 40, { -EBUSY, -ENOENT } },
	{ "unbind", unbind, 10, { -EBUSY } },
	{ "kernel", kernel, 25, { -EBUSY, -ENOENT } },
	{ "follow", followed, 15, { -EBUSY } },
	{ "emulated", emulated, 18, { -EINVAL, -ENOENT, -ENXIO, -EBUSY } },
	/* Whoever has the old descriptor has the new one, too. */
	{ "close", close_context, 2, { -EEXIST, -ENOENT, -EINVAL } },
};

/* Its descriptor may be closed, or another file's; its IDs may be those of another object. */
static const int gone[] = { -EBADF, -ENOTTY, -ENOENT, -EINVAL, -EBUSY, -EOPNOTSUPP };

static bool is_one_of(int rc, const int *allowed, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (rc == allowed[i])
			return true;
	return !rc;
}

static void one(struct thread *t)
{
	unsigned int nr = pick(t, 1000), i;
	int rc;

	for (i = 0; nr >= ops[i].weight; i++)
		nr -= ops[i].weight;
	t->w = pick(t, 4) ? &t->r->stays : &t->r->goes;
	rc = ops[i].call(t);
	if (!is_one_of(rc, ops[i].may, ARRAY_SIZE(ops[i].may)) &&
	    !(t->w == &t->r->goes && is_one_of(rc, gone, ARRAY_SIZE(gone))))
		note(t->r, ops[i].name, rc);
	__atomic_add_fetch(&(rc ? t->refused : t->done)[i], 1, __ATOMIC_RELAXED);
}

static bool all_done(const struct thread *t)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		unsigned long done = 0;

		for (unsigned int j = 0; j < THREADS; j++)
			done += GET(t[j].done[i]);
		if (!done)
			return false;
	}
	return true;
}

static void *work(void *arg)
{
	struct thread *t = arg;

	while (!GET(t->r->stop))
		one(t);
	return NULL;
}

/* For that long, and on a busy machine until all has been done once, or up to a minute more. */
static int run(struct race *r, struct thread *t)
{
	int more = 600;

	for (unsigned int i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .r = r, .seed = i + 1 };
		if (pthread_create(&t[i].id, NULL, work, &t[i]))
			return -EAGAIN;
	}
	for (int left = 10 * r->seconds; left && !GET(r->stop); left--)
		usleep(100000);
	for (; more && !GET(r->stop) && !all_done(t); more--)
		usleep(100000);
	PUT(r->stop, true);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i].id, NULL);
	return 0;
}

static void told(const struct thread *threads)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		unsigned long done = 0, refused = 0;

		for (unsigned int j = 0; j < THREADS; j++) {
			done += threads[j].done[i];
			refused += threads[j].refused[i];
		}
		ksft_print_msg("%-10s %8lu done %8lu refused\n", ops[i].name, done, refused);
		ksft_test_result(done, "%s was done\n", ops[i].name);
	}
}

int main(int argc, char **argv)
{
	const char *given = argc == 2 ? argv[1] : getenv("PASID_RACE_SECONDS");
	static struct race r = { .seconds = 2 };
	static struct thread threads[THREADS];
	long taint = kernel_taint();
	struct counts before;
	int fd = iommu_open();

	if (given && atoi(given) > 0)
		r.seconds = atoi(given);
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(ops) + 3);
	r.buf = mem_shared(PAGE);
	if (fd < 0 || !r.buf || count(fd, 0, &before) || parent_new(fd, &r.parent) ||
	    make_world(&r, &r.stays) || make_world(&r, &r.goes) || run(&r, threads))
		ksft_exit_fail_msg("cannot be set up\n");
	told(threads);
	ksft_test_result(!r.what, "refused as told: %s %d\n", r.what ?: "all", r.rc);
	close(r.goes.fd);
	close(r.stays.fd);
	ksft_test_result(!destroy(fd, r.parent.stdev) && nothing_left(fd, &before) &&
			 !mock_check_refs(fd, r.buf, PAGE, 0),
			 "nothing is left\n");
	ksft_test_result(taint == kernel_taint(), "no warning in the kernel's log\n");
	ksft_finished();
}
