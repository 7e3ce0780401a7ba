/* SPDX-License-Identifier: BSD-2-Clause */
/* neigh.c - see neigh.h. */
#include "netlink/neigh.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "netlink/nls.h"

#define REPLY_SIZE 8192u
#define TIMEOUT_S  1 /* only a kernel in trouble takes that long */

struct neigh {
	struct mnl_socket *sock;
	uint32_t seq;
};

int neigh_open(struct neigh **out)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct neigh *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	n->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!n->sock || mnl_socket_bind(n->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = -errno;
		neigh_close(n);
		return rc;
	}
	setsockopt(mnl_socket_get_fd(n->sock), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	*out = n;
	return 0;
}

void neigh_close(struct neigh *n)
{
	if (n && n->sock)
		mnl_socket_close(n->sock);
	free(n);
}

static int ask(struct neigh *n, uint32_t ifindex, const struct ip *a)
{
	uint8_t buf[256] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *ndm;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = ++n->seq;
	ndm = mnl_nlmsg_put_extra_header(h, sizeof(*ndm));
	ndm->ndm_family = a->family == IP_V6 ? AF_INET6 : AF_INET;
	ndm->ndm_ifindex = (int)ifindex;
	mnl_attr_put(h, NDA_DST, ip_bytes(a->family), a->b);
	return mnl_socket_sendto(n->sock, h, h->nlmsg_len) < 0 ? -errno : 0;
}

static void read_entry(const struct nlmsghdr *h, struct neigh_entry *out)
{
	const struct nlattr *tb[NDA_LLADDR + 1] = { NULL };
	const struct ndmsg *ndm;
	uint16_t len;

	if (!nls_attrs(h, sizeof(*ndm), tb, NDA_LLADDR))
		return;
	ndm = mnl_nlmsg_get_payload(h);
	out->state = ndm->ndm_state;
	if (!tb[NDA_LLADDR])
		return;
	len = mnl_attr_get_payload_len(tb[NDA_LLADDR]);
	if (len > sizeof(out->lladdr))
		return;
	memcpy(out->lladdr, mnl_attr_get_payload(tb[NDA_LLADDR]), len);
	out->lladdr_len = (uint8_t)len;
}

/** @return 0 once the answer to the last request was there, -EAGAIN when it was another one's, or -errno. */
static int take(const struct neigh *n, const struct nlmsghdr *h, struct neigh_entry *out)
{
	const struct nlmsgerr *e;

	if (h->nlmsg_seq != n->seq)
		return -EAGAIN;
	if (h->nlmsg_type == RTM_NEWNEIGH) {
		read_entry(h, out);
		return 0;
	}
	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < mnl_nlmsg_size(sizeof(*e)))
		return -EPROTO;
	e = mnl_nlmsg_get_payload(h);
	return e->error == -ENOENT ? 0 : e->error;
}

int neigh_get(struct neigh *n, uint32_t ifindex, const struct ip *a, struct neigh_entry *out)
{
	uint8_t buf[REPLY_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int rc = ask(n, ifindex, a);

	*out = (struct neigh_entry){ 0 };
	if (rc < 0)
		return rc;
	do {
		ssize_t len = mnl_socket_recvfrom(n->sock, buf, sizeof(buf));
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

		if (len < 0)
			return -errno;
		rc = mnl_nlmsg_ok(h, (int)len) ? take(n, h, out) : -EPROTO;
	} while (rc == -EAGAIN);
	return rc;
}

const char *neigh_state_name(uint16_t state)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {
		{ NUD_PERMANENT, "PERMANENT" },   { NUD_NOARP, "NOARP" },   { NUD_REACHABLE, "REACHABLE" },
		{ NUD_STALE, "STALE" },           { NUD_DELAY, "DELAY" },   { NUD_PROBE, "PROBE" },
		{ NUD_INCOMPLETE, "INCOMPLETE" }, { NUD_FAILED, "FAILED" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (state & names[i].bit)
			return names[i].name;
	return "NONE";
}
