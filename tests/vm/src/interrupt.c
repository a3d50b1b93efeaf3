// SPDX-License-Identifier: GPL-2.0
/*
 * A function's interrupt arrives whatever it is attached to: where the IOMMU translates the write
 * to the doorbell, that is mapped in each address space.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

/* Where Arm's driver has its doorbells */
#define DOORBELLS	0x8000000

/* Once it is in a page table it stays: nothing else is mapped there, attached or not. */
static void doorbells_are_kept(struct rig *rig)
{
	void *page = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	__u32 ioas, hwpt, pt;

	if (ioas_alloc(rig->iommu, &ioas) ||
	    hwpt_alloc(rig->iommu, 0, rig->devid, ioas, &hwpt))
		errx(1, "a page table of its own");
	check_rc(ioas_map(rig->iommu, ioas, page, PAGE, DOORBELLS, RW), 0,
		 "memory where no device has doorbells yet");
	pt = hwpt;
	check_rc(dev_attach(rig->dev, &pt), -EADDRINUSE, "attach where memory is in their place");
	check_rc(ioas_unmap(rig->iommu, ioas, DOORBELLS, PAGE), 0, "take it away");
	pt = hwpt;
	check_rc(dev_attach(rig->dev, &pt), 0, "attach then");
	pt = rig->ioas;
	check_rc(dev_attach(rig->dev, &pt), 0, "attach to the first again, the page table stays");
	check_rc(ioas_map(rig->iommu, ioas, page, PAGE, DOORBELLS, RW), -EINVAL,
		 "memory over doorbells of nobody");
	check_rc(destroy(rig->iommu, hwpt), 0, "the end of the page table");
	check_rc(ioas_map(rig->iommu, ioas, page, PAGE, DOORBELLS, RW), 0,
		 "memory where doorbells were");
	check_rc(destroy(rig->iommu, ioas), 0, "the end of the IOAS");
}

int main(int argc, char **argv)
{
	struct rig rig;
	__u32 other, pt;
	int irq;

	if (argc != 2)
		errx(2, "usage: interrupt BDF");
	rig_open(&rig, argv[1]);
	irq = irq_open(rig.dev);
	if (!check(irq >= 0, "the function has an interrupt", "%s", strerror(-irq)))
		return 1;
	check(irq_arrives(rig.bar, irq), "it arrives", "it did not");
	check(irq_arrives(rig.bar, irq), "and once more", "it did not");
	if (ioas_alloc(rig.iommu, &other))
		errx(1, "another IOAS");
	pt = other;
	check_rc(dev_attach(rig.dev, &pt), 0, "attach to another IOAS");
	check(irq_arrives(rig.bar, irq), "the same interrupt arrives there", "it did not");
	pt = rig.ioas;
	check_rc(dev_attach(rig.dev, &pt), 0, "attach to the first again");
	check(irq_arrives(rig.bar, irq), "and there", "it did not");
	check_rc(dev_detach(rig.dev), 0, "detach");
	pt = rig.ioas;
	check_rc(dev_attach(rig.dev, &pt), 0, "attach");
	check(irq_arrives(rig.bar, irq), "it arrives after a detach and attach", "it did not");
	doorbells_are_kept(&rig);
	check(irq_arrives(rig.bar, irq), "it arrives after that", "it did not");
	close(irq);
	rig_close(&rig);
	return check_done();
}
