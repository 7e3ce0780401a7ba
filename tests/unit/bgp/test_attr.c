/* SPDX-License-Identifier: BSD-2-Clause */
/* Path attributes: a verdict a row (RFC 7606), and decode(encode(x)) = x. */
#include "bgp/attr.h"

#include "gen.h"
#include "unit/unit.h"

#define WIRE(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define ROUNDS    3000

enum session { EBGP, IBGP, OLD, EXT_NH, V4_ONLY };

static uint8_t scratch[131072];

static struct codec_ctx ctx(enum session s)
{
	return (struct codec_ctx){
		.as4 = s != OLD,
		.ibgp = s == IBGP,
		.families = s == V4_ONLY ? FAM_BIT(FAM_IPV4) : FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
		.ext_next_hop = s == EXT_NH ? FAM_BIT(FAM_IPV4) : 0,
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
	};
}

/* ---- verdicts ---- */

static const struct {
	const char *what;
	enum session session;
	uint8_t wire[48];
	size_t len;
	enum verdict want;
	uint8_t type;    /* of the fault */
	uint8_t subcode; /* of the NOTIFICATION, where the session ends */
} cases[] = {
	{ "no attributes", EBGP, { 0 }, 0, ATTR_OK },

	{ "origin igp", EBGP, WIRE(0x40, 1, 1, 0), ATTR_OK },
	{ "origin incomplete", EBGP, WIRE(0x40, 1, 1, 2), ATTR_OK },
	{ "origin, extended length", EBGP, WIRE(0x50, 1, 0, 1, 0), ATTR_OK },
	{ "origin, low flag bits set", EBGP, WIRE(0x47, 1, 1, 0), ATTR_OK },
	{ "origin out of range", EBGP, WIRE(0x40, 1, 1, 3), ATTR_WITHDRAW, 1 },
	{ "origin of two bytes", EBGP, WIRE(0x40, 1, 2, 0, 0), ATTR_WITHDRAW, 1 },
	{ "origin empty", EBGP, WIRE(0x40, 1, 0), ATTR_WITHDRAW, 1 },
	{ "origin optional", EBGP, WIRE(0xc0, 1, 1, 0), ATTR_WITHDRAW, 1 },
	{ "origin not transitive", EBGP, WIRE(0x00, 1, 1, 0), ATTR_WITHDRAW, 1 },
	{ "origin with Partial", EBGP, WIRE(0x60, 1, 1, 0), ATTR_OK },

	{ "as path empty", EBGP, WIRE(0x40, 2, 0), ATTR_OK },
	{ "as path sequence", EBGP, WIRE(0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9), ATTR_OK },
	{ "as path set", EBGP, WIRE(0x40, 2, 6, 1, 1, 0, 0, 0xfd, 0xe9), ATTR_OK },
	{ "as path, two bytes", OLD, WIRE(0x40, 2, 4, 2, 1, 0xfd, 0xe9), ATTR_OK },
	{ "as path, four bytes where two", OLD, WIRE(0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9), ATTR_WITHDRAW, 2 },
	{ "as path segment overrun", EBGP, WIRE(0x40, 2, 6, 2, 2, 0, 0, 0xfd, 0xe9), ATTR_WITHDRAW, 2 },
	{ "as path segment underrun", EBGP, WIRE(0x40, 2, 7, 2, 1, 0, 0, 0xfd, 0xe9, 2), ATTR_WITHDRAW, 2 },
	{ "as path empty segment", EBGP, WIRE(0x40, 2, 2, 2, 0), ATTR_WITHDRAW, 2 },
	{ "as path unknown segment", EBGP, WIRE(0x40, 2, 6, 5, 1, 0, 0, 0, 1), ATTR_WITHDRAW, 2 },
	{ "as path confederation", EBGP, WIRE(0x40, 2, 6, 3, 1, 0, 0, 0, 1), ATTR_WITHDRAW, 2 },
	{ "as path confederation set", IBGP, WIRE(0x40, 2, 6, 4, 1, 0, 0, 0, 1), ATTR_WITHDRAW, 2 },
	{ "as path with AS 0", EBGP, WIRE(0x40, 2, 6, 2, 1, 0, 0, 0, 0), ATTR_WITHDRAW, 2 },
	{ "as path optional", EBGP, WIRE(0xc0, 2, 0), ATTR_WITHDRAW, 2 },

	{ "next hop", EBGP, WIRE(0x40, 3, 4, 192, 0, 2, 1), ATTR_OK },
	{ "next hop empty", EBGP, WIRE(0x40, 3, 0), ATTR_WITHDRAW, 3 },
	{ "next hop class E", EBGP, WIRE(0x40, 3, 4, 240, 0, 0, 1), ATTR_WITHDRAW, 3 },
	{ "next hop of 5 bytes", EBGP, WIRE(0x40, 3, 5, 192, 0, 2, 1, 0), ATTR_WITHDRAW, 3 },
	{ "next hop 0.0.0.0", EBGP, WIRE(0x40, 3, 4, 0, 0, 0, 0), ATTR_WITHDRAW, 3 },
	{ "next hop multicast", EBGP, WIRE(0x40, 3, 4, 224, 0, 0, 5), ATTR_WITHDRAW, 3 },
	{ "next hop loopback", EBGP, WIRE(0x40, 3, 4, 127, 0, 0, 1), ATTR_WITHDRAW, 3 },
	{ "next hop broadcast", EBGP, WIRE(0x40, 3, 4, 255, 255, 255, 255), ATTR_WITHDRAW, 3 },
	{ "next hop flags", EBGP, WIRE(0x80, 3, 4, 192, 0, 2, 1), ATTR_WITHDRAW, 3 },

	{ "med", EBGP, WIRE(0x80, 4, 4, 0, 0, 0, 1), ATTR_OK },
	{ "med empty", EBGP, WIRE(0x80, 4, 0), ATTR_WITHDRAW, 4 },
	{ "med of 3 bytes", EBGP, WIRE(0x80, 4, 3, 0, 0, 1), ATTR_WITHDRAW, 4 },
	{ "med transitive", EBGP, WIRE(0xc0, 4, 4, 0, 0, 0, 1), ATTR_WITHDRAW, 4 },

	{ "local pref inside", IBGP, WIRE(0x40, 5, 4, 0, 0, 0, 100), ATTR_OK },
	{ "local pref from outside", EBGP, WIRE(0x40, 5, 4, 0, 0, 0, 100), ATTR_DISCARD, 5 },
	{ "local pref from outside, bad", EBGP, WIRE(0x40, 5, 3, 0, 0, 100), ATTR_DISCARD, 5 },
	{ "local pref of 3 bytes", IBGP, WIRE(0x40, 5, 3, 0, 0, 100), ATTR_WITHDRAW, 5 },
	{ "local pref optional", IBGP, WIRE(0x80, 5, 4, 0, 0, 0, 100), ATTR_WITHDRAW, 5 },

	{ "atomic aggregate", EBGP, WIRE(0x40, 6, 0), ATTR_OK },
	{ "atomic aggregate with a byte", EBGP, WIRE(0x40, 6, 1, 0), ATTR_DISCARD, 6 },
	{ "atomic aggregate flags", EBGP, WIRE(0xc0, 6, 0), ATTR_WITHDRAW, 6 },

	{ "aggregator", EBGP, WIRE(0xc0, 7, 8, 0, 0, 0xfd, 0xe9, 1, 2, 3, 4), ATTR_OK },
	{ "aggregator, old length", EBGP, WIRE(0xc0, 7, 6, 0xfd, 0xe9, 1, 2, 3, 4), ATTR_DISCARD, 7 },
	{ "aggregator from old", OLD, WIRE(0xc0, 7, 6, 0xfd, 0xe9, 1, 2, 3, 4), ATTR_OK },
	{ "aggregator from old, new length", OLD, WIRE(0xc0, 7, 8, 0, 0, 0xfd, 0xe9, 1, 2, 3, 4),
	  ATTR_DISCARD, 7 },
	{ "aggregator AS 0", EBGP, WIRE(0xc0, 7, 8, 0, 0, 0, 0, 1, 2, 3, 4), ATTR_DISCARD, 7 },
	{ "aggregator flags", EBGP, WIRE(0x40, 7, 8, 0, 0, 0xfd, 0xe9, 1, 2, 3, 4), ATTR_WITHDRAW, 7 },

	{ "communities", EBGP, WIRE(0xc0, 8, 4, 0xfd, 0xe8, 0, 1), ATTR_OK },
	{ "communities empty", EBGP, WIRE(0xc0, 8, 0), ATTR_WITHDRAW, 8 },
	{ "communities of 5 bytes", EBGP, WIRE(0xc0, 8, 5, 0xfd, 0xe8, 0, 1, 0), ATTR_WITHDRAW, 8 },
	{ "communities flags", EBGP, WIRE(0x80, 8, 4, 0xfd, 0xe8, 0, 1), ATTR_WITHDRAW, 8 },
	{ "extended communities", EBGP, WIRE(0xc0, 16, 8, 0, 2, 0xfd, 0xe8, 0, 0, 0, 1), ATTR_OK },
	{ "extended communities of 9", EBGP, WIRE(0xc0, 16, 9, 0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0),
	  ATTR_WITHDRAW, 16 },
	{ "extended communities flags", EBGP, WIRE(0x80, 16, 8, 0, 2, 0xfd, 0xe8, 0, 0, 0, 1), ATTR_WITHDRAW,
	  16 },
	{ "extended communities of a type nobody knows", EBGP,
	  WIRE(0xc0, 16, 8, 0x3f, 0xff, 0, 0, 0, 0, 0, 0), ATTR_OK },
	{ "extended communities empty", EBGP, WIRE(0xc0, 16, 0), ATTR_WITHDRAW, 16 },
	{ "large communities", EBGP, WIRE(0xc0, 32, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3), ATTR_OK },
	{ "large communities of 8", EBGP, WIRE(0xc0, 32, 8, 0, 0, 0, 1, 0, 0, 0, 2), ATTR_WITHDRAW, 32 },
	{ "large communities flags", EBGP, WIRE(0x80, 32, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3),
	  ATTR_WITHDRAW, 32 },
	{ "large communities empty", EBGP, WIRE(0xc0, 32, 0), ATTR_WITHDRAW, 32 },

	{ "originator inside", IBGP, WIRE(0x80, 9, 4, 1, 2, 3, 4), ATTR_OK },
	{ "originator from outside", EBGP, WIRE(0x80, 9, 4, 1, 2, 3, 4), ATTR_DISCARD, 9 },
	{ "originator flags", IBGP, WIRE(0xc0, 9, 4, 1, 2, 3, 4), ATTR_WITHDRAW, 9 },
	{ "originator of 5 bytes", IBGP, WIRE(0x80, 9, 5, 1, 2, 3, 4, 5), ATTR_WITHDRAW, 9 },
	{ "cluster list inside", IBGP, WIRE(0x80, 10, 8, 1, 2, 3, 4, 5, 6, 7, 8), ATTR_OK },
	{ "cluster list from outside", EBGP, WIRE(0x80, 10, 4, 1, 2, 3, 4), ATTR_DISCARD, 10 },
	{ "cluster list flags", IBGP, WIRE(0xc0, 10, 4, 1, 2, 3, 4), ATTR_WITHDRAW, 10 },
	{ "cluster list of 6 bytes", IBGP, WIRE(0x80, 10, 6, 1, 2, 3, 4, 5, 6), ATTR_WITHDRAW, 10 },
	{ "cluster list empty", IBGP, WIRE(0x80, 10, 0), ATTR_WITHDRAW, 10 },

	{ "mp_reach ipv6", EBGP,
	  WIRE(0x80, 14, 26, 0, 2, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 32, 0x20,
	       1, 0xd, 0xb8),
	  ATTR_OK },
	{ "mp_reach ipv4", EBGP, WIRE(0x80, 14, 11, 0, 1, 1, 4, 192, 0, 2, 1, 0, 8, 10), ATTR_OK },
	{ "mp_reach wrong flags", EBGP, WIRE(0xc0, 14, 11, 0, 1, 1, 4, 192, 0, 2, 1, 0, 8, 10), ATTR_WITHDRAW,
	  14 },
	{ "mp_reach next hop of 5", EBGP, WIRE(0x80, 14, 12, 0, 1, 1, 5, 192, 0, 2, 1, 9, 0, 8, 10),
	  ATTR_RESET, 14, BGP_UPD_OPTIONAL_ATTR },
	{ "mp_reach ipv4 with IPv6 next hop", EBGP,
	  WIRE(0x80, 14, 23, 0, 1, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 10),
	  ATTR_RESET, 14, BGP_UPD_OPTIONAL_ATTR },
	{ "mp_reach ipv4 with IPv6 next hop, negotiated", EXT_NH,
	  WIRE(0x80, 14, 23, 0, 1, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 10),
	  ATTR_OK },
	{ "mp_reach ipv6 with IPv4 next hop", EXT_NH,
	  WIRE(0x80, 14, 11, 0, 2, 1, 4, 192, 0, 2, 1, 0, 8, 0x20), ATTR_RESET, 14, BGP_UPD_OPTIONAL_ATTR },
	{ "mp_reach next hop past the end", EBGP, WIRE(0x80, 14, 6, 0, 1, 1, 4, 192, 0), ATTR_RESET, 14,
	  BGP_UPD_OPTIONAL_ATTR },
	{ "mp_reach of 4 bytes", EBGP, WIRE(0x80, 14, 4, 0, 1, 1, 0), ATTR_RESET, 14, BGP_UPD_ATTR_LENGTH },
	{ "mp_reach bad prefix", EBGP, WIRE(0x80, 14, 11, 0, 1, 1, 4, 192, 0, 2, 1, 0, 9, 10), ATTR_RESET, 14,
	  BGP_UPD_OPTIONAL_ATTR },
	{ "mp_reach next hop ::", EBGP,
	  WIRE(0x80, 14, 22, 0, 2, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	  ATTR_WITHDRAW, 14 },
	{ "mp_reach next hop multicast", EBGP,
	  WIRE(0x80, 14, 22, 0, 2, 1, 16, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
	  ATTR_WITHDRAW, 14 },
	{ "mp_reach twice", EBGP,
	  WIRE(0x80, 14, 11, 0, 1, 1, 4, 192, 0, 2, 1, 0, 8, 10, 0x80, 14, 11, 0, 1, 1, 4, 192, 0, 2, 1, 0, 8,
	       10),
	  ATTR_RESET, 14, BGP_UPD_MALFORMED_ATTRS },
	{ "mp_reach past the end", EBGP, WIRE(0x80, 14, 12, 0, 1, 1, 4, 192, 0, 2, 1, 0, 8, 10), ATTR_RESET,
	  14, BGP_UPD_MALFORMED_ATTRS },
	{ "mp_reach of a family we do not speak", EBGP, WIRE(0x80, 14, 7, 0, 25, 65, 0, 0, 1, 1),
	  ATTR_DISCARD, 14 },
	{ "mp_reach of a family not negotiated", V4_ONLY, WIRE(0x80, 14, 7, 0, 2, 1, 0, 0, 1, 1),
	  ATTR_DISCARD, 14 },
	{ "mp_unreach", EBGP, WIRE(0x80, 15, 5, 0, 1, 1, 8, 10), ATTR_OK },
	{ "mp_unreach empty", EBGP, WIRE(0x80, 15, 3, 0, 2, 1), ATTR_OK },
	{ "mp_unreach of 2 bytes", EBGP, WIRE(0x80, 15, 2, 0, 2), ATTR_RESET, 15, BGP_UPD_ATTR_LENGTH },
	{ "mp_unreach bad prefix", EBGP, WIRE(0x80, 15, 5, 0, 1, 1, 33, 10), ATTR_RESET, 15,
	  BGP_UPD_OPTIONAL_ATTR },
	{ "mp_unreach wrong flags", EBGP, WIRE(0x40, 15, 5, 0, 1, 1, 8, 10), ATTR_WITHDRAW, 15 },
	{ "mp_unreach twice", EBGP, WIRE(0x80, 15, 3, 0, 2, 1, 0x80, 15, 3, 0, 2, 1), ATTR_RESET, 15,
	  BGP_UPD_MALFORMED_ATTRS },

	{ "as4_path from a new speaker", EBGP, WIRE(0xc0, 17, 6, 2, 1, 0, 1, 0, 0), ATTR_DISCARD, 17 },
	{ "as4_path", OLD, WIRE(0xc0, 17, 6, 2, 1, 0, 1, 0, 0), ATTR_OK },
	{ "as4_path malformed", OLD, WIRE(0xc0, 17, 6, 2, 2, 0, 1, 0, 0), ATTR_DISCARD, 17 },
	{ "as4_path too short", OLD, WIRE(0xc0, 17, 2, 2, 0), ATTR_DISCARD, 17 },
	{ "as4_path with AS 0", OLD, WIRE(0xc0, 17, 6, 2, 1, 0, 0, 0, 0), ATTR_DISCARD, 17 },
	{ "as4_aggregator from a new speaker", EBGP, WIRE(0xc0, 18, 8, 0, 1, 0, 0, 1, 2, 3, 4), ATTR_DISCARD,
	  18 },
	{ "as4_aggregator", OLD, WIRE(0xc0, 18, 8, 0, 1, 0, 0, 1, 2, 3, 4), ATTR_OK },
	{ "as4_aggregator of 6", OLD, WIRE(0xc0, 18, 6, 0, 1, 0, 0, 1, 2), ATTR_DISCARD, 18 },
	{ "as4_aggregator AS 0", OLD, WIRE(0xc0, 18, 8, 0, 0, 0, 0, 1, 2, 3, 4), ATTR_DISCARD, 18 },

	{ "otc", EBGP, WIRE(0xc0, 35, 4, 0, 0, 0xfd, 0xe9), ATTR_OK },
	{ "otc flags", EBGP, WIRE(0x80, 35, 4, 0, 0, 0xfd, 0xe9), ATTR_WITHDRAW, 35 },
	{ "otc empty", EBGP, WIRE(0xc0, 35, 0), ATTR_WITHDRAW, 35 },
	{ "otc of 5 bytes", EBGP, WIRE(0xc0, 35, 5, 0, 0, 0xfd, 0xe9, 0), ATTR_WITHDRAW, 35 },

	/* known to others: carried or ignored, whatever is in them */
	{ "PMSI tunnel", EBGP, WIRE(0xc0, 22, 1, 9), ATTR_OK },
	{ "tunnel encapsulation", EBGP, WIRE(0xc0, 23, 3, 0, 1, 0xff), ATTR_OK },
	{ "IPv6 extended communities of 3", EBGP, WIRE(0xc0, 25, 3, 0, 2, 0), ATTR_OK },
	{ "AIGP", EBGP, WIRE(0x80, 26, 11, 1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 1), ATTR_OK },
	{ "ATTR_SET", EBGP, WIRE(0xc0, 128, 2, 0, 0), ATTR_OK },
	{ "unknown transitive", EBGP, WIRE(0xc0, 200, 2, 1, 2), ATTR_OK },
	{ "unknown not transitive", EBGP, WIRE(0x80, 200, 2, 1, 2), ATTR_OK },
	{ "unknown well-known", EBGP, WIRE(0x40, 200, 2, 1, 2), ATTR_RESET, 200, BGP_UPD_UNKNOWN_WELLKNOWN },
	{ "unknown twice", EBGP, WIRE(0xc0, 200, 1, 1, 0xc0, 200, 1, 2), ATTR_DISCARD, 200 },

	{ "twice", EBGP, WIRE(0x80, 4, 4, 0, 0, 0, 1, 0x80, 4, 4, 0, 0, 0, 2), ATTR_DISCARD, 4 },
	{ "second one malformed", EBGP, WIRE(0x80, 4, 4, 0, 0, 0, 1, 0x80, 4, 3, 0, 0, 2), ATTR_DISCARD, 4 },
	{ "value past the end", EBGP, WIRE(0x40, 1, 7, 0), ATTR_WITHDRAW, 1 },
	{ "header cut after the flags", EBGP, WIRE(0x40, 1, 1, 0, 0x40), ATTR_WITHDRAW, 0 },
	{ "header cut before the length", EBGP, WIRE(0x40, 1, 1, 0, 0x40, 2), ATTR_WITHDRAW, 2 },
	{ "extended length cut", EBGP, WIRE(0x50, 1, 0), ATTR_WITHDRAW, 1 },
	{ "the strongest wins", EBGP, WIRE(0x40, 6, 1, 0, 0x40, 1, 1, 9, 0x40, 200, 0), ATTR_RESET, 200,
	  BGP_UPD_UNKNOWN_WELLKNOWN },
	{ "the first of the strongest is told", EBGP, WIRE(0x40, 1, 1, 9, 0x80, 4, 1, 0), ATTR_WITHDRAW, 1 },
};

START_TEST(decode_verdict)
{
	struct codec_ctx c = ctx(cases[_i].session);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;
	enum verdict got = attrs_decode(rd_init(cases[_i].wire, cases[_i].len), &c, &a, &mp, &f);

	ck_assert_msg(got == cases[_i].want, "%s: %d", cases[_i].what, got);
	if (got == ATTR_OK)
		return;
	ck_assert_msg(f.verdict == got && f.type == cases[_i].type && f.what, "%s: %u", cases[_i].what,
	              f.type);
	ck_assert_msg(f.excerpt_len > 0 && f.why.code == BGP_ERR_UPDATE, "%s", cases[_i].what);
	if (got == ATTR_RESET)
		ck_assert_msg(f.why.subcode == cases[_i].subcode, "%s: %u", cases[_i].what, f.why.subcode);
}
END_TEST

/** A discarded attribute leaves nothing behind, the others stay. */
START_TEST(discard_leaves_no_trace)
{
	static const uint8_t wire[] = { 0x40, 1, 1, 2, 0xc0, 7, 8, 0, 0, 0, 0,
		                        1,    2, 3, 4, 0x40, 5, 4, 0, 0, 0, 9 };
	struct codec_ctx c = ctx(EBGP);
	struct attrs a, want = { .present = ATTR_BIT(BGP_ATTR_ORIGIN), .origin = 2 };
	struct mp_nlri mp;
	struct attr_fault f;

	ck_assert(attrs_decode(rd_init(wire, sizeof(wire)), &c, &a, &mp, &f) == ATTR_DISCARD);
	ck_assert(attrs_equal(&a, &want));
}
END_TEST

START_TEST(duplicate_keeps_the_first)
{
	static const uint8_t wire[] = { 0x80, 4, 4, 0, 0, 0, 1, 0x80, 4, 4, 0, 0, 0, 2 };
	struct codec_ctx c = ctx(EBGP);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;

	ck_assert(attrs_decode(rd_init(wire, sizeof(wire)), &c, &a, &mp, &f) == ATTR_DISCARD);
	ck_assert_uint_eq(a.med, 1);
}
END_TEST

START_TEST(unknown_are_kept_by_type_with_partial)
{
	static const uint8_t wire[] = { 0xc0, 200, 2, 1, 2, 0x80, 150, 1, 1, 0xd0, 99, 0, 1, 7 };
	static const uint8_t want[] = { 0xe0, 99, 0, 1, 7, 0xe0, 200, 0, 2, 1, 2 };
	struct codec_ctx c = ctx(EBGP);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;

	ck_assert(attrs_decode(rd_init(wire, sizeof(wire)), &c, &a, &mp, &f) == ATTR_OK);
	ck_assert_uint_eq(a.present, 0);
	ck_assert_uint_eq(a.unknown.len, sizeof(want));
	ck_assert_mem_eq(a.unknown.p, want, sizeof(want));
}
END_TEST

START_TEST(mp_next_hop_with_link_local)
{
	static const uint8_t wire[] = { 0x80, 14, 37, 0, 2, 1, 32, 0x20, 1, 0xd,  0xb8, 0, 0, 0,
		                        0,    0,  0,  0, 0, 0, 0,  0,    1, 0xfe, 0x80, 0, 0, 0,
		                        0,    0,  0,  0, 0, 0, 0,  0,    0, 0,    2,    0 };
	struct codec_ctx c = ctx(EBGP);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;
	char text[IP_STRLEN];

	ck_assert(attrs_decode(rd_init(wire, sizeof(wire)), &c, &a, &mp, &f) == ATTR_OK);
	ck_assert_str_eq(ip_print(&mp.next_hop, text), "2001:db8::1");
	ck_assert_str_eq(ip_print(&mp.next_hop_ll, text), "fe80::2");
	ck_assert(mp.reach_seen && !mp.unreach_seen && mp.others);
}
END_TEST

/** RFC 2545 leaves open how to say that there is no global address; each way means the same. */
static const struct {
	const char *what;
	uint8_t global; /* last byte of fe80::, when there is a link-local address beside it; 0: "::" */
	bool twice;
	enum verdict want;
} alone[] = {
	{ "once", 2, false, ATTR_OK },
	{ "twice", 2, true, ATTR_OK },
	{ "behind ::", 0, true, ATTR_OK },
	{ ":: and nothing else", 0, false, ATTR_WITHDRAW },
};

START_TEST(mp_next_hop_is_link_local_alone)
{
	const uint8_t n = alone[_i].twice ? 32 : 16;
	uint8_t wire[40] = { 0x80, 14, (uint8_t)(n + 5), 0, 2, 1, n };
	struct codec_ctx c = ctx(EBGP);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;
	char text[IP_STRLEN];

	if (alone[_i].global) {
		wire[7] = 0xfe;
		wire[8] = 0x80;
		wire[22] = alone[_i].global;
	}
	if (alone[_i].twice) {
		wire[23] = 0xfe;
		wire[24] = 0x80;
		wire[38] = 2;
	}
	ck_assert_msg(attrs_decode(rd_init(wire, n + 8u), &c, &a, &mp, &f) == alone[_i].want, "%s",
	              alone[_i].what);
	if (alone[_i].want != ATTR_OK)
		return;
	ck_assert_msg(strcmp(ip_print(&mp.next_hop, text), "fe80::2") == 0, "%s: %s", alone[_i].what, text);
	ck_assert(mp.next_hop_ll.family == IP_NONE);
}
END_TEST

/* ---- AS numbers that old speakers cannot see (RFC 6793 4.2.3) ---- */

static const struct {
	const char *what;
	uint8_t wire[64];
	size_t len;
	const char *path;
	uint32_t aggregator;
} merges[] = {
	{ "AS4_PATH as long as AS_PATH",
	  WIRE(0x40, 2, 6, 2, 2, 0x5b, 0xa0, 0x5b, 0xa0, 0xc0, 17, 10, 2, 2, 0, 1, 0, 0, 0, 1, 0, 1),
	  "65536 65537", 0 },
	{ "old speakers in front", WIRE(0x40, 2, 6, 2, 2, 0, 7, 0x5b, 0xa0, 0xc0, 17, 6, 2, 1, 0, 1, 0, 0),
	  "7 65536", 0 },
	{ "AS4_PATH longer: ignored",
	  WIRE(0x40, 2, 4, 2, 1, 0x5b, 0xa0, 0xc0, 17, 10, 2, 2, 0, 1, 0, 0, 0, 1, 0, 1), "23456", 0 },
	{ "aggregated by an old speaker: both ignored",
	  WIRE(0x40, 2, 4, 2, 1, 0x5b, 0xa0, 0xc0, 7, 6, 0, 9, 1, 2, 3, 4, 0xc0, 17, 6, 2, 1, 0, 1, 0, 0,
	       0xc0, 18, 8, 0, 1, 0, 0, 1, 2, 3, 4),
	  "23456", 9 },
	{ "aggregated by a new speaker",
	  WIRE(0x40, 2, 4, 2, 1, 0x5b, 0xa0, 0xc0, 7, 6, 0x5b, 0xa0, 1, 2, 3, 4, 0xc0, 17, 6, 2, 1, 0, 1, 0,
	       0, 0xc0, 18, 8, 0, 1, 0, 9, 1, 2, 3, 4),
	  "65536", 65545 },
	{ "AS4_AGGREGATOR alone means nothing",
	  WIRE(0x40, 2, 4, 2, 1, 0, 7, 0xc0, 18, 8, 0, 1, 0, 9, 1, 2, 3, 4), "7", 0 },
	{ "confederation in AS4_PATH is dropped",
	  WIRE(0x40, 2, 4, 2, 1, 0x5b, 0xa0, 0xc0, 17, 12, 3, 1, 0, 0, 0, 5, 2, 1, 0, 1, 0, 0), "65536", 0 },
};

START_TEST(merge_as4)
{
	struct codec_ctx c = ctx(OLD);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;
	char path[64];

	ck_assert(attrs_decode(rd_init(merges[_i].wire, merges[_i].len), &c, &a, &mp, &f) == ATTR_OK);
	aspath_print(a.as_path, path, sizeof(path));
	ck_assert_msg(!strcmp(path, merges[_i].path), "%s: %s", merges[_i].what, path);
	ck_assert_msg(a.aggregator_as == merges[_i].aggregator, "%s: %u", merges[_i].what, a.aggregator_as);
	ck_assert_msg(a.path_len == aspath_len(a.as_path), "%s", merges[_i].what);
}
END_TEST

/* ---- round trips ---- */

static const enum session sessions[] = { EBGP, IBGP, OLD };

START_TEST(what_is_encoded_is_decoded)
{
	struct codec_ctx c = ctx(sessions[_i]);
	static uint8_t buf[16384];
	struct gen g = { .state = 1 + (uint64_t)_i };

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = wr_init(buf, sizeof(buf));
		struct attrs a, b;
		struct mp_nlri mp;
		struct attr_fault f;

		gen_attrs(&g, c.ibgp, &a);
		attrs_encode(&w, &c, &a, true);
		ck_assert(!w.bad);
		ck_assert_msg(attrs_decode(rd_init(buf, (size_t)(w.p - buf)), &c, &b, &mp, &f) == ATTR_OK,
		              "round %u: %s of %u", i, f.what, f.type);
		ck_assert_msg(attrs_equal(&a, &b), "round %u", i);
		ck_assert(!mp.reach_seen && !mp.unreach_seen);
	}
}
END_TEST

START_TEST(types_ascend)
{
	struct codec_ctx c = ctx(OLD);
	static uint8_t buf[16384];
	struct gen g = { .state = 99 };

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = wr_init(buf, sizeof(buf));
		struct reader r;
		struct attrs a;
		int last = 0;

		gen_attrs(&g, false, &a);
		attrs_encode(&w, &c, &a, true);
		r = rd_init(buf, (size_t)(w.p - buf));
		while (rd_left(&r)) {
			uint8_t flags = rd_u8(&r), type = rd_u8(&r);

			ck_assert_msg(type > last, "%u after %d", type, last);
			last = type;
			rd_take(&r, flags & BGP_FLAG_EXTENDED ? rd_u16(&r) : rd_u8(&r));
		}
		ck_assert(!r.bad);
	}
}
END_TEST

/** A buffer of any size is never overrun (ASan watches) and never half a lie: short means bad. */
START_TEST(short_buffers_are_refused)
{
	struct codec_ctx c = ctx(IBGP);
	static uint8_t full[16384];
	struct gen g = { .state = 5 };
	struct attrs a;
	struct writer w = wr_init(full, sizeof(full));
	size_t need;

	do
		gen_attrs(&g, true, &a);
	while (!a.unknown.len || a.communities.len < 256);
	attrs_encode(&w, &c, &a, true);
	need = (size_t)(w.p - full);
	for (size_t n = 1; n < need; n++) {
		uint8_t *buf = malloc(n);

		w = wr_init(buf, n);
		attrs_encode(&w, &c, &a, true);
		ck_assert_msg(w.bad, "%zu of %zu", n, need);
		free(buf);
	}
}
END_TEST

START_TEST(external_peers_hear_no_internal_attributes)
{
	struct codec_ctx c = ctx(EBGP);
	uint8_t buf[64];
	struct writer w = wr_init(buf, sizeof(buf));
	static const uint8_t cluster[4] = { 1, 2, 3, 4 };
	struct attrs a = {
		.present = ATTR_BIT(BGP_ATTR_LOCAL_PREF) | ATTR_BIT(BGP_ATTR_ORIGINATOR_ID) |
		           ATTR_BIT(BGP_ATTR_CLUSTER_LIST),
		.local_pref = 100,
		.originator_id = 1,
		.cluster_list = { cluster, sizeof(cluster) },
	};

	attrs_encode(&w, &c, &a, true);
	ck_assert(!w.bad && w.p == buf);
}
END_TEST

START_TEST(scratch_too_small_withdraws)
{
	static const uint8_t path[] = { 0x40, 2, 6, 2, 2, 0, 7, 0, 8 }, unknown[] = { 0xc0, 99, 3, 1, 2, 3 };
	uint8_t small[6];
	struct codec_ctx c = ctx(OLD);
	struct attrs a;
	struct mp_nlri mp;
	struct attr_fault f;

	c.scratch = small;
	c.scratch_len = sizeof(small);
	ck_assert(attrs_decode(rd_init(path, sizeof(path)), &c, &a, &mp, &f) == ATTR_WITHDRAW);
	ck_assert(attrs_decode(rd_init(unknown, sizeof(unknown)), &c, &a, &mp, &f) == ATTR_WITHDRAW);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(attr_name(BGP_ATTR_MED), "MED");
	ck_assert_str_eq(attr_name(BGP_ATTR_MP_REACH), "MP_REACH_NLRI");
	ck_assert_ptr_null(attr_name(0));
	ck_assert_ptr_null(attr_name(255));
}
END_TEST

UNIT_MAIN("attr", UNIT_ROWS(decode_verdict, cases), UNIT(discard_leaves_no_trace),
          UNIT(duplicate_keeps_the_first), UNIT(unknown_are_kept_by_type_with_partial),
          UNIT(mp_next_hop_with_link_local), UNIT_ROWS(mp_next_hop_is_link_local_alone, alone),
          UNIT_ROWS(merge_as4, merges), UNIT_ROWS(what_is_encoded_is_decoded, sessions), UNIT(types_ascend),
          UNIT(short_buffers_are_refused), UNIT(external_peers_hear_no_internal_attributes),
          UNIT(scratch_too_small_withdraws), UNIT(names))
