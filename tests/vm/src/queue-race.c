// SPDX-License-Identifier: GPL-2.0
/*
 * Threads submit to the sample device pasidq while what they name is attached, replaced, detached,
 * unmapped and reset: when such a call has returned, nothing of the device comes any more where it
 * went before.
 */
#include <err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "pq.h"
#include "rig.h"

#define THREADS	3
#define STEADY	9	/* the PASID of the records, which stays as it is */
#define QUIET	0x5a

static atomic_bool stop;
static atomic_ulong ended[PASIDQ_ERROR + 1];

/* Which descriptor comes at all does not matter, nor how it ends, as long as that can be. */
static void *submitter(void *arg)
{
	const __u32 ops[] = { PASIDQ_COPY, PASIDQ_KEEP, PASIDQ_FILL, PASIDQ_NOP, PASIDQ_COPY,
			      PASIDQ_DROP };
	size_t slot = (size_t)arg * sizeof(struct pasidq_record), i;
	struct pasidq_record *record = (void *)(c.mem + RECORD - BASE + slot);

	for (i = slot; !stop; i++) {
		struct pasidq_desc desc = move(ops[i % 6], a.pasid, b.pasid);

		if (desc.op == PASIDQ_KEEP)
			desc.dst = KEEP;
		desc.flags = PASIDQ_RECORD;
		desc.record_pasid = STEADY;
		desc.record = RECORD + slot;
		submit(&desc);
		if (record->status > PASIDQ_ERROR)
			errx(1, "status %u", record->status);
		ended[record->status]++;
		record->status = 0;
	}
	return NULL;
}

/* Whether a page that the device wrote to stays as it is for a while. */
static bool quiet(const struct space *space, __u64 iova)
{
	__u8 *mem = space->mem + (iova - BASE);
	size_t i, bad = 0;

	memset(mem, QUIET, PAGE);
	usleep(300);
	for (i = 0; i < PAGE; i++)
		bad += mem[i] != QUIET;
	return !bad;
}

static unsigned long detached(void)
{
	unsigned long bad;

	if (dev_detach_pasid(dev, b.pasid))
		errx(1, "detaching");
	bad = !quiet(&b, DST) + !quiet(&b, KEEP);
	xattach(b.pasid, b.ioas);
	return bad;
}

static unsigned long replaced(struct space *other)
{
	unsigned long bad;

	xattach(b.pasid, other->ioas);
	bad = !quiet(&b, DST) + !quiet(&b, KEEP);
	xattach(b.pasid, b.ioas);
	return bad + !quiet(other, DST) + !quiet(other, KEEP);
}

static unsigned long unmapped(void)
{
	unsigned long bad;

	if (ioas_unmap(iommu, b.ioas, KEEP, PAGE))
		errx(1, "unmapping");
	bad = !quiet(&b, KEEP);
	xmap(&b, b.mem + KEEP - BASE, KEEP, PAGE, RW);
	return bad;
}

static unsigned long rounds(time_t seconds, struct space *other, unsigned long *bad)
{
	time_t until = time(NULL) + seconds;
	unsigned long n;

	for (n = 0; time(NULL) < until; n++) {
		bad[0] += detached();
		bad[1] += replaced(other);
		bad[2] += unmapped();
		if (n % 16 == 0 && ioctl(dev, VFIO_DEVICE_RESET))
			err(1, "VFIO_DEVICE_RESET");
		usleep(n % 8 * 100);
	}
	return n;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	unsigned long bad[3] = {};
	unsigned long n;
	struct space other;
	size_t i;

	if (argc != 3)
		errx(2, "usage: queue-race PATH SECONDS");
	pq_open(argv[1]);
	a.pasid = 1;
	b.pasid = TAG;
	xattach(a.pasid, a.ioas);
	xattach(b.pasid, b.ioas);
	xattach(STEADY, c.ioas);
	new_space(&other);
	for (i = 0; i < THREADS; i++)
		threads[i] = start(submitter, (void *)i);
	n = rounds(atoi(argv[2]), &other, bad);
	stop = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	printf("%lu rounds; done %lu, no PASID %lu, unmapped %lu, busy %lu, not kept %lu\n", n,
	       ended[PASIDQ_OK], ended[PASIDQ_NO_PASID], ended[PASIDQ_UNMAPPED],
	       ended[PASIDQ_BUSY], ended[PASIDQ_NOT_KEPT]);
	check(!bad[0], "nothing comes after a detach", "%lu of %lu times", bad[0], n);
	check(!bad[1], "nothing comes after a replace", "%lu of %lu times", bad[1], n);
	check(!bad[2], "nothing comes after an unmap", "%lu of %lu times", bad[2], n);
	check(n > 10 && ended[PASIDQ_OK] && ended[PASIDQ_NO_PASID] && ended[PASIDQ_UNMAPPED],
	      "the descriptors met them all", "they did not");
	n = ended[0] + ended[PASIDQ_BAD_DESC] + ended[PASIDQ_BAD_ADDRESS] +
	    ended[PASIDQ_DENIED] + ended[PASIDQ_ERROR];
	check(!n, "and ended in no other way", "%lu did", n);
	dev_detach_pasid(dev, b.pasid);
	check(!pins() && !regs().kept, "nothing is kept", "%ld pinned, %u kept", pins(),
	      regs().kept);
	return check_done();
}
