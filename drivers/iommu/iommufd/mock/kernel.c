// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel does with PASIDs beside user space: it takes a number of the
 * system-wide space and attaches a domain of its own there, as SVA does. And
 * counts, by which a test finds what was left behind.
 */
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "mock.h"

#define GLOBALS_COUNTED 4096

/**
 * struct kernel_pasid - a PASID that the kernel uses
 * @obj: head
 * @stdev: of which device; holds a reference
 * @domain: what is attached there
 * @pasid: the number in requests
 */
struct kernel_pasid {
	struct object obj;
	struct mock_stdev *stdev;
	struct iommu_domain *domain;
	u32 pasid;
};

static void kernel_pasid_destroy(struct object *obj)
{
	struct kernel_pasid *kp = container_of(obj, struct kernel_pasid, obj);

	iommu_detach_device_pasid(kp->domain, &kp->stdev->mdev->dev, kp->pasid);
	iommu_free_global_pasid(kp->pasid);
	iommu_domain_free(kp->domain);
	mock_stdev_put(kp->stdev);
	kfree(kp);
}

static const struct object_type kernel_pasid_type = {
	.name = "mock kernel's PASID",
	.destroy = kernel_pasid_destroy,
};

static int is_other(struct device *dev, void *data)
{
	return dev != data;
}

/* The iommu core would attach the whole group, and not detach a device that leaves it. */
static bool is_alone(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	bool alone = !iommu_group_for_each_dev(group, dev, is_other);

	iommu_group_put(group);
	return alone;
}

/* The reference to the mock device goes over, if it succeeds. */
static int take_number(struct kernel_pasid *kp, struct mock_stdev *stdev)
{
	struct device *dev = &stdev->mdev->dev;
	int rc;

	if (!is_alone(dev))
		return -EPERM;
	kp->stdev = stdev;
	kp->pasid = iommu_alloc_global_pasid(dev);
	if (kp->pasid == IOMMU_PASID_INVALID)
		return dev->iommu->max_pasids ? -ENOMEM : -EOPNOTSUPP;
	kp->domain = mock_iommu_ops.domain_alloc_user(dev, 0, NULL, NULL);
	if (IS_ERR(kp->domain)) {
		rc = PTR_ERR(kp->domain);
		goto free_number;
	}
	kp->domain->owner = &mock_iommu_ops;
	rc = iommu_attach_device_pasid(kp->domain, dev, kp->pasid, NULL);
	if (!rc)
		return 0;
	iommu_domain_free(kp->domain);
free_number:
	iommu_free_global_pasid(kp->pasid);
	return rc;
}

/**
 * mock_kernel_pasid() - MOCK_OP_KERNEL_PASID: the kernel uses a device with a PASID
 * @call: the call
 * @id: the mock device
 * @args: set to the ID of this use, and to the number
 *
 * Context: may sleep.
 * Return: 0; -ENOENT; -EOPNOTSUPP without PASIDs; -EPERM if the device shares its
 * group; -EBUSY if user space has attached something there; -ENOMEM, also without a
 * free number.
 */
int mock_kernel_pasid(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(kernel_pasid) out = args;
	struct mock_stdev *stdev = mock_stdev_get(call->ictx, id);
	struct kernel_pasid *kp;
	int rc = -ENOMEM;

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	kp = kzalloc(sizeof(*kp), GFP_KERNEL_ACCOUNT);
	if (!kp)
		goto put;
	rc = object_init(call->ictx, &kp->obj, &kernel_pasid_type);
	if (rc)
		goto free;
	rc = take_number(kp, stdev);
	if (rc)
		goto abort;
	out->out_id = kp->obj.id;
	out->out_pasid = kp->pasid;
	call->new_obj = &kp->obj;
	return 0;

abort:
	object_abort(&kp->obj);
free:
	kfree(kp);
put:
	mock_stdev_put(stdev);
	return rc;
}

/* Takes all there are, up to a point, and gives them back: the rest is used. */
static int count_globals(u32 *used)
{
	/* Of it nothing but the width is looked at. */
	static struct dev_iommu narrow = { .max_pasids = GLOBALS_COUNTED };
	static struct device nobody = { .iommu = &narrow };
	u32 *numbers, nr = 0;

	numbers = kvcalloc(GLOBALS_COUNTED, sizeof(*numbers), GFP_KERNEL_ACCOUNT);
	if (!numbers)
		return -ENOMEM;
	while ((numbers[nr] = iommu_alloc_global_pasid(&nobody)) != IOMMU_PASID_INVALID)
		nr++;
	*used = GLOBALS_COUNTED - 1 - nr;
	while (nr)
		iommu_free_global_pasid(numbers[--nr]);
	kvfree(numbers);
	return 0;
}

/**
 * mock_count() - MOCK_OP_COUNT: what there is, to find what is left
 * @call: the call
 * @id: means nothing
 * @args: has the index of a device, whose entries are counted if it is there; set
 *	to the counts
 *
 * Context: may sleep. Who allocates a global number meanwhile may find none.
 * Return: 0, -ENOMEM, -EFAULT.
 */
int mock_count(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(count) count = args;
	struct mock_device *mdev = mock_device_get(count->index);
	int rc;

	count->out_entries = 0;
	if (!IS_ERR(mdev)) {
		count->out_entries = READ_ONCE(mdev->pasids.nr);
		mock_device_put(mdev);
	}
	count->out_attached = mock_domains_attached();
	count->out_domains = mock_domains_left();
	count->out_devices = mock_devices_left();
	rc = count_globals(&count->out_globals);
	return rc ? rc : op_respond(call);
}
