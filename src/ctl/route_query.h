/* SPDX-License-Identifier: BSD-2-Clause */
/* route_query.h - which routes `show route` is asked for. */
#ifndef MCBGP_CTL_ROUTE_QUERY_H
#define MCBGP_CTL_ROUTE_QUERY_H

#include "ctl/commands.h"
#include "ctl/where.h"

enum toward { TOWARD_NOBODY, TOWARD_EXPORT, TOWARD_NOEXPORT };

/** What is asked. Strings live in the request's line. */
struct route_query {
	bool exact;           /* the prefix itself */
	bool covering;        /* the longest match of it */
	struct prefix prefix; /* of either */
	const char *protocol; /* heard from; NULL: from any */
	enum toward toward;
	const char *to; /* whom */
	bool filtered, primary, all, count, fib;
	bool named;          /* the table was */
	uint32_t families;   /* FAM_BIT()s */
	struct where *where; /* owned; NULL: any */
};

/** Read @args. Where there is a prefix, it becomes the one that answers, and the tables are its own. false:
 * refused, and nothing to free. */
bool route_query_parse(struct request *q, const struct word *args, size_t n, struct route_query *out);
/** The peer called @name, which may have gone since it was last asked for; false: no such protocol. */
bool route_query_peer(const struct request *q, const char *name, struct rib_peer **out);

#endif
