// SPDX-License-Identifier: GPL-2.0
/* The interrupt of edu: see rig.h. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>
#include "rig.h"

#define EDU_RAISE	0x60
#define EDU_ACK		0x64

int irq_open(int dev)
{
	struct {
		struct vfio_irq_set head;
		__s32 fd;
	} set = {
		.head = {
			.argsz = sizeof(set), .index = VFIO_PCI_MSI_IRQ_INDEX, .count = 1,
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		},
		.fd = eventfd(0, EFD_CLOEXEC),
	};

	if (set.fd < 0)
		err(1, "eventfd");
	if (ioctl(dev, VFIO_DEVICE_SET_IRQS, &set)) {
		close(set.fd);
		return -errno;
	}
	return set.fd;
}

bool irq_arrives(__u64 *bar, int irq)
{
	__u32 *reg = (__u32 *)bar;
	struct pollfd fd = { .fd = irq, .events = POLLIN };
	__u64 count;

	__atomic_store_n(reg + EDU_RAISE / 4, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(reg + EDU_ACK / 4, 1, __ATOMIC_SEQ_CST);
	return poll(&fd, 1, 1000) == 1 && read(irq, &count, 8) == 8 && count == 1;
}
