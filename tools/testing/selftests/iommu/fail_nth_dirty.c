// SPDX-License-Identifier: GPL-2.0-only
/* Dirty tracking, who pays, physical addresses: the calls that fail_nth makes fail. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/dirty.h"

/* Over two pages of its own, at whose border a bitmap of LARGE lies. */
static unsigned char bits[3 * PAGE] __attribute__((aligned(PAGE)));

#define BITMAP (bits + PAGE - LARGE / PAGE / 16)

static int before_track(struct ctx *c)
{
	return hwpt_alloc(c->fd, c->dev.idev, c->ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
			  &c->new_id);
}

static int call_track(struct ctx *c)
{
	return dirty_track(c->fd, c->new_id, true);
}

static int end(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int before_get(struct ctx *c)
{
	int rc = before_track(c) ?: call_track(c);

	return rc ? rc : device_writes(c->fd, c->new_id, AT + SMALL, LARGE);
}

static int call_get(struct ctx *c)
{
	memset(bits, 0, sizeof(bits));
	return dirty_get(c->fd, c->new_id, 0, AT + SMALL, LARGE, PAGE, BITMAP);
}

static int count_bits(void)
{
	int n = 0;

	for (size_t i = 0; i < sizeof(bits); i++)
		n += __builtin_popcount(bits[i]);
	return n;
}

static int done_get(struct ctx *c)
{
	int all = count_bits();

	return all == LARGE / PAGE ? end(c) : -EILSEQ;
}

/* What has not been told is still dirty. */
static int intact_get(struct ctx *c)
{
	int told = count_bits(), rc = call_get(c);

	if (rc)
		return rc;
	return told + count_bits() == LARGE / PAGE ? end(c) : -EILSEQ;
}

/* A context of its own, with nothing but a file. */
static int before_change(struct ctx *c)
{
	__u64 iova = AT;
	__u32 ioas;

	c->new_fd = iommu_open();
	if (c->new_fd < 0)
		return c->new_fd;
	ioas = ioas_new(c->new_fd);
	return mock_attach(c->new_fd, ioas, &c->new_dev) ?:
	       map_file(c->new_fd, ioas, FIXED | PERM_RW, c->file, 0, LARGE, &iova);
}

static int call_change(struct ctx *c)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg) };

	return iommu_call(c->new_fd, IOMMU_IOAS_CHANGE_PROCESS, &arg);
}

static int end_change(struct ctx *c)
{
	return close(c->new_fd);
}

static int before_phys(struct ctx *c)
{
	c->new_id = ioas_new(c->fd);
	return map_at(c->fd, c->new_id, c->small, SMALL, AT) ?:
	       map_at(c->fd, c->new_id, c->large, LARGE, LATER);
}

static int call_phys(struct ctx *c)
{
	struct iommu_ioas_noiommu_get_pa arg = {
		.size = sizeof(arg),
		.ioas_id = c->new_id,
		.iova = AT,
		.length = PAGE,
	};

	return iommu_call(c->fd, IOMMU_IOAS_NOIOMMU_GET_PA, &arg) ?:
	       arg.length == PAGE && arg.out_phys ? 0 : -EILSEQ;
}

#define CALL(name, ...) { "dirty_" #name, .call = call_ ## name, __VA_ARGS__ }

const struct call dirty_calls[] = {
	CALL(track, .before = before_track, .done = end, .intact = end),
	CALL(get, .before = before_get, .done = done_get, .intact = intact_get),
	{ "phys", .before = before_phys, .call = call_phys, .done = end, .intact = end },
	{ "change_process", .before = before_change, .call = call_change, .done = end_change,
	  .intact = end_change },
};

const unsigned int num_dirty_calls = ARRAY_SIZE(dirty_calls);
