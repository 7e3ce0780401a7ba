/* SPDX-License-Identifier: BSD-2-Clause */
/* where.h - the conditions of `show route where`, asked by the matcher of filters.
 *
 *	KEY = VALUE [and KEY != VALUE ...]
 *
 * Keys are those of a filter's `match`. Every condition must hold; each is a term of a filter of its own that
 * is run on the path, so that a condition means what it means in the configuration. */
#ifndef MCBGP_CTL_WHERE_H
#define MCBGP_CTL_WHERE_H

#include "ctl/words.h"
#include "rib/rib.h"

struct where;
/** From the words behind `where`, of which @taken are its. Caller owns it. NULL: @err (size @len) says in
 * words what is wrong. */
struct where *where_new(const struct word *w, size_t n, size_t *taken, char *err, size_t len);
void where_free(struct where *w); /* NULL is fine */
/** Whether all conditions hold for the path, with the attributes @a. */
bool where_holds(struct where *w, const struct rib_path_view *v, const struct attrs *a);

#endif
