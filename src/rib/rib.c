/* SPDX-License-Identifier: BSD-2-Clause */
/* rib.c - DOC: the door to the table: peers come and go, work is done in budgets.
 *
 * One turn of rib_run() goes with the flow of the data: sweeps (paths that left or must be evaluated again)
 * and decisions under one budget of prefixes, encoding under another, so that a turn is short whatever
 * happened and no stage starves the next. */
#include "rib/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rib/rib_priv.h"

#define PEERS_MAX UINT16_MAX

void rib_tell_nexthop(struct rib *r, const struct nexthop *nh)
{
	for (unsigned i = 0; i < r->n_subscribers; i++)
		if (r->subscribers[i].nexthop)
			r->subscribers[i].nexthop(r->subscribers[i].ctx, nh);
}

static void on_nexthop(void *ctx, nexthop_id id, const struct nexthop *nh)
{
	struct rib *r = ctx;

	rib_tell_nexthop(r, nh);
	path_nexthop_changed(r, id);
}

struct rib *rib_new(const struct rib_options *o)
{
	struct rib *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->options = *o;
	r->sweeps_tail = &r->sweeps;
	pool_init(&r->paths, sizeof(struct path));
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (table_init(&r->tables[f], f) < 0)
			goto fail;
	r->attrs = attrs_set_new();
	r->nexthops = nexthop_table_new(on_nexthop, r);
	if (r->nexthops)
		nexthop_set_own(r->nexthops, &(struct nexthop_own){ path_nexthop_find_own, r });
	r->out = adj_out_new();
	r->peers = calloc(1, sizeof(struct rib_peer *));
	r->n_peers = 1;
	if (r->attrs && r->nexthops && r->out && r->peers)
		return r;
fail:
	rib_free(r);
	return NULL;
}

static void free_paths(struct rib *r, struct rib_peer *p)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		for (path_id id = p->paths[f]; id; id = path_at(r, id)->peer_next) {
			attrs_unref(r->attrs, path_attrs(r, path_at(r, id)));
			attrs_unref(r->attrs, path_in(r, path_at(r, id)));
		}
}

void rib_free(struct rib *r)
{
	if (!r)
		return;
	for (uint32_t i = 1; i < r->n_peers; i++) {
		if (!r->peers[i])
			continue;
		adj_out_leave(r->peers[i]);
		free_paths(r, r->peers[i]);
		free(r->peers[i]);
	}
	free(r->peers);
	adj_out_free(r->out);
	for (uint32_t i = 0; i < r->n_users; i++)
		free(r->users[i].user);
	free(r->users);
	if (r->attrs)
		attrs_set_free(r->attrs);
	nexthop_table_free(r->nexthops);
	for (enum family f = 0; f < FAM_COUNT; f++) {
		queue_fini(&r->dirty[f]);
		table_fini(&r->tables[f]);
	}
	pool_fini(&r->paths);
	free(r);
}

void rib_set_options(struct rib *r, const struct rib_options *o)
{
	const struct decision_options *was = &r->options.decision, *is = &o->decision;
	bool same = r->options.multipath == o->multipath &&
	            was->always_compare_med == is->always_compare_med &&
	            was->prefer_oldest == is->prefer_oldest;
	bool cluster_same = r->options.cluster_id == o->cluster_id;

	r->options = *o;
	for (uint32_t i = 1; i < r->n_peers && !cluster_same; i++)
		if (r->peers[i] && !r->peers[i]->leaving) /* what is a loop is another question now */
			adj_in_sweep_request(r->peers[i], SWEEP_POLICY);
	for (enum family f = 0; f < FAM_COUNT && !same; f++)
		for (dest_id id = 1; id < table_end(&r->tables[f]); id++)
			if (table_live(&r->tables[f], id))
				loc_rib_touch(r, f, id);
}

struct nexthop_table *rib_nexthops(struct rib *r)
{
	return r->nexthops;
}

/* -- peers ------------------------------------------------------------------------------------ */

static uint32_t free_slot(struct rib *r)
{
	struct rib_peer **grown;
	uint32_t i = 1;

	while (i < r->n_peers && r->peers[i])
		i++;
	if (i < r->n_peers)
		return i;
	if (i > PEERS_MAX)
		return 0;
	grown = reallocarray(r->peers, i + 1u, sizeof(*grown));
	if (!grown)
		return 0;
	grown[i] = NULL;
	r->peers = grown;
	r->n_peers = i + 1;
	return i;
}

struct rib_peer *rib_peer_new(struct rib *r, const struct rib_peer_conf *c)
{
	uint32_t i = free_slot(r);
	struct rib_peer *p = i ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->rib = r;
	p->conf = *c;
	p->index = (uint16_t)i;
	r->peers[i] = p;
	return p;
}

static bool has_paths(const struct rib_peer *p)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (p->paths[f])
			return true;
	return false;
}

void rib_peer_free(struct rib_peer *p)
{
	if (!p)
		return;
	rib_peer_down(p);
	p->leaving = true;
	p->rib->n_leaving++;
	p->user = NULL;
	/* Names and filters belong to the caller, who may free them now. */
	p->conf.name = "";
	p->conf.group = NULL;
	p->conf.import = RIB_POLICY_NONE;
	p->conf.export = RIB_POLICY_NONE;
	adj_in_sweep_request(p, SWEEP_STALE);
}

/** Peers that left go when nothing can name them any more: no path, no undecided dest, no queued change. */
static void reap(struct rib *r)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (r->dirty[f].count)
			return;
	if (!adj_out_settled(r))
		return;
	for (uint32_t i = 1; i < r->n_peers; i++) {
		struct rib_peer *p = r->peers[i];

		if (!p || !p->leaving || p->in_sweeps || has_paths(p))
			continue;
		r->n_leaving--;
		r->peers[i] = NULL;
		free(p);
	}
}

static bool import_same(const struct rib_peer_conf *a, const struct rib_peer_conf *b)
{
	if (a->import != b->import || a->allow_own_as != b->allow_own_as ||
	    a->enforce_first_as != b->enforce_first_as || a->graceful_shutdown != b->graceful_shutdown)
		return false;
	return a->import != RIB_POLICY_FILTER || filter_equal(a->import_filter, b->import_filter);
}

static bool group_same(const struct rib_peer_conf *a, const struct rib_peer_conf *b)
{
	return a->group && b->group ? strcmp(a->group, b->group) == 0 : a->group == b->group;
}

void rib_peer_reconfigure(struct rib_peer *p, const struct rib_peer_conf *c)
{
	bool again = !import_same(&p->conf, c), regrouped = !group_same(&p->conf, c);

	p->conf = *c;
	if (again || regrouped)
		adj_in_sweep_request(p, SWEEP_POLICY);
	if (regrouped) { /* every filter may ask whence a route came */
		adj_out_anew(p->rib);
		rib_replay(p->rib);
	}
	if (p->up && adj_out_move(p) < 0)
		sink_break(p);
}

const struct rib_peer_conf *rib_peer_conf(const struct rib_peer *p)
{
	return &p->conf;
}

/** The link that @p's address is directly on; 0: it is farther away. */
static uint32_t link_of(const struct rib_peer *p)
{
	struct nexthop_table *t = p->rib->nexthops;
	nexthop_id id = nexthop_get(t, &p->conf.address, p->session.ifindex);
	const struct nexthop *nh = id ? nexthop_at(t, id) : NULL;
	uint32_t link = nh && nh->why == NH_OK && nh->connected ? nh->ifindex : 0;

	if (id)
		nexthop_put(t, id);
	return link;
}

int rib_peer_up(struct rib_peer *p, const struct rib_session *s)
{
	int rc;

	p->session = *s;
	p->link = link_of(p);
	for (enum family f = 0; f < FAM_COUNT; f++) {
		const struct rib_peer_stats *old = &p->stats[f];

		p->stats[f] = (struct rib_peer_stats){ .received = old->received,
			                               .accepted = old->accepted,
			                               .filtered = old->filtered,
			                               .preferred = old->preferred };
	}
	rc = adj_out_join(p);
	p->up = rc == 0;
	return rc;
}

void rib_peer_readdress(struct rib_peer *p, const struct ip *other, const struct ip *link_local)
{
	p->session.other_address = *other;
	p->session.link_local = *link_local;
	if (p->up && adj_out_move(p) < 0)
		sink_break(p);
}

void rib_peer_down(struct rib_peer *p)
{
	rib_peer_restarts(p, 0);
}

/** What is stale of @f, and kept, is to be as old as what is not. Not in pieces: a session that ends before
 * it has said all is rare. */
static void join_stale(struct rib_peer *p, enum family f)
{
	for (path_id id = p->paths[f]; id; id = path_at(p->rib, id)->peer_next) {
		struct path *path = path_at(p->rib, id);

		if (!path_is_over(p, path))
			path->epoch = p->epoch[f];
	}
}

void rib_peer_restarts(struct rib_peer *p, uint32_t retain)
{
	if (!p->up)
		return;
	p->up = false;
	p->long_lived &= retain;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (p->long_lived & FAM_BIT(f))
			join_stale(p, f);
		p->epoch[f]++;
	}
	p->retained = retain;
	adj_out_leave(p);
	adj_in_sweep_request(p, p->long_lived ? SWEEP_STALE | SWEEP_POLICY : SWEEP_STALE);
	if (!p->retained)
		path_nexthop_peer_left(p);
}

void rib_peer_long_lived(struct rib_peer *p, uint32_t families)
{
	families &= p->retained & ~p->long_lived;
	if (!families)
		return;
	p->long_lived |= families;
	adj_in_sweep_request(p, SWEEP_STALE | SWEEP_POLICY);
}

void rib_peer_stale_begin(struct rib_peer *p, enum family f)
{
	if (!p->up || p->retained & FAM_BIT(f)) /* what is stale already stays so */
		return;
	p->epoch[f]++;
	p->retained |= FAM_BIT(f);
}

void rib_peer_stale_end(struct rib_peer *p, uint32_t families)
{
	if (!(p->retained & families))
		return;
	p->retained &= ~families;
	p->long_lived &= ~families;
	adj_in_sweep_request(p, SWEEP_STALE);
	if (!p->up && !p->retained)
		path_nexthop_peer_left(p);
}

void rib_hold_eor(struct rib *r, bool hold)
{
	r->eor_held = hold;
	if (!hold)
		adj_out_release_eor(r);
}

void rib_peer_refresh(struct rib_peer *p, enum family f)
{
	if (p->up && p->session.neg.families & FAM_BIT(f))
		adj_out_again(p, FAM_BIT(f));
}

void rib_peer_stats(const struct rib_peer *p, enum family f, struct rib_peer_stats *out)
{
	*out = p->stats[f];
	out->exported = adj_out_exported(p, f);
}

void *rib_peer_user(const struct rib_peer *p)
{
	return p->user;
}

void rib_peer_set_user(struct rib_peer *p, void *user)
{
	p->user = user;
}

/* -- work ------------------------------------------------------------------------------------- */

void rib_subscribe(struct rib *r, const struct rib_subscriber *s)
{
	assert(r->n_subscribers < MAX_SUBSCRIBERS);
	r->subscribers[r->n_subscribers++] = *s;
}

void rib_on_output(struct rib *r, void (*fn)(void *ctx, struct rib_peer *p), void *ctx)
{
	r->on_output = fn;
	r->on_output_ctx = ctx;
}

void rib_replay(struct rib *r)
{
	r->replaying = true;
	r->replay = (struct rib_cursor){ 0 };
}

static unsigned run_replay(struct rib *r, unsigned budget)
{
	struct rib_cursor *c = &r->replay;

	while (budget && r->replaying) {
		const struct table *t = &r->tables[c->family];

		if (++c->at >= table_end(t)) {
			c->at = 0;
			r->replaying = ++c->family < FAM_COUNT;
			continue;
		}
		if (table_live(t, c->at))
			loc_rib_tell(r, c->family, c->at, 0);
		budget--;
	}
	return budget;
}

bool rib_pending(const struct rib *r)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (r->dirty[f].count)
			return true;
	return r->sweeps || r->replaying || adj_out_pending(r);
}

bool rib_run(struct rib *r, unsigned budget, uint64_t now_us)
{
	unsigned left;

	r->now_us = now_us;
	left = adj_in_sweep(r, budget);
	left = loc_rib_run(r, left);
	run_replay(r, left);
	adj_out_run(r, budget);
	if (r->n_leaving)
		reap(r);
	return rib_pending(r);
}
