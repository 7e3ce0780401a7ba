/* SPDX-License-Identifier: BSD-2-Clause */
/* link_address.h - our own addresses on a session's link, asked of the kernel when they are needed: when a
 * session comes up, and when an address came or went. */
#ifndef MCBGP_IO_LINK_ADDRESS_H
#define MCBGP_IO_LINK_ADDRESS_H

#include "lib/prefix.h"

struct link_address {
	struct ip v4, v6;     /* the first usable one of its family; IP_NONE: none */
	struct ip link_local; /* IPv6, only when @remote shares the link with us (RFC 2545 3) */
};

/** Addresses of the link @ifindex (0: none) as seen by a peer at @remote. */
void link_address_find(uint32_t ifindex, const struct ip *remote, struct link_address *out);

#endif
