/* SPDX-License-Identifier: BSD-2-Clause */
/* group.h - an export group: peers that hear the same thing in the same words. Inside the rib folder only. */
#ifndef MCBGP_RIB_GROUP_H
#define MCBGP_RIB_GROUP_H

#include "rib/rib_priv.h"

#define BATCH_MAX 2048u /* dests encoded at a time: their NLRI are packed together */

/** One bit per dest handle. */
struct bitmap {
	uint64_t *words;
	uint32_t n; /* words */
};

static inline bool bit_get(const struct bitmap *b, dest_id id)
{
	return id / 64 < b->n && (b->words[id / 64] >> id % 64 & 1);
}

/** What the members of an ADD-PATH group have of one dest (RFC 7911): paths by the identifier they were
 * announced with, each for everybody but the peer it came from. */
struct sent_path {
	uint32_t id; /* handle of the path when it was announced */
	uint16_t peer;
	struct attrs *attrs; /* as sent; counted */
};
struct sent_paths {
	uint32_t n;
	struct sent_path path[];
};

#define PATHS_MAX 256u /* paths of one dest that are announced; which of more is anybody's guess */

struct group {
	struct group *next;
	struct rib *rib;
	struct export_params params;
	struct codec_ctx codec; /* of the messages sent */
	uint16_t max_len;       /* of a message, bytes */
	uint32_t serial;        /* of its state: a new number whenever something was encoded */
	uint32_t twin_of; /* serial of the group whose state this one copied, as long as neither has gone on
	                     since; else 0 */
	bool fresh; /* whatever was sent went to every member: who is catching up need not hear it again */
	bool apart; /* takes no new members: its member is slow, or not yet level with the others */
	bool announcing_anew; /* every prefix is to be said again, what is no longer announced withdrawn */
	struct position anew;
	struct position walk; /* for members that are catching up */
	unsigned n_catching_up;
	struct rib_peer *members;
	struct queue pending[FAM_COUNT]; /* dests whose best path changed: pending_item() */
	struct bitmap is_pending[FAM_COUNT], sent[FAM_COUNT];
	struct sent_paths **paths[FAM_COUNT]; /* by dest; NULL: none. Families with ADD-PATH only */
	uint32_t n_paths[FAM_COUNT];          /* places in paths[] */
	uint32_t sent_count[FAM_COUNT];       /* prefixes, with ADD-PATH paths */
	uint32_t
	        *sent_from[FAM_COUNT]; /* how many of them have their best path from the peer of that index */
	uint32_t n_sources;            /* in sent_from[] */
};

static inline uint64_t pending_item(dest_id id, uint16_t old_peer)
{
	return (uint64_t)id << 16 | old_peer;
}

/* The groups of a table. */
struct adj_out {
	struct group *groups;
	uint32_t serial;
	struct batch *batch;
};

static inline bool group_adds_paths(const struct group *g, enum family f)
{
	return g->codec.add_path[f];
}

static inline bool group_hears(const struct group *g, enum family f)
{
	return g->codec.families & FAM_BIT(f);
}

/* -- group.c -- */
/** What the group of @p is like: everything but members and state. */
void group_describe(struct group *g, const struct rib_peer *p);
bool group_same_kind(const struct group *a,
                     const struct group *b);       /* same policy in meaning, same session parameters */
struct group *group_new(const struct rib_peer *p); /* NULL: out of memory */
void group_free(struct group *g);                  /* without members */
/** A group apart for @p alone with the state of @from, which its member shares so far. NULL: out of memory.
 */
struct group *group_copy(const struct rib_peer *p, const struct group *from);
bool group_has_pending(const struct group *g);
bool group_idle(const struct group *g); /* nothing to do: its members have all that there is to say */
bool bitmap_grow(struct bitmap *b, dest_id end);
/** Room for handles below @end; new bits are clear. false: out of memory. */
static inline bool bitmap_reserve(struct bitmap *b, dest_id end)
{
	return end / 64 < b->n || bitmap_grow(b, end);
}
/** Room to count the routes of every peer there is. */
bool group_reserve_sources(struct group *g);

/** Who gets what is being encoded. */
struct audience {
	bool catching_up;    /* only those */
	uint16_t skip, only; /* peers by index; 0: nobody, everybody */
};

static inline bool in_group(const struct rib *r, const struct group *g, uint16_t peer)
{
	return peer && r->peers[peer] && r->peers[peer]->sink.group == g;
}

/* -- group_paths.c: what ADD-PATH groups remember ----------------------------------------------- */

const struct sent_paths *group_paths(const struct group *g, enum family f, dest_id id); /* NULL: none */
/** Replace what is remembered of @id; takes the references over when it succeeds. @n 0: nothing. */
bool group_paths_set(struct group *g, enum family f, dest_id id, const struct sent_path *path, uint32_t n);
void group_paths_forget(struct group *g, enum family f, dest_id id, uint32_t path); /* one of them */
bool group_paths_copy(struct group *to, const struct group *from);                  /* false: out of memory */
void group_paths_free(struct group *g);

/* -- batch.c: encodes some dests of a group --------------------------------------------------- */

struct batch;
struct batch *batch_new(void); /* NULL: out of memory */
void batch_free(struct batch *b);
/** Begin collecting for @g and @f: announcements for those who are catching up, or changes for all. */
void batch_begin(struct batch *b, struct group *g, enum family f, bool catching_up);
bool batch_full(const struct batch *b);
/** Take in one dest. @old_peer: whose path the group's members had from us, if any. */
void batch_add(struct batch *b, dest_id id, uint16_t old_peer);
/** Encode all and queue it for the members. */
void batch_end(struct batch *b);

#endif
