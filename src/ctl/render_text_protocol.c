/* SPDX-License-Identifier: BSD-2-Clause */
/* render_text_protocol.c - `show protocols` in BIRD's layout: sessions, capabilities, timers, channels. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/render_text.h"
#include "lib/text.h"

void text_protocol_heading(struct render *r)
{
	text_line(r, CTL_PROTOCOL_HEADING, "%-10s %-10s %-10s %-6s %-12s  %s", "Name", "Proto", "Table",
	          "State", "Since", "Info");
}

#define DETAIL(r, ...) text_line((r), CTL_PROTOCOL_DETAIL, __VA_ARGS__)

/** "Name: value" with the value in BIRD's column, of a peer and of a channel. */
#define FIELD(r, name, format, ...)         DETAIL(r, "    %-17s " format, name ":", __VA_ARGS__)
#define CHANNEL_FIELD(r, name, format, ...) DETAIL(r, "    %-15s " format, name ":", __VA_ARGS__)

static void family_names(uint32_t families, char *buf, size_t size)
{
	struct text t = text_init(buf, size);

	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!(families & FAM_BIT(f)))
			continue;
		text_char(&t, ' ');
		text_str(&t, family_name(f));
	}
}

static void add_path_line(struct render *r, const struct caps *c, enum add_path way, const char *name)
{
	uint32_t families = 0;
	char names[64];

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (c->add_path[f] & way)
			families |= FAM_BIT(f);
	family_names(families, names, sizeof(names));
	if (families)
		DETAIL(r, "        %s:%s", name, names);
}

static void restart_capability(struct render *r, const struct caps *c)
{
	char names[64];

	if (!c->graceful_restart)
		return;
	DETAIL(r, "      Graceful restart");
	if (c->gr_families)
		DETAIL(r, "        Restart time: %u", c->gr_time);
	if (c->gr_restarting)
		DETAIL(r, "        Restart recovery");
	family_names(c->gr_families, names, sizeof(names));
	if (c->gr_families)
		DETAIL(r, "        AF supported:%s", names);
	family_names(c->gr_forwarding, names, sizeof(names));
	if (c->gr_forwarding)
		DETAIL(r, "        AF preserved:%s", names);
	if (c->gr_notification)
		DETAIL(r, "        Notification");
}

/* The longest of the families' times stands for all, as BIRD has it. */
static void long_lived_capability(struct render *r, const struct caps *c)
{
	uint32_t time = 0;
	char names[64];

	if (!c->llgr)
		return;
	for (enum family f = 0; f < FAM_COUNT; f++)
		time = c->llgr_time[f] > time ? c->llgr_time[f] : time;
	DETAIL(r, "      Long-lived graceful restart");
	if (!c->llgr_families)
		return;
	DETAIL(r, "        LL stale time: %" PRIu32, time);
	family_names(c->llgr_families, names, sizeof(names));
	DETAIL(r, "        AF supported:%s", names);
	family_names(c->llgr_forwarding, names, sizeof(names));
	if (c->llgr_forwarding)
		DETAIL(r, "        AF preserved:%s", names);
}

static void capabilities(struct render *r, const char *whose, const struct caps *c)
{
	static const char *const roles[] = { "provider", "rs_server", "rs_client", "customer", "peer" };
	bool add_path = false;
	char names[64];

	DETAIL(r, "    %s capabilities", whose);
	family_names(c->families, names, sizeof(names));
	if (c->multiprotocol) {
		DETAIL(r, "      Multiprotocol");
		DETAIL(r, "        AF announced:%s", names);
	}
	if (c->route_refresh)
		DETAIL(r, "      Route refresh");
	family_names(c->ext_next_hop, names, sizeof(names));
	if (c->ext_next_hop) {
		DETAIL(r, "      Extended next hop");
		DETAIL(r, "        IPv6 nexthop:%s", names);
	}
	if (c->ext_message)
		DETAIL(r, "      Extended message");
	restart_capability(r, c);
	if (c->as4)
		DETAIL(r, "      4-octet AS numbers");
	for (enum family f = 0; f < FAM_COUNT; f++)
		add_path |= c->add_path[f] != ADD_PATH_NONE;
	if (add_path) {
		DETAIL(r, "      ADD-PATH");
		add_path_line(r, c, ADD_PATH_RECEIVE, "RX");
		add_path_line(r, c, ADD_PATH_SEND, "TX");
	}
	if (c->enhanced_refresh)
		DETAIL(r, "      Enhanced refresh");
	long_lived_capability(r, c);
	if (c->role_set && c->role < sizeof(roles) / sizeof(roles[0]))
		DETAIL(r, "      Role: %s", roles[c->role]);
	if (c->fqdn[0])
		DETAIL(r, "      Hostname: %s", c->fqdn);
	if (c->software[0])
		DETAIL(r, "      Software version: %s", c->software);
}

/** Seconds until @us, in BIRD's "123.456". */
static char *remains(const struct render *r, uint64_t us, char *buf, size_t size)
{
	uint64_t left = us > r->clock.mono_us ? us - r->clock.mono_us : 0;

	snprintf(buf, size, "%" PRIu64 ".%03u", left / 1000000, (unsigned)(left / 1000 % 1000));
	return buf;
}

static void timer_line(struct render *r, const char *name, uint64_t us, unsigned total)
{
	char left[32] = "0.000"; /* not running */

	if (us)
		remains(r, us, left, sizeof(left));
	DETAIL(r, "    %-17s %s/%u", name, left, total);
}

static void session_details(struct render *r, const struct ctl_bgp *b)
{
	char buf[IP_STRLEN];

	FIELD(r, "Neighbor ID", "%s", text_id(b->neighbor_id, buf));
	if (b->ours)
		capabilities(r, "Local", b->ours);
	if (b->theirs)
		capabilities(r, "Neighbor", b->theirs);
	if (b->neg)
		FIELD(r, "Session", "%s%s%s%s", b->neg->ibgp ? "internal" : "external",
		      b->multihop ? " multihop" : "", b->rr_client ? " route-reflector" : "",
		      b->neg->as4 ? " AS4" : "");
	FIELD(r, "Source address", "%s", ip_print(&b->local, buf));
	timer_line(r, "Hold timer:", b->hold_us, b->hold_time);
	timer_line(r, "Keepalive timer:", b->keepalive_us, b->keepalive);
}

static const char *const missing_policy =
        "no import or export policy: nothing is taken or sent (RFC 8212); set import and export";

/* The kernel drops them without a word, and counts them for the network namespace only. */
static void md5_drops(struct render *r, const struct ctl_bgp *b)
{
	if (b->md5_wrong || b->md5_missing)
		FIELD(r, "TCP MD5",
		      "dropped here since the start, of whatever peer: %" PRIu64
		      " segments signed with another password, %" PRIu64
		      " not signed; if they are this peer's, give both ends the same password",
		      b->md5_wrong, b->md5_missing);
	if (b->md5_unexpected)
		FIELD(r, "TCP MD5",
		      "dropped here since the start, of whatever peer: %" PRIu64
		      " segments signed, where there is no password_file;"
		      " set it, or take the password away at its end",
		      b->md5_unexpected);
}

static void bgp_details(struct render *r, const struct ctl_proto *p)
{
	const struct ctl_bgp *b = p->bgp;
	char addr[IP_STRLEN], range[PREFIX_STRLEN], time[TIME_STRLEN], left[32];

	DETAIL(r, "  BGP state:          %s", render_bgp_state(p));
	if (b->is_range) {
		FIELD(r, "Neighbor range", "%s", prefix_print(&b->range, range));
		FIELD(r, "Neighbors now", "%u", b->n_dynamic);
	} else {
		FIELD(r, "Neighbor address", "%s%s%s", ip_print(&b->neighbor, addr), b->interface ? "%" : "",
		      b->interface ? b->interface : "");
	}
	if (b->port && b->port != BGP_PORT)
		FIELD(r, "Neighbor port", "%u", b->port);
	FIELD(r, "Neighbor AS", "%" PRIu32, b->neighbor_as);
	FIELD(r, "Local AS", "%" PRIu32, b->local_as);
	if (p->state == CTL_PROTO_UP && !b->is_range)
		session_details(r, b);
	else if (p->state == CTL_PROTO_START && b->retry_us)
		timer_line(r, "Connect delay:", b->retry_us, b->connect_retry);
	if (b->stale_us || b->long_lived_us[FAM_IPV4] || b->long_lived_us[FAM_IPV6])
		DETAIL(r, "    Neighbor graceful restart active");
	if (b->stale_us) {
		remains(r, b->stale_us, left, sizeof(left));
		DETAIL(r, "    %-17s %s/-", "Restart timer:", left);
	}
	if (b->last_error[0])
		FIELD(r, "Last error", "%s%s%s", b->last_error, b->last_error_us ? " since " : "",
		      render_time(r, b->last_error_us, time));
	if (b->last_attempt[0])
		FIELD(r, "Last attempt", "%s since %s", b->last_attempt,
		      render_time(r, b->last_attempt_us, time));
	md5_drops(r, b);
	if (b->refuse_us)
		FIELD(r, "Refused for", "%s s more, after too many prefixes",
		      remains(r, b->refuse_us, left, sizeof(left)));
	if (b->treated_as_withdraw || b->attrs_discarded)
		FIELD(r, "Faulty updates",
		      "%" PRIu64 " treated as withdraw, %" PRIu64 " with attributes discarded",
		      b->treated_as_withdraw, b->attrs_discarded);
	if (b->flaps)
		FIELD(r, "Sessions ended", "%u", b->flaps);
	if (b->policy_missing)
		FIELD(r, "Policy", "%s", missing_policy);
}

static const char *filter_name(const char *policy)
{
	if (!policy || strcmp(policy, "none") == 0)
		return "REJECT";
	return strcmp(policy, "all") == 0 ? "ACCEPT" : policy;
}

static void statistics(struct render *r, const struct rib_peer_stats *s)
{
	/* Withdraws may be ignored too, and are counted there. */
	uint64_t refused = s->import_rejected + s->import_filtered + s->import_ignored;

	DETAIL(r, "    Route change stats:     received   rejected   filtered    ignored   accepted");
	DETAIL(r,
	       "      Import updates:     %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
	       s->import_updates, s->import_rejected, s->import_filtered, s->import_ignored,
	       refused < s->import_updates ? s->import_updates - refused : 0);
	DETAIL(r, "      Import withdraws:   %10" PRIu64 " %10u %10s %10u %10" PRIu64, s->import_withdraws,
	       0u, "---", 0u, s->import_withdraws);
	DETAIL(r, "      Export updates:     %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10s %10" PRIu64,
	       s->export_updates, s->export_rejected, s->export_filtered, "---", s->export_accepted);
	DETAIL(r, "      Export withdraws:   %10" PRIu64 " %10s %10s %10s %10" PRIu64, s->export_withdraws,
	       "---", "---", "---", s->export_withdraws);
}

/** A family of a protocol, as BIRD's channel. */
struct channel {
	enum family family;
	bool up;
	unsigned preference;
	const char *import, *export;
	uint32_t max_prefix;
	const char *max_prefix_action;
	uint64_t long_lived_us;
	bool keeps_filtered;       /* of a peer: what is refused is kept, and counted */
	const struct ip *next_hop; /* what next hop self is; NULL: not told */
	struct rib_peer_stats stats;
};

static void channel(struct render *r, const struct channel *c)
{
	const struct rib_peer_stats *s = &c->stats;
	char left[32];
	char next_hop[IP_STRLEN];

	DETAIL(r, "  Channel %s", family_name(c->family));
	CHANNEL_FIELD(r, "State", "%s", c->up ? "UP" : "DOWN");
	CHANNEL_FIELD(r, "Table", "%s", render_table(c->family));
	CHANNEL_FIELD(r, "Preference", "%u", c->preference);
	CHANNEL_FIELD(r, "Input filter", "%s", filter_name(c->import));
	CHANNEL_FIELD(r, "Output filter", "%s", filter_name(c->export));
	if (c->max_prefix) {
		CHANNEL_FIELD(r, "Receive limit", "%" PRIu32, c->max_prefix);
		DETAIL(r, "      Action:       %s", c->max_prefix_action);
	}
	if (c->long_lived_us) {
		CHANNEL_FIELD(r, "Neighbor GR", "%s", "Long-lived");
		CHANNEL_FIELD(r, "LL stale timer", "%s/-", remains(r, c->long_lived_us, left, sizeof(left)));
	}
	if (!c->up)
		return;
	if (c->keeps_filtered)
		DETAIL(r,
		       "    Routes:         %" PRIu32 " imported, %" PRIu32 " filtered, %" PRIu32
		       " exported, %" PRIu32 " preferred",
		       s->accepted, s->filtered, s->exported, s->preferred);
	else
		DETAIL(r,
		       "    Routes:         %" PRIu32 " imported, %" PRIu32 " exported, %" PRIu32
		       " preferred",
		       s->accepted, s->exported, s->preferred);
	statistics(r, s);
	if (c->next_hop)
		CHANNEL_FIELD(r, "BGP Next hop", "%s", ip_print(c->next_hop, next_hop));
}

static bool has_family(const struct ctl_proto *p, enum family f)
{
	switch (p->kind) {
	case CTL_PROTO_BGP:
		return p->bgp && p->bgp->families & FAM_BIT(f);
	case CTL_PROTO_KERNEL:
		return p->family == f;
	case CTL_PROTO_DEVICE:
		return false;
	default:
		return f == FAM_IPV4;
	}
}

static unsigned preference(enum ctl_proto_kind k)
{
	switch (k) {
	case CTL_PROTO_BGP:
		return 100;
	case CTL_PROTO_STATIC:
		return 200;
	case CTL_PROTO_DIRECT:
		return 240;
	default:
		return 10;
	}
}

static void channels(struct render *r, const struct ctl_proto *p)
{
	for (enum family f = 0; f < FAM_COUNT; f++) {
		struct channel c = {
			.family = f,
			.up = p->state == CTL_PROTO_UP,
			.preference = preference(p->kind),
			.import = p->kind == CTL_PROTO_KERNEL ? "none" : "all",
			.keeps_filtered = p->bgp != NULL,
			.export = p->export,
		};

		if (p->rib)
			rib_peer_stats(p->rib, f, &c.stats);
		if (p->kind == CTL_PROTO_KERNEL)
			c.stats.exported = (uint32_t)p->exported;
		if (p->bgp) {
			c.up = c.up && p->bgp->neg && (p->bgp->neg->families & FAM_BIT(f));
			if (p->bgp->local.family == family_ip(f))
				c.next_hop = &p->bgp->local;
			c.import = p->bgp->import;
			c.export = p->bgp->export;
			c.long_lived_us = p->bgp->long_lived_us[f];
			c.max_prefix = p->bgp->max_prefix;
			c.max_prefix_action = p->bgp->max_prefix_action;
		}
		if (has_family(p, f) || c.stats.received)
			channel(r, &c);
	}
}

/* Why the session ended, and why there is none yet. `all` has both also while it is up. */
static void troubles(const struct render *r, const struct ctl_bgp *b, char *buf, size_t size)
{
	char refused[64] = "", left[32];
	bool both = b->last_error[0] && b->last_attempt[0];

	buf[0] = '\0';
	if (b->state == ST_ESTABLISHED)
		return;
	if (b->refuse_us)
		snprintf(refused, sizeof(refused), "; refused for %s s",
		         remains(r, b->refuse_us, left, sizeof(left)));
	snprintf(buf, size, "%s%s%s%s", b->last_error, refused, both ? "; " : "", b->last_attempt);
}

void text_protocol(struct render *r, const struct ctl_proto *p, bool all)
{
	const char *state = "", *more = "";
	char since[TIME_STRLEN], trouble[768];

	if (p->bgp) {
		state = p->state == CTL_PROTO_DOWN ? "" : render_bgp_state(p);
		troubles(r, p->bgp, trouble, sizeof(trouble));
		more = trouble;
		if (!*more && p->bgp->policy_missing)
			more = "No policy: takes and sends nothing (RFC 8212)";
	}
	text_line(r, CTL_PROTOCOL, "%-10s %-10s %-10s %-6s %-12s  %-*s%s", p->name,
	          render_proto_kind(p->kind), render_proto_table(p), render_proto_state(p->state),
	          render_time(r, p->since_us, since), *state ? 14 : 0, state, more);
	if (!all)
		return;
	if (p->description)
		DETAIL(r, "  Description:    %s", p->description);
	if (p->bgp)
		bgp_details(r, p);
	channels(r, p);
	DETAIL(r, "%s", "");
}
