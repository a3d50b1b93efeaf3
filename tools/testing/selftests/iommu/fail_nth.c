// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call with its 1st, 2nd, 3rd ... allocation failing, until it runs
 * through without a failure. A call that fails says ENOMEM and has changed
 * nothing; one that succeeds in spite of it has done all of its work.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"

#define TOO_MANY 3000
#define FAULTS "/sys/kernel/debug/"

static const struct {
	const char *path, *value;
} settings[] = {
	{ FAULTS "failslab/ignore-gfp-wait", "N" },
	{ FAULTS "failslab/verbose", "0" },
	{ FAULTS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ FAULTS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ FAULTS "fail_page_alloc/min-order", "0" },
	{ FAULTS "fail_page_alloc/verbose", "0" },
};

static int nth;
/* For a kernel that fails more than allocations, with errors of its own choice. */
static bool any_errno;

/* The n-th allocation of this thread fails from now on; 0: none. */
static void arm(unsigned int n)
{
	char text[16];

	if (pwrite(nth, text, snprintf(text, sizeof(text), "%u", n), 0) < 0)
		ksft_exit_fail_msg("cannot write fail-nth\n");
}

/* Whether one has failed since arm(). */
static bool fired(void)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) <= 0)
		ksft_exit_fail_msg("cannot read fail-nth\n");
	arm(0);
	return !atoi(text);
}

/* Small pages in an order that leaves few of them beside each other. */
static void scatter(char *buf, size_t length)
{
	madvise(buf, length, MADV_NOHUGEPAGE);
	madvise(buf, length, MADV_DONTNEED);
	for (size_t step = 0; step < 8; step++) {
		for (size_t at = step * PAGE; at < length; at += 8 * PAGE)
			buf[at] = 1;
	}
}

static int setup(struct ctx *c)
{
	*c = (struct ctx){ .fd = iommu_open(), .small = mem_private(SMALL),
			   .large = mem_thp(LARGE), .file = file_new(LARGE, 0) };
	if (c->fd < 0 || !c->small || !c->large || c->file < 0)
		return -ENOMEM;
	scatter(c->large + HUGE, HUGE);
	if (ioas_alloc(c->fd, &c->ioas) || ioas_alloc(c->fd, &c->idle) ||
	    ioas_alloc(c->fd, &c->empty) || mock_attach(c->fd, c->ioas, &c->dev) ||
	    mock_attach(c->fd, c->empty, &c->empty_dev))
		return -EIO;
	if (map_at(c->fd, c->ioas, c->small, SMALL, AT) ||
	    map_at(c->fd, c->ioas, c->large, LARGE, AT + SMALL) ||
	    map_at(c->fd, c->idle, c->small, SMALL, AT) ||
	    map_at(c->fd, c->idle, c->large, LARGE, AT + SMALL))
		return -EIO;
	c->access = access_new_pinning(c->fd, c->ioas);
	return c->access < 0 ? c->access : setup_pasids(c) ?: setup_faults(c) ?: setup_viommus(c);
}

/* Everything can be destroyed, and then there is nothing more. */
static int teardown(struct ctx *c)
{
	int rc;

	close(c->access);
	rc = teardown_viommus(c) ?: teardown_faults(c) ?: teardown_pasids(c) ?:
	     destroy(c->fd, c->dev.stdev) ?:
	     destroy(c->fd, c->empty_dev.stdev) ?:
	     destroy(c->fd, c->ioas) ?: destroy(c->fd, c->idle) ?: destroy(c->fd, c->empty);
	for (__u32 id = 1; !rc && id < 64; id++) {
		if (destroy(c->fd, id) != -ENOENT)
			rc = -EEXIST;
	}
	if (!rc && pages_pinned())
		rc = -EMLINK;
	close(c->fd);
	close(c->file);
	munmap(c->small, SMALL);
	munmap(c->large, LARGE);
	return rc;
}

static bool may_say(const struct call *call, int rc)
{
	return rc == -ENOMEM || rc == call->instead || any_errno;
}

/* One try: 1 if no allocation was left to fail, 0 to go on, or an error that is told. */
static int try(const struct call *call, struct ctx *c, unsigned int n)
{
	struct counts counts;
	long pinned;
	bool failed;
	int rc, after = 0;

	if (call->before && call->before(c)) {
		ksft_print_msg("%s, %u: cannot be prepared\n", call->name, n);
		return -EIO;
	}
	if (count(c->fd, 0, &counts))
		return -EIO;
	pinned = pages_pinned();
	arm(n);
	all_calls_armed(true);
	rc = call->call(c);
	all_calls_armed(false);
	failed = fired();
	if (rc && (!may_say(call, rc) || call->must_succeed || !failed)) {
		ksft_print_msg("%s, %u: %d (%s)\n", call->name, n, rc, strerror(-rc));
		return rc;
	}
	if (rc && pages_pinned() != pinned) {
		ksft_print_msg("%s, %u: %ld pages pinned, and before %ld\n", call->name, n,
			       pages_pinned(), pinned);
		return -EIO;
	}
	if (rc && !nothing_left(c->fd, &counts)) {
		ksft_print_msg("%s, %u: something is left\n", call->name, n);
		return -EIO;
	}
	if (rc && call->intact)
		after = call->intact(c);
	else if (!rc && call->done)
		after = call->done(c);
	if (after) {
		ksft_print_msg("%s, %u: %s, but then %d (%s)\n", call->name, n,
			       rc ? "failed" : "succeeded", after, strerror(-after));
		return after;
	}
	return !failed;
}

static void test(const struct call *call)
{
	long pins = pins_outstanding(), taint = kernel_taint();
	unsigned int n = 0;
	struct ctx c;
	int rc = setup(&c), end;

	if (rc) {
		ksft_test_result_fail("%s: cannot be set up: %d\n", call->name, rc);
		return;
	}
	arm(0);
	/* So that a call the kernel does not have is not taken for one that fails well. */
	if (call->optional && call->optional(&c) == -ENOTTY) {
		ksft_test_result_skip("%s: this kernel does not have it\n", call->name);
		teardown(&c);
		return;
	}
	while (!rc && n < TOO_MANY)
		rc = try(call, &c, ++n);
	end = teardown(&c);
	if (end)
		ksft_print_msg("%s: taken down: %d (%s)\n", call->name, end, strerror(-end));
	if (pins != pins_outstanding()) {
		ksft_print_msg("%s: %ld pages are still pinned\n", call->name,
			       pins_outstanding() - pins);
		end = -EIO;
	}
	if (taint != kernel_taint()) {
		ksft_print_msg("%s: the kernel's log has a warning\n", call->name);
		end = -EIO;
	}
	ksft_test_result(rc == 1 && !end, "%s: %u allocations\n", call->name, n - 1);
}

/* On a kernel that watches for leaks. */
static void test_leaks(void)
{
	char text[4096] = "";
	int fd = open(FAULTS "kmemleak", O_RDWR);

	if (fd < 0) {
		ksft_test_result_skip("leaks: this kernel has no kmemleak\n");
		return;
	}
	/* Young objects are left out, and the first scan may meet one in a register. */
	for (int i = 0; i < 2; i++) {
		sleep(6);
		if (write(fd, "scan", 4) < 0)
			break;
	}
	if (read(fd, text, sizeof(text) - 1) > 0)
		ksft_print_msg("%s\n", text);
	ksft_test_result(!text[0], "leaks\n");
	close(fd);
}

static void test_table(const struct call *table, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++)
		test(&table[i]);
}

static void test_all(void)
{
	unsigned int missing = all_calls_missing();

	ksft_test_result(!missing, "each of %u calls was made\n", all_calls_count());
}

int main(int argc, char **argv)
{
	any_errno = argc == 2 && !strcmp(argv[1], "--any-errno");
	ksft_print_header();
	nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth < 0)
		ksft_exit_skip("no fault injection: CONFIG_FAULT_INJECTION\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(settings); i++) {
		if (file_put(settings[i].path, settings[i].value))
			ksft_exit_skip("cannot set %s\n", settings[i].path);
	}
	ksft_set_plan(num_calls + num_pasid_calls + num_fault_calls + num_viommu_calls +
		      num_dirty_calls + num_other_calls + 2);
	test_table(calls, num_calls);
	test_table(pasid_calls, num_pasid_calls);
	test_table(fault_calls, num_fault_calls);
	test_table(viommu_calls, num_viommu_calls);
	test_table(dirty_calls, num_dirty_calls);
	test_table(other_calls, num_other_calls);
	test_all();
	test_leaks();
	ksft_finished();
}
