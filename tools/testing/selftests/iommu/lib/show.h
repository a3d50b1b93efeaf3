/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel shows of a context as text. */
#ifndef SELFTEST_SHOW_H
#define SELFTEST_SHOW_H

#include <stdbool.h>
#include <sys/types.h>
#include <kselftest.h>

/* All of a file, to be freed, or NULL. */
char *text_of(const char *path);
/* The fdinfo of a file that a process has open, to be freed, or NULL. */
char *fdinfo_of(pid_t pid, int fd);
char *fdinfo(int fd);
/* Whether there is a line that is exactly this; says so if not. */
__printf(2, 3) bool has_line(const char *text, const char *fmt, ...);
/* Lines that begin so. */
unsigned int lines_of(const char *text, const char *start);
/* The number after name= or name:, in the first line that begins so; -1 without. */
long value_of(const char *text, const char *start, const char *name);

#endif
