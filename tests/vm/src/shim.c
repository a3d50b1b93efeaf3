// SPDX-License-Identifier: GPL-2.0
/* See shim.h. May touch: the files of the module pasid_shim. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "rig.h"
#include "shim.h"

#define FILES	"/sys/kernel/debug/pasid_shim/"

void go_through(unsigned int pasid)
{
	int fd = xopen(FILES "rid_pasid", O_WRONLY);

	if (dprintf(fd, "%u\n", pasid) < 0)
		err(1, FILES "rid_pasid");
	close(fd);
}

void watch_entry(unsigned int pasid)
{
	int fd = xopen(FILES "watch", O_WRONLY);

	if (dprintf(fd, "%u\n", pasid) < 0)
		err(1, FILES "watch");
	close(fd);
}

void watched(unsigned long long *looks, unsigned long long *absent)
{
	FILE *f = fopen(FILES "watch", "r");

	if (!f || fscanf(f, "%llu looks, %llu", looks, absent) != 2)
		err(1, FILES "watch");
	fclose(f);
}

bool table_entry(unsigned int pasid, char *words, char *quadwords, size_t size)
{
	FILE *f = fopen(FILES "entries", "r");
	char start[32];
	bool found = false;

	if (!f)
		err(1, FILES "entries");
	snprintf(start, sizeof(start), "PASID %u: ", pasid);
	while (!found && fgets(words, size, f))
		found = !strncmp(words, start, strlen(start)) && fgets(quadwords, size, f);
	if (found) {
		words[strcspn(words, "\n")] = 0;
		quadwords[strcspn(quadwords, "\n")] = 0;
	}
	fclose(f);
	return found;
}

bool entry_present(unsigned int pasid)
{
	char words[200], quadwords[200];

	return table_entry(pasid, words, quadwords, sizeof(words)) && strstr(words, ": present, ");
}
