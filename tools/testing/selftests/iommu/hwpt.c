// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_HWPT_ALLOC, the page tables that attaching makes, GET_HW_INFO, and DESTROY's order. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)

FIXTURE(hwpt)
{
	int fd;
	__u32 ioas;
	char *buf;
	struct mock_dev dev;
};

FIXTURE_SETUP(hwpt)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
}

FIXTURE_TEARDOWN(hwpt)
{
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	close(self->fd);
}

TEST_F(hwpt, by_hand)
{
	__u32 hwpt;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &hwpt));
	EXPECT_NE(self->dev.hwpt, hwpt);
	/* It has all there is before anybody attaches it, and shares the pins. */
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	/* And what comes and goes later. */
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + HUGE));
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, self->buf, PAGE, AT + HUGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT + HUGE, PAGE));
	EXPECT_NE(0, mock_check_map(self->fd, hwpt, self->buf, PAGE, AT + HUGE));
	/* An IOAS with a table is in use. */
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(-ENOENT, destroy(self->fd, hwpt));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
}

/* Without a device attached it keeps memory pinned as well. */
TEST_F(hwpt, by_hand_pins)
{
	__u32 ioas = ioas_new(self->fd), hwpt;

	ASSERT_NE(0, ioas);
	ASSERT_EQ(0, map_at(self->fd, ioas, self->buf, BUF, AT));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, ioas, 0, &hwpt));
	EXPECT_EQ(2 * BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 2));
	EXPECT_EQ(-EBUSY, destroy(self->fd, ioas));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, ioas));
}

TEST_F(hwpt, attached)
{
	struct mock_dev other;
	__u32 hwpt;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, hwpt, &other));
	EXPECT_EQ(hwpt, other.hwpt);
	EXPECT_EQ(-EBUSY, destroy(self->fd, hwpt));
	EXPECT_EQ(0, mock_replace(self->fd, self->dev.stdev, hwpt));
	EXPECT_EQ(0, destroy(self->fd, other.stdev));
	EXPECT_EQ(-EBUSY, destroy(self->fd, hwpt));
	/* What attaching had made went with its last device; one by hand stays. */
	EXPECT_EQ(-ENOENT, destroy(self->fd, self->dev.hwpt));
	EXPECT_EQ(0, mock_replace(self->fd, self->dev.stdev, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

TEST_F(hwpt, automatic_is_shared)
{
	struct mock_dev second, third;
	__u32 other = ioas_new(self->fd);

	ASSERT_NE(0, other);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &second));
	EXPECT_EQ(self->dev.hwpt, second.hwpt);
	ASSERT_EQ(0, mock_attach(self->fd, other, &third));
	EXPECT_NE(self->dev.hwpt, third.hwpt);
	EXPECT_EQ(-EBUSY, destroy(self->fd, other));
	/* It is no object to destroy while it is in use, and it goes with its last device. */
	EXPECT_EQ(-EBUSY, destroy(self->fd, third.hwpt));
	EXPECT_EQ(0, destroy(self->fd, third.stdev));
	EXPECT_EQ(-ENOENT, destroy(self->fd, third.hwpt));
	EXPECT_EQ(0, destroy(self->fd, other));
	EXPECT_EQ(0, destroy(self->fd, second.stdev));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
}

/* A table made by hand is not one that attaching to the IOAS picks. */
TEST_F(hwpt, by_hand_is_not_shared)
{
	__u32 ioas = ioas_new(self->fd), hwpt;
	struct mock_dev dev;

	ASSERT_NE(0, ioas);
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, ioas, 0, &hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, ioas, &dev));
	EXPECT_NE(hwpt, dev.hwpt);
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, ioas));
}

TEST_F(hwpt, replace)
{
	__u32 other = ioas_new(self->fd), gone = ioas_new(self->fd);

	ASSERT_NE(0, other);
	ASSERT_EQ(0, destroy(self->fd, gone));
	ASSERT_EQ(0, map_at(self->fd, other, self->buf, PAGE, AT));
	/* By the same: nothing changes. By nothing, or what cannot be: the old one stays. */
	EXPECT_EQ(0, mock_replace(self->fd, self->dev.stdev, self->ioas));
	EXPECT_EQ(-ENOENT, mock_replace(self->fd, self->dev.stdev, gone));
	EXPECT_EQ(-EINVAL, mock_replace(self->fd, self->dev.stdev, self->dev.idev));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	/* Away: only what the other holds is pinned. And back. */
	ASSERT_EQ(0, mock_replace(self->fd, self->dev.stdev, other));
	EXPECT_EQ(1, pages_pinned());
	EXPECT_EQ(-EBUSY, destroy(self->fd, other));
	ASSERT_EQ(0, mock_replace(self->fd, self->dev.stdev, self->ioas));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, other));
}

/* The new IOAS holds what the device cannot reach: the device keeps the old one. */
TEST_F(hwpt, replace_fails)
{
	__u32 other = ioas_new(self->fd);

	ASSERT_NE(0, other);
	ASSERT_EQ(0, map_at(self->fd, other, self->buf, PAGE, MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EADDRINUSE, mock_replace(self->fd, self->dev.stdev, other));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
	EXPECT_EQ(BUF / PAGE, pages_pinned());
	EXPECT_EQ(0, unmap_all(self->fd, other) - PAGE);
	/* Memory that is not there cannot be pinned. */
	ASSERT_EQ(0, map_at(self->fd, other, (void *)PAGE, PAGE, AT));
	EXPECT_EQ(-EFAULT, mock_replace(self->fd, self->dev.stdev, other));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_F(hwpt, flags)
{
	__u32 hwpt = 0;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt));
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	/* A fault queue is asked for, and there is none of that number. */
	EXPECT_NE(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_FAULT_ID_VALID,
				&hwpt));
	EXPECT_EQ(-ENOENT, destroy(self->fd, hwpt));
}

TEST_F(hwpt, guest_data)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.dev_id = self->dev.idev,
		.pt_id = self->ioas,
	};

	arg.data_len = 8;
	arg.data_uptr = (unsigned long)self->buf;
	EXPECT_EQ(-EINVAL, iommu_call(self->fd, IOMMU_HWPT_ALLOC, &arg));
	/* A guest's table needs a parent, which an IOAS is not. */
	arg.data_type = IOMMU_HWPT_DATA_VTD_S1;
	EXPECT_NE(0, iommu_call(self->fd, IOMMU_HWPT_ALLOC, &arg));
	arg.data_type = 0x7777;
	EXPECT_NE(0, iommu_call(self->fd, IOMMU_HWPT_ALLOC, &arg));
	EXPECT_EQ(0, arg.out_hwpt_id);
}

TEST_F(hwpt, dirty_tracking)
{
	__u32 length = 0, hwpt;
	struct iommu_hw_info info;
	struct mock_dev plain;

	ASSERT_EQ(0, mock_attach_flags(self->fd, self->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY, &plain));
	ASSERT_EQ(0, hw_info(self->fd, plain.idev, NULL, &length, &info));
	EXPECT_FALSE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
	length = 0;
	ASSERT_EQ(0, hw_info(self->fd, self->dev.idev, NULL, &length, &info));
	EXPECT_TRUE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
	EXPECT_EQ(-EOPNOTSUPP, hwpt_alloc(self->fd, plain.idev, self->ioas,
					  IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	/* What enforces dirty tracking does not take a device without. */
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	EXPECT_EQ(-EINVAL, mock_replace(self->fd, plain.stdev, hwpt));
	EXPECT_EQ(0, mock_check_map(self->fd, plain.hwpt, self->buf, BUF, AT));
	EXPECT_EQ(0, destroy(self->fd, plain.stdev));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

TEST_F(hwpt, info)
{
	struct { struct iommu_test_hw_info data; __u32 beyond[4]; } buf;
	struct iommu_hw_info info;
	__u32 length = sizeof(buf);

	memset(&buf, 0xff, sizeof(buf));
	ASSERT_EQ(0, hw_info(self->fd, self->dev.idev, &buf, &length, &info));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, info.out_data_type);
	EXPECT_EQ(sizeof(buf.data), length);
	EXPECT_EQ(IOMMU_HW_INFO_SELFTEST_REGVAL, buf.data.test_reg);
	/* What the caller has and the kernel has not is zero. */
	for (unsigned int i = 0; i < ARRAY_SIZE(buf.beyond); i++)
		EXPECT_EQ(0, buf.beyond[i]);
	/* A shorter buffer gets the start; the length needed comes back. */
	memset(&buf, 0xff, sizeof(buf));
	length = sizeof(buf.data.flags);
	ASSERT_EQ(0, hw_info(self->fd, self->dev.idev, &buf, &length, &info));
	EXPECT_EQ(sizeof(buf.data), length);
	EXPECT_EQ(0, buf.data.flags);
	EXPECT_EQ(~0u, buf.data.test_reg);
	length = sizeof(buf);
	EXPECT_EQ(-EFAULT, hw_info(self->fd, self->dev.idev, (void *)PAGE, &length, &info));
	/* No PASIDs for a device that was not given any. */
	EXPECT_EQ(0, info.out_max_pasid_log2);
}

TEST_F(hwpt, info_pasid)
{
	struct iommu_hw_info info;
	struct mock_dev dev;
	__u32 length = 0;

	if (mock_attach_flags(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &dev))
		SKIP(return, "this mock has no devices with PASIDs");
	EXPECT_EQ(0, hw_info(self->fd, dev.idev, NULL, &length, &info));
	EXPECT_EQ(MOCK_PASID_WIDTH, info.out_max_pasid_log2);
	/* These two are read from a PCI function. */
	EXPECT_FALSE(info.out_capabilities & IOMMU_HW_CAP_PCI_PASID_EXEC);
	EXPECT_FALSE(info.out_capabilities & IOMMU_HW_CAP_PCI_PASID_PRIV);
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
}

TEST_F(hwpt, info_of_a_type)
{
	struct iommu_test_hw_info data = {};
	struct iommu_hw_info arg = {
		.size = sizeof(arg),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = self->dev.idev,
		.data_uptr = (unsigned long)&data,
		.data_len = sizeof(data),
	};

	if (iommu_call(self->fd, IOMMU_GET_HW_INFO, &arg) == -EOPNOTSUPP)
		SKIP(return, "this kernel has no IOMMU_HW_INFO_FLAG_INPUT_TYPE");
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, arg.out_data_type);
	EXPECT_EQ(IOMMU_HW_INFO_SELFTEST_REGVAL, data.test_reg);
	arg.in_data_type = IOMMU_HW_INFO_TYPE_SELFTEST;
	EXPECT_EQ(0, iommu_call(self->fd, IOMMU_GET_HW_INFO, &arg));
	arg.in_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	EXPECT_EQ(-EOPNOTSUPP, iommu_call(self->fd, IOMMU_GET_HW_INFO, &arg));
}

/* Whatever is destroyed first, what it uses stays, and all of it goes in the end. */
TEST_F(hwpt, destroy_in_use)
{
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->dev.hwpt));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->dev.idev));
	EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->buf, BUF, AT));
}

TEST_HARNESS_MAIN
