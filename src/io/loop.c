/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the event loop, libev's, behind handles that may be freed at any moment.
 *
 * A turn: the clock is read once, then descriptors, timers and signals are served, then each active job runs
 * once. While a job is active the loop does not sleep, but it does poll, so that long work and short events
 * alternate. Background jobs (the kernel's routes) run in turns that have no other job, and when they have
 * not for a while: what peers are to hear does not wait for the kernel, which takes ten times as long.
 *
 * libev drops what is pending for a watcher that is stopped and does not touch a watcher after its callback,
 * which makes freeing in callbacks safe as long as this file does not touch it either. ev_idle is only used
 * to keep the loop from sleeping: libev runs idle callbacks when nothing else is pending, and a busy socket
 * would starve them.
 *
 * This file knows no descriptor's purpose and sets no policy of priorities beyond "events before jobs". */
#include "io/loop.h"

#include <assert.h>
#include <bsd/sys/queue.h>
#include <ev.h>
#include <stdlib.h>
#include <time.h>

#define BACKGROUND_WAIT_US UINT64_C(20000)

TAILQ_HEAD(job_list, loop_job);

struct loop_job {
	TAILQ_ENTRY(loop_job) by_turn; /* @list while active */
	struct job_list *list;         /* loop.jobs or loop.background */
	struct loop *loop;
	bool (*run)(void *ctx);
	void *ctx;
	uint64_t turn; /* it last ran in */
	bool active, kicked;
};

struct loop {
	struct ev_loop *ev;
	struct ev_check turn_begin, turn_end;
	struct ev_idle no_sleep;          /* runs while a job is active */
	struct job_list jobs, background; /* active ones; those that ran in this turn are last */
	uint64_t background_at;           /* when those last had a turn */
	struct loop_job *running;         /* NULL also when it freed itself */
	uint64_t now, turn;
	bool stop;
};

struct loop_fd {
	struct ev_io io;
	struct loop *loop;
	loop_fd_fn fn;
	void *ctx;
};

struct loop_timer {
	struct ev_timer timer;
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
	uint64_t deadline;
};

struct loop_signal {
	struct ev_signal signal;
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
};

uint64_t loop_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t loop_now(const struct loop *l)
{
	return l->now;
}

/* -- turns and jobs ----------------------------------------------------------------------------- */

static void on_turn_begin(struct ev_loop *ev, struct ev_check *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	l->now = loop_clock();
	l->turn++;
}

static void job_deactivate(struct loop_job *j)
{
	struct loop *l = j->loop;

	if (!j->active)
		return;
	TAILQ_REMOVE(j->list, j, by_turn);
	j->active = false;
	if (TAILQ_EMPTY(&l->jobs) && TAILQ_EMPTY(&l->background))
		ev_idle_stop(l->ev, &l->no_sleep);
}

static void job_run(struct loop *l, struct loop_job *j)
{
	bool more;

	TAILQ_REMOVE(j->list, j, by_turn);
	TAILQ_INSERT_TAIL(j->list, j, by_turn);
	j->turn = l->turn;
	j->kicked = false;
	l->running = j;
	more = j->run(j->ctx);
	if (l->running && !more && !j->kicked)
		job_deactivate(j);
	l->running = NULL;
}

/* Each once. @return whether there were any. */
static bool jobs_run(struct loop *l, const struct job_list *list)
{
	struct loop_job *j;
	bool any = false;

	while ((j = TAILQ_FIRST(list)) && j->turn != l->turn) {
		job_run(l, j);
		any = true;
	}
	return any;
}

static void on_turn_end(struct ev_loop *ev, struct ev_check *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	if (jobs_run(l, &l->jobs) && l->now < l->background_at + BACKGROUND_WAIT_US)
		return;
	jobs_run(l, &l->background);
	l->background_at = l->now;
}

static void on_no_sleep(struct ev_loop *ev, struct ev_idle *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

struct loop_job *loop_job_new(struct loop *l, bool (*run)(void *ctx), void *ctx)
{
	struct loop_job *j = calloc(1, sizeof(*j));

	if (j)
		*j = (struct loop_job){ .loop = l, .list = &l->jobs, .run = run, .ctx = ctx };
	return j;
}

struct loop_job *loop_job_new_background(struct loop *l, bool (*run)(void *ctx), void *ctx)
{
	struct loop_job *j = loop_job_new(l, run, ctx);

	if (j)
		j->list = &l->background;
	return j;
}

void loop_job_kick(struct loop_job *j)
{
	struct loop *l = j->loop;

	j->kicked = true;
	if (j->active)
		return;
	j->active = true;
	TAILQ_INSERT_TAIL(j->list, j, by_turn);
	ev_idle_start(l->ev, &l->no_sleep);
}

void loop_job_free(struct loop_job *j)
{
	if (!j)
		return;
	job_deactivate(j);
	if (j->loop->running == j)
		j->loop->running = NULL;
	free(j);
}

/* -- the loop ----------------------------------------------------------------------------------- */

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!l->ev) {
		free(l);
		return NULL;
	}
	TAILQ_INIT(&l->jobs);
	TAILQ_INIT(&l->background);
	l->now = loop_clock();
	ev_check_init(&l->turn_begin, on_turn_begin);
	ev_set_priority(&l->turn_begin, EV_MAXPRI);
	l->turn_begin.data = l;
	ev_check_start(l->ev, &l->turn_begin);
	ev_check_init(&l->turn_end, on_turn_end);
	ev_set_priority(&l->turn_end, EV_MINPRI);
	l->turn_end.data = l;
	ev_check_start(l->ev, &l->turn_end);
	ev_idle_init(&l->no_sleep, on_no_sleep);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	ev_check_stop(l->ev, &l->turn_begin);
	ev_check_stop(l->ev, &l->turn_end);
	ev_idle_stop(l->ev, &l->no_sleep);
	ev_loop_destroy(l->ev);
	free(l);
}

void loop_run(struct loop *l)
{
	while (!l->stop)
		ev_run(l->ev, 0);
	l->stop = false;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
	ev_break(l->ev, EVBREAK_ALL);
}

/* -- descriptors -------------------------------------------------------------------------------- */

static void on_fd(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct loop_fd *w = io->data;
	unsigned events = (revents & EV_READ ? LOOP_READ : 0) | (revents & EV_WRITE ? LOOP_WRITE : 0);

	(void)ev;
	assert(!(revents & EV_ERROR)); /* somebody closed the descriptor under its watcher */
	w->fn(w->ctx, events);
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, loop_fd_fn fn, void *ctx)
{
	struct loop_fd *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = l;
	w->fn = fn;
	w->ctx = ctx;
	ev_io_init(&w->io, on_fd, fd, 0);
	w->io.data = w;
	loop_fd_set(w, events);
	return w;
}

void loop_fd_set(struct loop_fd *w, unsigned events)
{
	int wanted = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);

	if (ev_is_active(&w->io) && (w->io.events & (EV_READ | EV_WRITE)) == wanted)
		return;
	ev_io_stop(w->loop->ev, &w->io);
	if (!wanted)
		return;
	ev_io_set(&w->io, w->io.fd, wanted);
	ev_io_start(w->loop->ev, &w->io);
}

void loop_fd_free(struct loop_fd *w)
{
	if (!w)
		return;
	ev_io_stop(w->loop->ev, &w->io);
	free(w);
}

/* -- timers ------------------------------------------------------------------------------------- */

static void timer_arm(struct loop_timer *t)
{
	uint64_t now = t->loop->now;
	uint64_t wait = t->deadline > now ? t->deadline - now : 0;

	ev_timer_set(&t->timer, (ev_tstamp)wait / 1e6, 0.);
	ev_timer_start(t->loop->ev, &t->timer);
}

/* libev measures from a reading of the clock slightly older than ours: rather once more than early. */
static void on_timer(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
	struct loop_timer *t = timer->data;

	(void)ev;
	(void)revents;
	if (t->loop->now < t->deadline)
		timer_arm(t);
	else
		t->fn(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = l;
	t->fn = fn;
	t->ctx = ctx;
	ev_timer_init(&t->timer, on_timer, 0., 0.);
	t->timer.data = t;
	return t;
}

void loop_timer_at(struct loop_timer *t, uint64_t deadline_us)
{
	ev_timer_stop(t->loop->ev, &t->timer);
	t->deadline = deadline_us;
	timer_arm(t);
}

void loop_timer_stop(struct loop_timer *t)
{
	ev_timer_stop(t->loop->ev, &t->timer);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	ev_timer_stop(t->loop->ev, &t->timer);
	free(t);
}

/* -- signals ------------------------------------------------------------------------------------ */

static void on_signal(struct ev_loop *ev, struct ev_signal *signal, int revents)
{
	struct loop_signal *s = signal->data;

	(void)ev;
	(void)revents;
	s->fn(s->ctx);
}

struct loop_signal *loop_signal_new(struct loop *l, int signum, void (*fn)(void *ctx), void *ctx)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = l;
	s->fn = fn;
	s->ctx = ctx;
	ev_signal_init(&s->signal, on_signal, signum);
	s->signal.data = s;
	ev_signal_start(l->ev, &s->signal);
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (!s)
		return;
	ev_signal_stop(s->loop->ev, &s->signal);
	free(s);
}
