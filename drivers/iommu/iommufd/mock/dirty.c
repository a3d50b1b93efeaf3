// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices write: the dirty bits in a page table of the mock.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../tables/hwpt.h"
#include "mock.h"

static int check_args(MOCK_ARGS(dirty) args)
{
	if (args->flags || !args->length || !is_power_of_2(args->page_size) ||
	    args->page_size < MOCK_PAGE_SIZE || args->length > MOCK_APERTURE_LAST ||
	    (args->iova | args->length) & (args->page_size - 1))
		return -EINVAL;
	return 0;
}

/**
 * mock_dirty() - DIRTY: write to the pages whose bits are set
 * @call: the call
 * @id: the page table
 * @args: the IOVAs and the bitmap; set to how many there were to write to
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if it is no page table that tracks, or not in whole pages;
 * -ENOENT; -EFAULT, -ENOMEM.
 */
int mock_dirty(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(dirty) dirty = args;
	struct mock_domain *mock;
	u64 bits, bit;
	u8 *bitmap;

	if (check_args(dirty))
		return -EINVAL;
	CLASS(hwpt, hwpt)(call->ictx, id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	mock = mock_domain_of(hwpt->member.domain);
	if (!mock || !mock->tracking)
		return -EINVAL;
	bits = dirty->length / dirty->page_size;
	bitmap = vmemdup_user(u64_to_user_ptr(dirty->uptr), DIV_ROUND_UP(bits, BITS_PER_BYTE));
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	dirty->out_nr_dirty = 0;
	for (bit = 0; bit < bits; bit++)
		if (bitmap[bit / BITS_PER_BYTE] & BIT(bit % BITS_PER_BYTE))
			dirty->out_nr_dirty += mock_table_set_dirty(&mock->table,
						dirty->iova + bit * dirty->page_size);
	kvfree(bitmap);
	return op_respond(call);
}
