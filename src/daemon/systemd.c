/* SPDX-License-Identifier: BSD-2-Clause */
/* systemd.c - DOC: the service manager's view of the daemon.
 *
 * The watchdog is fed from a timer of the loop that does everything else: when the loop hangs, the feeding
 * ends and systemd starts us anew; the routes forward meanwhile. The line for `systemctl status` is renewed
 * with it and only when it changed, so that an idle daemon wakes for nothing but the watchdog. */
#include "daemon/systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "daemon/state.h"

#if HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#else
static int sd_notify(int unset, const char *state)
{
	(void)unset;
	(void)state;
	return 0;
}

static int sd_watchdog_enabled(int unset, uint64_t *usec)
{
	(void)unset;
	(void)usec;
	return 0;
}
#endif

#define STATUS_MAX 128

struct systemd {
	struct daemon *daemon;
	struct loop_timer *watchdog; /* NULL: the unit has none */
	uint64_t feed_us;            /* between two feedings */
	char status[STATUS_MAX];     /* last told */
};

static void describe(const struct daemon *d, char *out, size_t size)
{
	unsigned configured = 0, established = 0;
	struct fib_stats fib;

	for (struct peer *p = peers_first(d->peers); p; p = peers_next(d->peers, p)) {
		struct peer_view v;

		peer_view(p, &v);
		if (v.is_range)
			continue;
		configured += v.enabled;
		established += v.state == ST_ESTABLISHED;
	}
	fib_stats(d->fib, &fib);
	snprintf(out, size, "%u of %u sessions established, %llu routes in the kernel", established,
	         configured, (unsigned long long)fib.routes_installed);
}

static void tell_status(struct systemd *n)
{
	char status[STATUS_MAX], message[STATUS_MAX + sizeof("STATUS=")];

	describe(n->daemon, status, sizeof(status));
	if (strcmp(status, n->status) == 0)
		return;
	memcpy(n->status, status, sizeof(status));
	snprintf(message, sizeof(message), "STATUS=%s", status);
	sd_notify(0, message);
}

static void feed(void *ctx)
{
	struct systemd *n = ctx;

	sd_notify(0, "WATCHDOG=1");
	tell_status(n);
	loop_timer_at(n->watchdog, loop_now(n->daemon->loop) + n->feed_us);
}

struct systemd *systemd_new(struct daemon *d)
{
	struct systemd *n = calloc(1, sizeof(*n));
	uint64_t limit_us = 0;

	if (!n)
		return NULL;
	n->daemon = d;
	if (sd_watchdog_enabled(0, &limit_us) <= 0)
		return n;
	n->feed_us = limit_us / 2;
	n->watchdog = loop_timer_new(d->loop, feed, n);
	if (!n->watchdog) {
		systemd_free(n);
		return NULL;
	}
	feed(n);
	return n;
}

void systemd_free(struct systemd *n)
{
	if (!n)
		return;
	loop_timer_free(n->watchdog);
	free(n);
}

void systemd_ready(struct systemd *n)
{
	sd_notify(0, "READY=1");
	tell_status(n);
}

void systemd_reloading(struct systemd *n)
{
	char message[64];

	(void)n;
	/* The time is what Type=notify-reload of newer systemd asks for. */
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%llu",
	         (unsigned long long)loop_clock());
	sd_notify(0, message);
}

void systemd_stopping(struct systemd *n)
{
	(void)n;
	sd_notify(0, "STOPPING=1");
}
