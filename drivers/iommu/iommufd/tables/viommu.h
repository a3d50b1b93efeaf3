/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual IOMMUs, as objects of a context, and what belongs to one: its virtual
 * devices, its hardware queues, what user space maps of it.
 */
#ifndef __IOMMUFD_VIOMMU_OBJ_H
#define __IOMMUFD_VIOMMU_OBJ_H

#include <linux/iommufd_viommu.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "../abi.h"
#include "../object.h"

#define VIOMMU_REGIONS 4

struct hwpt;
struct iommu_user_data;
struct iommu_user_data_array;
struct vm_area_struct;

/**
 * struct viommu_region - what user space may map
 * @viommu: of which
 * @page: where in the file, in pages
 * @kind: what it is
 * @phys: first byte
 * @length: bytes
 */
struct viommu_region {
	struct viommu *viommu;
	pgoff_t page;
	enum iommufd_mmap_kind kind;
	phys_addr_t phys;
	size_t length;
};

/**
 * struct viommu - a virtual IOMMU
 * @obj: head
 * @drv: the driver's side of it
 * @type: of enum iommu_viommu_type
 * @hwpt: the page table below the guest's; holds a reference
 * @vdevs_rwsem: held for writing while virtual devices come and go, for reading
 *	while commands are done
 * @vdevs: number -> struct vdevice; changed with @vdevs_rwsem held, too
 * @queues_lock: held while hardware queues come and go
 * @queues: index -> struct hw_queue; protected by @queues_lock
 * @events_lock: protects @veventqs; outside of eventq.lock
 * @veventqs: struct veventq, one per type
 * @regions: of the file; they are there before anybody finds this
 * @nr_regions: how many
 */
struct viommu {
	struct object obj;
	struct iommufd_viommu *drv;
	u32 type;
	struct hwpt *hwpt;
	struct rw_semaphore vdevs_rwsem;
	struct xarray vdevs;
	struct mutex queues_lock; /* of queues */
	struct xarray queues;
	spinlock_t events_lock; /* of veventqs */
	struct list_head veventqs;
	struct viommu_region regions[VIOMMU_REGIONS];
	unsigned int nr_regions;
};

/**
 * struct vdevice - a virtual device
 * @obj: head
 * @drv: the driver's side of it
 * @viommu: where; holds a reference
 * @slot: where its device keeps it
 */
struct vdevice {
	struct object obj;
	struct iommufd_vdevice *drv;
	struct viommu *viommu;
	struct object **slot;
};

/**
 * struct hw_queue - a hardware queue
 * @obj: head
 * @drv: the driver's side of it
 * @viommu: whose; holds a reference
 * @range: the IOVAs, kept in the IOAS
 * @needs: the queue that it needs, or NULL; holds a reference
 */
struct hw_queue {
	struct object obj;
	struct iommufd_hw_queue *drv;
	struct viommu *viommu;
	struct iova_range range;
	struct hw_queue *needs;
};

extern const struct object_type viommu_type;
extern const struct object_type vdevice_type;
extern const struct object_type hw_queue_type;

static inline void viommu_put(struct viommu *viommu)
{
	object_put(&viommu->obj);
}

static inline void hw_queue_put(struct hw_queue *queue)
{
	object_put(&queue->obj);
}

OBJECT_KIND(viommu, struct viommu, viommu_type);
OBJECT_KIND(hw_queue, struct hw_queue, hw_queue_type);

/* viommu.c */
struct viommu *viommu_alloc(struct hwpt *hwpt, const struct iommufd_viommu_ops *ops,
			    struct iommu_device *iommu, void *data);
struct hwpt *viommu_nested_alloc(struct viommu *viommu, struct device *dev, u32 flags,
				 const struct iommu_user_data *data);
int viommu_invalidate(struct viommu *viommu, struct iommu_user_data_array *requests);

/* viommu_vdevice.c */
struct vdevice *vdevice_alloc(struct viommu *viommu, struct device *dev, u64 virt_id,
			      struct object **slot);
int viommu_virt_id(struct iommufd_viommu *drv, const struct device *dev, u64 *virt_id);
struct iommufd_vdevice *viommu_vdevice(struct iommufd_viommu *drv, u64 virt_id);

/* viommu_queue.c */
struct hw_queue *hw_queue_alloc(struct viommu *viommu, u32 type, u32 index,
				const struct iova_range *range);

/* viommu_mmap.c */
int viommu_add_region(struct iommufd_viommu *drv, enum iommufd_mmap_kind kind, phys_addr_t phys,
		      size_t length, u64 *offset);
int viommu_mmap(struct iommufd_ctx *ictx, struct vm_area_struct *vma);

/* veventq.c */
extern const struct iommufd_viommu_calls viommu_calls;

#endif
