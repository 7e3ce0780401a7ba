/* SPDX-License-Identifier: BSD-2-Clause */
/* test_peer.c - two of us: sessions, routes over them, reloads. */
#include "unit/io/sides.h"

START_TEST(both_dial_and_one_session_stays)
{
	struct peer_view v;

	two_sides();
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, both_up));
	ck_assert(!within(SECOND / 2, left_down));
	ck_assert_uint_eq(view(&left, "right").flaps, 0);
	ck_assert_uint_eq(view(&right, "left").flaps, 0);
	v = view(&left, "right");
	ck_assert(ip_equal(&v.local, &left.listen.address));
	no_sides();
}
END_TEST

START_TEST(routes_go_over_and_leave_with_the_session)
{
	two_sides();
	announce_three(&left);
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, right_has_routes));
	ck_assert(within(SECOND, both_up));
	ck_assert_uint_eq(right.synced, 1);
	ck_assert(view(&right, "left").synced);
	ck_assert(peer_disable(peers_find(left.set, "right"), "back at noon"));
	ck_assert(!peer_disable(peers_find(left.set, "right"), NULL));
	ck_assert(within(SECOND, right_is_empty));
	ck_assert_str_eq(last_end(&right, "left"), "Received: Administrative shutdown: back at noon");
	ck_assert(!within(SECOND / 2, both_up));
	ck_assert_str_eq(last_end(&right, "left"), "Received: Administrative shutdown: back at noon");
	ck_assert(peer_enable(peers_find(left.set, "right")));
	ck_assert(within(2 * SECOND, right_has_routes));
	no_sides();
}
END_TEST

START_TEST(restart_costs_less_than_two_seconds)
{
	two_sides();
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, both_up));
	for (unsigned i = 0; i < 3; i++) {
		peer_restart(peers_find(left.set, "right"), "again");
		ck_assert(left_down());
		ck_assert(within(2 * SECOND, both_up));
	}
	ck_assert_uint_eq(view(&right, "left").flaps, 3);
	no_sides();
}
END_TEST

START_TEST(passive_side_waits)
{
	two_sides();
	right.peers[0].passive = true;
	side_apply(&right, 1);
	ck_assert_int_eq(view(&right, "left").state, ST_ACTIVE);
	side_apply(&left, 1);
	ck_assert(within(2 * SECOND, both_up));
	peer_restart(peers_find(right.set, "left"), NULL);
	ck_assert(within(2 * SECOND, both_up));
	no_sides();
}
END_TEST

START_TEST(wrong_as_backs_off_and_says_so)
{
	two_sides();
	left.peers[0].remote_as = 65009;
	right.peers[0].passive = true;
	side_apply(&left, 1);
	side_apply(&right, 1);
	within(SECOND / 2, never);
	ck_assert_str_eq(last_end(&left, "right"), "BGP Error: Bad peer AS: it says 65002, expected 65009");
	ck_assert_str_eq(last_end(&right, "left"), "Received: Bad peer AS: we say 65002");
	ck_assert_uint_ge(view(&left, "right").retry_at, loop_now(loop) + 3 * SECOND - SECOND / 2);
	no_sides();
}
END_TEST

#define MANY 50000u

static bool right_has_many(void)
{
	return rib_count(right.rib, FAM_IPV4) == MANY && !rib_sink_pending(view(&left, "right").rib);
}

/* UPDATEs, ROUTE-REFRESH and KEEPALIVE on one stream, none inside another. */
START_TEST(many_routes_and_refreshes_on_one_stream)
{
	const struct rib_local where = { .kind = LOCAL_NEXT_HOP, .next_hop = addr("192.0.2.1") };

	two_sides();
	for (uint32_t i = 0; i < MANY; i++) {
		struct ip a = ip_v4(0x0a000000 + i * 256);
		struct prefix p = prefix_make(&a, 24);

		ck_assert_int_eq(rib_local(left.local, &p, &where, loop_now(loop)), 0);
	}
	on_work(&left);
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, both_up));
	for (unsigned i = 0; i < 20; i++) {
		peer_reload(peers_find(left.set, "right"), true, i % 4 == 0);
		peer_reload(peers_find(right.set, "left"), i % 4 == 2, true);
		within(5 * MS, never);
	}
	ck_assert(within(20 * SECOND, right_has_many));
	ck_assert(both_up());
	ck_assert_uint_eq(view(&left, "right").flaps + view(&right, "left").flaps, 0);
	no_sides();
}
END_TEST

/* Two snapshots in turn, as a reload has them. */
static struct conf *next_snapshot(struct side *s, struct conf *other, struct conf_peer *other_peers)
{
	*other = s->conf;
	memcpy(other_peers, s->peers, sizeof(s->peers));
	other->peers = other_peers;
	return other;
}

START_TEST(reload_ends_what_has_changed_and_nothing_else)
{
	struct conf snapshots[3], *old, *new;
	struct conf_peer entries[3][4];

	two_sides();
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, both_up));

	old = &left.conf;
	new = next_snapshot(&left, &snapshots[0], entries[0]);
	new->peers[0].description = (char *)"the other one";
	ck_assert_int_eq(peers_apply(left.set, new, old), 0);
	ck_assert(!within(SECOND / 4, left_down));

	old = new;
	new = next_snapshot(&left, &snapshots[1], entries[1]);
	new->peers[0].families |= FAM_BIT(FAM_IPV6);
	ck_assert_int_eq(peers_apply(left.set, new, old), 0);
	ck_assert(left_down());
	ck_assert(within(2 * SECOND, both_up));
	ck_assert_str_eq(last_end(&right, "left"), "Received: Other configuration change");

	old = new;
	new = next_snapshot(&left, &snapshots[2], entries[2]);
	new->n_peers = 0;
	ck_assert_int_eq(peers_apply(left.set, new, old), 0);
	ck_assert_ptr_null(peers_first(left.set));
	within(SECOND / 4, never);
	ck_assert_int_ne(view(&right, "left").state, ST_ESTABLISHED);
	no_sides();
}
END_TEST

static bool right_disabled(void)
{
	return !view(&right, "left").enabled;
}

START_TEST(too_many_prefixes)
{
	two_sides();
	right.peers[0].max_prefix = 2;
	right.peers[0].max_prefix_action = MAX_PREFIX_DISABLE;
	announce_three(&left);
	side_apply(&left, 1);
	side_apply(&right, 1);
	ck_assert(within(5 * SECOND, right_disabled));
	within(SECOND / 4, never);
	ck_assert_str_eq(last_end(&right, "left"), "Automatic shutdown: Maximum number of prefixes reached");
	ck_assert(right_is_empty());
	no_sides();
}
END_TEST

UNIT_MAIN("peer", UNIT(both_dial_and_one_session_stays), UNIT(routes_go_over_and_leave_with_the_session),
          UNIT(many_routes_and_refreshes_on_one_stream), UNIT(restart_costs_less_than_two_seconds),
          UNIT(passive_side_waits), UNIT(wrong_as_backs_off_and_says_so),
          UNIT(reload_ends_what_has_changed_and_nothing_else), UNIT(too_many_prefixes))
