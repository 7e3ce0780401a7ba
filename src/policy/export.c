/* SPDX-License-Identifier: BSD-2-Clause */
/* export.c - DOC: the way out of the table, in three steps.
 *
 *  1. May this peer hear it at all? iBGP to iBGP only through a reflector (RFC 4456 6), NO_ADVERTISE and
 * NO_EXPORT (RFC 1997). What is long-lived stale is for those who know how to prefer anything to it (RFC
 * 9494).
 *  2. The operator's filter, on the attributes as they are in the table.
 *  3. What the protocol asks for: attributes that end at the AS border are dropped, our AS is prepended, the
 * next hop is set, a reflector leaves its marks. A MED that was received stays inside (RFC 4271 5.1.4); one
 * that the filter set goes out.
 *
 * It knows nothing of sessions, queues or encodings. */
#include "policy/export.h"

#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"

/** RFC 1997, RFC 3765, RFC 7999 3.2. Those that our own filter adds are for the peer, and do not count here.
 */
static const char *forbidden_by_community(const struct export_params *x, struct blob list)
{
	if (community_list_has(list, BGP_COMM_NO_ADVERTISE))
		return "community no-advertise";
	if (x->ibgp)
		return NULL;
	if (community_list_has(list, BGP_COMM_NO_EXPORT) ||
	    community_list_has(list, BGP_COMM_NO_EXPORT_SUBCONFED))
		return "community no-export";
	if (community_list_has(list, BGP_COMM_BLACKHOLE))
		return "community blackhole: packets are dropped here";
	if (x->role.set && x->role.role == BGP_ROLE_PEER && community_list_has(list, BGP_COMM_NO_PEER))
		return "community no-peer";
	return NULL;
}

static bool is_long_lived_stale(const struct attrs *a)
{
	return a->present & ATTRS_LONG_LIVED_STALE;
}

static const char *may_hear(const struct export_params *x, const struct export_source *s,
                            const struct attrs *a)
{
	if (x->policy == EXPORT_NONE)
		return "export policy is none";
	if (x->ibgp && s->ibgp && !x->rr_client && !s->rr_client)
		return "learned from iBGP, and neither side is a route reflector client";
	if (!x->ibgp && !role_may_hear(x->role, a))
		return "it is for customers only (RFC 9234)";
	if (is_long_lived_stale(a) && !x->long_lived)
		return "it is long-lived stale, and the peer does not know what that is (RFC 9494)";
	return attrs_has(a, BGP_ATTR_COMMUNITIES) ? forbidden_by_community(x, a->communities) : NULL;
}

/** Whether the session can carry @nh for routes of @f (RFC 4760 3, RFC 8950 3). */
static bool carries(const struct export_params *x, enum family f, const struct ip *nh)
{
	if (nh->family == IP_V4)
		return f == FAM_IPV4;
	return nh->family == IP_V6 && (f == FAM_IPV6 || x->ext_next_hop & FAM_BIT(f));
}

static void set_self(const struct export_params *x, enum family f, struct attrs_edit *e)
{
	attrs_edit_set_next_hop(e, &x->self[f]);
	if (x->self[f].family == IP_V6 && !ip_is_link_local(&x->self[f]))
		e->a.next_hop_ll = x->link_local;
}

/** A next hop that means something beyond the link it was heard on, and to this session. */
static bool can_keep(const struct export_params *x, enum family f, const struct ip *nh)
{
	return !ip_is_zero(nh) && carries(x, f, nh) && !(nh->family == IP_V6 && ip_is_link_local(nh));
}

/** RFC 4271 5.1.3. What the filter asked for comes first, then the session's settings, then the rule of the
 * kind of session. A link-local next hop ends at its link (RFC 2545 3). */
static const char *set_next_hop(const struct export_params *x, const struct export_source *s, uint8_t asked,
                                enum family f, struct attrs_edit *e)
{
	bool third_party = s->link && s->link == x->link; /* the peer reaches it itself, without us */
	bool self = s->source != SOURCE_BGP || (!x->ibgp && !third_party);

	if (asked == NEXT_HOP_ADDRESS) /* the filter has put it in */
		return carries(x, f, &e->a.next_hop) ? NULL : "the filter's next hop is of another family";
	if (x->next_hop_self)
		self = true;
	else if (x->next_hop_keep)
		self = false;
	if (asked != NEXT_HOP_UNSET)
		self = asked == NEXT_HOP_SELF;
	if (!self && can_keep(x, f, &e->a.next_hop)) {
		e->a.next_hop_ll = (struct ip){ 0 };
		return NULL;
	}
	if (x->self[f].family == IP_NONE)
		return "no next hop of its family on this session";
	set_self(x, f, e);
	return NULL;
}

/** RFC 4456 8: ORIGINATOR_ID names who brought the route into the AS, CLUSTER_LIST the reflectors it passed.
 */
static void mark_reflected(const struct export_params *x, const struct export_source *s, struct attrs_edit *e)
{
	struct blob old = attrs_has(&e->a, BGP_ATTR_CLUSTER_LIST) ? e->a.cluster_list : (struct blob){ 0 };
	uint8_t *list = attrs_edit_alloc(e, old.len + 4);

	if (!attrs_has(&e->a, BGP_ATTR_ORIGINATOR_ID))
		attrs_edit_set_u32(e, BGP_ATTR_ORIGINATOR_ID, s->router_id);
	if (!list)
		return;
	wr_put_u32(list, x->cluster_id);
	if (old.len)
		memcpy(list + 4, old.p, old.len);
	e->a.cluster_list = (struct blob){ list, old.len + 4 };
	e->a.present |= ATTR_BIT(BGP_ATTR_CLUSTER_LIST);
}

/** @rewrite, from the path that is there into the edit's scratch space. */
static void rewrite_path(struct attrs_edit *e, void (*rewrite)(struct blob, const void *, struct writer *),
                         const void *arg)
{
	struct blob old = e->a.as_path;
	uint8_t *room = old.len ? attrs_edit_alloc(e, old.len) : NULL;
	struct writer w;

	if (!room)
		return;
	w = wr_init(room, old.len);
	rewrite(old, arg, &w);
	if (w.bad)
		e->bad = true;
	else
		attrs_edit_set_as_path(e, (struct blob){ room, (uint32_t)(w.p - room) });
}

static void drop_private(struct blob old, const void *arg, struct writer *w)
{
	(void)arg;
	aspath_remove_private(old, w);
}

static void override_as(struct blob old, const void *arg, struct writer *w)
{
	const struct export_params *x = arg;

	aspath_replace(old, x->override_as, x->local_as, w);
}

/** RFC 8326 3: the community tells other AS, LOCAL_PREF our own. */
static void say_goodbye(const struct export_params *x, struct attrs_edit *e)
{
	community_add_value(e, BGP_COMM_GRACEFUL_SHUTDOWN);
	if (x->ibgp)
		attrs_edit_set_u32(e, BGP_ATTR_LOCAL_PREF, 0);
}

static void to_ibgp(const struct export_params *x, const struct export_source *s, struct attrs_edit *e)
{
	if (!attrs_has(&e->a, BGP_ATTR_LOCAL_PREF))
		attrs_edit_set_u32(e, BGP_ATTR_LOCAL_PREF, ATTRS_DEFAULT_LOCAL_PREF);
	if (s->ibgp)
		mark_reflected(x, s, e);
}

static void to_ebgp(const struct export_params *x, bool med_set, struct attrs_edit *e)
{
	attrs_edit_clear(e, BGP_ATTR_LOCAL_PREF);
	attrs_edit_clear(e, BGP_ATTR_ORIGINATOR_ID);
	attrs_edit_clear(e, BGP_ATTR_CLUSTER_LIST);
	if (!med_set)
		attrs_edit_clear(e, BGP_ATTR_MED);
	if (x->remove_private_as)
		rewrite_path(e, drop_private, NULL);
	if (x->override_as)
		rewrite_path(e, override_as, x);
	role_mark_out(x->role, x->local_as, e);
	attrs_edit_prepend(e, x->local_as, 1);
}

const char *export_route(const struct export_params *x, const struct export_source *s,
                         const struct prefix *prefix, struct attrs_edit *e, int *term)
{
	struct filter_result r = { .verdict = FILTER_ACCEPT, .term = -1 };
	const struct filter_route route = { prefix, s->peer, s->group, s->source };
	const char *why = may_hear(x, s, &e->a);
	bool stale = is_long_lived_stale(&e->a);

	if (term)
		*term = -1;
	if (why)
		return why;
	e->a.weight = 0; /* ours alone */
	if (!x->ibgp)
		community_drop_nontransitive(e); /* what the filter adds is meant for the peer */
	if (x->policy == EXPORT_FILTER)
		filter_run(x->filter, &route, x->local_as, e, &r);
	if (term)
		*term = r.term;
	if (r.verdict != FILTER_ACCEPT)
		return r.term < 0 ? "no term of the export filter accepts it"
		                  : "refused by the export filter";
	if (stale) /* whatever the filter made of it (RFC 9494 4.3) */
		community_add_value(e, BGP_COMM_LLGR_STALE);
	why = set_next_hop(x, s, r.next_hop, family_of(prefix), e);
	if (why && term)
		*term = -1; /* it was not the filter */
	if (why)
		return why;
	if (x->ibgp)
		to_ibgp(x, s, e);
	else
		to_ebgp(x, r.med_set, e);
	if (x->graceful_shutdown)
		say_goodbye(x, e);
	return e->bad ? "its attributes do not fit a message" : NULL;
}
