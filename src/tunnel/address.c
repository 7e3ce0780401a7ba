/* SPDX-License-Identifier: BSD-2-Clause */
/* address.c - the addresses of a tunnel's link: those of the configuration, and no others. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <linux/if_addr.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>

bool tunnel_address_wanted(const struct conf_tunnel *c, const struct ip *a, uint8_t len)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		if (ip_equal(&c->addresses[i].address, a) && c->addresses[i].len == len)
			return true;
	}
	return false;
}

bool tunnel_address_right(const struct conf_tunnel *c, const struct ip *a, uint8_t len)
{
	return (a->family == IP_V6 && ip_is_link_local(a)) || tunnel_address_wanted(c, a, len);
}

/* Own addresses that the configuration does not have go; link-local IPv6 ones are the kernel's business. */
static void remove_extra_addresses(struct tunnels *t, struct tunnel *u, struct nl_cache *all)
{
	char text[IP_STRLEN];

	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;
		const struct nl_addr *local = rtnl_addr_get_local(a);
		struct ip ip;

		if ((uint32_t)rtnl_addr_get_ifindex(a) != u->ifindex || !local)
			continue;
		ip = tunnel_ip_of(local);
		if (ip.family == IP_NONE ||
		    tunnel_address_right(u->conf, &ip, (uint8_t)rtnl_addr_get_prefixlen(a)))
			continue;
		tunnel_told(u, "tunnel.address_removed", ip_print(&ip, text));
		(void)rtnl_addr_delete(t->sock, a, 0);
	}
}

static bool has_address(const struct tunnel *u, struct nl_cache *all, const struct conf_address *want)
{
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;
		const struct nl_addr *local = rtnl_addr_get_local(a);

		if ((uint32_t)rtnl_addr_get_ifindex(a) == u->ifindex && local &&
		    tunnel_addr_is(local, &want->address) && rtnl_addr_get_prefixlen(a) == want->len)
			return true;
	}
	return false;
}

static int add_address(struct tunnels *t, const struct tunnel *u, const struct conf_address *want)
{
	struct nl_addr *local = tunnel_nl_addr(&want->address);
	struct rtnl_addr *a = rtnl_addr_alloc();
	int rc = -NLE_NOMEM;

	if (a && local) {
		nl_addr_set_prefixlen(local, want->len);
		rtnl_addr_set_ifindex(a, (int)u->ifindex);
		rc = rtnl_addr_set_local(a, local);
		if (want->address.family ==
		    IP_V6) /* a tunnel has two ends: nobody to detect duplicates with, and a session waits */
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		if (rc == 0)
			rc = rtnl_addr_add(t->sock, a, 0);
	}
	rtnl_addr_put(a);
	nl_addr_put(local);
	return rc;
}

bool tunnel_mend_addresses(struct tunnels *t, struct tunnel *u)
{
	char text[IP_STRLEN];
	struct nl_cache *all;
	int rc = rtnl_addr_alloc_cache(t->sock, &all);
	bool ok = true;

	if (rc < 0)
		return tunnel_fail(t, u, "the kernel does not tell its addresses: %s", nl_geterror(rc));
	remove_extra_addresses(t, u, all);
	for (size_t i = 0; i < u->conf->n_addresses && ok; i++) {
		const struct conf_address *want = &u->conf->addresses[i];

		if (has_address(u, all, want))
			continue;
		rc = add_address(t, u, want);
		if (rc < 0 && rc != -NLE_EXIST)
			ok = tunnel_fail(t, u, "the kernel refuses the address %s/%u: %s",
			                 ip_print(&want->address, text), want->len, nl_geterror(rc));
		else if (u->known)
			tunnel_told(u, "tunnel.address_restored", ip_print(&want->address, text));
	}
	nl_cache_free(all);
	return ok;
}