/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json_filter.c - filters and what they make of a route, in JSON. */
#include "ctl/filter_text.h"
#include "ctl/json_value.h"

/** An object of lists being made: {"community": ["65000:1"]}. */
struct lists {
	struct render *render;
	json_t *object;
};

static void add_value(void *arg, const char *setting, const char *value)
{
	const struct lists *l = arg;
	json_t *values = json_object_get(l->object, setting);

	json_add_str(l->render, values ? values : json_set_array(l->render, l->object, setting), value);
}

void json_filter(struct render *r, const struct filter *f)
{
	json_t *o = json_object(), *terms = json_set_array(r, o, "terms");

	json_set_str(r, o, "name", f->name);
	for (size_t i = 0; i < f->n_terms; i++) {
		json_t *t = json_object();
		struct lists match = { r, json_set_object(r, t, "match") };
		struct lists set = { r, json_set_object(r, t, "set") };

		filter_text_match(r->backend, &f->terms[i].match, add_value, &match);
		filter_text_set(&f->terms[i].set, add_value, &set);
		json_set_str(r, t, "action", filter_text_action(f->terms[i].action));
		json_mem(r, json_array_append_new(terms, t));
	}
	json_emit(r, o);
}

static void set_matched(struct render *r, json_t *o, const struct filter_result *result)
{
	json_t *matched = json_set_array(r, o, "matched");

	for (unsigned i = 0; i < FILTER_TRACED; i++)
		if (result->matched & UINT64_C(1) << i)
			json_mem(r, json_array_append_new(matched, json_integer(i + 1)));
}

void json_evaluation(struct render *r, const struct evaluation *e)
{
	bool accepted = e->result->verdict == FILTER_ACCEPT && !e->edit->bad;
	char prefix[PREFIX_STRLEN];
	json_t *o = json_object();

	json_set_str(r, o, "filter", e->filter->name);
	json_set_str(r, o, "prefix", prefix_print(e->prefix, prefix));
	json_set_str(r, o, "verdict", accepted ? "accept" : "reject");
	if (e->result->term >= 0)
		json_set_int(r, o, "term", (uint64_t)e->result->term + 1);
	set_matched(r, o, e->result);
	if (accepted) {
		json_set_attrs(r, o, &e->edit->a, true);
		json_set_bool(r, o, "next_hop_self", e->result->next_hop == NEXT_HOP_SELF);
		if (e->result->weight)
			json_set_int(r, o, "weight", e->result->weight);
	}
	json_emit(r, o);
}
