/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: next-hop sets and their kernel objects.
 *
 * Routes never name gateways to the kernel, they name an object. So a dead next hop costs one replacement per
 * group that holds it, and as many routes as there are follow. The price is a second table that must agree
 * with the kernel: an object the kernel drops takes its routes along in silence (a link that goes down does
 * that), and a group keeps its id while it loses members. Hence hopsets_verify_*(): the objects are few, so
 * they are compared with a full dump after every event that may have touched them.
 *
 * - A set is keyed by its sorted members; equal sets are one. A member is a pointer to a hop, which is one
 * kernel object.
 * - A group holds the members that are alive and in the kernel; when none is alive, the spare one, which
 * weighs nothing; and when that is dead, too, those that are in the kernel. So a next hop on its own with a
 * spare is a group as well: its death moves all routes by one request (BGP PIC).
 * - A link that loses its carrier takes its objects out of the kernel before we hear of it, and a group that
 * is left without members, with its routes. So where there is a spare one the group is resilient, a table of
 * buckets, and the spare one in it with a weight that rounds to no bucket: it gets no packet until the kernel
 * has taken the others out, and then it gets all at once, without a word from us (hopset_group()).
 * - Ids are taken from the million that begins at protocol << 20, always with NLM_F_EXCL: an id that somebody
 * else has is skipped.
 * - A set without holders lingers until hopsets_sync() finds it unused: a set that is wanted again at once
 * costs nothing.
 *
 * Which routes hold a set is not known here; flags on the set tell their owner to look (HOPSET_LOST …). */
#include "netlink/hopset_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the tables --------------------------------------------------------------------------------- */

uint32_t hopsets_new_id(struct hopsets *s)
{
	uint32_t base = (uint32_t)s->protocol << ID_BITS;
	uint32_t id = s->next_id;

	s->next_id = base | ((id + 1) & ((1u << ID_BITS) - 1));
	return id ? id : hopsets_new_id(s);
}

struct hopsets *hopsets_new(uint8_t protocol, bool objects, bool resilient)
{
	struct hopsets *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->protocol = protocol;
	s->objects = objects;
	s->resilient = resilient;
	s->adopting = true;
	s->next_id = ((uint32_t)protocol << ID_BITS) + 1;
	pool_init(&s->pool, (sizeof(struct hopset) + 7) & ~(size_t)7);
	for (uint32_t h = HOPSET_BLACKHOLE; h <= HOPSET_UNKNOWN; h++) {
		if (pool_new(&s->pool) != h) {
			hopsets_free(s);
			return NULL;
		}
		hopset_at(s, h)->handle = h;
		hopset_at(s, h)->kind = h == HOPSET_BLACKHOLE ? FIB_BLACKHOLE : FIB_UNREACHABLE;
	}
	return s;
}

void hopsets_free(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	if (!s)
		return;
	set = s->sets;
	hop = s->hops;
	HASH_CLEAR(by_id, s->set_ids); /* the hashes go, the links between the objects stay */
	HASH_CLEAR(by_id, s->hop_ids);
	HASH_CLEAR(by_members, s->sets);
	HASH_CLEAR(by_key, s->hops);
	for (; set; set = next_set) {
		next_set = set->by_members.next;
		free(set->members);
	}
	for (; hop; hop = next_hop) {
		next_hop = hop->by_key.next;
		free(hop);
	}
	pool_fini(&s->pool);
	hopsets_forget_dump(s);
	free(s->seen);
	free(s->strays);
	free(s);
}

struct hop *hop_find(const struct hopsets *s, const struct hop_key *key)
{
	struct hop *hop;

	HASH_FIND(by_key, s->hops, key, sizeof(*key), hop);
	return hop;
}

void hop_set_id(struct hopsets *s, struct hop *hop, uint32_t id)
{
	if (hop->object.id)
		HASH_DELETE(by_id, s->hop_ids, hop);
	hop->object.id = id;
	if (id)
		HASH_ADD(by_id, s->hop_ids, object.id, sizeof(id), hop);
}

void hopset_set_id(struct hopsets *s, struct hopset *set, uint32_t id)
{
	if (set->object.id)
		HASH_DELETE(by_id, s->set_ids, set);
	set->object.id = id;
	if (id)
		HASH_ADD(by_id, s->set_ids, object.id, sizeof(id), set);
}

struct hop *hop_new(struct hopsets *s, const struct hop_key *key)
{
	struct hop *hop = calloc(1, sizeof(*hop));

	if (!hop)
		return NULL;
	hop->key = *key;
	HASH_ADD(by_key, s->hops, key, sizeof(hop->key), hop);
	s->unused = true; /* until a set holds it */
	return hop;
}

void hop_free(struct hopsets *s, struct hop *hop)
{
	hop_set_id(s, hop, 0);
	HASH_DELETE(by_key, s->hops, hop);
	free(hop);
}

struct hop_key hop_key(uint8_t family, const struct fib_hop *h)
{
	return (struct hop_key){
		.gateway = h->gateway,
		.family = h->gateway.family != IP_NONE ? h->gateway.family : family,
		.onlink = h->onlink,
		.ifindex = h->ifindex,
	};
}

static int member_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return memcmp(&x->hop->key, &y->hop->key, sizeof(x->hop->key));
}

/* Sorted, each hop once (with the largest of its weights). @return how many are left. */
size_t hopset_canonical(struct member *m, size_t n)
{
	size_t kept = 0;

	qsort(m, n, sizeof(*m), member_cmp);
	for (size_t i = 0; i < n; i++) {
		if (kept && m[kept - 1].hop == m[i].hop) {
			if (m[i].weight > m[kept - 1].weight)
				m[kept - 1].weight = m[i].weight;
		} else {
			m[kept++] = m[i];
		}
	}
	if (kept == 1)
		m[0].weight = 1; /* a weight is relative */
	return kept;
}

void hopset_free(struct hopsets *s, struct hopset *set)
{
	if (s->memo.set == set->handle)
		s->memo.set = 0;
	hopset_set_id(s, set, 0);
	HASH_DELETE(by_members, s->sets, set);
	for (size_t i = 0; i < set->n; i++)
		set->members[i].hop->refs--;
	free(set->members);
	pool_free(&s->pool, set->handle);
}

/* A new set of @members, which it takes over. @return NULL when out of memory; then @members stays the
 * caller's. */
static struct hopset *hopset_new(struct hopsets *s, struct member *members, size_t n)
{
	uint32_t handle = pool_new(&s->pool);
	struct hopset *set;

	if (!handle)
		return NULL;
	set = hopset_at(s, handle);
	set->handle = handle;
	set->kind = FIB_UNICAST;
	set->members = members;
	set->n = (uint16_t)n;
	for (size_t i = 0; i < n; i++)
		members[i].hop->refs++;
	HASH_ADD_KEYPTR(by_members, s->sets, set->members, n * sizeof(*members), set);
	s->pending = true;
	s->unused = true; /* until somebody holds it */
	return set;
}

/* The set of @members, found or made; takes @members over or frees it. */
struct hopset *hopset_intern(struct hopsets *s, struct member *members, size_t n)
{
	struct hopset *set;

	HASH_FIND(by_members, s->sets, members, n * sizeof(*members), set);
	if (!set)
		set = hopset_new(s, members, n);
	if (!set || set->members != members)
		free(members);
	return set;
}

/** What was put off while nobody held the set is due now: its group may still lack a member that has come
 * back. */
static uint32_t take(struct hopsets *s, struct hopset *set)
{
	if (set->refs++ == 0)
		s->pending = true;
	return set->handle;
}

static bool same_hop(const struct fib_hop *a, const struct fib_hop *b)
{
	return ip_equal(&a->gateway, &b->gateway) && a->ifindex == b->ifindex && a->weight == b->weight &&
	       a->onlink == b->onlink && a->spare == b->spare;
}

static bool same_as_last(const struct memo *m, uint8_t family, const struct fib_route *r)
{
	if (!m->set || m->family != family || m->n != r->n_hops)
		return false;
	for (size_t i = 0; i < m->n; i++) {
		if (!same_hop(&m->hops[i], &r->hops[i]))
			return false;
	}
	return true;
}

static void remember(struct memo *m, uint8_t family, const struct fib_route *r, uint32_t set)
{
	if (r->n_hops > MEMO_HOPS)
		return;
	*m = (struct memo){ .set = set, .family = family, .n = r->n_hops };
	memcpy(m->hops, r->hops, r->n_hops * sizeof(*r->hops));
}

/* The set of next hops, found or made. NULL: out of memory. */
static struct hopset *set_of(struct hopsets *s, uint8_t family, const struct fib_route *r, bool wished)
{
	struct member *m;
	size_t n = 0;

	m = calloc(r->n_hops, sizeof(*m));
	if (!m)
		return NULL;
	for (size_t i = 0; i < r->n_hops; i++) {
		const struct fib_hop *h = &r->hops[i];
		struct hop_key key = hop_key(family, h);

		if (h->spare && !s->objects)
			continue; /* routes that carry their hops have no way to keep one in reserve */
		m[n].hop = hop_find(s, &key);
		if (!m[n].hop)
			m[n].hop = hop_new(s, &key);
		if (!m[n].hop) {
			free(m);
			return NULL;
		}
		m[n].hop->wished |= wished;
		m[n++].weight = h->spare ? WEIGHT_SPARE : h->weight ? h->weight : 1;
	}
	return hopset_intern(s, m, hopset_canonical(m, n));
}

uint32_t hopset_get(struct hopsets *s, uint8_t family, const struct fib_route *r, bool wished)
{
	struct hopset *set;

	if (r->kind != FIB_UNICAST)
		return r->kind == FIB_BLACKHOLE ? HOPSET_BLACKHOLE : HOPSET_UNREACHABLE;
	assert(r->n_hops > 0 && r->n_hops <= RT_HOPS_MAX);
	if (wished && same_as_last(&s->memo, family, r))
		return take(s, hopset_at(s, s->memo.set));
	set = set_of(s, family, r, wished);
	if (!set)
		return 0;
	if (wished)
		remember(&s->memo, family, r, set->handle);
	return take(s, set);
}

uint32_t hopset_get_by_id(struct hopsets *s, uint32_t nh_id)
{
	struct hopset *set;
	struct member *m;
	struct hop *hop;

	HASH_FIND(by_id, s->set_ids, &nh_id, sizeof(nh_id), set);
	if (!set) {
		HASH_FIND(by_id, s->hop_ids, &nh_id, sizeof(nh_id), hop);
		if (!hop)
			return HOPSET_UNKNOWN;
		m = calloc(1, sizeof(*m));
		if (!m)
			return 0;
		*m = (struct member){ hop, 1 };
		set = hopset_intern(s, m, 1);
		if (!set)
			return 0;
	}
	return take(s, set);
}

void hopset_hold(struct hopsets *s, uint32_t set)
{
	if (set > HOPSET_UNKNOWN)
		take(s, hopset_at(s, set));
}

void hopset_put(struct hopsets *s, uint32_t set)
{
	if (set <= HOPSET_UNKNOWN)
		return;
	assert(hopset_at(s, set)->refs > 0);
	if (--hopset_at(s, set)->refs == 0) {
		s->unused = true;
		s->pending = true;
	}
}

/* -- what routes ask ---------------------------------------------------------------------------- */

static const struct object *object_of(const struct hopset *set)
{
	return hopset_is_group(set) ? &set->object : &set->members[0].hop->object;
}

enum hopset_state hopset_state(const struct hopsets *s, uint32_t handle)
{
	const struct object *o;

	if (handle <= HOPSET_UNKNOWN || !s->objects)
		return HOPSET_READY;
	o = object_of(hopset_at(s, handle));
	return o->in_kernel ? HOPSET_READY : o->state == OBJECT_REFUSED ? HOPSET_FAILED : HOPSET_WAITING;
}

uint32_t hopset_nh_id(const struct hopsets *s, uint32_t handle)
{
	return handle <= HOPSET_UNKNOWN || !s->objects ? 0 : object_of(hopset_at(s, handle))->id;
}

unsigned hopset_flags(const struct hopsets *s, uint32_t handle)
{
	return handle == HOPSET_NONE ? 0 : hopset_at(s, handle)->sweeping;
}

static bool any_alive(const struct hopset *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (!set->members[i].hop->dead && set->members[i].weight != WEIGHT_SPARE)
			return true;
	}
	return false;
}

void hopset_route(const struct hopsets *s, uint32_t handle, struct fib_hop *hops, struct fib_route *out)
{
	const struct hopset *set = hopset_at(s, handle);
	bool all;

	*out = (struct fib_route){ .kind = set->kind, .hops = hops };
	all = !any_alive(set);
	for (size_t i = 0; i < set->n; i++) {
		const struct hop *hop = set->members[i].hop;

		if ((hop->dead && !all) || set->members[i].weight == WEIGHT_SPARE)
			continue;
		hops[out->n_hops++] = (struct fib_hop){ .gateway = hop->key.gateway,
			                                .ifindex = hop->key.ifindex,
			                                .weight = (uint16_t)set->members[i].weight,
			                                .onlink = hop->key.onlink };
	}
}

const char *refusal_text(const struct object *o)
{
	return *o->text ? o->text : strerror(-o->err);
}

const char *hopset_why(const struct hopsets *cs, uint32_t handle)
{
	struct hopsets *s = (struct hopsets *)cs; /* only its scratch for text */
	const struct hopset *set = hopset_at(s, handle);
	char gateway[IP_STRLEN];

	for (size_t i = 0; i < set->n; i++) {
		const struct hop *hop = set->members[i].hop;

		if (hop->object.state != OBJECT_REFUSED)
			continue;
		snprintf(s->why, sizeof(s->why), "the kernel refuses the next hop %s on interface %u: %s",
		         ip_print(&hop->key.gateway, gateway), hop->key.ifindex, refusal_text(&hop->object));
		return s->why;
	}
	snprintf(s->why, sizeof(s->why), "the kernel refuses the group of next hops: %s",
	         refusal_text(&set->object));
	return s->why;
}

bool hopsets_pending(const struct hopsets *s)
{
	return s->pending;
}

bool hopsets_sweep_needed(const struct hopsets *s)
{
	return s->sweep;
}

void hopsets_sweep_begin(struct hopsets *s)
{
	struct hopset *set, *next;

	HASH_ITER(by_members, s->sets, set, next)
	{
		set->sweeping = set->flags;
		set->flags = 0;
	}
	s->sweep = false;
}

void hopset_flag(struct hopsets *s, struct hopset *set, unsigned flags)
{
	set->flags |= (uint8_t)flags;
	s->sweep = true;
}

/* -- events ------------------------------------------------------------------------------------- */

/* Groups without objects are in the routes themselves. */
static void members_changed(struct hopsets *s, struct hopset *set)
{
	if (!s->objects)
		hopset_flag(s, set, HOPSET_STALE);
	else
		set->object.state = OBJECT_DUE;
	s->pending = true;
}

static bool any_judged(const struct hopset *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->members[i].hop->judged)
			return true;
	}
	return false;
}

/* Groups with a member whose fate has changed, in one pass however many hops those are. */
static void spread_judgement(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	HASH_ITER(by_members, s->sets, set, next_set)
	{
		if (hopset_is_group(set) && any_judged(set))
			members_changed(s, set);
	}
	HASH_ITER(by_key, s->hops, hop, next_hop)
	hop->judged = false;
}

size_t hopsets_judge(struct hopsets *s, fib_alive_fn alive, void *ctx)
{
	struct hop *hop, *next;
	bool changed = false;
	size_t n = 0;

	HASH_ITER(by_key, s->hops, hop, next)
	{
		bool dead;

		if (!hop->wished || hop->key.gateway.family == IP_NONE)
			continue;
		dead = !alive(ctx, &hop->key.gateway, hop->key.ifindex);
		hop->judged = dead != hop->dead;
		hop->dead = dead;
		changed |= hop->judged;
		n += dead;
	}
	if (changed)
		spread_judgement(s);
	return n;
}

void hopsets_spread_losses(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	HASH_ITER(by_members, s->sets, set, next_set)
	{
		if (!hopset_is_group(set) && set->members[0].hop->lost)
			hopset_flag(s, set, HOPSET_LOST);
	}
	HASH_ITER(by_key, s->hops, hop, next_hop)
	hop->lost = false;
}

static void retry(struct hopsets *s, struct object *o)
{
	if (o->state != OBJECT_REFUSED)
		return;
	o->state = OBJECT_DUE;
	o->tries = 0;
	s->pending = true;
}

void hopsets_retry(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	HASH_ITER(by_key, s->hops, hop, next_hop)
	retry(s, &hop->object);
	HASH_ITER(by_members, s->sets, set, next_set)
	retry(s, &set->object);
}

bool hopsets_uses_link(const struct hopsets *s, uint32_t ifindex)
{
	struct hop *hop, *next;

	HASH_ITER(by_key, s->hops, hop, next)
	{
		if (hop->key.ifindex == ifindex)
			return true;
	}
	return false;
}

bool hopsets_any_failed(const struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	HASH_ITER(by_key, s->hops, hop, next_hop)
	{
		if (hop->object.state == OBJECT_REFUSED && hop->refs)
			return true;
	}
	HASH_ITER(by_members, s->sets, set, next_set)
	{
		if (set->object.state == OBJECT_REFUSED && set->refs)
			return true;
	}
	return false;
}

bool hopsets_owns(const struct hopsets *s, uint32_t id)
{
	struct hopset *set;
	struct hop *hop;

	HASH_FIND(by_id, s->set_ids, &id, sizeof(id), set);
	HASH_FIND(by_id, s->hop_ids, &id, sizeof(id), hop);
	return set || hop;
}

void hopsets_count(const struct hopsets *s, uint64_t *hops, uint64_t *groups)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	*hops = *groups = 0;
	HASH_ITER(by_key, s->hops, hop, next_hop)
	*hops += hop->object.in_kernel;
	HASH_ITER(by_members, s->sets, set, next_set)
	*groups += set->object.in_kernel;
}
