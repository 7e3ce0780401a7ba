/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.c - DOC: makes the modules, runs the loop, ends in order.
 *
 * Long work is one job of the loop: the table's. It runs a piece of about a millisecond a turn, so a
 * KEEPALIVE or an operator waits for a piece, not for a table. At the start the kernel may still hold what a
 * previous run left; it forwards on, is confirmed route by route as sessions come up, and what nobody has
 * confirmed when all configured peers have sent their End-of-RIB (or router.restart_time is over) goes. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config.h"
#include "daemon/sandbox.h"
#include "daemon/state.h"
#include "daemon/systemd.h"
#include "io/log_sink.h"
#include "lib/log.h"
#include "netlink/sysctl.h"

#define RIB_BUDGET 8192u /* prefixes a piece */
#define US_PER_S   UINT64_C(1000000)
/* Nodes of a range that lost us dial again within BIRD's longest wait after an error (30 s) and send what
 * they have. */
#define RANGE_GRACE_US (45 * US_PER_S)

static void print_error(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

int daemon_check(const char *file)
{
	struct conf *c = conf_load_first(file, print_error, NULL);

	conf_free(c);
	return c ? EXIT_ORDERED : EXIT_CONFIG;
}

/* -- work ------------------------------------------------------------------------------------- */

static void adopt_settled(struct daemon *d);

static bool run_rib(void *ctx)
{
	struct daemon *d = ctx;

	fib_sync_next_hops(d->fib_sync);
	bool more = rib_run(d->rib, RIB_BUDGET, loop_now(d->loop));

	if (!more && d->links_known) {
		d->links_known = false;
		fib_adopt_local_end(d->fib);
	}
	if (!more && d->adopt_ending)
		adopt_settled(d);
	return more;
}

void daemon_work(struct daemon *d)
{
	loop_job_kick(d->rib_job);
}

static void on_work(void *ctx)
{
	daemon_work(ctx);
}

static void on_output(void *ctx, struct rib_peer *p)
{
	struct peer *peer = rib_peer_user(p);

	(void)ctx;
	if (peer)
		peer_output(peer);
}

/* -- adoption --------------------------------------------------------------------------------- */

/** What a previous run left in the kernel and nobody confirmed goes. */
static void adopt_end(struct daemon *d)
{
	d->adopt_ending = d->adopting;
	loop_timer_stop(d->adopt_timer);
	daemon_work(d);
}

/** RFC 4724 4.1: peers that have kept our routes keep them until we know again what to say. */
static void set_restarting(struct daemon *d, bool restarting)
{
	peers_set_restarting(d->peers, restarting);
	rib_hold_eor(d->rib, restarting);
	daemon_work(d);
}

/** What the last UPDATEs brought is decided; the rest of what a previous run left is nobody's. */
static void adopt_settled(struct daemon *d)
{
	d->adopt_ending = d->adopting = false;
	fib_adopt_end(d->fib);
	tunnels_adopt_end(d->tunnels);
	set_restarting(d, false);
}

/** Whether all that are known have told us all they have. @strict: a range that may bring more counts as not
 * yet. */
static bool everybody_synced(struct daemon *d, bool strict)
{
	for (struct peer *p = peers_first(d->peers); p; p = peers_next(d->peers, p)) {
		struct peer_view v;

		peer_view(p, &v);
		if (v.is_range ? strict : v.enabled && !v.synced)
			return false;
	}
	return true;
}

/** First after RANGE_GRACE_US, when a range's peers that are to come back have come, then after restart_time.
 */
static void on_adopt_timer(void *ctx)
{
	struct daemon *d = ctx;
	uint64_t end = d->started_us + d->conf->router.restart_time * US_PER_S;

	if (loop_now(d->loop) >= end || everybody_synced(d, false))
		adopt_end(d);
	else
		loop_timer_at(d->adopt_timer, end);
}

static void on_synced(void *ctx, struct peer *p)
{
	struct daemon *d = ctx;

	(void)p;
	if (d->adopting && everybody_synced(d, true))
		adopt_end(d);
}

static void adopt_begin(struct daemon *d)
{
	uint64_t wait = d->conf->router.restart_time * US_PER_S;
	struct fib_stats fib;

	d->adopting = true;
	fib_stats(d->fib, &fib);
	set_restarting(d, fib.routes_installed > 0);
	if (everybody_synced(d, true)) /* there is nobody to wait for */
		adopt_end(d);
	else
		loop_timer_at(d->adopt_timer,
		              d->started_us + (wait < RANGE_GRACE_US ? wait : RANGE_GRACE_US));
}

/* -- signals ---------------------------------------------------------------------------------- */

void daemon_stop(struct daemon *d, bool keep_routes, const char *cause)
{
	log_event(LOGL_INFO, "daemon.stopping", kv_str("cause", cause),
	          kv_str("routes", keep_routes ? "kept" : "removed"));
	d->keep_routes = keep_routes;
	systemd_stopping(d->systemd);
	loop_stop(d->loop);
}

static void on_term(void *ctx)
{
	daemon_stop(ctx, false, "signal");
}

static void log_config_error(void *ctx, const char *line)
{
	(void)ctx;
	log_event(LOGL_ERROR, "config.error", kv_str("error", line));
}

static void on_hup(void *ctx)
{
	apply_reload(ctx, NULL, 0, log_config_error, NULL);
}

static int catch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	d->signals[0] = loop_signal_new(d->loop, SIGTERM, on_term, d);
	d->signals[1] = loop_signal_new(d->loop, SIGINT, on_term, d);
	d->signals[2] = loop_signal_new(d->loop, SIGHUP, on_hup, d);
	return d->signals[0] && d->signals[1] && d->signals[2] ? 0 : -ENOMEM;
}

/* -- life ------------------------------------------------------------------------------------- */

/** Log what the system refused, by its name and the mend. */
static int refused(const char *what, int rc, const char *mend)
{
	if (rc < 0)
		log_event(LOGL_ERROR, "daemon.refused", kv_str("what", what), kv_errno("error", rc),
		          kv_str("mend", mend));
	return rc;
}

static int make_core(struct daemon *d)
{
	const struct rib_options o = apply_rib_options(d->conf);
	struct peers_env env = { .loop = d->loop, .synced = on_synced, .work = on_work, .ctx = d };

	d->rib = rib_new(&o);
	d->rib_job = loop_job_new(d->loop, run_rib, d);
	d->adopt_timer = loop_timer_new(d->loop, on_adopt_timer, d);
	if (!d->rib || !d->rib_job || !d->adopt_timer)
		return -ENOMEM;
	env.rib = d->rib;
	rib_on_output(d->rib, on_output, d);
	d->local = local_new(d->rib);
	d->peers = peers_new(&env);
	return d->local && d->peers ? 0 : -ENOMEM;
}

/** Two of us would take each other's routes for a previous run's. */
static int lock_fib(struct daemon *d, uint8_t protocol)
{
	pid_t holder = 0;
	int rc = fib_lock_new(d->loop, protocol, &d->fib_lock, &holder);

	if (rc == -EADDRINUSE) {
		log_event(LOGL_ERROR, "daemon.refused", kv_str("what", "the kernel's routing table"),
		          kv_str("error", "another mcbgpd writes routes with this kernel.protocol"),
		          kv_u64("protocol", protocol), kv_u64("pid", (uint64_t)holder),
		          kv_str("mend", "stop it, or give one of the two another kernel.protocol"));
		return rc;
	}
	return refused("the lock of the kernel's routing table", rc, "see the limits of the process");
}

static int make_kernel_side(struct daemon *d)
{
	const struct conf_kernel *k = &d->conf->kernel;
	const struct fib_params params = { k->table, k->metric, k->protocol, k->nexthop_groups };
	uint32_t own_ports[FIB_PORTS];
	int rc;

	if (!sandbox_may_change_network())
		return refused("changes of links and routes", -EPERM, "run with CAP_NET_ADMIN");
	rc = lock_fib(d, k->protocol);
	if (rc == 0)
		rc = refused("the kernel's routing table", fib_open(d->loop, &params, &d->fib),
		             "run with CAP_NET_ADMIN");
	if (rc < 0)
		return rc;
	rc = refused("tunnels", tunnels_new(d->loop, sysctl_set, &d->tunnels), "run with CAP_NET_ADMIN");
	if (rc < 0)
		return rc;
	tunnel_sync_open(d);
	d->fib_sync = fib_sync_new(d->rib, d->fib, k);
	d->neighbors = neighbors_new(d);
	d->silences = silences_new(d);
	if (!d->fib_sync || !d->neighbors || !d->silences)
		return -ENOMEM;
	rc = refused("link events",
	             link_watch_new(d->loop, k->protocol, k->table, &host_events, d, &d->links),
	             "run with CAP_NET_ADMIN");
	if (rc < 0)
		return rc;
	fib_port_ids(d->fib, own_ports);
	link_watch_ignore(d->links, own_ports, FIB_PORTS);
	return 0;
}

static int make(struct daemon *d)
{
	struct conf *c = d->conf;
	int rc;

	d->loop = loop_new();
	if (!d->loop)
		return refused("an event loop", -ENOMEM, "see the limits of the process");
	rc = catch_signals(d);
	if (rc == 0)
		rc = make_core(d);
	if (rc == 0)
		rc = make_kernel_side(d);
	if (rc == 0)
		rc = serve_open(d);
	if (rc < 0)
		return rc;
	d->opened = c;
	d->conf = NULL; /* nothing is in force yet */
	apply_conf(d, c);
	d->started_us = d->reconfigured_us;
	d->started_wall = d->reconfigured_wall;
	adopt_begin(d);
	d->systemd = systemd_new(d);
	return d->systemd ? 0 : -ENOMEM;
}

/** In the order of dependence: who uses goes before what is used. */
static void unmake(struct daemon *d)
{
	systemd_free(d->systemd);
	serve_close(d);
	if (d->keep_routes)
		peers_leave_gracefully(d->peers);
	peers_free(d->peers);
	link_watch_free(d->links);
	neighbors_free(d->neighbors);
	silences_free(d->silences);
	local_free(d->local);
	fib_sync_free(d->fib_sync);
	fib_close(d->fib, !d->keep_routes);
	fib_lock_free(d->fib_lock);
	tunnels_free(d->tunnels, !d->keep_routes);
	loop_timer_free(d->adopt_timer);
	loop_timer_free(d->confirm_timer);
	loop_job_free(d->rib_job);
	rib_free(d->rib);
	for (size_t i = 0; i < sizeof(d->signals) / sizeof(d->signals[0]); i++)
		loop_signal_free(d->signals[i]);
	loop_free(d->loop);
	apply_fini(d);
	log_sink_close();
}

static int enter_sandbox(const struct daemon *d)
{
	const struct sandbox_needs needs = {
		.file = d->options->file,
		.socket = d->options->socket ? d->options->socket : d->conf->control.socket,
		.conf = d->conf,
	};

	return sandbox_enter(&needs);
}

int daemon_run(const struct daemon_options *o)
{
	struct daemon d = { .options = o, .conf = conf_load_first(o->file, print_error, NULL) };

	if (!d.conf)
		return EXIT_CONFIG;
	log_sink_open(d.conf->log.target);
	log_set_level(d.conf->log.level);
	if (enter_sandbox(&d) < 0 || make(&d) < 0) {
		d.status = EXIT_SYSTEM;
		d.keep_routes = true; /* not even begun: what a previous run left stays */
	} else {
		log_event(LOGL_INFO, "daemon.started", kv_str("version", PACKAGE_VERSION),
		          kv_str("file", o->file));
		systemd_ready(d.systemd);
		loop_run(d.loop);
	}
	unmake(&d);
	return d.status;
}
