/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of a context: an ID, a kind and a reference count. This layer knows
 * no kind; each file that defines one gives a struct object_type.
 *
 * Life of an object:
 *
 *	object_init()		it has an ID that no look-up finds
 *	object_publish()	user space can name it; cannot fail
 *	object_get()/_put()	in use: by a call that runs or by another object
 *	object_destroy_id()	by the user: -EBUSY while it is in use
 *	object_put_or_destroy()	by the last user of one that exists for its users
 *	object_remove()		by its owner in the kernel: no new user, wait for
 *				calls that still run, then destroy
 *	object_slot_end()	by who it cannot outlive, while the user may destroy
 *				it as well
 *
 * One count serves both the calls and the objects that use an object, so that
 * destroying is one compare-and-exchange and never waits for another user.
 */
#ifndef __IOMMUFD_OBJECT_H
#define __IOMMUFD_OBJECT_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct account;
struct iommufd_ctx;
struct file;
struct object;
struct pasid_set;
struct payers;
struct pid;

/**
 * struct object_type - what the kinds of objects differ in
 * @name: for messages, and for fdinfo where that knows no other
 * @kernel_owned: only the kernel ends it; DESTROY is -EBUSY
 * @destroy: ends and frees it. Nothing refers to it any more. May sleep.
 */
struct object_type {
	const char *name;
	bool kernel_owned;
	void (*destroy)(struct object *obj);
};

/**
 * struct object - the head of every kind
 * @type: its kind
 * @ictx: its context; an object never outlives it
 * @users: 1 for being there, one per user; 0 once it is being destroyed
 * @id: its number in the context
 */
struct object {
	const struct object_type *type;
	struct iommufd_ctx *ictx;
	refcount_t users;
	u32 id;
};

/**
 * struct compat - what VFIO's type1 calls on the file of a context mean
 * @ioas: their IOAS, without a reference, or NULL; as long as it has its ID
 * @none: a group without an IOMMU is there: there is no IOAS and will be none
 * @grouped: a VFIO group has the file as its container
 * @splits: an unmap may split an area, as in the first version of type1
 * @logging: dirty pages are asked for
 */
struct compat {
	struct object *ioas;
	bool none;
	bool grouped;
	bool splits;
	bool logging;
};

/**
 * struct iommufd_ctx - one open file of /dev/iommu
 * @file: that file; in-kernel users hold it
 * @objects: ID -> object; its lock protects look-up against destruction
 * @recent: the object that was looked up last, or NULL; protected by the same
 * @compat: for VFIO's type1; protected by the same
 * @idle: woken when an object that object_remove() waits for is put
 * @groups: IOMMU group ID -> struct dev_group, entries protected by its lock
 * @pasids: its PASIDs of the system-wide space
 * @payers: who pays for pinned memory
 * @account: who paid last; protected by @account_lock
 * @account_lock: a leaf, nothing is taken inside
 * @account_per_process: IOMMU_OPTION_RLIMIT_MODE; protected by @account_lock
 * @nr: its number, from 1, that no other had: the same file has it in each process
 * @opener: who opened it
 * @opener_comm: likewise
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	struct object *recent;
	struct compat compat;
	wait_queue_head_t idle;
	struct xarray groups;
	struct pasid_set *pasids;
	struct payers *payers;
	struct account *account;
	spinlock_t account_lock; /* of account and account_per_process */
	bool account_per_process;
	u64 nr;
	struct pid *opener;
	char opener_comm[TASK_COMM_LEN];
};

int object_init(struct iommufd_ctx *ictx, struct object *obj, const struct object_type *type);
void object_publish(struct object *obj);
void object_abort(struct object *obj);
struct object *object_get(struct iommufd_ctx *ictx, u32 id, const struct object_type *type);
struct object *object_get_any(struct iommufd_ctx *ictx, u32 id);
struct object *object_next(struct iommufd_ctx *ictx, unsigned long *id);
void object_put(struct object *obj);
int object_destroy_id(struct iommufd_ctx *ictx, u32 id);
void object_put_or_destroy(struct object *obj);
void object_remove(struct object *obj);
void object_destroy_all(struct iommufd_ctx *ictx);
int object_slot_take(struct object *obj, struct object **slot);
void object_slot_leave(struct object *obj, struct object **slot);
void object_slot_end(struct iommufd_ctx *ictx, struct object **slot);

DEFINE_CLASS(object, struct object *, if (!IS_ERR_OR_NULL(_T)) object_put(_T),
	     object_get_any(ictx, id), struct iommufd_ctx *ictx, u32 id)

/* One more reference by somebody who has one. */
static inline void object_hold(struct object *obj)
{
	refcount_inc(&obj->users);
}

/*
 * OBJECT_KIND(ioas, struct ioas, ioas_type) makes ioas_get(), and
 * CLASS(ioas, x)(ictx, id), which calls ioas_put() at the end of the scope. The
 * object is the first member, named obj.
 */
#define OBJECT_KIND(kind, ctype, desc)							\
	static inline ctype *kind##_get(struct iommufd_ctx *ictx, u32 id)		\
	{										\
		struct object *obj = object_get(ictx, id, &(desc));			\
											\
		BUILD_BUG_ON(offsetof(ctype, obj) != 0);				\
		return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, ctype, obj);	\
	}										\
	DEFINE_CLASS(kind, ctype *, if (!IS_ERR_OR_NULL(_T)) kind##_put(_T),		\
		     kind##_get(ictx, id), struct iommufd_ctx *ictx, u32 id)

#endif
