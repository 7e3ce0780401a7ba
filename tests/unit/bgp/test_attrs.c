/* SPDX-License-Identifier: BSD-2-Clause */
/* Attribute sets: each kept once, counted, and rewritten without touching the original. */
#include "bgp/attrs.h"

#include "gen.h"
#include "unit/unit.h"

#define SETS 2000

static const uint8_t path_bytes[] = { 2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea };
static const uint8_t word[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static struct attrs sample(void)
{
	return (struct attrs){
		.present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		           ATTR_BIT(BGP_ATTR_NEXT_HOP) | ATTR_BIT(BGP_ATTR_COMMUNITIES),
		.next_hop = ip_v4(0xc0000201),
		.path_len = 2,
		.as_path = { path_bytes, sizeof(path_bytes) },
		.communities = { word, 4 },
	};
}

/* ---- equality ---- */

static const struct {
	const char *what;
	struct attrs other; /* added to the sample */
} differences[] = {
	{ "present", { .present = ATTR_BIT(BGP_ATTR_ATOMIC_AGGREGATE) } },
	{ "med", { .med = 1 } },
	{ "local_pref", { .local_pref = 1 } },
	{ "originator_id", { .originator_id = 1 } },
	{ "aggregator_as", { .aggregator_as = 1 } },
	{ "aggregator_id", { .aggregator_id = 1 } },
	{ "otc", { .otc = 1 } },
	{ "origin", { .origin = 1 } },
	{ "partial", { .partial = ATTR_PARTIAL_OTC } },
	{ "next hop", { .next_hop = { IP_V4, { 192, 0, 2, 2 } } } },
	{ "link-local", { .next_hop_ll = { IP_V6, { 0xfe, 0x80 } } } },
	{ "as path", { .as_path = { word, 10 } } },
	{ "communities", { .communities = { word + 4, 4 } } },
	{ "communities, longer", { .communities = { word, 8 } } },
	{ "extended communities", { .ext_communities = { word, 8 } } },
	{ "large communities", { .large_communities = { word, 12 } } },
	{ "cluster list", { .cluster_list = { word, 4 } } },
	{ "unknown", { .unknown = { word, 4 } } },
};

static struct attrs merged(const struct attrs *o)
{
	struct attrs a = sample();

	a.present |= o->present;
	a.med |= o->med;
	a.local_pref |= o->local_pref;
	a.originator_id |= o->originator_id;
	a.aggregator_as |= o->aggregator_as;
	a.aggregator_id |= o->aggregator_id;
	a.otc |= o->otc;
	a.origin |= o->origin;
	a.partial |= o->partial;
	if (o->next_hop.family)
		a.next_hop = o->next_hop;
	if (o->next_hop_ll.family)
		a.next_hop_ll = o->next_hop_ll;
	if (o->as_path.len)
		a.as_path = o->as_path;
	if (o->communities.len)
		a.communities = o->communities;
	if (o->ext_communities.len)
		a.ext_communities = o->ext_communities;
	if (o->large_communities.len)
		a.large_communities = o->large_communities;
	if (o->cluster_list.len)
		a.cluster_list = o->cluster_list;
	if (o->unknown.len)
		a.unknown = o->unknown;
	return a;
}

START_TEST(any_difference_counts)
{
	struct attrs_set *s = attrs_set_new();
	struct attrs a = sample(), b = merged(&differences[_i].other);
	struct attrs *ia = attrs_intern(s, &a), *ib = attrs_intern(s, &b);

	ck_assert_msg(!attrs_equal(&a, &b), "%s", differences[_i].what);
	ck_assert_msg(ia != ib, "%s", differences[_i].what);
	ck_assert_msg(attrs_equal(&a, ia) && attrs_equal(&b, ib), "%s", differences[_i].what);
	attrs_unref(s, ia);
	attrs_unref(s, ib);
	attrs_set_free(s);
}
END_TEST

/* ---- interning ---- */

START_TEST(long_lived_stale_sets_are_known_as_such)
{
	static const uint8_t stale[] = { 0xff, 0xff, 0, 5, 0xff, 0xff, 0, 6 };
	struct attrs_set *s = attrs_set_new();
	struct attrs view = sample();
	struct attrs *fresh, *marked, *cleared;

	fresh = attrs_intern(s, &view);
	view.communities = (struct blob){ stale, sizeof(stale) };
	marked = attrs_intern(s, &view);
	ck_assert(!(fresh->present & ATTRS_LONG_LIVED_STALE));
	ck_assert(marked->present & ATTRS_LONG_LIVED_STALE);
	view = *marked; /* as policy has it that takes the community away */
	view.communities = fresh->communities;
	cleared = attrs_intern(s, &view);
	ck_assert_ptr_eq(cleared, fresh);
	attrs_unref(s, cleared);
	attrs_unref(s, fresh);
	attrs_unref(s, marked);
	attrs_set_free(s);
}
END_TEST

START_TEST(equal_sets_are_one)
{
	struct attrs_set *s = attrs_set_new();
	uint8_t other_path[sizeof(path_bytes)];
	struct attrs a = sample(), b = sample();
	struct attrs *first, *second;

	memcpy(other_path, path_bytes, sizeof(path_bytes));
	b.as_path.p = other_path;
	b.refs = 7;
	b.hash = 7;
	first = attrs_intern(s, &a);
	second = attrs_intern(s, &b);
	ck_assert_ptr_eq(first, second);
	ck_assert_uint_eq(first->refs, 2);
	ck_assert_uint_eq(attrs_set_count(s), 1);
	ck_assert_ptr_eq(attrs_ref(first), second);
	attrs_unref(s, first);
	attrs_unref(s, first);
	ck_assert_uint_eq(attrs_set_count(s), 1);
	attrs_unref(s, first);
	ck_assert_uint_eq(attrs_set_count(s), 0);
	attrs_set_free(s);
}
END_TEST

START_TEST(an_interned_set_owns_its_bytes)
{
	struct attrs_set *s = attrs_set_new();
	uint8_t path[sizeof(path_bytes)];
	struct attrs view = sample(), want = sample();
	struct attrs *a;

	memcpy(path, path_bytes, sizeof(path));
	view.as_path.p = path;
	a = attrs_intern(s, &view);
	memset(path, 0xee, sizeof(path));
	ck_assert(attrs_equal(a, &want));
	ck_assert_ptr_null(a->unknown.p);
	attrs_unref(s, a);
	attrs_set_free(s);
}
END_TEST

/** Thousands of sets come and go in random order; what is held is always found, once. */
START_TEST(the_table_keeps_what_is_held)
{
	static struct attrs *held[SETS];
	struct attrs_set *s = attrs_set_new();
	size_t empty = attrs_set_bytes(s), count = 0;
	struct gen order = { .state = 3 };

	for (unsigned step = 0; step < 20 * SETS; step++) {
		unsigned i = gen_below(&order, SETS);
		struct gen g = { .state = i + 1 };
		struct attrs a;

		if (held[i] && gen_below(&order, 2)) {
			attrs_unref(s, held[i]);
			held[i] = NULL;
			count--;
			continue;
		}
		gen_attrs(&g, true, &a);
		if (held[i]) {
			struct attrs *again = attrs_intern(s, &a);

			ck_assert_msg(again == held[i], "set %u in step %u", i, step);
			attrs_unref(s, again);
		} else {
			held[i] = attrs_intern(s, &a);
			ck_assert(attrs_equal(held[i], &a));
			count++;
		}
		ck_assert_uint_eq(attrs_set_count(s), count);
	}
	ck_assert_uint_gt(attrs_set_bytes(s), count * sizeof(struct attrs));
	for (unsigned i = 0; i < SETS; i++)
		attrs_unref(s, held[i]);
	ck_assert_uint_eq(attrs_set_count(s), 0);
	ck_assert_uint_eq(attrs_set_bytes(s), empty);
	attrs_set_free(s);
}
END_TEST

START_TEST(null_is_fine)
{
	struct attrs_set *s = attrs_set_new();

	attrs_unref(s, NULL);
	attrs_set_free(s);
	attrs_set_free(NULL);
}
END_TEST

/* ---- rewriting ---- */

static struct attrs_edit edit;

START_TEST(what_is_set_can_be_cleared)
{
	struct attrs a = sample(), all;
	struct gen g = { .state = 11 };
	struct ip nh = ip_v4(0x0a000001);

	attrs_edit_begin(&edit, &a);
	attrs_edit_set_u32(&edit, BGP_ATTR_MED, 5);
	attrs_edit_set_u32(&edit, BGP_ATTR_LOCAL_PREF, 6);
	attrs_edit_set_u32(&edit, BGP_ATTR_ORIGINATOR_ID, 7);
	attrs_edit_set_u32(&edit, BGP_ATTR_OTC, 8);
	attrs_edit_set_origin(&edit, BGP_ORIGIN_EGP);
	attrs_edit_set_next_hop(&edit, &nh);
	ck_assert(edit.a.med == 5 && edit.a.local_pref == 6 && edit.a.originator_id == 7 && edit.a.otc == 8);
	ck_assert(edit.a.origin == BGP_ORIGIN_EGP && ip_equal(&edit.a.next_hop, &nh));
	attrs_edit_clear(&edit, BGP_ATTR_MED);
	attrs_edit_clear(&edit, BGP_ATTR_LOCAL_PREF);
	attrs_edit_clear(&edit, BGP_ATTR_ORIGINATOR_ID);
	attrs_edit_clear(&edit, BGP_ATTR_OTC);
	attrs_edit_set_origin(&edit, a.origin);
	attrs_edit_set_next_hop(&edit, &a.next_hop);
	ck_assert(attrs_equal(&edit.a, &a) && !edit.bad);

	do
		gen_attrs(&g, true, &all);
	while (!all.unknown.len || !attrs_has(&all, BGP_ATTR_OTC) || !attrs_has(&all, BGP_ATTR_AGGREGATOR));
	attrs_edit_begin(&edit, &all);
	for (unsigned type = 0; type < 64; type++)
		if (attrs_has(&edit.a, type))
			attrs_edit_clear(&edit, type);
	edit.a.unknown = (struct blob){ 0 };
	ck_assert(attrs_equal(&edit.a, &(struct attrs){ 0 }));
}
END_TEST

START_TEST(prepend_lengthens_the_path)
{
	struct attrs a = sample(), before = a;
	char text[64];

	attrs_edit_begin(&edit, &a);
	attrs_edit_prepend(&edit, 4200000001u, 2);
	aspath_print(edit.a.as_path, text, sizeof(text));
	ck_assert_str_eq(text, "4200000001 4200000001 65001 65002");
	ck_assert_uint_eq(edit.a.path_len, 4);
	ck_assert(attrs_equal(&a, &before));

	attrs_edit_begin(&edit, &(struct attrs){ 0 });
	attrs_edit_prepend(&edit, 1, 600);
	ck_assert_uint_eq(edit.a.path_len, 600);
	ck_assert(attrs_has(&edit.a, BGP_ATTR_AS_PATH));
}
END_TEST

START_TEST(too_much_is_refused)
{
	struct attrs a = sample();

	attrs_edit_begin(&edit, &a);
	ck_assert_ptr_nonnull(attrs_edit_alloc(&edit, sizeof(edit.scratch)));
	ck_assert(!edit.bad);
	ck_assert_ptr_null(attrs_edit_alloc(&edit, 1));
	ck_assert(edit.bad);

	attrs_edit_begin(&edit, &a);
	attrs_edit_prepend(&edit, 1, 20000);
	ck_assert(edit.bad && attrs_equal(&edit.a, &a));
}
END_TEST

UNIT_MAIN("attrs", UNIT_ROWS(any_difference_counts, differences), UNIT(equal_sets_are_one),
          UNIT(long_lived_stale_sets_are_known_as_such), UNIT(an_interned_set_owns_its_bytes),
          UNIT(the_table_keeps_what_is_held), UNIT(null_is_fine), UNIT(what_is_set_can_be_cleared),
          UNIT(prepend_lengthens_the_path), UNIT(too_much_is_refused))
