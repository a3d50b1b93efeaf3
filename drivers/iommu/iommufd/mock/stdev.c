// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mock device as an object of a context: bound and attached by the test call
 * that makes it, detached and unbound when the user destroys it or the context
 * ends. So it is the context that owns it, as no other device's driver is.
 */
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "mock.h"

/**
 * struct stdev - a mock device of a context
 * @obj: head
 * @mdev: the device
 * @idev: its binding
 * @idev_obj: the same as an object; holds a reference, so that it outlives this
 */
struct stdev {
	struct object obj;
	struct mock_device *mdev;
	struct iommufd_device *idev;
	struct object *idev_obj;
};

static int bind(struct stdev *stdev, u32 dev_flags, u32 *idev_id)
{
	struct iommufd_ctx *ictx = stdev->obj.ictx;
	const struct iommufd_bind how = {
		.flags = IOMMUFD_BIND_NO_INTERRUPTS | IOMMUFD_BIND_CTX_OWNED,
	};
	struct iommufd_device *idev;
	struct mock_device *mdev;

	mdev = mock_device_add(dev_flags);
	if (IS_ERR(mdev))
		return PTR_ERR(mdev);
	idev = iommufd_device_bind(ictx, &mdev->dev, &how, idev_id);
	if (IS_ERR(idev)) {
		mock_device_del(mdev);
		return PTR_ERR(idev);
	}
	stdev->mdev = mdev;
	stdev->idev = idev;
	/* There it is, and nobody but unbind() ends it. */
	stdev->idev_obj = object_get_any(ictx, *idev_id);
	return 0;
}

static void unbind(struct stdev *stdev)
{
	object_put(stdev->idev_obj);
	iommufd_device_unbind(stdev->idev);
	mock_device_del(stdev->mdev);
}

static void stdev_destroy(struct object *obj)
{
	struct stdev *stdev = container_of(obj, struct stdev, obj);

	iommufd_device_detach(stdev->idev, IOMMU_NO_PASID);
	unbind(stdev);
	kfree(stdev);
}

static const struct object_type stdev_type = {
	.name = "mock device",
	.destroy = stdev_destroy,
};

static void stdev_put(struct stdev *stdev)
{
	object_put(&stdev->obj);
}

OBJECT_KIND(stdev, struct stdev, stdev_type);

static struct stdev *stdev_new(struct iommufd_ctx *ictx, u32 dev_flags, u32 *pt_id, u32 *idev_id)
{
	struct stdev *stdev = kzalloc(sizeof(*stdev), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!stdev)
		return ERR_PTR(-ENOMEM);
	rc = object_init(ictx, &stdev->obj, &stdev_type);
	if (rc)
		goto free;
	rc = bind(stdev, dev_flags, idev_id);
	if (rc)
		goto abort;
	rc = iommufd_device_attach(stdev->idev, IOMMU_NO_PASID, pt_id);
	if (rc)
		goto unbind;
	return stdev;

unbind:
	unbind(stdev);
abort:
	object_abort(&stdev->obj);
free:
	kfree(stdev);
	return ERR_PTR(rc);
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
	struct stdev *stdev;

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
	struct stdev *stdev;

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

/**
 * mock_stdev_replace() - MOCK_DOMAIN_REPLACE: attach a device to something else
 * @call: the call
 * @id: the mock device
 * @args: has the ID to attach to; set to the page table
 *
 * Context: may sleep.
 * Return: 0 or -errno, see attach_auto().
 */
int mock_stdev_replace(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(mock_domain_replace) replace = args;
	int rc;

	CLASS(stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	rc = iommufd_device_replace(stdev->idev, IOMMU_NO_PASID, &replace->pt_id);
	return rc ? rc : op_respond(call);
}
