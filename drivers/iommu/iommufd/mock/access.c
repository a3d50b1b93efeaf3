// SPDX-License-Identifier: GPL-2.0-only
/*
 * An in-kernel user of memory, as a driver of an emulated device is one, behind
 * a file: the test pins and unpins, reads and writes through it. What is pinned
 * is an item with a number; an unmap takes items away.
 *
 * The lock is not held while memory is pinned, which may wait for user space. An
 * unmap that comes before the item is there is told so and asks again.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mock.h"

#define BUFFER_MAX (16UL << 20)

/**
 * struct mock_access - an access behind a file
 * @access: of iommufd
 * @pins: it was made to pin
 * @lock: protects @items and @last_id
 * @items: struct item
 * @last_id: number of the newest item
 */
struct mock_access {
	struct iommufd_access *access;
	bool pins;
	struct mutex lock; /* of the items */
	struct list_head items;
	u32 last_id;
};

/**
 * struct item - pinned memory
 * @node: in mock_access.items
 * @id: its number
 * @iova: first byte, page-aligned
 * @length: bytes, whole pages
 */
struct item {
	struct list_head node;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

static void item_end(struct mock_access *acc, struct item *item)
{
	lockdep_assert_held(&acc->lock);
	list_del(&item->node);
	iommufd_access_unpin_pages(acc->access, item->iova, item->length);
	kfree(item);
}

static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = iova + (length - 1);
	struct mock_access *acc = data;
	struct item *item, *next;

	guard(mutex)(&acc->lock);
	list_for_each_entry_safe(item, next, &acc->items, node)
		if (item->iova <= last && iova <= item->iova + (item->length - 1))
			item_end(acc, item);
}

static const struct iommufd_access_ops rw_ops = {};

static const struct iommufd_access_ops pin_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
};

static int access_release(struct inode *inode, struct file *file)
{
	struct mock_access *acc = file->private_data;

	iommufd_access_destroy(acc->access);
	WARN_ON(!list_empty(&acc->items));
	mutex_destroy(&acc->lock);
	kfree(acc);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = access_release,
};

static struct file *access_open(struct iommufd_ctx *ictx, u32 ioas_id, bool pins)
{
	struct mock_access *acc = kzalloc(sizeof(*acc), GFP_KERNEL_ACCOUNT);
	struct file *file;
	u32 id;
	int rc;

	if (!acc)
		return ERR_PTR(-ENOMEM);
	mutex_init(&acc->lock);
	INIT_LIST_HEAD(&acc->items);
	acc->pins = pins;
	acc->access = iommufd_access_create(ictx, pins ? &pin_ops : &rw_ops, acc, &id);
	if (IS_ERR(acc->access)) {
		rc = PTR_ERR(acc->access);
		goto free;
	}
	rc = iommufd_access_attach(acc->access, ioas_id);
	if (rc)
		goto destroy;
	file = anon_inode_getfile("[iommufd_mock_access]", &access_fops, acc, O_RDWR);
	if (!IS_ERR(file))
		return file;
	rc = PTR_ERR(file);
destroy:
	iommufd_access_destroy(acc->access);
free:
	kfree(acc);
	return ERR_PTR(rc);
}

/**
 * mock_access_create() - CREATE_ACCESS: a new access, attached
 * @call: the call
 * @id: the IOAS
 * @args: has the flags; set to a file descriptor
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP for an unknown flag; or see iommufd_access_attach().
 */
int mock_access_create(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(create_access) create = args;
	bool pins = create->flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	struct file *file;
	int fd, rc;

	if (create->flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = access_open(call->ictx, id, pins);
	if (IS_ERR(file)) {
		rc = PTR_ERR(file);
		goto put_fd;
	}
	create->out_access_fd = fd;
	rc = op_respond(call);
	if (rc)
		goto put_file;
	fd_install(fd, file);
	return 0;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
	return rc;
}

/* Keeps the file, and so the access, for as long as an operation works on it. */
static struct file *access_file(u32 fd)
{
	struct file *file = fget(fd);

	if (file && file->f_op == &access_fops)
		return file;
	if (file)
		fput(file);
	return ERR_PTR(-EBADFD);
}

DEFINE_CLASS(access_file, struct file *, if (!IS_ERR(_T)) fput(_T), access_file(fd), u32 fd)

/**
 * mock_access_replace() - ACCESS_REPLACE_IOAS: attach an access to something else
 * @call: the call
 * @id: file descriptor of the access
 * @args: has the IOAS
 *
 * Context: may sleep.
 * Return: 0; -EBADFD if that is no access; or see iommufd_access_replace().
 */
int mock_access_replace(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access_replace_ioas) replace = args;
	struct mock_access *acc;

	CLASS(access_file, file)(id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	acc = file->private_data;
	return iommufd_access_replace(acc->access, replace->ioas_id);
}

/* Whether pages are those that the process has at an address. */
static int compare_pages(struct page **pages, unsigned long npages, unsigned long uaddr)
{
	struct page *page;
	long n;

	for (; npages--; pages++, uaddr += PAGE_SIZE) {
		n = get_user_pages_fast(uaddr, 1, 0, &page);
		if (n != 1)
			return n < 0 ? n : -EFAULT;
		put_page(page);
		if (page != *pages)
			return -EINVAL;
	}
	return 0;
}

static struct item *find_item(struct mock_access *acc, u32 id)
{
	struct item *item;

	lockdep_assert_held(&acc->lock);
	list_for_each_entry(item, &acc->items, node)
		if (item->id == id)
			return item;
	return NULL;
}

static int end_item(struct mock_access *acc, u32 id)
{
	struct item *item;

	guard(mutex)(&acc->lock);
	item = find_item(acc, id);
	if (!item)
		return -ENOENT;
	item_end(acc, item);
	return 0;
}

/* Pin a new item, which the list owns from then on; sets its number. */
static int item_pin(struct mock_access *acc, struct item *item, struct page **pages,
		    unsigned int flags, u32 *id)
{
	int rc = iommufd_access_pin_pages(acc->access, item->iova, item->length, pages, flags);

	if (rc)
		return rc;
	guard(mutex)(&acc->lock);
	item->id = ++acc->last_id;
	*id = item->id;
	list_add_tail(&item->node, &acc->items);
	return 0;
}

/* Pin, and compare with what the process has at the address. */
static int pin_and_compare(struct mock_access *acc, struct item *item, unsigned long uaddr,
			   unsigned int flags, u32 *id)
{
	unsigned long npages = item->length >> PAGE_SHIFT;
	struct page **pages;
	int rc;

	pages = kvcalloc(npages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	rc = pages ? item_pin(acc, item, pages, flags, id) : -ENOMEM;
	if (rc) {
		kvfree(pages);
		kfree(item);
		return rc;
	}
	rc = compare_pages(pages, npages, uaddr);
	kvfree(pages);
	if (rc)
		end_item(acc, *id);
	return rc;
}

/**
 * mock_access_pin() - ACCESS_PAGES: pin memory and compare it with a process's
 * @call: the call
 * @id: file descriptor of the access
 * @args: IOVAs, address and flags; set to the number of the item
 *
 * Context: may sleep.
 * Return: 0; -EBADFD if that is no access; -EOPNOTSUPP if it was not made to pin,
 * or for an unknown flag; -EINVAL for an empty range, or if the process has other
 * memory there; -ENOMEM, also for too long a range; or see
 * iommufd_access_pin_pages().
 */
int mock_access_pin(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access_pages) pin = args;
	unsigned long skip = offset_in_page(pin->iova);
	struct mock_access *acc;
	struct item *item;
	int rc;

	if (pin->flags & ~MOCK_FLAGS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	if (pin->length > BUFFER_MAX)
		return -ENOMEM;
	if (!pin->length || pin->iova > ULONG_MAX - BUFFER_MAX - PAGE_SIZE)
		return pin->length ? -EOVERFLOW : -EINVAL;

	CLASS(access_file, file)(id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	acc = file->private_data;
	if (!acc->pins)
		return -EOPNOTSUPP;
	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	if (!item)
		return -ENOMEM;
	item->iova = pin->iova - skip;
	item->length = PAGE_ALIGN(skip + pin->length);

	rc = pin_and_compare(acc, item, pin->uptr - skip,
			     pin->flags ? IOMMUFD_ACCESS_RW_WRITE : IOMMUFD_ACCESS_RW_READ,
			     &pin->out_access_pages_id);
	if (rc)
		return rc;
	rc = op_respond(call);
	if (rc)
		end_item(acc, pin->out_access_pages_id);
	return rc;
}

/**
 * mock_access_unpin() - DESTROY_ACCESS_PAGES: unpin what was pinned
 * @call: the call
 * @id: file descriptor of the access
 * @args: has the number of the item
 *
 * Context: may sleep.
 * Return: 0; -EBADFD if that is no access; -ENOENT if there is no such item, as
 * after an unmap.
 */
int mock_access_unpin(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(destroy_access_pages) unpin = args;

	CLASS(access_file, file)(id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	return end_item(file->private_data, unpin->access_pages_id);
}

static int rw_buffer(struct mock_access *acc, MOCK_ARGS(access_rw) rw, void *buffer)
{
	void __user *uptr = u64_to_user_ptr(rw->uptr);
	bool write = rw->flags & MOCK_ACCESS_RW_WRITE;
	int rc;

	if (write && copy_from_user(buffer, uptr, rw->length))
		return -EFAULT;
	rc = iommufd_access_rw(acc->access, rw->iova, buffer, rw->length,
			       write ? IOMMUFD_ACCESS_RW_WRITE : IOMMUFD_ACCESS_RW_READ);
	if (!rc && !write && copy_to_user(uptr, buffer, rw->length))
		return -EFAULT;
	return rc;
}

/**
 * mock_access_rw() - ACCESS_RW: copy between IOVAs and a process's memory
 * @call: the call
 * @id: file descriptor of the access
 * @args: IOVAs, address and flags; there is one path, SLOW_PATH changes nothing
 *
 * Context: may sleep.
 * Return: 0; -EBADFD if that is no access; -EOPNOTSUPP for an unknown flag;
 * -ENOMEM, also for too long a range; -EFAULT; or see iommufd_access_rw().
 */
int mock_access_rw(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access_rw) rw = args;
	void *buffer;
	int rc;

	if (rw->flags & ~(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH))
		return -EOPNOTSUPP;
	if (rw->length > BUFFER_MAX)
		return -ENOMEM;
	if (rw->iova > ULONG_MAX)
		return -EOVERFLOW;

	CLASS(access_file, file)(id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	buffer = kvzalloc(rw->length, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	rc = rw_buffer(file->private_data, rw, buffer);
	kvfree(buffer);
	return rc;
}
