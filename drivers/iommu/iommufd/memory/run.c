// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building, reading and splitting of run storage. Uses the allocator and
 * nothing else of the kernel.
 */
#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "run.h"

/**
 * run_builder_init() - begin to collect
 * @b: the builder; run_builder_exit() ends it
 */
void run_builder_init(struct run_builder *b)
{
	b->runs = &b->inline_run;
	b->capacity = 1;
	b->nruns = 0;
	b->npages = 0;
}

/**
 * run_builder_add_new() - append pages as a run of their own
 * @b: the builder
 * @pfn: first page frame
 * @count: pages, not 0
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM with the builder as it was.
 */
int run_builder_add_new(struct run_builder *b, unsigned long pfn, u32 count)
{
	if (b->nruns == b->capacity) {
		bool grown = b->runs != &b->inline_run;
		u32 capacity = grown ? b->capacity * 2 : 32;
		struct run *runs;

		runs = kvrealloc(grown ? b->runs : NULL, array_size(capacity, sizeof(*runs)),
				 GFP_KERNEL);
		if (!runs)
			return -ENOMEM;
		if (!grown)
			runs[0] = b->inline_run;
		b->runs = runs;
		b->capacity = capacity;
	}
	b->runs[b->nruns++] = (struct run){ .pfn = pfn, .first = b->npages, .count = count };
	b->npages += count;
	return 0;
}

/*
 * Bytes a page of the packed form, with what to count from; 0 if the runs take
 * less room, or are too far apart.
 */
static u32 packed_width(const struct run_builder *b, unsigned long *base)
{
	unsigned long lo = ULONG_MAX, hi = 0, span;
	u32 i, width;

	for (i = 0; i < b->nruns; i++) {
		lo = min(lo, b->runs[i].pfn);
		hi = max(hi, b->runs[i].pfn + b->runs[i].count - 1);
	}
	*base = lo;
	span = hi - lo;
	if (span > U32_MAX)
		return 0;
	width = span ? __fls(span) / BITS_PER_BYTE + 1 : 1;
	return (u64)b->nruns * sizeof(struct run) > (u64)b->npages * width ? width : 0;
}

static u32 delta_at(const struct run_block *block, u32 page)
{
	u32 all = get_unaligned_le32(block->delta + page * block->width);

	return all & (U32_MAX >> (32 - BITS_PER_BYTE * block->width));
}

/* Each number is written with its upper bytes, which the next one overwrites. */
static void pack(struct run_block *block, const struct run_builder *b)
{
	u8 *out = block->delta;
	u32 i, k;

	for (i = 0; i < b->nruns; i++)
		for (k = 0; k < b->runs[i].count; k++, out += block->width)
			put_unaligned_le32(b->runs[i].pfn + k - block->base, out);
}

/* kmalloc() rounds up to a power of two, which counts where there is much. */
static struct run_block *block_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kmalloc(size, GFP_KERNEL_ACCOUNT) :
				   __vmalloc(size, GFP_KERNEL_ACCOUNT);
}

/**
 * run_builder_finish() - make a slice of all that was collected
 * @b: the builder, with at least one page; still to be ended by its owner
 * @slice: the result, to be freed by run_slice_free()
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int run_builder_finish(struct run_builder *b, struct run_slice *slice)
{
	struct run_block *block;
	unsigned long base;
	u32 width;

	if (b->nruns == 1) {
		slice->block = NULL;
		slice->pfn = b->runs[0].pfn;
		return 0;
	}
	width = packed_width(b, &base);
	block = block_alloc(width ? struct_size(block, delta, (size_t)b->npages * width + 3) :
				    struct_size(block, runs, b->nruns));
	if (!block)
		return -ENOMEM;
	refcount_set(&block->refs, 1);
	block->npages = b->npages;
	block->nruns = width ? 0 : b->nruns;
	block->base = base;
	block->width = width;
	if (width)
		pack(block, b);
	else
		memcpy(block->runs, b->runs, array_size(b->nruns, sizeof(*b->runs)));
	slice->block = block;
	slice->first = 0;
	return 0;
}

/**
 * run_builder_exit() - free what a builder needed
 * @b: the builder
 *
 * Context: may sleep.
 */
void run_builder_exit(struct run_builder *b)
{
	if (b->runs != &b->inline_run)
		kvfree(b->runs);
}

static const struct run *find_run(const struct run_block *block, u32 page)
{
	u32 lo = 0, hi = block->nruns - 1;

	while (lo < hi) {
		u32 mid = lo + (hi - lo + 1) / 2;

		if (block->runs[mid].first <= page)
			lo = mid;
		else
			hi = mid - 1;
	}
	return &block->runs[lo];
}

/**
 * run_slice_at() - the contiguous pages from a page on
 * @slice: the slice
 * @page: counted from the start of the slice
 * @limit: most pages wanted, not 0, not beyond the slice
 * @pfn: set to the page's frame
 *
 * Return: how many pages, 1 to @limit.
 */
u32 run_slice_at(const struct run_slice *slice, u32 page, u32 limit, unsigned long *pfn)
{
	const struct run_block *block = slice->block;
	const struct run *run;
	u32 at, n, delta;

	if (!block) {
		*pfn = slice->pfn + page;
		return limit;
	}
	at = slice->first + page;
	if (block->nruns) {
		run = find_run(block, at);
		*pfn = run->pfn + (at - run->first);
		return min(limit, run->count - (at - run->first));
	}
	delta = delta_at(block, at);
	*pfn = block->base + delta;
	for (n = 1; n < limit && (u64)delta + n == delta_at(block, at + n); n++)
		;
	return n;
}

/**
 * run_slice_split() - cut a slice in two
 * @slice: becomes the pages before @page
 * @page: counted from the start of the slice, not 0
 * @tail: becomes the pages from @page on
 */
void run_slice_split(struct run_slice *slice, u32 page, struct run_slice *tail)
{
	*tail = *slice;
	if (!slice->block) {
		tail->pfn += page;
		return;
	}
	tail->first += page;
	refcount_inc(&slice->block->refs);
}

/**
 * run_slice_free() - drop a slice
 * @slice: the slice; the pages are no concern of it
 *
 * Context: may sleep.
 */
void run_slice_free(struct run_slice *slice)
{
	if (slice->block && refcount_dec_and_test(&slice->block->refs))
		kvfree(slice->block);
}

/**
 * run_block_check() - whether storage is what its description says
 * @block: the storage
 *
 * Return: false if a run is empty, out of order, leaves a gap, or continues
 * the one before.
 */
bool run_block_check(const struct run_block *block)
{
	u32 i, page = 0;

	if (!block->nruns)
		return block->npages && block->width && block->width <= sizeof(u32);
	for (i = 0; i < block->nruns; i++) {
		const struct run *run = &block->runs[i];

		if (!run->count || run->first != page)
			return false;
		if (i && run[-1].pfn + run[-1].count == run->pfn)
			return false;
		page += run->count;
	}
	return page == block->npages;
}
