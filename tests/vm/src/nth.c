// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: those of one thread, and none that it does not make itself. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "nth.h"

#define FAULTS	"/sys/kernel/debug/"

static int nth = -1;

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		err(1, "%s", path);
	close(fd);
}

bool nth_init(void)
{
	nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth < 0)
		return false;
	put(FAULTS "failslab/ignore-gfp-wait", "N");
	put(FAULTS "failslab/verbose", "0");
	put(FAULTS "fail_page_alloc/ignore-gfp-wait", "N");
	put(FAULTS "fail_page_alloc/ignore-gfp-highmem", "N");
	put(FAULTS "fail_page_alloc/min-order", "0");
	put(FAULTS "fail_page_alloc/verbose", "0");
	return true;
}

void nth_arm(unsigned int n)
{
	char text[16];

	if (pwrite(nth, text, snprintf(text, sizeof(text), "%u", n), 0) < 0)
		err(1, "fail-nth");
}

bool nth_fired(void)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) <= 0)
		err(1, "fail-nth");
	nth_arm(0);
	return !atoi(text);
}
