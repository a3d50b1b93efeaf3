// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks for what must not happen while others run programs: a complaint in the
 * kernel's log, a call that does not end, a process that ends; and in the end, what
 * is left behind. Tells how far it got.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "iommufd_test.h"

#define REPORT_EVERY 10
/* How much less memory there may be at the end: freed blocks wait in KASAN's quarantine. */
#define MEMORY_KB (256l << 10)
#define SPLAT_LINES 100
/* How often to look whether the last objects are gone, every 2 s. */
#define LINGER 15
/* So many calls should a process live, on average, before it has the kernel write over itself. */
#define CALLS_A_CRASH 100000
/* After so many ioctls every kind of call should have succeeded once. */
#define ENOUGH 300000

struct left {
	long available, pinned, huge;
	uint32_t globals, attached, domains, devices;
};

static const char *const bad_words[] = {
	"BUG:", "WARNING:", "KASAN", "UBSAN", "INFO: task", "INFO: rcu", "self-detected stall",
	"possible recursive locking", "possible circular locking", "general protection",
	"new suspected memory leaks", "Oops", "soft lockup", "hung_task", "DEBUG_LOCKS_WARN_ON",
	"page dumped because", "Bad page", "refcount_t", "list_add corruption",
};

static int kmsg;
static struct left before;
static time_t started;
static unsigned int failures;

static long number_after(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long value = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtol(line + strcspn(line, " \t"), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static void put(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, word, strlen(word)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

static void count_left(struct left *left)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = MOCK_OP_COUNT };
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	memset(left, 0, sizeof(*left));
	if (fd < 0 || ioctl(fd, IOMMU_TEST_CMD, &cmd)) {
		fprintf(stderr, "fuzz: no /dev/iommu with a mock\n");
		exit(2);
	}
	close(fd);
	left->globals = cmd.count.out_globals;
	left->attached = cmd.count.out_attached;
	left->domains = cmd.count.out_domains;
	left->devices = cmd.count.out_devices;
	put("/proc/sys/vm/stat_refresh", "1");
	put("/proc/sys/vm/drop_caches", "3");
	left->pinned = number_after("/proc/vmstat", "nr_foll_pin_acquired") -
		       number_after("/proc/vmstat", "nr_foll_pin_released");
	left->huge = number_after("/proc/meminfo", "HugePages_Free:");
	left->available = number_after("/proc/meminfo", "MemAvailable:");
}

void watch_init(void)
{
	count_left(&before);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0) {
		perror("/dev/kmsg");
		exit(2);
	}
	started = time(NULL);
}

static bool is_bad(const char *text)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_words); i++)
		if (strstr(text, bad_words[i]))
			return true;
	return false;
}

/* Reads what is new in the log; shows a complaint and what follows it. */
static bool log_is_clean(void)
{
	unsigned int shown = 0;
	char record[8192], *text;
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			break;
		record[n] = 0;
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		text[strcspn(text, "\n")] = 0;
		if (!shown && !is_bad(text))
			continue;
		if (!shown)
			sleep(2);
		if (shown++ < SPLAT_LINES)
			printf("log| %s\n", text);
	}
	return !shown;
}

/* What every thread has run last, the newest at the end. */
static void show_recent(void)
{
	unsigned int i, j, slot;

	for (i = 0; i < opts.procs * opts.threads; i++) {
		struct seat *seat = &sh->seat[i];

		printf("# thread %u%s\n", i, seat->busy ? ", in a program" : "");
		for (j = 0; j < RECENT; j++) {
			slot = (seat->next + j) % RECENT;
			if (!seat->recent[slot].n)
				continue;
			text_print(stdout, &seat->recent[slot], seat->result[slot]);
		}
		if (seat->busy)
			printf("# in its call %u\n", seat->at);
	}
	fflush(stdout);
}

static void fail(const char *what)
{
	printf("FAILED after %ld s: %s\n", (long)(time(NULL) - started), what);
	failures++;
}

static uint64_t all_calls(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < MAX_THREADS; i++)
		sum += sh->seat[i].calls;
	return sum;
}

static bool nobody_hangs(void)
{
	unsigned int i;

	for (i = 0; i < opts.procs * opts.threads; i++) {
		struct seat *seat = &sh->seat[i];

		if (!seat->busy || seat->calls != seat->seen) {
			seat->seen = seat->calls;
			seat->stuck = 0;
		} else if (++seat->stuck == opts.hang) {
			put("/proc/sysrq-trigger", "w");
			return false;
		}
	}
	return true;
}

static void progress(time_t now)
{
	static uint64_t last;
	uint64_t sum = all_calls();

	printf("%5ld s %9" PRIu64 " calls %6" PRIu64 "/s %6" PRIu64 " edges %5" PRIu64
	       " blocks %4u programs\n", (long)(now - started), sum, (sum - last) / REPORT_EVERY,
	       sh->edges, sh->pcs, sh->nprogs);
	fflush(stdout);
	last = sum;
}

/*
 * A program may tell the kernel to write where the process that runs it has its own data. That
 * is no fault of the kernel's, if it does not happen often. Another goes on in its place.
 */
static bool revived(pid_t pid, int status)
{
	static unsigned int crashes;
	unsigned int i;

	printf("process %d ended, status 0x%x\n", pid, status);
	fflush(stdout);
	if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL ||
	    ++crashes > 1 + all_calls() / CALLS_A_CRASH)
		return false;
	for (i = 0; i < opts.procs; i++)
		if (sh->pids[i] == pid)
			process_start(i);
	return true;
}

/* Until the time is over, or something is wrong. Returns whether all is well. */
static bool guard(void)
{
	time_t next = started + REPORT_EVERY, now = started;
	int status;
	pid_t pid;

	while (now < started + opts.seconds && !sh->stop) {
		sleep(1);
		now = time(NULL);
		if (!log_is_clean()) {
			fail("the kernel complained");
			return false;
		}
		pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0 && !sh->stop && !revived(pid, status)) {
			fail("a process ended that should not");
			return false;
		}
		if (!nobody_hangs()) {
			fail("a call does not end");
			return false;
		}
		if (now >= next) {
			progress(now);
			next = now + REPORT_EVERY;
		}
		if (opts.max_calls && all_calls() >= opts.max_calls)
			break;
	}
	return true;
}

/* Asks all to stop; those that do not are killed. */
void watch(unsigned int nr_procs)
{
	bool well = guard();
	unsigned int i, waited = 0, left = nr_procs;

	if (!well)
		show_recent();
	sh->stop = 1;
	while (left && waited++ < (well ? opts.hang * 10 : 50)) {
		usleep(100000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		if (errno == ECHILD)
			left = 0;
	}
	if (left && well) {
		fail("a process does not end");
		show_recent();
	}
	for (i = 0; i < nr_procs && left; i++)
		kill(sh->pids[i], 9);
}

static bool no_objects_left(const struct left *now)
{
	return now->globals == before.globals && now->attached == before.attached &&
	       now->domains == before.domains && now->devices == before.devices;
}

static void check_left(void)
{
	struct left now;
	unsigned int i;

	/* The last files are closed behind us, those that were passed around one by one. */
	for (i = 0; i < LINGER; i++) {
		sleep(2);
		count_left(&now);
		if (no_objects_left(&now))
			break;
	}
	printf("now (at the start): available %ld kB (%ld), pinned %ld (%ld), huge %ld (%ld)\n",
	       now.available, before.available, now.pinned, before.pinned, now.huge, before.huge);
	printf("after %u s: ", 2 * i + 2);
	printf("global PASIDs %u (%u), attached %u (%u), domains %u (%u), devices %u (%u)\n",
	       now.globals, before.globals, now.attached, before.attached, now.domains,
	       before.domains, now.devices, before.devices);
	if (now.available < before.available - MEMORY_KB)
		fail("memory is missing");
	if (now.pinned != before.pinned || now.huge != before.huge)
		fail("pages are pinned or lost");
	if (!no_objects_left(&now))
		fail("objects are left");
}

/* One is of a file that a VFIO group has as its container, one is no operation of the mock. */
static bool may_always_fail(const char *name)
{
	return !strcmp(name, "t1_dirty") || !strcmp(name, "no_op");
}

static void show_tally(void)
{
	uint64_t sum = all_calls(), ioctls = 0;
	long seconds = time(NULL) - started;
	unsigned int i, never = 0;

	printf("%-16s %10s %10s %8s  last errno\n", "call", "ok", "failed", "us each");
	for (i = 0; i < nr_kinds; i++) {
		const struct tally *t = &sh->tally[i];

		printf("%-16s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 "  %d%s\n", kinds[i].name,
		       t->ok, t->failed, t->ns / 1000 / (t->ok + t->failed + 1), t->last_errno,
		       t->ok ? "" : "  never succeeded");
		never += !t->ok && !may_always_fail(kinds[i].name);
		if (kinds[i].sysop == S_IOCTL || kinds[i].sysop == S_NUMBER)
			ioctls += t->ok + t->failed;
	}
	printf("seed %" PRIu64 ": %" PRIu64 " calls, %" PRIu64 " of them ioctls, %" PRIu64
	       " ioctls/s; %" PRIu64 " edges, %" PRIu64 " blocks; %u programs\n", opts.seed, sum,
	       ioctls, seconds ? ioctls / seconds : 0, sh->edges, sh->pcs, sh->nprogs);
	if (never && ioctls > ENOUGH && !failures)
		fail("there are calls that never succeeded");
}

/* What is left when all have ended well; the number of failures. */
int watch_end(void)
{
	if (!failures)
		check_left();
	if (!failures && !log_is_clean())
		fail("the kernel complained");
	show_tally();
	return failures;
}
