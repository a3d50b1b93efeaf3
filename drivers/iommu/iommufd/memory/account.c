// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charges for pinned memory. A charge is made before a page is pinned and
 * refunded after it is unpinned, to the same account, whoever does it.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "account.h"

/**
 * account_new() - an account of the calling process
 * @per_process: bounded per process, else per user
 *
 * Context: process, may sleep.
 * Return: the account with one reference, or NULL when memory is short.
 */
struct account *account_new(bool per_process)
{
	struct account *acct = kzalloc(sizeof(*acct), GFP_KERNEL_ACCOUNT);

	if (!acct)
		return NULL;
	refcount_set(&acct->refs, 1);
	acct->per_process = per_process;
	acct->unlimited = capable(CAP_IPC_LOCK);
	acct->mm = current->mm;
	mmgrab(acct->mm);
	acct->task = current->group_leader;
	get_task_struct(acct->task);
	acct->cred = get_current_cred();
	return acct;
}

/**
 * account_fits() - whether an account is the one that account_new() would make
 * @acct: the account
 * @per_process: bounded per process
 *
 * Context: process.
 * Return: whether it is.
 */
bool account_fits(const struct account *acct, bool per_process)
{
	return acct->mm == current->mm && acct->cred == current_cred() &&
	       acct->per_process == per_process;
}

/**
 * account_put() - drop a reference
 * @acct: the account; all that was charged by this user has been refunded
 *
 * Context: may sleep.
 */
void account_put(struct account *acct)
{
	if (!refcount_dec_and_test(&acct->refs))
		return;
	put_cred(acct->cred);
	put_task_struct(acct->task);
	mmdrop(acct->mm);
	kfree(acct);
}

static int charge_user(struct account *acct, unsigned long npages)
{
	unsigned long limit = task_rlimit(acct->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	atomic_long_t *locked = &acct->cred->user->locked_vm;
	long cur = atomic_long_read(locked);

	do {
		if (cur + npages > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(locked, &cur, cur + npages));
	return 0;
}

static int charge_process(struct account *acct, unsigned long npages, bool inc)
{
	int rc;

	mmap_write_lock(acct->mm);
	rc = __account_locked_vm(acct->mm, npages, inc, acct->task, false);
	mmap_write_unlock(acct->mm);
	return rc;
}

/**
 * account_charge() - charge pages that are about to be pinned
 * @acct: who pays
 * @npages: how many
 *
 * Context: may sleep; takes the mmap lock.
 * Return: 0, or -ENOMEM beyond RLIMIT_MEMLOCK.
 */
int account_charge(struct account *acct, unsigned long npages)
{
	int rc = 0;

	if (acct->per_process && !acct->unlimited)
		rc = charge_process(acct, npages, true);
	else if (!acct->unlimited)
		rc = charge_user(acct, npages);
	if (!rc)
		atomic64_add(npages, &acct->mm->pinned_vm);
	return rc;
}

/**
 * account_refund() - take back a charge
 * @acct: who was charged
 * @npages: how many pages, not more than were charged
 *
 * Context: may sleep; takes the mmap lock.
 */
void account_refund(struct account *acct, unsigned long npages)
{
	atomic64_sub(npages, &acct->mm->pinned_vm);
	if (acct->unlimited)
		return;
	if (acct->per_process)
		charge_process(acct, npages, false);
	else
		atomic_long_sub(npages, &acct->cred->user->locked_vm);
}
