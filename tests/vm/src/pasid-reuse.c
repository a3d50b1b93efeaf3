// SPDX-License-Identifier: GPL-2.0
/*
 * A PASID that one user gives back and another gets never reaches the first one's memory: what the
 * IOMMU has cached for the first, which had done DMA just before, is forgotten. So is what it has
 * cached of an IOVA that is mapped again, and of a PASID that is attached again. The same IOVA is
 * another page for each user. Needs the module pasid_shim, which says once that requests carry
 * PASID 1 and then stays out of the way, because it clears caches. With two slices of the function,
 * both users have their contexts, and their memory mapped, all the time.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define SHARED	(MAP_SHARED | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define COUNT	512
#define ROUNDS	4
#define ENTRY	1
#define STAYS	99	/* a pattern that the first one's page must keep */

enum end { FREED, CLOSED, KILLED };

static const char *bdf;
static const char *first_path, *second_path;
static bool slices;
static __u8 *its, *mine;	/* the pages at BASE of the first user, and of the second */

static bool named(bool good, const char *how, const char *what)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: %s", how, what);
	return check(good, line, "not so");
}

static int attach(struct rig *rig, __u32 pt)
{
	return slices ? dev_attach(rig->dev, &pt) : dev_attach_pasid(rig->dev, ENTRY, &pt);
}

static int detach(struct rig *rig)
{
	return slices ? dev_detach(rig->dev) : dev_detach_pasid(rig->dev, ENTRY);
}

static void open_slice(struct rig *rig, const char *path)
{
	rig->iommu = open_iommu();
	rig->dev = open_cdev(path);
	if (dev_bind(rig->dev, rig->iommu, &rig->devid))
		err(1, "bind of %s", path);
	rig->stage = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	rig->bar = map_bar(rig->dev);
}

/* With the number allocated, and that page at BASE in what it is attached to. */
static void use(struct rig *rig, const char *path, __u8 *page)
{
	__u32 pasid = 0;

	if (slices)
		open_slice(rig, path);
	else
		rig_open(rig, bdf);
	if (!slices && (pasid_alloc(rig->iommu, 0, rig->devid, &pasid) || pasid != ENTRY))
		errx(1, "the PASID is not free");
	if (attach(rig, rig_ioas(rig, page, BASE)))
		err(1, "attach");
}

static void give_back(struct rig *rig, enum end how)
{
	if (how == FREED && (detach(rig) ||
			     (!slices && pasid_free(rig->iommu, rig->devid, ENTRY))))
		errx(1, "giving the PASID back");
	munmap(rig->bar, PAGE);
	close(rig->dev);
}

static bool hears(int from)
{
	char c;

	return read(from, &c, 1) == 1;
}

static bool says(int to)
{
	return write(to, "r", 1) == 1;
}

/* Keeps its context and its mapping, though the function is another's by then. */
static void first_user(enum end how, int to, int from)
{
	struct rig rig;

	use(&rig, first_path, its);
	go_through(ENTRY);
	rig_write(&rig, BASE, COUNT, 1);
	if (!filled(its, COUNT, 1))
		_exit(1);
	if (how == KILLED) {
		edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
		says(to);
		pause();
	}
	give_back(&rig, how);
	says(to);
	hears(from);
	_exit(0);
}

/* The second one's DMA is its own; the first one's page stays as it is. */
static void second_user(const char *how)
{
	struct rig rig;

	memset(mine, 0, PAGE);
	use(&rig, second_path, mine);
	rig_write(&rig, BASE, COUNT, 2);
	named(filled(mine, COUNT, 2), how, "the next one's write reaches its page");
	named(filled(its, PAGE, STAYS), how, "and not that of the one before");
	fill(mine, COUNT, 3);
	named(rig_reads(&rig, BASE, COUNT, 3), how, "a read gets what is in its page");
	give_back(&rig, FREED);
	close(rig.iommu);
	munmap(rig.stage, PAGE);
}

static void handed_on(const char *how, enum end end)
{
	int up[2], down[2];
	pid_t pid;

	if (pipe(up) || pipe(down))
		err(1, "pipe");
	memset(its, 0, PAGE);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(up[0]);
		close(down[1]);
		first_user(end, up[1], down[0]);
	}
	close(up[1]);
	close(down[0]);
	named(hears(up[0]), how, "the first one's write reaches its page");
	if (end == KILLED) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	fill(its, PAGE, STAYS);
	rogue_write(bdf, BASE);
	named(filled(its, PAGE, STAYS), how, "while the PASID is nobody's, a write is refused");
	second_user(how);
	close(down[1]);
	if (end != KILLED)
		waitpid(pid, NULL, 0);
	close(up[0]);
}

/* What is at BASE changes by one of these, under caches that have what was there. */
static void mapped_again(struct rig *rig, __u32 ioas, __u8 *page)
{
	if (ioas_unmap(rig->iommu, ioas, BASE, PAGE) ||
	    ioas_map(rig->iommu, ioas, page, PAGE, BASE, RW))
		errx(1, "map again");
}

static void attached_again(struct rig *rig, __u32 *ioas, __u8 *page, bool at_once)
{
	__u32 next;

	/* The one before goes first, so that its numbers and pages are the next one's, maybe. */
	if (!at_once && (detach(rig) || destroy(rig->iommu, *ioas)))
		errx(1, "detach");
	next = rig_ioas(rig, page, BASE);
	if (attach(rig, next))
		errx(1, "attach");
	if (at_once && destroy(rig->iommu, *ioas))
		errx(1, "destroy");
	*ioas = next;
}

static void changes(const char *how, int kind)
{
	__u8 *pages[2] = { its, mine };
	int i, wrong = 0, old = 0;
	char line[128];
	struct rig rig;
	__u32 ioas;

	use(&rig, first_path, its);
	go_through(ENTRY);
	ioas = rig_ioas(&rig, its, BASE);
	if (attach(&rig, ioas))
		errx(1, "attach");
	memset(its, 0, PAGE);
	rig_write(&rig, BASE, COUNT, 1);
	named(filled(its, COUNT, 1), how, "before, a write reaches the page");
	for (i = 1; i <= ROUNDS; i++) {
		if (kind == 0)
			mapped_again(&rig, ioas, pages[i % 2]);
		else
			attached_again(&rig, &ioas, pages[i % 2], kind == 2);
		fill(pages[(i + 1) % 2], PAGE, STAYS);
		memset(pages[i % 2], 0, PAGE);
		rig_write(&rig, BASE, COUNT, i);
		wrong += !filled(pages[i % 2], COUNT, i);
		old += !filled(pages[(i + 1) % 2], PAGE, STAYS);
	}
	snprintf(line, sizeof(line), "%s: a write reaches the page of now", how);
	check(!wrong, line, "%d of %d did not", wrong, ROUNDS);
	snprintf(line, sizeof(line), "%s: and not that of before", how);
	check(!old, line, "%d of %d did", old, ROUNDS);
	give_back(&rig, FREED);
	close(rig.iommu);
	munmap(rig.stage, PAGE);
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 4)
		errx(2, "usage: pasid-reuse BDF [SLICE SLICE], files of /dev/vfio/devices");
	bdf = argv[1];
	slices = argc == 4;
	first_path = slices ? argv[2] : bdf;
	second_path = slices ? argv[3] : bdf;
	its = xmmap(PAGE, SHARED, -1);
	mine = xmmap(PAGE, SHARED, -1);
	handed_on("freed", FREED);
	handed_on("closed", CLOSED);
	handed_on("killed", KILLED);
	changes("mapped again", 0);
	changes("attached again", 1);
	changes("replaced", 2);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
