// SPDX-License-Identifier: GPL-2.0
/*
 * Lets a PCI function of QEMU, which knows nothing of PASIDs, use an entry of its PASID table.
 * The IOMMU's driver is made to see a function with PASIDs, so that one can be attached; and VT-d
 * is told which entry stands for the function's requests, all of which come without a PASID. For
 * QEMU's VT-d in scalable mode only: real hardware has caches that this does not clear.
 *
 *   insmod pasid_shim.ko function=0000:00:03.0
 *   /sys/kernel/debug/pasid_shim/rid_pasid   the number of that entry; 0 without us
 *   /sys/kernel/debug/pasid_shim/entries     the entries of the function's table, from memory
 *   /sys/kernel/debug/pasid_shim/watch       write a number: watch that entry; read: what was seen
 *
 * Loading and unloading take the function from its driver, and wait for those that have it open.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/seq_file.h>

#include "shim.h"

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "PCI address: domain:bus:device.function");

static u8 bus_number, devfn;
static struct dentry *dir;

static int rid_pasid_get(void *data, u64 *value)
{
	u32 pasid;
	int ret = vtd_get_rid_pasid(bus_number, devfn, &pasid);

	*value = pasid;
	return ret;
}

static int rid_pasid_set(void *data, u64 value)
{
	return value > U32_MAX ? -EINVAL : vtd_set_rid_pasid(bus_number, devfn, value);
}
DEFINE_DEBUGFS_ATTRIBUTE(rid_pasid_fops, rid_pasid_get, rid_pasid_set, "%llu\n");

static int entries_show(struct seq_file *s, void *unused)
{
	vtd_show(s, bus_number, devfn);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entries);

static int watch_file_show(struct seq_file *s, void *unused)
{
	watch_show(s);
	return 0;
}

static int watch_file_open(struct inode *inode, struct file *file)
{
	return single_open(file, watch_file_show, NULL);
}

static ssize_t watch_file_write(struct file *file, const char __user *buf, size_t count,
				loff_t *pos)
{
	u32 pasid;
	int ret = kstrtou32_from_user(buf, count, 0, &pasid);

	if (!ret)
		ret = watch_start(vtd_entry(bus_number, devfn, pasid));
	return ret ?: count;
}

static const struct file_operations watch_file_fops = {
	.owner = THIS_MODULE,
	.open = watch_file_open,
	.read = seq_read,
	.write = watch_file_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init shim_init(void)
{
	unsigned int domain, bus, slot, fn;
	struct pci_bus *root;
	int ret;

	if (sscanf(function, "%x:%x:%x.%x", &domain, &bus, &slot, &fn) != 4)
		return -EINVAL;
	root = pci_find_bus(domain, bus);
	if (!root || slot > 31 || fn > 7)
		return -ENODEV;
	bus_number = bus;
	devfn = PCI_DEVFN(slot, fn);
	ret = vtd_map();
	if (ret)
		return ret;
	ret = config_overlay(root, devfn);
	if (ret) {
		vtd_unmap();
		return ret;
	}
	dir = debugfs_create_dir("pasid_shim", NULL);
	debugfs_create_file("rid_pasid", 0600, dir, NULL, &rid_pasid_fops);
	debugfs_create_file("entries", 0400, dir, NULL, &entries_fops);
	debugfs_create_file("watch", 0600, dir, NULL, &watch_file_fops);
	return 0;
}
module_init(shim_init);

static void __exit shim_exit(void)
{
	debugfs_remove(dir);
	watch_stop();
	/* The function is met again, with a new context entry; this is for what is before that. */
	vtd_set_rid_pasid(bus_number, devfn, 0);
	config_restore();
	vtd_unmap();
}
module_exit(shim_exit);

MODULE_DESCRIPTION("Lets a function without PASIDs use an entry of its PASID table, under QEMU");
MODULE_LICENSE("GPL");
