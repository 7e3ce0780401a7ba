/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ptree.c - the Patricia tree against a plain array that is searched from end to end. */
#include "lib/ptree.h"
#include "unit/unit.h"

#include <string.h>

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

static const char *const texts[] = {
	"10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16",   "10.1.2.0/24",     "10.1.3.0/24",
	"11.0.0.0/8", "0.0.0.0/0",   "2001:db8::/32", "2001:db8::1/128", "::/0",
};
#define N_TEXTS UNIT_COUNT(texts)

struct fixture {
	struct ptree t;
	struct ptree_node n[N_TEXTS];
};

static void fill(struct fixture *f)
{
	ptree_init(&f->t);
	for (int i = 0; i < N_TEXTS; i++) {
		struct prefix p = prefix_of(texts[i]);

		ck_assert_ptr_null(ptree_insert(&f->t, &f->n[i], &p));
	}
	ck_assert_uint_eq(f->t.count, N_TEXTS);
}

static const struct {
	const char *ask, *find, *match; /* NULL: nothing */
} lookups[] = {
	{ "10.1.2.0/24", "10.1.2.0/24", "10.1.2.0/24" },
	{ "10.1.2.3/32", NULL, "10.1.2.0/24" },
	{ "10.1.0.0/20", NULL, "10.1.0.0/16" },
	{ "10.1.2.0/23", NULL, "10.1.0.0/16" }, /* a branch has this prefix */
	{ "10.2.0.0/16", NULL, "10.0.0.0/8" },
	{ "12.0.0.0/8", NULL, "0.0.0.0/0" },
	{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
	{ "2001:db8::2/128", NULL, "2001:db8::/32" },
	{ "2001:db8::1/128", "2001:db8::1/128", "2001:db8::1/128" },
	{ "fe80::/10", NULL, "::/0" },
};

static void check_node(const struct ptree_node *n, const char *want, const char *what)
{
	char buf[PREFIX_STRLEN];

	ck_assert_msg(!!n == !!want, "%s", what);
	if (n)
		ck_assert_str_eq(prefix_print(&n->prefix, buf), want);
}

START_TEST(lookup)
{
	struct prefix p = prefix_of(lookups[_i].ask);
	struct fixture f;

	fill(&f);
	check_node(ptree_find(&f.t, &p), lookups[_i].find, lookups[_i].ask);
	check_node(ptree_match(&f.t, &p), lookups[_i].match, lookups[_i].ask);
	if (p.len == ip_bits(p.addr.family))
		check_node(ptree_match_ip(&f.t, &p.addr), lookups[_i].match, lookups[_i].ask);
	ptree_fini(&f.t);
}
END_TEST

START_TEST(empty_tree)
{
	struct prefix p = prefix_of("10.0.0.0/8");
	struct ip none = { 0 };
	struct ptree t;

	ptree_init(&t);
	ck_assert_ptr_null(ptree_find(&t, &p));
	ck_assert_ptr_null(ptree_match(&t, &p));
	ck_assert_ptr_null(ptree_first_within(&t, &p));
	ck_assert_ptr_null(ptree_match_ip(&t, &none));
	ck_assert_ptr_null(ptree_first(&t));
	ptree_fini(&t);
}
END_TEST

START_TEST(second_of_a_prefix_is_told_the_first)
{
	struct ptree_node twin;
	struct fixture f;

	fill(&f);
	for (int i = 0; i < N_TEXTS; i++) {
		struct prefix p = prefix_of(texts[i]);

		ck_assert_ptr_eq(ptree_insert(&f.t, &twin, &p), &f.n[i]);
	}
	ck_assert_uint_eq(f.t.count, N_TEXTS);
	ptree_fini(&f.t);
}
END_TEST

START_TEST(less_specific)
{
	struct fixture f;

	fill(&f);
	check_node(ptree_less_specific(&f.n[3]), "10.1.0.0/16", "10.1.2.0/24");
	check_node(ptree_less_specific(&f.n[2]), "10.0.0.0/8", "10.1.0.0/16");
	check_node(ptree_less_specific(&f.n[0]), "0.0.0.0/0", "10.0.0.0/8");
	check_node(ptree_less_specific(&f.n[6]), NULL, "0.0.0.0/0");
	ptree_fini(&f.t);
}
END_TEST

START_TEST(walk_that_removes)
{
	struct fixture f;
	struct ptree_node *n, *next;
	size_t seen = 0;

	fill(&f);
	for (n = ptree_first(&f.t); n; n = next) {
		next = ptree_next(&f.t, n);
		ptree_remove(&f.t, n);
		memset(n, 0xa5, sizeof(*n));
		seen++;
	}
	ck_assert_uint_eq(seen, N_TEXTS);
	ck_assert_uint_eq(f.t.count, 0);
	ck_assert_ptr_null(f.t.root[0]);
	ck_assert_ptr_null(f.t.root[1]);
	ck_assert_ptr_null(f.t.spare);
	ptree_fini(&f.t);
}
END_TEST

/* ---- the model: nodes in an array, a flag for those in the tree -------------------------------- */

#define MODEL 400

struct model {
	struct ptree t;
	struct ptree_node node[MODEL];
	struct prefix prefix[MODEL];
	bool in[MODEL];
	size_t count;
	uint32_t seed;
};

/* Few distinct bits, so that prefixes nest, touch and meet often. */
static uint32_t draw(struct model *m, uint32_t below)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return (m->seed >> 8) % below;
}

static struct prefix draw_prefix(struct model *m)
{
	struct ip a = ip_v4(draw(m, 16) << 28 | draw(m, 16) << 8 | draw(m, 4));
	static const uint8_t lens[] = { 0, 1, 2, 3, 4, 8, 20, 21, 22, 23, 24, 30, 31, 32 };

	if (draw(m, 2)) {
		a.family = IP_V6;
		a.b[8] = (uint8_t)draw(m, 4);
		a.b[15] = (uint8_t)draw(m, 4);
		return prefix_make(&a, (uint8_t)(draw(m, 5) * 32));
	}
	return prefix_make(&a, lens[draw(m, sizeof(lens))]);
}

static int model_find(const struct model *m, const struct prefix *p)
{
	for (int i = 0; i < MODEL; i++) {
		if (m->in[i] && prefix_equal(&m->prefix[i], p))
			return i;
	}
	return -1;
}

static int model_match(const struct model *m, const struct prefix *p, int but)
{
	int best = -1;

	for (int i = 0; i < MODEL; i++) {
		if (m->in[i] && i != but && prefix_contains(&m->prefix[i], p) &&
		    (best < 0 || m->prefix[i].len > m->prefix[best].len))
			best = i;
	}
	return best;
}

/* The least, in the order of the walk, of those that lie within @p. */
static int model_within(const struct model *m, const struct prefix *p)
{
	int first = -1;

	for (int i = 0; i < MODEL; i++) {
		if (m->in[i] && prefix_contains(p, &m->prefix[i]) &&
		    (first < 0 || prefix_cmp(&m->prefix[i], &m->prefix[first]) < 0))
			first = i;
	}
	return first;
}

static const struct ptree_node *model_node(const struct model *m, int i)
{
	return i < 0 ? NULL : &m->node[i];
}

static void model_step(struct model *m)
{
	int i = (int)draw(m, MODEL), twin;

	if (m->in[i]) {
		ptree_remove(&m->t, &m->node[i]);
		m->in[i] = false;
		m->count--;
		return;
	}
	m->prefix[i] = draw_prefix(m);
	twin = model_find(m, &m->prefix[i]);
	ck_assert_ptr_eq(ptree_insert(&m->t, &m->node[i], &m->prefix[i]), model_node(m, twin));
	m->in[i] = twin < 0;
	m->count += m->in[i];
}

static void model_compare(struct model *m)
{
	struct prefix p = draw_prefix(m);
	const struct ptree_node *n, *before = NULL;
	size_t seen = 0;

	ck_assert_uint_eq(m->t.count, m->count);
	ck_assert_ptr_eq(ptree_find(&m->t, &p), model_node(m, model_find(m, &p)));
	ck_assert_ptr_eq(ptree_match(&m->t, &p), model_node(m, model_match(m, &p, -1)));
	ck_assert_ptr_eq(ptree_first_within(&m->t, &p), model_node(m, model_within(m, &p)));
	for (n = ptree_first(&m->t); n; before = n, n = ptree_next(&m->t, n)) {
		int i = (int)(n - m->node);

		ck_assert(!before || prefix_cmp(&before->prefix, &n->prefix) < 0);
		ck_assert_ptr_eq(ptree_less_specific(n), model_node(m, model_match(m, &m->prefix[i], i)));
		seen++;
	}
	ck_assert_uint_eq(seen, m->count);
}

static const uint32_t seeds[] = { 1, 20, 300 };

START_TEST(random_against_model)
{
	static struct model m;

	m = (struct model){ .seed = seeds[_i] };
	ptree_init(&m.t);
	for (int i = 0; i < 20000; i++) {
		model_step(&m);
		if (i % 50 == 0)
			model_compare(&m);
	}
	ptree_fini(&m.t); /* with nodes still in it: LeakSanitizer counts the branches */
}
END_TEST

UNIT_MAIN("ptree", UNIT_ROWS(lookup, lookups), UNIT(empty_tree), UNIT(second_of_a_prefix_is_told_the_first),
          UNIT(less_specific), UNIT(walk_that_removes), UNIT_ROWS(random_against_model, seeds))
