// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAS of VFIO's type1 calls, which name none: a file has one at the most.
 * The user may choose it; else the first VFIO group makes it. iommufd_ctx.compat
 * is protected by the lock of the ID table.
 */
#include "ioas.h"

/**
 * ioas_compat_get() - the IOAS that type1's calls mean
 * @ictx: the context
 *
 * Context: any; takes the ID table's lock.
 * Return: the IOAS with a reference, or ERR_PTR(-ENODEV).
 */
struct ioas *ioas_compat_get(struct iommufd_ctx *ictx)
{
	struct object *obj;

	xa_lock(&ictx->objects);
	obj = ictx->compat.ioas;
	if (obj && !refcount_inc_not_zero(&obj->users))
		obj = NULL;
	xa_unlock(&ictx->objects);
	return obj ? container_of(obj, struct ioas, obj) : ERR_PTR(-ENODEV);
}

static void choose(struct iommufd_ctx *ictx, struct object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	if (ictx->compat.ioas != obj) {
		ictx->compat.splits = false;
		ictx->compat.logging = false;
	}
	ictx->compat.ioas = obj;
}

/**
 * ioas_compat_set() - choose the IOAS that type1's calls mean
 * @ictx: the context
 * @ioas: the IOAS, which the caller has a reference to, or NULL for none
 *
 * Context: any; takes the ID table's lock.
 * Return: 0, or -EINVAL if there must be none.
 */
int ioas_compat_set(struct iommufd_ctx *ictx, struct ioas *ioas)
{
	int rc = 0;

	xa_lock(&ictx->objects);
	if (ioas && ictx->compat.none)
		rc = -EINVAL;
	else
		choose(ictx, ioas ? &ioas->obj : NULL);
	xa_unlock(&ictx->objects);
	return rc;
}

/* -EAGAIN if an IOAS is wanted, and new is NULL. */
static int add_group(struct iommufd_ctx *ictx, struct ioas *new)
{
	struct compat *compat = &ictx->compat;
	int rc = 0;

	xa_lock(&ictx->objects);
	if (compat->none)
		rc = -EINVAL;
	else if (!compat->ioas && !new)
		rc = -EAGAIN;
	else if (!compat->ioas)
		choose(ictx, &new->obj);
	else if (new)
		rc = -EEXIST;
	if (!rc)
		compat->grouped = true;
	xa_unlock(&ictx->objects);
	return rc;
}

/**
 * ioas_compat_make() - see to it that type1's calls mean an IOAS, for a group
 * @ictx: the context
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if there must be none; -ENOMEM.
 */
int ioas_compat_make(struct iommufd_ctx *ictx)
{
	struct ioas *ioas;
	int rc;

	for (;;) {
		rc = add_group(ictx, NULL);
		if (rc != -EAGAIN)
			return rc;
		ioas = ioas_alloc(ictx);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		rc = add_group(ictx, ioas);
		if (!rc) {
			object_publish(&ioas->obj);
			return 0;
		}
		/* Another was faster. */
		object_abort(&ioas->obj);
		ioas->obj.type->destroy(&ioas->obj);
	}
}

/**
 * ioas_compat_go_without() - from now on there is no such IOAS
 * @ictx: the context
 *
 * Context: any; takes the ID table's lock.
 * Return: 0, or -EINVAL if there is one.
 */
int ioas_compat_go_without(struct iommufd_ctx *ictx)
{
	int rc = 0;

	xa_lock(&ictx->objects);
	if (ictx->compat.ioas)
		rc = -EINVAL;
	else
		ictx->compat.none = true;
	xa_unlock(&ictx->objects);
	return rc;
}
