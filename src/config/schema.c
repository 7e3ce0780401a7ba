/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the option table.
 *
 * A row is all there is to know of a setting besides what it does: the loader walks the file against these
 * tables, diff.c compares two configurations by them, the manual page is tested against them. What belongs to
 * a coming version has its row too, with `later`: it is refused by name instead of being called unknown. To
 * build it, give the row its field and take the mark away.
 *
 * Tables are read in their order, whatever the order in the file: a section that refers to another comes
 * after it. */
#include "config/schema.h"

#include "bgp/open.h"
#include "mcbgp/bgp.h"

#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define FIELD(T, f)    .offset = offsetof(struct T, f), .size = sizeof(((struct T *)NULL)->f)
#define ARRAY(T, f, n) .offset = offsetof(struct T, f), .count_offset = offsetof(struct T, n)
#define GIVEN(T, f)    .given = offsetof(struct T, f) + 1
#define LATER          .later = true
#define REQUIRED       .required = true

#define U32_MAX        UINT32_MAX
#define LONG_LIVED_MAX 16777215 /* RFC 9494 3.1: 24 bits */
#define LEFT_ALONE     "left as the host has it"
#define FROM_ROUTER    "that of router"

/* ---- keywords --------------------------------------------------------------------------------------- */
static const struct keyword log_levels[] = {
	{ "error", LOGL_ERROR },
	{ "warning", LOGL_WARNING },
	{ "info", LOGL_INFO },
	{ "debug", LOGL_DEBUG },
	{ NULL },
};
static const struct keyword log_targets[] = {
	{ "stderr", LOG_TARGET_STDERR },
	{ "syslog", LOG_TARGET_SYSLOG },
	{ "journal", LOG_TARGET_JOURNAL },
	{ NULL },
};
static const struct keyword multipath_hashes[] = { { "l3", 0 }, { "l4", 1 }, { "inner", 2 }, { NULL } };
static const struct keyword rp_filters[] = { { "off", 0 }, { "strict", 1 }, { "loose", 2 }, { NULL } };
static const struct keyword tunnel_types[] = {
	{ "vxlan", TUNNEL_VXLAN },
	{ "wireguard", TUNNEL_WIREGUARD },
	{ "gre", TUNNEL_GRE },
	{ NULL },
};
static const struct keyword families[] = { { "ipv4", FAM_IPV4 }, { "ipv6", FAM_IPV6 }, { NULL } };
static const struct keyword sources[] = {
	{ "bgp", SOURCE_BGP },
	{ "static", SOURCE_STATIC },
	{ "direct", SOURCE_DIRECT },
	{ NULL },
};
static const struct keyword origins[] = {
	{ "igp", BGP_ORIGIN_IGP },
	{ "egp", BGP_ORIGIN_EGP },
	{ "incomplete", BGP_ORIGIN_INCOMPLETE },
	{ NULL },
};
static const struct keyword actions[] = {
	{ "accept", FILTER_ACCEPT },
	{ "reject", FILTER_REJECT },
	{ "continue", FILTER_CONTINUE },
	{ NULL },
};
static const struct keyword max_prefix_actions[] = {
	{ "restart", MAX_PREFIX_RESTART },
	{ "disable", MAX_PREFIX_DISABLE },
	{ "warn", MAX_PREFIX_WARN },
	{ NULL },
};
static const struct keyword add_path_modes[] = {
	{ "receive", ADD_PATH_RECEIVE },
	{ "send", ADD_PATH_SEND },
	{ "both", ADD_PATH_BOTH },
	{ NULL },
};
static const struct keyword roles[] = {
	{ "provider", BGP_ROLE_PROVIDER }, { "customer", BGP_ROLE_CUSTOMER },   { "peer", BGP_ROLE_PEER },
	{ "rs-server", BGP_ROLE_RS },      { "rs-client", BGP_ROLE_RS_CLIENT }, { NULL },
};

/* ---- router, log, control, metrics, host ------------------------------------------------------------ */

static const struct option listen_options[] = {
	{ "address", OPT_IP, FIELD(conf_listen, address), REQUIRED, .help = "where connections are taken" },
	{ "port", OPT_INT, FIELD(conf_listen, port), .min = 1, .max = 65535, .preset = BGP_PORT,
	  .help = "TCP port" },
};
static const struct section schema_listen = { "router.listen", listen_options, COUNT(listen_options),
	                                      sizeof(struct conf_listen) };

static const struct option router_options[] = {
	{ "id", OPT_ROUTER_ID, EFFECT_SESSIONS, FIELD(conf_router, id), REQUIRED, .help = "BGP identifier" },
	{ "as", OPT_AS, EFFECT_SESSIONS, FIELD(conf_router, as), REQUIRED, .help = "our AS number" },
	{ "listen", OPT_LIST, EFFECT_NONE, ARRAY(conf_router, listen, n_listen), .section = &schema_listen,
	  .preset_text = "0.0.0.0 and :: on port 179", .help = "where connections are taken" },
	{ "hold_time", OPT_INT, EFFECT_SESSION, FIELD(conf_router, hold_time), .min = BGP_MIN_HOLD_TIME,
	  .max = 65535, .preset = 90, .zero = "no timers", .unit = "seconds",
	  .help = "default of every peer" },
	{ "keepalive", OPT_INT, EFFECT_NONE, FIELD(conf_router, keepalive), .min = 1, .max = 65534,
	  .zero = "a third of the hold time", .unit = "seconds", .help = "default of every peer" },
	{ "connect_retry", OPT_INT, EFFECT_NONE, FIELD(conf_router, connect_retry), .min = 1, .max = 65535,
	  .preset = 5, .unit = "seconds", .help = "default of every peer" },
	{ "graceful_restart", OPT_BOOL, EFFECT_SESSION, FIELD(conf_router, graceful_restart), .preset = true,
	  .help = "default of every peer" },
	{ "restart_time", OPT_INT, EFFECT_SESSION, FIELD(conf_router, restart_time), .min = 0, .max = 4095,
	  .preset = 120, .unit = "seconds", .help = "default of every peer" },
	{ "graceful_restart_on_silence", OPT_BOOL, EFFECT_NONE,
	  FIELD(conf_router, graceful_restart_on_silence), .preset = false, .help = "default of every peer" },
	{ "long_lived_time", OPT_INT, EFFECT_SESSION, FIELD(conf_router, long_lived_time), .min = 1,
	  .max = LONG_LIVED_MAX, .zero = "not asked for", .unit = "seconds",
	  .help = "default of every peer" },
	{ "long_lived_limit", OPT_INT, EFFECT_NONE, FIELD(conf_router, long_lived_limit), .min = 1,
	  .max = LONG_LIVED_MAX, .zero = "not kept", .preset = LONG_LIVED_MAX, .unit = "seconds",
	  .help = "default of every peer" },
	{ "cluster_id", OPT_ROUTER_ID, EFFECT_ROUTES, FIELD(conf_router, cluster_id),
	  .preset_text = "that of id", .help = "cluster of this route reflector" },
	{ "multipath", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_router, multipath), .preset = true,
	  .help = "equal paths share the traffic" },
};
static const struct section schema_router = { "router", router_options, COUNT(router_options),
	                                      sizeof(struct conf_router) };

static const struct option log_options[] = {
	{ "level", OPT_KEYWORD, FIELD(conf_log, level), .words = log_levels, .preset = LOGL_INFO,
	  .help = "least important events that are logged" },
	{ "target", OPT_KEYWORD, FIELD(conf_log, target), .words = log_targets, .preset = LOG_TARGET_STDERR,
	  .help = "where they go" },
};
static const struct section schema_log = { "log", log_options, COUNT(log_options), sizeof(struct conf_log) };

static const struct option control_options[] = {
	{ "socket", OPT_STRING, EFFECT_START, FIELD(conf_control, socket),
	  .preset_text = "/run/mcbgpd/mcbgpd.sock", .help = "path of the control socket" },
	{ "group", OPT_STRING, EFFECT_START, FIELD(conf_control, group), GIVEN(conf_control, group_set),
	  .preset_text = "mcbgpd", .help = "group that may use it" },
	{ "readonly_socket", OPT_STRING, EFFECT_START, FIELD(conf_control, readonly_socket),
	  .help = "path of a second one, for those who may only look" },
	{ "readonly_group", OPT_STRING, EFFECT_START, FIELD(conf_control, readonly_group),
	  .help = "group that may use the second one, instead of group" },
};
static const struct section schema_control = { "control", control_options, COUNT(control_options),
	                                       sizeof(struct conf_control) };

static const struct option metrics_options[] = {
	{ "listen", OPT_STRING, LATER, .preset_text = "no listener",
	  .help = "address and port of the metrics page" },
};
static const struct section schema_metrics = { "metrics", metrics_options, COUNT(metrics_options), 0 };

static const struct option host_options[] = {
	{ "ip_forward", OPT_TRISTATE, FIELD(conf_host, ip_forward), .preset = CONF_UNSET,
	  .preset_text = LEFT_ALONE, .help = "net.ipv4.ip_forward and net.ipv6.conf.all.forwarding" },
	{ "multipath_hash", OPT_KEYWORD, FIELD(conf_host, multipath_hash), .words = multipath_hashes,
	  .preset = -1, .preset_text = LEFT_ALONE, .help = "net.ipv{4,6}.fib_multipath_hash_policy" },
	{ "multipath_use_neigh", OPT_TRISTATE, FIELD(conf_host, multipath_use_neigh), .preset = CONF_UNSET,
	  .preset_text = LEFT_ALONE, .help = "net.ipv4.fib_multipath_use_neigh" },
	{ "rp_filter", OPT_KEYWORD, FIELD(conf_host, rp_filter), .words = rp_filters, .preset = -1,
	  .preset_text = LEFT_ALONE, .help = "net.ipv4.conf.{all,TUNNEL}.rp_filter" },
};
static const struct section schema_host = { "host", host_options, COUNT(host_options),
	                                    sizeof(struct conf_host) };

/* ---- tunnels ---------------------------------------------------------------------------------------- */
static const struct option wg_peer_options[] = {
	{ "public_key", OPT_WG_KEY, EFFECT_LINK, FIELD(conf_wg_peer, public_key), REQUIRED,
	  .help = "of the other side, base64" },
	{ "endpoint", OPT_ENDPOINT, EFFECT_LINK, FIELD(conf_wg_peer, endpoint),
	  .preset_text = "wherever it comes from", .help = "host and port of the other side" },
	{ "keepalive", OPT_INT, EFFECT_LINK, FIELD(conf_wg_peer, keepalive), .min = 1, .max = 65535,
	  .zero = "none", .unit = "seconds", .help = "interval of keepalives" },
	{ "allowed_ips", OPT_ALLOWED_IPS, EFFECT_LINK, ARRAY(conf_wg_peer, allowed_ips, n_allowed_ips),
	  .help = "what may come from and go to it" },
	{ "tunnel_address", OPT_PREFIXES, EFFECT_LINK, ARRAY(conf_wg_peer, tunnel_address, n_tunnel_address),
	  .preset_text = "the tunnel's own networks, if it is the only peer",
	  .help = "its addresses in the tunnel, for allowed_ips \"bgp\"" },
	{ "preshared_key_file", OPT_STRING, EFFECT_LINK, FIELD(conf_wg_peer, preshared_key_file),
	  .help = "file with the preshared key" },
};
static const struct section schema_wg_peer = { "tunnels.peers", wg_peer_options, COUNT(wg_peer_options),
	                                       sizeof(struct conf_wg_peer) };

static const struct option tunnel_options[] = {
	{ "name", OPT_LINK, EFFECT_LINK_NEW, FIELD(conf_tunnel, name), REQUIRED, .help = "name of the link" },
	{ "type", OPT_KEYWORD, EFFECT_LINK_NEW, FIELD(conf_tunnel, type), REQUIRED, .words = tunnel_types,
	  .help = "encapsulation" },
	{ "local", OPT_IP, EFFECT_LINK, FIELD(conf_tunnel, local), .preset_text = "the kernel's choice",
	  .help = "our address in the underlay" },
	{ "remote", OPT_IP, EFFECT_LINK, FIELD(conf_tunnel, remote),
	  .help = "the other end's address in the underlay" },
	{ "remotes", OPT_IPS, EFFECT_LINK, ARRAY(conf_tunnel, remotes, n_remotes),
	  .help = "several other ends (head-end replication)" },
	{ "addresses", OPT_ADDRESSES, EFFECT_LINK, ARRAY(conf_tunnel, addresses, n_addresses),
	  .help = "addresses of the link" },
	{ "mtu", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, mtu), .min = 576, .max = 65535, .zero = "computed",
	  .unit = "bytes", .preset_text = "the MTU of the route to remote less the overhead",
	  .help = "of the link" },
	{ "ttl", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, ttl), .min = 1, .max = 255,
	  .zero = "the kernel's choice", .help = "of the outer packets" },
	{ "tos", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, tos), .min = 0, .max = 255,
	  .help = "of the outer packets" },
	{ "interface", OPT_LINK, EFFECT_LINK, FIELD(conf_tunnel, interface), .help = "underlay device" },
	{ "persist", OPT_BOOL, EFFECT_NONE, FIELD(conf_tunnel, persist), .preset = true,
	  .help = "the link stays when the daemon stops" },
	{ "vni", OPT_INT, EFFECT_LINK_NEW, FIELD(conf_tunnel, vni), .min = 1, .max = 16777215,
	  .preset_text = "required for vxlan", .help = "VXLAN network identifier" },
	{ "port", OPT_INT, EFFECT_LINK_NEW, FIELD(conf_tunnel, port), .min = 1, .max = 65535, .preset = 4789,
	  .help = "VXLAN UDP port" },
	{ "learning", OPT_BOOL, EFFECT_LINK, FIELD(conf_tunnel, learning), .preset = true,
	  .help = "VXLAN learns addresses from packets" },
	{ "key", OPT_GRE_KEY, EFFECT_LINK, .size = sizeof(uint32_t), .min = 0, .max = U32_MAX,
	  .preset_text = "none", .help = "GRE key of both directions" },
	{ "ikey", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, ikey), GIVEN(conf_tunnel, ikey_set), .min = 0,
	  .max = U32_MAX, .preset_text = "none", .help = "GRE key of what arrives" },
	{ "okey", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, okey), GIVEN(conf_tunnel, okey_set), .min = 0,
	  .max = U32_MAX, .preset_text = "none", .help = "GRE key of what is sent" },
	{ "pmtudisc", OPT_BOOL, EFFECT_LINK, FIELD(conf_tunnel, pmtudisc), .preset = true,
	  .help = "GRE over IPv4: outer packets are not fragmented on the way" },
	{ "private_key_file", OPT_STRING, EFFECT_LINK, FIELD(conf_tunnel, private_key_file),
	  .help = "WireGuard: file with the private key" },
	{ "listen_port", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, listen_port), .min = 1, .max = 65535,
	  .preset = 51820, .help = "WireGuard: UDP port" },
	{ "handshake_timeout", OPT_INT, EFFECT_NONE, FIELD(conf_tunnel, handshake_timeout), .min = 10,
	  .max = 65535, .preset = 180, .zero = "never", .unit = "seconds",
	  .help = "WireGuard: a peer with keepalive is dead so long after its last handshake" },
	{ "fwmark", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, fwmark), .min = 0, .max = U32_MAX,
	  .help = "WireGuard, GRE: mark of the outer packets" },
	{ "rule_table", OPT_INT, EFFECT_LINK, FIELD(conf_tunnel, rule_table), .min = 1, .max = U32_MAX,
	  .zero = "none", .help = "routing table for the marked outer packets" },
	{ "peers", OPT_LIST, EFFECT_LINK, ARRAY(conf_tunnel, peers, n_peers), .section = &schema_wg_peer,
	  .help = "WireGuard: the other sides" },
};
const struct section schema_tunnel = { "tunnels", tunnel_options, COUNT(tunnel_options),
	                               sizeof(struct conf_tunnel) };

/* ---- filters ---------------------------------------------------------------------------------------- */
static const struct option match_options[] = {
	{ "prefix", OPT_PREFIX_SETS, EFFECT_ROUTES, ARRAY(filter_match, prefix_sets, n_prefix_sets),
	  .help = "in one of these prefix sets" },
	{ "community", OPT_COMMUNITIES, EFFECT_ROUTES, .kind = COMMUNITY_PLAIN,
	  .help = "carries one of these" },
	{ "large_community", OPT_COMMUNITIES, EFFECT_ROUTES, .kind = COMMUNITY_LARGE,
	  .help = "carries one of these" },
	{ "ext_community", OPT_COMMUNITIES, EFFECT_ROUTES, .kind = COMMUNITY_EXT,
	  .help = "carries one of these" },
	{ "as_path", OPT_AS_PATHS, EFFECT_ROUTES, .help = "one of these expressions matches the AS path" },
	{ "peer", OPT_SOURCES, EFFECT_ROUTES, ARRAY(filter_match, peers, n_peers),
	  .help = "came from one of these peers, or a peer of one of these groups" },
	{ "source", OPT_KEYWORDS, EFFECT_ROUTES, FIELD(filter_match, sources), .words = sources,
	  .help = "came from one of these" },
	{ "family", OPT_KEYWORDS, EFFECT_ROUTES, FIELD(filter_match, families), .words = families,
	  .help = "is of one of these" },
	{ "next_hop", OPT_PREFIXES, EFFECT_ROUTES, ARRAY(filter_match, next_hops, n_next_hops),
	  .help = "next hop within one of these" },
	{ "origin", OPT_KEYWORDS, EFFECT_ROUTES, FIELD(filter_match, origins), .words = origins,
	  .help = "one of these" },
	{ "med", OPT_INTS, EFFECT_ROUTES, ARRAY(filter_match, meds, n_meds), .max = U32_MAX,
	  .help = "one of these" },
	{ "local_pref", OPT_INTS, EFFECT_ROUTES, ARRAY(filter_match, local_prefs, n_local_prefs),
	  .max = U32_MAX, .help = "one of these" },
};
static const struct section schema_match = { "filters.match", match_options, COUNT(match_options),
	                                     sizeof(struct filter_match) };

#define EDIT(kind_) .kind = (kind_), .offset = offsetof(struct filter_set, communities[kind_])

static const struct option set_options[] = {
	{ "med", OPT_INT, EFFECT_ROUTES, FIELD(filter_set, med), GIVEN(filter_set, med_set), .max = U32_MAX,
	  .preset_text = "left as it is", .help = "MULTI_EXIT_DISC" },
	{ "local_pref", OPT_INT, EFFECT_ROUTES, FIELD(filter_set, local_pref),
	  GIVEN(filter_set, local_pref_set), .max = U32_MAX, .preset_text = "left as it is",
	  .help = "LOCAL_PREF" },
	{ "origin", OPT_KEYWORD, EFFECT_ROUTES, FIELD(filter_set, origin), GIVEN(filter_set, origin_set),
	  .words = origins, .preset_text = "left as it is", .help = "ORIGIN" },
	{ "add_community", OPT_ADD_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_PLAIN), .help = "values to add" },
	{ "delete_community", OPT_DELETE_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_PLAIN),
	  .help = "patterns to delete" },
	{ "set_community", OPT_SET_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_PLAIN),
	  .help = "these and no others" },
	{ "add_large_community", OPT_ADD_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_LARGE),
	  .help = "values to add" },
	{ "delete_large_community", OPT_DELETE_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_LARGE),
	  .help = "patterns to delete" },
	{ "set_large_community", OPT_SET_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_LARGE),
	  .help = "these and no others" },
	{ "add_ext_community", OPT_ADD_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_EXT),
	  .help = "values to add" },
	{ "delete_ext_community", OPT_DELETE_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_EXT),
	  .help = "patterns to delete" },
	{ "set_ext_community", OPT_SET_COMMUNITY, EFFECT_ROUTES, EDIT(COMMUNITY_EXT),
	  .help = "these and no others" },
	{ "prepend", OPT_INT, EFFECT_ROUTES, FIELD(filter_set, prepend), .min = 0, .max = 255,
	  .unit = "times", .help = "our AS number in front of the AS path" },
	{ "next_hop", OPT_NEXT_HOP, EFFECT_ROUTES, .preset_text = "left as it is", .help = "NEXT_HOP" },
	{ "weight", OPT_INT, EFFECT_ROUTES, FIELD(filter_set, weight), GIVEN(filter_set, weight_set),
	  .min = 1, .max = 255, .preset_text = "1", .help = "share of an ECMP set" },
};
static const struct section schema_set = { "filters.set", set_options, COUNT(set_options),
	                                   sizeof(struct filter_set) };

static const struct option term_options[] = {
	{ "match", OPT_GROUP, EFFECT_ROUTES, FIELD(filter_term, match), .section = &schema_match,
	  .preset_text = "every route", .help = "which routes the term is about" },
	{ "set", OPT_GROUP, EFFECT_ROUTES, FIELD(filter_term, set), .section = &schema_set,
	  .preset_text = "nothing", .help = "what it changes in them" },
	{ "action", OPT_KEYWORD, EFFECT_ROUTES, FIELD(filter_term, action), .words = actions,
	  .preset = FILTER_CONTINUE, .help = "what becomes of them" },
};
static const struct section schema_term = { "filters", term_options, COUNT(term_options),
	                                    sizeof(struct filter_term) };

/* ---- peers ------------------------------------------------------------------------------------------ */
static const struct option bfd_options[] = {
	{ "interval", OPT_INT, LATER, .min = 10, .max = 60000, .preset = 100, .unit = "milliseconds",
	  .help = "between packets" },
	{ "multiplier", OPT_INT, LATER, .min = 1, .max = 255, .preset = 3,
	  .help = "packets missed until the peer is down" },
};
static const struct section schema_bfd = { "peers.bfd", bfd_options, COUNT(bfd_options), 0 };

#define PEER_ONLY 5 /* rows at the beginning that a group does not have */

static const struct option peer_options[] = {
	{ "name", OPT_TOKEN, EFFECT_SESSION, FIELD(conf_peer, name), REQUIRED, .help = "name of the peer" },
	{ "address", OPT_IP, EFFECT_SESSION, FIELD(conf_peer, address),
	  .preset_text = "this or range is required", .help = "of the peer" },
	{ "range", OPT_PREFIX, EFFECT_SESSION, FIELD(conf_peer, range),
	  .preset_text = "this or address is required", .help = "addresses from which peers may connect" },
	{ "max_peers", OPT_INT, EFFECT_NONE, FIELD(conf_peer, max_peers), .min = 1, .max = 1000000,
	  .zero = "no limit", .help = "peers of a range" },
	{ "group", OPT_TOKEN, EFFECT_ROUTES, FIELD(conf_peer, group),
	  .help = "group whose settings the peer inherits" },
	/* what a group has too */
	{ "remote_as", OPT_AS, EFFECT_SESSION, FIELD(conf_peer, remote_as),
	  .preset_text = "required, of the peer or its group", .help = "AS number of the peer" },
	{ "local_as", OPT_AS, EFFECT_SESSION, FIELD(conf_peer, local_as), .preset_text = "as of router",
	  .help = "our AS number towards the peer" },
	{ "local_address", OPT_IP, EFFECT_SESSION, FIELD(conf_peer, local_address),
	  .preset_text = "the kernel's choice", .help = "our end of the session" },
	{ "port", OPT_INT, EFFECT_SESSION, FIELD(conf_peer, port), .min = 1, .max = 65535, .preset = BGP_PORT,
	  .help = "TCP port we connect to" },
	{ "interface", OPT_LINK, EFFECT_SESSION, FIELD(conf_peer, interface),
	  .help = "link the session is bound to" },
	{ "passive", OPT_BOOL, EFFECT_NONE, FIELD(conf_peer, passive), .preset = false,
	  .help = "the peer connects to us; we never do" },
	{ "multihop", OPT_INT, EFFECT_SESSION, FIELD(conf_peer, multihop), .min = 1, .max = 255,
	  .preset_text = "1 for eBGP, 64 for iBGP", .unit = "hops", .help = "how far away the peer may be" },
	{ "ttl_security", OPT_BOOL, EFFECT_SESSION, FIELD(conf_peer, ttl_security),
	  .help = "take only packets that cannot have come from farther" },
	{ "password_file", OPT_STRING, EFFECT_SESSION, FIELD(conf_peer, password_file),
	  .help = "file with the TCP MD5 password" },
	{ "families", OPT_KEYWORDS, EFFECT_SESSION, FIELD(conf_peer, families), .words = families,
	  .preset = FAM_BIT(FAM_IPV4), .preset_text = "\"ipv4\"", .help = "of the routes exchanged" },
	{ "hold_time", OPT_INT, EFFECT_SESSION, FIELD(conf_peer, hold_time), .min = BGP_MIN_HOLD_TIME,
	  .max = 65535, .zero = "no timers", .unit = "seconds", .preset_text = FROM_ROUTER,
	  .help = "silence after which the peer is gone" },
	{ "keepalive", OPT_INT, EFFECT_NONE, FIELD(conf_peer, keepalive), .min = 1, .max = 65534,
	  .zero = "a third of the hold time", .unit = "seconds", .preset_text = FROM_ROUTER,
	  .help = "between KEEPALIVE messages" },
	{ "send_hold_time", OPT_INT, EFFECT_NONE, FIELD(conf_peer, send_hold_time), .min = 3, .max = 65535,
	  .zero = "480 s, or twice the hold time if that is more", .unit = "seconds",
	  .help = "how long the peer may take nothing of what waits for it" },
	{ "connect_retry", OPT_INT, EFFECT_NONE, FIELD(conf_peer, connect_retry), .min = 1, .max = 65535,
	  .unit = "seconds", .preset_text = FROM_ROUTER, .help = "between attempts to connect" },
	{ "graceful_restart", OPT_BOOL, EFFECT_SESSION, FIELD(conf_peer, graceful_restart),
	  .preset_text = FROM_ROUTER, .help = "routes outlive a restart of either side" },
	{ "restart_time", OPT_INT, EFFECT_SESSION, FIELD(conf_peer, restart_time), .min = 0, .max = 4095,
	  .unit = "seconds", .preset_text = FROM_ROUTER,
	  .help = "how long the peer keeps our routes meanwhile" },
	{ "graceful_restart_on_silence", OPT_BOOL, EFFECT_NONE, FIELD(conf_peer, graceful_restart_on_silence),
	  .preset_text = FROM_ROUTER, .help = "routes outlive a hold time that expires (RFC 8538)" },
	{ "long_lived_time", OPT_INT, EFFECT_SESSION, FIELD(conf_peer, long_lived_time), .min = 1,
	  .max = LONG_LIVED_MAX, .zero = "not asked for", .unit = "seconds", .preset_text = FROM_ROUTER,
	  .help = "how much longer the peer keeps our routes as a last choice (RFC 9494)" },
	{ "long_lived_limit", OPT_INT, EFFECT_NONE, FIELD(conf_peer, long_lived_limit), .min = 1,
	  .max = LONG_LIVED_MAX, .zero = "not kept", .unit = "seconds", .preset_text = FROM_ROUTER,
	  .help = "the longest that we keep the peer's routes so" },
	{ "next_hop_self", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, next_hop_self),
	  .help = "announce routes with our address" },
	{ "next_hop_keep", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, next_hop_keep),
	  .help = "announce routes with the next hop they have" },
	{ "import", OPT_POLICY, EFFECT_ROUTES, FIELD(conf_peer, import), .preset = POLICY_UNSET,
	  .preset_text = "\"none\" for eBGP, \"all\" for iBGP", .help = "routes taken from the peer" },
	{ "export", OPT_POLICY, EFFECT_ROUTES, FIELD(conf_peer, export), .preset = POLICY_UNSET,
	  .preset_text = "\"none\" for eBGP, \"all\" for iBGP", .help = "routes announced to the peer" },
	{ "max_prefix", OPT_INT, EFFECT_NONE, FIELD(conf_peer, max_prefix), .min = 1, .max = U32_MAX,
	  .zero = "no limit", .unit = "prefixes", .help = "prefixes the peer may announce" },
	{ "max_prefix_action", OPT_KEYWORD, EFFECT_NONE, FIELD(conf_peer, max_prefix_action),
	  .words = max_prefix_actions, .preset = MAX_PREFIX_RESTART,
	  .help = "what happens beyond max_prefix" },
	{ "enforce_first_as", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, enforce_first_as), .preset = true,
	  .help = "eBGP paths must begin with the peer's AS" },
	{ "enabled", OPT_BOOL, EFFECT_SESSION, FIELD(conf_peer, enabled), .preset = true,
	  .help = "whether there is to be a session" },
	{ "description", OPT_STRING, EFFECT_NONE, FIELD(conf_peer, description),
	  .help = "free text for people" },
	{ "route_reflector_client", OPT_BOOL, EFFECT_SESSION, FIELD(conf_peer, route_reflector_client),
	  .help = "reflect routes to and from the peer" },
	{ "add_path", OPT_KEYWORD, EFFECT_SESSION, FIELD(conf_peer, add_path), .words = add_path_modes,
	  .preset_text = "none", .help = "several paths a prefix" },
	{ "allow_own_as", OPT_INT, EFFECT_ROUTES, FIELD(conf_peer, allow_own_as), .min = 0, .max = 255,
	  .unit = "times", .help = "how often our AS may be in a path" },
	{ "as_override", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, as_override),
	  .help = "announce our AS in place of the peer's" },
	{ "remove_private_as", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, remove_private_as),
	  .help = "announce paths without private AS numbers" },
	{ "role", OPT_KEYWORD, EFFECT_SESSION, FIELD(conf_peer, role), GIVEN(conf_peer, role_set),
	  .words = roles, .preset_text = "none", .help = "what we are to the peer (RFC 9234)" },
	{ "bfd", OPT_BFD, EFFECT_NONE, LATER, .section = &schema_bfd, .preset_text = "false",
	  .help = "notice a dead path within milliseconds" },
	{ "graceful_shutdown", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_peer, graceful_shutdown),
	  .help = "make the peer avoid our routes (RFC 8326)" },
};
const struct section schema_peer = { "peers", peer_options, COUNT(peer_options), sizeof(struct conf_peer) };
const struct section schema_peer_group = { "peer_groups", peer_options + PEER_ONLY,
	                                   COUNT(peer_options) - PEER_ONLY, sizeof(struct conf_peer) };

/* ---- static, direct, kernel ------------------------------------------------------------------------- */
static const struct option static_options[] = {
	{ "prefix", OPT_PREFIX, EFFECT_ROUTES, FIELD(conf_static, prefix), REQUIRED, .help = "destination" },
	{ "interface", OPT_LINK, EFFECT_ROUTES, FIELD(conf_static, interface), .help = "link it is on" },
	{ "next_hop", OPT_IP, EFFECT_ROUTES, FIELD(conf_static, next_hop),
	  .help = "router behind which it is" },
	{ "onlink", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_static, onlink),
	  .help = "next_hop is on interface, whatever addresses that has" },
	{ "blackhole", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_static, blackhole),
	  .help = "packets to it are dropped" },
	{ "unreachable", OPT_BOOL, EFFECT_ROUTES, FIELD(conf_static, unreachable),
	  .help = "packets to it are refused: their senders are told" },
};
const struct section schema_static = { "static", static_options, COUNT(static_options),
	                               sizeof(struct conf_static) };

static const struct option direct_options[] = {
	{ "interfaces", OPT_PATTERNS, EFFECT_ROUTES, ARRAY(conf_direct, interfaces, n_interfaces), REQUIRED,
	  .help = "links whose prefixes are taken into the table" },
};
static const struct section schema_direct = { "direct", direct_options, COUNT(direct_options),
	                                      sizeof(struct conf_direct) };

static const struct option kernel_options[] = {
	{ "export", OPT_POLICY, EFFECT_ROUTES, FIELD(conf_kernel, export), .preset = POLICY_ALL,
	  .help = "routes that are installed" },
	{ "table", OPT_INT, EFFECT_START, FIELD(conf_kernel, table), .min = 1, .max = U32_MAX, .preset = 254,
	  .help = "routing table of the kernel" },
	{ "metric", OPT_INT, EFFECT_START, FIELD(conf_kernel, metric), .min = 1, .max = U32_MAX, .preset = 32,
	  .help = "metric of our routes" },
	{ "protocol", OPT_INT, EFFECT_START, FIELD(conf_kernel, protocol), .min = 5, .max = 255,
	  .preset = 178, .help = "protocol number of our routes" },
	{ "multipath", OPT_INT, EFFECT_ROUTES, FIELD(conf_kernel, multipath), .min = 1, .max = 256,
	  .preset = 16, .unit = "next hops", .help = "most members of an ECMP set" },
	{ "nexthop_groups", OPT_BOOL, EFFECT_START, FIELD(conf_kernel, nexthop_groups), .preset = true,
	  .help = "use the kernel's nexthop objects" },
};
const struct section schema_kernel = { "kernel", kernel_options, COUNT(kernel_options),
	                               sizeof(struct conf_kernel) };

/* ---- the file --------------------------------------------------------------------------------------- */
static const struct option root_options[] = {
	{ "router", OPT_GROUP, FIELD(conf, router), REQUIRED, .section = &schema_router,
	  .help = "who we are" },
	{ "log", OPT_GROUP, FIELD(conf, log), .section = &schema_log, .help = "what is logged" },
	{ "control", OPT_GROUP, FIELD(conf, control), .section = &schema_control,
	  .help = "the control socket" },
	{ "metrics", OPT_GROUP, LATER, .section = &schema_metrics, .help = "metrics for Prometheus" },
	{ "host", OPT_GROUP, FIELD(conf, host), .section = &schema_host, .help = "settings of the host" },
	{ "tunnels", OPT_LIST, ARRAY(conf, tunnels, n_tunnels), .section = &schema_tunnel,
	  .help = "links to make" },
	{ "prefix_sets", OPT_SET_MAP, ARRAY(conf, prefix_sets, n_prefix_sets),
	  .help = "named sets of prefixes" },
	{ "filters", OPT_FILTER_MAP, ARRAY(conf, filters, n_filters), .section = &schema_term,
	  .help = "named filters" },
	{ "peer_groups", OPT_GROUP_MAP, .section = &schema_peer_group, .help = "settings that peers share" },
	{ "peers", OPT_PEERS, ARRAY(conf, peers, n_peers), .section = &schema_peer,
	  .help = "with whom we speak" },
	{ "static", OPT_LIST, ARRAY(conf, statics, n_statics), .section = &schema_static,
	  .help = "routes of our own" },
	{ "direct", OPT_GROUP, FIELD(conf, direct), .section = &schema_direct,
	  .help = "routes of our links" },
	{ "kernel", OPT_GROUP, FIELD(conf, kernel), .section = &schema_kernel,
	  .help = "routes in the kernel" },
};
const struct section schema_root = { "mcbgpd.conf", root_options, COUNT(root_options), sizeof(struct conf) };

const struct section *const schema_sections[] = {
	&schema_router, &schema_listen, &schema_log,     &schema_control, &schema_metrics,
	&schema_host,   &schema_tunnel, &schema_wg_peer, &schema_term,    &schema_match,
	&schema_set,    &schema_peer,   &schema_bfd,     &schema_static,  &schema_direct,
	&schema_kernel, NULL,
};
