/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix.h - IPv4 and IPv6 addresses and prefixes: parse, print, compare, contain. Pure. */
#ifndef MCBGP_LIB_PREFIX_H
#define MCBGP_LIB_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

/** An address in network byte order; the bytes past the family's length are zero, so that ip_equal() and
 * hashing may read all of them. `family` is an enum ip_family; IP_NONE means "no address". Alignment 1. */
struct ip {
	uint8_t family;
	uint8_t b[16];
};

/** A prefix; host bits are zero in every prefix made by this module. */
struct prefix {
	struct ip addr;
	uint8_t len; /* bits */
};

#define IP_STRLEN     46 /* longest text of an address, with its NUL */
#define PREFIX_STRLEN 50 /* ... of a prefix */

static inline uint8_t ip_bits(uint8_t family)
{
	return family == IP_V4 ? 32 : family == IP_V6 ? 128 : 0;
}

static inline size_t ip_bytes(uint8_t family)
{
	return ip_bits(family) / 8;
}

struct ip ip_v4(uint32_t host_order);
uint32_t ip_to_v4(const struct ip *a); /* host byte order; 0 when not IPv4 */
/** From the wire: @b holds ip_bytes(@family) bytes. */
struct ip ip_from_bytes(uint8_t family, const uint8_t *b);

/** Strict text forms (no zone, no abbreviated IPv4). @return false: not an address, @out untouched. */
bool ip_parse(const char *text, struct ip *out);
/** Text into @buf (IP_STRLEN) and @buf back; "-" for IP_NONE. IPv6 as in RFC 5952. */
char *ip_print(const struct ip *a, char *buf);

/** By family, then numerically: struct ip is laid out so that its bytes compare that way. */
static inline int ip_cmp(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a));
}

static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool ip_is_zero(const struct ip *a);       /* 0.0.0.0, :: or IP_NONE */
bool ip_is_link_local(const struct ip *a); /* 169.254/16, fe80::/10 */
bool ip_is_multicast(const struct ip *a);
bool ip_is_loopback(const struct ip *a);

/** "10.0.0.0/8"; a bare address means a host prefix. @strict: host bits must be zero.
 *  @return false: not a prefix (or host bits set and @strict), @out untouched; otherwise host bits are
 * cleared. */
bool prefix_parse(const char *text, bool strict, struct prefix *out);
/** @len is checked against the family by assert: callers parse first. Host bits are cleared. */
struct prefix prefix_make(const struct ip *a, uint8_t len);
char *prefix_print(const struct prefix *p, char *buf); /* PREFIX_STRLEN */

/** By family, address, length: the order of `show`, and that of the bytes. */
static inline int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a, b, sizeof(*a));
}

static inline bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/** Bits that the addresses have in common from the left, 0..128; the families are not looked at. */
unsigned ip_common_bits(const struct ip *a, const struct ip *b);
/** Bit @i of @a, counted from the left. */
static inline unsigned ip_bit(const struct ip *a, unsigned i)
{
	return a->b[i / 8] >> (7 - i % 8) & 1u;
}

bool prefix_contains(const struct prefix *p, const struct prefix *q); /* q is p or lies within it */
bool prefix_contains_ip(const struct prefix *p, const struct ip *a);
/** Usable as a unicast destination: not multicast (224/4, ff00::/8), not class E, not loopback, not
 * link-local v6. */
bool prefix_is_unicast(const struct prefix *p);

#endif
