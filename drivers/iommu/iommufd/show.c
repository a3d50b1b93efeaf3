// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a context has, as text, for whoever may look: the format is in
 * Documentation/userspace-api/iommufd.rst. Whoever looks must not be noticed: a
 * reference would make a DESTROY fail that the user rightly asks for. So objects are
 * looked at with the ID table's lock held, under which none goes away, and in it at
 * most the lock of a device's PASIDs; no other is taken. What another lock protects
 * is read as it is at the moment: single numbers, no pointer. Either lock is held for
 * one line, or for a bounded number of steps.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommufd_viommu.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_buf.h>
#include <uapi/linux/iommufd.h>

#include "attach/access.h"
#include "attach/device.h"
#include "memory/account.h"
#include "object.h"
#include "show.h"
#include "space/ioas.h"
#include "tables/fault.h"
#include "tables/hwpt.h"
#include "tables/veventq.h"
#include "tables/viommu.h"

/* Objects, or PASIDs, that are looked at under one hold of a lock. */
#define SHOW_STEPS 256

/* Names are bounded, so that the end of a line is never lost. */
#define NAME_FMT "%.128s"

static const char *policy_name(const struct pasid_dev *pd)
{
	switch (READ_ONCE(pd->policy)) {
	case IOMMU_PASID_POLICY_PER_RID:
		return "per-rid";
	case IOMMU_PASID_POLICY_GLOBAL:
		return "global";
	default:
		return "none";
	}
}

static struct pasid_dev *pasids_of(struct object *obj)
{
	if (obj->type == &device_type)
		return &container_of(obj, struct iommufd_device, obj)->pasids;
	if (obj->type == &access_type)
		return &container_of(obj, struct iommufd_access, obj)->pasids;
	return NULL;
}

static void ioas_line(struct seq_buf *s, const struct object *obj)
{
	const struct ioas *ioas = container_of(obj, struct ioas, obj);

	seq_buf_printf(s, "ioas:\tid=%u areas=%lu mapped=%lu hwpts=%u\n", obj->id,
		       READ_ONCE(ioas->nr_areas), READ_ONCE(ioas->mapped),
		       READ_ONCE(ioas->nr_members));
}

static void hwpt_line(struct seq_buf *s, const struct object *obj)
{
	const struct hwpt *hwpt = container_of(obj, struct hwpt, obj);
	const struct object *below = hwpt->below;

	seq_buf_printf(s, "hwpt:\tid=%u", obj->id);
	if (!below) {
		seq_buf_printf(s, " ioas=%u type=paging auto=%u pasid=%u dirty=%u",
			       hwpt->ioas->obj.id, hwpt->shared, hwpt->pasid,
			       READ_ONCE(hwpt->tracking));
	} else if (below->type == &viommu_type) {
		const struct viommu *viommu = container_of(below, struct viommu, obj);

		seq_buf_printf(s, " type=nested parent=%u viommu=%u", viommu->hwpt->obj.id,
			       below->id);
	} else {
		seq_buf_printf(s, " type=nested parent=%u", below->id);
	}
	if (hwpt->faults)
		seq_buf_printf(s, " fault=%u", hwpt->faults->obj.id);
	seq_buf_puts(s, "\n");
}

static void device_line(struct seq_buf *s, const struct object *obj)
{
	const struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);

	seq_buf_printf(s, "device:\tid=%u name=" NAME_FMT " group=%d policy=%s hwpt=%u slice=%u\n",
		       obj->id, dev_name(idev->dev), iommu_group_id(idev->group->group),
		       policy_name(&idev->pasids), READ_ONCE(idev->pasids.rid.hwpt_id),
		       idev->slice);
}

static void access_line(struct seq_buf *s, const struct object *obj)
{
	const struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);

	seq_buf_printf(s, "access:\tid=%u policy=%s ioas=%u\n", obj->id,
		       policy_name(&access->pasids), READ_ONCE(access->pasids.rid.ioas_id));
}

static void viommu_line(struct seq_buf *s, const struct object *obj)
{
	const struct viommu *viommu = container_of(obj, struct viommu, obj);

	seq_buf_printf(s, "viommu:\tid=%u hwpt=%u type=%u\n", obj->id, viommu->hwpt->obj.id,
		       viommu->type);
}

static void vdevice_line(struct seq_buf *s, const struct object *obj)
{
	const struct vdevice *vdev = container_of(obj, struct vdevice, obj);
	/* It does not end before its virtual device is out of the table. */
	const struct iommufd_device *idev = container_of(vdev->slot, struct iommufd_device, vdev);

	seq_buf_printf(s, "vdevice:\tid=%u viommu=%u device=%u vid=0x%llx\n", obj->id,
		       vdev->viommu->obj.id, idev->obj.id, vdev->drv->virt_id);
}

static void fault_line(struct seq_buf *s, const struct object *obj)
{
	const struct fault_queue *queue = container_of(obj, struct fault_queue, obj);

	seq_buf_printf(s, "fault:\tid=%u pending=%u\n", obj->id, READ_ONCE(queue->nr));
}

static void veventq_line(struct seq_buf *s, const struct object *obj)
{
	const struct veventq *queue = container_of(obj, struct veventq, obj);

	seq_buf_printf(s, "veventq:\tid=%u viommu=%u type=%u depth=%u pending=%u\n", obj->id,
		       queue->viommu->obj.id, queue->type, queue->depth, READ_ONCE(queue->nr));
}

static void hw_queue_line(struct seq_buf *s, const struct object *obj)
{
	const struct hw_queue *queue = container_of(obj, struct hw_queue, obj);

	seq_buf_printf(s, "hw_queue:\tid=%u viommu=%u type=%u index=%u iova=0x%llx length=%llu\n",
		       obj->id, queue->viommu->obj.id, queue->viommu->drv->ops->hw_queue_type,
		       queue->drv->index, queue->drv->iova, queue->drv->length);
}

static const struct {
	const struct object_type *type;
	void (*line)(struct seq_buf *s, const struct object *obj);
} kinds[] = {
	{ &ioas_type, ioas_line },
	{ &hwpt_type, hwpt_line },
	{ &device_type, device_line },
	{ &access_type, access_line },
	{ &viommu_type, viommu_line },
	{ &vdevice_type, vdevice_line },
	{ &fault_queue_type, fault_line },
	{ &veventq_type, veventq_line },
	{ &hw_queue_type, hw_queue_line },
};

static void object_line(struct seq_buf *s, const struct object *obj)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type == obj->type) {
			kinds[i].line(s, obj);
			return;
		}
	}
	seq_buf_printf(s, "other:\tid=%u kind=" NAME_FMT "\n", obj->id, obj->type->name);
}

static void run_line(struct seq_buf *s, const struct object *obj, const struct pasid_run *run)
{
	bool device = obj->type == &device_type;

	seq_buf_printf(s, "pasid:\t%s=%u vpasids=%u-%u", device ? "device" : "access", obj->id,
		       run->first, run->last);
	if (device)
		seq_buf_printf(s, " hwpt=%u", run->hwpt_id);
	seq_buf_printf(s, " ioas=%u allocated=%u\n", run->ioas_id, run->allocated);
}

/* One number of the system's: what it stands for, and where. */
static void global_line(struct seq_buf *s, const struct object *obj, struct pasid_dev *pd,
			const struct pasid_run *run)
{
	struct device *dev = READ_ONCE(pd->dev);

	seq_buf_printf(s, "pasid:\tppasid=%u vpasid=%u %s=%u name=" NAME_FMT, run->ppasid,
		       run->first, obj->type == &device_type ? "device" : "access", obj->id,
		       dev ? dev_name(dev) : "-");
	seq_buf_printf(s, " hwpt=%u ioas=%u allocated=%u\n", run->hwpt_id, run->ioas_id,
		       run->allocated);
}

/* A slice has one for itself. */
static bool own_line(struct seq_buf *s, struct object *obj)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);
	struct pasid_number *rid = &idev->pasids.rid;
	struct pasid_run run = {
		.ppasid = idev->own.number,
		.hwpt_id = READ_ONCE(rid->hwpt_id),
		.ioas_id = READ_ONCE(rid->ioas_id),
	};

	if (obj->type != &device_type || !idev->slice)
		return false;
	global_line(s, obj, &idev->pasids, &run);
	return true;
}

enum step { STEP_AGAIN, STEP_LINE, STEP_END };

/* One hold of the lock: a run of the object's, or a part of one. */
static enum step step_run(struct iommufd_ctx *ictx, struct show_pos *pos, struct seq_buf *s)
{
	unsigned long id = pos->id;
	struct object *obj = object_next(ictx, &id);
	struct pasid_dev *pd = obj && id == pos->id ? pasids_of(obj) : NULL;
	struct pasid_run *run = &pos->run;

	if (pd && !pasid_dev_run(pd, run, pos->globals ? 1 : SHOW_STEPS) && !pos->globals)
		return STEP_AGAIN;
	if (!pd || !run->first) {
		pos->inside = false;
		pos->id++;
		return STEP_AGAIN;
	}
	if (pos->globals)
		global_line(s, obj, pd, run);
	else
		run_line(s, obj, run);
	pos->shown += run->last - run->first + 1;
	run->first = 0;
	return STEP_LINE;
}

/* The next object that may have global PASIDs. */
static enum step step_global(struct iommufd_ctx *ictx, struct show_pos *pos, struct seq_buf *s)
{
	struct object *obj = object_next(ictx, &pos->id);
	struct pasid_dev *pd = obj ? pasids_of(obj) : NULL;

	if (!obj)
		return STEP_END;
	if (!pd || READ_ONCE(pd->policy) != IOMMU_PASID_POLICY_GLOBAL) {
		pos->id++;
		return STEP_AGAIN;
	}
	pos->inside = true;
	pos->run = (struct pasid_run) {};
	return own_line(s, obj) ? STEP_LINE : STEP_AGAIN;
}

static enum step step(struct iommufd_ctx *ictx, struct show_pos *pos, struct seq_buf *s)
{
	struct object *obj;

	lockdep_assert_held(&ictx->objects.xa_lock);
	if (pos->inside)
		return step_run(ictx, pos, s);
	if (pos->globals)
		return step_global(ictx, pos, s);
	obj = object_next(ictx, &pos->id);
	if (!obj)
		return STEP_END;
	object_line(s, obj);
	pos->shown++;
	if (pasids_of(obj)) {
		pos->inside = true;
		pos->run = (struct pasid_run) {};
	} else {
		pos->id++;
	}
	return STEP_LINE;
}

/**
 * show_line() - the next line of a context
 * @ictx: the context
 * @pos: which is next; moved on
 * @line: room for SHOW_LINE characters; set to the line
 *
 * Context: process, may sleep; takes the ID table's lock.
 * Return: false at the end, or if the caller is being killed.
 */
bool show_line(struct iommufd_ctx *ictx, struct show_pos *pos, char *line)
{
	enum step done = STEP_AGAIN;
	struct seq_buf s;

	seq_buf_init(&s, line, SHOW_LINE);
	while (done == STEP_AGAIN && !fatal_signal_pending(current)) {
		xa_lock(&ictx->objects);
		done = step(ictx, pos, &s);
		xa_unlock(&ictx->objects);
		cond_resched();
	}
	seq_buf_str(&s);
	return done == STEP_LINE;
}

static void add_object(struct show_totals *totals, struct object *obj)
{
	struct pasid_dev *pd = pasids_of(obj);

	totals->objects++;
	if (obj->type == &ioas_type)
		totals->mapped += READ_ONCE(container_of(obj, struct ioas, obj)->mapped);
	if (pd)
		totals->pasids += READ_ONCE(pd->in_use);
}

/**
 * show_totals() - sum up a context
 * @ictx: the context
 * @totals: set to the sums; of the objects that come and go meanwhile some count
 *
 * Context: process, may sleep; takes the ID table's lock.
 */
void show_totals(struct iommufd_ctx *ictx, struct show_totals *totals)
{
	struct object *obj = NULL;
	unsigned long id = 0;
	unsigned int i;

	*totals = (struct show_totals) {};
	do {
		xa_lock(&ictx->objects);
		for (i = 0; i < SHOW_STEPS; i++, id++) {
			obj = object_next(ictx, &id);
			if (!obj)
				break;
			add_object(totals, obj);
		}
		xa_unlock(&ictx->objects);
		cond_resched();
	} while (obj && !fatal_signal_pending(current));
}

/**
 * show_head() - the lines of a context as a whole
 * @ictx: the context
 * @totals: of it
 * @text: room for SHOW_LINE characters; set to the lines
 *
 * Context: process; takes the ID table's lock.
 */
void show_head(struct iommufd_ctx *ictx, const struct show_totals *totals, char *text)
{
	unsigned long pinned = atomic_long_read(&ictx->payers->npages);
	u32 compat = 0;

	xa_lock(&ictx->objects);
	if (ictx->compat.ioas)
		compat = ictx->compat.ioas->id;
	xa_unlock(&ictx->objects);
	scnprintf(text, SHOW_LINE, "iommufd:\tversion=1 charge=%s compat_ioas=%u\n"
		  "mapped:\t%lu bytes\npinned:\t%lu bytes\npasids:\t%lu\nnumber:\t%llu\n",
		  READ_ONCE(ictx->account_per_process) ? "process" : "user", compat,
		  totals->mapped, pinned << PAGE_SHIFT, totals->pasids, ictx->nr);
}
