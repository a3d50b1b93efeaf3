/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An access behind a file, and what it has pinned.
 */
#ifndef __IOMMUFD_MOCK_ACCESS_H
#define __IOMMUFD_MOCK_ACCESS_H

#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/mutex.h>

#include "mock.h"

#define MOCK_UNMAPS 64

/**
 * struct mock_unmap - an unmap that an access was told of
 * @pasid: of what is attached; 0 for the access itself
 * @iova: first byte
 * @length: bytes
 */
struct mock_unmap {
	u32 pasid;
	unsigned long iova;
	unsigned long length;
};

/**
 * struct mock_access - an access behind a file
 * @access: of iommufd
 * @pins: it was made to pin
 * @parent: whose global numbers its PASIDs are, with a reference; or NULL
 * @lock: protects all that follows
 * @items: struct mock_item
 * @last_id: number of the newest item
 * @unmaps: the latest it was told of, by number
 * @nr_unmaps: of all
 */
struct mock_access {
	struct iommufd_access *access;
	bool pins;
	struct mock_device *parent;
	struct mutex lock; /* of all that follows */
	struct list_head items;
	u32 last_id;
	struct mock_unmap unmaps[MOCK_UNMAPS];
	u32 nr_unmaps;
};

/**
 * struct mock_item - pinned memory
 * @node: in mock_access.items
 * @id: its number
 * @pasid: through what it was pinned; 0 for the access itself
 * @iova: first byte, page-aligned
 * @length: bytes, whole pages
 */
struct mock_item {
	struct list_head node;
	u32 id;
	u32 pasid;
	unsigned long iova;
	unsigned long length;
};

void mock_item_end(struct mock_access *acc, struct mock_item *item);
struct file *mock_access_file(u32 fd);

/* Keeps the file, and so the access, for as long as an operation works on it. */
DEFINE_CLASS(access_file, struct file *, if (!IS_ERR(_T)) fput(_T), mock_access_file(fd), u32 fd)

#endif
