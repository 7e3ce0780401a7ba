/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_netlink.c - what the kernel says, told by somebody else: routes, nexthop objects, links, addresses,
 * neighbors, WireGuard devices. The parsers of the last ones are their files' own affair, so the files are
 * part of this one. Properties: all that is told makes sense to who hears it (families, lengths, indices); a
 * route that we read, we write to one that we read the same. */
#include <linux/nexthop.h>

#include "netlink/link.c"
#include "tunnel/wgnl.c"

#define MAIN_PORT 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* -- who hears of links and their like ------------------------------------------------------------ */

static void hear_link(void *ctx, const struct link_info *l)
{
	(void)ctx;
	assert(l->ifindex && memchr(l->name, 0, sizeof(l->name)) && memchr(l->kind, 0, sizeof(l->kind)) &&
	       memchr(l->alias, 0, sizeof(l->alias)));
	assert(!l->up || l->admin_up);
}

static void hear_link_gone(void *ctx, uint32_t ifindex, const char *name)
{
	(void)ctx;
	assert(ifindex && strlen(name) < IFNAMSIZ);
}

static void hear_address(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	(void)ctx;
	(void)ifindex;
	assert(ip_bits(a->family) && len <= ip_bits(a->family));
}

static void hear_route(void *ctx, const struct link_route *r)
{
	(void)ctx;
	assert(ip_bits(r->prefix.addr.family) && r->prefix.len <= ip_bits(r->prefix.addr.family));
	assert(r->gateway.family == IP_NONE || ip_bits(r->gateway.family));
}

static void hear_own_route(void *ctx, const struct prefix *p)
{
	(void)ctx;
	assert(ip_bits(p->addr.family) && p->len <= ip_bits(p->addr.family));
}

static void hear_neighbor(void *ctx, uint32_t ifindex, const struct ip *a, bool failed)
{
	(void)ctx;
	(void)ifindex;
	(void)failed;
	assert(ip_bits(a->family) && !ip_is_multicast(a));
}

static const struct link_events everything = {
	.link_set = hear_link,
	.link_del = hear_link_gone,
	.address_set = hear_address,
	.address_del = hear_address,
	.route_set = hear_route,
	.route_del = hear_route,
	.own_route_lost = hear_own_route,
	.neighbor_state = hear_neighbor,
};

static void fini(struct link_watch *w)
{
	struct link *l, *next;

	HASH_ITER(hh, w->links, l, next)
	{
		HASH_DEL(w->links, l);
		free(l);
	}
}

/* -- routes and nexthop objects ------------------------------------------------------------------- */

static bool same_hop(const struct fib_hop *a, const struct fib_hop *b)
{
	return ip_equal(&a->gateway, &b->gateway) && a->ifindex == b->ifindex && a->weight == b->weight &&
	       a->onlink == b->onlink;
}

static void round_trip(const struct rt_msg *m, const struct fib_hop *hops, size_t n)
{
	static union {
		struct nlmsghdr h;
		uint8_t room[NL_MSG_MAX];
	} buf;
	static struct fib_hop again[RT_HOPS_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf.room);
	const struct rt_key key = { m->prefix, m->table, m->metric, m->protocol };
	const struct fib_route route = { .kind = FIB_UNICAST, .hops = hops, .n_hops = n };
	struct rt_msg back;

	rt_put_route(h, &key, &route, m->nh_id);
	assert(h->nlmsg_len <= sizeof(buf) && rt_parse(h, &back));
	assert(prefix_equal(&m->prefix, &back.prefix) && m->table == back.table);
	assert(m->metric == back.metric && m->protocol == back.protocol && m->nh_id == back.nh_id);
	assert(rt_hops(&back, again) == n);
	for (size_t i = 0; i < n; i++)
		assert(same_hop(&hops[i], &again[i]));
}

static void check_route(const struct nlmsghdr *h)
{
	static struct fib_hop hops[RT_HOPS_MAX];
	struct rt_msg m;
	size_t n;

	if (!rt_parse(h, &m))
		return;
	n = rt_hops(&m, hops);
	assert(n <= RT_HOPS_MAX && (!m.nh_id || n == 0));
	for (size_t i = 0; i < n; i++) {
		assert(hops[i].weight >= 1 && hops[i].weight <= 256);
		if (!hops[i].ifindex)
			return; /* we would not write such a one */
	}
	if (n == 1)
		hops[0].weight = 1; /* that of a single hop says nothing */
	if (n && n <= 64)
		round_trip(&m, hops, n);
}

static void check_nexthop(const struct nlmsghdr *h)
{
	struct nh_msg m;
	unsigned weight = 0;

	if (!nh_parse(h, &m))
		return;
	for (size_t i = 0; i < m.n_group; i++) {
		struct nexthop_grp g;

		memcpy(&g, &m.group[i], sizeof(g));
		weight += nh_group_weight(&g);
	}
	assert(weight >= m.n_group);
}

static void check_device(const struct nlmsghdr *h)
{
	struct wgnl_device d = { 0 };

	on_device(h, &d);
	for (size_t i = 0; i < d.n_peers; i++) {
		const struct wgnl_peer *p = &d.peers[i];

		assert(p->n_allowed <= p->room_allowed);
		for (size_t k = 0; k < p->n_allowed; k++)
			assert(p->allowed[k].len <= ip_bits(p->allowed[k].addr.family));
	}
	wgnl_device_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static union {
		struct nlmsghdr h;
		uint8_t room[8192];
	} buf;
	struct link_watch w = { .ev = &everything,
		                .own_protocol = 178,
		                .own_table = RT_TABLE_MAIN,
		                .ignored = { MAIN_PORT },
		                .n_ignored = 1,
		                .initial = true };
	const struct nlmsghdr *h = &buf.h;
	int left = (int)len;

	if (len > sizeof(buf))
		return 0;
	memset(&buf, 0xa5, sizeof(buf));
	if (len)
		memcpy(buf.room, data, len);
	for (; nls_msg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		on_message(&w, h);
		check_route(h);
		check_nexthop(h);
		check_device(h);
	}
	fini(&w);
	return 0;
}
