// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong calls on an IOAS that a real function is attached to: each gets its errno and changes
 * nothing, which DMA through what was mapped before shows.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define AREAS	20000

static struct rig rig;
static __u8 *va;
static long pinned;

static int map(const void *from, __u64 length, __u64 iova, __u32 flags)
{
	return ioas_map(rig.iommu, rig.ioas, from, length, iova, flags);
}

static int unmap(__u64 iova, __u64 length)
{
	return ioas_unmap(rig.iommu, rig.ioas, iova, length);
}

/* What was there before still works, and nothing else was pinned. */
static void unharmed(const char *after)
{
	char line[96];

	fill(va, 512, 42);
	snprintf(line, sizeof(line), "%s: the mapping before still works", after);
	check(rig_reads(&rig, BASE, 512, 42), line, "it does not");
	snprintf(line, sizeof(line), "%s: nothing more is pinned", after);
	check(pins() == pinned, line, "%ld pages, not %ld", pins(), pinned);
}

static void wrong_maps(void)
{
	check_rc(map(va, 0, BASE * 2, RW), -EINVAL, "map of nothing");
	check_rc(map(va, PAGE, BASE * 2 + 1, RW), -EINVAL, "map at an unaligned IOVA");
	check_rc(map(va, PAGE - 1, BASE * 2, RW), -EINVAL, "map of an odd length");
	check_rc(map(va + 8, PAGE, BASE * 2, RW), -EINVAL, "map of an unaligned buffer");
	check_rc(map(va, PAGE, BASE, RW), -EEXIST, "map over a mapping");
	check_rc(map(va, 4 * PAGE, BASE - PAGE, RW), -EEXIST, "map over the start of a mapping");
	check_rc(map(va, PAGE, 0xfee00000, RW), -EINVAL, "map of the interrupt window");
	check_rc(map(va, PAGE, 1ULL << 60, RW), -EINVAL, "map beyond the IOMMU's width");
	check_rc(map(va, 2 * PAGE, ~0ULL - PAGE + 1, RW), -EOVERFLOW, "map past the last IOVA");
	check_rc(map(va, ~0ULL, BASE * 2, RW), -EOVERFLOW, "map of 2^64 - 1 bytes");
	check_rc(map(va, PAGE, BASE * 2, 1U << 30), -EOPNOTSUPP, "map with an unknown flag");
	check_rc(map(NULL, PAGE, BASE * 2, RW), -EFAULT, "map of what is no memory");
	check_rc(ioas_map(rig.iommu, rig.devid, va, PAGE, BASE * 2, RW), -ENOENT,
		 "map into a device's id");
	unharmed("wrong maps");
}

static void wrong_unmaps(void)
{
	check_rc(unmap(BASE * 2, PAGE), -ENOENT, "unmap of what is not mapped");
	check_rc(unmap(BASE, PAGE), -ENOENT, "unmap of a part");
	check_rc(unmap(BASE + PAGE, 3 * PAGE), -ENOENT, "unmap of another part");
	check_rc(unmap(BASE, 0), -EINVAL, "unmap of nothing");
	check_rc(unmap(BASE, ~0ULL), -EOVERFLOW, "unmap past the last IOVA");
	unharmed("wrong unmaps");
}

static void wrong_destroys(void)
{
	check_rc(destroy(rig.iommu, rig.ioas), -EBUSY, "destroy of an IOAS in use");
	check_rc(destroy(rig.iommu, rig.devid), -EBUSY, "destroy of a bound device");
	check_rc(destroy(rig.iommu, 0xdead), -ENOENT, "destroy of what is not there");
	unharmed("wrong destroys");
}

/* Every second page, so that no two areas touch. */
static void many_areas(void)
{
	__u8 *one = xmmap(PAGE, ANON, -1);
	struct timespec a, b;
	int i, bad = 0;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < AREAS; i++)
		bad += !!map(one, PAGE, BASE * 4 + i * 2 * PAGE, RW);
	check(!bad, "20,000 areas can be mapped", "%d failed", bad);
	fill(one, 512, 5);
	check(rig_reads(&rig, BASE * 4, 512, 5), "the first of them works", "it does not");
	check(rig_reads(&rig, BASE * 4 + (AREAS - 1) * 2 * PAGE, 512, 5), "so does the last",
	      "it does not");
	check(pins() == pinned + AREAS, "each has pinned its page", "%ld", pins() - pinned);
	for (i = 0; i < AREAS; i += 2)
		bad += !!unmap(BASE * 4 + i * 2 * PAGE, PAGE);
	check(!bad, "every second of them can be unmapped", "%d failed", bad);
	check(rig_reads(&rig, BASE * 4 + 2 * PAGE, 512, 5), "a remaining one works", "it does not");
	check_rc(unmap(BASE * 4, AREAS * 2 * PAGE), 0, "one unmap takes the rest");
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
	printf("%d areas took %.0f ms\n", AREAS, ms);
	munmap(one, PAGE);
	unharmed("many areas");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: misuse BDF");
	rig_open(&rig, argv[1]);
	va = xmmap(4 * PAGE, ANON, -1);
	if (map(va, 4 * PAGE, BASE, RW))
		errx(1, "map");
	pinned = pins();
	wrong_maps();
	wrong_unmaps();
	wrong_destroys();
	many_areas();
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
