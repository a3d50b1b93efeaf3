// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl list: what a PCI function says of PASIDs, ATS and page requests, in its configuration
 * space (PCIe base specification 6.0, 7.8.8, 10.5.1, 10.5.2). Reads it, and writes nothing.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include "iommuctl-list.h"

static bool read_u32(int fd, off_t offset, uint32_t *value)
{
	uint8_t b[4];

	if (pread(fd, b, 4, offset) != 4)
		return false;
	*value = b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
	return true;
}

/* Where a capability is; 0: it has none, or the list is none. */
static off_t find(int fd, uint32_t id)
{
	uint32_t at = PCI_CFG_SPACE_SIZE, header;
	unsigned int steps;

	/* As many as fit: a list that is a ring ends here. */
	for (steps = 0; at >= PCI_CFG_SPACE_SIZE && steps < 480; steps++) {
		if (!read_u32(fd, at, &header) || !header || header == ~0U)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

static void read_pasid(int fd, struct pci_abilities *a)
{
	off_t cap = find(fd, PCI_EXT_CAP_ID_PASID);
	uint32_t value;

	a->pasid = KNOWN_NO;
	if (!cap || !read_u32(fd, cap + PCI_PASID_CAP, &value))
		return;
	a->pasid = KNOWN_YES;
	a->pasid_width = (value >> 8) & 0x1f;
	a->pasid_on = BIT(value, 16);
	a->pasid_exec = BIT(value, 17);
	a->pasid_priv = BIT(value, 18);
}

static void read_ats(int fd, struct pci_abilities *a)
{
	off_t cap = find(fd, PCI_EXT_CAP_ID_ATS);
	uint32_t value;

	a->ats = KNOWN_NO;
	if (!cap || !read_u32(fd, cap + PCI_ATS_CAP, &value))
		return;
	a->ats = KNOWN_YES;
	/* 0 stands for as many as the field can count to, and one more. */
	a->ats_queue = value & 0x1f ? value & 0x1f : 32;
	a->ats_on = BIT(value, 31);
}

static void read_pri(int fd, struct pci_abilities *a)
{
	off_t cap = find(fd, PCI_EXT_CAP_ID_PRI);
	uint32_t value;

	a->pri = KNOWN_NO;
	if (!cap || !read_u32(fd, cap + PCI_PRI_CTRL, &value) ||
	    !read_u32(fd, cap + PCI_PRI_MAX_REQ, &a->pri_requests))
		return;
	a->pri = KNOWN_YES;
	a->pri_on = BIT(value, 0);
}

struct pci_abilities pci_abilities(const char *folder)
{
	struct pci_abilities a = { .pasid = KNOWN_NO, .ats = KNOWN_NO, .pri = KNOWN_NO };
	char path[PATH_MAX + 8];
	struct stat st;
	uint32_t word;
	int fd;

	snprintf(path, sizeof(path), "%s/config", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return a;
	if (fstat(fd, &st) || st.st_size <= PCI_CFG_SPACE_SIZE) {
		close(fd);
		return a;
	}
	if (read_u32(fd, PCI_CFG_SPACE_SIZE, &word)) {
		read_pasid(fd, &a);
		read_ats(fd, &a);
		read_pri(fd, &a);
	} else {
		/* Only root reads beyond the first 64 bytes. */
		a.pasid = KNOWN_NOT;
		a.ats = KNOWN_NOT;
		a.pri = KNOWN_NOT;
	}
	close(fd);
	return a;
}
