/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor.c - DOC: events as they happen.
 *
 * What a monitor tells is what the log could: the same events, by the same names, of every level, and each
 * change of a best path besides. Nobody waits for its reader: what does not fit into CTL_OUT_MAX bytes of
 * answer is counted, and the count is told as soon as there is room again. */
#include "ctl/monitor.h"

#include <string.h>

#include "ctl/commands.h"
#include "ctl/server.h"

enum { MONITOR_ALL = -1, MONITOR_SESSIONS, MONITOR_ROUTES, MONITOR_TUNNELS, MONITOR_PEER };

const struct keyword monitor_keywords[] = {
	{ "sessions", "of peers: up, down and why", MONITOR_SESSIONS },
	{ "routes", "best paths, and what the kernel refuses", MONITOR_ROUTES },
	{ "tunnels", "of tunnels and links", MONITOR_TUNNELS },
	{ "peer", "that name this peer", MONITOR_PEER },
	{ 0 },
};

/** Events by the beginning of their names. */
static const struct {
	const char *begin;
	int kind;
} kinds[] = {
	{ "session.", MONITOR_SESSIONS }, { "peer.", MONITOR_SESSIONS },  { "update.", MONITOR_SESSIONS },
	{ "route.", MONITOR_ROUTES },     { "fib.", MONITOR_ROUTES },     { "neighbor.", MONITOR_ROUTES },
	{ "nexthop.", MONITOR_ROUTES },   { "tunnel.", MONITOR_TUNNELS }, { "link.", MONITOR_TUNNELS },
};

static int kind_of(const char *event)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(event, kinds[i].begin, strlen(kinds[i].begin)) == 0)
			return kinds[i].kind;
	return MONITOR_ALL;
}

static bool names_peer(const struct ctl_event *e, const char *peer)
{
	for (size_t i = 0; i < e->n_fields; i++) {
		const struct kv *kv = &e->fields[i];
		bool is_peer = strcmp(kv->key, "peer") == 0 || strcmp(kv->key, "was") == 0;

		if (is_peer && kv->type == KV_STR && kv->str && strcmp(kv->str, peer) == 0)
			return true;
	}
	return false;
}

static bool wanted(const struct monitor *m, const struct ctl_event *e)
{
	return (m->kind == MONITOR_ALL || m->kind == kind_of(e->name)) &&
	       (!m->peer || names_peer(e, m->peer));
}

static bool found(void *arg, const struct ctl_proto *p)
{
	(void)arg;
	(void)p;
	return false;
}

/** [sessions | routes | tunnels] [peer NAME] false: refused. */
static bool parse(struct request *q, const struct word *args, size_t n, struct monitor *out)
{
	const struct ctl_backend *b = q->backend;

	for (size_t i = 0; i < n; i++) {
		int k = args[i].quoted ? KEYWORD_NONE : keyword_find(monitor_keywords, args[i].text);

		if (k == MONITOR_PEER && i + 1 < n && !out->peer) {
			out->peer = args[++i].text;
		} else if (k >= 0 && k < MONITOR_PEER && out->kind == MONITOR_ALL) {
			out->kind = k;
		} else {
			render_refuse(&q->render, CTL_PARSE_ERROR, "monitor %s; not: %s", q->command->args,
			              args[i].text);
			return false;
		}
	}
	if (!out->peer || b->protocol(b->ctx, out->peer, found, NULL))
		return true;
	refuse_protocol(q, out->peer);
	return false;
}

void monitor_begin(struct request *q, const struct word *args, size_t n)
{
	struct monitor m = { .on = true, .kind = MONITOR_ALL };

	if (!parse(q, args, n, &m))
		return;
	q->monitor = m;
	q->render.ops->monitor(&q->render, m.kind < 0 ? "" : monitor_keywords[m.kind].word, m.peer);
}

void request_event(struct request *q, const struct ctl_event *e)
{
	if (!wanted(&q->monitor, e))
		return;
	if (q->render.out->len >= CTL_OUT_MAX / 2) {
		q->monitor.lost++;
		return;
	}
	request_caught_up(q);
	q->backend->clock(q->backend->ctx, &q->render.clock);
	q->render.ops->event(&q->render, e);
}

void request_caught_up(struct request *q)
{
	if (q->monitor.lost)
		q->render.ops->lost(&q->render, q->monitor.lost);
	q->monitor.lost = 0;
}

void monitor_end(struct request *q)
{
	request_caught_up(q);
	q->monitor.on = false;
	q->render.ops->end(&q->render, CTL_OK, "");
}
