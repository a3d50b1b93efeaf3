// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: iommu/iommufd/ has what fdinfo has no room for, of all contexts, a line
 * at a time. Contexts are numbered, and told by who opened them. From the start of a
 * read to its end no context goes away, which is as long as it takes to fill its
 * buffer; an object may go at any time. See show.c for the locks inside.
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "debug.h"
#include "show.h"
#include "show_area.h"

/* Room for what is said of a context at first, and that is more than any line. */
#define DEBUG_ROOM (2 * SHOW_LINE)

/* Number -> context; an entry goes away with @debug_lock held, outermost. */
static DEFINE_XARRAY(contexts);
static DEFINE_MUTEX(debug_lock);
static struct dentry *debug_dir;
/* Above it, where nobody else makes that. */
static struct dentry *debug_top;

struct debug_file;

/**
 * struct debug_kind - a file
 * @name: its name
 * @next: makes what comes next of a context; false at the context's end
 */
struct debug_kind {
	const char *name;
	bool (*next)(struct debug_file *file, struct iommufd_ctx *ictx);
};

/**
 * struct debug_file - where somebody reads
 * @kind: what
 * @at: how many lines there are before the one in @text
 * @ended: there is none
 * @nr: no context with a smaller number comes
 * @begun: something of the context has been shown
 * @pos: what comes next of it
 * @area: the same, of areas
 * @text: the line, or what is said of a context at first
 */
struct debug_file {
	const struct debug_kind *kind;
	loff_t at;
	bool ended;
	unsigned long nr;
	bool begun;
	struct show_pos pos;
	struct show_area_pos area;
	char text[DEBUG_ROOM];
};

/**
 * debug_add() - a context is there
 * @ictx: the context; the caller opens it
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int debug_add(struct iommufd_ctx *ictx)
{
	int rc;

	ictx->opener = get_pid(task_tgid(current));
	get_task_comm(ictx->opener_comm, current);
	rc = xa_insert(&contexts, ictx->nr, ictx, GFP_KERNEL_ACCOUNT);
	if (rc)
		put_pid(ictx->opener);
	return rc;
}

/**
 * debug_remove() - a context ends
 * @ictx: the context, with all that it has
 *
 * Context: may sleep; waits for who reads of it.
 */
void debug_remove(struct iommufd_ctx *ictx)
{
	scoped_guard(mutex, &debug_lock)
		xa_erase(&contexts, ictx->nr);
	put_pid(ictx->opener);
}

/* Everything of a context: its sums, and a line per object and run of PASIDs. */
static bool next_object(struct debug_file *file, struct iommufd_ctx *ictx)
{
	struct show_totals totals;
	int n;

	if (file->begun)
		return show_line(ictx, &file->pos, file->text);
	file->begun = true;
	/* A process decides its name, but not what lines there are. */
	n = scnprintf(file->text, sizeof(file->text), "context:\tid=%llu pid=%d comm=%*pE\n",
		      ictx->nr, pid_nr(ictx->opener), (int)strlen(ictx->opener_comm),
		      ictx->opener_comm);
	show_totals(ictx, &totals);
	show_head(ictx, &totals, file->text + n);
	return true;
}

/* Puts whose it is in front of what follows the line's key. */
static void name_context(char *text, u64 nr)
{
	char *rest = strchr(text, '\t') + 1, name[32];
	int n = scnprintf(name, sizeof(name), "context=%llu ", nr);

	memmove(rest + n, rest, strlen(rest) + 1);
	memcpy(rest, name, n);
}

static bool next_pasid(struct debug_file *file, struct iommufd_ctx *ictx)
{
	file->pos.globals = true;
	if (!show_line(ictx, &file->pos, file->text))
		return false;
	name_context(file->text, ictx->nr);
	return true;
}

static bool next_area(struct debug_file *file, struct iommufd_ctx *ictx)
{
	if (!show_area(ictx, &file->area, file->text))
		return false;
	name_context(file->text, ictx->nr);
	return true;
}

static void begin(struct debug_file *file, unsigned long nr)
{
	file->nr = nr;
	file->begun = false;
	file->pos = (struct show_pos) {};
	file->area = (struct show_area_pos) {};
}

/* The next line of all contexts. */
static bool advance(struct debug_file *file)
{
	struct iommufd_ctx *ictx;
	unsigned long nr;

	lockdep_assert_held(&debug_lock);
	for (;;) {
		nr = file->nr;
		ictx = xa_find(&contexts, &nr, ULONG_MAX, XA_PRESENT);
		if (!ictx || fatal_signal_pending(current))
			return false;
		if (nr != file->nr)
			begin(file, nr);
		if (file->kind->next(file, ictx))
			return true;
		begin(file, nr + 1);
		cond_resched();
	}
}

/* Where @file->text is not what comes at a position, all before that is made again. */
static void *seek(struct debug_file *file, loff_t to)
{
	loff_t at;

	if (!to || to != file->at) {
		begin(file, 0);
		file->ended = false;
		for (at = 0; at <= to && !file->ended; at++)
			file->ended = !advance(file);
		file->at = to;
	}
	return file->ended ? NULL : file;
}

static void *debug_seq_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&debug_lock);
	return seek(m->private, *pos);
}

static void *debug_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct debug_file *file = m->private;

	file->at = ++*pos;
	file->ended = !advance(file);
	return file->ended ? NULL : file;
}

static void debug_seq_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&debug_lock);
}

static int debug_seq_show(struct seq_file *m, void *v)
{
	struct debug_file *file = m->private;

	seq_puts(m, file->text);
	return 0;
}

static const struct seq_operations debug_seq_ops = {
	.start = debug_seq_start,
	.next = debug_seq_next,
	.stop = debug_seq_stop,
	.show = debug_seq_show,
};

static const struct debug_kind kinds[] = {
	{ "contexts", next_object },
	{ "pasids", next_pasid },
	{ "areas", next_area },
};

static int debug_open(struct inode *inode, struct file *filp)
{
	struct debug_file *file = __seq_open_private(filp, &debug_seq_ops, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->kind = inode->i_private;
	return 0;
}

static const struct file_operations debug_fops = {
	.owner = THIS_MODULE,
	.open = debug_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/**
 * debug_init() - make the files
 *
 * Without them nothing else fails.
 *
 * Context: process, may sleep.
 */
void __init debug_init(void)
{
	struct dentry *top = debugfs_lookup("iommu", NULL);
	unsigned int i;

	if (!top) {
		debug_top = debugfs_create_dir("iommu", NULL);
		top = debug_top;
	}
	debug_dir = debugfs_create_dir("iommufd", top);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		debugfs_create_file(kinds[i].name, 0400, debug_dir, (void *)&kinds[i],
				    &debug_fops);
	if (top != debug_top)
		dput(top);
}

/**
 * debug_exit() - undo debug_init()
 *
 * Context: process, may sleep; waits for who reads.
 */
void debug_exit(void)
{
	debugfs_remove(debug_dir);
	debugfs_remove(debug_top);
}
