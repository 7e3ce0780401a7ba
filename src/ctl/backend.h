/* SPDX-License-Identifier: BSD-2-Clause */
/* backend.h - what the control socket asks of the daemon: views to show, actions to take.
 *
 * The daemon fills one struct ctl_backend; this folder knows of nobody else but the core. Every function is
 * set, takes `ctx` first and is called from the loop's thread. Strings and arrays of a view are borrowed
 * until the next call into the backend or the end of the present one, whichever is first. Times named _us are
 * monotonic microseconds, absolute, 0 for "not running" or "never"; ctl turns them into the wall clock by
 * clock(). Routes are read from the table itself, through rib/rib.h. */
#ifndef MCBGP_CTL_BACKEND_H
#define MCBGP_CTL_BACKEND_H

#include "bgp/fsm.h"
#include "bgp/open.h"
#include "lib/log.h"
#include "rib/rib.h"

struct ctl_clock {
	uint64_t mono_us; /* loop_now() */
	int64_t wall_us;  /* microseconds since the epoch at that moment */
};

/** Why the kernel refused a route, as enum fib_refusal has it. */
enum ctl_refusal { CTL_EXISTS, CTL_MISSING, CTL_BUSY, CTL_FULL, CTL_OTHER, CTL_REFUSALS };

struct ctl_status {
	const char *version, *hostname;
	const char *file;       /* of the configuration in force */
	const char *usual_file; /* what `configure` reads that names none */
	uint32_t router_id, as;
	uint64_t started_us, configured_us; /* start; last (re)configuration */
	bool stopping;
	uint64_t confirm_us;  /* `configure timeout` undoes itself then; 0: nothing to confirm */
	bool nexthop_objects; /* false: routes carry RTA_MULTIPATH */
	bool adopting;        /* what a previous run left in the kernel still waits for the peers */
	uint64_t fib_installed, fib_queued, fib_failed; /* routes in the kernel */
	uint64_t fib_put_back, fib_resyncs; /* routes that others removed; times that all were compared */
	uint64_t fib_refused[CTL_REFUSALS]; /* requests, since the start */
	uint64_t fib_audits, fib_audit_found,
	        fib_audited_us; /* differences found; the last one's end, 0: none */
};

enum ctl_proto_kind { CTL_PROTO_DEVICE, CTL_PROTO_DIRECT, CTL_PROTO_KERNEL, CTL_PROTO_STATIC, CTL_PROTO_BGP };
enum ctl_proto_state { CTL_PROTO_DOWN, CTL_PROTO_START, CTL_PROTO_UP, CTL_PROTO_STOP };

/** A peer, as configured and as it is. */
struct ctl_bgp {
	enum bgp_state state; /* the furthest of its sessions */
	bool passive;
	bool is_range; /* any neighbor in `range`; n_dynamic of them now */
	struct prefix range;
	unsigned n_dynamic;
	struct ip neighbor, local; /* IP_NONE: not known yet */
	uint16_t port;             /* configured: where it is dialled */
	uint16_t neighbor_port;    /* dialled, or the peer's end */
	uint32_t neighbor_as;      /* 0: any, and none yet */
	uint32_t neighbor_id;      /* host byte order; from OpenConfirm on */
	uint32_t local_as;
	const char *interface;        /* NULL: none */
	uint32_t families;            /* FAM_BIT()s configured */
	const struct caps *ours;      /* NULL before the session */
	const struct caps *theirs;    /* NULL before OpenConfirm */
	const struct negotiated *neg; /* NULL before OpenConfirm */
	bool multihop, rr_client;
	uint16_t hold_time, keepalive, connect_retry; /* seconds, in force */
	uint64_t hold_us, keepalive_us;               /* when they expire, or come due */
	uint64_t retry_us;                            /* when it dials again */
	const char *last_error; /* session_end_print(): BIRD's class and text; "": none */
	uint64_t last_error_us;
	const char *last_attempt; /* why there is no connection, in the same form; "": nothing failed */
	uint64_t last_attempt_us;
	unsigned flaps;    /* sessions that ended */
	uint64_t stale_us; /* routes of a session before are kept until then; 0: there are none */
	uint64_t long_lived_us[FAM_COUNT];             /* ... as the last choice (RFC 9494) */
	uint64_t refuse_us;                            /* not taken before, after too many prefixes */
	uint64_t treated_as_withdraw, attrs_discarded; /* UPDATEs with faults (RFC 7606) */
	/* Segments dropped for their TCP MD5 signature since the start, whoever sent them. Without a session,
	 * and with a password: signed with another, not signed; without one: signed. */
	uint64_t md5_wrong, md5_missing, md5_unexpected;
	bool policy_missing;           /* eBGP without import or export: RFC 8212 */
	const char *import, *export;   /* "all", "none" or the filter's name */
	uint32_t max_prefix;           /* 0: no limit */
	const char *max_prefix_action; /* "restart", "disable", "warn" */
};

struct ctl_proto {
	const char *name; /* unique; as rib_peer_conf() names it where it has routes */
	enum ctl_proto_kind kind;
	enum ctl_proto_state state;
	enum family family;        /* of a kernel protocol */
	uint64_t since_us;         /* of the state */
	const char *description;   /* NULL: none */
	struct rib_peer *rib;      /* NULL: neither announces nor hears routes */
	const struct ctl_bgp *bgp; /* CTL_PROTO_BGP only */
	const char *export;        /* of a kernel protocol: "all", "none" or the filter's name */
	uint64_t exported;         /* of a kernel protocol: routes it holds */
};

struct ctl_address {
	struct ip address;
	uint8_t len;
};

/** The other side of a WireGuard tunnel. */
struct ctl_wg_peer {
	const char *public_key; /* base64 */
	struct ip endpoint;     /* as the kernel has it now; IP_NONE: not known */
	uint16_t endpoint_port;
	uint64_t handshake_us; /* the last one */
	bool dead;             /* too long ago: its next hops are not used */
	uint64_t rx_bytes, tx_bytes;
	size_t n_allowed; /* allowed IPs */
};

struct ctl_tunnel {
	const char *name, *type; /* "vxlan", "gre" … */
	enum { CTL_TUNNEL_DOWN, CTL_TUNNEL_UP, CTL_TUNNEL_ERROR } state;
	const char *error; /* cause and mend in words; NULL: none */
	uint64_t since_us; /* of the state */
	struct ip local, remote;
	const struct ip *remotes; /* further ones: head-end replication */
	size_t n_remotes;
	uint32_t vni;  /* vxlan */
	uint16_t port; /* vxlan; 0: none */
	uint32_t mtu, ifindex;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	const struct ctl_address *addresses;
	size_t n_addresses;
	const char *public_key; /* WireGuard: our own, base64; NULL: none */
	uint16_t listen_port;   /* WireGuard */
	const struct ctl_wg_peer *wg_peers;
	size_t n_wg_peers;
};

struct ctl_interface {
	const char *name, *kind; /* kind: "vxlan", "veth" …; "" for physical ones */
	uint32_t ifindex, mtu;
	bool up, admin_up, ours; /* ours: we made it */
	const struct ctl_address *addresses;
	size_t n_addresses;
};

/** A BGP next hop in use, and the neighbor it leads to. */
struct ctl_neighbor {
	struct ip next_hop, gateway; /* gateway: the neighbor; IP_NONE: it leads nowhere */
	uint32_t ifindex;
	const char *state;     /* as `ip neigh` names it; why it leads nowhere, in words */
	const uint8_t *lladdr; /* NULL: not known */
	size_t lladdr_len;
	bool dead; /* it does not answer: routes go round it */
};

/** Something happened. */
struct ctl_event {
	enum log_level level;
	const char *name; /* "session.up" ... */
	const struct kv *fields;
	size_t n_fields;
};

enum ctl_fib_state { CTL_FIB_ABSENT, CTL_FIB_QUEUED, CTL_FIB_INSTALLED, CTL_FIB_FAILED };

enum ctl_action {
	CTL_ENABLE,
	CTL_DISABLE,
	CTL_RESTART,
	CTL_RELOAD, /* both ways */
	CTL_RELOAD_IN,
	CTL_RELOAD_OUT
};
enum ctl_outcome {
	CTL_DONE,
	CTL_ALREADY,   /* so already: nothing to do */
	CTL_UNKNOWN,   /* no protocol of that name */
	CTL_IMPOSSIBLE /* not with this protocol, or not in its state */
};

enum ctl_configure { CTL_CONF_CHECK, CTL_CONF_APPLY, CTL_CONF_UNDO, CTL_CONF_CONFIRM };
enum ctl_configured {
	CTL_CONF_DONE,    /* checked and right; applied; undone; confirmed */
	CTL_CONF_BAD,     /* wrong, nothing changed; each error was told to line() */
	CTL_CONF_NOTHING, /* nothing to undo or to confirm */
	CTL_CONF_STOPPING /* the daemon is going down */
};

/** Called once for each thing of a walk; false ends it. */
typedef bool (*ctl_proto_fn)(void *arg, const struct ctl_proto *p);
typedef void (*ctl_tunnel_fn)(void *arg, const struct ctl_tunnel *t);
typedef void (*ctl_interface_fn)(void *arg, const struct ctl_interface *i);
/** A line about memory: what, and its bytes, objects and bytes an object (0: unknown). */
typedef void (*ctl_memory_fn)(void *arg, const char *what, size_t bytes, size_t count);
typedef void (*ctl_filter_fn)(void *arg, const struct filter *f);
typedef void (*ctl_line_fn)(void *arg, const char *line);

/** What a new configuration would change. */
struct ctl_change {
	const char *kind, *name;         /* "peer", "node2"; name: NULL where there is one only */
	const char *setting, *from, *to; /* NULL: the whole thing comes, goes or has another content */
	const char *effect;              /* a word: "none", "routes", "session" ... */
	const char *text;                /* all of it, for people */
};
typedef void (*ctl_change_fn)(void *arg, const struct ctl_change *c);

/** A route of the kernel that a previous run left, and nobody has confirmed yet. */
struct ctl_adopted {
	struct prefix prefix;
	enum rib_kind kind;
	struct ip gateway; /* the first; IP_NONE: none */
	uint32_t ifindex;  /* 0: none */
};

struct ctl_backend {
	void *ctx;
	struct rib *rib;

	void (*clock)(void *ctx, struct ctl_clock *out);
	void (*status)(void *ctx, struct ctl_status *out);
	/** Every protocol, in the order of `show protocols`: device1, direct1 (if configured), kernel4,
	 * kernel6, static4 (if configured), then peers as configured, those of a range behind it. */
	void (*protocols)(void *ctx, ctl_proto_fn fn, void *arg);
	/** The one of that name, through @fn; false: there is none. */
	bool (*protocol)(void *ctx, const char *name, ctl_proto_fn fn, void *arg);
	void (*tunnels)(void *ctx, ctl_tunnel_fn fn, void *arg);
	void (*interfaces)(void *ctx, ctl_interface_fn fn, void *arg);
	/** The next hop in use behind number *@at, which is moved on; false: there are no more. Begin with 0.
	 */
	bool (*neighbor)(void *ctx, uint32_t *at, struct ctl_neighbor *out);
	/** NULL: no such link. */
	const char *(*ifname)(void *ctx, uint32_t ifindex);
	/** What the kernel has of @p; *@why in words when it failed, or was never to be there,
	 * NULL otherwise. */
	enum ctl_fib_state (*fib)(void *ctx, const struct prefix *p, const char **why);
	/** The adopted route behind number *@at of @f, which is moved on; false: there are no more. Begin
	 * with 0. */
	bool (*adopted)(void *ctx, enum family f, uint32_t *at, struct ctl_adopted *out);
	/** Every filter of the configuration in force, in its order; borrowed for the call. */
	void (*filters)(void *ctx, ctl_filter_fn fn, void *arg);
	/** The name of a prefix set that a filter refers to. */
	const char *(*set_name)(void *ctx, const struct prefix_set *set);
	/** Memory of the modules other than the table. */
	void (*memory)(void *ctx, ctl_memory_fn fn, void *arg);

	/** @text: shutdown communication for the peer (RFC 9003), NULL: none. */
	enum ctl_outcome (*act)(void *ctx, enum ctl_action a, const char *name, const char *text);
	/** Read @file as `configure` would, tell @change what that would change, and change nothing.
	 * CTL_CONF_DONE or CTL_CONF_BAD. */
	enum ctl_configured (*check)(void *ctx, const char *file, ctl_line_fn line, ctl_change_fn change,
	                             void *arg);
	/** Not CTL_CONF_CHECK. @file: NULL for the usual one. @timeout_s: undone after that unless confirmed;
	 * 0: at once for good. The control socket itself must outlive the call. */
	enum ctl_configured (*configure)(void *ctx, enum ctl_configure what, const char *file,
	                                 unsigned timeout_s, ctl_line_fn line, void *arg);
	/** The settings of the configuration in force that wait for a restart, a line each. */
	void (*pending)(void *ctx, ctl_line_fn line, void *arg);
	/** End the daemon from the loop, after this call has returned; @keep_routes: a graceful restart. */
	void (*stop)(void *ctx, bool keep_routes);
	void (*log_level)(void *ctx, enum log_level level);
	/** Of one peer; false: there is no room for one more. */
	bool (*log_peer)(void *ctx, const char *name, enum log_level level);
	void (*log_peer_default)(void *ctx, const char *name);
};

#endif
