// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a queue of events: its number, its life, poll. Knows no kind of
 * event, and of the context its file alone.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>

#include "../object.h"
#include "eventq.h"

static ssize_t eventq_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct eventq *queue = file->private_data;
	ssize_t rc;

	if (mutex_lock_interruptible(&queue->read_lock))
		return -ERESTARTSYS;
	rc = queue->ops->read(queue, buf, count);
	mutex_unlock(&queue->read_lock);
	return rc;
}

static ssize_t eventq_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct eventq *queue = file->private_data;

	return queue->ops->write ? queue->ops->write(queue, buf, count) : -EINVAL;
}

static __poll_t eventq_poll(struct file *file, poll_table *wait)
{
	struct eventq *queue = file->private_data;
	__poll_t events = queue->ops->write ? EPOLLOUT | EPOLLWRNORM : 0;

	poll_wait(file, &queue->wait, wait);
	spin_lock(&queue->lock);
	if (queue->ops->readable(queue))
		events |= EPOLLIN | EPOLLRDNORM;
	spin_unlock(&queue->lock);
	return events;
}

static int eventq_release(struct inode *inode, struct file *file)
{
	struct eventq *queue = file->private_data;
	struct file *ctx_file;

	/* It never became the user's. */
	if (!queue)
		return 0;
	ctx_file = queue->obj->ictx->file;
	if (queue->ops->closed)
		queue->ops->closed(queue);
	object_put(queue->obj);
	fput(ctx_file);
	return 0;
}

static const struct file_operations eventq_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.read = eventq_read,
	.write = eventq_write,
	.poll = eventq_poll,
	.release = eventq_release,
};

/**
 * eventq_init() - a file for an object, which nobody has yet
 * @queue: embedded in the object
 * @obj: the object, initialised and not yet published
 * @ops: of the kind
 *
 * Context: process, may sleep.
 * Return: 0; -EMFILE or -ENFILE if there are too many open files; -ENOMEM.
 */
int eventq_init(struct eventq *queue, struct object *obj, const struct eventq_ops *ops)
{
	queue->ops = ops;
	queue->obj = obj;
	spin_lock_init(&queue->lock);
	mutex_init(&queue->read_lock);
	init_waitqueue_head(&queue->wait);
	queue->fd = get_unused_fd_flags(O_CLOEXEC);
	if (queue->fd < 0)
		return queue->fd;
	/* Without a queue, until that has a reference. */
	queue->file = anon_inode_getfile(ops->name, &eventq_fops, NULL, O_RDWR);
	if (IS_ERR(queue->file)) {
		put_unused_fd(queue->fd);
		return PTR_ERR(queue->file);
	}
	stream_open(file_inode(queue->file), queue->file);
	return 0;
}

/**
 * eventq_install() - the file becomes the user's
 * @queue: the queue; its object is complete
 *
 * Context: the process of eventq_init(); cannot fail.
 */
void eventq_install(struct eventq *queue)
{
	struct file *file = queue->file;

	object_hold(queue->obj);
	get_file(queue->obj->ictx->file);
	file->private_data = queue;
	queue->file = NULL;
	/* From here on the user may close it. */
	fd_install(queue->fd, file);
}

/**
 * eventq_abort() - undo eventq_init()
 * @queue: the queue, not installed
 *
 * Context: the process of eventq_init(), may sleep.
 */
void eventq_abort(struct eventq *queue)
{
	put_unused_fd(queue->fd);
	fput(queue->file);
	queue->file = NULL;
}

/**
 * eventq_wake() - there is an event
 * @queue: the queue
 *
 * Context: any.
 */
void eventq_wake(struct eventq *queue)
{
	wake_up_interruptible_poll(&queue->wait, EPOLLIN | EPOLLRDNORM);
}
