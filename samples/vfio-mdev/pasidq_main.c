// SPDX-License-Identifier: GPL-2.0
/*
 * pasidq: a sample of an emulated device that uses PASIDs, as a device with a
 * shared work queue does. Every process that has the device's file submits to one
 * portal, and each address in a descriptor comes with the PASID that says in whose
 * address space it is. (On hardware the CPU puts the PASID there, with ENQCMD.)
 *
 * BAR 0, pasidq.h has the details:
 *
 *	0x0000	registers, read only: what it is, counts, the last failure
 *	0x1000	the portal: 64 bytes, written at once, are a descriptor
 *
 * A descriptor has ended when the write returns. As with hardware, a write tells
 * nothing of how it ended: the registers do, and the record it may ask for.
 *
 * By hand, as root, where the driver is built in or loaded (`insmod pasidq.ko`):
 *
 *	uuid=$(cat /proc/sys/kernel/random/uuid)
 *	cd /sys/devices/virtual/pasidq/pasidq/mdev_supported_types/pasidq-queue
 *	cat available_instances
 *	echo $uuid >create
 *	ls /sys/bus/mdev/devices/$uuid/vfio-dev
 *	queue /dev/vfio/devices/vfio0
 *	echo 1 >/sys/bus/mdev/devices/$uuid/remove
 *
 * queue is a program, tests/vm/src/queue.c. It is given the name that ls printed.
 *
 * pasidq_queue.c has the queue. This file has the rest: it may use VFIO and mdev, and of
 * include/linux/iommufd.h what a driver needs to bind.
 */
#include <linux/iommufd.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/vfio_pci_core.h>

#include "pasidq_priv.h"

#define MAX_DEVICES	16
#define CONFIG_SIZE	PCI_CFG_SPACE_SIZE

MODULE_IMPORT_NS(IOMMUFD);

static struct pasidq *to_pasidq(struct vfio_device *vdev)
{
	return container_of(vdev, struct pasidq, vdev);
}

/* Bits of configuration space that can be written: the rest is as it is made. */
static u8 config_mask(unsigned int at)
{
	switch (at) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_BASE_ADDRESS_0 ... PCI_BASE_ADDRESS_0 + 3:
		return ~(PASIDQ_BAR_SIZE - 1U) >> (8 * (at - PCI_BASE_ADDRESS_0));
	case PCI_INTERRUPT_LINE:
		return 0xff;
	default:
		return 0;
	}
}

static void reset(struct pasidq *q)
{
	pasidq_queue_reset(q);
	guard(mutex)(&q->lock);
	memset(q->config, 0, sizeof(q->config));
	put_unaligned_le16(PASIDQ_VENDOR_ID, &q->config[PCI_VENDOR_ID]);
	put_unaligned_le16(PASIDQ_DEVICE_ID, &q->config[PCI_DEVICE_ID]);
	put_unaligned_le16(PCI_CLASS_SYSTEM_OTHER, &q->config[PCI_CLASS_DEVICE]);
	put_unaligned_le32(PCI_BASE_ADDRESS_SPACE_MEMORY, &q->config[PCI_BASE_ADDRESS_0]);
}

static ssize_t read_bar(struct pasidq *q, char __user *buf, size_t count, loff_t pos)
{
	struct pasidq_regs regs;

	if (pos < sizeof(regs)) {
		pasidq_read_regs(q, &regs);
		return simple_read_from_buffer(buf, count, &pos, &regs, sizeof(regs));
	}
	if (pos >= PASIDQ_BAR_SIZE)
		return -EINVAL;
	count = min_t(size_t, count, PASIDQ_BAR_SIZE - pos);
	return clear_user(buf, count) ? -EFAULT : count;
}

static ssize_t read_config(struct pasidq *q, char __user *buf, size_t count, loff_t pos)
{
	u8 config[CONFIG_SIZE];

	if (pos >= CONFIG_SIZE)
		return -EINVAL;
	scoped_guard(mutex, &q->lock)
		memcpy(config, q->config, sizeof(config));
	return simple_read_from_buffer(buf, count, &pos, config, sizeof(config));
}

static ssize_t write_portal(struct pasidq *q, const char __user *buf, size_t count, loff_t pos)
{
	struct pasidq_desc desc;

	BUILD_BUG_ON(sizeof(desc) != 64);
	if (pos < PASIDQ_PORTAL || pos >= PASIDQ_BAR_SIZE || pos % sizeof(desc) ||
	    count != sizeof(desc))
		return -EINVAL;
	if (copy_from_user(&desc, buf, sizeof(desc)))
		return -EFAULT;
	pasidq_submit(q, &desc);
	return count;
}

static ssize_t write_config(struct pasidq *q, const char __user *buf, size_t count, loff_t pos)
{
	u8 data[CONFIG_SIZE], mask;
	size_t i;

	if (pos >= CONFIG_SIZE)
		return -EINVAL;
	count = min_t(size_t, count, CONFIG_SIZE - pos);
	if (copy_from_user(data, buf, count))
		return -EFAULT;
	guard(mutex)(&q->lock);
	for (i = 0; i < count; i++) {
		mask = config_mask(pos + i);
		q->config[pos + i] = (q->config[pos + i] & ~mask) | (data[i] & mask);
	}
	return count;
}

static ssize_t rw(struct pasidq *q, char __user *buf, size_t count, loff_t *ppos, bool write)
{
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	ssize_t n = -EINVAL;

	switch (VFIO_PCI_OFFSET_TO_INDEX(*ppos)) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		n = write ? write_portal(q, buf, count, pos) : read_bar(q, buf, count, pos);
		break;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		n = write ? write_config(q, buf, count, pos) : read_config(q, buf, count, pos);
	}
	if (n > 0)
		*ppos += n;
	return n;
}

static ssize_t pasidq_read(struct vfio_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos)
{
	return rw(to_pasidq(vdev), buf, count, ppos, false);
}

static ssize_t pasidq_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	return rw(to_pasidq(vdev), (char __user *)buf, count, ppos, true);
}

static long get_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long get_region_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.offset = VFIO_PCI_INDEX_TO_OFFSET(info.index);
	info.cap_offset = 0;
	info.size = 0;
	if (info.index == VFIO_PCI_BAR0_REGION_INDEX)
		info.size = PASIDQ_BAR_SIZE;
	else if (info.index == VFIO_PCI_CONFIG_REGION_INDEX)
		info.size = CONFIG_SIZE;
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long get_irq_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long pasidq_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(uarg);
	case VFIO_DEVICE_RESET:
		reset(to_pasidq(vdev));
		return 0;
	default:
		return -ENOTTY;
	}
}

static void pasidq_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	pasidq_unmap(to_pasidq(vdev), IOMMU_NO_PASID, iova, length);
}

static void pasidq_pasid_dma_unmap(struct vfio_device *vdev, u32 pasid, u64 iova, u64 length)
{
	pasidq_unmap(to_pasidq(vdev), pasid, iova, length);
}

static int pasidq_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *id)
{
	static const struct iommufd_access_pasids pasids = { .width = PASIDQ_WIDTH };
	int rc;

	rc = vfio_iommufd_emulated_bind(vdev, ictx, id);
	if (rc)
		return rc;
	rc = iommufd_access_set_pasids(vdev->iommufd_access, &pasids);
	if (rc)
		vfio_iommufd_emulated_unbind(vdev);
	return rc;
}

/* A type1 container has one address space, and no PASIDs. */
static int pasidq_open(struct vfio_device *vdev)
{
	if (!vdev->iommufd_access)
		return -EOPNOTSUPP;
	reset(to_pasidq(vdev));
	return 0;
}

static void pasidq_close(struct vfio_device *vdev)
{
	reset(to_pasidq(vdev));
}

static int pasidq_init(struct vfio_device *vdev)
{
	pasidq_queue_init(to_pasidq(vdev));
	return 0;
}

static void pasidq_release(struct vfio_device *vdev)
{
	mutex_destroy(&to_pasidq(vdev)->lock);
}

static const struct vfio_device_ops pasidq_ops = {
	.name = "vfio-pasidq",
	.init = pasidq_init,
	.release = pasidq_release,
	.bind_iommufd = pasidq_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
	.pasid_attach_ioas = vfio_iommufd_emulated_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_emulated_pasid_detach_ioas,
	.dma_unmap = pasidq_dma_unmap,
	.pasid_dma_unmap = pasidq_pasid_dma_unmap,
	.open_device = pasidq_open,
	.close_device = pasidq_close,
	.read = pasidq_read,
	.write = pasidq_write,
	.ioctl = pasidq_ioctl,
};

static int pasidq_probe(struct mdev_device *mdev)
{
	struct pasidq *q;
	int rc;

	q = vfio_alloc_device(pasidq, vdev, &mdev->dev, &pasidq_ops);
	if (IS_ERR(q))
		return PTR_ERR(q);
	dev_set_drvdata(&mdev->dev, q);
	rc = vfio_register_emulated_iommu_dev(&q->vdev);
	if (rc)
		vfio_put_device(&q->vdev);
	return rc;
}

static void pasidq_remove(struct mdev_device *mdev)
{
	struct pasidq *q = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&q->vdev);
	vfio_put_device(&q->vdev);
}

static struct mdev_driver pasidq_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = MAX_DEVICES,
	.driver = {
		.name = "pasidq",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = pasidq_probe,
	.remove = pasidq_remove,
};

static struct mdev_type queue_type = {
	.sysfs_name = "queue",
	.pretty_name = "a shared work queue with PASIDs",
};

static struct mdev_type *pasidq_types[] = { &queue_type };
static const struct class pasidq_class = { .name = "pasidq" };
static struct mdev_parent pasidq_parent;

static int __init pasidq_module_init(void)
{
	struct device *dev;
	int rc;

	rc = mdev_register_driver(&pasidq_driver);
	if (rc)
		return rc;
	rc = class_register(&pasidq_class);
	if (rc)
		goto err_driver;
	dev = device_create(&pasidq_class, NULL, MKDEV(0, 0), NULL, "pasidq");
	if (IS_ERR(dev)) {
		rc = PTR_ERR(dev);
		goto err_class;
	}
	rc = mdev_register_parent(&pasidq_parent, dev, &pasidq_driver, pasidq_types,
				  ARRAY_SIZE(pasidq_types));
	if (!rc)
		return 0;
	device_unregister(dev);
err_class:
	class_unregister(&pasidq_class);
err_driver:
	mdev_unregister_driver(&pasidq_driver);
	return rc;
}

static void __exit pasidq_module_exit(void)
{
	struct device *dev = pasidq_parent.dev;

	mdev_unregister_parent(&pasidq_parent);
	device_unregister(dev);
	class_unregister(&pasidq_class);
	mdev_unregister_driver(&pasidq_driver);
}

module_init(pasidq_module_init)
module_exit(pasidq_module_exit)

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Sample of an emulated device that uses PASIDs");
