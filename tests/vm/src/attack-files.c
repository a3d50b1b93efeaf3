// SPDX-License-Identifier: GPL-2.0
/*
 * A function whose user binds it to what is no context, or attaches it to what is another
 * context's, is bound and attached as before, which DMA shows. And a user without any rights, who
 * got both files through a socket, has what the files are good for: its own memory, as much of it
 * as it may pin.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define COUNT	512
#define NOBODY	65534
#define LIMIT	(16 * PAGE)

static const char *bdf;

static void wrong_contexts(void)
{
	int dev = open_cdev(bdf), gone = dup(dev), iommu = open_iommu();
	const struct {
		int fd, want;
		const char *name;
	} files[] = {
		{ eventfd(0, 0), -EBADFD, "bind to an eventfd" },
		{ syscall(SYS_pidfd_open, getpid(), 0), -EBADFD, "bind to a process" },
		{ xopen("/dev/null", O_RDWR), -EBADFD, "bind to /dev/null" },
		{ memfd_create("attack", 0), -EBADFD, "bind to memory" },
		{ dev, -EBADFD, "bind to itself" },
		{ xopen("/dev/iommu", O_PATH), -EBADF, "bind to the name of /dev/iommu" },
		{ gone, -EBADF, "bind to what is closed" },
		{ 0x7fffffff, -EBADF, "bind to what never was open" },
		{ -1, -EINVAL, "bind to less than nothing" },
	};
	__u32 pt = 1;
	size_t i;

	close(gone);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		check_rc(dev_bind(dev, files[i].fd, NULL), files[i].want, files[i].name);
	check_rc(dev_attach(dev, &pt), -EINVAL, "attach of what is not bound");
	check_rc(dev_bind(dev, iommu, NULL), 0, "after all of these, a bind");
	close(dev);
	close(iommu);
	for (i = 0; i < 6; i++)
		if (files[i].fd != dev)
			close(files[i].fd);
}

static bool works(struct rig *rig, __u8 *page, unsigned int seed)
{
	memset(page, 0, PAGE);
	rig_write(rig, BASE, COUNT, seed);
	return filled(page, COUNT, seed);
}

/* The other context has IOASes up to an ID that the function's has not, with another page. */
static void other_context(void)
{
	__u8 *page = xmmap(PAGE, ANON, -1), *other = xmmap(PAGE, ANON, -1);
	int iommu = open_iommu(), dev;
	__u32 foreign = 0, pt, hwpt;
	struct rig rig;

	rig_open(&rig, bdf);
	while (foreign < 100)
		if (ioas_alloc(iommu, &foreign))
			errx(1, "IOAS_ALLOC");
	if (ioas_map(iommu, foreign, other, PAGE, BASE, RW) ||
	    ioas_map(rig.iommu, rig.ioas, page, PAGE, BASE, RW))
		errx(1, "map");
	check(works(&rig, page, 1), "a write arrives", "it does not");
	pt = foreign;
	check_rc(dev_attach(rig.dev, &pt), -ENOENT, "attach to another context's IOAS");
	pt = rig.ioas;
	check_rc(dev_attach_pasid(rig.dev, 1, &pt), -EOPNOTSUPP, "at a PASID, without any");
	check_rc(hwpt_alloc(iommu, 0, rig.devid, foreign, &hwpt), -ENOENT,
		 "a page table in a context that has not the device");
	check_rc(hwpt_alloc(rig.iommu, 0, rig.devid, foreign, &hwpt), -ENOENT,
		 "a page table of another context's IOAS");
	check_rc(ioas_copy(rig.iommu, rig.ioas, BASE + PAGE, foreign, BASE, PAGE), -ENOENT,
		 "copy from another context");
	check_rc(dev_bind(rig.dev, iommu, NULL), -EINVAL, "bind to a second context");
	dev = open_cdev(bdf);
	check_rc(dev_bind(dev, iommu, NULL), -EINVAL, "by a second file");
	pt = foreign;
	check_rc(dev_attach(dev, &pt), -EINVAL, "which attaches nothing");
	close(dev);
	check(works(&rig, page, 2) && untouched(other), "writes arrive where they did",
	      "they do not");
	rig_close(&rig);
	close(iommu);
	munmap(page, PAGE);
	munmap(other, PAGE);
}

static void send_files(int to, const int *files)
{
	char room[CMSG_SPACE(2 * sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = sizeof(room),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(head), files, 2 * sizeof(int));
	if (sendmsg(to, &msg, 0) != 1)
		err(1, "sendmsg");
}

static void receive_files(int from, int *files)
{
	char room[CMSG_SPACE(2 * sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = sizeof(room),
	};

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		err(1, "recvmsg");
	memcpy(files, CMSG_DATA(CMSG_FIRSTHDR(&msg)), 2 * sizeof(int));
}

static int opens(const char *path)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* In a process of its own. */
static int without_rights(int from)
{
	struct rlimit limit = { LIMIT, LIMIT };
	struct rig rig = {};
	int files[2];
	__u8 *page;
	__u32 pt;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		err(1, "becoming nobody");
	check_rc(opens("/dev/iommu"), -EACCES, "nobody: /dev/iommu does not open");
	receive_files(from, files);
	rig.iommu = files[0];
	rig.dev = files[1];
	check_rc(dev_bind(rig.dev, rig.iommu, &rig.devid), 0, "nobody: bind");
	if (ioas_alloc(rig.iommu, &rig.ioas))
		errx(1, "IOAS_ALLOC");
	pt = rig.ioas;
	check_rc(dev_attach(rig.dev, &pt), 0, "nobody: attach");
	rig.stage = xmmap(PAGE, ANON, -1);
	page = xmmap(2 * LIMIT, ANON, -1);
	if (ioas_map(rig.iommu, rig.ioas, rig.stage, PAGE, STAGE_IOVA, RW))
		errx(1, "map");
	check_rc(ioas_map(rig.iommu, rig.ioas, page, PAGE, BASE, RW), 0, "nobody: map");
	rig.bar = map_bar(rig.dev);
	bus_master(rig.dev);
	check(works(&rig, page, 3), "nobody: DMA reaches its memory", "it does not");
	check_rc(ioas_map(rig.iommu, rig.ioas, page, LIMIT, BASE + PAGE, RW), -ENOMEM,
		 "nobody: no more than it may pin");
	rig_close(&rig);
	return check_done();
}

static void passed_on(void)
{
	int ends[2], files[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		_exit(without_rights(ends[1]));
	files[0] = open_iommu();
	files[1] = open_cdev(bdf);
	send_files(ends[0], files);
	close(files[0]);
	close(files[1]);
	waitpid(pid, &status, 0);
	check(!status, "nobody: to the end", "status %#x", status);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: attack-files BDF");
	bdf = argv[1];
	wrong_contexts();
	other_context();
	passed_on();
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
