/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who pays for pinned memory: a user or a process, bounded by RLIMIT_MEMLOCK.
 * Shared by reference among everything that the same payer maps, so that another
 * process can take over what all of it has charged. Lowest layer.
 */
#ifndef __IOMMUFD_ACCOUNT_H
#define __IOMMUFD_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct cred;
struct mm_struct;
struct task_struct;

/**
 * struct payer - a process
 * @per_process: bounded by the process's locked memory, not by the user's
 * @unlimited: it has CAP_IPC_LOCK: counted, not bounded
 * @mm: its address space, where the count is shown; mmgrab()ed, so that it may be
 *	dead
 * @task: whose RLIMIT_MEMLOCK counts
 * @cred: its user is charged unless @per_process
 */
struct payer {
	bool per_process;
	bool unlimited;
	struct mm_struct *mm;
	struct task_struct *task;
	const struct cred *cred;
};

/**
 * struct payers - all accounts of a context
 * @lock: held for reading to charge, for writing when who pays changes; a leaf,
 *	but for the mmap lock
 * @accounts: struct account; protected by @lock
 * @bound: pages objects of a process's own memory, for which nobody else can pay
 * @npages: what all accounts have charged
 */
struct payers {
	struct rw_semaphore lock;
	struct list_head accounts;
	atomic_long_t bound;
	atomic_long_t npages;
};

/**
 * struct account - what somebody pays for
 * @refs: references
 * @payers: where it is
 * @node: in payers.accounts
 * @payer: who pays; protected by payers.lock
 * @npages: what has been charged; changed with payers.lock held for reading
 */
struct account {
	refcount_t refs;
	struct payers *payers;
	struct list_head node;
	struct payer payer;
	atomic_long_t npages;
};

struct payers *payers_new(void);
void payers_free(struct payers *payers);
int payers_take_over(struct payers *payers, bool per_process);
struct account *account_new(struct payers *payers, bool per_process);
bool account_fits(struct account *acct, bool per_process);
void account_put(struct account *acct);
int account_charge(struct account *acct, unsigned long npages);
void account_refund(struct account *acct, unsigned long npages);

static inline struct account *account_hold(struct account *acct)
{
	refcount_inc(&acct->refs);
	return acct;
}

#endif
