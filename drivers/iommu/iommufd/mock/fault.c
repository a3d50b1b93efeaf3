// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of mock devices. A test sends them, by their number in the
 * device's requests, and sees each answer that the device gets. Warns about
 *
 *	an answer to what nobody asked, or a second one
 *	a device that ends, or is not to ask any more, with no answer
 *	a device that is told twice that it may ask, or may not
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "mock.h"

static struct iopf_queue *mock_iopf_queue;

/**
 * mock_faults_init() - make the queue by which requests are reported
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init mock_faults_init(void)
{
	mock_iopf_queue = iopf_queue_alloc("iommufd_mock");
	return mock_iopf_queue ? 0 : -ENOMEM;
}

/**
 * mock_faults_exit() - the end of it
 *
 * Context: may sleep.
 */
void mock_faults_exit(void)
{
	iopf_queue_free(mock_iopf_queue);
}

/**
 * mock_faults_end() - the end of a device
 * @mdev: the device
 */
void mock_faults_end(struct mock_device *mdev)
{
	WARN(mdev->faults.enabled, "mock: a device ends that may ask for pages\n");
	WARN(mdev->faults.pending, "mock: a device ends with %u groups of requests\n",
	     mdev->faults.pending);
}

/**
 * mock_enable_feature() - of struct iommu_ops
 * @dev: a mock device
 * @feature: IOMMU_DEV_FEAT_IOPF
 *
 * Context: may sleep.
 * Return: 0; -ENODEV for another feature; -EBUSY if it is enabled; -ENOMEM.
 */
int mock_enable_feature(struct device *dev, enum iommu_dev_features feature)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;
	int rc;

	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	if (WARN(faults->enabled, "mock: page requests are enabled twice\n"))
		return -EBUSY;
	rc = iopf_queue_add_device(mock_iopf_queue, dev);
	WRITE_ONCE(faults->enabled, !rc);
	return rc;
}

/**
 * mock_disable_feature() - of struct iommu_ops
 * @dev: a mock device
 * @feature: IOMMU_DEV_FEAT_IOPF
 *
 * Context: may sleep.
 * Return: 0; -ENODEV for another feature; -EINVAL if it is not enabled.
 */
int mock_disable_feature(struct device *dev, enum iommu_dev_features feature)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;
	struct iommu_fault_param *param;

	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	if (WARN(!faults->enabled, "mock: page requests are disabled twice\n"))
		return -EINVAL;
	/* It is there until it is disabled. */
	param = rcu_dereference_protected(dev->iommu->fault_param, true);
	WARN(!list_empty(&param->faults),
	     "mock: the iommu core has to answer what its user did not\n");
	WRITE_ONCE(faults->enabled, false);
	iopf_queue_remove_device(mock_iopf_queue, dev);
	return 0;
}

/**
 * mock_page_response() - of struct iommu_ops
 * @dev: a mock device
 * @evt: a request of a group
 * @response: the answer
 *
 * Context: may sleep.
 */
void mock_page_response(struct device *dev, struct iopf_fault *evt,
			struct iommu_page_response *response)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;

	/* Of one that nobody wants the core answers each request of a group. */
	if (!(evt->fault.prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE))
		return;
	spin_lock(&faults->lock);
	if (!WARN(!faults->pending, "mock: an answer to what nobody asked\n"))
		faults->pending--;
	faults->answers[faults->nr++ % ARRAY_SIZE(faults->answers)] = *response;
	spin_unlock(&faults->lock);
}

static int send(struct mock_device *mdev, const struct iommu_fault_page_request *request)
{
	struct iopf_fault evt = {
		.fault = { .type = IOMMU_FAULT_PAGE_REQ, .prm = *request },
	};

	if (request->pasid)
		evt.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	if (request->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE) {
		spin_lock(&mdev->faults.lock);
		mdev->faults.pending++;
		spin_unlock(&mdev->faults.lock);
	}
	if (READ_ONCE(mdev->faults.enabled))
		return iommu_report_device_fault(&mdev->dev, &evt);
	/* A handle is a whole group's; for a device that may not ask the IOMMU asks nobody. */
	mock_page_response(&mdev->dev, &evt, &(struct iommu_page_response) {
		.pasid = request->pasid,
		.grpid = request->grpid,
		.code = IOMMU_PAGE_RESP_INVALID,
	});
	return -EINVAL;
}

/**
 * mock_trigger_iopf() - TRIGGER_IOPF: a group of one page request
 * @call: the call
 * @id: means nothing
 * @args: the bound device, and the request
 *
 * Context: may sleep.
 * Return: 0; -ENOENT without such a device; -EINVAL if nobody takes it.
 */
int mock_trigger_iopf(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(trigger_iopf) trigger = args;
	struct iommu_fault_page_request request = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
		.pasid = trigger->pasid,
		.grpid = trigger->grpid,
		.perm = trigger->perm,
		.addr = trigger->addr,
	};
	struct mock_stdev *stdev = mock_stdev_of_dev(call->ictx, trigger->dev_id);
	int rc;

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	rc = send(stdev->mdev, &request);
	mock_stdev_put(stdev);
	return rc;
}

/**
 * mock_page_request() - MOCK_OP_PAGE_REQUEST: a page request
 * @call: the call
 * @id: the mock device
 * @args: the request; the group goes on if it is not the last
 *
 * Context: may sleep.
 * Return: 0; -ENOENT without such a device; -EINVAL if nobody takes it.
 */
int mock_page_request(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(page_request) ask = args;
	struct iommu_fault_page_request request = {
		.flags = ask->more ? 0 : IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
		.pasid = ask->pasid,
		.grpid = ask->grpid,
		.perm = ask->perm,
		.addr = ask->addr,
	};

	CLASS(mock_stdev, stdev)(call->ictx, id);
	return IS_ERR(stdev) ? PTR_ERR(stdev) : send(stdev->mdev, &request);
}

/**
 * mock_page_answer() - MOCK_OP_PAGE_ANSWER: what a device was told
 * @call: the call
 * @id: the mock device
 * @args: the number of the answer; set to it, and to what there is
 *
 * Context: may sleep.
 * Return: 0; -ENOENT without such a device; -EINVAL if the answer is not known any
 * more. One that there is not yet has out_code 0xffffffff.
 */
int mock_page_answer(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(page_answer) answer = args;
	struct iommu_page_response told = { .code = U32_MAX };
	struct mock_faults *faults;
	bool lost;

	CLASS(mock_stdev, stdev)(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	faults = &stdev->mdev->faults;
	spin_lock(&faults->lock);
	lost = answer->at < faults->nr && faults->nr - answer->at > ARRAY_SIZE(faults->answers);
	if (answer->at < faults->nr)
		told = faults->answers[answer->at % ARRAY_SIZE(faults->answers)];
	answer->out_next = faults->nr;
	answer->out_pending = faults->pending;
	spin_unlock(&faults->lock);
	if (lost)
		return -EINVAL;
	answer->out_pasid = told.pasid;
	answer->out_grpid = told.grpid;
	answer->out_code = told.code;
	return op_respond(call);
}
