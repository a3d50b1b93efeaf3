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
struct device;
struct dma_buf;
struct file;
struct mm_struct;
struct iova_range;
struct pages;
struct pages_dmabuf;

#define PAGES_ROOM_BYTES 128

/**
 * struct pages_source - where the memory comes from
 * @pin: pins from @first on at least one and at most @count pages and adds them
 *	to the batch, setting @per_folio when the batch is empty and keeping to
 *	it otherwise. Returns their number; 0 to end the batch because the next
 *	page would need the other value of @per_folio; or -errno. Faults
 *	memory in: called with no lock held.
 * @free: drops what the source holds
 * @revocable: physical addresses that are known from the start, and that somebody
 *	else may take back: there is no @pin, no charge, and maybe no struct page
 */
struct pages_source {
	long (*pin)(struct pages *pages, unsigned long first, unsigned long count,
		    struct pin_batch *batch);
	void (*free)(struct pages *pages);
	bool revocable;
};

/**
 * struct pages_watch - who uses pages that may be revoked
 * @node: in a list of the pages
 * @revoke: told once; from its return on the pages are not used. The caller holds
 *	the reservation of a dma-buf, so that it may take an IOAS's locks, and no
 *	lock that is held while memory is faulted in
 */
struct pages_watch {
	struct list_head node;
	void (*revoke)(struct pages_watch *watch);
};

/**
 * struct pages - memory, whether pinned or not
 * @refs: references, of areas and of calls
 * @source: where it comes from
 * @account: who pays
 * @npages: number of pages
 * @writable: pinned for writing
 * @mmio: a device's addresses, not memory
 * @lock: protects @extents; a leaf but for the allocator
 * @extents: what is pinned
 * @room: memory for whoever maps the object first, which saves an allocation
 * @room_used: bit 0: @room is in use
 * @base: page-aligned address (physical, if @source is revocable), or file offset,
 *	of the first page
 * @mm: user source: whose memory it is
 * @file: file source: the file
 * @dmabuf: dma-buf source: what it has of it
 */
struct pages {
	refcount_t refs;
	const struct pages_source *source;
	struct account *account;
	unsigned long npages;
	bool writable;
	bool mmio;
	struct mutex lock; /* of extents */
	struct extent_tree extents;
	unsigned long room_used;
	unsigned long base;
	union {
		struct mm_struct *mm;
		struct file *file;
		struct pages_dmabuf *dmabuf;
	};
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
struct pages *pages_from_dmabuf(struct account *account, struct device *dev,
				struct dma_buf *dmabuf, const struct iova_range *part,
				bool writable);
void pages_put(struct pages *pages);
int pages_pin(struct pages *pages, unsigned long first, unsigned long count);
void pages_release(struct pages *pages, unsigned long first, unsigned long count);
void pages_iter_init(struct pages_iter *it, struct pages *pages, unsigned long first,
		     unsigned long count);
unsigned long pages_iter_next(struct pages_iter *it, unsigned long *pfn);
bool pages_check(struct pages *pages);
int pages_watch(struct pages *pages, struct pages_watch *watch);
void pages_unwatch(struct pages *pages, struct pages_watch *watch);

static inline bool pages_revocable(const struct pages *pages)
{
	return pages->source->revocable;
}

static inline struct pages *pages_hold(struct pages *pages)
{
	refcount_inc(&pages->refs);
	return pages;
}

#endif
