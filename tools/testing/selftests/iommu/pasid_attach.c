// SPDX-License-Identifier: GPL-2.0-only
/* Attach, replace and detach at a PASID, beside the device itself, and each error of it. */
#include "pasid_attach.h"

#define MAX 0x100000u

TEST_F(at_pasid, attach_detach)
{
	struct iommu_pasid_entry entry;
	__u32 hwpt;

	EXPECT_EQ(-ENOENT, REACHES(V, self->buf));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V, self->ioas, &hwpt));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, V, hwpt));
	EXPECT_EQ(1, entries(self->fd, &self->dev));
	/* Neither the device itself nor another PASID. */
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, 0));
	EXPECT_EQ(-ENOENT, REACHES(V + 1, self->buf));
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, V, &entry));
	EXPECT_TRUE(entry.flags & IOMMU_PASID_ENTRY_ATTACHED);
	EXPECT_EQ(hwpt, entry.hwpt_id);
	EXPECT_EQ(self->ioas, entry.ioas_id);
	/* The IOAS is in use; what it maps and unmaps is what the PASID reaches. */
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(-EINVAL, REACHES(V, self->buf));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf2, BUF, AT));
	EXPECT_EQ(0, REACHES(V, self->buf2));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(-ENOENT, REACHES(V, self->buf2));
	EXPECT_EQ(0, entries(self->fd, &self->dev));
	EXPECT_EQ(0, DETACH(V));
	/* It is allocated still, and free to be attached again. */
	EXPECT_EQ(1, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(0, ATTACH(V, self->other));
	EXPECT_EQ(0, REACHES(V, self->buf2));
}

TEST_F(at_pasid, beside_the_device)
{
	__u32 rid, at;

	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->ioas, &rid));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V, self->other, &at));
	EXPECT_NE(rid, at);
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, rid));
	EXPECT_EQ(0, REACHES(V, self->buf2));
	EXPECT_EQ(0, DETACH(0));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, 0));
	EXPECT_EQ(0, REACHES(V, self->buf2));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->ioas, &rid));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, rid));
}

/* The device and its PASIDs share the page table of an IOAS; it goes with the last. */
TEST_F(at_pasid, one_table)
{
	__u32 rid, at, second;

	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, V + 1));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V, self->ioas, &at));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V + 1, self->ioas, &second));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->ioas, &rid));
	EXPECT_EQ(at, second);
	EXPECT_EQ(at, rid);
	EXPECT_EQ(0, DETACH(0));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(-EBUSY, destroy(self->fd, at));
	EXPECT_EQ(0, REACHES(V + 1, self->buf));
	EXPECT_EQ(0, DETACH(V + 1));
	EXPECT_EQ(-ENOENT, destroy(self->fd, at));
}

TEST_F(at_pasid, table_by_hand)
{
	__u32 fits, plain;

	ASSERT_EQ(0, ALLOC(self->ioas, IOMMU_HWPT_ALLOC_PASID, &fits));
	ASSERT_EQ(0, ALLOC(self->ioas, 0, &plain));
	EXPECT_EQ(-EINVAL, ATTACH(V, plain));
	EXPECT_EQ(0, entries(self->fd, &self->dev));
	ASSERT_EQ(0, ATTACH(V, fits));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(-EBUSY, destroy(self->fd, fits));
	EXPECT_EQ(-EINVAL, REPLACE(V, plain));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(0, destroy(self->fd, fits));
	EXPECT_EQ(0, destroy(self->fd, plain));
}

/* A device on a table that was not made for it has no PASIDs, and the other way round. */
TEST_F(at_pasid, table_without_the_flag_excludes_pasids)
{
	__u32 fits, plain;

	ASSERT_EQ(0, ALLOC(self->ioas, IOMMU_HWPT_ALLOC_PASID, &fits));
	ASSERT_EQ(0, ALLOC(self->ioas, 0, &plain));
	ASSERT_EQ(0, ATTACH(0, plain));
	EXPECT_EQ(-EINVAL, ATTACH(V, fits));
	EXPECT_EQ(-EINVAL, ATTACH(V, self->ioas));
	ASSERT_EQ(0, REPLACE(0, fits));
	ASSERT_EQ(0, ATTACH(V, fits));
	EXPECT_EQ(-EINVAL, REPLACE(0, plain));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, fits));
	EXPECT_EQ(0, DETACH(0));
	EXPECT_EQ(-EINVAL, ATTACH(0, plain));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(0, ATTACH(0, plain));
	EXPECT_EQ(0, DETACH(0));
	EXPECT_EQ(0, destroy(self->fd, fits));
	EXPECT_EQ(0, destroy(self->fd, plain));
}

TEST_F(at_pasid, replace)
{
	struct iommu_pasid_entry entry;
	__u32 first, second, same;

	EXPECT_EQ(-EINVAL, REPLACE(V, self->ioas));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V, self->ioas, &first));
	EXPECT_EQ(0, REACHES(V, self->buf));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, V, self->other, &second));
	EXPECT_EQ(0, REACHES(V, self->buf2));
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, V, &entry));
	EXPECT_EQ(second, entry.hwpt_id);
	EXPECT_EQ(self->other, entry.ioas_id);
	EXPECT_EQ(-ENOENT, destroy(self->fd, first));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, V, self->other, &same));
	EXPECT_EQ(second, same);
	EXPECT_EQ(0, REACHES(V, self->buf2));
	EXPECT_EQ(1, pasids_attached(self->fd, self->dev.idev));
	EXPECT_EQ(1, entries(self->fd, &self->dev));
	self->ioas = ioas_new(self->fd);
}

TEST_F(at_pasid, failed_replace_leaves_the_old)
{
	__u32 refused = IOMMU_TEST_PASID_RESERVED, hwpt, now;
	struct iommu_pasid_entry entry;

	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, V, self->ioas, &hwpt));
	EXPECT_EQ(-ENOENT, REPLACE(V, self->other + 100));
	EXPECT_EQ(-EINVAL, REPLACE(V, self->dev.idev));
	/* What the device cannot translate, and memory that is not there. */
	ASSERT_EQ(0, map_at(self->fd, self->other, self->buf, PAGE, MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EADDRINUSE, REPLACE(V, self->other));
	EXPECT_EQ(0, unmap(self->fd, self->other, MOCK_APERTURE_START - PAGE, PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->other, (void *)PAGE, PAGE, AT + HUGE));
	EXPECT_EQ(-EFAULT, REPLACE(V, self->other));
	EXPECT_EQ(0, unmap(self->fd, self->other, AT + HUGE, PAGE));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, V, hwpt));
	if (variant->global)
		return;
	/* The IOMMU itself. */
	ASSERT_EQ(0, ATTACH(refused, self->ioas));
	EXPECT_EQ(-ENOMEM, REPLACE(refused, self->other));
	EXPECT_EQ(0, REACHES(refused, self->buf));
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, refused, &entry));
	EXPECT_EQ(self->ioas, entry.ioas_id);
	EXPECT_EQ(0, destroy(self->fd, self->other));
	EXPECT_EQ(0, DETACH(refused));
	self->other = ioas_new(self->fd);
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, refused, self->other, &now));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, refused, now));
}

TEST_F(at_pasid, refused)
{
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	EXPECT_EQ(-EBUSY, ATTACH(V, self->ioas));
	EXPECT_EQ(-EBUSY, ATTACH(V, self->other));
	EXPECT_EQ(-ERANGE, ATTACH(MAX, self->ioas));
	EXPECT_EQ(-ERANGE, ATTACH(~0u, self->ioas));
	EXPECT_EQ(-EINVAL, REPLACE(MAX, self->ioas));
	EXPECT_EQ(0, DETACH(MAX));
	EXPECT_EQ(-ENOENT, ATTACH(V + 1, 0));
	EXPECT_EQ(-EINVAL, ATTACH(V + 1, self->dev.idev));
	EXPECT_EQ(variant->global ? -ENXIO : 0, ATTACH(V + 1, self->ioas));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(variant->global ? 1 : 2, pasids_in_use(self->fd, self->dev.idev));
}

TEST_F(at_pasid, device_without_pasids)
{
	struct mock_dev plain;
	__u32 hwpt;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &plain));
	EXPECT_EQ(-EOPNOTSUPP, pasid_attach(self->fd, plain.stdev, V, self->ioas, NULL));
	/* A table for PASIDs of another one it can do. */
	EXPECT_EQ(0, hwpt_alloc(self->fd, plain.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP, pasid_attach(self->fd, plain.stdev, V, hwpt, NULL));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(-EOPNOTSUPP, pasid_replace(self->fd, plain.stdev, V, self->ioas, NULL));
	EXPECT_EQ(0, pasid_detach(self->fd, plain.stdev, V));
	EXPECT_EQ(0, destroy(self->fd, plain.stdev));
}

TEST_F(at_pasid, group_of_several)
{
	struct pasid_dev second;
	__u32 id, number;

	ASSERT_EQ(0, ATTACH(0, self->ioas));
	ASSERT_EQ(0, dev_new(self->fd, MOCK_DEVICE_JOIN, MOCK_PASID_WIDTH, self->dev.index, 0,
			     &second));
	EXPECT_EQ(-EPERM, ATTACH(V, self->ioas));
	EXPECT_EQ(-EPERM, kernel_pasid(self->fd, self->dev.stdev, &id, &number));
	EXPECT_EQ(-EPERM, pasid_attach(self->fd, second.stdev, V, self->ioas, NULL));
	EXPECT_EQ(0, entries(self->fd, &self->dev));
	EXPECT_EQ(1, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(0, pasids_in_use(self->fd, second.idev));
	/* The device itself is attached with its group. */
	EXPECT_EQ(-EINVAL, pasid_attach(self->fd, second.stdev, 0, self->other, NULL));
	EXPECT_EQ(0, pasid_attach(self->fd, second.stdev, 0, self->ioas, NULL));
	EXPECT_EQ(0, destroy(self->fd, second.stdev));
	EXPECT_EQ(0, ATTACH(V, self->ioas));
	/* What is attached at PASIDs is a group of one device's, and that stays so. */
	EXPECT_EQ(-EBUSY, dev_new(self->fd, MOCK_DEVICE_JOIN, MOCK_PASID_WIDTH, self->dev.index,
				  0, &second));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(0, DETACH(V));
}

TEST_F(at_pasid, free_while_attached)
{
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->dev.idev, V));
	EXPECT_EQ(0, REACHES(V, self->buf));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, V));
	EXPECT_EQ(0, pasids_in_use(self->fd, self->dev.idev));
}

/* Mainline's way: a number of the device's own needs no allocation, and is taken while attached. */
TEST_F(at_pasid, attached_number_is_taken)
{
	struct iommu_pasid_entry entry;
	__u32 pasid;

	if (variant->global) {
		EXPECT_EQ(-ENXIO, ATTACH(1, self->ioas));
		EXPECT_EQ(1, pasids_in_use(self->fd, self->dev.idev));
		return;
	}
	ASSERT_EQ(0, ATTACH(1, self->ioas));
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, 1, &entry));
	EXPECT_FALSE(entry.flags & IOMMU_PASID_ENTRY_ALLOCATED);
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, self->dev.idev, 1));
	EXPECT_EQ(-ENXIO, pasid_free(self->fd, self->dev.idev, 1));
	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, 0, &pasid));
	EXPECT_EQ(2, pasid);
	EXPECT_EQ(0, DETACH(1));
	EXPECT_EQ(-ENOENT, pasid_entry(self->fd, self->dev.idev, 1, &entry) ?: -(entry.pasid == 1));
	EXPECT_EQ(0, pasid_tag(self->fd, self->dev.idev, 1));
}

/* The test calls that mainline's own selftest makes, which are narrower. */
static int as_mainline(int fd, __u32 op, __u32 stdev, __u32 pasid, __u32 pt)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = op,
		.id = stdev,
		.pasid_attach.pasid = pasid,
		.pasid_attach.pt_id = pt,
	};

	return iommu_call(fd, IOMMU_TEST_CMD, &cmd);
}

TEST_F(at_pasid, as_mainline)
{
	__u32 rsvd = IOMMU_TEST_PASID_RESERVED, stdev = self->dev.stdev, hwpt, second;
	const __u32 attach = IOMMU_TEST_OP_PASID_ATTACH, replace = IOMMU_TEST_OP_PASID_REPLACE;
	struct mock_dev plain;

	if (variant->global)
		return;
	ASSERT_EQ(0, ALLOC(self->ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	ASSERT_EQ(0, ALLOC(self->other, IOMMU_HWPT_ALLOC_PASID, &second));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &plain));
	EXPECT_EQ(-EINVAL, as_mainline(self->fd, attach, plain.stdev, 100, hwpt));
	EXPECT_EQ(-EINVAL, as_mainline(self->fd, attach, stdev, 100, self->ioas));
	EXPECT_EQ(-EINVAL, as_mainline(self->fd, replace, stdev, 100, hwpt));
	EXPECT_EQ(0, as_mainline(self->fd, IOMMU_TEST_OP_PASID_DETACH, stdev, 100, 0));
	EXPECT_EQ(0, as_mainline(self->fd, attach, stdev, 100, hwpt));
	EXPECT_EQ(-EBUSY, as_mainline(self->fd, attach, stdev, 100, hwpt));
	EXPECT_EQ(0, pasid_check(self->fd, stdev, 100, hwpt));
	EXPECT_EQ(-EINVAL, pasid_check(self->fd, stdev, 100, 0));
	EXPECT_EQ(-EINVAL, pasid_check(self->fd, stdev, 100, second));
	EXPECT_EQ(0, as_mainline(self->fd, replace, stdev, 100, second));
	EXPECT_EQ(0, pasid_check(self->fd, stdev, 100, second));
	EXPECT_EQ(0, as_mainline(self->fd, IOMMU_TEST_OP_PASID_DETACH, stdev, 100, 0));
	EXPECT_EQ(0, pasid_check(self->fd, stdev, 100, 0));
	EXPECT_EQ(0, as_mainline(self->fd, attach, stdev, rsvd, hwpt));
	EXPECT_EQ(-ENOMEM, as_mainline(self->fd, replace, stdev, rsvd, second));
	EXPECT_EQ(0, pasid_check(self->fd, stdev, rsvd, hwpt));
	EXPECT_EQ(0, as_mainline(self->fd, IOMMU_TEST_OP_PASID_DETACH, stdev, rsvd, 0));
	EXPECT_EQ(0, as_mainline(self->fd, attach, stdev, rsvd, second));
	EXPECT_EQ(0, as_mainline(self->fd, IOMMU_TEST_OP_PASID_DETACH, stdev, rsvd, 0));
	EXPECT_EQ(0, destroy(self->fd, plain.stdev));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, destroy(self->fd, second));
}

TEST_HARNESS_MAIN
