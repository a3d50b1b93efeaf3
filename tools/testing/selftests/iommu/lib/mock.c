// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>

#include "iommu.h"
#include "mock.h"

static int test_cmd(int fd, struct iommu_test_cmd *cmd, __u32 op, __u32 id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

int mock_attach(int fd, __u32 pt, struct mock_dev *dev)
{
	struct iommu_test_cmd cmd = {};
	int rc = test_cmd(fd, &cmd, IOMMU_TEST_OP_MOCK_DOMAIN, pt);

	if (!rc) {
		dev->stdev = cmd.mock_domain.out_stdev_id;
		dev->hwpt = cmd.mock_domain.out_hwpt_id;
		dev->idev = cmd.mock_domain.out_idev_id;
	}
	return rc;
}

int mock_attach_flags(int fd, __u32 pt, __u32 flags, struct mock_dev *dev)
{
	struct iommu_test_cmd cmd = { .mock_domain_flags.dev_flags = flags };
	int rc = test_cmd(fd, &cmd, IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS, pt);

	if (!rc) {
		dev->stdev = cmd.mock_domain_flags.out_stdev_id;
		dev->hwpt = cmd.mock_domain_flags.out_hwpt_id;
		dev->idev = cmd.mock_domain_flags.out_idev_id;
	}
	return rc;
}

int mock_replace(int fd, __u32 stdev, __u32 pt)
{
	struct iommu_test_cmd cmd = { .mock_domain_replace.pt_id = pt };

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, stdev);
}

int mock_reserve(int fd, __u32 ioas, __u64 start, __u64 length)
{
	struct iommu_test_cmd cmd = {
		.add_reserved.start = start,
		.add_reserved.length = length,
	};

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_ADD_RESERVED, ioas);
}

int mock_check_map(int fd, __u32 hwpt, const void *va, __u64 length, __u64 iova)
{
	struct iommu_test_cmd cmd = {
		.check_map.uptr = (unsigned long)va,
		.check_map.length = length,
		.check_map.iova = iova,
	};

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_MD_CHECK_MAP, hwpt);
}

int mock_check_refs(int fd, const void *va, __u64 length, __u32 refs)
{
	struct iommu_test_cmd cmd = {
		.check_refs.uptr = (unsigned long)va,
		.check_refs.length = length,
		.check_refs.refs = refs,
	};

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_MD_CHECK_REFS, 0);
}

int mock_dmabuf(int fd, __u32 length)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_DMABUF_GET,
		.dmabuf_get.length = length,
		.dmabuf_get.open_flags = O_RDWR | O_CLOEXEC,
	};

	return iommu_ioctl(fd, IOMMU_TEST_CMD, (unsigned long)&cmd);
}

int mock_dmabuf_revoke(int fd, int dmabuf, bool revoked)
{
	struct iommu_test_cmd cmd = {
		.dmabuf_revoke.dmabuf_fd = dmabuf,
		.dmabuf_revoke.revoked = revoked,
	};

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_DMABUF_REVOKE, 0);
}

int mock_memory_limit(int fd, __u32 limit)
{
	struct iommu_test_cmd cmd = { .memory_limit.limit = limit };

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT, 0);
}

int access_new(int fd, __u32 ioas, __u32 flags)
{
	struct iommu_test_cmd cmd = { .create_access.flags = flags };
	int rc = test_cmd(fd, &cmd, IOMMU_TEST_OP_CREATE_ACCESS, ioas);

	return rc ? rc : (int)cmd.create_access.out_access_fd;
}

int access_new_pinning(int fd, __u32 ioas)
{
	return access_new(fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);
}

int access_pin(int fd, int access, __u64 iova, __u64 length, const void *va, __u32 flags,
	       __u32 *pages)
{
	struct iommu_test_cmd cmd = {
		.access_pages.uptr = (unsigned long)va,
		.access_pages.length = length,
		.access_pages.iova = iova,
		.access_pages.flags = flags,
	};
	int rc = test_cmd(fd, &cmd, IOMMU_TEST_OP_ACCESS_PAGES, access);

	*pages = cmd.access_pages.out_access_pages_id;
	return rc;
}

int access_unpin(int fd, int access, __u32 pages)
{
	struct iommu_test_cmd cmd = { .destroy_access_pages.access_pages_id = pages };

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, access);
}

int access_move(int fd, int access, __u32 ioas)
{
	struct iommu_test_cmd cmd = { .access_replace_ioas.ioas_id = ioas };

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_ACCESS_REPLACE_IOAS, access);
}

int access_rw(int fd, int access, __u64 iova, __u64 length, void *buf, __u32 flags)
{
	struct iommu_test_cmd cmd = {
		.access_rw.uptr = (unsigned long)buf,
		.access_rw.length = length,
		.access_rw.iova = iova,
		.access_rw.flags = flags,
	};

	return test_cmd(fd, &cmd, IOMMU_TEST_OP_ACCESS_RW, access);
}

int device_read(int fd, int access, __u64 iova, __u64 length, void *buf)
{
	return access_rw(fd, access, iova, length, buf, MOCK_ACCESS_RW_SLOW_PATH);
}

int device_write(int fd, int access, __u64 iova, __u64 length, const void *buf)
{
	return access_rw(fd, access, iova, length, (void *)buf,
			 MOCK_ACCESS_RW_SLOW_PATH | MOCK_ACCESS_RW_WRITE);
}
