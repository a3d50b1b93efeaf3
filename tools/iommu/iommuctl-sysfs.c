// SPDX-License-Identifier: GPL-2.0
/* iommuctl: files of sysfs and procfs, and how devices are named there. Knows no IOMMU. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "iommuctl.h"

#define PATHS	8

const char *sysroot = "";

const char *at(const char *fmt, ...)
{
	static char path[PATHS][PATH_MAX];
	static unsigned int turn;
	char *text = path[turn++ % PATHS];
	int n = snprintf(text, PATH_MAX, "%s", sysroot);
	va_list ap;

	if (n >= PATH_MAX)
		n = PATH_MAX - 1;
	va_start(ap, fmt);
	vsnprintf(text + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	return text;
}

char *read_file(const char *path, size_t limit, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	size_t have = 0, size = 4096;
	ssize_t n = -1;
	char *text;

	if (fd < 0)
		return NULL;
	text = xrealloc(NULL, size + 1);
	while (have < limit && (n = read(fd, text + have, size - have)) > 0) {
		have += n;
		if (have == size) {
			size *= 2;
			text = xrealloc(text, size + 1);
		}
	}
	saved = errno;
	close(fd);
	errno = saved;
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (have > limit)
		have = limit;
	text[have] = 0;
	if (length)
		*length = have;
	return text;
}

bool read_line(const char *path, char *text, size_t size)
{
	char *whole = read_file(path, 4096, NULL);

	if (size)
		*text = 0;
	if (!whole)
		return false;
	whole[strcspn(whole, "\n")] = 0;
	snprintf(text, size, "%s", whole);
	free(whole);
	return true;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), saved;
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	saved = errno;
	if (close(fd) && n >= 0)
		return false;
	errno = n < 0 ? saved : EIO;
	return n == (ssize_t)strlen(text);
}

bool link_name(const char *path, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *last;

	*name = 0;
	if (n < 0)
		return false;
	target[n] = 0;
	last = strrchr(target, '/');
	snprintf(name, size, "%s", last ? last + 1 : target);
	return true;
}

bool exists(const char *path)
{
	return !access(path, F_OK);
}

static int by_number(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

struct names names_of(const char *folder)
{
	struct names names = { 0 };
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return names;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			*APPEND(names.name, names.count) = xstrdup(entry->d_name);
	closedir(dir);
	if (names.count)
		qsort(names.name, names.count, sizeof(*names.name), by_number);
	return names;
}

void names_free(struct names *names)
{
	while (names->count)
		free(names->name[--names->count]);
	free(names->name);
	names->name = NULL;
}

/* A VFIO device that is on no bus named here: by its node's link. */
static bool folder_by_node(const char *name, char path[PATH_MAX])
{
	struct names nodes = names_of(at("/sys/class/vfio-dev"));
	char device[NAME_SIZE];
	bool found = false;
	size_t i;

	for (i = 0; i < nodes.count && !found; i++) {
		const char *link = at("/sys/class/vfio-dev/%s/device", nodes.name[i]);

		found = link_name(link, device, sizeof(device)) && !strcmp(device, name) &&
			realpath(link, path);
	}
	names_free(&nodes);
	return found;
}

bool device_folder(const char *name, char path[PATH_MAX])
{
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	return realpath(at("/sys/bus/pci/devices/%s", name), path) ||
	       realpath(at("/sys/bus/mdev/devices/%s", name), path) || folder_by_node(name, path);
}

bool vfio_node(const char *folder, char *name, size_t size)
{
	char path[PATH_MAX + 16];
	struct names nodes;

	snprintf(path, sizeof(path), "%s/vfio-dev", folder);
	nodes = names_of(path);
	*name = 0;
	if (nodes.count)
		snprintf(name, size, "%s", nodes.name[0]);
	names_free(&nodes);
	return *name;
}

bool pci_address(const char *text, char address[16])
{
	unsigned int part[4], i;
	static const char after[] = { ':', ':', '.', 0 };
	static const unsigned int most[] = { 0xffff, 0xff, 0x1f, 7 };
	bool domain = strchr(text, ':') != strrchr(text, ':');
	char *end;

	part[0] = 0;
	for (i = domain ? 0 : 1; i < 4; i++) {
		unsigned long value = strtoul(text, &end, 16);

		if (!isxdigit((unsigned char)*text) || *end != after[i] || value > most[i])
			return false;
		part[i] = value;
		text = end + 1;
	}
	snprintf(address, 16, "%04x:%02x:%02x.%x", part[0], part[1], part[2], part[3]);
	return true;
}
