// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl bind, unbind: PCI functions to vfio-pci, and back to what they had. All that are named,
 * or none: a step that fails undoes those before it. An IOMMU group is of one user: what else of it
 * a host driver has is named, or taken along.
 */
#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "iommuctl-bind.h"
#include "iommuctl-holders.h"

struct plan {
	struct function *one;
	size_t count;
	bool json, group, force;
};

static struct function *find(struct plan *plan, const char *address)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->one[i].address, address))
			return &plan->one[i];
	return NULL;
}

static bool add(struct plan *plan, const char *text)
{
	struct function f;

	if (!function_read(text, &f))
		return false;
	if (!find(plan, f.address))
		*APPEND(plan->one, plan->count) = f;
	return true;
}

/* Drivers that do no DMA: the kernel lets them stay beside VFIO. */
static bool is_harmless(const char *driver)
{
	return !*driver || !strcmp(driver, VFIO_DRIVER) || !strcmp(driver, "pci-stub") ||
	       !strcmp(driver, "pcieport") || strstr(driver, "vfio");
}

/* The others of its group: in the plan, with --group, or without a host driver. */
static bool check_group(struct plan *plan, const char *group)
{
	struct names names = names_of(at("/sys/kernel/iommu_groups/%s/devices", group));
	bool good = true;
	size_t i;

	for (i = 0; i < names.count; i++) {
		struct function other;

		if (find(plan, names.name[i]))
			continue;
		/* VFIO refuses the group for one that is on another bus, and says so. */
		if (!pci_address(names.name[i], other.address))
			continue;
		if (!function_read(names.name[i], &other)) {
			good = false;
		} else if (plan->group && !other.bridge) {
			good = add(plan, names.name[i]) && good;
		} else if (!is_harmless(other.was.driver)) {
			complain("%s: in group %s too, with driver %s: name it, or use --group",
				 other.address, group, other.was.driver);
			good = false;
		}
	}
	names_free(&names);
	return good;
}

static bool check_bind(struct plan *plan, size_t index)
{
	struct function f = plan->one[index];
	char why[NAME_SIZE * 2 + 64];

	if (f.bridge) {
		complain("%s: a bridge stays with the kernel", f.address);
		return false;
	}
	if (!*f.group) {
		complain("%s: no IOMMU is in front of it", f.address);
		advise_iommu();
		return false;
	}
	if (!plan->force && function_in_use(&f, why, sizeof(why))) {
		complain("%s: %s; --force takes it away all the same", f.address, why);
		return false;
	}
	return check_group(plan, f.group);
}

/* The driver is built in, or a module that is loaded by now. */
static bool have_vfio(void)
{
	static char *const load[] = { "modprobe", VFIO_DRIVER, NULL };
	static char *const environment[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	const char *folder = at("/sys/bus/pci/drivers/" VFIO_DRIVER);
	int status;
	pid_t pid;

	if (exists(folder))
		return true;
	if (!*sysroot && !posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, load, environment))
		waitpid(pid, &status, 0);
	if (exists(folder))
		return true;
	complain("the driver " VFIO_DRIVER " is missing: load its module");
	advise_module();
	return false;
}

static void undo_all(struct plan *plan, size_t count)
{
	while (count--) {
		struct function *f = &plan->one[count];

		function_undo(f);
		if (!f->changed && !f->remembered)
			record_drop(f);
	}
}

static bool bind_one(struct function *f)
{
	static const struct choice want = { VFIO_DRIVER, VFIO_DRIVER };

	/* One that has it already: its record, if there is one, is the right one. */
	f->remembered = !strcmp(f->was.driver, VFIO_DRIVER);
	if (f->remembered)
		return true;
	if (!record_save(f)) {
		complain("%s: cannot remember what it has: %s", f->address, strerror(errno));
		return false;
	}
	return function_choose(f, &want);
}

static bool bind_all(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		if (bind_one(&plan->one[i]))
			continue;
		undo_all(plan, i + 1);
		return false;
	}
	return true;
}

/* Whoever has it open would have to let go first, and the kernel would wait for that. */
static bool is_open(const struct everything *all, const struct function *f)
{
	char node[NAME_SIZE], file[NAME_SIZE + 16], unsafe[NAME_SIZE + 16];
	size_t i;

	vfio_node(f->folder, node, sizeof(node));
	snprintf(file, sizeof(file), "devices/%s", node);
	snprintf(unsafe, sizeof(unsafe), "noiommu-%s", f->group);
	for (i = 0; i < all->files; i++) {
		const struct vfio_file *open = &all->file[i];

		if (strcmp(open->node, file) && strcmp(open->node, f->group) &&
		    strcmp(open->node, unsafe))
			continue;
		complain("%s: process %d (%s) has /dev/vfio/%s open: the kernel would wait for it",
			 f->address, open->holders.one[0].pid, open->holders.one[0].comm,
			 open->node);
		return true;
	}
	return false;
}

static bool check_unbind(struct plan *plan)
{
	struct everything all = look_around();
	bool good = true;
	size_t i;

	for (i = 0; i < plan->count; i++) {
		struct function *f = &plan->one[i];

		if (strcmp(f->was.driver, VFIO_DRIVER)) {
			complain("%s: not with " VFIO_DRIVER " but %s", f->address,
				 *f->was.driver ? f->was.driver : "without a driver");
			good = false;
		} else if (!plan->force && is_open(&all, f)) {
			good = false;
		}
	}
	forget(&all);
	return good;
}

/* Without a record the kernel looks for a driver, as for a new function. */
static bool let_kernel_choose(struct function *f)
{
	static const struct choice none = { "", "" };
	struct function found;

	if (!function_choose(f, &none))
		return false;
	if (!write_file(at("/sys/bus/pci/drivers_probe"), f->address)) {
		complain("%s: drivers_probe: %s", f->address, strerror(errno));
		return false;
	}
	if (!function_read(f->address, &found))
		return false;
	f->now = found.now;
	return true;
}

static bool unbind_all(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		struct function *f = &plan->one[i];
		struct choice before;

		f->remembered = record_load(f, &before);
		if (f->remembered ? !function_choose(f, &before) : !let_kernel_choose(f)) {
			undo_all(plan, i + 1);
			return false;
		}
	}
	for (i = 0; i < plan->count; i++)
		record_drop(&plan->one[i]);
	return true;
}

static void report_json(const struct plan *plan)
{
	struct json json = { 0 };
	size_t i;

	json_open(&json, NULL, '{');
	json_open(&json, "devices", '[');
	for (i = 0; i < plan->count; i++) {
		const struct function *f = &plan->one[i];
		char node[NAME_SIZE];

		json_open(&json, NULL, '{');
		json_text(&json, "address", f->address);
		json_text(&json, "group", f->group);
		json_text(&json, "from", *f->was.driver ? f->was.driver : NULL);
		json_text(&json, "to", *f->now.driver ? f->now.driver : NULL);
		json_text(&json, "node", vfio_node(f->folder, node, sizeof(node)) ? node : NULL);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
}

static void report(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		const struct function *f = &plan->one[i];
		char node[NAME_SIZE];

		printf("%s: ", f->address);
		put_safe(stdout, *f->was.driver ? f->was.driver : "no driver");
		printf(" -> ");
		put_safe(stdout, *f->now.driver ? f->now.driver : "no driver");
		printf(", group %s", f->group);
		if (vfio_node(f->folder, node, sizeof(node)))
			printf(", /dev/vfio/devices/%s", node);
		putchar('\n');
	}
}

static bool options(int argc, char **argv, struct plan *plan, const char *letters)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ "group", no_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		if (!strchr(letters, option))
			return false;
		plan->json = plan->json || option == 'j';
		plan->force = plan->force || option == 'f';
		plan->group = plan->group || option == 'g';
	}
	return optind < argc;
}

static int finish(struct plan *plan, bool good)
{
	if (good && plan->json)
		report_json(plan);
	else if (good)
		report(plan);
	free(plan->one);
	return good ? DONE : FAILED;
}

static bool add_named(struct plan *plan, int argc, char **argv)
{
	bool good = true;
	int i;

	for (i = optind; i < argc; i++)
		good = add(plan, argv[i]) && good;
	return good;
}

static int run_bind(const struct command *command, int argc, char **argv)
{
	struct plan plan = { 0 };
	bool good;
	size_t i;

	if (!options(argc, argv, &plan, "jfg"))
		return wrong_arguments(command);
	good = record_lock() && add_named(&plan, argc, argv);
	/* With --group the plan grows behind us. */
	for (i = 0; good && i < plan.count; i++)
		good = check_bind(&plan, i);
	return finish(&plan, good && have_vfio() && bind_all(&plan));
}

static int run_unbind(const struct command *command, int argc, char **argv)
{
	struct plan plan = { 0 };
	bool good;

	if (!options(argc, argv, &plan, "jf"))
		return wrong_arguments(command);
	good = record_lock() && add_named(&plan, argc, argv) && check_unbind(&plan);
	return finish(&plan, good && unbind_all(&plan));
}

const struct command bind_command = {
	.name = "bind",
	.arguments = "[--group] [--force] [--json] ADDRESS...",
	.help = "  Gives PCI functions to vfio-pci, all of them or none, and remembers what they\n"
		"  had.\n"
		"  --group, -g  with all others of their IOMMU groups\n"
		"  --force, -f  even if a disk of it is mounted, or a network interface up\n"
		"  --json, -j   for programs\n",
	.run = run_bind,
};

const struct command unbind_command = {
	.name = "unbind",
	.arguments = "[--force] [--json] ADDRESS...",
	.help = "  Takes PCI functions from vfio-pci, all of them or none, and gives them back to\n"
		"  the drivers they had before bind; without bind, to what the kernel finds.\n"
		"  --force, -f  even if a process has it open: waits until it lets go\n"
		"  --json, -j   for programs\n",
	.run = run_unbind,
};
