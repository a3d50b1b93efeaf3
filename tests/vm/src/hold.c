// SPDX-License-Identifier: GPL-2.0
/*
 * hold BDF FIRST LAST NAME...: processes that hold what a test knows, until standard input ends.
 * The first has the function in a context with two IOASes, one of them also at PASIDs FIRST to
 * LAST, unless FIRST is 0, and in a page table that nothing is attached to; the next is its child,
 * which has the same files; the third has a context of its own, without a device, and a file whose
 * name looks like a VFIO device's. Each takes the next NAME. Prints their PIDs and "ready".
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)
#define AREA	(16 * PAGE)

static __u32 ioas_of(int iommu, __u64 length)
{
	void *memory = xmmap(length + PAGE, ANON, -1);
	__u32 ioas;

	if (ioas_alloc(iommu, &ioas) || ioas_map(iommu, ioas, memory, length, 0x100000, RW) ||
	    ioas_map(iommu, ioas, (char *)memory + length, PAGE, 0x800000, RW))
		errx(1, "an IOAS with two areas");
	return ioas;
}

static void hold_device(const char *bdf, __u32 first, __u32 last)
{
	static struct rig rig;
	__u32 ioas, hwpt, pasid, pt;

	rig_open(&rig, bdf);
	ioas = ioas_of(rig.iommu, AREA);
	if (hwpt_alloc(rig.iommu, 0, rig.devid, ioas, &hwpt))
		errx(1, "a page table");
	for (pasid = first; pasid && pasid <= last; pasid++) {
		pt = ioas;
		if (dev_attach_pasid(rig.dev, pasid, &pt))
			errx(1, "attach at PASID %u", pasid);
	}
}

static void hold_nothing(void)
{
	ioas_of(open_iommu(), 2 * PAGE);
	/* They may be there from the last time. */
	mkdir("/tmp/dev", 0755);
	mkdir("/tmp/dev/vfio", 0755);
	mkdir("/tmp/dev/vfio/devices", 0755);
	if (open("/tmp/dev/vfio/devices/vfio0", O_CREAT | O_RDWR, 0600) < 0 ||
	    open("/tmp/dev/iommu", O_CREAT | O_RDWR, 0600) < 0)
		err(1, "files that only look like devices");
}

static void take_name(const char *name)
{
	prctl(PR_SET_NAME, name);
	printf("%d\n", getpid());
	fflush(stdout);
}

/* A child that ends with us: it prints its line before we print ours. */
static void in_child(void (*hold)(void), const char *name)
{
	int done[2];
	pid_t pid;
	char c;

	if (pipe(done))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold();
		take_name(name);
		if (write(done[1], "", 1) != 1)
			err(1, "pipe");
		close(done[0]);
		close(done[1]);
		pause();
	}
	close(done[1]);
	if (read(done[0], &c, 1) != 1)
		errx(1, "a child has ended");
	close(done[0]);
}

static void hold_the_same(void)
{
}

int main(int argc, char **argv)
{
	char c;

	if (argc != 7)
		errx(2, "usage: hold BDF FIRST LAST NAME NAME NAME");
	/* Before there is anything that it would share. */
	in_child(hold_nothing, argv[6]);
	hold_device(argv[1], atoi(argv[2]), atoi(argv[3]));
	in_child(hold_the_same, argv[5]);
	take_name(argv[4]);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
