// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_IOMMU_GET_INFO: page sizes, and a chain of capabilities behind the
 * structure, if the caller has room for all of it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "../space/ioas.h"
#include "compat_type1.h"

/* As many mappings as VFIO's container has room for; here nothing counts them. */
#define MAPPINGS U16_MAX

/**
 * struct chain - capabilities on their way to the user
 * @buf: the user's structure will be in front of it
 * @size: bytes used
 * @next: the link of the last one, to be set when another follows
 */
struct chain {
	void *buf;
	size_t size;
	__u32 *next;
};

/* There is room for it. */
static void *chain_add(struct chain *chain, u16 id, size_t size)
{
	struct vfio_info_cap_header *header = chain->buf + chain->size;

	if (chain->next)
		*chain->next = sizeof(struct vfio_iommu_type1_info) + chain->size;
	header->id = id;
	header->version = 1;
	chain->next = &header->next;
	chain->size += size;
	return header;
}

static void add_iovas(struct chain *chain, const struct iova_range *ranges, u32 nr)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	u32 i;

	cap = chain_add(chain, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
			struct_size(cap, iova_ranges, nr));
	cap->nr_iovas = nr;
	for (i = 0; i < nr; i++) {
		cap->iova_ranges[i].start = ranges[i].start;
		cap->iova_ranges[i].end = ranges[i].last;
	}
}

static void add_migration(struct chain *chain)
{
	struct vfio_iommu_type1_info_cap_migration *cap;

	cap = chain_add(chain, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, sizeof(*cap));
	cap->pgsize_bitmap = PAGE_SIZE;
	cap->max_dirty_bitmap_size = TYPE1_BITMAP_MAX;
}

static void add_avail(struct chain *chain)
{
	struct vfio_iommu_type1_info_dma_avail *cap;

	cap = chain_add(chain, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, sizeof(*cap));
	cap->avail = MAPPINGS;
}

static int build_chain(struct chain *chain, struct ioas *ioas, bool migration)
{
	struct iova_range *ranges;
	unsigned long align;
	size_t room;
	u32 nr;

	ranges = ioas_usable(ioas, &nr, &align);
	if (nr && !ranges)
		return -ENOMEM;
	room = struct_size_t(struct vfio_iommu_type1_info_cap_iova_range, iova_ranges, nr) +
	       sizeof(struct vfio_iommu_type1_info_cap_migration) +
	       sizeof(struct vfio_iommu_type1_info_dma_avail);
	chain->buf = kvzalloc(room, GFP_KERNEL_ACCOUNT);
	if (chain->buf) {
		if (migration)
			add_migration(chain);
		add_iovas(chain, ranges, nr);
		/* Last: it ends in the middle of 8 bytes. */
		add_avail(chain);
	}
	kfree(ranges);
	return chain->buf ? 0 : -ENOMEM;
}

static int respond(void __user *user, struct vfio_iommu_type1_info *info,
		   const struct chain *chain)
{
	size_t room = min(info->argsz, sizeof(*info)), all = sizeof(*info) + chain->size;

	if (info->argsz >= all) {
		info->cap_offset = sizeof(*info);
		if (copy_to_user(user + sizeof(*info), chain->buf, chain->size))
			return -EFAULT;
	} else {
		/* So much is needed for the rest. */
		info->argsz = all;
	}
	return copy_to_user(user, info, room) ? -EFAULT : 0;
}

/**
 * type1_get_info() - VFIO_IOMMU_GET_INFO
 * @ictx: the context
 * @arg: address of the user's struct vfio_iommu_type1_info
 *
 * Context: may sleep.
 * Return: 0; -ENODEV without an IOAS; -EFAULT; -EINVAL; -ENOMEM.
 */
int type1_get_info(struct iommufd_ctx *ictx, unsigned long arg)
{
	struct vfio_iommu_type1_info info = {};
	struct chain chain = {};
	unsigned long sizes;
	int rc;

	rc = type1_copy(&info, (void __user *)arg, offsetofend(typeof(info), iova_pgsizes));
	if (rc)
		return rc;
	CLASS(compat_ioas, ioas)(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = build_chain(&chain, ioas, type1_state(ictx).grouped);
	if (rc)
		return rc;
	sizes = ioas_page_sizes(ioas);
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	/* Memory is mapped by the page, whatever smaller sizes the IOMMU has. */
	info.iova_pgsizes = (sizes & PAGE_MASK) | (sizes & ~PAGE_MASK ? PAGE_SIZE : 0);
	rc = respond((void __user *)arg, &info, &chain);
	kvfree(chain.buf);
	return rc;
}
