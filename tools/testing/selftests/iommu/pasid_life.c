// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of PASIDs when contexts, devices and processes end with everything in
 * use: nothing, by the mock's counts. And whose they are: the misc cgroup's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define V 7

/* One of each, attached: two numbers of a global device, two slices, an emulated device. */
struct world {
	int fd, access;
	__u32 ioas, other, follower, access_id;
	char *buf;
	struct pasid_dev own, global, parent, slice[2];
};

static int tag_and_attach(int fd, const struct pasid_dev *dev, __u32 pasid, __u32 ioas)
{
	return pasid_tag(fd, dev->idev, pasid) ?:
	       pasid_attach(fd, dev->stdev, pasid, ioas, NULL);
}

static int world_make(struct world *w)
{
	__u32 pages;
	int rc;

	w->fd = iommu_open();
	w->buf = mem_shared(BUF);
	if (w->fd < 0 || !w->buf || ioas_alloc(w->fd, &w->ioas) || ioas_alloc(w->fd, &w->other) ||
	    map_at(w->fd, w->ioas, w->buf, BUF, AT) || map_at(w->fd, w->other, w->buf, BUF, AT))
		return -EIO;
	rc = follow(w->fd, &w->follower) ?: per_rid_new(w->fd, w->ioas, &w->own) ?:
	     global_new(w->fd, w->ioas, &w->global) ?: parent_new(w->fd, &w->parent) ?:
	     slice_new(w->fd, &w->parent, w->ioas, &w->slice[0]) ?:
	     slice_new(w->fd, &w->parent, w->other, &w->slice[1]) ?:
	     tag_and_attach(w->fd, &w->own, V, w->other) ?:
	     pasid_attach(w->fd, w->own.stdev, V + 1, w->ioas, NULL) ?:
	     tag_and_attach(w->fd, &w->global, V, w->other) ?:
	     pasid_tag(w->fd, w->global.idev, V + 1) ?:
	     tag_and_attach(w->fd, &w->slice[0], V, w->other) ?:
	     tag_and_attach(w->fd, &w->slice[1], V, w->other);
	if (rc)
		return rc;
	w->access = access_global(w->fd, w->ioas, MOCK_PASID_WIDTH, w->parent.index, &w->access_id);
	if (w->access < 0)
		return w->access;
	return pasid_tag(w->fd, w->access_id, V) ?: pasid_tag(w->fd, w->access_id, V + 2) ?:
	       access_attach_at(w->fd, w->access, V + 2, w->other) ?:
	       access_pin_at(w->fd, w->access, V + 2, AT, BUF, w->buf, &pages);
}

FIXTURE(life)
{
	int watch;
	struct counts before;
	long pins, taint;
	struct world w;
};

FIXTURE_SETUP(life)
{
	struct counts counts;

	self->watch = iommu_open();
	ASSERT_LE(0, self->watch);
	self->taint = kernel_taint();
	self->pins = pins_outstanding();
	ASSERT_EQ(0, count(self->watch, 0, &self->before));
	ASSERT_EQ(0, world_make(&self->w));
	ASSERT_EQ(0, count(self->watch, self->w.parent.index, &counts));
	/* V, V + 1, V + 2, and one for each slice; the second slice shares the entry of V. */
	EXPECT_EQ(self->before.globals + 5, counts.globals);
	EXPECT_EQ(3, counts.entries);
	EXPECT_EQ(self->before.devices + 3, counts.devices);
}

static bool all_gone(struct _test_data_life *self)
{
	return nothing_left(self->watch, &self->before) && pins_outstanding() == self->pins;
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_TRUE(all_gone(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->watch);
}

TEST_F(life, close_context_first)
{
	close(self->w.fd);
	EXPECT_FALSE(all_gone(self));
	close(self->w.access);
}

TEST_F(life, close_access_first)
{
	close(self->w.access);
	close(self->w.fd);
}

/* Each device takes what it has with it, and nothing of another's. */
TEST_F(life, unbind)
{
	struct world *w = &self->w;
	struct counts counts;
	__u32 number;

	EXPECT_EQ(0, destroy(w->fd, w->slice[0].stdev));
	ASSERT_EQ(0, count(w->fd, w->parent.index, &counts));
	EXPECT_EQ(2, counts.entries);
	EXPECT_EQ(self->before.globals + 4, counts.globals);
	EXPECT_EQ(0, request(w->fd, w->slice[1].stdev, V, AT, w->buf, BUF));
	EXPECT_EQ(0, destroy(w->fd, w->slice[1].stdev));
	ASSERT_EQ(0, count(w->fd, w->parent.index, &counts));
	EXPECT_EQ(0, counts.entries);
	EXPECT_EQ(self->before.globals + 3, counts.globals);
	EXPECT_EQ(0, request(w->fd, w->global.stdev, V, AT, w->buf, BUF));
	EXPECT_EQ(0, destroy(w->fd, w->global.stdev));
	/* V is the emulated device's still. */
	ASSERT_EQ(0, count(w->fd, 0, &counts));
	EXPECT_EQ(self->before.globals + 2, counts.globals);
	EXPECT_EQ(0, pair(w->fd, w->follower, V, &number));
	EXPECT_EQ(-ENOENT, pair(w->fd, w->follower, V + 1, &number));
	EXPECT_EQ(0, request(w->fd, w->own.stdev, V, AT, w->buf, BUF));
	EXPECT_EQ(0, destroy(w->fd, w->own.stdev));
	EXPECT_EQ(0, destroy(w->fd, w->parent.stdev));
	close(w->access);
	ASSERT_EQ(0, count(w->fd, 0, &counts));
	EXPECT_EQ(self->before.globals, counts.globals);
	EXPECT_EQ(self->before.devices, counts.devices);
	EXPECT_EQ(-ENOENT, pair(w->fd, w->follower, V, &number));
	EXPECT_EQ(0, destroy(w->fd, w->ioas));
	EXPECT_EQ(0, destroy(w->fd, w->other));
	close(w->fd);
}

TEST_F(life, table_in_use_at_a_pasid)
{
	struct world *w = &self->w;
	__u32 hwpt;

	ASSERT_EQ(0, hwpt_alloc(w->fd, w->own.idev, w->ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	ASSERT_EQ(0, pasid_replace(w->fd, w->own.stdev, V, hwpt, NULL));
	EXPECT_EQ(-EBUSY, destroy(w->fd, hwpt));
	EXPECT_EQ(-EBUSY, destroy(w->fd, w->ioas));
	EXPECT_EQ(0, pasid_replace(w->fd, w->own.stdev, V, w->other, NULL));
	EXPECT_EQ(0, destroy(w->fd, hwpt));
	close(w->fd);
	close(w->access);
}

TEST_F_TIMEOUT(life, many_at_once, 300)
{
	struct world *w = &self->w;

	for (__u32 pasid = 100; pasid < 4000; pasid++) {
		ASSERT_EQ(0, pasid_attach(w->fd, w->own.stdev, pasid, w->ioas, NULL));
		ASSERT_EQ(0, pasid_tag(w->fd, w->global.idev, pasid));
		ASSERT_EQ(0, pasid_attach(w->fd, w->global.stdev, pasid, w->other, NULL));
	}
	close(w->access);
	close(w->fd);
}

/* The next to have a number sees nothing of the one before. */
TEST_F(life, number_is_clean)
{
	struct world *w = &self->w;
	char *mem = mem_shared(BUF);
	int fd = iommu_open();
	__u32 ioas = ioas_new(fd), number, again, v;
	struct pasid_dev slice;

	ASSERT_NE(0, ioas);
	ASSERT_EQ(0, map_at(fd, ioas, mem, BUF, AT));
	ASSERT_EQ(0, slice_new(fd, &w->parent, ioas, &slice));
	ASSERT_EQ(0, tag_and_attach(w->fd, &w->slice[0], V + 3, w->ioas));
	ASSERT_EQ(0, pair(w->fd, w->slice[0].stdev, V + 3, &number));
	/* Caches know it. */
	ASSERT_EQ(0, request(w->fd, w->slice[0].stdev, V + 3, AT, w->buf, BUF));
	ASSERT_EQ(0, pasid_detach(w->fd, w->slice[0].stdev, V + 3));
	EXPECT_EQ(-ENOENT, request_raw(fd, slice.stdev, number, AT, w->buf, PAGE));
	ASSERT_EQ(0, pasid_free(w->fd, w->slice[0].idev, V + 3));
	for (v = 1, again = 0; again != number && v < 10; v++) {
		ASSERT_EQ(0, tag_and_attach(fd, &slice, v, ioas));
		ASSERT_EQ(0, pair(fd, slice.stdev, v, &again));
	}
	ASSERT_EQ(number, again);
	EXPECT_EQ(0, request_raw(fd, slice.stdev, number, AT, mem, BUF));
	EXPECT_EQ(-EINVAL, request_raw(fd, slice.stdev, number, AT, w->buf, PAGE));
	close(fd);
	close(w->access);
	close(w->fd);
}

/* The child has a world of its own; says so, and goes on until it is killed. */
static pid_t child_with_world(int busy)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		struct world w;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (world_make(&w) || write(ready[1], "r", 1) != 1)
			_exit(1);
		while (!busy)
			pause();
		for (__u32 at = 50;; at++) {
			tag_and_attach(w.fd, &w.slice[at % 2], at, w.ioas);
			pasid_replace(w.fd, w.slice[at % 2].stdev, at - 1, w.other, NULL);
			pasid_detach(w.fd, w.slice[at % 2].stdev, at - 10);
			pasid_free(w.fd, w.slice[at % 2].idev, at - 10);
			access_replace_at(w.fd, w.access, V + 2, at % 2 ? w.ioas : w.other);
		}
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

TEST_F_TIMEOUT(life, killed, 300)
{
	int status;

	close(self->w.fd);
	close(self->w.access);
	for (int i = 0; i < 30; i++) {
		pid_t pid = child_with_world(i % 3);

		ASSERT_LT(0, pid);
		usleep(i * 300);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGKILL, WTERMSIG(status));
		ASSERT_TRUE(all_gone(self));
	}
}

#define CGROOT "/sys/fs/cgroup"
#define GROUP CGROOT "/iommu-selftest"

/* The number behind pasid in one of the group's files; -1 if there is none. */
static long charge(const char *file)
{
	char path[128], name[32];
	long value = -1, got;
	FILE *in;

	snprintf(path, sizeof(path), "%s/misc.%s", GROUP, file);
	in = fopen(path, "r");
	while (in && fscanf(in, "%31s %ld", name, &got) == 2)
		if (!strncmp(name, "pasid", 5))
			value = got;
	if (in)
		fclose(in);
	return value;
}

FIXTURE(cgroup)
{
	int fd;
	struct pasid_dev dev, parent;
	bool mounted;
};

FIXTURE_SETUP(cgroup)
{
	char pid[16];

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, global_new(self->fd, 0, &self->dev));
	ASSERT_EQ(0, parent_new(self->fd, &self->parent));
	/* Where the system has none, as in a small VM. */
	if (access(CGROOT "/cgroup.controllers", F_OK)) {
		ASSERT_EQ(0, mount("none", CGROOT, "cgroup2", 0, NULL));
		self->mounted = true;
	}
	ASSERT_EQ(0, file_put(CGROOT "/cgroup.subtree_control", "+misc"));
	ASSERT_EQ(0, mkdir(GROUP, 0755));
	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_EQ(0, file_put(GROUP "/cgroup.procs", pid));
	ASSERT_EQ(0, charge("current"));
}

FIXTURE_TEARDOWN(cgroup)
{
	char pid[16];

	close(self->fd);
	EXPECT_EQ(0, charge("current"));
	snprintf(pid, sizeof(pid), "%d", getpid());
	EXPECT_EQ(0, file_put(CGROOT "/cgroup.procs", pid));
	EXPECT_EQ(0, rmdir(GROUP));
	EXPECT_EQ(0, file_put(CGROOT "/cgroup.subtree_control", "-misc"));
	if (self->mounted)
		EXPECT_EQ(0, umount(CGROOT));
}

TEST_F(cgroup, limit)
{
	struct pasid_dev slice, own;
	__u32 pasid;

	ASSERT_EQ(0, file_put(GROUP "/misc.max", "pasid 3"));
	for (__u32 tag = 1; tag <= 3; tag++)
		ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, tag));
	EXPECT_EQ(3, charge("current"));
	EXPECT_EQ(0, charge("events"));
	EXPECT_EQ(-EDQUOT, pasid_tag(self->fd, self->dev.idev, 4));
	EXPECT_EQ(1, charge("events"));
	EXPECT_EQ(-EDQUOT, slice_new(self->fd, &self->parent, 0, &slice));
	EXPECT_EQ(3, charge("current"));
	/* Numbers of a device's own are no resource of the system. */
	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	EXPECT_EQ(0, pasid_alloc(self->fd, own.idev, 0, &pasid));
	EXPECT_EQ(3, charge("current"));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, 2));
	EXPECT_EQ(2, charge("current"));
	ASSERT_EQ(0, slice_new(self->fd, &self->parent, 0, &slice));
	EXPECT_EQ(3, charge("current"));
	EXPECT_EQ(0, destroy(self->fd, slice.stdev));
	EXPECT_EQ(0, pasid_tag(self->fd, self->dev.idev, 4));
	EXPECT_EQ(3, charge("current"));
}

/* Who allocated pays, until it is free, wherever that process has gone. */
TEST_F(cgroup, payer)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, 1));
	ASSERT_EQ(0, file_put(CGROOT "/cgroup.procs", pid));
	ASSERT_EQ(0, pasid_tag(self->fd, self->dev.idev, 2));
	EXPECT_EQ(1, charge("current"));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, 2));
	EXPECT_EQ(1, charge("current"));
	EXPECT_EQ(0, pasid_free(self->fd, self->dev.idev, 1));
	EXPECT_EQ(0, charge("current"));
}

TEST_HARNESS_MAIN
