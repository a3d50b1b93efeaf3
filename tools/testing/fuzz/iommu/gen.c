// SPDX-License-Identifier: GPL-2.0-only
/*
 * New programs, and changed ones. Most values mean well, so that state builds up;
 * some are what a hostile or broken caller would pass.
 */
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "lists.h"

#define ANY(list) ((list)[rnd_below(rng, ARRAY_SIZE(list))])
#define APERTURE 0x1000000ull

static const uint64_t odd[] = {
	0, 1, 2, 7, 255, 4095, 4096, 4097, 2048, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	~0ull, ~0ull - 1, ~0ull - 4095, ~0ull - 4096, 1ull << 63, (1ull << 63) - 1, 1ull << 47,
	(1ull << 47) - 4096, 1ull << 52, 0xffff888000000000, 0x1fffff, 0x200000, 0x7ffff000,
};

uint64_t rnd(struct rng *rng)
{
	uint64_t x = rng->s += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t any_odd(struct rng *rng)
{
	switch (rnd_below(rng, 8)) {
	case 0:
		return rnd(rng);
	case 1:
		return 1ull << rnd_below(rng, 64);
	case 2:
		return ~0ull << rnd_below(rng, 64);
	default:
		return ANY(odd);
	}
}

static uint64_t any_len(struct rng *rng)
{
	static const uint64_t large[] = { 0x200000, 0x100000, 0x80000, 0x201000, 0x400000 };

	if (one_in(rng, 12))
		return any_odd(rng);
	if (one_in(rng, 40))
		return ANY(large);
	if (one_in(rng, 12))
		return MAX_KINDS + rnd_below(rng, 3 * PAGE);
	return (1 + rnd_below(rng, one_in(rng, 16) ? 64 : 5)) * PAGE;
}

/* Few, so that calls meet. */
static uint64_t any_iova(struct rng *rng)
{
	if (one_in(rng, 12))
		return any_odd(rng);
	if (one_in(rng, 8))
		return APERTURE + rnd_below(rng, 4) * 0x200000;
	if (one_in(rng, 12))
		return APERTURE + rnd_below(rng, 16 * PAGE);
	return APERTURE + rnd_below(rng, 24) * PAGE;
}

static uint64_t any_va(struct rng *rng)
{
	uint64_t base = ARENA(rnd_below(rng, NR_ARENAS));

	/* Large pages cost the least. */
	if (one_in(rng, 10))
		return ARENA(3) + rnd_below(rng, 2) * 0x200000;

	if (one_in(rng, 16))
		return any_odd(rng);
	if (one_in(rng, 10))
		return base + ARENA_SIZE - (1 + rnd_below(rng, 4)) * PAGE;
	if (one_in(rng, 12))
		return base + rnd_below(rng, 16 * PAGE);
	return base + rnd_below(rng, 16) * PAGE;
}

static uint64_t any_pasid(struct rng *rng)
{
	static const uint64_t some[] = { 0, 1024, 1023, 0xfffff, 0x100000, 0xffffffff, 0x80000000 };

	if (one_in(rng, 8))
		return ANY(some);
	return rnd_below(rng, one_in(rng, 8) ? 300 : 6);
}

static uint64_t any_of_list(struct rng *rng, unsigned int list)
{
	static const uint64_t values[][8] = {
		[L_HWPT_TYPE - L_NUMBERS] = { 0, 0xdead, 0, 0xdead, 0xdead, 1, 2, 3 },
		[L_DATA_LEN - L_NUMBERS] = { 0, 8, 8, 24, 24, 4, 64, 12 },
		[L_INFO_TYPE - L_NUMBERS] = { 0, 0xfeedbeef, 0xfeedbeef, 1, 0, 0, 2, 3 },
		[L_PAGE_SIZE - L_NUMBERS] = { 4096, 4096, 2048, 2048, 8192, 1024, 0x100000, 3 },
		[L_INV_TYPE - L_NUMBERS] = { 0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef,
					     0, 1, 2, 3 },
		[L_INV_LEN - L_NUMBERS] = { 8, 8, 8, 12, 12, 4, 16, 64 },
		[L_VIOMMU_TYPE - L_NUMBERS] = { 0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef,
						0xdeadbeef, 0, 1, 2 },
		[L_VEVENTQ_TYPE - L_NUMBERS] = { 0xbeefbeef, 0xbeefbeef, 0xbeefbeef, 0xbeefbeef,
						 0xbeefbeef, 0, 1, 2 },
		[L_OPEN - L_NUMBERS] = { 2, 2, 2, 0, 0x80002, 0x80000, 1, 02000000 },
		[L_WIDTH - L_NUMBERS] = { 20, 20, 20, 20, 0, 1, 6, 21 },
		[L_ERROR - L_NUMBERS] = { 0, 1, 12, 16, 5, 4096, 0xffffffff, 0xfffffff4 },
		[L_ADVICE - L_NUMBERS] = { MADV_DONTNEED, MADV_DONTNEED, MADV_HUGEPAGE, MADV_REMOVE,
					   MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_FREE },
		[L_ANSWER_LEN - L_NUMBERS] = { 0, 0, 0, 0, 0, 0, 4, 16 },
		[L_RARELY - L_NUMBERS] = { 0, 0, 0, 0, 0, 0, 0, 1 },
	};

	return values[list - L_NUMBERS][rnd_below(rng, 8)];
}

/* Something that fits, of an earlier call of the program; false if there is none. */
static bool pick_ref(struct rng *rng, const struct prog *prog, unsigned int at, uint32_t wants,
		     struct val *val)
{
	unsigned int tries, i, j;

	for (tries = 0; at && tries < 12; tries++) {
		const struct kind *kind;

		i = rnd_below(rng, at);
		kind = &kinds[prog->call[i].kind];
		if (kind->ret && (wants >> kind->ret & 1)) {
			*val = (struct val){ .how = V_REF, .a = i, .b = MAX_ARGS };
			return true;
		}
		for (j = 0; kind->fields[j].name; j++)
			if (kind->fields[j].out && (wants >> kind->fields[j].out & 1)) {
				*val = (struct val){ .how = V_REF, .a = i, .b = j };
				return true;
			}
	}
	return false;
}

static unsigned int any_bit(struct rng *rng, uint32_t mask)
{
	unsigned int nth = rnd_below(rng, __builtin_popcount(mask));

	while (nth--)
		mask &= mask - 1;
	return __builtin_ctz(mask);
}

/* An object: mostly one that fits, now and then one of another kind, or none. */
static struct val any_object(struct rng *rng, const struct prog *prog, unsigned int at,
			     uint32_t wants)
{
	struct val val = {};

	if (one_in(rng, 24))
		wants = (1u << R_COUNT) - 2;
	if (!one_in(rng, 4) && pick_ref(rng, prog, at, wants, &val))
		return val;
	if (!one_in(rng, 16))
		return (struct val){ .how = V_POOL, .a = any_bit(rng, wants),
				     .v = rnd_below(rng, POOL) };
	val.v = one_in(rng, 2) ? rnd_below(rng, 40) : any_odd(rng);
	return val;
}

static uint64_t any_number(struct rng *rng, const struct field *f)
{
	switch (f->cls) {
	case C_FLAGS:
		return one_in(rng, 24) ? any_odd(rng) : rnd(rng) & rnd(rng) & f->par;
	case C_NUM:
		return one_in(rng, 24) ? any_odd(rng) : rnd_below(rng, f->par + 1);
	case C_LIST:
		return one_in(rng, 32) ? any_odd(rng) : any_of_list(rng, f->par);
	case C_LEN:
		return any_len(rng);
	case C_OFF:
		return one_in(rng, 12) ? any_odd(rng) : rnd_below(rng, 24) * PAGE;
	case C_VA:
		return any_va(rng);
	case C_DATA:
		if (one_in(rng, 12))
			return any_va(rng);
		return DATA(one_in(rng, 8) ? rnd_below(rng, DATA_SIZE + 16) : 0);
	default:
		return one_in(rng, 64) ? any_odd(rng) : 0;
	}
}

static struct val any_value(struct rng *rng, const struct prog *prog, unsigned int at,
			    const struct field *f)
{
	uint32_t wants = field_wants(f);

	if (f->cls == C_CONST)
		return (struct val){ .v = f->par };
	if (f->cls == C_IOVA && (one_in(rng, 2) || !at))
		return (struct val){ .v = any_iova(rng) };
	if (f->cls == C_PASID && (!one_in(rng, 3) || !at))
		return (struct val){ .v = any_pasid(rng) };
	/* No object at all is a value of its own there. */
	if (f->cls == C_LIST && (f->par == L_IOAS_OR_0 || f->par == L_PT_OR_0) && one_in(rng, 3))
		return (struct val){};
	if (wants)
		return any_object(rng, prog, at, wants);
	return (struct val){ .v = any_number(rng, f) };
}

static void any_blob(struct rng *rng, struct call *call)
{
	unsigned int i;

	for (i = 0; i < BLOB_WORDS; i++)
		call->blob[i] = one_in(rng, 3) ? any_odd(rng) : rnd_below(rng, 5);
	/* A range of IOVAs, as some calls want it */
	if (one_in(rng, 3)) {
		call->blob[0] = any_iova(rng);
		call->blob[1] = 0;
		call->blob[2] = call->blob[0] + (rnd_below(rng, 64) + 1) * PAGE - 1;
		call->blob[3] = 0;
	}
}

/* Of what is right but for a word, more is looked at. */
static void change_blob(struct rng *rng, struct call *call)
{
	uint32_t *word = &call->blob[rnd_below(rng, BLOB_WORDS)];

	if (one_in(rng, 4))
		any_blob(rng, call);
	else if (one_in(rng, 2))
		*word += one_in(rng, 2) ? 1 : -1;
	else
		*word = one_in(rng, 2) ? any_odd(rng) : rnd_below(rng, 8);
}

static bool has_data(const struct call *call)
{
	const struct field *f;

	for (f = kinds[call->kind].fields; f->name; f++)
		if (f->cls == C_DATA)
			return true;
	return false;
}

static void any_shape(struct rng *rng, struct call *call)
{
	if (one_in(rng, 2))
		call->fail = 1 + rnd_below(rng, one_in(rng, 4) ? 40 : 8);
	else if (one_in(rng, 3))
		call->size = rnd_below(rng, 300);
	else if (one_in(rng, 2))
		call->place = rnd_below(rng, P_TAIL + 1);
	else
		call->ctx = rnd_below(rng, SHARED_CTX + 1);
}

/* Data whose address, length and type fit together; or none, where it may be left out. */
static void any_data(struct rng *rng, struct call *call)
{
	const struct field *f = kinds[call->kind].fields;
	bool nested = !strcmp(kinds[call->kind].name, "hwpt_alloc"), none = one_in(rng, 2);
	unsigned int i;

	for (i = 0; f[i].name; i++) {
		if (!strcmp(f[i].name, "data_type"))
			call->arg[i] = (struct val){ .v = none ? 0 : 0xdead };
		else if (!strcmp(f[i].name, "data_len"))
			call->arg[i] = (struct val){ .v = none ? 0 : nested ? 8 : 24 };
		else if (f[i].cls == C_DATA)
			call->arg[i] = (struct val){ .v = none ? 0 : DATA(0) };
	}
}

static bool data_optional(const struct call *call)
{
	const struct field *f;

	for (f = kinds[call->kind].fields; f->name; f++)
		if (f->cls == C_DATA && f->par)
			return true;
	return false;
}

static void any_call(struct rng *rng, struct prog *prog, unsigned int at)
{
	static unsigned int total;
	struct call *call = &prog->call[at];
	unsigned int i, pick;

	if (!total)
		for (i = 0; i < nr_kinds; i++)
			total += kinds[i].weight;
	pick = rnd_below(rng, total);
	for (i = 0; pick >= kinds[i].weight; i++)
		pick -= kinds[i].weight;
	call_init(call, i);
	for (i = 0; kinds[call->kind].fields[i].name; i++)
		call->arg[i] = any_value(rng, prog, at, &kinds[call->kind].fields[i]);
	if (data_optional(call) && !one_in(rng, 5))
		any_data(rng, call);
	any_blob(rng, call);
	if (one_in(rng, 20))
		any_shape(rng, call);
}

void prog_generate(struct rng *rng, struct prog *prog)
{
	unsigned int n = 2 + rnd_below(rng, 12);

	for (prog->n = 0; prog->n < n; prog->n++)
		any_call(rng, prog, prog->n);
}

void prog_copy(struct prog *to, const struct prog *from)
{
	uint32_t n = from->n;

	memcpy(to->call, from->call, n * sizeof(from->call[0]));
	to->n = n;
}

/* Moves what refers to calls from @at on by @by; to one that goes, it becomes a number. */
static void shift_refs(struct prog *prog, unsigned int at, int by)
{
	unsigned int i, j;

	for (i = at; i < prog->n; i++)
		for (j = 0; j < MAX_ARGS; j++) {
			struct val *val = &prog->call[i].arg[j];

			if (val->how != V_REF || val->a < at)
				continue;
			if (by < 0 && val->a == at)
				*val = (struct val){};
			else
				val->a += by;
		}
}

void prog_remove(struct prog *prog, unsigned int at)
{
	shift_refs(prog, at, -1);
	prog->n--;
	memmove(&prog->call[at], &prog->call[at + 1], (prog->n - at) * sizeof(prog->call[0]));
}

static void insert_call(struct rng *rng, struct prog *prog)
{
	unsigned int at = rnd_below(rng, prog->n + 1);

	if (prog->n == MAX_CALLS)
		return;
	/* Mostly at the end, where all the state is. */
	if (!one_in(rng, 3))
		at = prog->n;
	shift_refs(prog, at, 1);
	memmove(&prog->call[at + 1], &prog->call[at], (prog->n - at) * sizeof(prog->call[0]));
	any_call(rng, prog, at);
	prog->n++;
}

/* Behind it comes the other one, as far as there is room. */
static void splice(struct rng *rng, struct prog *prog, const struct prog *other)
{
	unsigned int i, j, base = prog->n, n = other->n;

	if (base + n > MAX_CALLS)
		n = MAX_CALLS - base;
	for (i = 0; i < n; i++) {
		prog->call[base + i] = other->call[i];
		for (j = 0; j < MAX_ARGS; j++) {
			struct val *val = &prog->call[base + i].arg[j];

			if (val->how == V_REF)
				val->a += base;
			/* The two are to meet. */
			if (val->how == V_REF && one_in(rng, 6)) {
				uint32_t wants = field_wants(&kinds[other->call[i].kind].fields[j]);

				if (wants)
					pick_ref(rng, prog, base, wants, val);
			}
		}
	}
	prog->n = base + n;
}

static void change_number(struct rng *rng, struct val *val)
{
	static const uint64_t steps[] = { 1, 2, 8, 2048, 4096, 8192, 0x100000, 1ull << 32 };
	uint32_t nhints = sh->nhints, i;

	if (nhints && one_in(rng, 3)) {
		i = rnd_below(rng, nhints < HINTS ? nhints : HINTS);
		for (uint32_t n = 0; n < 64; n++, i = (i + 1) % HINTS)
			if (sh->hint[i].was == val->v) {
				val->v = sh->hint[i].is;
				return;
			}
		val->v = sh->hint[i].is;
		return;
	}
	if (one_in(rng, 3))
		val->v = any_odd(rng);
	else if (one_in(rng, 2))
		val->v += ANY(steps);
	else
		val->v -= ANY(steps);
}

static void change_arg(struct rng *rng, struct prog *prog, unsigned int at)
{
	struct call *call = &prog->call[at];
	unsigned int n = kind_nr_fields(&kinds[call->kind]), i = rnd_below(rng, n);
	const struct field *f = &kinds[call->kind].fields[i];

	if (f->cls == C_CONST || ((f->cls == C_ZERO || f->cls == C_DATA_OUT) && !one_in(rng, 8)))
		return;
	if (call->arg[i].how == V_NUM && one_in(rng, 3))
		change_number(rng, &call->arg[i]);
	else
		call->arg[i] = any_value(rng, prog, at, f);
}

void prog_mutate(struct rng *rng, struct prog *prog, const struct prog *other)
{
	unsigned int changes = 1 + rnd_below(rng, 4), at;

	while (changes--) {
		at = rnd_below(rng, prog->n);
		if (has_data(&prog->call[at]) && one_in(rng, 3)) {
			change_blob(rng, &prog->call[at]);
			continue;
		}
		switch (rnd_below(rng, 15)) {
		case 0 ... 6:
			change_arg(rng, prog, at);
			break;
		case 7 ... 10:
			insert_call(rng, prog);
			break;
		case 11:
			if (prog->n > 1)
				prog_remove(prog, at);
			break;
		case 12 ... 13:
			splice(rng, prog, other);
			break;
		default:
			any_shape(rng, &prog->call[at]);
		}
	}
}
