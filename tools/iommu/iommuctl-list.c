// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl list: the IOMMUs, and the devices behind them with their groups, drivers and abilities.
 * Reads sysfs; opens a device only for --hw-info.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "iommuctl-list.h"

struct device {
	char folder[PATH_MAX];
	char name[NAME_SIZE];
	bool is_pci;
	char id[16], class[16];
	char iommu[NAME_SIZE], group[NAME_SIZE], group_type[32], driver[NAME_SIZE];
	char node[NAME_SIZE];		/* vfio0 */
	char group_node[NAME_SIZE];	/* of /dev/vfio/ */
	struct pci_abilities pci;
	bool asked;
	struct hw_info hw;
};

struct devices {
	struct device *device;
	size_t count;
};

static bool attribute(const struct device *d, const char *name, char *text, size_t size)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", d->folder, name);
	return read_line(path, text, size);
}

static void link_of(const struct device *d, const char *name, char *text)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", d->folder, name);
	link_name(path, text, NAME_SIZE);
}

static void read_device(struct device *d)
{
	char vendor[16], device[16];

	if (attribute(d, "vendor", vendor, sizeof(vendor)) &&
	    attribute(d, "device", device, sizeof(device)) && strlen(vendor) == 6 &&
	    strlen(device) == 6) {
		d->is_pci = true;
		snprintf(d->id, sizeof(d->id), "%.4s:%.4s", vendor + 2, device + 2);
		attribute(d, "class", d->class, sizeof(d->class));
		d->pci = pci_abilities(d->folder);
	}
	link_of(d, "iommu", d->iommu);
	link_of(d, "iommu_group", d->group);
	link_of(d, "driver", d->driver);
	vfio_node(d->folder, d->node, sizeof(d->node));
	if (!*d->group)
		return;
	read_line(at("/sys/kernel/iommu_groups/%s/type", d->group), d->group_type,
		  sizeof(d->group_type));
	if (exists(at("/sys/class/vfio/%s", d->group)))
		snprintf(d->group_node, sizeof(d->group_node), "%s", d->group);
	else if (exists(at("/sys/class/vfio/noiommu-%s", d->group)))
		snprintf(d->group_node, sizeof(d->group_node), "noiommu-%.200s", d->group);
}

/* What @link leads to, unless it is there already. */
static void add(struct devices *all, const char *link)
{
	char folder[PATH_MAX];
	struct device *d;
	size_t i;

	if (!realpath(link, folder))
		return;
	for (i = 0; i < all->count; i++)
		if (!strcmp(all->device[i].folder, folder))
			return;
	d = APPEND(all->device, all->count);
	snprintf(d->folder, sizeof(d->folder), "%s", folder);
	snprintf(d->name, sizeof(d->name), "%s", strrchr(folder, '/') + 1);
	read_device(d);
}

static void add_all(struct devices *all, const char *folder, const char *link)
{
	struct names names = names_of(at("%s", folder));
	size_t i;

	for (i = 0; i < names.count; i++)
		add(all, at("%s/%s%s", folder, names.name[i], link));
	names_free(&names);
}

/* By group, those without one last; then by name. */
static int by_group(const void *a, const void *b)
{
	const struct device *x = a, *y = b;
	int order = !*x->group - !*y->group;

	if (!order)
		order = strverscmp(x->group, y->group);
	return order ? order : strverscmp(x->name, y->name);
}

/* Of every bus that an IOMMU serves, and every PCI function. */
static struct devices find_devices(void)
{
	struct names groups = names_of(at("/sys/kernel/iommu_groups"));
	struct devices all = { 0 };
	char folder[PATH_MAX];
	size_t i;

	for (i = 0; i < groups.count; i++) {
		snprintf(folder, sizeof(folder), "/sys/kernel/iommu_groups/%s/devices",
			 groups.name[i]);
		add_all(&all, folder, "");
	}
	names_free(&groups);
	add_all(&all, "/sys/bus/pci/devices", "");
	add_all(&all, "/sys/class/vfio-dev", "/device");
	if (all.count)
		qsort(all.device, all.count, sizeof(*all.device), by_group);
	return all;
}

static const char *or_none(const char *text)
{
	return *text ? text : "-";
}

static const char *ability(enum known known, bool on)
{
	return known == KNOWN_NOT ? "?" : known == KNOWN_NO ? "no" : on ? "on" : "off";
}

static void print_devices(const struct devices *all, bool ask)
{
	static const char *const heads[] = {
		"device", "ID", "IOMMU", ">group", "driver", "node", "PASID", "ATS", "PRI",
		"IOMMU_GET_HW_INFO",
	};
	struct table table = { .heads = heads, .columns = ARRAY_SIZE(heads) - !ask };
	size_t i;

	for (i = 0; i < all->count; i++) {
		const struct device *d = &all->device[i];

		table_cell(&table, "%s", d->name);
		table_cell(&table, "%s", or_none(d->id));
		table_cell(&table, "%s", or_none(d->iommu));
		table_cell(&table, "%s", or_none(d->group));
		table_cell(&table, "%s", or_none(d->driver));
		table_cell(&table, "%s", *d->node ? d->node : or_none(d->group_node));
		if (d->pci.pasid == KNOWN_YES)
			table_cell(&table, "%u bits, %s", d->pci.pasid_width,
				   ability(KNOWN_YES, d->pci.pasid_on));
		else
			table_cell(&table, "%s", ability(d->pci.pasid, false));
		table_cell(&table, "%s", ability(d->pci.ats, d->pci.ats_on));
		table_cell(&table, "%s", ability(d->pci.pri, d->pci.pri_on));
		if (ask && d->asked)
			hw_info_cell(&table, &d->hw);
		else if (ask)
			table_cell(&table, "no VFIO device");
	}
	table_print(&table, stdout);
}

static void ability_json(struct json *json, const char *key, enum known known)
{
	json_open(json, key, '{');
	if (known == KNOWN_NOT)
		json_null(json, "has");
	else
		json_bool(json, "has", known == KNOWN_YES);
}

static void abilities_json(struct json *json, const struct pci_abilities *a)
{
	ability_json(json, "pasid", a->pasid);
	if (a->pasid == KNOWN_YES) {
		json_number(json, "width", a->pasid_width);
		json_bool(json, "enabled", a->pasid_on);
		json_bool(json, "execute", a->pasid_exec);
		json_bool(json, "privileged", a->pasid_priv);
	}
	json_close(json, '}');
	ability_json(json, "ats", a->ats);
	if (a->ats == KNOWN_YES) {
		json_bool(json, "enabled", a->ats_on);
		json_number(json, "queue_depth", a->ats_queue);
	}
	json_close(json, '}');
	ability_json(json, "pri", a->pri);
	if (a->pri == KNOWN_YES) {
		json_bool(json, "enabled", a->pri_on);
		json_number(json, "requests", a->pri_requests);
	}
	json_close(json, '}');
}

static void text_or_null(struct json *json, const char *key, const char *text)
{
	json_text(json, key, *text ? text : NULL);
}

static void device_json(struct json *json, const struct device *d)
{
	json_open(json, NULL, '{');
	json_text(json, "name", d->name);
	text_or_null(json, "id", d->id);
	text_or_null(json, "class", d->class);
	text_or_null(json, "iommu", d->iommu);
	text_or_null(json, "group", d->group);
	text_or_null(json, "group_type", d->group_type);
	text_or_null(json, "driver", d->driver);
	text_or_null(json, "node", d->node);
	text_or_null(json, "group_node", d->group_node);
	if (d->is_pci)
		abilities_json(json, &d->pci);
	if (d->asked)
		hw_info_json(json, &d->hw);
	json_close(json, '}');
}

static void known_json(struct json *json, const char *key, const struct abilities *a, bool value)
{
	if (a->asked || !a->dev_iommu)
		json_bool(json, key, value);
	else
		json_null(json, key);
}

static void print_json(const struct names *iommus, const struct devices *all,
		       const struct abilities *kernel)
{
	struct json json = { 0 };
	size_t i;

	json_open(&json, NULL, '{');
	json_open(&json, "kernel", '{');
	json_bool(&json, "dev_iommu", kernel->dev_iommu);
	known_json(&json, "pasids", kernel, kernel->pasids);
	known_json(&json, "fdinfo", kernel, kernel->fdinfo);
	json_bool(&json, "walk", kernel->walk);
	json_close(&json, '}');
	json_open(&json, "iommus", '[');
	for (i = 0; i < iommus->count; i++)
		iommu_json(&json, iommus->name[i]);
	json_close(&json, ']');
	json_open(&json, "devices", '[');
	for (i = 0; i < all->count; i++)
		device_json(&json, &all->device[i]);
	json_close(&json, ']');
	json_close(&json, '}');
}

/* What is missing is told even when all that there is was listed. */
static int tell_missing(const struct names *iommus, const struct devices *all,
			const struct abilities *kernel)
{
	int status = DONE;
	size_t i;

	for (i = 0; i < all->count; i++) {
		if (all->device[i].pci.pasid != KNOWN_NOT)
			continue;
		complain("PASID, ATS and PRI: only root can read them");
		break;
	}
	if (!iommus->count) {
		status = complain("there is no IOMMU");
		advise_iommu();
	}
	if (!kernel->dev_iommu)
		status = complain("/dev/iommu is missing: load the module iommufd");
	else if (kernel->asked && !kernel->pasids)
		status = complain("/dev/iommu does not know PASIDs: it is of another iommufd");
	if (!kernel->dev_iommu || (kernel->asked && !kernel->pasids))
		advise_module();
	return status;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "hw-info", no_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, ask = false;
	struct abilities kernel;
	struct names iommus;
	struct devices all;
	int option, status;
	size_t i;

	while ((option = getopt_long(argc, argv, "ji", known, NULL)) != -1) {
		if (option == '?')
			return wrong_arguments(command);
		json = json || option == 'j';
		ask = ask || option == 'i';
	}
	if (optind != argc)
		return wrong_arguments(command);
	kernel = kernel_abilities();
	iommus = names_of(at("/sys/class/iommu"));
	all = find_devices();
	for (i = 0; ask && i < all.count; i++) {
		all.device[i].asked = *all.device[i].node;
		if (all.device[i].asked)
			all.device[i].hw = hw_info(all.device[i].node);
	}
	if (json) {
		print_json(&iommus, &all, &kernel);
	} else {
		for (i = 0; i < iommus.count; i++)
			iommu_print(iommus.name[i]);
		print_devices(&all, ask);
	}
	status = tell_missing(&iommus, &all, &kernel);
	names_free(&iommus);
	free(all.device);
	return status;
}

const struct command list_command = {
	.name = "list",
	.arguments = "[--hw-info] [--json]",
	.help = "  The IOMMUs, and the devices behind them: group, driver, VFIO's node, and\n"
		"  whether they have PASIDs, ATS and page requests (PRI), on or off.\n"
		"  --hw-info, -i  ask /dev/iommu about each VFIO device: opens those that nobody\n"
		"                 has open, which resets them\n"
		"  --json, -j     for programs\n",
	.run = run,
};
