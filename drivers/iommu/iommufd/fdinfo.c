// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo of an open file: sums, then a line per object and per run of
 * PASIDs, up to a number of lines. Who reads it may be another process, while any
 * call runs: see show.c for the locks.
 */
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "fdinfo.h"
#include "object.h"
#include "show.h"

#define FDINFO_LINES 1024

/**
 * fdinfo_show() - file_operations.show_fdinfo
 * @m: where to
 * @filp: a file of /dev/iommu
 *
 * Context: process, may sleep.
 */
void fdinfo_show(struct seq_file *m, struct file *filp)
{
	struct iommufd_ctx *ictx = filp->private_data;
	struct show_totals totals;
	struct show_pos pos = {};
	char text[SHOW_LINE];
	unsigned int lines;
	unsigned long all;

	show_totals(ictx, &totals);
	show_head(ictx, &totals, text);
	seq_puts(m, text);
	for (lines = 0; lines < FDINFO_LINES; lines++) {
		/* It will be done again, with more room. */
		if (seq_has_overflowed(m) || fatal_signal_pending(current))
			return;
		if (!show_line(ictx, &pos, text))
			return;
		seq_puts(m, text);
		cond_resched();
	}
	all = totals.objects + totals.pasids;
	if (all > pos.shown)
		seq_printf(m, "more:\t%lu\n", all - pos.shown);
}
