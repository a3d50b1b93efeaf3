/* SPDX-License-Identifier: GPL-2.0 */
/* What the driver of the IOMMU says in the log of accesses that it refused. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/*
 * Refused accesses that the log tells of since the last call of one of these four. VT-d's driver
 * falls silent after about three in five seconds, others after ten: fault_log_ready() waits until
 * it speaks again.
 */
void fault_log_ready(void);
int faults(void);
/*
 * Waits for one whose line has that text in it. Where there is no entry, QEMU does not tell of
 * which PASID: the request has none.
 */
#define NO_ENTRY	"PASID Table Entry"
bool fault_seen(const char *text, char *line, size_t size);
/* Waits for one at that IOVA, as VT-d or SMMUv3 tells of it; at any with AMD, as QEMU has it. */
bool fault_at(__u64 iova);

/* Which IOMMU the machine has: "dmar" of VT-d, "ivhd" of AMD, "smmu3" of Arm. */
bool iommu_is(const char *kind);

#endif
