/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommuctl: what its subcommands share. Each of them is a file iommuctl-NAME.c and a row in
 * iommuctl.c.
 */
#ifndef IOMMUCTL_H
#define IOMMUCTL_H

/* Exit statuses: done; an error, which stderr tells of; wrong arguments; the answer is a fault. */
enum status { DONE = 0, FAILED = 1, USAGE = 2, FAULT = 3 };

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct command {
	const char *name;
	const char *arguments;
	const char *help;	/* lines, each indented by two blanks */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command walk_command;

/* Tells on stderr how the subcommand is used; returns USAGE. */
int wrong_arguments(const struct command *command);

#endif
