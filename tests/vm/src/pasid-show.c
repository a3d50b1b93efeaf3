// SPDX-License-Identifier: GPL-2.0
/*
 * Shows what a PASID is: one function, one IOVA, two pages, and which of them the function's DMA
 * reaches depends on the entry of its PASID table. Needs the module pasid_shim. Ends with an error
 * as soon as something is not as it says. A command is run while both are attached.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define IOVA	0x1000000ULL
#define TEXT	32

static struct rig rig;
static char *x, *y;

static __u32 attach_pasid(void)
{
	__u32 ioas, pt;
	int rc;

	if (ioas_alloc(rig.iommu, &ioas) || ioas_map(rig.iommu, ioas, y, PAGE, IOVA, RW))
		errx(1, "an address space for the PASID");
	pt = ioas;
	rc = dev_attach_pasid(rig.dev, 1, &pt);
	if (rc)
		errx(1, "attach at PASID 1: %s", strerror(-rc));
	return ioas;
}

static void show_entry(unsigned int pasid)
{
	char words[200], quadwords[200];

	if (!table_entry(pasid, words, quadwords, sizeof(words)) || !strstr(words, ": present"))
		errx(1, "the entry of PASID %u is not present", pasid);
	/* Eight quadwords of 16 digits, four to a line. */
	printf("entry    %s\n", words);
	printf("         %.67s\n         %s\n", quadwords + 2, quadwords + 70);
}

/* The function writes a text, which it has fetched by its RID, through an entry of the table. */
static void function_writes(unsigned int pasid, const char *text)
{
	go_through(0);
	memset(rig.stage, 0, TEXT);
	memcpy(rig.stage, text, strlen(text));
	edu_start(rig.bar, STAGE_IOVA, EDU_BUFFER, TEXT, false);
	edu_wait(rig.bar);
	go_through(pasid);
	edu_start(rig.bar, EDU_BUFFER, IOVA, TEXT, true);
	edu_wait(rig.bar);
	printf("write    \"%s\" through PASID %u: X \"%s\", Y \"%s\"\n", text, pasid, x, y);
}

static void expect(const char *in_x, const char *in_y)
{
	if (strcmp(x, in_x) || strcmp(y, in_y))
		errx(1, "X should be \"%s\", Y \"%s\"", in_x, in_y);
}

/* It is not to hold what it looks at. */
static void run(const char *command)
{
	if (fcntl(rig.iommu, F_SETFD, FD_CLOEXEC) || fcntl(rig.dev, F_SETFD, FD_CLOEXEC) ||
	    system(command))
		errx(1, "%s", command);
}

int main(int argc, char **argv)
{
	char line[1024];
	__u32 ioas;

	if (argc != 2 && argc != 3)
		errx(2, "usage: pasid-show BDF [COMMAND]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_open(&rig, argv[1]);
	x = xmmap(PAGE, ANON, -1);
	y = xmmap(PAGE, ANON, -1);
	*x = '-';
	*y = '-';
	if (ioas_map(rig.iommu, rig.ioas, x, PAGE, IOVA, RW))
		errx(1, "map of X");
	ioas = attach_pasid();
	printf("attach   %s to address space %u, its PASID 1 to %u\n", argv[1], rig.ioas, ioas);
	printf("map      IOVA %#llx is page X in %u, page Y in %u\n", IOVA, rig.ioas, ioas);
	show_entry(0);
	show_entry(1);
	if (argc == 3)
		run(argv[2]);
	faults();
	function_writes(0, "one");
	expect("one", "-");
	function_writes(1, "two");
	expect("one", "two");
	if (dev_detach_pasid(rig.dev, 1) || entry_present(1))
		errx(1, "detach of PASID 1");
	printf("detach   PASID 1: its entry is not present\n");
	function_writes(1, "three");
	expect("one", "two");
	if (!fault_seen(NO_ENTRY, line, sizeof(line)))
		errx(1, "the IOMMU did not report the refused access");
	printf("fault    %s\n", line);
	printf("refused  the function's write through PASID 1 did not arrive\n");
	go_through(0);
	rig_close(&rig);
	return 0;
}
