/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: packets through a gateway while one of its next hops dies
 *
 *	forward COUNT DESTINATIONS RATE SECONDS FROM OLD NEW [INTERFACE]
 *
 * Sends RATE packets a second from the namespace FROM to DESTINATIONS addresses, one after the other, spread
 * over a table of COUNT routes, and watches in the namespaces OLD and NEW which of them receives each. When
 * all destinations have been seen at OLD it prints {"flowing": NS} and waits for a line on stdin. The line
 * "cut" makes it take INTERFACE of OLD down; any other says that the driver has done something of that kind.
 * It ends when every destination has been seen at NEW, or after SECONDS:
 *
 *	{"cut": NS, "moved": NS or null, "left": destinations not moved, "sent": N, "received": N}
 *
 * "moved" is when the last destination was first seen at NEW; its resolution is DESTINATIONS / RATE. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"
#include "table.h"

#define DESTINATIONS_MAX 1000u
#define PORT             9 /* discard */
#define BATCH            64u
#define PACKET_MAX       128u

/* Where packets arrive. */
struct watch {
	int fd;
	uint64_t packets;
	uint64_t first_at[DESTINATIONS_MAX]; /* 0: not seen */
	unsigned seen;                       /* destinations */
};

struct forward {
	struct sockaddr_in to[DESTINATIONS_MAX];
	unsigned destinations;
	unsigned rate; /* packets a second */
	int fd;
	uint64_t begun, sent;
	struct watch old, new;
};

/* ---- destinations ------------------------------------------------------------------------------ */

static void choose_destinations(struct forward *f, uint32_t count, unsigned wanted)
{
	struct table *t = table_new(count, 6, false);

	if (!t || wanted > DESTINATIONS_MAX)
		die("no such table");
	for (unsigned i = 0; i < wanted; i++) {
		uint32_t at = (uint32_t)((uint64_t)i * count / wanted);

		while (at < count && !table_alone(t, at))
			at++;
		if (at < count)
			f->to[f->destinations++] =
			        (struct sockaddr_in){ .sin_family = AF_INET,
				                      .sin_port = htons(PORT),
				                      .sin_addr.s_addr = htonl(table_addr(t, at) + 1) };
	}
	table_free(t);
}

/* ---- sending ----------------------------------------------------------------------------------- */

/* The payload says which destination it is for. */
static void send_some(struct forward *f, unsigned n)
{
	struct mmsghdr messages[BATCH];
	struct iovec payloads[BATCH];
	uint16_t which[BATCH];
	int done;

	memset(messages, 0, sizeof(messages));
	for (unsigned i = 0; i < n; i++) {
		which[i] = (uint16_t)((f->sent + i) % f->destinations);
		payloads[i] = (struct iovec){ &which[i], sizeof(which[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &f->to[which[i]],
			                               .msg_namelen = sizeof(f->to[0]),
			                               .msg_iov = &payloads[i],
			                               .msg_iovlen = 1 };
	}
	done = sendmmsg(f->fd, messages, n, MSG_DONTWAIT);
	if (done > 0)
		f->sent += (unsigned)done;
	else if (errno != EAGAIN && errno != ENOBUFS && errno != EHOSTUNREACH && errno != ENETUNREACH)
		die("sending");
}

static void send_due(struct forward *f)
{
	uint64_t due = (now_ns() - f->begun) * f->rate / UINT64_C(1000000000);

	if (due > f->sent)
		send_some(f, due - f->sent < BATCH ? (unsigned)(due - f->sent) : BATCH);
}

/* ---- receiving --------------------------------------------------------------------------------- */

static int packet_socket(const char *netns)
{
	int fd = netns_socket(netns, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_IP));
	int size = 16 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* The destination that a packet says it is for; -1: not one of ours. */
static int destination_of(const struct forward *f, const uint8_t *packet, size_t len)
{
	struct iphdr ip;
	struct udphdr udp;
	uint16_t which;

	if (len < sizeof(ip) + sizeof(udp) + sizeof(which))
		return -1;
	memcpy(&ip, packet, sizeof(ip));
	memcpy(&udp, packet + sizeof(ip), sizeof(udp));
	memcpy(&which, packet + sizeof(ip) + sizeof(udp), sizeof(which));
	if (ip.protocol != IPPROTO_UDP || ip.ihl != 5 || udp.dest != htons(PORT) || which >= f->destinations)
		return -1;
	return ip.daddr == f->to[which].sin_addr.s_addr ? which : -1;
}

static void receive_all(const struct forward *f, struct watch *w)
{
	uint8_t packet[PACKET_MAX];
	ssize_t n;

	while ((n = recv(w->fd, packet, sizeof(packet), 0)) >= 0) {
		int which = destination_of(f, packet, (size_t)n);

		if (which < 0)
			continue;
		w->packets++;
		if (w->first_at[which])
			continue;
		w->first_at[which] = now_ns();
		w->seen++;
	}
}

static uint64_t last_of(const struct forward *f, const struct watch *w)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < f->destinations; i++) {
		if (w->first_at[i] > last)
			last = w->first_at[i];
	}
	return last;
}

/* ---- the cut ----------------------------------------------------------------------------------- */

static uint64_t cut(const char *netns, const char *interface)
{
	struct ifreq request = { .ifr_flags = 0 };
	int fd = netns_socket(netns, AF_INET, SOCK_DGRAM, 0);
	uint64_t at = now_ns();

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("taking %s down", interface);
	close(fd);
	return at;
}

/* 0: the driver has said nothing yet. */
static uint64_t read_cut(const char *netns, const char *interface)
{
	char line[16];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		die("the driver has gone");
	return strncmp(line, "cut", 3) == 0 && interface ? cut(netns, interface) : now_ns();
}

int main(int argc, char **argv)
{
	static struct forward f;
	const char *interface = argc > 8 ? argv[8] : NULL;
	uint64_t deadline, cut_at = 0;
	bool flowing = false;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc < 8)
		die("usage: forward COUNT DESTINATIONS RATE SECONDS FROM OLD NEW [INTERFACE]");
	choose_destinations(&f, (uint32_t)atoi(argv[1]), (unsigned)atoi(argv[2]));
	f.rate = (unsigned)atoi(argv[3]);
	f.fd = netns_socket(argv[5], AF_INET, SOCK_DGRAM, 0);
	f.old.fd = packet_socket(argv[6]);
	f.new.fd = packet_socket(argv[7]);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	f.begun = now_ns();
	deadline = f.begun + (uint64_t)atoi(argv[4]) * UINT64_C(1000000000);
	while (now_ns() < deadline && f.new.seen < f.destinations) {
		send_due(&f);
		receive_all(&f, &f.old);
		receive_all(&f, &f.new);
		if (!flowing && f.old.seen == f.destinations) {
			flowing = true;
			printf("{\"flowing\": %lu}\n", now_ns());
			fflush(stdout);
		}
		if (flowing && !cut_at)
			cut_at = read_cut(argv[6], interface);
		usleep(200);
	}
	printf("{\"cut\": %lu, \"moved\": ", cut_at);
	printf(f.new.seen == f.destinations ? "%lu" : "null", last_of(&f, &f.new));
	printf(", \"left\": %u, \"sent\": %lu, \"received\": %lu}\n", f.destinations - f.new.seen, f.sent,
	       f.old.packets + f.new.packets);
	return 0;
}
