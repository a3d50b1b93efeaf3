// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways around the limits of a cgroup, of the system's PASIDs (misc) and of kernel
 * memory: other contexts, other processes, another cgroup later. Needs cgroup2
 * with both controllers. Everything is done by children, who enter a cgroup.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/sys.h"

#define ROOT "/sys/fs/cgroup"
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define MAX 5		/* PASIDs that the group may have */
#define MEMORY (24l << 20)
#define MANY 30000

FIXTURE(cgroup)
{
	char path[2][64];	/* of the one with limits, and of another one */
	int fd[2];
	__u32 ioas;
	struct pasid_dev dev[2], own;
};

static long read_number(const char *dir, const char *file, const char *key)
{
	char path[128], name[64];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (!key && fscanf(f, "%ld", &value) != 1)
		value = -1;
	while (key && fscanf(f, "%63s %ld%*[^\n]", name, &value) == 2 && strcmp(name, key))
		value = -1;
	fclose(f);
	return value;
}

static int write_text(const char *dir, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return file_put(path, text);
}

FIXTURE_SETUP(cgroup)
{
	ASSERT_EQ(0, getuid());
	ASSERT_EQ(0, write_text(ROOT, "cgroup.subtree_control", "+misc +memory"));
	for (int i = 0; i < 2; i++) {
		snprintf(self->path[i], sizeof(self->path[i]), ROOT "/attack-%d-%d", getpid(), i);
		ASSERT_EQ(0, mkdir(self->path[i], 0755));
		self->fd[i] = iommu_open();
		ASSERT_LE(0, self->fd[i]);
		ASSERT_EQ(0, global_new(self->fd[i], 0, &self->dev[i]));
	}
	ASSERT_EQ(0, per_rid_new(self->fd[0], 0, &self->own));
	self->ioas = ioas_new(self->fd[0]);
}

/* A cgroup that anything is charged to stays for some time. */
FIXTURE_TEARDOWN(cgroup)
{
	close(self->fd[0]);
	close(self->fd[1]);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, read_number(self->path[i], "misc.current", "pasid"));
		EXPECT_EQ(0, rmdir(self->path[i])) TH_LOG("errno %d", errno);
	}
}

/* What a child in that cgroup does, by its exit status; -SIGKILL for one that was killed. */
#define IN(group, expression)						\
({									\
	int status_ = -1;						\
	pid_t pid_ = fork();						\
									\
	if (!pid_)							\
		_exit(write_text(group, "cgroup.procs", "0") ? 127 : (int)(expression));	\
	waitpid(pid_, &status_, 0);					\
	WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);	\
})

#define CURRENT(i) read_number(self->path[i], "misc.current", "pasid")

/* PASIDs that a device of the system's numbers still gets, and keeps. */
static int grab(int fd, __u32 dev)
{
	__u32 pasid;
	int n, rc = 0;

	for (n = 0; n < 3 * MAX && !rc; n++)
		rc = pasid_alloc(fd, dev, 0, &pasid);
	return rc == -EDQUOT ? n - 1 : 100;
}

/* By a context of its own and a child's, which all end. */
static int grab_again(struct _test_data_cgroup *self)
{
	struct pasid_dev dev;
	__u32 pasid;
	int fd = iommu_open(), status;
	pid_t pid;

	if (fd < 0 || global_new(fd, 0, &dev))
		return 101;
	if (grab(self->fd[1], self->dev[1].idev) || grab(fd, dev.idev))
		return 102;
	if (pasid_alloc(fd, dev.idev, IDENTITY, &pasid) != -EDQUOT)
		return 103;
	pid = fork();
	if (!pid)
		_exit(grab(self->fd[0], self->dev[0].idev) || grab(fd, dev.idev));
	waitpid(pid, &status, 0);
	/* A number without one to pay for it is none. */
	if (pasid_attach(self->fd[0], self->dev[0].stdev, 4711, self->ioas, NULL) != -ENXIO)
		return 104;
	return status ? 105 : 0;
}

TEST_F(cgroup, pasids)
{
	struct pasid_dev parent, slice;

	ASSERT_EQ(0, write_text(self->path[0], "misc.max", "pasid 5"));
	ASSERT_EQ(MAX, IN(self->path[0], grab(self->fd[0], self->dev[0].idev)));
	/* Who took them is dead; the context has them. */
	EXPECT_EQ(MAX, CURRENT(0));
	EXPECT_EQ(0, IN(self->path[0], grab_again(self)));
	EXPECT_EQ(MAX, CURRENT(0));
	/* Those of a function alone are no resource of the system. */
	EXPECT_EQ(0, IN(self->path[0], -pasid_tag(self->fd[0], self->own.idev, 9)));
	ASSERT_EQ(0, parent_new(self->fd[0], &parent));
	EXPECT_EQ(EDQUOT, IN(self->path[0], -slice_new(self->fd[0], &parent, 0, &slice)));
	EXPECT_EQ(MAX, CURRENT(0));
	EXPECT_EQ(0, CURRENT(1));
}

/* Who takes pays, with whatever file; and bears it, wherever it goes. */
static int move_and_free(struct _test_data_cgroup *self, __u32 pasid)
{
	if (pasid_tag(self->fd[0], self->dev[0].idev, pasid) || CURRENT(0) != 1)
		return 101;
	if (write_text(self->path[1], "cgroup.procs", "0") || CURRENT(0) != 1 || CURRENT(1))
		return 102;
	if (pasid_tag(self->fd[0], self->dev[0].idev, pasid + 1) || CURRENT(0) != 1 ||
	    CURRENT(1) != 1)
		return 103;
	return -pasid_free(self->fd[0], self->dev[0].idev, pasid);
}

TEST_F(cgroup, pasids_and_another_cgroup)
{
	ASSERT_EQ(0, write_text(self->path[0], "misc.max", "pasid 1"));
	EXPECT_EQ(0, IN(self->path[0], move_and_free(self, 100)));
	EXPECT_EQ(0, CURRENT(0));
	EXPECT_EQ(1, CURRENT(1));
	/* The other one's is not charged to who frees it, nor to who is at its limit. */
	EXPECT_EQ(0, IN(self->path[0], -pasid_tag(self->fd[0], self->dev[0].idev, 200)));
	EXPECT_EQ(EDQUOT, IN(self->path[0], -pasid_tag(self->fd[0], self->dev[0].idev, 201)));
	EXPECT_EQ(0, IN(self->path[0], -pasid_free(self->fd[0], self->dev[0].idev, 101)));
	EXPECT_EQ(1, CURRENT(0));
	EXPECT_EQ(0, CURRENT(1));
}

/* Sorts of objects, of which a program may have as many as it likes. */
static int make_ioas(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	__u32 ioas;

	(void)buf;
	(void)i;
	return ioas_alloc(self->fd[0], &ioas);
}

static int make_area(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	return map_at(self->fd[0], self->ioas, buf, PAGE, AT + i * 2 * PAGE);
}

static int make_range(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	__u32 ioas;
	static struct iommu_iova_range *ranges;

	(void)buf;
	(void)i;
	if (!ranges) {
		ranges = calloc(512, sizeof(*ranges));
		for (unsigned int k = 0; k < 512; k++) {
			ranges[k].start = k * 2 * PAGE;
			ranges[k].last = ranges[k].start + PAGE - 1;
		}
	}
	return ioas_alloc(self->fd[0], &ioas) ?: ranges_allow(self->fd[0], ioas, ranges, 512);
}

static int make_pasid(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	(void)buf;
	return pasid_tag(self->fd[0], self->own.idev, i + 1);
}

static int make_global_pasid(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	(void)buf;
	return pasid_tag(self->fd[0], self->dev[0].idev, i + 1);
}

static int make_context(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	int fd = iommu_open();
	__u32 ioas;

	(void)self;
	(void)buf;
	(void)i;
	return fd < 0 ? fd : ioas_alloc(fd, &ioas);
}

static int make_fault_queue(struct _test_data_cgroup *self, char *buf, unsigned int i)
{
	__u32 queue;
	int file = fault_queue(self->fd[0], &queue);

	(void)buf;
	(void)i;
	return file < 0 ? file : 0;
}

static const struct sort {
	const char *name;
	int (*make)(struct _test_data_cgroup *self, char *buf, unsigned int i);
	unsigned int many;
} sorts[] = {
	{ "IOASes", make_ioas, MANY },
	{ "areas", make_area, MANY },
	{ "allowed ranges", make_range, MANY / 32 },
	{ "PASIDs of a function", make_pasid, MANY * 2 },
	{ "PASIDs of the system", make_global_pasid, MANY * 2 },
	{ "contexts", make_context, MANY / 4 },
	{ "fault queues", make_fault_queue, MANY / 4 },
};

static long kernel_memory(const char *group)
{
	return read_number(group, "memory.stat", "kernel");
}

/* Of the whole system. */
static long objects_memory(void)
{
	return read_number("/proc", "meminfo", "Slab:") * 1024;
}

/*
 * As many as there are; what the system has more of is what the cgroup is charged, or nearly.
 * Small sums of charges wait at each CPU, for two seconds at most.
 */
static int all_charged(struct _test_data_cgroup *self, const struct sort *sort)
{
	/* What looks for leaks takes its time, and more memory than what it looks at. */
	bool slow = !access("/sys/kernel/debug/kmemleak", F_OK);
	unsigned int many = slow ? sort->many / 16 : sort->many;
	char *buf = mem_shared(PAGE);
	long before, used_before, grown, used;
	int rc;

	if (!buf || sort->make(self, buf, 0))
		return 100;
	used_before = objects_memory();
	before = kernel_memory(self->path[0]);
	for (unsigned int i = 1; i < many; i++)
		if (sort->make(self, buf, i))
			return 101;
	for (int tries = 0; tries < 50; tries++) {
		grown = kernel_memory(self->path[0]) - before;
		used = objects_memory() - used_before;
		rc = grown < (slow ? 1 << 17 : 2 << 20) ? 102 :
		     !slow && grown < used * 3 / 4 - (1 << 20) ? 103 : 0;
		if (!rc)
			break;
		usleep(100000);
	}
	printf("# %s: %ld kB charged, %ld kB used\n", sort->name, grown >> 10, used >> 10);
	return rc;
}

TEST_F_TIMEOUT(cgroup, memory, 300)
{
	struct rlimit files = { 65536, 65536 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (unsigned int i = 0; i < ARRAY_SIZE(sorts); i++) {
		EXPECT_EQ(0, IN(self->path[0], all_charged(self, &sorts[i])))
			TH_LOG("%s", sorts[i].name);
		/* The next one begins with a context and a cgroup that have nothing. */
		close(self->fd[0]);
		ASSERT_EQ(0, rmdir(self->path[0]));
		ASSERT_EQ(0, mkdir(self->path[0], 0755));
		self->fd[0] = iommu_open();
		self->ioas = ioas_new(self->fd[0]);
		ASSERT_EQ(0, global_new(self->fd[0], 0, &self->dev[0]));
		ASSERT_EQ(0, per_rid_new(self->fd[0], 0, &self->own));
	}
}

/* Until it is refused, or killed. */
static int without_end(struct _test_data_cgroup *self, const struct sort *sort)
{
	char *buf = mem_shared(PAGE);
	int rc = 0;

	for (unsigned int i = 0; buf && !rc && i < 16 * MANY; i++)
		rc = sort->make(self, buf, i);
	return -rc;
}

TEST_F_TIMEOUT(cgroup, memory_limit, 120)
{
	char text[32];
	long left;
	int rc;

	snprintf(text, sizeof(text), "%ld", MEMORY);
	ASSERT_EQ(0, write_text(self->path[0], "memory.max", text));
	rc = IN(self->path[0], without_end(self, &sorts[0]));
	EXPECT_TRUE(rc == ENOMEM || rc == -SIGKILL) TH_LOG("%d", rc);
	EXPECT_LT(0, read_number(self->path[0], "memory.events", "max"));
	EXPECT_GE(MEMORY, read_number(self->path[0], "memory.current", NULL));
	/* The context, which is ours, has all of it; and then nobody. */
	EXPECT_LT(MEMORY / 2, read_number(self->path[0], "memory.current", NULL));
	close(self->fd[0]);
	self->fd[0] = iommu_open();
	/* What is freed by RCU comes back a little later. */
	for (int tries = 0; tries < 100; tries++) {
		left = read_number(self->path[0], "memory.current", NULL);
		if (left < MEMORY / 8)
			break;
		usleep(100000);
	}
	EXPECT_GT(MEMORY / 8, left);
}

TEST_HARNESS_MAIN
