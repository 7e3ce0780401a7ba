/* SPDX-License-Identifier: BSD-2-Clause */
/* sides.h - what tests of peers stand on: two daemons' worth of peers, tables and listening sockets in one
 * loop, over loopback; scripted speakers; waiting. */
#ifndef TESTS_UNIT_IO_SIDES_H
#define TESTS_UNIT_IO_SIDES_H

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
	unsigned synced;
};
static struct side left, right;

static inline bool run_rib(void *ctx)
{
	struct side *s = ctx;

	return rib_run(s->rib, 1000, loop_now(loop));
}

static inline void on_work(void *ctx)
{
	loop_job_kick(((struct side *)ctx)->job);
}

static inline void on_synced(void *ctx, struct peer *p)
{
	(void)p;
	((struct side *)ctx)->synced++;
}

static inline void on_output(void *ctx, struct rib_peer *p)
{
	(void)ctx;
	if (rib_peer_user(p))
		peer_output(rib_peer_user(p));
}

static inline struct ip addr(const char *text)
{
	struct ip a;

	ck_assert(ip_parse(text, &a));
	return a;
}

static inline struct prefix net(const char *text)
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

static inline struct conf_peer entry(const char *name, const char *local, const char *remote,
                                     uint32_t local_as, uint32_t remote_as)
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

static inline void side_new(struct side *s, const char *address, uint32_t as, uint32_t id)
{
	const struct rib_options o = { .local_as = as, .router_id = id, .cluster_id = id, .multipath = 16 };
	const struct rib_peer_conf local = { .name = "local",
		                             .source = SOURCE_STATIC,
		                             .import = RIB_POLICY_ALL };
	const struct host_route lan = { .prefix = net("192.0.2.0/24"), .ifindex = 2 };
	struct peers_env env = { .loop = loop, .synced = on_synced, .work = on_work, .ctx = s };

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

static inline void side_free(struct side *s)
{
	peers_free(s->set);
	rib_peer_free(s->local);
	loop_job_free(s->job);
	rib_free(s->rib);
}

static inline void side_apply(struct side *s, size_t n_peers)
{
	s->conf.n_peers = n_peers;
	ck_assert_int_eq(peers_apply(s->set, &s->conf, NULL), 0);
}

static inline struct peer_view view(struct side *s, const char *name)
{
	struct peer *p = peers_find(s->set, name);
	struct peer_view v;

	ck_assert_msg(p, "no peer %s", name);
	peer_view(p, &v);
	return v;
}

static inline const char *last_end(struct side *s, const char *name)
{
	static char text[512];
	struct peer_view v = view(s, name);

	return session_end_print(v.last_end, text, sizeof(text));
}

static inline const char *last_attempt(struct side *s, const char *name)
{
	static char text[512];
	struct peer_view v = view(s, name);

	return session_end_print(v.last_attempt, text, sizeof(text));
}

/* -- time --------------------------------------------------------------------------------------- */

static bool (*wanted)(void);
static struct loop_timer *poller;
static uint64_t give_up_at;
static bool reached;

static inline void on_poll(void *ctx)
{
	(void)ctx;
	reached = wanted();
	if (reached || loop_now(loop) >= give_up_at)
		loop_stop(loop);
	else
		loop_timer_at(poller, loop_now(loop) + MS);
}

/* @return whether @condition came true within @us */
static inline bool within(uint64_t us, bool (*condition)(void))
{
	wanted = condition;
	give_up_at = loop_clock() + us;
	loop_timer_at(poller, 0);
	loop_run(loop);
	return reached;
}

static inline bool never(void)
{
	return false;
}

static inline void setup(void)
{
	loop = loop_new();
	poller = loop_timer_new(loop, on_poll, NULL);
	port = (uint16_t)(10000 + getpid() % 20000); /* below those that connections take */
}

static inline void teardown(void)
{
	loop_timer_free(poller);
	loop_free(loop);
}

static inline void two_sides(void)
{
	setup();
	side_new(&left, "127.0.81.1", 65001, 0x0a000001);
	side_new(&right, "127.0.81.2", 65002, 0x0a000002);
	left.peers[0] = entry("right", "127.0.81.1", "127.0.81.2", 65001, 65002);
	right.peers[0] = entry("left", "127.0.81.2", "127.0.81.1", 65002, 65001);
}

static inline void no_sides(void)
{
	side_free(&left);
	side_free(&right);
	teardown();
}

static inline bool both_up(void)
{
	return view(&left, "right").state == ST_ESTABLISHED && view(&right, "left").state == ST_ESTABLISHED;
}

static inline bool left_down(void)
{
	return view(&left, "right").state != ST_ESTABLISHED;
}

static inline bool right_has_routes(void)
{
	return rib_count(right.rib, FAM_IPV4) == 3;
}

static inline bool right_is_empty(void)
{
	return rib_count(right.rib, FAM_IPV4) == 0;
}

static inline void announce(struct side *s, const char *prefix)
{
	const struct rib_local where = { .kind = LOCAL_NEXT_HOP, .next_hop = addr("192.0.2.1") };
	const struct prefix p = net(prefix);

	ck_assert_int_eq(rib_local(s->local, &p, &where, loop_now(loop)), 0);
	on_work(s);
}

static inline void announce_three(struct side *s)
{
	announce(s, "198.51.100.0/24");
	announce(s, "203.0.113.0/24");
	announce(s, "10.0.0.0/8");
}

/* -- scripted speakers -------------------------------------------------------------------------- */

static inline int speaker_dial(const char *from, const char *to)
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

static inline void speaker_open(int fd, uint32_t as, uint32_t id)
{
	const struct open o = {
		BGP_VERSION, as, 9, id, { .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .as4 = true }
	};
	uint8_t buf[512];
	struct writer w = wr_init(buf, sizeof(buf));

	open_encode(&w, &o);
	send(fd, buf, (size_t)(w.p - buf), MSG_NOSIGNAL); /* it may have been closed meanwhile */
}

static inline void speaker_keepalive(int fd)
{
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = wr_init(buf, sizeof(buf));

	frame_keepalive(&w);
	send(fd, buf, sizeof(buf), MSG_NOSIGNAL);
}

/* The NOTIFICATION among what has come; code 0: none. *@closed: and that the stream ended. */
static inline struct notify speaker_told(int fd, bool *closed)
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

static inline void expect_refusal(int fd, uint8_t code, uint8_t subcode)
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

static inline void one_side(void)
{
	setup();
	side_new(&left, "127.0.82.1", 65001, 0x0a000001);
}

#endif
