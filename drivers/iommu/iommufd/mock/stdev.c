// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mock device as an object of a context: bound and attached by the test call
 * that makes it, detached and unbound when the user destroys it or the context
 * ends. So it is the context that owns it, as no other device's driver is.
 */
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "mock.h"

/* The driver of a slice is the parent's. */
static int bind(struct mock_stdev *stdev, u32 flags, u32 *idev_id)
{
	struct iommufd_bind how = {
		.flags = IOMMUFD_BIND_NO_INTERRUPTS | IOMMUFD_BIND_CTX_OWNED,
	};
	struct iommufd_ctx *ictx = stdev->obj.ictx;
	struct device *dev = &stdev->mdev->dev;
	struct iommufd_device *idev;

	if (flags & MOCK_DEVICE_GLOBAL)
		how.flags |= IOMMUFD_BIND_GLOBAL_PASIDS;
	if (flags & MOCK_DEVICE_CALLBACKS) {
		how.pasid_ops = &mock_driver_ops;
		how.data = stdev;
	}
	idev = flags & MOCK_DEVICE_SLICE ? iommufd_slice_bind(ictx, dev, &how, idev_id) :
					   iommufd_device_bind(ictx, dev, &how, idev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	stdev->idev = idev;
	/* There it is, and nobody but unbind() ends it. */
	stdev->idev_obj = object_get_any(ictx, *idev_id);
	return 0;
}

static void unbind(struct mock_stdev *stdev)
{
	if (!stdev->idev)
		return;
	object_put(stdev->idev_obj);
	iommufd_device_unbind(stdev->idev);
}

static void stdev_destroy(struct object *obj)
{
	struct mock_stdev *stdev = container_of(obj, struct mock_stdev, obj);

	unbind(stdev);
	mock_device_put(stdev->mdev);
	mock_pairs_exit(&stdev->pairs);
	kfree(stdev);
}

const struct object_type mock_stdev_type = {
	.name = "mock device",
	.destroy = stdev_destroy,
};

static struct mock_stdev *stdev_if_bound(struct object *obj, u32 dev_id)
{
	struct mock_stdev *stdev = container_of(obj, struct mock_stdev, obj);

	return stdev->idev_obj && stdev->idev_obj->id == dev_id ? stdev : NULL;
}

/**
 * mock_stdev_of_dev() - the mock device of a binding
 * @ictx: the context
 * @dev_id: ID of the bound device
 *
 * Context: any.
 * Return: the mock device with a reference, or ERR_PTR(-ENOENT).
 */
struct mock_stdev *mock_stdev_of_dev(struct iommufd_ctx *ictx, u32 dev_id)
{
	struct mock_stdev *stdev;
	struct object *obj;
	unsigned long id;

	/* The device is bound right after it has got its ID, mostly. */
	obj = object_get(ictx, dev_id - 1, &mock_stdev_type);
	if (!IS_ERR(obj)) {
		stdev = stdev_if_bound(obj, dev_id);
		if (stdev)
			return stdev;
		object_put(obj);
	}
	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, id, obj) {
		stdev = obj->type == &mock_stdev_type ? stdev_if_bound(obj, dev_id) : NULL;
		if (stdev && refcount_inc_not_zero(&obj->users)) {
			xa_unlock(&ictx->objects);
			return stdev;
		}
	}
	xa_unlock(&ictx->objects);
	return ERR_PTR(-ENOENT);
}

/* Of a device that is the caller's; its reference goes over, also upon failure. */
static struct mock_stdev *stdev_of(struct iommufd_ctx *ictx, struct mock_device *mdev, u32 flags,
				   u32 *pt_id, u32 *idev_id)
{
	struct mock_stdev *stdev;
	int rc = -ENOMEM;

	if (IS_ERR(mdev))
		return ERR_CAST(mdev);
	stdev = kzalloc(sizeof(*stdev), GFP_KERNEL_ACCOUNT);
	if (!stdev)
		goto put;
	stdev->mdev = mdev;
	mock_pairs_init(&stdev->pairs);
	rc = object_init(ictx, &stdev->obj, &mock_stdev_type);
	if (rc)
		goto free;
	rc = flags & MOCK_DEVICE_PARENT ? 0 : bind(stdev, flags, idev_id);
	if (rc)
		goto abort;
	rc = stdev->idev && *pt_id ? iommufd_device_attach(stdev->idev, IOMMU_NO_PASID, pt_id) : 0;
	if (rc)
		goto unbind;
	return stdev;

unbind:
	unbind(stdev);
abort:
	object_abort(&stdev->obj);
free:
	kfree(stdev);
put:
	mock_device_put(mdev);
	return ERR_PTR(rc);
}

/* As mainline has them: attached to something, always. */
static struct mock_stdev *stdev_new(struct iommufd_ctx *ictx, u32 dev_flags, u32 *pt_id,
				    u32 *idev_id)
{
	if (!*pt_id)
		return ERR_PTR(-ENOENT);
	return stdev_of(ictx, mock_device_add(dev_flags, NULL), 0, pt_id, idev_id);
}

/**
 * mock_stdev_create() - MOCK_DOMAIN: a new device, attached
 * @call: the call
 * @id: what to attach it to
 * @args: set to the IDs
 *
 * Context: may sleep.
 * Return: 0 or -errno, see mock_device_add() and attach_auto().
 */
int mock_stdev_create(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(mock_domain) dom = args;
	struct mock_stdev *stdev;

	stdev = stdev_new(call->ictx, 0, &id, &dom->out_idev_id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	dom->out_stdev_id = stdev->obj.id;
	dom->out_hwpt_id = id;
	call->new_obj = &stdev->obj;
	return 0;
}

/**
 * mock_stdev_create_flags() - MOCK_DOMAIN_FLAGS: a new device of some kind
 * @call: the call
 * @id: what to attach it to
 * @args: has the flags; set to the IDs
 *
 * Context: may sleep.
 * Return: as mock_stdev_create(); -EINVAL for an unknown flag.
 */
int mock_stdev_create_flags(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(mock_domain_flags) dom = args;
	struct mock_stdev *stdev;

	if (dom->dev_flags & ~(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID))
		return -EINVAL;
	stdev = stdev_new(call->ictx, dom->dev_flags, &id, &dom->out_idev_id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	dom->out_stdev_id = stdev->obj.id;
	dom->out_hwpt_id = id;
	call->new_obj = &stdev->obj;
	return 0;
}

/* A new device, or the one that there is; with a reference. */
static struct mock_device *device_for(MOCK_ARGS(device) args)
{
	bool is_other = args->flags & (MOCK_DEVICE_SLICE | MOCK_DEVICE_AGAIN);
	struct mock_device *other = NULL, *mdev;

	if (is_other || (args->flags & MOCK_DEVICE_JOIN))
		other = mock_device_get(args->other);
	if (!IS_ERR(other) && (args->flags & MOCK_DEVICE_AGAIN) &&
	    other->pasids.global != !!(args->flags & MOCK_DEVICE_GLOBAL)) {
		mock_device_put(other);
		return ERR_PTR(-EINVAL);
	}
	if (IS_ERR(other) || is_other)
		return other;
	mdev = mock_device_add(0, other);
	if (other)
		mock_device_put(other);
	if (IS_ERR(mdev))
		return mdev;
	if (args->width)
		mdev->dev.iommu->max_pasids = BIT(args->width);
	mdev->pasids.global = args->flags & (MOCK_DEVICE_GLOBAL | MOCK_DEVICE_PARENT);
	return mdev;
}

/**
 * mock_stdev_create_bound() - MOCK_OP_DEVICE: a new device or slice, by its policy
 * @call: the call
 * @id: what to attach it to, or 0
 * @args: says which; set to the IDs
 *
 * Context: may sleep.
 * Return: as mock_stdev_create(); -EINVAL for an unknown flag, a width that is
 * none or numbers that are not the device's; -ENOENT if there is no device of that
 * index; or see device_bind() and device_bind_slice().
 */
int mock_stdev_create_bound(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(device) dev = args;
	struct mock_stdev *stdev;

	if (dev->flags & ~(MOCK_DEVICE_GLOBAL | MOCK_DEVICE_CALLBACKS | MOCK_DEVICE_PARENT |
			   MOCK_DEVICE_SLICE | MOCK_DEVICE_JOIN | MOCK_DEVICE_AGAIN) ||
	    dev->width > MOCK_PASID_WIDTH)
		return -EINVAL;
	stdev = stdev_of(call->ictx, device_for(dev), dev->flags, &id, &dev->out_idev_id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	dev->out_stdev_id = stdev->obj.id;
	dev->out_hwpt_id = id;
	dev->out_index = stdev->mdev->index;
	call->new_obj = &stdev->obj;
	return 0;
}
