// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl walk: asks the kernel what becomes of a device's request, and prints the way through the
 * IOMMU's tables. Knows the file in debugfs, as Documentation/driver-api/iommu-pasid-backends.rst
 * has it, and no table format.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "iommuctl.h"

#define FOLDER		"/sys/kernel/debug/iommu/walk/"
#define ANSWER_SIZE	65536
#define STEPS		128
#define WORDS		8

struct step {
	char *stage;
	unsigned int level;
	bool nested;
	uint64_t at;
	uint64_t word[WORDS];
	unsigned int words;
	char *what;
	char *note;
};

struct answer {
	char *device;
	char *pasid;		/* NULL: none */
	char *iova;
	char *access;
	struct step step[STEPS];
	unsigned int steps;
	char *how;
	char *result;
	char *output;
	char *size;
	char *rights;
	char *fault;		/* number, then text */
};

struct question {
	const char *device;
	bool json;
	bool has_pasid;
	unsigned long pasid;
	bool has_iova;
	uint64_t iova;
	bool write;
};

/* "step STAGE LEVEL nested|- ADDRESS WORD,WORD...|- WHAT", without its first word */
static bool parse_step(char *text, struct step *step)
{
	char *field[5], *word, *end;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		field[i] = strsep(&text, " ");
		if (!text)
			return false;
	}
	step->stage = field[0];
	step->level = atoi(field[1]);
	step->nested = !strcmp(field[2], "nested");
	step->at = strtoull(field[3], NULL, 16);
	step->what = text;
	if (!strcmp(field[4], "-"))
		return true;
	while ((word = strsep(&field[4], ","))) {
		if (step->words == WORDS)
			return false;
		step->word[step->words++] = strtoull(word, &end, 16);
		if (*end)
			return false;
	}
	return true;
}

static bool parse_line(char *line, struct answer *a)
{
	const struct { const char *key; char **value; } keys[] = {
		{ "device", &a->device }, { "pasid", &a->pasid }, { "iova", &a->iova },
		{ "access", &a->access }, { "how", &a->how }, { "result", &a->result },
		{ "output", &a->output }, { "size", &a->size }, { "rights", &a->rights },
		{ "fault", &a->fault },
	};
	char *key = strsep(&line, " ");
	size_t i;

	if (!line)
		return false;
	if (!strcmp(key, "step"))
		return a->steps < STEPS && parse_step(line, &a->step[a->steps++]);
	if (!strcmp(key, "note")) {
		if (!a->steps)
			return false;
		a->step[a->steps - 1].note = line;
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(key, keys[i].key))
			*keys[i].value = line;
	}
	/* A key that is not known here is of a newer kernel. */
	return true;
}

/* What each result must come with is there. */
static bool complete(const struct answer *a)
{
	if (!a->device || !a->result)
		return false;
	if (!strcmp(a->result, "translated"))
		return a->iova && a->output && a->rights && strlen(a->rights) == 3;
	return strcmp(a->result, "fault") || (a->fault && strchr(a->fault, ' '));
}

static bool parse(char *text, struct answer *a)
{
	char *line;

	memset(a, 0, sizeof(*a));
	while ((line = strsep(&text, "\n"))) {
		if (*line && !parse_line(line, a))
			return false;
	}
	if (a->pasid && !strcmp(a->pasid, "-"))
		a->pasid = NULL;
	return complete(a);
}

static int open_device(const char *device)
{
	char address[16];

	if (strchr(device, '/'))
		return errno = ENOENT, -1;
	return open(at(FOLDER "%s", pci_address(device, address) ? address : device),
		    O_RDWR | O_CLOEXEC);
}

static bool is_empty(const char *folder)
{
	struct names names = names_of(folder);
	bool empty = !names.count;

	names_free(&names);
	return empty;
}

static const char *reason(int error)
{
	switch (error) {
	case ENOENT:
		if (is_empty(at("/sys/kernel/debug")))
			return "debugfs is missing: mount it on /sys/kernel/debug";
		if (!exists(at(FOLDER)))
			return "the kernel has no CONFIG_IOMMU_WALK: it needs one of this project";
		return "no such device behind an IOMMU";
	case EOPNOTSUPP:
		return "there is no walker for its IOMMU";
	case ENODEV:
		return "its IOMMU translates nothing";
	default:
		return strerror(error);
	}
}

/* The whole answer as text, or false with errno. */
static bool ask(const struct question *q, char *text, size_t size)
{
	int fd = open_device(q->device), saved;
	char line[80];
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	n = q->has_pasid ? snprintf(line, sizeof(line), "%lu", q->pasid) :
			   snprintf(line, sizeof(line), "-");
	if (q->has_iova)
		n += snprintf(line + n, sizeof(line) - n, " 0x%llx %c", (unsigned long long)q->iova,
			      q->write ? 'w' : 'r');
	if (write(fd, line, n) != n)
		goto out;
	while ((n = read(fd, text + have, size - 1 - have)) > 0)
		have += n;
	text[have] = 0;
out:
	saved = errno;
	close(fd);
	errno = saved;
	return n == 0;
}

static void print_size(uint64_t size)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	unsigned int i = 0;

	while (size >= 1024 && !(size % 1024) && i < 4) {
		size /= 1024;
		i++;
	}
	printf("%llu %s", (unsigned long long)size, unit[i]);
}

static void print_step(const struct step *step)
{
	unsigned int i, last = step->words;
	char what[64];

	snprintf(what, sizeof(what), "%s%s%s", step->nested ? "  | " : "",
		 !strcmp(step->stage, "first") ? "1st " :
		 !strcmp(step->stage, "second") ? "2nd " : "", step->what);
	printf("%-34s %#14llx  ", what, (unsigned long long)step->at);
	/* Most of a long entry is unused, and zero. */
	while (last > 1 && !step->word[last - 1])
		last--;
	for (i = 0; i < last; i++)
		printf("%s%016llx", i ? " " : "", (unsigned long long)step->word[i]);
	if (!step->words)
		printf("%-16s", "unreadable");
	printf("%s%s\n", step->note ? "  " : "", step->note ? step->note : "");
}

static void print_text(const struct answer *a)
{
	unsigned int i;

	printf("%s, ", a->device);
	if (a->pasid)
		printf("PASID %s", a->pasid);
	else
		printf("no PASID");
	if (a->iova)
		printf(", %s %s", a->access ? a->access : "read", a->iova);
	putchar('\n');
	for (i = 0; i < a->steps; i++)
		print_step(&a->step[i]);
	if (!strcmp(a->result, "fault")) {
		char *text = strchr(a->fault, ' ');

		printf("fault %.*s: %s\n", (int)(text - a->fault), a->fault, text + 1);
	} else if (!strcmp(a->result, "translated")) {
		printf("%s -> %s, ", a->iova, a->output);
		if (a->size) {
			print_size(strtoull(a->size, NULL, 16));
			printf(" page,");
		} else {
			printf("%s,", a->how ? a->how : "no page");
		}
		printf("%s%s%s\n", a->rights[0] == 'r' ? " read" : "",
		       a->rights[1] == 'w' ? " write" : "", a->rights[2] == 'x' ? " execute" : "");
	} else {
		printf("%s\n", a->how ? a->how : "nothing");
	}
}

static void step_json(struct json *json, const struct step *step)
{
	char word[24];
	unsigned int i;

	json_open(json, NULL, '{');
	json_text(json, "what", step->what);
	json_text(json, "stage", step->stage);
	json_number(json, "level", step->level);
	json_bool(json, "nested", step->nested);
	json_hex(json, "at", step->at);
	json_open(json, "words", '[');
	for (i = 0; i < step->words; i++) {
		snprintf(word, sizeof(word), "0x%016llx", (unsigned long long)step->word[i]);
		json_text(json, NULL, word);
	}
	json_close(json, ']');
	if (step->note)
		json_text(json, "note", step->note);
	json_close(json, '}');
}

static void member(struct json *json, const char *key, const char *value)
{
	if (value)
		json_text(json, key, value);
}

static void print_json(const struct answer *a)
{
	char *text = a->fault ? strchr(a->fault, ' ') : NULL;
	struct json json = { 0 };
	unsigned int i;

	json_open(&json, NULL, '{');
	json_text(&json, "device", a->device);
	if (a->pasid)
		json_number(&json, "pasid", strtoul(a->pasid, NULL, 10));
	else
		json_null(&json, "pasid");
	member(&json, "iova", a->iova);
	member(&json, "access", a->access);
	json_open(&json, "steps", '[');
	for (i = 0; i < a->steps; i++)
		step_json(&json, &a->step[i]);
	json_close(&json, ']');
	member(&json, "how", a->how);
	member(&json, "result", a->result);
	member(&json, "output", a->output);
	member(&json, "size", a->size);
	member(&json, "rights", a->rights);
	if (text) {
		json_open(&json, "fault", '{');
		json_number(&json, "code", strtoul(a->fault, NULL, 16));
		json_text(&json, "text", text + 1);
		json_close(&json, '}');
	}
	json_close(&json, '}');
}

static bool options(int argc, char **argv, struct question *q)
{
	static const struct option known[] = {
		{ "pasid", required_argument, NULL, 'p' },
		{ "iova", required_argument, NULL, 'i' },
		{ "write", no_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t value;
	int option;

	*q = (struct question){ 0 };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			if (!parse_number(optarg, &value) || value >= 1 << 20)
				return false;
			q->has_pasid = true;
			q->pasid = value;
			break;
		case 'i':
			if (!parse_number(optarg, &q->iova))
				return false;
			q->has_iova = true;
			break;
		case 'w':
			q->write = true;
			break;
		case 'j':
			q->json = true;
			break;
		default:
			return false;
		}
	}
	q->device = argv[optind];
	return optind == argc - 1 && (q->has_iova || !q->write);
}

static int run(const struct command *command, int argc, char **argv)
{
	static char text[ANSWER_SIZE];
	static struct answer answer;
	struct question q;

	if (!options(argc, argv, &q))
		return wrong_arguments(command);
	if (!ask(&q, text, sizeof(text)))
		return complain("%s: %s", q.device, reason(errno));
	if (!parse(text, &answer))
		return complain("%s: the kernel's answer is not understood", q.device);
	if (q.json)
		print_json(&answer);
	else
		print_text(&answer);
	return strcmp(answer.result, "fault") ? DONE : FAULT;
}

const struct command walk_command = {
	.name = "walk",
	.arguments = "DEVICE [--pasid N] [--iova X] [--write] [--json]",
	.help = "  What becomes of a request of DEVICE: each entry that the IOMMU reads for it,\n"
		"  and the address that it gets or the fault that is reported. Without --pasid:\n"
		"  a request without one. Without --iova: up to the PASID's entry only.\n"
		"  status: 0 it passes; 3 it is a fault; 1 there is no answer; 2 wrong arguments\n",
	.run = run,
};
