// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program: finds what its arguments stand for, makes each call's structure,
 * and keeps what the kernel answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "fuzz.h"
#include "lists.h"

#define STRUCT_MAX 512
#define TAIL 8
/* What is slow is done once in so many times. */
#define NEW_DEVICE 20
#define FORK 8

static void *pages(size_t length, int prot, int flags, int fd)
{
	void *p = mmap(NULL, length, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

void runner_init(struct runner *r, unsigned int index)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	memset(r, 0, sizeof(*r));
	r->index = index;
	r->seat = &sh->seat[index];
	r->rng.s = opts.seed * 1000003 + index;
	r->ctx = SHARED_CTX + index;
	if (fd < 0 || ftruncate(fd, PAGE))
		exit(2);
	r->rw = pages(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	r->ro = pages(PAGE, PROT_READ, MAP_SHARED, fd);
	close(fd);
	r->plain = pages(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	r->edge = pages(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mprotect(r->edge + PAGE, PAGE, PROT_NONE);
	r->data = pages(DATA_SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mprotect(r->data + DATA_SIZE, PAGE, PROT_NONE);
	r->fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (!cover_init(&r->cover))
		fprintf(stderr, "fuzz: no KCOV: this runs blind\n");
}

static uint64_t resolve(const struct runner *r, unsigned int ctx, const struct val *val)
{
	switch (val->how) {
	case V_REF:
		return r->made[val->a] ? r->results[val->a][val->b] : 0;
	case V_POOL:
		return pool_get(ctx, val->a, val->v);
	default:
		if (val->v >> 48 == DATA_MARK)
			return (uint64_t)r->data + (val->v & 0xfffff);
		return val->v;
	}
}

/* Where the call's structure is to lie; set to what the kernel is told and what we see. */
static char *place_struct(struct runner *r, const struct call *call, unsigned long *arg)
{
	uint32_t size = call->size < STRUCT_MAX ? call->size : STRUCT_MAX;
	char *at = r->plain;

	*arg = (unsigned long)at;
	switch (call->place) {
	case P_RO:
		at = r->rw;
		*arg = (unsigned long)r->ro;
		break;
	case P_EDGE:
		/* What does not fit is not there. */
		at = r->edge + PAGE - (size & ~7u);
		*arg = (unsigned long)at;
		memset(at, 0, size & ~7u);
		return at;
	case P_NULL:
		*arg = 0;
	}
	memset(at, 0, STRUCT_MAX + 2 * TAIL);
	return at;
}

static void put(char *at, const char *end, const struct field *f, uint64_t v)
{
	if (!end || at + f->off + f->size <= end)
		memcpy(at + f->off, &v, f->size);
}

static void fill_struct(char *at, const char *end, const struct call *call,
			const uint64_t *arg)
{
	const struct kind *kind = &kinds[call->kind];
	uint32_t size = call->size;
	unsigned int i;

	for (i = 0; kind->fields[i].name; i++)
		if (kind->fields[i].cls != C_DATA_OUT)
			put(at, end, &kind->fields[i], arg[i]);
	if (call->place == P_TAIL) {
		if (size < kind->size || size > STRUCT_MAX)
			size = kind->size;
		memset(at + size, 0xff, TAIL);
		size += TAIL;
	}
	if (!end || at + 4 <= end)
		memcpy(at, &size, 4);
}

static int64_t do_ioctl(struct runner *r, const struct call *call, const uint64_t *arg,
			unsigned int ctx, uint64_t *out)
{
	const struct kind *kind = &kinds[call->kind];
	unsigned long where;
	char *at = place_struct(r, call, &where);
	const char *end = call->place == P_EDGE ? r->edge + PAGE : NULL;
	const struct field *f;
	int64_t rc;

	fill_struct(at, end, call, arg);
	rc = ioctl(ctx_fd(ctx), kind->nr, where);
	if (rc < 0)
		return -errno;
	for (f = kind->fields; f->name; f++)
		if (f->cls == C_DATA_OUT)
			memcpy(&out[f - kind->fields], r->data + f->off, f->size);
		else if (f->out && (!end || at + f->off + f->size <= end))
			memcpy(&out[f - kind->fields], at + f->off, f->size);
	return rc;
}

/* What a call has made is for later ones, of this program and of others. */
static void keep(struct runner *r, unsigned int nr, const struct kind *kind, unsigned int ctx,
		 int64_t rc)
{
	uint64_t *out = r->results[nr];
	unsigned int i;

	out[MAX_ARGS] = rc;
	r->made[nr] = true;
	if (kind->ret)
		pool_add(ctx, kind->ret, rc);
	for (i = 0; kind->fields[i].name; i++)
		if (kind->fields[i].out && out[i])
			pool_add(ctx, kind->fields[i].out, out[i]);
}

/* How a device is made; what it is attached to may differ. */
static uint64_t device_key(const struct kind *kind, const uint64_t *arg)
{
	uint64_t key = kind - kinds + 1;
	unsigned int i;

	for (i = 0; kind->fields[i].name; i++)
		if (kind->fields[i].cls == C_FLAGS || kind->fields[i].par == L_WIDTH)
			key = key * 31 + arg[i];
	return key;
}

static int64_t make_device(struct runner *r, const struct call *call, const uint64_t *arg,
			   unsigned int ctx, uint64_t *out)
{
	uint64_t key = device_key(&kinds[call->kind], arg);
	int64_t rc;

	if (!opts.replay && !r->trace && !one_in(&r->rng, NEW_DEVICE) &&
	    device_reuse(ctx, key, out))
		return 0;
	rc = do_ioctl(r, call, arg, ctx, out);
	if (!rc)
		device_made(ctx, key, out);
	return rc;
}

static int64_t do_call(struct runner *r, const struct call *call, const uint64_t *arg,
		       unsigned int ctx, uint64_t *out)
{
	const struct kind *kind = &kinds[call->kind];
	int64_t rc;

	if (kind->costly)
		return make_device(r, call, arg, ctx, out);
	if (kind->sysop == S_IOCTL) {
		rc = do_ioctl(r, call, arg, ctx, out);
		if (!rc && kind->nr == IOMMU_DESTROY)
			device_gone(ctx, arg[0]);
		return rc;
	}
	if (kind->sysop == S_NUMBER) {
		rc = ioctl(ctx_fd(ctx), kind->nr, arg[0]);
		return rc < 0 ? -errno : rc;
	}
	if (kind->sysop == S_FORK && !opts.replay && !one_in(&r->rng, FORK))
		return -EAGAIN;
	return sys_call(r, kind, arg, ctx, out);
}

/* The nth allocation of this thread fails from now on. */
static void fail_nth(struct runner *r, unsigned int nth)
{
	char word[4];
	int n = snprintf(word, sizeof(word), "%u", nth);

	if (pwrite(r->fail_nth, word, n, 0) < 0)
		r->fail_nth = -1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int64_t run_call(struct runner *r, const struct prog *prog, unsigned int nr)
{
	const struct call *call = &prog->call[nr];
	const struct kind *kind = &kinds[call->kind];
	struct tally *tally = &sh->tally[call->kind];
	unsigned int ctx = r->ctx, i;
	uint64_t arg[MAX_ARGS] = {}, start;
	int64_t rc;

	if (call->ctx)
		ctx = (call->ctx - 1) % SHARED_CTX;
	for (i = 0; kind->fields[i].name; i++)
		arg[i] = resolve(r, ctx, &call->arg[i]);
	memcpy(r->data, call->blob, sizeof(call->blob));
	memset(r->data + sizeof(call->blob), 0, 128);
	memset(r->results[nr], 0, sizeof(r->results[nr]));
	r->made[nr] = false;

	cover_start(&r->cover);
	r->seat->at = nr;
	start = now_ns();
	if (call->fail && r->fail_nth >= 0)
		fail_nth(r, call->fail);
	rc = do_call(r, call, arg, ctx, r->results[nr]);
	if (call->fail && r->fail_nth >= 0)
		fail_nth(r, 0);
	__atomic_fetch_add(&tally->ns, now_ns() - start, __ATOMIC_RELAXED);
	r->seat->calls++;
	if (rc < 0) {
		__atomic_fetch_add(&tally->failed, 1, __ATOMIC_RELAXED);
		tally->last_errno = -rc;
		if (rc == -EBADF)
			ctx_check(ctx);
		return rc;
	}
	__atomic_fetch_add(&tally->ok, 1, __ATOMIC_RELAXED);
	keep(r, nr, kind, ctx, rc);
	return rc;
}

/* Returns how much new it has reached, and sets last_new to the last call that did. */
unsigned int prog_run(struct runner *r, const struct prog *prog)
{
	unsigned int slot = r->seat->next++ % RECENT, nr, got, found = 0;
	int64_t *result = r->seat->result[slot];

	prog_copy(&r->seat->recent[slot], prog);
	memset(result, 0, sizeof(r->seat->result[slot]));
	r->last_new = -1;
	r->seat->busy = 1;
	for (nr = 0; nr < prog->n && !sh->stop; nr++) {
		result[nr] = run_call(r, prog, nr);
		got = 0;
		if (r->compare)
			cover_hints(&r->cover);
		else if (r->trace)
			got = cover_trace(&r->cover, prog->call[nr].kind, r->trace);
		else
			got = cover_collect(&r->cover, prog->call[nr].kind);
		if (got)
			r->last_new = nr;
		found += got;
	}
	r->seat->busy = 0;
	return found;
}
