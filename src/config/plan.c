/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the plan of a reload.
 *
 * Two snapshots are walked side by side by the option table, as diff.c does it, and each difference is said
 * with both values and its cost. Things with names (peers, tunnels, filters) are matched by them, static
 * routes by their prefix; lists without names by position. What a filter does is not taken apart: that it
 * changed, and whose routes follow, is what an operator has to know. */
#include "config/plan.h"

#include <stdio.h>

#include "config/diff.h"

#define VALUE_SIZE 256 /* longest value that is shown; the rest is cut */

struct plan {
	const struct conf *old, *new;
	plan_fn fn;
	void *ctx;
	size_t n;
};

/* The thing whose settings are compared. */
struct thing {
	const char *kind, *name;
	const char *path; /* in front of the names of its settings: "peers[0]."; "" */
};

static void tell(struct plan *p, const struct plan_item *item)
{
	p->n++;
	p->fn(p->ctx, item);
}

static void print_thing(const struct thing *t, struct text *out)
{
	text_str(out, t->kind);
	if (t->name) {
		text_char(out, ' ');
		text_str(out, t->name);
	}
}

/* @what happens to the whole of @t, and what comes of that. */
static void tell_whole(struct plan *p, const struct thing *t, const char *effect, const char *what)
{
	char buf[2 * VALUE_SIZE];
	struct text line = text_init(buf, sizeof(buf));

	print_thing(t, &line);
	text_char(&line, ' ');
	text_str(&line, what);
	tell(p, &(struct plan_item){ .kind = t->kind, .name = t->name, .effect = effect, .text = buf });
}

static void tell_values(struct plan *p, const struct thing *t, const char *setting, const char *values[2],
                        enum option_effect effect)
{
	char path[128], buf[3 * VALUE_SIZE];
	struct text line = text_init(buf, sizeof(buf));

	snprintf(path, sizeof(path), "%s%s", t->path, setting);
	print_thing(t, &line);
	text_str(&line, ": ");
	text_str(&line, path);
	text_char(&line, ' ');
	text_str(&line, values[0]);
	text_str(&line, " -> ");
	text_str(&line, values[1]);
	text_str(&line, ": ");
	text_str(&line, schema_effect_text(effect));
	tell(p, &(struct plan_item){ .kind = t->kind,
	                             .name = t->name,
	                             .setting = path,
	                             .from = values[0],
	                             .to = values[1],
	                             .effect = schema_effect_name(effect),
	                             .text = buf });
}

static void tell_option(struct plan *p, const struct thing *t, const struct option *o, const void *a,
                        const void *b, enum option_effect effect)
{
	char from[VALUE_SIZE], to[VALUE_SIZE];
	struct text x = text_init(from, sizeof(from)), y = text_init(to, sizeof(to));

	schema_print_value(o, a, &x);
	schema_print_value(o, b, &y);
	tell_values(p, t, o->name, (const char *[]){ from, to }, effect);
}

/* ---- sections --------------------------------------------------------------------------------------- */

static void compare(struct plan *p, const struct thing *t, const struct section *s, const void *a,
                    const void *b);

static const char *elements(const struct option *o, const void *base)
{
	return *(const char *const *)(const void *)((const char *)base + o->offset);
}

static size_t count(const struct option *o, const void *base)
{
	return *(const size_t *)(const void *)((const char *)base + o->count_offset);
}

/* Settings of the elements at the same place; where their numbers differ, those. */
static void compare_list(struct plan *p, const struct thing *t, const struct option *o, const void *a,
                         const void *b)
{
	size_t n = count(o, a), m = count(o, b);
	char from[32], to[32], path[64];

	if (n != m) {
		snprintf(from, sizeof(from), "%zu", n);
		snprintf(to, sizeof(to), "%zu of them", m);
		tell_values(p, t, o->name, (const char *[]){ from, to }, o->effect);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct thing element = { t->kind, t->name, path };

		snprintf(path, sizeof(path), "%s[%zu].", o->name, i);
		compare(p, &element, o->section, elements(o, a) + i * o->section->size,
		        elements(o, b) + i * o->section->size);
	}
}

/* A filter that has changed under its name is told of itself. */
static bool told_of_filter(const struct option *o, const void *a, const void *b)
{
	const struct conf_policy *x = (const void *)((const char *)a + o->offset);
	const struct conf_policy *y = (const void *)((const char *)b + o->offset);

	return o->type == OPT_POLICY && x->kind == POLICY_FILTER && y->kind == POLICY_FILTER &&
	       strcmp(x->filter->name, y->filter->name) == 0;
}

static bool inherited(const struct section *s, const struct option *o)
{
	return strcmp(s->name, "router") == 0 && schema_find(&schema_peer, o->name);
}

static void compare(struct plan *p, const struct thing *t, const struct section *s, const void *a,
                    const void *b)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct option *o = &s->options[i];

		if (diff_setting_same(o, a, b) || told_of_filter(o, a, b) || inherited(s, o))
			continue;
		if (o->type == OPT_LIST)
			compare_list(p, t, o, a, b);
		else
			tell_option(p, t, o, a, b, o->effect);
	}
}

/* ---- what has a name -------------------------------------------------------------------------------- */

static const struct conf_tunnel *find_tunnel(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_tunnels; i++) {
		if (strcmp(c->tunnels[i].name, name) == 0)
			return &c->tunnels[i];
	}
	return NULL;
}

struct tunnel_pair {
	struct plan *plan;
	const struct conf_tunnel *old, *new;
};

/* What a change of one setting costs depends on the others. */
static void on_tunnel_setting(void *ctx, const char *setting, enum link_fate fate)
{
	const struct option *o = schema_find(&schema_tunnel, setting);
	const struct tunnel_pair *t = ctx;
	const struct thing thing = { "tunnel", t->new->name, "" };

	if (o->type == OPT_LIST)
		compare_list(t->plan, &thing, o, t->old, t->new);
	else
		tell_option(t->plan, &thing, o, t->old, t->new,
		            fate == LINK_REPLACED ? EFFECT_LINK_NEW : o->effect);
}

static void plan_tunnels(struct plan *p)
{
	for (size_t i = 0; i < p->old->n_tunnels; i++) {
		const struct thing t = { "tunnel", p->old->tunnels[i].name, "" };

		if (!find_tunnel(p->new, t.name))
			tell_whole(p, &t, "removed", "is removed, and its link");
	}
	for (size_t i = 0; i < p->new->n_tunnels; i++) {
		const struct thing t = { "tunnel", p->new->tunnels[i].name, "" };
		struct tunnel_pair pair = { p, find_tunnel(p->old, t.name), &p->new->tunnels[i] };

		if (pair.old)
			diff_tunnel(pair.old, pair.new, on_tunnel_setting, &pair);
		else
			tell_whole(p, &t, "added", "is new: its link is made");
	}
}

/* @hint: where the one before was found. Who is asked for in the order of the other file is found at once. */
static const struct conf_peer *find_peer(const struct conf *c, const char *name, size_t *hint)
{
	for (size_t k = 0; k < c->n_peers; k++) {
		size_t i = (*hint + k) % c->n_peers;

		if (strcmp(c->peers[i].name, name) != 0)
			continue;
		*hint = i + 1;
		return &c->peers[i];
	}
	return NULL;
}

static void plan_peers(struct plan *p)
{
	size_t hint = 0;

	for (size_t i = 0; i < p->old->n_peers; i++) {
		const struct thing t = { "peer", p->old->peers[i].name, "" };

		if (!find_peer(p->new, t.name, &hint))
			tell_whole(p, &t, "removed", "is removed: its session ends");
	}
	hint = 0;
	for (size_t i = 0; i < p->new->n_peers; i++) {
		const struct thing t = { "peer", p->new->peers[i].name, "" };
		const struct conf_peer *old = find_peer(p->old, t.name, &hint);

		if (old)
			compare(p, &t, &schema_peer, old, &p->new->peers[i]);
		else
			tell_whole(p, &t, "added", "is new");
	}
}

static const struct conf_static *find_static(const struct conf *c, const struct prefix *prefix)
{
	for (size_t i = 0; i < c->n_statics; i++) {
		if (prefix_equal(&c->statics[i].prefix, prefix))
			return &c->statics[i];
	}
	return NULL;
}

static void plan_statics(struct plan *p)
{
	char name[PREFIX_STRLEN];
	const struct thing t = { "static route", name, "" };

	for (size_t i = 0; i < p->old->n_statics; i++) {
		prefix_print(&p->old->statics[i].prefix, name);
		if (!find_static(p->new, &p->old->statics[i].prefix))
			tell_whole(p, &t, "removed", "is removed");
	}
	for (size_t i = 0; i < p->new->n_statics; i++) {
		const struct conf_static *old = find_static(p->old, &p->new->statics[i].prefix);

		prefix_print(&p->new->statics[i].prefix, name);
		if (old)
			compare(p, &t, &schema_static, old, &p->new->statics[i]);
		else
			tell_whole(p, &t, "added", "is new");
	}
}

/* ---- filters ---------------------------------------------------------------------------------------- */

static bool runs(const struct conf_policy *p, const char *filter)
{
	return p->kind == POLICY_FILTER && strcmp(p->filter->name, filter) == 0;
}

/* Peers that go on using @filter. */
static size_t users(const struct plan *p, const char *filter)
{
	size_t n = 0, hint = 0;

	for (size_t i = 0; i < p->new->n_peers; i++) {
		const struct conf_peer *now = &p->new->peers[i], *old = find_peer(p->old, now->name, &hint);

		n += old && ((runs(&now->import, filter) && runs(&old->import, filter)) ||
		             (runs(&now->export, filter) && runs(&old->export, filter)));
	}
	return n;
}

static void tell_filter(struct plan *p, const struct thing *t)
{
	bool kernel = runs(&p->new->kernel.export, t->name) && runs(&p->old->kernel.export, t->name);
	size_t n = users(p, t->name);
	char what[128];

	if (n)
		snprintf(what, sizeof(what), "changed: routes of %zu peer%s%s are evaluated again", n,
		         n == 1 ? "" : "s", kernel ? " and of the kernel" : "");
	else
		snprintf(what, sizeof(what), "changed: %s",
		         kernel ? "routes of the kernel are evaluated again" : "nothing is disturbed");
	tell_whole(p, t, schema_effect_name(n || kernel ? EFFECT_ROUTES : EFFECT_NONE), what);
}

static void plan_filters(struct plan *p)
{
	for (size_t i = 0; i < p->old->n_filters; i++) {
		const struct thing t = { "filter", p->old->filters[i]->name, "" };

		if (!conf_find_filter(p->new, t.name))
			tell_whole(p, &t, "removed", "is removed");
	}
	for (size_t i = 0; i < p->new->n_filters; i++) {
		const struct thing t = { "filter", p->new->filters[i]->name, "" };
		const struct filter *old = conf_find_filter(p->old, t.name);

		if (!old)
			tell_whole(p, &t, "added", "is new");
		else if (!filter_equal(old, p->new->filters[i]))
			tell_filter(p, &t);
	}
}

static const struct conf_named_set *find_set(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_prefix_sets; i++) {
		if (strcmp(c->prefix_sets[i].name, name) == 0)
			return &c->prefix_sets[i];
	}
	return NULL;
}

static void plan_sets(struct plan *p)
{
	for (size_t i = 0; i < p->old->n_prefix_sets; i++) {
		const struct thing t = { "prefix set", p->old->prefix_sets[i].name, "" };

		if (!find_set(p->new, t.name))
			tell_whole(p, &t, "removed", "is removed");
	}
	for (size_t i = 0; i < p->new->n_prefix_sets; i++) {
		const struct conf_named_set *now = &p->new->prefix_sets[i],
		                            *old = find_set(p->old, now->name);
		const struct thing t = { "prefix set", now->name, "" };

		if (!old)
			tell_whole(p, &t, "added", "is new");
		else if (!prefix_set_equal(old->set, now->set))
			tell_whole(p, &t, schema_effect_name(EFFECT_ROUTES),
			           "changed: filters that use it follow");
	}
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static void plan_section(struct plan *p, const struct option *o)
{
	const struct thing t = { o->name, NULL, "" };

	if (!o->later)
		compare(p, &t, o->section, (const char *)p->old + o->offset,
		        (const char *)p->new + o->offset);
}

size_t plan_tell(const struct conf *old, const struct conf *new, plan_fn fn, void *ctx)
{
	static const struct {
		const char *section;
		void (*plan)(struct plan *p);
	} named[] = {
		{ "tunnels", plan_tunnels }, { "prefix_sets", plan_sets }, { "filters", plan_filters },
		{ "peers", plan_peers },     { "static", plan_statics },
	};
	struct plan p = { old, new, fn, ctx, 0 };

	for (size_t i = 0; i < schema_root.n; i++) {
		const struct option *o = &schema_root.options[i];

		for (size_t k = 0; k < sizeof(named) / sizeof(named[0]); k++) {
			if (strcmp(named[k].section, o->name) == 0)
				named[k].plan(&p);
		}
		if (o->type == OPT_GROUP)
			plan_section(&p, o);
	}
	return p.n;
}

struct pending {
	plan_fn fn;
	void *ctx;
	size_t n;
};

static void if_pending(void *ctx, const struct plan_item *item)
{
	struct pending *p = ctx;

	if (strcmp(item->effect, schema_effect_name(EFFECT_START)) != 0)
		return;
	p->n++;
	p->fn(p->ctx, item);
}

size_t plan_pending(const struct conf *opened, const struct conf *now, plan_fn fn, void *ctx)
{
	struct pending pending = { fn, ctx, 0 };
	struct plan p = { opened, now, if_pending, &pending, 0 };

	for (size_t i = 0; i < schema_root.n; i++) {
		if (schema_root.options[i].type == OPT_GROUP)
			plan_section(&p, &schema_root.options[i]);
	}
	return pending.n;
}
