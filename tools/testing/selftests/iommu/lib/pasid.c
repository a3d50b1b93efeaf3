// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "iommu.h"
#include "pasid.h"

static int test_op(int fd, struct iommu_test_cmd *cmd, __u32 op, __u32 id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

int pasid_alloc(int fd, __u32 dev, __u32 flags, __u32 *pasid)
{
	struct iommu_pasid_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dev_id = dev,
		.pasid = flags & TAGGED ? *pasid : 0,
	};
	int rc = iommu_call(fd, IOMMU_PASID_ALLOC, &arg);

	if (!rc)
		*pasid = arg.pasid;
	return rc;
}

int pasid_tag(int fd, __u32 dev, __u32 pasid)
{
	__u32 got = pasid;
	int rc = pasid_alloc(fd, dev, TAGGED, &got);

	return !rc && got != pasid ? -ERANGE : rc;
}

int pasid_free(int fd, __u32 dev, __u32 pasid)
{
	struct iommu_pasid_free arg = { .size = sizeof(arg), .dev_id = dev, .pasid = pasid };

	return iommu_call(fd, IOMMU_PASID_FREE, &arg);
}

int pasid_info(int fd, __u32 dev, struct iommu_pasid_info *info)
{
	*info = (struct iommu_pasid_info){ .size = sizeof(*info), .dev_id = dev };
	return iommu_call(fd, IOMMU_PASID_INFO, info);
}

int pasid_list(int fd, __u32 dev, struct iommu_pasid_entry *array, __u32 *num, __u32 *next,
	       __u64 *changes)
{
	struct iommu_pasid_list arg = {
		.size = sizeof(arg),
		.dev_id = dev,
		.pasid = *next,
		.num_entries = *num,
		.entries = (unsigned long)array,
	};
	int rc = iommu_call(fd, IOMMU_PASID_LIST, &arg);

	*num = arg.num_entries;
	*next = arg.pasid;
	if (changes)
		*changes = arg.out_changes;
	return rc;
}

int pasid_entry(int fd, __u32 dev, __u32 pasid, struct iommu_pasid_entry *entry)
{
	__u32 num = 1, next = pasid;
	int rc = pasid_list(fd, dev, entry, &num, &next, NULL);

	if (rc)
		return rc;
	return num == 1 && entry->pasid == pasid ? 0 : -ENOENT;
}

long pasids_in_use(int fd, __u32 dev)
{
	struct iommu_pasid_info info;

	return pasid_info(fd, dev, &info) ? -1 : (long)info.out_in_use;
}

long pasids_attached(int fd, __u32 dev)
{
	struct iommu_pasid_info info;

	return pasid_info(fd, dev, &info) ? -1 : (long)info.out_attached;
}

int dev_new(int fd, __u32 flags, __u32 width, __u32 other, __u32 pt, struct pasid_dev *dev)
{
	struct iommu_test_cmd cmd = {
		.device.flags = flags,
		.device.width = width,
		.device.other = other,
	};
	int rc = test_op(fd, &cmd, MOCK_OP_DEVICE, pt);

	if (!rc) {
		dev->stdev = cmd.device.out_stdev_id;
		dev->hwpt = cmd.device.out_hwpt_id;
		dev->idev = cmd.device.out_idev_id;
		dev->index = cmd.device.out_index;
	}
	return rc;
}

int per_rid_new(int fd, __u32 pt, struct pasid_dev *dev)
{
	return dev_new(fd, MOCK_DEVICE_CALLBACKS, MOCK_PASID_WIDTH, 0, pt, dev);
}

int global_new(int fd, __u32 pt, struct pasid_dev *dev)
{
	return dev_new(fd, MOCK_DEVICE_CALLBACKS | MOCK_DEVICE_GLOBAL, MOCK_PASID_WIDTH, 0, pt,
		       dev);
}

int parent_new(int fd, struct pasid_dev *dev)
{
	return dev_new(fd, MOCK_DEVICE_PARENT, MOCK_PASID_WIDTH, 0, 0, dev);
}

int slice_new(int fd, const struct pasid_dev *parent, __u32 pt, struct pasid_dev *dev)
{
	return dev_new(fd, MOCK_DEVICE_CALLBACKS | MOCK_DEVICE_SLICE, 0, parent->index, pt, dev);
}

static int move(int fd, __u32 op, __u32 stdev, __u32 pasid, __u32 pt, __u32 *hwpt)
{
	struct iommu_test_cmd cmd = { .move.pasid = pasid, .move.pt_id = pt };
	int rc = test_op(fd, &cmd, op, stdev);

	if (!rc && hwpt)
		*hwpt = cmd.move.pt_id;
	return rc;
}

int pasid_attach(int fd, __u32 stdev, __u32 pasid, __u32 pt, __u32 *hwpt)
{
	return move(fd, MOCK_OP_ATTACH, stdev, pasid, pt, hwpt);
}

int pasid_replace(int fd, __u32 stdev, __u32 pasid, __u32 pt, __u32 *hwpt)
{
	return move(fd, MOCK_OP_REPLACE, stdev, pasid, pt, hwpt);
}

int pasid_detach(int fd, __u32 stdev, __u32 pasid)
{
	return move(fd, MOCK_OP_DETACH, stdev, pasid, 0, NULL);
}

int pasid_check(int fd, __u32 stdev, __u32 pasid, __u32 hwpt)
{
	struct iommu_test_cmd cmd = { .pasid_check.pasid = pasid, .pasid_check.hwpt_id = hwpt };

	return test_op(fd, &cmd, IOMMU_TEST_OP_PASID_CHECK_HWPT, stdev);
}

static int request_as(int fd, __u32 stdev, __u32 flags, __u32 pasid, __u64 iova, const void *va,
		      __u64 length)
{
	struct iommu_test_cmd cmd = {
		.request.pasid = pasid,
		.request.flags = flags,
		.request.iova = iova,
		.request.length = length,
		.request.uptr = (unsigned long)va,
	};

	return test_op(fd, &cmd, MOCK_OP_REQUEST, stdev);
}

int request(int fd, __u32 stdev, __u32 pasid, __u64 iova, const void *va, __u64 length)
{
	return request_as(fd, stdev, 0, pasid, iova, va, length);
}

int request_raw(int fd, __u32 stdev, __u32 number, __u64 iova, const void *va, __u64 length)
{
	return request_as(fd, stdev, MOCK_REQUEST_RAW, number, iova, va, length);
}

int pair(int fd, __u32 who, __u32 vpasid, __u32 *number)
{
	struct iommu_test_cmd cmd = { .pair.vpasid = vpasid };
	int rc = test_op(fd, &cmd, MOCK_OP_PAIR, who);

	if (!rc && number)
		*number = cmd.pair.out_ppasid;
	return rc;
}

int fail_map(int fd, __u32 who, int error)
{
	struct iommu_test_cmd cmd = { .fail_map.error = error };

	return test_op(fd, &cmd, MOCK_OP_FAIL_MAP, who);
}

int follow(int fd, __u32 *follower)
{
	struct iommu_test_cmd cmd = {};
	int rc = test_op(fd, &cmd, MOCK_OP_FOLLOW, 0);

	*follower = cmd.follow.out_id;
	return rc;
}

__u64 event_next(int fd)
{
	struct iommu_test_cmd cmd = { .event.at = U64_MAX };

	return test_op(fd, &cmd, MOCK_OP_EVENT, 0) ? U64_MAX : cmd.event.out_next;
}

int event_get(int fd, __u64 at, struct event *event)
{
	struct iommu_test_cmd cmd = { .event.at = at };
	int rc = test_op(fd, &cmd, MOCK_OP_EVENT, 0);

	*event = (struct event){
		cmd.event.out_kind, cmd.event.out_index, cmd.event.out_vpasid,
		cmd.event.out_ppasid,
	};
	return rc;
}

int kernel_pasid(int fd, __u32 stdev, __u32 *id, __u32 *number)
{
	struct iommu_test_cmd cmd = {};
	int rc = test_op(fd, &cmd, MOCK_OP_KERNEL_PASID, stdev);

	*id = cmd.kernel_pasid.out_id;
	*number = cmd.kernel_pasid.out_pasid;
	return rc;
}

int count(int fd, __u32 index, struct counts *counts)
{
	struct iommu_test_cmd cmd = { .count.index = index };
	int rc = test_op(fd, &cmd, MOCK_OP_COUNT, 0);

	*counts = (struct counts){
		cmd.count.out_globals, cmd.count.out_entries, cmd.count.out_attached,
		cmd.count.out_domains, cmd.count.out_devices,
	};
	return rc;
}

bool nothing_left(int fd, const struct counts *before)
{
	struct counts now;

	if (count(fd, 0, &now))
		return false;
	if (now.globals == before->globals && now.attached == before->attached &&
	    now.domains == before->domains && now.devices == before->devices)
		return true;
	printf("# numbers %u, before %u; attached %u, %u; tables %u, %u; devices %u, %u\n",
	       now.globals, before->globals, now.attached, before->attached, now.domains,
	       before->domains, now.devices, before->devices);
	return false;
}

static int access_with(int fd, __u32 ioas, __u32 flags, __u32 width, __u32 parent, __u32 *id)
{
	struct iommu_test_cmd cmd = {
		.access.flags = flags | MOCK_ACCESS_PINS,
		.access.width = width,
		.access.parent = parent,
	};
	int rc = test_op(fd, &cmd, MOCK_OP_ACCESS, ioas);

	*id = cmd.access.out_access_id;
	return rc ? rc : (int)cmd.access.out_access_fd;
}

int access_own(int fd, __u32 ioas, __u32 width, __u32 *id)
{
	return access_with(fd, ioas, 0, width, 0, id);
}

int access_global(int fd, __u32 ioas, __u32 width, __u32 parent, __u32 *id)
{
	return access_with(fd, ioas, MOCK_ACCESS_GLOBAL, width, parent, id);
}

static int access_move_at(int fd, __u32 op, int access, __u32 pasid, __u32 ioas)
{
	struct iommu_test_cmd cmd = { .access_move.pasid = pasid, .access_move.ioas_id = ioas };

	return test_op(fd, &cmd, op, access);
}

int access_attach_at(int fd, int access, __u32 pasid, __u32 ioas)
{
	return access_move_at(fd, MOCK_OP_ACCESS_ATTACH, access, pasid, ioas);
}

int access_replace_at(int fd, int access, __u32 pasid, __u32 ioas)
{
	return access_move_at(fd, MOCK_OP_ACCESS_REPLACE, access, pasid, ioas);
}

int access_detach_at(int fd, int access, __u32 pasid)
{
	return access_move_at(fd, MOCK_OP_ACCESS_DETACH, access, pasid, 0);
}

int access_pin_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length, const void *va,
		  __u32 *pages)
{
	struct iommu_test_cmd cmd = {
		.access_pin.pasid = pasid,
		.access_pin.iova = iova,
		.access_pin.length = length,
		.access_pin.uptr = (unsigned long)va,
	};
	int rc = test_op(fd, &cmd, MOCK_OP_ACCESS_PIN, access);

	*pages = cmd.access_pin.out_access_pages_id;
	return rc;
}

static int access_copy_at(int fd, int access, __u32 pasid, __u32 flags, __u64 iova, __u64 length,
			  void *buf)
{
	struct iommu_test_cmd cmd = {
		.access_copy.pasid = pasid,
		.access_copy.flags = flags,
		.access_copy.iova = iova,
		.access_copy.length = length,
		.access_copy.uptr = (unsigned long)buf,
	};

	return test_op(fd, &cmd, MOCK_OP_ACCESS_RW, access);
}

int access_read_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length, void *buf)
{
	return access_copy_at(fd, access, pasid, 0, iova, length, buf);
}

int access_write_at(int fd, int access, __u32 pasid, __u64 iova, __u64 length, const void *buf)
{
	return access_copy_at(fd, access, pasid, MOCK_ACCESS_RW_WRITE, iova, length,
			      (void *)buf);
}

int access_unmap_told(int fd, int access, __u32 nr, __u32 *pasid, __u64 *iova, __u64 *length)
{
	struct iommu_test_cmd cmd = { .access_unmaps.at = nr };
	int rc = test_op(fd, &cmd, MOCK_OP_ACCESS_UNMAPS, access);

	*pasid = cmd.access_unmaps.out_pasid;
	*iova = cmd.access_unmaps.out_iova;
	*length = cmd.access_unmaps.out_length;
	return rc;
}
