// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl dot: the objects of all contexts as a graph, in Graphviz's language: from the processes
 * over the address spaces and page tables to the devices, their groups and IOMMUs.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "iommuctl-holders.h"

/* An object of one of these kinds is made on what this key names. */
static const char *const bases[] = {
	"ioas", "parent", "viommu", "hwpt", "fault", "device", "access",
};

struct graph {
	const struct everything *all;
	char **seen;		/* groups and IOMMUs that were drawn */
	size_t seen_count;
	size_t turn;
};

/* Inside of quotes. Only these two end or change what is there; the rest is made printable. */
static void put_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (*text >= ' ' && *text <= '~')
			putchar(*text);
		else
			printf("\\\\x%02x", (unsigned char)*text);
	}
}

static void node(const char *name, const char *style, const char *first, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Two lines of label; what @fmt gives may be empty. */
static void node(const char *name, const char *style, const char *first, const char *fmt, ...)
{
	char second[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(second, sizeof(second), fmt, ap);
	va_end(ap);
	printf("\t\"");
	put_quoted(name);
	printf("\" [label=\"");
	put_quoted(first);
	if (*second)
		printf("\\n");
	put_quoted(second);
	printf("\"%s%s];\n", *style ? ", " : "", style);
}

static void edge(const char *from, const char *to, const char *style, const char *label)
{
	printf("\t\"");
	put_quoted(from);
	printf("\" -> \"");
	put_quoted(to);
	printf("\"");
	if (*label || *style)
		printf(" [");
	if (*label) {
		printf("label=\"");
		put_quoted(label);
		printf("\"%s", *style ? ", " : "");
	}
	printf("%s%s;\n", style, *label || *style ? "]" : "");
}

static const char *name_of(const struct context *c, uint64_t id)
{
	static char name[16][64];
	static unsigned int turn;
	char *text = name[turn++ % ARRAY_SIZE(name)];

	snprintf(text, sizeof(name[0]), "c%llu-%llu", (unsigned long long)c->number,
		 (unsigned long long)id);
	return text;
}

static bool first_time(struct graph *graph, const char *what)
{
	size_t i;

	for (i = 0; i < graph->seen_count; i++)
		if (!strcmp(graph->seen[i], what))
			return false;
	*APPEND(graph->seen, graph->seen_count) = xstrdup(what);
	return true;
}

static void draw_processes(struct graph *graph, const char *to, const struct holders *holders)
{
	char name[32];
	size_t i;

	for (i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->one[i];

		snprintf(name, sizeof(name), "p%d", h->pid);
		if (first_time(graph, name))
			node(name, "shape=ellipse", h->comm, "pid %d", h->pid);
		edge(name, to, "", "");
	}
}

/* The group of a device, and the IOMMU that serves it, as sysfs has them. */
static void draw_behind(struct graph *graph, const char *from, const struct object *device)
{
	const char *name = object_text(device, "name"), *number = object_text(device, "group");
	char folder[PATH_MAX], link[PATH_MAX + 8], iommu[NAME_SIZE] = "", group[64];
	char label[64];

	if (name && device_folder(name, folder)) {
		snprintf(link, sizeof(link), "%s/iommu", folder);
		link_name(link, iommu, sizeof(iommu));
	}
	if (!number)
		return;
	snprintf(group, sizeof(group), "group %.40s", number);
	snprintf(label, sizeof(label), "%s", group);
	if (first_time(graph, group)) {
		node(group, "shape=folder", label, "%s", "");
		if (*iommu) {
			snprintf(link, sizeof(link), "iommu %s", iommu);
			if (first_time(graph, link))
				node(link, "shape=box3d", iommu, "IOMMU");
			edge(group, link, "arrowhead=none", "");
		}
	}
	edge(from, group, "arrowhead=none", "");
}

static void draw_device(struct graph *graph, const struct context *c, const struct object *o)
{
	const char *self = name_of(c, object_number(o, "id")), *name = object_text(o, "name");
	const char *policy = object_text(o, "policy");
	char folder[PATH_MAX], vfio[NAME_SIZE] = "", label[NAME_SIZE + 16];
	uint64_t hwpt = object_number(o, "hwpt");

	if (name && device_folder(name, folder))
		vfio_node(folder, vfio, sizeof(vfio));
	snprintf(label, sizeof(label), "device %s", name ? name : "?");
	node(self, "shape=component", label, "%s%sPASIDs %s", vfio, *vfio ? ", " : "",
	     policy ? policy : "?");
	if (hwpt)
		edge(name_of(c, hwpt), self, "", "without PASID");
	else
		edge(name_of(c, 0), self, "style=dashed", "not attached");
	draw_behind(graph, self, o);
}

/* 5-5 is 5. */
static void pasid_label(const char *run, char *label, size_t size)
{
	const char *dash = strchr(run, '-');
	size_t n = dash ? (size_t)(dash - run) : 0;

	if (dash && strlen(dash + 1) == n && !strncmp(run, dash + 1, n))
		snprintf(label, size, "PASID %.*s", (int)n, run);
	else
		snprintf(label, size, "PASIDs %s", run);
}

static void draw_pasids(const struct context *c, const struct object *o)
{
	uint64_t user = object_number(o, object_text(o, "device") ? "device" : "access");
	uint64_t from = object_number(o, "hwpt");
	const char *run = object_text(o, "vpasids");
	char label[64];

	pasid_label(run ? run : "?", label, sizeof(label));
	if (!from)
		from = object_number(o, "ioas");
	edge(name_of(c, from), name_of(c, user), from ? "" : "style=dotted", label);
}

/* Any other object hangs on all that it names. */
static void draw_object(const struct context *c, const struct object *o)
{
	const char *self = name_of(c, object_number(o, "id"));
	const char *type = object_text(o, "type"), *kind = object_text(o, "kind");
	char label[128];
	bool hangs = false;
	uint64_t base;
	size_t i;

	snprintf(label, sizeof(label), "%.40s %llu", kind ? kind : o->kind,
		 (unsigned long long)object_number(o, "id"));
	node(self, "", label, "%s%s", type ? "type " : "", type ? type : "");
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		base = object_number(o, bases[i]);
		if (!base)
			continue;
		edge(name_of(c, base), self, "", "");
		hangs = true;
	}
	if (!hangs)
		edge(name_of(c, 0), self, "", "");
}

static void draw_ioas(const struct context *c, const struct object *o)
{
	const char *self = name_of(c, object_number(o, "id"));
	uint64_t areas = object_number(o, "areas");
	char label[64];

	snprintf(label, sizeof(label), "IOAS %llu", (unsigned long long)object_number(o, "id"));
	node(self, "", label, "%llu area%s, %s", (unsigned long long)areas, areas == 1 ? "" : "s",
	     bytes(object_number(o, "mapped")));
	edge(name_of(c, 0), self, "", "");
}

static void draw_hwpt(const struct context *c, const struct object *o)
{
	uint64_t parent = object_number(o, "parent");
	const char *self = name_of(c, object_number(o, "id")), *type = object_text(o, "type");
	char label[64];

	snprintf(label, sizeof(label), "page table %llu",
		 (unsigned long long)object_number(o, "id"));
	node(self, "", label, "%s%s", type ? type : "?",
	     object_number(o, "auto") ? ", automatic" : "");
	edge(name_of(c, parent ? parent : object_number(o, "ioas")), self, "",
	     parent ? "nested" : "");
	if (object_number(o, "fault"))
		edge(self, name_of(c, object_number(o, "fault")), "style=dashed", "faults");
}

static void draw_context(struct graph *graph, const struct context *c)
{
	char label[64];
	size_t i;

	snprintf(label, sizeof(label), "context %llu", (unsigned long long)c->number);
	node(name_of(c, 0), "style=bold", label, "%s mapped, %s pinned", bytes(c->mapped),
	     bytes(c->pinned));
	draw_processes(graph, name_of(c, 0), &c->holders);
	for (i = 0; i < c->objects; i++) {
		const struct object *o = &c->object[i];

		if (object_is(o, "ioas"))
			draw_ioas(c, o);
		else if (object_is(o, "hwpt"))
			draw_hwpt(c, o);
		else if (object_is(o, "device"))
			draw_device(graph, c, o);
		else if (object_is(o, "pasid"))
			draw_pasids(c, o);
		else
			draw_object(c, o);
	}
	if (!c->left_out)
		return;
	snprintf(label, sizeof(label), "c%llu-more", (unsigned long long)c->number);
	node(label, "shape=plaintext", "left out", "%llu more", (unsigned long long)c->left_out);
	edge(name_of(c, 0), label, "style=dotted", "");
}

/* A device that is open, but of no context that we see. */
static void draw_file(struct graph *graph, const struct vfio_file *f)
{
	char name[NAME_SIZE + 16];

	if (*f->device && context_of(graph->all, f->device))
		return;
	snprintf(name, sizeof(name), "/dev/vfio/%s", f->node);
	node(name, "shape=component, style=dashed", name, "%s", f->device);
	draw_processes(graph, name, &f->holders);
}

static void draw(const struct everything *all)
{
	struct graph graph = { .all = all };
	size_t i;

	printf("digraph iommufd {\n\trankdir=LR;\n"
	       "\tnode [shape=box, fontname=\"sans-serif\", fontsize=11];\n"
	       "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (i = 0; i < all->contexts; i++)
		draw_context(&graph, &all->context[i]);
	for (i = 0; i < all->files; i++)
		draw_file(&graph, &all->file[i]);
	printf("}\n");
	while (graph.seen_count)
		free(graph.seen[--graph.seen_count]);
	free(graph.seen);
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option known[] = { { NULL, 0, NULL, 0 } };
	struct everything all;

	if (getopt_long(argc, argv, "", known, NULL) != -1 || optind != argc)
		return wrong_arguments(command);
	if (!kernel_tells_holders())
		return FAILED;
	all = look_around();
	draw(&all);
	if (all.unreadable)
		complain("%u processes could not be looked at: only root sees all", all.unreadable);
	forget(&all);
	return DONE;
}

const struct command dot_command = {
	.name = "dot",
	.arguments = "",
	.help = "  The objects of all contexts, as a graph in Graphviz's language: for a picture,\n"
		"  iommuctl dot | dot -Tsvg >objects.svg\n",
	.run = run,
};
