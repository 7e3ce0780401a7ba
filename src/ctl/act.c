/* SPDX-License-Identifier: BSD-2-Clause */
/* act.c - commands that change something: protocols, the configuration, the daemon, the log. Replies are
 * BIRD's, line for line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"

#define UNDO_DEFAULT_S 300 /* of `configure timeout`, as BIRD has it */

enum { ACT_ALL };
enum { LEVEL_DEFAULT = LOGL_DEBUG + 1 };
enum { RELOAD_IN, RELOAD_OUT, RELOAD_ALL };
enum { CONFIGURE_CHECK, CONFIGURE_SOFT, CONFIGURE_TIMEOUT, CONFIGURE_UNDO, CONFIGURE_CONFIRM };

const struct keyword act_keywords[] = { { "all", "every peer", ACT_ALL }, { 0 } };
const struct keyword reload_keywords[] = {
	{ "in", "import again only", RELOAD_IN },
	{ "out", "announce again only", RELOAD_OUT },
	{ "all", "every peer", RELOAD_ALL },
	{ 0 },
};
const struct keyword configure_keywords[] = {
	{ "check", "parse and validate the file, say what it would change", CONFIGURE_CHECK },
	{ "soft", "the same as without: a changed filter never resets a session", CONFIGURE_SOFT },
	{ "timeout", "take it over; undo after so many seconds unless confirmed", CONFIGURE_TIMEOUT },
	{ "undo", "back to the configuration before", CONFIGURE_UNDO },
	{ "confirm", "keep what `configure timeout` took over", CONFIGURE_CONFIRM },
	{ 0 },
};
const struct keyword level_keywords[] = {
	{ "error", "what needs an operator", LOGL_ERROR },
	{ "warning", "what may", LOGL_WARNING },
	{ "info", "sessions and tunnels", LOGL_INFO },
	{ "debug", "everything", LOGL_DEBUG },
	{ 0 },
};

const struct keyword peer_level_keywords[] = {
	{ "error", "what needs an operator", LOGL_ERROR },
	{ "warning", "what may", LOGL_WARNING },
	{ "info", "sessions", LOGL_INFO },
	{ "debug", "everything", LOGL_DEBUG },
	{ "default", "as everybody's", LEVEL_DEFAULT },
	{ 0 },
};

/* -- protocols -------------------------------------------------------------------------------- */

/** What comes of an action on one protocol, in BIRD's words. */
struct reply {
	enum ctl_code code;
	const char *text;
};

static const struct verb {
	const char *infinitive;
	struct reply done, already, impossible;
} verbs[] = {
	[CTL_ENABLE] = { "enable",
	                 { CTL_ENABLED, "enabled" },
	                 { CTL_ALREADY_ENABLED, "already enabled" },
	                 { CTL_DENIED, "cannot be enabled or disabled: it follows the configuration" } },
	[CTL_DISABLE] = { "disable",
	                  { CTL_DISABLED, "disabled" },
	                  { CTL_ALREADY_DISABLED, "already disabled" },
	                  { CTL_DENIED, "cannot be enabled or disabled: it follows the configuration" } },
	[CTL_RESTART] = { "restart",
	                  { CTL_RESTARTED, "restarted" },
	                  { CTL_ALREADY_DISABLED, "already disabled" },
	                  { CTL_DENIED, "cannot be restarted: it follows the configuration" } },
	[CTL_RELOAD] = { "reload",
	                 { CTL_RELOADING, "reloading" },
	                 { CTL_ALREADY_DISABLED, "already disabled" },
	                 { CTL_RELOAD_FAILED, "reload failed" } },
	[CTL_RELOAD_IN] = { "reload",
	                    { CTL_RELOADING, "reloading" },
	                    { CTL_ALREADY_DISABLED, "already disabled" },
	                    { CTL_RELOAD_FAILED, "reload failed" } },
	[CTL_RELOAD_OUT] = { "reload",
	                     { CTL_RELOADING, "reloading" },
	                     { CTL_ALREADY_DISABLED, "already disabled" },
	                     { CTL_RELOAD_FAILED, "reload failed" } },
};

static const struct reply *reply_to(enum ctl_action a, enum ctl_outcome o)
{
	switch (o) {
	case CTL_DONE:
		return &verbs[a].done;
	case CTL_ALREADY:
		return &verbs[a].already;
	default:
		return &verbs[a].impossible;
	}
}

static bool note_peer(void *arg, const struct ctl_proto *p)
{
	*(bool *)arg = p->kind == CTL_PROTO_BGP;
	return false;
}

/** Only peers are acted on: what else is shown as a protocol follows the configuration. */
static enum ctl_outcome act_on_peer(struct request *q, enum ctl_action a, const char *name, const char *text)
{
	const struct ctl_backend *b = q->backend;
	bool peer = false;

	if (!b->protocol(b->ctx, name, note_peer, &peer))
		return CTL_UNKNOWN;
	return peer ? b->act(b->ctx, a, name, text) : CTL_IMPOSSIBLE;
}

static void act_on_one(struct request *q, enum ctl_action a, const char *name, const char *text)
{
	enum ctl_outcome o = act_on_peer(q, a, name, text);
	const struct reply *reply = reply_to(a, o);

	if (o == CTL_UNKNOWN) {
		refuse_protocol(q, name);
	} else if (o == CTL_IMPOSSIBLE) {
		render_refuse(&q->render, reply->code, "%s: %s", name, reply->text);
	} else {
		q->render.ops->note(&q->render, reply->code, name, reply->text);
		q->render.ops->end(&q->render, CTL_OK, "");
	}
}

/** On every peer, or those whose name matches @pattern: a few hundred at most, in one piece. */
static void act_on_many(struct request *q, enum ctl_action a, const char *pattern, const char *text)
{
	struct names names = { 0 };

	if (!names_protocols(q->backend, pattern, true, &names)) {
		q->render.ops->end(&q->render, CTL_NO_MEMORY, "Out of memory");
	} else if (!names.n) {
		q->render.ops->end(&q->render, CTL_NO_PROTOCOL, "No protocols match");
	} else {
		for (size_t i = 0; i < names.n; i++) {
			enum ctl_outcome o = act_on_peer(q, a, names.name[i], text);
			const struct reply *reply = reply_to(a, o);

			if (o != CTL_UNKNOWN) /* gone with its predecessor: a neighbor of a range */
				q->render.ops->note(&q->render, reply->code, names.name[i], reply->text);
		}
		q->render.ops->end(&q->render, CTL_OK, "");
	}
	names_fini(&names);
}

/** NAME | "PATTERN" | all ["TEXT"] */
static void act_on(struct request *q, enum ctl_action a, const struct word *args, size_t n)
{
	const char *text = n == 2 ? args[1].text : NULL;

	if (!n)
		render_refuse(&q->render, CTL_PARSE_ERROR, "%s whom? A name, \"a pattern\" or all",
		              verbs[a].infinitive);
	else if (n > 2)
		render_refuse(&q->render, CTL_PARSE_ERROR, "%s: one name, then one \"text\"; not: %s",
		              verbs[a].infinitive, args[2].text);
	else if (args[0].quoted)
		act_on_many(q, a, args[0].text, text);
	else if (strcmp(args[0].text, "all") == 0)
		act_on_many(q, a, NULL, text);
	else
		act_on_one(q, a, args[0].text, text);
}

void act_enable(struct request *q, const struct word *args, size_t n)
{
	act_on(q, CTL_ENABLE, args, n);
}

void act_disable(struct request *q, const struct word *args, size_t n)
{
	act_on(q, CTL_DISABLE, args, n);
}

void act_restart(struct request *q, const struct word *args, size_t n)
{
	act_on(q, CTL_RESTART, args, n);
}

void act_reload(struct request *q, const struct word *args, size_t n)
{
	enum ctl_action a = CTL_RELOAD;
	bool one_way = n > 1 && !args[0].quoted; /* a peer may be called "in" */

	if (one_way && strcmp(args[0].text, "in") == 0)
		a = CTL_RELOAD_IN;
	else if (one_way && strcmp(args[0].text, "out") == 0)
		a = CTL_RELOAD_OUT;
	act_on(q, a, args + (a != CTL_RELOAD), n - (a != CTL_RELOAD));
}

/* -- configuration ---------------------------------------------------------------------------- */

struct configure_args {
	enum ctl_configure what;
	const char *file; /* NULL: the usual one */
	unsigned timeout_s;
};

/** "12" -> 12; false: not a number of seconds. */
static bool parse_seconds(const char *text, unsigned *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || v < 1 || v > 86400)
		return false;
	*out = (unsigned)v;
	return true;
}

/** @return the word that is wrong; NULL: none. */
static const char *parse_configure(const struct word *args, size_t n, struct configure_args *out)
{
	static const enum ctl_configure what[] = {
		[CONFIGURE_CHECK] = CTL_CONF_CHECK,
		[CONFIGURE_TIMEOUT] = CTL_CONF_APPLY,
		[CONFIGURE_UNDO] = CTL_CONF_UNDO,
		[CONFIGURE_CONFIRM] = CTL_CONF_CONFIRM,
	};
	bool said = false, soft = false; /* what; as BIRD allows it in front */

	*out = (struct configure_args){ .what = CTL_CONF_APPLY };
	for (size_t i = 0; i < n; i++) {
		int k = args[i].quoted ? KEYWORD_NONE : keyword_find(configure_keywords, args[i].text);

		if (args[i].quoted && !out->file) {
			out->file = args[i].text;
		} else if (k < 0 || said || (soft && k != CONFIGURE_TIMEOUT)) {
			return args[i].text;
		} else if (k == CONFIGURE_SOFT) {
			soft = true;
		} else {
			said = true;
			out->what = what[k];
			out->timeout_s = k == CONFIGURE_TIMEOUT ? UNDO_DEFAULT_S : 0;
			if (out->timeout_s && i + 1 < n && parse_seconds(args[i + 1].text, &out->timeout_s))
				i++;
		}
	}
	return NULL;
}

static void note_error(void *arg, const char *line)
{
	struct render *r = arg;

	r->ops->note(r, CTL_CONFIG_ERROR, NULL, line);
}

static void note_change(void *arg, const struct ctl_change *c)
{
	struct render *r = arg;

	r->ops->change(r, c);
}

static void note_pending(void *arg, const char *line)
{
	struct render *r = arg;

	r->ops->note(r, CTL_NEEDS_RESTART, NULL, line);
}

static void note_reading(struct request *q, const char *file)
{
	struct ctl_status s = { 0 };
	struct out text = { 0 };

	q->backend->status(q->backend->ctx, &s);
	out_printf(&text, "Reading configuration from %s", file ? file : s.usual_file);
	if (!text.bad)
		q->render.ops->note(&q->render, CTL_READING, NULL, out_head(&text));
	out_fini(&text);
}

static void configure_done(struct request *q, const struct configure_args *c)
{
	struct render *r = &q->render;
	char text[64];

	switch (c->what) {
	case CTL_CONF_CHECK:
		r->ops->end(r, CTL_CONFIG_OK, "Configuration OK");
		return;
	case CTL_CONF_CONFIRM:
		r->ops->end(r, CTL_CONFIRMED, "Reconfiguration confirmed");
		return;
	case CTL_CONF_UNDO:
		r->ops->note(r, CTL_UNDO_REQUESTED, NULL, "Undo requested");
		break;
	case CTL_CONF_APPLY:
		snprintf(text, sizeof(text), "Undo scheduled in %u s", c->timeout_s);
		if (c->timeout_s)
			r->ops->note(r, CTL_UNDO_SCHEDULED, NULL, text);
		break;
	}
	q->backend->pending(q->backend->ctx, note_pending, r);
	r->ops->end(r, CTL_RECONFIGURED, "Reconfigured");
}

static enum ctl_configured configure(struct request *q, const struct configure_args *c)
{
	const struct ctl_backend *b = q->backend;

	if (c->what == CTL_CONF_CHECK)
		return b->check(b->ctx, c->file, note_error, note_change, &q->render);
	return b->configure(b->ctx, c->what, c->file, c->timeout_s, note_error, &q->render);
}

void act_configure(struct request *q, const struct word *args, size_t n)
{
	struct render *r = &q->render;
	struct configure_args c;
	const char *wrong = parse_configure(args, n, &c);

	if (wrong) {
		render_refuse(r, CTL_PARSE_ERROR, "configure %s; not: %s", q->command->args, wrong);
		return;
	}
	if (c.what == CTL_CONF_CHECK || c.what == CTL_CONF_APPLY)
		note_reading(q, c.file);
	switch (configure(q, &c)) {
	case CTL_CONF_DONE:
		configure_done(q, &c);
		break;
	case CTL_CONF_BAD:
		r->ops->end(r, CTL_CONFIG_ERROR, "Configuration is wrong, nothing was changed");
		break;
	case CTL_CONF_NOTHING:
		r->ops->end(r, CTL_NOTHING_TO_DO, "Nothing to do");
		break;
	case CTL_CONF_STOPPING:
		r->ops->end(r, CTL_STOPPING, "Shutdown in progress");
		break;
	}
}

/* -- the daemon ------------------------------------------------------------------------------- */

static void stop(struct request *q, size_t n, bool keep_routes, enum ctl_code code, const char *text)
{
	if (n) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "%s takes no argument", q->command->words);
		return;
	}
	q->backend->stop(q->backend->ctx, keep_routes);
	q->render.ops->end(&q->render, code, text);
}

void act_down(struct request *q, const struct word *args, size_t n)
{
	(void)args;
	stop(q, n, false, CTL_SHUTDOWN, "Shutdown requested");
}

void act_graceful_restart(struct request *q, const struct word *args, size_t n)
{
	(void)args;
	stop(q, n, true, CTL_GR_REQUESTED, "Graceful restart requested");
}

void act_log_level(struct request *q, const struct word *args, size_t n)
{
	int level = n == 1 && !args[0].quoted ? keyword_find(level_keywords, args[0].text) : KEYWORD_NONE;

	if (level < 0) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "log level error, warning, info or debug");
		return;
	}
	q->backend->log_level(q->backend->ctx, (enum log_level)level);
	q->render.ops->end(&q->render, CTL_OK, "");
}

/** NAME LEVEL */
void act_log_peer(struct request *q, const struct word *args, size_t n)
{
	const struct ctl_backend *b = q->backend;
	int level =
	        n == 2 && !args[1].quoted ? keyword_find(peer_level_keywords, args[1].text) : KEYWORD_NONE;
	bool peer = false;

	if (level < 0) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "log peer %s", q->command->args);
		return;
	}
	if (!b->protocol(b->ctx, args[0].text, note_peer, &peer)) {
		refuse_protocol(q, args[0].text);
		return;
	}
	if (!peer) {
		render_refuse(&q->render, CTL_DENIED, "%s: it is no peer", args[0].text);
		return;
	}
	if (level == LEVEL_DEFAULT) {
		b->log_peer_default(b->ctx, args[0].text);
	} else if (!b->log_peer(b->ctx, args[0].text, (enum log_level)level)) {
		render_refuse(
		        &q->render, CTL_DENIED,
		        "%d peers have a level of their own already: log peer NAME default takes one back",
		        LOG_PEERS_MAX);
		return;
	}
	q->render.ops->end(&q->render, CTL_OK, "");
}

void act_restrict(struct request *q, const struct word *args, size_t n)
{
	if (n) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "restrict takes no argument: %s", args[0].text);
		return;
	}
	q->restricted = true;
	q->render.ops->end(&q->render, CTL_RESTRICTED, "Access restricted");
}
