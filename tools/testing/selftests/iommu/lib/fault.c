// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "fault.h"
#include "iommu.h"

static int test_op(int fd, struct iommu_test_cmd *cmd, __u32 op, __u32 id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

static int alloc(int fd, struct iommu_hwpt_alloc *arg, __u32 *hwpt)
{
	int rc;

	arg->size = sizeof(*arg);
	rc = iommu_call(fd, IOMMU_HWPT_ALLOC, arg);
	if (!rc)
		*hwpt = arg->out_hwpt_id;
	return rc;
}

int hwpt_alloc_data(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 type, const void *data,
		    __u32 length, __u32 *hwpt)
{
	struct iommu_hwpt_alloc arg = {
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
		.data_type = type,
		.data_len = length,
		.data_uptr = (unsigned long)data,
	};

	return alloc(fd, &arg, hwpt);
}

int nested_alloc(int fd, __u32 dev, __u32 parent, __u32 flags, __u32 fault, __u32 *hwpt)
{
	struct iommu_hwpt_selftest data = { .iotlb = CACHED };
	struct iommu_hwpt_alloc arg = {
		.flags = flags | (fault ? IOMMU_HWPT_FAULT_ID_VALID : 0),
		.dev_id = dev,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (unsigned long)&data,
		.fault_id = fault,
	};

	return alloc(fd, &arg, hwpt);
}

int hwpt_alloc_fault(int fd, __u32 dev, __u32 ioas, __u32 flags, __u32 fault, __u32 *hwpt)
{
	struct iommu_hwpt_alloc arg = {
		.flags = flags | IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = dev,
		.pt_id = ioas,
		.fault_id = fault,
	};

	return alloc(fd, &arg, hwpt);
}

int invalidate(int fd, __u32 hwpt, __u32 type, const void *requests, __u32 length, __u32 *num)
{
	struct iommu_hwpt_invalidate arg = {
		.size = sizeof(arg),
		.hwpt_id = hwpt,
		.data_uptr = (unsigned long)requests,
		.data_type = type,
		.entry_len = length,
		.entry_num = *num,
	};
	int rc = iommu_call(fd, IOMMU_HWPT_INVALIDATE, &arg);

	*num = arg.entry_num;
	return rc;
}

int mock_check_iotlb(int fd, __u32 hwpt, __u32 id, __u32 value)
{
	struct iommu_test_cmd cmd = { .check_iotlb = { .id = id, .iotlb = value } };

	return test_op(fd, &cmd, IOMMU_TEST_OP_MD_CHECK_IOTLB, hwpt);
}

int fault_queue(int fd, __u32 *queue)
{
	struct iommu_fault_alloc arg = { .size = sizeof(arg) };
	int rc = iommu_call(fd, IOMMU_FAULT_QUEUE_ALLOC, &arg);

	*queue = arg.out_fault_id;
	return rc ? rc : (int)arg.out_fault_fd;
}

int faults_read(int file, struct iommu_hwpt_pgfault *faults, unsigned int max)
{
	ssize_t n = read(file, faults, max * sizeof(*faults));

	return n < 0 ? -errno : (int)(n / sizeof(*faults));
}

int faults_answer(int file, const struct iommu_hwpt_page_response *answers, unsigned int num)
{
	ssize_t n = write(file, answers, num * sizeof(*answers));

	return n < 0 ? -errno : (int)(n / sizeof(*answers));
}

int fault_answer(int file, __u32 cookie, __u32 code)
{
	struct iommu_hwpt_page_response answer = { .cookie = cookie, .code = code };
	int n = faults_answer(file, &answer, 1);

	return n == 1 ? 0 : n;
}

bool fault_readable(int file)
{
	struct pollfd p = { .fd = file, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

int page_request(int fd, __u32 stdev, __u32 number, __u32 group, __u64 addr, bool more)
{
	struct iommu_test_cmd cmd = {
		.page_request = {
			.pasid = number,
			.grpid = group,
			.perm = IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE,
			.more = more,
			.addr = addr,
		},
	};

	return test_op(fd, &cmd, MOCK_OP_PAGE_REQUEST, stdev);
}

int page_request_of(int fd, __u32 idev, __u32 number, __u32 group, __u64 addr)
{
	struct iommu_test_cmd cmd = {
		.trigger_iopf = {
			.dev_id = idev,
			.pasid = number,
			.grpid = group,
			.perm = IOMMU_PGFAULT_PERM_READ,
			.addr = addr,
		},
	};

	return test_op(fd, &cmd, IOMMU_TEST_OP_TRIGGER_IOPF, 0);
}

int page_told(int fd, __u32 stdev, __u32 at, struct told *told)
{
	struct iommu_test_cmd cmd = { .page_answer.at = at };
	int rc = test_op(fd, &cmd, MOCK_OP_PAGE_ANSWER, stdev);

	*told = (struct told){
		.pasid = cmd.page_answer.out_pasid,
		.group = cmd.page_answer.out_grpid,
		.code = cmd.page_answer.out_code,
		.pending = cmd.page_answer.out_pending,
		.count = cmd.page_answer.out_next,
	};
	return rc;
}
