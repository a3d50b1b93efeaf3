// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of virtual IOMMUs. Room for all that a queue holds is there from the
 * start, so that reporting one needs no memory. What does not fit is lost, which
 * the user sees by a number that is missing, or, where none follows yet, by a header
 * that stands alone.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "veventq.h"
#include "viommu.h"

static u32 next_sequence(u32 sequence)
{
	return (sequence + 1) & INT_MAX;
}

static size_t entry_size(const struct veventq *queue)
{
	return sizeof(struct iommufd_vevent_header) + queue->size;
}

static void *entry_at(const struct veventq *queue, u32 nr)
{
	u64 at = (u64)queue->head + nr;

	if (at >= queue->depth)
		at -= queue->depth;
	return queue->room + at * entry_size(queue);
}

static bool readable(struct eventq *events)
{
	struct veventq *queue = container_of(events, struct veventq, events);

	return queue->nr || queue->lost;
}

/* The whole events that fit. They stay while the user's memory is waited for. */
static ssize_t read_events(struct veventq *queue, char __user *buf, size_t count)
{
	size_t size = entry_size(queue), done = 0;

	for (;;) {
		void *entry = NULL;

		spin_lock(&queue->events.lock);
		if (queue->nr)
			entry = entry_at(queue, 0);
		spin_unlock(&queue->events.lock);
		if (!entry || count - done < size)
			return done || !entry ? done : -EINVAL;
		if (copy_to_user(buf + done, entry, size))
			return done ?: -EFAULT;
		done += size;
		spin_lock(&queue->events.lock);
		queue->head = queue->head + 1 == queue->depth ? 0 : queue->head + 1;
		queue->nr--;
		spin_unlock(&queue->events.lock);
	}
}

/* If what is missing is at the end. */
static ssize_t read_lost(struct veventq *queue, char __user *buf, size_t count)
{
	struct iommufd_vevent_header header = { .flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS };
	bool lost;

	spin_lock(&queue->events.lock);
	lost = queue->lost && !queue->nr;
	header.sequence = (queue->sequence - 1) & INT_MAX;
	spin_unlock(&queue->events.lock);
	if (!lost || count < sizeof(header))
		return 0;
	if (copy_to_user(buf, &header, sizeof(header)))
		return -EFAULT;
	spin_lock(&queue->events.lock);
	if (next_sequence(header.sequence) == queue->sequence)
		queue->lost = false;
	spin_unlock(&queue->events.lock);
	return sizeof(header);
}

static ssize_t veventq_read(struct eventq *events, char __user *buf, size_t count)
{
	struct veventq *queue = container_of(events, struct veventq, events);
	ssize_t done, rc;

	if (count < sizeof(struct iommufd_vevent_header))
		return -EINVAL;
	done = read_events(queue, buf, count);
	if (done < 0)
		return done;
	rc = read_lost(queue, buf + done, count - done);
	return rc < 0 && done ? done : done + rc;
}

static const struct eventq_ops veventq_ops = {
	.name = "[iommufd-veventq]",
	.read = veventq_read,
	.readable = readable,
};

static void veventq_free(struct veventq *queue)
{
	viommu_put(queue->viommu);
	kvfree(queue->room);
	kfree(queue);
}

static void veventq_leave(struct veventq *queue)
{
	spin_lock(&queue->viommu->events_lock);
	list_del(&queue->node);
	spin_unlock(&queue->viommu->events_lock);
}

static void veventq_destroy(struct object *obj)
{
	struct veventq *queue = container_of(obj, struct veventq, obj);

	veventq_leave(queue);
	veventq_free(queue);
}

const struct object_type veventq_type = {
	.name = "veventq",
	.destroy = veventq_destroy,
};

/* The queue for a type, or NULL. */
static struct veventq *veventq_of(struct viommu *viommu, u32 type)
{
	struct veventq *queue;

	lockdep_assert_held(&viommu->events_lock);
	list_for_each_entry(queue, &viommu->veventqs, node)
		if (queue->type == type)
			return queue;
	return NULL;
}

static int veventq_join(struct veventq *queue)
{
	struct viommu *viommu = queue->viommu;
	int rc = -EEXIST;

	spin_lock(&viommu->events_lock);
	if (!veventq_of(viommu, queue->type)) {
		list_add_tail(&queue->node, &viommu->veventqs);
		rc = 0;
	}
	spin_unlock(&viommu->events_lock);
	return rc;
}

static struct veventq *veventq_new(struct viommu *viommu, u32 type, size_t size, u32 depth)
{
	struct veventq *queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);

	if (!queue)
		return NULL;
	queue->type = type;
	queue->size = size;
	queue->depth = depth;
	queue->room = kvcalloc(depth, entry_size(queue), GFP_KERNEL_ACCOUNT);
	if (!queue->room) {
		kfree(queue);
		return NULL;
	}
	queue->viommu = viommu;
	object_hold(&viommu->obj);
	return queue;
}

/**
 * veventq_alloc() - a queue for the events of one type
 * @viommu: whose; the queue takes a reference
 * @type: of enum iommu_veventq_type
 * @depth: events that it holds
 *
 * Context: process, may sleep.
 * Return: the queue, not yet published and without its file installed, or ERR_PTR():
 * -EINVAL for a depth of 0 or more than VEVENTQ_MAX_DEPTH; -EOPNOTSUPP if there are no
 * such events; -EEXIST if they have a queue; -ENOMEM; see eventq_init().
 */
struct veventq *veventq_alloc(struct viommu *viommu, u32 type, u32 depth)
{
	const struct iommufd_viommu_ops *ops = viommu->drv->ops;
	size_t size = ops->vevent_size ? ops->vevent_size(type) : 0;
	struct veventq *queue;
	int rc;

	if (!size)
		return ERR_PTR(-EOPNOTSUPP);
	if (!depth || depth > VEVENTQ_MAX_DEPTH)
		return ERR_PTR(-EINVAL);
	queue = veventq_new(viommu, type, size, depth);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	rc = object_init(viommu->obj.ictx, &queue->obj, &veventq_type);
	if (rc)
		goto free;
	rc = eventq_init(&queue->events, &queue->obj, &veventq_ops);
	if (rc)
		goto abort;
	rc = veventq_join(queue);
	if (!rc)
		return queue;
	eventq_abort(&queue->events);
abort:
	object_abort(&queue->obj);
free:
	veventq_free(queue);
	return ERR_PTR(rc);
}

static int report_to(struct veventq *queue, const void *event)
{
	struct iommufd_vevent_header *header;
	int rc = -ENOSPC;

	spin_lock(&queue->events.lock);
	queue->lost = queue->nr == queue->depth;
	if (!queue->lost) {
		header = entry_at(queue, queue->nr++);
		*header = (struct iommufd_vevent_header){ .sequence = queue->sequence };
		memcpy(header + 1, event, queue->size);
		rc = 0;
	}
	queue->sequence = next_sequence(queue->sequence);
	spin_unlock(&queue->events.lock);
	eventq_wake(&queue->events);
	return rc;
}

static int report(struct iommufd_viommu *drv, u32 type, const void *event)
{
	struct viommu *viommu = drv->core;
	struct veventq *queue;
	int rc;

	spin_lock(&viommu->events_lock);
	queue = veventq_of(viommu, type);
	rc = queue ? report_to(queue, event) : -EOPNOTSUPP;
	spin_unlock(&viommu->events_lock);
	return rc;
}

const struct iommufd_viommu_calls viommu_calls = {
	.report = report,
	.virt_id = viommu_virt_id,
	.vdevice = viommu_vdevice,
	.mmap = viommu_add_region,
};
