// SPDX-License-Identifier: GPL-2.0-only
/* Fault queues: groups of page requests, their answers, and their end. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define PASID 9
#define OK IOMMUFD_PAGE_RESP_SUCCESS
#define NO IOMMUFD_PAGE_RESP_INVALID
/* Groups that a queue holds. */
#define ROOM 4096

FIXTURE(fault)
{
	int fd, file;
	__u32 ioas, parent, queue, hwpt, plain;
	struct pasid_dev dev;
	struct iommu_hwpt_pgfault got[8];
	struct counts before;
};

FIXTURE_SETUP(fault)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &self->dev));
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &self->parent));
	self->file = fault_queue(self->fd, &self->queue);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, IOMMU_HWPT_ALLOC_PASID,
				  self->queue, &self->hwpt));
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, IOMMU_HWPT_ALLOC_PASID,
				  0, &self->plain));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->hwpt, NULL));
}

FIXTURE_TEARDOWN(fault)
{
	close(self->file);
	close(self->fd);
	self->fd = iommu_open();
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	close(self->fd);
}

#define ASK(pasid, group, addr) page_request(self->fd, self->dev.stdev, pasid, group, addr, false)
#define READ(max) faults_read(self->file, self->got, max)
#define TOLD(at) ({ struct told t; page_told(self->fd, self->dev.stdev, at, &t); t; })

TEST_F(fault, round_trip)
{
	struct told told;

	EXPECT_FALSE(fault_readable(self->file));
	EXPECT_EQ(0, READ(8));
	/* The PASIDs in a nested table are its owner's. */
	ASSERT_EQ(0, ASK(5, 3, AT));
	ASSERT_EQ(0, page_request_of(self->fd, self->dev.idev, 0, 4, AT + PAGE));
	EXPECT_TRUE(fault_readable(self->file));
	ASSERT_EQ(2, READ(8));
	EXPECT_FALSE(fault_readable(self->file));
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_PASID_VALID | IOMMU_PGFAULT_FLAGS_LAST_PAGE,
		  self->got[0].flags);
	EXPECT_EQ(self->dev.idev, self->got[0].dev_id);
	EXPECT_EQ(5, self->got[0].pasid);
	EXPECT_EQ(3, self->got[0].grpid);
	EXPECT_EQ(IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE, self->got[0].perm);
	EXPECT_EQ(AT, self->got[0].addr);
	EXPECT_EQ(0, self->got[0].length);
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_LAST_PAGE, self->got[1].flags);
	EXPECT_EQ(0, self->got[1].pasid);
	EXPECT_EQ(IOMMU_PGFAULT_PERM_READ, self->got[1].perm);
	EXPECT_NE(self->got[0].cookie, self->got[1].cookie);
	EXPECT_EQ(2, TOLD(0).pending);
	/* In any order. */
	ASSERT_EQ(0, fault_answer(self->file, self->got[1].cookie, NO));
	ASSERT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
	told = TOLD(0);
	EXPECT_EQ(4, told.group);
	EXPECT_EQ(NO, told.code);
	EXPECT_EQ(0, told.pending);
	told = TOLD(1);
	EXPECT_EQ(3, told.group);
	EXPECT_EQ(5, told.pasid);
	EXPECT_EQ(OK, told.code);
	EXPECT_EQ(NOT_TOLD, TOLD(2).code);
}

TEST_F(fault, groups_are_whole)
{
	struct iommu_hwpt_pgfault *got = self->got;

	ASSERT_EQ(0, page_request(self->fd, self->dev.stdev, 5, 1, AT, true));
	ASSERT_EQ(0, page_request(self->fd, self->dev.stdev, 5, 1, AT + PAGE, true));
	EXPECT_FALSE(fault_readable(self->file));
	ASSERT_EQ(0, ASK(5, 1, AT + 2 * PAGE));
	ASSERT_EQ(0, ASK(5, 2, AT));
	/* A buffer in which the first group has no room, and one for it alone. */
	EXPECT_EQ(-1, read(self->file, got, 0));
	EXPECT_EQ(-1, read(self->file, got, sizeof(*got) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EMSGSIZE, READ(2));
	EXPECT_TRUE(fault_readable(self->file));
	ASSERT_EQ(3, READ(3));
	EXPECT_EQ(AT, got[0].addr);
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_PASID_VALID, got[0].flags);
	EXPECT_EQ(AT + PAGE, got[1].addr);
	EXPECT_EQ(AT + 2 * PAGE, got[2].addr);
	EXPECT_TRUE(got[2].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	EXPECT_EQ(got[0].cookie, got[1].cookie);
	EXPECT_EQ(got[0].cookie, got[2].cookie);
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(2, got[0].grpid);
	/* One answer per group. */
	ASSERT_EQ(0, fault_answer(self->file, got[1].cookie, OK));
	EXPECT_EQ(-EINVAL, fault_answer(self->file, got[1].cookie, OK));
	ASSERT_EQ(0, fault_answer(self->file, got[0].cookie, OK));
	EXPECT_EQ(0, TOLD(0).pending);
}

TEST_F(fault, answers_refused)
{
	struct iommu_hwpt_page_response answers[3] = {};
	__u32 cookie;

	ASSERT_EQ(0, ASK(5, 1, AT));
	/* What has not been read cannot be answered, whatever the cookie. */
	for (cookie = 0; cookie < 16; cookie++)
		EXPECT_EQ(-EINVAL, fault_answer(self->file, cookie, OK));
	ASSERT_EQ(0, ASK(5, 2, AT));
	ASSERT_EQ(2, READ(8));
	EXPECT_EQ(-EINVAL, fault_answer(self->file, self->got[0].cookie, NO + 1));
	EXPECT_EQ(-EINVAL, fault_answer(self->file, self->got[1].cookie + 1, OK));
	EXPECT_EQ(-1, write(self->file, answers, sizeof(answers[0]) + 1));
	EXPECT_EQ(-1, write(self->file, answers, 0));
	EXPECT_EQ(2, TOLD(0).pending);
	/* Up to the first that is wrong. */
	answers[0].cookie = self->got[1].cookie;
	answers[1].cookie = self->got[1].cookie;
	answers[2].cookie = self->got[0].cookie;
	EXPECT_EQ(1, faults_answer(self->file, answers, 3));
	EXPECT_EQ(1, TOLD(0).pending);
	EXPECT_EQ(-EFAULT, faults_answer(self->file, (void *)-PAGE, 1));
	EXPECT_EQ(1, faults_answer(self->file, answers + 2, 1));
	EXPECT_EQ(0, TOLD(0).pending);
}

TEST_F(fault, nothing_lost_in_a_bad_buffer)
{
	char *area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	struct iommu_hwpt_pgfault *at;

	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(0, munmap(area + PAGE, PAGE));
	ASSERT_EQ(0, ASK(5, 1, AT));
	ASSERT_EQ(0, page_request(self->fd, self->dev.stdev, 5, 2, AT, true));
	ASSERT_EQ(0, ASK(5, 2, AT + PAGE));
	/* The first fits, of the second the first half. */
	at = (void *)(area + PAGE - 2 * sizeof(*at));
	EXPECT_EQ(1, faults_read(self->file, at, 8));
	EXPECT_EQ(-EFAULT, faults_read(self->file, at + 1, 8));
	EXPECT_TRUE(fault_readable(self->file));
	ASSERT_EQ(2, READ(8));
	EXPECT_EQ(2, self->got[0].grpid);
	EXPECT_EQ(AT, self->got[0].addr);
	EXPECT_EQ(0, fault_answer(self->file, at[0].cookie, OK));
	EXPECT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
	munmap(area, PAGE);
}

/* What waits for an answer gets one that means no, and its cookie is nobody's. */
#define ENDS(how) do {								\
	ASSERT_EQ(0, ASK(5, 1, AT));						\
	ASSERT_EQ(1, READ(8));							\
	ASSERT_EQ(0, ASK(5, 2, AT));						\
	ASSERT_EQ(0, how);							\
	EXPECT_EQ(0, TOLD(0).pending);						\
	EXPECT_EQ(NO, TOLD(0).code);						\
	EXPECT_EQ(NO, TOLD(1).code);						\
	EXPECT_EQ(2, TOLD(0).count);						\
	EXPECT_EQ(-EINVAL, fault_answer(self->file, self->got[0].cookie, OK));	\
	EXPECT_FALSE(fault_readable(self->file));				\
	EXPECT_EQ(0, READ(8));							\
} while (0)

TEST_F(fault, detached)
{
	ENDS(pasid_detach(self->fd, self->dev.stdev, 0));
	/* Now nobody wants to know. */
	EXPECT_EQ(-EINVAL, ASK(5, 3, AT));
	EXPECT_EQ(3, TOLD(2).count);
	EXPECT_EQ(NO, TOLD(2).code);
}

TEST_F(fault, replaced)
{
	ENDS(pasid_replace(self->fd, self->dev.stdev, 0, self->plain, NULL));
	EXPECT_EQ(-EINVAL, ASK(5, 3, AT));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, 0, self->hwpt, NULL));
	ASSERT_EQ(0, ASK(5, 4, AT));
	EXPECT_EQ(1, READ(8));
}

TEST_F(fault, replaced_by_another_with_faults)
{
	__u32 other;

	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, 0, self->queue, &other));
	ENDS(pasid_replace(self->fd, self->dev.stdev, 0, other, NULL));
	ASSERT_EQ(0, ASK(5, 4, AT));
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
}

TEST_F(fault, failed_replace_changes_nothing)
{
	ASSERT_EQ(0, ASK(5, 1, AT));
	ASSERT_EQ(1, READ(8));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, PASID, self->hwpt, NULL));
	EXPECT_EQ(-EINVAL, pasid_replace(self->fd, self->dev.stdev, 0, self->parent, NULL));
	EXPECT_EQ(1, TOLD(0).pending);
	EXPECT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
	EXPECT_EQ(OK, TOLD(0).code);
	ASSERT_EQ(0, ASK(5, 2, AT));
	EXPECT_EQ(1, READ(8));
}

TEST_F(fault, device_destroyed)
{
	ASSERT_EQ(0, ASK(5, 1, AT));
	ASSERT_EQ(1, READ(8));
	ASSERT_EQ(0, ASK(5, 2, AT));
	ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_FALSE(fault_readable(self->file));
	EXPECT_EQ(-EINVAL, fault_answer(self->file, self->got[0].cookie, OK));
}

TEST_F(fault, file_closed)
{
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->queue));
	ASSERT_EQ(0, ASK(5, 1, AT));
	ASSERT_EQ(1, READ(8));
	ASSERT_EQ(0, ASK(5, 2, AT));
	ASSERT_EQ(0, close(self->file));
	self->file = -1;
	EXPECT_EQ(0, TOLD(0).pending);
	EXPECT_EQ(NO, TOLD(0).code);
	EXPECT_EQ(NO, TOLD(1).code);
	/* What comes later is answered at once. */
	ASSERT_EQ(0, ASK(5, 3, AT));
	EXPECT_EQ(NO, TOLD(2).code);
	/* A page table still has it. */
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->queue));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	ASSERT_EQ(0, destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, destroy(self->fd, self->queue));
}

/* The queue's file keeps the context: its device still asks, and gets an answer. */
TEST_F(fault, context_closed)
{
	ASSERT_EQ(0, ASK(5, 1, AT));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
}

TEST_F(fault, too_many)
{
	struct told told;
	int i;

	for (i = 0; i < ROOM; i++)
		ASSERT_EQ(0, ASK(5, i, AT));
	EXPECT_EQ(0, TOLD(0).count);
	ASSERT_EQ(0, ASK(5, ROOM, AT));
	told = TOLD(0);
	EXPECT_EQ(ROOM, told.group);
	EXPECT_EQ(NO, told.code);
	/* Also those that were read count, until they are answered. */
	ASSERT_EQ(8, READ(8));
	ASSERT_EQ(0, ASK(5, ROOM, AT));
	EXPECT_EQ(2, TOLD(0).count);
	ASSERT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
	ASSERT_EQ(0, ASK(5, ROOM, AT));
	EXPECT_EQ(3, TOLD(0).count);
	EXPECT_EQ(ROOM, TOLD(0).pending);
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	EXPECT_EQ(0, TOLD(0).pending);
}

/* By a page table of an IOAS: the user maps what is asked for. */
TEST_F(fault, mapped_upon_request)
{
	char *buf = mem_shared(PAGE);
	__u32 table;

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, hwpt_alloc_fault(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID,
				      self->queue, &table));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, PASID, table, NULL));
	EXPECT_EQ(-EINVAL, request(self->fd, self->dev.stdev, PASID, AT, buf, PAGE));
	ASSERT_EQ(0, ASK(PASID, 1, AT));
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(PASID, self->got[0].pasid);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, buf, PAGE, self->got[0].addr));
	ASSERT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
	EXPECT_EQ(OK, TOLD(0).code);
	EXPECT_EQ(0, request(self->fd, self->dev.stdev, PASID, AT, buf, PAGE));
	/* Of the device's slots only this one ends. */
	ASSERT_EQ(0, ASK(PASID, 2, AT));
	ASSERT_EQ(0, ASK(5, 3, AT));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, PASID));
	EXPECT_EQ(1, TOLD(0).pending);
	EXPECT_EQ(2, TOLD(1).group);
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(3, self->got[0].grpid);
}

/* Where the number in requests is another, the user sees its own. */
TEST_F(fault, told_by_vpasid)
{
	struct pasid_dev global;
	__u32 number;

	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	ASSERT_EQ(0, pasid_tag(self->fd, global.idev, 4711));
	ASSERT_EQ(0, pasid_attach(self->fd, global.stdev, 4711, self->hwpt, NULL));
	ASSERT_EQ(0, pair(self->fd, global.stdev, 4711, &number));
	EXPECT_NE(4711, number);
	ASSERT_EQ(0, page_request(self->fd, global.stdev, number, 1, AT, false));
	ASSERT_EQ(1, READ(8));
	EXPECT_EQ(4711, self->got[0].pasid);
	EXPECT_EQ(global.idev, self->got[0].dev_id);
	EXPECT_TRUE(self->got[0].flags & IOMMU_PGFAULT_FLAGS_PASID_VALID);
	EXPECT_EQ(0, fault_answer(self->file, self->got[0].cookie, OK));
}

TEST_F(fault, refused)
{
	struct pasid_dev parent, slice, joined;
	__u32 id;

	/* What is nested on is not what asks. */
	EXPECT_EQ(-EOPNOTSUPP, hwpt_alloc_fault(self->fd, self->dev.idev, self->ioas,
						IOMMU_HWPT_ALLOC_NEST_PARENT, self->queue, &id));
	EXPECT_EQ(-ENOENT, hwpt_alloc_fault(self->fd, self->dev.idev, self->ioas, 0, self->ioas,
					    &id));
	EXPECT_EQ(-ENOENT, nested_alloc(self->fd, self->dev.idev, self->parent, 0, 12345, &id));
	/* A slice's page requests are its parent's; which one of a group asks is not known. */
	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &slice));
	EXPECT_EQ(-EOPNOTSUPP, pasid_attach(self->fd, slice.stdev, 0, self->hwpt, NULL));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	ASSERT_EQ(0, dev_new(self->fd, MOCK_DEVICE_JOIN, 0, self->dev.index, 0, &joined));
	EXPECT_EQ(-EPERM, pasid_attach(self->fd, self->dev.stdev, 0, self->hwpt, NULL));
}

TEST_HARNESS_MAIN
