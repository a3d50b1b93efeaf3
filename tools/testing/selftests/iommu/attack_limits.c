// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways around RLIMIT_MEMLOCK: more processes, another program, copies, others'
 * files, an attach by root. And ways to have somebody pay who has not agreed to.
 * Every test is a user of its own with a limit of LIMIT pages, next to root, who
 * has what the user has and has no limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define LIMIT 16ul
#define FULL (LIMIT * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define CONTEXTS 3

struct context {
	int fd;
	__u32 ioas;
	struct mock_dev dev;
};

FIXTURE(limits)
{
	struct context of[CONTEXTS];
	char *buf;
	uid_t uid;
	int file;
	long pins;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, getuid());
	self->pins = pins_outstanding();
	for (int i = 0; i < CONTEXTS; i++) {
		struct context *c = &self->of[i];

		c->fd = iommu_open();
		ASSERT_LE(0, c->fd);
		ASSERT_EQ(0, ioas_alloc(c->fd, &c->ioas));
		ASSERT_EQ(0, mock_attach(c->fd, c->ioas, &c->dev));
	}
	self->uid = 300000 + getpid() * 4;
	self->buf = mem_shared(2 * FULL);
	ASSERT_NE(NULL, self->buf);
	self->file = file_new(2 * FULL, 0);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(limits)
{
	for (int i = 0; i < CONTEXTS; i++)
		close(self->of[i].fd);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(self->pins, pins_outstanding());
}

static int become(uid_t uid)
{
	struct rlimit limit = { FULL, FULL };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	/* For pagemap and the like. */
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

/* Pages that a context still gets, one by one; they are given back. */
static unsigned long room(struct context *c, const char *buf)
{
	const __u64 at = AT + 64 * HUGE;
	unsigned long n;

	for (n = 0; n <= 2 * LIMIT; n++)
		if (map_at(c->fd, c->ioas, buf, PAGE, at + n * PAGE))
			break;
	for (unsigned long i = 0; i < n; i++)
		unmap(c->fd, c->ioas, at + i * PAGE, PAGE);
	return n;
}

/* What a child of that user, or of this one if it is 0, does, by its exit status below 128. */
#define AS(user, expression)						\
({									\
	uid_t user_ = (user);						\
	int status_ = -1;						\
	pid_t pid_ = fork();						\
									\
	if (!pid_)							\
		_exit(user_ && become(user_) ? 127 : (int)(expression));	\
	waitpid(pid_, &status_, 0);					\
	WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;			\
})

static unsigned long take(struct context *c, const char *buf, unsigned long pages, __u64 at)
{
	return map_at(c->fd, c->ioas, buf, pages * PAGE, at) ? 1 : 0;
}

/* Children, with files of their own and with those that they share. */
static int by_fork(struct context *of, const char *buf)
{
	if (AS(0, take(&of[0], buf, LIMIT / 2, AT)) || AS(0, take(&of[1], buf, LIMIT / 4, AT)))
		return 100;
	/* They are dead, and the contexts hold what they took. */
	for (int i = 0; i < CONTEXTS; i++)
		if (AS(0, room(&of[i], buf)) != LIMIT / 4)
			return 101;
	close(of[0].fd);
	return 0;
}

TEST_F(limits, fork)
{
	EXPECT_EQ(0, AS(self->uid, by_fork(self->of, self->buf)));
	/* Root's copies of the files hold it, too; then it comes back. */
	EXPECT_EQ(LIMIT / 4, AS(self->uid, room(&self->of[2], self->buf)));
	close(self->of[0].fd);
	close(self->of[1].fd);
	EXPECT_EQ(LIMIT, AS(self->uid, room(&self->of[2], self->buf)));
}

/* Another address space, and the same files; then the user's limit is the same. */
static int by_exec(struct context *c, const char *buf)
{
	char fd[16], ioas[16];

	if (take(c, buf, LIMIT - 3, AT))
		return 100;
	snprintf(fd, sizeof(fd), "%d", c->fd);
	snprintf(ioas, sizeof(ioas), "%u", c->ioas);
	fcntl(c->fd, F_SETFD, 0);
	setenv("IOMMU_FD", fd, 1);
	setenv("IOMMU_IOAS", ioas, 1);
	execl("/proc/self/exe", "attack_limits", NULL);
	return 102;
}

/* What the new program does, before there are any tests. */
__attribute__((constructor)) static void after_exec(void)
{
	struct context c = {};
	char *buf;

	if (!getenv("IOMMU_FD"))
		return;
	c.fd = atoi(getenv("IOMMU_FD"));
	c.ioas = atoi(getenv("IOMMU_IOAS"));
	buf = mem_shared(2 * FULL);
	_exit(buf ? (int)room(&c, buf) : 126);
}

TEST_F(limits, exec)
{
	EXPECT_EQ(3, AS(self->uid, by_exec(&self->of[0], self->buf)));
	EXPECT_EQ(3, AS(self->uid, room(&self->of[1], self->buf)));
	EXPECT_EQ(FULL - 3 * PAGE, unmap_all(self->of[0].fd, self->of[0].ioas));
	EXPECT_EQ(LIMIT, AS(self->uid, room(&self->of[1], self->buf)));
}

/* What a copy holds is paid for, whatever becomes of what it was copied from. */
static int by_copy(struct context *c, const char *buf)
{
	__u32 other = ioas_new(c->fd);

	if (take(c, buf, LIMIT, AT) || copy_at(c->fd, other, c->ioas, FULL, AT, AT) ||
	    copy_at(c->fd, c->ioas, c->ioas, FULL, AT + HUGE, AT))
		return 100;
	if (room(c, buf))
		return 101;
	/* The second IOAS has no device: it does not hold the pages. */
	if (unmap(c->fd, c->ioas, AT, FULL) || room(c, buf))
		return 102;
	if (unmap(c->fd, c->ioas, AT + HUGE, FULL) || room(c, buf) != LIMIT)
		return 103;
	/* Half of it is copied back, and pinned again. */
	if (copy_at(c->fd, c->ioas, other, FULL / 2, AT, AT))
		return 104;
	return room(c, buf);
}

TEST_F(limits, copy)
{
	EXPECT_EQ(LIMIT / 2, AS(self->uid, by_copy(&self->of[0], self->buf)));
}

static int by_file(struct context *c, int file, const char *buf)
{
	__u64 iova = AT;
	int huge = file_new(HUGE, MFD_HUGETLB);

	if (huge < 0)
		return 100;
	if (map_file(c->fd, c->ioas, FIXED | PERM_RW, file, 0, FULL + PAGE, &iova) != -ENOMEM ||
	    map_file(c->fd, c->ioas, FIXED | PERM_RW, huge, 0, HUGE, &iova) != -ENOMEM)
		return 101;
	if (map_file(c->fd, c->ioas, FIXED | PERM_RW, file, 0, FULL - PAGE, &iova))
		return 102;
	return room(c, buf);
}

TEST_F(limits, file)
{
	EXPECT_EQ(1, AS(self->uid, by_file(&self->of[0], self->file, self->buf)));
}

/* Of what is pinned for a device, an access gets no more than that. */
static int by_access(struct context *c, const char *buf)
{
	__u32 ioas = ioas_new(c->fd), pages;
	int access = access_new_pinning(c->fd, ioas);

	if (access < 0 || map_at(c->fd, ioas, buf, 2 * FULL, AT) || take(c, buf, LIMIT - 4, AT))
		return 100;
	if (access_pin(c->fd, access, AT, 5 * PAGE, buf, 0, &pages) != -ENOMEM)
		return 101;
	if (access_pin(c->fd, access, AT, 3 * PAGE, buf, 0, &pages))
		return 102;
	return room(c, buf);
}

TEST_F(limits, access)
{
	EXPECT_EQ(1, AS(self->uid, by_access(&self->of[0], self->buf)));
}

static int change(int fd)
{
	__u32 arg[2] = { sizeof(arg) };

	return iommu_call(fd, IOMMU_IOAS_CHANGE_PROCESS, arg);
}

static int map_pages_of(struct context *c, int file, unsigned long pages)
{
	return map_file(c->fd, c->ioas, FIXED | PERM_RW, file, 0, pages * PAGE, &(__u64){ AT });
}

/* The same user in another process is the same purse. */
static int by_change(struct context *of, int file, const char *buf)
{
	if (map_pages_of(&of[0], file, LIMIT - 1))
		return 100;
	if (AS(0, -change(of[0].fd)) || AS(0, room(&of[1], buf)) != 1)
		return 101;
	if (change(of[0].fd))
		return 102;
	return room(&of[0], buf);
}

TEST_F(limits, change_process)
{
	EXPECT_EQ(1, AS(self->uid, by_change(self->of, self->file, self->buf)));
	/* Another user cannot pay for more than it may pin, and is not made to. */
	EXPECT_EQ(LIMIT, AS(self->uid + 1, room(&self->of[1], self->buf)));
	EXPECT_EQ(2, AS(self->uid + 1, take(&self->of[1], self->buf, 2, AT) ? 100 :
			-change(self->of[0].fd) ? 2 : 3));
	EXPECT_EQ(1, AS(self->uid, room(&self->of[2], self->buf)));
}

/* Two users with one context: each pays for what it maps, whoever has it and unmaps it. */
TEST_F(limits, file_handed_over)
{
	struct context *c = &self->of[0];

	EXPECT_EQ(0, AS(self->uid, take(c, self->buf, LIMIT, AT)));
	EXPECT_EQ(0, AS(self->uid, room(c, self->buf)));
	EXPECT_EQ(LIMIT, AS(self->uid + 1, room(c, self->buf)));
	EXPECT_EQ(0, AS(self->uid + 1, take(c, self->buf, 5, AT + HUGE)));
	EXPECT_EQ(0, AS(self->uid, room(&self->of[1], self->buf)));
	EXPECT_EQ(LIMIT - 5, AS(self->uid + 1, room(&self->of[1], self->buf)));
	EXPECT_EQ(0, AS(self->uid + 1, -unmap(c->fd, c->ioas, AT, FULL)));
	EXPECT_EQ(LIMIT, AS(self->uid, room(&self->of[1], self->buf)));
	EXPECT_EQ(LIMIT - 5, AS(self->uid + 1, room(&self->of[1], self->buf)));
}

/* Pinned later, by root's attach: it is the user's limit that counts. */
TEST_F(limits, pinned_by_root)
{
	struct context *c = &self->of[0];
	int pipes[2], status;
	struct mock_dev dev;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, destroy(c->fd, c->dev.stdev));
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		byte = become(self->uid) || take(c, self->buf, LIMIT, AT) ||
		       take(c, self->buf, 1, AT + HUGE);
		_exit(write(pipes[1], &byte, 1) != 1 || pause());
	}
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	ASSERT_EQ(0, byte);
	EXPECT_EQ(-ENOMEM, mock_attach(c->fd, c->ioas, &dev));
	EXPECT_EQ(0, mock_check_refs(c->fd, self->buf, 2 * FULL, 0));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* Nor is a dead process's memory anybody's. */
	ASSERT_EQ(0, unmap(c->fd, c->ioas, AT + HUGE, PAGE));
	EXPECT_EQ(-EFAULT, mock_attach(c->fd, c->ioas, &dev));
	EXPECT_EQ(LIMIT, AS(self->uid, room(&self->of[1], self->buf)));
}

static int drop_lock_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	struct rlimit limit = { FULL, FULL };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	return syscall(SYS_capset, &head, data) || setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

/* Root's freedom is not that of what root becomes, on the same file. */
static int by_what_it_was(struct context *c, const char *buf, uid_t uid)
{
	if (take(c, buf, 2 * LIMIT, AT))
		return 100;
	if (uid ? become(uid) : drop_lock_capability())
		return 101;
	return room(c, buf);
}

TEST_F(limits, was_root)
{
	EXPECT_EQ(LIMIT, AS(0, by_what_it_was(&self->of[0], self->buf, self->uid)));
	EXPECT_EQ(LIMIT, AS(0, by_what_it_was(&self->of[1], self->buf, 0)));
	/* What root mapped is root's still. */
	EXPECT_EQ(LIMIT, AS(self->uid, room(&self->of[2], self->buf)));
}

/* The limit as it is when memory is pinned. */
static int with_less(struct context *c, const char *buf)
{
	struct rlimit limit = { 4 * PAGE, 4 * PAGE };

	if (take(c, buf, 8, AT) || setrlimit(RLIMIT_MEMLOCK, &limit))
		return 100;
	return room(c, buf);
}

TEST_F(limits, lowered)
{
	EXPECT_EQ(0, AS(self->uid, with_less(&self->of[0], self->buf)));
}

TEST_HARNESS_MAIN
