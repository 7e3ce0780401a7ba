/* SPDX-License-Identifier: BSD-2-Clause */
/* OPEN: what is refused and with which code, what is read, what two of them agree on. */
#include "bgp/open.h"

#include "bgp/frame.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#define WIRE(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define BOTH      (FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6))
#define NONE      0xff /* subcode: nothing wrong */

/* version, AS 65001, hold time 90, id 1.2.3.4 */
#define HEAD 4, 0xfd, 0xe9, 0, 90, 1, 2, 3, 4

/* ---- decoding ---- */

static const struct {
	const char *what;
	uint8_t wire[48];
	size_t len;
	uint8_t subcode;
} bodies[] = {
	{ "no parameters", WIRE(HEAD, 0), NONE },
	{ "empty", { 0 }, 0, 0 },
	{ "cut in the id", WIRE(4, 0xfd, 0xe9, 0, 90, 1, 2), 0 },
	{ "no parameter length", WIRE(HEAD), 0 },
	{ "version 3", WIRE(3, 0xfd, 0xe9, 0, 90, 1, 2, 3, 4, 0), BGP_OPEN_BAD_VERSION },
	{ "parameters past the end", WIRE(HEAD, 4, 2, 2, 2), 0 },
	{ "bytes behind the parameters", WIRE(HEAD, 0, 7), 0 },
	{ "parameter past the parameters", WIRE(HEAD, 3, 2, 2, 2), 0 },
	{ "unknown parameter", WIRE(HEAD, 2, 7, 0), BGP_OPEN_BAD_PARAMETER },
	{ "authentication parameter", WIRE(HEAD, 3, 1, 1, 0), BGP_OPEN_BAD_PARAMETER },
	{ "no capability in the parameter", WIRE(HEAD, 2, 2, 0), NONE },
	{ "unknown capability", WIRE(HEAD, 6, 2, 4, 200, 2, 1, 2), NONE },
	{ "capability past the parameter", WIRE(HEAD, 5, 2, 3, 200, 2, 1), 0 },
	{ "capability without length", WIRE(HEAD, 3, 2, 1, 200), 0 },
	{ "two parameters", WIRE(HEAD, 8, 2, 2, 2, 0, 2, 2, 70, 0), NONE },
	{ "two capabilities in one", WIRE(HEAD, 6, 2, 4, 2, 0, 70, 0), NONE },
	{ "extended form", WIRE(HEAD, 255, 255, 0, 5, 2, 0, 2, 2, 0), NONE },
	{ "extended form, small length", WIRE(HEAD, 1, 255, 0, 5, 2, 0, 2, 2, 0), NONE },
	{ "extended form cut", WIRE(HEAD, 255, 255, 0, 6, 2, 0, 2, 2, 0), 0 },
	{ "multiprotocol of 3", WIRE(HEAD, 7, 2, 5, 1, 3, 0, 1, 0), 0 },
	{ "multiprotocol of 5", WIRE(HEAD, 9, 2, 7, 1, 5, 0, 1, 0, 1, 0), 0 },
	{ "refresh with a byte", WIRE(HEAD, 5, 2, 3, 2, 1, 0), 0 },
	{ "as4 of 2", WIRE(HEAD, 6, 2, 4, 65, 2, 0, 1), 0 },
	{ "role of 2", WIRE(HEAD, 6, 2, 4, 9, 2, 0, 0), 0 },
	{ "graceful restart of 1", WIRE(HEAD, 5, 2, 3, 64, 1, 0), 0 },
	{ "graceful restart with half a family", WIRE(HEAD, 8, 2, 6, 64, 4, 0, 120, 0, 1), 0 },
	{ "add path with half a family", WIRE(HEAD, 7, 2, 5, 69, 3, 0, 1, 1), 0 },
	{ "extended next hop of 5", WIRE(HEAD, 9, 2, 7, 5, 5, 0, 1, 0, 1, 0), 0 },
	{ "llgr of 6", WIRE(HEAD, 10, 2, 8, 71, 6, 0, 1, 1, 0, 0, 1), 0 },
	{ "fqdn that lies is left out", WIRE(HEAD, 6, 2, 4, 73, 2, 9, 'a'), NONE },
	{ "software that lies is left out", WIRE(HEAD, 6, 2, 4, 75, 2, 9, 'a'), NONE },
};

START_TEST(decode_refuses)
{
	struct notify why = { .subcode = NONE };
	struct open o;
	bool ok = open_decode(rd_init(bodies[_i].wire, bodies[_i].len), &o, &why);

	ck_assert_msg(ok == (bodies[_i].subcode == NONE), "%s", bodies[_i].what);
	ck_assert_msg(why.subcode == bodies[_i].subcode, "%s: %u", bodies[_i].what, why.subcode);
	if (!ok)
		ck_assert_msg(why.code == BGP_ERR_OPEN, "%s", bodies[_i].what);
}
END_TEST

START_TEST(bad_version_names_ours)
{
	static const uint8_t wire[] = { 5, 0xfd, 0xe9, 0, 90, 1, 2, 3, 4, 0 };
	struct notify why;
	struct open o;

	ck_assert(!open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(why.data_len == 2 && why.data[0] == 0 && why.data[1] == 4);
}
END_TEST

START_TEST(without_multiprotocol_it_is_ipv4)
{
	static const uint8_t wire[] = { HEAD, 0 };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(!o.caps.multiprotocol && o.caps.families == FAM_BIT(FAM_IPV4));
	ck_assert(o.as == 65001 && o.hold_time == 90 && o.id == 0x01020304);
}
END_TEST

/* ---- round trips ---- */

static const struct {
	const char *what;
	struct open open;
} opens[] = {
	{ "bare", { 4, 65001, 0, 1, { .families = FAM_BIT(FAM_IPV4) } } },
	{ "four-byte AS",
	  { 4, 4200000001u, 90, 0xc0a8ea01, { .families = FAM_BIT(FAM_IPV4), .as4 = true } } },
	{ "as a Calico node",
	  { 4,
	    61012,
	    240,
	    0x0a0000f3,
	    { .families = FAM_BIT(FAM_IPV4),
	      .multiprotocol = true,
	      .route_refresh = true,
	      .enhanced_refresh = true,
	      .as4 = true,
	      .graceful_restart = true,
	      .gr_time = 120,
	      .gr_families = FAM_BIT(FAM_IPV4),
	      .add_path = { ADD_PATH_BOTH },
	      .llgr = true } } },
	{ "all there is",
	  { 4,
	    4294967295u,
	    65535,
	    0xffffffff,
	    { .families = BOTH,
	      .multiprotocol = true,
	      .route_refresh = true,
	      .enhanced_refresh = true,
	      .as4 = true,
	      .ext_message = true,
	      .ext_next_hop = FAM_BIT(FAM_IPV4),
	      .add_path = { ADD_PATH_SEND, ADD_PATH_RECEIVE },
	      .graceful_restart = true,
	      .gr_restarting = true,
	      .gr_notification = true,
	      .gr_time = 4095,
	      .gr_families = BOTH,
	      .gr_forwarding = FAM_BIT(FAM_IPV6),
	      .llgr = true,
	      .llgr_families = BOTH,
	      .llgr_forwarding = FAM_BIT(FAM_IPV6),
	      .llgr_time = { 1, 0xffffff },
	      .role_set = true,
	      .role = BGP_ROLE_PEER,
	      .fqdn = "a-name-of-sixty-three-bytes-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	      .software = "a-name-of-sixty-three-bytes-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" } } },
};

static void check_caps(const char *what, const struct caps *a, const struct caps *b)
{
	ck_assert_msg(a->multiprotocol == b->multiprotocol && a->families == b->families, "%s: families",
	              what);
	ck_assert_msg(a->route_refresh == b->route_refresh && a->enhanced_refresh == b->enhanced_refresh,
	              "%s: refresh", what);
	ck_assert_msg(a->as4 == b->as4 && a->ext_message == b->ext_message, "%s: flags", what);
	ck_assert_msg(a->ext_next_hop == b->ext_next_hop, "%s: next hop", what);
	ck_assert_msg(a->graceful_restart == b->graceful_restart && a->gr_restarting == b->gr_restarting &&
	                      a->gr_notification == b->gr_notification && a->gr_time == b->gr_time &&
	                      a->gr_families == b->gr_families && a->gr_forwarding == b->gr_forwarding,
	              "%s: graceful restart", what);
	ck_assert_msg(a->llgr == b->llgr && a->llgr_families == b->llgr_families &&
	                      a->llgr_forwarding == b->llgr_forwarding,
	              "%s: llgr", what);
	for (enum family f = 0; f < FAM_COUNT; f++) {
		ck_assert_msg(a->add_path[f] == b->add_path[f], "%s: add path", what);
		ck_assert_msg(a->llgr_time[f] == b->llgr_time[f], "%s: llgr time", what);
	}
	ck_assert_msg(a->role_set == b->role_set && a->role == b->role, "%s: role", what);
	ck_assert_msg(!strcmp(a->fqdn, b->fqdn) && !strcmp(a->software, b->software), "%s: texts", what);
}

START_TEST(what_is_encoded_is_decoded)
{
	uint8_t buf[BGP_MAX_LEN];
	struct writer w = wr_init(buf, sizeof(buf));
	struct reader r;
	struct frame f;
	struct notify why;
	struct open o;

	open_encode(&w, &opens[_i].open);
	ck_assert_msg(!w.bad, "%s", opens[_i].what);
	r = rd_init(buf, (size_t)(w.p - buf));
	ck_assert_msg(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK && f.type == BGP_MSG_OPEN, "%s",
	              opens[_i].what);
	ck_assert_msg(open_decode(f.body, &o, &why), "%s", opens[_i].what);
	ck_assert_msg(o.as == opens[_i].open.as && o.id == opens[_i].open.id, "%s", opens[_i].what);
	ck_assert_msg(o.hold_time == opens[_i].open.hold_time, "%s", opens[_i].what);
	check_caps(opens[_i].what, &o.caps, &opens[_i].open.caps);
	for (size_t n = 0; n < (size_t)(w.p - buf); n++) {
		struct writer small = wr_init(buf, n);

		open_encode(&small, &opens[_i].open);
		ck_assert_msg(small.bad, "%s into %zu", opens[_i].what, n);
	}
}
END_TEST

START_TEST(what_peers_write_is_made_printable)
{
	static const uint8_t wire[] = { HEAD, 16,  2,   14,   73, 7, 2, 'a', 1,
		                        3,    'b', '"', 0xff, 75, 3, 2, 'x', '\n' };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert_str_eq(o.caps.fqdn, "a?.b\"?");
	ck_assert_str_eq(o.caps.software, "x?");
}
END_TEST

START_TEST(nonsense_in_lists_is_skipped)
{
	/* add path: mode 4, mode 0, unknown family, then ipv6 send; extended next hop: IPv4 by IPv4, then by
	 * IPv6 */
	static const uint8_t wire[] = { HEAD, 34, 2, 32, 69, 16, 0, 1, 1, 4, 0, 1, 1, 0, 0, 25, 65, 3,
		                        0,    2,  1, 2,  5,  12, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,  0,  2 };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(o.caps.add_path[FAM_IPV4] == ADD_PATH_NONE && o.caps.add_path[FAM_IPV6] == ADD_PATH_SEND);
	ck_assert_uint_eq(o.caps.ext_next_hop, FAM_BIT(FAM_IPV4));
}
END_TEST

START_TEST(long_lived_restart_is_read)
{
	/* IPv4: forwarding, 65538 s; then IPv4 labelled, which we do not speak; then IPv6: reserved flags, 0
	 * s */
	static const uint8_t wire[] = { HEAD, 29, 2, 27, 64, 2, 0, 0, 71, 21, 0, 1,    1, 0x80, 1, 0,
		                        2,    0,  1, 4,  0,  0, 0, 9, 0,  2,  1, 0x7f, 0, 0,    0 };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(o.caps.llgr);
	ck_assert_uint_eq(o.caps.llgr_families, BOTH);
	ck_assert_uint_eq(o.caps.llgr_forwarding, FAM_BIT(FAM_IPV4));
	ck_assert_uint_eq(o.caps.llgr_time[FAM_IPV4], 65538);
	ck_assert_uint_eq(o.caps.llgr_time[FAM_IPV6], 0);
}
END_TEST

START_TEST(long_lived_restart_alone_is_ignored)
{
	static const uint8_t wire[] = { HEAD, 11, 2, 9, 71, 7, 0, 1, 1, 0x80, 0, 0, 9 };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(!o.caps.llgr && !o.caps.llgr_families && !o.caps.llgr_forwarding);
	ck_assert_uint_eq(o.caps.llgr_time[FAM_IPV4], 0);
}
END_TEST

START_TEST(of_two_long_lived_restarts_the_last_counts)
{
	static const uint8_t wire[] = { HEAD, 17, 2, 15, 64, 2, 0, 0, 71, 7, 0, 1, 1, 0x80, 0, 0, 9, 71, 0 };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(o.caps.llgr && !o.caps.llgr_families && !o.caps.llgr_time[FAM_IPV4]);
}
END_TEST

/* ---- judging ---- */

#define US   65001
#define ROLE true

static const struct {
	const char *what;
	uint32_t remote_as; /* expected */
	uint32_t as, id;
	uint16_t hold_time;
	bool role_set;
	uint8_t our_role, their_role;
	uint8_t subcode;
} judged[] = {
	{ "as expected", 65002, 65002, 2, 90, .subcode = NONE },
	{ "any AS", 0, 65002, 2, 90, .subcode = NONE },
	{ "another AS", 65002, 65003, 2, 90, .subcode = BGP_OPEN_BAD_PEER_AS },
	{ "AS 0", 0, 0, 2, 90, .subcode = BGP_OPEN_BAD_PEER_AS },
	{ "id 0", 0, 65002, 0, 90, .subcode = BGP_OPEN_BAD_ID },
	{ "our id outside", 0, 65002, 1, 90, .subcode = NONE },
	{ "our id inside", 0, US, 1, 90, .subcode = BGP_OPEN_BAD_ID },
	{ "hold time 0", 0, 65002, 2, 0, .subcode = NONE },
	{ "hold time 1", 0, 65002, 2, 1, .subcode = BGP_OPEN_BAD_HOLD_TIME },
	{ "hold time 2", 0, 65002, 2, 2, .subcode = BGP_OPEN_BAD_HOLD_TIME },
	{ "hold time 3", 0, 65002, 2, 3, .subcode = NONE },
	{ "provider and customer", 0, 65002, 2, 90, ROLE, BGP_ROLE_PROVIDER, BGP_ROLE_CUSTOMER, NONE },
	{ "customer and provider", 0, 65002, 2, 90, ROLE, BGP_ROLE_CUSTOMER, BGP_ROLE_PROVIDER, NONE },
	{ "peers", 0, 65002, 2, 90, ROLE, BGP_ROLE_PEER, BGP_ROLE_PEER, NONE },
	{ "route server and client", 0, 65002, 2, 90, ROLE, BGP_ROLE_RS, BGP_ROLE_RS_CLIENT, NONE },
	{ "client and route server", 0, 65002, 2, 90, ROLE, BGP_ROLE_RS_CLIENT, BGP_ROLE_RS, NONE },
	{ "two providers", 0, 65002, 2, 90, ROLE, BGP_ROLE_PROVIDER, BGP_ROLE_PROVIDER,
	  BGP_OPEN_ROLE_MISMATCH },
	{ "peer and customer", 0, 65002, 2, 90, ROLE, BGP_ROLE_PEER, BGP_ROLE_CUSTOMER,
	  BGP_OPEN_ROLE_MISMATCH },
	{ "no such role", 0, 65002, 2, 90, ROLE, BGP_ROLE_PEER, 9, BGP_OPEN_ROLE_MISMATCH },
	{ "roles inside mean nothing", 0, US, 2, 90, ROLE, BGP_ROLE_PEER, BGP_ROLE_CUSTOMER, NONE },
};

START_TEST(check_refuses)
{
	struct caps ours = { .role_set = judged[_i].role_set, .role = judged[_i].our_role };
	struct open_expect x = { US, judged[_i].remote_as, 1, &ours };
	struct open o = {
		.as = judged[_i].as,
		.id = judged[_i].id,
		.hold_time = judged[_i].hold_time,
		.caps = { .role_set = judged[_i].role_set, .role = judged[_i].their_role },
	};
	struct notify why = { .subcode = NONE };

	ck_assert_msg(open_check(&o, &x, &why) == (judged[_i].subcode == NONE), "%s", judged[_i].what);
	ck_assert_msg(why.subcode == judged[_i].subcode, "%s: %u", judged[_i].what, why.subcode);
}
END_TEST

START_TEST(two_roles_pair_with_nothing)
{
	static const uint8_t wire[] = { HEAD, 8, 2, 6, 9, 1, BGP_ROLE_PEER, 9, 1, BGP_ROLE_CUSTOMER };
	struct caps ours = { .role_set = true, .role = BGP_ROLE_PEER };
	struct open_expect x = { US + 1, 0, 1, &ours };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(wire, sizeof(wire)), &o, &why));
	ck_assert(!open_check(&o, &x, &why));
	ck_assert_uint_eq(why.subcode, BGP_OPEN_ROLE_MISMATCH);
}
END_TEST

START_TEST(as_0_in_either_place_is_refused)
{
	static const uint8_t field[] = { 4, 0, 0, 0, 90, 1, 2, 3, 4, 8, 2, 6, 65, 4, 0, 0, 0, 9 };
	static const uint8_t capability[] = { HEAD, 8, 2, 6, 65, 4, 0, 0, 0, 0 };
	struct caps ours = { 0 };
	struct open_expect x = { US, 0, 1, &ours };
	struct notify why;
	struct open o;

	ck_assert(open_decode(rd_init(field, sizeof(field)), &o, &why) && !open_check(&o, &x, &why));
	ck_assert(open_decode(rd_init(capability, sizeof(capability)), &o, &why) &&
	          !open_check(&o, &x, &why));
}
END_TEST

/* ---- negotiating ---- */

START_TEST(both_must_offer)
{
	struct open full = opens[3].open, bare = opens[0].open;
	struct negotiated n;

	open_negotiate(&full, &full, &n);
	ck_assert(n.ibgp && n.as4 && n.route_refresh && n.enhanced_refresh && n.ext_message && n.long_lived);
	ck_assert(n.families == BOTH && n.ext_next_hop == FAM_BIT(FAM_IPV4) && n.max_len == BGP_MAX_LEN_EXT);
	open_negotiate(&full, &bare, &n);
	ck_assert(!n.ibgp && !n.as4 && !n.route_refresh && !n.enhanced_refresh && !n.ext_message &&
	          !n.long_lived);
	ck_assert(n.families == FAM_BIT(FAM_IPV4) && !n.ext_next_hop && n.max_len == BGP_MAX_LEN);
}
END_TEST

START_TEST(hold_time_is_the_smaller)
{
	struct open a = { .hold_time = 90 }, b = { .hold_time = 9 };
	struct negotiated n;

	open_negotiate(&a, &b, &n);
	ck_assert_uint_eq(n.hold_time, 9);
	b.hold_time = 0;
	open_negotiate(&a, &b, &n);
	ck_assert_uint_eq(n.hold_time, 0);
}
END_TEST

static const struct {
	uint8_t ours, theirs;
	bool rx, tx;
} add_paths[] = {
	{ ADD_PATH_NONE, ADD_PATH_BOTH, false, false },
	{ ADD_PATH_RECEIVE, ADD_PATH_RECEIVE, false, false },
	{ ADD_PATH_RECEIVE, ADD_PATH_SEND, true, false },
	{ ADD_PATH_SEND, ADD_PATH_RECEIVE, false, true },
	{ ADD_PATH_BOTH, ADD_PATH_BOTH, true, true },
	{ ADD_PATH_BOTH, ADD_PATH_SEND, true, false },
	{ ADD_PATH_BOTH, ADD_PATH_RECEIVE, false, true },
	{ ADD_PATH_SEND, ADD_PATH_SEND, false, false },
};

START_TEST(add_path_has_directions)
{
	struct open a = { .caps = { .families = BOTH, .add_path = { add_paths[_i].ours, ADD_PATH_BOTH } } };
	struct open b = { .caps = { .families = BOTH, .add_path = { add_paths[_i].theirs, ADD_PATH_BOTH } } };
	struct negotiated n;

	open_negotiate(&a, &b, &n);
	ck_assert_msg(n.add_path_rx[FAM_IPV4] == add_paths[_i].rx, "row %d", _i);
	ck_assert_msg(n.add_path_tx[FAM_IPV4] == add_paths[_i].tx, "row %d", _i);
	ck_assert_msg(!n.add_path_rx[FAM_IPV6], "row %d: ipv6 was not negotiated", _i);
}
END_TEST

START_TEST(what_is_refused_is_left_out)
{
	const struct caps all = { .families = 3,
		                  .multiprotocol = true,
		                  .route_refresh = true,
		                  .as4 = true,
		                  .graceful_restart = true,
		                  .llgr = true,
		                  .llgr_families = 1,
		                  .llgr_time = { 9 },
		                  .fqdn = "a",
		                  .software = "b",
		                  .ext_message = true,
		                  .enhanced_refresh = true };
	struct caps c = all;
	struct notify n;

	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, "\x40\0\x46\0", 4);
	ck_assert(notify_refuses_caps(&n));
	caps_without(&c, &n);
	ck_assert(!c.graceful_restart && !c.enhanced_refresh && c.as4 && c.families == 3);
	ck_assert(!c.llgr && !c.llgr_families && !c.llgr_time[0]); /* nothing without the former */
	c.llgr = true;
	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, "\x47\0\x49\0\x4b\0", 6);
	caps_without(&c, &n);
	ck_assert(!c.llgr && !c.fqdn[0] && !c.software[0] && c.as4 && c.families == 3);
	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, "\xee\5\0", 3);
	caps_without(&c, &n);
	ck_assert(!c.as4 && !c.multiprotocol && c.families == FAM_BIT(FAM_IPV4));
	c = all;
	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER, NULL, 0);
	ck_assert(notify_refuses_caps(&n));
	caps_without(&c, &n);
	ck_assert(!c.route_refresh);
	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_PEER_AS, NULL, 0);
	ck_assert(!notify_refuses_caps(&n));
}
END_TEST

UNIT_MAIN("open", UNIT(what_is_refused_is_left_out), UNIT_ROWS(decode_refuses, bodies),
          UNIT(bad_version_names_ours), UNIT(without_multiprotocol_it_is_ipv4),
          UNIT_ROWS(what_is_encoded_is_decoded, opens), UNIT(what_peers_write_is_made_printable),
          UNIT(nonsense_in_lists_is_skipped), UNIT(long_lived_restart_is_read),
          UNIT(long_lived_restart_alone_is_ignored), UNIT(of_two_long_lived_restarts_the_last_counts),
          UNIT_ROWS(check_refuses, judged), UNIT(two_roles_pair_with_nothing),
          UNIT(as_0_in_either_place_is_refused), UNIT(both_must_offer), UNIT(hold_time_is_the_smaller),
          UNIT_ROWS(add_path_has_directions, add_paths))
