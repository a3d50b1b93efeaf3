// SPDX-License-Identifier: GPL-2.0
/* See ask.h. May touch: files in debugfs below iommu/walk. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ask.h"

#define FOLDER	"/sys/kernel/debug/iommu/walk/"

static void parse(char *text, struct said *said)
{
	unsigned long long value;
	char *line;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		sscanf(line, "result %15s", said->result);
		sscanf(line, "rights %3s", said->rights);
		sscanf(line, "fault %x", &said->fault);
		if (sscanf(line, "output %llx", &value) == 1)
			said->output = value;
		if (sscanf(line, "size %llx", &value) == 1)
			said->size = value;
	}
}

struct said ask(const char *bdf, unsigned int pasid, __u64 iova, char access)
{
	struct said said = { .error = 0 };
	char path[300], text[16384], question[64];
	ssize_t n = 0, have = 0;
	int fd;

	snprintf(path, sizeof(path), FOLDER "%s", bdf);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		said.error = errno;
		return said;
	}
	n = pasid == NO_PASID ? snprintf(question, sizeof(question), "-") :
				snprintf(question, sizeof(question), "%u", pasid);
	if (access)
		n += snprintf(question + n, sizeof(question) - n, " 0x%llx %c",
			      (unsigned long long)iova, access);
	n = write(fd, question, n);
	while (n > 0) {
		n = read(fd, text + have, sizeof(text) - 1 - have);
		have += n > 0 ? n : 0;
	}
	text[have] = 0;
	if (n < 0)
		said.error = errno;
	else
		parse(text, &said);
	close(fd);
	return said;
}

bool iommuctl_says(const char *bdf, unsigned int pasid, __u64 iova, char access,
		   const struct said *same)
{
	struct said said = { .error = 0 };
	char command[300], number[40] = "";
	unsigned long long output, size;
	FILE *f;
	int n;

	if (pasid != NO_PASID)
		snprintf(number, sizeof(number), "--pasid %u", pasid);
	n = snprintf(command, sizeof(command), "python3 tests/vm/walk_answer.py %s %s", bdf,
		     number);
	if (access)
		snprintf(command + n, sizeof(command) - n, " --iova 0x%llx%s",
			 (unsigned long long)iova, access == 'w' ? " --write" : "");
	fflush(stdout);
	f = popen(command, "r");
	if (!f)
		err(1, "%s", command);
	n = fscanf(f, "%15s %llx %llx %3s %x", said.result, &output, &size, said.rights,
		   &said.fault);
	if (pclose(f) || n != 5)
		return false;
	return !strcmp(said.result, same->result) && said.fault == same->fault &&
	       (strcmp(said.result, "translated") ||
		(output == same->output && size == same->size &&
		 !strcmp(said.rights, same->rights)));
}
