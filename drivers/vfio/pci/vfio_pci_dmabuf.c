// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a function's BARs as a dma-buf, which /dev/iommu maps for other
 * functions. Knows VFIO's function and the dma-buf; how it is mapped is iommufd's.
 *
 * Wherever vfio-pci-core takes the BARs from the user's page tables, they are taken
 * from the IOMMU's as well: memory decoding is switched off, the function is reset
 * or suspended. It holds memory_lock for writing until that is over. Nothing is
 * mapped again then: user space, which knows when its function is in order again,
 * maps anew, and finds the same dma-buf in use.
 *
 * Lock order: memory_lock -> the dma-buf's reservation -> iommufd's locks.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vfio_pci_dmabuf.h"
#include "vfio_pci_priv.h"

/**
 * struct vfio_pci_dmabuf - parts of a BAR
 * @vdev: the function; a reference of its device keeps the structure there, and
 *	its memory_lock protects what follows
 * @node: in vdev->dmabufs
 * @closed: whoever opened the function has closed it
 * @dmabuf: the dma-buf, whose private data this is
 * @memory: as iommufd is told
 * @ranges: in the order of the dma-buf
 */
struct vfio_pci_dmabuf {
	struct vfio_pci_core_device *vdev;
	struct hlist_node node;
	bool closed;
	struct dma_buf *dmabuf;
	struct iommufd_dmabuf memory;
	struct iommufd_dmabuf_range ranges[];
};

/*
 * The CPU's and other importers' way to the pages would be pages, which a BAR has
 * none of, or a p2pdma provider, which this kernel does not have.
 */
static int bar_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct vfio_pci_dmabuf *buf = dmabuf->priv;

	return iommufd_dmabuf_offer(attach, &buf->memory);
}

/* Says that mappings can go away. Like the next ones it is not called: see above. */
static int bar_pin(struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static void bar_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *bar_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void bar_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
		      enum dma_data_direction dir)
{
}

static void bar_release(struct dma_buf *dmabuf)
{
	struct vfio_pci_dmabuf *buf = dmabuf->priv;

	/* Also waits for who is just revoking it. */
	down_write(&buf->vdev->memory_lock);
	hlist_del_init(&buf->node);
	up_write(&buf->vdev->memory_lock);
	put_device(&buf->vdev->vdev.device);
	kvfree(buf);
}

static const struct dma_buf_ops bar_ops = {
	.attach = bar_attach,
	.pin = bar_pin,
	.unpin = bar_unpin,
	.map_dma_buf = bar_map,
	.unmap_dma_buf = bar_unmap,
	.release = bar_release,
};

static int bar_usable(struct dma_buf *dmabuf)
{
	struct vfio_pci_dmabuf *buf = dmabuf->priv;
	struct vfio_pci_core_device *vdev = buf->vdev;
	int rc = 0;

	/* A reset takes its time. */
	if (down_read_killable(&vdev->memory_lock))
		return -EINTR;
	if (buf->closed || vdev->pm_runtime_engaged || !__vfio_pci_memory_enabled(vdev))
		rc = -ENODEV;
	up_read(&vdev->memory_lock);
	return rc;
}

static void revoke(struct vfio_pci_dmabuf *buf)
{
	dma_resv_lock(buf->dmabuf->resv, NULL);
	dma_buf_move_notify(buf->dmabuf);
	dma_resv_unlock(buf->dmabuf->resv);
}

/**
 * vfio_pci_dmabuf_revoke() - no IOMMU leads to the BARs any more
 * @vdev: the function
 *
 * Context: memory_lock held for writing, until the BARs may be used again; sleeps.
 */
void vfio_pci_dmabuf_revoke(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_dmabuf *buf;

	lockdep_assert_held_write(&vdev->memory_lock);
	hlist_for_each_entry(buf, &vdev->dmabufs, node)
		revoke(buf);
}

/**
 * vfio_pci_dmabuf_close() - nor will one, by a dma-buf that exists
 * @vdev: the function, which is being closed
 *
 * Context: may sleep; takes memory_lock.
 */
void vfio_pci_dmabuf_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_dmabuf *buf;
	struct hlist_node *next;

	down_write(&vdev->memory_lock);
	hlist_for_each_entry_safe(buf, next, &vdev->dmabufs, node) {
		buf->closed = true;
		revoke(buf);
		hlist_del_init(&buf->node);
	}
	up_write(&vdev->memory_lock);
}

/* The BAR must be one that user space may map by mmap(), and be taken as for that. */
static int claim_bar(struct vfio_pci_core_device *vdev, u32 index)
{
	if (index >= VFIO_PCI_ROM_REGION_INDEX || !vdev->bar_mmap_supported[index])
		return -ENODEV;
	return vfio_pci_core_setup_barmap(vdev, index);
}

static int fill_ranges(struct vfio_pci_dmabuf *buf, u32 index,
		       const struct vfio_region_dma_range *in, u64 *size)
{
	phys_addr_t start = pci_resource_start(buf->vdev->pdev, index);
	u64 length = pci_resource_len(buf->vdev->pdev, index), end;
	unsigned int i;

	*size = 0;
	for (i = 0; i < buf->memory.nr_ranges; i++, in++) {
		if (!in->length || !PAGE_ALIGNED(in->offset | in->length) ||
		    check_add_overflow(in->offset, in->length, &end) || end > length ||
		    check_add_overflow(*size, in->length, size) || *size > SSIZE_MAX)
			return -EINVAL;
		buf->ranges[i].start = start + in->offset;
		buf->ranges[i].length = in->length;
	}
	return 0;
}

static struct vfio_pci_dmabuf *buf_new(struct vfio_pci_core_device *vdev,
				       const struct vfio_device_feature_dma_buf *get,
				       const struct vfio_region_dma_range *in, u64 *size)
{
	struct vfio_pci_dmabuf *buf;
	int rc;

	buf = kvzalloc(struct_size(buf, ranges, get->nr_ranges), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->vdev = vdev;
	buf->memory.ranges = buf->ranges;
	buf->memory.nr_ranges = get->nr_ranges;
	buf->memory.mmio = true;
	buf->memory.usable = bar_usable;
	rc = fill_ranges(buf, get->region_index, in, size);
	if (rc) {
		kvfree(buf);
		return ERR_PTR(rc);
	}
	return buf;
}

/* From the export on, the dma-buf owns what buf_new() made. */
static struct dma_buf *export_buf(struct vfio_pci_dmabuf *buf, u64 size, u32 flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(export);
	struct vfio_pci_core_device *vdev = buf->vdev;
	struct dma_buf *dmabuf;

	export.ops = &bar_ops;
	/* Its release may be that of the device, in the module of the driver. */
	export.owner = vdev->pdev->driver->driver.owner;
	export.size = size;
	export.flags = flags;
	export.priv = buf;
	get_device(&vdev->vdev.device);
	dmabuf = dma_buf_export(&export);
	if (IS_ERR(dmabuf)) {
		put_device(&vdev->vdev.device);
		kvfree(buf);
		return dmabuf;
	}
	buf->dmabuf = dmabuf;
	down_write(&vdev->memory_lock);
	hlist_add_head(&buf->node, &vdev->dmabufs);
	up_write(&vdev->memory_lock);
	return dmabuf;
}

static int get_dmabuf(struct vfio_pci_core_device *vdev,
		      const struct vfio_device_feature_dma_buf *get,
		      const struct vfio_region_dma_range *in)
{
	struct vfio_pci_dmabuf *buf;
	struct dma_buf *dmabuf;
	u64 size;
	int rc;

	rc = claim_bar(vdev, get->region_index);
	if (rc)
		return rc;
	buf = buf_new(vdev, get, in, &size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	dmabuf = export_buf(buf, size, get->open_flags);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	rc = dma_buf_fd(dmabuf, get->open_flags);
	if (rc < 0)
		dma_buf_put(dmabuf);
	return rc;
}

/**
 * vfio_pci_dmabuf_ioctl_feature() - a driver's device_feature operation, with the BARs
 * @core_vdev: the function
 * @flags: as in the operation
 * @arg: likewise
 * @argsz: likewise
 *
 * For a driver that gives its user all of each BAR, as vfio-pci does; not for one
 * that keeps a part for itself.
 *
 * Context: may sleep.
 * Return: of VFIO_DEVICE_FEATURE_DMA_BUF a file descriptor; -EINVAL for flags, for no
 * range, or for one that is not in the BAR or not of whole pages; -ENODEV for a
 * region that is no BAR, or cannot be mapped by mmap(); -EBUSY if somebody else has
 * it; -EFAULT, -ENOMEM, -EMFILE. Of another feature what vfio-pci-core says.
 */
int vfio_pci_dmabuf_ioctl_feature(struct vfio_device *core_vdev, u32 flags, void __user *arg,
				  size_t argsz)
{
	struct vfio_device_feature_dma_buf __user *ubuf = arg;
	struct vfio_device_feature_dma_buf get;
	struct vfio_region_dma_range *in;
	int rc;

	if ((flags & VFIO_DEVICE_FEATURE_MASK) != VFIO_DEVICE_FEATURE_DMA_BUF)
		return vfio_pci_core_ioctl_feature(core_vdev, flags, arg, argsz);
	rc = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(get));
	if (rc != 1)
		return rc;
	if (copy_from_user(&get, ubuf, sizeof(get)))
		return -EFAULT;
	if (get.flags || !get.nr_ranges || (get.open_flags & ~(O_ACCMODE | O_CLOEXEC)))
		return -EINVAL;
	in = memdup_array_user(ubuf->dma_ranges, get.nr_ranges, sizeof(*in));
	if (IS_ERR(in))
		return PTR_ERR(in);
	rc = get_dmabuf(container_of(core_vdev, struct vfio_pci_core_device, vdev), &get, in);
	kfree(in);
	return rc;
}
EXPORT_SYMBOL_GPL(vfio_pci_dmabuf_ioctl_feature);

MODULE_IMPORT_NS(DMA_BUF);
MODULE_IMPORT_NS(IOMMUFD);
