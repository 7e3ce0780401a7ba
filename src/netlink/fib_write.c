/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_write.c - DOC: the queue -> the kernel.
 *
 * Three steps that share nothing but the list of what was sent: plan takes from the queue what fits one
 * batch, the writer has the kernel work it off and notes what it refuses, done moves the acknowledged facts.
 * Between plan and done an entry is marked as sent: it is not planned again, and what an event says of it may
 * have been before or after our request, so that only a resync knows. */
#include "netlink/fib_priv.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"

#define FEW_ROUTES  16u     /* take less time than another thread to wake up */
#define LARGE_TABLE 131072u /* routes: where even one more may make the kernel's trie grow for long */
#define TRIES_MAX   3u

/* A batch being filled. */
struct plan {
	struct nls *nl;
	struct sent *sent; /* by index of the request */
};

static unsigned fibent_tries(const struct fibent *e)
{
	return (e->flags & ENT_TRIES) / ENT_TRY;
}

struct rt_key fib_route_key(const struct fib *f, const struct prefix *p)
{
	uint32_t metric = f->params.metric;

	if (metric == 0 && p->addr.family == IP_V6)
		metric = 1024; /* what the kernel makes of 0 */
	return (struct rt_key){ *p, f->params.table, metric, f->params.protocol };
}

/* One request for what the entry needs. */
static void plan_entry(struct fib *f, const struct plan *plan, int t, uint32_t h, struct fibent *e)
{
	struct prefix p = fibtab_prefix(&f->tab[t], e);
	struct rt_key key = fib_route_key(f, &p);
	struct fib_hop hops[RT_HOPS_MAX];
	struct fib_route r;
	uint32_t target = e->have == HOPSET_BEHIND ? HOPSET_NONE : e->want;

	plan->sent[nls_batch_len(plan->nl)] = (struct sent){
		.entry = h, .target = target, .tab = (uint8_t)t, .replace = e->have != HOPSET_NONE
	};
	f->moves[t]++;
	hopset_hold(f->sets, target);
	e->flags |= ENT_SENT;
	if (target == HOPSET_NONE) {
		rt_put_delete(nls_request(plan->nl, RTM_DELROUTE, 0), &key);
		return;
	}
	hopset_route(f->sets, target, hops, &r);
	rt_put_route(nls_request(plan->nl, RTM_NEWROUTE, e->have ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL),
	             &key, &r, hopset_nh_id(f->sets, target));
}

static void plan_queue(struct fib *f, const struct plan *plan, int t)
{
	uint32_t h;

	while (nls_room(plan->nl) && (h = fib_dequeue(f, t))) {
		struct fibent *e = fibent_begin(f, t, h);

		if (fibent_state(e) == FIB_QUEUED && !(e->flags & ENT_SENT)) {
			if (e->want && hopset_state(f->sets, e->want) != HOPSET_READY)
				fibent_fail(f, e, WHY_HOPS, 0);
			else
				plan_entry(f, plan, t, h, e);
		}
		fibent_end(f, t, h);
	}
}

static enum fib_refusal refusal(int err)
{
	switch (-err) {
	case EEXIST:
		return FIB_EXISTS;
	case ENOENT:
	case ESRCH:
	case ENETUNREACH:
	case ENODEV:
	case ENETDOWN:
		return FIB_MISSING;
	case EBUSY:
	case EAGAIN:
	case EINTR:
		return FIB_BUSY;
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC:
		return FIB_FULL;
	default:
		return FIB_OTHER;
	}
}

/* It may succeed when the nexthop objects have been looked at, or simply later. */
static bool worth_a_try(struct fib *f, struct fibent *e, int err)
{
	bool objects = err == -EINVAL && f->stats.nexthop_objects;

	if (!objects && refusal(err) != FIB_BUSY && refusal(err) != FIB_FULL)
		return false;
	if (fibent_tries(e) == TRIES_MAX)
		return false;
	e->flags += ENT_TRY;
	f->verify |= objects;
	return true;
}

static void give_up(struct fib *f, int t, struct fibent *e, int err, const char *text)
{
	struct prefix p = fibtab_prefix(&f->tab[t], e);
	bool known = e->why == WHY_ERRNO && e->detail == (uint8_t)-err;

	fibent_fail(f, e, WHY_ERRNO, (uint8_t)-err);
	if (!known && fib_log_allowed(f))
		log_event(LOGL_WARNING, "fib.refused", kv_prefix("prefix", &p),
		          kv_str("error", *text ? text : strerror(-err)));
}

static void refused(struct fib *f, struct sent *s, int err, const char *text)
{
	struct fibent *e;

	if (s->target == HOPSET_NONE && err == -ESRCH)
		return; /* it was gone already */
	s->is_refused = true;
	f->stats.refused[refusal(err)]++;
	e = fibent_begin(f, s->tab, s->entry);
	if (s->target && s->replace && (err == -ENOENT || err == -ESRCH)) {
		fibent_has(f, e, HOPSET_NONE);
		f->stats.put_back++;
	} else if (s->target && s->target != e->want) { /* wished no more: the new wish has its own turn */
		f->resync |= err == -EEXIST;            /* it may be ours: only a dump tells */
		f->inspect |= err == -EEXIST;
	} else if (err == -EEXIST) {
		fibent_fail(f, e, WHY_OCCUPIED, 0);
		f->resync = f->inspect = true;
	} else if (!worth_a_try(f, e, err)) {
		give_up(f, s->tab, e, err, text);
	}
	fibent_end(f, s->tab, s->entry);
}

/* The fate of one request is known (or, when @known is false, a resync will tell). */
static void done(struct fib *f, struct sent *s, bool known)
{
	struct fibent *e = fibent_begin(f, s->tab, s->entry);

	e->flags &= (uint8_t)~ENT_SENT;
	f->moves[s->tab]++;
	if (known && !s->is_refused) {
		fibent_has(f, e, s->target);
		e->flags &= (uint8_t)~ENT_TRIES;
		f->stats.acks++;
		fib_audit_wrote(f, s->tab, s->entry);
	} else {
		hopset_put(f->sets, s->target);
	}
	fibent_end(f, s->tab, s->entry);
}

static void finish(struct fib *f, const struct batch_result *w)
{
	struct sent *sent = f->sent[w->batch];

	for (uint32_t i = 0; i < w->n_refusals; i++) {
		const struct refusal *r = &w->refusals[i];

		refused(f, &sent[r->index], r->err, r->text);
	}
	for (uint32_t i = 0; i < f->n_sent[w->batch]; i++)
		done(f, &sent[i], w->rc == 0);
	if (w->rc < 0) {
		log_event(LOGL_ERROR, "fib.socket", kv_errno("error", w->rc));
		f->resync = true;
	}
}

void fib_written(struct fib *f)
{
	struct batch_result w;

	while (writer_next(f->writer, &w))
		finish(f, &w);
}

bool fib_write(struct fib *f)
{
	unsigned batch;
	struct plan plan;
	uint32_t n;

	plan.nl = writer_batch(f->writer, &batch);
	if (!plan.nl)
		return false;
	plan.sent = f->sent[batch];
	for (int t = 0; t < 2; t++)
		plan_queue(f, &plan, t);
	n = nls_batch_len(plan.nl);
	if (n == 0)
		return false;
	f->stats.requests += n;
	f->n_sent[batch] = n;
	writer_hand(f->writer, n <= FEW_ROUTES && f->tab[0].count + f->tab[1].count < LARGE_TABLE);
	fib_written(f);
	return true;
}
