// SPDX-License-Identifier: GPL-2.0
/* See faults.h. May touch: the kernel's log, for reading. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "faults.h"
#include "rig.h"

/* SMMUv3's are five lines, of which the first has none of these. */
static const char *const marks[] = { "fault addr", "Event logged", "arm-smmu-v3" };

static bool marked(const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strstr(line, marks[i]))
			return true;
	return false;
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
		if (!text || !marked(text))
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

bool fault_at(__u64 iova)
{
	char text[64], line[1024];

	if (iommu_is("ivhd"))
		snprintf(text, sizeof(text), "IO_PAGE_FAULT");
	else
		snprintf(text, sizeof(text), iommu_is("dmar") ? "fault addr 0x%llx " : "0x%016llx",
			 iova);
	return fault_seen(text, line, sizeof(line));
}

bool iommu_is(const char *kind)
{
	DIR *dir = opendir("/sys/class/iommu");
	bool found = false;
	struct dirent *d;

	if (!dir)
		err(1, "/sys/class/iommu");
	while ((d = readdir(dir)))
		found |= !strncmp(d->d_name, kind, strlen(kind));
	closedir(dir);
	return found;
}
