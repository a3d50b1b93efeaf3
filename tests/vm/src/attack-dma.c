// SPDX-License-Identifier: GPL-2.0
/*
 * A function that goes on writing to memory that it was allowed to write to, after that was taken
 * from it in any of the ways there are: what stops it has to be the IOMMU. Each attack first shows
 * that the write arrives. Afterwards the memory holds a pattern, which has to stay; the function
 * has another one in its buffer, and is made to write it through its BAR by root, who switches on
 * bus mastering; and the IOMMU's driver has to tell of the refusal.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "faults.h"
#include "rig.h"

#define BASE	0x4000000ULL
#define COUNT	512
#define DATA	1	/* the function's pattern, and the memory's */
#define STAYS	2
#define WRITES	15	/* of the function, 100 ms each, while a page is taken and given */

static const char *bdf;
static __u8 *target;	/* the page at BASE, which the test sees, whoever has died */

static bool named(bool good, const char *how, const char *what)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: %s", how, what);
	return check(good, line, "not so");
}

static bool arrived(void)
{
	return filled(target, COUNT, DATA);
}

/* Leaves the pattern in the function's buffer, and the page in the IOMMU's caches. */
static bool write_arrives(struct rig *rig)
{
	memset(target, 0, PAGE);
	rig_write(rig, BASE, COUNT, DATA);
	return arrived();
}

static void rig_map(struct rig *rig, __u32 ioas, void *va)
{
	if (ioas_map(rig->iommu, ioas, va, PAGE, BASE, RW))
		errx(1, "map");
}

static void start(struct rig *rig, const char *how)
{
	rig_open(rig, bdf);
	rig_map(rig, rig->ioas, target);
	named(write_arrives(rig), how, "while it may, the function writes");
}

/*
 * Whether the log is worth looking at, for which one waits at every fifth attack. VT-d's driver
 * tells of three faults in five seconds; the others of ten, where QEMU makes one of every four
 * bytes. And Arm's SMMU tells of nothing where a device is attached to nothing: a detach is not the
 * first of five.
 */
static bool log_is_ready(void)
{
	static unsigned int attacks;
	unsigned int nth = attacks++ % 5;

	if (!nth)
		fault_log_ready();
	return nth < (iommu_is("dmar") ? 3 : 1);
}

static void must_refuse(const char *how)
{
	bool ready = log_is_ready();

	fill(target, PAGE, STAYS);
	rogue_write(bdf, BASE);
	named(filled(target, PAGE, STAYS), how, "the next write is refused");
	if (ready)
		named(fault_at(BASE), how, "the IOMMU has refused it");
}

static void after_unmap(void)
{
	struct rig rig;

	start(&rig, "unmap");
	if (ioas_unmap(rig.iommu, rig.ioas, BASE, PAGE))
		errx(1, "unmap");
	must_refuse("unmap");
	rig_close(&rig);
}

static void after_detach(void)
{
	struct rig rig;

	start(&rig, "detach");
	if (dev_detach(rig.dev))
		errx(1, "detach");
	must_refuse("detach");
	rig_close(&rig);
}

static void after_replace(void)
{
	struct rig rig;
	__u32 other;

	start(&rig, "replace");
	if (ioas_alloc(rig.iommu, &other) || dev_attach(rig.dev, &other))
		errx(1, "replace");
	must_refuse("replace");
	rig_close(&rig);
}

/* What the function is attached to cannot be destroyed, and then it can. */
static void after_destroy(void)
{
	struct rig rig;
	__u32 ioas, hwpt, pt;

	rig_open(&rig, bdf);
	ioas = rig_ioas(&rig, target, BASE);
	if (hwpt_alloc(rig.iommu, 0, rig.devid, ioas, &hwpt))
		errx(1, "HWPT_ALLOC");
	pt = hwpt;
	if (dev_attach(rig.dev, &pt))
		errx(1, "attach");
	check_rc(destroy(rig.iommu, hwpt), -16, "destroy: not a page table in use");
	check_rc(destroy(rig.iommu, ioas), -16, "destroy: nor its IOAS");
	named(write_arrives(&rig), "destroy", "while it may, the function writes");
	pt = rig.ioas;
	if (dev_attach(rig.dev, &pt) || destroy(rig.iommu, hwpt) || destroy(rig.iommu, ioas))
		errx(1, "destroy");
	must_refuse("destroy");
	rig_close(&rig);
}

static void after_close(void)
{
	struct rig rig;

	start(&rig, "close");
	close(rig.iommu);
	named(write_arrives(&rig), "close of iommu", "the bound device keeps its mappings");
	munmap(rig.bar, PAGE);
	close(rig.dev);
	must_refuse("close of iommu, then of the device");
	munmap(rig.stage, PAGE);

	start(&rig, "close");
	munmap(rig.bar, PAGE);
	close(rig.dev);
	must_refuse("close of the device, its IOAS stays");
	close(rig.iommu);
	munmap(rig.stage, PAGE);
}

/* A process that has it all, and says so on the pipe; then it exits, or goes on. */
static pid_t holder(int *from, void (*goes_on)(struct rig *rig, int to))
{
	int pipes[2];
	struct rig rig;
	pid_t pid;

	if (pipe(pipes))
		err(1, "pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(pipes[0]);
		rig_open(&rig, bdf);
		rig_map(&rig, rig.ioas, target);
		if (!write_arrives(&rig))
			_exit(1);
		goes_on(&rig, pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	*from = pipes[0];
	return pid;
}

static bool heard(int from)
{
	char c;

	return read(from, &c, 1) == 1;
}

static void say(int to)
{
	if (write(to, "r", 1) != 1)
		_exit(1);
}

static void go_exit(struct rig *rig, int to)
{
	(void)rig;
	say(to);
}

static void after_exit(void)
{
	int from;
	pid_t pid = holder(&from, go_exit);

	named(heard(from), "exit", "while it may, the function writes");
	waitpid(pid, NULL, 0);
	must_refuse("exit");
	close(from);
}

/* The files are closed by exec, and the new program, which waits, has nothing. */
static void go_exec(struct rig *rig, int to)
{
	char fd[16];

	if (fcntl(rig->dev, F_SETFD, FD_CLOEXEC) || fcntl(rig->iommu, F_SETFD, FD_CLOEXEC))
		_exit(1);
	snprintf(fd, sizeof(fd), "%d", to);
	execl("/proc/self/exe", "attack-dma", "wait", fd, NULL);
}

static void after_exec(void)
{
	int from;
	pid_t pid = holder(&from, go_exec);

	named(heard(from), "exec", "while it may, the function writes");
	must_refuse("exec");
	named(!waitpid(pid, NULL, WNOHANG), "exec", "the program is still there");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(from);
}

static void go_write(struct rig *rig, int to)
{
	say(to);
	for (;;) {
		edu_start(rig->bar, EDU_BUFFER, BASE, COUNT, true);
		edu_wait(rig->bar);
	}
}

/* With a write under way, which would arrive within 100 ms. */
static void after_kill(void)
{
	int from;
	pid_t pid = holder(&from, go_write);

	named(heard(from), "kill", "while it may, the function writes");
	usleep(30000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* Before whoever is killed is a zombie, its files are closed. */
	fill(target, PAGE, STAYS);
	usleep(200000);
	named(filled(target, PAGE, STAYS), "kill", "the write that was under way is refused");
	must_refuse("kill");
	close(from);
}

enum way { UNMAP, DETACH, REPLACE };

/* A thread that takes a page away and gives it back, in one way, until it has to stop. */
struct taker {
	struct rig *rig;
	enum way way;
	__u32 empty;	/* an IOAS */
	atomic_bool stop;
	int turns, arrived, late;
};

static void pause_ms(unsigned int below)
{
	usleep(1000 + rand() % below * 1000);
}

static void take(const struct taker *t, bool away)
{
	__u32 pt = away ? t->empty : t->rig->ioas;
	int rc;

	if (t->way == UNMAP && away)
		rc = ioas_unmap(t->rig->iommu, t->rig->ioas, BASE, PAGE);
	else if (t->way == UNMAP)
		rc = ioas_map(t->rig->iommu, t->rig->ioas, target, PAGE, BASE, RW);
	else if (t->way == DETACH && away)
		rc = dev_detach(t->rig->dev);
	else
		rc = dev_attach(t->rig->dev, &pt);
	if (rc)
		errx(1, "turn %d, %s: %s", t->turns, away ? "away" : "back", strerror(-rc));
}

static void *take_and_give(void *arg)
{
	struct taker *t = arg;

	while (!t->stop) {
		memset(target, 0, PAGE);
		pause_ms(60);
		take(t, true);
		/* No write may come from here on. */
		t->arrived += arrived();
		fill(target, PAGE, STAYS);
		pause_ms(60);
		t->late += !filled(target, PAGE, STAYS);
		take(t, false);
		t->turns++;
	}
	return NULL;
}

/* The function writes all the time, while another thread takes the page and gives it back. */
static void while_it_writes(struct rig *rig, __u32 empty, enum way way, const char *how)
{
	struct taker t = { .rig = rig, .way = way, .empty = empty };
	pthread_t thread;
	int i;

	if (pthread_create(&thread, NULL, take_and_give, &t))
		errx(1, "the other thread");
	for (i = 0; i < WRITES; i++) {
		edu_start(rig->bar, EDU_BUFFER, BASE, COUNT, true);
		edu_wait(rig->bar);
	}
	t.stop = true;
	pthread_join(thread, NULL);
	printf("%s: %d turns, %d writes\n", how, t.turns, t.arrived);
	named(t.arrived, how, "while they may, writes arrive");
	named(!t.late, how, "when the call has returned, none does");
}

static void take_all_the_time(void)
{
	struct rig rig;
	__u32 empty;

	rig_open(&rig, bdf);
	rig_map(&rig, rig.ioas, target);
	rig_load(&rig, COUNT, DATA);
	if (ioas_alloc(rig.iommu, &empty))
		errx(1, "IOAS_ALLOC");
	while_it_writes(&rig, empty, UNMAP, "unmap under DMA");
	while_it_writes(&rig, empty, DETACH, "detach under DMA");
	while_it_writes(&rig, empty, REPLACE, "replace under DMA");
	rig_close(&rig);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "wait")) {
		say(atoi(argv[2]));
		pause();
	}
	if (argc != 2)
		errx(2, "usage: attack-dma BDF");
	bdf = argv[1];
	target = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	after_unmap();
	after_detach();
	after_replace();
	after_destroy();
	after_close();
	after_exit();
	after_exec();
	after_kill();
	take_all_the_time();
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
