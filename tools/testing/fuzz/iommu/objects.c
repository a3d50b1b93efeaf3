// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls have made: the open files of contexts, IDs by context, and other file
 * descriptors. IDs are known to all processes, as contexts are; file descriptors
 * are of a process. A new one takes the place of the oldest, which is closed.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* The fuzzer's own files are below this, and are never closed. */
#define FIRST_OURS 64

static int ctx_fds[MAX_CTX];
static int fds[R_COUNT - FIRST_FD][POOL];
static uint32_t nr_fds[R_COUNT - FIRST_FD];

void objects_init(void)
{
	int null = open("/dev/null", O_RDWR);
	unsigned int i;

	memset(ctx_fds, -1, sizeof(ctx_fds));
	memset(fds, -1, sizeof(fds));
	for (i = 0; i < FIRST_OURS; i++)
		if (fcntl(i, F_GETFD) < 0)
			dup2(null, i);
	for (i = 0; i < SHARED_CTX; i++)
		ctx_reopen(i);
}

static void fd_close(int fd)
{
	if (fd >= FIRST_OURS)
		close(fd);
}

int ctx_fd(unsigned int ctx)
{
	return __atomic_load_n(&ctx_fds[ctx], __ATOMIC_RELAXED);
}

/* IDs of before would be stale, and are forgotten, but for some. */
void ctx_put_fd(unsigned int ctx, int fd)
{
	unsigned int i;
	int old;

	for (i = 0; i < FIRST_FD; i++)
		sh->ctx[ctx].n[i] &= 1;
	for (i = 0; i < DEVICES; i++)
		sh->ctx[ctx].device[i].key = 0;
	old = __atomic_exchange_n(&ctx_fds[ctx], fd, __ATOMIC_RELAXED);
	fd_close(old);
}

void ctx_reopen(unsigned int ctx)
{
	ctx_put_fd(ctx, open("/dev/iommu", O_RDWR | O_CLOEXEC));
}

/* Somebody may have closed a context's file, by a number that once was another's. */
void ctx_check(unsigned int ctx)
{
	int fd = ctx_fd(ctx);

	if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
		__atomic_store_n(&ctx_fds[ctx], -1, __ATOMIC_RELAXED);
		ctx_reopen(ctx);
	}
}

void objects_close(void)
{
	unsigned int i, j;

	for (i = 0; i < R_COUNT - FIRST_FD; i++) {
		if (i + FIRST_FD == R_FD_MEM)
			continue;
		for (j = 0; j < POOL; j++)
			fd_close(__atomic_exchange_n(&fds[i][j], -1, __ATOMIC_RELAXED));
		nr_fds[i] = 0;
	}
}

void pool_add(unsigned int ctx, enum res res, uint64_t value)
{
	struct ctx_pool *pool = &sh->ctx[ctx];
	uint32_t at;

	if (res >= FIRST_FD) {
		at = __atomic_fetch_add(&nr_fds[res - FIRST_FD], 1, __ATOMIC_RELAXED) % POOL;
		fd_close(__atomic_exchange_n(&fds[res - FIRST_FD][at], (int)value,
					     __ATOMIC_RELAXED));
		if (res == R_FD_FAULT || res == R_FD_VEVENT)
			fcntl(value, F_SETFL, O_NONBLOCK);
		return;
	}
	at = __atomic_fetch_add(&pool->n[res], 1, __ATOMIC_RELAXED) % POOL;
	pool->res[res][at] = value;
}

/* 0, or no file descriptor, if there is none. */
uint64_t pool_get(unsigned int ctx, enum res res, uint64_t which)
{
	uint32_t n = res >= FIRST_FD ? nr_fds[res - FIRST_FD] : sh->ctx[ctx].n[res];

	if (n > POOL)
		n = POOL;
	if (!n)
		return res >= FIRST_FD ? (uint32_t)-1 : 0;
	which %= n;
	if (res >= FIRST_FD)
		return (uint32_t)fds[res - FIRST_FD][which];
	return sh->ctx[ctx].res[res][which];
}

/*
 * To make a device takes longer than all that is then done with it: one that was
 * made in the same way serves again. Returns whether there is one.
 */
bool device_reuse(unsigned int ctx, uint64_t key, uint64_t *out)
{
	struct device *device;
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		device = &sh->ctx[ctx].device[i];
		if (device->key != key)
			continue;
		for (i = 0; i < MAX_ARGS; i++)
			out[i] = device->out[i];
		return true;
	}
	return false;
}

void device_made(unsigned int ctx, uint64_t key, const uint64_t *out)
{
	struct device *device = &sh->ctx[ctx].device[key % DEVICES];
	unsigned int i;

	device->key = 0;
	for (i = 0; i < MAX_ARGS; i++)
		device->out[i] = out[i];
	device->key = key;
}

void device_gone(unsigned int ctx, uint64_t id)
{
	struct device *device = sh->ctx[ctx].device;
	unsigned int i, j;

	for (i = 0; i < DEVICES; i++)
		for (j = 0; j < MAX_ARGS; j++)
			if (device[i].key && device[i].out[j] == id)
				device[i].key = 0;
}
