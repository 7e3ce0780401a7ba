/* SPDX-License-Identifier: BSD-2-Clause */
/* peer_command.c - what an operator may ask of a peer. A range stands for the peers that it holds. */
#include "io/peer_priv.h"
#include "mcbgp/bgp.h"

bool peer_enable(struct peer *p)
{
	if (p->enabled)
		return false;
	p->enabled = true;
	log_event(LOGL_INFO, "peer.enabled", kv_str("peer", p->conf->name));
	peer_start(p);
	return true;
}

static void stop_with_text(struct peer *p, uint8_t subcode, const char *text)
{
	struct notify n;
	struct peer *q;

	notify_set_shutdown(&n, subcode, text);
	peer_stop(p, &n, END_OPERATOR, NULL);
	for (q = TAILQ_NEXT(p, by_order); q && q->range == p; q = TAILQ_NEXT(q, by_order))
		peer_stop(q, &n, END_OPERATOR, NULL);
}

bool peer_disable(struct peer *p, const char *text)
{
	if (!p->enabled)
		return false;
	p->enabled = false;
	log_event(LOGL_INFO, "peer.disabled", kv_str("peer", p->conf->name), kv_str("text", text));
	stop_with_text(p, BGP_CEASE_ADMIN_SHUTDOWN, text);
	peer_review(p);
	return true;
}

void peer_restart(struct peer *p, const char *text)
{
	if (!p->enabled)
		return;
	stop_with_text(p, BGP_CEASE_ADMIN_RESET, text);
	peer_start(p);
}

static void reload_in(struct peer *p)
{
	const struct rib_peer_conf rc = peer_rib_conf(p->conf);
	bool asked = false;

	for (enum family f = 0; p->up && f < FAM_COUNT; f++)
		asked |= session_ask_refresh(&p->up->session, f);
	if (asked)
		peers_queue_output(p->set, p);
	else
		rib_peer_reconfigure(p->rib, &rc);
}

void peer_reload(struct peer *p, bool in, bool out)
{
	if (p->conf->is_range)
		return;
	if (in)
		reload_in(p);
	for (enum family f = 0; out && p->up && f < FAM_COUNT; f++) {
		if (p->up->session.neg.families & FAM_BIT(f))
			rib_peer_refresh(p->rib, f);
	}
	if (p->set->env.work)
		p->set->env.work(p->set->env.ctx);
}
