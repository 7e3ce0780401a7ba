/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h - where prefixes and paths live: one record a prefix (dest), one a (prefix, peer, path id), both
 * under handles.
 *
 * Inside the rib folder only; everybody else goes through rib.h. The bytes per route are a budget: 16 for an
 * IPv4 dest, 40 for a path, 4 to 8 for the index. table.c asserts them. */
#ifndef MCBGP_RIB_TABLE_H
#define MCBGP_RIB_TABLE_H

#include <string.h>

#include "bgp/attrs.h"
#include "bgp/nlri.h"
#include "lib/pool.h"
#include "rib/nexthop.h"

typedef uint32_t dest_id; /* handles; 0: none */
typedef uint32_t path_id;

enum {
	DEST_DIRTY = 1,       /* in the queue of the decision process */
	DEST_BEST_GONE = 2,   /* the path that was best left since the last decision */
	DEST_MEMBER_GONE = 4, /* ... a member of the ECMP set, or the spare path */
	DEST_FREE = 8         /* not in use: on the table's free list */
};

struct dest {
	dest_id hash_next;
	path_id paths;      /* the best first, the others in no order; linked by path.next */
	uint16_t best_peer; /* where the announced best path came from; 0: nothing is announced */
	uint8_t flags;
	uint8_t len;    /* of the prefix */
	uint8_t addr[]; /* 4 or 16 bytes */
};

enum {
	PATH_BEST = 1,       /* as of the last decision */
	PATH_MEMBER = 2,     /* of the ECMP set, as of the last decision; the best path is one */
	PATH_UPDATED = 4,    /* new attributes since the last decision */
	PATH_MOVED = 8,      /* its next hop resolves differently since the last decision */
	PATH_INTERFACE = 16, /* local route on a link: nh holds the interface index */
	PATH_IPV6 = 64,      /* its dest is of that family */
	PATH_BLACKHOLE = 32, /* packets are dropped: a local route, or asked for by community */
	PATH_UNREACHABLE = PATH_BLACKHOLE | PATH_INTERFACE, /* packets are refused: a local route; nh is 0 */
	PATH_SPARE = 128, /* where packets go should the whole ECMP set die, as of the last decision */
};

struct path {
	path_id next; /* of the same dest */
	dest_id dest;
	path_id peer_next, peer_prev; /* of the same peer and family, newest first */
	attrs_id in;                  /* Adj-RIB-In: as received; counted */
	attrs_id attrs;               /* after import policy; counted; 0: refused */
	uint32_t wire_id;             /* ADD-PATH path identifier */
	uint32_t since;               /* arrival, monotonic centiseconds modulo 2^32 */
	nexthop_id nh;                /* of `attrs`; counted; 0: none */
	uint16_t peer;                /* index in the rib's peers */
	uint8_t epoch; /* of the peer and family when it was last announced; older ones are stale */
	uint8_t flags;
};

static inline enum family path_family(const struct path *p)
{
	return p->flags & PATH_IPV6 ? FAM_IPV6 : FAM_IPV4;
}

struct table {
	struct pool dests;
	uint32_t *buckets; /* heads of chains of dests */
	uint32_t mask;     /* buckets - 1 */
	uint32_t count;    /* dests in use */
	dest_id free; /* linked through hash_next; kept out of the pool's own list so that walks can tell them
	               */
	enum family family;
};

int table_init(struct table *t, enum family f); /* 0 or -ENOMEM */
void table_fini(struct table *t);
static inline uint64_t table_mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 32;
}
/** The address of the table seeds the hash: a peer that wants collisions would have to know it. What it
 * chooses goes through two rounds, since after one it still tells how two hashes differ. */
static inline uint32_t table_hash_bytes(const struct table *t, const uint8_t *addr, uint8_t len)
{
	uint64_t seed = (uintptr_t)t, hi, lo;
	uint32_t v4;

	if (t->family == FAM_IPV4) {
		memcpy(&v4, addr, 4);
		return (uint32_t)table_mix(table_mix(((uint64_t)v4 << 8 | len) ^ seed));
	}
	memcpy(&hi, addr, 8);
	memcpy(&lo, addr + 8, 8);
	return (uint32_t)table_mix(table_mix(table_mix(table_mix(hi ^ len ^ seed)) ^ lo));
}
/** Under what number @p is looked up, as long as the table lives. */
static inline uint32_t table_hash(const struct table *t, const struct prefix *p)
{
	return table_hash_bytes(t, p->addr.b, p->len);
}
dest_id table_find_hashed(const struct table *t, const struct prefix *p, uint32_t hash); /* 0: none */
static inline dest_id table_find(const struct table *t, const struct prefix *p)
{
	return table_find_hashed(t, p, table_hash(t, p));
}
/** Found or made; 0: out of memory. */
dest_id table_get_hashed(struct table *t, const struct prefix *p, uint32_t hash);
void table_remove(struct table *t, dest_id id);
/** Ask memory for what table_remove() of @id will look at. */
void table_prefetch_remove(const struct table *t, dest_id id);
size_t table_bytes(const struct table *t); /* of the index; dests are counted by their pool */

static inline struct dest *table_dest(const struct table *t, dest_id id)
{
	return pool_at(&t->dests, id);
}
static inline uint32_t *table_bucket(const struct table *t, uint32_t hash)
{
	return &t->buckets[hash & t->mask];
}
/** Ask memory for what a look-up by @hash will see first; the dest a while after the bucket. No change. */
static inline void table_prefetch_bucket(const struct table *t, uint32_t hash)
{
	__builtin_prefetch(table_bucket(t, hash));
}
static inline const struct dest *table_prefetch_dest(const struct table *t, uint32_t hash) /* NULL: none */
{
	dest_id id = *table_bucket(t, hash);
	const struct dest *d = id ? table_dest(t, id) : NULL;

	__builtin_prefetch(d);
	return d;
}
/** Into the caller's storage: a struct that is made here and copied there waits for its own bytes. */
static inline void dest_prefix(const struct table *t, const struct dest *d, struct prefix *out)
{
	*out = (struct prefix){ .addr = { .family = family_ip(t->family) }, .len = d->len };
	if (t->family == FAM_IPV4)
		memcpy(out->addr.b, d->addr, 4);
	else
		memcpy(out->addr.b, d->addr, 16);
}

/** Walks go by handle: those below table_end() that are live. */
static inline dest_id table_end(const struct table *t)
{
	return t->dests.next;
}
static inline bool table_live(const struct table *t, dest_id id)
{
	return !(table_dest(t, id)->flags & DEST_FREE);
}

#endif
