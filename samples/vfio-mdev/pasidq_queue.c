// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of the sample pasidq: carries out descriptors, and keeps pages. May use
 * include/linux/iommufd.h, and of VFIO only what the device's access is.
 */
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "pasidq_priv.h"

MODULE_IMPORT_NS(IOMMUFD);

static u32 status_of(struct pasidq *q, u32 pasid, int rc)
{
	switch (rc) {
	case 0:
		return PASIDQ_OK;
	case -EINVAL:
	case -EOVERFLOW:
		return PASIDQ_BAD_ADDRESS;
	case -EPERM:
		return PASIDQ_DENIED;
	case -ENOENT:
		if (!iommufd_access_pasid_attached(q->vdev.iommufd_access, pasid))
			return PASIDQ_NO_PASID;
		return PASIDQ_UNMAPPED;
	default:
		return PASIDQ_ERROR;
	}
}

static bool ends(struct ending *end, u32 status, u32 pasid, u64 iova)
{
	end->status = status;
	end->pasid = pasid;
	end->iova = iova;
	return status == PASIDQ_OK;
}

/* Copies from or to an address space; false if the descriptor ends here. */
static bool dma(struct pasidq *q, struct ending *end, u32 pasid, u64 iova, void *data,
		size_t length, unsigned int flags)
{
	int rc = -EOVERFLOW;

	if (iova <= ULONG_MAX)
		rc = iommufd_access_pasid_rw(q->vdev.iommufd_access, pasid, iova, data, length,
					     flags);
	return ends(end, status_of(q, pasid, rc), pasid, iova);
}

static void fill(u8 *data, size_t length, __le64 value)
{
	size_t i;

	for (i = 0; i < length; i++)
		data[i] = ((u8 *)&value)[i % sizeof(value)];
}

static u64 sum(const u8 *data, size_t length)
{
	u64 total = 0;

	while (length--)
		total += *data++;
	return total;
}

/* COPY, FILL and SUM: all is read before any is written. */
static void move(struct pasidq *q, const struct pasidq_desc *desc, struct ending *end)
{
	u32 op = le32_to_cpu(desc->op), length = le32_to_cpu(desc->length);
	u32 src = le32_to_cpu(desc->src_pasid), dst = le32_to_cpu(desc->dst_pasid);
	u8 *data;

	if (!length || length > PASIDQ_MAX_LENGTH) {
		ends(end, PASIDQ_BAD_ADDRESS, 0, 0);
		return;
	}
	data = kvmalloc(length, GFP_KERNEL_ACCOUNT);
	if (!data) {
		ends(end, PASIDQ_ERROR, 0, 0);
		return;
	}
	if (op == PASIDQ_FILL)
		fill(data, length, desc->value);
	else if (!dma(q, end, src, le64_to_cpu(desc->src), data, length, IOMMUFD_ACCESS_RW_READ))
		goto out;
	if (op == PASIDQ_SUM)
		end->result = sum(data, length);
	else
		dma(q, end, dst, le64_to_cpu(desc->dst), data, length, IOMMUFD_ACCESS_RW_WRITE);
out:
	kvfree(data);
}

static struct kept *kept_at(struct pasidq *q, u32 pasid)
{
	int i;

	lockdep_assert_held(&q->lock);
	for (i = 0; i < PASIDQ_MAX_KEPT; i++)
		if (q->kept[i].state != KEPT_NONE && q->kept[i].pasid == pasid)
			return &q->kept[i];
	return NULL;
}

static void let_go(struct pasidq *q, struct kept *kept)
{
	lockdep_assert_held(&q->lock);
	iommufd_access_pasid_unpin(q->vdev.iommufd_access, kept->pasid, kept->iova, PAGE_SIZE);
	kept->state = KEPT_NONE;
}

/* A place for a page that is about to be pinned, so that one who detaches finds it. */
static struct kept *keep_start(struct pasidq *q, u32 pasid, unsigned long iova)
{
	struct kept *kept;

	guard(mutex)(&q->lock);
	if (kept_at(q, pasid))
		return NULL;
	for (kept = q->kept; kept < q->kept + PASIDQ_MAX_KEPT; kept++) {
		if (kept->state != KEPT_NONE)
			continue;
		*kept = (struct kept) { .state = KEPT_PINNING, .pasid = pasid, .iova = iova };
		return kept;
	}
	return NULL;
}

static int keep_end(struct pasidq *q, struct kept *kept, struct page *page, int rc)
{
	guard(mutex)(&q->lock);
	kept->page = page;
	kept->state = rc ? KEPT_NONE : KEPT_PAGE;
	if (!rc && kept->stale) {
		let_go(q, kept);
		rc = -ENOENT;
	}
	wake_up_all(&q->pinned);
	return rc;
}

static void keep(struct pasidq *q, const struct pasidq_desc *desc, struct ending *end)
{
	u32 pasid = le32_to_cpu(desc->dst_pasid);
	u64 iova = le64_to_cpu(desc->dst);
	struct page *page = NULL;
	struct kept *kept;
	int rc;

	if (iova > ULONG_MAX) {
		ends(end, PASIDQ_BAD_ADDRESS, pasid, iova);
		return;
	}
	kept = keep_start(q, pasid, iova);
	if (!kept) {
		ends(end, PASIDQ_BUSY, pasid, iova);
		return;
	}
	rc = iommufd_access_pasid_pin(q->vdev.iommufd_access, pasid, iova, PAGE_SIZE, &page,
				      IOMMUFD_ACCESS_RW_WRITE);
	rc = keep_end(q, kept, page, rc);
	ends(end, status_of(q, pasid, rc), pasid, iova);
}

static void drop(struct pasidq *q, const struct pasidq_desc *desc, struct ending *end)
{
	u32 pasid = le32_to_cpu(desc->dst_pasid);
	struct kept *kept;

	guard(mutex)(&q->lock);
	kept = kept_at(q, pasid);
	if (!kept || kept->state != KEPT_PAGE) {
		ends(end, PASIDQ_NOT_KEPT, pasid, 0);
		return;
	}
	let_go(q, kept);
}

static bool stale_at(struct pasidq *q, u32 pasid)
{
	struct kept *kept = kept_at(q, pasid);

	return kept && kept->state == KEPT_PINNING && kept->stale;
}

/*
 * Lets go of what goes away. A page that is just being pinned is not known yet: an
 * unmap asks again for it, but a detach, which names all IOVAs, asks once. It waits
 * until what was pinned before is in its place, or back.
 */
void pasidq_unmap(struct pasidq *q, u32 pasid, u64 iova, u64 length)
{
	bool all = length == ULONG_MAX;
	struct kept *kept;

	guard(mutex)(&q->lock);
	kept = kept_at(q, pasid);
	if (!kept)
		return;
	if (kept->state == KEPT_PINNING)
		kept->stale |= all;
	else if (kept->iova <= iova + (length - 1) && iova <= kept->iova + (PAGE_SIZE - 1))
		let_go(q, kept);
	if (all)
		wait_event_cmd(q->pinned, !stale_at(q, pasid), mutex_unlock(&q->lock),
			       mutex_lock(&q->lock));
}

static void execute(struct pasidq *q, const struct pasidq_desc *desc, struct ending *end)
{
	ends(end, PASIDQ_OK, 0, 0);
	if (desc->flags & ~cpu_to_le32(PASIDQ_RECORD) || desc->reserved) {
		ends(end, PASIDQ_BAD_DESC, 0, 0);
		return;
	}
	switch (le32_to_cpu(desc->op)) {
	case PASIDQ_NOP:
		break;
	case PASIDQ_COPY:
	case PASIDQ_FILL:
	case PASIDQ_SUM:
		move(q, desc, end);
		break;
	case PASIDQ_KEEP:
		keep(q, desc, end);
		break;
	case PASIDQ_DROP:
		drop(q, desc, end);
		break;
	default:
		ends(end, PASIDQ_BAD_DESC, 0, 0);
	}
}

static void write_record(struct pasidq *q, const struct pasidq_desc *desc, struct ending *end)
{
	struct pasidq_record record = {
		.status = cpu_to_le32(end->status),
		.pasid = cpu_to_le32(end->status == PASIDQ_OK ? 0 : end->pasid),
		.iova = cpu_to_le64(end->status == PASIDQ_OK ? 0 : end->iova),
		.result = cpu_to_le64(end->result),
	};
	const size_t rest = sizeof(record.status);
	u32 pasid = le32_to_cpu(desc->record_pasid);
	u64 iova = le64_to_cpu(desc->record);
	struct ending lost;

	if (iova > U64_MAX - sizeof(record))
		ends(end, PASIDQ_BAD_ADDRESS, pasid, iova);
	else if (!dma(q, &lost, pasid, iova + rest, (u8 *)&record + rest, sizeof(record) - rest,
		      IOMMUFD_ACCESS_RW_WRITE) ||
		 !dma(q, &lost, pasid, iova, &record, rest, IOMMUFD_ACCESS_RW_WRITE))
		*end = lost;
}

static void count(struct pasidq *q, const struct pasidq_desc *desc, const struct ending *end)
{
	struct kept *kept;
	__le64 *counter;

	guard(mutex)(&q->lock);
	if (end->status != PASIDQ_OK) {
		q->failed++;
		q->last = *end;
		return;
	}
	q->done++;
	kept = kept_at(q, le32_to_cpu(desc->dst_pasid));
	if (!kept || kept->state != KEPT_PAGE)
		return;
	counter = kmap_local_page(kept->page);
	le64_add_cpu(counter, 1);
	kunmap_local(counter);
}

void pasidq_submit(struct pasidq *q, const struct pasidq_desc *desc)
{
	struct ending end = {};

	execute(q, desc, &end);
	if (desc->flags & cpu_to_le32(PASIDQ_RECORD))
		write_record(q, desc, &end);
	count(q, desc, &end);
}

void pasidq_queue_init(struct pasidq *q)
{
	mutex_init(&q->lock);
	init_waitqueue_head(&q->pinned);
}

/* A page that is being pinned comes after the reset. */
void pasidq_queue_reset(struct pasidq *q)
{
	int i;

	guard(mutex)(&q->lock);
	for (i = 0; i < PASIDQ_MAX_KEPT; i++)
		if (q->kept[i].state == KEPT_PAGE)
			let_go(q, &q->kept[i]);
	q->done = 0;
	q->failed = 0;
	q->last = (struct ending) {};
}

void pasidq_read_regs(struct pasidq *q, struct pasidq_regs *regs)
{
	u32 i, kept = 0;

	guard(mutex)(&q->lock);
	for (i = 0; i < PASIDQ_MAX_KEPT; i++)
		kept += q->kept[i].state == KEPT_PAGE;
	*regs = (struct pasidq_regs) {
		.magic = cpu_to_le32(PASIDQ_MAGIC),
		.width = cpu_to_le32(PASIDQ_WIDTH),
		.max_length = cpu_to_le32(PASIDQ_MAX_LENGTH),
		.kept = cpu_to_le32(kept),
		.done = cpu_to_le64(q->done),
		.failed = cpu_to_le64(q->failed),
		.status = cpu_to_le32(q->last.status),
		.pasid = cpu_to_le32(q->last.pasid),
		.iova = cpu_to_le64(q->last.iova),
	};
}
