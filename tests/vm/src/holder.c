// SPDX-License-Identifier: GPL-2.0
/*
 * Holds a device open, bound, attached to an address space with memory and at PASIDs, says so with
 * a line, and keeps it until it is killed.
 *
 *	holder BDF|NODE [PASIDS]
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define BASE	0x4000000ULL

static void must(int rc, const char *what)
{
	if (rc)
		errx(1, "%s: %s", what, strerror(-rc));
}

int main(int argc, char **argv)
{
	__u32 devid, ioas, pt, pasid;
	int iommu, dev, n;

	if (argc < 2)
		errx(2, "usage: holder BDF|NODE [PASIDS]");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	iommu = open_iommu();
	dev = open_cdev(argv[1]);
	must(dev_bind(dev, iommu, &devid), "bind");
	must(ioas_alloc(iommu, &ioas), "IOAS");
	must(ioas_map(iommu, ioas, xmmap(HUGE_PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), HUGE_PAGE,
		      BASE, RW), "map");
	pt = ioas;
	must(dev_attach(dev, &pt), "attach");
	for (n = argc > 2 ? atoi(argv[2]) : 0; n; n--) {
		pasid = 0;
		must(pasid_alloc(iommu, 0, devid, &pasid), "allocate a PASID");
		pt = ioas;
		must(dev_attach_pasid(dev, pasid, &pt), "attach a PASID");
	}
	printf("holds\n");
	fflush(stdout);
	for (;;)
		pause();
}
