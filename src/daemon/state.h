/* SPDX-License-Identifier: BSD-2-Clause */
/* state.h - the modules of the running daemon, side by side. Inside the daemon folder only.
 *
 * This folder is where modules that do not know each other are connected:
 *   daemon.c    makes them, runs the loop, ends in order
 *   apply.c     configuration -> parameters of modules; reload, undo, confirm
 *   host.c      what the kernel tells -> next hops, tunnels, peers, FIB
 *   local.c     static and direct routes -> the table
 *   neighbor.c  neighbors that do not answer -> next hops
 *   silence.c   WireGuard peers without a handshake -> next hops
 *   fib_sync.c  the table's changes -> the FIB
 *   tunnel_sync.c  the table's changes -> the allowed IPs of tunnels that follow BGP
 *   watch.c     what happens -> the control socket's monitors
 *   serve.c, serve_protocols.c   the control socket's questions -> the modules
 *   sandbox.c   privileges after a start by root
 *   systemd.c   the service manager's view */
#ifndef MCBGP_DAEMON_STATE_H
#define MCBGP_DAEMON_STATE_H

#include "config/load.h"
#include "config/plan.h"
#include "daemon/daemon.h"
#include "io/loop.h"
#include "io/peer.h"
#include "netlink/fib.h"
#include "netlink/fib_lock.h"
#include "netlink/link.h"
#include "rib/rib.h"
#include "tunnel/tunnel.h"

struct ctl_server;
struct systemd;
struct local;
struct neighbors;
struct silences;
struct fib_sync;
struct serve;

struct daemon {
	const struct daemon_options *options;
	struct loop *loop;
	struct conf *conf;     /* in force */
	struct conf *previous; /* before the last reload: what `configure undo` goes back to; NULL: nothing */
	struct rib *rib;
	struct loop_job *rib_job;
	struct peers *peers;
	struct fib_lock *fib_lock;
	struct fib *fib;
	struct fib_sync *fib_sync;
	struct link_watch *links;
	struct neighbors *neighbors;
	struct silences *silences;
	struct tunnels *tunnels;
	struct local *local;
	struct ctl_server *ctl, *ctl_readonly; /* the second one: NULL without control.readonly_socket */
	struct serve *serve;
	struct systemd *systemd;
	struct loop_timer *adopt_timer;   /* ends the adoption of what a previous run left in the kernel */
	struct loop_timer *confirm_timer; /* undoes an unconfirmed `configure timeout N` */
	uint64_t confirm_at;              /* 0: nothing to be confirmed */
	struct loop_signal *signals[3];
	struct conf *opened; /* what the modules were opened with: for settings that wait for a start */
	bool adopting;       /* what a previous run left in the kernel still waits for the peers */
	bool adopt_ending;   /* no longer: only for what is undecided */
	bool links_known;    /* all have been told of, and the routes by them are not all decided yet */
	bool keep_routes;    /* at the end: a graceful restart */
	int status;          /* of exit */
	int64_t started_wall, reconfigured_wall; /* seconds since the epoch */
	uint64_t started_us, reconfigured_us;    /* monotonic */
};

/* -- fib_sync.c ------------------------------------------------------------------------------- */
/** Subscribes to the table; everything the kernel export policy accepts goes to the FIB. NULL: out of memory.
 */
struct fib_sync *fib_sync_new(struct rib *rib, struct fib *fib, const struct conf_kernel *kernel);
void fib_sync_free(struct fib_sync *s);
/** To be called before each piece of the table's work: next hops that died leave the FIB's groups, those that
 * came back return, ahead of the routes. Cheap when there are none. */
void fib_sync_next_hops(struct fib_sync *s);
/** Why the best path of @p is kept from the kernel, in @buf; NULL: it is not, or there is none. */
const char *fib_sync_refusal(struct fib_sync *s, const struct prefix *p, char *buf, size_t size);
/** A new snapshot: routes are told again when the policy's meaning changed. */
void fib_sync_apply(struct fib_sync *s, const struct conf_kernel *kernel, bool changed);

/* -- neighbor.c ------------------------------------------------------------------------------- */
struct neighbors *neighbors_new(struct daemon *d); /* NULL: out of memory */
void neighbors_free(struct neighbors *n);          /* NULL is fine */
/** What the kernel found out about @a: @failed to answer, or it is there. */
void neighbors_state(struct neighbors *n, uint32_t ifindex, const struct ip *a, bool failed);
void neighbors_link_down(struct neighbors *n, uint32_t ifindex);

/* -- silence.c -------------------------------------------------------------------------------- */
/** Listens to the tunnels. NULL: out of memory. */
struct silences *silences_new(struct daemon *d);
void silences_free(struct silences *s); /* NULL is fine */
/** The tunnels have a new configuration: peers that went are no longer dead. */
void silences_apply(struct silences *s);

/* -- tunnel_sync.c ---------------------------------------------------------------------------- */
/** Subscribes to the table, once there are tunnels. */
void tunnel_sync_open(struct daemon *d);

/* -- local.c ---------------------------------------------------------------------------------- */
/** Pseudo-peers `static` and `direct` of the table. NULL: out of memory. */
struct local *local_new(struct rib *rib);
void local_free(struct local *l);
void local_apply(struct local *l, const struct conf *c, const struct link_watch *links, uint64_t now_us);
void local_link_set(struct local *l, const struct link_info *link, uint64_t now_us);
void local_link_del(struct local *l, uint32_t ifindex, const char *name, uint64_t now_us);
void local_address_set(struct local *l, const struct link_info *link, const struct ip *a, uint8_t len,
                       uint64_t now_us);
void local_address_del(struct local *l, uint32_t ifindex, const struct ip *a, uint8_t len, uint64_t now_us);
/** The addresses of the host's links, by number; NULL behind the last. */
struct local_net {
	struct ip address;
	struct prefix net; /* it is in */
	uint32_t ifindex;
	char link[IFNAMSIZ];
};
const struct local_net *local_net(const struct local *l, size_t i);
struct rib_peer *local_static(const struct local *l);
struct rib_peer *local_direct(const struct local *l);

/* -- host.c ----------------------------------------------------------------------------------- */
extern const struct link_events host_events; /* ctx: struct daemon */

/* -- apply.c ---------------------------------------------------------------------------------- */
struct rib_options apply_rib_options(const struct conf *c);
/** Put @c into force; takes it over. The old one becomes d->previous. */
void apply_conf(struct daemon *d, struct conf *c);
/** Read the file again; @timeout_s: undone after that unless confirmed, 0: for good. @error gets each line
 * that is wrong; false: nothing changed. @file: NULL for the usual one. */
bool apply_reload(struct daemon *d, const char *file, unsigned timeout_s, conf_error_fn error, void *ctx);
/** The snapshot in force stays, whatever `configure timeout` said. false: there was nothing to confirm. */
bool apply_confirm(struct daemon *d);
bool apply_undo(struct daemon *d); /* false: nothing to undo */
/** Read @file (NULL: the usual one) and tell @fn what it would change; nothing is changed. false: it is
 * wrong,
 * @error gets each line of that. */
bool apply_check(struct daemon *d, const char *file, conf_error_fn error, plan_fn fn, void *ctx);
/** Settings in force but for a restart: @line gets each, with both values. */
void apply_pending(struct daemon *d, void (*line)(void *ctx, const char *text), void *ctx);
void apply_fini(struct daemon *d);

/* -- daemon.c --------------------------------------------------------------------------------- */
/** The table has work. */
void daemon_work(struct daemon *d);
void daemon_stop(struct daemon *d, bool keep_routes, const char *cause);

/* -- watch.c ---------------------------------------------------------------------------------- */
/** From now on those who monitor hear of events and best paths. */
void watch_open(struct daemon *d);
void watch_close(void);

/* -- serve.c ---------------------------------------------------------------------------------- */
int serve_open(struct daemon *d); /* 0 or -errno: the control socket cannot be made */
void serve_close(struct daemon *d);

#endif
