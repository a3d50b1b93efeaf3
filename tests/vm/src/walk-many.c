// SPDX-License-Identifier: GPL-2.0
/*
 * Many PASIDs of one function, over the whole of their range: what is attached at each is what the
 * walker finds there, and nowhere else is anything. Needs the module pasid_shim, and an IOMMU with
 * PASIDs of 20 bits.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/iommufd.h>
#include "ask.h"
#include "rig.h"

#define BASE	0x4000000ULL
#define SPACES	7
#define LAST	((1U << 20) - 1)
#define STRIDE	257		/* no two of 64 neighbours are in one table */

static struct rig rig;
static const char *bdf;
static __u8 *pages;
static __u32 space[SPACES];

/* First and last, the ends of tables, and every 257th. */
static bool wanted(unsigned int pasid)
{
	static const unsigned int ends[] = {
		1, 2, 63, 64, 65, 127, 128, 4095, 4096, 65535, 65536, 0x7ffff, 0x80000, LAST - 64,
		LAST - 63, LAST - 1, LAST,
	};
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (pasid == ends[i])
			return true;
	}
	return pasid % STRIDE == 3;
}

static unsigned int space_of(unsigned int pasid, unsigned int turn)
{
	return (pasid / STRIDE + pasid + turn) % SPACES;
}

static bool found(unsigned int pasid, unsigned int turn)
{
	struct said said = ask(bdf, pasid, BASE, 'w');

	return !strcmp(said.result, "translated") &&
	       said.output == pfn(pages + space_of(pasid, turn) * PAGE) * PAGE;
}

static bool absent(unsigned int pasid)
{
	struct said said = ask(bdf, pasid, BASE, 'w');

	/* There is no table for that part of the range, or no entry in it. */
	return !strcmp(said.result, "fault") && (said.fault == 0x51 || said.fault == 0x59);
}

/* Attaches, or replaces in the next turns; returns how many, and how many were not found then. */
static unsigned int attach_all(unsigned int turn, unsigned int *wrong)
{
	unsigned int pasid, n = 0;
	__u32 pt;

	*wrong = 0;
	for (pasid = 1; pasid <= LAST; pasid++) {
		if (!wanted(pasid))
			continue;
		pt = space[space_of(pasid, turn)];
		if (dev_attach_pasid(rig.dev, pasid, &pt))
			errx(1, "attach at PASID %u", pasid);
		n++;
		*wrong += !found(pasid, turn);
	}
	return n;
}

static void check_all(unsigned int turn, const char *name)
{
	unsigned int pasid, wrong = 0, strange = 0, looks = 0;
	char line[160];

	for (pasid = 1; pasid <= LAST; pasid++) {
		if (wanted(pasid)) {
			wrong += !found(pasid, turn);
		} else if (wanted(pasid - 1) || wanted(pasid + 1)) {
			strange += !absent(pasid);
			looks++;
		}
	}
	snprintf(line, sizeof(line), "%s: the walker finds each where it is", name);
	check(!wrong, line, "%u are not", wrong);
	snprintf(line, sizeof(line), "%s: and nothing at the numbers beside them", name);
	check(!strange && looks, line, "%u of %u", strange, looks);
}

static void detach_all(void)
{
	unsigned int pasid, still = 0, wrong = 0, n = 0;

	for (pasid = 1; pasid <= LAST; pasid++) {
		if (!wanted(pasid))
			continue;
		/* Half of them go, and the others are not touched. */
		if (n++ % 2) {
			if (dev_detach_pasid(rig.dev, pasid))
				errx(1, "detach of PASID %u", pasid);
			still += !absent(pasid);
		}
	}
	check(!still, "detached: the walker finds nothing", "%u are there", still);
	n = 0;
	still = 0;
	for (pasid = 1; pasid <= LAST; pasid++) {
		if (!wanted(pasid))
			continue;
		if (n++ % 2)
			still += !absent(pasid);
		else
			wrong += !found(pasid, 1);
	}
	check(!still && !wrong, "half of them detached: the others are as they were",
	      "%u are there, %u are not", still, wrong);
}

int main(int argc, char **argv)
{
	unsigned int i, n, wrong, pasid, left = 0;
	struct said said;

	if (argc != 2)
		errx(2, "usage: walk-many BDF");
	bdf = argv[1];
	rig_open(&rig, bdf);
	pages = xmmap(SPACES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	for (i = 0; i < SPACES; i++)
		space[i] = rig_ioas(&rig, pages + i * PAGE, BASE);
	n = attach_all(0, &wrong);
	check(n > 4000, "thousands of PASIDs are attached", "%u", n);
	check(!wrong, "the walker finds each once it is attached", "%u are not", wrong);
	check_all(0, "attached");
	said = ask(bdf, LAST, BASE, 'w');
	check(iommuctl_says(bdf, LAST, BASE, 'w', &said), "iommuctl says the same of the last one",
	      "it does not");
	attach_all(1, &wrong);
	check(!wrong, "the walker finds each once it is replaced", "%u are not", wrong);
	check_all(1, "replaced");
	detach_all();
	rig_close(&rig);
	for (pasid = 1; pasid <= LAST; pasid++)
		left += wanted(pasid) && !absent(pasid);
	check(!left, "closed: nothing is left", "%u are", left);
	return check_done();
}
