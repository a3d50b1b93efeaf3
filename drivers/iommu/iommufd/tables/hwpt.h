/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hardware page table: one domain of the iommu core, filled from an IOAS.
 */
#ifndef __IOMMUFD_HWPT_H
#define __IOMMUFD_HWPT_H

#include "../object.h"
#include "../space/ioas.h"

struct device;
struct fault_queue;
struct iommu_domain;
struct iommu_user_data;
struct object;

/**
 * struct hwpt - a page table
 * @obj: head
 * @ioas: where its mappings come from; holds a reference
 * @member: its membership there; has the domain
 * @filled: it is a member
 * @shared: made by an attach to the IOAS: goes away with the last attachment
 * @coherent: no-snoop requests of devices are overruled
 * @pasid: it can be attached at a PASID, and beside other tables at PASIDs
 * @parent: nested tables can lie on it
 * @tracking: dirty tracking is on; protected by ioas.members_lock
 * @below: what it is nested on: another, or a virtual IOMMU on that; holds a
 *	reference; NULL if it is filled from the IOAS. The IOAS is the other's
 * @faults: where its page requests go, or NULL; holds a reference
 * @key: of the IOMMU that it was made for
 * @node: in ioas.hwpts, if shared; protected by ioas.hwpts_lock
 */
struct hwpt {
	struct object obj;
	struct ioas *ioas;
	struct ioas_member member;
	bool filled;
	bool shared;
	bool coherent;
	bool pasid;
	bool parent;
	bool tracking;
	struct object *below;
	struct fault_queue *faults;
	const void *key;
	struct list_head node;
};

extern const struct object_type hwpt_type;

int hwpt_pass_msi(struct hwpt *hwpt, struct device *dev);
struct hwpt *hwpt_alloc(struct ioas *ioas, struct device *dev, u32 flags, bool coherent,
			const struct iommu_user_data *data);
void hwpt_set_faults(struct hwpt *hwpt, struct fault_queue *faults);
int hwpt_fill(struct hwpt *hwpt);
void hwpt_put(struct hwpt *hwpt);
bool hwpt_all_coherent(struct ioas *ioas);

OBJECT_KIND(hwpt, struct hwpt, hwpt_type);

#endif
