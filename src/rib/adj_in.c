/* SPDX-License-Identifier: BSD-2-Clause */
/* adj_in.c - DOC: what peers told us (Adj-RIB-In, RFC 4271 3.2) and what import policy made of it.
 *
 * One path record serves as both: `in` is what was received, `attrs` what policy left of it, often the same
 * object. Keeping `in` makes a changed filter a matter of evaluating again, not of asking the peer.
 * Attributes are interned once an UPDATE, and policy is run once an UPDATE when the filter does not look at
 * prefixes.
 *
 * A session's end does not touch its paths: the peer's epoch moves on, which makes them ineligible at once
 * (unless they are retained for a peer that restarts), and a sweep under rib_run()'s budget removes them. New
 * sessions may bring the same prefixes back before the sweep comes by. The same sweep evaluates policy again
 * and finds the paths behind a next hop that changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "lib/reader.h"
#include "mcbgp/bgp.h"
#include "rib/rib_priv.h"

#define US_PER_CENTISECOND 10000u

/* -- import policy ---------------------------------------------------------------------------- */

static bool in_cluster_list(const struct attrs *a, uint32_t cluster)
{
	struct reader r = rd_init(a->cluster_list.p, a->cluster_list.len);

	while (rd_left(&r))
		if (rd_u32(&r) == cluster)
			return true;
	return false;
}

/** How often we are in @path: as the peer knows us, and as we are. */
static unsigned own_as_count(const struct rib_peer *p, struct blob path)
{
	uint32_t known = p->conf.local_as, real = p->rib->options.local_as;

	return aspath_count(path, known) + (known == real ? 0 : aspath_count(path, real));
}

/** Loops, leaks and forged first hops: RFC 4271 9.1.2 and 6.3, RFC 4456 8, RFC 9234 5. 0 when there is
 * nothing against it. */
static int refuse(const struct rib_peer *p, const struct attrs *in)
{
	const struct rib_options *o = &p->rib->options;
	bool ibgp = p->session.neg.ibgp;

	if (own_as_count(p, in->as_path) > p->conf.allow_own_as)
		return RIB_REFUSED_AS_LOOP;
	if (attrs_has(in, BGP_ATTR_ORIGINATOR_ID) && in->originator_id == o->router_id)
		return RIB_REFUSED_ORIGINATOR;
	if (attrs_has(in, BGP_ATTR_CLUSTER_LIST) && in_cluster_list(in, o->cluster_id))
		return RIB_REFUSED_CLUSTER;
	if (!ibgp && p->conf.enforce_first_as && aspath_first(in->as_path) != p->conf.remote_as)
		return RIB_REFUSED_FIRST_AS;
	if (!ibgp && role_is_leak(p->conf.role, p->conf.remote_as, in))
		return RIB_REFUSED_LEAK;
	return 0;
}

/** RFC 8326 3: what is about to go is taken only while there is nothing else, whatever the filter prefers. */
static bool retire_leaving(const struct rib_peer *p, struct attrs_edit *e)
{
	bool leaving = attrs_has(&e->a, BGP_ATTR_COMMUNITIES) &&
	               community_list_has(e->a.communities, BGP_COMM_GRACEFUL_SHUTDOWN);

	if (!leaving && !p->conf.graceful_shutdown)
		return false;
	attrs_edit_set_u32(e, BGP_ATTR_LOCAL_PREF, 0);
	return true;
}

/** The share of an ECMP set belongs to us: it is kept with the attributes, and never sent. */
static bool set_weight(uint16_t weight, struct attrs_edit *e)
{
	e->a.weight = weight;
	return weight;
}

bool adj_in_policy(struct rib_peer *p, const struct prefix *prefix, const struct attrs *in, int *term,
                   bool *changed)
{
	const struct filter_route route = { prefix, p->conf.name, p->conf.group, p->conf.source };
	struct filter_result result = { .verdict = FILTER_ACCEPT, .term = -1 };
	bool external = p->conf.source == SOURCE_BGP && !p->session.neg.ibgp;
	struct attrs_edit *e = &p->rib->edit;

	*changed = false;
	*term = p->conf.source == SOURCE_BGP ? refuse(p, in) : 0;
	if (*term)
		return false;
	if (p->conf.import == RIB_POLICY_NONE) {
		*term = RIB_REFUSED_POLICY_NONE;
		return false;
	}
	attrs_edit_begin(e, in);
	if (external)
		*changed = role_mark_in(p->conf.role, p->conf.remote_as, e);
	if (p->conf.import == RIB_POLICY_FILTER)
		filter_run(p->conf.import_filter, &route, p->conf.local_as, e, &result);
	if (external)
		*changed |= retire_leaving(p, e);
	*changed |= result.changed | set_weight(result.weight, e);
	*term = e->bad ? RIB_REFUSED_EDIT : result.term;
	return result.verdict == FILTER_ACCEPT && !e->bad;
}

/** What policy makes of one attribute set; one of these serves all prefixes of an UPDATE while the filter
 * does not look at them. */
struct imported {
	struct attrs *in;    /* counted */
	struct attrs *attrs; /* counted; NULL: refused */
	bool valid;          /* attrs is the answer for every prefix */
	bool blackhole;      /* attrs ask for packets to be dropped (RFC 7999) */
	bool long_lived;     /* of a peer that has been away for long (RFC 9494) */
};

/** RFC 7999 3.3: only by agreement, which a peer without an import filter has not, and only for a single
 * host. The community stays in the filter's hands: who does not want to honour it deletes it there. */
static bool asks_for_blackhole(const struct rib_peer *p, const struct prefix *prefix, const struct attrs *a)
{
	return a && attrs_has(a, BGP_ATTR_COMMUNITIES) && p->conf.import == RIB_POLICY_FILTER &&
	       prefix->len == ip_bits(prefix->addr.family) &&
	       community_list_has(a->communities, BGP_COMM_BLACKHOLE);
}

/** RFC 9494 4.2. Behind the import filter, so that it cannot take the mark away. */
static bool mark_long_lived(struct attrs_edit *e)
{
	community_add_value(e, BGP_COMM_LLGR_STALE);
	return true;
}

static int import_run(struct rib_peer *p, const struct prefix *prefix, struct imported *im)
{
	bool changed;
	int term;

	attrs_unref(p->rib->attrs, im->attrs);
	im->attrs = NULL;
	im->valid = p->conf.import != RIB_POLICY_FILTER || !p->conf.import_filter->uses_prefix;
	if (!adj_in_policy(p, prefix, im->in, &term, &changed))
		return 0;
	changed |= im->long_lived && mark_long_lived(&p->rib->edit);
	if (p->rib->edit.bad) /* no room for the mark: better no route than one that seems fresh */
		return 0;
	im->attrs = changed ? attrs_intern(p->rib->attrs, &p->rib->edit.a) : attrs_ref(im->in);
	im->valid &= im->attrs != NULL;
	return im->attrs ? 0 : -ENOMEM;
}

static void import_fini(struct rib *r, struct imported *im)
{
	attrs_unref(r->attrs, im->attrs);
	attrs_unref(r->attrs, im->in);
}

/* -- paths ------------------------------------------------------------------------------------ */

static uint32_t centiseconds(uint64_t us)
{
	return (uint32_t)(us / US_PER_CENTISECOND);
}

static path_id *find_link(struct rib *r, struct dest *d, uint16_t peer, uint32_t wire_id)
{
	path_id *link = &d->paths;

	while (*link) {
		struct path *path = path_at(r, *link);

		if (path->peer == peer && path->wire_id == wire_id)
			break;
		link = &path->next;
	}
	return link;
}

static void stats_path(struct rib_peer *p, enum family f, const struct path *path, int sign)
{
	struct rib_peer_stats *s = &p->stats[f];

	s->received += (uint32_t)sign;
	if (path->attrs)
		s->accepted += (uint32_t)sign;
	else
		s->filtered += (uint32_t)sign;
}

static void link_peer(struct rib_peer *p, enum family f, path_id id)
{
	struct path *path = path_at(p->rib, id);

	path->peer_prev = 0;
	path->peer_next = p->paths[f];
	if (path->peer_next)
		path_at(p->rib, path->peer_next)->peer_prev = id;
	p->paths[f] = id;
}

static void unlink_peer(struct rib_peer *p, enum family f, path_id id)
{
	const struct path *path = path_at(p->rib, id);

	if (p->in_sweeps && p->sweep_family == f && p->sweep_at == id)
		p->sweep_at = path->peer_next;
	if (path->peer_prev)
		path_at(p->rib, path->peer_prev)->peer_next = path->peer_next;
	else
		p->paths[f] = path->peer_next;
	if (path->peer_next)
		path_at(p->rib, path->peer_next)->peer_prev = path->peer_prev;
}

/** Whether @im makes another candidate of @path. */
static bool differs(const struct rib_peer *p, const struct path *path, const struct imported *im)
{
	bool blackhole = path->flags & PATH_BLACKHOLE;

	return path->attrs != attrs_id_of(im->attrs) || !path->in ||
	       (p->conf.source == SOURCE_BGP && blackhole != im->blackhole);
}

/** Give @path the attributes @im and the next hop they need. false: out of memory, nothing changed. */
static bool path_set(struct rib_peer *p, struct path *path, const struct imported *im)
{
	struct rib *r = p->rib;
	nexthop_id nh = 0;
	bool ok = true;

	if (differs(p, path, im)) {
		if (p->conf.source == SOURCE_BGP) { /* rib_local() sets those of local routes */
			nh = im->attrs && !im->blackhole ? path_nexthop_take(p, im->attrs, &ok) : 0;
			if (!ok)
				return false;
			path_nexthop_drop(r, path);
			path->nh = nh;
			path->flags &= (uint8_t)~PATH_BLACKHOLE;
			path->flags |= im->blackhole ? PATH_BLACKHOLE : 0;
		}
		attrs_unref(r->attrs, path_attrs(r, path));
		path->attrs = im->attrs ? attrs_ref(im->attrs)->id : 0;
		path->flags |= PATH_UPDATED;
	}
	if (path->in != im->in->id) {
		attrs_unref(r->attrs, path_in(r, path));
		path->in = attrs_ref(im->in)->id;
	}
	return true;
}

/** Take the path at @link out of the list of @d, and away. */
static void path_remove(struct rib_peer *p, enum family f, struct dest *d, path_id *link)
{
	struct rib *r = p->rib;
	path_id id = *link;
	struct path *path = path_at(r, id);

	if (path->flags & PATH_BEST)
		d->flags |= DEST_BEST_GONE;
	if (path->flags & (PATH_MEMBER | PATH_SPARE))
		d->flags |= DEST_MEMBER_GONE;
	stats_path(p, f, path, -1);
	unlink_peer(p, f, id);
	*link = path->next;
	path_nexthop_drop(r, path);
	attrs_unref(r->attrs, path_attrs(r, path));
	attrs_unref(r->attrs, path_in(r, path));
	pool_free(&r->paths, id);
}

/** A path of its own for (@dest, @p, @wire_id), still without attributes, linked into both lists. 0: out of
 * memory. */
static path_id path_new(struct rib_peer *p, enum family f, dest_id dest, uint32_t wire_id)
{
	struct rib *r = p->rib;
	struct dest *d = table_dest(&r->tables[f], dest);
	path_id id = pool_new(&r->paths);
	struct path *path;

	if (!id)
		return 0;
	path = path_at(r, id);
	*path = (struct path){
		.dest = dest, .peer = p->index, .wire_id = wire_id, .flags = f == FAM_IPV6 ? PATH_IPV6 : 0
	};
	if (d->paths) { /* behind the best path, which stays first until the next decision */
		struct path *first = path_at(r, d->paths);

		path->next = first->next;
		first->next = id;
	} else {
		d->paths = id;
	}
	link_peer(p, f, id);
	return id;
}

static int announce(struct rib_peer *p, enum family f, const struct nlri *n, uint32_t hash,
                    struct imported *im)
{
	struct rib *r = p->rib;
	dest_id dest = table_get_hashed(&r->tables[f], &n->prefix, hash);
	struct path *path;
	struct dest *d;
	path_id id;

	if (!dest)
		return -ENOMEM;
	if (!im->valid && import_run(p, &n->prefix, im) < 0)
		goto no_memory;
	im->blackhole = asks_for_blackhole(p, &n->prefix, im->attrs);
	id = *find_link(r, table_dest(&r->tables[f], dest), p->index, n->path_id);
	path = id ? path_at(r, id) : NULL;
	if (path && path->in == im->in->id && !differs(p, path, im)) { /* said before */
		if (path->epoch != p->epoch[f] && !loc_rib_touch(r, f, dest))
			goto no_memory;
		path->epoch = p->epoch[f];
		p->stats[f].import_ignored++;
		return 0;
	}
	if (!loc_rib_touch(r, f, dest))
		goto no_memory;
	if (!path) {
		id = path_new(p, f, dest, n->path_id);
		if (!id)
			goto no_memory;
		path = path_at(r, id);
	} else {
		stats_path(p, f, path, -1);
	}
	if (!path_set(p, path, im)) {
		stats_path(p, f, path, 1);
		d = table_dest(&r->tables[f], dest);
		path_remove(p, f, d, find_link(r, d, p->index, n->path_id));
		return -ENOMEM;
	}
	path->since = centiseconds(r->now_us);
	path->epoch = p->epoch[f];
	stats_path(p, f, path, 1);
	p->stats[f].import_filtered += !path->attrs;
	return 0;
no_memory:
	loc_rib_release(r, f, dest);
	return -ENOMEM;
}

static void withdraw(struct rib_peer *p, enum family f, const struct nlri *n, uint32_t hash)
{
	struct rib *r = p->rib;
	dest_id dest = table_find_hashed(&r->tables[f], &n->prefix, hash);
	struct dest *d = dest ? table_dest(&r->tables[f], dest) : NULL;
	path_id *link = d ? find_link(r, d, p->index, n->path_id) : NULL;

	p->stats[f].import_withdraws++;
	if (!link || !*link) {
		p->stats[f].import_ignored++;
		return;
	}
	/* Without memory to queue the dest it stays as it is, ineligible: the next change or sweep decides
	 * it. */
	if (loc_rib_touch(r, f, dest))
		path_remove(p, f, d, link);
	else
		path_set_over(p, path_at(r, *link));
}

/* -- UPDATE ----------------------------------------------------------------------------------- */

#define STEP  8u         /* prefixes that are taken forward together */
#define AHEAD (4 * STEP) /* a power of two */

/** The prefixes of a run, with what the table has of those to come on its way into the cache. Bucket, dest,
 * path and attributes hang on each other: each is asked for STEP prefixes before the next one is, so that
 * none is waited for. */
struct ahead {
	const struct rib *rib;
	struct nlri_run run;
	uint32_t at;                         /* prefixes handed out */
	uint32_t hashed, dest, paths, attrs; /* ... that so much has been asked for */
	struct coming {
		struct nlri n;
		uint32_t hash;
		const struct dest *d; /* NULL: not in the table, it seems */
	} ring[AHEAD];
};

/** All but the ring, which is large. */
static void ahead_init(struct ahead *a, const struct rib *r, struct nlri_run run)
{
	a->rib = r;
	a->run = run;
	a->at = a->hashed = a->dest = a->paths = a->attrs = 0;
}

static struct coming *coming(struct ahead *a, uint32_t i)
{
	return &a->ring[i % AHEAD];
}

/** The first path of the dest that was found for @c; NULL: none. */
static const struct path *first_path(const struct ahead *a, const struct coming *c)
{
	return c->d && c->d->paths ? path_at(a->rib, c->d->paths) : NULL;
}

/** What comes before @i, but nothing behind the end of the run. */
static uint32_t before(const struct ahead *a, uint32_t i)
{
	return i < a->hashed ? i : a->hashed;
}

static void look_ahead(struct ahead *a)
{
	const struct table *t = &a->rib->tables[a->run.family];
	const struct path *path;

	for (; a->hashed < a->at + AHEAD && nlri_next(&a->run, &coming(a, a->hashed)->n); a->hashed++) {
		struct coming *c = coming(a, a->hashed);

		c->hash = table_hash(t, &c->n.prefix);
		table_prefetch_bucket(t, c->hash);
	}
	for (; a->dest < before(a, a->at + 3 * STEP); a->dest++)
		coming(a, a->dest)->d = table_prefetch_dest(t, coming(a, a->dest)->hash);
	for (; a->paths < before(a, a->at + 2 * STEP); a->paths++)
		__builtin_prefetch(first_path(a, coming(a, a->paths)));
	for (; a->attrs < before(a, a->at + STEP); a->attrs++)
		if ((path = first_path(a, coming(a, a->attrs))))
			__builtin_prefetch(path_in(a->rib, path));
}

/** The next prefix, good until the next call; NULL at the end. */
static const struct coming *take(struct ahead *a)
{
	if (a->at % STEP == 0)
		look_ahead(a);
	return a->at < a->hashed ? coming(a, a->at++) : NULL;
}

static void withdraw_run(struct rib_peer *p, struct nlri_run run)
{
	struct ahead a;
	const struct coming *c;

	if (run.family >= FAM_COUNT)
		return;
	ahead_init(&a, p->rib, run);
	while ((c = take(&a)))
		withdraw(p, run.family, &c->n, c->hash);
}

static int announce_unicast(struct rib_peer *p, enum family f, const struct nlri *n, uint32_t hash,
                            struct imported *im)
{
	p->stats[f].import_updates++;
	if (prefix_is_unicast(&n->prefix))
		return announce(p, f, n, hash, im);
	p->stats[f].import_rejected++;
	return 0;
}

static int announce_run(struct rib_peer *p, struct nlri_run run, const struct attrs *view)
{
	struct imported im = { 0 };
	const struct coming *c;
	struct ahead a;
	int rc = 0;

	if (run.family >= FAM_COUNT || !rd_left(&run.r))
		return 0;
	im.in = attrs_intern(p->rib->attrs, view);
	if (!im.in)
		return -ENOMEM;
	ahead_init(&a, p->rib, run);
	while (rc == 0 && (c = take(&a)))
		rc = announce_unicast(p, run.family, &c->n, c->hash, &im);
	import_fini(p->rib, &im);
	return rc;
}

bool rib_peer_over_limit(const struct rib_peer *p)
{
	uint64_t n = 0;

	for (enum family f = 0; f < FAM_COUNT; f++)
		n += p->stats[f].received;
	return p->conf.max_prefix && n > p->conf.max_prefix;
}

enum rib_result rib_update(struct rib_peer *p, const struct update *u, uint64_t now_us)
{
	struct attrs mp;
	int rc;

	p->rib->now_us = now_us;
	withdraw_run(p, u->withdrawn);
	withdraw_run(p, u->mp_withdrawn);
	if (u->treat_as_withdraw) {
		withdraw_run(p, u->reach);
		withdraw_run(p, u->mp_reach);
		return RIB_OK;
	}
	rc = announce_run(p, u->reach, &u->attrs);
	if (rc == 0 && rd_left(&u->mp_reach.r)) {
		mp = u->attrs;
		mp.next_hop = u->mp_next_hop;
		mp.next_hop_ll = u->mp_next_hop_ll;
		mp.present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
		rc = announce_run(p, u->mp_reach, &mp);
	}
	if (rc < 0)
		return RIB_NO_MEMORY;
	return rib_peer_over_limit(p) ? RIB_MAX_PREFIX : RIB_OK;
}

/* -- local routes ----------------------------------------------------------------------------- */

static int local_set(struct rib_peer *p, enum family f, const struct nlri *n, const struct rib_local *l,
                     struct imported *im)
{
	struct rib *r = p->rib;
	uint32_t hash = table_hash(&r->tables[f], &n->prefix);
	struct path *path;
	dest_id dest;
	bool ok = true;
	int rc = announce(p, f, n, hash, im);

	if (rc < 0)
		return rc;
	dest = table_find_hashed(&r->tables[f], &n->prefix, hash);
	path = path_at(r, *find_link(r, table_dest(&r->tables[f], dest), p->index, 0));
	if (!loc_rib_touch(r, f, dest))
		return -ENOMEM;
	path_nexthop_drop(r, path);
	path->flags &= (uint8_t)~PATH_UNREACHABLE;
	path->flags |= PATH_MOVED;
	if (l->kind == LOCAL_BLACKHOLE)
		path->flags |= PATH_BLACKHOLE;
	else if (l->kind == LOCAL_UNREACHABLE)
		path->flags |= PATH_UNREACHABLE;
	else if (l->kind == LOCAL_INTERFACE)
		path->flags |= PATH_INTERFACE, path->nh = l->ifindex;
	else
		path->nh = path_nexthop_take_at(p, &l->next_hop, l->ifindex, &ok);
	return ok ? 0 : -ENOMEM;
}

int rib_local(struct rib_peer *p, const struct prefix *prefix, const struct rib_local *l, uint64_t now_us)
{
	const struct attrs view = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH),
		                    .origin = BGP_ORIGIN_IGP };
	const struct nlri n = { .prefix = *prefix };
	enum family f = family_of(prefix);
	struct imported im = { 0 };
	int rc;

	p->rib->now_us = now_us;
	if (!l) {
		withdraw(p, f, &n, table_hash(&p->rib->tables[f], &n.prefix));
		return 0;
	}
	im.in = attrs_intern(p->rib->attrs, &view);
	if (!im.in)
		return -ENOMEM;
	rc = local_set(p, f, &n, l, &im);
	import_fini(p->rib, &im);
	return rc;
}

/* -- sweeps ----------------------------------------------------------------------------------- */

void adj_in_sweep_request(struct rib_peer *p, unsigned what)
{
	struct rib *r = p->rib;

	p->sweep |= (uint8_t)what;
	if (p->in_sweeps) {
		p->sweep_again = true;
		return;
	}
	p->in_sweeps = true;
	p->sweep_family = FAM_IPV4;
	p->sweep_at = p->paths[FAM_IPV4];
	p->next_sweep = NULL;
	*r->sweeps_tail = p;
	r->sweeps_tail = &p->next_sweep;
}

/** Policy once more for one path of the table. */
static void reevaluate(struct rib_peer *p, enum family f, struct path *path, const struct prefix *prefix)
{
	struct imported im = { .in = attrs_ref(path_in(p->rib, path)),
		               .long_lived = path_is_long_lived(p, path) };

	stats_path(p, f, path, -1);
	if (import_run(p, prefix, &im) == 0) {
		im.blackhole = asks_for_blackhole(p, prefix, im.attrs);
		if (differs(p, path, &im) && loc_rib_touch(p->rib, f, path->dest))
			path_set(p, path, &im);
	}
	stats_path(p, f, path, 1);
	import_fini(p->rib, &im);
}

/** RFC 9494 4.2: routes that are not to be kept for long, as the peer or our policy says. */
static bool refuses_long_lived(const struct rib *r, const struct path *path)
{
	const struct attrs *a = path_attrs(r, path);

	return community_list_has(path_in(r, path)->communities, BGP_COMM_NO_LLGR) ||
	       (a && community_list_has(a->communities, BGP_COMM_NO_LLGR));
}

static void sweep_path(struct rib_peer *p, enum family f, path_id id)
{
	struct rib *r = p->rib;
	struct path *path = path_at(r, id);
	struct dest *d = table_dest(&r->tables[f], path->dest);
	struct prefix prefix;

	if (path_is_long_lived(p, path) && refuses_long_lived(r, path))
		path_set_over(p, path);
	if ((p->sweep & SWEEP_STALE) && path_is_over(p, path)) {
		if (loc_rib_touch(r, f, path->dest))
			path_remove(p, f, d, find_link(r, d, p->index, path->wire_id));
		return;
	}
	if (p->sweep & SWEEP_POLICY) {
		dest_prefix(&r->tables[f], d, &prefix);
		reevaluate(p, f, path, &prefix);
	}
	if ((p->sweep & SWEEP_NEXT_HOP) && path->nh && loc_rib_touch(r, f, path->dest))
		path->flags |= p->sweep & SWEEP_LINK ? PATH_MOVED | PATH_UPDATED : PATH_MOVED;
}

static void sweep_begin(struct rib_peer *p)
{
	p->sweep_again = false;
	p->sweep_family = FAM_IPV4;
	p->sweep_at = p->paths[FAM_IPV4];
}

static void sweep_end(struct rib *r, struct rib_peer *p)
{
	r->sweeps = p->next_sweep;
	if (!r->sweeps)
		r->sweeps_tail = &r->sweeps;
	p->in_sweeps = false;
	p->sweep = 0;
}

unsigned adj_in_sweep(struct rib *r, unsigned budget)
{
	while (budget && r->sweeps) {
		struct rib_peer *p = r->sweeps;

		if (p->sweep_again)
			sweep_begin(p);
		for (; budget && p->sweep_at; budget--) {
			path_id id = p->sweep_at;

			p->sweep_at = path_at(r, id)->peer_next;
			sweep_path(p, p->sweep_family, id);
		}
		if (p->sweep_at)
			break;
		if (p->sweep_family + 1 < FAM_COUNT)
			p->sweep_at = p->paths[++p->sweep_family];
		else
			sweep_end(r, p);
	}
	return budget;
}
