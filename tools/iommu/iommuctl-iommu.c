// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl list: what an IOMMU can do, from /sys/class/iommu. Bits are those of VT-d's Capability
 * and Extended Capability registers (VT-d specification 5.0, 11.4.2, 11.4.3) and of AMD's Extended
 * Feature Register (48882 3.08, 3.4.1). An SMMU's registers are not there: IOMMU_GET_HW_INFO has
 * them.
 */
#include <stdlib.h>
#include <string.h>
#include "iommuctl-list.h"

struct ability {
	const char *key;	/* in JSON */
	const char *text;	/* for people */
	bool has;
};

#define ABILITIES	16

struct iommu {
	const char *type;
	const char *title;
	char driver[NAME_SIZE];
	const char *reg_name[2];
	uint64_t reg[2];
	unsigned int regs;
	struct ability ability[ABILITIES];
	unsigned int abilities;
	unsigned int pasid_width, input_width;
	char pages[64];
};

static void add(struct iommu *iommu, const char *key, const char *text, bool has)
{
	if (iommu->abilities < ABILITIES)
		iommu->ability[iommu->abilities++] = (struct ability){ key, text, has };
}

static void read_vtd(const char *name, struct iommu *iommu)
{
	char text[64];
	uint64_t cap, ecap;
	bool scalable;

	read_line(at("/sys/class/iommu/%s/intel-iommu/cap", name), text, sizeof(text));
	cap = strtoull(text, NULL, 16);
	read_line(at("/sys/class/iommu/%s/intel-iommu/ecap", name), text, sizeof(text));
	ecap = strtoull(text, NULL, 16);
	scalable = BIT(ecap, 43);
	*iommu = (struct iommu){
		.type = "vt-d", .title = "Intel VT-d", .regs = 2, .reg_name = { "cap", "ecap" },
		.reg = { cap, ecap }, .input_width = ((cap >> 16) & 63) + 1,
		.pasid_width = BIT(ecap, 40) ? ((ecap >> 35) & 31) + 1 : 0,
	};
	add(iommu, "scalable_mode", "scalable mode", scalable);
	add(iommu, "first_stage", "first stage", scalable && BIT(ecap, 47));
	/* Without scalable mode it is the only one there is. */
	add(iommu, "second_stage", "second stage", !scalable || BIT(ecap, 46));
	add(iommu, "nesting", "nesting", BIT(ecap, 26));
	add(iommu, "page_requests", "page requests", BIT(ecap, 29));
	add(iommu, "device_iotlb", "device IOTLB", BIT(ecap, 2));
	add(iommu, "snoop_control", "snoop control", BIT(ecap, 7));
	add(iommu, "dirty_tracking", "dirty tracking", scalable && BIT(ecap, 45));
	add(iommu, "interrupt_remapping", "interrupt remapping", BIT(ecap, 3));
	snprintf(iommu->pages, sizeof(iommu->pages),
		 "second-stage pages 4K%s%s, first-stage 4K 2M%s",
		 BIT(cap, 34) ? " 2M" : "", BIT(cap, 35) ? " 1G" : "", BIT(cap, 56) ? " 1G" : "");
}

static void read_amd(const char *name, struct iommu *iommu)
{
	char text[64];
	uint64_t efr;

	read_line(at("/sys/class/iommu/%s/amd-iommu/features", name), text, sizeof(text));
	efr = strtoull(text, NULL, 16);
	*iommu = (struct iommu){
		.type = "amd-vi", .title = "AMD", .regs = 1, .reg_name = { "efr" }, .reg = { efr },
		/* PASIDs are of tables of v2 alone. */
		.pasid_width = BIT(efr, 4) ? ((efr >> 32) & 31) + 1 : 0,
	};
	add(iommu, "v2_tables", "v2 tables", BIT(efr, 4));
	add(iommu, "page_requests", "page requests", BIT(efr, 1));
	add(iommu, "guest_apic", "guest APIC", BIT(efr, 7));
	add(iommu, "snoop_control", "snoop control", BIT(efr, 43));
	add(iommu, "dirty_tracking", "dirty tracking", BIT(efr, 52));
	snprintf(iommu->pages, sizeof(iommu->pages), "v1 tables of up to %u levels",
		 4 + (unsigned int)((efr >> 10) & 3));
}

static void read_iommu(const char *name, struct iommu *iommu)
{
	char driver[NAME_SIZE] = "";

	if (exists(at("/sys/class/iommu/%s/intel-iommu", name))) {
		read_vtd(name, iommu);
	} else if (exists(at("/sys/class/iommu/%s/amd-iommu", name))) {
		read_amd(name, iommu);
	} else {
		*iommu = (struct iommu){ .type = "other", .title = "IOMMU" };
		if (!strncmp(name, "smmu3.", 6)) {
			iommu->type = "smmuv3";
			iommu->title = "Arm SMMUv3";
		} else if (!strncmp(name, "smmu.", 5)) {
			iommu->type = "smmu";
			iommu->title = "Arm SMMU";
		}
	}
	link_name(at("/sys/class/iommu/%s/device/driver", name), driver, sizeof(driver));
	snprintf(iommu->driver, sizeof(iommu->driver), "%s", driver);
}

static size_t count_devices(const char *name)
{
	struct names devices = names_of(at("/sys/class/iommu/%s/devices", name));
	size_t count = devices.count;

	names_free(&devices);
	return count;
}

void iommu_print(const char *name)
{
	struct iommu iommu;
	unsigned int i;

	read_iommu(name, &iommu);
	put_safe(stdout, name);
	printf(": %s", iommu.title);
	for (i = 0; i < iommu.regs; i++)
		printf(", %s %#llx", iommu.reg_name[i], (unsigned long long)iommu.reg[i]);
	if (*iommu.driver) {
		printf(", driver ");
		put_safe(stdout, iommu.driver);
	}
	printf(", %zu devices\n", count_devices(name));
	for (i = 0; i < iommu.abilities; i++)
		printf("%s%s %s", i % 5 ? ", " : i ? "\n  " : "  ", iommu.ability[i].text,
		       iommu.ability[i].has ? "yes" : "no");
	if (!iommu.abilities)
		return;
	printf("\n  PASID %s", iommu.pasid_width ? "yes" : "no");
	if (iommu.pasid_width)
		printf(" (width %u)", iommu.pasid_width);
	if (iommu.input_width)
		printf(", guest address width %u", iommu.input_width);
	printf(", %s\n", iommu.pages);
}

void iommu_json(struct json *json, const char *name)
{
	struct iommu iommu;
	unsigned int i;

	read_iommu(name, &iommu);
	json_open(json, NULL, '{');
	json_text(json, "name", name);
	json_text(json, "type", iommu.type);
	json_text(json, "driver", *iommu.driver ? iommu.driver : NULL);
	json_number(json, "devices", count_devices(name));
	for (i = 0; i < iommu.regs; i++)
		json_hex(json, iommu.reg_name[i], iommu.reg[i]);
	for (i = 0; i < iommu.abilities; i++)
		json_bool(json, iommu.ability[i].key, iommu.ability[i].has);
	if (iommu.abilities)
		json_number(json, "pasid_width", iommu.pasid_width);
	if (iommu.input_width)
		json_number(json, "address_width", iommu.input_width);
	json_close(json, '}');
}
