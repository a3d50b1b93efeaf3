// SPDX-License-Identifier: GPL-2.0
/*
 * How long a process takes to end that is killed while it maps 16 GiB, or has it mapped: with huge
 * pages, at a page that nobody provides, and with small pages. To be run where the clock counts
 * instructions; a thousand million of them are a second.
 *
 * With small pages it is more than 100 ms without us already, for the process's own page tables: we
 * may take as much again. What is to be charged, unpinned and paid back is so before the end of the
 * process, so that the next one has its limits for itself.
 *
 *	killed BDF GIB
 *
 * GIB: how much is mapped with small pages.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define BASE	0x100000000ULL
#define ALL	(16UL << 30)
/* The same memory again and again. */
#define PIECE	(64UL << 20)
#define LIMIT	100.0

enum pages { SMALL, HUGE, STUCK };

static const char *bdf;
static unsigned long all = ALL;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* 16 GiB of addresses. */
static char *memory(enum pages pages)
{
	unsigned int flags = pages == SMALL ? 0 : MFD_HUGETLB;
	char *va = mmap(NULL, ALL + HUGE_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = memfd_create("killed", flags);
	unsigned long at;

	if (fd < 0 || ftruncate(fd, PIECE))
		err(1, "memfd");
	va = (char *)(((unsigned long)va + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	for (at = 0; at < all; at += PIECE)
		if (mmap(va + at, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			 0) == MAP_FAILED)
			err(1, "mmap");
	memset(va, 1, PIECE);
	return va;
}

/* The page in the middle is one that a handler is to provide; there is none. */
static int make_stuck(char *va)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	va = mmap(va + ALL / 2, HUGE_PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	reg.range.start = (unsigned long)va;
	reg.range.len = HUGE_PAGE;
	if (uffd < 0 || va == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		err(1, "userfaultfd");
	return uffd;
}

static int told, uffd;

static void say(const char *what)
{
	if (write(told, what, 1) != 1)
		err(1, "pipe");
}

static void *tell_stuck(void *arg)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };

	(void)arg;
	if (poll(&p, 1, -1) == 1)
		say("s");
	return NULL;
}

static void victim(enum pages pages, bool map)
{
	pthread_t thread;
	struct rig rig;
	char *va;
	unsigned long at;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	va = memory(pages);
	if (map)
		rig_open(&rig, bdf);
	if (pages == STUCK) {
		uffd = make_stuck(va);
		pthread_create(&thread, NULL, tell_stuck, NULL);
	}
	say("r");
	if (map && ioas_map(rig.iommu, rig.ioas, va, all, BASE, RW))
		errx(1, "map");
	/* Without a map: the page tables that it leaves to the process. */
	for (at = 0; !map && at < all; at += PAGE)
		va[at] = 1;
	say("d");
	pause();
	_exit(1);
}

static pid_t start(enum pages pages, bool map, int *from)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		err(1, "pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(fds[0]);
		told = fds[1];
		victim(pages, map);
	}
	close(fds[1]);
	*from = fds[0];
	if (read(*from, &c, 1) != 1 || c != 'r')
		errx(1, "the victim says nothing");
	return pid;
}

/* Milliseconds from the signal to the end; how far it was is in ms, or done. */
static double end_of(pid_t pid)
{
	double begin = now_ms();
	int status;

	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		errx(1, "status %#x", status);
	return now_ms() - begin;
}

static void await(int from, char what)
{
	char c;

	if (read(from, &c, 1) != 1 || c != what)
		errx(1, "the victim does not say %c", what);
	close(from);
}

/* Its end when all is done, after *ms. */
static double when_done(enum pages pages, bool map, double *ms)
{
	double begin;
	int from;
	pid_t pid = start(pages, map, &from);

	begin = now_ms();
	await(from, 'd');
	*ms = now_ms() - begin;
	return end_of(pid);
}

static double after(enum pages pages, double ms)
{
	int from;
	pid_t pid = start(pages, true, &from);
	double took;

	usleep(ms * 1000);
	took = end_of(pid);
	close(from);
	return took;
}

static void judge(const char *name, const char *when, double took, double limit)
{
	char line[128];

	snprintf(line, sizeof(line), "%s, killed %s: ends in %.1f ms, at most %.1f", name, when,
		 took, limit);
	check(took < limit, line, "it is not");
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
}

static void measure(const char *name, enum pages pages)
{
	double all_ms, none, plain = when_done(pages, false, &none), took;
	static const int percent[] = { 2, 50, 80, 97 };
	char when[64];
	unsigned int i;

	took = when_done(pages, true, &all_ms);
	printf("# %s, %lu GiB: the map takes %.1f ms; without one, the end takes %.1f ms\n", name,
	       all >> 30, all_ms, plain);
	judge(name, "when all is mapped", took, pages == SMALL ? 2 * plain + LIMIT : LIMIT);
	for (i = 0; i < sizeof(percent) / sizeof(*percent); i++) {
		double limit = LIMIT;

		/* Of its page tables, too, there is only a part. */
		if (pages == SMALL)
			limit += 2 * plain * percent[i] / 100;
		snprintf(when, sizeof(when), "at %d %% of the map", percent[i]);
		judge(name, when, after(pages, all_ms * percent[i] / 100), limit);
	}
}

static void measure_stuck(void)
{
	int from;
	pid_t pid = start(STUCK, true, &from);

	await(from, 's');
	judge("huge pages", "at a page that nobody provides", end_of(pid), LIMIT);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: killed BDF GIB");
	bdf = argv[1];
	measure("huge pages", HUGE);
	measure_stuck();
	all = strtoul(argv[2], NULL, 0) << 30;
	measure("small pages", SMALL);
	return check_done();
}
