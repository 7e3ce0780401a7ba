/* SPDX-License-Identifier: BSD-2-Clause */
/* sock.c - system calls around TCP sockets; see the header. Knows no BGP. */
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/tcp.h> /* what the C library's has, and the window of the other end */
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG   1024
#define DRAIN_MAX (256 * 1024)
#define DSCP_CS6  0xc0 /* network control, RFC 4594 */

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_set(union address *a, const struct ip *ip, uint16_t port, uint32_t ifindex)
{
	memset(a, 0, sizeof(*a));
	if (ip->family == IP_V4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, ip->b, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	memcpy(&a->v6.sin6_addr, ip->b, 16);
	a->v6.sin6_scope_id = ip_is_link_local(ip) ? ifindex : 0;
	return sizeof(a->v6);
}

/* @return the scope: 0 for what has none */
static uint32_t address_get(const union address *a, struct ip *ip, uint16_t *port)
{
	if (a->sa.sa_family == AF_INET) {
		*ip = ip_from_bytes(IP_V4, (const uint8_t *)&a->v4.sin_addr);
		*port = ntohs(a->v4.sin_port);
		return 0;
	}
	*ip = ip_from_bytes(IP_V6, (const uint8_t *)&a->v6.sin6_addr);
	*port = ntohs(a->v6.sin6_port);
	return a->v6.sin6_scope_id;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int new_socket(uint8_t family)
{
	int fd = socket(family == IP_V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	                IPPROTO_TCP);

	return fd < 0 ? -errno : fd;
}

/* What may fail without harm: the connection works without it. */
static void tune(int fd, uint8_t family)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (family == IP_V4)
		set_int(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	else
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6);
}

int sock_listen(const struct ip *address, uint16_t port)
{
	union address a;
	socklen_t len = address_set(&a, address, port, 0);
	int fd = new_socket(address->family), rc;

	if (fd < 0)
		return fd;
	if ((rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1)) < 0 ||
	    (rc = set_int(fd, IPPROTO_IP, IP_FREEBIND, 1)) < 0)
		goto fail;
	if (address->family == IP_V6 && (rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) < 0)
		goto fail;
	tune(fd, address->family);
	sock_set_ttl(fd, address->family,
	             UINT8_MAX); /* a SYN-ACK that TTL security at the other end lets in */
	rc = bind(fd, &a.sa, len) < 0 || listen(fd, BACKLOG) < 0 ? -errno : 0;
	if (rc == 0)
		return fd;
fail:
	close(fd);
	return rc;
}

static void take_control(const struct cmsghdr *c, struct sock_ends *ends)
{
	struct in_pktinfo v4_info;
	struct in6_pktinfo v6_info;
	bool v4 = c->cmsg_level == IPPROTO_IP, v6 = c->cmsg_level == IPPROTO_IPV6;
	int ttl;

	if (v4 && c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(v4_info))) {
		memcpy(&v4_info, CMSG_DATA(c), sizeof(v4_info));
		ends->arrival = (uint32_t)v4_info.ipi_ifindex;
	} else if (v6 && c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(v6_info))) {
		memcpy(&v6_info, CMSG_DATA(c), sizeof(v6_info));
		ends->arrival = v6_info.ipi6_ifindex;
	} else if (((v4 && c->cmsg_type == IP_TTL) || (v6 && c->cmsg_type == IPV6_HOPLIMIT)) &&
	           c->cmsg_len >= CMSG_LEN(sizeof(ttl))) {
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		ends->ttl = (uint8_t)ttl;
	}
}

/* How the other end came in, which the kernel keeps of the handshake for those who ask for it. */
static void arrival_of(int fd, struct sock_ends *ends)
{
	bool v4 = ends->remote.family == IP_V4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	int info = v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, ttl = v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT;
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	socklen_t len = sizeof(control);
	struct msghdr m;

	ends->arrival = ends->ttl = 0;
	if (set_int(fd, level, info, 1) < 0 || set_int(fd, level, ttl, 1) < 0 ||
	    getsockopt(fd, level, v4 ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS, &control, &len) < 0)
		return;
	set_int(fd, level, info, 0);
	set_int(fd, level, ttl, 0);
	m = (struct msghdr){ .msg_control = &control, .msg_controllen = len };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		take_control(c, ends);
}

int sock_accept(int listener, struct sock_ends *ends)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = sock_ends(fd, ends);
	if (rc < 0) { /* gone already */
		close(fd);
		return rc;
	}
	arrival_of(fd, ends);
	tune(fd, ends->remote.family);
	return fd;
}

static int bind_local(int fd, const struct sock_dial *d, uint32_t ifindex)
{
	union address a;
	socklen_t len = address_set(&a, &d->local, 0, ifindex);

	if (d->local.family == IP_NONE)
		return 0;
	set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &a.sa, len) < 0 ? -errno : 0;
}

int sock_bind_to(int fd, const char *interface)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0
	               ? -errno
	               : 0;
}

int sock_dial(const struct sock_dial *d)
{
	uint32_t ifindex = d->interface ? if_nametoindex(d->interface) : 0;
	union address a;
	socklen_t len = address_set(&a, &d->remote, d->port, ifindex);
	int fd, rc;

	if (d->interface && !ifindex)
		return -ENODEV;
	fd = new_socket(d->remote.family);
	if (fd < 0)
		return fd;
	rc = d->interface ? sock_bind_to(fd, d->interface) : 0;
	if (rc < 0)
		goto fail;
	tune(fd, d->remote.family);
	sock_set_ttl(fd, d->remote.family, d->ttl);
	if (d->min_ttl)
		sock_set_min_ttl(fd, d->remote.family, d->min_ttl);
	rc = d->md5->len ? sock_set_md5(fd, &(struct prefix){ d->remote, ip_bits(d->remote.family) }, d->md5)
	                 : 0;
	if (rc < 0)
		goto fail;
	rc = bind_local(fd, d, ifindex);
	if (rc < 0)
		goto fail;
	if (connect(fd, &a.sa, len) == 0 || errno == EINPROGRESS)
		return fd;
	rc = -errno;
fail:
	close(fd);
	return rc;
}

int sock_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

int sock_ends(int fd, struct sock_ends *ends)
{
	union address local = { 0 }, remote = { 0 };
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

	if (getsockname(fd, &local.sa, &local_len) < 0 || getpeername(fd, &remote.sa, &remote_len) < 0)
		return -errno;
	address_get(&local, &ends->local, &ends->local_port);
	ends->ifindex = address_get(&remote, &ends->remote, &ends->remote_port);
	return 0;
}

uint32_t sock_ifindex(const struct ip *local)
{
	struct ifaddrs *all, *i;
	uint32_t found = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (i = all; i && !found; i = i->ifa_next) {
		struct ip a;
		uint16_t port;

		if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		address_get((const union address *)i->ifa_addr, &a, &port);
		if (ip_equal(&a, local))
			found = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

void sock_set_ttl(int fd, uint8_t family, uint8_t ttl)
{
	if (family == IP_V4)
		set_int(fd, IPPROTO_IP, IP_TTL, ttl);
	else
		set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

void sock_set_min_ttl(int fd, uint8_t family, uint8_t ttl)
{
	if (family == IP_V4)
		set_int(fd, IPPROTO_IP, IP_MINTTL, ttl);
	else
		set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl);
}

int sock_set_md5(int fd, const struct prefix *peer, const struct secret *key)
{
	struct tcp_md5sig sig = { .tcpm_flags = TCP_MD5SIG_FLAG_PREFIX,
		                  .tcpm_prefixlen = peer->len,
		                  .tcpm_keylen = key->len };
	union address a;
	socklen_t len = address_set(&a, &peer->addr, 0, 0);
	int rc;

	memcpy(&sig.tcpm_addr, &a, len);
	memcpy(sig.tcpm_key, key->bytes, key->len);
	rc = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &sig, sizeof(sig)) < 0 ? -errno : 0;
	explicit_bzero(&sig, sizeof(sig));
	return rc;
}

bool sock_window_closed(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	return info.tcpi_notsent_bytes && info.tcpi_snd_wnd < info.tcpi_snd_mss;
}

void sock_set_user_timeout(int fd, unsigned ms)
{
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

ssize_t sock_send(int fd, const struct iovec *iov, int n)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n };
	ssize_t sent;

	do {
		sent = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
	return sent;
}

ssize_t sock_recv(int fd, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv(fd, buf, size, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void sock_close_gently(int fd)
{
	char dust[4096];

	for (size_t left = DRAIN_MAX; left && sock_recv(fd, dust, sizeof(dust)) > 0;)
		left -= sizeof(dust);
	close(fd);
}
