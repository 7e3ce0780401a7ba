/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json.c - DOC: the same answers as one JSON document on one line.
 *
 *	{"<key>": [ … ]}, {"<key>": { … }} or {"result": {"code": N, "text": "…"}}; a refusal: {"error": { …
 *}}
 *
 * Things are written as they come, so that a document of a million routes is never held in memory. The keys
 * are a contract (mcbgpc(8)): added to, never changed. What is not known is left out. */
#include "ctl/json_value.h"

static void json_begin(struct render *r, const char *key, bool single)
{
	r->began = true;
	r->single = single;
	out_printf(r->out, "{\"%s\": %s", key, single ? "" : "[");
}

static void write_result(struct render *r, enum ctl_code code, const char *text)
{
	json_t *o = json_object();

	json_set_int(r, o, "code", code);
	json_mem(r, json_object_set_new(o, "text", json_text(text)));
	json_write(r, o);
}

static void json_end(struct render *r, enum ctl_code code, const char *text)
{
	bool refused = code >= CTL_REFUSED_MIN;

	r->ended = true;
	if (!r->began) {
		out_printf(r->out, refused ? "{\"error\": " : "{\"result\": ");
		write_result(r, code, text);
	} else {
		out_printf(r->out, r->single ? "" : "]");
		if (refused || *text) {
			out_printf(r->out, refused ? ", \"error\": " : ", \"result\": ");
			write_result(r, code, text);
		}
	}
	out_printf(r->out, "}\n");
}

static void no_heading(struct render *r)
{
	(void)r;
}

static void no_table(struct render *r, const char *name)
{
	(void)r;
	(void)name;
}

static void json_note(struct render *r, enum ctl_code code, const char *name, const char *text)
{
	json_t *o = json_object();

	if (!r->began)
		json_begin(r, "notes", false);
	json_set_str(r, o, "name", name);
	json_set_int(r, o, "code", code);
	json_set_str(r, o, "text", text);
	json_emit(r, o);
}

static void json_change(struct render *r, const struct ctl_change *c)
{
	json_t *o = json_object();

	if (!r->began)
		json_begin(r, "notes", false);
	json_set_int(r, o, "code", CTL_CHANGE);
	json_set_str(r, o, "kind", c->kind);
	json_set_str(r, o, "name", c->name);
	json_set_str(r, o, "setting", c->setting);
	json_set_str(r, o, "from", c->from);
	json_set_str(r, o, "to", c->to);
	json_set_str(r, o, "effect", c->effect);
	json_set_str(r, o, "text", c->text);
	json_emit(r, o);
}

static void json_help(struct render *r, const struct help_item *h)
{
	json_t *o = json_object();

	json_set_str(r, o, "words", h->words);
	json_set_str(r, o, "arguments", h->args);
	json_set_str(r, o, "help", h->text);
	json_emit(r, o);
}

static void json_completion(struct render *r, const char *word, const char *text)
{
	json_t *o = json_object();

	json_set_str(r, o, "word", word);
	json_set_str(r, o, "help", text);
	json_emit(r, o);
}

static void json_status(struct render *r, const struct ctl_status *s)
{
	static const char *const refusals[CTL_REFUSALS] = { [CTL_EXISTS] = "exists",
		                                            [CTL_MISSING] = "missing",
		                                            [CTL_BUSY] = "busy",
		                                            [CTL_FULL] = "no_room",
		                                            [CTL_OTHER] = "other" };
	json_t *o = json_object(), *fib = json_set_object(r, o, "kernel_routes");
	json_t *refused = json_set_object(r, fib, "refused"), *audit = json_set_object(r, o, "kernel_audits");

	json_set_str(r, o, "version", s->version);
	json_set_str(r, o, "hostname", s->hostname);
	json_set_str(r, o, "configuration", s->file);
	json_set_id(r, o, "router_id", s->router_id);
	json_set_int(r, o, "as", s->as);
	json_set_str(r, o, "state", s->stopping ? "stopping" : "running");
	json_set_time(r, o, "now", r->clock.mono_us);
	json_set_time(r, o, "started", s->started_us);
	json_set_time(r, o, "configured", s->configured_us);
	json_set_left(r, o, "undone_in_s", s->confirm_us);
	json_set_bool(r, o, "nexthop_objects", s->nexthop_objects);
	json_set_bool(r, o, "recovering", s->adopting);
	json_set_int(r, fib, "installed", s->fib_installed);
	json_set_int(r, fib, "queued", s->fib_queued);
	json_set_int(r, fib, "failed", s->fib_failed);
	json_set_int(r, fib, "put_back", s->fib_put_back);
	json_set_int(r, fib, "resyncs", s->fib_resyncs);
	for (size_t i = 0; i < CTL_REFUSALS; i++)
		json_set_int(r, refused, refusals[i], s->fib_refused[i]);
	json_set_int(r, audit, "completed", s->fib_audits);
	json_set_int(r, audit, "differences", s->fib_audit_found);
	json_set_time(r, audit, "last", s->fib_audited_us);
	json_emit(r, o);
}

const struct render_ops render_json = {
	.begin = json_begin,
	.status = json_status,
	.protocol_heading = no_heading,
	.protocol = json_protocol,
	.table = no_table, /* each route names its own */
	.route = json_route,
	.adopted = json_adopted,
	.count = json_count,
	.tunnel_heading = no_heading,
	.tunnel = json_tunnel,
	.interface = json_interface,
	.interface_summary_heading = no_heading,
	.interface_summary = json_interface,
	.neighbor_heading = no_heading,
	.neighbor = json_neighbor,
	.bfd_heading = no_heading,
	.memory_heading = no_heading,
	.memory = json_memory,
	.filter = json_filter,
	.evaluation = json_evaluation,
	.note = json_note,
	.change = json_change,
	.monitor = json_monitor,
	.event = json_event,
	.lost = json_lost,
	.help = json_help,
	.completion = json_completion,
	.end = json_end,
};
