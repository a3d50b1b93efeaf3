// SPDX-License-Identifier: GPL-2.0
/* Memory of each kind, written to, so that no page fault is counted; and how much is free. */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/membarrier.h>
#include "bench.h"

#define PFN_MASK	((1ULL << 55) - 1)

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void touch_in_order(char *p, size_t length)
{
	size_t at;

	for (at = 0; at < length; at += PAGE)
		p[at] = 1;
}

/* The kernel hands out pages in order: so ask for them in none, but in the same one each time. */
static void touch_shuffled(char *p, size_t length)
{
	size_t n = length / PAGE, i, j;
	unsigned int *order = malloc(n * sizeof(*order)), tmp;

	if (!order)
		err(1, "malloc");
	srandom(1);
	for (i = 0; i < n; i++) {
		j = random() % (i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < n; i++) {
		tmp = order[i];
		p[tmp * PAGE] = 1;
	}
	free(order);
}

static unsigned long huge_bytes(const void *memory)
{
	unsigned long start, end, kib;
	bool inside = false;
	char line[300];
	FILE *f = fopen("/proc/self/smaps", "r");

	if (!f)
		err(1, "/proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (unsigned long)memory && (unsigned long)memory < end;
		else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
			break;
	}
	if (feof(f))
		errx(1, "smaps says nothing of %p", memory);
	fclose(f);
	return kib * 1024;
}

/* What lies around the memory must be of another kind, or smaps counts both together. */
static void *map_aligned(size_t length)
{
	char *p = mmap(NULL, length + 2 * HUGE_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t skip;

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes", length);
	skip = HUGE_PAGE - (unsigned long)p % HUGE_PAGE;
	munmap(p, skip);
	munmap(p + skip + length, 2 * HUGE_PAGE - skip);
	if (mprotect(p + skip, length, PROT_READ | PROT_WRITE))
		err(1, "mprotect");
	return p + skip;
}

void memory_reserve_hugetlb(size_t length)
{
	char text[32];
	FILE *f;
	size_t got = 0;

	snprintf(text, sizeof(text), "%zu", length / HUGE_PAGE);
	write_file("/proc/sys/vm/nr_hugepages", text);
	f = fopen("/proc/sys/vm/nr_hugepages", "r");
	if (!f || fscanf(f, "%zu", &got) != 1 || got < length / HUGE_PAGE)
		errx(1, "only %zu of %s huge pages: give the VM more memory", got, text);
	fclose(f);
}

void *memory_get(enum memory kind, size_t length)
{
	char *p;

	if (kind == MEMORY_HUGETLB) {
		p = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		if (p == MAP_FAILED)
			err(1, "mmap of %zu bytes of huge pages", length);
	} else {
		p = map_aligned(length);
		if (madvise(p, length, kind == MEMORY_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
			err(1, "madvise");
	}
	if (kind == MEMORY_SCATTERED)
		touch_shuffled(p, length);
	else
		touch_in_order(p, length);
	if (kind == MEMORY_THP && huge_bytes(p) != length)
		errx(1, "only %lu of %zu bytes are huge pages", huge_bytes(p), length);
	return p;
}

void memory_put(void *memory, size_t length)
{
	munmap(memory, length);
}

size_t memory_runs(const void *memory, size_t length)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t at, runs = 0;
	__u64 entry, last = 0;

	if (fd < 0)
		err(1, "pagemap");
	for (at = 0; at < length; at += PAGE) {
		if (pread(fd, &entry, 8, ((unsigned long)memory + at) / PAGE * 8) != 8)
			err(1, "pagemap");
		entry &= PFN_MASK;
		if (!entry)
			errx(1, "pagemap has no page at %zu", at);
		runs += entry != last + 1;
		last = entry;
	}
	close(fd);
	return runs;
}

/* Empty slabs are kept for later; they would hide, or be taken for, what is in use. */
static void shrink_slabs(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *d;
	char path[300];

	if (!dir)
		err(1, "/sys/kernel/slab");
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", d->d_name);
		write_file(path, "1");
	}
	closedir(dir);
}

/*
 * What is freed after a grace period is freed in batches, up to five seconds later. Shrinking comes
 * before that: it frees files, and so leaves the same behind each time.
 */
static void settle(void)
{
	char c;
	int fd;

	shrink_slabs();
	sleep(12);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		err(1, "membarrier");
	fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
	if (fd < 0 || read(fd, &c, 1) < 0)
		err(1, "stat_refresh");
	close(fd);
}

long long free_memory(void)
{
	long long pages = 0;
	char line[300];
	long n;
	FILE *f;

	settle();
	f = fopen("/proc/zoneinfo", "r");
	if (!f)
		err(1, "/proc/zoneinfo");
	/* A free page is in a zone's lists or in a CPU's own. */
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " nr_free_pages %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	fclose(f);
	return pages * PAGE;
}
