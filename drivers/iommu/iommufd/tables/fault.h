/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fault queue: page requests of devices, which the user reads from a file and
 * answers there. A request belongs to a group; groups are read and answered as a
 * whole.
 */
#ifndef __IOMMUFD_FAULT_H
#define __IOMMUFD_FAULT_H

#include <linux/iommu.h>
#include <linux/mutex.h>

#include "../object.h"
#include "eventq.h"

/* Groups that a queue holds, read or not; more are answered for the user. */
#define FAULT_QUEUE_GROUPS 4096

/**
 * struct fault_queue - a fault queue
 * @obj: head
 * @events: its file; the lock in it protects what is marked so
 * @answer_lock: of who takes groups out; inside of attach_lock
 * @unread: groups that the user has not read; protected by events.lock
 * @read: groups that wait for the user's answer; protected likewise
 * @reading: the one that is being copied to the user; protected likewise
 * @closed: there is no file any more; protected likewise
 * @nr: groups in both lists; protected likewise
 * @cookie: of the group that was read last; protected likewise
 */
struct fault_queue {
	struct object obj;
	struct eventq events;
	struct mutex answer_lock; /* of who takes groups out */
	struct list_head unread;
	struct list_head read;
	struct iopf_group *reading;
	bool closed;
	unsigned int nr;
	u32 cookie;
};

/**
 * struct fault_handle - an attachment as its page requests see it
 * @core: what the iommu core knows of it
 * @queue: where they go; kept by the page table
 * @dev_id: which device the user takes them for
 * @pasid: what the user calls the PASID; 0 for requests without
 * @own_pasids: the PASIDs in requests are those of a table of the user's: they are
 *	reported as they are
 */
struct fault_handle {
	struct iommu_attach_handle core;
	struct fault_queue *queue;
	u32 dev_id;
	u32 pasid;
	bool own_pasids;
};

extern const struct object_type fault_queue_type;

static inline void fault_queue_put(struct fault_queue *queue)
{
	object_put(&queue->obj);
}

OBJECT_KIND(fault_queue, struct fault_queue, fault_queue_type);

struct fault_queue *fault_queue_new(struct iommufd_ctx *ictx);
int fault_handler(struct iopf_group *group);
void fault_end(struct fault_handle *handle);

#endif
