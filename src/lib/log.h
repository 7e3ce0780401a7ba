/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - a log line is an event with typed fields; one name for one fact everywhere.
 *
 *   log_event(LOGL_INFO, "session.state", kv_ip("peer", &addr), kv_str("from", "OpenConfirm"),
 * kv_u64("hold_s", 90));
 *   -> level=info event=session.state peer=192.0.2.1 from=OpenConfirm hold_s=90
 *
 * The sink (stderr, syslog, journal) is a callback set once by the daemon; without one, events go nowhere
 * (tests). Values are copied by the sink before log_event() returns. Secrets are never passed here. */
#ifndef MCBGP_LIB_LOG_H
#define MCBGP_LIB_LOG_H

#include "lib/prefix.h"
#include "lib/text.h"

enum log_level { LOGL_ERROR, LOGL_WARNING, LOGL_INFO, LOGL_DEBUG };

enum kv_type { KV_STR, KV_U64, KV_I64, KV_IP, KV_PREFIX, KV_ERRNO };

struct kv {
	const char *key;
	enum kv_type type;
	union {
		const char *str; /* NULL: the field is left out */
		uint64_t u64;
		int64_t i64;
		const struct ip *ip;
		const struct prefix *prefix;
	};
};

static inline struct kv kv_str(const char *key, const char *v)
{
	return (struct kv){ key, KV_STR, { .str = v } };
}
static inline struct kv kv_u64(const char *key, uint64_t v)
{
	return (struct kv){ key, KV_U64, { .u64 = v } };
}
static inline struct kv kv_i64(const char *key, int64_t v)
{
	return (struct kv){ key, KV_I64, { .i64 = v } };
}
static inline struct kv kv_ip(const char *key, const struct ip *v)
{
	return (struct kv){ key, KV_IP, { .ip = v } };
}
static inline struct kv kv_prefix(const char *key, const struct prefix *v)
{
	return (struct kv){ key, KV_PREFIX, { .prefix = v } };
}
/** The cause as strerror() names it; @err is an errno or its negative. */
static inline struct kv kv_errno(const char *key, int err)
{
	return (struct kv){ key, KV_ERRNO, { .i64 = err } };
}

typedef void (*log_sink)(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n);

void log_set_sink(log_sink sink, void *ctx);
/** @tap hears every event of every level, before the sink; NULL: nobody does. It must not log. */
void log_set_tap(log_sink tap, void *ctx);
#define LOG_PEERS_MAX     64  /* with a level of their own */
#define LOG_PEER_NAME_MAX 127 /* bytes; the longest is of a range: its name (63), an address, a link */
/** Events that carry the field peer=@peer (at most LOG_PEER_NAME_MAX) are dropped above @level instead of
 * above the general one. false: there are LOG_PEERS_MAX already. */
bool log_set_peer_level(const char *peer, enum log_level level);
void log_forget_peer_level(const char *peer);
void log_set_level(enum log_level level); /* events above it are dropped before any formatting */
const char *log_level_name(enum log_level level);
void log_emit(enum log_level level, const char *event, const struct kv *kv, size_t n);
/** One event as `key=value …` text without a newline, values quoted where they hold blanks, quotes, '=' or
 * control bytes (escaped). Always NUL-ended, cut at @size. @return bytes written. */
size_t log_format(char *buf, size_t size, enum log_level level, const char *event, const struct kv *kv,
                  size_t n);

/** The value of a field as it is, without quotes or escapes. */
void log_print_value(const struct kv *kv, struct text *t);

#define log_event(level, event, ...)                               \
	log_emit(level, event, (const struct kv[]){ __VA_ARGS__ }, \
	         sizeof((const struct kv[]){ __VA_ARGS__ }) / sizeof(struct kv))

#endif
