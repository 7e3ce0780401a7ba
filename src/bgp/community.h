/* SPDX-License-Identifier: BSD-2-Clause */
/* community.h - the three community families as lists of fixed-size big-endian words, and the patterns
 * operators write. RFC 1997, RFC 4360, RFC 8092. Pure. */
#ifndef MCBGP_BGP_COMMUNITY_H
#define MCBGP_BGP_COMMUNITY_H

#include "bgp/attrs.h"

enum community_kind { COMMUNITY_PLAIN, COMMUNITY_EXT, COMMUNITY_LARGE };

/** Words a value has (2 of 16 bits are kept as one 32-bit value each: 65000:1 -> {65000, 1}). */
#define COMMUNITY_PARTS 3

/** One value or pattern: parts that are wild match anything. Plain: part[0..1]; large: part[0..2]; ext:
 * part[0] is the type word (16 bits), part[1..2] its fields as the wire has them ("rt:65000:1", "ro:…",
 * "generic:0x…:0x…", "link-bandwidth:AS:bytes", the bytes as an IEEE 754 single). A wild part[0] of an ext
 * pattern ("rt:*:1") is open for every form the AS may have. */
struct community_pattern {
	uint8_t kind; /* enum community_kind */
	uint8_t wild; /* bit i: part i is '*' */
	uint32_t part[COMMUNITY_PARTS];
};

/** Parse "65000:1", "65000:*", "no-export" …; "1:2:3"; "rt:65000:1". @err gets a static text of what is
 * wrong. */
bool community_parse(enum community_kind kind, const char *text, struct community_pattern *out,
                     const char **err);
char *community_pattern_print(const struct community_pattern *p, char *buf, size_t size);
bool community_pattern_equal(const struct community_pattern *a, const struct community_pattern *b);

size_t community_size(enum community_kind kind); /* bytes a value: 4, 8, 12 */
/** The @i-th value of a blob as text: BIRD's "(65000,1)", "(1, 2, 3)", "(rt, 65000, 1)". Always NUL-ended;
 * @return length needed. */
size_t community_print(enum community_kind kind, const uint8_t *value, char *buf, size_t size);
bool community_match(enum community_kind kind, const uint8_t *value, const struct community_pattern *p);
bool community_list_match(enum community_kind kind, struct blob list,
                          const struct community_pattern *p); /* any value matches */
bool community_list_has(struct blob plain, uint32_t value);   /* a plain community, host byte order */

/** Rewriting, into the edit's scratch. Patterns without a wild part name one value. Adding what is there
 * changes nothing. */
void community_add(struct attrs_edit *e, const struct community_pattern *value);
void community_add_value(struct attrs_edit *e, uint32_t value); /* a plain one, host byte order */
void community_delete(struct attrs_edit *e, const struct community_pattern *pattern);
void community_clear(struct attrs_edit *e, enum community_kind kind);
/** Extended communities that end at the border of an AS (RFC 4360 6) are taken away. */
void community_drop_nontransitive(struct attrs_edit *e);

/** Bytes a second of the first link bandwidth community in @ext (draft-ietf-idr-link-bandwidth); 0: there is
 * none that says anything. */
double community_link_bandwidth(struct blob ext);

#endif
