/* SPDX-License-Identifier: GPL-2.0-only */
/* What the system shows of pinned and charged memory, and memory to map. */
#ifndef SELFTEST_SYS_H
#define SELFTEST_SYS_H

#include <stddef.h>

#define PAGE 4096ul
#define HUGE (2ul << 20)

/* Pages that anyone in the system has pinned and not released. */
long pins_outstanding(void);
/* In kB, of this process: "VmPin", "VmLck"; -1 if it is not there. */
long status_kb(const char *field);
/* This process's VmPin in pages. */
long pages_pinned(void);

/* Huge pages in the pool, and those of them that files and mappings have been promised. */
long huge_pages_free(void);
long huge_pages_reserved(void);
/* What the kernel has complained of so far: as of /proc/sys/kernel/tainted. */
long kernel_taint(void);

/* All NULL when there is no memory; each is written once, so that it is there. */
void *mem_shared(size_t length);
void *mem_private(size_t length);
void *mem_hugetlb(size_t length);
/* 2 MiB aligned, and of transparent huge pages if the kernel likes. */
void *mem_thp(size_t length);
/* A file of that length in memory, or -errno; flags as of memfd_create(). */
int file_new(size_t length, unsigned int flags);
/* Takes one value, as of /proc and /sys; 0 or -errno. */
int file_put(const char *path, const char *value);

#endif
