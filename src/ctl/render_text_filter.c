/* SPDX-License-Identifier: BSD-2-Clause */
/* render_text_filter.c - filters and what they make of a route, for people. */
#include <stdio.h>
#include <string.h>

#include "ctl/filter_text.h"
#include "ctl/render_text.h"

/** A list of settings being written: "med 100, community 65000:1 65000:2". */
struct list {
	struct out out;
	char last[32]; /* the setting before */
};

static void add_value(void *arg, const char *setting, const char *value)
{
	struct list *l = arg;

	if (strcmp(l->last, setting) != 0)
		out_printf(&l->out, "%s%s", l->last[0] ? ", " : "", setting);
	snprintf(l->last, sizeof(l->last), "%s", setting);
	out_printf(&l->out, strpbrk(value, " ,") ? " \"%s\"" : " %s", value);
}

static void list_line(struct render *r, const char *name, struct list *l)
{
	out_write(&l->out, "", 1);
	if (l->out.bad)
		r->out->bad = true;
	else if (l->last[0])
		text_line(r, CTL_FILTER, "\t\t%s: %s", name, out_head(&l->out));
	out_fini(&l->out);
}

static void term(struct render *r, const struct filter *f, size_t i)
{
	const struct filter_term *t = &f->terms[i];
	struct list match = { .last = "" }, set = { .last = "" };

	text_line(r, CTL_FILTER, "\tTerm %zu: %s", i + 1, filter_text_action(t->action));
	filter_text_match(r->backend, &t->match, add_value, &match);
	list_line(r, "match", &match);
	filter_text_set(&t->set, add_value, &set);
	list_line(r, "set", &set);
}

void text_filter(struct render *r, const struct filter *f)
{
	text_line(r, CTL_FILTER, "Filter %s", f->name);
	for (size_t i = 0; i < f->n_terms; i++)
		term(r, f, i);
}

/** What each term that was asked said. */
static void trace(struct render *r, const struct evaluation *e)
{
	size_t asked = e->result->term < 0 ? e->filter->n_terms : (size_t)e->result->term + 1;

	for (size_t i = 0; i < asked && i < FILTER_TRACED; i++)
		text_line(r, CTL_FILTER, "\tTerm %zu: %s", i + 1,
		          e->result->matched & UINT64_C(1) << i
		                  ? filter_text_action(e->filter->terms[i].action)
		                  : "does not match");
}

void text_evaluation(struct render *r, const struct evaluation *e)
{
	bool accepted = e->result->verdict == FILTER_ACCEPT;
	char prefix[PREFIX_STRLEN];

	text_line(r, CTL_FILTER, "Filter %s, %s", e->filter->name, prefix_print(e->prefix, prefix));
	trace(r, e);
	if (e->edit->bad)
		text_line(r, CTL_FILTER, "\tRejected: its attributes are too large to be rewritten");
	else if (e->result->term < 0)
		text_line(r, CTL_FILTER, "\tRejected: no term accepts it");
	else
		text_line(r, CTL_FILTER, "\t%s by term %d", accepted ? "Accepted" : "Rejected",
		          e->result->term + 1);
	if (!accepted || e->edit->bad)
		return;
	text_attributes(r, &e->edit->a, true);
	if (e->result->next_hop == NEXT_HOP_SELF)
		text_line(r, CTL_FILTER, "\tNext hop: self, the address of the session it is sent on");
	if (e->result->weight)
		text_line(r, CTL_FILTER, "\tWeight: %u", e->result->weight);
}
