/* SPDX-License-Identifier: BSD-2-Clause */
/* serve_protocols.c - DOC: the modules -> protocols, as the control socket shows them and acts on them.
 *
 * Protocols are the peers and, for those who know BIRD, the pseudo protocols device1, direct1, kernel4,
 * kernel6 and static1, which follow the configuration and cannot be acted on. */
#include <string.h>

#include "daemon/serve_priv.h"

static const char *policy_name(const struct conf_policy *p)
{
	switch (p->kind) {
	case POLICY_ALL:
		return "all";
	case POLICY_FILTER:
		return p->filter->name;
	default:
		return "none";
	}
}

static struct ctl_proto kernel_proto(struct daemon *d, enum family f)
{
	struct fib_stats fib;

	fib_stats(d->fib, &fib);
	return (struct ctl_proto){ .name = f == FAM_IPV4 ? "kernel4" : "kernel6",
		                   .kind = CTL_PROTO_KERNEL,
		                   .state = CTL_PROTO_UP,
		                   .family = f,
		                   .since_us = d->started_us,
		                   .export = policy_name(&d->conf->kernel.export),
		                   .exported = fib.wanted[f] };
}

/** The pseudo protocols; false: @fn ended the walk. */
static bool pseudo_protocols(struct daemon *d, ctl_proto_fn fn, void *arg)
{
	struct ctl_proto p = {
		.name = "device1", .kind = CTL_PROTO_DEVICE, .state = CTL_PROTO_UP, .since_us = d->started_us
	};

	if (!fn(arg, &p))
		return false;
	p = (struct ctl_proto){
		.name = "direct1", .kind = CTL_PROTO_DIRECT, .state = CTL_PROTO_UP, .since_us = d->started_us
	};
	p.rib = local_direct(d->local);
	if (d->conf->direct.n_interfaces && !fn(arg, &p))
		return false;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		p = kernel_proto(d, f);
		if (!fn(arg, &p))
			return false;
	}
	p = (struct ctl_proto){
		.name = "static1", .kind = CTL_PROTO_STATIC, .state = CTL_PROTO_UP, .since_us = d->started_us
	};
	p.rib = local_static(d->local);
	return !d->conf->n_statics || fn(arg, &p);
}

static enum ctl_proto_state bgp_proto_state(const struct peer_view *v)
{
	if (!v->enabled)
		return CTL_PROTO_DOWN;
	if (v->is_range)
		return CTL_PROTO_UP;
	return v->state == ST_ESTABLISHED ? CTL_PROTO_UP : CTL_PROTO_START;
}

static const char *limit_action(enum max_prefix_action a)
{
	switch (a) {
	case MAX_PREFIX_DISABLE:
		return "disable";
	case MAX_PREFIX_WARN:
		return "warn";
	default:
		return "restart";
	}
}

static void session_facts(const struct session *s, struct ctl_bgp *b)
{
	bool heard = s && s->state >= ST_OPENCONFIRM;

	if (!s)
		return;
	b->ours = &s->conf->caps;
	b->hold_us = s->hold_at;
	b->keepalive_us = s->keepalive_at;
	if (!heard)
		return;
	b->neighbor_as = s->theirs.as;
	b->neighbor_id = s->theirs.id;
	b->theirs = &s->theirs.caps;
	b->neg = &s->neg;
	b->hold_time = s->neg.hold_time;
	b->keepalive =
	        b->keepalive && b->keepalive < b->hold_time ? b->keepalive : (uint16_t)(b->hold_time / 3);
}

static uint64_t growth(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0; /* it may not have been there to be read */
}

/** What may be the cause that a peer has no session, and is seen nowhere else. */
static void md5_facts(const struct daemon *d, struct ctl_bgp *b, bool password)
{
	struct serve *s = d->serve;

	if (s->dropped_at != loop_now(d->loop)) { /* once for all peers that are shown in this turn */
		s->dropped_at = loop_now(d->loop);
		s->dropped = md5_drops_read(MD5_DROPS_FILE);
	}
	if (password) {
		b->md5_wrong = growth(s->dropped_before.wrong, s->dropped.wrong);
		b->md5_missing = growth(s->dropped_before.missing, s->dropped.missing);
	} else {
		b->md5_unexpected = growth(s->dropped_before.unexpected, s->dropped.unexpected);
	}
}

struct troubles {
	char error[512], attempt[256];
};

static struct ctl_bgp bgp_facts(const struct peer_view *v, struct troubles *t)
{
	const struct conf_peer *c = v->conf;
	struct ctl_bgp b = {
		.state = v->state,
		.passive = c->passive || v->is_range || v->dynamic,
		.is_range = v->is_range,
		.range = c->range,
		.n_dynamic = v->n_dynamic,
		.neighbor = v->address,
		.local = v->local.family ? v->local : c->local_address,
		.port = c->port,
		.neighbor_port = v->remote_port ? v->remote_port : c->port,
		.neighbor_as = c->remote_as,
		.local_as = c->local_as,
		.interface = c->interface,
		.families = c->families,
		.multihop = c->multihop > 1,
		.rr_client = c->route_reflector_client,
		.hold_time = c->hold_time,
		.keepalive = c->keepalive,
		.connect_retry = c->connect_retry,
		.retry_us = v->retry_at,
		.last_error = session_end_print(v->last_end, t->error, sizeof(t->error)),
		.last_error_us = v->last_end_at,
		.last_attempt = session_end_print(v->last_attempt, t->attempt, sizeof(t->attempt)),
		.last_attempt_us = v->last_attempt_at,
		.flaps = v->flaps,
		.stale_us = v->stale_at,
		.long_lived_us = { v->long_lived_at[FAM_IPV4], v->long_lived_at[FAM_IPV6] },
		.refuse_us = v->refuse_until,
		.treated_as_withdraw = v->treated_as_withdraw,
		.attrs_discarded = v->attrs_discarded,
		.policy_missing = v->policy_missing,
		.import = policy_name(&c->import),
		.export = policy_name(&c->export),
		.max_prefix = c->max_prefix,
		.max_prefix_action = limit_action(c->max_prefix_action),
	};

	/* iBGP without a policy takes and sends all; eBGP nothing (RFC 8212). */
	if (c->remote_as == c->local_as && c->import.kind == POLICY_UNSET)
		b.import = "all";
	if (c->remote_as == c->local_as && c->export.kind == POLICY_UNSET)
		b.export = "all";
	session_facts(v->session, &b);
	return b;
}

static bool bgp_protocol(const struct daemon *d, const struct peer *peer, ctl_proto_fn fn, void *arg)
{
	struct peer_view v;
	struct ctl_bgp b;
	struct ctl_proto p;
	struct troubles t;

	peer_view(peer, &v);
	b = bgp_facts(&v, &t);
	if (v.enabled && v.state != ST_ESTABLISHED)
		md5_facts(d, &b, v.conf->password_file);
	p = (struct ctl_proto){ .name = v.name,
		                .kind = CTL_PROTO_BGP,
		                .state = bgp_proto_state(&v),
		                .since_us = v.since,
		                .description = v.conf->description,
		                .rib = v.rib,
		                .bgp = &b };
	return fn(arg, &p);
}

void serve_protocols(void *ctx, ctl_proto_fn fn, void *arg)
{
	struct daemon *d = ctx;

	if (!pseudo_protocols(d, fn, arg))
		return;
	for (struct peer *p = peers_first(d->peers); p; p = peers_next(d->peers, p))
		if (!bgp_protocol(d, p, fn, arg))
			return;
}

struct by_name {
	const char *name;
	ctl_proto_fn fn; /* NULL: only whether there is one */
	void *arg;
	bool found;
};

static bool match_name(void *arg, const struct ctl_proto *p)
{
	struct by_name *m = arg;

	if (strcmp(p->name, m->name) != 0)
		return true;
	m->found = true;
	if (m->fn)
		m->fn(m->arg, p);
	return false;
}

bool serve_protocol(void *ctx, const char *name, ctl_proto_fn fn, void *arg)
{
	struct daemon *d = ctx;
	struct peer *p = peers_find(d->peers, name);
	struct by_name m = { name, fn, arg, false };

	if (p) {
		bgp_protocol(d, p, fn, arg);
		return true;
	}
	pseudo_protocols(d, match_name, &m);
	return m.found;
}

enum ctl_outcome serve_act(void *ctx, enum ctl_action a, const char *name, const char *text)
{
	struct daemon *d = ctx;
	struct peer *p = peers_find(d->peers, name);
	struct by_name m = { .name = name };
	struct peer_view v;

	if (!p) {
		pseudo_protocols(d, match_name, &m);
		return m.found ? CTL_IMPOSSIBLE : CTL_UNKNOWN;
	}
	peer_view(p, &v);
	if (!v.enabled && a != CTL_ENABLE && a != CTL_DISABLE)
		return CTL_ALREADY;
	switch (a) {
	case CTL_ENABLE:
		return peer_enable(p) ? CTL_DONE : CTL_ALREADY;
	case CTL_DISABLE:
		return peer_disable(p, text) ? CTL_DONE : CTL_ALREADY;
	case CTL_RESTART:
		peer_restart(p, text);
		return CTL_DONE;
	default:
		peer_reload(p, a != CTL_RELOAD_OUT, a != CTL_RELOAD_IN);
		daemon_work(d);
		return CTL_DONE;
	}
}
