// SPDX-License-Identifier: GPL-2.0
/*
 * Stays the driver of the function, as that of a device with slices does, and lends slices of it as
 * mediated devices. All of them show the function's registers: it is the test that uses one at a
 * time. Speaks no more of VFIO than a program needs that attaches one and starts DMA. May touch: of
 * the function, what lets it do DMA.
 */
#include <linux/mdev.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "edu_vfio.h"

#define MAX_SLICES	2

struct slice {
	struct vfio_device vdev;
	struct pci_dev *parent;
};

static struct slice *to_slice(struct vfio_device *vdev)
{
	return container_of(vdev, struct slice, vdev);
}

static int slice_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *id)
{
	static const struct iommufd_bind how = { .pasid_ops = &pairs_ops };

	return vfio_iommufd_slice_bind(vdev, ictx, &to_slice(vdev)->parent->dev, &how, id);
}

static long get_region_info(struct slice *slice, void __user *arg)
{
	const size_t size = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index)
		return -EINVAL;
	info.flags = VFIO_REGION_INFO_FLAG_MMAP;
	info.cap_offset = 0;
	info.offset = 0;
	info.size = pci_resource_len(slice->parent, 0);
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long slice_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	if (cmd == VFIO_DEVICE_GET_REGION_INFO)
		return get_region_info(to_slice(vdev), (void __user *)arg);
	return -ENOTTY;
}

static int slice_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct pci_dev *parent = to_slice(vdev)->parent;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, pci_resource_start(parent, 0), pci_resource_len(parent, 0));
}

static const struct vfio_device_ops slice_ops = {
	.name = "edu-slice",
	.bind_iommufd = slice_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
	.ioctl = slice_ioctl,
	.mmap = slice_mmap,
};

static int slice_probe(struct mdev_device *mdev)
{
	struct slice *slice;
	int ret;

	slice = vfio_alloc_device(slice, vdev, &mdev->dev, &slice_ops);
	if (IS_ERR(slice))
		return PTR_ERR(slice);
	slice->parent = to_pci_dev(mdev->type->parent->dev);
	dev_set_drvdata(&mdev->dev, slice);
	ret = vfio_register_emulated_iommu_dev(&slice->vdev);
	if (ret)
		vfio_put_device(&slice->vdev);
	return ret;
}

static void slice_remove(struct mdev_device *mdev)
{
	struct slice *slice = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&slice->vdev);
	vfio_put_device(&slice->vdev);
}

static struct mdev_driver slice_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = MAX_SLICES,
	.driver = {
		.name = "edu-slice-mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = slice_probe,
	.remove = slice_remove,
};

static struct mdev_type slice_type = {
	.sysfs_name = "slice",
	.pretty_name = "a slice of edu",
};

static struct mdev_type *slice_types[] = { &slice_type };

static int parent_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mdev_parent *parent;
	int ret;

	parent = devm_kzalloc(&pdev->dev, sizeof(*parent), GFP_KERNEL);
	if (!parent)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_set_master(pdev);
	pci_set_drvdata(pdev, parent);
	return mdev_register_parent(parent, &pdev->dev, &slice_driver, slice_types,
				    ARRAY_SIZE(slice_types));
}

static void parent_remove(struct pci_dev *pdev)
{
	mdev_unregister_parent(pci_get_drvdata(pdev));
	pci_clear_master(pdev);
}

static const struct pci_device_id parent_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(EDU_VENDOR, EDU_DEVICE) },
	{}
};

static struct pci_driver parent_driver = {
	.name = "edu-slice",
	.id_table = parent_ids,
	.probe = parent_probe,
	.remove = parent_remove,
};

int slice_register(void)
{
	int ret;

	ret = mdev_register_driver(&slice_driver);
	if (ret)
		return ret;
	ret = pci_register_driver(&parent_driver);
	if (ret)
		mdev_unregister_driver(&slice_driver);
	return ret;
}

void slice_unregister(void)
{
	pci_unregister_driver(&parent_driver);
	mdev_unregister_driver(&slice_driver);
}
