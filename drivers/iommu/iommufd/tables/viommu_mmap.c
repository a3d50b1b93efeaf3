// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space maps of a virtual IOMMU: pages of registers, or of memory, that
 * the driver says. The offset in the file names the virtual IOMMU by its ID, and
 * a mapping holds that as a call would.
 */
#include <linux/mm.h>

#include "viommu.h"

/* Offset in pages: the object's ID, then which region of it. */
#define REGION_BITS 8

/**
 * viommu_add_region() - let user space map something
 * @drv: the virtual IOMMU
 * @kind: what it is
 * @phys: where
 * @length: bytes
 * @offset: set to where in the file
 *
 * Context: see iommufd_viommu_mmap().
 * Return: 0, -EINVAL, -ENOSPC.
 */
int viommu_add_region(struct iommufd_viommu *drv, enum iommufd_mmap_kind kind, phys_addr_t phys,
		      size_t length, u64 *offset)
{
	struct viommu *viommu = drv->core;
	u64 page;

	BUILD_BUG_ON(ARRAY_SIZE(viommu->regions) > BIT(REGION_BITS));
	if (!length || !PAGE_ALIGNED(phys | length))
		return -EINVAL;
	page = ((u64)viommu->obj.id << REGION_BITS) | viommu->nr_regions;
	if (viommu->nr_regions == VIOMMU_REGIONS || page > ULONG_MAX)
		return -ENOSPC;
	viommu->regions[viommu->nr_regions++] = (struct viommu_region){
		.viommu = viommu, .page = page, .kind = kind, .phys = phys, .length = length,
	};
	*offset = page << PAGE_SHIFT;
	return 0;
}

static void vma_open(struct vm_area_struct *vma)
{
	struct viommu_region *region = vma->vm_private_data;

	object_hold(&region->viommu->obj);
}

static void vma_close(struct vm_area_struct *vma)
{
	struct viommu_region *region = vma->vm_private_data;

	viommu_put(region->viommu);
}

/*
 * Page by page, when it is touched: remap_pfn_range() of a whole mapping warns on x86 if it finds
 * no memory for the first page table. No mapping grows or merges: each page is of the region.
 */
static vm_fault_t vma_fault(struct vm_fault *vmf)
{
	struct viommu_region *region = vmf->vma->vm_private_data;

	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PHYS_PFN(region->phys) + (vmf->pgoff - region->page));
}

static const struct vm_operations_struct vma_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = vma_fault,
};

static int map_region(struct viommu_region *region, struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != region->length)
		return -ENXIO;
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	if (region->kind != IOMMUFD_MMAP_MEMORY)
		vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	vma->vm_private_data = region;
	vma->vm_ops = &vma_ops;
	return 0;
}

/**
 * viommu_mmap() - map a region of a virtual IOMMU
 * @ictx: the context
 * @vma: the mapping, of a whole region; it holds the virtual IOMMU
 *
 * Context: mmap_lock held.
 * Return: 0; -ENXIO if there is no such region at the offset; -EINVAL for a private
 * mapping; -EPERM for an executable one.
 */
int viommu_mmap(struct iommufd_ctx *ictx, struct vm_area_struct *vma)
{
	unsigned long id = vma->vm_pgoff >> REGION_BITS;
	unsigned int nr = vma->vm_pgoff & (BIT(REGION_BITS) - 1);
	struct viommu *viommu;
	int rc = -ENXIO;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	viommu = id > INT_MAX ? ERR_PTR(-ENOENT) : viommu_get(ictx, id);
	if (IS_ERR(viommu))
		return rc;
	if (nr < viommu->nr_regions)
		rc = map_region(&viommu->regions[nr], vma);
	if (rc)
		viommu_put(viommu);
	return rc;
}
