// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses: attach, replace, detach, and use. The driver is called back, and may
 * call back in, with no lock of this file held.
 *
 * An access that is detached first stops pinning, then is asked to unpin all,
 * and then leaves. What it still holds meanwhile is found by @draining.
 */
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "access.h"

static void access_destroy_obj(struct object *obj)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);
	struct file *file = obj->ictx->file;

	mutex_destroy(&access->lock);
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
	mutex_init(&access->lock);
	get_file(ictx->file);
	object_publish(&access->obj);
	return access;
}

static void call_unmap(struct ioas_access *acc, const struct iova_range *range)
{
	struct iommufd_access *access = container_of(acc, struct access_link, acc)->access;

	access->ops->unmap(access->data, range->start, range_length(range));
}

static struct access_link *link_new(struct iommufd_access *access, u32 ioas_id)
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
	link->ioas = ioas;
	link->acc.align = access->ops->needs_pin_pages ? PAGE_SIZE : 1;
	if (access->ops->unmap)
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

/* Exchange the attachment, let the driver unpin what the old one has. */
static int exchange(struct iommufd_access *access, struct access_link *new, bool attached)
{
	struct access_link *old;

	mutex_lock(&access->lock);
	if (access->draining || !!access->link != attached) {
		mutex_unlock(&access->lock);
		return -EINVAL;
	}
	old = access->link;
	access->link = old ? NULL : new;
	access->draining = old;
	mutex_unlock(&access->lock);
	if (!old)
		return 0;

	/* Until all is unpinned from the old one, nothing can be pinned from the new. */
	ioas_access_stop(old->ioas, &old->acc);
	if (access->ops->unmap)
		access->ops->unmap(access->data, 0, ULONG_MAX);
	ioas_access_remove(old->ioas, &old->acc);

	mutex_lock(&access->lock);
	access->link = new;
	access->draining = NULL;
	mutex_unlock(&access->lock);
	link_put(old);
	return 0;
}

/**
 * access_change() - attach an access, or attach it to something else
 * @access: the access
 * @ioas_id: the IOAS
 * @replace: it is attached; all that it has pinned is revoked
 *
 * Context: may sleep. Calls the driver.
 * Return: 0; -ENOENT if there is no such IOAS; -EINVAL if the access is attached,
 * or for a replace is not; -EADDRINUSE if what is mapped is aligned too little;
 * -ENOMEM. The old attachment stays.
 */
int access_change(struct iommufd_access *access, u32 ioas_id, bool replace)
{
	struct access_link *link = link_new(access, ioas_id);
	int rc;

	if (IS_ERR(link))
		return PTR_ERR(link);
	rc = exchange(access, link, replace);
	if (rc) {
		ioas_access_remove(link->ioas, &link->acc);
		link_put(link);
	}
	return rc;
}

/**
 * access_detach() - detach an access
 * @access: the access; all that it has pinned is revoked
 *
 * Context: may sleep. Calls the driver.
 */
void access_detach(struct iommufd_access *access)
{
	WARN_ON(exchange(access, NULL, true));
}

/* The attachment to use, or NULL; to unpin, the one that is being left. */
static struct access_link *link_get(struct iommufd_access *access, bool draining)
{
	struct access_link *link;

	guard(mutex)(&access->lock);
	link = draining && access->draining ? access->draining : access->link;
	if (link)
		refcount_inc(&link->refs);
	return link;
}

/**
 * access_pin() - pin pages, see ioas_pin()
 * @access: the access
 * @range: page-aligned IOVAs
 * @write: for writing
 * @out: set to the pages
 *
 * Context: may sleep and wait for user space: no lock held that @unmap takes.
 * Return: as ioas_pin(); -ENOENT if it is not attached.
 */
int access_pin(struct iommufd_access *access, const struct iova_range *range, bool write,
	       struct page **out)
{
	struct access_link *link = link_get(access, false);
	int rc;

	if (!link)
		return -ENOENT;
	rc = ioas_pin(link->ioas, &link->acc, range, write, out);
	link_put(link);
	return rc;
}

/**
 * access_unpin() - take back access_pin(), or a part of it
 * @access: the access
 * @range: page-aligned IOVAs
 *
 * Context: may sleep.
 */
void access_unpin(struct iommufd_access *access, const struct iova_range *range)
{
	struct access_link *link = link_get(access, true);

	if (WARN_ON(!link))
		return;
	ioas_unpin(link->ioas, range);
	link_put(link);
}

/**
 * access_rw() - copy bytes, see ioas_rw()
 * @access: the access
 * @range: IOVAs
 * @data: kernel memory
 * @write: to the IOVAs
 *
 * Context: may sleep and wait for user space.
 * Return: as ioas_rw(); -ENOENT if it is not attached.
 */
int access_rw(struct iommufd_access *access, const struct iova_range *range, void *data,
	      bool write)
{
	struct access_link *link = link_get(access, false);
	int rc;

	if (!link)
		return -ENOENT;
	rc = ioas_rw(link->ioas, &link->acc, range, data, write);
	link_put(link);
	return rc;
}
