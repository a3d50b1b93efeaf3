// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at an entry of the function's PASID table as often as a CPU can, as hardware might at any
 * moment, and counts the looks that found none: what DMA, which comes seldom, seldom meets.
 * May touch: nothing but its own counts.
 */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "shim.h"

#define PRESENT		BIT_ULL(0)
#define LOOKS		1000	/* between two thoughts of anything else */

static const u64 *entry;
static struct task_struct *watcher;
static u64 looks, absent;
static DEFINE_MUTEX(watch_lock);

static int watch(void *unused)
{
	int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < LOOKS; i++)
			absent += !(READ_ONCE(*entry) & PRESENT);
		looks += LOOKS;
		cond_resched();
	}
	return 0;
}

static void stop(void)
{
	if (watcher)
		kthread_stop(watcher);
	watcher = NULL;
}

/* From now on, on the last CPU. */
int watch_start(const u64 *at)
{
	struct task_struct *task;

	guard(mutex)(&watch_lock);
	stop();
	if (!at)
		return -ENXIO;
	entry = at;
	looks = 0;
	absent = 0;
	task = kthread_run_on_cpu(watch, NULL, cpumask_last(cpu_online_mask), "pasid_watch/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	watcher = task;
	return 0;
}

void watch_stop(void)
{
	guard(mutex)(&watch_lock);
	stop();
}

/* Ends it, and tells. */
void watch_show(struct seq_file *s)
{
	guard(mutex)(&watch_lock);
	stop();
	seq_printf(s, "%llu looks, %llu found no entry\n", looks, absent);
}
