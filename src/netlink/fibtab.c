/* SPDX-License-Identifier: BSD-2-Clause */
/* fibtab.c - see fibtab.h. Open addressing with linear probing; removal closes the gap, so that no tombstones
 * gather. Freed entries are chained here rather than in the pool, so that a walk by handle can tell the
 * living.
 *
 * While the table grows, an entry is found in the new slots, or else in the old ones. There its slot is only
 * marked when the entry goes, so that it is not moved. What the old ones say of those that have been moved
 * does no harm, since the entry itself is asked. */
#include "netlink/fibtab.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN    64u
#define GONE         UINT32_MAX /* handle of an old slot */
#define MOVE_AT_ONCE 512u       /* old slots with each new entry: a page of them, before others are read */

void fibtab_init(struct fibtab *t, uint8_t family, uint64_t seed)
{
	*t = (struct fibtab){ .family = family, .seed = seed };
	pool_init(&t->pool, sizeof(struct fibent) + ip_bytes(family));
}

void fibtab_fini(struct fibtab *t)
{
	pool_fini(&t->pool);
	free(t->slots);
	free(t->old);
	t->slots = t->old = NULL;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

static uint32_t hash(const struct fibtab *t, const uint8_t *addr, uint8_t len)
{
	uint64_t half[2] = { 0 };

	memcpy(half, addr, ip_bytes(t->family));
	return (uint32_t)mix(mix(half[0] ^ t->seed) ^ half[1] ^ (uint64_t)len << 56);
}

static bool is_key(const struct fibtab *t, const struct fibent *e, const struct prefix *p)
{
	return e->flags & FIBENT_LIVE && e->len == p->len &&
	       memcmp(e->addr, p->addr.b, ip_bytes(t->family)) == 0;
}

/* The handle of @p, whose hash is @key, in @slots; 0: it is not there. */
static uint32_t find_in(const struct fibtab *t, const struct fibslot *slots, uint32_t mask, uint32_t key,
                        const struct prefix *p)
{
	for (uint32_t i = key & mask; slots[i].handle; i = (i + 1) & mask) {
		if (slots[i].hash == key && slots[i].handle != GONE &&
		    is_key(t, fibtab_at(t, slots[i].handle), p))
			return slots[i].handle;
	}
	return 0;
}

static uint32_t find(const struct fibtab *t, uint32_t key, const struct prefix *p)
{
	uint32_t h = t->slots ? find_in(t, t->slots, t->mask, key, p) : 0;

	return h || !t->old ? h : find_in(t, t->old, t->old_mask, key, p);
}

uint32_t fibtab_find(const struct fibtab *t, const struct prefix *p)
{
	return find(t, hash(t, p->addr.b, p->len), p);
}

/* An entry that has none yet gets its slot. */
static void settle(struct fibtab *t, struct fibslot s)
{
	uint32_t i = s.hash & t->mask;

	while (t->slots[i].handle)
		i = (i + 1) & t->mask;
	t->slots[i] = s;
}

/* Some of the old slots move. */
static void move(struct fibtab *t)
{
	for (uint32_t n = 0; t->old && n < MOVE_AT_ONCE; n++) {
		struct fibslot s = t->old[t->moved];

		if (s.handle && s.handle != GONE)
			settle(t, s);
		if (t->moved++ < t->old_mask)
			continue;
		free(t->old);
		t->old = NULL;
	}
}

/* Room for one more at a load of at most three quarters. */
static bool grow(struct fibtab *t)
{
	uint32_t size = t->slots ? t->mask + 1 : 0;
	struct fibslot *slots;

	move(t);
	if (t->slots && t->count < size / 4 * 3)
		return true;
	assert(!t->old); /* it moves faster than it fills */
	size = size ? 2 * size : SLOTS_MIN;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return false;
	t->old = t->slots;
	t->old_mask = t->mask;
	t->moved = 0;
	t->slots = slots;
	t->mask = size - 1;
	return true;
}

static uint32_t new_entry(struct fibtab *t)
{
	uint32_t h = t->free;
	struct fibent *e;

	if (!h)
		return pool_new(&t->pool);
	e = fibtab_at(t, h);
	t->free = e->next;
	memset(e, 0, t->pool.size);
	return h;
}

uint32_t fibtab_get(struct fibtab *t, const struct prefix *p)
{
	uint32_t key = hash(t, p->addr.b, p->len), h;
	struct fibent *e;

	assert(p->addr.family == t->family);
	h = find(t, key, p);
	if (h)
		return h;
	if (!grow(t))
		return 0;
	h = new_entry(t);
	if (!h)
		return 0;
	e = fibtab_at(t, h);
	e->len = p->len;
	e->flags = FIBENT_LIVE;
	memcpy(e->addr, p->addr.b, ip_bytes(t->family));
	settle(t, (struct fibslot){ h, key });
	t->count++;
	return h;
}

/* Those behind move up unless that would put them before their home. */
static void close_gap(struct fibtab *t, uint32_t gap)
{
	for (uint32_t i = (gap + 1) & t->mask; t->slots[i].handle; i = (i + 1) & t->mask) {
		if (((i - t->slots[i].hash) & t->mask) < ((i - gap) & t->mask))
			continue;
		t->slots[gap] = t->slots[i];
		gap = i;
	}
	t->slots[gap] = (struct fibslot){ 0 };
}

/* The slot of @handle, or an empty one. */
static uint32_t slot_of(const struct fibslot *slots, uint32_t mask, uint32_t key, uint32_t handle)
{
	uint32_t i = key & mask;

	while (slots[i].handle && slots[i].handle != handle)
		i = (i + 1) & mask;
	return i;
}

static void remove_old(struct fibtab *t, uint32_t key, uint32_t handle)
{
	uint32_t i = slot_of(t->old, t->old_mask, key, handle);

	if (t->old[i].handle)
		t->old[i].handle = GONE;
}

void fibtab_remove(struct fibtab *t, uint32_t handle)
{
	struct fibent *e = fibtab_at(t, handle);
	uint32_t key = hash(t, e->addr, e->len), i = slot_of(t->slots, t->mask, key, handle);

	if (t->slots[i].handle) /* otherwise it has not moved yet */
		close_gap(t, i);
	if (t->old)
		remove_old(t, key, handle);
	e->flags = 0;
	e->next = t->free;
	t->free = handle;
	t->count--;
}

uint32_t fibtab_next(const struct fibtab *t, uint32_t handle)
{
	while (++handle < t->pool.next) {
		if (fibtab_at(t, handle)->flags & FIBENT_LIVE)
			return handle;
	}
	return 0;
}

struct prefix fibtab_prefix(const struct fibtab *t, const struct fibent *e)
{
	return (struct prefix){ ip_from_bytes(t->family, e->addr), e->len };
}

size_t fibtab_bytes(const struct fibtab *t)
{
	size_t slots = (t->slots ? t->mask + 1 : 0) + (t->old ? t->old_mask + 1 : 0);

	return pool_bytes(&t->pool) + slots * sizeof(*t->slots);
}
