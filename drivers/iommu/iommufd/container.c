// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vfio/vfio, in place of VFIO's own: the same file as /dev/iommu, but for
 * who may open it and who pays at first.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "container.h"

/* Everybody may open it: without a group it is good for nothing. */
static struct miscdevice container_misc = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	.mode = 0666,
};

/**
 * container_init() - make /dev/vfio/vfio
 * @fops: of /dev/iommu
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int __init container_init(const struct file_operations *fops)
{
	container_misc.fops = fops;
	return misc_register(&container_misc);
}

/**
 * container_exit() - undo container_init()
 *
 * Context: may sleep.
 */
void container_exit(void)
{
	misc_deregister(&container_misc);
}

/**
 * container_opened() - whether a file is being opened by this name
 * @filp: the file, in its open operation
 *
 * Return: whether it is.
 */
bool container_opened(const struct file *filp)
{
	return filp->private_data == &container_misc;
}

MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
