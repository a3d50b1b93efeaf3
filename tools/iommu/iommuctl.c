// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl SUBCOMMAND ARGUMENTS: looks at IOMMUs and what is behind them. This file has the list of
 * subcommands, and knows none.
 */
#include <stdio.h>
#include <string.h>
#include "iommuctl.h"

static const struct command *const commands[] = { &walk_command };

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
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		describe_all(stdout);
		return DONE;
	}
	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(commands[i], argc - 1, argv + 1);
	}
	describe_all(stderr);
	return USAGE;
}
