/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: sets of prefix patterns.
 *
 * A pattern looks up or down. Most look down: they match what lies within their prefix and has a certain
 * length, so those that may match a route are on the way from the root of a tree to that route. The form with
 * "-" looks up: it matches what contains its prefix, so one of them matches a route when any lies within that
 * route. The two kinds live in two trees, and each question is one descent.
 *
 * What the name of a set is and where it is used is not known here. */
#include "policy/prefix_set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/ptree.h"
#include "lib/text.h"

/* ---- patterns --------------------------------------------------------------------------------- */

static bool looks_up(const struct prefix_pattern *p)
{
	return p->min_len < p->prefix.len;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* Digits with blanks around them. @return where they end; NULL: no digits, or more than a length can have. */
static const char *parse_len(const char *s, unsigned *out)
{
	const char *begin = skip_blanks(s), *end = begin;
	unsigned v = 0;

	for (; *end >= '0' && *end <= '9' && end - begin < 3; end++)
		v = v * 10 + (unsigned)(*end - '0');
	*out = v;
	return end == begin ? NULL : skip_blanks(end);
}

/* "from,to}" behind the brace. @return NULL, or what is wrong. */
static const char *parse_lengths(const char *s, struct prefix_pattern *p)
{
	unsigned from, to;

	s = parse_len(s, &from);
	if (!s || *s != ',')
		return "after '{' come two lengths and '}', such as {24,28}";
	s = parse_len(s + 1, &to);
	if (!s || s[0] != '}' || s[1] != '\0')
		return "after '{' come two lengths and '}', such as {24,28}";
	if (to > ip_bits(p->prefix.addr.family))
		return "a length in {from,to} is more than the address has: at most 32 for IPv4, 128 for "
		       "IPv6";
	if (from > to)
		return "{from,to} is the wrong way round: the smaller length comes first";
	if (from < p->prefix.len)
		return "{from,to} begins below the prefix's own length: nothing within it is that short";
	p->min_len = (uint8_t)from;
	p->max_len = (uint8_t)to;
	return NULL;
}

/* What follows the prefix. @return NULL, or what is wrong. */
static const char *parse_suffix(const char *s, struct prefix_pattern *p)
{
	p->min_len = p->max_len = p->prefix.len;
	if (s[0] == '{')
		return parse_lengths(s + 1, p);
	if (s[0] == '+')
		p->max_len = ip_bits(p->prefix.addr.family);
	else if (s[0] == '-')
		p->min_len = 0;
	else
		return NULL;
	return s[1] ? "nothing may follow '+' or '-'" : NULL;
}

/* The prefix before the suffix: @n characters. @return NULL, or what is wrong. */
static const char *parse_base(const char *text, size_t n, struct prefix *out)
{
	char buf[PREFIX_STRLEN];

	if (n >= sizeof(buf) || !memchr(text, '/', n))
		return "not a prefix: an address and a length, such as 10.0.0.0/8";
	memcpy(buf, text, n);
	buf[n] = '\0';
	if (!prefix_parse(buf, false, out))
		return "not a prefix: an address and a length, such as 10.0.0.0/8";
	if (!prefix_parse(buf, true, out))
		return "bits are set behind the prefix's length: 10.1.0.0/8 would be 10.0.0.0/8";
	return NULL;
}

bool prefix_pattern_parse(const char *text, struct prefix_pattern *out, const char **err)
{
	size_t base = strcspn(text, "+-{");
	struct prefix_pattern p = { 0 };

	*err = parse_base(text, base, &p.prefix);
	if (!*err)
		*err = parse_suffix(text + base, &p);
	if (*err)
		return false;
	*out = p;
	return true;
}

char *prefix_pattern_print(const struct prefix_pattern *p, char *buf, size_t size)
{
	struct text t = text_init(buf, size);
	char prefix[PREFIX_STRLEN];

	text_str(&t, prefix_print(&p->prefix, prefix));
	if (looks_up(p)) {
		text_char(&t, '-');
	} else if (p->max_len == p->prefix.len) {
		/* exact: the prefix says it */
	} else if (p->min_len == p->prefix.len && p->max_len == ip_bits(p->prefix.addr.family)) {
		text_char(&t, '+');
	} else {
		text_char(&t, '{');
		text_u32(&t, p->min_len);
		text_char(&t, ',');
		text_u32(&t, p->max_len);
		text_char(&t, '}');
	}
	return buf;
}

/* ---- sets ------------------------------------------------------------------------------------- */

/* The lengths that patterns of one prefix ask for; the set owns it. */
struct lengths {
	struct lengths *next; /* of the same prefix */
	uint8_t min, max;
};

/* A prefix that patterns name; the set owns it. */
struct base {
	struct ptree_node node;  /* first: a node is its base */
	struct lengths *lengths; /* never empty */
};

struct prefix_set {
	struct ptree down, up; /* struct base; see DOC */
	size_t count;
};

static struct base *base_of(struct ptree_node *n)
{
	return (struct base *)n;
}

struct prefix_set *prefix_set_new(void)
{
	struct prefix_set *s = calloc(1, sizeof(*s));

	if (s) {
		ptree_init(&s->down);
		ptree_init(&s->up);
	}
	return s;
}

static void base_free(struct base *b)
{
	for (struct lengths *l = b->lengths, *next; l; l = next) {
		next = l->next;
		free(l);
	}
	free(b);
}

static void tree_free(struct ptree *t)
{
	for (struct ptree_node *n = ptree_first(t), *next; n; n = next) {
		next = ptree_next(t, n);
		ptree_remove(t, n);
		base_free(base_of(n));
	}
	ptree_fini(t);
}

void prefix_set_free(struct prefix_set *s)
{
	if (!s)
		return;
	tree_free(&s->down);
	tree_free(&s->up);
	free(s);
}

static bool has_pattern(const struct prefix_set *s, const struct prefix_pattern *p)
{
	struct ptree_node *n = ptree_find(looks_up(p) ? &s->up : &s->down, &p->prefix);

	for (const struct lengths *l = n ? base_of(n)->lengths : NULL; l; l = l->next) {
		if (l->min == p->min_len && l->max == p->max_len)
			return true;
	}
	return false;
}

/* The base @p, found or made. NULL: out of memory. */
static struct base *base_get(struct ptree *t, const struct prefix *p)
{
	struct ptree_node *there = ptree_find(t, p);
	struct base *b;

	if (there)
		return base_of(there);
	b = calloc(1, sizeof(*b));
	if (b && ptree_insert(t, &b->node, p)) {
		free(b);
		b = NULL;
	}
	return b;
}

int prefix_set_add(struct prefix_set *s, const struct prefix_pattern *p)
{
	struct lengths *l;
	struct base *b;

	assert(p->max_len <= ip_bits(p->prefix.addr.family) && p->min_len <= p->max_len);
	if (has_pattern(s, p))
		return 0;
	l = malloc(sizeof(*l));
	b = l ? base_get(looks_up(p) ? &s->up : &s->down, &p->prefix) : NULL;
	if (!b) {
		free(l);
		return -ENOMEM;
	}
	*l = (struct lengths){ b->lengths, p->min_len, p->max_len };
	b->lengths = l;
	s->count++;
	return 0;
}

static bool lengths_match(const struct lengths *l, uint8_t len)
{
	while (l && (len < l->min || len > l->max))
		l = l->next;
	return l != NULL;
}

bool prefix_set_match(const struct prefix_set *s, const struct prefix *p)
{
	for (struct ptree_node *n = ptree_match(&s->down, p); n; n = ptree_less_specific(n)) {
		if (lengths_match(base_of(n)->lengths, p->len))
			return true;
	}
	return ptree_first_within(&s->up, p) != NULL;
}

static bool tree_within(const struct ptree *t, const struct prefix_set *s)
{
	for (struct ptree_node *n = ptree_first(t); n; n = ptree_next(t, n)) {
		for (const struct lengths *l = base_of(n)->lengths; l; l = l->next) {
			if (!has_pattern(s, &(struct prefix_pattern){ n->prefix, l->min, l->max }))
				return false;
		}
	}
	return true;
}

bool prefix_set_equal(const struct prefix_set *a, const struct prefix_set *b)
{
	return a->count == b->count && tree_within(&a->down, b) && tree_within(&a->up, b);
}

size_t prefix_set_count(const struct prefix_set *s)
{
	return s->count;
}
