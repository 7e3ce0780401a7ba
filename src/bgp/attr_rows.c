/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the attribute table: a row each, and how values are read and written.
 *
 * A row's function judges the value alone; flags, length, duplicates and bytes left over are judged by the
 * loop in attr.c for all alike. RFC 4271 4.3, 5; RFC 7606 7; RFC 1997, 4360, 4456, 4760, 2545, 8950, 6793,
 * 7607, 8092, 9234. */
#include "bgp/aspath.h"
#include "bgp/attr_priv.h"

#define AGGREGATOR_LEN(as4) ((as4) ? 8u : 6u)
#define ANY_LEN             UINT16_MAX

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
const struct attr_ops attr_ops[256] = { /* no row: unknown */
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
