// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl: looks through /proc for the files of /dev/iommu and VFIO. Opens none of them, and
 * follows the link of one only when its name is VFIO's: a file that hangs is never touched.
 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "iommuctl-holders.h"

#define FDINFO_LIMIT	(4U << 20)

static void user_name(uid_t uid, char *name, size_t size)
{
	/* Not by the library's search, which would load more libraries. */
	FILE *f = fopen(at("/etc/passwd"), "re");
	struct passwd *entry;

	snprintf(name, size, "%u", uid);
	while (f && (entry = fgetpwent(f))) {
		if (entry->pw_uid != uid)
			continue;
		snprintf(name, size, "%s", entry->pw_name);
		break;
	}
	if (f)
		fclose(f);
}

static void read_process(pid_t pid, struct holder *h)
{
	char *text = read_file(at("/proc/%d/status", pid), 65536, NULL);
	char *uid = text ? strstr(text, "\nUid:\t") : NULL;
	char *comm;
	size_t length;

	h->pid = pid;
	/* The second one decides what it may do. */
	if (!uid || sscanf(uid, "\nUid:\t%*u\t%u", &h->uid) != 1)
		h->uid = -1;
	free(text);
	user_name(h->uid, h->user, sizeof(h->user));
	/* A name can have any byte in it but 0. */
	comm = read_file(at("/proc/%d/comm", pid), sizeof(h->comm), &length);
	if (comm && length && comm[length - 1] == '\n')
		comm[length - 1] = 0;
	snprintf(h->comm, sizeof(h->comm), "%s", comm ? comm : "?");
	free(comm);
}

static void add_holder(struct holders *holders, pid_t pid, int fd)
{
	struct holder *h = holders->count ? &holders->one[holders->count - 1] : NULL;

	/* All files of a process are met one after the other. */
	if (!h || h->pid != pid) {
		h = APPEND(holders->one, holders->count);
		read_process(pid, h);
	}
	*APPEND(h->fd, h->fds) = fd;
}

/* The device file that a class has under a name is the one that is open. */
static bool is_device(pid_t pid, int fd, const char *attribute)
{
	unsigned int major, minor;
	char number[32];
	struct stat st;

	if (*sysroot)
		return true;
	return read_line(at("/sys/class/%s/dev", attribute), number, sizeof(number)) &&
	       sscanf(number, "%u:%u", &major, &minor) == 2 &&
	       !stat(at("/proc/%d/fd/%d", pid, fd), &st) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(major, minor);
}

static void add_context(struct everything *all, pid_t pid, int fd, const char *class)
{
	char *text = read_file(at("/proc/%d/fdinfo/%d", pid, fd), FDINFO_LIMIT, NULL);
	struct context context, *c;
	size_t i;

	if (!text)
		return;
	if (!parse_context(text, &context)) {
		free(context.object);
		free(text);
		all->silent += class && is_device(pid, fd, class);
		return;
	}
	for (i = 0; i < all->contexts; i++)
		if (context.number && all->context[i].number == context.number)
			break;
	if (i < all->contexts) {
		free(context.object);
		free(text);
		c = &all->context[i];
	} else {
		c = APPEND(all->context, all->contexts);
		*c = context;
	}
	add_holder(&c->holders, pid, fd);
}

static void add_file(struct everything *all, pid_t pid, int fd, const char *node)
{
	bool device = !strncmp(node, "devices/", 8);
	char class[NAME_SIZE + 16];
	struct vfio_file *f;
	size_t i;

	snprintf(class, sizeof(class), "%s/%.*s", device ? "vfio-dev" : "vfio", NAME_SIZE,
		 device ? node + 8 : node);
	if (strchr(node + (device ? 8 : 0), '/') || !is_device(pid, fd, class))
		return;
	for (i = 0; i < all->files; i++)
		if (!strcmp(all->file[i].node, node))
			break;
	if (i == all->files) {
		f = APPEND(all->file, all->files);
		snprintf(f->node, sizeof(f->node), "%s", node);
		if (device)
			link_name(at("/sys/class/%s/device", class), f->device, sizeof(f->device));
	}
	add_holder(&all->file[i].holders, pid, fd);
}

static void look_at_file(struct everything *all, pid_t pid, int fd)
{
	char target[PATH_MAX];
	ssize_t n = readlink(at("/proc/%d/fd/%d", pid, fd), target, sizeof(target) - 1);
	const char *last, *vfio;

	if (n < 0)
		return;
	target[n] = 0;
	last = strrchr(target, '/');
	/* What comes before /dev is another root's. */
	vfio = strstr(target, "/dev/vfio/");
	if (last && !strcmp(last, "/iommu"))
		add_context(all, pid, fd, "misc/iommu");
	else if (vfio && !strcmp(vfio, "/dev/vfio/vfio"))
		add_context(all, pid, fd, NULL);
	else if (vfio && strlen(vfio + 10) < NAME_SIZE)
		add_file(all, pid, fd, vfio + 10);
}

/* A thread of the kernel has no files: that they cannot be looked at hides nothing. */
static bool is_kernel_thread(pid_t pid)
{
	char *text = read_file(at("/proc/%d/stat", pid), 4096, NULL);
	char *rest = text ? strrchr(text, ')') : NULL;
	unsigned int flags = 0;

	/* State, then five numbers, then the flags: PF_KTHREAD among them. */
	if (rest)
		sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags);
	free(text);
	return BIT(flags, 21);
}

static void look_at_process(struct everything *all, pid_t pid)
{
	DIR *dir = opendir(at("/proc/%d/fd", pid));
	struct dirent *entry;

	if (!dir) {
		all->unreadable += (errno == EACCES || errno == EPERM) && !is_kernel_thread(pid);
		return;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			look_at_file(all, pid, atoi(entry->d_name));
		errno = 0;
	}
	/* The folder opens, and is then denied, when the process changes who it is. */
	all->unreadable += errno == EACCES || errno == EPERM;
	closedir(dir);
}

static int by_number(const void *a, const void *b)
{
	const struct context *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_node(const void *a, const void *b)
{
	const struct vfio_file *x = a, *y = b;

	return strverscmp(x->node, y->node);
}

struct everything look_around(void)
{
	struct names processes = names_of(at("/proc"));
	struct everything all = { 0 };
	size_t i;

	for (i = 0; i < processes.count; i++) {
		char *end;
		long pid = strtol(processes.name[i], &end, 10);

		if (!*end && pid > 0)
			look_at_process(&all, pid);
	}
	names_free(&processes);
	if (all.contexts)
		qsort(all.context, all.contexts, sizeof(*all.context), by_number);
	if (all.files)
		qsort(all.file, all.files, sizeof(*all.file), by_node);
	return all;
}

static void free_holders(struct holders *holders)
{
	size_t i;

	for (i = 0; i < holders->count; i++)
		free(holders->one[i].fd);
	free(holders->one);
}

void forget(struct everything *all)
{
	size_t i;

	for (i = 0; i < all->contexts; i++) {
		free(all->context[i].text);
		free(all->context[i].object);
		free_holders(&all->context[i].holders);
	}
	for (i = 0; i < all->files; i++)
		free_holders(&all->file[i].holders);
	free(all->context);
	free(all->file);
	memset(all, 0, sizeof(*all));
}
