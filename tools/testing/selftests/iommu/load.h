/* SPDX-License-Identifier: GPL-2.0-only */
/* What a worker of load does, and where it counts it. */
#ifndef SELFTEST_LOAD_H
#define SELFTEST_LOAD_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/pasid.h"
#include "lib/sys.h"

#define WORKERS 3
/* Things that a worker does at most, or a few more. */
#define LIFE 1500u

/* None may stay 0. */
enum kind {
	DID_map, DID_map_file, DID_copy, DID_unmap, DID_check, DID_pin, DID_read,
	DID_attach, DID_replace, DID_detach, DID_alloc, DID_free, DID_pasid_attach,
	DID_pasid_replace, DID_pasid_detach, DID_hwpt, DID_request, DID_answer, DID_dirty,
	DID_nested, DID_viommu, DID_close, DID_exit, DID_exec, DID_fork, DID_kill,
	NUM_KINDS
};

extern const char * const kind_names[NUM_KINDS];

/* Shared by all workers; ends when stop is set. */
struct tally {
	unsigned long done[NUM_KINDS];
	/* What each has done in this life. */
	unsigned long mine[WORKERS];
	int stop;
};

extern struct tally *tally;

/* The file that it lies in, also after exec. */
#define TALLY_FD 200

#define DIRTY (32 * PAGE)
/* Where the thread that reads dirty pages has its own. */
#define DIRTY_AT (AT + 64 * STEP)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define STEP HUGE
#define SLOTS 24
#define NUMBERS 5

/* What the threads of a worker have in common, and only use. */
struct shared {
	int fd, access, file, queue_file;
	__u32 ioas[2], hwpt, dirty, parent, queue, nested;
	struct mock_dev dev;
	struct pasid_dev own, global, asks;
	char *small, *large, *huge, *file_va, *written;
};

struct thread {
	struct shared *s;
	const char *what;
	unsigned int seed;
	/* The memory thread's slots: what is mapped there, or NULL. */
	const char *mapped[SLOTS];
	__u64 length[SLOTS];
	/* The device thread's: what is attached, or allocated, there. */
	__u32 at_own[NUMBERS], at_global[NUMBERS];
	bool tagged[NUMBERS];
	/* The asking thread's. */
	bool asking[NUMBERS];
	pthread_t id;
	int (*work)(struct thread *t);
};

void did(enum kind kind);
int stopping(void);

/* What a thread does again and again: 0, or what is wrong. */
int load_memory(struct thread *t);
int load_devices(struct thread *t);
int load_others(struct thread *t);

/* A life of a worker, that ends in one of several ways: an exit status. */
int worker(unsigned int seed, unsigned int number);
/* What it does as the program that it has executed, with the descriptor it has kept. */
int worker_after_exec(const char *fd, const char *ioas);

#endif
