// SPDX-License-Identifier: GPL-2.0
/*
 * What mapping memory for a device costs. Run where the clock counts instructions (QEMU's
 * -icount shift=0), nanoseconds are instructions; anywhere else they are time.
 *
 * bench BDF [AREAS] prints lines "way.row value" for the PCI function, which vfio-pci has; bench
 * mock prints those for devices of the mock IOMMU.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "bench.h"

#define LENGTH	(256UL << 20)
#define PAGES	(LENGTH / PAGE)
#define ROUNDS	5
#define CALLS	1000
#define COPIES	8
#define GIB	0x40000000ULL

/*
 * All of it is there from the beginning, so that both ways map the same memory. What comes first is
 * contiguous in physical memory; the last fills the rest.
 */
static struct {
	const char *name;
	enum memory kind;
	void *memory;
} kinds[] = {
	{ "small", MEMORY_SMALL, NULL },
	{ "thp", MEMORY_THP, NULL },
	{ "hugetlb", MEMORY_HUGETLB, NULL },
	{ "scattered", MEMORY_SCATTERED, NULL },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static double clock_cost;

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void measure_clock(void)
{
	double start = now();
	int i;

	for (i = 0; i < CALLS; i++)
		now();
	clock_cost = (now() - start) / (CALLS + 1);
}

double since(double start)
{
	return now() - start - clock_cost;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

void row(const char *way, const char *name, double value)
{
	printf("%s.%s %.3f\n", way, name, value);
	fflush(stdout);
}

static void two_rows(const char *way, const char *name, double *map, double *unmap)
{
	char text[64];

	snprintf(text, sizeof(text), "map.%s", name);
	row(way, text, median(map));
	snprintf(text, sizeof(text), "unmap.%s", name);
	row(way, text, median(unmap));
}

/* One map and one unmap of all of it, per 4 KiB. The first round only warms up. */
static void bench_whole(const struct way *way, struct space *space, const char *name, void *memory)
{
	double map[ROUNDS], unmap[ROUNDS], start;
	int i;

	for (i = -1; i < ROUNDS; i++) {
		int at = i < 0 ? 0 : i;

		start = now();
		way->map(space, memory, LENGTH, BASE_IOVA);
		map[at] = since(start) / PAGES;
		start = now();
		way->unmap(space, LENGTH, BASE_IOVA);
		unmap[at] = since(start) / PAGES;
	}
	two_rows(way->name, name, map, unmap);
}

/* A further page table of what is mapped, and its end, per 4 KiB. */
static void bench_table(const struct way *way, struct space *space, const char *name, void *memory)
{
	double fill[ROUNDS], clear[ROUNDS], start;
	char text[64];
	__u32 table;
	int i;

	way->map(space, memory, LENGTH, BASE_IOVA);
	for (i = -1; i < ROUNDS; i++) {
		int at = i < 0 ? 0 : i;

		start = now();
		table = space_add_table(space);
		fill[at] = since(start) / PAGES;
		start = now();
		space_del_table(space, table);
		clear[at] = since(start) / PAGES;
	}
	way->unmap(space, LENGTH, BASE_IOVA);
	snprintf(text, sizeof(text), "table.%s", name);
	row(way->name, text, median(fill));
	snprintf(text, sizeof(text), "untable.%s", name);
	row(way->name, text, median(clear));
}

/* Many maps of a page each, then their unmaps, per call, in an address space that is new. */
static void bench_calls(const struct way *way, const char *bdf, char *memory)
{
	double map[ROUNDS], unmap[ROUNDS], start;
	struct space space = {};
	int i, j;

	way->open(&space, bdf);
	for (i = -1; i < ROUNDS; i++) {
		int at = i < 0 ? 0 : i;

		start = now();
		for (j = 0; j < CALLS; j++)
			way->map(&space, memory + j * PAGE, PAGE, BASE_IOVA + j * PAGE);
		map[at] = since(start) / CALLS;
		start = now();
		for (j = 0; j < CALLS; j++)
			way->unmap(&space, PAGE, BASE_IOVA + j * PAGE);
		unmap[at] = since(start) / CALLS;
	}
	way->close(&space);
	two_rows(way->name, "area", map, unmap);
}

/*
 * What the kernel keeps for a mapping, its I/O page tables included, per 4 KiB. Several mappings,
 * at IOVAs that had none before, because memory comes in whole pages, and what is left of a table
 * serves the next mapping.
 */
static void bench_kernel_memory(const struct way *way, struct space *space, const char *name,
				void *memory)
{
	static __u64 iova = BASE_IOVA;
	long long before, with;
	char text[64];
	int i;

	before = free_memory();
	for (i = 0; i < COPIES; i++) {
		iova += GIB;
		way->map(space, memory, LENGTH, iova);
	}
	with = free_memory();
	for (i = 0; i < COPIES; i++)
		way->unmap(space, LENGTH, iova - i * GIB);
	snprintf(text, sizeof(text), "memory.%s", name);
	row(way->name, text, (double)(before - with) / PAGES / COPIES);
}

static void bench_kinds(const struct way *way, const char *bdf)
{
	struct space space = {};
	char text[64];
	size_t i;

	way->open(&space, bdf);
	for (i = 0; i < KINDS; i++) {
		snprintf(text, sizeof(text), "runs.%s", kinds[i].name);
		row(way->name, text, memory_runs(kinds[i].memory, LENGTH));
		bench_whole(way, &space, kinds[i].name, kinds[i].memory);
		/* Type1 keeps page tables for later: what it has is not what it needs. */
		if (way == &way_iommufd) {
			bench_kernel_memory(way, &space, kinds[i].name, kinds[i].memory);
			bench_table(way, &space, kinds[i].name, kinds[i].memory);
		}
	}
	way->close(&space);
	bench_calls(way, bdf, kinds[0].memory);
}

/*
 * Maps and unmaps between areas that are there: every second page of IOVA is an area, and calls
 * go to pages between them, in no order.
 */
static void bench_between(const struct way *way, struct space *space, char *memory,
			  unsigned long areas)
{
	double map[ROUNDS], unmap[ROUNDS], start;
	char text[64];
	__u64 *iova = malloc(CALLS * sizeof(*iova));
	int i, j;

	if (!iova)
		err(1, "malloc");
	/* One in each CALLSth part: all over the place, and none twice. */
	srandom(1);
	for (j = 0; j < CALLS; j++) {
		unsigned long part = areas / CALLS, k = (unsigned long)j * 617 % CALLS;

		iova[j] = BASE_IOVA + (2 * (k * part + random() % part) + 1) * PAGE;
	}
	for (i = -1; i < ROUNDS; i++) {
		int at = i < 0 ? 0 : i;

		start = now();
		for (j = 0; j < CALLS; j++)
			way->map(space, memory + j * PAGE, PAGE, iova[j]);
		map[at] = since(start) / CALLS;
		start = now();
		for (j = 0; j < CALLS; j++)
			way->unmap(space, PAGE, iova[j]);
		unmap[at] = since(start) / CALLS;
	}
	free(iova);
	snprintf(text, sizeof(text), "of.%lu", areas);
	two_rows(way->name, text, map, unmap);
}

static void bench_many(const struct way *way, const char *bdf, unsigned long many)
{
	static const unsigned long few = CALLS;
	char *memory = memory_get(MEMORY_SMALL, CALLS * PAGE);
	struct space space = {};
	unsigned long i;

	if (many < few)
		errx(2, "at least %lu areas", few);
	way->open(&space, bdf);
	for (i = 0; i < few; i++)
		way->map(&space, memory + i % CALLS * PAGE, PAGE, BASE_IOVA + 2 * i * PAGE);
	bench_between(way, &space, memory, few);
	for (; i < many; i++)
		way->map(&space, memory + i % CALLS * PAGE, PAGE, BASE_IOVA + 2 * i * PAGE);
	bench_between(way, &space, memory, many);
	way->close(&space);
	memory_put(memory, CALLS * PAGE);
}

static void bench_function(const char *bdf, unsigned long areas)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		kinds[i].memory = memory_get(kinds[i].kind, LENGTH);
	bench_kinds(&way_iommufd, bdf);
	bench_kinds(&way_type1, bdf);
	bench_many(&way_iommufd, bdf, areas);
}

static void bench_mock(void)
{
	bench_faults();
	bench_dirty();
	bench_pasids();
}

int main(int argc, char **argv)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	if (argc < 2 || argc > 3)
		errx(2, "usage: bench BDF [AREAS], or bench mock");
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited))
		err(1, "RLIMIT_MEMLOCK");
	memory_reserve_hugetlb(LENGTH);
	measure_clock();
	row("clock", "call", clock_cost);
	if (strcmp(argv[1], "mock"))
		bench_function(argv[1], argc > 2 ? strtoul(argv[2], NULL, 0) : 1000000);
	else
		bench_mock();
	return 0;
}
