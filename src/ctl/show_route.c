/* SPDX-License-Identifier: BSD-2-Clause */
/* show_route.c - DOC: show route: which paths, in what order, in pieces.
 *
 * A table of up to SORTED_MAX prefixes is shown in their order: its prefixes are noted when the answer
 * begins, handed out smallest first by a heap, and looked up again one by one, so that a prefix which went is
 * left out and paths are those of the moment they are shown. A larger table is shown in its own order by the
 * table's cursor, which sees every prefix that stays exactly once. Neither waits for the other end: a piece
 * is a few prefixes, and no state of the table is held between pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/where.h"

#define SORTED_MAX 65536u
#define PIECE      32u    /* prefixes looked at in one piece */
#define COLLECT    4096u  /* prefixes noted in one piece */
#define PIECE_MAX  16384u /* bytes, after which a piece ends */

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

enum toward { TOWARD_NOBODY, TOWARD_EXPORT, TOWARD_NOEXPORT };

#define BOTH_FAMILIES (FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6))

/** What is asked. Strings live in the request's line. */
struct query {
	bool exact;           /* the prefix itself */
	bool covering;        /* the longest match of it */
	struct prefix prefix; /* of either */
	const char *protocol; /* heard from; NULL: from any */
	enum toward toward;
	const char *to; /* whom */
	bool filtered, primary, all, count, fib;
	bool named;          /* the table was */
	uint32_t families;   /* FAM_BIT()s */
	struct where *where; /* owned; NULL: any */
};

struct route_walk {
	struct query query;
	enum family family; /* of the table being shown; FAM_COUNT: none left */
	bool opened;        /* the walk of that table has begun */
	bool sorted, collected;
	struct rib_cursor cursor;
	struct prefix *heap; /* sorted: prefixes still to be shown */
	size_t heap_n, heap_size;
	struct prefix prefix; /* being shown */
	bool in_prefix;       /* there is one, and its paths from path_next on are still to be shown */
	bool named;           /* it was printed with a path */
	bool counted;         /* ... among the networks */
	uint32_t adopted;     /* the last one shown of those behind the table's own */
	size_t path_next;
	size_t full;                 /* bytes of answer at which this piece ends */
	struct rib_path_view *paths; /* room for those of one prefix */
	size_t paths_size;
	size_t tables, shown, routes, networks; /* counted in this table, but `tables`: in how many */
	size_t total_shown, total_routes, total_networks;
};

/* -- the question ----------------------------------------------------------------------------- */

/** A query being parsed: where it is in the words, and what went wrong. */
struct parser {
	struct request *q;
	const struct word *args;
	size_t n, at;
	struct query *out;
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

/** The peer called @name, which may have gone since it was last asked for; false: no such protocol. */
static bool rib_peer_named(const struct request *q, const char *name, struct rib_peer **out)
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
	if (!rib_peer_named(p->q, w->text, &peer)) {
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
static void narrow_tables(const struct request *q, struct query *c)
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

static bool parse_query(struct request *q, const struct word *args, size_t n, struct query *out)
{
	struct parser p = { q, args, n, 0, out };

	*out = (struct query){ .families = BOTH_FAMILIES };
	while (p.at < p.n)
		if (!parse_word(&p, next_word(&p)))
			return false;
	narrow_tables(q, out);
	return true;
}

/* -- what is shown ---------------------------------------------------------------------------- */

/** Who is asked about, as of this piece. */
struct whom {
	struct rib_peer *from, *to;
};

/** Whether the path is asked for, and with what attributes. */
static const struct attrs *selected(const struct request *q, const struct query *c, const struct whom *whom,
                                    const struct rib_path_view *v, struct rib_export_reason *why)
{
	const struct attrs *out;

	*why = (struct rib_export_reason){ NULL, -1 };
	if (c->filtered != !v->attrs)
		return NULL;
	if (c->protocol && v->peer != whom->from)
		return NULL;
	if (c->primary && !v->best)
		return NULL;
	if (c->fib)
		return v->multipath || v->best ? v->attrs : NULL;
	if (!c->toward)
		return v->attrs ? v->attrs : v->in;
	if (!v->best && !(v->attrs && rib_hears_all_paths(whom->to, family_of(&v->prefix))))
		return NULL;
	out = rib_export_path(q->backend->rib, whom->to, v, why);
	if (c->toward == TOWARD_EXPORT)
		return out;
	return out ? NULL : v->attrs;
}

/** Whether the path with those attributes is one that `where` asks for. */
static bool holds(const struct query *c, const struct rib_path_view *v, const struct attrs *a)
{
	return !c->where || where_holds(c->where, v, a);
}

/** The paths of the present prefix. @return how many. */
static size_t look_up(struct request *q, struct route_walk *w)
{
	size_t n = rib_paths(q->backend->rib, &w->prefix, w->paths, w->paths_size);
	struct rib_path_view *grown;

	if (n <= w->paths_size)
		return n;
	grown = reallocarray(w->paths, 2 * n, sizeof(*grown));
	if (!grown)
		return w->paths_size;
	w->paths = grown;
	w->paths_size = 2 * n;
	return rib_paths(q->backend->rib, &w->prefix, w->paths, w->paths_size);
}

/** With `all`: who was chosen, of those that are @n in order, and who accepted the path. */
static void explain(const struct request *q, const struct rib_path_view *paths, size_t n,
                    struct route_item *i)
{
	if (paths[0].best)
		i->winner = &paths[0];
	i->second = i->path == i->winner && n > 1 && paths[1].attrs ? &paths[1] : NULL;
	i->import_term = rib_accepted_by(q->backend->rib, i->path);
}

/** The paths of the present prefix from path_next on, until the piece is full. */
static void show_paths(struct request *q, struct route_walk *w, const struct whom *whom)
{
	const struct query *c = &w->query;
	size_t n = look_up(q, w), routes = w->routes;
	struct route_item item = {
		.table = c->fib ? "fib" : render_table(w->family),
		.all = c->all,
		.of_fib = c->fib,
		.filtered = c->filtered,
		.exported = c->toward == TOWARD_EXPORT,
		.toward = whom->to ? rib_peer_conf(whom->to) : NULL,
		.import_term = -1,
	};

	if (c->fib || c->all)
		item.fib = q->backend->fib(q->backend->ctx, &w->prefix, &item.fib_why);
	if (c->fib && item.fib == CTL_FIB_ABSENT)
		n = 0;
	while (w->path_next < n && q->render.out->len < w->full) {
		item.path = &w->paths[w->path_next++];
		item.attrs = selected(q, c, whom, item.path, &item.export);
		item.first = !w->named;
		w->routes += c->filtered == !item.path->attrs && (!c->primary || item.path->best);
		if (!item.attrs || !holds(c, item.path, item.attrs))
			continue;
		w->shown++;
		w->named = true;
		if (c->all && !item.exported)
			explain(q, w->paths, n, &item);
		if (!c->count)
			q->render.ops->route(&q->render, &item);
	}
	if (!w->counted && w->routes > routes) {
		w->counted = true;
		w->networks++;
	}
	w->in_prefix = w->path_next < n;
}

/* -- the walk --------------------------------------------------------------------------------- */

static void sift_down(struct prefix *heap, size_t n, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;
		struct prefix swap;

		if (child < n && prefix_cmp(&heap[child], &heap[least]) < 0)
			least = child;
		if (child + 1 < n && prefix_cmp(&heap[child + 1], &heap[least]) < 0)
			least = child + 1;
		if (least == at)
			return;
		swap = heap[at];
		heap[at] = heap[least];
		heap[least] = swap;
		at = least;
	}
}

static bool heap_pop(struct route_walk *w, struct prefix *out)
{
	if (!w->heap_n)
		return false;
	*out = w->heap[0];
	w->heap[0] = w->heap[--w->heap_n];
	sift_down(w->heap, w->heap_n, 0);
	return true;
}

/** Note prefixes to be sorted; the table may have grown since it was measured: what does not fit any more is
 * beyond the moment the answer shows. */
static void collect(struct request *q, struct route_walk *w)
{
	for (unsigned i = 0; i < COLLECT; i++) {
		if (w->heap_n < w->heap_size && rib_walk(q->backend->rib, &w->cursor, &w->heap[w->heap_n])) {
			w->heap_n++;
			continue;
		}
		for (size_t at = w->heap_n / 2; at--;)
			sift_down(w->heap, w->heap_n, at);
		w->collected = true;
		return;
	}
}

static void open_table(struct request *q, struct route_walk *w)
{
	size_t count = rib_count(q->backend->rib, w->family);

	w->opened = true;
	w->cursor = (struct rib_cursor){ .family = w->family };
	w->shown = w->routes = w->networks = 0;
	w->adopted = 0;
	if (w->query.exact) { /* a walk of one */
		w->sorted = w->collected = true;
		w->heap_n = 1;
		w->heap[0] = w->query.prefix;
		return;
	}
	w->sorted = count <= SORTED_MAX && !w->query.count;
	if (w->sorted) {
		free(w->heap);
		w->heap = reallocarray(NULL, count + 1, sizeof(*w->heap));
		w->sorted = w->heap != NULL; /* as the table has them is better than not at all */
	}
	w->collected = !w->sorted;
	w->heap_n = 0;
	w->heap_size = count;
}

static void close_table(struct request *q, struct route_walk *w)
{
	struct route_count c = { w->query.fib ? "fib" : render_table(w->family), w->shown, w->routes,
		                 w->networks };

	w->total_shown += w->shown;
	w->total_routes += w->routes;
	w->total_networks += w->networks;
	w->tables++;
	w->opened = false;
	if (w->query.count)
		q->render.ops->count(&q->render, &c);
	else if (w->query.named && !w->query.exact)
		q->render.ops->table(&q->render, c.table); /* an empty one is named too */
}

/** The next table that is asked for, from @f on. */
static enum family next_family(const struct query *c, enum family f)
{
	while (f < FAM_COUNT && !(c->families & FAM_BIT(f)))
		f++;
	return f;
}

static bool finish(struct request *q, const struct route_walk *w)
{
	const char *s = w->tables == 1 ? "" : "s";
	char total[160];

	if (w->query.count && w->tables > 1) {
		snprintf(total, sizeof(total), "Total: %zu of %zu routes for %zu networks in %zu table%s",
		         w->total_shown, w->total_routes, w->total_networks, w->tables, s);
		q->render.ops->end(&q->render, CTL_ROUTE_TOTAL, total);
	} else if (w->query.exact && !w->query.count && !w->total_shown) {
		q->render.ops->end(&q->render, CTL_NOT_FOUND, "Network not found");
	} else {
		q->render.ops->end(&q->render, CTL_OK, "");
	}
	return false;
}

static bool find_whom(const struct request *q, const struct query *c, struct whom *out)
{
	const char *gone = NULL;

	*out = (struct whom){ 0 };
	if (c->protocol && !rib_peer_named(q, c->protocol, &out->from))
		gone = c->protocol;
	if (c->to && !rib_peer_named(q, c->to, &out->to))
		gone = c->to;
	return !gone;
}

/** The next prefix of the present table; false: none left. */
static bool next_prefix(struct request *q, struct route_walk *w)
{
	w->path_next = 0;
	w->named = w->counted = false;
	w->in_prefix =
	        w->sorted ? heap_pop(w, &w->prefix) : rib_walk(q->backend->rib, &w->cursor, &w->prefix);
	return w->in_prefix;
}

/** What a previous run left is in the kernel, too, but nobody's who could be asked for. @return whether there
 * is more. */
static bool show_adopted(struct request *q, struct route_walk *w)
{
	const struct query *c = &w->query;
	struct ctl_adopted a;

	if (!c->fib || c->exact || c->protocol || c->toward || c->filtered || c->count || c->where)
		return false;
	for (unsigned i = 0; i < PIECE && q->render.out->len < w->full; i++) {
		if (!q->backend->adopted(q->backend->ctx, w->family, &w->adopted, &a))
			return false;
		w->shown++;
		q->render.ops->adopted(&q->render, &a);
	}
	return true;
}

static bool route_piece(struct request *q)
{
	struct route_walk *w = q->walk.state;
	struct whom whom;

	if (w->family == FAM_COUNT)
		return finish(q, w);
	if (!w->opened)
		open_table(q, w);
	if (!w->collected) {
		collect(q, w);
		return true;
	}
	if (!find_whom(q, &w->query, &whom)) {
		q->render.ops->end(&q->render, CTL_NO_PROTOCOL, "The protocol has gone");
		return false;
	}
	w->full = q->render.out->len + PIECE_MAX;
	for (unsigned i = 0; i < PIECE && q->render.out->len < w->full; i++) {
		if (!w->in_prefix && !next_prefix(q, w)) {
			if (show_adopted(q, w))
				return true;
			close_table(q, w);
			w->family = next_family(&w->query, w->family + 1);
			return true;
		}
		show_paths(q, w, &whom);
	}
	return true;
}

static void route_free(void *state)
{
	struct route_walk *w = state;

	free(w->heap);
	free(w->paths);
	where_free(w->query.where);
	free(w);
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
static bool settle_prefix(struct request *q, struct query *c)
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

void show_route(struct request *q, const struct word *args, size_t n)
{
	struct route_walk *w;
	struct query c = { 0 };

	if (!parse_query(q, args, n, &c) || !settle_prefix(q, &c)) {
		where_free(c.where);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (w && c.exact)
		w->heap = calloc(1, sizeof(*w->heap));
	if (!w || (c.exact && !w->heap)) {
		free(w);
		where_free(c.where);
		q->render.ops->end(&q->render, CTL_NO_MEMORY, "Out of memory");
		return;
	}
	w->query = c;
	w->family = next_family(&w->query, FAM_IPV4);
	q->walk = (struct walk){ route_piece, route_free, w };
	q->render.ops->begin(&q->render, c.count ? "counts" : "routes", false);
}
