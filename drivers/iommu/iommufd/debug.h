/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What root may see of all contexts, in debugfs.
 */
#ifndef __IOMMUFD_DEBUG_H
#define __IOMMUFD_DEBUG_H

#include "object.h"

#ifdef CONFIG_DEBUG_FS
void debug_init(void);
void debug_exit(void);
int debug_add(struct iommufd_ctx *ictx);
void debug_remove(struct iommufd_ctx *ictx);
#else
static inline void debug_init(void)
{
}

static inline void debug_exit(void)
{
}

static inline int debug_add(struct iommufd_ctx *ictx)
{
	return 0;
}

static inline void debug_remove(struct iommufd_ctx *ictx)
{
}
#endif

#endif
