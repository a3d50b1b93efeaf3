// SPDX-License-Identifier: GPL-2.0
/*
 * While the function does DMA, what it is attached to is replaced as fast as can be, at its RID and
 * at PASID 1: all its data goes to and comes from the old or the new page, and the IOMMU refuses
 * nothing. Needs the module pasid_shim.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE		0x4000000ULL
#define COUNT		512
#define PLACES		3
#define MIN_REPLACES	1000
#define WATCHED_REPLACES	5000

/*
 * Each place is a page table in which BASE is a page of its own. Two of them take turns during a
 * transfer; the third, and the page of the RID or PASID that does not take part, must stay clean.
 */
struct place {
	__u32 pt;
	__u8 *page;
};

static struct rig rig;
static struct place places[PLACES];
static __u8 *bystander;
static unsigned int pasid, replaces;
static int transfers;

static void move_to(const struct place *p)
{
	__u32 pt = p->pt;
	int rc;

	rc = pasid ? dev_attach_pasid(rig.dev, pasid, &pt) : dev_attach(rig.dev, &pt);
	if (rc)
		errx(1, "attach of %u at PASID %u: %s", p->pt, pasid, strerror(-rc));
}

/* The second is attached by page table, the others by IOAS. */
static void make_places(void)
{
	__u32 hwpt;
	int i;

	for (i = 0; i < PLACES; i++) {
		places[i].page = xmmap(PAGE, ANON, -1);
		places[i].pt = rig_ioas(&rig, places[i].page, BASE);
	}
	if (hwpt_alloc(rig.iommu, IOMMU_HWPT_ALLOC_PASID, rig.devid, places[1].pt, &hwpt))
		errx(1, "HWPT_ALLOC");
	places[1].pt = hwpt;
}

/* One transfer of the function, with the two taking turns all the while. */
static void transfer(const struct place *one, const struct place *two, __u64 src, __u64 dst,
		     bool to_memory)
{
	unsigned int before = replaces;

	edu_start(rig.bar, src, dst, COUNT, to_memory);
	while (__atomic_load_n(rig.bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1) {
		move_to(replaces++ % 2 ? two : one);
		if (replaces - before > 10000000)
			errx(1, "edu's DMA does not end");
	}
}

/* What the transfers did wrong. */
struct tally {
	int lost;
	int strayed;
};

/* The data is in one of the two, whole, and nowhere else. */
static void write_once(const struct place *one, const struct place *two, const __u8 *third,
		       unsigned int seed, struct tally *t)
{
	bool in_one, in_two;

	memset(one->page, 0, PAGE);
	memset(two->page, 0, PAGE);
	fill(rig.stage, COUNT, seed);
	transfer(one, two, STAGE_IOVA, EDU_BUFFER, false);
	transfer(one, two, EDU_BUFFER, BASE, true);
	in_one = filled(one->page, COUNT, seed) && !one->page[COUNT];
	in_two = filled(two->page, COUNT, seed) && !two->page[COUNT];
	t->lost += !in_one && !in_two;
	t->strayed += (in_one && !untouched(two->page)) || (in_two && !untouched(one->page)) ||
		      !untouched(third) || !untouched(bystander);
}

/* What the function reads is what is in one of the two. */
static void read_once(const struct place *one, const struct place *two, unsigned int seed,
		      struct tally *t)
{
	fill(one->page, COUNT, seed);
	fill(two->page, COUNT, seed + 1);
	transfer(one, two, BASE, EDU_BUFFER, false);
	memset(rig.stage, 0, PAGE);
	transfer(one, two, EDU_BUFFER, STAGE_IOVA, true);
	t->lost += !filled(rig.stage, COUNT, seed) && !filled(rig.stage, COUNT, seed + 1);
}

/* A CPU looks at the entry all the while; with only one there would be nothing to see. */
static void watch_storm(const char *what)
{
	unsigned long long looks, absent;
	char line[128];
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	move_to(&places[0]);
	watch_entry(pasid);
	for (i = 0; i < WATCHED_REPLACES; i++)
		move_to(&places[i % PLACES]);
	watched(&looks, &absent);
	printf("%s: %llu looks at the entry during %d replaces\n", what, looks, i);
	snprintf(line, sizeof(line), "%s: the entry is there at any time", what);
	check(looks > (unsigned int)i && !absent, line, "%llu of %llu looks found none", absent,
	      looks);
}

static void storm(const char *what)
{
	const struct place *one, *two, *third;
	struct tally writes = {}, reads = {};
	char line[128];
	int i, refused;

	go_through(pasid);
	move_to(&places[0]);
	fault_log_ready();
	replaces = 0;
	for (i = 0; i < transfers; i++) {
		one = &places[i % PLACES];
		two = &places[(i + 1) % PLACES];
		third = &places[(i + 2) % PLACES];
		move_to(one);
		memset(third->page, 0, PAGE);
		memset(bystander, 0, PAGE);
		if (i / PLACES % 3 < 2)
			write_once(one, two, third->page, i, &writes);
		else
			read_once(one, two, i, &reads);
	}
	refused = faults();
	printf("%s: %u replaces during %d transfers\n", what, replaces, 2 * transfers);
	snprintf(line, sizeof(line), "%s: it was replaced often enough", what);
	check(replaces >= MIN_REPLACES, line, "%u times", replaces);
	snprintf(line, sizeof(line), "%s: every write reaches one of the two", what);
	check(!writes.lost, line, "%d did not", writes.lost);
	snprintf(line, sizeof(line), "%s: no write reaches another place", what);
	check(!writes.strayed, line, "%d did", writes.strayed);
	snprintf(line, sizeof(line), "%s: every read gets what is in one of the two", what);
	check(!reads.lost, line, "%d did not", reads.lost);
	snprintf(line, sizeof(line), "%s: the IOMMU reports nothing", what);
	check(!refused, line, "%d refused accesses, and maybe more", refused);
	go_through(0);
}

int main(int argc, char **argv)
{
	__u32 pt;

	if (argc != 3)
		errx(2, "usage: pasid-replace BDF TRANSFERS");
	transfers = atoi(argv[2]);
	rig_open(&rig, argv[1]);
	bystander = xmmap(PAGE, ANON, -1);
	if (ioas_map(rig.iommu, rig.ioas, bystander, PAGE, BASE, RW))
		errx(1, "map");
	make_places();
	pasid = 1;
	storm("PASID 1");
	watch_storm("PASID 1");
	if (dev_detach_pasid(rig.dev, 1))
		errx(1, "detach of PASID 1");
	pt = rig.ioas;
	if (dev_attach_pasid(rig.dev, 1, &pt))
		errx(1, "attach of the first IOAS at PASID 1");
	pasid = 0;
	storm("the RID");
	watch_storm("the RID");
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
