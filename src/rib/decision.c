/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the decision process (RFC 4271 9.1.2, RFC 4456 9, RFC 9494 4.3).
 *
 * Two paths are put side by side, and the first rule that tells them apart decides; that rule is part of the
 * answer. The rules up to the IGP metric are preferences; paths that tie there share the traffic. What
 * follows is there for a choice that is the same everywhere and every time.
 *
 * MED is compared between paths from the same neighboring AS only, so "better" is not transitive (RFC 3345):
 * with such paths the best of three may depend on the order in which they are compared. `always_compare_med`
 * makes the order total.
 *
 * Where the paths lie, and whether a next hop resolves, is known to the table that fills in the candidates.
 */
#include "rib/decision.h"

#include <assert.h>

static const char *const names[RULE_COUNT] = {
	[RULE_NONE] = "no difference",
	[RULE_ELIGIBLE] = "eligibility",
	[RULE_STALE] = "long-lived stale",
	[RULE_LOCAL] = "local origin",
	[RULE_LOCAL_PREF] = "local preference",
	[RULE_PATH_LEN] = "AS path length",
	[RULE_ORIGIN] = "origin",
	[RULE_MED] = "MED",
	[RULE_EBGP] = "eBGP over iBGP",
	[RULE_IGP_METRIC] = "IGP metric",
	[RULE_AGE] = "age",
	[RULE_ROUTER_ID] = "router id",
	[RULE_CLUSTER_LEN] = "cluster list length",
	[RULE_PEER_ADDRESS] = "peer address",
	[RULE_PATH_ID] = "path id",
};

const char *decision_rule_name(enum decision_rule r)
{
	assert(r < RULE_COUNT);
	return names[r];
}

/* Orders as decision_compare() has them: below zero, the first is better. */
static int higher(uint32_t a, uint32_t b)
{
	return (a < b) - (a > b);
}

static int lower(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static bool med_counts(const struct candidate *a, const struct candidate *b, const struct decision_options *o)
{
	return o->always_compare_med || a->neighbor_as == b->neighbor_as;
}

static bool age_counts(const struct candidate *a, const struct candidate *b, const struct decision_options *o)
{
	return o->prefer_oldest && a->ebgp && b->ebgp;
}

/* Arrival times wrap: of two, the earlier one is that from which the other is less than half the circle
 * ahead. */
static int earlier(uint32_t a, uint32_t b)
{
	const uint32_t half = UINT32_C(1) << 31;
	uint32_t ahead = b - a;

	return ahead == half ? 0 : (ahead > half) - (ahead > 0 && ahead < half);
}

struct verdict {
	enum decision_rule rule;
	int order;
};

/* Note what @rule says; true when it decides. */
static bool by(struct verdict *v, enum decision_rule rule, int order)
{
	*v = (struct verdict){ order ? rule : RULE_NONE, order };
	return order != 0;
}

/* The rules whose ties share the traffic. An ineligible path may be without attributes: nothing looks at them
 * when eligibility differs. */
static bool prefer(const struct candidate *a, const struct candidate *b, const struct decision_options *o,
                   struct verdict *v)
{
	/* clang-format off */
	return by(v, RULE_ELIGIBLE,   higher(a->eligible, b->eligible)) ||
	       by(v, RULE_STALE,      lower(a->stale, b->stale)) ||
	       by(v, RULE_LOCAL,      higher(a->local, b->local)) ||
	       by(v, RULE_LOCAL_PREF, higher(attrs_local_pref(a->attrs), attrs_local_pref(b->attrs))) ||
	       by(v, RULE_PATH_LEN,   lower(a->attrs->path_len, b->attrs->path_len)) ||
	       by(v, RULE_ORIGIN,     lower(a->attrs->origin, b->attrs->origin)) ||
	       by(v, RULE_MED,        med_counts(a, b, o) ? lower(a->attrs->med, b->attrs->med) : 0) ||
	       by(v, RULE_EBGP,       higher(a->ebgp, b->ebgp)) ||
	       by(v, RULE_IGP_METRIC, lower(a->igp_metric, b->igp_metric));
	/* clang-format on */
}

/* The rules that merely make the choice a definite one. */
static bool break_tie(const struct candidate *a, const struct candidate *b, const struct decision_options *o,
                      struct verdict *v)
{
	/* clang-format off */
	return by(v, RULE_AGE,          age_counts(a, b, o) ? earlier(a->since, b->since) : 0) ||
	       by(v, RULE_ROUTER_ID,    lower(a->router_id, b->router_id)) ||
	       by(v, RULE_CLUSTER_LEN,  lower(a->attrs->cluster_list.len, b->attrs->cluster_list.len)) ||
	       by(v, RULE_PEER_ADDRESS, ip_cmp(&a->peer_addr, &b->peer_addr)) ||
	       by(v, RULE_PATH_ID,      lower(a->path_id, b->path_id));
	/* clang-format on */
}

int decision_compare(const struct candidate *a, const struct candidate *b, const struct decision_options *o,
                     enum decision_rule *rule)
{
	struct verdict v;

	if (!prefer(a, b, o, &v))
		break_tie(a, b, o, &v);
	if (rule)
		*rule = v.rule;
	return v.order;
}

bool decision_multipath(const struct candidate *a, const struct candidate *b,
                        const struct decision_options *o)
{
	struct verdict v;

	return a->eligible && b->eligible && !a->local && !b->local && !prefer(a, b, o, &v);
}
