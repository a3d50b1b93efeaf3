// SPDX-License-Identifier: GPL-2.0-only
/* The calls with virtual IOMMUs that fail_nth makes fail. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/fault.h"
#include "lib/viommu.h"

#define EVENTS IOMMU_VEVENTQ_TYPE_SELFTEST
#define NUMBER 0x99

/* On the parent of the nested tables; a page that can be mapped belongs to it. */
int setup_viommus(struct ctx *c)
{
	struct iommu_viommu_selftest data = { .in_data = NUMBER };
	int rc = viommu_alloc_of(c->fd, c->own.idev, c->below, IOMMU_VIOMMU_TYPE_SELFTEST, &data,
				 sizeof(data), &c->viommu);

	c->window = data.out_mmap_offset;
	c->window_length = data.out_mmap_length;
	return rc;
}

int teardown_viommus(struct ctx *c)
{
	return destroy(c->fd, c->viommu);
}

static int destroy_new(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int call_alloc(struct ctx *c)
{
	struct iommu_viommu_selftest data = {};

	return viommu_alloc_of(c->fd, c->own.idev, c->below, IOMMU_VIOMMU_TYPE_SELFTEST, &data,
			       sizeof(data), &c->new_id);
}

static int call_nested(struct ctx *c)
{
	return nested_alloc(c->fd, c->own.idev, c->viommu, 0, 0, &c->new_id);
}

static int call_vdevice(struct ctx *c)
{
	return vdevice_alloc(c->fd, c->viommu, c->own.idev, NUMBER, &c->new_id);
}

/* A number that was refused is free. */
static int intact_vdevice(struct ctx *c)
{
	return call_vdevice(c) ?: destroy_new(c);
}

static int call_veventq(struct ctx *c)
{
	c->new_fd = veventq_alloc(c->fd, c->viommu, EVENTS, 4, &c->new_id);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int done_veventq(struct ctx *c)
{
	return close(c->new_fd) ?: destroy_new(c);
}

static int intact_veventq(struct ctx *c)
{
	return call_veventq(c) ?: done_veventq(c);
}

static int before_hw_queue(struct ctx *c)
{
	return map_at(c->fd, c->empty, c->small, SMALL, AT);
}

static int call_hw_queue(struct ctx *c)
{
	return hw_queue_alloc(c->fd, c->viommu, 0, AT, PAGE, &c->new_id);
}

static int intact_hw_queue(struct ctx *c)
{
	return unmap(c->fd, c->empty, AT, SMALL);
}

static int done_hw_queue(struct ctx *c)
{
	if (unmap(c->fd, c->empty, AT, SMALL) != -EBUSY)
		return -EBADMSG;
	return destroy_new(c) ?: intact_hw_queue(c);
}

static int before_commands(struct ctx *c)
{
	return call_vdevice(c);
}

static int call_commands(struct ctx *c)
{
	struct iommu_viommu_invalidate_selftest command = { .vdev_id = NUMBER };
	__u32 num = 1;
	int rc = invalidate(c->fd, c->viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, &command,
			    sizeof(command), &num);

	return rc || num == 1 ? rc : -EBADMSG;
}

/* Where there are no page tables: all else is at least a huge page away. */
static int before_mmap(struct ctx *c)
{
	char *free = mmap(NULL, 3 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (free == MAP_FAILED)
		return -errno;
	c->mapped = (char *)(((unsigned long)free + HUGE - 1) & ~(HUGE - 1));
	return munmap(free, 3 * HUGE);
}

static int call_mmap(struct ctx *c)
{
	char *p = mmap(c->mapped, c->window_length, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE,
		       c->fd, c->window);
	int rc;

	if (p == MAP_FAILED)
		return -errno;
	rc = *(__u32 *)p == NUMBER ? 0 : -EBADMSG;
	return munmap(p, c->window_length) ?: rc;
}

/* An event, and the end of a device that has a number. */
static int before_end(struct ctx *c)
{
	__u32 hwpt;
	int rc = per_rid_new(c->fd, 0, &c->new_pasids) ?:
		 vdevice_alloc(c->fd, c->viommu, c->new_pasids.idev, NUMBER, &c->new_id) ?:
		 nested_alloc(c->fd, c->new_pasids.idev, c->viommu, 0, 0, &hwpt) ?:
		 pasid_attach(c->fd, c->new_pasids.stdev, 0, hwpt, NULL);

	c->new_hwpt = hwpt;
	c->new_fd = rc ?: veventq_alloc(c->fd, c->viommu, EVENTS, 4, &c->new_queue);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int call_end(struct ctx *c)
{
	return vevent(c->fd, c->new_pasids.idev) ?: destroy(c->fd, c->new_pasids.stdev);
}

static int done_end(struct ctx *c)
{
	char event[64];

	if (read(c->new_fd, event, sizeof(event)) != 12 || destroy_new(c) != -ENOENT)
		return -EBADMSG;
	close(c->new_fd);
	return destroy(c->fd, c->new_queue) ?: destroy(c->fd, c->new_hwpt);
}

#define CALL(name, ...) { "viommu_" #name, .call = call_ ## name, __VA_ARGS__ }

const struct call viommu_calls[] = {
	CALL(alloc, .done = destroy_new),
	CALL(nested, .done = destroy_new),
	CALL(vdevice, .done = destroy_new, .intact = intact_vdevice),
	CALL(veventq, .done = done_veventq, .intact = intact_veventq),
	CALL(hw_queue, .before = before_hw_queue, .done = done_hw_queue,
	     .intact = intact_hw_queue),
	CALL(commands, .before = before_commands, .done = destroy_new, .intact = destroy_new),
	CALL(mmap, .before = before_mmap),
	CALL(end, .before = before_end, .done = done_end, .must_succeed = true),
};

const unsigned int num_viommu_calls = ARRAY_SIZE(viommu_calls);
