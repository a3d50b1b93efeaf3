// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charges for pinned memory. A charge is made before a page is pinned and
 * refunded after it is unpinned, to the same account, whoever does it. Who pays
 * for an account may change in between: a charge and its count are one step.
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
 * payers_new() - a context without accounts
 *
 * Context: may sleep.
 * Return: the accounts, or NULL when memory is short.
 */
struct payers *payers_new(void)
{
	struct payers *payers = kzalloc(sizeof(*payers), GFP_KERNEL_ACCOUNT);

	if (!payers)
		return NULL;
	init_rwsem(&payers->lock);
	INIT_LIST_HEAD(&payers->accounts);
	return payers;
}

/**
 * payers_free() - the end of a context
 * @payers: the accounts, of which none is left
 *
 * Context: may sleep.
 */
void payers_free(struct payers *payers)
{
	WARN_ON(!list_empty(&payers->accounts) || atomic_long_read(&payers->bound) ||
		atomic_long_read(&payers->npages));
	kfree(payers);
}

static void payer_get_current(struct payer *payer, bool per_process)
{
	payer->per_process = per_process;
	payer->unlimited = capable(CAP_IPC_LOCK);
	payer->mm = current->mm;
	mmgrab(payer->mm);
	payer->task = current->group_leader;
	get_task_struct(payer->task);
	payer->cred = get_current_cred();
}

static void payer_copy(struct payer *to, const struct payer *from)
{
	*to = *from;
	mmgrab(to->mm);
	get_task_struct(to->task);
	get_cred(to->cred);
}

static void payer_put(struct payer *payer)
{
	put_cred(payer->cred);
	put_task_struct(payer->task);
	mmdrop(payer->mm);
}

/**
 * account_new() - an account of the calling process
 * @payers: where it belongs
 * @per_process: bounded per process, else per user
 *
 * Context: process, may sleep; takes payers.lock.
 * Return: the account with one reference, or NULL when memory is short.
 */
struct account *account_new(struct payers *payers, bool per_process)
{
	struct account *acct = kzalloc(sizeof(*acct), GFP_KERNEL_ACCOUNT);

	if (!acct)
		return NULL;
	refcount_set(&acct->refs, 1);
	payer_get_current(&acct->payer, per_process);
	acct->payers = payers;
	guard(rwsem_write)(&payers->lock);
	list_add(&acct->node, &payers->accounts);
	return acct;
}

/**
 * account_fits() - whether an account is the one that account_new() would make
 * @acct: the account
 * @per_process: bounded per process
 *
 * Context: process, may sleep; takes payers.lock.
 * Return: whether it is.
 */
bool account_fits(struct account *acct, bool per_process)
{
	guard(rwsem_read)(&acct->payers->lock);
	return acct->payer.mm == current->mm && acct->payer.cred == current_cred() &&
	       acct->payer.per_process == per_process;
}

/**
 * account_put() - drop a reference
 * @acct: the account; all that was charged by this user has been refunded
 *
 * Context: may sleep; takes payers.lock.
 */
void account_put(struct account *acct)
{
	if (!refcount_dec_and_test(&acct->refs))
		return;
	WARN_ON(atomic_long_read(&acct->npages));
	scoped_guard(rwsem_write, &acct->payers->lock)
		list_del(&acct->node);
	payer_put(&acct->payer);
	kfree(acct);
}

static int charge_user(const struct payer *payer, unsigned long npages)
{
	unsigned long limit = task_rlimit(payer->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	atomic_long_t *locked = &payer->cred->user->locked_vm;
	long cur = atomic_long_read(locked);

	do {
		if (cur + npages > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(locked, &cur, cur + npages));
	return 0;
}

static int charge_process(const struct payer *payer, unsigned long npages, bool inc)
{
	int rc;

	mmap_write_lock(payer->mm);
	rc = __account_locked_vm(payer->mm, npages, inc, payer->task, false);
	mmap_write_unlock(payer->mm);
	return rc;
}

/* The purse is what is bounded; a process also shows what is pinned for it. */
static int purse_charge(const struct payer *payer, unsigned long npages)
{
	if (payer->unlimited)
		return 0;
	return payer->per_process ? charge_process(payer, npages, true) :
				    charge_user(payer, npages);
}

static void purse_refund(const struct payer *payer, unsigned long npages)
{
	if (payer->unlimited)
		return;
	if (payer->per_process)
		charge_process(payer, npages, false);
	else
		atomic_long_sub(npages, &payer->cred->user->locked_vm);
}

static bool same_purse(const struct payer *a, const struct payer *b)
{
	if (a->unlimited || b->unlimited)
		return a->unlimited && b->unlimited;
	if (a->per_process || b->per_process)
		return a->per_process && b->per_process && a->mm == b->mm;
	return a->cred->user == b->cred->user;
}

/**
 * account_charge() - charge pages that are about to be pinned
 * @acct: who pays
 * @npages: how many
 *
 * Context: may sleep; takes payers.lock and the mmap lock.
 * Return: 0, or -ENOMEM beyond RLIMIT_MEMLOCK.
 */
int account_charge(struct account *acct, unsigned long npages)
{
	int rc;

	guard(rwsem_read)(&acct->payers->lock);
	rc = purse_charge(&acct->payer, npages);
	if (rc)
		return rc;
	atomic64_add(npages, &acct->payer.mm->pinned_vm);
	atomic_long_add(npages, &acct->npages);
	atomic_long_add(npages, &acct->payers->npages);
	return 0;
}

/**
 * account_refund() - take back a charge
 * @acct: who was charged
 * @npages: how many pages, not more than were charged
 *
 * Context: may sleep; takes payers.lock and the mmap lock.
 */
void account_refund(struct account *acct, unsigned long npages)
{
	guard(rwsem_read)(&acct->payers->lock);
	atomic_long_sub(npages, &acct->npages);
	atomic_long_sub(npages, &acct->payers->npages);
	atomic64_sub(npages, &acct->payer.mm->pinned_vm);
	purse_refund(&acct->payer, npages);
}

/* What an account has charged, from its payer to one who has it in the purse. */
static void account_move(struct account *acct, const struct payer *to)
{
	unsigned long npages = atomic_long_read(&acct->npages);
	struct payer from = acct->payer;

	lockdep_assert_held_write(&acct->payers->lock);
	payer_copy(&acct->payer, to);
	atomic64_add(npages, &to->mm->pinned_vm);
	atomic64_sub(npages, &from.mm->pinned_vm);
	if (!same_purse(&from, to))
		purse_refund(&from, npages);
	payer_put(&from);
}

static int take_over(struct payers *payers, const struct payer *to)
{
	unsigned long npages = 0;
	struct account *acct;
	int rc;

	guard(rwsem_write)(&payers->lock);
	if (atomic_long_read(&payers->bound))
		return -EINVAL;
	/* All at once: what can fail is one step, and before anything changes. */
	list_for_each_entry(acct, &payers->accounts, node)
		if (!same_purse(&acct->payer, to))
			npages += atomic_long_read(&acct->npages);
	rc = npages ? purse_charge(to, npages) : 0;
	if (rc)
		return rc;
	list_for_each_entry(acct, &payers->accounts, node)
		account_move(acct, to);
	return 0;
}

/**
 * payers_take_over() - the calling process pays for all accounts
 * @payers: the accounts
 * @per_process: bounded per process, else per user
 *
 * Context: process, may sleep; takes payers.lock and mmap locks.
 * Return: 0; -EINVAL if memory of a process is mapped; -ENOMEM beyond
 * RLIMIT_MEMLOCK. Nothing has changed then.
 */
int payers_take_over(struct payers *payers, bool per_process)
{
	struct payer to;
	int rc;

	payer_get_current(&to, per_process);
	rc = take_over(payers, &to);
	payer_put(&to);
	return rc;
}
