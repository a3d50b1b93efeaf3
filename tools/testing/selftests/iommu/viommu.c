// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual IOMMUs: life, virtual devices, page tables of the guest, commands, and
 * what the user maps of one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define SELFTEST IOMMU_VIOMMU_TYPE_SELFTEST
#define INVALIDATE IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define MANY 1000

FIXTURE(viommu)
{
	struct viommu_rig r;
	int fd;
	__u32 idev, viommu;
	struct iommu_viommu_invalidate_selftest commands[MANY];
};

FIXTURE_SETUP(viommu)
{
	ASSERT_EQ(0, viommu_rig_new(&self->r));
	self->fd = self->r.fd;
	self->idev = self->r.dev.idev;
	self->viommu = self->r.viommu;
}

FIXTURE_TEARDOWN(viommu)
{
	EXPECT_EQ(0, viommu_rig_end(&self->r));
}

#define ALLOC(hwpt, type, data, len) \
	viommu_alloc_of(self->fd, self->idev, hwpt, type, data, len, &id)

TEST_F(viommu, refused)
{
	struct iommu_viommu_selftest data[2] = {};
	size_t len = sizeof(*data);
	__u32 id, plain, nested;
	char *edge;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->idev, self->r.ioas, 0, &plain));
	ASSERT_EQ(0, nested_alloc(self->fd, self->idev, self->r.parent, 0, 0, &nested));
	/* It lies on a page table that was made for that. */
	EXPECT_EQ(-EINVAL, ALLOC(plain, SELFTEST, NULL, 0));
	EXPECT_EQ(-EINVAL, ALLOC(nested, SELFTEST, NULL, 0));
	EXPECT_EQ(-ENOENT, ALLOC(self->r.ioas, SELFTEST, NULL, 0));
	EXPECT_EQ(-ENOENT, viommu_alloc(self->fd, self->r.parent, self->r.parent, &id));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(self->r.parent, IOMMU_VIOMMU_TYPE_DEFAULT, NULL, 0));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(self->r.parent, IOMMU_VIOMMU_TYPE_ARM_SMMUV3, NULL, 0));
	/* What it says to the driver. */
	EXPECT_EQ(-EINVAL, ALLOC(self->r.parent, SELFTEST, data, 0));
	EXPECT_EQ(-EINVAL, ALLOC(self->r.parent, SELFTEST, data, len - 1));
	EXPECT_EQ(-EFAULT, ALLOC(self->r.parent, SELFTEST, NULL, len));
	data[1].in_data = 1;
	EXPECT_EQ(-E2BIG, ALLOC(self->r.parent, SELFTEST, data, len + 4));
	/* What the driver says cannot be handed over: then there is none. */
	edge = mem_private(PAGE);
	ASSERT_EQ(0, mprotect(edge, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, ALLOC(self->r.parent, SELFTEST, edge, len));
	EXPECT_EQ(0, destroy(self->fd, plain));
	EXPECT_EQ(0, destroy(self->fd, nested));
}

TEST_F(viommu, what_is_below_stays)
{
	__u32 hwpt, vdev, events;
	int file;

	EXPECT_EQ(-EBUSY, destroy(self->fd, self->r.parent));
	ASSERT_EQ(0, nested_alloc(self->fd, self->idev, self->viommu, 0, 0, &hwpt));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->viommu));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, self->idev, 1, &vdev));
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->viommu));
	EXPECT_EQ(0, destroy(self->fd, vdev));
	file = veventq_alloc(self->fd, self->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 1, &events);
	ASSERT_LE(0, file);
	close(file);
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->viommu));
	EXPECT_EQ(0, destroy(self->fd, events));
}

TEST_F(viommu, numbers)
{
	__u32 other, vdev, second;
	struct pasid_dev dev, parent, slice;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	ASSERT_EQ(0, viommu_alloc(self->fd, self->idev, self->r.parent, &other));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, self->idev, 0x99, &vdev));
	/* One device of a number, and one number of a device, wherever. */
	EXPECT_EQ(-EEXIST, vdevice_alloc(self->fd, self->viommu, dev.idev, 0x99, &second));
	EXPECT_EQ(-EEXIST, vdevice_alloc(self->fd, self->viommu, self->idev, 0x88, &second));
	EXPECT_EQ(-EEXIST, vdevice_alloc(self->fd, other, self->idev, 0x88, &second));
	ASSERT_EQ(0, vdevice_alloc(self->fd, other, dev.idev, 0x99, &second));
	EXPECT_EQ(0, destroy(self->fd, second));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, dev.idev, U64_MAX, &second));
	EXPECT_EQ(0, destroy(self->fd, vdev));
	EXPECT_EQ(0, destroy(self->fd, second));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, dev.idev, 0x99, &second));
	EXPECT_EQ(0, destroy(self->fd, second));
	/* The parent of a slice is somebody else's. */
	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &slice));
	EXPECT_EQ(-EINVAL, vdevice_alloc(self->fd, self->viommu, slice.idev, 7, &second));
	EXPECT_EQ(0, destroy(self->fd, slice.stdev));
	EXPECT_EQ(0, destroy(self->fd, parent.stdev));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_F(viommu, number_ends_with_the_device)
{
	__u32 vdev, again, ids[16];
	struct pasid_dev dev;
	bool reused = false;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, dev.idev, 0x99, &vdev));
	ASSERT_EQ(0, destroy(self->fd, dev.stdev));
	/* The number is free, the ID is not until the user has seen what happened. */
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, self->idev, 0x99, &again));
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		ids[i] = ioas_new(self->fd);
		EXPECT_NE(vdev, ids[i]);
	}
	EXPECT_EQ(-ENOENT, vdevice_alloc(self->fd, vdev, self->idev, 1, &ids[0]));
	EXPECT_EQ(-ENOENT, destroy(self->fd, vdev));
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(0, destroy(self->fd, ids[i]));
		ids[i] = ioas_new(self->fd);
		reused |= ids[i] == vdev;
	}
	EXPECT_TRUE(reused);
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(0, destroy(self->fd, ids[i]));
	EXPECT_EQ(0, destroy(self->fd, again));
	/* The file may be closed with the tombstone there. */
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, dev.idev, 0x99, &vdev));
	ASSERT_EQ(0, destroy(self->fd, dev.stdev));
}

TEST_F(viommu, attached)
{
	__u32 hwpt, vdev;
	char *buf = mem_shared(PAGE);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, map_at(self->fd, self->r.ioas, buf, PAGE, AT));
	ASSERT_EQ(0, nested_alloc(self->fd, self->idev, self->viommu, IOMMU_HWPT_ALLOC_PASID, 0,
				  &hwpt));
	/* This IOMMU has to know the device's number. */
	EXPECT_EQ(-ENOENT, pasid_attach(self->fd, self->r.dev.stdev, 0, hwpt, NULL));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, self->idev, 0x99, &vdev));
	ASSERT_EQ(0, pasid_attach(self->fd, self->r.dev.stdev, 0, hwpt, NULL));
	EXPECT_EQ(-EBUSY, destroy(self->fd, hwpt));
	EXPECT_EQ(0, pasid_check(self->fd, self->r.dev.stdev, 0, hwpt));
	ASSERT_EQ(0, pasid_attach(self->fd, self->r.dev.stdev, 5, hwpt, NULL));
	EXPECT_EQ(0, request(self->fd, self->r.dev.stdev, 5, AT, buf, PAGE));
	ASSERT_EQ(0, pasid_detach(self->fd, self->r.dev.stdev, 5));
	ASSERT_EQ(0, pasid_detach(self->fd, self->r.dev.stdev, 0));
	EXPECT_EQ(0, destroy(self->fd, vdev));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, unmap(self->fd, self->r.ioas, AT, PAGE));
}

#define DO(type, array, len, n) \
	({ num = n; invalidate(self->fd, self->viommu, type, array, len, &num); })
#define HOLDS(idev, a, b, c, d) (!mock_check_caches(self->fd, idev, a, b, c, d))

TEST_F(viommu, commands_in_order)
{
	struct iommu_viommu_invalidate_selftest *c = self->commands;
	const __u32 W = CACHED_WORD;
	struct pasid_dev dev;
	__u32 num, vdev, other;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, self->idev, 0x99, &vdev));
	ASSERT_EQ(0, vdevice_alloc(self->fd, self->viommu, dev.idev, 0x88, &other));
	/* More than are copied at once. */
	for (unsigned int i = 0; i < MANY; i++)
		c[i].vdev_id = 0x99;
	c[MANY - 1].cache_id = 3;
	EXPECT_EQ(0, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_EQ(MANY, num);
	EXPECT_TRUE(HOLDS(self->idev, 0, W, W, 0));
	EXPECT_TRUE(HOLDS(dev.idev, W, W, W, W));
	/* Up to the first that cannot be. */
	c[700].vdev_id = 0x77;
	c[699].cache_id = 1;
	c[701].cache_id = 2;
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_EQ(700, num);
	EXPECT_TRUE(HOLDS(self->idev, 0, 0, W, 0));
	c[700] = (struct iommu_viommu_invalidate_selftest){ .vdev_id = 0x88, .cache_id = 4 };
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_EQ(700, num);
	c[700].flags = 2;
	EXPECT_EQ(-EOPNOTSUPP, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_EQ(700, num);
	c[700].flags = IOMMU_TEST_INVALIDATE_FLAG_ALL;
	EXPECT_EQ(0, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_TRUE(HOLDS(dev.idev, 0, 0, 0, 0));
	/* A number that was given up. */
	EXPECT_EQ(0, destroy(self->fd, other));
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, c, sizeof(*c), MANY));
	EXPECT_EQ(700, num);
	EXPECT_EQ(0, destroy(self->fd, vdev));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
}

TEST_F(viommu, commands_ask)
{
	struct iommu_viommu_invalidate_selftest *edge, *c = self->commands;
	__u32 num;

	/* No command: is the type known? */
	EXPECT_EQ(0, DO(INVALIDATE, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, DO(INVALIDATE + 1, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, c, sizeof(*c) + 1, 1));
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, c, sizeof(*c) - 1, 1));
	EXPECT_EQ(0, num);
	EXPECT_EQ(-EINVAL, DO(INVALIDATE, NULL, sizeof(*c), 1));
	edge = mem_private(2 * PAGE);
	ASSERT_EQ(0, munmap((char *)edge + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, DO(INVALIDATE, (char *)edge + PAGE - 4, sizeof(*c), 1));
	EXPECT_EQ(0, num);
}

#define OPEN_AT(offset, len, prot, how) \
	({ p = mmap(NULL, len, prot, how, self->fd, offset); p == MAP_FAILED ? -errno : 0; })

TEST_F(viommu, mapped)
{
	struct iommu_viommu_selftest data = { .in_data = 0xbeef };
	const int RW = PROT_READ | PROT_WRITE, S = MAP_SHARED;
	__u32 id, *first, *second;
	int fd = self->fd, status;
	pid_t child;
	void *p;

	ASSERT_EQ(0, ALLOC(self->r.parent, SELFTEST, &data, sizeof(data)));
	EXPECT_EQ(-ENXIO, OPEN_AT(0, PAGE, RW, S));
	EXPECT_EQ(-ENXIO, OPEN_AT(data.out_mmap_offset + PAGE, data.out_mmap_length, RW, S));
	EXPECT_EQ(-ENXIO, OPEN_AT(data.out_mmap_offset, PAGE, RW, S));
	EXPECT_EQ(-ENXIO, OPEN_AT(data.out_mmap_offset, data.out_mmap_length + PAGE, RW, S));
	EXPECT_EQ(-EINVAL, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, MAP_PRIVATE));
	EXPECT_EQ(-EPERM, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, PROT_EXEC, S));
	/* Not by another context. */
	self->fd = iommu_open();
	EXPECT_EQ(-ENXIO, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, S));
	close(self->fd);
	self->fd = fd;

	ASSERT_EQ(0, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, S));
	first = p;
	ASSERT_EQ(0, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, PROT_READ, S));
	second = p;
	EXPECT_EQ(0xbeef, *first);
	first[PAGE / 4] = 0xcafe;
	EXPECT_EQ(0xcafe, second[PAGE / 4]);
	EXPECT_NE(0, mprotect(first, PAGE, RW | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(first, data.out_mmap_length, data.out_mmap_length + PAGE,
				     MREMAP_MAYMOVE));
	child = fork();
	if (!child)
		_exit(first[PAGE / 4] == 0xcafe && !munmap(first, PAGE) ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	/* Each part of a mapping keeps it. */
	EXPECT_EQ(0, munmap(second, data.out_mmap_length));
	EXPECT_EQ(0, munmap(first, PAGE));
	EXPECT_EQ(-EBUSY, destroy(self->fd, id));
	EXPECT_EQ(0xcafe, first[PAGE / 4]);
	EXPECT_EQ(0, munmap(first + PAGE / 4, PAGE));
	EXPECT_EQ(0, destroy(self->fd, id));
	EXPECT_EQ(-ENXIO, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, S));
}

/* A page that nobody has touched is the same one after the others are gone, and elsewhere. */
TEST_F(viommu, mapped_in_parts)
{
	struct iommu_viommu_selftest data = { .in_data = 0xbeef };
	const int RW = PROT_READ | PROT_WRITE, S = MAP_SHARED;
	char *room;
	__u32 id, *first;
	void *p;

	ASSERT_EQ(0, ALLOC(self->r.parent, SELFTEST, &data, sizeof(data)));
	ASSERT_EQ(2 * PAGE, data.out_mmap_length);
	ASSERT_EQ(0, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, S));
	first = p;
	EXPECT_EQ(0xbeef, *first);
	first[PAGE / 4] = 0xcafe;
	ASSERT_EQ(0, OPEN_AT(data.out_mmap_offset, data.out_mmap_length, RW, S));
	ASSERT_EQ(0, munmap(p, PAGE));
	room = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	ASSERT_EQ(room, mremap((char *)p + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room));
	EXPECT_EQ(0xcafe, *(__u32 *)room);
	EXPECT_EQ(0, munmap(room, PAGE));
	EXPECT_EQ(0, munmap(first, data.out_mmap_length));
	EXPECT_EQ(0, destroy(self->fd, id));
}

/* The mapping keeps the context. */
TEST(mapped_when_closed)
{
	struct iommu_viommu_selftest data = { .in_data = 0xbeef };
	struct viommu_rig r;
	__u32 id, *p;

	ASSERT_EQ(0, viommu_rig_new(&r));
	ASSERT_EQ(0, viommu_alloc_of(r.fd, r.dev.idev, r.parent, SELFTEST, &data, sizeof(data),
				     &id));
	p = mmap(NULL, data.out_mmap_length, PROT_READ, MAP_SHARED, r.fd, data.out_mmap_offset);
	ASSERT_NE(MAP_FAILED, p);
	close(r.fd);
	EXPECT_EQ(0xbeef, *p);
	r.fd = iommu_open();
	EXPECT_FALSE(nothing_left(r.fd, &r.before));
	EXPECT_EQ(0, munmap(p, data.out_mmap_length));
	EXPECT_TRUE(nothing_left(r.fd, &r.before));
	close(r.fd);
}

TEST_HARNESS_MAIN
