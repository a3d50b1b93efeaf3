/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: Virtual IOMMUs
 *
 * What of an IOMMU a virtual machine uses as its own. An IOMMU driver offers kinds of
 * them by iommu_ops.viommu_ops.
 *
 * virtual IOMMU
 *	takes the guest's invalidation commands, gives it its events; below its page
 *	tables is one that maps the guest's memory, the parent
 * virtual device
 *	a device under the number that the guest's IOMMU knows it by
 * hardware queue
 *	a queue in the guest's memory that the IOMMU reads by itself
 *
 * The driver embeds the structures in its own, as the first member; iommufd
 * allocates those, zeroed, fills in what is not the driver's, and frees them.
 *
 * Life: a virtual device ends before its device is given back, a queue and a
 * nested domain before the virtual IOMMU, a queue before the one it needs, and
 * the virtual IOMMU before its parent. So the driver needs no reference to any of
 * them, only to forget them in its release operations.
 */
#ifndef __LINUX_IOMMUFD_VIOMMU_H
#define __LINUX_IOMMUFD_VIOMMU_H

#include <linux/types.h>

struct device;
struct iommu_device;
struct iommu_domain;
struct iommu_user_data;
struct iommufd_viommu_calls;
struct viommu;

/**
 * struct iommufd_viommu - a virtual IOMMU, as its driver sees it
 * @ops: of its kind
 * @calls: what the driver may ask of it; by the functions below
 * @iommu_dev: the IOMMU that does the work
 * @parent: the domain that maps the guest's memory
 * @core: iommufd's side of it
 */
struct iommufd_viommu {
	const struct iommufd_viommu_ops *ops;
	const struct iommufd_viommu_calls *calls;
	struct iommu_device *iommu_dev;
	struct iommu_domain *parent;
	struct viommu *core;
};

/**
 * struct iommufd_vdevice - a virtual device, as its driver sees it
 * @viommu: where
 * @dev: the device; user space has it
 * @virt_id: what the guest's IOMMU knows it by
 */
struct iommufd_vdevice {
	struct iommufd_viommu *viommu;
	struct device *dev;
	u64 virt_id;
};

/**
 * struct iommufd_hw_queue - a hardware queue, as its driver sees it
 * @viommu: whose
 * @index: which of its queues
 * @iova: where the guest has it
 * @phys: the memory there: contiguous, and pinned as long as the queue is there
 * @length: bytes
 */
struct iommufd_hw_queue {
	struct iommufd_viommu *viommu;
	u32 index;
	u64 iova;
	phys_addr_t phys;
	u64 length;
};

/**
 * struct iommufd_viommu_ops - a kind of virtual IOMMU
 * @size: of the driver's structure around struct iommufd_viommu
 * @vdevice_size: of that around struct iommufd_vdevice; 0: there are none
 * @hw_queue_size: of that around struct iommufd_hw_queue; 0: there are none
 * @data_size: of what user space may pass when it makes one, and gets back; 0: of
 *	nothing
 * @data_min: what it must pass of that, if it passes anything
 * @invalidate_type: enum iommu_hwpt_invalidate_data_type of its commands
 * @invalidate_size: of a command; 0: there are none
 * @hw_queue_type: enum iommu_hw_queue_type
 * @nr_hw_queues: their indexes are below
 * @hw_queues_in_order: a queue needs the one of the next lower index
 * @vevent_size: bytes of an event of an enum iommu_veventq_type; 0: there is none
 *	such. May be NULL
 * @setup: ready it. @data is NULL if user space passed none, else of @data_size,
 *	zero where it passed less; what is written to it, user space gets. May
 *	be NULL
 * @release: the end of what was set up; may be NULL
 * @alloc_nested: a domain whose tables are the guest's, of type
 *	IOMMU_DOMAIN_NESTED; @flags are of enum iommufd_hwpt_alloc_flags. The domain
 *	may keep the pointer to the virtual IOMMU. Copies from user space
 * @invalidate: do commands of the guest, in order; @done is set to how many are
 *	done, also upon an error, which the next one made. May write to
 *	@commands. Virtual devices stay meanwhile
 * @vdevice_setup: the device gets its number; may be NULL
 * @vdevice_release: it has none any more; may be NULL
 * @hw_queue_setup: have the IOMMU read a queue; may be NULL
 * @hw_queue_release: it does not any more; may be NULL
 *
 * All may sleep, and return 0 or what user space gets as errno. Only @alloc_nested
 * touches user memory. Of one virtual IOMMU, virtual devices and commands exclude
 * each other, and so do queues among themselves.
 */
struct iommufd_viommu_ops {
	size_t size;
	size_t vdevice_size;
	size_t hw_queue_size;
	size_t data_size;
	size_t data_min;
	u32 invalidate_type;
	size_t invalidate_size;
	u32 hw_queue_type;
	u32 nr_hw_queues;
	bool hw_queues_in_order;
	size_t (*vevent_size)(u32 type);
	int (*setup)(struct iommufd_viommu *viommu, void *data);
	void (*release)(struct iommufd_viommu *viommu);
	struct iommu_domain *(*alloc_nested)(struct iommufd_viommu *viommu, u32 flags,
					     const struct iommu_user_data *data);
	int (*invalidate)(struct iommufd_viommu *viommu, void *commands, u32 nr, u32 *done);
	int (*vdevice_setup)(struct iommufd_vdevice *vdev);
	void (*vdevice_release)(struct iommufd_vdevice *vdev);
	int (*hw_queue_setup)(struct iommufd_hw_queue *queue);
	void (*hw_queue_release)(struct iommufd_hw_queue *queue);
};

/**
 * enum iommufd_mmap_kind - what user space maps of a virtual IOMMU
 * @IOMMUFD_MMAP_MEMORY: memory of the kernel
 * @IOMMUFD_MMAP_MMIO: registers: not cached, not reordered
 */
enum iommufd_mmap_kind {
	IOMMUFD_MMAP_MEMORY,
	IOMMUFD_MMAP_MMIO,
};

/**
 * struct iommufd_viommu_calls - for the functions below
 * @report: iommufd_viommu_report()
 * @virt_id: iommufd_viommu_virt_id()
 * @vdevice: iommufd_viommu_vdevice()
 * @mmap: iommufd_viommu_mmap()
 *
 * By a table, because an IOMMU driver is linked into the kernel even where iommufd
 * is a module.
 */
struct iommufd_viommu_calls {
	int (*report)(struct iommufd_viommu *viommu, u32 type, const void *event);
	int (*virt_id)(struct iommufd_viommu *viommu, const struct device *dev, u64 *virt_id);
	struct iommufd_vdevice *(*vdevice)(struct iommufd_viommu *viommu, u64 virt_id);
	int (*mmap)(struct iommufd_viommu *viommu, enum iommufd_mmap_kind kind, phys_addr_t phys,
		    size_t length, u64 *offset);
};

/**
 * iommufd_viommu_report() - give the guest an event
 * @viommu: its virtual IOMMU; the caller keeps it, as by what is attached
 * @type: enum iommu_veventq_type of the event
 * @event: of the size that the kind says
 *
 * Context: a thread, of an interrupt too; never sleeps.
 * Return: 0; -EOPNOTSUPP if user space has no queue for it; -ENOSPC if that is full:
 * user space then sees that something is missing.
 */
static inline int iommufd_viommu_report(struct iommufd_viommu *viommu, u32 type,
					const void *event)
{
	return viommu->calls->report(viommu, type, event);
}

/**
 * iommufd_viommu_virt_id() - what the guest's IOMMU knows a device by
 * @viommu: the virtual IOMMU; the caller keeps it
 * @dev: the device
 * @virt_id: set to the number
 *
 * Context: a thread, of an interrupt too; never sleeps.
 * Return: 0, or -ENOENT if the device has no virtual device there.
 */
static inline int iommufd_viommu_virt_id(struct iommufd_viommu *viommu, const struct device *dev,
					 u64 *virt_id)
{
	return viommu->calls->virt_id(viommu, dev, virt_id);
}

/**
 * iommufd_viommu_vdevice() - the virtual device of a number
 * @viommu: the virtual IOMMU
 * @virt_id: what the guest's IOMMU knows it by
 *
 * Context: within the invalidate operation, until whose end it stays.
 * Return: the virtual device, or NULL.
 */
static inline struct iommufd_vdevice *iommufd_viommu_vdevice(struct iommufd_viommu *viommu,
							     u64 virt_id)
{
	return viommu->calls->vdevice(viommu, virt_id);
}

/**
 * iommufd_viommu_mmap() - let user space map something of a virtual IOMMU
 * @viommu: the virtual IOMMU
 * @kind: of it
 * @phys: where it is, page aligned; it stays until the release operation
 * @length: bytes, whole pages
 * @offset: set to where in the file of /dev/iommu user space maps just this
 *
 * Context: within the setup operation.
 * Return: 0; -EINVAL for what is not whole pages; -ENOSPC.
 */
static inline int iommufd_viommu_mmap(struct iommufd_viommu *viommu, enum iommufd_mmap_kind kind,
				      phys_addr_t phys, size_t length, u64 *offset)
{
	return viommu->calls->mmap(viommu, kind, phys, length, offset);
}

#endif
