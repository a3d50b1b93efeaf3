// SPDX-License-Identifier: GPL-2.0
/*
 * Walks through an IOMMU's tables, for tests and for people. This file has the
 * list of walkers, reads memory for them, and offers a file per device,
 * <debugfs>/iommu/walk/DEVICE. It knows no format and no driver.
 *
 * A file is there from the moment the device has an IOMMU until it leaves it;
 * debugfs lets nobody be in it when it is gone, so the device and its IOMMU's
 * data for it are there as long as anybody reads.
 *
 * Documentation/driver-api/iommu-pasid-backends.rst has what the file answers.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "iommu-priv.h"
#include "iommu-walk.h"

#define QUESTION_SIZE	80

struct walker {
	struct list_head list;
	const struct iommu_ops *ops;
	iommu_walk_fn walk;
};

/* walkers; held for reading while one of them is at work */
static DECLARE_RWSEM(walkers_lock);
static LIST_HEAD(walkers);

struct walk_file {
	struct list_head list;
	struct device *dev;
	struct dentry *file;
};

/* files and folder */
static DEFINE_MUTEX(files_lock);
static LIST_HEAD(files);
static struct dentry *folder;

/**
 * iommu_walk_register() - a driver's devices have a walker from now on
 * @ops: the driver's operations
 * @walk: the walker
 *
 * Context: may sleep.
 * Return: 0, -EEXIST, -ENOMEM.
 */
int iommu_walk_register(const struct iommu_ops *ops, iommu_walk_fn walk)
{
	struct walker *walker, *other;

	walker = kzalloc(sizeof(*walker), GFP_KERNEL);
	if (!walker)
		return -ENOMEM;
	walker->ops = ops;
	walker->walk = walk;

	guard(rwsem_write)(&walkers_lock);
	list_for_each_entry(other, &walkers, list) {
		if (other->ops == ops) {
			kfree(walker);
			return -EEXIST;
		}
	}
	list_add(&walker->list, &walkers);
	return 0;
}
EXPORT_SYMBOL_GPL(iommu_walk_register);

/**
 * iommu_walk_unregister() - ends what iommu_walk_register() began
 * @ops: the driver's operations
 *
 * Context: may sleep; waits for walks that are on their way.
 */
void iommu_walk_unregister(const struct iommu_ops *ops)
{
	struct walker *walker, *next;

	guard(rwsem_write)(&walkers_lock);
	list_for_each_entry_safe(walker, next, &walkers, list) {
		if (walker->ops == ops) {
			list_del(&walker->list);
			kfree(walker);
		}
	}
}
EXPORT_SYMBOL_GPL(iommu_walk_unregister);

/* Memory of the kernel's, not a hole, a device or a page that is known to be broken. */
static bool is_memory(phys_addr_t at, size_t size)
{
	struct page *page;

	if (!IS_ALIGNED(at, sizeof(u64)) || offset_in_page(at) + size > PAGE_SIZE)
		return false;
	/* page_is_ram() takes the number as it is. */
	if (at >> PAGE_SHIFT != (unsigned long)(at >> PAGE_SHIFT))
		return false;
	page = pfn_to_online_page(PHYS_PFN(at));
	return page && !PageHWPoison(page) && page_is_ram(PHYS_PFN(at));
}

/**
 * iommu_walk_read() - read an entry and remember it as a step of the walk
 * @walk: the walk
 * @what: what the entry is; stays the caller's
 * @stage: whose table it is in
 * @level: of which level
 * @at: its physical address
 * @word: takes its content, little-endian in memory; zero if there is none
 * @words: how many, of 64 bits each
 *
 * Each word is read at once, not all of them. The entry lies in one page.
 *
 * Context: in a walker; may sleep.
 * Return: 0; -EFAULT if there is no memory at @at; -ELOOP if the walk is too long.
 */
int iommu_walk_read(struct iommu_walk *walk, const char *what, enum iommu_walk_stage stage,
		    unsigned int level, phys_addr_t at, u64 *word, unsigned int words)
{
	struct iommu_walk_step *step = &walk->step[walk->nr_steps];
	unsigned int i;

	memset(word, 0, words * sizeof(*word));
	if (walk->nr_steps == IOMMU_WALK_STEPS)
		return -ELOOP;
	if (WARN_ON_ONCE(!words || words > IOMMU_WALK_WORDS))
		return -EFAULT;

	walk->nr_steps++;
	step->what = what;
	step->at = at;
	step->stage = stage;
	step->level = level;
	if (!is_memory(at, words * sizeof(*word)))
		return -EFAULT;
	/* Not all memory is in the kernel's map of it. */
	for (i = 0; i < words; i++) {
		if (copy_from_kernel_nofault(&step->word[i], phys_to_virt(at) + i * sizeof(u64),
					     sizeof(u64)))
			return -EFAULT;
		step->word[i] = le64_to_cpu((__force __le64)step->word[i]);
	}
	step->words = words;
	memcpy(word, step->word, words * sizeof(*word));
	return 0;
}
EXPORT_SYMBOL_GPL(iommu_walk_read);

/**
 * iommu_walk_nested() - the last step was made to find an entry of another table
 * @walk: the walk
 */
void iommu_walk_nested(struct iommu_walk *walk)
{
	if (walk->nr_steps)
		walk->step[walk->nr_steps - 1].nested = true;
}
EXPORT_SYMBOL_GPL(iommu_walk_nested);

/**
 * iommu_walk_note() - say in words what the entry of the last step says
 * @walk: the walk
 * @format: as of printf(); one line without its end. What is said of an entry
 *	    before is kept, and this follows after a comma.
 */
void iommu_walk_note(struct iommu_walk *walk, const char *format, ...)
{
	struct iommu_walk_step *step;
	va_list args;
	size_t have;

	if (!walk->nr_steps)
		return;
	step = &walk->step[walk->nr_steps - 1];
	have = strlen(step->note);
	if (have)
		have += scnprintf(step->note + have, sizeof(step->note) - have, ", ");
	va_start(args, format);
	vscnprintf(step->note + have, sizeof(step->note) - have, format, args);
	va_end(args);
}
EXPORT_SYMBOL_GPL(iommu_walk_note);

/**
 * iommu_walk() - ask the walker of a device's IOMMU
 * @walk: the question; takes the answer
 *
 * Context: may sleep. The device does not leave its IOMMU meanwhile.
 * Return: what iommu_walk_fn does; -EOPNOTSUPP if that IOMMU's driver has none.
 */
int iommu_walk(struct iommu_walk *walk)
{
	const struct iommu_ops *ops = dev_iommu_ops(walk->dev);
	struct walker *walker;
	int ret = -EOPNOTSUPP;

	/* Memory that was there when a step was made stays until it has been read. */
	get_online_mems();
	down_read(&walkers_lock);
	list_for_each_entry(walker, &walkers, list) {
		if (walker->ops == ops) {
			ret = walker->walk(walk);
			break;
		}
	}
	up_read(&walkers_lock);
	put_online_mems();
	return ret;
}

static const char * const stage_names[] = {
	[IOMMU_WALK_DEVICE] = "device",
	[IOMMU_WALK_FIRST] = "first",
	[IOMMU_WALK_SECOND] = "second",
};

static void show_step(struct seq_file *m, const struct iommu_walk_step *step)
{
	unsigned int i;

	seq_printf(m, "step %s %u %s 0x%llx ", stage_names[step->stage], step->level,
		   step->nested ? "nested" : "-", (u64)step->at);
	for (i = 0; i < step->words; i++)
		seq_printf(m, "%s0x%016llx", i ? "," : "", step->word[i]);
	seq_printf(m, "%s %s\n", i ? "" : "-", step->what);
	if (step->note[0])
		seq_printf(m, "note %s\n", step->note);
}

static void show_result(struct seq_file *m, const struct iommu_walk *walk)
{
	if (walk->how)
		seq_printf(m, "how %s\n", walk->how);
	if (walk->fault) {
		seq_printf(m, "result fault\nfault 0x%x %s\n", walk->fault_code, walk->fault);
		return;
	}
	if (!walk->translated) {
		seq_puts(m, "result none\n");
		return;
	}
	seq_printf(m, "result translated\noutput 0x%llx\n", (u64)walk->output);
	if (walk->size)
		seq_printf(m, "size 0x%llx\n", walk->size);
	seq_printf(m, "rights %c%c%c\n", walk->readable ? 'r' : '-', walk->writable ? 'w' : '-',
		   walk->executable ? 'x' : '-');
}

/* An open file's question is in a struct iommu_walk of its own, under the seq_file's lock. */
static int walk_show(struct seq_file *m, void *unused)
{
	struct iommu_walk *walk = m->private;
	unsigned int i;
	int ret;

	memset(walk->step, 0, sizeof(*walk) - offsetof(struct iommu_walk, step));
	ret = iommu_walk(walk);
	if (ret)
		return ret;

	seq_printf(m, "device %s\n", dev_name(walk->dev));
	if (walk->has_pasid)
		seq_printf(m, "pasid %u\n", walk->pasid);
	else
		seq_puts(m, "pasid -\n");
	if (walk->has_iova)
		seq_printf(m, "iova 0x%llx\naccess %s\n", walk->iova,
			   walk->write ? "write" : "read");
	for (i = 0; i < walk->nr_steps; i++)
		show_step(m, &walk->step[i]);
	show_result(m, walk);
	return 0;
}

struct question {
	bool has_pasid;
	u32 pasid;
	bool has_iova;
	u64 iova;
	bool write;
};

/* "PASID|- [IOVA] [r|w]" */
static int parse(char *text, struct question *asked)
{
	char *word[3] = {};
	unsigned int nr = 0;
	char *next;
	int ret;

	text = strim(text);
	while ((next = strsep(&text, " \t"))) {
		if (!*next)
			continue;
		if (nr == ARRAY_SIZE(word))
			return -EINVAL;
		word[nr++] = next;
	}
	if (!nr)
		return -EINVAL;

	*asked = (struct question){ .pasid = IOMMU_NO_PASID };
	asked->has_pasid = strcmp(word[0], "-");
	if (asked->has_pasid) {
		ret = kstrtou32(word[0], 0, &asked->pasid);
		if (ret)
			return ret;
		if (asked->pasid >= BIT(20))
			return -ERANGE;
	}
	asked->has_iova = word[1];
	if (word[1]) {
		ret = kstrtou64(word[1], 0, &asked->iova);
		if (ret)
			return ret;
	}
	asked->write = word[2] && !strcmp(word[2], "w");
	return !word[2] || asked->write || !strcmp(word[2], "r") ? 0 : -EINVAL;
}

static ssize_t walk_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct iommu_walk *walk = m->private;
	struct question asked;
	char text[QUESTION_SIZE];
	int ret;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = 0;
	ret = parse(text, &asked);
	if (ret)
		return ret;
	guard(mutex)(&m->lock);
	walk->has_pasid = asked.has_pasid;
	walk->pasid = asked.pasid;
	walk->has_iova = asked.has_iova;
	walk->iova = asked.iova;
	walk->write = asked.write;
	return size;
}

static int walk_open(struct inode *inode, struct file *file)
{
	struct iommu_walk *walk;
	int ret;

	walk = kvzalloc(sizeof(*walk), GFP_KERNEL);
	if (!walk)
		return -ENOMEM;
	walk->dev = inode->i_private;
	walk->pasid = IOMMU_NO_PASID;
	ret = single_open(file, walk_show, walk);
	if (ret)
		kvfree(walk);
	return ret;
}

static int walk_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	kvfree(m->private);
	return single_release(inode, file);
}

static const struct file_operations walk_fops = {
	.owner = THIS_MODULE,
	.open = walk_open,
	.read = seq_read,
	.write = walk_write,
	.llseek = seq_lseek,
	.release = walk_release,
};

/**
 * iommu_walk_add_device() - a device has an IOMMU
 * @dev: the device, all set for its IOMMU's driver
 *
 * Nothing depends on the file: where it cannot be made there is none.
 *
 * Context: may sleep.
 */
void iommu_walk_add_device(struct device *dev)
{
	struct walk_file *new;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return;
	new->dev = dev;

	guard(mutex)(&files_lock);
	if (!folder)
		folder = debugfs_create_dir("walk", iommu_debugfs_dir);
	/* Two buses may have a device of one name; the first one has the file. */
	new->file = debugfs_create_file(dev_name(dev), 0600, folder, dev, &walk_fops);
	if (IS_ERR(new->file)) {
		kfree(new);
		return;
	}
	list_add(&new->list, &files);
}

/**
 * iommu_walk_remove_device() - a device is about to lose its IOMMU
 * @dev: the device
 *
 * Context: may sleep; waits for those who read its file.
 */
void iommu_walk_remove_device(struct device *dev)
{
	struct walk_file *file, *next;

	guard(mutex)(&files_lock);
	list_for_each_entry_safe(file, next, &files, list) {
		if (file->dev != dev)
			continue;
		list_del(&file->list);
		debugfs_remove(file->file);
		kfree(file);
	}
}
