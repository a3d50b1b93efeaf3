/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seals of a memfd, which the base tells to user space only.
 */
#ifndef __IOMMUFD_FILE_SEALS_H
#define __IOMMUFD_FILE_SEALS_H

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/shmem_fs.h>

/* F_SEAL_ bits of a file of tmpfs or hugetlbfs. */
static inline unsigned int file_seals(struct file *file)
{
#ifdef CONFIG_HUGETLBFS
	if (is_file_hugepages(file))
		return HUGETLBFS_I(file_inode(file))->seals;
#endif
	return SHMEM_I(file_inode(file))->seals;
}

#endif
