// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: processes that map, attach, hand out PASIDs, answer page
 * requests and read dirty pages, each in several threads, until they end, are
 * killed or execute another program; others take their place. What each does is
 * checked, and in the end nothing is left.
 *
 *	load [SECONDS [beside|warm]]
 *
 * beside: other programs pin memory at the same time, and somebody else counts.
 * warm: this is not the run that counts, and may leave something out.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <kselftest.h>

#include "lib/sys.h"
#include "load.h"

/* One that is asked to end, or killed, has to be gone by then, also on a slow kernel. */
#define PATIENCE 300

struct tally *tally;
static struct {
	pid_t pid;
	bool killed;
	time_t asked;
	/* When it has done so many things. */
	unsigned int kill_at;
} workers[WORKERS];
static unsigned int seed, wrong;
static bool beside, warm;

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static struct tally *tally_map(void)
{
	void *p = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED, TALLY_FD, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int tally_new(void)
{
	int fd = file_new(sizeof(*tally), 0);

	if (fd < 0 || dup2(fd, TALLY_FD) < 0)
		return -1;
	close(fd);
	tally = tally_map();
	return tally ? 0 : -1;
}

static void start(unsigned int i)
{
	unsigned int s = rand_r(&seed);

	fflush(stdout);
	workers[i].killed = false;
	workers[i].asked = 0;
	tally->mine[i] = 0;
	workers[i].kill_at = rand_r(&seed) % 2 ? rand_r(&seed) % LIFE : ~0u;
	workers[i].pid = fork();
	if (!workers[i].pid)
		_exit(worker(s, i));
	if (workers[i].pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
}

/* Takes note of those that have ended; a worker that ended badly has said why. */
static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < WORKERS; i++) {
			if (workers[i].pid != pid)
				continue;
			workers[i].pid = 0;
			if (workers[i].killed && WIFSIGNALED(status)) {
				did(DID_kill);
			} else if (status) {
				ksft_print_msg("a worker ended with status %#x\n", status);
				wrong++;
			}
		}
	}
}

/* Those whose time has come, in the middle of whatever they do. */
static void kill_some(void)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (!workers[i].pid || workers[i].asked || tally->mine[i] < workers[i].kill_at)
			continue;
		workers[i].killed = true;
		workers[i].asked = now();
		kill(workers[i].pid, SIGKILL);
	}
}

static bool hangs(void)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (workers[i].pid && workers[i].asked && now() - workers[i].asked > PATIENCE)
			return true;
	}
	return false;
}

static void print(long minutes)
{
	char line[1000];
	int at = 0;

	for (int i = 0; i < NUM_KINDS; i++)
		at += snprintf(line + at, sizeof(line) - at, " %s %lu", kind_names[i],
			       tally->done[i]);
	ksft_print_msg("%ld min:%s\n", minutes, line);
	fflush(stdout);
}

static bool all_done(void)
{
	for (int i = 0; i < NUM_KINDS; i++) {
		if (!tally->done[i])
			return false;
	}
	return true;
}

/* Until the time is over, or one is wrong; on a slow kernel until all has been done once. */
static void run(long seconds)
{
	time_t begin = now(), minute = 0;

	while (!wrong &&
	       (now() - begin < seconds ||
		(!warm && !all_done() && now() - begin < 40 * seconds))) {
		for (unsigned int i = 0; i < WORKERS; i++) {
			if (!workers[i].pid)
				start(i);
		}
		usleep(10000 + rand_r(&seed) % 90000);
		kill_some();
		reap();
		if (hangs()) {
			ksft_print_msg("a worker that was killed is there after %d s\n", PATIENCE);
			wrong++;
		}
		if ((now() - begin) / 60 != minute) {
			minute = (now() - begin) / 60;
			print(minute);
		}
	}
}

/* Those that are left are asked to end, and then killed. */
static void end_all(void)
{
	bool left = true;

	tally->stop = 1;
	for (int tries = 0; left && tries < PATIENCE * 10; tries++) {
		reap();
		left = false;
		for (unsigned int i = 0; i < WORKERS; i++)
			left |= workers[i].pid;
		usleep(100000);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (!workers[i].pid)
			continue;
		ksft_print_msg("a worker did not end\n");
		wrong++;
		kill(workers[i].pid, SIGKILL);
	}
}

/* The last of a process goes a little later than waitpid() says: where children share memory. */
static long pins_left(long before)
{
	long left = 0;

	for (int tries = 0; tries < 50; tries++) {
		left = pins_outstanding() - before;
		if (!left)
			break;
		usleep(100000);
	}
	return left;
}

int main(int argc, char **argv)
{
	long pins, taint, left, never = 0, seconds = argc > 1 ? atol(argv[1]) : 15;

	warm = argc > 2 && !strcmp(argv[2], "warm");
	beside = warm || (argc > 2 && !strcmp(argv[2], "beside"));
	if (argc == 4 && !strcmp(argv[1], "--after-exec")) {
		tally = tally_map();
		return tally ? worker_after_exec(argv[2], argv[3]) : 3;
	}
	ksft_print_header();
	ksft_set_plan(4);
	pins = pins_outstanding();
	taint = kernel_taint();
	seed = getpid() ^ now();
	ksft_print_msg("seed %u\n", seed);
	if (tally_new())
		ksft_exit_fail_msg("no shared memory\n");
	run(seconds);
	end_all();
	print(seconds / 60);
	ksft_test_result(!wrong, "every worker did what it should\n");
	for (int i = 0; i < NUM_KINDS; i++) {
		if (tally->done[i])
			continue;
		ksft_print_msg("never done: %s\n", kind_names[i]);
		never++;
	}
	ksft_test_result(!never, "every kind of operation was done\n");
	left = beside ? 0 : pins_left(pins);
	ksft_test_result(!left, "%ld pages stay pinned\n", left);
	ksft_test_result(taint == kernel_taint(), "no warning\n");
	ksft_finished();
}
