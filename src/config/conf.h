/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.h - one immutable snapshot of what mcbgpd.conf says, validated whole, defaults filled in.
 *
 * Modules take from it; nobody changes it. Names are those of the file. Pointers are owned by the snapshot;
 * strings are never NULL unless a comment says so. Times in seconds unless a name says otherwise. Secrets are
 * not in it, only the paths of their files. */
#ifndef MCBGP_CONFIG_CONF_H
#define MCBGP_CONFIG_CONF_H

#include "bgp/nlri.h"
#include "lib/log.h"
#include "policy/filter.h"

struct conf_listen {
	struct ip address;
	uint16_t port;
};

struct conf_router {
	uint32_t id; /* host byte order */
	uint32_t as;
	struct conf_listen *listen;
	size_t n_listen;
	uint16_t hold_time;               /* 90; 0 or >= 3 */
	uint16_t keepalive;               /* 0: a third of the negotiated hold time */
	uint16_t connect_retry;           /* 5 */
	bool graceful_restart;            /* true */
	uint16_t restart_time;            /* 120 */
	bool graceful_restart_on_silence; /* false */
	uint32_t long_lived_time;         /* 0: not asked for */
	uint32_t long_lived_limit;        /* 16777215: what the peer asks for */
	uint32_t cluster_id;              /* id */
	bool multipath;                   /* true */
};

enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG, LOG_TARGET_JOURNAL };
struct conf_log {
	enum log_level level;
	enum log_target target;
};

struct conf_control {
	char *socket; /* "/run/mcbgpd/mcbgpd.sock" */
	char *group;  /* "mcbgpd" when not given, and then its absence is no error; see group_set */
	bool group_set;
	char *readonly_socket; /* NULL: none */
	char *readonly_group;  /* NULL: that of group */
};

enum policy_kind { POLICY_UNSET, POLICY_ALL, POLICY_NONE, POLICY_FILTER };
struct conf_policy {
	enum policy_kind kind;
	const struct filter *filter; /* POLICY_FILTER; owned by conf.filters */
};

enum max_prefix_action { MAX_PREFIX_RESTART, MAX_PREFIX_DISABLE, MAX_PREFIX_WARN };

/** One entry of `peers`, with its group's and the router's settings merged in. */
struct conf_peer {
	char *name;
	char *group;       /* NULL: none */
	char *description; /* NULL: none */
	bool is_range;     /* any address in `range`; always passive */
	struct prefix range;
	uint32_t max_peers;      /* of a range; 0: no limit */
	struct ip address;       /* not of a range */
	struct ip local_address; /* IP_NONE: the kernel's choice */
	char *interface;         /* NULL: none */
	uint16_t port;           /* 179 */
	uint32_t remote_as;
	uint32_t local_as; /* router.as */
	bool passive, enabled;
	uint8_t multihop; /* TTL to send with; 0: not given (eBGP 1, iBGP 64) */
	bool ttl_security;
	char *password_file; /* NULL: none */
	uint32_t families;   /* FAM_BIT()s */
	uint16_t hold_time, keepalive, connect_retry;
	uint16_t send_hold_time; /* RFC 9687; 0: 480, or twice the hold time if that is more */
	bool graceful_restart;
	uint16_t restart_time;
	bool graceful_restart_on_silence;
	uint32_t long_lived_time, long_lived_limit;
	bool next_hop_self, next_hop_keep;
	bool route_reflector_client;
	uint8_t add_path;     /* enum add_path */
	uint8_t allow_own_as; /* occurrences allowed */
	bool as_override, remove_private_as, enforce_first_as;
	bool role_set;
	uint8_t role; /* RFC 9234 */
	struct conf_policy import, export;
	uint32_t max_prefix; /* 0: no limit */
	enum max_prefix_action max_prefix_action;
	bool bfd;
	uint32_t bfd_interval_ms, bfd_multiplier;
	bool graceful_shutdown;
};

enum tunnel_type { TUNNEL_VXLAN, TUNNEL_WIREGUARD, TUNNEL_GRE };
struct conf_address {
	struct ip address;
	uint8_t len;
};
struct conf_wg_peer {
	uint8_t public_key[32];
	char *endpoint;     /* "host:port", see conf_split_endpoint(); NULL: none */
	uint16_t keepalive; /* 0: none */
	struct prefix *allowed_ips;
	size_t n_allowed_ips;
	bool allowed_bgp;              /* and what BGP routes by it */
	struct prefix *tunnel_address; /* of the peer: next hops that are it */
	size_t n_tunnel_address;
	char *preshared_key_file; /* NULL: none */
};
struct conf_tunnel {
	char *name; /* of the link, at most IFNAMSIZ - 1 bytes */
	enum tunnel_type type;
	struct ip local, remote; /* IP_NONE: not given */
	struct ip *remotes;      /* vxlan head-end replication */
	size_t n_remotes;
	uint32_t vni;
	uint16_t port;    /* vxlan: 4789 */
	bool learning;    /* vxlan: true */
	uint8_t ttl, tos; /* 0: inherit */
	uint32_t mtu;     /* 0: computed */
	bool persist;     /* true */
	char *interface;  /* underlay device; NULL: none */
	struct conf_address *addresses;
	size_t n_addresses;
	bool ikey_set, okey_set; /* gre */
	uint32_t ikey, okey;
	bool pmtudisc;          /* gre over IPv4: true */
	char *private_key_file; /* wireguard; NULL otherwise */
	uint16_t listen_port;
	uint32_t handshake_timeout; /* wireguard: 180; 0: never */
	uint32_t fwmark;            /* wireguard, gre; 0: none */
	uint32_t rule_table;        /* where marked packets are routed; 0: no rule */
	struct conf_wg_peer *peers;
	size_t n_peers;
};

struct conf_static {
	struct prefix prefix;
	bool blackhole, unreachable;
	char *interface;    /* NULL: none */
	struct ip next_hop; /* IP_NONE: none */
	bool onlink;        /* next_hop is on interface, whatever addresses that has */
};

struct conf_kernel {
	struct conf_policy export;
	uint32_t table;      /* 254 */
	uint32_t metric;     /* 32 */
	uint8_t protocol;    /* 178 */
	uint16_t multipath;  /* members of an ECMP set; 16 */
	bool nexthop_groups; /* true */
};

struct conf_direct {
	char **interfaces; /* shell patterns */
	size_t n_interfaces;
};

enum conf_tristate { CONF_UNSET = -1, CONF_OFF, CONF_ON };
struct conf_host {
	enum conf_tristate ip_forward, multipath_use_neigh;
	int multipath_hash; /* the sysctl's value (l3 0, l4 1, inner 2); -1: left as it is */
	int rp_filter;      /* off 0, strict 1, loose 2; -1: left as it is */
};

struct conf_named_set {
	char *name;
	struct prefix_set *set;
};

struct conf {
	char *file; /* it was read from */
	struct conf_router router;
	struct conf_log log;
	struct conf_control control;
	struct conf_host host;
	struct conf_tunnel *tunnels;
	size_t n_tunnels;
	struct conf_named_set *prefix_sets;
	size_t n_prefix_sets;
	struct filter **filters;
	size_t n_filters;
	struct conf_peer *peers;
	size_t n_peers;
	struct conf_static *statics;
	size_t n_statics;
	struct conf_direct direct;
	struct conf_kernel kernel;
};

void conf_free(struct conf *c); /* NULL is fine */
/** "192.0.2.1:51820", "[2001:db8::1]:51820" or "name:51820" into its parts. @return false: none of these. */
bool conf_split_endpoint(const char *text, char *host, size_t size, uint16_t *port);
void conf_peer_fini(struct conf_peer *p);
const struct filter *conf_find_filter(const struct conf *c, const char *name); /* NULL: none */

#endif
