/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: addresses and prefixes as values.
 *
 * Both families share one representation whose unused bytes are zero and whose bytes compare in the order
 * people expect, so that nothing but parsing and printing has to ask which family it has. Arithmetic runs on
 * two 64-bit halves: the IPv4 address is simply the top of the first one. What an address is good for beyond
 * its class (is it ours, is it reachable) is not known here. RFC 4291, RFC 5952, RFC 1112 (class D and E). */
#include "lib/prefix.h"

#include "lib/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>

static_assert(sizeof(struct ip) == 17 && sizeof(struct prefix) == 18,
              "bytes without padding compare as values");

static uint64_t load_half(const uint8_t *b)
{
	uint64_t v;

	memcpy(&v, b, sizeof(v));
	return be64toh(v);
}

static void store_half(uint8_t *b, uint64_t v)
{
	v = htobe64(v);
	memcpy(b, &v, sizeof(v));
}

/* The first @bits bits set; @bits beyond 64 count as 64. */
static uint64_t half_mask(unsigned bits)
{
	if (bits == 0)
		return 0;
	return bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
}

struct ip ip_v4(uint32_t host_order)
{
	struct ip a = { .family = IP_V4 };

	store_half(a.b, (uint64_t)host_order << 32);
	return a;
}

uint32_t ip_to_v4(const struct ip *a)
{
	return a->family == IP_V4 ? (uint32_t)(load_half(a->b) >> 32) : 0;
}

struct ip ip_from_bytes(uint8_t family, const uint8_t *b)
{
	struct ip a = { .family = family };
	size_t n = ip_bytes(family);

	if (n)
		memcpy(a.b, b, n);
	return a;
}

bool ip_parse(const char *text, struct ip *out)
{
	struct ip a = { 0 };

	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = IP_V4;
	else if (inet_pton(AF_INET6, text, a.b) == 1)
		a.family = IP_V6;
	else
		return false;
	*out = a;
	return true;
}

static void print_v4(struct text *t, const uint8_t *b)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			text_char(t, '.');
		text_u32(t, b[i]);
	}
}

/* The first longest run of at least two zero words, which RFC 5952 4.2 writes as "::"; its length is 0 when
 * there is none. */
struct zero_run {
	unsigned at, len;
};

static struct zero_run longest_zero_run(const uint16_t word[8])
{
	struct zero_run best = { 0, 1 }, run = { 0, 0 };

	for (unsigned i = 0; i < 8; i++) {
		if (word[i]) {
			run.len = 0;
			continue;
		}
		if (run.len++ == 0)
			run.at = i;
		if (run.len > best.len)
			best = run;
	}
	return best.len > 1 ? best : (struct zero_run){ 8, 0 };
}

static void print_v6(struct text *t, const uint8_t *b)
{
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct zero_run zeros;
	uint16_t word[8];
	bool separate = false;

	if (memcmp(b, v4_mapped, sizeof(v4_mapped)) == 0) { /* RFC 5952 5 */
		text_str(t, "::ffff:");
		print_v4(t, b + sizeof(v4_mapped));
		return;
	}
	for (size_t i = 0; i < 8; i++)
		word[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
	zeros = longest_zero_run(word);
	for (unsigned i = 0; i < 8; i++) {
		if (i == zeros.at) {
			text_str(t, "::");
			i += zeros.len - 1;
			separate = false;
			continue;
		}
		if (separate)
			text_char(t, ':');
		text_hex(t, word[i]);
		separate = true;
	}
}

static void print_ip(struct text *t, const struct ip *a)
{
	if (a->family == IP_V4)
		print_v4(t, a->b);
	else if (a->family == IP_V6)
		print_v6(t, a->b);
	else
		text_char(t, '-');
}

char *ip_print(const struct ip *a, char *buf)
{
	struct text t = text_init(buf, IP_STRLEN);

	print_ip(&t, a);
	return buf;
}

unsigned ip_common_bits(const struct ip *a, const struct ip *b)
{
	uint64_t differ = load_half(a->b) ^ load_half(b->b);

	if (differ)
		return (unsigned)__builtin_clzll(differ);
	differ = load_half(a->b + 8) ^ load_half(b->b + 8);
	return differ ? 64 + (unsigned)__builtin_clzll(differ) : 128;
}

bool ip_is_zero(const struct ip *a)
{
	return (load_half(a->b) | load_half(a->b + 8)) == 0;
}

bool ip_is_link_local(const struct ip *a)
{
	if (a->family == IP_V4)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->family == IP_V6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip_is_multicast(const struct ip *a)
{
	if (a->family == IP_V4)
		return (a->b[0] & 0xf0) == 0xe0;
	return a->family == IP_V6 && a->b[0] == 0xff;
}

bool ip_is_loopback(const struct ip *a)
{
	if (a->family == IP_V4)
		return a->b[0] == 127;
	return a->family == IP_V6 && load_half(a->b) == 0 && load_half(a->b + 8) == 1;
}

static bool ip_is_class_e(const struct ip *a)
{
	return a->family == IP_V4 && a->b[0] >= 240;
}

struct prefix prefix_make(const struct ip *a, uint8_t len)
{
	struct prefix p = { *a, len };

	assert(len <= ip_bits(a->family));
	store_half(p.addr.b, load_half(a->b) & half_mask(len));
	store_half(p.addr.b + 8, load_half(a->b + 8) & half_mask(len > 64 ? len - 64u : 0));
	return p;
}

/* One to three digits and nothing else. @return false: no length of this @family. */
static bool parse_len(const char *text, uint8_t family, uint8_t *out)
{
	unsigned v = 0;
	size_t n;

	for (n = 0; text[n] >= '0' && text[n] <= '9' && n < 3; n++)
		v = v * 10 + (unsigned)(text[n] - '0');
	if (n == 0 || text[n] || (n > 1 && text[0] == '0') || v > ip_bits(family))
		return false;
	*out = (uint8_t)v;
	return true;
}

bool prefix_parse(const char *text, bool strict, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char buf[IP_STRLEN];
	struct prefix p;
	struct ip a;
	uint8_t len;

	if (n >= sizeof(buf))
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	if (!ip_parse(buf, &a))
		return false;
	len = ip_bits(a.family);
	if (slash && !parse_len(slash + 1, a.family, &len))
		return false;
	p = prefix_make(&a, len);
	if (strict && !ip_equal(&p.addr, &a))
		return false;
	*out = p;
	return true;
}

char *prefix_print(const struct prefix *p, char *buf)
{
	struct text t = text_init(buf, PREFIX_STRLEN);

	print_ip(&t, &p->addr);
	text_char(&t, '/');
	text_u32(&t, p->len);
	return buf;
}

bool prefix_contains(const struct prefix *p, const struct prefix *q)
{
	return q->len >= p->len && prefix_contains_ip(p, &q->addr);
}

bool prefix_contains_ip(const struct prefix *p, const struct ip *a)
{
	return p->addr.family == a->family && ip_common_bits(&p->addr, a) >= p->len;
}

bool prefix_is_unicast(const struct prefix *p)
{
	const struct ip *a = &p->addr;

	if (ip_is_multicast(a) || ip_is_class_e(a) || ip_is_loopback(a))
		return false;
	return a->family == IP_V4 || !ip_is_link_local(a);
}
