// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl list --hw-info: what /dev/iommu says of a VFIO device. To ask, the device has to be
 * opened: the kernel resets it, as at every open, and whoever wants it meanwhile is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "iommuctl-list.h"

#ifndef VFIO_DEVICE_BIND_IOMMUFD
/* For headers older than VFIO's character devices. */
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

static int ask(int iommu, int device, struct hw_info *info)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
	struct iommu_hw_info arg = {
		.size = sizeof(arg), .data_len = sizeof(info->data),
		.data_uptr = (uintptr_t)info->data,
	};

	if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return errno;
	arg.dev_id = bind.out_devid;
	if (ioctl(iommu, IOMMU_GET_HW_INFO, &arg))
		return errno;
	info->type = arg.out_data_type;
	info->pasid_width = arg.out_max_pasid_log2;
	info->capabilities = arg.out_capabilities;
	info->words = (arg.data_len < sizeof(info->data) ? arg.data_len : sizeof(info->data)) / 8;
	return 0;
}

struct hw_info hw_info(const char *node)
{
	struct hw_info info = { 0 };
	int iommu = open(at("/dev/iommu"), O_RDWR | O_CLOEXEC);
	int device = iommu < 0 ? -1 : open(at("/dev/vfio/devices/%s", node), O_RDWR | O_CLOEXEC);

	if (device < 0)
		info.error = errno;
	else
		info.error = ask(iommu, device, &info);
	if (device >= 0)
		close(device);
	if (iommu >= 0)
		close(iommu);
	return info;
}

/* EINVAL is what a bind of a device says that another file has bound. */
static const char *reason(int error)
{
	return error == EINVAL || error == EBUSY ? "in use" : strerror(error);
}

void hw_info_cell(struct table *table, const struct hw_info *info)
{
	char more[64] = "";

	if (info->error) {
		table_cell(table, "%s", reason(info->error));
		return;
	}
	if (info->type == IOMMU_HW_INFO_TYPE_INTEL_VTD && info->words >= 3)
		snprintf(more, sizeof(more), ", ecap %#llx", (unsigned long long)info->data[2]);
	table_cell(table, "type %u, PASID width %u, capabilities %#llx%s", info->type,
		   info->pasid_width, (unsigned long long)info->capabilities, more);
}

void hw_info_json(struct json *json, const struct hw_info *info)
{
	unsigned int i;

	json_open(json, "hw_info", '{');
	if (info->error) {
		json_text(json, "error", reason(info->error));
		json_close(json, '}');
		return;
	}
	json_number(json, "type", info->type);
	json_number(json, "pasid_width", info->pasid_width);
	json_hex(json, "capabilities", info->capabilities);
	json_open(json, "data", '[');
	for (i = 0; i < info->words; i++)
		json_hex(json, NULL, info->data[i]);
	json_close(json, ']');
	json_close(json, '}');
}
