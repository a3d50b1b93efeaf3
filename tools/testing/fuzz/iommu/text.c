// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text: a call on each line, an empty line between programs, # starts a
 * comment. `name = kind member=value ...`; a value is a number, the name of an
 * earlier call (with .member if several of its results fit), @kind:nr for what some
 * program has made, data+nr for the blob, or an arena's name+nr for an address.
 * argsize=, place=, ctx=, fail= and blob= are of any call, and so is `-> ok` or
 * `-> -errno` at its end: what a replay has to see.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static const char *const place_names[] = { "plain", "ro", "edge", "null", "tail" };

#define NR_PLACES (ARRAY_SIZE(place_names))
#define LABEL 32

struct parser {
	const char *path;
	unsigned int line;
	struct prog *prog;
	char label[MAX_CALLS][LABEL];
};

static void bad(const struct parser *p, const char *what, const char *word)
{
	fprintf(stderr, "%s:%u: %s: %s\n", p->path, p->line, what, word);
	exit(2);
}

/* A base and an offset, as in mem+0x1000; true if the word is one. */
static bool parse_address(const char *word, uint64_t *v)
{
	size_t n = strcspn(word, "+");
	uint64_t off = word[n] ? strtoull(word + n + 1, NULL, 0) : 0;
	unsigned int i;

	if (n == 4 && !strncmp(word, "data", n)) {
		*v = DATA(off);
		return true;
	}
	for (i = 0; i < NR_ARENAS; i++) {
		if (strlen(arena_names[i]) == n && !strncmp(word, arena_names[i], n)) {
			*v = ARENA(i) + off;
			return true;
		}
	}
	return false;
}

static int result_of(const struct kind *kind, const char *member, uint32_t wants)
{
	const struct field *f;

	if (!member && kind->ret)
		return MAX_ARGS;
	for (f = kind->fields; f->name; f++)
		if (f->out && (member ? !strcmp(f->name, member) : !wants || (wants >> f->out & 1)))
			return f - kind->fields;
	return -1;
}

static void parse_ref(struct parser *p, char *word, uint32_t wants, struct val *val)
{
	char *member = strchr(word, '.');
	unsigned int i;
	int nr;

	if (member)
		*member++ = 0;
	for (i = p->prog->n; i-- > 0;)
		if (!strcmp(p->label[i], word))
			break;
	if (i == -1u)
		bad(p, "no such call before", word);
	nr = result_of(&kinds[p->prog->call[i].kind], member, wants);
	if (nr < 0)
		nr = result_of(&kinds[p->prog->call[i].kind], member, 0);
	if (nr < 0)
		bad(p, "it gives nothing that fits", word);
	*val = (struct val){ .how = V_REF, .a = i, .b = nr };
}

static void parse_pool(struct parser *p, char *word, struct val *val)
{
	char *nr = strchr(word, ':');
	unsigned int i;

	if (nr)
		*nr++ = 0;
	for (i = 1; i < R_COUNT; i++)
		if (!strcmp(res_names[i], word))
			break;
	if (i == R_COUNT)
		bad(p, "no such kind of object", word);
	*val = (struct val){ .how = V_POOL, .a = i, .v = nr ? strtoull(nr, NULL, 0) : 0 };
}

static void parse_value(struct parser *p, char *word, uint32_t wants, struct val *val)
{
	char *end;
	uint64_t v = strtoull(word, &end, 0);

	*val = (struct val){ .v = v };
	if (end != word && !*end)
		return;
	if (*word == '@')
		parse_pool(p, word + 1, val);
	else if (!parse_address(word, &val->v))
		parse_ref(p, word, wants, val);
}

static void parse_blob(struct call *call, char *word)
{
	unsigned int i;

	for (i = 0; i < BLOB_WORDS && word; i++) {
		call->blob[i] = strtoull(word, NULL, 0);
		word = strchr(word, ',');
		if (word)
			word++;
	}
}

static void parse_arg(struct parser *p, struct call *call, char *word)
{
	const struct field *f;
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		bad(p, "no value", word);
	*value++ = 0;
	for (f = kinds[call->kind].fields; f->name; f++)
		if (!strcmp(f->name, word)) {
			i = f - kinds[call->kind].fields;
			parse_value(p, value, field_wants(f), &call->arg[i]);
			return;
		}
	if (!strcmp(word, "argsize")) {
		call->size = strtoul(value, NULL, 0);
	} else if (!strcmp(word, "ctx")) {
		call->ctx = strtoul(value, NULL, 0);
	} else if (!strcmp(word, "fail")) {
		call->fail = strtoul(value, NULL, 0);
	} else if (!strcmp(word, "blob")) {
		parse_blob(call, value);
	} else if (!strcmp(word, "place")) {
		for (i = 0; i < NR_PLACES && strcmp(place_names[i], value); i++)
			;
		if (i == NR_PLACES)
			bad(p, "no such place", value);
		call->place = i;
	} else {
		bad(p, "no such member", word);
	}
}

static void parse_expect(struct parser *p, struct call *call, const char *word)
{
	call->expect = !word ? 0 : !strcmp(word, "ok") ? 1 : strtol(word, NULL, 0);
	if (!call->expect)
		bad(p, "neither ok nor an errno", word ? word : "");
}

static void parse_call(struct parser *p, char *line)
{
	char *save, *word = strtok_r(line, " \t", &save), *next = strtok_r(NULL, " \t", &save);
	const char *label = "";
	struct call *call;
	int kind;

	if (p->prog->n == MAX_CALLS)
		bad(p, "too long a program", word);
	if (next && !strcmp(next, "=")) {
		label = word;
		word = strtok_r(NULL, " \t", &save);
		next = strtok_r(NULL, " \t", &save);
	}
	kind = word ? kind_find(word) : -1;
	if (kind < 0)
		bad(p, "no such call", word ? word : "");
	call = &p->prog->call[p->prog->n];
	call_init(call, kind);
	for (; next && strcmp(next, "->"); next = strtok_r(NULL, " \t", &save))
		parse_arg(p, call, next);
	if (next)
		parse_expect(p, call, strtok_r(NULL, " \t", &save));
	snprintf(p->label[p->prog->n++], LABEL, "%s", label);
}

/* Returns how many programs there are in a file. */
int text_load(const char *path, struct prog *progs, unsigned int max)
{
	struct parser p = { .path = path };
	FILE *file = fopen(path, "r");
	unsigned int n = 0;
	char line[1024] = "";

	if (!file) {
		perror(path);
		exit(2);
	}
	while (n < max) {
		char *got = fgets(line, sizeof(line), file);
		char *text = line + strspn(line, " \t");

		if (!got)
			*text = 0;
		p.line++;
		if (*text == '#')
			continue;
		text[strcspn(text, "#\r\n")] = 0;
		p.prog = &progs[n];
		if (*text)
			parse_call(&p, text);
		else if (p.prog->n)
			n++;
		if (!got)
			break;
		if (n < max && !*text)
			progs[n].n = 0;
	}
	fclose(file);
	return n;
}

static void print_number(FILE *to, uint64_t v)
{
	unsigned int i;

	if (v >> 48 == DATA_MARK) {
		fprintf(to, "data+%#" PRIx64, v & 0xffffffffffff);
		return;
	}
	for (i = 0; i < NR_ARENAS; i++)
		if (v >= ARENA(i) && v < ARENA(i) + ARENA_SIZE) {
			fprintf(to, "%s+%#" PRIx64, arena_names[i], v - ARENA(i));
			return;
		}
	fprintf(to, v < 10 ? "%" PRIu64 : "%#" PRIx64, v);
}

static void print_value(FILE *to, const struct prog *prog, const struct val *val)
{
	const struct kind *kind;

	switch (val->how) {
	case V_REF:
		kind = &kinds[prog->call[val->a].kind];
		fprintf(to, "c%u", val->a);
		if (val->b < MAX_ARGS)
			fprintf(to, ".%s", kind->fields[val->b].name);
		break;
	case V_POOL:
		fprintf(to, "@%s:%" PRIu64, res_names[val->a], val->v);
		break;
	default:
		print_number(to, val->v);
	}
}

static void print_call(FILE *to, const struct prog *prog, unsigned int at)
{
	const struct call *call = &prog->call[at];
	const struct kind *kind = &kinds[call->kind];
	unsigned int i, last = BLOB_WORDS;
	struct call plain;

	call_init(&plain, call->kind);
	fprintf(to, "c%u = %s", at, kind->name);
	for (i = 0; kind->fields[i].name; i++) {
		if (call->arg[i].how == V_NUM && call->arg[i].v == plain.arg[i].v)
			continue;
		fprintf(to, " %s=", kind->fields[i].name);
		print_value(to, prog, &call->arg[i]);
	}
	if (call->size != plain.size)
		fprintf(to, " argsize=%u", call->size);
	if (call->ctx)
		fprintf(to, " ctx=%u", call->ctx);
	if (call->fail)
		fprintf(to, " fail=%u", call->fail);
	if (call->place)
		fprintf(to, " place=%s", place_names[call->place]);
	while (last && !call->blob[last - 1])
		last--;
	for (i = 0; i < last; i++)
		fprintf(to, "%s%#x", i ? "," : " blob=", call->blob[i]);
}

/* With what each call returned, if that is known. */
void text_print(FILE *to, const struct prog *prog, const int64_t *results)
{
	unsigned int i;

	for (i = 0; i < prog->n; i++) {
		print_call(to, prog, i);
		if (results)
			fprintf(to, " # %" PRId64, results[i]);
		fputc('\n', to);
	}
	fputc('\n', to);
}
