/* SPDX-License-Identifier: GPL-2.0 */
/* The nth allocation of this thread fails, as CONFIG_FAULT_INJECTION has it. */
#ifndef NTH_H
#define NTH_H

#include <stdbool.h>

/* No call of a test has so many allocations. */
#define NTH_MAX 500

/* False where the kernel has no such thing, as Debian's. */
bool nth_init(void);
void nth_arm(unsigned int n);
/* Whether it has failed; if not, it does not any more. */
bool nth_fired(void);

#endif
