/* SPDX-License-Identifier: BSD-2-Clause */
/* json_value.h - what the parts of the JSON renderer share; nobody else includes it.
 *
 * A value that is not known is left out: a NULL or empty text, an address of no family, the moment 0. */
#ifndef MCBGP_CTL_JSON_VALUE_H
#define MCBGP_CTL_JSON_VALUE_H

#include <jansson.h>

#include "ctl/render.h"

/** Setting fails for lack of memory only, or for a NULL value: the key is then left out, and this notes it.
 */
void json_mem(struct render *r, int rc);
/** A peer may send what is not UTF-8, which JSON cannot carry: such bytes become '?'. NULL: out of memory. */
json_t *json_text(const char *s);
void json_set_str(struct render *r, json_t *o, const char *key, const char *s);
void json_set_int(struct render *r, json_t *o, const char *key, uint64_t v);
void json_set_bool(struct render *r, json_t *o, const char *key, bool v);
void json_set_ip(struct render *r, json_t *o, const char *key, const struct ip *a);
/** @id, in host byte order, as an address. */
void json_set_id(struct render *r, json_t *o, const char *key, uint32_t id);
/** The monotonic moment @us as seconds since the epoch, with its fraction. */
void json_set_time(struct render *r, json_t *o, const char *key, uint64_t us);
/** Seconds until the monotonic moment @us. */
void json_set_left(struct render *r, json_t *o, const char *key, uint64_t us);
/** A new object, or array, under @key; owned by @o. */
json_t *json_set_object(struct render *r, json_t *o, const char *key);
json_t *json_set_array(struct render *r, json_t *o, const char *key);
void json_add_str(struct render *r, json_t *array, const char *s);
/** @v into the answer; consumes it. */
void json_write(struct render *r, json_t *v);
/** The next thing of the document's list, or its only one; consumes it. */
void json_emit(struct render *r, json_t *thing);

/* render_json_protocol.c, render_json_route.c, render_json_event.c, render_json_filter.c, render_json_host.c:
 * as in struct render_ops */
void json_protocol(struct render *r, const struct ctl_proto *p, bool all);
void json_route(struct render *r, const struct route_item *i);
void json_adopted(struct render *r, const struct ctl_adopted *a);
/** An object "attributes" in @parent; @exported: as on the wire. */
void json_set_attrs(struct render *r, json_t *parent, const struct attrs *a, bool exported);
void json_filter(struct render *r, const struct filter *f);
void json_evaluation(struct render *r, const struct evaluation *e);
void json_count(struct render *r, const struct route_count *c);
void json_monitor(struct render *r, const char *kind, const char *peer);
void json_event(struct render *r, const struct ctl_event *e);
void json_lost(struct render *r, uint64_t events);
void json_tunnel(struct render *r, const struct ctl_tunnel *t, bool all);
void json_interface(struct render *r, const struct ctl_interface *i);
void json_neighbor(struct render *r, const struct ctl_neighbor *n);
void json_memory(struct render *r, const char *what, size_t bytes, size_t count);

#endif
