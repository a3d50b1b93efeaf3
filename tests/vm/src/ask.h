/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the walker of a device's IOMMU says, for tests: read from the file in debugfs, or from the
 * JSON of iommuctl.
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <linux/types.h>

#define NO_PASID	(~0U)

struct said {
	char result[16];	/* "translated", "fault", "none"; empty: there was no answer */
	__u64 output;
	__u64 size;
	char rights[4];
	unsigned int fault;
	int error;		/* of the file, when there was no answer */
};

/* Asks the file; @access is 'r', 'w', or 0 for no address at all. */
struct said ask(const char *bdf, unsigned int pasid, __u64 iova, char access);
/* The same of iommuctl, whose JSON another program reads; they agree. */
bool iommuctl_says(const char *bdf, unsigned int pasid, __u64 iova, char access,
		   const struct said *same);

#endif
