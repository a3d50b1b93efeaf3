/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An I/O address space: areas, limits, and the domains that hold the same
 * mappings (members). Maps, unmaps and copies are transactions over all three.
 *
 * Lock order of the whole directory, outer to inner:
 *
 *	viommu.vdevs_rwsem, viommu.queues_lock
 *				what a virtual IOMMU has, over its driver's
 *				operations; none of the others is held then
 *	dev_group.attach_lock	which hwpt a group is attached to, at each PASID
 *	fault_queue.answer_lock	who takes page requests out of a queue
 *	access.change_lock	attach and detach of an access
 *	ioas.access_rwsem	the accesses of an IOAS; held for reading while
 *				they are told of an unmap, and nothing else then
 *	dma_buf.resv		held by who revokes a dma-buf
 *	pages_dmabuf.lock	who is told of a revocation; nothing under the locks
 *				that follow takes a reservation, or the mmap lock
 *	ioas.members_lock	the members of an IOAS; held for reading while
 *				areas are loaded or unloaded
 *	ioas.map_rwsem		areas and limits
 *	pages.lock		what is pinned of a pages object
 *
 * Leaves, each taken last: viommu.events_lock, with eventq.lock inside of it; the
 * lock of viommu.vdevs; the ID table's lock, with that of pasid_dev.numbers inside
 * of it; iommufd_ctx.account_lock, iommufd_ctx.groups' lock, ioas.hwpts_lock,
 * sw_msi_lock, access.lock; pasid_dev.lock, with pasid_set.lock inside of it and a
 * follower's in that; and, with none of the above, payers.lock, and in it the mmap
 * lock, where memory is charged per process. Memory is pinned, and user space may
 * have to fault it in, with none of these held.
 *
 * Who looks at a context for debugfs holds debug_lock, and in it the ID table's lock;
 * with that held, ioas.map_rwsem may be tried.
 */
#ifndef __IOMMUFD_IOAS_H
#define __IOMMUFD_IOAS_H

#include <linux/rwsem.h>

#include "../object.h"
#include "area.h"
#include "iova_limits.h"
#include "iova_map.h"

struct iommu_domain;

/**
 * struct ioas - an I/O address space
 * @obj: head
 * @access_rwsem: protects @accesses
 * @members_lock: protects @members, @nr_members, @pinners and @pinned
 * @map_rwsem: protects @map, @limits, @align, @large and the areas; @large is
 *	changed with @members_lock held as well
 * @map: IOVA -> struct area, reserved and published
 * @limits: what may be used
 * @mapped: bytes of the areas that are mapped, for who looks without a lock;
 *	protected by @map_rwsem
 * @nr_areas: their number; protected likewise
 * @nr_members: number of @members, for who looks without a lock
 * @members: struct ioas_member, domains that hold all areas
 * @accesses: struct ioas_access
 * @nr_accesses: their number; changed with @map_rwsem held for writing
 * @pinners: members there are or will be: areas have to be pinned
 * @pinned: pinned for itself, which is one of @pinners
 * @align: smallest alignment of IOVA, memory and length
 * @large: IOMMU_OPTION_HUGE_PAGES
 * @hwpts_lock: protects @hwpts; a leaf
 * @hwpts: page tables that attaches share, see attach_auto.c
 */
struct ioas {
	struct object obj;
	struct rw_semaphore access_rwsem;
	struct rw_semaphore members_lock;
	struct rw_semaphore map_rwsem;
	struct iova_map map;
	struct iova_limits limits;
	unsigned long mapped;
	unsigned long nr_areas;
	unsigned int nr_members;
	struct list_head members;
	struct list_head accesses;
	unsigned int nr_accesses;
	unsigned int pinners;
	bool pinned;
	unsigned long align;
	bool large;
	struct mutex hwpts_lock; /* of hwpts */
	struct list_head hwpts;
};

/**
 * struct ioas_member - a domain that holds the mappings of an IOAS
 * @node: in ioas.members
 * @domain: the domain
 */
struct ioas_member {
	struct list_head node;
	struct iommu_domain *domain;
};

/**
 * struct ioas_access - an in-kernel user of the memory
 * @node: in ioas.accesses
 * @align: alignment that it needs
 * @gone: it pins nothing more; protected by map_rwsem
 * @unmap: called before IOVAs go away, with access_rwsem held for reading
 */
struct ioas_access {
	struct list_head node;
	unsigned long align;
	bool gone;
	void (*unmap)(struct ioas_access *acc, const struct iova_range *range);
};

/**
 * struct ioas_map_args - what to map
 * @pages: the memory; the area takes its own reference
 * @offset: first byte in it
 * @length: bytes
 * @prot: of enum iommufd_ioas_map_flags
 * @fixed: the IOVA is given
 * @iova: where
 */
struct ioas_map_args {
	struct pages *pages;
	unsigned long offset;
	unsigned long length;
	unsigned int prot;
	bool fixed;
	unsigned long iova;
};

extern const struct object_type ioas_type;

static inline void ioas_put(struct ioas *ioas)
{
	object_put(&ioas->obj);
}

OBJECT_KIND(ioas, struct ioas, ioas_type);

struct ioas *ioas_alloc(struct iommufd_ctx *ictx);

/* Areas: ioas.c and ioas_copy.c */
int ioas_map(struct ioas *ioas, struct ioas_map_args *args);
int ioas_unmap(struct ioas *ioas, const struct iova_range *range, bool split,
	       unsigned long *unmapped);
int ioas_copy(struct ioas *dst, struct ioas *src, const struct iova_range *from,
	      struct ioas_map_args *args);

/* Limits: ioas_limits.c */
int ioas_reserve(struct ioas *ioas, const struct iova_range *range, const void *owner);
void ioas_unreserve(struct ioas *ioas, const void *owner);
int ioas_allow(struct ioas *ioas, struct iova_range *ranges, u32 nr);
int ioas_set_large(struct ioas *ioas, bool large);
int ioas_raise_align(struct ioas *ioas, unsigned long align);
void ioas_refresh_align(struct ioas *ioas);
struct iova_range *ioas_usable(struct ioas *ioas, u32 *nr, unsigned long *align);
unsigned long ioas_page_sizes(struct ioas *ioas);

/* The IOAS of VFIO's type1: ioas_compat.c */
struct ioas *ioas_compat_get(struct iommufd_ctx *ictx);
int ioas_compat_make(struct iommufd_ctx *ictx);
int ioas_compat_set(struct iommufd_ctx *ictx, struct ioas *ioas);
int ioas_compat_go_without(struct iommufd_ctx *ictx);

DEFINE_CLASS(compat_ioas, struct ioas *, if (!IS_ERR_OR_NULL(_T)) ioas_put(_T),
	     ioas_compat_get(ictx), struct iommufd_ctx *ictx)

/* Domains: ioas_member.c */
int ioas_add_member(struct ioas *ioas, struct ioas_member *member);
void ioas_remove_member(struct ioas *ioas, struct ioas_member *member);

/* In-kernel users: ioas_access.c */
int ioas_access_add(struct ioas *ioas, struct ioas_access *acc);
void ioas_access_stop(struct ioas *ioas, struct ioas_access *acc);
void ioas_access_remove(struct ioas *ioas, struct ioas_access *acc);
void ioas_access_revoke(struct ioas *ioas, const struct iova_range *range);
int ioas_pin(struct ioas *ioas, const struct ioas_access *acc, const struct iova_range *range,
	     bool write, struct page **out);
void ioas_unpin(struct ioas *ioas, const struct iova_range *range);
int ioas_rw(struct ioas *ioas, const struct ioas_access *acc, const struct iova_range *range,
	    void *data, bool write);

/* Without a domain: ioas_member.c and ioas_phys.c */
int ioas_pin_always(struct ioas *ioas);
void ioas_pin_end(struct ioas *ioas);
int ioas_phys(struct ioas *ioas, const struct iova_range *range, phys_addr_t *phys,
	      unsigned long *length);

/* What has to stay mapped: ioas_keep.c */
int ioas_keep(struct ioas *ioas, const struct iova_range *range, phys_addr_t *phys);
void ioas_unkeep(struct ioas *ioas, const struct iova_range *range);

#endif
