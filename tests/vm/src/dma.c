// SPDX-License-Identifier: GPL-2.0
/*
 * Does DMA of a mapped function reach the memory that was mapped, and nothing else? "stock": on a
 * kernel that is not ours, which has a gap between two page tables, and no files of huge pages.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define COPY	0x10000000ULL	/* Arm has the doorbells of interrupts between them */

static struct rig rig;
static bool stock;

static void xmap(const void *va, __u64 length, __u64 iova, __u32 flags)
{
	int rc = ioas_map(rig.iommu, rig.ioas, va, length, iova, flags);

	if (rc)
		errx(1, "map of %#llx bytes at %#llx: %s", length, iova, strerror(-rc));
}

static void xunmap(__u64 iova, __u64 length)
{
	int rc = ioas_unmap(rig.iommu, rig.ioas, iova, length);

	if (rc)
		errx(1, "unmap of %#llx bytes at %#llx: %s", length, iova, strerror(-rc));
}

/* The function writes to, then reads from, an IOVA that maps @va. */
static void both_ways(const char *name, __u8 *va, __u64 iova, size_t length)
{
	static unsigned int seed;
	char line[128];

	seed++;
	rig_write(&rig, iova, length, seed);
	snprintf(line, sizeof(line), "%s: write", name);
	check(filled(va, length, seed), line, "%zu bytes at %#llx did not arrive", length, iova);
	fill(va, length, seed + 100);
	snprintf(line, sizeof(line), "%s: read", name);
	check(rig_reads(&rig, iova, length, seed + 100), line, "%zu bytes at %#llx did not arrive",
	      length, iova);
}

static __u64 last_iova(void)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_iova_ranges arg = {
		.size = sizeof(arg), .ioas_id = rig.ioas, .num_iovas = 16,
		.allowed_iovas = (unsigned long)ranges,
	};

	if (ioctl(rig.iommu, IOMMU_IOAS_IOVA_RANGES, &arg) || !arg.num_iovas)
		err(1, "IOMMU_IOAS_IOVA_RANGES");
	return ranges[arg.num_iovas - 1].last;
}

static void several_iovas(void)
{
	__u64 iovas[] = { 0, PAGE, 0x7ff000, BASE, 0xfffff000, 0x100000000, 0x7fffff000000, 0 };
	size_t i, n = sizeof(iovas) / sizeof(*iovas);
	__u8 *va = xmmap(PAGE, ANON, -1);
	char name[64];

	/* edu has 48 address bits here. */
	iovas[n - 1] = (last_iova() & ((1ULL << 48) - 1)) / PAGE * PAGE;
	for (i = 0; i < n; i++) {
		/* Arm's stage 2 has fewer bits than stage 1; the last IOVA is among them. */
		if (iovas[i] > last_iova())
			continue;
		snprintf(name, sizeof(name), "IOVA %#llx", iovas[i]);
		xmap(va, PAGE, iovas[i], RW);
		both_ways(name, va, iovas[i], 512);
		xunmap(iovas[i], PAGE);
	}
	munmap(va, PAGE);
}

static void offsets(void)
{
	__u8 *va = xmmap(4 * PAGE, ANON, -1);

	xmap(va, 4 * PAGE, BASE, RW);
	both_ways("offset 1, odd length", va + 1, BASE + 1, 777);
	both_ways("offset at a page's end", va + PAGE - 3, BASE + PAGE - 3, 3);
	both_ways("across a page's end", va + 2 * PAGE - 100, BASE + 2 * PAGE - 100, 1000);
	both_ways("a whole page, unaligned", va + 2 * PAGE + 8, BASE + 2 * PAGE + 8, PAGE);
	memset(va, 0, 4 * PAGE);
	rig_write(&rig, BASE + PAGE + 16, 32, 9);
	check(filled(va + PAGE + 16, 32, 9) && !va[PAGE + 15] && !va[PAGE + 48],
	      "a write touches its own bytes only", "%d..%d", va[PAGE + 15], va[PAGE + 48]);
	xunmap(BASE, 4 * PAGE);
	munmap(va, 4 * PAGE);
}

/* Every second page is dropped and faulted in late, so that neighbours lie apart. */
static void scattered_memory(void)
{
	size_t i, pages = 256, found = 0, breaks = 0;
	__u8 *va = xmmap(pages * PAGE, ANON, -1);

	madvise(va, pages * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i += 2)
		va[i * PAGE] = 1;
	for (i = pages - 1; i < pages; i -= 2)
		va[i * PAGE] = 1;
	for (i = 0; i + 1 < pages; i++) {
		if (pfn(va + i * PAGE) + 1 == pfn(va + (i + 1) * PAGE))
			continue;
		breaks++;
		found = i;
	}
	if (!check(breaks > pages / 4, "scattered memory could be made", "%zu breaks", breaks))
		return;
	xmap(va, pages * PAGE, BASE, RW);
	both_ways("scattered pages, last break", va + found * PAGE + 1000,
		  BASE + found * PAGE + 1000, PAGE);
	both_ways("scattered pages, first", va + 10, BASE + 10, PAGE);
	both_ways("scattered pages, middle", va + 128 * PAGE + 2048, BASE + 128 * PAGE + 2048,
		  PAGE);
	xunmap(BASE, pages * PAGE);
	munmap(va, pages * PAGE);
}

static long huge_kb(const void *va)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool inside = false;
	char line[512];
	long kb = -1;

	if (!f)
		err(1, "smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)va >= start && (unsigned long)va < end;
		if (inside && sscanf(line, "AnonHugePages: %ld", &kb) == 1)
			break;
	}
	fclose(f);
	return kb;
}

static void huge_memory(void)
{
	__u8 *va = xmmap(2 * HUGE_PAGE, ANON | MAP_HUGETLB, -1);
	__u8 *raw;

	xmap(va, 2 * HUGE_PAGE, BASE, RW);
	both_ways("hugetlb, across huge pages", va + HUGE_PAGE - 2000, BASE + HUGE_PAGE - 2000,
		  PAGE);
	both_ways("hugetlb, end", va + 2 * HUGE_PAGE - PAGE, BASE + 2 * HUGE_PAGE - PAGE, PAGE);
	xunmap(BASE, 2 * HUGE_PAGE);
	/* A part of a huge page, at an IOVA that is aligned to small pages only. */
	xmap(va + 3 * PAGE, HUGE_PAGE, BASE + PAGE, RW);
	both_ways("hugetlb, a part", va + HUGE_PAGE - 100, BASE + HUGE_PAGE - 2 * PAGE - 100, 200);
	xunmap(BASE + PAGE, HUGE_PAGE);
	munmap(va, 2 * HUGE_PAGE);

	raw = xmmap(4 * HUGE_PAGE, ANON, -1);
	va = (void *)(((unsigned long)raw + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	madvise(va, 2 * HUGE_PAGE, MADV_HUGEPAGE);
	memset(va, 1, 2 * HUGE_PAGE);
	check(huge_kb(va) >= 2048, "THP could be made", "%ld kB", huge_kb(va));
	xmap(va, 2 * HUGE_PAGE, BASE, RW);
	both_ways("THP, across huge pages", va + HUGE_PAGE - 9, BASE + HUGE_PAGE - 9, PAGE);
	xunmap(BASE, 2 * HUGE_PAGE);
	xmap(va + PAGE, HUGE_PAGE, BASE + HUGE_PAGE, RW);
	both_ways("THP, a part", va + PAGE + 5, BASE + HUGE_PAGE + 5, PAGE);
	xunmap(BASE + HUGE_PAGE, HUGE_PAGE);
	munmap(raw, 4 * HUGE_PAGE);
}

static void memfd(const char *name, unsigned int flags, size_t size)
{
	int fd = memfd_create("dma", flags);
	__u8 *va;
	int rc;

	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd");
	va = xmmap(size, MAP_SHARED, fd);
	rc = ioas_map_file(rig.iommu, rig.ioas, fd, 0, size, BASE, RW);
	if (check_rc(rc, 0, name)) {
		both_ways(name, va + 2000, BASE + 2000, PAGE);
		xunmap(BASE, size);
		rc = ioas_map_file(rig.iommu, rig.ioas, fd, size / 2, PAGE, BASE, RW);
		if (!rc) {
			both_ways("the same, from its middle", va + size / 2, BASE, PAGE);
			xunmap(BASE, PAGE);
		}
		check_rc(rc, 0, "the same, from its middle");
	}
	munmap(va, size);
	close(fd);
}

static void permissions(void)
{
	__u8 *va = xmmap(PAGE, ANON, -1);

	xmap(va, PAGE, BASE, IOMMU_IOAS_MAP_READABLE);
	fill(va, 512, 1);
	check(rig_reads(&rig, BASE, 512, 1), "read-only mapping: read", "did not arrive");
	rig_write(&rig, BASE, 512, 2);
	check(filled(va, 512, 1), "read-only mapping: write is refused", "it arrived");
	xunmap(BASE, PAGE);
	fill(va, 512, 3);
	rig_load(&rig, 512, 4);
	check(!rig_reads(&rig, BASE, 512, 3), "no mapping: read is refused", "it arrived");
	munmap(va, PAGE);
}

/* One of two areas goes: its neighbour stays. */
static void neighbours(void)
{
	__u8 *va = xmmap(4 * PAGE, ANON, -1);

	xmap(va, 2 * PAGE, BASE, RW);
	xmap(va + 2 * PAGE, 2 * PAGE, BASE + 2 * PAGE, RW);
	xunmap(BASE, 2 * PAGE);
	both_ways("unmapping an area spares the next", va + 2 * PAGE, BASE + 2 * PAGE, PAGE);
	memset(va, 0, 2 * PAGE);
	rig_write(&rig, BASE + PAGE, 100, 5);
	check(!va[PAGE], "the unmapped one is refused", "the write arrived");
	xunmap(0, ~0ULL);
	munmap(va, 4 * PAGE);
	/* All went: the staging page too. */
	xmap(rig.stage, PAGE, STAGE_IOVA, RW);
}

/* The IOTLB is warm, and a write is under way, when the unmap starts. */
static void unmap_at_once(void)
{
	int i, rounds = 20, late = 0, missing = 0;
	__u8 *va = xmmap(PAGE, ANON, -1);

	for (i = 0; i < rounds; i++) {
		xmap(va, PAGE, BASE, RW);
		rig_write(&rig, BASE, 512, i);
		missing += !filled(va, 512, i);
		edu_start(rig.bar, EDU_BUFFER, BASE, 512, true);
		xunmap(BASE, PAGE);
		memset(va, 0, PAGE);
		edu_wait(rig.bar);
		late += va[0] || va[511];
	}
	check(!missing, "map is effective when it returns", "%d of %d rounds", missing, rounds);
	check(!late, "unmap is effective when it returns", "%d of %d rounds", late, rounds);
	munmap(va, PAGE);
}

/*
 * Writes under way while the function is attached back and forth land in one of the two, each of
 * them: there is no moment in which the function sees neither.
 */
static void attach_again(void)
{
	__u8 *one = xmmap(PAGE, ANON, -1), *two = xmmap(PAGE, ANON, -1);
	int i, rounds = 32, lost = 0, turns = 0;
	__u32 other, pt;

	xmap(one, PAGE, BASE, RW);
	if (ioas_alloc(rig.iommu, &other) ||
	    ioas_map(rig.iommu, other, two, PAGE, BASE, RW) ||
	    ioas_map(rig.iommu, other, rig.stage, PAGE, STAGE_IOVA, RW))
		errx(1, "second IOAS");
	pt = other;
	check_rc(dev_attach(rig.dev, &pt), 0, "attach again to another IOAS");
	both_ways("DMA uses the second IOAS", two, BASE, 512);
	check(!one[0], "and not the first", "the first was written");
	for (i = 0; i < rounds; i++) {
		memset(one, 0, PAGE);
		memset(two, 0, PAGE);
		rig_load(&rig, 512, i);
		edu_start(rig.bar, EDU_BUFFER, BASE, 512, true);
		while (__atomic_load_n(rig.bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1) {
			pt = turns++ % 2 ? other : rig.ioas;
			if (dev_attach(rig.dev, &pt))
				errx(1, "replace");
		}
		lost += filled(one, 512, i) == filled(two, 512, i);
	}
	check(turns > rounds * 4, "replace ran while DMA was under way", "%d turns", turns);
	if (!stock)
		check(!lost, "every write arrives while it is replaced", "%d of %d did not", lost,
		      rounds);
	pt = rig.ioas;
	check_rc(dev_attach(rig.dev, &pt), 0, "attach to the first again");
	check_rc(destroy(rig.iommu, other), 0, "destroy the second IOAS");
	both_ways("DMA uses the first IOAS again", one, BASE, 512);
	xunmap(BASE, PAGE);
	munmap(one, PAGE);
	munmap(two, PAGE);
}

static void copy(void)
{
	__u8 *va = xmmap(2 * PAGE, ANON, -1);
	__u32 source;

	if (ioas_alloc(rig.iommu, &source) || ioas_map(rig.iommu, source, va, 2 * PAGE, BASE, RW))
		errx(1, "source IOAS");
	check_rc(ioas_copy(rig.iommu, rig.ioas, COPY, source, BASE, 2 * PAGE), 0, "copy");
	both_ways("a copied mapping", va + 10, COPY + 10, PAGE);
	check_rc(destroy(rig.iommu, source), 0, "destroy the source");
	both_ways("a copied mapping without its source", va, COPY, PAGE);
	xunmap(COPY, 2 * PAGE);
	munmap(va, 2 * PAGE);
}

int main(int argc, char **argv)
{
	stock = argc == 3 && !strcmp(argv[2], "stock");
	if (argc != 2 && !stock)
		errx(2, "usage: dma BDF [stock]");
	rig_open(&rig, argv[1]);
	several_iovas();
	offsets();
	scattered_memory();
	huge_memory();
	memfd("memfd", 0, 4 * PAGE);
	if (!stock)
		memfd("memfd of huge pages", MFD_HUGETLB, 2 * HUGE_PAGE);
	permissions();
	neighbours();
	unmap_at_once();
	attach_again();
	copy();
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
