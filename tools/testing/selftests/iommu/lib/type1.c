// SPDX-License-Identifier: GPL-2.0-only
#include "iommu.h"
#include "type1.h"

int t1_number(int fd, unsigned long nr, unsigned long arg)
{
	return iommu_ioctl(fd, nr, arg);
}

int t1_map_flags(int fd, __u32 flags, const void *va, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = flags, .vaddr = (unsigned long)va,
		.size = length, .iova = iova,
	};

	return iommu_call(fd, VFIO_IOMMU_MAP_DMA, &arg);
}

int t1_map(int fd, const void *va, __u64 length, __u64 iova)
{
	return t1_map_flags(fd, T1_RW, va, length, iova);
}

int t1_unmap_flags(int fd, __u32 flags, __u64 iova, __u64 length, __u64 *unmapped)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .flags = flags, .iova = iova, .size = length,
	};
	int rc = iommu_call(fd, VFIO_IOMMU_UNMAP_DMA, &arg);

	if (unmapped)
		*unmapped = arg.size;
	return rc;
}

int t1_unmap(int fd, __u64 iova, __u64 length, __u64 *unmapped)
{
	return t1_unmap_flags(fd, 0, iova, length, unmapped);
}

int t1_ioas(int fd, unsigned int op, __u32 *ioas)
{
	struct iommu_vfio_ioas arg = { .size = sizeof(arg), .op = op, .ioas_id = *ioas };
	int rc = iommu_call(fd, IOMMU_VFIO_IOAS, &arg);

	*ioas = arg.ioas_id;
	return rc;
}
