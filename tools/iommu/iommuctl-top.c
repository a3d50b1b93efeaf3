// SPDX-License-Identifier: GPL-2.0
/*
 * iommuctl top: the contexts, again and again, and how fast what they hold changes. The terminal is
 * put back however this ends, as far as a program can.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "iommuctl-holders.h"

struct sample {
	uint64_t number, mapped, pinned;
};

struct samples {
	struct sample *one;
	size_t count;
	struct timespec when;
};

struct view {
	uint64_t milliseconds, frames;	/* 0 frames: no end */
	bool batch, json, terminal;
	struct samples last;
};

static volatile sig_atomic_t ended, stopped, resized;
static struct termios before;
static bool in_terminal;

static void say(const char *text)
{
	/* What is lost here can be told to nobody. */
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		ended = SIGHUP;
}

/* Another screen, without cursor; keys at once, and unseen. */
static void terminal_on(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	in_terminal = !tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	say("\033[?1049h\033[?25l");
}

static void terminal_off(void)
{
	if (!in_terminal)
		return;
	in_terminal = false;
	say("\033[?25h\033[?1049l");
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

static void on_signal(int number)
{
	if (number == SIGTSTP)
		stopped = 1;
	else if (number == SIGWINCH || number == SIGCONT)
		resized = 1;
	else
		ended = number;
}

static void catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT,
				      SIGPIPE };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(caught); i++) {
		sigaction(caught[i], &action, NULL);
		sigaddset(&set, caught[i]);
	}
	/* They arrive while we wait, and nowhere else. */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void stop(void)
{
	stopped = 0;
	terminal_off();
	raise(SIGSTOP);
	terminal_on();
}

static int64_t elapsed(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1000LL + (to->tv_nsec - from->tv_nsec) / 1000000;
}

static const struct sample *sample_of(const struct samples *samples, uint64_t number)
{
	size_t i;

	for (i = 0; i < samples->count; i++)
		if (samples->one[i].number == number)
			return &samples->one[i];
	return NULL;
}

/* Bytes a second; 0 for a context that was not there the last time. */
static int64_t rate(uint64_t now, uint64_t then, int64_t milliseconds)
{
	int64_t change = now - then;

	return milliseconds > 0 ? (int64_t)(change * 1000.0 / milliseconds) : 0;
}

static struct samples take(const struct everything *all)
{
	struct samples samples = { 0 };
	size_t i;

	clock_gettime(CLOCK_MONOTONIC, &samples.when);
	for (i = 0; i < all->contexts; i++)
		*APPEND(samples.one, samples.count) = (struct sample){
			all->context[i].number, all->context[i].mapped, all->context[i].pinned,
		};
	return samples;
}

static void rates(const struct view *view, const struct context *c, const struct samples *now,
		  int64_t *mapped, int64_t *pinned)
{
	const struct sample *then = sample_of(&view->last, c->number);
	int64_t ms = then ? elapsed(&view->last.when, &now->when) : 0;

	*mapped = then ? rate(c->mapped, then->mapped, ms) : 0;
	*pinned = then ? rate(c->pinned, then->pinned, ms) : 0;
}

static void add_rate(struct table *table, int64_t value)
{
	if (value)
		table_cell(table, "%c%s/s", value < 0 ? '-' : '+',
			   bytes(value < 0 ? -(uint64_t)value : (uint64_t)value));
	else
		table_cell(table, "0");
}

static uint64_t pending(const struct context *c)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < c->objects; i++)
		if (object_is(&c->object[i], "fault"))
			sum += object_number(&c->object[i], "pending");
	return sum;
}

static void add_row(struct table *table, const struct view *view, const struct context *c,
		    const struct samples *now)
{
	const struct holder *h = &c->holders.one[0];
	int64_t mapped, pinned;

	rates(view, c, now, &mapped, &pinned);
	table_cell(table, "%llu", (unsigned long long)c->number);
	table_cell(table, "%d", h->pid);
	table_cell(table, "%s", h->user);
	table_cell(table, "%s", bytes(c->mapped));
	add_rate(table, mapped);
	table_cell(table, "%s", bytes(c->pinned));
	add_rate(table, pinned);
	table_cell(table, "%zu", context_count(c, "ioas"));
	table_cell(table, "%zu", context_count(c, "device"));
	table_cell(table, "%llu", (unsigned long long)c->pasids);
	table_cell(table, "%llu", (unsigned long long)pending(c));
	if (c->holders.count > 1)
		table_cell(table, "%s and %zu more", h->comm, c->holders.count - 1);
	else
		table_cell(table, "%s", h->comm);
}

/* Who holds most is first. */
static int by_size(const void *a, const void *b)
{
	const struct context *x = a, *y = b;

	if (x->pinned != y->pinned)
		return x->pinned < y->pinned ? 1 : -1;
	if (x->mapped != y->mapped)
		return x->mapped < y->mapped ? 1 : -1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void frame_text(FILE *to, const struct view *view, const struct everything *all,
		       const struct samples *now)
{
	static const char *const heads[] = {
		">context", ">PID", "user", ">mapped", ">", ">pinned", ">", ">IOASes", ">devices",
		">PASIDs", ">faults", "command",
	};
	struct table table = { .heads = heads, .columns = ARRAY_SIZE(heads) };
	uint64_t mapped = 0, pinned = 0;
	time_t seconds = time(NULL);
	char clock[16];
	size_t i;

	for (i = 0; i < all->contexts; i++) {
		mapped += all->context[i].mapped;
		pinned += all->context[i].pinned;
		add_row(&table, view, &all->context[i], now);
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	fprintf(to, "%s  %zu contexts, %s mapped, %s pinned, %zu VFIO files open", clock,
		all->contexts, bytes(mapped), bytes(pinned), all->files);
	if (all->unreadable)
		fprintf(to, ", %u processes not readable", all->unreadable);
	fputs("\n\n", to);
	table_print(&table, to);
}

static void frame_json(const struct view *view, const struct everything *all,
		       const struct samples *now)
{
	struct json json = { .one_line = true };
	int64_t mapped, pinned;
	size_t i, k;

	json_open(&json, NULL, '{');
	json_number(&json, "time", time(NULL));
	json_open(&json, "contexts", '[');
	for (i = 0; i < all->contexts; i++) {
		const struct context *c = &all->context[i];

		rates(view, c, now, &mapped, &pinned);
		json_open(&json, NULL, '{');
		json_number(&json, "context", c->number);
		json_open(&json, "pids", '[');
		for (k = 0; k < c->holders.count; k++)
			json_number(&json, NULL, c->holders.one[k].pid);
		json_close(&json, ']');
		json_text(&json, "command", c->holders.one[0].comm);
		json_number(&json, "mapped", c->mapped);
		json_number(&json, "pinned", c->pinned);
		json_signed(&json, "mapped_per_second", mapped);
		json_signed(&json, "pinned_per_second", pinned);
		json_number(&json, "ioases", context_count(c, "ioas"));
		json_number(&json, "devices", context_count(c, "device"));
		json_number(&json, "pasids", c->pasids);
		json_number(&json, "faults_pending", pending(c));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_number(&json, "unreadable_processes", all->unreadable);
	json_close(&json, '}');
}

/* As much of the frame as the terminal has room for: all of it is one byte to a column. */
static void frame_terminal(const char *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	unsigned int row;
	size_t length;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	printf("\033[H");
	for (row = 0; row + 1 < size.ws_row; row++) {
		length = strcspn(text, "\n");
		printf("%s%.*s%s\033[K\n", row == 2 ? "\033[7m" : "",
		       (int)(length < size.ws_col ? length : size.ws_col), text,
		       row == 2 ? "\033[m" : "");
		text += length + (text[length] == '\n');
	}
	printf("q: quit\033[K");
}

static void frame(struct view *view)
{
	struct everything all = look_around();
	struct samples now = take(&all);
	char *text = NULL;
	size_t size;
	FILE *to;

	if (all.contexts)
		qsort(all.context, all.contexts, sizeof(*all.context), by_size);
	if (view->json) {
		frame_json(view, &all, &now);
	} else if (!view->terminal) {
		frame_text(stdout, view, &all, &now);
		putchar('\n');
	} else {
		to = open_memstream(&text, &size);
		if (to) {
			frame_text(to, view, &all, &now);
			fclose(to);
			frame_terminal(text);
			free(text);
		}
	}
	if (fflush(stdout))
		ended = SIGPIPE;
	free(view->last.one);
	view->last = now;
	forget(&all);
}

/* True: a key says that this is the end, or there is no terminal any more. */
static bool key_ends(void)
{
	char key;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &key, 1)) == 1)
		if (key == 'q' || key == 'Q')
			return true;
	return n < 0 && errno != EAGAIN && errno != EINTR;
}

/* Until the next frame is due; a new size of the terminal is a reason for one at once. */
static void wait_for(struct view *view)
{
	struct pollfd keys = { .fd = view->terminal ? STDIN_FILENO : -1, .events = POLLIN };
	struct timespec start, now, left;
	int64_t ms;
	sigset_t none;

	sigemptyset(&none);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!ended && !resized) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (int64_t)view->milliseconds - elapsed(&start, &now);
		if (ms <= 0)
			break;
		left = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
		if (ppoll(&keys, 1, &left, &none) > 0 &&
		    (keys.revents & ~POLLIN || key_ends()))
			ended = SIGHUP;
		if (stopped)
			stop();
	}
	resized = 0;
}

static bool options(int argc, char **argv, struct view *view)
{
	static const struct option known[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "batch", no_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	double seconds;
	char *end;
	int option;

	*view = (struct view){ .milliseconds = 2000 };
	while ((option = getopt_long(argc, argv, "d:n:bj", known, NULL)) != -1) {
		switch (option) {
		case 'd':
			seconds = strtod(optarg, &end);
			if (end == optarg || *end || !(seconds >= 0.1 && seconds <= 86400))
				return false;
			view->milliseconds = seconds * 1000;
			break;
		case 'n':
			if (!parse_number(optarg, &view->frames) || !view->frames)
				return false;
			break;
		case 'b':
			view->batch = true;
			break;
		case 'j':
			view->json = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct view view;
	uint64_t i;

	if (!options(argc, argv, &view))
		return wrong_arguments(command);
	if (!kernel_tells_holders())
		return FAILED;
	view.terminal = !view.batch && !view.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	catch_signals();
	if (view.terminal) {
		atexit(terminal_off);
		terminal_on();
	}
	for (i = 0; !ended; ) {
		frame(&view);
		if (view.frames && ++i == view.frames)
			break;
		wait_for(&view);
	}
	free(view.last.one);
	terminal_off();
	return ferror(stdout) ? FAILED : DONE;
}

const struct command top_command = {
	.name = "top",
	.arguments = "[-d SECONDS] [-n COUNT] [-b] [--json]",
	.help = "  The contexts, those with most memory pinned first, again and again, with what\n"
		"  is mapped and pinned more or less a second. q ends it.\n"
		"  --delay, -d  seconds between, 0.1 to 86400; 2 unless given\n"
		"  --count, -n  ends after so many\n"
		"  --batch, -b  one below the other, as it is without a terminal\n"
		"  --json, -j   for programs: a line each\n",
	.run = run,
};
