/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: UPDATE
 *
 * Decoding finds the four runs of prefixes and proves each well-formed to its end before anything else is
 * believed: only then can "treat as withdraw" be carried out (RFC 7606 3 j). Then attr.c reads the
 * attributes; here is judged what takes both to see - an attribute that the prefixes need and lack, and an
 * error in a message that shows no prefix (RFC 7606 5.2). Nothing is allocated, nothing copied: the result is
 * views into the message.
 *
 * Packing writes attributes once and then prefixes until the message is full. MP_REACH_NLRI and
 * MP_UNREACH_NLRI go first (RFC 7606 5.1); since the run of prefixes then lies in front of the other
 * attributes, those wait at the end of the buffer and move up when the run is complete.
 *
 * RFC 4271 4.3, 6.3; RFC 4724 2; RFC 4760; RFC 7606; RFC 8654; RFC 8950. */
#include "bgp/update.h"

#include <assert.h>
#include <string.h>

#include "mcbgp/bgp.h"

/* ---- decoding ---- */

static bool reset(struct update *u, uint8_t subcode, const char *what)
{
	attr_fault_set(&u->fault, ATTR_RESET, 0, subcode, what, NULL, 0);
	return false;
}

/** A verdict on the message as a whole, unless a stronger one is there. */
static void judge(struct update *u, enum verdict v, uint8_t type, uint8_t subcode, const char *what)
{
	if (v <= u->fault.verdict)
		return;
	attr_fault_set(&u->fault, v, type, subcode, what, &type, type ? 1 : 0);
}

static struct nlri_run classic_run(const struct codec_ctx *c, struct reader r)
{
	return (struct nlri_run){ FAM_IPV4, c->add_path[FAM_IPV4], r };
}

/** The first attribute that prefixes must come with and these do not; 0: none (RFC 4271 5, RFC 7606 3 d, RFC
 * 4760 3). */
static uint8_t missing_attr(const struct update *u, const struct codec_ctx *c)
{
	uint64_t need = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH), lack;

	if (rd_left(&u->reach.r))
		need |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
	if (c->ibgp)
		need |= ATTR_BIT(BGP_ATTR_LOCAL_PREF);
	lack = need & ~u->attrs.present;
	return lack ? (uint8_t)__builtin_ctzll(lack) : 0;
}

/** Without IPv4 among the families, the classic fields mean nothing (RFC 4760 8). */
static void ignore_classic(struct update *u)
{
	if (rd_left(&u->withdrawn.r) || rd_left(&u->reach.r))
		judge(u, ATTR_DISCARD, 0, BGP_UPD_MALFORMED_ATTRS, "IPv4 was not negotiated");
	u->withdrawn.family = u->reach.family = FAM_COUNT;
}

/** RFC 4724 2: an UPDATE that says nothing at all, or an MP_UNREACH_NLRI that names nothing, alone. */
static void find_eor(struct update *u, const struct codec_ctx *c, const struct mp_nlri *mp)
{
	u->eor = false;
	u->eor_family = FAM_COUNT;
	if (rd_left(&u->withdrawn.r) || rd_left(&u->reach.r))
		return;
	if (!u->raw_attrs.len)
		u->eor_family = c->families & FAM_BIT(FAM_IPV4) ? FAM_IPV4 : FAM_COUNT;
	else if (mp->unreach_seen && !mp->others && !rd_left(&mp->unreach.r))
		u->eor_family = mp->unreach.family;
	u->eor = u->eor_family != FAM_COUNT;
}

bool update_decode(struct reader body, const struct codec_ctx *c, struct update *u)
{
	struct reader attrs;
	struct mp_nlri mp;
	uint8_t missing;
	bool reaches;

	u->withdrawn = classic_run(c, rd_sub(&body, rd_u16(&body)));
	attrs = rd_sub(&body, rd_u16(&body));
	if (body.bad)
		return reset(u, BGP_UPD_MALFORMED_ATTRS, "lengths exceed the message");
	u->reach = classic_run(c, body);
	if (!nlri_check(&u->withdrawn, NULL))
		return reset(u, BGP_UPD_BAD_NETWORK, "malformed withdrawn prefix");
	if (!nlri_check(&u->reach, NULL))
		return reset(u, BGP_UPD_BAD_NETWORK, "malformed prefix");

	u->raw_attrs = (struct blob){ attrs.p, (uint32_t)rd_left(&attrs) };
	u->fault.verdict = attrs_decode(attrs, c, &u->attrs, &mp, &u->fault);
	u->mp_reach = mp.reach;
	u->mp_withdrawn = mp.unreach;
	u->mp_next_hop = mp.next_hop;
	u->mp_next_hop_ll = mp.next_hop_ll;

	reaches = rd_left(&u->reach.r) || rd_left(&mp.reach.r);
	missing = reaches ? missing_attr(u, c) : 0;
	if (missing)
		judge(u, ATTR_WITHDRAW, missing, BGP_UPD_MISSING_WELLKNOWN, "missing");
	find_eor(u, c, &mp);
	if (!(c->families & FAM_BIT(FAM_IPV4)))
		ignore_classic(u);
	if (u->fault.verdict == ATTR_WITHDRAW && !reaches && mp.others)
		u->fault.verdict = ATTR_RESET; /* RFC 7606 5.2: whatever it reached for was not found */
	u->treat_as_withdraw = u->fault.verdict == ATTR_WITHDRAW;
	return u->fault.verdict != ATTR_RESET;
}

/* ---- packing ---- */

/** A 16-bit length to be filled in by length_end(). */
static uint8_t *length_begin(struct writer *w)
{
	return wr_skip(w, 2);
}

static void length_end(const struct writer *w, uint8_t *at)
{
	if (at && !w->bad)
		wr_put_u16(at, (uint16_t)(w->p - at - 2));
}

/** Head of an MP attribute up to its AFI and SAFI. @return its length field. */
static uint8_t *mp_begin(struct writer *w, uint8_t type, enum family f)
{
	uint8_t *len_at;

	wr_u8(w, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	wr_u8(w, type);
	len_at = length_begin(w);
	wr_u16(w, family_afi(f));
	wr_u8(w, BGP_SAFI_UNICAST);
	return len_at;
}

static void mp_put_next_hop(struct writer *w, const struct attrs *a)
{
	size_t n = ip_bytes(a->next_hop.family);
	bool both = a->next_hop.family == IP_V6 && a->next_hop_ll.family == IP_V6;

	wr_u8(w, (uint8_t)(both ? 2 * n : n));
	wr_bytes(w, a->next_hop.b, n);
	if (both)
		wr_bytes(w, a->next_hop_ll.b, n);
	wr_u8(w, 0); /* reserved */
}

/** Can this session carry @a's next hop for @f? */
static bool next_hop_fits(const struct codec_ctx *c, enum family f, const struct attrs *a)
{
	if (a->next_hop.family == IP_V4)
		return f == FAM_IPV4;
	return a->next_hop.family == IP_V6 && (f == FAM_IPV6 || c->ext_next_hop & FAM_BIT(f));
}

/** Encode the attributes that follow the run at the end of the buffer, and keep the run away from there. */
static void park_tail(struct update_packer *p, const struct codec_ctx *c, const struct attrs *a)
{
	struct writer *w = &p->w;
	uint8_t *begin = w->p;

	attrs_encode(w, c, a, false);
	if (w->bad)
		return;
	p->tail = (size_t)(w->p - begin);
	w->p = begin;
	w->end -= p->tail;
	memmove(w->end, begin, p->tail);
}

static void begin_withdraw(struct update_packer *p)
{
	if (!p->mp) {
		p->len_at = length_begin(&p->w);
		if (wr_room(&p->w) < 2) /* of no attributes, behind the run */
			p->w.bad = true;
		else
			p->w.end -= 2;
		return;
	}
	wr_u16(&p->w, 0);
	p->attrs_len_at = length_begin(&p->w);
	p->len_at = mp_begin(&p->w, BGP_ATTR_MP_UNREACH, p->family);
}

static void begin_reach(struct update_packer *p, const struct codec_ctx *c, const struct attrs *a)
{
	wr_u16(&p->w, 0);
	p->attrs_len_at = length_begin(&p->w);
	if (!p->mp) {
		attrs_encode(&p->w, c, a, true);
		length_end(&p->w, p->attrs_len_at);
		p->attrs_len_at = NULL; /* known already */
		return;
	}
	p->len_at = mp_begin(&p->w, BGP_ATTR_MP_REACH, p->family);
	mp_put_next_hop(&p->w, a);
	park_tail(p, c, a);
}

bool update_pack_begin(struct update_packer *p, uint8_t *buf, size_t max, const struct codec_ctx *c,
                       enum family f, const struct attrs *a)
{
	assert(max >= BGP_MAX_LEN && max <= BGP_MAX_LEN_EXT);
	*p = (struct update_packer){
		.w = wr_init(buf, max),
		.family = f,
		.add_path = c->add_path[f],
		.withdraw = !a,
		.mp = f != FAM_IPV4 || (a && a->next_hop.family != IP_V4),
	};
	if (a && !next_hop_fits(c, f, a))
		return false;
	p->begin = frame_begin(&p->w, BGP_MSG_UPDATE);
	if (a)
		begin_reach(p, c, a);
	else
		begin_withdraw(p);
	return !p->w.bad;
}

bool update_pack_add(struct update_packer *p, const struct prefix *prefix, uint32_t path_id)
{
	if (nlri_size(prefix, p->add_path) > wr_room(&p->w))
		return false;
	nlri_put(&p->w, prefix, p->add_path, path_id);
	p->count++;
	return true;
}

size_t update_pack_end(struct update_packer *p)
{
	struct writer *w = &p->w;

	if (!p->count)
		return 0;
	length_end(w, p->len_at);
	if (p->tail) {
		memmove(w->p, w->end, p->tail);
		w->end += p->tail;
		w->p += p->tail;
	}
	if (p->attrs_len_at) {
		length_end(w, p->attrs_len_at);
	} else if (p->withdraw) {
		w->end += 2;
		wr_u16(w, 0);
	}
	frame_end(w, p->begin);
	assert(!w->bad);
	return (size_t)(w->p - p->begin);
}

void update_encode_eor(struct writer *w, enum family f)
{
	uint8_t *begin = frame_begin(w, BGP_MSG_UPDATE), *attrs_len_at;

	wr_u16(w, 0);
	attrs_len_at = length_begin(w);
	length_end(w, attrs_len_at);
	if (f != FAM_IPV4) {
		length_end(w, mp_begin(w, BGP_ATTR_MP_UNREACH, f));
		length_end(w, attrs_len_at);
	}
	if (begin)
		frame_end(w, begin);
}
