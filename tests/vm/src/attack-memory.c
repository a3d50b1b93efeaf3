// SPDX-License-Identifier: GPL-2.0
/*
 * What page tables take of the kernel's memory, empty ones as well, is charged to the cgroup of who
 * makes them: a program cannot have the machine's memory in tables of its own. Needs a cgroup with
 * a memory controller, to be entered.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define TABLES	3000
#define AREAS	2000
#define BASE	0x100000000ULL
#define SPREAD	0x200000ULL	/* each in a table of the lowest level of its own */

static const char *group;

static long number(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char name[64];
	long value;

	if (!f)
		err(1, "%s", path);
	while (fscanf(f, "%63s %ld%*[^\n]", name, &value) == 2) {
		if (strcmp(name, key))
			continue;
		fclose(f);
		return value;
	}
	errx(1, "%s has no %s", path, key);
}

static long kernel_kb(void)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/memory.stat", group);
	return number(path, "kernel") / 1024;
}

/* Of the whole system: objects, and the page tables of IOMMUs. */
static long used_kb(void)
{
	return number("/proc/meminfo", "Slab:") + number("/proc/meminfo", "SecPageTables:");
}

/* Of what it has more, three quarters at least are charged, but for a megabyte of others'. */
static void judge(const char *name, long charged, long used)
{
	printf("%s: %ld kB used, %ld kB charged\n", name, used, charged);
	check(charged > 2048 && charged > used * 3 / 4 - 1024, name, "%ld kB of %ld kB", charged,
	      used);
}

int main(int argc, char **argv)
{
	long charged, used;
	struct rig rig;
	__u32 ioas, hwpt;
	char path[300];
	__u8 *page;
	int i, fd;

	if (argc != 3)
		errx(2, "usage: attack-memory BDF CGROUP");
	group = argv[2];
	rig_open(&rig, argv[1]);
	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = xopen(path, O_WRONLY);
	if (write(fd, "0", 1) != 1)
		err(1, "%s", path);
	close(fd);
	page = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (ioas_alloc(rig.iommu, &ioas) || hwpt_alloc(rig.iommu, 0, rig.devid, ioas, &hwpt))
		errx(1, "a page table");

	used = used_kb();
	charged = kernel_kb();
	for (i = 0; i < TABLES; i++)
		if (hwpt_alloc(rig.iommu, 0, rig.devid, ioas, &hwpt))
			errx(1, "page table %d", i);
	judge("3000 empty page tables", kernel_kb() - charged, used_kb() - used);

	used = used_kb();
	charged = kernel_kb();
	for (i = 0; i < AREAS; i++)
		if (ioas_map(rig.iommu, rig.ioas, page, PAGE, BASE + i * SPREAD, RW))
			errx(1, "area %d", i);
	judge("2000 areas far from each other", kernel_kb() - charged, used_kb() - used);
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
