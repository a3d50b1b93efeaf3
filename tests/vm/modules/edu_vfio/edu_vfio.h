/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the module know of each other: slice.c keeps the function and lends slices of
 * it, variant.c lends all of it, pairs.c notes what either is told, main.c registers both drivers.
 */
#ifndef EDU_VFIO_H
#define EDU_VFIO_H

#include <linux/iommufd.h>

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

int slice_register(void);
void slice_unregister(void);

int variant_register(void);
void variant_unregister(void);

extern const struct iommufd_pasid_ops pairs_ops;
void pairs_add_file(void);
void pairs_remove_file(void);

#endif
