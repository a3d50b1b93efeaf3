// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel kills who holds pinned memory, PASIDs and page tables, because its
 * cgroup is out of memory, in the middle of calls of its threads. All of it comes
 * back, and with it what the cgroup was charged.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define CGROOT "/sys/fs/cgroup"
#define GROUP CGROOT "/iommu-oom"
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define LIMIT (64 * HUGE / 4)
#define BUF (4 * HUGE)

FIXTURE(oom)
{
	long pins;
	struct counts before;
	bool mounted;
};

/* The number in a file of the group, after a name, if there is one. */
static long group_value(const char *file, const char *name)
{
	char path[128], word[64] = "";
	long value = -1, got;
	FILE *in;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	in = fopen(path, "r");
	if (!in)
		return -1;
	if (!name) {
		if (fscanf(in, "%ld", &value) != 1)
			value = -1;
	} else {
		while (fscanf(in, "%63s %ld", word, &got) == 2)
			if (!strcmp(word, name))
				value = got;
	}
	fclose(in);
	return value;
}

FIXTURE_SETUP(oom)
{
	char limit[32];
	int fd = iommu_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, count(fd, 0, &self->before));
	close(fd);
	self->pins = pins_outstanding();
	if (access(CGROOT "/cgroup.controllers", F_OK)) {
		ASSERT_EQ(0, mount("none", CGROOT, "cgroup2", 0, NULL));
		self->mounted = true;
	}
	if (file_put(CGROOT "/cgroup.subtree_control", "+memory +misc"))
		SKIP(return, "no cgroups with memory and misc");
	ASSERT_EQ(0, mkdir(GROUP, 0755));
	snprintf(limit, sizeof(limit), "%lu", LIMIT);
	ASSERT_EQ(0, file_put(GROUP "/memory.max", limit));
	/* Where there is no swap this is not there. */
	file_put(GROUP "/memory.swap.max", "0");
}

FIXTURE_TEARDOWN(oom)
{
	int fd = iommu_open();

	EXPECT_TRUE(nothing_left(fd, &self->before));
	close(fd);
	EXPECT_EQ(self->pins, pins_outstanding());
	EXPECT_EQ(0, rmdir(GROUP));
	file_put(CGROOT "/cgroup.subtree_control", "-memory -misc");
	if (self->mounted)
		EXPECT_EQ(0, umount(CGROOT));
}

struct holder {
	int fd;
	__u32 ioas;
	char *buf;
	struct pasid_dev dev;
};

/* Maps and unmaps, each thread at a place of its own. */
static void *churn(void *arg)
{
	struct holder *h = arg;
	char *buf = mem_private(HUGE);

	for (;;) {
		__u64 iova = 0;

		if (!map(h->fd, h->ioas, PERM_RW, buf, HUGE, &iova))
			unmap(h->fd, h->ioas, iova, HUGE);
		madvise(buf, HUGE, MADV_DONTNEED);
	}
	return NULL;
}

/* Pins more and more, until it is killed: by what it touches, or by what it has us pin. */
static void holder(bool touches)
{
	struct holder h = { .fd = iommu_open() };
	pthread_t threads[2];
	char pid[16];
	__u32 n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (file_put(GROUP "/cgroup.procs", pid) || ioas_alloc(h.fd, &h.ioas) ||
	    global_new(h.fd, h.ioas, &h.dev))
		_exit(1);
	for (n = 1; n <= 20; n++) {
		if (pasid_tag(h.fd, h.dev.idev, n) ||
		    pasid_attach(h.fd, h.dev.stdev, n, h.ioas, NULL))
			_exit(2);
	}
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, churn, &h);
	for (n = 0; n < 1000; n++) {
		__u64 iova = 0;
		int rc;

		h.buf = mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
		if (h.buf == MAP_FAILED)
			_exit(3);
		if (touches)
			memset(h.buf, 1, BUF);
		rc = map(h.fd, h.ioas, PERM_RW, h.buf, BUF, &iova);
		/* A map that finds no memory may say so; the next touch kills. */
		if (rc == -ENOMEM || rc == -EFAULT)
			memset(h.buf, 1, BUF);
		else if (rc)
			_exit(4);
	}
	_exit(5);
}

/* Batches of charges that the CPUs keep, of 64 pages each */
#define LEFT ((long)(64 * PAGE) * sysconf(_SC_NPROCESSORS_CONF) + (long)(16 * PAGE))

/* Charges go a little later than the process: by RCU, and in batches. */
static long charge_left(void)
{
	long left = -1;

	for (int tries = 0; tries < 100; tries++) {
		left = group_value("memory.current", NULL);
		if (left >= 0 && left < LEFT)
			break;
		file_put(GROUP "/memory.reclaim", "64M");
		usleep(100000);
	}
	return left;
}

static void killed(struct __test_metadata *_metadata, struct _test_data_oom *self, bool touches)
{
	for (int i = 0; i < 3; i++) {
		long kills = group_value("memory.events", "oom_kill");
		int status;
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			holder(touches);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		EXPECT_EQ(kills + 1, group_value("memory.events", "oom_kill"));
		EXPECT_EQ(0, group_value("misc.current", "pasid"));
		EXPECT_EQ(self->pins, pins_outstanding());
		EXPECT_GT(LEFT, charge_left());
	}
}

TEST_F_TIMEOUT(oom, by_touching, 300)
{
	killed(_metadata, self, true);
}

/* The page that is one too many is one that a map faults in. */
TEST_F_TIMEOUT(oom, by_mapping, 300)
{
	killed(_metadata, self, false);
}

TEST_HARNESS_MAIN
