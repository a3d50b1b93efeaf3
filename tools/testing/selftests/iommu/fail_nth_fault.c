// SPDX-License-Identifier: GPL-2.0-only
/* The calls with nested page tables and page requests that fail_nth makes fail. */
#include <errno.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/fault.h"

#define FAR 70000
#define OK IOMMUFD_PAGE_RESP_SUCCESS

/* Nothing is attached to it. */
int setup_faults(struct ctx *c)
{
	c->queue_file = fault_queue(c->fd, &c->queue);
	if (c->queue_file < 0)
		return c->queue_file;
	return hwpt_alloc(c->fd, c->own.idev, c->empty, IOMMU_HWPT_ALLOC_NEST_PARENT, &c->below) ?:
	       nested_alloc(c->fd, c->own.idev, c->below, IOMMU_HWPT_ALLOC_PASID, c->queue,
			    &c->nested);
}

int teardown_faults(struct ctx *c)
{
	close(c->queue_file);
	return destroy(c->fd, c->nested) ?: destroy(c->fd, c->below) ?: destroy(c->fd, c->queue);
}

static int call_nested(struct ctx *c)
{
	return nested_alloc(c->fd, c->own.idev, c->below, IOMMU_HWPT_ALLOC_PASID, c->queue,
			    &c->new_id);
}

static int destroy_new(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int call_invalidate(struct ctx *c)
{
	struct iommu_hwpt_invalidate_selftest all = { .flags = IOMMU_TEST_INVALIDATE_FLAG_ALL };
	__u32 num = 1;
	int rc = invalidate(c->fd, c->nested, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, &all,
			    sizeof(all), &num);

	return rc || num == 1 ? rc : -EBADMSG;
}

static int call_queue(struct ctx *c)
{
	c->new_fd = fault_queue(c->fd, &c->new_id);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int done_queue(struct ctx *c)
{
	return close(c->new_fd) ?: destroy_new(c);
}

static int call_attach(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, 0, c->nested, NULL);
}

static int call_attach_pasid(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, FAR, c->nested, NULL);
}

static int detach(struct ctx *c)
{
	return pasid_detach(c->fd, c->own.stdev, 0) ?: pasid_detach(c->fd, c->own.stdev, FAR);
}

/* The device asks for pages, and the request arrives. */
static int asks(struct ctx *c, __u32 pasid)
{
	struct iommu_hwpt_pgfault fault;
	int n, rc = page_request(c->fd, c->own.stdev, pasid, 1, AT, false);

	if (rc)
		return rc;
	n = faults_read(c->queue_file, &fault, 1);
	if (n != 1)
		return n ? n : -ENODATA;
	return fault_answer(c->queue_file, fault.cookie, OK);
}

static int done_attach(struct ctx *c)
{
	return asks(c, 5) ?: detach(c);
}

static int done_attach_pasid(struct ctx *c)
{
	return asks(c, FAR) ?: detach(c);
}

/* Where nobody is attached a request is refused. */
static int intact_attach(struct ctx *c)
{
	return page_request(c->fd, c->own.stdev, FAR, 1, AT, false) == -EINVAL ? 0 : -EIO;
}

static int before_replace(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, FAR, c->fits, NULL);
}

static int call_replace(struct ctx *c)
{
	return pasid_replace(c->fd, c->own.stdev, FAR, c->nested, NULL);
}

static int intact_replace(struct ctx *c)
{
	return intact_attach(c) ?: pasid_check(c->fd, c->own.stdev, FAR, c->fits) ?: detach(c);
}

/* A request that there is no memory for is answered. */
static int call_ask(struct ctx *c)
{
	struct told before, told;
	int rc;

	page_told(c->fd, c->own.stdev, ~0u, &before);
	rc = page_request(c->fd, c->own.stdev, FAR, 1, AT, false);
	if (rc || fault_readable(c->queue_file))
		return rc;
	page_told(c->fd, c->own.stdev, before.count, &told);
	return told.code != OK && !told.pending ? -ENOMEM : -EBADMSG;
}

static int done_ask(struct ctx *c)
{
	struct iommu_hwpt_pgfault fault;

	if (faults_read(c->queue_file, &fault, 1) != 1)
		return -ENODATA;
	return fault_answer(c->queue_file, fault.cookie, OK) ?: detach(c);
}

/* Detached with a request that has no answer. */
static int before_detach(struct ctx *c)
{
	return call_attach_pasid(c) ?: page_request(c->fd, c->own.stdev, FAR, 1, AT, false);
}

#define CALL(name, ...) { "fault_" #name, .call = call_ ## name, __VA_ARGS__ }

const struct call fault_calls[] = {
	CALL(nested, .done = destroy_new),
	CALL(invalidate),
	CALL(queue, .done = done_queue),
	CALL(attach, .done = done_attach, .intact = intact_attach),
	CALL(attach_pasid, .done = done_attach_pasid, .intact = intact_attach),
	CALL(replace, .before = before_replace, .done = done_attach_pasid,
	     .intact = intact_replace),
	CALL(ask, .before = call_attach_pasid, .done = done_ask, .intact = detach),
	{ "fault_detach", .before = before_detach, .call = detach, .must_succeed = true },
};

const unsigned int num_fault_calls = ARRAY_SIZE(fault_calls);
