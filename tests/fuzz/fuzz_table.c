/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_table.c - whole sessions: state machines, the table behind them, policy, and what the other peers are
 * told. The input is a sequence of acts: who, what, how much; among them raw bytes and well-formed UPDATEs
 * made from a few of them, so that much happens in a short input.
 *
 * Properties of a table at rest: the best path of each prefix is the one that the decision process puts
 * first, whatever happened in which order; nothing is left of a peer that is down but what it left stale; all
 * counts agree; subscribers know each prefix that has a best path, with its next hop; what a peer was told,
 * decoded from the messages it was sent, is what export policy makes of the best paths now. When all have
 * left, nothing remains. */
#include "bgp/aspath.h"
#include "routes.h"
#include "world.h"

#define ACTS_MAX  400
#define PATHS_MAX 64

static struct world world;
static struct filter *import_filter, *export_filter;
static struct prefix_set *short_prefixes;

/* -- acts ---------------------------------------------------------------------------------------- */

enum act {
	ACT_CONNECT,
	ACT_ANNOUNCE,
	ACT_WITHDRAW,
	ACT_BYTES,
	ACT_REFRESH,
	ACT_EOR,
	ACT_EVENT,
	ACT_TCP_FAILS,
	ACT_TIME,
	ACT_POLICY,
	ACT_REMOVE,
	ACT_LOCAL,
	ACT_HOST,
	ACT_OPTIONS,
	ACT_RUN,
	ACT_DRAIN,
	ACT_SETTLE,
	ACT_COUNT
};

/** One message; @announce: with attributes that follow in @r. */
static void send_route(struct speaker *s, struct reader *r, bool announce)
{
	const struct codec_ctx c = codec_of_writer(s);
	static uint8_t msg[BGP_MAX_LEN_EXT];
	uint8_t blobs[128], first = rd_u8(r), count = rd_u8(r), path_id = count >> 5;
	struct prefix p = some_prefix(first);
	enum family f = family_of(&p);
	struct update_packer pack;
	struct attrs a;

	if (announce)
		a = some_attrs(s, f, r, blobs);
	if (!s->up || !(c.families & FAM_BIT(f)) ||
	    !update_pack_begin(&pack, msg, sizeof(msg), &c, f, announce ? &a : NULL))
		return;
	for (unsigned i = 0; i <= count % 8u; i++) {
		p = some_prefix((uint8_t)((first & 0x80) | ((first + i) & 0x7f)));
		update_pack_add(&pack, &p, c.add_path[f] ? path_id : 0);
	}
	world_bytes(s, msg, update_pack_end(&pack));
}

static void send_refresh(struct speaker *s, uint8_t b)
{
	uint8_t msg[64];
	struct writer w = wr_init(msg, sizeof(msg));

	refresh_encode(&w, b & 1 ? FAM_IPV6 : FAM_IPV4, (b >> 1) % 4);
	world_bytes(s, msg, (size_t)(w.p - msg));
}

static void send_eor(struct speaker *s, uint8_t b)
{
	uint8_t msg[64];
	struct writer w = wr_init(msg, sizeof(msg));

	update_encode_eor(&w, b & 1 ? FAM_IPV6 : FAM_IPV4);
	world_bytes(s, msg, (size_t)(w.p - msg));
}

static void connect(struct speaker *s, uint8_t b)
{
	struct caps theirs = s->session_conf.caps;

	if (!(b & 1))
		memset(theirs.add_path, 0, sizeof(theirs.add_path));
	theirs.graceful_restart = b & 2;
	theirs.gr_forwarding = b & 4 ? theirs.gr_families : 0;
	theirs.gr_notification = theirs.llgr = b & 8;
	theirs.llgr_forwarding = theirs.gr_forwarding;
	if (!theirs.llgr)
		theirs.llgr_families = theirs.llgr_time[FAM_IPV4] = theirs.llgr_time[FAM_IPV6] = 0;
	theirs.enhanced_refresh &= !(b & 16);
	theirs.ext_message &= !(b & 32);
	theirs.ext_next_hop = b & 64 ? theirs.ext_next_hop : 0;
	if (b & 128)
		theirs.families = FAM_BIT(FAM_IPV4);
	world_connect(s, &theirs);
}

static void reconfigure(struct speaker *s, uint8_t b)
{
	static const enum rib_policy policies[] = { RIB_POLICY_ALL, RIB_POLICY_FILTER, RIB_POLICY_FILTER,
		                                    RIB_POLICY_NONE };

	s->conf.import = policies[b & 3];
	s->conf.export = policies[b >> 2 & 3];
	s->conf.import_filter = import_filter;
	s->conf.export_filter = export_filter;
	s->conf.graceful_shutdown = b & 16;
	s->conf.next_hop_self = b & 32;
	s->conf.allow_own_as = b >> 6 & 1;
	s->conf.as_override = b & 128;
	rib_peer_reconfigure(s->rib, &s->conf);
}

/** Taken out of the configuration, and put in again. */
static void replace(struct speaker *s)
{
	world_stop(s, BGP_CEASE_PEER_DECONFIGURED);
	rib_peer_free(s->rib);
	s->rib = rib_peer_new(s->world->rib, &s->conf);
	assert(s->rib);
}

static void set_local(struct world *w, uint8_t which, uint8_t how)
{
	const struct prefix p = some_prefix(which);
	const struct rib_local l = { .kind = how & 3,
		                     .next_hop =
		                             p.addr.family == IP_V4 ? ip_v4(0xc0000263u) : (struct ip){ 0 },
		                     .ifindex = how & 4 ? LINK : 0 };
	bool gone = how & 16 || (l.kind == LOCAL_NEXT_HOP && l.next_hop.family == IP_NONE);

	assert(rib_local(w->local, &p, gone ? NULL : &l, w->now) == 0);
}

/** What the host has: a link, routes to the next hops, a next hop that died. */
static void set_host(struct world *w, uint8_t b)
{
	static const uint32_t nets[] = { 0xc0000200u, 0xc6336400u };
	struct nexthop_table *t = rib_nexthops(w->rib);
	const uint8_t fd99[16] = { 0xfd, 0x99 };
	struct ip a = b & 2 ? ip_v4(nets[b >> 2 & 1]) : ip_from_bytes(IP_V6, fd99);
	const struct ip gateway = ip_v4(0xc0000201u + (b >> 4)), dead = ip_v4(0xc000020au + (b >> 4 & 7));
	const struct host_route route = { .prefix = prefix_make(&a, a.family == IP_V4 ? 24 : 64),
		                          .gateway = b & 4 ? gateway : (struct ip){ 0 },
		                          .ifindex = LINK,
		                          .metric = 0 };

	if (b & 1)
		assert(nexthop_dead_set(t, &dead, NH_CAUSE_NEIGHBOR, b & 2) == 0);
	else if (b & 8)
		nexthop_route_del(t, &route.prefix, 0);
	else
		assert(nexthop_route_set(t, &route) == 0);
	if (b >= 0xf0)
		assert(nexthop_link_set(t, LINK, b & 4) == 0);
}

static void set_options(struct world *w, uint8_t b)
{
	w->options.multipath = 1 + b % 4;
	w->options.decision.always_compare_med = b & 4;
	rib_set_options(w->rib, &w->options);
}

static void pass_time(struct world *w, uint8_t seconds)
{
	w->now += seconds * SECOND;
	for (unsigned i = 0; i < SPEAKERS; i++) {
		struct speaker *s = &w->speakers[i];

		world_effects(s, session_tick(&s->session, w->now));
		stale_tick(s);
	}
}

/** What comes as messages, or means more than the event alone, has acts of its own. */
static void send_event(struct speaker *s, uint8_t b)
{
	static const enum bgp_event events[] = { EV_START_PASSIVE, EV_STOP,      EV_TCP_UP,  EV_RETRY_EXPIRES,
		                                 EV_HOLD_EXPIRES,  EV_COLLISION, EV_BFD_DOWN };
	enum bgp_event e = events[b % (sizeof(events) / sizeof(events[0]))];

	if (e == EV_TCP_UP && s->session.state != ST_ACTIVE && s->session.state != ST_CONNECT)
		return; /* there is no socket for it */
	world_effects(s, session_event(&s->session, e, s->world->now));
}

static void check_settled(struct world *w);

static void act(struct world *w, struct reader *r)
{
	static const int errors[] = { 0, ECONNRESET, ETIMEDOUT, EHOSTUNREACH };
	uint8_t head = rd_u8(r), b = rd_u8(r);
	struct speaker *s = &w->speakers[head / ACT_COUNT % SPEAKERS];
	size_t n;

	switch ((enum act)(head % ACT_COUNT)) {
	case ACT_CONNECT:
		connect(s, b);
		break;
	case ACT_ANNOUNCE:
		r->p -= !r->bad;
		send_route(s, r, true);
		break;
	case ACT_WITHDRAW:
		r->p -= !r->bad;
		send_route(s, r, false);
		break;
	case ACT_BYTES:
		n = b < rd_left(r) ? b : rd_left(r);
		world_bytes(s, rd_take(r, n), n);
		break;
	case ACT_REFRESH:
		send_refresh(s, b);
		break;
	case ACT_EOR:
		send_eor(s, b);
		break;
	case ACT_EVENT:
		send_event(s, b);
		break;
	case ACT_TCP_FAILS:
		world_effects(s, session_tcp_failed(&s->session, errors[b % 4], w->now));
		break;
	case ACT_TIME:
		pass_time(w, b);
		break;
	case ACT_POLICY:
		reconfigure(s, b);
		break;
	case ACT_REMOVE:
		replace(s);
		break;
	case ACT_LOCAL:
		set_local(w, b, rd_u8(r));
		break;
	case ACT_HOST:
		set_host(w, b);
		break;
	case ACT_OPTIONS:
		set_options(w, b);
		break;
	case ACT_RUN:
		rib_run(w->rib, 1 + b % 32u, w->now);
		break;
	case ACT_DRAIN:
		world_drain(s, 1 + b);
		break;
	default:
		world_settle(w);
		check_settled(w);
	}
}

/* -- properties ---------------------------------------------------------------------------------- */

static struct speaker *speaker_of(struct world *w, const struct rib_peer *p)
{
	for (unsigned i = 0; i < SPEAKERS; i++)
		if (w->speakers[i].rib == p)
			return &w->speakers[i];
	assert(p == w->local);
	return NULL;
}

static struct candidate candidate_of(struct world *w, const struct rib_path_view *v)
{
	const struct speaker *s = speaker_of(w, v->peer);
	const struct attrs *a = v->attrs;

	return (struct candidate){
		.attrs = a,
		.eligible = v->eligible,
		.stale = a->present & ATTRS_LONG_LIVED_STALE,
		.local = !s,
		.ebgp = s && !s->session.neg.ibgp,
		.igp_metric = v->nexthop ? v->nexthop->metric : 0,
		.neighbor_as = aspath_first(a->as_path),
		.router_id = attrs_has(a, BGP_ATTR_ORIGINATOR_ID) ? a->originator_id
		             : s                                  ? s->session.theirs.id
		                                                  : 0,
		.peer_addr = s ? s->conf.address : (struct ip){ 0 },
		.path_id = v->path_id,
	};
}

/** The best of the best of each neighboring AS (RFC 4271 9.1.2.2 c), by comparing all pairs. */
static size_t expected_best(struct world *w, const struct rib_path_view *v, size_t n)
{
	const struct decision_options *o = &w->options.decision;
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		struct candidate a = v[i].attrs ? candidate_of(w, &v[i]) : (struct candidate){ 0 }, b;
		bool beaten = !v[i].eligible;

		for (size_t j = 0; j < n && !beaten; j++) {
			if (j == i || !v[j].eligible)
				continue;
			b = candidate_of(w, &v[j]);
			beaten = b.neighbor_as == a.neighbor_as && decision_compare(&b, &a, o, NULL) < 0;
		}
		if (beaten)
			continue;
		if (best < n) {
			b = candidate_of(w, &v[best]);
			if (decision_compare(&b, &a, o, NULL) < 0)
				continue;
		}
		best = i;
	}
	return best;
}

static void check_paths(struct world *w, const struct rib_path_view *v, size_t n)
{
	size_t best = expected_best(w, v, n);
	struct candidate first, c;

	for (size_t i = 0; i < n; i++) {
		const struct speaker *s = speaker_of(w, v[i].peer);

		assert(!s || s->up || (v[i].stale && s->stale & FAM_BIT(family_of(&v[i].prefix))));
		assert(!v[i].stale || s->stale & FAM_BIT(family_of(&v[i].prefix)));
		assert(!v[i].eligible || v[i].attrs);
		assert(v[i].best == (i == best) && (!v[i].best || i == 0));
		assert(!v[i].multipath || v[i].eligible);
		if (!v[i].multipath || v[i].best)
			continue;
		first = candidate_of(w, &v[0]);
		c = candidate_of(w, &v[i]);
		assert(decision_multipath(&first, &c, &w->options.decision));
	}
}

static void check_known(struct world *w, const struct prefix *p, const struct rib_path_view *best)
{
	struct known *k;

	HASH_FIND(hh, w->known, p, sizeof(*p), k);
	assert(!k == !best);
	if (!best)
		return;
	assert(k->kind == best->kind);
	if (best->nexthop)
		assert(k->n_hops && k->first.ifindex == best->nexthop->ifindex &&
		       ip_equal(&k->first.gateway, &best->nexthop->gateway));
	else
		assert(k->kind != RIB_UNICAST || k->first.ifindex == best->ifindex);
}

/** What @a looks like to @s once it was on the wire; NULL: it cannot be sent. Counted. */
static struct attrs *as_on_the_wire(struct speaker *s, const struct prefix *p, const struct attrs *a)
{
	static uint8_t msg[BGP_MAX_LEN_EXT];
	const struct codec_ctx c = codec_of_reader(s);
	enum family f = family_of(p);
	struct update_packer pack;
	static struct update u;
	struct attrs mp;
	size_t n;

	if (!update_pack_begin(&pack, msg, s->session.neg.max_len, &c, f, a) || !update_pack_add(&pack, p, 0))
		return NULL;
	n = update_pack_end(&pack);
	assert(update_decode(rd_init(msg + BGP_HEADER_LEN, n - BGP_HEADER_LEN), &c, &u));
	mp = mp_attrs(&u);
	return attrs_intern(s->world->sets, rd_left(&u.mp_reach.r) ? &mp : &u.attrs);
}

/** What @s has of a prefix whose best path goes to it as @a; NULL: not at all. @return how many paths. */
static unsigned check_told(struct speaker *s, const struct prefix *p, const struct attrs *a)
{
	struct attrs *want = a ? as_on_the_wire(s, p, a) : NULL;
	struct told *t, *next;
	unsigned n = 0;
	bool found = false;

	if (!s->session.neg.add_path_tx[family_of(p)]) {
		t = told_find(s, p, 0);
		assert(!t == !want && (!t || t->attrs == want));
		attrs_unref(s->world->sets, want);
		return t != NULL;
	}
	HASH_ITER(hh, s->told, t, next)
	{
		if (!prefix_equal(&t->key.prefix, p))
			continue;
		n++;
		found |= t->attrs == want;
	}
	assert(found || !want);
	attrs_unref(s->world->sets, want);
	return n;
}

/** Paths of a peer by what became of them, over the whole table. */
struct tally {
	uint32_t received, accepted, preferred;
};

static void check_counts(struct world *w, const struct rib_peer *p, enum family f, const struct tally *t)
{
	struct rib_peer_stats s;

	rib_peer_stats(p, f, &s);
	assert(s.received == s.accepted + s.filtered);
	assert(s.received == t->received && s.accepted == t->accepted && s.preferred == t->preferred);
	if (p != w->local)
		assert(s.exported == speaker_of(w, p)->n_told[f]);
}

static void count(struct world *w, struct tally *tallies, const struct rib_path_view *v)
{
	const struct speaker *s = speaker_of(w, v->peer);
	struct tally *t = &tallies[s ? s - w->speakers : SPEAKERS];

	t->received++;
	t->accepted += v->attrs != NULL;
	t->preferred += v->best;
}

static void check_family(struct world *w, enum family f)
{
	struct tally tallies[SPEAKERS + 1] = { 0 };
	unsigned told[SPEAKERS] = { 0 };
	struct rib_cursor cursor = { .family = f };
	struct rib_path_view v[PATHS_MAX];
	struct prefix p;
	size_t prefixes = 0;

	for (; rib_walk(w->rib, &cursor, &p); prefixes++) {
		size_t n = rib_paths(w->rib, &p, v, PATHS_MAX);

		assert(n);
		if (n > PATHS_MAX)
			return; /* ADD-PATH to excess: what is left out would be missed below */
		check_paths(w, v, n);
		check_known(w, &p, v[0].best ? &v[0] : NULL);
		for (size_t i = 0; i < n; i++)
			count(w, tallies, &v[i]);
		for (unsigned i = 0; i < SPEAKERS; i++) {
			struct speaker *s = &w->speakers[i];

			if (s->up)
				told[i] += check_told(s, &p, rib_export_view(w->rib, s->rib, &p, NULL));
		}
	}
	assert(prefixes == rib_count(w->rib, f));
	check_counts(w, w->local, f, &tallies[SPEAKERS]);
	for (unsigned i = 0; i < SPEAKERS; i++) {
		check_counts(w, w->speakers[i].rib, f, &tallies[i]);
		assert(told[i] == w->speakers[i].n_told[f]);
	}
}

static void check_settled(struct world *w)
{
	assert(!rib_pending(w->rib));
	for (enum family f = 0; f < FAM_COUNT; f++)
		check_family(w, f);
	for (unsigned i = 0; i < SPEAKERS; i++) {
		const struct speaker *s = &w->speakers[i];

		for (enum family f = 0; f < FAM_COUNT && s->up; f++) {
			assert(s->eors[f] == !!(s->session.neg.families & FAM_BIT(f)));
			assert(!s->refreshing[f]);
		}
		assert(s->up || !s->told);
	}
}

/** All leave: nothing of them remains. */
static void check_end(struct world *w)
{
	struct rib_memory m;

	for (unsigned i = 0; i < SPEAKERS; i++)
		world_stop(&w->speakers[i], BGP_CEASE_ADMIN_SHUTDOWN);
	for (unsigned b = 0; b < 256; b++) {
		struct prefix p = some_prefix((uint8_t)b);

		assert(rib_local(w->local, &p, NULL, w->now) == 0);
	}
	world_settle(w);
	check_settled(w);
	rib_memory(w->rib, &m);
	assert(m.dests == 0 && m.paths == 0 && m.attr_sets == 0);
	assert(nexthop_count(rib_nexthops(w->rib)) == 0 && HASH_COUNT(w->known) == 0);
}

/* -- policies ------------------------------------------------------------------------------------ */

/** Without a look at prefixes: what has MED 3 is refused, what came by EGP preferred. */
static struct filter *make_import_filter(void)
{
	struct filter *f = filter_new("in", 3);

	assert(f);
	f->terms[0].match.meds = malloc(sizeof(uint32_t));
	assert(f->terms[0].match.meds);
	f->terms[0].match.meds[0] = 3;
	f->terms[0].match.n_meds = 1;
	f->terms[0].action = FILTER_REJECT;
	f->terms[1].match.origins = 1 << BGP_ORIGIN_EGP;
	f->terms[1].set.local_pref_set = true;
	f->terms[1].set.local_pref = 200;
	f->terms[2].action = FILTER_ACCEPT;
	filter_seal(f);
	return f;
}

/** By prefix: short ones of 10/8 get MED 5 and a longer path, those of IPv6 stay at home. */
static struct filter *make_export_filter(void)
{
	struct filter *f = filter_new("out", 3);
	struct prefix_pattern pattern;
	const char *err;

	short_prefixes = prefix_set_new();
	assert(f && short_prefixes && prefix_pattern_parse("10.0.0.0/8{16,24}", &pattern, &err));
	assert(prefix_set_add(short_prefixes, &pattern) == 0);
	f->terms[0].match.prefix_sets = malloc(sizeof(struct prefix_set *));
	assert(f->terms[0].match.prefix_sets);
	f->terms[0].match.prefix_sets[0] = short_prefixes;
	f->terms[0].match.n_prefix_sets = 1;
	f->terms[0].set.med_set = true;
	f->terms[0].set.med = 5;
	f->terms[0].set.prepend = 2;
	f->terms[1].match.families = FAM_BIT(FAM_IPV6);
	f->terms[1].action = FILTER_REJECT;
	f->terms[2].action = FILTER_ACCEPT;
	filter_seal(f);
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = rd_init(data, len);

	if (!import_filter) {
		import_filter = make_import_filter();
		export_filter = make_export_filter();
	}
	world_init(&world);
	nexthop_link_set(rib_nexthops(world.rib), LINK, true);
	set_host(&world, 2);
	set_host(&world, 0);
	for (unsigned i = 0; rd_left(&r) && i < ACTS_MAX; i++)
		act(&world, &r);
	world_settle(&world);
	check_settled(&world);
	check_end(&world);
	world_fini(&world);
	return 0;
}
