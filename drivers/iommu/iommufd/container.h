/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/vfio/vfio as another name of /dev/iommu, if CONFIG_IOMMUFD_VFIO_CONTAINER
 * says so.
 */
#ifndef __IOMMUFD_CONTAINER_H
#define __IOMMUFD_CONTAINER_H

#include <linux/fs.h>
#include <linux/init.h>

#ifdef CONFIG_IOMMUFD_VFIO_CONTAINER
int __init container_init(const struct file_operations *fops);
void container_exit(void);
bool container_opened(const struct file *filp);
#else
static inline int container_init(const struct file_operations *fops)
{
	return 0;
}

static inline void container_exit(void)
{
}

static inline bool container_opened(const struct file *filp)
{
	return false;
}
#endif

#endif
