/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.c - DOC: the control socket's questions -> the modules.
 *
 * Translates views, nothing else: what the modules call their things into what the control socket shows.
 * Protocols have a file of their own. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "ctl/server.h"
#include "daemon/serve_priv.h"
#include "daemon/wg_shown.h"
#include "lib/log.h"

#define US_PER_S UINT64_C(1000000)

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
		                                  .protocols = serve_protocols,
		                                  .protocol = serve_protocol,
		                                  .tunnels = walk_tunnels,
		                                  .interfaces = walk_interfaces,
		                                  .neighbor = next_neighbor,
		                                  .ifname = ifname,
		                                  .fib = query_fib,
		                                  .adopted = next_adopted,
		                                  .filters = walk_filters,
		                                  .set_name = set_name,
		                                  .memory = walk_memory,
		                                  .act = serve_act,
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
