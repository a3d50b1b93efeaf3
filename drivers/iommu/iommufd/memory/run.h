/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs: which physical pages stand behind consecutive page numbers. A run is a
 * physically contiguous piece. Memory of huge pages is a handful of runs;
 * memory in pieces of a few pages is packed to at most four bytes a page. Callers see
 * neither form: they ask for the run at a page.
 *
 * Pure: no mm, no IOMMU, no lock. A slice belongs to its caller, who serializes
 * the use of it; the storage behind slices that were split is shared and never
 * written after run_builder_finish().
 */
#ifndef __IOMMUFD_RUN_H
#define __IOMMUFD_RUN_H

#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* Pages of a slice at the most: their packed form fills 32 pages. */
#define RUN_SLICE_MAX ((SZ_128K - offsetof(struct run_block, delta)) / sizeof(u32) - 1)

/**
 * struct run - a physically contiguous piece
 * @pfn: its first page frame
 * @first: number of its first page, counted from the start of the storage
 * @count: pages, not 0
 */
struct run {
	unsigned long pfn;
	u32 first;
	u32 count;
};

/**
 * struct run_block - storage of the runs of a slice, shared when it is split
 * @refs: slices that use it
 * @npages: pages described
 * @nruns: entries of @runs; 0 if packed
 * @base: packed: page frame that @delta counts from
 * @width: packed: bytes of a number in @delta, 1 to 4
 * @runs: sorted by first, without a gap
 * @delta: packed: page frame of each page, less @base, little endian; three more
 *	bytes follow the last number
 */
struct run_block {
	refcount_t refs;
	u32 npages;
	u32 nruns;
	unsigned long base;
	u32 width;
	union {
		DECLARE_FLEX_ARRAY(struct run, runs);
		DECLARE_FLEX_ARRAY(u8, delta);
	};
};

/**
 * struct run_slice - what is behind some consecutive pages
 * @block: storage, NULL if the pages are contiguous
 * @pfn: first page frame, if contiguous
 * @first: page of the block that the slice begins with
 */
struct run_slice {
	struct run_block *block;
	union {
		unsigned long pfn;
		u32 first;
	};
};

/**
 * struct run_builder - collects pages in order
 * @runs: @inline_run until there is a second one
 * @nruns: how many
 * @capacity: room in @runs
 * @npages: pages collected
 * @inline_run: saves an allocation for contiguous memory
 */
struct run_builder {
	struct run *runs;
	u32 nruns;
	u32 capacity;
	u32 npages;
	struct run inline_run;
};

void run_builder_init(struct run_builder *b);
int run_builder_add_new(struct run_builder *b, unsigned long pfn, u32 count);
int run_builder_finish(struct run_builder *b, struct run_slice *slice);
void run_builder_exit(struct run_builder *b);

u32 run_slice_at(const struct run_slice *slice, u32 page, u32 limit, unsigned long *pfn);
void run_slice_split(struct run_slice *slice, u32 page, struct run_slice *tail);
void run_slice_free(struct run_slice *slice);
bool run_block_check(const struct run_block *block);

/*
 * Append count pages; -ENOMEM leaves the builder as it was. Inline for the
 * page that continues the last run, since it is called once a page.
 */
static inline int run_builder_add(struct run_builder *b, unsigned long pfn, u32 count)
{
	if (b->nruns) {
		struct run *last = &b->runs[b->nruns - 1];

		if (last->pfn + last->count == pfn) {
			last->count += count;
			b->npages += count;
			return 0;
		}
	}
	return run_builder_add_new(b, pfn, count);
}

#endif
