/* SPDX-License-Identifier: BSD-2-Clause */
/* filter.h - ordered terms of match and set over (prefix, attributes); the first accept or reject ends it,
 * falling off the end rejects. Built once by the loader, then immutable. Pure. */
#ifndef MCBGP_POLICY_FILTER_H
#define MCBGP_POLICY_FILTER_H

#include "bgp/attrs.h"
#include "bgp/community.h"
#include "policy/as_regex.h"
#include "policy/prefix_set.h"

enum route_source { SOURCE_BGP, SOURCE_STATIC, SOURCE_DIRECT };
#define SOURCE_BIT(s) (1u << (s))

enum filter_action { FILTER_CONTINUE, FILTER_ACCEPT, FILTER_REJECT };

/** Every key given must hold; within a key, any value. A key is absent when its pointer is NULL, its count 0
 * or its flag unset. Arrays are owned by the filter. */
struct filter_match {
	const struct prefix_set *
	        *prefix_sets; /* borrowed from the configuration snapshot, which outlives the filter */
	size_t n_prefix_sets;
	struct community_pattern
	        *communities; /* plain, ext and large mixed: per kind, any value; each kind given must hold */
	size_t n_communities;
	struct as_regex **as_paths; /* POSIX extended expressions over aspath_print()'s text */
	char **as_path_texts;       /* as they were written */
	size_t n_as_paths;
	char **peers; /* names of peers or groups the route came from */
	size_t n_peers;
	struct prefix *next_hops; /* that contain the next hop */
	size_t n_next_hops;
	uint32_t *meds, *local_prefs; /* an absent MED counts as 0, an absent LOCAL_PREF as 100, as in the
	                                 decision process */
	size_t n_meds, n_local_prefs;
	uint8_t sources;  /* SOURCE_BIT()s, 0: any */
	uint8_t families; /* FAM_BIT()s, 0: any */
	uint8_t origins;  /* 1 << BGP_ORIGIN_*, 0: any */
};

enum next_hop_action { NEXT_HOP_UNSET, NEXT_HOP_SELF, NEXT_HOP_KEEP, NEXT_HOP_ADDRESS };

struct community_edit {
	bool clear; /* set_community: drop all of this kind first */
	struct community_pattern *remove, *add;
	size_t n_remove, n_add;
};

struct filter_set {
	bool med_set, local_pref_set, origin_set, weight_set;
	uint32_t med, local_pref;
	uint8_t origin;
	uint16_t weight;  /* 1..255: share of an ECMP set */
	uint16_t prepend; /* times */
	uint8_t next_hop; /* enum next_hop_action */
	struct ip next_hop_addr;
	struct community_edit communities[3]; /* by enum community_kind; order: clear, remove, add */
};

/** A term that rejects sets nothing; in the others `set` takes effect before the next term is looked at. */
struct filter_term {
	struct filter_match match;
	struct filter_set set;
	enum filter_action action;
};

struct filter {
	char *name;
	struct filter_term *terms;
	size_t n_terms;
	/* Some term matches on the prefix or its family: the result depends on more than attributes and
	 * source. True until filter_seal() has found that none does. */
	bool uses_prefix;
};

/** What a route is, besides its attributes. Borrowed for the run. */
struct filter_route {
	const struct prefix *prefix; /* never NULL */
	const char *peer, *group;    /* it came from; NULL when not from a peer / not in a group */
	enum route_source source;
};

#define FILTER_TRACED 64u /* terms of which a run says whether they matched */

/** What running a filter leaves besides the edited attributes. */
struct filter_result {
	enum filter_action verdict; /* FILTER_ACCEPT or FILTER_REJECT */
	int term;                   /* the one that decided, from 0; -1: fell off the end */
	uint8_t next_hop;           /* enum next_hop_action asked for */
	uint16_t weight;            /* 0: not set */
	uint64_t matched;           /* bit i: term i matched, of the first FILTER_TRACED that were asked */
	bool changed;               /* attributes were rewritten: the edit must be interned anew */
	bool med_set;               /* by a term that matched: such a MED crosses the border of the AS */
};

/** Run @f on @e (begun with the route's attributes; rewritten by `set` of the terms that match). @local_as:
 * what prepend puts in. A `next_hop` of self is left to the caller, who knows the session: see
 * result->next_hop. If the edit overflows (e->bad), be it by what is set or by a path too long to be looked
 * at, the verdict is reject: a term that would have refused the route is never missed. Allocates nothing. */
void filter_run(const struct filter *f, const struct filter_route *r, uint32_t local_as, struct attrs_edit *e,
                struct filter_result *out);

/** Caller owns it, fills the terms in, and calls filter_seal(). Zeroed terms: no match keys, so they match
 * all; nothing set; continue. NULL: out of memory. */
struct filter *filter_new(const char *name, size_t n_terms);
/** The terms are complete: from now on @f is immutable. */
void filter_seal(struct filter *f);
/** Compile and append an as_path expression to @m. @return false: @err (size @len) says why the expression is
 * wrong. */
bool filter_match_add_as_path(struct filter_match *m, const char *regex, char *err, size_t len);
/** NULL is fine. Frees all arrays of the terms and the strings in them, which are malloc()ed. */
void filter_free(struct filter *f);
/** Same meaning, name aside? Compares prefix sets by content. May take the same values in another order for a
 * difference, which costs a re-evaluation and nothing else. For reload. */
bool filter_equal(const struct filter *a, const struct filter *b);

#endif
