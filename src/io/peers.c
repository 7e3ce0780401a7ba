/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the set of peers: who they are, who may connect, and how a new configuration reaches them.
 *
 * A connection belongs to the peer with its address (and local address and link, where configured), else to
 * the longest range that holds it, which then makes a dynamic peer. Strangers cost an accept, 21 bytes and a
 * close; they are named in the log once a minute, and so many of them at most.
 *
 * A new configuration is compared entry by entry by name; sessions end only where config/diff.h says that
 * what they negotiated has changed. */
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "bgp/jitter.h"
#include "config/diff.h"
#include "io/peer_priv.h"
#include "mcbgp/bgp.h"

#define STRANGER_QUIET_US UINT64_C(60000000)

/* -- output ------------------------------------------------------------------------------------- */

void peers_queue_output(struct peers *ps, struct peer *p)
{
	if (!p->output_queued)
		TAILQ_INSERT_TAIL(&ps->output, p, by_output);
	p->output_queued = true;
	loop_job_kick(ps->writer);
}

void peer_output(struct peer *p)
{
	peers_queue_output(p->set, p);
}

static void write_peer(struct peer *p)
{
	bool dialled = conn_write(&p->dialled), accepted = conn_write(&p->accepted);

	if (dialled || accepted)
		peers_queue_output(p->set, p);
}

/* Each peer once; those with more to write come again in the next turn. */
static bool write_all(void *ctx)
{
	struct peers *ps = ctx;
	struct peer *last = TAILQ_LAST(&ps->output, peer_list), *p = NULL;

	while (p != last) {
		p = TAILQ_FIRST(&ps->output);
		TAILQ_REMOVE(&ps->output, p, by_output);
		p->output_queued = false;
		if (p->up && rib_sink_broken(p->rib))
			peer_review(p);
		write_peer(p);
	}
	return !TAILQ_EMPTY(&ps->output);
}

/* -- who connects ------------------------------------------------------------------------------- */

static bool fits(const struct conf_peer *c, const struct sock_ends *ends)
{
	uint32_t link = ends->arrival ? ends->arrival : ends->ifindex;

	if (c->local_address.family != IP_NONE && !ip_equal(&c->local_address, &ends->local))
		return false;
	return !c->interface || !link || if_nametoindex(c->interface) == link;
}

static unsigned conditions(const struct conf_peer *c)
{
	return (c->local_address.family != IP_NONE) + !!c->interface;
}

/* Of several peers with that address, the one that asks for most of what is so. */
static struct peer *find_peer(struct peers *ps, const struct sock_ends *ends)
{
	struct peer *p, *best = NULL;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		const struct conf_peer *c = p->conf;

		if (c->is_range || !ip_equal(&c->address, &ends->remote) || !fits(c, ends))
			continue;
		if (!best || conditions(c) > conditions(best->conf))
			best = p;
	}
	return best;
}

/* A peer that @ends would belong to if they were at another address or link of ours. */
static struct peer *find_misplaced(struct peers *ps, const struct sock_ends *ends)
{
	struct peer *p, *range = NULL;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		if (p->range)
			continue;
		if (!p->conf->is_range && ip_equal(&p->conf->address, &ends->remote))
			return p;
		if (p->conf->is_range && prefix_contains_ip(&p->conf->range, &ends->remote))
			range = p;
	}
	return range;
}

static struct peer *find_range(struct peers *ps, const struct sock_ends *ends)
{
	struct peer *p, *best = NULL;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		const struct conf_peer *c = p->conf;

		if (!c->is_range || !prefix_contains_ip(&c->range, &ends->remote) || !fits(c, ends))
			continue;
		if (!best || c->range.len > best->conf->range.len)
			best = p;
	}
	return best;
}

static struct peer *dynamic_first(struct peer *range)
{
	struct peer *p = TAILQ_NEXT(range, by_order);

	return p && p->range == range ? p : NULL;
}

static struct peer *dynamic_next(struct peer *p)
{
	struct peer *next = TAILQ_NEXT(p, by_order);

	return next && next->range == p->range ? next : NULL;
}

void peers_forget(struct peer *dynamic)
{
	TAILQ_REMOVE(&dynamic->set->list, dynamic, by_order);
	peer_free(dynamic);
}

/* Room in a full range: the dynamic peer that has been without a session the longest goes. */
static bool make_room(struct peer *range)
{
	struct peer *p, *oldest = NULL;

	if (!range->conf->max_peers || range->n_dynamic < range->conf->max_peers)
		return true;
	for (p = dynamic_first(range); p; p = dynamic_next(p)) {
		if (p->gone_at && (!oldest || p->gone_at < oldest->gone_at))
			oldest = p;
	}
	if (oldest)
		peers_forget(oldest);
	return oldest;
}

/* A link-local address is one neighbor's on each link. */
static struct peer *add_dynamic(struct peer *range, const struct sock_ends *ends)
{
	struct peers *ps = range->set;
	struct conf_peer conf = *range->conf;
	struct peer *p, *last = range, *next;
	char text[IP_STRLEN], link[IF_NAMESIZE] = "";

	if (ip_is_link_local(&ends->remote) && !conf.interface && if_indextoname(ends->ifindex, link))
		conf.interface = link;
	if (asprintf(&conf.name, "%s_%s%s%s", range->conf->name, ip_print(&ends->remote, text),
	             *link ? "%" : "", link) < 0)
		return NULL;
	conf.address = ends->remote;
	p = peer_new(ps, &conf, range); /* owns the name, also when it fails */
	if (!p)
		return NULL;
	for (next = dynamic_first(range); next; next = dynamic_next(next))
		last = next;
	TAILQ_INSERT_AFTER(&ps->list, last, p, by_order);
	return p;
}

/* @return whether it may be logged: not if it was in the last minute, nor when too many others were. */
static bool worth_logging(struct peers *ps, const struct ip *from)
{
	uint64_t now = loop_now(ps->env.loop);
	int room = -1;

	for (int i = 0; i < STRANGERS; i++) {
		if (ps->strangers[i].until <= now)
			room = i;
		else if (ip_equal(&ps->strangers[i].from, from))
			return false;
	}
	if (room < 0)
		return false;
	ps->strangers[room].from = *from;
	ps->strangers[room].until = now + STRANGER_QUIET_US;
	return true;
}

static void turn_away(struct peers *ps, int fd, const struct sock_ends *ends, const char *why,
                      const char *mend)
{
	conn_refuse(fd, BGP_CEASE_REJECTED);
	if (worth_logging(ps, &ends->remote))
		log_event(LOGL_WARNING, "session.refused", kv_ip("from", &ends->remote),
		          kv_ip("to", &ends->local), kv_u64("port", ends->local_port), kv_str("why", why),
		          kv_str("mend", mend));
}

static void turn_away_misplaced(struct peers *ps, int fd, const struct sock_ends *ends, const struct peer *p)
{
	const struct conf_peer *c = p->conf;
	char why[192], expected[IP_STRLEN];
	const char *mend;

	if (c->local_address.family != IP_NONE && !ip_equal(&c->local_address, &ends->local)) {
		snprintf(why, sizeof(why), "peer %s expects connections to %s", c->name,
		         ip_print(&c->local_address, expected));
		mend = "have it connect to that address, or change its local_address";
	} else {
		snprintf(why, sizeof(why), "peer %s expects connections over %s", c->name, c->interface);
		mend = "mend the routing at its end, or change its interface";
	}
	turn_away(ps, fd, ends, why, mend);
}

static void turn_away_stranger(struct peers *ps, int fd, const struct sock_ends *ends)
{
	const struct peer *misplaced = find_misplaced(ps, ends);

	if (misplaced)
		turn_away_misplaced(ps, fd, ends, misplaced);
	else
		turn_away(ps, fd, ends, "no peer has this address",
		          "add it to peers, by address or by range");
}

/* Where @p has ttl_security: from farther away than it may be, or nobody knows. To tell the socket is not
 * enough: what was said before that may be waiting to be read. */
static bool is_far(const struct peer *p, const struct sock_ends *ends)
{
	return ends->ttl < peer_min_ttl(p);
}

static void turn_away_far(struct peers *ps, int fd, const struct sock_ends *ends, const struct peer *p)
{
	char why[192];

	if (!ends->ttl) {
		snprintf(why, sizeof(why),
		         "peer %s has ttl_security, and the kernel does not say with which TTL this came",
		         p->conf->name);
		turn_away(ps, fd, ends, why, NULL);
		return;
	}
	snprintf(why, sizeof(why),
	         "peer %s has ttl_security, and this came with TTL %u instead of %u or more", p->conf->name,
	         ends->ttl, peer_min_ttl(p));
	turn_away(ps, fd, ends, why, "set TTL security at its end too, or multihop to how far away it is");
}

static void on_accepted(void *ctx, int fd, const struct sock_ends *ends)
{
	struct peers *ps = ctx;
	struct peer *p = find_peer(ps, ends), *range = p ? NULL : find_range(ps, ends);

	if (!p && !range) {
		turn_away_stranger(ps, fd, ends);
		return;
	}
	if (!p && !range->enabled) {
		turn_away(ps, fd, ends, "its range is disabled", NULL);
		return;
	}
	if (is_far(p ? p : range, ends)) {
		turn_away_far(ps, fd, ends, p ? p : range);
		return;
	}
	if (p) {
		peer_accept(p, fd, ends);
		return;
	}
	if (!make_room(range)) {
		turn_away(ps, fd, ends, "its range is full", "raise max_peers");
		return;
	}
	p = add_dynamic(range, ends);
	if (p)
		peer_accept(p, fd, ends);
	else
		turn_away(ps, fd, ends, "out of memory", NULL);
}

/* -- life --------------------------------------------------------------------------------------- */

struct peers *peers_new(const struct peers_env *env)
{
	struct peers *ps = calloc(1, sizeof(*ps));
	uint32_t seed = 0;

	if (!ps)
		return NULL;
	ps->env = *env;
	TAILQ_INIT(&ps->list);
	TAILQ_INIT(&ps->output);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint32_t)loop_clock(); /* it only spreads timers */
	ps->rnd = jitter_seed(seed);
	ps->rx = malloc(BGP_MAX_LEN_EXT + READ_MAX);
	ps->writer = loop_job_new(env->loop, write_all, ps);
	ps->listeners = listeners_new(env->loop, on_accepted, ps);
	if (ps->rx && ps->writer && ps->listeners)
		return ps;
	peers_free(ps);
	return NULL;
}

void peers_free(struct peers *ps)
{
	struct peer *p;

	if (!ps)
		return;
	ps->env.synced = NULL;
	ps->env.work = NULL;
	TAILQ_FOREACH (p, &ps->list, by_order) {
		p->enabled = false;
		if (!ps->leaves_gracefully || !peer_keeps_our_routes(p))
			peer_stop_cease(
			        p, ps->leaves_gracefully ? BGP_CEASE_ADMIN_RESET : BGP_CEASE_ADMIN_SHUTDOWN,
			        END_OPERATOR);
	}
	while ((p = TAILQ_LAST(&ps->list, peer_list))) { /* dynamic peers before their range */
		TAILQ_REMOVE(&ps->list, p, by_order);
		peer_free(p);
	}
	listeners_free(ps->listeners);
	loop_job_free(ps->writer);
	free(ps->rx);
	free(ps);
}

void peers_set_restarting(struct peers *ps, bool restarting)
{
	ps->restarting = restarting;
}

void peers_leave_gracefully(struct peers *ps)
{
	if (ps)
		ps->leaves_gracefully = true;
}

/* -- a new configuration ------------------------------------------------------------------------ */

static void remove_peer(struct peers *ps, struct peer *p)
{
	p->enabled = false;
	peer_stop_cease(p, BGP_CEASE_PEER_DECONFIGURED, END_OPERATOR);
	log_event(LOGL_INFO, "peer.removed", kv_str("peer", p->conf->name));
	TAILQ_REMOVE(&ps->list, p, by_order);
	peer_free(p);
}

static bool has_address(const struct conf *c, const struct ip *address)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		if (!c->peers[i].is_range && ip_equal(&c->peers[i].address, address))
			return true;
	}
	return false;
}

struct snapshots {
	const struct conf *now, *old; /* old: NULL at the start */
};

static bool must_reset(const struct peer *p, const struct conf_peer *conf, const struct snapshots *s)
{
	const struct conf_peer *old = p->range ? p->range->conf : p->conf;

	if (!s->old)
		return false;
	return diff_peer(old, conf, s->old, s->now) & 1u << PEER_RESET ||
	       !diff_router_identity_same(s->old, s->now);
}

static void update_peer(struct peer *p, const struct conf_peer *conf, const struct snapshots *s)
{
	bool reset = must_reset(p, conf, s), toggled = p->conf->enabled != conf->enabled;

	reset |= peer_load_secret(p, conf);
	if (toggled)
		p->enabled = conf->enabled;
	if (toggled && !p->enabled)
		peer_stop_cease(p, BGP_CEASE_ADMIN_SHUTDOWN, END_OPERATOR);
	else if (reset)
		peer_stop_cease(p, BGP_CEASE_CONFIG_CHANGE, END_OPERATOR);
	peer_set_conf(p, conf);
	if (reset || toggled)
		peer_start(p);
	else if (!conf->is_range)
		peer_review(p); /* there may be more than it may say now */
}

/* Dynamic peers follow their range; those that lie in it no longer, or have got an entry of their own, go. */
static void update_dynamic(struct peer *range, const struct conf_peer *conf, const struct snapshots *s)
{
	struct peer *p = dynamic_first(range), *next;

	for (; p; p = next) {
		next = dynamic_next(p);
		if (prefix_contains_ip(&conf->range, &p->conf->address) &&
		    !has_address(s->now, &p->conf->address))
			update_peer(p, conf, s);
		else
			remove_peer(range->set, p);
	}
}

static struct peer *find_configured(struct peers *ps, const struct conf_peer *conf)
{
	struct peer *p;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		if (!p->range && p->conf->is_range == conf->is_range &&
		    strcmp(p->conf->name, conf->name) == 0)
			return p;
	}
	return NULL;
}

static void remove_unwanted(struct peers *ps)
{
	struct peer *p, *next;

	/* From the end: dynamic peers before their range. */
	for (p = TAILQ_LAST(&ps->list, peer_list); p; p = next) {
		next = TAILQ_PREV(p, peer_list, by_order);
		if (!(p->range ? p->range->wanted : p->wanted))
			remove_peer(ps, p);
	}
}

/* To the end of the list, and its dynamic peers with it: called in the order of the configuration. */
static void move_to_end(struct peers *ps, struct peer *p)
{
	struct peer *next = dynamic_first(p), *dynamic;

	TAILQ_REMOVE(&ps->list, p, by_order);
	TAILQ_INSERT_TAIL(&ps->list, p, by_order);
	while ((dynamic = next)) {
		next = dynamic_next(dynamic);
		TAILQ_REMOVE(&ps->list, dynamic, by_order);
		TAILQ_INSERT_TAIL(&ps->list, dynamic, by_order);
	}
}

static int apply_entry(struct peers *ps, const struct conf_peer *conf, const struct snapshots *s)
{
	struct peer *p = find_configured(ps, conf);

	if (p) {
		move_to_end(ps, p);
		update_dynamic(p, conf, s);
		update_peer(p, conf, s);
		return 0;
	}
	p = peer_new(ps, conf, NULL);
	if (!p)
		return -ENOMEM;
	p->wanted = true;
	TAILQ_INSERT_TAIL(&ps->list, p, by_order);
	peer_start(p);
	return 0;
}

int peers_apply(struct peers *ps, const struct conf *c, const struct conf *old)
{
	const struct snapshots s = { c, old };
	struct peer *p;
	int first, rc;

	TAILQ_FOREACH (p, &ps->list, by_order)
		p->wanted = false;
	for (size_t i = 0; i < c->n_peers; i++) {
		p = find_configured(ps, &c->peers[i]);
		if (p)
			p->wanted = true;
	}
	remove_unwanted(ps);
	ps->conf = c;
	first = listeners_apply(ps->listeners, c->router.listen, c->router.n_listen);
	for (size_t i = 0; i < c->n_peers; i++) {
		rc = apply_entry(ps, &c->peers[i], &s);
		if (rc < 0 && !first)
			first = rc;
	}
	return first;
}

/* -- links -------------------------------------------------------------------------------------- */

static bool bound_to(const struct peer *p, const char *name)
{
	return p->conf->interface && strcmp(p->conf->interface, name) == 0 && peer_hops(p) == 1;
}

static void link_went(struct peer *p)
{
	struct conn *conns[] = { &p->dialled, &p->accepted };

	for (size_t i = 0; i < sizeof(conns) / sizeof(conns[0]); i++) {
		if (conns[i]->fd >= 0)
			conn_effects(conns[i], session_tcp_failed(&conns[i]->session, ENETDOWN, peer_now(p)));
	}
}

void peers_address_event(struct peers *ps, const struct ip *a, bool came)
{
	struct peer *p;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		peer_readdress(p);
		if (came && !p->conf->is_range && !p->up && ip_equal(&p->conf->local_address, a))
			peer_hurry(p);
	}
}

void peers_neighbor_event(struct peers *ps, const struct ip *a, bool there)
{
	struct peer *p;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		if (p->conf->is_range || !ip_equal(&p->conf->address, a))
			continue;
		if (there && p->away && p->start_at) /* else its SYN goes out now by itself */
			peer_hurry(p);
		p->away = !there;
	}
}

void peers_link_event(struct peers *ps, const char *name, bool up)
{
	struct peer *p;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		if (p->conf->is_range)
			continue;
		if (up && !p->up)
			peer_hurry(p);
		else if (!up && bound_to(p, name))
			link_went(p);
	}
}
