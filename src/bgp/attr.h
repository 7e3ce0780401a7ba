/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.h - the attribute table: one row an attribute, RFC 7606's verdict a column. Pure. */
#ifndef MCBGP_BGP_ATTR_H
#define MCBGP_BGP_ATTR_H

#include "bgp/attrs.h"
#include "bgp/nlri.h"
#include "bgp/notify.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum verdict { ATTR_OK, ATTR_DISCARD, ATTR_WITHDRAW, ATTR_RESET }; /* ordered: the strongest wins */

/** What decoding and encoding depend on. */
struct codec_ctx {
	bool as4; /* four-byte AS numbers on this session */
	bool ibgp;
	uint32_t families;        /* FAM_BIT()s negotiated */
	bool add_path[FAM_COUNT]; /* in the direction of this codec */
	uint32_t ext_next_hop;    /* FAM_BIT()s */
	uint8_t *scratch;   /* for what must be rewritten while decoding (two-byte paths, unknown attributes);
	                       encoding needs none */
	size_t scratch_len; /* 131072 serves any message but a two-byte path of 16,000 AS and more; what does
	                       not fit is withdrawn */
};

/** What was wrong, for the log and `show protocols all`: the first attribute with the strongest verdict. */
struct attr_fault {
	enum verdict verdict;
	uint8_t type;        /* attribute */
	const char *what;    /* static text */
	struct notify why;   /* what NOTIFICATION names it, when the session is to end */
	uint8_t excerpt[32]; /* the attribute's first bytes, flags first */
	uint8_t excerpt_len;
};

/** Record a fault of the attribute (or, @type 0, the message) whose bytes are @at[@len]. */
void attr_fault_set(struct attr_fault *f, enum verdict v, uint8_t type, uint8_t subcode, const char *what,
                    const uint8_t *at, size_t len);

/** MP_REACH_NLRI and MP_UNREACH_NLRI found on the way: views. */
struct mp_nlri {
	bool reach_seen, unreach_seen;
	bool others; /* attributes besides MP_UNREACH_NLRI were there, good or bad (RFC 7606 5.2) */
	struct nlri_run reach, unreach; /* family FAM_COUNT: one we do not speak, to be ignored */
	struct ip next_hop, next_hop_ll;
};

/** Decode the path attributes of one UPDATE into the view @a and @mp. Checks flags, lengths, duplicates,
 * leftovers; rows decide what a fault costs (RFC 7606 3 and 7). @f may be read when the result is not
 * ATTR_OK. */
enum verdict attrs_decode(struct reader r, const struct codec_ctx *c, struct attrs *a, struct mp_nlri *mp,
                          struct attr_fault *f);
/** Encode all of @a but next hop of MP families, in ascending type order. NEXT_HOP is written only when
 * next_hop is IPv4 and @with_next_hop; LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST only to internal peers,
 * whatever @a has. */
void attrs_encode(struct writer *w, const struct codec_ctx *c, const struct attrs *a, bool with_next_hop);
const char *attr_name(uint8_t type); /* "MED"; NULL when unknown */

#endif
