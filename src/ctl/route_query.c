/* SPDX-License-Identifier: BSD-2-Clause */
/* route_query.c - the words behind `show route`. */
#include "ctl/route_query.h"

#define BOTH_FAMILIES (FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6))

enum {
	KW_FOR,
	KW_WHERE,
	KW_PROTOCOL,
	KW_EXPORT,
	KW_NOEXPORT,
	KW_FILTERED,
	KW_PRIMARY,
	KW_ALL,
	KW_COUNT,
	KW_TABLE
};

const struct keyword route_keywords[] = {
	{ "for", "the route taken to an address or prefix", KW_FOR },
	{ "where", "that hold what follows: KEY = VALUE and ...", KW_WHERE },
	{ "protocol", "heard from a protocol", KW_PROTOCOL },
	{ "export", "as announced to a protocol", KW_EXPORT },
	{ "noexport", "not announced to a protocol", KW_NOEXPORT },
	{ "filtered", "refused by import policy", KW_FILTERED },
	{ "primary", "best ones only", KW_PRIMARY },
	{ "all", "with every attribute, and why", KW_ALL },
	{ "count", "how many", KW_COUNT },
	{ "table", "of master4, master6, or fib: what the kernel has", KW_TABLE },
	{ 0 },
};

enum { TABLE_MASTER4, TABLE_MASTER6, TABLE_FIB };
static const struct keyword tables[] = {
	{ "master4", "IPv4", TABLE_MASTER4 },
	{ "master6", "IPv6", TABLE_MASTER6 },
	{ "fib", "the kernel's", TABLE_FIB },
	{ 0 },
};

/** A query being parsed: where it is in the words, and what went wrong. */
struct parser {
	struct request *q;
	const struct word *args;
	size_t n, at;
	struct route_query *out;
};

static bool wrong(struct parser *p, const char *what, const char *word)
{
	render_refuse(&p->q->render, CTL_PARSE_ERROR, "show route: %s%s%s", what, word ? ": " : "",
	              word ? word : "");
	return false;
}

static const struct word *next_word(struct parser *p)
{
	return p->at < p->n ? &p->args[p->at++] : NULL;
}

static bool parse_prefix(struct parser *p, const struct word *w, bool covering)
{
	if (p->out->exact || p->out->covering)
		return wrong(p, "one prefix or address is enough", w->text);
	if (!prefix_parse(w->text, !covering, &p->out->prefix)) {
		if (prefix_parse(w->text, false, &p->out->prefix))
			return wrong(p, "this prefix has host bits set", w->text);
		return wrong(p, "neither a keyword nor a prefix", w->text);
	}
	p->out->exact = !covering;
	p->out->covering = covering;
	return true;
}

static bool find_rib_peer(void *arg, const struct ctl_proto *p)
{
	struct rib_peer **out = arg;

	*out = p->rib;
	return false;
}

bool route_query_peer(const struct request *q, const char *name, struct rib_peer **out)
{
	*out = NULL;
	return q->backend->protocol(q->backend->ctx, name, find_rib_peer, out);
}

static bool parse_protocol(struct parser *p, const char **out, bool with_session)
{
	const struct word *w = next_word(p);
	struct rib_peer *peer;

	if (!w)
		return wrong(p, "the name of a protocol is missing", NULL);
	if (!route_query_peer(p->q, w->text, &peer)) {
		refuse_protocol(p->q, w->text);
		return false;
	}
	if (with_session && !peer)
		return wrong(p, "it is no peer (what the kernel has: table fib)", w->text);
	*out = w->text;
	return true;
}

static bool note_families(void *arg, const struct ctl_proto *p)
{
	*(uint32_t *)arg = p->bgp ? p->bgp->families : BOTH_FAMILIES;
	return false;
}

/** A peer's routes are in the tables of its families, unless one was named. */
static void narrow_tables(const struct request *q, struct route_query *c)
{
	uint32_t families = BOTH_FAMILIES;

	if (c->named || !c->protocol)
		return;
	q->backend->protocol(q->backend->ctx, c->protocol, note_families, &families);
	c->families = families;
}

static bool parse_toward(struct parser *p, enum toward toward)
{
	if (p->out->toward)
		return wrong(p, "export or noexport, once", NULL);
	p->out->toward = toward;
	return parse_protocol(p, &p->out->to, true);
}

static bool parse_table(struct parser *p)
{
	const struct word *w = next_word(p);
	int k = w && !w->quoted ? keyword_find(tables, w->text) : KEYWORD_NONE;

	p->out->named = true;
	switch (k) {
	case TABLE_MASTER4:
		p->out->families = FAM_BIT(FAM_IPV4);
		return true;
	case TABLE_MASTER6:
		p->out->families = FAM_BIT(FAM_IPV6);
		return true;
	case TABLE_FIB:
		p->out->fib = true;
		return true;
	default:
		return wrong(p, "table master4, master6 or fib", w ? w->text : NULL);
	}
}

static bool parse_where(struct parser *p)
{
	char why[256];
	size_t taken;

	if (p->out->where)
		return wrong(p, "where, once: join conditions by and", NULL);
	p->out->where = where_new(p->args + p->at, p->n - p->at, &taken, why, sizeof(why));
	p->at += taken;
	return p->out->where || wrong(p, why, NULL);
}

static bool parse_word(struct parser *p, const struct word *w)
{
	int k = w->quoted ? KEYWORD_NONE : keyword_find(route_keywords, w->text);
	const struct word *of;

	switch (k) {
	case KW_FOR:
		of = next_word(p);
		return of ? parse_prefix(p, of, true) : wrong(p, "for what? An address or a prefix", NULL);
	case KW_WHERE:
		return parse_where(p);
	case KW_PROTOCOL:
		return parse_protocol(p, &p->out->protocol, false);
	case KW_EXPORT:
		return parse_toward(p, TOWARD_EXPORT);
	case KW_NOEXPORT:
		return parse_toward(p, TOWARD_NOEXPORT);
	case KW_FILTERED:
		p->out->filtered = true;
		return true;
	case KW_PRIMARY:
		p->out->primary = true;
		return true;
	case KW_ALL:
		p->out->all = true;
		return true;
	case KW_COUNT:
		p->out->count = true;
		return true;
	case KW_TABLE:
		return parse_table(p);
	case KEYWORD_AMBIGUOUS:
		return wrong(p, "this may mean several keywords", w->text);
	default:
		return parse_prefix(p, w, false);
	}
}

static bool parse(struct request *q, const struct word *args, size_t n, struct route_query *out)
{
	struct parser p = { q, args, n, 0, out };

	*out = (struct route_query){ .families = BOTH_FAMILIES };
	while (p.at < p.n)
		if (!parse_word(&p, next_word(&p)))
			return false;
	narrow_tables(q, out);
	return true;
}

/** The longest prefix of the table that @p lies within: one that is in use, before one that is only known. */
static bool covering(const struct rib *rib, const struct prefix *p, struct prefix *out)
{
	if (p->len == ip_bits(p->addr.family))
		return rib_match(rib, &p->addr, true, out) || rib_match(rib, &p->addr, false, out);
	for (int len = p->len; len >= 0; len--) {
		*out = prefix_make(&p->addr, (uint8_t)len);
		if (rib_paths(rib, out, NULL, 0))
			return true;
	}
	return false;
}

/** Make of `for` the prefix that answers it, and narrow the tables to its own. false: refused. */
static bool settle_prefix(struct request *q, struct route_query *c)
{
	struct prefix asked = c->prefix;

	if (!c->exact && !c->covering)
		return true;
	if (!(c->families & FAM_BIT(family_of(&asked)))) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "show route: that prefix is not of that table");
		return false;
	}
	c->families = FAM_BIT(family_of(&asked));
	c->exact = c->covering ? covering(q->backend->rib, &asked, &c->prefix)
	                       : rib_paths(q->backend->rib, &asked, NULL, 0) != 0;
	if (!c->exact)
		q->render.ops->end(&q->render, CTL_NOT_FOUND, "Network not found");
	return c->exact;
}

bool route_query_parse(struct request *q, const struct word *args, size_t n, struct route_query *out)
{
	if (parse(q, args, n, out) && settle_prefix(q, out))
		return true;
	where_free(out->where);
	return false;
}
