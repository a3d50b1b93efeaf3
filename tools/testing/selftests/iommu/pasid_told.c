// SPDX-License-Identifier: GPL-2.0-only
/* Who is told of PASIDs, and when: the driver of the device, and who follows a context's set. */
#include "pasid_attach.h"

/* The events since one, as letters: map, unmap, Set, Replace, reMove; only of one device. */
static const char *happened(int fd, __u64 since, const struct pasid_dev *dev, __u32 vpasid)
{
	static const char letters[] = "?mufgSRM";
	static char text[64];
	unsigned int n = 0;
	struct event event;
	__u32 number = 0;

	for (; !event_get(fd, since, &event) && event.kind && n < sizeof(text) - 1; since++) {
		if (event.index != dev->index || event.kind == MOCK_EVENT_FOLLOW_MAP ||
		    event.kind == MOCK_EVENT_FOLLOW_UNMAP)
			continue;
		if (event.kind <= MOCK_EVENT_UNMAP && event.vpasid != vpasid)
			text[n++] = '!';
		if (number && event.number != number)
			text[n++] = '!';
		number = event.number;
		text[n++] = letters[event.kind];
	}
	text[n] = 0;
	return text;
}

/* The driver knows the number before it can be used, and until it no longer can. */
TEST_F(at_pasid, driver_is_told)
{
	__u64 since = event_next(self->fd);
	__u32 number;

	EXPECT_EQ(-ENOENT, pair(self->fd, self->dev.stdev, V, &number));
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	EXPECT_STREQ("mS", happened(self->fd, since, &self->dev, V));
	ASSERT_EQ(0, pair(self->fd, self->dev.stdev, V, &number));
	if (!variant->global)
		EXPECT_EQ(V, number);
	EXPECT_EQ(0, request_raw(self->fd, self->dev.stdev, number, AT, self->buf, BUF));
	since = event_next(self->fd);
	ASSERT_EQ(0, REPLACE(V, self->other));
	EXPECT_STREQ("R", happened(self->fd, since, &self->dev, V));
	since = event_next(self->fd);
	ASSERT_EQ(0, DETACH(V));
	EXPECT_STREQ("Mu", happened(self->fd, since, &self->dev, V));
	EXPECT_EQ(-ENOENT, pair(self->fd, self->dev.stdev, V, &number));
	/* Of the device itself there is nothing to tell. */
	since = event_next(self->fd);
	ASSERT_EQ(0, ATTACH(0, self->ioas));
	ASSERT_EQ(0, DETACH(0));
	EXPECT_STREQ("", happened(self->fd, since, &self->dev, 0));
}

TEST_F(at_pasid, driver_refuses)
{
	__u64 since = event_next(self->fd);
	__u32 fits;

	ASSERT_EQ(0, ALLOC(self->ioas, IOMMU_HWPT_ALLOC_PASID, &fits));
	ASSERT_EQ(0, fail_map(self->fd, self->dev.stdev, EHWPOISON));
	EXPECT_EQ(-EHWPOISON, ATTACH(V, fits));
	EXPECT_STREQ("", happened(self->fd, since, &self->dev, V));
	EXPECT_EQ(0, entries(self->fd, &self->dev));
	EXPECT_EQ(0, pasids_attached(self->fd, self->dev.idev));
	EXPECT_EQ(0, destroy(self->fd, fits));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, V));
	if (!variant->global) {
		/* Nor does it keep a number that was not allocated. */
		ASSERT_EQ(0, fail_map(self->fd, self->dev.stdev, EHWPOISON));
		EXPECT_EQ(-EHWPOISON, ATTACH(V + 1, self->ioas));
		EXPECT_EQ(0, pasids_in_use(self->fd, self->dev.idev));
	}
	EXPECT_EQ(0, pasid_tag(self->fd, self->dev.idev, V));
	EXPECT_EQ(0, ATTACH(V, self->ioas));
}

/* The IOMMU refuses what the driver has agreed to: the driver is told to forget it. */
TEST_F(at_pasid, driver_is_told_to_forget)
{
	__u32 id, number, mine;
	__u64 since;

	ASSERT_EQ(0, kernel_pasid(self->fd, self->dev.stdev, &id, &number));
	if (variant->global) {
		/* The two never meet at a number. */
		EXPECT_EQ(0, ATTACH(V, self->ioas));
		EXPECT_EQ(0, pair(self->fd, self->dev.stdev, V, &mine));
		EXPECT_NE(number, mine);
		EXPECT_EQ(0, destroy(self->fd, id));
		return;
	}
	since = event_next(self->fd);
	EXPECT_EQ(-EBUSY, ATTACH(number, self->ioas));
	EXPECT_STREQ("mu", happened(self->fd, since, &self->dev, number));
	EXPECT_EQ(1, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(0, destroy(self->fd, id));
	EXPECT_EQ(0, ATTACH(number, self->ioas));
	EXPECT_EQ(0, REACHES(number, self->buf));
}

/* Followers of a context's set: the pairs that there are, then changes. */
static int follower_knows(int fd, __u32 follower, __u32 vpasid, __u32 as)
{
	__u32 number;
	int rc = pair(fd, follower, vpasid, &number);

	return !rc && number != as ? -ERANGE : rc;
}

FIXTURE(follow)
{
	int fd;
	__u32 ioas;
	struct pasid_dev dev[2];
	struct counts before;
	long taint;
};

FIXTURE_SETUP(follow)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, global_new(self->fd, 0, &self->dev[i]));
}

/* Followers that are left end with the context. */
FIXTURE_TEARDOWN(follow)
{
	int fd = iommu_open();

	close(self->fd);
	EXPECT_TRUE(nothing_left(fd, &self->before));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(fd);
}

TEST_F(follow, changes)
{
	__u32 follower, number;

	ASSERT_EQ(0, follow(self->fd, &follower));
	EXPECT_EQ(-ENOENT, pair(self->fd, follower, V, &number));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V));
	ASSERT_EQ(0, pair(self->fd, follower, V, &number));
	/* The pair is the context's: a second device changes nothing, nor does an attach. */
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev[1].idev, V));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev[1].stdev, V, self->ioas, NULL));
	EXPECT_EQ(0, follower_knows(self->fd, follower, V, number));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev[0].idev, V));
	EXPECT_EQ(0, follower_knows(self->fd, follower, V, number));
	EXPECT_EQ(0, pasid_detach(self->fd, self->dev[1].stdev, V));
	EXPECT_EQ(0, follower_knows(self->fd, follower, V, number));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev[1].idev, V));
	EXPECT_EQ(-ENOENT, pair(self->fd, follower, V, &number));
	/* What the driver is told is what the follower is told. */
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V + 1));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev[0].stdev, V + 1, self->ioas, NULL));
	ASSERT_EQ(0, pair(self->fd, self->dev[0].stdev, V + 1, &number));
	EXPECT_EQ(0, follower_knows(self->fd, follower, V + 1, number));
	EXPECT_EQ(0, destroy(self->fd, self->dev[0].stdev));
	EXPECT_EQ(-ENOENT, pair(self->fd, follower, V + 1, &number));
}

TEST_F(follow, what_is_there)
{
	__u32 first, second, number[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V + 10 * i));
	ASSERT_EQ(0, follow(self->fd, &first));
	ASSERT_EQ(0, follow(self->fd, &second));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pair(self->fd, first, V + 10 * i, &number[i]));
		EXPECT_EQ(0, follower_knows(self->fd, second, V + 10 * i, number[i]));
	}
	EXPECT_NE(number[0], number[1]);
	/* One that has gone is not told; the mock complains if it is left with any. */
	EXPECT_EQ(0, destroy(self->fd, first));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev[0].idev, V));
	EXPECT_EQ(-ENOENT, pair(self->fd, second, V, &number[0]));
}

/* Who refuses prevents the number; whoever agreed before is told to forget. */
TEST_F(follow, refuses)
{
	__u32 first, second, number, used;
	struct counts counts;

	ASSERT_EQ(0, follow(self->fd, &first));
	ASSERT_EQ(0, follow(self->fd, &second));
	ASSERT_EQ(0, count(self->fd, 0, &counts));
	used = counts.globals;
	ASSERT_EQ(0, fail_map(self->fd, second, EHWPOISON));
	EXPECT_EQ(-EHWPOISON, pasid_tag(self->fd, self->dev[0].idev, V));
	EXPECT_EQ(-ENOENT, pair(self->fd, first, V, &number));
	EXPECT_EQ(-ENOENT, pair(self->fd, second, V, &number));
	ASSERT_EQ(0, count(self->fd, 0, &counts));
	EXPECT_EQ(used, counts.globals);
	EXPECT_EQ(0, pasids_in_use(self->fd, self->dev[0].idev));
	EXPECT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V));
	EXPECT_EQ(0, pair(self->fd, first, V, &number));
	EXPECT_EQ(0, follower_knows(self->fd, second, V, number));
}

/* Before the first device has the number, and after its last entry has gone. */
TEST_F(follow, order)
{
	__u64 since = event_next(self->fd);
	struct event event[6];
	__u32 follower;

	ASSERT_EQ(0, follow(self->fd, &follower));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev[0].stdev, V, self->ioas, NULL));
	ASSERT_EQ(0, destroy(self->fd, self->dev[0].stdev));
	for (int i = 0; i < 6; i++) {
		ASSERT_EQ(0, event_get(self->fd, since + i, &event[i]));
		EXPECT_EQ(event[0].number, event[i].number);
	}
	EXPECT_EQ(MOCK_EVENT_FOLLOW_MAP, event[0].kind);
	EXPECT_EQ(MOCK_EVENT_MAP, event[1].kind);
	EXPECT_EQ(MOCK_EVENT_SET, event[2].kind);
	EXPECT_EQ(MOCK_EVENT_REMOVE, event[3].kind);
	EXPECT_EQ(MOCK_EVENT_UNMAP, event[4].kind);
	EXPECT_EQ(MOCK_EVENT_FOLLOW_UNMAP, event[5].kind);
	EXPECT_EQ(V, event[5].vpasid);
}

TEST_F(follow, contexts_are_apart)
{
	int other = iommu_open();
	__u32 follower, number;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, follow(other, &follower));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev[0].idev, V));
	EXPECT_EQ(-ENOENT, pair(other, follower, V, &number));
	close(other);
}

/* Numbers of a device's own are nobody else's business. */
TEST_F(follow, per_rid_is_not_told)
{
	struct pasid_dev own;
	__u32 follower, number;

	ASSERT_EQ(0, follow(self->fd, &follower));
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	ASSERT_EQ(0, pasid_tag(self->fd, own.idev, V));
	EXPECT_EQ(-ENOENT, pair(self->fd, follower, V, &number));
}

TEST_HARNESS_MAIN
