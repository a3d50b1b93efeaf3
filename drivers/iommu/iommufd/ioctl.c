// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of ioctls and what every one of them has in common: size rules,
 * unknown flags, reserved members, and publishing of a new object, and of its file
 * if it has one, once their numbers have reached the user. May call the handlers
 * of ops/, object.c and eventq.c, no more.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "ioctl.h"
#include "mock/entry.h"
#include "tables/eventq.h"

#define FIELD(ctype, member) { offsetof(ctype, member), sizeof_field(ctype, member) }
#define SLOT(nr) ((nr) - IOMMUFD_CMD_BASE)
#define ROW(ctype, last, fn)							\
	.size = sizeof(ctype) + BUILD_BUG_ON_ZERO(sizeof(ctype) > IOCTL_BUFFER),	\
	.min_size = offsetofend(ctype, last),					\
	.handler = fn
#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

const struct ioctl_row ioctl_rows[] = {
	[SLOT(IOMMUFD_CMD_DESTROY)] = { ROW(struct iommu_destroy, id, op_destroy) },
	[SLOT(IOMMUFD_CMD_IOAS_ALLOC)] = {
		ROW(struct iommu_ioas_alloc, out_ioas_id, op_ioas_alloc),
		.flags = FIELD(struct iommu_ioas_alloc, flags),
	},
	[SLOT(IOMMUFD_CMD_IOAS_ALLOW_IOVAS)] = {
		ROW(struct iommu_ioas_allow_iovas, allowed_iovas, op_ioas_allow_iovas),
		.reserved = { FIELD(struct iommu_ioas_allow_iovas, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_IOAS_COPY)] = {
		ROW(struct iommu_ioas_copy, src_iova, op_ioas_copy),
		.flags = FIELD(struct iommu_ioas_copy, flags),
		.known_flags = MAP_FLAGS,
	},
	[SLOT(IOMMUFD_CMD_IOAS_IOVA_RANGES)] = {
		ROW(struct iommu_ioas_iova_ranges, out_iova_alignment, op_ioas_iova_ranges),
		.reserved = { FIELD(struct iommu_ioas_iova_ranges, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_IOAS_MAP)] = {
		ROW(struct iommu_ioas_map, iova, op_ioas_map),
		.flags = FIELD(struct iommu_ioas_map, flags),
		.known_flags = MAP_FLAGS,
		.reserved = { FIELD(struct iommu_ioas_map, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_IOAS_UNMAP)] = { ROW(struct iommu_ioas_unmap, length, op_ioas_unmap) },
	[SLOT(IOMMUFD_CMD_OPTION)] = {
		ROW(struct iommu_option, val64, op_option),
		.reserved = { FIELD(struct iommu_option, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_VFIO_IOAS)] = {
		ROW(struct iommu_vfio_ioas, __reserved, op_vfio_ioas),
		.reserved = { FIELD(struct iommu_vfio_ioas, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_HWPT_ALLOC)] = {
		ROW(struct iommu_hwpt_alloc, __reserved, op_hwpt_alloc),
		.flags = FIELD(struct iommu_hwpt_alloc, flags),
		.known_flags = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			       IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID,
		.reserved = {
			FIELD(struct iommu_hwpt_alloc, __reserved),
			FIELD(struct iommu_hwpt_alloc, __reserved2),
		},
	},
	[SLOT(IOMMUFD_CMD_GET_HW_INFO)] = {
		ROW(struct iommu_hw_info, __reserved, op_hw_info),
		.flags = FIELD(struct iommu_hw_info, flags),
		.known_flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.reserved = { FIELD(struct iommu_hw_info, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_HWPT_INVALIDATE)] = {
		ROW(struct iommu_hwpt_invalidate, __reserved, op_hwpt_invalidate),
		.reserved = { FIELD(struct iommu_hwpt_invalidate, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_FAULT_QUEUE_ALLOC)] = {
		ROW(struct iommu_fault_alloc, out_fault_fd, op_fault_queue_alloc),
		.flags = FIELD(struct iommu_fault_alloc, flags),
	},
	[SLOT(IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)] = {
		ROW(struct iommu_hwpt_set_dirty_tracking, __reserved, op_set_dirty_tracking),
		.flags = FIELD(struct iommu_hwpt_set_dirty_tracking, flags),
		.known_flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
		.reserved = { FIELD(struct iommu_hwpt_set_dirty_tracking, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)] = {
		ROW(struct iommu_hwpt_get_dirty_bitmap, data, op_get_dirty_bitmap),
		.flags = FIELD(struct iommu_hwpt_get_dirty_bitmap, flags),
		.known_flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
		.reserved = { FIELD(struct iommu_hwpt_get_dirty_bitmap, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_IOAS_MAP_FILE)] = {
		ROW(struct iommu_ioas_map_file, iova, op_ioas_map_file),
		.flags = FIELD(struct iommu_ioas_map_file, flags),
		.known_flags = MAP_FLAGS,
	},
	[SLOT(IOMMUFD_CMD_VIOMMU_ALLOC)] = {
		ROW(struct iommu_viommu_alloc, out_viommu_id, op_viommu_alloc),
		.flags = FIELD(struct iommu_viommu_alloc, flags),
		.reserved = { FIELD(struct iommu_viommu_alloc, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_VDEVICE_ALLOC)] = {
		ROW(struct iommu_vdevice_alloc, virt_id, op_vdevice_alloc),
	},
	[SLOT(IOMMUFD_CMD_VEVENTQ_ALLOC)] = {
		ROW(struct iommu_veventq_alloc, out_veventq_fd, op_veventq_alloc),
		.flags = FIELD(struct iommu_veventq_alloc, flags),
		.reserved = { FIELD(struct iommu_veventq_alloc, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_HW_QUEUE_ALLOC)] = {
		ROW(struct iommu_hw_queue_alloc, length, op_hw_queue_alloc),
		.flags = FIELD(struct iommu_hw_queue_alloc, flags),
	},
	[SLOT(IOMMUFD_CMD_IOAS_CHANGE_PROCESS)] = {
		ROW(struct iommu_ioas_change_process, __reserved, op_ioas_change_process),
		.reserved = { FIELD(struct iommu_ioas_change_process, __reserved) },
	},
	[SLOT(IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)] = {
		ROW(struct iommu_ioas_noiommu_get_pa, out_phys, op_noiommu_get_pa),
		.flags = FIELD(struct iommu_ioas_noiommu_get_pa, flags),
		.reserved = { FIELD(struct iommu_ioas_noiommu_get_pa, __reserved) },
	},
	MOCK_ROW
	[SLOT(IOMMUFD_CMD_PASID_ALLOC)] = {
		ROW(struct iommu_pasid_alloc, pasid, op_pasid_alloc),
		.flags = FIELD(struct iommu_pasid_alloc, flags),
		.known_flags = IOMMU_PASID_ALLOC_TAGGED | IOMMU_PASID_ALLOC_IDENTITY,
	},
	[SLOT(IOMMUFD_CMD_PASID_FREE)] = {
		ROW(struct iommu_pasid_free, pasid, op_pasid_free),
		.flags = FIELD(struct iommu_pasid_free, flags),
	},
	[SLOT(IOMMUFD_CMD_PASID_INFO)] = {
		ROW(struct iommu_pasid_info, out_attached, op_pasid_info),
		.flags = FIELD(struct iommu_pasid_info, flags),
	},
	[SLOT(IOMMUFD_CMD_PASID_LIST)] = {
		ROW(struct iommu_pasid_list, out_changes, op_pasid_list),
		.flags = FIELD(struct iommu_pasid_list, flags),
		.reserved = { FIELD(struct iommu_pasid_list, __reserved) },
	},
};

const unsigned int ioctl_nr_rows = ARRAY_SIZE(ioctl_rows);

/**
 * ioctl_check() - what a row says about the values of a structure
 * @row: the row
 * @cmd: the structure, zero-filled to the row's size
 *
 * Return: 0, or -EOPNOTSUPP for an unknown flag or a reserved member in use.
 */
int ioctl_check(const struct ioctl_row *row, const void *cmd)
{
	int i;

	if (row->flags.size && (*(const u32 *)(cmd + row->flags.offset) & ~row->known_flags))
		return -EOPNOTSUPP;
	for (i = 0; i < IOCTL_RESERVED && row->reserved[i].size; i++)
		if (memchr_inv(cmd + row->reserved[i].offset, 0, row->reserved[i].size))
			return -EOPNOTSUPP;
	return 0;
}

/**
 * op_respond() - copy the answer to the user
 * @call: the call; as much of its structure as the user knows is written
 *
 * Return: 0 or -EFAULT.
 */
int op_respond(struct op_call *call)
{
	return copy_to_user(call->ucmd, call->cmd, call->user_size) ? -EFAULT : 0;
}

/**
 * op_respond_u64() - copy one member of the answer to the user
 * @call: the call
 * @field: the member of its structure; one that the user has to pass
 *
 * Return: 0 or -EFAULT.
 */
int op_respond_u64(struct op_call *call, const u64 *field)
{
	u64 __user *out = call->ucmd + ((const void *)field - call->cmd);

	return put_user(*field, out);
}

static int ioctl_run(const struct ioctl_row *row, struct op_call *call)
{
	int rc;

	rc = ioctl_check(row, call->cmd);
	if (rc)
		return rc;
	rc = row->handler(call);
	if (!call->new_obj)
		return rc;
	if (!rc)
		rc = op_respond(call);
	if (rc) {
		if (call->new_queue)
			eventq_abort(call->new_queue);
		object_abort(call->new_obj);
		call->new_obj->type->destroy(call->new_obj);
		return rc;
	}
	/* Once it can be named, it can be destroyed, unless its file is there. */
	if (call->new_queue)
		eventq_install(call->new_queue);
	object_publish(call->new_obj);
	return 0;
}

/**
 * ioctl_dispatch() - unlocked_ioctl of /dev/iommu
 * @filp: the open file
 * @cmd: an ioctl number of include/uapi/linux/iommufd.h
 * @arg: address of the structure
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the head of the user ABI's header lists.
 */
long ioctl_dispatch(struct file *filp, unsigned int cmd, unsigned long arg)
{
	/* As much as a row has is copied, or filled with zeroes; nothing reads more. */
	u64 buffer[IOCTL_BUFFER / sizeof(u64)] __uninitialized;
	struct op_call call = { .ictx = filp->private_data, .cmd = buffer };
	unsigned int nr = _IOC_NR(cmd) - IOMMUFD_CMD_BASE;
	const struct ioctl_row *row;
	u32 __user *usize = (u32 __user *)arg;
	u32 size;
	int rc;

	if (nr >= ARRAY_SIZE(ioctl_rows) || cmd != _IO(IOMMUFD_TYPE, _IOC_NR(cmd)))
		return compat_type1(filp->private_data, cmd, arg);
	row = &ioctl_rows[nr];
	if (!row->size)
		return -ENOTTY;
	if (get_user(size, usize))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;

	call.ucmd = usize;
	call.user_size = min_t(u32, size, row->size);
	rc = copy_struct_from_user(buffer, row->size, usize, size);
	if (rc)
		return rc;
	return ioctl_run(row, &call);
}
