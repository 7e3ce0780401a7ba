/* SPDX-License-Identifier: BSD-2-Clause */
/* plan.h - what a new configuration would change, said before it is done: one item a difference, with its
 * cost from the option table. Pure. */
#ifndef MCBGP_CONFIG_PLAN_H
#define MCBGP_CONFIG_PLAN_H

#include "config/schema.h"

/** One difference. The strings are borrowed until the function that is told returns. */
struct plan_item {
	const char *kind;      /* "router", "peer", "tunnel", "filter", "prefix set", "static route" ... */
	const char *name;      /* of that peer, tunnel ...; NULL: there is one only */
	const char *setting;   /* NULL: the whole thing comes, goes, or has another content */
	const char *from, *to; /* values of @setting in words */
	const char *effect;    /* schema_effect_name(); or "added", "removed" */
	const char *text;      /* all of it, as a line for people */
};

typedef void (*plan_fn)(void *ctx, const struct plan_item *item);

/** Tell every difference between @old and @new to @fn, in the order of the sections. Defaults of `router`
 * that peers inherit are told of the peers. @return how many there are. */
size_t plan_tell(const struct conf *old, const struct conf *new, plan_fn fn, void *ctx);

/** The settings that wait for a start of the daemon: in force is what @opened says. Only sections that are
 * there once have such. */
size_t plan_pending(const struct conf *opened, const struct conf *now, plan_fn fn, void *ctx);

#endif
