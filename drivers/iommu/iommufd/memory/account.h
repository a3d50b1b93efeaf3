/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who pays for pinned memory: a user or a process, bounded by RLIMIT_MEMLOCK.
 * Shared by reference among everything that the same payer maps. Lowest layer.
 */
#ifndef __IOMMUFD_ACCOUNT_H
#define __IOMMUFD_ACCOUNT_H

#include <linux/refcount.h>
#include <linux/types.h>

struct cred;
struct mm_struct;
struct task_struct;

/**
 * struct account - a payer
 * @refs: references
 * @per_process: bounded by the process's locked memory, not by the user's
 * @unlimited: made with CAP_IPC_LOCK: counted, not bounded
 * @mm: the address space that memory is taken from; mmgrab()ed, so that it may
 *	be dead
 * @task: whose RLIMIT_MEMLOCK counts
 * @cred: of who made it; its user is charged unless @per_process
 */
struct account {
	refcount_t refs;
	bool per_process;
	bool unlimited;
	struct mm_struct *mm;
	struct task_struct *task;
	const struct cred *cred;
};

struct account *account_new(bool per_process);
bool account_fits(const struct account *acct, bool per_process);
void account_put(struct account *acct);
int account_charge(struct account *acct, unsigned long npages);
void account_refund(struct account *acct, unsigned long npages);

static inline struct account *account_hold(struct account *acct)
{
	refcount_inc(&acct->refs);
	return acct;
}

#endif
