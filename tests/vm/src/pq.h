/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the sample device pasidq share: a context with three address spaces, which
 * have different memory at the same IOVAs, and the device bound to it.
 */
#ifndef PQ_H
#define PQ_H

#include <pthread.h>
#include <stdbool.h>
#include <linux/types.h>
#include "../../../samples/vfio-mdev/pasidq.h"

/* A space's pages, and their IOVAs, which are the same in each. */
#define BASE	0x1000000ULL
#define SRC	BASE
#define DST	(BASE + PAGE)
#define RECORD	(BASE + 2 * PAGE)
#define KEEP	(BASE + 3 * PAGE)	/* an area of its own, to be unmapped */
#define PAGES	4
#define RDONLY	0x2000000ULL		/* the destination page again */
#define WRONLY	0x3000000ULL
#define SLOW	0x4000000ULL		/* a page that comes when the test wants it to */
#define HOLE	0x5000000ULL
#define MANY	100			/* PASIDs from here, for one page more than can be kept */
#define TAG	0x77777
#define FREE_PASID 0x88888
#define SHARED	(MAP_SHARED | MAP_ANONYMOUS)

struct space {
	__u32 ioas;
	__u32 pasid;
	__u8 *mem;
};

/* Set by pq_open(). */
extern int iommu, dev;
extern __u32 devid;
extern off_t bar;
extern struct space a, b, c;

void pq_open(const char *path);
void bind_device(const char *path);
struct pasidq_regs regs(void);
void submit(const struct pasidq_desc *desc);
__u32 run(struct pasidq_desc desc);
struct pasidq_desc move(__u32 op, __u32 src, __u32 dst);
struct pasidq_desc at(__u32 op, __u32 dst);
void xattach(__u32 pasid, __u32 ioas);
void xmap(const struct space *space, const void *va, __u64 iova, __u64 length, __u32 flags);
void new_space(struct space *space);
void patterns(void);
pthread_t start(void *(*fn)(void *), void *arg);

#endif
