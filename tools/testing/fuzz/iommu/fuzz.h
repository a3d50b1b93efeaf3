/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A coverage-guided fuzzer of /dev/iommu: what its parts share. May be included by
 * any of them.
 *
 * A program is a short list of calls. An argument is a number, what an earlier
 * call of the program gave, or something of its kind that any program has made in
 * the same context before.
 *
 *	kinds	 the calls there are, as a table
 *	text	 programs as text
 *	gen	 new programs, and changed ones
 *	objects	 what calls have made: IDs by context, files by process
 *	exec	 runs a program
 *	sys	 calls beside the ioctls: on memory, on files, on processes
 *	cover	 what code a call has reached
 *	distill	 a small corpus with the same coverage
 *	watch	 looks for what must not happen
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))

#define MAX_ARGS 11
#define MAX_CALLS 24
#define MAX_KINDS 128
#define BLOB_WORDS 8
#define PAGE 4096ul
#define MAX_PROGS 6000
#define MAX_THREADS 16
#define RECENT 4
#define SHARED_CTX 4
#define MAX_CTX (SHARED_CTX + MAX_THREADS)
#define POOL 16

/* What a call makes or wants. Those from FIRST_FD on are file descriptors. */
enum res {
	R_NONE, R_IOAS, R_HWPT, R_STDEV, R_IDEV, R_FAULT, R_VIOMMU, R_VDEV, R_VEVENTQ, R_HWQ,
	R_ACCESS, R_FOLLOW, R_KPASID, R_INDEX, R_PASID, R_PAGES, R_IOVA, R_COOKIE, R_OFFSET,
	R_FD_ACCESS, R_FD_FAULT, R_FD_VEVENT, R_FD_DMABUF, R_FD_MEM, R_COUNT,
	FIRST_FD = R_FD_ACCESS, FIRST_NO_ID = R_INDEX,
};

/* How a value is drawn: see gen.c. */
enum cls {
	C_CONST, C_RES, C_PT, C_ANY_ID, C_ANY_FD, C_FLAGS, C_LIST, C_NUM, C_LEN, C_IOVA, C_VA,
	C_OFF, C_PASID, C_DATA, C_ZERO, C_DATA_OUT,
};

/* A member of a call's structure. @par: a kind, a mask, a list or a limit, by @cls. */
struct field {
	const char *name;
	uint16_t off, size;
	uint8_t cls, out;
	uint64_t par;
};

enum sysop {
	S_IOCTL, S_NUMBER, S_MUNMAP, S_MREMAP, S_MADVISE, S_REMAP, S_TOUCH, S_PROTECT, S_PUNCH,
	S_TRUNCATE, S_FORK, S_CLOSE, S_READ_FAULT, S_ANSWER, S_READ_EVENT, S_POLL, S_MAP_VIOMMU,
	S_MAP_DMABUF, S_REOPEN, S_SEND, S_RECEIVE, S_GETFD, S_LIMIT, S_LOOK,
};

/* A kind of call. @ret: what its return value is. @costly: makes a device. */
struct kind {
	const char *name;
	unsigned long nr;
	uint16_t size;
	uint8_t sysop, ret, weight;
	const struct field *fields;
	bool costly;
};

/* REF: @a is the call, @b which of its results. POOL: @a is the kind, @v which. */
enum how { V_NUM, V_REF, V_POOL };

struct val {
	uint64_t v;
	uint8_t how, a, b;
};

/* Where the structure lies: RO cannot be written to, EDGE ends at the end of memory. */
enum place { P_PLAIN, P_RO, P_EDGE, P_NULL, P_TAIL };

/*
 * @fail: which of its allocations fails; 0 for none. @expect: what a replay has to see, if
 * it is not 0: a negative errno, or 1 for success.
 */
struct call {
	uint8_t kind, place, ctx, fail;
	int16_t expect;
	uint32_t size;
	uint32_t blob[BLOB_WORDS];
	struct val arg[MAX_ARGS];
};

struct prog {
	uint32_t n;
	struct call call[MAX_CALLS];
};

struct rng {
	uint64_t s;
};

struct cover {
	int fd;
	uint64_t *area;
};

struct tally {
	uint64_t ok, failed, ns;
	int last_errno;
};

/* Of a thread; others look at it when it hangs. */
struct seat {
	volatile uint64_t calls;
	volatile uint32_t busy, at;
	uint64_t seen;
	unsigned int stuck;
	int pid;
	uint32_t next;
	struct prog recent[RECENT];
	int64_t result[RECENT][MAX_CALLS];
};

/* A device of the mock that there is, and how it was made. */
struct device {
	volatile uint64_t key;
	volatile uint64_t out[MAX_ARGS];
};

#define DEVICES 16

/* IDs of a context, whoever has it open. */
struct ctx_pool {
	volatile uint64_t res[FIRST_FD][POOL];
	volatile uint32_t n[FIRST_FD];
	struct device device[DEVICES];
};

#define MAP_BITS 20
#define HINTS 1024

/* What all processes share. */
struct shared {
	volatile int stop;
	volatile uint64_t edges, pcs;
	volatile uint32_t nprogs, nhints;
	uint64_t map[1 << (MAP_BITS - 6)];
	uint64_t pcmap[1 << (MAP_BITS - 6)];
	struct { uint64_t was, is; } hint[HINTS];
	struct tally tally[MAX_KINDS];
	struct seat seat[MAX_THREADS];
	struct ctx_pool ctx[MAX_CTX];
	int pids[MAX_THREADS];
	volatile uint32_t mail[MAX_THREADS], next_seed;
	struct prog prog[MAX_PROGS];
};

struct opts {
	uint64_t seed, max_calls;
	unsigned int seconds, procs, threads, repeat, hang;
	bool distill, replay, one_ctx, verbose;
};

/* A thread that runs programs. */
struct runner {
	unsigned int index;
	struct rng rng;
	struct cover cover;
	struct seat *seat;
	char *plain, *rw, *ro, *edge, *data;
	uint64_t results[MAX_CALLS][MAX_ARGS + 1];
	bool made[MAX_CALLS], compare;
	unsigned int ctx;
	int last_new, fail_nth;
	uint64_t *trace;
};

extern struct shared *sh;
extern struct opts opts;

/* An address in a thread's own data, at the start of which the call's blob is. */
#define DATA_MARK 0xda7aull
#define DATA(off) (DATA_MARK << 48 | (off))
#define DATA_SIZE (64ul << 10)

/* kinds.c */
extern const struct kind kinds[];
extern const unsigned int nr_kinds;
extern const char *const res_names[R_COUNT];
int kind_find(const char *name);
unsigned int kind_nr_fields(const struct kind *kind);
uint32_t field_wants(const struct field *field);
void call_init(struct call *call, unsigned int kind);

/* text.c */
int text_load(const char *path, struct prog *progs, unsigned int max);
void text_print(FILE *to, const struct prog *prog, const int64_t *results);

/* gen.c */
uint64_t rnd(struct rng *rng);

static inline uint64_t rnd_below(struct rng *rng, uint64_t n)
{
	return rnd(rng) % n;
}

static inline bool one_in(struct rng *rng, uint64_t n)
{
	return rnd(rng) % n == 0;
}

void prog_generate(struct rng *rng, struct prog *prog);
void prog_mutate(struct rng *rng, struct prog *prog, const struct prog *other);
void prog_remove(struct prog *prog, unsigned int at);
void prog_copy(struct prog *to, const struct prog *from);

/* objects.c */
void objects_init(void);
int ctx_fd(unsigned int ctx);
void ctx_reopen(unsigned int ctx);
void ctx_put_fd(unsigned int ctx, int fd);
void ctx_check(unsigned int ctx);
void objects_close(void);
void pool_add(unsigned int ctx, enum res res, uint64_t value);
uint64_t pool_get(unsigned int ctx, enum res res, uint64_t which);
bool device_reuse(unsigned int ctx, uint64_t key, uint64_t *out);
void device_made(unsigned int ctx, uint64_t key, const uint64_t *out);
void device_gone(unsigned int ctx, uint64_t id);

/* exec.c */
void runner_init(struct runner *r, unsigned int index);
unsigned int prog_run(struct runner *r, const struct prog *prog);

/* sys.c */
void sys_init(void);
void sys_fresh(void);
void sys_release(void);
void sys_post(unsigned int proc, const int *sockets);
void mail_check(void);
int64_t sys_call(struct runner *r, const struct kind *kind, const uint64_t *arg,
		 unsigned int ctx, uint64_t *extra);
bool in_arena(uint64_t va, uint64_t len);
#define NR_ARENAS 6
#define ARENA_SIZE (4ul << 20)
#define ARENA(i) (0x100000000ul + (uint64_t)(i) * 0x10000000ul)
/* Where the kernel maps what is not mapped at an address of ours */
#define OURS_START 0x7e0000000000ull
#define OURS_END 0x800000000000ull
extern const char *const arena_names[NR_ARENAS];

/* cover.c */
bool cover_init(struct cover *cover);
void cover_start(struct cover *cover);
unsigned int cover_collect(struct cover *cover, unsigned int kind);
unsigned int cover_trace(struct cover *cover, unsigned int kind, uint64_t *map);
void cover_compare(struct cover *cover, bool on);
void cover_hints(struct cover *cover);

/* distill.c */
void distill(void);

/* watch.c */
void watch_init(void);
void watch(unsigned int nr_procs);
int watch_end(void);

/* fuzz.c */
void process_start(unsigned int proc);

#endif
