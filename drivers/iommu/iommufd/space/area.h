/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An area: a range of IOVAs and the memory behind it.
 */
#ifndef __IOMMUFD_AREA_H
#define __IOMMUFD_AREA_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "../abi.h"
#include "../memory/pages.h"

struct area_watch;

/**
 * enum area_state - where an area is in its life
 * @AREA_RESERVED: its IOVAs are taken, nothing is mapped yet; or not any more
 * @AREA_READY: mapped into every domain of the IOAS
 * @AREA_RETIRING: about to be unmapped, in-kernel users are asked to let go
 */
enum area_state {
	AREA_RESERVED,
	AREA_READY,
	AREA_RETIRING,
};

/**
 * struct area - one mapping of an IOAS
 * @node: in the IOAS's map
 * @iova: where
 * @hole: bytes that are free before it
 * @max_hole: a bound of the largest @hole below it in the tree, its own included
 * @offset: byte of @pages at the first IOVA
 * @pages: the memory; holds a reference
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @state: protected by ioas.map_rwsem
 * @pinned: the slice is pinned for the domains; protected by ioas.map_rwsem
 * @revoked: the memory is somebody else's again: in no domain; changed with
 *	ioas.members_lock and ioas.map_rwsem held for writing
 * @keepers: who needs it to stay: it cannot be unmapped; raised with
 *	ioas.map_rwsem held for reading, looked at with it held for writing
 * @access_pages: pages that in-kernel users hold pinned; raised with
 *	ioas.map_rwsem held for reading, looked at with it held for writing; the
 *	area stays as long as it is not 0
 * @watch: of memory that may be revoked, see ioas_revoke.c; or NULL
 * @link: in the list of a call that adds or removes areas
 */
struct area {
	struct rb_node node;
	struct iova_range iova;
	unsigned long hole;
	unsigned long max_hole;
	unsigned long offset;
	struct pages *pages;
	int prot;
	enum area_state state;
	bool pinned;
	bool revoked;
	atomic_t keepers;
	atomic_long_t access_pages;
	struct area_watch *watch;
	struct list_head link;
};

/* The slice of pages behind bytes of an area: first page and number of pages. */
static inline unsigned long area_slice(const struct area *area, const struct iova_range *part,
				       unsigned long *count)
{
	unsigned long start = area->offset + (part->start - area->iova.start);
	unsigned long last = start + (part->last - part->start);

	*count = (last >> PAGE_SHIFT) - (start >> PAGE_SHIFT) + 1;
	return start >> PAGE_SHIFT;
}

#endif
