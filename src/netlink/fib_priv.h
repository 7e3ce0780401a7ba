/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_priv.h - what the files of the FIB share; for them alone.
 *
 *   fib.c        what is wanted, events, two jobs (one writes, one checks), opening and closing
 *   fib_entry.c  one route: its state, the counts, the queue of those to be written
 *   fib_write.c  the queue -> batches of requests for writer.c -> what the kernel said to them
 *   fib_check.c  what the kernel has: nexthop objects verified, routes dumped, entries swept
 *   fib_audit.c  once a minute: is the kernel as we think?
 *   fib_show.c   questions */
#ifndef MCBGP_NETLINK_FIB_PRIV_H
#define MCBGP_NETLINK_FIB_PRIV_H

#include "netlink/fib.h"
#include "netlink/fibtab.h"
#include "netlink/hopset.h"
#include "netlink/writer.h"

enum { /* fibent.flags */
       ENT_QUEUED = 2,
       ENT_FAILED = 4,
       ENT_ADOPTED = 8, /* a previous run's, not yet confirmed or refused */
       ENT_SEEN = 16,   /* by the dump under way */
       ENT_TRY = 32,    /* counts to TRIES_MAX in the two bits of ENT_TRIES */
       ENT_TRIES = 3 * ENT_TRY,
       ENT_SENT = 128, /* in a batch under way */
};

enum why {               /* fibent.why of a failed entry; fibent.detail: */
	   WHY_ERRNO,    /* errno */
	   WHY_HOPS,     /* nothing: the set knows */
	   WHY_OCCUPIED, /* nothing: EEXIST, the dump will tell by whom */
	   WHY_CONFLICT, /* protocol of the route in the way */
};

struct queue {
	uint32_t head, tail;
};

struct sent {                   /* a request of a batch under way */
	uint32_t entry, target; /* target: a hop set, held; 0: deletion */
	uint8_t tab;
	bool replace, is_refused;
};

struct fib {
	struct loop *loop;
	struct fib_params params;
	struct nls *nl;        /* nexthop objects: requests and dumps */
	struct writer *writer; /* requests for routes */
	struct nls *routes;    /* dumps of routes */
	struct nls *objects;   /* events of nexthop objects; NULL without them */
	struct loop_fd *objects_fd;
	struct loop_job *job;   /* writes */
	struct loop_job *check; /* dumps and sweeps, in the background */
	struct loop_timer *retry;
	struct hopsets *sets;
	struct fibtab tab[2]; /* IPv4, IPv6 */
	struct queue queue[2];
	uint64_t moves[2]; /* requests planned, and once more when they are done */
	struct sent sent[WRITER_BATCHES][NL_BATCH_MAX];
	uint32_t n_sent[WRITER_BATCHES];
	struct rt_key *strays; /* routes of our protocol in another table or under another metric: a previous
	                          run's */
	size_t n_strays;
	bool verify;          /* wanted: compare nexthop objects */
	bool resync;          /* wanted: compare routes */
	bool inspect;         /* ... those of others, too */
	bool resync_failed;   /* ... when the retry timer has run out */
	bool retry_failed;    /* wanted: queue what failed */
	bool retry_conflicts; /* ... because of others' routes, too */
	struct sweep {        /* over all entries, in pieces */
		bool on, dumped, retry_failed, retry_conflicts;
		uint8_t tab;
		uint32_t at; /* the last handle looked at */
	} sweep;
	struct audit {
		enum { AUDIT_IDLE, AUDIT_DUMP, AUDIT_SWEEP } phase;
		struct loop_timer *timer;
		struct nls *nl;  /* of the dump under way */
		uint8_t tab;     /* that is dumped or swept */
		uint32_t at;     /* the last handle swept */
		uint64_t moves;  /* of this table at the last piece */
		uint64_t routes; /* seen */
		uint64_t found;  /* differences */
		bool quiet;      /* nothing was written since the last piece */
		bool disturbed;  /* something was, since this table's dump began */
	} audit;
	int dumping;   /* index of the table that is being dumped; -1: none */
	bool adopting; /* until fib_adopt_end() */
	bool ending;   /* it was called: nexthop objects follow when the queue is empty */
	bool retry_wanted, retry_armed;
	bool compat_told;
	uint64_t count[FIB_FAILED + 1]; /* entries by state; that of FIB_ABSENT means nothing */
	struct fib_stats stats;
	uint64_t log_second;
	uint32_t logged, log_suppressed;
	char why[256];
};

/* -- fib_entry.c -- */
static inline int fib_tab(const struct prefix *p)
{
	return p->addr.family == IP_V6;
}
enum fib_state fibent_state(const struct fibent *e);
/** An entry is changed between fibent_begin() and fibent_end(), which keep the counts, queue it when there is
 * something to do, and let it go when there is nothing left of it. */
struct fibent *fibent_begin(struct fib *f, int t, uint32_t h);
void fibent_end(struct fib *f, int t, uint32_t h);
/** The kernel has @set now; takes the reference over. */
void fibent_has(struct fib *f, struct fibent *e, uint32_t set);
void fibent_fail(struct fib *f, struct fibent *e, enum why why, uint8_t detail);
void fibent_clear(struct fibent *e); /* it has not failed */
/** Somebody's route is in front of ours: ours goes before anything else is done to it. */
void fibent_behind(struct fib *f, struct fibent *e);
uint32_t fib_dequeue(struct fib *f, int t); /* 0: nothing waits */
bool fib_queues_empty(const struct fib *f);

/* -- fib_write.c -- */
struct rt_key fib_route_key(const struct fib *f, const struct prefix *p);
/** One batch of what waits is handed to the writer, if it has room for one. @return whether there was any. */
bool fib_write(struct fib *f);
/** Takes back what the writer has worked off. */
void fib_written(struct fib *f);

/* -- fib_check.c -- */
/** All nexthop objects of the kernel against ours. @return 0 or -errno. */
int fib_verify_objects(struct fib *f);
/** Every entry is to be looked at again; @dumped: the kernel's routes have been dumped, and those it has are
 * marked as seen. Nothing is written until the sweep is over. */
void fib_sweep_begin(struct fib *f, bool dumped);
void fib_sweep_step(struct fib *f); /* one piece */
/** The hop set that a route of the kernel shows, counted. @return HOPSET_UNKNOWN when it is nothing we would
 * write (or out of memory). */
uint32_t fib_set_of(struct fib *f, const struct rt_msg *m);
/** The routes of our protocol: in our table, or while adopting in any; or @all of our table. 0 or -errno. */
int fib_dump_routes(struct fib *f, struct nls *nl, int t, bool all);
bool fib_is_own(const struct fib *f, const struct rt_msg *m); /* of our protocol, table and metric */
void fib_forget_seen(struct fib *f);
void fib_resync_begin(struct fib *f);
/** One buffer of the dump under way. @return 0 or -errno. */
int fib_resync_step(struct fib *f);
void fib_delete_strays(struct fib *f);

/* -- fib_audit.c -- */
int fib_audit_open(struct fib *f); /* 0 or -ENOMEM */
void fib_audit_close(struct fib *f);
/** A resync makes it superfluous, and wants its marks. */
void fib_audit_stop(struct fib *f);
/** The kernel has acknowledged @h: what the audit has seen or will see of it is of no account. */
void fib_audit_wrote(struct fib *f, int t, uint32_t h);

/* -- fib_show.c -- */
bool fib_log_allowed(struct fib *f);
/** As /etc/iproute2/rt_protos has them; @buf for those without a name. */
const char *fib_protocol_name(uint8_t protocol, char buf[8]);

#endif
