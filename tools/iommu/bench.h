/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the benchmark share: an address space of a device, reached by one of two ways
 * (space.c), the memory that is mapped there, and the kernel's own use of memory (memory.c).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define PAGE		4096UL
#define HUGE_PAGE	0x200000UL
/* Far from any IOVA that a machine reserves, and the first of a last-level and a middle table. */
#define BASE_IOVA	0x100000000ULL

struct space {
	int container;		/* /dev/iommu, or type1's container */
	int group;
	int device;
	__u32 ioas;
	__u32 device_id;
};

/* A way to give a device memory. No call returns when it fails. */
struct way {
	const char *name;
	void (*open)(struct space *space, const char *bdf);
	void (*map)(struct space *space, void *va, __u64 length, __u64 iova);
	void (*unmap)(struct space *space, __u64 length, __u64 iova);
	void (*close)(struct space *space);
};

extern const struct way way_iommufd, way_type1;

/* Only through iommufd: one more page table of the same mappings. */
__u32 space_add_table(struct space *space);
void space_del_table(struct space *space, __u32 table);

enum memory {
	MEMORY_SMALL,		/* 4 KiB pages, written in order */
	MEMORY_SCATTERED,	/* 4 KiB pages, hardly two of them contiguous */
	MEMORY_HUGETLB,
	MEMORY_THP,
};

void *memory_get(enum memory kind, size_t length);
void memory_put(void *memory, size_t length);
/* How many stretches of physically contiguous pages there are. */
size_t memory_runs(const void *memory, size_t length);
void memory_reserve_hugetlb(size_t length);

/* Only on a mock IOMMU, which the base's kernel has only where there is no other. */
void bench_faults(void);
void bench_dirty(void);
/* The same, and with PASIDs. */
void bench_pasids(void);

/* The clock, in instructions, and how far it is from a start; one line of output. */
double now(void);
double since(double start);
void row(const char *way, const char *name, double value);

/* Bytes that nobody uses, to the page: differences of it are what the kernel took or gave back. */
long long free_memory(void);

#endif
