// SPDX-License-Identifier: GPL-2.0
/*
 * Notes what iommufd tells a driver of PASIDs, one line each, and does with it what the test wants:
 * refuses, or takes its time, so that the test can look at the hardware meanwhile. A real driver
 * would tell its device. May touch: nothing but its notes.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "edu_vfio.h"

#define NOTES	64
/* However the test ends, nobody waits longer than that. */
#define HOLD_MS	10000

static unsigned int refuse;
module_param(refuse, uint, 0600);
MODULE_PARM_DESC(refuse, "answer the next map with this errno; then it is 0 again");

static bool hold;
module_param(hold, bool, 0600);
MODULE_PARM_DESC(hold, "do not return to iommufd before it is off again, or 10 seconds are over");

struct note {
	const char *what;
	u32 vpasid;
	u32 ppasid;
};

static struct note notes[NOTES];
static unsigned int nr_notes;
static DEFINE_MUTEX(notes_lock);
static struct dentry *dir;

static void note(const char *what, u32 vpasid, u32 ppasid)
{
	scoped_guard(mutex, &notes_lock) {
		notes[nr_notes % NOTES] = (struct note) { what, vpasid, ppasid };
		nr_notes++;
	}
}

static void wait_while_held(void)
{
	int ms;

	for (ms = 0; READ_ONCE(hold) && ms < HOLD_MS; ms += 20)
		msleep(20);
}

static int pairs_map(void *data, u32 vpasid, u32 ppasid)
{
	unsigned int err = xchg(&refuse, 0);

	if (err && err <= MAX_ERRNO) {
		note("refuse", vpasid, ppasid);
		return -err;
	}
	note("map", vpasid, ppasid);
	wait_while_held();
	return 0;
}

static void pairs_unmap(void *data, u32 vpasid, u32 ppasid)
{
	note("unmap", vpasid, ppasid);
	wait_while_held();
}

const struct iommufd_pasid_ops pairs_ops = {
	.map = pairs_map,
	.unmap = pairs_unmap,
};

static int pairs_show(struct seq_file *s, void *unused)
{
	unsigned int i;

	guard(mutex)(&notes_lock);
	for (i = nr_notes < NOTES ? 0 : nr_notes - NOTES; i < nr_notes; i++)
		seq_printf(s, "%s %u %u\n", notes[i % NOTES].what, notes[i % NOTES].vpasid,
			   notes[i % NOTES].ppasid);
	return 0;
}

static int pairs_open(struct inode *inode, struct file *file)
{
	return single_open(file, pairs_show, NULL);
}

static ssize_t pairs_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	guard(mutex)(&notes_lock);
	nr_notes = 0;
	return count;
}

static const struct file_operations pairs_fops = {
	.owner = THIS_MODULE,
	.open = pairs_open,
	.read = seq_read,
	.write = pairs_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void pairs_add_file(void)
{
	dir = debugfs_create_dir("edu_vfio", NULL);
	debugfs_create_file("pairs", 0600, dir, NULL, &pairs_fops);
}

void pairs_remove_file(void)
{
	debugfs_remove(dir);
}
