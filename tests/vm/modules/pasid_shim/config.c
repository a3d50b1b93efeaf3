// SPDX-License-Identifier: GPL-2.0
/*
 * Lays capabilities over the configuration space of one conventional PCI function on a root bus:
 * PCI Express (an endpoint integrated into the root complex), PASID, ATS and page requests. The
 * function itself sees no access to them. May touch: the operations of that bus.
 */
#include <linux/errno.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>

#include "shim.h"

#define EXPRESS_AT	0xc0
#define PASID_AT	0x100
#define ATS_AT		0x110
#define PRI_AT		0x120
#define PASID_WIDTH	20

/* A byte of configuration space that is ours, and which bits of it can be written. */
struct overlay {
	u8 value;
	u8 writable;
	bool ours;
};

static struct overlay space[PCI_CFG_SPACE_EXP_SIZE];
static struct pci_bus *shim_bus;
static unsigned int shim_devfn;
static struct pci_ops *real_ops;
static struct pci_ops shim_ops;

static int shim_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	int i, ret;
	u32 mask;

	ret = real_ops->read(bus, devfn, where, size, value);
	if (devfn != shim_devfn || where < 0 || where + size > PCI_CFG_SPACE_EXP_SIZE)
		return ret;
	for (i = 0; i < size; i++) {
		if (!space[where + i].ours)
			continue;
		mask = 0xffU << (8 * i);
		*value = (*value & ~mask) | (u32)READ_ONCE(space[where + i].value) << (8 * i);
		ret = PCIBIOS_SUCCESSFUL;
	}
	return ret;
}

static int shim_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct overlay *o;
	int i;

	if (devfn != shim_devfn || where < 0 || where + size > PCI_CFG_SPACE_EXP_SIZE ||
	    !space[where].ours)
		return real_ops->write(bus, devfn, where, size, value);
	for (i = 0; i < size; i++) {
		o = &space[where + i];
		WRITE_ONCE(o->value, (o->value & ~o->writable) |
			   ((u8)(value >> (8 * i)) & o->writable));
	}
	return PCIBIOS_SUCCESSFUL;
}

static void put(int at, int size, u32 value, u32 writable)
{
	int i;

	for (i = 0; i < size; i++) {
		space[at + i].value = value >> (8 * i);
		space[at + i].writable = writable >> (8 * i);
		space[at + i].ours = true;
	}
}

static void put_ext_header(int at, u16 id, int next)
{
	put(at, 4, id | 1U << 16 | (u32)next << 20, 0);
}

static void fill_overlay(u8 first_capability)
{
	int at;

	memset(space, 0, sizeof(space));
	put(PCI_CAPABILITY_LIST, 1, EXPRESS_AT, 0);
	for (at = EXPRESS_AT; at < PCI_CFG_SPACE_SIZE; at++)
		put(at, 1, 0, 0);
	put(EXPRESS_AT, 2, PCI_CAP_ID_EXP | first_capability << 8, 0);
	put(EXPRESS_AT + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_RC_END << 4, 0);
	put(EXPRESS_AT + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER, 0);
	put(EXPRESS_AT + PCI_EXP_DEVCTL, 2, 0, 0x7fff);
	/* Without prefixes on requests there is no PASID in them. */
	put(EXPRESS_AT + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_EE_PREFIX, 0);
	put(EXPRESS_AT + PCI_EXP_DEVCTL2, 2, 0, 0xffff);

	for (at = PCI_CFG_SPACE_SIZE; at < PCI_CFG_SPACE_EXP_SIZE; at++)
		put(at, 1, 0, 0);
	put_ext_header(PASID_AT, PCI_EXT_CAP_ID_PASID, ATS_AT);
	put(PASID_AT + PCI_PASID_CAP, 2, PASID_WIDTH << 8, 0);
	put(PASID_AT + PCI_PASID_CTRL, 2, 0, PCI_PASID_CTRL_ENABLE);
	put_ext_header(ATS_AT, PCI_EXT_CAP_ID_ATS, PRI_AT);
	put(ATS_AT + PCI_ATS_CAP, 2, PCI_ATS_CAP_PAGE_ALIGNED, 0);
	put(ATS_AT + PCI_ATS_CTRL, 2, 0, PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(0x1f));
	put_ext_header(PRI_AT, PCI_EXT_CAP_ID_PRI, 0);
	put(PRI_AT + PCI_PRI_CTRL, 2, 0, PCI_PRI_CTRL_ENABLE);
	put(PRI_AT + PCI_PRI_STATUS, 2, PCI_PRI_STATUS_STOPPED, 0);
	put(PRI_AT + PCI_PRI_MAX_REQ, 4, 32, 0);
	put(PRI_AT + PCI_PRI_ALLOC_REQ, 4, 0, ~0U);
}

/*
 * Lets the kernel forget the function, and find it again as it looks with other operations: the
 * IOMMU's driver asks for PASIDs only when it meets a function.
 */
static void meet_again(struct pci_ops *ops)
{
	struct pci_dev *pdev;

	pci_lock_rescan_remove();
	pdev = pci_get_slot(shim_bus, shim_devfn);
	if (pdev) {
		pci_stop_and_remove_bus_device(pdev);
		pci_dev_put(pdev);
	}
	pci_bus_set_ops(shim_bus, ops);
	pci_rescan_bus(shim_bus);
	pci_unlock_rescan_remove();
}

int config_overlay(struct pci_bus *bus, unsigned int devfn)
{
	struct pci_dev *pdev;
	bool fits;
	u16 status;
	u8 first;

	pdev = pci_get_slot(bus, devfn);
	if (!pdev)
		return -ENODEV;
	pci_read_config_word(pdev, PCI_STATUS, &status);
	pci_read_config_byte(pdev, PCI_CAPABILITY_LIST, &first);
	fits = pci_is_root_bus(bus) && !pci_is_pcie(pdev) && (status & PCI_STATUS_CAP_LIST);
	pci_dev_put(pdev);
	if (!fits)
		return -EINVAL;

	fill_overlay(first);
	shim_bus = bus;
	shim_devfn = devfn;
	real_ops = bus->ops;
	shim_ops = *real_ops;
	shim_ops.read = shim_read;
	shim_ops.write = shim_write;
	meet_again(&shim_ops);
	return 0;
}

void config_restore(void)
{
	meet_again(real_ops);
	/* An access takes no lock, but it does not sleep: any that began before has ended then. */
	synchronize_rcu();
}
