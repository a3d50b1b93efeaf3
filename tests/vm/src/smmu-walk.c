// SPDX-License-Identifier: GPL-2.0
/*
 * Does the SMMUv3's walker say what the SMMU does? The function's DMA arrives in the page that the
 * walker names, for small and huge pages; what is refused is recorded as the event that it names.
 * Whether stage 1 or stage 2 translates is the machine's.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "ask.h"
#include "rig.h"

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE		0x4000000ULL
#define HOLE		(BASE + PAGE)
#define READ_ONLY	(BASE + 2 * PAGE)
#define FAR		(BASE + 0x8000000000ULL)	/* another entry of the first level */
#define HUGE		0x40000000ULL

static struct rig rig;
static const char *bdf;
static int kmsg;

static void xmap(const void *va, __u64 length, __u64 iova, __u32 flags)
{
	int rc = ioas_map(rig.iommu, rig.ioas, va, length, iova, flags);

	if (rc)
		errx(1, "map at %#llx: %s", iova, strerror(-rc));
}

/* The event that the kernel's log has since the last call; 0 for none. */
static unsigned int recorded(void)
{
	unsigned int event = 0;
	char line[1024], *at;
	ssize_t n;

	usleep(100000);
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		at = strstr(line, "event 0x");
		if (at && !event)
			event = strtoul(at + 6, NULL, 16);
	}
	return event;
}

static void lands(const char *name, __u64 iova, __u8 *va, __u64 size)
{
	struct said said = ask(bdf, NO_PASID, iova, 'w');
	char text[100];

	memset(va, 0, 512);
	rig_write(&rig, iova, 512, 3);
	snprintf(text, sizeof(text), "%s: DMA arrives where the walker says", name);
	check(filled(va, 512, 3) && !strcmp(said.result, "translated") && said.size == size &&
	      said.output == pfn(va) * PAGE + (unsigned long)va % PAGE, text,
	      "%s, %#llx, page of %#llx", said.result, said.output, said.size);
	check(!recorded(), name, "an event was recorded");
}

static void refused(const char *name, __u64 iova, unsigned int event)
{
	struct said said = ask(bdf, NO_PASID, iova, 'w');
	unsigned int got;

	recorded();
	rig_write(&rig, iova, 4, 4);
	got = recorded();
	check(got == event && said.fault == event, name, "recorded %#x, the walker says %s %#x",
	      got, said.result, said.fault);
}

int main(int argc, char **argv)
{
	__u8 *va, *huge;

	if (argc != 2)
		errx(2, "usage: smmu-walk BDF");
	bdf = argv[1];
	kmsg = xopen("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	rig_open(&rig, bdf);
	va = xmmap(PAGE, ANON, -1);
	huge = xmmap(HUGE_PAGE, ANON | MAP_HUGETLB, -1);
	xmap(va, PAGE, BASE, RW);
	xmap(va, PAGE, FAR, RW);
	xmap(va, PAGE, READ_ONLY, IOMMU_IOAS_MAP_READABLE);
	xmap(huge, HUGE_PAGE, HUGE, RW);
	/* The kernel's log has ten events in five seconds; another test may have had them. */
	sleep(6);
	recorded();
	lands("a page", BASE + 40, va + 40, PAGE);
	lands("a page far away", FAR, va, PAGE);
	lands("a huge page", HUGE + 0x12340, huge + 0x12340, HUGE_PAGE);
	refused("a hole", HOLE, 0x10);
	refused("a read-only page", READ_ONLY, 0x13);
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, PAGE), 0, "unmap");
	refused("what was unmapped", BASE, 0x10);
	check_rc(dev_detach(rig.dev), 0, "detach");
	check(!strcmp(ask(bdf, NO_PASID, FAR, 'w').result, "fault"), "detached: blocked",
	      "the walker says otherwise");
	rig_close(&rig);
	return check_done();
}
