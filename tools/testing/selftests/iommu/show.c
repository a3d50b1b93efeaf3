// SPDX-License-Identifier: GPL-2.0-only
/*
 * fdinfo of a context: what there is of every kind, sums right after each call, a
 * bound for what is shown, and that nobody notices who looks.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/show.h"
#include "lib/sys.h"
#include "lib/type1.h"
#include "lib/viommu.h"

#define BUF (16 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define LINES 1024u

FIXTURE(show)
{
	int fd;
	__u32 ioas;
	char *buf, *text;
	struct counts before;
	long taint;
};

FIXTURE_SETUP(show)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
}

FIXTURE_TEARDOWN(show)
{
	free(self->text);
	close(self->fd);
	self->fd = iommu_open();
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->fd);
}

/* Look again. */
#define LOOK()						\
	do {						\
		free(self->text);			\
		self->text = fdinfo(self->fd);		\
		ASSERT_NE(NULL, self->text);		\
	} while (0)
#define EXPECT_LINE(...) EXPECT_TRUE(has_line(self->text, __VA_ARGS__))
#define EXPECT_SUMS(mapped, pinned, pasids)			\
	do {							\
		LOOK();						\
		EXPECT_LINE("mapped:\t%lu bytes", mapped);	\
		EXPECT_LINE("pinned:\t%lu bytes", pinned);	\
		EXPECT_LINE("pasids:\t%u", pasids);		\
	} while (0)

TEST_F(show, memory)
{
	__u32 other = ioas_new(self->fd);
	struct mock_dev dev;

	EXPECT_SUMS(0ul, 0ul, 0u);
	EXPECT_LINE("iommufd:\tversion=1 charge=user compat_ioas=0");
	EXPECT_LINE("ioas:\tid=%u areas=0 mapped=0 hwpts=0", self->ioas);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, 2 * PAGE, AT + BUF));
	/* No domain needs it yet. */
	EXPECT_SUMS(BUF + 2 * PAGE, 0ul, 0u);
	EXPECT_LINE("ioas:\tid=%u areas=2 mapped=%lu hwpts=0", self->ioas, BUF + 2 * PAGE);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_SUMS(BUF + 2 * PAGE, BUF + 2 * PAGE, 0u);
	EXPECT_EQ((long)((BUF + 2 * PAGE) / PAGE), pages_pinned());
	EXPECT_LINE("ioas:\tid=%u areas=2 mapped=%lu hwpts=1", self->ioas, BUF + 2 * PAGE);
	/* The same memory once more is not pinned once more. */
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, 4 * PAGE, AT, AT));
	EXPECT_SUMS(BUF + 6 * PAGE, BUF + 2 * PAGE, 0u);
	EXPECT_LINE("ioas:\tid=%u areas=1 mapped=%lu hwpts=0", other, 4 * PAGE);
	ASSERT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_SUMS(6 * PAGE, 2 * PAGE, 0u);
	/* What fails changes nothing. */
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, PAGE, AT + BUF));
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + BUF, PAGE));
	EXPECT_EQ(-EFAULT, map_at(self->fd, self->ioas, NULL, PAGE, AT));
	EXPECT_SUMS(6 * PAGE, 2 * PAGE, 0u);
	ASSERT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_SUMS(6 * PAGE, 0ul, 0u);
	EXPECT_LINE("ioas:\tid=%u areas=1 mapped=%lu hwpts=0", self->ioas, 2 * PAGE);
	ASSERT_EQ(0, destroy(self->fd, other));
	EXPECT_SUMS(2 * PAGE, 0ul, 0u);
	EXPECT_EQ(0, lines_of(self->text, "more:"));
}

static long number_of(int fd)
{
	char *text = fdinfo(fd), *line = text ? strstr(text, "\nnumber:\t") : NULL;
	long number = line ? atol(line + 9) : -1;

	free(text);
	return number;
}

/* Of files that are the same it is the same, and of no others. */
TEST_F(show, number)
{
	int same = dup(self->fd), other = iommu_open();
	long number = number_of(self->fd);

	EXPECT_LT(0, number);
	EXPECT_EQ(number, number_of(same));
	EXPECT_LT(number, number_of(other));
	close(other);
	other = iommu_open();
	EXPECT_LT(number + 1, number_of(other));
	close(other);
	close(same);
}

TEST_F(show, type1)
{
	__u64 unmapped;

	ASSERT_EQ(0, t1_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, t1_number(self->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	ASSERT_EQ(0, t1_map(self->fd, self->buf, BUF, AT));
	LOOK();
	EXPECT_LINE("iommufd:\tversion=1 charge=user compat_ioas=%u", self->ioas);
	EXPECT_LINE("ioas:\tid=%u areas=1 mapped=%lu hwpts=0", self->ioas, BUF);
	/* The first version of type1 splits. */
	ASSERT_EQ(0, t1_unmap(self->fd, AT + PAGE, PAGE, &unmapped));
	LOOK();
	EXPECT_LINE("ioas:\tid=%u areas=2 mapped=%lu hwpts=0", self->ioas, BUF - PAGE);
	ASSERT_EQ(0, t1_unmap(self->fd, AT, BUF, &unmapped));
	LOOK();
	EXPECT_LINE("ioas:\tid=%u areas=0 mapped=0 hwpts=0", self->ioas);
}

TEST_F(show, charge)
{
	int fd = iommu_open();
	char *text;

	ASSERT_EQ(0, option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	text = fdinfo(fd);
	EXPECT_TRUE(has_line(text, "iommufd:\tversion=1 charge=process compat_ioas=0"));
	free(text);
	close(fd);
}

/* Each line of a device's PASIDs in order: from, to, page table, IOAS, allocated. */
#define RUN(dev, from, to, hwpt, ioas, alloc)						\
	EXPECT_LINE("pasid:\tdevice=%u vpasids=%u-%u hwpt=%u ioas=%u allocated=%u",	\
		    (dev).idev, from, to, hwpt, ioas, alloc)

TEST_F(show, pasids)
{
	struct pasid_dev own, global, parent, slice;
	__u32 hwpt, byhand;

	ASSERT_EQ(0, per_rid_new(self->fd, self->ioas, &own));
	ASSERT_EQ(0, hwpt_alloc(self->fd, own.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, &byhand));
	for (__u32 pasid = 5; pasid < 10; pasid++)
		ASSERT_EQ(0, pasid_tag(self->fd, own.idev, pasid));
	EXPECT_SUMS(0ul, 0ul, 5u);
	RUN(own, 5, 9, 0, 0, 1);
	EXPECT_EQ(1, lines_of(self->text, "pasid:"));
	ASSERT_EQ(0, pasid_attach(self->fd, own.stdev, 7, self->ioas, &hwpt));
	ASSERT_EQ(0, pasid_attach(self->fd, own.stdev, 10, byhand, NULL));
	ASSERT_EQ(0, pasid_attach(self->fd, own.stdev, 11, byhand, NULL));
	ASSERT_EQ(0, pasid_tag(self->fd, own.idev, 12));
	ASSERT_EQ(0, pasid_attach(self->fd, own.stdev, 12, byhand, NULL));
	EXPECT_SUMS(0ul, 0ul, 8u);
	RUN(own, 5, 6, 0, 0, 1);
	RUN(own, 7, 7, hwpt, self->ioas, 1);
	RUN(own, 8, 9, 0, 0, 1);
	RUN(own, 10, 11, byhand, self->ioas, 0);
	RUN(own, 12, 12, byhand, self->ioas, 1);
	EXPECT_EQ(5, lines_of(self->text, "pasid:"));
	EXPECT_LINE("hwpt:\tid=%u ioas=%u type=paging auto=1 pasid=1 dirty=0", hwpt, self->ioas);
	EXPECT_LINE("hwpt:\tid=%u ioas=%u type=paging auto=0 pasid=1 dirty=0", byhand,
		    self->ioas);
	ASSERT_EQ(0, pasid_replace(self->fd, own.stdev, 7, byhand, NULL));
	ASSERT_EQ(0, pasid_detach(self->fd, own.stdev, 10));
	ASSERT_EQ(0, pasid_free(self->fd, own.idev, 5));
	EXPECT_SUMS(0ul, 0ul, 6u);
	RUN(own, 6, 6, 0, 0, 1);
	RUN(own, 7, 7, byhand, self->ioas, 1);
	RUN(own, 11, 11, byhand, self->ioas, 0);

	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, self->ioas, &slice));
	ASSERT_EQ(0, pasid_tag(self->fd, global.idev, 5));
	EXPECT_SUMS(0ul, 0ul, 7u);
	RUN(global, 5, 5, 0, 0, 1);
	EXPECT_LE(0, value_of(self->text, "device:", "group"));
	EXPECT_NE(NULL, strstr(self->text, " policy=per-rid "));
	EXPECT_NE(NULL, strstr(self->text, " policy=global hwpt=0 slice=0\n"));
	EXPECT_NE(NULL, strstr(self->text, " slice=1\n"));
}

TEST_F(show, access)
{
	int access;
	__u32 id;

	access = access_own(self->fd, self->ioas, 12, &id);
	ASSERT_LT(0, access);
	ASSERT_EQ(0, pasid_tag(self->fd, id, 3));
	ASSERT_EQ(0, pasid_tag(self->fd, id, 4));
	ASSERT_EQ(0, access_attach_at(self->fd, access, 4, self->ioas));
	EXPECT_SUMS(0ul, 0ul, 2u);
	EXPECT_LINE("access:\tid=%u policy=per-rid ioas=%u", id, self->ioas);
	EXPECT_LINE("pasid:\taccess=%u vpasids=3-3 ioas=0 allocated=1", id);
	EXPECT_LINE("pasid:\taccess=%u vpasids=4-4 ioas=%u allocated=1", id, self->ioas);
	close(access);
	EXPECT_SUMS(0ul, 0ul, 0u);
	EXPECT_EQ(0, lines_of(self->text, "access:"));
}

TEST_F(show, virtual)
{
	__u32 vdev, events, queue, faults, nested, on;
	struct viommu_rig r;
	int files[2];

	ASSERT_EQ(0, viommu_rig_new(&r));
	ASSERT_EQ(0, map_at(r.fd, r.ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, vdevice_alloc(r.fd, r.viommu, r.dev.idev, 0x99, &vdev));
	files[0] = veventq_alloc(r.fd, r.viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 3, &events);
	ASSERT_LE(0, files[0]);
	files[1] = fault_queue(r.fd, &faults);
	ASSERT_LE(0, files[1]);
	ASSERT_EQ(0, hw_queue_alloc(r.fd, r.viommu, 0, AT, PAGE, &queue));
	ASSERT_EQ(0, nested_alloc(r.fd, r.dev.idev, r.parent, IOMMU_HWPT_ALLOC_PASID, faults,
				  &nested));
	ASSERT_EQ(0, nested_alloc(r.fd, r.dev.idev, r.viommu, 0, 0, &on));
	ASSERT_EQ(0, pasid_attach(r.fd, r.dev.stdev, 0, on, NULL));
	ASSERT_EQ(0, vevent(r.fd, r.dev.idev));
	ASSERT_EQ(0, pasid_replace(r.fd, r.dev.stdev, 0, nested, NULL));
	ASSERT_EQ(0, page_request(r.fd, r.dev.stdev, 5, 3, AT, false));
	self->text = fdinfo(r.fd);
	ASSERT_NE(NULL, self->text);
	EXPECT_LINE("viommu:\tid=%u hwpt=%u type=%u", r.viommu, r.parent,
		    IOMMU_VIOMMU_TYPE_SELFTEST);
	EXPECT_LINE("vdevice:\tid=%u viommu=%u device=%u vid=0x99", vdev, r.viommu, r.dev.idev);
	EXPECT_LINE("veventq:\tid=%u viommu=%u type=%u depth=3 pending=1", events, r.viommu,
		    IOMMU_VEVENTQ_TYPE_SELFTEST);
	EXPECT_LINE("hw_queue:\tid=%u viommu=%u type=%u index=0 iova=0x%lx length=%lu", queue,
		    r.viommu, IOMMU_HW_QUEUE_TYPE_SELFTEST, (long)AT, PAGE);
	EXPECT_LINE("fault:\tid=%u pending=1", faults);
	EXPECT_LINE("hwpt:\tid=%u type=nested parent=%u fault=%u", nested, r.parent, faults);
	EXPECT_LINE("hwpt:\tid=%u type=nested parent=%u viommu=%u", on, r.parent, r.viommu);
	EXPECT_EQ((long)nested, value_of(self->text, "device:", "hwpt"));
	close(files[0]);
	close(files[1]);
	close(r.fd);
}

TEST_F(show, another_process)
{
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		self->text = fdinfo_of(getppid(), self->fd);
		_exit(!self->text || !has_line(self->text, "mapped:\t%lu bytes", BUF));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static unsigned long ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

/* What is left out is counted, and it does not take for ever. */
TEST_F_TIMEOUT(show, many, 300)
{
	/* Each takes ten times as long where there is kmemleak. */
	unsigned int many = access("/sys/kernel/debug/kmemleak", F_OK) ? 100000 : 10000;
	struct pasid_dev dev;
	struct timespec start;
	__u32 pasid, id;
	unsigned int objects;
	long left;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	/* One run, and many of one. */
	for (pasid = 1; pasid <= many; pasid++)
		ASSERT_EQ(0, pasid_tag(self->fd, dev.idev, pasid));
	for (pasid = many + 2; pasid < 3 * many + 2; pasid += 2)
		ASSERT_EQ(0, pasid_tag(self->fd, dev.idev, pasid));
	clock_gettime(CLOCK_MONOTONIC, &start);
	LOOK();
	TH_LOG("%u PASIDs: %lu ms", 2 * many, ms_since(&start));
	EXPECT_LINE("pasids:\t%u", 2 * many);
	RUN(dev, 1u, many, 0, 0, 1);
	objects = lines_of(self->text, "ioas:") + lines_of(self->text, "device:") +
		  lines_of(self->text, "other:");
	EXPECT_EQ(LINES - objects, lines_of(self->text, "pasid:"));
	/* With the IOAS, the device and its mock; the first run is one line. */
	left = 3 + 2 * many - (many + LINES - 1);
	EXPECT_EQ(left, value_of(self->text, "more:", "more"));
	for (pasid = 0; pasid < many; pasid++)
		ASSERT_EQ(0, ioas_alloc(self->fd, &id));
	clock_gettime(CLOCK_MONOTONIC, &start);
	LOOK();
	TH_LOG("and %u objects: %lu ms", many, ms_since(&start));
	EXPECT_EQ(left + many, value_of(self->text, "more:", "more"));
	EXPECT_GT(LINES + 32, lines_of(self->text, ""));
}

struct watcher {
	int fd;
	bool stop;
	unsigned long looks;
	pthread_t id;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		char *text = fdinfo(w->fd);

		if (text && lines_of(text, "iommufd:") == 1)
			__atomic_add_fetch(&w->looks, 1, __ATOMIC_RELAXED);
		free(text);
	}
	return NULL;
}

static bool looked(const struct watcher *w)
{
	return __atomic_load_n(&w->looks, __ATOMIC_RELAXED) > 10;
}

/* All kinds come and go. No call may fail for the sake of who looks. */
static int churn(int fd, char *buf)
{
	struct pasid_dev dev, parent, slice;
	__u32 ioas, hwpt, viommu, vdev, events, queue, pasid;
	int rc, file, access;

	rc = ioas_alloc(fd, &ioas) ?: map_at(fd, ioas, buf, BUF, AT) ?:
	     per_rid_new(fd, ioas, &dev) ?: parent_new(fd, &parent) ?:
	     slice_new(fd, &parent, ioas, &slice) ?: pasid_alloc(fd, dev.idev, 0, &pasid) ?:
	     pasid_attach(fd, dev.stdev, pasid, ioas, NULL) ?:
	     hwpt_alloc(fd, dev.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt) ?:
	     viommu_alloc(fd, dev.idev, hwpt, &viommu) ?:
	     vdevice_alloc(fd, viommu, dev.idev, 1, &vdev) ?:
	     hw_queue_alloc(fd, viommu, 0, AT, PAGE, &queue);
	if (rc)
		return rc;
	file = veventq_alloc(fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 1, &events);
	access = access_new(fd, ioas, 0);
	close(file);
	close(access);
	return destroy(fd, events) ?: destroy(fd, queue) ?: destroy(fd, vdev) ?:
	       destroy(fd, viommu) ?: destroy(fd, hwpt) ?:
	       pasid_detach(fd, dev.stdev, pasid) ?: pasid_free(fd, dev.idev, pasid) ?:
	       destroy(fd, slice.stdev) ?: destroy(fd, parent.stdev) ?:
	       destroy(fd, dev.stdev) ?: unmap(fd, ioas, AT, BUF) ?: destroy(fd, ioas);
}

/* For five seconds, and on a busy machine until both have looked. */
TEST_F_TIMEOUT(show, nobody_notices, 120)
{
	struct watcher watchers[2] = { { .fd = self->fd }, { .fd = self->fd } };
	struct timespec start;
	unsigned long rounds = 0;
	int rc = 0;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&watchers[i].id, NULL, watch, &watchers[i]));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (; !rc && (ms_since(&start) < 5000 || !looked(&watchers[0]) || !looked(&watchers[1]));
	     rounds++)
		rc = churn(self->fd, self->buf);
	EXPECT_EQ(0, rc);
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&watchers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(watchers[i].id, NULL);
	}
	TH_LOG("%lu rounds, %lu looks", rounds, watchers[0].looks + watchers[1].looks);
	LOOK();
	EXPECT_LINE("mapped:\t0 bytes");
	EXPECT_LINE("pinned:\t0 bytes");
	EXPECT_LINE("pasids:\t0");
	/* Nothing was left behind, as a page table would be that looked used. */
	EXPECT_EQ(0, lines_of(self->text, "hwpt:"));
	EXPECT_EQ(1, lines_of(self->text, "ioas:"));
}

TEST_HARNESS_MAIN
