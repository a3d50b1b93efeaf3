// SPDX-License-Identifier: GPL-2.0-only
/* PASIDs given out and taken back, by the policy of the device; what is told of them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define MAX 0x100000u
/* One call never returns more. */
#define LIST_MAX 256

FIXTURE(alloc)
{
	int fd;
	__u32 ioas;
	struct pasid_dev dev;
	struct counts before;
	long taint;
};

FIXTURE_VARIANT(alloc)
{
	bool global;
};

FIXTURE_VARIANT_ADD(alloc, per_rid) { .global = false };
FIXTURE_VARIANT_ADD(alloc, global) { .global = true };

FIXTURE_SETUP(alloc)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_EQ(0, variant->global ? global_new(self->fd, 0, &self->dev) :
				       per_rid_new(self->fd, 0, &self->dev));
}

/* What a test has not freed is freed with the device. */
FIXTURE_TEARDOWN(alloc)
{
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->fd);
}

static __u32 globals(int fd)
{
	struct counts counts;

	return count(fd, 0, &counts) ? ~0u : counts.globals;
}

TEST_F(alloc, simple)
{
	struct iommu_pasid_entry entry;
	__u32 first, second, again;

	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, 0, &first));
	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, 0, &second));
	EXPECT_NE(0, first);
	EXPECT_NE(first, second);
	EXPECT_GT(MAX, first);
	EXPECT_GT(MAX, second);
	EXPECT_EQ(2, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(self->before.globals + (variant->global ? 2 : 0), globals(self->fd));
	/* It can be programmed into the device as it is. */
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, first, &entry));
	EXPECT_EQ(IOMMU_PASID_ENTRY_ALLOCATED | IOMMU_PASID_ENTRY_IDENTITY, entry.flags);
	EXPECT_EQ(0, entry.hwpt_id);
	EXPECT_EQ(0, entry.ioas_id);
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, first));
	EXPECT_EQ(-ENXIO, pasid_free(self->fd, self->dev.idev, first));
	EXPECT_EQ(-ENOENT, pasid_entry(self->fd, self->dev.idev, first, &entry));
	EXPECT_EQ(0, pasid_entry(self->fd, self->dev.idev, second, &entry));
	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, 0, &again));
	EXPECT_EQ(first, again);
}

TEST_F(alloc, tagged)
{
	static const __u32 tags[] = { 1, 2, 17, 0x1234, MAX / 2, MAX - 1 };
	struct iommu_pasid_entry entry;

	for (unsigned int i = 0; i < ARRAY_SIZE(tags); i++) {
		ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, tags[i]));
		EXPECT_EQ(-EBUSY, pasid_tag(self->fd, self->dev.idev, tags[i]));
		EXPECT_EQ(0, pasid_entry(self->fd, self->dev.idev, tags[i], &entry));
		EXPECT_TRUE(entry.flags & IOMMU_PASID_ENTRY_ALLOCATED);
		EXPECT_EQ(!variant->global, !!(entry.flags & IOMMU_PASID_ENTRY_IDENTITY));
	}
	EXPECT_EQ(ARRAY_SIZE(tags), pasids_in_use(self->fd, self->dev.idev));
	/* No number from a guest takes more than one of the system's. */
	EXPECT_EQ(self->before.globals + (variant->global ? ARRAY_SIZE(tags) : 0),
		  globals(self->fd));
	for (unsigned int i = 0; i < ARRAY_SIZE(tags); i++)
		EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, tags[i]));
	EXPECT_EQ(0, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_F(alloc, identity)
{
	struct iommu_pasid_entry entry;
	__u32 first = 0, second = 0;

	if (!variant->global) {
		EXPECT_EQ(-EINVAL, pasid_alloc(self->fd, self->dev.idev, IDENTITY, &first));
		EXPECT_EQ(0, pasids_in_use(self->fd, self->dev.idev));
		return;
	}
	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, IDENTITY, &first));
	ASSERT_EQ(0, pasid_alloc(self->fd, self->dev.idev, IDENTITY, &second));
	EXPECT_NE(first, second);
	ASSERT_EQ(0, pasid_entry(self->fd, self->dev.idev, first, &entry));
	EXPECT_EQ(IOMMU_PASID_ENTRY_ALLOCATED | IOMMU_PASID_ENTRY_IDENTITY, entry.flags);
	EXPECT_EQ(self->before.globals + 2, globals(self->fd));
}

TEST_F(alloc, refused)
{
	__u32 pasid = 5;

	EXPECT_EQ(-EINVAL, pasid_alloc(self->fd, self->dev.idev, TAGGED | IDENTITY, &pasid));
	EXPECT_EQ(-EOPNOTSUPP, pasid_alloc(self->fd, self->dev.idev, 4, &pasid));
	EXPECT_EQ(-EDOM, pasid_tag(self->fd, self->dev.idev, 0));
	EXPECT_EQ(-ERANGE, pasid_tag(self->fd, self->dev.idev, MAX));
	EXPECT_EQ(-ERANGE, pasid_tag(self->fd, self->dev.idev, ~0u));
	EXPECT_EQ(-EDOM, pasid_free(self->fd, self->dev.idev, 0));
	EXPECT_EQ(-ERANGE, pasid_free(self->fd, self->dev.idev, MAX));
	EXPECT_EQ(-ENXIO, pasid_free(self->fd, self->dev.idev, 5));
	/* Not a device, and none at all. */
	EXPECT_EQ(-ENOENT, pasid_alloc(self->fd, self->ioas, 0, &pasid));
	EXPECT_EQ(-ENOENT, pasid_alloc(self->fd, self->dev.stdev, 0, &pasid));
	EXPECT_EQ(-ENOENT, pasid_alloc(self->fd, 0, 0, &pasid));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, self->ioas, 5));
	EXPECT_EQ(-1, pasids_in_use(self->fd, self->ioas));
	EXPECT_EQ(0, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(self->before.globals, globals(self->fd));
}

TEST_F(alloc, without_pasids)
{
	struct iommu_pasid_entry entry;
	struct iommu_pasid_info info;
	__u32 pasid = 5, num = 1, next = 0;
	struct mock_dev plain;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &plain));
	EXPECT_EQ(-EOPNOTSUPP, pasid_alloc(self->fd, plain.idev, 0, &pasid));
	EXPECT_EQ(-EOPNOTSUPP, pasid_tag(self->fd, plain.idev, 5));
	EXPECT_EQ(-EOPNOTSUPP, pasid_alloc(self->fd, plain.idev, IDENTITY, &pasid));
	EXPECT_EQ(-EOPNOTSUPP, pasid_free(self->fd, plain.idev, 5));
	ASSERT_EQ(0, pasid_info(self->fd, plain.idev, &info));
	EXPECT_EQ(IOMMU_PASID_POLICY_NONE, info.out_policy);
	EXPECT_EQ(0, info.out_width);
	EXPECT_EQ(0, info.out_limit);
	ASSERT_EQ(0, pasid_list(self->fd, plain.idev, &entry, &num, &next, NULL));
	EXPECT_EQ(0, num);
	EXPECT_EQ(0, next);
	EXPECT_EQ(0, destroy(self->fd, plain.stdev));
}

TEST_F(alloc, info)
{
	struct iommu_pasid_info info;
	__u32 hwpt;

	ASSERT_EQ(0, pasid_info(self->fd, self->dev.idev, &info));
	EXPECT_EQ(variant->global ? IOMMU_PASID_POLICY_GLOBAL : IOMMU_PASID_POLICY_PER_RID,
		  info.out_policy);
	EXPECT_EQ(MOCK_PASID_WIDTH, info.out_width);
	EXPECT_EQ(MAX - 1, info.out_limit);
	EXPECT_EQ(0, info.out_in_use);
	EXPECT_EQ(0, info.out_attached);
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, 7));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, 8));
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 7, self->ioas, &hwpt));
	/* The device itself does not count. */
	ASSERT_EQ(0, pasid_attach(self->fd, self->dev.stdev, 0, self->ioas, &hwpt));
	ASSERT_EQ(0, pasid_info(self->fd, self->dev.idev, &info));
	EXPECT_EQ(2, info.out_in_use);
	EXPECT_EQ(1, info.out_attached);
	EXPECT_EQ(0, pasid_detach(self->fd, self->dev.stdev, 7));
	EXPECT_EQ(2, pasids_in_use(self->fd, self->dev.idev));
	EXPECT_EQ(0, pasids_attached(self->fd, self->dev.idev));
}

TEST_F(alloc, no_number_left)
{
	__u32 flags = variant->global ? MOCK_DEVICE_GLOBAL : 0, pasid, last = 0;
	struct iommu_pasid_info info;
	struct pasid_dev narrow;
	unsigned int got = 0;
	int rc;

	ASSERT_EQ(0, dev_new(self->fd, flags, 3, 0, 0, &narrow));
	ASSERT_EQ(0, pasid_info(self->fd, narrow.idev, &info));
	EXPECT_EQ(3, info.out_width);
	EXPECT_EQ(7, info.out_limit);
	while (!(rc = pasid_alloc(self->fd, narrow.idev, 0, &pasid))) {
		EXPECT_LT(0, pasid);
		EXPECT_GT(8, pasid);
		last = pasid;
		got++;
	}
	EXPECT_EQ(-ENOSPC, rc);
	EXPECT_EQ(7, got);
	EXPECT_EQ(0, pasid_free(self->fd, narrow.idev, last));
	EXPECT_EQ(0, pasid_alloc(self->fd, narrow.idev, 0, &pasid));
	EXPECT_EQ(last, pasid);
	if (!variant->global)
		EXPECT_EQ(-ERANGE, pasid_tag(self->fd, narrow.idev, 8));
	EXPECT_EQ(0, destroy(self->fd, narrow.stdev));
}

/* The list, taken in pieces of so many, has exactly these. */
static int list_is(int fd, __u32 dev, __u32 piece, __u32 first, __u32 step, __u32 total)
{
	struct iommu_pasid_entry array[LIST_MAX];
	__u32 next = 0, seen = 0;

	do {
		__u32 num = piece;
		int rc = pasid_list(fd, dev, array, &num, &next, NULL);

		if (rc)
			return rc;
		if (num > piece || (next && !num))
			return -EPROTO;
		for (__u32 i = 0; i < num; i++, seen++) {
			if (array[i].pasid != first + seen * step)
				return -EBADMSG;
		}
		if (next && next <= array[num - 1].pasid)
			return -EPROTO;
	} while (next);
	return seen == total ? 0 : -ERANGE;
}

TEST_F(alloc, list)
{
	static struct iommu_pasid_entry array[2 * LIST_MAX];
	__u32 num, next = 0;
	__u64 before, after;

	ASSERT_EQ(0, list_is(self->fd, self->dev.idev, 1, 0, 0, 0));
	for (__u32 tag = 10; tag < 10 + 700 * 3; tag += 3)
		ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, tag));
	EXPECT_EQ(0, list_is(self->fd, self->dev.idev, 1, 10, 3, 700));
	EXPECT_EQ(0, list_is(self->fd, self->dev.idev, 7, 10, 3, 700));
	EXPECT_EQ(0, list_is(self->fd, self->dev.idev, LIST_MAX, 10, 3, 700));
	/* From the middle, and more room than one call fills. */
	num = ARRAY_SIZE(array);
	next = 11;
	ASSERT_EQ(0, pasid_list(self->fd, self->dev.idev, array, &num, &next, &before));
	EXPECT_EQ(LIST_MAX, num);
	EXPECT_EQ(13, array[0].pasid);
	EXPECT_EQ(13 + 3 * LIST_MAX, next);
	num = 1;
	next = 10 + 700 * 3;
	ASSERT_EQ(0, pasid_list(self->fd, self->dev.idev, array, &num, &next, &after));
	EXPECT_EQ(0, num);
	EXPECT_EQ(0, next);
	EXPECT_EQ(before, after);
	/* Each change is told. */
	ASSERT_EQ(0, pasid_free(self->fd, self->dev.idev, 10));
	num = 1;
	ASSERT_EQ(0, pasid_list(self->fd, self->dev.idev, array, &num, &next, &after));
	EXPECT_LT(before, after);
	EXPECT_EQ(13, array[0].pasid);
	num = 0;
	EXPECT_EQ(-EINVAL, pasid_list(self->fd, self->dev.idev, array, &num, &next, NULL));
	num = 1;
	EXPECT_EQ(-EFAULT, pasid_list(self->fd, self->dev.idev, NULL, &num, &next, NULL));
}

struct churn {
	int fd;
	__u32 dev;
	bool stop;
	unsigned long rounds;
	int rc;
};

/* Odd numbers come and go; the even ones are there all the while. */
static void *churn(void *arg)
{
	struct churn *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED) && !c->rc) {
		__u32 round = __atomic_fetch_add(&c->rounds, 1, __ATOMIC_RELAXED);
		__u32 tag = 1 + 2 * (round * 7919 % 1000);

		c->rc = pasid_tag(c->fd, c->dev, tag) ?: pasid_free(c->fd, c->dev, tag);
	}
	return NULL;
}

TEST_F_TIMEOUT(alloc, list_while_others_allocate, 300)
{
	struct churn c = { .fd = self->fd, .dev = self->dev.idev };
	struct iommu_pasid_entry array[16];
	unsigned long still = 0, moved = 0;
	pthread_t thread;

	for (__u32 tag = 2; tag <= 400; tag += 2)
		ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, tag));
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn, &c));
	/* On a busy machine, until there were others. */
	for (int round = 0; round < 150 || !__atomic_load_n(&c.rounds, __ATOMIC_RELAXED); round++) {
		__u32 next = 0, even = 0, odd = 0, last = 0;
		__u64 changes = 0, first = 0;
		bool one_state = true;

		do {
			bool is_first = !next;
			__u32 num = ARRAY_SIZE(array);

			ASSERT_EQ(0, pasid_list(self->fd, self->dev.idev, array, &num, &next,
						&changes));
			if (is_first)
				first = changes;
			one_state &= changes == first;
			for (__u32 i = 0; i < num; i++) {
				ASSERT_LT(last, array[i].pasid);
				last = array[i].pasid;
				if (last % 2)
					odd++;
				else
					even++;
			}
		} while (next);
		ASSERT_EQ(200, even);
		/* In one state there is at most one of the other's. */
		if (one_state)
			ASSERT_GE(1, odd);
		still += one_state;
		moved += !one_state;
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, c.rc);
	TH_LOG("%lu lists of one state, %lu of several, %lu changes", still, moved, c.rounds);
}

/* Every number that there is, once; fewer on a kernel that is slowed down to find errors. */
TEST_F_TIMEOUT(alloc, a_million, 600)
{
	__u32 width = access("/sys/kernel/debug/kmemleak", F_OK) ? MOCK_PASID_WIDTH : 13;
	__u32 max = 1u << width, pasid;
	static unsigned char seen[MAX];
	struct iommu_pasid_info info;
	struct pasid_dev dev;

	ASSERT_EQ(0, self->before.globals);
	ASSERT_EQ(0, dev_new(self->fd, variant->global ? MOCK_DEVICE_GLOBAL : 0, width, 0, 0,
			     &dev));
	for (__u32 i = 1; i < max; i++) {
		int rc = pasid_alloc(self->fd, dev.idev, 0, &pasid);

		ASSERT_EQ(0, rc);
		ASSERT_GT(max, pasid);
		ASSERT_EQ(0, seen[pasid]);
		seen[pasid] = 1;
	}
	EXPECT_EQ(0, seen[0]);
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, dev.idev, 0, &pasid));
	ASSERT_EQ(0, pasid_info(self->fd, dev.idev, &info));
	EXPECT_EQ(max - 1, info.out_in_use);
	EXPECT_EQ(info.out_limit, info.out_in_use);
	EXPECT_EQ(0, list_is(self->fd, dev.idev, LIST_MAX, 1, 1, max - 1));
	EXPECT_EQ(0, pasid_free(self->fd, dev.idev, max / 3));
	EXPECT_EQ(0, pasid_alloc(self->fd, dev.idev, 0, &pasid));
	EXPECT_EQ(max / 3, pasid);
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
}

TEST_HARNESS_MAIN
