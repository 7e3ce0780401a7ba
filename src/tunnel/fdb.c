/* SPDX-License-Identifier: BSD-2-Clause */
/* fdb.c - DOC: where a VXLAN floods (head-end replication).
 *
 * A VXLAN with several far ends has one entry of the all-zeros address for each: what has no entry of its own
 * goes to all of them. The link's own `remote` is such an entry, made by the kernel. Entries of other
 * addresses are what the link learned, or somebody's: they are left alone. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAC_BYTES  6
#define DUMP_BYTES 8192

static const uint8_t everybody[MAC_BYTES]; /* the all-zeros address: where the rest goes */

/* -- where it floods to now: libnl's cache takes entries of one address for one --------------------- */

struct flood {
	uint32_t ifindex;
	struct ip *to;
	size_t n;
};

static bool keep(struct flood *f, const struct nlattr *dst)
{
	uint16_t len = mnl_attr_get_payload_len(dst);
	uint8_t family = len == 4 ? IP_V4 : len == 16 ? IP_V6 : IP_NONE;
	struct ip *grown;

	if (!family)
		return true;
	grown = reallocarray(f->to, f->n + 1, sizeof(*grown));
	if (!grown)
		return false;
	f->to = grown;
	grown[f->n++] = ip_from_bytes(family, mnl_attr_get_payload(dst));
	return true;
}

static int on_entry(const struct nlmsghdr *h, void *ctx)
{
	const struct nlattr *a, *mac = NULL, *dst = NULL;
	const struct ndmsg *entry = mnl_nlmsg_get_payload(h);
	struct flood *f = ctx;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*entry) || entry->ndm_ifindex != (int)f->ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(*entry))
	{
		if (mnl_attr_get_type(a) == NDA_LLADDR)
			mac = a;
		else if (mnl_attr_get_type(a) == NDA_DST)
			dst = a;
	}
	if (!mac || !dst || mnl_attr_get_payload_len(mac) != MAC_BYTES ||
	    memcmp(mnl_attr_get_payload(mac), everybody, MAC_BYTES) != 0 || keep(f, dst))
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

static int dump(struct mnl_socket *sock, struct flood *out)
{
	_Alignas(struct nlmsghdr) char buf[DUMP_BYTES];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *header;
	ssize_t len;
	int rc = MNL_CB_OK;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(h, sizeof(*header));
	header->ndm_family = AF_BRIDGE;
	if (mnl_socket_sendto(sock, h, h->nlmsg_len) < 0)
		return -errno;
	while (rc == MNL_CB_OK) {
		len = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		rc = len < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)len, 0, 0, on_entry, out);
	}
	return rc == MNL_CB_ERROR ? -errno : 0;
}

/* @out->to is to be freed either way. @return 0 or -errno. */
static int look(uint32_t ifindex, struct flood *out)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int rc;

	*out = (struct flood){ .ifindex = ifindex };
	if (!sock)
		return -errno;
	rc = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : dump(sock, out);
	mnl_socket_close(sock);
	return rc;
}

/* -- where it is to flood to ------------------------------------------------------------------------ */

static bool has_ip(const struct ip *list, size_t n, const struct ip *a)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_equal(&list[i], a))
			return true;
	}
	return false;
}

static struct rtnl_neigh *entry_new(const struct tunnel *u, const struct ip *to)
{
	struct nl_addr *mac = nl_addr_build(AF_LLC, everybody, MAC_BYTES), *dst = tunnel_nl_addr(to);
	struct rtnl_neigh *e = rtnl_neigh_alloc();

	if (!mac || !dst || !e) {
		rtnl_neigh_put(e);
		e = NULL;
		goto out;
	}
	rtnl_neigh_set_dst(e, dst); /* before the family, which is not the address's */
	rtnl_neigh_set_family(e, AF_BRIDGE);
	rtnl_neigh_set_ifindex(e, (int)u->ifindex);
	rtnl_neigh_set_lladdr(e, mac);
	rtnl_neigh_set_flags(e, NTF_SELF);
	rtnl_neigh_set_state(e, NUD_PERMANENT | NUD_NOARP);
out:
	nl_addr_put(mac);
	nl_addr_put(dst);
	return e;
}

static bool add(struct tunnels *t, struct tunnel *u, const struct ip *to)
{
	struct rtnl_neigh *e = entry_new(u, to);
	char text[IP_STRLEN];
	int rc = e ? rtnl_neigh_add(t->sock, e, NLM_F_CREATE | NLM_F_APPEND) : -NLE_NOMEM;

	rtnl_neigh_put(e);
	if (rc < 0 && rc != -NLE_EXIST)
		return tunnel_fail(t, u, "the kernel refuses to flood to %s: %s", ip_print(to, text),
		                   nl_geterror(rc));
	if (u->known)
		tunnel_told(u, "tunnel.remote_restored", ip_print(to, text));
	return true;
}

static void remove_extra(struct tunnels *t, struct tunnel *u, const struct flood *now)
{
	const struct conf_tunnel *c = u->conf;
	char text[IP_STRLEN];

	for (size_t i = 0; i < now->n; i++) {
		struct rtnl_neigh *e;

		if (has_ip(c->remotes, c->n_remotes, &now->to[i]) || ip_equal(&c->remote, &now->to[i]))
			continue;
		e = entry_new(u, &now->to[i]);
		if (e && rtnl_neigh_delete(t->sock, e, 0) == 0)
			tunnel_told(u, "tunnel.remote_removed", ip_print(&now->to[i], text));
		rtnl_neigh_put(e);
	}
}

bool tunnel_mend_fdb(struct tunnels *t, struct tunnel *u)
{
	const struct conf_tunnel *c = u->conf;
	struct flood now;
	bool ok = true;
	int rc;

	if (u->kind != &tunnel_vxlan)
		return true;
	rc = look(u->ifindex, &now);
	if (rc < 0)
		ok = tunnel_fail(t, u, "the kernel does not tell where the link floods: %s", strerror(-rc));
	if (ok && c->remote.family != IP_NONE) /* made by the kernel, until somebody takes it away */
		ok = has_ip(now.to, now.n, &c->remote) || add(t, u, &c->remote);
	for (size_t i = 0; i < c->n_remotes && ok; i++)
		ok = has_ip(now.to, now.n, &c->remotes[i]) || add(t, u, &c->remotes[i]);
	if (ok)
		remove_extra(t, u, &now);
	free(now.to);
	return ok;
}
