/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of addresses, checked once where they enter the kernel: below the
 * ioctl handlers every range is closed, not empty and fits unsigned long.
 */
#ifndef __IOMMUFD_ABI_H
#define __IOMMUFD_ABI_H

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/types.h>

/**
 * struct iova_range - addresses or file offsets, in bytes
 * @start: first byte
 * @last: last byte, not less than @start
 */
struct iova_range {
	unsigned long start;
	unsigned long last;
};

static inline unsigned long range_length(const struct iova_range *r)
{
	return r->last - r->start + 1;
}

/*
 * -EINVAL for a length of zero; -EOVERFLOW for a start or length that is
 * ULONG_MAX or more, and for a range that wraps.
 */
static inline int range_from_abi(struct iova_range *r, u64 start, u64 length)
{
	u64 last;

	if (!length)
		return -EINVAL;
	if (start >= ULONG_MAX || length >= ULONG_MAX)
		return -EOVERFLOW;
	if (check_add_overflow(start, length - 1, &last) || last > ULONG_MAX)
		return -EOVERFLOW;
	r->start = start;
	r->last = last;
	return 0;
}

#endif
