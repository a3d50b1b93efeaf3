// SPDX-License-Identifier: GPL-2.0
/*
 * Is what is attached at PASID 1 what DMA through that entry of the function's PASID table reaches,
 * at once, and is nothing else reached? Needs the module pasid_shim: the function does DMA through
 * its RID or through PASID 1, as we say. The same IOVA is another page in each IOAS.
 * "no-replace": for a kernel that cannot exchange what is attached at a PASID, and says so.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include "rig.h"
#include "shim.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define COUNT	512

static struct rig rig;
static const char *bdf;
static __u8 *x, *y;	/* the page at BASE in the RID's IOAS, and in the other */
static __u32 other;
static bool replaces = true;

static void xmap(__u32 ioas, const void *va, __u64 iova)
{
	int rc = ioas_map(rig.iommu, ioas, va, PAGE, iova, RW);

	if (rc)
		errx(1, "map at %#llx: %s", iova, strerror(-rc));
}

static int attach(__u32 pt)
{
	return dev_attach_pasid(rig.dev, 1, &pt);
}

static void xattach(__u32 pt)
{
	int rc = attach(pt);

	if (rc)
		errx(1, "attach of %u at PASID 1: %s", pt, strerror(-rc));
}

static void xdetach(void)
{
	int rc = dev_detach_pasid(rig.dev, 1);

	if (rc)
		errx(1, "detach of PASID 1: %s", strerror(-rc));
}

static void clear(void)
{
	memset(x, 0, PAGE);
	memset(y, 0, PAGE);
}

/* Writes and reads at BASE use the one page, and not the other. */
static void uses(const char *name, __u8 *one, __u8 *not)
{
	static unsigned int seed;
	char line[128];

	seed += 3;
	clear();
	rig_write(&rig, BASE, COUNT, seed);
	snprintf(line, sizeof(line), "%s: a write arrives", name);
	check(filled(one, COUNT, seed), line, "it did not, and %s in the other page",
	      untouched(not) ? "nothing is" : "something is");
	snprintf(line, sizeof(line), "%s: nothing else is written", name);
	check(untouched(not) && !one[COUNT], line, "something is");
	fill(one, COUNT, seed + 1);
	fill(not, COUNT, seed + 2);
	snprintf(line, sizeof(line), "%s: a read gets what is there", name);
	check(rig_reads(&rig, BASE, COUNT, seed + 1), line, "it did not, but%s the other page",
	      filled(rig.stage, COUNT, seed + 2) ? "" : " nothing of");
}

static void two_pages(const char *what, __u32 pt)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: attach at PASID 1", what);
	check_rc(attach(pt), 0, line);
	check(entry_present(1), "its entry is present", "it is not");
	go_through(1);
	snprintf(line, sizeof(line), "%s, through PASID 1", what);
	uses(line, y, x);
	go_through(0);
	snprintf(line, sizeof(line), "%s, through the RID", what);
	uses(line, x, y);
	snprintf(line, sizeof(line), "%s: detach of PASID 1", what);
	check_rc(dev_detach_pasid(rig.dev, 1), 0, line);
	check(!entry_present(1), "its entry is not present", "it is");
}

/* The entry is there, the page is not: the IOMMU knows whose the request is. */
static void test_hole(void)
{
	char line[1024];

	xattach(other);
	go_through(1);
	rig_load(&rig, COUNT, 1);
	fault_log_ready();
	clear();
	edu_start(rig.bar, EDU_BUFFER, BASE + PAGE, COUNT, true);
	edu_wait(rig.bar);
	check(fault_seen("DMA Write PASID 0x1]", line, sizeof(line)),
	      "a write where nothing is mapped is reported with its PASID", "it is not");
	check(untouched(x) && untouched(y), "it reaches nothing", "it does");
	go_through(0);
	xdetach();
}

static void test_detach(void)
{
	char line[1024];

	xattach(other);
	go_through(1);
	rig_write(&rig, BASE, COUNT, 1);
	rig_load(&rig, COUNT, 2);
	fault_log_ready();
	clear();
	xdetach();
	edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
	edu_wait(rig.bar);
	check(untouched(x) && untouched(y), "detached: a write is refused", "it arrived in %s",
	      untouched(y) ? "the RID's page" : "the PASID's page");
	check(fault_seen(NO_ENTRY, line, sizeof(line)) && strstr(line, "DMA Write"),
	      "detached: the refused write is reported", "it is not");
	fill(x, COUNT, 3);
	fill(y, COUNT, 4);
	edu_start(rig.bar, BASE, EDU_BUFFER, COUNT, false);
	edu_wait(rig.bar);
	check(fault_seen(NO_ENTRY, line, sizeof(line)) && strstr(line, "DMA Read"),
	      "detached: the refused read is reported", "it is not");
	go_through(0);
	edu_start(rig.bar, EDU_BUFFER, STAGE_IOVA, COUNT, true);
	edu_wait(rig.bar);
	check(!filled(rig.stage, COUNT, 3) && !filled(rig.stage, COUNT, 4),
	      "detached: a read is refused", "it got the data");
	uses("detached, through the RID", x, y);
}

static void test_numbers(void)
{
	__u32 pasid = 0, pt = other;

	check_rc(dev_attach_pasid(rig.dev, 0, &pt), -EDOM, "attach at PASID 0");
	check_rc(dev_attach_pasid(rig.dev, 2, &pt), -ERANGE, "attach at a PASID out of range");
	check_rc(pasid_alloc(rig.iommu, 0, rig.devid, &pasid), 0, "allocate a PASID");
	check(pasid == 1, "it is the only one there is", "it is %u", pasid);
	check_rc(pasid_alloc(rig.iommu, 0, rig.devid, &pasid), -ENOSPC, "allocate one too many");
	check_rc(attach(other), 0, "attach at what was allocated");
	check_rc(pasid_free(rig.iommu, rig.devid, 1), -EBUSY, "free while attached");
	go_through(1);
	uses("after the refused free", y, x);
	go_through(0);
	xdetach();
	check_rc(pasid_free(rig.iommu, rig.devid, 1), 0, "free after detach");
	pasid = 1;
	check_rc(pasid_alloc(rig.iommu, IOMMU_PASID_ALLOC_TAGGED, rig.devid, &pasid), 0,
		 "allocate with a tag");
	check_rc(pasid_alloc(rig.iommu, IOMMU_PASID_ALLOC_TAGGED, rig.devid, &pasid), -EBUSY,
		 "allocate with the same tag");
	check_rc(pasid_free(rig.iommu, rig.devid, 1), 0, "free the tag");
	check_rc(attach(other), 0, "attach at a number that was not allocated");
	check_rc(pasid_alloc(rig.iommu, IOMMU_PASID_ALLOC_TAGGED, rig.devid, &pasid), -EBUSY,
		 "allocate it while it is attached");
	xdetach();
}

static void test_replace(void)
{
	__u8 *z = xmmap(PAGE, ANON, -1);
	int i, wrong = 0, rounds = 20;
	__u32 third = rig_ioas(&rig, z, BASE);

	xattach(other);
	go_through(1);
	rig_write(&rig, BASE, COUNT, 1);
	check_rc(attach(third), 0, "replace at PASID 1");
	uses("replaced, through PASID 1", z, y);
	check(untouched(x), "replaced: the RID's page is not used", "it is");
	for (i = 0; i < rounds; i++) {
		xattach(i % 2 ? third : other);
		clear();
		memset(z, 0, PAGE);
		rig_write(&rig, BASE, COUNT, i);
		wrong += !filled(i % 2 ? z : y, COUNT, i) || !untouched(i % 2 ? y : z);
	}
	check(!wrong, "replace is effective when it returns", "%d of %d rounds", wrong, rounds);
	check_rc(destroy(rig.iommu, other), 0, "what was replaced is not in use");
	check_rc(destroy(rig.iommu, third), -EBUSY, "what replaced it is");
	check_rc(attach(other), -ENOENT, "replace by what is not there");
	uses("after a failed replace", z, y);
	xdetach();
	go_through(0);
	check_rc(destroy(rig.iommu, third), 0, "detached: it is not in use");
	munmap(z, PAGE);
	other = rig_ioas(&rig, y, BASE);
}

/* Data that entered the caches of the IOMMU before must not help DMA that comes after. */
static void unmapped(const char *what, __u32 ioas, __u8 *page, unsigned int through)
{
	int i, rounds = 5, late = 0, missing = 0;
	char line[128];

	go_through(through);
	for (i = 0; i < rounds; i++) {
		clear();
		rig_write(&rig, BASE, COUNT, i);
		missing += !filled(page, COUNT, i);
		clear();
		if (ioas_unmap(rig.iommu, ioas, BASE, PAGE))
			errx(1, "unmap");
		edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
		edu_wait(rig.bar);
		late += !untouched(x) || !untouched(y);
		xmap(ioas, page, BASE);
	}
	snprintf(line, sizeof(line), "%s: map is effective when it returns", what);
	check(!missing, line, "%d of %d rounds", missing, rounds);
	snprintf(line, sizeof(line), "%s: unmap is effective when it returns", what);
	check(!late, line, "%d of %d rounds", late, rounds);
	go_through(0);
}

static void test_no_replace(void)
{
	__u32 third = rig_ioas(&rig, x, BASE);

	xattach(other);
	check_rc(attach(third), -EOPNOTSUPP, "replace at PASID 1");
	go_through(1);
	uses("not replaced, through PASID 1", y, x);
	go_through(0);
	xdetach();
	check_rc(destroy(rig.iommu, third), 0, "what was not attached is not in use");
}

static void test_unmap(void)
{
	xattach(other);
	unmapped("an IOAS at PASID 1", other, y, 1);
	unmapped("the RID's IOAS beside it", rig.ioas, x, 0);
	if (!replaces)
		xdetach();
	xattach(rig.ioas);
	unmapped("one IOAS at both, through PASID 1", rig.ioas, x, 1);
	unmapped("one IOAS at both, through the RID", rig.ioas, x, 0);
	xdetach();
	unmapped("the RID's IOAS, which was at both", rig.ioas, x, 0);
}

/* What user space writes to the control register of that capability, the function does not get. */
static void not_written(int real, __u16 id, int control, const char *name)
{
	int at = extended_capability(real, 0, id);
	__u16 before, after, value;
	char line[128];

	if (!at || pread(real, &before, 2, at + control) != 2)
		err(1, "the %s capability", name);
	value = ~before;
	if (pwrite(rig.dev, &value, 2, config_region(rig.dev) + at + control) != 2 ||
	    pread(real, &after, 2, at + control) != 2)
		err(1, "the %s control register", name);
	snprintf(line, sizeof(line), "VFIO keeps writes away from the %s control register", name);
	check(before == after, line, "%#x was written, it was %#x and is %#x", value, before,
	      after);
}

/* ATS and page requests are the kernel's to switch on too, but VFIO lets user space see them. */
static void config_space(void)
{
	char path[300];
	int real, at;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	real = xopen(path, O_RDONLY);
	at = extended_capability(real, 0, PCI_EXT_CAP_ID_PASID);
	check(at, "the function has a PASID capability", "it has none");
	at = extended_capability(rig.dev, config_region(rig.dev), PCI_EXT_CAP_ID_PASID);
	check(!at, "VFIO hides it", "it is at %#x", at);
	not_written(real, PCI_EXT_CAP_ID_PASID, PCI_PASID_CTRL, "PASID");
	not_written(real, PCI_EXT_CAP_ID_ATS, PCI_ATS_CTRL, "ATS");
	not_written(real, PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL, "page request");
	close(real);
}

int main(int argc, char **argv)
{
	__u32 hwpt;
	int rc;

	if (argc == 3 && !strcmp(argv[2], "no-replace"))
		replaces = false;
	else if (argc != 2)
		errx(2, "usage: pasid BDF [no-replace]");
	bdf = argv[1];
	rig_open(&rig, bdf);
	x = xmmap(PAGE, ANON, -1);
	y = xmmap(PAGE, ANON, -1);
	xmap(rig.ioas, x, BASE);
	other = rig_ioas(&rig, y, BASE);
	config_space();
	two_pages("an IOAS", other);
	rc = hwpt_alloc(rig.iommu, IOMMU_HWPT_ALLOC_PASID, rig.devid, other, &hwpt);
	check_rc(rc, 0, "allocate a page table for a PASID");
	two_pages("a page table", hwpt);
	check_rc(destroy(rig.iommu, hwpt), 0, "it is not in use");
	test_hole();
	test_detach();
	test_numbers();
	if (replaces)
		test_replace();
	else
		test_no_replace();
	test_unmap();
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
