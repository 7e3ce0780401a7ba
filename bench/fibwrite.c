/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the limit for all that write routes: batches to rtnetlink, and nothing else
 *
 *	fibwrite NETNS INTERFACE GATEWAY COUNT plain|nexthop BATCH all|last|none
 *
 * Puts COUNT routes into the main table of NETNS, BATCH requests a sendmsg(2), and takes them out again;
 * prints {"add": seconds, "delete": seconds}. `plain` routes carry gateway and interface, `nexthop` ones the
 * number of a nexthop object. An acknowledgement is asked for `all` requests, the `last` one of each batch
 * (what a daemon needs at least to know its errors), or `none`. Requests are made before the clock starts. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"
#include "table.h"

#define PROTOCOL    178
#define METRIC      32
#define NEXTHOP_ID  1
#define REQUEST_MAX 96u

struct writer_plan {
	uint32_t gateway; /* network byte order */
	uint32_t interface;
	bool nexthop;
	unsigned batch;
	const char *acks;
};

/* Requests one behind the other, and where each batch ends. */
struct requests {
	char *bytes;
	size_t len;
	size_t *end; /* of each batch, from the beginning */
	unsigned batches;
};

static void put_route(struct nlmsghdr *h, const struct writer_plan *plan, uint32_t addr, uint8_t len)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = AF_INET;
	m->rtm_dst_len = len;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = PROTOCOL;
	m->rtm_scope = RT_SCOPE_UNIVERSE;
	m->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(h, RTA_DST, htonl(addr));
	mnl_attr_put_u32(h, RTA_PRIORITY, METRIC);
	if (plan->nexthop) {
		mnl_attr_put_u32(h, RTA_NH_ID, NEXTHOP_ID);
	} else {
		mnl_attr_put_u32(h, RTA_GATEWAY, plan->gateway);
		mnl_attr_put_u32(h, RTA_OIF, plan->interface);
	}
}

static void make_requests(struct requests *r, const struct table *t, const struct writer_plan *plan,
                          uint16_t type)
{
	uint32_t count = table_count(t);

	*r = (struct requests){ .bytes = malloc((size_t)count * REQUEST_MAX),
		                .end = malloc((count / plan->batch + 1) * sizeof(*r->end)) };
	if (!r->bytes || !r->end)
		die("memory");
	for (uint32_t i = 0; i < count; i++) {
		struct nlmsghdr *h = mnl_nlmsg_put_header(r->bytes + r->len);
		bool last = (i + 1) % plan->batch == 0 || i + 1 == count;

		h->nlmsg_type = type;
		h->nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0);
		if (strcmp(plan->acks, "all") == 0 || (last && strcmp(plan->acks, "last") == 0))
			h->nlmsg_flags |= NLM_F_ACK;
		put_route(h, plan, table_addr(t, i), table_len(t, i));
		r->len += NLMSG_ALIGN(h->nlmsg_len);
		if (last)
			r->end[r->batches++] = r->len;
	}
}

static void free_requests(struct requests *r)
{
	free(r->bytes);
	free(r->end);
}

/* Reads the answers that are there; the kernel has worked a batch off when sendmsg() returns. */
static void read_answers(int fd)
{
	char buf[65536];
	ssize_t got;

	while ((got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
		int n = (int)got;

		for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type == NLMSG_ERROR && e->error) {
				errno = -e->error;
				die("the kernel refuses a route");
			}
		}
	}
}

/* @return seconds. */
static double write_all(int fd, const struct requests *r)
{
	uint64_t begun = now_ns();
	size_t at = 0;

	for (unsigned i = 0; i < r->batches; i++) {
		if (send(fd, r->bytes + at, r->end[i] - at, 0) < 0)
			die("rtnetlink");
		at = r->end[i];
		read_answers(fd);
	}
	return (double)(now_ns() - begun) / 1e9;
}

static void change_nexthop(int fd, const struct writer_plan *plan, uint16_t type)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nhmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = type;
	h->nlmsg_flags =
	        NLM_F_REQUEST | NLM_F_ACK | (type == RTM_NEWNEXTHOP ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	m->nh_family = type == RTM_NEWNEXTHOP ? AF_INET : AF_UNSPEC;
	mnl_attr_put_u32(h, NHA_ID, NEXTHOP_ID);
	if (type == RTM_NEWNEXTHOP) {
		m->nh_protocol = PROTOCOL;
		mnl_attr_put_u32(h, NHA_OIF, plan->interface);
		mnl_attr_put_u32(h, NHA_GATEWAY, plan->gateway);
	}
	if (send(fd, h, h->nlmsg_len, 0) < 0)
		die("rtnetlink");
	read_answers(fd);
}

static int rtnetlink(const char *netns)
{
	int size = 16 << 20;
	int fd = netns_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		die("rtnetlink: buffers");
	return fd;
}

int main(int argc, char **argv)
{
	struct writer_plan plan = { 0 };
	struct requests add, delete;
	struct table *t;
	double add_s, delete_s;
	int fd;

	if (argc != 8)
		die("usage: fibwrite NETNS INTERFACE GATEWAY COUNT plain|nexthop BATCH all|last|none");
	netns_enter(argv[1]);
	plan.interface = if_nametoindex(argv[2]);
	plan.nexthop = strcmp(argv[5], "nexthop") == 0;
	plan.batch = (unsigned)atoi(argv[6]);
	plan.acks = argv[7];
	t = table_new((uint32_t)atoi(argv[4]), 6, false);
	if (!plan.interface || inet_pton(AF_INET, argv[3], &plan.gateway) != 1 || !plan.batch || !t)
		die("no such interface, gateway, batch or table");
	fd = rtnetlink(argv[1]);
	make_requests(&add, t, &plan, RTM_NEWROUTE);
	make_requests(&delete, t, &plan, RTM_DELROUTE);
	if (plan.nexthop)
		change_nexthop(fd, &plan, RTM_NEWNEXTHOP);
	add_s = write_all(fd, &add);
	delete_s = write_all(fd, &delete);
	if (plan.nexthop)
		change_nexthop(fd, &plan, RTM_DELNEXTHOP);
	free_requests(&add);
	free_requests(&delete);
	table_free(t);
	close(fd);
	printf("{\"add\": %.6f, \"delete\": %.6f}\n", add_s, delete_s);
	return 0;
}
