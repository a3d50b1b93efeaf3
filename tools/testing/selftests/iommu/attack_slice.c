// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slice, or an emulated device, that names a PASID which it was not given: one of
 * another slice of its parent, by either number, its parent's, one that was its
 * own, or one that cannot be. Two contexts, the second of which attacks.
 */
#include <errno.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"
#include "lib/viommu.h"

#define BUF (2 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define ITS 100		/* what the victim calls its PASID */
#define OWN 200		/* and the attacker */
#define FREED 300
#define TOP 0x100000u
#define NUMBERS 20

FIXTURE(slice)
{
	int owner, its_fd, fd;
	__u32 its_ioas, ioas;
	char *its_buf, *buf;
	struct pasid_dev parent, its, mine;
	/* As in requests: of the victim, of its ITS, and of the attacker. */
	__u32 its_default, its_number, default_number;
	__u32 numbers[NUMBERS];
	unsigned int nr;
	struct counts before;
	long taint;
};

static void add(struct _test_data_slice *self, __u32 number)
{
	self->numbers[self->nr++] = number;
}

static int new_slice(int fd, const struct pasid_dev *parent, __u32 ioas, __u32 vpasid,
		     struct pasid_dev *slice, __u32 *number)
{
	return slice_new(fd, parent, ioas, slice) ?: pasid_tag(fd, slice->idev, vpasid) ?:
	       pasid_attach(fd, slice->stdev, vpasid, ioas, NULL) ?:
	       pair(fd, slice->stdev, 0, number);
}

FIXTURE_SETUP(slice)
{
	__u32 number;

	self->taint = kernel_taint();
	self->owner = iommu_open();
	self->its_fd = iommu_open();
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->its_ioas = ioas_new(self->its_fd);
	self->ioas = ioas_new(self->fd);
	self->its_buf = mem_shared(BUF);
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->its_fd, self->its_ioas, self->its_buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, parent_new(self->owner, &self->parent));
	ASSERT_EQ(0, new_slice(self->its_fd, &self->parent, self->its_ioas, ITS, &self->its,
			       &self->its_default));
	ASSERT_EQ(0, pair(self->its_fd, self->its.stdev, ITS, &self->its_number));
	ASSERT_EQ(0, new_slice(self->fd, &self->parent, self->ioas, OWN, &self->mine,
			       &self->default_number));
	/* One that it had, which the victim has now, with the same number maybe. */
	ASSERT_EQ(0, pasid_tag(self->fd, self->mine.idev, FREED));
	ASSERT_EQ(0, pasid_attach(self->fd, self->mine.stdev, FREED, self->ioas, NULL));
	ASSERT_EQ(0, pair(self->fd, self->mine.stdev, FREED, &number));
	ASSERT_EQ(0, pasid_detach(self->fd, self->mine.stdev, FREED));
	ASSERT_EQ(0, pasid_free(self->fd, self->mine.idev, FREED));
	add(self, 1);
	add(self, ITS);
	add(self, FREED);
	add(self, self->its_default);
	add(self, self->its_number);
	add(self, self->default_number);
	add(self, number);
	add(self, TOP - 1);
	add(self, TOP);
	add(self, TOP | ITS);
	add(self, 0x80000000u | ITS);
	add(self, TOP | OWN);
	add(self, 0x80000000u | OWN);
	add(self, ~0u);
	add(self, ~0u - 1);
}

/* The victim reaches its memory and the attacker the attacker's, as if nothing had been. */
static int as_before(struct _test_data_slice *self)
{
	struct iommu_pasid_entry entries[4];
	__u32 num = 4, next = 0;

	if (request(self->its_fd, self->its.stdev, 0, AT, self->its_buf, BUF) ||
	    request(self->its_fd, self->its.stdev, ITS, AT, self->its_buf, BUF))
		return 1;
	if (request(self->fd, self->mine.stdev, 0, AT, self->buf, BUF) ||
	    request(self->fd, self->mine.stdev, OWN, AT, self->buf, BUF))
		return 2;
	if (pasid_list(self->fd, self->mine.idev, entries, &num, &next, NULL) || num != 1 ||
	    entries[0].pasid != OWN || next)
		return 3;
	return pasids_in_use(self->its_fd, self->its.idev) != 1 ||
	       pasids_in_use(self->fd, self->mine.idev) != 1 ? 4 : 0;
}

FIXTURE_TEARDOWN(slice)
{
	int fd = iommu_open();

	EXPECT_EQ(0, as_before(self));
	close(self->fd);
	close(self->its_fd);
	close(self->owner);
	EXPECT_TRUE(nothing_left(fd, &self->before));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(fd);
}

#define FOR_EACH_NUMBER() \
	for (__u32 i = 0, v = self->numbers[0]; i < self->nr; v = self->numbers[++i])

static int refusal(__u32 number)
{
	return number < TOP ? -ENXIO : -ERANGE;
}

TEST_F(slice, means)
{
	EXPECT_NE(self->its_default, self->default_number);
	EXPECT_EQ(0, as_before(self));
	/* The entries are there, and one table for both: only names keep them apart. */
	EXPECT_EQ(0, request_raw(self->owner, self->parent.stdev, self->its_number, AT,
				 self->its_buf, BUF));
	EXPECT_EQ(0, request_raw(self->owner, self->parent.stdev, self->its_default, AT,
				 self->its_buf, BUF));
	EXPECT_EQ(0, request_raw(self->owner, self->parent.stdev, self->default_number, AT,
				 self->buf, BUF));
}

TEST_F(slice, attach)
{
	__u32 number;

	FOR_EACH_NUMBER() {
		EXPECT_EQ(refusal(v), pasid_attach(self->fd, self->mine.stdev, v, self->ioas,
						   NULL)) TH_LOG("%#x", v);
		EXPECT_NE(0, pasid_replace(self->fd, self->mine.stdev, v, self->ioas, NULL))
			TH_LOG("%#x", v);
		/* The slice's driver, which would tell the hardware, was told of nothing. */
		EXPECT_EQ(-ENOENT, pair(self->fd, self->mine.stdev, v, &number))
			TH_LOG("%#x", v);
		EXPECT_EQ(0, as_before(self)) TH_LOG("%#x", v);
	}
}

/* To detach what one has not is no error, and does nothing. */
TEST_F(slice, detach)
{
	FOR_EACH_NUMBER() {
		EXPECT_EQ(0, pasid_detach(self->fd, self->mine.stdev, v)) TH_LOG("%#x", v);
		EXPECT_EQ(0, as_before(self)) TH_LOG("%#x", v);
	}
}

TEST_F(slice, free)
{
	struct iommu_pasid_entry entry;

	EXPECT_EQ(-EDOM, pasid_free(self->fd, self->mine.idev, 0));
	FOR_EACH_NUMBER() {
		EXPECT_EQ(refusal(v), pasid_free(self->fd, self->mine.idev, v)) TH_LOG("%#x", v);
		EXPECT_EQ(-ENOENT, pasid_entry(self->fd, self->mine.idev, v, &entry))
			TH_LOG("%#x", v);
	}
}

/* A tag of that name is the attacker's own, and stands for a number of its own. */
TEST_F(slice, tag)
{
	__u32 number;

	EXPECT_EQ(-EDOM, pasid_tag(self->fd, self->mine.idev, 0));
	FOR_EACH_NUMBER() {
		if (v >= TOP) {
			EXPECT_EQ(-ERANGE, pasid_tag(self->fd, self->mine.idev, v));
			continue;
		}
		/* A number may be in the list twice. */
		ASSERT_EQ(0, pasid_tag(self->fd, self->mine.idev, v)) TH_LOG("%#x", v);
		ASSERT_EQ(0, pasid_attach(self->fd, self->mine.stdev, v, self->ioas, NULL));
		ASSERT_EQ(0, pair(self->fd, self->mine.stdev, v, &number));
		EXPECT_NE(self->its_number, number) TH_LOG("%#x", v);
		EXPECT_NE(self->its_default, number) TH_LOG("%#x", v);
		EXPECT_NE(self->default_number, number) TH_LOG("%#x", v);
		EXPECT_EQ(0, request(self->fd, self->mine.stdev, v, AT, self->buf, BUF));
		EXPECT_EQ(0, request(self->its_fd, self->its.stdev, ITS, AT, self->its_buf, BUF));
		ASSERT_EQ(0, pasid_detach(self->fd, self->mine.stdev, v));
		ASSERT_EQ(0, pasid_free(self->fd, self->mine.idev, v));
	}
}

/* The parent sends a slice's page requests with its own: no slice gets to see, or answer, any. */
TEST_F(slice, fault)
{
	__u32 queue, hwpt;
	int file = fault_queue(self->fd, &queue);

	ASSERT_LE(0, file);
	ASSERT_EQ(0, hwpt_alloc_fault(self->fd, self->mine.idev, self->ioas,
				      IOMMU_HWPT_ALLOC_PASID, queue, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP, pasid_replace(self->fd, self->mine.stdev, 0, hwpt, NULL));
	EXPECT_EQ(-EOPNOTSUPP, pasid_replace(self->fd, self->mine.stdev, OWN, hwpt, NULL));
	/* No cookie is any good, whoever's requests are waiting. */
	for (__u32 cookie = 0; cookie < 8; cookie++) {
		EXPECT_EQ(-EINVAL, fault_answer(file, cookie, IOMMUFD_PAGE_RESP_SUCCESS))
			TH_LOG("%u", cookie);
	}
	EXPECT_FALSE(fault_readable(file));
	close(file);
	EXPECT_EQ(0, destroy(self->fd, hwpt));
}

/* Of a virtual IOMMU's devices, too, a number that names another's stays a name. */
TEST_F(slice, virtual)
{
	__u32 parent, viommu, vdev;

	ASSERT_EQ(0, hwpt_alloc(self->fd, self->mine.idev, self->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	if (!viommu_alloc(self->fd, self->mine.idev, parent, &viommu)) {
		EXPECT_NE(0, vdevice_alloc(self->fd, viommu, self->mine.idev, self->its_number,
					   &vdev));
		EXPECT_EQ(0, destroy(self->fd, viommu));
	}
	EXPECT_EQ(0, destroy(self->fd, parent));
}

/* Of an emulated device the driver asks; what is not attached there is nobody's memory. */
TEST_F(slice, emulated)
{
	__u32 its_id, id, pages;
	int its = access_global(self->its_fd, 0, MOCK_PASID_WIDTH, self->parent.index, &its_id);
	int mine = access_global(self->fd, 0, MOCK_PASID_WIDTH, self->parent.index, &id);
	char byte = 0;

	ASSERT_LE(0, its);
	ASSERT_LE(0, mine);
	ASSERT_EQ(0, pasid_tag(self->its_fd, its_id, ITS + 1));
	ASSERT_EQ(0, access_attach_at(self->its_fd, its, ITS + 1, self->its_ioas));
	ASSERT_EQ(0, access_read_at(self->its_fd, its, ITS + 1, AT, 1, &byte));
	add(self, ITS + 1);
	FOR_EACH_NUMBER() {
		EXPECT_EQ(refusal(v), access_attach_at(self->fd, mine, v, self->ioas))
			TH_LOG("%#x", v);
		EXPECT_EQ(refusal(v), pasid_free(self->fd, id, v)) TH_LOG("%#x", v);
		EXPECT_EQ(-ENOENT, access_read_at(self->fd, mine, v, AT, 1, &byte))
			TH_LOG("%#x", v);
		EXPECT_EQ(-ENOENT, access_write_at(self->fd, mine, v, AT, 1, &byte))
			TH_LOG("%#x", v);
		EXPECT_EQ(-ENOENT, access_pin_at(self->fd, mine, v, AT, PAGE, self->its_buf,
						 &pages)) TH_LOG("%#x", v);
	}
	EXPECT_EQ(0, access_read_at(self->its_fd, its, ITS + 1, AT, 1, &byte));
	close(its);
	close(mine);
}

TEST_HARNESS_MAIN
