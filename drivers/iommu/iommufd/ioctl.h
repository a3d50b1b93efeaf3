/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of the ioctls. A row of the table in ioctl.c says what a structure
 * looks like; what can be checked from that is checked before the handler.
 */
#ifndef __IOMMUFD_IOCTL_H
#define __IOMMUFD_IOCTL_H

#include <linux/stddef.h>
#include <linux/types.h>

#include "ops/op.h"

struct file;

#define IOCTL_BUFFER 72
#define IOCTL_RESERVED 2

/**
 * struct ioctl_field - where a member of the user's structure is
 * @offset: in bytes
 * @size: in bytes; 0 for no member
 */
struct ioctl_field {
	u8 offset;
	u8 size;
};

/**
 * struct ioctl_row - one ioctl
 * @size: of the structure; 0 for a number that is not used
 * @min_size: up to and with the last member that a caller must pass
 * @flags: the u32 flags member, if there is one
 * @known_flags: what may be set in it
 * @reserved: members that must be zero
 * @handler: does the work
 */
struct ioctl_row {
	u8 size;
	u8 min_size;
	struct ioctl_field flags;
	u32 known_flags;
	struct ioctl_field reserved[IOCTL_RESERVED];
	int (*handler)(struct op_call *call);
};

extern const struct ioctl_row ioctl_rows[];
extern const unsigned int ioctl_nr_rows;

int ioctl_check(const struct ioctl_row *row, const void *cmd);
long ioctl_dispatch(struct file *filp, unsigned int cmd, unsigned long arg);

#endif
