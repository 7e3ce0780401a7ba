/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.c - DOC: the control socket's questions -> the modules.
 *
 * Translates views, nothing else: what the modules call their things into what the control socket shows.
 * Protocols are the peers and, for those who know BIRD, the pseudo protocols device1, direct1, kernel4,
 * kernel6 and static1. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "ctl/backend.h"
#include "ctl/server.h"
#include "daemon/state.h"
#include "daemon/wg_shown.h"
#include "io/md5_drops.h"
#include "lib/log.h"
#include "netlink/neigh.h"

#define US_PER_S UINT64_C(1000000)

struct serve {
	struct ctl_backend backend;
	char hostname[256];
	struct ctl_address *addresses; /* of the link or tunnel being shown */
	struct wg_shown *wg;           /* of the tunnel being shown */
	size_t n_addresses;
	struct neigh *neigh;                      /* NULL before the first question */
	struct neigh_entry entry;                 /* of the neighbor being shown */
	char refusal[128];                        /* of the route being shown */
	struct md5_drops dropped_before, dropped; /* at the start, and dropped_at */
	uint64_t dropped_at;
};

static void get_clock(void *ctx, struct ctl_clock *out)
{
	struct daemon *d = ctx;
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	out->mono_us = loop_now(d->loop);
	out->wall_us = ts.tv_sec * (int64_t)US_PER_S + ts.tv_nsec / 1000;
}

static_assert((int)CTL_REFUSALS == (int)FIB_REFUSALS && (int)CTL_OTHER == (int)FIB_OTHER, "the same causes");

static void get_status(void *ctx, struct ctl_status *out)
{
	struct daemon *d = ctx;
	struct fib_stats fib;

	fib_stats(d->fib, &fib);
	*out = (struct ctl_status){
		.version = PACKAGE_VERSION,
		.hostname = d->serve->hostname,
		.file = d->conf->file,
		.usual_file = d->options->file,
		.router_id = d->conf->router.id,
		.as = d->conf->router.as,
		.started_us = d->started_us,
		.configured_us = d->reconfigured_us,
		.confirm_us = d->confirm_at,
		.nexthop_objects = fib.nexthop_objects,
		.adopting = d->adopting,
		.fib_installed = fib.routes_installed,
		.fib_queued = fib.routes_queued,
		.fib_failed = fib.routes_failed,
		.fib_put_back = fib.put_back,
		.fib_resyncs = fib.resyncs,
		.fib_audits = fib.audits,
		.fib_audit_found = fib.audit_found,
		.fib_audited_us = fib.audited_us,
	};
	for (size_t i = 0; i < CTL_REFUSALS; i++)
		out->fib_refused[i] = fib.refused[i];
}

/* -- protocols -------------------------------------------------------------------------------- */

static const char *policy_name(const struct conf_policy *p)
{
	switch (p->kind) {
	case POLICY_ALL:
		return "all";
	case POLICY_FILTER:
		return p->filter->name;
	default:
		return "none";
	}
}

static struct ctl_proto kernel_proto(struct daemon *d, enum family f)
{
	struct fib_stats fib;

	fib_stats(d->fib, &fib);
	return (struct ctl_proto){ .name = f == FAM_IPV4 ? "kernel4" : "kernel6",
		                   .kind = CTL_PROTO_KERNEL,
		                   .state = CTL_PROTO_UP,
		                   .family = f,
		                   .since_us = d->started_us,
		                   .export = policy_name(&d->conf->kernel.export),
		                   .exported = fib.wanted[f] };
}

/** The pseudo protocols; false: @fn ended the walk. */
static bool pseudo_protocols(struct daemon *d, ctl_proto_fn fn, void *arg)
{
	struct ctl_proto p = {
		.name = "device1", .kind = CTL_PROTO_DEVICE, .state = CTL_PROTO_UP, .since_us = d->started_us
	};

	if (!fn(arg, &p))
		return false;
	p = (struct ctl_proto){
		.name = "direct1", .kind = CTL_PROTO_DIRECT, .state = CTL_PROTO_UP, .since_us = d->started_us
	};
	p.rib = local_direct(d->local);
	if (d->conf->direct.n_interfaces && !fn(arg, &p))
		return false;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		p = kernel_proto(d, f);
		if (!fn(arg, &p))
			return false;
	}
	p = (struct ctl_proto){
		.name = "static1", .kind = CTL_PROTO_STATIC, .state = CTL_PROTO_UP, .since_us = d->started_us
	};
	p.rib = local_static(d->local);
	return !d->conf->n_statics || fn(arg, &p);
}

static enum ctl_proto_state bgp_proto_state(const struct peer_view *v)
{
	if (!v->enabled)
		return CTL_PROTO_DOWN;
	if (v->is_range)
		return CTL_PROTO_UP;
	return v->state == ST_ESTABLISHED ? CTL_PROTO_UP : CTL_PROTO_START;
}

static const char *limit_action(enum max_prefix_action a)
{
	switch (a) {
	case MAX_PREFIX_DISABLE:
		return "disable";
	case MAX_PREFIX_WARN:
		return "warn";
	default:
		return "restart";
	}
}

static void session_facts(const struct session *s, struct ctl_bgp *b)
{
	bool heard = s && s->state >= ST_OPENCONFIRM;

	if (!s)
		return;
	b->ours = &s->conf->caps;
	b->hold_us = s->hold_at;
	b->keepalive_us = s->keepalive_at;
	if (!heard)
		return;
	b->neighbor_as = s->theirs.as;
	b->neighbor_id = s->theirs.id;
	b->theirs = &s->theirs.caps;
	b->neg = &s->neg;
	b->hold_time = s->neg.hold_time;
	b->keepalive =
	        b->keepalive && b->keepalive < b->hold_time ? b->keepalive : (uint16_t)(b->hold_time / 3);
}

static uint64_t growth(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0; /* it may not have been there to be read */
}

/** What may be the cause that a peer has no session, and is seen nowhere else. */
static void md5_facts(const struct daemon *d, struct ctl_bgp *b, bool password)
{
	struct serve *s = d->serve;

	if (s->dropped_at != loop_now(d->loop)) { /* once for all peers that are shown in this turn */
		s->dropped_at = loop_now(d->loop);
		s->dropped = md5_drops_read(MD5_DROPS_FILE);
	}
	if (password) {
		b->md5_wrong = growth(s->dropped_before.wrong, s->dropped.wrong);
		b->md5_missing = growth(s->dropped_before.missing, s->dropped.missing);
	} else {
		b->md5_unexpected = growth(s->dropped_before.unexpected, s->dropped.unexpected);
	}
}

struct troubles {
	char error[512], attempt[256];
};

static struct ctl_bgp bgp_facts(const struct peer_view *v, struct troubles *t)
{
	const struct conf_peer *c = v->conf;
	struct ctl_bgp b = {
		.state = v->state,
		.passive = c->passive || v->is_range || v->dynamic,
		.is_range = v->is_range,
		.range = c->range,
		.n_dynamic = v->n_dynamic,
		.neighbor = v->address,
		.local = v->local.family ? v->local : c->local_address,
		.port = c->port,
		.neighbor_port = v->remote_port ? v->remote_port : c->port,
		.neighbor_as = c->remote_as,
		.local_as = c->local_as,
		.interface = c->interface,
		.families = c->families,
		.multihop = c->multihop > 1,
		.rr_client = c->route_reflector_client,
		.hold_time = c->hold_time,
		.keepalive = c->keepalive,
		.connect_retry = c->connect_retry,
		.retry_us = v->retry_at,
		.last_error = session_end_print(v->last_end, t->error, sizeof(t->error)),
		.last_error_us = v->last_end_at,
		.last_attempt = session_end_print(v->last_attempt, t->attempt, sizeof(t->attempt)),
		.last_attempt_us = v->last_attempt_at,
		.flaps = v->flaps,
		.stale_us = v->stale_at,
		.long_lived_us = { v->long_lived_at[FAM_IPV4], v->long_lived_at[FAM_IPV6] },
		.refuse_us = v->refuse_until,
		.treated_as_withdraw = v->treated_as_withdraw,
		.attrs_discarded = v->attrs_discarded,
		.policy_missing = v->policy_missing,
		.import = policy_name(&c->import),
		.export = policy_name(&c->export),
		.max_prefix = c->max_prefix,
		.max_prefix_action = limit_action(c->max_prefix_action),
	};

	/* iBGP without a policy takes and sends all; eBGP nothing (RFC 8212). */
	if (c->remote_as == c->local_as && c->import.kind == POLICY_UNSET)
		b.import = "all";
	if (c->remote_as == c->local_as && c->export.kind == POLICY_UNSET)
		b.export = "all";
	session_facts(v->session, &b);
	return b;
}

static bool bgp_protocol(const struct daemon *d, const struct peer *peer, ctl_proto_fn fn, void *arg)
{
	struct peer_view v;
	struct ctl_bgp b;
	struct ctl_proto p;
	struct troubles t;

	peer_view(peer, &v);
	b = bgp_facts(&v, &t);
	if (v.enabled && v.state != ST_ESTABLISHED)
		md5_facts(d, &b, v.conf->password_file);
	p = (struct ctl_proto){ .name = v.name,
		                .kind = CTL_PROTO_BGP,
		                .state = bgp_proto_state(&v),
		                .since_us = v.since,
		                .description = v.conf->description,
		                .rib = v.rib,
		                .bgp = &b };
	return fn(arg, &p);
}

static void walk_protocols(void *ctx, ctl_proto_fn fn, void *arg)
{
	struct daemon *d = ctx;

	if (!pseudo_protocols(d, fn, arg))
		return;
	for (struct peer *p = peers_first(d->peers); p; p = peers_next(d->peers, p))
		if (!bgp_protocol(d, p, fn, arg))
			return;
}

struct by_name {
	const char *name;
	ctl_proto_fn fn; /* NULL: only whether there is one */
	void *arg;
	bool found;
};

static bool match_name(void *arg, const struct ctl_proto *p)
{
	struct by_name *m = arg;

	if (strcmp(p->name, m->name) != 0)
		return true;
	m->found = true;
	if (m->fn)
		m->fn(m->arg, p);
	return false;
}

static bool one_protocol(void *ctx, const char *name, ctl_proto_fn fn, void *arg)
{
	struct daemon *d = ctx;
	struct peer *p = peers_find(d->peers, name);
	struct by_name m = { name, fn, arg, false };

	if (p) {
		bgp_protocol(d, p, fn, arg);
		return true;
	}
	pseudo_protocols(d, match_name, &m);
	return m.found;
}

/* -- tunnels and links ------------------------------------------------------------------------ */

static bool keep_address(struct serve *s, const struct ip *a, uint8_t len)
{
	struct ctl_address *grown = reallocarray(s->addresses, s->n_addresses + 1, sizeof(*grown));

	if (!grown)
		return false;
	s->addresses = grown;
	grown[s->n_addresses++] = (struct ctl_address){ *a, len };
	return true;
}

static void walk_tunnels(void *ctx, ctl_tunnel_fn fn, void *arg)
{
	static const char *const types[] = {
		[TUNNEL_VXLAN] = "vxlan", [TUNNEL_WIREGUARD] = "wireguard", [TUNNEL_GRE] = "gre"
	};
	struct daemon *d = ctx;
	struct serve *s = d->serve;

	for (size_t i = 0; i < tunnels_count(d->tunnels); i++) {
		struct tunnel_view v;
		struct ctl_tunnel t;

		tunnels_view(d->tunnels, i, &v);
		s->n_addresses = 0;
		for (size_t k = 0; k < v.conf->n_addresses; k++)
			keep_address(s, &v.conf->addresses[k].address, v.conf->addresses[k].len);
		t = (struct ctl_tunnel){
			.name = v.conf->name,
			.type = types[v.conf->type],
			.state = v.state == TUNNEL_UP      ? CTL_TUNNEL_UP
			         : v.state == TUNNEL_ERROR ? CTL_TUNNEL_ERROR
			                                   : CTL_TUNNEL_DOWN,
			.error = v.error,
			.since_us = v.since_us,
			.local = v.conf->local,
			.remote = v.conf->remote,
			.remotes = v.conf->remotes,
			.n_remotes = v.conf->n_remotes,
			.vni = v.conf->vni,
			.port = v.conf->type == TUNNEL_VXLAN ? v.conf->port : 0,
			.mtu = v.mtu,
			.ifindex = v.ifindex,
			.rx_bytes = v.rx_bytes,
			.tx_bytes = v.tx_bytes,
			.rx_packets = v.rx_packets,
			.tx_packets = v.tx_packets,
			.addresses = s->addresses,
			.n_addresses = s->n_addresses,
		};
		wg_shown_free(s->wg);
		s->wg = wg_shown_new(&v, loop_now(d->loop), &t);
		fn(arg, &t);
	}
}

static void walk_interfaces(void *ctx, ctl_interface_fn fn, void *arg)
{
	struct daemon *d = ctx;
	struct serve *s = d->serve;
	const struct local_net *net;

	for (const struct link_info *l = link_next(d->links, NULL); l; l = link_next(d->links, l)) {
		struct ctl_interface i = { .name = l->name,
			                   .kind = l->kind,
			                   .ifindex = l->ifindex,
			                   .mtu = l->mtu,
			                   .up = l->up,
			                   .admin_up = l->admin_up,
			                   .ours = strcmp(l->alias, TUNNEL_ALIAS) == 0 };

		s->n_addresses = 0;
		for (size_t k = 0; (net = local_net(d->local, k)); k++)
			if (net->ifindex == l->ifindex)
				keep_address(s, &net->address, net->net.len);
		i.addresses = s->addresses;
		i.n_addresses = s->n_addresses;
		fn(arg, &i);
	}
}

/** What the kernel knows of the neighbor; that it cannot be asked is no reason to hide the next hop. */
static void ask_neighbor(struct serve *s, struct ctl_neighbor *n)
{
	n->state = "UNKNOWN";
	if (!s->neigh && neigh_open(&s->neigh) < 0)
		return;
	if (neigh_get(s->neigh, n->ifindex, &n->gateway, &s->entry) < 0)
		return;
	n->state = neigh_state_name(s->entry.state);
	n->lladdr = s->entry.lladdr_len ? s->entry.lladdr : NULL;
	n->lladdr_len = s->entry.lladdr_len;
}

static bool next_neighbor(void *ctx, uint32_t *at, struct ctl_neighbor *out)
{
	struct daemon *d = ctx;
	const struct nexthop *nh;

	do {
		*at = nexthop_next(rib_nexthops(d->rib), *at);
	} while (*at && !rib_nexthop_used(d->rib, *at));
	if (!*at)
		return false;
	nh = nexthop_at(rib_nexthops(d->rib), *at);
	*out = (struct ctl_neighbor){ .next_hop = nh->addr,
		                      .gateway = nh->gateway,
		                      .ifindex = nh->ifindex,
		                      .state = nexthop_why_text(nh->why),
		                      .dead = nh->why == NH_DEAD };
	if (nh->why == NH_OK)
		ask_neighbor(d->serve, out);
	return true;
}

static const char *ifname(void *ctx, uint32_t ifindex)
{
	struct daemon *d = ctx;
	const struct link_info *l = link_by_index(d->links, ifindex);

	return l ? l->name : NULL;
}

static enum ctl_fib_state query_fib(void *ctx, const struct prefix *p, const char **why)
{
	static const enum ctl_fib_state states[] = { [FIB_ABSENT] = CTL_FIB_ABSENT,
		                                     [FIB_QUEUED] = CTL_FIB_QUEUED,
		                                     [FIB_INSTALLED] = CTL_FIB_INSTALLED,
		                                     [FIB_FAILED] = CTL_FIB_FAILED };
	struct daemon *d = ctx;

	enum ctl_fib_state state;

	*why = NULL;
	state = states[fib_query(d->fib, p, why)];
	if (state == CTL_FIB_ABSENT)
		*why = fib_sync_refusal(d->fib_sync, p, d->serve->refusal, sizeof(d->serve->refusal));
	return state;
}

static void walk_filters(void *ctx, ctl_filter_fn fn, void *arg)
{
	const struct daemon *d = ctx;

	for (size_t i = 0; i < d->conf->n_filters; i++)
		fn(arg, d->conf->filters[i]);
}

static const char *set_name(void *ctx, const struct prefix_set *set)
{
	const struct daemon *d = ctx;

	for (size_t i = 0; i < d->conf->n_prefix_sets; i++)
		if (d->conf->prefix_sets[i].set == set)
			return d->conf->prefix_sets[i].name;
	return "?";
}

static bool next_adopted(void *ctx, enum family f, uint32_t *at, struct ctl_adopted *out)
{
	static const enum rib_kind kinds[] = { [FIB_UNICAST] = RIB_UNICAST,
		                               [FIB_BLACKHOLE] = RIB_BLACKHOLE,
		                               [FIB_UNREACHABLE] = RIB_UNREACHABLE };
	struct daemon *d = ctx;
	enum fib_kind kind;
	struct fib_hop hop;

	if (!fib_adopted_next(d->fib, f == FAM_IPV6 ? IP_V6 : IP_V4, at, &out->prefix, &kind, &hop))
		return false;
	out->kind = kinds[kind];
	out->gateway = hop.gateway;
	out->ifindex = hop.ifindex;
	return true;
}

static void walk_memory(void *ctx, ctl_memory_fn fn, void *arg)
{
	struct daemon *d = ctx;
	struct fib_stats fib;

	fib_stats(d->fib, &fib);
	fn(arg, "Kernel routes", fib.bytes, fib.routes_installed + fib.routes_queued + fib.routes_failed);
}

/* -- actions ---------------------------------------------------------------------------------- */

static enum ctl_outcome act(void *ctx, enum ctl_action a, const char *name, const char *text)
{
	struct daemon *d = ctx;
	struct peer *p = peers_find(d->peers, name);
	struct by_name m = { .name = name };
	struct peer_view v;

	if (!p) {
		pseudo_protocols(d, match_name, &m);
		return m.found ? CTL_IMPOSSIBLE : CTL_UNKNOWN;
	}
	peer_view(p, &v);
	if (!v.enabled && a != CTL_ENABLE && a != CTL_DISABLE)
		return CTL_ALREADY;
	switch (a) {
	case CTL_ENABLE:
		return peer_enable(p) ? CTL_DONE : CTL_ALREADY;
	case CTL_DISABLE:
		return peer_disable(p, text) ? CTL_DONE : CTL_ALREADY;
	case CTL_RESTART:
		peer_restart(p, text);
		return CTL_DONE;
	default:
		peer_reload(p, a != CTL_RELOAD_OUT, a != CTL_RELOAD_IN);
		daemon_work(d);
		return CTL_DONE;
	}
}

struct checking {
	ctl_line_fn line;
	ctl_change_fn change;
	void *arg;
};

static void on_wrong_line(void *ctx, const char *line)
{
	struct checking *c = ctx;

	c->line(c->arg, line);
}

static void on_planned(void *ctx, const struct plan_item *i)
{
	const struct ctl_change change = { i->kind, i->name, i->setting, i->from, i->to, i->effect, i->text };
	struct checking *c = ctx;

	c->change(c->arg, &change);
}

static enum ctl_configured check(void *ctx, const char *file, ctl_line_fn line, ctl_change_fn change,
                                 void *arg)
{
	struct checking c = { line, change, arg };

	return apply_check(ctx, file, on_wrong_line, on_planned, &c) ? CTL_CONF_DONE : CTL_CONF_BAD;
}

static enum ctl_configured configure(void *ctx, enum ctl_configure what, const char *file, unsigned timeout_s,
                                     ctl_line_fn line, void *arg)
{
	struct daemon *d = ctx;

	switch (what) {
	case CTL_CONF_CHECK:
		break;
	case CTL_CONF_APPLY:
		return apply_reload(d, file, timeout_s, line, arg) ? CTL_CONF_DONE : CTL_CONF_BAD;
	case CTL_CONF_UNDO:
		return apply_undo(d) ? CTL_CONF_DONE : CTL_CONF_NOTHING;
	case CTL_CONF_CONFIRM:
		return apply_confirm(d) ? CTL_CONF_DONE : CTL_CONF_NOTHING;
	}
	return CTL_CONF_NOTHING;
}

static void pending(void *ctx, ctl_line_fn line, void *arg)
{
	apply_pending(ctx, line, arg);
}

static void stop(void *ctx, bool keep_routes)
{
	daemon_stop(ctx, keep_routes, "operator");
}

static void set_log_level(void *ctx, enum log_level level)
{
	(void)ctx;
	log_set_level(level);
}

static bool set_peer_level(void *ctx, const char *name, enum log_level level)
{
	(void)ctx;
	return log_set_peer_level(name, level);
}

static void forget_peer_level(void *ctx, const char *name)
{
	(void)ctx;
	log_forget_peer_level(name);
}

/* -- the socket ------------------------------------------------------------------------------- */

static int open_socket(struct daemon *d, const struct ctl_socket *where, struct ctl_server **out)
{
	int rc = ctl_server_open(d->loop, &d->serve->backend, where, out);

	if (rc < 0)
		log_event(LOGL_ERROR, "control.refused", kv_str("socket", where->path), kv_errno("error", rc),
		          kv_str("mend", rc == -EADDRINUSE ? "another mcbgpd serves it: stop that one, or "
		                                             "choose another path with -s"
		                                           : "choose a path in a directory that exists, with "
		                                             "-s or control.socket"));
	return rc;
}

int serve_open(struct daemon *d)
{
	const struct conf_control *c = &d->conf->control;
	const struct ctl_socket socket = { .path = d->options->socket ? d->options->socket : c->socket,
		                           .group = c->group,
		                           .group_wanted = c->group_set };
	const struct ctl_socket readonly = { .path = c->readonly_socket,
		                             .group = c->readonly_group ? c->readonly_group : c->group,
		                             .group_wanted = c->readonly_group || c->group_set,
		                             .readonly = true };
	int rc;

	d->serve = calloc(1, sizeof(*d->serve));
	if (!d->serve)
		return -ENOMEM;
	gethostname(d->serve->hostname, sizeof(d->serve->hostname) - 1);
	d->serve->dropped_before = md5_drops_read(MD5_DROPS_FILE);
	d->serve->backend = (struct ctl_backend){ .ctx = d,
		                                  .rib = d->rib,
		                                  .clock = get_clock,
		                                  .status = get_status,
		                                  .protocols = walk_protocols,
		                                  .protocol = one_protocol,
		                                  .tunnels = walk_tunnels,
		                                  .interfaces = walk_interfaces,
		                                  .neighbor = next_neighbor,
		                                  .ifname = ifname,
		                                  .fib = query_fib,
		                                  .adopted = next_adopted,
		                                  .filters = walk_filters,
		                                  .set_name = set_name,
		                                  .memory = walk_memory,
		                                  .act = act,
		                                  .check = check,
		                                  .configure = configure,
		                                  .pending = pending,
		                                  .stop = stop,
		                                  .log_level = set_log_level,
		                                  .log_peer = set_peer_level,
		                                  .log_peer_default = forget_peer_level };
	rc = open_socket(d, &socket, &d->ctl);
	if (rc == 0 && c->readonly_socket)
		rc = open_socket(d, &readonly, &d->ctl_readonly);
	if (rc == 0)
		watch_open(d);
	return rc;
}

void serve_close(struct daemon *d)
{
	watch_close();
	ctl_server_close(d->ctl);
	ctl_server_close(d->ctl_readonly);
	d->ctl = d->ctl_readonly = NULL;
	if (d->serve) {
		wg_shown_free(d->serve->wg);
		neigh_close(d->serve->neigh);
		free(d->serve->addresses);
	}
	free(d->serve);
	d->serve = NULL;
}
