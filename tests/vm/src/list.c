// SPDX-License-Identifier: GPL-2.0
/*
 * Lists the IOMMUs, and the PCI functions behind them with what they can do: what sysfs and
 * configuration space say, and, for those bound to vfio-pci, what /dev/iommu says.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include "rig.h"

#define BIT(value, n)	(((value) >> (n)) & 1)
#define SYS_IOMMU	"/sys/class/iommu"
#define SYS_PCI		"/sys/bus/pci/devices"

static __u64 sysfs_hex(const char *dir, const char *name, const char *attribute)
{
	char path[600], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, attribute);
	f = fopen(path, "r");
	if (!f)
		err(1, "%s", path);
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	return strtoull(text, NULL, 16);
}

static const char *sysfs_link(const char *name, const char *attribute)
{
	static char target[4][300];
	static unsigned int turn;
	char path[600];
	ssize_t n;

	turn = (turn + 1) % 4;
	snprintf(path, sizeof(path), SYS_PCI "/%s/%s", name, attribute);
	n = readlink(path, target[turn], sizeof(target[turn]) - 1);
	if (n < 0)
		return "-";
	target[turn][n] = 0;
	return basename(target[turn]);
}

/* The bits are those of the VT-d specification's Capability and Extended Capability registers. */
static void show_vtd(const char *name)
{
	__u64 cap = sysfs_hex(SYS_IOMMU, name, "intel-iommu/cap");
	__u64 ecap = sysfs_hex(SYS_IOMMU, name, "intel-iommu/ecap");

	printf("%s: Intel VT-d, cap %#llx, ecap %#llx\n", name, cap, ecap);
	printf("  scalable mode %s, first stage %s, second stage %s, nesting %s\n",
	       BIT(ecap, 43) ? "yes" : "no", BIT(ecap, 47) ? "yes" : "no",
	       BIT(ecap, 43) ? (BIT(ecap, 46) ? "yes" : "no") : "legacy",
	       BIT(ecap, 26) ? "yes" : "no");
	printf("  PASID %s (width %lld), page requests %s, device IOTLB %s, snoop control %s\n",
	       BIT(ecap, 40) ? "yes" : "no", BIT(ecap, 40) ? ((ecap >> 35) & 31) + 1 : 0,
	       BIT(ecap, 29) ? "yes" : "no", BIT(ecap, 2) ? "yes" : "no",
	       BIT(ecap, 7) ? "yes" : "no");
	printf("  guest address width %lld, second-stage pages 4K%s%s, first-stage 4K 2M%s\n",
	       ((cap >> 16) & 63) + 1, BIT(cap, 34) ? " 2M" : "", BIT(cap, 35) ? " 1G" : "",
	       BIT(cap, 56) ? " 1G" : "");
}

static void show_hw_info(const char *bdf)
{
	struct iommu_hw_info_vtd vtd = {};
	struct iommu_hw_info info = {
		.size = sizeof(info), .data_len = sizeof(vtd), .data_uptr = (unsigned long)&vtd,
	};
	int iommu = open_iommu(), dev = open_cdev(bdf), rc;

	rc = dev_bind(dev, iommu, &info.dev_id);
	if (rc)
		errx(1, "%s: bind: %s", bdf, strerror(-rc));
	if (ioctl(iommu, IOMMU_GET_HW_INFO, &info))
		err(1, "%s: IOMMU_GET_HW_INFO", bdf);
	printf("type %u, PASID width %u, capabilities %#llx", info.out_data_type,
	       info.out_max_pasid_log2, info.out_capabilities);
	if (info.out_data_type == IOMMU_HW_INFO_TYPE_INTEL_VTD)
		printf(", ecap %#llx", vtd.ecap_reg);
	close(dev);
	close(iommu);
}

static void show_function(const char *bdf)
{
	const char *driver = sysfs_link(bdf, "driver");
	int config, pasid, pri, ats;
	char path[300];

	snprintf(path, sizeof(path), SYS_PCI "/%s/config", bdf);
	config = xopen(path, O_RDONLY);
	pasid = extended_capability(config, 0, PCI_EXT_CAP_ID_PASID);
	pri = extended_capability(config, 0, PCI_EXT_CAP_ID_PRI);
	ats = extended_capability(config, 0, PCI_EXT_CAP_ID_ATS);
	close(config);
	printf("%s  %04llx:%04llx  %-5s  %-10s  %-5s  %-3s  %-3s  ", bdf,
	       sysfs_hex(SYS_PCI, bdf, "vendor"), sysfs_hex(SYS_PCI, bdf, "device"),
	       sysfs_link(bdf, "iommu_group"), driver, pasid ? "yes" : "no", ats ? "yes" : "no",
	       pri ? "yes" : "no");
	if (strcmp(driver, "vfio-pci"))
		printf("not bound to vfio-pci");
	else
		show_hw_info(bdf);
	printf("\n");
}

static int list(const char *path, void (*show)(const char *name), const char *prefix)
{
	struct dirent **entries;
	int i, shown = 0, n = scandir(path, &entries, NULL, alphasort);

	if (n < 0)
		err(1, "%s", path);
	for (i = 0; i < n; i++) {
		if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) ||
		    entries[i]->d_name[0] == '.')
			continue;
		show(entries[i]->d_name);
		shown++;
	}
	return shown;
}

int main(void)
{
	if (!list(SYS_IOMMU, show_vtd, "dmar"))
		errx(1, "there is no VT-d");
	printf("function      ID         group  driver      PASID  ATS  PRI  IOMMU_GET_HW_INFO\n");
	if (!list(SYS_PCI, show_function, ""))
		errx(1, "there is no PCI function");
	return 0;
}
