// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl ps: who holds which contexts and VFIO devices, and what is in them. Opens none of them.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "iommuctl-holders.h"

/* " 0000:00:03.0" ..., and how many are left out, or "-". */
static void device_names(const struct context *c, char *text, size_t size)
{
	size_t i, have = 0, shown = 0, all = context_count(c, "device");

	snprintf(text, size, all ? "" : "-");
	for (i = 0; i < c->objects && shown < 3; i++) {
		const char *name = object_text(&c->object[i], "name");

		if (!name || !object_is(&c->object[i], "device"))
			continue;
		have += snprintf(text + have, size - have, "%s%.100s", shown ? " " : "", name);
		shown++;
	}
	if (all > shown)
		snprintf(text + have, size - have, " and %zu more", all - shown);
}

/* The first row of a context tells what it has, the others only who else holds it. */
static void add_rows(struct table *table, const struct context *c)
{
	char devices[512];
	size_t i;

	device_names(c, devices, sizeof(devices));
	for (i = 0; i < c->holders.count; i++) {
		const struct holder *h = &c->holders.one[i];

		table_cell(table, "%llu", (unsigned long long)c->number);
		table_cell(table, "%d", h->pid);
		table_cell(table, "%s", h->comm);
		table_cell(table, "%s", h->user);
		if (i) {
			table_cell(table, "same");
			table_cell(table, "%s", "");
			table_cell(table, "%s", "");
			table_cell(table, "%s", "");
			table_cell(table, "%s", "");
			continue;
		}
		table_cell(table, "%zu", context_count(c, "ioas"));
		table_cell(table, "%s", bytes(c->mapped));
		table_cell(table, "%s", bytes(c->pinned));
		table_cell(table, "%llu", (unsigned long long)c->pasids);
		table_cell(table, "%s", devices);
	}
}

static void print_files(const struct everything *all)
{
	static const char *const heads[] = {
		"/dev/vfio/", "device", ">context", ">PID", "command", "user",
	};
	struct table table = { .heads = heads, .columns = ARRAY_SIZE(heads) };
	size_t i, k;

	for (i = 0; i < all->files; i++) {
		const struct vfio_file *f = &all->file[i];
		const struct context *c = *f->device ? context_of(all, f->device) : NULL;

		for (k = 0; k < f->holders.count; k++) {
			table_cell(&table, "%s", f->node);
			table_cell(&table, "%s", *f->device ? f->device : "-");
			if (c)
				table_cell(&table, "%llu", (unsigned long long)c->number);
			else
				table_cell(&table, "-");
			table_cell(&table, "%d", f->holders.one[k].pid);
			table_cell(&table, "%s", f->holders.one[k].comm);
			table_cell(&table, "%s", f->holders.one[k].user);
		}
	}
	if (!table.cells)
		return;
	putchar('\n');
	table_print(&table, stdout);
}

static void print_object(const struct object *object)
{
	unsigned int i;

	printf("  ");
	put_safe(stdout, object->kind);
	for (i = 0; i < object->fields; i++) {
		printf(i ? ", " : " ");
		put_safe(stdout, object->key[i]);
		putchar(' ');
		put_safe(stdout, object->value[i]);
	}
	putchar('\n');
}

static void print_long(const struct context *c)
{
	size_t i;

	printf("context %llu: %s mapped, %s pinned, %llu PASIDs", (unsigned long long)c->number,
	       bytes(c->mapped), bytes(c->pinned), (unsigned long long)c->pasids);
	if (c->charge) {
		printf(", charged to the ");
		put_safe(stdout, c->charge);
	}
	putchar('\n');
	for (i = 0; i < c->holders.count; i++) {
		printf("  held by %d (", c->holders.one[i].pid);
		put_safe(stdout, c->holders.one[i].comm);
		printf("), user ");
		put_safe(stdout, c->holders.one[i].user);
		putchar('\n');
	}
	for (i = 0; i < c->objects; i++)
		print_object(&c->object[i]);
	if (c->left_out)
		printf("  and %llu more\n", (unsigned long long)c->left_out);
}

static void print_text(const struct everything *all, bool details)
{
	static const char *const heads[] = {
		">context", ">PID", "command", "user", ">IOASes", ">mapped", ">pinned", ">PASIDs",
		"devices",
	};
	struct table table = { .heads = heads, .columns = ARRAY_SIZE(heads) };
	size_t i;

	for (i = 0; i < all->contexts; i++) {
		if (details)
			print_long(&all->context[i]);
		else
			add_rows(&table, &all->context[i]);
	}
	if (!details)
		table_print(&table, stdout);
	print_files(all);
}

static void holders_json(struct json *json, const struct holders *holders)
{
	size_t i, k;

	json_open(json, "processes", '[');
	for (i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->one[i];

		json_open(json, NULL, '{');
		json_number(json, "pid", h->pid);
		json_text(json, "command", h->comm);
		json_text(json, "user", h->user);
		json_number(json, "uid", h->uid);
		json_open(json, "fds", '[');
		for (k = 0; k < h->fds; k++)
			json_number(json, NULL, h->fd[k]);
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* A number that JSON's readers keep exactly is one; anything else is text. */
static void value_json(struct json *json, const char *key, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits && !text[digits] && digits <= 15)
		json_number(json, key, strtoull(text, NULL, 10));
	else
		json_text(json, key, text);
}

static void object_json(struct json *json, const struct object *object)
{
	char folder[PATH_MAX], node[NAME_SIZE];
	const char *name = object_text(object, "name");
	unsigned int i;

	json_open(json, NULL, '{');
	json_text(json, "kind", object->kind);
	for (i = 0; i < object->fields; i++)
		value_json(json, object->key[i], object->value[i]);
	if (name && object_is(object, "device") && device_folder(name, folder) &&
	    vfio_node(folder, node, sizeof(node)))
		json_text(json, "node", node);
	json_close(json, '}');
}

static void context_json(struct json *json, const struct context *c)
{
	size_t i;

	json_open(json, NULL, '{');
	json_number(json, "context", c->number);
	json_text(json, "charge", c->charge);
	json_number(json, "mapped", c->mapped);
	json_number(json, "pinned", c->pinned);
	json_number(json, "pasids", c->pasids);
	holders_json(json, &c->holders);
	json_open(json, "objects", '[');
	for (i = 0; i < c->objects; i++)
		object_json(json, &c->object[i]);
	json_close(json, ']');
	json_number(json, "left_out", c->left_out);
	json_close(json, '}');
}

static void print_json(const struct everything *all)
{
	struct json json = { 0 };
	size_t i;

	json_open(&json, NULL, '{');
	json_open(&json, "contexts", '[');
	for (i = 0; i < all->contexts; i++)
		context_json(&json, &all->context[i]);
	json_close(&json, ']');
	json_open(&json, "files", '[');
	for (i = 0; i < all->files; i++) {
		const struct vfio_file *f = &all->file[i];
		const struct context *c = *f->device ? context_of(all, f->device) : NULL;

		json_open(&json, NULL, '{');
		json_text(&json, "node", f->node);
		json_text(&json, "device", *f->device ? f->device : NULL);
		if (c)
			json_number(&json, "context", c->number);
		else
			json_null(&json, "context");
		holders_json(&json, &f->holders);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_number(&json, "unreadable_processes", all->unreadable);
	json_number(&json, "unknown_contexts", all->silent);
	json_close(&json, '}');
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "long", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, details = false;
	struct everything all;
	int option;

	while ((option = getopt_long(argc, argv, "jl", known, NULL)) != -1) {
		if (option == '?')
			return wrong_arguments(command);
		json = json || option == 'j';
		details = details || option == 'l';
	}
	if (optind != argc)
		return wrong_arguments(command);
	if (!kernel_tells_holders())
		return FAILED;
	all = look_around();
	if (json)
		print_json(&all);
	else
		print_text(&all, details);
	if (all.unreadable)
		complain("%u processes could not be looked at: only root sees all", all.unreadable);
	if (all.silent)
		complain("%u files of /dev/iommu do not tell what they hold", all.silent);
	forget(&all);
	return DONE;
}

const struct command ps_command = {
	.name = "ps",
	.arguments = "[--long] [--json]",
	.help = "  Who holds what: each context of /dev/iommu, the processes that have it, its\n"
		"  memory, PASIDs and devices; and who has files of VFIO open.\n"
		"  --long, -l  all objects of each context\n"
		"  --json, -j  for programs, with all objects\n",
	.run = run,
};
