/* SPDX-License-Identifier: BSD-2-Clause */
/* community_priv.h - what community.c and community_text.c share; nobody else includes it. */
#ifndef MCBGP_BGP_COMMUNITY_PRIV_H
#define MCBGP_BGP_COMMUNITY_PRIV_H

#include "bgp/community.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define WILD(part)   (1u << (part))

/* Type words of extended communities: the high byte says how the value is divided, the low one what it is
 * for. */
#define EXT_AS2     0x0000u /* AS (2), number (4) */
#define EXT_IPV4    0x0100u /* address (4), number (2) */
#define EXT_AS4     0x0200u /* AS (4), number (2) */
#define EXT_RT      0x02u
#define EXT_RO      0x03u
#define EXT_LINK_BW 0x4004u /* not transitive; AS (2), bytes a second as an IEEE 754 single (4) */
#define EXT_TYPE    0xff00u
#define EXT_LAYOUT  0xbf00u /* EXT_TYPE without the bit that says whether it is transitive */

/* Whether the first field of an extended community of this type has four bytes, and the second two. */
static inline bool ext_wide_first(uint32_t type)
{
	uint32_t layout = type & EXT_LAYOUT;

	return layout == EXT_IPV4 || layout == EXT_AS4;
}

/* The types of "rt" and "ro": an AS or an address, and a number. */
static inline bool ext_pair_type(uint32_t type)
{
	return type == EXT_AS2 || type == EXT_AS4 || type == EXT_IPV4;
}

static inline uint32_t community_word(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/** A value on the wire as the parts of a pattern. */
void community_take_apart(enum community_kind kind, const uint8_t *v, uint32_t part[COMMUNITY_PARTS]);
/** And back: community_size() bytes at @v. */
void community_put_together(const struct community_pattern *p, uint8_t *v);

#endif
