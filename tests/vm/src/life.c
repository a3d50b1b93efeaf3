// SPDX-License-Identifier: GPL-2.0
/*
 * However a user goes away, killed in the middle of DMA or closing its files in any order, nothing
 * stays pinned and the function can no longer reach the memory.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define BASE	0x4000000ULL
#define SIZE	(4UL << 20)

static const char *bdf;
static __u8 *shared;	/* the last page of what is mapped: the test sees it, whoever has died */

static void map_all(struct rig *rig)
{
	void *va = xmmap(SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (ioas_map(rig->iommu, rig->ioas, va, SIZE, BASE, RW) ||
	    ioas_map(rig->iommu, rig->ioas, shared, PAGE, BASE + SIZE, RW))
		errx(1, "map");
}

/* Maps, starts a write, says so, and then keeps the IOMMU busy until it is killed. */
static void victim(int ready, bool churn)
{
	struct rig rig;
	__u32 other, pt;
	char *va;
	int turns = 0;

	rig_open(&rig, bdf);
	map_all(&rig);
	rig_write(&rig, BASE + SIZE, 512, 1);
	rig_load(&rig, 512, 2);
	if (ioas_alloc(rig.iommu, &other))
		errx(1, "IOAS_ALLOC");
	va = xmmap(SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	edu_start(rig.bar, EDU_BUFFER, BASE + SIZE, 512, true);
	if (write(ready, "r", 1) != 1)
		err(1, "write");
	while (churn) {
		ioas_map(rig.iommu, rig.ioas, va, SIZE, BASE * 2, RW);
		ioas_unmap(rig.iommu, rig.ioas, BASE * 2, SIZE);
		pt = turns++ % 2 ? rig.ioas : other;
		dev_attach(rig.dev, &pt);
	}
	pause();
}

static void start_victim(pid_t *pid, bool churn)
{
	int ready[2];
	char c;

	if (pipe(ready))
		err(1, "pipe");
	*pid = fork();
	if (*pid < 0)
		err(1, "fork");
	if (!*pid) {
		close(ready[0]);
		victim(ready[1], churn);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		errx(1, "the victim did not start");
	close(ready[0]);
}

/* Killed with a write under way, which would arrive 100 ms after it started. */
static void killed_users(void)
{
	int i, rounds = 10, early = 0, late = 0, left = 0;
	pid_t pid;

	for (i = 0; i < rounds; i++) {
		memset(shared, 0, PAGE);
		start_victim(&pid, i % 2);
		early += !filled(shared, 512, 1);
		/* Within the write's 100 ms for most, after it for some. */
		usleep(i * 15000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		memset(shared, 0, PAGE);
		usleep(200000);
		late += shared[0] || shared[511];
		left += !!pins_gone();
	}
	check(!early, "killed: DMA worked before", "%d of %d did not", early, rounds);
	check(!late, "killed: no DMA arrives afterwards", "%d of %d did", late, rounds);
	check(!left, "killed: nothing stays pinned", "%d of %d left %ld pages", left, rounds,
	      pins());
}

/* The function keeps the pattern in its buffer: only the translation may stop it. */
static void rogue(void)
{
	struct rig rig;

	memset(shared, 0, PAGE);
	rig_open(&rig, bdf);
	map_all(&rig);
	rig_load(&rig, 512, 3);
	rogue_write(bdf, BASE + SIZE);
	check(filled(shared, 512, 3), "a write from behind arrives while mapped", "it did not");
	rig_load(&rig, 512, 4);
	rig_close(&rig);
	memset(shared, 0, PAGE);
	rogue_write(bdf, BASE + SIZE);
	check(!shared[0] && !shared[511], "a write after close is refused", "it arrived");
	check(!pins_gone(), "close: nothing stays pinned", "%ld pages", pins());
}

static void device_first(void)
{
	struct rig rig;

	memset(shared, 0, PAGE);
	rig_open(&rig, bdf);
	map_all(&rig);
	check(pins() >= (long)(SIZE / PAGE), "pages are pinned while mapped", "%ld", pins());
	munmap(rig.bar, PAGE);
	close(rig.dev);
	check(!pins_gone(), "device closed first: its domain's pins go", "%ld pages", pins());
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, SIZE), 0, "its IOAS still works");
	close(rig.iommu);
}

static void iommu_first(void)
{
	struct rig rig;

	memset(shared, 0, PAGE);
	rig_open(&rig, bdf);
	map_all(&rig);
	close(rig.iommu);
	rig_write(&rig, BASE + SIZE, 512, 5);
	check(filled(shared, 512, 5), "iommu closed first: the bound device keeps its mappings",
	      "DMA did not arrive");
	edu_start(rig.bar, EDU_BUFFER, BASE + SIZE, 512, true);
	munmap(rig.bar, PAGE);
	close(rig.dev);
	memset(shared, 0, PAGE);
	usleep(200000);
	check(!shared[0] && !shared[511], "then the device: DMA is refused", "it arrived");
	check(!pins_gone(), "iommu first: nothing stays pinned", "%ld pages", pins());
}

static pid_t holder(bool exec)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	if (exec)
		execlp("sleep", "sleep", "1000", NULL);
	pause();
	_exit(1);
}

/* A child that inherited the files keeps them alive, and lets go when it dies. */
static void inherited(bool exec)
{
	const char *how = exec ? "exec" : "fork";
	struct rig rig;
	char line[96];
	pid_t pid;

	rig_open(&rig, bdf);
	map_all(&rig);
	/* A copy in the child would hold the device by its mapping too. */
	madvise(rig.bar, PAGE, MADV_DONTFORK);
	pid = holder(exec);
	usleep(200000);
	rig_close(&rig);
	usleep(200000);
	snprintf(line, sizeof(line), "%s: a holder of the files keeps the mappings", how);
	check(pins() >= (long)(SIZE / PAGE), line, "%ld pages are pinned", pins());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	snprintf(line, sizeof(line), "%s: they go with the holder", how);
	check(!pins_gone(), line, "%ld pages", pins());
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: life BDF");
	bdf = argv[1];
	shared = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (pins())
		errx(1, "%ld pages are pinned before the start", pins());
	killed_users();
	rogue();
	device_first();
	iommu_first();
	inherited(false);
	inherited(true);
	return check_done();
}
