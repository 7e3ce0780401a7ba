/* SPDX-License-Identifier: BSD-2-Clause */
/* server.h - the control socket: clients on a UNIX stream socket that speak BIRD's control protocol.
 *
 * Answers are made in pieces, as fast as their reader takes them: no client makes the daemon hold more than
 * CTL_OUT_MAX bytes for it, or wait for it. */
#ifndef MCBGP_CTL_SERVER_H
#define MCBGP_CTL_SERVER_H

#include "ctl/backend.h"
#include "io/loop.h"

#define CTL_CLIENTS_MAX 64    /* at a time; for a further one, the one that was silent longest is hung up */
#define CTL_OUT_MAX     65536 /* bytes of answer waiting for one client, about */

struct ctl_server;

struct ctl_socket {
	const char *path;
	const char *group; /* NULL: none */
	bool group_wanted; /* a warning is logged when the host has no such group */
	bool readonly;     /* commands that change something are refused */
};

/** Listen at a socket of mode 0660, which belongs to its group when there is one. A socket file that nobody
 * serves any more is replaced. @b is borrowed for the server's life.
 *  @return 0; -EADDRINUSE: another process serves @path; -ENOTSOCK: @path is something else; -ENAMETOOLONG;
 * or what the system says. */
int ctl_server_open(struct loop *l, const struct ctl_backend *b, const struct ctl_socket *where,
                    struct ctl_server **out);
/** Something happened: told to the clients that monitor. NULL is fine. From anywhere but the backend's own
 * functions; may be called while one of them runs. */
void ctl_server_event(struct ctl_server *s, const struct ctl_event *e);
/** Whether any client would be told. NULL is fine. */
bool ctl_server_monitored(const struct ctl_server *s);
/** What was answered goes out as far as the sockets take it at once; the socket file is removed. NULL is
 * fine. Not from inside a function of the backend. */
void ctl_server_close(struct ctl_server *s);

#endif
