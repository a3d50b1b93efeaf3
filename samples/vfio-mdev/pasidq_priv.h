/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the sample pasidq share: see pasidq_main.c. */
#ifndef PASIDQ_PRIV_H
#define PASIDQ_PRIV_H

#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "pasidq.h"

#define PASIDQ_WIDTH	20

enum kept_state {
	KEPT_NONE,
	KEPT_PINNING,
	KEPT_PAGE,
};

/**
 * struct kept - a page that the device keeps
 * @state: whether there is one, or will be
 * @stale: PINNING, and what it is pinned from is being detached
 * @pasid: where it is
 * @iova: the same
 * @page: the page
 */
struct kept {
	enum kept_state state;
	bool stale;
	u32 pasid;
	unsigned long iova;
	struct page *page;
};

/**
 * struct ending - how a descriptor ends
 * @status: of enum pasidq_status
 * @pasid: where it failed
 * @iova: the same
 * @result: of SUM
 */
struct ending {
	u32 status;
	u32 pasid;
	u64 iova;
	u64 result;
};

/**
 * struct pasidq - a device
 * @vdev: VFIO's
 * @lock: protects all the rest. The driver unpins with it held, and neither pins
 *	nor copies, which may wait for user space
 * @pinned: woken when a page is no longer PINNING
 * @kept: the pages that it keeps
 * @done: for the register
 * @failed: for the register
 * @last: for the registers: how the last one failed
 * @config: configuration space
 */
struct pasidq {
	struct vfio_device vdev;
	struct mutex lock; /* see above */
	wait_queue_head_t pinned;
	struct kept kept[PASIDQ_MAX_KEPT];
	u64 done;
	u64 failed;
	struct ending last;
	u8 config[PCI_CFG_SPACE_SIZE];
};

void pasidq_queue_init(struct pasidq *q);
void pasidq_queue_reset(struct pasidq *q);
void pasidq_submit(struct pasidq *q, const struct pasidq_desc *desc);
void pasidq_unmap(struct pasidq *q, u32 pasid, u64 iova, u64 length);
void pasidq_read_regs(struct pasidq *q, struct pasidq_regs *regs);

#endif
