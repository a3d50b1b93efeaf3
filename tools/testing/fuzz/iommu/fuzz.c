// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer's start: options, the processes and their threads, and what each of
 * them does. See fuzz.h for the parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Nobody: a caller without any capability */
#define NOBODY 65534
#define OWN_CTX_PROGS 150
#define SHARED_CTX_PROGS 3000
#define COMPARE_EVERY 200

struct shared *sh;
struct opts opts = {
	.seed = 1, .seconds = 60, .procs = 2, .threads = 2, .repeat = 1, .hang = 120,
};

static uint32_t nr_seeds;

static void usage(void)
{
	fprintf(stderr,
		"fuzz [OPTIONS] CORPUS...\n"
		"  --seconds N   how long (60)\n"
		"  --calls N     end after so many calls\n"
		"  --seed N      what is drawn (1)\n"
		"  --procs N     processes (2); of two, one has no capabilities\n"
		"  --threads N   threads in each (2)\n"
		"  --hang N      seconds in which any call ends (120)\n"
		"  --replay      only run the programs of CORPUS, and check what each call returns\n"
		"  --verbose     and print it\n"
		"  --repeat N    so often\n"
		"  --one-ctx     all of them in one context\n"
		"  --distill     then print a small corpus that reaches as much\n");
	exit(2);
}

static void corpus_add(const struct prog *prog, unsigned int n)
{
	uint32_t at = __atomic_fetch_add(&sh->nprogs, 1, __ATOMIC_RELAXED);

	if (at >= MAX_PROGS) {
		sh->nprogs = MAX_PROGS;
		return;
	}
	memcpy(sh->prog[at].call, prog->call, n * sizeof(prog->call[0]));
	__atomic_store_n(&sh->prog[at].n, n, __ATOMIC_RELEASE);
}

static const struct prog *corpus_pick(struct rng *rng)
{
	uint32_t n = sh->nprogs < MAX_PROGS ? sh->nprogs : MAX_PROGS;

	/* What is new has been changed less often. */
	if (n > 64 && one_in(rng, 3))
		return &sh->prog[n - 1 - rnd_below(rng, 64)];
	return &sh->prog[rnd_below(rng, n)];
}

static void next_prog(struct runner *r, struct prog *prog)
{
	uint32_t seed = nr_seeds;
	const struct prog *from, *other;

	if (sh->next_seed < nr_seeds)
		seed = __atomic_fetch_add(&sh->next_seed, 1, __ATOMIC_RELAXED);
	from = seed < nr_seeds ? &sh->prog[seed] : corpus_pick(&r->rng);
	other = corpus_pick(&r->rng);
	if (!from->n || !other->n || one_in(&r->rng, 10)) {
		prog_generate(&r->rng, prog);
		return;
	}
	prog_copy(prog, from);
	if (seed >= nr_seeds && !one_in(&r->rng, 20))
		prog_mutate(&r->rng, prog, other);
}

static void choose_ctx(struct runner *r)
{
	static const struct kind reopen = { .sysop = S_REOPEN };
	uint64_t arg = rnd_below(&r->rng, SHARED_CTX), extra[MAX_ARGS + 1];

	mail_check();
	if (one_in(&r->rng, OWN_CTX_PROGS))
		ctx_reopen(SHARED_CTX + r->index);
	if (one_in(&r->rng, SHARED_CTX_PROGS))
		sys_call(r, &reopen, &arg, arg, extra);
	r->ctx = one_in(&r->rng, 3) ? rnd_below(&r->rng, SHARED_CTX) : SHARED_CTX + r->index;
}

static pthread_barrier_t ready, go;

static void *thread_main(void *arg)
{
	struct runner *r = arg;
	struct prog prog;
	bool compare;

	runner_init(r, r->index);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go);
	ctx_reopen(r->ctx);
	while (!sh->stop) {
		next_prog(r, &prog);
		choose_ctx(r);
		compare = one_in(&r->rng, COMPARE_EVERY);
		if (compare) {
			cover_compare(&r->cover, true);
			r->compare = true;
			prog_run(r, &prog);
			r->compare = false;
			cover_compare(&r->cover, false);
		} else if (prog_run(r, &prog)) {
			corpus_add(&prog, r->last_new + 1);
		}
	}
	return NULL;
}

static int sockets[2 * MAX_THREADS];

static void process_main(unsigned int proc)
{
	static struct runner runners[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	unsigned int i;

	sys_post(proc, sockets);
	sys_init();
	pthread_barrier_init(&ready, NULL, opts.threads + 1);
	pthread_barrier_init(&go, NULL, opts.threads + 1);
	for (i = 0; i < opts.threads; i++) {
		runners[i].index = proc * opts.threads + i;
		if (pthread_create(&threads[i], NULL, thread_main, &runners[i]))
			exit(2);
	}
	/* KCOV is root's. */
	pthread_barrier_wait(&ready);
	if (proc & 1 && setresuid(NOBODY, NOBODY, NOBODY))
		exit(2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_barrier_wait(&go);
	for (i = 0; i < opts.threads; i++)
		pthread_join(threads[i], NULL);
	exit(0);
}

/* A process that runs programs, the first of its number or one in place of that. */
void process_start(unsigned int proc)
{
	pid_t pid = fork();

	if (!pid)
		process_main(proc);
	sh->pids[proc] = pid;
}

static int fuzz(void)
{
	unsigned int i;

	watch_init();
	objects_init();
	for (i = 0; i < opts.procs; i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, &sockets[2 * i]))
			exit(2);
	for (i = 0; i < opts.procs; i++)
		process_start(i);
	for (i = 0; i < SHARED_CTX; i++)
		ctx_put_fd(i, -1);
	watch(opts.procs);
	/* Contexts that were sent last, and that nobody has received, are only there. */
	for (i = 0; i < 2 * opts.procs; i++)
		close(sockets[i]);
	return watch_end() ? 1 : 0;
}

/* Whether each call returned what its text says. */
static unsigned int check_results(const struct prog *prog, const int64_t *results)
{
	unsigned int i, wrong = 0;
	int expect;

	for (i = 0; i < prog->n; i++) {
		expect = prog->call[i].expect;
		if (!expect || (expect > 0 ? results[i] >= 0 : results[i] == expect))
			continue;
		printf("FAILED: call %u, %s, returned %lld, not %d\n", i,
		       kinds[prog->call[i].kind].name, (long long)results[i], expect);
		wrong++;
	}
	if (wrong)
		text_print(stdout, prog, results);
	return wrong;
}

static int replay(void)
{
	static struct runner r;
	uint32_t i, n, at, wrong = 0;
	int failures;

	watch_init();
	objects_init();
	sys_init();
	runner_init(&r, 0);
	ctx_reopen(r.ctx);
	for (n = 0; n < opts.repeat; n++)
		for (i = 0; i < sh->nprogs; i++) {
			if (!opts.one_ctx) {
				objects_close();
				sys_fresh();
				ctx_reopen(r.ctx);
			}
			prog_run(&r, &sh->prog[i]);
			at = (r.seat->next - 1) % RECENT;
			if (!n && opts.verbose)
				text_print(stdout, &sh->prog[i], r.seat->result[at]);
			if (!opts.one_ctx)
				wrong += check_results(&sh->prog[i], r.seat->result[at]);
		}
	objects_close();
	sys_release();
	for (i = 0; i < MAX_CTX; i++)
		ctx_put_fd(i, -1);
	failures = watch_end();
	printf("%u programs, %u calls returned what they should not\n", sh->nprogs, wrong);
	return failures || wrong ? 1 : 0;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", 1, NULL, 's' }, { "calls", 1, NULL, 'c' }, { "seed", 1, NULL, 'S' },
		{ "procs", 1, NULL, 'p' }, { "threads", 1, NULL, 't' }, { "repeat", 1, NULL, 'n' },
		{ "hang", 1, NULL, 'h' }, { "replay", 0, NULL, 'r' },
		{ "verbose", 0, NULL, 'v' }, { "one-ctx", 0, NULL, 'o' },
		{ "distill", 0, NULL, 'd' }, {},
	};
	uint64_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		n = optarg ? strtoull(optarg, NULL, 0) : 0;
		switch (c) {
		case 's':
			opts.seconds = n;
			break;
		case 'c':
			opts.max_calls = n;
			break;
		case 'S':
			opts.seed = n;
			break;
		case 'p':
			opts.procs = n;
			break;
		case 't':
			opts.threads = n;
			break;
		case 'n':
			opts.repeat = n;
			break;
		case 'h':
			opts.hang = n;
			break;
		case 'r':
			opts.replay = true;
			break;
		case 'v':
			opts.verbose = true;
			break;
		case 'o':
			opts.one_ctx = true;
			break;
		case 'd':
			opts.distill = true;
			break;
		default:
			usage();
		}
	}
	if (!opts.procs || !opts.threads || opts.procs * opts.threads > MAX_THREADS)
		usage();
}

int main(int argc, char **argv)
{
	struct rlimit files = { 4096, 4096 };
	int rc;

	parse(argc, argv);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sh == MAP_FAILED)
		return 2;
	setrlimit(RLIMIT_NOFILE, &files);
	for (; optind < argc; optind++)
		sh->nprogs += text_load(argv[optind], &sh->prog[sh->nprogs],
					MAX_PROGS - sh->nprogs);
	nr_seeds = sh->nprogs;
	if (!nr_seeds)
		usage();
	printf("seed %llu, %u programs\n", (unsigned long long)opts.seed, nr_seeds);
	fflush(stdout);
	if (opts.replay)
		return replay();
	rc = fuzz();
	if (opts.distill && !rc) {
		sh->stop = 0;
		objects_init();
		sys_init();
		distill();
	}
	return rc;
}
