// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO's calls of ours with their 1st, 2nd, 3rd ... allocation failing: bind of an emulated device;
 * attach, move and detach of a function and of a PASID of it. What fails says ENOMEM and has
 * changed nothing, as DMA and the PASID's entry show. Needs the module pasid_shim.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "nth.h"
#include "rig.h"
#include "shim.h"

#define BASE	0x4000000ULL
#define COUNT	128

static const char *node;
/* Pages at BASE, each in an IOAS of its own. */
static __u8 *pages[2];

static struct user {
	struct rig rig;
	__u32 ioas[2];
	int closed;
} u;

struct call {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	/* What is wrong afterwards, or NULL; and the state of before() again. */
	const char *(*done)(void);
	const char *(*intact)(void);
	/* Has nothing to fail with. */
	bool must_succeed;
};

/* Which page a write of the function reaches: 0, 1, or -1 for none. */
static int reaches(unsigned int pasid)
{
	int i;

	memset(pages[0], 0, PAGE);
	memset(pages[1], 0, PAGE);
	rig_load(&u.rig, COUNT, 1);
	go_through(pasid);
	edu_start(u.rig.bar, EDU_BUFFER, BASE, COUNT, true);
	edu_wait(u.rig.bar);
	go_through(0);
	for (i = 0; i < 2; i++)
		if (filled(pages[i], COUNT, 1))
			return i;
	return -1;
}

static int attach(int which)
{
	__u32 pt = u.ioas[which];

	return dev_attach(u.rig.dev, &pt);
}

static int attach_pasid(int which)
{
	__u32 pt = u.ioas[which];

	return dev_attach_pasid(u.rig.dev, 1, &pt);
}

static void must(int rc)
{
	if (rc)
		errx(1, "%s", strerror(-rc));
}

/* An emulated device, that is bound anew each time. */
static void before_bind(void)
{
	u.closed = open_cdev(node);
}

static __u32 bound;

static int call_bind(void)
{
	return dev_bind(u.closed, u.rig.iommu, &bound);
}

static const char *done_bind(void)
{
	__u32 pt = u.ioas[0];
	int rc = dev_attach(u.closed, &pt);

	close(u.closed);
	return rc ? "the bound device cannot be attached" : NULL;
}

static const char *intact_bind(void)
{
	int rc = call_bind();

	return rc ? "it cannot be bound afterwards" : done_bind();
}

static void before_attach(void)
{
	must(dev_detach(u.rig.dev));
}

static int call_attach(void)
{
	return attach(1);
}

static const char *done_attach(void)
{
	int to = reaches(0);

	must(attach(0));
	return to == 1 ? NULL : "the function does not reach what it is attached to";
}

static const char *intact_attach(void)
{
	must(attach(0));
	return reaches(0) ? "the function cannot be attached afterwards" : NULL;
}

static int call_move(void)
{
	return attach(1);
}

static const char *intact_move(void)
{
	return reaches(0) ? "the function does not reach what it was attached to" : NULL;
}

static int call_detach(void)
{
	return dev_detach(u.rig.dev);
}

static const char *done_detach(void)
{
	must(attach(0));
	return NULL;
}

static int call_attach_pasid(void)
{
	return attach_pasid(1);
}

static const char *done_attach_pasid(void)
{
	int to = reaches(1);

	must(dev_detach_pasid(u.rig.dev, 1));
	if (to != 1)
		return "PASID 1 does not reach what it is attached to";
	return reaches(0) ? "the function itself has moved" : NULL;
}

static const char *intact_attach_pasid(void)
{
	return entry_present(1) ? "PASID 1 has an entry" : NULL;
}

static void before_move_pasid(void)
{
	must(attach_pasid(0));
}

static const char *intact_move_pasid(void)
{
	int to = reaches(1);

	must(dev_detach_pasid(u.rig.dev, 1));
	return to ? "PASID 1 does not reach what it was attached to" : NULL;
}

static int call_detach_pasid(void)
{
	return dev_detach_pasid(u.rig.dev, 1);
}

static const struct call calls[] = {
	{ .name = "bind", .before = before_bind, .call = call_bind, .done = done_bind,
	  .intact = intact_bind },
	{ .name = "attach", .before = before_attach, .call = call_attach, .done = done_attach,
	  .intact = intact_attach },
	{ .name = "attach elsewhere", .call = call_move, .done = done_attach,
	  .intact = intact_move },
	{ .name = "detach", .call = call_detach, .done = done_detach, .must_succeed = true },
	{ .name = "attach a PASID", .call = call_attach_pasid, .done = done_attach_pasid,
	  .intact = intact_attach_pasid },
	{ .name = "attach a PASID elsewhere", .before = before_move_pasid,
	  .call = call_attach_pasid, .done = done_attach_pasid, .intact = intact_move_pasid },
	{ .name = "detach a PASID", .before = before_move_pasid, .call = call_detach_pasid,
	  .done = intact_attach_pasid, .must_succeed = true },
};

static void test(const struct call *call)
{
	const char *wrong = NULL;
	unsigned int n = 0;
	char line[128];
	bool failed;
	long before;
	int rc = 0;

	do {
		n++;
		if (call->before)
			call->before();
		before = pins();
		nth_arm(n);
		rc = call->call();
		failed = nth_fired();
		if (rc && (rc != -ENOMEM || call->must_succeed || !failed))
			wrong = strerror(-rc);
		else if (rc && pins() != before)
			wrong = "pages stay pinned";
		else if (rc && call->intact)
			wrong = call->intact();
		else if (!rc && call->done)
			wrong = call->done();
	} while (failed && !wrong && n < NTH_MAX);
	snprintf(line, sizeof(line), "%s, without memory", call->name);
	check(!wrong && n < NTH_MAX, line, "allocation %u: %s", n, wrong ?: "no end");
	printf("# %s: %u allocations\n", call->name, n - 1);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 3)
		errx(2, "usage: vfio-nth BDF NODE");
	if (!nth_init())
		errx(1, "no fault injection");
	node = argv[2];
	rig_open(&u.rig, argv[1]);
	u.ioas[0] = u.rig.ioas;
	for (i = 0; i < 2; i++)
		pages[i] = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (ioas_map(u.rig.iommu, u.ioas[0], pages[0], PAGE, BASE, RW))
		errx(1, "map");
	u.ioas[1] = rig_ioas(&u.rig, pages[1], BASE);
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		test(&calls[i]);
	rig_close(&u.rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
