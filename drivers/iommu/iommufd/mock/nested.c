// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested domains of the mock. The user's page table is one that maps every address
 * to itself, so that requests reach what the parent has there; what caches hold of
 * it are numbers, which the user chooses, and an invalidation sets to 0.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../tables/hwpt.h"
#include "mock.h"

static int invalidate_one(struct mock_domain *mock, struct iommu_user_data_array *array, u32 i)
{
	struct iommu_hwpt_invalidate_selftest request;
	int rc;

	rc = iommu_copy_struct_from_user_array(&request, array, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
					       i, iotlb_id);
	if (rc)
		return rc;
	if (request.flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (request.flags & IOMMU_TEST_INVALIDATE_FLAG_ALL) {
		memset(mock->iotlb, 0, sizeof(mock->iotlb));
		return 0;
	}
	if (request.iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	WRITE_ONCE(mock->iotlb[request.iotlb_id], 0);
	return 0;
}

static int invalidate(struct iommu_domain *domain, struct iommu_user_data_array *array)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);
	u32 wanted = array->entry_num, done;
	int rc = 0;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_SELFTEST) {
		array->entry_num = 0;
		return -EINVAL;
	}
	for (done = 0; done < wanted; done++) {
		rc = invalidate_one(mock, array, done);
		if (rc)
			break;
		cond_resched();
	}
	array->entry_num = done;
	return rc;
}

/* The user, and no other, maps into it. */
const struct iommu_domain_ops mock_nested_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.replace_dev_pasid = mock_replace_dev_pasid,
	.cache_invalidate_user = invalidate,
	.free = mock_domain_free,
};

/**
 * mock_nested_alloc() - a nested domain
 * @parent: below it; kept by whoever asks
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @user_data: struct iommu_hwpt_selftest: what its caches hold at first
 *
 * Context: may sleep.
 * Return: the domain, or ERR_PTR(): -EOPNOTSUPP for a flag, or other data; -EINVAL
 * for data that is too short, or a parent that is not the mock's or nested itself;
 * -EFAULT; -ENOMEM.
 */
struct iommu_domain *mock_nested_alloc(struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *user_data)
{
	struct iommu_hwpt_selftest data;
	struct mock_domain *mock;
	int rc, i;

	if (flags || user_data->type != IOMMU_HWPT_DATA_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	if (!mock_domain_of(parent) || mock_domain_of(parent)->parent)
		return ERR_PTR(-EINVAL);
	rc = iommu_copy_struct_from_user(&data, user_data, IOMMU_HWPT_DATA_SELFTEST, iotlb);
	if (rc)
		return ERR_PTR(rc);
	mock = mock_domain_new();
	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->domain.type = IOMMU_DOMAIN_NESTED;
	mock->domain.ops = &mock_nested_ops;
	mock->parent = mock_domain_of(parent);
	for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		mock->iotlb[i] = data.iotlb;
	return &mock->domain;
}

/**
 * mock_check_iotlb() - MD_CHECK_IOTLB: what caches hold of a nested page table
 * @call: the call
 * @id: the page table
 * @args: which cache, and what is expected there
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if it is something else, if there is no such cache, or if the
 * page table is not nested; -ENOENT.
 */
int mock_check_iotlb(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(check_iotlb) check = args;
	struct mock_domain *mock;

	CLASS(hwpt, hwpt)(call->ictx, id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	mock = mock_domain_of(hwpt->member.domain);
	if (!mock || !mock->parent || check->id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	return READ_ONCE(mock->iotlb[check->id]) == check->iotlb ? 0 : -EINVAL;
}
