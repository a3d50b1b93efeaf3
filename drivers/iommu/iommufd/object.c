// SPDX-License-Identifier: GPL-2.0-only
/*
 * IDs and life times of the objects of a context. Knows no kind of object and
 * takes no lock but that of the ID table, which is a leaf.
 */
#include <linux/bug.h>
#include <linux/slab.h>

#include "object.h"

/* In the place of an object that the kernel ended and the user may still name. */
static struct object tombstone = { .users = REFCOUNT_INIT(0) };

/**
 * object_init() - give a new object an ID that nobody can use yet
 * @ictx: the context
 * @obj: the object, owned by the caller until it is published
 * @type: its kind
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC when the context has no ID left.
 */
int object_init(struct iommufd_ctx *ictx, struct object *obj, const struct object_type *type)
{
	int rc;

	obj->type = type;
	obj->ictx = ictx;
	refcount_set(&obj->users, 1);
	rc = xa_alloc(&ictx->objects, &obj->id, XA_ZERO_ENTRY, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	return rc == -EBUSY ? -ENOSPC : rc;
}

/**
 * object_publish() - let look-ups find an object
 * @obj: initialised, complete
 *
 * Context: any; takes the ID table's lock.
 */
void object_publish(struct object *obj)
{
	void *old;

	/* object_init() made room, so that this needs no memory. */
	old = xa_store(&obj->ictx->objects, obj->id, obj, GFP_ATOMIC);
	WARN_ON(old);
}

/**
 * object_abort() - take back object_init()
 * @obj: never published; the caller frees it
 *
 * Context: any; takes the ID table's lock.
 */
void object_abort(struct object *obj)
{
	xa_erase(&obj->ictx->objects, obj->id);
}

static struct object *object_find(struct iommufd_ctx *ictx, u32 id,
				  const struct object_type *type)
{
	struct object *obj;

	xa_lock(&ictx->objects);
	/* A program maps into one IOAS many times. */
	obj = ictx->recent;
	if (!obj || obj->id != id)
		obj = xa_load(&ictx->objects, id);
	ictx->recent = obj;
	if (!obj || (type && obj->type != type) || !refcount_inc_not_zero(&obj->users))
		obj = ERR_PTR(-ENOENT);
	xa_unlock(&ictx->objects);
	return obj;
}

/**
 * object_get() - look up an object of one kind and take a reference
 * @ictx: the context
 * @id: its ID
 * @type: the kind it must be of
 *
 * Context: any; takes the ID table's lock.
 * Return: the object, to be put by object_put(), or ERR_PTR(-ENOENT).
 */
struct object *object_get(struct iommufd_ctx *ictx, u32 id, const struct object_type *type)
{
	return object_find(ictx, id, type);
}

/**
 * object_get_any() - look up an object whose kind the caller tells by its type
 * @ictx: the context
 * @id: its ID
 *
 * Context: any; takes the ID table's lock.
 * Return: the object, to be put by object_put(), or ERR_PTR(-ENOENT).
 */
struct object *object_get_any(struct iommufd_ctx *ictx, u32 id)
{
	return object_find(ictx, id, NULL);
}

/**
 * object_next() - the next object by ID, without a reference
 * @ictx: the context
 * @id: in: no smaller ID; out: its ID
 *
 * Context: any; the ID table's lock is held. As long as it is, the object and what
 * that refers to are there; it may be about to be destroyed.
 * Return: the object, which has been published, or NULL.
 */
struct object *object_next(struct iommufd_ctx *ictx, unsigned long *id)
{
	struct object *obj;

	lockdep_assert_held(&ictx->objects.xa_lock);
	obj = xa_find(&ictx->objects, id, ULONG_MAX, XA_PRESENT);
	while (obj == &tombstone)
		obj = xa_find_after(&ictx->objects, id, ULONG_MAX, XA_PRESENT);
	return obj;
}

/**
 * object_put() - drop a reference
 * @obj: the object; never freed here, its last reference is its owner's
 *
 * Context: any.
 */
void object_put(struct object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	/*
	 * Only object_remove() sleeps on idle, and it keeps the context alive;
	 * obj may be freed as soon as the count has dropped.
	 */
	refcount_dec(&obj->users);
	if (wq_has_sleeper(&ictx->idle))
		wake_up_all(&ictx->idle);
}

static void erase_id(struct object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	lockdep_assert_held(&ictx->objects.xa_lock);
	if (ictx->recent == obj)
		ictx->recent = NULL;
	if (ictx->compat.ioas == obj)
		ictx->compat.ioas = NULL;
	__xa_erase(&ictx->objects, obj->id);
}

/* Ends an object that nobody uses; its ID table is locked and gets unlocked. */
static bool destroy_unused(struct object *obj)
	__releases(&obj->ictx->objects.xa_lock)
{
	struct xarray *xa = &obj->ictx->objects;
	bool unused = refcount_dec_if_one(&obj->users);

	if (unused)
		erase_id(obj);
	xa_unlock(xa);
	if (unused)
		obj->type->destroy(obj);
	return unused;
}

/**
 * object_put_or_destroy() - drop a reference, and the object with its last user
 * @obj: the object
 *
 * Context: may sleep; takes the ID table's lock.
 */
void object_put_or_destroy(struct object *obj)
{
	xa_lock(&obj->ictx->objects);
	refcount_dec(&obj->users);
	destroy_unused(obj);
}

/**
 * object_destroy_id() - destroy an object on behalf of the user
 * @ictx: the context
 * @id: its ID
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, or -EBUSY when it is in use or the kernel's.
 */
int object_destroy_id(struct iommufd_ctx *ictx, u32 id)
{
	struct object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj == &tombstone) {
		/* Now the user knows, and the ID may be another's. */
		__xa_erase(&ictx->objects, id);
		obj = NULL;
	}
	if (!obj || obj->type->kernel_owned) {
		xa_unlock(&ictx->objects);
		return obj ? -EBUSY : -ENOENT;
	}
	return destroy_unused(obj) ? 0 : -EBUSY;
}

/**
 * object_remove() - end an object that the kernel owns
 * @obj: published or not; freed by its type
 *
 * Waits for calls that found it before; none of them holds it over an access
 * to user memory.
 *
 * Context: may sleep.
 */
void object_remove(struct object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	xa_lock(&ictx->objects);
	erase_id(obj);
	xa_unlock(&ictx->objects);
	wait_event(ictx->idle, refcount_dec_if_one(&obj->users));
	obj->type->destroy(obj);
}

/**
 * object_destroy_all() - end what is left when the context's file is released
 * @ictx: the context; no call runs and no in-kernel user is left
 *
 * Objects refer to each other without a cycle, so that each pass finds some
 * that nothing uses.
 *
 * Context: may sleep.
 */
void object_destroy_all(struct iommufd_ctx *ictx)
{
	while (!xa_empty(&ictx->objects)) {
		bool progress = false;
		struct object *obj;
		unsigned long id;

		xa_for_each(&ictx->objects, id, obj) {
			xa_lock(&ictx->objects);
			if (obj == &tombstone) {
				__xa_erase(&ictx->objects, id);
				xa_unlock(&ictx->objects);
				progress = true;
			} else {
				progress |= destroy_unused(obj);
			}
			cond_resched();
		}
		if (WARN_ON(!progress))
			return;
	}
}

/**
 * object_slot_take() - an object becomes the one of its kind that another has
 * @obj: the object
 * @slot: where the other keeps it; protected by the ID table's lock. The object
 *	leaves when it is destroyed
 *
 * Context: any; takes the ID table's lock.
 * Return: 0, or -EEXIST if there is one.
 */
int object_slot_take(struct object *obj, struct object **slot)
{
	int rc = 0;

	xa_lock(&obj->ictx->objects);
	if (*slot)
		rc = -EEXIST;
	else
		*slot = obj;
	xa_unlock(&obj->ictx->objects);
	return rc;
}

/**
 * object_slot_leave() - take back object_slot_take()
 * @obj: the object; never published, or being destroyed. It uses nothing any more
 *	of who has the slot
 * @slot: where it was kept
 *
 * Context: any; takes the ID table's lock.
 */
void object_slot_leave(struct object *obj, struct object **slot)
{
	struct iommufd_ctx *ictx = obj->ictx;

	xa_lock(&ictx->objects);
	*slot = NULL;
	xa_unlock(&ictx->objects);
	wake_up_all(&ictx->idle);
}

static bool slot_is_empty(struct iommufd_ctx *ictx, struct object **slot)
{
	bool empty;

	xa_lock(&ictx->objects);
	empty = !*slot;
	xa_unlock(&ictx->objects);
	return empty;
}

/**
 * object_slot_end() - end an object with who cannot outlive it
 * @ictx: the context
 * @slot: where the object is kept, if there is one; it is published, and no other
 *	comes. Empty upon return
 *
 * The ID is not another's until the user has destroyed what was there, which is
 * -ENOENT. Where the user destroys the object at this moment, waits for that.
 *
 * Context: may sleep.
 */
void object_slot_end(struct iommufd_ctx *ictx, struct object **slot)
{
	struct object *obj;

	xa_lock(&ictx->objects);
	obj = *slot;
	if (obj && xa_load(&ictx->objects, obj->id) == obj) {
		if (ictx->recent == obj)
			ictx->recent = NULL;
		__xa_store(&ictx->objects, obj->id, &tombstone, GFP_ATOMIC);
	} else {
		obj = NULL;
	}
	xa_unlock(&ictx->objects);
	if (obj) {
		wait_event(ictx->idle, refcount_dec_if_one(&obj->users));
		obj->type->destroy(obj);
	}
	wait_event(ictx->idle, slot_is_empty(ictx, slot));
}
