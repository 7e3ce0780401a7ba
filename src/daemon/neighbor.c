/* SPDX-License-Identifier: BSD-2-Clause */
/* neighbor.c - DOC: next hops that do not answer on their link.
 *
 * The kernel gives up on a neighbor after three unanswered requests: its entry is FAILED and packets to it
 * are dropped. So a next hop that has FAILED, or whose gateway has, is dead, whatever else is known of it:
 * routes and groups go round it long before a hold timer of 90 s ends. Two things would be worse than not to
 * notice.
 *
 * Dead for ever: nothing leads to a dead neighbor any more, so nobody asks for it, and it may have no session
 * with us whose TCP would. Hence the kernel is told to ask (NTF_USE), after 1, 2, 4 and then every 8 seconds.
 * Whatever shows that it is there - an answer, or a request of its own when it dials us - ends the death.
 *
 * Flapping: an entry that merely vanishes (garbage collection, `ip neigh flush`) says nothing, so death lasts
 * until there is an answer; and to fail again takes the kernel three seconds.
 *
 * When the link goes, so does what is known of its neighbors: the link's own state speaks then. A neighbor
 * that fails while no next hop uses it is passed over; should one use it later, the kernel asks and fails
 * anew. IPv6 link-local addresses are passed over, too: the same one may be alive on another link. */
#include <stdlib.h>

#include "daemon/state.h"
#include "lib/log.h"

#define ASK_US     1000000u
#define ASK_MAX_US 8000000u
#define DEAD_MAX   1024u /* the kernel's own table holds no more by default */

struct dead {
	struct dead *next;
	struct ip address;
	uint32_t ifindex;
	uint64_t ask_at, wait_us;
};

struct neighbors {
	struct daemon *d;
	struct loop_timer *timer;
	struct dead *dead;
	size_t n;
};

struct neighbors *neighbors_new(struct daemon *d)
{
	struct neighbors *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->d = d;
	return n;
}

void neighbors_free(struct neighbors *n)
{
	struct dead *next;

	if (!n)
		return;
	for (struct dead *e = n->dead; e; e = next) {
		next = e->next;
		free(e);
	}
	loop_timer_free(n->timer);
	free(n);
}

static struct dead **find(struct neighbors *n, uint32_t ifindex, const struct ip *a)
{
	struct dead **at = &n->dead;

	while (*at && ((*at)->ifindex != ifindex || !ip_equal(&(*at)->address, a)))
		at = &(*at)->next;
	return at;
}

/** It may be one address on two links. */
static bool is_dead_elsewhere(const struct neighbors *n, const struct ip *a)
{
	for (const struct dead *e = n->dead; e; e = e->next) {
		if (ip_equal(&e->address, a))
			return true;
	}
	return false;
}

/** As a next hop, or as the gateway to one. */
static bool is_used(const struct nexthop_table *t, uint32_t ifindex, const struct ip *a)
{
	for (nexthop_id id = nexthop_next(t, 0); id; id = nexthop_next(t, id)) {
		const struct nexthop *nh = nexthop_at(t, id);

		if (nh->why == NH_OK && nh->ifindex == ifindex && ip_equal(&nh->gateway, a))
			return true;
	}
	return false;
}

static void mark(struct neighbors *n, const struct dead *e, bool dead)
{
	if (nexthop_dead_set(rib_nexthops(n->d->rib), &e->address, NH_CAUSE_NEIGHBOR, dead) < 0)
		return; /* out of memory: as if nobody had told */
	log_event(LOGL_WARNING, dead ? "neighbor.dead" : "neighbor.alive", kv_ip("address", &e->address),
	          kv_u64("ifindex", e->ifindex));
	daemon_work(n->d);
}

/** The one at @at is dead no longer. */
static void revive(struct neighbors *n, struct dead **at)
{
	struct dead *e = *at;

	*at = e->next;
	n->n--;
	if (!is_dead_elsewhere(n, &e->address))
		mark(n, e, false);
	free(e);
}

static void arm(struct neighbors *n)
{
	uint64_t next = UINT64_MAX;

	for (const struct dead *e = n->dead; e; e = e->next) {
		if (e->ask_at < next)
			next = e->ask_at;
	}
	if (n->dead)
		loop_timer_at(n->timer, next);
}

static void on_timer(void *ctx)
{
	struct neighbors *n = ctx;
	uint64_t now = loop_now(n->d->loop);

	for (struct dead *e = n->dead; e; e = e->next) {
		if (e->ask_at > now)
			continue;
		link_watch_ask(n->d->links, e->ifindex, &e->address);
		e->wait_us = e->wait_us < ASK_MAX_US ? 2 * e->wait_us : ASK_MAX_US;
		e->ask_at = now + e->wait_us;
	}
	arm(n);
}

static void bury(struct neighbors *n, uint32_t ifindex, const struct ip *a)
{
	struct dead *e;

	if (n->n == DEAD_MAX || !is_used(rib_nexthops(n->d->rib), ifindex, a))
		return;
	if (!n->timer)
		n->timer = loop_timer_new(n->d->loop, on_timer, n);
	e = n->timer ? malloc(sizeof(*e)) : NULL;
	if (!e)
		return;
	*e = (struct dead){ n->dead, *a, ifindex, loop_now(n->d->loop) + ASK_US, ASK_US };
	n->dead = e;
	n->n++;
	mark(n, e, true);
	arm(n);
}

void neighbors_state(struct neighbors *n, uint32_t ifindex, const struct ip *a, bool failed)
{
	struct dead **at = find(n, ifindex, a);

	if (a->family == IP_V6 && ip_is_link_local(a))
		return;
	if (failed && !*at)
		bury(n, ifindex, a);
	else if (!failed && *at)
		revive(n, at);
}

void neighbors_link_down(struct neighbors *n, uint32_t ifindex)
{
	for (struct dead **at = &n->dead; *at;) {
		if ((*at)->ifindex == ifindex)
			revive(n, at);
		else
			at = &(*at)->next;
	}
}
