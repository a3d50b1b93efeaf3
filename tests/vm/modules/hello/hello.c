// SPDX-License-Identifier: GPL-2.0
/* Shows that the build directory of the kernel serves to build modules out of its tree. */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

static int __init hello_init(void)
{
	/* A call of an exported function: its symbol version must fit too. */
	pr_info("hello: IOMMU on the PCI bus: %d\n", iommu_present(&pci_bus_type));
	return 0;
}
module_init(hello_init);

static void __exit hello_exit(void)
{
	pr_info("hello: gone\n");
}
module_exit(hello_exit);

MODULE_DESCRIPTION("A module built out of tree");
MODULE_LICENSE("GPL");
