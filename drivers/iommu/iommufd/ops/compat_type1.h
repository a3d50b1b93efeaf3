/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of type1's calls share. All of the calls work on one IOAS of
 * the context, and return what VFIO's own container returns.
 */
#ifndef __IOMMUFD_COMPAT_TYPE1_H
#define __IOMMUFD_COMPAT_TYPE1_H

#include "../abi.h"
#include "../object.h"

struct ioas;

/* The largest bitmap of dirty pages, in bytes, as VFIO's container has it. */
#define TYPE1_BITMAP_MAX SZ_256M

/**
 * struct type1_bitmap - bits of dirty pages that a caller wants
 * @page_size: bytes that a bit stands for
 * @size: bytes of the bitmap
 * @data: the bitmap, of 8 byte words
 */
struct type1_bitmap {
	u64 page_size;
	u64 size;
	u64 __user *data;
};

int type1_copy(void *to, const void __user *from, size_t size);
int type1_range(struct iova_range *range, u64 start, u64 length);
struct compat type1_state(struct iommufd_ctx *ictx);

int type1_get_info(struct iommufd_ctx *ictx, unsigned long arg);
int type1_dirty_pages(struct iommufd_ctx *ictx, unsigned long arg);
int type1_copy_bitmap(struct type1_bitmap *bitmap, const void __user *from);
int type1_check_bitmap(const struct type1_bitmap *bitmap, const struct iova_range *range);
int type1_report(struct ioas *ioas, const struct iova_range *range,
		 const struct type1_bitmap *bitmap);

#endif
