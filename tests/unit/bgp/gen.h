/* SPDX-License-Identifier: BSD-2-Clause */
/* gen.h - random attribute sets and prefixes from a fixed seed, for tests that state a property. */
#ifndef TESTS_UNIT_BGP_GEN_H
#define TESTS_UNIT_BGP_GEN_H

#include "bgp/aspath.h"
#include "bgp/attr.h"
#include "mcbgp/bgp.h"

#define GEN_BYTES 8192

/** A stream of numbers, and the bytes that the last set's blobs point into. */
struct gen {
	uint64_t state; /* not 0 */
	struct writer w;
	uint8_t bytes[GEN_BYTES];
};

static inline uint32_t gen_u32(struct gen *g)
{
	g->state ^= g->state << 13; /* xorshift64 */
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return (uint32_t)(g->state >> 16);
}

static inline uint32_t gen_below(struct gen *g, uint32_t n)
{
	return gen_u32(g) % n;
}

/** An AS number that is one, short as often as long. */
static inline uint32_t gen_as(struct gen *g)
{
	return gen_below(g, 2) ? 1 + gen_below(g, 65535) : 1 + gen_below(g, UINT32_MAX);
}

static inline struct blob gen_words(struct gen *g, unsigned words)
{
	const uint8_t *begin = g->w.p;

	while (words--)
		wr_u32(&g->w, gen_u32(g));
	return (struct blob){ begin, (uint32_t)(g->w.p - begin) };
}

/** Segments in canonical form: a sequence never follows one that has room. */
static inline struct blob gen_as_path(struct gen *g)
{
	const uint8_t *begin = g->w.p;
	uint8_t last = 0;

	for (unsigned segments = gen_below(g, 4); segments; segments--) {
		uint8_t type = last == BGP_AS_SEQUENCE ? BGP_AS_SET : (uint8_t)(1 + gen_below(g, 2));
		unsigned count = gen_below(g, 8) ? 1 + gen_below(g, 6) : 255;

		wr_u8(&g->w, type);
		wr_u8(&g->w, (uint8_t)count);
		while (count--)
			wr_u32(&g->w, gen_as(g));
		last = type;
	}
	return (struct blob){ begin, (uint32_t)(g->w.p - begin) };
}

static inline struct blob gen_unknown(struct gen *g)
{
	const uint8_t *begin = g->w.p;

	for (unsigned type = 36 + gen_below(g, 100); type < 256; type += 1 + gen_below(g, 100)) {
		unsigned len = gen_below(g, 4) ? gen_below(g, 20) : 256 + gen_below(g, 50);

		wr_u8(&g->w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE | BGP_FLAG_PARTIAL);
		wr_u8(&g->w, (uint8_t)type);
		wr_u16(&g->w, (uint16_t)len);
		while (len--)
			wr_u8(&g->w, (uint8_t)gen_u32(g));
	}
	return (struct blob){ begin, (uint32_t)(g->w.p - begin) };
}

static inline struct ip gen_v4(struct gen *g)
{
	return ip_v4(0x0a000000 | gen_u32(g) >> 8);
}

static inline struct ip gen_v6(struct gen *g, uint8_t first, uint8_t second)
{
	struct ip a = { IP_V6, { first, second } };

	wr_put_u32(a.b + 12, gen_u32(g));
	return a;
}

/** What a route may carry on such a session; next hop IPv4. Valid until the next call. */
static inline void gen_attrs(struct gen *g, bool ibgp, struct attrs *a)
{
	uint64_t maybe = ATTR_BIT(BGP_ATTR_MED) | ATTR_BIT(BGP_ATTR_ATOMIC_AGGREGATE) |
	                 ATTR_BIT(BGP_ATTR_AGGREGATOR) | ATTR_BIT(BGP_ATTR_COMMUNITIES) |
	                 ATTR_BIT(BGP_ATTR_EXT_COMMUNITIES) | ATTR_BIT(BGP_ATTR_LARGE_COMMUNITIES) |
	                 ATTR_BIT(BGP_ATTR_OTC);

	if (ibgp)
		maybe |= ATTR_BIT(BGP_ATTR_ORIGINATOR_ID) | ATTR_BIT(BGP_ATTR_CLUSTER_LIST);
	g->w = wr_init(g->bytes, sizeof(g->bytes));
	*a = (struct attrs){ .origin = (uint8_t)gen_below(g, 3), .next_hop = gen_v4(g) };
	a->present = ((uint64_t)gen_u32(g) << 32 | gen_u32(g)) & maybe;
	a->present |= ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) | ATTR_BIT(BGP_ATTR_NEXT_HOP);
	a->as_path = gen_as_path(g);
	a->path_len = aspath_len(a->as_path);
	if (ibgp) {
		a->present |= ATTR_BIT(BGP_ATTR_LOCAL_PREF);
		a->local_pref = gen_u32(g);
	}
	if (attrs_has(a, BGP_ATTR_MED))
		a->med = gen_u32(g);
	if (attrs_has(a, BGP_ATTR_AGGREGATOR)) {
		a->aggregator_as = gen_as(g);
		a->aggregator_id = gen_u32(g);
		a->partial |= gen_below(g, 2) ? ATTR_PARTIAL_AGGREGATOR : 0;
	}
	if (attrs_has(a, BGP_ATTR_COMMUNITIES)) {
		a->communities = gen_words(g, 1 + gen_below(g, 80));
		a->partial |= gen_below(g, 2) ? ATTR_PARTIAL_COMMUNITIES : 0;
	}
	if (attrs_has(a, BGP_ATTR_ORIGINATOR_ID))
		a->originator_id = gen_u32(g);
	if (attrs_has(a, BGP_ATTR_CLUSTER_LIST))
		a->cluster_list = gen_words(g, 1 + gen_below(g, 5));
	if (attrs_has(a, BGP_ATTR_EXT_COMMUNITIES))
		a->ext_communities = gen_words(g, 2 * (1 + gen_below(g, 5)));
	if (attrs_has(a, BGP_ATTR_LARGE_COMMUNITIES))
		a->large_communities = gen_words(g, 3 * (1 + gen_below(g, 30)));
	if (attrs_has(a, BGP_ATTR_OTC))
		a->otc = gen_as(g);
	if (gen_below(g, 4) == 0)
		a->unknown = gen_unknown(g);
}

static inline struct prefix gen_prefix(struct gen *g, enum family f)
{
	struct ip a = f == FAM_IPV4 ? ip_v4(gen_u32(g)) : gen_v6(g, 0x20, (uint8_t)gen_u32(g));

	return prefix_make(&a, (uint8_t)gen_below(g, ip_bits(a.family) + 1u));
}

#endif
