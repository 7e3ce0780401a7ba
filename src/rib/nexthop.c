/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: next hops, resolved by events.
 *
 * Three kinds of facts come in from outside: routes of the host, links that are up, and addresses that are
 * ours or dead. The answer for a next hop is a function of the facts alone (resolve(), below), so their order
 * cannot matter; what events add is only whom to ask again. A next hop remembers which link and which gateway
 * its last answer rests on. An event asks again
 *
 *  - a route:     the next hops within its prefix; one that is or was connected also those whose gateway is
 * within it;
 *  - a link:      those that rest on it;
 *  - an address:  those that have it, or have it for a gateway;
 *  - a route of our own table: those within its prefix, while some next hop is not on a link.
 *
 * Routes come by the thousand, so next hops are found in a tree of addresses; the other events are rare and
 * look at every next hop.
 *
 * Who uses a next hop, and what a change means to a prefix, is known to the table of routes. RFC
 * 4271 5.1.3, 9.1.2.1. */
#include "rib/nexthop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* A route of the host; its destination owns it. */
struct route {
	struct route *next; /* of the same prefix, by rising metric */
	struct ip gateway;  /* IP_NONE: connected */
	uint32_t ifindex;   /* 0: blackhole and its like */
	uint32_t metric;
	uint32_t sync; /* the resync it was last told in */
};

struct destination {
	struct ptree_node node; /* first: a node is its destination */
	struct route *routes;   /* never empty, the best first */
};

/* An address that there is something to know about; lives while there is. */
struct address {
	struct ptree_node node; /* first: a node is its address */
	bool own;
	uint8_t dead;     /* enum nexthop_cause of those who say so; 0: it is alive */
	nexthop_id users; /* linked through entry.next, one for each scope */
};

/* A next hop in use. */
struct entry {
	struct nexthop nh;
	struct address *address;
	nexthop_id next;       /* with the same address */
	struct ip gateway;     /* that the host's answer went by; IP_NONE: none */
	uint32_t link;         /* that it rested on; 0: none */
	bool far;              /* not on a link: a route of our own may be the way to it */
	struct ip own_gateway; /* that a route of our own goes by, and the link */
	uint32_t own_link;
};

/* What is behind a nexthop_id. Entries do not move: nexthop_at() hands them out. */
struct slot {
	struct entry *entry; /* owned; NULL: free */
	nexthop_id next_free;
};

struct nexthop_table {
	struct ptree routes;    /* struct destination */
	struct ptree addresses; /* struct address */
	struct slot *slots;     /* by nexthop_id; slot 0 is never used */
	uint32_t n_slots, slots_size;
	nexthop_id free; /* first free slot */
	size_t count;    /* next hops in use */
	size_t n_far;    /* of them, not on a link */
	struct nexthop_own own;
	uint32_t *up; /* interface indices of the links that are up, rising */
	size_t n_up, up_size;
	uint32_t sync; /* number of the last resync */
	bool syncing;
	void (*changed)(void *ctx, nexthop_id id, const struct nexthop *nh);
	void *ctx;
	nexthop_id last; /* that nexthop_get() gave out, since the next route mostly has the same; 0: none,
	                    or it is gone */
};

static struct destination *destination_of(struct ptree_node *n)
{
	return (struct destination *)n;
}

static struct address *address_of(struct ptree_node *n)
{
	return (struct address *)n;
}

static struct entry *entry_at(const struct nexthop_table *t, nexthop_id id)
{
	assert(id > 0 && id < t->n_slots && t->slots[id].entry);
	return t->slots[id].entry;
}

static struct prefix host_prefix(const struct ip *a)
{
	return prefix_make(a, ip_bits(a->family));
}

const char *nexthop_why_text(enum nexthop_why w)
{
	static const char *const texts[] = {
		[NH_OK] = "reachable",
		[NH_NO_ROUTE] = "no route to it",
		[NH_LINK_DOWN] = "the link to it is down",
		[NH_BLACKHOLE] = "the route to it is a blackhole",
		[NH_DEAD] = "it does not answer",
		[NH_DEAD_TUNNEL] = "the tunnel to it is dead",
		[NH_DEAD_SESSION] = "its session is dead",
		[NH_OWN_ADDRESS] = "it is an address of our own",
		[NH_BAD_GATEWAY] = "the gateway of the route to it is not on the link",
	};

	assert(w < sizeof(texts) / sizeof(texts[0]));
	return texts[w];
}

/* ---- links ------------------------------------------------------------------------------------ */

/* Where @ifindex is among the links that are up, or would be. */
static size_t link_place(const struct nexthop_table *t, uint32_t ifindex)
{
	size_t low = 0, high = t->n_up;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->up[mid] < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool link_is_up(const struct nexthop_table *t, uint32_t ifindex)
{
	size_t at = link_place(t, ifindex);

	return at < t->n_up && t->up[at] == ifindex;
}

static int link_add(struct nexthop_table *t, uint32_t ifindex)
{
	size_t at = link_place(t, ifindex);

	if (t->n_up == t->up_size) {
		uint32_t *grown = reallocarray(t->up, t->up_size + 64, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->up = grown;
		t->up_size += 64;
	}
	memmove(&t->up[at + 1], &t->up[at], (t->n_up - at) * sizeof(t->up[0]));
	t->up[at] = ifindex;
	t->n_up++;
	return 0;
}

static void link_remove(struct nexthop_table *t, uint32_t ifindex)
{
	size_t at = link_place(t, ifindex);

	t->n_up--;
	memmove(&t->up[at], &t->up[at + 1], (t->n_up - at) * sizeof(t->up[0]));
}

/* ---- addresses -------------------------------------------------------------------------------- */

static struct address *address_find(const struct nexthop_table *t, const struct ip *a)
{
	struct prefix p = host_prefix(a);
	struct ptree_node *n = ptree_find(&t->addresses, &p);

	return n ? address_of(n) : NULL;
}

/* Found or made. NULL: out of memory. */
static struct address *address_get(struct nexthop_table *t, const struct ip *a)
{
	struct address *known = address_find(t, a);
	struct prefix p = host_prefix(a);

	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (known && ptree_insert(&t->addresses, &known->node, &p)) {
		free(known);
		known = NULL;
	}
	return known;
}

/* Forget it if there is nothing left to know. */
static void address_release(struct nexthop_table *t, struct address *a)
{
	if (a->users || a->own || a->dead)
		return;
	ptree_remove(&t->addresses, &a->node);
	free(a);
}

static bool is_connected(const struct route *r)
{
	return r->ifindex && r->gateway.family == IP_NONE;
}

/* ---- resolving -------------------------------------------------------------------------------- */

/* Of several causes the nearest. */
static enum nexthop_why why_dead(uint8_t causes)
{
	return causes & NH_CAUSE_NEIGHBOR ? NH_DEAD
	       : causes & NH_CAUSE_TUNNEL ? NH_DEAD_TUNNEL
	                                  : NH_DEAD_SESSION;
}

/* Whether @a is a neighbor on the link @ifindex: what the kernel asks of a gateway. */
static bool is_on_link(const struct nexthop_table *t, const struct ip *a, uint32_t ifindex)
{
	if (a->family == IP_V6 && ip_is_link_local(a))
		return true;
	for (struct ptree_node *n = ptree_match_ip(&t->routes, a); n; n = ptree_less_specific(n)) {
		for (const struct route *r = destination_of(n)->routes; r; r = r->next) {
			if (r->ifindex == ifindex && r->gateway.family == IP_NONE)
				return true;
		}
	}
	return false;
}

static enum nexthop_why resolve_on_link(const struct nexthop_table *t, uint32_t ifindex, struct entry *e)
{
	e->link = ifindex;
	if (!link_is_up(t, ifindex))
		return NH_LINK_DOWN;
	e->nh.ifindex = ifindex;
	e->nh.gateway = e->nh.addr;
	e->nh.connected = true;
	return NH_OK;
}

static enum nexthop_why resolve_by_gateway(const struct nexthop_table *t, const struct route *r,
                                           struct entry *e)
{
	const struct address *gateway = address_find(t, &r->gateway);

	e->link = r->ifindex;
	e->gateway = r->gateway;
	if (!link_is_up(t, r->ifindex))
		return NH_LINK_DOWN;
	if (gateway && gateway->dead)
		return why_dead(gateway->dead);
	if (!is_on_link(t, &r->gateway, r->ifindex))
		return NH_BAD_GATEWAY;
	e->nh.ifindex = r->ifindex;
	e->nh.gateway = r->gateway;
	e->nh.metric = r->metric;
	return NH_OK;
}

static enum nexthop_why resolve_by_host(const struct nexthop_table *t, const struct route *best,
                                        struct entry *e)
{
	if (!best)
		return NH_NO_ROUTE;
	if (best->ifindex == 0)
		return NH_BLACKHOLE;
	if (best->gateway.family == IP_NONE)
		return resolve_on_link(t, best->ifindex, e);
	return resolve_by_gateway(t, best, e);
}

/** By a route of our own table, @len bits long, that leads to @hop. */
static enum nexthop_why resolve_by_own(const struct nexthop_table *t, const struct nexthop_hop *hop, int len,
                                       struct entry *e)
{
	bool on_link = hop->gateway.family == IP_NONE;

	e->own_link = hop->ifindex;
	e->own_gateway = hop->gateway;
	e->nh.gateway = (struct ip){ 0 };
	e->nh.ifindex = e->nh.metric = 0;
	if (!link_is_up(t, hop->ifindex))
		return NH_LINK_DOWN;
	e->nh.ifindex = hop->ifindex;
	e->nh.gateway = on_link ? e->nh.addr : hop->gateway;
	e->nh.connected = on_link;
	e->nh.recursive = !on_link;
	e->nh.own_len = (uint8_t)len;
	return NH_OK;
}

/** By the longest route, the host's or ours. Ours are asked for what the host alone resolves, so whether
 * there is a way never depends on what has been found for other next hops: there are no circles, and no two
 * answers that take turns. */
static enum nexthop_why resolve_by_route(const struct nexthop_table *t, struct entry *e)
{
	struct ptree_node *n = ptree_match_ip(&t->routes, &e->nh.addr);
	const struct route *best = n ? destination_of(n)->routes : NULL;
	enum nexthop_why why = resolve_by_host(t, best, e);
	struct nexthop_hop hop = { 0 };
	int len = -1;

	if (why == NH_OK)
		e->nh.by_host = (struct nexthop_hop){ e->nh.gateway, e->nh.ifindex };
	e->far = !best || !is_connected(best);
	if (e->far && t->own.find)
		len = t->own.find(t->own.ctx, &e->nh.addr, n ? n->prefix.len : -1, &hop);
	return len < 0 ? why : resolve_by_own(t, &hop, len, e);
}

static enum nexthop_why resolve_in_scope(const struct nexthop_table *t, struct entry *e)
{
	enum nexthop_why why = resolve_on_link(t, e->nh.scope, e);

	if (why == NH_OK)
		e->nh.by_host = (struct nexthop_hop){ e->nh.gateway, e->nh.ifindex };
	return why;
}

/* The answer for @e, from nothing but the facts. */
static void resolve(struct nexthop_table *t, struct entry *e)
{
	bool nowhere = e->nh.addr.family == IP_V6 && ip_is_link_local(&e->nh.addr);

	e->nh = (struct nexthop){ .addr = e->nh.addr, .scope = e->nh.scope, .refs = e->nh.refs };
	e->gateway = e->own_gateway = (struct ip){ 0 };
	e->link = e->own_link = 0;
	t->n_far -= e->far;
	e->far = false;
	if (e->address->own && !e->nh.scope) /* a link-local address may be ours on another link */
		e->nh.why = NH_OWN_ADDRESS;
	else if (e->address->dead)
		e->nh.why = why_dead(e->address->dead);
	else if (e->nh.scope)
		e->nh.why = resolve_in_scope(t, e);
	else if (nowhere)
		e->nh.why = NH_NO_ROUTE;
	else
		e->nh.why = resolve_by_route(t, e);
	t->n_far += e->far;
}

static bool same_answer(const struct nexthop *a, const struct nexthop *b)
{
	return a->why == b->why && a->ifindex == b->ifindex && a->metric == b->metric &&
	       a->connected == b->connected && a->recursive == b->recursive && a->own_len == b->own_len &&
	       a->by_host.ifindex == b->by_host.ifindex && ip_equal(&a->gateway, &b->gateway) &&
	       ip_equal(&a->by_host.gateway, &b->by_host.gateway);
}

static uint32_t on_link(const struct nexthop *nh)
{
	return nh->connected ? nh->ifindex : 0;
}

/* Ask again, and tell who wants to know. */
static void ask_again(struct nexthop_table *t, nexthop_id id)
{
	struct entry *e = entry_at(t, id);
	struct nexthop before = e->nh;

	resolve(t, e);
	e->nh.relinked = on_link(&before) != on_link(&e->nh);
	if (!same_answer(&before, &e->nh))
		t->changed(t->ctx, id, &e->nh);
}

static void ask_users_again(struct nexthop_table *t, const struct address *a)
{
	for (nexthop_id id = a->users; id; id = entry_at(t, id)->next)
		ask_again(t, id);
}

static void ask_within_again(struct nexthop_table *t, const struct prefix *p)
{
	for (struct ptree_node *n = ptree_first_within(&t->addresses, p); n && prefix_contains(p, &n->prefix);
	     n = ptree_next(&t->addresses, n))
		ask_users_again(t, address_of(n));
}

void nexthop_set_own(struct nexthop_table *t, const struct nexthop_own *own)
{
	t->own = *own;
}

void nexthop_own_changed(struct nexthop_table *t, const struct prefix *p)
{
	ask_within_again(t, p);
}

bool nexthop_uses_own(const struct nexthop_table *t)
{
	return t->n_far != 0;
}

/* Those whose gateway lies within @p. */
static void ask_behind_again(struct nexthop_table *t, const struct prefix *p)
{
	for (nexthop_id id = nexthop_next(t, 0); id; id = nexthop_next(t, id)) {
		const struct entry *e = entry_at(t, id);

		if (prefix_contains_ip(p, &e->gateway) || prefix_contains_ip(p, &e->own_gateway))
			ask_again(t, id);
	}
}

static void ask_link_again(struct nexthop_table *t, uint32_t ifindex)
{
	for (nexthop_id id = nexthop_next(t, 0); id; id = nexthop_next(t, id)) {
		if (entry_at(t, id)->link == ifindex || entry_at(t, id)->own_link == ifindex)
			ask_again(t, id);
	}
}

static void ask_all_again(struct nexthop_table *t)
{
	for (nexthop_id id = nexthop_next(t, 0); id; id = nexthop_next(t, id))
		ask_again(t, id);
}

/* ---- next hops in use ------------------------------------------------------------------------- */

/* A free slot, which stays free until it is filled. 0: out of memory. */
static nexthop_id slot_reserve(struct nexthop_table *t)
{
	if (t->free)
		return t->free;
	if (t->n_slots == t->slots_size) {
		uint32_t size = t->slots_size * 2;
		struct slot *grown = reallocarray(t->slots, size, sizeof(*grown));

		if (!grown)
			return 0;
		t->slots = grown;
		t->slots_size = size;
	}
	t->slots[t->n_slots] = (struct slot){ 0 };
	t->free = t->n_slots++;
	return t->free;
}

static void slot_fill(struct nexthop_table *t, nexthop_id id, struct entry *e)
{
	assert(id == t->free);
	t->free = t->slots[id].next_free;
	t->slots[id] = (struct slot){ .entry = e };
	t->count++;
}

static void slot_empty(struct nexthop_table *t, nexthop_id id)
{
	t->slots[id] = (struct slot){ .next_free = t->free };
	t->free = id;
	if (t->last == id)
		t->last = 0;
	t->count--;
}

static nexthop_id user_find(const struct nexthop_table *t, const struct address *a, uint32_t scope)
{
	nexthop_id id = a->users;

	while (id && entry_at(t, id)->nh.scope != scope)
		id = entry_at(t, id)->next;
	return id;
}

/* A next hop at @a that is not there yet. 0: out of memory. */
static nexthop_id user_new(struct nexthop_table *t, struct address *a, uint32_t scope)
{
	struct entry *e = calloc(1, sizeof(*e));
	nexthop_id id = e ? slot_reserve(t) : 0;

	if (!id) {
		free(e);
		return 0;
	}
	e->nh.addr = a->node.prefix.addr;
	e->nh.scope = scope;
	e->address = a;
	e->next = a->users;
	a->users = id;
	slot_fill(t, id, e);
	resolve(t, e);
	return id;
}

static bool is_at(const struct nexthop_table *t, nexthop_id id, const struct ip *addr, uint32_t scope)
{
	const struct nexthop *nh = &entry_at(t, id)->nh;

	return nh->scope == scope && ip_equal(&nh->addr, addr);
}

static void hold(struct nexthop_table *t, nexthop_id id)
{
	struct entry *e = entry_at(t, id);

	assert(e->nh.refs < UINT32_MAX);
	e->nh.refs++;
}

nexthop_id nexthop_get(struct nexthop_table *t, const struct ip *addr, uint32_t scope)
{
	nexthop_id id = t->last;
	struct address *a;

	if (id && is_at(t, id, addr, scope)) {
		hold(t, id);
		return id;
	}
	a = address_get(t, addr);
	if (!a)
		return 0;
	id = user_find(t, a, scope);
	if (!id)
		id = user_new(t, a, scope);
	if (id)
		hold(t, id);
	else
		address_release(t, a);
	t->last = id;
	return id;
}

void nexthop_put(struct nexthop_table *t, nexthop_id id)
{
	struct entry *e = entry_at(t, id);
	struct address *a = e->address;

	assert(e->nh.refs > 0);
	if (--e->nh.refs)
		return;
	if (a->users == id) {
		a->users = e->next;
	} else {
		struct entry *before = entry_at(t, a->users);

		while (before->next != id)
			before = entry_at(t, before->next);
		before->next = e->next;
	}
	t->n_far -= e->far;
	slot_empty(t, id);
	free(e);
	address_release(t, a);
}

const struct nexthop *nexthop_at(const struct nexthop_table *t, nexthop_id id)
{
	return &entry_at(t, id)->nh;
}

size_t nexthop_count(const struct nexthop_table *t)
{
	return t->count;
}

nexthop_id nexthop_next(const struct nexthop_table *t, nexthop_id id)
{
	do
		id++;
	while (id < t->n_slots && !t->slots[id].entry);
	return id < t->n_slots ? id : 0;
}

/* ---- routes of the host ----------------------------------------------------------------------- */

static struct destination *destination_find(const struct nexthop_table *t, const struct prefix *p)
{
	struct ptree_node *n = ptree_find(&t->routes, p);

	return n ? destination_of(n) : NULL;
}

/* Found or made, without routes then. NULL: out of memory. */
static struct destination *destination_get(struct nexthop_table *t, const struct prefix *p)
{
	struct destination *d = destination_find(t, p);

	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (d && ptree_insert(&t->routes, &d->node, p)) {
		free(d);
		d = NULL;
	}
	return d;
}

/* The link that holds the route of @metric, or where it would be. */
static struct route **route_place(struct destination *d, uint32_t metric)
{
	struct route **at = &d->routes;

	while (*at && (*at)->metric < metric)
		at = &(*at)->next;
	return at;
}

static struct route *route_at(struct destination *d, uint32_t metric)
{
	struct route *r = *route_place(d, metric);

	return r && r->metric == metric ? r : NULL;
}

/* Routes of @p changed, connected ones among them or not. */
static void routes_changed(struct nexthop_table *t, const struct prefix *p, bool connected)
{
	if (t->syncing)
		return;
	ask_within_again(t, p);
	if (connected)
		ask_behind_again(t, p);
}

static int route_add(struct nexthop_table *t, const struct host_route *h)
{
	struct route *r = malloc(sizeof(*r)), **at;
	struct destination *d = r ? destination_get(t, &h->prefix) : NULL;

	if (!d) {
		free(r);
		return -ENOMEM;
	}
	at = route_place(d, h->metric);
	*r = (struct route){ *at, h->gateway, h->ifindex, h->metric, t->sync };
	*at = r;
	routes_changed(t, &h->prefix, is_connected(r));
	return 0;
}

static void route_replace(struct nexthop_table *t, struct route *r, const struct host_route *h)
{
	bool was_connected = is_connected(r);

	r->sync = t->sync;
	if (r->ifindex == h->ifindex && ip_equal(&r->gateway, &h->gateway))
		return;
	r->ifindex = h->ifindex;
	r->gateway = h->gateway;
	routes_changed(t, &h->prefix, was_connected || is_connected(r));
}

int nexthop_route_set(struct nexthop_table *t, const struct host_route *r)
{
	struct destination *d = destination_find(t, &r->prefix);
	struct route *known = d ? route_at(d, r->metric) : NULL;

	if (!known)
		return route_add(t, r);
	route_replace(t, known, r);
	return 0;
}

/* Takes @r out of @d, and @d, when that was all, out of the table. */
static void route_remove(struct nexthop_table *t, struct destination *d, struct route *r)
{
	*route_place(d, r->metric) = r->next;
	free(r);
	if (d->routes)
		return;
	ptree_remove(&t->routes, &d->node);
	free(d);
}

void nexthop_route_del(struct nexthop_table *t, const struct prefix *p, uint32_t metric)
{
	struct destination *d = destination_find(t, p);
	struct route *r = d ? route_at(d, metric) : NULL;
	bool connected;

	if (!r)
		return;
	connected = is_connected(r);
	route_remove(t, d, r);
	routes_changed(t, p, connected);
}

void nexthop_sync_begin(struct nexthop_table *t)
{
	t->sync++;
	t->syncing = true;
}

/* The routes of @d that this resync did not tell; @d itself may go with the last one. */
static void forget_untold(struct nexthop_table *t, struct destination *d)
{
	for (struct route *r = d->routes, *next; r; r = next) {
		next = r->next;
		if (r->sync != t->sync)
			route_remove(t, d, r);
	}
}

void nexthop_sync_end(struct nexthop_table *t)
{
	assert(t->syncing);
	for (struct ptree_node *n = ptree_first(&t->routes), *next; n; n = next) {
		next = ptree_next(&t->routes, n);
		forget_untold(t, destination_of(n));
	}
	t->syncing = false;
	ask_all_again(t);
}

/* ---- links and addresses of the host ---------------------------------------------------------- */

int nexthop_link_set(struct nexthop_table *t, uint32_t ifindex, bool up)
{
	int rc = 0;

	if (up == link_is_up(t, ifindex))
		return 0;
	if (up)
		rc = link_add(t, ifindex);
	else
		link_remove(t, ifindex);
	if (rc == 0)
		ask_link_again(t, ifindex);
	return rc;
}

void nexthop_link_del(struct nexthop_table *t, uint32_t ifindex)
{
	if (!link_is_up(t, ifindex))
		return;
	link_remove(t, ifindex);
	ask_link_again(t, ifindex);
}

int nexthop_address_set(struct nexthop_table *t, const struct ip *own, bool present)
{
	struct address *a = present ? address_get(t, own) : address_find(t, own);

	if (!a)
		return present ? -ENOMEM : 0;
	if (a->own == present)
		return 0;
	a->own = present;
	ask_users_again(t, a);
	address_release(t, a);
	return 0;
}

int nexthop_dead_set(struct nexthop_table *t, const struct ip *addr, enum nexthop_cause cause, bool dead)
{
	struct address *a = dead ? address_get(t, addr) : address_find(t, addr);
	struct prefix p = host_prefix(addr);

	if (!a)
		return dead ? -ENOMEM : 0;
	if (!!(a->dead & cause) == dead)
		return 0;
	a->dead ^= (uint8_t)cause;
	ask_users_again(t, a);
	ask_behind_again(t, &p);
	address_release(t, a);
	return 0;
}

/* ---- the table -------------------------------------------------------------------------------- */

struct nexthop_table *nexthop_table_new(void (*changed)(void *ctx, nexthop_id id, const struct nexthop *nh),
                                        void *ctx)
{
	struct nexthop_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	ptree_init(&t->routes);
	ptree_init(&t->addresses);
	t->changed = changed;
	t->ctx = ctx;
	t->slots_size = 64;
	t->n_slots = 1;
	t->slots = calloc(t->slots_size, sizeof(*t->slots));
	if (t->slots)
		return t;
	nexthop_table_free(t);
	return NULL;
}

static void destination_free(struct destination *d)
{
	for (struct route *r = d->routes, *next; r; r = next) {
		next = r->next;
		free(r);
	}
	free(d);
}

void nexthop_table_free(struct nexthop_table *t)
{
	struct ptree_node *n, *next;

	if (!t)
		return;
	for (n = ptree_first(&t->routes); n; n = next) {
		next = ptree_next(&t->routes, n);
		ptree_remove(&t->routes, n);
		destination_free(destination_of(n));
	}
	for (n = ptree_first(&t->addresses); n; n = next) {
		next = ptree_next(&t->addresses, n);
		ptree_remove(&t->addresses, n);
		free(address_of(n));
	}
	for (uint32_t id = 1; id < t->n_slots; id++)
		free(t->slots[id].entry);
	ptree_fini(&t->routes);
	ptree_fini(&t->addresses);
	free(t->slots);
	free(t->up);
	free(t);
}
