/* SPDX-License-Identifier: BSD-2-Clause */
/* rule.c - DOC: policy rules that send a tunnel's outer packets by a table of their own (`rule_table`).
 *
 * A rule is `fwmark M lookup T`, for IPv4 and IPv6, under our protocol number and at our priority; both tell
 * ours from anybody else's. What the table holds is the host's business. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <linux/fib_rules.h>
#include <netlink/errno.h>
#include <netlink/route/rule.h>
#include <sys/socket.h>

#define RULE_PROTOCOL 178
#define RULE_PRIORITY 17800u    /* before the main table's, 32766 */
#define RETRY_US      30000000u /* between attempts at what the kernel refuses */

/* libnl's dump is of all families. */
static bool is_ours(struct rtnl_rule *r, int family)
{
	uint8_t protocol = 0;

	return rtnl_rule_get_family(r) == family && rtnl_rule_get_protocol(r, &protocol) == 0 &&
	       protocol == RULE_PROTOCOL && rtnl_rule_get_prio(r) == RULE_PRIORITY;
}

static bool is_of(struct rtnl_rule *r, const struct conf_tunnel *c)
{
	return c->rule_table && rtnl_rule_get_mark(r) == c->fwmark && rtnl_rule_get_table(r) == c->rule_table;
}

static bool has_rule(struct nl_cache *all, int family, const struct conf_tunnel *c)
{
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_rule *r = (struct rtnl_rule *)o;

		if (is_ours(r, family) && is_of(r, c))
			return true;
	}
	return false;
}

static int add_rule(struct tunnels *t, int family, const struct conf_tunnel *c)
{
	struct rtnl_rule *r = rtnl_rule_alloc();
	int rc;

	if (!r)
		return -NLE_NOMEM;
	rtnl_rule_set_family(r, family);
	rtnl_rule_set_action(r, FR_ACT_TO_TBL);
	rtnl_rule_set_protocol(r, RULE_PROTOCOL);
	rtnl_rule_set_prio(r, RULE_PRIORITY);
	rtnl_rule_set_mark(r, c->fwmark);
	rtnl_rule_set_table(r, c->rule_table);
	rc = rtnl_rule_add(t->sock, r, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_rule_put(r);
	return rc;
}

static bool is_wanted(const struct tunnels *t, struct rtnl_rule *r, bool ending)
{
	for (size_t i = 0; i < t->n; i++) {
		if (is_of(r, t->list[i].conf) && (!ending || t->list[i].conf->persist))
			return true;
	}
	return false;
}

static void remove_unwanted(struct tunnels *t, struct nl_cache *all, int family, bool ending)
{
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_rule *r = (struct rtnl_rule *)o;

		if (!is_ours(r, family) || is_wanted(t, r, ending))
			continue;
		if (rtnl_rule_delete(t->sock, r, 0) == 0)
			log_event(LOGL_INFO, "tunnel.rule_removed", kv_u64("fwmark", rtnl_rule_get_mark(r)),
			          kv_u64("table", rtnl_rule_get_table(r)));
	}
}

/* @return libnl's error, 0: none. */
static int make_rule(struct tunnels *t, int family, const struct tunnel *u)
{
	int rc = add_rule(t, family, u->conf);

	if (rc == -NLE_EXIST)
		return 0;
	if (rc < 0 && rc != t->rules_error)
		log_event(LOGL_ERROR, "tunnel.rule", kv_str("tunnel", u->name),
		          kv_u64("table", u->conf->rule_table), kv_str("error", nl_geterror(rc)));
	if (rc < 0)
		return rc;
	if (t->rules_known)
		t->rules_repaired_us = loop_clock();
	log_event(t->rules_known ? LOGL_WARNING : LOGL_INFO,
	          t->rules_known ? "tunnel.rule_restored" : "tunnel.rule_added", kv_str("tunnel", u->name),
	          kv_u64("fwmark", u->conf->fwmark), kv_u64("table", u->conf->rule_table),
	          kv_str("family", family == AF_INET ? "ipv4" : "ipv6"));
	return 0;
}

/* @return the last error of libnl; 0: none. */
static int mend_family(struct tunnels *t, int family, bool ending)
{
	struct nl_cache *all;
	int rc = rtnl_rule_alloc_cache(t->sock, family, &all), error = 0;

	if (rc < 0) {
		if (family == AF_INET6) /* a host without IPv6 needs no rules for it */
			return 0;
		if (rc != t->rules_error)
			log_event(LOGL_ERROR, "tunnel.rules", kv_str("error", nl_geterror(rc)));
		return rc;
	}
	for (size_t i = 0; i < t->n && !ending; i++) {
		const struct tunnel *u = &t->list[i];

		rc = !u->conf->rule_table || has_rule(all, family, u->conf) ? 0 : make_rule(t, family, u);
		error = rc ? rc : error;
	}
	remove_unwanted(t, all, family, ending);
	nl_cache_free(all);
	return error;
}

void tunnels_mend_rules(struct tunnels *t)
{
	int v4 = mend_family(t, AF_INET, false), v6 = mend_family(t, AF_INET6, false);

	t->rules_error = v4 ? v4 : v6;
	t->rules_known = !t->rules_error;
	t->rules_due_us = t->rules_error ? loop_clock() + RETRY_US : 0;
}

bool tunnels_want_rules(const struct tunnels *t, uint8_t protocol)
{
	for (size_t i = 0; i < t->n && protocol == RULE_PROTOCOL; i++) {
		if (t->list[i].conf->rule_table)
			return true;
	}
	return false;
}

void tunnels_remove_rules(struct tunnels *t)
{
	(void)mend_family(t, AF_INET, true);
	(void)mend_family(t, AF_INET6, true);
}
