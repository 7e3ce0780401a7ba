/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: events on their way out of the core.
 *
 * This is the one place in the core with state of its own: the level and the sink, set by the daemon, so that
 * a log line needs no handle passed through every function. It knows nothing of files, sockets or clocks: the
 * sink adds the time and does the writing. */
#include "lib/log.h"

#include "lib/text.h"

#include <assert.h>
#include <stdlib.h>

static struct {
	log_sink sink, tap;
	void *ctx, *tap_ctx;
	enum log_level level;
	struct {
		char name[LOG_PEER_NAME_MAX + 1];
		enum log_level level;
	} peers[LOG_PEERS_MAX];
	size_t n_peers;
} out = { .level = LOGL_INFO };

void log_set_sink(log_sink sink, void *ctx)
{
	out.sink = sink;
	out.ctx = ctx;
}

void log_set_tap(log_sink tap, void *ctx)
{
	out.tap = tap;
	out.tap_ctx = ctx;
}

/** The place of @peer among those with a level of their own; n_peers: it has none. */
static size_t find_peer(const char *peer)
{
	size_t i = 0;

	while (i < out.n_peers && strcmp(out.peers[i].name, peer) != 0)
		i++;
	return i;
}

bool log_set_peer_level(const char *peer, enum log_level level)
{
	size_t at = find_peer(peer), len = strlen(peer);

	assert(len <= LOG_PEER_NAME_MAX);
	if (at == LOG_PEERS_MAX)
		return false;
	memcpy(out.peers[at].name, peer, len + 1);
	out.peers[at].level = level;
	out.n_peers += at == out.n_peers;
	return true;
}

void log_forget_peer_level(const char *peer)
{
	size_t at = find_peer(peer);

	if (at < out.n_peers)
		out.peers[at] = out.peers[--out.n_peers];
}

void log_set_level(enum log_level level)
{
	out.level = level;
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOGL_ERROR] = "error",
		[LOGL_WARNING] = "warning",
		[LOGL_INFO] = "info",
		[LOGL_DEBUG] = "debug",
	};

	assert(level <= LOGL_DEBUG);
	return names[level];
}

/** The level that holds for an event. */
static enum log_level level_for(const struct kv *kv, size_t n)
{
	for (size_t i = 0; out.n_peers && i < n; i++) {
		size_t at = out.n_peers;

		if (kv[i].type == KV_STR && kv[i].str && strcmp(kv[i].key, "peer") == 0)
			at = find_peer(kv[i].str);
		if (at < out.n_peers)
			return out.peers[at].level;
	}
	return out.level;
}

void log_emit(enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	if (out.tap)
		out.tap(out.tap_ctx, level, event, kv, n);
	if (out.sink && level <= level_for(kv, n))
		out.sink(out.ctx, level, event, kv, n);
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool needs_quotes(const char *s)
{
	if (!*s)
		return true;
	for (; *s; s++) {
		if (*s == ' ' || *s == '"' || *s == '=' || *s == '\\' || is_control(*s))
			return true;
	}
	return false;
}

static void put_escaped(struct text *t, char c)
{
	if (is_control(c)) {
		text_str(t, "\\x");
		text_char(t, "0123456789abcdef"[(unsigned char)c >> 4]);
		text_char(t, "0123456789abcdef"[(unsigned char)c & 15]);
		return;
	}
	if (c == '"' || c == '\\')
		text_char(t, '\\');
	text_char(t, c);
}

static void put_string(struct text *t, const char *s)
{
	if (!needs_quotes(s)) {
		text_str(t, s);
		return;
	}
	text_char(t, '"');
	while (*s)
		put_escaped(t, *s++);
	text_char(t, '"');
}

void log_print_value(const struct kv *kv, struct text *t)
{
	char buf[PREFIX_STRLEN];

	switch (kv->type) {
	case KV_STR:
		text_str(t, kv->str ? kv->str : "");
		break;
	case KV_U64:
		text_u64(t, kv->u64);
		break;
	case KV_I64:
		text_i64(t, kv->i64);
		break;
	case KV_IP:
		text_str(t, ip_print(kv->ip, buf));
		break;
	case KV_PREFIX:
		text_str(t, prefix_print(kv->prefix, buf));
		break;
	case KV_ERRNO:
		text_str(t, strerror(abs((int)kv->i64)));
		break;
	}
}

static void put_value(struct text *t, const struct kv *kv)
{
	if (kv->type == KV_STR)
		put_string(t, kv->str);
	else if (kv->type == KV_ERRNO)
		put_string(t, strerror(abs((int)kv->i64)));
	else
		log_print_value(kv, t);
}

static void put_field(struct text *t, const struct kv *kv)
{
	if (kv->type == KV_STR && !kv->str)
		return;
	text_char(t, ' ');
	text_str(t, kv->key);
	text_char(t, '=');
	put_value(t, kv);
}

size_t log_format(char *buf, size_t size, enum log_level level, const char *event, const struct kv *kv,
                  size_t n)
{
	struct text t = text_init(buf, size);

	text_str(&t, "level=");
	text_str(&t, log_level_name(level));
	text_str(&t, " event=");
	text_str(&t, event);
	for (size_t i = 0; i < n; i++)
		put_field(&t, &kv[i]);
	return text_stored(&t);
}
