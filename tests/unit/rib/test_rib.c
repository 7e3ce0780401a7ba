/* SPDX-License-Identifier: BSD-2-Clause */
/* The table from end to end: UPDATEs in, decisions, UPDATEs out, and what the FIB is told. */
#include "unit/unit.h"

#include "table_lab.h"

#define NODE_AS 61012u
#define FAR_AS  61213u

static struct lab lab;
static struct lab_peer peers[8];

static void peer(unsigned i, uint32_t as)
{
	lab_peer_init(&lab, &peers[i], i, as);
	lab_up(&peers[i]);
}

static void begin(unsigned n, const uint32_t *as)
{
	lab_init(&lab, 16);
	for (unsigned i = 0; i < n; i++)
		peer(i, as[i]);
	lab_settle(&lab, peers, n);
}

START_TEST(announces_with_our_as_and_address)
{
	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	lab_announce(&lab, &peers[0], 7, &(struct lab_attrs){ .as = { NODE_AS }, .med = 5 });
	lab_settle(&lab, peers, 2);
	ck_assert(peers[1].got[7].there);
	ck_assert_uint_eq(peers[1].got[7].first_as, LAB_AS);
	ck_assert_uint_eq(peers[1].got[7].path_len, 2);
	ck_assert_msg(ip_to_v4(&peers[1].got[7].next_hop) == 0xc000020a,
	              "a third party on their own link (RFC 4271 5.1.3)");
	ck_assert_msg(!peers[1].got[7].med_set, "a received MED stays inside the AS");
	ck_assert_msg(!peers[0].got[7].there, "never back to where it came from");
	ck_assert(lab.fib[7].there);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[7].next_hop), 0xc000020a);
	peers[1].conf.next_hop_self = true;
	rib_peer_reconfigure(peers[1].rib, &peers[1].conf);
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(ip_to_v4(&peers[1].got[7].next_hop), 0xc0000201);
	lab_withdraw(&lab, &peers[0], 7);
	lab_settle(&lab, peers, 2);
	ck_assert(!peers[1].got[7].there);
	ck_assert(!lab.fib[7].there);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 0);
	rib_free(lab.rib);
}
END_TEST

START_TEST(who_was_told_nothing_has_nothing_withdrawn)
{
	begin(3, (uint32_t[]){ NODE_AS, FAR_AS, FAR_AS + 1 });
	peers[2].conf.export = RIB_POLICY_NONE;
	rib_peer_reconfigure(peers[2].rib, &peers[2].conf);
	lab_settle(&lab, peers, 3);
	lab_announce(&lab, &peers[0], 7, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 3);
	ck_assert(peers[1].got[7].there);
	peers[1].messages = peers[2].messages = 0;
	lab_withdraw(&lab, &peers[0], 7);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(peers[1].messages, 1);
	ck_assert(!peers[1].got[7].there);
	ck_assert_uint_eq(peers[2].messages, 0);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 0);
	rib_free(lab.rib);
}
END_TEST

/* More than are looked up together, one of them twice, some that were never announced. */
START_TEST(one_update_withdraws_many)
{
	uint8_t buf[BGP_MAX_LEN];
	struct update_packer pack;
	struct codec_ctx c;

	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	for (unsigned i = 0; i < 200; i++)
		lab_announce(&lab, &peers[0], i, &(struct lab_attrs){ .as = { NODE_AS }, .med = i / 6 });
	lab_settle(&lab, peers, 2);
	c = lab_codec(&peers[0], true, NULL, 0);
	ck_assert(update_pack_begin(&pack, buf, sizeof(buf), &c, FAM_IPV4, NULL));
	for (unsigned i = 3; i < 250; i++) {
		struct prefix p = lab_prefix(i % 50 == 0 ? 7 : i);

		ck_assert(update_pack_add(&pack, &p, 0));
	}
	lab_send(&lab, &peers[0], buf, update_pack_end(&pack));
	lab_settle(&lab, peers, 2);
	for (unsigned i = 0; i < 250; i++) {
		bool left = i < 3 || (i < 200 && i % 50 == 0);

		ck_assert_msg(peers[1].got[i].there == left && lab.fib[i].there == left, "prefix %u", i);
	}
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 6);
	rib_free(lab.rib);
}
END_TEST

START_TEST(end_of_rib_once_behind_the_table)
{
	begin(1, (uint32_t[]){ NODE_AS });
	for (unsigned i = 0; i < 300; i++)
		lab_announce(&lab, &peers[0], i, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 1);
	peer(1, FAR_AS);
	lab_settle(&lab, peers, 2);
	for (unsigned i = 0; i < 300; i++)
		ck_assert(peers[1].got[i].there);
	ck_assert_uint_eq(peers[1].eors, 1);
	ck_assert_msg(peers[1].messages <= 3, "%u messages for one attribute set", peers[1].messages);
	rib_peer_refresh(peers[1].rib, FAM_IPV4);
	memset(peers[1].got, 0, sizeof(peers[1].got));
	lab_settle(&lab, peers, 2);
	ck_assert(peers[1].got[299].there);
	ck_assert_uint_eq(peers[1].eors, 1);
	rib_free(lab.rib);
}
END_TEST

START_TEST(duplicate_is_not_announced_again)
{
	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	lab_announce(&lab, &peers[0], 1, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 2);
	peers[1].messages = 0;
	lab.changes = 0;
	lab_announce(&lab, &peers[0], 1, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(peers[1].messages, 0);
	ck_assert_uint_eq(lab.changes, 0);
	rib_free(lab.rib);
}
END_TEST

START_TEST(new_source_loses_what_it_had_from_us)
{
	begin(3, (uint32_t[]){ NODE_AS, NODE_AS + 1, FAR_AS });
	lab_announce(&lab, &peers[0], 3, &(struct lab_attrs){ .as = { NODE_AS, 1, 2 } });
	lab_settle(&lab, peers, 3);
	ck_assert(peers[1].got[3].there);
	lab_announce(&lab, &peers[1], 3, &(struct lab_attrs){ .as = { NODE_AS + 1 } });
	lab_settle(&lab, peers, 3);
	ck_assert_msg(!peers[1].got[3].there, "the best path is its own now");
	ck_assert_uint_eq(peers[0].got[3].path_len, 2);
	ck_assert_uint_eq(peers[2].got[3].path_len, 2);
	lab_down(&peers[1]);
	lab_settle(&lab, peers, 3);
	ck_assert(!peers[0].got[3].there);
	ck_assert_uint_eq(peers[2].got[3].path_len, 4);
	rib_free(lab.rib);
}
END_TEST

START_TEST(equal_paths_form_an_ecmp_set)
{
	begin(4, (uint32_t[]){ NODE_AS, NODE_AS, NODE_AS, FAR_AS });
	for (unsigned i = 0; i < 3; i++)
		lab_announce(&lab, &peers[i], 9, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 4);
	ck_assert_uint_eq(lab.fib[9].n_hops, 3);
	lab_down(&peers[1]);
	lab_settle(&lab, peers, 4);
	ck_assert_uint_eq(lab.fib[9].n_hops, 2);
	ck_assert(peers[3].got[9].there);
	/* two paths by one next hop are one member */
	lab_announce(&lab, &peers[0], 9, &(struct lab_attrs){ .as = { NODE_AS }, .next_hop = 0xc000020c });
	lab_settle(&lab, peers, 4);
	ck_assert_uint_eq(lab.fib[9].n_hops, 1);
	rib_free(lab.rib);
}
END_TEST

static bool is_spare(unsigned last_byte)
{
	struct ip want = ip_v4(0xc0000200 | last_byte);

	return ip_equal(&lab.fib[9].spare, &want);
}

START_TEST(spare_is_the_best_path_another_way)
{
	const uint32_t way[] = { 0xc000020a, 0xc000020b, 0xc000020c };
	unsigned changes;

	begin(3, (uint32_t[]){ NODE_AS, NODE_AS, NODE_AS });
	lab_announce(&lab, &peers[0], 9, &(struct lab_attrs){ .as = { NODE_AS }, .next_hop = way[0] });
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(lab.fib[9].spare.family, IP_NONE);
	lab_announce(&lab, &peers[1], 9, &(struct lab_attrs){ .as = { NODE_AS, 7, 8 }, .next_hop = way[1] });
	lab_settle(&lab, peers, 3);
	ck_assert(is_spare(0x0b));
	lab_announce(&lab, &peers[2], 9, &(struct lab_attrs){ .as = { NODE_AS, 7 }, .next_hop = way[2] });
	lab_settle(&lab, peers, 3);
	ck_assert(is_spare(0x0c));
	changes = lab.changes;
	lab_announce(&lab, &peers[1], 9, &(struct lab_attrs){ .as = { NODE_AS, 8, 8 }, .next_hop = way[1] });
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(lab.changes, changes); /* neither in use nor in reserve */
	/* the way of the ECMP set itself is no reserve */
	lab_announce(&lab, &peers[2], 9, &(struct lab_attrs){ .as = { NODE_AS, 7 }, .next_hop = way[0] });
	lab_settle(&lab, peers, 3);
	ck_assert(is_spare(0x0b));
	lab_withdraw(&lab, &peers[1], 9);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(lab.fib[9].spare.family, IP_NONE);
	rib_free(lab.rib);
}
END_TEST

START_TEST(next_hop_decides_eligibility)
{
	const struct prefix net = { .addr = ip_v4(0xc6336400), .len = 24 }; /* 198.51.100.0/24 */
	const struct host_route connected = { .prefix = net, .ifindex = 2 };
	struct nexthop_table *nh;

	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	nh = rib_nexthops(lab.rib);
	lab_announce(&lab, &peers[0], 4, &(struct lab_attrs){ .as = { NODE_AS }, .next_hop = 0xc6336401 });
	lab_settle(&lab, peers, 2);
	ck_assert_msg(!peers[1].got[4].there && !lab.fib[4].there, "no route to its next hop");
	nexthop_link_set(nh, 2, true);
	nexthop_route_set(nh, &connected);
	lab_settle(&lab, peers, 2);
	ck_assert(peers[1].got[4].there && lab.fib[4].there);
	nexthop_link_set(nh, 2, false);
	lab_settle(&lab, peers, 2);
	ck_assert(!peers[1].got[4].there && !lab.fib[4].there);
	rib_free(lab.rib);
}
END_TEST

static const struct {
	const char *what;
	struct lab_attrs a;
	uint32_t from, to; /* AS of the feed and of the sink */
	bool reflect, announced, installed;
} rules[] = {
	{ "eBGP to eBGP", { .as = { NODE_AS } }, NODE_AS, FAR_AS, false, true, true },
	{ "eBGP to iBGP", { .as = { NODE_AS } }, NODE_AS, LAB_AS, false, true, true },
	{ "iBGP to eBGP", { .as = { 7 } }, LAB_AS, FAR_AS, false, true, true },
	{ "iBGP to iBGP is not passed on", { .as = { 7 } }, LAB_AS, LAB_AS, false, false, true },
	{ "iBGP to iBGP by a reflector", { .as = { 7 } }, LAB_AS, LAB_AS, true, true, true },
	{ "our AS in the path", { .as = { NODE_AS, LAB_AS } }, NODE_AS, FAR_AS, false, false, false },
	{ "no-export stays inside",
	  { .as = { NODE_AS }, .community = BGP_COMM_NO_EXPORT },
	  NODE_AS,
	  FAR_AS,
	  false,
	  false,
	  true },
	{ "no-export to iBGP",
	  { .as = { NODE_AS }, .community = BGP_COMM_NO_EXPORT },
	  NODE_AS,
	  LAB_AS,
	  false,
	  true,
	  true },
	{ "no-advertise",
	  { .as = { NODE_AS }, .community = BGP_COMM_NO_ADVERTISE },
	  NODE_AS,
	  LAB_AS,
	  false,
	  false,
	  true },
};

START_TEST(who_may_hear_what)
{
	begin(1, &rules[_i].from);
	lab_peer_init(&lab, &peers[1], 1, rules[_i].to);
	peers[1].conf.rr_client = rules[_i].reflect;
	rib_peer_reconfigure(peers[1].rib, &peers[1].conf);
	lab_up(&peers[1]);
	lab_announce(&lab, &peers[0], 2, &rules[_i].a);
	lab_settle(&lab, peers, 2);
	ck_assert_msg(peers[1].got[2].there == rules[_i].announced, "%s: announced", rules[_i].what);
	ck_assert_msg(lab.fib[2].there == rules[_i].installed, "%s: installed", rules[_i].what);
	if (rules[_i].announced)
		ck_assert_msg(peers[1].got[2].local_pref_set == (rules[_i].to == LAB_AS),
		              "%s: LOCAL_PREF goes to iBGP only", rules[_i].what);
	rib_free(lab.rib);
}
END_TEST

START_TEST(first_as_is_enforced)
{
	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	peers[0].conf.enforce_first_as = true;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	lab_announce(&lab, &peers[0], 2, &(struct lab_attrs){ .as = { 99, NODE_AS } });
	lab_settle(&lab, peers, 2);
	ck_assert(!peers[1].got[2].there);
	peers[0].conf.enforce_first_as = false;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	lab_settle(&lab, peers, 2);
	ck_assert_msg(peers[1].got[2].there, "the kept Adj-RIB-In is evaluated again");
	rib_free(lab.rib);
}
END_TEST

/** accept prefixes 0..@upto only, with this MED */
static struct filter *filter_upto(unsigned upto, uint32_t med, struct prefix_set **set)
{
	struct filter *f = filter_new("f", 1);
	struct prefix_pattern pat;

	*set = prefix_set_new();
	for (unsigned i = 0; i <= upto; i++) {
		pat = (struct prefix_pattern){ .prefix = lab_prefix(i), .min_len = 24, .max_len = 24 };
		ck_assert_int_eq(prefix_set_add(*set, &pat), 0);
	}
	f->terms[0].match.prefix_sets = calloc(1, sizeof(struct prefix_set *));
	f->terms[0].match.prefix_sets[0] = *set;
	f->terms[0].match.n_prefix_sets = 1;
	f->terms[0].set.med_set = true;
	f->terms[0].set.med = med;
	f->terms[0].action = FILTER_ACCEPT;
	f->uses_prefix = true;
	return f;
}

START_TEST(changed_policy_needs_no_session)
{
	struct prefix_set *sets[2];
	struct filter *narrow = filter_upto(3, 10, &sets[0]), *wide = filter_upto(5, 20, &sets[1]);

	begin(3, (uint32_t[]){ NODE_AS, FAR_AS, FAR_AS });
	for (unsigned i = 0; i < 8; i++)
		lab_announce(&lab, &peers[0], i, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 3);
	for (unsigned i = 1; i < 3; i++) {
		peers[i].conf.export = RIB_POLICY_FILTER;
		peers[i].conf.export_filter = narrow;
		rib_peer_reconfigure(peers[i].rib, &peers[i].conf);
	}
	lab_settle(&lab, peers, 3);
	ck_assert(peers[1].got[3].there && !peers[1].got[4].there && !peers[1].got[7].there);
	ck_assert_uint_eq(peers[2].got[3].med, 10);
	peers[2].conf.export_filter = wide;
	rib_peer_reconfigure(peers[2].rib, &peers[2].conf);
	lab_settle(&lab, peers, 3);
	ck_assert(peers[2].got[5].there && !peers[2].got[6].there);
	ck_assert_uint_eq(peers[2].got[5].med, 20);
	ck_assert_msg(!peers[1].got[4].there, "the other member keeps its policy");
	peers[0].conf.import = RIB_POLICY_FILTER;
	peers[0].conf.import_filter = narrow;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	lab_settle(&lab, peers, 3);
	ck_assert(lab.fib[3].there && !lab.fib[4].there && !peers[2].got[4].there);
	rib_free(lab.rib);
	filter_free(narrow);
	filter_free(wide);
	prefix_set_free(sets[0]);
	prefix_set_free(sets[1]);
}
END_TEST

static const unsigned all_orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
	                                  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

/** a beats b by its router id, b beats c by its MED, c beats a by its router id: whatever the order, c is out
 * first. */
START_TEST(med_does_not_depend_on_order)
{
	static const struct lab_attrs paths[] = { { .as = { NODE_AS }, .med = 10 },
		                                  { .as = { FAR_AS }, .med = 1 },
		                                  { .as = { FAR_AS }, .med = 5 } };
	static const uint32_t ids[] = { 102, 103, 101 };

	lab_init(&lab, 1);
	for (unsigned i = 0; i < 3; i++) {
		lab_peer_init(&lab, &peers[i], i, paths[i].as[0]);
		peers[i].session.router_id = ids[i];
		lab_up(&peers[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		lab_announce(&lab, &peers[all_orders[_i][i]], 1, &paths[all_orders[_i][i]]);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[1].next_hop), 0xc000020a);
	rib_free(lab.rib);
}
END_TEST

START_TEST(limit_is_reported)
{
	begin(1, (uint32_t[]){ NODE_AS });
	peers[0].conf.max_prefix = 2;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	lab_announce(&lab, &peers[0], 0, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_announce(&lab, &peers[0], 1, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_announce(&lab, &peers[0], 1, &(struct lab_attrs){ .as = { NODE_AS, 5 } });
	{
		const struct update none = { .withdrawn.family = FAM_IPV4, .reach.family = FAM_IPV4 };

		ck_assert_int_eq(rib_update(peers[0].rib, &none, lab.now), RIB_OK);
		ck_assert(!rib_peer_over_limit(peers[0].rib));
		peers[0].conf.max_prefix = 1;
		rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
		ck_assert(rib_peer_over_limit(peers[0].rib));
		ck_assert_int_eq(rib_update(peers[0].rib, &none, lab.now), RIB_MAX_PREFIX);
		peers[0].conf.max_prefix = 0;
		rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
		ck_assert(!rib_peer_over_limit(peers[0].rib));
	}
	lab_run(&lab);
	rib_free(lab.rib);
}
END_TEST

START_TEST(local_routes)
{
	const struct rib_peer_conf conf = {
		.name = "static4", .source = SOURCE_STATIC, .local_as = LAB_AS, .import = RIB_POLICY_ALL
	};
	const struct prefix p0 = lab_prefix(0), p1 = lab_prefix(1), p2 = lab_prefix(2);
	struct rib_peer *local;

	begin(1, (uint32_t[]){ FAR_AS });
	local = rib_peer_new(lab.rib, &conf);
	ck_assert_int_eq(rib_local(local, &p0, &(struct rib_local){ .kind = LOCAL_BLACKHOLE }, lab.now), 0);
	ck_assert_int_eq(
	        rib_local(local, &p1, &(struct rib_local){ .kind = LOCAL_INTERFACE, .ifindex = 1 }, lab.now),
	        0);
	ck_assert_int_eq(
	        rib_local(local, &p2,
	                  &(struct rib_local){ .kind = LOCAL_NEXT_HOP, .next_hop = ip_v4(0xc0000263) },
	                  lab.now),
	        0);
	lab_settle(&lab, peers, 1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_msg(peers[0].got[i].there, "%u", i);
		ck_assert_uint_eq(peers[0].got[i].path_len, 1);
		ck_assert_uint_eq(ip_to_v4(&peers[0].got[i].next_hop), 0xc0000201);
		ck_assert(lab.fib[i].there);
		ck_assert_uint_eq(lab.fib[i].n_hops, i != 0);
	}
	ck_assert_int_eq(
	        rib_local(local, &p1, &(struct rib_local){ .kind = LOCAL_INTERFACE, .ifindex = 0 }, lab.now),
	        0);
	ck_assert_int_eq(rib_local(local, &p2, NULL, lab.now), 0);
	ck_assert_int_eq(lab.fib[0].kind, RIB_BLACKHOLE);
	ck_assert_int_eq(rib_local(local, &p0, &(struct rib_local){ .kind = LOCAL_UNREACHABLE }, lab.now), 0);
	lab_settle(&lab, peers, 1);
	ck_assert_int_eq(lab.fib[0].kind, RIB_UNREACHABLE);
	ck_assert_uint_eq(lab.fib[0].n_hops, 0);
	ck_assert_msg(!peers[0].got[1].there, "its interface is gone");
	ck_assert(!peers[0].got[2].there && peers[0].got[0].there);
	rib_peer_free(local);
	lab_settle(&lab, peers, 1);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 0);
	rib_free(lab.rib);
}
END_TEST

/** A member that does not read is set apart and ends up with the same table as the others. */
START_TEST(slow_sink_holds_nobody_up)
{
	static uint8_t buf[1 << 21];
	size_t have = 0;

	begin(3, (uint32_t[]){ NODE_AS, FAR_AS, FAR_AS });
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned i = 0; i < 64; i++) /* a set of its own for each: as many messages */
			lab_announce(&lab, &peers[0], i,
			             &(struct lab_attrs){ .as = { NODE_AS, 1 + round, 1 + i } });
		lab_run(&lab);
		lab_drain(&peers[1]);
	}
	ck_assert_uint_lt(peers[2].messages, peers[1].messages);
	while (rib_sink_pending(peers[2].rib) || rib_pending(lab.rib)) {
		lab_drain_some(&peers[2], buf, &have, 7001);
		rib_run(lab.rib, 100, lab.now);
	}
	lab_settle(&lab, peers, 3);
	ck_assert_uint_gt(peers[2].messages, 0);
	ck_assert_uint_lt(peers[2].messages, peers[1].messages);
	ck_assert_int_eq(memcmp(peers[1].got, peers[2].got, sizeof(peers[1].got)), 0);
	rib_free(lab.rib);
}
END_TEST

static uint32_t rnd(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/** A sink with ADD-PATH has every usable path that is not its own, each once. */
static void check_paths(unsigned k, unsigned i)
{
	const struct lab_paths *s = &peers[k].paths[i];
	bool ibgp = peers[k].session.neg.ibgp;
	struct prefix p = lab_prefix(i);
	struct rib_path_view v[LAB_PATHS];
	size_t n = rib_paths(lab.rib, &p, v, LAB_PATHS);
	unsigned want = 0, want_len = 0, len = 0;

	ck_assert_uint_le(n, LAB_PATHS);
	for (size_t j = 0; j < n; j++) {
		const struct lab_peer *from = rib_peer_user(v[j].peer);

		if (!v[j].eligible || from == &peers[k] || (ibgp && from->session.neg.ibgp))
			continue;
		want++;
		want_len += v[j].attrs->path_len + !ibgp;
	}
	for (unsigned j = 0; j < s->n; j++)
		len += s->route[j].path_len;
	ck_assert_msg(s->n == want && len == want_len, "sink %u, prefix %u: %u paths of %u AS, not %u of %u",
	              k, i, s->n, len, want, want_len);
}

/** Whatever happens in whatever order: once settled, each sink has exactly what export policy makes of the
 * best paths, and the FIB exactly the prefixes that have one. */
static void check_all(unsigned n)
{
	for (unsigned i = 0; i < LAB_PREFIXES; i++) {
		struct prefix p = lab_prefix(i);
		struct rib_path_view best;
		bool any = rib_paths(lab.rib, &p, &best, 1) && best.best;

		ck_assert_msg(lab.fib[i].there == any, "FIB, prefix %u", i);
		for (unsigned k = 0; k < n; k++) {
			if (peers[k].up && peers[k].session.neg.add_path_tx[family_of(&p)]) {
				check_paths(k, i);
				continue;
			}
			const struct attrs *a = rib_export_view(lab.rib, peers[k].rib, &p, NULL);

			if (!peers[k].up)
				continue;
			ck_assert_msg(peers[k].got[i].there == (a != NULL), "sink %u, prefix %u: %d", k, i,
			              a != NULL);
			if (a)
				ck_assert_msg(peers[k].got[i].first_as == aspath_first(a->as_path) &&
				                      peers[k].got[i].path_len == aspath_len(a->as_path),
				              "sink %u, prefix %u: other attributes", k, i);
		}
	}
}

/** A next hop behind a route of ours; and one that would be behind itself. */
START_TEST(next_hops_behind_routes_of_ours)
{
	const struct lab_attrs far = { .as = { 7 }, .next_hop = 0x0a006405 }; /* 10.0.100.5 */

	begin(3, (uint32_t[]){ NODE_AS, LAB_AS, FAR_AS });
	lab_announce(&lab, &peers[1], 4, &far);
	lab_announce(&lab, &peers[1], 100, &far);
	lab_settle(&lab, peers, 3);
	ck_assert(!lab.fib[4].there && !lab.fib[100].there);
	lab_announce(&lab, &peers[0], 100, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 3);
	ck_assert(lab.fib[4].there && peers[2].got[4].there);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[4].next_hop), 0xc000020a);
	lab_announce(&lab, &peers[0], 100, &(struct lab_attrs){ .as = { NODE_AS }, .next_hop = 0xc0000263 });
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[4].next_hop), 0xc0000263);
	lab_withdraw(&lab, &peers[0], 100);
	lab_settle(&lab, peers, 3);
	ck_assert(!lab.fib[4].there && !lab.fib[100].there && !peers[2].got[4].there);
	rib_free(lab.rib);
}
END_TEST

/** The host has a way already, and the route of ours leads through the very next hop: nothing goes in
 * circles. */
START_TEST(no_circles_of_next_hops)
{
	struct ip all = ip_v4(0), gateway = ip_v4(0xc0000263);
	const struct host_route any = { .prefix = prefix_make(&all, 0), .gateway = gateway, .ifindex = 1 };

	begin(2, (uint32_t[]){ LAB_AS, LAB_AS });
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(lab.rib), &any), 0);
	lab_announce(&lab, &peers[0], 100, &(struct lab_attrs){ .as = { 7 }, .next_hop = 0x0a006405 });
	lab_announce(&lab, &peers[0], 101, &(struct lab_attrs){ .as = { 7 }, .next_hop = 0x0a006605 });
	lab_announce(&lab, &peers[0], 102, &(struct lab_attrs){ .as = { 7 }, .next_hop = 0x0a006505 });
	lab_settle(&lab, peers, 2);
	for (unsigned i = 100; i < 103; i++) {
		ck_assert(lab.fib[i].there);
		ck_assert_uint_eq(ip_to_v4(&lab.fib[i].next_hop), 0xc0000263);
	}
	rib_free(lab.rib);
}
END_TEST

/** A next hop that leaves the link which a peer shares with it is no third party any more. */
START_TEST(next_hop_leaves_the_link)
{
	struct ip net = ip_v4(0xc0000200), gateway = ip_v4(0xcb007101), elsewhere = ip_v4(0xcb007100);
	struct host_route way = { .prefix = prefix_make(&elsewhere, 24), .ifindex = 1 };

	begin(2, (uint32_t[]){ NODE_AS, FAR_AS });
	lab_announce(&lab, &peers[0], 7, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(ip_to_v4(&peers[1].got[7].next_hop), 0xc000020a);
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(lab.rib), &way), 0);
	way = (struct host_route){ .prefix = prefix_make(&net, 24), .gateway = gateway, .ifindex = 1 };
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(lab.rib), &way), 0);
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[7].next_hop), 0xcb007101);
	ck_assert_msg(ip_to_v4(&peers[1].got[7].next_hop) == 0xc0000201, "next hop self");
	rib_free(lab.rib);
}
END_TEST

/** Best paths that are refused now, and not decided again yet, when a peer comes up and the table is told
 * anew. */
START_TEST(joins_before_the_refused_are_decided)
{
	begin(2, (uint32_t[]){ NODE_AS, NODE_AS });
	for (unsigned i = 0; i < 80; i++)
		lab_announce(&lab, &peers[0], i, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_settle(&lab, peers, 2);
	for (unsigned i = 40; i < 80; i++) /* to be decided first, for nothing */
		lab_announce(&lab, &peers[1], i, &(struct lab_attrs){ .as = { NODE_AS, 7 } });
	for (unsigned i = 0; i < 40; i++)
		lab_announce(&lab, &peers[0], i, &(struct lab_attrs){ .as = { NODE_AS, LAB_AS } });
	peer(2, FAR_AS);
	rib_replay(lab.rib);
	for (unsigned i = 0; i < 40; i++) {
		struct prefix p = lab_prefix(i);

		rib_run(lab.rib, 1, lab.now);
		ck_assert_ptr_null(rib_export_view(lab.rib, peers[2].rib, &p, NULL));
	}
	lab_settle(&lab, peers, 3);
	for (unsigned i = 0; i < 40; i++)
		ck_assert(!peers[2].got[i].there && !peers[0].got[i].there && !lab.fib[i].there);
	rib_free(lab.rib);
}
END_TEST

/** A better path whose next hop lies behind its own prefix, which another path leads to: the two would take
 * turns for ever, each making the other what it is. RFC 4271 9.1.2.1. */
START_TEST(path_behind_itself)
{
	struct rib_path_view v[2];
	struct prefix p = lab_prefix(100);

	begin(2, (uint32_t[]){ LAB_AS, NODE_AS });
	lab_announce(&lab, &peers[1], 100, &(struct lab_attrs){ .as = { NODE_AS } });
	lab_announce(&lab, &peers[0], 100,
	             &(struct lab_attrs){ .as = { 7 }, .next_hop = 0x0a006405, .local_pref = 200 });
	lab_settle(&lab, peers, 2);
	ck_assert_uint_eq(ip_to_v4(&lab.fib[100].next_hop), 0xc000020b);
	ck_assert_uint_eq(rib_paths(lab.rib, &p, v, 2), 2);
	ck_assert(v[0].best && !v[0].circular && v[1].circular && !v[1].eligible);
	lab_withdraw(&lab, &peers[1], 100);
	lab_settle(&lab, peers, 2);
	ck_assert(!lab.fib[100].there);
	rib_free(lab.rib);
}
END_TEST

/** Three prefixes, each with a direct path and a better one by a next hop behind the next prefix. What the
 * better ones rest on is the direct paths, so all are used; taken away, so are those that rested on them. */
START_TEST(ring_of_next_hops)
{
	begin(2, (uint32_t[]){ LAB_AS, NODE_AS });
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t behind = 0x0a000005u | (100 + (i + 1) % 3) << 8;

		lab_announce(&lab, &peers[1], 100 + i, &(struct lab_attrs){ .as = { NODE_AS } });
		lab_announce(&lab, &peers[0], 100 + i,
		             &(struct lab_attrs){ .as = { 7 }, .next_hop = behind, .local_pref = 200 });
	}
	lab_settle(&lab, peers, 2);
	for (unsigned i = 100; i < 103; i++)
		ck_assert_uint_eq(ip_to_v4(&lab.fib[i].next_hop), 0xc000020b);
	lab_withdraw(&lab, &peers[1], 101);
	lab_settle(&lab, peers, 2);
	ck_assert(lab.fib[101].there && !peers[1].got[100].there && peers[1].got[101].there);
	lab_withdraw(&lab, &peers[1], 102);
	lab_settle(&lab, peers, 2);
	ck_assert(lab.fib[100].there && !lab.fib[101].there && lab.fib[102].there);
	rib_free(lab.rib);
}
END_TEST

/** What a run over random histories is made of. */
static const struct {
	uint32_t seed;
	unsigned add_path_rx, add_path_tx; /* bit i: with peer i */
} histories[] = {
	{ 1, 0, 0 },        { 2, 0, 0 },        { 3, 0, 0 },         { 5, 0, 0 },
	{ 8, 0x15, 0 },     { 13, 0x3f, 0 },    { 21, 0, 0x2a },     { 34, 0x15, 0x2a },
	{ 55, 0x3f, 0x3f }, { 89, 0x3f, 0x33 }, { 144, 0x0f, 0x3c },
};

static void begin_history(unsigned row, unsigned n, const uint32_t *as)
{
	lab_init(&lab, 16);
	for (unsigned i = 0; i < n; i++) {
		struct negotiated *neg = &peers[i].session.neg;

		lab_peer_init(&lab, &peers[i], i, as[i]);
		rib_peer_set_user(peers[i].rib, &peers[i]);
		neg->families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6);
		for (enum family f = 0; f < FAM_COUNT; f++) {
			neg->add_path_rx[f] = histories[row].add_path_rx >> i & 1;
			neg->add_path_tx[f] = histories[row].add_path_tx >> i & 1;
		}
		lab_up(&peers[i]);
	}
	lab_settle(&lab, peers, n);
}

START_TEST(settles_to_what_policy_says)
{
	static const uint32_t as[] = { NODE_AS, NODE_AS, FAR_AS, LAB_AS, LAB_AS, 70001 };
	static uint8_t partial[6][1 << 17];
	size_t have[6] = { 0 };
	uint32_t s = histories[_i].seed * 2654435761u;

	begin_history(_i, 6, as);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned k = rnd(&s) % 6, i = rnd(&s) % 96, what = rnd(&s) % 100;
		struct lab_attrs a = { .as = { as[k] == LAB_AS ? 1 + rnd(&s) % 3 : as[k], rnd(&s) % 3 },
			               .local_pref = 0 };

		if (rnd(&s) % 16 == 0) /* behind a route of ours, or none */
			a.next_hop = 10u << 24 | rnd(&s) % 96 << 8 | 9;
		i += rnd(&s) % 2 * LAB_V6;
		if (peers[k].session.neg.add_path_rx[0])
			a.path_id = rnd(&s) % 3;
		if (what < 50 && peers[k].up)
			lab_announce(&lab, &peers[k], i, &a);
		else if (what < 80 && peers[k].up)
			lab_withdraw_path(&lab, &peers[k], i, a.path_id);
		else if (what == 80 && peers[k].up) {
			lab_down(&peers[k]);
			have[k] = 0;
		} else if (what == 81 && peers[k].up) {
			rib_peer_refresh(peers[k].rib, FAM_IPV6);
		} else if (what < 84 && !peers[k].up)
			lab_up(&peers[k]);
		else if (what < 92)
			rib_run(lab.rib, 1 + rnd(&s) % 8, ++lab.now);
		else if (have[k] < sizeof(partial[k]) / 2)
			lab_drain_some(&peers[k], partial[k], &have[k], rnd(&s) % 300);
	}
	for (unsigned k = 0; k < 6; k++)
		if (rib_sink_pending(peers[k].rib))
			lab_drain_some(&peers[k], partial[k], &have[k], SIZE_MAX);
	lab_settle(&lab, peers, 6);
	check_all(6);
	for (unsigned k = 0; k < 6; k++) {
		for (enum family f = 0; f < FAM_COUNT && peers[k].up; f++) {
			struct rib_peer_stats st;
			unsigned got = 0;

			rib_peer_stats(peers[k].rib, f, &st);
			for (unsigned i = f * LAB_V6; i < (f + 1) * LAB_V6; i++)
				got += peers[k].session.neg.add_path_tx[f] ? peers[k].paths[i].n
				                                           : peers[k].got[i].there;
			ck_assert_uint_eq(st.exported, got);
		}
	}
	for (unsigned k = 0; k < 6; k++)
		rib_peer_free(peers[k].rib);
	lab_run(&lab);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4) + rib_count(lab.rib, FAM_IPV6), 0);
	rib_free(lab.rib);
}
END_TEST

/** Paths of prefix 5 that `show route export` names for @sink, each as it was told. */
static unsigned shown_paths(unsigned sink)
{
	struct prefix prefix = lab_prefix(5);
	struct rib_path_view v[8];
	struct rib_export_reason why;
	size_t n = rib_paths(lab.rib, &prefix, v, 8);
	unsigned shown = 0;

	for (size_t i = 0; i < n; i++) {
		const struct attrs *a = rib_export_path(lab.rib, peers[sink].rib, &v[i], &why);

		ck_assert_int_eq(!a, why.withheld != NULL);
		if (!a)
			continue;
		shown++;
		ck_assert_uint_eq(a->path_len, v[i].attrs->path_len + 1);
	}
	return shown;
}

/** A sink that takes several paths gets each change of each of them once, and all of them when it comes. */
START_TEST(several_paths_to_a_sink)
{
	static const uint32_t as[] = { NODE_AS, NODE_AS + 1, FAR_AS };

	lab_init(&lab, 16);
	for (unsigned i = 0; i < 3; i++) {
		lab_peer_init(&lab, &peers[i], i, as[i]);
		peers[i].session.neg.add_path_tx[FAM_IPV4] = i == 2;
		peers[i].session.neg.add_path_rx[FAM_IPV4] = i == 0;
	}
	lab_up(&peers[0]);
	lab_up(&peers[1]);
	lab_announce(&lab, &peers[0], 5, &(struct lab_attrs){ .as = { NODE_AS }, .path_id = 1 });
	lab_announce(&lab, &peers[0], 5, &(struct lab_attrs){ .as = { NODE_AS, 7 }, .path_id = 2 });
	lab_announce(&lab, &peers[1], 5, &(struct lab_attrs){ .as = { NODE_AS + 1 } });
	lab_settle(&lab, peers, 2);
	lab_up(&peers[2]);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(peers[2].paths[5].n, 3);
	ck_assert_uint_eq(lab.fib[5].n_hops, 2);
	ck_assert_uint_eq(shown_paths(2), 3);
	ck_assert_uint_eq(shown_paths(1), 1);
	peers[2].messages = 0;
	lab_announce(&lab, &peers[0], 5, &(struct lab_attrs){ .as = { NODE_AS, 8 }, .path_id = 2 });
	lab_settle(&lab, peers, 3);
	ck_assert_msg(peers[2].messages == 1, "not the best path, and yet a change: %u", peers[2].messages);
	lab_withdraw_path(&lab, &peers[0], 5, 1);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(peers[2].paths[5].n, 2);
	ck_assert_msg(!peers[1].got[5].there, "the best path is its own now, and it takes no other");
	lab_down(&peers[0]);
	lab_settle(&lab, peers, 3);
	ck_assert_uint_eq(peers[2].paths[5].n, 1);
	rib_free(lab.rib);
}
END_TEST

UNIT_MAIN("rib", UNIT(announces_with_our_as_and_address), UNIT(who_was_told_nothing_has_nothing_withdrawn),
          UNIT(one_update_withdraws_many), UNIT(end_of_rib_once_behind_the_table),
          UNIT(duplicate_is_not_announced_again), UNIT(new_source_loses_what_it_had_from_us),
          UNIT(spare_is_the_best_path_another_way), UNIT(equal_paths_form_an_ecmp_set),
          UNIT(next_hop_decides_eligibility), UNIT_ROWS(who_may_hear_what, rules), UNIT(first_as_is_enforced),
          UNIT(changed_policy_needs_no_session), UNIT_ROWS(med_does_not_depend_on_order, all_orders),
          UNIT(limit_is_reported), UNIT(local_routes), UNIT(slow_sink_holds_nobody_up),
          UNIT(several_paths_to_a_sink), UNIT(next_hops_behind_routes_of_ours), UNIT(no_circles_of_next_hops),
          UNIT(next_hop_leaves_the_link), UNIT(joins_before_the_refused_are_decided),
          UNIT(path_behind_itself), UNIT(ring_of_next_hops),
          UNIT_ROWS(settles_to_what_policy_says, histories))
