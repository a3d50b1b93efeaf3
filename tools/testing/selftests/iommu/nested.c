// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the user's own on one that is filled from an IOAS: allocation,
 * life, attaching, and invalidation.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define PASID 9
#define NESTED IOMMU_HWPT_DATA_SELFTEST
#define INVALIDATE IOMMU_HWPT_INVALIDATE_DATA_SELFTEST

FIXTURE(nested)
{
	int fd;
	__u32 ioas, parent, hwpt;
	struct pasid_dev dev;
	struct iommu_hwpt_selftest data;
	char *buf;
};

FIXTURE_SETUP(nested)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->data.iotlb = CACHED;
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &self->dev));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &self->parent));
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, IOMMU_HWPT_ALLOC_PASID,
				  0, &self->hwpt));
}

/* Everything can be destroyed, in this order, and then nothing is left. */
FIXTURE_TEARDOWN(nested)
{
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, destroy(self->fd, self->parent));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	close(self->fd);
}

#define ALLOC(pt, flags, type, data, len) \
	hwpt_alloc_data(self->fd, self->dev.idev, pt, flags, type, data, len, &id)

TEST_F(nested, refused)
{
	size_t len = sizeof(self->data);
	__u32 id, plain;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &plain));
	/* Nothing can lie on one that was not made for it, on a nested one or a device. */
	EXPECT_EQ(-EINVAL, ALLOC(plain, 0, NESTED, &self->data, len));
	EXPECT_EQ(-EINVAL, ALLOC(self->hwpt, 0, NESTED, &self->data, len));
	EXPECT_EQ(-EINVAL, ALLOC(self->dev.idev, 0, NESTED, &self->data, len));
	EXPECT_EQ(-EINVAL, ALLOC(self->parent, 0, IOMMU_HWPT_DATA_NONE, NULL, 0));
	EXPECT_EQ(-EINVAL, ALLOC(self->parent, 0, IOMMU_HWPT_DATA_NONE, &self->data, len));
	EXPECT_EQ(-ENOENT, ALLOC(12345, 0, NESTED, &self->data, len));
	/* What the IOMMU says of its data. */
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(self->parent, 0, NESTED + 1, &self->data, len));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(self->parent, 0, IOMMU_HWPT_DATA_VTD_S1, &self->data, len));
	EXPECT_EQ(-EINVAL, ALLOC(self->parent, 0, NESTED, &self->data, 3));
	EXPECT_EQ(-EINVAL, ALLOC(self->parent, 0, NESTED, &self->data, 4 * PAGE));
	EXPECT_EQ(-EFAULT, ALLOC(self->parent, 0, NESTED, NULL, len));
	EXPECT_EQ(-EFAULT, ALLOC(self->parent, 0, NESTED, (void *)-PAGE, len));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(self->parent, IOMMU_HWPT_ALLOC_NEST_PARENT, NESTED,
				     &self->data, len));
	EXPECT_EQ(0, destroy(self->fd, plain));
}

TEST_F(nested, what_is_below_stays)
{
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->parent));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->ioas));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->hwpt, NULL));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->hwpt));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->parent));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 0));
	EXPECT_EQ(0, destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, 0, 0, &self->hwpt));
}

TEST_F(nested, attached)
{
	struct iommu_pasid_entry entry;
	__u32 other, at;

	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, 0, 0, &other));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->hwpt, &at));
	EXPECT_EQ(self->hwpt, at);
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, self->hwpt));
	/* Beside it at a PASID; the list names the IOAS that is below. */
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, PASID, self->hwpt, NULL));
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, PASID, &entry));
	EXPECT_EQ(self->hwpt, entry.hwpt_id);
	EXPECT_EQ(self->ioas, entry.ioas_id);
	/* The mock's first stage changes no address: it is the parent that translates. */
	EXPECT_EQ(0, request(self->fd, self->dev.stdev, PASID, AT, self->buf, BUF));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(-EINVAL, request(self->fd, self->dev.stdev, PASID, AT, self->buf, BUF));
	/* One that cannot be at a PASID, there and beside. */
	EXPECT_EQ(-EINVAL, pasid_replace(self->fd, self->dev.stdev, PASID, other, NULL));
	EXPECT_EQ(-EINVAL, pasid_replace(self->fd, self->dev.stdev, 0, other, NULL));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, PASID, self->hwpt));
	ASSERT_EQ(0, pasid_detach(self->fd, self->dev.stdev, PASID));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, 0, other, NULL));
	EXPECT_EQ(0, pasid_check(self->fd, self->dev.stdev, 0, other));
	ASSERT_EQ(0, pasid_replace(self->fd, self->dev.stdev, 0, self->parent, NULL));
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_F(nested, not_without_pasids)
{
	struct mock_dev plain;
	__u32 id;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &plain));
	EXPECT_EQ(-EOPNOTSUPP, nested_alloc(self->fd, plain.idev, self->parent,
					    IOMMU_HWPT_ALLOC_PASID, 0, &id));
	/* Of a table it is a property, which does no harm to a device that has none. */
	EXPECT_EQ(0, mock_replace(self->fd, plain.stdev, self->hwpt));
	EXPECT_EQ(0, destroy(self->fd, plain.stdev));
}

static bool holds(int fd, __u32 hwpt, __u32 a, __u32 b, __u32 c, __u32 d)
{
	return !mock_check_iotlb(fd, hwpt, 0, a) && !mock_check_iotlb(fd, hwpt, 1, b) &&
	       !mock_check_iotlb(fd, hwpt, 2, c) && !mock_check_iotlb(fd, hwpt, 3, d);
}

#define REQUESTS(type, array, len, n) \
	({ num = n; invalidate(self->fd, self->hwpt, type, array, len, &num); })

TEST_F(nested, invalidated_in_order)
{
	struct iommu_hwpt_invalidate_selftest r[3] = { {}, { .iotlb_id = 2 }, { .iotlb_id = 1 } };
	__u32 num, other;

	ASSERT_EQ(0, nested_alloc(self->fd, self->dev.idev, self->parent, 0, 0, &other));
	EXPECT_TRUE(holds(self->fd, self->hwpt, CACHED, CACHED, CACHED, CACHED));
	EXPECT_EQ(0, REQUESTS(INVALIDATE, r, sizeof(*r), 2));
	EXPECT_EQ(2, num);
	EXPECT_TRUE(holds(self->fd, self->hwpt, 0, CACHED, 0, CACHED));
	/* Up to the first that cannot be. */
	r[1].iotlb_id = MOCK_NESTED_DOMAIN_IOTLB_ID_MAX + 1;
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE, r, sizeof(*r), 3));
	EXPECT_EQ(1, num);
	r[1] = (struct iommu_hwpt_invalidate_selftest){ .flags = 2 };
	EXPECT_EQ(-EOPNOTSUPP, REQUESTS(INVALIDATE, r, sizeof(*r), 3));
	EXPECT_EQ(1, num);
	EXPECT_TRUE(holds(self->fd, self->hwpt, 0, CACHED, 0, CACHED));
	r[0].flags = IOMMU_TEST_INVALIDATE_FLAG_ALL;
	EXPECT_EQ(0, REQUESTS(INVALIDATE, r, sizeof(*r), 1));
	EXPECT_TRUE(holds(self->fd, self->hwpt, 0, 0, 0, 0));
	EXPECT_TRUE(holds(self->fd, other, CACHED, CACHED, CACHED, CACHED));
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_F(nested, invalidation_asks)
{
	struct iommu_hwpt_invalidate_selftest r[2] = {};
	__u32 num;

	/* No request: is the type known? */
	EXPECT_EQ(0, REQUESTS(INVALIDATE, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE + 1, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE, r, 0, 1));
	EXPECT_EQ(0, num);
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE, r, PAGE + 1, 1));
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE, r, sizeof(*r), (1 << 19) + 1));
	EXPECT_EQ(0, num);
	EXPECT_EQ(-EINVAL, REQUESTS(INVALIDATE, NULL, sizeof(*r), 1));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-EINVAL, invalidate(self->fd, self->parent, INVALIDATE, r, sizeof(*r), &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-EINVAL, invalidate(self->fd, self->ioas, INVALIDATE, r, sizeof(*r), &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-ENOENT, invalidate(self->fd, 12345, INVALIDATE, r, sizeof(*r), &num));
	EXPECT_EQ(0, num);
	EXPECT_TRUE(holds(self->fd, self->hwpt, CACHED, CACHED, CACHED, CACHED));
}

/* An array that ends where memory does: what is there is done, and said. */
TEST_F(nested, invalidation_out_of_memory)
{
	struct iommu_hwpt_invalidate_selftest *r;
	char *area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	__u32 num;

	ASSERT_NE(MAP_FAILED, area);
	r = (void *)(area + PAGE - sizeof(*r));
	*r = (struct iommu_hwpt_invalidate_selftest){ .iotlb_id = 3 };
	ASSERT_EQ(0, munmap(area + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, REQUESTS(INVALIDATE, r, sizeof(*r), 2));
	EXPECT_EQ(1, num);
	EXPECT_TRUE(holds(self->fd, self->hwpt, CACHED, CACHED, CACHED, 0));
	munmap(area, PAGE);
}

/* The kernel does not read it while it holds the device: so it has to come by itself. */
TEST_F(nested, data_not_in_memory)
{
	int file = file_new(PAGE, 0);
	struct iommu_hwpt_selftest *data;
	__u32 id;

	ASSERT_LE(0, file);
	ASSERT_EQ(sizeof(self->data), pwrite(file, &self->data, sizeof(self->data), 0));
	data = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, data);
	ASSERT_EQ(0, ALLOC(self->parent, 0, NESTED, data, sizeof(*data)));
	EXPECT_EQ(0, mock_check_iotlb(self->fd, id, 0, CACHED));
	EXPECT_EQ(0, destroy(self->fd, id));
	munmap(data, PAGE);
	close(file);
}

TEST_HARNESS_MAIN
