/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of PASIDs share: the files of the module pasid_shim, which decides whether a function
 * does DMA by its RID or by a PASID.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include "faults.h"

/*
 * Which entry of its PASID table all DMA of the function goes through from now on; 0 is the RID's.
 * Drops all that the IOMMU has cached, so that a test of an invalidation must not do it in between.
 */
void go_through(unsigned int pasid);

/*
 * Has a CPU look at the entry of a PASID all the time; then, how often it did, and how often there
 * was none. Needs a second CPU.
 */
void watch_entry(unsigned int pasid);
void watched(unsigned long long *looks, unsigned long long *absent);

/* The entry of a PASID in the function's table: one line of words, then one of quadwords. */
bool table_entry(unsigned int pasid, char *words, char *quadwords, size_t size);
bool entry_present(unsigned int pasid);

#endif
