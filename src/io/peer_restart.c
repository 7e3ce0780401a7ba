/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: routes that outlive their session: graceful restart as helper, and refreshes with a beginning and an
 * end.
 *
 * Which ends of a session leave routes in use is the session's to say (session_retains()). They stay for the
 * time that the peer asked for, at most, and leave earlier when it turns out to be gone: the way to it is,
 * or it has taken no connection for longer than a process needs to start.
 * Of a peer that is back, what it kept forwarding stays until its End-of-RIB; the rest leaves at once.
 *
 * RFC 4724 4.2; RFC 7313 4; RFC 8538. */
#include <errno.h>

#include "io/peer_priv.h"

#define SECOND       UINT64_C(1000000)
#define ABSENT_US    (20 * SECOND)  /* a process that is restarted listens again by then */
#define SILENT_US    (5 * SECOND)   /* more than one SYN */
#define RESYNC_US    (360 * SECOND) /* from the new session, or BoRR, to End-of-RIB, or EoRR */
#define ALL_FAMILIES (~0u)

uint32_t peer_stale_begin(struct peer *p, const struct conn *c)
{
	const struct session *s = &c->session;
	uint32_t families = p->enabled ? session_retains(s) : 0;

	p->stale = families;
	p->stale_at = families ? peer_now(p) + s->theirs.caps.gr_time * SECOND : 0;
	p->lost_at = peer_now(p);
	if (families)
		log_event(LOGL_INFO, "session.stale", kv_str("peer", p->conf->name),
		          kv_u64("seconds", s->theirs.caps.gr_time));
	return families;
}

void peer_stale_end(struct peer *p, uint32_t families, const char *why)
{
	families &= p->stale;
	if (!families)
		return;
	p->stale &= ~families;
	if (!p->stale)
		p->stale_at = 0;
	log_event(LOGL_INFO, "session.stale_end", kv_str("peer", p->conf->name), kv_str("why", why));
	rib_peer_stale_end(p->rib, families);
	if (p->set->env.work)
		p->set->env.work(p->set->env.ctx);
}

void peer_stale_check(struct peer *p, const struct conn *c)
{
	const struct caps *theirs = &c->session.theirs.caps;
	uint32_t kept = theirs->graceful_restart ? theirs->gr_forwarding & theirs->gr_families : 0;

	peer_stale_end(p, ~(kept & c->session.neg.families), "not kept by the peer");
	if (p->stale)
		p->stale_at = peer_now(p) + RESYNC_US;
}

/* A host whose process is being restarted refuses; one that says nothing is gone, unless there is a password:
 * then a refusal is not signed, and not heard. */
static uint64_t patience(const struct peer *p, int err)
{
	return err == ETIMEDOUT && !p->secret.len ? SILENT_US : ABSENT_US;
}

void peer_stale_dialled(struct peer *p, const struct session_end *e)
{
	if (p->up || !p->stale || e->kind != END_TCP)
		return;
	switch (e->tcp_error) {
	case ECONNREFUSED:
	case ETIMEDOUT:
		if (peer_now(p) - p->lost_at >= patience(p, e->tcp_error))
			peer_stale_end(p, ALL_FAMILIES, "it takes no connections");
		break;
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		peer_stale_end(p, ALL_FAMILIES, "it cannot be reached");
		break;
	default:
		break;
	}
}

void peer_refresh_begin(struct peer *p, enum family f)
{
	rib_peer_stale_begin(p->rib, f);
	p->stale |= FAM_BIT(f);
	p->stale_at = peer_now(p) + RESYNC_US;
}

bool peer_keeps_our_routes(const struct peer *p)
{
	const struct session *s = p->up ? &p->up->session : NULL;

	return s && s->ours.caps.graceful_restart && s->theirs.caps.graceful_restart;
}
