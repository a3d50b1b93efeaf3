/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommuctl: who has which files of /dev/iommu and VFIO open, and what a context holds, as its
 * fdinfo tells (Documentation/userspace-api/iommufd.rst). A context is one open of /dev/iommu; any
 * number of processes can have it, by fork or by a file passed on.
 */
#ifndef IOMMUCTL_HOLDERS_H
#define IOMMUCTL_HOLDERS_H

#include <sys/types.h>
#include "iommuctl.h"

struct holder {
	pid_t pid;
	uid_t uid;
	char user[64];		/* its name, or its number */
	char comm[64];
	int *fd;
	size_t fds;
};

struct holders {
	struct holder *one;
	size_t count;
};

#define FIELDS	24

/* "KIND:\tKEY=VALUE KEY=VALUE", of an object; what it points to is the context's text. */
struct object {
	const char *kind;
	const char *key[FIELDS], *value[FIELDS];
	unsigned int fields;
};

struct context {
	uint64_t number;	/* given by the kernel, never twice */
	char *text;
	const char *charge;
	uint64_t mapped, pinned, pasids, left_out;
	struct object *object;
	size_t objects;
	struct holders holders;
};

/* A file of VFIO: a device's, devices/vfio0, or a group's, 7 or noiommu-0. */
struct vfio_file {
	char node[NAME_SIZE];
	char device[NAME_SIZE];	/* its name; empty for a group's */
	struct holders holders;
};

struct everything {
	struct context *context;
	size_t contexts;
	struct vfio_file *file;
	size_t files;
	unsigned int unreadable;	/* processes that we may not look at */
	unsigned int silent;		/* files of /dev/iommu that do not tell their context */
};

/* Looks at all processes. */
struct everything look_around(void);
void forget(struct everything *all);

/* Parses an fdinfo, of which it keeps the text; false: it is not that of a context. */
bool parse_context(char *text, struct context *context);
/* The value of a key, NULL if it has none; as a number, 0 if it has none. */
const char *object_text(const struct object *object, const char *key);
uint64_t object_number(const struct object *object, const char *key);
bool object_is(const struct object *object, const char *kind);
size_t context_count(const struct context *context, const char *kind);
/* The context that has a device of that name, or NULL. */
const struct context *context_of(const struct everything *all, const char *device);

#endif
