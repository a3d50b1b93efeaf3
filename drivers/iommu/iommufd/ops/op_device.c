// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_HW_INFO.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "../attach/device.h"
#include "../domain/core.h"
#include "op.h"

/*
 * The execute and privileged bits that are enabled, from the PASID control
 * register, PCIe base specification 6.0 section 7.8.8.3; a virtual function has
 * its physical function's.
 */
static u64 pasid_capabilities(struct pci_dev *pdev)
{
	int ctrl = pci_pasid_status(pdev);
	u64 caps = 0;

	if (ctrl < 0)
		return 0;
	if (ctrl & PCI_PASID_CTRL_EXEC)
		caps |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (ctrl & PCI_PASID_CTRL_PRIV)
		caps |= IOMMU_HW_CAP_PCI_PASID_PRIV;
	return caps;
}

/* max_pasids is what device and IOMMU have in common, since the device was probed. */
static void device_info(struct device *dev, struct iommu_hw_info *cmd)
{
	u32 max_pasids = dev->iommu->max_pasids;

	cmd->out_max_pasid_log2 = max_pasids ? ilog2(max_pasids) : 0;
	cmd->out_capabilities = 0;
	if (device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		cmd->out_capabilities |= IOMMU_HW_CAP_DIRTY_TRACKING;
	if (!dev_is_pci(dev))
		return;
	if (max_pasids)
		cmd->out_capabilities |= pasid_capabilities(to_pci_dev(dev));
	if (!pci_ats_supported(to_pci_dev(dev)))
		cmd->out_capabilities |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}

/* The device is let go before user memory is touched: unbind waits for us. */
static void *collect(struct op_call *call, struct iommu_hw_info *cmd, u32 *length)
{
	CLASS(idev, idev)(call->ictx, cmd->dev_id);
	/* The same bytes are output only, and may be anything, without the flag. */
	u32 wanted = cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE ? cmd->in_data_type : 0, type;
	void *data;

	if (IS_ERR(idev))
		return ERR_CAST(idev);
	data = core_hw_info(idev->dev, length, &type);
	if (IS_ERR(data))
		return data;
	if (wanted && wanted != type) {
		kfree(data);
		return ERR_PTR(-EOPNOTSUPP);
	}
	cmd->out_data_type = type;
	device_info(idev->dev, cmd);
	return data;
}

int op_hw_info(struct op_call *call)
{
	struct iommu_hw_info *cmd = call->cmd;
	void __user *uptr = u64_to_user_ptr(cmd->data_uptr);
	u32 length, room = cmd->data_len, fits;
	void *data;
	int rc = 0;

	if (room && !cmd->data_uptr)
		return -EINVAL;
	data = collect(call, cmd, &length);
	if (IS_ERR(data))
		return PTR_ERR(data);

	fits = min(room, length);
	if (copy_to_user(uptr, data, fits) || clear_user(uptr + fits, room - fits))
		rc = -EFAULT;
	kfree(data);
	cmd->data_len = length;
	return rc ?: op_respond(call);
}
