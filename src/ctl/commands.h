/* SPDX-License-Identifier: BSD-2-Clause */
/* commands.h - a request line -> the command it means -> its answer, in pieces.
 *
 * Knows no socket: a request is begun with a line, and gives its answer to a struct out piece by piece. One
 * table of commands serves the parser, help and completion. */
#ifndef MCBGP_CTL_COMMANDS_H
#define MCBGP_CTL_COMMANDS_H

#include "ctl/monitor.h"
#include "ctl/render.h"
#include "ctl/words.h"
#include "mcbgp/ctl.h"

struct request;

/** Who answers in pieces leaves one of these in the request. */
struct walk {
	/** One piece, of a bounded size; false: the answer is complete (render end() was called). */
	bool (*piece)(struct request *q);
	void (*free)(void *state);
	void *state;
};

struct request {
	const struct ctl_backend *backend;
	struct render render;
	const struct command *command; /* NULL: not understood */
	char line[CTL_LINE_MAX];       /* cut into words */
	struct words words;
	struct walk walk;       /* piece NULL: answered */
	struct monitor monitor; /* on: answered as things happen, until request_end() */
	bool restricted;        /* kept from one request to the next: nothing may be changed */
};

/** Understand and answer @line (without its newline), into @out. @return whether there is more to come:
 * request_more(). While @q->monitor.on the answer goes on by request_event(). */
bool request_begin(struct request *q, const struct ctl_backend *b, const char *line, struct out *out);
/** Refuse what begins with @line and is too long to be one. */
void request_refuse_long(struct request *q, const struct ctl_backend *b, const char *line, struct out *out);
/** One piece more; false: the answer is complete. */
bool request_more(struct request *q);
/** Something happened: of interest only while @q->monitor.on. Takes at most CTL_OUT_MAX bytes of its reader's
 * delay, then counts. */
void request_event(struct request *q, const struct ctl_event *e);
/** The reader has caught up: how many events were lost meanwhile, if any were. */
void request_caught_up(struct request *q);
/** Complete or not; a monitor says its last line. */
void request_end(struct request *q);

enum command_names { NAMES_NONE, NAMES_PROTOCOLS, NAMES_TUNNELS, NAMES_FILTERS };

struct command {
	const char *words; /* "show protocols" */
	const char *args;  /* as help shows them */
	const char *help;
	const struct keyword *keywords; /* that may follow; NULL: none */
	enum command_names names;       /* that may follow */
	bool mutates;                   /* not for a read-only socket */
	/** Answers, at once or by leaving q->walk. @args: the words behind the command's own. */
	void (*run)(struct request *q, const struct word *args, size_t n);
};
extern const struct command commands[]; /* ends with a row without words */

/* -- what runs them, by subject
 * ------------------------------------------------------------------------------------------- */

/* show.c */
extern const struct keyword show_keywords[], interface_keywords[];
void show_status(struct request *q, const struct word *args, size_t n);
void show_protocols(struct request *q, const struct word *args, size_t n);
void show_tunnels(struct request *q, const struct word *args, size_t n);
void show_interfaces(struct request *q, const struct word *args, size_t n);
void show_neighbors(struct request *q, const struct word *args, size_t n);
void show_bfd(struct request *q, const struct word *args, size_t n);
void show_memory(struct request *q, const struct word *args, size_t n);
/* route_query.c */
extern const struct keyword route_keywords[];
/* show_route.c */
void show_route(struct request *q, const struct word *args, size_t n);
/* monitor.c */
extern const struct keyword monitor_keywords[];
void monitor_end(struct request *q);
void monitor_begin(struct request *q, const struct word *args, size_t n);
/* show_filter.c */
extern const struct keyword attribute_keywords[];
void show_filters(struct request *q, const struct word *args, size_t n);
void test_filter(struct request *q, const struct word *args, size_t n);
/* act.c */
extern const struct keyword act_keywords[], reload_keywords[], configure_keywords[], level_keywords[],
        peer_level_keywords[];
void act_enable(struct request *q, const struct word *args, size_t n);
void act_disable(struct request *q, const struct word *args, size_t n);
void act_restart(struct request *q, const struct word *args, size_t n);
void act_reload(struct request *q, const struct word *args, size_t n);
void act_configure(struct request *q, const struct word *args, size_t n);
void act_down(struct request *q, const struct word *args, size_t n);
void act_graceful_restart(struct request *q, const struct word *args, size_t n);
void act_restrict(struct request *q, const struct word *args, size_t n);
void act_log_peer(struct request *q, const struct word *args, size_t n);
void act_log_level(struct request *q, const struct word *args, size_t n);
/* names.c */
/** Names of protocols or tunnels, as they are now. */
struct names {
	char **name; /* owned */
	size_t n, size;
};
/** Every protocol, or those whose name matches the shell pattern @pattern; @bgp_only: peers. false: no
 * memory. */
bool names_protocols(const struct ctl_backend *b, const char *pattern, bool bgp_only, struct names *out);
bool names_tunnels(const struct ctl_backend *b, struct names *out);
bool names_filters(const struct ctl_backend *b, struct names *out);
void names_fini(struct names *s);

/** "[NAME]" and nothing else: NULL in @name when there is none. false: refused. */
bool one_name(struct request *q, const struct word *args, size_t n, const char **name);
/** Answer with CTL_NOT_FOUND, "No <kind> <name>", and the one of @all that was perhaps meant, or how to see
 * them: `show <kind>s`. */
void refuse_name(struct request *q, const char *kind, const char *name, const struct names *all);
/** Answer with CTL_NO_PROTOCOL and the name that was perhaps meant. */
void refuse_protocol(struct request *q, const char *name);

#endif
