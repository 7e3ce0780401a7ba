/* SPDX-License-Identifier: BSD-2-Clause */
/* show_filter.c - filters as they were loaded, and what one of them makes of a route that the operator
 * describes. */
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "ctl/commands.h"

enum {
	KW_AS_PATH,
	KW_MED,
	KW_LOCAL_PREF,
	KW_ORIGIN,
	KW_NEXT_HOP,
	KW_COMMUNITY,
	KW_LARGE,
	KW_EXT,
	KW_PEER,
	KW_SOURCE
};

const struct keyword attribute_keywords[] = {
	{ "as_path", "\"65001 65002 {65003 65004}\"", KW_AS_PATH },
	{ "med", "a number", KW_MED },
	{ "local_pref", "a number", KW_LOCAL_PREF },
	{ "origin", "igp, egp or incomplete", KW_ORIGIN },
	{ "next_hop", "an address", KW_NEXT_HOP },
	{ "community", "such as 65000:1; may be said again", KW_COMMUNITY },
	{ "large_community", "such as 65000:1:2; may be said again", KW_LARGE },
	{ "ext_community", "such as rt:65000:1; may be said again", KW_EXT },
	{ "peer", "that it came from", KW_PEER },
	{ "source", "bgp, static or direct", KW_SOURCE },
	{ 0 },
};

static const struct keyword origins[] = { { "igp", "", BGP_ORIGIN_IGP },
	                                  { "egp", "", BGP_ORIGIN_EGP },
	                                  { "incomplete", "", BGP_ORIGIN_INCOMPLETE },
	                                  { 0 } };
static const struct keyword sources[] = {
	{ "bgp", "", SOURCE_BGP }, { "static", "", SOURCE_STATIC }, { "direct", "", SOURCE_DIRECT }, { 0 }
};

struct wanted {
	const char *name;           /* NULL: any */
	const struct filter *found; /* the last one */
	struct render *render;      /* NULL: find only */
};

static void visit(void *arg, const struct filter *f)
{
	struct wanted *w = arg;

	if (w->name && strcmp(w->name, f->name) != 0)
		return;
	w->found = f;
	if (w->render)
		w->render->ops->filter(w->render, f);
}

/** `import` and `export` take two names that are no filters: what they stand for; NULL: @name is neither. */
static const char *policy_text(const char *name)
{
	if (strcmp(name, "all") == 0)
		return "every route";
	return strcmp(name, "none") == 0 ? "no route" : NULL;
}

static void refuse_filter(struct request *q, const char *name)
{
	const char *policy = policy_text(name);
	struct names all = { 0 };

	if (policy) {
		render_refuse(
		        &q->render, CTL_NOT_FOUND,
		        "%s is no filter, but the policy that lets %s pass; show filters names the filters",
		        name, policy);
		return;
	}
	names_filters(q->backend, &all);
	refuse_name(q, "filter", name, &all);
	names_fini(&all);
}

static const struct filter *find_filter(struct request *q, const char *name)
{
	struct wanted w = { .name = name };

	q->backend->filters(q->backend->ctx, visit, &w);
	if (!w.found)
		refuse_filter(q, name);
	return w.found;
}

void show_filters(struct request *q, const struct word *args, size_t n)
{
	struct wanted w = { .render = &q->render };

	if (!one_name(q, args, n, &w.name) || (w.name && !find_filter(q, w.name)))
		return;
	q->render.ops->begin(&q->render, "filters", false);
	q->backend->filters(q->backend->ctx, visit, &w);
	q->render.ops->end(&q->render, CTL_OK, "");
}

/* -- a route that is described ---------------------------------------------------------------- */

struct described {
	struct request *q;
	struct prefix prefix;
	struct filter_route route;
	uint32_t local_as;
	struct attrs_edit edit;
};

static bool wrong(const struct described *d, const char *key, const char *value, const char *why)
{
	render_refuse(&d->q->render, CTL_PARSE_ERROR, "test filter: %s %.200s: %s", key, value, why);
	return false;
}

/** A segment of @kind out of the numbers at *@text, up to the end of them. false: there are none, or what is
 * there is no number. */
static bool read_segment(const char **text, uint8_t kind, struct writer *w)
{
	uint8_t *head = wr_skip(w, 2);
	unsigned n = 0;
	char number[12];
	uint32_t as;

	for (const char *p = *text;; p += strspn(p, " ")) {
		size_t len = strspn(p, "0123456789");

		*text = p;
		if (!len || n == UINT8_MAX)
			break;
		if (len >= sizeof(number))
			return false;
		memcpy(number, p, len);
		number[len] = '\0';
		if (!words_u32(number, &as))
			return false;
		wr_u32(w, as);
		p += len;
		n++;
	}
	if (!head || !n || w->bad)
		return false;
	head[0] = kind;
	head[1] = (uint8_t)n;
	return true;
}

/** "65001 65002 {65003 65004}", as paths are shown, into the edit. */
static bool read_as_path(struct described *d, const char *text)
{
	uint8_t *bytes = attrs_edit_alloc(&d->edit, CTL_LINE_MAX * 6);
	struct writer w = wr_init(bytes, bytes ? CTL_LINE_MAX * 6 : 0);
	const char *p = text + strspn(text, " ");

	while (*p) {
		bool set = *p == '{';

		p += set;
		if (!read_segment(&p, set ? BGP_AS_SET : BGP_AS_SEQUENCE, &w) || set != (*p == '}'))
			return wrong(d, "as_path", text, "numbers with blanks between, sets in { }");
		p += set;
		p += strspn(p, " ");
	}
	attrs_edit_set_as_path(&d->edit, (struct blob){ bytes, (uint32_t)(w.p - bytes) });
	return true;
}

static bool read_number(struct described *d, unsigned type, const char *key, const char *text)
{
	uint32_t value;

	if (!words_u32(text, &value))
		return wrong(d, key, text, "no number of 32 bits");
	attrs_edit_set_u32(&d->edit, type, value);
	return true;
}

static bool read_next_hop(struct described *d, const char *text)
{
	struct ip a;

	if (!ip_parse(text, &a))
		return wrong(d, "next_hop", text, "no address");
	attrs_edit_set_next_hop(&d->edit, &a);
	return true;
}

static bool read_community(struct described *d, enum community_kind kind, const char *key, const char *text)
{
	struct community_pattern p;
	const char *why;

	if (!community_parse(kind, text, &p, &why))
		return wrong(d, key, text, why);
	if (p.wild)
		return wrong(d, key, text, "a pattern, where one value is needed");
	community_add(&d->edit, &p);
	return true;
}

static bool read_origin(struct described *d, const char *text)
{
	int k = keyword_find(origins, text);

	if (k < 0)
		return wrong(d, "origin", text, "igp, egp or incomplete");
	attrs_edit_set_origin(&d->edit, (uint8_t)k);
	return true;
}

static bool read_source(struct described *d, const char *text)
{
	int k = keyword_find(sources, text);

	if (k >= 0)
		d->route.source = (enum route_source)k;
	return k >= 0 || wrong(d, "source", text, "bgp, static or direct");
}

static bool note_peer(void *arg, const struct ctl_proto *p)
{
	struct described *d = arg;
	const struct rib_peer_conf *c = p->rib ? rib_peer_conf(p->rib) : NULL;

	if (!c)
		return false;
	d->route.peer = c->name;
	d->route.group = c->group;
	d->route.source = c->source;
	if (c->local_as)
		d->local_as = c->local_as;
	return false;
}

static bool read_peer(struct described *d, const char *name)
{
	const struct ctl_backend *b = d->q->backend;

	if (!b->protocol(b->ctx, name, note_peer, d)) {
		refuse_protocol(d->q, name);
		return false;
	}
	return d->route.peer || wrong(d, "peer", name, "it has no routes");
}

static bool read_attribute(struct described *d, const char *key, const char *value)
{
	switch (keyword_find(attribute_keywords, key)) {
	case KW_AS_PATH:
		return read_as_path(d, value);
	case KW_MED:
		return read_number(d, BGP_ATTR_MED, "med", value);
	case KW_LOCAL_PREF:
		return read_number(d, BGP_ATTR_LOCAL_PREF, "local_pref", value);
	case KW_ORIGIN:
		return read_origin(d, value);
	case KW_NEXT_HOP:
		return read_next_hop(d, value);
	case KW_COMMUNITY:
		return read_community(d, COMMUNITY_PLAIN, "community", value);
	case KW_LARGE:
		return read_community(d, COMMUNITY_LARGE, "large_community", value);
	case KW_EXT:
		return read_community(d, COMMUNITY_EXT, "ext_community", value);
	case KW_PEER:
		return read_peer(d, value);
	case KW_SOURCE:
		return read_source(d, value);
	case KEYWORD_AMBIGUOUS:
		return wrong(d, key, value, "this may mean several attributes");
	default:
		return wrong(d, key, value, "no such attribute: see help test filter");
	}
}

/** PREFIX [KEY VALUE ...] false: refused. */
static bool describe(struct described *d, const struct word *args, size_t n)
{
	const struct attrs bare = { .origin = BGP_ORIGIN_IGP };

	if (!n || !prefix_parse(args[0].text, true, &d->prefix))
		return wrong(d, "PREFIX", n ? args[0].text : "", "a prefix is needed, without host bits");
	attrs_edit_begin(&d->edit, &bare);
	attrs_edit_set_origin(&d->edit, BGP_ORIGIN_IGP);
	attrs_edit_set_as_path(&d->edit, (struct blob){ 0 });
	d->route.prefix = &d->prefix;
	for (size_t i = 1; i < n; i += 2) {
		if (i + 1 == n)
			return wrong(d, args[i].text, "", "its value is missing");
		if (!read_attribute(d, args[i].text, args[i + 1].text))
			return false;
	}
	return true;
}

static void evaluate(struct described *d, const struct filter *f)
{
	struct render *r = &d->q->render;
	struct filter_result result;
	const struct evaluation e = { f, &d->prefix, &result, &d->edit };

	filter_run(f, &d->route, d->local_as, &d->edit, &result);
	r->ops->begin(r, "evaluation", true);
	r->ops->evaluation(r, &e);
	r->ops->end(r, CTL_EVALUATED, "");
}

void test_filter(struct request *q, const struct word *args, size_t n)
{
	struct ctl_status status = { 0 };
	struct described *d;
	const struct filter *f;

	if (!n) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "test filter %s", q->command->args);
		return;
	}
	f = find_filter(q, args[0].text);
	if (!f)
		return;
	d = calloc(1, sizeof(*d));
	if (!d) {
		q->render.ops->end(&q->render, CTL_NO_MEMORY, "Out of memory");
		return;
	}
	q->backend->status(q->backend->ctx, &status);
	d->q = q;
	d->local_as = status.as;
	if (describe(d, args + 1, n - 1))
		evaluate(d, f);
	free(d);
}
