/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what a reload does to a tunnel's link.
 *
 * The table says which settings take a new link whatever their values. Beyond those the kernel changes all of
 * a tunnel in place but: of a GRE the family of its ends (another type to it), of a VXLAN the family of its
 * ends, and that it has a remote or local address at all. The tunnel folder finds that out by looking at the
 * link; this says it beforehand from two snapshots, and a test holds one against the other. */
#include "config/diff.h"
#include "config/schema.h"

/* Of the outer packets. */
static uint8_t outer_family(const struct conf_tunnel *t)
{
	if (t->remote.family != IP_NONE)
		return t->remote.family;
	return t->n_remotes ? t->remotes[0].family : t->local.family;
}

static bool is_taken_away(const struct ip *old, const struct ip *new)
{
	return old->family != IP_NONE && new->family == IP_NONE;
}

static bool vxlan_needs_new_link(const struct conf_tunnel *old, const struct conf_tunnel *new,
                                 const char *setting)
{
	bool family = outer_family(old) != outer_family(new);

	if (strcmp(setting, "remote") == 0)
		return family || is_taken_away(&old->remote, &new->remote);
	if (strcmp(setting, "local") == 0)
		return family || is_taken_away(&old->local, &new->local);
	return family && strcmp(setting, "remotes") == 0;
}

static bool needs_new_link(const struct conf_tunnel *old, const struct conf_tunnel *new, const char *setting)
{
	if (old->type != new->type)
		return false; /* that alone is why */
	switch (new->type) {
	case TUNNEL_VXLAN:
		return vxlan_needs_new_link(old, new, setting);
	case TUNNEL_GRE:
		return outer_family(old) != outer_family(new) && strcmp(setting, "remote") == 0;
	case TUNNEL_WIREGUARD:
	default:
		return false;
	}
}

static enum link_fate cost_of(const struct option *o, const struct conf_tunnel *old,
                              const struct conf_tunnel *new)
{
	if (o->effect == EFFECT_LINK_NEW)
		return LINK_REPLACED;
	if (o->effect != EFFECT_LINK)
		return LINK_KEPT;
	return needs_new_link(old, new, o->name) ? LINK_REPLACED : LINK_CHANGED;
}

enum link_fate diff_tunnel(const struct conf_tunnel *old, const struct conf_tunnel *new, diff_link_fn fn,
                           void *ctx)
{
	enum link_fate fate = LINK_KEPT;

	if (!old || !new)
		return old ? LINK_REMOVED : new ? LINK_CREATED : LINK_KEPT;
	for (size_t i = 0; i < schema_tunnel.n; i++) {
		const struct option *o = &schema_tunnel.options[i];
		enum link_fate cost;

		if (diff_setting_same(o, old, new))
			continue;
		cost = cost_of(o, old, new);
		fate = cost > fate ? cost : fate;
		if (fn)
			fn(ctx, o->name, cost);
	}
	return fate;
}
