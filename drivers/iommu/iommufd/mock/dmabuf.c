// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dma-buf of pretended device memory: pieces of memory that lie apart, which a
 * test maps by mmap() to compare with, and revokes when it wants to.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "mock.h"

#define PIECE_ORDER 1
#define PIECE_SIZE (PAGE_SIZE << PIECE_ORDER)
#define LENGTH_MAX SZ_16M

/**
 * struct mock_dmabuf - what is behind it
 * @memory: as the product is told
 * @revoked: the memory cannot be used; written with the reservation held
 * @nr: pieces
 * @piece: each, the last one maybe longer than its range
 */
struct mock_dmabuf {
	struct iommufd_dmabuf memory;
	bool revoked;
	unsigned int nr;
	struct iommufd_dmabuf_range piece[] __counted_by(nr);
};

static struct page *piece_page(const struct mock_dmabuf *mock, unsigned int i)
{
	return pfn_to_page(PHYS_PFN(mock->piece[i].start));
}

static void free_pieces(struct mock_dmabuf *mock)
{
	unsigned int i;

	for (i = 0; i < mock->nr; i++)
		if (mock->piece[i].length)
			__free_pages(piece_page(mock, i), PIECE_ORDER);
	kvfree(mock);
}

static struct mock_dmabuf *alloc_pieces(u32 length)
{
	unsigned int nr = DIV_ROUND_UP(length, PIECE_SIZE), i;
	struct mock_dmabuf *mock;

	mock = kvzalloc(struct_size(mock, piece, nr), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return NULL;
	mock->nr = nr;
	for (i = 0; i < nr; i++) {
		struct page *page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP,
						PIECE_ORDER);

		if (!page) {
			free_pieces(mock);
			return NULL;
		}
		mock->piece[i].start = page_to_phys(page);
		mock->piece[i].length = min_t(u64, PIECE_SIZE, length - i * PIECE_SIZE);
	}
	return mock;
}

static int mock_dmabuf_usable(struct dma_buf *dmabuf)
{
	struct mock_dmabuf *mock = dmabuf->priv;

	return READ_ONCE(mock->revoked) ? -ENODEV : 0;
}

static int mock_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct mock_dmabuf *mock = dmabuf->priv;

	return iommufd_dmabuf_offer(attach, &mock->memory);
}

/* Its presence says that mappings can go away; nobody gets as far as calling it. */
static int mock_dmabuf_pin(struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static void mock_dmabuf_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *mock_dmabuf_map(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void mock_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			      enum dma_data_direction dir)
{
}

static int mock_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock_dmabuf *mock = dmabuf->priv;
	unsigned long at = vma->vm_start, page = vma->vm_pgoff;
	int rc = 0;

	for (; at < vma->vm_end && !rc; at += PAGE_SIZE, page++)
		rc = vm_insert_page(vma, at, piece_page(mock, page >> PIECE_ORDER) +
					     (page & ((1 << PIECE_ORDER) - 1)));
	return rc;
}

static void mock_dmabuf_release(struct dma_buf *dmabuf)
{
	free_pieces(dmabuf->priv);
}

static const struct dma_buf_ops mock_dmabuf_ops = {
	.attach = mock_dmabuf_attach,
	.pin = mock_dmabuf_pin,
	.unpin = mock_dmabuf_unpin,
	.map_dma_buf = mock_dmabuf_map,
	.unmap_dma_buf = mock_dmabuf_unmap,
	.mmap = mock_dmabuf_mmap,
	.release = mock_dmabuf_release,
};

/**
 * mock_dmabuf_get() - DMABUF_GET: a new dma-buf
 * @call: the call
 * @id: means nothing
 * @args: its length, and the flags of the file
 *
 * Context: may sleep.
 * Return: its file descriptor; -EINVAL for a length that is not whole pages or too
 * much; -ENOMEM, -EMFILE.
 */
int mock_dmabuf_get(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(dmabuf_get) get = args;
	DEFINE_DMA_BUF_EXPORT_INFO(export);
	struct mock_dmabuf *mock;
	struct dma_buf *dmabuf;
	int fd;

	if (!get->length || !PAGE_ALIGNED(get->length) || get->length > LENGTH_MAX)
		return -EINVAL;
	mock = alloc_pieces(get->length);
	if (!mock)
		return -ENOMEM;
	mock->memory.ranges = mock->piece;
	mock->memory.nr_ranges = mock->nr;
	mock->memory.usable = mock_dmabuf_usable;
	export.ops = &mock_dmabuf_ops;
	export.size = get->length;
	export.flags = get->open_flags;
	export.priv = mock;
	dmabuf = dma_buf_export(&export);
	if (IS_ERR(dmabuf)) {
		free_pieces(mock);
		return PTR_ERR(dmabuf);
	}
	fd = dma_buf_fd(dmabuf, get->open_flags);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

/**
 * mock_dmabuf_revoke() - DMABUF_REVOKE: take the memory back, or give it again
 * @call: the call
 * @id: means nothing
 * @args: the dma-buf, and which of the two
 *
 * Context: may sleep.
 * Return: 0; -EBADF; -EINVAL if it is not the mock's.
 */
int mock_dmabuf_revoke(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(dmabuf_revoke) revoke = args;
	struct dma_buf *dmabuf = dma_buf_get(revoke->dmabuf_fd);
	struct mock_dmabuf *mock;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops != &mock_dmabuf_ops) {
		dma_buf_put(dmabuf);
		return -EINVAL;
	}
	mock = dmabuf->priv;
	dma_resv_lock(dmabuf->resv, NULL);
	WRITE_ONCE(mock->revoked, revoke->revoked);
	if (revoke->revoked)
		dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return 0;
}
