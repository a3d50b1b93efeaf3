// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading walks runs, unloading needs none: what was pinned is known without
 * asking the domain, so that a whole range is taken out in one call.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "../memory/pages.h"
#include "domain_map.h"

/* Pieces after which others run, and after which a caller that is killed gives up. */
#define TURN 256

static int end_turn(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int load_run(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		    unsigned long length, int prot, bool large)
{
	unsigned long done = 0, step, pieces = 0;
	int rc = 0;

	if (large)
		return iommu_map(domain, iova, phys, length, prot, GFP_KERNEL_ACCOUNT);

	while (!rc && done < length) {
		step = min(length - done, PAGE_SIZE - offset_in_page(phys + done));
		rc = iommu_map(domain, iova + done, phys + done, step, prot, GFP_KERNEL_ACCOUNT);
		if (rc)
			break;
		done += step;
		if (!(++pieces % TURN))
			rc = end_turn();
	}
	if (rc && done)
		iommu_unmap(domain, iova, done);
	return rc;
}

/**
 * domain_load() - map pinned memory
 * @domain: the domain; nothing of the range is mapped
 * @iova: where, aligned to the domain's smallest page
 * @pages: the pages object, whose slice is pinned
 * @offset: first byte in it, aligned alike
 * @length: bytes, aligned alike
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @large: contiguous memory may use large IOMMU pages
 *
 * Context: may sleep; takes pages.lock.
 * Return: 0, or -errno with nothing mapped: -EINTR if the caller is being killed.
 */
int domain_load(struct iommu_domain *domain, unsigned long iova, struct pages *pages,
		unsigned long offset, unsigned long length, int prot, bool large)
{
	unsigned long first = offset >> PAGE_SHIFT, skip = offset_in_page(offset);
	unsigned long done = 0, pfn, n, step, pieces = 0;
	struct pages_iter it;
	int rc = 0;

	mutex_lock(&pages->lock);
	pages_iter_init(&it, pages, first, DIV_ROUND_UP(skip + length, PAGE_SIZE));
	while (!rc && done < length) {
		n = pages_iter_next(&it, &pfn);
		step = min(length - done, (n << PAGE_SHIFT) - skip);
		rc = load_run(domain, iova + done, PFN_PHYS(pfn) + skip, step, prot, large);
		if (rc)
			break;
		done += step;
		skip = 0;
		if (!(++pieces % TURN))
			rc = end_turn();
	}
	mutex_unlock(&pages->lock);
	if (rc && done)
		iommu_unmap(domain, iova, done);
	return rc;
}

/**
 * domain_unload() - take a range out of a domain
 * @domain: the domain
 * @iova: the range, of one or more whole loads without a gap
 * @length: bytes
 * @gather: what has to be flushed before the memory may be unpinned
 *
 * Context: may sleep.
 */
void domain_unload(struct iommu_domain *domain, unsigned long iova, unsigned long length,
		   struct iommu_iotlb_gather *gather)
{
	/* A page table that lost a mapping would leave memory to the device. */
	WARN_ON(iommu_unmap_fast(domain, iova, length, gather) != length);
}

/* Whether size bytes from an offset on are as contiguous and aligned as a page of that size. */
static bool fits_page(struct pages *pages, unsigned long offset, unsigned long size)
{
	unsigned long skip = offset_in_page(offset), pfn = 0, n;
	struct pages_iter it;

	pages_iter_init(&it, pages, offset >> PAGE_SHIFT, DIV_ROUND_UP(skip + size, PAGE_SIZE));
	n = pages_iter_next(&it, &pfn);
	return n << PAGE_SHIFT >= skip + size && IS_ALIGNED(PFN_PHYS(pfn) + skip, size);
}

/**
 * domain_page_at() - which page of a domain an IOVA is in
 * @sizes: those that the domain may have used
 * @pages: the pages object, whose slice is pinned
 * @load: the IOVAs of one domain_load()
 * @offset: first byte in @pages of that
 * @iova: one of its IOVAs
 *
 * The iommu core maps in pages as large as alignment and length allow: this is
 * the same rule, for one place.
 *
 * Context: may sleep; takes pages.lock.
 * Return: the page's IOVAs.
 */
struct iova_range domain_page_at(unsigned long sizes, struct pages *pages,
				 const struct iova_range *load, unsigned long offset,
				 unsigned long iova)
{
	struct iova_range page;
	unsigned long size;

	guard(mutex)(&pages->lock);
	for (;;) {
		size = 1UL << __fls(sizes);
		sizes &= ~size;
		page.start = iova & ~(size - 1);
		page.last = page.start + (size - 1);
		if (!sizes)
			return page;
		if (page.start >= load->start && page.last <= load->last &&
		    fits_page(pages, offset + (page.start - load->start), size))
			return page;
	}
}
