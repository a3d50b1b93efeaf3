// SPDX-License-Identifier: GPL-2.0
/*
 * However a user of a PASID goes away, killed in the middle of DMA or closing its files, the entry
 * goes, the function's DMA through it is refused, and the next user finds the number free. Needs
 * the module pasid_shim.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define BASE	0x4000000ULL
#define COUNT	512

static const char *bdf;
static __u8 *shared;	/* the page at BASE, which the test sees, whoever has died */

static int use_pasid(struct rig *rig)
{
	__u32 pt;

	rig_open(rig, bdf);
	pt = rig_ioas(rig, shared, BASE);
	return dev_attach_pasid(rig->dev, 1, &pt);
}

/* Leaves a pattern in the function's buffer, and a write of it under way. */
static void start_dma(struct rig *rig, unsigned int seed)
{
	go_through(1);
	rig_write(rig, BASE, COUNT, seed);
	edu_start(rig->bar, EDU_BUFFER, BASE, COUNT, true);
}

/* The user is gone: nothing of it works, and all of it can be had again. */
static void after(const char *how)
{
	char line[1024];
	struct rig rig;
	__u32 pasid = 0;
	bool reported;

	snprintf(line, sizeof(line), "%s: nothing stays pinned", how);
	check(!pins_gone(), line, "%ld pages", pins());
	snprintf(line, sizeof(line), "%s: the entry is not present", how);
	check(!entry_present(1), line, "it is");
	/* What was under way has ended one way or the other. */
	usleep(200000);
	fault_log_ready();
	memset(shared, 0, PAGE);
	rogue_write(bdf, BASE);
	snprintf(line, sizeof(line), "%s: a write is refused", how);
	check(untouched(shared), line, "it arrived");
	reported = fault_seen(NO_ENTRY, line, sizeof(line));
	snprintf(line, sizeof(line), "%s: the refusal is reported", how);
	check(reported, line, "it is not");
	snprintf(line, sizeof(line), "%s: the next user attaches the same PASID", how);
	check_rc(use_pasid(&rig), 0, line);
	rig_write(&rig, BASE, COUNT, 7);
	snprintf(line, sizeof(line), "%s: its write arrives", how);
	check(filled(shared, COUNT, 7), line, "it does not");
	if (dev_detach_pasid(rig.dev, 1))
		errx(1, "detach");
	snprintf(line, sizeof(line), "%s: the next user allocates the same PASID", how);
	check_rc(pasid_alloc(rig.iommu, 0, rig.devid, &pasid), 0, line);
	go_through(0);
	rig_close(&rig);
}

static void test_kill(void)
{
	struct rig rig;
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		if (use_pasid(&rig))
			_exit(1);
		start_dma(&rig, 1);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		errx(1, "the victim did not start");
	close(ready[0]);
	check(filled(shared, COUNT, 1) && entry_present(1), "killed: DMA worked before",
	      "it did not");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	after("killed");
}

static void test_close(bool device_first)
{
	const char *how = device_first ? "device closed first" : "iommu closed first";
	struct rig rig;
	char line[128];

	if (use_pasid(&rig))
		errx(1, "attach");
	start_dma(&rig, 2);
	munmap(rig.bar, PAGE);
	if (device_first) {
		close(rig.dev);
		snprintf(line, sizeof(line), "%s: the entry goes at once", how);
		check(!entry_present(1), line, "it is present");
		close(rig.iommu);
	} else {
		close(rig.iommu);
		snprintf(line, sizeof(line), "%s: the bound device keeps its entry", how);
		check(entry_present(1), line, "it is not present");
		close(rig.dev);
	}
	munmap(rig.stage, PAGE);
	after(how);
}

/* The same context, another binding: numbers are of the binding. */
static void bound_again(void)
{
	struct rig rig;
	__u32 pasid = 0, pt;
	int i, rc = 0;

	if (use_pasid(&rig))
		errx(1, "attach");
	munmap(rig.bar, PAGE);
	for (i = 0; !rc && i < 10; i++) {
		close(rig.dev);
		rig.dev = open_cdev(bdf);
		rc = dev_bind(rig.dev, rig.iommu, &rig.devid);
		pt = rig.ioas;
		rc = rc ?: dev_attach(rig.dev, &pt);
		/* Left allocated for the close in the one round, attached in the other. */
		rc = rc ?: i % 2 ? pasid_alloc(rig.iommu, 0, rig.devid, &pasid) :
				   dev_attach_pasid(rig.dev, 1, &pt);
	}
	check_rc(rc, 0, "bound again to the same context: the PASID can be had, 10 times");
	close(rig.dev);
	close(rig.iommu);
	munmap(rig.stage, PAGE);
	check(!pins_gone(), "bound again: nothing stays pinned", "%ld pages", pins());
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: pasid-gone BDF");
	bdf = argv[1];
	shared = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	test_kill();
	test_close(true);
	test_close(false);
	bound_again();
	return check_done();
}
