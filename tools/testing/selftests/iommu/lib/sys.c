// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys.h"

/* The number after name at the start of a line; -1 if there is none. */
static long number_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long value = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		size_t n = strlen(name);

		if (!strncmp(line, name, n) && (line[n] == ' ' || line[n] == ':')) {
			value = strtol(line + n + 1, NULL, 10);
			break;
		}
	}
	fclose(file);
	return value;
}

long pins_outstanding(void)
{
	long acquired, released;

	/* The counters are kept per CPU; this adds them up. */
	if (file_put("/proc/sys/vm/stat_refresh", "1"))
		return -1;
	acquired = number_of("/proc/vmstat", "nr_foll_pin_acquired");
	released = number_of("/proc/vmstat", "nr_foll_pin_released");
	return acquired < 0 || released < 0 ? -1 : acquired - released;
}

long status_kb(const char *field)
{
	return number_of("/proc/self/status", field);
}

long pages_pinned(void)
{
	return status_kb("VmPin") * 1024 / (long)PAGE;
}

long huge_pages_free(void)
{
	return number_of("/proc/meminfo", "HugePages_Free");
}

long huge_pages_reserved(void)
{
	return number_of("/proc/meminfo", "HugePages_Rsvd");
}

long kernel_taint(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static void *mem(size_t length, int flags)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void *mem_shared(size_t length)
{
	return mem(length, MAP_SHARED);
}

void *mem_private(size_t length)
{
	return mem(length, MAP_PRIVATE);
}

void *mem_hugetlb(size_t length)
{
	return mem(length, MAP_SHARED | MAP_HUGETLB);
}

void *mem_thp(size_t length)
{
	char *p = mmap(NULL, length + HUGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE,
		       -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	/* Small pages are as good, where the kernel has no huge ones. */
	madvise(p, length, MADV_HUGEPAGE);
	memset(p, 1, length);
	return p;
}

int file_new(size_t length, unsigned int flags)
{
	int fd = memfd_create("iommu-selftest", flags);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, length)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int file_put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}
