/* SPDX-License-Identifier: BSD-2-Clause */
/* json_value.c - see json_value.h. */
#include "ctl/json_value.h"

#include <stdlib.h>
#include <string.h>

void json_mem(struct render *r, int rc)
{
	if (rc < 0)
		r->out->bad = true;
}

json_t *json_text(const char *s)
{
	json_t *v = json_string(s);
	char *copy;

	if (v)
		return v;
	copy = strdup(s);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	v = json_string(copy);
	free(copy);
	return v;
}

void json_set_str(struct render *r, json_t *o, const char *key, const char *s)
{
	if (s && *s)
		json_mem(r, json_object_set_new(o, key, json_text(s)));
}

void json_set_int(struct render *r, json_t *o, const char *key, uint64_t v)
{
	json_mem(r, json_object_set_new(o, key, json_integer((json_int_t)v)));
}

void json_set_bool(struct render *r, json_t *o, const char *key, bool v)
{
	json_mem(r, json_object_set_new(o, key, json_boolean(v)));
}

void json_set_ip(struct render *r, json_t *o, const char *key, const struct ip *a)
{
	char buf[IP_STRLEN];

	if (a->family)
		json_set_str(r, o, key, ip_print(a, buf));
}

void json_set_id(struct render *r, json_t *o, const char *key, uint32_t id)
{
	struct ip a = ip_v4(id);

	json_set_ip(r, o, key, &a);
}

/** Microseconds as seconds, to the millisecond. */
static json_t *seconds(int64_t us)
{
	int64_t ms = us / 1000;

	return json_real((double)ms / 1000);
}

void json_set_time(struct render *r, json_t *o, const char *key, uint64_t us)
{
	int64_t at = r->clock.wall_us - (int64_t)(r->clock.mono_us - us);

	if (us)
		json_mem(r, json_object_set_new(o, key, seconds(at)));
}

void json_set_left(struct render *r, json_t *o, const char *key, uint64_t us)
{
	uint64_t left = us > r->clock.mono_us ? us - r->clock.mono_us : 0;

	if (us)
		json_mem(r, json_object_set_new(o, key, seconds((int64_t)left)));
}

json_t *json_set_object(struct render *r, json_t *o, const char *key)
{
	json_t *made = json_object();

	json_mem(r, json_object_set_new(o, key, made));
	return made;
}

json_t *json_set_array(struct render *r, json_t *o, const char *key)
{
	json_t *made = json_array();

	json_mem(r, json_object_set_new(o, key, made));
	return made;
}

void json_add_str(struct render *r, json_t *array, const char *s)
{
	json_mem(r, json_array_append_new(array, json_text(s)));
}

static int write_bytes(const char *bytes, size_t n, void *ctx)
{
	struct out *o = ctx;

	out_write(o, bytes, n);
	return o->bad ? -1 : 0;
}

void json_write(struct render *r, json_t *v)
{
	if (!v || json_dump_callback(v, write_bytes, r->out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(16)) < 0)
		r->out->bad = true;
	json_decref(v);
}

void json_emit(struct render *r, json_t *thing)
{
	if (r->listed++)
		out_printf(r->out, ", ");
	json_write(r, thing);
}
