/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the load generator
 *
 * One process is every peer of the daemon that is measured, feeds and sinks alike, so that one clock times
 * them all. A driver (bench/run) tells it on stdin what to be and what to do, a command a line; each is
 * answered by one line of JSON on stdout. Times are CLOCK_MONOTONIC in nanoseconds, which the driver's own
 * clock shares.
 *
 *	table COUNT SHARE random|sorted       the routes there are (table.h); the first command
 *	kernel NETNS                          where goals about the kernel look
 *	peer NAME NETNS LOCAL REMOTE AS HOLD  a speaker; HOLD in seconds, 0: none
 *	routes NAME FIRST COUNT [PREPEND]     what it will announce and withdraw
 *	step SECONDS ACTION until GOAL, GOAL  acts, and times when each goal is reached
 *	sum SET FIRST COUNT                   has each heard exactly these routes in the last step?
 *	gaps SET                              the longest silence any has heard since it was asked last
 *	count                                 routes in the kernel
 *
 * Actions:
 *	nothing; connect SET; join SET (connects, and announces as soon as it is up); announce SET;
 *	withdraw SET; close SET; cease SET (closes with a NOTIFICATION)
 *	churn FROM SINK RATE SECONDS FIRST COUNT NEXTHOP
 *
 * Goals:
 *	connected SET; up SET; down SET; announced SET COUNT; withdrawn SET COUNT
 *	quiet SET MILLISECONDS; kernel FIRST COUNT HOPS; churned
 *
 * SET is a pattern for names, as a shell's: feed1, sink*. A step answers twice: when it has acted, so that
 * the driver can do its own part, and when all goals are reached or the time is over. */
#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "churn.h"
#include "kernel.h"
#include "netns.h"
#include "speaker.h"
#include "table.h"

#define SPEAKERS_MAX 1024u
#define GOALS_MAX    8u
#define WORDS_MAX    64u
#define BATCH        64
#define STEP_TICK_NS UINT64_C(1000000)
#define IDLE_TICK_NS UINT64_C(1000000000)

enum goal_kind {
	GOAL_CONNECTED,
	GOAL_UP,
	GOAL_DOWN,
	GOAL_ANNOUNCED,
	GOAL_WITHDRAWN,
	GOAL_QUIET,
	GOAL_KERNEL,
	GOAL_CHURNED
};

struct goal {
	enum goal_kind kind;
	const char *set;
	uint64_t amount;
	uint64_t reached_at; /* 0: not yet */
};

struct load {
	struct table *table;
	struct kernel *kernel;
	char kernel_netns[64];
	struct speaker speakers[SPEAKERS_MAX];
	int polled[SPEAKERS_MAX]; /* the descriptor that epoll knows, -1: none */
	uint32_t polled_for[SPEAKERS_MAX];
	unsigned n_speakers;
	struct churn *churn;
	struct goal goals[GOALS_MAX];
	unsigned n_goals;
	int epoll, timer;
	char line[4096]; /* what the driver has said so far */
	size_t line_len;
};

/* epoll's data: a speaker's place, or one of these */
enum { READY_TIMER = SPEAKERS_MAX, READY_CHURN, READY_COMMAND };

/* ---- answers ----------------------------------------------------------------------------------- */

static void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void answer(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void refuse(const char *why, const char *what)
{
	answer("{\"error\": \"%s: %s\"}", why, what);
}

/* ---- sets of speakers -------------------------------------------------------------------------- */

static bool in_set(const struct speaker *s, const char *set)
{
	return fnmatch(set, s->name, 0) == 0;
}

#define for_set(l, set, s)                                                                \
	for (struct speaker *s = (l)->speakers; s < (l)->speakers + (l)->n_speakers; s++) \
		if (in_set(s, set))

static struct speaker *speaker_named(struct load *l, const char *name)
{
	for_set(l, name, s) return s;
	return NULL;
}

static bool parse_addr(const char *text, uint32_t *out)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*out = ntohl(a.s_addr);
	return true;
}

static uint32_t number(const char *text)
{
	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* ---- events ------------------------------------------------------------------------------------ */

/* Brings epoll up to date with what the speaker waits for. */
static void watch(struct load *l, unsigned i)
{
	struct speaker *s = &l->speakers[i];
	struct epoll_event e = { .events = EPOLLIN | (speaker_wants_write(s) ? EPOLLOUT : 0), .data.u32 = i };

	if (s->fd == l->polled[i] && (s->fd < 0 || e.events == l->polled_for[i]))
		return;
	/* a closed descriptor has left by itself; a new one may have its number */
	if (s->fd >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &e) < 0 &&
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &e) < 0)
		die("epoll");
	l->polled[i] = s->fd;
	l->polled_for[i] = e.events;
}

static void set_tick(const struct load *l, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	struct itimerspec period = { t, t };

	if (timerfd_settime(l->timer, 0, &period, NULL) < 0)
		die("timer");
}

static void tick(struct load *l)
{
	uint64_t expired, now = now_ns();

	if (read(l->timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
		die("timer");
	for (unsigned i = 0; i < l->n_speakers; i++)
		speaker_tick(&l->speakers[i], now);
	if (l->churn)
		churn_tick(l->churn, now);
}

/* Waits for events once and works them off. @return whether the driver has said something. */
static bool turn(struct load *l)
{
	struct epoll_event events[BATCH];
	bool told = false;
	int n;

	for (unsigned i = 0; i < l->n_speakers; i++)
		watch(l, i);
	n = epoll_wait(l->epoll, events, BATCH, -1);
	for (int i = 0; i < n; i++) {
		uint32_t who = events[i].data.u32;

		if (who == READY_TIMER)
			tick(l);
		else if (who == READY_CHURN)
			churn_kernel(l->churn);
		else if (who == READY_COMMAND)
			told = true;
		else
			speaker_ready(&l->speakers[who], events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR),
			              events[i].events & EPOLLOUT);
	}
	return told;
}

static void poll_fd(const struct load *l, int fd, uint32_t data)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = data };

	if (fd >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll");
}

/* ---- goals ------------------------------------------------------------------------------------- */

static bool goal_parse(struct load *l, char **words, unsigned n, struct goal *out)
{
	static const struct {
		const char *name;
		enum goal_kind kind;
		unsigned arguments;
	} kinds[] = {
		{ "connected", GOAL_CONNECTED, 1 }, { "up", GOAL_UP, 1 },
		{ "down", GOAL_DOWN, 1 },           { "quiet", GOAL_QUIET, 2 },
		{ "announced", GOAL_ANNOUNCED, 2 }, { "kernel", GOAL_KERNEL, 3 },
		{ "withdrawn", GOAL_WITHDRAWN, 2 }, { "churned", GOAL_CHURNED, 0 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!n || strcmp(words[0], kinds[i].name) != 0 || n - 1 != kinds[i].arguments)
			continue;
		*out = (struct goal){ .kind = kinds[i].kind,
			              .set = n > 1 ? words[1] : "",
			              .amount = n > 2 ? number(words[2]) : 0 };
		if (out->kind == GOAL_KERNEL && l->kernel)
			kernel_expect(l->kernel, number(words[1]), number(words[2]), number(words[3]));
		return out->kind != GOAL_KERNEL || l->kernel;
	}
	return false;
}

static bool speaker_reached(const struct speaker *s, const struct goal *g, uint64_t now)
{
	switch (g->kind) {
	case GOAL_CONNECTED:
		return s->state >= SPEAKER_OPENED;
	case GOAL_UP:
		return s->state == SPEAKER_UP;
	case GOAL_DOWN:
		return s->state == SPEAKER_DOWN;
	case GOAL_ANNOUNCED:
		return s->announced >= g->amount;
	case GOAL_WITHDRAWN:
		return s->withdrawn >= g->amount;
	case GOAL_QUIET:
		return s->heard_at && now - s->heard_at >= g->amount * 1000000;
	default:
		return false;
	}
}

static bool goal_reached(struct load *l, const struct goal *g, uint64_t now)
{
	if (g->kind == GOAL_KERNEL)
		return kernel_reached(l->kernel);
	if (g->kind == GOAL_CHURNED)
		return l->churn && churn_done(l->churn);
	for_set(l, g->set, s)
	{
		if (!speaker_reached(s, g, now))
			return false;
	}
	return true;
}

/* When the goal that has been found reached really was: silence begins with the last word. */
static uint64_t goal_time(struct load *l, const struct goal *g, uint64_t now)
{
	uint64_t last = 0;

	if (g->kind != GOAL_QUIET)
		return now;
	for_set(l, g->set, s)
	{
		if (s->heard_at > last)
			last = s->heard_at;
	}
	return last;
}

/* @return whether goals are left. */
static bool check_goals(struct load *l)
{
	uint64_t now = now_ns();
	bool left = false;

	for (struct goal *g = l->goals; g < l->goals + l->n_goals; g++) {
		if (!g->reached_at && goal_reached(l, g, now))
			g->reached_at = goal_time(l, g, now);
		left |= !g->reached_at;
	}
	return left;
}

/* ---- actions ----------------------------------------------------------------------------------- */

static bool begin_churn(struct load *l, char **w, unsigned n)
{
	struct speaker *from, *sink;
	struct churn_plan plan;

	if (n != 8 || !(from = speaker_named(l, w[1])) || !(sink = speaker_named(l, w[2])))
		return false;
	plan = (struct churn_plan){
		.rate = number(w[3]), .seconds = number(w[4]), .first = number(w[5]), .count = number(w[6])
	};
	if (!plan.rate || !plan.count || plan.first + plan.count > table_count(l->table) ||
	    !parse_addr(w[7], &plan.next_hop))
		return false;
	l->churn = churn_new(l->table, &plan, from, sink, l->kernel);
	if (!l->churn)
		die("memory");
	poll_fd(l, churn_fd(l->churn), READY_CHURN);
	return true;
}

static void end_churn(struct load *l)
{
	churn_free(l->churn);
	l->churn = NULL;
}

static bool act_on(struct speaker *s, const char *what)
{
	s->eager = strcmp(what, "join") == 0;
	if (s->eager || strcmp(what, "connect") == 0)
		speaker_connect(s);
	else if (strcmp(what, "announce") == 0)
		speaker_say(s, &s->announce);
	else if (strcmp(what, "withdraw") == 0)
		speaker_say(s, &s->withdraw);
	else if (strcmp(what, "close") == 0)
		speaker_close(s, false);
	else if (strcmp(what, "cease") == 0)
		speaker_close(s, true);
	else
		return false;
	return true;
}

static bool act(struct load *l, char **words, unsigned n)
{
	if (n && strcmp(words[0], "nothing") == 0)
		return true;
	if (n && strcmp(words[0], "churn") == 0)
		return begin_churn(l, words, n);
	if (n != 2)
		return false;
	for_set(l, words[1], s)
	{
		if (!act_on(s, words[0]))
			return false;
	}
	return true;
}

/* ---- a step ------------------------------------------------------------------------------------ */

static void answer_step(struct load *l, uint64_t begun)
{
	const char *comma = "";

	printf("{\"begun\": %lu, \"reached\": [", begun);
	for (unsigned i = 0; i < l->n_goals; i++)
		printf(l->goals[i].reached_at ? "%s%lu" : "%snull", i ? ", " : "", l->goals[i].reached_at);
	printf("], \"lost\": [");
	for_set(l, "*", s)
	{
		if (!s->cause[0])
			continue;
		printf("%s\"%s: %s\"", comma, s->name, s->cause);
		comma = ", ";
	}
	printf("]");
	if (l->churn) {
		printf(", \"churn\": ");
		churn_print(l->churn, stdout);
	}
	answer("}");
}

/* Words up to @end (a word, or one that ends in a comma, which is cut off). */
static unsigned words_until(char **words, unsigned n, const char *end)
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (strcmp(words[i], end) == 0)
			return i;
		if (*end == ',' && len && words[i][len - 1] == ',') {
			words[i][len - 1] = '\0';
			return i + 1;
		}
	}
	return n;
}

static void do_step(struct load *l, char **words, unsigned n)
{
	uint64_t begun, deadline;
	unsigned action = n > 1 ? words_until(words + 2, n - 2, "until") : 0;

	l->n_goals = 0;
	for (unsigned at = 2 + action + 1; at < n && l->n_goals < GOALS_MAX;) {
		unsigned len = words_until(words + at, n - at, ",");

		if (!goal_parse(l, words + at, len, &l->goals[l->n_goals++])) {
			refuse("not a goal", words[at]);
			return;
		}
		at += len;
	}
	for_set(l, "*", s) speaker_mark(s);
	set_tick(l, STEP_TICK_NS);
	begun = now_ns();
	deadline = begun + number(words[1]) * UINT64_C(1000000000);
	if (!act(l, words + 2, action)) {
		refuse("not an action", n > 2 ? words[2] : "");
		return;
	}
	answer("{\"armed\": %lu}", now_ns());
	while (check_goals(l) && now_ns() < deadline)
		turn(l);
	set_tick(l, IDLE_TICK_NS);
	answer_step(l, begun);
	end_churn(l);
}

/* ---- commands ---------------------------------------------------------------------------------- */

static void do_table(struct load *l, char **w, unsigned n)
{
	if (n != 4 || l->table) {
		refuse("table COUNT SHARE random|sorted, once", "");
		return;
	}
	l->table = table_new(number(w[1]), number(w[2]), strcmp(w[3], "sorted") == 0);
	if (!l->table)
		refuse("no such table", w[1]);
	else
		answer("{}");
}

static void do_kernel(struct load *l, char **w, unsigned n)
{
	if (n != 2 || !l->table || l->kernel) {
		refuse("kernel NETNS, once, behind table", "");
		return;
	}
	snprintf(l->kernel_netns, sizeof(l->kernel_netns), "%s", w[1]);
	l->kernel = kernel_new(l->kernel_netns, l->table);
	answer("{}");
}

static void do_peer(struct load *l, char **w, unsigned n)
{
	struct speaker *s = &l->speakers[l->n_speakers];

	if (n != 7 || l->n_speakers == SPEAKERS_MAX || !parse_addr(w[3], &s->local) ||
	    !parse_addr(w[4], &s->remote)) {
		refuse("peer NAME NETNS LOCAL REMOTE AS HOLD", n > 1 ? w[1] : "");
		return;
	}
	snprintf(s->name, sizeof(s->name), "%s", w[1]);
	snprintf(s->netns, sizeof(s->netns), "%s", w[2]);
	s->as = number(w[5]);
	s->hold_time = (uint16_t)number(w[6]);
	if (!speaker_init(s))
		die("memory");
	l->polled[l->n_speakers++] = -1;
	answer("{}");
}

static void do_routes(struct load *l, char **w, unsigned n)
{
	struct speaker *s = n > 3 ? speaker_named(l, w[1]) : NULL;
	uint32_t first = n > 3 ? number(w[2]) : 0, count = n > 3 ? number(w[3]) : 0;
	struct origin o = { 0 };

	if (!s || !l->table || !count || first + count > table_count(l->table) ||
	    (n > 4 && number(w[4]) > PREPEND_MAX)) {
		refuse("routes NAME FIRST COUNT [PREPEND]", n > 1 ? w[1] : "");
		return;
	}
	o.as = s->as;
	o.next_hop = s->local;
	o.prepend = n > 4 ? number(w[4]) : 0;
	messages_free(&s->announce);
	messages_free(&s->withdraw);
	if (!table_announce(l->table, first, count, &o, &s->announce) ||
	    !table_withdraw(l->table, first, count, &s->withdraw))
		die("memory");
	answer("{\"bytes\": %zu}", s->announce.len);
}

static void do_sum(struct load *l, char **w, unsigned n)
{
	uint64_t want;
	bool equal = true;

	if (n != 4) {
		refuse("sum SET FIRST COUNT", "");
		return;
	}
	want = table_sum(l->table, number(w[2]), number(w[3]));
	for_set(l, w[1], s) equal &= s->sum == want;
	answer("{\"equal\": %s}", equal ? "true" : "false");
}

static void do_gaps(struct load *l, char **w, unsigned n)
{
	uint64_t worst = 0, now = now_ns();

	for_set(l, n > 1 ? w[1] : "", s)
	{
		uint64_t since = now - s->message_at;

		if (s->worst_gap > worst)
			worst = s->worst_gap;
		if (since > worst)
			worst = since;
		s->worst_gap = 0;
	}
	answer("{\"worst_ns\": %lu}", worst);
}

static void do_count(struct load *l, char **w, unsigned n)
{
	(void)w;
	if (n != 1 || !l->kernel)
		refuse("count, behind kernel NETNS", "");
	else
		answer("{\"count\": %u}", kernel_count(l->kernel));
}

static const struct {
	const char *name;
	void (*run)(struct load *l, char **words, unsigned n);
} commands[] = {
	{ "table", do_table }, { "kernel", do_kernel }, { "peer", do_peer }, { "routes", do_routes },
	{ "step", do_step },   { "sum", do_sum },       { "gaps", do_gaps }, { "count", do_count },
};

static void command(struct load *l, char *line)
{
	char *words[WORDS_MAX], *rest = line;
	unsigned n = 0;

	while (n < WORDS_MAX && (words[n] = strtok_r(rest, " \n", &rest)))
		n++;
	for (size_t i = 0; n && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(words[0], commands[i].name) == 0) {
			commands[i].run(l, words, n);
			return;
		}
	}
	refuse("no such command", n ? words[0] : "");
}

/* Reads what there is of stdin and runs the whole lines of it. @return false: the driver has gone. */
static bool read_commands(struct load *l)
{
	char *end;
	ssize_t n = read(STDIN_FILENO, l->line + l->line_len, sizeof(l->line) - l->line_len - 1);

	if (n <= 0)
		return false;
	l->line_len += (size_t)n;
	l->line[l->line_len] = '\0';
	while ((end = strchr(l->line, '\n'))) {
		*end = '\0';
		command(l, l->line);
		l->line_len -= (size_t)(end + 1 - l->line);
		memmove(l->line, end + 1, l->line_len + 1);
	}
	return l->line_len < sizeof(l->line) - 1;
}

int main(void)
{
	static struct load l;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l.epoll < 0 || l.timer < 0)
		die("epoll");
	poll_fd(&l, l.timer, READY_TIMER);
	poll_fd(&l, STDIN_FILENO, READY_COMMAND);
	set_tick(&l, IDLE_TICK_NS);
	while (!turn(&l) || read_commands(&l))
		;
	return 0;
}
