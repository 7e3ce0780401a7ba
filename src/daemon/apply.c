/* SPDX-License-Identifier: BSD-2-Clause */
/* apply.c - DOC: a snapshot of the configuration comes into force.
 *
 * Modules take what is new from the snapshot before the old one is let go, in the order in which they depend
 * on each other: the host, tunnels, the FIB's policy, local routes, peers. Comparing old and new is each
 * module's own business. Until a file has been read and validated whole nothing happens; the snapshot before
 * is kept for `configure undo`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/diff.h"
#include "daemon/state.h"
#include "daemon/systemd.h"
#include "io/log_sink.h"
#include "lib/log.h"
#include "netlink/sysctl.h"

static bool kernel_changed(const struct conf *old, const struct conf *c)
{
	return diff_effects(&schema_kernel, &old->kernel, &c->kernel) & 1u << EFFECT_ROUTES;
}

/** Routes of tunnels that follow BGP are told again when who is behind them changed. */
static bool tunnels_changed(const struct conf *old, const struct conf *c)
{
	if (old->n_tunnels != c->n_tunnels)
		return true;
	for (size_t i = 0; i < c->n_tunnels; i++) {
		if (!diff_tunnel_same(&old->tunnels[i], &c->tunnels[i]))
			return true;
	}
	return false;
}

#define US_PER_S UINT64_C(1000000)

struct rib_options apply_rib_options(const struct conf *c)
{
	return (struct rib_options){
		.local_as = c->router.as,
		.router_id = c->router.id,
		.cluster_id = c->router.cluster_id,
		.multipath = c->router.multipath ? c->kernel.multipath : 1,
	};
}

static void apply(struct daemon *d, const struct conf *c, const struct conf *old)
{
	const struct rib_options options = apply_rib_options(c);
	uint64_t now = loop_now(d->loop);
	int rc;

	rib_set_options(d->rib, &options);
	log_set_level(c->log.level);
	log_sink_open(c->log.target);
	sysctl_apply(&c->host);
	tunnels_apply(d->tunnels, c->tunnels, c->n_tunnels, &c->host);
	silences_apply(d->silences);
	if (old && tunnels_follow(d->tunnels) && tunnels_changed(old, c))
		rib_replay(d->rib);
	fib_sync_apply(d->fib_sync, &c->kernel, old && kernel_changed(old, c));
	local_apply(d->local, c, d->links, now);
	rc = peers_apply(d->peers, c, old);
	if (rc < 0)
		log_event(LOGL_ERROR, "config.listen_failed", kv_errno("error", rc));
	d->reconfigured_us = now;
	d->reconfigured_wall = time(NULL);
	daemon_work(d);
}

/** What was opened with @c is told by it until the end. */
static void let_go(struct daemon *d, struct conf *c)
{
	if (c != d->opened)
		conf_free(c);
}

void apply_fini(struct daemon *d)
{
	let_go(d, d->previous);
	let_go(d, d->conf);
	conf_free(d->opened);
}

/** @c into force. What is undone to is the snapshot before, but never one that was not confirmed. */
static void replace(struct daemon *d, struct conf *c, bool unconfirmed)
{
	struct conf *old = d->conf;

	apply(d, c, old);
	d->conf = c;
	if (unconfirmed) {
		let_go(d, old);
		return;
	}
	let_go(d, d->previous);
	d->previous = old;
}

void apply_conf(struct daemon *d, struct conf *c)
{
	replace(d, c, false);
}

/* -- what only a restart changes -------------------------------------------------------------- */

struct pending {
	void (*line)(void *ctx, const char *text);
	void *ctx;
	bool socket_given; /* on the command line, which overrules the file */
};

static void on_pending(void *ctx, const struct plan_item *i)
{
	const struct pending *p = ctx;
	char text[512];

	if (p->socket_given && strcmp(i->kind, "control") == 0 && strcmp(i->setting, "socket") == 0)
		return;
	snprintf(text, sizeof(text), "%s.%s: still %s: %s needs a restart", i->kind, i->setting, i->from,
	         i->to);
	p->line(p->ctx, text);
}

void apply_pending(struct daemon *d, void (*line)(void *ctx, const char *text), void *ctx)
{
	struct pending p = { line, ctx, d->options->socket != NULL };

	plan_pending(d->opened, d->conf, on_pending, &p);
}

static void log_pending(void *ctx, const char *text)
{
	(void)ctx;
	log_event(LOGL_WARNING, "config.needs_restart", kv_str("setting", text));
}

/* -- to be confirmed -------------------------------------------------------------------------- */

static void on_confirm_timer(void *ctx)
{
	struct daemon *d = ctx;

	log_event(LOGL_WARNING, "config.unconfirmed",
	          kv_str("effect", "the last confirmed configuration is in force again"));
	d->confirm_at = 0;
	apply_undo(d);
}

bool apply_confirm(struct daemon *d)
{
	bool pending = d->confirm_at != 0;

	d->confirm_at = 0;
	if (d->confirm_timer)
		loop_timer_stop(d->confirm_timer);
	return pending;
}

/** false: out of memory for the timer. */
static bool await_confirmation(struct daemon *d, unsigned timeout_s)
{
	apply_confirm(d);
	if (!timeout_s)
		return true;
	if (!d->confirm_timer)
		d->confirm_timer = loop_timer_new(d->loop, on_confirm_timer, d);
	if (!d->confirm_timer)
		return false;
	d->confirm_at = loop_now(d->loop) + timeout_s * US_PER_S;
	loop_timer_at(d->confirm_timer, d->confirm_at);
	return true;
}

/* -- reload ----------------------------------------------------------------------------------- */

static bool reload(struct daemon *d, const char *file, unsigned timeout_s, conf_error_fn error, void *ctx)
{
	bool unconfirmed = d->confirm_at != 0;
	struct conf *c = conf_load(file ? file : d->options->file, error, ctx);

	if (!c) {
		log_event(LOGL_ERROR, "config.refused", kv_str("file", file ? file : d->options->file),
		          kv_str("effect", "nothing changed"));
		return false;
	}
	if (!await_confirmation(d, timeout_s)) {
		conf_free(c);
		error(ctx, "out of memory for the timer; nothing changed");
		return false;
	}
	replace(d, c, unconfirmed);
	apply_pending(d, log_pending, NULL);
	log_event(LOGL_INFO, "config.applied", kv_str("file", c->file));
	return true;
}

bool apply_reload(struct daemon *d, const char *file, unsigned timeout_s, conf_error_fn error, void *ctx)
{
	bool done;

	systemd_reloading(d->systemd);
	done = reload(d, file, timeout_s, error, ctx);
	systemd_ready(d->systemd);
	return done;
}

bool apply_check(struct daemon *d, const char *file, conf_error_fn error, plan_fn fn, void *ctx)
{
	struct conf *c = conf_load(file ? file : d->options->file, error, ctx);

	if (!c)
		return false;
	plan_tell(d->conf, c, fn, ctx);
	conf_free(c);
	return true;
}

bool apply_undo(struct daemon *d)
{
	struct conf *c = d->previous;

	apply_confirm(d);
	if (!c)
		return false;
	d->previous = NULL;
	apply_conf(d, c);
	log_event(LOGL_INFO, "config.undone", kv_str("file", c->file));
	return true;
}
