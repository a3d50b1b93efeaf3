/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A queue of events that a virtual IOMMU has for its guest, which user space reads
 * from a file.
 */
#ifndef __IOMMUFD_VEVENTQ_H
#define __IOMMUFD_VEVENTQ_H

#include <linux/types.h>

#include "../object.h"
#include "eventq.h"

#define VEVENTQ_MAX_DEPTH BIT(19)

struct viommu;

/**
 * struct veventq - a queue of events of one type
 * @obj: head
 * @events: its file; the lock in it protects what follows @room
 * @viommu: whose; holds a reference
 * @node: in viommu.veventqs
 * @type: of enum iommu_veventq_type
 * @size: of an event
 * @depth: events that there is room for
 * @room: a ring of them, each after its header
 * @head: the oldest
 * @nr: how many there are; only the reader makes it smaller
 * @sequence: number of the next event
 * @lost: the one before that was lost, and the user has not read so
 */
struct veventq {
	struct object obj;
	struct eventq events;
	struct viommu *viommu;
	struct list_head node;
	u32 type;
	u32 size;
	u32 depth;
	void *room;
	u32 head;
	u32 nr;
	u32 sequence;
	bool lost;
};

extern const struct object_type veventq_type;

struct veventq *veventq_alloc(struct viommu *viommu, u32 type, u32 depth);

#endif
