/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: watching a kernel's table fill without disturbing it
 *
 * A listener for route events slows every writer down, and dumps hold the lock that writers need. So a sample
 * of the table is asked for, one after the other, by connecting a UDP socket: the kernel looks the
 * destination up without any lock, and says ENETUNREACH while there is no route. A thousand samples in random
 * places make the time of the last one that of the last route to a thousandth. A dump, when the clock has
 * been stopped, tells whether really all are there.
 *
 * How many next hops a route has is known to rtnetlink alone; it is asked where a scenario is about that. */
#include "kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"

#define SAMPLES    1000u
#define ANSWER_MAX 16384u

struct kernel {
	const struct table *table;
	const char *netns;
	int probe;  /* UDP */
	int asking; /* rtnetlink: requests */
	int events; /* rtnetlink: route events, -1 while nobody listens */
	uint32_t sample[SAMPLES], samples, next;
	unsigned hops;
};

struct kernel *kernel_new(const char *netns, const struct table *t)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		die("memory");
	k->table = t;
	k->netns = netns;
	k->events = -1;
	k->probe = netns_socket(netns, AF_INET, SOCK_DGRAM, 0);
	k->asking = netns_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	return k;
}

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	close(k->probe);
	close(k->asking);
	kernel_unlisten(k);
	free(k);
}

/* ---- is it there? ------------------------------------------------------------------------------ */

void kernel_expect(struct kernel *k, uint32_t first, uint32_t count, unsigned hops)
{
	uint32_t stride = count / SAMPLES ? count / SAMPLES : 1;

	k->hops = hops;
	k->samples = k->next = 0;
	for (uint32_t i = 0; i < count && k->samples < SAMPLES; i += stride) {
		uint32_t at = first + i; /* the next that nothing else covers */

		while (at < first + count && !table_alone(k->table, at))
			at++;
		if (at < first + count)
			k->sample[k->samples++] = at;
	}
}

static bool reachable(const struct kernel *k, uint32_t route)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(9),
		                  .sin_addr.s_addr = htonl(table_addr(k->table, route)) };

	return connect(k->probe, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Sends @h and reads the one answer into @buf. NULL: the kernel says no. */
static const struct nlmsghdr *ask(const struct kernel *k, struct nlmsghdr *h, void *buf, size_t size)
{
	const struct nlmsghdr *answer = buf;
	ssize_t n;

	h->nlmsg_flags = NLM_F_REQUEST;
	if (send(k->asking, h, h->nlmsg_len, 0) < 0 || (n = recv(k->asking, buf, size, 0)) < 0)
		die("rtnetlink");
	return mnl_nlmsg_ok(answer, (int)n) && answer->nlmsg_type != NLMSG_ERROR ? answer : NULL;
}

static unsigned hops_of_object(const struct kernel *k, uint32_t id)
{
	char buf[ANSWER_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	const struct nlmsghdr *answer;
	const struct nlattr *a;

	h->nlmsg_type = RTM_GETNEXTHOP;
	mnl_nlmsg_put_extra_header(h, sizeof(struct nhmsg));
	mnl_attr_put_u32(h, NHA_ID, id);
	answer = ask(k, h, buf, sizeof(buf));
	if (!answer)
		return 0;
	mnl_attr_for_each(a, answer, sizeof(struct nhmsg))
	{
		if (mnl_attr_get_type(a) == NHA_GROUP)
			return mnl_attr_get_payload_len(a) / sizeof(struct nexthop_grp);
	}
	return 1;
}

static unsigned hops_of_list(const struct nlattr *list)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(list);
	int left = mnl_attr_get_payload_len(list);
	unsigned n = 0;

	for (; RTNH_OK(hop, left); hop = RTNH_NEXT(hop), n++)
		left -= RTNH_ALIGN(hop->rtnh_len);
	return n;
}

static unsigned hops_of(const struct kernel *k, uint32_t route)
{
	char buf[ANSWER_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *m;
	const struct nlmsghdr *answer;
	const struct nlattr *a;

	h->nlmsg_type = RTM_GETROUTE;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = AF_INET;
	m->rtm_dst_len = 32;
	m->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put_u32(h, RTA_DST, htonl(table_addr(k->table, route)));
	answer = ask(k, h, buf, sizeof(buf));
	if (!answer)
		return 0;
	mnl_attr_for_each(a, answer, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == RTA_NH_ID)
			return hops_of_object(k, mnl_attr_get_u32(a));
		if (mnl_attr_get_type(a) == RTA_MULTIPATH)
			return hops_of_list(a);
	}
	return 1;
}

static bool as_expected(const struct kernel *k, uint32_t route)
{
	if (k->hops > 1)
		return hops_of(k, route) >= k->hops;
	return reachable(k, route) == (k->hops == 1);
}

bool kernel_reached(struct kernel *k)
{
	while (k->next < k->samples && as_expected(k, k->sample[k->next]))
		k->next++;
	return k->next == k->samples;
}

/* ---- how many are there? ----------------------------------------------------------------------- */

/* Counts the routes of one buffer of a dump. @return whether there is more. */
static bool count_routes(const char *buf, int n, uint32_t *count)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

	for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		const struct rtmsg *m = mnl_nlmsg_get_payload(h);

		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return false;
		if (m->rtm_table == RT_TABLE_MAIN && m->rtm_protocol != RTPROT_KERNEL)
			++*count;
	}
	return true;
}

uint32_t kernel_count(struct kernel *k)
{
	char buf[65536];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *m;
	uint32_t count = 0;
	ssize_t n;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = AF_INET;
	if (send(k->asking, h, h->nlmsg_len, 0) < 0)
		die("rtnetlink: dump");
	do {
		n = recv(k->asking, buf, sizeof(buf), 0);
		if (n < 0)
			die("rtnetlink: dump");
	} while (count_routes(buf, (int)n, &count));
	return count;
}

/* ---- what changes? ----------------------------------------------------------------------------- */

int kernel_listen(struct kernel *k)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE };
	int size = 64 << 20;

	k->events = netns_socket(k->netns, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (setsockopt(k->events, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(k->events, (struct sockaddr *)&group, sizeof(group)) < 0)
		die("rtnetlink: events");
	return k->events;
}

void kernel_unlisten(struct kernel *k)
{
	if (k->events >= 0)
		close(k->events);
	k->events = -1;
}

static uint32_t route_of(const struct kernel *k, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == RTA_DST)
			return table_find(k->table, ntohl(mnl_attr_get_u32(a)), m->rtm_dst_len);
	}
	return UINT32_MAX;
}

void kernel_events(struct kernel *k, void (*route_set)(void *ctx, uint32_t index), void *ctx)
{
	char buf[65536];
	ssize_t got;

	while ((got = recv(k->events, buf, sizeof(buf), 0)) > 0 || (got < 0 && errno == ENOBUFS)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
		int n = (int)got;

		for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
			uint32_t route = h->nlmsg_type == RTM_NEWROUTE ? route_of(k, h) : UINT32_MAX;

			if (route != UINT32_MAX)
				route_set(ctx, route);
		}
	}
}
