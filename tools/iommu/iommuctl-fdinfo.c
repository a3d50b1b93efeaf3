// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl: what the fdinfo of a context says. A key that is not known here is of a newer kernel:
 * an object's is kept, another is passed over. Reads no file.
 */
#include <stdlib.h>
#include <string.h>
#include "iommuctl-holders.h"

static void parse_fields(char *text, struct object *object)
{
	char *word, *value;

	while ((word = strsep(&text, " "))) {
		value = strchr(word, '=');
		if (!value || value == word || object->fields == FIELDS)
			continue;
		*value++ = 0;
		object->key[object->fields] = word;
		object->value[object->fields++] = value;
	}
}

const char *object_text(const struct object *object, const char *key)
{
	unsigned int i;

	for (i = 0; i < object->fields; i++)
		if (!strcmp(object->key[i], key))
			return object->value[i];
	return NULL;
}

uint64_t object_number(const struct object *object, const char *key)
{
	const char *text = object_text(object, key);

	return text ? strtoull(text, NULL, 0) : 0;
}

bool object_is(const struct object *object, const char *kind)
{
	return !strcmp(object->kind, kind);
}

/* True if it is one of the lines that are a number. */
static bool parse_total(const char *key, const char *value, struct context *c)
{
	const struct { const char *key; uint64_t *total; } totals[] = {
		{ "mapped", &c->mapped }, { "pinned", &c->pinned }, { "pasids", &c->pasids },
		{ "number", &c->number }, { "more", &c->left_out },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		if (strcmp(key, totals[i].key))
			continue;
		*totals[i].total = strtoull(value, NULL, 0);
		return true;
	}
	return false;
}

static void parse_head(char *value, struct context *c)
{
	struct object head = { 0 };

	parse_fields(value, &head);
	c->charge = object_text(&head, "charge");
}

bool parse_context(char *text, struct context *c)
{
	char *line, *value;
	bool ours = false;

	memset(c, 0, sizeof(*c));
	c->text = text;
	while ((line = strsep(&text, "\n"))) {
		value = strstr(line, ":\t");
		if (!value)
			continue;
		*value = 0;
		value += 2;
		if (!strcmp(line, "iommufd")) {
			parse_head(value, c);
			ours = true;
		} else if (ours && !parse_total(line, value, c) && strchr(value, '=')) {
			struct object *object = APPEND(c->object, c->objects);

			object->kind = line;
			parse_fields(value, object);
		}
	}
	return ours;
}

size_t context_count(const struct context *context, const char *kind)
{
	size_t i, count = 0;

	for (i = 0; i < context->objects; i++)
		count += object_is(&context->object[i], kind);
	return count;
}

const struct context *context_of(const struct everything *all, const char *device)
{
	size_t i, k;

	for (i = 0; i < all->contexts; i++) {
		const struct context *c = &all->context[i];

		for (k = 0; k < c->objects; k++) {
			const char *name = object_text(&c->object[k], "name");

			if (name && object_is(&c->object[k], "device") && !strcmp(name, device))
				return c;
		}
	}
	return NULL;
}
