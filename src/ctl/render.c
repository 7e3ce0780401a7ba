/* SPDX-License-Identifier: BSD-2-Clause */
/* render.c - the words that text and JSON share. */
#include "ctl/render.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S UINT64_C(1000000)

void render_refuse(struct render *r, enum ctl_code code, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->ops->end(r, code, text);
}

/** @us on the wall clock: seconds, and the milliseconds behind them. */
static time_t wall(const struct render *r, uint64_t us, unsigned *ms)
{
	int64_t at = r->clock.wall_us - (int64_t)(r->clock.mono_us - us);

	if (at < 0)
		at = 0;
	*ms = (unsigned)(at / 1000 % 1000);
	return (time_t)(at / 1000000);
}

char *render_time(const struct render *r, uint64_t us, char *buf)
{
	const int64_t day = 20 * 3600; /* seconds: until then BIRD shows the time, not the date */
	struct tm tm;
	unsigned ms;
	time_t at;

	buf[0] = '\0';
	if (!us)
		return buf;
	at = wall(r, us, &ms);
	localtime_r(&at, &tm);
	if ((int64_t)(r->clock.mono_us - us) / (int64_t)US_PER_S >= day) {
		strftime(buf, TIME_STRLEN, "%Y-%m-%d", &tm);
		return buf;
	}
	strftime(buf, TIME_STRLEN, "%H:%M:%S", &tm);
	snprintf(buf + strlen(buf), 5, ".%03u", ms);
	return buf;
}

char *render_date(const struct render *r, uint64_t us, char *buf)
{
	unsigned ms;
	time_t at = wall(r, us, &ms);
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(buf, TIME_STRLEN, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + strlen(buf), 5, ".%03u", ms);
	return buf;
}

const char *render_proto_kind(enum ctl_proto_kind k)
{
	static const char *const names[] = {
		[CTL_PROTO_DEVICE] = "Device", [CTL_PROTO_DIRECT] = "Direct", [CTL_PROTO_KERNEL] = "Kernel",
		[CTL_PROTO_STATIC] = "Static", [CTL_PROTO_BGP] = "BGP",
	};

	return names[k];
}

const char *render_proto_state(enum ctl_proto_state s)
{
	static const char *const names[] = {
		[CTL_PROTO_DOWN] = "down",
		[CTL_PROTO_START] = "start",
		[CTL_PROTO_UP] = "up",
		[CTL_PROTO_STOP] = "stop",
	};

	return names[s];
}

const char *render_bgp_state(const struct ctl_proto *p)
{
	if (p->state == CTL_PROTO_DOWN)
		return "Down";
	if (p->bgp->passive && p->bgp->state <= ST_ACTIVE)
		return "Passive";
	return bgp_state_name(p->bgp->state);
}

const char *render_table(enum family f)
{
	return f == FAM_IPV6 ? "master6" : "master4";
}

const char *render_proto_table(const struct ctl_proto *p)
{
	bool has_one = p->kind == CTL_PROTO_KERNEL || p->kind == CTL_PROTO_STATIC;

	return has_one ? render_table(p->family) : "---";
}

const char *render_tunnel_state(const struct ctl_tunnel *t)
{
	static const char *const names[] = {
		[CTL_TUNNEL_DOWN] = "down",
		[CTL_TUNNEL_UP] = "up",
		[CTL_TUNNEL_ERROR] = "error",
	};

	return names[t->state];
}

const char *render_fib_state(enum ctl_fib_state s)
{
	static const char *const names[] = {
		[CTL_FIB_ABSENT] = "absent",
		[CTL_FIB_QUEUED] = "queued",
		[CTL_FIB_INSTALLED] = "installed",
		[CTL_FIB_FAILED] = "failed",
	};

	return names[s];
}

const char *render_origin(uint8_t origin)
{
	static const char *const names[] = {
		[BGP_ORIGIN_IGP] = "IGP",
		[BGP_ORIGIN_EGP] = "EGP",
		[BGP_ORIGIN_INCOMPLETE] = "Incomplete",
	};

	return origin <= BGP_ORIGIN_INCOMPLETE ? names[origin] : "?";
}

char *render_lladdr(const struct ctl_neighbor *n, char *buf)
{
	buf[0] = '\0';
	for (size_t i = 0; n->lladdr && i < n->lladdr_len && 3 * i + 3 < LLADDR_STRLEN; i++)
		snprintf(buf + 3 * i - (i > 0), 4, "%s%02x", i ? ":" : "", n->lladdr[i]);
	return buf;
}

unsigned render_preference(const struct rib_path_view *v)
{
	switch (rib_peer_conf(v->peer)->source) {
	case SOURCE_STATIC:
		return 200;
	case SOURCE_DIRECT:
		return 240;
	case SOURCE_BGP:
		break;
	}
	return 100;
}

/* The host has no route to @nh; our own table may have one that is no way either. */
static void no_route(const struct rib *rib, const struct nexthop *nh, char *buf, size_t size)
{
	char addr[IP_STRLEN], by[PREFIX_STRLEN];
	struct prefix way;

	ip_print(&nh->addr, addr);
	if (!rib_match(rib, &nh->addr, false, &way))
		snprintf(buf, size, "next hop %s: %s", addr, nexthop_why_text(nh->why));
	else
		snprintf(buf, size, "next hop %s: no route to it but %s by BGP, %s", addr,
		         prefix_print(&way, by),
		         rib_match(rib, &nh->addr, true, &way)
		                 ? "whose own next hop is not on a link or behind a route of the host"
		                 : "which is not usable itself");
}

const char *render_not_eligible(const struct render *r, const struct rib_path_view *v, char *buf, size_t size)
{
	char addr[IP_STRLEN];

	if (v->eligible || !v->attrs)
		return NULL;
	if (v->nexthop && v->nexthop->why == NH_NO_ROUTE)
		no_route(r->backend->rib, v->nexthop, buf, size);
	else if (v->nexthop && v->nexthop->why != NH_OK)
		snprintf(buf, size, "next hop %s: %s", ip_print(&v->nexthop->addr, addr),
		         nexthop_why_text(v->nexthop->why));
	else if (v->circular)
		snprintf(buf, size, "next hop %s: it lies behind this very route",
		         ip_print(&v->nexthop->addr, addr));
	else if (!v->nexthop && v->kind == RIB_UNICAST)
		snprintf(buf, size, "its link is not there or down");
	else
		snprintf(buf, size, "its session has ended");
	return buf;
}

const char *render_refused(const struct rib_path_view *v, char *buf, size_t size)
{
	const struct rib_peer_conf *c = rib_peer_conf(v->peer);
	const char *filter = c->import_filter ? c->import_filter->name : "?";

	if (v->attrs)
		return NULL;
	if (v->filter_term >= 0)
		snprintf(buf, size, "term %d of import filter %s rejects it", v->filter_term + 1, filter);
	else if (v->filter_term == -1)
		snprintf(buf, size, "no term of import filter %s accepts it", filter);
	else
		snprintf(buf, size, "%s", rib_refused_text(v->filter_term));
	return buf;
}

const char *render_withheld(const struct route_item *i, char *buf, size_t size)
{
	const struct filter *f = i->toward ? i->toward->export_filter : NULL;

	if (!i->toward || !i->export.withheld)
		return NULL;
	if (f && i->export.term >= 0)
		snprintf(buf, size, "%s (%s, term %d)", i->export.withheld, f->name, i->export.term + 1);
	else
		snprintf(buf, size, "%s", i->export.withheld);
	return buf;
}
