// SPDX-License-Identifier: GPL-2.0
/* iommuctl: text for people. Knows nothing of what it prints. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "iommuctl.h"

#define WIDEST	60	/* a column that has more does not push the next ones away for all rows */

static bool printable(char c)
{
	return c >= ' ' && c <= '~' && c != '\\';
}

void put_safe(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (printable(*text))
			putc(*text, to);
		else
			fprintf(to, "\\x%02x", (unsigned char)*text);
	}
}

static size_t safe_length(const char *text)
{
	size_t length = 0;

	for (; *text; text++)
		length += printable(*text) ? 1 : 4;
	return length;
}

const char *bytes(uint64_t count)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	static char text[4][24];
	static unsigned int turn;
	char *t = text[turn++ % 4];
	uint64_t whole = count, rest = 0;
	unsigned int i = 0;
	bool exact = true;

	while (whole >= 1024 && i < ARRAY_SIZE(unit) - 1) {
		exact = exact && !rest;
		rest = whole % 1024;
		whole /= 1024;
		i++;
	}
	if (exact && !rest)
		snprintf(t, sizeof(text[0]), "%llu %s", (unsigned long long)whole, unit[i]);
	else
		snprintf(t, sizeof(text[0]), "%llu.%llu %s", (unsigned long long)whole,
			 (unsigned long long)rest * 10 / 1024, unit[i]);
	return t;
}

void table_cell(struct table *table, const char *fmt, ...)
{
	char **cell = APPEND(table->cell, table->cells);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(cell, fmt, ap) < 0)
		*cell = xstrdup("");
	va_end(ap);
}

static bool is_right(const char *head)
{
	return *head == '>';
}

static void put_blanks(FILE *to, size_t n)
{
	while (n--)
		putc(' ', to);
}

static void put_cell(FILE *to, const char *text, size_t width, bool right, bool last)
{
	size_t length = safe_length(text), pad = width > length ? width - length : 0;

	if (right)
		put_blanks(to, pad);
	put_safe(to, text);
	if (!last)
		put_blanks(to, (right ? 0 : pad) + 2);
}

void table_print(struct table *table, FILE *to)
{
	unsigned int n = table->columns;
	size_t width[n], i, length;

	for (i = 0; i < n; i++)
		width[i] = strlen(table->heads[i]) - is_right(table->heads[i]);
	for (i = 0; i < table->cells; i++) {
		length = safe_length(table->cell[i]);
		if (length > width[i % n])
			width[i % n] = length < WIDEST ? length : WIDEST;
	}
	for (i = 0; i < n; i++)
		put_cell(to, table->heads[i] + is_right(table->heads[i]), width[i],
			 is_right(table->heads[i]), i == n - 1);
	putc('\n', to);
	for (i = 0; i < table->cells; i++) {
		put_cell(to, table->cell[i], width[i % n], is_right(table->heads[i % n]),
			 i % n == n - 1);
		if (i % n == n - 1)
			putc('\n', to);
		free(table->cell[i]);
	}
	free(table->cell);
	table->cell = NULL;
	table->cells = 0;
}
