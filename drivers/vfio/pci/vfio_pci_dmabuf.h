/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of vfio-pci-core calls when a function's BARs go away.
 */
#ifndef VFIO_PCI_DMABUF_H
#define VFIO_PCI_DMABUF_H

struct vfio_pci_core_device;

#if IS_ENABLED(CONFIG_IOMMUFD)
void vfio_pci_dmabuf_revoke(struct vfio_pci_core_device *vdev);
void vfio_pci_dmabuf_close(struct vfio_pci_core_device *vdev);
#else
static inline void vfio_pci_dmabuf_revoke(struct vfio_pci_core_device *vdev)
{
}

static inline void vfio_pci_dmabuf_close(struct vfio_pci_core_device *vdev)
{
}
#endif

#endif
