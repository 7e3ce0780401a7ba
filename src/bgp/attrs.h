/* SPDX-License-Identifier: BSD-2-Clause */
/* attrs.h - the decoded set of path attributes.
 *
 * One struct, two lives. As a *view* it sits on the caller's stack and its blobs point into somebody else's
 * bytes (a message just read, an edit's scratch space). Interned, it is immutable, counted, shared by every
 * path that carries the same attributes, and owns its bytes. attrs_intern() turns the first into the second.
 *
 * Blobs hold what the wire holds, in canonical form: AS_PATH with four-byte numbers, communities as
 * big-endian words. */
#ifndef MCBGP_BGP_ATTRS_H
#define MCBGP_BGP_ATTRS_H

#include "lib/prefix.h"
#include "mcbgp/bgp.h"

/* Packed to 12 bytes: a set has six of them, and a full table 170,000 sets. Read it and assign it, never
 * point into it. */
struct __attribute__((packed, aligned(4))) blob {
	const uint8_t *p;
	uint32_t len; /* bytes */
};

/* struct attrs.present: bit n is set when the attribute with type code n < 63 is there and known to us */
#define ATTR_BIT(type) (UINT64_C(1) << (type))

/* A bit of struct attrs.present that no attribute has: the community LLGR_STALE is among the others (RFC 9494
 * 4.1). attrs_intern() sees to it: only interned sets, and edits that began with one, have it. */
#define ATTRS_LONG_LIVED_STALE (UINT64_C(1) << 63)

/* struct attrs.partial: which optional transitive attributes came with the Partial bit, to be passed on (RFC
 * 4271 5) */
enum attr_partial {
	ATTR_PARTIAL_AGGREGATOR = 1 << 0,
	ATTR_PARTIAL_COMMUNITIES = 1 << 1,
	ATTR_PARTIAL_EXT_COMMUNITIES = 1 << 2,
	ATTR_PARTIAL_LARGE_COMMUNITIES = 1 << 3,
	ATTR_PARTIAL_OTC = 1 << 4,
};

/** An interned set under a number, half of a pointer's bytes; 0: none. */
typedef uint32_t attrs_id;

/* What is absent is zero, so that sets compare and hash as bytes: make one with `= { 0 }` or from another,
 * and take attributes away with attrs_edit_clear(). */
struct attrs {
	uint64_t present; /* ATTR_BIT() of what is there; LOCAL_PREF is absent on eBGP unless policy set it */
	uint32_t refs, hash; /* interned sets only, as is the next one */
	attrs_id id;
	uint32_t med; /* valid with its bit, as are all below */
	uint32_t local_pref;
	uint32_t originator_id; /* host byte order */
	uint32_t aggregator_as;
	uint32_t aggregator_id; /* host byte order */
	uint32_t otc;           /* RFC 9234 */
	uint16_t path_len;  /* AS_PATH length as the decision process counts it: a set is one, confederations
	                       none */
	uint8_t origin;     /* enum bgp_origin */
	uint8_t partial;    /* enum attr_partial bits */
	struct ip next_hop; /* BGP_ATTR_NEXT_HOP's bit covers MP_REACH's next hop too */
	struct ip next_hop_ll; /* link-local second next hop of RFC 2545, or IP_NONE */
	uint16_t weight; /* share of an ECMP set that policy gave it, 1..255; 0: none. Never on the wire */
	struct blob as_path;
	struct blob communities;       /* 4 bytes each */
	struct blob ext_communities;   /* 8 bytes each */
	struct blob large_communities; /* 12 bytes each */
	struct blob cluster_list;      /* 4 bytes each */
	struct blob unknown; /* optional transitive attributes we do not know: flags (Partial set), type,
	                        length (2), value; by type */
};

static inline bool attrs_has(const struct attrs *a, unsigned type)
{
	return a->present & ATTR_BIT(type);
}

/** The degree of preference where no LOCAL_PREF is: what everybody takes, and nobody specified. */
#define ATTRS_DEFAULT_LOCAL_PREF 100u

static inline uint32_t attrs_local_pref(const struct attrs *a)
{
	return attrs_has(a, BGP_ATTR_LOCAL_PREF) ? a->local_pref : ATTRS_DEFAULT_LOCAL_PREF;
}

/** The set of interned attributes of one table. */
struct attrs_set;
/** The interned set of that handle, borrowed: as long as somebody holds a reference. NULL for 0. */
struct attrs *attrs_at(const struct attrs_set *s, attrs_id id);
static inline attrs_id attrs_id_of(const struct attrs *a)
{
	return a ? a->id : 0;
}
struct attrs_set *attrs_set_new(void);    /* NULL: out of memory. Caller owns it */
void attrs_set_free(struct attrs_set *s); /* NULL is fine; every interned set must have been unreferenced */
/** The counted, immutable twin of @view: an existing one or a copy. The caller owns the new reference and may
 * drop the view's bytes. NULL: out of memory. */
struct attrs *attrs_intern(struct attrs_set *s, const struct attrs *view);
struct attrs *attrs_ref(struct attrs *a);
void attrs_unref(struct attrs_set *s, struct attrs *a); /* NULL is fine */
size_t attrs_set_count(const struct attrs_set *s);
size_t attrs_set_bytes(const struct attrs_set *s); /* asked of the allocator, for `show memory` */
/** Same attributes (everything but refs and hash)? */
bool attrs_equal(const struct attrs *a, const struct attrs *b);

/** A set being rewritten by policy: a view whose changed blobs live in its own scratch space. What does not
 * fit sets `bad` (the route is then rejected and counted), never overflows. About 64 KiB: one per table, not
 * on the stack of a deep call. */
struct attrs_edit {
	struct attrs a;
	bool bad;
	uint32_t used;
	uint8_t scratch[65536];
};
/** Begin with @from (borrowed: must outlive the edit; interned or a view). */
void attrs_edit_begin(struct attrs_edit *e, const struct attrs *from);
/** @n bytes of scratch, or NULL and `bad`. */
uint8_t *attrs_edit_alloc(struct attrs_edit *e, uint32_t n);
void attrs_edit_set_u32(struct attrs_edit *e, unsigned type,
                        uint32_t value); /* MED, LOCAL_PREF, ORIGINATOR_ID, OTC */
void attrs_edit_set_origin(struct attrs_edit *e, uint8_t origin);
void attrs_edit_set_next_hop(struct attrs_edit *e, const struct ip *nh);
void attrs_edit_clear(struct attrs_edit *e, unsigned type); /* absent from now on, its blob too */
/** Replace the AS_PATH by @path (checked, canonical; borrowed for the life of the edit), and path_len with
 * it. */
void attrs_edit_set_as_path(struct attrs_edit *e, struct blob path);
/** Put @as @times in front of the AS_PATH (RFC 4271 5.1.2 b: a new segment when the first is full or not a
 * sequence). */
void attrs_edit_prepend(struct attrs_edit *e, uint32_t as, unsigned times);

#endif
