/* SPDX-License-Identifier: BSD-2-Clause */
/* fibtab.h - the routes of one family by prefix: what is wanted, what the kernel has. 20 bytes an IPv4 route,
 * 32 an IPv6 one, and a hash slot or two of eight.
 *
 * Entries live under 32-bit handles that never move. The hash is seeded, since prefixes come from peers. It
 * grows a page of slots with each new entry: to double it at once would take 50 ms at a million routes. */
#ifndef MCBGP_NETLINK_FIBTAB_H
#define MCBGP_NETLINK_FIBTAB_H

#include "lib/pool.h"
#include "lib/prefix.h"

struct fibent {
	uint32_t want, have; /* hop sets; 0: no route */
	uint32_t next;       /* in the queue, or in the list of free entries */
	uint8_t len;         /* of the prefix */
	uint8_t flags;       /* the user's, but for FIBENT_LIVE */
	uint8_t why, detail; /* the user's */
	uint8_t addr[];      /* 4 or 16 bytes, as the family has */
};
#define FIBENT_LIVE 1u

struct fibslot {
	uint32_t handle; /* 0: empty */
	uint32_t hash;   /* of its key: most others are told from it without a look at the entry */
};

struct fibtab {
	struct pool pool;
	struct fibslot *slots;
	uint32_t mask;            /* slots less one */
	struct fibslot *old;      /* the slots before they grew, until all have moved; NULL: they have */
	uint32_t old_mask, moved; /* moved: of the old slots */
	uint32_t count, free;
	uint64_t seed;
	uint8_t family;
};

void fibtab_init(struct fibtab *t, uint8_t family, uint64_t seed);
void fibtab_fini(struct fibtab *t);
uint32_t fibtab_find(const struct fibtab *t, const struct prefix *p); /* 0: none */
/** Found or made; a new one is zero but for its key. @return 0 when out of memory. */
uint32_t fibtab_get(struct fibtab *t, const struct prefix *p);
void fibtab_remove(struct fibtab *t, uint32_t handle);
/** Walk in no order: start with 0; 0 at the end. Entries may be removed meanwhile; new ones may be missed. */
uint32_t fibtab_next(const struct fibtab *t, uint32_t handle);
struct prefix fibtab_prefix(const struct fibtab *t, const struct fibent *e);
size_t fibtab_bytes(const struct fibtab *t);

static inline struct fibent *fibtab_at(const struct fibtab *t, uint32_t handle)
{
	return pool_at(&t->pool, handle);
}

#endif
