/* SPDX-License-Identifier: BSD-2-Clause */
/* peer_priv.h - what conn.c, peer.c, peers.c and peer_view.c share; nobody else includes it. */
#ifndef MCBGP_IO_PEER_PRIV_H
#define MCBGP_IO_PEER_PRIV_H

#include <bsd/sys/queue.h>
#include <net/if.h>

#include "bgp/backoff.h"
#include "io/listen.h"
#include "io/peer.h"

/* Bytes a turn of the loop from one peer. No feed starves the others, and what its routes touched is still in
 * the processor's cache when they are decided and encoded in the same turn. */
#define READ_MAX 16384u

/** One session and, while it has one, its TCP connection. Lives as long as its peer. */
struct conn {
	struct peer *peer;
	struct session session;
	struct sock_ends ends; /* of the connection, or of the last one */
	int fd;                /* -1: none */
	struct loop_fd *watch;
	bool newcomer;      /* accepted while the other was Established: the peer may have restarted */
	bool accepted;      /* they dialled */
	bool dialling;      /* connect() is under way */
	bool window_closed; /* it takes nothing more, for now */
	uint8_t *rest;      /* the beginning of a message whose end has not come yet */
	size_t rest_len, rest_size;
};

struct peer {
	TAILQ_ENTRY(peer) by_order;  /* peers.list; owned by it */
	TAILQ_ENTRY(peer) by_output; /* peers.output while output_queued */
	bool output_queued;
	struct peers *set;
	const struct conf_peer *conf; /* of the snapshot in force, or &own */
	struct peer *range;           /* dynamic peers: where they came from */
	struct conf_peer own; /* dynamic peers: the range's settings with a name (owned) and an address */
	char link[IFNAMSIZ];  /* of one with a link-local address; "": as its range says */
	unsigned n_dynamic;   /* ranges */
	struct rib_peer *rib; /* NULL for a range */
	struct session_conf session_conf;
	struct conn dialled, accepted;
	struct conn *up; /* the Established one, or NULL */
	struct loop_timer *timer;
	uint64_t timer_at;     /* 0: not running */
	uint64_t start_at;     /* when to dial again; 0: not planned */
	uint64_t refuse_until; /* too many prefixes: not taken back before */
	uint64_t gone_at;      /* dynamic peers without a session: forgotten then */
	struct backoff backoff;
	uint64_t wait_us; /* the back-off in force */
	uint32_t rnd;
	struct secret secret; /* of dynamic peers: their range has it */
	int secret_error;     /* -errno: it is wanted, and cannot be had */
	bool enabled;         /* by configuration and operator */
	bool wanted;          /* peers_apply(): still configured */
	bool away;            /* the kernel asked for it on its link, and nobody answered */
	struct session_end last_end;
	struct session_end last_attempt; /* that came to nothing, since the last session */
	uint64_t last_end_at, last_attempt_at, since;
	enum bgp_state shown;
	unsigned flaps;
	uint32_t eor;        /* families whose End-of-RIB came */
	uint32_t stale;      /* families with routes of a session, or a refresh, before */
	uint64_t stale_at;   /* they leave at the latest then, or become long-lived; 0: there are none */
	uint32_t long_lived; /* of them, those that are the last choice by now (RFC 9494) */
	uint32_t long_lived_s[FAM_COUNT];  /* how long they may be so */
	uint64_t long_lived_at[FAM_COUNT]; /* they leave at the latest then; 0: they are not so */
	uint64_t lost_at;                  /* when the session ended that they are of */
	struct notify refused;             /* code 0, or how the peer refused our capabilities */
	bool synced;
	enum rib_result trouble; /* what the table said while the session read */
	bool warned;             /* of too many prefixes, in this session */
	uint32_t faults_said[8]; /* attribute types whose fault was logged in this session */
};
TAILQ_HEAD(peer_list, peer);

#define STRANGERS 16
struct peers {
	struct peers_env env;
	const struct conf *conf; /* in force; NULL before the first peers_apply() */
	struct listeners *listeners;
	struct peer_list list;   /* in the order of the configuration, dynamic peers behind their range */
	struct peer_list output; /* have something to write */
	struct loop_job *writer;
	bool leaves_gracefully; /* peers that can are to keep our routes when we go */
	bool restarting;        /* the daemon was started anew, and what it forwards is of the run before */
	uint8_t *rx;            /* what is being read; one for all, since reading never nests */
	uint32_t rnd;
	struct {
		struct ip from;
		uint64_t until; /* not logged again before */
	} strangers[STRANGERS];
};

static inline uint64_t peer_now(const struct peer *p)
{
	return loop_now(p->set->env.loop);
}

/* conn.c */
int conn_init(struct conn *c, struct peer *p, bool accepted); /* 0 or -ENOMEM; @c zeroed before */
void conn_fini(struct conn *c);
/** Perform what a session function returned, then let the peer look at where that leads. */
void conn_effects(struct conn *c, unsigned fx);
void conn_adopt(struct conn *c, int fd, const struct sock_ends *ends);
void conn_read(struct conn *c);
/** Turn away a connection that has no session: Cease with @subcode, then closed. */
void conn_refuse(int fd, uint8_t subcode);
/** Write what waits. @return whether there is more that could be written at once. */
bool conn_write(struct conn *c);

/* peer.c */
/** NULL: out of memory. @range: of a dynamic peer, whose @conf is taken over (shallow, but for the name,
 * which it then owns). */
struct peer *peer_new(struct peers *ps, const struct conf_peer *conf, struct peer *range);
void peer_free(struct peer *p); /* NULL is fine; ends what lives without a word */
void peer_start(struct peer *p);
/** End what lives with a NOTIFICATION; nothing is planned afterwards. */
void peer_stop(struct peer *p, const struct notify *n, enum end_kind kind, const char *detail);
void peer_stop_cease(struct peer *p, uint8_t subcode, enum end_kind kind);
void peer_stop_conn(struct conn *c, const struct notify *n, enum end_kind kind, const char *detail);
/** End the Established session that the peer has forgotten: it has another one with us (RFC 4724 4.2). */
void peer_stop_restarted(struct conn *old);
void peer_accept(struct peer *p, int fd, const struct sock_ends *ends);
/** Something came up that may be the way to it: dial now, unless a person must mend something first. */
void peer_hurry(struct peer *p);
/* What conn_effects() tells: */
void peer_came_up(struct peer *p, struct conn *c);
/** An address of ours came or went: what next hop self means may be another one. */
void peer_readdress(struct peer *p);
void peer_went_down(struct peer *p);
void peer_conn_ended(struct peer *p, struct conn *c, bool connected); /* or tried to be */
/** It has told us all it has, or will not. */
void peer_synced(struct peer *p);
void peer_review(struct peer *p);

/* peer_restart.c */
/** The Established session @c ended: what is to stay of its routes does, the rest leaves the table. */
void peer_stale_begin(struct peer *p, const struct conn *c);
/** The nearest time at which peer_stale_tick() has something to do; 0: none. */
uint64_t peer_stale_deadline(const struct peer *p);
void peer_stale_tick(struct peer *p);
/** @c is Established: what it does not promise to say again leaves. */
void peer_stale_check(struct peer *p, const struct conn *c);
/** An attempt to dial ended: perhaps the peer is gone for good. */
void peer_stale_dialled(struct peer *p, const struct session_end *e);
void peer_stale_end(struct peer *p, uint32_t families, const char *why);
bool peer_keeps_our_routes(const struct peer *p); /* when its connection is closed without a word */
void peer_refresh_begin(struct peer *p, enum family f);

/* peer_conf.c */
void peer_set_offer(struct peer *p); /* what the next OPEN says */
void peer_set_conf(struct peer *p, const struct conf_peer *conf);
struct rib_peer_conf peer_rib_conf(const struct conf_peer *c);
uint8_t peer_hops(const struct peer *p); /* how far away it may be */
uint8_t peer_ttl(const struct peer *p);
uint8_t peer_min_ttl(const struct peer *p); /* RFC 5082; 0: any */
/** Read the password that @conf asks for and sign connections with it. Called before peer_set_conf().
 * @return whether it differs from the one before. */
bool peer_load_secret(struct peer *p, const struct conf_peer *conf);
void peer_forget_secret(struct peer *p);
bool peer_lacks_secret(const struct peer *p);

/* peers.c */
void peers_queue_output(struct peers *ps, struct peer *p);
void peers_forget(struct peer *dynamic);

#endif
