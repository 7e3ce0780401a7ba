/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: communities as the wire carries them, in lists.
 *
 * A value on the wire and a pattern from the configuration meet as three numbers (struct community_pattern's
 * parts). What a community makes a router do is the business of policy/. RFC 1997, RFC 8092, RFC 4360 and RFC
 * 5668 (extended: two- and four-byte AS, IPv4 address), draft-ietf-idr-link-bandwidth. */
#include <assert.h>
#include <float.h>

#include "bgp/community_priv.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"

static const struct {
	uint8_t size, attr; /* bytes a value; enum bgp_attr */
} kinds[] = {
	[COMMUNITY_PLAIN] = { 4, BGP_ATTR_COMMUNITIES },
	[COMMUNITY_EXT] = { 8, BGP_ATTR_EXT_COMMUNITIES },
	[COMMUNITY_LARGE] = { 12, BGP_ATTR_LARGE_COMMUNITIES },
};

/* ---- values: wire <-> parts ------------------------------------------------------------------- */

void community_take_apart(enum community_kind kind, const uint8_t *v, uint32_t part[COMMUNITY_PARTS])
{
	uint32_t first = community_word(v), second = kind == COMMUNITY_PLAIN ? 0 : community_word(v + 4);

	switch (kind) {
	case COMMUNITY_PLAIN:
		part[0] = first >> 16;
		part[1] = first & 0xffff;
		part[2] = 0;
		break;
	case COMMUNITY_EXT:
		part[0] = first >> 16;
		part[1] = ext_wide_first(part[0]) ? first << 16 | second >> 16 : first & 0xffff;
		part[2] = ext_wide_first(part[0]) ? second & 0xffff : second;
		break;
	case COMMUNITY_LARGE:
		part[0] = first;
		part[1] = second;
		part[2] = community_word(v + 8);
		break;
	}
}

static void put_together_ext(const uint32_t part[COMMUNITY_PARTS], uint8_t *v)
{
	wr_put_u16(v, (uint16_t)part[0]);
	if (ext_wide_first(part[0])) {
		wr_put_u32(v + 2, part[1]);
		wr_put_u16(v + 6, (uint16_t)part[2]);
	} else {
		wr_put_u16(v + 2, (uint16_t)part[1]);
		wr_put_u32(v + 4, part[2]);
	}
}

void community_put_together(const struct community_pattern *p, uint8_t *v)
{
	switch ((enum community_kind)p->kind) {
	case COMMUNITY_PLAIN:
		wr_put_u16(v, (uint16_t)p->part[0]);
		wr_put_u16(v + 2, (uint16_t)p->part[1]);
		break;
	case COMMUNITY_EXT:
		put_together_ext(p->part, v);
		break;
	case COMMUNITY_LARGE:
		wr_put_u32(v, p->part[0]);
		wr_put_u32(v + 4, p->part[1]);
		wr_put_u32(v + 8, p->part[2]);
		break;
	}
}

bool community_pattern_equal(const struct community_pattern *a, const struct community_pattern *b)
{
	return a->kind == b->kind && a->wild == b->wild && memcmp(a->part, b->part, sizeof(a->part)) == 0;
}

/* ---- matching --------------------------------------------------------------------------------- */

size_t community_size(enum community_kind kind)
{
	return kinds[kind].size;
}

/* Whether an extended community's type serves a pattern whose first field, and so the type, is open: same
 * purpose, and one of the types that have such a field. */
static bool ext_type_serves(uint32_t type, uint32_t pattern)
{
	return (type & 0xff) == (pattern & 0xff) && ext_pair_type(type & EXT_TYPE);
}

bool community_match(enum community_kind kind, const uint8_t *value, const struct community_pattern *p)
{
	uint32_t part[COMMUNITY_PARTS];

	if (p->kind != kind)
		return false;
	community_take_apart(kind, value, part);
	for (unsigned i = 0; i < COMMUNITY_PARTS; i++) {
		if (!(p->wild & WILD(i)) && part[i] != p->part[i])
			return false;
	}
	return kind != COMMUNITY_EXT || !(p->wild & WILD(0)) || ext_type_serves(part[0], p->part[0]);
}

bool community_list_match(enum community_kind kind, struct blob list, const struct community_pattern *p)
{
	size_t size = kinds[kind].size;

	for (size_t at = 0; at + size <= list.len; at += size) {
		if (community_match(kind, list.p + at, p))
			return true;
	}
	return false;
}

bool community_list_has(struct blob plain, uint32_t value)
{
	for (size_t at = 0; at + 4 <= plain.len; at += 4) {
		if (community_word(plain.p + at) == value)
			return true;
	}
	return false;
}

/* ---- rewriting -------------------------------------------------------------------------------- */

static struct blob *list_of(struct attrs *a, enum community_kind kind)
{
	switch (kind) {
	case COMMUNITY_PLAIN:
		return &a->communities;
	case COMMUNITY_EXT:
		return &a->ext_communities;
	case COMMUNITY_LARGE:
		return &a->large_communities;
	}
	return NULL;
}

void community_add(struct attrs_edit *e, const struct community_pattern *value)
{
	enum community_kind kind = value->kind;
	struct blob *list = list_of(&e->a, kind);
	uint32_t size = kinds[kind].size;
	uint8_t *b;

	assert(!value->wild);
	if (community_list_match(kind, *list, value))
		return;
	b = attrs_edit_alloc(e, list->len + size);
	if (!b)
		return;
	if (list->len)
		memcpy(b, list->p, list->len);
	community_put_together(value, b + list->len);
	*list = (struct blob){ b, list->len + size };
	e->a.present |= ATTR_BIT(kinds[kind].attr);
}

void community_add_value(struct attrs_edit *e, uint32_t value)
{
	const struct community_pattern p = { .kind = COMMUNITY_PLAIN,
		                             .part = { value >> 16, value & UINT16_MAX } };

	community_add(e, &p);
}

void community_delete(struct attrs_edit *e, const struct community_pattern *pattern)
{
	enum community_kind kind = pattern->kind;
	struct blob *list = list_of(&e->a, kind);
	uint32_t size = kinds[kind].size, kept = 0;
	uint8_t *b;

	if (!community_list_match(kind, *list, pattern))
		return;
	b = attrs_edit_alloc(e, list->len);
	if (!b)
		return;
	for (uint32_t at = 0; at + size <= list->len; at += size) {
		if (!community_match(kind, list->p + at, pattern)) {
			memcpy(b + kept, list->p + at, size);
			kept += size;
		}
	}
	*list = (struct blob){ b, kept };
	if (kept == 0)
		community_clear(e, kind);
}

void community_clear(struct attrs_edit *e, enum community_kind kind)
{
	attrs_edit_clear(e, kinds[kind].attr);
}

/* ---- extended communities that mean something to us --------------------------------------------- */

#define EXT_NONTRANSITIVE 0x40u /* in the first byte */

static bool is_nontransitive(const uint8_t *ext)
{
	return ext[0] & EXT_NONTRANSITIVE;
}

void community_drop_nontransitive(struct attrs_edit *e)
{
	struct blob list = e->a.ext_communities;
	uint32_t size = kinds[COMMUNITY_EXT].size, kept = 0;
	bool any = false;
	uint8_t *b;

	for (uint32_t at = 0; at + size <= list.len; at += size)
		any |= is_nontransitive(list.p + at);
	b = any ? attrs_edit_alloc(e, list.len) : NULL;
	if (!b)
		return;
	for (uint32_t at = 0; at + size <= list.len; at += size) {
		if (is_nontransitive(list.p + at))
			continue;
		memcpy(b + kept, list.p + at, size);
		kept += size;
	}
	if (kept)
		e->a.ext_communities = (struct blob){ b, kept };
	else
		community_clear(e, COMMUNITY_EXT);
}

double community_link_bandwidth(struct blob ext)
{
	uint32_t size = kinds[COMMUNITY_EXT].size;

	for (uint32_t at = 0; at + size <= ext.len; at += size) {
		const uint8_t *c = ext.p + at;
		uint32_t bits = community_word(c + 4);
		float f;

		if ((c[0] & ~EXT_NONTRANSITIVE) != 0 || c[1] != (EXT_LINK_BW & 0xff))
			continue;
		memcpy(&f, &bits, sizeof(f));
		return f > 0 && f <= FLT_MAX ? f : 0;
	}
	return 0;
}
