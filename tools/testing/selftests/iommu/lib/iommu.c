// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "iommu.h"

static __u64 to_u64(const void *pointer)
{
	return (__u64)(unsigned long)pointer;
}

void (*iommu_watch)(unsigned long nr, const void *arg);

int iommu_ioctl(int fd, unsigned long nr, unsigned long arg)
{
	int rc;

	if (iommu_watch)
		iommu_watch(nr, (const void *)arg);
	rc = ioctl(fd, nr, arg);
	return rc < 0 ? -errno : rc;
}

int iommu_call(int fd, unsigned long nr, void *arg)
{
	int rc = iommu_ioctl(fd, nr, (unsigned long)arg);

	return rc < 0 ? rc : 0;
}

int iommu_open(void)
{
	int fd = open("/dev/iommu", O_RDWR);

	return fd < 0 ? -errno : fd;
}

int ioas_alloc(int fd, __u32 *ioas)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };
	int rc = iommu_call(fd, IOMMU_IOAS_ALLOC, &arg);

	*ioas = arg.out_ioas_id;
	return rc;
}

__u32 ioas_new(int fd)
{
	__u32 ioas;

	return ioas_alloc(fd, &ioas) ? 0 : ioas;
}

int destroy(int fd, __u32 id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return iommu_call(fd, IOMMU_DESTROY, &arg);
}

int map(int fd, __u32 ioas, __u32 flags, const void *va, __u64 length, __u64 *iova)
{
	struct iommu_ioas_map arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.flags = flags,
		.iova = *iova,
		.length = length,
		.user_va = to_u64(va),
	};
	int rc = iommu_call(fd, IOMMU_IOAS_MAP, &arg);

	*iova = arg.iova;
	return rc;
}

int map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova)
{
	__u64 asked = iova;
	int rc = map(fd, ioas, FIXED | PERM_RW, va, length, &iova);

	return !rc && iova != asked ? -ERANGE : rc;
}

int map_file(int fd, __u32 ioas, __u32 flags, int file, __u64 start, __u64 length, __u64 *iova)
{
	struct iommu_ioas_map_file arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.flags = flags,
		.fd = file,
		.iova = *iova,
		.start = start,
		.length = length,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_MAP_FILE, &arg);

	*iova = arg.iova;
	return rc;
}

int copy(int fd, __u32 flags, __u32 dst, __u32 src, __u64 length, __u64 *dst_iova,
	 __u64 src_iova)
{
	struct iommu_ioas_copy arg = {
		.size = sizeof(arg),
		.src_ioas_id = src,
		.dst_ioas_id = dst,
		.flags = flags,
		.src_iova = src_iova,
		.dst_iova = *dst_iova,
		.length = length,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_COPY, &arg);

	*dst_iova = arg.dst_iova;
	return rc;
}

int copy_at(int fd, __u32 dst, __u32 src, __u64 length, __u64 dst_iova, __u64 src_iova)
{
	return copy(fd, FIXED | PERM_RW, dst, src, length, &dst_iova, src_iova);
}

int unmap_count(int fd, __u32 ioas, __u64 iova, __u64 length, __u64 *unmapped)
{
	struct iommu_ioas_unmap arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_UNMAP, &arg);

	*unmapped = arg.length;
	return rc;
}

int unmap(int fd, __u32 ioas, __u64 iova, __u64 length)
{
	__u64 unmapped;
	int rc = unmap_count(fd, ioas, iova, length, &unmapped);

	return !rc && unmapped != length ? -ERANGE : rc;
}

__u64 unmap_all(int fd, __u32 ioas)
{
	__u64 unmapped;

	return unmap_count(fd, ioas, 0, U64_MAX, &unmapped) ? U64_MAX : unmapped;
}

int ranges_get(int fd, __u32 ioas, struct iommu_iova_range *array, __u32 *num, __u64 *alignment)
{
	struct iommu_ioas_iova_ranges arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.allowed_iovas = to_u64(array),
		.num_iovas = *num,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_IOVA_RANGES, &arg);

	*num = arg.num_iovas;
	if (alignment)
		*alignment = arg.out_iova_alignment;
	return rc;
}

int ranges_allow(int fd, __u32 ioas, const struct iommu_iova_range *array, __u32 num)
{
	struct iommu_ioas_allow_iovas arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.allowed_iovas = to_u64(array),
		.num_iovas = num,
	};

	return iommu_call(fd, IOMMU_IOAS_ALLOW_IOVAS, &arg);
}

bool ranges_contain(const struct iommu_iova_range *array, __u32 num, __u64 first, __u64 length)
{
	for (__u32 i = 0; i < num; i++)
		if (first >= array[i].start && first + length - 1 <= array[i].last)
			return true;
	return false;
}

static int option(int fd, __u16 op, __u32 id, __u32 object, __u64 *value)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.op = op,
		.option_id = id,
		.object_id = object,
		.val64 = *value,
	};
	int rc = iommu_call(fd, IOMMU_OPTION, &arg);

	*value = arg.val64;
	return rc;
}

int option_set(int fd, __u32 id, __u32 object, __u64 value)
{
	return option(fd, IOMMU_OPTION_OP_SET, id, object, &value);
}

int option_get(int fd, __u32 id, __u32 object, __u64 *value)
{
	*value = U64_MAX;
	return option(fd, IOMMU_OPTION_OP_GET, id, object, value);
}

int hwpt_alloc(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 *hwpt)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.pt_id = pt,
		.dev_id = dev,
		.flags = flags,
	};
	int rc = iommu_call(fd, IOMMU_HWPT_ALLOC, &arg);

	*hwpt = arg.out_hwpt_id;
	return rc;
}

int hw_info(int fd, __u32 dev, void *data, __u32 *length, struct iommu_hw_info *info)
{
	int rc;

	*info = (struct iommu_hw_info){
		.size = sizeof(*info),
		.dev_id = dev,
		.data_uptr = to_u64(data),
		.data_len = *length,
	};
	rc = iommu_call(fd, IOMMU_GET_HW_INFO, info);
	*length = info->data_len;
	return rc;
}
