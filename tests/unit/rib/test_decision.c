/* SPDX-License-Identifier: BSD-2-Clause */
/* test_decision.c - each rule on its own, each rule against those below it, and what an order must be. */
#include "rib/decision.h"
#include "unit/unit.h"

#include <string.h>

/* Paths as one writes them down: what is not said is the same for all. */
struct path {
	bool ineligible, stale, local, ebgp, med_set, local_pref_set;
	uint32_t local_pref, med, igp_metric, neighbor_as, router_id, path_id, since;
	uint16_t path_len;
	uint8_t origin, clusters, peer;
};

static struct candidate candidate_of(const struct path *p, struct attrs *a)
{
	static const uint8_t clusters[4 * 256];

	*a = (struct attrs){ .med = p->med_set ? p->med : 0, .path_len = p->path_len, .origin = p->origin };
	a->cluster_list = (struct blob){ clusters, p->clusters * 4u };
	if (p->med_set)
		a->present |= ATTR_BIT(BGP_ATTR_MED);
	if (p->local_pref_set) {
		a->present |= ATTR_BIT(BGP_ATTR_LOCAL_PREF);
		a->local_pref = p->local_pref;
	}
	return (struct candidate){
		.attrs = a,
		.eligible = !p->ineligible,
		.stale = p->stale,
		.local = p->local,
		.ebgp = p->ebgp,
		.igp_metric = p->igp_metric,
		.neighbor_as = p->neighbor_as,
		.router_id = p->router_id,
		.peer_addr = ip_v4(p->peer),
		.path_id = p->path_id,
		.since = p->since,
	};
}

static int compare(const struct path *a, const struct path *b, const struct decision_options *o,
                   enum decision_rule *rule)
{
	struct attrs aa, ab;
	struct candidate ca = candidate_of(a, &aa), cb = candidate_of(b, &ab);

	return decision_compare(&ca, &cb, o, rule);
}

static bool multipath(const struct path *a, const struct path *b, const struct decision_options *o)
{
	struct attrs aa, ab;
	struct candidate ca = candidate_of(a, &aa), cb = candidate_of(b, &ab);

	return decision_multipath(&ca, &cb, o);
}

static const struct decision_options plain, always_med = { .always_compare_med = true },
                                            oldest = { .prefer_oldest = true };

#define EBGP .ebgp = true

static const struct {
	const char *what;
	enum decision_rule rule;
	struct path better, worse;
	const struct decision_options *o; /* NULL: plain */
} rules[] = {
	{ "eligible", RULE_ELIGIBLE, { 0 }, { .ineligible = true } },
	{ "stale", RULE_STALE, { 0 }, { .stale = true } },
	{ "local", RULE_LOCAL, { .local = true }, { 0 } },
	{ "higher preference",
	  RULE_LOCAL_PREF,
	  { .local_pref_set = true, .local_pref = 300 },
	  { .local_pref_set = true, .local_pref = 50 } },
	{ "absent is 100: above 99", RULE_LOCAL_PREF, { 0 }, { .local_pref_set = true, .local_pref = 99 } },
	{ "absent is 100: below 101", RULE_LOCAL_PREF, { .local_pref_set = true, .local_pref = 101 }, { 0 } },
	{ "preference is unsigned",
	  RULE_LOCAL_PREF,
	  { .local_pref_set = true, .local_pref = 4294967295 },
	  { .local_pref_set = true, .local_pref = 2147482623 } },
	{ "shorter path", RULE_PATH_LEN, { .path_len = 1 }, { .path_len = 2 } },
	{ "igp before egp", RULE_ORIGIN, { .origin = BGP_ORIGIN_IGP }, { .origin = BGP_ORIGIN_EGP } },
	{ "egp before incomplete",
	  RULE_ORIGIN,
	  { .origin = BGP_ORIGIN_EGP },
	  { .origin = BGP_ORIGIN_INCOMPLETE } },
	{ "lower MED", RULE_MED, { .med_set = true, .med = 5 }, { .med_set = true, .med = 4294967295 } },
	{ "no MED is the best one", RULE_MED, { 0 }, { .med_set = true, .med = 1 } },
	{ "MED of one neighbor AS",
	  RULE_MED,
	  { .neighbor_as = 65001, .med_set = true, .med = 5 },
	  { .neighbor_as = 65001, .med_set = true, .med = 6 } },
	{ "MED of two, always",
	  RULE_MED,
	  { .neighbor_as = 65001, .med_set = true, .med = 5 },
	  { .neighbor_as = 65002, .med_set = true, .med = 6 },
	  &always_med },
	{ "MED of two is not compared",
	  RULE_ROUTER_ID,
	  { .neighbor_as = 65001, .med_set = true, .med = 6, .router_id = 1 },
	  { .neighbor_as = 65002, .med_set = true, .med = 5, .router_id = 2 } },
	{ "eBGP", RULE_EBGP, { EBGP }, { 0 } },
	{ "nearer next hop", RULE_IGP_METRIC, { .igp_metric = 10 }, { .igp_metric = 4294967295 } },
	{ "oldest",
	  RULE_AGE,
	  { EBGP, .since = 5, .router_id = 2 },
	  { EBGP, .since = 6, .router_id = 1 },
	  &oldest },
	{ "oldest, the clock wrapped between them",
	  RULE_AGE,
	  { EBGP, .since = 4294967290, .router_id = 2 },
	  { EBGP, .since = 6, .router_id = 1 },
	  &oldest },
	{ "age does not count by default",
	  RULE_ROUTER_ID,
	  { EBGP, .since = 6, .router_id = 1 },
	  { EBGP, .since = 5, .router_id = 2 } },
	{ "nor between iBGP paths",
	  RULE_ROUTER_ID,
	  { .since = 6, .router_id = 1 },
	  { .since = 5, .router_id = 2 },
	  &oldest },
	{ "of one age",
	  RULE_ROUTER_ID,
	  { EBGP, .since = 5, .router_id = 1 },
	  { EBGP, .since = 5, .router_id = 2 },
	  &oldest },
	{ "router id", RULE_ROUTER_ID, { .router_id = 1 }, { .router_id = 0xc0a80001 } },
	{ "fewer reflectors", RULE_CLUSTER_LEN, { .clusters = 1 }, { .clusters = 2 } },
	{ "no reflector", RULE_CLUSTER_LEN, { 0 }, { .clusters = 1 } },
	{ "peer address", RULE_PEER_ADDRESS, { .peer = 1 }, { .peer = 2 } },
	{ "path id", RULE_PATH_ID, { .path_id = 1 }, { .path_id = 2 } },
	{ "the same", RULE_NONE, { 0 }, { 0 } },
	/* Each rule against the one below it, which has the other opinion. */
	{ "eligible, though stale", RULE_ELIGIBLE, { .stale = true }, { .ineligible = true } },
	{ "fresh, though learned", RULE_STALE, { 0 }, { .stale = true, .local = true } },
	{ "local, though less preferred", RULE_LOCAL, { .local = true, .local_pref_set = true }, { 0 } },
	{ "preferred, though longer",
	  RULE_LOCAL_PREF,
	  { .local_pref_set = true, .local_pref = 101, .path_len = 9 },
	  { 0 } },
	{ "shorter, though incomplete",
	  RULE_PATH_LEN,
	  { .origin = BGP_ORIGIN_INCOMPLETE },
	  { .path_len = 1 } },
	{ "igp, though MED", RULE_ORIGIN, { .med_set = true, .med = 9 }, { .origin = BGP_ORIGIN_EGP } },
	{ "MED, though iBGP", RULE_MED, { 0 }, { EBGP, .med_set = true, .med = 9 } },
	{ "eBGP, though farther", RULE_EBGP, { EBGP, .igp_metric = 9 }, { 0 } },
	{ "nearer, though younger",
	  RULE_IGP_METRIC,
	  { EBGP, .since = 2 },
	  { EBGP, .since = 1, .igp_metric = 1 },
	  &oldest },
	{ "router id, though reflected",
	  RULE_ROUTER_ID,
	  { .router_id = 1, .clusters = 3 },
	  { .router_id = 2 } },
	{ "fewer reflectors, though peer", RULE_CLUSTER_LEN, { .peer = 2 }, { .peer = 1, .clusters = 1 } },
	{ "peer, though path id",
	  RULE_PEER_ADDRESS,
	  { .peer = 1, .path_id = 2 },
	  { .peer = 2, .path_id = 1 } },
};

START_TEST(each_rule)
{
	const struct decision_options *o = rules[_i].o ? rules[_i].o : &plain;
	enum decision_rule there = RULE_COUNT, back = RULE_COUNT;
	int ab = compare(&rules[_i].better, &rules[_i].worse, o, &there);
	int ba = compare(&rules[_i].worse, &rules[_i].better, o, &back);

	ck_assert_msg(rules[_i].rule == RULE_NONE ? ab == 0 && ba == 0 : ab < 0 && ba > 0, "%s: %d %d",
	              rules[_i].what, ab, ba);
	ck_assert_msg(there == rules[_i].rule && back == there, "%s: by %s", rules[_i].what,
	              decision_rule_name(there));
	ck_assert_int_eq(compare(&rules[_i].better, &rules[_i].worse, o, NULL) < 0, ab < 0);
}
END_TEST

START_TEST(every_rule_has_a_name_and_a_row)
{
	for (unsigned r = 0; r < RULE_COUNT; r++) {
		bool found = false;

		for (int i = 0; i < UNIT_COUNT(rules); i++)
			found |= rules[i].rule == r;
		ck_assert_msg(found, "%u", r);
		ck_assert_ptr_nonnull(decision_rule_name(r));
		for (unsigned other = 0; other < r; other++)
			ck_assert_str_ne(decision_rule_name(r), decision_rule_name(other));
	}
}
END_TEST

/* ---- who shares the traffic ------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct path best, other;
	bool shares;
} sharers[] = {
	{ "the same", { 0 }, { 0 }, true },
	{ "two nodes", { .router_id = 1, .peer = 1 }, { .router_id = 2, .peer = 2 }, true },
	{ "two eBGP neighbors",
	  { EBGP, .neighbor_as = 1, .peer = 1 },
	  { EBGP, .neighbor_as = 2, .peer = 2 },
	  true },
	{ "reflected", { 0 }, { .clusters = 1 }, true },
	{ "two ages", { EBGP, .since = 1 }, { EBGP, .since = 2 }, true },
	{ "preference 100 and none", { .local_pref_set = true, .local_pref = 100 }, { 0 }, true },
	{ "unresolved", { 0 }, { .ineligible = true }, false },
	{ "both unresolved", { .ineligible = true }, { .ineligible = true }, false },
	{ "stale", { 0 }, { .stale = true }, false },
	{ "both stale", { .stale = true }, { .stale = true }, true },
	{ "local", { .local = true }, { .local = true }, false },
	{ "less preferred", { 0 }, { .local_pref_set = true, .local_pref = 99 }, false },
	{ "longer", { 0 }, { .path_len = 1 }, false },
	{ "origin", { 0 }, { .origin = 1 }, false },
	{ "MED", { .neighbor_as = 1 }, { .neighbor_as = 1, .med_set = true, .med = 1 }, false },
	{ "MED of another AS", { .neighbor_as = 1 }, { .neighbor_as = 2, .med_set = true, .med = 1 }, true },
	{ "iBGP beside eBGP", { EBGP }, { 0 }, false },
	{ "farther", { 0 }, { .igp_metric = 1 }, false },
};

START_TEST(share)
{
	ck_assert_msg(multipath(&sharers[_i].best, &sharers[_i].other, &plain) == sharers[_i].shares, "%s",
	              sharers[_i].what);
	ck_assert_msg(multipath(&sharers[_i].other, &sharers[_i].best, &plain) == sharers[_i].shares, "%s",
	              sharers[_i].what);
}
END_TEST

/* The table hands in an only eligible path without its attributes. */
START_TEST(ineligible_needs_no_attributes)
{
	struct candidate best = { .eligible = true }, refused = { 0 };
	enum decision_rule rule;

	ck_assert_int_lt(decision_compare(&best, &refused, &plain, &rule), 0);
	ck_assert_uint_eq(rule, RULE_ELIGIBLE);
	ck_assert(!decision_multipath(&best, &refused, &plain));
}
END_TEST

/* ---- what an order must be -------------------------------------------------------------------- */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

/* Two values for everything, so that ties are common and the rules far down are reached. */
static struct path draw_path(uint32_t *seed)
{
	uint32_t bits = draw(seed, 1u << 14) & draw(seed, 1u << 14);

	return (struct path){
		.ineligible = bits & 1,
		.stale = bits & 2,
		.local = bits & 4,
		.ebgp = bits & 8,
		.med_set = bits & 16,
		.med = draw(seed, 2),
		.local_pref_set = bits & 32,
		.local_pref = 99 + draw(seed, 3),
		.igp_metric = bits >> 6 & 1,
		.neighbor_as = draw(seed, 2),
		.router_id = bits >> 7 & 1,
		.path_id = bits >> 8 & 1,
		.since = draw(seed, 3),
		.path_len = bits >> 9 & 1,
		.origin = bits >> 10 & 1,
		.clusters = bits >> 11 & 1,
		.peer = bits >> 12 & 1,
	};
}

static const struct decision_options orders[] = {
	{ 0 },
	{ .always_compare_med = true },
};

START_TEST(random_order)
{
	uint32_t seed = 7;
	unsigned reached[RULE_COUNT] = { 0 };

	for (unsigned i = 0; i < 100000; i++) {
		struct path a = draw_path(&seed), b = draw_path(&seed), c = draw_path(&seed);
		enum decision_rule rule, back;
		int ab = compare(&a, &b, &orders[_i], &rule), ba = compare(&b, &a, &orders[_i], &back);

		ck_assert_int_eq(ab<0, ba> 0);
		ck_assert_int_eq(ab == 0, ba == 0);
		ck_assert_int_eq(ab == 0, rule == RULE_NONE);
		ck_assert_uint_eq(rule, back);
		reached[rule]++;
		if (multipath(&a, &b, &orders[_i]))
			ck_assert(rule == RULE_NONE || rule > RULE_IGP_METRIC);
		if (orders[_i].always_compare_med && ab < 0 && compare(&b, &c, &orders[_i], NULL) < 0)
			ck_assert_int_lt(compare(&a, &c, &orders[_i], NULL), 0);
	}
	for (unsigned r = 0; r < RULE_COUNT; r++)
		ck_assert_msg(reached[r] > 0 || r == RULE_AGE, "%s", decision_rule_name(r));
}
END_TEST

UNIT_MAIN("decision", UNIT_ROWS(each_rule, rules), UNIT(every_rule_has_a_name_and_a_row),
          UNIT_ROWS(share, sharers), UNIT(ineligible_needs_no_attributes), UNIT_ROWS(random_order, orders))
