// SPDX-License-Identifier: GPL-2.0
/*
 * Two drivers for QEMU's edu function, which bind it to /dev/iommu in the two ways that vfio-pci
 * does not. Neither binds of itself: name the one wanted in the function's driver_override.
 *
 *   edu-slice     stays the function's driver, and lends it as mediated devices, each known by a
 *                 PASID of the function: vfio_iommufd_slice_bind()
 *   edu-variant   gives away the function, but wants to know what user space's PASIDs stand for,
 *                 and may say that they are the system's: vfio_iommufd_physical_bind_as()
 *
 *   /sys/kernel/debug/edu_vfio/pairs   what the drivers were told of PASIDs; a write empties it
 *   /sys/module/edu_vfio/parameters/   what they do: see pairs.c and variant.c
 *
 * edu knows no PASIDs: which entry of its table its requests use is pasid_shim's to say.
 */
#include <linux/module.h>

#include "edu_vfio.h"

static int __init edu_vfio_init(void)
{
	int ret;

	ret = slice_register();
	if (ret)
		return ret;
	ret = variant_register();
	if (ret) {
		slice_unregister();
		return ret;
	}
	pairs_add_file();
	return 0;
}
module_init(edu_vfio_init);

static void __exit edu_vfio_exit(void)
{
	pairs_remove_file();
	variant_unregister();
	slice_unregister();
}
module_exit(edu_vfio_exit);

MODULE_DESCRIPTION("Drivers that lend QEMU's edu function, or slices of it, to user space");
MODULE_LICENSE("GPL");
