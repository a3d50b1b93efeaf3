// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl bind, unbind: the driver of a PCI function, changed by sysfs, and what it was before,
 * kept in /run. Decides nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "iommuctl-bind.h"

#define RECORDS	"/run/iommuctl"

static const char *path_of(const struct function *f, const char *name)
{
	static char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	return path;
}

static void read_choice(const struct function *f, struct choice *choice)
{
	link_name(path_of(f, "driver"), choice->driver, sizeof(choice->driver));
	read_line(path_of(f, "driver_override"), choice->override, sizeof(choice->override));
	if (!strcmp(choice->override, "(null)"))
		*choice->override = 0;
}

bool function_read(const char *text, struct function *f)
{
	char vendor[16], device[16], class[16];

	memset(f, 0, sizeof(*f));
	if (!pci_address(text, f->address)) {
		complain("%s: not a PCI address, such as 0000:00:03.0", text);
		return false;
	}
	if (!realpath(at("/sys/bus/pci/devices/%s", f->address), f->folder)) {
		complain("%s: there is no such PCI function", f->address);
		return false;
	}
	read_line(path_of(f, "vendor"), vendor, sizeof(vendor));
	read_line(path_of(f, "device"), device, sizeof(device));
	snprintf(f->id, sizeof(f->id), "%.4s:%.4s", vendor + 2 * !!*vendor, device + 2 * !!*device);
	read_line(path_of(f, "class"), class, sizeof(class));
	f->bridge = !strncmp(class, "0x06", 4);
	link_name(path_of(f, "iommu_group"), f->group, sizeof(f->group));
	read_choice(f, &f->was);
	f->now = f->was;
	return true;
}

static bool set_override(struct function *f, const char *driver)
{
	char line[NAME_SIZE + 1];

	if (!strcmp(f->now.override, driver))
		return true;
	snprintf(line, sizeof(line), "%s\n", driver);
	if (!write_file(path_of(f, "driver_override"), line)) {
		complain("%s: driver_override: %s", f->address, strerror(errno));
		return false;
	}
	read_choice(f, &f->now);
	f->changed = true;
	if (!strcmp(f->now.override, driver))
		return true;
	complain("%s: driver_override does not take %s", f->address, *driver ? driver : "nothing");
	return false;
}

static bool leave_driver(struct function *f)
{
	if (!*f->now.driver)
		return true;
	if (!write_file(path_of(f, "driver/unbind"), f->address)) {
		complain("%s: unbind from %s: %s", f->address, f->now.driver, strerror(errno));
		return false;
	}
	read_choice(f, &f->now);
	f->changed = true;
	if (!*f->now.driver)
		return true;
	complain("%s: it stays with %s", f->address, f->now.driver);
	return false;
}

/* EINVAL and ENODEV come from a driver that does not want it, and from one that is not there. */
static bool take_driver(struct function *f, const char *driver)
{
	bool wrote = write_file(at("/sys/bus/pci/drivers/%s/bind", driver), f->address);
	int error = errno;

	read_choice(f, &f->now);
	if (!strcmp(f->now.driver, driver)) {
		f->changed = true;
		return true;
	}
	if (wrote)
		complain("%s: %s did not take it", f->address, driver);
	else
		complain("%s: bind to %s: %s", f->address, driver, strerror(error));
	return false;
}

bool function_choose(struct function *f, const struct choice *want)
{
	/* With the override set first, no other driver comes in between. */
	if (!set_override(f, want->override))
		return false;
	if (!strcmp(f->now.driver, want->driver))
		return true;
	return leave_driver(f) && (!*want->driver || take_driver(f, want->driver));
}

void function_undo(struct function *f)
{
	if (!f->changed)
		return;
	if (!function_choose(f, &f->was)) {
		complain("%s: could not be given back to %s", f->address,
			 *f->was.driver ? f->was.driver : "no driver");
		return;
	}
	f->changed = false;
}

static const char *record_path(const struct function *f)
{
	return at(RECORDS "/%s", f->address);
}

bool record_save(const struct function *f)
{
	FILE *file = fopen(record_path(f), "we");
	bool good;

	if (!file)
		return false;
	fprintf(file, "%s\n%s\n%s\n", f->id, f->was.driver, f->was.override);
	good = !ferror(file);
	return !fclose(file) && good;
}

bool record_load(const struct function *f, struct choice *before)
{
	char *text = read_file(record_path(f), 4096, NULL), *rest = text;
	char *id = rest ? strsep(&rest, "\n") : NULL;
	char *driver = rest ? strsep(&rest, "\n") : NULL;
	char *override = rest ? strsep(&rest, "\n") : NULL;
	bool good = rest && !strcmp(id, f->id) && !strchr(driver, '/');

	if (good) {
		snprintf(before->driver, sizeof(before->driver), "%s", driver);
		snprintf(before->override, sizeof(before->override), "%s", override);
	}
	free(text);
	return good;
}

void record_drop(const struct function *f)
{
	unlink(record_path(f));
}

bool record_lock(void)
{
	int fd = -1;

	if (!mkdir(at(RECORDS), 0755) || errno == EEXIST)
		fd = open(at(RECORDS "/lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		complain(RECORDS ": %s: what a function had before cannot be remembered",
			 strerror(errno));
		return false;
	}
	if (flock(fd, LOCK_EX)) {
		complain(RECORDS "/lock: %s", strerror(errno));
		return false;
	}
	return true;
}
