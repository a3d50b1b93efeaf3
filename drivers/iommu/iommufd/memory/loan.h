/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loans: a few pages of a pages object, pinned for a copy and at no charge.
 */
#ifndef __IOMMUFD_LOAN_H
#define __IOMMUFD_LOAN_H

#include "pages.h"

#define LOAN_PAGES 8

/**
 * struct loan - a few pages, pinned for a moment and at no charge
 * @batch: the pages
 * @pages: where @batch has its pointers
 * @offset: of the first byte in the first page
 * @len: bytes
 */
struct loan {
	struct pin_batch batch;
	struct page *pages[LOAN_PAGES];
	unsigned int offset;
	size_t len;
};

ssize_t loan_borrow(struct pages *pages, unsigned long offset, size_t len, struct loan *loan);
void loan_copy(struct loan *loan, void *data, bool write);
void loan_return(struct loan *loan, bool dirty);

#endif
