/* SPDX-License-Identifier: BSD-2-Clause */
/* render.h - how an answer looks. A command walks what it shows once and hands each thing to a renderer: text
 * in BIRD's layout, or JSON. A renderer decides nothing but form. */
#ifndef MCBGP_CTL_RENDER_H
#define MCBGP_CTL_RENDER_H

#include "ctl/backend.h"
#include "ctl/out.h"
#include "mcbgp/ctl.h"

/** A path as `show route` shows it. */
struct route_item {
	const struct rib_path_view *path;
	/* With `all`: the path that won, and of the winner the one that came next; NULL: not asked, or there
	 * is none. */
	const struct rib_path_view *winner, *second;
	int import_term;                    /* that accepted the path, from 0; -1: none, or not asked */
	const struct rib_peer_conf *toward; /* whom it is exported to, or not; NULL: not asked */
	struct rib_export_reason export;    /* with @toward */
	const struct attrs *attrs; /* that are shown: as accepted, as received when refused, or as exported */
	const char *table;         /* "master4" … */
	bool first;                /* of its prefix: names it */
	bool all;                  /* with every attribute, and why */
	bool of_fib;               /* what was asked is the kernel side */
	bool filtered;             /* what was asked are refused ones */
	bool exported;          /* attrs are those that go out: what was decided about the path is not said */
	enum ctl_fib_state fib; /* of its prefix */
	const char *fib_why;    /* NULL unless it failed, or is kept from the kernel */
};

/** What came of running a filter on attributes that the operator made up. */
struct evaluation {
	const struct filter *filter;
	const struct prefix *prefix;
	const struct filter_result *result;
	const struct attrs_edit *edit; /* the attributes behind it; bad: they did not fit */
};

struct route_count {
	const char *table;
	size_t shown, routes, networks;
};

/** A command. */
struct help_item {
	const char *words, *args, *text;
};

struct render {
	const struct render_ops *ops;
	struct out *out;
	const struct ctl_backend *backend;
	struct ctl_clock clock; /* when the request began */
	const char *table;      /* text: heading last printed; NULL: none */
	unsigned code;          /* text: of the line before; 0: none */
	bool began, ended;
	bool single;   /* JSON: the document has one object, not a list */
	size_t listed; /* JSON: things in it */
};

struct render_ops {
	/** What follows is a list of things under @key; @single: one of them, no list. Called once at most,
	 * before the first. */
	void (*begin)(struct render *r, const char *key, bool single);
	void (*status)(struct render *r, const struct ctl_status *s);
	void (*protocol_heading)(struct render *r);
	void (*protocol)(struct render *r, const struct ctl_proto *p, bool all);
	/** What follows is of that table; said once at least of one that was asked for by name. */
	void (*table)(struct render *r, const char *name);
	void (*route)(struct render *r, const struct route_item *i);
	void (*adopted)(struct render *r, const struct ctl_adopted *a);
	void (*count)(struct render *r, const struct route_count *c);
	void (*tunnel_heading)(struct render *r);
	void (*tunnel)(struct render *r, const struct ctl_tunnel *t, bool all);
	void (*interface)(struct render *r, const struct ctl_interface *i);
	void (*interface_summary_heading)(struct render *r);
	void (*interface_summary)(struct render *r, const struct ctl_interface *i);
	void (*neighbor_heading)(struct render *r);
	void (*neighbor)(struct render *r, const struct ctl_neighbor *n);
	void (*bfd_heading)(struct render *r);
	void (*memory_heading)(struct render *r);
	void (*memory)(struct render *r, const char *what, size_t bytes, size_t count);
	void (*filter)(struct render *r, const struct filter *f);
	void (*evaluation)(struct render *r, const struct evaluation *e);
	/** What came of an action on @name (NULL: on no thing in particular). */
	void (*note)(struct render *r, enum ctl_code code, const char *name, const char *text);
	/** What a new configuration would change. */
	void (*change)(struct render *r, const struct ctl_change *c);
	/** What a monitor will tell, and one event each. Those of JSON are documents of their own. */
	void (*monitor)(struct render *r, const char *kind, const char *peer);
	void (*event)(struct render *r, const struct ctl_event *e);
	void (*lost)(struct render *r, uint64_t events);
	void (*help)(struct render *r, const struct help_item *h);
	/** A word that may follow, and what it means ("": nothing more to say). */
	void (*completion)(struct render *r, const char *word, const char *text);
	/** The end of the answer, once. */
	void (*end)(struct render *r, enum ctl_code code, const char *text);
};

extern const struct render_ops render_text, render_json;

/** end() with a formatted text, for what refuses; cut at 500 bytes. */
void render_refuse(struct render *r, enum ctl_code code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* -- words that both forms share
 * --------------------------------------------------------------------------------------- */

#define TIME_STRLEN 32
/** @us (monotonic) on the wall clock: time of day within BIRD's 20 hours, the date before that; "" for 0. */
char *render_time(const struct render *r, uint64_t us, char *buf);
/** Date and time, in full. */
char *render_date(const struct render *r, uint64_t us, char *buf);
const char *render_proto_kind(enum ctl_proto_kind k);   /* "BGP" … */
const char *render_proto_state(enum ctl_proto_state s); /* "up" … */
/** "Established", "Passive", "Down" …: what BIRD calls the state. */
const char *render_bgp_state(const struct ctl_proto *p);
const char *render_proto_table(const struct ctl_proto *p); /* "master4", "---" */
const char *render_table(enum family f);
const char *render_tunnel_state(const struct ctl_tunnel *t);
const char *render_fib_state(enum ctl_fib_state s);
const char *render_origin(uint8_t origin);
#define LLADDR_STRLEN 96
/** "02:00:5e:10:00:01"; "" when it is not known. */
char *render_lladdr(const struct ctl_neighbor *n, char *buf);
unsigned render_preference(const struct rib_path_view *v); /* BIRD's, by source */
/** Why the path cannot be used; NULL: it can. */
const char *render_not_eligible(const struct render *r, const struct rib_path_view *v, char *buf,
                                size_t size);
/** By what the path was refused; NULL: it was not. */
const char *render_refused(const struct rib_path_view *v, char *buf, size_t size);
/** Why it is not announced to @i->toward; NULL: it is, or that was not asked. */
const char *render_withheld(const struct route_item *i, char *buf, size_t size);

#endif
