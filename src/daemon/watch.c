/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - DOC: what happens -> those who monitor.
 *
 * Events of the log, whatever its level, go to the control sockets as they are. Changes of best paths are no
 * events of the log, since there may be a million of them; they get their names here: route.best and
 * route.gone. Without a monitor they cost a look at a counter. */
#include "ctl/backend.h"
#include "ctl/server.h"
#include "daemon/state.h"

static bool anybody(const struct daemon *d)
{
	return ctl_server_monitored(d->ctl) || ctl_server_monitored(d->ctl_readonly);
}

static void tell(struct daemon *d, const struct ctl_event *e)
{
	ctl_server_event(d->ctl, e);
	ctl_server_event(d->ctl_readonly, e);
}

static void on_event(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	const struct ctl_event e = { level, event, kv, n };

	tell(ctx, &e);
}

static const char *name_of(const struct rib_peer *p)
{
	return p ? rib_peer_conf(p)->name : NULL;
}

/** How the traffic goes: by a gateway, on a link, or nowhere. */
static void tell_best(struct daemon *d, const struct rib_change *c)
{
	const struct link_info *link = c->n_hops ? link_by_index(d->links, c->hops[0].ifindex) : NULL;
	bool gateway = c->n_hops && c->hops[0].gateway.family != IP_NONE;
	const struct kv fields[] = {
		kv_prefix("prefix", &c->prefix),
		kv_str("peer", name_of(c->from)),
		kv_str("was", c->was != c->from ? name_of(c->was) : NULL),
		kv_str("interface", link ? link->name : NULL),
		kv_u64("hops", c->n_hops),
		gateway ? kv_ip("gateway", &c->hops[0].gateway)
		        : kv_str("type", c->kind == RIB_BLACKHOLE ? "blackhole" : NULL),
	};
	const struct ctl_event e = { LOGL_INFO, "route.best", fields, sizeof(fields) / sizeof(fields[0]) };

	tell(d, &e);
}

static void tell_gone(struct daemon *d, const struct rib_change *c)
{
	const struct kv fields[] = { kv_prefix("prefix", &c->prefix), kv_str("was", name_of(c->was)) };
	const struct ctl_event e = { LOGL_INFO, "route.gone", fields, sizeof(fields) / sizeof(fields[0]) };

	tell(d, &e);
}

static void on_change(void *ctx, const struct rib_change *c)
{
	struct daemon *d = ctx;

	if (!anybody(d))
		return;
	if (c->best)
		tell_best(d, c);
	else
		tell_gone(d, c);
}

void watch_open(struct daemon *d)
{
	rib_subscribe(d->rib, &(struct rib_subscriber){ .change = on_change, .ctx = d });
	log_set_tap(on_event, d);
}

void watch_close(void)
{
	log_set_tap(NULL, NULL);
}
