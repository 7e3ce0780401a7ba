/* SPDX-License-Identifier: BSD-2-Clause */
/* writer.c - DOC: the thread that waits for the kernel in the loop's stead.
 *
 * The kernel works a batch off inside sendmsg(): two or three milliseconds, and hundreds while its trie grows
 * at a million routes. Sessions must not wait for that, and on a second processor it costs the loop nothing.
 *
 * What the two threads share are three counters under one lock: batches handed over, worked off, and whether
 * to stop. Everything else has one owner at a time: a batch and its list of refusals are the loop's until it
 * hands them over and again once it has taken them back. The lock is never held across a system call but the
 * eventfd's, which does not block. */
#include "netlink/writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"

/* Where processors are short the loop goes first. Not much later, since it may wait for a lock of the kernel
 * that this thread holds. */
#define NICE 10

struct batch {
	struct nls *nl;
	int rc;
	uint32_t n_refusals;
	struct refusal refusals[NL_BATCH_MAX];
};

struct writer {
	struct batch batches[WRITER_BATCHES]; /* number n is in place n % WRITER_BATCHES */
	uint64_t taken;                       /* back by the loop */
	bool running, told;                   /* told: that it is not */
	pthread_t thread;
	int event; /* tells the loop that the thread has worked one off */
	struct loop_fd *event_fd;
	void (*written)(void *ctx);
	void *ctx;
	/* shared: */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t handed, done;
	bool stop;
};

/* -- working off -------------------------------------------------------------------------------- */

static void on_refused(void *ctx, uint32_t index, int err, const char *text)
{
	struct batch *b = ctx;
	struct refusal *r = &b->refusals[b->n_refusals];

	if (b->n_refusals == NL_BATCH_MAX)
		return; /* more answers than requests: not from a kernel we know */
	b->n_refusals++;
	r->index = index;
	r->err = err;
	snprintf(r->text, sizeof(r->text), "%s", text ? text : "");
}

static void work_off(struct batch *b)
{
	b->n_refusals = 0;
	b->rc = nls_send(b->nl, on_refused, b);
}

static void tell_loop(const struct writer *w)
{
	ssize_t rc;

	do /* it fails otherwise only when it is already readable */
		rc = eventfd_write(w->event, 1);
	while (rc < 0 && errno == EINTR);
}

static void *run(void *ctx)
{
	struct writer *w = ctx;

	(void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone (Linux) */
	pthread_mutex_lock(&w->lock);
	while (!w->stop || w->done < w->handed) {
		struct batch *b = &w->batches[w->done % WRITER_BATCHES];

		if (w->done == w->handed) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		work_off(b);
		pthread_mutex_lock(&w->lock);
		w->done++;
		pthread_cond_broadcast(&w->changed);
		tell_loop(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* -- the loop's side ---------------------------------------------------------------------------- */

static bool start(struct writer *w)
{
	sigset_t all, before;
	int rc;

	if (w->running)
		return true;
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->running = rc == 0;
	if (w->running)
		(void)pthread_setname_np(w->thread, "mcbgpd-fib");
	else if (!w->told)
		log_event(LOGL_WARNING, "fib.no_thread", kv_errno("error", -rc),
		          kv_str("effect", "sessions wait while routes are written"),
		          kv_str("mend", "raise TasksMax of the unit, or give it more memory"));
	w->told = !w->running;
	return w->running;
}

struct nls *writer_batch(struct writer *w, unsigned *index)
{
	*index = (unsigned)(w->handed % WRITER_BATCHES);
	return writer_room(w) ? w->batches[*index].nl : NULL;
}

bool writer_room(const struct writer *w)
{
	return w->handed - w->taken < WRITER_BATCHES;
}

void writer_hand(struct writer *w, bool here)
{
	struct batch *b = &w->batches[w->handed % WRITER_BATCHES];

	assert(writer_room(w));
	here = (here && !writer_busy(w)) || !start(w);
	if (here)
		work_off(b);
	pthread_mutex_lock(&w->lock);
	w->handed++;
	w->done += here;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

bool writer_busy(const struct writer *w)
{
	return w->handed != w->taken;
}

bool writer_next(struct writer *w, struct batch_result *out)
{
	const struct batch *b = &w->batches[w->taken % WRITER_BATCHES];
	bool any;

	pthread_mutex_lock(&w->lock);
	any = w->done > w->taken;
	pthread_mutex_unlock(&w->lock);
	if (!any)
		return false;
	*out = (struct batch_result){ (unsigned)(w->taken % WRITER_BATCHES), b->rc, b->refusals,
		                      b->n_refusals };
	w->taken++;
	return true;
}

void writer_wait(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->done == w->taken && w->handed != w->taken)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void on_event(void *ctx, unsigned events)
{
	struct writer *w = ctx;
	eventfd_t n;

	(void)events;
	(void)eventfd_read(w->event, &n);
	w->written(w->ctx);
}

void writer_port_ids(const struct writer *w, uint32_t ids[WRITER_BATCHES])
{
	for (unsigned i = 0; i < WRITER_BATCHES; i++)
		ids[i] = nls_port_id(w->batches[i].nl);
}

static int open_all(struct writer *w, struct loop *l)
{
	int rc = 0;

	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event < 0)
		return -errno;
	w->event_fd = loop_fd_new(l, w->event, LOOP_READ, on_event, w);
	if (!w->event_fd)
		return -ENOMEM;
	for (unsigned i = 0; i < WRITER_BATCHES && rc == 0; i++)
		rc = nls_open(&w->batches[i].nl);
	return rc;
}

int writer_open(struct loop *l, void (*written)(void *ctx), void *ctx, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->written = written;
	w->ctx = ctx;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	rc = open_all(w, l);
	if (rc < 0) {
		writer_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

static void end_thread(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

void writer_close(struct writer *w)
{
	if (!w)
		return;
	if (w->running)
		end_thread(w);
	for (unsigned i = 0; i < WRITER_BATCHES; i++)
		nls_close(w->batches[i].nl);
	loop_fd_free(w->event_fd);
	if (w->event >= 0)
		close(w->event);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
