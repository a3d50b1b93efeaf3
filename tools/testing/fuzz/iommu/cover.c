// SPDX-License-Identifier: GPL-2.0-only
/*
 * What code of the kernel a thread's calls have reached, by KCOV: the kernel writes
 * each basic block that is entered into memory of ours. What counts is a pair of
 * blocks that follow each other, as a bit in a map that all threads share.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

/* Words; what does not fit is not seen, as of a call that loops for long. */
#define AREA (64ul << 10)
#define COMPARE_WORDS 4
#define MASK ((1u << MAP_BITS) - 1)

/* Of the calling thread, from then on. */
bool cover_init(struct cover *cover)
{
	cover->area = NULL;
	cover->fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (cover->fd < 0 || ioctl(cover->fd, KCOV_INIT_TRACE, AREA))
		return false;
	cover->area = mmap(NULL, AREA * 8, PROT_READ | PROT_WRITE, MAP_SHARED, cover->fd, 0);
	if (cover->area == MAP_FAILED || ioctl(cover->fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		cover->area = NULL;
		return false;
	}
	return true;
}

void cover_start(struct cover *cover)
{
	if (cover->area)
		__atomic_store_n(cover->area, 0, __ATOMIC_RELAXED);
}

static uint32_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15;
	return x >> (64 - MAP_BITS) & MASK;
}

static bool set_bit(uint64_t *map, uint32_t bit)
{
	uint64_t mask = 1ull << (bit & 63);

	if (map[bit >> 6] & mask)
		return false;
	return !(__atomic_fetch_or(&map[bit >> 6], mask, __ATOMIC_RELAXED) & mask);
}

/* Enters what was reached since the start into a map; returns how much of it is new there. */
unsigned int cover_trace(struct cover *cover, unsigned int kind, uint64_t *map)
{
	uint64_t prev = kind, pc, n, i;
	unsigned int found = 0;

	if (!cover->area)
		return 0;
	n = __atomic_load_n(cover->area, __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < AREA; i++) {
		pc = (uint32_t)cover->area[i];
		found += set_bit(map, mix(pc ^ prev << 20));
		prev = pc;
	}
	return found;
}

unsigned int cover_collect(struct cover *cover, unsigned int kind)
{
	unsigned int found = cover_trace(cover, kind, sh->map), blocks = 0;
	uint64_t n, i;

	if (!found)
		return 0;
	n = __atomic_load_n(cover->area, __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < AREA; i++)
		blocks += set_bit(sh->pcmap, mix((uint32_t)cover->area[i]));
	__atomic_fetch_add(&sh->edges, found, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sh->pcs, blocks, __ATOMIC_RELAXED);
	return found;
}

/* From then on the kernel tells what it compares, in place of where it is. */
void cover_compare(struct cover *cover, bool on)
{
	if (!cover->area)
		return;
	ioctl(cover->fd, KCOV_DISABLE, 0);
	cover_start(cover);
	ioctl(cover->fd, KCOV_ENABLE, on ? KCOV_TRACE_CMP : KCOV_TRACE_PC);
}

/* Not where a process has its stacks and what it shares: it would have them written over. */
static void hint_add(uint64_t was, uint64_t is)
{
	uint32_t at;

	if (is >= OURS_START && is < OURS_END)
		return;
	at = __atomic_fetch_add(&sh->nhints, 1, __ATOMIC_RELAXED) % HINTS;
	sh->hint[at].was = was;
	sh->hint[at].is = is;
}

/* Remembers what values were compared with: a program with that in its place may go on. */
void cover_hints(struct cover *cover)
{
	uint64_t n, i, *rec;

	if (!cover->area)
		return;
	n = __atomic_load_n(cover->area, __ATOMIC_RELAXED);
	for (i = 0; i < n && (i + 1) * COMPARE_WORDS < AREA; i++) {
		rec = &cover->area[1 + i * COMPARE_WORDS];
		if (rec[1] == rec[2])
			continue;
		/* The first operand is the constant one. */
		if ((rec[0] & KCOV_CMP_CONST) && rec[1] > 64)
			hint_add(rec[2], rec[1]);
		else if (!(rec[0] & KCOV_CMP_CONST) && !(i & 7))
			hint_add(rec[1], rec[2]);
	}
	cover_start(cover);
}
