// SPDX-License-Identifier: GPL-2.0-only
/* Queues of a virtual IOMMU's events: order, loss, and end. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define EVENTS IOMMU_VEVENTQ_TYPE_SELFTEST
#define MAX_DEPTH (512 * 1024u)
#define DEPTH 3
#define LOST IOMMU_VEVENTQ_FLAG_LOST_EVENTS

struct event_read {
	struct iommufd_vevent_header header;
	struct iommu_viommu_event_selftest event;
};

FIXTURE(veventq)
{
	struct viommu_rig r;
	int fd, file;
	__u32 idev, queue, hwpt, vdev;
	struct event_read got[8];
};

FIXTURE_SETUP(veventq)
{
	ASSERT_EQ(0, viommu_rig_new(&self->r));
	self->fd = self->r.fd;
	self->idev = self->r.dev.idev;
	ASSERT_EQ(0, nested_alloc(self->fd, self->idev, self->r.viommu, 0, 0, &self->hwpt));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->r.viommu, self->idev, 0x99, &self->vdev));
	ASSERT_EQ(0, pasid_attach(self->fd, self->r.dev.stdev, 0, self->hwpt, NULL));
	self->file = veventq_alloc(self->fd, self->r.viommu, EVENTS, DEPTH, &self->queue);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(veventq)
{
	close(self->file);
	EXPECT_EQ(0, destroy(self->fd, self->queue));
	EXPECT_EQ(0, pasid_detach(self->fd, self->r.dev.stdev, 0));
	destroy(self->fd, self->vdev);
	EXPECT_EQ(0, destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, viommu_rig_end(&self->r));
}

static int readable(int file)
{
	struct pollfd p = { .fd = file, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

static int get(int file, void *buf, size_t len)
{
	ssize_t n = read(file, buf, len);

	return n < 0 ? -errno : (int)n;
}

#define REPORT(n) \
	do { \
		for (int i = 0; i < (n); i++) \
			ASSERT_EQ(0, vevent(self->fd, self->idev)); \
	} while (0)
#define GET(n) get(self->file, self->got, (n) * sizeof(self->got[0]))
#define EXPECT_EVENT(nr, number, id) \
	do { \
		struct event_read *e = &self->got[nr]; \
		EXPECT_EQ(0, e->header.flags); \
		EXPECT_EQ(number, e->header.sequence); \
		EXPECT_EQ(id, e->event.virt_id); \
	} while (0)

TEST_F(veventq, refused)
{
	__u32 id, other, queue;
	int file;

	ASSERT_EQ(0, viommu_alloc(self->fd, self->idev, self->r.parent, &other));
	EXPECT_EQ(-EINVAL, veventq_alloc(self->fd, other, EVENTS, 0, &id));
	EXPECT_EQ(-EINVAL, veventq_alloc(self->fd, other, EVENTS, MAX_DEPTH + 1, &id));
	EXPECT_EQ(-EOPNOTSUPP, veventq_alloc(self->fd, other, IOMMU_VEVENTQ_TYPE_DEFAULT, 1, &id));
	EXPECT_EQ(-EOPNOTSUPP, veventq_alloc(self->fd, other, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, 1,
					     &id));
	EXPECT_EQ(-ENOENT, veventq_alloc(self->fd, self->r.parent, EVENTS, 1, &id));
	/* One of a type in each virtual IOMMU. */
	EXPECT_EQ(-EEXIST, veventq_alloc(self->fd, self->r.viommu, EVENTS, 1, &id));
	file = veventq_alloc(self->fd, other, EVENTS, MAX_DEPTH, &queue);
	ASSERT_LE(0, file);
	REPORT(1);
	EXPECT_EQ(0, readable(file));
	EXPECT_EQ(POLLIN, readable(self->file));
	close(file);
	EXPECT_EQ(0, destroy(self->fd, queue));
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_F(veventq, in_order)
{
	struct event_read *got = self->got;

	EXPECT_EQ(0, readable(self->file));
	EXPECT_EQ(0, GET(1));
	/* Round the room for them, some of it taken all the while. */
	REPORT(1);
	for (__u32 i = 0; i < 10 * DEPTH; i++) {
		REPORT(1);
		EXPECT_EQ(POLLIN, readable(self->file));
		ASSERT_EQ(sizeof(*got), GET(1));
		EXPECT_EVENT(0, i, 0x99);
	}
	REPORT(2);
	ASSERT_EQ(3 * sizeof(*got), GET(8));
	EXPECT_EVENT(0, 10 * DEPTH, 0x99);
	EXPECT_EVENT(1, 10 * DEPTH + 1, 0x99);
	EXPECT_EVENT(2, 10 * DEPTH + 2, 0x99);
	EXPECT_EQ(0, GET(8));
	EXPECT_EQ(0, readable(self->file));
}

TEST_F(veventq, whole_events)
{
	struct event_read *got = self->got;
	size_t header = sizeof(got->header), len = sizeof(*got);
	char *edge = mem_private(2 * PAGE);

	EXPECT_EQ(-EINVAL, get(self->file, got, 0));
	EXPECT_EQ(-EINVAL, get(self->file, got, header - 1));
	EXPECT_EQ(0, get(self->file, got, header));
	REPORT(2);
	EXPECT_EQ(-EINVAL, get(self->file, got, header));
	EXPECT_EQ(-EINVAL, get(self->file, got, len - 1));
	/* What did not reach the user is still there. */
	EXPECT_EQ(-EFAULT, get(self->file, (void *)-PAGE, len));
	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, mprotect(edge + PAGE, PAGE, PROT_NONE));
	edge += PAGE - len;
	EXPECT_EQ(len, get(self->file, edge, 2 * len));
	memcpy(got, edge, len);
	EXPECT_EVENT(0, 0, 0x99);
	EXPECT_EQ(len, get(self->file, got, 2 * len - 1));
	EXPECT_EVENT(0, 1, 0x99);
	EXPECT_EQ(-1, write(self->file, got, len));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(veventq, lost)
{
	struct event_read *got = self->got;
	size_t header = sizeof(got->header), len = sizeof(*got);

	REPORT(DEPTH + 2);
	ASSERT_EQ(DEPTH * len, GET(DEPTH));
	EXPECT_EVENT(0, 0, 0x99);
	EXPECT_EVENT(DEPTH - 1, DEPTH - 1, 0x99);
	/* What is missing at the end has a header of its own, with the last number. */
	EXPECT_EQ(POLLIN, readable(self->file));
	ASSERT_EQ(header, get(self->file, got, sizeof(self->got)));
	EXPECT_EQ(LOST, got[0].header.flags);
	EXPECT_EQ(DEPTH + 1, got[0].header.sequence);
	EXPECT_EQ(0, readable(self->file));
	EXPECT_EQ(0, GET(1));
	/* Together with what is there. */
	REPORT(DEPTH + 1);
	ASSERT_EQ(DEPTH * len + header, GET(8));
	EXPECT_EVENT(0, DEPTH + 2, 0x99);
	EXPECT_EQ(LOST, got[DEPTH].header.flags);
	EXPECT_EQ(2 * DEPTH + 2, got[DEPTH].header.sequence);
	/* Where one follows, its number tells. */
	REPORT(DEPTH + 1);
	ASSERT_EQ(len, GET(1));
	EXPECT_EVENT(0, 2 * DEPTH + 3, 0x99);
	REPORT(1);
	ASSERT_EQ(DEPTH * len, GET(8));
	EXPECT_EVENT(DEPTH - 2, 3 * DEPTH + 2, 0x99);
	EXPECT_EVENT(DEPTH - 1, 3 * DEPTH + 4, 0x99);
	EXPECT_EQ(0, readable(self->file));
}

TEST_F(veventq, numbers)
{
	/* A device that has another number, one that has none, one that is not attached. */
	REPORT(1);
	EXPECT_EQ(0, destroy(self->fd, self->vdev));
	EXPECT_EQ(-ENOENT, vevent(self->fd, self->idev));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->r.viommu, self->idev, 0x88, &self->vdev));
	REPORT(1);
	ASSERT_EQ(2 * sizeof(self->got[0]), GET(8));
	EXPECT_EVENT(0, 0, 0x99);
	EXPECT_EVENT(1, 1, 0x88);
	ASSERT_EQ(0, pasid_detach(self->fd, self->r.dev.stdev, 0));
	EXPECT_EQ(-EOPNOTSUPP, vevent(self->fd, self->idev));
	EXPECT_EQ(-ENOENT, vevent(self->fd, self->hwpt));
}

TEST_F(veventq, end)
{
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->queue));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->r.viommu));
	REPORT(1);
	/* What nobody can read any more is not kept for the next one. */
	close(self->file);
	REPORT(1);
	EXPECT_EQ(0, destroy(self->fd, self->queue));
	EXPECT_EQ(-EOPNOTSUPP, vevent(self->fd, self->idev));
	self->file = veventq_alloc(self->fd, self->r.viommu, EVENTS, DEPTH, &self->queue);
	ASSERT_LE(0, self->file);
	EXPECT_EQ(0, readable(self->file));
	REPORT(1);
	ASSERT_EQ(sizeof(self->got[0]), GET(8));
	EXPECT_EVENT(0, 0, 0x99);
}

/* The queue's file keeps the context. */
TEST(read_when_closed)
{
	struct iommufd_vevent_header header;
	struct viommu_rig r;
	__u32 queue;
	int file;

	ASSERT_EQ(0, viommu_rig_new(&r));
	file = veventq_alloc(r.fd, r.viommu, EVENTS, 1, &queue);
	ASSERT_LE(0, file);
	close(r.fd);
	EXPECT_EQ(0, get(file, &header, sizeof(header)));
	r.fd = iommu_open();
	EXPECT_FALSE(nothing_left(r.fd, &r.before));
	close(file);
	EXPECT_TRUE(nothing_left(r.fd, &r.before));
	close(r.fd);
}

TEST_HARNESS_MAIN
