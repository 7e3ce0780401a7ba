/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - the names of things as they are at one moment: a walk in pieces looks each up again, so that what
 * is added or goes meanwhile does no harm. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"

struct collect {
	struct names *names;
	const char *pattern; /* NULL: all */
	bool bgp_only, failed;
};

static bool keep(struct names *s, const char *name)
{
	if (s->n == s->size) {
		size_t size = s->size ? 2 * s->size : 16;
		char **grown = reallocarray(s->name, size, sizeof(*grown));

		if (!grown)
			return false;
		s->name = grown;
		s->size = size;
	}
	s->name[s->n] = strdup(name);
	if (!s->name[s->n])
		return false;
	s->n++;
	return true;
}

static bool collect_protocol(void *arg, const struct ctl_proto *p)
{
	struct collect *c = arg;

	if (c->bgp_only && p->kind != CTL_PROTO_BGP)
		return true;
	if (c->pattern && fnmatch(c->pattern, p->name, 0) != 0)
		return true;
	c->failed = !keep(c->names, p->name);
	return !c->failed;
}

bool names_protocols(const struct ctl_backend *b, const char *pattern, bool bgp_only, struct names *out)
{
	struct collect c = { out, pattern, bgp_only, false };

	b->protocols(b->ctx, collect_protocol, &c);
	return !c.failed;
}

static void collect_tunnel(void *arg, const struct ctl_tunnel *t)
{
	struct collect *c = arg;

	c->failed = c->failed || !keep(c->names, t->name);
}

bool names_tunnels(const struct ctl_backend *b, struct names *out)
{
	struct collect c = { .names = out };

	b->tunnels(b->ctx, collect_tunnel, &c);
	return !c.failed;
}

static void collect_filter(void *arg, const struct filter *f)
{
	struct collect *c = arg;

	c->failed = c->failed || !keep(c->names, f->name);
}

bool names_filters(const struct ctl_backend *b, struct names *out)
{
	struct collect c = { .names = out };

	b->filters(b->ctx, collect_filter, &c);
	return !c.failed;
}

void names_fini(struct names *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->name[i]);
	free(s->name);
	*s = (struct names){ 0 };
}

/** The name in @s that @word resembles; NULL: none does. */
static const char *nearest_name(const struct names *s, const char *word)
{
	const char *nearest = NULL;
	unsigned best = (unsigned)strlen(word) / 2 + 1; /* half of it may be wrong */

	for (size_t i = 0; i < s->n; i++) {
		unsigned d = words_distance(word, s->name[i]);

		if (d >= best)
			continue;
		best = d;
		nearest = s->name[i];
	}
	return nearest;
}

void refuse_protocol(struct request *q, const char *name)
{
	struct names all = { 0 };
	const char *near;

	names_protocols(q->backend, NULL, false, &all);
	near = nearest_name(&all, name);
	if (near)
		render_refuse(&q->render, CTL_NO_PROTOCOL, "No protocol %s; did you mean %s?", name, near);
	else
		render_refuse(&q->render, CTL_NO_PROTOCOL, "No protocol %s", name);
	names_fini(&all);
}

bool one_name(struct request *q, const struct word *args, size_t n, const char **name)
{
	*name = n ? args[0].text : NULL;
	if (n > 1)
		render_refuse(&q->render, CTL_PARSE_ERROR, "%s %s: one name is enough: %s", q->command->words,
		              q->command->args, args[1].text);
	return n < 2;
}

void refuse_name(struct request *q, const char *kind, const char *name, const struct names *all)
{
	const char *near = nearest_name(all, name);

	if (near)
		render_refuse(&q->render, CTL_NOT_FOUND, "No %s %s; did you mean %s?", kind, name, near);
	else if (all->n)
		render_refuse(&q->render, CTL_NOT_FOUND, "No %s %s; show %ss names them", kind, name, kind);
	else
		render_refuse(&q->render, CTL_NOT_FOUND, "No %s %s; the configuration has none", kind, name);
}
