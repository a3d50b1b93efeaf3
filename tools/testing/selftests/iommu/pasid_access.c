// SPDX-License-Identifier: GPL-2.0-only
/* Emulated devices with PASIDs: one address space each; pins, copies and unmaps by PASID. */
#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define V 5

/* Numbers of its own or of a parent; V and V + 1 allocated, the device on the first IOAS. */
FIXTURE(emulated)
{
	int fd;
	int access;
	__u32 id;
	__u32 ioas, other;
	char *buf, *buf2;
	struct pasid_dev parent;
	struct counts before;
	long taint;
};

FIXTURE_VARIANT(emulated)
{
	bool global;
};

FIXTURE_VARIANT_ADD(emulated, own) { .global = false };
FIXTURE_VARIANT_ADD(emulated, global) { .global = true };

FIXTURE_SETUP(emulated)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	self->other = ioas_new(self->fd);
	ASSERT_NE(0, self->other);
	self->buf = mem_shared(BUF);
	self->buf2 = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf2);
	memset(self->buf, 1, BUF);
	memset(self->buf2, 2, BUF);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->other, self->buf2, BUF, AT));
	ASSERT_EQ(0, parent_new(self->fd, &self->parent));
	self->access = variant->global ?
		access_global(self->fd, self->ioas, 20, self->parent.index, &self->id) :
		access_own(self->fd, self->ioas, 12, &self->id);
	ASSERT_LT(0, self->access);
	ASSERT_EQ(0, pasid_tag(self->fd, self->id, V));
	ASSERT_EQ(0, pasid_tag(self->fd, self->id, V + 1));
}

FIXTURE_TEARDOWN(emulated)
{
	close(self->access);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf2, BUF, 0));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, self->other));
	EXPECT_EQ(0, destroy(self->fd, self->parent.stdev));
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->fd);
}

#define ATTACH(pasid, ioas) access_attach_at(self->fd, self->access, pasid, ioas)
#define REPLACE(pasid, ioas) access_replace_at(self->fd, self->access, pasid, ioas)
#define DETACH(pasid) access_detach_at(self->fd, self->access, pasid)
#define PIN(pasid, at, length, mem, out) \
	access_pin_at(self->fd, self->access, pasid, at, length, mem, out)
#define UNPIN(item) access_unpin(self->fd, self->access, item)

/* The first byte that the device reads through a PASID, or -errno. */
static int reads(int fd, int access, __u32 pasid)
{
	char got;
	int rc = access_read_at(fd, access, pasid, AT, 1, &got);

	return rc ? rc : got;
}

#define READS(pasid) reads(self->fd, self->access, pasid)

TEST_F(emulated, attach_detach)
{
	struct iommu_pasid_entry entry;
	char value = 9;

	EXPECT_EQ(1, READS(0));
	EXPECT_EQ(-ENOENT, READS(V));
	ASSERT_EQ(0, ATTACH(V, self->other));
	EXPECT_EQ(2, READS(V));
	EXPECT_EQ(1, READS(0));
	EXPECT_EQ(-ENOENT, READS(V + 1));
	ASSERT_EQ(0, pasid_entry(self->fd, self->id, V, &entry));
	EXPECT_EQ(self->other, entry.ioas_id);
	EXPECT_EQ(0, entry.hwpt_id);
	EXPECT_TRUE(entry.flags & IOMMU_PASID_ENTRY_ATTACHED);
	ASSERT_EQ(0, access_write_at(self->fd, self->access, V, AT + PAGE, 1, &value));
	EXPECT_EQ(9, self->buf2[PAGE]);
	EXPECT_EQ(1, self->buf[PAGE]);
	EXPECT_EQ(-EBUSY, destroy(self->fd, self->other));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->id, V));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(-ENOENT, READS(V));
	EXPECT_EQ(-ENOENT, access_write_at(self->fd, self->access, V, AT, 1, &value));
	EXPECT_EQ(0, DETACH(V));
	EXPECT_EQ(0, pasid_free(self->fd, self->id, V));
	EXPECT_EQ(1, READS(0));
}

TEST_F(emulated, replace)
{
	__u32 pages;

	EXPECT_EQ(-EINVAL, REPLACE(V, self->ioas));
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	ASSERT_EQ(0, PIN(V, AT, PAGE, self->buf, &pages));
	EXPECT_EQ(-ENOENT, REPLACE(V, self->other + 100));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, PAGE, 1));
	/* What was pinned is taken back before it reads the other memory. */
	ASSERT_EQ(0, REPLACE(V, self->other));
	EXPECT_EQ(2, READS(V));
	EXPECT_EQ(-ENOENT, UNPIN(pages));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, PAGE, 0));
	EXPECT_EQ(1, pasids_attached(self->fd, self->id));
}

TEST_F(emulated, refused)
{
	EXPECT_EQ(-EDOM, ATTACH(0, self->ioas));
	EXPECT_EQ(-EDOM, REPLACE(0, self->ioas));
	EXPECT_EQ(-ERANGE, ATTACH(variant->global ? 1u << 20 : 1u << 12, self->ioas));
	EXPECT_EQ(-ENOENT, ATTACH(V, self->other + 100));
	EXPECT_EQ(-ENOENT, ATTACH(V, self->id));
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	EXPECT_EQ(-EBUSY, ATTACH(V, self->ioas));
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, self->id, V));
	EXPECT_EQ(variant->global ? -ENXIO : 0, ATTACH(V + 2, self->ioas));
	EXPECT_EQ(variant->global ? 2 : 3, pasids_in_use(self->fd, self->id));
}

TEST_F(emulated, without_pasids)
{
	int plain = access_new_pinning(self->fd, self->ioas);
	struct pasid_dev none;
	__u32 id;

	ASSERT_LT(0, plain);
	EXPECT_EQ(-EOPNOTSUPP, access_attach_at(self->fd, plain, V, self->ioas));
	EXPECT_EQ(-ENOENT, reads(self->fd, plain, V));
	close(plain);
	/* Widths that are none, and a parent that is none. */
	EXPECT_EQ(-EINVAL, access_own(self->fd, 0, 0, &id));
	EXPECT_EQ(-EINVAL, access_own(self->fd, 0, 21, &id));
	EXPECT_EQ(-ENOENT, access_global(self->fd, 0, MOCK_PASID_WIDTH, 1 << 30, &id));
	ASSERT_EQ(0, dev_new(self->fd, MOCK_DEVICE_PARENT, 0, 0, 0, &none));
	EXPECT_EQ(-EOPNOTSUPP, access_global(self->fd, 0, MOCK_PASID_WIDTH, none.index, &id));
	EXPECT_EQ(0, destroy(self->fd, none.stdev));
}

TEST_F(emulated, pins)
{
	__u32 at_v, at_next, rid;

	ASSERT_EQ(0, ATTACH(V, self->ioas));
	ASSERT_EQ(0, ATTACH(V + 1, self->other));
	ASSERT_EQ(0, PIN(0, AT, BUF, self->buf, &rid));
	ASSERT_EQ(0, PIN(V, AT, 2 * PAGE, self->buf, &at_v));
	ASSERT_EQ(0, PIN(V + 1, AT, BUF, self->buf2, &at_next));
	EXPECT_EQ(-ENOENT, PIN(V + 2, AT, PAGE, self->buf, &(__u32){ 0 }));
	EXPECT_EQ(-ENOENT, PIN(V, AT + HUGE, PAGE, self->buf, &(__u32){ 0 }));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 1));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf2, BUF, 1));
	/* A detach takes back the pins of its PASID, and of no other. */
	EXPECT_EQ(0, DETACH(V + 1));
	EXPECT_EQ(-ENOENT, UNPIN(at_next));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf2, BUF, 0));
	EXPECT_EQ(0, UNPIN(rid));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, 2 * PAGE, 1));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf + 2 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(0, UNPIN(at_v));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
}

/* Who is attached to the IOAS is told of its unmaps, each PASID for itself, no other. */
TEST_F(emulated, unmap_is_told)
{
	unsigned int told[V + 3] = {};
	__u64 iova, length;
	__u32 pasid, nr;

	ASSERT_EQ(0, pasid_tag(self->fd, self->id, V + 2));
	ASSERT_EQ(0, ATTACH(V, self->ioas));
	ASSERT_EQ(0, ATTACH(V + 1, self->other));
	ASSERT_EQ(0, ATTACH(V + 2, self->ioas));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	for (nr = 0; !access_unmap_told(self->fd, self->access, nr, &pasid, &iova, &length); nr++) {
		EXPECT_EQ(AT, iova);
		EXPECT_EQ(BUF, length);
		ASSERT_GT(ARRAY_SIZE(told), pasid);
		told[pasid]++;
	}
	EXPECT_EQ(3, nr);
	EXPECT_EQ(1, told[0]);
	EXPECT_EQ(1, told[V]);
	EXPECT_EQ(1, told[V + 2]);
	/* A detach is an unmap of all, to that PASID. */
	EXPECT_EQ(0, DETACH(V + 1));
	ASSERT_EQ(0, access_unmap_told(self->fd, self->access, nr, &pasid, &iova, &length));
	EXPECT_EQ(V + 1, pasid);
	EXPECT_EQ(0, iova);
	EXPECT_EQ(~0ul, length);
	EXPECT_EQ(-ENOENT, access_unmap_told(self->fd, self->access, nr + 1, &pasid, &iova,
					     &length));
}

/* An unmap returns when no PASID has the memory pinned any more. */
TEST_F(emulated, unmap_takes_pins)
{
	__u32 mine, far, rid;

	ASSERT_EQ(0, ATTACH(V, self->ioas));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf2, PAGE, AT + HUGE));
	ASSERT_EQ(0, PIN(0, AT, PAGE, self->buf, &rid));
	ASSERT_EQ(0, PIN(V, AT + PAGE, 2 * PAGE, self->buf + PAGE, &mine));
	ASSERT_EQ(0, PIN(V, AT + HUGE, PAGE, self->buf2, &far));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->buf, BUF, 0));
	EXPECT_EQ(-ENOENT, UNPIN(mine));
	EXPECT_EQ(-ENOENT, UNPIN(rid));
	EXPECT_EQ(-ENOENT, READS(V));
	EXPECT_EQ(0, UNPIN(far));
}

TEST_F(emulated, closed_with_everything)
{
	__u32 pages;

	ASSERT_EQ(0, ATTACH(V, self->ioas));
	ASSERT_EQ(0, ATTACH(V + 1, self->other));
	ASSERT_EQ(0, PIN(V, AT, BUF, self->buf, &pages));
	ASSERT_EQ(0, PIN(V + 1, AT, BUF, self->buf2, &pages));
	ASSERT_EQ(0, PIN(0, AT, BUF, self->buf, &pages));
}

/* The device may be narrower than the parent that its numbers are for. */
TEST_F(emulated, narrow)
{
	__u32 id, pasid, number = V + 10;
	struct iommu_pasid_info info;
	struct pasid_dev wide;
	int narrow;

	if (!variant->global) {
		EXPECT_EQ(-ERANGE, pasid_tag(self->fd, self->id, 1 << 12));
		EXPECT_EQ(0, pasid_tag(self->fd, self->id, (1 << 12) - 1));
		return;
	}
	narrow = access_global(self->fd, 0, 3, self->parent.index, &id);
	ASSERT_LT(0, narrow);
	ASSERT_EQ(0, pasid_info(self->fd, id, &info));
	EXPECT_EQ(3, info.out_width);
	/* All numbers that it could have, to a wider one; then one that is too big for it. */
	ASSERT_EQ(0, global_new(self->fd, 0, &wide));
	for (pasid = 0; pasid < 8; pasid++)
		ASSERT_EQ(0, pasid_tag(self->fd, wide.idev, number + pasid));
	EXPECT_EQ(-ERANGE, pasid_tag(self->fd, id, number + 7));
	EXPECT_EQ(-ENOSPC, pasid_tag(self->fd, id, number + 8));
	EXPECT_EQ(0, pasid_free(self->fd, wide.idev, number));
	EXPECT_EQ(0, pasid_tag(self->fd, id, number + 8));
	close(narrow);
	EXPECT_EQ(0, destroy(self->fd, wide.stdev));
}

TEST_F(emulated, info)
{
	struct iommu_pasid_info info;

	ASSERT_EQ(0, pasid_info(self->fd, self->id, &info));
	EXPECT_EQ(variant->global ? IOMMU_PASID_POLICY_GLOBAL : IOMMU_PASID_POLICY_PER_RID,
		  info.out_policy);
	EXPECT_EQ(variant->global ? 20 : 12, info.out_width);
	EXPECT_EQ(2, info.out_in_use);
	EXPECT_EQ(0, info.out_attached);
}

TEST_HARNESS_MAIN
