// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test does through an access: pin and unpin, read and write, at a PASID
 * or not.
 *
 * The lock is not held while memory is pinned, which may wait for user space. An
 * unmap that comes before the item is there is told so and asks again.
 */
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "access.h"

#define BUFFER_MAX (16UL << 20)

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

static struct mock_item *find_item(struct mock_access *acc, u32 id)
{
	struct mock_item *item;

	lockdep_assert_held(&acc->lock);
	list_for_each_entry(item, &acc->items, node)
		if (item->id == id)
			return item;
	return NULL;
}

static int end_item(struct mock_access *acc, u32 id)
{
	struct mock_item *item;

	guard(mutex)(&acc->lock);
	item = find_item(acc, id);
	if (!item)
		return -ENOENT;
	mock_item_end(acc, item);
	return 0;
}

/* Pin a new item, which the list owns from then on; sets its number. */
static int item_pin(struct mock_access *acc, struct mock_item *item, struct page **pages,
		    unsigned int flags, u32 *id)
{
	int rc = iommufd_access_pasid_pin(acc->access, item->pasid, item->iova, item->length,
					  pages, flags);

	if (rc)
		return rc;
	guard(mutex)(&acc->lock);
	item->id = ++acc->last_id;
	*id = item->id;
	list_add_tail(&item->node, &acc->items);
	return 0;
}

/* Pin, and compare with what the process has at the address. */
static int pin_and_compare(struct mock_access *acc, struct mock_item *item, unsigned long uaddr,
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

static int check_pin(MOCK_ARGS(access_pin) pin)
{
	if (pin->flags & ~MOCK_FLAGS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	if (pin->length > BUFFER_MAX)
		return -ENOMEM;
	if (!pin->length)
		return -EINVAL;
	return pin->iova > ULONG_MAX - BUFFER_MAX - PAGE_SIZE ? -EOVERFLOW : 0;
}

static int pin_new_item(struct mock_access *acc, MOCK_ARGS(access_pin) pin, u32 *item_id)
{
	unsigned long skip = offset_in_page(pin->iova);
	struct mock_item *item;

	if (!acc->pins)
		return -EOPNOTSUPP;
	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	if (!item)
		return -ENOMEM;
	item->pasid = pin->pasid;
	item->iova = pin->iova - skip;
	item->length = PAGE_ALIGN(skip + pin->length);
	return pin_and_compare(acc, item, pin->uptr - skip,
			       pin->flags ? IOMMUFD_ACCESS_RW_WRITE : IOMMUFD_ACCESS_RW_READ,
			       item_id);
}

static int pin_and_respond(struct op_call *call, u32 fd, MOCK_ARGS(access_pin) pin, u32 *item_id)
{
	int rc = check_pin(pin);

	if (rc)
		return rc;
	CLASS(access_file, file)(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	rc = pin_new_item(file->private_data, pin, item_id);
	if (rc)
		return rc;
	rc = op_respond(call);
	if (rc)
		end_item(file->private_data, *item_id);
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
	MOCK_ARGS(access_pages) from = args;
	typeof_member(struct iommu_test_cmd, access_pin) pin = {
		.flags = from->flags,
		.iova = from->iova,
		.length = from->length,
		.uptr = from->uptr,
	};

	return pin_and_respond(call, id, &pin, &from->out_access_pages_id);
}

/**
 * mock_access_pin_pasid() - MOCK_OP_ACCESS_PIN: the same at a PASID
 * @call: the call
 * @id: file descriptor of the access
 * @args: as mock_access_pin(), and the PASID
 *
 * Context: may sleep.
 * Return: as mock_access_pin().
 */
int mock_access_pin_pasid(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access_pin) pin = args;

	return pin_and_respond(call, id, pin, &pin->out_access_pages_id);
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

static int rw_buffer(struct mock_access *acc, MOCK_ARGS(access_copy) rw, void *buffer)
{
	void __user *uptr = u64_to_user_ptr(rw->uptr);
	bool write = rw->flags & MOCK_ACCESS_RW_WRITE;
	int rc;

	if (write && copy_from_user(buffer, uptr, rw->length))
		return -EFAULT;
	rc = iommufd_access_pasid_rw(acc->access, rw->pasid, rw->iova, buffer, rw->length,
				     write ? IOMMUFD_ACCESS_RW_WRITE : IOMMUFD_ACCESS_RW_READ);
	if (!rc && !write && copy_to_user(uptr, buffer, rw->length))
		return -EFAULT;
	return rc;
}

static int rw_at(u32 fd, MOCK_ARGS(access_copy) rw)
{
	void *buffer;
	int rc;

	if (rw->flags & ~(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH))
		return -EOPNOTSUPP;
	if (rw->length > BUFFER_MAX)
		return -ENOMEM;
	if (rw->iova > ULONG_MAX)
		return -EOVERFLOW;

	CLASS(access_file, file)(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	buffer = kvzalloc(rw->length, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	rc = rw_buffer(file->private_data, rw, buffer);
	kvfree(buffer);
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
	MOCK_ARGS(access_rw) from = args;
	typeof_member(struct iommu_test_cmd, access_copy) rw = {
		.flags = from->flags,
		.iova = from->iova,
		.length = from->length,
		.uptr = from->uptr,
	};

	return rw_at(id, &rw);
}

/**
 * mock_access_rw_pasid() - MOCK_OP_ACCESS_RW: the same at a PASID
 * @call: the call
 * @id: file descriptor of the access
 * @args: as mock_access_rw(), and the PASID
 *
 * Context: may sleep.
 * Return: as mock_access_rw().
 */
int mock_access_rw_pasid(struct op_call *call, u32 id, void *args)
{
	return rw_at(id, args);
}
