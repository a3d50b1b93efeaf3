/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the product knows of the mock: a row in the table of ioctls, a start and
 * an end. Without CONFIG_IOMMUFD_TEST these are nothing.
 */
#ifndef __IOMMUFD_MOCK_ENTRY_H
#define __IOMMUFD_MOCK_ENTRY_H

#include <linux/init.h>

#ifdef CONFIG_IOMMUFD_TEST
#include "../ops/op.h"
#include "iommufd_test.h"

int mock_cmd(struct op_call *call);
int __init mock_init(void);
void mock_exit(void);

#define MOCK_ROW \
	[SLOT(_IOC_NR(IOMMU_TEST_CMD))] = { ROW(struct iommu_test_cmd, last, mock_cmd) },
#else
static inline int mock_init(void)
{
	return 0;
}

static inline void mock_exit(void)
{
}

#define MOCK_ROW
#endif

#endif
