/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an ioctl handler gets, and the handlers. The files of ops/ are the last
 * to see structures of the user ABI.
 */
#ifndef __IOMMUFD_OP_H
#define __IOMMUFD_OP_H

#include <linux/types.h>

#include "../object.h"

struct eventq;

/**
 * struct op_call - one ioctl in progress
 * @ictx: the context
 * @cmd: kernel copy of the structure, zero-filled; flags and reserved members
 *	have been checked
 * @ucmd: the user's structure
 * @user_size: bytes of it
 * @new_obj: set by a handler that makes an object: published when the answer
 *	has reached the user, else destroyed
 * @new_queue: set if the object has a file, which then becomes the user's
 */
struct op_call {
	struct iommufd_ctx *ictx;
	void *cmd;
	void __user *ucmd;
	u32 user_size;
	struct object *new_obj;
	struct eventq *new_queue;
};

int op_respond(struct op_call *call);
int op_respond_u64(struct op_call *call, const u64 *field);

int op_destroy(struct op_call *call);
int op_option(struct op_call *call);
int op_ioas_alloc(struct op_call *call);
int op_ioas_allow_iovas(struct op_call *call);
int op_ioas_iova_ranges(struct op_call *call);
int op_ioas_change_process(struct op_call *call);
int op_noiommu_get_pa(struct op_call *call);
int op_ioas_map(struct op_call *call);
int op_ioas_map_file(struct op_call *call);
int op_ioas_copy(struct op_call *call);
int op_ioas_unmap(struct op_call *call);
int op_vfio_ioas(struct op_call *call);
int op_hwpt_alloc(struct op_call *call);
int op_hwpt_invalidate(struct op_call *call);
int op_fault_queue_alloc(struct op_call *call);
int op_set_dirty_tracking(struct op_call *call);
int op_get_dirty_bitmap(struct op_call *call);
int op_hw_info(struct op_call *call);
int op_pasid_alloc(struct op_call *call);
int op_pasid_free(struct op_call *call);
int op_pasid_info(struct op_call *call);
int op_pasid_list(struct op_call *call);
int op_viommu_alloc(struct op_call *call);
int op_vdevice_alloc(struct op_call *call);
int op_veventq_alloc(struct op_call *call);
int op_hw_queue_alloc(struct op_call *call);

long compat_type1(struct iommufd_ctx *ictx, unsigned int cmd, unsigned long arg);

#endif
