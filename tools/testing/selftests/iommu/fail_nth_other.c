// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that fail_nth makes fail: type1's that are no mapping, and those of the
 * mock that only mainline's tests use otherwise.
 */
#include <errno.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/dirty.h"
#include "lib/fault.h"
#include "lib/type1.h"

#define FAR 70000

static int test_op(struct ctx *c, struct iommu_test_cmd *cmd, __u32 op, __u32 id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return iommu_call(c->fd, IOMMU_TEST_CMD, cmd);
}

static int call_t1_ioas(struct ctx *c)
{
	__u32 ioas = c->empty;
	int rc = t1_ioas(c->fd, IOMMU_VFIO_IOAS_SET, &ioas);

	ioas = 0;
	rc = rc ?: t1_ioas(c->fd, IOMMU_VFIO_IOAS_GET, &ioas);
	return rc || ioas == c->empty ? rc : -EBADMSG;
}

static int done_t1_ioas(struct ctx *c)
{
	__u32 none = 0;

	return t1_ioas(c->fd, IOMMU_VFIO_IOAS_CLEAR, &none);
}

static int before_t1_setup(struct ctx *c)
{
	return t1_ioas(c->fd, IOMMU_VFIO_IOAS_SET, &c->empty);
}

static int call_t1_setup(struct ctx *c)
{
	int rc = t1_number(c->fd, VFIO_GET_API_VERSION, 0);

	if (rc != VFIO_API_VERSION)
		return rc < 0 ? rc : -EBADMSG;
	rc = t1_number(c->fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
	if (rc < 0)
		return rc;
	return t1_number(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ?:
	       t1_number(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static int end_t1_setup(struct ctx *c)
{
	return t1_number(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ?: done_t1_ioas(c);
}

static int call_reserve(struct ctx *c)
{
	return mock_reserve(c->fd, c->new_id, AT, PAGE);
}

static int before_reserve(struct ctx *c)
{
	return ioas_alloc(c->fd, &c->new_id);
}

/* A page that is reserved cannot be mapped; one that is not, can. */
static int done_reserve(struct ctx *c)
{
	if (!map_at(c->fd, c->new_id, c->small, PAGE, AT))
		return -EEXIST;
	return destroy(c->fd, c->new_id);
}

static int intact_reserve(struct ctx *c)
{
	return map_at(c->fd, c->new_id, c->small, PAGE, AT) ?: destroy(c->fd, c->new_id);
}

static int call_new_device(struct ctx *c)
{
	return mock_attach_flags(c->fd, c->fits, MOCK_FLAGS_DEVICE_PASID, &c->new_dev);
}

static int end_new_device(struct ctx *c)
{
	return destroy(c->fd, c->new_dev.stdev);
}

static int call_pasid_attach(struct ctx *c)
{
	struct iommu_test_cmd cmd = { .pasid_attach = { .pasid = FAR, .pt_id = c->fits } };

	return test_op(c, &cmd, IOMMU_TEST_OP_PASID_ATTACH, c->new_dev.stdev);
}

static int before_pasid(struct ctx *c)
{
	return call_new_device(c) ?: call_pasid_attach(c);
}

/* Held by hwpt, or by nothing if that is 0. */
static int pasid_holds(struct ctx *c, __u32 hwpt)
{
	struct iommu_test_cmd cmd = { .pasid_check = { .pasid = FAR, .hwpt_id = hwpt } };

	return test_op(c, &cmd, IOMMU_TEST_OP_PASID_CHECK_HWPT, c->new_dev.stdev);
}

static int done_pasid_attach(struct ctx *c)
{
	return pasid_holds(c, c->fits) ?: end_new_device(c);
}

static int intact_pasid_attach(struct ctx *c)
{
	return pasid_holds(c, 0) ?: end_new_device(c);
}

static int call_pasid_replace(struct ctx *c)
{
	struct iommu_test_cmd cmd = { .pasid_replace = { .pasid = FAR, .pt_id = c->new_id } };

	return test_op(c, &cmd, IOMMU_TEST_OP_PASID_REPLACE, c->new_dev.stdev);
}

static int before_pasid_replace(struct ctx *c)
{
	return before_pasid(c) ?:
	       hwpt_alloc(c->fd, c->own.idev, c->idle, IOMMU_HWPT_ALLOC_PASID, &c->new_id);
}

static int done_pasid_replace(struct ctx *c)
{
	return pasid_holds(c, c->new_id) ?: end_new_device(c) ?: destroy(c->fd, c->new_id);
}

static int intact_pasid_replace(struct ctx *c)
{
	return pasid_holds(c, c->fits) ?: end_new_device(c) ?: destroy(c->fd, c->new_id);
}

static int call_pasid_detach(struct ctx *c)
{
	struct iommu_test_cmd cmd = { .pasid_detach.pasid = FAR };

	return test_op(c, &cmd, IOMMU_TEST_OP_PASID_DETACH, c->new_dev.stdev);
}

static int before_iopf(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, FAR, c->nested, NULL);
}

/* What is to be told, and cannot, is answered at once. */
static int call_iopf(struct ctx *c)
{
	int rc = page_request_of(c->fd, c->own.idev, FAR, 1, AT);

	return rc || fault_readable(c->queue_file) ? rc : -ENOMEM;
}

static int detach(struct ctx *c)
{
	return pasid_detach(c->fd, c->own.stdev, FAR);
}

static int before_read(struct ctx *c)
{
	return before_iopf(c) ?: page_request(c->fd, c->own.stdev, FAR, 1, AT, false);
}

static int call_read(struct ctx *c)
{
	struct iommu_hwpt_pgfault fault;
	int n = faults_read(c->queue_file, &fault, 1);

	if (n != 1)
		return n < 0 ? n : -ENODATA;
	return fault_answer(c->queue_file, fault.cookie, IOMMUFD_PAGE_RESP_SUCCESS);
}

/* It is still there. */
static int intact_read(struct ctx *c)
{
	return call_read(c) ?: detach(c);
}

static int call_kernel(struct ctx *c)
{
	__u32 number;

	return kernel_pasid(c->fd, c->global.stdev, &c->new_id, &number);
}

static int destroy_new(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int call_dmabuf(struct ctx *c)
{
	c->new_fd = mock_dmabuf(c->fd, SMALL);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int close_new(struct ctx *c)
{
	return close(c->new_fd);
}

static int before_writes(struct ctx *c)
{
	return hwpt_alloc(c->fd, c->dev.idev, c->ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
			  &c->new_id) ?: dirty_track(c->fd, c->new_id, true);
}

static int call_writes(struct ctx *c)
{
	return device_writes(c->fd, c->new_id, AT + SMALL, LARGE);
}

#define CALL(name, ...) { #name, .call = call_ ## name, __VA_ARGS__ }

const struct call other_calls[] = {
	CALL(t1_ioas, .done = done_t1_ioas, .intact = done_t1_ioas),
	CALL(t1_setup, .before = before_t1_setup, .done = end_t1_setup,
	     .intact = end_t1_setup),
	CALL(reserve, .before = before_reserve, .done = done_reserve, .intact = intact_reserve),
	CALL(new_device, .done = end_new_device),
	CALL(pasid_attach, .before = call_new_device, .done = done_pasid_attach,
	     .intact = intact_pasid_attach),
	CALL(pasid_replace, .before = before_pasid_replace, .done = done_pasid_replace,
	     .intact = intact_pasid_replace),
	CALL(pasid_detach, .before = before_pasid, .done = end_new_device,
	     .must_succeed = true),
	CALL(iopf, .before = before_iopf, .done = detach, .intact = detach),
	{ "fault_read", .before = before_read, .call = call_read, .done = detach,
	  .intact = intact_read },
	CALL(kernel, .done = destroy_new, .instead = -ENOSPC),
	CALL(dmabuf, .done = close_new),
	CALL(writes, .before = before_writes, .done = destroy_new, .intact = destroy_new),
};

const unsigned int num_other_calls = ARRAY_SIZE(other_calls);
