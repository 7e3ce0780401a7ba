/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix_set.h - named sets of prefix patterns in BIRD's notation. Built once by the loader, then immutable.
 * Pure.
 *
 *   10.0.0.0/8          just that         10.0.0.0/8+   it and everything within (longer)
 *   10.0.0.0/8-         it and everything that contains it (shorter)
 *   10.0.0.0/8{24,28}   what lies within it and has a length from..to */
#ifndef MCBGP_POLICY_PREFIX_SET_H
#define MCBGP_POLICY_PREFIX_SET_H

#include "lib/prefix.h"

/** What the notation means: the forms differ in their lengths alone, and equal meaning has equal fields. */
struct prefix_pattern {
	struct prefix prefix;
	uint8_t min_len, max_len; /* lengths that match; min_len < prefix.len only for the form with "-": 0 ..
	                             prefix.len */
};

#define PREFIX_PATTERN_STRLEN \
	(PREFIX_STRLEN + 9) /* longest text of a pattern, with its NUL: "{100,128}" behind a prefix */

/** @return false: @err gets a static text of what is wrong, and @out is untouched. Host bits that are set,
 * {from,to} out of order, outside the family or shorter than the prefix are errors, and so is an address
 * without a length. Blanks are allowed inside the braces only. */
bool prefix_pattern_parse(const char *text, struct prefix_pattern *out, const char **err);
/** Back to the notation, the shortest one that says it; cut at @size (PREFIX_PATTERN_STRLEN suffices).
 * @return @buf. */
char *prefix_pattern_print(const struct prefix_pattern *p, char *buf, size_t size);

struct prefix_set;
struct prefix_set *prefix_set_new(void);    /* NULL: out of memory. Caller owns it */
void prefix_set_free(struct prefix_set *s); /* NULL is fine */
int prefix_set_add(struct prefix_set *s,
                   const struct prefix_pattern *p); /* 0 or -ENOMEM; the same pattern twice is fine */
/** Whether some pattern matches @p. Costs the depth of a trie, not the size of the set. */
bool prefix_set_match(const struct prefix_set *s, const struct prefix *p);
bool prefix_set_equal(const struct prefix_set *a,
                      const struct prefix_set *b);   /* same patterns, in any order */
size_t prefix_set_count(const struct prefix_set *s); /* different patterns */

#endif
