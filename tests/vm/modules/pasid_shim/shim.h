/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the module know of each other: config.c makes a function look as if it had
 * PASIDs, vtd.c reads and changes VT-d's tables, watch.c looks at one entry all the time, main.c
 * has the parameters and files.
 */
#ifndef PASID_SHIM_H
#define PASID_SHIM_H

#include <linux/types.h>

struct pci_bus;
struct seq_file;

int config_overlay(struct pci_bus *bus, unsigned int devfn);
void config_restore(void);

int vtd_map(void);
void vtd_unmap(void);
int vtd_get_rid_pasid(u8 bus, u8 devfn, u32 *pasid);
int vtd_set_rid_pasid(u8 bus, u8 devfn, u32 pasid);
void vtd_show(struct seq_file *s, u8 bus, u8 devfn);
const u64 *vtd_entry(u8 bus, u8 devfn, u32 pasid);

int watch_start(const u64 *at);
void watch_stop(void);
void watch_show(struct seq_file *s);

#endif
