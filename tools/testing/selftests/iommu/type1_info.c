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

union answer {
	struct vfio_iommu_type1_info info;
	__u8 bytes[PAGE];
};

FIXTURE(type1_info)
{
	int fd;
	__u32 ioas;
	struct mock_dev dev;
	union answer a;
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
static int get(int fd, union answer *a, __u32 size)
{
	int rc;

	memset(a->bytes, FILLER, sizeof(a->bytes));
	a->info.argsz = size;
	rc = iommu_call(fd, VFIO_IOMMU_GET_INFO, a->bytes);
	for (size_t i = size; i < sizeof(a->bytes); i++)
		if (a->bytes[i] != FILLER)
			return -E2BIG;
	return rc;
}

static void *cap(union answer *a, unsigned int id)
{
	__u32 at = a->info.cap_offset;
	int steps;

	for (steps = 0; at && steps < 8; steps++) {
		struct vfio_info_cap_header *header = (void *)a->bytes + at;

		if (at % 8 || at + sizeof(*header) > a->info.argsz)
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

	EXPECT_EQ(-EINVAL, get(self->fd, &self->a, OLD - 1));
	ASSERT_EQ(0, get(self->fd, &self->a, OLD));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS, self->a.info.flags);
	ASSERT_EQ(0, get(self->fd, &self->a, sizeof(self->a.info)));
	EXPECT_EQ(0, self->a.info.cap_offset);
	all = self->a.info.argsz;
	ASSERT_LT(sizeof(self->a.info), all);
	ASSERT_EQ(0, get(self->fd, &self->a, all - 1));
	EXPECT_EQ(all, self->a.info.argsz);
	EXPECT_EQ(0, self->a.info.cap_offset);
	ASSERT_EQ(0, get(self->fd, &self->a, all));
	EXPECT_EQ(sizeof(self->a.info), self->a.info.cap_offset);
	ASSERT_EQ(0, get(self->fd, &self->a, all + 100));
	EXPECT_EQ(all + 100, self->a.info.argsz);
	EXPECT_EQ(-EFAULT, iommu_call(self->fd, VFIO_IOMMU_GET_INFO, NULL));
}

TEST_F(type1_info, without_device)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;

	EXPECT_EQ(1, t1_number(self->fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	ASSERT_EQ(0, get(self->fd, &self->a, PAGE));
	EXPECT_EQ(-PAGE, self->a.info.iova_pgsizes);
	ranges = cap(&self->a, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
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
	ASSERT_EQ(0, get(self->fd, &self->a, PAGE));
	/* The mock has pages of half the size: they are not for type1. */
	EXPECT_EQ(PAGE, self->a.info.iova_pgsizes & -self->a.info.iova_pgsizes);
	ranges = cap(&self->a, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	ASSERT_EQ(2, ranges->nr_iovas);
	EXPECT_EQ(MOCK_APERTURE_START, ranges->iova_ranges[0].start);
	EXPECT_EQ(MOCK_APERTURE_START + HUGE - 1, ranges->iova_ranges[0].end);
	EXPECT_EQ(MOCK_APERTURE_START + HUGE + PAGE, ranges->iova_ranges[1].start);
	EXPECT_EQ(MOCK_APERTURE_LAST, ranges->iova_ranges[1].end);
	avail = cap(&self->a, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	ASSERT_NE(NULL, avail);
	EXPECT_LT(0, avail->avail);
	/* Dirty pages are for files that a group has as its container. */
	EXPECT_EQ(NULL, cap(&self->a, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION));
}

TEST_HARNESS_MAIN
