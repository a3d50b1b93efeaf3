// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a memfd or of a file of tmpfs or hugetlbfs: pinned by folio.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>

#include "file_seals.h"
#include "pages.h"

/*
 * Writing by a device is writing to the file. Seals are looked at whenever
 * pages are pinned, since one may be added while none are.
 */
static int check_writable(struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	return file_seals(file) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EPERM : 0;
}

/* Add folios that hold a pin each; those that cannot be added are unpinned. */
static long batch_folios(struct pin_batch *batch, struct folio **folios, long n,
			 unsigned long skip, unsigned long count)
{
	unsigned long done = 0;
	long i;

	for (i = 0; i < n && done < count; i++) {
		unsigned long len = min(folio_nr_pages(folios[i]) - skip, count - done);

		if (run_builder_add(&batch->runs, folio_pfn(folios[i]) + skip, len)) {
			unpin_folios(folios + i, n - i);
			return -ENOMEM;
		}
		done += len;
		skip = 0;
	}
	if (i < n)
		unpin_folios(folios + i, n - i);
	return done;
}

static long file_pin(struct pages *pages, unsigned long first, unsigned long count,
		     struct pin_batch *batch)
{
	loff_t start = pages->base + ((loff_t)first << PAGE_SHIFT);
	loff_t end = min(start + ((loff_t)count << PAGE_SHIFT),
			 i_size_read(file_inode(pages->file)));
	struct folio **folios = (struct folio **)batch->pages;
	pgoff_t offset;
	long n;

	if (pages->writable && check_writable(pages->file))
		return -EPERM;
	/* What has been cut off the file since it was mapped is not there. */
	if (end <= start)
		return -EFAULT;
	batch->per_folio = true;
	n = memfd_pin_folios(pages->file, start, end - 1, folios, batch->room, &offset);
	if (n <= 0)
		return n ?: -EFAULT;
	return batch_folios(batch, folios, n, offset >> PAGE_SHIFT, count);
}

static void file_free(struct pages *pages)
{
	fput(pages->file);
}

static const struct pages_source pages_file_source = {
	.pin = file_pin,
	.free = file_free,
};

/**
 * pages_from_file() - memory of a file
 * @account: who pays
 * @file: the file; the object takes a reference
 * @start: page-aligned offset in it
 * @npages: number of pages, not 0, not wrapping
 * @writable: whether it is pinned for writing
 *
 * Context: may sleep.
 * Return: the object with one reference, or ERR_PTR(): -EINVAL for a file that
 * is of another kind or ends before the range does, -EPERM for one that is not
 * open for reading, or for writing to one that is not open for it or is sealed,
 * -ENOMEM.
 */
struct pages *pages_from_file(struct account *account, struct file *file, unsigned long start,
			      unsigned long npages, bool writable)
{
	struct inode *inode = file_inode(file);
	struct pages *pages;
	loff_t end;

	if (!is_file_hugepages(file) &&
	    (!S_ISREG(inode->i_mode) || inode->i_sb->s_magic != TMPFS_MAGIC))
		return ERR_PTR(-EINVAL);
	if (check_shl_overflow((loff_t)npages, PAGE_SHIFT, &end) ||
	    check_add_overflow((loff_t)start, end, &end) || start > LLONG_MAX ||
	    end > round_up(i_size_read(inode), PAGE_SIZE))
		return ERR_PTR(-EINVAL);
	/* As with mmap(): what may be written may be read, and always is on some IOMMUs. */
	if (!(file->f_mode & FMODE_READ) || (writable && check_writable(file)))
		return ERR_PTR(-EPERM);

	pages = pages_alloc(&pages_file_source, account, npages, writable);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	pages->file = get_file(file);
	pages->base = start;
	return pages;
}
