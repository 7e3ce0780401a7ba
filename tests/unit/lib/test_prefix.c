/* SPDX-License-Identifier: BSD-2-Clause */
/* test_prefix.c - addresses and prefixes: text forms, order, containment, classes. */
#include "lib/prefix.h"
#include "unit/unit.h"

#include <string.h>

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

static struct ip ip_of(const char *text)
{
	struct ip a;

	ck_assert_msg(ip_parse(text, &a), "%s", text);
	return a;
}

static const struct {
	const char *in, *out; /* out NULL: refused */
} ips[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "::1:2", "::1:2" },
	{ "2001:DB8::1", "2001:db8::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },    /* RFC 5952 4.2.3: the first of equals */
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },          /* ... else the longest */
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* 4.2.2: one zero word stays */
	{ "fe80:0:0:0:0:0:0:0", "fe80::" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "::ffff:c000:201", "::ffff:192.0.2.1" },
	{ "1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888" },
	{ "", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1.2.3.256", NULL },
	{ "1.2.3.04", NULL },
	{ "0x1.2.3.4", NULL },
	{ " 1.2.3.4", NULL },
	{ "1.2.3.4 ", NULL },
	{ "1::2::3", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "12345::", NULL },
	{ "fe80::1%eth0", NULL },
	{ "localhost", NULL },
};

START_TEST(ip_text)
{
	const char *want = ips[_i].out;
	struct ip a = { .family = 99 };
	char buf[IP_STRLEN];

	ck_assert_msg(ip_parse(ips[_i].in, &a) == !!want, "%s", ips[_i].in);
	if (want)
		ck_assert_str_eq(ip_print(&a, buf), want);
	else
		ck_assert_msg(a.family == 99, "%s: out touched", ips[_i].in);
}
END_TEST

START_TEST(ip_none_prints_as_dash)
{
	struct ip none = { 0 };
	char buf[IP_STRLEN];

	ck_assert_str_eq(ip_print(&none, buf), "-");
	ck_assert(ip_is_zero(&none));
}
END_TEST

START_TEST(ip_numbers_and_bytes)
{
	struct ip a = ip_v4(0xc0000201), b = ip_of("192.0.2.1"), c = ip_of("2001:db8::1"), d;

	ck_assert(ip_equal(&a, &b));
	ck_assert_uint_eq(ip_to_v4(&b), 0xc0000201);
	ck_assert_uint_eq(ip_to_v4(&c), 0);
	d = ip_from_bytes(IP_V6, c.b);
	ck_assert(ip_equal(&c, &d));
	d = ip_from_bytes(IP_V4, c.b); /* takes four bytes, leaves the rest zero */
	ck_assert_uint_eq(ip_to_v4(&d), 0x20010db8);
	ck_assert_uint_eq(d.b[15], 0);
}
END_TEST

static const struct {
	const char *in, *strict, *loose; /* NULL: refused */
} prefixes[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8" },
	{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
	{ "::/0", "::/0", "::/0" },
	{ "192.0.2.1", "192.0.2.1/32", "192.0.2.1/32" },
	{ "2001:db8::1", "2001:db8::1/128", "2001:db8::1/128" },
	{ "10.1.2.3/8", NULL, "10.0.0.0/8" },
	{ "10.1.2.3/0", NULL, "0.0.0.0/0" },
	{ "255.255.255.255/31", NULL, "255.255.255.254/31" },
	{ "2001:db8::ffff/65", NULL, "2001:db8::/65" },
	{ "2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65" },
	{ "2001:db8::1/64", NULL, "2001:db8::/64" },
	{ "2001:db8::1/63", NULL, "2001:db8::/63" },
	{ "10.0.0.0/33", NULL, NULL },
	{ "10.0.0.0/129", NULL, NULL },
	{ "::/129", NULL, NULL },
	{ "::/256", NULL, NULL },
	{ "::/1000", NULL, NULL },
	{ "10.0.0.0/", NULL, NULL },
	{ "10.0.0.0/08", NULL, NULL },
	{ "10.0.0.0/+8", NULL, NULL },
	{ "10.0.0.0/-1", NULL, NULL },
	{ "10.0.0.0/8 ", NULL, NULL },
	{ "10.0.0.0/8/8", NULL, NULL },
	{ "10/8", NULL, NULL },
	{ "/8", NULL, NULL },
	{ "", NULL, NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64", NULL, NULL },
};

static void check_prefix_text(const char *in, bool strict, const char *want)
{
	char buf[PREFIX_STRLEN];
	struct prefix p = { .len = 99 };

	ck_assert_msg(prefix_parse(in, strict, &p) == !!want, "%s strict=%d", in, strict);
	if (want)
		ck_assert_str_eq(prefix_print(&p, buf), want);
	else
		ck_assert_msg(p.len == 99, "%s: out touched", in);
}

START_TEST(prefix_text)
{
	check_prefix_text(prefixes[_i].in, true, prefixes[_i].strict);
	check_prefix_text(prefixes[_i].in, false, prefixes[_i].loose);
}
END_TEST

START_TEST(longest_text_fits)
{
	const char *text = "1111:2222:3333:4444:5555:6666:7777:8888/128";
	struct prefix p = prefix_of(text);
	char buf[PREFIX_STRLEN];

	ck_assert_str_eq(prefix_print(&p, buf), text);
}
END_TEST

static const char *const ordered[] = {
	"0.0.0.0/0",       "0.0.0.0/32",    "10.0.0.0/8",   "10.0.0.0/9", "10.0.0.0/24",
	"10.0.1.0/24",     "10.128.0.0/9",  "192.0.2.1/32", "::/0",       "2001:db8::/32",
	"2001:db8::1/128", "2001:db9::/32", "fe80::/10",
};

START_TEST(order_of_show)
{
	for (int i = 0; i < UNIT_COUNT(ordered); i++) {
		struct prefix a = prefix_of(ordered[_i]), b = prefix_of(ordered[i]);
		int c = prefix_cmp(&a, &b);

		ck_assert_msg((c < 0) == (_i < i) && (c > 0) == (_i > i), "%s %s", ordered[_i], ordered[i]);
		ck_assert(prefix_equal(&a, &b) == (_i == i));
	}
}
END_TEST

static const struct {
	const char *outer, *inner;
	bool want;
} contains[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", true },
	{ "10.0.0.0/8", "10.255.0.0/16", true },
	{ "10.0.0.0/8", "11.0.0.0/16", false },
	{ "10.0.0.0/16", "10.0.0.0/8", false },
	{ "0.0.0.0/0", "255.255.255.255/32", true },
	{ "0.0.0.0/0", "::/0", false },
	{ "::/0", "0.0.0.0/0", false },
	{ "::/0", "ffff::/16", true },
	{ "2001:db8::/64", "2001:db8::1/128", true },
	{ "2001:db8::/65", "2001:db8:0:0:8000::/65", false },
	{ "2001:db8::1/128", "2001:db8::1/128", true },
	{ "2001:db8::1/128", "2001:db8::2/128", false },
};

START_TEST(containment)
{
	struct prefix p = prefix_of(contains[_i].outer), q = prefix_of(contains[_i].inner);

	ck_assert_msg(prefix_contains(&p, &q) == contains[_i].want, "%s %s", contains[_i].outer,
	              contains[_i].inner);
	if (q.len == ip_bits(q.addr.family))
		ck_assert(prefix_contains_ip(&p, &q.addr) == contains[_i].want);
}
END_TEST

static const struct {
	const char *text;
	bool link_local, multicast, loopback, unicast;
} classes[] = {
	{ "0.0.0.0/0", false, false, false, true },
	{ "10.0.0.0/8", false, false, false, true },
	{ "126.255.255.255", false, false, false, true },
	{ "127.0.0.1", false, false, true, false },
	{ "127.0.0.0/8", false, false, true, false },
	{ "128.0.0.0/1", false, false, false, true },
	{ "169.254.0.1", true, false, false, true },
	{ "169.253.0.1", false, false, false, true },
	{ "223.255.255.255", false, false, false, true },
	{ "224.0.0.0/4", false, true, false, false },
	{ "239.1.2.3", false, true, false, false },
	{ "240.0.0.0/4", false, false, false, false },
	{ "255.255.255.255", false, false, false, false },
	{ "::/0", false, false, false, true },
	{ "::1", false, false, true, false },
	{ "::2", false, false, false, true },
	{ "fe80::1", true, false, false, false },
	{ "febf::1", true, false, false, false },
	{ "fec0::1", false, false, false, true },
	{ "ff02::1", false, true, false, false },
	{ "ff00::/8", false, true, false, false },
	{ "2000::/3", false, false, false, true },
};

START_TEST(classification)
{
	struct prefix p = prefix_of(classes[_i].text);

	ck_assert_msg(ip_is_link_local(&p.addr) == classes[_i].link_local, "%s", classes[_i].text);
	ck_assert_msg(ip_is_multicast(&p.addr) == classes[_i].multicast, "%s", classes[_i].text);
	ck_assert_msg(ip_is_loopback(&p.addr) == classes[_i].loopback, "%s", classes[_i].text);
	ck_assert_msg(prefix_is_unicast(&p) == classes[_i].unicast, "%s", classes[_i].text);
}
END_TEST

START_TEST(common_bits_and_bits)
{
	struct ip a = ip_of("2001:db8::"), b = a;

	ck_assert_uint_eq(ip_common_bits(&a, &b), 128);
	for (unsigned i = 0; i < 128; i++) {
		b = a;
		b.b[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		ck_assert_uint_eq(ip_common_bits(&a, &b), i);
		ck_assert_uint_ne(ip_bit(&a, i), ip_bit(&b, i));
	}
}
END_TEST

START_TEST(make_clears_host_bits_at_every_length)
{
	struct ip ones = ip_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	for (unsigned len = 0; len <= 128; len++) {
		struct prefix p = prefix_make(&ones, (uint8_t)len);

		for (unsigned i = 0; i < 128; i++)
			ck_assert_uint_eq(ip_bit(&p.addr, i), i < len);
	}
}
END_TEST

UNIT_MAIN("prefix", UNIT_ROWS(ip_text, ips), UNIT(ip_none_prints_as_dash), UNIT(ip_numbers_and_bytes),
          UNIT_ROWS(prefix_text, prefixes), UNIT(longest_text_fits), UNIT_ROWS(order_of_show, ordered),
          UNIT_ROWS(containment, contains), UNIT_ROWS(classification, classes), UNIT(common_bits_and_bits),
          UNIT(make_clears_host_bits_at_every_length))
