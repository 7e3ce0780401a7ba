/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what the configuration says of a peer -> what its sessions, its sockets and the table are told.
 *
 * RFC 8212: an external peer without a policy exchanges nothing. RFC 2385: the password of a peer is read
 * from its file whenever the configuration comes into force; a file that cannot be used stops the peer rather
 * than let it go without. RFC 5082: with TTL security the peer is as near as `multihop` says, or gone. */
#include <errno.h>
#include <stdlib.h>

#include "io/peer_priv.h"
#include "mcbgp/bgp.h"

/* -- settings ----------------------------------------------------------------------------------- */

static bool is_ebgp(const struct conf_peer *c)
{
	return c->local_as != c->remote_as;
}

uint8_t peer_hops(const struct peer *p)
{
	if (p->conf->multihop)
		return p->conf->multihop;
	return is_ebgp(p->conf) || p->conf->ttl_security ? 1 : 64;
}

uint8_t peer_ttl(const struct peer *p)
{
	return p->conf->ttl_security ? UINT8_MAX : peer_hops(p);
}

uint8_t peer_min_ttl(const struct peer *p)
{
	return p->conf->ttl_security ? (uint8_t)(UINT8_MAX + 1 - peer_hops(p)) : 0;
}

static enum rib_policy policy_of(const struct conf_peer *c, const struct conf_policy *policy)
{
	switch (policy->kind) {
	case POLICY_ALL:
		return RIB_POLICY_ALL;
	case POLICY_FILTER:
		return RIB_POLICY_FILTER;
	case POLICY_UNSET:
		return is_ebgp(c) ? RIB_POLICY_NONE : RIB_POLICY_ALL;
	default:
		return RIB_POLICY_NONE;
	}
}

struct rib_peer_conf peer_rib_conf(const struct conf_peer *c)
{
	return (struct rib_peer_conf){
		.name = c->name,
		.group = c->group,
		.address = c->address,
		.source = SOURCE_BGP,
		.local_as = c->local_as,
		.remote_as = c->remote_as,
		.import = policy_of(c, &c->import),
		.export = policy_of(c, &c->export),
		.import_filter = c->import.filter,
		.export_filter = c->export.filter,
		.next_hop_self = c->next_hop_self,
		.next_hop_keep = c->next_hop_keep,
		.rr_client = c->route_reflector_client,
		.enforce_first_as = c->enforce_first_as,
		.allow_own_as = c->allow_own_as,
		.as_override = c->as_override,
		.remove_private_as = c->remove_private_as,
		.graceful_shutdown = c->graceful_shutdown,
		.role = { c->role_set, c->role },
		.max_prefix = c->max_prefix,
	};
}

static uint8_t add_path_of(const struct conf_peer *c, enum family f)
{
	return c->families & FAM_BIT(f) ? c->add_path : ADD_PATH_NONE;
}

/* RFC 8950: where sessions run over IPv6, IPv4 routes may have no other next hop. */
static bool offers_ext_next_hop(const struct conf_peer *c)
{
	uint8_t transport = c->is_range ? c->range.addr.family : c->address.family;

	return transport == IP_V6 && c->families & FAM_BIT(FAM_IPV4);
}

void peer_set_offer(struct peer *p)
{
	const struct conf_peer *c = p->conf;
	bool restarting = p->set->restarting;
	/* The kernel forwards on, whether we or the session alone were away. */
	uint32_t kept = restarting || p->flaps ? c->families : 0;
	/* Without a time of our own we still say that we know what to do with theirs (RFC 9494 3.1). */
	uint32_t long_lived = c->graceful_restart && c->long_lived_time ? c->families : 0;

	p->session_conf = (struct session_conf){
		.local_as = c->local_as,
		.remote_as = c->remote_as,
		.local_id = p->set->conf->router.id,
		.hold_time = c->hold_time,
		.keepalive = c->keepalive,
		.connect_retry = c->connect_retry,
		.send_hold_time = c->send_hold_time,
		.passive = c->passive,
		.silence_is_restart = c->graceful_restart_on_silence,
		.caps = {
			.families = c->families,
			.ext_next_hop = offers_ext_next_hop(c) ? FAM_BIT(FAM_IPV4) : 0,
			.multiprotocol = true,
			.role_set = c->role_set,
			.role = c->role,
			.route_refresh = true,
			.enhanced_refresh = true,
			.as4 = true,
			.ext_message = true,
			.add_path = { [FAM_IPV4] = add_path_of(c, FAM_IPV4),
			              [FAM_IPV6] = add_path_of(c, FAM_IPV6) },
			.graceful_restart = c->graceful_restart,
			.gr_restarting = restarting,
			.gr_notification = true,
			.gr_time = c->restart_time,
			.gr_families = c->families,
			.gr_forwarding = kept,
			.llgr = c->graceful_restart,
			.llgr_families = long_lived,
			.llgr_forwarding = long_lived & kept,
			.llgr_time = { c->long_lived_time, c->long_lived_time },
		},
	};
	if (p->refused.code)
		caps_without(&p->session_conf.caps, &p->refused);
}

/* A lower one counts for what is there already (peer_review() sees to it); a higher one is a reason to try
 * again. */
static void limit_changed(struct peer *p, uint32_t was)
{
	uint32_t is = p->conf->max_prefix;

	p->warned = false;
	if (p->up && rib_peer_over_limit(p->rib))
		p->trouble = RIB_MAX_PREFIX;
	else if (!is || (was && is > was))
		p->refuse_until = 0;
}

void peer_set_conf(struct peer *p, const struct conf_peer *conf)
{
	uint32_t limit = p->conf->max_prefix;
	struct rib_peer_conf rc;

	if (p->range) {
		char *name = p->own.name;
		struct ip address = p->own.address;

		p->own = *conf;
		p->own.name = name;
		p->own.address = address;
		p->own.interface = p->link[0] ? p->link : conf->interface;
		p->own.is_range = false;
		p->own.passive = true;
		conf = &p->own;
	}
	p->conf = conf;
	peer_set_offer(p);
	rc = peer_rib_conf(conf);
	if (p->rib)
		rib_peer_reconfigure(p->rib, &rc);
	if (conf->max_prefix != limit)
		limit_changed(p, limit);
}

/* -- the password ------------------------------------------------------------------------------- */

static struct prefix whereabouts(const struct conf_peer *c)
{
	return c->is_range ? c->range : prefix_make(&c->address, ip_bits(c->address.family));
}

static int load_secret(const struct conf_peer *c, struct secret *out)
{
	int rc;

	*out = (struct secret){ 0 };
	if (!c->password_file)
		return 0;
	rc = secret_load(c->password_file, out);
	if (rc < 0)
		log_event(LOGL_ERROR, "peer.password", kv_str("peer", c->name),
		          kv_str("file", c->password_file), kv_errno("error", rc),
		          kv_str("effect", "no session"), kv_str("mend", secret_mend(rc)));
	return rc;
}

/* `show protocols` says why there is no session. */
static void note_secret(struct peer *p)
{
	if (p->secret_error) {
		p->last_attempt =
		        (struct session_end){ .kind = END_PASSWORD, .detail = secret_mend(p->secret_error) };
		p->last_attempt_at = peer_now(p);
	} else if (p->last_attempt.kind == END_PASSWORD) {
		p->last_attempt.kind = END_NONE;
	}
}

void peer_forget_secret(struct peer *p)
{
	listeners_unsign(p->set->listeners, p);
	secret_wipe(&p->secret);
}

bool peer_load_secret(struct peer *p, const struct conf_peer *conf)
{
	const struct listen_key key = { whereabouts(conf), conf->local_address, &p->secret };
	int before = p->secret_error;
	struct secret secret;
	bool same;

	if (p->range) /* what its range accepts is signed already */
		return false;
	p->secret_error = load_secret(conf, &secret);
	note_secret(p);
	same = secret_equal(&secret, &p->secret) && p->secret_error == before;
	p->secret = secret;
	secret_wipe(&secret);
	if (!p->secret.len)
		listeners_unsign(p->set->listeners, p);
	else if (listeners_sign(p->set->listeners, p, &key) < 0)
		p->secret_error = -ENOMEM;
	return !same;
}

bool peer_lacks_secret(const struct peer *p)
{
	return (p->range ? p->range : p)->secret_error;
}
