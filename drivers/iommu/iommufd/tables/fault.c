// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues. A group of page requests comes from the iommu core, waits until
 * the user has read it, and then for the user's answer:
 *
 *	fault_handler() -> unread -> (reading) -> read -> answered, freed
 *
 * Whoever takes a group out of the lists holds answer_lock until it has been
 * answered, so that after fault_end() nothing refers to the attachment. That
 * never waits for the user: a group is read while it is in a list, and if it is
 * answered meanwhile, the reader is told by a NULL in place of it and frees it.
 *
 * A cookie is looked for in the list of what was read. That is short, and who
 * answers in the order of reading finds it at its beginning.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../domain/core.h"
#include "../trace.h"
#include "fault.h"

static_assert((int)IOMMU_PGFAULT_PERM_READ == IOMMU_FAULT_PERM_READ);
static_assert((int)IOMMU_PGFAULT_PERM_WRITE == IOMMU_FAULT_PERM_WRITE);
static_assert((int)IOMMU_PGFAULT_PERM_EXEC == IOMMU_FAULT_PERM_EXEC);
static_assert((int)IOMMU_PGFAULT_PERM_PRIV == IOMMU_FAULT_PERM_PRIV);

static struct fault_queue *to_queue(struct eventq *events)
{
	return container_of(events, struct fault_queue, events);
}

static struct fault_handle *handle_of(struct iopf_group *group)
{
	return container_of(group->attach_handle, struct fault_handle, core);
}

/* What the user calls the PASID of a page request; 0 without. */
static u32 pasid_of(const struct fault_handle *handle, const struct iommu_fault_page_request *prm)
{
	if (handle->own_pasids && (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID))
		return prm->pasid;
	return handle->pasid;
}

/* A group's work is its handler's: this one defers nothing, and keeps the time there. */
static void note_time(struct iopf_group *group)
{
	atomic_long_set(&group->work.data, ktime_get_ns());
}

static void trace_group(struct iopf_group *group)
{
	const struct fault_handle *handle = handle_of(group);
	struct iopf_fault *iopf;

	list_for_each_entry(iopf, &group->faults, list)
		trace_iommufd_fault(group->fault_param->dev, handle->queue->obj.id, handle->dev_id,
				    pasid_of(handle, &iopf->fault.prm), &iopf->fault.prm);
}

static void give_answer(struct iopf_group *group, enum iommu_page_response_code code)
{
	if (trace_iommufd_response_enabled())
		trace_iommufd_response(group->fault_param->dev, handle_of(group)->queue->obj.id,
				       group->last_fault.fault.prm.grpid, group->cookie, code,
				       ktime_get_ns() - atomic_long_read(&group->work.data));
	core_fault_answer(group, code);
}

static void answer_and_free(struct iopf_group *group, enum iommu_page_response_code code)
{
	give_answer(group, code);
	core_fault_free(group);
}

/* Whether it is the user's now. */
static bool enqueue(struct fault_queue *queue, struct iopf_group *group)
{
	bool room;

	spin_lock(&queue->events.lock);
	room = !queue->closed && queue->nr < FAULT_QUEUE_GROUPS;
	if (room) {
		queue->nr++;
		list_add_tail(&group->node, &queue->unread);
	}
	spin_unlock(&queue->events.lock);
	return room;
}

/**
 * fault_handler() - take a group of page requests: iommu_domain.iopf_handler
 * @group: the group; its handle is a struct fault_handle
 *
 * Context: may sleep.
 * Return: 0; what the queue cannot take is answered.
 */
int fault_handler(struct iopf_group *group)
{
	struct fault_queue *queue = handle_of(group)->queue;

	note_time(group);
	if (trace_iommufd_fault_enabled())
		trace_group(group);
	if (enqueue(queue, group))
		eventq_wake(&queue->events);
	else
		answer_and_free(group, IOMMU_PAGE_RESP_INVALID);
	return 0;
}

static void describe(const struct fault_handle *handle, const struct iommu_fault_page_request *prm,
		     struct iommu_hwpt_pgfault *out)
{
	*out = (struct iommu_hwpt_pgfault) {
		.dev_id = handle->dev_id,
		.pasid = pasid_of(handle, prm),
		.grpid = prm->grpid,
		.perm = prm->perm,
		.addr = prm->addr,
	};
	if (out->pasid)
		out->flags |= IOMMU_PGFAULT_FLAGS_PASID_VALID;
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		out->flags |= IOMMU_PGFAULT_FLAGS_LAST_PAGE;
}

static int copy_group(struct iopf_group *group, const struct fault_handle *handle,
		      struct iommu_hwpt_pgfault __user *out)
{
	struct iommu_hwpt_pgfault fault;
	struct iopf_fault *iopf;

	list_for_each_entry(iopf, &group->faults, list) {
		describe(handle, &iopf->fault.prm, &fault);
		fault.cookie = group->cookie;
		if (copy_to_user(out++, &fault, sizeof(fault)))
			return -EFAULT;
	}
	return 0;
}

/* The next group to read, if it is not larger than max; 0 requests: there is none. */
static struct iopf_group *start_reading(struct fault_queue *queue, size_t max, size_t *nr,
					struct fault_handle *handle)
{
	struct iopf_group *group;

	spin_lock(&queue->events.lock);
	group = list_first_entry_or_null(&queue->unread, struct iopf_group, node);
	*nr = group ? group->fault_count : 0;
	if (*nr > max)
		group = NULL;
	if (group) {
		group->cookie = ++queue->cookie;
		queue->reading = group;
		*handle = *handle_of(group);
	}
	spin_unlock(&queue->events.lock);
	return group;
}

static void end_reading(struct fault_queue *queue, struct iopf_group *group, bool was_read)
{
	bool answered;

	guard(mutex)(&queue->answer_lock);
	spin_lock(&queue->events.lock);
	answered = !queue->reading;
	queue->reading = NULL;
	if (!answered && was_read)
		list_move_tail(&group->node, &queue->read);
	spin_unlock(&queue->events.lock);
	if (answered)
		core_fault_free(group);
}

static ssize_t fault_read(struct eventq *events, char __user *buf, size_t count)
{
	struct iommu_hwpt_pgfault __user *out = (struct iommu_hwpt_pgfault __user *)buf;
	size_t max = count / sizeof(*out), done = 0, nr;
	struct fault_queue *queue = to_queue(events);
	struct fault_handle handle;
	struct iopf_group *group;
	int rc = 0;

	if (!max)
		return -EINVAL;
	for (;;) {
		group = start_reading(queue, max - done, &nr, &handle);
		if (!group)
			break;
		rc = copy_group(group, &handle, out + done);
		end_reading(queue, group, !rc);
		if (rc)
			break;
		done += nr;
		cond_resched();
	}
	if (!rc && nr)
		rc = -EMSGSIZE;
	return done ? done * sizeof(*out) : rc;
}

/* Take the group of a cookie out of the queue. */
static struct iopf_group *take_read(struct fault_queue *queue, u32 cookie)
{
	struct iopf_group *group, *found = NULL;

	lockdep_assert_held(&queue->answer_lock);
	spin_lock(&queue->events.lock);
	list_for_each_entry(group, &queue->read, node) {
		if (group->cookie != cookie)
			continue;
		list_del(&group->node);
		queue->nr--;
		found = group;
		break;
	}
	spin_unlock(&queue->events.lock);
	return found;
}

static int answer(struct fault_queue *queue, const struct iommu_hwpt_page_response *response)
{
	enum iommu_page_response_code code;
	struct iopf_group *group;

	if (response->code == IOMMUFD_PAGE_RESP_SUCCESS)
		code = IOMMU_PAGE_RESP_SUCCESS;
	else if (response->code == IOMMUFD_PAGE_RESP_INVALID)
		code = IOMMU_PAGE_RESP_INVALID;
	else
		return -EINVAL;

	guard(mutex)(&queue->answer_lock);
	group = take_read(queue, response->cookie);
	if (!group)
		return -EINVAL;
	answer_and_free(group, code);
	return 0;
}

static ssize_t fault_write(struct eventq *events, const char __user *buf, size_t count)
{
	struct iommu_hwpt_page_response response;
	size_t done;
	int rc = 0;

	if (!count || count % sizeof(response))
		return -EINVAL;
	for (done = 0; done < count; done += sizeof(response)) {
		if (copy_from_user(&response, buf + done, sizeof(response)))
			rc = -EFAULT;
		else
			rc = answer(to_queue(events), &response);
		if (rc)
			break;
		cond_resched();
	}
	return done ?: rc;
}

static bool fault_readable(struct eventq *events)
{
	return !list_empty(&to_queue(events)->unread);
}

/* Take the groups of one attachment, or all, out of a list. */
static void take(struct fault_queue *queue, struct list_head *list,
		 const struct fault_handle *handle, struct list_head *taken)
{
	struct iopf_group *group, *next;

	lockdep_assert_held(&queue->events.lock);
	list_for_each_entry_safe(group, next, list, node) {
		if (handle && handle_of(group) != handle)
			continue;
		list_move_tail(&group->node, taken);
		queue->nr--;
	}
}

/* Answer for the user what is there of one attachment, or all. */
static void answer_all(struct fault_queue *queue, const struct fault_handle *handle)
{
	struct iopf_group *group, *next, *reading;
	LIST_HEAD(taken);

	guard(mutex)(&queue->answer_lock);
	spin_lock(&queue->events.lock);
	take(queue, &queue->unread, handle, &taken);
	take(queue, &queue->read, handle, &taken);
	reading = queue->reading;
	if (reading && (!handle || handle_of(reading) == handle))
		queue->reading = NULL;
	spin_unlock(&queue->events.lock);

	list_for_each_entry_safe(group, next, &taken, node) {
		list_del(&group->node);
		if (group == reading)
			give_answer(group, IOMMU_PAGE_RESP_INVALID);
		else
			answer_and_free(group, IOMMU_PAGE_RESP_INVALID);
	}
}

/**
 * fault_end() - an attachment has ended
 * @handle: the attachment, out of the iommu core's reach; what the user has not
 *	answered is answered
 *
 * Context: may sleep; takes answer_lock. Never waits for the user.
 */
void fault_end(struct fault_handle *handle)
{
	answer_all(handle->queue, handle);
}

static void fault_closed(struct eventq *events)
{
	struct fault_queue *queue = to_queue(events);

	spin_lock(&events->lock);
	queue->closed = true;
	spin_unlock(&events->lock);
	answer_all(queue, NULL);
}

static const struct eventq_ops fault_ops = {
	.name = "[iommufd-fault]",
	.read = fault_read,
	.write = fault_write,
	.readable = fault_readable,
	.closed = fault_closed,
};

static void fault_queue_destroy(struct object *obj)
{
	struct fault_queue *queue = container_of(obj, struct fault_queue, obj);

	WARN_ON(queue->nr);
	kfree(queue);
}

const struct object_type fault_queue_type = {
	.name = "fault queue",
	.destroy = fault_queue_destroy,
};

/**
 * fault_queue_new() - an empty fault queue, with its file
 * @ictx: the context
 *
 * Context: process, may sleep.
 * Return: the queue, not yet published, or ERR_PTR(): -ENOMEM, or see
 * eventq_init().
 */
struct fault_queue *fault_queue_new(struct iommufd_ctx *ictx)
{
	struct fault_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!queue)
		return ERR_PTR(-ENOMEM);
	mutex_init(&queue->answer_lock);
	INIT_LIST_HEAD(&queue->unread);
	INIT_LIST_HEAD(&queue->read);
	rc = object_init(ictx, &queue->obj, &fault_queue_type);
	if (rc)
		goto free;
	rc = eventq_init(&queue->events, &queue->obj, &fault_ops);
	if (rc)
		goto abort;
	return queue;

abort:
	object_abort(&queue->obj);
free:
	kfree(queue);
	return ERR_PTR(rc);
}
