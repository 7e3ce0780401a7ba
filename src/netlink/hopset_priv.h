/* SPDX-License-Identifier: BSD-2-Clause */
/* hopset_priv.h - what the files of the next-hop sets share; for them alone.
 *
 *   hopset.c         the tables of sets and hops, and what routes ask of them
 *   hopset_sync.c    objects to the kernel, and those that nobody needs out of it
 *   hopset_verify.c  a dump of the kernel's objects against ours; adoption */
#ifndef MCBGP_NETLINK_HOPSET_PRIV_H
#define MCBGP_NETLINK_HOPSET_PRIV_H

#include <linux/nexthop.h>
#include <uthash.h>

#include "lib/pool.h"
#include "netlink/hopset.h"

#define ID_BITS   20u
#define TRIES_MAX 3u /* of what a verification may mend, before the retry timer */

/* What the kernel has of an object of ours, and what is to be done about it: two facts, since a refused
 * replacement leaves the old contents where they are. */
struct object {
	uint32_t id;    /* 0: none yet */
	bool in_kernel; /* as far as we know; its contents may be others */
	enum { OBJECT_DUE, OBJECT_DONE, OBJECT_REFUSED } state; /* done: in the kernel as it should be */
	uint8_t tries; /* refusals since it was last found right, or the retry timer's turn */
	int err, told; /* the last refusal, and the one that the log has; 0: none */
	char text[80];
};

struct hop_key {
	struct ip gateway;
	uint8_t family; /* of the object */
	bool onlink;
	uint8_t zero;
	uint32_t ifindex;
};
static_assert(sizeof(struct hop_key) == 24, "no padding: compared and hashed as bytes");

struct hop {
	UT_hash_handle by_key, by_id; /* hopsets.hops, hopsets.hop_ids */
	struct hop_key key;
	uint32_t refs; /* of sets */
	struct object object;
	bool wished;  /* by somebody, not only left by a previous run: then whether it is alive is known */
	bool dead;    /* the last hopsets_judge() said so */
	bool judged;  /* the judgement under way changed its fate */
	bool changed; /* its object came, went or was refused: groups must follow */
	bool lost;    /* its object went, and the routes that led to it alone: their sets must be told */
};

#define WEIGHT_SPARE 0u

struct member {
	struct hop *hop;
	uint64_t weight; /* 1.., or WEIGHT_SPARE */
};

struct hopset {
	UT_hash_handle by_members, by_id; /* hopsets.sets, hopsets.set_ids (groups only) */
	struct member *members;           /* owned, sorted by key */
	uint32_t handle, refs;
	uint16_t n;
	uint8_t kind;
	uint8_t flags;        /* HOPSET_LOST …, since the last sweep began */
	uint8_t sweeping;     /* those that the last sweep was begun for */
	struct object object; /* the group; unused by a set of one */
};

struct seen { /* one object of a dump */
	uint32_t id;
	bool foreign;              /* one of our ids under another protocol */
	struct hop_key key;        /* single hop */
	bool resilient;            /* a group of that type */
	struct nexthop_grp *group; /* owned; NULL: single hop */
	size_t n_group;
};

/* The last wish and its set, since neighbours in an UPDATE have the same next hops. */
#define MEMO_HOPS 4u
struct memo {
	uint32_t set; /* not counted; 0: none */
	uint8_t family;
	size_t n;
	struct fib_hop hops[MEMO_HOPS];
};

struct hopsets {
	uint8_t protocol;
	bool objects, resilient;
	bool pending;  /* some object is not as it should be */
	bool sweep;    /* some set has flags */
	bool unused;   /* some object may be without holders */
	bool adopting; /* what a previous run left is kept */
	bool suspect;  /* a refusal that only a verification explains */
	uint32_t next_id;
	struct memo memo;
	struct pool pool; /* of struct hopset */
	struct hop *hops, *hop_ids;
	struct hopset *sets, *set_ids;
	struct seen *seen;
	size_t n_seen, room;
	bool out_of_memory; /* while collecting */
	uint32_t *strays;   /* ids of our protocol that nothing of ours stands for */
	size_t n_strays;
	struct asked {         /* by index in the batch under way */
		void *of;      /* struct hop or hopset */
		bool replaced; /* rather than created */
	} batch[NL_BATCH_MAX];
	char why[IP_STRLEN + 160];
};

static inline struct hopset *hopset_at(const struct hopsets *s, uint32_t handle)
{
	return pool_at(&s->pool, handle);
}
static inline bool hopset_is_group(const struct hopset *set)
{
	return set->n > 1;
}

/* -- hopset.c -- */
uint32_t hopsets_new_id(struct hopsets *s);
struct hop_key hop_key(uint8_t family, const struct fib_hop *h);
struct hop *hop_find(const struct hopsets *s, const struct hop_key *key); /* NULL: none */
struct hop *hop_new(struct hopsets *s, const struct hop_key *key);        /* NULL: out of memory */
void hop_free(struct hopsets *s, struct hop *hop);
void hop_set_id(struct hopsets *s, struct hop *hop, uint32_t id); /* 0: none */
void hopset_set_id(struct hopsets *s, struct hopset *set, uint32_t id);
/** Sorted, each hop once (with the largest of its weights). @return how many are left. */
size_t hopset_canonical(struct member *m, size_t n);
/** The set of @members, found or made; takes @members over or frees it. NULL: out of memory. */
struct hopset *hopset_intern(struct hopsets *s, struct member *members, size_t n);
void hopset_free(struct hopsets *s, struct hopset *set);
void hopset_flag(struct hopsets *s, struct hopset *set, unsigned flags);
/** Sets of one whose hop was lost are told. */
void hopsets_spread_losses(struct hopsets *s);
const char *refusal_text(const struct object *o);

/* -- hopset_sync.c -- */
/** What the kernel's group should hold: of those that have an object the members that are alive, else the
 * spare one, else the dead ones. In a resilient group the spare one is also behind members that are alive. */
size_t hopset_group(const struct hopsets *s, const struct hopset *set, struct nexthop_grp out[RT_HOPS_MAX]);
/** Of the set's group while it lives: a matter of all its members' weights, dead or alive. 0: it is an
 * ordinary one. */
uint16_t hopset_buckets(const struct hopsets *s, const struct hopset *set);

/* -- hopset_verify.c -- */
void hopsets_forget_dump(struct hopsets *s);

#endif
