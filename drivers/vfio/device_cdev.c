// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vfio/devices/vfioX: a VFIO device as a character device of its own. A
 * file of it is good for nothing until it is bound to an iommufd; one file at a
 * time can be, and not while the device's group is open.
 *
 * vfio_device_file.iommufd and access_granted, and vfio_device.cdev_opened, are
 * written under the lock of the device set. Calls of a bound file look at
 * access_granted without it.
 */
#include <linux/cdev.h>
#include <linux/iommufd.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "vfio.h"

static dev_t cdev_devt;

/**
 * vfio_init_device_cdev() - prepare the character device of a VFIO device
 * @device: not registered yet
 */
void vfio_init_device_cdev(struct vfio_device *device)
{
	cdev_init(&device->cdev, &vfio_device_fops);
	device->cdev.owner = THIS_MODULE;
	device->device.devt = MKDEV(MAJOR(cdev_devt), device->index);
}

/**
 * vfio_device_fops_cdev_open() - open of the character device
 * @inode: the device's inode
 * @filep: the new file; gives no access until it is bound
 *
 * Context: may sleep.
 * Return: 0; -ENODEV if the device is going away; -ENOMEM.
 */
int vfio_device_fops_cdev_open(struct inode *inode, struct file *filep)
{
	struct vfio_device *device = container_of(inode->i_cdev, struct vfio_device, cdev);
	struct vfio_device_file *df;

	/* Put by the release of the file. */
	if (!vfio_device_try_get_registration(device))
		return -ENODEV;
	df = vfio_allocate_device_file(device);
	if (IS_ERR(df)) {
		vfio_device_put_registration(device);
		return PTR_ERR(df);
	}
	filep->private_data = df;
	/* All files of a device share its mappings, so that a reset can zap them. */
	filep->f_mapping = device->inode->i_mapping;
	return 0;
}

static void df_close(struct vfio_device_file *df)
{
	vfio_df_close(df);
	vfio_device_put_kvm(df->device);
}

/* Open the device for a file that has its iommufd. */
static int df_open(struct vfio_device_file *df, __u32 __user *out_devid)
{
	int rc;

	/* The driver's open_device() may want to know the VM. */
	spin_lock(&df->kvm_ref_lock);
	vfio_device_get_kvm_safe(df->device, df->kvm);
	spin_unlock(&df->kvm_ref_lock);

	rc = vfio_df_open(df);
	if (rc) {
		vfio_device_put_kvm(df->device);
		return rc;
	}
	if (put_user(df->devid, out_devid)) {
		df_close(df);
		return -EFAULT;
	}
	return 0;
}

static int df_bind(struct vfio_device_file *df, int fd, __u32 __user *out_devid)
{
	struct vfio_device *device = df->device;
	struct iommufd_ctx *ictx;
	int rc;

	guard(mutex)(&device->dev_set->lock);
	/* Also keeps the VM of the file that has it open. */
	if (df->access_granted || device->open_count)
		return -EINVAL;
	ictx = iommufd_ctx_from_fd(fd);
	if (IS_ERR(ictx))
		return PTR_ERR(ictx);

	df->iommufd = ictx;
	rc = df_open(df, out_devid);
	if (rc) {
		df->iommufd = NULL;
		iommufd_ctx_put(ictx);
		return rc;
	}
	device->cdev_opened = true;
	/* From here on other calls use the device; they load this with acquire. */
	smp_store_release(&df->access_granted, true);
	return 0;
}

/**
 * vfio_df_ioctl_bind_iommufd() - VFIO_DEVICE_BIND_IOMMUFD
 * @df: the file
 * @arg: the user's structure; out_devid is set
 *
 * Context: may sleep; takes the group's lock, then dev_set->lock.
 * Return: 0; -EINVAL for a file got from a group, a structure that is too short,
 * a flag, a file that is bound already, or a device that another file has
 * bound; -EBUSY while the device's group is open; -EBADF or -EBADFD for what is
 * not an iommufd; -EFAULT; or why the device cannot be bound.
 */
long vfio_df_ioctl_bind_iommufd(struct vfio_device_file *df,
				struct vfio_device_bind_iommufd __user *arg)
{
	const size_t min_size = offsetofend(struct vfio_device_bind_iommufd, out_devid);
	struct vfio_device_bind_iommufd bind;
	int rc;

	if (df->group)
		return -EINVAL;
	if (copy_from_user(&bind, arg, min_size))
		return -EFAULT;
	if (bind.argsz < min_size || bind.flags || bind.iommufd < 0)
		return -EINVAL;

	/* Unblocked when the file is released. */
	rc = vfio_device_block_group(df->device);
	if (rc)
		return rc;
	rc = df_bind(df, bind.iommufd, &arg->out_devid);
	if (rc)
		vfio_device_unblock_group(df->device);
	return rc;
}

/**
 * vfio_df_unbind_iommufd() - release of a file of the character device
 * @df: the file, bound or not; no call runs any more
 *
 * Context: may sleep; takes dev_set->lock, then the group's lock.
 */
void vfio_df_unbind_iommufd(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	if (!df->access_granted)
		return;
	scoped_guard(mutex, &device->dev_set->lock) {
		device->cdev_opened = false;
		df_close(df);
	}
	iommufd_ctx_put(df->iommufd);
	vfio_device_unblock_group(device);
}

/* What a call means for the device, or with the flag for a PASID of it. */
static int attach_at(struct vfio_device *device, bool at_pasid, u32 pasid, u32 *pt_id)
{
	if (!at_pasid)
		return device->ops->attach_ioas(device, pt_id);
	return device->ops->pasid_attach_ioas(device, pasid, pt_id);
}

static void detach_at(struct vfio_device *device, bool at_pasid, u32 pasid)
{
	if (at_pasid)
		device->ops->pasid_detach_ioas(device, pasid);
	else
		device->ops->detach_ioas(device);
}

/* Whether a structure as long as that, with a PASID if the flag is set, makes sense. */
static int check_pasid(struct vfio_device *device, bool at_pasid, size_t missing, u32 pasid)
{
	if (!at_pasid)
		return 0;
	if (missing)
		return -EINVAL;
	if (!device->ops->pasid_attach_ioas || !device->ops->pasid_detach_ioas)
		return -EOPNOTSUPP;
	return pasid ? 0 : -EDOM;
}

/**
 * vfio_df_ioctl_attach_pt() - VFIO_DEVICE_ATTACH_IOMMUFD_PT
 * @df: a bound file
 * @arg: the user's structure; pt_id is set to what the device is attached to
 *
 * Context: may sleep; takes dev_set->lock.
 * Return: 0; -EINVAL for a structure that is too short or a flag; -EDOM for a PASID
 * of 0; -EOPNOTSUPP for a PASID of a device that has none; or why it cannot be
 * attached, and is still attached to what it was. -EFAULT: the same, unless the
 * answer could not be written although it could before: then it is detached.
 */
int vfio_df_ioctl_attach_pt(struct vfio_device_file *df,
			    struct vfio_device_attach_iommufd_pt __user *arg)
{
	const size_t min_size = offsetofend(struct vfio_device_attach_iommufd_pt, pt_id);
	struct vfio_device_attach_iommufd_pt attach = {};
	struct vfio_device *device = df->device;
	bool at_pasid;
	int rc;

	if (copy_from_user(&attach, arg, min_size))
		return -EFAULT;
	if (attach.argsz < min_size || (attach.flags & ~VFIO_DEVICE_ATTACH_PASID))
		return -EINVAL;
	at_pasid = attach.flags;
	if (at_pasid && attach.argsz >= sizeof(attach) && get_user(attach.pasid, &arg->pasid))
		return -EFAULT;
	rc = check_pasid(device, at_pasid, attach.argsz < sizeof(attach), attach.pasid);
	if (rc)
		return rc;
	/* Before anything has changed: what was attached cannot be brought back. */
	if (put_user(attach.pt_id, &arg->pt_id))
		return -EFAULT;

	guard(mutex)(&device->dev_set->lock);
	rc = attach_at(device, at_pasid, attach.pasid, &attach.pt_id);
	if (rc)
		return rc;
	if (put_user(attach.pt_id, &arg->pt_id)) {
		detach_at(device, at_pasid, attach.pasid);
		return -EFAULT;
	}
	return 0;
}

/**
 * vfio_df_ioctl_detach_pt() - VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @df: a bound file
 * @arg: the user's structure
 *
 * Context: may sleep; takes dev_set->lock.
 * Return: 0, also if nothing is attached; -EINVAL for a structure that is too
 * short or a flag; -EDOM for a PASID of 0; -EOPNOTSUPP for a PASID of a device
 * that has none; -EFAULT.
 */
int vfio_df_ioctl_detach_pt(struct vfio_device_file *df,
			    struct vfio_device_detach_iommufd_pt __user *arg)
{
	const size_t min_size = offsetofend(struct vfio_device_detach_iommufd_pt, flags);
	struct vfio_device_detach_iommufd_pt detach = {};
	struct vfio_device *device = df->device;
	bool at_pasid;
	int rc;

	if (copy_from_user(&detach, arg, min_size))
		return -EFAULT;
	if (detach.argsz < min_size || (detach.flags & ~VFIO_DEVICE_DETACH_PASID))
		return -EINVAL;
	at_pasid = detach.flags;
	if (at_pasid && detach.argsz >= sizeof(detach) && get_user(detach.pasid, &arg->pasid))
		return -EFAULT;
	rc = check_pasid(device, at_pasid, detach.argsz < sizeof(detach), detach.pasid);
	if (rc)
		return rc;

	guard(mutex)(&device->dev_set->lock);
	detach_at(device, at_pasid, detach.pasid);
	return 0;
}

static char *cdev_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

/**
 * vfio_cdev_init() - get device numbers
 * @device_class: class of the VFIO devices
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int vfio_cdev_init(struct class *device_class)
{
	device_class->devnode = cdev_devnode;
	return alloc_chrdev_region(&cdev_devt, 0, MINORMASK + 1, "vfio-dev");
}

/**
 * vfio_cdev_cleanup() - give them back
 *
 * Context: may sleep; no device is left.
 */
void vfio_cdev_cleanup(void)
{
	unregister_chrdev_region(cdev_devt, MINORMASK + 1);
}
