/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.h - gives up what root may do and mcbgpd needs not. */
#ifndef MCBGP_DAEMON_SANDBOX_H
#define MCBGP_DAEMON_SANDBOX_H

#include <stdbool.h>

#include "config/conf.h"

#define SANDBOX_USER "mcbgpd"

struct sandbox_needs {
	const char *file;   /* configuration; read again at each reload, and so are the secrets it names */
	const char *socket; /* control socket; made, and removed at the end, in its directory */
	const struct conf *conf; /* names the files of secrets, and the group that may use the socket */
};

/** Started by somebody else than root (systemd's User= among them): changes nothing. Started by root: becomes
 * SANDBOX_USER with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE where the host has such a user and that user can
 * reach @n; otherwise stays root, with those two and the capabilities over files alone. Either way no later
 * execve() gains anything. Makes the socket's directory when it is missing. Single-threaded callers only.
 *  @return 0 or -errno: then the process may have lost some of its rights and must end. */
int sandbox_enter(const struct sandbox_needs *n);
/** Whether the process may change links and routes: opening sockets and asking needs no right, so nothing
 * else tells before the first route is refused. */
bool sandbox_may_change_network(void);

/** A secret that root made for the daemon: given to SANDBOX_USER where the host has such a user.
 *  @return 0 or -errno. */
int sandbox_give(const char *file);

#endif
