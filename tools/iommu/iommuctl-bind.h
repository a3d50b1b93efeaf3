/* SPDX-License-Identifier: GPL-2.0 */
/* iommuctl bind, unbind: a PCI function and its driver. */
#ifndef IOMMUCTL_BIND_H
#define IOMMUCTL_BIND_H

#include "iommuctl.h"

#define VFIO_DRIVER	"vfio-pci"

/* What decides a function's driver; empty: none. */
struct choice {
	char driver[NAME_SIZE];
	char override[NAME_SIZE];	/* driver_override */
};

struct function {
	char address[16];
	char folder[PATH_MAX];
	char id[16];			/* vendor and device */
	char group[NAME_SIZE];
	bool bridge;
	struct choice was;		/* when we came */
	struct choice now;
	bool remembered;		/* there was a record of it */
	bool changed;
};

/* Reads what is there; false, and says why, if there is no such function. */
bool function_read(const char *address, struct function *f);

/*
 * Makes it so, step by step. Returns false, and says which step failed, with as much undone as can
 * be: @f->now is what there is then.
 */
bool function_choose(struct function *f, const struct choice *want);
/* The same, back to @f->was, and says so when that fails. */
void function_undo(struct function *f);

/* What a function had before it was bound, kept below /run/iommuctl until it has it again. */
bool record_save(const struct function *f);
/* False: there is none, or it is of another device that had the address. */
bool record_load(const struct function *f, struct choice *before);
void record_drop(const struct function *f);
/* One iommuctl at a time; false, and says why. The end of the program gives it back. */
bool record_lock(void);

/* Says what uses the function: a disk that is mounted, a network interface that is up. */
bool function_in_use(const struct function *f, char *why, size_t size);

#endif
