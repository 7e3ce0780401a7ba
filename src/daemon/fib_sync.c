/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_sync.c - DOC: the table's changes -> the FIB, through the policy of `kernel.export`.
 *
 * A next hop that dies would cost a change for every prefix behind it. So before the table decides the first
 * of them, the FIB is told which gateways are still alive, and replaces each group with a dead member once,
 * by the members left or the spare: what the prefixes say afterwards is the same again, one by one. A gateway
 * is alive as long as some next hop in use leads to it. In use means: a peer whose routes stay has a path by
 * it; hence the end of a session takes its gateways out as well, unless another peer names them too, or the
 * routes are kept (graceful restart).
 *
 * While any gateway is dead the question is asked again at each turn: a next hop that died and came back
 * between two decisions changes no route, so nothing else would bring it back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/state.h"
#include "lib/log.h"

#define HOPS_MAX 256

struct via {
	struct ip gateway;
	uint32_t ifindex;
};

struct fib_sync {
	struct rib *rib;
	struct fib *fib;
	const struct conf_kernel *kernel;
	bool no_memory;    /* told once */
	bool hops_changed; /* next hops died or came back since the last judgement */
	bool some_dead;    /* by the last judgement */
	struct via *vias;  /* workspace of a judgement: where next hops in use lead to, sorted */
	size_t n_vias, size;
	struct attrs_edit edit;
};

/** @term: of the filter that decided, from 0; -1: none of them. */
static bool judged(struct fib_sync *s, const struct prefix *p, const struct rib_peer *peer,
                   const struct attrs *best, int *term)
{
	const struct rib_peer_conf *from = rib_peer_conf(peer);
	const struct filter_route route = { p, from->name, from->group, from->source };
	struct filter_result result;

	*term = -1;
	if (s->kernel->export.kind != POLICY_FILTER)
		return s->kernel->export.kind == POLICY_ALL;
	attrs_edit_begin(&s->edit, best);
	filter_run(s->kernel->export.filter, &route, 0, &s->edit, &result);
	*term = result.term;
	return result.verdict == FILTER_ACCEPT;
}

static bool wanted(struct fib_sync *s, const struct prefix *p, const struct rib_peer *peer,
                   const struct attrs *best)
{
	int term;

	return judged(s, p, peer, best, &term);
}

static void put(struct fib_sync *s, const struct prefix *p, const struct fib_route *r)
{
	int rc = fib_set(s->fib, p, r);

	if (rc < 0 && !s->no_memory)
		log_event(LOGL_ERROR, "fib.refused", kv_prefix("prefix", p), kv_errno("error", rc));
	s->no_memory = rc < 0;
}

static struct fib_hop hop(const struct rib_hop *h, bool spare)
{
	return (struct fib_hop){
		.gateway = h->gateway,
		.ifindex = h->ifindex,
		.weight = h->weight,
		.onlink = h->onlink,
		.spare = spare,
	};
}

static void on_change(void *ctx, const struct rib_change *c)
{
	struct fib_sync *s = ctx;
	struct fib_hop hops[HOPS_MAX];
	size_t n;
	struct fib_route route = { .kind = c->kind == RIB_UNREACHABLE ? FIB_UNREACHABLE : FIB_BLACKHOLE,
		                   .hops = hops };

	if (!c->best || !wanted(s, &c->prefix, c->from, c->best)) {
		put(s, &c->prefix, NULL);
		return;
	}
	if (c->kind == RIB_UNICAST) {
		route.kind = FIB_UNICAST;
		n = c->n_hops < s->kernel->multipath ? c->n_hops : s->kernel->multipath;
		for (size_t i = 0; i < n; i++)
			hops[i] = hop(&c->hops[i], false);
		if (c->spare && n < HOPS_MAX)
			hops[n++] = hop(c->spare, true);
		route.n_hops = n;
	}
	put(s, &c->prefix, &route);
}

const char *fib_sync_refusal(struct fib_sync *s, const struct prefix *p, char *buf, size_t size)
{
	const struct conf_policy *export = &s->kernel->export;
	struct rib_path_view best;
	int term;

	if (!rib_paths(s->rib, p, &best, 1) || !best.best || judged(s, p, best.peer, best.attrs, &term))
		return NULL;
	if (export->kind == POLICY_FILTER && term >= 0)
		snprintf(buf, size, "not exported: refused by filter %s, term %d", export->filter->name,
		         term + 1);
	else if (export->kind == POLICY_FILTER)
		snprintf(buf, size, "not exported: refused by filter %s, no term accepts it",
		         export->filter->name);
	else
		snprintf(buf, size, "not exported: kernel.export is none");
	return buf;
}

/* -- next hops that die ----------------------------------------------------------------------- */

static void on_nexthop(void *ctx, const struct nexthop *nh)
{
	struct fib_sync *s = ctx;

	(void)nh;
	s->hops_changed = true;
}

static int via_cmp(const void *a, const void *b)
{
	const struct via *x = a, *y = b;
	int c = memcmp(&x->gateway, &y->gateway, sizeof(x->gateway));

	return c ? c : (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static bool vias_room(struct fib_sync *s, size_t n)
{
	struct via *grown;

	if (n <= s->size)
		return true;
	grown = reallocarray(s->vias, n, sizeof(*grown));
	if (!grown)
		return false;
	s->vias = grown;
	s->size = n;
	return true;
}

/* Where the next hops in use lead to. false: out of memory. */
static bool collect_vias(struct fib_sync *s)
{
	const struct nexthop_table *t = rib_nexthops(s->rib);

	s->n_vias = 0;
	if (!vias_room(s, nexthop_count(t)))
		return false;
	for (nexthop_id id = nexthop_next(t, 0); id; id = nexthop_next(t, id)) {
		const struct nexthop *nh = nexthop_at(t, id);

		if (nh->why == NH_OK && rib_nexthop_used(s->rib, id))
			s->vias[s->n_vias++] = (struct via){ nh->gateway, nh->ifindex };
	}
	if (s->n_vias)
		qsort(s->vias, s->n_vias, sizeof(*s->vias), via_cmp);
	return true;
}

static bool is_alive(void *ctx, const struct ip *gateway, uint32_t ifindex)
{
	const struct fib_sync *s = ctx;
	const struct via key = { *gateway, ifindex };

	return s->n_vias && bsearch(&key, s->vias, s->n_vias, sizeof(key), via_cmp);
}

void fib_sync_next_hops(struct fib_sync *s)
{
	if ((!s->hops_changed && !s->some_dead) || !collect_vias(s))
		return;
	s->hops_changed = false;
	s->some_dead = fib_members_judge(s->fib, is_alive, s) > 0;
}

struct fib_sync *fib_sync_new(struct rib *rib, struct fib *fib, const struct conf_kernel *kernel)
{
	struct fib_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->rib = rib;
	s->fib = fib;
	s->kernel = kernel;
	rib_subscribe(rib, &(struct rib_subscriber){ .change = on_change, .nexthop = on_nexthop, .ctx = s });
	return s;
}

void fib_sync_free(struct fib_sync *s)
{
	if (!s)
		return;
	free(s->vias);
	free(s);
}

void fib_sync_apply(struct fib_sync *s, const struct conf_kernel *kernel, bool changed)
{
	s->kernel = kernel;
	if (changed)
		rib_replay(s->rib);
}
