/* SPDX-License-Identifier: BSD-2-Clause */
/* rib_priv.h - what the files of this folder share: the table's state and who may call whom.
 *
 *   rib.c      the door: peers, budgets, walks and views
 *   adj_in.c   UPDATE -> paths, import policy, sweeps        -> loc_rib_touch()
 *   loc_rib.c  dirty dests -> best path and ECMP set         -> adj_out_touch(), subscribers
 *   adj_out.c  export groups: who hears what, and when       -> batch_run()
 *   group_paths.c what groups with ADD-PATH have told, path by path
 *   batch.c    some dests of a group -> encoded messages     -> sink_push()
 *   sink.c     what is encoded for a peer and not yet written
 *
 * Calls go down this list only. */
#ifndef MCBGP_RIB_RIB_PRIV_H
#define MCBGP_RIB_RIB_PRIV_H

#include "policy/export.h"
#include "rib/rib.h"
#include "rib/table.h"

#define MAX_SUBSCRIBERS 4
#define MAX_HOPS        256 /* members of an ECMP set, whatever the configuration says */

/** A growable queue of numbers: dests to decide, dests to announce with what is to be known of their past. */
struct queue {
	uint64_t *items;
	uint32_t head, count, size; /* size: a power of two */
};
bool queue_grow(struct queue *q);  /* room for one more at least; false: out of memory */
void queue_empty(struct queue *q); /* give memory back, when it is much */
bool queue_copy(struct queue *to, const struct queue *from);
void queue_fini(struct queue *q);
static inline uint64_t queue_at(const struct queue *q, uint32_t i) /* i < count */
{
	return q->items[(q->head + i) & (q->size - 1)];
}
static inline bool queue_push(struct queue *q, uint64_t item) /* false: out of memory */
{
	if (q->count == q->size && !queue_grow(q))
		return false;
	q->items[(q->head + q->count++) & (q->size - 1)] = item;
	return true;
}
static inline uint64_t queue_pop(struct queue *q) /* 0: empty */
{
	uint64_t item;

	if (!q->count)
		return 0;
	item = queue_at(q, 0);
	q->head = (q->head + 1) & (q->size - 1);
	if (--q->count == 0)
		queue_empty(q);
	return item;
}

/** A place in a walk over all dests that goes round and round. */
struct position {
	uint32_t lap;
	enum family family;
	dest_id at;
};

struct chunk;
struct group;

/** A peer as a sink: its place in an export group and what is encoded for it. */
struct sink {
	struct group *group;   /* NULL: no session */
	struct rib_peer *next; /* member of the group */
	struct chunk **queue;  /* ring of what is to be sent; counted references */
	uint32_t head, count, size;
	size_t backlog;        /* bytes in the queue not yet written */
	uint32_t offset;       /* bytes of the first chunk that are written */
	uint32_t boundary;     /* where in it the message that holds `offset` begins */
	bool broken;           /* out of memory when something was to be queued */
	bool catching_up;      /* still hearing the table for the first time (or again) */
	bool eor_due;          /* End-of-RIB once caught up */
	uint32_t refreshing;   /* FAM_BIT()s being said again between BoRR and EoRR (RFC 7313) */
	uint32_t refresh_next; /* ... asked for before End-of-RIB */
	struct position start; /* where the group's walk was when catching up began */
};

/* SWEEP_LINK: what is announced may name a next hop on a link (RFC 4271 5.1.3), and which link has changed */
enum { SWEEP_STALE = 1, SWEEP_POLICY = 2, SWEEP_NEXT_HOP = 4, SWEEP_LINK = 8 };

struct rib_peer {
	struct rib *rib;
	struct rib_peer_conf conf;
	uint16_t index;           /* in rib->peers; never 0 */
	bool up, leaving;         /* leaving: to be freed when its last path is gone */
	uint8_t epoch[FAM_COUNT]; /* of what it has said in the present session, or since it began to refresh
	                           */
	uint32_t retained;   /* FAM_BIT()s whose paths of the epoch before stay until they are said again */
	uint32_t long_lived; /* of them, those that have been stale for long (RFC 9494) */
	struct rib_session session;
	uint32_t link; /* the peer is directly on it, as of the beginning of the session; 0: farther away */
	path_id paths[FAM_COUNT]; /* newest first */
	uint8_t sweep;            /* SWEEP_*: what the running or next pass has to do */
	bool sweep_again;         /* asked for while a pass was running: begin anew */
	bool in_sweeps;
	enum family sweep_family;
	path_id sweep_at; /* next path of the pass; 0: at the end of its family */
	struct rib_peer *next_sweep;
	struct rib_peer_stats stats[FAM_COUNT];
	struct sink sink;
	void *user;
};

/** Which peers have paths by a next hop: a change of it costs a sweep of those only. */
struct nexthop_users {
	struct nexthop_user {
		uint16_t peer;
		uint32_t paths;
	} * user;
	uint32_t n, size;
};

struct adj_out; /* groups and the workspace of encoding */

struct rib {
	struct rib_options options;
	struct table tables[FAM_COUNT];
	struct pool paths;
	struct attrs_set *attrs;
	struct nexthop_table *nexthops;
	struct nexthop_users *users; /* by nexthop_id */
	uint32_t n_users;
	struct rib_peer **peers; /* by index */
	uint32_t n_peers;        /* slots, 0 included */
	uint32_t n_leaving;      /* peers to be freed once nothing names them */
	struct rib_peer *sweeps, **sweeps_tail;
	struct queue dirty[FAM_COUNT];
	struct rib_subscriber subscribers[MAX_SUBSCRIBERS];
	unsigned n_subscribers;
	bool replaying;
	struct rib_cursor replay;
	uint64_t now_us;
	struct attrs_edit edit; /* workspace of import and export policy */
	struct adj_out *out;
	bool eor_held; /* we restart: End-of-RIB waits until those who know have told us */
	void (*on_output)(void *ctx, struct rib_peer *p);
	void *on_output_ctx;
};

static inline bool path_is_stale(const struct rib_peer *p, const struct path *path)
{
	return path->epoch != p->epoch[path_family(path)];
}

/** Neither of the present epoch nor retained from the one before. */
static inline bool path_is_over(const struct rib_peer *p, const struct path *path)
{
	enum family f = path_family(path);
	bool kept = p->retained & FAM_BIT(f) && path->epoch == (uint8_t)(p->epoch[f] - 1);

	return p->leaving || (path_is_stale(p, path) && !kept);
}

/** As received; borrowed, as are those of path_attrs(). */
static inline struct attrs *path_in(const struct rib *r, const struct path *p)
{
	return attrs_at(r->attrs, p->in);
}

/** After import policy; NULL: refused. */
static inline struct attrs *path_attrs(const struct rib *r, const struct path *p)
{
	return attrs_at(r->attrs, p->attrs);
}

/** Stale for so long that it is marked, and least preferred. */
static inline bool path_is_long_lived(const struct rib_peer *p, const struct path *path)
{
	return p->long_lived & FAM_BIT(path_family(path)) && path_is_stale(p, path) && !path_is_over(p, path);
}

/** Whatever is retained, it is not. */
static inline void path_set_over(const struct rib_peer *p, struct path *path)
{
	path->epoch = (uint8_t)(p->epoch[path_family(path)] - 2);
}

static inline struct path *path_at(const struct rib *r, path_id id)
{
	return pool_at(&r->paths, id);
}

/* -- adj_in.c --------------------------------------------------------------------------------- */
/** Why the import side refuses @in: a RIB_REFUSED_* or filter term, through @term; true when accepted, the
 * result then in r->edit.a. */
bool adj_in_policy(struct rib_peer *p, const struct prefix *prefix, const struct attrs *in, int *term,
                   bool *changed);
void adj_in_sweep_request(struct rib_peer *p, unsigned what);
/** One budgeted piece of the sweeps; @return what is left of the budget. */
unsigned adj_in_sweep(struct rib *r, unsigned budget);

/* -- path_nexthop.c -- */
/** The next hop that a path by @a needs, counted; 0 with @ok when it needs none, 0 without when there is no
 * memory. */
nexthop_id path_nexthop_take(struct rib_peer *p, const struct attrs *a, bool *ok);
/** The same for @addr on the link @scope; 0: on whatever link the routes say. */
nexthop_id path_nexthop_take_at(struct rib_peer *p, const struct ip *addr, uint32_t scope, bool *ok);
static inline enum rib_kind path_kind(const struct path *p)
{
	if (!(p->flags & PATH_BLACKHOLE))
		return RIB_UNICAST;
	return p->flags & PATH_INTERFACE ? RIB_UNREACHABLE : RIB_BLACKHOLE;
}
void path_nexthop_drop(struct rib *r, struct path *path);
void path_nexthop_changed(struct rib *r, nexthop_id id);
/** A way to @a by a route of ours longer than @len bits: see struct nexthop_own. */
int path_nexthop_find_own(void *ctx, const struct ip *a, int len, struct nexthop_hop *out);
/** The way to the next hop of @p leads by the very prefix of @p: such a path is not eligible (RFC 4271
 * 9.1.2.1). */
bool path_nexthop_is_circular(const struct rib *r, const struct path *p);
/** @p is down: subscribers hear of the next hops that nobody else uses. */
void path_nexthop_peer_left(const struct rib_peer *p);

/* -- rib.c -- */
void rib_tell_nexthop(struct rib *r, const struct nexthop *nh);

/* -- loc_rib.c -------------------------------------------------------------------------------- */
/** Something about @id changed: decide it again. Out of memory: false, and the caller undoes. */
bool loc_rib_touch(struct rib *r, enum family f, dest_id id);
unsigned loc_rib_run(struct rib *r, unsigned budget);
bool loc_rib_eligible(const struct rib *r, const struct path *p);
void loc_rib_candidate(const struct rib *r, const struct path *p, struct candidate *out);
/** The announced best path of @d; NULL: none, or policy has refused it since the last decision. */
const struct path *loc_rib_best(const struct rib *r, const struct dest *d);
/** Tell subscribers the present state of a dest. */
void loc_rib_tell(struct rib *r, enum family f, dest_id id, uint16_t old_peer); /* 0: none */
/** Free @id, a dest without paths, unless something still names it. */
void loc_rib_release_bare(struct rib *r, enum family f, dest_id id);
/** Free a dest that nothing needs any more. */
static inline void loc_rib_release(struct rib *r, enum family f, dest_id id)
{
	if (!table_dest(&r->tables[f], id)->paths)
		loc_rib_release_bare(r, f, id);
}

/* -- adj_out.c -------------------------------------------------------------------------------- */
struct adj_out *adj_out_new(void);
void adj_out_free(struct adj_out *o);
/** Some path of @id changed, and when @best the best one too; @old_peer announced the former best path (0:
 * there was none). @return whether a group that was told of it has @id in its queue. */
bool adj_out_touch(struct rib *r, enum family f, dest_id id, uint16_t old_peer, bool best);
unsigned adj_out_run(struct rib *r, unsigned budget);
bool adj_out_pending(const struct rib *r); /* there is something to encode and room to put it */
bool adj_out_settled(const struct rib *r); /* nothing waits to be encoded, room or not */
/** Whether some group's queue names the dest. */
bool adj_out_names(const struct rib *r, enum family f, dest_id id);
int adj_out_join(struct rib_peer *p); /* 0 or -ENOMEM */
void adj_out_leave(struct rib_peer *p);
/** The peer's export policy or session parameters changed: move it to a group with the new ones, which
 * announces what differs. 0 or -ENOMEM. */
int adj_out_move(struct rib_peer *p);
/** Every group announces what differs by its policy now, and all else again. */
void adj_out_anew(struct rib *r);
/** The whole table once more; @families are those that were asked for. */
void adj_out_again(struct rib_peer *p, uint32_t families);
void adj_out_release_eor(struct rib *r);
void adj_out_params(const struct rib_peer *p, struct export_params *out);
/** What export policy must know of where @path comes from. */
void adj_out_source(const struct rib *r, const struct path *path, struct export_source *out);
size_t adj_out_bytes(const struct rib *r);
uint32_t adj_out_exported(const struct rib_peer *p, enum family f);

/* -- sink.c ----------------------------------------------------------------------------------- */
/** Encoded messages of one family, shared by the sinks they are queued for. */
struct chunk {
	uint32_t refs, len;
	uint8_t data[];
};
struct chunk *chunk_new(const uint8_t *data, uint32_t len); /* with one reference; NULL: out of memory */
void chunk_unref(struct chunk *c);
bool sink_push(struct rib_peer *p, struct chunk *c); /* takes a reference of its own; false: out of memory */
/** Something could not be queued: the peer no longer has what we think it has, and the session must end
 * (rib_sink_broken()). */
void sink_break(struct rib_peer *p);
void sink_clear(struct sink *s);

#endif
