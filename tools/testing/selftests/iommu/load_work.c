// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the threads of a worker do, one thing at a time. Each knows what it has
 * made, and so what every call of its has to say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dirty.h"
#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/viommu.h"
#include "load.h"

const char * const kind_names[NUM_KINDS] = {
	"map", "map_file", "copy", "unmap", "check", "pin", "read", "attach", "replace",
	"detach", "alloc", "free", "pasid_attach", "pasid_replace", "pasid_detach", "hwpt",
	"request", "answer", "dirty", "nested", "viommu", "close", "exit", "exec", "fork",
	"kill",
};

static unsigned int pick(struct thread *t, unsigned int n)
{
	return rand_r(&t->seed) % n;
}

/* rc, which is counted if it is 0, and told by name if not. */
static int count_rc(struct thread *t, enum kind what, int rc)
{
	if (rc)
		t->what = kind_names[what];
	else
		did(what);
	return rc;
}

#define DO(t, what, rc) count_rc(t, DID_ ## what, rc)

/* Memory of several kinds, at the slot's IOVA, or taken from another slot. */
static int map_slot(struct thread *t, unsigned int slot)
{
	struct shared *s = t->s;
	__u64 at = AT + slot * STEP, first = pick(t, 200) * PAGE;
	__u64 length = (1 + pick(t, pick(t, 2) ? 300 : 8)) * PAGE;
	unsigned int from = pick(t, SLOTS);
	int rc;

	switch (pick(t, 5)) {
	case 0:
		t->mapped[slot] = s->small + first;
		break;
	case 1:
		t->mapped[slot] = s->large + first;
		break;
	case 2:
		t->mapped[slot] = s->huge;
		length = HUGE;
		break;
	case 3:
		t->mapped[slot] = s->file_va + first;
		t->length[slot] = length;
		return DO(t, map_file, map_file(s->fd, s->ioas[0], FIXED | PERM_RW, s->file, first,
						length, &at));
	default:
		if (!t->mapped[from])
			return 0;
		t->mapped[slot] = t->mapped[from];
		t->length[slot] = t->length[from];
		return DO(t, copy, copy_at(s->fd, s->ioas[0], s->ioas[0], t->length[from], at,
					   AT + from * STEP));
	}
	t->length[slot] = length;
	rc = map_at(s->fd, s->ioas[0], t->mapped[slot], length, at);
	return DO(t, map, rc);
}

static int use_slot(struct thread *t, unsigned int slot)
{
	struct shared *s = t->s;
	__u64 at = AT + slot * STEP;
	static char got[2 * PAGE];
	__u32 pages;
	int rc;

	switch (pick(t, 4)) {
	case 0:
		return DO(t, check, mock_check_map(s->fd, s->hwpt, t->mapped[slot],
						   t->length[slot], at));
	case 1:
		rc = access_pin(s->fd, s->access, at, t->length[slot], t->mapped[slot], 0, &pages);
		return DO(t, pin, rc ?: access_unpin(s->fd, s->access, pages));
	case 2:
		rc = device_read(s->fd, s->access, at, PAGE, got);
		if (!rc && memcmp(got, t->mapped[slot], PAGE))
			rc = -EILSEQ;
		return DO(t, read, rc);
	default:
		t->mapped[slot] = NULL;
		return DO(t, unmap, unmap(s->fd, s->ioas[0], at, t->length[slot]));
	}
}

int load_memory(struct thread *t)
{
	unsigned int slot = pick(t, SLOTS);
	struct shared *s = t->s;

	if (s->access < 0) {
		s->access = access_new_pinning(s->fd, s->ioas[0]);
		if (s->access < 0)
			return DO(t, pin, s->access);
	}
	return t->mapped[slot] ? use_slot(t, slot) : map_slot(t, slot);
}

static int move_device(struct thread *t)
{
	struct shared *s = t->s;
	struct mock_dev dev;
	__u32 hwpt;

	switch (pick(t, 3)) {
	case 0:
		return DO(t, attach, mock_attach(s->fd, s->ioas[pick(t, 2)], &dev)) ?:
		       DO(t, detach, destroy(s->fd, dev.stdev));
	case 1:
		return DO(t, replace, mock_replace(s->fd, s->dev.stdev,
						   pick(t, 3) ? s->ioas[pick(t, 2)] : s->hwpt));
	default:
		return DO(t, hwpt, hwpt_alloc(s->fd, s->own.idev, s->ioas[pick(t, 2)],
					      IOMMU_HWPT_ALLOC_PASID, &hwpt) ?:
				   destroy(s->fd, hwpt));
	}
}

/* Attach, replace or detach, as it comes: what is there already decides. */
static int move_number(struct thread *t, const struct pasid_dev *dev, __u32 *at, __u32 number)
{
	__u32 to = t->s->ioas[pick(t, 2)];
	int fd = t->s->fd;

	if (!*at) {
		*at = to;
		return DO(t, pasid_attach, pasid_attach(fd, dev->stdev, number, to, NULL));
	}
	if (pick(t, 2)) {
		*at = to;
		return DO(t, pasid_replace, pasid_replace(fd, dev->stdev, number, to, NULL));
	}
	*at = 0;
	return DO(t, pasid_detach, pasid_detach(fd, dev->stdev, number));
}

int load_devices(struct thread *t)
{
	unsigned int i = pick(t, NUMBERS);
	struct shared *s = t->s;

	switch (pick(t, 4)) {
	case 0:
		return move_device(t);
	case 1:
		return move_number(t, &s->own, &t->at_own[i], i + 1);
	case 2:
		if (t->tagged[i])
			return move_number(t, &s->global, &t->at_global[i], i + 1);
		t->tagged[i] = true;
		return DO(t, alloc, pasid_tag(s->fd, s->global.idev, i + 1));
	default:
		if (!t->tagged[i] || t->at_global[i])
			return 0;
		t->tagged[i] = false;
		return DO(t, free, pasid_free(s->fd, s->global.idev, i + 1));
	}
}

/* All that is in the queue; now and then one stays without an answer until it is detached. */
static int answer_all(struct thread *t)
{
	struct iommu_hwpt_pgfault faults[16];
	int n = faults_read(t->s->queue_file, faults, 16), rc = 0;

	for (int i = 0; i < n && !rc; i++) {
		if ((faults[i].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE) && pick(t, 5))
			rc = DO(t, answer, fault_answer(t->s->queue_file, faults[i].cookie,
							pick(t, 2)));
	}
	/* Whatever is left of a group that was detached may have been in the queue, or not. */
	return n < 0 && n != -EAGAIN ? n : rc;
}

static int requests(struct thread *t)
{
	unsigned int i = pick(t, NUMBERS);
	struct shared *s = t->s;
	int rc;

	if (!t->asking[i]) {
		t->asking[i] = true;
		return DO(t, nested, pasid_attach(s->fd, s->asks.stdev, i, s->nested, NULL));
	}
	if (!pick(t, 8)) {
		t->asking[i] = false;
		return DO(t, pasid_detach, pasid_detach(s->fd, s->asks.stdev, i));
	}
	if (!pick(t, 3)) {
		rc = page_request(s->fd, s->asks.stdev, i, pick(t, 1000), AT, true);
		if (rc)
			return DO(t, request, rc);
	}
	rc = page_request(s->fd, s->asks.stdev, i, pick(t, 1000), AT + PAGE, false);
	return DO(t, request, rc) ?: pick(t, 3) ? 0 : answer_all(t);
}

/* Every page that the device has written since, and no other, is dirty. */
static int dirty(struct thread *t)
{
	unsigned int first = pick(t, 32), n = 1 + pick(t, 32 - first), bits = 0;
	struct shared *s = t->s;
	int rc;

	rc = device_writes(s->fd, s->dirty, DIRTY_AT + first * PAGE, n * PAGE) ?:
	     dirty_get(s->fd, s->dirty, 0, DIRTY_AT, DIRTY, PAGE, &bits);
	if (!rc && bits != (unsigned int)(((1ull << n) - 1) << first))
		rc = -EILSEQ;
	return DO(t, dirty, rc);
}

static int virtual(struct thread *t)
{
	struct shared *s = t->s;
	__u32 viommu, vdevice, table;
	int rc;

	rc = viommu_alloc(s->fd, s->asks.idev, s->parent, &viommu);
	if (rc)
		return DO(t, viommu, rc);
	rc = vdevice_alloc(s->fd, viommu, s->asks.idev, 7, &vdevice) ?:
	     nested_alloc(s->fd, s->asks.idev, viommu, 0, 0, &table) ?:
	     destroy(s->fd, table) ?: destroy(s->fd, vdevice) ?: destroy(s->fd, viommu);
	return DO(t, viommu, rc);
}

int load_others(struct thread *t)
{
	unsigned int i = pick(t, 10);

	return i < 7 ? requests(t) : i < 9 ? dirty(t) : virtual(t);
}
