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

#include "ctl/route_query.h"

#define SORTED_MAX 65536u
#define PIECE      32u    /* prefixes looked at in one piece */
#define COLLECT    4096u  /* prefixes noted in one piece */
#define PIECE_MAX  16384u /* bytes, after which a piece ends */

struct route_walk {
	struct route_query query;
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

/* -- what is shown ---------------------------------------------------------------------------- */

/** Who is asked about, as of this piece. */
struct whom {
	struct rib_peer *from, *to;
};

/** Whether the path is asked for, and with what attributes. */
static const struct attrs *selected(const struct request *q, const struct route_query *c,
                                    const struct whom *whom, const struct rib_path_view *v,
                                    struct rib_export_reason *why)
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
static bool holds(const struct route_query *c, const struct rib_path_view *v, const struct attrs *a)
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
	const struct route_query *c = &w->query;
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
static enum family next_family(const struct route_query *c, enum family f)
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

static bool find_whom(const struct request *q, const struct route_query *c, struct whom *out)
{
	const char *gone = NULL;

	*out = (struct whom){ 0 };
	if (c->protocol && !route_query_peer(q, c->protocol, &out->from))
		gone = c->protocol;
	if (c->to && !route_query_peer(q, c->to, &out->to))
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
	const struct route_query *c = &w->query;
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

void show_route(struct request *q, const struct word *args, size_t n)
{
	struct route_walk *w;
	struct route_query c = { 0 };

	if (!route_query_parse(q, args, n, &c))
		return;
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
