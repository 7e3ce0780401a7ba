/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json_protocol.c - `show protocols` in JSON. */
#include "ctl/json_value.h"

static void set_families(struct render *r, json_t *o, const char *key, uint32_t families)
{
	json_t *names = json_set_array(r, o, key);

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (families & FAM_BIT(f))
			json_add_str(r, names, family_name(f));
}

static uint32_t add_path_families(const struct caps *c, enum add_path way)
{
	uint32_t families = 0;

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (c->add_path[f] & way)
			families |= FAM_BIT(f);
	return families;
}

static void set_long_lived_times(struct render *r, json_t *parent, const struct caps *c)
{
	json_t *o = json_set_object(r, parent, "long_lived_time_s");

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (c->llgr_families & FAM_BIT(f))
			json_set_int(r, o, family_name(f), c->llgr_time[f]);
}

static void set_caps(struct render *r, json_t *parent, const char *key, const struct caps *c)
{
	json_t *o;

	if (!c)
		return;
	o = json_set_object(r, parent, key);
	set_families(r, o, "families", c->families);
	json_set_bool(r, o, "route_refresh", c->route_refresh);
	json_set_bool(r, o, "enhanced_refresh", c->enhanced_refresh);
	json_set_bool(r, o, "as4", c->as4);
	json_set_bool(r, o, "extended_message", c->ext_message);
	set_families(r, o, "extended_next_hop", c->ext_next_hop);
	set_families(r, o, "add_path_receive", add_path_families(c, ADD_PATH_RECEIVE));
	set_families(r, o, "add_path_send", add_path_families(c, ADD_PATH_SEND));
	json_set_bool(r, o, "graceful_restart", c->graceful_restart);
	if (c->graceful_restart)
		json_set_int(r, o, "restart_time_s", c->gr_time);
	json_set_bool(r, o, "long_lived_graceful_restart", c->llgr);
	if (c->llgr_families)
		set_long_lived_times(r, o, c);
	if (c->role_set)
		json_set_int(r, o, "role", c->role);
	json_set_str(r, o, "hostname", c->fqdn);
	json_set_str(r, o, "software", c->software);
}

static void set_timers(struct render *r, json_t *parent, const struct ctl_bgp *b)
{
	json_t *o = json_set_object(r, parent, "timers");

	json_set_int(r, o, "hold_s", b->hold_time);
	json_set_left(r, o, "hold_left_s", b->hold_us);
	json_set_int(r, o, "keepalive_s", b->keepalive);
	json_set_left(r, o, "keepalive_left_s", b->keepalive_us);
	json_set_int(r, o, "connect_retry_s", b->connect_retry);
	json_set_left(r, o, "connect_retry_left_s", b->retry_us);
}

static void set_md5_drops(struct render *r, json_t *parent, const struct ctl_bgp *b)
{
	json_t *o;

	if (!b->md5_wrong && !b->md5_missing && !b->md5_unexpected)
		return;
	o = json_set_object(r, parent, "md5_dropped");
	json_set_int(r, o, "wrong", b->md5_wrong);
	json_set_int(r, o, "missing", b->md5_missing);
	json_set_int(r, o, "unexpected", b->md5_unexpected);
}

static void set_bgp(struct render *r, json_t *o, const struct ctl_proto *p, bool all)
{
	const struct ctl_bgp *b = p->bgp;
	char range[PREFIX_STRLEN];

	json_set_str(r, o, "bgp_state", render_bgp_state(p));
	if (b->is_range) {
		json_set_str(r, o, "neighbor_range", prefix_print(&b->range, range));
		json_set_int(r, o, "neighbors", b->n_dynamic);
	}
	json_set_ip(r, o, "neighbor_address", &b->neighbor);
	json_set_int(r, o, "neighbor_as", b->neighbor_as);
	json_set_int(r, o, "local_as", b->local_as);
	json_set_str(r, o, "last_error", b->last_error);
	json_set_str(r, o, "last_attempt", b->last_attempt);
	json_set_bool(r, o, "policy_missing", b->policy_missing);
	if (!all)
		return;
	json_set_int(r, o, "neighbor_port", b->neighbor_port);
	if (b->neighbor_id)
		json_set_id(r, o, "neighbor_id", b->neighbor_id);
	json_set_ip(r, o, "local_address", &b->local);
	json_set_str(r, o, "interface", b->interface);
	json_set_bool(r, o, "passive", b->passive);
	json_set_time(r, o, "last_error_at", b->last_error_us);
	json_set_time(r, o, "last_attempt_at", b->last_attempt_us);
	json_set_int(r, o, "sessions_ended", b->flaps);
	if (b->refuse_us)
		json_set_time(r, o, "refused_until", b->refuse_us);
	json_set_int(r, o, "updates_treated_as_withdraw", b->treated_as_withdraw);
	json_set_int(r, o, "updates_with_attributes_discarded", b->attrs_discarded);
	set_md5_drops(r, o, b);
	if (b->stale_us)
		json_set_time(r, o, "stale_until", b->stale_us);
	if (b->long_lived_us[FAM_IPV4])
		json_set_time(r, o, "long_lived_until_ipv4", b->long_lived_us[FAM_IPV4]);
	if (b->long_lived_us[FAM_IPV6])
		json_set_time(r, o, "long_lived_until_ipv6", b->long_lived_us[FAM_IPV6]);
	set_caps(r, o, "local_capabilities", b->ours);
	set_caps(r, o, "neighbor_capabilities", b->theirs);
	if (b->neg) {
		json_set_str(r, o, "session", b->neg->ibgp ? "internal" : "external");
		set_families(r, o, "negotiated_families", b->neg->families);
	}
	set_timers(r, o, b);
	json_set_str(r, o, "import", b->import);
	if (b->max_prefix) {
		json_set_int(r, o, "max_prefix", b->max_prefix);
		json_set_str(r, o, "max_prefix_action", b->max_prefix_action);
	}
}

static void set_routes(struct render *r, json_t *parent, const struct rib_peer *rib)
{
	json_t *all = json_set_object(r, parent, "routes");

	for (enum family f = 0; f < FAM_COUNT; f++) {
		json_t *o = json_set_object(r, all, family_name(f));
		struct rib_peer_stats s;

		rib_peer_stats(rib, f, &s);
		json_set_int(r, o, "received", s.received);
		json_set_int(r, o, "accepted", s.accepted);
		json_set_int(r, o, "filtered", s.filtered);
		json_set_int(r, o, "preferred", s.preferred);
		json_set_int(r, o, "exported", s.exported);
		json_set_int(r, o, "import_updates", s.import_updates);
		json_set_int(r, o, "import_withdraws", s.import_withdraws);
		json_set_int(r, o, "import_rejected", s.import_rejected);
		json_set_int(r, o, "import_filtered", s.import_filtered);
		json_set_int(r, o, "import_ignored", s.import_ignored);
		json_set_int(r, o, "export_updates", s.export_updates);
		json_set_int(r, o, "export_withdraws", s.export_withdraws);
		json_set_int(r, o, "export_rejected", s.export_rejected);
		json_set_int(r, o, "export_filtered", s.export_filtered);
		json_set_int(r, o, "export_accepted", s.export_accepted);
	}
}

void json_protocol(struct render *r, const struct ctl_proto *p, bool all)
{
	json_t *o = json_object();

	json_set_str(r, o, "name", p->name);
	json_set_str(r, o, "protocol", render_proto_kind(p->kind));
	json_set_str(r, o, "table", render_proto_table(p));
	json_set_str(r, o, "state", render_proto_state(p->state));
	json_set_time(r, o, "since", p->since_us);
	json_set_str(r, o, "description", p->description);
	if (p->bgp)
		set_bgp(r, o, p, all);
	if (p->kind == CTL_PROTO_KERNEL)
		json_set_int(r, o, "exported", p->exported);
	if (all && (p->bgp || p->kind == CTL_PROTO_KERNEL))
		json_set_str(r, o, "export", p->bgp ? p->bgp->export : p->export);
	if (all && p->rib)
		set_routes(r, o, p->rib);
	json_emit(r, o);
}
