/* SPDX-License-Identifier: BSD-2-Clause */
/* UPDATE: what it takes prefixes and attributes together to judge, and packing in every mode. */
#include "bgp/update.h"

#include "gen.h"
#include "unit/unit.h"

#define WIRE(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define BOTH      (FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6))

static uint8_t scratch[131072];

/* ---- whole messages ---- */

/* ORIGIN igp, AS_PATH 65001, NEXT_HOP 192.0.2.1: 20 bytes */
#define ORIGIN    0x40, 1, 1, 0
#define AS_PATH   0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9
#define NEXT_HOP  0x40, 3, 4, 192, 0, 2, 1
#define MANDATORY ORIGIN, AS_PATH, NEXT_HOP
#define MP_V4     0x80, 14, 11, 0, 1, 1, 4, 192, 0, 2, 2, 0, 8, 10 /* 14 bytes */

static const struct {
	const char *what;
	bool ibgp;
	uint32_t families;
	uint8_t wire[64];
	size_t len;
	enum verdict want;
	uint8_t type, subcode;
	bool eor;
	unsigned withdrawn, reach, mp_reach; /* prefixes */
} bodies[] = {
	{ "end-of-RIB ipv4", false, BOTH, WIRE(0, 0, 0, 0), .eor = true },
	{ "end-of-RIB ipv6", false, BOTH, WIRE(0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1), .eor = true },
	{ "empty MP_UNREACH and others", false, BOTH, WIRE(0, 0, 0, 10, 0x80, 15, 3, 0, 2, 1, ORIGIN) },
	{ "end-of-RIB of a family not negotiated", false, FAM_BIT(FAM_IPV4),
	  WIRE(0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1), ATTR_DISCARD, 15 },
	{ "empty, without IPv4", false, FAM_BIT(FAM_IPV6), WIRE(0, 0, 0, 0) },
	{ "withdraw", false, BOTH, WIRE(0, 2, 8, 10, 0, 0), .withdrawn = 1 },
	{ "reach", false, BOTH, WIRE(0, 0, 0, 20, MANDATORY, 8, 10, 8, 11), .reach = 2 },
	{ "withdraw and reach", false, BOTH, WIRE(0, 2, 8, 10, 0, 20, MANDATORY, 8, 11), .withdrawn = 1,
	  .reach = 1 },
	{ "reach by MP_REACH, no NEXT_HOP", false, BOTH, WIRE(0, 0, 0, 27, MP_V4, ORIGIN, AS_PATH),
	  .mp_reach = 1 },
	{ "attributes without prefixes", false, BOTH, WIRE(0, 0, 0, 4, ORIGIN) },

	{ "too short", false, BOTH, WIRE(0, 0, 0), ATTR_RESET, 0, BGP_UPD_MALFORMED_ATTRS },
	{ "withdrawn length past the end", false, BOTH, WIRE(0, 9, 8, 10, 0, 0), ATTR_RESET, 0,
	  BGP_UPD_MALFORMED_ATTRS },
	{ "attribute length past the end", false, BOTH, WIRE(0, 0, 0, 21, MANDATORY), ATTR_RESET, 0,
	  BGP_UPD_MALFORMED_ATTRS },
	{ "bad withdrawn prefix", false, BOTH, WIRE(0, 2, 33, 10, 0, 0), ATTR_RESET, 0, BGP_UPD_BAD_NETWORK },
	{ "withdrawn prefix cut", false, BOTH, WIRE(0, 2, 16, 10, 0, 0), ATTR_RESET, 0, BGP_UPD_BAD_NETWORK },
	{ "bad prefix", false, BOTH, WIRE(0, 0, 0, 20, MANDATORY, 33, 10), ATTR_RESET, 0,
	  BGP_UPD_BAD_NETWORK },
	{ "prefix cut", false, BOTH, WIRE(0, 0, 0, 20, MANDATORY, 24, 10), ATTR_RESET, 0,
	  BGP_UPD_BAD_NETWORK },

	{ "no ORIGIN", false, BOTH, WIRE(0, 0, 0, 16, AS_PATH, NEXT_HOP, 8, 10), ATTR_WITHDRAW, 1,
	  .reach = 1 },
	{ "no AS_PATH", false, BOTH, WIRE(0, 0, 0, 11, ORIGIN, NEXT_HOP, 8, 10), ATTR_WITHDRAW, 2,
	  .reach = 1 },
	{ "no NEXT_HOP", false, BOTH, WIRE(0, 0, 0, 13, ORIGIN, AS_PATH, 8, 10), ATTR_WITHDRAW, 3,
	  .reach = 1 },
	{ "no attributes at all", false, BOTH, WIRE(0, 0, 0, 0, 8, 10), ATTR_WITHDRAW, 1, .reach = 1 },
	{ "no LOCAL_PREF inside", true, BOTH, WIRE(0, 0, 0, 20, MANDATORY, 8, 10), ATTR_WITHDRAW, 5,
	  .reach = 1 },
	{ "LOCAL_PREF inside", true, BOTH, WIRE(0, 0, 0, 27, MANDATORY, 0x40, 5, 4, 0, 0, 0, 1, 8, 10),
	  .reach = 1 },
	{ "MP_REACH without ORIGIN", false, BOTH, WIRE(0, 0, 0, 23, MP_V4, AS_PATH), ATTR_WITHDRAW, 1,
	  .mp_reach = 1 },
	{ "bad MED, prefixes shown", false, BOTH, WIRE(0, 0, 0, 24, MANDATORY, 0x80, 4, 1, 0, 8, 10),
	  ATTR_WITHDRAW, 4, .reach = 1 },
	{ "last attribute overruns, prefixes shown", false, BOTH,
	  WIRE(0, 0, 0, 24, MANDATORY, 0x80, 4, 4, 0, 8, 10), ATTR_WITHDRAW, 4, .reach = 1 },
	{ "discard", false, BOTH, WIRE(0, 0, 0, 24, MANDATORY, 0x40, 6, 1, 0, 8, 10), ATTR_DISCARD, 6,
	  .reach = 1 },

	{ "bad MED, no prefix shown", false, BOTH, WIRE(0, 0, 0, 24, MANDATORY, 0x80, 4, 1, 0), ATTR_RESET, 4,
	  BGP_UPD_ATTR_LENGTH },
	{ "bad MED beside MP_UNREACH", false, BOTH,
	  WIRE(0, 0, 0, 12, 0x80, 15, 5, 0, 1, 1, 8, 10, 0x80, 4, 1, 0), ATTR_RESET, 4, BGP_UPD_ATTR_LENGTH },
	{ "MP_UNREACH alone, wrong flags", false, BOTH, WIRE(0, 0, 0, 8, 0xc0, 15, 5, 0, 1, 1, 8, 10),
	  ATTR_WITHDRAW, 15 },
	{ "discard, no prefix shown", false, BOTH, WIRE(0, 0, 0, 4, 0x40, 6, 1, 0), ATTR_DISCARD, 6 },
	{ "MP_REACH twice", false, BOTH, WIRE(0, 0, 0, 28, MP_V4, MP_V4), ATTR_RESET, 14,
	  BGP_UPD_MALFORMED_ATTRS },
	{ "IPv4 fields without IPv4", false, FAM_BIT(FAM_IPV6), WIRE(0, 2, 8, 10, 0, 20, MANDATORY, 8, 11),
	  ATTR_DISCARD, 0 },
};

static unsigned count(struct nlri_run run)
{
	unsigned n = 0;
	struct nlri x;

	while (nlri_next(&run, &x))
		n++;
	return n;
}

START_TEST(decode_verdict)
{
	struct codec_ctx c = {
		.as4 = true,
		.ibgp = bodies[_i].ibgp,
		.families = bodies[_i].families,
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
	};
	const char *what = bodies[_i].what;
	struct update u;
	bool ok = update_decode(rd_init(bodies[_i].wire, bodies[_i].len), &c, &u);

	ck_assert_msg(u.fault.verdict == bodies[_i].want, "%s: %d", what, u.fault.verdict);
	ck_assert_msg(ok == (bodies[_i].want != ATTR_RESET), "%s", what);
	if (u.fault.verdict != ATTR_OK)
		ck_assert_msg(u.fault.type == bodies[_i].type && u.fault.what, "%s: %u", what, u.fault.type);
	if (!ok) {
		ck_assert_msg(u.fault.why.code == BGP_ERR_UPDATE, "%s", what);
		ck_assert_msg(u.fault.why.subcode == bodies[_i].subcode, "%s: %u", what, u.fault.why.subcode);
		return;
	}
	ck_assert_msg(u.treat_as_withdraw == (bodies[_i].want == ATTR_WITHDRAW), "%s", what);
	ck_assert_msg(u.eor == bodies[_i].eor, "%s", what);
	ck_assert_msg(count(u.withdrawn) == bodies[_i].withdrawn, "%s", what);
	ck_assert_msg(count(u.reach) == bodies[_i].reach, "%s", what);
	ck_assert_msg(count(u.mp_reach) == bodies[_i].mp_reach, "%s", what);
}
END_TEST

/* ---- packing ---- */

enum next_hop { NH_V4, NH_V6, NH_V6_LL };

static const struct mode {
	const char *what;
	enum family family;
	enum next_hop next_hop;
	bool withdraw, add_path, as4, ibgp;
	size_t max;
} modes[] = {
	{ "ipv4", FAM_IPV4, NH_V4, false, false, true, false, BGP_MAX_LEN },
	{ "ipv4 inside", FAM_IPV4, NH_V4, false, false, true, true, BGP_MAX_LEN },
	{ "ipv4, old speaker", FAM_IPV4, NH_V4, false, false, false, false, BGP_MAX_LEN },
	{ "ipv4, add-path", FAM_IPV4, NH_V4, false, true, true, true, BGP_MAX_LEN },
	{ "ipv4, extended message", FAM_IPV4, NH_V4, false, false, true, false, BGP_MAX_LEN_EXT },
	{ "ipv4 by IPv6", FAM_IPV4, NH_V6, false, false, true, false, BGP_MAX_LEN },
	{ "ipv4 by IPv6, add-path", FAM_IPV4, NH_V6_LL, false, true, true, true, BGP_MAX_LEN },
	{ "ipv6", FAM_IPV6, NH_V6, false, false, true, false, BGP_MAX_LEN },
	{ "ipv6 with link-local", FAM_IPV6, NH_V6_LL, false, false, true, true, BGP_MAX_LEN },
	{ "ipv6, add-path, old speaker", FAM_IPV6, NH_V6, false, true, false, true, BGP_MAX_LEN },
	{ "ipv6, extended message", FAM_IPV6, NH_V6_LL, false, false, true, false, BGP_MAX_LEN_EXT },
	{ "ipv4 withdraw", FAM_IPV4, NH_V4, true, false, true, false, BGP_MAX_LEN },
	{ "ipv4 withdraw, add-path", FAM_IPV4, NH_V4, true, true, true, false, BGP_MAX_LEN },
	{ "ipv4 withdraw, extended message", FAM_IPV4, NH_V4, true, false, true, false, BGP_MAX_LEN_EXT },
	{ "ipv6 withdraw", FAM_IPV6, NH_V6, true, false, true, false, BGP_MAX_LEN },
	{ "ipv6 withdraw, add-path", FAM_IPV6, NH_V6, true, true, true, false, BGP_MAX_LEN_EXT },
};

#define PREFIXES 3000

static uint8_t message[BGP_MAX_LEN_EXT];
static struct nlri sent[PREFIXES];

static struct codec_ctx mode_ctx(const struct mode *m)
{
	return (struct codec_ctx){
		.as4 = m->as4,
		.ibgp = m->ibgp,
		.families = BOTH,
		.add_path = { m->add_path, m->add_path },
		.ext_next_hop = FAM_BIT(FAM_IPV4),
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
	};
}

/** A random set that fits a message, with the mode's kind of next hop. */
static void mode_attrs(struct gen *g, const struct mode *m, struct attrs *a)
{
	struct codec_ctx c = mode_ctx(m);
	struct writer w;

	do {
		gen_attrs(g, m->ibgp, a);
		w = wr_init(message, 3900);
		attrs_encode(&w, &c, a, true);
	} while (w.bad);
	if (m->next_hop != NH_V4)
		a->next_hop = gen_v6(g, 0x20, 0x01);
	if (m->next_hop == NH_V6_LL)
		a->next_hop_ll = gen_v6(g, 0xfe, 0x80);
}

/** The run that @m's prefixes arrive in, and the attributes as the table will know them. */
static struct nlri_run arrived(const struct mode *m, const struct update *u, struct attrs *a)
{
	bool mp = m->family != FAM_IPV4 || m->next_hop != NH_V4;

	*a = u->attrs;
	if (mp) {
		a->next_hop = u->mp_next_hop;
		a->next_hop_ll = u->mp_next_hop_ll;
		a->present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
	}
	if (m->withdraw)
		return mp ? u->mp_withdrawn : u->withdrawn;
	return mp ? u->mp_reach : u->reach;
}

/** Check one message of @len bytes against sent[from...]. @return how many of them it held. */
static unsigned check_message(const struct mode *m, size_t len, const struct attrs *want, unsigned from)
{
	struct codec_ctx c = mode_ctx(m);
	struct reader r = rd_init(message, len);
	struct update u;
	struct frame f;
	struct notify why;
	struct nlri_run run;
	struct attrs got;
	struct nlri n;
	unsigned i = from;

	ck_assert_msg(frame_next(&r, m->max, &f, &why) == FRAME_OK && rd_left(&r) == 0, "%s", m->what);
	ck_assert_msg(f.type == BGP_MSG_UPDATE, "%s", m->what);
	ck_assert_msg(update_decode(f.body, &c, &u) && u.fault.verdict == ATTR_OK, "%s: %s", m->what,
	              u.fault.what);
	run = arrived(m, &u, &got);
	while (nlri_next(&run, &n)) {
		ck_assert_msg(i < PREFIXES && prefix_equal(&n.prefix, &sent[i].prefix) &&
		                      n.path_id == sent[i].path_id,
		              "%s: prefix %u", m->what, i);
		i++;
	}
	if (!m->withdraw)
		ck_assert_msg(attrs_equal(&got, want), "%s", m->what);
	return i - from;
}

START_TEST(what_is_packed_is_decoded)
{
	const struct mode *m = &modes[_i];
	struct codec_ctx c = mode_ctx(m);
	struct gen g = { .state = 42 };

	for (unsigned round = 0; round < 20; round++) {
		struct attrs a;

		mode_attrs(&g, m, &a);
		for (unsigned i = 0; i < PREFIXES; i++)
			sent[i] = (struct nlri){ gen_prefix(&g, m->family), m->add_path ? gen_u32(&g) : 0 };
		for (unsigned i = 0; i < PREFIXES;) {
			struct update_packer p;
			unsigned packed = i;
			size_t len;

			ck_assert_msg(update_pack_begin(&p, message, m->max, &c, m->family,
			                                m->withdraw ? NULL : &a),
			              "%s", m->what);
			while (packed < PREFIXES &&
			       update_pack_add(&p, &sent[packed].prefix, sent[packed].path_id))
				packed++;
			len = update_pack_end(&p);
			ck_assert_msg(len > 0 && len <= m->max, "%s: %zu", m->what, len);
			ck_assert_msg(packed == PREFIXES || len + 21 > m->max, "%s: %zu is not full", m->what,
			              len);
			ck_assert_msg(check_message(m, len, &a, i) == packed - i, "%s", m->what);
			i = packed;
		}
	}
}
END_TEST

START_TEST(nothing_packed_is_nothing)
{
	struct codec_ctx c = mode_ctx(&modes[0]);
	struct update_packer p;

	ck_assert(update_pack_begin(&p, message, BGP_MAX_LEN, &c, FAM_IPV4, NULL));
	ck_assert_uint_eq(update_pack_end(&p), 0);
}
END_TEST

START_TEST(attributes_that_do_not_fit_are_refused)
{
	static const uint8_t communities[BGP_MAX_LEN];
	const struct mode *m = &modes[_i];
	struct codec_ctx c = mode_ctx(m);
	struct gen g = { .state = 8 };
	struct update_packer p;
	struct attrs a;

	if (m->withdraw)
		return;
	mode_attrs(&g, m, &a);
	a.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
	a.communities = (struct blob){ communities, sizeof(communities) };
	ck_assert_msg(!update_pack_begin(&p, message, BGP_MAX_LEN, &c, m->family, &a), "%s", m->what);
	ck_assert_msg(update_pack_begin(&p, message, BGP_MAX_LEN_EXT, &c, m->family, &a), "%s", m->what);
}
END_TEST

START_TEST(next_hops_the_session_cannot_carry_are_refused)
{
	struct codec_ctx c = mode_ctx(&modes[0]);
	struct gen g = { .state = 8 };
	struct update_packer p;
	struct attrs a;

	gen_attrs(&g, false, &a);
	ck_assert(!update_pack_begin(&p, message, BGP_MAX_LEN, &c, FAM_IPV6, &a));
	a.next_hop = gen_v6(&g, 0x20, 1);
	ck_assert(update_pack_begin(&p, message, BGP_MAX_LEN, &c, FAM_IPV4, &a));
	c.ext_next_hop = 0;
	ck_assert(!update_pack_begin(&p, message, BGP_MAX_LEN, &c, FAM_IPV4, &a));
	a.next_hop = (struct ip){ 0 };
	ck_assert(!update_pack_begin(&p, message, BGP_MAX_LEN, &c, FAM_IPV4, &a));
}
END_TEST

/** RFC 7606 5.1 */
START_TEST(mp_attributes_go_first)
{
	const struct mode *m = &modes[7];
	struct codec_ctx c = mode_ctx(m);
	struct gen g = { .state = 8 };
	struct prefix prefix = gen_prefix(&g, FAM_IPV6);
	struct update_packer p;
	struct attrs a;

	mode_attrs(&g, m, &a);
	ck_assert(update_pack_begin(&p, message, m->max, &c, m->family, &a));
	ck_assert(update_pack_add(&p, &prefix, 0));
	ck_assert_uint_gt(update_pack_end(&p), 0);
	ck_assert_uint_eq(message[BGP_HEADER_LEN + 4 + 1], BGP_ATTR_MP_REACH);
}
END_TEST

START_TEST(end_of_rib)
{
	for (enum family f = 0; f < FAM_COUNT; f++) {
		struct codec_ctx c = mode_ctx(&modes[0]);
		struct writer w = wr_init(message, sizeof(message));
		struct reader r;
		struct frame frame;
		struct notify why;
		struct update u;

		update_encode_eor(&w, f);
		ck_assert(!w.bad);
		r = rd_init(message, (size_t)(w.p - message));
		ck_assert(frame_next(&r, BGP_MAX_LEN, &frame, &why) == FRAME_OK);
		ck_assert(update_decode(frame.body, &c, &u) && u.fault.verdict == ATTR_OK);
		ck_assert_msg(u.eor && u.eor_family == f, "%s", family_name(f));
		w = wr_init(message, 22);
		update_encode_eor(&w, f);
		ck_assert(w.bad);
	}
}
END_TEST

UNIT_MAIN("update", UNIT_ROWS(decode_verdict, bodies), UNIT_ROWS(what_is_packed_is_decoded, modes),
          UNIT(nothing_packed_is_nothing), UNIT_ROWS(attributes_that_do_not_fit_are_refused, modes),
          UNIT(next_hops_the_session_cannot_carry_are_refused), UNIT(mp_attributes_go_first),
          UNIT(end_of_rib))
