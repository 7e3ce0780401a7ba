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

/** Listen at @path, mode 0660; @group (NULL: none) gets it when the host has such a group, and a warning is
 * logged when it has not and @group_wanted. A socket file that nobody serves any more is replaced. @b is
 * borrowed for the server's life.
 *  @return 0; -EADDRINUSE: another process serves @path; -ENOTSOCK: @path is something else; -ENAMETOOLONG;
 * or what the system says. */
int ctl_server_open(struct loop *l, const struct ctl_backend *b, const char *path, const char *group,
                    bool group_wanted, struct ctl_server **out);
/** What was answered goes out as far as the sockets take it at once; the socket file is removed. NULL is
 * fine. Not from inside a function of the backend. */
void ctl_server_close(struct ctl_server *s);

#endif
