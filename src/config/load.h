/* SPDX-License-Identifier: BSD-2-Clause */
/* load.h - libconfig text -> struct conf, every error named as FILE:LINE: path.to.setting: what is wrong, and
 * what would be right. */
#ifndef MCBGP_CONFIG_LOAD_H
#define MCBGP_CONFIG_LOAD_H

#include "config/conf.h"

/** Called once for each error, in the order of lines, with the whole line and no newline. */
typedef void (*conf_error_fn)(void *ctx, const char *line);

/** Parse and validate @file whole; all errors are reported, not just the first. NULL when there was any.
 * Caller owns the result. Reads nothing but @file and what it includes (secrets' files are checked for
 * existence and mode by the modules that use them, when they do), and only a regular file: it never waits. */
struct conf *conf_load(const char *file, conf_error_fn error, void *ctx);
/** The same of a pipe, too (`mcbgpd -c <(...)`): may wait for who writes it, so only before there is anybody
 * to serve. */
struct conf *conf_load_first(const char *file, conf_error_fn error, void *ctx);
/** The same of @text (NUL-ended, @len bytes), which errors call @file. */
struct conf *conf_load_text(const char *file, const char *text, size_t len, conf_error_fn error, void *ctx);

#endif
