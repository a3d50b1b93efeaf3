/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PASIDs of one device: which numbers its user may use and what they stand
 * for in requests. Whose they are is a policy that its driver states.
 *
 * Life of a number:
 *
 *	pasid_dev_alloc()	the user has it
 *	pasid_dev_claim()	an attach has begun: it cannot be freed; a device
 *				with a table of its own takes any number here
 *	pasid_dev_commit()	it is attached, or attached to something else
 *	pasid_dev_release()	nothing is attached there, no cache knows it; gone,
 *				unless the user has it
 *	pasid_dev_free()	the user gives it back
 *
 * Requests without PASID are number 0, which is always there.
 */
#ifndef __IOMMUFD_PASID_DEV_H
#define __IOMMUFD_PASID_DEV_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct device;
struct iommu_pasid_entry;
struct iommu_pasid_info;
struct pasid_set;

/**
 * struct pasid_number - one PASID of one device
 * @vpasid: what user space calls it
 * @ppasid: what is in the device's requests
 * @hwpt_id: ID of the page table that it is attached to, or 0
 * @ioas_id: ID of the IOAS that it is attached to, or 0
 * @allocated: the user has it
 * @claimed: it is being attached, is attached, or is being detached
 * @attached: it is attached
 * @link: whoever claimed it knows what this is; protected by the claimer's lock
 */
struct pasid_number {
	u32 vpasid;
	u32 ppasid;
	u32 hwpt_id;
	u32 ioas_id;
	bool allocated;
	bool claimed;
	bool attached;
	void *link;
};

/**
 * struct pasid_run - consecutive numbers of which the same can be said
 * @first: the smallest; 0: there is none
 * @last: the greatest; without a @first, where the one before ended, or 0
 * @ppasid: what @first stands for in requests
 * @hwpt_id: as in struct pasid_number
 * @ioas_id: likewise
 * @allocated: likewise
 */
struct pasid_run {
	u32 first;
	u32 last;
	u32 ppasid;
	u32 hwpt_id;
	u32 ioas_id;
	bool allocated;
};

/**
 * struct pasid_dev - the PASIDs of a device
 * @lock: protects all that follows; pasid_set's lock is taken inside
 * @policy: of enum iommu_pasid_policy
 * @max: numbers in requests are smaller
 * @set: where global numbers come from
 * @dev: for which device
 * @numbers: vPASID -> struct pasid_number
 * @rid: number 0
 * @in_use: PASIDs there are
 * @attached: PASIDs attached
 * @changes: counts changes
 */
struct pasid_dev {
	struct mutex lock; /* of all that follows */
	u32 policy;
	u32 max;
	struct pasid_set *set;
	struct device *dev;
	struct xarray numbers;
	struct pasid_number rid;
	u32 in_use;
	u32 attached;
	u64 changes;
};

void pasid_dev_init(struct pasid_dev *pd);
int pasid_dev_setup(struct pasid_dev *pd, u32 max, struct pasid_set *set, struct device *dev);
void pasid_dev_exit(struct pasid_dev *pd);
int pasid_dev_alloc(struct pasid_dev *pd, u32 flags, u32 *pasid);
int pasid_dev_free(struct pasid_dev *pd, u32 pasid);
struct pasid_number *pasid_dev_claim(struct pasid_dev *pd, u32 pasid);
void pasid_dev_commit(struct pasid_dev *pd, struct pasid_number *num, u32 hwpt_id, u32 ioas_id);
void pasid_dev_release(struct pasid_dev *pd, struct pasid_number *num);
struct pasid_number *pasid_dev_attached(struct pasid_dev *pd, u32 pasid);
struct pasid_number *pasid_dev_next_attached(struct pasid_dev *pd, u32 pasid);
void pasid_dev_info(struct pasid_dev *pd, struct iommu_pasid_info *info);
bool pasid_dev_run(struct pasid_dev *pd, struct pasid_run *run, unsigned int most);
u32 pasid_dev_list(struct pasid_dev *pd, u32 *pasid, struct iommu_pasid_entry *entries,
		   u32 room, u64 *changes);

#endif
