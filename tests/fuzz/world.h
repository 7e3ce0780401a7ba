/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h - a table with speakers around it, whose sessions are real ones: bytes go in through
 * session_input(), UPDATEs come out of the sinks and are kept, decoded again, as what each peer has been
 * told. What an edge does with the effects of a session is done here as src/io does it, without sockets.
 *
 * Everything that is true at any time is asserted here; what is true of a table at rest, by the target. */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "bgp/frame.h"
#include "bgp/session.h"
#include "mcbgp/bgp.h"
#include "rib/rib.h"

#define WORLD_AS 64512u
#define SPEAKERS 5
#define SECOND   UINT64_C(1000000)
#define LINK     1u

/* Bytes that compare: made with memset(). */
struct told_key {
	struct prefix prefix;
	uint32_t path_id;
};

/** What a peer has from us: one path. */
struct told {
	struct told_key key;
	struct attrs *attrs; /* counted, in world.sets */
	unsigned said;       /* speaker.round of its family when it was said last */
	UT_hash_handle hh;
};

/** What subscribers know of one prefix. */
struct known {
	struct prefix prefix;
	enum rib_kind kind;
	size_t n_hops;
	struct rib_hop first;
	UT_hash_handle hh;
};

struct world;
struct speaker {
	struct world *world;
	struct rib_peer_conf conf;
	struct session_conf session_conf;
	struct rib_peer *rib;
	struct session session;
	bool up;
	enum rib_result trouble;
	uint32_t stale; /* families whose paths outlive the session, or the refresh */
	uint64_t stale_at;
	uint32_t long_lived; /* of those, the ones that are the last choice (RFC 9494) */
	uint32_t long_lived_s[FAM_COUNT];
	uint64_t long_lived_at[FAM_COUNT];
	uint8_t in[BGP_MAX_LEN_EXT], out[BGP_MAX_LEN_EXT]; /* unfinished messages */
	size_t in_len, out_len;
	struct told *told;
	unsigned n_told[FAM_COUNT], eors[FAM_COUNT];
	unsigned round[FAM_COUNT]; /* counts the beginnings of refreshes */
	bool refreshing[FAM_COUNT];
};

struct world {
	struct rib_options options;
	struct rib *rib;
	struct rib_peer *local; /* static routes */
	struct attrs_set *sets;
	struct speaker speakers[SPEAKERS];
	struct known *known;
	uint64_t now;
	uint8_t scratch[131072], rx[2 * BGP_MAX_LEN_EXT];
};

/* -- what we hear of the table ------------------------------------------------------------------- */

static inline void world_change(void *ctx, const struct rib_change *c)
{
	struct world *w = ctx;
	struct known *k;

	HASH_FIND(hh, w->known, &c->prefix, sizeof(c->prefix), k);
	if (!c->best) {
		if (k)
			HASH_DEL(w->known, k);
		free(k);
		return;
	}
	assert(c->kind != RIB_UNICAST || c->n_hops);
	if (!k) {
		k = calloc(1, sizeof(*k));
		assert(k);
		k->prefix = c->prefix;
		HASH_ADD(hh, w->known, prefix, sizeof(k->prefix), k);
	}
	k->kind = c->kind;
	k->n_hops = c->n_hops;
	k->first = c->n_hops ? c->hops[0] : (struct rib_hop){ 0 };
}

/* -- what a peer is told ------------------------------------------------------------------------- */

static inline struct told *told_find(const struct speaker *s, const struct prefix *p, uint32_t path_id)
{
	struct told_key key;
	struct told *t;

	memset(&key, 0, sizeof(key));
	key.prefix = *p;
	key.path_id = path_id;
	HASH_FIND(hh, s->told, &key, sizeof(key), t);
	return t;
}

static inline void told_remove(struct speaker *s, struct told *t)
{
	HASH_DEL(s->told, t);
	s->n_told[family_of(&t->key.prefix)]--;
	attrs_unref(s->world->sets, t->attrs);
	free(t);
}

static inline void told_clear(struct speaker *s)
{
	struct told *t, *next;

	HASH_ITER(hh, s->told, t, next)
	told_remove(s, t);
}

static inline void told_set(struct speaker *s, const struct nlri *n, const struct attrs *a)
{
	enum family f = family_of(&n->prefix);
	struct told *t = told_find(s, &n->prefix, n->path_id);

	if (t) {
		attrs_unref(s->world->sets, t->attrs);
	} else {
		t = calloc(1, sizeof(*t)); /* the padding of the key, too */
		assert(t);
		t->key.prefix = n->prefix;
		t->key.path_id = n->path_id;
		HASH_ADD(hh, s->told, key, sizeof(t->key), t);
		s->n_told[f]++;
	}
	t->attrs = attrs_intern(s->world->sets, a);
	t->said = s->round[f];
	assert(t->attrs);
}

/** How @s reads what we send. */
static inline struct codec_ctx codec_of_reader(const struct speaker *s)
{
	const struct negotiated *n = &s->session.neg;
	struct codec_ctx c = { .as4 = n->as4,
		               .ibgp = n->ibgp,
		               .families = n->families,
		               .ext_next_hop = n->ext_next_hop,
		               .scratch = s->world->scratch,
		               .scratch_len = sizeof(s->world->scratch) };

	memcpy(c.add_path, n->add_path_tx, sizeof(c.add_path));
	return c;
}

/** How @s writes to us. */
static inline struct codec_ctx codec_of_writer(const struct speaker *s)
{
	struct codec_ctx c = codec_of_reader(s);

	memcpy(c.add_path, s->session.neg.add_path_rx, sizeof(c.add_path));
	return c;
}

static inline void hear_gone(struct speaker *s, struct nlri_run run)
{
	struct nlri n;

	while (run.family < FAM_COUNT && nlri_next(&run, &n)) {
		struct told *t = told_find(s, &n.prefix, n.path_id);

		if (t) /* a group takes back at once what one member has not heard: the route was its own */
			told_remove(s, t);
	}
}

static inline void hear_routes(struct speaker *s, struct nlri_run run, const struct attrs *a)
{
	struct nlri n;

	while (run.family < FAM_COUNT && nlri_next(&run, &n))
		told_set(s, &n, a);
}

/** The attributes of routes in MP_REACH_NLRI. */
static inline struct attrs mp_attrs(const struct update *u)
{
	struct attrs a = u->attrs;

	a.next_hop = u->mp_next_hop;
	a.next_hop_ll = u->mp_next_hop_ll;
	a.present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
	return a;
}

static inline void hear_update(struct speaker *s, struct reader body)
{
	const struct codec_ctx c = codec_of_reader(s);
	struct attrs mp;
	static struct update u;

	assert(update_decode(body, &c, &u));
	assert(u.fault.verdict == ATTR_OK && !u.treat_as_withdraw);
	if (u.eor) {
		assert(c.families & FAM_BIT(u.eor_family));
		s->eors[u.eor_family]++;
	}
	hear_gone(s, u.withdrawn);
	hear_gone(s, u.mp_withdrawn);
	hear_routes(s, u.reach, &u.attrs);
	mp = mp_attrs(&u);
	hear_routes(s, u.mp_reach, &mp);
}

/** RFC 7313 4: what has not been said again between BoRR and EoRR is gone for the peer. */
static inline void hear_refresh(struct speaker *s, struct reader body)
{
	struct refresh r;
	struct notify why;
	struct told *t, *next;

	assert(refresh_decode(body, &r, &why) && r.family < FAM_COUNT);
	assert(s->session.neg.enhanced_refresh);
	if (r.subtype == REFRESH_BEGIN) {
		s->round[r.family]++;
		s->refreshing[r.family] = true;
		return;
	}
	assert(r.subtype == REFRESH_END && s->refreshing[r.family]);
	s->refreshing[r.family] = false;
	HASH_ITER(hh, s->told, t, next)
	assert(family_of(&t->key.prefix) != r.family || t->said == s->round[r.family]);
}

/** Cut whole messages off what the sink gave. */
static inline void hear(struct speaker *s)
{
	struct reader r = rd_init(s->out, s->out_len);
	struct frame f;
	struct notify why;
	enum frame_result result;

	while ((result = frame_next(&r, s->session.neg.max_len, &f, &why)) == FRAME_OK) {
		if (f.type == BGP_MSG_UPDATE)
			hear_update(s, f.body);
		else if (f.type == BGP_MSG_ROUTE_REFRESH)
			hear_refresh(s, f.body);
		else
			assert(!"UPDATE or ROUTE-REFRESH");
	}
	assert(result == FRAME_MORE);
	s->out_len = (size_t)(s->out + s->out_len - r.p);
	memmove(s->out, r.p, s->out_len);
	assert((rib_sink_partial(s->rib) != 0) == (s->out_len != 0));
}

/** The peer reads at most @bytes, which need not end with a message. */
static inline void world_drain(struct speaker *s, size_t bytes)
{
	while (bytes && rib_sink_pending(s->rib)) {
		struct iovec iov;
		size_t n, room = sizeof(s->out) - s->out_len;

		assert(s->up && rib_sink_peek(s->rib, &iov, 1) == 1);
		n = iov.iov_len < bytes ? iov.iov_len : bytes;
		n = n < room ? n : room;
		memcpy(s->out + s->out_len, iov.iov_base, n);
		s->out_len += n;
		rib_sink_wrote(s->rib, n);
		session_sent_updates(&s->session, 0, n, s->world->now);
		bytes -= n;
		hear(s);
	}
}

/* -- effects, as the edge performs them ---------------------------------------------------------- */

static inline void stale_end(struct speaker *s, uint32_t families)
{
	if (!(s->stale & families))
		return;
	s->stale &= ~families;
	s->long_lived &= ~families;
	rib_peer_stale_end(s->rib, families);
}

static inline void long_lived_begin(struct speaker *s, enum family f)
{
	s->long_lived |= FAM_BIT(f);
	s->long_lived_at[f] = s->world->now + s->long_lived_s[f] * SECOND;
	rib_peer_long_lived(s->rib, FAM_BIT(f));
}

/** The peer did not come back, or not to the end: what is kept for long becomes so, the rest leaves. */
static inline void stale_tick(struct speaker *s)
{
	uint64_t now = s->world->now;

	for (enum family f = 0; f < FAM_COUNT; f++) {
		uint32_t bit = FAM_BIT(f);

		if (s->stale & s->long_lived & bit) {
			if (now >= s->long_lived_at[f])
				stale_end(s, bit);
		} else if (s->stale & bit && now >= s->stale_at) {
			if (!s->up && s->long_lived_s[f])
				long_lived_begin(s, f);
			else
				stale_end(s, bit);
		}
	}
}

static inline void went_down(struct speaker *s)
{
	s->up = false;
	s->stale = session_retains(&s->session);
	assert(!(s->stale & ~s->session.neg.families));
	s->stale_at = s->world->now + s->session.theirs.caps.gr_time * SECOND;
	s->long_lived &= s->stale;
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (!(s->long_lived & FAM_BIT(f)))
			s->long_lived_s[f] = session_keeps(&s->session, f).long_lived;
	rib_peer_restarts(s->rib, s->stale);
	assert(!rib_sink_pending(s->rib));
	told_clear(s);
	s->in_len = s->out_len = 0;
}

static inline void came_up(struct speaker *s)
{
	const struct caps *theirs = &s->session.theirs.caps;
	uint32_t kept =
	        theirs->graceful_restart ? theirs->gr_forwarding & theirs->gr_families & ~s->long_lived : 0;
	unsigned at = (unsigned)(s - s->world->speakers);
	const uint8_t fd99[16] = { 0xfd, 0x99, [15] = 1 };
	const struct rib_session rs = { .router_id = s->session.theirs.id,
		                        .local_address = ip_v4(0xc0000201),
		                        .other_address = ip_from_bytes(IP_V6, fd99),
		                        .ifindex = at == SPEAKERS - 1 ? 0 : LINK,
		                        .neg = s->session.neg };

	assert(rib_peer_up(s->rib, &rs) == 0);
	s->up = true;
	if (s->session.neg.long_lived)
		kept |= theirs->llgr_forwarding & theirs->llgr_families & s->long_lived;
	memset(s->eors, 0, sizeof(s->eors));
	memset(s->refreshing, 0, sizeof(s->refreshing));
	stale_end(s, ~(kept & s->session.neg.families));
	s->stale_at = s->world->now + 360 * SECOND;
}

/** Whole messages of the session itself, which all go out at once. */
static inline void say_own(struct speaker *s)
{
	size_t len;
	const uint8_t *out = session_output(&s->session, &len);
	struct reader r = rd_init(out, len);
	struct frame f;
	struct notify why;

	assert(len <= SESSION_OUT_MAX);
	while (rd_left(&r))
		assert(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK);
	session_output_done(&s->session, len, s->world->now);
}

static inline void world_effects(struct speaker *s, unsigned fx)
{
	say_own(s);
	if (fx & FX_DOWN)
		went_down(s);
	if (fx & FX_CLOSE)
		s->in_len = 0;
	if (fx & FX_UP)
		came_up(s);
	assert(s->up == (s->session.state == ST_ESTABLISHED));
	assert(!s->up || !rib_sink_broken(s->rib));
}

static inline void world_stop(struct speaker *s, uint8_t subcode)
{
	struct notify n;

	notify_set(&n, BGP_ERR_CEASE, subcode, NULL, 0);
	if (s->session.state != ST_IDLE)
		world_effects(s, session_stop(&s->session, &n, END_LOCAL_NOTIFY, NULL, s->world->now));
	stale_end(s, ~0u);
}

/* -- what a peer sends --------------------------------------------------------------------------- */

static inline void on_update(void *ctx, const struct update *u)
{
	struct speaker *s = ctx;
	enum rib_result result = rib_update(s->rib, u, s->world->now);

	assert(s->session.state == ST_ESTABLISHED && result != RIB_NO_MEMORY);
	if (result != RIB_OK)
		s->trouble = result;
	if (u->eor)
		stale_end(s, FAM_BIT(u->eor_family));
}

static inline void on_refresh(void *ctx, const struct refresh *r)
{
	struct speaker *s = ctx;

	assert(s->session.state == ST_ESTABLISHED && r->family < FAM_COUNT);
	if (r->subtype == REFRESH_REQUEST) {
		rib_peer_refresh(s->rib, r->family);
	} else if (r->subtype == REFRESH_BEGIN) {
		rib_peer_stale_begin(s->rib, r->family);
		s->stale |= FAM_BIT(r->family);
		s->stale_at = s->world->now + 360 * SECOND;
	} else {
		stale_end(s, FAM_BIT(r->family));
	}
}

/** Bytes from the peer, behind what it left unfinished; what does not fit is lost to us both. */
static inline void world_bytes(struct speaker *s, const uint8_t *data, size_t len)
{
	struct world *w = s->world;
	size_t taken, used = 0, have = s->in_len;

	if (s->session.state < ST_OPENSENT)
		return;
	if (len > sizeof(w->rx) - have)
		len = sizeof(w->rx) - have;
	memcpy(w->rx, s->in, have);
	if (len)
		memcpy(w->rx + have, data, len);
	len += have;
	do {
		unsigned fx = session_input(&s->session, w->rx + used, len - used, &taken, w->now);

		used += taken;
		world_effects(s, fx);
	} while (taken && s->session.state >= ST_OPENSENT);
	s->in_len = s->session.state < ST_OPENSENT ? 0 : len - used;
	assert(s->in_len <= sizeof(s->in)); /* less than a message */
	memcpy(s->in, w->rx + used, s->in_len);
	if (s->trouble != RIB_OK && s->up)
		world_stop(s, BGP_CEASE_MAX_PREFIX);
	s->trouble = RIB_OK;
}

/** A connection, the peer's OPEN with @theirs, and both KEEPALIVEs; nothing when there is a connection. */
static inline void world_connect(struct speaker *s, const struct caps *theirs)
{
	const struct session_conf *c = &s->session_conf;
	const struct open o = { BGP_VERSION, c->remote_as, 90, 100u + (uint32_t)(s - s->world->speakers),
		                *theirs };
	uint8_t buf[BGP_MAX_LEN];
	struct writer w = wr_init(buf, sizeof(buf));

	if (s->session.state >= ST_OPENSENT)
		return;
	if (s->session.state == ST_IDLE)
		world_effects(s, session_event(&s->session, EV_START_PASSIVE, s->world->now));
	world_effects(s, session_event(&s->session, EV_TCP_UP, s->world->now));
	s->in_len = 0;
	open_encode(&w, &o);
	frame_keepalive(&w);
	assert(!w.bad);
	world_bytes(s, buf, (size_t)(w.p - buf));
	assert(s->up);
}

/* -- life ---------------------------------------------------------------------------------------- */

static inline void speaker_init(struct world *w, unsigned i)
{
	static const struct {
		const char *name;
		uint32_t as, max_prefix;
		struct peer_role role;
		bool v4_only, old, rr_client, enforce_first_as;
	} kinds[SPEAKERS] = {
		{ .name = "one", .as = 65001, .enforce_first_as = true },
		{ .name = "two", .as = 65001 }, /* hears what the first one hears */
		{ .name = "transit",
		  .as = 4200000001,
		  .max_prefix = 60,
		  .role = { true, BGP_ROLE_CUSTOMER } },
		{ .name = "internal", .as = WORLD_AS, .rr_client = true },
		{ .name = "old", .as = 65003, .v4_only = true, .old = true },
	};
	struct speaker *s = &w->speakers[i];
	uint32_t both = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6);
	bool old = kinds[i].old;

	memset(s, 0, sizeof(*s));
	s->world = w;
	s->conf = (struct rib_peer_conf){ .name = kinds[i].name,
		                          .address = ip_v4(0xc000020au + i),
		                          .local_as = WORLD_AS,
		                          .remote_as = kinds[i].as,
		                          .import = RIB_POLICY_ALL,
		                          .export = RIB_POLICY_ALL,
		                          .rr_client = kinds[i].rr_client,
		                          .enforce_first_as = kinds[i].enforce_first_as,
		                          .max_prefix = kinds[i].max_prefix,
		                          .role = kinds[i].role };
	s->session_conf = (struct session_conf){
		.local_as = WORLD_AS,
		.remote_as = kinds[i].as,
		.local_id = 1,
		.hold_time = 90,
		.connect_retry = 5,
		.passive = true,
		.caps = { .families = kinds[i].v4_only ? FAM_BIT(FAM_IPV4) : both,
		          .multiprotocol = true,
		          .route_refresh = true,
		          .enhanced_refresh = !old,
		          .as4 = !old,
		          .ext_message = !old,
		          .ext_next_hop = FAM_BIT(FAM_IPV4),
		          .add_path = { ADD_PATH_BOTH, ADD_PATH_BOTH },
		          .graceful_restart = true,
		          .gr_notification = true,
		          .gr_time = 120,
		          .gr_families = both,
		          .llgr = !old,
		          .llgr_families = both,
		          .llgr_time = { 200, 100 } },
	};
	s->rib = rib_peer_new(w->rib, &s->conf);
	assert(s->rib);
	assert(session_init(&s->session, &s->session_conf, &(struct session_sink){ on_update, on_refresh, s },
	                    i + 1) == 0);
}

static inline void speaker_fini(struct speaker *s)
{
	told_clear(s);
	session_fini(&s->session);
}

static inline void world_init(struct world *w)
{
	const struct rib_peer_conf local = {
		.name = "static", .source = SOURCE_STATIC, .local_as = WORLD_AS, .import = RIB_POLICY_ALL
	};
	const struct rib_subscriber subscriber = { .change = world_change, .ctx = w };

	w->options =
	        (struct rib_options){ .local_as = WORLD_AS, .router_id = 1, .cluster_id = 1, .multipath = 2 };
	w->known = NULL;
	w->now = 1000 * SECOND;
	w->rib = rib_new(&w->options);
	w->sets = attrs_set_new();
	assert(w->rib && w->sets);
	rib_subscribe(w->rib, &subscriber);
	w->local = rib_peer_new(w->rib, &local);
	assert(w->local);
	for (unsigned i = 0; i < SPEAKERS; i++)
		speaker_init(w, i);
}

static inline void world_fini(struct world *w)
{
	struct known *k, *next;

	for (unsigned i = 0; i < SPEAKERS; i++)
		speaker_fini(&w->speakers[i]);
	rib_free(w->rib);
	HASH_ITER(hh, w->known, k, next)
	{
		HASH_DEL(w->known, k);
		free(k);
	}
	assert(attrs_set_count(w->sets) == 0);
	attrs_set_free(w->sets);
}

/** Run the table and have everybody read until nothing moves. */
static inline void world_settle(struct world *w)
{
	bool moved = true;

	for (unsigned round = 0; moved; round++) {
		assert(round < 10000);
		moved = rib_run(w->rib, 64, w->now);
		for (unsigned i = 0; i < SPEAKERS; i++) {
			moved |= rib_sink_pending(w->speakers[i].rib);
			world_drain(&w->speakers[i], SIZE_MAX);
		}
	}
}

#endif
