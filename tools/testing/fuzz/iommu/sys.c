// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls beside the ioctls: on the memory that is being mapped, which lies at fixed
 * addresses; on the files of memory; on the queues' files; on processes; and files
 * of contexts passed between processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

const char *const arena_names[NR_ARENAS] = { "mem", "shm", "file", "huge", "ro", "thp" };
enum { MEM, SHM, FILE_ARENA, HUGE, RO, THP };

static int socket_in = -1, socket_out = -1;
static unsigned int self, peer;
static int zero_fd;

static int64_t result(int64_t rc)
{
	return rc < 0 ? -errno : rc;
}

static int new_memfd(unsigned int i)
{
	int fd = memfd_create("fuzz-mem", MFD_CLOEXEC | MFD_ALLOW_SEALING |
					  (i == 2 ? MFD_HUGETLB : 0));

	if (fd >= 0 && ftruncate(fd, ARENA_SIZE))
		perror("ftruncate");
	return fd;
}

/* As at the start. What is mapped there now, pins keep. */
static int64_t arena_map(unsigned int i)
{
	int prot = i == RO ? PROT_READ : PROT_READ | PROT_WRITE, fd = -1;
	bool shared = i == SHM || i == HUGE || i == FILE_ARENA;
	int flags = MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE);
	void *p;

	if (i == FILE_ARENA) {
		fd = pool_get(0, R_FD_MEM, 0);
		/* It may have been closed. */
		if (fcntl(fd, F_GET_SEALS) < 0)
			pool_add(0, R_FD_MEM, fd = new_memfd(0));
	} else {
		flags |= MAP_ANONYMOUS | MAP_NORESERVE;
	}
	if (i == HUGE)
		flags |= MAP_HUGETLB;
	p = mmap((void *)ARENA(i), ARENA_SIZE, prot, flags, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	if (i == THP)
		madvise(p, ARENA_SIZE, MADV_HUGEPAGE);
	return 0;
}

/* Memory as new. */
void sys_fresh(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		pool_add(0, R_FD_MEM, new_memfd(i));
	for (i = 0; i < NR_ARENAS; i++)
		arena_map(i);
}

void sys_init(void)
{
	zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	sys_fresh();
}

/* A process sends to the next one. */
void sys_post(unsigned int proc, const int *sockets)
{
	self = proc;
	peer = (proc + 1) % opts.procs;
	socket_in = sockets[2 * proc];
	socket_out = sockets[2 * peer + 1];
}

static int64_t send_ctx(unsigned int ctx)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { &ctx, sizeof(ctx) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	int fd = ctx_fd(ctx);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(socket_out, &msg, MSG_DONTWAIT) < 0)
		return -errno;
	__atomic_fetch_add(&sh->mail[peer], 1, __ATOMIC_RELAXED);
	return 0;
}

static int64_t receive_ctx(void)
{
	char control[CMSG_SPACE(sizeof(int))];
	unsigned int ctx = 0;
	struct iovec iov = { &ctx, sizeof(ctx) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *head;
	int fd;

	if (recvmsg(socket_in, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&msg);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	ctx_put_fd(ctx % SHARED_CTX, fd);
	return 0;
}

/* What another process has sent is taken between programs. */
void mail_check(void)
{
	if (__atomic_exchange_n(&sh->mail[self], 0, __ATOMIC_RELAXED))
		while (!receive_ctx())
			;
}

static int64_t get_fd(unsigned int ctx)
{
	int64_t fd;
	int pidfd;

	pidfd = syscall(SYS_pidfd_open, sh->pids[peer], 0);
	if (pidfd < 0)
		return -errno;
	fd = result(syscall(SYS_pidfd_getfd, pidfd, ctx_fd(ctx), 0));
	close(pidfd);
	if (fd >= 0)
		ctx_put_fd(ctx, fd);
	return fd;
}

bool in_arena(uint64_t va, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < NR_ARENAS; i++)
		if (va >= ARENA(i) && va < ARENA(i) + ARENA_SIZE &&
		    len <= ARENA(i) + ARENA_SIZE - va)
			return true;
	return false;
}

static int64_t on_memory(const struct kind *kind, const uint64_t *arg)
{
	void *va = (void *)arg[0], *p;

	if (!in_arena(arg[0], arg[1]) || !arg[1])
		return -EFAULT;
	switch (kind->sysop) {
	case S_MUNMAP:
		return result(munmap(va, arg[1]));
	case S_MREMAP:
		if (!in_arena(arg[2], arg[1]))
			return -EFAULT;
		p = mremap(va, arg[1], arg[1], MREMAP_MAYMOVE | MREMAP_FIXED, arg[2]);
		return p == MAP_FAILED ? -errno : 0;
	case S_MADVISE:
		return result(madvise(va, arg[1], arg[2]));
	case S_PROTECT:
		return result(mprotect(va, arg[1], arg[2] & 3));
	default:
		return result(read(zero_fd, va, arg[1]));
	}
}

static int64_t on_file(const struct kind *kind, const uint64_t *arg)
{
	if (kind->sysop == S_TRUNCATE)
		return result(ftruncate(arg[0], arg[1] % (ARENA_SIZE + 1)));
	return result(fallocate(arg[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, arg[1],
				arg[2]));
}

static void child(unsigned int what, unsigned int ctx)
{
	struct iommu_ioas_change_process change = { .size = sizeof(change) };
	struct timespec wait = { .tv_nsec = 5000000 };
	unsigned int i;

	switch (what) {
	case 1:
		for (i = 0; i < SHARED_CTX; i++)
			close(ctx_fd(i));
		break;
	case 2:
		ioctl(ctx_fd(ctx), IOMMU_IOAS_CHANGE_PROCESS, &change);
		break;
	case 3:
		nanosleep(&wait, NULL);
		break;
	case 4:
		munmap((void *)ARENA(MEM), ARENA_SIZE);
		break;
	case 5:
		syscall(SYS_close_range, 64, ~0u, 0);
	}
}

/* No libc in between: other threads may hold its locks. */
static int64_t do_fork(unsigned int what, unsigned int ctx)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		child(what, ctx);
		syscall(SYS_exit_group, 0);
	}
	if (pid < 0)
		return -errno;
	return result(waitpid(pid, NULL, __WALL)) < 0 ? -errno : 0;
}

static struct { void *p; size_t len; } kept[MAX_THREADS];

/* What this process holds beside its files */
void sys_release(void)
{
	unsigned int i;

	for (i = 0; i < MAX_THREADS; i++)
		if (kept[i].p)
			munmap(kept[i].p, kept[i].len);
	memset(kept, 0, sizeof(kept));
}

/* Some mappings stay for a while. */
static int64_t map_viommu(struct runner *r, const uint64_t *arg, unsigned int ctx)
{
	void *p;

	p = mmap(NULL, arg[1], arg[3] & 7, arg[4] & 1 ? MAP_PRIVATE : MAP_SHARED, ctx_fd(ctx),
		 arg[0]);
	if (p == MAP_FAILED)
		return -errno;
	if (!arg[2])
		return result(munmap(p, arg[1]));
	if (kept[r->index].p)
		munmap(kept[r->index].p, kept[r->index].len);
	kept[r->index].p = p;
	kept[r->index].len = arg[1];
	return 0;
}

static int64_t map_dmabuf(const uint64_t *arg)
{
	uint64_t off = arg[1] % ARENA_SIZE & ~(PAGE - 1), len = arg[2] % (64 * PAGE + 1);

	if (!in_arena(ARENA(THP) + off, len))
		return -EFAULT;
	return mmap((void *)(ARENA(THP) + off), len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    arg[0], 0) == MAP_FAILED ? -errno : 0;
}

static int64_t on_queue(struct runner *r, const struct kind *kind, const uint64_t *arg,
			uint64_t *extra)
{
	int fd = arg[0];
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	uint32_t answer[4] = { arg[1], arg[2], arg[1], arg[2] };
	uint64_t len = arg[1] % 4096;
	int64_t rc;

	/* What we print is for people. */
	if (fd >= 0 && fd <= STDERR_FILENO)
		return -EBADF;
	switch (kind->sysop) {
	case S_READ_FAULT:
		rc = result(read(fd, r->data, len ? len : sizeof(struct iommu_hwpt_pgfault)));
		if (rc >= (int64_t)sizeof(struct iommu_hwpt_pgfault))
			extra[2] = ((struct iommu_hwpt_pgfault *)r->data)->cookie;
		return rc;
	case S_ANSWER:
		return result(write(fd, answer, arg[3] ? arg[3] % 17 : 8));
	case S_READ_EVENT:
		return result(read(fd, r->data, len));
	default:
		return result(poll(&p, 1, 0));
	}
}

static int64_t set_limit(unsigned int n)
{
	static const rlim_t limits[] = { 64 << 10, 1 << 20, 64 << 20, RLIM_INFINITY };
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	limit.rlim_cur = limits[n % 4] < limit.rlim_max ? limits[n % 4] : limit.rlim_max;
	return result(setrlimit(RLIMIT_MEMLOCK, &limit));
}

/* What others may read about a context */
static int64_t look(struct runner *r, unsigned int ctx)
{
	char path[64];
	int64_t rc;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ctx_fd(ctx));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = result(read(fd, r->data + PAGE, 8 * PAGE));
	close(fd);
	return rc;
}

static int64_t reopen(unsigned int ctx)
{
	ctx_reopen(ctx);
	send_ctx(ctx);
	return 0;
}

static int64_t do_close(int fd)
{
	if (fd < 64)
		return -EBADF;
	return result(close(fd));
}

int64_t sys_call(struct runner *r, const struct kind *kind, const uint64_t *arg,
		 unsigned int ctx, uint64_t *extra)
{
	unsigned int nr = arg[0] % SHARED_CTX;

	switch (kind->sysop) {
	case S_MUNMAP:
	case S_MREMAP:
	case S_MADVISE:
	case S_PROTECT:
	case S_TOUCH:
		return on_memory(kind, arg);
	case S_REMAP:
		return arena_map(arg[0] % NR_ARENAS);
	case S_PUNCH:
	case S_TRUNCATE:
		return on_file(kind, arg);
	case S_FORK:
		return do_fork(arg[0], ctx);
	case S_CLOSE:
		return do_close(arg[0]);
	case S_MAP_VIOMMU:
		return map_viommu(r, arg, ctx);
	case S_MAP_DMABUF:
		return map_dmabuf(arg);
	case S_REOPEN:
		return reopen(nr);
	case S_SEND:
		return send_ctx(nr);
	case S_RECEIVE:
		return receive_ctx();
	case S_GETFD:
		return get_fd(nr);
	case S_LIMIT:
		return set_limit(arg[0]);
	case S_LOOK:
		return look(r, ctx);
	default:
		return on_queue(r, kind, arg, extra);
	}
}
