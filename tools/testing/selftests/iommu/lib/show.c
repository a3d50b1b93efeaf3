// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "show.h"

char *text_of(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t rc = 0;

	while (file >= 0 && text && (rc = read(file, text + length, room - length - 1)) > 0) {
		length += rc;
		if (length + 1 == room)
			text = realloc(text, room *= 2);
	}
	if (file >= 0)
		close(file);
	if (file < 0 || !text || rc < 0) {
		free(text);
		return NULL;
	}
	text[length] = 0;
	return text;
}

char *fdinfo_of(pid_t pid, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	return text_of(path);
}

char *fdinfo(int fd)
{
	return fdinfo_of(getpid(), fd);
}

static const char *next_line(const char *at)
{
	at = strchr(at, '\n');
	return at && at[1] ? at + 1 : NULL;
}

bool has_line(const char *text, const char *fmt, ...)
{
	char line[512];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (; text; text = next_line(text))
		if (!strncmp(text, line, n) && text[n] == '\n')
			return true;
	ksft_print_msg("no line: %s\n", line);
	return false;
}

unsigned int lines_of(const char *text, const char *start)
{
	unsigned int nr = 0;

	for (; text; text = next_line(text))
		nr += !strncmp(text, start, strlen(start));
	return nr;
}

long value_of(const char *text, const char *start, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	while (text && strncmp(text, start, strlen(start)))
		text = next_line(text);
	for (at = text; at && *at && *at != '\n'; at++)
		if (!strncmp(at, name, n) && (at[n] == '=' || at[n] == ':') &&
		    (at == text || at[-1] == ' ' || at[-1] == '\t'))
			return strtol(at + n + 1, NULL, 0);
	return -1;
}
