/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: one link, mended.
 *
 * tunnel_mend() brings one link from whatever it is to what the configuration says. Every step looks first
 * and writes only what differs; so a link that is right costs a few questions and no change, and adopting one
 * after a restart is not a case of its own.
 *
 * A link is ours when its alias says so; the kernel takes the alias only after the link exists, so a crash in
 * between leaves a link that is nobody's (and reported as such). What a kind of tunnel knows is in its struct
 * tunnel_kind. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <netlink/errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_US 30000000u /* between attempts at a tunnel in error */

static const struct tunnel_kind *const kinds[] = { &tunnel_vxlan, &tunnel_gre, &tunnel_ip6gre,
	                                           &tunnel_wireguard };

const struct tunnel_kind *tunnel_kind_of(const struct conf_tunnel *c)
{
	switch (c->type) {
	case TUNNEL_WIREGUARD:
		return &tunnel_wireguard;
	case TUNNEL_GRE:
		return c->remote.family == IP_V6 ? &tunnel_ip6gre : &tunnel_gre;
	case TUNNEL_VXLAN:
	default:
		return &tunnel_vxlan;
	}
}

bool tunnel_is_of_a_kind(struct rtnl_link *l)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (tunnel_is_kind(l, kinds[i]->name))
			return true;
	}
	return false;
}

static bool mark(struct tunnels *t, struct tunnel *u, struct rtnl_link *l)
{
	struct rtnl_link *alias = rtnl_link_alloc();

	if (alias)
		rtnl_link_set_ifalias(alias, TUNNEL_ALIAS);
	if (tunnel_change(t, u, l, alias, "the alias"))
		return true;
	(void)tunnel_destroy(t, l); /* unmarked, it would be a stranger */
	return false;
}

static bool create(struct tunnels *t, struct tunnel *u, uint32_t underlay, struct rtnl_link **out)
{
	struct rtnl_link *l = u->kind->make(u->conf, underlay, false);
	int rc = -NLE_NOMEM;

	if (l) {
		rtnl_link_set_name(l, u->name);
		rc = rtnl_link_add(t->sock, l, NLM_F_CREATE | NLM_F_EXCL);
		rtnl_link_put(l);
	}
	if (rc < 0)
		return tunnel_fail(t, u, "the kernel refuses to create the link: %s", nl_geterror(rc));
	if (!tunnel_look(t, u->name, out) || !*out)
		return tunnel_fail(t, u, "the link vanished as soon as it was made");
	tunnel_told(u, u->known ? "tunnel.created_again" : "tunnel.created", u->kind->name);
	return mark(t, u, *out);
}

static bool replace(struct tunnels *t, struct tunnel *u, uint32_t underlay, struct rtnl_link **l,
                    const char *because)
{
	log_event(LOGL_WARNING, "tunnel.replaced", kv_str("tunnel", u->name), kv_str("because", because));
	if (!tunnel_destroy(t, *l))
		return tunnel_fail(t, u,
		                   "the kernel refuses to remove the link, and %s cannot be changed without",
		                   because);
	rtnl_link_put(*l);
	*l = NULL;
	return create(t, u, underlay, l);
}

static const char *differs(const struct tunnel *u, uint32_t underlay, struct rtnl_link *l, bool *in_place)
{
	*in_place = false;
	return tunnel_is_kind(l, u->kind->name) ? u->kind->differs(l, u->conf, underlay, in_place) : "type";
}

/* Its own parameters: in place where the kernel can. @l: looked at again after a change. */
static bool mend_parameters(struct tunnels *t, struct tunnel *u, uint32_t underlay, struct rtnl_link **l)
{
	bool in_place;
	const char *what = differs(u, underlay, *l, &in_place);

	if (!what)
		return true;
	if (!in_place)
		return replace(t, u, underlay, l, what);
	tunnel_told(u, "tunnel.changed", what);
	if (!tunnel_change(t, u, *l, u->kind->make(u->conf, underlay, true), what))
		return false;
	rtnl_link_put(*l);
	if (!tunnel_look(t, u->name, l) || !*l)
		return tunnel_fail(t, u, "the link vanished while it was changed");
	what = differs(u, underlay, *l, &in_place); /* a kernel may say yes and do nothing */
	return !what || replace(t, u, underlay, l, what);
}

static bool mend_flags(struct tunnels *t, struct tunnel *u, struct rtnl_link *l)
{
	struct rtnl_link *changes;

	if (rtnl_link_get_flags(l) & IFF_UP)
		return true;
	changes = rtnl_link_alloc();
	if (changes)
		rtnl_link_set_flags(changes, IFF_UP);
	if (u->known)
		tunnel_told(u, "tunnel.restored", "up");
	return tunnel_change(t, u, l, changes, "the link to up");
}

/* A dot in a link's name is written as a slash in the name of a sysctl. */
static void mend_rp_filter(struct tunnels *t, struct tunnel *u)
{
	char sysctl[64];
	int rc;

	if (t->rp_filter < 0)
		return;
	snprintf(sysctl, sizeof(sysctl), "net.ipv4.conf.%s.rp_filter", u->name);
	for (char *c = sysctl + strlen("net.ipv4.conf."); *c && strcmp(c, ".rp_filter") != 0; c++)
		*c = *c == '.' ? '/' : *c;
	rc = t->sysctl_set(sysctl, t->rp_filter);
	if (rc < 0 && rc != u->rp_filter_error)
		log_event(LOGL_ERROR, "host.sysctl", kv_str("sysctl", sysctl), kv_i64("value", t->rp_filter),
		          kv_errno("error", rc));
	if (rc > 0)
		tunnel_told(u, u->known ? "tunnel.restored" : "tunnel.changed", "rp_filter");
	u->rp_filter_error = rc < 0 ? rc : 0;
}

static bool mend_wireguard(struct tunnels *t, struct tunnel *u)
{
	const char *changed = NULL, *error;

	if (!u->wg)
		return true;
	error = wg_mend(u->wg, u->ifindex, t->adopting, &changed);
	if (changed)
		tunnel_told(u, "tunnel.changed", changed);
	return !error || tunnel_fail(t, u, "%s", error);
}

/* Everything below the link's existence. @l: the link, or NULL; may be replaced. */
static bool mend_link(struct tunnels *t, struct tunnel *u, struct rtnl_link **l)
{
	uint32_t underlay = tunnel_index_of(t, u->conf->interface);
	const char *type;

	if (u->conf->interface && !underlay)
		return tunnel_fail(t, u, "its underlay interface %s does not exist", u->conf->interface);
	if (*l && !tunnel_is_ours(*l) && (uint32_t)rtnl_link_get_ifindex(*l) != u->ifindex) {
		type = rtnl_link_get_type(*l);
		return tunnel_fail(
		        t, u,
		        "a link of this name (%s) exists and was not made by mcbgpd: remove it, or name "
		        "the tunnel otherwise",
		        type ? type : "a physical one");
	}
	if (*l && !tunnel_is_ours(*l)) { /* ours by its index: somebody took the alias away */
		if (!mark(t, u, *l))
			return false;
		tunnel_told(u, "tunnel.restored", "alias");
	}
	if (*l ? !mend_parameters(t, u, underlay, l) : !create(t, u, underlay, l))
		return false;
	u->ifindex = (uint32_t)rtnl_link_get_ifindex(*l);
	u->mtu = rtnl_link_get_mtu(*l);
	mend_rp_filter(t, u);
	return mend_wireguard(t, u) && tunnel_mend_fdb(t, u) && tunnel_mend_mtu(t, u, *l) &&
	       mend_flags(t, u, *l) && tunnel_mend_addresses(t, u);
}

/* Somebody gave our link another name: it holds what the new one needs. */
static void remove_renamed(struct tunnels *t, struct tunnel *u)
{
	struct rtnl_link *l;

	if (!u->ifindex || rtnl_link_get_kernel(t->sock, (int)u->ifindex, NULL, &l) < 0)
		return;
	if (tunnel_is_ours(l) && tunnel_destroy(t, l))
		tunnel_told(u, "tunnel.removed_renamed", rtnl_link_get_name(l));
	rtnl_link_put(l);
}

void tunnel_mend(struct tunnels *t, struct tunnel *u)
{
	struct rtnl_link *l = NULL;
	bool right;

	u->due_us = 0;
	if (!tunnel_look(t, u->name, &l)) {
		tunnel_fail(t, u, "the kernel does not tell its links");
		return;
	}
	if (!l)
		remove_renamed(t, u);
	right = mend_link(t, u, &l);
	rtnl_link_put(l);
	if (!right) {
		u->due_us = loop_clock() + RETRY_US; /* not every cause has an event when it goes */
		return;
	}
	u->known = true;
	u->error[0] = '\0';
	if (!tunnel_look(t, u->name, &l) || !l)
		return; /* gone again; its event brings us back */
	tunnel_set_state(t, u, rtnl_link_get_flags(l) & IFF_RUNNING ? TUNNEL_UP : TUNNEL_DOWN);
	rtnl_link_put(l);
}