/* SPDX-License-Identifier: BSD-2-Clause */
/* sock.h - TCP sockets as BGP wants them: non-blocking, close-on-exec, no delay. Functions return a
 * descriptor or 0, or -errno. */
#ifndef MCBGP_IO_SOCK_H
#define MCBGP_IO_SOCK_H

#include <sys/uio.h>

#include "io/secret.h"
#include "lib/prefix.h"

/** Both ends of a connection. */
struct sock_ends {
	struct ip local, remote;
	uint16_t local_port, remote_port;
	uint32_t ifindex; /* that scopes a link-local remote address; 0: none */
	uint32_t arrival; /* accepted ones: the interface they came in by; 0: not known */
	uint8_t ttl;      /* accepted ones: of the packet that completed the handshake; 0: not known */
};

/** A listening socket; the address need not be there yet (IP_FREEBIND). IPv6 ones take no IPv4. */
int sock_listen(const struct ip *address, uint16_t port);
/** The next waiting connection; -EAGAIN: none. */
int sock_accept(int listener, struct sock_ends *ends);

struct sock_dial {
	struct ip remote, local; /* local: IP_NONE for the kernel's choice */
	uint16_t port;
	const char *interface;    /* NULL: any; the only one a link-local remote can be reached by */
	const struct secret *md5; /* of the session (RFC 2385); empty: none */
	uint8_t ttl;
	uint8_t min_ttl; /* RFC 5082: what comes with less is dropped; 0: any */
};
/** Begin to connect; writable when it is done, and sock_error() says how. */
int sock_dial(const struct sock_dial *d);
int sock_error(int fd); /* 0 or the errno that is pending */
int sock_ends(int fd, struct sock_ends *ends);

uint32_t sock_ifindex(const struct ip *local); /* the interface that has the address @local; 0: none */

/** Packets go out and are taken by that interface only. 0 or -errno. */
int sock_bind_to(int fd, const char *interface);
void sock_set_ttl(int fd, uint8_t family, uint8_t ttl);
void sock_set_min_ttl(int fd, uint8_t family, uint8_t ttl); /* RFC 5082; what comes with less is dropped */
/** Segments to and from @peer are signed with @key (RFC 2385) on this socket, and on what it accepts; an
 * empty key takes that back. 0 or -errno; -ENOPROTOOPT: the kernel cannot. */
int sock_set_md5(int fd, const struct prefix *peer, const struct secret *key);
/** Whether the other end has told that it takes no more bytes for now. */
bool sock_window_closed(int fd);
/** Give up when sent data has not been acknowledged, or taken, for @ms; 0: the kernel's own patience. */
void sock_set_user_timeout(int fd, unsigned ms);
/** @return bytes taken, 0 when the socket is full. */
ssize_t sock_send(int fd, const struct iovec *iov, int n);
/** @return bytes, 0 at the end of the stream. -EAGAIN: nothing there. */
ssize_t sock_recv(int fd, void *buf, size_t size);
/** Throw away what waits to be read (up to a bound), then close: a close() over unread bytes resets the
 * connection, and the peer may never see our NOTIFICATION. */
void sock_close_gently(int fd);

#endif
