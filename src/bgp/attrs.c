/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: attribute sets
 *
 * A full table has a million routes but some 170,000 different sets of attributes: each is kept once. The
 * table of sets is open-addressed with linear probing; hashes lie beside the pointers, so that a probe walks
 * one cache line and a set is touched only when its 32-bit hash matches. A set is one allocation: the struct
 * and, behind it, the bytes its blobs hold.
 *
 * The address of the table seeds the hash: a peer that wants collisions would have to know it.
 *
 * This file knows what a set consists of, not what the attributes mean nor how the wire has them. */
#include "bgp/attrs.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "lib/pool.h"
#include "mcbgp/bgp.h"

#define SLOTS_MIN 64u

/* What is compared and hashed as it lies in memory, from `med` to `weight`; no padding inside. */
#define PLAIN_AT  offsetof(struct attrs, med)
#define PLAIN_LEN (offsetof(struct attrs, weight) + sizeof(uint16_t) - PLAIN_AT)
_Static_assert(PLAIN_LEN == 6 * sizeof(uint32_t) + 2 * sizeof(uint16_t) + 2 + 2 * sizeof(struct ip),
               "padding between fields");

static const uint8_t blobs[] = {
	offsetof(struct attrs, as_path),         offsetof(struct attrs, communities),
	offsetof(struct attrs, ext_communities), offsetof(struct attrs, large_communities),
	offsetof(struct attrs, cluster_list),    offsetof(struct attrs, unknown),
};
#define BLOBS (sizeof(blobs) / sizeof(blobs[0]))

static const struct blob *blob_at(const struct attrs *a, size_t i)
{
	return (const void *)((const uint8_t *)a + blobs[i]);
}

static struct blob *blob_at_mut(struct attrs *a, size_t i)
{
	return (void *)((uint8_t *)a + blobs[i]);
}

struct attrs_set {
	uint32_t *hashes;     /* 0: the slot is free */
	struct attrs **slots; /* where hashes[] is not 0 */
	struct pool ids;      /* struct attrs *, by attrs_id */
	uint32_t nslots;      /* a power of two */
	uint32_t count;
	size_t bytes; /* of the sets */
};

/* ---- hash and equality ---- */

static uint64_t hash_u64(uint64_t h, uint64_t v)
{
	unsigned __int128 m = (unsigned __int128)(h ^ v) * 0x9e3779b97f4a7c15u;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t n)
{
	uint64_t last = n;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		h = hash_u64(h, v);
	}
	if (n & 4) {
		uint32_t v;

		memcpy(&v, p, 4);
		last = last << 32 ^ v;
		p += 4;
	}
	for (n &= 3; n; n--)
		last = last << 8 ^ *p++;
	return hash_u64(h, last);
}

static uint32_t attrs_hash(const struct attrs_set *s, const struct attrs *a)
{
	uint64_t h = hash_u64((uintptr_t)s, a->present);
	uint32_t folded;

	h = hash_bytes(h, (const uint8_t *)a + PLAIN_AT, PLAIN_LEN);
	for (size_t i = 0; i < BLOBS; i++) {
		const struct blob *b = blob_at(a, i);

		if (b->len)
			h = hash_bytes(h ^ i, b->p, b->len);
	}
	folded = (uint32_t)(h ^ h >> 32);
	return folded ? folded : 1;
}

static bool blob_equal(const struct blob *a, const struct blob *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->p, b->p, a->len));
}

bool attrs_equal(const struct attrs *a, const struct attrs *b)
{
	if (a->present != b->present ||
	    memcmp((const uint8_t *)a + PLAIN_AT, (const uint8_t *)b + PLAIN_AT, PLAIN_LEN) != 0)
		return false;
	for (size_t i = 0; i < BLOBS; i++)
		if (!blob_equal(blob_at(a, i), blob_at(b, i)))
			return false;
	return true;
}

/* ---- the table of sets ---- */

/** The first free slot for @hash. */
static uint32_t slot_free(const struct attrs_set *s, uint32_t hash)
{
	uint32_t i = hash & (s->nslots - 1);

	while (s->hashes[i])
		i = (i + 1) & (s->nslots - 1);
	return i;
}

static void slot_put(struct attrs_set *s, uint32_t i, uint32_t hash, struct attrs *a)
{
	s->hashes[i] = hash;
	s->slots[i] = a;
}

/** Empty slot @hole and close the gap, so that no probe stops short of what it looks for. */
static void slot_remove(struct attrs_set *s, uint32_t hole)
{
	uint32_t mask = s->nslots - 1;

	for (uint32_t i = (hole + 1) & mask; s->hashes[i]; i = (i + 1) & mask) {
		uint32_t from_home = (i - s->hashes[i]) & mask;

		if (from_home < ((i - hole) & mask))
			continue;
		slot_put(s, hole, s->hashes[i], s->slots[i]);
		hole = i;
	}
	s->hashes[hole] = 0;
}

/** @return false: out of memory, nothing changed. */
static bool set_resize(struct attrs_set *s, uint32_t nslots)
{
	struct attrs_set old = *s;
	uint32_t *hashes = calloc(nslots, sizeof(*hashes));
	struct attrs **slots = malloc(nslots * sizeof(*slots));

	if (!hashes || !slots) {
		free(hashes);
		free(slots);
		return false;
	}
	s->hashes = hashes;
	s->slots = slots;
	s->nslots = nslots;
	for (uint32_t i = 0; i < old.nslots; i++)
		if (old.hashes[i])
			slot_put(s, slot_free(s, old.hashes[i]), old.hashes[i], old.slots[i]);
	free(old.hashes);
	free(old.slots);
	return true;
}

struct attrs_set *attrs_set_new(void)
{
	struct attrs_set *s = calloc(1, sizeof(*s));

	if (s && !set_resize(s, SLOTS_MIN)) {
		free(s);
		s = NULL;
	}
	if (s)
		pool_init(&s->ids, sizeof(struct attrs *));
	return s;
}

void attrs_set_free(struct attrs_set *s)
{
	if (!s)
		return;
	assert(s->count == 0);
	pool_fini(&s->ids);
	free(s->hashes);
	free(s->slots);
	free(s);
}

/** An own, counted copy of @view in one piece. */
static struct attrs *attrs_dup(const struct attrs *view)
{
	size_t size = sizeof(*view);
	struct attrs *a;
	uint8_t *tail;

	for (size_t i = 0; i < BLOBS; i++)
		size += blob_at(view, i)->len;
	a = malloc(size);
	if (!a)
		return NULL;
	*a = *view;
	a->refs = 1;
	tail = (uint8_t *)(a + 1);
	for (size_t i = 0; i < BLOBS; i++) {
		struct blob *b = blob_at_mut(a, i);

		if (!b->len) {
			b->p = NULL;
			continue;
		}
		memcpy(tail, b->p, b->len);
		b->p = tail;
		tail += b->len;
	}
	return a;
}

/** ... under a number of its own. */
static struct attrs *attrs_dup_numbered(struct attrs_set *s, const struct attrs *view)
{
	attrs_id id = pool_new(&s->ids);
	struct attrs *a = id ? attrs_dup(view) : NULL;

	if (!a) {
		if (id)
			pool_free(&s->ids, id);
		return NULL;
	}
	a->id = id;
	*(struct attrs **)pool_at(&s->ids, id) = a;
	return a;
}

struct attrs *attrs_at(const struct attrs_set *s, attrs_id id)
{
	return id ? *(struct attrs **)pool_at(&s->ids, id) : NULL;
}

static struct attrs *intern(struct attrs_set *s, const struct attrs *view)
{
	uint32_t hash = attrs_hash(s, view);
	uint32_t i = hash & (s->nslots - 1);
	struct attrs *a;

	for (; s->hashes[i]; i = (i + 1) & (s->nslots - 1))
		if (s->hashes[i] == hash && attrs_equal(s->slots[i], view))
			return attrs_ref(s->slots[i]);
	if (s->count >= s->nslots / 4 * 3) {
		if (!set_resize(s, s->nslots * 2))
			return NULL;
		i = slot_free(s, hash);
	}
	a = attrs_dup_numbered(s, view);
	if (!a)
		return NULL;
	a->hash = hash;
	slot_put(s, i, hash, a);
	s->count++;
	s->bytes += malloc_usable_size(a) + sizeof(size_t);
	return a;
}

struct attrs *attrs_intern(struct attrs_set *s, const struct attrs *view)
{
	bool marked = view->present & ATTRS_LONG_LIVED_STALE;
	bool stale = view->communities.len && community_list_has(view->communities, BGP_COMM_LLGR_STALE);
	struct attrs other;

	if (marked == stale)
		return intern(s, view);
	other = *view;
	other.present ^= ATTRS_LONG_LIVED_STALE;
	return intern(s, &other);
}

struct attrs *attrs_ref(struct attrs *a)
{
	assert(a->refs > 0 && a->refs < UINT32_MAX);
	a->refs++;
	return a;
}

void attrs_unref(struct attrs_set *s, struct attrs *a)
{
	uint32_t i;

	if (!a)
		return;
	assert(a->refs > 0);
	if (--a->refs)
		return;
	for (i = a->hash & (s->nslots - 1); s->hashes[i] != a->hash || s->slots[i] != a;
	     i = (i + 1) & (s->nslots - 1))
		assert(s->hashes[i]); /* or it is another table's */
	slot_remove(s, i);
	s->count--;
	s->bytes -= malloc_usable_size(a) + sizeof(size_t);
	pool_free(&s->ids, a->id);
	free(a);
	if (s->nslots > SLOTS_MIN && s->count < s->nslots / 8)
		set_resize(s, s->nslots / 2); /* without memory for it the larger one stays */
}

size_t attrs_set_count(const struct attrs_set *s)
{
	return s->count;
}

size_t attrs_set_bytes(const struct attrs_set *s)
{
	return sizeof(*s) + s->nslots * (sizeof(*s->hashes) + sizeof(*s->slots)) + s->bytes;
}

/* ---- rewriting ---- */

void attrs_edit_begin(struct attrs_edit *e, const struct attrs *from)
{
	e->a = *from;
	e->a.refs = 0;
	e->a.hash = 0;
	e->bad = false;
	e->used = 0;
}

uint8_t *attrs_edit_alloc(struct attrs_edit *e, uint32_t n)
{
	if (e->bad || n > sizeof(e->scratch) - e->used) {
		e->bad = true;
		return NULL;
	}
	e->used += n;
	return e->scratch + e->used - n;
}

void attrs_edit_set_u32(struct attrs_edit *e, unsigned type, uint32_t value)
{
	switch (type) {
	case BGP_ATTR_MED:
		e->a.med = value;
		break;
	case BGP_ATTR_LOCAL_PREF:
		e->a.local_pref = value;
		break;
	case BGP_ATTR_ORIGINATOR_ID:
		e->a.originator_id = value;
		break;
	case BGP_ATTR_OTC:
		e->a.otc = value;
		break;
	default:
		assert(!"an attribute of one number");
	}
	e->a.present |= ATTR_BIT(type);
}

void attrs_edit_set_origin(struct attrs_edit *e, uint8_t origin)
{
	e->a.origin = origin;
	e->a.present |= ATTR_BIT(BGP_ATTR_ORIGIN);
}

void attrs_edit_set_next_hop(struct attrs_edit *e, const struct ip *nh)
{
	e->a.next_hop = *nh;
	e->a.next_hop_ll = (struct ip){ 0 };
	e->a.present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
}

void attrs_edit_clear(struct attrs_edit *e, unsigned type)
{
	struct attrs *a = &e->a;

	a->present &= ~ATTR_BIT(type);
	switch (type) {
	case BGP_ATTR_ORIGIN:
		a->origin = 0;
		break;
	case BGP_ATTR_AS_PATH:
		a->as_path = (struct blob){ 0 };
		a->path_len = 0;
		break;
	case BGP_ATTR_NEXT_HOP:
		a->next_hop = a->next_hop_ll = (struct ip){ 0 };
		break;
	case BGP_ATTR_MED:
		a->med = 0;
		break;
	case BGP_ATTR_LOCAL_PREF:
		a->local_pref = 0;
		break;
	case BGP_ATTR_ATOMIC_AGGREGATE:
		break;
	case BGP_ATTR_AGGREGATOR:
		a->aggregator_as = a->aggregator_id = 0;
		a->partial &= (uint8_t)~ATTR_PARTIAL_AGGREGATOR;
		break;
	case BGP_ATTR_COMMUNITIES:
		a->communities = (struct blob){ 0 };
		a->partial &= (uint8_t)~ATTR_PARTIAL_COMMUNITIES;
		break;
	case BGP_ATTR_ORIGINATOR_ID:
		a->originator_id = 0;
		break;
	case BGP_ATTR_CLUSTER_LIST:
		a->cluster_list = (struct blob){ 0 };
		break;
	case BGP_ATTR_EXT_COMMUNITIES:
		a->ext_communities = (struct blob){ 0 };
		a->partial &= (uint8_t)~ATTR_PARTIAL_EXT_COMMUNITIES;
		break;
	case BGP_ATTR_LARGE_COMMUNITIES:
		a->large_communities = (struct blob){ 0 };
		a->partial &= (uint8_t)~ATTR_PARTIAL_LARGE_COMMUNITIES;
		break;
	case BGP_ATTR_OTC:
		a->otc = 0;
		a->partial &= (uint8_t)~ATTR_PARTIAL_OTC;
		break;
	default:
		assert(!"an attribute that a set has");
	}
}

void attrs_edit_set_as_path(struct attrs_edit *e, struct blob path)
{
	e->a.as_path = path;
	e->a.path_len = aspath_len(path);
	e->a.present |= ATTR_BIT(BGP_ATTR_AS_PATH);
}

void attrs_edit_prepend(struct attrs_edit *e, uint32_t as, unsigned times)
{
	uint8_t *begin = e->scratch + e->used;
	struct writer w = wr_init(begin, sizeof(e->scratch) - e->used);

	aspath_prepend(e->a.as_path, as, times, &w);
	if (e->bad || w.bad) {
		e->bad = true;
		return;
	}
	e->used += (uint32_t)(w.p - begin);
	attrs_edit_set_as_path(e, (struct blob){ begin, (uint32_t)(w.p - begin) });
}
