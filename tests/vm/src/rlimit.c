// SPDX-License-Identifier: GPL-2.0
/*
 * A user without CAP_IPC_LOCK may pin up to RLIMIT_MEMLOCK and no more, in all its processes
 * together, and gets all of it back however it ends.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define BASE	0x4000000ULL
#define LIMIT	(8UL << 20)
#define UID	12345

static const char *bdf;

static void become_user(void)
{
	struct rlimit limit = { LIMIT, LIMIT };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(UID) || setuid(UID))
		err(1, "becoming a user");
}

static long status_kb(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	if (!f)
		err(1, "/proc/self/status");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kb = atol(line + strlen(key) + 1);
	fclose(f);
	return kb;
}

/* One page of the limit is taken by the staging page. */
static void user(int ready, bool report)
{
	unsigned long most = LIMIT - PAGE;
	struct rig rig;
	__u8 *va;

	become_user();
	rig_open(&rig, bdf);
	va = xmmap(LIMIT * 2, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (report) {
		check_rc(ioas_map(rig.iommu, rig.ioas, va, LIMIT * 2, BASE, RW), -ENOMEM,
			 "more than the limit");
		check_rc(ioas_map(rig.iommu, rig.ioas, va, LIMIT, BASE, RW), -ENOMEM,
			 "one page more than is left");
	}
	if (ioas_map(rig.iommu, rig.ioas, va, most, BASE, RW)) {
		check(false, "exactly the limit", "refused");
		_exit(1);
	}
	if (report) {
		check(true, "exactly the limit", "-");
		check_rc(ioas_map(rig.iommu, rig.ioas, va, PAGE, BASE * 4, RW), -ENOMEM,
			 "and then one page");
		check(status_kb("VmPin") == (long)LIMIT / 1024, "VmPin says so", "%ld kB",
		      status_kb("VmPin"));
		check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, most), 0, "unmap");
		check(status_kb("VmPin") == 4, "VmPin went down", "%ld kB", status_kb("VmPin"));
		check_rc(ioas_map(rig.iommu, rig.ioas, va, most, BASE, RW), 0, "the limit again");
	}
	if (write(ready, "r", 1) != 1)
		err(1, "write");
	if (!report)
		pause();
	fflush(stdout);
	_exit(check_done());
}

static int run(bool report, bool murder)
{
	int ready[2], status;
	pid_t pid;
	char c;

	if (pipe(ready))
		err(1, "pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(ready[0]);
		user(ready[1], report);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1 && murder)
		kill(pid, SIGKILL);
	close(ready[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	if (argc != 2)
		errx(2, "usage: rlimit BDF (with /dev/iommu and the device open to everybody)");
	bdf = argv[1];
	bad = run(true, false);
	for (i = 0; i < 5; i++)
		bad += run(false, true);
	check(!bad, "five killed users in a row had the whole limit", "%d failed", bad);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
