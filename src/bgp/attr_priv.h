/* SPDX-License-Identifier: BSD-2-Clause */
/* attr_priv.h - what a row of the attribute table is, and what its functions work with: shared by attr.c and
 * attr_rows.c, nobody else includes it. */
#ifndef MCBGP_BGP_ATTR_PRIV_H
#define MCBGP_BGP_ATTR_PRIV_H

#include "bgp/attr.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"

#define WELLKNOWN      BGP_FLAG_TRANSITIVE
#define OPTIONAL       BGP_FLAG_OPTIONAL
#define OPT_TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)

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

extern const struct attr_ops attr_ops[256]; /* by type; no decode: unknown */

/** A row's refusal, at the price its table row names ... */
static inline bool bad(struct decoder *d, const char *what)
{
	d->what = what;
	return false;
}

/** ... or at another. */
static inline bool bad_at(struct decoder *d, enum verdict v, const char *what)
{
	d->if_bad = v;
	return bad(d, what);
}

/** What has been written to the scratch space since @begin. */
static inline struct blob scratch_since(const struct decoder *d, const uint8_t *begin)
{
	return (struct blob){ begin, (uint32_t)(d->scratch.p - begin) };
}

#endif
