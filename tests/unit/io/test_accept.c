/* SPDX-License-Identifier: BSD-2-Clause */
/* test_accept.c - who may connect, and what becomes of it: one of us against scripted speakers. */
#include "unit/io/sides.h"

START_TEST(stranger_is_turned_away)
{
	one_side();
	side_apply(&left, 0);
	expect_refusal(speaker_dial("127.0.82.9", "127.0.82.1"), BGP_ERR_CEASE, BGP_CEASE_REJECTED);
	side_free(&left);
	teardown();
}
END_TEST

/* -- what the log says of it --------------------------------------------------------------------- */

static char refused_because[256];

static void on_log(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	(void)ctx;
	(void)level;
	for (size_t i = 0; i < n && strcmp(event, "session.refused") == 0; i++) {
		if (strcmp(kv[i].key, "why") == 0)
			snprintf(refused_because, sizeof(refused_because), "%s", kv[i].str);
	}
}

/* Where a peer of @p's address may connect; who comes elsewhere hears no, and the operator why. */
static void expect_misplaced(struct conf_peer p, const char *why)
{
	struct conf_listen listen[2];

	one_side();
	listen[0] = left.listen;
	listen[1] = (struct conf_listen){ addr("127.0.82.2"), port };
	left.conf.router.listen = listen;
	left.conf.router.n_listen = 2;
	left.peers[0] = p;
	side_apply(&left, 1);
	log_set_sink(on_log, NULL);
	expect_refusal(speaker_dial("127.0.82.7", "127.0.82.2"), BGP_ERR_CEASE, BGP_CEASE_REJECTED);
	log_set_sink(NULL, NULL);
	ck_assert_str_eq(refused_because, why);
	side_free(&left);
	teardown();
}

START_TEST(refusal_names_the_address_that_is_expected)
{
	struct conf_peer p = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);

	expect_misplaced(p, "peer node expects connections to 127.0.82.1");
	p.name = (char *)"nodes";
	p.is_range = p.passive = true;
	p.address = (struct ip){ 0 };
	p.range = net("127.0.82.0/24");
	expect_misplaced(p, "peer nodes expects connections to 127.0.82.1");
}
END_TEST

START_TEST(refusal_names_the_link_that_is_expected)
{
	struct conf_peer p = entry("node", "127.0.82.2", "127.0.82.7", 65001, 65002);

	p.passive = true;
	p.interface = (char *)"elsewhere0";
	expect_misplaced(p, "peer node expects connections over elsewhere0");
}
END_TEST

START_TEST(refusal_of_a_stranger_says_so)
{
	struct conf_peer p = entry("node", "127.0.82.2", "127.0.82.8", 65001, 65002);

	p.passive = true;
	expect_misplaced(p, "no peer has this address");
}
END_TEST

/* -- ranges --------------------------------------------------------------------------------------- */

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

static unsigned count_named(const char *name, bool dynamic)
{
	unsigned n = 0;

	for (struct peer *p = peers_first(left.set); p; p = peers_next(left.set, p)) {
		struct peer_view v;

		peer_view(p, &v);
		n += strcmp(v.name, name) == 0 && v.dynamic == dynamic;
	}
	return n;
}

/* A dynamic peer may have come by the name before the configuration took it. */
START_TEST(configured_peer_of_a_dynamic_ones_name)
{
	const char *name = "nodes_127.0.83.7";
	struct conf conf;
	int fd;

	one_side();
	left.peers[0] = range_entry();
	side_apply(&left, 1);
	fd = speaker_dial("127.0.83.7", "127.0.82.1");
	speaker_open(fd, 65002, 0x0a000007);
	speaker_keepalive(fd);
	ck_assert(within(SECOND, node_up));
	conf = left.conf;
	left.peers[1] = entry(name, "127.0.82.1", "127.0.84.7", 65001, 65002);
	conf.n_peers = 2;
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(peers_apply(left.set, &conf, &conf), 0);
		ck_assert_uint_eq(count_named(name, false), 1);
		ck_assert_uint_eq(count_named(name, true), 1);
		ck_assert(!view(&left, name).dynamic); /* commands mean what the file names */
	}
	close(fd);
	side_free(&left);
	teardown();
}
END_TEST

/* -- one passive peer ----------------------------------------------------------------------------- */

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

static bool back_again(void)
{
	return passive_node_up() && view(&left, "node").flaps == 1;
}

/* Its FIN and its next SYN may be seen in one turn, the SYN first. */
START_TEST(what_the_session_left_is_read_before_a_second_connection_is_judged)
{
	bool closed;
	int fd;

	passive_node();
	fd = speaker_dial("127.0.82.7", "127.0.82.1");
	speaker_open(fd, 65002, 0x0a000007);
	speaker_keepalive(fd);
	ck_assert(within(SECOND, passive_node_up));
	close(fd);
	fd = speaker_dial("127.0.82.7", "127.0.82.1");
	speaker_open(fd, 65002, 0x0a000007);
	speaker_keepalive(fd);
	ck_assert(within(2 * SECOND, back_again));
	ck_assert_uint_eq(speaker_told(fd, &closed).code, 0);
	ck_assert(!closed);
	close(fd);
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

/* -- when to dial --------------------------------------------------------------------------------- */

static int listener_at(const char *address)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	inet_pton(AF_INET, address, &a.sin_addr);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static void link_came_up(void)
{
	peers_link_event(left.set, "lo", true);
}

static void our_address_came(void)
{
	const struct ip ours = addr("127.0.82.1");

	peers_address_event(left.set, &ours, true);
}

static void other_address_came(void)
{
	const struct ip other = addr("127.0.82.2");

	peers_address_event(left.set, &other, true);
}

static void our_address_went(void)
{
	const struct ip ours = addr("127.0.82.1");

	peers_address_event(left.set, &ours, false);
}

static void neighbor_came_back(void)
{
	const struct ip it = addr("127.0.82.7");

	peers_neighbor_event(left.set, &it, false);
	peers_neighbor_event(left.set, &it, true);
}

static void neighbor_was_never_away(void)
{
	const struct ip it = addr("127.0.82.7");

	peers_neighbor_event(left.set, &it, true);
}

static void other_neighbor_came_back(void)
{
	const struct ip other = addr("127.0.82.8");

	peers_neighbor_event(left.set, &other, false);
	peers_neighbor_event(left.set, &other, true);
}

static const struct {
	void (*happens)(void);
	bool dials;
} changes[] = {
	{ link_came_up, true },
	{ our_address_came, true },
	{ other_address_came, false },
	{ our_address_went, false },
	{ neighbor_came_back, true },
	{ neighbor_was_never_away, false },
	{ other_neighbor_came_back, false },
};

static bool has_failed(void)
{
	return view(&left, "node").retry_at && *last_attempt(&left, "node");
}

START_TEST(what_may_help_is_a_reason_to_dial_at_once)
{
	int listener, fd;
	uint64_t planned;

	one_side();
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);
	left.peers[0].connect_retry = 120;
	side_apply(&left, 1);
	ck_assert(within(SECOND, has_failed));
	ck_assert_str_eq(last_attempt(&left, "node"), "Socket: Connection refused");
	ck_assert_str_eq(last_end(&left, "node"), "");
	planned = view(&left, "node").retry_at;
	ck_assert_uint_le(planned, loop_now(loop) + SECOND);
	listener = listener_at("127.0.82.7");
	changes[_i].happens();
	ck_assert_int_eq(view(&left, "node").retry_at != planned, changes[_i].dials);
	if (changes[_i].dials) {
		within(100 * MS, never);
		ck_assert_int_eq(view(&left, "node").state, ST_OPENSENT);
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		close(fd);
	}
	close(listener);
	side_free(&left);
	teardown();
}
END_TEST

/* -- collisions ----------------------------------------------------------------------------------- */

/* What the other side says, in which order: on the connection that we dialled (d) and on the one that it did
 * (a), OPEN (capital) and KEEPALIVE. '?': the identifiers decide, RFC 4271 6.8; else one was Established
 * before the other had its OPEN. */
static const struct {
	const char *order;
	char stays;
} orders[] = {
	{ "DdAa", 'd' }, { "DAda", '?' }, { "DAad", '?' }, { "AaDd", 'a' }, { "ADad", '?' }, { "ADda", '?' },
};

static const struct {
	uint32_t local_as, id, as; /* id, as: theirs; our id is 10.0.0.1 */
	char stays;
} speakers[] = {
	{ 65001, 0x0a000002, 65002, 'a' }, { 65001, 0x09ffffff, 65002, 'd' },
	{ 65001, 0x0a000001, 65002, 'a' }, /* RFC 6286 2.3: the same id, and a higher AS */
	{ 65003, 0x0a000001, 65002, 'd' }, { 65002, 0x0a000002, 65002, 'a' }, /* iBGP */
	{ 65002, 0x09ffffff, 65002, 'd' },
};

static bool both_wait_for_open(void)
{
	return view(&left, "node").state == ST_OPENSENT;
}

static void speak(char what, int dialled, int accepted, int i)
{
	int fd = what == 'd' || what == 'D' ? dialled : accepted;

	if (what == 'D' || what == 'A')
		speaker_open(fd, speakers[i].as, speakers[i].id);
	else
		speaker_keepalive(fd);
	within(10 * MS, never);
}

static int accept_within(int listener)
{
	int fd = -1;

	for (unsigned i = 0; i < 500 && fd < 0; i++) {
		within(10 * MS, never);
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void collide(const char *order, int i, char stays)
{
	int listener, dialled, accepted;
	bool closed;

	one_side();
	listener = listener_at("127.0.82.7");
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", speakers[i].local_as, speakers[i].as);
	side_apply(&left, 1);
	dialled = accept_within(listener);
	accepted = speaker_dial("127.0.82.7", "127.0.82.1");
	ck_assert(within(5 * SECOND, both_wait_for_open));
	within(10 * MS, never);
	for (const char *what = order; *what; what++)
		speak(*what, dialled, accepted, i);
	ck_assert_msg(within(5 * SECOND, passive_node_up), "%s", order);
	ck_assert_uint_eq(speaker_told(stays == 'd' ? dialled : accepted, &closed).code, 0);
	ck_assert_msg(!closed, "%s, %d", order, i);
	expect_refusal(stays == 'd' ? accepted : dialled, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
	ck_assert(passive_node_up());
	ck_assert_uint_eq(view(&left, "node").flaps, 0);
	close(stays == 'd' ? dialled : accepted);
	close(listener);
	side_free(&left);
	teardown();
}

START_TEST(every_order_of_a_collision_leaves_the_right_one)
{
	for (int i = 0; i < UNIT_COUNT(speakers); i++)
		collide(orders[_i].order, i, orders[_i].stays == '?' ? speakers[i].stays : orders[_i].stays);
}
END_TEST

UNIT_MAIN("accept", UNIT(stranger_is_turned_away), UNIT(refusal_names_the_address_that_is_expected),
          UNIT(refusal_names_the_link_that_is_expected), UNIT(refusal_of_a_stranger_says_so),
          UNIT(configured_peer_of_a_dynamic_ones_name),
          UNIT(what_the_session_left_is_read_before_a_second_connection_is_judged),
          UNIT(range_takes_who_comes_up_to_its_limit), UNIT(disabled_peer_refuses),
          UNIT(garbage_is_answered_and_the_next_attempt_taken),
          UNIT(second_connection_replaces_a_silent_one_but_no_session),
          UNIT(bytes_behind_the_handshake_reach_the_table),
          UNIT_ROWS(what_may_help_is_a_reason_to_dial_at_once, changes),
          UNIT_ROWS(every_order_of_a_collision_leaves_the_right_one, orders))
