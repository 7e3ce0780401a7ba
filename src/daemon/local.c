/* SPDX-License-Identifier: BSD-2-Clause */
/* local.c - DOC: routes that are ours from the start: `static` of the configuration, `direct` of the links'
 * addresses.
 *
 * They enter the table by the same door as everything else, from pseudo-peers, so nothing behind it has a
 * special case. A static route by an interface is usable while that link is up; its index is looked up again
 * whenever a link of that name comes or goes. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "config/diff.h"
#include "daemon/state.h"
#include "lib/log.h"

struct local {
	struct rib *rib;
	struct rib_peer *statics, *direct;
	const struct conf *conf; /* in force; NULL before the first apply */
	struct local_net *nets;
	size_t n_nets;
};

static struct rib_peer *pseudo_peer(struct rib *rib, const char *name, enum route_source source)
{
	const struct rib_peer_conf c = {
		.name = name, .source = source, .import = RIB_POLICY_ALL, .export = RIB_POLICY_NONE
	};

	return rib_peer_new(rib, &c);
}

struct local *local_new(struct rib *rib)
{
	struct local *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->rib = rib;
	l->statics = pseudo_peer(rib, "static1", SOURCE_STATIC);
	l->direct = pseudo_peer(rib, "direct1", SOURCE_DIRECT);
	if (l->statics && l->direct)
		return l;
	local_free(l);
	return NULL;
}

void local_free(struct local *l)
{
	if (!l)
		return;
	rib_peer_free(l->statics);
	rib_peer_free(l->direct);
	free(l->nets);
	free(l);
}

struct rib_peer *local_static(const struct local *l)
{
	return l->statics;
}

struct rib_peer *local_direct(const struct local *l)
{
	return l->direct;
}

static void put(struct rib_peer *p, const struct prefix *prefix, const struct rib_local *r, uint64_t now_us)
{
	int rc = rib_local(p, prefix, r, now_us);

	if (rc < 0)
		log_event(LOGL_ERROR, "route.refused", kv_prefix("prefix", prefix), kv_errno("error", rc));
}

/* -- static ----------------------------------------------------------------------------------- */

static void static_put(struct local *l, const struct conf_static *s, const struct link_info *link,
                       uint64_t now_us)
{
	struct rib_local r = { .kind = s->unreachable ? LOCAL_UNREACHABLE : LOCAL_BLACKHOLE };

	if (s->interface) {
		r.kind = LOCAL_INTERFACE;
		r.ifindex = link && link->up ? link->ifindex : 0;
	}
	if (s->next_hop.family &&
	    (!s->onlink || r.ifindex)) { /* on a link that is not there: like the link */
		r.kind = LOCAL_NEXT_HOP;
		r.next_hop = s->next_hop;
	}
	put(l->statics, &s->prefix, &r, now_us);
}

static bool still_there(const struct conf *c, const struct conf_static *s, bool same)
{
	for (size_t i = 0; i < c->n_statics; i++)
		if (prefix_equal(&c->statics[i].prefix, &s->prefix) &&
		    (!same || diff_static_same(&c->statics[i], s)))
			return true;
	return false;
}

static void statics_apply(struct local *l, const struct conf *c, const struct link_watch *links,
                          uint64_t now_us)
{
	for (size_t i = 0; l->conf && i < l->conf->n_statics; i++)
		if (!still_there(c, &l->conf->statics[i], false))
			put(l->statics, &l->conf->statics[i].prefix, NULL, now_us);
	for (size_t i = 0; i < c->n_statics; i++) {
		const struct conf_static *s = &c->statics[i];

		if (!l->conf || !still_there(l->conf, s, true))
			static_put(l, s, s->interface ? link_by_name(links, s->interface) : NULL, now_us);
	}
}

static void statics_of_link(struct local *l, const char *name, const struct link_info *link, uint64_t now_us)
{
	for (size_t i = 0; l->conf && i < l->conf->n_statics; i++) {
		const struct conf_static *s = &l->conf->statics[i];

		if (s->interface && strcmp(s->interface, name) == 0)
			static_put(l, s, link, now_us);
	}
}

/* -- direct ----------------------------------------------------------------------------------- */

static bool is_direct(const struct conf *c, const char *link)
{
	for (size_t i = 0; c && i < c->direct.n_interfaces; i++)
		if (fnmatch(c->direct.interfaces[i], link, 0) == 0)
			return true;
	return false;
}

static void direct_put(struct local *l, const struct local_net *n, bool present, uint64_t now_us)
{
	const struct rib_local r = { .kind = LOCAL_INTERFACE, .ifindex = n->ifindex };

	if (!prefix_is_unicast(&n->net)) /* link-local: means nothing elsewhere */
		return;
	put(l->direct, &n->net, present ? &r : NULL, now_us);
}

static struct local_net *find_net(struct local *l, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	for (size_t i = 0; i < l->n_nets; i++)
		if (l->nets[i].ifindex == ifindex && l->nets[i].net.len == len &&
		    ip_equal(&l->nets[i].address, a))
			return &l->nets[i];
	return NULL;
}

const struct local_net *local_net(const struct local *l, size_t i)
{
	return i < l->n_nets ? &l->nets[i] : NULL;
}

void local_address_set(struct local *l, const struct link_info *link, const struct ip *a, uint8_t len,
                       uint64_t now_us)
{
	struct local_net *n;

	if (find_net(l, link->ifindex, a, len))
		return;
	n = reallocarray(l->nets, l->n_nets + 1, sizeof(*n));
	if (!n) {
		log_event(LOGL_ERROR, "direct.refused", kv_ip("address", a), kv_errno("error", ENOMEM));
		return;
	}
	l->nets = n;
	n = &l->nets[l->n_nets++];
	*n = (struct local_net){ .address = *a, .net = prefix_make(a, len), .ifindex = link->ifindex };
	memcpy(n->link, link->name, sizeof(n->link));
	if (is_direct(l->conf, n->link))
		direct_put(l, n, true, now_us);
}

/** Another address of a direct link in the network of @gone; NULL: none. */
static struct local_net *same_net(struct local *l, const struct local_net *gone)
{
	for (size_t i = 0; i < l->n_nets; i++)
		if (&l->nets[i] != gone && prefix_equal(&l->nets[i].net, &gone->net) &&
		    is_direct(l->conf, l->nets[i].link))
			return &l->nets[i];
	return NULL;
}

static void net_remove(struct local *l, struct local_net *n, uint64_t now_us)
{
	const struct local_net *other = same_net(l, n);

	if (is_direct(l->conf, n->link))
		direct_put(l, other ? other : n, other != NULL, now_us);
	*n = l->nets[--l->n_nets];
}

void local_address_del(struct local *l, uint32_t ifindex, const struct ip *a, uint8_t len, uint64_t now_us)
{
	struct local_net *n = find_net(l, ifindex, a, len);

	if (n)
		net_remove(l, n, now_us);
}

static void direct_apply(struct local *l, const struct conf *c, uint64_t now_us)
{
	for (size_t i = 0; i < l->n_nets; i++) {
		if (is_direct(l->conf, l->nets[i].link) && !is_direct(c, l->nets[i].link))
			direct_put(l, &l->nets[i], false, now_us);
	}
	for (size_t i = 0; i < l->n_nets; i++) { /* also what shares its network with one that went */
		if (is_direct(c, l->nets[i].link))
			direct_put(l, &l->nets[i], true, now_us);
	}
}

/* -- both ------------------------------------------------------------------------------------- */

void local_apply(struct local *l, const struct conf *c, const struct link_watch *links, uint64_t now_us)
{
	statics_apply(l, c, links, now_us);
	direct_apply(l, c, now_us);
	l->conf = c;
}

void local_link_set(struct local *l, const struct link_info *link, uint64_t now_us)
{
	statics_of_link(l, link->name, link, now_us);
}

void local_link_del(struct local *l, uint32_t ifindex, const char *name, uint64_t now_us)
{
	statics_of_link(l, name, NULL, now_us);
	for (size_t i = 0; i < l->n_nets;)
		if (l->nets[i].ifindex == ifindex)
			net_remove(l, &l->nets[i], now_us);
		else
			i++;
}
