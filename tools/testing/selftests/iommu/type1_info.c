// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_IOMMU_GET_INFO on a file of /dev/iommu: sizes, and the chain of capabilities. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"
#include "lib/type1.h"

#define FILLER 0x5a
#define OLD offsetof(struct vfio_iommu_type1_info, cap_offset)

FIXTURE(type1_info)
{
	int fd;
	__u32 ioas;
	struct mock_dev dev;
	union {
		struct vfio_iommu_type1_info info;
		__u8 bytes[PAGE];
	};
};

FIXTURE_SETUP(type1_info)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_EQ(0, t1_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
}

FIXTURE_TEARDOWN(type1_info)
{
	close(self->fd);
}

/* Nothing beyond size bytes may be written. */
static int get(FIXTURE_DATA(type1_info) *t, __u32 size)
{
	int rc;

	memset(t->bytes, FILLER, sizeof(t->bytes));
	t->info.argsz = size;
	rc = iommu_call(t->fd, VFIO_IOMMU_GET_INFO, t->bytes);
	for (size_t i = size; i < sizeof(t->bytes); i++)
		if (t->bytes[i] != FILLER)
			return -E2BIG;
	return rc;
}

static void *cap(FIXTURE_DATA(type1_info) *t, unsigned int id)
{
	__u32 at = t->info.cap_offset;
	int steps;

	for (steps = 0; at && steps < 8; steps++) {
		struct vfio_info_cap_header *header = (void *)t->bytes + at;

		if (at % 8 || at + sizeof(*header) > t->info.argsz)
			return NULL;
		if (header->id == id)
			return header->version == 1 ? header : NULL;
		at = header->next;
	}
	return NULL;
}

TEST_F(type1_info, sizes)
{
	__u32 all;

	EXPECT_EQ(-EINVAL, get(self, OLD - 1));
	ASSERT_EQ(0, get(self, OLD));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS, self->info.flags);
	ASSERT_EQ(0, get(self, sizeof(self->info)));
	EXPECT_EQ(0, self->info.cap_offset);
	all = self->info.argsz;
	ASSERT_LT(sizeof(self->info), all);
	ASSERT_EQ(0, get(self, all - 1));
	EXPECT_EQ(all, self->info.argsz);
	EXPECT_EQ(0, self->info.cap_offset);
	ASSERT_EQ(0, get(self, all));
	EXPECT_EQ(sizeof(self->info), self->info.cap_offset);
	ASSERT_EQ(0, get(self, all + 100));
	EXPECT_EQ(all + 100, self->info.argsz);
	EXPECT_EQ(-EFAULT, iommu_call(self->fd, VFIO_IOMMU_GET_INFO, NULL));
}

TEST_F(type1_info, without_device)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;

	EXPECT_EQ(1, t1_number(self->fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	ASSERT_EQ(0, get(self, PAGE));
	EXPECT_EQ(-PAGE, self->info.iova_pgsizes);
	ranges = cap(self, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	EXPECT_EQ(1, ranges->nr_iovas);
	EXPECT_EQ(0, ranges->iova_ranges[0].start);
	EXPECT_EQ(U64_MAX, ranges->iova_ranges[0].end);
}

TEST_F(type1_info, with_device)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct vfio_iommu_type1_info_dma_avail *avail;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	ASSERT_EQ(0, mock_reserve(self->fd, self->ioas, MOCK_APERTURE_START + HUGE, PAGE));
	/* The mock's devices bypass caches as they like. */
	EXPECT_EQ(0, t1_number(self->fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	ASSERT_EQ(0, get(self, PAGE));
	/* The mock has pages of half the size: they are not for type1. */
	EXPECT_EQ(PAGE, self->info.iova_pgsizes & -self->info.iova_pgsizes);
	ranges = cap(self, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	ASSERT_EQ(2, ranges->nr_iovas);
	EXPECT_EQ(MOCK_APERTURE_START, ranges->iova_ranges[0].start);
	EXPECT_EQ(MOCK_APERTURE_START + HUGE - 1, ranges->iova_ranges[0].end);
	EXPECT_EQ(MOCK_APERTURE_START + HUGE + PAGE, ranges->iova_ranges[1].start);
	EXPECT_EQ(MOCK_APERTURE_LAST, ranges->iova_ranges[1].end);
	avail = cap(self, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	ASSERT_NE(NULL, avail);
	EXPECT_LT(0, avail->avail);
	/* Dirty pages are for files that a group has as its container. */
	EXPECT_EQ(NULL, cap(self, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION));
}

TEST_HARNESS_MAIN
