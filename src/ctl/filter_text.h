/* SPDX-License-Identifier: BSD-2-Clause */
/* filter_text.h - a term of a filter in words: the settings of its `match` and `set`, as the configuration
 * writes them. */
#ifndef MCBGP_CTL_FILTER_TEXT_H
#define MCBGP_CTL_FILTER_TEXT_H

#include "ctl/backend.h"

/** One value of a setting: "community", "65000:1". Those of one setting come one after the other. */
typedef void (*filter_value_fn)(void *arg, const char *setting, const char *value);
void filter_text_match(const struct ctl_backend *b, const struct filter_match *m, filter_value_fn fn,
                       void *arg);
void filter_text_set(const struct filter_set *s, filter_value_fn fn, void *arg);
const char *filter_text_action(enum filter_action a); /* "accept" ... */

#endif
