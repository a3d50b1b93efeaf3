// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses: attach, replace, detach, and use. The driver is called back, and may
 * call back in, but not to attach or detach.
 *
 * The lock that is held over those calls keeps nobody waiting but who changes
 * what the same access is attached to.
 *
 * What is detached first stops pinning, then the driver is asked to unpin all,
 * and then it leaves. What is still held meanwhile is found by @draining.
 */
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../trace.h"
#include "access.h"

static void access_destroy_obj(struct object *obj)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);
	struct file *file = obj->ictx->file;

	pasid_dev_exit(&access->pasids);
	WARN_ON(!xa_empty(&access->ports));
	xa_destroy(&access->ports);
	mutex_destroy(&access->lock);
	mutex_destroy(&access->change_lock);
	kfree(access);
	fput(file);
}

const struct object_type access_type = {
	.name = "access",
	.kernel_owned = true,
	.destroy = access_destroy_obj,
};

/**
 * access_create() - a new access, attached to nothing
 * @ictx: the context; the access holds its file
 * @ops: the driver's
 * @data: passed to the driver
 *
 * Context: may sleep.
 * Return: the access, published, or ERR_PTR(-ENOMEM).
 */
struct iommufd_access *access_create(struct iommufd_ctx *ictx,
				     const struct iommufd_access_ops *ops, void *data)
{
	struct iommufd_access *access = kzalloc(sizeof(*access), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!access)
		return ERR_PTR(-ENOMEM);
	rc = object_init(ictx, &access->obj, &access_type);
	if (rc) {
		kfree(access);
		return ERR_PTR(rc);
	}
	access->ops = ops;
	access->data = data;
	mutex_init(&access->change_lock);
	mutex_init(&access->lock);
	xa_init_flags(&access->ports, XA_FLAGS_ACCOUNT);
	pasid_dev_init(&access->pasids);
	get_file(ictx->file);
	object_publish(&access->obj);
	return access;
}

static void tell_unmap(struct iommufd_access *access, u32 pasid, unsigned long iova,
		       unsigned long length)
{
	const struct iommufd_access_ops *ops = access->ops;

	if (pasid && ops->pasid_unmap)
		ops->pasid_unmap(access->data, pasid, iova, length);
	else if (!pasid && ops->unmap)
		ops->unmap(access->data, iova, length);
}

static void call_unmap(struct ioas_access *acc, const struct iova_range *range)
{
	struct access_link *link = container_of(acc, struct access_link, acc);

	tell_unmap(link->access, link->pasid, range->start, range_length(range));
}

static struct access_link *link_new(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	struct access_link *link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	struct ioas *ioas;
	int rc;

	if (!link)
		return ERR_PTR(-ENOMEM);
	ioas = ioas_get(access->obj.ictx, ioas_id);
	if (IS_ERR(ioas)) {
		kfree(link);
		return ERR_CAST(ioas);
	}
	refcount_set(&link->refs, 1);
	link->access = access;
	link->pasid = pasid;
	link->ioas = ioas;
	link->acc.align = access->ops->needs_pin_pages ? PAGE_SIZE : 1;
	if (pasid ? !!access->ops->pasid_unmap : !!access->ops->unmap)
		link->acc.unmap = call_unmap;
	rc = ioas_access_add(ioas, &link->acc);
	if (rc) {
		ioas_put(ioas);
		kfree(link);
		return ERR_PTR(rc);
	}
	return link;
}

static void link_put(struct access_link *link)
{
	if (!refcount_dec_and_test(&link->refs))
		return;
	ioas_put(link->ioas);
	kfree(link);
}

static struct access_port *port_of(struct iommufd_access *access, u32 pasid)
{
	lockdep_assert_held(&access->lock);
	return pasid ? xa_load(&access->ports, pasid) : &access->rid;
}

/* A port for what is about to be attached; nothing finds the link there yet. */
static struct access_port *port_new(struct iommufd_access *access, u32 pasid)
{
	struct access_port *port;
	int rc;

	lockdep_assert_held(&access->change_lock);
	if (!pasid)
		return &access->rid;
	port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	if (!port)
		return ERR_PTR(-ENOMEM);
	rc = xa_insert(&access->ports, pasid, port, GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(port);
		return ERR_PTR(rc);
	}
	return port;
}

static void port_end(struct iommufd_access *access, u32 pasid)
{
	lockdep_assert_held(&access->change_lock);
	if (!pasid)
		return;
	mutex_lock(&access->lock);
	kfree(xa_erase(&access->ports, pasid));
	mutex_unlock(&access->lock);
}

/* Let go what is attached, and attach something else or nothing. */
static void exchange(struct iommufd_access *access, struct access_port *port,
		     struct access_link *new)
{
	struct access_link *old = port->link;

	lockdep_assert_held(&access->change_lock);
	mutex_lock(&access->lock);
	port->link = NULL;
	port->draining = old;
	mutex_unlock(&access->lock);

	/* Until all is unpinned from the old one, nothing can be pinned from the new. */
	ioas_access_stop(old->ioas, &old->acc);
	tell_unmap(access, old->pasid, 0, ULONG_MAX);
	ioas_access_remove(old->ioas, &old->acc);

	mutex_lock(&access->lock);
	port->link = new;
	port->draining = NULL;
	mutex_unlock(&access->lock);
	link_put(old);
}

static int attach_claimed(struct iommufd_access *access, struct pasid_number *num, u32 ioas_id)
{
	struct access_link *link = link_new(access, num->vpasid, ioas_id);
	struct access_port *port;

	if (IS_ERR(link))
		return PTR_ERR(link);
	port = port_new(access, num->vpasid);
	if (IS_ERR(port)) {
		ioas_access_remove(link->ioas, &link->acc);
		link_put(link);
		return PTR_ERR(port);
	}
	pasid_dev_commit(&access->pasids, num, 0, link->ioas->obj.id);
	mutex_lock(&access->lock);
	port->link = link;
	mutex_unlock(&access->lock);
	return 0;
}

/**
 * access_attach() - attach an access, or a PASID of it, that is not
 * @access: the access
 * @pasid: what the user calls the PASID; 0 for the device
 * @ioas_id: the IOAS
 *
 * Context: may sleep; takes change_lock.
 * Return: 0; -ENOENT if there is no such IOAS; -EBUSY if it is attached;
 * -EADDRINUSE if what is mapped is aligned too little; -ENOMEM; see
 * pasid_dev_claim().
 */
int access_attach(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	struct pasid_number *num;
	int rc;

	guard(mutex)(&access->change_lock);
	num = pasid_dev_claim(&access->pasids, pasid);
	rc = PTR_ERR_OR_ZERO(num);
	if (!rc) {
		rc = attach_claimed(access, num, ioas_id);
		if (rc)
			pasid_dev_release(&access->pasids, num);
	}
	trace_iommufd_access_attach(access->obj.id, pasid, ioas_id, rc);
	return rc;
}

static struct access_port *attached_port(struct iommufd_access *access, u32 pasid)
{
	guard(mutex)(&access->lock);
	return port_of(access, pasid);
}

/**
 * access_replace() - attach to something else what is attached
 * @access: the access; all that it has pinned there is revoked
 * @pasid: what the user calls the PASID; 0 for the device
 * @ioas_id: the IOAS
 *
 * Context: may sleep; takes change_lock; calls the driver.
 * Return: 0; -EINVAL if it is not attached; or as access_attach(). The old
 * attachment stays then.
 */
int access_replace(struct iommufd_access *access, u32 pasid, u32 ioas_id)
{
	struct pasid_number *num;
	struct access_link *link;
	int rc;

	guard(mutex)(&access->change_lock);
	num = pasid_dev_attached(&access->pasids, pasid);
	if (!num)
		return -EINVAL;
	link = link_new(access, pasid, ioas_id);
	rc = PTR_ERR_OR_ZERO(link);
	if (!rc) {
		pasid_dev_commit(&access->pasids, num, 0, link->ioas->obj.id);
		exchange(access, attached_port(access, pasid), link);
	}
	trace_iommufd_access_attach(access->obj.id, pasid, ioas_id, rc);
	return rc;
}

/**
 * access_detach() - detach an access or a PASID of it
 * @access: the access; all that it has pinned there is revoked
 * @pasid: what the user calls the PASID; 0 for the device; nothing happens if it
 *	is not attached
 *
 * Context: may sleep; takes change_lock; calls the driver.
 */
void access_detach(struct iommufd_access *access, u32 pasid)
{
	struct pasid_number *num;

	guard(mutex)(&access->change_lock);
	num = pasid_dev_attached(&access->pasids, pasid);
	if (!num)
		return;
	exchange(access, attached_port(access, pasid), NULL);
	port_end(access, pasid);
	pasid_dev_release(&access->pasids, num);
	trace_iommufd_access_attach(access->obj.id, pasid, 0, 0);
}

/**
 * access_detach_all() - detach an access and all its PASIDs
 * @access: the access, which nobody attaches any more
 *
 * Context: may sleep; takes change_lock; calls the driver.
 */
void access_detach_all(struct iommufd_access *access)
{
	struct pasid_number *num;
	u32 pasid = 1;

	while ((num = pasid_dev_next_attached(&access->pasids, pasid))) {
		pasid = num->vpasid;
		access_detach(access, pasid);
		cond_resched();
	}
	access_detach(access, 0);
}

/* The attachment to use, or NULL; to unpin, the one that is being left. */
static struct access_link *link_get(struct iommufd_access *access, u32 pasid, bool draining)
{
	struct access_port *port;
	struct access_link *link;

	guard(mutex)(&access->lock);
	port = port_of(access, pasid);
	if (!port)
		return NULL;
	link = draining && port->draining ? port->draining : port->link;
	if (link)
		refcount_inc(&link->refs);
	return link;
}

/**
 * access_pin() - pin pages, see ioas_pin()
 * @access: the access
 * @pasid: what the user calls the PASID; 0 for the device
 * @range: page-aligned IOVAs
 * @write: for writing
 * @out: set to the pages
 *
 * Context: may sleep and wait for user space: no lock held that @unmap takes.
 * Return: as ioas_pin(); -ENOENT if it is not attached.
 */
int access_pin(struct iommufd_access *access, u32 pasid, const struct iova_range *range,
	       bool write, struct page **out)
{
	struct access_link *link = link_get(access, pasid, false);
	int rc;

	if (!link)
		return -ENOENT;
	rc = ioas_pin(link->ioas, &link->acc, range, write, out);
	trace_iommufd_access_pin(access->obj.id, pasid, range->start, range_length(range), write,
				 rc);
	link_put(link);
	return rc;
}

/**
 * access_unpin() - take back access_pin(), or a part of it
 * @access: the access
 * @pasid: what the user calls the PASID; 0 for the device
 * @range: page-aligned IOVAs
 *
 * Context: may sleep.
 */
void access_unpin(struct iommufd_access *access, u32 pasid, const struct iova_range *range)
{
	struct access_link *link = link_get(access, pasid, true);

	if (WARN_ON(!link))
		return;
	ioas_unpin(link->ioas, range);
	trace_iommufd_access_unpin(access->obj.id, pasid, range->start, range_length(range), false,
				   0);
	link_put(link);
}

/**
 * access_rw() - copy bytes, see ioas_rw()
 * @access: the access
 * @pasid: what the user calls the PASID; 0 for the device
 * @range: IOVAs
 * @data: kernel memory
 * @write: to the IOVAs
 *
 * Context: may sleep and wait for user space.
 * Return: as ioas_rw(); -ENOENT if it is not attached.
 */
int access_rw(struct iommufd_access *access, u32 pasid, const struct iova_range *range,
	      void *data, bool write)
{
	struct access_link *link = link_get(access, pasid, false);
	int rc;

	if (!link)
		return -ENOENT;
	rc = ioas_rw(link->ioas, &link->acc, range, data, write);
	link_put(link);
	return rc;
}
