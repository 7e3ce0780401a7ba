/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: OPEN
 *
 * Reading, judging and negotiating are three functions, so that what the peer said can be shown whatever
 * became of it.
 *
 * RFC 4271 4.2, 6.2; RFC 5492, 9072, 6286, 7607, 9234, 9494. */
#include "bgp/open.h"

#include <assert.h>
#include <string.h>

#include "bgp/capability.h"
#include "bgp/frame.h"
#include "mcbgp/bgp.h"

/* ---- decoding ---- */

static bool fail(struct notify *why, uint8_t subcode)
{
	notify_set(why, BGP_ERR_OPEN, subcode, NULL, 0);
	return false;
}

/** RFC 4760 8: who does not name families speaks IPv4 unicast. */
static uint32_t families_of(const struct caps *c)
{
	return c->multiprotocol ? c->families : FAM_BIT(FAM_IPV4);
}

/** The optional parameters that make up the rest of an OPEN. @extended: their lengths have two bytes (RFC
 * 9072 2). */
static bool parameters_decode(struct reader r, bool extended, struct open *o, struct notify *why)
{
	while (rd_left(&r)) {
		uint8_t type = rd_u8(&r);
		struct reader value = rd_sub(&r, extended ? rd_u16(&r) : rd_u8(&r));

		if (r.bad)
			return fail(why, 0);
		if (type != BGP_OPT_CAPABILITIES)
			return fail(why, BGP_OPEN_BAD_PARAMETER);
		if (!caps_decode(value, o))
			return fail(why, 0);
	}
	return true;
}

/** Find the parameters behind their length field, in either form. @return false: the lengths do not add up.
 */
static bool parameters_find(struct reader *body, struct reader *params, bool *extended)
{
	uint8_t len = rd_u8(body);

	*extended = len && rd_left(body) && body->p[0] == BGP_OPT_EXTENDED;
	if (*extended) {
		rd_u8(body);
		*params = rd_sub(body, rd_u16(body));
	} else {
		*params = rd_sub(body, len);
	}
	return !body->bad && rd_left(body) == 0;
}

bool open_decode(struct reader body, struct open *out, struct notify *why)
{
	static const uint8_t our_version[2] = { 0, BGP_VERSION };
	struct reader params;
	bool extended;

	memset(out, 0, sizeof(*out));
	out->version = rd_u8(&body);
	if (!body.bad && out->version != BGP_VERSION) {
		notify_set(why, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, our_version, sizeof(our_version));
		return false;
	}
	out->as = rd_u16(&body);
	out->hold_time = rd_u16(&body);
	out->id = rd_u32(&body);
	if (!parameters_find(&body, &params, &extended))
		return fail(why, 0);
	if (!parameters_decode(params, extended, out, why))
		return false;
	out->caps.families = families_of(&out->caps);
	if (!out->caps.graceful_restart) /* RFC 9494 3.1: by itself it is ignored */
		caps_drop_long_lived(&out->caps);
	return true;
}

/* ---- encoding ---- */

/** One parameter with all capabilities: with all we know it stays below 255 bytes, so RFC 9072's form is
 * never needed. */
void open_encode(struct writer *w, const struct open *o)
{
	uint8_t caps[UINT8_MAX - 2];
	struct writer cw = wr_init(caps, sizeof(caps));
	uint8_t *begin = frame_begin(w, BGP_MSG_OPEN);
	size_t len;

	caps_encode(&cw, o);
	assert(!cw.bad);
	len = (size_t)(cw.p - caps);

	wr_u8(w, BGP_VERSION);
	wr_u16(w, o->as <= UINT16_MAX ? (uint16_t)o->as : BGP_AS_TRANS);
	wr_u16(w, o->hold_time);
	wr_u32(w, o->id);
	wr_u8(w, (uint8_t)(len ? len + 2 : 0));
	if (len) {
		wr_u8(w, BGP_OPT_CAPABILITIES);
		wr_u8(w, (uint8_t)len);
		wr_bytes(w, caps, len);
	}
	if (begin)
		frame_end(w, begin);
}

/* ---- judging and negotiating ---- */

/** RFC 9234 4.2: the pairs that make sense. */
static bool roles_pair(uint8_t ours, uint8_t theirs)
{
	static const uint8_t partner[] = {
		[BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,
		[BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,      [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
		[BGP_ROLE_PEER] = BGP_ROLE_PEER,
	};

	return ours < sizeof(partner) && partner[ours] == theirs;
}

bool open_check(const struct open *o, const struct open_expect *x, struct notify *why)
{
	bool ibgp = o->as == x->local_as;

	if (!o->as || (x->remote_as && o->as != x->remote_as))
		return fail(why, BGP_OPEN_BAD_PEER_AS);
	if (!o->id || (ibgp && o->id == x->local_id))
		return fail(why, BGP_OPEN_BAD_ID);
	if (o->hold_time && o->hold_time < BGP_MIN_HOLD_TIME)
		return fail(why, BGP_OPEN_BAD_HOLD_TIME);
	if (!ibgp && x->caps->role_set && o->caps.role_set && !roles_pair(x->caps->role, o->caps.role))
		return fail(why, BGP_OPEN_ROLE_MISMATCH);
	return true;
}

void open_negotiate(const struct open *ours, const struct open *theirs, struct negotiated *out)
{
	const struct caps *a = &ours->caps, *b = &theirs->caps;

	*out = (struct negotiated){
		.ibgp = ours->as == theirs->as,
		.as4 = a->as4 && b->as4,
		.route_refresh = a->route_refresh && b->route_refresh,
		.enhanced_refresh = a->enhanced_refresh && b->enhanced_refresh,
		.ext_message = a->ext_message && b->ext_message,
		.families = families_of(a) & families_of(b),
		.long_lived = a->llgr && b->llgr,
		.ext_next_hop = a->ext_next_hop & b->ext_next_hop,
		.hold_time = ours->hold_time < theirs->hold_time ? ours->hold_time : theirs->hold_time,
	};
	out->max_len = out->ext_message ? BGP_MAX_LEN_EXT : BGP_MAX_LEN;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		bool spoken = out->families & FAM_BIT(f);

		out->add_path_rx[f] =
		        spoken && a->add_path[f] & ADD_PATH_RECEIVE && b->add_path[f] & ADD_PATH_SEND;
		out->add_path_tx[f] =
		        spoken && a->add_path[f] & ADD_PATH_SEND && b->add_path[f] & ADD_PATH_RECEIVE;
	}
}
