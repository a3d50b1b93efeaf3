/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which IOVAs of an IOAS may be used: what devices and domains reserve is not
 * usable; what the user allows is where IOVAs are chosen. Pure; the owner of a
 * struct iova_limits serializes its use.
 */
#ifndef __IOMMUFD_IOVA_LIMITS_H
#define __IOMMUFD_IOVA_LIMITS_H

#include <linux/list.h>
#include <linux/types.h>

#include "../abi.h"

/**
 * struct iova_limits - what may be used
 * @reserved: struct reserved_range, sorted by start; they may overlap
 * @nr_reserved: their number
 * @usable: the complement of @reserved, sorted
 * @nr_usable: entries
 * @room_usable: entries there is memory for, at least @nr_reserved + 1
 * @allowed: the user's list, sorted, without overlap
 * @nr_allowed: entries; 0: all that is usable
 */
struct iova_limits {
	struct list_head reserved;
	u32 nr_reserved;
	struct iova_range *usable;
	u32 nr_usable;
	u32 room_usable;
	struct iova_range *allowed;
	u32 nr_allowed;
};

/**
 * struct reserved_range - IOVAs that must not be used
 * @node: in iova_limits.reserved
 * @range: the IOVAs
 * @owner: who reserves them, only compared
 */
struct reserved_range {
	struct list_head node;
	struct iova_range range;
	const void *owner;
};

int iova_limits_init(struct iova_limits *l);
void iova_limits_exit(struct iova_limits *l);
int iova_limits_reserve(struct iova_limits *l, const struct iova_range *range, const void *owner);
void iova_limits_unreserve(struct iova_limits *l, const void *owner);
bool iova_limits_usable(const struct iova_limits *l, const struct iova_range *range);
int iova_limits_allow(struct iova_limits *l, struct iova_range *ranges, u32 nr);

/* Where IOVAs may be chosen; returns the number of entries. */
static inline u32 iova_limits_windows(const struct iova_limits *l, const struct iova_range **out)
{
	*out = l->nr_allowed ? l->allowed : l->usable;
	return l->nr_allowed ?: l->nr_usable;
}

#endif
