/* SPDX-License-Identifier: BSD-2-Clause */
/* mutate.h - mutations that know how path attributes are laid out: the value, type or flags of one change,
 * one goes, comes twice, or moves, and all lengths are right again afterwards. Bytes alone, changed by
 * chance, hardly ever reach the rules behind the lengths. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <string.h>

#include "lib/reader.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"

/** libFuzzer's own: changes @size bytes at @data in place. @return how many there are now, at most @max. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define MUTATE_ATTRS 32   /* more than that are left as they are */
#define MUTATE_VALUE 4096 /* bytes a changed value may have */

struct mutate_attr {
	uint8_t flags, type;
	const uint8_t *value;
	size_t len;
};

static inline unsigned mutate_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static inline size_t mutate_parse(struct reader r, struct mutate_attr *out)
{
	size_t n = 0;

	while (rd_left(&r) >= 3 && n < MUTATE_ATTRS) {
		struct mutate_attr *a = &out[n];

		a->flags = rd_u8(&r);
		a->type = rd_u8(&r);
		a->len = a->flags & BGP_FLAG_EXTENDED ? rd_u16(&r) : rd_u8(&r);
		if (a->len > rd_left(&r))
			a->len = rd_left(&r);
		a->value = rd_take(&r, a->len);
		n += !r.bad;
	}
	return n;
}

static inline void mutate_put(struct writer *w, const struct mutate_attr *a)
{
	bool extended = a->len > UINT8_MAX || a->flags & BGP_FLAG_EXTENDED;

	wr_u8(w, extended ? a->flags | BGP_FLAG_EXTENDED : a->flags);
	wr_u8(w, a->type);
	if (extended)
		wr_u16(w, (uint16_t)a->len);
	else
		wr_u8(w, (uint8_t)a->len);
	wr_bytes(w, a->value, a->len);
}

/** The flags that belong to a type, so that a change of it gets past them. */
static inline uint8_t mutate_flags(uint8_t type)
{
	switch (type) {
	case BGP_ATTR_ORIGIN:
	case BGP_ATTR_AS_PATH:
	case BGP_ATTR_NEXT_HOP:
	case BGP_ATTR_LOCAL_PREF:
	case BGP_ATTR_ATOMIC_AGGREGATE:
		return BGP_FLAG_TRANSITIVE;
	case BGP_ATTR_MED:
	case BGP_ATTR_ORIGINATOR_ID:
	case BGP_ATTR_CLUSTER_LIST:
	case BGP_ATTR_MP_REACH:
	case BGP_ATTR_MP_UNREACH:
		return BGP_FLAG_OPTIONAL;
	default:
		return BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE;
	}
}

static inline void mutate_one(struct mutate_attr *a, size_t *n, uint8_t *value, unsigned *seed)
{
	static const uint8_t types[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 35, 99 };
	size_t i = mutate_random(seed) % *n, k = mutate_random(seed) % *n;
	struct mutate_attr other = a[k];

	switch (mutate_random(seed) % 8) {
	case 0:
		a[i].type = types[mutate_random(seed) % sizeof(types)];
		a[i].flags = mutate_flags(a[i].type);
		break;
	case 1:
		a[i].flags ^= (uint8_t)(1u << (4 + mutate_random(seed) % 4));
		break;
	case 2: /* takes the place of another */
		a[k] = a[i];
		a[i] = other;
		break;
	case 3:
		if (*n > 1)
			a[i] = a[--*n];
		break;
	case 4:
		if (*n < MUTATE_ATTRS)
			a[(*n)++] = a[i];
		break;
	default:
		a[i].len = a[i].len < MUTATE_VALUE ? a[i].len : MUTATE_VALUE;
		if (a[i].len)
			memcpy(value, a[i].value, a[i].len);
		a[i].len = LLVMFuzzerMutate(value, a[i].len, MUTATE_VALUE);
		a[i].value = value;
	}
}

/** Attributes at @data[@size] -> @w. false: there are none to work on. */
static inline bool mutate_attrs(struct reader r, struct writer *w, unsigned seed)
{
	static uint8_t value[MUTATE_VALUE];
	struct mutate_attr attrs[MUTATE_ATTRS];
	size_t n = mutate_parse(r, attrs);

	if (!n)
		return false;
	mutate_one(attrs, &n, value, &seed);
	for (size_t i = 0; i < n; i++)
		mutate_put(w, &attrs[i]);
	return !w->bad;
}

#endif
