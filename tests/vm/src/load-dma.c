// SPDX-License-Identifier: GPL-2.0
/*
 * A function that does DMA while its mappings, page tables and users come and go, for minutes: each
 * user maps, unmaps, moves the function and its PASID to other address spaces, and looks where
 * writes arrive and where not, until it ends or is killed; then the next one comes. With "pasid" it
 * needs the module pasid_shim.
 *
 *	load-dma BDF SECONDS [pasid] [warm]
 *
 * warm: this is not the run that counts, and may leave something out.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define BASE	0x4000000ULL
#define SLOTS	16
#define SLOT	0x100000ULL
#define COUNT	256
/* Seconds, also on a slow kernel. */
#define PATIENCE 300

enum kind { MAP, UNMAP, COPY, ARRIVES, READS, REFUSED, MOVE, PASID_ATTACH, PASID_MOVE,
	    PASID_WRITE, PASID_DETACH, EXIT, KILL, KINDS };

static const char * const names[] = { "map", "unmap", "copy", "arrives", "reads", "refused", "move",
	"pasid_attach", "pasid_move", "pasid_write", "pasid_detach", "exit", "kill" };

/* Shared by all users, of which there is one at a time. */
static struct {
	unsigned long done[KINDS];
	unsigned int seed, steps;
} *tally;
static const char *bdf;
static bool pasid, warm;
static time_t begin;
static long seconds;

struct user {
	struct rig rig;
	/* The rig's and another; which one the function has, and its PASID. */
	__u32 ioas[2];
	unsigned int at, pasid_at;
	bool has_pasid;
	__u8 *memory;
	/* Pages in a slot of the first IOAS; 0: not mapped. */
	unsigned int pages[SLOTS];
	/* One page of its own in each IOAS, which tells where a write went. */
	__u8 *mark[2];
};

#define MARK	(BASE + SLOTS * SLOT)

static unsigned int pick(unsigned int n)
{
	return rand_r(&tally->seed) % n;
}

static void must(int rc, enum kind kind)
{
	if (rc)
		errx(1, "%s: %s", names[kind], strerror(-rc));
	tally->done[kind]++;
}

static void user_open(struct user *u)
{
	int i;

	memset(u, 0, sizeof(*u));
	if (pasid)
		go_through(0);
	rig_open(&u->rig, bdf);
	u->memory = xmmap(SLOT, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	u->ioas[0] = u->rig.ioas;
	for (i = 0; i < 2; i++)
		u->mark[i] = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	must(ioas_map(u->rig.iommu, u->ioas[0], u->mark[0], PAGE, MARK, RW), MAP);
	u->ioas[1] = rig_ioas(&u->rig, u->mark[1], MARK);
}

/* In the second IOAS nothing but the mark and the staging page is mapped. */
static void write_page(struct user *u, unsigned int slot)
{
	unsigned int page = pick(u->pages[slot]), seed = pick(200);
	__u8 *at = u->memory + page * PAGE;

	memset(at, 0, COUNT);
	rig_write(&u->rig, BASE + slot * SLOT + page * PAGE, COUNT, seed);
	if (u->at) {
		if (at[0] || at[COUNT - 1])
			errx(1, "a write to slot %u arrived, which is of another IOAS", slot);
		tally->done[REFUSED]++;
		return;
	}
	if (!filled(at, COUNT, seed))
		errx(1, "a write to slot %u, page %u, did not arrive", slot, page);
	tally->done[ARRIVES]++;
}

static void read_page(struct user *u, unsigned int slot)
{
	unsigned int page = pick(u->pages[slot]), seed = pick(200);

	if (u->at)
		return;
	fill(u->memory + page * PAGE, COUNT, seed);
	if (!rig_reads(&u->rig, BASE + slot * SLOT + page * PAGE, COUNT, seed))
		errx(1, "what the function read from slot %u is something else", slot);
	tally->done[READS]++;
}

static void unmap_slot(struct user *u, unsigned int slot)
{
	unsigned int n = u->pages[slot];

	must(ioas_unmap(u->rig.iommu, u->ioas[0], BASE + slot * SLOT, n * PAGE), UNMAP);
	u->pages[slot] = 0;
	if (pick(3))
		return;
	memset(u->memory, 0, PAGE);
	rig_write(&u->rig, BASE + slot * SLOT, COUNT, 1);
	if (!untouched(u->memory))
		errx(1, "a write to slot %u arrived after it was unmapped", slot);
	tally->done[REFUSED]++;
}

static void map_slot(struct user *u, unsigned int slot)
{
	unsigned int from = pick(SLOTS), n = 1 + pick(SLOT / PAGE);

	if (u->pages[from] && !pick(3)) {
		u->pages[slot] = u->pages[from];
		must(ioas_copy(u->rig.iommu, u->ioas[0], BASE + slot * SLOT, u->ioas[0],
			       BASE + from * SLOT, u->pages[from] * PAGE), COPY);
		return;
	}
	u->pages[slot] = n;
	must(ioas_map(u->rig.iommu, u->ioas[0], u->memory, n * PAGE, BASE + slot * SLOT, RW), MAP);
}

/* A DMA takes the function 100 ms: most of the time others are at work meanwhile. */
static void use_slot(struct user *u, unsigned int slot)
{
	switch (u->pages[slot] ? pick(8) : 8) {
	case 0:
		write_page(u, slot);
		break;
	case 1:
		read_page(u, slot);
		break;
	case 8:
		map_slot(u, slot);
		break;
	default:
		unmap_slot(u, slot);
	}
}

static void move(struct user *u)
{
	__u32 pt;

	u->at = !u->at;
	pt = u->ioas[u->at];
	must(dev_attach(u->rig.dev, &pt), MOVE);
}

/* A write through the PASID's entry arrives where the PASID is attached. */
static void write_by_pasid(struct user *u)
{
	unsigned int seed = pick(200);
	__u8 *to = u->mark[u->pasid_at], *other = u->mark[!u->pasid_at];

	memset(to, 0, PAGE);
	memset(other, 0, PAGE);
	go_through(1);
	rig_write(&u->rig, MARK, COUNT, seed);
	go_through(0);
	if (!filled(to, COUNT, seed) || !untouched(other))
		errx(1, "a write by PASID 1 went elsewhere");
	tally->done[PASID_WRITE]++;
}

static void use_pasid(struct user *u)
{
	__u32 pt;

	if (u->has_pasid && !pick(3)) {
		u->has_pasid = false;
		must(dev_detach_pasid(u->rig.dev, 1), PASID_DETACH);
		return;
	}
	if (u->has_pasid && pick(2)) {
		write_by_pasid(u);
		return;
	}
	u->pasid_at = pick(2);
	pt = u->ioas[u->pasid_at];
	must(dev_attach_pasid(u->rig.dev, 1, &pt), u->has_pasid ? PASID_MOVE : PASID_ATTACH);
	u->has_pasid = true;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool wanted(int kind)
{
	return pasid || kind < PASID_ATTACH || kind > PASID_DETACH;
}

static bool all_done(void)
{
	int i;

	for (i = 0; i < KINDS; i++)
		if (wanted(i) && !tally->done[i])
			return false;
	return true;
}

/* The time is over; on a slow kernel not before all has been done once. */
static bool is_over(void)
{
	time_t late = now() - begin;

	return late >= seconds && (warm || all_done() || late >= 8 * seconds);
}

/* Ends by itself, with everything open, or is killed. */
static void user_life(void)
{
	static struct user u;
	unsigned int steps = 20 + pick(200), i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	user_open(&u);
	for (i = 0; i < steps && !is_over(); i++) {
		unsigned int what = pick(10);

		tally->steps++;
		if (!what)
			move(&u);
		else if (what < 3 && pasid)
			use_pasid(&u);
		else
			use_slot(&u, pick(SLOTS));
	}
	tally->done[EXIT]++;
	if (pick(2))
		rig_close(&u.rig);
	_exit(0);
}

static void print(long minutes)
{
	int i;

	printf("%s, %ld min:", bdf, minutes);
	for (i = 0; i < KINDS; i++)
		printf(" %s %lu", names[i], tally->done[i]);
	printf("\n");
	fflush(stdout);
}

/* One user, that ends by itself or is killed after some steps: 0 if all was well. */
static int one_user(void)
{
	unsigned int late = pick(2) ? pick(60) : ~0U;
	bool killed = false;
	time_t since = 0;
	int status;
	pid_t pid;

	tally->seed += 7;
	tally->steps = 0;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		user_life();
	while (waitpid(pid, &status, WNOHANG) != pid) {
		usleep(20000);
		if (!killed && tally->steps >= late) {
			killed = true;
			since = now();
			kill(pid, SIGKILL);
		} else if (killed && now() - since > PATIENCE) {
			printf("a user that was killed is there after %d s\n", PATIENCE);
			return 1;
		}
	}
	if (killed && WIFSIGNALED(status)) {
		tally->done[KILL]++;
		return 0;
	}
	if (status)
		printf("a user ended with status %#x\n", status);
	return status;
}

static void check_kinds(void)
{
	char line[128];
	int i;

	for (i = 0; i < KINDS; i++) {
		if (!wanted(i))
			continue;
		snprintf(line, sizeof(line), "%s: %s", bdf, names[i]);
		check(tally->done[i], line, "never done");
	}
}

int main(int argc, char **argv)
{
	time_t minute = 0;
	int rc = 0, i;
	char line[128];

	if (argc < 3)
		errx(2, "usage: load-dma BDF SECONDS [pasid] [warm]");
	bdf = argv[1];
	begin = now();
	seconds = atol(argv[2]);
	for (i = 3; i < argc; i++) {
		pasid |= !strcmp(argv[i], "pasid");
		warm |= !strcmp(argv[i], "warm");
	}
	tally = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	tally->seed = begin ^ getpid();
	printf("%s, seed %u\n", bdf, tally->seed);
	while (!rc && !is_over()) {
		rc = one_user();
		if ((now() - begin) / 60 != minute) {
			minute = (now() - begin) / 60;
			print(minute);
		}
	}
	if (pasid)
		go_through(0);
	print((now() - begin) / 60);
	snprintf(line, sizeof(line), "%s: every user did what it should", bdf);
	check(!rc, line, "status %#x", rc);
	check_kinds();
	return check_done();
}
