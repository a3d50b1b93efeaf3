// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads against each other on one file. What a thread owns must behave as if
 * it were alone; what is shared may be refused, but only in the ways that the
 * header tells, and in the end nothing is left over.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define MS 800
#define THREADS 6
#define BUF (8 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

struct shared {
	int fd;
	__u32 ioas[3];
	struct mock_dev dev;
	char *buf;
	bool stop;
	/* The first thing that should not have happened. */
	const char *what;
	int rc;
};

struct thread {
	struct shared *s;
	unsigned int nr;
	unsigned int seed;
	unsigned long rounds;
	pthread_t id;
	void (*round)(struct thread *t);
};

static void note(struct shared *s, const char *what, int rc)
{
	const char *none = NULL;

	if (__atomic_compare_exchange_n(&s->what, &none, what, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		s->rc = rc;
	__atomic_store_n(&s->stop, true, __ATOMIC_SEQ_CST);
}

/* The result is 0 or one of these. */
static int one_of(struct shared *s, const char *what, int rc, const int *allowed, size_t n)
{
	for (size_t i = 0; rc && i < n; i++) {
		if (rc == allowed[i])
			return rc;
	}
	if (rc)
		note(s, what, rc);
	return rc;
}

#define MUST(s, call) \
	do { \
		int _must = (call); \
		if (_must) \
			note(s, #call, _must); \
	} while (0)

#define MAY(s, call, ...) \
	one_of(s, #call, call, (const int[]){ __VA_ARGS__ }, \
	       sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

static unsigned int pick(struct thread *t, unsigned int n)
{
	return rand_r(&t->seed) % n;
}

static void *work(void *arg)
{
	struct thread *t = arg;

	while (!__atomic_load_n(&t->s->stop, __ATOMIC_RELAXED)) {
		t->round(t);
		__atomic_add_fetch(&t->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool all_had_a_round(const struct thread *t, unsigned int n)
{
	while (n && __atomic_load_n(&t[n - 1].rounds, __ATOMIC_RELAXED))
		n--;
	return !n;
}

/* For that long, and on a busy machine until all of them ran; the harness ends it. */
static int run(struct shared *s, void (*const rounds[])(struct thread *t), unsigned int n)
{
	struct thread t[THREADS] = {};
	struct timespec time = { MS / 1000, MS % 1000 * 1000000 };

	for (unsigned int i = 0; i < n; i++) {
		t[i] = (struct thread){ .s = s, .nr = i, .seed = i + 1, .round = rounds[i] };
		if (pthread_create(&t[i].id, NULL, work, &t[i]))
			return -EAGAIN;
	}
	do
		nanosleep(&time, NULL);
	while (!s->what && !all_had_a_round(t, n));
	__atomic_store_n(&s->stop, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(t[i].id, NULL);
	return 0;
}

FIXTURE(race)
{
	struct shared s;
	long pins;
	long taint;
};

FIXTURE_SETUP(race)
{
	struct shared *s = &self->s;

	self->taint = kernel_taint();
	self->pins = pins_outstanding();
	ASSERT_LE(0, self->pins);
	s->fd = iommu_open();
	ASSERT_LE(0, s->fd);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, ioas_alloc(s->fd, &s->ioas[i]));
	ASSERT_EQ(0, mock_attach(s->fd, s->ioas[0], &s->dev));
	s->buf = mem_shared(THREADS * BUF);
	ASSERT_NE(NULL, s->buf);
}

FIXTURE_TEARDOWN(race)
{
	struct shared *s = &self->s;

	EXPECT_EQ(NULL, s->what) TH_LOG("%s: %d (%s)", s->what, s->rc, strerror(-s->rc));
	for (int i = 0; i < 3; i++)
		EXPECT_NE(U64_MAX, unmap_all(s->fd, s->ioas[i]));
	EXPECT_EQ(0, mock_check_refs(s->fd, s->buf, THREADS * BUF, 0));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, destroy(s->fd, s->dev.stdev));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, destroy(s->fd, s->ioas[i]));
	close(s->fd);
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
}

/* A thread's own addresses in the shared IOAS: exact results, whatever goes on beside it. */
static void own_slot(struct thread *t)
{
	struct shared *s = t->s;
	char *buf = s->buf + t->nr * BUF;
	__u64 at = AT + t->nr * HUGE;

	MUST(s, map_at(s->fd, s->ioas[0], buf, BUF, at));
	MUST(s, mock_check_map(s->fd, s->dev.hwpt, buf, BUF, at));
	if (map_at(s->fd, s->ioas[0], buf, PAGE, at + PAGE) != -EEXIST)
		note(s, "a mapping over another", 0);
	MUST(s, copy_at(s->fd, s->ioas[1], s->ioas[0], BUF - PAGE, at, at + PAGE));
	MUST(s, unmap(s->fd, s->ioas[0], at, BUF));
	MUST(s, unmap(s->fd, s->ioas[1], at, BUF - PAGE));
	if (!mock_check_map(s->fd, s->dev.hwpt, buf, PAGE, at))
		note(s, "a device that sees what is unmapped", 0);
}

static void own_iova(struct thread *t)
{
	struct shared *s = t->s;
	char *buf = s->buf + t->nr * BUF;
	__u64 iova = 0;

	MUST(s, map(s->fd, s->ioas[0], PERM_RW, buf, BUF, &iova));
	MUST(s, mock_check_map(s->fd, s->dev.hwpt, buf, BUF, iova));
	MUST(s, unmap(s->fd, s->ioas[0], iova, BUF));
}

/* Devices come and go on all IOASes, and page tables by hand. */
static void own_device(struct thread *t)
{
	struct shared *s = t->s;
	struct mock_dev dev;
	__u32 hwpt;

	MUST(s, mock_attach(s->fd, s->ioas[pick(t, 2)], &dev));
	MUST(s, mock_replace(s->fd, dev.stdev, s->ioas[pick(t, 2)]));
	MUST(s, hwpt_alloc(s->fd, dev.idev, s->ioas[pick(t, 2)], 0, &hwpt));
	MUST(s, mock_replace(s->fd, dev.stdev, hwpt));
	if (destroy(s->fd, hwpt) != -EBUSY)
		note(s, "a table destroyed that a device uses", 0);
	MUST(s, mock_replace(s->fd, dev.stdev, s->ioas[pick(t, 2)]));
	MUST(s, destroy(s->fd, hwpt));
	MUST(s, destroy(s->fd, dev.stdev));
}

static void own_access(struct thread *t)
{
	struct shared *s = t->s;
	char *buf = s->buf + t->nr * BUF, got[64];
	__u64 at = AT + t->nr * HUGE;
	int access = access_new_pinning(s->fd, s->ioas[0]);
	__u32 pages;

	if (access < 0) {
		note(s, "access_new_pinning()", access);
		return;
	}
	MUST(s, map_at(s->fd, s->ioas[0], buf, BUF, at));
	MUST(s, access_pin(s->fd, access, at, BUF, buf, 0, &pages));
	MUST(s, device_read(s->fd, access, at + PAGE - 32, 64, got));
	if (pick(t, 2))
		MUST(s, access_unpin(s->fd, access, pages));
	if (pick(t, 2)) {
		MUST(s, access_move(s->fd, access, s->ioas[1]));
		MUST(s, unmap(s->fd, s->ioas[0], at, BUF));
	} else {
		MUST(s, unmap(s->fd, s->ioas[0], at, BUF));
	}
	close(access);
}

TEST_F(race, own)
{
	void (*const rounds[])(struct thread *t) = {
		own_slot, own_slot, own_iova, own_device, own_device, own_access,
	};

	EXPECT_EQ(0, run(&self->s, rounds, ARRAY_SIZE(rounds)));
}

/* Everybody at the same addresses, each of which stands for the same page always. */
static void same_slot(struct thread *t)
{
	struct shared *s = t->s;
	unsigned int page = pick(t, 4);
	__u64 at = AT + page * PAGE, iova = 0;
	__u32 ioas = s->ioas[pick(t, 2)];

	switch (pick(t, 5)) {
	case 0:
	case 1:
		MAY(s, map_at(s->fd, ioas, s->buf + page * PAGE, (1 + pick(t, 3)) * PAGE, at),
		    -EEXIST);
		break;
	case 2:
		/* Busy: somebody else is in the middle of mapping it. */
		MAY(s, unmap_count(s->fd, ioas, at, (1 + pick(t, 3)) * PAGE, &iova),
		    -ENOENT, -EBUSY);
		break;
	case 3:
		MAY(s, copy_at(s->fd, ioas, s->ioas[pick(t, 2)], PAGE, at, at),
		    -EEXIST, -ENOENT);
		break;
	case 4:
		MAY(s, unmap_count(s->fd, ioas, 0, U64_MAX, &iova), -EBUSY);
	}
}

/* Pins what others unmap: refused, given, or taken away, and never anything else. */
static void same_pins(struct thread *t)
{
	struct shared *s = t->s;
	int access = access_new_pinning(s->fd, s->ioas[0]);
	char got[64];

	for (int i = 0; i < 8; i++) {
		unsigned int page = pick(t, 4);
		__u64 at = AT + page * PAGE;
		__u32 pages;

		if (!MAY(s, access_pin(s->fd, access, at, PAGE, s->buf + page * PAGE, 0, &pages),
			 -ENOENT))
			MAY(s, access_unpin(s->fd, access, pages), -ENOENT);
		MAY(s, device_write(s->fd, access, at, 64, got), -ENOENT);
	}
	close(access);
}

TEST_F(race, same_addresses)
{
	void (*const rounds[])(struct thread *t) = {
		same_slot, same_slot, same_slot, same_pins, own_device,
	};

	EXPECT_EQ(0, run(&self->s, rounds, ARRAY_SIZE(rounds)));
}

/* Objects that somebody else destroys at any moment; those with higher IDs, their maker does. */
#define IDS 48

static void ids_die(struct thread *t)
{
	struct shared *s = t->s;
	__u32 id = 1 + pick(t, IDS), made = 0, num = 0;
	struct mock_dev dev = {};
	__u64 iova = 0;

	switch (pick(t, 8)) {
	case 0:
		MUST(s, ioas_alloc(s->fd, &made));
		break;
	case 1:
	case 2:
		/* The three and the device that the end of the test wants to find. */
		if (id > s->dev.hwpt && id > s->dev.idev && id > s->dev.stdev)
			MAY(s, destroy(s->fd, id), -ENOENT, -EBUSY);
		break;
	case 3:
		MAY(s, map(s->fd, id, PERM_RW, s->buf, BUF, &iova), -ENOENT);
		break;
	case 4:
		MAY(s, mock_attach(s->fd, id, &dev), -ENOENT, -EINVAL, -EADDRINUSE);
		break;
	case 5:
		MAY(s, copy(s->fd, PERM_RW, id, s->ioas[0], PAGE, &iova, AT), -ENOENT);
		break;
	case 6:
		MAY(s, ranges_get(s->fd, id, NULL, &num, NULL), -ENOENT, -EMSGSIZE);
		break;
	case 7:
		MAY(s, hwpt_alloc(s->fd, s->dev.idev, id, 0, &made), -ENOENT, -EINVAL,
		    -EADDRINUSE, -EOPNOTSUPP);
	}
	if (dev.stdev > IDS)
		MUST(s, destroy(s->fd, dev.stdev));
	if (made > IDS)
		MUST(s, destroy(s->fd, made));
}

TEST_F(race, ids_die)
{
	void (*const rounds[])(struct thread *t) = { ids_die, ids_die, ids_die, ids_die };
	struct shared *s = &self->s;

	EXPECT_EQ(0, run(s, rounds, ARRAY_SIZE(rounds)));
	/* Whatever they left can be destroyed: users before what they use. */
	for (int round = 0; round < 4; round++) {
		for (__u32 id = 256; id; id--) {
			if (id != s->ioas[0] && id != s->ioas[1] && id != s->ioas[2] &&
			    id != s->dev.stdev && id != s->dev.hwpt)
				destroy(s->fd, id);
		}
	}
}

TEST_HARNESS_MAIN
