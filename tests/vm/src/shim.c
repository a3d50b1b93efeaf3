// SPDX-License-Identifier: GPL-2.0
/* See shim.h. May touch: the files of the module pasid_shim. */
#include <err.h>
#include <errno.h>
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

/* The next line of the kernel's log that tells of a refused access. */
static bool next_fault(char *line, size_t size)
{
	static int kmsg = -1;
	ssize_t n;
	char *text;

	if (kmsg < 0) {
		kmsg = xopen("/dev/kmsg", O_RDONLY | O_NONBLOCK);
		if (lseek(kmsg, 0, SEEK_END) < 0)
			err(1, "/dev/kmsg");
	}
	/* EPIPE: lines were lost before they were read. Then it goes on with the next. */
	while ((n = read(kmsg, line, size - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n < 0 ? 0 : n] = 0;
		text = strchr(line, ';');
		if (!text || !strstr(text, "fault addr"))
			continue;
		memmove(line, text + 1, strlen(text));
		line[strcspn(line, "\n")] = 0;
		return true;
	}
	return false;
}

int faults(void)
{
	char line[1024];
	int n = 0;

	/* The interrupt may come a little after the access. */
	usleep(200000);
	while (next_fault(line, sizeof(line)))
		n++;
	return n;
}

void fault_log_ready(void)
{
	usleep(5200000);
	faults();
}

bool fault_seen(const char *text, char *line, size_t size)
{
	int tries;

	for (tries = 0; tries < 300; tries++) {
		while (next_fault(line, size))
			if (strstr(line, text))
				return true;
		usleep(10000);
	}
	return false;
}
