/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_show.c - the FIB in words and figures. */
#include "netlink/fib_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"

#define LOGS_A_SECOND 10u

/* A broken link may fail a hundred thousand routes for one reason. */
bool fib_log_allowed(struct fib *f)
{
	uint64_t second = loop_now(f->loop) / 1000000u;

	if (second != f->log_second) {
		if (f->log_suppressed)
			log_event(LOGL_WARNING, "fib.more_refused", kv_u64("routes", f->log_suppressed));
		f->log_second = second;
		f->logged = f->log_suppressed = 0;
	}
	if (f->logged < LOGS_A_SECOND) {
		f->logged++;
		return true;
	}
	f->log_suppressed++;
	return false;
}

/* As /etc/iproute2/rt_protos has them. */
const char *fib_protocol_name(uint8_t protocol, char buf[8])
{
	static const char *const names[] = {
		[RTPROT_REDIRECT] = "redirect",
		[RTPROT_KERNEL] = "kernel",
		[RTPROT_BOOT] = "boot",
		[RTPROT_STATIC] = "static",
		[RTPROT_RA] = "ra",
		[RTPROT_ZEBRA] = "zebra",
		[RTPROT_BIRD] = "bird",
		[RTPROT_DHCP] = "dhcp",
		[RTPROT_KEEPALIVED] = "keepalived",
		[RTPROT_BABEL] = "babel",
		[RTPROT_BGP] = "bgp",
		[RTPROT_OSPF] = "ospf",
	};

	if (protocol < sizeof(names) / sizeof(names[0]) && names[protocol])
		return names[protocol];
	snprintf(buf, 8, "%u", protocol);
	return buf;
}

static const char *why_text(struct fib *f, const struct fibent *e)
{
	char name[8];

	switch ((enum why)e->why) {
	case WHY_HOPS:
		return hopset_why(f->sets, e->want);
	case WHY_OCCUPIED:
		return "another route with this prefix and metric is in the way";
	case WHY_CONFLICT:
		snprintf(f->why, sizeof(f->why),
		         "another route with this prefix and metric is in the way (proto %s)",
		         fib_protocol_name(e->detail, name));
		return f->why;
	case WHY_ERRNO:
		break;
	}
	snprintf(f->why, sizeof(f->why), "the kernel refuses the route: %s", strerror(e->detail));
	return f->why;
}

enum fib_state fib_query(const struct fib *cf, const struct prefix *p, const char **why)
{
	struct fib *f = (struct fib *)cf; /* only its scratch for text */
	int t = fib_tab(p);
	uint32_t h = fibtab_find(&f->tab[t], p);
	const struct fibent *e = h ? fibtab_at(&f->tab[t], h) : NULL;
	enum fib_state state = e ? fibent_state(e) : FIB_ABSENT;

	if (why)
		*why = state == FIB_FAILED ? why_text(f, e) : NULL;
	return state;
}

bool fib_adopted_next(const struct fib *f, uint8_t family, uint32_t *at, struct prefix *p,
                      enum fib_kind *kind, struct fib_hop *hop)
{
	const struct fibtab *tab = &f->tab[family == IP_V6];
	struct fib_hop hops[RT_HOPS_MAX];
	struct fib_route r = { .kind = FIB_UNICAST };
	const struct fibent *e;

	do {
		*at = f->adopting ? fibtab_next(tab, *at) : 0;
		if (!*at)
			return false;
		e = fibtab_at(tab, *at);
	} while (!(e->flags & ENT_ADOPTED));
	*p = fibtab_prefix(tab, e);
	*hop = (struct fib_hop){ 0 };
	if (e->have != HOPSET_UNKNOWN)
		hopset_route(f->sets, e->have, hops, &r);
	*kind = r.kind;
	if (r.n_hops)
		*hop = hops[0];
	return true;
}

void fib_stats(const struct fib *f, struct fib_stats *out)
{
	*out = f->stats;
	out->routes_installed = f->count[FIB_INSTALLED];
	out->routes_queued = f->count[FIB_QUEUED];
	out->routes_failed = f->count[FIB_FAILED];
	out->wanted[0] = f->tab[0].count;
	out->wanted[1] = f->tab[1].count;
	out->bytes = fibtab_bytes(&f->tab[0]) + fibtab_bytes(&f->tab[1]);
	hopsets_count(f->sets, &out->nexthops, &out->groups);
}

static_assert(FIB_PORTS == WRITER_BATCHES + 1, "a socket for each batch, and one for the objects");

void fib_port_ids(const struct fib *f, uint32_t ids[FIB_PORTS])
{
	ids[0] = nls_port_id(f->nl);
	writer_port_ids(f->writer, ids + 1);
}
