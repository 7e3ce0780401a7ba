/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes on the wire: what is well-formed, what is taken, and back. */
#include "bgp/nlri.h"

#include "gen.h"
#include "unit/unit.h"

#define WIRE(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })

static const struct {
	const char *what;
	enum family family;
	bool add_path;
	uint8_t wire[24];
	size_t len;
	bool ok;
	unsigned count;
} runs[] = {
	{ "nothing", FAM_IPV4, false, { 0 }, 0, true, 0 },
	{ "default route", FAM_IPV4, false, WIRE(0), true, 1 },
	{ "two of IPv4", FAM_IPV4, false, WIRE(8, 10, 32, 1, 2, 3, 4), true, 2 },
	{ "33 bits of IPv4", FAM_IPV4, false, WIRE(33, 1, 2, 3, 4, 5), false, 0 },
	{ "cut by one byte", FAM_IPV4, false, WIRE(24, 10, 0), false, 0 },
	{ "good, then cut", FAM_IPV4, false, WIRE(8, 10, 9, 10), false, 0 },
	{ "host bits set", FAM_IPV4, false, WIRE(9, 10, 255), true, 1 },
	{ "IPv6", FAM_IPV6, false, WIRE(32, 0x20, 1, 0xd, 0xb8), true, 1 },
	{ "129 bits of IPv6", FAM_IPV6, false,
	  WIRE(129, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), false, 0 },
	{ "path id", FAM_IPV4, true, WIRE(0, 0, 0, 1, 8, 10), true, 1 },
	{ "path id alone", FAM_IPV4, true, WIRE(0, 0, 0, 1), false, 0 },
	{ "path id cut", FAM_IPV4, true, WIRE(0, 0, 0), false, 0 },
	{ "a family we do not speak", FAM_COUNT, false, WIRE(255, 255), true, 0 },
};

START_TEST(check_proves_the_whole_run)
{
	struct nlri_run run = { runs[_i].family, runs[_i].add_path, rd_init(runs[_i].wire, runs[_i].len) };
	unsigned count = 0;

	ck_assert_msg(nlri_check(&run, &count) == runs[_i].ok, "%s", runs[_i].what);
	if (runs[_i].ok)
		ck_assert_msg(count == runs[_i].count, "%s: %u", runs[_i].what, count);
}
END_TEST

START_TEST(next_yields_what_check_counted)
{
	struct nlri_run run = { runs[_i].family, runs[_i].add_path, rd_init(runs[_i].wire, runs[_i].len) };
	unsigned count = 0;
	struct nlri n;

	if (!runs[_i].ok)
		return;
	while (nlri_next(&run, &n))
		count++;
	ck_assert_msg(count == runs[_i].count, "%s: %u", runs[_i].what, count);
}
END_TEST

/* In the midst of a run and at its end, where fewer than four bytes follow. */
START_TEST(next_clears_host_bits)
{
	static const uint8_t wire[] = { 9, 10, 255, 32, 10, 1, 2, 3, 0, 20, 10, 1, 255, 9, 10, 255 };
	static const struct {
		uint32_t addr;
		uint8_t len;
	} wants[] = {
		{ 0x0a800000, 9 }, { 0x0a010203, 32 }, { 0, 0 }, { 0x0a01f000, 20 }, { 0x0a800000, 9 }
	};
	struct nlri_run run = { FAM_IPV4, false, rd_init(wire, sizeof(wire)) };
	struct nlri n;

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		struct ip a = ip_v4(wants[i].addr);
		struct prefix want = prefix_make(&a, wants[i].len);

		ck_assert_msg(nlri_next(&run, &n) && prefix_equal(&n.prefix, &want), "prefix %zu", i);
	}
	ck_assert(!nlri_next(&run, &n));
}
END_TEST

START_TEST(what_is_put_is_read)
{
	struct gen g = { .state = 7 };
	uint8_t buf[64];

	for (unsigned i = 0; i < 4000; i++) {
		enum family f = i & 1 ? FAM_IPV6 : FAM_IPV4;
		bool add_path = i & 2;
		struct prefix p = gen_prefix(&g, f);
		uint32_t id = add_path ? gen_u32(&g) : 0;
		struct writer w = wr_init(buf, sizeof(buf));
		struct nlri_run run;
		struct nlri n;

		nlri_put(&w, &p, add_path, id);
		ck_assert_uint_eq((size_t)(w.p - buf), nlri_size(&p, add_path));
		run = (struct nlri_run){ f, add_path, rd_init(buf, (size_t)(w.p - buf)) };
		ck_assert(nlri_check(&run, NULL) && nlri_next(&run, &n));
		ck_assert_msg(prefix_equal(&n.prefix, &p) && n.path_id == id, "round %u", i);
	}
}
END_TEST

START_TEST(what_does_not_fit_is_not_put)
{
	uint8_t buf[4];
	struct writer w = wr_init(buf, sizeof(buf));
	struct ip a = ip_v4(0x0a000001);
	struct prefix p = prefix_make(&a, 32);

	nlri_put(&w, &p, false, 0);
	ck_assert(w.bad && w.p == buf);
}
END_TEST

START_TEST(families_have_numbers_and_names)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		ck_assert_uint_eq(family_from_wire(family_afi(f), BGP_SAFI_UNICAST), f);
	ck_assert_uint_eq(family_from_wire(BGP_AFI_IPV4, BGP_SAFI_MULTICAST), FAM_COUNT);
	ck_assert_uint_eq(family_from_wire(25, 65), FAM_COUNT);
	ck_assert_str_eq(family_name(FAM_IPV4), "ipv4");
	ck_assert_str_eq(family_name(FAM_IPV6), "ipv6");
	ck_assert_uint_eq(family_ip(FAM_IPV6), IP_V6);
}
END_TEST

UNIT_MAIN("nlri", UNIT_ROWS(check_proves_the_whole_run, runs),
          UNIT_ROWS(next_yields_what_check_counted, runs), UNIT(next_clears_host_bits),
          UNIT(what_is_put_is_read), UNIT(what_does_not_fit_is_not_put),
          UNIT(families_have_numbers_and_names))
