// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, replace and detach of mock devices, and what their requests reach. At
 * a PASID there are two ways: mainline's, which is narrower than the product, and
 * the product's own.
 */
#include <linux/iommufd.h>
#include <linux/mm.h>

#include "../tables/hwpt.h"
#include "mock.h"

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

	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (!stdev->idev)
		return -ENOENT;
	rc = iommufd_device_replace(stdev->idev, IOMMU_NO_PASID, &replace->pt_id);
	return rc ? rc : op_respond(call);
}

typedef int (*move_fn)(struct iommufd_device *idev, u32 pasid, u32 *pt_id);

/* A page table only, and one error for all that cannot be. */
static int move_as_mainline(struct op_call *call, u32 id, u32 pasid, u32 *pt_id, move_fn move)
{
	struct object *obj = object_get_any(call->ictx, *pt_id);
	bool is_hwpt;
	int rc;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	is_hwpt = obj->type == &hwpt_type;
	object_put(obj);

	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (!is_hwpt || !stdev->idev || !stdev->mdev->dev.iommu->max_pasids)
		return -EINVAL;
	rc = move(stdev->idev, pasid, pt_id);
	return rc ? rc : op_respond(call);
}

/**
 * mock_pasid_attach() - PASID_ATTACH: attach a PASID to a page table
 * @call: the call
 * @id: the mock device
 * @args: the PASID and the page table
 *
 * Context: may sleep.
 * Return: 0; -EINVAL without PASIDs, or for an IOAS; or see attach_device().
 */
int mock_pasid_attach(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(pasid_attach) attach = args;

	return move_as_mainline(call, id, attach->pasid, &attach->pt_id, iommufd_device_attach);
}

/**
 * mock_pasid_replace() - PASID_REPLACE: attach a PASID to another page table
 * @call: the call
 * @id: the mock device
 * @args: the PASID and the page table
 *
 * Context: may sleep.
 * Return: 0; -EINVAL without PASIDs, or for an IOAS; or see attach_replace().
 */
int mock_pasid_replace(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(pasid_replace) replace = args;

	return move_as_mainline(call, id, replace->pasid, &replace->pt_id,
				iommufd_device_replace);
}

static int detach_from(struct op_call *call, u32 id, u32 pasid)
{
	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (!stdev->idev)
		return -ENOENT;
	iommufd_device_detach(stdev->idev, pasid);
	return 0;
}

/**
 * mock_pasid_detach() - PASID_DETACH: detach a PASID
 * @call: the call
 * @id: the mock device
 * @args: the PASID
 *
 * Context: may sleep.
 * Return: 0, also if it was not attached; -ENOENT without such a device.
 */
int mock_pasid_detach(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(pasid_detach) detach = args;

	return detach_from(call, id, detach->pasid);
}

/* What a driver that was told knows; else it is the same number. */
static u32 number_in_requests(struct mock_stdev *stdev, u32 pasid)
{
	void *known = xa_load(&stdev->pairs.table, pasid);

	return known ? xa_to_value(known) : pasid;
}

/**
 * mock_pasid_check() - PASID_CHECK_HWPT: is that page table attached at a PASID
 * @call: the call
 * @id: the mock device
 * @args: the PASID and the page table, 0 for none
 *
 * Context: may sleep; nobody attaches or detaches there meanwhile.
 * Return: 0; -EINVAL if it is not; -ENOENT.
 */
int mock_pasid_check(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(pasid_check) check = args;
	struct mock_domain *at;
	u32 number;

	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	number = number_in_requests(stdev, check->pasid);
	at = number ? mock_pasids_domain(&stdev->mdev->pasids, number) : stdev->mdev->domain;
	if (!check->hwpt_id)
		return at ? -EINVAL : 0;

	CLASS(hwpt, hwpt)(call->ictx, check->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	return at && at == mock_domain_of(hwpt->member.domain) ? 0 : -EINVAL;
}

static int move_to(struct op_call *call, u32 id, MOCK_ARGS(move) to, move_fn move)
{
	int rc;

	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (!stdev->idev)
		return -ENOENT;
	rc = move(stdev->idev, to->pasid, &to->pt_id);
	return rc ? rc : op_respond(call);
}

/**
 * mock_attach() - MOCK_OP_ATTACH: as VFIO does it
 * @call: the call
 * @id: the mock device
 * @args: the PASID, and the ID to attach to; set to the page table
 *
 * Context: may sleep.
 * Return: 0 or -errno, see iommufd_device_attach().
 */
int mock_attach(struct op_call *call, u32 id, void *args)
{
	return move_to(call, id, args, iommufd_device_attach);
}

/**
 * mock_replace() - MOCK_OP_REPLACE: as VFIO does it
 * @call: the call
 * @id: the mock device
 * @args: the PASID, and the ID to attach to; set to the page table
 *
 * Context: may sleep.
 * Return: 0 or -errno, see iommufd_device_replace().
 */
int mock_replace(struct op_call *call, u32 id, void *args)
{
	return move_to(call, id, args, iommufd_device_replace);
}

/**
 * mock_detach() - MOCK_OP_DETACH: as VFIO does it
 * @call: the call
 * @id: the mock device
 * @args: the PASID
 *
 * Context: may sleep.
 * Return: 0; -ENOENT without such a device.
 */
int mock_detach(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(move) from = args;

	return detach_from(call, id, from->pasid);
}

static int check_page(struct mock_device *mdev, u32 pasid, unsigned long iova,
		      unsigned long uaddr)
{
	phys_addr_t phys, expected;
	struct page *page;
	long n;
	int rc;

	n = get_user_pages_fast(uaddr, 1, 0, &page);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	expected = page_to_phys(page) + offset_in_page(uaddr);
	rc = mock_pasids_request(&mdev->pasids, pasid, iova, &phys);
	put_page(page);
	if (rc)
		return rc;
	return phys == expected ? 0 : -EINVAL;
}

/**
 * mock_request() - MOCK_OP_REQUEST: what requests with a PASID reach
 * @call: the call
 * @id: the mock device
 * @args: the PASID, IOVAs, and where the process has the memory
 *
 * Context: may sleep.
 * Return: 0 if it is that memory; -EINVAL if it is not, or the range is not made
 * of the mock's pages; -ENOENT if nothing is attached; -EIO if a cache is stale;
 * -EFAULT.
 */
int mock_request(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(request) request = args;
	u32 pasid = request->pasid;
	u64 done;
	int rc = 0;

	if (!IS_ALIGNED(request->iova | request->length | request->uptr, MOCK_PAGE_SIZE) ||
	    (request->flags & ~MOCK_REQUEST_RAW))
		return -EINVAL;
	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (!(request->flags & MOCK_REQUEST_RAW))
		pasid = number_in_requests(stdev, pasid);
	for (done = 0; done < request->length && !rc; done += MOCK_PAGE_SIZE) {
		rc = check_page(stdev->mdev, pasid, request->iova + done, request->uptr + done);
		cond_resched();
	}
	return rc;
}
