/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: path attributes
 *
 * One row of ops[] is all there is to know about an attribute on the wire: its flags, its length, who may
 * send it, what a fault costs, how its value is read and written. The decoding loop judges what is common to
 * all (flags, length, duplicates, bytes left over) and keeps the strongest verdict; a row's function judges
 * the value alone.
 *
 * RFC 7606 rules: nothing ends a session that can be contained. Reset is left for what hides the NLRI
 * themselves (MP_REACH_NLRI, MP_UNREACH_NLRI) and for unknown well-known attributes (RFC 4271 6.3). Which
 * attributes an UPDATE must have, and what a fault means for its prefixes, is for update.c; AS loops, first
 * AS and roles are for policy.
 *
 * RFC 4271 4.3, 5, 6.3; RFC 7606 3, 4, 7; RFC 1997, 4360, 4456, 4760, 2545, 8950, 6793, 7607, 8092, 9234. */
#include "bgp/attr.h"

#include <assert.h>
#include <string.h>

#include "bgp/aspath.h"
#include "mcbgp/bgp.h"

#define AGGREGATOR_LEN(as4) ((as4) ? 8u : 6u)
#define FLAGS_CHECKED \
	(BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE) /* RFC 7606 3 c: these alone can be in conflict */
#define WELLKNOWN      BGP_FLAG_TRANSITIVE
#define OPTIONAL       BGP_FLAG_OPTIONAL
#define OPT_TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)
#define ANY_LEN        UINT16_MAX

/* They belong to one message and leave no bit in a set. */
#define MESSAGE_ONLY                                                                                 \
	(ATTR_BIT(BGP_ATTR_MP_REACH) | ATTR_BIT(BGP_ATTR_MP_UNREACH) | ATTR_BIT(BGP_ATTR_AS4_PATH) | \
	 ATTR_BIT(BGP_ATTR_AS4_AGGREGATOR))

/* An optional transitive attribute that has no row: carried as it came. */
struct opaque {
	uint8_t flags;
	struct reader value;
};

/* What lives as long as one set is being decoded. */
struct decoder {
	const struct codec_ctx *c;
	struct attrs *a;
	struct mp_nlri *mp;
	struct attr_fault *fault; /* written only for a verdict stronger than `worst` */
	enum verdict worst;

	uint8_t type; /* the attribute at hand, and its bytes from the flags on */
	const uint8_t *at;
	size_t at_len;
	const struct attr_ops *row;
	enum verdict if_bad; /* what a row's refusal costs, unless the row says otherwise */
	const char *what;    /* why a row refused */

	uint64_t good;                /* ATTR_BIT() of known attributes accepted */
	uint64_t seen[4], carried[4]; /* by type: met; to be found in opaque[] */
	struct writer scratch;
	struct blob as4_path;
	uint32_t as4_aggregator_as, as4_aggregator_id;
	struct opaque opaque[256]; /* valid where carried[] says so */
};

enum scope {
	FROM_ANY,
	INTERNAL, /* discarded from, and not sent to, external peers */
	OLD_ONLY, /* discarded from peers with four-byte AS numbers (RFC 6793 4.1) */
};

struct attr_ops {
	const char *name;
	uint8_t flags;
	enum scope scope;
	uint16_t min, max, unit; /* length of the value: bounds, and what it is a multiple of */
	enum verdict if_bad;
	uint8_t error;   /* UPDATE error subcode of a bad value */
	uint8_t partial; /* enum attr_partial */
	uint8_t field;   /* offset in struct attrs, for the functions that many rows share */
	bool (*decode)(struct reader *, struct decoder *);
	void (*encode)(struct writer *, const struct attr_ops *, const struct codec_ctx *,
	               const struct attrs *);
};

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

/** A row's refusal, at the price its table row names ... */
static bool bad(struct decoder *d, const char *what)
{
	d->what = what;
	return false;
}

/** ... or at another. */
static bool bad_at(struct decoder *d, enum verdict v, const char *what)
{
	d->if_bad = v;
	return bad(d, what);
}

/* ---- rows ---- */

static bool origin_decode(struct reader *r, struct decoder *d)
{
	d->a->origin = rd_u8(r);
	return d->a->origin <= BGP_ORIGIN_INCOMPLETE || bad(d, "undefined origin");
}

static void origin_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                          const struct attrs *a)
{
	(void)o;
	(void)c;
	wr_u8(w, a->origin);
}

/** Can an interface have it? (RFC 4271 6.3: a valid IP host address) */
static bool is_host_address(const struct ip *a)
{
	bool class_e = a->family == IP_V4 && a->b[0] >= 240;

	return !class_e && !ip_is_zero(a) && !ip_is_multicast(a) && !ip_is_loopback(a);
}

static bool next_hop_decode(struct reader *r, struct decoder *d)
{
	d->a->next_hop = ip_v4(rd_u32(r));
	return is_host_address(&d->a->next_hop) || bad(d, "next hop is not a host address");
}

static void next_hop_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                            const struct attrs *a)
{
	(void)o;
	(void)c;
	wr_bytes(w, a->next_hop.b, ip_bytes(IP_V4));
}

/** Attributes that are one number: it goes where the row says. */
static bool u32_decode(struct reader *r, struct decoder *d)
{
	*(uint32_t *)((uint8_t *)d->a + d->row->field) = rd_u32(r);
	return true;
}

static void u32_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                       const struct attrs *a)
{
	(void)c;
	wr_u32(w, *(const uint32_t *)((const uint8_t *)a + o->field));
}

/** Attributes that say all by being there. */
static bool mark_decode(struct reader *r, struct decoder *d)
{
	(void)r;
	(void)d;
	return true;
}

static void mark_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                        const struct attrs *a)
{
	(void)w;
	(void)o;
	(void)c;
	(void)a;
}

static struct blob take_all(struct reader *r)
{
	uint32_t n = (uint32_t)rd_left(r);

	return (struct blob){ rd_take(r, n), n };
}

static void put_blob(struct writer *w, struct blob b)
{
	wr_bytes(w, b.p, b.len);
}

/** Lists that are kept as the wire has them, where the row says. */
static bool list_decode(struct reader *r, struct decoder *d)
{
	*(struct blob *)((uint8_t *)d->a + d->row->field) = take_all(r);
	return true;
}

static void list_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                        const struct attrs *a)
{
	(void)c;
	put_blob(w, *(const struct blob *)((const uint8_t *)a + o->field));
}

/* ---- rows: AS numbers, in two or four bytes (RFC 6793) ---- */

/** What has been written to the scratch space since @begin. */
static struct blob scratch_since(const struct decoder *d, const uint8_t *begin)
{
	return (struct blob){ begin, (uint32_t)(d->scratch.p - begin) };
}

static bool as_path_decode(struct reader *r, struct decoder *d)
{
	struct attrs *a = d->a;

	if (!aspath_check(*r, d->c->as4 ? 4 : 2))
		return bad(d, "malformed AS_PATH");
	if (d->c->as4) {
		a->as_path = take_all(r);
	} else {
		const uint8_t *begin = d->scratch.p;

		aspath_widen(*r, &d->scratch);
		if (d->scratch.bad)
			return bad(d, "AS_PATH is too long");
		a->as_path = scratch_since(d, begin);
		take_all(r);
	}
	a->path_len = aspath_len(a->as_path);
	if (aspath_has_confed(a->as_path))
		return bad(d, "confederation segment from outside"); /* RFC 5065 5 */
	if (aspath_has_zero(a->as_path))
		return bad(d, "AS 0 in AS_PATH");
	return true;
}

static void as_path_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                           const struct attrs *a)
{
	(void)o;
	if (c->as4)
		put_blob(w, a->as_path);
	else
		aspath_narrow(a->as_path, w);
}

static bool aggregator_decode(struct reader *r, struct decoder *d)
{
	uint32_t as;

	if (rd_left(r) != AGGREGATOR_LEN(d->c->as4))
		return bad(d, "wrong length");
	as = d->c->as4 ? rd_u32(r) : rd_u16(r);
	if (!as) /* nothing of it may stay: the others are kept */
		return bad(d, "aggregator AS 0");
	d->a->aggregator_as = as;
	d->a->aggregator_id = rd_u32(r);
	return true;
}

static void aggregator_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                              const struct attrs *a)
{
	(void)o;
	if (c->as4)
		wr_u32(w, a->aggregator_as);
	else
		wr_u16(w, a->aggregator_as <= UINT16_MAX ? (uint16_t)a->aggregator_as : BGP_AS_TRANS);
	wr_u32(w, a->aggregator_id);
}

static bool as4_path_decode(struct reader *r, struct decoder *d)
{
	if (!aspath_check(*r, 4))
		return bad(d, "malformed AS4_PATH");
	d->as4_path = take_all(r);
	return !aspath_has_zero(d->as4_path) || bad(d, "AS 0 in AS4_PATH");
}

static void as4_path_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                            const struct attrs *a)
{
	(void)o;
	(void)c;
	aspath_without_confed(a->as_path, w);
}

static bool as4_aggregator_decode(struct reader *r, struct decoder *d)
{
	d->as4_aggregator_as = rd_u32(r);
	d->as4_aggregator_id = rd_u32(r);
	return d->as4_aggregator_as != 0 || bad(d, "aggregator AS 0");
}

static void as4_aggregator_encode(struct writer *w, const struct attr_ops *o, const struct codec_ctx *c,
                                  const struct attrs *a)
{
	(void)o;
	(void)c;
	wr_u32(w, a->aggregator_as);
	wr_u32(w, a->aggregator_id);
}

/* ---- rows: NLRI of other families (RFC 4760) ---- */

/** Take the rest of @r as a run of AFI/SAFI @afi/@safi. @return false: not negotiated; the run is then empty
 * of meaning. */
static bool mp_run(struct reader *r, const struct codec_ctx *c, uint16_t afi, uint8_t safi,
                   struct nlri_run *run)
{
	enum family f = family_from_wire(afi, safi);

	run->r = *r;
	rd_take(r, rd_left(r));
	if (f == FAM_COUNT || !(c->families & FAM_BIT(f)))
		return false;
	run->family = f;
	run->add_path = c->add_path[f];
	return true;
}

/** Who has no global address says so in one of three ways: the link-local one alone, twice, or behind "::".
 * Here it stands alone. */
static void normalize_next_hop(struct mp_nlri *mp)
{
	bool alone = ip_is_zero(&mp->next_hop) || ip_is_link_local(&mp->next_hop);

	if (!alone || mp->next_hop_ll.family == IP_NONE)
		return;
	mp->next_hop = mp->next_hop_ll;
	mp->next_hop_ll = (struct ip){ 0 };
}

/** RFC 4760 3, RFC 2545 3, RFC 8950 3: one address, or a global one and a link-local one. @return false: the
 * length is none of theirs. */
static bool mp_next_hop(struct reader *r, const struct codec_ctx *c, struct mp_nlri *mp)
{
	bool v4 = mp->reach.family == FAM_IPV4;
	size_t len = rd_left(r);

	if (v4 && len == ip_bytes(IP_V4)) {
		mp->next_hop = ip_from_bytes(IP_V4, rd_take(r, len));
		return true;
	}
	if ((len != ip_bytes(IP_V6) && len != 2 * ip_bytes(IP_V6)) ||
	    (v4 && !(c->ext_next_hop & FAM_BIT(FAM_IPV4))))
		return false;
	mp->next_hop = ip_from_bytes(IP_V6, rd_take(r, ip_bytes(IP_V6)));
	if (rd_left(r)) {
		struct ip second = ip_from_bytes(IP_V6, rd_take(r, ip_bytes(IP_V6)));

		if (ip_is_link_local(&second))
			mp->next_hop_ll = second;
	}
	normalize_next_hop(mp);
	return true;
}

static bool mp_reach_decode(struct reader *r, struct decoder *d)
{
	struct mp_nlri *mp = d->mp;
	uint16_t afi = rd_u16(r);
	uint8_t safi = rd_u8(r);
	struct reader next_hop = rd_sub(r, rd_u8(r));

	mp->reach_seen = true;
	rd_u8(r); /* reserved, RFC 4760 3 */
	if (r->bad)
		return bad(d, "next hop runs past the end");
	if (!mp_run(r, d->c, afi, safi, &mp->reach))
		return bad_at(d, ATTR_DISCARD, "family was not negotiated");
	if (!mp_next_hop(&next_hop, d->c, mp))
		return bad(d, "wrong length of the next hop");
	if (!nlri_check(&mp->reach, NULL))
		return bad(d, "malformed prefix");
	if (!is_host_address(&mp->next_hop))
		return bad_at(d, ATTR_WITHDRAW, "next hop is not a host address");
	return true;
}

static bool mp_unreach_decode(struct reader *r, struct decoder *d)
{
	struct mp_nlri *mp = d->mp;
	uint16_t afi = rd_u16(r);
	uint8_t safi = rd_u8(r);

	mp->unreach_seen = true;
	if (!mp_run(r, d->c, afi, safi, &mp->unreach))
		return bad_at(d, ATTR_DISCARD, "family was not negotiated");
	return nlri_check(&mp->unreach, NULL) || bad(d, "malformed prefix");
}

/* ---- the table ---- */

#define FIELD(f) offsetof(struct attrs, f)
/* clang-format off */
static const struct attr_ops ops[256] = { /* no row: unknown */
	/* name, flags, scope, length of the value: min, max, multiple of, what a fault costs,
	 *	error subcode of a bad value, partial bit, field, decode, encode */
	[BGP_ATTR_ORIGIN] = { "ORIGIN", WELLKNOWN, FROM_ANY, 1, 1, 1, ATTR_WITHDRAW,
		BGP_UPD_BAD_ORIGIN, 0, 0, origin_decode, origin_encode },
	[BGP_ATTR_AS_PATH] = { "AS_PATH", WELLKNOWN, FROM_ANY, 0, ANY_LEN, 2, ATTR_WITHDRAW,
		BGP_UPD_BAD_AS_PATH, 0, 0, as_path_decode, as_path_encode },
	[BGP_ATTR_NEXT_HOP] = { "NEXT_HOP", WELLKNOWN, FROM_ANY, 4, 4, 4, ATTR_WITHDRAW,
		BGP_UPD_BAD_NEXT_HOP, 0, 0, next_hop_decode, next_hop_encode },
	[BGP_ATTR_MED] = { "MED", OPTIONAL, FROM_ANY, 4, 4, 4, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, 0, FIELD(med), u32_decode, u32_encode },
	[BGP_ATTR_LOCAL_PREF] = { "LOCAL_PREF", WELLKNOWN, INTERNAL, 4, 4, 4, ATTR_WITHDRAW,
		BGP_UPD_ATTR_LENGTH, 0, FIELD(local_pref), u32_decode, u32_encode },
	[BGP_ATTR_ATOMIC_AGGREGATE] = { "ATOMIC_AGGREGATE", WELLKNOWN, FROM_ANY, 0, 0, 1, ATTR_DISCARD,
		BGP_UPD_ATTR_LENGTH, 0, 0, mark_decode, mark_encode },
	[BGP_ATTR_AGGREGATOR] = { "AGGREGATOR", OPT_TRANSITIVE, FROM_ANY, 6, 8, 2, ATTR_DISCARD,
		BGP_UPD_OPTIONAL_ATTR, ATTR_PARTIAL_AGGREGATOR, 0, aggregator_decode, aggregator_encode },
	[BGP_ATTR_COMMUNITIES] = { "COMMUNITIES", OPT_TRANSITIVE, FROM_ANY, 4, ANY_LEN, 4, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, ATTR_PARTIAL_COMMUNITIES, FIELD(communities), list_decode, list_encode },
	[BGP_ATTR_ORIGINATOR_ID] = { "ORIGINATOR_ID", OPTIONAL, INTERNAL, 4, 4, 4, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, 0, FIELD(originator_id), u32_decode, u32_encode },
	[BGP_ATTR_CLUSTER_LIST] = { "CLUSTER_LIST", OPTIONAL, INTERNAL, 4, ANY_LEN, 4, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, 0, FIELD(cluster_list), list_decode, list_encode },
	[BGP_ATTR_MP_REACH] = { "MP_REACH_NLRI", OPTIONAL, FROM_ANY, 5, ANY_LEN, 1, ATTR_RESET,
		BGP_UPD_OPTIONAL_ATTR, 0, 0, mp_reach_decode, NULL }, /* update.c packs it */
	[BGP_ATTR_MP_UNREACH] = { "MP_UNREACH_NLRI", OPTIONAL, FROM_ANY, 3, ANY_LEN, 1, ATTR_RESET,
		BGP_UPD_OPTIONAL_ATTR, 0, 0, mp_unreach_decode, NULL }, /* update.c packs it */
	[BGP_ATTR_EXT_COMMUNITIES] = { "EXTENDED_COMMUNITIES", OPT_TRANSITIVE, FROM_ANY, 8, ANY_LEN, 8, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, ATTR_PARTIAL_EXT_COMMUNITIES, FIELD(ext_communities), list_decode, list_encode },
	[BGP_ATTR_AS4_PATH] = { "AS4_PATH", OPT_TRANSITIVE, OLD_ONLY, 6, ANY_LEN, 2, ATTR_DISCARD,
		BGP_UPD_OPTIONAL_ATTR, 0, 0, as4_path_decode, as4_path_encode },
	[BGP_ATTR_AS4_AGGREGATOR] = { "AS4_AGGREGATOR", OPT_TRANSITIVE, OLD_ONLY, 8, 8, 8, ATTR_DISCARD,
		BGP_UPD_OPTIONAL_ATTR, 0, 0, as4_aggregator_decode, as4_aggregator_encode },
	[BGP_ATTR_LARGE_COMMUNITIES] = { "LARGE_COMMUNITIES", OPT_TRANSITIVE, FROM_ANY, 12, ANY_LEN, 12, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, ATTR_PARTIAL_LARGE_COMMUNITIES, FIELD(large_communities),
		list_decode, list_encode },
	[BGP_ATTR_OTC] = { "OTC", OPT_TRANSITIVE, FROM_ANY, 4, 4, 4, ATTR_WITHDRAW,
		BGP_UPD_OPTIONAL_ATTR, ATTR_PARTIAL_OTC, FIELD(otc), u32_decode, u32_encode },
};
/* clang-format on */

const char *attr_name(uint8_t type)
{
	return ops[type].name;
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
	else if (ops[d->type].decode)
		decode_known(d, &ops[d->type], flags, value);
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
	const struct attr_ops *o = &ops[type];
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

		if (ops[type].scope == INTERNAL && !c->ibgp)
			continue;
		encode_unknown(w, &unknown, type);
		encode_known(w, c, a, type);
	}
	encode_unknown(w, &unknown, 256);
}
