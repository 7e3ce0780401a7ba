/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: one peer: when to dial, whom to keep, what an end means.
 *
 * A peer has two sessions, one for the connection it dials and one for the connection it accepts. Whatever
 * happens to either ends in peer_review(), which looks at both as they are now and does what is left to do:
 * judge a collision, stop dialling in vain, act on what the table complained of, plan the next attempt. So
 * there is one place where that is decided, and no order of events to get wrong.
 *
 * Backing off is per cause (bgp/backoff.h) and never closes the door: a configured peer that dials in is
 * taken at any time, but for the minute after it sent too many prefixes.
 *
 * RFC 4271 6.7, 6.8, 8; RFC 4486; RFC 8212; RFC 9003. */
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "bgp/jitter.h"
#include "io/link_address.h"
#include "io/peer_priv.h"
#include "mcbgp/bgp.h"

#define SECOND        UINT64_C(1000000)
#define LINGER_US     (60 * SECOND) /* a dynamic peer without a session is shown so long */
#define LIMIT_WAIT_US (60 * SECOND)
#define CROSSING_US   SECOND

/* -- life --------------------------------------------------------------------------------------- */

static void on_timer(void *ctx);

static int init(struct peer *p)
{
	const struct rib_peer_conf rc = peer_rib_conf(p->conf);

	p->timer = loop_timer_new(p->set->env.loop, on_timer, p);
	if (!p->timer)
		return -ENOMEM;
	if (p->conf->is_range)
		return 0;
	p->rib = rib_peer_new(p->set->env.rib, &rc);
	if (!p->rib || conn_init(&p->dialled, p, false) < 0 || conn_init(&p->accepted, p, true) < 0)
		return -ENOMEM;
	rib_peer_set_user(p->rib, p);
	return 0;
}

struct peer *peer_new(struct peers *ps, const struct conf_peer *conf, struct peer *range)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p) {
		if (range)
			free(conf->name);
		return NULL;
	}
	jitter(&ps->rnd, 1); /* the next seed */
	p->set = ps;
	p->rnd = ps->rnd;
	p->range = range;
	p->dialled.fd = p->accepted.fd = -1;
	p->enabled = conf->enabled;
	p->since = loop_now(ps->env.loop);
	if (range) {
		p->own.name = conf->name;
		p->own.address = conf->address;
		if (conf->interface && !range->conf->interface)
			snprintf(p->link, sizeof(p->link), "%s", conf->interface);
		range->n_dynamic++;
	}
	p->conf = conf;
	peer_load_secret(p, conf);
	peer_set_conf(p, conf);
	if (init(p) == 0)
		return p;
	peer_free(p);
	return NULL;
}

void peer_free(struct peer *p)
{
	if (!p)
		return;
	if (p->output_queued)
		TAILQ_REMOVE(&p->set->output, p, by_output);
	peer_forget_secret(p);
	loop_timer_free(p->timer);
	conn_fini(&p->dialled);
	conn_fini(&p->accepted);
	if (p->rib)
		rib_peer_free(p->rib);
	if (p->range) {
		p->range->n_dynamic--;
		free(p->own.name);
	}
	free(p);
}

/* -- timers ------------------------------------------------------------------------------------- */

static void sooner(uint64_t *first, uint64_t t)
{
	if (t && (!*first || t < *first))
		*first = t;
}

/* A timer that fires too early costs less than one set anew at each message. */
static void rearm(struct peer *p)
{
	uint64_t first = 0;

	sooner(&first, session_deadline(&p->dialled.session));
	sooner(&first, session_deadline(&p->accepted.session));
	sooner(&first, p->start_at);
	sooner(&first, p->gone_at);
	sooner(&first, peer_stale_deadline(p));
	if (!first || (p->timer_at && p->timer_at <= first))
		return;
	p->timer_at = first;
	loop_timer_at(p->timer, first);
}

/* We may have been too busy to read what has long been here. */
static void tick(struct conn *c)
{
	uint64_t now = peer_now(c->peer);

	if (c->session.hold_at && now >= c->session.hold_at)
		conn_read(c);
	conn_effects(c, session_tick(&c->session, now));
}

static void set_patience(struct peer *p)
{
	p->session_conf.connect_retry = backoff_patience_s(&p->backoff, p->conf->connect_retry);
}

static void start_now(struct peer *p)
{
	struct session *s = &p->dialled.session;
	enum bgp_event e = s->state == ST_ACTIVE ? EV_RETRY_EXPIRES : EV_START;

	p->start_at = 0;
	set_patience(p);
	conn_effects(&p->dialled, session_event(s, e, peer_now(p)));
}

static void on_timer(void *ctx)
{
	struct peer *p = ctx;
	uint64_t now = peer_now(p);

	p->timer_at = 0;
	if (p->gone_at && now >= p->gone_at) {
		peers_forget(p);
		return;
	}
	peer_stale_tick(p);
	if (p->start_at && now >= p->start_at)
		start_now(p);
	tick(&p->dialled);
	tick(&p->accepted);
}

/* -- looking at what is ------------------------------------------------------------------------- */

/* RFC 4724 4.2: from such a peer a new connection beside the Established one is worth a look, unless it may
 * have been on its way already when that came up. */
static bool may_restart(const struct peer *p)
{
	const struct session *s = &p->up->session;

	return p->conf->graceful_restart && s->theirs.caps.graceful_restart &&
	       peer_now(p) - s->established_at >= CROSSING_US;
}

static void stop_quietly(struct conn *c)
{
	struct notify n;

	notify_set(&n, BGP_ERR_CEASE, BGP_CEASE_COLLISION, NULL, 0);
	peer_stop_conn(c, &n, END_COLLISION, NULL);
}

void peer_stop_restarted(struct conn *old)
{
	log_event(LOGL_INFO, "session.restarted", kv_str("peer", old->peer->conf->name));
	stop_quietly(old);
}

static struct conn *other_conn(struct peer *p, const struct conn *c)
{
	return c == &p->dialled ? &p->accepted : &p->dialled;
}

/* A connection that came after the session was up replaces it once it is up itself (conn_effects()), and only
 * then: one that crossed ours on its way ends before that. */
static void judge_second(struct peer *p)
{
	struct conn *second = other_conn(p, p->up);

	if (!second->newcomer && second->session.state >= ST_OPENSENT)
		stop_quietly(second);
}

static void judge_collision(struct peer *p)
{
	enum bgp_state dialled = p->dialled.session.state, accepted = p->accepted.session.state;

	if (p->up) {
		judge_second(p);
		return;
	}
	if (accepted >= ST_OPENCONFIRM && dialled == ST_CONNECT) {
		stop_quietly(&p->dialled);
		return;
	}
	if (dialled < ST_OPENSENT || accepted < ST_OPENSENT)
		return;
	switch (session_collision(&p->dialled.session, &p->accepted.session)) {
	case COLLISION_KEEP_OLD:
		stop_quietly(&p->accepted);
		break;
	case COLLISION_KEEP_NEW:
		stop_quietly(&p->dialled);
		break;
	case COLLISION_WAIT:
		break;
	}
}

static void over_limit(struct peer *p)
{
	struct notify n;
	enum max_prefix_action action = p->conf->max_prefix_action;

	if (action == MAX_PREFIX_WARN) {
		if (!p->warned)
			log_event(LOGL_WARNING, "session.max_prefix", kv_str("peer", p->conf->name),
			          kv_u64("limit", p->conf->max_prefix), kv_str("action", "warn"));
		p->warned = true;
		return;
	}
	log_event(LOGL_ERROR, "session.max_prefix", kv_str("peer", p->conf->name),
	          kv_u64("limit", p->conf->max_prefix),
	          kv_str("action", action == MAX_PREFIX_DISABLE ? "disable" : "restart"),
	          kv_str("mend", action == MAX_PREFIX_DISABLE ? "raise max_prefix, then enable it" : NULL));
	if (action == MAX_PREFIX_DISABLE)
		p->enabled = false;
	else
		p->refuse_until = peer_now(p) + LIMIT_WAIT_US;
	notify_set_max_prefix(&n, p->up->session.neg.families, p->conf->max_prefix);
	peer_stop(p, &n, END_LOCAL_NOTIFY, NULL);
}

static void hear_the_table(struct peer *p)
{
	enum rib_result trouble = p->trouble;

	p->trouble = RIB_OK;
	if (!p->up)
		return;
	if (trouble == RIB_MAX_PREFIX)
		over_limit(p);
	else if (trouble == RIB_NO_MEMORY || rib_sink_broken(p->rib))
		peer_stop_cease(p, BGP_CEASE_OUT_OF_RESOURCES, END_LOCAL_NOTIFY);
}

static bool should_dial(const struct peer *p)
{
	enum bgp_state dialled = p->dialled.session.state;

	return p->enabled && !p->conf->passive && !peer_lacks_secret(p) &&
	       (dialled == ST_IDLE || dialled == ST_ACTIVE) && p->accepted.session.state < ST_OPENCONFIRM;
}

static void plan(struct peer *p)
{
	if (!should_dial(p))
		p->start_at = 0;
	else if (!p->start_at)
		p->start_at = peer_now(p) + p->wait_us;
	if (p->enabled && p->conf->passive && p->dialled.session.state == ST_IDLE)
		session_event(&p->dialled.session, EV_START_PASSIVE, peer_now(p));
}

static enum bgp_state furthest(const struct peer *p)
{
	enum bgp_state dialled = p->dialled.session.state, accepted = p->accepted.session.state;

	return dialled > accepted ? dialled : accepted;
}

static void show(struct peer *p)
{
	enum bgp_state old = p->shown;

	p->shown = furthest(p);
	if (p->shown == old)
		return;
	p->since = peer_now(p);
	log_event(LOGL_DEBUG, "session.state", kv_str("peer", p->conf->name),
	          kv_str("from", bgp_state_name(old)), kv_str("to", bgp_state_name(p->shown)));
}

static uint64_t ended_at(const struct peer *p)
{
	return p->last_attempt_at > p->last_end_at ? p->last_attempt_at : p->last_end_at;
}

void peer_review(struct peer *p)
{
	judge_collision(p);
	hear_the_table(p);
	plan(p);
	if (p->range)
		p->gone_at =
		        p->enabled && !p->stale && furthest(p) < ST_OPENSENT ? ended_at(p) + LINGER_US : 0;
	rearm(p);
	show(p);
}

/* -- what the sessions did ---------------------------------------------------------------------- */

static uint32_t link_of(const struct conn *c)
{
	if (c->ends.ifindex)
		return c->ends.ifindex;
	if (c->peer->conf->interface)
		return if_nametoindex(c->peer->conf->interface);
	return sock_ifindex(&c->ends.local);
}

/* Ours on the session's link besides the session's own end. */
static struct link_address other_addresses(const struct conn *c)
{
	struct link_address a = { 0 };

	if (c->session.neg.families & FAM_BIT(FAM_IPV6) || c->ends.local.family == IP_V6)
		link_address_find(link_of(c), &c->ends.remote, &a);
	return a;
}

void peer_readdress(struct peer *p)
{
	struct link_address a;

	if (!p->up)
		return;
	a = other_addresses(p->up);
	rib_peer_readdress(p->rib, p->up->ends.local.family == IP_V6 ? &a.v4 : &a.v6, &a.link_local);
}

void peer_synced(struct peer *p)
{
	if (p->synced)
		return;
	p->synced = true;
	if (p->set->env.synced)
		p->set->env.synced(p->set->env.ctx, p);
}

void peer_came_up(struct peer *p, struct conn *c)
{
	const struct session *s = &c->session;
	const struct link_address a = other_addresses(c);
	const struct rib_session rs = {
		.router_id = s->theirs.id,
		.local_address = c->ends.local,
		.other_address = c->ends.local.family == IP_V6 ? a.v4 : a.v6,
		.link_local = a.link_local,
		.ifindex = link_of(c),
		.neg = s->neg,
	};

	assert(!p->up);
	p->up = c;
	p->last_attempt = (struct session_end){ 0 };
	p->last_attempt_at = 0;
	p->eor = 0;
	p->synced = p->warned = false;
	memset(p->faults_said, 0, sizeof(p->faults_said));
	if (s->neg.hold_time)
		sock_set_user_timeout(c->fd, s->neg.hold_time * 1000u);
	log_event(LOGL_INFO, "session.up", kv_str("peer", p->conf->name), kv_ip("address", &c->ends.remote),
	          kv_u64("as", s->theirs.as), kv_u64("hold_s", s->neg.hold_time));
	if (rib_peer_up(p->rib, &rs) < 0)
		p->trouble = RIB_NO_MEMORY;
	peer_stale_check(p, c);
	if (p->set->restarting &&
	    s->theirs.caps.gr_restarting) /* each would wait for the other (RFC 4724 4.1) */
		peer_synced(p);
	if (p->set->env.work)
		p->set->env.work(p->set->env.ctx);
}

void peer_went_down(struct peer *p)
{
	peer_stale_begin(p, p->up);
	p->up = NULL;
	p->flaps++;
	peer_synced(p);
	if (p->set->env.work)
		p->set->env.work(p->set->env.ctx);
}

static bool same_end(const struct session_end *a, const struct session_end *b)
{
	return a->kind == b->kind && a->tcp_error == b->tcp_error && a->notify.code == b->notify.code &&
	       a->notify.subcode == b->notify.subcode;
}

/* It came to an end before the peer had said anything: no session, but an attempt at one. */
static bool was_attempt(const struct conn *c)
{
	return c->dialling || (c->session.end.kind == END_TCP && !c->session.theirs.version);
}

static void say_ended(const struct peer *p, const struct conn *c)
{
	const struct session_end *e = &c->session.end;
	enum log_level level = LOGL_WARNING;
	char cause[512];

	if (e->kind == END_OPERATOR)
		level = LOGL_INFO;
	else if (c->dialling)
		level = same_end(e, &p->last_attempt) ? LOGL_DEBUG : LOGL_INFO;
	session_end_print(e, cause, sizeof(cause));
	log_event(level, c->dialling ? "session.connect_failed" : "session.down",
	          kv_str("peer", p->conf->name), kv_ip("address", &c->ends.remote),
	          kv_str("cause",
	                 e->kind == END_OPERATOR ? notify_name(e->notify.code, e->notify.subcode) : cause));
}

static void record_end(struct peer *p, const struct conn *c, bool connected)
{
	const struct session_end *e = &c->session.end;

	if (e->kind == END_COLLISION)
		return;
	if (connected)
		say_ended(p, c);
	if (was_attempt(c)) {
		p->last_attempt = *e;
		p->last_attempt_at = peer_now(p);
	} else {
		p->last_end = *e;
		p->last_end_at = peer_now(p);
	}
}

/* Two things make the kernel drop what comes without an answer: a signature that is not as it should be (RFC
 * 2385 4.1), and a TTL that is too low (RFC 5082). */
static void suspect(struct peer *p, struct conn *c)
{
	if (!c->dialling || c->session.end.tcp_error != ETIMEDOUT)
		return;
	if (p->secret.len)
		c->session.end.detail = "perhaps the peer has another password, or none";
	else if (p->conf->ttl_security)
		c->session.end.detail = "perhaps the peer has no ttl_security, or is farther away";
}

/* @return whether there is something that we can offer less of the next time (RFC 5492 5). */
static bool note_refusal(struct peer *p, const struct session_end *e)
{
	static const struct notify everything = { .code = BGP_ERR_OPEN, .subcode = BGP_OPEN_BAD_PARAMETER };
	bool again = p->refused.code;

	if (e->kind != END_REMOTE_NOTIFY || !notify_refuses_caps(&e->notify) ||
	    p->refused.subcode == BGP_OPEN_BAD_PARAMETER || !(p->conf->families & FAM_BIT(FAM_IPV4)))
		return false;
	p->refused = again ? everything : e->notify;
	return true;
}

void peer_conn_ended(struct peer *p, struct conn *c, bool connected)
{
	const struct session *s = &c->session;
	uint64_t now = peer_now(p);

	suspect(p, c);
	record_end(p, c, connected);
	peer_stale_dialled(p, &s->end);
	if (s->state == ST_CONNECT) { /* it dials again at once */
		backoff_unanswered(&p->backoff, p->secret.len);
		set_patience(p);
		return;
	}
	if (note_refusal(p, &s->end)) {
		p->wait_us = SECOND;
	} else
		p->wait_us =
		        backoff_wait(&p->backoff, &s->end, s->established_at ? now - s->established_at : 0,
		                     p->conf->connect_retry, &p->rnd);
	p->start_at = 0;
	c->dialling = false;
	if (c->accepted || p->up) /* it never waits in Active: there is another connection or none */
		session_event(&c->session, EV_STOP, now);
}

/* -- who acts from outside ---------------------------------------------------------------------- */

void peer_start(struct peer *p)
{
	p->backoff = (struct backoff){ 0 };
	p->refused.code = p->refused.subcode = 0;
	p->wait_us = p->start_at = p->refuse_until = 0;
	if (!p->conf->is_range)
		peer_review(p);
}

void peer_stop_conn(struct conn *c, const struct notify *n, enum end_kind kind, const char *detail)
{
	if (c->session.state != ST_IDLE)
		conn_effects(c, session_stop(&c->session, n, kind, detail, peer_now(c->peer)));
}

void peer_stop(struct peer *p, const struct notify *n, enum end_kind kind, const char *detail)
{
	peer_stop_conn(&p->accepted, n, kind, detail);
	peer_stop_conn(&p->dialled, n, kind, detail);
	peer_stale_end(p, ~0u, "ended by us");
}

void peer_stop_cease(struct peer *p, uint8_t subcode, enum end_kind kind)
{
	struct notify n;

	notify_set(&n, BGP_ERR_CEASE, subcode, NULL, 0);
	peer_stop(p, &n, kind, NULL);
}

void peer_hurry(struct peer *p)
{
	if (!backoff_may_hurry(&p->backoff))
		return;
	backoff_hurry(&p->backoff);
	if (p->dialled.session.state == ST_CONNECT) /* its SYN may have gone into the void */
		stop_quietly(&p->dialled);
	if (p->start_at)
		start_now(p);
}

void peer_accept(struct peer *p, int fd, const struct sock_ends *ends)
{
	struct conn *c;
	bool newcomer;

	if (p->up) /* that it has closed may be waiting to be read: then this one is no second connection */
		conn_read(p->up);
	newcomer = p->up && may_restart(p);
	c = newcomer ? other_conn(p, p->up) : &p->accepted;
	if (!p->enabled || (p->range && !p->range->enabled) || peer_lacks_secret(p) ||
	    peer_now(p) < p->refuse_until) {
		conn_refuse(fd, BGP_CEASE_REJECTED);
		return;
	}
	if (!newcomer && (p->up || c->session.state == ST_OPENCONFIRM)) {
		conn_refuse(fd, BGP_CEASE_COLLISION);
		return;
	}
	if (c->session.state >= ST_OPENSENT) /* it dialled again: that one is dead to it */
		stop_quietly(c);
	c->newcomer = newcomer;
	conn_adopt(c, fd, ends);
}
