// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user without any capability, whom root gives a file of /dev/iommu: what works is
 * all that has to do with its own memory and the devices there; what does not is
 * what would reach further. The file is the right: who got none opens none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <kselftest_harness.h>

#include "abi.h"
#include "lib/type1.h"

#define LIMIT (8 * PAGE)

FIXTURE(user)
{
	struct objects o;
	uid_t uid;
};

FIXTURE_SETUP(user)
{
	ASSERT_EQ(0, getuid());
	self->o.fd = iommu_open();
	ASSERT_LE(0, self->o.fd);
	ASSERT_EQ(0, objects_new(&self->o));
	self->uid = 400000 + getpid();
}

FIXTURE_TEARDOWN(user)
{
	close(self->o.fd);
	EXPECT_EQ(0, pages_pinned());
}

static int become(uid_t uid)
{
	struct rlimit limit = { LIMIT, LIMIT };

	return setrlimit(RLIMIT_MEMLOCK, &limit) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) ? -errno : 0;
}

TEST_F(user, open)
{
	ASSERT_EQ(0, become(self->uid));
	EXPECT_EQ(-1, open("/dev/iommu", O_RDWR));
	EXPECT_EQ(EACCES, errno);
	/* Nor a file that it has, once more, with the rights of the node. */
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->o.fd);
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(EACCES, errno);
}

/* Every call, as valid as root's. */
TEST_F(user, every_call)
{
	ASSERT_EQ(0, become(self->uid));
	for (const struct row *row = rows; row < rows_end; row++) {
		static union arg a;
		int rc, want = 0;

		memset(&a, 0, sizeof(a));
		a.size = row->size;
		if (row->fill)
			row->fill(&self->o, &a);
		rc = iommu_call(self->o.fd, row->nr, &a);
		if (rc == -ENOTTY)
			continue;
		/* It tells a physical address. */
		if (row->nr == IOMMU_IOAS_NOIOMMU_GET_PA)
			want = -EPERM;
		EXPECT_EQ(want, rc) TH_LOG("%s", row->name);
		if (row->nr == IOMMU_FAULT_QUEUE_ALLOC)
			close(a.fault.out_fault_fd);
		if (row->nr == IOMMU_VEVENTQ_ALLOC)
			close(a.veventq.out_veventq_fd);
		unmap_count(self->o.fd, self->o.ioas, AT, BUF, &(__u64){ 0 });
		pasid_free(self->o.fd, self->o.pasids.idev, PASID);
	}
}

/* What does more than its own memory is worth, and what everybody may. */
TEST_F(user, what_needs_a_capability)
{
	int fd = iommu_open();
	__u64 value = 1;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, become(self->uid));
	EXPECT_EQ(-EPERM, option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	EXPECT_EQ(-EPERM, option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0));
	EXPECT_EQ(0, option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, option_set(self->o.fd, IOMMU_OPTION_HUGE_PAGES, self->o.ioas, 1));
	EXPECT_EQ(0, option_get(self->o.fd, IOMMU_OPTION_HUGE_PAGES, self->o.ioas, &value));
	EXPECT_EQ(1, value);
	EXPECT_NE(0, t1_number(fd, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	close(fd);
}

TEST_F(user, bounded)
{
	ASSERT_EQ(0, become(self->uid));
	EXPECT_EQ(-ENOMEM, map_at(self->o.fd, self->o.ioas, self->o.buf, BUF, AT) ?:
			   map_at(self->o.fd, self->o.ioas, self->o.buf, BUF, AT + HUGE) ?:
			   map_at(self->o.fd, self->o.ioas, self->o.buf, PAGE, AT + 2 * HUGE));
	/* Root's memory in the same IOAS is root's to pay, and the user's to unmap. */
	EXPECT_EQ(0, unmap(self->o.fd, self->o.ioas, SRC, BUF));
}

/* Switches that are the whole system's are not a user's. */
TEST_F(user, of_the_system)
{
	static const char *const files[] = {
		"/sys/module/iommufd/parameters/allow_unsafe_interrupts",
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
		"/sys/fs/cgroup/cgroup.subtree_control",
		"/proc/sys/vm/stat_refresh",
	};

	ASSERT_EQ(0, become(self->uid));
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		int rc = file_put(files[i], "1");

		EXPECT_TRUE(rc == -EACCES || rc == -EPERM || rc == -ENOENT)
			TH_LOG("%s: %d", files[i], rc);
	}
}

static int send_file(int to, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = sizeof(room),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_file(int from)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = sizeof(room),
	};
	int fd;

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* What the receiver, who has the file and no more, maps is its own memory. */
static int use_received(struct objects *o, int from)
{
	int fd = receive_file(from);
	char *own = mem_private(PAGE);
	__u64 value;

	if (fd < 0 || !own)
		return 1;
	if (map_at(fd, o->ioas, own, PAGE, AT) || pages_pinned() != 1)
		return 2;
	if (mock_check_map(fd, o->dev.hwpt, own, PAGE, AT))
		return 3;
	if (option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1) != -EPERM ||
	    option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value))
		return 4;
	/* At the sender's address there is nothing of the receiver. */
	if (map_at(fd, o->ioas, (void *)0x1000, PAGE, AT + HUGE) != -EFAULT)
		return 5;
	return unmap(fd, o->ioas, AT, PAGE) ? 6 : pages_pinned() ? 7 : 0;
}

TEST_F(user, received)
{
	int ends[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->o.fd);
		_exit(become(self->uid) || prctl(PR_SET_DUMPABLE, 1) ? 8 :
		      use_received(&self->o, ends[1]));
	}
	ASSERT_EQ(0, send_file(ends[0], self->o.fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status >> 8);
	EXPECT_EQ(0, status & 0xff);
}

TEST_HARNESS_MAIN
