/* SPDX-License-Identifier: BSD-2-Clause */
/* role.h - leaks of routes told by roles: who is what to whom, and the Only-to-Customer attribute that
 * follows from it (RFC 9234 5). Pure. */
#ifndef MCBGP_POLICY_ROLE_H
#define MCBGP_POLICY_ROLE_H

#include "bgp/attrs.h"
#include "bgp/open.h"

/** What we are to an external peer. */
struct peer_role {
	bool set;
	uint8_t role; /* enum bgp_role */
};

/** Whether @a, received from @remote_as, has come where it must not be. */
bool role_is_leak(struct peer_role r, uint32_t remote_as, const struct attrs *a);
/** Mark what was received so that it goes to customers only. @return whether that changed anything. */
bool role_mark_in(struct peer_role r, uint32_t remote_as, struct attrs_edit *e);
/** Whether @a may be announced to the peer. */
bool role_may_hear(struct peer_role r, const struct attrs *a);
/** Mark what is announced to the peer. */
void role_mark_out(struct peer_role r, uint32_t local_as, struct attrs_edit *e);

#endif
