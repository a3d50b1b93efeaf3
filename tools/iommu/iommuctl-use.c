// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl bind: whether this machine uses a function: a disk of it that is mounted, swapped to or
 * part of another, or a network interface of it that is up. Reads sysfs and procfs.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "iommuctl-bind.h"

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return !strncmp(path, folder, length) && path[length] == '/';
}

/* A whole word of a line of the file is one of these; where there is a word between, by blanks. */
static bool file_names(const char *path, const char *number, const char *node)
{
	char *text = read_file(path, 16U << 20, NULL), *rest = text, *word;
	bool found = false;

	while (!found && (word = strsep(&rest, " \t\n")))
		found = (number && !strcmp(word, number)) || !strcmp(word, node);
	free(text);
	return found;
}

static bool disk_in_use(const char *name, char *why, size_t size)
{
	char number[32], node[NAME_SIZE + 8];
	struct names holders = names_of(at("/sys/class/block/%s/holders", name));

	snprintf(node, sizeof(node), "/dev/%s", name);
	read_line(at("/sys/class/block/%s/dev", name), number, sizeof(number));
	*why = 0;
	if (holders.count)
		snprintf(why, size, "%s is part of %s", name, holders.name[0]);
	else if (file_names(at("/proc/self/mountinfo"), *number ? number : NULL, node))
		snprintf(why, size, "%s is mounted", name);
	else if (file_names(at("/proc/swaps"), NULL, node))
		snprintf(why, size, "%s is swap space", name);
	names_free(&holders);
	return *why;
}

static bool interface_in_use(const char *name, char *why, size_t size)
{
	char flags[32];

	*why = 0;
	if (read_line(at("/sys/class/net/%s/flags", name), flags, sizeof(flags)) &&
	    strtoul(flags, NULL, 16) & IFF_UP)
		snprintf(why, size, "network interface %s is up", name);
	return *why;
}

bool function_in_use(const struct function *f, char *why, size_t size)
{
	static const struct {
		const char *class;
		bool (*in_use)(const char *name, char *why, size_t size);
	} classes[] = {
		{ "block", disk_in_use }, { "net", interface_in_use },
	};
	char path[PATH_MAX];
	bool found = false;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct names names = names_of(at("/sys/class/%s", classes[i].class));

		for (k = 0; k < names.count && !found; k++)
			found = realpath(at("/sys/class/%s/%s", classes[i].class, names.name[k]),
					 path) &&
				is_below(path, f->folder) &&
				classes[i].in_use(names.name[k], why, size);
		names_free(&names);
	}
	return found;
}
