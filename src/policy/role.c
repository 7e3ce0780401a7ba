/* SPDX-License-Identifier: BSD-2-Clause */
/* role.c - see the header. The names of roles are ours: with BGP_ROLE_PROVIDER the peer is our customer. */
#include "policy/role.h"

#include "mcbgp/bgp.h"

/** The peer is our customer, or the client of our route server. */
static bool is_above(struct peer_role r)
{
	return r.set && (r.role == BGP_ROLE_PROVIDER || r.role == BGP_ROLE_RS);
}

static bool is_level(struct peer_role r)
{
	return r.set && r.role == BGP_ROLE_PEER;
}

static bool is_below(struct peer_role r)
{
	return r.set && (r.role == BGP_ROLE_CUSTOMER || r.role == BGP_ROLE_RS_CLIENT);
}

bool role_is_leak(struct peer_role r, uint32_t remote_as, const struct attrs *a)
{
	if (!attrs_has(a, BGP_ATTR_OTC))
		return false;
	return is_above(r) || (is_level(r) && a->otc != remote_as);
}

bool role_mark_in(struct peer_role r, uint32_t remote_as, struct attrs_edit *e)
{
	if (attrs_has(&e->a, BGP_ATTR_OTC) || !(is_below(r) || is_level(r)))
		return false;
	attrs_edit_set_u32(e, BGP_ATTR_OTC, remote_as);
	return true;
}

bool role_may_hear(struct peer_role r, const struct attrs *a)
{
	return !attrs_has(a, BGP_ATTR_OTC) || !(is_below(r) || is_level(r));
}

void role_mark_out(struct peer_role r, uint32_t local_as, struct attrs_edit *e)
{
	if (!attrs_has(&e->a, BGP_ATTR_OTC) && (is_above(r) || is_level(r)))
		attrs_edit_set_u32(e, BGP_ATTR_OTC, local_as);
}
