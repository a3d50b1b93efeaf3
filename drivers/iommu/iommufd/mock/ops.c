// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU driver of the mock: what drivers/iommu/ calls.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "mock.h"

static atomic_t nr_domains = ATOMIC_INIT(0);
static atomic_t nr_attached = ATOMIC_INIT(0);

/**
 * mock_domain_hold() - a device, or a PASID of one, goes through a domain
 * @mock: the domain
 *
 * Context: any.
 */
void mock_domain_hold(struct mock_domain *mock)
{
	atomic_inc(&mock->attached);
	atomic_inc(&nr_attached);
}

/**
 * mock_domain_release() - it does not any more
 * @mock: the domain
 *
 * Context: any.
 */
void mock_domain_release(struct mock_domain *mock)
{
	WARN(atomic_dec_return(&mock->attached) < 0, "mock: a domain is detached too often\n");
	atomic_dec(&nr_attached);
}

/* Attached where no paging domain is; a mock device does no DMA to translate. */
static int detach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	if (domain)
		mock_viommu_enter(mdev, NULL);
	if (mdev->domain)
		mock_domain_release(mdev->domain);
	mdev->domain = NULL;
	return 0;
}

static const struct iommu_domain_ops static_ops = {
	.attach_dev = detach_dev,
};

static struct iommu_domain mock_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &static_ops,
};

static struct iommu_domain mock_identity = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &static_ops,
};

/**
 * mock_attach_dev() - of struct iommu_domain_ops
 * @domain: a paging or nested domain
 * @dev: a mock device
 *
 * Context: may sleep; the iommu core serializes by group.
 * Return: 0; -EINVAL for one that tracks what the device cannot; -ENOENT for one of a
 * virtual IOMMU that does not know the device.
 */
int mock_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);
	struct mock_device *mdev = to_mock_device(dev);
	int rc;

	if (!mock_can_track(domain, dev))
		return -EINVAL;
	rc = mock_viommu_enter(mdev, mock->viommu);
	if (rc)
		return rc;
	detach_dev(NULL, dev);
	mock_domain_hold(mock);
	mdev->domain = mock;
	return 0;
}

static int map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		     size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);

	return mock_table_map(&mock->table, iova, phys, pgsize, pgcount, prot, gfp, mapped);
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			  size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);

	return mock_table_unmap(&mock->table, iova, pgsize * pgcount);
}

static void iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	mock_table_sync(&container_of(domain, struct mock_domain, domain)->table, gather);
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);

	return mock_table_phys(&mock->table, iova);
}

/**
 * mock_domain_new() - a domain, empty
 *
 * Context: may sleep.
 * Return: the domain without operations, or NULL.
 */
struct mock_domain *mock_domain_new(void)
{
	struct mock_domain *mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);

	if (!mock)
		return NULL;
	mock_table_init(&mock->table);
	atomic_inc(&nr_domains);
	return mock;
}

/**
 * mock_domain_free() - of struct iommu_domain_ops
 * @domain: attached nowhere
 *
 * Context: may sleep.
 */
void mock_domain_free(struct iommu_domain *domain)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);

	WARN(atomic_read(&mock->attached), "mock: a domain ends where it is attached\n");
	mock_table_exit(&mock->table);
	kfree(mock);
	atomic_dec(&nr_domains);
}

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.replace_dev_pasid = mock_replace_dev_pasid,
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.iotlb_sync = iotlb_sync,
	.iova_to_phys = iova_to_phys,
	.free = mock_domain_free,
};

static int set_dirty_tracking(struct iommu_domain *domain, bool enabled)
{
	container_of(domain, struct mock_domain, domain)->tracking = enabled;
	return 0;
}

static int read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova, size_t size,
				unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	struct mock_domain *mock = container_of(domain, struct mock_domain, domain);

	/* Without a bitmap it is asked to clear, as before tracking is turned on. */
	if (!mock->tracking && dirty->bitmap)
		return -EINVAL;
	mock_table_read_dirty(&mock->table, iova, size, !(flags & IOMMU_DIRTY_NO_CLEAR), dirty);
	return 0;
}

static const struct iommu_dirty_ops dirty_ops = {
	.set_dirty_tracking = set_dirty_tracking,
	.read_and_clear_dirty = read_and_clear_dirty,
};

/*
 * Who tracks wants small pages, since a large one has one dirty bit; unless the
 * test says otherwise.
 */
static int page_sizes(bool tracks, const struct iommu_user_data *user_data, unsigned long *sizes)
{
	struct iommu_hwpt_selftest data = {};
	int rc;

	if (user_data) {
		rc = iommu_copy_struct_from_user(&data, user_data, IOMMU_HWPT_DATA_SELFTEST,
						 pagetable_type);
		if (rc)
			return rc;
		if (data.pagetable_type > MOCK_IOMMUPT_HUGE)
			return -EOPNOTSUPP;
	}
	*sizes = MOCK_PAGE_SIZE;
	*sizes |= tracks && data.pagetable_type == MOCK_IOMMUPT_DEFAULT ? PAGE_SIZE :
									  MOCK_HUGE_PAGE_SIZE;
	return 0;
}

static struct iommu_domain *domain_alloc_user(struct device *dev, u32 flags,
					      struct iommu_domain *parent,
					      const struct iommu_user_data *user_data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct mock_domain *mock;
	unsigned long sizes;
	int rc;

	if (parent)
		return mock_nested_alloc(parent, flags, user_data);
	if ((flags & ~known) ||
	    (dirty && (to_mock_device(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY)))
		return ERR_PTR(-EOPNOTSUPP);
	rc = page_sizes(dirty, user_data, &sizes);
	if (rc)
		return ERR_PTR(rc);
	mock = mock_domain_new();
	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &paging_ops;
	mock->domain.geometry.aperture_start = MOCK_APERTURE_START;
	mock->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
	mock->domain.geometry.force_aperture = true;
	mock->domain.pgsize_bitmap = sizes;
	if (dirty)
		mock->domain.dirty_ops = &dirty_ops;
	return &mock->domain;
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	if (cap == IOMMU_CAP_DIRTY_TRACKING)
		return !(to_mock_device(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static void *hw_info(struct device *dev, u32 *length, u32 *type)
{
	static const struct iommu_test_hw_info info = {
		.test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL,
	};

	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	*length = sizeof(info);
	return kmemdup(&info, sizeof(info), GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
}

/* Identity needs no domain that could fail to be allocated. */
static int def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

const struct iommu_ops mock_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = mock_capable,
	.hw_info = hw_info,
	.domain_alloc_user = domain_alloc_user,
	.probe_device = mock_iommu_device,
	.device_group = mock_device_group,
	.remove_dev_pasid = mock_remove_dev_pasid,
	.dev_enable_feat = mock_enable_feature,
	.dev_disable_feat = mock_disable_feature,
	.page_response = mock_page_response,
	.user_pasid_table = true,
	.viommu_ops = mock_viommu_ops,
	.def_domain_type = def_domain_type,
	.default_domain_ops = &paging_ops,
	.pgsize_bitmap = MOCK_PAGE_SIZE | MOCK_HUGE_PAGE_SIZE,
	.identity_domain = &mock_identity,
	.blocked_domain = &mock_blocked,
	.release_domain = &mock_blocked,
};

/**
 * mock_domain_of() - a domain as the mock's
 * @domain: any domain
 *
 * Return: NULL if it is another driver's.
 */
struct mock_domain *mock_domain_of(struct iommu_domain *domain)
{
	if (domain->ops != &paging_ops && domain->ops != &mock_nested_ops)
		return NULL;
	return container_of(domain, struct mock_domain, domain);
}

/**
 * mock_domains_left() - for a check for leaks
 *
 * Return: paging domains that are not freed.
 */
int mock_domains_left(void)
{
	return atomic_read(&nr_domains);
}

/**
 * mock_domains_attached() - for a check for leaks
 *
 * Return: devices and PASIDs that go through paging domains.
 */
int mock_domains_attached(void)
{
	return atomic_read(&nr_attached);
}
