/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: routes that outlive their session: graceful restart as helper, and refreshes with a beginning and an
 * end.
 *
 * Which ends of a session leave routes in use is the session's to say (session_retains()). They stay as they
 * are for the time that the peer asked for, at most, and not as long when it turns out to be gone: the way to
 * it is, or it has taken no connection for longer than a process needs to start. Then they leave or, where
 * both sides know RFC 9494, become the last choice for a second, longer time. That one is for a peer that is
 * known to be away, so nothing shortens it but a person: where its next hops are gone too, its routes are not
 * eligible anyhow.
 *
 * Of a peer that is back, what it kept forwarding stays until its End-of-RIB; the rest leaves at once. One
 * that goes again before that does not get a second long time.
 *
 * RFC 4724 4.2; RFC 7313 4; RFC 8538; RFC 9494 4.2. */
#include <errno.h>

#include "io/peer_priv.h"

#define SECOND       UINT64_C(1000000)
#define ABSENT_US    (20 * SECOND)  /* a process that is restarted listens again by then */
#define SILENT_US    (5 * SECOND)   /* more than one SYN */
#define RESYNC_US    (360 * SECOND) /* from the new session, or BoRR, to End-of-RIB, or EoRR */
#define ALL_FAMILIES (~0u)

static void table_has_work(struct peer *p)
{
	if (p->set->env.work)
		p->set->env.work(p->set->env.ctx);
}

/* How long routes of @f are kept: what the peer asks for, within our limit. */
static struct session_keeps keeps(const struct peer *p, const struct session *s, enum family f)
{
	struct session_keeps k = session_keeps(s, f);

	if (k.long_lived > p->conf->long_lived_limit)
		k.long_lived = p->conf->long_lived_limit;
	return k;
}

/* -- for long ----------------------------------------------------------------------------------- */

static void long_lived_begin(struct peer *p, enum family f)
{
	p->long_lived |= FAM_BIT(f);
	p->long_lived_at[f] = peer_now(p) + p->long_lived_s[f] * SECOND;
	log_event(LOGL_INFO, "session.long_lived", kv_str("peer", p->conf->name),
	          kv_str("family", family_name(f)), kv_u64("seconds", p->long_lived_s[f]));
	rib_peer_long_lived(p->rib, FAM_BIT(f));
	table_has_work(p);
}

/* The peer is away, and its routes are not to be used as if it were not any longer. */
static void usual_time_ends(struct peer *p, const char *why)
{
	uint32_t usual = p->stale & ~p->long_lived, leave = 0;

	p->stale_at = 0;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!(usual & FAM_BIT(f)))
			continue;
		if (p->long_lived_s[f])
			long_lived_begin(p, f);
		else
			leave |= FAM_BIT(f);
	}
	peer_stale_end(p, leave, why);
}

/* -- begin and end ------------------------------------------------------------------------------ */

void peer_stale_begin(struct peer *p, const struct conn *c)
{
	const struct session *s = &c->session;
	uint32_t stay = p->enabled ? session_retains(s) : 0, at_once = 0;
	uint32_t usual = 0;

	p->lost_at = peer_now(p);
	p->long_lived &= stay; /* their time runs on */
	for (enum family f = 0; f < FAM_COUNT; f++) {
		struct session_keeps k = keeps(p, s, f);

		if (p->long_lived & FAM_BIT(f))
			continue;
		p->long_lived_at[f] = 0;
		p->long_lived_s[f] = k.long_lived;
		if (!(k.usual || k.long_lived))
			stay &= ~FAM_BIT(f);
		else if (k.usual)
			usual = k.usual; /* one for all families */
		else if (stay & FAM_BIT(f))
			at_once |= FAM_BIT(f);
	}
	p->stale = stay;
	p->stale_at = stay & ~p->long_lived & ~at_once ? peer_now(p) + usual * SECOND : 0;
	rib_peer_restarts(p->rib, stay);
	if (p->stale_at)
		log_event(LOGL_INFO, "session.stale", kv_str("peer", p->conf->name),
		          kv_u64("seconds", usual));
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (at_once & FAM_BIT(f))
			long_lived_begin(p, f);
}

void peer_stale_end(struct peer *p, uint32_t families, const char *why)
{
	families &= p->stale;
	if (!families)
		return;
	p->stale &= ~families;
	p->long_lived &= ~families;
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (families & FAM_BIT(f))
			p->long_lived_at[f] = 0;
	if (!p->stale)
		p->stale_at = 0;
	log_event(LOGL_INFO, "session.stale_end", kv_str("peer", p->conf->name), kv_str("why", why));
	rib_peer_stale_end(p->rib, families);
	table_has_work(p);
}

void peer_stale_check(struct peer *p, const struct conn *c)
{
	const struct caps *theirs = &c->session.theirs.caps;
	uint32_t kept = 0;

	if (theirs->graceful_restart)
		kept |= theirs->gr_forwarding & theirs->gr_families & ~p->long_lived;
	if (c->session.neg.long_lived)
		kept |= theirs->llgr_forwarding & theirs->llgr_families & p->long_lived;
	peer_stale_end(p, ~(kept & c->session.neg.families), "not kept by the peer");
	if (p->stale)
		p->stale_at = peer_now(p) + RESYNC_US;
}

uint64_t peer_stale_deadline(const struct peer *p)
{
	uint64_t first = p->stale_at;

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (p->long_lived_at[f] && (!first || p->long_lived_at[f] < first))
			first = p->long_lived_at[f];
	return first;
}

void peer_stale_tick(struct peer *p)
{
	uint64_t now = peer_now(p);

	if (p->stale_at && now >= p->stale_at && p->up)
		peer_stale_end(p, ALL_FAMILIES, "time is up");
	else if (p->stale_at && now >= p->stale_at)
		usual_time_ends(p, "time is up");
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (p->long_lived_at[f] && now >= p->long_lived_at[f])
			peer_stale_end(p, FAM_BIT(f), "the long time is up");
}

/* -- what dialling tells ------------------------------------------------------------------------ */

/* A host whose process is being restarted refuses; one that says nothing is gone, unless there is a password:
 * then a refusal is not signed, and not heard. */
static uint64_t patience(const struct peer *p, int err)
{
	return err == ETIMEDOUT && !p->secret.len ? SILENT_US : ABSENT_US;
}

void peer_stale_dialled(struct peer *p, const struct session_end *e)
{
	if (p->up || !(p->stale & ~p->long_lived) || e->kind != END_TCP)
		return;
	switch (e->tcp_error) {
	case ECONNREFUSED:
	case ETIMEDOUT:
		if (peer_now(p) - p->lost_at >= patience(p, e->tcp_error))
			usual_time_ends(p, "it takes no connections");
		break;
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		usual_time_ends(p, "it cannot be reached");
		break;
	default:
		break;
	}
}

/* -- others ------------------------------------------------------------------------------------- */

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
