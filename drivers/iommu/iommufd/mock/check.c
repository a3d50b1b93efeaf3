// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test cannot see from user space: does a page table lead to the very
 * memory that the process has at an address, and how often is that pinned. Of an
 * empty range all of it is true.
 */
#include <linux/mm.h>
#include <linux/overflow.h>

#include "../tables/hwpt.h"
#include "mock.h"

/* The page at a user address, with a reference that is no pin. */
static struct page *user_page(unsigned long uaddr)
{
	struct page *page;
	long n = get_user_pages_fast(uaddr, 1, 0, &page);

	return n == 1 ? page : ERR_PTR(n < 0 ? n : -EFAULT);
}

static int check_one(struct mock_domain *mock, unsigned long iova, unsigned long uaddr)
{
	struct page *page = user_page(uaddr);
	phys_addr_t expected;

	if (IS_ERR(page))
		return PTR_ERR(page);
	expected = page_to_phys(page) + offset_in_page(uaddr);
	put_page(page);
	return mock_table_phys(&mock->table, iova) == expected ? 0 : -EINVAL;
}

/**
 * mock_check_map() - MD_CHECK_MAP: a page table leads to a process's memory
 * @call: the call
 * @id: the page table
 * @args: the IOVAs, and where the process has the memory
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if any page of it does not, if the range is not made of
 * the mock's pages, or if the page table is not the mock's; -ENOENT; -EFAULT.
 */
int mock_check_map(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(check_map) map = args;
	u64 done, end;
	int rc = 0;

	if (!IS_ALIGNED(map->iova | map->length | map->uptr, MOCK_PAGE_SIZE) ||
	    check_add_overflow(map->iova, map->length, &end) || end > ULONG_MAX ||
	    check_add_overflow(map->uptr, map->length, &end) || end > ULONG_MAX)
		return -EINVAL;

	CLASS(hwpt, hwpt)(call->ictx, id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (!mock_domain_of(hwpt->member.domain) || mock_domain_of(hwpt->member.domain)->parent)
		return -EINVAL;
	for (done = 0; done < map->length && !rc; done += MOCK_PAGE_SIZE) {
		rc = check_one(mock_domain_of(hwpt->member.domain), map->iova + done,
			       map->uptr + done);
		cond_resched();
	}
	return rc;
}

/*
 * The pins of a small folio are counted exactly. Those of a large one count for
 * any of its pages, and a run of them may be pinned with a single one.
 */
static bool pinned_so_often(struct folio *folio, u32 refs)
{
	if (folio_test_large(folio))
		return refs ? atomic_read(&folio->_pincount) >= refs :
			      !atomic_read(&folio->_pincount);
	return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS == refs;
}

/**
 * mock_check_refs() - MD_CHECK_REFS: memory is pinned a number of times
 * @call: the call
 * @id: means nothing
 * @args: the memory, and the number; of large folios, at least the number
 *
 * Context: may sleep.
 * Return: 0; -EIO if any page is not; -EINVAL for a range that is not made of
 * pages; -EFAULT.
 */
int mock_check_refs(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(check_refs) check = args;
	struct page *page;
	u64 done, end;
	bool ok;

	if (!PAGE_ALIGNED(check->length | check->uptr) ||
	    check_add_overflow(check->uptr, check->length, &end) || end > ULONG_MAX)
		return -EINVAL;

	for (done = 0; done < check->length; done += PAGE_SIZE) {
		page = user_page(check->uptr + done);
		if (IS_ERR(page))
			return PTR_ERR(page);
		ok = pinned_so_often(page_folio(page), check->refs);
		put_page(page);
		if (!ok)
			return -EIO;
		cond_resched();
	}
	return 0;
}
