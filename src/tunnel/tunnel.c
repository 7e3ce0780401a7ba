/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel.c - DOC: desired tunnels -> links: when each is looked at.
 *
 * A tunnel is mended (mend.c) at every apply, and again when an event says that somebody may have changed it,
 * at most once a second so that two who disagree do not fight at full speed. A tunnel in error is tried again
 * now and then. Sysctls, and who listens to the kernel, are not known here. libnl-route-3 talks to the
 * kernel: tunnels are few and change rarely, and it knows every kind's attributes; WireGuard's own are in
 * wg.c. */
#include "tunnel/tunnel.h"

#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <errno.h>
#include <netlink/errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_US   20000u   /* events come in swarms */
#define PATIENCE_US 1000000u /* between two repairs of one link */
#define UNDERLAY_US 100000u  /* after a change of routes that may concern us */

/* -- when to mend ------------------------------------------------------------------------------- */

static void arm(struct tunnels *t)
{
	uint64_t next = t->mtu_due_us;

	if (t->rules_due_us && (!next || t->rules_due_us < next))
		next = t->rules_due_us;
	for (size_t i = 0; i < t->n; i++) {
		uint64_t due = t->list[i].due_us;

		if (due && (!next || due < next))
			next = due;
	}
	if (next)
		loop_timer_at(t->timer, next);
}

/* When to look at what was put back last at @repaired_us; 0: not yet. */
static uint64_t soon_but_patient(uint64_t repaired_us)
{
	uint64_t soon = loop_clock() + SETTLE_US;
	uint64_t patient = repaired_us ? repaired_us + PATIENCE_US : 0;

	return patient > soon ? patient : soon;
}

static void mend_soon(struct tunnels *t, struct tunnel *u)
{
	uint64_t soon = soon_but_patient(u->repaired_us);

	if (!u->due_us || soon < u->due_us)
		u->due_us = soon;
	arm(t);
}

/* The cheap part of tunnel_mend(), for every change of the underlay's routes. */
static void follow_mtu(struct tunnels *t, struct tunnel *u)
{
	struct rtnl_link *l;

	if (u->state == TUNNEL_ERROR) {
		tunnel_mend(t, u); /* its cause may have been this */
		return;
	}
	if (u->conf->mtu || !u->ifindex || !tunnel_look(t, u->name, &l) || !l)
		return;
	if ((uint32_t)rtnl_link_get_ifindex(l) == u->ifindex)
		(void)tunnel_mend_mtu(t, u, l);
	rtnl_link_put(l);
}

static void on_timer(void *ctx)
{
	struct tunnels *t = ctx;
	uint64_t now = loop_clock();
	bool mtu = t->mtu_due_us && t->mtu_due_us <= now;

	if (mtu)
		t->mtu_due_us = 0;
	if (t->rules_due_us && t->rules_due_us <= now)
		tunnels_mend_rules(t);
	for (size_t i = 0; i < t->n; i++) {
		struct tunnel *u = &t->list[i];

		if (u->due_us && u->due_us <= now)
			tunnel_mend(t, u);
		else if (mtu)
			follow_mtu(t, u);
	}
	arm(t);
}

static struct tunnel *find(const struct tunnels *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->list[i].name, name) == 0)
			return &t->list[i];
	}
	return NULL;
}

static struct tunnel *find_index(const struct tunnels *t, uint32_t ifindex)
{
	for (size_t i = 0; i < t->n; i++) {
		if (ifindex && t->list[i].ifindex == ifindex)
			return &t->list[i];
	}
	return NULL;
}

void tunnels_link_set(struct tunnels *t, const struct tunnel_link *l)
{
	struct tunnel *u = find(t, l->name), *renamed = find_index(t, l->ifindex);

	if (renamed && renamed != u)
		mend_soon(t, renamed);
	for (size_t i = 0; i < t->n; i++) { /* an underlay may have come, a stranger may have been renamed */
		if (t->list[i].state == TUNNEL_ERROR)
			mend_soon(t, &t->list[i]);
	}
	if (u && u->state != TUNNEL_ERROR)
		mend_soon(t, u); /* an event does not say which of its parameters somebody changed */
}

void tunnels_link_del(struct tunnels *t, uint32_t ifindex, const char *name)
{
	struct tunnel *u = find(t, name);

	if (!u)
		return;
	if (u->ifindex == ifindex) {
		u->ifindex = 0;
		log_event(LOGL_WARNING, "tunnel.lost", kv_str("tunnel", name));
		tunnel_set_state(t, u, TUNNEL_DOWN);
	}
	mend_soon(t, u);
}

void tunnels_address_del(struct tunnels *t, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	struct tunnel *u = find_index(t, ifindex);

	if (u && tunnel_address_wanted(u->conf, a, len))
		mend_soon(t, u);
}

void tunnels_address_set(struct tunnels *t, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	struct tunnel *u = find_index(t, ifindex);

	if (u && !tunnel_address_right(u->conf, a, len))
		mend_soon(t, u);
}

void tunnels_touched(struct tunnels *t, uint32_t ifindex)
{
	struct tunnel *u = find_index(t, ifindex);

	if (u)
		mend_soon(t, u);
}

void tunnels_rule_del(struct tunnels *t, uint8_t protocol)
{
	if (!tunnels_want_rules(t, protocol))
		return;
	t->rules_due_us = soon_but_patient(t->rules_repaired_us);
	arm(t);
}

void tunnels_events_lost(struct tunnels *t)
{
	for (size_t i = 0; i < t->n; i++)
		mend_soon(t, &t->list[i]);
	t->rules_due_us = soon_but_patient(t->rules_repaired_us);
	arm(t);
}

void tunnels_underlay_changed(struct tunnels *t)
{
	if (t->mtu_due_us || t->n == 0)
		return;
	t->mtu_due_us = loop_clock() + UNDERLAY_US;
	arm(t);
}

/* -- the wanted set ----------------------------------------------------------------------------- */

static void remove_link(struct tunnels *t, struct rtnl_link *l)
{
	const char *name = rtnl_link_get_name(l);
	int rc = rtnl_link_delete(t->sock, l);

	if (rc == 0)
		log_event(LOGL_INFO, "tunnel.removed", kv_str("tunnel", name));
	else if (rc != -NLE_OBJ_NOTFOUND && rc != -NLE_NODEV)
		log_event(LOGL_ERROR, "tunnel.not_removed", kv_str("tunnel", name),
		          kv_str("error", nl_geterror(rc)));
}

/* Links of ours that the configuration does not have: of the one before, or of a run that crashed. */
static void remove_unwanted(struct tunnels *t)
{
	struct nl_cache *all;
	int rc = rtnl_link_alloc_cache(t->sock, AF_UNSPEC, &all);

	if (rc < 0) {
		log_event(LOGL_ERROR, "tunnel.links", kv_str("error", nl_geterror(rc)));
		return;
	}
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *l = (struct rtnl_link *)o;

		if (tunnel_is_ours(l) && tunnel_is_of_a_kind(l) && !find(t, rtnl_link_get_name(l)))
			remove_link(t, l);
	}
	nl_cache_free(all);
}

static void wg_again(void *ctx, struct wg *w)
{
	struct tunnels *t = ctx;

	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].wg == w)
			mend_soon(t, &t->list[i]);
	}
}

static void wg_peer(void *ctx, struct wg *w, size_t i, bool dead)
{
	struct tunnels *t = ctx;

	for (size_t k = 0; k < t->n && t->on_peer; k++) {
		if (t->list[k].wg == w)
			t->on_peer(t->on_peer_ctx, t->list[k].conf, i, dead);
	}
}

static const struct wg_owner wg_owner = { .again = wg_again, .peer = wg_peer };

/* @old: the tunnel of this name before, or NULL; what it has goes over to the new one. */
static int tunnel_init(struct tunnels *t, struct tunnel *u, const struct conf_tunnel *c, struct tunnel *old)
{
	if (old) {
		*u = *old;
		old->wg = NULL;
	}
	u->conf = c;
	u->kind = tunnel_kind_of(c);
	u->known = false; /* differences are now the configuration's doing */
	u->due_us = u->repaired_us = 0;
	snprintf(u->name, sizeof(u->name), "%s", c->name);
	if (c->type != TUNNEL_WIREGUARD) {
		wg_free(u->wg);
		u->wg = NULL;
		return 0;
	}
	if (!u->wg)
		u->wg = wg_new(t->loop, &wg_owner, t);
	return u->wg ? wg_configure(u->wg, c) : -ENOMEM;
}

static void list_free(struct tunnel *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wg_free(list[i].wg);
	free(list);
}

/* The list of @wanted in place of the present one. @return 0 or -ENOMEM. */
static int make_list(struct tunnels *t, const struct conf_tunnel *wanted, size_t n)
{
	struct tunnel *list = calloc(n ? n : 1, sizeof(*list));
	int rc = list ? 0 : -ENOMEM;

	for (size_t i = 0; list && i < n; i++) {
		int one = tunnel_init(t, &list[i], &wanted[i], find(t, wanted[i].name));

		rc = one < 0 ? one : rc;
	}
	if (!list)
		return rc;
	list_free(t->list, t->n);
	t->list = list;
	t->n = n;
	return rc;
}

size_t tunnels_apply(struct tunnels *t, const struct conf_tunnel *wanted, size_t n,
                     const struct conf_host *host)
{
	size_t failed = 0;
	int rc = make_list(t, wanted, n);

	if (rc < 0) {
		log_event(LOGL_ERROR, "tunnel.apply", kv_errno("error", rc));
		return n;
	}
	t->rp_filter = host->rp_filter;
	remove_unwanted(t);
	t->rules_known = false;
	tunnels_mend_rules(t);
	for (size_t i = 0; i < n; i++) {
		tunnel_mend(t, &t->list[i]);
		failed += t->list[i].state == TUNNEL_ERROR;
	}
	arm(t);
	return failed;
}

/* -- opening and closing ------------------------------------------------------------------------ */

int tunnels_new(struct loop *l, int (*sysctl_set)(const char *name, int value), struct tunnels **out)
{
	struct tunnels *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	if (!t)
		return rc;
	t->loop = l;
	t->adopting = true;
	t->sysctl_set = sysctl_set;
	t->sock = nl_socket_alloc();
	t->timer = loop_timer_new(l, on_timer, t);
	if (!t->sock || !t->timer)
		goto fail;
	errno = 0;
	if (nl_connect(t->sock, NETLINK_ROUTE) < 0) {
		rc = errno ? -errno : -EIO;
		goto fail;
	}
	*out = t;
	return 0;
fail:
	tunnels_free(t, false);
	return rc;
}

void tunnels_free(struct tunnels *t, bool remove_transient)
{
	struct rtnl_link *l;

	if (!t)
		return;
	for (size_t i = 0; i < t->n && remove_transient; i++) {
		if (t->list[i].conf->persist || !tunnel_look(t, t->list[i].name, &l) || !l)
			continue;
		if (tunnel_is_ours(l))
			remove_link(t, l);
		rtnl_link_put(l);
	}
	if (remove_transient)
		tunnels_remove_rules(t);
	loop_timer_free(t->timer);
	nl_socket_free(t->sock);
	list_free(t->list, t->n);
	free(t);
}

/* -- routes that allowed IPs follow --------------------------------------------------------------- */

bool tunnels_follow(const struct tunnels *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].wg && wg_follows(t->list[i].wg))
			return true;
	}
	return false;
}

void tunnels_route(struct tunnels *t, const struct prefix *p, const struct ip *gateways, size_t n)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].wg)
			wg_route(t->list[i].wg, p, gateways, n);
	}
}

void tunnels_adopt_end(struct tunnels *t)
{
	t->adopting = false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].wg && wg_follows(t->list[i].wg))
			mend_soon(t, &t->list[i]);
	}
}

/* -- peers that are dead ------------------------------------------------------------------------- */

void tunnels_on_peer(struct tunnels *t, tunnel_peer_fn fn, void *ctx)
{
	t->on_peer = fn;
	t->on_peer_ctx = ctx;
}

bool tunnels_peer_dead(const struct tunnels *t, const char *tunnel, const uint8_t public_key[32])
{
	const struct tunnel *u = find(t, tunnel);

	return u && u->wg && wg_is_dead(u->wg, public_key);
}

/* The longest of @list that contains @a, when it is longer than @least. */
static int longest(const struct prefix *list, size_t n, const struct ip *a, int least)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].len > least && prefix_contains_ip(&list[i], a))
			least = list[i].len;
	}
	return least;
}

size_t tunnel_peer_by_gateway(const struct conf_tunnel *c, const struct ip *a)
{
	size_t peer = c->n_peers;
	int best = -1;

	for (size_t i = 0; i < c->n_peers; i++) {
		const struct conf_wg_peer *p = &c->peers[i];
		int len = longest(p->allowed_ips, p->n_allowed_ips, a, best);

		len = longest(p->tunnel_address, p->n_tunnel_address, a, len);
		peer = len > best ? i : peer;
		best = len;
	}
	return peer;
}

/* -- questions ---------------------------------------------------------------------------------- */

size_t tunnels_count(const struct tunnels *t)
{
	return t->n;
}

void tunnels_view(struct tunnels *t, size_t i, struct tunnel_view *out)
{
	const struct tunnel *u = &t->list[i];
	struct rtnl_link *l;

	*out = (struct tunnel_view){ .conf = u->conf,
		                     .state = u->state,
		                     .error = u->state == TUNNEL_ERROR ? u->error : NULL,
		                     .ifindex = u->ifindex,
		                     .mtu = u->mtu,
		                     .since_us = u->since_us };
	if (!u->ifindex || rtnl_link_get_kernel(t->sock, (int)u->ifindex, NULL, &l) < 0)
		return;
	out->mtu = rtnl_link_get_mtu(l);
	out->rx_bytes = rtnl_link_get_stat(l, RTNL_LINK_RX_BYTES);
	out->tx_bytes = rtnl_link_get_stat(l, RTNL_LINK_TX_BYTES);
	out->rx_packets = rtnl_link_get_stat(l, RTNL_LINK_RX_PACKETS);
	out->tx_packets = rtnl_link_get_stat(l, RTNL_LINK_TX_PACKETS);
	rtnl_link_put(l);
	if (u->wg)
		wg_view(u->wg, out);
}
