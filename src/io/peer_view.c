/* SPDX-License-Identifier: BSD-2-Clause */
/* peer_view.c - what `show protocols` and the metrics see of peers. */
#include "io/peer_priv.h"

#include <string.h>

struct peer *peers_first(struct peers *ps)
{
	return TAILQ_FIRST(&ps->list);
}

struct peer *peers_next(struct peers *ps, struct peer *p)
{
	(void)ps;
	return TAILQ_NEXT(p, by_order);
}

struct peer *peers_find(struct peers *ps, const char *name)
{
	struct peer *p, *dynamic = NULL;

	TAILQ_FOREACH (p, &ps->list, by_order) {
		if (strcmp(p->conf->name, name) != 0)
			continue;
		if (!p->range)
			return p;
		dynamic = p;
	}
	return dynamic;
}

static bool policy_missing(const struct conf_peer *c)
{
	bool unset = c->import.kind == POLICY_UNSET || c->export.kind == POLICY_UNSET;

	return unset && c->local_as != c->remote_as;
}

static const struct conn *furthest(const struct peer *p)
{
	if (p->conf->is_range)
		return NULL;
	return p->accepted.session.state > p->dialled.session.state ? &p->accepted : &p->dialled;
}

void peer_view(const struct peer *p, struct peer_view *out)
{
	const struct conn *c = furthest(p);
	const struct session_counters *one = &p->dialled.session.count, *other = &p->accepted.session.count;

	*out = (struct peer_view){
		.conf = p->conf,
		.name = p->conf->name,
		.address = p->conf->address,
		.rib = p->rib,
		.enabled = p->enabled,
		.is_range = p->conf->is_range,
		.dynamic = p->range,
		.synced = p->synced,
		.n_dynamic = p->n_dynamic,
		.state = p->shown,
		.last_end = &p->last_end,
		.last_end_at = p->last_end_at,
		.last_attempt = &p->last_attempt,
		.last_attempt_at = p->last_attempt_at,
		.since = p->since,
		.retry_at = p->start_at,
		.flaps = p->flaps,
		.stale_at = p->stale_at,
		.long_lived_at = { p->long_lived_at[FAM_IPV4], p->long_lived_at[FAM_IPV6] },
		.refuse_until = p->refuse_until > peer_now(p) ? p->refuse_until : 0,
		.treated_as_withdraw = one->treated_as_withdraw + other->treated_as_withdraw,
		.attrs_discarded = one->attrs_discarded + other->attrs_discarded,
		.policy_missing = policy_missing(p->conf),
	};
	if (!c)
		return;
	if (!out->retry_at)
		out->retry_at = c->session.retry_at;
	out->session = &c->session;
	out->local = c->ends.local;
	out->remote = c->ends.remote;
	out->local_port = c->ends.local_port;
	out->remote_port = c->ends.remote_port;
}
