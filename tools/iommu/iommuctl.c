// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl [--sysroot FOLDER] SUBCOMMAND ARGUMENTS: looks at IOMMUs, what is behind them and who
 * uses it. This file has the list of subcommands, and knows none.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "iommuctl.h"

static const struct command *const commands[] = {
	&list_command, &ps_command, &top_command, &dot_command, &bind_command, &unbind_command,
	&walk_command,
};

static void describe(FILE *to, const struct command *command)
{
	fprintf(to, "iommuctl %s %s\n%s", command->name, command->arguments, command->help);
}

int wrong_arguments(const struct command *command)
{
	fputs("usage: ", stderr);
	describe(stderr, command);
	return USAGE;
}

static void describe_all(FILE *to)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		describe(to, commands[i]);
	fputs("iommuctl --sysroot FOLDER ...\n"
	      "  reads FOLDER/sys, FOLDER/proc and so on in place of this machine's\n"
	      "status: 0 done; 1 failed, or the kernel lacks what is needed; 2 wrong arguments\n",
	      to);
}

int complain(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fputs("iommuctl: ", stderr);
	put_safe(stderr, text);
	putc('\n', stderr);
	return FAILED;
}

bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fputs("iommuctl: out of memory\n", stderr);
		exit(FAILED);
	}
	return p;
}

char *xstrdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(xrealloc(NULL, size), text, size);
}

static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	size_t i;

	if (argc > 2 && !strcmp(argv[1], "--sysroot")) {
		sysroot = argv[2];
		argc -= 2;
		argv += 2;
	}
	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		if (!wants_help(argc - 1, argv + 1))
			return commands[i]->run(commands[i], argc - 1, argv + 1);
		describe(stdout, commands[i]);
		return DONE;
	}
	if (argc == 2 && wants_help(argc, argv)) {
		describe_all(stdout);
		return DONE;
	}
	describe_all(stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	if (fflush(stdout) || ferror(stdout))
		return complain("cannot write: %s", strerror(errno));
	return status;
}
