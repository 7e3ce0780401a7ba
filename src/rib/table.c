/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - DOC: a chained hash of dests, one per family.
 *
 * The path of an UPDATE needs exact matches only, so a hash it is: one probe, eight bytes a prefix of index,
 * nothing to rebalance. Longest match and order are wanted by next hops and by `show`; they pay for it
 * themselves (rib_match() asks once per length). At a million routes a probe misses the cache two or three
 * times, one miss after the other: who has several prefixes at hand asks for all of them first
 * (table_prefetch_*), so that the misses overlap. Links are handles, so a dest of IPv4 is 20 bytes. The
 * bucket array doubles when there are as many dests as buckets. */
#include "rib/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_BUCKETS 1024u

_Static_assert(sizeof(struct dest) == 12 && sizeof(struct path) == 40, "the budget of bytes a route");

int table_init(struct table *t, enum family f)
{
	*t = (struct table){ .family = f, .mask = MIN_BUCKETS - 1 };
	pool_init(&t->dests, sizeof(struct dest) + ip_bytes(family_ip(f)));
	t->buckets = calloc(MIN_BUCKETS, sizeof(*t->buckets));
	return t->buckets ? 0 : -ENOMEM;
}

void table_fini(struct table *t)
{
	pool_fini(&t->dests);
	free(t->buckets);
	t->buckets = NULL;
}

static bool same(const struct table *t, const struct dest *d, const struct prefix *p)
{
	if (d->len != p->len)
		return false;
	return t->family == FAM_IPV4 ? memcmp(d->addr, p->addr.b, 4) == 0
	                             : memcmp(d->addr, p->addr.b, 16) == 0;
}

/** The head of the chain that @d is in, or belongs into. */
static uint32_t *bucket_of(const struct table *t, const struct dest *d)
{
	return table_bucket(t, table_hash_bytes(t, d->addr, d->len));
}

dest_id table_find_hashed(const struct table *t, const struct prefix *p, uint32_t hash)
{
	dest_id id = *table_bucket(t, hash);

	while (id && !same(t, table_dest(t, id), p))
		id = table_dest(t, id)->hash_next;
	return id;
}

void table_prefetch_remove(const struct table *t, dest_id id)
{
	__builtin_prefetch(bucket_of(t, table_dest(t, id)));
}

/** Twice the buckets; when there is no memory for them the chains grow longer, which is no error. */
static void widen(struct table *t)
{
	uint32_t n = (t->mask + 1) * 2;
	uint32_t *buckets = calloc(n, sizeof(*buckets));

	if (!buckets)
		return;
	free(t->buckets);
	t->buckets = buckets;
	t->mask = n - 1;
	for (dest_id id = 1; id < table_end(t); id++) {
		struct dest *d = table_dest(t, id);
		uint32_t *b;

		if (d->flags & DEST_FREE)
			continue;
		b = bucket_of(t, d);
		d->hash_next = *b;
		*b = id;
	}
}

static dest_id take(struct table *t)
{
	dest_id id = t->free;
	struct dest *d;

	if (!id)
		return pool_new(&t->dests);
	d = table_dest(t, id);
	t->free = d->hash_next;
	d->flags = 0;
	return id;
}

dest_id table_get_hashed(struct table *t, const struct prefix *p, uint32_t hash)
{
	dest_id id = table_find_hashed(t, p, hash);
	struct dest *d;
	uint32_t *b;

	if (id)
		return id;
	if (t->count > t->mask && t->mask < UINT32_MAX / 2)
		widen(t);
	id = take(t);
	if (!id)
		return 0;
	d = table_dest(t, id);
	d->len = p->len;
	memcpy(d->addr, p->addr.b, ip_bytes(family_ip(t->family)));
	b = table_bucket(t, hash);
	d->hash_next = *b;
	*b = id;
	t->count++;
	return id;
}

void table_remove(struct table *t, dest_id id)
{
	struct dest *d = table_dest(t, id);
	uint32_t *link = bucket_of(t, d);

	assert(!d->paths);
	while (*link != id)
		link = &table_dest(t, *link)->hash_next;
	*link = d->hash_next;
	*d = (struct dest){ .hash_next = t->free, .flags = DEST_FREE };
	t->free = id;
	t->count--;
}

size_t table_bytes(const struct table *t)
{
	return ((size_t)t->mask + 1) * sizeof(*t->buckets);
}
