/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_daemon.h - a daemon for the control socket to ask: fixed answers, a clock that stands still, a real
 * table with two peers. Plain assert() only: the fuzz target uses it too. */
#ifndef TESTS_UNIT_CTL_FAKE_DAEMON_H
#define TESTS_UNIT_CTL_FAKE_DAEMON_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/backend.h"
#include "rib/rib.h"

#define FAKE_SECOND UINT64_C(1000000)
#define FAKE_NOW    (100 * 3600 * FAKE_SECOND) /* monotonic */

struct fake_daemon {
	struct ctl_backend backend;
	struct rib *rib;
	struct rib_peer *node1, *node2, *local;
	struct prefix_set *pods; /* 10.64.0.0/10{10,24} */
	struct filter *imp;      /* of node1: refuses 65000:66, accepts the rest */
	struct filter *exp;      /* towards node2: accepts `pods` */
	struct caps caps;
	struct negotiated neg;
	const struct ctl_change *change; /* what a new configuration would change; NULL: nothing */
	bool node2_disabled, stopped, kept_routes, gone; /* gone: node2 is no more */
	enum ctl_configured answer;                      /* of configure() */
	enum ctl_configure configured;
	bool full; /* no room for the level of one more peer */
	unsigned timeout_s;
	uint32_t n_adopted; /* routes of a previous run: 10.67.0.0/24 and so on */
	enum log_level level;
	char act[256]; /* the last action */
	enum ctl_fib_state fib;
	const char *error;   /* node2's last */
	const char *attempt; /* node2's last; NULL: none */
	const char *pending; /* what waits for a restart; NULL: nothing */
};

static inline void fake_clock(void *ctx, struct ctl_clock *out)
{
	(void)ctx;
	out->mono_us = FAKE_NOW;
	out->wall_us = INT64_C(1767323045678000); /* 2026-01-02 03:04:05.678 UTC */
}

static inline void fake_status(void *ctx, struct ctl_status *out)
{
	(void)ctx;
	*out = (struct ctl_status){ .version = "9.9",
		                    .hostname = "gw1",
		                    .file = "/tmp/tried.conf",
		                    .usual_file = "/etc/mcbgpd.conf",
		                    .router_id = 0x0a000001,
		                    .as = 65001,
		                    .started_us = FAKE_NOW - 3600 * FAKE_SECOND,
		                    .configured_us = FAKE_NOW - 60 * FAKE_SECOND,
		                    .nexthop_objects = true,
		                    .fib_put_back = 3,
		                    .fib_resyncs = 1,
		                    .fib_refused = { 1, 2, 3, 4, 5 },
		                    .fib_audits = 7,
		                    .fib_audit_found = 2,
		                    .fib_audited_us = FAKE_NOW - 60 * FAKE_SECOND };
}

static inline bool fake_node(struct fake_daemon *d, unsigned i, ctl_proto_fn fn, void *arg)
{
	const struct ctl_bgp up = {
		.state = ST_ESTABLISHED,
		.neighbor = ip_v4(0x0a000002),
		.local = ip_v4(0x0a000001),
		.port = 179,
		.neighbor_port = 40000,
		.neighbor_as = 65002,
		.neighbor_id = 0x0a000002,
		.local_as = 65001,
		.families = FAM_BIT(FAM_IPV4),
		.ours = &d->caps,
		.theirs = &d->caps,
		.neg = &d->neg,
		.hold_time = 240,
		.keepalive = 80,
		.connect_retry = 5,
		.hold_us = FAKE_NOW + 185545000,
		.keepalive_us = FAKE_NOW + 75192000,
		.last_error = "",
		.last_attempt = "",
		.import = "imp",
		.export = "all",
		.max_prefix = 100,
		.max_prefix_action = "disable",
	};
	const struct ctl_bgp down = {
		.state = ST_ACTIVE,
		.neighbor = ip_v4(0x0a000003),
		.port = 178,
		.neighbor_port = 178,
		.neighbor_as = 65003,
		.local_as = 65001,
		.families = FAM_BIT(FAM_IPV4),
		.connect_retry = 5,
		.retry_us = FAKE_NOW + 2427000,
		.last_error = d->error,
		.last_attempt = d->attempt ? d->attempt : "",
		.last_attempt_us = FAKE_NOW,
		.import = "all",
		.export = "none",
	};
	const struct ctl_proto node1 = { .name = "node1",
		                         .kind = CTL_PROTO_BGP,
		                         .state = CTL_PROTO_UP,
		                         .since_us = FAKE_NOW - 10 * FAKE_SECOND,
		                         .description = "the first node",
		                         .rib = d->node1,
		                         .bgp = &up };
	const struct ctl_proto node2 = { .name = "node2",
		                         .kind = CTL_PROTO_BGP,
		                         .state = d->node2_disabled ? CTL_PROTO_DOWN : CTL_PROTO_START,
		                         .since_us = FAKE_NOW - 72 * 3600 * FAKE_SECOND,
		                         .rib = d->node2,
		                         .bgp = &down };

	return fn(arg, i == 1 ? &node1 : &node2);
}

static inline bool fake_pseudo(struct fake_daemon *d, bool kernel, ctl_proto_fn fn, void *arg)
{
	const struct ctl_proto device = { .name = "device1",
		                          .kind = CTL_PROTO_DEVICE,
		                          .state = CTL_PROTO_UP,
		                          .since_us = FAKE_NOW - FAKE_SECOND };
	const struct ctl_proto kernel4 = { .name = "kernel4",
		                           .kind = CTL_PROTO_KERNEL,
		                           .state = CTL_PROTO_UP,
		                           .since_us = FAKE_NOW - FAKE_SECOND,
		                           .export = "all",
		                           .exported = 3 };

	(void)d;
	return fn(arg, kernel ? &kernel4 : &device);
}

static inline void fake_protocols(void *ctx, ctl_proto_fn fn, void *arg)
{
	struct fake_daemon *d = ctx;

	if (fake_pseudo(d, false, fn, arg) && fake_pseudo(d, true, fn, arg) && fake_node(d, 1, fn, arg) &&
	    !d->gone)
		fake_node(d, 2, fn, arg);
}

static inline bool fake_protocol(void *ctx, const char *name, ctl_proto_fn fn, void *arg)
{
	struct fake_daemon *d = ctx;

	if (strcmp(name, "device1") == 0 || strcmp(name, "kernel4") == 0)
		fake_pseudo(d, *name == 'k', fn, arg);
	else if (strcmp(name, "node1") == 0)
		fake_node(d, 1, fn, arg);
	else if (strcmp(name, "node2") == 0 && !d->gone)
		fake_node(d, 2, fn, arg);
	else
		return false;
	return true;
}

static inline void fake_tunnels(void *ctx, ctl_tunnel_fn fn, void *arg)
{
	const struct ctl_address address = { ip_v4(0xc0a8ea01), 24 };
	const struct ctl_tunnel t = { .name = "vxlan-eth0",
		                      .type = "vxlan",
		                      .state = CTL_TUNNEL_UP,
		                      .since_us = FAKE_NOW - FAKE_SECOND,
		                      .local = ip_v4(0xc0a8010a),
		                      .remote = ip_v4(0xcb007107),
		                      .vni = 101,
		                      .port = 4789,
		                      .mtu = 1450,
		                      .rx_bytes = 1000,
		                      .rx_packets = 10,
		                      .addresses = &address,
		                      .n_addresses = 1 };

	const struct ctl_wg_peer peer = { .public_key = "cGVlcg==",
		                          .endpoint = ip_v4(0xcb007107),
		                          .endpoint_port = 51820,
		                          .handshake_us = FAKE_NOW - 5 * FAKE_SECOND,
		                          .dead = true,
		                          .rx_bytes = 100,
		                          .tx_bytes = 200,
		                          .n_allowed = 2 };
	const struct ctl_tunnel wg = { .name = "wg0",
		                       .type = "wireguard",
		                       .state = CTL_TUNNEL_ERROR,
		                       .error = "its key file can be read by others: chmod 600",
		                       .public_key = "b3Vycw==",
		                       .listen_port = 51820,
		                       .mtu = 1420,
		                       .wg_peers = &peer,
		                       .n_wg_peers = 1 };

	(void)ctx;
	fn(arg, &t);
	fn(arg, &wg);
}

static inline void fake_interfaces(void *ctx, ctl_interface_fn fn, void *arg)
{
	const struct ctl_address address = { ip_v4(0x0a000001), 24 };
	const struct ctl_interface i = { .name = "eth0",
		                         .kind = "veth",
		                         .ifindex = 1,
		                         .mtu = 1500,
		                         .up = true,
		                         .admin_up = true,
		                         .addresses = &address,
		                         .n_addresses = 1 };

	(void)ctx;
	fn(arg, &i);
}

static inline bool fake_neighbor(void *ctx, uint32_t *at, struct ctl_neighbor *out)
{
	static const uint8_t address[] = { 2, 0, 0x5e, 0x10, 0, 1 };
	const struct ctl_neighbor all[] = {
		{ .next_hop = ip_v4(0x0a000002),
		  .gateway = ip_v4(0x0a000002),
		  .ifindex = 1,
		  .state = "REACHABLE",
		  .lladdr = address,
		  .lladdr_len = sizeof(address) },
		{ .next_hop = ip_v4(0x0a000003), .state = "the neighbor does not answer", .dead = true },
	};

	(void)ctx;
	if (*at == sizeof(all) / sizeof(all[0]))
		return false;
	*out = all[(*at)++];
	return true;
}

static inline const char *fake_ifname(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	return ifindex == 1 ? "eth0" : NULL;
}

static inline enum ctl_fib_state fake_fib(void *ctx, const struct prefix *p, const char **why)
{
	const struct fake_daemon *d = ctx;

	(void)p;
	*why = d->fib == CTL_FIB_FAILED ? "another route is in the way" : NULL;
	return d->fib;
}

static inline bool fake_adopted(void *ctx, enum family f, uint32_t *at, struct ctl_adopted *out)
{
	const struct fake_daemon *d = ctx;
	struct ip a = ip_v4(0x0a430000 + (*at << 8));

	if (f != FAM_IPV4 || *at == d->n_adopted)
		return false;
	*out = (struct ctl_adopted){ .prefix = prefix_make(&a, 24), .kind = RIB_BLACKHOLE };
	if (*at % 2 == 0)
		*out = (struct ctl_adopted){
			.prefix = out->prefix, .kind = RIB_UNICAST, .gateway = ip_v4(0x0a000002), .ifindex = 1
		};
	++*at;
	return true;
}

static inline void fake_walk_filters(void *ctx, ctl_filter_fn fn, void *arg)
{
	const struct fake_daemon *d = ctx;

	fn(arg, d->imp);
	fn(arg, d->exp);
}

static inline const char *fake_set_name(void *ctx, const struct prefix_set *set)
{
	const struct fake_daemon *d = ctx;

	assert(set == d->pods);
	return "pods";
}

static inline void fake_memory(void *ctx, ctl_memory_fn fn, void *arg)
{
	(void)ctx;
	fn(arg, "Kernel routes", 1000, 10);
}

static inline enum ctl_outcome fake_act(void *ctx, enum ctl_action a, const char *name, const char *text)
{
	struct fake_daemon *d = ctx;
	bool was = d->node2_disabled;

	snprintf(d->act, sizeof(d->act), "%d %s %s", a, name, text ? text : "-");
	if (strcmp(name, "node2") != 0 || a > CTL_DISABLE)
		return CTL_DONE;
	d->node2_disabled = a == CTL_DISABLE;
	return was == d->node2_disabled ? CTL_ALREADY : CTL_DONE;
}

static inline enum ctl_configured fake_configure(void *ctx, enum ctl_configure what, const char *file,
                                                 unsigned timeout_s, ctl_line_fn line, void *arg)
{
	struct fake_daemon *d = ctx;

	(void)file;
	d->configured = what;
	d->timeout_s = timeout_s;
	if (d->answer == CTL_CONF_BAD) {
		line(arg, "mcbgpd.conf:3: router.as: is missing");
		line(arg, "mcbgpd.conf:7: peers[0].port: 70000 is above 65535");
	}
	return d->answer;
}

static inline enum ctl_configured fake_check(void *ctx, const char *file, ctl_line_fn line,
                                             ctl_change_fn change, void *arg)
{
	struct fake_daemon *d = ctx;

	if (d->change)
		change(arg, d->change);
	return fake_configure(ctx, CTL_CONF_CHECK, file, 0, line, arg);
}

static inline void fake_pending(void *ctx, ctl_line_fn line, void *arg)
{
	const struct fake_daemon *d = ctx;

	if (d->pending)
		line(arg, d->pending);
}

static inline void fake_stop(void *ctx, bool keep_routes)
{
	struct fake_daemon *d = ctx;

	d->stopped = true;
	d->kept_routes = keep_routes;
}

static inline void fake_log_level(void *ctx, enum log_level level)
{
	((struct fake_daemon *)ctx)->level = level;
}

static inline bool fake_log_peer(void *ctx, const char *name, enum log_level level)
{
	struct fake_daemon *d = ctx;

	snprintf(d->act, sizeof(d->act), "log %s %d", name, level);
	return !d->full;
}

static inline void fake_log_peer_default(void *ctx, const char *name)
{
	struct fake_daemon *d = ctx;

	snprintf(d->act, sizeof(d->act), "log %s default", name);
}

static inline struct filter *fake_filter(const char *name, size_t n_terms)
{
	struct filter *f = filter_new(name, n_terms);

	assert(f);
	return f;
}

static inline void fake_filters(struct fake_daemon *d)
{
	const char *why;
	struct prefix_pattern pods;
	struct filter_term *t;

	d->pods = prefix_set_new();
	assert(d->pods && prefix_pattern_parse("10.64.0.0/10{10,24}", &pods, &why));
	assert(prefix_set_add(d->pods, &pods) == 0);
	d->imp = fake_filter("imp", 2);
	t = d->imp->terms;
	t[0].match.communities = calloc(1, sizeof(*t[0].match.communities));
	assert(t[0].match.communities);
	assert(community_parse(COMMUNITY_PLAIN, "65000:66", t[0].match.communities, &why));
	t[0].match.n_communities = 1;
	t[0].action = FILTER_REJECT;
	t[1].action = FILTER_ACCEPT;
	filter_seal(d->imp);
	d->exp = fake_filter("exp", 1);
	t = d->exp->terms;
	t[0].match.prefix_sets = calloc(1, sizeof(const struct prefix_set *));
	assert(t[0].match.prefix_sets);
	t[0].match.prefix_sets[0] = d->pods;
	t[0].match.n_prefix_sets = 1;
	t[0].action = FILTER_ACCEPT;
	filter_seal(d->exp);
}

static inline struct rib_peer *fake_peer(struct fake_daemon *d, const char *name, uint32_t address,
                                         uint32_t as)
{
	const struct rib_peer_conf conf = { .name = name,
		                            .address = address ? ip_v4(address) : (struct ip){ 0 },
		                            .source = address ? SOURCE_BGP : SOURCE_STATIC,
		                            .local_as = 65001,
		                            .remote_as = as,
		                            .import = as == 65002 ? RIB_POLICY_FILTER : RIB_POLICY_ALL,
		                            .export = as == 65003 ? RIB_POLICY_FILTER : RIB_POLICY_ALL,
		                            .import_filter = d->imp,
		                            .export_filter = d->exp };
	const struct rib_session session = {
		.router_id = address,
		.local_address = ip_v4(0x0a000001),
		.ifindex = 1,
		.neg = { .as4 = true, .families = FAM_BIT(FAM_IPV4), .max_len = BGP_MAX_LEN }
	};
	struct rib_peer *p = rib_peer_new(d->rib, &conf);

	assert(p);
	if (address)
		assert(rib_peer_up(p, &session) == 0);
	return p;
}

static inline void fake_settle(struct fake_daemon *d)
{
	while (rib_run(d->rib, 1000, FAKE_NOW))
		;
}

/** @p announces @prefix with the path {its AS, @beyond} (0: its AS alone) by next hop @via. */
static inline void fake_announce(struct rib_peer *p, const char *prefix, uint32_t beyond, uint32_t via,
                                 struct blob communities)
{
	uint8_t path[10], nlri[32];
	struct writer w = wr_init(path, sizeof(path));
	struct update u = { .reach = { .family = FAM_IPV4 },
		            .withdrawn = { .family = FAM_COUNT },
		            .mp_withdrawn = { .family = FAM_COUNT },
		            .mp_reach = { .family = FAM_COUNT } };
	struct prefix parsed;

	assert(prefix_parse(prefix, true, &parsed));
	wr_u8(&w, BGP_AS_SEQUENCE);
	wr_u8(&w, beyond ? 2 : 1);
	wr_u32(&w, rib_peer_conf(p)->remote_as);
	if (beyond)
		wr_u32(&w, beyond);
	u.attrs = (struct attrs){ .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		                             ATTR_BIT(BGP_ATTR_NEXT_HOP),
		                  .path_len = beyond ? 2 : 1,
		                  .next_hop = ip_v4(via),
		                  .as_path = { path, (uint32_t)(w.p - path) } };
	if (communities.len) {
		u.attrs.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
		u.attrs.communities = communities;
	}
	w = wr_init(nlri, sizeof(nlri));
	nlri_put(&w, &parsed, false, 0);
	u.reach.r = rd_init(nlri, (size_t)(w.p - nlri));
	assert(rib_update(p, &u, FAKE_NOW - 5 * FAKE_SECOND) == RIB_OK);
}

/** 10.0.0.0/24 is on eth0, which is up. 10.77.1.0/24 by both nodes, 10.77.2.0/24 by node1 with a next hop
 * that does not resolve, 10.66.0.0/18 a blackhole of our own. */
static inline void fake_daemon_init(struct fake_daemon *d)
{
	static const uint8_t communities[] = { 0xfd, 0xe8, 0, 1, 0xff, 0xff, 0xff, 0x01 };
	const struct rib_options o = {
		.local_as = 65001, .router_id = 0x0a000001, .cluster_id = 1, .multipath = 16
	};
	const struct rib_local blackhole = { .kind = LOCAL_BLACKHOLE };
	struct host_route connected = { .ifindex = 1 };
	struct prefix prefix;

	*d = (struct fake_daemon){ .error = "Socket: Connection refused", .fib = CTL_FIB_INSTALLED };
	d->rib = rib_new(&o);
	assert(d->rib);
	d->caps = (struct caps){
		.families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true
	};
	d->neg = (struct negotiated){ .as4 = true, .families = FAM_BIT(FAM_IPV4), .hold_time = 240 };
	d->backend = (struct ctl_backend){ .ctx = d,
		                           .rib = d->rib,
		                           .clock = fake_clock,
		                           .status = fake_status,
		                           .protocols = fake_protocols,
		                           .protocol = fake_protocol,
		                           .tunnels = fake_tunnels,
		                           .interfaces = fake_interfaces,
		                           .neighbor = fake_neighbor,
		                           .ifname = fake_ifname,
		                           .fib = fake_fib,
		                           .adopted = fake_adopted,
		                           .filters = fake_walk_filters,
		                           .set_name = fake_set_name,
		                           .memory = fake_memory,
		                           .act = fake_act,
		                           .check = fake_check,
		                           .configure = fake_configure,
		                           .pending = fake_pending,
		                           .stop = fake_stop,
		                           .log_level = fake_log_level,
		                           .log_peer = fake_log_peer,
		                           .log_peer_default = fake_log_peer_default };
	nexthop_link_set(rib_nexthops(d->rib), 1, true);
	assert(prefix_parse("10.0.0.0/24", true, &connected.prefix));
	assert(nexthop_route_set(rib_nexthops(d->rib), &connected) == 0);
	rib_run(d->rib, 1, FAKE_NOW - 5 * FAKE_SECOND);
	fake_filters(d);
	d->node1 = fake_peer(d, "node1", 0x0a000002, 65002);
	d->node2 = fake_peer(d, "node2", 0x0a000003, 65003);
	d->local = fake_peer(d, "static1", 0, 0);
	fake_announce(d->node1, "10.77.1.0/24", 0, 0x0a000002,
	              (struct blob){ communities, sizeof(communities) });
	fake_announce(d->node2, "10.77.1.0/24", 65009, 0x0a000003, (struct blob){ 0 });
	fake_announce(d->node1, "10.77.2.0/24", 0, 0xc0000263, (struct blob){ 0 });
	assert(prefix_parse("10.66.0.0/18", true, &prefix));
	assert(rib_local(d->local, &prefix, &blackhole, FAKE_NOW - 5 * FAKE_SECOND) == 0);
	fake_settle(d);
}

static inline void fake_daemon_fini(struct fake_daemon *d)
{
	rib_free(d->rib);
	filter_free(d->imp);
	filter_free(d->exp);
	prefix_set_free(d->pods);
}

#endif
