/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages devices have written to, as a page table remembers it.
 */
#ifndef __IOMMUFD_DIRTY_H
#define __IOMMUFD_DIRTY_H

#include "../abi.h"
#include "hwpt.h"

struct iova_bitmap;

/**
 * struct dirty_request - a bitmap that user space wants
 * @range: the IOVAs, made of whole pages of the bitmap
 * @shift: a bit stands for 1 << @shift bytes
 * @keep: what is dirty stays dirty
 * @data: the bitmap
 */
struct dirty_request {
	struct iova_range range;
	unsigned int shift;
	bool keep;
	u8 __user *data;
};

struct iova_bitmap *dirty_window_open(const struct dirty_request *req, struct iova_range *part);
int dirty_set_tracking(struct hwpt *hwpt, bool on);
int dirty_read(struct hwpt *hwpt, const struct dirty_request *req);

#endif
