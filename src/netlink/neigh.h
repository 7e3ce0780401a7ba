/* SPDX-License-Identifier: BSD-2-Clause */
/* neigh.h - the kernel's neighbor entries, asked for one at a time. */
#ifndef MCBGP_NETLINK_NEIGH_H
#define MCBGP_NETLINK_NEIGH_H

#include "lib/prefix.h"

#define NEIGH_LLADDR_MAX 32 /* bytes of a link-layer address */

struct neigh_entry {
	uint16_t state; /* NUD_*; 0: there is no entry */
	uint8_t lladdr[NEIGH_LLADDR_MAX];
	uint8_t lladdr_len;
};

struct neigh;
/** @return 0 or -errno. */
int neigh_open(struct neigh **out);
void neigh_close(struct neigh *n); /* NULL is fine */
/** The entry of @a on the link @ifindex; some microseconds. @return 0 (without an entry too) or -errno. */
int neigh_get(struct neigh *n, uint32_t ifindex, const struct ip *a, struct neigh_entry *out);
const char *neigh_state_name(uint16_t state); /* "REACHABLE" ..., as `ip neigh` names them */

#endif
