/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what the host has, told as events.
 *
 * One multicast socket carries links, addresses, routes, neighbors and rules, so that their order is kept: a
 * route through a new link is heard after the link. That is why libnl's caches (a socket and an order each,
 * and a heavy object for every route of the table, ours included) are not used here. Only links are
 * remembered; everything else is the listener's to keep. Events that the FIB writer's socket caused are
 * dropped in the kernel: at a million routes they would fill the queue many times over.
 *
 * Everything is dumped at the start, when the queue overran, and a moment after a link went down or an IPv4
 * address was removed: the kernel drops IPv4 routes with them and sends no event. Dumps and events are read a
 * few buffers a turn.
 *
 * Next hops that are nexthop objects of others are known by what the kernel adds to such routes in
 * compatibility mode, its default. */
#include "netlink/link.h"

#include "lib/log.h"
#include "netlink/nls.h"
#include "netlink/rtmsg.h"

#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

#define EVENT_BUFFERS 32 /* a turn; a buffer holds one or a few events */
#define DUMP_BUFFERS  4
#define RESYNC_US     100000u /* after a loss that may be one of many */

struct link {
	UT_hash_handle hh;
	struct link_info info; /* key: ifindex */
	bool seen;             /* by the dump under way */
};

struct link_watch {
	struct loop *loop;
	const struct link_events *ev;
	void *ctx;
	uint8_t own_protocol;
	uint32_t own_table;
	uint32_t ignored[NL_IGNORED_MAX]; /* port ids */
	size_t n_ignored;
	struct nls *events, *dump;
	struct nls *asking; /* requests to neighbors; NULL before the first */
	struct loop_fd *readable;
	struct loop_job *job;
	struct loop_timer *resync;
	struct link *links;
	int dumping;  /* index into dumps[]; -1: none */
	bool initial; /* the first dump is no resync */
	bool resync_due;
};

/* -- links -------------------------------------------------------------------------------------- */

static struct link *find(const struct link_watch *w, uint32_t ifindex)
{
	struct link *l;

	HASH_FIND(hh, w->links, &ifindex, sizeof(ifindex), l);
	return l;
}

static void copy_name(char *to, size_t size, const struct nlattr *a)
{
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;

	memset(to, 0, size);
	if (n)
		memcpy(to, mnl_attr_get_payload(a), n < size ? n : size - 1);
}

static void copy_kind(struct link_info *l, const struct nlattr *linkinfo)
{
	const struct nlattr *a;

	memset(l->kind, 0, sizeof(l->kind));
	if (!linkinfo)
		return;
	mnl_attr_for_each_nested(a, linkinfo)
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			copy_name(l->kind, sizeof(l->kind), a);
	}
}

/* The kernel tells of IFF_RUNNING up to a second after the carrier came, since it works such events off once
 * a second; routes carry packets before. On a link of the default mode the carrier is all that is waited for.
 */
static bool is_running(const struct ifinfomsg *ifi, const struct nlattr *mode)
{
	bool waits =
	        !mode || mnl_attr_get_payload_len(mode) < 1 || mnl_attr_get_u8(mode) != IF_LINK_MODE_DEFAULT;

	return ifi->ifi_flags & IFF_RUNNING || (!waits && ifi->ifi_flags & IFF_LOWER_UP);
}

static bool parse_link(const struct nlmsghdr *h, struct link_info *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[IFLA_IFALIAS + 1]; /* the last of those wanted */

	if (!nls_attrs(h, sizeof(*ifi), tb, IFLA_IFALIAS) || ifi->ifi_index <= 0 ||
	    ifi->ifi_family != AF_UNSPEC)
		return false;
	*out = (struct link_info){ .ifindex = (uint32_t)ifi->ifi_index };
	out->admin_up = ifi->ifi_flags & IFF_UP;
	out->up = out->admin_up && is_running(ifi, tb[IFLA_LINKMODE]);
	(void)nls_u32(tb[IFLA_MTU], &out->mtu);
	copy_name(out->name, sizeof(out->name), tb[IFLA_IFNAME]);
	copy_name(out->alias, sizeof(out->alias), tb[IFLA_IFALIAS]);
	copy_kind(out, tb[IFLA_LINKINFO]);
	return true;
}

/* The kernel drops IPv4 routes with what happened, and does not say so: look again when the dust has settled.
 */
static void routes_may_be_gone(struct link_watch *w)
{
	if (w->resync_due || w->initial)
		return;
	w->resync_due = true;
	loop_timer_at(w->resync, loop_now(w->loop) + RESYNC_US);
}

static void on_link(struct link_watch *w, const struct nlmsghdr *h)
{
	struct link_info info;
	struct link *l;

	if (!parse_link(h, &info))
		return;
	l = find(w, info.ifindex);
	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return; /* the next resync finds it again */
		l->info.ifindex = info.ifindex;
		HASH_ADD(hh, w->links, info.ifindex, sizeof(l->info.ifindex), l);
	} else if (l->info.admin_up && !info.admin_up) {
		routes_may_be_gone(w);
	}
	l->seen = true;
	info.was_up = l->info.up;
	if (l->info.up != info.up)
		log_event(w->initial ? LOGL_DEBUG : LOGL_INFO, info.up ? "link.up" : "link.down",
		          kv_str("link", info.name));
	l->info = info;
	w->ev->link_set(w->ctx, &l->info);
}

static void forget(struct link_watch *w, struct link *l)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): how uthash unlinks is beyond it */
	HASH_DEL(w->links, l);
	log_event(LOGL_INFO, "link.lost", kv_str("link", l->info.name));
	w->ev->link_del(w->ctx, l->info.ifindex, l->info.name);
	free(l);
}

static void on_link_gone(struct link_watch *w, const struct nlmsghdr *h)
{
	struct link_info info;
	struct link *l;

	if (!parse_link(h, &info)) /* a bridge's port left, say: not AF_UNSPEC */
		return;
	l = find(w, info.ifindex);
	if (!l)
		return;
	forget(w, l);
	routes_may_be_gone(w);
}

/* -- addresses ---------------------------------------------------------------------------------- */

static void on_address(struct link_watch *w, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[IFA_FLAGS + 1], *own;
	uint8_t family;
	uint32_t flags;
	struct ip a;

	if (!nls_attrs(h, sizeof(*ifa), tb, IFA_FLAGS))
		return;
	family = ifa->ifa_family == AF_INET ? IP_V4 : ifa->ifa_family == AF_INET6 ? IP_V6 : IP_NONE;
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL]
	                    : tb[IFA_ADDRESS]; /* IFA_ADDRESS is the peer's on a point-to-point link */
	if (!own || family == IP_NONE || mnl_attr_get_payload_len(own) != ip_bytes(family) ||
	    ifa->ifa_prefixlen > ip_bits(family))
		return;
	a = ip_from_bytes(family, mnl_attr_get_payload(own));
	flags = ifa->ifa_flags;
	(void)nls_u32(tb[IFA_FLAGS], &flags);
	if (h->nlmsg_type == RTM_DELADDR) {
		w->ev->address_del(w->ctx, ifa->ifa_index, &a, ifa->ifa_prefixlen);
		if (family == IP_V4)
			routes_may_be_gone(w);
	} else if (!(flags & IFA_F_TENTATIVE) ||
	           flags & IFA_F_OPTIMISTIC) { /* told again when it may be used */
		w->ev->address_set(w->ctx, ifa->ifa_index, &a, ifa->ifa_prefixlen);
	}
}

/* -- routes ------------------------------------------------------------------------------------- */

static bool of_interest(const struct link_watch *w, const struct rt_msg *m)
{
	if (m->cloned || m->tos)
		return false;
	if (m->table != RT_TABLE_MAIN && m->table != RT_TABLE_LOCAL && m->table != w->own_table)
		return false;
	switch (m->type) {
	case RTN_UNICAST:
	case RTN_LOCAL:
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		return true;
	default:
		return false;
	}
}

static bool is_ignored(const struct link_watch *w, uint32_t port_id)
{
	for (size_t i = 0; i < w->n_ignored; i++) {
		if (w->ignored[i] == port_id)
			return true;
	}
	return false;
}

static void on_own_route(struct link_watch *w, const struct nlmsghdr *h, const struct rt_msg *m)
{
	bool dumped = h->nlmsg_flags & NLM_F_MULTI;

	if (!dumped && m->table == w->own_table && !is_ignored(w, h->nlmsg_pid))
		w->ev->own_route_lost(w->ctx, &m->prefix);
}

/* An IPv4 route goes before those of the same prefix and metric unless it is appended; an IPv6 one behind. */
static enum link_place place_of(const struct nlmsghdr *h, const struct rt_msg *m)
{
	if (h->nlmsg_flags & NLM_F_MULTI)
		return LINK_ROUTE_ANYWHERE;
	return h->nlmsg_flags & NLM_F_APPEND || m->prefix.addr.family == IP_V6 ? LINK_ROUTE_LAST
	                                                                       : LINK_ROUTE_FIRST;
}

/* Not followed, but packets of policy rules may take it. */
static void on_other_route(struct link_watch *w, const struct nlmsghdr *h, const struct rt_msg *m)
{
	if (!(h->nlmsg_flags & NLM_F_MULTI) && !m->cloned && w->ev->other_route)
		w->ev->other_route(w->ctx);
}

static void on_route(struct link_watch *w, const struct nlmsghdr *h)
{
	struct link_route r;
	struct rt_msg m;

	if (!rt_parse(h, &m))
		return;
	if (!of_interest(w, &m)) {
		on_other_route(w, h, &m);
		return;
	}
	if (m.protocol == w->own_protocol) {
		on_own_route(w, h, &m);
		return;
	}
	r = (struct link_route){ .prefix = m.prefix,
		                 .gateway = m.hop.gateway,
		                 .ifindex = m.type == RTN_UNICAST || m.type == RTN_LOCAL ? m.hop.ifindex : 0,
		                 .metric = m.metric,
		                 .table = m.table,
		                 .protocol = m.protocol,
		                 .local = m.type == RTN_LOCAL,
		                 .place = place_of(h, &m) };
	if (h->nlmsg_type == RTM_DELROUTE) {
		w->ev->route_del(w->ctx, &r);
		return;
	}
	w->ev->route_set(w->ctx, &r);
	if (h->nlmsg_flags & NLM_F_REPLACE && m.table == w->own_table) /* perhaps it replaced one of ours */
		w->ev->own_route_lost(w->ctx, &m.prefix);
}

/* -- neighbors ---------------------------------------------------------------------------------- */

/* An entry of the all-zeros address says where a VXLAN sends what it knows no place for. */
static void on_bridge_entry(struct link_watch *w, const struct ndmsg *ndm, const struct nlattr *mac)
{
	static const uint8_t everybody[ETH_ALEN];

	if (w->ev->link_touched && mac && mnl_attr_get_payload_len(mac) == sizeof(everybody) &&
	    memcmp(mnl_attr_get_payload(mac), everybody, sizeof(everybody)) == 0)
		w->ev->link_touched(w->ctx, (uint32_t)ndm->ndm_ifindex);
}

static void on_neighbor(struct link_watch *w, const struct nlmsghdr *h)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[NDA_LLADDR + 1];
	uint8_t family;
	struct ip a;

	if (!nls_attrs(h, sizeof(*ndm), tb, NDA_LLADDR))
		return;
	if (ndm->ndm_family == AF_BRIDGE)
		on_bridge_entry(w, ndm, tb[NDA_LLADDR]);
	if (!tb[NDA_DST] || !w->ev->neighbor_state)
		return;
	family = ndm->ndm_family == AF_INET ? IP_V4 : ndm->ndm_family == AF_INET6 ? IP_V6 : IP_NONE;
	if (family == IP_NONE || mnl_attr_get_payload_len(tb[NDA_DST]) != ip_bytes(family))
		return;
	a = ip_from_bytes(family, mnl_attr_get_payload(tb[NDA_DST]));
	if (ip_is_multicast(&a))
		return;
	if (h->nlmsg_type == RTM_NEWNEIGH && ndm->ndm_state & NUD_FAILED)
		w->ev->neighbor_state(w->ctx, (uint32_t)ndm->ndm_ifindex, &a, true);
	else if (h->nlmsg_type == RTM_NEWNEIGH &&
	         ndm->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_PERMANENT | NUD_NOARP))
		w->ev->neighbor_state(w->ctx, (uint32_t)ndm->ndm_ifindex, &a, false);
}

/* What comes of it is told by an event, and whoever asks will ask again. */
static void ignore_refusal(void *ctx, uint32_t index, int err, const char *text)
{
	(void)ctx;
	(void)index;
	(void)err;
	(void)text;
}

void link_watch_ask(struct link_watch *w, uint32_t ifindex, const struct ip *a)
{
	struct nlmsghdr *h;
	struct ndmsg *ndm;

	if (!w->asking && nls_open(&w->asking) < 0)
		return;
	h = nls_request(w->asking, RTM_NEWNEIGH, NLM_F_CREATE);
	ndm = mnl_nlmsg_put_extra_header(h, sizeof(*ndm));
	ndm->ndm_family = rt_af(a->family);
	ndm->ndm_ifindex = (int)ifindex;
	ndm->ndm_flags = NTF_USE;
	mnl_attr_put(h, NDA_DST, ip_bytes(a->family), a->b);
	(void)nls_send(w->asking, ignore_refusal, NULL);
}

/* -- sysctls of links -------------------------------------------------------------------------- */

static void on_netconf(struct link_watch *w, const struct nlmsghdr *h)
{
	const struct nlattr *tb[NETCONFA_RP_FILTER + 1];
	uint32_t ifindex;

	if (w->ev->link_touched && nls_attrs(h, sizeof(struct netconfmsg), tb, NETCONFA_RP_FILTER) &&
	    tb[NETCONFA_RP_FILTER] && nls_u32(tb[NETCONFA_IFINDEX], &ifindex))
		w->ev->link_touched(w->ctx, ifindex);
}

/* -- policy rules ------------------------------------------------------------------------------- */

static void on_rule_gone(struct link_watch *w, const struct nlmsghdr *h)
{
	const struct nlattr *tb[FRA_PROTOCOL + 1];

	if (!w->ev->rule_del || !nls_attrs(h, sizeof(struct fib_rule_hdr), tb, FRA_PROTOCOL))
		return;
	if (tb[FRA_PROTOCOL] && mnl_attr_get_payload_len(tb[FRA_PROTOCOL]) == sizeof(uint8_t))
		w->ev->rule_del(w->ctx, mnl_attr_get_u8(tb[FRA_PROTOCOL]));
}

/* -- messages, dumps, events -------------------------------------------------------------------- */

static void on_message(void *ctx, const struct nlmsghdr *h)
{
	struct link_watch *w = ctx;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		on_link(w, h);
		break;
	case RTM_DELLINK:
		on_link_gone(w, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		on_address(w, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		on_route(w, h);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neighbor(w, h);
		break;
	case RTM_NEWNETCONF:
		on_netconf(w, h);
		break;
	case RTM_DELRULE:
		on_rule_gone(w, h);
		break;
	default:
		break;
	}
}

/* In this order, so that what refers to a link is told after it. */
static const struct {
	uint16_t type, header;
	uint8_t family;
} dumps[] = {
	{ RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC },
	{ RTM_GETADDR, sizeof(struct ifaddrmsg), AF_INET },
	{ RTM_GETADDR, sizeof(struct ifaddrmsg), AF_INET6 },
	{ RTM_GETROUTE, sizeof(struct rtmsg), AF_INET },
	{ RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6 },
	{ RTM_GETNEIGH, sizeof(struct ndmsg), AF_INET },
	{ RTM_GETNEIGH, sizeof(struct ndmsg), AF_INET6 },
};
#define N_DUMPS (int)(sizeof(dumps) / sizeof(dumps[0]))

/* All these headers begin with the family. */
static int dump_begin(struct link_watch *w, int i)
{
	uint8_t header[32] = { dumps[i].family };

	w->dumping = i;
	return nls_dump(w->dump, dumps[i].type, header, dumps[i].header);
}

static void sync_begin(struct link_watch *w)
{
	struct link *l, *next;
	int rc;

	w->resync_due = false;
	HASH_ITER(hh, w->links, l, next)
	l->seen = false;
	if (!w->initial && w->ev->sync_begin)
		w->ev->sync_begin(w->ctx);
	rc = dump_begin(w, 0);
	if (rc < 0)
		log_event(LOGL_ERROR, "link.dump", kv_errno("error", rc));
	loop_job_kick(w->job);
}

static void sync_end(struct link_watch *w)
{
	struct link *l, *next;

	w->dumping = -1;
	HASH_ITER(hh, w->links, l, next)
	{
		if (!l->seen)
			forget(w, l);
	}
	if (w->initial && w->ev->ready)
		w->ev->ready(w->ctx);
	else if (!w->initial && w->ev->sync_end)
		w->ev->sync_end(w->ctx);
	w->initial = false;
}

/* A dump that broke off leaves its socket in the middle of it; what it did not tell is found by another one.
 */
static void dump_failed(struct link_watch *w, int err)
{
	struct nls *fresh;

	log_event(LOGL_WARNING, "link.dump", kv_errno("error", err));
	if (nls_open(&fresh) == 0) {
		nls_close(w->dump);
		w->dump = fresh;
	}
	w->resync_due = true;
	loop_timer_at(w->resync, loop_now(w->loop) + RESYNC_US);
}

/* @return whether the dump goes on. */
static bool dump_step(struct link_watch *w)
{
	int rc = nls_dump_step(w->dump, on_message, w);

	if (rc > 0)
		return true;
	/* EINTR: complete but torn, and the events of what changed meanwhile are waiting. */
	if (rc < 0 && rc != -EINTR && rc != -EOPNOTSUPP)
		dump_failed(w, rc);
	if (w->dumping + 1 == N_DUMPS) {
		sync_end(w);
		return false;
	}
	rc = dump_begin(w, w->dumping + 1);
	if (rc < 0)
		dump_failed(w, rc);
	return true;
}

static bool run(void *ctx)
{
	struct link_watch *w = ctx;

	for (unsigned i = 0; i < DUMP_BUFFERS && w->dumping >= 0; i++)
		(void)dump_step(w);
	if (w->dumping >= 0)
		return true;
	loop_fd_set(w->readable, LOOP_READ);
	return false;
}

static void on_resync(void *ctx)
{
	struct link_watch *w = ctx;

	if (w->dumping >= 0) {
		loop_timer_at(w->resync, loop_now(w->loop) + RESYNC_US);
		return;
	}
	loop_fd_set(w->readable, 0); /* events wait for the dump: they are newer */
	sync_begin(w);
}

static void on_readable(void *ctx, unsigned events)
{
	struct link_watch *w = ctx;
	int rc = 1;

	(void)events;
	for (unsigned i = 0; i < EVENT_BUFFERS && rc > 0; i++)
		rc = nls_events(w->events, on_message, w);
	if (rc >= 0)
		return;
	log_event(LOGL_WARNING, "link.events_lost", kv_errno("error", rc));
	if (w->ev->events_lost)
		w->ev->events_lost(w->ctx);
	w->resync_due = true;
	loop_timer_at(w->resync, loop_now(w->loop) + RESYNC_US);
}

/* -- opening and closing ------------------------------------------------------------------------ */

static int open_all(struct link_watch *w)
{
	static const unsigned groups[] = { RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEIGH,
		                           RTNLGRP_IPV4_RULE,  RTNLGRP_IPV6_RULE,   RTNLGRP_IPV4_NETCONF };
	int rc = nls_open_events(groups, sizeof(groups) / sizeof(groups[0]), &w->events);

	if (rc < 0 || (rc = nls_open(&w->dump)) < 0)
		return rc;
	w->readable = loop_fd_new(w->loop, nls_fd(w->events), 0, on_readable, w);
	w->job = loop_job_new(w->loop, run, w);
	w->resync = loop_timer_new(w->loop, on_resync, w);
	return w->readable && w->job && w->resync ? 0 : -ENOMEM;
}

int link_watch_new(struct loop *l, uint8_t own_protocol, uint32_t own_table, const struct link_events *ev,
                   void *ctx, struct link_watch **out)
{
	struct link_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	*w = (struct link_watch){ .loop = l,
		                  .ev = ev,
		                  .ctx = ctx,
		                  .own_protocol = own_protocol,
		                  .own_table = own_table,
		                  .dumping = -1,
		                  .initial = true };
	rc = open_all(w);
	if (rc < 0) {
		link_watch_free(w);
		return rc;
	}
	sync_begin(w);
	*out = w;
	return 0;
}

void link_watch_free(struct link_watch *w)
{
	struct link *l, *next;

	if (!w)
		return;
	loop_fd_free(w->readable);
	loop_job_free(w->job);
	loop_timer_free(w->resync);
	nls_close(w->events);
	nls_close(w->dump);
	nls_close(w->asking);
	HASH_ITER(hh, w->links, l, next)
	{
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): how uthash unlinks is beyond it */
		HASH_DEL(w->links, l);
		free(l);
	}
	free(w);
}

void link_watch_ignore(struct link_watch *w, const uint32_t *port_ids, size_t count)
{
	int rc = nls_ignore_ports(w->events, port_ids, count);

	memcpy(w->ignored, port_ids, count * sizeof(*port_ids));
	w->n_ignored = count;
	if (rc < 0)
		log_event(LOGL_WARNING, "link.filter", kv_errno("error", rc));
}

/* -- questions ---------------------------------------------------------------------------------- */

const struct link_info *link_by_index(const struct link_watch *w, uint32_t ifindex)
{
	const struct link *l = find(w, ifindex);

	return l ? &l->info : NULL;
}

const struct link_info *link_by_name(const struct link_watch *w, const char *name)
{
	struct link *l, *next;

	HASH_ITER(hh, w->links, l, next)
	{
		if (strcmp(l->info.name, name) == 0)
			return &l->info;
	}
	return NULL;
}

const struct link_info *link_next(const struct link_watch *w, const struct link_info *info)
{
	const struct link *l = info ? find(w, info->ifindex) : NULL;
	const struct link *next = info ? (l ? l->hh.next : NULL) : w->links;

	return next ? &next->info : NULL;
}
