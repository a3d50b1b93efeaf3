// SPDX-License-Identifier: GPL-2.0
/* iommuctl: JSON on stdout, as RFC 8259 has it, in ASCII. Knows nothing of what it prints. */
#include "iommuctl.h"

#define BAD	0xfffd

/* The next character of UTF-8 and how many bytes it takes; BAD, one byte, for what is none. */
static uint32_t next_character(const unsigned char *p, unsigned int *taken)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int length, i;
	uint32_t value;

	*taken = 1;
	if (*p < 0x80)
		return *p;
	length = *p >= 0xf0 && *p < 0xf8 ? 4 : *p >= 0xe0 && *p < 0xf0 ? 3 :
		 *p >= 0xc0 && *p < 0xe0 ? 2 : 0;
	if (!length)
		return BAD;
	value = *p & (0x7f >> length);
	for (i = 1; i < length; i++) {
		/* The end of the text is not one of these. */
		if ((p[i] & 0xc0) != 0x80)
			return BAD;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return BAD;
	*taken = length;
	return value;
}

static void put_character(uint32_t c)
{
	if (c == '"' || c == '\\') {
		printf("\\%c", (char)c);
	} else if (c >= ' ' && c < 0x7f) {
		putchar(c);
	} else if (c < 0x10000) {
		printf("\\u%04x", c);
	} else {
		c -= 0x10000;
		printf("\\u%04x\\u%04x", 0xd800 | c >> 10, 0xdc00 | (c & 0x3ff));
	}
}

static void put_string(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned int taken;

	putchar('"');
	for (; *p; p += taken)
		put_character(next_character(p, &taken));
	putchar('"');
}

static void line(const struct json *json)
{
	if (!json->one_line)
		printf("\n%*s", 2 * json->depth, "");
}

/* What stands before a value. */
static void start(struct json *json, const char *key)
{
	if (json->more)
		putchar(',');
	if (json->depth)
		line(json);
	if (json->more && json->one_line)
		putchar(' ');
	json->more = true;
	if (key) {
		put_string(key);
		printf(": ");
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	start(json, key);
	putchar(bracket);
	json->depth++;
	json->more = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->more)
		line(json);
	putchar(bracket);
	json->more = true;
	if (!json->depth) {
		putchar('\n');
		json->more = false;
	}
}

void json_text(struct json *json, const char *key, const char *text)
{
	start(json, key);
	if (text)
		put_string(text);
	else
		printf("null");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	start(json, key);
	printf("%llu", (unsigned long long)value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	start(json, key);
	printf("%lld", (long long)value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	start(json, key);
	printf("\"0x%llx\"", (unsigned long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start(json, key);
	printf(value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	json_text(json, key, NULL);
}
