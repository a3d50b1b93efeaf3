// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of one device with several users: the function itself beside its slices,
 * the kernel, and emulated devices. As in pasid_mix, each test is a row of the
 * table in Documentation/userspace-api/iommu-pasid.rst.
 */
#include "pasid_mix.h"

/* The function itself, of which there are slices. */
static int bind_again(int fd, const struct pasid_dev *slice, __u32 pt, struct pasid_dev *dev)
{
	return dev_new(fd, MOCK_DEVICE_GLOBAL | MOCK_DEVICE_CALLBACKS | MOCK_DEVICE_AGAIN, 0,
		       slice->index, pt, dev);
}

TEST_F(mix, whole_function_and_its_slices)
{
	struct pasid_dev whole, a, b;

	ASSERT_EQ(0, global_new(self->fd, self->ioas, &whole));
	ASSERT_EQ(0, slice_new(self->fd, &whole, self->other, &a));
	ASSERT_EQ(0, slice_new(self->fd2, &whole, self->ioas2, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd, &whole, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd2, &b, V, self->ioas2));
	EXPECT_EQ(0, REACHES(whole, V, self->buf));
	EXPECT_EQ(0, REACHES(a, 0, self->buf2));
	EXPECT_EQ(0, request(self->fd2, b.stdev, V, AT, self->buf2, BUF));
	EXPECT_NE(number_of(self->fd, &whole, V), number_of(self->fd2, &b, V));
	EXPECT_EQ(self->before.globals + 4, globals(self->fd));
	/* A slice of the same context that uses the same tag shares the entry. */
	ASSERT_EQ(0, pasid_tag(self->fd, a.idev, V));
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, a.stdev, V, self->other, NULL));
	EXPECT_EQ(0, pasid_attach(self->fd, a.stdev, V, self->ioas, NULL));
	EXPECT_EQ(0, destroy(self->fd2, b.stdev));
	EXPECT_EQ(0, destroy(self->fd, a.stdev));
	EXPECT_EQ(0, REACHES(whole, V, self->buf));
}

/* The function's own user leaves first. */
TEST_F(mix, whole_function_leaves_its_slices)
{
	struct pasid_dev whole, again, a, b;

	ASSERT_EQ(0, global_new(self->fd, self->ioas, &whole));
	ASSERT_EQ(0, slice_new(self->fd, &whole, self->other, &a));
	ASSERT_EQ(0, slice_new(self->fd2, &whole, self->ioas2, &b));
	ASSERT_EQ(0, tag_and_attach(self->fd2, &b, V, self->ioas2));
	EXPECT_EQ(0, destroy(self->fd, whole.stdev));
	EXPECT_EQ(0, REACHES(a, 0, self->buf2));
	EXPECT_EQ(0, request(self->fd2, b.stdev, V, AT, self->buf2, BUF));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	EXPECT_EQ(0, destroy(self->fd2, b.stdev));
	EXPECT_EQ(0, destroy(self->fd, a.stdev));
	ASSERT_EQ(0, global_new(self->fd, self->ioas, &again));
}

/* Who owns no PASID of the device may not have the device: bind it before the slices are used. */
TEST_F(mix, whole_function_after_its_slices)
{
	struct pasid_dev first, again, a;

	ASSERT_EQ(0, global_new(self->fd, self->ioas, &first));
	ASSERT_EQ(0, slice_new(self->fd2, &first, self->ioas2, &a));
	EXPECT_EQ(0, destroy(self->fd, first.stdev));
	EXPECT_EQ(-EBUSY, bind_again(self->fd, &a, self->ioas, &again));
	EXPECT_EQ(0, pasid_detach(self->fd2, a.stdev, 0));
	ASSERT_EQ(0, bind_again(self->fd, &a, self->ioas, &again));
	EXPECT_EQ(0, pasid_attach(self->fd2, a.stdev, 0, self->ioas2, NULL));
	EXPECT_EQ(0, request(self->fd2, a.stdev, 0, AT, self->buf2, BUF));
}

TEST_F(mix, kernel_on_a_global_device)
{
	struct pasid_dev dev;
	__u32 id, taken, later, number;

	ASSERT_EQ(0, global_new(self->fd, 0, &dev));
	ASSERT_EQ(0, tag_and_attach(self->fd, &dev, V, self->ioas));
	ASSERT_EQ(0, kernel_pasid(self->fd, dev.stdev, &id, &taken));
	/* Numbers never meet, from whichever side the next one is taken. */
	ASSERT_EQ(0, tag_and_attach(self->fd, &dev, V + 1, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd, &dev, taken, self->ioas));
	EXPECT_NE(taken, number_of(self->fd, &dev, V));
	EXPECT_NE(taken, number_of(self->fd, &dev, V + 1));
	EXPECT_NE(taken, number_of(self->fd, &dev, taken));
	EXPECT_EQ(-EINVAL, request_raw(self->fd, dev.stdev, taken, AT, self->buf, BUF));
	EXPECT_EQ(self->before.globals + 4, globals(self->fd));
	EXPECT_EQ(0, REACHES(dev, taken, self->buf));
	/* A number that the kernel gives back may be anybody's. */
	EXPECT_EQ(0, destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, request_raw(self->fd, dev.stdev, taken, AT, self->buf, BUF));
	ASSERT_EQ(0, tag_and_attach(self->fd, &dev, V + 2, self->ioas));
	number = number_of(self->fd, &dev, V + 2);
	ASSERT_EQ(0, kernel_pasid(self->fd, dev.stdev, &id, &later));
	EXPECT_NE(number, later);
	EXPECT_EQ(0, destroy(self->fd, id));
}

TEST_F(mix, kernel_and_identities)
{
	__u32 id[3], taken[3], pasid[3];
	struct pasid_dev dev;

	ASSERT_EQ(0, global_new(self->fd, 0, &dev));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pasid_alloc(self->fd, dev.idev, IDENTITY, &pasid[i]));
		ASSERT_EQ(0, kernel_pasid(self->fd, dev.stdev, &id[i], &taken[i]));
	}
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			EXPECT_NE(pasid[i], taken[j]);
	EXPECT_EQ(-ENXIO, pasid_attach(self->fd, dev.stdev, taken[0], self->ioas, NULL));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, destroy(self->fd, id[i]));
}

TEST_F(mix, kernel_on_a_per_rid_device)
{
	struct pasid_dev dev;
	__u32 id, taken;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	ASSERT_EQ(0, kernel_pasid(self->fd, dev.stdev, &id, &taken));
	/* An entry of the kernel stays the kernel's, allocated or not. */
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, dev.stdev, taken, self->ioas, NULL));
	EXPECT_EQ(0, pasids_in_use(self->fd, dev.idev));
	ASSERT_EQ(0, pasid_tag(self->fd, dev.idev, taken));
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, dev.stdev, taken, self->ioas, NULL));
	EXPECT_EQ(-EINVAL, request_raw(self->fd, dev.stdev, taken, AT, self->buf, BUF));
	ASSERT_EQ(0, tag_and_attach(self->fd, &dev, taken + 1, self->ioas));
	EXPECT_EQ(0, REACHES(dev, taken + 1, self->buf));
	EXPECT_EQ(0, destroy(self->fd, id));
	EXPECT_EQ(0, pasid_attach(self->fd, dev.stdev, taken, self->ioas, NULL));
	EXPECT_EQ(0, REACHES(dev, taken, self->buf));
}

/* An emulated device with numbers of its own has nothing to do with any other. */
TEST_F(mix, emulated_own_numbers)
{
	struct pasid_dev own, global;
	__u32 id, got;
	int access;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	access = access_own(self->fd, 0, 8, &id);
	ASSERT_LT(0, access);
	ASSERT_EQ(0, tag_and_attach(self->fd, &own, V, self->ioas));
	ASSERT_EQ(0, tag_and_attach(self->fd, &global, V, self->ioas));
	ASSERT_EQ(0, pasid_tag(self->fd, id, V));
	EXPECT_EQ(self->before.globals + 1, globals(self->fd));
	ASSERT_EQ(0, access_attach_at(self->fd, access, V, self->other));
	*(__u32 *)self->buf = 1;
	*(__u32 *)self->buf2 = 2;
	ASSERT_EQ(0, access_read_at(self->fd, access, V, AT, sizeof(got), &got));
	EXPECT_EQ(2, got);
	EXPECT_EQ(0, REACHES(own, V, self->buf));
	EXPECT_EQ(0, REACHES(global, V, self->buf));
	close(access);
	EXPECT_EQ(0, REACHES(global, V, self->buf));
}

/* One with numbers of the system has its place in the context's set. */
TEST_F(mix, emulated_global_numbers)
{
	struct pasid_dev parent, slice;
	__u32 id, got, follower, number;
	int access;

	ASSERT_EQ(0, follow(self->fd, &follower));
	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &slice));
	access = access_global(self->fd, 0, MOCK_PASID_WIDTH, parent.index, &id);
	ASSERT_LT(0, access);
	EXPECT_EQ(-ENXIO, access_attach_at(self->fd, access, V, self->other));
	ASSERT_EQ(0, pasid_tag(self->fd, id, V));
	ASSERT_EQ(0, tag_and_attach(self->fd, &slice, V, self->ioas));
	ASSERT_EQ(0, access_attach_at(self->fd, access, V, self->other));
	EXPECT_EQ(self->before.globals + 2, globals(self->fd));
	*(__u32 *)self->buf2 = 2;
	ASSERT_EQ(0, access_read_at(self->fd, access, V, AT, sizeof(got), &got));
	EXPECT_EQ(2, got);
	EXPECT_EQ(0, REACHES(slice, V, self->buf));
	ASSERT_EQ(0, pair(self->fd, follower, V, &number));
	EXPECT_EQ(number, number_of(self->fd, &slice, V));
	EXPECT_EQ(0, destroy(self->fd, slice.stdev));
	EXPECT_EQ(0, pair(self->fd, follower, V, &number));
	close(access);
	EXPECT_EQ(-ENOENT, pair(self->fd, follower, V, &number));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_HARNESS_MAIN
