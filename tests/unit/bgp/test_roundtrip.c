/* SPDX-License-Identifier: BSD-2-Clause */
/* test_roundtrip.c - decode(encode(x)) = x for the messages whose own files try chosen values only, and for
 * attributes at their limits: values are random, from seeds that a failure names by its row. */
#include <stddef.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "bgp/refresh.h"
#include "bgp/update.h"
#include "gen.h"
#include "unit/unit.h"

#define ROUNDS 2000
static const uint64_t seeds[] = { 1, 20261121, UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd1b54a32d192ed03) };

/** The only message in @buf[@len]. */
static struct frame only_frame(const uint8_t *buf, size_t len)
{
	struct reader r = rd_init(buf, len);
	struct frame f = { 0 };
	struct notify why;

	ck_assert_int_eq(frame_next(&r, BGP_MAX_LEN_EXT, &f, &why), FRAME_OK);
	ck_assert_uint_eq(rd_left(&r), 0);
	return f;
}

/* ---- OPEN ---- */

static uint32_t gen_families(struct gen *g)
{
	return gen_below(g, 1u << FAM_COUNT);
}

static void gen_text(struct gen *g, char *out, size_t size)
{
	size_t n = gen_below(g, (uint32_t)size);

	for (size_t i = 0; i < n; i++)
		out[i] = (char)('!' + gen_below(g, '~' - '!' + 1));
	out[n] = '\0';
}

static void gen_restart(struct gen *g, struct caps *c)
{
	c->graceful_restart = true;
	c->gr_restarting = gen_below(g, 2);
	c->gr_notification = gen_below(g, 2);
	c->gr_time = (uint16_t)gen_below(g, 4096);
	c->gr_families = gen_families(g);
	c->gr_forwarding = c->gr_families & gen_families(g);
	if (gen_below(g, 2))
		return;
	c->llgr = true; /* only with graceful restart (RFC 9494 3.1) */
	c->llgr_families = gen_families(g);
	c->llgr_forwarding = c->llgr_families & gen_families(g);
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (c->llgr_families & FAM_BIT(f))
			c->llgr_time[f] = gen_below(g, 1u << 24);
}

/** What a speaker may say, and mean: AS numbers of four bytes need their capability, no family but IPv4 goes
 * without being named. */
static struct open gen_open(struct gen *g)
{
	struct open o = { .version = BGP_VERSION, .hold_time = (uint16_t)gen_u32(g), .id = gen_u32(g) };
	struct caps *c = &o.caps;

	c->as4 = gen_below(g, 2);
	o.as = c->as4 ? gen_as(g) : 1 + gen_below(g, UINT16_MAX);
	c->multiprotocol = gen_below(g, 4);
	c->families = c->multiprotocol ? 1 + gen_below(g, 3) : FAM_BIT(FAM_IPV4);
	c->route_refresh = gen_below(g, 2);
	c->enhanced_refresh = gen_below(g, 2);
	c->ext_message = gen_below(g, 2);
	c->ext_next_hop = gen_families(g);
	for (enum family f = 0; f < FAM_COUNT; f++)
		c->add_path[f] = (uint8_t)gen_below(g, ADD_PATH_BOTH + 1);
	if (gen_below(g, 2))
		gen_restart(g, c);
	c->role_set = gen_below(g, 2);
	c->role = c->role_set ? (uint8_t)gen_below(g, BGP_ROLE_PEER + 1) : 0;
	gen_text(g, c->fqdn, sizeof(c->fqdn));
	gen_text(g, c->software, sizeof(c->software));
	return o;
}

static void check_caps(const struct caps *a, const struct caps *b, unsigned round)
{
#define SAME(field) ck_assert_msg(a->field == b->field, "round %u: " #field, round)
	SAME(families);
	SAME(route_refresh);
	SAME(enhanced_refresh);
	SAME(as4);
	SAME(ext_message);
	SAME(ext_next_hop);
	SAME(graceful_restart);
	SAME(gr_restarting);
	SAME(gr_notification);
	SAME(gr_time);
	SAME(gr_families);
	SAME(gr_forwarding);
	SAME(llgr);
	SAME(llgr_families);
	SAME(llgr_forwarding);
	SAME(role_set);
	SAME(role);
	for (enum family f = 0; f < FAM_COUNT; f++) {
		SAME(add_path[f]);
		SAME(llgr_time[f]);
	}
#undef SAME
	ck_assert_str_eq(a->fqdn, b->fqdn);
	ck_assert_str_eq(a->software, b->software);
}

START_TEST(open_comes_back)
{
	struct gen g = { .state = seeds[_i] };
	uint8_t buf[BGP_MAX_LEN];

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = wr_init(buf, sizeof(buf));
		struct open a = gen_open(&g), b;
		struct notify why;
		struct frame f;

		open_encode(&w, &a);
		ck_assert(!w.bad);
		f = only_frame(buf, (size_t)(w.p - buf));
		ck_assert_uint_eq(f.type, BGP_MSG_OPEN);
		ck_assert_msg(open_decode(f.body, &b, &why), "round %u: %u/%u", i, why.code, why.subcode);
		ck_assert_uint_eq(a.version, b.version);
		ck_assert_uint_eq(a.as, b.as);
		ck_assert_uint_eq(a.hold_time, b.hold_time);
		ck_assert_uint_eq(a.id, b.id);
		check_caps(&a.caps, &b.caps, i);
	}
}
END_TEST

/* ---- NOTIFICATION ---- */

START_TEST(notification_comes_back)
{
	struct gen g = { .state = seeds[_i] };
	uint8_t buf[BGP_MAX_LEN], data[NOTIFY_DATA_MAX];

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = wr_init(buf, sizeof(buf));
		size_t n = gen_below(&g, sizeof(data) + 1);
		struct notify a, b;
		struct frame f;

		for (size_t k = 0; k < n; k++)
			data[k] = (uint8_t)gen_u32(&g);
		notify_set(&a, (uint8_t)(1 + gen_below(&g, 255)), (uint8_t)gen_u32(&g), data, n);
		notify_encode(&w, &a);
		f = only_frame(buf, (size_t)(w.p - buf));
		ck_assert_uint_eq(f.type, BGP_MSG_NOTIFICATION);
		ck_assert(notify_decode(f.body, &b));
		ck_assert_msg(a.code == b.code && a.subcode == b.subcode && a.data_len == b.data_len &&
		                      memcmp(a.data, b.data, a.data_len) == 0,
		              "round %u: %u/%u with %u bytes", i, a.code, a.subcode, a.data_len);
	}
}
END_TEST

/** One character of a random length, as UTF-8. @return its bytes. */
static size_t gen_character(struct gen *g, char *out)
{
	static const struct {
		uint32_t first, n;
	} ranges[] = { { ' ', 95 }, { 0xa1, 0x700 }, { 0x3000, 0x5000 }, { 0x1f300, 0x200 } };
	unsigned size = 1 + gen_below(g, 4);
	uint32_t ch = ranges[size - 1].first + gen_below(g, ranges[size - 1].n);

	if (size == 1) {
		out[0] = (char)ch;
		return 1;
	}
	for (unsigned i = size; i-- > 1; ch >>= 6)
		out[i] = (char)(0x80 | (ch & 0x3f));
	out[0] = (char)((uint8_t)(0xf0u << (4 - size)) | ch);
	return size;
}

/** A text that fits comes back as it was, one that does not as its beginning, in whole characters; also out
 * of a Hard Reset. */
START_TEST(shutdown_communication_comes_back)
{
	struct gen g = { .state = seeds[_i] };

	for (unsigned i = 0; i < ROUNDS; i++) {
		char text[400], back[NOTIFY_DATA_MAX];
		size_t n = 0, want = gen_below(&g, 300);
		struct notify a, before;

		while (n < want)
			n += gen_character(&g, text + n);
		text[n] = '\0';
		notify_set_shutdown(&a, gen_below(&g, 2) ? BGP_CEASE_ADMIN_SHUTDOWN : BGP_CEASE_ADMIN_RESET,
		                    text);
		before = a;
		if (gen_below(&g, 2) && notify_harden(&a)) {
			ck_assert_uint_eq(a.subcode, BGP_CEASE_HARD_RESET);
			ck_assert(notify_soften(&a));
		}
		ck_assert_msg(a.subcode == before.subcode && a.data_len == before.data_len &&
		                      memcmp(a.data, before.data, a.data_len) == 0,
		              "round %u", i);
		notify_shutdown_text(&a, back, sizeof(back));
		ck_assert_msg(strncmp(text, back, strlen(back)) == 0, "round %u: %s", i, back);
		ck_assert_msg(strlen(back) == n || (n > 255 && strlen(back) > 251), "round %u: %zu of %zu", i,
		              strlen(back), n);
	}
}
END_TEST

/* ---- ROUTE-REFRESH, KEEPALIVE, and the stream ---- */

START_TEST(refresh_comes_back)
{
	uint8_t buf[64];

	for (enum family f = 0; f < FAM_COUNT; f++) {
		for (unsigned subtype = 0; subtype <= UINT8_MAX; subtype++) {
			struct writer w = wr_init(buf, sizeof(buf));
			struct refresh r;
			struct notify why;

			refresh_encode(&w, f, (uint8_t)subtype);
			ck_assert(refresh_decode(only_frame(buf, (size_t)(w.p - buf)).body, &r, &why));
			ck_assert(r.family == f && r.subtype == subtype);
		}
	}
}
END_TEST

/** Messages of all types one behind the other, whose bytes come in pieces of any size. */
START_TEST(stream_is_cut_where_it_was_joined)
{
	static uint8_t stream[1 << 20];
	struct gen g = { .state = seeds[_i] };
	struct writer w = wr_init(stream, sizeof(stream));
	struct {
		size_t at;
		uint8_t type;
	} sent[600];
	size_t have = 0, begin = 0;
	unsigned n = 0, got = 0;

	while (n < 600 && wr_room(&w) > BGP_MAX_LEN_EXT) {
		uint8_t *msg;
		unsigned body;

		sent[n].type = (uint8_t)(BGP_MSG_OPEN + gen_below(&g, 5));
		body = sent[n].type == BGP_MSG_KEEPALIVE ? 0
		       : sent[n].type == BGP_MSG_OPEN    ? 10 + gen_below(&g, 200)
		       : gen_below(&g, 50)               ? 4 + gen_below(&g, 60)
		                                         : 4 + gen_below(&g, 4000);
		msg = frame_begin(&w, sent[n].type);
		for (; body; body--)
			wr_u8(&w, (uint8_t)gen_u32(&g));
		frame_end(&w, msg);
		sent[n++].at = (size_t)(w.p - stream);
	}
	while (got < n) {
		struct reader r = rd_init(stream + begin, have - begin);
		struct frame f;
		struct notify why;

		if (frame_next(&r, BGP_MAX_LEN_EXT, &f, &why) != FRAME_OK) {
			ck_assert_uint_lt(have, sent[n - 1].at);
			have += 1 + gen_below(&g, 200);
			have = have < sent[n - 1].at ? have : sent[n - 1].at;
			continue;
		}
		begin = (size_t)(r.p - stream);
		ck_assert_msg(f.type == sent[got].type && begin == sent[got].at, "message %u", got);
		got++;
	}
	ck_assert_uint_eq(begin, (size_t)(w.p - stream));
}
END_TEST

/* ---- attributes at their limits ---- */

static const struct {
	unsigned type;
	size_t unit, field;
} lists[] = {
	{ BGP_ATTR_COMMUNITIES, 4, offsetof(struct attrs, communities) },
	{ BGP_ATTR_EXT_COMMUNITIES, 8, offsetof(struct attrs, ext_communities) },
	{ BGP_ATTR_LARGE_COMMUNITIES, 12, offsetof(struct attrs, large_communities) },
	{ BGP_ATTR_CLUSTER_LIST, 4, offsetof(struct attrs, cluster_list) },
};

/** The longest list that fits a message of any size, in a message of that size: one word more and it does
 * not.
 */
START_TEST(longest_lists_come_back)
{
	static uint8_t bytes[BGP_MAX_LEN_EXT], msg[BGP_MAX_LEN_EXT], scratch[131072];
	struct gen g = { .state = seeds[0] };
	const struct codec_ctx c = { .as4 = true,
		                     .ibgp = true,
		                     .families = FAM_BIT(FAM_IPV4),
		                     .scratch = scratch,
		                     .scratch_len = sizeof(scratch) };

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)gen_u32(&g);
	for (unsigned max = BGP_MAX_LEN; max <= BGP_MAX_LEN_EXT; max += BGP_MAX_LEN_EXT - BGP_MAX_LEN) {
		bool fitted = true;

		for (size_t n = lists[_i].unit; fitted && n < sizeof(bytes); n += lists[_i].unit) {
			struct attrs a = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
				                      ATTR_BIT(BGP_ATTR_NEXT_HOP) |
				                      ATTR_BIT(BGP_ATTR_LOCAL_PREF) |
				                      ATTR_BIT(lists[_i].type),
				           .local_pref = 7,
				           .next_hop = gen_v4(&g) };
			struct blob list = { bytes, (uint32_t)n };
			struct prefix p = gen_prefix(&g, FAM_IPV4);
			struct update_packer pack;
			struct update u;
			size_t len;

			memcpy((uint8_t *)&a + lists[_i].field, &list, sizeof(list));
			fitted = update_pack_begin(&pack, msg, max, &c, FAM_IPV4, &a) &&
			         update_pack_add(&pack, &p, 0);
			if (!fitted) {
				ck_assert_uint_gt(n + 80, max);
				continue;
			}
			len = update_pack_end(&pack);
			ck_assert_uint_le(len, max);
			if (n > 600 && n + 600 < max)
				continue; /* the short ones, and those around the limit */
			ck_assert(update_decode(only_frame(msg, len).body, &c, &u));
			ck_assert_int_eq(u.fault.verdict, ATTR_OK);
			ck_assert_msg(attrs_equal(&a, &u.attrs), "%zu bytes in %u", n, max);
		}
		ck_assert_msg(!fitted, "nothing is too long for %u", max);
	}
}
END_TEST

/** RFC 6793: a new speaker behind an old one has the path that was sent, whatever numbers are in it. */
START_TEST(path_comes_back_through_an_old_speaker)
{
	struct gen g = { .state = seeds[_i] };
	static uint8_t two[GEN_BYTES], wide[GEN_BYTES], merged[GEN_BYTES];

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = wr_init(two, sizeof(two)), widened = wr_init(wide, sizeof(wide));
		struct blob path, old, back;

		g.w = wr_init(g.bytes, sizeof(g.bytes));
		path = gen_as_path(&g);
		aspath_narrow(path, &w);
		ck_assert(!w.bad && aspath_check(rd_init(two, (size_t)(w.p - two)), 2));
		aspath_widen(rd_init(two, (size_t)(w.p - two)), &widened);
		old = (struct blob){ wide, (uint32_t)(widened.p - wide) };
		ck_assert_uint_eq(aspath_len(old), aspath_len(path));
		w = wr_init(merged, sizeof(merged));
		aspath_merge(old, path, &w);
		back = (struct blob){ merged, (uint32_t)(w.p - merged) };
		ck_assert_msg(back.len == path.len && memcmp(back.p, path.p, path.len) == 0, "round %u", i);
	}
}
END_TEST

UNIT_MAIN("roundtrip", UNIT_ROWS(open_comes_back, seeds), UNIT_ROWS(notification_comes_back, seeds),
          UNIT_ROWS(shutdown_communication_comes_back, seeds), UNIT(refresh_comes_back),
          UNIT_ROWS(stream_is_cut_where_it_was_joined, seeds), UNIT_ROWS(longest_lists_come_back, lists),
          UNIT_ROWS(path_comes_back_through_an_old_speaker, seeds))
