/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the system-wide PASID space, and which of them a context uses under
 * which name: vPASID -> pPASID, one map per context, as a CPU that translates
 * PASIDs has one per VM. A pair is counted: once per device that uses it.
 */
#ifndef __IOMMUFD_PASID_SET_H
#define __IOMMUFD_PASID_SET_H

#include <linux/types.h>

#define PASID_WIDTH_MAX 20

struct device;
struct iommufd_pasid_follower;
struct misc_cg;
struct pasid_set;

/**
 * struct pasid_global - a number of the system-wide space
 * @number: the number, 1 or more
 * @cg: who is charged for it
 */
struct pasid_global {
	u32 number;
	struct misc_cg *cg;
};

void pasid_set_capacity(bool on);
int pasid_global_get(struct pasid_global *global, struct device *dev, u32 max);
void pasid_global_put(struct pasid_global *global);

struct pasid_set *pasid_set_new(void);
void pasid_set_free(struct pasid_set *set);
int pasid_set_get_tagged(struct pasid_set *set, struct device *dev, u32 max, u32 vpasid,
			 u32 *ppasid);
int pasid_set_get_identity(struct pasid_set *set, struct device *dev, u32 max, u32 *pasid);
void pasid_set_put(struct pasid_set *set, u32 vpasid);
bool pasid_set_tagged(struct pasid_set *set);
int pasid_set_follow(struct pasid_set *set, struct iommufd_pasid_follower *follower);
void pasid_set_unfollow(struct pasid_set *set, struct iommufd_pasid_follower *follower);

#endif
