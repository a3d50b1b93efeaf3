// SPDX-License-Identifier: GPL-2.0
/*
 * A function's interrupt arrives whatever it is attached to: where the IOMMU translates the write
 * to the doorbell, that is mapped in each address space.
 */
#include <err.h>
#include <string.h>
#include <unistd.h>
#include "rig.h"

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
	close(irq);
	rig_close(&rig);
	return check_done();
}
