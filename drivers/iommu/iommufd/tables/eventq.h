/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file by which user space takes events from an object, and answers them: a
 * fault queue, a queue of a virtual IOMMU. The kind keeps the events.
 *
 * The file holds its object and the context: while it is open, DESTROY of the
 * object is -EBUSY, and closing /dev/iommu does not end the context. A kind that
 * waits for answers learns by its closed operation that none will come.
 */
#ifndef __IOMMUFD_EVENTQ_H
#define __IOMMUFD_EVENTQ_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct eventq;
struct file;
struct object;

/**
 * struct eventq_ops - what the kinds differ in
 * @name: of the file, in /proc
 * @read: copies whole events to the user, and never waits for one. Called with
 *	read_lock held, so that it waits for the user's memory; whoever reports or
 *	destroys must not. Returns bytes, 0 if there is no event, or -errno
 * @write: takes answers of the user; may be NULL
 * @readable: whether there is an event; called with lock held
 * @closed: nobody reads and writes any more; may be NULL
 */
struct eventq_ops {
	const char *name;
	ssize_t (*read)(struct eventq *queue, char __user *buf, size_t count);
	ssize_t (*write)(struct eventq *queue, const char __user *buf, size_t count);
	bool (*readable)(struct eventq *queue);
	void (*closed)(struct eventq *queue);
};

/**
 * struct eventq - the file's side of an object
 * @ops: of the kind
 * @obj: the object that it is embedded in
 * @lock: for the kind's events; a leaf, taken by threads only
 * @read_lock: one reader at a time; outermost
 * @wait: who polls
 * @file: until eventq_install() or eventq_abort()
 * @fd: number that is kept for it until then
 */
struct eventq {
	const struct eventq_ops *ops;
	struct object *obj;
	spinlock_t lock; /* of the kind's events */
	struct mutex read_lock; /* one reader */
	wait_queue_head_t wait;
	struct file *file;
	int fd;
};

int eventq_init(struct eventq *queue, struct object *obj, const struct eventq_ops *ops);
void eventq_install(struct eventq *queue);
void eventq_abort(struct eventq *queue);
void eventq_wake(struct eventq *queue);

#endif
