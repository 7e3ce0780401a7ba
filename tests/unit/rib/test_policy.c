/* SPDX-License-Identifier: BSD-2-Clause */
/* What settings of a peer do to routes on their way through the table: AS paths rewritten, roles, graceful
 * shutdown, well-known communities, reflection, shares of an ECMP set. */
#include "unit/unit.h"

#include "bgp/community.h"
#include "table_lab.h"

#define FEED_AS 61012u
#define SINK_AS 61213u
#define PRIVATE 64600u

static struct lab lab;
static struct lab_peer peers[4];

/** One route by @feed; what @sink is told of it. */
static const struct lab_route *told(struct rib_peer_conf feed, struct rib_peer_conf sink,
                                    const struct lab_attrs *a)
{
	const struct rib_peer_conf *settings[] = { &feed, &sink };

	lab_init(&lab, 16);
	for (unsigned i = 0; i < 2; i++) {
		struct rib_peer_conf *c = &peers[i].conf;

		lab_peer_init(&lab, &peers[i], i, settings[i]->remote_as);
		c->allow_own_as = settings[i]->allow_own_as;
		c->as_override = settings[i]->as_override;
		c->remove_private_as = settings[i]->remove_private_as;
		c->graceful_shutdown = settings[i]->graceful_shutdown;
		c->rr_client = settings[i]->rr_client;
		c->role = settings[i]->role;
		c->local_as = settings[i]->local_as ? settings[i]->local_as : LAB_AS;
		rib_peer_reconfigure(peers[i].rib, c);
		lab_up(&peers[i]);
	}
	lab_announce(&lab, &peers[0], 1, a);
	lab_settle(&lab, peers, 2);
	return &peers[1].got[1];
}

static const struct {
	const char *what;
	struct rib_peer_conf feed, sink;
	struct lab_attrs a;
	bool there;
	uint16_t path_len;
	uint32_t first_as;
} paths[] = {
	{ "plain",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS } },
	  true,
	  2,
	  LAB_AS },
	{ "our AS", { .remote_as = FEED_AS }, { .remote_as = SINK_AS }, { .as = { FEED_AS, LAB_AS } } },
	{ "our AS, allowed once",
	  { .remote_as = FEED_AS, .allow_own_as = 1 },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS, LAB_AS } },
	  true,
	  3,
	  LAB_AS },
	{ "our AS twice, allowed once",
	  { .remote_as = FEED_AS, .allow_own_as = 1 },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS, LAB_AS, LAB_AS } } },
	{ "the AS that the peer knows us by is ours too",
	  { .remote_as = FEED_AS, .local_as = 7 },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS, 7 } } },
	{ "and so is the real one",
	  { .remote_as = FEED_AS, .local_as = 7 },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS, LAB_AS } } },
	{ "local_as is what the peer sees",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .local_as = 7 },
	  { .as = { FEED_AS } },
	  true,
	  2,
	  7 },
	{ "private AS stays",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS },
	  { .as = { FEED_AS, PRIVATE } },
	  true,
	  3,
	  LAB_AS },
	{ "private AS removed",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .remove_private_as = true },
	  { .as = { PRIVATE, FEED_AS, PRIVATE } },
	  true,
	  2,
	  LAB_AS },
	{ "nothing but private AS",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .remove_private_as = true },
	  { .as = { PRIVATE } },
	  true,
	  1,
	  LAB_AS },
};

START_TEST(as_paths)
{
	const struct lab_route *r = told(paths[_i].feed, paths[_i].sink, &paths[_i].a);

	ck_assert_msg(r->there == paths[_i].there, "%s: announced", paths[_i].what);
	ck_assert_msg(r->path_len == paths[_i].path_len, "%s: %u", paths[_i].what, r->path_len);
	ck_assert_msg(r->first_as == paths[_i].first_as, "%s: %u", paths[_i].what, r->first_as);
	rib_free(lab.rib);
}
END_TEST

/** The sink's AS in the path would make it refuse the route. */
START_TEST(own_as_in_place_of_the_peers)
{
	const struct rib_peer_conf feed = { .remote_as = SINK_AS },
	                           sink = { .remote_as = SINK_AS, .as_override = true };
	const struct lab_route *r = told(feed, sink, &(struct lab_attrs){ .as = { SINK_AS, 5, SINK_AS } });

	ck_assert(r->there);
	ck_assert_uint_eq(r->path_len, 4);
	ck_assert_uint_eq(r->as_count[0], 0);
	rib_free(lab.rib);
}
END_TEST

#define ROLE(r)                          \
	{                                \
		.set = true, .role = (r) \
	}
#define NOBODY               \
	{                    \
		.set = false \
	}
static const struct {
	const char *what;
	struct peer_role feed, sink; /* ours towards them */
	uint32_t otc;                /* as received */
	bool taken, told;
	uint32_t want; /* as announced */
} roles[] = {
	{ "no roles", NOBODY, NOBODY, 0, true, true, 0 },
	{ "no roles carry it on", NOBODY, NOBODY, 9, true, true, 9 },
	{ "from a customer", ROLE(BGP_ROLE_PROVIDER), NOBODY, 0, true, true, 0 },
	{ "from a customer, a leak", ROLE(BGP_ROLE_PROVIDER), NOBODY, 9, false, false, 0 },
	{ "from a client, a leak", ROLE(BGP_ROLE_RS), NOBODY, 9, false, false, 0 },
	{ "from a provider", ROLE(BGP_ROLE_CUSTOMER), NOBODY, 0, true, true, FEED_AS },
	{ "from a provider, marked", ROLE(BGP_ROLE_CUSTOMER), NOBODY, 9, true, true, 9 },
	{ "from a route server", ROLE(BGP_ROLE_RS_CLIENT), NOBODY, 0, true, true, FEED_AS },
	{ "from a peer", ROLE(BGP_ROLE_PEER), NOBODY, 0, true, true, FEED_AS },
	{ "from a peer, its own mark", ROLE(BGP_ROLE_PEER), NOBODY, FEED_AS, true, true, FEED_AS },
	{ "from a peer, a leak", ROLE(BGP_ROLE_PEER), NOBODY, 9, false, false, 0 },
	{ "provider to customer", ROLE(BGP_ROLE_CUSTOMER), ROLE(BGP_ROLE_PROVIDER), 0, true, true, FEED_AS },
	{ "provider to provider", ROLE(BGP_ROLE_CUSTOMER), ROLE(BGP_ROLE_CUSTOMER), 0, true, false, 0 },
	{ "provider to peer", ROLE(BGP_ROLE_CUSTOMER), ROLE(BGP_ROLE_PEER), 0, true, false, 0 },
	{ "peer to route server", ROLE(BGP_ROLE_PEER), ROLE(BGP_ROLE_RS_CLIENT), 0, true, false, 0 },
	{ "customer to provider", ROLE(BGP_ROLE_PROVIDER), ROLE(BGP_ROLE_CUSTOMER), 0, true, true, 0 },
	{ "customer to peer", ROLE(BGP_ROLE_PROVIDER), ROLE(BGP_ROLE_PEER), 0, true, true, LAB_AS },
	{ "customer to customer", ROLE(BGP_ROLE_PROVIDER), ROLE(BGP_ROLE_PROVIDER), 0, true, true, LAB_AS },
	{ "to a client", NOBODY, ROLE(BGP_ROLE_RS), 0, true, true, LAB_AS },
};

START_TEST(only_to_customers)
{
	const struct rib_peer_conf feed = { .remote_as = FEED_AS, .role = roles[_i].feed },
	                           sink = { .remote_as = SINK_AS, .role = roles[_i].sink };
	const struct lab_route *r =
	        told(feed, sink, &(struct lab_attrs){ .as = { FEED_AS }, .otc = roles[_i].otc });

	ck_assert_msg(lab.fib[1].there == roles[_i].taken, "%s: taken", roles[_i].what);
	ck_assert_msg(r->there == roles[_i].told, "%s: announced", roles[_i].what);
	ck_assert_msg(r->otc == roles[_i].want, "%s: %u", roles[_i].what, r->otc);
	rib_free(lab.rib);
}
END_TEST

static const struct {
	const char *what;
	struct rib_peer_conf feed, sink;
	uint32_t community;
	bool told;
} communities[] = {
	{ "no-peer without a role",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS },
	  BGP_COMM_NO_PEER,
	  true },
	{ "no-peer to a peer",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .role = ROLE(BGP_ROLE_PEER) },
	  BGP_COMM_NO_PEER,
	  false },
	{ "no-peer to a customer",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .role = ROLE(BGP_ROLE_PROVIDER) },
	  BGP_COMM_NO_PEER,
	  true },
	{ "blackhole stays inside",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS },
	  BGP_COMM_BLACKHOLE,
	  false },
	{ "blackhole to iBGP", { .remote_as = FEED_AS }, { .remote_as = LAB_AS }, BGP_COMM_BLACKHOLE, true },
};

START_TEST(well_known_communities)
{
	const struct lab_attrs a = { .as = { FEED_AS }, .community = communities[_i].community };
	const struct lab_route *r = told(communities[_i].feed, communities[_i].sink, &a);

	ck_assert_msg(r->there == communities[_i].told, "%s: announced", communities[_i].what);
	ck_assert(lab.fib[1].there);
	ck_assert_msg(lab.fib[1].n_hops == 1, "%s: a network is not dropped", communities[_i].what);
	rib_free(lab.rib);
}
END_TEST

static const struct {
	const char *what;
	uint8_t len;
	bool filter, community, dropped;
} blackholes[] = {
	{ "a host, by agreement", 32, true, true, true },
	{ "a host without an import filter", 32, false, true, false },
	{ "a network", 31, true, true, false },
	{ "a host without the community", 32, true, false, false },
};

START_TEST(blackhole_by_agreement_and_for_a_host)
{
	const struct codec_ctx c = { .as4 = true };
	const struct ip host = ip_v4(0x0a000102);
	const struct prefix prefix = prefix_make(&host, blackholes[_i].len);
	struct filter *all = filter_new("all", 1);
	uint8_t path[6] = { BGP_AS_SEQUENCE, 1 }, community[4], buf[BGP_MAX_LEN];
	struct attrs a = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		                      ATTR_BIT(BGP_ATTR_NEXT_HOP) };
	struct update_packer pk;
	struct rib_path_view v;

	all->terms[0].action = FILTER_ACCEPT;
	lab_init(&lab, 1);
	lab.deaf = true;
	lab_peer_init(&lab, &peers[0], 0, FEED_AS);
	if (blackholes[_i].filter) {
		peers[0].conf.import = RIB_POLICY_FILTER;
		peers[0].conf.import_filter = all;
		rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	}
	lab_up(&peers[0]);
	wr_put_u32(path + 2, FEED_AS);
	wr_put_u32(community, BGP_COMM_BLACKHOLE);
	a.as_path = (struct blob){ path, sizeof(path) };
	a.next_hop = peers[0].conf.address;
	if (blackholes[_i].community) {
		a.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
		a.communities = (struct blob){ community, sizeof(community) };
	}
	ck_assert(update_pack_begin(&pk, buf, sizeof(buf), &c, FAM_IPV4, &a));
	ck_assert(update_pack_add(&pk, &prefix, 0));
	lab_send(&lab, &peers[0], buf, update_pack_end(&pk));
	lab_run(&lab);
	ck_assert_uint_eq(rib_paths(lab.rib, &prefix, &v, 1), 1);
	ck_assert_msg((v.kind == RIB_BLACKHOLE) == blackholes[_i].dropped, "%s", blackholes[_i].what);
	rib_free(lab.rib);
	filter_free(all);
}
END_TEST

static const struct {
	const char *what;
	struct rib_peer_conf feed, sink;
	uint32_t community;
	bool retired, said;
} shutdowns[] = {
	{ "nothing of it", { .remote_as = FEED_AS }, { .remote_as = LAB_AS }, 0, false, false },
	{ "said by the feed",
	  { .remote_as = FEED_AS },
	  { .remote_as = LAB_AS },
	  BGP_COMM_GRACEFUL_SHUTDOWN,
	  true,
	  true },
	{ "said by an iBGP feed",
	  { .remote_as = LAB_AS },
	  { .remote_as = SINK_AS },
	  BGP_COMM_GRACEFUL_SHUTDOWN,
	  false,
	  true },
	{ "set for the feed",
	  { .remote_as = FEED_AS, .graceful_shutdown = true },
	  { .remote_as = LAB_AS },
	  0,
	  true,
	  false },
	{ "set for the sink",
	  { .remote_as = FEED_AS },
	  { .remote_as = SINK_AS, .graceful_shutdown = true },
	  0,
	  false,
	  true },
};

START_TEST(graceful_shutdown)
{
	const struct lab_attrs a = { .as = { FEED_AS }, .community = shutdowns[_i].community };
	const struct lab_route *r = told(shutdowns[_i].feed, shutdowns[_i].sink, &a);
	struct prefix p = lab_prefix(1);
	struct rib_path_view v;

	ck_assert_uint_eq(rib_paths(lab.rib, &p, &v, 1), 1);
	ck_assert_msg((attrs_local_pref(v.attrs) == 0) == shutdowns[_i].retired, "%s: LOCAL_PREF",
	              shutdowns[_i].what);
	ck_assert_msg((r->community == BGP_COMM_GRACEFUL_SHUTDOWN) == shutdowns[_i].said, "%s: community",
	              shutdowns[_i].what);
	rib_free(lab.rib);
}
END_TEST

/** Changes of these settings reach what was announced before, without a session. */
START_TEST(settings_change_without_a_session)
{
	const struct lab_route *r = told((struct rib_peer_conf){ .remote_as = FEED_AS },
	                                 (struct rib_peer_conf){ .remote_as = SINK_AS },
	                                 &(struct lab_attrs){ .as = { FEED_AS, PRIVATE } });

	ck_assert_uint_eq(r->path_len, 3);
	peers[1].conf.remove_private_as = peers[1].conf.graceful_shutdown = true;
	rib_peer_reconfigure(peers[1].rib, &peers[1].conf);
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(r->path_len, 2);
	ck_assert_uint_eq(r->community, BGP_COMM_GRACEFUL_SHUTDOWN);
	peers[0].conf.graceful_shutdown = true;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	lab_settle(&lab, peers, 2);
	ck_assert(lab.fib[1].there);
	rib_free(lab.rib);
}
END_TEST

static struct filter *refuse_group(const char *group)
{
	struct filter *f = filter_new("f", 2);
	struct filter_match *m;

	ck_assert_ptr_nonnull(f);
	m = &f->terms[0].match;
	m->peers = calloc(1, sizeof(*m->peers));
	ck_assert_ptr_nonnull(m->peers);
	m->peers[0] = strdup(group);
	m->n_peers = 1;
	f->terms[0].action = FILTER_REJECT;
	f->terms[1].action = FILTER_ACCEPT;
	filter_seal(f);
	return f;
}

/** Filters ask whence a route came: the exporting one of another peer, and the importing one. */
START_TEST(another_group_without_a_session)
{
	const struct lab_route *r = told((struct rib_peer_conf){ .remote_as = FEED_AS },
	                                 (struct rib_peer_conf){ .remote_as = SINK_AS },
	                                 &(struct lab_attrs){ .as = { FEED_AS } });
	struct filter *f = refuse_group("watched");
	struct rib_peer_conf *feed = &peers[0].conf, *sink = &peers[1].conf;

	sink->export = RIB_POLICY_FILTER;
	sink->export_filter = f;
	rib_peer_reconfigure(peers[1].rib, sink);
	lab_settle(&lab, peers, 2);
	ck_assert(r->there);
	feed->group = "watched";
	rib_peer_reconfigure(peers[0].rib, feed);
	lab_settle(&lab, peers, 2);
	ck_assert(!r->there);
	ck_assert(lab.fib[1].there);
	feed->import = RIB_POLICY_FILTER;
	feed->import_filter = f;
	rib_peer_reconfigure(peers[0].rib, feed);
	lab_settle(&lab, peers, 2);
	ck_assert(!lab.fib[1].there);
	feed->group = NULL;
	rib_peer_reconfigure(peers[0].rib, feed);
	lab_settle(&lab, peers, 2);
	ck_assert(r->there && lab.fib[1].there);
	rib_free(lab.rib);
	filter_free(f);
}
END_TEST

/** IEEE 754 singles. */
#define GIGABIT      0x4cee6b28u /* 125e6 bytes a second */
#define TWO_GIGABIT  0x4d6e6b28u
#define NOT_A_NUMBER 0x7fc00000u
static const struct {
	const char *what;
	uint32_t bandwidth[3]; /* 0: no community */
	uint16_t weight[3];    /* by the import filter; 0: none */
	uint16_t want[3];
} shares[] = {
	{ "nobody says", { 0 }, { 0 }, { 1, 1, 1 } },
	{ "all the same", { GIGABIT, GIGABIT, GIGABIT }, { 0 }, { 1, 1, 1 } },
	{ "one is twice as wide", { TWO_GIGABIT, GIGABIT, GIGABIT }, { 0 }, { 255, 127, 127 } },
	{ "one does not say", { TWO_GIGABIT, GIGABIT, 0 }, { 0 }, { 1, 1, 1 } },
	{ "one says nonsense", { TWO_GIGABIT, GIGABIT, NOT_A_NUMBER }, { 0 }, { 1, 1, 1 } },
	{ "filters", { 0 }, { 3, 2, 1 }, { 3, 2, 1 } },
	{ "one filter", { 0 }, { 3, 0, 0 }, { 3, 1, 1 } },
	{ "filters go before bandwidths", { TWO_GIGABIT, GIGABIT, GIGABIT }, { 0, 7, 0 }, { 1, 7, 1 } },
};

/** Link bandwidth is not transitive: it ends with the AS (RFC 4360 6). */
START_TEST(bandwidth_stays_inside)
{
	const struct lab_attrs a = { .as = { FEED_AS }, .bandwidth = GIGABIT };
	const struct rib_peer_conf feed = { .remote_as = FEED_AS }, inside = { .remote_as = LAB_AS },
	                           outside = { .remote_as = SINK_AS };

	ck_assert(told(feed, inside, &a)->ext_communities);
	rib_free(lab.rib);
	ck_assert(!told(feed, outside, &a)->ext_communities);
	ck_assert(peers[1].got[1].there);
	rib_free(lab.rib);
}
END_TEST

static struct filter *weigh(uint16_t weight)
{
	struct filter *f = filter_new("f", 1);

	f->terms[0].set.weight_set = weight;
	f->terms[0].set.weight = weight;
	f->terms[0].action = FILTER_ACCEPT;
	filter_seal(f);
	return f;
}

START_TEST(shares_of_an_ecmp_set)
{
	struct filter *f[3];

	lab_init(&lab, 16);
	for (unsigned i = 0; i < 3; i++) {
		f[i] = weigh(shares[_i].weight[i]);
		lab_peer_init(&lab, &peers[i], i, FEED_AS);
		peers[i].conf.import = RIB_POLICY_FILTER;
		peers[i].conf.import_filter = f[i];
		rib_peer_reconfigure(peers[i].rib, &peers[i].conf);
		lab_up(&peers[i]);
		lab_announce(&lab, &peers[i], 1,
		             &(struct lab_attrs){ .as = { FEED_AS }, .bandwidth = shares[_i].bandwidth[i] });
	}
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(lab.fib[1].n_hops, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_msg(lab.fib[1].weights[i] == shares[_i].want[i], "%s: %u has %u", shares[_i].what,
		              i, lab.fib[1].weights[i]);
	rib_free(lab.rib);
	for (unsigned i = 0; i < 3; i++)
		filter_free(f[i]);
}
END_TEST

UNIT_MAIN("policy", UNIT_ROWS(as_paths, paths), UNIT(own_as_in_place_of_the_peers),
          UNIT_ROWS(only_to_customers, roles), UNIT_ROWS(well_known_communities, communities),
          UNIT_ROWS(blackhole_by_agreement_and_for_a_host, blackholes),
          UNIT_ROWS(graceful_shutdown, shutdowns), UNIT(settings_change_without_a_session),
          UNIT(another_group_without_a_session), UNIT(bandwidth_stays_inside),
          UNIT_ROWS(shares_of_an_ecmp_set, shares))
