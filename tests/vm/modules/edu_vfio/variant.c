// SPDX-License-Identifier: GPL-2.0
/*
 * A vfio-pci driver of one function's own: as vfio-pci in all but how it binds to /dev/iommu.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "edu_vfio.h"

static bool global;
module_param(global, bool, 0600);
MODULE_PARM_DESC(global, "edu-variant: PASIDs of who binds from now on are the system's");

static int variant_open(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core = container_of(vdev, struct vfio_pci_core_device, vdev);
	int ret = vfio_pci_core_enable(core);

	if (!ret)
		vfio_pci_core_finish_enable(core);
	return ret;
}

static int variant_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *id)
{
	struct iommufd_bind how = { .pasid_ops = &pairs_ops };

	if (READ_ONCE(global))
		how.flags = IOMMUFD_BIND_GLOBAL_PASIDS;
	return vfio_iommufd_physical_bind_as(vdev, ictx, &how, id);
}

static const struct vfio_device_ops variant_ops = {
	.name = "edu-variant",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = variant_open,
	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	.bind_iommufd = variant_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
};

static int variant_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *core;
	int ret;

	core = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev, &variant_ops);
	if (IS_ERR(core))
		return PTR_ERR(core);
	dev_set_drvdata(&pdev->dev, core);
	ret = vfio_pci_core_register_device(core);
	if (ret)
		vfio_put_device(&core->vdev);
	return ret;
}

static void variant_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static const struct pci_device_id variant_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(EDU_VENDOR, EDU_DEVICE) },
	{}
};

static struct pci_driver variant_driver = {
	.name = "edu-variant",
	.id_table = variant_ids,
	.probe = variant_probe,
	.remove = variant_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};

int variant_register(void)
{
	return pci_register_driver(&variant_driver);
}

void variant_unregister(void)
{
	pci_unregister_driver(&variant_driver);
}
