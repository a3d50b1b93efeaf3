// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a small corpus of a large one: each program runs alone, in a new context and
 * on new memory; it stays if it reaches what those before it did not, without the
 * calls that this does not need.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAP_WORDS (1 << (MAP_BITS - 6))
#define MAP_SIZE (MAP_WORDS * sizeof(uint64_t))
/* Fewer are not worth a program: they depend on what happened to be in caches. */
#define ENOUGH 2

static void run_fresh(struct runner *r, const struct prog *prog)
{
	objects_close();
	sys_fresh();
	ctx_reopen(r->ctx);
	memset(r->trace, 0, MAP_SIZE);
	prog_run(r, prog);
	sys_release();
	objects_close();
}

/* How much of what the last run reached is not in @have. Sets @wanted to that. */
static unsigned int news(const struct runner *r, const uint64_t *have, uint64_t *wanted)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAP_WORDS; i++) {
		wanted[i] = r->trace[i] & ~have[i];
		n += __builtin_popcountll(wanted[i]);
	}
	return n;
}

static bool reaches(const struct runner *r, const uint64_t *wanted)
{
	unsigned int i;

	for (i = 0; i < MAP_WORDS; i++)
		if (wanted[i] & ~r->trace[i])
			return false;
	return true;
}

static void shorten(struct runner *r, struct prog *prog, const uint64_t *wanted)
{
	struct prog less;
	unsigned int at;

	for (at = prog->n; at-- > 0 && prog->n > 1;) {
		prog_copy(&less, prog);
		prog_remove(&less, at);
		run_fresh(r, &less);
		if (reaches(r, wanted))
			prog_copy(prog, &less);
	}
}

void distill(void)
{
	uint64_t *have = calloc(1, MAP_SIZE), *wanted = calloc(1, MAP_SIZE);
	static struct runner r;
	struct prog prog;
	unsigned int i, j, kept = 0;

	runner_init(&r, 0);
	r.trace = calloc(1, MAP_SIZE);
	printf("@corpus\n");
	for (i = 0; i < sh->nprogs; i++) {
		prog_copy(&prog, &sh->prog[i]);
		run_fresh(&r, &prog);
		if (news(&r, have, wanted) < ENOUGH)
			continue;
		/* Once more: what does not come again was not the program's doing. */
		run_fresh(&r, &prog);
		for (j = 0; j < MAP_WORDS; j++)
			wanted[j] &= r.trace[j];
		shorten(&r, &prog, wanted);
		for (j = 0; j < MAP_WORDS; j++)
			have[j] |= wanted[j];
		text_print(stdout, &prog, NULL);
		kept++;
	}
	printf("@end\n%u of %u programs kept\n", kept, sh->nprogs);
}
