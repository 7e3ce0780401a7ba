/* SPDX-License-Identifier: BSD-2-Clause */
/* test_stale.c - routes that outlive their session or wait to be said again: graceful restart and enhanced
 * refresh, as the table sees them. */
#include "rib/rib.h"

#include "unit/unit.h"

#include "table_lab.h"

#define NODE_AS 65010u
#define FAR_AS  65020u
#define V4      FAM_BIT(FAM_IPV4)

static struct lab lab;
static struct lab_peer peers[2]; /* a feed and a sink */
static const struct lab_attrs usual = { .as = { NODE_AS } };

static void settle(void)
{
	lab_settle(&lab, peers, 2);
}

/* Prefixes 0 to 9 from the feed, which then is lost; @retain: what stays. */
static void lose_feed(uint32_t retain)
{
	rib_peer_restarts(peers[0].rib, retain);
	peers[0].up = false;
	settle();
}

static void begin(void)
{
	lab_init(&lab, 16);
	lab_peer_init(&lab, &peers[0], 0, NODE_AS);
	lab_peer_init(&lab, &peers[1], 1, FAR_AS);
	lab_up(&peers[0]);
	lab_up(&peers[1]);
	for (unsigned i = 0; i < 10; i++)
		lab_announce(&lab, &peers[0], i, &usual);
	settle();
	lab.changes = 0;
	peers[1].messages = 0;
}

static void finish(void)
{
	rib_free(lab.rib);
}

static unsigned in_use(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 10; i++)
		n += lab.fib[i].there && peers[1].got[i].there;
	return n;
}

START_TEST(retained_routes_stay_in_use_and_nobody_hears_of_it)
{
	begin();
	lose_feed(V4);
	ck_assert_uint_eq(in_use(), 10);
	ck_assert_uint_eq(lab.changes + peers[1].messages, 0);
	finish();
}
END_TEST

START_TEST(what_is_said_again_stays_and_the_rest_leaves_at_the_end)
{
	begin();
	lose_feed(V4);
	lab_up(&peers[0]);
	for (unsigned i = 0; i < 6; i++)
		lab_announce(&lab, &peers[0], i, &usual);
	settle();
	ck_assert_uint_eq(in_use(), 10);
	ck_assert_uint_eq(lab.changes, 0);
	rib_peer_stale_end(peers[0].rib, V4);
	settle();
	ck_assert_uint_eq(in_use(), 6);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 6);
	finish();
}
END_TEST

START_TEST(time_is_up_while_it_is_away)
{
	begin();
	lose_feed(V4);
	rib_peer_stale_end(peers[0].rib, V4);
	settle();
	ck_assert_uint_eq(in_use() + rib_count(lab.rib, FAM_IPV4), 0);
	finish();
}
END_TEST

START_TEST(stale_twice_is_gone)
{
	begin();
	lose_feed(V4);
	lab_up(&peers[0]);
	lab_announce(&lab, &peers[0], 3, &usual);
	settle();
	lose_feed(V4);
	ck_assert_uint_eq(in_use(), 1);
	ck_assert(lab.fib[3].there);
	finish();
}
END_TEST

START_TEST(families_are_retained_apart)
{
	begin();
	lose_feed(FAM_BIT(FAM_IPV6));
	ck_assert_uint_eq(in_use() + rib_count(lab.rib, FAM_IPV4), 0);
	finish();
}
END_TEST

START_TEST(retained_routes_can_be_withdrawn_and_changed)
{
	begin();
	lose_feed(V4);
	lab_up(&peers[0]);
	lab_withdraw(&lab, &peers[0], 0);
	lab_announce(&lab, &peers[0], 1, &(struct lab_attrs){ .as = { NODE_AS, 7 } });
	settle();
	ck_assert(!lab.fib[0].there);
	ck_assert_uint_eq(peers[1].got[1].path_len, 3);
	ck_assert_uint_eq(in_use(), 9);
	finish();
}
END_TEST

START_TEST(removed_peer_retains_nothing)
{
	begin();
	lose_feed(V4);
	rib_peer_free(peers[0].rib);
	lab_run(&lab);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 0);
	finish();
}
END_TEST

START_TEST(refresh_sweeps_what_is_not_repeated)
{
	begin();
	rib_peer_stale_begin(peers[0].rib, FAM_IPV4);
	lab_announce(&lab, &peers[0], 4, &usual);
	settle();
	ck_assert_uint_eq(in_use(), 10);
	rib_peer_stale_end(peers[0].rib, V4);
	settle();
	ck_assert_uint_eq(in_use(), 1);
	finish();
}
END_TEST

START_TEST(end_of_rib_is_held_until_let_go)
{
	begin();
	rib_hold_eor(lab.rib, true);
	lab_down(&peers[1]);
	lab_up(&peers[1]);
	settle();
	ck_assert_uint_eq(in_use(), 10);
	ck_assert_uint_eq(peers[1].eors, 0);
	lab_announce(&lab, &peers[0], 11, &usual);
	settle();
	ck_assert_uint_eq(peers[1].eors, 0);
	rib_hold_eor(lab.rib, false);
	settle();
	ck_assert_uint_eq(peers[1].eors, 1);
	finish();
}
END_TEST

/* -- for long (RFC 9494) ---------------------------------------------------------------------- */

static struct lab_peer others[2]; /* another feed, and a sink that knows nothing of it */

static void settle_all(void)
{
	for (unsigned i = 0; i < 3; i++) { /* what one hears may be what another said */
		settle();
		lab_settle(&lab, others, 2);
	}
}

/* As begin(), with a sink that knows the procedure and one that does not. */
static void begin_long(void)
{
	begin();
	lab_down(&peers[1]);
	peers[1].session.neg.long_lived = true;
	lab_up(&peers[1]);
	lab_peer_init(&lab, &others[0], 2, NODE_AS + 1);
	lab_peer_init(&lab, &others[1], 3, FAR_AS + 1);
	lab_up(&others[0]);
	lab_up(&others[1]);
	settle_all();
}

static void lose_feed_for_long(void)
{
	lose_feed(V4);
	rib_peer_long_lived(peers[0].rib, V4);
	settle_all();
}

static bool marked(unsigned i)
{
	return peers[1].got[i].there && peers[1].got[i].community == BGP_COMM_LLGR_STALE;
}

static unsigned n_marked(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 10; i++)
		n += marked(i);
	return n;
}

START_TEST(long_lived_routes_are_marked_for_those_who_know)
{
	begin_long();
	ck_assert(others[1].got[0].there);
	lose_feed_for_long();
	ck_assert_uint_eq(n_marked(), 10);
	for (unsigned i = 0; i < 10; i++)
		ck_assert(lab.fib[i].there && !others[1].got[i].there);
	finish();
}
END_TEST

START_TEST(long_lived_routes_are_the_last_choice)
{
	const struct lab_attrs longer = { .as = { NODE_AS + 1, 7, 8 } };

	begin_long();
	lab_announce(&lab, &others[0], 3, &longer);
	settle_all();
	ck_assert(ip_equal(&lab.fib[3].next_hop, &peers[0].conf.address));
	lose_feed_for_long();
	ck_assert(ip_equal(&lab.fib[3].next_hop, &others[0].conf.address));
	ck_assert(!marked(3) && others[1].got[3].there);
	lab_withdraw(&lab, &others[0], 3);
	settle_all();
	ck_assert(ip_equal(&lab.fib[3].next_hop, &peers[0].conf.address));
	ck_assert(marked(3) && !others[1].got[3].there);
	finish();
}
END_TEST

START_TEST(a_mark_that_was_received_counts_too)
{
	const struct lab_attrs stale = { .as = { NODE_AS }, .community = BGP_COMM_LLGR_STALE };
	const struct lab_attrs longer = { .as = { NODE_AS + 1, 7, 8 } };

	begin_long();
	lab_announce(&lab, &peers[0], 3, &stale);
	settle_all();
	ck_assert(marked(3) && !others[1].got[3].there);
	lab_announce(&lab, &others[0], 3, &longer);
	settle_all();
	ck_assert(ip_equal(&lab.fib[3].next_hop, &others[0].conf.address));
	finish();
}
END_TEST

START_TEST(no_llgr_leaves_when_the_long_time_begins)
{
	const struct lab_attrs not_for_long = { .as = { NODE_AS }, .community = BGP_COMM_NO_LLGR };

	begin_long();
	lab_announce(&lab, &peers[0], 4, &not_for_long);
	settle_all();
	lose_feed(V4);
	ck_assert_uint_eq(in_use(), 10);
	rib_peer_long_lived(peers[0].rib, V4);
	settle_all();
	ck_assert_uint_eq(in_use(), 9);
	ck_assert(!lab.fib[4].there);
	ck_assert_uint_eq(rib_count(lab.rib, FAM_IPV4), 9);
	finish();
}
END_TEST

START_TEST(what_is_said_again_is_no_longer_marked)
{
	begin_long();
	lose_feed_for_long();
	lab_up(&peers[0]);
	for (unsigned i = 0; i < 6; i++)
		lab_announce(&lab, &peers[0], i, &usual);
	settle_all();
	ck_assert_uint_eq(n_marked(), 4);
	ck_assert(!marked(0) && others[1].got[0].there && marked(9) && !others[1].got[9].there);
	rib_peer_stale_end(peers[0].rib, V4);
	settle_all();
	ck_assert_uint_eq(in_use(), 6);
	ck_assert_uint_eq(n_marked(), 0);
	finish();
}
END_TEST

START_TEST(lost_again_before_all_was_said_keeps_all)
{
	begin_long();
	lose_feed_for_long();
	lab_up(&peers[0]);
	for (unsigned i = 0; i < 6; i++)
		lab_announce(&lab, &peers[0], i, &usual);
	settle_all();
	lose_feed(V4);
	settle_all();
	ck_assert_uint_eq(n_marked(), 10);
	rib_peer_stale_end(peers[0].rib, V4);
	settle_all();
	ck_assert_uint_eq(in_use() + rib_count(lab.rib, FAM_IPV4), 0);
	finish();
}
END_TEST

START_TEST(the_mark_outlives_a_new_policy)
{
	begin_long();
	lose_feed_for_long();
	peers[0].conf.graceful_shutdown = true; /* changes what import makes of them */
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	settle_all();
	ck_assert_uint_eq(n_marked(), 10);
	finish();
}
END_TEST

/* Prefix @i from the feed with @n communities, and another one that the import filter adds. */
static void announce_communities(unsigned i, unsigned n)
{
	static uint8_t list[60000], path[6] = { BGP_AS_SEQUENCE, 1 }, buf[65535];
	const struct codec_ctx c = lab_codec(&peers[0], true, NULL, 0);
	const struct prefix prefix = lab_prefix(i);
	const struct attrs a = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		                            ATTR_BIT(BGP_ATTR_NEXT_HOP) | ATTR_BIT(BGP_ATTR_COMMUNITIES),
		                 .as_path = { path, sizeof(path) },
		                 .next_hop = peers[0].conf.address,
		                 .communities = { list, 4 * n } };
	struct update_packer pk;

	wr_put_u32(path + 2, NODE_AS);
	for (uint32_t k = 0; k < n; k++)
		wr_put_u32(list + 4 * k, 0x10000 + k);
	ck_assert(update_pack_begin(&pk, buf, sizeof(buf), &c, FAM_IPV4, &a));
	ck_assert(update_pack_add(&pk, &prefix, 0));
	lab_send(&lab, &peers[0], buf, update_pack_end(&pk));
}

/* A peer does not escape the mark by so many communities that there is no room for it. */
START_TEST(without_room_for_the_mark_it_leaves)
{
	struct filter *f = filter_new("f", 1);
	struct community_edit *edit = &f->terms[0].set.communities[COMMUNITY_PLAIN];

	edit->add = calloc(1, sizeof(*edit->add));
	ck_assert_ptr_nonnull(edit->add);
	edit->add[0] = (struct community_pattern){ .kind = COMMUNITY_PLAIN, .part = { 9, 9 } };
	edit->n_add = 1;
	f->terms[0].action = FILTER_ACCEPT;
	filter_seal(f);
	begin_long();
	peers[0].conf.import = RIB_POLICY_FILTER;
	peers[0].conf.import_filter = f;
	rib_peer_reconfigure(peers[0].rib, &peers[0].conf);
	announce_communities(0, 10000);
	settle_all();
	ck_assert(lab.fib[0].there);
	lose_feed_for_long();
	ck_assert(!lab.fib[0].there && lab.fib[1].there);
	finish();
	filter_free(f);
}
END_TEST

UNIT_MAIN("stale", UNIT(retained_routes_stay_in_use_and_nobody_hears_of_it),
          UNIT(what_is_said_again_stays_and_the_rest_leaves_at_the_end), UNIT(time_is_up_while_it_is_away),
          UNIT(stale_twice_is_gone), UNIT(families_are_retained_apart),
          UNIT(retained_routes_can_be_withdrawn_and_changed), UNIT(removed_peer_retains_nothing),
          UNIT(refresh_sweeps_what_is_not_repeated), UNIT(end_of_rib_is_held_until_let_go),
          UNIT(long_lived_routes_are_marked_for_those_who_know), UNIT(long_lived_routes_are_the_last_choice),
          UNIT(a_mark_that_was_received_counts_too), UNIT(no_llgr_leaves_when_the_long_time_begins),
          UNIT(what_is_said_again_is_no_longer_marked), UNIT(lost_again_before_all_was_said_keeps_all),
          UNIT(the_mark_outlives_a_new_policy), UNIT(without_room_for_the_mark_it_leaves))
