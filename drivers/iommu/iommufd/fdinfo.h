/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/fdinfo of an open file.
 */
#ifndef __IOMMUFD_FDINFO_H
#define __IOMMUFD_FDINFO_H

struct file;
struct seq_file;

void fdinfo_show(struct seq_file *m, struct file *filp);

#endif
