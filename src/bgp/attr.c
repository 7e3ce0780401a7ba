/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: path attributes
 *
 * One row of attr_ops[] is all there is to know about an attribute on the wire: its flags, its length, who
 * may send it, what a fault costs, how its value is read and written. The decoding loop judges what is common
 * to all (flags, length, duplicates, bytes left over) and keeps the strongest verdict; a row's function
 * judges the value alone.
 *
 * RFC 7606 rules: nothing ends a session that can be contained. Reset is left for what hides the NLRI
 * themselves (MP_REACH_NLRI, MP_UNREACH_NLRI) and for unknown well-known attributes (RFC 4271 6.3). Which
 * attributes an UPDATE must have, and what a fault means for its prefixes, is for update.c; AS loops, first
 * AS and roles are for policy.
 *
 * RFC 4271 4.3, 5, 6.3; RFC 7606 3, 4, 7; RFC 1997, 4360, 4456, 4760, 2545, 8950, 6793, 7607, 8092, 9234. */
#include "bgp/attr_priv.h"

#include <assert.h>
#include <string.h>

#include "bgp/aspath.h"

#define FLAGS_CHECKED \
	(BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE) /* RFC 7606 3 c: these alone can be in conflict */

/* They belong to one message and leave no bit in a set. */
#define MESSAGE_ONLY                                                                                 \
	(ATTR_BIT(BGP_ATTR_MP_REACH) | ATTR_BIT(BGP_ATTR_MP_UNREACH) | ATTR_BIT(BGP_ATTR_AS4_PATH) | \
	 ATTR_BIT(BGP_ATTR_AS4_AGGREGATOR))

/* ---- verdicts ---- */

void attr_fault_set(struct attr_fault *f, enum verdict v, uint8_t type, uint8_t subcode, const char *what,
                    const uint8_t *at, size_t len)
{
	/* RFC 4271 6.3: list and path errors come without data, the others show the attribute */
	bool shown = subcode != BGP_UPD_MALFORMED_ATTRS && subcode != BGP_UPD_BAD_AS_PATH;

	f->verdict = v;
	f->type = type;
	f->what = what;
	f->excerpt_len = (uint8_t)(len < sizeof(f->excerpt) ? len : sizeof(f->excerpt));
	if (f->excerpt_len)
		memcpy(f->excerpt, at, f->excerpt_len);
	notify_set(&f->why, BGP_ERR_UPDATE, subcode, shown ? at : NULL, shown ? len : 0);
}

static void fault(struct decoder *d, enum verdict v, uint8_t subcode, const char *what)
{
	if (v <= d->worst)
		return;
	d->worst = v;
	attr_fault_set(d->fault, v, d->type, subcode, what, d->at, d->at_len);
}

const char *attr_name(uint8_t type)
{
	return attr_ops[type].name;
}

/* ---- decoding ---- */

static bool is_mp(uint8_t type)
{
	return type == BGP_ATTR_MP_REACH || type == BGP_ATTR_MP_UNREACH;
}

/** Set the bit of @type in @map. @return whether it was set before. */
static bool mark(uint64_t map[4], uint8_t type)
{
	uint64_t bit = UINT64_C(1) << (type % 64);
	bool was = map[type / 64] & bit;

	map[type / 64] |= bit;
	return was;
}

static void decode_unknown(struct decoder *d, uint8_t flags, struct reader value)
{
	if (!(flags & BGP_FLAG_OPTIONAL)) {
		fault(d, ATTR_RESET, BGP_UPD_UNKNOWN_WELLKNOWN, "unrecognized well-known attribute");
		return;
	}
	if (!(flags & BGP_FLAG_TRANSITIVE))
		return; /* RFC 4271 9: quietly ignored */
	mark(d->carried, d->type);
	d->opaque[d->type] = (struct opaque){ OPT_TRANSITIVE | BGP_FLAG_PARTIAL, value };
}

static bool out_of_scope(const struct attr_ops *o, const struct codec_ctx *c)
{
	return (o->scope == INTERNAL && !c->ibgp) || (o->scope == OLD_ONLY && c->as4);
}

static bool length_fits(const struct attr_ops *o, size_t len)
{
	return len >= o->min && len <= o->max && len % o->unit == 0;
}

static void decode_known(struct decoder *d, const struct attr_ops *o, uint8_t flags, struct reader value)
{
	if (out_of_scope(o, d->c)) {
		fault(d, ATTR_DISCARD, BGP_UPD_OPTIONAL_ATTR, "not to be sent by such a peer");
		return;
	}
	if ((flags & FLAGS_CHECKED) != o->flags) {
		fault(d, ATTR_WITHDRAW, BGP_UPD_ATTR_FLAGS, "wrong attribute flags");
		if (!is_mp(d->type)) /* the prefixes to withdraw are in there */
			return;
	}
	if (!length_fits(o, rd_left(&value))) {
		fault(d, o->if_bad, BGP_UPD_ATTR_LENGTH, "wrong length");
		return;
	}
	d->row = o;
	d->if_bad = o->if_bad;
	if (!o->decode(&value, d)) {
		fault(d, d->if_bad, o->error, d->what);
		return;
	}
	if (value.bad || rd_left(&value)) {
		fault(d, o->if_bad, BGP_UPD_ATTR_LENGTH, "bytes left over");
		return;
	}
	d->good |= ATTR_BIT(d->type);
	if (flags & BGP_FLAG_PARTIAL)
		d->a->partial |= o->partial;
}

static void decode_one(struct decoder *d, struct reader *r)
{
	const uint8_t *end = r->end;
	struct reader value;
	uint8_t flags;

	d->at = r->p;
	flags = rd_u8(r);
	d->type = rd_u8(r);
	value = rd_sub(r, flags & BGP_FLAG_EXTENDED ? rd_u16(r) : rd_u8(r));
	d->at_len = (size_t)((value.bad ? end : value.end) - d->at);
	d->mp->others |= d->type != BGP_ATTR_MP_UNREACH;
	if (value.bad) /* RFC 7606 4; the NLRI are found without it, unless they are what is cut */
		fault(d, is_mp(d->type) ? ATTR_RESET : ATTR_WITHDRAW, BGP_UPD_MALFORMED_ATTRS,
		      "runs past the end");
	else if (mark(d->seen, d->type)) /* RFC 7606 3 g */
		fault(d, is_mp(d->type) ? ATTR_RESET : ATTR_DISCARD, BGP_UPD_MALFORMED_ATTRS,
		      "appears twice");
	else if (attr_ops[d->type].decode)
		decode_known(d, &attr_ops[d->type], flags, value);
	else
		decode_unknown(d, flags, value);
}

/** RFC 6793 4.2.3: what an old speaker's AS_PATH and AGGREGATOR stand for. */
static void merge_as4(struct decoder *d)
{
	struct attrs *a = d->a;
	const uint8_t *begin = d->scratch.p;

	if (d->good & ATTR_BIT(BGP_ATTR_AGGREGATOR) && d->good & ATTR_BIT(BGP_ATTR_AS4_AGGREGATOR)) {
		if (a->aggregator_as != BGP_AS_TRANS)
			return; /* aggregated by an old speaker since: both AS4 attributes are stale */
		a->aggregator_as = d->as4_aggregator_as;
		a->aggregator_id = d->as4_aggregator_id;
	}
	if (!(d->good & ATTR_BIT(BGP_ATTR_AS_PATH)) || !(d->good & ATTR_BIT(BGP_ATTR_AS4_PATH)))
		return;
	aspath_merge(a->as_path, d->as4_path, &d->scratch);
	a->as_path = scratch_since(d, begin);
	a->path_len = aspath_len(a->as_path);
}

/** Gather what is carried unknown, by type, into one blob. */
static void collect_unknown(struct decoder *d)
{
	const uint8_t *begin = d->scratch.p;

	for (unsigned word = 0; word < 4; word++) {
		for (uint64_t left = d->carried[word]; left; left &= left - 1) {
			uint8_t type = (uint8_t)(word * 64 + (unsigned)__builtin_ctzll(left));
			const struct opaque *o = &d->opaque[type];

			wr_u8(&d->scratch, o->flags);
			wr_u8(&d->scratch, type);
			wr_u16(&d->scratch, (uint16_t)rd_left(&o->value));
			wr_bytes(&d->scratch, o->value.p, rd_left(&o->value));
		}
	}
	d->a->unknown = scratch_since(d, begin);
}

/** A decoder with everything set but opaque[], which is large and rarely used. */
static void decoder_init(struct decoder *d, const struct codec_ctx *c, struct attrs *a, struct mp_nlri *mp,
                         struct attr_fault *f)
{
	*a = (struct attrs){ 0 };
	*mp = (struct mp_nlri){ .reach.family = FAM_COUNT, .unreach.family = FAM_COUNT };
	d->c = c;
	d->a = a;
	d->mp = mp;
	d->fault = f;
	d->worst = ATTR_OK;
	d->good = 0;
	memset(d->seen, 0, sizeof(d->seen));
	memset(d->carried, 0, sizeof(d->carried));
	d->scratch = wr_init(c->scratch, c->scratch_len);
}

enum verdict attrs_decode(struct reader r, const struct codec_ctx *c, struct attrs *a, struct mp_nlri *mp,
                          struct attr_fault *f)
{
	struct decoder d;

	decoder_init(&d, c, a, mp, f);
	while (rd_left(&r))
		decode_one(&d, &r);
	if (!c->as4)
		merge_as4(&d);
	if (d.carried[0] | d.carried[1] | d.carried[2] | d.carried[3])
		collect_unknown(&d);
	if (d.scratch.bad)
		fault(&d, ATTR_WITHDRAW, BGP_UPD_MALFORMED_ATTRS, "attributes are too long");
	a->present = d.good & ~MESSAGE_ONLY;
	return d.worst;
}

/* ---- encoding ---- */

static void put_head(uint8_t *head, uint8_t flags, uint8_t type, size_t len)
{
	head[0] = len > UINT8_MAX ? flags | BGP_FLAG_EXTENDED : flags;
	head[1] = type;
	if (len > UINT8_MAX)
		wr_put_u16(head + 2, (uint16_t)len);
	else
		head[2] = (uint8_t)len;
}

static void encode_known(struct writer *w, const struct codec_ctx *c, const struct attrs *a, uint8_t type)
{
	const struct attr_ops *o = &attr_ops[type];
	uint8_t *head = wr_skip(w, 3), *value = w->p;
	size_t len;

	assert(o->encode);
	o->encode(w, o, c, a);
	if (w->bad)
		return;
	len = (size_t)(w->p - value);
	if (len > UINT8_MAX) { /* rare: the length takes a second byte */
		if (!wr_skip(w, 1))
			return;
		memmove(value + 1, value, len);
	}
	put_head(head, o->flags | (a->partial & o->partial ? BGP_FLAG_PARTIAL : 0), type, len);
}

/** Encode those of the unknown attributes left in @u whose type is below @limit. */
static void encode_unknown(struct writer *w, struct reader *u, unsigned limit)
{
	while (rd_left(u) >= 4 && u->p[1] < limit) {
		uint8_t flags = rd_u8(u), type = rd_u8(u);
		uint16_t len = rd_u16(u);
		const uint8_t *value = rd_take(u, len);
		uint8_t *head = wr_skip(w, len > UINT8_MAX ? 4 : 3);

		assert(!u->bad);
		if (head)
			put_head(head, flags, type, len);
		wr_bytes(w, value, len);
	}
}

/** ATTR_BIT() of what goes onto this session's wire. */
static uint64_t to_encode(const struct codec_ctx *c, const struct attrs *a, bool with_next_hop)
{
	uint64_t bits = a->present & ~ATTRS_LONG_LIVED_STALE;

	if (!with_next_hop || a->next_hop.family != IP_V4)
		bits &= ~ATTR_BIT(BGP_ATTR_NEXT_HOP);
	if (!c->as4 && attrs_has(a, BGP_ATTR_AS_PATH) && aspath_needs_as4(a->as_path))
		bits |= ATTR_BIT(BGP_ATTR_AS4_PATH);
	if (!c->as4 && attrs_has(a, BGP_ATTR_AGGREGATOR) && a->aggregator_as > UINT16_MAX)
		bits |= ATTR_BIT(BGP_ATTR_AS4_AGGREGATOR);
	return bits;
}

void attrs_encode(struct writer *w, const struct codec_ctx *c, const struct attrs *a, bool with_next_hop)
{
	struct reader unknown = rd_init(a->unknown.p, a->unknown.len);

	for (uint64_t left = to_encode(c, a, with_next_hop); left; left &= left - 1) {
		uint8_t type = (uint8_t)__builtin_ctzll(left);

		if (attr_ops[type].scope == INTERNAL && !c->ibgp)
			continue;
		encode_unknown(w, &unknown, type);
		encode_known(w, c, a, type);
	}
	encode_unknown(w, &unknown, 256);
}
