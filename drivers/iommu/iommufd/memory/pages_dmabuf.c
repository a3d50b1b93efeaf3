// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a dma-buf whose exporter gives physical addresses: the BAR of a
 * function, say. There may be no struct page behind them. They are known from the
 * start, so that nothing is pinned and nobody pays.
 *
 * The exporter revokes with the dma-buf's reservation held, which is the outermost
 * lock; and whoever uses the pages is called from there to let go of them.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../abi.h"
#include "pages.h"

/**
 * struct pages_dmabuf - what a pages object has of a dma-buf
 * @attach: holds, as pages_dmabuf does, a reference of the dma-buf
 * @memory: the exporter's description
 * @lock: protects @watches and @revoked; outside of an IOAS's locks
 * @watches: struct pages_watch, who uses the pages
 * @revoked: nobody may use them any more
 */
struct pages_dmabuf {
	struct dma_buf_attachment *attach;
	const struct iommufd_dmabuf *memory;
	struct mutex lock; /* of watches */
	struct list_head watches;
	bool revoked;
};

/* Called by the exporter, who comes back to addresses that nobody uses. */
static void dmabuf_revoke(struct dma_buf_attachment *attach)
{
	struct pages_dmabuf *buf = attach->importer_priv;
	struct pages_watch *watch;

	dma_resv_assert_held(attach->dmabuf->resv);
	guard(mutex)(&buf->lock);
	if (buf->revoked)
		return;
	buf->revoked = true;
	list_for_each_entry(watch, &buf->watches, node) {
		watch->revoke(watch);
		cond_resched();
	}
}

static const struct dma_buf_attach_ops importer_ops = {
	.allow_peer2peer = true,
	.move_notify = dmabuf_revoke,
};

/**
 * iommufd_dmabuf_offer() - give /dev/iommu the physical addresses of a dma-buf
 * @attach: as the exporter's attach operation got it
 * @memory: what there is; stays as long as the dma-buf does
 *
 * An exporter whose memory no other importer can map returns what this returns.
 *
 * Context: within the exporter's attach operation.
 * Return: 0, or -EOPNOTSUPP if the importer is somebody else.
 */
int iommufd_dmabuf_offer(struct dma_buf_attachment *attach, const struct iommufd_dmabuf *memory)
{
	struct pages_dmabuf *buf = attach->importer_priv;

	if (attach->importer_ops != &importer_ops)
		return -EOPNOTSUPP;
	buf->memory = memory;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_dmabuf_offer, IOMMUFD);

/**
 * pages_watch() - be told when pages go away
 * @pages: the object, of which pages_revocable() is true
 * @watch: with its callback, which may come at any time from now on
 *
 * Context: may sleep; no lock of an IOAS held.
 * Return: 0, or -ENODEV if they are gone.
 */
int pages_watch(struct pages *pages, struct pages_watch *watch)
{
	struct pages_dmabuf *buf = pages->dmabuf;

	guard(mutex)(&buf->lock);
	if (buf->revoked)
		return -ENODEV;
	list_add_tail(&watch->node, &buf->watches);
	return 0;
}

/**
 * pages_unwatch() - no callback any more
 * @pages: the object
 * @watch: as given to pages_watch(); none runs when this returns
 *
 * Context: may sleep, and wait for one; no lock of an IOAS held.
 */
void pages_unwatch(struct pages *pages, struct pages_watch *watch)
{
	guard(mutex)(&pages->dmabuf->lock);
	list_del(&watch->node);
}

static void buf_free(struct pages_dmabuf *buf)
{
	struct dma_buf *dmabuf = buf->attach->dmabuf;

	dma_buf_detach(dmabuf, buf->attach);
	dma_buf_put(dmabuf);
	WARN_ON(!list_empty(&buf->watches));
	mutex_destroy(&buf->lock);
	kfree(buf);
}

static void dmabuf_free(struct pages *pages)
{
	struct extent *e, *next;

	rbtree_postorder_for_each_entry_safe(e, next, &pages->extents.root, node)
		extent_drop(&pages->extents, e);
	pages->extents.root = RB_ROOT;
	buf_free(pages->dmabuf);
}

static const struct pages_source pages_dmabuf_source = {
	.revocable = true,
	.free = dmabuf_free,
};

/* Attach, and have the exporter say what there is, and that it may be used now. */
static struct pages_dmabuf *buf_new(struct dma_buf *dmabuf, struct device *dev)
{
	struct pages_dmabuf *buf;
	int rc;

	/* Others would have to map their memory for a device, and there is none. */
	if (!dma_buf_is_dynamic(dmabuf))
		return ERR_PTR(-EOPNOTSUPP);
	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->watches);
	buf->attach = dma_buf_dynamic_attach(dmabuf, dev, &importer_ops, buf);
	if (IS_ERR(buf->attach)) {
		rc = PTR_ERR(buf->attach);
		kfree(buf);
		return ERR_PTR(rc);
	}
	get_dma_buf(dmabuf);
	rc = buf->memory ? buf->memory->usable(dmabuf) : -EOPNOTSUPP;
	if (rc) {
		buf_free(buf);
		return ERR_PTR(rc);
	}
	return buf;
}

static int add_extent(struct pages *pages, unsigned long first, u32 count, phys_addr_t phys)
{
	struct extent *e = extent_alloc(&pages->extents, GFP_KERNEL_ACCOUNT);

	if (!e)
		return -ENOMEM;
	e->first = first;
	e->count = count;
	e->users = 1;
	e->per_folio = false;
	e->slice.block = NULL;
	e->slice.pfn = PHYS_PFN(phys);
	extent_insert(&pages->extents, e);
	return 0;
}

/* An extent for each range that has a part of the dma-buf from start on. */
static int add_extents(struct pages *pages, const struct iommufd_dmabuf *memory, u64 start)
{
	const struct iommufd_dmabuf_range *r = memory->ranges;
	const struct iommufd_dmabuf_range *end = r + memory->nr_ranges;
	unsigned long done, n;
	int rc;

	for (; r < end && start >= r->length; r++)
		start -= r->length;
	for (done = 0; done < pages->npages; done += n) {
		if (WARN_ON(r == end))
			return -EINVAL;
		if (!done)
			pages->base = r->start + start;
		n = min3(pages->npages - done, PHYS_PFN(r->length - start), (unsigned long)U32_MAX);
		rc = add_extent(pages, done, n, r->start + start);
		if (rc)
			return rc;
		start += (u64)n << PAGE_SHIFT;
		if (start == r->length) {
			start = 0;
			r++;
		}
	}
	return 0;
}

/**
 * pages_from_dmabuf() - memory of a dma-buf
 * @account: whose object it is; nothing is charged
 * @dev: who imports it
 * @dmabuf: the dma-buf; the object takes a reference
 * @part: page-aligned bytes of it
 * @writable: whether it may be mapped for writing
 *
 * Who may map it, may write to it: as with other importers, the mode that the file
 * is open for is that of its mmap().
 *
 * Context: may sleep; no lock held.
 * Return: the object with one reference, or ERR_PTR(): -EINVAL if the dma-buf
 * ends before @part does, -EOPNOTSUPP if it does not tell physical addresses,
 * -ENODEV if it is revoked, -ENOMEM.
 */
struct pages *pages_from_dmabuf(struct account *account, struct device *dev,
				struct dma_buf *dmabuf, const struct iova_range *part,
				bool writable)
{
	struct pages_dmabuf *buf;
	struct pages *pages;
	int rc;

	if (part->last >= dmabuf->size)
		return ERR_PTR(-EINVAL);
	buf = buf_new(dmabuf, dev);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	pages = pages_alloc(&pages_dmabuf_source, account, range_length(part) >> PAGE_SHIFT,
			    writable);
	if (!pages) {
		buf_free(buf);
		return ERR_PTR(-ENOMEM);
	}
	pages->dmabuf = buf;
	pages->mmio = buf->memory->mmio;
	rc = add_extents(pages, buf->memory, part->start);
	if (rc) {
		pages_put(pages);
		return ERR_PTR(rc);
	}
	return pages;
}

MODULE_IMPORT_NS(DMA_BUF);
