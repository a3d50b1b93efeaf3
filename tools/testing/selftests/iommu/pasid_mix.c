// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which uses of PASIDs go together. Each test is a row of the table in
 * Documentation/userspace-api/iommu-pasid.rst.
 */
#include "pasid_mix.h"

TEST_F(mix, per_rid_and_per_rid)
{
	struct pasid_dev a, b;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &a));
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd, &a, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd, &b, V, self->other));
	EXPECT_EQ(V, number_of(self->fd, &a, V));
	EXPECT_EQ(V, number_of(self->fd, &b, V));
	EXPECT_EQ(0, REACHES(a, V, self->buf));
	EXPECT_EQ(0, REACHES(b, V, self->buf2));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_F(mix, per_rid_twice)
{
	struct pasid_dev a;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &a));
	ASSERT_EQ(0, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, a.idev, V));
	ASSERT_EQ(0, pasid_attach(self->fd, a.stdev, V + 1, self->ioas, NULL));
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, a.idev, V + 1));
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, a.stdev, V + 1, self->other, NULL));
}

TEST_F(mix, per_rid_and_global_tagged)
{
	struct pasid_dev own, global;
	__u32 number;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	ASSERT_EQ(0, tag_and_attach(self->fd, &own, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd, &global, V, self->other));
	/* Entry V of one table, another entry of another. */
	number = number_of(self->fd, &global, V);
	EXPECT_EQ(V, number_of(self->fd, &own, V));
	EXPECT_NE(V, number);
	EXPECT_EQ(0, REACHES(own, V, self->buf));
	EXPECT_EQ(0, REACHES(global, V, self->buf2));
	EXPECT_EQ(-ENOENT, request_raw(self->fd, global.stdev, V, AT, self->buf2, BUF));
	EXPECT_EQ(-ENOENT, request_raw(self->fd, own.stdev, number, AT, self->buf, BUF));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	EXPECT_EQ(0, pasid_detach(self->fd, own.stdev, V));
	EXPECT_EQ(0, REACHES(global, V, self->buf2));
}

TEST_F(mix, per_rid_and_global_identity)
{
	struct pasid_dev own, global;
	__u32 number;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	ASSERT_EQ(0, pasid_alloc(self->fd, global.idev, IDENTITY, &number));
	ASSERT_EQ(0, pasid_attach(self->fd, global.stdev, number, self->other, NULL));
	/* The same number on the other device too: the VMM sees to it, by a tag. */
	ASSERT_EQ(0, tag_and_attach(self->fd, &own, number, self->ioas));
	EXPECT_EQ(number, number_of(self->fd, &own, number));
	EXPECT_EQ(number, number_of(self->fd, &global, number));
	EXPECT_EQ(0, REACHES(own, number, self->buf));
	EXPECT_EQ(0, REACHES(global, number, self->buf2));
}

TEST_F(mix, two_global_same_tag)
{
	struct pasid_dev a, b;
	__u32 number;

	ASSERT_EQ(0, global_new(self->fd, 0, &a));
	ASSERT_EQ(0, global_new(self->fd, 0, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd, &a, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd, &b, V, self->other));
	number = number_of(self->fd, &a, V);
	EXPECT_NE(0, number);
	EXPECT_EQ(number, number_of(self->fd, &b, V));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	EXPECT_EQ(0, REACHES(a, V, self->buf));
	EXPECT_EQ(0, REACHES(b, V, self->buf2));
	/* Counted: it stays while either has it. */
	EXPECT_EQ(0, pasid_detach(self->fd, a.stdev, V));
	EXPECT_EQ(0, pasid_free(self->fd, a.idev, V));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	EXPECT_EQ(0, REACHES(b, V, self->buf2));
	ASSERT_EQ(0, tag_and_attach(self->fd, &a, V, self->ioas));
	EXPECT_EQ(number, number_of(self->fd, &a, V));
	EXPECT_EQ(0, destroy(self->fd, a.stdev));
	EXPECT_EQ(0, destroy(self->fd, b.stdev));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_F(mix, global_tag_twice)
{
	struct pasid_dev a;

	ASSERT_EQ(0, global_new(self->fd, 0, &a));
	ASSERT_EQ(0, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	EXPECT_EQ(0, pasid_free(self->fd, a.idev, V));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_F(mix, two_contexts_same_tag)
{
	struct pasid_dev a, b;

	ASSERT_EQ(0, global_new(self->fd, 0, &a));
	ASSERT_EQ(0, global_new(self->fd2, 0, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd, &a, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd2, &b, V, self->ioas2));
	EXPECT_NE(number_of(self->fd, &a, V), number_of(self->fd2, &b, V));
	EXPECT_EQ(self->before.globals + 2, globals(self->fd));
	EXPECT_EQ(0, REACHES(a, V, self->buf));
	EXPECT_EQ(0, request(self->fd2, b.stdev, V, AT, self->buf2, BUF));
}

TEST_F(mix, tags_and_identities_in_one_context)
{
	struct pasid_dev a, b;
	__u32 number, simple;

	ASSERT_EQ(0, global_new(self->fd, 0, &a));
	ASSERT_EQ(0, global_new(self->fd, 0, &b));
	ASSERT_EQ(0, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(-EINVAL, pasid_alloc(self->fd, a.idev, IDENTITY, &number));
	EXPECT_EQ(-EINVAL, pasid_alloc(self->fd, b.idev, IDENTITY, &number));
	EXPECT_EQ(-EINVAL, pasid_alloc(self->fd, b.idev, 0, &simple));
	/* Another kind of name can be chosen once there is none. */
	EXPECT_EQ(0, pasid_free(self->fd, a.idev, V));
	ASSERT_EQ(0, pasid_alloc(self->fd, a.idev, IDENTITY, &number));
	EXPECT_EQ(0, pasid_alloc(self->fd, b.idev, 0, &simple));
	EXPECT_EQ(-EINVAL, pasid_tag(self->fd, b.idev, V));
	EXPECT_EQ(-EINVAL, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(self->before.globals + 2, globals(self->fd));
}

TEST_F(mix, identity_as_tag_of_another_global)
{
	struct pasid_dev a, b;
	__u32 number;

	ASSERT_EQ(0, global_new(self->fd, 0, &a));
	ASSERT_EQ(0, global_new(self->fd, 0, &b));
	ASSERT_EQ(0, pasid_alloc(self->fd, a.idev, IDENTITY, &number));
	ASSERT_EQ(0, pasid_attach(self->fd, a.stdev, number, self->ioas, NULL));
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, a.idev, number));
	ASSERT_EQ(0, tag_and_attach(self->fd, &b, number, self->other));
	EXPECT_EQ(number, number_of(self->fd, &b, number));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	EXPECT_EQ(0, REACHES(a, number, self->buf));
	EXPECT_EQ(0, REACHES(b, number, self->buf2));
}

TEST_F(mix, number_too_big_for_the_second)
{
	struct pasid_dev wide, narrow;
	__u32 number;

	ASSERT_EQ(0, global_new(self->fd, 0, &wide));
	ASSERT_EQ(0, dev_new(self->fd, MOCK_DEVICE_GLOBAL | MOCK_DEVICE_CALLBACKS, 3, 0, 0,
			     &narrow));
	/* Until the system gives a number that has more than three bits. */
	for (__u32 v = V;; v++) {
		ASSERT_EQ(0, tag_and_attach(self->fd, &wide, v, self->ioas));
		number = number_of(self->fd, &wide, v);
		EXPECT_EQ(number < 8 ? 0 : -ERANGE, pasid_tag(self->fd, narrow.idev, v));
		if (number >= 8)
			break;
	}
	/* The name itself may be bigger than what is in requests. */
	EXPECT_EQ(-ENOSPC, pasid_tag(self->fd, narrow.idev, V - 1));
	EXPECT_EQ(0, pasid_detach(self->fd, wide.stdev, V));
	EXPECT_EQ(0, pasid_free(self->fd, wide.idev, V));
	EXPECT_EQ(0, pasid_free(self->fd, narrow.idev, V));
	EXPECT_EQ(0, pasid_tag(self->fd, narrow.idev, V - 1));
	EXPECT_EQ(0, pasid_attach(self->fd, narrow.stdev, V - 1, self->other, NULL));
	EXPECT_GT(8, number_of(self->fd, &narrow, V - 1));
}

TEST_F(mix, slices_of_one_parent)
{
	struct pasid_dev parent, a, b;
	struct counts counts;

	ASSERT_EQ(0, parent_new(self->fd, &parent));
	/* Each by a PASID of its own, to different memory. */
	ASSERT_EQ(0, slice_new(self->fd, &parent, self->ioas, &a));
	ASSERT_EQ(0, slice_new(self->fd, &parent, self->other, &b));
	EXPECT_NE(0, number_of(self->fd, &a, 0));
	EXPECT_NE(number_of(self->fd, &a, 0), number_of(self->fd, &b, 0));
	EXPECT_EQ(self->before.globals + 2, globals(self->fd));
	EXPECT_EQ(0, REACHES(a, 0, self->buf));
	EXPECT_EQ(0, REACHES(b, 0, self->buf2));
	ASSERT_EQ(0, pasid_replace(self->fd, a.stdev, 0, self->other, NULL));
	EXPECT_EQ(0, REACHES(a, 0, self->buf2));
	ASSERT_EQ(0, count(self->fd, parent.index, &counts));
	EXPECT_EQ(2, counts.entries);
	EXPECT_EQ(0, destroy(self->fd, a.stdev));
	EXPECT_EQ(0, REACHES(b, 0, self->buf2));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
}

TEST_F(mix, slices_of_one_parent_same_tag)
{
	struct pasid_dev parent, a, b;
	struct counts counts;
	__u32 hwpt, same;

	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &a));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &b));
	ASSERT_EQ(0, pasid_tag(self->fd, a.idev, V));
	ASSERT_EQ(0, pasid_tag(self->fd, b.idev, V));
	ASSERT_EQ(0, pasid_attach(self->fd, a.stdev, V, self->ioas, &hwpt));
	/* It is one entry: to the same IOAS it is shared, to another it is taken. */
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, b.stdev, V, self->other, NULL));
	ASSERT_EQ(0, pasid_attach(self->fd, b.stdev, V, self->ioas, &same));
	EXPECT_EQ(hwpt, same);
	EXPECT_EQ(number_of(self->fd, &a, V), number_of(self->fd, &b, V));
	ASSERT_EQ(0, count(self->fd, parent.index, &counts));
	EXPECT_EQ(1, counts.entries);
	/* A replace by one moves both; a detach of one leaves the other. */
	ASSERT_EQ(0, pasid_replace(self->fd, b.stdev, V, self->other, NULL));
	EXPECT_EQ(0, REACHES(a, V, self->buf2));
	EXPECT_EQ(0, REACHES(b, V, self->buf2));
	EXPECT_EQ(0, pasid_detach(self->fd, a.stdev, V));
	EXPECT_EQ(0, number_of(self->fd, &a, V));
	EXPECT_EQ(0, REACHES(b, V, self->buf2));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->other));
	EXPECT_EQ(0, pasid_detach(self->fd, b.stdev, V));
	EXPECT_EQ(0, destroy(self->fd, self->other));
}

TEST_F(mix, slices_in_two_contexts)
{
	struct pasid_dev parent, a, b;

	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, self->ioas, &a));
	ASSERT_EQ(0, slice_new(self->fd2, &parent, self->ioas2, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd, &a, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd2, &b, V, self->ioas2));
	EXPECT_NE(number_of(self->fd, &a, 0), number_of(self->fd2, &b, 0));
	EXPECT_NE(number_of(self->fd, &a, V), number_of(self->fd2, &b, V));
	EXPECT_EQ(self->before.globals + 4, globals(self->fd));
	EXPECT_EQ(0, REACHES(a, V, self->buf));
	EXPECT_EQ(0, request(self->fd2, b.stdev, V, AT, self->buf2, BUF));
	EXPECT_EQ(0, request(self->fd2, b.stdev, 0, AT, self->buf2, BUF));
	EXPECT_EQ(0, destroy(self->fd2, b.stdev));
	EXPECT_EQ(0, REACHES(a, V, self->buf));
}

TEST_HARNESS_MAIN
