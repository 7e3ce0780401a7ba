/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_check.c - DOC: what the kernel has, against what we think it has.
 *
 * Nexthop objects are few and are compared all at once. Routes are dumped a few buffers a turn; an entry that
 * the dump showed is marked, and the sweep at its end finds those that are gone. A sweep over our own table,
 * without a dump, finds the routes that went with a nexthop object and those worth another try. */
#include "netlink/fib_priv.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <stdlib.h>

#include "lib/log.h"

#define VERIFY_ROUNDS 3
#define SWEEP_ENTRIES 65536u /* a turn: half a millisecond */

static void on_object(void *ctx, const struct nlmsghdr *h)
{
	hopsets_verify_msg(((struct fib *)ctx)->sets, h);
}

/* All nexthop objects of the kernel against ours. @return 0 or -errno. */
int fib_verify_objects(struct fib *f)
{
	const struct nhmsg all = { 0 };
	int rc = -EINTR;

	for (unsigned round = 0; rc == -EINTR && round < VERIFY_ROUNDS; round++) {
		hopsets_verify_begin(f->sets);
		rc = nls_dump(f->nl, RTM_GETNEXTHOP, &all, sizeof(all));
		if (rc < 0)
			return rc;
		while ((rc = nls_dump_step(f->nl, on_object, f)) > 0)
			;
	}
	return rc < 0 ? rc : hopsets_verify_end(f->sets);
}

static void sweep_entry(struct fib *f, int t, uint32_t h, bool dumped)
{
	const struct fibent *old = fibtab_at(&f->tab[t], h);
	unsigned had = hopset_flags(f->sets, old->have), wants = hopset_flags(f->sets, old->want);
	bool gone = old->have && (had & HOPSET_LOST || (dumped && !(old->flags & ENT_SEEN)));
	bool again = old->flags & ENT_FAILED && ((old->why == WHY_ERRNO && f->sweep.retry_failed) ||
	                                         (old->why <= WHY_HOPS && wants & HOPSET_RETRY) ||
	                                         (old->why == WHY_OCCUPIED && dumped) ||
	                                         (old->why == WHY_CONFLICT && f->sweep.retry_conflicts));
	struct fibent *e;

	if (!gone && !again && !(had & HOPSET_STALE) && !dumped)
		return;
	e = fibent_begin(f, t, h);
	e->flags &= (uint8_t)~ENT_SEEN;
	if (gone) {
		f->stats.put_back += e->want != HOPSET_NONE;
		fibent_has(f, e, HOPSET_NONE);
		e->flags &= (uint8_t)~ENT_ADOPTED;
	} else if (had & HOPSET_STALE) {
		fibent_has(f, e, HOPSET_UNKNOWN);
	}
	if (again)
		e->flags &= (uint8_t) ~(ENT_FAILED | ENT_TRIES);
	fibent_end(f, t, h);
}

void fib_sweep_begin(struct fib *f, bool dumped)
{
	f->sweep = (struct sweep){ .on = true,
		                   .dumped = dumped,
		                   .retry_failed = f->retry_failed,
		                   .retry_conflicts = dumped && f->retry_conflicts };
	f->retry_failed = false;
	f->retry_conflicts &= !dumped;
	hopsets_sweep_begin(f->sets);
	loop_job_kick(f->job);
}

void fib_sweep_step(struct fib *f)
{
	struct sweep *s = &f->sweep;

	for (uint32_t n = 0; s->on && n < SWEEP_ENTRIES; n++) {
		s->at = fibtab_next(&f->tab[s->tab], s->at);
		if (s->at)
			sweep_entry(f, s->tab, s->at, s->dumped);
		else
			s->on = s->tab++ == 0;
	}
}

uint32_t fib_set_of(struct fib *f, const struct rt_msg *m)
{
	struct fib_hop hops[RT_HOPS_MAX];
	struct fib_route r = { .kind = FIB_UNICAST, .hops = hops };
	uint32_t set = HOPSET_UNKNOWN;

	if (m->type == RTN_BLACKHOLE)
		return HOPSET_BLACKHOLE;
	if (m->type == RTN_UNREACHABLE)
		return HOPSET_UNREACHABLE;
	if (m->type != RTN_UNICAST)
		return HOPSET_UNKNOWN;
	if (f->stats.nexthop_objects)
		return m->nh_id && (set = hopset_get_by_id(f->sets, m->nh_id)) ? set : HOPSET_UNKNOWN;
	r.n_hops = rt_hops(m, hops);
	if (r.n_hops)
		set = hopset_get(f->sets, m->prefix.addr.family, &r, false);
	return set ? set : HOPSET_UNKNOWN;
}

static void see_own(struct fib *f, int t, const struct rt_msg *m)
{
	uint32_t known = fibtab_find(&f->tab[t], &m->prefix);
	uint32_t h = known ? known : fibtab_get(&f->tab[t], &m->prefix);
	struct fibent *e;

	if (!h)
		return; /* out of memory: the next resync finds it again */
	e = fibent_begin(f, t, h);
	if (e->have != HOPSET_BEHIND)
		fibent_has(f, e, fib_set_of(f, m));
	e->flags |= ENT_SEEN;
	if (!known && f->adopting)
		e->flags |= ENT_ADOPTED;
	if (e->flags & ENT_FAILED && e->why == WHY_OCCUPIED)
		fibent_clear(e);
	fibent_end(f, t, h);
}

static void see_foreign(struct fib *f, int t, const struct rt_msg *m)
{
	uint32_t h = fibtab_find(&f->tab[t], &m->prefix);
	struct fibent *e = h ? fibtab_at(&f->tab[t], h) : NULL;
	char name[8];

	if (e && e->have &&
	    !(e->flags & ENT_SEEN)) { /* the kernel tells them in the order in which it asks them */
		fibent_behind(f, fibent_begin(f, t, h));
		fibent_end(f, t, h);
	}
	if (!e || !(e->flags & ENT_FAILED) || e->why != WHY_OCCUPIED)
		return;
	fibent_fail(f, e, WHY_CONFLICT, m->protocol);
	if (fib_log_allowed(f))
		log_event(LOGL_WARNING, "fib.conflict", kv_prefix("prefix", &m->prefix),
		          kv_u64("metric", m->metric), kv_u64("table", m->table),
		          kv_str("with", fib_protocol_name(m->protocol, name)));
}

static void add_stray(struct fib *f, const struct rt_msg *m)
{
	struct rt_key *strays = reallocarray(f->strays, f->n_strays + 1, sizeof(*strays));

	if (!strays)
		return;
	f->strays = strays;
	strays[f->n_strays++] = (struct rt_key){ m->prefix, m->table, m->metric, m->protocol };
}

static bool has_our_key(const struct fib *f, const struct rt_msg *m)
{
	return m->table == f->params.table && m->metric == fib_route_key(f, &m->prefix).metric;
}

bool fib_is_own(const struct fib *f, const struct rt_msg *m)
{
	return m->protocol == f->params.protocol && has_our_key(f, m) && !m->cloned && !m->tos;
}

static void on_route(void *ctx, const struct nlmsghdr *h)
{
	struct fib *f = ctx;
	struct rt_msg m;
	bool our_key;

	if (h->nlmsg_type != RTM_NEWROUTE || !rt_parse(h, &m) || m.cloned || m.tos)
		return;
	our_key = has_our_key(f, &m);
	if (fib_is_own(f, &m))
		see_own(f, fib_tab(&m.prefix), &m);
	else if (our_key)
		see_foreign(f, fib_tab(&m.prefix), &m);
	else if (m.protocol == f->params.protocol)
		add_stray(f, &m);
}

int fib_dump_routes(struct fib *f, struct nls *nl, int t, bool all)
{
	const struct {
		struct rtmsg rtm;
		struct nlattr attr;
		uint32_t table;
	} filter = {
		.rtm = { .rtm_family = rt_af(f->tab[t].family),
		         .rtm_protocol = all ? 0 : f->params.protocol },
		.attr = { .nla_len = sizeof(filter.attr) + sizeof(filter.table), .nla_type = RTA_TABLE },
		.table = f->params.table,
	};

	/* Without a table the kernel looks through its main one twice, the second time in one piece. */
	return nls_dump(nl, RTM_GETROUTE, &filter, f->adopting && !all ? sizeof(filter.rtm) : sizeof(filter));
}

static int resync_table(struct fib *f, int t)
{
	f->dumping = t;
	return fib_dump_routes(f, f->routes, t, f->inspect);
}

void fib_forget_seen(struct fib *f)
{
	for (int t = 0; t < 2; t++) {
		for (uint32_t h = fibtab_next(&f->tab[t], 0); h; h = fibtab_next(&f->tab[t], h))
			fibtab_at(&f->tab[t], h)->flags &= (uint8_t)~ENT_SEEN;
	}
}

/* A dump that broke off leaves its socket in the middle of it. */
static void dump_failed(struct fib *f, int err)
{
	struct nls *fresh;

	log_event(LOGL_WARNING, "fib.resync_failed", kv_errno("error", err));
	f->dumping = -1;
	fib_forget_seen(f);
	if (nls_open(&fresh) == 0) {
		nls_close(f->routes);
		f->routes = fresh;
	}
	if (err == -EINTR)
		f->resync = true; /* somebody changes the table all the time: at once */
	else
		f->resync_failed = f->retry_wanted = true;
}

void fib_resync_begin(struct fib *f)
{
	int rc;

	fib_audit_stop(f);
	rc = resync_table(f, 0);
	f->resync = false;
	f->n_strays = 0;
	f->stats.resyncs++;
	if (rc < 0)
		dump_failed(f, rc);
}

static void resync_end(struct fib *f)
{
	f->dumping = -1;
	f->inspect = false;
	fib_sweep_begin(f, true);
}

/* One buffer of the dump under way. @return 0 or -errno. */
int fib_resync_step(struct fib *f)
{
	int rc = nls_dump_step(f->routes, on_route, f);

	if (rc > 0)
		return 0;
	if (rc < 0 && rc != -ENOENT) { /* ENOENT: there is no such table yet */
		dump_failed(f, rc);
		return rc;
	}
	if (f->dumping == 1) {
		resync_end(f);
		return 0;
	}
	rc = resync_table(f, 1);
	if (rc < 0)
		dump_failed(f, rc);
	return rc;
}

/* What cannot be deleted is found again by the next run. */
static void ignore_refusal(void *ctx, uint32_t index, int err, const char *text)
{
	(void)ctx;
	(void)index;
	(void)err;
	(void)text;
}

void fib_delete_strays(struct fib *f)
{
	for (size_t i = 0; i < f->n_strays; i++) {
		if (!nls_room(f->nl))
			(void)nls_send(f->nl, ignore_refusal, f);
		rt_put_delete(nls_request(f->nl, RTM_DELROUTE, 0), &f->strays[i]);
	}
	(void)nls_send(f->nl, ignore_refusal, f);
	free(f->strays);
	f->strays = NULL;
	f->n_strays = 0;
}
