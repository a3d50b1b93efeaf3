// SPDX-License-Identifier: GPL-2.0-only
/*
 * An in-kernel user of memory, as a driver of an emulated device is one, behind
 * a file: made, attached, and told of unmaps, also per PASID. What it has pinned
 * is an item with a number; an unmap takes items away, and is noted.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "access.h"

/**
 * mock_item_end() - unpin an item and forget it
 * @acc: the access
 * @item: freed
 *
 * Context: may sleep; under the access's lock.
 */
void mock_item_end(struct mock_access *acc, struct mock_item *item)
{
	lockdep_assert_held(&acc->lock);
	list_del(&item->node);
	iommufd_access_pasid_unpin(acc->access, item->pasid, item->iova, item->length);
	kfree(item);
}

static void pasid_unmap(void *data, u32 pasid, unsigned long iova, unsigned long length)
{
	unsigned long last = iova + (length - 1);
	struct mock_access *acc = data;
	struct mock_item *item, *next;

	guard(mutex)(&acc->lock);
	acc->unmaps[acc->nr_unmaps++ % MOCK_UNMAPS] = (struct mock_unmap) { pasid, iova, length };
	list_for_each_entry_safe(item, next, &acc->items, node)
		if (item->pasid == pasid && item->iova <= last &&
		    iova <= item->iova + (item->length - 1))
			mock_item_end(acc, item);
}

static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	pasid_unmap(data, IOMMU_NO_PASID, iova, length);
}

static const struct iommufd_access_ops rw_ops = {};

static const struct iommufd_access_ops pin_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
	.pasid_unmap = pasid_unmap,
};

static int access_release(struct inode *inode, struct file *file)
{
	struct mock_access *acc = file->private_data;

	iommufd_access_destroy(acc->access);
	WARN_ON(!list_empty(&acc->items));
	if (acc->parent)
		mock_device_put(acc->parent);
	mutex_destroy(&acc->lock);
	kfree(acc);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = access_release,
};

static struct file *access_open(struct iommufd_ctx *ictx, u32 ioas_id, bool pins, u32 *id)
{
	struct mock_access *acc = kzalloc(sizeof(*acc), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int rc;

	if (!acc)
		return ERR_PTR(-ENOMEM);
	mutex_init(&acc->lock);
	INIT_LIST_HEAD(&acc->items);
	acc->pins = pins;
	acc->access = iommufd_access_create(ictx, pins ? &pin_ops : &rw_ops, acc, id);
	if (IS_ERR(acc->access)) {
		rc = PTR_ERR(acc->access);
		goto free;
	}
	rc = ioas_id ? iommufd_access_attach(acc->access, ioas_id) : 0;
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

/* Answer with the file's descriptor; the file goes over, also upon failure. */
static int access_respond(struct op_call *call, struct file *file, u32 *out_fd)
{
	int fd, rc;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(file);
		return fd;
	}
	*out_fd = fd;
	rc = op_respond(call);
	if (!rc) {
		fd_install(fd, file);
		return 0;
	}
	put_unused_fd(fd);
	fput(file);
	return rc;
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
	u32 access_id;

	if (create->flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	if (!id)
		return -ENOENT;
	return access_respond(call, access_open(call->ictx, id, pins, &access_id),
			      &create->out_access_fd);
}

/* With PASIDs of its own, or for a parent, which its user keeps. */
static int set_pasids(struct file *file, MOCK_ARGS(access) create)
{
	struct mock_access *acc = file->private_data;
	struct iommufd_access_pasids pasids = { .width = create->width };

	if (create->flags & MOCK_ACCESS_GLOBAL) {
		acc->parent = mock_device_get(create->parent);
		if (IS_ERR(acc->parent)) {
			acc->parent = NULL;
			return -ENOENT;
		}
		pasids.parent = &acc->parent->dev;
	}
	return iommufd_access_set_pasids(acc->access, &pasids);
}

/**
 * mock_access_create_pasids() - MOCK_OP_ACCESS: a new access with PASIDs
 * @call: the call
 * @id: the IOAS to attach it to, or 0
 * @args: has flags, width and parent; set to ID and file descriptor
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP for an unknown flag; -ENOENT without such an IOAS or
 * parent; or see iommufd_access_set_pasids().
 */
int mock_access_create_pasids(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access) create = args;
	struct file *file;
	int rc;

	if (create->flags & ~(MOCK_ACCESS_PINS | MOCK_ACCESS_GLOBAL))
		return -EOPNOTSUPP;
	file = access_open(call->ictx, id, create->flags & MOCK_ACCESS_PINS,
			   &create->out_access_id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	rc = set_pasids(file, create);
	if (rc) {
		fput(file);
		return rc;
	}
	return access_respond(call, file, &create->out_access_fd);
}

/**
 * mock_access_file() - the file of an access
 * @fd: its descriptor
 *
 * Context: process.
 * Return: the file with a reference, or ERR_PTR(-EBADFD).
 */
struct file *mock_access_file(u32 fd)
{
	struct file *file = fget(fd);

	if (file && file->f_op == &access_fops)
		return file;
	if (file)
		fput(file);
	return ERR_PTR(-EBADFD);
}

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

typedef int (*move_fn)(struct iommufd_access *access, u32 pasid, u32 ioas_id);

static int move_to(u32 fd, MOCK_ARGS(access_move) to, move_fn move)
{
	struct mock_access *acc;

	CLASS(access_file, file)(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	acc = file->private_data;
	return move(acc->access, to->pasid, to->ioas_id);
}

/**
 * mock_access_attach_pasid() - MOCK_OP_ACCESS_ATTACH: attach a PASID to an IOAS
 * @call: the call
 * @id: file descriptor of the access
 * @args: the PASID and the IOAS
 *
 * Context: may sleep.
 * Return: 0; -EBADFD; or see iommufd_access_pasid_attach().
 */
int mock_access_attach_pasid(struct op_call *call, u32 id, void *args)
{
	return move_to(id, args, iommufd_access_pasid_attach);
}

/**
 * mock_access_replace_pasid() - MOCK_OP_ACCESS_REPLACE: attach it to another IOAS
 * @call: the call
 * @id: file descriptor of the access
 * @args: the PASID and the IOAS
 *
 * Context: may sleep.
 * Return: 0; -EBADFD; or see iommufd_access_pasid_replace().
 */
int mock_access_replace_pasid(struct op_call *call, u32 id, void *args)
{
	return move_to(id, args, iommufd_access_pasid_replace);
}

static int detach(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	iommufd_access_pasid_detach(access, pasid);
	return 0;
}

/**
 * mock_access_detach_pasid() - MOCK_OP_ACCESS_DETACH: detach a PASID
 * @call: the call
 * @id: file descriptor of the access
 * @args: the PASID
 *
 * Context: may sleep.
 * Return: 0, -EBADFD.
 */
int mock_access_detach_pasid(struct op_call *call, u32 id, void *args)
{
	return move_to(id, args, detach);
}

/**
 * mock_access_unmaps() - MOCK_OP_ACCESS_UNMAPS: an unmap that it was told of
 * @call: the call
 * @id: file descriptor of the access
 * @args: has the number of the notice; set to it
 *
 * Context: may sleep.
 * Return: 0; -EBADFD; -ENOENT if there was none, or it is forgotten; -EFAULT.
 */
int mock_access_unmaps(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(access_unmaps) get = args;
	struct mock_access *acc;
	struct mock_unmap unmap;

	CLASS(access_file, file)(id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	acc = file->private_data;
	scoped_guard(mutex, &acc->lock) {
		if (get->at >= acc->nr_unmaps || acc->nr_unmaps - get->at > MOCK_UNMAPS)
			return -ENOENT;
		unmap = acc->unmaps[get->at % MOCK_UNMAPS];
	}
	get->out_pasid = unmap.pasid;
	get->out_iova = unmap.iova;
	get->out_length = unmap.length;
	return op_respond(call);
}
