/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the exporter of a dma-buf gives its memory to /dev/iommu: not as a list of
 * pages, which a function's BAR does not have, but as physical addresses, which
 * it can take back at any time.
 */
#ifndef __LINUX_IOMMUFD_DMABUF_H
#define __LINUX_IOMMUFD_DMABUF_H

#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;

/**
 * struct iommufd_dmabuf_range - contiguous physical addresses
 * @start: page aligned
 * @length: bytes, a multiple of the page size, not 0
 */
struct iommufd_dmabuf_range {
	phys_addr_t start;
	u64 length;
};

/**
 * struct iommufd_dmabuf - what stands behind a dma-buf, in order
 * @ranges: as long together as the dma-buf
 * @nr_ranges: how many
 * @mmio: they are a device's, not memory
 * @usable: 0, or why nobody may use the addresses now: -ENODEV, -EINTR. Called with
 *	no lock held. From its return on, a revocation reaches whoever asked
 *
 * It stays the same as long as the dma-buf is there. To revoke, the exporter makes
 * @usable fail and calls dma_buf_move_notify(): when that returns, no IOMMU
 * translates to the addresses. What was mapped stays in its place and leads
 * nowhere, also once @usable succeeds again.
 */
struct iommufd_dmabuf {
	const struct iommufd_dmabuf_range *ranges;
	unsigned int nr_ranges;
	bool mmio;
	int (*usable)(struct dma_buf *dmabuf);
};

int iommufd_dmabuf_offer(struct dma_buf_attachment *attach, const struct iommufd_dmabuf *memory);

#endif
