// SPDX-License-Identifier: GPL-2.0-only
/*
 * The software MSI window. On some machines (Arm) a device's interrupt is a write to
 * a doorbell, a page of the interrupt controller, that the IOMMU translates as any
 * other. The device's driver says where in the device's address space there is room
 * for doorbells, IOMMU_RESV_SW_MSI; user space maps nothing there, and a guest leaves
 * those addresses as they are.
 *
 * A doorbell has one place in the window, in all domains, from the first interrupt
 * that needs it to the end of the machine's run. So a device keeps its interrupts
 * when it is attached to another domain: that gets every doorbell that there is. It
 * is mapped beside what the domain is filled with; of that this file knows nothing.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/msi.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "core.h"
#include "sw_msi.h"

/* What drivers leave for it is much more; machines have a doorbell per controller. */
#define SW_MSI_MAX	64
#define SW_MSI_PROT	(IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO)

/**
 * struct sw_msi - a domain's window
 * @core: what the iommu core asks
 * @domain: the domain
 * @start: of the window
 * @max: doorbells it has room for
 * @mapped: which are there
 */
struct sw_msi {
	struct iommu_sw_msi core;
	struct iommu_domain *domain;
	unsigned long start;
	unsigned int max;
	DECLARE_BITMAP(mapped, SW_MSI_MAX);
};

/* doorbells, nr_doorbells, and of all windows @mapped */
static DEFINE_MUTEX(sw_msi_lock);
static phys_addr_t doorbells[SW_MSI_MAX];
static unsigned int nr_doorbells;

static unsigned long place(const struct sw_msi *window, unsigned int at)
{
	return window->start + at * PAGE_SIZE;
}

static int map_doorbell(struct sw_msi *window, unsigned int at)
{
	int rc;

	lockdep_assert_held(&sw_msi_lock);
	if (test_bit(at, window->mapped))
		return 0;
	if (at >= window->max)
		return -ENOSPC;
	rc = iommu_map(window->domain, place(window, at), doorbells[at], PAGE_SIZE, SW_MSI_PROT,
		       GFP_KERNEL_ACCOUNT);
	if (!rc)
		__set_bit(at, window->mapped);
	return rc;
}

/* An interrupt of a device that is attached to the window's domain. */
static int prepare(struct iommu_sw_msi *core, struct msi_desc *desc, phys_addr_t address)
{
	struct sw_msi *window = container_of(core, struct sw_msi, core);
	phys_addr_t page = address & PAGE_MASK;
	unsigned int at;
	int rc;

	guard(mutex)(&sw_msi_lock);
	for (at = 0; at < nr_doorbells && doorbells[at] != page; at++)
		;
	if (at == SW_MSI_MAX)
		return -ENOSPC;
	doorbells[at] = page;
	rc = map_doorbell(window, at);
	if (rc)
		return rc;
	if (at == nr_doorbells)
		nr_doorbells++;
	msi_desc_set_iommu_msi_iova(desc, place(window, at), PAGE_SHIFT);
	return 0;
}

/**
 * sw_msi_window() - where a device has its window
 * @dev: the device
 * @start: takes the first IOVA
 * @length: takes its size in bytes
 *
 * Context: may sleep.
 * Return: false if the device's interrupts are not translated.
 */
bool sw_msi_window(struct device *dev, unsigned long *start, size_t *length)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	bool found = false;

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list) {
		if (region->type != IOMMU_RESV_SW_MSI)
			continue;
		*start = region->start;
		*length = region->length;
		found = true;
		break;
	}
	iommu_put_resv_regions(dev, &regions);
	return found;
}

/**
 * sw_msi_domain() - where the doorbells of a domain are mapped
 * @domain: the domain
 *
 * Context: any.
 * Return: @domain, or, where its tables are a user's, the one that they go through.
 */
struct iommu_domain *sw_msi_domain(struct iommu_domain *domain)
{
	return domain->ops->msi_parent ? domain->ops->msi_parent(domain) : domain;
}

/**
 * sw_msi_ready() - let a device's interrupts through a domain
 * @domain: sw_msi_domain() of what it is about to be attached to; its window stays
 *	until the end of it
 * @start: where the device has its window, in which nothing else is mapped as long
 * @length: its size in bytes
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if other devices have their window elsewhere; -ENOMEM; why a
 * doorbell cannot be mapped.
 */
int sw_msi_ready(struct iommu_domain *domain, unsigned long start, size_t length)
{
	struct sw_msi *window;
	unsigned int at;
	int rc = 0;

	guard(mutex)(&sw_msi_lock);
	if (!domain->sw_msi) {
		window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
		if (!window)
			return -ENOMEM;
		window->core.prepare = prepare;
		window->domain = domain;
		window->start = start;
		window->max = min_t(size_t, length / PAGE_SIZE, SW_MSI_MAX);
		/* Before it is attached nobody looks there. */
		WRITE_ONCE(domain->sw_msi, &window->core);
	}
	window = container_of(domain->sw_msi, struct sw_msi, core);
	if (window->start != start)
		return -EINVAL;
	for (at = 0; at < nr_doorbells && !rc; at++)
		rc = map_doorbell(window, at);
	return rc;
}

/**
 * sw_msi_free() - the end of a domain's window
 * @domain: attached nowhere, about to be freed
 *
 * Context: any.
 */
void sw_msi_free(struct iommu_domain *domain)
{
	if (!domain->sw_msi)
		return;
	kfree(container_of(domain->sw_msi, struct sw_msi, core));
	domain->sw_msi = NULL;
}
