/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommuctl: what its subcommands share. Each of them is a file iommuctl-NAME.c and a row in
 * iommuctl.c. Nothing here knows one of them.
 */
#ifndef IOMMUCTL_H
#define IOMMUCTL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses: done; an error, which stderr tells of; wrong arguments; the answer is a fault. */
enum status { DONE = 0, FAILED = 1, USAGE = 2, FAULT = 3 };

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(value, n)	(((value) >> (n)) & 1)

struct command {
	const char *name;
	const char *arguments;
	const char *help;	/* lines, each indented by two blanks */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command list_command, ps_command, top_command, dot_command, bind_command,
	unbind_command, walk_command;

/* Tells on stderr how the subcommand is used; returns USAGE. */
int wrong_arguments(const struct command *command);
/* "iommuctl: ..." on stderr; the texts in it are made safe. Returns FAILED. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* @text as a number that is not negative, in any base that C knows. */
bool parse_number(const char *text, uint64_t *value);

/* Ends the program when there is no memory. */
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *text);

/* One more behind @count, all zero, and counted. There is room for the next power of two. */
#define APPEND(array, count) ({						\
	if (!((count) & ((count) - 1)))					\
		(array) = xrealloc(array, ((count) ? 2 * (count) : 1) *	\
				   sizeof(*(array)));			\
	memset(&(array)[count], 0, sizeof(*(array)));			\
	&(array)[(count)++];						\
})

/* iommuctl-sysfs.c: files of the kernel, below --sysroot if that was given. */

extern const char *sysroot;	/* "" unless given */

/* A path below it; good until eight more were asked for. */
const char *at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The file's first line, without its end, or false with errno. */
bool read_line(const char *path, char *text, size_t size);
/* The whole file, to be freed, at most @limit bytes of it; NULL with errno. */
char *read_file(const char *path, size_t limit, size_t *length);
bool write_file(const char *path, const char *text);
/* What the link's last component is; empty if there is no link. */
bool link_name(const char *path, char *name, size_t size);
bool exists(const char *path);

#define NAME_SIZE	256

struct names {
	char **name;
	size_t count;
};

/*
 * The folder's names, but those with a dot first, as people sort numbers; none if it is not there.
 */
struct names names_of(const char *folder);
void names_free(struct names *names);

/* The folder of a device of any bus: a PCI function, an mdev, or a VFIO device. */
bool device_folder(const char *name, char path[PATH_MAX]);
/* vfio0, vfio1 ... of the device in a folder; false: it has none. */
bool vfio_node(const char *folder, char *name, size_t size);
/* What a PCI address means, as 0000:00:03.0; false: it is not one. */
bool pci_address(const char *text, char address[16]);

/* iommuctl-text.c: what people read. What comes from elsewhere cannot reach the terminal. */

/* Printable ASCII; anything else, and the backslash, as \xNN. */
void put_safe(FILE *to, const char *text);
/* 12.3 MiB, exact when there is no dot; in one of four buffers that take turns. */
const char *bytes(uint64_t count);

struct table {
	const char *const *heads;	/* '>' first: numbers, to the right */
	unsigned int columns;
	char **cell;
	size_t cells;
};

/* The next cell, row by row; what is not printable is escaped. */
void table_cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints it, and frees its cells. */
void table_print(struct table *table, FILE *to);

/* iommuctl-json.c: what programs read, on stdout. In an array there are no keys: NULL. */

struct json {
	unsigned int depth;
	bool more;		/* something stands before in this object or array */
	bool one_line;
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
/* Valid UTF-8 is kept; U+FFFD stands for what is not. NULL is null. */
void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
/*
 * Addresses and registers are text, "0x...": many programs keep JSON's numbers as floating point.
 */
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* iommuctl-kernel.c: what this kernel has of what the subcommands need. */

struct abilities {
	bool dev_iommu;		/* there is a /dev/iommu */
	bool asked;		/* we could open it; else the next two are not known */
	bool pasids;		/* it knows PASIDs */
	bool fdinfo;		/* /proc tells what a context holds */
	bool walk;		/* iommuctl walk has its files, or they cannot be looked at */
	int error;		/* of open */
};

struct abilities kernel_abilities(void);
/* What to do about what is missing, on stderr. */
void advise_iommu(void);
void advise_module(void);
/* Tells on stderr what is missing for `ps`, `top` and `dot`, and what to do; true: nothing is. */
bool kernel_tells_holders(void);

#endif
