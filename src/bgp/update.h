/* SPDX-License-Identifier: BSD-2-Clause */
/* update.h - UPDATE: decoding to views, encoding that packs NLRI behind one attribute set (RFC 4271 4.3, RFC
 * 4760, RFC 7606). Pure. */
#ifndef MCBGP_BGP_UPDATE_H
#define MCBGP_BGP_UPDATE_H

#include "bgp/attr.h"
#include "bgp/frame.h"

/** One decoded UPDATE. Everything points into the message or the codec's scratch: valid until either changes.
 */
struct update {
	/* Runs of a family that was not negotiated have FAM_COUNT and yield nothing. */
	struct nlri_run withdrawn, mp_withdrawn; /* to be walked with nlri_next(); empty runs yield nothing */
	struct nlri_run reach, mp_reach;
	struct attrs attrs;                    /* next_hop: NEXT_HOP's, for `reach` */
	struct ip mp_next_hop, mp_next_hop_ll; /* for mp_reach */
	struct blob raw_attrs;  /* the attributes as they came: equal bytes on one session mean equal sets */
	bool treat_as_withdraw; /* RFC 7606: reach and mp_reach are to be withdrawn, attrs must not be used */
	bool eor;               /* end-of-RIB (RFC 4724 2) for eor_family */
	enum family eor_family;
	struct attr_fault fault; /* the rest of it is set only when verdict is not ATTR_OK */
};

/** Decode the body of an UPDATE. false: the session ends with @out->fault.why. */
bool update_decode(struct reader body, const struct codec_ctx *c, struct update *out);

/** A message being packed: one attribute set (or none: withdraws) and as many NLRI as fit. */
struct update_packer {
	struct writer w; /* over the caller's buffer: at least the negotiated maximum, and cut to it */
	uint8_t *begin;
	uint8_t *len_at;       /* the length field of the run being filled; NULL: it ends with the message */
	uint8_t *attrs_len_at; /* NULL: no attributes before the run */
	size_t tail;           /* bytes parked at the end of the buffer that follow the run */
	enum family family;
	bool add_path, withdraw, mp;
	unsigned count;
};
/** Begin a message of at most @max bytes in @buf. @a: attributes shared by all, NULL for withdraws. IPv4 with
 * an IPv4 next hop uses the classic fields, everything else MP_REACH/MP_UNREACH, as the first attribute (RFC
 * 7606 5.1). @return false when the attributes alone do not fit @max, or the next hop is not one that this
 * session can carry for @f (IPv4 for IPv6 routes; IPv6 for IPv4 routes without RFC 8950). */
bool update_pack_begin(struct update_packer *p, uint8_t *buf, size_t max, const struct codec_ctx *c,
                       enum family f, const struct attrs *a);
/** Add one; false when it does not fit any more (end this message, begin another). */
bool update_pack_add(struct update_packer *p, const struct prefix *prefix, uint32_t path_id);
/** Fill in the lengths. @return bytes of the message, 0 when it holds no NLRI. */
size_t update_pack_end(struct update_packer *p);
/** End-of-RIB for @f, whole message (RFC 4724 2). */
void update_encode_eor(struct writer *w, enum family f);

#endif
