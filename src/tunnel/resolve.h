/* SPDX-License-Identifier: BSD-2-Clause */
/* resolve.h - a name to an address, without the loop waiting for it. */
#ifndef MCBGP_TUNNEL_RESOLVE_H
#define MCBGP_TUNNEL_RESOLVE_H

#include "io/loop.h"
#include "lib/prefix.h"

struct resolve;
/** @address: of the family that the host prefers; IP_NONE: the name has none, @error says why (a constant).
 * The resolve is over: free it, here or later. */
typedef void (*resolve_fn)(void *ctx, const struct ip *address, const char *error);
/** Ask for @name. NULL: no memory or no thread for it. */
struct resolve *resolve_new(struct loop *l, const char *name, resolve_fn fn, void *ctx);
/** NULL is fine; an unfinished question is left to itself, and @fn is not called any more. */
void resolve_free(struct resolve *r);

#endif
