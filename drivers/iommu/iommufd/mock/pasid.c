// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's PASID table as its IOMMU has it, and a small cache of its entries
 * as hardware has one: filled by requests, and to be cleaned with each change.
 * Warns about what no IOMMU driver has to put up with:
 *
 *	setting an entry that is in use
 *	replacing or removing what is not there
 *	an entry of a global number that somebody else could get meanwhile
 *	the end of a device with entries
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "mock.h"

/**
 * mock_pasids_init() - an empty table
 * @pasids: of a new device
 */
void mock_pasids_init(struct mock_pasids *pasids)
{
	xa_init_flags(&pasids->table, XA_FLAGS_ACCOUNT);
}

/**
 * mock_pasids_exit() - the end of a table
 * @pasids: should be empty
 *
 * Context: may sleep.
 */
void mock_pasids_exit(struct mock_pasids *pasids)
{
	WARN(!xa_empty(&pasids->table), "mock: a device ends with %u PASIDs attached\n",
	     pasids->nr);
	xa_destroy(&pasids->table);
}

/**
 * mock_pasids_join() - another device joins the group of the table's
 * @pasids: the table
 *
 * The iommu core does not attach a newcomer to what is at the group's PASIDs, and
 * detaches it from there: a bus has to see that this does not happen.
 *
 * Context: any.
 * Return: false if there is something; else there will be nothing until
 * mock_pasids_joined().
 */
bool mock_pasids_join(struct mock_pasids *pasids)
{
	bool empty;

	xa_lock(&pasids->table);
	empty = !pasids->nr;
	pasids->joining += empty;
	xa_unlock(&pasids->table);
	return empty;
}

/**
 * mock_pasids_joined() - the device is in the group, or is not
 * @pasids: the table
 *
 * Context: any.
 */
void mock_pasids_joined(struct mock_pasids *pasids)
{
	xa_lock(&pasids->table);
	pasids->joining--;
	xa_unlock(&pasids->table);
}

/* Counts a new entry, unless the group is about to change. */
static bool count_entry(struct mock_pasids *pasids)
{
	bool stays;

	xa_lock(&pasids->table);
	stays = !pasids->joining;
	pasids->nr += stays;
	xa_unlock(&pasids->table);
	return stays;
}

static void uncount_entry(struct mock_pasids *pasids)
{
	xa_lock(&pasids->table);
	pasids->nr--;
	xa_unlock(&pasids->table);
}

static struct mock_cached *cache_line(struct mock_pasids *pasids, u32 pasid)
{
	return &pasids->cache[pasid % ARRAY_SIZE(pasids->cache)];
}

static void cache_clean(struct mock_pasids *pasids, u32 pasid)
{
	struct mock_cached *line = cache_line(pasids, pasid);

	lockdep_assert_held(&pasids->table.xa_lock);
	if (line->pasid == pasid)
		*line = (struct mock_cached) {};
}

/* Whoever asks the system for a number now must not get one that has an entry. */
static void check_taken(struct device *dev, u32 pasid)
{
	u32 other;

	if (!to_mock_device(dev)->pasids.global)
		return;
	other = iommu_alloc_global_pasid(dev);
	if (other == IOMMU_PASID_INVALID)
		return;
	WARN(other == pasid, "mock: PASID %u is free, and still attached\n", pasid);
	iommu_free_global_pasid(other);
}

/**
 * mock_set_dev_pasid() - of struct iommu_domain_ops
 * @domain: a paging domain
 * @dev: a mock device
 * @pasid: in its requests
 * @old: NULL
 *
 * Context: may sleep; the iommu core serializes by group.
 * Return: 0, -ENOMEM; -EBUSY if the entry is in use, or a device joins the group.
 */
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		       struct iommu_domain *old)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);
	struct mock_pasids *pasids = &to_mock_device(dev)->pasids;
	int rc;

	if (WARN_ON(!pasid || pasid >= dev->iommu->max_pasids) || !mock_can_track(domain, dev))
		return -EINVAL;
	if (!count_entry(pasids))
		return -EBUSY;
	rc = xa_insert(&pasids->table, pasid, mock, GFP_KERNEL_ACCOUNT);
	if (rc) {
		WARN(rc == -EBUSY, "mock: PASID %u is set twice\n", pasid);
		uncount_entry(pasids);
		return rc;
	}
	check_taken(dev, pasid);
	mock_domain_hold(mock);
	mock_event(MOCK_EVENT_SET, to_mock_device(dev)->index, 0, pasid);
	return 0;
}

/**
 * mock_replace_dev_pasid() - of struct iommu_domain_ops
 * @domain: a paging domain
 * @dev: a mock device
 * @pasid: in its requests
 * @old: what is there
 *
 * Context: may sleep; the iommu core serializes by group.
 * Return: 0; -EINVAL if @old is not there; -ENOMEM always, at the PASID that is
 * made for it.
 */
int mock_replace_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			   struct iommu_domain *old)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);
	struct mock_domain *from = container_of(old, struct mock_domain, domain);
	struct mock_pasids *pasids = &to_mock_device(dev)->pasids;

	if (WARN(xa_load(&pasids->table, pasid) != from,
		 "mock: PASID %u is replaced, but has another domain\n", pasid))
		return -EINVAL;
	if (!mock_can_track(domain, dev))
		return -EINVAL;
	if (pasid == IOMMU_TEST_PASID_RESERVED)
		return -ENOMEM;
	xa_lock(&pasids->table);
	/* In place of an entry: nothing is allocated. */
	__xa_store(&pasids->table, pasid, mock, GFP_ATOMIC);
	cache_clean(pasids, pasid);
	xa_unlock(&pasids->table);
	mock_domain_hold(mock);
	mock_domain_release(from);
	mock_event(MOCK_EVENT_REPLACE, to_mock_device(dev)->index, 0, pasid);
	return 0;
}

/**
 * mock_remove_dev_pasid() - of struct iommu_ops
 * @dev: a mock device
 * @pasid: in its requests
 * @domain: what is there
 *
 * Context: may sleep; the iommu core serializes by group.
 */
void mock_remove_dev_pasid(struct device *dev, ioasid_t pasid, struct iommu_domain *domain)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);
	struct mock_pasids *pasids = &to_mock_device(dev)->pasids;

	check_taken(dev, pasid);
	xa_lock(&pasids->table);
	if (WARN(__xa_cmpxchg(&pasids->table, pasid, mock, NULL, GFP_ATOMIC) != mock,
		 "mock: PASID %u is removed, but has another domain\n", pasid)) {
		xa_unlock(&pasids->table);
		return;
	}
	cache_clean(pasids, pasid);
	pasids->nr--;
	xa_unlock(&pasids->table);
	mock_domain_release(mock);
	mock_event(MOCK_EVENT_REMOVE, to_mock_device(dev)->index, 0, pasid);
}

/**
 * mock_pasids_domain() - what an entry has
 * @pasids: the table
 * @pasid: in requests
 *
 * Context: any.
 * Return: the domain, only to be compared, or NULL.
 */
struct mock_domain *mock_pasids_domain(struct mock_pasids *pasids, u32 pasid)
{
	return xa_load(&pasids->table, pasid);
}

static int request(struct mock_pasids *pasids, u32 pasid, unsigned long iova, phys_addr_t *phys)
{
	struct mock_cached *line = cache_line(pasids, pasid);
	struct mock_domain *mock;

	lockdep_assert_held(&pasids->table.xa_lock);
	mock = xa_load(&pasids->table, pasid);
	if (line->pasid == pasid && WARN(line->domain != mock,
					 "mock: PASID %u is cached as it was\n", pasid))
		return -EIO;
	if (!mock)
		return -ENOENT;
	*line = (struct mock_cached) { .pasid = pasid, .domain = mock };
	*phys = mock_table_phys(mock->parent ? &mock->parent->table : &mock->table, iova);
	return 0;
}

/**
 * mock_pasids_request() - what a request of the device reaches
 * @pasids: the table
 * @pasid: in the request
 * @iova: in the request
 * @phys: set to the address, or 0
 *
 * Context: any; takes the table's lock.
 * Return: 0; -ENOENT if nothing is attached at the PASID; -EIO if the cache has
 * an entry that the table has not.
 */
int mock_pasids_request(struct mock_pasids *pasids, u32 pasid, unsigned long iova,
			phys_addr_t *phys)
{
	int rc;

	xa_lock(&pasids->table);
	rc = request(pasids, pasid, iova, phys);
	xa_unlock(&pasids->table);
	return rc;
}
