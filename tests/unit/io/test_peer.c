/* SPDX-License-Identifier: BSD-2-Clause */
/* test_peer.c - two daemons' worth of peers, tables and listening sockets in one loop, over loopback; and
 * scripted speakers. */
#include "io/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/frame.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#define MS     UINT64_C(1000)
#define SECOND UINT64_C(1000000)

static struct loop *loop;
static uint16_t port;

/* -- one side ----------------------------------------------------------------------------------- */

struct side {
	struct conf conf;
	struct conf_listen listen;
	struct conf_peer peers[4];
	struct rib *rib;
	struct loop_job *job;
	struct peers *set;
	struct rib_peer *local;
	unsigned changes, synced;
};
static struct side left, right;

static bool run_rib(void *ctx)
{
	struct side *s = ctx;

	return rib_run(s->rib, 1000, loop_now(loop));
}

static void on_work(void *ctx)
{
	loop_job_kick(((struct side *)ctx)->job);
}

static void on_changed(void *ctx, struct peer *p)
{
	(void)p;
	((struct side *)ctx)->changes++;
}

static void on_synced(void *ctx, struct peer *p)
{
	(void)p;
	((struct side *)ctx)->synced++;
}

static void on_output(void *ctx, struct rib_peer *p)
{
	(void)ctx;
	if (rib_peer_user(p))
		peer_output(rib_peer_user(p));
}

static struct ip addr(const char *text)
{
	struct ip a;

	ck_assert(ip_parse(text, &a));
	return a;
}

static struct prefix net(const char *text)
{
	struct prefix p;

	ck_assert(prefix_parse(text, true, &p));
	return p;
}

/* Our own address is a loopback one here, which BGP takes for no next hop. */
static struct filter_term export_term = {
	.set = { .next_hop = NEXT_HOP_ADDRESS, .next_hop_addr = { IP_V4, { 192, 0, 2, 1 } } },
	.action = FILTER_ACCEPT,
};
static const struct filter export = { (char *)"export", &export_term, 1, true };

static struct conf_peer entry(const char *name, const char *local, const char *remote, uint32_t local_as,
                              uint32_t remote_as)
{
	return (struct conf_peer){
		.name = (char *)name, /* nobody frees it */
		.address = addr(remote),
		.local_address = addr(local),
		.port = port,
		.local_as = local_as,
		.remote_as = remote_as,
		.enabled = true,
		.families = FAM_BIT(FAM_IPV4),
		.hold_time = 90,
		.connect_retry = 5,
		.enforce_first_as = true,
		.import = { POLICY_ALL, NULL },
		.export = { POLICY_FILTER, &export },
	};
}

static void side_new(struct side *s, const char *address, uint32_t as, uint32_t id)
{
	const struct rib_options o = { .local_as = as, .router_id = id, .cluster_id = id, .multipath = 16 };
	const struct rib_peer_conf local = { .name = "local",
		                             .source = SOURCE_STATIC,
		                             .import = RIB_POLICY_ALL };
	const struct host_route lan = { .prefix = net("192.0.2.0/24"), .ifindex = 2 };
	struct peers_env env = {
		.loop = loop, .changed = on_changed, .synced = on_synced, .work = on_work, .ctx = s
	};

	memset(s, 0, sizeof(*s));
	s->listen = (struct conf_listen){ addr(address), port };
	s->conf.router = (struct conf_router){ .id = id, .as = as, .listen = &s->listen, .n_listen = 1 };
	s->conf.peers = s->peers;
	s->rib = env.rib = rib_new(&o);
	s->job = loop_job_new(loop, run_rib, s);
	rib_on_output(s->rib, on_output, s);
	s->local = rib_peer_new(s->rib, &local);
	ck_assert_int_eq(nexthop_route_set(rib_nexthops(s->rib), &lan), 0);
	ck_assert_int_eq(nexthop_link_set(rib_nexthops(s->rib), 2, true), 0);
	s->set = peers_new(&env);
	ck_assert(s->rib && s->job && s->local && s->set);
}

static void side_free(struct side *s)
{
	peers_free(s->set);
	rib_peer_free(s->local);
	loop_job_free(s->job);
	rib_free(s->rib);
}

static void side_apply(struct side *s, size_t n_peers)
{
	s->conf.n_peers = n_peers;
	ck_assert_int_eq(peers_apply(s->set, &s->conf, NULL), 0);
}

static struct peer_view view(struct side *s, const char *name)
{
	struct peer *p = peers_find(s->set, name);
	struct peer_view v;

	ck_assert_msg(p, "no peer %s", name);
	peer_view(p, &v);
	return v;
}

static const char *last_end(struct side *s, const char *name)
{
	static char text[512];
	struct peer_view v = view(s, name);

	return session_end_print(v.last_end, text, sizeof(text));
}

/* -- time --------------------------------------------------------------------------------------- */

static bool (*wanted)(void);
static struct loop_timer *poller;
static uint64_t give_up_at;
static bool reached;

static void on_poll(void *ctx)
{
	(void)ctx;
	reached = wanted();
	if (reached || loop_now(loop) >= give_up_at)
		loop_stop(loop);
	else
		loop_timer_at(poller, loop_now(loop) + MS);
}

/* @return whether @condition came true within @us */
static bool within(uint64_t us, bool (*condition)(void))
{
	wanted = condition;
	give_up_at = loop_clock() + us;
	loop_timer_at(poller, 0);
	loop_run(loop);
	return reached;
}

static bool never(void)
{
	return false;
}

static void setup(void)
{
	loop = loop_new();
	poller = loop_timer_new(loop, on_poll, NULL);
	port = (uint16_t)(20000 + getpid() % 20000);
}

static void teardown(void)
{
	loop_timer_free(poller);
	loop_free(loop);
}

static void two_sides(void)
{
	setup();
	side_new(&left, "127.0.81.1", 65001, 0x0a000001);
	side_new(&right, "127.0.81.2", 65002, 0x0a000002);
	left.peers[0] = entry("right", "127.0.81.1", "127.0.81.2", 65001, 65002);
	right.peers[0] = entry("left", "127.0.81.2", "127.0.81.1", 65002, 65001);
}

static void no_sides(void)
{
	side_free(&left);
	side_free(&right);
	teardown();
}

static bool both_up(void)
{
	return view(&left, "right").state == ST_ESTABLISHED && view(&right, "left").state == ST_ESTABLISHED;
}

static bool left_down(void)
{
	return view(&left, "right").state != ST_ESTABLISHED;
}

static bool right_has_routes(void)
{
	return rib_count(right.rib, FAM_IPV4) == 3;
}

static bool right_is_empty(void)
{
	return rib_count(right.rib, FAM_IPV4) == 0;
}

static void announce(struct side *s, const char *prefix)
{
	const struct rib_local where = { .kind = LOCAL_NEXT_HOP, .next_hop = addr("192.0.2.1") };
	const struct prefix p = net(prefix);

	ck_assert_int_eq(rib_local(s->local, &p, &where, loop_now(loop)), 0);
	on_work(s);
}

static void announce_three(struct side *s)
{
	announce(s, "198.51.100.0/24");
	announce(s, "203.0.113.0/24");
	announce(s, "10.0.0.0/8");
}

/* -- two of us ---------------------------------------------------------------------------------- */

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
	ck_assert_str_eq(last_end(&left, "right"), "BGP Error: Bad peer AS");
	ck_assert_str_eq(last_end(&right, "left"), "Received: Bad peer AS");
	ck_assert_uint_ge(view(&left, "right").connect_delay_s, 3);
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

/* -- scripted speakers -------------------------------------------------------------------------- */

static int speaker_dial(const char *from, const char *to)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, from, &a.sin_addr);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	inet_pton(AF_INET, to, &a.sin_addr);
	a.sin_port = htons(port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void speaker_open(int fd, uint32_t as, uint32_t id)
{
	const struct open o = {
		BGP_VERSION, as, 9, id, { .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .as4 = true }
	};
	uint8_t buf[512];
	struct writer w = wr_init(buf, sizeof(buf));

	open_encode(&w, &o);
	ck_assert_int_eq(write(fd, buf, (size_t)(w.p - buf)), w.p - buf);
}

static void speaker_keepalive(int fd)
{
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = wr_init(buf, sizeof(buf));

	frame_keepalive(&w);
	ck_assert_int_eq(write(fd, buf, sizeof(buf)), sizeof(buf));
}

/* The NOTIFICATION among what has come; code 0: none. *@closed: and that the stream ended. */
static struct notify speaker_told(int fd, bool *closed)
{
	struct notify n = { 0 }, why;
	uint8_t buf[8192];
	ssize_t len = 0, got;
	struct reader r;
	struct frame f;

	while ((got = recv(fd, buf + len, sizeof(buf) - (size_t)len, MSG_DONTWAIT)) > 0)
		len += got;
	*closed = got == 0 || (got < 0 && errno != EAGAIN);
	r = rd_init(buf, (size_t)len);
	while (frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK) {
		if (f.type == BGP_MSG_NOTIFICATION)
			ck_assert(notify_decode(f.body, &n));
	}
	return n;
}

static void expect_refusal(int fd, uint8_t code, uint8_t subcode)
{
	bool closed;
	struct notify n;

	within(100 * MS, never);
	n = speaker_told(fd, &closed);
	ck_assert(closed);
	ck_assert_uint_eq(n.code, code);
	ck_assert_uint_eq(n.subcode, subcode);
	close(fd);
}

static void one_side(void)
{
	setup();
	side_new(&left, "127.0.82.1", 65001, 0x0a000001);
}

START_TEST(stranger_is_turned_away)
{
	one_side();
	side_apply(&left, 0);
	expect_refusal(speaker_dial("127.0.82.9", "127.0.82.1"), BGP_ERR_CEASE, BGP_CEASE_REJECTED);
	side_free(&left);
	teardown();
}
END_TEST

static struct conf_peer range_entry(void)
{
	struct conf_peer c = entry("nodes", "127.0.82.1", "127.0.82.1", 65001, 65002);

	c.is_range = c.passive = true;
	c.address = c.local_address = (struct ip){ 0 };
	c.range = net("127.0.83.0/24");
	c.max_peers = 2;
	return c;
}

static bool node_up(void)
{
	struct peer *p = peers_find(left.set, "nodes_127.0.83.7");
	struct peer_view v;

	if (p)
		peer_view(p, &v);
	return p && v.state == ST_ESTABLISHED;
}

START_TEST(range_takes_who_comes_up_to_its_limit)
{
	int first, second;

	one_side();
	left.peers[0] = range_entry();
	side_apply(&left, 1);
	ck_assert(view(&left, "nodes").is_range);
	first = speaker_dial("127.0.83.7", "127.0.82.1");
	speaker_open(first, 65002, 0x0a000007);
	speaker_keepalive(first);
	ck_assert(within(SECOND, node_up));
	second = speaker_dial("127.0.83.8", "127.0.82.1");
	within(50 * MS, never);
	ck_assert_uint_eq(view(&left, "nodes").n_dynamic, 2);
	expect_refusal(speaker_dial("127.0.83.9", "127.0.82.1"), BGP_ERR_CEASE, BGP_CEASE_REJECTED);
	close(second);
	within(50 * MS, never);
	second = speaker_dial("127.0.83.9", "127.0.82.1"); /* takes the place of the one that left */
	within(50 * MS, never);
	ck_assert_ptr_nonnull(peers_find(left.set, "nodes_127.0.83.9"));
	ck_assert_ptr_null(peers_find(left.set, "nodes_127.0.83.8"));
	ck_assert(peer_disable(peers_find(left.set, "nodes"), NULL));
	expect_refusal(first, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN);
	close(second);
	side_free(&left);
	teardown();
}
END_TEST

START_TEST(disabled_peer_refuses)
{
	one_side();
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);
	left.peers[0].enabled = false;
	side_apply(&left, 1);
	expect_refusal(speaker_dial("127.0.82.7", "127.0.82.1"), BGP_ERR_CEASE, BGP_CEASE_REJECTED);
	side_free(&left);
	teardown();
}
END_TEST

static void passive_node(void)
{
	one_side();
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);
	left.peers[0].passive = true;
	side_apply(&left, 1);
}

static bool passive_node_up(void)
{
	return view(&left, "node").state == ST_ESTABLISHED;
}

START_TEST(garbage_is_answered_and_the_next_attempt_taken)
{
	int fd;

	passive_node();
	for (unsigned i = 0; i < 5; i++) {
		fd = speaker_dial("127.0.82.7", "127.0.82.1");
		ck_assert_int_eq(write(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27), 27);
		expect_refusal(fd, BGP_ERR_HEADER, BGP_HDR_NOT_SYNC);
	}
	fd = speaker_dial("127.0.82.7", "127.0.82.1");
	speaker_open(fd, 65002, 0x0a000007);
	speaker_keepalive(fd);
	ck_assert(within(SECOND, passive_node_up));
	close(fd);
	side_free(&left);
	teardown();
}
END_TEST

START_TEST(second_connection_replaces_a_silent_one_but_no_session)
{
	int silent, good;

	passive_node();
	silent = speaker_dial("127.0.82.7", "127.0.82.1");
	within(50 * MS, never);
	good = speaker_dial("127.0.82.7", "127.0.82.1");
	speaker_open(good, 65002, 0x0a000007);
	speaker_keepalive(good);
	ck_assert(within(SECOND, passive_node_up));
	expect_refusal(silent, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
	expect_refusal(speaker_dial("127.0.82.7", "127.0.82.1"), BGP_ERR_CEASE, BGP_CEASE_COLLISION);
	ck_assert(passive_node_up());
	peers_free(left.set);
	left.set = NULL;
	expect_refusal(good, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN);
	side_free(&left);
	teardown();
}
END_TEST

START_TEST(bytes_behind_the_handshake_reach_the_table)
{
	int fd;
	uint8_t wire[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		           0xff, 0xff, 0xff, 0xff, 0,    47,   2,    0,    0,    0,    20,   0x40,
		           1,    1,    0,    0x40, 2,    6,    2,    1,    0,    0,    0xfd, 0xea,
		           0x40, 3,    4,    192,  0,    2,    7,    24,   198,  51,   100 };

	passive_node();
	fd = speaker_dial("127.0.82.7", "127.0.82.1");
	speaker_open(fd, 65002, 0x0a000007);
	speaker_keepalive(fd);
	for (size_t i = 0; i < sizeof(wire); i++) {
		ck_assert_int_eq(write(fd, wire + i, 1), 1);
		within(MS, never);
	}
	within(50 * MS, never);
	ck_assert_uint_eq(rib_count(left.rib, FAM_IPV4), 1);
	ck_assert_uint_eq(view(&left, "node").session->count.rx_msgs[BGP_MSG_UPDATE], 1);
	close(fd);
	side_free(&left);
	teardown();
}
END_TEST

START_TEST(dial_fails_quickly_and_link_up_dials_at_once)
{
	int listener, fd;
	struct sockaddr_in a = { .sin_family = AF_INET };
	const int on = 1;

	one_side();
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);
	left.peers[0].connect_retry = 120;
	side_apply(&left, 1);
	within(100 * MS, never);
	ck_assert_str_eq(last_end(&left, "node"), "Socket: Connection refused");
	ck_assert_uint_le(view(&left, "node").connect_delay_s, 1);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	a.sin_port = htons(port);
	inet_pton(AF_INET, "127.0.82.7", &a.sin_addr);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	peers_link_event(left.set, "lo", true);
	within(100 * MS, never);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(view(&left, "node").state, ST_OPENSENT);
	close(fd);
	close(listener);
	side_free(&left);
	teardown();
}
END_TEST

UNIT_MAIN("peer", UNIT(both_dial_and_one_session_stays), UNIT(routes_go_over_and_leave_with_the_session),
          UNIT(many_routes_and_refreshes_on_one_stream), UNIT(restart_costs_less_than_two_seconds),
          UNIT(passive_side_waits), UNIT(wrong_as_backs_off_and_says_so),
          UNIT(reload_ends_what_has_changed_and_nothing_else), UNIT(too_many_prefixes),
          UNIT(stranger_is_turned_away), UNIT(range_takes_who_comes_up_to_its_limit),
          UNIT(disabled_peer_refuses), UNIT(garbage_is_answered_and_the_next_attempt_taken),
          UNIT(second_connection_replaces_a_silent_one_but_no_session),
          UNIT(bytes_behind_the_handshake_reach_the_table),
          UNIT(dial_fails_quickly_and_link_up_dials_at_once))
