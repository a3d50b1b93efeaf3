// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a process: the frames pinned are those that the process sees.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/uaccess.h>

#include "account.h"
#include "loan.h"
#include "pages_fake_kunit.h"
#include "pages.h"

#define PAGES 100UL

/**
 * struct world - some memory of this process
 * @addr: where
 * @payers: where @account is
 * @account: who pays
 * @pages: all of it
 * @locked: what that user has locked elsewhere
 */
struct world {
	unsigned long addr;
	struct payers *payers;
	struct account *account;
	struct pages *pages;
	long locked;
};

/* A number per page, where the page is not the first thing of it. */
static u64 __user *tag_of(const struct world *w, u32 page)
{
	return (u64 __user *)(w->addr + page * PAGE_SIZE + 8 * (page % 7));
}

static struct world *make_world(struct kunit *test, unsigned long prot, bool writable)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->addr = kunit_vm_mmap(test, NULL, 0, PAGES * PAGE_SIZE, prot,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(w->addr) || !w->addr);
	w->payers = payers_new();
	KUNIT_ASSERT_NOT_NULL(test, w->payers);
	w->account = account_new(w->payers, false);
	KUNIT_ASSERT_NOT_NULL(test, w->account);
	/* A thread of the kernel has every capability. */
	w->account->payer.unlimited = false;
	w->locked = atomic_long_read(&current_user()->locked_vm);
	w->pages = pages_from_user(w->account, w->addr, PAGES, writable);
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->pages));
	for (i = 0; prot & PROT_WRITE && i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, put_user((u64)i * 0x1001, tag_of(w, i)), 0);
	return w;
}

static void expect_charged(struct kunit *test, struct world *w, long npages)
{
	KUNIT_EXPECT_EQ(test, atomic_long_read(&current_user()->locked_vm), w->locked + npages);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w->account->payer.mm->pinned_vm), npages);
	mutex_lock(&w->pages->lock);
	KUNIT_EXPECT_TRUE(test, pages_check(w->pages));
	KUNIT_EXPECT_EQ(test, RB_EMPTY_ROOT(&w->pages->extents.root), !npages);
	mutex_unlock(&w->pages->lock);
}

static void end_world(struct kunit *test, struct world *w)
{
	expect_charged(test, w, 0);
	pages_put(w->pages);
	account_put(w->account);
	payers_free(w->payers);
}

/* Each frame of a pinned slice has the number of its page; add one to each. */
static void expect_tags(struct kunit *test, struct world *w, u32 first, u32 count)
{
	u32 page = first, k;
	struct pages_iter it;
	unsigned long pfn, n;

	mutex_lock(&w->pages->lock);
	pages_iter_init(&it, w->pages, first, count);
	while ((n = pages_iter_next(&it, &pfn))) {
		for (k = 0; k < n; k++, page++) {
			u64 *tag = kmap_local_page(pfn_to_page(pfn + k)) + 8 * (page % 7);

			KUNIT_EXPECT_EQ(test, *tag, (u64)page * 0x1001);
			KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(pfn_folio(pfn + k)));
			++*tag;
			kunmap_local(tag);
		}
	}
	mutex_unlock(&w->pages->lock);
	KUNIT_EXPECT_EQ(test, page, first + count);
}

static void user_sees_what_is_written(struct kunit *test)
{
	struct world *w = make_world(test, PROT_READ | PROT_WRITE, true);
	struct page *page;
	u32 i;

	KUNIT_ASSERT_EQ(test, pages_pin(w->pages, 0, PAGES), 0);
	expect_charged(test, w, PAGES);
	expect_tags(test, w, 0, PAGES);
	pages_release(w->pages, 0, PAGES);
	for (i = 0; i < PAGES; i++) {
		u64 tag = 0;

		KUNIT_EXPECT_EQ(test, get_user(tag, tag_of(w, i)), 0);
		KUNIT_EXPECT_EQ(test, tag, (u64)i * 0x1001 + 1);
		KUNIT_ASSERT_EQ(test, get_user_pages_fast(w->addr + i * PAGE_SIZE, 1, 0, &page), 1);
		KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(page)));
		KUNIT_EXPECT_TRUE(test, PageDirty(page));
		put_page(page);
	}
	end_world(test, w);
}

/* Memory that goes away stays with who has it pinned, and nobody else gets it. */
static void user_unmaps(struct kunit *test)
{
	struct world *w = make_world(test, PROT_READ | PROT_WRITE, true);

	KUNIT_ASSERT_EQ(test, pages_pin(w->pages, 10, 30), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(w->addr + 20 * PAGE_SIZE, 30 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, PAGES), -EFAULT);
	expect_charged(test, w, 30);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 45, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, 40), 0);
	expect_charged(test, w, 40);
	pages_release(w->pages, 10, 30);
	expect_tags(test, w, 0, 40);
	pages_release(w->pages, 0, 40);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 15, 10), -EFAULT);
	end_world(test, w);
}

static void user_read_only(struct kunit *test)
{
	struct world *w = make_world(test, PROT_READ, true);

	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, PAGES), -EFAULT);
	end_world(test, w);

	w = make_world(test, PROT_READ, false);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, PAGES), 0);
	expect_charged(test, w, PAGES);
	pages_release(w->pages, 0, PAGES);
	end_world(test, w);
}

/* More than the limit allows is refused whole; the last page that fits is not. */
static void user_memlock(struct kunit *test)
{
	struct world *w = make_world(test, PROT_READ | PROT_WRITE, true);
	struct rlimit *limit = &w->account->payer.task->signal->rlim[RLIMIT_MEMLOCK];

	limit->rlim_cur = (w->locked + 60) * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, 61), -ENOMEM);
	expect_charged(test, w, 0);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, 50), 0);
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 40, 21), -ENOMEM);
	expect_charged(test, w, 50);
	/* What is pinned already costs nothing more. */
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, 60), 0);
	expect_charged(test, w, 60);
	pages_release(w->pages, 0, 60);
	expect_charged(test, w, 50);
	pages_release(w->pages, 0, 50);
	w->account->payer.unlimited = true;
	KUNIT_EXPECT_EQ(test, pages_pin(w->pages, 0, PAGES), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w->account->payer.mm->pinned_vm), PAGES);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&current_user()->locked_vm), w->locked);
	pages_release(w->pages, 0, PAGES);
	end_world(test, w);
}

/* A loan copies any bytes, both ways, and leaves no pin and no charge. */
static void copy(struct kunit *test, struct world *w, unsigned long offset, u8 *data, size_t len,
		 bool write)
{
	struct loan loan;
	size_t done = 0;

	while (done < len) {
		ssize_t n = loan_borrow(w->pages, offset + done, len - done, &loan);

		KUNIT_ASSERT_GT(test, n, 0);
		KUNIT_ASSERT_LE(test, n, len - done);
		loan_copy(&loan, data + done, write);
		loan_return(&loan, write);
		done += n;
	}
}

/* A page that a slice has pinned, and nobody else, has one pin. */
static void expect_one_pin(struct kunit *test, struct world *w, u32 first, u32 count)
{
	unsigned long pfn, n, k;
	struct pages_iter it;

	mutex_lock(&w->pages->lock);
	pages_iter_init(&it, w->pages, first, count);
	while ((n = pages_iter_next(&it, &pfn)))
		for (k = 0; k < n; k++)
			if (!folio_test_large(pfn_folio(pfn + k)))
				KUNIT_EXPECT_EQ(test, fake_pins(pfn_folio(pfn + k)), 1);
	mutex_unlock(&w->pages->lock);
}

static void user_loan(struct kunit *test)
{
	static const u32 spans[][2] = {
		{ 0, 1 }, { 1, 1 }, { PAGE_SIZE - 1, 2 }, { PAGE_SIZE, PAGE_SIZE },
		{ 100, 9 * PAGE_SIZE }, { 5 * PAGE_SIZE + 1, 20 * PAGE_SIZE - 2 },
		{ 0, LOAN_PAGES * PAGE_SIZE }, { PAGES * PAGE_SIZE - 3, 3 },
	};
	struct world *w = make_world(test, PROT_READ | PROT_WRITE, true);
	u8 *data = kunit_kzalloc(test, 20 * PAGE_SIZE, GFP_KERNEL);
	u8 *seen = kunit_kzalloc(test, 20 * PAGE_SIZE, GFP_KERNEL);
	u32 i, k;

	KUNIT_ASSERT_TRUE(test, data && seen);
	/* Twice: first nothing is pinned, then a part of it is. */
	for (k = 0; k < 2; k++) {
		for (i = 0; i < ARRAY_SIZE(spans); i++) {
			void __user *addr = (void __user *)(w->addr + spans[i][0]);
			size_t len = spans[i][1];

			get_random_bytes(data, len);
			copy(test, w, spans[i][0], data, len, true);
			KUNIT_ASSERT_EQ(test, copy_from_user(seen, addr, len), 0);
			KUNIT_EXPECT_MEMEQ(test, seen, data, len);
			memset(seen, 0, len);
			copy(test, w, spans[i][0], seen, len, false);
			KUNIT_EXPECT_MEMEQ(test, seen, data, len);
			expect_charged(test, w, k ? 6 : 0);
			if (k)
				expect_one_pin(test, w, 4, 6);
		}
		if (!k)
			KUNIT_ASSERT_EQ(test, pages_pin(w->pages, 4, 6), 0);
	}
	/* What is pinned is what is lent, though the process has it no more. */
	KUNIT_ASSERT_EQ(test, vm_munmap(w->addr, PAGES * PAGE_SIZE), 0);
	copy(test, w, 4 * PAGE_SIZE, data, 6 * PAGE_SIZE, true);
	copy(test, w, 4 * PAGE_SIZE, seen, 6 * PAGE_SIZE, false);
	KUNIT_EXPECT_MEMEQ(test, seen, data, 6 * PAGE_SIZE);
	expect_one_pin(test, w, 4, 6);
	pages_release(w->pages, 4, 6);
	end_world(test, w);
}

static struct kunit_case user_cases[] = {
	KUNIT_CASE(user_sees_what_is_written),
	KUNIT_CASE(user_unmaps),
	KUNIT_CASE(user_read_only),
	KUNIT_CASE(user_memlock),
	KUNIT_CASE(user_loan),
	{}
};

static struct kunit_suite user_suite = {
	.name = "iommufd_pages_user",
	.test_cases = user_cases,
};

kunit_test_suite(user_suite);
