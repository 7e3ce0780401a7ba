/* SPDX-License-Identifier: BSD-2-Clause */
/* show.c - show status, protocols, tunnels, interfaces, memory: selection and order; form is the renderer's.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"

enum { SHOW_ALL };

const struct keyword show_keywords[] = { { "all", "with all details", SHOW_ALL }, { 0 } };

static bool no_arguments(struct request *q, const struct word *args, size_t n)
{
	if (n)
		render_refuse(&q->render, CTL_PARSE_ERROR, "%s takes no argument: %s", q->command->words,
		              args[0].text);
	return n == 0;
}

/** "[all] [NAME]" in any order. false: refused. */
static bool all_and_name(struct request *q, const struct word *args, size_t n, bool *all,
                         const struct word **name)
{
	*all = false;
	*name = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!args[i].quoted && !*all && strcmp(args[i].text, "all") == 0) {
			*all = true;
		} else if (!*name) {
			*name = &args[i];
		} else {
			render_refuse(&q->render, CTL_PARSE_ERROR, "%s %s: one name is enough: %s",
			              q->command->words, q->command->args, args[i].text);
			return false;
		}
	}
	return true;
}

void show_status(struct request *q, const struct word *args, size_t n)
{
	struct render *r = &q->render;
	struct ctl_status s = { 0 };

	if (!no_arguments(q, args, n))
		return;
	q->backend->status(q->backend->ctx, &s);
	r->ops->begin(r, "status", true);
	r->ops->status(r, &s);
	r->ops->end(r, CTL_STATUS_END, s.stopping ? "Shutdown in progress" : "Daemon is up and running");
}

/* -- protocols: one of them a piece ----------------------------------------------------------- */

struct protocols_walk {
	struct names names;
	size_t next;
	bool all;
};

struct one_protocol {
	struct render *render;
	bool all;
};

static bool render_protocol(void *arg, const struct ctl_proto *p)
{
	struct one_protocol *o = arg;

	o->render->ops->protocol(o->render, p, o->all);
	return true;
}

static bool protocols_piece(struct request *q)
{
	struct protocols_walk *w = q->walk.state;
	struct one_protocol one = { &q->render, w->all };

	if (w->next == w->names.n) {
		q->render.ops->end(&q->render, CTL_OK, "");
		return false;
	}
	q->backend->protocol(q->backend->ctx, w->names.name[w->next++], render_protocol, &one);
	return true;
}

static void protocols_free(void *state)
{
	struct protocols_walk *w = state;

	names_fini(&w->names);
	free(w);
}

void show_protocols(struct request *q, const struct word *args, size_t n)
{
	struct protocols_walk *w;
	const struct word *name;
	bool all;

	if (!all_and_name(q, args, n, &all, &name))
		return;
	w = calloc(1, sizeof(*w));
	if (!w || !names_protocols(q->backend, name ? name->text : NULL, false, &w->names)) {
		q->render.ops->end(&q->render, CTL_NO_MEMORY, "Out of memory");
	} else if (name && !w->names.n && name->quoted) {
		q->render.ops->end(&q->render, CTL_NO_PROTOCOL, "No protocols match");
	} else if (name && !w->names.n) {
		refuse_protocol(q, name->text);
	} else {
		w->all = all;
		q->walk = (struct walk){ protocols_piece, protocols_free, w };
		q->render.ops->begin(&q->render, "protocols", false);
		q->render.ops->protocol_heading(&q->render);
		return;
	}
	if (w)
		protocols_free(w);
}

/* -- tunnels, links, memory: few, in one piece ------------------------------------------------ */

struct tunnel_selection {
	struct render *render;
	const char *name; /* NULL: all of them */
	bool all;
	size_t shown;
};

static bool selected(const struct tunnel_selection *s, const struct ctl_tunnel *t)
{
	return !s->name || strcmp(s->name, t->name) == 0;
}

static void count_tunnel(void *arg, const struct ctl_tunnel *t)
{
	struct tunnel_selection *s = arg;

	s->shown += selected(s, t);
}

static void render_tunnel(void *arg, const struct ctl_tunnel *t)
{
	struct tunnel_selection *s = arg;

	if (selected(s, t))
		s->render->ops->tunnel(s->render, t, s->all);
}

static void refuse_tunnel(struct request *q, const char *name)
{
	struct names all = { 0 };

	names_tunnels(q->backend, &all);
	refuse_name(q, "tunnel", name, &all);
	names_fini(&all);
}

void show_tunnels(struct request *q, const struct word *args, size_t n)
{
	struct tunnel_selection s = { .render = &q->render };
	const struct word *name;

	if (!all_and_name(q, args, n, &s.all, &name))
		return;
	s.name = name ? name->text : NULL;
	q->backend->tunnels(q->backend->ctx, count_tunnel, &s);
	if (name && !s.shown) {
		refuse_tunnel(q, name->text);
		return;
	}
	q->render.ops->begin(&q->render, "tunnels", false);
	q->render.ops->tunnel_heading(&q->render);
	q->backend->tunnels(q->backend->ctx, render_tunnel, &s);
	q->render.ops->end(&q->render, CTL_OK, "");
}

static void render_interface(void *arg, const struct ctl_interface *i)
{
	struct render *r = arg;

	r->ops->interface(r, i);
}

static void render_interface_summary(void *arg, const struct ctl_interface *i)
{
	struct render *r = arg;

	r->ops->interface_summary(r, i);
}

const struct keyword interface_keywords[] = { { "summary", "a line each", 0 }, { 0 } };

void show_interfaces(struct request *q, const struct word *args, size_t n)
{
	bool summary = n == 1 && !args[0].quoted && keyword_find(interface_keywords, args[0].text) >= 0;

	if (!summary && !no_arguments(q, args, n))
		return;
	q->render.ops->begin(&q->render, "interfaces", false);
	if (summary)
		q->render.ops->interface_summary_heading(&q->render);
	q->backend->interfaces(q->backend->ctx, summary ? render_interface_summary : render_interface,
	                       &q->render);
	q->render.ops->end(&q->render, CTL_OK, "");
}

/* -- neighbors: some of them a piece, since each is asked of the kernel -------------------------- */

#define NEIGHBORS_A_PIECE 32

static bool neighbors_piece(struct request *q)
{
	uint32_t *at = q->walk.state;
	struct ctl_neighbor n;

	for (unsigned i = 0; i < NEIGHBORS_A_PIECE; i++) {
		if (!q->backend->neighbor(q->backend->ctx, at, &n)) {
			q->render.ops->end(&q->render, CTL_OK, "");
			return false;
		}
		q->render.ops->neighbor(&q->render, &n);
	}
	return true;
}

void show_neighbors(struct request *q, const struct word *args, size_t n)
{
	uint32_t *at;

	if (!no_arguments(q, args, n))
		return;
	at = calloc(1, sizeof(*at));
	if (!at) {
		q->render.ops->end(&q->render, CTL_NO_MEMORY, "Out of memory");
		return;
	}
	q->walk.piece = neighbors_piece;
	q->walk.free = free;
	q->walk.state = at;
	q->render.ops->begin(&q->render, "neighbors", false);
	q->render.ops->neighbor_heading(&q->render);
}

void show_bfd(struct request *q, const struct word *args, size_t n)
{
	if (!no_arguments(q, args, n))
		return;
	q->render.ops->begin(&q->render, "bfd_sessions", false);
	q->render.ops->bfd_heading(&q->render);
	q->render.ops->end(&q->render, CTL_OK, "");
}

struct memory_sum {
	struct render *render;
	size_t bytes;
};

static void render_memory(void *arg, const char *what, size_t bytes, size_t count)
{
	struct memory_sum *sum = arg;

	sum->bytes += bytes;
	sum->render->ops->memory(sum->render, what, bytes, count);
}

void show_memory(struct request *q, const struct word *args, size_t n)
{
	struct memory_sum sum = { .render = &q->render };
	struct rib_memory m;

	if (!no_arguments(q, args, n))
		return;
	rib_memory(q->backend->rib, &m);
	q->render.ops->begin(&q->render, "memory", false);
	q->render.ops->memory_heading(&q->render);
	render_memory(&sum, "Prefixes", m.dest_bytes, m.dests);
	render_memory(&sum, "Prefix index", m.index_bytes, m.dests);
	render_memory(&sum, "Paths", m.path_bytes, m.paths);
	render_memory(&sum, "Attribute sets", m.attr_bytes, m.attr_sets);
	render_memory(&sum, "Export", m.out_bytes, 0);
	q->backend->memory(q->backend->ctx, render_memory, &sum);
	q->render.ops->memory(&q->render, "Total, by path", sum.bytes, m.paths);
	q->render.ops->end(&q->render, CTL_OK, "");
}
