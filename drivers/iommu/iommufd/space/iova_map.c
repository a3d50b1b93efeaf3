// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of areas. The hole of an area is what is free between it and the
 * area before it; what is free behind the last area is nobody's.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/rbtree_augmented.h>

#include "iova_map.h"

/*
 * Not less than the hole, and the same for holes whose first five bits are the
 * same: one that grows with every unmap beside it seldom changes what is above.
 * A search that follows such a bound in vain looks at a few areas more.
 */
static unsigned long hole_bound(struct area *area)
{
	unsigned int bits = fls_long(area->hole);

	return bits > 5 ? area->hole | (BIT(bits - 5) - 1) : area->hole;
}

RB_DECLARE_CALLBACKS_MAX(static, hole_callbacks, struct area, node, unsigned long, max_hole,
			 hole_bound)

static struct area *to_area(struct rb_node *node)
{
	return rb_entry_safe(node, struct area, node);
}

/**
 * iova_map_init() - an empty map
 * @map: the map; nothing is to be freed at its end, areas are the caller's
 */
void iova_map_init(struct iova_map *map)
{
	map->root = RB_ROOT;
}

/**
 * iova_map_next() - the first area that touches a range
 * @map: the map
 * @iova: first byte of the range
 * @last: its last byte
 *
 * Context: map lock held.
 * Return: the area or NULL.
 */
struct area *iova_map_next(struct iova_map *map, unsigned long iova, unsigned long last)
{
	struct rb_node *node = map->root.rb_node;
	struct area *found = NULL;

	while (node) {
		struct area *area = to_area(node);

		if (iova <= area->iova.last) {
			found = area;
			if (iova >= area->iova.start)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found && found->iova.start <= last ? found : NULL;
}

/**
 * iova_map_insert() - add an area
 * @map: the map
 * @area: the area; its iova says where
 *
 * Context: map lock held for writing.
 * Return: 0, or -EEXIST if another area is there.
 */
int iova_map_insert(struct iova_map *map, struct area *area)
{
	struct rb_node **link = &map->root.rb_node, *parent = NULL;
	struct area *before = NULL, *behind = NULL;

	while (*link) {
		struct area *at = to_area(*link);

		parent = *link;
		if (area->iova.last < at->iova.start) {
			behind = at;
			link = &parent->rb_left;
		} else if (area->iova.start > at->iova.last) {
			before = at;
			link = &parent->rb_right;
		} else {
			return -EEXIST;
		}
	}
	area->hole = area->iova.start - (before ? before->iova.last + 1 : 0);
	area->max_hole = hole_bound(area);
	if (behind)
		behind->hole = behind->iova.start - area->iova.last - 1;
	rb_link_node(&area->node, parent, link);
	hole_callbacks.propagate(parent, NULL);
	/* That may have ended below it. */
	if (behind)
		hole_callbacks.propagate(&behind->node, NULL);
	rb_insert_augmented(&area->node, &map->root, &hole_callbacks);
	return 0;
}

/* A maximum can only have become larger: no node's children have to be looked at. */
static void grow_hole(struct area *area, unsigned long by)
{
	struct rb_node *node = &area->node;
	unsigned long bound;

	area->hole += by;
	bound = hole_bound(area);
	for (; node && to_area(node)->max_hole < bound; node = rb_parent(node))
		to_area(node)->max_hole = bound;
}

/**
 * iova_map_erase() - remove an area
 * @map: the map
 * @area: an area of it
 *
 * Context: map lock held for writing. Cannot fail.
 */
void iova_map_erase(struct iova_map *map, struct area *area)
{
	struct area *behind = to_area(rb_next(&area->node));

	/* Before the node goes: to rotate a tree whose maxima are not right spoils them. */
	if (behind)
		grow_hole(behind, area->hole + range_length(&area->iova));
	rb_erase_augmented(&area->node, &map->root, &hole_callbacks);
}

static unsigned long max_hole(struct rb_node *node)
{
	return node ? to_area(node)->max_hole : 0;
}

/*
 * The first area below a node whose bound is at least this long, which there is;
 * its hole may still be a little shorter.
 */
static struct area *first_with_hole(struct rb_node *node, unsigned long length)
{
	for (;;) {
		bool left = max_hole(node->rb_left) >= length;

		if (!left && hole_bound(to_area(node)) >= length)
			return to_area(node);
		node = left ? node->rb_left : node->rb_right;
	}
}

/* The next such area behind one, or NULL. */
static struct area *next_with_hole(struct area *area, unsigned long length)
{
	struct rb_node *node = &area->node, *parent;

	if (max_hole(node->rb_right) >= length)
		return first_with_hole(node->rb_right, length);
	while ((parent = rb_parent(node))) {
		bool was_left = parent->rb_left == node;

		node = parent;
		if (!was_left)
			continue;
		if (hole_bound(to_area(node)) >= length)
			return to_area(node);
		if (max_hole(node->rb_right) >= length)
			return first_with_hole(node->rb_right, length);
	}
	return NULL;
}

/* The first place in free space that is aligned and inside of the window. */
static bool fit(const struct iova_range *space, const struct iova_range *window,
		const struct iova_hole *hole, unsigned long *iova)
{
	unsigned long lo = max(space->start, window->start);
	unsigned long last = min(space->last, window->last), at;

	/* Round lo - skew up, in modular arithmetic; a wrap shows below. */
	at = ALIGN(lo - hole->skew, hole->align) + hole->skew;
	if (lo > last || at < lo || at > last || last - at < hole->length - 1)
		return false;
	*iova = at;
	return true;
}

/**
 * iova_map_find_hole() - find free IOVAs
 * @map: the map
 * @window: where to look
 * @hole: what is wanted
 * @iova: set to the lowest fit
 *
 * Context: map lock held.
 * Return: 0 or -ENOSPC.
 */
int iova_map_find_hole(struct iova_map *map, const struct iova_range *window,
		       const struct iova_hole *hole, unsigned long *iova)
{
	struct area *area = iova_map_next(map, window->start, ULONG_MAX), *end;
	struct iova_range space = {};

	for (; area && area->iova.start - area->hole <= window->last;
	     area = next_with_hole(area, hole->length)) {
		if (!area->hole)
			continue;
		space.start = area->iova.start - area->hole;
		space.last = area->iova.start - 1;
		if (fit(&space, window, hole, iova))
			return 0;
	}
	end = to_area(rb_last(&map->root));
	if (end && end->iova.last == ULONG_MAX)
		return -ENOSPC;
	space.start = end ? end->iova.last + 1 : 0;
	space.last = ULONG_MAX;
	return fit(&space, window, hole, iova) ? 0 : -ENOSPC;
}

/**
 * iova_map_check() - whether the tree is what it should be
 * @map: the map
 *
 * Context: map lock held.
 * Return: false if areas overlap or are out of order, or a hole is wrong.
 */
bool iova_map_check(struct iova_map *map)
{
	struct rb_node *node;
	unsigned long end = 0;

	for (node = rb_first(&map->root); node; node = rb_next(node)) {
		struct area *area = to_area(node);
		unsigned long most = max3(hole_bound(area), max_hole(node->rb_left),
					  max_hole(node->rb_right));

		/* Behind the last byte there is no area. */
		if (node != rb_first(&map->root) && !end)
			return false;
		if (area->iova.start < end || area->iova.last < area->iova.start ||
		    area->hole != area->iova.start - end || area->max_hole != most)
			return false;
		end = area->iova.last + 1;
	}
	return true;
}
