/* SPDX-License-Identifier: BSD-2-Clause */
/* loader.h - what the parts of the loader share; nobody else includes it. */
#ifndef MCBGP_CONFIG_LOADER_H
#define MCBGP_CONFIG_LOADER_H

#include "config/report.h"
#include "config/schema.h"

/** Keys that must be unique, or be known, with the setting where each was met first. */
struct seen;
/** Where @key (@len bytes) was met before; NULL: it is new and in the set now, or there is no memory (see
 * report). */
const config_setting_t *seen_add(struct seen **set, const void *key, size_t len,
                                 const config_setting_t *where, struct report *report);
/** Where @key was met; NULL: it was not. */
const config_setting_t *seen_where(struct seen *set, const void *key, size_t len);
void seen_nearest(const struct seen *set, struct nearest *n);
void seen_free(struct seen **set);

struct loader {
	struct report report;
	struct conf *conf;
	config_setting_t *root;
	struct seen *origins;     /* names of peers and groups, for match.peer */
	struct conf_peer *groups; /* what a peer of each group begins with; `name` is the group's */
	size_t n_groups;
};

/** Reads the setting @s into its place in @base. What is wrong is reported; the field is then as it was. */
typedef void option_reader(struct loader *l, config_setting_t *s, const struct option *o, void *base);

/* load_section.c */
/** Every field of @base as the table has its default. */
void section_defaults(struct loader *l, const struct section *sec, void *base);
/** The members of @s into @base. */
void section_read(struct loader *l, config_setting_t *s, const struct section *sec, void *base);
void report_wrong_type(struct loader *l, const config_setting_t *s, const struct option *o);
/** A value of the right type that is not right: `"x" is WHAT: needs …`. */
void report_wrong_value(struct loader *l, const config_setting_t *s, const struct option *o,
                        const char *what);
void report_empty(struct loader *l, const config_setting_t *s, const struct option *o);
/** `there is no WHAT "x": did you mean …?` */
void report_unknown_name(struct loader *l, const config_setting_t *s, const char *what,
                         const struct nearest *n);
/** `"x" is taken: first used in line N` */
void report_taken(struct loader *l, const config_setting_t *s, const char *member,
                  const config_setting_t *first);
/** Zeroed; NULL is reported. @n may be 0. */
void *load_alloc(struct loader *l, size_t n, size_t size);
/** The field of @o, an array with an element of @size bytes for each of @s, zeroed; NULL, reported: @s is
 * empty, or no memory. */
void *load_array(struct loader *l, const config_setting_t *s, const struct option *o, void *base,
                 size_t size);
char *load_strdup(struct loader *l, const char *text);
/** Elements of a list or an array; a value that stands alone is its own only element. */
size_t item_count(const config_setting_t *s);
/** Is there an element @i to be read? No more are, once there are errors enough: a hostile file ends there.
 */
bool has_item(const struct loader *l, const config_setting_t *s, size_t i);
config_setting_t *item(config_setting_t *s, size_t i);
/** The text of @s; NULL: it is none, which is reported. */
const char *read_text(struct loader *l, const config_setting_t *s, const struct option *o);

/* load_values.c */
option_reader read_bool, read_int, read_as, read_router_id, read_string, read_token, read_link, read_keyword,
        read_keywords, read_ip, read_ips, read_prefix, read_policy, read_ints, read_prefixes, read_addresses,
        read_patterns;
bool prefix_of(struct loader *l, const config_setting_t *s, const struct option *o, struct prefix *out);
/** Replaces what a group gave. */
void set_string(struct loader *l, const struct option *o, void *base, const char *text);
bool is_token(const char *name);
/* load_filters.c */
option_reader read_set_map, read_filter_map, read_prefix_sets, read_sources, read_as_paths, read_communities,
        read_community_edit, read_next_hop;
/* load_peers.c */
option_reader read_group_map, read_peers;
void collect_origins(struct loader *l);
void check_peers(struct loader *l);
void check_timers(struct loader *l, const config_setting_t *s, uint16_t hold_time, uint16_t keepalive);
/* load_tunnels.c: settings of tunnels alone, and what no setting says alone */
option_reader read_allowed_ips, read_wg_key, read_endpoint, read_gre_key;
void check_tunnels(struct loader *l);
void check_statics(struct loader *l);

#endif
