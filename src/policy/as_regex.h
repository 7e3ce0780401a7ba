/* SPDX-License-Identifier: BSD-2-Clause */
/* as_regex.h - POSIX extended regular expressions over AS paths in aspath_print()'s text. Pure.
 *
 * Immutable once made, matches without allocating, in time that is at most the product of both lengths. */
#ifndef MCBGP_POLICY_AS_REGEX_H
#define MCBGP_POLICY_AS_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct as_regex;
/** Compile @text. Caller owns it. NULL: @err (size @len) says in words what is wrong, and what would be right
 * where one can tell. */
struct as_regex *as_regex_new(const char *text, char *err, size_t len);
void as_regex_free(struct as_regex *re); /* NULL is fine */
/** Whether the expression matches anywhere in @path. Bytes that no path has match nothing, not even '.'. */
bool as_regex_match(const struct as_regex *re, const char *path);

#endif
