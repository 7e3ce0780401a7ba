/* SPDX-License-Identifier: BSD-2-Clause */
/* table_lab.h - a table with speakers around it, all in memory: feeds that announce through real UPDATEs,
 * sinks that decode what they are sent, and a subscriber that remembers what the FIB would have. */
#ifndef TESTS_UNIT_RIB_TABLE_LAB_H
#define TESTS_UNIT_RIB_TABLE_LAB_H

#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "mcbgp/bgp.h"
#include "rib/rib.h"

#define LAB_PREFIXES 1024 /* 10.(i >> 8).(i & 255).0/24; from LAB_V6 on fd00:i::/64 */
#define LAB_V6       512
#define LAB_PATHS    32 /* of one prefix, for a sink with ADD-PATH */
#define LAB_AS       64512u

struct lab_route { /* what a sink was told of a prefix, or what the subscriber has */
	bool there;
	struct ip next_hop;
	uint32_t med, local_pref, first_as;
	bool med_set, local_pref_set;
	uint32_t community, otc; /* the first one; 0: none */
	bool ext_communities;
	unsigned as_count[1]; /* of the sink's own AS in the path */
	uint16_t path_len;
	enum rib_kind kind;
	size_t n_hops;
	struct ip spare;     /* of the subscriber; IP_NONE: none */
	uint16_t weights[4]; /* of the subscriber's hops, by the last byte of their address from .10 on */
};

/** What a sink with ADD-PATH was told of a prefix. */
struct lab_paths {
	unsigned n;
	uint32_t id[LAB_PATHS];
	struct lab_route route[LAB_PATHS];
};

struct lab_peer {
	struct rib_peer *rib;
	struct rib_peer_conf conf;
	struct rib_session session;
	bool up;
	unsigned eors, messages;
	struct lab_route got[LAB_PREFIXES];
	struct lab_paths paths[LAB_PREFIXES]; /* ADD-PATH */
};

struct lab {
	struct rib *rib;
	struct lab_route fib[LAB_PREFIXES];
	unsigned changes;
	bool deaf; /* prefixes are not the lab's own: changes are not noted */
	uint64_t now;
};

static inline struct prefix lab_prefix(unsigned i)
{
	struct ip a = ip_v4(10u << 24 | i << 8);
	uint8_t v6[16] = { 0xfd, 0, (uint8_t)(i >> 8), (uint8_t)i };

	if (i < LAB_V6)
		return prefix_make(&a, 24);
	a = ip_from_bytes(IP_V6, v6);
	return prefix_make(&a, 64);
}

static inline unsigned lab_index(const struct prefix *p)
{
	if (p->addr.family == IP_V6) {
		ck_assert_uint_eq(p->len, 64);
		return (unsigned)p->addr.b[2] << 8 | p->addr.b[3];
	}
	ck_assert_uint_eq(p->len, 24);
	return (ip_to_v4(&p->addr) >> 8) & 0xffff;
}

/** fd99::@host */
static inline struct ip lab_v6(uint8_t host)
{
	uint8_t b[16] = { 0xfd, 0x99, [15] = host };

	return ip_from_bytes(IP_V6, b);
}

static inline void lab_change(void *ctx, const struct rib_change *c)
{
	struct lab *lab = ctx;
	struct lab_route *r;

	lab->changes++;
	if (lab->deaf)
		return;
	r = &lab->fib[lab_index(&c->prefix)];
	*r = (struct lab_route){ .there = c->best != NULL, .kind = c->kind, .n_hops = c->n_hops };
	if (c->n_hops)
		r->next_hop = c->hops[0].gateway;
	if (c->spare)
		r->spare = c->spare->gateway;
	for (size_t i = 0; i < c->n_hops; i++)
		if (c->hops[i].gateway.b[3] - 10u < 4)
			r->weights[c->hops[i].gateway.b[3] - 10] = c->hops[i].weight;
}

/** 192.0.2.0/24 and fd99::/64 are on link 1, which is up. */
static inline void lab_init(struct lab *lab, uint16_t multipath)
{
	const struct rib_options o = {
		.local_as = LAB_AS, .router_id = 1, .cluster_id = 1, .multipath = multipath
	};
	struct ip net = ip_v4(0xc0000200);
	struct ip net6 = lab_v6(0);
	const struct host_route connected = { .prefix = prefix_make(&net, 24), .ifindex = 1 };
	const struct host_route connected6 = { .prefix = prefix_make(&net6, 64), .ifindex = 1 };

	*lab = (struct lab){ .now = 1000000 };
	lab->rib = rib_new(&o);
	ck_assert_ptr_nonnull(lab->rib);
	rib_subscribe(lab->rib, &(struct rib_subscriber){ .change = lab_change, .ctx = lab });
	nexthop_link_set(rib_nexthops(lab->rib), 1, true);
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(lab->rib), &connected), 0);
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(lab->rib), &connected6), 0);
}

/** Peer @i has 192.0.2.(10 + i) and fd99::(10 + i); import and export all. */
static inline void lab_peer_init(struct lab *lab, struct lab_peer *p, unsigned i, uint32_t as)
{
	static const char *const names[] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7" };

	*p = (struct lab_peer){ .conf = { .name = names[i % 8],
		                          .address = ip_v4(0xc000020au + i),
		                          .local_as = LAB_AS,
		                          .remote_as = as,
		                          .import = RIB_POLICY_ALL,
		                          .export = RIB_POLICY_ALL },
		                .session = { .router_id = 100 + i,
		                             .local_address = ip_v4(0xc0000201),
		                             .other_address = lab_v6(1),
		                             .ifindex = 1,
		                             .neg = { .ibgp = as == LAB_AS,
		                                      .as4 = true,
		                                      .families = FAM_BIT(FAM_IPV4),
		                                      .max_len = BGP_MAX_LEN } } };
	p->rib = rib_peer_new(lab->rib, &p->conf);
	ck_assert_ptr_nonnull(p->rib);
}

static inline void lab_up(struct lab_peer *p)
{
	memset(p->got, 0, sizeof(p->got));
	memset(p->paths, 0, sizeof(p->paths));
	p->eors = 0;
	p->messages = 0;
	ck_assert_int_eq(rib_peer_up(p->rib, &p->session), 0);
	p->up = true;
}

static inline void lab_down(struct lab_peer *p)
{
	rib_peer_down(p->rib);
	p->up = false;
}

static inline void lab_run(struct lab *lab)
{
	unsigned rounds = 0;

	while (rib_run(lab->rib, 64, lab->now))
		ck_assert_uint_lt(rounds++, 100000);
}

/** What a feed says about a prefix. */
struct lab_attrs {
	uint32_t as[4];           /* the path, ended by 0 */
	uint32_t next_hop;        /* 0: the feed's own address */
	uint32_t local_pref, med; /* 0: absent */
	uint32_t path_id;         /* from a feed with ADD-PATH */
	uint32_t community;
	uint32_t otc;       /* RFC 9234; 0: absent */
	uint32_t bandwidth; /* of the link, as an IEEE 754 single; 0: absent */
};

/** Of what the peer sends (@rx: we receive), or of what it hears. */
static inline struct codec_ctx lab_codec(const struct lab_peer *p, bool rx, uint8_t *scratch, size_t len)
{
	const struct negotiated *n = &p->session.neg;
	struct codec_ctx c = {
		.as4 = true, .ibgp = n->ibgp, .families = n->families, .scratch = scratch, .scratch_len = len
	};

	memcpy(c.add_path, rx ? n->add_path_rx : n->add_path_tx, sizeof(c.add_path));
	return c;
}

static inline void lab_send(struct lab *lab, struct lab_peer *p, const uint8_t *msg, size_t len)
{
	static uint8_t scratch[131072];
	const struct codec_ctx c = lab_codec(p, true, scratch, sizeof(scratch));
	struct update u;

	ck_assert(update_decode(rd_init(msg + BGP_HEADER_LEN, len - BGP_HEADER_LEN), &c, &u));
	ck_assert_int_eq(rib_update(p->rib, &u, lab->now), RIB_OK);
}

static inline void lab_announce(struct lab *lab, struct lab_peer *p, unsigned i, const struct lab_attrs *l)
{
	const struct codec_ctx c = lab_codec(p, true, NULL, 0);
	uint8_t path[64], comm[4], ext[8] = { 0x40, 0x04 }, buf[BGP_MAX_LEN];
	struct writer w = wr_init(path, sizeof(path));
	struct prefix prefix = lab_prefix(i);
	struct attrs a = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		                      ATTR_BIT(BGP_ATTR_NEXT_HOP) };
	struct update_packer pk;
	unsigned n = 0;

	while (n < 4 && l->as[n])
		n++;
	if (n) {
		wr_u8(&w, BGP_AS_SEQUENCE);
		wr_u8(&w, (uint8_t)n);
		for (unsigned k = 0; k < n; k++)
			wr_u32(&w, l->as[k]);
	}
	a.as_path = (struct blob){ path, (uint32_t)(w.p - path) };
	a.next_hop = l->next_hop ? ip_v4(l->next_hop) : p->conf.address;
	if (prefix.addr.family == IP_V6)
		a.next_hop = lab_v6(a.next_hop.b[3]);
	if (l->local_pref || p->session.neg.ibgp) {
		a.present |= ATTR_BIT(BGP_ATTR_LOCAL_PREF);
		a.local_pref = l->local_pref ? l->local_pref : 100;
	}
	if (l->med) {
		a.present |= ATTR_BIT(BGP_ATTR_MED);
		a.med = l->med;
	}
	if (l->community) {
		wr_put_u32(comm, l->community);
		a.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
		a.communities = (struct blob){ comm, 4 };
	}
	if (l->otc) {
		a.present |= ATTR_BIT(BGP_ATTR_OTC);
		a.otc = l->otc;
	}
	if (l->bandwidth) {
		wr_put_u32(ext + 4, l->bandwidth);
		a.present |= ATTR_BIT(BGP_ATTR_EXT_COMMUNITIES);
		a.ext_communities = (struct blob){ ext, 8 };
	}
	ck_assert(update_pack_begin(&pk, buf, sizeof(buf), &c, family_of(&prefix), &a));
	ck_assert(update_pack_add(&pk, &prefix, l->path_id));
	lab_send(lab, p, buf, update_pack_end(&pk));
}

static inline void lab_withdraw_path(struct lab *lab, struct lab_peer *p, unsigned i, uint32_t path_id)
{
	const struct codec_ctx c = lab_codec(p, true, NULL, 0);
	struct prefix prefix = lab_prefix(i);
	uint8_t buf[BGP_MAX_LEN];
	struct update_packer pk;

	ck_assert(update_pack_begin(&pk, buf, sizeof(buf), &c, family_of(&prefix), NULL));
	ck_assert(update_pack_add(&pk, &prefix, path_id));
	lab_send(lab, p, buf, update_pack_end(&pk));
}

static inline void lab_withdraw(struct lab *lab, struct lab_peer *p, unsigned i)
{
	lab_withdraw_path(lab, p, i, 0);
}

static inline uint32_t first_community(const struct attrs *a)
{
	struct reader r = rd_init(a->communities.p, a->communities.len);

	return rd_u32(&r);
}

static inline struct lab_route lab_route_of(const struct lab_peer *p, const struct attrs *a)
{
	return (struct lab_route){
		.there = true,
		.next_hop = a->next_hop,
		.med = a->med,
		.med_set = attrs_has(a, BGP_ATTR_MED),
		.local_pref = a->local_pref,
		.local_pref_set = attrs_has(a, BGP_ATTR_LOCAL_PREF),
		.first_as = aspath_first(a->as_path),
		.as_count = { aspath_count(a->as_path, p->conf.remote_as) },
		.otc = a->otc,
		.ext_communities = attrs_has(a, BGP_ATTR_EXT_COMMUNITIES),
		.community = first_community(a),
		.path_len = a->path_len,
	};
}

/** The place of path @id of a prefix, or a free one. */
static inline unsigned lab_path_place(const struct lab_paths *s, uint32_t id)
{
	unsigned i = 0;

	while (i < s->n && s->id[i] != id)
		i++;
	ck_assert_uint_lt(i, LAB_PATHS);
	return i;
}

static inline void lab_hear_gone(struct lab_peer *p, struct nlri_run run)
{
	struct nlri n;

	while (run.family < FAM_COUNT && nlri_next(&run, &n)) {
		struct lab_paths *s = &p->paths[lab_index(&n.prefix)];
		unsigned i = lab_path_place(s, n.path_id);

		p->got[lab_index(&n.prefix)] = (struct lab_route){ 0 };
		if (!run.add_path || i == s->n)
			continue;
		s->n--;
		s->id[i] = s->id[s->n];
		s->route[i] = s->route[s->n];
	}
}

static inline void lab_hear_run(struct lab_peer *p, struct nlri_run run, const struct attrs *a)
{
	struct nlri n;

	while (run.family < FAM_COUNT && nlri_next(&run, &n)) {
		struct lab_paths *s = &p->paths[lab_index(&n.prefix)];
		unsigned i = lab_path_place(s, n.path_id);

		p->got[lab_index(&n.prefix)] = lab_route_of(p, a);
		if (!run.add_path)
			continue;
		s->id[i] = n.path_id;
		s->route[i] = lab_route_of(p, a);
		s->n += i == s->n;
	}
}

static inline void lab_hear(struct lab_peer *p, const uint8_t *msg, size_t len)
{
	static uint8_t scratch[131072];
	const struct codec_ctx c = lab_codec(p, false, scratch, sizeof(scratch));
	struct update u;

	p->messages++;
	ck_assert(update_decode(rd_init(msg + BGP_HEADER_LEN, len - BGP_HEADER_LEN), &c, &u));
	ck_assert_int_eq(u.fault.verdict, ATTR_OK);
	p->eors += u.eor;
	lab_hear_gone(p, u.withdrawn);
	lab_hear_gone(p, u.mp_withdrawn);
	lab_hear_run(p, u.reach, &u.attrs);
	u.attrs.next_hop = u.mp_next_hop;
	lab_hear_run(p, u.mp_reach, &u.attrs);
}

/** Take up to @bytes off the sink, in pieces that need not end with a message, and decode the whole messages
 * among them. */
static inline void lab_drain_some(struct lab_peer *p, uint8_t *partial, size_t *have, size_t bytes)
{
	while (bytes && rib_sink_pending(p->rib)) {
		struct iovec iov;
		size_t n, used = 0;

		ck_assert_int_eq(rib_sink_peek(p->rib, &iov, 1), 1);
		n = iov.iov_len < bytes ? iov.iov_len : bytes;
		memcpy(partial + *have, iov.iov_base, n);
		*have += n;
		bytes -= n;
		rib_sink_wrote(p->rib, n);
		while (*have - used >= BGP_HEADER_LEN) {
			size_t len = (size_t)partial[used + 16] << 8 | partial[used + 17];

			if (*have - used < len)
				break;
			lab_hear(p, partial + used, len);
			used += len;
		}
		memmove(partial, partial + used, *have - used);
		*have -= used;
		if (*have == 0)
			ck_assert_uint_eq(rib_sink_partial(p->rib), 0);
		else
			ck_assert_uint_gt(rib_sink_partial(p->rib), 0);
	}
}

static inline void lab_drain(struct lab_peer *p)
{
	static uint8_t buf[1 << 20];
	size_t have = 0;

	lab_drain_some(p, buf, &have, SIZE_MAX);
	ck_assert_uint_eq(have, 0);
}

/** Run until nothing moves, every sink drained. */
static inline void lab_settle(struct lab *lab, struct lab_peer *peers, unsigned n)
{
	for (unsigned round = 0; round < 1000; round++) {
		bool moved = rib_run(lab->rib, 100000, lab->now);

		for (unsigned i = 0; i < n; i++) {
			moved |= rib_sink_pending(peers[i].rib);
			lab_drain(&peers[i]);
		}
		if (!moved)
			return;
	}
	ck_abort_msg("the table never settles");
}

#endif
