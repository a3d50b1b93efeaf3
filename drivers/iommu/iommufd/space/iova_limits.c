// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved, usable and allowed IOVAs. A device has a handful of reserved
 * ranges, so they are a sorted list; what is usable is derived when it changes
 * and looked up by bisection.
 */
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "iova_limits.h"

/**
 * iova_limits_init() - everything usable, nothing reserved
 * @l: the limits
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int iova_limits_init(struct iova_limits *l)
{
	*l = (struct iova_limits){ .nr_usable = 1, .room_usable = 4 };
	INIT_LIST_HEAD(&l->reserved);
	l->usable = kcalloc(l->room_usable, sizeof(*l->usable), GFP_KERNEL_ACCOUNT);
	if (!l->usable)
		return -ENOMEM;
	l->usable[0] = (struct iova_range){ .start = 0, .last = ULONG_MAX };
	return 0;
}

/**
 * iova_limits_exit() - free all of it
 * @l: the limits
 */
void iova_limits_exit(struct iova_limits *l)
{
	struct reserved_range *r, *next;

	list_for_each_entry_safe(r, next, &l->reserved, node)
		kfree(r);
	kfree(l->usable);
	kfree(l->allowed);
}

static void derive_usable(struct iova_limits *l)
{
	struct reserved_range *r;
	unsigned long next = 0;
	bool full = false;

	l->nr_usable = 0;
	list_for_each_entry(r, &l->reserved, node) {
		if (r->range.start > next)
			l->usable[l->nr_usable++] = (struct iova_range){
				.start = next,
				.last = r->range.start - 1,
			};
		if (r->range.last == ULONG_MAX) {
			full = true;
			break;
		}
		next = max(next, r->range.last + 1);
	}
	if (!full)
		l->usable[l->nr_usable++] = (struct iova_range){ .start = next, .last = ULONG_MAX };
}

static const struct iova_range *find_overlap(const struct iova_range *ranges, u32 nr,
					     const struct iova_range *range)
{
	u32 lo = 0, hi = nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (ranges[mid].last < range->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < nr && ranges[lo].start <= range->last ? &ranges[lo] : NULL;
}

/**
 * iova_limits_reserve() - take IOVAs out of use
 * @l: the limits
 * @range: the IOVAs
 * @owner: who asks
 *
 * Context: may sleep.
 * Return: 0, -EADDRINUSE if the user's list allows one of them, or -ENOMEM.
 */
int iova_limits_reserve(struct iova_limits *l, const struct iova_range *range, const void *owner)
{
	struct reserved_range *new, *r;

	if (find_overlap(l->allowed, l->nr_allowed, range))
		return -EADDRINUSE;
	if (l->room_usable < l->nr_reserved + 2) {
		u32 room = l->room_usable * 2;
		struct iova_range *usable;

		usable = krealloc_array(l->usable, room, sizeof(*usable), GFP_KERNEL_ACCOUNT);
		if (!usable)
			return -ENOMEM;
		l->usable = usable;
		l->room_usable = room;
	}
	new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->range = *range;
	new->owner = owner;
	list_for_each_entry(r, &l->reserved, node)
		if (r->range.start >= range->start)
			break;
	list_add_tail(&new->node, &r->node);
	l->nr_reserved++;
	derive_usable(l);
	return 0;
}

/**
 * iova_limits_unreserve() - give back all that an owner reserved
 * @l: the limits
 * @owner: the owner
 */
void iova_limits_unreserve(struct iova_limits *l, const void *owner)
{
	struct reserved_range *r, *next;

	list_for_each_entry_safe(r, next, &l->reserved, node) {
		if (r->owner != owner)
			continue;
		list_del(&r->node);
		kfree(r);
		l->nr_reserved--;
	}
	derive_usable(l);
}

/**
 * iova_limits_usable() - whether nobody reserves any of a range
 * @l: the limits
 * @range: the IOVAs
 *
 * Return: whether it may be mapped.
 */
bool iova_limits_usable(const struct iova_limits *l, const struct iova_range *range)
{
	const struct iova_range *u = find_overlap(l->usable, l->nr_usable, range);

	return u && u->start <= range->start && range->last <= u->last;
}

static int cmp_range(const void *a, const void *b)
{
	const struct iova_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/**
 * iova_limits_allow() - take a list from the user, in place of the one before
 * @l: the limits
 * @ranges: kmalloc()ed; taken over, and sorted, if the call succeeds
 * @nr: entries; 0 to allow everything
 *
 * Return: 0; -EINVAL if entries overlap; -EADDRINUSE if one is reserved.
 */
int iova_limits_allow(struct iova_limits *l, struct iova_range *ranges, u32 nr)
{
	u32 i;

	sort(ranges, nr, sizeof(*ranges), cmp_range, NULL);
	for (i = 1; i < nr; i++)
		if (ranges[i].start <= ranges[i - 1].last)
			return -EINVAL;
	for (i = 0; i < nr; i++)
		if (!iova_limits_usable(l, &ranges[i]))
			return -EADDRINUSE;
	kfree(l->allowed);
	l->allowed = ranges;
	l->nr_allowed = nr;
	return 0;
}
