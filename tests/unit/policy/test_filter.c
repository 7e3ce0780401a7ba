/* SPDX-License-Identifier: BSD-2-Clause */
/* test_filter.c - what terms match and set, in which order, and what happens to a route that cannot be looked
 * at. */
#include "policy/filter.h"

#include "bgp/aspath.h"
#include "bgp/nlri.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <string.h>

#define LOCAL_AS 61113u

/* ---- routes and filters, in words ------------------------------------------------------------- */

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

/* A list with one entry, as the loader hands it over. */
static void *list_of(const void *entry, size_t size)
{
	void *list = malloc(size);

	ck_assert_ptr_nonnull(list);
	memcpy(list, entry, size);
	return list;
}

static struct community_pattern community(enum community_kind kind, const char *text)
{
	struct community_pattern p;
	const char *err;

	ck_assert_msg(community_parse(kind, text, &p, &err), "%s: %s", text, err);
	return p;
}

static void match_community(struct filter_match *m, enum community_kind kind, const char *text)
{
	m->communities = reallocarray(m->communities, m->n_communities + 1, sizeof(*m->communities));
	ck_assert_ptr_nonnull(m->communities);
	m->communities[m->n_communities++] = community(kind, text);
}

static void match_as_path(struct filter_match *m, const char *regex)
{
	char err[200];

	ck_assert_msg(filter_match_add_as_path(m, regex, err, sizeof(err)), "%s", err);
}

static void match_prefix_set(struct filter_match *m, const struct prefix_set *s)
{
	m->prefix_sets = list_of(&s, sizeof(s));
	m->n_prefix_sets = 1;
}

static void match_peer(struct filter_match *m, const char *name)
{
	char *copy = strdup(name);

	m->peers = list_of(&copy, sizeof(copy));
	m->n_peers = 1;
}

static void add_community(struct community_edit *e, enum community_kind kind, const char *text)
{
	struct community_pattern p = community(kind, text);

	e->add = list_of(&p, sizeof(p));
	e->n_add = 1;
}

static void remove_community(struct community_edit *e, enum community_kind kind, const char *text)
{
	struct community_pattern p = community(kind, text);

	e->remove = list_of(&p, sizeof(p));
	e->n_remove = 1;
}

static struct prefix_set *set_of(const char *text)
{
	struct prefix_set *s = prefix_set_new();
	struct prefix_pattern p;
	const char *err;

	ck_assert_msg(prefix_pattern_parse(text, &p, &err), "%s", err);
	ck_assert_int_eq(prefix_set_add(s, &p), 0);
	return s;
}

/* The route that all tests look at:
 * 10.232.64.0/26 from node1 of the group calico, path 65001 65002, next hop 10.0.0.243, MED 100, communities
 * 65000:1 and 65000:2, large 1:2:3, rt:65000:1 */
static const uint8_t path_wire[] = { 2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea };
static const uint8_t plain_wire[] = { 0xfd, 0xe8, 0, 1, 0xfd, 0xe8, 0, 2 };
static const uint8_t large_wire[] = { 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 };
static const uint8_t ext_wire[] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1 };

#define BLOB(b)                \
	{                      \
		(b), sizeof(b) \
	}

static struct attrs route_attrs(void)
{
	struct attrs a = {
		.present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		           ATTR_BIT(BGP_ATTR_NEXT_HOP) | ATTR_BIT(BGP_ATTR_MED) |
		           ATTR_BIT(BGP_ATTR_COMMUNITIES) | ATTR_BIT(BGP_ATTR_EXT_COMMUNITIES) |
		           ATTR_BIT(BGP_ATTR_LARGE_COMMUNITIES),
		.med = 100,
		.path_len = 2,
		.origin = BGP_ORIGIN_IGP,
		.as_path = BLOB(path_wire),
		.communities = BLOB(plain_wire),
		.ext_communities = BLOB(ext_wire),
		.large_communities = BLOB(large_wire),
	};

	a.next_hop = ip_v4(0x0a0000f3);
	return a;
}

static struct attrs_edit edit;

static struct filter_result run_on(const struct filter *f, const struct attrs *a,
                                   const struct filter_route *route)
{
	struct filter_result out;

	attrs_edit_begin(&edit, a);
	filter_run(f, route, LOCAL_AS, &edit, &out);
	return out;
}

static struct filter_result run(const struct filter *f)
{
	struct prefix p = prefix_of("10.232.64.0/26");
	struct filter_route route = { &p, "node1", "calico", SOURCE_BGP };
	static struct attrs a;

	a = route_attrs();
	return run_on(f, &a, &route);
}

/* A filter whose last term accepts all. */
static struct filter *filter_of(size_t n_terms)
{
	struct filter *f = filter_new("test", n_terms);

	ck_assert_ptr_nonnull(f);
	f->terms[n_terms - 1].action = FILTER_ACCEPT;
	return f;
}

/* ---- match ------------------------------------------------------------------------------------ */

#define U32(value) list_of(&(uint32_t){ value }, sizeof(uint32_t))

static void by_source(struct filter_match *m)
{
	m->sources = SOURCE_BIT(SOURCE_BGP);
}
static void by_other_source(struct filter_match *m)
{
	m->sources = SOURCE_BIT(SOURCE_STATIC) | SOURCE_BIT(SOURCE_DIRECT);
}
static void by_family(struct filter_match *m)
{
	m->families = FAM_BIT(FAM_IPV4);
}
static void by_other_family(struct filter_match *m)
{
	m->families = FAM_BIT(FAM_IPV6);
}
static void by_origin(struct filter_match *m)
{
	m->origins = 1 << BGP_ORIGIN_IGP | 1 << BGP_ORIGIN_EGP;
}
static void by_other_origin(struct filter_match *m)
{
	m->origins = 1 << BGP_ORIGIN_INCOMPLETE;
}
static void by_med(struct filter_match *m)
{
	m->meds = U32(100), m->n_meds = 1;
}
static void by_other_med(struct filter_match *m)
{
	m->meds = U32(0), m->n_meds = 1;
}
static void by_default_local_pref(struct filter_match *m)
{
	m->local_prefs = U32(100), m->n_local_prefs = 1;
}
static void by_other_local_pref(struct filter_match *m)
{
	m->local_prefs = U32(0), m->n_local_prefs = 1;
}
static void by_peer(struct filter_match *m)
{
	match_peer(m, "node1");
}
static void by_group(struct filter_match *m)
{
	match_peer(m, "calico");
}
static void by_other_peer(struct filter_match *m)
{
	match_peer(m, "node");
}
static void by_community(struct filter_match *m)
{
	match_community(m, COMMUNITY_PLAIN, "65000:2");
}
static void by_wild_community(struct filter_match *m)
{
	match_community(m, COMMUNITY_PLAIN, "65000:*");
}
static void by_other_community(struct filter_match *m)
{
	match_community(m, COMMUNITY_PLAIN, "65000:3");
}
static void by_large(struct filter_match *m)
{
	match_community(m, COMMUNITY_LARGE, "1:2:*");
}
static void by_ext(struct filter_match *m)
{
	match_community(m, COMMUNITY_EXT, "rt:65000:1");
}
static void by_path(struct filter_match *m)
{
	match_as_path(m, "^65001 65002$");
}
static void by_other_path(struct filter_match *m)
{
	match_as_path(m, "^65002");
}

static void by_next_hop_in(struct filter_match *m, const char *text)
{
	struct prefix p = prefix_of(text);

	m->next_hops = list_of(&p, sizeof(p));
	m->n_next_hops = 1;
}
static void by_next_hop(struct filter_match *m)
{
	by_next_hop_in(m, "10.0.0.243/32");
}
static void by_next_hop_net(struct filter_match *m)
{
	by_next_hop_in(m, "10.0.0.0/24");
}
static void by_other_next_hop(struct filter_match *m)
{
	by_next_hop_in(m, "10.0.1.0/24");
}

/* One value of several is enough ... */
static void by_one_of_communities(struct filter_match *m)
{
	by_other_community(m), by_community(m);
}
static void by_one_of_paths(struct filter_match *m)
{
	by_other_path(m), by_path(m);
}
/* ... within one kind, but each kind has to hold ... */
static void by_two_kinds(struct filter_match *m)
{
	by_one_of_communities(m), by_large(m), by_ext(m);
}
static void by_two_kinds_one_missing(struct filter_match *m)
{
	by_other_community(m), by_large(m);
}
/* ... and each key. */
static void by_two_keys(struct filter_match *m)
{
	by_med(m), by_community(m), by_path(m);
}
static void by_two_keys_one_missing(struct filter_match *m)
{
	by_med(m), by_other_path(m);
}
static void by_nothing(struct filter_match *m)
{
	(void)m;
}

static const struct {
	const char *what;
	void (*fill)(struct filter_match *m);
	bool match;
} matches[] = {
#define ROW(fill, match)           \
	{                          \
#fill, fill, match \
	}
	ROW(by_nothing, true),
	ROW(by_source, true),
	ROW(by_other_source, false),
	ROW(by_family, true),
	ROW(by_other_family, false),
	ROW(by_origin, true),
	ROW(by_other_origin, false),
	ROW(by_med, true),
	ROW(by_other_med, false),
	ROW(by_default_local_pref, true),
	ROW(by_other_local_pref, false),
	ROW(by_next_hop, true),
	ROW(by_next_hop_net, true),
	ROW(by_other_next_hop, false),
	ROW(by_peer, true),
	ROW(by_group, true),
	ROW(by_other_peer, false),
	ROW(by_community, true),
	ROW(by_wild_community, true),
	ROW(by_other_community, false),
	ROW(by_large, true),
	ROW(by_ext, true),
	ROW(by_path, true),
	ROW(by_other_path, false),
	ROW(by_one_of_communities, true),
	ROW(by_one_of_paths, true),
	ROW(by_two_kinds, true),
	ROW(by_two_kinds_one_missing, false),
	ROW(by_two_keys, true),
	ROW(by_two_keys_one_missing, false),
#undef ROW
};

START_TEST(match)
{
	struct filter *f = filter_of(1);
	struct filter_result out;

	matches[_i].fill(&f->terms[0].match);
	filter_seal(f);
	out = run(f);
	ck_assert_msg((out.verdict == FILTER_ACCEPT) == matches[_i].match, "%s", matches[_i].what);
	ck_assert_int_eq(out.term, matches[_i].match ? 0 : -1);
	ck_assert(!out.changed && !edit.bad);
	filter_free(f);
}
END_TEST

static const struct {
	const char *pattern;
	bool match;
} prefixes[] = { { "10.232.64.0/18+", true },
	         { "10.232.64.0/18", false },
	         { "10.232.64.0/18{26,26}", true },
	         { "10.232.64.0/27-", true } };

START_TEST(match_prefix)
{
	struct prefix_set *s = set_of(prefixes[_i].pattern), *other = set_of("192.0.2.0/24+");
	struct filter *f = filter_of(1);
	struct filter_match *m = &f->terms[0].match;

	match_prefix_set(m, s);
	ck_assert_int_eq(run(f).verdict == FILTER_ACCEPT, prefixes[_i].match);
	m->prefix_sets = reallocarray(m->prefix_sets, 2, sizeof(*m->prefix_sets));
	m->prefix_sets[1] = other; /* any of them */
	m->n_prefix_sets = 2;
	ck_assert_int_eq(run(f).verdict == FILTER_ACCEPT, prefixes[_i].match);
	filter_free(f);
	prefix_set_free(s);
	prefix_set_free(other);
}
END_TEST

/* A route without anything, from nobody. */
START_TEST(match_bare_route)
{
	static const struct {
		void (*fill)(struct filter_match *m);
		bool match;
	} rows[] = {
		{ by_nothing, true },         { by_other_med, true },     { by_default_local_pref, true },
		{ by_peer, false },           { by_next_hop_net, false }, { by_path, false },
		{ by_wild_community, false }, { by_large, false }
	};
	const struct attrs none = { 0 };
	struct prefix p = prefix_of("10.232.64.0/18");
	struct filter_route route = { &p, NULL, NULL, SOURCE_STATIC };

	for (int i = 0; i < UNIT_COUNT(rows); i++) {
		struct filter *f = filter_of(1);

		rows[i].fill(&f->terms[0].match);
		ck_assert_msg((run_on(f, &none, &route).verdict == FILTER_ACCEPT) == rows[i].match, "%d", i);
		filter_free(f);
	}
}
END_TEST

/* ---- the order of terms ----------------------------------------------------------------------- */

START_TEST(falling_off_the_end_rejects)
{
	struct filter *empty = filter_new("empty", 0), *f = filter_new("continues", 3);

	ck_assert_int_eq(run(empty).verdict, FILTER_REJECT);
	ck_assert_int_eq(run(f).verdict, FILTER_REJECT);
	ck_assert_int_eq(run(f).term, -1);
	filter_free(empty);
	filter_free(f);
	filter_free(NULL);
}
END_TEST

START_TEST(first_verdict_ends_it)
{
	struct filter *f = filter_of(4);

	by_other_med(&f->terms[0].match);
	f->terms[0].action = FILTER_REJECT;
	f->terms[2].action = FILTER_REJECT;
	f->terms[2].set.med_set = true; /* of no effect where the route is refused */
	ck_assert_int_eq(run(f).verdict, FILTER_REJECT);
	ck_assert_int_eq(run(f).term, 2);
	ck_assert(!run(f).changed && edit.a.med == 100);
	filter_free(f);
}
END_TEST

START_TEST(a_term_sees_what_those_before_it_set)
{
	struct filter *f = filter_of(4);

	add_community(&f->terms[0].set.communities[COMMUNITY_PLAIN], COMMUNITY_PLAIN, "65000:3");
	by_path(&f->terms[0].match); /* and the path as text is made before it changes */
	f->terms[0].set.prepend = 2;
	by_other_community(&f->terms[1].match);
	f->terms[1].set.med_set = true;
	match_as_path(&f->terms[2].match, "^61113 61113 65001 65002$");
	f->terms[2].set.local_pref_set = true;
	f->terms[2].set.local_pref = 500;
	by_other_med(&f->terms[3].match);
	ck_assert_int_eq(run(f).verdict, FILTER_ACCEPT);
	ck_assert_int_eq(run(f).term, 3);
	ck_assert_uint_eq(attrs_local_pref(&edit.a), 500);
	filter_free(f);
}
END_TEST

/* ---- set -------------------------------------------------------------------------------------- */

START_TEST(set_numbers)
{
	struct filter *f = filter_of(1);
	struct filter_set *s = &f->terms[0].set;
	struct filter_result out;

	*s = (struct filter_set){ .med_set = true,
		                  .med = 4294967295,
		                  .local_pref_set = true,
		                  .local_pref = 300,
		                  .origin_set = true,
		                  .origin = BGP_ORIGIN_INCOMPLETE };
	out = run(f);
	ck_assert(out.changed && out.med_set);
	ck_assert_uint_eq(edit.a.med, 4294967295);
	ck_assert_uint_eq(attrs_local_pref(&edit.a), 300);
	ck_assert_uint_eq(edit.a.origin, BGP_ORIGIN_INCOMPLETE);
	filter_free(f);
}
END_TEST

/* What is not an attribute changes none. */
START_TEST(set_weight_and_self)
{
	static const uint8_t asked[] = { NEXT_HOP_SELF, NEXT_HOP_KEEP };
	const struct attrs before = route_attrs();
	struct filter *f = filter_of(1);

	for (int i = 0; i < UNIT_COUNT(asked); i++) {
		struct filter_result out;

		f->terms[0].set =
		        (struct filter_set){ .weight_set = true, .weight = 7, .next_hop = asked[i] };
		out = run(f);
		ck_assert(!out.changed && !out.med_set);
		ck_assert_uint_eq(out.weight, 7);
		ck_assert_uint_eq(out.next_hop, asked[i]);
		ck_assert(attrs_equal(&edit.a, &before));
	}
	filter_free(f);
}
END_TEST

START_TEST(set_next_hop_address)
{
	struct filter *f = filter_of(1);
	struct filter_result out;

	f->terms[0].set.next_hop = NEXT_HOP_ADDRESS;
	f->terms[0].set.next_hop_addr = ip_v4(0xc0000201);
	out = run(f);
	ck_assert(out.changed && out.next_hop == NEXT_HOP_ADDRESS);
	ck_assert_uint_eq(ip_to_v4(&edit.a.next_hop), 0xc0000201);
	filter_free(f);
}
END_TEST

static void check_path(const char *want)
{
	char text[100];

	aspath_print(edit.a.as_path, text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(set_prepend)
{
	struct filter *f = filter_of(1);

	f->terms[0].set.prepend = 3;
	ck_assert(run(f).changed);
	check_path("61113 61113 61113 65001 65002");
	ck_assert_uint_eq(edit.a.path_len, 5);
	filter_free(f);
}
END_TEST

static void check_communities(const char *want)
{
	char text[200] = "";
	size_t n = 0;

	for (size_t at = 0; at < edit.a.communities.len; at += 4)
		n += community_print(COMMUNITY_PLAIN, edit.a.communities.p + at, text + n, sizeof(text) - n);
	ck_assert_str_eq(text, want);
	ck_assert_int_eq(attrs_has(&edit.a, BGP_ATTR_COMMUNITIES), *want != '\0');
}

/* Clear, remove, add, in this order. */
static const struct {
	const char *remove, *add;
	bool clear;
	const char *want;
} edits[] = {
	{ NULL, "65000:3", false, "(65000,1)(65000,2)(65000,3)" },
	{ NULL, "65000:1", false, "(65000,1)(65000,2)" },
	{ "65000:1", NULL, false, "(65000,2)" },
	{ "65000:*", NULL, false, "" },
	{ "65000:9", NULL, false, "(65000,1)(65000,2)" },
	{ "65000:*", "65000:1", false, "(65000,1)" },
	{ NULL, "1:1", true, "(1,1)" },
	{ NULL, NULL, true, "" },
};

START_TEST(set_communities)
{
	struct filter *f = filter_of(1);
	struct community_edit *c = &f->terms[0].set.communities[COMMUNITY_PLAIN];

	c->clear = edits[_i].clear;
	if (edits[_i].remove)
		remove_community(c, COMMUNITY_PLAIN, edits[_i].remove);
	if (edits[_i].add)
		add_community(c, COMMUNITY_PLAIN, edits[_i].add);
	ck_assert(run(f).changed);
	check_communities(edits[_i].want);
	ck_assert(attrs_has(&edit.a, BGP_ATTR_LARGE_COMMUNITIES) &&
	          attrs_has(&edit.a, BGP_ATTR_EXT_COMMUNITIES));
	filter_free(f);
}
END_TEST

START_TEST(set_other_kinds)
{
	struct filter *f = filter_of(1);
	struct community_edit *c = f->terms[0].set.communities;

	c[COMMUNITY_LARGE].clear = true;
	add_community(&c[COMMUNITY_EXT], COMMUNITY_EXT, "rt:65000:2");
	run(f);
	check_communities("(65000,1)(65000,2)");
	ck_assert(!attrs_has(&edit.a, BGP_ATTR_LARGE_COMMUNITIES));
	ck_assert_uint_eq(edit.a.ext_communities.len, 16);
	filter_free(f);
}
END_TEST

/* ---- what does not fit ------------------------------------------------------------------------ */

#define SEGMENTS 40u

/* A path of SEGMENTS * 255 numbers of ten digits: legal, and more text than the scratch space holds. */
static struct attrs long_route(uint8_t *bytes, size_t size, unsigned segments)
{
	struct writer w = wr_init(bytes, size);
	struct attrs a = route_attrs();

	for (unsigned s = 0; s < segments; s++) {
		wr_u8(&w, BGP_AS_SEQUENCE);
		wr_u8(&w, 255);
		for (unsigned i = 0; i < 255; i++)
			wr_u32(&w, 4200000000u + i);
	}
	ck_assert(!w.bad);
	a.as_path = (struct blob){ bytes, (uint32_t)(w.p - bytes) };
	return a;
}

START_TEST(path_too_long_to_look_at)
{
	static uint8_t bytes[SEGMENTS * (2 + 255 * 4)];
	struct attrs a = long_route(bytes, sizeof(bytes), SEGMENTS), shorter;
	struct prefix p = prefix_of("10.232.64.0/26");
	struct filter_route route = { &p, "node1", NULL, SOURCE_BGP };
	struct filter *f = filter_of(2);
	struct filter_result out;

	f->terms[0].action = FILTER_REJECT; /* what it says must not be missed */
	by_other_path(&f->terms[0].match);
	out = run_on(f, &a, &route);
	ck_assert_int_eq(out.verdict, FILTER_REJECT);
	ck_assert_int_eq(out.term, 0);
	ck_assert(edit.bad);
	shorter = long_route(bytes, sizeof(bytes), 4); /* the longest that a message of 4096 bytes has */
	ck_assert_int_eq(run_on(f, &shorter, &route).verdict, FILTER_ACCEPT);
	filter_free(f);
	f = filter_of(1); /* nobody looks at the path */
	ck_assert_int_eq(run_on(f, &a, &route).verdict, FILTER_ACCEPT);
	filter_free(f);
}
END_TEST

START_TEST(prepend_that_does_not_fit)
{
	struct filter *f = filter_of(2);
	struct filter_result out;

	f->terms[0].set.prepend = UINT16_MAX;
	out = run(f);
	ck_assert_int_eq(out.verdict, FILTER_REJECT);
	ck_assert_int_eq(out.term, 0);
	ck_assert(edit.bad);
	filter_free(f);
}
END_TEST

/* ---- for the loader and for reload ------------------------------------------------------------ */

START_TEST(seal)
{
	struct prefix_set *s = set_of("10.0.0.0/8+");
	struct filter *f = filter_of(2);

	ck_assert(f->uses_prefix); /* to be on the safe side */
	by_community(&f->terms[0].match);
	filter_seal(f);
	ck_assert(!f->uses_prefix);
	f->terms[1].match.families = FAM_BIT(FAM_IPV6);
	filter_seal(f);
	ck_assert(f->uses_prefix);
	f->terms[1].match.families = 0;
	match_prefix_set(&f->terms[1].match, s);
	filter_seal(f);
	ck_assert(f->uses_prefix);
	filter_free(f);
	prefix_set_free(s);
}
END_TEST

START_TEST(wrong_as_path)
{
	struct filter *f = filter_of(1);
	char err[200];

	ck_assert(!filter_match_add_as_path(&f->terms[0].match, "(65001", err, sizeof(err)));
	ck_assert_str_eq(err, "'(' without ')'");
	ck_assert_uint_eq(f->terms[0].match.n_as_paths, 0);
	by_path(&f->terms[0].match);
	ck_assert_str_eq(f->terms[0].match.as_path_texts[0], "^65001 65002$");
	filter_free(f);
}
END_TEST

static void set_med(struct filter_term *t)
{
	t->set.med_set = true, t->set.med = 1;
}
static void set_med_other(struct filter_term *t)
{
	t->set.med_set = true, t->set.med = 2;
}
static void set_med_unused(struct filter_term *t)
{
	t->set.med = 2;
}
static void set_local_pref(struct filter_term *t)
{
	t->set.local_pref_set = true;
}
static void set_origin(struct filter_term *t)
{
	t->set.origin_set = true;
}
static void set_weight(struct filter_term *t)
{
	t->set.weight_set = true, t->set.weight = 1;
}
static void set_prepend_1(struct filter_term *t)
{
	t->set.prepend = 1;
}
static void set_self(struct filter_term *t)
{
	t->set.next_hop = NEXT_HOP_SELF;
}
static void set_address(struct filter_term *t)
{
	t->set.next_hop = NEXT_HOP_ADDRESS, t->set.next_hop_addr = ip_v4(1);
}
static void set_address_other(struct filter_term *t)
{
	t->set.next_hop = NEXT_HOP_ADDRESS, t->set.next_hop_addr = ip_v4(2);
}
static void set_clear(struct filter_term *t)
{
	t->set.communities[COMMUNITY_LARGE].clear = true;
}
static void set_add(struct filter_term *t)
{
	add_community(&t->set.communities[COMMUNITY_PLAIN], COMMUNITY_PLAIN, "1:1");
}
static void set_add_other(struct filter_term *t)
{
	add_community(&t->set.communities[COMMUNITY_PLAIN], COMMUNITY_PLAIN, "1:2");
}
static void set_remove(struct filter_term *t)
{
	remove_community(&t->set.communities[COMMUNITY_PLAIN], COMMUNITY_PLAIN, "1:*");
}
static void set_reject(struct filter_term *t)
{
	t->action = FILTER_REJECT;
}
static void set_nothing(struct filter_term *t)
{
	(void)t;
}

static void (*const variants[])(struct filter_term *t) = {
	set_nothing,       set_med,       set_med_other, set_local_pref, set_origin,
	set_weight,        set_prepend_1, set_self,      set_address,    set_clear,
	set_address_other, set_add,       set_remove,    set_add_other,  set_reject,
};

static struct filter *variant(int i, int match_row)
{
	struct filter *f = filter_of(1);

	variants[i](&f->terms[0]);
	matches[match_row].fill(&f->terms[0].match);
	return f;
}

static void check_equal(struct filter *a, struct filter *b, bool want, const char *what)
{
	ck_assert_msg(filter_equal(a, b) == want && filter_equal(b, a) == want, "%s", what);
	filter_free(a);
	filter_free(b);
}

START_TEST(equal_if_same)
{
	for (int i = 0; i < UNIT_COUNT(variants); i++)
		for (int j = 0; j < UNIT_COUNT(variants); j++)
			check_equal(variant(i, 0), variant(j, 0), i == j, "set");
	for (int i = 0; i < UNIT_COUNT(matches); i++)
		for (int j = 0; j < UNIT_COUNT(matches); j++)
			check_equal(variant(0, i), variant(0, j), i == j, matches[i].what);
	check_equal(filter_of(1), filter_of(2), false, "number of terms");
}
END_TEST

START_TEST(equal_by_meaning)
{
	struct filter *a = filter_of(1), *b = filter_of(1);
	struct prefix_set *s = set_of("10.0.0.0/8+"), *same = set_of("10.0.0.0/8{8,32}"),
	                  *other = set_of("10.0.0.0/8");

	set_med_unused(&a->terms[0]);
	match_prefix_set(&a->terms[0].match, s);
	match_prefix_set(&b->terms[0].match, same);
	ck_assert(filter_equal(a, b));
	b->terms[0].match.prefix_sets[0] = other;
	ck_assert(!filter_equal(a, b));
	filter_free(a);
	filter_free(b);
	prefix_set_free(s);
	prefix_set_free(same);
	prefix_set_free(other);
}
END_TEST

UNIT_MAIN("filter", UNIT_ROWS(match, matches), UNIT_ROWS(match_prefix, prefixes), UNIT(match_bare_route),
          UNIT(falling_off_the_end_rejects), UNIT(first_verdict_ends_it),
          UNIT(a_term_sees_what_those_before_it_set), UNIT(set_numbers), UNIT(set_weight_and_self),
          UNIT(set_next_hop_address), UNIT(set_prepend), UNIT_ROWS(set_communities, edits),
          UNIT(set_other_kinds), UNIT(path_too_long_to_look_at), UNIT(prepend_that_does_not_fit), UNIT(seal),
          UNIT(wrong_as_path), UNIT(equal_if_same), UNIT(equal_by_meaning))
