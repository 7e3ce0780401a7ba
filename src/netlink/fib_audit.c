/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_audit.c - DOC: once a minute, is the kernel as we think?
 *
 * Events tell what others do to our routes; the audit is there for what no event told. It dumps the routes of
 * our protocol a few buffers at a time, with pauses, while everything else goes on, and compares each with
 * its entry: one that is missing, one that leads elsewhere, one that nobody wants. Objects are verified along
 * with it. What it finds is repaired, counted, and logged once an audit; it should be nothing.
 *
 * Since we write meanwhile, a finding counts only where our own writing cannot explain it. What is on its way
 * to the kernel is not judged, and what the kernel acknowledges during the audit is marked as seen. A route
 * that we do not know may be one that we have just deleted: it is judged only when nothing was written since
 * the piece before. An IPv6 dump may skip routes when the table changes under it, so that after any writing
 * nothing IPv6 counts as missing. Without nexthop objects a route leaves out its dead members, and only its
 * presence is looked at. */
#include "netlink/fib_priv.h"

#include <errno.h>

#include "lib/log.h"

#define AUDIT_US      60000000u
#define PIECE_US      10000u
#define BUSY_US       1000000u
#define PIECE_BUFFERS 2 /* a millisecond or two */
#define PIECE_ENTRIES 16384u

void fib_audit_stop(struct fib *f)
{
	struct audit *a = &f->audit;

	if (a->phase == AUDIT_IDLE)
		return;
	nls_close(a->nl);
	a->nl = NULL;
	a->phase = AUDIT_IDLE;
	fib_forget_seen(f);
	loop_timer_at(a->timer, loop_now(f->loop) + AUDIT_US);
}

void fib_audit_wrote(struct fib *f, int t, uint32_t h)
{
	const struct audit *a = &f->audit;

	if (a->phase == AUDIT_DUMP || (a->phase == AUDIT_SWEEP && (t > a->tab || (t == a->tab && h > a->at))))
		fibtab_at(&f->tab[t], h)->flags |= ENT_SEEN;
}

static void found(struct fib *f, const char *what, const struct prefix *p)
{
	f->audit.found++;
	if (fib_log_allowed(f))
		log_event(LOGL_INFO, "fib.difference", kv_prefix("prefix", p), kv_str("route", what));
}

/* A route of ours that has no entry. */
static void judge_unknown(struct fib *f, const struct rt_msg *m)
{
	int t = fib_tab(&m->prefix);
	uint32_t h = f->audit.quiet ? fibtab_get(&f->tab[t], &m->prefix) : 0;

	if (!h)
		return;
	found(f, "unwanted", &m->prefix);
	fibent_has(f, fibent_begin(f, t, h), HOPSET_UNKNOWN);
	fibent_end(f, t, h);
}

static void judge_known(struct fib *f, const struct rt_msg *m, uint32_t h)
{
	int t = fib_tab(&m->prefix);
	struct fibent *e = fibtab_at(&f->tab[t], h);
	uint32_t set;

	if (e->flags & ENT_SEEN)
		return;
	e->flags |= ENT_SEEN;
	if (e->flags & ENT_SENT || !f->stats.nexthop_objects || fibent_state(e) != FIB_INSTALLED)
		return;
	set = fib_set_of(f, m);
	if (set == e->have) {
		hopset_put(f->sets, set);
		return;
	}
	found(f, "altered", &m->prefix);
	fibent_has(f, fibent_begin(f, t, h), set);
	fibent_end(f, t, h);
}

static void on_route(void *ctx, const struct nlmsghdr *h)
{
	struct fib *f = ctx;
	uint32_t known;
	struct rt_msg m;

	if (h->nlmsg_type != RTM_NEWROUTE || !rt_parse(h, &m) || !fib_is_own(f, &m))
		return;
	f->audit.routes++;
	known = fibtab_find(&f->tab[fib_tab(&m.prefix)], &m.prefix);
	if (known)
		judge_known(f, &m, known);
	else
		judge_unknown(f, &m);
}

static int dump_begin(struct fib *f, uint8_t t)
{
	f->audit.tab = t;
	f->audit.disturbed = false;
	f->audit.moves = f->moves[t];
	return fib_dump_routes(f, f->audit.nl, t, false);
}

static int begin(struct fib *f)
{
	struct audit *a = &f->audit;
	int rc = nls_open(&a->nl);

	if (rc < 0)
		return rc;
	a->phase = AUDIT_DUMP;
	a->routes = a->found = 0;
	f->verify = true;
	loop_job_kick(f->job);
	return dump_begin(f, 0);
}

/* @return 0, or -errno when the dump failed. */
static int dump_piece(struct fib *f)
{
	struct audit *a = &f->audit;
	int rc = 1;

	a->quiet = f->moves[a->tab] == a->moves;
	a->disturbed |= !a->quiet;
	a->moves = f->moves[a->tab];
	for (unsigned i = 0; i < PIECE_BUFFERS && rc > 0; i++)
		rc = nls_dump_step(a->nl, on_route, f);
	if (rc > 0)
		return 0;
	if (rc < 0 && rc != -ENOENT) /* ENOENT: there is no such table */
		return rc;
	if (a->tab == 0)
		return dump_begin(f, 1);
	a->phase = AUDIT_SWEEP;
	a->tab = 0;
	a->at = 0;
	return 0;
}

static void sweep_entry(struct fib *f, int t, uint32_t h)
{
	struct fibent *e = fibtab_at(&f->tab[t], h);
	bool seen = e->flags & ENT_SEEN;
	struct prefix p;

	e->flags &= (uint8_t)~ENT_SEEN;
	if (seen || e->flags & ENT_SENT || fibent_state(e) != FIB_INSTALLED || e->have == HOPSET_NONE ||
	    (t == 1 && f->audit.disturbed))
		return;
	p = fibtab_prefix(&f->tab[t], e);
	found(f, "missing", &p);
	f->stats.put_back++;
	fibent_has(f, fibent_begin(f, t, h), HOPSET_NONE);
	fibent_end(f, t, h);
}

static void end(struct fib *f)
{
	f->stats.audits++;
	f->stats.audited_us = loop_now(f->loop);
	f->stats.audit_found += f->audit.found;
	log_event(f->audit.found ? LOGL_WARNING : LOGL_DEBUG, "fib.audit", kv_u64("routes", f->audit.routes),
	          kv_u64("differences", f->audit.found));
	f->audit.phase = AUDIT_IDLE;
	nls_close(f->audit.nl);
	f->audit.nl = NULL;
}

static void sweep_piece(struct fib *f)
{
	struct audit *a = &f->audit;

	for (uint32_t n = 0; n < PIECE_ENTRIES; n++) {
		a->at = fibtab_next(&f->tab[a->tab], a->at);
		if (a->at) {
			sweep_entry(f, a->tab, a->at);
		} else if (a->tab++ == 1) {
			end(f);
			return;
		}
	}
}

/* @return when to look again, in microseconds. */
static uint64_t step(struct fib *f)
{
	int rc = 0;

	if (f->audit.phase == AUDIT_IDLE && (f->adopting || f->dumping >= 0 || f->sweep.on || f->resync))
		return BUSY_US;
	if (f->audit.phase == AUDIT_SWEEP)
		sweep_piece(f);
	else
		rc = f->audit.phase == AUDIT_DUMP ? dump_piece(f) : begin(f);
	if (rc < 0) {
		log_event(LOGL_WARNING, "fib.audit_failed", kv_errno("error", rc));
		fib_audit_stop(f);
	}
	return f->audit.phase == AUDIT_IDLE ? AUDIT_US : PIECE_US;
}

static void on_timer(void *ctx)
{
	struct fib *f = ctx;

	loop_timer_at(f->audit.timer, loop_now(f->loop) + step(f));
}

void fib_audit(struct fib *f)
{
	if (f->audit.phase == AUDIT_IDLE)
		loop_timer_at(f->audit.timer, 0);
}

int fib_audit_open(struct fib *f)
{
	f->audit.timer = loop_timer_new(f->loop, on_timer, f);
	if (!f->audit.timer)
		return -ENOMEM;
	loop_timer_at(f->audit.timer, loop_now(f->loop) + AUDIT_US);
	return 0;
}

void fib_audit_close(struct fib *f)
{
	loop_timer_free(f->audit.timer);
	nls_close(f->audit.nl);
}
