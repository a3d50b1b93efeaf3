// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test call: one row per operation, which says where the operation's own
 * member is. A handler sees that, and the ID that all have in common.
 */
#include <linux/array_size.h>
#include <linux/nospec.h>

#include "../abi.h"
#include "../space/ioas.h"
#include "mock.h"

/* Under this name the ranges that tests reserve are kept. */
static const char reserved_by_test;

/* ADD_RESERVED: IOVAs that nothing can be mapped at, until the IOAS ends. */
static int add_reserved(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(add_reserved) add = args;
	struct iova_range range;
	int rc;

	rc = range_from_abi(&range, add->start, add->length);
	if (rc)
		return rc;
	CLASS(ioas, ioas)(call->ictx, id);
	return IS_ERR(ioas) ? PTR_ERR(ioas) : ioas_reserve(ioas, &range, &reserved_by_test);
}

/*
 * SET_TEMP_MEMORY_LIMIT: how much memory a batch of page frames may use. There
 * are no batches here whose size could matter; the limit is what it has to be
 * for one entry.
 */
static int memory_limit(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(memory_limit) memory = args;

	return memory->limit < sizeof(unsigned long) + sizeof(u32) ? -EINVAL : 0;
}

/**
 * struct mock_op - a test operation
 * @args: offset of its member
 * @handler: does the work; answers, unless it leaves that with a new object
 */
struct mock_op {
	size_t args;
	int (*handler)(struct op_call *call, u32 id, void *args);
};

#define OP(name, member, fn) \
	[IOMMU_TEST_OP_##name] = { offsetof(struct iommu_test_cmd, member), fn }

static const struct mock_op ops[] = {
	OP(ADD_RESERVED, add_reserved, add_reserved),
	OP(MOCK_DOMAIN, mock_domain, mock_stdev_create),
	OP(MOCK_DOMAIN_FLAGS, mock_domain_flags, mock_stdev_create_flags),
	OP(MOCK_DOMAIN_REPLACE, mock_domain_replace, mock_stdev_replace),
	OP(DIRTY, dirty, mock_dirty),
	OP(MD_CHECK_MAP, check_map, mock_check_map),
	OP(MD_CHECK_REFS, check_refs, mock_check_refs),
	OP(MD_CHECK_IOTLB, check_iotlb, mock_check_iotlb),
	OP(TRIGGER_IOPF, trigger_iopf, mock_trigger_iopf),
	OP(CREATE_ACCESS, create_access, mock_access_create),
	OP(DESTROY_ACCESS_PAGES, destroy_access_pages, mock_access_unpin),
	OP(ACCESS_PAGES, access_pages, mock_access_pin),
	OP(ACCESS_RW, access_rw, mock_access_rw),
	OP(ACCESS_REPLACE_IOAS, access_replace_ioas, mock_access_replace),
	OP(SET_TEMP_MEMORY_LIMIT, memory_limit, memory_limit),
	OP(DEV_CHECK_CACHE, check_dev_cache, mock_check_caches),
	OP(TRIGGER_VEVENT, trigger_vevent, mock_trigger_vevent),
	OP(PASID_ATTACH, pasid_attach, mock_pasid_attach),
	OP(PASID_REPLACE, pasid_replace, mock_pasid_replace),
	OP(PASID_DETACH, pasid_detach, mock_pasid_detach),
	OP(PASID_CHECK_HWPT, pasid_check, mock_pasid_check),
	OP(DMABUF_GET, dmabuf_get, mock_dmabuf_get),
	OP(DMABUF_REVOKE, dmabuf_revoke, mock_dmabuf_revoke),
};

#define OWN_OP(name, member, fn) \
	[MOCK_OP_##name - MOCK_OP_BASE] = { offsetof(struct iommu_test_cmd, member), fn }

static const struct mock_op own_ops[] = {
	OWN_OP(DEVICE, device, mock_stdev_create_bound),
	OWN_OP(ATTACH, move, mock_attach),
	OWN_OP(REPLACE, move, mock_replace),
	OWN_OP(DETACH, move, mock_detach),
	OWN_OP(REQUEST, request, mock_request),
	OWN_OP(KERNEL_PASID, kernel_pasid, mock_kernel_pasid),
	OWN_OP(FOLLOW, follow, mock_follow),
	OWN_OP(PAIR, pair, mock_pair),
	OWN_OP(FAIL_MAP, fail_map, mock_fail_map),
	OWN_OP(EVENT, event, mock_event_get),
	OWN_OP(COUNT, count, mock_count),
	OWN_OP(PAGE_REQUEST, page_request, mock_page_request),
	OWN_OP(PAGE_ANSWER, page_answer, mock_page_answer),
	OWN_OP(ACCESS, access, mock_access_create_pasids),
	OWN_OP(ACCESS_ATTACH, access_move, mock_access_attach_pasid),
	OWN_OP(ACCESS_REPLACE, access_move, mock_access_replace_pasid),
	OWN_OP(ACCESS_DETACH, access_move, mock_access_detach_pasid),
	OWN_OP(ACCESS_PIN, access_pin, mock_access_pin_pasid),
	OWN_OP(ACCESS_RW, access_copy, mock_access_rw_pasid),
	OWN_OP(ACCESS_UNMAPS, access_unmaps, mock_access_unmaps),
};

/* The row of an operation, or NULL. */
static const struct mock_op *find_op(u32 op)
{
	const struct mock_op *table = ops;
	size_t nr = ARRAY_SIZE(ops);

	if (op >= MOCK_OP_BASE) {
		table = own_ops;
		nr = ARRAY_SIZE(own_ops);
		op -= MOCK_OP_BASE;
	}
	if (op >= nr)
		return NULL;
	table += array_index_nospec(op, nr);
	return table->handler ? table : NULL;
}

/**
 * mock_cmd() - the handler of IOMMU_TEST_CMD
 * @call: the call
 *
 * Context: may sleep.
 * Return: -EOPNOTSUPP for an operation that is not there, else what it says.
 */
int mock_cmd(struct op_call *call)
{
	struct iommu_test_cmd *cmd = call->cmd;
	const struct mock_op *op = find_op(cmd->op);

	if (!op)
		return -EOPNOTSUPP;
	return op->handler(call, cmd->id, (void *)cmd + op->args);
}

/**
 * mock_init() - make the mock there
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int __init mock_init(void)
{
	int rc = mock_faults_init();

	if (rc)
		return rc;
	rc = mock_bus_init();
	if (rc)
		mock_faults_exit();
	return rc;
}

/**
 * mock_exit() - the end of the mock; complains about what tests left behind
 *
 * Context: may sleep.
 */
void mock_exit(void)
{
	mock_bus_exit();
	mock_faults_exit();
	WARN(mock_domains_left(), "mock: %d domains left\n", mock_domains_left());
}
