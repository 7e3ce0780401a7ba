/* SPDX-License-Identifier: BSD-2-Clause */
/* schema.h - the option table: for every setting of mcbgpd.conf its type, range, default, what a change
 * costs, a line of help, and whether it is built yet. The loader, the comparison of two configurations and
 * the manual page follow it. */
#ifndef MCBGP_CONFIG_SCHEMA_H
#define MCBGP_CONFIG_SCHEMA_H

#include "config/conf.h"
#include "lib/text.h"

/** What the file holds for a setting, and the C type of its field. */
enum option_type {
	OPT_BOOL,      /* bool */
	OPT_TRISTATE,  /* true or false; enum conf_tristate */
	OPT_INT,       /* any unsigned integer, or int */
	OPT_AS,        /* uint32_t */
	OPT_ROUTER_ID, /* uint32_t, host byte order */
	OPT_STRING,    /* char * */
	OPT_TOKEN,     /* char *: the name of something, printable and without blanks */
	OPT_LINK,      /* char *: the name of a link */
	OPT_KEYWORD,   /* one of `words`: an enum or int */
	OPT_KEYWORDS,  /* several of `words`: a mask of 1 << value */
	OPT_IP,        /* struct ip */
	OPT_PREFIX,    /* struct prefix */
	OPT_POLICY,    /* struct conf_policy */
	OPT_BFD,       /* a boolean or a group of settings */
	OPT_WG_KEY,    /* uint8_t[32] */
	OPT_ENDPOINT,  /* char *: host and port */
	OPT_GRE_KEY,   /* struct conf_tunnel: `key` of both directions */

	/* Several values, of which one may stand alone: an array and its count */
	OPT_INTS,        /* uint32_t * */
	OPT_IPS,         /* struct ip * */
	OPT_PREFIXES,    /* struct prefix * */
	OPT_ADDRESSES,   /* struct conf_address * */
	OPT_PATTERNS,    /* char **: shell patterns of link names */
	OPT_ALLOWED_IPS, /* struct prefix *, struct conf_wg_peer: and "bgp" */
	OPT_PREFIX_SETS, /* const struct prefix_set **, by their names */
	OPT_SOURCES,     /* char **: names of peers and groups */

	/* Parts of filters */
	OPT_AS_PATHS,      /* struct filter_match */
	OPT_COMMUNITIES,   /* struct filter_match; `kind` */
	OPT_ADD_COMMUNITY, /* struct community_edit; `kind`; so are the next two */
	OPT_DELETE_COMMUNITY,
	OPT_SET_COMMUNITY,
	OPT_NEXT_HOP, /* struct filter_set */

	/* Sections */
	OPT_GROUP,      /* settings of `section`, in place */
	OPT_LIST,       /* groups of settings of `section`: an array and its count */
	OPT_SET_MAP,    /* struct conf: named sets of prefix patterns */
	OPT_FILTER_MAP, /* struct conf: named lists of terms, `section` */
	OPT_GROUP_MAP,  /* named groups of settings of `section`: what peers inherit */
	OPT_PEERS,      /* struct conf: a list of groups of settings of `section` */
	OPT_TYPES,
};

/** What a change costs when the configuration is loaded anew. */
enum option_effect {
	EFFECT_NONE,     /* takes effect at once, or at the next session; disturbs nothing */
	EFFECT_ROUTES,   /* routes are evaluated again */
	EFFECT_SESSION,  /* the session is reset */
	EFFECT_SESSIONS, /* every session is reset */
	EFFECT_LINK,     /* the link is changed in place */
	EFFECT_LINK_NEW, /* the link is replaced: what a change in place cannot bring about */
	EFFECT_START,    /* nothing until the daemon is started anew */
	EFFECTS,
};

struct keyword {
	const char *word; /* NULL ends the table */
	int value;
	bool later; /* not built yet */
};

struct section;

struct option {
	const char *name;
	enum option_type type;
	enum option_effect effect;
	bool later; /* not built yet: refused whatever its value */
	bool required;
	uint8_t kind;  /* enum community_kind */
	uint8_t size;  /* of the field */
	size_t offset; /* of the field in its section's struct */
	size_t count_offset;
	size_t given; /* 1 + offset of the bool that says the setting is there; 0: none */
	int64_t min, max;
	int64_t preset;          /* the default of a number, a boolean or a keyword */
	const char *preset_text; /* the default of a string; in words, of anything else that `preset` does not
	                            say */
	const char *unit;        /* of an integer, in words */
	const char *zero;        /* 0 is allowed too and means this */
	const struct keyword *words;
	const struct section *section;
	const char *help;
};

struct section {
	const char *name; /* as the manual page heads it */
	const struct option *options;
	size_t n;
	size_t size; /* of its struct */
};

extern const struct section schema_root, schema_tunnel, schema_peer, schema_peer_group, schema_static,
        schema_kernel;
/** Every section but the root, in the order of the manual page; NULL ends it. */
extern const struct section *const schema_sections[];

const struct option *schema_find(const struct section *s, const char *name); /* NULL: no such setting */
/** The setting of @s whose name is nearest to @name, by edits. */
const char *schema_nearest(const struct section *s, const char *name);
/** Edits (insert, delete, replace, swap of neighbours) from @a to @b; names beyond 63 bytes count as cut
 * there. */
unsigned edit_distance(const char *a, const char *b);

/** The nearest of several names, which are tried one by one. */
struct nearest {
	const char *wanted;
	const char *name; /* NULL: none was tried; borrowed */
	unsigned distance;
};
void nearest_try(struct nearest *n, const char *name); /* NULL: nothing is tried */

/** What values are right, in words: "an integer, 0 (no timers) or 3 to 65535 seconds". */
void schema_print_wanted(const struct option *o, struct text *out);
void schema_print_range(const struct option *o, struct text *out);  /* of an integer: "1 to 65535" */
void schema_print_preset(const struct option *o, struct text *out); /* "90", "required", "none" */
const char *schema_effect_text(enum option_effect e);               /* "the session is reset" */
const char *schema_effect_name(enum option_effect e);               /* "session": for programs */
/** The value of @o in the struct @base in words, without quotes; of secrets, the path of their file. */
void schema_print_value(const struct option *o, const void *base, struct text *out);

/** Number held in an integer field of @size bytes. */
void field_store(void *field, size_t size, int64_t value);

static inline void *option_field(const struct option *o, void *base)
{
	return (char *)base + o->offset;
}
static inline size_t *option_count(const struct option *o, void *base)
{
	return (size_t *)(void *)((char *)base + o->count_offset);
}

#endif
