/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pages object: memory that may be mapped, in any number of IOASes. A part of
 * it that somebody uses is pinned; users are counted per part, so that memory
 * is pinned with the first user of a page and unpinned with the last.
 *
 * Page numbers count from the start of the object. Every slice that is pinned
 * is released as the same slice, or piece by piece.
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "extent.h"

struct account;
struct file;
struct pages;

#define PAGES_ROOM_BYTES 128

/**
 * struct pages_source - where the memory comes from
 * @pin: pins from @first on at least one and at most @count pages and adds them
 *	to the batch, setting @per_folio when the batch is empty and keeping to
 *	it otherwise. Returns their number; 0 to end the batch because the next
 *	page would need the other value of @per_folio; or -errno. Faults
 *	memory in: called with no lock held.
 * @free: drops what the source holds
 */
struct pages_source {
	long (*pin)(struct pages *pages, unsigned long first, unsigned long count,
		    struct pin_batch *batch);
	void (*free)(struct pages *pages);
};

/**
 * struct pages - memory, whether pinned or not
 * @refs: references, of areas and of calls
 * @source: where it comes from
 * @account: who pays, and whose mm it is
 * @npages: number of pages
 * @writable: pinned for writing
 * @lock: protects @extents; a leaf but for the allocator
 * @extents: what is pinned
 * @room: memory for whoever maps the object first, which saves an allocation
 * @room_used: bit 0: @room is in use
 * @base: page-aligned address, or file offset, of the first page
 * @file: file source: the file
 */
struct pages {
	refcount_t refs;
	const struct pages_source *source;
	struct account *account;
	unsigned long npages;
	bool writable;
	struct mutex lock; /* of extents */
	struct extent_tree extents;
	unsigned long room_used;
	unsigned long base;
	struct file *file;
	unsigned long room[PAGES_ROOM_BYTES / sizeof(unsigned long)];
};

/**
 * struct pages_iter - walks the runs of a pinned slice
 * @extent: where the next run is
 * @page: the next page
 * @left: pages not yet visited
 */
struct pages_iter {
	struct extent *extent;
	unsigned long page;
	unsigned long left;
};

struct pages *pages_alloc(const struct pages_source *source, struct account *account,
			  unsigned long npages, bool writable);
struct pages *pages_from_user(struct account *account, unsigned long uaddr, unsigned long npages,
			      bool writable);
struct pages *pages_from_file(struct account *account, struct file *file, unsigned long start,
			      unsigned long npages, bool writable);
void pages_put(struct pages *pages);
int pages_pin(struct pages *pages, unsigned long first, unsigned long count);
void pages_release(struct pages *pages, unsigned long first, unsigned long count);
void pages_iter_init(struct pages_iter *it, struct pages *pages, unsigned long first,
		     unsigned long count);
unsigned long pages_iter_next(struct pages_iter *it, unsigned long *pfn);
bool pages_check(struct pages *pages);

static inline struct pages *pages_hold(struct pages *pages)
{
	refcount_inc(&pages->refs);
	return pages;
}

#endif
