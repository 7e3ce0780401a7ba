/* SPDX-License-Identifier: BSD-2-Clause */
/* Path attributes: what we accept, we encode to something we decode the same - towards old speakers and new
 * ones. */
#include <assert.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/attr.h"
#include "mcbgp/bgp.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static char text[BGP_MAX_LEN_EXT * 4], text_again[sizeof(text)];
static uint8_t scratch[131072], scratch_again[131072], wire[BGP_MAX_LEN_EXT * 2];

/** The session that one byte describes. */
static struct codec_ctx ctx(uint8_t bits, uint8_t *s)
{
	return (struct codec_ctx){
		.as4 = bits & 1,
		.ibgp = bits & 2,
		.families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
		.add_path = { bits & 4, bits & 4 },
		.ext_next_hop = bits & 8 ? FAM_BIT(FAM_IPV4) : 0,
		.scratch = s,
		.scratch_len = sizeof(scratch),
	};
}

/** Encode @a for @c and expect it back. */
static void round_trip(const struct attrs *a, const struct codec_ctx *c)
{
	struct writer w = wr_init(wire, sizeof(wire));
	struct attrs b;
	struct mp_nlri mp;
	struct attr_fault f;

	attrs_encode(&w, c, a, true);
	assert(!w.bad);
	assert(attrs_decode(rd_init(wire, (size_t)(w.p - wire)), c, &b, &mp, &f) == ATTR_OK);
	if (!c->as4) { /* put together from two attributes: sequences that followed each other are one */
		aspath_print(a->as_path, text, sizeof(text));
		aspath_print(b.as_path, text_again, sizeof(text_again));
		assert(!strcmp(text, text_again));
		b.as_path = a->as_path;
	}
	assert(attrs_equal(a, &b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct codec_ctx c;
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;
	enum verdict v;

	if (!len || len > BGP_MAX_LEN_EXT / 2)
		return 0;
	c = ctx(data[0], scratch);
	v = attrs_decode(rd_init(data + 1, len - 1), &c, &a, &mp, &f);
	if (v != ATTR_OK)
		assert(f.verdict == v && f.what && f.excerpt_len <= sizeof(f.excerpt));
	if (v > ATTR_DISCARD)
		return 0;
	c.scratch = scratch_again;
	for (unsigned as4 = 0; as4 < 2; as4++) {
		c.as4 = as4;
		if (as4 || !aspath_has_confed(a.as_path)) /* RFC 6793 3: AS4_PATH has no confederations */
			round_trip(&a, &c);
	}
	return 0;
}

/** Behind the byte that describes the session there are attributes; by halves they are changed as such. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static uint8_t out[BGP_MAX_LEN_EXT];
	struct writer w = wr_init(out, max < sizeof(out) ? max : sizeof(out));

	if (size < 4 || seed & 1 || max < size)
		return LLVMFuzzerMutate(data, size, max);
	wr_u8(&w, data[0]);
	if (!mutate_attrs(rd_init(data + 1, size - 1), &w, seed >> 1))
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data, out, (size_t)(w.p - out));
	return (size_t)(w.p - out);
}
