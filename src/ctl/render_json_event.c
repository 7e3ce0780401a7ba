/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json_event.c - what a monitor tells, a JSON document an event. */
#include <string.h>

#include "ctl/json_value.h"

static void document(struct render *r, const char *key, json_t *value)
{
	json_t *o = json_object();

	json_mem(r, json_object_set_new(o, key, value));
	json_write(r, o);
	out_write(r->out, "\n", 1);
}

void json_monitor(struct render *r, const char *kind, const char *peer)
{
	json_t *o = json_object();

	json_set_str(r, o, "kind", *kind ? kind : "all");
	json_set_str(r, o, "peer", peer);
	document(r, "monitor", o);
}

static void set_field(struct render *r, json_t *o, const struct kv *kv)
{
	char text[PREFIX_STRLEN];

	switch (kv->type) {
	case KV_STR:
		json_set_str(r, o, kv->key, kv->str);
		break;
	case KV_U64:
		json_set_int(r, o, kv->key, kv->u64);
		break;
	case KV_I64:
		json_mem(r, json_object_set_new(o, kv->key, json_integer(kv->i64)));
		break;
	case KV_IP:
		json_set_ip(r, o, kv->key, kv->ip);
		break;
	case KV_PREFIX:
		json_set_str(r, o, kv->key, prefix_print(kv->prefix, text));
		break;
	case KV_ERRNO:
		json_set_str(r, o, kv->key, strerror(kv->i64 < 0 ? (int)-kv->i64 : (int)kv->i64));
		break;
	}
}

void json_event(struct render *r, const struct ctl_event *e)
{
	json_t *o = json_object(), *fields;

	json_set_str(r, o, "event", e->name);
	json_set_time(r, o, "time", r->clock.mono_us);
	json_set_str(r, o, "level", log_level_name(e->level));
	fields = json_set_object(r, o, "fields");
	for (size_t i = 0; i < e->n_fields; i++)
		set_field(r, fields, &e->fields[i]);
	json_write(r, o);
	out_write(r->out, "\n", 1);
}

void json_lost(struct render *r, uint64_t events)
{
	document(r, "lost", json_integer((json_int_t)events));
}
