// SPDX-License-Identifier: GPL-2.0-only
/*
 * The areas of a context's IOASes, as text, one at a time. An IOAS is kept by the ID
 * table's lock, as in show.c, and so its own lock is tried: who holds that may sleep.
 */
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "object.h"
#include "show.h"
#include "show_area.h"
#include "space/ioas.h"

/* Ticks for which an IOAS that is being changed is waited for. */
#define AREA_TRIES 4

static void area_line(char *line, const struct ioas *ioas, const struct area *area)
{
	static const char * const states[] = {
		[AREA_RESERVED] = "reserved",
		[AREA_READY] = "ready",
		[AREA_RETIRING] = "retiring",
	};
	int n;

	n = scnprintf(line, SHOW_LINE, "area:\tioas=%u iova=0x%lx-0x%lx length=%lu prot=%s%s",
		      ioas->obj.id, area->iova.start, area->iova.last, range_length(&area->iova),
		      area->prot & IOMMU_READ ? "r" : "", area->prot & IOMMU_WRITE ? "w" : "");
	scnprintf(line + n, SHOW_LINE - n,
		  " state=%s pinned=%u revoked=%u keepers=%d access_pages=%ld shared=%u\n",
		  states[area->state], area->pinned, area->revoked, atomic_read(&area->keepers),
		  atomic_long_read(&area->access_pages), refcount_read(&area->pages->refs));
}

enum step { STEP_AGAIN, STEP_BUSY, STEP_LINE, STEP_END };

static enum step step(struct iommufd_ctx *ictx, struct show_area_pos *pos, char *line)
{
	unsigned long id = pos->id;
	struct object *obj = object_next(ictx, &id);
	struct ioas *ioas = container_of(obj, struct ioas, obj);
	struct area *area = NULL;

	lockdep_assert_held(&ictx->objects.xa_lock);
	if (id != pos->id)
		*pos = (struct show_area_pos) { .id = id };
	if (!obj)
		return STEP_END;
	if (obj->type == &ioas_type) {
		if (!down_read_trylock(&ioas->map_rwsem))
			return STEP_BUSY;
		area = iova_map_next(&ioas->map, pos->iova, ULONG_MAX);
		if (area) {
			area_line(line, ioas, area);
			pos->iova = area->iova.last + 1;
		}
		up_read(&ioas->map_rwsem);
	}
	/* At the end of the IOVAs it has wrapped. */
	if (!area || !pos->iova)
		*pos = (struct show_area_pos) { .id = id + 1 };
	return area ? STEP_LINE : STEP_AGAIN;
}

/**
 * show_area() - the next area of a context
 * @ictx: the context
 * @pos: which is next; moved on
 * @line: room for SHOW_LINE characters; set to a line that describes the area, or
 *	says that an IOAS was busy all the time, whose other areas are not shown
 *
 * Context: process, may sleep; takes the ID table's lock.
 * Return: false at the end, or if the caller is being killed.
 */
bool show_area(struct iommufd_ctx *ictx, struct show_area_pos *pos, char *line)
{
	enum step done = STEP_AGAIN;
	unsigned int tries = 0;

	while ((done == STEP_AGAIN || done == STEP_BUSY) && !fatal_signal_pending(current)) {
		xa_lock(&ictx->objects);
		done = step(ictx, pos, line);
		xa_unlock(&ictx->objects);
		if (done != STEP_BUSY) {
			cond_resched();
		} else if (tries++ < AREA_TRIES) {
			schedule_timeout_idle(1);
		} else {
			scnprintf(line, SHOW_LINE, "area:\tioas=%lu busy=1\n", pos->id);
			*pos = (struct show_area_pos) { .id = pos->id + 1 };
			done = STEP_LINE;
		}
	}
	return done == STEP_LINE;
}
