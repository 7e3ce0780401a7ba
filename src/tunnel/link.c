/* SPDX-License-Identifier: BSD-2-Clause */
/* link.c - links and addresses as libnl has them; telling what was done to a tunnel. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <netlink/errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* -- addresses as libnl has them ---------------------------------------------------------------- */

static int af_of(uint8_t family)
{
	return family == IP_V4 ? AF_INET : family == IP_V6 ? AF_INET6 : AF_UNSPEC;
}

struct nl_addr *tunnel_nl_addr(const struct ip *a)
{
	return nl_addr_build(af_of(a->family), a->b, ip_bytes(a->family));
}

struct ip tunnel_ip_of(const struct nl_addr *a)
{
	uint8_t family = nl_addr_get_family(a) == AF_INET    ? IP_V4
	                 : nl_addr_get_family(a) == AF_INET6 ? IP_V6
	                                                     : IP_NONE;

	if (nl_addr_get_len(a) != ip_bytes(family))
		family = IP_NONE;
	return ip_from_bytes(family, nl_addr_get_binary_addr(a));
}

bool tunnel_addr_is(const struct nl_addr *have, const struct ip *want)
{
	struct ip a = have ? tunnel_ip_of(have) : (struct ip){ 0 };

	return ip_equal(&a, want) || (ip_is_zero(&a) && ip_is_zero(want));
}

/* -- telling ------------------------------------------------------------------------------------ */

void tunnel_set_state(struct tunnels *t, struct tunnel *u, enum tunnel_state state)
{
	if (u->state == state && u->since_us)
		return;
	u->state = state;
	u->since_us = loop_now(t->loop);
	if (state != TUNNEL_ERROR)
		log_event(LOGL_INFO, state == TUNNEL_UP ? "tunnel.up" : "tunnel.down",
		          kv_str("tunnel", u->name));
}

bool tunnel_fail(struct tunnels *t, struct tunnel *u, const char *fmt, ...)
{
	char text[sizeof(u->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (u->state != TUNNEL_ERROR || strcmp(text, u->error) != 0)
		log_event(LOGL_ERROR, "tunnel.error", kv_str("tunnel", u->name), kv_str("error", text));
	memcpy(u->error, text, sizeof(text));
	tunnel_set_state(t, u, TUNNEL_ERROR);
	return false;
}

void tunnel_told(struct tunnel *u, const char *event, const char *what)
{
	if (u->known)
		u->repaired_us = loop_clock();
	log_event(u->known ? LOGL_WARNING : LOGL_INFO, event, kv_str("tunnel", u->name),
	          kv_str("what", what));
}

/* -- looking ------------------------------------------------------------------------------------ */

bool tunnel_look(struct tunnels *t, const char *name, struct rtnl_link **out)
{
	int rc = rtnl_link_get_kernel(t->sock, 0, name, out);

	if (rc < 0)
		*out = NULL;
	return rc == 0 || rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV;
}

bool tunnel_is_ours(struct rtnl_link *l)
{
	const char *alias = rtnl_link_get_ifalias(l);

	return alias && strcmp(alias, TUNNEL_ALIAS) == 0;
}

bool tunnel_is_kind(struct rtnl_link *l, const char *kind)
{
	const char *type = rtnl_link_get_type(l);

	return type && strcmp(type, kind) == 0;
}

uint32_t tunnel_index_of(struct tunnels *t, const char *name)
{
	struct rtnl_link *l;
	uint32_t index = 0;

	if (name && tunnel_look(t, name, &l) && l) {
		index = (uint32_t)rtnl_link_get_ifindex(l);
		rtnl_link_put(l);
	}
	return index;
}

uint32_t tunnel_link_mtu(struct tunnels *t, uint32_t ifindex)
{
	struct rtnl_link *l;
	uint32_t mtu;

	if (!ifindex || rtnl_link_get_kernel(t->sock, (int)ifindex, NULL, &l) < 0)
		return 0;
	mtu = rtnl_link_get_mtu(l);
	rtnl_link_put(l);
	return mtu;
}

bool tunnel_change(struct tunnels *t, struct tunnel *u, struct rtnl_link *have, struct rtnl_link *changes,
                   const char *what)
{
	int rc = changes ? rtnl_link_change(t->sock, have, changes, 0) : -NLE_NOMEM;

	if (changes)
		rtnl_link_put(changes);
	return rc == 0 || tunnel_fail(t, u, "the kernel refuses to change %s: %s", what, nl_geterror(rc));
}

bool tunnel_destroy(struct tunnels *t, struct rtnl_link *l)
{
	int rc = rtnl_link_delete(t->sock, l);

	return rc == 0 || rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV;
}